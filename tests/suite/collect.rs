//! `noctty collect` against simulated switches: rounds, an end by signal, and what it says about itself.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use noctty::base::Clock;
use noctty::sim::snmp::{AgentSpec, SnmpAgents};
use noctty::store::Store;
use serde_json::Value;

use crate::peer::until;

/// Three switches with eight ports each, and the configuration that watches them.
fn network(folder: &Path) -> SnmpAgents {
    let specs = (1..=3).map(|n| AgentSpec {
        user: None,
        address: SocketAddr::from(([127, 0, 0, 70 + n], 0)),
        name: format!("sw{n}"),
        community: "c0llect-c4nary".to_owned(),
        ports: 8,
        seed: u64::from(n),
    });
    let agents = SnmpAgents::start(specs.collect(), Clock::start()).expect("the simulator starts");
    let secret = folder.join("community");
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&secret);
    std::io::Write::write_all(&mut file.expect("the file"), b"c0llect-c4nary\n").expect("written");
    let mut text = String::new();
    for (n, agent) in agents.addresses().iter().enumerate() {
        text += &format!(
            "[[host]]\nname = \"sw{n}\"\naddress = \"{}\"\nchecks = []\nsnmp = {{ community = {{ file = \"{}\" }}, port = {}, timeout = \"300ms\", retries = 1 }}\n",
            agent.ip(),
            secret.display(),
            agent.port()
        );
    }
    fs::write(folder.join("noctty.toml"), text).expect("written");
    agents
}

fn collect(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_noctty"));
    command.env_clear().env("HOME", folder).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command.arg("--config").arg(folder.join("noctty.toml")).arg("--state").arg(folder.join("state"));
    command.arg("collect").args(args);
    command
}

fn stats(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!said.contains("c4nary"), "the community is printed");
    serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"))
}

#[test]
fn two_cycles_run_every_check_twice_and_say_what_that_cost() {
    let folder = tempfile::tempdir().expect("a folder");
    let agents = network(folder.path());
    let args = ["--cycles", "2", "--every", "10ms", "--stats", "json"];
    let said = stats(&collect(folder.path(), &args).output().expect("noctty runs"));
    assert_eq!((&said["schema"], &said["complete"]), (&Value::from("noctty.collect/1"), &Value::from(true)));
    for (key, want) in [("targets", 3), ("checks", 6), ("runs", 12), ("failures", 0), ("devices", 3), ("ports", 24)] {
        assert_eq!(said[key], want, "{key} in {said:#}");
    }
    let answered: u64 = (0..3).map(|device| agents.answered(device)).sum();
    assert_eq!(said["requests"], answered, "{said:#}");
    // Two walks of eight ports, nineteen columns each.
    assert!(said["varbinds"].as_u64().is_some_and(|n| n >= 3 * 2 * 8 * 19), "{said:#}");
    assert_eq!((&said["lost"], &said["drops"]), (&Value::from(0), &Value::from(0)));
    assert_eq!(said["cycle_seconds"].as_array().map(Vec::len), Some(2));
    assert!(said["snapshots"].as_u64().is_some_and(|n| n >= 1));
    for key in ["wall_s", "startup_wall_s", "startup_cpu_s", "peak_memory_bytes"] {
        assert!(said[key].as_f64().is_some_and(|n| n > 0.0), "{key} in {said:#}");
    }
}

#[test]
fn a_silent_switch_is_counted_and_what_the_others_said_is_kept_for_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let agents = network(folder.path());
    agents.set_alive(1, false);
    let said = stats(&collect(folder.path(), &["--once", "--stats", "json"]).output().expect("noctty runs"));
    assert_eq!((&said["runs"], &said["failures"]), (&Value::from(6), &Value::from(2)), "{said:#}");
    assert_eq!((&said["devices"], &said["lost"]), (&Value::from(2), &Value::from(4)), "{said:#}");
    let stored = Store::open(&folder.path().join("state")).and_then(|s| s.load()).expect("the store opens");
    assert_eq!(stored.remembered.len(), 4, "{stored:?}");
}

#[test]
fn without_a_number_it_polls_until_it_is_told_to_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let agents = network(folder.path());
    let mut command = collect(folder.path(), &["--stats", "json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("noctty runs");
    until("every switch was asked", || (0..3).all(|device| agents.answered(device) > 0));
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is told");
    let said = stats(&child.wait_with_output().expect("it ends"));
    assert_eq!((&said["complete"], &said["cycle_seconds"]), (&Value::from(true), &serde_json::json!([])));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("noctty.toml"), "").expect("written");
    for args in [&["--once", "--cycles", "2"][..], &["--cycles", "0"], &["--stats", "xml"], &["--passive"]] {
        let output = collect(folder.path(), args).output().expect("noctty runs");
        assert_eq!(output.status.code(), Some(3), "{args:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}");
    }
}
