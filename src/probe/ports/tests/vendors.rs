//! Makers whose gear is read in words of their own since somebody looked up their MIBs: what such a device says, by its MIB, and
//! what it comes to.

use super::named::{Told, are};
use super::power::{named, of, says, values};
use super::*;
use crate::model::device::EntityClass;

/// sysObjectID, sysDescr, texts beside, and what it is by that.
const DEVICES: &[Told] = &[
    (
        "1.3.6.1.4.1.10704.1.10",
        "Barracuda CloudGen Firewall F280",
        &[("1.3.6.1.4.1.10704.1.2.0", "GWAY-8.0.1-0500-nightbuild")],
        ["Barracuda", "cloudgen", "F280", "8.0.1-0500-nightbuild", ""],
    ),
    (
        "1.3.6.1.4.1.20632.2",
        "Barracuda Spam & Virus Firewall 300",
        &[],
        ["Barracuda", "barracuda", "Spam & Virus Firewall 300", "", ""],
    ),
    (
        "1.3.6.1.4.1.1027.1.2.3",
        "VerSw:10.2.0.26;VerHw:SMBC;VerPl:1",
        &[],
        ["Mitel", "mivoice", "SMBC", "10.2.0.26", ""],
    ),
    (
        "1.3.6.1.4.1.20542.9",
        "Sierra Wireless AirLink",
        &[
            ("1.3.6.1.4.1.20542.9.1.1.9.7.0", "RV50X"),
            ("1.3.6.1.4.1.20542.9.1.1.9.4.0", "4.13.0.017"),
            ("1.3.6.1.4.1.20542.9.1.1.9.25.0", "N680000000000001"),
        ],
        ["Sierra Wireless", "aleos", "RV50X", "4.13.0.017", "N680000000000001"],
    ),
    (
        "1.3.6.1.4.1.17095",
        "ServersCheck SensorGateway",
        &[("1.3.6.1.4.1.17095.1.1.0", "SensorGateway"), ("1.3.6.1.4.1.17095.1.2.0", "2.14")],
        ["ServersCheck", "sensorgateway", "SensorGateway", "2.14", ""],
    ),
    (
        "1.3.6.1.4.1.23867.1.2.51",
        "Linux ec-1 2.6.38",
        &[
            ("1.3.6.1.4.1.23867.3.1.1.1.1.0", "VXOA 8.1.9.4_76430"),
            ("1.3.6.1.4.1.23867.3.1.1.1.2.0", "EC-XS"),
            ("1.3.6.1.4.1.23867.3.1.1.1.6.0", "00-1B-BC-00-00-01"),
        ],
        ["Silver Peak", "vxoa", "EC-XS", "8.1.9.4_76430", "00-1B-BC-00-00-01"],
    ),
    (
        "1.3.6.1.4.1.10418.16.1.5",
        "Avocent ACS 6016 with firmware version 2.5.0.11",
        &[
            ("1.3.6.1.4.1.10418.16.2.1.2.0", "ACS6016"),
            ("1.3.6.1.4.1.10418.16.2.1.4.0", "0500000001"),
            ("1.3.6.1.4.1.10418.16.2.1.7.0", "2.5.0.11"),
        ],
        ["Avocent", "acs", "ACS6016", "2.5.0.11", "0500000001"],
    ),
    (
        "1.3.6.1.4.1.5597.30",
        "Meinberg LANTIME M600",
        &[("1.3.6.1.4.1.5597.30.0.0.2.0", "LANTIME V6.24.021"), ("1.3.6.1.4.1.5597.30.0.0.3.0", "030110000001")],
        ["Meinberg", "lantime", "LANTIME M600", "6.24.021", "030110000001"],
    ),
    (
        "1.3.6.1.4.1.38446.1",
        "Enlogic PDU",
        &[
            ("1.3.6.1.4.1.38446.1.1.2.1.10.1", "EN2105"),
            ("1.3.6.1.4.1.38446.1.1.2.1.11.1", "A000001"),
            ("1.3.6.1.4.1.38446.1.1.2.1.13.1", "2.01"),
        ],
        ["Enlogic", "enlogic-pdu", "EN2105", "2.01", "A000001"],
    ),
    (
        "1.3.6.1.4.1.9148.1.1.1",
        "Acme Packet Net-Net 4250 Firmware C6.1.0 Patch 1 (Build 299)",
        &[],
        ["Oracle", "acme", "Acme Packet Net-Net 4250", "C6.1.0 Patch 1", ""],
    ),
    (
        "1.3.6.1.4.1.12740.17.1",
        "EqualLogic Generic OID",
        &[("1.3.6.1.4.1.12740.2.1.11.1.1.1.1", "70-0478"), ("1.3.6.1.4.1.12740.2.1.11.1.2.1.1", "CN00000001")],
        ["Dell", "equallogic", "70-0478", "", "CN00000001"],
    ),
    (
        "1.3.6.1.4.1.231.1.17",
        "iRMC S5",
        &[
            ("1.3.6.1.4.1.231.2.10.2.2.10.2.3.1.5.1", "PRIMERGY RX2530 M4"),
            ("1.3.6.1.4.1.231.2.10.2.2.10.2.3.1.7.1", "YM00000001"),
        ],
        ["Fujitsu", "irmc", "PRIMERGY RX2530 M4", "", "YM00000001"],
    ),
    (
        "1.3.6.1.4.1.37447.3.1",
        "Nimble Storage CS300 running software version 3.4.0.0-409857-opt",
        &[],
        ["HPE", "nimbleos", "CS300", "3.4.0.0-409857-opt", ""],
    ),
    ("1.3.6.1.4.1.26866.1.29", "GigaVUE-HC2, 5.4.00", &[], ["Gigamon", "gigavue", "GigaVUE-HC2", "5.4.00", ""]),
    (
        "1.3.6.1.4.1.89.35.1.1",
        "DefensePro with Apsolute OS",
        &[("1.3.6.1.4.1.89.2.4.0", "8.13.01")],
        ["Radware", "radware", "DefensePro", "8.13.01", ""],
    ),
    (
        "1.3.6.1.4.1.3942.1.1",
        "R5000-Smn/5.300.2x63 WANFleX H08S11-MINTv1.90.30 SN:101010",
        &[],
        ["InfiNet", "wanflex", "", "1.90.30", "101010"],
    ),
    (
        "1.3.6.1.4.1.11898.2.4.12",
        "Tsunami MP.11 5012-SUR v4.0.3(993) SN-09UT01234567 V3.1.0",
        &[],
        ["Proxim", "proxim", "Tsunami MP.11 5012-SUR", "4.0.3", "09UT01234567"],
    ),
    (
        "1.3.6.1.4.1.21013.1.1",
        "Xirrus XR-520 WiFi Array, ArrayOS Version 6.4.1-3227",
        &[],
        ["Xirrus", "xirrus", "XR-520", "6.4.1-3227", ""],
    ),
    ("1.3.6.1.4.1.1369.6.1", "Forcepoint NGFW version 6.5.3 build 21021", &[], ["Forcepoint", "ngfw", "", "6.5.3", ""]),
    (
        "1.3.6.1.4.1.232.165.3",
        "HP UPS Network Module",
        &[
            ("1.3.6.1.4.1.232.165.3.1.2.0", "HP R5000"),
            ("1.3.6.1.4.1.232.165.3.1.3.0", "02.02.0023"),
            ("1.3.6.1.4.1.232.165.1.2.7.0", "3C00000001"),
        ],
        ["HPE", "hpe-power", "HP R5000", "02.02.0023", "3C00000001"],
    ),
    (
        "1.3.6.1.4.1.42.2.200.2.1.1",
        "SUN FIRE X4170 M3, ILOM v3.1.2.10.d, r86046",
        &[],
        ["Oracle", "ilom", "SUN FIRE X4170 M3", "3.1.2.10.d", ""],
    ),
    (
        "1.3.6.1.4.1.2.3.51.2",
        "IBM BladeCenter Advanced Management Module",
        &[("1.3.6.1.4.1.2.3.51.2.2.21.1.1.1.0", "8852"), ("1.3.6.1.4.1.2.3.51.2.2.21.1.1.3.0", "KQ00001")],
        ["IBM", "amm", "8852", "", "KQ00001"],
    ),
    (
        "1.3.6.1.4.1.3181.10.6.1",
        "MICROSENS G6 Micro-Switch",
        &[],
        ["Microsens", "microsens", "G6 Micro-Switch", "", ""],
    ),
    ("1.3.6.1.4.1.24062.2.2.4", "JetNet5728G", &[], ["Korenix", "jetnet", "JetNet5728G", "", ""]),
    ("1.3.6.1.4.1.10297.202.7", "EKI-7710E-2C", &[], ["Advantech", "advantech", "EKI-7710E-2C", "", ""]),
    (
        "1.3.6.1.4.1.1768.100.4.2",
        "SN4528/4JS2JO/EUI, R6.T 2013-10-11 H323 SIP FXS FXO",
        &[],
        ["Patton", "smartware", "SN4528", "R6.T", ""],
    ),
    (
        "1.3.6.1.4.1.26272.1",
        "SLC TWIN RT",
        &[("1.3.6.1.2.1.33.1.1.2.0", "SLC-6000-TWIN RT"), ("1.3.6.1.2.1.33.1.1.3.0", "1.04")],
        ["Salicru", "salicru", "SLC-6000-TWIN RT", "1.04", ""],
    ),
    ("1.3.6.1.4.1.272.4.200.83.88.67", "RS353jv", &[], ["bintec", "boss", "RS353jv", "", ""]),
    ("1.3.6.1.4.1.30803", "Netentsec NGFW", &[], ["Netentsec", "netentsec-ngfw", "", "", ""]),
];

