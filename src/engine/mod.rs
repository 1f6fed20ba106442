//! Schedule, supervise, run effects, publish, sessions.

mod commands;
pub mod cycle;
pub mod plan;
pub mod run;
pub mod schedule;
pub mod supervise;

pub use plan::{Bound, Plan, Runner};
