//! noctty, the NOC in your terminal. `docs/architecture.md` is the map of these modules; the test
//! `layers` holds them to it.

pub mod attach;
pub mod backup;
pub mod base;
pub mod bus;
pub mod cli;
pub mod config;
pub mod engine;
pub mod import;
pub mod journal;
pub mod model;
pub mod net;
pub mod notify;
pub mod probe;
pub mod process;
pub mod profile;
pub mod proto;
pub mod report;
pub mod sim;
pub mod ssh;
pub mod state;
pub mod store;
pub mod ui;