#[test]
fn makers_of_less_common_gear_are_known_for_what_they_say_of_themselves() {
    are(DEVICES);
}

/// A port of a switch with that ifIndex, which is up.
fn port(index: u32) -> Vec<(String, &'static str, String)> {
    vec![
        (format!("1.3.6.1.2.1.2.2.1.2.{index}"), "4", format!("port {index}")),
        (format!("1.3.6.1.2.1.2.2.1.3.{index}"), "2", "6".to_owned()),
        (format!("1.3.6.1.2.1.2.2.1.8.{index}"), "2", "1".to_owned()),
    ]
}

fn with_port(profile: &str, object_id: &str, index: u32, more: &[(&str, &str, &str)]) -> PortTable {
    let port = port(index);
    let mut cells: Vec<(&str, &str, &str)> = port.iter().map(|(a, b, c)| (a.as_str(), *b, c.as_str())).collect();
    cells.extend_from_slice(more);
    says(profile, object_id, &cells)
}

/// Light in, light out, degrees and milliamperes of the transceiver in that port.
fn light(table: &PortTable, port: u32) -> [Option<f64>; 4] {
    let optics = table.equipment.optics.iter().find(|optics| optics.port == Some(port)).expect("a transceiver");
    [optics.rx_dbm, optics.tx_dbm, optics.temperature_c, optics.bias_ma]
}

