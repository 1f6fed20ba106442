//! Supplies, distribution and climate of several makers, and what else has a profile but no recording of its own: recordings
//! where there are some, else what such a device says, by its MIB.

use super::*;
use crate::model::device::{Pool, PowerSource, Tunnel};

/// A device that is of that profile and says these cells.
pub(super) fn says(profile: &str, object_id: &str, cells: &[(&str, &str, &str)]) -> PortTable {
    let mut all = vec![("1.3.6.1.2.1.1.2.0", "6", object_id)];
    all.extend_from_slice(cells);
    let oid = super::super::recorded::oid;
    all.sort_by(|a, b| oid(a.0).as_raw().cmp(&oid(b.0).as_raw()));
    let table = Recording::of(&all).look(&Profiles::shipped());
    assert_eq!(table.device.profile.as_deref(), Some(profile));
    table
}

/// Name, value and state of all sensors of a class, in their order.
pub(super) fn of(table: &PortTable, class: SensorClass) -> Vec<(String, Option<f64>, SensorStatus)> {
    sensors(table, class).iter().map(|s| (s.name.line(), s.value, s.status)).collect()
}

/// The same where nothing is said of states.
pub(super) fn values(table: &PortTable, class: SensorClass) -> Vec<(String, f64)> {
    sensors(table, class).iter().filter_map(|s| Some((s.name.line(), s.value?))).collect()
}

pub(super) fn named(rows: &[(&str, f64)]) -> Vec<(String, f64)> {
    rows.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

const LIEBERT: &str = "1.3.6.1.4.1.476.1.42";

#[test]
fn a_liebert_cooler_is_read_as_recorded() {
    let (recording, table) = look("UPS_vertiv-power", &[LIEBERT]);
    let agent = recording.text(&format!("{LIEBERT}.2.1.3.0"));
    let serial = recording.text(&format!("{LIEBERT}.2.1.4.0"));
    assert_eq!(is(&table), ["Vertiv", "liebert", "Liebert PEX", &agent, &serial].map(str::to_owned));
    let measured = |class, column: &str| {
        let column = format!("{LIEBERT}.{column}");
        let rows = recording.column(&column);
        let want: Vec<_> = rows.iter().filter_map(|(row, _)| recording.number(&format!("{column}.{row}"))).collect();
        assert!(want.len() > 1);
        let found: Vec<f64> = values(&table, class).into_iter().map(|(_, value)| value).collect();
        assert_eq!(found, want, "{column}");
    };
    measured(SensorClass::Temperature, "3.4.1.3.3.1.3");
    measured(SensorClass::Humidity, "3.4.2.2.3.1.3");
    let first = sensors(&table, SensorClass::Temperature)[0];
    assert_eq!((first.limits.high_warning, first.limits.low_warning), (Some(30.0), Some(15.0)));
}

#[test]
fn a_geist_monitor_is_read_as_recorded_and_in_either_scale() {
    let root = "1.3.6.1.4.1.21239.5.1";
    let (recording, table) = look("iot_geist-temperature-sensor", &[root]);
    let text = |end: &str| recording.text(&format!("{root}.1.{end}.0"));
    assert_eq!(is(&table), ["Vertiv", "geist", &text("8"), &text("2"), &text("10")].map(str::to_owned));
    let cells = |scale| {
        vec![
            ("1.3.6.1.4.1.21239.5.1.1.7.0", "2", scale),
            ("1.3.6.1.4.1.21239.5.1.2.1.3.1", "4", "rack"),
            ("1.3.6.1.4.1.21239.5.1.2.1.5.1", "2", "770"),
            ("1.3.6.1.4.1.21239.5.1.2.1.6.1", "2", "41"),
            ("1.3.6.1.4.1.21239.5.1.4.1.5.2", "2", "320"),
        ]
    };
    let table = says("vertiv/geist", "1.3.6.1.4.1.21239.42.1.31", &cells("1"));
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("rack", 77.0), ("probe 2", 32.0)]));
    assert_eq!(values(&table, SensorClass::Humidity), named(&[("rack", 41.0)]));
    let table = says("vertiv/geist", "1.3.6.1.4.1.21239.42.1.31", &cells("0"));
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("rack", 25.0), ("probe 2", 0.0)]));
}

#[test]
fn a_supply_with_a_card_of_phoenixtec_is_read_as_recorded() {
    let root = "1.3.6.1.4.1.935.1.1.1";
    let (recording, table) = look("UPS_phoenixtec-power", &[root]);
    let number = |end: &str| recording.number(&format!("{root}.{end}.0")).expect("recorded");
    let version = recording.text(&format!("{root}.1.2.4.0"));
    assert_eq!(is(&table), ["Phoenixtec", "ppc-ups", "", &version, ""].map(str::to_owned));
    let ups = table.equipment.ups.clone().expect("a supply");
    assert_eq!((ups.source, ups.battery), (Some(PowerSource::Mains), Some(SensorStatus::Ok)));
    assert_eq!((ups.charge_percent, ups.load_percent), (Some(number("2.2.1")), Some(number("4.2.3"))));
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("battery", number("2.2.3") / 10.0)]));
    assert_eq!(
        values(&table, SensorClass::Voltage),
        named(&[("input", number("3.2.1") / 10.0), ("output", number("4.2.1") / 10.0)])
    );
}

