//! Version 3 conversations with an agent that is made of the same parts, without a network.

use std::sync::Arc;

use super::*;
use crate::proto::snmp::Secured;
use crate::proto::snmp::secured::{self, Head};
use crate::proto::snmp::usm::{
    AuthProtocol, Authority, EngineId, Level, LocalKeys, PrivProtocol, Received, ReportKind, User,
};

const AUTH: (AuthProtocol, &[u8]) = (AuthProtocol::Sha1, b"maplesyrup");
const PRIV: (PrivProtocol, &[u8]) = (PrivProtocol::Aes128, b"sugarmaple");

fn user(level: Level) -> Arc<User> {
    let (auth, privacy) = match level {
        Level::NoAuthNoPriv => (None, None),
        Level::AuthNoPriv => (Some(AUTH), None),
        Level::AuthPriv => (Some(AUTH), Some(PRIV)),
    };
    Arc::new(User::new(b"ops", auth, privacy).expect("valid"))
}

fn id(name: &[u8]) -> EngineId {
    EngineId::new(&[b"\x80\x00\x7e\xd9\x04", name].concat()).expect("valid")
}

/// An agent that answers every varbind with the ticks 5, at its own time.
struct Agent {
    authority: Authority,
    time: u32,
    context: &'static [u8],
}

impl Agent {
    fn new(engine: &[u8], user: &Arc<User>) -> Self {
        Self { authority: Authority::new(id(engine), 7, std::slice::from_ref(user), 1), time: 1_000, context: b"" }
    }

    fn reply(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        let message = Secured::decode(datagram).expect("our own request");
        let (mut scratch, mut reply) = (Vec::new(), Writer::default());
        match self.authority.receive(self.time, &message, &mut scratch, &mut reply) {
            Received::Request(asker, asked) => {
                assert_eq!(asked.context, self.context);
                let engine = *self.authority.engine_id();
                let mut scoped = Writer::default();
                secured::encode_scoped(&mut scoped, engine.as_bytes(), asked.context, |w| {
                    pdu::encode(w, PduKind::Response, asked.pdu.request_id, 0, 0, |w| {
                        for bind in asked.pdu.varbinds() {
                            pdu::encode_varbind(w, bind.name, Value::TimeTicks(5));
                        }
                    });
                });
                self.authority.answer(self.time, asker, &mut scoped, &mut reply);
            }
            Received::Report(_) => {}
            Received::Silence(_) | Received::Malformed => return None,
        }
        Some(reply.bytes().to_vec())
    }
}

fn secure_peer(host: u8, user: &Arc<User>) -> Peer {
    Peer { credentials: Credentials::User(security(user)), ..peer(host) }
}

fn security(user: &Arc<User>) -> Security {
    Security { user: user.clone(), context: Arc::from(&b""[..]), engine_id: None, pardon: false, trial: false }
}

fn secure_walk() -> Walk {
    let scalars = vec![Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 1, 3, 0])];
    Walk::new(Plan { scalars, ..Plan::default() }, Version::V3, Box::new(Nothing))
}

/// Lets the two speak until nothing is left to send; the datagrams that went to the agent.
fn speak(engine: &mut Engine, agent: &mut Agent, now: Duration) -> Vec<Vec<u8>> {
    let mut sent = Vec::new();
    let mut datagram = Vec::new();
    while let Some(to) = engine.poll_transmit(now, &mut datagram) {
        sent.push(datagram.clone());
        assert!(sent.len() < 20, "they go round in a circle");
        if let Some(reply) = agent.reply(&datagram) {
            engine.handle_datagram(now, to, &reply);
        }
    }
    sent
}

/// One conversation from its start to its end.
fn converse(engine: &mut Engine, agent: &mut Agent, user: &Arc<User>, now: Duration) -> (Finished, usize) {
    engine.start(1, secure_peer(1, user), secure_walk());
    let sent = speak(engine, agent, now).len();
    (engine.poll_finished().expect("it is over"), sent)
}

#[test]
fn one_discovery_serves_all_later_conversations_at_every_level() {
    for level in [Level::NoAuthNoPriv, Level::AuthNoPriv, Level::AuthPriv] {
        let user = user(level);
        let (mut engine, mut agent) = (engine(10), Agent::new(b"a", &user));
        let (finished, sent) = converse(&mut engine, &mut agent, &user, ms(5));
        assert!(finished.walked.answered && finished.refused.is_none(), "{level:?}");
        assert_eq!(sent, 2, "{level:?}: discovery, request");
        agent.time += 60;
        let (finished, sent) = converse(&mut engine, &mut agent, &user, ms(60_000));
        assert!(finished.walked.answered && sent == 1, "{level:?}");
        assert_eq!(engine.drops(), Drops::default());
    }
}