fn watts(table: &PortTable, port: u32) -> Option<f32> {
    table.equipment.port(port).and_then(|p| p.poe).and_then(|poe| poe.watts)
}

pub(super) fn loads(table: &PortTable) -> Vec<(String, f64)> {
    table.equipment.processors.iter().map(|p| (p.name.line(), p.percent)).collect()
}

#[test]
fn transceivers_of_more_makers_tell_their_light() {
    let icx = "1.3.6.1.4.1.1991.1.1.3.3.6.1";
    let cells = [
        ("1", "  31.4062 C: Normal"),
        ("2", "-002.2651 dBm: Normal"),
        ("3", "-003.1000 dBm: Normal"),
        ("4", "  6.106 mA: Normal"),
    ];
    let cells: Vec<(String, &str)> = cells.iter().map(|(column, text)| (format!("{icx}.{column}.65"), *text)).collect();
    let cells: Vec<_> = cells.iter().map(|(name, text)| (name.as_str(), "4", *text)).collect();
    let table = with_port("brocade/ironware", "1.3.6.1.4.1.1991.1.3.51.1", 65, &cells);
    assert_eq!(light(&table, 65), [Some(-3.1), Some(-2.2651), Some(31.4062), Some(6.106)]);
    let dark = [("1.3.6.1.4.1.1991.1.1.3.3.6.1.3.65", "4", "N/A"), ("1.3.6.1.4.1.1991.1.1.3.3.6.1.2.65", "4", "N/A")];
    assert!(with_port("brocade/ironware", "1.3.6.1.4.1.1991.1.3.51.1", 65, &dark).equipment.optics.is_empty());
    let sros = with_port(
        "nokia/sros",
        "1.3.6.1.4.1.6527.1.3.4",
        35_684_352,
        &[
            ("1.3.6.1.4.1.6527.3.1.2.2.4.31.1.1.1.35684352", "2", "7680"),
            ("1.3.6.1.4.1.6527.3.1.2.2.4.31.1.11.1.35684352", "66", "3100"),
            ("1.3.6.1.4.1.6527.3.1.2.2.4.31.1.16.1.35684352", "66", "5000"),
            ("1.3.6.1.4.1.6527.3.1.2.2.4.31.1.21.1.35684352", "66", "10000"),
        ],
    );
    assert_eq!(light(&sros, 35_684_352), [Some(0.0), Some(-3.0103), Some(30.0), Some(6.2)]);
    let aos = with_port(
        "alcatel/aos",
        "1.3.6.1.4.1.6486.801.1.1.2.1.11.1.2",
        1025,
        &[
            ("1.3.6.1.4.1.6486.801.1.2.1.5.1.1.2.6.1.2.1025.1", "2", "31500"),
            ("1.3.6.1.4.1.6486.801.1.2.1.5.1.1.2.6.1.12.1025.1", "2", "6100"),
            ("1.3.6.1.4.1.6486.801.1.2.1.5.1.1.2.6.1.17.1025.1", "2", "-2500"),
            ("1.3.6.1.4.1.6486.801.1.2.1.5.1.1.2.6.1.22.1025.1", "2", "-200000"),
        ],
    );
    assert_eq!(light(&aos, 1025), [None, Some(-2.5), Some(31.5), Some(6.1)]);
}

