//! `noctty ports` against net-snmp's own agent, and net-snmp's tools against our simulated agents.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use noctty::base::Clock;
use noctty::sim::snmp::{AgentSpec, SnmpAgents};
use serde_json::Value;

/// A running snmpd on loopback, ended by its process id.
struct Snmpd {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Snmpd {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = free_port("127.0.0.61");
        let config = format!(
            "agentAddress udp:{address}\nrocommunity lab-secret 127.0.0.0/8\nsysName lab-sw1\nsysLocation rack A3\nsysContact noc@example.test\n"
        );
        let path = folder.path().join("snmpd.conf");
        std::fs::write(&path, config).expect("the configuration is written");
        let child = Command::new("/usr/sbin/snmpd")
            .args(["-f", "-Lo", "-C", "-I", "-smux", "-c"])
            .arg(&path)
            .env("SNMP_PERSISTENT_DIR", folder.path())
            .env("MIBS", "")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("snmpd is installed (Debian: apt-get install snmpd snmp)");
        let snmpd = Self { child, address, _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(30);
        while !net_snmp("snmpget", &["-t", "1", "-r", "0"], "lab-secret", address, "1.3.6.1.2.1.1.3.0").status.success()
        {
            assert!(Instant::now() < deadline, "snmpd does not answer on {address}");
        }
        snmpd
    }
}

impl Drop for Snmpd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port(host: &str) -> SocketAddr {
    UdpSocket::bind((host, 0)).and_then(|s| s.local_addr()).expect("a free port")
}

fn net_snmp(tool: &str, options: &[&str], community: &str, agent: SocketAddr, oid: &str) -> Output {
    Command::new(tool)
        .args(["-v2c", "-c", community, "-On", "-OQ", "-Oe", "-OU", "-Ot"])
        .args(options)
        .args([&agent.to_string(), oid])
        .env("MIBS", "")
        .output()
        .expect("net-snmp's tools are installed (Debian: apt-get install snmp)")
}

/// A column by net-snmp's own walk: ifIndex to value as printed.
fn column(agent: SocketAddr, oid: &str) -> BTreeMap<u64, String> {
    let output = net_snmp("snmpwalk", &[], "lab-secret", agent, oid);
    assert!(output.status.success(), "snmpwalk failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            let (name, value) = line.split_once(" = ")?;
            let index = name.strip_prefix(&format!(".{oid}."))?.parse().ok()?;
            Some((index, value.trim_matches('"').to_owned()))
        })
        .collect()
}

fn noctty(folder: &Path, community: Option<&str>, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_noctty"));
    command.env_clear().env("HOME", folder).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    if let Some(community) = community {
        command.env("NOCTTY_COMMUNITY", community);
    }
    command.args(args).output().expect("noctty runs")
}

