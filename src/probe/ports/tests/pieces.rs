//! What the parts of devices say by their profiles: recordings where there are some, else by their MIB.

use super::power::{named, of, says, values};
use super::*;

fn cell(name: &str) -> String {
    name.to_owned()
}

/// The cells of a device whose names are put together.
fn told(profile: &str, object_id: &str, rows: &[(String, &str, &str)]) -> PortTable {
    let rows: Vec<_> = rows.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
    says(profile, object_id, &rows)
}

#[test]
fn an_enclosure_of_blades_is_read_as_recorded() {
    let (recording, table) = look("bmc_hp-onboard-administrator", &["1.3.6.1.4.1.232.22"]);
    assert_eq!(table.device.profile.as_deref(), Some("hpe/onboard-administrator"));
    let root = "1.3.6.1.4.1.232.22.2.3.1";
    let said = [3, 8, 7].map(|column| recording.text(&format!("{root}.1.1.{column}.1")));
    let [model, version, serial] = &said;
    assert!(said.iter().all(|text| !text.is_empty()));
    assert_eq!(is(&table), ["HPE", "onboard-administrator", model, version, serial].map(str::to_owned));
    let warm = recording.column(&format!("{root}.2.1.6"));
    let want: Vec<f64> = warm.iter().filter_map(|(row, _)| recording.number(&format!("{root}.2.1.6.{row}"))).collect();
    let want: Vec<f64> = want.into_iter().filter(|degrees| *degrees >= 0.0).collect();
    let got: Vec<f64> = values(&table, SensorClass::Temperature).into_iter().map(|(_, value)| value).collect();
    assert_eq!(got, want);
    let fans = of(&table, SensorClass::State);
    assert!(!fans.is_empty() && fans.iter().all(|fan| fan.2 == SensorStatus::Ok));
}

#[test]
fn a_server_of_huawei_is_read_as_recorded() {
    let (_, table) = look("network_appliance_empirical-hw-mgmt", &["1.3.6.1.4.1.2011.2.235"]);
    assert_eq!(is(&table), ["Huawei", "ibmc", "RH5885 V3", "", "2102311JWG10H4000737"].map(str::to_owned));
    let want = [("Inlet", 24.0), ("CPU1", 49.0), ("CPU2", 44.0), ("CPU3", 47.0), ("CPU4", 49.0)];
    assert_eq!(values(&table, SensorClass::Temperature)[..5], named(&want));
    assert_eq!(of(&table, SensorClass::State), [("system".to_owned(), None, SensorStatus::Ok)]);
}

#[test]
fn a_supply_of_emerson_is_read_as_recorded() {
    let (_, table) = look("UPS_emerson-network-power", &["1.3.6.1.4.1.13400"]);
    assert_eq!(is(&table), ["Vertiv", "enp-ups", "US11R0030L", "13.00", ""].map(str::to_owned));
    let want = [("battery", 80.7), ("input", 220.5), ("output", 219.8)];
    let round = |(name, volts): (String, f64)| (name, (volts * 10.0).round() / 10.0);
    let got: Vec<_> = values(&table, SensorClass::Voltage).into_iter().map(round).collect();
    assert_eq!(got, named(&want));
    assert_eq!(table.equipment.ups.as_ref().and_then(|ups| ups.charge_percent), Some(100.0));
}

fn memory(table: &PortTable) -> Vec<(String, Option<u64>, Option<u64>)> {
    table.equipment.memory.iter().map(|pool| (pool.name.line(), pool.used_bytes, pool.total_bytes)).collect()
}

