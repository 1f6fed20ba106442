use super::super::testing::Fed;
use super::*;
use crate::model::IfOper;

fn remote(fed: Fed, row: &[u32], port: &[u8], name: &str) -> Fed {
    fed.cell(REMOTE + CHASSIS_SUBTYPE, row, Value::Integer(4))
        .cell(REMOTE + CHASSIS_ID, row, Value::Octets(&[0x44, 0x4c, 0xa8, 0x31, 0x3e, 0]))
        .cell(REMOTE + PORT_SUBTYPE, row, Value::Integer(5))
        .cell(REMOTE + PORT_ID, row, Value::Octets(port))
        .cell(REMOTE + SYS_NAME, row, Value::Octets(name.as_bytes()))
}

fn local(fed: Fed, number: u32, subtype: i64, id: &[u8], description: &[u8]) -> Fed {
    fed.cell(LOCAL, &[number], Value::Integer(subtype)).cell(LOCAL + 1, &[number], Value::Octets(id)).cell(
        LOCAL + 2,
        &[number],
        Value::Octets(description),
    )
}

/// The ports with their neighbors' names.
fn seen(equipment: &Equipment) -> Vec<(u32, String)> {
    let ports = equipment.ports.iter();
    ports.flat_map(|p| p.neighbors.iter().map(|n| (p.index, n.name.line()))).collect()
}

#[test]
fn a_neighbor_is_told_in_its_own_words() {
    let row = &[1_169_175, 24, 1];
    let fed = remote(Fed::default().ports(&[24]), row, b"GigabitEthernet1/0/33\0", "WRD-Huiju-2")
        .cell(REMOTE + PORT_DESC, row, Value::Octets(b"GigabitEthernet1/0/33 Interface"))
        .cell(REMOTE + SYS_DESC, row, Value::Octets(b"H3C Comware\r\nV7"))
        .cell(REMOTE + ENABLED, row, Value::Octets(&[0x28]))
        .cell(ADDRESS, &[1_169_175, 24, 1, 2, 16, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], Value::Integer(2))
        .cell(ADDRESS, &[1_169_175, 24, 1, 1, 4, 10, 1, 123, 2], Value::Integer(2));
    let equipment = fed.before(|e| e.bridge_ports = vec![(24, 24)]).fold(&GROUP);
    let neighbor = &equipment.port(24).expect("a neighbor").neighbors[0];
    assert_eq!(neighbor.name.line(), "WRD-Huiju-2");
    assert_eq!(neighbor.port.line(), "GigabitEthernet1/0/33");
    assert_eq!(neighbor.port_description.line(), "GigabitEthernet1/0/33 Interface");
    assert_eq!(neighbor.platform.as_bytes(), b"H3C Comware\r\nV7");
    assert_eq!(neighbor.chassis_mac, Some([0x44, 0x4c, 0xa8, 0x31, 0x3e, 0]));
    let addresses = ["10.1.123.2", "fd00::1"].map(|address| address.parse::<IpAddr>().expect("an address"));
    assert_eq!(neighbor.addresses, addresses);
    assert_eq!(neighbor.forwards, Some(true));
    assert!(equipment.strays.is_empty());
}

#[test]
fn local_ports_are_resolved_by_what_the_agent_calls_them() {
    let mut fed = Fed::default()
        .named(&[(101, "Gi0/1"), (102, "Gi0/2"), (103, "Gi0/3"), (104, "Gi0/4"), (7, "Gi0/7"), (611, "xe-1/2/0")])
        .port(102, |p| p.alias = "to core".into())
        .port(103, |p| p.mac = Some([0x8c, 0x60, 0x4f, 0x19, 0x16, 0]))
        .port(104, |p| p.description = "GigabitEthernet0/4".into());
    for (number, subtype, id, description) in [
        (1, 5, &b"GigabitEthernet0/1"[..], &b""[..]),
        (2, 1, b"to core", b""),
        (3, 3, &[0x8c, 0x60, 0x4f, 0x19, 0x16, 0], b"mgmt"),
        (4, 3, &[9; 6], b"GigabitEthernet0/4"),
        (611, 7, b"611", b"Connect to somebody"),
        (7, 5, b"Gi0/8", b""),
        (55, 7, b"55", b""),
    ] {
        fed = local(fed, number, subtype, id, description);
        fed = remote(fed, &[0, number, 1], b"x", &format!("sw{number}"));
    }
    let equipment = fed.fold(&GROUP);
    let want = [(101, "sw1"), (102, "sw2"), (103, "sw3"), (104, "sw4"), (611, "sw611")];
    assert_eq!(seen(&equipment), want.map(|(port, name)| (port, name.to_owned())));
    let strays: Vec<String> = equipment.strays.iter().map(|s| s.local.line()).collect();
    assert_eq!(strays, ["Gi0/8", "55"], "one contradicts its number, one is no interface");
}