#[test]
fn concurrent_conversations_share_the_discovery() {
    let user = user(Level::AuthPriv);
    let (mut engine, mut agent) = (engine(10), Agent::new(b"a", &user));
    for ticket in 1..=3 {
        engine.start(ticket, secure_peer(1, &user), secure_walk());
    }
    assert_eq!(speak(&mut engine, &mut agent, ms(0)).len(), 4);
    for _ in 0..3 {
        assert!(engine.poll_finished().is_some_and(|f| f.walked.answered));
    }
}

#[test]
fn the_request_asks_in_its_context_and_shows_no_secret() {
    let user = user(Level::AuthPriv);
    let (mut engine, mut agent) = (engine(10), Agent::new(b"a", &user));
    agent.context = b"vlan-10";
    let mut peer = secure_peer(1, &user);
    if let Credentials::User(security) = &mut peer.credentials {
        security.context = Arc::from(&b"vlan-10"[..]);
    }
    engine.start(1, peer, secure_walk());
    let sent = speak(&mut engine, &mut agent, ms(0));
    assert!(engine.poll_finished().is_some_and(|f| f.walked.answered));
    for datagram in sent {
        for secret in [&b"vlan-10"[..], b"maple"] {
            assert!(!datagram.windows(secret.len()).any(|w| w == secret), "the context is encrypted");
        }
    }
}

#[test]
fn a_restarted_agent_costs_one_exchange_more() {
    let user = user(Level::AuthNoPriv);
    let (mut engine, mut agent) = (engine(10), Agent::new(b"a", &user));
    converse(&mut engine, &mut agent, &user, ms(0));
    for (boots, time) in [(8, 3), (8, 900), (2, 10)] {
        agent.authority.set_boots(boots);
        agent.time = time;
        let (finished, sent) = converse(&mut engine, &mut agent, &user, ms(1_000));
        assert!(finished.walked.answered && finished.refused.is_none(), "boots {boots}, time {time}");
        assert_eq!(sent, 2, "boots {boots}, time {time}: notInTimeWindows, request");
    }
}

#[test]
fn a_false_clock_of_the_discovery_is_corrected_by_an_authenticated_report() {
    let user = user(Level::AuthNoPriv);
    let (mut engine, mut agent) = (engine(10), Agent::new(b"a", &user));
    engine.start(1, secure_peer(1, &user), secure_walk());
    let mut datagram = Vec::new();
    let to = engine.poll_transmit(ms(0), &mut datagram).expect("the discovery");
    // Somebody on the way answers first, and lies about the clock.
    let (boots, time) = (agent.authority.counter(ReportKind::UnknownEngine) + 4_000_000, agent.time);
    agent.authority.set_boots(boots);
    agent.time = 2_000_000;
    let lie = agent.reply(&datagram).expect("a report");
    (agent.time, ()) = (time, agent.authority.set_boots(7));
    engine.handle_datagram(ms(1), to, &lie);
    speak(&mut engine, &mut agent, ms(2));
    assert!(engine.poll_finished().is_some_and(|f| f.walked.answered && f.refused.is_none()));
}

#[test]
fn an_agent_with_a_new_engine_id_is_discovered_again_in_the_middle_of_things() {
    let user = user(Level::AuthPriv);
    let (mut engine, mut agent) = (engine(10), Agent::new(b"a", &user));
    converse(&mut engine, &mut agent, &user, ms(0));
    let mut other = Agent::new(b"replacement", &user);
    let (finished, sent) = converse(&mut engine, &mut other, &user, ms(1_000));
    assert!(finished.walked.answered);
    assert_eq!(sent, 2, "unknownEngineIDs, request");
}

#[test]
fn a_replacement_that_says_nothing_to_strangers_is_found_by_the_next_conversation() {
    let user = user(Level::AuthPriv);
    let (mut engine, mut agent) = (engine(10), Agent::new(b"a", &user));
    converse(&mut engine, &mut agent, &user, ms(0));
    engine.start(1, secure_peer(1, &user), secure_walk());
    let mut datagram = Vec::new();
    for _ in 0..3 {
        engine.poll_transmit(ms(10), &mut datagram).expect("a try");
        let at = engine.next_timeout().expect("a deadline");
        engine.handle_timeout(at);
    }
    let finished = engine.poll_finished().expect("given up");
    assert!(!finished.walked.answered && finished.refused.is_none(), "it was let in before: no password is suspected");
    let mut other = Agent::new(b"replacement", &user);
    assert!(converse(&mut engine, &mut other, &user, ms(60_000)).0.walked.answered);
}

