//! Firewalls, servers, stores, printers and supplies of more makers: what such a device says, by its MIB, and what it comes to.

use super::power::{named, of, says, values};
use super::vendors::loads;
use super::*;
use crate::model::device::PowerSource;

#[test]
fn firewalls_of_more_makers_tell_their_load_their_role_and_their_tunnels() {
    let table = says(
        "watchguard/fireware",
        "1.3.6.1.4.1.3097.1.5.50",
        &[("1.3.6.1.4.1.3097.6.3.77.0", "70", "1234"), ("1.3.6.1.4.1.3097.6.3.80.0", "70", "210")],
    );
    assert_eq!(loads(&table), named(&[("cpu", 12.34)]));
    assert_eq!(table.equipment.firewall.as_ref().and_then(|f| f.sessions), Some(210));
    let table = says(
        "cyberoam/cros",
        "1.3.6.1.4.1.21067.2",
        &[
            ("1.3.6.1.4.1.21067.2.1.2.2.1.0", "2", "7"),
            ("1.3.6.1.4.1.21067.2.1.2.4.1.0", "66", "2000"),
            ("1.3.6.1.4.1.21067.2.1.2.4.2.0", "66", "50"),
            ("1.3.6.1.4.1.21067.2.1.2.5.0", "2", "2"),
        ],
    );
    assert_eq!(loads(&table), named(&[("cpu", 7.0)]));
    assert_eq!(table.equipment.memory[0].used_bytes, Some(1000 << 20));
    assert_eq!(
        table.equipment.firewall.as_ref().and_then(|f| f.ha.as_ref()).map(|ha| &*ha.role),
        Some("active-passive")
    );
    let tunnels = |table: &PortTable| -> Vec<(String, Option<bool>)> {
        let firewall = table.equipment.firewall.as_ref().expect("a firewall");
        firewall.tunnels.iter().map(|tunnel| (tunnel.name.line(), tunnel.up)).collect()
    };
    let table = says(
        "barracuda/cloudgen",
        "1.3.6.1.4.1.10704.1.10",
        &[
            ("1.3.6.1.4.1.10704.1.6.1.1.1.65", "4", "A"),
            ("1.3.6.1.4.1.10704.1.6.1.2.1.65", "2", "1"),
            ("1.3.6.1.4.1.10704.1.6.1.1.1.66", "4", "B"),
            ("1.3.6.1.4.1.10704.1.6.1.2.1.66", "2", "-1"),
            ("1.3.6.1.4.1.10704.1.6.1.1.1.67", "4", "C"),
            ("1.3.6.1.4.1.10704.1.6.1.2.1.67", "2", "0"),
        ],
    );
    assert_eq!(tunnels(&table), [("A".to_owned(), Some(true)), ("B".to_owned(), Some(false))]);
    let srx = says(
        "juniper/junos",
        "1.3.6.1.4.1.2636.1.1.1.2.39",
        &[
            ("1.3.6.1.4.1.2636.3.39.1.12.1.1.1.4.0", "66", "31"),
            ("1.3.6.1.4.1.2636.3.52.1.1.2.1.6.1.4.192.0.2.1.7", "2", "2"),
            ("1.3.6.1.4.1.2636.3.52.1.1.2.1.14.1.4.192.0.2.1.7", "4", "branch-1"),
        ],
    );
    assert_eq!(loads(&srx), named(&[("spu 0", 31.0)]));
    assert_eq!(tunnels(&srx), [("branch-1".to_owned(), Some(false))]);
    let fortigate = says(
        "fortinet/fortigate",
        "1.3.6.1.4.1.12356.101.1.1001",
        &[
            ("1.3.6.1.4.1.12356.101.12.2.3.1.2.1", "66", "14"),
            ("1.3.6.1.4.1.12356.101.4.8.2.1.2.1", "4", "wan1"),
            ("1.3.6.1.4.1.12356.101.4.8.2.1.3.1", "2", "1"),
            ("1.3.6.1.4.1.12356.101.13.2.1.1.11.2", "4", "fw-b"),
            ("1.3.6.1.4.1.12356.101.13.2.1.1.12.2", "2", "0"),
        ],
    );
    assert_eq!(values(&fortigate, SensorClass::Other), named(&[("SSL VPN users 1", 14.0)]));
    let states = [
        ("configuration of fw-b".to_owned(), None, SensorStatus::Warning),
        ("link monitor wan1".to_owned(), None, SensorStatus::Critical),
    ];
    assert_eq!(of(&fortigate, SensorClass::State), states);
}

