//! `noctty ports --json` against recorded devices of many makers: what it prints must be what the recording says.

mod agent;
mod oracle;
mod peculiar;
mod profiles;
mod recording;

use std::collections::{BTreeMap, HashSet};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use agent::Agent;
use recording::Recording;

use crate::peer::{Peer, until};

fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/recordings")
}

/// What the program prints of the device at that address.
fn look(address: SocketAddr, community: &str) -> Value {
    look_with(address, community, &[])
}

fn look_with(address: SocketAddr, community: &str, options: &[&str]) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_noctty"))
        .env_clear()
        .env("HOME", folder.path())
        .env("NOCTTY_COMMUNITY", community)
        .args(["ports", &address.to_string(), "--json"])
        .args(options)
        .output()
        .expect("noctty runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"))
}

/// Every recorded device of those whose file is of that size; the fields that must have been compared at all, and how many
/// there are at least.
fn compare_all(sizes: std::ops::Range<u64>, fields: &[&str], least: usize) {
    let folder = std::fs::read_dir(recordings()).expect("tests/setup unpacks the recordings");
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| sizes.contains(&path.metadata().expect("a file").len()));
    paths.sort();
    let mut differences = Vec::new();
    let mut compared: BTreeMap<&str, usize> = BTreeMap::new();
    for path in &paths {
        let recording = Arc::new(Recording::read(path));
        if recording.lines.is_empty() {
            continue;
        }
        let agent = Agent::start(recording.clone());
        let begun = Instant::now();
        let document = look(agent.address, "recorded");
        assert!(begun.elapsed() < Duration::from_secs(20), "{} takes {:?}", recording.name, begun.elapsed());
        let verdict = oracle::compare(&recording, &document);
        differences.extend(verdict.differences.iter().map(|d| format!("{}: {d}", recording.name)));
        for (field, count) in verdict.compared {
            *compared.entry(field).or_default() += count;
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    assert!(fields.iter().all(|field| compared.get(field).is_some_and(|n| *n > 0)), "{compared:?}");
    assert!(compared.values().sum::<usize>() >= least, "{compared:?}");
}

#[test]
fn small_devices_are_printed_as_they_were_recorded() {
    let fields = [
        "name",
        "oper",
        "vlan",
        "vlans",
        "stp",
        "spanning_tree",
        "neighbors",
        "lag",
        "mac_addresses",
        "arp",
        "entities",
        "sensors",
        "processors",
        "memory",
        "storage",
        "load",
        "ospf",
        "ups",
        "fcs_errors",
    ];
    compare_all(0..2_000_000, &fields, 12_000);
}

#[test]
fn large_devices_are_printed_as_they_were_recorded() {
    let fields = ["name", "vlan", "vlans", "stp", "neighbors", "mac_addresses", "arp", "entities", "sensors", "ospf"];
    compare_all(2_000_000..15_000_000, &fields, 10_000);
}

#[test]
fn very_large_devices_are_printed_as_they_were_recorded() {
    let fields = ["name", "vlan", "vlans", "stp", "neighbors", "mac_addresses", "arp", "entities", "ospf"];
    compare_all(15_000_000..50_000_000, &fields, 10_000);
}

fn recorded(device: &str) -> Recording {
    Recording::read(&recordings().join(format!("{device}.snmprec")))
}

#[test]
fn in_version_1_the_same_is_printed() {
    for device in
        ["network_router_huawei-s5720", "UPS_eaton-93e-80", "os_linux_unknown-003", "network_switch_dlink-des3200"]
    {
        let recording = Arc::new(recorded(device));
        let agent = Agent::start(recording.clone());
        let document = look_by_config(&agent, "version = \"1\"");
        assert_eq!(document["complete"], true, "{device}: {}", document["warnings"]);
        let verdict = oracle::compare(&recording, &document);
        assert!(verdict.differences.is_empty(), "{device}: {:#?}", verdict.differences);
    }
}

/// What is printed of a host whose `snmp` table has these options beside.
fn look_by_config(agent: &Agent, options: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("noctty.toml");
    let (ip, port) = (agent.address.ip(), agent.address.port());
    let snmp = format!("{{ port = {port}, community = {{ env = \"NOCTTY_COMMUNITY\" }}, {options} }}");
    std::fs::write(&config, format!("[[host]]\nname = \"far\"\naddress = \"{ip}\"\nsnmp = {snmp}\n")).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_noctty"))
        .env_clear()
        .env("HOME", folder.path())
        .env("NOCTTY_COMMUNITY", "recorded")
        .arg("--config")
        .arg(&config)
        .args(["ports", "far", "--json"])
        .output()
        .expect("noctty runs");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn with_several_requests_under_way_the_same_is_printed() {
    for device in ["network_switch_hpe-procurve-516733-b21", "network_router_huawei-s5720", "UPS_eaton-93e-80"] {
        let recording = Arc::new(recorded(device));
        let agent = Agent::start(recording.clone());
        let [mut one, mut four] = ["in_flight = 1", "in_flight = 4"].map(|options| look_by_config(&agent, options));
        assert_eq!(four["complete"], true, "{device}: {}", four["warnings"]);
        let verdict = oracle::compare(&recording, &four);
        assert!(verdict.differences.is_empty(), "{device}: {:#?}", verdict.differences);
        for document in [&mut one, &mut four] {
            let fields = document.as_object_mut().expect("an object");
            fields.retain(|key, _| !["collected_at", "tables", "ports"].contains(&key.as_str()));
        }
        assert_eq!(one, four, "{device}");
    }
}

/// Devices of different makers whose tables are of different kinds.
const SIMULATED: &[&str] = &[
    "network_switch_cisco-c3750",
    "network_switch_hpe-procurve-516733-b21",
    "cloud_arista-dcs-7150s-52-cl",
    "network_router_juniper-mx960-13-3r9-13",
    "network_router_huawei-s5720",
    "network_switch_h3c-e528-1",
    "network_firewall_paloalto-pa-5000",
    "UPS_eaton-93e-80",
    "UPS_apc-8932",
    "os_linux_unknown-003",
];

#[test]
fn snmpsim_plays_the_same_devices_and_they_are_printed_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, cache) = (folder.path().join("data"), folder.path().join("cache"));
    for path in [&data, &cache] {
        std::fs::create_dir(path).expect("a folder");
    }
    // What is never asked for would only have to be indexed.
    for device in SIMULATED {
        let whole = std::fs::read(recordings().join(format!("{device}.snmprec"))).expect("tests/setup unpacks it");
        let lines: Vec<&[u8]> = recording::relevant(&whole).collect();
        std::fs::write(data.join(format!("{device}.snmprec")), [&lines.join(&b'\n')[..], b"\n"].concat())
            .expect("written");
    }
    let address = UdpSocket::bind("127.0.0.65:0").and_then(|s| s.local_addr()).expect("a free port");
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/snmpsim");
    let program = venv.join("bin/snmpsim-command-responder");
    let options = [
        format!("--data-dir={}", data.display()),
        format!("--cache-dir={}", cache.display()),
        format!("--agent-udpv4-endpoint={address}"),
        "--variation-modules-dir=/nonexistent".to_owned(),
    ];
    let mut arguments: Vec<&str> = options.iter().map(String::as_str).collect();
    if is_root() {
        arguments.extend(["--process-user=root", "--process-group=root"]);
    }
    let peer = Peer::start(folder.path(), &program, &arguments);
    until("snmpsim answers", || {
        let get = Command::new("snmpget")
            .args(["-v2c", "-c", SIMULATED[0], "-t", "1", "-r", "0", &address.to_string(), "1.3.6.1.2.1.1.1.0"])
            .env("MIBS", "")
            .output();
        get.expect("net-snmp's tools are installed").status.success()
    });
    for device in SIMULATED {
        let document = look(address, device);
        let verdict = oracle::compare(&recorded(device), &document);
        assert!(verdict.differences.is_empty(), "{device}: {:#?}\n{}", verdict.differences, peer.log());
        assert!(verdict.compared.values().sum::<usize>() > 5, "{device}: next to nothing was compared");
    }
}

