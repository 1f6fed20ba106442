//! The rules by which readings become conditions: pure functions over facts and time.

pub mod backup;
pub mod check;
pub mod host;
pub mod parents;
pub mod ports;
mod schedule;
