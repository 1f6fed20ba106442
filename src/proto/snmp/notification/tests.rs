use proptest::prelude::*;

use super::super::secured::{Head, seal};
use super::super::usm::{AuthProtocol, Level, PrivProtocol};
use super::*;

const LINK_DOWN: &[u32] = &[1, 3, 6, 1, 6, 3, 1, 1, 5, 3];

fn user(level: Level) -> Arc<User> {
    let auth = Some((AuthProtocol::Sha256, &b"maplesyrup"[..]));
    let privacy = Some((PrivProtocol::Aes128, &b"sugarmaple"[..]));
    let user = match level {
        Level::NoAuthNoPriv => User::new(b"trapper", None, None),
        Level::AuthNoPriv => User::new(b"trapper", auth, None),
        Level::AuthPriv => User::new(b"trapper", auth, privacy),
    };
    Arc::new(user.expect("valid"))
}

fn id(name: &[u8]) -> EngineId {
    EngineId::new(&[b"\x80\x00\x7e\xd9\x04", name].concat()).expect("valid")
}

fn receiver(level: Level) -> Receiver {
    let user = user(level);
    let own = Authority::new(id(b"noctty"), 3, std::slice::from_ref(&user), 1);
    Receiver::new(vec![Secret::new(b"traps".to_vec())], vec![user], own, s(0))
}

const fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// linkDown of interface 7, as a PDU.
fn link_down(writer: &mut Writer, kind: PduKind) {
    pdu::encode(writer, kind, 4711, 0, 0, |w| {
        let uptime = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 1, 3, 0]);
        let name = Oid::from_arcs(&[1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0]);
        pdu::encode_varbind(w, uptime.as_raw(), Value::TimeTicks(500));
        pdu::encode_varbind(w, name.as_raw(), Value::Oid(Oid::from_arcs(LINK_DOWN).as_raw()));
        let index = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 2, 2, 1, 1, 7]);
        pdu::encode_varbind(w, index.as_raw(), Value::Integer(7));
    });
}

fn v2c(kind: PduKind, community: &[u8]) -> Vec<u8> {
    let mut writer = Writer::default();
    message::encode(&mut writer, Version::V2c, community, |w| link_down(w, kind));
    writer.bytes().to_vec()
}

fn v1(generic: i32, specific: i32) -> Vec<u8> {
    let mut writer = Writer::default();
    message::encode(&mut writer, Version::V1, b"traps", |w| {
        let enterprise = Oid::from_arcs(&[1, 3, 6, 1, 4, 1, 9, 9, 43, 2]);
        TrapV1::encode(w, enterprise.as_raw(), (generic, specific), 500, |w| {
            let index = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 2, 2, 1, 1, 7]);
            pdu::encode_varbind(w, index.as_raw(), Value::Integer(7));
        });
    });
    writer.bytes().to_vec()
}

/// A message of version 3 as the user sends it.
fn v3(kind: PduKind, user: &User, engine: &EngineId, boots: u32, time: u32) -> Vec<u8> {
    let (mut scoped, mut out) = (Writer::default(), Writer::default());
    encode_scoped(&mut scoped, engine.as_bytes(), b"", |w| link_down(w, kind));
    let reportable = kind == PduKind::Inform;
    let (level, name) = (user.level(), user.name());
    let head = Head { id: 99, level, reportable, engine_id: engine.as_bytes(), boots, time, user: name };
    seal(&mut out, &head, &user.localise(engine), 77, &mut scoped);
    out.bytes().to_vec()
}

#[track_caller]
fn is_link_down(told: Result<Option<Notification<'_>>, Refused>, version: Version, confirmed: bool) {
    let told = told.expect("it is taken").expect("it is a notification");
    assert_eq!((told.version, told.confirmed, told.uptime), (version, confirmed, Some(500)));
    assert_eq!(kinds::standard(told.kind.as_raw()), Some(3));
    let binds: Vec<Value<'_>> = told.varbinds.map(|bind| bind.value).collect();
    assert_eq!(binds, [Value::Integer(7)]);
}

#[test]
fn every_version_tells_the_same() {
    let mut reply = Writer::default();
    for level in [Level::NoAuthNoPriv, Level::AuthNoPriv, Level::AuthPriv] {
        let mut receiver = receiver(level);
        is_link_down(receiver.handle(s(1), &v1(2, 0), &mut reply), Version::V1, false);
        is_link_down(receiver.handle(s(1), &v2c(PduKind::TrapV2, b"traps"), &mut reply), Version::V2c, false);
        let trap = v3(PduKind::TrapV2, &user(level), &id(b"switch"), 5, 900);
        is_link_down(receiver.handle(s(1), &trap, &mut reply), Version::V3, false);
        assert!(reply.is_empty());
    }
}

