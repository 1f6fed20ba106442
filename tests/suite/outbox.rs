//! What waits to be told when `noctty collect` is killed (SIGKILL) is told by the next one: once, and as what it is by then.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::peer::until;

/// A collector, ended by its process id when the test ends.
struct Collector(Child);

impl Collector {
    /// Nothing of it runs on: no time to say anything, or to write anything down.
    fn kill(mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("it ended");
    }

    fn end(mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is told to end");
        assert!(self.0.wait().expect("it ended").success());
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // Where it has ended already that is what we want.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One service, one channel, one state directory.
struct Place {
    folder: TempDir,
    service: Option<TcpListener>,
    port: u16,
}

impl Place {
    fn new(wait: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let service = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = service.local_addr().expect("bound").port();
        let place = Self { folder, service: Some(service), port };
        let config = format!(
            "[[host]]\nname = \"db01\"\naddress = \"127.0.0.1\"\n\
             checks = [{{ kind = \"tcp\", port = {port}, interval = \"1s\", retry_interval = \"200ms\", attempts = 2 }}]\n\
             [[notify]]\nkind = \"exec\"\nargv = [\"{}\"]\nwait = \"{wait}\"\n",
            place.at("page").display()
        );
        fs::write(place.at("noctty.toml"), config).expect("written");
        place.page("");
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program that is told; it does `more` after it has written down what it was told.
    fn page(&self, more: &str) {
        let told = self.at("told");
        let text = format!("#!/bin/sh\nprintf '%s\\n' \"$NOCTTY_JSON\" >> '{}'\n{more}\n", told.display());
        let new = self.at("page.new");
        fs::write(&new, text).expect("written");
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).expect("mode");
        fs::rename(new, self.at("page")).expect("in its place");
    }

    fn told(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.at("told")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }

    fn subjects(&self) -> Vec<String> {
        self.told().iter().map(|one| one["subject"].as_str().expect("a subject").to_owned()).collect()
    }

    fn collect(&self) -> Collector {
        let mut command = Command::new(env!("CARGO_BIN_EXE_noctty"));
        command.env_clear().env("HOME", self.folder.path()).env("PATH", "/usr/bin:/bin");
        command.arg("--config").arg(self.at("noctty.toml")).arg("--state").arg(self.at("state")).arg("collect");
        let log = fs::File::create(self.at("log")).expect("a log");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Collector(command.spawn().expect("noctty runs"))
    }

    /// Runs until the service was seen to be well.
    fn collect_and_see(&self) -> Collector {
        let collector = self.collect();
        let service = self.service.as_ref().expect("it is there");
        for _ in 0..2 {
            service.accept().expect("it is asked");
        }
        collector
    }

    fn stop_service(&mut self) {
        self.service = None;
    }

    fn start_service(&mut self) {
        self.service = Some(TcpListener::bind(("127.0.0.1", self.port)).expect("the port is free"));
    }

    /// A number of the store.
    fn count(&self, question: &str) -> i64 {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let store = rusqlite::Connection::open_with_flags(self.at("state/store.db"), flags).expect("opens");
        store.query_row(question, [], |row| row.get(0)).expect("an answer")
    }

    fn waiting(&self) -> i64 {
        self.count("SELECT count(*) FROM outbox")
    }
}

/// Looks on for a while: this must not change.
fn stays(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        assert!(holds(), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

const DOWN: &str = "DOWN db01: ";

#[test]
fn what_waits_for_others_when_it_is_killed_is_told_once_by_the_next() {
    let mut place = Place::new("2s");
    let first = place.collect_and_see();
    place.stop_service();
    until("the change waits on the disk", || place.waiting() == 1);
    first.kill();
    assert_eq!(place.subjects(), Vec::<String>::new(), "it was killed before it was due");

    let second = place.collect();
    until("the next has told it", || place.told().len() == 1);
    assert!(place.subjects()[0].starts_with(DOWN), "{:?}", place.subjects());
    until("and has noted that", || place.waiting() == 0);
    stays("it is told once", || place.told().len() == 1);
    second.kill();

    // With nothing that waits, a restart tells nothing; what happens then is told as ever.
    let third = place.collect();
    until("it polls", || place.at("state/engine.sock").exists());
    stays("a restart is no news", || place.told().len() == 1);
    place.start_service();
    until("the recovery is told", || place.told().len() == 2);
    assert_eq!(place.subjects()[1], "OK db01 (was critical)");
    third.end();
    assert_eq!((place.waiting(), place.told().len()), (0, 2));
}

#[test]
fn what_has_recovered_meanwhile_is_one_line_and_no_alarm() {
    let mut place = Place::new("2s");
    let first = place.collect_and_see();
    place.stop_service();
    until("the change waits on the disk", || place.waiting() == 1);
    first.kill();
    place.start_service();
    let second = place.collect();
    until("the next has told it", || place.told().len() == 1);
    let told = &place.told()[0];
    assert_eq!(told["subject"], "1 change was not delivered in time: db01");
    assert_eq!((&told["changes"], &told["not_in_time"]), (&0.into(), &1.into()));
    until("and has noted that", || place.waiting() == 0);
    stays("nothing else is told", || place.told().len() == 1);
    second.end();
}

#[test]
fn what_did_not_get_there_is_tried_again_by_the_next_and_what_did_is_not() {
    let mut place = Place::new("0s");
    place.page("echo 'no such team' >&2; exit 3");
    let first = place.collect_and_see();
    place.stop_service();
    until("it was tried, and failed", || {
        place.told().len() == 1 && place.count("SELECT count(*) FROM outbox WHERE handed = 0") == 1
    });
    first.kill();
    place.page("");
    let second = place.collect();
    until("the next has told it", || place.told().len() == 2);
    let told = place.told();
    assert_eq!(told[0]["alerts"][0]["id"], told[1]["alerts"][0]["id"], "it is known to be the same");
    until("and has noted that", || place.waiting() == 0);
    second.kill();
    let third = place.collect();
    until("it polls", || place.at("state/engine.sock").exists());
    stays("what was taken is not told again", || place.told().len() == 2);
    third.end();
}

#[test]
fn what_nobody_had_answered_for_is_told_again_under_the_same_id() {
    let mut place = Place::new("0s");
    place.page("exec sleep 25");
    let first = place.collect_and_see();
    place.stop_service();
    until("it is being told", || {
        place.told().len() == 1 && place.count("SELECT count(*) FROM outbox WHERE handed = 1") == 1
    });
    first.kill();
    place.page("");
    let second = place.collect();
    until("the next has told it", || place.told().len() == 2);
    let told = place.told();
    assert_eq!(told[0]["alerts"][0]["id"], told[1]["alerts"][0]["id"], "it is known to be the same");
    until("and has noted that", || place.waiting() == 0);
    stays("no third time", || place.told().len() == 2);
    second.end();
}
