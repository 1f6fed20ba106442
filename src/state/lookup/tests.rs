use std::time::Duration;

use super::*;
use crate::base::Untrusted;
use crate::model::device::{ArpEntry, LagMember, NeighborProtocol, PortFacts, TablesWalked};
use crate::model::{Condition, Device, Origin, PortTable};
use crate::state::{Care, DeviceView, HostView};

const AT: Timestamp = Timestamp::from_secs(1_800_000_000);

fn mac(last: u8) -> Mac {
    [2, 0, 0, 0, 0, last]
}

fn neighbor(name: &str, port: &str, forwards: Option<bool>) -> Neighbor {
    Neighbor {
        protocol: NeighborProtocol::Lldp,
        name: name.into(),
        port: port.into(),
        port_description: Untrusted::default(),
        platform: Untrusted::default(),
        chassis_mac: None,
        addresses: Vec::new(),
        forwards,
        half_duplex: None,
    }
}

#[derive(Default)]
struct Network {
    snapshot: Snapshot,
}

impl Network {
    fn host(mut self, name: &str, address: &str) -> Self {
        let host = Arc::new(Host::new(name, Some(address), Origin::Config));
        self.snapshot.hosts.push(Arc::new(HostView {
            host,
            condition: Condition::Ok,
            since: AT,
            reason: Untrusted::default(),
            checks: Vec::new(),
            last_seen: None,
            stale: false,
            behind: None,
            trail: Arc::from([]),
            care: Care::default(),
        }));
        self
    }

    /// A switch hears `(mac, port)`, and has these neighbors by port.
    fn switch(mut self, name: &str, heard: &[(u8, u32)], neighbors: Vec<(u32, Neighbor)>) -> Self {
        self = self.host(name, "192.0.2.1");
        let mut entries: Vec<ForwardingEntry> =
            heard.iter().map(|(last, port)| ForwardingEntry { mac: mac(*last), vlan: Some(10), port: *port }).collect();
        entries.sort_unstable();
        let mut equipment = Equipment {
            forwarding: entries.into(),
            walked: vec![TablesWalked { group: "forwarding".into(), at: AT, rows: 1, incomplete: None }],
            ..Equipment::default()
        };
        for (port, neighbor) in neighbors {
            equipment.port_mut(port).neighbors.push(neighbor);
        }
        self.add(name, equipment);
        self
    }

    fn add(&mut self, name: &str, equipment: Equipment) {
        let table = PortTable {
            collected_at: AT,
            device: Device { name: format!("{name}.example.net").into(), ..Device::default() },
            complete: true,
            equipment: Arc::new(equipment),
            ..PortTable::default()
        };
        self.snapshot.devices.push(Arc::new(DeviceView {
            host: Arc::new(Host::new(name, None, Origin::Config)),
            table: Arc::new(table),
            ports: Vec::new(),
            up: 0,
            condition: Condition::Ok,
            stale: false,
            rebooted: false,
            events: Arc::default(),
            absent: Arc::default(),
            missing: None,
            findings: Arc::default(),
            counted_from: None,
        }));
    }

    fn router(mut self, name: &str, arp: &[(&str, u8)]) -> Self {
        self = self.host(name, "192.0.2.254");
        let mut entries: Vec<ArpEntry> = arp
            .iter()
            .map(|(address, last)| ArpEntry {
                address: address.parse().expect("an address"),
                mac: mac(*last),
                port: Some(1),
            })
            .collect();
        entries.sort_unstable();
        let equipment = Equipment {
            arp: entries.into(),
            walked: vec![TablesWalked { group: "arp".into(), at: AT, rows: 1, incomplete: None }],
            ..Equipment::default()
        };
        self.add(name, equipment);
        self
    }

    fn lookup(&self) -> Lookup {
        let mut lookup = Lookup::default();
        lookup.refresh(&self.snapshot);
        lookup
    }

    fn attachments(&self, name: &str) -> Vec<Attachment> {
        let host = self.snapshot.host(&AssetId::new(name)).expect("a host");
        self.lookup().attachments(&self.snapshot, host)
    }
}

