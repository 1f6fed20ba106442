//! Devices as they were recorded, read by their profiles: every value is compared with the recording's own.

use super::recorded::{Owned, Recording};
use crate::model::PortTable;
use crate::model::device::{Sensor, SensorClass, SensorStatus};
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
    for name in ["network/switch/cisco-c3560", "network/appliance/cisco-unknown-01"] {
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
    let (recording, table) = cisco("network/switch/cisco-c3750");
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
    let (recording, table) = look("network/router/juniper-mx960-12-3r6-6", &["1.3.6.1.4.1.2636.3"]);
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
