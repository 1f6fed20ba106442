//! `noctty collect` on a machine whose wall clock is set while it runs (libfaketime): an hour ahead, an hour back, over both ends of
//! daylight saving time. Nothing changes its state for that, nobody is told anything, and everything goes on in its rhythm.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use noctty::base::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::lab::Running;
use crate::peer::until;

const NOCTTY: &str = env!("CARGO_BIN_EXE_noctty");
/// So soon a collector has read what another process has written down: a claim counts by steady time from then on.
const READ: Duration = Duration::from_secs(4);
const HOUR: i64 = 3600;

/// A service that is well, one that dies, a plugin that writes down when it ran, and somebody who is told.
struct Place {
    folder: TempDir,
    well: TcpListener,
    dies: Option<TcpListener>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let bind = || TcpListener::bind("127.0.0.1:0").expect("a port");
        let (well, dies) = (bind(), bind());
        let place = Self { folder, well, dies: None };
        let at = |name: &str| place.at(name).display().to_string();
        place.script("page", &format!("printf '%s\\n' \"$NOCTTY_SUBJECT\" >> '{}'", at("told")));
        place.script("plugin", &format!("echo run >> '{}'; echo fine", at("runs")));
        let check = |port: u16| {
            format!("{{ kind = \"tcp\", port = {port}, interval = \"1s\", retry_interval = \"200ms\", attempts = 2 }}")
        };
        let port = |listener: &TcpListener| listener.local_addr().expect("bound").port();
        let config = format!(
            "[[host]]\nname = \"well\"\naddress = \"127.0.0.1\"\nchecks = [{}, {{ kind = \"plugin\", command = [\"{}\"], interval = \"1s\" }}]\n\
             [[host]]\nname = \"dies\"\naddress = \"127.0.0.1\"\nchecks = [{}]\n\
             [[notify]]\nkind = \"exec\"\nargv = [\"{}\"]\nleast = \"unknown\"\nwait = \"500ms\"\n",
            check(port(&place.well)),
            at("plugin"),
            check(port(&dies)),
            at("page"),
        );
        fs::write(place.at("noctty.toml"), config).expect("written");
        place.set_clock(0);
        Self { dies: Some(dies), ..place }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn script(&self, name: &str, body: &str) {
        fs::write(self.at(name), format!("#!/bin/sh\n{body}\n")).expect("written");
        fs::set_permissions(self.at(name), fs::Permissions::from_mode(0o755)).expect("mode");
    }

    /// So many seconds ahead of the machine's own clock.
    fn set_clock(&self, ahead: i64) {
        fs::write(self.at("clock.new"), format!("{ahead:+}s\n")).expect("written");
        fs::rename(self.at("clock.new"), self.at("clock")).expect("in its place");
    }

    /// A command with the clock that is set.
    fn noctty(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(NOCTTY);
        command.env_clear().env("HOME", self.folder.path()).env("PATH", "/usr/bin:/bin").env("TZ", "Europe/Berlin");
        command.env("LD_PRELOAD", library()).env("FAKETIME_TIMESTAMP_FILE", self.at("clock"));
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("FAKETIME_NO_CACHE", "1");
        command.arg("--config").arg(self.at("noctty.toml")).arg("--state").arg(self.at("state")).args(arguments);
        command.stdin(Stdio::null());
        command
    }

    fn collect(&self) -> Running {
        let log = fs::File::create(self.at("log")).expect("a log");
        let mut command = self.noctty(&["collect"]);
        Running(command.stdout(Stdio::null()).stderr(log).spawn().expect("noctty runs"))
    }

    fn output(&self, arguments: &[&str]) -> String {
        let output = self.noctty(arguments).output().expect("noctty runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn claims(&self) -> usize {
        let told: Value = serde_json::from_str(&self.output(&["ack", "--json"])).expect("JSON");
        told["acks"].as_array().unwrap_or_else(|| panic!("no claims in {told:#}")).len()
    }

    fn told(&self) -> Vec<String> {
        fs::read_to_string(self.at("told")).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.at("runs")).unwrap_or_default().lines().count()
    }

    /// Sets the clock and looks on until every check has run several times since: nobody is told anything, nothing runs more often than
    /// it should.
    fn jump(&self, what: &str, ahead: i64) {
        let told = self.told();
        self.set_clock(ahead);
        let (begun, before) = (Instant::now(), self.runs());
        // What was asked before is not what is looked for.
        self.well.set_nonblocking(true).expect("set");
        while self.well.accept().is_ok() {}
        self.well.set_nonblocking(false).expect("set");
        for _ in 0..2 {
            self.well.accept().expect("it is asked");
        }
        until(&format!("{what}: the plugin runs in its rhythm"), || self.runs() >= before + 2);
        let (ran, most) = (self.runs() - before, begun.elapsed().as_secs() as usize + 2);
        assert!(ran <= most, "{what}: {ran} runs in {:?}", begun.elapsed());
        assert_eq!(self.told(), told, "{what}");
    }