/// snmpsim wants to be told whom to become when root starts it.
fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

#[test]
fn the_comparison_sees_what_is_wrong() {
    let recording = Arc::new(recorded("network_switch_hpe-procurve-516733-b21"));
    let agent = Agent::start(recording.clone());
    let document = look(agent.address, "recorded");
    assert_eq!(oracle::compare(&recording, &document).differences, Vec::<String>::new());
    let forged = |change: fn(&mut Value)| {
        let mut document = document.clone();
        change(&mut document);
        oracle::compare(&recording, &document).differences.len()
    };
    assert!(forged(|d| d["ports"][3]["vlan"] = 4000.into()) > 0);
    assert!(forged(|d| d["ports"][3]["stp"] = "learning".into()) > 0);
    assert!(forged(|d| d["ports"][16]["neighbors"] = Value::Array(Vec::new())) > 0);
    assert!(forged(|d| d["mac_addresses"][0]["port"] = "99".into()) > 0);
    assert!(forged(|d| d["entities"][0]["serial"] = "forged".into()) > 0);
    assert!(forged(|d| d["vlans"][0]["name"] = "forged".into()) > 0);
    assert!(forged(|d| d["spanning_tree"]["root"] = "0/00:00:00:00:00:00".into()) > 0);
}

#[test]
fn tables_that_an_agent_is_silent_on_cost_nothing_else() {
    let whole = Arc::new(recorded("network_switch_hpe-procurve-516733-b21"));
    // The spanning tree, whose scalars are asked for together with others, neighbors, and the stations.
    let deaf = [&[1, 3, 6, 1, 2, 1, 17, 2][..], &[1, 0, 8802, 1, 1, 2, 1, 4, 1], &[1, 3, 6, 1, 2, 1, 17, 7, 1, 2, 2]];
    let deaf: HashSet<Vec<u32>> = deaf.iter().map(|tree| tree.to_vec()).collect();
    let agent = Agent::deaf(whole.clone(), deaf);
    let begun = Instant::now();
    let document = look_with(agent.address, "recorded", &["--timeout", "100ms", "--retries", "1"]);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(document["complete"], false);
    let incomplete = |group: &str| {
        let tables = document["tables"].as_array().expect("tables");
        let found = tables.iter().find(|t| t["group"] == group).expect("the group is named");
        found["incomplete"].as_str().map(str::to_owned)
    };
    for group in ["spanning-tree", "lldp", "forwarding"] {
        assert!(incomplete(group).is_some_and(|why| why.contains("no answer")), "{group}: {:?}", incomplete(group));
    }
    for group in ["vlans", "cdp", "entity", "bridge-ports", "sensors", "arp", "lag"] {
        assert_eq!(incomplete(group), None, "{group}");
    }
    let verdict = oracle::compare(&whole, &document);
    let others: Vec<&String> =
        verdict.differences.iter().filter(|d| !d.starts_with("stp") && !d.starts_with("spanning_tree")).collect();
    assert!(others.is_empty(), "{others:#?}");
    assert!(verdict.compared["vlan"] == 24 && verdict.compared["entities"] > 0);
}
