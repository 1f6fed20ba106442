//! The rules by which readings become conditions: pure functions over facts and time.

pub mod backup;
pub mod check;
pub mod differences;
pub mod equipment;
pub mod flap;
pub mod host;
pub mod hours;
pub mod hysteresis;
pub mod life;
pub mod maintenance;
pub mod news;
pub mod parents;
pub mod ports;
pub mod refresh;
mod schedule;
pub mod together;
