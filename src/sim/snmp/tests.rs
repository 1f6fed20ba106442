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

#[test]
fn a_walk_by_getnext_visits_every_instance_once_in_order() {
    let device = Device::new(spec(10), 0);
    let mib = Mib::new();
    let view = mib.view(&device, 0);
    let mut name = Oid::from_arcs(&[1, 3]);
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
    assert_eq!(count, 7 + 1 + 21 * 10 + 10 + 19 * 10 + 1);
}

#[test]
fn a_port_that_loses_its_link_stops_counting_and_says_when() {
    let device = Device::new(spec(10), 0);
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
    let device = Device::new(spec(1), 0);
    assert!(!answer(&Mib::new(), &device, 0, request.bytes(), &mut Writer::default()));
    let mut right = Writer::default();
    message::encode(&mut right, Version::V2c, b"public", |w| pdu::encode(w, PduKind::Get, 1, 0, 0, |_| {}));
    assert!(answer(&Mib::new(), &device, 0, right.bytes(), &mut Writer::default()));
    device.alive.store(false, Ordering::Relaxed);
    assert!(!answer(&Mib::new(), &device, 0, right.bytes(), &mut Writer::default()));
}
