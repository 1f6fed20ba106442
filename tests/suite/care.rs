//! `noctty ack` and `noctty maintenance` as their users meet them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const NOCTTY: &str = env!("CARGO_BIN_EXE_noctty");

const CONFIG: &str = r#"
[[host]]
name = "core-sw1"
tags = ["core"]
checks = ["icmp"]

[[host]]
name = "db01"
group = "ams"
site = "fra1"
parents = ["core-sw1"]
checks = ["icmp", { kind = "tcp", port = 5432 }]

[[backup]]
name = "db01 nightly"
kind = "restic"
repository = "/srv/restic"
password = { file = "/etc/noctty/restic.pw" }

[[maintenance]]
tag = "core"
schedule = "0 22 * * 6"
timezone = "Europe/Berlin"
for = "2h"
note = "firmware"
"#;

fn run(dir: &Path, arguments: &[&str]) -> Output {
    let config = dir.join("noctty.toml");
    fs::write(&config, CONFIG).expect("written");
    let mut command = Command::new(NOCTTY);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", dir).env("USER", "ops1");
    command.arg("--config").arg(config).arg("--state").arg(dir.join("state"));
    command.args(arguments).stdin(Stdio::null()).output().expect("the program runs")
}

fn out(dir: &Path, arguments: &[&str]) -> String {
    let output = run(dir, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn json(dir: &Path, arguments: &[&str]) -> Value {
    let value: Value = serde_json::from_str(&out(dir, arguments)).expect("JSON");
    assert_eq!(value["schema"], "noctty.care/1");
    value
}

fn refused(dir: &Path, arguments: &[&str]) -> String {
    let output = run(dir, arguments);
    assert_eq!(output.status.code(), Some(3), "{arguments:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[test]
fn a_problem_is_claimed_handed_over_and_given_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    assert_eq!(out(dir, &["ack"]), "nothing is claimed\n");
    let saved = out(dir, &["ack", "db01", "--note", "disk ordered"]);
    assert!(saved.starts_with("saved claimed db01 01"), "{saved}");
    out(dir, &["ack", "db01/tcp:5432", "--owner", "ops2", "--for", "30m", "--sticky"]);
    out(dir, &["ack", "db01 nightly", "--for", "2d"]);
    let all = json(dir, &["ack", "--json"]);
    let acks = all["acks"].as_array().expect("a list");
    let told: Vec<_> = acks
        .iter()
        .map(|a| (a["kind"].as_str(), a["asset"].as_str(), a["part"].as_str(), a["owner"].as_str()))
        .collect();
    let expected = [
        (Some("host"), Some("db01"), None, Some("ops1")),
        (Some("check"), Some("db01"), Some("tcp:5432"), Some("ops2")),
        (Some("backup"), Some("db01 nightly"), None, Some("ops1")),
    ];
    assert_eq!(told, expected);
    assert_eq!(
        (&acks[0]["note"], &acks[0]["reach"], &acks[1]["sticky"]),
        (&"disk ordered".into(), &"here".into(), &true.into())
    );
    // Handed over: one claim, another owner.
    let saved = json(dir, &["ack", "db01", "--owner", "ops3", "--json"]);
    assert_eq!((&saved["saved"]["kind"], &saved["saved"]["author"]), (&"claimed".into(), &"ops1".into()));
    let listed = out(dir, &["ack"]);
    assert!(listed.contains("db01  ops3, 3h left") || listed.contains("db01  ops3, 4h left"), "{listed}");
    assert_eq!(listed.lines().count(), 3, "{listed}");
    out(dir, &["ack", "db01", "--release"]);
    assert!(refused(dir, &["ack", "db01", "--release"]).contains("nobody has claimed db01"));
    assert_eq!(out(dir, &["ack"]).lines().count(), 2);
    assert_eq!(out(dir, &["incident", "list"]), "no incidents\n", "a claim is no incident");
}

#[test]
fn a_target_that_is_not_there_and_a_claim_for_ever_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    assert!(refused(dir, &["ack", "db1"]).contains("did you mean \"db01\"?"));
    assert!(refused(dir, &["ack", "db01/dsk"]).contains("its checks: icmp, tcp:5432"));
    assert!(refused(dir, &["ack", "db01", "--for", "90d"]).contains("30d at most"));
    assert!(refused(dir, &["ack", "db01", "--for", "soon"]).contains("a number and a unit"));
    assert!(refused(dir, &["ack", "db01", "--note", &"x".repeat(5_000)]).contains("NOT SAVED"));
    assert!(refused(dir, &["ack", "--owner", "ops2"]).contains("TARGET"));
    assert_eq!(out(dir, &["ack"]), "nothing is claimed\n");
}

#[test]
fn windows_are_ordered_listed_and_taken_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    let first = out(dir, &["maintenance"]);
    assert_eq!(first, "config:1  tag core  \"0 22 * * 6\" Europe/Berlin for 2h  firmware\n");
    let saved = json(dir, &["maintenance", "db01", "--for", "2h", "--note", "new fans", "--json"]);
    let id = saved["saved"]["id"].as_str().expect("an id").to_owned();
    out(
        dir,
        &[
            "maintenance",
            "--behind",
            "core-sw1",
            "--from",
            "2030-03-31 01:30",
            "--until",
            "2030-03-31 05:00",
            "--timezone",
            "Europe/Berlin",
        ],
    );
    out(dir, &["maintenance", "--group", "ams", "--schedule", "0 2 * * *", "--for", "1h", "--flexible", "15m"]);
    out(dir, &["maintenance", "db01", "--from", "2020-01-01 00:00", "--for", "1h"]);
    let all = json(dir, &["maintenance", "list", "--json"]);
    let rows: Vec<_> = all["maintenance"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| {
            (
                m["scope"].as_str(),
                m["name"].as_str(),
                m["from"].as_str().filter(|_| m["scope"] == "behind"),
                m["lasts_s"].as_u64(),
            )
        })
        .collect();
    let expected = [
        (Some("asset"), Some("db01"), None, None),
        (Some("behind"), Some("core-sw1"), Some("2030-03-31T00:30:00.000Z"), None),
        (Some("group"), Some("ams"), None, Some(3_600)),
        (Some("tag"), Some("core"), None, Some(7_200)),
    ];
    assert_eq!(rows, expected, "what is over is not listed");
    out(dir, &["maintenance", "cancel", &id]);
    assert!(!out(dir, &["maintenance", "list"]).contains(&id));
    assert!(refused(dir, &["maintenance", "cancel", &id]).contains("no window is called"));
    assert!(refused(dir, &["maintenance", "cancel", "config:1"]).contains("those of the configuration"));
    assert!(refused(dir, &["maintenance", "db01"]).contains("either `until` or `for`"));
    assert!(refused(dir, &["maintenance", "db01", "--tag", "core", "--for", "1h"]).contains("cannot be used"));
    assert!(refused(dir, &["maintenance", "--tag", "web", "--for", "1h"]).contains("no host has the tag"));
    let of_site = out(dir, &["maintenance", "--site", "fra1", "--for", "1h", "--note", "power"]);
    assert!(of_site.contains("site fra1"), "{of_site}");
    assert!(out(dir, &["maintenance"]).contains("site fra1  now, "));
    let why = refused(dir, &["maintenance", "--site", "fra2", "--for", "1h"]);
    assert!(why.contains("no host is at the site \"fra2\"; did you mean \"fra1\"?"), "{why}");
    assert!(refused(dir, &["maintenance", "db01", "--schedule", "x", "--for", "1h"]).contains("is no schedule"));
}

/// Ends what it started, however the test ends.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_running_engine_sees_a_claim_of_another_process_and_ends_it_by_what_it_sees() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let config = dir.join("live.toml");
    let check = format!("{{ kind = \"tcp\", port = {port}, interval = \"1s\" }}");
    fs::write(&config, format!("[[host]]\nname = \"well\"\naddress = \"127.0.0.1\"\nchecks = [{check}]\n"))
        .expect("written");
    let state = dir.join("state");
    let noctty = || {
        let mut command = Command::new(NOCTTY);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", dir).env("USER", "ops1");
        command.arg("--config").arg(&config).arg("--state").arg(&state).stdin(Stdio::null());
        command
    };
    let engine = noctty().arg("collect").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let _running = Running(engine);
    let claimed = noctty().args(["ack", "well", "--note", "is it?"]).output().expect("runs");
    assert!(claimed.status.success(), "{}", String::from_utf8_lossy(&claimed.stderr));
    // The host is up: the engine reads the claim, finds nothing wrong, and writes down that it has ended.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(40);
    loop {
        let listed = noctty().arg("ack").output().expect("runs");
        if listed.stdout == b"nothing is claimed\n" {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "it stands: {}", String::from_utf8_lossy(&listed.stdout));
        // The engine is to come to the journal between two looks.
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let log = fs::read_to_string(state.join("journal.log")).expect("the second copy");
    assert!(log.contains("recovered") && log.contains("\"author\":\"noctty\""), "{log}");
}