#[test]
fn an_ilo_tells_the_server_and_its_parts() {
    let h = |end: &str| format!("1.3.6.1.4.1.232.{end}");
    let cells = [
        (h("6.1.3.0"), "2", "2"),
        (h("6.2.6.8.1.4.0.1"), "2", "22"),
        (h("6.2.6.8.1.5.0.1"), "2", "42"),
        (h("6.2.6.8.1.6.0.1"), "2", "2"),
        (h("6.2.6.8.1.4.0.2"), "2", "0"),
        (h("6.2.6.8.1.6.0.2"), "2", "1"),
        (h("6.2.6.7.1.4.0.3"), "2", "3"),
        (h("6.2.6.7.1.9.0.3"), "2", "4"),
        (h("6.2.6.7.1.4.0.4"), "2", "2"),
        (h("6.2.6.7.1.9.0.4"), "2", "1"),
        (h("6.2.9.3.1.3.0.1"), "2", "3"),
        (h("6.2.9.3.1.4.0.1"), "2", "2"),
        (h("6.2.9.3.1.7.0.1"), "2", "135"),
        (h("3.2.3.1.1.4.0.1"), "2", "7"),
        (h("3.2.5.1.1.3.0.8"), "4", "EG0600"),
        (h("3.2.5.1.1.6.0.8"), "2", "4"),
    ];
    let cells: Vec<_> = cells.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
    let table = says("hpe/ilo", "1.3.6.1.4.1.232.9.4.10", &cells);
    assert_eq!(of(&table, SensorClass::Temperature), [("temperature 1".to_owned(), Some(22.0), SensorStatus::Ok)]);
    assert_eq!(values(&table, SensorClass::Power), named(&[("power supply 1", 135.0)]));
    let states: Vec<_> = of(&table, SensorClass::State).into_iter().map(|(name, _, status)| (name, status)).collect();
    let want = [
        ("system", SensorStatus::Ok),
        ("fan 3", SensorStatus::Critical),
        ("power supply 1", SensorStatus::Ok),
        ("logical drive 0.1", SensorStatus::Warning),
        ("disk 0.8 EG0600", SensorStatus::Warning),
    ];
    assert_eq!(states, want.map(|(name, status)| (name.to_owned(), status)));
}

#[test]
fn supplies_of_printers_are_percent_of_what_is_full() {
    let supply = |column: u32, row: u32| format!("1.3.6.1.2.1.43.11.1.1.{column}.1.{row}");
    let cells = [
        (supply(6, 1), "4", "Black Cartridge"),
        (supply(8, 1), "2", "2300"),
        (supply(9, 1), "2", "575"),
        (supply(6, 2), "4", "Waste"),
        (supply(8, 2), "2", "-2"),
        (supply(9, 2), "2", "-3"),
        (supply(6, 3), "4", "Drum"),
        (supply(8, 3), "2", "0"),
        (supply(9, 3), "2", "5"),
    ];
    let cells: Vec<_> = cells.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
    for (profile, object_id) in
        [("generic/printer", "1.3.6.1.4.1.367.1.1"), ("hpe/jetdirect", "1.3.6.1.4.1.11.2.3.9.1")]
    {
        assert_eq!(values(&says(profile, object_id, &cells), SensorClass::Other), named(&[("Black Cartridge", 25.0)]));
    }
}

