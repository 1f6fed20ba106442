//! Where the engine of a machine (`noctty collect --system`) listens.

use std::path::{Path, PathBuf};

use crate::attach;

const RUN: &str = "/run/noctty";

/// The socket of the machine's engine.
pub fn system_socket() -> PathBuf {
    attach::system_socket_in(&choose(None))
}

/// As named, else where systemd made it, else the usual one.
pub fn choose(named: Option<&Path>) -> PathBuf {
    let named = named.map(Path::to_owned);
    named.or_else(|| std::env::var_os("RUNTIME_DIRECTORY").map(PathBuf::from)).unwrap_or_else(|| RUN.into())
}