    /// So far is it from the machine's clock to some seconds before that moment.
    fn shortly_before(moment: &str) -> i64 {
        let moment = Timestamp::parse_rfc3339(moment).expect("a moment").millis() / 1000;
        let now = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
        moment - 2 - i64::try_from(now).expect("not that late")
    }
}

/// Where Debian has it, whatever the machine is.
fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("it is there").flatten();
    let mut found = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    found.find(|file| file.exists()).expect("faketime is installed")
}

fn end(mut collector: Running) {
    kill_process(Pid::from_child(&collector.0), Signal::TERM).expect("it runs");
    assert!(collector.0.wait().expect("it ends").success());
}

#[test]
fn a_wall_clock_that_is_set_changes_nothing_and_tells_nobody_anything() {
    let mut place = Place::new();
    // Otherwise nothing of what follows means anything.
    place.set_clock(10 * HOUR);
    let date =
        place.noctty(&[]).get_envs().filter_map(|(k, v)| Some((k.to_owned(), v?.to_owned()))).collect::<Vec<_>>();
    let said = Command::new("/bin/date").envs(date).args(["-u", "+%s"]).output().expect("date runs");
    let said: i64 = String::from_utf8_lossy(&said.stdout).trim().parse().expect("seconds");
    let now = i64::try_from(SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs()).expect("not that late");
    assert!((said - now - 10 * HOUR).abs() < 60, "the clock can be set: {said}, {now}");
    place.set_clock(0);

    let collector = place.collect();
    place.dies.as_ref().expect("it is there").accept().expect("it is asked");
    until("it runs", || place.runs() > 1);
    place.jump("an hour ahead", HOUR);
    place.jump("an hour back", -HOUR);
    place.jump("as it was", 0);
    assert_eq!(place.told(), Vec::<String>::new());

    // One of them dies, and is somebody's: for a while, and for a moment.
    place.dies = None;
    until("that is told", || place.told().len() == 1);
    assert!(place.told()[0].starts_with("DOWN dies: "), "{:?}", place.told());
    place.output(&["ack", "dies", "--for", "2h", "--note", "on it"]);
    place.jump("an hour ahead, with a problem", HOUR);
    place.jump("an hour back, with a problem", -HOUR);
    place.jump("three hours ahead, with a claim for two", 3 * HOUR);
    place.jump("as it was, with a claim", 0);
    assert_eq!(place.claims(), 1, "a clock that is set ends no claim");
    place.output(&["ack", "dies", "--for", "8s", "--note", "soon"]);
    std::thread::sleep(READ);
    place.jump("an hour back, with a claim for a moment", -HOUR);
    until("a clock that was set back prolongs no claim", || place.claims() == 0);

    // The end of summer time and its beginning, in Berlin; the clock goes over both.
    place.jump("the end of summer time", Place::shortly_before("2026-10-25T01:00:00Z"));
    place.jump("its beginning", Place::shortly_before("2027-03-28T01:00:00Z"));
    assert_eq!(place.told().len(), 1);

    // A restart, in order, with a clock behind all that was written down; and one of a collector that is killed.
    end(collector);
    for (ahead, what) in [(-HOUR, "ended in order"), (HOUR, "killed")] {
        place.set_clock(ahead);
        let before = place.runs();
        let _collector = place.collect();
        until("the next one runs", || place.runs() >= before + 2);
        let log = fs::read_to_string(place.at("log")).expect("a log");
        assert_eq!(place.told().len(), 1, "after one that was {what}: {:?}; {log}", place.told());
        assert!(!log.contains("panicked"), "{log}");
    }
}

#[test]
fn a_window_that_recurs_follows_a_clock_that_is_set_right_after_the_start() {
    let mut place = Place::new();
    let window = "[[maintenance]]\nhost = \"dies\"\nschedule = \"0 3 * * *\"\nfor = \"1h\"\n";
    let config = fs::read_to_string(place.at("noctty.toml")).expect("it is there");
    fs::write(place.at("noctty.toml"), format!("{config}{window}")).expect("written");
    place.set_clock(Place::shortly_before("2026-11-25T12:00:00Z"));
    let _collector = place.collect();
    place.dies.as_ref().expect("it is there").accept().expect("it is asked");
    until("it runs", || place.runs() > 1);
    // What is set has to stand for ten seconds.
    place.set_clock(Place::shortly_before("2026-11-25T03:10:00Z"));
    std::thread::sleep(Duration::from_secs(12));
    place.dies = None;
    let before = place.runs();
    until("it is looked at several times", || place.runs() >= before + 3);
    assert_eq!(place.told(), Vec::<String>::new(), "it is in maintenance");
    place.set_clock(Place::shortly_before("2026-11-25T04:10:00Z"));
    until("the window is over, and what stands is told", || place.told().len() == 1);
    assert!(place.told()[0].starts_with("DOWN dies: "), "{:?}", place.told());
}