#[test]
fn a_tripp_lite_transfer_switch_is_read_as_recorded() {
    let root = "1.3.6.1.4.1.850.1.1";
    let (recording, table) =
        look("network_appliance_tripplite-poweralert", &[root, "1.3.6.1.2.1.33.1.1", "1.3.6.1.2.1.33.1.2"]);
    let [model, serial] = ["1.2.1.5.1", "2.1.1.5.1"].map(|end| recording.text(&format!("{root}.{end}")));
    let version = recording.text("1.3.6.1.2.1.33.1.1.4.0");
    assert_eq!(is(&table), ["Tripp Lite", "poweralert", &model, &version, &serial].map(str::to_owned));
    let volts = |end: &str| recording.number(&format!("{root}.3.4.3.{end}")).expect("recorded") / 10.0;
    let want = named(&[
        ("ats input 1.1.1", volts("1.2.1.5.1.1.1")),
        ("ats input 1.1.2", volts("1.2.1.5.1.1.2")),
        ("ats output 1.1", volts("2.1.1.4.1.1")),
    ]);
    let found = values(&table, SensorClass::Voltage);
    assert_eq!(found.len(), want.len(), "{found:?}");
    for (one, other) in found.iter().zip(&want) {
        assert!(one.0 == other.0 && (one.1 - other.1).abs() < 1e-6, "{found:?}");
    }
}

#[test]
fn a_tripp_lite_ups_tells_source_charge_and_load() {
    let root = "1.3.6.1.4.1.850.1.1.3.1";
    let [source, charge, battery, load, probe] =
        ["3.3.1.1.1.1", "3.1.1.1.4.1", "3.1.1.1.1.1", "3.3.2.1.5.1.1", "2.1.1.7.1"].map(|end| format!("{root}.{end}"));
    let cells = [(&source, "5"), (&charge, "64"), (&battery, "3"), (&load, "37"), (&probe, "285")];
    let cells: Vec<_> = cells.iter().map(|(name, value)| (name.as_str(), "2", *value)).collect();
    let table = says("tripplite/poweralert", "1.3.6.1.4.1.850.1", &cells);
    let ups = table.equipment.ups.clone().expect("a supply");
    assert_eq!(
        (ups.source, ups.charge_percent, ups.load_percent),
        (Some(PowerSource::Battery), Some(64.0), Some(37.0))
    );
    assert_eq!(ups.battery, Some(SensorStatus::Warning));
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("ups 1", 28.5)]));
}

#[test]
fn sensors_of_lm_sensors_are_read_as_recorded() {
    let root = "1.3.6.1.4.1.2021.13.16";
    let (recording, table) = look("network_firewall_netentsec-ngfw", &[root]);
    let degrees = recording.number(&format!("{root}.2.1.3.1")).expect("recorded") / 1000.0;
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("temp1", degrees)]));
}

#[test]
fn a_ups_of_any_maker_tells_its_voltages_and_its_battery() {
    let table = says(
        "generic/any",
        "1.3.6.1.4.1.99999.1",
        &[
            ("1.3.6.1.2.1.33.1.1.2.0", "4", "Supply 3000"),
            ("1.3.6.1.2.1.33.1.2.5.0", "2", "545"),
            ("1.3.6.1.2.1.33.1.2.7.0", "2", "27"),
            ("1.3.6.1.2.1.33.1.3.3.1.2.1", "2", "500"),
            ("1.3.6.1.2.1.33.1.3.3.1.3.1", "2", "231"),
            ("1.3.6.1.2.1.33.1.4.1.0", "2", "3"),
            ("1.3.6.1.2.1.33.1.4.4.1.2.1", "2", "230"),
            ("1.3.6.1.2.1.33.1.4.4.1.3.1", "2", "71"),
            ("1.3.6.1.2.1.33.1.4.4.1.4.1", "2", "1500"),
            ("1.3.6.1.2.1.33.1.4.4.1.5.1", "2", "55"),
        ],
    );
    assert_eq!(table.device.model.line(), "Supply 3000");
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("battery", 27.0)]));
    assert_eq!(
        values(&table, SensorClass::Voltage),
        named(&[("battery", 54.5), ("input 1", 231.0), ("output 1", 230.0)])
    );
    assert_eq!(values(&table, SensorClass::Current), named(&[("output 1", 7.1)]));
    assert_eq!(values(&table, SensorClass::Power), named(&[("output 1", 1500.0)]));
    assert_eq!(values(&table, SensorClass::Other), named(&[("input 1", 50.0)]));
    assert_eq!(table.equipment.ups.as_ref().and_then(|ups| ups.load_percent), Some(55.0));
}

