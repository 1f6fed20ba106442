//! Devices as they were recorded, read by their profiles: every value is compared with the recording's own.

mod appliances;
mod makers;
mod named;
mod pieces;
mod power;
mod vendors;

use super::recorded::{Owned, Recording};
use crate::model::device::{Sensor, SensorClass, SensorStatus};
use crate::model::{IfOper, Port, PortTable};
use crate::profile::Profiles;

const SYSTEM: &str = "1.3.6.1.2.1.1";
const INTERFACES: &str = "1.3.6.1.2.1.2.2.1";

fn look(name: &str, roots: &[&str]) -> (Recording, PortTable) {
    let mut all = vec![SYSTEM, INTERFACES];
    all.extend(roots);
    let recording = Recording::load(name, &all);
    let table = recording.look(&Profiles::shipped());
    (recording, table)
}

/// Vendor, system, model, version, serial number.
fn is(table: &PortTable) -> [String; 5] {
    let device = &table.device;
    let word = |word: &Option<std::sync::Arc<str>>| word.as_deref().unwrap_or_default().to_owned();
    [word(&device.vendor), word(&device.os), device.model.line(), device.version.line(), device.serial.line()]
}

fn sensors(table: &PortTable, class: SensorClass) -> Vec<&Sensor> {
    table.equipment.sensors.iter().filter(|sensor| sensor.class == class).collect()
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-6,
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Every row of a column has its sensor, by name, with this value and state.
fn compare_sensors(
    recording: &Recording,
    table: &PortTable,
    class: SensorClass,
    names: &str,
    value: impl Fn(&str) -> Option<f64>,
    status: impl Fn(&str) -> Option<SensorStatus>,
) {
    let found = sensors(table, class);
    let rows = recording.column(names);
    assert!(!rows.is_empty(), "{names} has no rows");
    for (row, _) in rows {
        let Some(status) = status(&row) else { continue };
        let name = recording.text(&format!("{names}.{row}"));
        let matches = |s: &&&Sensor| s.name.line() == name && close(s.value, value(&row)) && s.status == status;
        assert!(found.iter().any(|s| matches(&s)), "{names}.{row} ({name}, {:?}) is not in {found:#?}", value(&row));
    }
}

const ENVMON: &str = "1.3.6.1.4.1.9.9.13.1";
const POOLS: &str = "1.3.6.1.4.1.9.9.48.1.1.1";
const CISCO_CPU: &str = "1.3.6.1.4.1.9.9.109.1.1.1.1";
const STACK: &str = "1.3.6.1.4.1.9.9.500.1.2.1.1";

fn cisco(name: &str) -> (Recording, PortTable) {
    look(name, &[ENVMON, POOLS, CISCO_CPU, STACK, "1.3.6.1.4.1.9.3.6"])
}

/// CISCO-ENVMON-MIB's states; `None` for what is not there.
fn state(recording: &Recording, column: &str, row: &str) -> Option<SensorStatus> {
    match recording.number(&format!("{ENVMON}.{column}.{row}"))? {
        1.0 => Some(SensorStatus::Ok),
        2.0 => Some(SensorStatus::Warning),
        3.0 | 4.0 => Some(SensorStatus::Critical),
        _ => None,
    }
}

#[test]
fn temperatures_and_fans_of_cisco_are_read_as_recorded() {
    for name in ["network_switch_cisco-c3560", "network_appliance_cisco-unknown-01"] {
        let (recording, table) = cisco(name);
        let value = |row: &str| recording.number(&format!("{ENVMON}.3.1.3.{row}"));
        let status = |row: &str| state(&recording, "3.1.6", row);
        compare_sensors(&recording, &table, SensorClass::Temperature, &format!("{ENVMON}.3.1.2"), value, status);
        let status = |row: &str| state(&recording, "4.1.3", row);
        compare_sensors(&recording, &table, SensorClass::State, &format!("{ENVMON}.4.1.2"), |_| None, status);
    }
}

#[test]
fn a_cisco_stack_is_read_as_recorded() {
    let (recording, table) = cisco("network_switch_cisco-c3750");
    let serial = recording.text("1.3.6.1.4.1.9.3.6.3.0");
    assert_eq!(is(&table), ["Cisco", "ios", "C3750", "12.2(50)SE5", &serial].map(str::to_owned));
    assert_eq!(table.device.profile.as_deref(), Some("cisco/ios"));
    let processors: Vec<f64> = table.equipment.processors.iter().map(|p| p.percent).collect();
    let column = format!("{CISCO_CPU}.8");
    let rows = recording.column(&column);
    let recorded: Vec<f64> = rows.iter().filter_map(|(row, _)| recording.number(&format!("{column}.{row}"))).collect();
    assert_eq!(processors, recorded);
    for (row, name) in recording.column(&format!("{POOLS}.2")) {
        let Owned::Octets(name) = name else { panic!("a name") };
        let number = |column: u32| recording.number(&format!("{POOLS}.{column}.{row}")).expect("a number");
        let pool = table.equipment.memory.iter().find(|p| p.name.as_bytes() == &name[..]).expect("the pool");
        assert_eq!(pool.used_bytes, Some(number(5) as u64));
        assert_eq!(pool.total_bytes, Some((number(5) + number(6)) as u64));
    }
    let members = recording.column(&format!("{STACK}.6"));
    let is_member = |s: &&&Sensor| s.name.line().starts_with("stack member");
    let stack = sensors(&table, SensorClass::State).iter().filter(is_member).count();
    let provisioned = members.iter().filter(|(_, state)| **state == Owned::Integer(9)).count();
    assert_eq!(stack, members.len() - provisioned);
}

#[test]
fn a_juniper_router_is_read_as_recorded() {
    let operating = "1.3.6.1.4.1.2636.3.1.13.1";
    let dom = "1.3.6.1.4.1.2636.3.60.1.1.1.1";
    let (recording, table) = look("network_router_juniper-mx960-12-3r6-6", &["1.3.6.1.4.1.2636.3"]);
    let serial = recording.text("1.3.6.1.4.1.2636.3.1.3.0");
    assert_eq!(is(&table), ["Juniper", "junos", "MX960", "12.3R6.6", &serial].map(str::to_owned));
    let busy = |row: &str| recording.number(&format!("{operating}.8.{row}")).filter(|percent| *percent > 0.0);
    let recorded: Vec<(String, f64)> = recording
        .column(&format!("{operating}.5"))
        .iter()
        .filter_map(|(row, _)| Some((recording.text(&format!("{operating}.5.{row}")), busy(row)?)))
        .collect();
    let read: Vec<(String, f64)> = table.equipment.processors.iter().map(|p| (p.name.line(), p.percent)).collect();
    assert_eq!(read, recorded);
    compare_sensors(
        &recording,
        &table,
        SensorClass::Temperature,
        &format!("{operating}.5"),
        |row| recording.number(&format!("{operating}.7.{row}")),
        |row| recording.number(&format!("{operating}.7.{row}")).filter(|t| *t > 0.0).map(|_| SensorStatus::Unknown),
    );
    assert!(!table.equipment.optics.is_empty());
    for optics in &table.equipment.optics {
        let row = optics.port.expect("by ifIndex");
        let number = |column: u32, scale: f64| recording.number(&format!("{dom}.{column}.{row}")).map(|n| n * scale);
        assert!(close(optics.rx_dbm, number(5, 0.01)), "{optics:?}");
        assert!(close(optics.tx_dbm, number(7, 0.01)), "{optics:?}");
        assert!(close(optics.bias_ma, number(6, 0.001)), "{optics:?}");
        assert!(close(optics.temperature_c, number(8, 1.0)), "{optics:?}");
    }
    for (row, rx) in recording.column(&format!("{dom}.5")) {
        let is_there = table.equipment.optics.iter().any(|o| o.port.map(|p| p.to_string()).as_ref() == Some(&row));
        let blank = *rx == Owned::Integer(0) && recording.number(&format!("{dom}.6.{row}")) == Some(0.0);
        assert!(is_there || blank, "{row}");
    }
}

/// The recordings' own sysObjectID and sysDescr against what the profiles make of them. Every text must stand in sysDescr,
/// so that nothing is made up.
#[test]
fn every_recorded_device_is_known_for_what_it_is() {
    let expected = include_str!("../../../tests/fixtures/profiles/recorded.txt");
    let mut expected: Vec<&str> = expected.lines().filter(|line| !line.starts_with('#')).collect();
    expected.sort_unstable();
    let mut found = Vec::new();
    for (name, recording) in super::recorded::systems() {
        let table = recording.look(&Profiles::shipped());
        let profile = table.device.profile.as_deref().unwrap_or_default();
        if profile.is_empty() || profile == "generic/any" {
            continue;
        }
        let [vendor, os, model, version, serial] = is(&table);
        let description = table.device.description.line();
        for text in [&model, &version, &serial] {
            let all = text.split(' ').all(|word| description.contains(word));
            assert!(all, "{name}: \"{text}\" is not in \"{description}\"");
        }
        found.push([&name, profile, &vendor, &os, &model, &version, &serial].join("|"));
    }
    found.sort_unstable();
    for (one, other) in found.iter().zip(&expected) {
        assert_eq!(one, other);
    }
    assert_eq!(found.len(), expected.len());
}

/// The column's values, scaled, without placeholders, in order of size.
fn recorded(recording: &Recording, column: &str, scale: f64, ignore: &[f64]) -> Vec<f64> {
    let rows = recording.column(column);
    let number = |value: &Owned| match value {
        Owned::Integer(number) => Some(*number as f64),
        Owned::Unsigned(number) => Some(f64::from(*number)),
        Owned::Counter64(number) => Some(*number as f64),
        Owned::Octets(octets) => String::from_utf8_lossy(octets).split_whitespace().next()?.parse().ok(),
        Owned::Oid(_) | Owned::IpAddress(_) | Owned::Null => None,
    };
    let mut all: Vec<f64> = rows
        .into_iter()
        .filter_map(|(_, value)| number(value))
        .filter(|raw| !ignore.contains(raw))
        .map(|raw| raw * scale)
        .collect();
    assert!(!all.is_empty(), "{column} is not recorded");
    all.sort_by(f64::total_cmp);
    all
}

fn in_order(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut all: Vec<f64> = values.collect();
    all.sort_by(f64::total_cmp);
    all
}

fn assert_same(what: &str, read: &[f64], recorded: &[f64]) {
    let same = read.len() == recorded.len() && read.iter().zip(recorded).all(|(a, b)| (a - b).abs() < 1e-3);
    assert!(same, "{what}: read {read:?}, recorded {recorded:?}");
}

#[test]
fn sensors_have_the_recorded_values() {
    let powernet = "1.3.6.1.4.1.318.1.1.26";
    let cases: &[(&str, SensorClass, &str, f64, &[f64])] = &[
        ("network_switch_brocade-icx6430-24", SensorClass::Temperature, "1.3.6.1.4.1.1991.1.1.2.13.1.1.4", 0.5, &[0.0]),
        ("network_switch_huawei-s12704", SensorClass::Temperature, "1.3.6.1.4.1.2011.5.25.31.1.1.1.1.11", 1.0, &[0.0]),
        ("network_router_huawei-s5720", SensorClass::Temperature, "1.3.6.1.4.1.2011.5.25.31.1.1.1.1.11", 1.0, &[0.0]),
        (
            "network_switch_h3c-comware-7-1-075",
            SensorClass::Temperature,
            "1.3.6.1.4.1.25506.2.6.1.1.1.1.12",
            1.0,
            &[0.0, 65535.0],
        ),
        ("network_switch_dlink-des3200", SensorClass::Temperature, "1.3.6.1.4.1.171.12.11.1.8.1.2", 1.0, &[]),
        ("UPS_apc-8641", SensorClass::Power, "1.3.6.1.4.1.318.1.1.26.4.3.1.5", 10.0, &[]),
        ("UPS_apc-8932", SensorClass::Voltage, "1.3.6.1.4.1.318.1.1.26.6.3.1.6", 1.0, &[-1.0]),
        ("UPS_eaton-93e-80", SensorClass::Voltage, "1.3.6.1.4.1.705.1.7.2.1.2", 0.1, &[]),
        ("UPS_eaton-93e-80", SensorClass::Current, "1.3.6.1.4.1.705.1.7.2.1.5", 0.1, &[]),
        ("network_wifi_aruba-7210", SensorClass::Temperature, "1.3.6.1.4.1.14823.2.2.1.2.1.10", 1.0, &[]),
        ("network_appliance_cisco-controller", SensorClass::Temperature, "1.3.6.1.4.1.14179.2.3.1.13", 1.0, &[]),
    ];
    for (name, class, column, scale, ignore) in cases {
        let root = column.rsplit_once('.').map_or(*column, |(root, _)| root);
        let (recording, table) = look(name, &[root, powernet]);
        let read = in_order(sensors(&table, *class).iter().filter_map(|sensor| sensor.value));
        assert_same(&format!("{name} {class:?}"), &read, &recorded(&recording, column, *scale, ignore));
    }
}

#[test]
fn processors_have_the_recorded_loads() {
    let cases: &[(&str, &str)] = &[
        ("network_wifi_aruba-7210", "1.3.6.1.4.1.14823.2.2.1.2.1.13.1.3"),
        ("network_switch_cisco-n5000", "1.3.6.1.4.1.9.9.109.1.1.1.1.8"),
        ("network_firewall_fortinet-xcu", "1.3.6.1.4.1.12356.101.4.1.3"),
        ("network_firewall_paloalto-pa-5000", "1.3.6.1.2.1.25.3.3.1.2"),
        ("network_switch_hpe-procurve-516733-b21", "1.3.6.1.4.1.11.2.14.11.5.1.9.6.1"),
        ("network_switch_ruijie-s5750-24gt12sfp", "1.3.6.1.4.1.4881.1.1.10.2.36.1.1.2"),
        ("network_switch_brocade-icx6430-24", "1.3.6.1.4.1.1991.1.1.2.1.52"),
        ("network_appliance_cisco-controller", "1.3.6.1.4.1.14179.1.1.5.1"),
        ("storage_netapp-fas3270", "1.3.6.1.4.1.789.1.2.1.3"),
    ];
    for (name, column) in cases {
        let (recording, table) = look(name, &[column, "1.3.6.1.2.1.25.3.3"]);
        let read = in_order(table.equipment.processors.iter().map(|p| p.percent));
        assert_same(name, &read, &recorded(&recording, column, 1.0, &[]));
    }
}

#[test]
fn memory_and_storage_have_the_recorded_sizes() {
    let netapp = "1.3.6.1.4.1.789.1.5.4.1";
    let (recording, table) = look("storage_netapp-fas3270", &[netapp]);
    let sizes = |pools: &[crate::model::device::Pool], size: fn(&crate::model::device::Pool) -> Option<u64>| {
        in_order(pools.iter().filter_map(size).map(|bytes| bytes as f64))
    };
    let total = recorded(&recording, &format!("{netapp}.29"), 1024.0, &[0.0]);
    assert_same("volumes", &sizes(&table.equipment.storage, |p| p.total_bytes), &total);

    let (recording, table) = look("network_wifi_aruba-7210", &["1.3.6.1.4.1.14823.2.2.1.2.1"]);
    let used = recorded(&recording, "1.3.6.1.4.1.14823.2.2.1.2.1.15.1.3", 1024.0, &[]);
    assert_same("used", &sizes(&table.equipment.memory, |p| p.used_bytes), &used);
    let flash = recorded(&recording, "1.3.6.1.4.1.14823.2.2.1.2.1.14.1.3", 1_048_576.0, &[]);
    assert_same("flash", &sizes(&table.equipment.storage, |p| p.total_bytes), &flash);

    let (recording, table) = look("network_switch_cisco-n5000", &["1.3.6.1.4.1.9.9.109.1.1"]);
    let column = |n: u32| recorded(&recording, &format!("1.3.6.1.4.1.9.9.109.1.1.1.1.{n}"), 1024.0, &[])[0];
    assert_eq!(table.equipment.memory.len(), 1);
    assert_same("used", &sizes(&table.equipment.memory, |p| p.used_bytes), &[column(12)]);
    assert_same("total", &sizes(&table.equipment.memory, |p| p.total_bytes), &[column(12) + column(13)]);
}

#[test]
fn light_levels_are_those_recorded() {
    let h3c = "1.3.6.1.4.1.25506.2.70.1.1.1";
    let (recording, table) = look("network_switch_h3c-comware-7-1-075", &[h3c]);
    let nothing = [2_147_483_647.0];
    let optics = &table.equipment.optics;
    assert_same(
        "tx",
        &in_order(optics.iter().filter_map(|o| o.tx_dbm)),
        &recorded(&recording, &format!("{h3c}.9"), 0.01, &nothing),
    );
    assert_same(
        "rx",
        &in_order(optics.iter().filter_map(|o| o.rx_dbm)),
        &recorded(&recording, &format!("{h3c}.12"), 0.01, &nothing),
    );
    for optics in optics {
        let port = optics.port.expect("by ifIndex");
        let rx = recording.number(&format!("{h3c}.12.{port}")).filter(|n| *n < 1e9).map(|n| n * 0.01);
        assert!(close(optics.rx_dbm, rx), "{optics:?}");
    }

    // Microwatts on this one; its rows are physical entities, which are ports by entAliasMappingIdentifier.
    let huawei = "1.3.6.1.4.1.2011.5.25.31.1.1.3.1";
    let (recording, table) = look("network_switch_huawei-s12704", &[huawei, "1.3.6.1.2.1.47.1.3.2"]);
    let microwatts = recorded(&recording, &format!("{huawei}.8"), 0.001, &[-1.0, 0.0, 2_147_483_647.0]);
    let dbm = in_order(microwatts.iter().map(|mw| 10.0 * mw.log10()));
    assert_same("rx", &in_order(table.equipment.optics.iter().filter_map(|o| o.rx_dbm)), &dbm);
    for optics in table.equipment.optics.iter().filter(|o| o.port.is_some()) {
        let entity = optics.name.line().replace("port ", "");
        let aliases = recording.column("1.3.6.1.2.1.47.1.3.2.1.2");
        let alias = aliases.iter().find(|(row, _)| row.starts_with(&format!("{entity}.")));
        let Some((_, Owned::Oid(alias))) = alias else { panic!("{entity} is no port") };
        assert_eq!(alias.as_raw().arcs().last(), optics.port);
    }
    assert!(table.equipment.optics.iter().any(|o| o.port.is_some()));

    let fabric = "1.3.6.1.4.1.1588.2.1.1.1.28.1.1";
    let (recording, table) = look("network_switch_brocade-ds-5100b", &[fabric]);
    let rx = in_order(table.equipment.optics.iter().filter_map(|o| o.rx_dbm));
    assert_same("rx", &rx, &recorded(&recording, &format!("{fabric}.4"), 1.0, &[]));
}

#[test]
fn ports_can_do_what_their_transceivers_are_recorded_to_do() {
    let (_, table) = look("cloud_arista-dcs-7150s-52-cl", &["1.3.6.1.2.1.26", "1.3.6.1.2.1.31.1.1.1"]);
    let can = |bps: u64| table.equipment.ports.iter().filter(|facts| facts.capable_bps == Some(bps)).count();
    assert_eq!((can(1_000_000_000), can(10_000_000_000)), (29, 9));
    // One of them has a link of 100 Mbit/s.
    let is_slower = |port: &&Port| {
        let could = table.facts(port).and_then(|facts| facts.capable_bps);
        port.oper == Some(IfOper::Up) && could.is_some_and(|could| port.speed_bps.is_some_and(|now| now < could))
    };
    let slower: Vec<(u32, Option<u64>)> =
        table.ports.iter().filter(is_slower).map(|p| (p.index, p.speed_bps)).collect();
    assert_eq!(slower, [(25, Some(100_000_000))]);
}

#[test]
fn stations_are_known_to_an_agent_that_only_numbers_them() {
    let (recording, table) = look("network_firewall_venus-vsos-v0600r0705b20180507", &["1.3.6.1.2.1.4.22"]);
    assert_eq!(recording.column("1.3.6.1.2.1.4.22.1.2").len(), table.equipment.arp.len());
    assert_eq!(table.equipment.arp.len(), 6);
}

#[test]
fn firewalls_tell_their_sessions_and_their_role() {
    let (recording, table) = look("network_firewall_paloalto-pa-5000", &["1.3.6.1.4.1.25461.2.1.2"]);
    let firewall = table.equipment.firewall.as_ref().expect("a firewall");
    let number = |oid: &str| recording.number(oid).map(|n| n as u64);
    assert_eq!(firewall.sessions, number("1.3.6.1.4.1.25461.2.1.2.3.3.0"));
    assert_eq!(firewall.session_limit, number("1.3.6.1.4.1.25461.2.1.2.3.2.0"));
    assert_eq!(firewall.ha.as_ref().map(|ha| &*ha.role), Some("disabled"));
    let serial = recording.text("1.3.6.1.4.1.25461.2.1.2.1.3.0");
    let version = recording.text("1.3.6.1.4.1.25461.2.1.2.1.1.0");
    assert_eq!(is(&table), ["Palo Alto Networks", "panos", "PA-5000", &version, &serial].map(str::to_owned));

    let (recording, table) = look("network_firewall_fortinet-xcu", &["1.3.6.1.4.1.12356"]);
    let firewall = table.equipment.firewall.as_ref().expect("a firewall");
    assert_eq!(firewall.sessions, recording.number("1.3.6.1.4.1.12356.101.4.1.8.0").map(|n| n as u64));
    assert_eq!(firewall.ha.as_ref().map(|ha| (&*ha.role, ha.healthy)), Some(("primary", Some(true))));
    let sensor = |name: &str| table.equipment.sensors.iter().find(|s| s.name.line() == name).expect("a sensor");
    assert_eq!((sensor("DTS CPU0").class, sensor("DTS CPU0").value), (SensorClass::Temperature, Some(53.0)));
    assert_eq!((sensor("PS1 Fan 1").class, sensor("PS1 Fan 1").value), (SensorClass::Fan, Some(4480.0)));
    assert_eq!((sensor("VCC2.5V").class, sensor("VCC2.5V").value), (SensorClass::Voltage, Some(2.5169)));
    assert_eq!((sensor("PS2 Status").class, sensor("PS2 Status").value), (SensorClass::State, None));
}

#[test]
fn an_asa_tells_the_connections_in_use_and_a_failover_that_is_off_is_no_fault() {
    const STATUS: &str = "1.3.6.1.4.1.9.9.147.1.2.1.1.1";
    let asa = |rows: &[(&str, &str, &str)]| {
        let mut cells = vec![
            ("1.3.6.1.2.1.1.1.0", "4", "Cisco Adaptive Security Appliance Version 9.16(4)"),
            ("1.3.6.1.2.1.1.2.0", "6", "1.3.6.1.4.1.9.1.2115"),
            ("1.3.6.1.2.1.1.3.0", "67", "100000"),
            ("1.3.6.1.2.1.2.2.1.1.1", "2", "1"),
            ("1.3.6.1.2.1.2.2.1.2.1", "4", "outside"),
            ("1.3.6.1.2.1.2.2.1.3.1", "2", "6"),
            ("1.3.6.1.2.1.2.2.1.7.1", "2", "1"),
            ("1.3.6.1.2.1.2.2.1.8.1", "2", "1"),
            ("1.3.6.1.4.1.9.9.147.1.2.2.2.1.5.40.6", "66", "1200"),
            ("1.3.6.1.4.1.9.9.147.1.2.2.2.1.5.40.7", "66", "50000"),
        ];
        cells.extend(rows);
        Recording::of(&cells).look(&Profiles::shipped())
    };
    let row = |column: u8, unit: u8| format!("{STATUS}.{column}.{unit}");
    let names = [row(2, 4), row(2, 6), row(2, 7), row(3, 4), row(3, 6), row(3, 7), row(4, 4), row(4, 6), row(4, 7)];
    let said = |values: [&'static str; 9]| {
        let tags = ["4", "4", "4", "2", "2", "2", "4", "4", "4"];
        asa(&names
            .iter()
            .zip(tags)
            .zip(values)
            .map(|((name, tag), value)| (name.as_str(), tag, value))
            .collect::<Vec<_>>())
    };
    let (lan, primary, secondary) = ("Failover LAN Interface", "Primary unit (this device)", "Secondary unit");
    let alone = said([lan, primary, secondary, "3", "3", "3", "not Configured", "Failover Off", "Failover Off"]);
    let firewall = alone.equipment.firewall.as_ref().expect("a firewall");
    assert_eq!(firewall.sessions, Some(1_200));
    assert_eq!(sensors(&alone, SensorClass::State).len(), 0, "{:?}", alone.equipment.sensors);
    let pair = said([lan, primary, secondary, "2", "9", "4", "LAN", "Active unit", "Failed unit"]);
    let states: Vec<(String, _)> =
        sensors(&pair, SensorClass::State).iter().map(|s| (s.name.line(), s.status)).collect();
    assert_eq!(states.len(), 3, "{states:?}");
    assert_eq!(pair.equipment.firewall.as_ref().and_then(|f| f.ha.as_ref()).map(|ha| &*ha.role), Some("active"));
}

#[test]
fn supplies_tell_what_the_recording_tells() {
    use crate::model::device::PowerSource;
    let (recording, table) = look("UPS_eaton-93e-80", &["1.3.6.1.4.1.705", "1.3.6.1.2.1.33"]);
    let ups = table.equipment.ups.as_ref().expect("a UPS");
    // The maker's own 65535 seconds stand for "not known", so UPS-MIB's minutes count. The heaviest phase carries 21 %.
    let minutes = recording.number("1.3.6.1.2.1.33.1.2.3.0");
    assert!(minutes.is_some());
    assert_eq!((ups.source, ups.minutes_left), (Some(PowerSource::Mains), minutes));
    assert_eq!((ups.charge_percent, ups.load_percent), (Some(100.0), Some(21.0)));
    assert_eq!(is(&table), ["Eaton", "eaton-ups", "EATON 93E 80", "2.08.0011", "4K234LXX06"].map(str::to_owned));
}

#[test]
fn scalars_and_columns_name_the_device_where_its_description_does_not() {
    let cases: &[(&str, &[&str], [&str; 5])] = &[
        (
            "network_appliance_cisco-controller",
            &["1.3.6.1.4.1.14179.1.1.1"],
            ["Cisco", "aireos", "AIR-CT5508-K9", "7.6.130.0", "FCW1430L0CZ"],
        ),
        (
            "network_switch_brocade-icx6430-24",
            &["1.3.6.1.4.1.1991.1.1.1.1"],
            ["Brocade", "ironware", "ICX6430-24", "08.0.30tT311", "BZN3215N09A"],
        ),
        (
            "network_switch_brocade-ds-5100b",
            &["1.3.6.1.4.1.1588.2.1.1.1.1"],
            ["Brocade", "fabricos", "DS-5100B", "6.4.3d", "BRCALM2534F019"],
        ),
        (
            "storage_netapp-ontap-8-2-3",
            &["1.3.6.1.4.1.789.1.1"],
            ["NetApp", "ontap", "FAS3270", "8.2.3", "850000152375"],
        ),
        (
            "network_wifi_ubiquiti-m5",
            &["1.2.840.10036.3.1.2.1"],
            ["Ubiquiti", "airos", "NanoStation M5", "5.6-beta4", ""],
        ),
        (
            "network_switch_ruijie-s5750-24gt12sfp",
            &["1.3.6.1.4.1.4881.1.1.10.2.1.1"],
            ["Ruijie", "rgos", "S5750-24GT/12SFP", "10.4(3)p4", "9017EHC410215"],
        ),
        (
            "network_switch_hpe-procurve-516733-b21",
            &["1.3.6.1.4.1.11.2.36.1.1.2"],
            ["HPE", "procurve", "516733-B21 6120XG Blade Switch", "Z.14.31", "3C421900TX"],
        ),
        ("UPS_apc-8932", &["1.3.6.1.4.1.318.1.1.26.2"], ["APC", "apc-aos", "AP8932", "6.7.2", "3F503A169043"]),
    ];
    for (name, roots, expected) in cases {
        assert_eq!(is(&look(name, roots).1), expected.map(str::to_owned), "{name}");
    }
}
