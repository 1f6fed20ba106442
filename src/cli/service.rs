//! What systemd is told of a service of `Type=notify` (sd_notify(3)): lines of `NAME=value` in one datagram to the socket that
//! `NOTIFY_SOCKET` names; `@` stands for the zero byte of an abstract name. Without one nobody is told.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::net::{SocketAddr, UnixDatagram};

pub fn tell(state: &str) {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(std::ffi::OsString::from_vec(name.as_bytes().to_vec())),
    };
    let told = address
        .and_then(|address| UnixDatagram::unbound().and_then(|socket| socket.send_to_addr(state.as_bytes(), &address)));
    if let Err(error) = told {
        tracing::warn!(%error, state, "the service manager was not told");
    }
}
