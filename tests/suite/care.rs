//! `noctty ack` and `noctty maintenance` as their users meet them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::lab::Running;

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
    fs::write(dir.join("noctty.toml"), CONFIG).expect("written");
    run_again(dir, arguments)
}

/// With the configuration that is there.
fn run_again(dir: &Path, arguments: &[&str]) -> Output {
    let config = dir.join("noctty.toml");
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
fn what_somebody_else_has_is_said_and_taken_over_only_when_that_is_meant() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    out(dir, &["ack", "db01", "--author", "anna", "--note", "disk ordered"]);
    let words = refused(dir, &["ack", "db01", "--author", "bert"]);
    assert!(words.contains("NOT SAVED: anna has it since ") && words.contains("--take-over takes it"), "{words}");
    assert_eq!(json(dir, &["ack", "--json"])["acks"][0]["owner"], "anna");
    out(dir, &["ack", "db01", "--author", "bert", "--take-over"]);
    assert_eq!(json(dir, &["ack", "--json"])["acks"][0]["owner"], "bert");
    // With nobody to take it from it is a claim as any other.
    out(dir, &["ack", "db01/tcp:5432", "--author", "bert", "--take-over"]);
    assert!(refused(dir, &["ack", "--site", "fra1", "--take-over"]).contains("--take-over"));
}

#[test]
fn of_scripts_that_claim_one_problem_at_one_moment_one_has_it_and_the_others_are_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    out(dir, &["ack"]);
    let names: Vec<String> = (1..=6).map(|n| format!("ops{n}")).collect();
    let answers: Vec<(String, Output)> = std::thread::scope(|scope| {
        let claim = |name: &String| (name.clone(), run_again(dir, &["ack", "db01", "--author", name]));
        let running: Vec<_> = names.iter().map(|name| scope.spawn(move || claim(name))).collect();
        running.into_iter().map(|one| one.join().expect("it ran")).collect()
    });
    let (saved, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, output)| output.status.success());
    assert_eq!((saved.len(), refused.len()), (1, 5), "{answers:?}");
    let owner = &saved[0].0;
    assert_eq!(json(dir, &["ack", "--json"])["acks"][0]["owner"].as_str(), Some(&**owner));
    for (_, output) in refused {
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(words.contains(&format!("{owner} has it since ")), "{words}");
    }
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
    let past = refused(dir, &["maintenance", "db01", "--from", "2020-01-01 00:00", "--for", "1h"]);
    assert!(past.contains("has been over since 2020-01-01T01:00:00.000Z"), "{past}");
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

#[test]
fn windows_that_cannot_be_meant_are_refused_and_clock_changes_are_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    for (arguments, why) in [
        (&["--schedule", "0 0 31 2 *", "--for", "1h"][..], "never opens"),
        (&["--for", "400d"], "it would last 400d; 366d at most"),
        (&["--from", "2030-01-01", "--until", "2032-01-01"], "it would last 730d"),
        (&["--for", "1h", "--flexible", "400d"], "it would last 400d"),
    ] {
        let said = refused(dir, &[&["maintenance", "db01"], arguments].concat());
        assert!(said.contains(why), "{why} is missing in {said}");
    }
    for arguments in [&["--for", "1h"][..], &["--note", "x"], &["--schedule", "0 2 * * *", "--for", "1h"]] {
        let output = run(dir, &[&["maintenance"], arguments].concat());
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true), "{said}");
        assert!(said.contains("maintenance db01 --for 1h") && said.contains("--behind HOST"), "{said}");
    }
    assert!(!out(dir, &["maintenance"]).contains("db01"), "nothing was ordered");
    let zone = ["--timezone", "Europe/Berlin", "--for", "1h"];
    let output = run(dir, &[&["maintenance", "db01", "--from", "2030-03-31 02:30"], &zone[..]].concat());
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success() && said.contains("2030-03-31 02:30 does not exist in Europe/Berlin"), "{said}");
    assert!(said.contains("open from 2030-03-31T01:00:00.000Z to 2030-03-31T02:00:00.000Z"), "{said}");
}