/// Two access switches under a core; db01 hangs on acc1, and every switch has learned it.
fn campus() -> Network {
    Network::default()
        .host("db01", "10.0.0.5")
        .host("web01", "10.0.0.6")
        .switch(
            "core",
            &[(5, 1), (6, 2), (7, 1), (8, 1)],
            vec![(1, neighbor("acc1", "Te1/1/1", Some(true))), (2, neighbor("ACC2.example.net", "Te1/1/1", None))],
        )
        .switch("acc1", &[(5, 3), (7, 4), (8, 4), (6, 49)], vec![(49, neighbor("core", "Te1/1", Some(true)))])
        .switch("acc2", &[(5, 49), (6, 7), (7, 49), (8, 49)], vec![(49, neighbor("core", "Te1/2", Some(true)))])
        .router("rt1", &[("10.0.0.5", 5), ("10.0.0.6", 6), ("fe80::5", 5)])
}

#[test]
fn the_access_port_comes_before_uplinks_that_learned_the_address_too() {
    let found = campus().attachments("db01");
    let places: Vec<(&str, u32, bool)> = found.iter().map(|a| (a.device.as_str(), a.port, a.shared)).collect();
    assert_eq!(places, [("acc1", 3, false), ("core", 1, true), ("acc2", 49, true)]);
    assert_eq!((found[0].mac, found[0].vlan, found[0].at), (Some(mac(5)), Some(10), Some(AT)));
    // A neighbor without a word about forwarding is known as a walked device by its name.
    let web = campus().attachments("web01");
    assert_eq!((web[0].device.as_str(), web[0].port), ("acc2", 7));
    assert!(web[1..].iter().all(|a| a.shared));
}

#[test]
fn a_station_that_is_heard_through_uplinks_only_is_said_to_be_beyond_them() {
    let mut network = campus();
    network.snapshot.devices.retain(|d| d.host.id.as_str() != "acc1");
    let found = network.attachments("db01");
    assert!(found.iter().all(|a| a.shared), "{found:?}");
}

#[test]
fn what_the_two_told_each_other_counts_before_what_was_heard() {
    let found = campus().attachments("acc1");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].device.as_str(), found[0].port), ("core", 1));
    assert_eq!(found[0].how, How::Neighbor(NeighborProtocol::Lldp));
}

#[test]
fn nothing_is_said_of_an_address_that_nobody_knows() {
    let network = campus().host("new", "10.0.0.99").host("named", "named.example.net");
    assert!(network.attachments("new").is_empty());
    assert!(network.attachments("named").is_empty());
}

#[test]
fn two_hosts_of_one_address_are_not_told_apart_by_guess() {
    let network = campus().host("twin", "10.0.0.5");
    assert_eq!(network.lookup().host_at("10.0.0.5".parse().expect("an address")), None);
}

#[test]
fn a_name_that_two_devices_claim_is_nobodys() {
    let mut network = campus();
    for id in ["x1", "x2"] {
        network.add(id, Equipment::default());
        let view = network.snapshot.devices.last_mut().expect("just added");
        let table = Arc::make_mut(&mut Arc::make_mut(view).table);
        table.device.name = "switch".into();
    }
    assert_eq!(network.lookup().neighbor_host(&neighbor("switch", "1", None)), None);
    let known = network.lookup().neighbor_host(&neighbor("Acc1.other.domain", "1", None));
    assert_eq!(known, Some(AssetId::new("acc1")));
    let lookup = network.lookup();
    let by_lldp = neighbor("acc1(SSI183706KP)", "1", None);
    assert_eq!(lookup.neighbor_host(&by_lldp), None, "brackets mean nothing elsewhere");
    for id in ["acc1(SSI183706KP)", "ACC1.example.net(SSI183706KP)", "TBA04251336(Acc1)"] {
        let by_cdp = Neighbor { protocol: NeighborProtocol::Cdp, ..neighbor(id, "1", None) };
        assert_eq!(lookup.neighbor_host(&by_cdp), Some(AssetId::new("acc1")), "{id}");
    }
}

