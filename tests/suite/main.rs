//! The one integration binary: a module per area.

mod backup;
mod cli;
mod collect;
mod console;
mod dependencies;
mod documents;
mod incidents;
mod lab;
mod layers;
mod peer;
mod power_cut;
mod probes;
mod recorded;
mod recorded_ports;
mod repository;
mod routers;
mod sessions;
mod snmp;
mod snmp_v3;
mod ssh;
mod ssh_config;
mod storage;
mod traps;
mod trouble;
mod tty;
