//! Who a neighbor is, who may be two, and who is nobody.

use super::*;
use crate::model::Origin;
use crate::model::device::NeighborProtocol;

const MAC: Mac = [0x00, 0x1c, 0x73, 0, 0, 7];

/// Hosts by their place in this list.
fn inventory(hosts: &[(&str, &str)]) -> Identities<usize> {
    let mut known = Identities::default();
    for (row, (name, address)) in hosts.iter().enumerate() {
        known.add(&row, &Host::new(name, Some(address), Origin::Config));
    }
    known
}

fn world() -> Identities<usize> {
    inventory(&[
        ("acc1", "10.0.0.1"),
        ("acc2.fra.example", "10.0.0.2"),
        ("dist", "dist.example"),
        ("Gate", "2001:db8::1"),
    ])
}

fn device(known: &mut Identities<usize>, row: usize, name: &str, mac: Option<Mac>) -> bool {
    known.take_device(&row, &name.into(), [None, mac])
}

fn at(addresses: &[&str], mac: Option<Mac>, name: &str) -> Neighbor {
    let addresses = addresses.iter().map(|address| address.parse().expect("an address")).collect();
    Neighbor { addresses, chassis_mac: mac, ..Neighbor::new(NeighborProtocol::Lldp, name, "1") }
}

#[test]
fn an_address_counts_before_a_chassis_and_that_before_a_name() {
    let mut known = world();
    assert!(device(&mut known, 2, "core-7", Some(MAC)));
    assert_eq!(known.find((&at(&["10.0.0.1"], Some(MAC), "gate")).into()), Some(0));
    assert_eq!(known.find((&at(&["10.0.0.77"], Some(MAC), "gate")).into()), Some(2));
    assert_eq!(known.find((&at(&[], None, "gate")).into()), Some(3));
    assert_eq!(
        known.find((&at(&["10.0.0.77", "2001:db8::1"], None, "somebody")).into()),
        Some(3),
        "any of its addresses"
    );
    assert_eq!(known.find((&at(&[], None, "10.0.0.1")).into()), Some(0), "a name that is an address");
}

#[test]
fn names_are_compared_whole_then_without_the_domain_that_only_one_has() {
    let mut known = world();
    for (name, row) in [
        ("ACC1", Some(0)),
        ("acc1.any.example", Some(0)),
        ("acc2", Some(1)),
        ("acc2.fra.example", Some(1)),
        ("acc2.ams.example", None),
        ("dist.example", Some(2)),
        ("core-7", None),
        (".", None),
        ("", None),
    ] {
        assert_eq!(known.find((&at(&[], None, name)).into()), row, "{name}");
    }
    // What a polled device calls itself, as long as it does.
    device(&mut known, 3, "Core-7.example", None);
    assert_eq!(known.find((&at(&[], None, "core-7")).into()), Some(3));
    assert!(!device(&mut known, 3, "Core-7.example", None), "that is no news");
    device(&mut known, 3, "acc1", None);
    assert_eq!(known.find((&at(&[], None, "core-7")).into()), None);
    assert_eq!(known.find((&at(&[], None, "acc1")).into()), Some(0), "the inventory's name is taken by nobody else");
}

#[test]
fn what_fits_two_is_nobody_and_says_who_they_are() {
    let mut known = inventory(&[("a", "10.0.0.1"), ("b", "10.0.0.1"), ("sw.fra", "10.0.0.3"), ("sw.ams", "10.0.0.4")]);
    device(&mut known, 2, "", Some(MAC));
    device(&mut known, 3, "", Some(MAC));
    for (seen, words, hosts) in [
        (at(&["10.0.0.1"], None, "x"), "the address 10.0.0.1", [0, 1]),
        (at(&["10.0.0.3", "10.0.0.4"], None, "x"), "the address 10.0.0.3", [2, 3]),
        (at(&[], Some(MAC), "x"), "the chassis MAC address that is heard", [2, 3]),
        (at(&[], None, "SW"), "the name SW", [2, 3]),
    ] {
        assert_eq!(known.find((&seen).into()), None, "{words}");
        let (words, hosts) = (words.to_owned(), hosts.to_vec());
        assert_eq!(known.ambiguity((&seen).into()), Some(Ambiguity { words, hosts }));
    }
    assert_eq!(known.find((&at(&["10.0.0.1"], None, "b")).into()), Some(1), "the next thing tells them apart");
    device(&mut known, 3, "", None);
    assert_eq!(known.find((&at(&[], Some(MAC), "x")).into()), Some(2), "the other has it no more");
}

#[test]
fn addresses_that_are_nobodys_are_not_looked_for() {
    let hosts = ["224.0.0.18", "255.255.255.255", "0.0.0.0", "fe80::1", "ff02::1", "::", "169.254.0.7"];
    let known = inventory(&hosts.map(|address| ("odd", address)));
    for address in hosts {
        assert_eq!(known.find((&at(&[address], None, "x")).into()), None, "{address}");
    }
    let known = inventory(&[("four", "10.0.0.1")]);
    assert_eq!(known.find((&at(&["::ffff:10.0.0.1"], None, "x")).into()), Some(0), "the same in other words");
    let mut known = inventory(&[("a", "10.0.0.1")]);
    for mac in [[0; 6], [0x01, 0x80, 0xc2, 0, 0, 0x0e], [0xff; 6]] {
        device(&mut known, 0, "", Some(mac));
        assert_eq!(known.find((&at(&[], Some(mac), "x")).into()), None, "{mac:02x?}");
    }
}

#[test]
fn a_device_that_is_gone_is_known_by_the_inventory_alone() {
    let mut known = world();
    device(&mut known, 0, "core-7", Some(MAC));
    known.retain_devices(|row| *row != 0);
    assert_eq!(known.find((&at(&[], Some(MAC), "core-7")).into()), None);
    assert_eq!(known.find((&at(&[], None, "acc1")).into()), Some(0));
}
