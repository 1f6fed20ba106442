//! A resolver that falls silent (a stopped unbound), and a collector that is restarted meanwhile: what had an address keeps it and is
//! up. For who never had one it is one problem, that this console cannot see, until the resolver answers. Nobody is told anything.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use noctty::model::{Condition, Observation, Outcome, Remembered};
use noctty::state::Snapshot;
use noctty::store::Store;
use rustix::process::getuid;
use serde_json::Value;
use tokio::sync::watch;

use crate::lab::in_namespaces;
use crate::peer::until;
use crate::visitors::looked_at;

/// In a network and with a resolv.conf of its own: the resolver, a service, and two collectors one after the other. The test says when.
const NETWORK: &str = r#"
cd "$1"
ip link set lo up
mount --bind resolv.conf /etc/resolv.conf
./unbound -d -c unbound.conf 2>unbound.log & resolver=$!
python3 -m http.server --bind 127.0.0.1 8080 >/dev/null 2>&1 & service=$!
collector=
ends() { kill -KILL $resolver $service $collector; }
trap ends EXIT
step() { until [ -e "$1" ]; do sleep 0.05; done; }
collect() { "$2" --config noctty.toml --state "$3" collect >"$1" 2>&1 & collector=$!; }
until getent hosts db01.lab.test >/dev/null; do sleep 0.05; done
until (exec 3<>/dev/tcp/127.0.0.1/8080) 2>/dev/null; do sleep 0.05; done
collect first.log "$2" state
step silent
kill -STOP $resolver
kill -KILL $collector
wait $collector || true
touch restarted
collect second.log "$2" state
"$2" --config noctty.toml --state other check --json >check.json & looks=$!
"$2" --config shells.toml --state shells check --json >shells.json & looks="$looks $!"
"$2" --state state ssh nobody@db01.lab.test:8080 -- true >session.log 2>&1 </dev/null & looks="$looks $!"
"$2" --state state ssh nobody@never.lab.test:8080 -- true >nowhere.log 2>&1 </dev/null & looks="$looks $!"
wait $looks || true
touch checked
step judged
kill -KILL $collector
wait $collector || true
collect third.log "$2" other
step answers
kill -CONT $resolver
step over
"#;

const UNBOUND: &str = r#"
server:
 interface: 127.0.0.1
 port: 53
 chroot: ""
 username: ""
 pidfile: ""
 use-syslog: no
 do-ip6: no
 local-zone: "lab.test." static
 local-data: "db01.lab.test. 60 A 127.0.0.1"
remote-control:
 control-enable: no
"#;

/// What was last stored of the only check of a host.
fn stored(state: &Path, host: &str) -> Option<Remembered> {
    let loaded = Store::open(state).ok()?.load().ok()?;
    loaded.remembered.into_iter().find(|one| one.check.subject.id().as_str() == host)
}

fn configuration(folder: &Path) {
    let host = |name: &str| {
        format!(
            "[[host]]\nname = \"{name}\"\naddress = \"{name}.lab.test\"\n\
             checks = [{{ kind = \"tcp\", port = 8080, interval = \"1s\", retry_interval = \"200ms\", attempts = 2, timeout = \"1s\" }}]\n"
        )
    };
    let told = folder.join("told");
    let notify = format!(
        "[[notify]]\nkind = \"exec\"\nargv = [\"/bin/sh\", \"-c\", \"echo $NOCTTY_SUBJECT >> '{}'\"]\nleast = \"unknown\"\nwait = \"0s\"\n",
        told.display()
    );
    fs::write(folder.join("noctty.toml"), [host("db01"), host("never"), notify].concat()).expect("written");
    // What is only asked over SSH has names too.
    let shell = |name: &str| {
        format!(
            "[[host]]\nname = \"{name}\"\naddress = \"{name}.lab.test\"\nchecks = [{{ kind = \"linux\", attempts = 1 }}]\n"
        )
    };
    fs::write(folder.join("shells.toml"), [shell("sh1"), shell("sh2")].concat()).expect("written");
}