fn ports_json(agent: SocketAddr, community: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let output = noctty(folder.path(), Some(community), &["ports", &agent.to_string(), "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("valid JSON")
}

#[test]
fn every_field_equals_what_snmpwalk_shows_on_the_same_agent() {
    let snmpd = Snmpd::start();
    let document = ports_json(snmpd.address, "lab-secret");
    assert_eq!(document["schema"], "noctty.ports/1");
    assert_eq!(document["complete"], true, "{}", document["warnings"]);
    let device = &document["device"];
    assert_eq!(device["target"], snmpd.address.to_string());
    assert_eq!(device["name"], "lab-sw1");
    assert_eq!(device["location"], "rack A3");
    assert_eq!(device["contact"], "noc@example.test");
    assert!(device["uptime_s"].as_f64().is_some_and(|u| u < 600.0));
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("the kernel's release");
    assert_eq!((&device["vendor"], &device["os"]), (&"net-snmp".into(), &"linux".into()));
    assert_eq!(device["version"], kernel.trim());
    assert_eq!(device["profile"], "linux/net-snmp");
    assert!(device["model"].is_null() && device["serial"].is_null());

    let ports = document["ports"].as_array().expect("ports");
    let of = |oid: &str| column(snmpd.address, oid);
    let (descr, names) = (of("1.3.6.1.2.1.2.2.1.2"), of("1.3.6.1.2.1.31.1.1.1.1"));
    let (types, mtus, macs) = (of("1.3.6.1.2.1.2.2.1.3"), of("1.3.6.1.2.1.2.2.1.4"), of("1.3.6.1.2.1.2.2.1.6"));
    let (admin, oper) = (of("1.3.6.1.2.1.2.2.1.7"), of("1.3.6.1.2.1.2.2.1.8"));
    let (speed, high) = (of("1.3.6.1.2.1.2.2.1.5"), of("1.3.6.1.2.1.31.1.1.1.15"));
    let octets = of("1.3.6.1.2.1.31.1.1.1.6");
    let errors = of("1.3.6.1.2.1.2.2.1.14");
    assert!(!descr.is_empty(), "snmpd has interfaces");
    let indexes: Vec<u64> = ports.iter().filter_map(|p| p["index"].as_u64()).collect();
    assert_eq!(indexes, descr.keys().copied().collect::<Vec<_>>());
    for port in ports {
        let index = port["index"].as_u64().expect("an index");
        let number = |table: &BTreeMap<u64, String>| table.get(&index).and_then(|v| v.parse::<u64>().ok());
        assert_eq!(port["description"].as_str(), descr.get(&index).map(String::as_str));
        assert_eq!(port["name"].as_str(), names.get(&index).map(String::as_str));
        assert_eq!(port["type"].as_u64(), number(&types));
        assert_eq!(port["mtu"].as_u64(), number(&mtus));
        assert_eq!(port["admin"], ["", "up", "down", "testing"][number(&admin).expect("a status") as usize]);
        let words = ["", "up", "down", "testing", "unknown", "dormant", "notPresent", "lowerLayerDown"];
        assert_eq!(port["oper"], words[number(&oper).expect("a status") as usize]);
        let exact = number(&speed).filter(|s| *s > 0 && *s != u64::from(u32::MAX));
        let bits = exact.or(number(&high).filter(|h| *h > 0).map(|h| h * 1_000_000));
        assert_eq!(port["speed_bps"].as_u64(), bits, "port {index}");
        // The walk came first, and counters only grow.
        assert!(port["in_octets"].as_u64() <= number(&octets), "port {index}");
        assert!(port["in_octets"].is_u64());
        assert_eq!(port["in_errors"].as_u64(), number(&errors));
        let mac = macs.get(&index).map(|m| m.trim().replace(' ', ":").to_lowercase()).filter(|m| m.len() == 17);
        if let (Some(ours), Some(theirs)) = (port["mac"].as_str(), mac) {
            assert_eq!(ours, theirs);
        }
        for null in ["vlan", "poe"] {
            assert!(port.get(null).is_some_and(Value::is_null), "{null}");
        }
    }
}

#[test]
fn a_wrong_community_is_told_as_what_it_looks_like() {
    let snmpd = Snmpd::start();
    let folder = tempfile::tempdir().expect("a folder");
    let agent = snmpd.address.to_string();
    let args = ["ports", &agent, "--timeout", "200ms", "--retries", "1"];
    let output = noctty(folder.path(), Some("wr0ng-c4nary"), &args);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr);
    let want =
        format!("no answer to SNMP v2c from {agent} after 2 tries: wrong community, an access list, or no agent");
    assert!(said.contains(&want), "{said}");
    assert!(!said.contains("c4nary"));
}

#[test]
fn a_dead_port_and_a_missing_community_are_said_clearly() {
    let folder = tempfile::tempdir().expect("a folder");
    let dead = free_port("127.0.0.62").to_string();
    let output = noctty(folder.path(), Some("x"), &["ports", &dead, "--timeout", "100ms", "--retries", "0"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&format!("from {dead} after 1 try")));
    let output = noctty(folder.path(), None, &["ports", &dead]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("none is guessed"));
}

#[test]
fn without_an_answer_programs_get_an_object_that_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let dead = free_port("127.0.0.63").to_string();
    let output = noctty(folder.path(), Some("x"), &["ports", &dead, "--json", "--timeout", "100ms", "--retries", "0"]);
    assert_eq!(output.status.code(), Some(3));
    let document: Value = serde_json::from_slice(&output.stdout).expect("valid JSON");
    assert_eq!((&document["schema"], &document["complete"]), (&"noctty.ports/1".into(), &false.into()));
    assert_eq!((&document["device"]["target"], &document["ports"]), (&dead.as_str().into(), &Value::Array(Vec::new())));
    let why = format!("no answer to SNMP v2c from {dead} after 1 try");
    assert!(document["warnings"][0].as_str().is_some_and(|said| said.contains(&why)), "{document}");
    assert!(String::from_utf8_lossy(&output.stderr).contains(&why));
}

