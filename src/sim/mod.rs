//! The simulated network behind `noctty demo` and the tests: real protocols on loopback.

pub mod campus;
pub mod dns;
pub mod network;
pub mod repository;
pub mod script;
pub mod snmp;
pub mod ssh;
pub mod topology;