/// What a collector shows of the only check of a host.
fn shown(snapshots: &watch::Receiver<Snapshot>, host: &str) -> Option<(Condition, Arc<Observation>)> {
    let snapshot = snapshots.borrow();
    let host = snapshot.hosts.iter().find(|one| &*one.host.name == host)?;
    Some((host.condition, host.checks[0].last.clone()?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_silent_resolver_what_had_an_address_keeps_it_over_a_restart_and_the_rest_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    fs::copy("/usr/sbin/unbound", at("unbound")).expect("unbound is installed");
    fs::write(at("unbound.conf"), UNBOUND).expect("written");
    fs::write(at("resolv.conf"), "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n").expect("written");
    configuration(folder.path());
    let flags = if getuid().is_root() { "-mn" } else { "-Urmn" };
    let mut lab = in_namespaces(folder.path(), &[flags], NETWORK);
    let state = at("state");
    let said = |host: &str| stored(&state, host).map(|one| one.observation.reading.summary.line()).unwrap_or_default();
    let mut runs = || {
        let ended = lab.0.try_wait().expect("it can be asked");
        assert!(ended.is_none(), "the lab: {}", fs::read_to_string(at("log")).unwrap_or_default());
    };
    until("both were asked, and it is known what they are", || {
        runs();
        stored(&state, "db01").is_some_and(|one| one.condition == Condition::Ok)
            && said("never").starts_with("name not resolved: never.lab.test: ")
    });
    let names = Store::open(&state).and_then(|store| store.load_names()).expect("the store opens");
    assert_eq!(names, [("db01.lab.test".into(), "127.0.0.1".parse().expect("an address"))]);

    fs::write(at("silent"), "").expect("written");
    until("it was restarted without a resolver", || at("restarted").exists());
    // By its own clock: only what it asks itself counts.
    let began = Instant::now();
    let second = looked_at(&state.join("engine.sock")).await;
    let mut asked = BTreeSet::new();
    until("the one that had an address is asked there", || {
        runs();
        asked.extend(shown(&second, "db01").map(|(_, last)| last.at));
        asked.len() >= 4 && began.elapsed() > Duration::from_secs(5)
    });
    let (condition, last) = shown(&second, "db01").expect("it is known");
    assert_eq!((condition, last.reading.outcome), (Condition::Ok, Outcome::Ok));
    assert_eq!(fs::read_to_string(at("told")).unwrap_or_default(), "", "nobody is told anything");
    // Who never knew an address says why once, and calls nothing down.
    until("a look without any memory", || at("checked").exists());
    let found = fs::read(at("check.json")).expect("it was printed");
    let found: Value = serde_json::from_slice(&found).expect("JSON");
    assert_eq!((&found["state"], &found["complete"]), (&"unknown".into(), &false.into()), "{found:#}");
    for host in found["hosts"].as_array().expect("hosts") {
        let name = host["name"].as_str().expect("a name");
        assert_eq!(host["state"], "pending", "{host:#}");
        assert_eq!(host["reason"], "never seen: its name cannot be resolved");
        let said = host["checks"][0]["summary"].as_str().expect("what the check says");
        assert!(said.starts_with(&format!("name not resolved: {name}.lab.test: ")), "{host:#}");
    }
    let [problem] = &found["problems"].as_array().expect("problems")[..] else { panic!("{found:#}") };
    assert_eq!((&problem["kind"], &problem["word"]), (&"console".into(), &"CAN'T SEE".into()));
    let reason = "names cannot be resolved: no answer of 127.0.0.1 · 2 of 2 targets with a name are not seen";
    assert_eq!(problem["reason"], reason);
    // A session goes where the checks went, here to a web server; who never had an address has none.
    let read = |file: &str| fs::read_to_string(at(file)).expect("it was printed");
    let session = read("session.log");
    assert!(session.contains("db01.lab.test") && !session.contains("cannot resolve"), "{session}");
    let told = session.starts_with("noctty: db01.lab.test is not resolved (");
    assert!(told && session.contains("); its last known address 127.0.0.1 is tried\n"), "{session}");
    let nowhere = read("nowhere.log");
    assert!(nowhere.contains("cannot resolve never.lab.test: "), "{nowhere}");
    let shells = fs::read(at("shells.json")).expect("it was printed");
    let shells: Value = serde_json::from_slice(&shells).expect("JSON");
    let [problem] = &shells["problems"].as_array().expect("problems")[..] else { panic!("{shells:#}") };
    assert_eq!((&problem["word"], &problem["reason"]), (&"CAN'T SEE".into(), &reason.into()), "{shells:#}");
    for host in shells["hosts"].as_array().expect("hosts") {
        assert_eq!((&host["state"], &host["checks"][0]["state"]), (&"pending".into(), &"pending".into()), "{host:#}");
    }
    fs::write(at("judged"), "").expect("written");
    // It ends by itself: what has a name is asked, and what has none is unknown.
    until("nothing can be resolved from the beginning", || {
        runs();
        let logs = fs::read_dir(at("other/log")).into_iter().flatten().flatten();
        let told = |path: PathBuf| fs::read_to_string(path).unwrap_or_default().contains("no answer of 127.0.0.1");
        logs.map(|entry| entry.path()).any(told)
    });
    fs::write(at("answers"), "").expect("written");
    let third = looked_at(&at("other/engine.sock")).await;
    until("the resolver answers again", || {
        runs();
        let stands = |host: &str| shown(&third, host).map(|(condition, _)| condition);
        (stands("db01"), stands("never")) == (Some(Condition::Ok), Some(Condition::Unknown))
    });
    assert_eq!(fs::read_to_string(at("told")).unwrap_or_default(), "", "nobody is told anything");
    fs::write(at("over"), "").expect("written");
    until("everything ends", || lab.0.try_wait().expect("it can be asked").is_some());
}