#[test]
fn traps_of_version_1_get_the_names_of_version_2() {
    let mut receiver = receiver(Level::AuthPriv);
    for (generic, specific, want) in [
        (0, 0, "1.3.6.1.6.3.1.1.5.1"),
        (4, 0, "1.3.6.1.6.3.1.1.5.5"),
        (6, 1, "1.3.6.1.4.1.9.9.43.2.0.1"),
        (99, -1, "1.3.6.1.4.1.9.9.43.2.0.4294967295"),
    ] {
        let datagram = v1(generic, specific);
        let told = receiver.handle(s(1), &datagram, &mut Writer::default()).expect("taken").expect("a notification");
        assert_eq!(told.kind.to_string(), want);
    }
}

#[test]
fn informs_are_acknowledged_and_those_of_strangers_are_not() {
    let mut receiver = receiver(Level::AuthPriv);
    let mut reply = Writer::default();
    is_link_down(receiver.handle(s(1), &v2c(PduKind::Inform, b"traps"), &mut reply), Version::V2c, true);
    let answer = message::Message::decode(reply.bytes()).expect("a response");
    assert_eq!((answer.pdu.kind, answer.pdu.request_id), (PduKind::Response, 4711));
    assert_eq!((answer.community, answer.pdu.varbinds().count()), (&b"traps"[..], 3));
    let told = receiver.handle(s(1), &v2c(PduKind::Inform, b"public"), &mut reply).map(|_| ());
    assert_eq!((told, reply.is_empty()), (Err(Refused::Community), true));
}

#[test]
fn an_inform_of_version_3_finds_us_sets_its_clock_and_is_acknowledged() {
    let mut receiver = receiver(Level::AuthPriv);
    let user = user(Level::AuthPriv);
    let mut reply = Writer::default();
    // It knows neither our name nor our clock.
    let first =
        receiver.handle(s(100), &v3(PduKind::Inform, &user, &id(b"guess"), 0, 0), &mut reply).map(|t| t.is_some());
    assert_eq!(first, Ok(false));
    let report = Secured::decode(reply.bytes()).expect("a report");
    assert_eq!((report.head.level, report.head.engine_id), (Level::NoAuthNoPriv, id(b"noctty").as_bytes()));
    let second =
        receiver.handle(s(100), &v3(PduKind::Inform, &user, &id(b"noctty"), 0, 0), &mut reply).map(|t| t.is_some());
    assert_eq!(second, Ok(false));
    let report = Secured::decode(reply.bytes()).expect("a report");
    assert!(report.verify(&user.localise(&id(b"noctty"))), "our clock is signed");
    assert_eq!((report.head.boots, report.head.time), (3, 100));
    let third = v3(PduKind::Inform, &user, &id(b"noctty"), 3, 100);
    is_link_down(receiver.handle(s(101), &third, &mut reply), Version::V3, true);
    let answer = Secured::decode(reply.bytes()).expect("a response");
    let keys = user.localise(&id(b"noctty"));
    assert!(answer.verify(&keys) && answer.head.level == Level::AuthPriv);
    let mut scratch = Vec::new();
    let scoped = answer.open(&keys, &mut scratch).expect("the right key");
    assert_eq!((scoped.pdu.kind, scoped.pdu.request_id), (PduKind::Response, 4711));
}

#[test]
fn strangers_forgeries_and_recordings_are_refused() {
    let mut receiver = receiver(Level::AuthPriv);
    let right = user(Level::AuthPriv);
    let auth = Some((AuthProtocol::Sha256, &b"guessing..."[..]));
    let privacy = Some((PrivProtocol::Aes128, &b"sugarmaple"[..]));
    let forger = User::new(b"trapper", auth, privacy).expect("valid");
    let stranger = User::new(b"stranger", auth, privacy).expect("valid");
    let misled = User::new(
        b"trapper",
        Some((AuthProtocol::Sha256, b"maplesyrup")),
        auth.map(|(_, p)| (PrivProtocol::Aes128, p)),
    );
    let switch = id(b"switch");
    let mut told =
        |datagram: &[u8], at: u64| receiver.handle(s(at), datagram, &mut Writer::default()).map(|told| told.is_some());
    let trap = |user: &User, boots, time| v3(PduKind::TrapV2, user, &switch, boots, time);
    assert_eq!(told(&v2c(PduKind::TrapV2, b"public"), 0), Err(Refused::Community));
    assert_eq!(told(&trap(&stranger, 5, 900), 0), Err(Refused::User(ReportKind::UnknownUser)));
    assert_eq!(told(&trap(&forger, 5, 900), 0), Err(Refused::User(ReportKind::WrongDigest)));
    assert_eq!(told(&trap(&user(Level::AuthNoPriv), 5, 900), 0), Err(Refused::User(ReportKind::UnsupportedLevel)));
    assert_eq!(told(&trap(&user(Level::NoAuthNoPriv), 5, 900), 0), Err(Refused::User(ReportKind::UnsupportedLevel)));
    assert_eq!(told(&trap(&misled.expect("valid"), 5, 900), 0), Err(Refused::User(ReportKind::DecryptionError)));
    let recorded = trap(&right, 5, 1_000);
    assert_eq!(told(&recorded, 0), Ok(true));
    assert_eq!(told(&recorded, 151), Err(Refused::Stale), "recorded, and sent again");
    assert_eq!(told(&trap(&forger, 5, 1_200), 200), Err(Refused::User(ReportKind::WrongDigest)), "the sender is known");
    assert_eq!(told(&trap(&right, 6, 1), 201), Ok(true), "restarted");
    assert_eq!(told(&recorded, 202), Err(Refused::Stale), "from before the restart");
    assert_eq!(told(b"\x30\x03\x02\x01\x03", 0), Err(Refused::Malformed));
}

