//! The screen: loop, input, canvas, theme, layout, panes, overlays, widgets. Holds a bus handle and nothing
//! of the engine. Drawing takes `&self`: it never writes state.

pub mod frame;
pub mod run;
pub mod screen;
pub mod terminal;