#[test]
fn an_agent_that_changes_its_name_all_the_time_is_given_up() {
    let user = user(Level::AuthNoPriv);
    let mut engine = engine(10);
    engine.start(1, secure_peer(1, &user), secure_walk());
    let mut datagram = Vec::new();
    let mut sent = 0u8;
    while let Some(to) = engine.poll_transmit(ms(0), &mut datagram) {
        sent += 1;
        assert!(sent < 10);
        let reply = Agent::new(&[b'x', sent], &user).reply(&datagram).expect("a report");
        engine.handle_datagram(ms(0), to, &reply);
    }
    let finished = engine.poll_finished().expect("it is over");
    assert_eq!(finished.refused.map(|r| r.why), Some(Refusal::Report(ReportKind::UnknownEngine)));
}

#[test]
fn another_engine_than_the_configured_one_is_named_and_not_believed() {
    let user = user(Level::AuthPriv);
    let (mut engine, mut agent) = (engine(10), Agent::new(b"a", &user));
    let mut peer = secure_peer(1, &user);
    let pin = |peer: &mut Peer, pinned| {
        if let Credentials::User(security) = &mut peer.credentials {
            security.engine_id = Some(pinned);
        }
    };
    pin(&mut peer, id(b"b"));
    engine.start(1, peer.clone(), secure_walk());
    speak(&mut engine, &mut agent, ms(0));
    let finished = engine.poll_finished().expect("it is over");
    assert_eq!(finished.refused.map(|r| r.why), Some(Refusal::OtherEngine(id(b"a"))));
    pin(&mut peer, id(b"a"));
    engine.start(2, peer, secure_walk());
    assert_eq!(speak(&mut engine, &mut agent, ms(0)).len(), 2, "no discovery, only the clock");
    assert!(engine.poll_finished().is_some_and(|f| f.walked.answered));
}

#[test]
fn three_wrong_passwords_in_a_row_stop_the_asking_until_somebody_says_so() {
    let right = user(Level::AuthNoPriv);
    let wrong = Arc::new(User::new(b"ops", Some((AuthProtocol::Sha1, b"not the password")), None).expect("valid"));
    let (mut engine, mut agent) = (engine(10), Agent::new(b"a", &right));
    let why = Refusal::Report(ReportKind::WrongDigest);
    for (stopped, want) in [(false, 2), (false, 1), (true, 1), (true, 0), (true, 0)] {
        let (finished, sent) = converse(&mut engine, &mut agent, &wrong, ms(0));
        assert_eq!(finished.refused, Some(Refused { why, stopped }));
        assert_eq!(sent, want);
    }
    assert_eq!(agent.authority.counter(ReportKind::WrongDigest), 3, "an account or a log is spared");
    // The right password is another user, and not punished.
    assert!(converse(&mut engine, &mut agent, &right, ms(0)).0.walked.answered);
    let mut peer = secure_peer(1, &wrong);
    if let Credentials::User(security) = &mut peer.credentials {
        security.pardon = true;
    }
    engine.start(1, peer, secure_walk());
    assert_eq!(speak(&mut engine, &mut agent, ms(0)).len(), 1, "somebody said so");
    assert!(engine.poll_finished().is_some_and(|f| f.refused.is_some_and(|r| !r.stopped)));
    let words = why.words(&security(&wrong));
    assert_eq!(words, "the authentication password or protocol (SHA) of user ops is wrong (usmStatsWrongDigests)");
}

#[test]
fn what_anybody_may_be_refused_is_not_counted_against_the_user() {
    let right = user(Level::AuthNoPriv);
    let wrong = Arc::new(User::new(b"ops", Some((AuthProtocol::Sha1, b"not the password")), None).expect("valid"));
    let (mut engine, mut agent) = (engine(10), Agent::new(b"a", &right));
    for _ in 0..5 {
        let mut peer = secure_peer(1, &wrong);
        if let Credentials::User(security) = &mut peer.credentials {
            security.trial = true;
        }
        engine.start(1, peer, secure_walk());
        speak(&mut engine, &mut agent, ms(0));
        assert!(engine.poll_finished().is_some_and(|f| f.refused.is_some_and(|r| !r.stopped)));
    }
    let refused = converse(&mut engine, &mut agent, &wrong, ms(0)).0.refused;
    assert!(refused.is_some_and(|r| !r.stopped), "the first that counts");
}