#[test]
fn questions_are_not_answered_and_a_trap_without_its_name_is_malformed() {
    let mut receiver = receiver(Level::AuthPriv);
    let mut reply = Writer::default();
    for kind in [PduKind::Get, PduKind::GetNext, PduKind::Response, PduKind::Set, PduKind::Report] {
        let told = receiver.handle(s(0), &v2c(kind, b"traps"), &mut reply).map(|_| ());
        assert_eq!((told, reply.is_empty()), (Err(Refused::NoNotification), true), "{kind:?}");
    }
    let mut nameless = Writer::default();
    message::encode(&mut nameless, Version::V2c, b"traps", |w| pdu::encode(w, PduKind::TrapV2, 1, 0, 0, |_| {}));
    assert_eq!(receiver.handle(s(0), nameless.bytes(), &mut reply).map(|_| ()), Err(Refused::Malformed));
}

#[test]
fn what_is_kept_of_senders_is_bounded() {
    let mut receiver = receiver(Level::AuthNoPriv);
    let user = user(Level::AuthNoPriv);
    let send = |receiver: &mut Receiver, n: u32, at: u64| {
        let trap = v3(PduKind::TrapV2, &user, &id(&n.to_be_bytes()), 1, 1);
        receiver.handle(s(at), &trap, &mut Writer::default()).map(|told| told.is_some())
    };
    for n in 0..5_000 {
        assert_eq!(send(&mut receiver, n, u64::from(n) / 100), Ok(true));
    }
    assert_eq!(receiver.senders.len(), MOST_SENDERS);
    assert!(receiver.senders.contains_key(&id(&4_999u32.to_be_bytes())));
    assert!(!receiver.senders.contains_key(&id(&0u32.to_be_bytes())), "the one that was silent longest is gone");
}

/// Every octet of every kind of notification changed and every length cut: no panic; and nothing authenticated passes.
#[test]
fn damage_never_panics_and_never_passes_for_the_original() {
    let right = user(Level::AuthPriv);
    for original in [
        v1(2, 0),
        v2c(PduKind::TrapV2, b"traps"),
        v2c(PduKind::Inform, b"traps"),
        v3(PduKind::TrapV2, &right, &id(b"switch"), 5, 900),
        v3(PduKind::Inform, &right, &id(b"noctty"), 3, 0),
    ] {
        let mut receiver = receiver(Level::AuthPriv);
        let secure = message::version(&original) == Some(3);
        let mut reply = Writer::default();
        for at in 0..original.len() {
            for octet in [0, 1, 4, 0x30, 0x80, 0x84, 0xff, original[at] ^ 1] {
                let mut damaged = original.clone();
                damaged[at] = octet;
                let told = receiver.handle(s(0), &damaged, &mut reply);
                assert!(!secure || damaged == original || !matches!(told, Ok(Some(_))), "octet {at}: {octet:#04x}");
            }
            assert!(!matches!(receiver.handle(s(0), &original[..at], &mut reply), Ok(Some(_))), "cut after {at}");
        }
    }
}

proptest! {
    #[test]
    fn no_datagram_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let user = Arc::new(User::new(b"u", None, None).expect("valid"));
        let own = Authority::new(id(b"noctty"), 1, std::slice::from_ref(&user), 1);
        let mut receiver = Receiver::new(vec![Secret::new(b"public".to_vec())], vec![user], own, s(0));
        let _ = receiver.handle(s(0), &bytes, &mut Writer::default());
    }
}
