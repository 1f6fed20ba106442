use super::super::message::Version;
use super::super::oid::{Index, Oid};
use super::super::pdu::{self, Value};
use super::super::walk::{Plan, Sink};
use super::*;

mod secure;

struct Nothing;

impl Sink for Nothing {
    fn scalar(&mut self, _: usize, _: Value<'_>) {}

    fn cell(&mut self, _: usize, _: Index<'_>, _: Value<'_>) -> bool {
        true
    }
}

fn engine(window: usize) -> Engine {
    let mut next = 1000;
    Engine::new(
        window,
        Box::new(move || {
            next += 1;
            next
        }),
    )
}

fn peer(host: u8) -> Peer {
    Peer {
        address: SocketAddr::from(([192, 0, 2, host], 161)),
        credentials: Credentials::Community(Secret::new(b"secret".to_vec())),
        timeout: Duration::from_secs(2),
        retries: 2,
        in_flight: 1,
    }
}

fn walk() -> Walk {
    let scalars = vec![Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 1, 3, 0])];
    Walk::new(Plan { scalars, ..Plan::default() }, Version::V2c, Box::new(Nothing))
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn reply(request: &[u8], community: &[u8], version: Version, id_off: i32) -> Vec<u8> {
    let asked = Message::decode(request).expect("our own request").pdu;
    let mut writer = Writer::default();
    message::encode(&mut writer, version, community, |w| {
        pdu::encode(w, PduKind::Response, asked.request_id.wrapping_add(id_off), 0, 0, |w| {
            for bind in asked.varbinds() {
                pdu::encode_varbind(w, bind.name, Value::TimeTicks(5));
            }
        });
    });
    writer.bytes().to_vec()
}

#[test]
fn only_the_agent_with_the_right_id_version_and_community_is_heard() {
    let mut engine = engine(10);
    engine.start(1, peer(1), walk());
    let mut request = Vec::new();
    let to = engine.poll_transmit(ms(0), &mut request).expect("a request");
    let elsewhere = SocketAddr::from(([192, 0, 2, 1], 162));
    engine.handle_datagram(ms(1), to, &reply(&request, b"secret", Version::V2c, 1));
    engine.handle_datagram(ms(1), elsewhere, &reply(&request, b"secret", Version::V2c, 0));
    engine.handle_datagram(ms(1), to, &reply(&request, b"public", Version::V2c, 0));
    engine.handle_datagram(ms(1), to, &reply(&request, b"secret", Version::V1, 0));
    engine.handle_datagram(ms(1), to, &request);
    engine.handle_datagram(ms(1), to, b"\x30\x03nonsense");
    let want = Drops {
        malformed: 1,
        unknown_id: 1,
        other_address: 1,
        other_version: 1,
        other_community: 1,
        not_a_response: 1,
        ..Drops::default()
    };
    assert_eq!(engine.drops(), want);
    assert!(engine.poll_finished().is_none());
    engine.handle_datagram(ms(2), to, &reply(&request, b"secret", Version::V2c, 0));
    let finished = engine.poll_finished().expect("it is answered");
    assert!(finished.walked.answered && finished.ticket == 1);
    assert_eq!(finished.round_trip, Some(ms(2)));
    engine.handle_datagram(ms(3), to, &reply(&request, b"secret", Version::V2c, 0));
    assert_eq!(engine.drops().unknown_id, 2, "a duplicate is dropped");
}

#[test]
fn a_silent_agent_is_asked_three_times_and_given_up() {
    let mut engine = engine(10);
    engine.start(1, peer(1), walk());
    let mut request = Vec::new();
    for sent in 0..3 {
        engine.poll_transmit(ms(sent * 2000), &mut request).expect("a try");
        let at = engine.next_timeout().expect("a deadline");
        assert_eq!(at, ms((sent + 1) * 2000));
        engine.handle_timeout(at);
    }
    let finished = engine.poll_finished().expect("given up");
    assert!(!finished.walked.answered && finished.walked.lost == 3);
    assert!(engine.is_idle() && engine.next_timeout().is_none());
}