#[test]
fn raritan_says_where_the_point_stands_and_what_a_row_measures() {
    let base = "1.3.6.1.4.1.13742.6";
    let cell = |end: &str| format!("{base}.{end}");
    let cells: Vec<(String, &str, &str)> = [
        ("3.2.1.1.3.1", "4", "PX3-5190R"),
        ("3.2.1.1.4.1", "4", "QXY0001"),
        ("3.2.3.1.6.1.1.1", "4", "3.6.1"),
        ("3.3.4.1.7.1.1.1", "66", "3"),
        ("3.3.4.1.7.1.1.4", "66", "0"),
        ("3.3.4.1.7.1.1.5", "66", "1"),
        ("3.3.4.1.7.1.1.23", "66", "1"),
        ("5.2.3.1.4.1.1.1", "66", "3512"),
        ("5.2.3.1.4.1.1.4", "66", "229"),
        ("5.2.3.1.4.1.1.5", "66", "7805"),
        ("5.2.3.1.4.1.1.23", "66", "499"),
        ("3.5.4.1.7.1.2.1", "66", "3"),
        ("5.4.3.1.4.1.2.1", "66", "185"),
        // Of an outlet whose point is not told nothing is made up.
        ("5.4.3.1.4.1.3.1", "66", "185"),
        ("3.6.3.1.2.1.1", "2", "10"),
        ("3.6.3.1.2.1.2", "2", "11"),
        ("3.6.3.1.4.1.1", "4", "cold aisle"),
        ("3.6.3.1.17.1.1", "66", "1"),
        ("3.6.3.1.17.1.2", "66", "0"),
        ("5.5.3.1.3.1.1", "2", "5"),
        ("5.5.3.1.3.1.2", "2", "4"),
        ("5.5.3.1.4.1.1", "2", "305"),
        ("5.5.3.1.4.1.2", "2", "44"),
    ]
    .iter()
    .map(|(end, tag, value)| (cell(end), *tag, *value))
    .collect();
    let cells: Vec<_> = cells.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
    let table = says("raritan/pdu2", base, &cells);
    assert_eq!(is(&table), ["Raritan", "raritan-pdu", "PX3-5190R", "3.6.1", "QXY0001"].map(str::to_owned));
    assert_eq!(values(&table, SensorClass::Current), named(&[("inlet 1", 3.512), ("outlet 2", 0.185)]));
    assert_eq!(values(&table, SensorClass::Voltage), named(&[("inlet 1", 229.0)]));
    assert_eq!(values(&table, SensorClass::Power), named(&[("inlet 1", 780.5)]));
    assert_eq!(values(&table, SensorClass::Other), named(&[("inlet 1", 49.9)]));
    assert_eq!(of(&table, SensorClass::Temperature), [("cold aisle".to_owned(), Some(30.5), SensorStatus::Warning)]);
    assert_eq!(of(&table, SensorClass::Humidity), [("probe 2".to_owned(), Some(44.0), SensorStatus::Ok)]);
}

#[test]
fn the_first_dominion_px_is_read_in_its_own_words() {
    let table = says(
        "raritan/pdu",
        "1.3.6.1.4.1.13742.4",
        &[
            ("1.3.6.1.2.1.1.1.0", "4", "Raritan Dominion PX - Firmware Version 010507-11172"),
            ("1.3.6.1.4.1.13742.4.1.2.2.1.2.1", "4", "core-sw1"),
            ("1.3.6.1.4.1.13742.4.1.2.2.1.4.1", "66", "2192"),
            ("1.3.6.1.4.1.13742.4.1.20.2.1.7.1", "66", "2971"),
            ("1.3.6.1.4.1.13742.4.1.20.2.1.8.1", "66", "230000"),
            ("1.3.6.1.4.1.13742.4.1.20.2.1.9.1", "66", "580"),
            ("1.3.6.1.4.1.13742.4.3.3.1.2.3", "2", "10"),
            ("1.3.6.1.4.1.13742.4.3.3.1.17.3", "66", "1"),
            ("1.3.6.1.4.1.13742.4.3.3.1.40.3", "2", "4"),
            ("1.3.6.1.4.1.13742.4.3.3.1.41.3", "2", "205"),
        ],
    );
    assert_eq!(is(&table), ["Raritan", "raritan-pdu", "Dominion PX", "010507-11172", ""].map(str::to_owned));
    assert_eq!(values(&table, SensorClass::Current), named(&[("inlet 1", 2.971), ("core-sw1", 2.192)]));
    assert_eq!(values(&table, SensorClass::Voltage), named(&[("inlet 1", 230.0)]));
    assert_eq!(values(&table, SensorClass::Power), named(&[("inlet 1", 580.0)]));
    assert_eq!(of(&table, SensorClass::Temperature), [("probe 3".to_owned(), Some(20.5), SensorStatus::Ok)]);
}

