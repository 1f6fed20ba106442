//! What devices are by their profiles: vendor, system, model, version and serial number, out of what they say of themselves.

use super::*;

type Said = &'static [(&'static str, &'static str)];

/// sysObjectID, sysDescr, texts beside, and what it is by that: vendor, system, model, version, serial number.
pub(super) type Told = (&'static str, &'static str, Said, [&'static str; 5]);

/// sysObjectID, sysDescr, texts beside, and what it is by that.
const DEVICES: &[Told] = &[
    (
        "1.3.6.1.4.1.12325.1.1.2.1.1",
        "OPNsense fw.example.net 18.1.1-a5575d7bd OPNsense FreeBSD 11.1-RELEASE-p6 amd64",
        &[],
        ["OPNsense", "opnsense", "", "18.1.1", ""],
    ),
    (
        "1.3.6.1.4.1.7367",
        "DrayTek Corporation, Router Model: Vigor2920 Series, Version: 3.8.8.2, Build Date/Time:May 21 2018",
        &[],
        ["DrayTek", "draytek", "Vigor2920", "3.8.8.2", ""],
    ),
    (
        "1.3.6.1.4.1.232.9.4.10",
        "Integrated Lights-Out 4 2.50 Sep 23 2016",
        &[],
        ["HPE", "ilo", "Integrated Lights-Out 4", "2.50", ""],
    ),
    (
        "1.3.6.1.4.1.232.9.4.10",
        "Integrated Lights-Out 4 2.50 Sep 23 2016",
        &[("1.3.6.1.4.1.232.2.2.2.1.0", "CZJ0000001"), ("1.3.6.1.4.1.232.2.2.4.2.0", "ProLiant DL380 Gen9")],
        ["HPE", "ilo", "ProLiant DL380 Gen9", "2.50", "CZJ0000001"],
    ),
    (
        "1.3.6.1.4.1.11.2.3.9.1",
        "HP ETHERNET MULTI-ENVIRONMENT,ROM none,JETDIRECT,JD149,EEPROM V.38.84,CIDATE 07/06/2012",
        &[("1.3.6.1.2.1.43.5.1.1.17.1", "VNB0000001"), ("1.3.6.1.4.1.11.2.3.9.4.2.1.1.3.2.0", "HP LaserJet M401n")],
        ["HP", "jetdirect", "HP LaserJet M401n", "38.84", "VNB0000001"],
    ),
    (
        "1.3.6.1.4.1.367.1.1",
        "RICOH MP 3053 1.09 / RICOH Network Printer C model / RICOH Network Scanner C model",
        &[],
        ["Ricoh", "printer", "MP 3053", "1.09", ""],
    ),
    (
        "1.3.6.1.4.1.2435.2.3.9.1",
        "Brother NC-8700w, Firmware Ver.1.15",
        &[("1.3.6.1.2.1.25.3.2.1.3.1", "Brother HL-L2340D series"), ("1.3.6.1.2.1.43.5.1.1.17.1", "E00001")],
        ["Brother", "printer", "Brother HL-L2340D series", "", "E00001"],
    ),
    (
        "1.3.6.1.4.1.1347.41",
        "KYOCERA Document Solutions Printing System",
        &[
            ("1.3.6.1.4.1.1347.43.5.1.1.1.1", "ECOSYS M5526cdw"),
            ("1.3.6.1.4.1.1347.43.5.1.1.28.1", "VR0000001"),
            ("1.3.6.1.4.1.1347.43.5.4.1.5.1.1", "2R7_2000.002.303"),
        ],
        ["Kyocera", "printer", "ECOSYS M5526cdw", "2R7_2000.002.303", "VR0000001"],
    ),
    (
        "1.3.6.1.4.1.890.1.15",
        "GS1900-24E",
        &[("1.3.6.1.4.1.890.1.15.3.1.6.0", "V2.40(AAHK.1)"), ("1.3.6.1.4.1.890.1.15.3.1.12.0", "S140Y0001")],
        ["Zyxel", "zynos", "GS1900-24E", "V2.40(AAHK.1)", "S140Y0001"],
    ),
    (
        "1.3.6.1.4.1.25049.1.81",
        "Linux console 3.10.0-uc0 armv4tl",
        &[("1.3.6.1.4.1.25049.17.1.1", "4.3.0 f5ad8650 ()"), ("1.3.6.1.4.1.25049.17.1.2", "70000000000001")],
        ["Opengear", "opengear", "", "4.3.0", "70000000000001"],
    ),
    (
        "1.3.6.1.4.1.45.3.78.1",
        "Ethernet Routing Switch 4850GTS-PWR+ HW:12       FW:5.6.2.1   SW:v5.7.0.008",
        &[("1.3.6.1.4.1.45.1.6.3.1.6.0", "LBNN0001")],
        ["Avaya", "boss", "4850GTS-PWR+", "5.7.0.008", "LBNN0001"],
    ),
    ("1.3.6.1.4.1.2272.206", "VSP-8284XSQ (5.1.1.0)", &[], ["Avaya", "voss", "VSP-8284XSQ", "5.1.1.0", ""]),
    (
        "1.3.6.1.4.1.7779.1.1004",
        "Linux 2.6.34.7",
        &[
            ("1.3.6.1.4.1.7779.3.1.1.2.1.4.0", "IB-1420"),
            ("1.3.6.1.4.1.7779.3.1.1.2.1.6.0", "420000000001"),
            ("1.3.6.1.4.1.7779.3.1.1.2.1.7.0", "8.2.4"),
        ],
        ["Infoblox", "nios", "IB-1420", "8.2.4", "420000000001"],
    ),
    (
        "1.3.6.1.4.1.5951.1",
        "NetScaler NS10.5: Build 52.11.nc, Date: Oct 10 2014, 01:46:25",
        &[("1.3.6.1.4.1.5951.4.1.1.14.0", "NS0000001")],
        ["Citrix", "netscaler", "", "NS10.5 52.11", "NS0000001"],
    ),
    (
        "1.3.6.1.4.1.17163.1.1",
        "Linux wan1 2.6.9-34.EL-rbt",
        &[("1.3.6.1.4.1.17163.1.1.1.1.0", "1050 (1050M)"), ("1.3.6.1.4.1.17163.1.1.1.2.0", "J48AB00000001")],
        ["Riverbed", "rios", "1050 (1050M)", "", "J48AB00000001"],
    ),
    (
        "1.3.6.1.4.1.33049.1.1.1.6036",
        "Mellanox MSX6036F-1SFS,MLNX-OS,SWv3.3.4402",
        &[],
        ["Mellanox", "mlnx-os", "MSX6036F-1SFS", "3.3.4402", ""],
    ),
    (
        "1.3.6.1.4.1.22610.1.3.14",
        "AX Series Advanced Traffic Manager AX2500, ACOS 2.7.1-P3,",
        &[],
        ["A10", "acos", "AX2500", "2.7.1-P3", ""],
    ),
    (
        "1.3.6.1.4.1.30155.23.1",
        "OpenBSD gw.example.net 6.6 GENERIC.MP#4 amd64",
        &[],
        ["OpenBSD", "openbsd", "", "6.6", ""],
    ),
    (
        "1.3.6.1.4.1.14823.1.2.59",
        "ArubaOS (MODEL: 225), Version 6.4.2.3-4.1.1.4 (47524)",
        &[],
        ["Aruba", "arubaos", "225", "6.4.2.3-4.1.1.4", ""],
    ),
    ("1.3.6.1.4.1.99999.1", "a switch", &[("1.3.6.1.2.1.16.19.2.0", "Build 1.00-B32")], ["", "", "", "1.00-B32", ""]),
    ("1.3.6.1.4.1.99999.1", "a switch", &[("1.3.6.1.2.1.16.19.2.0", "9-M)")], ["", "", "", "", ""]),
    (
        "1.3.6.1.4.1.35047.2.1",
        "Linux AC 2.4.35.4-AC1.95 #57 SMP  10 20 18:47:21 CST 2009 i686",
        &[],
        ["Sangfor", "linux", "", "2.4.35.4-AC1.95", ""],
    ),
    // Nobody's: what it calls so itself, and no number that stands for something else.
    (
        "1.3.6.1.4.1.664.1.861",
        "NetVanta 3120, Version: R13.2.0.E, Date: Tue Jul 16 15:34:15 2019",
        &[],
        ["Adtran", "adtran-aos", "3120", "R13.2.0.E", ""],
    ),
    (
        "1.3.6.1.4.1.99999.1",
        "Acme box, Model: AB-12 plus, Firmware Version 4.1.7-rc2, up 12.5 days",
        &[],
        ["", "", "AB-12 plus", "4.1.7-rc2", ""],
    ),
    ("1.3.6.1.4.1.99999.1", "a conversion 3.5 of models", &[], ["", "", "", "", ""]),
    ("1.3.6.1.4.1.99999.1", "Acme mini card v5.27 (SN 11120051132123)", &[], ["", "", "", "5.27", "11120051132123"]),
    ("1.3.6.1.4.1.99999.1", "Acme box, fw:60.7050, serial no. AB-1", &[], ["", "", "", "60.7050", ""]),
    ("1.3.6.1.4.1.99999.1", "a serial notebook, S/N UNKNOWN, serial number: none given", &[], ["", "", "", "", ""]),
];

#[test]
fn devices_are_known_for_what_they_say_of_themselves() {
    are(DEVICES);
}

/// They are read as that.
pub(super) fn are(devices: &[Told]) {
    let mut wrong = Vec::new();
    for (object_id, description, texts, want) in devices {
        let system = [("1.3.6.1.2.1.1.1.0", "4", *description), ("1.3.6.1.2.1.1.2.0", "6", *object_id)];
        let texts = texts.iter().map(|(name, text)| (*name, "4", *text));
        let cells: Vec<_> = system.into_iter().chain(texts).collect();
        let found = is(&Recording::of(&cells).look(&Profiles::shipped()));
        if found != want.map(str::to_owned) {
            wrong.push(format!("{description}: {found:?} and not {want:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