#[test]
fn names_that_end_in_the_same_numbers_do_not_contradict() {
    let fed = local(Fed::default().named(&[(1, "0/1"), (2, "0/2"), (3, "0/3")]), 1, 7, b"Port 1", b"");
    let fed = local(local(fed, 2, 7, b"Port 3", b""), 3, 5, b"0/3", b"");
    let fed = remote(remote(fed, &[0, 1, 1], b"x", "a"), &[0, 2, 1], b"x", "b");
    let equipment = remote(fed, &[0, 3, 1], b"x", "c").fold(&GROUP);
    assert_eq!(seen(&equipment), [(1, "a".to_owned()), (3, "c".to_owned())]);
    assert_eq!(equipment.strays.len(), 1);
}

#[test]
fn a_bare_number_counts_only_where_it_can_be_but_one_port() {
    let fed = |up: &[u32]| {
        let mut fed = Fed::default().ports(&[1, 2, 3]).before(|e| e.bridge_ports = vec![(1, 2), (2, 3)]);
        for index in 1..=3 {
            fed = fed.port(index, |p| p.oper = Some(if up.contains(&index) { IfOper::Up } else { IfOper::Down }));
        }
        remote(remote(fed, &[0, 1, 1], b"x", "a"), &[0, 2, 1], b"x", "b")
    };
    assert_eq!(seen(&fed(&[2, 3]).fold(&GROUP)), [(2, "a".to_owned()), (3, "b".to_owned())]);
    assert_eq!(seen(&fed(&[1, 2]).fold(&GROUP)), [(1, "a".to_owned()), (2, "b".to_owned())]);
    let either = fed(&[1, 2, 3]).fold(&GROUP);
    assert_eq!((seen(&either).len(), either.strays.len()), (0, 2));
}

#[test]
fn of_two_times_the_later_row_counts_and_a_second_fold_replaces_the_first() {
    let fed = remote(Fed::default().named(&[(1, "e1")]), &[100, 1, 1], b"x", "new");
    let fed = local(remote(fed, &[99, 1, 1], b"x", "old"), 1, 5, b"e1", b"");
    let equipment = fed.fold(&GROUP);
    assert_eq!(seen(&equipment), [(1, "new".to_owned())]);
    let after = Fed::default().ports(&[1]).before(|e| *e = equipment).fold(&GROUP);
    assert!(seen(&after).is_empty());
}

#[test]
fn version_two_speaks_of_ifindexes_and_does_not_double_version_one() {
    let row = &[0, 18, 1, 1];
    let fed = remote(Fed::default().named(&[(18, "ethernet1/13")]), &[0, 18, 1], b"Eth1/2", "leaf");
    let fed = local(fed, 18, 5, b"ethernet1/13", b"")
        .cell(REMOTE_V2 + CHASSIS_SUBTYPE, row, Value::Integer(4))
        .cell(REMOTE_V2 + CHASSIS_ID, row, Value::Octets(&[0x44, 0x4c, 0xa8, 0x31, 0x3e, 0]))
        .cell(REMOTE_V2 + PORT_ID, row, Value::Octets(b"Eth1/2"))
        .cell(REMOTE_V2 + SYS_NAME, row, Value::Octets(b"leaf"))
        .cell(REMOTE_V2 + SYS_NAME, &[0, 99, 1, 1], Value::Octets(b"lost"))
        .cell(REMOTE + SYS_NAME, &[0, 99, 1], Value::Octets(b"lost"));
    let equipment = fed.fold(&GROUP);
    assert_eq!(seen(&equipment), [(18, "leaf".to_owned())]);
    assert_eq!(equipment.strays.len(), 1);
}

