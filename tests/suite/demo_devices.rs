//! What the devices of `noctty demo` say, read by the program itself over loopback: the real groups of tables, field by field.

use std::net::{IpAddr, SocketAddr};
use std::process::Command;

use noctty::base::Clock;
use noctty::sim::campus;
use noctty::sim::network::community;
use noctty::sim::snmp::{AgentSpec, SnmpAgents};
use noctty::sim::topology::{Size, Topology};
use serde_json::{Value, json};

fn network() -> (Topology, SnmpAgents) {
    let topology = Topology { size: Size { hosts: 12, switches: 4, ports: 28, seed: 1 } };
    let specs = (0..topology.agents()).map(|agent| AgentSpec {
        // Away from a demo that may be running.
        address: SocketAddr::new(IpAddr::from([127, 33, 7, 1 + agent as u8]), 0),
        name: topology.agent_name(agent),
        community: community().to_owned(),
        user: None,
        ports: u32::try_from(topology.agent_ports(agent)).expect("few"),
        seed: topology.switch_seed(agent),
    });
    let agents = SnmpAgents::start_with(specs.collect(), campus::says(&topology), Clock::start());
    (topology, agents.expect("the simulator starts"))
}

/// One walk of everything that an agent says.
fn document(agent: SocketAddr) -> Value {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_noctty"));
    command.env_clear().env("HOME", home.path()).env("PATH", "/usr/bin:/bin").env("NOCTTY_COMMUNITY", community());
    command.args(["ports", &agent.to_string(), "--json"]);
    let output = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text} {}", String::from_utf8_lossy(&output.stderr)))
}

fn port<'a>(document: &'a Value, name: &str) -> &'a Value {
    let ports = document["ports"].as_array().expect("ports");
    ports.iter().find(|p| p["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn an_access_switch_has_its_neighbor_its_vlans_power_stations_and_parts() {
    let (topology, agents) = network();
    assert_eq!(topology.switch_name(3), "acc-sw02");
    let document = document(agents.addresses()[3]);
    let uplink = port(&document, "Te1/1/1");
    assert_eq!(
        (&uplink["neighbors"][0]["name"], &uplink["neighbors"][0]["port"]),
        (&json!("core-sw2"), &json!("Te1/1/1")),
        "{uplink}"
    );
    assert_eq!((&uplink["vlan"], &uplink["tagged_vlans"]), (&json!(99), &json!([10, 20])));
    let telephone = port(&document, "Gi1/0/6");
    assert_eq!(telephone["vlan"], 20, "{telephone}");
    assert!(["delivering", "searching"].iter().any(|s| telephone["poe"]["status"] == *s), "{telephone}");
    // Its own hosts on access ports, the others beyond the uplink.
    let heard = |mac: &str| {
        let rows = document["mac_addresses"].as_array().expect("stations").iter();
        rows.filter(|row| row["mac"] == mac).map(|row| row["port"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(heard("52:54:00:20:00:01"), ["Gi1/0/1"]);
    assert_eq!(heard("52:54:00:20:00:00"), ["Te1/1/1"]);
    assert!(document["sensors"].as_array().is_some_and(|s| s.len() == 3), "{}", document["sensors"]);
    assert!(document["processors"].as_array().is_some_and(|p| p.len() == 1));
}

#[test]
fn core_switches_have_an_aggregate_between_them_and_their_neighbors_adjacent() {
    let (_, agents) = network();
    let document = document(agents.addresses()[0]);
    assert_eq!(port(&document, "Gi1/0/23")["lag"], json!({ "aggregate": "Po1", "bundled": true }));
    assert_eq!(port(&document, "Po1")["oper"], "up");
    let arp = document["arp"].as_array().expect("addresses");
    let host = Topology::host_address(1).to_string();
    let row = arp.iter().find(|row| row["address"] == host.as_str()).unwrap_or_else(|| panic!("{host} in {arp:?}"));
    assert_eq!(row["mac"], "52:54:00:20:00:01");
    assert_eq!(document["ospf"].as_array().map(Vec::len), Some(2), "{}", document["ospf"]);
    assert!(document["ospf"].as_array().expect("rows").iter().all(|n| n["state"] == "full"));
}

#[test]
fn the_edge_has_carriers_and_the_ups_is_on_mains() {
    let (topology, agents) = network();
    assert_eq!((topology.agent_name(4), topology.agent_name(5)), ("edge-rt1".to_owned(), "ups-a".to_owned()));
    let edge = document(agents.addresses()[4]);
    let peers = edge["bgp"].as_array().expect("peers");
    assert_eq!(peers.len(), 3, "{peers:?}");
    assert_eq!((&peers[0]["state"], &peers[0]["remote_as"]), (&json!("established"), &json!(64_500)));
    let ups = document(agents.addresses()[5]);
    assert_eq!(ups["ups"]["source"], "mains", "{}", ups["ups"]);
    assert!(ups["ups"]["minutes_left"].as_f64().is_some_and(|m| m > 30.0));
}