#[test]
fn switches_of_marvells_software_tell_light_test_by_test() {
    for (profile, object_id, root) in [
        ("cisco/small-business", "1.3.6.1.4.1.9.6.1.82.24.1", "1.3.6.1.4.1.9.6.1.101.90.1.2.1.3"),
        ("generic/radlan", "1.3.6.1.4.1.35265.1.76", "1.3.6.1.4.1.89.90.1.2.1.3"),
    ] {
        let results: Vec<(String, &str)> =
            [("5", "41"), ("6", "3300000"), ("7", "12500"), ("8", "-5120"), ("9", "-6230")]
                .iter()
                .map(|(test, result)| (format!("{root}.49.{test}"), *result))
                .collect();
        let mut cells: Vec<_> = results.iter().map(|(name, result)| (name.as_str(), "2", *result)).collect();
        let copper = format!("{root}.1.4");
        cells.push((&copper, "2", "12"));
        let table = with_port(profile, object_id, 49, &cells);
        assert_eq!(light(&table, 49), [Some(-6.23), Some(-5.12), Some(41.0), Some(12.5)], "{profile}");
        assert_eq!(table.equipment.optics.len(), 1, "{profile}");
    }
}

#[test]
fn an_accedian_element_tells_its_box_and_its_connectors() {
    let a = |end: &str| format!("1.3.6.1.4.1.22420.{end}");
    let cells = [
        (a("1.1.23.0"), "66", "17"),
        (a("1.1.11.1.2.1"), "4", "feed A"),
        (a("1.1.11.1.4.1"), "2", "1"),
        (a("1.1.11.1.2.2"), "4", "feed B"),
        (a("1.1.11.1.4.2"), "2", "2"),
        (a("1.1.12.1.2.1"), "2", "52"),
        (a("1.1.12.1.3.1"), "2", "50"),
        (a("1.1.12.1.5.1"), "2", "60"),
        (a("2.4.2.1.2.7"), "66", "3"),
        (a("2.4.2.1.3.7"), "2", "41"),
        (a("2.4.2.1.5.7"), "66", "6400"),
        (a("2.4.2.1.8.7"), "4", "-5.61"),
        (a("2.4.2.1.7.7"), "66", "1000"),
    ];
    let cells: Vec<_> = cells.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
    let table = says("accedian/aen", "1.3.6.1.4.1.22420.1.1", &cells);
    assert_eq!(loads(&table), named(&[("cpu", 17.0)]));
    assert_eq!(of(&table, SensorClass::Temperature), [("temperature 1".to_owned(), Some(52.0), SensorStatus::Warning)]);
    assert_eq!(of(&table, SensorClass::State), [("feed A".to_owned(), None, SensorStatus::Ok)]);
    let optics = &table.equipment.optics[0];
    assert_eq!((optics.name.line().as_str(), optics.port), ("connector 3", None));
    assert_eq!((optics.rx_dbm, optics.tx_dbm, optics.bias_ma), (Some(-10.0), Some(-5.61), Some(6.4)));
}

