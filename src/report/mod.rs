//! What the command line prints, and what the screen shows and copies as a text of its own: one file per output format.

pub mod backups;
pub mod care;
pub mod check;
pub mod handover;
pub mod incident;
pub mod json;
pub mod ports;
mod vitals;
