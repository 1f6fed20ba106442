//! What the command line prints: one file per output format.

pub mod backups;
pub mod check;
pub mod incident;
pub mod ports;