#[test]
fn sentry_3_reads_probes_in_the_scale_of_each() {
    let root = "1.3.6.1.4.1.1718.3";
    let cells: Vec<(String, &str, &str)> = [
        ("1.1.0", "4", "Sentry Switched CDU Version 7.1a"),
        ("2.1.1.6.1", "4", "SERIAL0001"),
        ("2.1.1.7.1", "4", "CW-24V2"),
        ("2.2.1.3.1.1", "4", "TowerA"),
        ("2.2.1.7.1.1", "2", "2512"),
        ("2.2.1.8.1.1", "2", "24"),
        ("2.2.1.10.1.1", "2", "30"),
        ("2.2.1.11.1.1", "2", "2093"),
        ("2.3.1.7.1.1.4", "2", "-1"),
        ("2.5.1.3.1.1", "4", "front"),
        ("2.5.1.3.1.2", "4", "back"),
        ("2.5.1.3.2.1", "4", "none"),
        ("2.5.1.6.1.1", "2", "680"),
        ("2.5.1.6.1.2", "2", "245"),
        ("2.5.1.6.2.1", "2", "-1"),
        ("2.5.1.8.1.1", "2", "113"),
        ("2.5.1.8.1.2", "2", "24"),
        ("2.5.1.10.1.1", "2", "52"),
        ("2.5.1.13.1.1", "2", "1"),
        ("2.5.1.13.1.2", "2", "0"),
        ("2.5.1.13.2.1", "2", "1"),
    ]
    .iter()
    .map(|(end, tag, value)| (format!("{root}.{end}"), *tag, *value))
    .collect();
    let cells: Vec<_> = cells.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
    let table = says("servertech/sentry3", root, &cells);
    assert_eq!(is(&table), ["Server Technology", "sentry3", "CW-24V2", "7.1a", "SERIAL0001"].map(str::to_owned));
    assert_eq!(of(&table, SensorClass::Current), [("TowerA".to_owned(), Some(25.12), SensorStatus::Warning)]);
    assert_eq!(values(&table, SensorClass::Voltage), named(&[("TowerA", 209.3)]));
    let temperatures = of(&table, SensorClass::Temperature);
    assert_eq!(temperatures.len(), 2, "{temperatures:?}");
    assert_eq!(temperatures[0], ("back".to_owned(), Some(24.5), SensorStatus::Critical));
    assert_eq!(temperatures[1], ("front".to_owned(), Some(20.0), SensorStatus::Ok));
    assert_eq!(values(&table, SensorClass::Humidity), named(&[("front", 52.0)]));
}

#[test]
fn sentry_4_tells_cords_lines_and_phases() {
    let root = "1.3.6.1.4.1.1718.4.1";
    let cells: Vec<(String, &str, &str)> = [
        ("1.1.3.0", "4", "8.0k"),
        ("2.3.1.1.1", "2", "0"),
        ("3.2.1.3.1.1", "4", "Cord_A"),
        ("3.3.1.3.1.1", "2", "1701"),
        ("3.3.1.4.1.1", "2", "16"),
        ("3.3.1.11.1.1", "2", "600"),
        ("4.2.1.4.1.1.1", "4", "AA:L1"),
        ("4.3.1.3.1.1.1", "2", "560"),
        ("4.3.1.2.1.1.1", "2", "17"),
        ("5.2.1.4.1.1.1", "4", "AA:L1-L2"),
        ("5.3.1.3.1.1.1", "2", "2079"),
        ("5.3.1.4.1.1.1", "2", "0"),
        ("5.3.1.6.1.1.1", "2", "209"),
        ("5.3.1.8.1.1.1", "2", "415"),
        ("9.1.10.0", "2", "0"),
        ("9.3.1.1.1.1", "2", "251"),
        ("9.3.1.1.1.2", "2", "-410"),
        ("10.3.1.1.1.1", "2", "42"),
        ("10.3.1.1.1.2", "2", "-1"),
    ]
    .iter()
    .map(|(end, tag, value)| (format!("{root}.{end}"), *tag, *value))
    .collect();
    let cells: Vec<_> = cells.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
    let table = says("servertech/sentry4", "1.3.6.1.4.1.1718.4", &cells);
    assert_eq!(table.device.version.line(), "8.0k");
    assert_eq!(
        of(&table, SensorClass::Power),
        [
            ("Cord_A".to_owned(), Some(1701.0), SensorStatus::Warning),
            ("phase AA:L1-L2".to_owned(), Some(415.0), SensorStatus::Unknown)
        ]
    );
    assert_eq!(
        of(&table, SensorClass::Current),
        [
            ("line AA:L1".to_owned(), Some(5.6), SensorStatus::Critical),
            ("phase AA:L1-L2".to_owned(), Some(2.09), SensorStatus::Unknown)
        ]
    );
    assert_eq!(of(&table, SensorClass::Voltage), [("phase AA:L1-L2".to_owned(), Some(207.9), SensorStatus::Ok)]);
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("probe 1.1", 25.1)]));
    assert_eq!(values(&table, SensorClass::Humidity), named(&[("probe 1.1", 42.0)]));
    assert_eq!(of(&table, SensorClass::State), [("unit 1".to_owned(), None, SensorStatus::Ok)]);
}