#[test]
fn identifiers_are_told_by_their_kind() {
    let words = |subtype, octets: &[u8]| {
        let found = identity(&CHASSIS, Some(subtype), Some(octets));
        (found.words.line(), found.mac.is_some())
    };
    assert_eq!(words(4, &[0, 0x1a, 0xa9, 0x7f, 0x78, 0]), ("00:1a:a9:7f:78:00".to_owned(), true));
    assert_eq!(words(7, &[0xe8, 0x39, 0x35, 0x1a, 0xca, 0x99]), ("e8:39:35:1a:ca:99".to_owned(), true));
    assert_eq!(words(4, b"E8 39 35 1A CA 99"), ("e8:39:35:1a:ca:99".to_owned(), true));
    assert_eq!(words(4, b"e839351aca99"), ("e8:39:35:1a:ca:99".to_owned(), true));
    assert_eq!(words(7, b"e839351aca99"), ("e839351aca99".to_owned(), false), "a serial number may look so");
    assert_eq!(words(5, &[1, 10, 0, 0, 1]), ("10.0.0.1".to_owned(), false));
    assert_eq!(words(5, &[10, 0, 0, 1]), ("10.0.0.1".to_owned(), false), "without the family");
    assert_eq!(words(7, b"NWPU(SSI1)"), ("NWPU(SSI1)".to_owned(), false));
    assert_eq!(words(4, b"not-a-mac"), ("not-a-mac".to_owned(), false));
    let old = b"\xb1\xb1\xbe\xa9";
    assert_eq!(words(7, old).0, Untrusted::bounded(old, 10).line(), "another encoding");
    for nothing in [&[0; 6][..], &[0xff; 6], b"", b"N/A"] {
        let found = identity(&CHASSIS, Some(4), Some(nothing));
        assert!(found.words.is_empty() && found.digits.is_empty() && found.mac.is_none(), "{nothing:?}");
    }
    let found = identity(&CHASSIS, Some(7), Some(&[0, 1, 2, 0xfe]));
    assert_eq!((found.words.is_empty(), found.digits.line()), (true, "00:01:02:fe".to_owned()));
    assert!(identity(&CHASSIS, None, None).words.is_empty());
}

#[test]
fn a_neighbor_without_a_name_is_called_by_its_chassis_then_by_its_port() {
    let row = |fed: Fed, number: u32, chassis: (i64, &'static [u8]), port: &'static [u8], more: &'static str, name| {
        fed.cell(REMOTE + CHASSIS_SUBTYPE, &[0, number, 1], Value::Integer(chassis.0))
            .cell(REMOTE + CHASSIS_ID, &[0, number, 1], Value::Octets(chassis.1))
            .cell(REMOTE + PORT_SUBTYPE, &[0, number, 1], Value::Integer(7))
            .cell(REMOTE + PORT_ID, &[0, number, 1], Value::Octets(port))
            .cell(REMOTE + PORT_DESC, &[0, number, 1], Value::Octets(more.as_bytes()))
            .cell(REMOTE + SYS_NAME, &[0, number, 1], Value::Octets(name))
    };
    let mut fed = Fed::default().ports(&[1, 2, 3, 4, 5, 6, 7]).before(|e| e.bridge_ports = vec![(1, 1)]);
    fed = row(fed, 1, (4, &[0x44, 0x4c, 0xa8, 0x31, 0x3e, 0]), b"1", "Not Advertised", b"Not Advertised");
    fed = row(fed, 2, (4, &[0x44, 0x4c, 0xa8, 0x31, 0x3e, 0]), b"n/a", "eth0", b"\0\0");
    fed = row(fed, 3, (7, b"not received"), b"gi7", "uplink", b"N/A");
    fed = row(fed, 4, (7, &[1, 2, 3]), &[0x03, 0x04], "uplink", b"");
    fed = row(fed, 5, (7, &[1, 2, 3]), &[0x03, 0x04], "", b"");
    fed = row(fed, 6, (7, b"-"), b"", "", b"");
    let equipment = fed.fold(&GROUP);
    let mut said: Vec<(u32, String, String, String)> = Vec::new();
    for port in &equipment.ports {
        let texts = |n: &Neighbor| (port.index, n.name.line(), n.port.line(), n.port_description.line());
        said.extend(port.neighbors.iter().map(texts));
    }
    let want = [
        (1, "44:4c:a8:31:3e:00", "1", ""),
        (2, "44:4c:a8:31:3e:00", "eth0", "eth0"),
        (3, "gi7", "gi7", "uplink"),
        (4, "uplink", "uplink", "uplink"),
        (5, "01:02:03", "03:04", ""),
    ];
    assert_eq!(said, want.map(|(at, name, port, more)| (at, name.to_owned(), port.to_owned(), more.to_owned())));
    assert!(equipment.strays.is_empty(), "a row that says nothing is nobody");
}