#[test]
fn what_was_claimed_is_said_with_its_reach_and_stored_clean() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    let owner = "ops\u{1b}[2J\u{202e}2";
    let said = out(dir, &["ack", "db01", "--owner", owner, "--note", "a\nb\u{7}", "--for", "2h"]);
    for want in [
        "saved claimed db01 01",
        "owner: ops\\x1b[2J<U+202E>2, until 20",
        " (2h), or until it recovers or gets worse\n",
        &format!("reaches: the consoles of {}; no noctty polls there now", dir.join("state").display()),
        "no pager is silenced",
    ] {
        assert!(said.contains(want), "{want} is missing in\n{said}");
    }
    let log = fs::read_to_string(dir.join("state/journal.log")).expect("the second copy");
    assert!(!log.contains("\\u001b") && !log.contains("\\u0007") && !log.contains('\u{202e}'), "{log}");
    let saved = json(dir, &["ack", "db01", "--owner", "ops2", "--sticky", "--take-over", "--json"]);
    assert_eq!((&saved["saved"]["owner"], &saved["saved"]["sticky"]), (&"ops2".into(), &true.into()));
    assert_eq!(
        (&saved["reaches"]["reach"], &saved["reaches"]["polled_by"], &saved["reaches"]["silences_pagers"]),
        (&"here".into(), &Value::Null, &false.into())
    );
    assert!(refused(dir, &["ack", "db01", "--owner", &"x".repeat(300)]).contains("NOT SAVED"));
}

#[test]
fn the_present_problems_of_a_site_are_claimed_but_for_those_that_somebody_has() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let open = held.local_addr().expect("an address").port();
    let host = |name: &str, site: &str, port: u16| {
        let check = format!("{{ kind = \"tcp\", port = {port}, attempts = 1 }}");
        format!(
            "[[host]]\nname = \"{name}\"\naddress = \"127.0.0.1\"\nsite = \"{site}\"\ngroup = \"{site}-g\"\nchecks = [{check}]\n"
        )
    };
    // Nobody listens at port 1.
    let text = [
        host("goodhost", "fra1", open),
        host("bad1", "fra1", 1),
        host("bad2", "fra1", 1),
        host("elsewhere", "ams1", 1),
    ];
    let config = dir.join("sites.toml");
    fs::write(&config, text.concat()).expect("written");
    let noctty = |arguments: &[&str]| {
        let mut command = Command::new(NOCTTY);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", dir).env("USER", "ops1");
        command.arg("--config").arg(&config).arg("--state").arg(dir.join("state")).args(arguments);
        let output = command.stdin(Stdio::null()).output().expect("it runs");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {err}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    noctty(&["ack", "bad2", "--owner", "ops9"]);
    let said = noctty(&["ack", "--site", "fra1", "--note", "looking"]);
    for want in [
        "saved claimed bad1 01",
        "left as it is: bad2, which ops9 has for",
        "site fra1: 1 claimed, of one round of checks",
        "owner: ops1, until ",
        "no pager is silenced",
    ] {
        assert!(said.contains(want), "{want} is missing in\n{said}");
    }
    assert!(!said.contains("goodhost") && !said.contains("elsewhere"), "{said}");
    assert!(noctty(&["ack", "--site", "fra1"]).contains("site fra1: nothing to claim"));
    let group: Value = serde_json::from_str(&noctty(&["ack", "--group", "ams1-g", "--json"])).expect("JSON");
    let rows = group["claimed"].as_array().expect("a list");
    assert_eq!((rows.len(), &rows[0]["about"], &rows[0]["owner"]), (1, &"elsewhere".into(), &"ops1".into()));
    assert_eq!(noctty(&["ack"]).lines().count(), 3);
    // The same for whoever comes next: incidents, whose a problem is, silences; and that it is of one round only.
    noctty(&["incident", "open", "power lost"]);
    noctty(&["maintenance", "elsewhere", "--for", "1h", "--note", "fans"]);
    let note = noctty(&["handover"]);
    for want in [
        "# Handover 20",
        "From ops1. ",
        "**Of one round of checks, since no noctty polls for ",
        "## Incident INC-1",
        "power lost",
        "## Mine (ops1): 1\n\n- **DOWN** bad1",
        "## Others have: 1\n\n- **DOWN** bad2",
        "## In maintenance: 1\n\n- **DOWN** elsewhere",
        "elsewhere, maintenance by ops1, ends in ",
    ] {
        assert!(note.contains(want), "{want} is missing in\n{note}");
    }
    let other = noctty(&["handover", "--author", "ops9"]);
    assert!(other.contains("From ops9. ") && other.contains("## Mine (ops9): 1\n\n- **DOWN** bad2"), "{other}");
    let all: Value = serde_json::from_str(&noctty(&["handover", "--json"])).expect("JSON");
    assert_eq!(
        (&all["schema"], &all["complete"], &all["seen_by"]),
        (&"noctty.handover/1".into(), &false.into(), &Value::Null)
    );
    let count = |key: &str| all[key].as_array().map(Vec::len);
    let counts = ["incidents", "problems", "acks", "maintenance", "doubts"].map(count);
    assert_eq!(counts, [Some(1), Some(3), Some(3), Some(1), Some(1)], "{all}");
    assert!(all["text"].as_str().is_some_and(|text| text.starts_with("# Handover ")), "{all}");
}

