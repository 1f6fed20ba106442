//! An agent that answers every request with what the fuzzer wants. The walk ends, within its caps, and tells no cell twice.

#![no_main]

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use noctty::base::Secret;
use noctty::proto::snmp::ber::Writer;
use noctty::proto::snmp::oid::Index;
use noctty::proto::snmp::{
    Credentials, Engine, Message, Oid, PduKind, Peer, Plan, Sink, Value, Version, Walk, message, pdu,
};

const ROWS: u32 = 200;

#[derive(Default)]
struct Cells {
    seen: HashSet<(usize, Vec<u8>)>,
    counts: [u32; 2],
}

impl Sink for Cells {
    fn scalar(&mut self, _: usize, _: Value<'_>) {}

    fn cell(&mut self, column: usize, row: Index<'_>, _: Value<'_>) -> bool {
        let fresh = self.seen.insert((column, row.as_bytes().to_vec()));
        if fresh {
            self.counts[column] += 1;
            assert!(self.counts[column] <= ROWS, "more rows than the cap");
        }
        fresh
    }
}

/// Octets of the input, one after the other, and then zeros.
struct Wishes<'a>(&'a [u8]);

impl Wishes<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }
}

fuzz_target!(|data: &[u8]| {
    let mut wishes = Wishes(data);
    let mut id = 0;
    let mut engine = Engine::new(
        10,
        Box::new(move || {
            id += 1;
            id
        }),
    );
    let address = SocketAddr::from(([192, 0, 2, 1], 161));
    let credentials = Credentials::Community(Secret::new(b"c".to_vec()));
    let peer = Peer { address, credentials, timeout: Duration::from_secs(1), retries: 1 };
    let columns = vec![Oid::from_arcs(&[1, 3, 1]), Oid::from_arcs(&[1, 3, 2])];
    let plan = Plan { columns, max_rows: ROWS, max_octets: 20_000, ..Plan::default() };
    engine.start(1, peer, Walk::new(plan, Version::V2c, Box::new(Cells::default())));
    let mut datagram = Vec::new();
    let mut now = Duration::ZERO;
    for _ in 0..5_000 {
        if engine.poll_finished().is_some() {
            return;
        }
        now += Duration::from_millis(10);
        let Some(to) = engine.poll_transmit(now, &mut datagram) else {
            if let Some(at) = engine.next_timeout() {
                now = now.max(at);
                engine.handle_timeout(now);
            }
            continue;
        };
        let how = wishes.next();
        if how % 16 == 15 {
            // Nothing comes back.
            continue;
        }
        let asked = Message::decode(&datagram).expect("our own request").pdu;
        let mut writer = Writer::default();
        message::encode(&mut writer, Version::V2c, b"c", |w| {
            let status = if how % 16 == 14 { i32::from(wishes.next() % 20) } else { 0 };
            pdu::encode(w, PduKind::Response, asked.request_id, status, i32::from(how / 16), |w| {
                for _ in 0..how % 14 {
                    let (column, row, kind) = (wishes.next(), wishes.next(), wishes.next());
                    let name = Oid::from_arcs(&[1, 3, u32::from(column % 4), u32::from(row)]);
                    let value = match kind % 8 {
                        0 => Value::EndOfMibView,
                        1 => Value::NoSuchInstance,
                        2 => Value::Octets(&[7; 100]),
                        _ => Value::Integer(i64::from(kind)),
                    };
                    pdu::encode_varbind(w, name.as_raw(), value);
                }
            });
        });
        engine.handle_datagram(now, to, writer.bytes());
    }
    panic!("it does not end");
});
