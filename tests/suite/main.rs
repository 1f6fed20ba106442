//! The one integration binary: a module per area.

mod backup;
mod cli;
mod dependencies;
mod documents;
mod incidents;
mod layers;
mod peer;
mod probes;
mod repository;
mod snmp;
mod ssh;
mod ssh_config;
mod tty;