#[test]
fn conversations_with_one_agent_take_turns() {
    let mut engine = engine(10);
    engine.start(1, peer(1), walk());
    engine.start(2, peer(1), walk());
    engine.start(3, peer(2), walk());
    let mut request = Vec::new();
    let first = engine.poll_transmit(ms(0), &mut request).expect("agent 1");
    let answer = reply(&request, b"secret", Version::V2c, 0);
    assert_ne!(engine.poll_transmit(ms(0), &mut request), Some(first));
    assert!(engine.poll_transmit(ms(0), &mut request).is_none(), "agent 1 is busy");
    engine.handle_datagram(ms(1), first, &answer);
    assert_eq!(engine.poll_transmit(ms(1), &mut request), Some(first));
}

#[test]
fn so_many_conversations_ask_one_agent_at_a_time_as_it_allows() {
    for most in [0, 1, 2, 8] {
        let mut engine = engine(100);
        for ticket in 1..=20 {
            engine.start(ticket, Peer { in_flight: most, ..peer(1) }, walk());
        }
        let mut out: VecDeque<Vec<u8>> = VecDeque::new();
        let (mut answered, mut highest, mut now) = (0, 0, 0);
        while !engine.is_idle() {
            let mut request = Vec::new();
            while engine.poll_transmit(ms(now), &mut request).is_some() {
                out.push_back(request.clone());
            }
            highest = highest.max(out.len());
            now += 1;
            // The last that went out is answered first: order does not matter.
            let request = out.pop_back().expect("somebody asks");
            engine.handle_datagram(ms(now), peer(1).address, &reply(&request, b"secret", Version::V2c, 0));
            answered += 1;
        }
        assert_eq!((answered, highest), (20, usize::from(most.max(1))), "{most} allowed");
    }
}

#[test]
fn tries_and_cancelled_conversations_give_their_turns_back() {
    let mut engine = engine(100);
    for ticket in 1..=6 {
        engine.start(ticket, Peer { in_flight: 2, retries: 0, ..peer(1) }, walk());
    }
    let mut request = Vec::new();
    let mut sent =
        |engine: &mut Engine, now| std::iter::from_fn(|| engine.poll_transmit(ms(now), &mut request)).count();
    assert_eq!(sent(&mut engine, 0), 2);
    engine.cancel(1);
    engine.cancel(6);
    assert_eq!(sent(&mut engine, 1), 1, "one turn was given back; who only waited had none");
    let at = engine.next_timeout().expect("a deadline");
    engine.handle_timeout(at + ms(1));
    assert_eq!(sent(&mut engine, 3000), 2, "both were given up");
    let at = engine.next_timeout().expect("a deadline");
    engine.handle_timeout(at + ms(1));
    assert!(engine.is_idle());
}

#[test]
fn dead_agents_make_room_for_the_living_after_a_quarter_of_a_second() {
    let mut engine = engine(2);
    for host in 1..=3 {
        engine.start(u64::from(host), peer(host), walk());
    }
    let mut request = Vec::new();
    assert!(engine.poll_transmit(ms(0), &mut request).is_some());
    assert!(engine.poll_transmit(ms(0), &mut request).is_some());
    assert!(engine.poll_transmit(ms(1), &mut request).is_none(), "the window is full");
    assert_eq!(engine.next_timeout(), Some(ms(250)));
    assert!(engine.poll_transmit(ms(250), &mut request).is_some());
}

#[test]
fn a_late_answer_to_an_earlier_try_still_counts() {
    let mut engine = engine(10);
    engine.start(1, peer(1), walk());
    let mut request = Vec::new();
    let to = engine.poll_transmit(ms(0), &mut request).expect("a try");
    engine.handle_timeout(ms(2000));
    engine.handle_datagram(ms(2001), to, &reply(&request, b"secret", Version::V2c, 0));
    assert!(engine.poll_finished().is_some_and(|f| f.walked.answered));
    assert!(engine.poll_transmit(ms(2002), &mut request).is_none());
}

#[test]
fn a_cancelled_conversation_frees_its_agent() {
    let mut engine = engine(10);
    engine.start(1, peer(1), walk());
    engine.start(2, peer(1), walk());
    let mut request = Vec::new();
    engine.poll_transmit(ms(0), &mut request).expect("a request");
    engine.cancel(1);
    assert!(engine.poll_transmit(ms(1), &mut request).is_some());
    engine.cancel(2);
    assert!(engine.is_idle() && engine.next_timeout().is_none());
}
