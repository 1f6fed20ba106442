//! A network that says more of itself: two access switches under a core that routes, hosts on their ports, a UPS.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::fixture::{ago, device, host};
use crate::base::Untrusted;
use crate::model::device::{
    ArpEntry, BgpPeer, BgpState, Entity, EntityClass, Equipment, ErrDisabled, ForwardingEntry, LagMember, Limits,
    Neighbor, NeighborProtocol, Optics, OspfNeighbor, OspfState, Poe, PoeBudget, PoeStatus, Pool, PowerSource,
    Processor, Sensor, SensorClass, SensorStatus, SpanningTree, StpState, TablesWalked, TreeScope, Ups, Vlan,
};
use crate::model::{Condition, Duplex, Host, Origin};
use crate::state::snapshot::Totals;
use crate::state::{DeviceView, EngineView, PortState, Rates, Snapshot, Storage};

pub fn mac(last: u8) -> [u8; 6] {
    [2, 0, 0, 0, 0, last]
}

fn neighbor(name: &str, port: &str, address: [u8; 4]) -> Neighbor {
    Neighbor {
        platform: "Simulated switch, 52 ports".into(),
        addresses: vec![IpAddr::from(address)],
        forwards: Some(true),
        ..Neighbor::new(NeighborProtocol::Lldp, name, port)
    }
}

/// By row of the table and the last octet of the address.
fn heard(stations: &[(u32, u8)]) -> Arc<[ForwardingEntry]> {
    let mut out: Vec<ForwardingEntry> = stations
        .iter()
        .map(|(row, last)| ForwardingEntry { mac: mac(*last), vlan: Some(10), port: 10_101 + row })
        .collect();
    out.sort_unstable();
    out.into()
}

fn walked(groups: &[(&str, u32, u64)]) -> Vec<TablesWalked> {
    let one = |(group, rows, seconds): &(&str, u32, u64)| TablesWalked {
        group: (*group).into(),
        at: ago(*seconds),
        rows: *rows,
        incomplete: None,
    };
    groups.iter().map(one).collect()
}

fn ports(members: u32, access: u32) -> Vec<(String, PortState, Condition)> {
    let mut out = Vec::new();
    for member in 1..=members {
        for port in 1..=access {
            let state = match (member * 31 + port * 7) % 11 {
                3 => PortState::NoLink,
                8 if port > 12 => PortState::AdminDown,
                _ => PortState::Up,
            };
            out.push((format!("Gi{member}/0/{port}"), state, Condition::Ok));
        }
        out.extend((1..=4).map(|port| (format!("Te{member}/1/{port}"), PortState::Up, Condition::Ok)));
    }
    out
}

fn with(mut view: DeviceView, fill: impl FnOnce(&mut Equipment)) -> DeviceView {
    let table = Arc::make_mut(&mut view.table);
    let equipment = Arc::make_mut(&mut table.equipment);
    for port in &table.ports {
        let facts = equipment.port_mut(port.index);
        facts.vlan = Some(if port.index % 5 == 0 { 20 } else { 10 });
        facts.stp = Some(StpState::Forwarding);
    }
    equipment.vlans = vec![Vlan { id: 10, name: "clients".into() }, Vlan { id: 20, name: "voice".into() }];
    fill(equipment);
    view.findings = crate::state::rules::equipment::findings(equipment, table.collected_at, &[]).into();
    for (row, port) in view.ports.iter_mut().enumerate() {
        let bps = if port.state == PortState::Up { (row as f64 + 1.0) * 2.5e6 } else { 0.0 };
        port.rates = Rates::new([Some(bps), Some(bps / 9.0), Some(0.0), None, Some(0.0), None]);
    }
    view
}

/// A stack of two with a host on its seventh port, a disabled port, an aggregate to the core.
fn access() -> DeviceView {
    let mut list = ports(2, 24);
    list[20] = ("Gi1/0/21".to_owned(), PortState::ErrDisabled, Condition::Critical);
    list[10] = ("Gi1/0/11".to_owned(), PortState::Up, Condition::Warning);
    list.push(("Po1".to_owned(), PortState::Up, Condition::Ok));
    let mut view = with(device("acc-17", &list), |equipment| {
        equipment.forwarding = heard(&[(6, 7), (2, 30), (2, 31), (56, 90), (56, 91), (56, 92), (56, 8)]);
        for at in [24, 52] {
            let facts = equipment.port_mut(10_101 + at);
            facts.lag = Some(LagMember { aggregate: 10_157, bundled: Some(true) });
            facts.tagged = vec![10, 20, 30];
            facts.neighbors.push(neighbor("core-sw1.example.net", &format!("Te1/1/{}", at / 24), [10, 0, 0, 1]));
        }
        for (at, watts) in [(0, 6.4), (3, 12.9), (6, 3.2)] {
            let poe = Poe { status: PoeStatus::Delivering, watts: Some(watts), class: Some(3) };
            equipment.port_mut(10_101 + at).poe = Some(poe);
        }
        equipment.port_mut(10_105).poe = Some(Poe { status: PoeStatus::Denied, watts: None, class: None });
        equipment.port_mut(10_121).err_disabled =
            Some(ErrDisabled { cause: "bpduGuard".into(), recovers_in: Some(Duration::from_secs(240)) });
        equipment.optics.push(Optics {
            port: Some(10_125),
            name: Untrusted::default(),
            rx_dbm: Some(-4.2),
            tx_dbm: Some(-2.1),
            temperature_c: Some(38.0),
            bias_ma: None,
            status: SensorStatus::Ok,
        });
        equipment.poe.push(PoeBudget { group: 1, watts: Some(370.0), used_watts: Some(355.0), faulty: None });
        equipment.walked =
            walked(&[("forwarding", 7, 240), ("lldp", 2, 120), ("vlans", 2, 240), ("poe", 4, 40), ("optics", 1, 40)]);
    });
    let table = Arc::make_mut(&mut view.table);
    table.ports[10].duplex = Some(Duplex::Half);
    table.ports[56].if_type = Some(161);
    view.ports[10].reason = Some("half duplex".into());
    view.ports[20].reason = Some("bpduGuard".into());
    view
}

