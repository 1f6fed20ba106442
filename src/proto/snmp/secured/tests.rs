use proptest::prelude::*;

use super::super::oid::Oid;
use super::super::pdu::{self, PduKind, Value};
use super::super::usm::{AuthProtocol, EngineId, PrivProtocol, User};
use super::*;

fn engine() -> EngineId {
    EngineId::new(b"\x80\x00\x1f\x88\x04tests").expect("ten octets")
}

/// Keys for a level. Users without a password cost nothing; the others are made few times.
fn keys(level: Level) -> LocalKeys {
    let auth = Some((AuthProtocol::Sha256, &b"maplesyrup"[..]));
    let privacy = Some((PrivProtocol::Aes128, &b"maplesyrup"[..]));
    let user = match level {
        Level::NoAuthNoPriv => User::new(b"u", None, None),
        Level::AuthNoPriv => User::new(b"u", auth, None),
        Level::AuthPriv => User::new(b"u", auth, privacy),
    };
    user.expect("valid").localise(&engine())
}

fn message(level: Level, keys: &LocalKeys, id: i32, context: &[u8], text: &[u8]) -> Vec<u8> {
    let engine = engine();
    let mut scoped = Writer::default();
    let name = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 1, 1, 0]);
    encode_scoped(&mut scoped, engine.as_bytes(), context, |w| {
        pdu::encode(w, PduKind::Response, id, 0, 0, |w| {
            pdu::encode_varbind(w, name.as_raw(), Value::Octets(text));
        });
    });
    let head = Head { id, level, reportable: true, engine_id: engine.as_bytes(), boots: 3, time: 77, user: b"u" };
    let mut writer = Writer::default();
    seal(&mut writer, &head, keys, 42, &mut scoped);
    writer.bytes().to_vec()
}

const LEVELS: [Level; 3] = [Level::NoAuthNoPriv, Level::AuthNoPriv, Level::AuthPriv];

/// The discovery that every agent knows, by hand from RFC 3414 §4.
#[test]
fn a_discovery_has_the_octets_that_every_agent_knows() {
    let mut scoped = Writer::default();
    encode_scoped(&mut scoped, &[], &[], |w| pdu::encode(w, PduKind::Get, 0x1234, 0, 0, |_| {}));
    let head =
        Head { id: 0x1234, level: Level::NoAuthNoPriv, reportable: true, engine_id: &[], boots: 0, time: 0, user: &[] };
    let mut writer = Writer::default();
    seal(&mut writer, &head, &LocalKeys::default(), 0, &mut scoped);
    let want = [
        0x30, 0x3a, 2, 1, 3, // version
        0x30, 0x0f, 2, 2, 0x12, 0x34, 2, 3, 0, 0xff, 0xe3, 4, 1, 4, 2, 1, 3, // global data
        4, 0x10, 0x30, 0x0e, 4, 0, 2, 1, 0, 2, 1, 0, 4, 0, 4, 0, 4, 0, // security parameters
        0x30, 0x12, 4, 0, 4, 0, 0xa0, 0x0c, 2, 2, 0x12, 0x34, 2, 1, 0, 2, 1, 0, 0x30, 0, // nothing asked
    ];
    assert_eq!(writer.bytes(), want);
}

#[test]
fn every_level_comes_back_and_only_with_its_keys() {
    for level in LEVELS {
        let keys = keys(level);
        // Lengths on both sides of where the length of an element takes another octet.
        for size in [0, 20, 60, 90, 100, 127, 128, 200, 255, 256, 1400] {
            let text = vec![b'x'; size];
            let bytes = message(level, &keys, 99, b"vlan-10", &text);
            let decoded = Secured::decode(&bytes).expect("our own encoding is valid");
            assert_eq!((decoded.head.level, decoded.head.user), (level, &b"u"[..]));
            assert_eq!((decoded.head.boots, decoded.head.time, decoded.head.id), (3, 77, 99));
            assert_eq!(decoded.verify(&keys), level.is_authenticated(), "{level:?} {size}");
            let mut scratch = Vec::new();
            let scoped = decoded.open(&keys, &mut scratch).expect("the right key");
            assert_eq!((scoped.engine_id, scoped.context), (engine().as_bytes(), &b"vlan-10"[..]));
            let bind = scoped.pdu.varbinds().next().expect("one");
            assert_eq!(bind.value, Value::Octets(&text));
            if level == Level::AuthPriv {
                assert!(decoded.open(&LocalKeys::default(), &mut Vec::new()).is_err());
                assert!(size < 20 || !bytes.windows(20).any(|w| w == &text[..20]), "it can be read by anybody");
            }
        }
    }
}

