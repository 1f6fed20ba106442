//! What the command line prints: one file per output format.

pub mod backups;
pub mod care;
pub mod check;
pub mod incident;
pub mod json;
pub mod ports;
mod vitals;
