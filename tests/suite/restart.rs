//! `noctty collect` ended and begun anew, with its real store: what it told people, and what it found and told nobody, is known to
//! the next one; what changed meanwhile is told by that.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use noctty::base::Timestamp;
use noctty::model::{Condition, Subject};
use noctty::state::Snapshot;
use noctty::store::Store;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::lab::Running;
use crate::peer::until;
use crate::visitors::looked_at;

/// Hosts whose only check ends as a file says, and somebody who is told.
struct Place(TempDir);

const HOSTS: [&str; 4] = ["broke", "found", "away", "well"];

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        let at = |name: &str| place.at(name).display().to_string();
        place.script("page", &format!("printf '%s\\n' \"$NOCTTY_SUBJECT\" >> '{}'", at("told")));
        place.script("plugin", &format!("read status < '{}'\"$1\"; echo said; exit $status", at("status-")));
        let host = |name: &str| {
            format!(
                "[[host]]\nname = \"{name}\"\naddress = \"127.0.0.1\"\nchecks = [{{ kind = \"plugin\", command = [\"{}\", \"{name}\"], \
                 interval = \"1s\", retry_interval = \"1s\", timeout = \"1s\", attempts = 2 }}]\n",
                at("plugin")
            )
        };
        let notify =
            format!("[[notify]]\nkind = \"exec\"\nargv = [\"{}\"]\nleast = \"unknown\"\nwait = \"0s\"\n", at("page"));
        let config = HOSTS.map(host).concat() + &notify;
        fs::write(place.at("noctty.toml"), config).expect("written");
        place
    }

    /// One that watches this machine.
    fn of_this_machine() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        let config =
            "[[host]]\nname = \"here\"\naddress = \"127.0.0.1\"\nchecks = [{ kind = \"local\", interval = \"1s\" }]\n";
        fs::write(place.at("noctty.toml"), config).expect("written");
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn script(&self, name: &str, body: &str) {
        fs::write(self.at(name), format!("#!/bin/sh\n{body}\n")).expect("written");
        fs::set_permissions(self.at(name), fs::Permissions::from_mode(0o755)).expect("mode");
    }

    /// How the plugin of that host ends from now on.
    fn ends(&self, host: &str, status: u8) {
        fs::write(self.at("new"), format!("{status}\n")).expect("written");
        fs::rename(self.at("new"), self.at(&format!("status-{host}"))).expect("in its place");
    }

    fn collect(&self) -> Running {
        self.collect_by(Command::new(env!("CARGO_BIN_EXE_noctty")))
    }

    fn collect_by(&self, mut command: Command) -> Running {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.at("log")).expect("a log");
        command.env_clear().env("HOME", self.0.path()).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        command.arg("--config").arg(self.at("noctty.toml")).arg("--state").arg(self.at("state")).arg("collect");
        Running(command.stdout(Stdio::null()).stderr(log).spawn().expect("noctty runs"))
    }

    fn told(&self) -> Vec<String> {
        let mut told: Vec<String> =
            fs::read_to_string(self.at("told")).unwrap_or_default().lines().map(str::to_owned).collect();
        told.sort();
        told
    }

    /// As the store has it: the last state, and what people were told.
    fn stored(&self, host: &str) -> Option<(Condition, Option<Condition>)> {
        let store = Store::open(&self.at("state")).ok()?;
        let is_it = |subject: &Subject| subject.id().as_str() == host;
        let last = store.load().ok()?.remembered.into_iter().find(|one| is_it(&one.check.subject))?;
        let told = store.load_assets().ok()?.0.into_iter().find(|one| is_it(&one.subject))?;
        Some((last.condition, told.told.condition))
    }
}

/// In order, so that all that it knows is on the disk.
fn end(mut collector: Running) {
    let pid = Pid::from_child(&collector.0);
    kill_process(pid, Signal::TERM).expect("it runs");
    collector.0.wait().expect("it ends");
}