#[test]
fn memory_of_nokia_and_of_dell_is_told_in_octets() {
    let root = "1.3.6.1.4.1.6527.3.1.2.1.1";
    let new = [(format!("{root}.9.0"), "66", "1000"), (format!("{root}.10.0"), "66", "3000")];
    let router = told("nokia/sros", "1.3.6.1.4.1.6527.1.3.4", &new);
    assert_eq!(memory(&router), [("system".to_owned(), Some(1_024_000), Some(4_096_000))]);
    let old = [(format!("{root}.2.0"), "66", "500"), (format!("{root}.3.0"), "66", "1500")];
    let router = told("nokia/sros", "1.3.6.1.4.1.6527.1.3.4", &old);
    assert_eq!(memory(&router), [("system".to_owned(), Some(500), Some(2000))]);
    let root = "1.3.6.1.4.1.6027.3.26.1.4";
    let rows = [(format!("{root}.3.1.6.2.1.1"), "2", "2048"), (format!("{root}.4.1.6.2.1.1"), "66", "25")];
    let switch = told("dell/os9", "1.3.6.1.4.1.6027.1.3.20", &rows);
    assert_eq!(memory(&switch), [("memory 2.1.1".to_owned(), Some(512 << 20), Some(2048 << 20))]);
}

#[test]
fn comware_tells_fans_and_supplies_by_the_kind_of_the_entity() {
    let (class, error) = ("1.3.6.1.2.1.47.1.1.1.1.5", "1.3.6.1.4.1.25506.2.6.1.1.1.1.19");
    let mut rows = vec![(cell("1.3.6.1.2.1.1.1.0"), "4", "H3C Comware Platform Software, Software Version 7.1.045")];
    for (entity, kind, state) in
        [("10", "7", "2"), ("11", "7", "41"), ("12", "6", "51"), ("13", "6", "4"), ("14", "10", "91"), ("15", "6", "1")]
    {
        rows.push((format!("{class}.{entity}"), "2", kind));
        rows.push((format!("{error}.{entity}"), "2", state));
    }
    let switch = told("hpe/comware", "1.3.6.1.4.1.25506.1.1138", &rows);
    let got: Vec<SensorStatus> = of(&switch, SensorClass::State).into_iter().map(|(_, _, status)| status).collect();
    assert_eq!(got, [SensorStatus::Ok, SensorStatus::Critical, SensorStatus::Critical], "a port is no part of this");
}

#[test]
fn a_pdu_of_sentry_4_is_known_by_its_first_unit() {
    let rows = [
        (cell("1.3.6.1.4.1.1718.4.1.1.1.1.0"), "4", "Sentry Smart PDU"),
        (cell("1.3.6.1.4.1.1718.4.1.1.1.3.0"), "4", "Version 8.0n"),
        (cell("1.3.6.1.4.1.1718.4.1.2.2.1.4.1"), "4", "AAAA0001234"),
        (cell("1.3.6.1.4.1.1718.4.1.2.2.1.4.2"), "4", "AAAA0005678"),
        (cell("1.3.6.1.4.1.1718.4.1.2.2.1.5.1"), "4", "C2S42CE-YCMFAM00"),
    ];
    let pdu = told("servertech/sentry4", "1.3.6.1.4.1.1718.4", &rows);
    assert_eq!(
        is(&pdu),
        ["Server Technology", "sentry4", "C2S42CE-YCMFAM00", "8.0n", "AAAA0001234"].map(str::to_owned)
    );
}

#[test]
fn a_liebert_supply_tells_watts_and_volt_amperes_as_its_mib_has_them() {
    let root = "1.3.6.1.4.1.476.1.42.3.5.2";
    let rows = [
        (format!("{root}.2.1.7.2"), "2", "12400"),
        (format!("{root}.2.1.8.2"), "2", "11800"),
        (format!("{root}.2.1.11.2"), "2", "413"),
        (format!("{root}.3.1.5.2.1"), "2", "231"),
        (format!("{root}.3.1.6.2.1"), "2", "18"),
        (format!("{root}.3.1.6.2.2"), "2", "2147483647"),
    ];
    let ups = told("vertiv/liebert", "1.3.6.1.4.1.476.1.42", &rows);
    assert_eq!(values(&ups, SensorClass::Power), named(&[("measuring point 2", 11_800.0)]));
    assert_eq!(values(&ups, SensorClass::Voltage), named(&[("measuring point 2 line 1", 231.0)]));
    assert_eq!(values(&ups, SensorClass::Current), named(&[("measuring point 2 line 1", 18.0)]));
    let others: Vec<f64> =
        values(&ups, SensorClass::Other).into_iter().map(|(_, v)| (v * 10.0).round() / 10.0).collect();
    assert_eq!(others, [12_400.0, 41.3]);
}

