//! A device of every shipped profile, as it calls itself: no profile is dead.

use super::*;

/// sysObjectID, sysDescr, the scalar that it must answer (empty: none), profile.
const DEVICES: &[(&str, &str, &str, &str)] = &[
    ("1.3.6.1.4.1.6486.801.1.1.2.1.11.1.2", "Alcatel-Lucent Enterprise OS6860E-24 8.4.1.229.R02 GA", "", "alcatel/aos"),
    ("1.3.6.1.4.1.207.1.4.125", "Allied Telesis router/switch, AW+ v5.4.4", "", "allied-telesis/awplus"),
    ("1.3.6.1.4.1.318.1.3.11", "APC Web/SNMP Management Card (MB:v3.8.6 PF:v3.5.7 MN:AP7723)", "", "apc/ats"),
    ("1.3.6.1.4.1.318.1.3.4.5", "APC Web/SNMP Management Card (MB:v4.0.1 MN:AP8959EU3)", "", "apc/pdu"),
    ("1.3.6.1.4.1.318.1.3.27", "APC Web/SNMP Management Card (MB:v4.1.0 MN:AP9631)", "", "apc/ups"),
    ("1.3.6.1.4.1.30065.1.3011.7050.3741.3.64", "Arista Networks EOS version 4.20.5F", "", "arista/eos"),
    ("1.3.6.1.4.1.47196.4.1.1.1.100", "Aruba JL635A 8325 GL.10.04.0040", "", "aruba/aos-cx"),
    ("1.3.6.1.4.1.11.2.3.7.11.182.21", "Aruba JL322A 2930M-48G-PoE+ Switch", "", "aruba/aos-s"),
    ("1.3.6.1.4.1.14823.1.1.39", "ArubaOS (MODEL: Aruba7030), Version 8.6.0.4", "", "aruba/arubaos"),
    ("1.3.6.1.4.1.3320.1.207.0", "BDCOM(tm) S2528-B Software, Version 2.2.0B", "", "bdcom/bdcom"),
    ("1.3.6.1.4.1.1588.2.1.1.1", "Fibre Channel Switch.", "", "brocade/fabricos"),
    ("1.3.6.1.4.1.1991.1.3.51.1", "Brocade NetIron CES, Extended route scalability", "", "brocade/ironware"),
    ("1.3.6.1.4.1.1991.1.3.62.2.1", "Ruckus Wireless, Inc. Stacking System ICX7150-48", "", "brocade/ruckus-icx"),
    ("1.3.6.1.4.1.2620.1.6.123.1.49", "Linux fw1 2.6.18-92cpx86_64", "", "checkpoint/gaia"),
    ("1.3.6.1.4.1.8072.3.2.10", "Linux fw2 3.10.0-957cpx86_64", "1.3.6.1.4.1.2620.1.6.4.1.0", "checkpoint/gaia"),
    ("1.3.6.1.4.1.9.1.1194", "Cisco Adaptive Security Appliance Version 9.1(5)", "", "cisco/asa"),
    (
        "1.3.6.1.4.1.9.5.44",
        "Cisco Systems, Inc. WS-C6509 Cisco Catalyst Operating System Software, Version 8.5(5)",
        "",
        "cisco/catos",
    ),
    ("1.3.6.1.4.1.9.1.2313", "Cisco Firepower Threat Defense, Version 6.4.0", "", "cisco/ftd"),
    (
        "1.3.6.1.4.1.9.1.516",
        "Cisco IOS Software, C3750 Software (C3750-IPBASEK9-M), Version 12.2(55)SE3",
        "",
        "cisco/ios",
    ),
    (
        "1.3.6.1.4.1.9.1.2494",
        "Cisco IOS Software [Gibraltar], Catalyst L3 Switch Software (CAT9K_IOSXE), Version 16.12.4",
        "",
        "cisco/iosxe",
    ),
    ("1.3.6.1.4.1.9.1.1017", "Cisco IOS XR Software (Cisco ASR9K Series), Version 5.3.3[Default]", "", "cisco/iosxr"),
    ("1.3.6.1.4.1.29671.2.206", "Meraki MS220-8P Cloud Managed PoE Switch", "", "cisco/meraki"),
    (
        "1.3.6.1.4.1.9.12.3.1.3.1812",
        "Cisco NX-OS(tm) nxos.7.0.3.I4.6.bin, Software (nxos), Version 7.0(3)I4(6)",
        "",
        "cisco/nxos",
    ),
    ("1.3.6.1.4.1.9.6.1.82.24.1", "SG300-28 28-Port Gigabit Managed Switch", "", "cisco/small-business"),
    ("1.3.6.1.4.1.9.1.1069", "Cisco Controller", "", "cisco/wlc"),
    ("1.3.6.1.4.1.14179.1.1.4.3", "", "", "cisco/wlc"),
    ("1.3.6.1.4.1.40310", "Cumulus Linux 3.7.11 (Linux Kernel 4.1.33-1+cl3u25)", "", "cumulus/linux"),
    ("1.3.6.1.4.1.3808.1.1.1", "UPS SNMP Card", "", "cyberpower/cps"),
    ("1.3.6.1.4.1.12124.1", "nas-1 Isilon OneFS v8.1.2.0", "", "dell-emc/onefs"),
    ("1.3.6.1.4.1.674.10895.3061", "Dell EMC Networking N3048EP-ON, 6.6.0.1", "", "dell/dnos6"),
    ("1.3.6.1.4.1.674.10892.5", "", "", "dell/idrac"),
    ("1.3.6.1.4.1.674.11000.5000.100.2.1.7", "Dell EMC Networking OS10 Enterprise.", "", "dell/os10"),
    ("1.3.6.1.4.1.6027.1.3.20", "Dell Networking OS Operating System Version: 2.0", "", "dell/os9"),
    ("1.3.6.1.4.1.674.10895.3031", "PowerConnect 5524", "", "dell/powerconnect"),
    ("1.3.6.1.4.1.6339.1.1.1.244", "DCRS-5950-28T Device", "", "digital-china/dcn"),
    ("1.3.6.1.4.1.171.10.113.6.1", "DGS-3420-28SC Gigabit Ethernet Switch", "", "dlink/dlink"),
    ("1.3.6.1.4.1.31648.3.98", "DPtech FW1000 Conplat Software", "", "dptech/conplat"),
    ("1.3.6.1.4.1.534.6.6.7", "Eaton ePDU MA 1P IN:L6-30P 24A OUT:20xC13, 4xC19", "", "eaton/epdu"),
    ("1.3.6.1.4.1.705.1.2", "Eaton 9PX", "", "eaton/mge"),
    ("1.3.6.1.4.1.534.1", "Eaton Gigabit Network Card v2.1.5", "", "eaton/xups"),
    ("1.3.6.1.4.1.1916.2.141", "ExtremeXOS (X480-48t) version 15.7.3.1", "", "extreme/exos"),
    ("1.3.6.1.4.1.3375.2.1.3.4.105", "BIG-IP Virtual Edition : Linux 3.10.0", "", "f5/bigip"),
    ("1.3.6.1.4.1.12356.106.1.10481", "FortiSwitch-1048E", "", "fortinet/appliance"),
    ("1.3.6.1.4.1.12356.101.1.1001", "", "", "fortinet/fortigate"),
    ("1.3.6.1.4.1.8072.3.2.8", "FreeBSD host 12.1-RELEASE", "", "freebsd/freebsd"),
    ("1.3.6.1.4.1.12325.1.1.2.1.1", "pfSense fw.example.net 2.4.5-RELEASE", "", "freebsd/pfsense"),
    ("1.3.6.1.4.1.99999.1", "a box that nobody has heard of", "", "generic/any"),
    ("1.3.6.1.4.1.25506.11.1.57", "HPE 5900AF-48XG-4QSFP+ Switch Comware Platform Software", "", "hpe/comware-hpe"),
    ("1.3.6.1.4.1.25506.1.390", "H3C Comware Platform Software, Software Version 5.20", "", "hpe/comware"),
    ("1.3.6.1.4.1.11.2.3.7.11.87", "HP J9021A Switch 2810-24G, revision N.11.25", "", "hpe/procurve"),
    ("1.3.6.1.4.1.2011.2.23.369", "S5720-36C-EI-AC Huawei Versatile Routing Platform Software", "", "huawei/vrp"),
    ("1.3.6.1.4.1.2636.1.1.1.2.31", "Juniper Networks, Inc. ex2200-24t-4g internet router", "", "juniper/junos"),
    ("1.3.6.1.4.1.14525.3.3.1", "Juniper Networks Inc MX-8 7.7.4.1 REL", "", "juniper/mss"),
    ("1.3.6.1.4.1.3224.1.16", "NetScreen-25 version 5.4.0r20.0", "", "juniper/screenos"),
    ("1.3.6.1.4.1.8072.3.2.10", "Linux host 5.10.0-8-amd64", "", "linux/net-snmp"),
    ("1.3.6.1.4.1.5651.1.102.48", "MyPower (R) Operating System Software", "", "maipu/mypower"),
    ("1.3.6.1.4.1.311.1.1.3.1.2", "Hardware: Intel64 - Software: Windows Version 10.0", "", "microsoft/windows"),
    ("1.3.6.1.4.1.14988.1", "RouterOS CCR1009-8G-1S", "", "mikrotik/routeros"),
    ("1.3.6.1.4.1.789.2.5", "NetApp Release 9.7P8", "", "netapp/ontap"),
    ("1.3.6.1.4.1.4526.100.1.14", "GSM7328S ProSafe 24-Port Gigabit Managed Switch", "", "netgear/managed"),
    ("1.3.6.1.4.1.4526.100.4.19", "GS724Tv3 ProSafe 24-port Gigabit Smart Switch", "", "netgear/smart"),
    ("1.3.6.1.4.1.6527.1.3.4", "TiMOS-C-14.0.R4 cpm/hops64 ALCATEL SR 7750 Copyright (c) 2000-2016", "", "nokia/sros"),
    ("1.3.6.1.4.1.25461.2.3.18", "Palo Alto Networks PA-3020 series firewall", "", "paloalto/panos"),
    ("1.3.6.1.4.1.24681", "Linux TS-469L 4.3.4", "", "qnap/qts"),
    ("1.3.6.1.4.1.8072.3.2.10", "Linux TS-469L 4.3.4", "1.3.6.1.4.1.24681.1.2.12.0", "qnap/qts"),
    ("1.3.6.1.4.1.13742.4", "Raritan Dominion PX - Firmware Version 010507-11172", "", "raritan/pdu"),
    ("1.3.6.1.4.1.13742.6", "PX2 030311", "", "raritan/pdu2"),
    ("1.3.6.1.4.1.25053.3.1.5.15", "Ruckus Wireless ZD3050", "", "ruckus/wireless"),
    ("1.3.6.1.4.1.4881.1.1.10.1.44", "Ruijie Gigabit Security & Intelligence Access Switch", "", "ruijie/rgos"),
    ("1.3.6.1.4.1.1718.3", "Sentry Switched CDU", "", "servertech/sentry3"),
    ("1.3.6.1.4.1.1718.4", "Sentry Smart PDU", "", "servertech/sentry4"),
    ("1.3.6.1.4.1.8741.1", "SonicWALL NSA 3500 (SonicOS Enhanced 5.9.0.2-107o)", "", "sonicwall/sonicos"),
    ("1.3.6.1.4.1.2604.5", "Linux localhost 4.14.38", "", "sophos/sfos"),
    ("1.3.6.1.4.1.8072.3.2.10", "Linux localhost 4.14.38", "1.3.6.1.4.1.2604.5.1.1.3.0", "sophos/sfos"),
    ("1.3.6.1.4.1.6574", "Linux DiskStation 4.4.59+", "", "synology/dsm"),
    ("1.3.6.1.4.1.8072.3.2.10", "Linux DiskStation 4.4.59+", "1.3.6.1.4.1.6574.1.5.1.0", "synology/dsm"),
    ("1.3.6.1.4.1.14331.5.1", "TopsecOS", "", "topsec/tos"),
    ("1.3.6.1.4.1.11863.5.33", "JetStream 24-Port Gigabit L2 Managed Switch", "", "tplink/jetstream"),
    ("1.3.6.1.4.1.850.1", "POWERALERT", "", "tripplite/poweralert"),
    ("1.3.6.1.4.1.10002.1", "Linux 2.6.32.68 #1 Wed Feb 6 mips", "", "ubiquiti/airos"),
    ("1.3.6.1.4.1.41112.1.5", "EdgeOS v1.9.1.1.4977353", "", "ubiquiti/edgeos"),
    ("1.3.6.1.4.1.4413", "EdgeSwitch 24-Port 250W, 1.7.3.5063194, Linux 3.6.5", "", "ubiquiti/edgeswitch"),
    ("1.3.6.1.4.1.41112", "UAP-AC-Pro-Gen2 4.0.21.9965", "1.3.6.1.4.1.41112.1.6.3.3.0", "ubiquiti/unifi-ap"),
    ("1.3.6.1.4.1.4413", "US-24-250W, 4.0.42.10433, Linux 3.6.5", "", "ubiquiti/unifi-switch"),
    ("1.3.6.1.4.1.21239.2", "RCM-O", "", "vertiv/geist"),
    ("1.3.6.1.4.1.476.1.42", "IS-UNITY-DP", "", "vertiv/liebert"),
    ("1.3.6.1.4.1.6876.4.1", "VMware ESXi 6.7.0 build-14320388", "", "vmware/esxi"),
    ("1.3.6.1.4.1.44641", "VyOS 1.2.6", "", "vyos/vyos"),
    ("1.3.6.1.4.1.3902.3.100.40", "ZXR10 2952 Version V1.1.02.F", "", "zte/zxr10"),
    (
        "1.3.6.1.4.1.12325.1.1.2.1.1",
        "OPNsense fw.example.net 18.1.1-a5575d7bd OPNsense FreeBSD 11.1-RELEASE-p6 amd64",
        "",
        "freebsd/opnsense",
    ),
    ("1.3.6.1.4.1.7367", "DrayTek Corporation, Router Model: Vigor2920 Series, Version: 3.8.8.2", "", "draytek/vigor"),
    ("1.3.6.1.4.1.232.9.4.10", "Integrated Lights-Out 4 2.50 Sep 23 2016", "", "hpe/ilo"),
    (
        "1.3.6.1.4.1.11.2.3.9.1",
        "HP ETHERNET MULTI-ENVIRONMENT,ROM none,JETDIRECT,JD149,EEPROM V.38.84",
        "",
        "hpe/jetdirect",
    ),
    ("1.3.6.1.4.1.367.1.1", "RICOH MP 3053 1.09 / RICOH Network Printer C model", "", "generic/printer"),
    ("1.3.6.1.4.1.890.1.15", "ZyWALL 2X", "", "zyxel/zynos"),
    ("1.3.6.1.4.1.25049.1.81", "Linux console 3.10.0-uc0 armv4tl", "", "opengear/opengear"),
    ("1.3.6.1.4.1.45.3.78.1", "Ethernet Routing Switch 4850GTS-PWR+ HW:12 FW:5.6.2.1 SW:v5.7.0.008", "", "avaya/boss"),
    ("1.3.6.1.4.1.2272.206", "VSP-8284XSQ (5.1.1.0)", "", "avaya/voss"),
    ("1.3.6.1.4.1.7779.1.1004", "", "", "infoblox/nios"),
    ("1.3.6.1.4.1.5951.1", "NetScaler NS10.5: Build 52.11.nc", "", "citrix/netscaler"),
    ("1.3.6.1.4.1.17163.1.1", "Linux wan1 2.6.9", "", "riverbed/steelhead"),
    ("1.3.6.1.4.1.33049.1.1.1.6036", "Mellanox MSX6036F-1SFS,MLNX-OS,SWv3.3.4402", "", "mellanox/mlnx-os"),
    ("1.3.6.1.4.1.22610.1.3.14", "AX Series Advanced Traffic Manager AX2500, ACOS 2.7.1-P3", "", "a10/acos"),
    ("1.3.6.1.4.1.30155.23.1", "OpenBSD gw.example.net 6.6 GENERIC.MP#4 amd64", "", "openbsd/openbsd"),
    ("1.3.6.1.4.1.14823.1.2.59", "ArubaOS (MODEL: 225), Version 6.4.2.3-4.1.1.4 (47524)", "", "aruba/arubaos"),
    ("1.3.6.1.4.1.935.1.1.1", "", "", "phoenixtec/ppc"),
    ("1.3.6.1.4.1.35047.2.1", "Linux AC 2.4.35.4-AC1.95 #57 SMP", "", "generic/linux"),
    ("1.3.6.1.4.1.2021.250.10", "Linux sic 2.4.20_mvl31-integrator #17", "", "linux/net-snmp"),
];

#[test]
fn every_shipped_profile_is_chosen_for_a_device_of_its_maker() {
    let profiles = Profiles::shipped();
    let mut chosen = std::collections::HashSet::new();
    for (object_id, description, present, want) in DEVICES {
        let has = |oid: &Oid| oid.to_string() == *present;
        let found = profiles.choose(Some(object_id), description.as_bytes(), has).map(|p| &*p.name);
        assert_eq!(found, Some(*want), "{object_id} {description}");
        chosen.insert(*want);
    }
    // The others are for profiles to stand on, and one does.
    for (name, _) in shipped::FILES {
        let stands_below = |other: &&(&str, &str)| {
            let profile = profiles.get(other.0).expect("sound");
            other.0 != *name && profile.tables.iter().any(|table| table.name.starts_with(&format!("{name}:")))
        };
        assert!(chosen.contains(name) || shipped::FILES.iter().any(|other| stands_below(&other)), "{name} is dead");
    }
}
