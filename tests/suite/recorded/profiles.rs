//! The user's own device profiles: read beside the configuration, laid over the shipped ones, checked, and never in the way.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use noctty::base::{Clock, Secret};
use noctty::net::Net;
use noctty::net::snmp::Target;
use noctty::probe::Cx;
use noctty::probe::ports::{Depth, walk_with};
use noctty::profile::{Profiles, Text};
use noctty::proto::snmp::Version;
use noctty::proto::snmp::engine::Credentials;
use noctty::sim::snmp::{AgentSpec, SnmpAgents};
use serde_json::Value;

use super::agent::Agent;
use super::recorded;

fn noctty(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_noctty"))
        .env_clear()
        .env("HOME", home)
        .env("NOCTTY_COMMUNITY", "recorded")
        .args(arguments)
        .output()
        .expect("noctty runs")
}

fn said(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// Writes a profile into the home's configuration folder.
fn profile(home: &Path, name: &str, text: &str) {
    let path = home.join(".config/noctty/profiles").join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
    fs::write(path, text).expect("the profile is written");
}

const OURS: &str = r#"
vendor = "Acme"
extends = ["arista/eos"]

[[match]]
object_id = "1.3.6.1.4.1.30065.1"

[[table]]
name = "clock"

[[table.sensor]]
class = "other"
unit = "seconds"
name = "up for"
value = { oid = "1.3.6.1.2.1.1.3.0", scale = 0.01 }
"#;

#[test]
fn an_own_profile_is_laid_over_a_shipped_one_and_used() {
    let agent = Agent::start(Arc::new(recorded("cloud_arista-dcs-7150s-52-cl")));
    let home = tempfile::tempdir().expect("a folder");
    let address = agent.address.to_string();
    let document = |home: &Path| -> Value {
        let output = noctty(home, &["ports", &address, "--json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(&output.stderr)))
    };
    let shipped = document(home.path());
    assert_eq!((&shipped["device"]["vendor"], &shipped["device"]["profile"]), (&"Arista".into(), &"arista/eos".into()));
    profile(home.path(), "acme/eos.toml", OURS);
    let own = document(home.path());
    assert_eq!((&own["device"]["vendor"], &own["device"]["profile"]), (&"Acme".into(), &"acme/eos".into()));
    for field in ["os", "model", "version", "serial"] {
        assert_eq!(own["device"][field], shipped["device"][field], "{field}");
    }
    let sensors = own["sensors"].as_array().expect("sensors");
    let clock = sensors.iter().find(|s| s["name"] == "up for").expect("our own");
    assert_eq!((clock["value"].as_f64(), &clock["unit"]), (own["device"]["uptime_s"].as_f64(), &"seconds".into()));
    assert_eq!(sensors.len(), shipped["sensors"].as_array().expect("sensors").len() + 1);
    let output = noctty(home.path(), &["ports", &address]);
    let text = said(&output.stdout);
    assert!(text.contains("Acme DCS-7150S-52-CL · eos 4.20.5F · serial JPE15151458 · profile acme/eos"), "{text}");
}

#[test]
fn a_broken_own_profile_is_told_with_its_place_and_keeps_nothing_from_being_watched() {
    let agent = Agent::start(Arc::new(recorded("cloud_arista-dcs-7150s-52-cl")));
    let home = tempfile::tempdir().expect("a folder");
    profile(home.path(), "acme/eos.toml", &OURS.replace("scale = 0.01", "scael = 0.01"));
    profile(home.path(), "acme/b.toml", "extends = [\"acme/eos\"]\nwithout = [\"sensor\"]\n");
    let check = noctty(home.path(), &["config", "check"]);
    let errors = said(&check.stderr);
    assert_eq!(check.status.code(), Some(3), "{errors}");
    let file = home.path().join(".config/noctty/profiles/acme/eos.toml");
    let want = format!("{}:15:38: error: unknown key `scael` in value", file.display());
    assert!(errors.contains(&want), "{errors}");
    assert!(errors.contains("did you mean `scale`?"), "{errors}");
    assert!(errors.contains("there is no profile \"acme/eos\" that is sound"), "{errors}");

    let output = noctty(home.path(), &["ports", &agent.address.to_string(), "--json"]);
    assert!(said(&output.stderr).contains("unknown key `scael`"), "{}", said(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["device"]["profile"], "arista/eos");

    let config = home.path().join(".config/noctty/noctty.toml");
    fs::write(&config, "[[host]]\nname = \"a\"\naddress = \"127.0.0.1\"\nchecks = []\n").expect("written");
    let check = noctty(home.path(), &["config", "check"]);
    assert_eq!((check.status.code(), said(&check.stdout)), (Some(3), String::new()));
    let plan = noctty(home.path(), &["plan"]);
    assert_eq!(plan.status.code(), Some(0), "{}", said(&plan.stderr));

    fs::remove_file(&file).expect("removed");
    profile(home.path(), "acme/b.toml", "extends = [\"arista/eos\"]\nwithout = [\"sensors\"]\n");
    let check = noctty(home.path(), &["config", "check"]);
    assert_eq!(check.status.code(), Some(0), "{}", said(&check.stderr));
}

#[tokio::test]
async fn a_quirk_holds_from_the_second_walk_on() {
    let clock = Clock::start();
    let spec = AgentSpec {
        address: SocketAddr::from(([127, 0, 0, 65], 0)),
        name: "sw".to_owned(),
        community: "sim".to_owned(),
        user: None,
        ports: 24,
        seed: 3,
    };
    let agents = SnmpAgents::start(vec![spec], clock).expect("the simulator starts");
    let text = "[[match]]\nobject_id = \"1.3.6.1.4.1.8072.3.2.10\"\ndescription = '.'\n[quirks]\ngetbulk = false\nskip = [\"ifAlias\"]\n";
    let text = Text { name: "slow".to_owned(), shown: "slow.toml".to_owned(), text: text.to_owned() };
    let (profiles, problems) = Profiles::with_own(vec![text]);
    assert!(problems.is_empty());
    let target = Target {
        address: agents.addresses()[0],
        version: Version::V2c,
        credentials: Credentials::Community(Secret::new(b"sim".to_vec())),
        timeout: Duration::from_secs(5),
        retries: 2,
        in_flight: 1,
    };
    let cx = Cx { net: Net::new(clock), family: None, timeout: Duration::from_secs(30) };
    let shipped = Profiles::shipped();
    let (plain, _) = walk_with(&cx, &target, 25, &shipped, None, Depth::Due).await.expect("it answers");
    let (_, bulk) = walk_with(&cx, &target, 25, &shipped, Some(&plain), Depth::Due).await.expect("it answers");
    let (first, _) = walk_with(&cx, &target, 25, &profiles, None, Depth::Due).await.expect("it answers");
    assert_eq!(first.device.profile.as_deref(), Some("slow"));
    assert!(first.ports.iter().any(|port| !port.alias.is_empty()));
    let (second, single) = walk_with(&cx, &target, 25, &profiles, Some(&first), Depth::Due).await.expect("it answers");
    assert_eq!(second.ports.len(), first.ports.len());
    assert!(second.ports.iter().all(|port| port.alias.is_empty()));
    assert!(single.requests > bulk.requests * 2, "{single:?}, {bulk:?} with GETBULK");
}