#[test]
fn des_pads_and_its_padding_is_taken() {
    let (auth, privacy) = ((AuthProtocol::Md5, &b"maplesyrup"[..]), (PrivProtocol::Des, &b"maplesyrup"[..]));
    let keys = User::new(b"u", Some(auth), Some(privacy)).expect("valid").localise(&engine());
    for size in 0..9 {
        let text = vec![b'x'; size];
        let bytes = message(Level::AuthPriv, &keys, 1, b"", &text);
        let decoded = Secured::decode(&bytes).expect("valid");
        assert!(decoded.verify(&keys));
        let mut scratch = Vec::new();
        let scoped = decoded.open(&keys, &mut scratch).expect("the right key");
        assert_eq!(scoped.pdu.varbinds().next().expect("one").value, Value::Octets(&text));
    }
}

/// A message of which one part is replaced: the octets of the global data, at known places.
fn damaged(level: Level, change: impl FnOnce(&mut Vec<u8>)) -> Result<(), SecuredError> {
    let mut bytes = message(level, &keys(level), 99, b"", b"");
    change(&mut bytes);
    Secured::decode(&bytes).map(|_| ())
}

#[test]
fn heads_that_cannot_be_are_refused() {
    let flags = |bytes: &mut Vec<u8>| {
        let at = bytes.windows(5).position(|w| matches!(w, [4, 1, _, 2, 1])).expect("flags") + 2;
        (at, bytes[at])
    };
    let with_flags = |level, value| {
        damaged(level, |bytes| {
            let (at, _) = flags(bytes);
            bytes[at] = value;
        })
    };
    assert_eq!(with_flags(Level::NoAuthNoPriv, 2), Err(SecuredError::Flags), "privacy without authentication");
    assert_eq!(with_flags(Level::NoAuthNoPriv, 4), Ok(()));
    assert!(with_flags(Level::NoAuthNoPriv, 3).is_err(), "said to be encrypted, and is not");
    assert!(with_flags(Level::AuthPriv, 1).is_err(), "encrypted, and said not to be");
    let model = damaged(Level::NoAuthNoPriv, |bytes| {
        let (at, _) = flags(bytes);
        bytes[at + 3] = 2;
    });
    assert_eq!(model, Err(SecuredError::Model(2)));
    let version = damaged(Level::NoAuthNoPriv, |bytes| bytes[4] = 1);
    assert_eq!(version, Err(SecuredError::Version(1)));
    let size = damaged(Level::NoAuthNoPriv, |bytes| {
        let (at, _) = flags(bytes);
        (bytes[at - 5], bytes[at - 4], bytes[at - 3]) = (0, 1, 0xe3);
    });
    assert_eq!(size, Err(SecuredError::Size), "483 octets are less than everybody takes");
    assert!(damaged(Level::AuthNoPriv, |bytes| bytes.push(0)).is_err(), "trailing octets");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_sealed_is_opened(id in 0..i32::MAX, context in proptest::collection::vec(any::<u8>(), 0..32), text in proptest::collection::vec(any::<u8>(), 0..300)) {
        let none = LocalKeys::default();
        let bytes = message(Level::NoAuthNoPriv, &none, id, &context, &text);
        let decoded = Secured::decode(&bytes).expect("valid");
        prop_assert_eq!(decoded.head.id, id);
        let mut scratch = Vec::new();
        let scoped = decoded.open(&none, &mut scratch).expect("plain");
        prop_assert_eq!(scoped.context, &context[..]);
        prop_assert_eq!(scoped.pdu.varbinds().next().expect("one").value, Value::Octets(&text));
    }

    #[test]
    fn no_datagram_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Secured::decode(&bytes);
    }
}

/// Whatever is changed about an authenticated message, it is refused or does not verify; and nothing panics on the way.
#[test]
fn no_damage_passes_for_the_original() {
    for level in [Level::AuthNoPriv, Level::AuthPriv] {
        let keys = keys(level);
        let bytes = message(level, &keys, 99, b"ctx", b"some text that is long enough to be cut");
        let mut scratch = Vec::new();
        for at in 0..bytes.len() {
            for octet in [0, 1, 4, 0x30, 0x7f, 0x80, 0x82, 0xff, bytes[at] ^ 1, bytes[at] ^ 0x80] {
                if octet == bytes[at] {
                    continue;
                }
                let mut damaged = bytes.clone();
                damaged[at] = octet;
                if let Ok(decoded) = Secured::decode(&damaged) {
                    assert!(!decoded.verify(&keys), "{level:?}: octet {at} became {octet:#04x}");
                    let _ = decoded.open(&keys, &mut scratch);
                }
            }
            assert!(Secured::decode(&bytes[..at]).is_err(), "cut after {at}");
        }
    }
}