#[test]
fn probes_of_a_room_tell_degrees_and_humidity() {
    let (warm, damp) = ("1.3.6.1.4.1.3854.1.2.2.1.16.1", "1.3.6.1.4.1.3854.1.2.2.1.17.1");
    let mut rows = Vec::new();
    for (row, value, state, online) in [("0", "24", "2", "1"), ("1", "41", "4", "1"), ("2", "0", "1", "2")] {
        rows.push((format!("{warm}.1.{row}"), "4", "rack"));
        rows.push((format!("{warm}.3.{row}"), "2", value));
        rows.push((format!("{warm}.4.{row}"), "2", state));
        rows.push((format!("{warm}.5.{row}"), "2", online));
    }
    rows.push((format!("{damp}.3.0"), "2", "37"));
    rows.push((format!("{damp}.4.0"), "2", "3"));
    rows.push((format!("{damp}.5.0"), "2", "1"));
    let probe = told("akcp/sensorprobe", "1.3.6.1.4.1.3854.1", &rows);
    let rack = |value, status| ("rack".to_owned(), Some(value), status);
    let want = [rack(24.0, SensorStatus::Ok), rack(41.0, SensorStatus::Critical)];
    assert_eq!(of(&probe, SensorClass::Temperature), want, "what is not plugged in has no row");
    assert_eq!(of(&probe, SensorClass::Humidity), [("humidity 0".to_owned(), Some(37.0), SensorStatus::Warning)]);
    let ste = "1.3.6.1.4.1.21796.4.1.3.1";
    let mut rows = Vec::new();
    for (row, value, unit, state) in [("1", "223", "1", "1"), ("2", "415", "4", "5"), ("3", "-9999", "1", "0")] {
        rows.push((format!("{ste}.2.{row}"), "4", "hall"));
        rows.push((format!("{ste}.3.{row}"), "2", state));
        rows.push((format!("{ste}.5.{row}"), "2", value));
        rows.push((format!("{ste}.7.{row}"), "2", unit));
    }
    let ste = told("hwgroup/ste", "1.3.6.1.4.1.21796.4.1", &rows);
    assert_eq!(values(&ste, SensorClass::Temperature), named(&[("hall", 22.3)]));
    assert_eq!(of(&ste, SensorClass::Humidity), [("hall".to_owned(), Some(41.5), SensorStatus::Critical)]);
    let label = "1.3.6.1.4.1.5528.100.4.1.1.1";
    let rows = [
        (format!("{label}.2.7"), "2", "253"),
        (format!("{label}.3.7"), "2", "2"),
        (format!("{label}.4.7"), "4", "aisle"),
    ];
    let netbotz = told("netbotz/netbotz", "1.3.6.1.4.1.5528.100.20.10.2013", &rows);
    assert_eq!(of(&netbotz, SensorClass::Temperature), [("aisle".to_owned(), Some(25.3), SensorStatus::Warning)]);
}

#[test]
fn a_supply_of_delta_and_a_plant_of_vertiv_are_read_in_their_own_words() {
    let root = "1.3.6.1.4.1.2254.2.4";
    let rows = [
        (format!("{root}.5.1.0"), "2", "1"),
        (format!("{root}.7.8.0"), "2", "73"),
        (format!("{root}.7.9.0"), "2", "32"),
    ];
    let ups = told("delta/ups", root, &rows);
    let facts = ups.equipment.ups.as_ref().expect("a supply");
    assert_eq!((facts.source, facts.charge_percent), (Some(crate::model::device::PowerSource::Battery), Some(73.0)));
    assert_eq!(values(&ups, SensorClass::Temperature), named(&[("ups", 32.0)]));
    let rows = [(cell("1.3.6.1.4.1.6302.2.1.2.2.0"), "2", "53500"), (cell("1.3.6.1.4.1.6302.2.1.2.3.0"), "2", "41000")];
    let plant = told("vertiv/netsure", "1.3.6.1.4.1.6302.2.1", &rows);
    assert_eq!(values(&plant, SensorClass::Voltage), named(&[("system", 53.5)]));
    assert_eq!(values(&plant, SensorClass::Current), named(&[("system", 41.0)]));
}