#[test]
fn a_wrong_user_a_wrong_level_and_a_wrong_privacy_password_are_told_apart() {
    let right = user(Level::AuthPriv);
    let stranger = Arc::new(User::new(b"who", Some(AUTH), Some(PRIV)).expect("valid"));
    let lower = user(Level::AuthNoPriv);
    let other = Some((PrivProtocol::Aes128, &b"not the password"[..]));
    let unreadable = Arc::new(User::new(b"ops", Some(AUTH), other).expect("valid"));
    for (user, kind) in [
        (stranger, ReportKind::UnknownUser),
        (lower, ReportKind::UnsupportedLevel),
        (unreadable, ReportKind::DecryptionError),
    ] {
        let (mut engine, mut agent) = (engine(10), Agent::new(b"a", &right));
        let (finished, _) = converse(&mut engine, &mut agent, &user, ms(0));
        assert_eq!(finished.refused, Some(Refused { why: Refusal::Report(kind), stopped: false }));
        assert!(!finished.walked.answered);
    }
}

#[test]
fn silence_after_the_discovery_is_a_refusal_of_a_user_that_was_never_let_in() {
    let user = user(Level::AuthPriv);
    let (mut engine, mut agent) = (engine(10), Agent::new(b"a", &user));
    engine.start(1, secure_peer(1, &user), secure_walk());
    let mut datagram = Vec::new();
    let to = engine.poll_transmit(ms(0), &mut datagram).expect("the discovery");
    engine.handle_datagram(ms(1), to, &agent.reply(&datagram).expect("a report"));
    for _ in 0..3 {
        engine.poll_transmit(ms(1), &mut datagram).expect("a try");
        let at = engine.next_timeout().expect("a deadline");
        engine.handle_timeout(at);
    }
    let refused = engine.poll_finished().and_then(|f| f.refused);
    assert_eq!(refused, Some(Refused { why: Refusal::Silence, stopped: false }));
    // A dead agent is no refusal.
    engine.start(2, secure_peer(1, &user), secure_walk());
    for _ in 0..3 {
        engine.poll_transmit(ms(20_000), &mut datagram).expect("a try");
        let at = engine.next_timeout().expect("a deadline");
        engine.handle_timeout(at);
    }
    assert!(engine.poll_finished().is_some_and(|f| f.refused.is_none() && !f.walked.answered));
}

/// The request that is out, ready to be answered falsely.
fn asked(engine: &mut Engine, agent: &mut Agent, user: &Arc<User>) -> (SocketAddr, Vec<u8>) {
    converse(engine, agent, user, ms(0));
    engine.start(1, secure_peer(1, user), secure_walk());
    let mut datagram = Vec::new();
    let to = engine.poll_transmit(ms(0), &mut datagram).expect("a request");
    (to, datagram)
}

/// A response to a request, as somebody without the user's keys, or with too many of them, would make it.
fn forged(request: &[u8], level: Level, keys: &LocalKeys, user: &[u8], engine: &EngineId, boots: u32) -> Vec<u8> {
    forged_pdu(request, level, keys, user, engine, boots, (PduKind::Response, Value::TimeTicks(6)))
}

fn forged_pdu(
    request: &[u8],
    level: Level,
    keys: &LocalKeys,
    user: &[u8],
    engine: &EngineId,
    boots: u32,
    (kind, value): (PduKind, Value<'_>),
) -> Vec<u8> {
    let id = Secured::decode(request).expect("our own request").head.id;
    let name = match kind {
        PduKind::Report => ReportKind::NotInTimeWindow.oid(),
        _ => Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 1, 3, 0]),
    };
    let (mut scoped, mut out) = (Writer::default(), Writer::default());
    secured::encode_scoped(&mut scoped, engine.as_bytes(), b"", |w| {
        pdu::encode(w, kind, id, 0, 0, |w| pdu::encode_varbind(w, name.as_raw(), value));
    });
    let head = Head { id, level, reportable: false, engine_id: engine.as_bytes(), boots, time: 1_000, user };
    secured::seal(&mut out, &head, keys, 9, &mut scoped);
    out.bytes().to_vec()
}