#[test]
fn cyberpower_tells_source_minutes_and_the_room() {
    let root = "1.3.6.1.4.1.3808.1.1";
    let cells: Vec<(String, &str, &str)> = [
        ("1.1.1.1.0", "4", "OL2200"),
        ("1.1.2.1.0", "4", "S1A17"),
        ("1.1.2.3.0", "4", "ABC0001"),
        ("1.2.1.1.0", "2", "2"),
        ("1.2.2.1.0", "66", "98"),
        ("1.2.2.3.0", "66", "36"),
        ("1.2.2.4.0", "67", "174000"),
        ("1.2.2.5.0", "2", "2"),
        ("1.3.2.1.0", "66", "1195"),
        ("1.3.2.6.0", "2", "5"),
        ("1.4.1.1.0", "2", "3"),
        ("1.4.2.1.0", "66", "1202"),
        ("1.4.2.3.0", "66", "31"),
        ("1.4.2.4.0", "66", "65"),
        ("4.2.1.0", "2", "680"),
        ("4.3.1.0", "2", "56"),
    ]
    .iter()
    .map(|(end, tag, value)| (format!("{root}.{end}"), *tag, *value))
    .collect();
    let cells: Vec<_> = cells.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
    let table = says("cyberpower/cps", "1.3.6.1.4.1.3808.1.1.1", &cells);
    assert_eq!(is(&table), ["CyberPower", "cyberpower", "OL2200", "S1A17", "ABC0001"].map(str::to_owned));
    let ups = table.equipment.ups.clone().expect("a supply");
    assert_eq!((ups.source, ups.minutes_left), (Some(PowerSource::Battery), Some(29.0)));
    assert_eq!((ups.charge_percent, ups.load_percent), (Some(98.0), Some(31.0)));
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("battery", 36.0), ("probe", 20.0)]));
    assert_eq!(values(&table, SensorClass::Voltage), named(&[("input", 119.5), ("output", 120.2)]));
    let state = |name: &str| {
        let all = sensors(&table, SensorClass::State);
        all.iter().find(|s| s.name.line() == name).map(|s| s.status)
    };
    assert_eq!(state("battery replacement"), Some(SensorStatus::Warning));
    assert_eq!(state("input"), Some(SensorStatus::Critical));
}

#[test]
fn an_eaton_epdu_is_read_unit_by_unit() {
    let root = "1.3.6.1.4.1.534.6.6.7";
    let cells: Vec<(String, &str, &str)> = [
        ("1.2.1.2.0", "4", "EPDU MA 1P"),
        ("1.2.1.3.0", "4", "EMAT10-10"),
        ("1.2.1.4.0", "4", "WA123456"),
        ("1.2.1.5.0", "4", "2.0.5"),
        ("1.2.1.9.0", "2", "1"),
        ("3.2.1.3.0.1.1", "2", "231000"),
        ("3.3.1.4.0.1.1", "2", "2350"),
        ("3.4.1.4.0.1.1", "2", "541"),
        ("6.4.1.3.0.1", "2", "400"),
        ("6.5.1.3.0.1", "2", "88"),
        ("7.1.1.2.0.1", "4", "inlet"),
        ("7.1.1.3.0.1", "2", "1"),
        ("7.1.1.3.0.2", "2", "0"),
        ("7.1.1.4.0.1", "2", "770"),
        ("7.1.1.4.0.2", "2", "0"),
    ]
    .iter()
    .map(|(end, tag, value)| (format!("{root}.{end}"), *tag, *value))
    .collect();
    let cells: Vec<_> = cells.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
    let table = says("eaton/epdu", root, &cells);
    assert_eq!(is(&table), ["Eaton", "eaton-pdu", "EMAT10-10", "2.0.5", "WA123456"].map(str::to_owned));
    assert_eq!(values(&table, SensorClass::Voltage), named(&[("input 0.1.1", 231.0)]));
    assert_eq!(values(&table, SensorClass::Current), named(&[("input 0.1.1", 2.35), ("outlet 0.1", 0.4)]));
    assert_eq!(values(&table, SensorClass::Power), named(&[("input 0.1.1", 541.0), ("outlet 0.1", 88.0)]));
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("inlet", 25.0)]));
}