fn core() -> DeviceView {
    let view = device("core-sw1", &ports(1, 8));
    let mut view = with(view, |equipment| {
        let known = [7, 8, 30, 31];
        equipment.forwarding = heard(&known.map(|last| (8, last)));
        equipment.arp = known
            .iter()
            .map(|last| ArpEntry { address: IpAddr::from([10, 0, 0, *last]), mac: mac(*last), port: Some(10_101) })
            .collect();
        equipment.port_mut(10_109).neighbors.push(neighbor("acc-17", "Te1/1/1", [10, 0, 0, 17]));
        equipment.spanning_tree = Some(SpanningTree {
            root: [0x80, 0, 2, 0, 0, 0, 0, 1],
            is_root: Some(true),
            root_port: None,
            topology_changes: Some(12),
            since_topology_change: Some(Duration::from_secs(7_200)),
        });
        let tree = |priority: u8, root_port: Option<u32>| SpanningTree {
            root: [0x80, priority, 2, 0, 0, 0, 0, if root_port.is_some() { 9 } else { 1 }],
            is_root: Some(root_port.is_none()),
            root_port,
            topology_changes: None,
            since_topology_change: None,
        };
        equipment.trees = vec![
            (TreeScope::Vlan(10), tree(10, None)),
            (TreeScope::Vlan(20), tree(20, None)),
            (TreeScope::Vlan(30), tree(30, Some(10_101))),
            (TreeScope::Instance(2), tree(2, Some(10_101))),
        ];
        equipment.bgp = [("192.0.2.1", BgpState::Established), ("192.0.2.5", BgpState::Active)]
            .map(|(peer, state)| BgpPeer {
                peer: peer.parse().expect("an address"),
                remote_as: Some(64_500),
                state: Some(state),
                started: Some(true),
                in_state_for: Some(Duration::from_secs(86_400 * 12)),
                transitions: Some(3),
                last_error: Some([4, 0]),
                prefixes: Some(812),
                prefix_limit: Some(1_000),
            })
            .into();
        equipment.ospf.push(OspfNeighbor {
            neighbor: "10.0.0.2".parse().expect("an address"),
            interface: None,
            router_id: Some("10.255.0.2".parse().expect("an address")),
            state: Some(OspfState::Full),
            events: Some(6),
        });
        for (name, value, status) in [("inlet", 24.0, SensorStatus::Ok), ("CPU", 71.0, SensorStatus::Warning)] {
            equipment.sensors.push(Sensor {
                class: SensorClass::Temperature,
                name: name.into(),
                value: Some(value),
                unit: None,
                status,
                limits: Limits { high_warning: Some(70.0), ..Limits::default() },
            });
        }
        equipment.processors.push(Processor { name: "cpu 1".into(), percent: 12.0 });
        equipment.memory.push(Pool { name: "memory".into(), used_bytes: Some(3 << 30), total_bytes: Some(8 << 30) });
        equipment.entities = [
            (1, EntityClass::Chassis, "chassis", 0),
            (2, EntityClass::PowerSupply, "power supply A", 1),
            (3, EntityClass::Fan, "fan tray", 1),
        ]
        .map(|(index, class, name, inside)| Entity {
            index,
            class,
            name: name.into(),
            description: Untrusted::default(),
            model: format!("MODEL-{index}").into(),
            serial: format!("SER00{index}").into(),
            version: "7.1".into(),
            contained_in: inside,
            position: None,
        })
        .into();
        equipment.walked = walked(&[
            ("arp", 4, 300),
            ("forwarding", 4, 300),
            ("lldp", 1, 60),
            ("bgp", 2, 40),
            ("ospf", 1, 40),
            ("sensors", 2, 40),
            ("entity", 3, 600),
            ("host-resources", 2, 40),
            ("ups", 0, 600),
            ("poe", 0, 600),
        ]);
    });
    let table = Arc::make_mut(&mut view.table);
    table.device.vendor = Some("Cisco".into());
    table.device.os = Some("ios-xe".into());
    table.device.model = "C9500-24Y4C".into();
    table.device.version = "17.9.4".into();
    table.device.serial = "FDO2511A0B1".into();
    table.device.object_id = Some("1.3.6.1.4.1.9.1.2435".to_owned());
    table.device.uptime = Some(Duration::from_secs(86_400 * 120));
    view
}

