//! Version 3: any datagram, or a valid one with octets changed. Nothing but the original verifies under the user's keys, and
//! nothing that is opened panics.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use noctty::proto::snmp::ber::Writer;
use noctty::proto::snmp::secured::{Head, encode_scoped, seal};
use noctty::proto::snmp::usm::{AuthProtocol, EngineId, Level, LocalKeys, PrivProtocol, User};
use noctty::proto::snmp::{Oid, PduKind, Secured, Value, pdu};

struct Known {
    keys: LocalKeys,
    messages: Vec<Vec<u8>>,
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let engine = EngineId::new(b"\x80\x00\x7e\xd9\x04fuzz").expect("nine octets");
        let (auth, privacy) = ((AuthProtocol::Sha256, &b"maplesyrup"[..]), (PrivProtocol::Aes128, &b"maplesyrup"[..]));
        let keys = User::new(b"u", Some(auth), Some(privacy)).expect("valid").localise(&engine);
        let messages = [Level::AuthNoPriv, Level::AuthPriv].map(|level| {
            let (mut scoped, mut out) = (Writer::default(), Writer::default());
            encode_scoped(&mut scoped, engine.as_bytes(), b"context", |w| {
                pdu::encode(w, PduKind::Response, 7, 0, 0, |w| {
                    let name = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 1, 1, 0]);
                    pdu::encode_varbind(w, name.as_raw(), Value::Octets(b"a description of some length"));
                });
            });
            let head =
                Head { id: 7, level, reportable: false, engine_id: engine.as_bytes(), boots: 3, time: 99, user: b"u" };
            seal(&mut out, &head, &keys, 1, &mut scoped);
            out.bytes().to_vec()
        });
        Known { keys, messages: messages.to_vec() }
    })
}

fuzz_target!(|data: &[u8]| {
    let Some((how, rest)) = data.split_first() else { return };
    let known = known();
    let datagram = match known.messages.get(usize::from(how % 3)) {
        None => rest.to_vec(),
        Some(message) => {
            let mut changed = message.clone();
            for edit in rest.chunks_exact(3) {
                let at = (usize::from(edit[0]) << 8 | usize::from(edit[1])) % changed.len();
                changed[at] ^= edit[2];
            }
            changed
        }
    };
    let Ok(decoded) = Secured::decode(&datagram) else { return };
    if decoded.verify(&known.keys) {
        assert!(known.messages.contains(&datagram), "a forgery verifies");
    }
    let mut scratch = Vec::new();
    if let Ok(scoped) = decoded.open(&known.keys, &mut scratch) {
        assert!(scoped.pdu.varbinds().count() <= datagram.len());
    }
    assert!(scratch.len() <= datagram.len());
});