#[test]
fn stations_of_an_aggregate_stand_on_its_members_and_its_neighbors_count() {
    let mut equipment = Equipment {
        forwarding: [ForwardingEntry { mac: mac(5), vlan: None, port: 1000 }].into(),
        ..Equipment::default()
    };
    *equipment.port_mut(49) = PortFacts {
        index: 49,
        lag: Some(LagMember { aggregate: 1000, bundled: Some(true) }),
        neighbors: vec![neighbor("core", "1", Some(true))],
        ..PortFacts::default()
    };
    let mut network = Network::default();
    network.add("sw", equipment);
    let lookup = network.lookup();
    let id = AssetId::new("sw");
    assert_eq!(lookup.station_count(&id, 49), Some(1));
    assert!(lookup.sightings(mac(5))[0].shared);
    assert_eq!(lookup.beyond(&id, 1000)[0].name, "core".into());
}

#[test]
fn beyond_a_port_stand_neighbors_then_hosts_of_the_inventory_then_the_rest() {
    let network = campus();
    let lookup = network.lookup();
    let acc1 = AssetId::new("acc1");
    let on = |port| lookup.beyond(&acc1, port);
    assert_eq!((on(3)[0].host.as_ref().map(AssetId::as_str), on(3)[0].addresses.len()), (Some("db01"), 2));
    assert_eq!(on(49)[0].host.as_ref().map(AssetId::as_str), Some("core"));
    assert_eq!(on(4).len(), 2);
    assert!(on(5).is_empty());
    assert_eq!((lookup.station_count(&acc1, 5), lookup.station_count(&AssetId::new("rt1"), 1)), (Some(0), None));
}

#[test]
fn only_a_device_that_was_walked_again_is_indexed_again() {
    let mut network = campus();
    let mut lookup = network.lookup();
    let before = lookup.equipment(&AssetId::new("acc2")).cloned().expect("known");
    let acc1 = network.snapshot.devices.iter_mut().find(|d| d.host.id.as_str() == "acc1").expect("there");
    let table = Arc::make_mut(&mut Arc::make_mut(acc1).table);
    table.collected_at = AT.plus(Duration::from_secs(60));
    table.equipment = Arc::new(Equipment::default());
    lookup.refresh(&network.snapshot);
    assert!(lookup.sightings(mac(5)).iter().all(|s| s.device.as_str() != "acc1"));
    assert!(Arc::ptr_eq(&before, lookup.equipment(&AssetId::new("acc2")).expect("known")));
    network.snapshot.devices.clear();
    lookup.refresh(&network.snapshot);
    assert!(lookup.sightings(mac(5)).is_empty() && lookup.equipment(&AssetId::new("acc2")).is_none());
}

#[test]
fn the_port_that_a_neighbor_names_is_found_by_name_description_alias_or_address() {
    let mut network = campus();
    let view = Arc::make_mut(&mut network.snapshot.devices[0]);
    let table = Arc::make_mut(&mut view.table);
    table.ports = vec![port(1, "Gi1/0/1", "GigabitEthernet1/0/1", "desk", 1), port(2, "Gi1/0/2", "x", "uplink", 2)];
    for (words, row) in [
        ("gi1/0/2", Some(1)),
        ("GigabitEthernet1/0/1", Some(0)),
        ("uplink", Some(1)),
        ("02:00:00:00:00:01", Some(0)),
        ("Gi1/0/3", None),
        ("", None),
    ] {
        assert_eq!(port_called(view, &words.into()), row, "{words}");
    }
}

fn port(index: u32, name: &str, description: &str, alias: &str, last: u8) -> crate::model::Port {
    crate::model::Port {
        index,
        name: name.into(),
        description: description.into(),
        alias: alias.into(),
        mac: Some(mac(last)),
        ..crate::model::Port::default()
    }
}