fn ups() -> DeviceView {
    let view = device("ups-b", &[("eth0".to_owned(), PortState::Up, Condition::Ok)]);
    with(view, |equipment| {
        equipment.ups = Some(Ups {
            source: Some(PowerSource::Battery),
            on_battery_for: Some(Duration::from_secs(95)),
            minutes_left: Some(18.0),
            charge_percent: Some(83.0),
            load_percent: Some(41.0),
            battery: Some(SensorStatus::Ok),
            alarms: Some(1),
        });
        equipment.walked = walked(&[("ups", 1, 20)]);
    })
}

/// db07 hangs on acc-17 Gi1/0/7, web08 beyond its uplink; phone and its desk share Gi1/0/3.
pub fn campus() -> Arc<Snapshot> {
    let mut hosts = Vec::new();
    for (name, address) in [
        ("core-sw1", "10.0.0.1"),
        ("acc-17", "10.0.0.17"),
        ("ups-b", "10.0.0.40"),
        ("db07", "10.0.0.7"),
        ("web08", "10.0.0.8"),
        ("lost", "10.0.0.99"),
    ] {
        let mut view = host(name, Condition::Ok, "load 0.1, memory 12 %", 90_000);
        view.host = Arc::new(Host::new(name, Some(address), Origin::Config));
        hosts.push(Arc::new(view));
    }
    let devices: Vec<Arc<DeviceView>> = [core(), access(), ups()].into_iter().map(Arc::new).collect();
    Arc::new(Snapshot {
        revision: 9,
        at: super::NOW,
        totals: Totals {
            hosts: hosts.len(),
            hosts_ok: hosts.len(),
            devices: devices.len(),
            ports: devices.iter().map(|d| d.ports.len()).sum(),
            ports_up: devices.iter().map(|d| d.up).sum(),
            ..Totals::default()
        },
        hosts,
        devices,
        engine: EngineView { storage: Storage::Ready, ..EngineView::default() },
        ..Snapshot::default()
    })
}

/// A switch of so many ports in one line of names.
pub fn only(device: DeviceView) -> Arc<Snapshot> {
    let view = host(&device.host.name, Condition::Ok, "1 ms", 90_000);
    Arc::new(Snapshot {
        revision: 4,
        at: super::NOW,
        hosts: vec![Arc::new(view)],
        devices: vec![Arc::new(device)],
        engine: EngineView { storage: Storage::Ready, ..EngineView::default() },
        ..Snapshot::default()
    })
}

/// The same network, with `words` wherever a device may put words of its own.
pub fn saying(words: &str) -> Arc<Snapshot> {
    let mut snapshot = (*campus()).clone();
    for view in &mut snapshot.devices {
        let view = Arc::make_mut(view);
        let table = Arc::make_mut(&mut view.table);
        for text in [&mut table.device.model, &mut table.device.version, &mut table.device.serial] {
            *text = words.into();
        }
        table.device.vendor = Some(words.into());
        table.device.object_id = Some(words.to_owned());
        for (row, port) in table.ports.iter_mut().enumerate().filter(|(row, _)| row % 2 == 0) {
            port.name = format!("{words}{row}").into();
            port.description = words.into();
            port.alias = words.into();
        }
        let equipment = Arc::make_mut(&mut table.equipment);
        for facts in &mut equipment.ports {
            for neighbor in &mut facts.neighbors {
                neighbor.name = words.into();
                neighbor.port = words.into();
                neighbor.port_description = words.into();
                neighbor.platform = words.into();
            }
            if let Some(off) = &mut facts.err_disabled {
                off.cause = words.into();
            }
        }
        equipment.vlans.iter_mut().for_each(|v| v.name = words.into());
        equipment.sensors.iter_mut().for_each(|s| s.name = words.into());
        equipment.processors.iter_mut().for_each(|p| p.name = words.into());
        equipment.memory.iter_mut().for_each(|p| p.name = words.into());
        equipment.optics.iter_mut().for_each(|o| o.name = words.into());
        for walked in &mut equipment.walked {
            walked.group = words.into();
            walked.incomplete = Some(words.into());
        }
        let mut entities = equipment.entities.to_vec();
        for entity in &mut entities {
            entity.name = words.into();
            entity.model = words.into();
            entity.serial = words.into();
            entity.version = words.into();
        }
        equipment.entities = entities.into();
        table.warnings = vec![words.to_owned()];
    }
    Arc::new(snapshot)
}
