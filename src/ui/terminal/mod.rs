//! The terminal: its modes, its input, its size, and output that is paced by its own answers.
//!
//! ```text
//!  cells (Buffer) ──► Pacer ──chunks──► Tty ──► terminal
//!                       ▲                 │
//!                       └── CSI 0 n ── Input ◄── bytes
//! ```

pub mod capabilities;
pub mod encode;
pub mod input;
pub mod output;
pub mod pacer;
pub mod signals;
mod stray;
pub mod tty;
