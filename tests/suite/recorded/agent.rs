//! Plays a recording over UDP as its device answered: GETNEXT goes on in the order of the file, whatever that is, and an
//! answer ends where a datagram of ordinary size is full. Serves recordings by the hundred, which snmpsim takes minutes
//! to index; snmpsim itself plays a few of them beside it.

use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use noctty::proto::snmp::ber::Writer;
use noctty::proto::snmp::{ErrorStatus, Message, Oid, Pdu, PduKind, RawOid, Value, Version, message, pdu};

use super::recording::{Name, Recorded, Recording};

const FULL: usize = 1400;

pub struct Agent {
    pub address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Agent {
    pub fn start(recording: Arc<Recording>) -> Self {
        Self::deaf(recording, HashSet::new())
    }

    /// One that does not answer requests which touch one of these trees.
    pub fn deaf(recording: Arc<Recording>, deaf: HashSet<Name>) -> Self {
        let socket = UdpSocket::bind(("127.0.0.64", 0)).expect("a loopback address can be bound");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout can be set");
        let address = socket.local_addr().expect("it has an address");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut buffer = vec![0u8; 65_536];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                if let Some(reply) = answer(&recording, &deaf, &buffer[..length]) {
                    socket.send_to(&reply, from).expect("the answer is sent");
                }
            }
        });
        Self { address, stop, thread: Some(thread) }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(recording: &Recording, deaf: &HashSet<Name>, datagram: &[u8]) -> Option<Vec<u8>> {
    let request = Message::decode(datagram).ok()?;
    let pdu = request.pdu;
    let names: Vec<Name> = pdu.varbinds().map(|bind| bind.name.arcs().collect()).collect();
    if names.iter().any(|name| deaf.iter().any(|tree| name.starts_with(tree))) {
        return None;
    }
    let mut writer = Writer::default();
    if request.version == Version::V1
        && let Some(at) = names.iter().position(|name| is_missing(recording, pdu.kind, name))
    {
        // One name without a value is an error for the whole request.
        let at = i32::try_from(at).ok()? + 1;
        message::encode(&mut writer, request.version, request.community, |w| {
            let error = ErrorStatus::NO_SUCH_NAME.0;
            pdu::encode(w, PduKind::Response, pdu.request_id, error, at, |_| {});
        });
        return Some(writer.bytes().to_vec());
    }
    message::encode(&mut writer, request.version, request.community, |w| {
        pdu::encode(w, PduKind::Response, pdu.request_id, 0, 0, |w| binds(recording, &pdu, &names, w));
    });
    Some(writer.bytes().to_vec())
}

fn is_missing(recording: &Recording, kind: PduKind, name: &Name) -> bool {
    if kind == PduKind::Get { recording.get(name).is_none() } else { after(recording, name).is_none() }
}

fn binds(recording: &Recording, pdu: &Pdu<'_>, names: &[Name], writer: &mut Writer) {
    if pdu.kind == PduKind::Get {
        for name in names {
            let value = recording.get(name);
            let name = Oid::from_arcs(name);
            with_wire(value, |wire| pdu::encode_varbind(writer, name.as_raw(), wire.unwrap_or(Value::NoSuchInstance)));
        }
        return;
    }
    let rounds = if pdu.kind == PduKind::GetBulk { pdu.error_index.max(0) } else { 1 };
    let mut at: Vec<Option<Name>> = names.iter().cloned().map(Some).collect();
    for round in 0..rounds {
        for (place, slot) in at.iter_mut().enumerate() {
            if (round > 0 || place > 0) && writer.len() > FULL {
                return;
            }
            let next = slot.as_ref().and_then(|name| after(recording, name));
            if let Some((name, value)) = next {
                let oid = Oid::from_arcs(name);
                with_wire(Some(value), |wire| pdu::encode_varbind(writer, oid.as_raw(), wire.unwrap_or(Value::Null)));
                *slot = Some(name.clone());
            } else {
                let last = slot.take().unwrap_or_else(|| names[place].clone());
                pdu::encode_varbind(writer, Oid::from_arcs(&last).as_raw(), Value::EndOfMibView);
            }
        }
    }
}

fn after<'a>(recording: &'a Recording, name: &Name) -> Option<(&'a Name, &'a Recorded)> {
    let place = if let Some(place) = recording.place(name) {
        place + 1
    } else {
        let next = recording.from(name).next()?;
        // Where the rows are out of order, a column begins with the one that the device gave first.
        let is_below = |place: &usize| recording.lines[*place].0.starts_with(name);
        if is_below(&next) { recording.from(name).take_while(is_below).min()? } else { next }
    };
    recording.lines.get(place).map(|(name, value)| (name, value))
}

fn with_wire(value: Option<&Recorded>, put: impl FnOnce(Option<Value<'_>>)) {
    let Some(value) = value else { return put(None) };
    match value {
        Recorded::Integer(n) => put(Some(Value::Integer(*n))),
        Recorded::Octets(octets) => put(Some(Value::Octets(octets))),
        Recorded::Null => put(Some(Value::Null)),
        Recorded::Oid(name) => {
            let oid = Oid::from_arcs(name);
            put(RawOid::new(oid.as_bytes()).ok().map(Value::Oid));
        }
        Recorded::IpAddress(octets) => put(Some(Value::IpAddress(*octets))),
        Recorded::Counter32(n) => put(Some(Value::Counter32(*n))),
        Recorded::Gauge32(n) => put(Some(Value::Gauge32(*n))),
        Recorded::TimeTicks(n) => put(Some(Value::TimeTicks(*n))),
        Recorded::Opaque(octets) => put(Some(Value::Opaque(octets))),
        Recorded::Counter64(n) => put(Some(Value::Counter64(*n))),
    }
}