#[test]
fn an_idrac_tells_the_server_and_its_parts() {
    let root = "1.3.6.1.4.1.674.10892.5";
    let cells: Vec<(String, &str, &str)> = [
        ("1.1.8.0", "4", "4.40.00.00"),
        ("1.3.2.0", "4", "ABCDEF1"),
        ("1.3.12.0", "4", "PowerEdge R640"),
        ("2.1.0", "2", "4"),
        ("4.700.20.1.5.1.1", "2", "3"),
        ("4.700.20.1.6.1.1", "2", "215"),
        ("4.700.20.1.8.1.1", "4", "System Board Inlet Temp"),
        ("4.700.12.1.5.1.1", "2", "8"),
        ("4.700.12.1.6.1.1", "2", "480"),
        ("4.600.12.1.5.1.2", "2", "5"),
        ("5.1.20.130.4.1.4.1", "2", "3"),
        ("5.1.20.140.1.1.4.1", "2", "4"),
    ]
    .iter()
    .map(|(end, tag, value)| (format!("{root}.{end}"), *tag, *value))
    .collect();
    let cells: Vec<_> = cells.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
    let table = says("dell/idrac", root, &cells);
    assert_eq!(is(&table), ["Dell", "drac", "PowerEdge R640", "4.40.00.00", "ABCDEF1"].map(str::to_owned));
    assert_eq!(
        of(&table, SensorClass::Temperature),
        [("System Board Inlet Temp".to_owned(), Some(21.5), SensorStatus::Ok)]
    );
    assert_eq!(of(&table, SensorClass::Fan), [("fan 1.1".to_owned(), Some(480.0), SensorStatus::Critical)]);
    let states: Vec<_> = of(&table, SensorClass::State).into_iter().map(|(name, _, status)| (name, status)).collect();
    let want = [
        ("system", SensorStatus::Warning),
        ("power supply 2", SensorStatus::Critical),
        ("disk 1", SensorStatus::Ok),
        ("virtual disk 1", SensorStatus::Warning),
    ];
    assert_eq!(states, want.map(|(name, status)| (name.to_owned(), status)));
}

#[test]
fn switches_of_dell_and_aruba_tell_their_environment() {
    let table = says(
        "dell/os10",
        "1.3.6.1.4.1.674.11000.5000.100.2.1.7",
        &[
            (
                "1.3.6.1.2.1.1.1.0",
                "4",
                "Dell EMC Networking OS10 Enterprise.\nOS Version: 10.5.0.0.\nSystem Type: S5232F-ON.",
            ),
            ("1.3.6.1.4.1.674.11000.5000.100.4.1.1.3.1.11.1", "2", "31"),
            ("1.3.6.1.4.1.674.11000.5000.100.4.1.1.4.1.5.1", "2", "38"),
            ("1.3.6.1.4.1.674.11000.5000.100.4.1.2.1.1.4.2", "2", "2"),
            ("1.3.6.1.4.1.674.11000.5000.100.4.1.2.3.1.7.1", "2", "1"),
        ],
    );
    assert_eq!(is(&table), ["Dell", "os10", "S5232F-ON", "10.5.0.0", ""].map(str::to_owned));
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("chassis 1", 31.0), ("card 1", 38.0)]));
    assert_eq!(
        of(&table, SensorClass::State),
        [("power supply 2".to_owned(), None, SensorStatus::Critical), ("fan 1".to_owned(), None, SensorStatus::Ok)]
    );
    let table = says(
        "dell/os9",
        "1.3.6.1.4.1.6027.1.3.20",
        &[
            ("1.3.6.1.4.1.6027.3.26.1.3.4.1.13.1", "66", "44"),
            ("1.3.6.1.4.1.6027.3.26.1.4.4.1.4.2.1.1", "66", "17"),
            ("1.3.6.1.4.1.6027.3.26.1.4.6.1.4.2.1.1", "2", "1"),
            ("1.3.6.1.4.1.6027.3.26.1.4.7.1.4.2.1.1", "2", "3"),
        ],
    );
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("stack unit 1", 44.0)]));
    assert_eq!(table.equipment.processors.iter().map(|p| p.percent).collect::<Vec<_>>(), [17.0]);
    assert_eq!(
        of(&table, SensorClass::State),
        [("power supply 2.1.1".to_owned(), None, SensorStatus::Ok)],
        "a tray that is not there has no row"
    );
    let table = says(
        "aruba/aos-cx",
        "1.3.6.1.4.1.47196.4.1.1.1.100",
        &[
            ("1.3.6.1.4.1.47196.4.1.1.3.11.2.1.1.7.1.1", "2", "93"),
            ("1.3.6.1.4.1.47196.4.1.1.3.11.2.1.1.11.1.1", "2", "3"),
            ("1.3.6.1.4.1.47196.4.1.1.3.11.3.1.1.5.1.1.1.1", "4", "1/1-PHY"),
            ("1.3.6.1.4.1.47196.4.1.1.3.11.3.1.1.7.1.1.1.1", "2", "41500"),
            ("1.3.6.1.4.1.47196.4.1.1.3.11.5.1.1.10.1.1", "2", "4"),
        ],
    );
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("1/1-PHY", 41.5)]));
    assert_eq!(values(&table, SensorClass::Power), named(&[("power supply 1.1", 93.0)]));
    assert_eq!(
        of(&table, SensorClass::State),
        [("fan 1.1".to_owned(), None, SensorStatus::Ok), ("power supply 1.1".to_owned(), None, SensorStatus::Critical)]
    );
}

