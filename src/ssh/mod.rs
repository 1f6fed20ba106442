//! SSH by russh: ssh_config, known_hosts, keys and agent, jump chain, shells and commands. russh is seen here and
//! in `sim` only.

pub mod config;
pub mod known_hosts;
pub mod target;

pub use config::{HostSettings, SshConfig, Surroundings};
pub use target::Target;
