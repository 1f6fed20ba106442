//! The user's files: TOML to typed configuration, every problem with file, line, column and a hint.
//! Knows no probe and no backup source: it keeps their kind and their option table, and `engine` binds
//! them through the registries.

mod glance;
pub mod inventory;
pub mod key;
pub mod keymap;
pub mod layouts;
pub mod load;
pub mod maintenance;
pub mod mouse;
pub mod port_rules;
pub mod roles;
pub mod rules;
pub mod runbooks;
pub mod salvage;
pub mod theme;
pub mod views;
pub mod wall;

pub use crate::base::document;
pub use glance::glance;
pub use inventory::{CheckEntry, HostEntry, JobEntry};
pub use load::{Config, Problems, SshOptions, UiOptions};
pub use roles::RoleOptions;
pub use rules::PollingOptions;
pub use wall::WallOptions;