#[test]
fn a_nokia_router_tells_its_processor_and_what_has_a_probe() {
    let hardware = |column: u32, row: u32| format!("1.3.6.1.4.1.6527.3.1.2.2.1.8.1.{column}.1.{row}");
    let rows = [
        (hardware(8, 1), "4", "Slot 1"),
        (hardware(17, 1), "2", "1"),
        (hardware(18, 1), "2", "76"),
        (hardware(19, 1), "2", "75"),
        (hardware(17, 2), "2", "2"),
        (hardware(18, 2), "2", "-1"),
        ("1.3.6.1.4.1.6527.3.1.2.1.1.1.0".to_owned(), "66", "12"),
        ("1.3.6.1.4.1.6527.3.1.2.2.1.24.1.1.2.1.1.1".to_owned(), "2", "4"),
    ];
    let rows: Vec<_> = rows.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
    let table = says("nokia/sros", "1.3.6.1.4.1.6527.1.3.4", &rows);
    assert_eq!(table.equipment.processors.iter().map(|p| p.percent).collect::<Vec<_>>(), [12.0]);
    assert_eq!(of(&table, SensorClass::Temperature), [("Slot 1".to_owned(), Some(76.0), SensorStatus::Warning)]);
    assert_eq!(of(&table, SensorClass::State), [("fan 1.1.1".to_owned(), None, SensorStatus::Critical)]);
}

fn tunnels(table: &PortTable) -> Vec<Tunnel> {
    table.equipment.firewall.clone().map(|firewall| firewall.tunnels).unwrap_or_default()
}

fn tunnel(name: &str, up: Option<bool>) -> Tunnel {
    Tunnel { name: name.into(), up }
}

#[test]
fn firewalls_tell_their_tunnels() {
    let asa = says(
        "cisco/asa",
        "1.3.6.1.4.1.9.1.1194",
        &[
            ("1.3.6.1.2.1.1.1.0", "4", "Cisco Adaptive Security Appliance Version 9.1(5)"),
            ("1.3.6.1.4.1.9.9.171.1.2.3.1.7.5", "4", "192.0.2.7"),
            ("1.3.6.1.4.1.9.9.171.1.2.3.1.35.5", "2", "1"),
            ("1.3.6.1.4.1.9.9.392.1.1.1.0", "2", "250"),
            ("1.3.6.1.4.1.9.9.392.1.3.1.0", "66", "250"),
        ],
    );
    assert_eq!(tunnels(&asa), [tunnel("192.0.2.7", Some(true))]);
    let sessions = ("remote access sessions".to_owned(), Some(250.0), SensorStatus::Critical);
    assert_eq!(of(&asa, SensorClass::Other), [sessions]);
    let gaia = says(
        "checkpoint/gaia",
        "1.3.6.1.4.1.2620.1.6.123.1.49",
        &[
            ("1.3.6.1.4.1.2620.500.9002.1.2.192.0.2.1.0", "4", "branch-1"),
            ("1.3.6.1.4.1.2620.500.9002.1.3.192.0.2.1.0", "2", "3"),
            ("1.3.6.1.4.1.2620.500.9002.1.2.192.0.2.2.0", "4", "branch-2"),
            ("1.3.6.1.4.1.2620.500.9002.1.3.192.0.2.2.0", "2", "131"),
        ],
    );
    assert_eq!(tunnels(&gaia), [tunnel("branch-1", Some(true)), tunnel("branch-2", Some(false))]);
    let sonic = says(
        "sonicwall/sonicos",
        "1.3.6.1.4.1.8741.1",
        &[
            ("1.3.6.1.4.1.8741.1.3.1.1.0", "66", "1000"),
            ("1.3.6.1.4.1.8741.1.3.1.2.0", "66", "120"),
            ("1.3.6.1.4.1.8741.1.3.1.3.0", "66", "7"),
            ("1.3.6.1.4.1.8741.1.3.1.4.0", "66", "43"),
            ("1.3.6.1.4.1.8741.1.3.2.1.1.1.2.1", "64", "192.0.2.9"),
            ("1.3.6.1.4.1.8741.1.3.2.1.1.1.14.1", "4", "to the office"),
        ],
    );
    assert_eq!(tunnels(&sonic), [tunnel("to the office", Some(true))]);
    let firewall = sonic.equipment.firewall.clone().expect("a firewall");
    assert_eq!((firewall.sessions, firewall.session_limit), (Some(120), Some(1000)));
    assert_eq!(sonic.equipment.processors.iter().map(|p| p.percent).collect::<Vec<_>>(), [7.0]);
    let panos = says(
        "paloalto/panos",
        "1.3.6.1.4.1.25461.2.3.18",
        &[("1.3.6.1.4.1.25461.2.1.2.5.1.2.0", "2", "1000"), ("1.3.6.1.4.1.25461.2.1.2.5.1.3.0", "2", "37")],
    );
    assert_eq!(values(&panos, SensorClass::Other), named(&[("GlobalProtect tunnels", 37.0)]));
}

