//! The screen: loop, input, canvas, theme, layout, panes, overlays, widgets. Holds a bus handle and nothing
//! of the engine. Drawing takes `&self`: it never writes state.

pub mod action;
pub mod app;
pub mod canvas;
mod chrome;
pub mod clipboard;
mod columns;
pub mod commands;
mod faceplate;
pub mod filter;
pub mod frame;
mod grouping;
pub mod layouts;
mod line;
mod list;
pub mod logbook;
pub mod look;
mod overlays;
pub mod panes;
mod parts;
pub mod port;
pub mod remembered;
pub mod run;
pub mod runbook;
pub mod screen;
pub mod session;
mod sessions;
mod sorting;
pub mod terminal;
pub mod themes;
pub mod tour;
mod trail;
pub mod views;
pub mod wall;
mod watch;

#[cfg(test)]
pub(crate) mod tests;
