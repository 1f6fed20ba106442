use super::*;
use crate::proto::snmp::{Oid, Value};

fn spec(ports: u32) -> AgentSpec {
    AgentSpec {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        name: "sw1".to_owned(),
        community: "public".to_owned(),
        user: None,
        ports,
        seed: 7,
    }
}

/// The values that a device answers to one request.
fn ask(device: &Device, kind: PduKind, names: &[&[u32]], repetitions: i32, now: i64) -> Vec<(String, String)> {
    let mut request = Writer::default();
    message::encode(&mut request, Version::V2c, b"public", |w| {
        pdu::encode(w, kind, 1, 0, repetitions, |w| {
            for name in names {
                pdu::encode_varbind(w, Oid::from_arcs(name).as_raw(), Value::Null);
            }
        });
    });
    let mut reply = Writer::default();
    assert!(answer(&Mib::new(), device, now, request.bytes(), &mut reply));
    let message = Message::decode(reply.bytes()).expect("a valid reply");
    message.pdu.varbinds().map(|b| (b.name.to_string(), format!("{:?}", b.value))).collect()
}

/// Rows before, between and after the tables that all devices have.
fn more() -> More {
    let mut more = More::default();
    more.add(&[1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 9], &[0, 10, 1], Cell::text("core"));
    more.row(&[1, 3, 6, 1, 2, 1, 2, 2, 1], &[5001], [(2, Cell::text("Po1")), (3, Cell::Integer(161))]);
    more.add(&[1, 3, 6, 1, 2, 1, 4, 22, 1, 2], &[1, 10, 0, 0, 5], Cell::mac([2, 0, 0, 0, 0, 5]));
    more.add(&[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1], &[5001], Cell::text("Po1"));
    more.add(&[1, 3, 6, 1, 2, 1, 33, 1, 2, 1], &[0], Cell::Integer(2));
    more
}

#[test]
fn a_walk_by_getnext_visits_every_instance_once_in_order() {
    assert_eq!(walk(&Device::new(spec(10), More::default(), 0)), 7 + 1 + 21 * 10 + 10 + 19 * 10 + 1);
    assert_eq!(walk(&Device::new(spec(10), more(), 0)), 7 + 1 + 21 * 10 + 10 + 19 * 10 + 1 + 6);
}

#[test]
fn other_rows_stand_in_their_place_between_those_of_the_ports() {
    let device = Device::new(spec(10), more(), 0);
    let names = |binds: Vec<(String, String)>| binds.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let column: &[u32] = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 2, 9];
    let bulk = names(ask(&device, PduKind::GetBulk, &[column], 3, 0));
    assert_eq!(bulk, ["1.3.6.1.2.1.2.2.1.2.10", "1.3.6.1.2.1.2.2.1.2.5001", "1.3.6.1.2.1.2.2.1.3.1"]);
    let get = ask(&device, PduKind::Get, &[&[1, 3, 6, 1, 2, 1, 33, 1, 2, 1, 0]], 0, 0);
    assert_eq!(get[0].1, "Integer(2)");
    let end = names(ask(&device, PduKind::GetNext, &[&[1, 3, 6, 1, 2, 1, 31, 1, 5, 0]], 0, 0));
    assert_eq!(end, ["1.3.6.1.2.1.33.1.2.1.0"]);
}

#[test]
fn values_follow_the_moment_and_the_links() {
    let device = Device::new(spec(10), More::default(), 0);
    let port = &device.ports[9];
    let value = |cell: &Cell, now| format!("{:?}", cell.value(&device, now));
    let up = Cell::AnyUp(Box::from([9]));
    let octets = Cell::Octets { ports: Box::from([8, 9]), direction: 0, wide: true };
    assert_eq!(value(&up, 0), "Integer(1)");
    assert_ne!(value(&octets, 1_000), value(&octets, 2_000));
    port.change(0, &port.link_down, true);
    assert_eq!(value(&up, 0), "Integer(2)");
    assert_eq!(value(&Cell::Link { port: 9, up: 3, down: 2 }, 0), "Integer(2)");
    let within = Cell::Within { from: 10, to: 20, round: 60, inside: 3, outside: 6 };
    assert_eq!(
        [9_000, 10_000, 19_999, 75_000].map(|now| value(&within, now)),
        [6, 3, 3, 3].map(|n| format!("Integer({n})"))
    );
    let since = Cell::Since { from: 10, to: 20, round: 60 };
    assert_eq!(
        [9_000, 10_000, 19_999, 75_000].map(|now| value(&since, now)),
        [49, 0, 9, 5].map(|n| format!("Gauge32({n})"))
    );
    let wave = Cell::Wave { middle: 30, by: 4, period: 100 };
    assert_eq!([0, 25_000, 75_000].map(|now| value(&wave, now)), [30, 34, 26].map(|n| format!("Integer({n})")));
}

/// How many instances a walk visits.
fn walk(device: &Device) -> usize {
    let mib = Mib::new();
    let view = mib.view(device, 0);
    let mut name = Oid::from_arcs(&[1, 0]);
    let mut count = 0;
    loop {
        let mut writer = Writer::default();
        if !view.next(name.as_raw(), &mut writer) {
            break;
        }
        let mut reply = Writer::default();
        message::encode(&mut reply, Version::V2c, b"", |w| {
            pdu::encode(w, PduKind::Response, 1, 0, 0, |w| {
                view.next(name.as_raw(), w);
            });
        });
        let next = Message::decode(reply.bytes()).expect("valid").pdu.varbinds().next().expect("one").name.to_oid();
        assert!(next.as_raw() > name.as_raw(), "{next} after {name}");
        name = next;
        count += 1;
    }
    count
}

#[test]
fn a_port_that_loses_its_link_stops_counting_and_says_when() {
    let device = Device::new(spec(10), More::default(), 0);
    let port = &device.ports[9];
    let octets = |now| ask(&device, PduKind::Get, &[&[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 10]], 0, now).remove(0).1;
    let before = octets(1_000);
    assert_ne!(before, octets(2_000));
    port.change(2_000, &port.link_down, true);
    assert_eq!(octets(2_000), octets(60_000));
    let oper = ask(&device, PduKind::Get, &[&[1, 3, 6, 1, 2, 1, 2, 2, 1, 8, 10]], 0, 60_000).remove(0).1;
    assert_eq!(oper, "Integer(2)");
    port.change(61_000, &port.link_down, false);
    assert_ne!(octets(61_000), octets(62_000));
}

#[test]
fn a_wrong_community_and_a_dead_device_get_no_answer() {
    let mut request = Writer::default();
    message::encode(&mut request, Version::V2c, b"private", |w| pdu::encode(w, PduKind::Get, 1, 0, 0, |_| {}));
    let device = Device::new(spec(1), More::default(), 0);
    assert!(!answer(&Mib::new(), &device, 0, request.bytes(), &mut Writer::default()));
    let mut right = Writer::default();
    message::encode(&mut right, Version::V2c, b"public", |w| pdu::encode(w, PduKind::Get, 1, 0, 0, |_| {}));
    assert!(answer(&Mib::new(), &device, 0, right.bytes(), &mut Writer::default()));
    device.alive.store(false, Ordering::Relaxed);
    assert!(!answer(&Mib::new(), &device, 0, right.bytes(), &mut Writer::default()));
}