#[test]
fn a_sophos_firewall_tells_memory_disk_and_role() {
    const MEGABYTE: u64 = 1 << 20;
    let table = says(
        "sophos/sfos",
        "1.3.6.1.4.1.2604.5",
        &[
            ("1.3.6.1.4.1.2604.5.1.2.4.1.0", "2", "100"),
            ("1.3.6.1.4.1.2604.5.1.2.4.2.0", "2", "25"),
            ("1.3.6.1.4.1.2604.5.1.2.5.1.0", "2", "2000"),
            ("1.3.6.1.4.1.2604.5.1.2.5.2.0", "2", "50"),
            ("1.3.6.1.4.1.2604.5.1.4.4.0", "2", "3"),
        ],
    );
    let pool = |name: &str, used: u64, total: u64| Pool {
        name: name.into(),
        used_bytes: Some(used * MEGABYTE),
        total_bytes: Some(total * MEGABYTE),
    };
    assert_eq!(table.equipment.memory, [pool("memory", 1000, 2000)]);
    assert_eq!(table.equipment.storage, [pool("disk", 25, 100)]);
    assert_eq!(table.equipment.firewall.as_ref().and_then(|f| f.ha.as_ref()).map(|ha| &*ha.role), Some("primary"));
}

#[test]
fn huawei_and_mikrotik_tell_watts_by_the_ports_own_number() {
    let port = [
        ("1.3.6.1.2.1.2.2.1.2.5", "4", "GigabitEthernet0/0/1"),
        ("1.3.6.1.2.1.2.2.1.3.5", "2", "6"),
        ("1.3.6.1.2.1.2.2.1.8.5", "2", "1"),
    ];
    let mut cells = port.to_vec();
    cells.push(("1.3.6.1.2.1.105.1.1.1.3.1.5", "2", "1"));
    cells.push(("1.3.6.1.2.1.105.1.1.1.6.1.5", "2", "3"));
    cells.push(("1.3.6.1.4.1.2011.5.25.195.3.1.10.5", "2", "4240"));
    let poe = |table: &PortTable| table.equipment.port(5).and_then(|p| p.poe).map(|p| (p.status, p.watts));
    let huawei = says("huawei/vrp", "1.3.6.1.4.1.2011.2.23.369", &cells);
    assert_eq!(poe(&huawei).and_then(|(_, watts)| watts), Some(4.24));
    let mut cells = port.to_vec();
    cells.push(("1.3.6.1.4.1.14988.1.1.15.1.1.3.5", "2", "3"));
    cells.push(("1.3.6.1.4.1.14988.1.1.15.1.1.6.5", "66", "51"));
    let mikrotik = says("mikrotik/routeros", "1.3.6.1.4.1.14988.1", &cells);
    assert_eq!(poe(&mikrotik), Some((crate::model::device::PoeStatus::Delivering, Some(5.1))));
}

#[test]
fn what_is_no_model_is_none() {
    let model = |object_id: &str, description: &str| {
        let cells = [("1.3.6.1.2.1.1.1.0", "4", description), ("1.3.6.1.2.1.1.2.0", "6", object_id)];
        Recording::of(&cells).look(&Profiles::shipped()).device.model.line()
    };
    let nxos = |platform: &str| {
        model(
            "1.3.6.1.4.1.9.12.3.1.3.1812",
            &format!("Cisco NX-OS(tm) {platform}, Software (nxos), Version 7.0(3)I4(6)"),
        )
    };
    assert_eq!(nxos("nxos.7.0.3.I4.6.bin"), "");
    assert_eq!(nxos("n5000"), "n5000");
    assert_eq!(nxos("Nexus9000 C9336C-FX2"), "Nexus9000 C9336C-FX2");
    let xe = |platform: &str, image: &str| {
        model(
            "1.3.6.1.4.1.9.1.2494",
            &format!("Cisco IOS Software [Everest], {platform} Software ({image}), Version 16.6.4"),
        )
    };
    assert_eq!(xe("Catalyst L3 Switch", "CAT9K_IOSXE"), "");
    assert_eq!(xe("ISR", "X86_64_LINUX_IOSD-UNIVERSALK9-M"), "");
    assert_eq!(xe("ASR1000", "X86_64_LINUX_IOSD-UNIVERSALK9-M"), "ASR1000");
    assert_eq!(xe("Virtual XE", "X86_64_LINUX_IOSD-UNIVERSALK9-M"), "Virtual XE");
}