#[test]
fn the_present_problems_of_a_site_are_those_that_the_running_engine_sees() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let open = held.local_addr().expect("an address").port();
    let host = |name: &str, site: &str, port: u16| {
        let check = format!("{{ kind = \"tcp\", port = {port}, interval = \"1s\", attempts = 1 }}");
        format!(
            "[[host]]\nname = \"{name}\"\naddress = \"127.0.0.1\"\nsite = \"{site}\"\ngroup = \"{site}-g\"\nchecks = [{check}]\n"
        )
    };
    // Nobody listens at port 1. What answers beside it shows that the console sees.
    let config = dir.join("sites.toml");
    let text = [
        host("good", "fra1", open),
        host("calm", "quiet1", open),
        host("bad1", "fra1", 1),
        host("bad2", "fra1", 1),
        host("far", "ams1", 1),
    ];
    fs::write(&config, text.concat()).expect("written");
    let noctty = || {
        let mut command = Command::new(NOCTTY);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", dir).env("USER", "ops1");
        command.arg("--config").arg(&config).arg("--state").arg(dir.join("state")).stdin(Stdio::null());
        command
    };
    let engine = noctty().arg("collect").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let _running = Running(engine);
    let claim = |kind: &str, name: &str| -> String {
        let output = noctty().args(["ack", kind, name]).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let names = |said: &str| -> Vec<String> {
        let rows = said.lines().filter_map(|line| line.strip_prefix("saved claimed "));
        rows.filter_map(|row| row.split(' ').next()).map(str::to_owned).collect()
    };
    crate::peer::until("the engine says what it sees", || {
        claim("--site", "quiet1").contains("site quiet1: nothing to claim, as noctty, ")
    });
    // One call after the other, faster than the engine reads the journal: what was claimed is not claimed again.
    let mut claimed: Vec<String> = Vec::new();
    crate::peer::until("the engine has found both to be down, and both are claimed", || {
        let said = claim("--site", "fra1");
        assert!(said.contains(" as noctty, "), "{said}");
        claimed.extend(names(&said));
        claimed.len() >= 2
    });
    claimed.sort();
    assert_eq!(claimed, ["bad1", "bad2"], "each once, and nothing that is well");
    let again = claim("--site", "fra1");
    assert!(again.contains("nothing to claim") && again.contains("left as it is: bad1, which ops1 has"), "{again}");
    let mut said = String::new();
    crate::peer::until("the engine has found the other to be down", || {
        said = claim("--group", "ams1-g");
        names(&said) == ["far"]
    });
    assert!(said.contains("group ams1-g: 1 claimed, as noctty, "), "{said}");
    // The engine has taken the claims in: whoever asks it hears of them.
    crate::peer::until("the claims stand", || {
        let listed = noctty().arg("ack").output().expect("it runs");
        String::from_utf8_lossy(&listed.stdout).lines().count() == 3
    });
    // A handover is what the engine knows, without another round of checks, also where nothing may be asked.
    let mut note = String::new();
    crate::peer::until("the engine tells whose they are", || {
        let output = noctty().args(["--passive", "handover", "--json"]).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let all: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(all["seen_by"].as_str().is_some_and(|who| who.contains("pid")), "{all}");
        note = all["text"].as_str().unwrap_or_default().to_owned();
        note.contains("## Mine (ops1): 3")
    });
    assert!(!note.contains("one round of checks") && note.contains("## What changed within a day"), "{note}");
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

#[test]
fn polling_is_paused_and_resumed_with_a_record_of_who_did_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    assert!(refused(dir, &["resume"]).contains("polling is not paused"));
    let saved = json(dir, &["pause", "--note", "new\u{1b}[31m firewall", "--json"]);
    assert_eq!((&saved["saved"]["kind"], &saved["saved"]["author"]), (&"paused".into(), &"ops1".into()));
    let again = refused(dir, &["pause"]);
    assert!(again.contains("polling is paused already: PAUSED 0s by ops1: new"), "{again}");
    assert!(!again.contains('\u{1b}'), "{again}");
    // Whoever it was: anybody ends it.
    let saved = json(dir, &["resume", "--author", "ops2", "--json"]);
    assert_eq!((&saved["saved"]["kind"], &saved["saved"]["author"]), (&"resumed".into(), &"ops2".into()));
    assert!(refused(dir, &["resume"]).contains("polling is not paused"));
}
