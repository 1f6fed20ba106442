//! The terminal: its modes, its input, its size, and output that is paced by its own answers.
//!
//! ```text
//!  cells (Buffer) ──► Pacer ──chunks──► Tty ──► terminal
//!                       ▲                 │
//!                       └── replies ── Input ◄── bytes
//! ```

pub mod capabilities;
pub mod encode;
pub mod fence;
pub mod guard;
pub mod input;
pub mod job;
pub mod output;
pub mod pacer;
mod shift;
pub mod signals;
mod stray;
pub mod tty;