#[test]
fn supplies_tell_tenths_where_they_have_them_and_each_phase() {
    let p = |end: &str| format!("1.3.6.1.4.1.318.1.1.1.{end}");
    let cells = [
        (p("2.2.1.0"), "66", "98"),
        (p("2.3.1.0"), "66", "985"),
        (p("2.2.2.0"), "66", "27"),
        (p("3.2.1.0"), "66", "229"),
        (p("3.3.1.0"), "66", "2296"),
        (p("4.2.3.0"), "66", "31"),
        (p("9.3.3.1.4.1.1.2"), "2", "57"),
        (p("9.3.3.1.10.1.1.2"), "2", "-1"),
    ];
    let cells: Vec<_> = cells.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
    let table = says("apc/ups", "1.3.6.1.4.1.318.1.3.27", &cells);
    let ups = table.equipment.ups.clone().expect("a supply");
    assert_eq!((ups.charge_percent, ups.load_percent), (Some(98.5), Some(31.0)));
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("battery temperature", 27.0)]));
    assert_eq!(values(&table, SensorClass::Voltage), named(&[("input voltage", 229.6)]));
    assert_eq!(values(&table, SensorClass::Current), named(&[("output phase 2", 5.7)]));
    let x = |end: &str| format!("1.3.6.1.4.1.534.1.{end}");
    let cells = [
        (x("2.2.0"), "2", "54"),
        (x("3.1.0"), "2", "500"),
        (x("3.4.1.2.1"), "2", "231"),
        (x("4.4.1.3.1"), "2", "4"),
        (x("4.5.0"), "2", "5"),
        (x("6.1.0"), "2", "24"),
    ];
    let cells: Vec<_> = cells.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
    let table = says("eaton/xups", "1.3.6.1.4.1.534.1", &cells);
    assert_eq!(table.equipment.ups.clone().and_then(|ups| ups.source), Some(PowerSource::Battery));
    assert_eq!(values(&table, SensorClass::Voltage), named(&[("battery", 54.0), ("input 1", 231.0)]));
    assert_eq!(values(&table, SensorClass::Current), named(&[("output 1", 4.0)]));
    assert_eq!(values(&table, SensorClass::Other), named(&[("input", 50.0)]));
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("ambient", 24.0)]));
}

#[test]
fn clusters_pools_and_volumes_are_told() {
    let ontap = says(
        "netapp/ontap",
        "1.3.6.1.4.1.789.2.5",
        &[
            ("1.3.6.1.4.1.789.1.25.2.1.1.1", "4", "node-a"),
            ("1.3.6.1.4.1.789.1.25.2.1.11.1", "2", "0"),
            ("1.3.6.1.4.1.789.1.21.2.1.1.1", "4", "node-a"),
            ("1.3.6.1.4.1.789.1.21.2.1.4.1", "2", "3"),
        ],
    );
    let states = [
        ("node node-a".to_owned(), None, SensorStatus::Critical),
        ("takeover of node-a".to_owned(), None, SensorStatus::Warning),
    ];
    assert_eq!(of(&ontap, SensorClass::State), states);
    let dsm = says(
        "synology/dsm",
        "1.3.6.1.4.1.6574",
        &[
            ("1.3.6.1.4.1.6574.3.1.1.2.0", "4", "Volume 1"),
            ("1.3.6.1.4.1.6574.3.1.1.4.0", "70", "400"),
            ("1.3.6.1.4.1.6574.3.1.1.5.0", "70", "1000"),
            ("1.3.6.1.4.1.6574.2.1.1.2.0", "4", "Disk 1"),
            ("1.3.6.1.4.1.6574.2.1.1.11.0", "2", "97"),
        ],
    );
    assert_eq!(
        dsm.equipment.storage.iter().map(|p| (p.used_bytes, p.total_bytes)).collect::<Vec<_>>(),
        [(Some(600), Some(1000))]
    );
    assert_eq!(values(&dsm, SensorClass::Other), named(&[("remaining life of Disk 1", 97.0)]));
    let f5 = says(
        "f5/bigip",
        "1.3.6.1.4.1.3375.2.1.3.4.105",
        &[
            ("1.3.6.1.4.1.3375.2.2.5.5.2.1.1.1.65", "4", "/Common/web"),
            ("1.3.6.1.4.1.3375.2.2.5.5.2.1.2.1.65", "2", "3"),
            ("1.3.6.1.4.1.3375.2.2.10.13.2.1.1.1.65", "4", "/Common/vs"),
            ("1.3.6.1.4.1.3375.2.2.10.13.2.1.2.1.65", "2", "1"),
        ],
    );
    let states = [
        ("pool /Common/web".to_owned(), None, SensorStatus::Critical),
        ("virtual server /Common/vs".to_owned(), None, SensorStatus::Ok),
    ];
    assert_eq!(of(&f5, SensorClass::State), states);
    let esxi = says(
        "vmware/esxi",
        "1.3.6.1.4.1.6876.4.1",
        &[("1.3.6.1.4.1.6876.4.20.3.1.2.1", "2", "4"), ("1.3.6.1.4.1.6876.4.20.3.1.3.1", "2", "4")],
    );
    assert_eq!(of(&esxi, SensorClass::State), [("fans".to_owned(), None, SensorStatus::Critical)]);
}