#[test]
fn more_makers_tell_the_watts_of_each_port() {
    let peth = |index: u32, group: &str| {
        [
            (format!("1.3.6.1.2.1.105.1.1.1.3.{group}.{index}"), "1"),
            (format!("1.3.6.1.2.1.105.1.1.1.6.{group}.{index}"), "3"),
        ]
    };
    for (profile, object_id, column, row, index) in [
        ("aruba/aos-cx", "1.3.6.1.4.1.47196.4.1.1.1.100", "1.3.6.1.4.1.47196.4.1.1.3.8.1.1.1.7", "1.5", 5),
        ("cisco/small-business", "1.3.6.1.4.1.9.6.1.82.24.1", "1.3.6.1.4.1.9.6.1.101.108.1.1.5", "1.49", 49),
        ("generic/radlan", "1.3.6.1.4.1.35265.1.76", "1.3.6.1.4.1.89.108.1.1.5", "1.49", 49),
        ("brocade/ironware", "1.3.6.1.4.1.1991.1.3.51.1", "1.3.6.1.4.1.1991.1.1.2.14.2.2.1.6", "5", 5),
        ("dell/dnos6", "1.3.6.1.4.1.674.10895.3061", "1.3.6.1.4.1.674.10895.5000.2.6132.1.1.15.1.1.1.2", "1.5", 5),
        ("avaya/boss", "1.3.6.1.4.1.45.3.78.1", "1.3.6.1.4.1.45.5.8.1.1.1.7", "1.5", 5),
        ("hpe/comware", "1.3.6.1.4.1.25506.1.390", "1.3.6.1.4.1.25506.2.14.1.1.5", "1.5", 5),
    ] {
        let peth = peth(index, "1");
        let cell = format!("{column}.{row}");
        let description = if profile == "dell/dnos6" { "Dell EMC Networking N3048EP-ON, 6.6.0.1" } else { "" };
        let mut cells: Vec<(&str, &str, &str)> =
            peth.iter().map(|(name, value)| (name.as_str(), "2", *value)).collect();
        cells.push(("1.3.6.1.2.1.1.1.0", "4", description));
        cells.push((&cell, "66", "6400"));
        let table = with_port(profile, object_id, index, &cells);
        assert_eq!(watts(&table, index), Some(6.4), "{profile}");
    }
}