/// What a collector knows to have changed, oldest first, with the times.
fn changes(snapshots: &watch::Receiver<Snapshot>) -> Vec<(Timestamp, String)> {
    snapshots.borrow().changes.iter().rev().map(|one| (one.at, one.words.line())).collect()
}

/// What a collector shows of a host.
fn shown(snapshots: &watch::Receiver<Snapshot>, host: &str) -> Option<Condition> {
    snapshots.borrow().hosts.iter().find(|one| &*one.host.name == host).map(|one| one.condition)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_one_knows_what_was_told_and_tells_what_changed_meanwhile() {
    let place = Place::new();
    for (host, status) in [("broke", 0), ("found", 1), ("away", 0), ("well", 0)] {
        place.ends(host, status);
    }
    let first = place.collect();
    let seen = looked_at(&place.at("state/engine.sock")).await;
    let is_seen = |host: &&str| shown(&seen, host).is_some_and(|condition| condition != Condition::Pending);
    until("all were seen", || HOSTS.iter().all(is_seen));
    place.ends("broke", 2);
    until("that is told", || !place.told().is_empty());
    end(first);
    assert_eq!(place.told(), ["DOWN broke: said"]);
    assert_eq!(place.stored("found"), Some((Condition::Warning, Some(Condition::Warning))));

    // One that looks and finds nothing new.
    let second = place.collect();
    place.ends("well", 1);
    until("something is new", || place.told().len() > 1);
    end(second);
    assert_eq!(place.told(), ["DOWN broke: said", "WARNING well: said"]);

    for (host, status) in [("broke", 0), ("found", 0), ("away", 2)] {
        place.ends(host, status);
    }
    let third = place.collect();
    until("what changed is told", || place.told().len() >= 4);
    let well = Some((Condition::Ok, Some(Condition::Ok)));
    let seen = looked_at(&place.at("state/engine.sock")).await;
    until("the one that nobody was told of is well", || shown(&seen, "found") == Some(Condition::Ok));
    end(third);
    assert_eq!(place.stored("found"), well);
    let told = ["DOWN away: said", "DOWN broke: said", "OK broke (was critical)", "WARNING well: said"];
    assert_eq!(place.told(), told);
}

/// The kernel tells another release to who is started so; see personality(2).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kernel_that_is_another_one_after_a_restart_is_a_change_and_the_next_one_knows_when_it_was_found() {
    let place = Place::of_this_machine();
    let socket = place.at("state/engine.sock");
    let first = place.collect();
    let seen = looked_at(&socket).await;
    until("it was seen", || shown(&seen, "here").is_some_and(|condition| condition != Condition::Pending));
    assert_eq!(changes(&seen), []);
    end(first);

    let mut setarch = Command::new("setarch");
    setarch.args(["--uname-2.6", env!("CARGO_BIN_EXE_noctty")]);
    let second = place.collect_by(setarch);
    let seen = looked_at(&socket).await;
    until("the other kernel is told", || !changes(&seen).is_empty());
    let found = changes(&seen);
    let words = &found[0].1;
    assert!(words.starts_with("kernel: ") && words.contains(" → 2.6."), "{found:?}");
    assert!(words.ends_with(" (while noctty was not running)"), "{found:?}");
    end(second);

    // It is the first one's kernel again, which is another change; the age of what was known is what it was.
    let third = place.collect();
    let seen = looked_at(&socket).await;
    until("that is told too", || changes(&seen).len() > 1);
    let known = changes(&seen);
    assert_eq!((known.len(), &known[0].1), (2, &found[0].1));
    // Each look goes by a clock of its own: they differ by milliseconds, the two runs by more than a second.
    let apart = known[0].0.since(found[0].0).max(found[0].0.since(known[0].0));
    assert!(apart < std::time::Duration::from_millis(500), "{known:?}, it was {found:?}");
    end(third);
}