#[test]
fn version_1_can_be_asked_for() {
    let agents = simulated(4);
    let folder = tempfile::tempdir().expect("a folder");
    let agent = agents.addresses()[0].to_string();
    let output = noctty(folder.path(), Some("sim"), &["ports", &agent, "--v1"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Gi1/0/3"));
    let args = ["ports", &agent, "--v1", "--timeout", "100ms", "--retries", "0"];
    let output = noctty(folder.path(), Some("wrong"), &args);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no answer to SNMP v1 from"));
}

#[test]
fn a_community_on_the_command_line_is_taken_with_a_warning() {
    let agents = simulated(4);
    let folder = tempfile::tempdir().expect("a folder");
    let agent = agents.addresses()[0].to_string();
    let output = noctty(folder.path(), None, &["ports", &agent, "--community", "sim"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("can be seen by every user"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Gi1/0/3"));
}

fn simulated(ports: u32) -> SnmpAgents {
    let spec = AgentSpec {
        address: SocketAddr::from(([127, 0, 0, 63], 0)),
        name: "sim-sw1".to_owned(),
        community: "sim".to_owned(),
        user: None,
        ports,
        seed: 11,
    };
    SnmpAgents::start(vec![spec], Clock::start()).expect("the simulator starts")
}

#[test]
fn net_snmp_walks_a_simulated_agent_to_its_end() {
    let agents = simulated(48);
    let agent = agents.addresses()[0];
    for tool in ["snmpbulkwalk", "snmpwalk"] {
        let output = net_snmp(tool, &[], "sim", agent, "1.3.6.1.2.1");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{tool}: {text} {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(
            text.lines().filter(|l| !l.contains("No more variables")).count(),
            7 + 1 + 48 * (21 + 1 + 19) + 1,
            "{tool}"
        );
        assert!(text.contains(".1.3.6.1.2.1.31.1.1.1.1.48 = \"Te1/1/4\""), "{tool}");
    }
}

#[test]
fn what_changes_on_a_simulated_switch_shows_in_the_next_walk() {
    let agents = simulated(12);
    let agent = agents.addresses()[0];
    agents.set_link(0, 11, false);
    agents.set_half_duplex(0, 10, true);
    let document = ports_json_any(agent, "sim");
    let ports = document["ports"].as_array().expect("ports");
    assert_eq!(ports.len(), 12);
    assert_eq!((&ports[11]["oper"], &ports[11]["state"]), (&Value::from("down"), &Value::from("no-link")));
    assert!(ports[11]["last_change"].is_string() && ports[11]["idle_since"].is_string());
    assert!(ports[10]["idle_since"].is_null());
    assert_eq!((&ports[10]["duplex"], &ports[10]["reason"]), (&Value::from("half"), &Value::from("half duplex")));
    assert_eq!(ports[10]["speed_bps"], 10_000_000_000u64);
}

/// The document whatever the verdict is.
fn ports_json_any(agent: SocketAddr, community: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let output = noctty(folder.path(), Some(community), &["ports", &agent.to_string(), "--json"]);
    assert_eq!(output.status.code(), Some(1), "half duplex is a warning");
    serde_json::from_slice(&output.stdout).expect("valid JSON")
}