#[test]
fn controllers_tell_their_access_points_and_clients() {
    let counts = |profile: &str, object_id: &str, description: &str, cells: &[(&str, &str, &str)]| {
        let mut all = vec![("1.3.6.1.2.1.1.1.0", "4", description)];
        all.extend_from_slice(cells);
        values(&says(profile, object_id, &all), SensorClass::Other)
    };
    let wlc = counts(
        "cisco/wlc",
        "1.3.6.1.4.1.9.1.1069",
        "Cisco Controller",
        &[
            ("1.3.6.1.4.1.9.9.618.1.8.4.0", "66", "22"),
            ("1.3.6.1.4.1.9.9.618.1.8.15.0", "66", "51"),
            ("1.3.6.1.4.1.14179.2.1.1.1.2.1", "4", "guests"),
            ("1.3.6.1.4.1.14179.2.1.1.1.38.1", "65", "9"),
        ],
    );
    assert_eq!(wlc, named(&[("access points", 22.0), ("wireless clients", 51.0), ("clients of guests", 9.0)]));
    let aruba = counts(
        "aruba/arubaos",
        "1.3.6.1.4.1.14823.1.1.39",
        "",
        &[("1.3.6.1.4.1.14823.2.2.1.1.3.1.0", "66", "12"), ("1.3.6.1.4.1.14823.2.2.1.1.3.2.0", "66", "0")],
    );
    assert_eq!(aruba, named(&[("access points", 12.0), ("wireless clients", 0.0)]));
    let zone = counts(
        "ruckus/wireless",
        "1.3.6.1.4.1.25053.3.1.5.15",
        "",
        &[("1.3.6.1.4.1.25053.1.2.1.1.1.15.1.0", "66", "7")],
    );
    assert_eq!(zone, named(&[("access points", 7.0)]));
    let smart = counts(
        "ruckus/wireless",
        "1.3.6.1.4.1.25053.3.1.10",
        "",
        &[("1.3.6.1.4.1.25053.1.3.1.1.1.15.2.0", "66", "70")],
    );
    assert_eq!(smart, named(&[("wireless clients", 70.0)]));
}

#[test]
fn the_parts_of_a_juniper_are_in_its_own_table() {
    let j = |end: &str| format!("1.3.6.1.4.1.2636.3.1.8.1.{end}");
    let cells = [
        (j("6.1.1.0.0"), "4", "midplane"),
        (j("7.1.1.0.0"), "4", "TR0000000001"),
        (j("6.2.1.0.0"), "4", "PEM 0"),
        (j("7.2.1.0.0"), "4", "QCS0000001"),
        (j("8.2.1.0.0"), "4", "REV 07"),
        (j("14.2.1.0.0"), "4", "PWR-MX480-2400-DC-S"),
        (j("6.7.1.0.0"), "4", "FPC: MPC @ 0/*/*"),
        (j("7.7.1.0.0"), "4", "BUILTIN"),
        (j("14.7.1.0.0"), "4", ""),
    ];
    let cells: Vec<_> = cells.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
    let table = says("juniper/junos", "1.3.6.1.4.1.2636.1.1.1.2.25", &cells);
    let parts: Vec<_> = table
        .equipment
        .entities
        .iter()
        .map(|e| (e.class, e.name.line(), e.model.line(), e.serial.line(), e.version.line()))
        .collect();
    let text = str::to_owned;
    let want = [
        (EntityClass::Chassis, text("midplane"), String::new(), text("TR0000000001"), String::new()),
        (EntityClass::PowerSupply, text("PEM 0"), text("PWR-MX480-2400-DC-S"), text("QCS0000001"), text("REV 07")),
    ];
    assert_eq!(parts, want);
    assert!(table.device.model.is_empty() && table.device.serial.is_empty(), "a part is not the device");
    let mut all = cells.clone();
    all.extend([("1.3.6.1.2.1.47.1.1.1.1.5.1", "2", "3"), ("1.3.6.1.2.1.47.1.1.1.1.11.1", "4", "S1")]);
    let table = says("juniper/junos", "1.3.6.1.4.1.2636.1.1.1.2.25", &all);
    assert_eq!(table.equipment.entities.len(), 1, "where there is ENTITY-MIB, it counts");
}

