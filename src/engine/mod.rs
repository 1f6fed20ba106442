//! Schedule, supervise, run effects, publish, sessions.

mod asker;
pub mod bind;
pub mod cycle;
pub mod desk;
pub mod discover;
mod echoes;
mod hangs;
mod host_watch;
mod notify;
mod packages;
mod pause;
pub mod plan;
pub mod records;
mod reminders;
pub mod run;
pub mod schedule;
pub mod sessions;
pub mod supervise;
mod thresholds;
mod traps;
mod uplink;
mod wall_clock;
mod watch;

pub use asker::own_author;
pub use plan::{Bound, Plan, Runner};

#[cfg(test)]
mod tests;
