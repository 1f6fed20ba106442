//! The one integration binary: a module per area.

mod layers;
mod ssh_config;