#[test]
fn a_table_that_is_not_there_may_have_a_number_in_its_place() {
    let old = [
        ("1.3.6.1.2.1.1.1.0", "4", "Cisco Internetwork Operating System Software"),
        ("1.3.6.1.4.1.9.2.1.58.0", "2", "12"),
    ];
    assert_eq!(loads(&says("cisco/ios", "1.3.6.1.4.1.9.1.186", &old)), named(&[("cpu", 12.0)]));
    let mut new = old.to_vec();
    new.push(("1.3.6.1.4.1.9.9.109.1.1.1.1.8.1", "66", "7"));
    assert_eq!(loads(&says("cisco/ios", "1.3.6.1.4.1.9.1.186", &new)), named(&[("cpu 1", 7.0)]));
}

#[test]
fn probes_and_modems_tell_what_their_texts_say() {
    let s = |end: u32| format!("1.3.6.1.4.1.17095.3.{end}.0");
    let cells = [(s(1), "Ext. Temp"), (s(2), "21.45"), (s(5), "Humidity"), (s(6), "40.1 %"), (s(9), "-"), (s(10), "-")];
    let cells: Vec<_> = cells.iter().map(|(name, text)| (name.as_str(), "4", *text)).collect();
    let table = says("serverscheck/sensorgateway", "1.3.6.1.4.1.17095", &cells);
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("Ext. Temp", 21.45)]));
    assert_eq!(values(&table, SensorClass::Humidity), named(&[("Humidity", 40.1)]));
    let table = says(
        "sierra/aleos",
        "1.3.6.1.4.1.20542.9",
        &[
            ("1.3.6.1.4.1.20542.9.1.1.1.266.0", "4", "12.43"),
            ("1.3.6.1.4.1.20542.9.1.1.1.267.0", "2", "38"),
            ("1.3.6.1.4.1.20542.9.1.1.1.261.0", "2", "-71"),
        ],
    );
    assert_eq!(values(&table, SensorClass::Voltage), named(&[("supply", 12.43)]));
    assert_eq!(values(&table, SensorClass::Temperature), named(&[("board", 38.0)]));
    assert_eq!(values(&table, SensorClass::Other), named(&[("cellular signal", -71.0)]));
    let netonix = says(
        "netonix/wisp",
        "1.3.6.1.4.1.46242",
        &[
            ("1.3.6.1.4.1.46242.2.1.2.1", "2", "4100"),
            ("1.3.6.1.4.1.46242.3.1.2.1", "4", "PHY 0"),
            ("1.3.6.1.4.1.46242.3.1.3.1", "2", "43"),
            ("1.3.6.1.4.1.46242.4.1.2.1", "4", "24V"),
            ("1.3.6.1.4.1.46242.4.1.3.1", "2", "2412"),
        ],
    );
    assert_eq!(values(&netonix, SensorClass::Fan), named(&[("fan 1", 4100.0)]));
    assert_eq!(values(&netonix, SensorClass::Temperature), named(&[("PHY 0", 43.0)]));
    assert_eq!(values(&netonix, SensorClass::Voltage), named(&[("24V", 24.12)]));
}

