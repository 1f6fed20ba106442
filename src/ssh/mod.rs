//! SSH by russh: ssh_config, known_hosts, keys and agent, jump chain, shells and commands. russh is seen here and
//! in `sim` only.

mod agent;
pub mod attendant;
mod auth;
pub mod config;
mod connect;
mod error;
pub mod greeting;
mod guard;
pub mod host_key;
mod jump;
pub mod known_hosts;
mod links;
mod once;
mod shell;
pub mod target;

pub use crate::net::resolve::Names;
pub use attendant::{Answer, Attendant, Progress};
pub use config::{HostSettings, SshConfig, Surroundings};
pub use connect::Connection;
pub use error::SshError;
pub use links::{Link, LinkError, Links, Obstacle};
pub use once::{Bounds, End, Ran};
pub use shell::{CHUNK, Ended, Outlets, ShellInput, Size, Terminal};
pub use target::Target;