#[test]
fn nothing_that_is_forged_replayed_or_protected_less_is_believed() {
    let user = user(Level::AuthPriv);
    let (mut engine, mut agent) = (engine(10), Agent::new(b"a", &user));
    let (to, request) = asked(&mut engine, &mut agent, &user);
    let (name, engine_id) = (user.name(), id(b"a"));
    let (none, right) = (LocalKeys::default(), user.localise(&engine_id));
    let stranger = User::new(b"ops", Some((AuthProtocol::Sha1, b"guessing...")), Some(PRIV)).expect("valid");
    let guess = stranger.localise(&engine_id);
    let same = |level, keys| forged(&request, level, keys, name, &engine_id, 7);
    let report = |level, keys| {
        forged_pdu(&request, level, keys, name, &engine_id, 9_999, (PduKind::Report, Value::Counter32(1)))
    };
    let elsewhere = SocketAddr::from(([192, 0, 2, 66], 161));
    for (from, datagram) in [
        (to, same(Level::NoAuthNoPriv, &none)),
        (to, same(Level::AuthNoPriv, &right)),
        (to, same(Level::AuthPriv, &guess)),
        (to, forged(&request, Level::AuthPriv, &right, b"root", &engine_id, 7)),
        (to, forged(&request, Level::AuthPriv, &right, name, &id(b"b"), 7)),
        (to, forged(&request, Level::AuthPriv, &right, name, &engine_id, 6)),
        (elsewhere, same(Level::AuthPriv, &right)),
        (to, report(Level::NoAuthNoPriv, &none)),
        (to, report(Level::AuthNoPriv, &guess)),
    ] {
        engine.handle_datagram(ms(1), from, &datagram);
        assert!(engine.poll_finished().is_none());
    }
    let want = Drops { other_level: 3, forged: 2, other_user: 2, stale: 1, other_address: 1, ..Drops::default() };
    assert_eq!(engine.drops(), want);
    // The right answer still counts, and the clock was not moved.
    engine.handle_datagram(ms(2), to, &agent.reply(&request).expect("an answer"));
    assert!(engine.poll_finished().is_some_and(|f| f.walked.answered));
    assert_eq!(converse(&mut engine, &mut agent, &user, ms(3)).1, 1);
}

#[test]
fn engine_ids_that_cannot_be_and_answers_in_another_version_are_dropped() {
    let user = user(Level::AuthNoPriv);
    let mut engine = engine(10);
    engine.start(1, secure_peer(1, &user), secure_walk());
    let mut datagram = Vec::new();
    let to = engine.poll_transmit(ms(0), &mut datagram).expect("the discovery");
    let message_id = Secured::decode(&datagram).expect("ours").head.id;
    for name in [&b""[..], b"abcd", &[0; 12]] {
        let (mut scoped, mut out) = (Writer::default(), Writer::default());
        secured::encode_scoped(&mut scoped, name, b"", |w| {
            pdu::encode(w, PduKind::Report, 0, 0, 0, |w| {
                pdu::encode_varbind(w, ReportKind::UnknownEngine.oid().as_raw(), Value::Counter32(1));
            });
        });
        let level = Level::NoAuthNoPriv;
        let head = Head { id: message_id, level, reportable: false, engine_id: name, boots: 1, time: 1, user: b"" };
        secured::seal(&mut out, &head, &LocalKeys::default(), 0, &mut scoped);
        engine.handle_datagram(ms(1), to, out.bytes());
    }
    assert_eq!(engine.drops().malformed, 3);
    let mut plain = Writer::default();
    message::encode(&mut plain, Version::V2c, b"public", |w| {
        pdu::encode(w, PduKind::Response, message_id, 0, 0, |_| {});
    });
    engine.handle_datagram(ms(1), to, plain.bytes());
    assert_eq!(engine.drops().other_version, 1);
    assert!(engine.poll_finished().is_none());
}

/// Every octet of every datagram changed, one at a time: no panic, no answer, and the conversation goes on.
#[test]
fn no_damaged_reply_ends_a_conversation() {
    let user = user(Level::AuthPriv);
    let (mut engine, mut agent) = (engine(10), Agent::new(b"a", &user));
    let (to, request) = asked(&mut engine, &mut agent, &user);
    let reply = agent.reply(&request).expect("an answer");
    for at in 0..reply.len() {
        for change in [1, 0x20, 0x80, 0xff] {
            let mut damaged = reply.clone();
            damaged[at] ^= change;
            engine.handle_datagram(ms(1), to, &damaged);
            assert!(engine.poll_finished().is_none(), "octet {at} ^ {change:#04x}");
        }
        engine.handle_datagram(ms(1), to, &reply[..at]);
    }
    engine.handle_datagram(ms(1), to, &reply);
    assert!(engine.poll_finished().is_some_and(|f| f.walked.answered));
}
