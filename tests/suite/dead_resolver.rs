//! A resolver that falls silent (a stopped unbound), and a collector that is restarted meanwhile: what had an address keeps it and is
//! up, what never had one says that its name is not resolved, and nobody is told anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use noctty::model::{Condition, Outcome, Remembered};
use noctty::store::Store;
use rustix::process::getuid;
use serde_json::Value;

use crate::lab::Running;
use crate::peer::until;

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
collect() { "$2" --config noctty.toml --state state collect >"$1" 2>&1 & collector=$!; }
until getent hosts db01.lab.test >/dev/null; do sleep 0.05; done
until (exec 3<>/dev/tcp/127.0.0.1/8080) 2>/dev/null; do sleep 0.05; done
collect first.log "$2"
step silent
kill -STOP $resolver
kill -KILL $collector
wait $collector || true
touch restarted
collect second.log "$2"
"$2" --config noctty.toml --state other check --json >check.json || true
touch checked
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
             checks = [{{ kind = \"tcp\", port = 8080, interval = \"1s\", retry_interval = \"200ms\", attempts = 2, timeout = \"3s\" }}]\n"
        )
    };
    let told = folder.join("told");
    let notify = format!(
        "[[notify]]\nkind = \"exec\"\nargv = [\"/bin/sh\", \"-c\", \"echo $NOCTTY_SUBJECT >> '{}'\"]\nleast = \"unknown\"\nwait = \"0s\"\n",
        told.display()
    );
    fs::write(folder.join("noctty.toml"), [host("db01"), host("never"), notify].concat()).expect("written");
}

#[test]
fn with_a_silent_resolver_what_had_an_address_keeps_it_over_a_restart_and_the_rest_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    fs::copy("/usr/sbin/unbound", at("unbound")).expect("unbound is installed");
    fs::write(at("unbound.conf"), UNBOUND).expect("written");
    fs::write(at("resolv.conf"), "nameserver 127.0.0.1\n").expect("written");
    configuration(folder.path());
    let flags = if getuid().is_root() { "-mn" } else { "-Urmn" };
    let log = fs::File::create(at("log")).expect("a log");
    let mut lab = Running(
        Command::new("unshare")
            .args(["--kill-child", "--fork", flags, "/bin/bash", "-euc", NETWORK, "bash"])
            .arg(folder.path())
            .arg(env!("CARGO_BIN_EXE_noctty"))
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("unshare of util-linux runs"),
    );
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

    let before = stored(&state, "db01").expect("it is known").observation.at;
    fs::write(at("silent"), "").expect("written");
    until("it was restarted without a resolver", || at("restarted").exists());
    until("the one that had an address is asked there", || {
        runs();
        stored(&state, "db01").expect("it is known").observation.at.since(before).as_secs() >= 10
    });
    let db01 = stored(&state, "db01").expect("it is known");
    assert_eq!((db01.condition, db01.observation.reading.outcome), (Condition::Ok, Outcome::Ok), "{db01:?}");
    assert_eq!(fs::read_to_string(at("told")).unwrap_or_default(), "", "nobody is told anything");
    // Who never knew an address says why, and calls nothing down.
    until("a look without any memory", || at("checked").exists());
    let told = fs::read(at("check.json")).expect("it was printed");
    let told: Value = serde_json::from_slice(&told).expect("JSON");
    assert_eq!(told["state"], "unknown", "{told:#}");
    for host in told["hosts"].as_array().expect("hosts") {
        let name = host["name"].as_str().expect("a name");
        let reason = host["reason"].as_str().expect("a reason");
        assert!(reason.contains(&format!("name not resolved: {name}.lab.test: ")), "{host:#}");
        assert_eq!(host["state"], "unknown", "{host:#}");
    }
    fs::write(at("over"), "").expect("written");
    until("everything ends", || lab.0.try_wait().expect("it can be asked").is_some());
}