#[test]
fn appliances_tell_their_load_and_their_sessions() {
    let sessions = |table: &PortTable| table.equipment.firewall.as_ref().map(|f| (f.sessions, f.session_limit));
    let onefs = says(
        "dell-emc/onefs",
        "1.3.6.1.4.1.12124.1",
        &[
            ("1.3.6.1.4.1.12124.1.1.2.0", "2", "1"),
            ("1.3.6.1.4.1.12124.1.2.3.5.0", "66", "975"),
            ("1.3.6.1.4.1.12124.1.3.1.0", "70", "1000"),
            ("1.3.6.1.4.1.12124.1.3.2.0", "70", "400"),
        ],
    );
    assert_eq!(loads(&onefs), named(&[("cluster", 2.5)]));
    assert_eq!(onefs.equipment.storage[0].used_bytes, Some(400));
    assert_eq!(of(&onefs, SensorClass::State), [("cluster".to_owned(), None, SensorStatus::Warning)]);
    let netscaler = says(
        "citrix/netscaler",
        "1.3.6.1.4.1.5951.1",
        &[
            ("1.3.6.1.4.1.5951.4.1.1.41.1.0", "66", "9"),
            ("1.3.6.1.4.1.5951.4.1.1.41.2.0", "66", "25"),
            ("1.3.6.1.4.1.5951.4.1.1.41.4.0", "2", "2000"),
            ("1.3.6.1.4.1.5951.4.1.1.23.24.0", "2", "3"),
            ("1.3.6.1.4.1.5951.4.1.3.1.1.1.3.119.101.98", "4", "web"),
            ("1.3.6.1.4.1.5951.4.1.3.1.1.5.3.119.101.98", "2", "1"),
        ],
    );
    assert_eq!(loads(&netscaler), named(&[("cpu", 9.0)]));
    assert_eq!(netscaler.equipment.memory[0].used_bytes, Some(500 << 20));
    let states =
        [("high availability".to_owned(), None, SensorStatus::Ok), ("web".to_owned(), None, SensorStatus::Critical)];
    assert_eq!(of(&netscaler, SensorClass::State), states);
    for (profile, object_id, description, count, limit) in [
        (
            "freebsd/pfsense",
            "1.3.6.1.4.1.12325.1.1.2.1.1",
            "pfSense fw 2.4.5-RELEASE",
            "1.3.6.1.4.1.12325.1.200.1.3.1.0",
            "1.3.6.1.4.1.12325.1.200.1.5.1.0",
        ),
        (
            "freebsd/opnsense",
            "1.3.6.1.4.1.12325.1.1.2.1.1",
            "OPNsense fw 18.1.1",
            "1.3.6.1.4.1.12325.1.200.1.3.1.0",
            "1.3.6.1.4.1.12325.1.200.1.5.1.0",
        ),
        (
            "openbsd/openbsd",
            "1.3.6.1.4.1.30155.23.1",
            "OpenBSD gw 6.6",
            "1.3.6.1.4.1.30155.1.3.1.0",
            "1.3.6.1.4.1.30155.1.6.1.0",
        ),
        (
            "juniper/screenos",
            "1.3.6.1.4.1.3224.1.16",
            "NetScreen-25 version 5.4.0r20.0",
            "1.3.6.1.4.1.3224.16.3.2.0",
            "1.3.6.1.4.1.3224.16.3.3.0",
        ),
    ] {
        let cells = [("1.3.6.1.2.1.1.1.0", "4", description), (count, "66", "120"), (limit, "66", "1000")];
        assert_eq!(sessions(&says(profile, object_id, &cells)), Some((Some(120), Some(1000))), "{profile}");
    }
}