#[test]
fn boxes_of_fastpath_and_switches_of_avaya_tell_their_environment() {
    for (profile, object_id, description, root) in [
        ("netgear/managed", "1.3.6.1.4.1.4526.100.1.14", "", "1.3.6.1.4.1.4526.10"),
        ("netgear/smart", "1.3.6.1.4.1.4526.100.4.19", "", "1.3.6.1.4.1.4526.11"),
        (
            "ubiquiti/edgeswitch",
            "1.3.6.1.4.1.4413",
            "EdgeSwitch 24-Port 250W, 1.7.3, Linux 3.6.5",
            "1.3.6.1.4.1.4413.1.1",
        ),
        (
            "dell/dnos6",
            "1.3.6.1.4.1.674.10895.3061",
            "Dell EMC Networking N3048EP-ON",
            "1.3.6.1.4.1.674.10895.5000.2.6132.1.1",
        ),
    ] {
        let cells: Vec<(String, &str, &str)> = [
            ("43.1.6.1.3.1.0", "2", "3"),
            ("43.1.6.1.4.1.0", "2", "0"),
            ("43.1.7.1.3.1.0", "2", "2"),
            ("43.1.7.1.3.1.1", "2", "1"),
            ("43.1.8.1.5.1.0", "2", "39"),
        ]
        .iter()
        .map(|(end, tag, value)| (format!("{root}.{end}"), *tag, *value))
        .collect();
        let mut cells: Vec<_> = cells.iter().map(|(name, tag, value)| (name.as_str(), *tag, *value)).collect();
        cells.push(("1.3.6.1.2.1.1.1.0", "4", description));
        let table = says(profile, object_id, &cells);
        assert_eq!(
            of(&table, SensorClass::Fan),
            [("fan 1.0".to_owned(), Some(0.0), SensorStatus::Critical)],
            "{profile}"
        );
        assert_eq!(
            of(&table, SensorClass::State),
            [("power supply 1.0".to_owned(), None, SensorStatus::Ok)],
            "{profile}"
        );
        assert_eq!(values(&table, SensorClass::Temperature), named(&[("temperature 1.0", 39.0)]), "{profile}");
    }
    let boss = says(
        "avaya/boss",
        "1.3.6.1.4.1.45.3.78.1",
        &[
            ("1.3.6.1.4.1.45.1.6.3.8.1.1.5.3.10.0", "66", "12"),
            ("1.3.6.1.4.1.45.1.6.3.8.1.1.12.3.10.0", "66", "128"),
            ("1.3.6.1.4.1.45.1.6.3.8.1.1.13.3.10.0", "66", "64"),
            ("1.3.6.1.4.1.45.1.6.3.7.1.1.5.5.10.0", "2", "61"),
        ],
    );
    assert_eq!(loads(&boss), named(&[("unit 10", 12.0)]));
    assert_eq!(boss.equipment.memory[0].used_bytes, Some(64 << 20));
    assert_eq!(values(&boss, SensorClass::Temperature), named(&[("temperature 5.10.0", 30.5)]));
}

#[test]
fn half_and_full_come_from_the_medium_where_ethernet_tells_none() {
    let cells = |more: &[(&'static str, &'static str, &'static str)]| {
        let mut cells = vec![
            ("1.3.6.1.2.1.2.2.1.2.1", "4", "1"),
            ("1.3.6.1.2.1.2.2.1.3.1", "2", "6"),
            ("1.3.6.1.2.1.2.2.1.8.1", "2", "1"),
            ("1.3.6.1.2.1.2.2.1.2.2", "4", "2"),
            ("1.3.6.1.2.1.2.2.1.3.2", "2", "6"),
            ("1.3.6.1.2.1.2.2.1.8.2", "2", "2"),
            ("1.3.6.1.2.1.26.2.1.1.3.1.1", "6", "1.3.6.1.2.1.26.4.15"),
            ("1.3.6.1.2.1.26.2.1.1.3.2.1", "6", "1.3.6.1.2.1.26.4.30"),
        ];
        cells.extend_from_slice(more);
        cells
    };
    let duplex = |table: &PortTable| table.ports.iter().map(|p| p.duplex).collect::<Vec<_>>();
    let table = says("generic/any", "1.3.6.1.4.1.99999.1", &cells(&[]));
    assert_eq!(duplex(&table), [Some(crate::model::Duplex::Half), None], "a port without link has no duplex");
    let table = says("generic/any", "1.3.6.1.4.1.99999.1", &cells(&[("1.3.6.1.2.1.10.7.2.1.19.1", "2", "3")]));
    assert_eq!(duplex(&table), [Some(crate::model::Duplex::Full), None]);
}
