//! Schedule, supervise, run effects, publish, sessions.

pub mod plan;

pub use plan::{Bound, Plan, Runner};