#[test]
fn load_and_memory_of_more_makers_are_told() {
    for (profile, object_id, cell) in [
        ("infoblox/nios", "1.3.6.1.4.1.7779.1.1004", "1.3.6.1.4.1.7779.3.1.1.2.1.8.1.1.0"),
        ("brocade/fabricos", "1.3.6.1.4.1.1588.2.1.1.1", "1.3.6.1.4.1.1588.2.1.1.1.26.1.0"),
        ("ruckus/wireless", "1.3.6.1.4.1.25053.3.1.5.15", "1.3.6.1.4.1.25053.1.2.1.1.1.15.13.0"),
        ("juniper/screenos", "1.3.6.1.4.1.3224.1.16", "1.3.6.1.4.1.3224.16.1.2.0"),
    ] {
        assert_eq!(loads(&says(profile, object_id, &[(cell, "2", "7")])), named(&[("cpu", 7.0)]), "{profile}");
    }
    let zyxel = says(
        "zyxel/zynos",
        "1.3.6.1.4.1.890.1.15",
        &[
            ("1.3.6.1.4.1.890.1.15.3.2.4.0", "2", "12"),
            ("1.3.6.1.4.1.890.1.15.3.2.5.0", "2", "34"),
            ("1.3.6.1.4.1.890.1.15.3.2.6.0", "2", "91"),
            ("1.3.6.1.4.1.890.1.15.3.2.8.0", "2", "11"),
            ("1.3.6.1.4.1.890.1.15.3.50.1.1.1.2.1", "4", "common"),
            ("1.3.6.1.4.1.890.1.15.3.50.1.1.1.3.1", "66", "1000"),
            ("1.3.6.1.4.1.890.1.15.3.50.1.1.1.4.1", "66", "340"),
        ],
    );
    assert_eq!(loads(&zyxel), named(&[("cpu", 11.0)]));
    assert_eq!(zyxel.equipment.memory[0].used_bytes, Some(340));
    assert_eq!(values(&zyxel, SensorClass::Other), named(&[("memory used", 34.0)]));
    let aos = says(
        "alcatel/aos",
        "1.3.6.1.4.1.6486.801.1.1.2.1.11.1.2",
        &[
            ("1.3.6.1.4.1.6486.801.1.2.1.16.1.1.1.1.1.11.1", "2", "13"),
            ("1.3.6.1.4.1.6486.801.1.1.1.3.1.1.3.1.8.451", "2", "47"),
        ],
    );
    assert_eq!(loads(&aos), named(&[("module 1", 13.0)]));
    assert_eq!(values(&aos, SensorClass::Temperature), named(&[("board 451", 47.0)]));
    let mikrotik = says(
        "mikrotik/routeros",
        "1.3.6.1.4.1.14988.1",
        &[("1.3.6.1.4.1.14988.1.1.1.3.1.4.7", "4", "office"), ("1.3.6.1.4.1.14988.1.1.1.3.1.6.7", "66", "3")],
    );
    assert_eq!(values(&mikrotik, SensorClass::Other), named(&[("clients of office (7)", 3.0)]));
}
