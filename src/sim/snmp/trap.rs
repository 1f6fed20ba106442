//! What a simulated switch tells by itself: linkDown and linkUp in version 2c, from its own address.

use std::net::{SocketAddr, UdpSocket};

use crate::proto::snmp::ber::Writer;
use crate::proto::snmp::{Oid, PduKind, Value, Version, message, pdu};

/// Tells that the link of `port`, counted from 0, has changed. Like any trap it may be lost.
pub fn link(from: SocketAddr, to: SocketAddr, community: &str, uptime: i64, port: usize, up: bool) {
    let index = u32::try_from(port + 1).unwrap_or(u32::MAX);
    let status = Value::Integer(if up { 1 } else { 2 });
    let kind = Oid::from_arcs(&[1, 3, 6, 1, 6, 3, 1, 1, 5, if up { 4 } else { 3 }]);
    let mut writer = Writer::default();
    message::encode(&mut writer, Version::V2c, community.as_bytes(), |w| {
        pdu::encode(w, PduKind::TrapV2, 1, 0, 0, |w| {
            let mut bind = |name: &[u32], value: Value<'_>| {
                pdu::encode_varbind(w, Oid::from_arcs(name).as_raw(), value);
            };
            bind(&[1, 3, 6, 1, 2, 1, 1, 3, 0], Value::TimeTicks((uptime / 10) as u32));
            bind(&[1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0], Value::Oid(kind.as_raw()));
            bind(&[1, 3, 6, 1, 2, 1, 2, 2, 1, 1, index], Value::Integer(i64::from(index)));
            bind(&[1, 3, 6, 1, 2, 1, 2, 2, 1, 8, index], status);
        });
    });
    if let Ok(socket) = UdpSocket::bind((from.ip(), 0)) {
        let _ = socket.send_to(writer.bytes(), to);
    }
}