#[test]
fn version_two_goes_by_its_own_words_where_they_contradict_the_number() {
    let new = |fed: Fed, number: u32, name: &'static str| {
        fed.cell(REMOTE_V2 + CHASSIS_SUBTYPE, &[9, number, 1, 1], Value::Integer(7))
            .cell(REMOTE_V2 + CHASSIS_ID, &[9, number, 1, 1], Value::Octets(b"x"))
            .cell(REMOTE_V2 + SYS_NAME, &[9, number, 1, 1], Value::Octets(name.as_bytes()))
    };
    let local = |fed: Fed, number: u32, id: &'static str| {
        fed.cell(LOCAL_V2, &[number], Value::Integer(5)).cell(LOCAL_V2 + 1, &[number], Value::Octets(id.as_bytes()))
    };
    let fed = Fed::default().named(&[(1, "ge-0/0/0"), (2, "ge-0/0/1"), (3, "ge-0/0/2")]);
    let fed = new(local(new(local(fed, 1, "ge-0/0/0"), 1, "a"), 2, "ge-0/0/2"), 2, "b");
    let equipment = new(local(fed, 77, "xe-9/9/9"), 77, "c").fold(&GROUP);
    assert_eq!(seen(&equipment), [(1, "a".to_owned()), (3, "b".to_owned())]);
    assert_eq!(equipment.strays[0].local.line(), "xe-9/9/9");
}

#[test]
fn telephones_and_stations_forward_for_nobody() {
    assert_eq!(forwards(&[0x28, 0]), Some(true));
    assert_eq!(forwards(&[0, 0x14]), Some(true), "as it stands in the frame");
    assert_eq!(forwards(&[0x24]), Some(false));
    assert_eq!(forwards(&[0x01]), Some(false));
    assert_eq!(forwards(&[0x10]), Some(true));
    assert_eq!((forwards(&[0, 0]), forwards(&[])), (None, None));
}

#[test]
fn management_addresses_are_well_formed_and_of_one_station() {
    let row = &[1_169_175, 24, 1];
    let mut fed = remote(Fed::default().ports(&[24]), row, b"1", "core");
    for address in [
        // Multicast, broadcast, the agent itself, unspecified.
        &[1, 4, 224, 0, 0, 18][..],
        &[1, 4, 255, 255, 255, 255],
        &[1, 4, 127, 0, 0, 1],
        &[1, 4, 0, 0, 0, 0],
        // Wrong lengths, kinds and octets.
        &[1, 4, 10, 0],
        &[1, 4, 10, 0, 0, 1, 1],
        &[1, 16, 10, 0, 0, 1],
        &[2, 4, 10, 0, 0, 1],
        &[1, 4, 10, 0, 0, 300],
        &[6, 6, 0, 0x1c, 0x73, 0, 0, 7],
        &[1, 4],
        &[],
        // A station's, with and without its length.
        &[1, 4, 10, 0, 0, 9],
        &[1, 10, 0, 0, 8],
    ] {
        fed = fed.cell(ADDRESS, &[&row[..], address].concat(), Value::Integer(2));
    }
    let equipment = fed.before(|e| e.bridge_ports = vec![(24, 24)]).fold(&GROUP);
    let addresses = &equipment.port(24).expect("a neighbor").neighbors[0].addresses;
    assert_eq!(addresses[..], ["10.0.0.8", "10.0.0.9"].map(|address| address.parse::<IpAddr>().expect("an address")));
}

#[test]
fn no_neighbor_has_more_addresses_than_are_kept() {
    let row = &[1_169_175, 24, 1];
    let fed = remote(Fed::default().ports(&[24]), row, b"1", "core");
    let fed = (1..=200)
        .fold(fed, |fed, last| fed.cell(ADDRESS, &[&row[..], &[1, 4, 10, 0, 0, last]].concat(), Value::Integer(2)));
    let equipment = fed.before(|e| e.bridge_ports = vec![(24, 24)]).fold(&GROUP);
    assert_eq!(equipment.port(24).expect("a neighbor").neighbors[0].addresses.len(), MOST_ADDRESSES);
}

#[test]
fn the_own_chassis_is_known_where_it_is_a_mac_address() {
    let own = |scalar: usize, subtype: i64, id: &[u8]| {
        let fed = Fed::default().scalar(scalar, Value::Integer(subtype)).scalar(scalar + 1, Value::Octets(id));
        fed.fold(&GROUP).chassis_mac
    };
    let mac = [0x44, 0x4c, 0xa8, 0x31, 0x3e, 0];
    assert_eq!((own(0, 4, &mac), own(2, 4, &mac)), (Some(mac), Some(mac)));
    assert_eq!((own(0, 7, b"switch"), own(0, 4, &[0; 6]), own(0, 4, &mac[..5])), (None, None, None));
}
