//! The same outages seen by a real Icinga 2 and by `noctty collect` beside it, in one network of namespaces, with the same
//! hosts, rhythm and attempts: whenever both have come to rest they say the same of every host; and ours has told what there was to tell,
//! and less in all.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::ops::RangeInclusive;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use noctty::model::{Condition, Outcome};
use noctty::state::Snapshot;
use noctty::state::view::HostView;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::visitors::looked_at;

/// Icinga loads its library of commands for some seconds before it begins.
const PATIENCE: Duration = Duration::from_secs(60);
/// Icinga looks each five seconds whether what it kept back is to be told.
const KEPT_BACK: Duration = Duration::from_secs(12);
const HOSTS: [&str; 11] = ["edge", "core", "near1", "near2", "near3", "far1", "far2", "far3", "far4", "far5", "far6"];

const LAB: &str = include_str!("../fixtures/icinga/lab.sh");
const ICINGA: &str = include_str!("../fixtures/icinga/icinga2.conf");
const NOCTTY: &str = include_str!("../fixtures/icinga/noctty.toml");

/// What one of the two says of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    /// UP, DOWN or UNREACHABLE.
    state: &'static str,
    /// Something that it offers does not work, while it is up itself.
    ails: bool,
    flaps: bool,
}

type Picture = BTreeMap<String, Said>;

struct Lab {
    folder: TempDir,
    script: Child,
    orders: fs::File,
}

impl Lab {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        for (name, line) in [
            ("page-icinga", "printf '%s %s %s\\n' \"$KIND\" \"$HOST\" \"$SERVICE\""),
            // One line for each change, so that grouping gains nothing here.
            ("page-noctty", "printf '%s' \"$NOCTTY_TEXT\""),
        ] {
            let told = path(&format!("{name}.told"));
            fs::write(path(name), format!("#!/bin/sh\n{line} >> '{}'\n", told.display())).expect("written");
            fs::set_permissions(path(name), fs::Permissions::from_mode(0o755)).expect("mode");
        }
        let channel = format!(
            "[[notify]]\nkind = \"exec\"\nargv = [\"{}\"]\nleast = \"warning\"\nwait = \"0s\"\nmost = 1000\n\n",
            path("page-noctty").display()
        );
        fs::write(path("noctty.toml"), channel + NOCTTY).expect("written");
        fs::write(path("icinga2.conf"), ICINGA).expect("written");
        fs::write(path("lab.sh"), LAB).expect("written");
        assert!(Command::new("mkfifo").arg(path("orders")).status().expect("it runs").success());
        // For both: opening it waits for nobody.
        let orders = fs::File::options().read(true).write(true).open(path("orders")).expect("it opens");
        let log = fs::File::create(path("lab.log")).expect("made");
        let flags = if rustix::process::geteuid().is_root() { "-nm" } else { "-Urnm" };
        let script = Command::new("unshare")
            .args([flags, "/bin/sh", "-e"])
            .arg(path("lab.sh"))
            .arg(folder.path())
            .arg(env!("CARGO_BIN_EXE_noctty"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("unshare runs");
        Self { folder, script, orders }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn does(&self, order: &str) {
        (&self.orders).write_all(format!("{order}\n").as_bytes()).expect("it is read");
    }

    /// What the processes wrote, for a failure's message.
    fn logs(&self) -> String {
        let tail = |name: &str| {
            let text = fs::read_to_string(self.path(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().rev().take(12).collect();
            format!("== {name}\n{}\n", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
        };
        ["lab.log", "icinga.log", "noctty.log", "web.log", "page-icinga.told", "page-noctty.told"].map(tail).concat()
    }

    /// How many alarms each has sent: Icinga, noctty.
    fn told(&self) -> [usize; 2] {
        ["page-icinga.told", "page-noctty.told"]
            .map(|name| fs::read_to_string(self.path(name)).unwrap_or_default().lines().count())
    }

    /// What Icinga has told: the kind, the host and the service.
    fn told_by_icinga(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("page-icinga.told")).unwrap_or_default();
        text.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// The rows of a table of Icinga's, by Livestatus.
    fn table(&self, query: &str) -> Vec<Vec<String>> {
        let ask = || -> std::io::Result<String> {
            let mut stream = UnixStream::connect(self.path("icinga/run/livestatus"))?;
            stream.write_all(query.as_bytes())?;
            stream.shutdown(Shutdown::Write)?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let text = ask().unwrap_or_default();
        text.lines().map(|line| line.split(';').map(str::to_owned).collect()).collect()
    }

    /// What Icinga says of each host.
    fn icinga(&self) -> Picture {
        let state = |number: &str, hard: &str| match (number, hard) {
            ("0", _) => "UP",
            ("1", "1") => "DOWN",
            // Whether it is hard is nothing to what hangs on something that is down.
            ("2", _) => "UNREACHABLE",
            _ => "not known yet",
        };
        let hosts = self.table("GET hosts\nColumns: name state state_type is_flapping has_been_checked\n\n");
        let services = self.table("GET services\nColumns: host_name state state_type is_flapping\n\n");
        let mut found: Picture = Picture::new();
        for row in hosts.iter().filter(|row| row.len() == 5) {
            let state = if row[4] == "1" { state(&row[1], &row[2]) } else { "not known yet" };
            found.insert(row[0].clone(), Said { state, ails: false, flaps: row[3] == "1" });
        }
        for row in services.iter().filter(|row| row.len() == 4) {
            if let Some(host) = found.get_mut(&row[0]) {
                host.ails = host.state == "UP" && row[1] != "0" && row[2] == "1";
                host.flaps |= row[3] == "1";
            }
        }
        found
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.does("exit 0");
        let began = Instant::now();
        while self.script.try_wait().is_ok_and(|ended| ended.is_none()) && began.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

fn ours(snapshot: &Snapshot) -> Picture {
    let said = |host: &HostView| {
        let silent = host.checks.iter().all(|check| check.condition == Condition::Critical);
        let (state, ails) = match host.condition {
            Condition::Ok => ("UP", false),
            Condition::Critical if silent => ("DOWN", false),
            Condition::Critical | Condition::Warning => ("UP", true),
            Condition::Unreachable => ("UNREACHABLE", false),
            Condition::Unknown | Condition::Pending | Condition::NotProbed => ("not known yet", false),
        };
        Said { state, ails, flaps: host.care.flapping.is_some() }
    };
    snapshot.hosts.iter().map(|host| (host.host.name.to_string(), said(host))).collect()
}

struct Both {
    lab: Lab,
    snapshots: watch::Receiver<Snapshot>,
    before: [usize; 2],
    /// How many alarms Icinga owed and never sent.
    kept_back: usize,
    figures: String,
}

impl Both {
    async fn until(&self, what: &str, mut holds: impl FnMut(&Picture, &Snapshot) -> bool) {
        let began = Instant::now();
        loop {
            let theirs = self.lab.icinga();
            let now = self.snapshots.borrow().clone();
            if holds(&theirs, &now) {
                return;
            }
            if began.elapsed() > PATIENCE {
                let mine = ours(&now);
                panic!("never: {what}\nIcinga: {theirs:#?}\nnoctty: {mine:#?}\n{}", self.lab.logs());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Both say just this, of all other hosts that they are up, and have asked everything again since.
    async fn rest(&self, what: &str, but: &[(&str, Said)]) {
        let mut wanted: Picture =
            HOSTS.iter().map(|name| ((*name).to_owned(), Said { state: "UP", ..Said::default() })).collect();
        wanted.extend(but.iter().map(|(name, said)| ((*name).to_owned(), said.clone())));
        self.until(what, |theirs, now| *theirs == wanted && ours(now) == wanted).await;
        self.asked_again(what).await;
        self.until(what, |theirs, now| *theirs == wanted && ours(now) == wanted).await;
    }

    /// Everything was asked once more by both: what they had to tell of it is told.
    async fn asked_again(&self, what: &str) {
        let theirs = || {
            let asked =
                ["hosts", "services"].map(|table| self.lab.table(&format!("GET {table}\nColumns: last_check\n\n")));
            let times = asked.iter().flatten().filter_map(|row| row[0].parse::<f64>().ok());
            times.collect::<Vec<_>>()
        };
        let ours = |now: &Snapshot| now.hosts.iter().map(|host| host.last_result()).collect::<Vec<_>>();
        let (before, mine) = (theirs(), ours(&self.snapshots.borrow()));
        self.until(&format!("{what}: asked again"), |_, now| {
            let later = theirs();
            let all = later.len() == before.len() && later.iter().zip(&before).all(|(a, b)| a > b);
            all && ours(now).iter().zip(&mine).all(|(a, b)| a > b)
        })
        .await;
    }

    /// The alarms since the last time. What noctty has to tell of it is known. Icinga keeps back what it finds while a parent
    /// has only just come back, and tells it some seconds later, or never where it had told the same before: so it is waited
    /// for, for a while, and what it owed and kept back counts as if it had told it. How much more it tells is a matter of
    /// whose turn falls when.
    async fn count(&mut self, what: &str, owed: &str, wanted: RangeInclusive<usize>) {
        let began = Instant::now();
        let is_told = || self.lab.told_by_icinga().iter().skip(self.before[0]).any(|line| line == owed);
        while !is_told() && began.elapsed() < KEPT_BACK {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let kept = usize::from(!is_told());
        let now = self.lab.told();
        let [theirs, ours] = [0, 1].map(|n| now[n] - self.before[n]);
        self.before = now;
        self.kept_back += kept;
        let note = if kept == 1 { ", and kept back what it owed" } else { "" };
        let _ = writeln!(self.figures, "| {what} | {theirs}{note} | {ours} |");
        assert!(wanted.contains(&ours), "{what}: {ours} alarms of noctty's, {theirs} of Icinga's\n{}", self.lab.logs());
    }
}

fn is(state: &'static str) -> Said {
    Said { state, ..Said::default() }
}

/// One cable and back, one host and back, one service and back, the console's own way out and back, and one host that
/// comes and goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn icinga_and_noctty_say_the_same_of_every_host_and_noctty_raises_fewer_alarms() {
    let lab = Lab::new();
    let snapshots = looked_at(&lab.path("state/engine.sock")).await;
    let mut both = Both { lab, snapshots, before: [0, 0], kept_back: 0, figures: String::new() };
    both.rest("all are up", &[]).await;
    assert_eq!(both.lab.told(), [0, 0], "nothing has happened yet: {}", both.lab.logs());

    both.lab.does("core_goes");
    let behind = ["far1", "far2", "far3", "far4", "far5", "far6"].map(|name| (name, is("UNREACHABLE")));
    let all = [&[("core", is("DOWN"))], &behind[..]].concat();
    both.rest("the core is down", &all).await;
    both.count("the core loses its link, six hosts and two services behind it", "PROBLEM core", 1..=1).await;
    both.lab.does("core_comes");
    both.rest("the core is back", &[]).await;
    both.count("and the core is back", "RECOVERY core", 1..=1).await;

    both.lab.does("host_goes 3");
    both.rest("one host is down", &[("far3", is("DOWN"))]).await;
    both.count("one host goes", "PROBLEM far3", 1..=1).await;
    both.lab.does("host_comes 3");
    both.rest("it is back", &[]).await;
    both.count("and is back", "RECOVERY far3", 1..=1).await;

    both.lab.does("web_goes 2");
    both.rest("one service has ended", &[("far2", Said { ails: true, ..is("UP") })]).await;
    both.count("one service ends", "PROBLEM far2 web", 1..=1).await;
    both.lab.does("web_comes 2");
    both.rest("it serves again", &[]).await;
    both.count("and begins again", "RECOVERY far2 web", 1..=1).await;

    // On a quick machine all of it would be within the results that flapping is judged by.
    let is_past = |host: &Arc<HostView>| host.checks.iter().all(|check| check.flap.percent < 12);
    both.until("what came and went is long ago", |_, now| now.hosts.iter().all(is_past)).await;
    both.lab.does("uplink_goes");
    let all_silent = |theirs: &Picture| {
        let behind = theirs.iter().filter(|(name, _)| *name != "edge").all(|(_, said)| said.state == "UNREACHABLE");
        theirs.get("edge").is_some_and(|said| said.state == "DOWN") && behind
    };
    // Where Icinga calls the nearest down, noctty says that it cannot see, and that nothing it knows is fresh.
    both.until("neither sees anything", |theirs, now| {
        let stale = now.hosts.iter().all(|host| host.stale && host.condition == Condition::Ok);
        all_silent(theirs) && now.engine.blind.is_some() && stale
    })
    .await;
    both.asked_again("neither sees anything").await;
    both.count("the console's own way out goes", "PROBLEM edge", 0..=0).await;
    both.lab.does("uplink_comes");
    both.rest("both see again", &[]).await;
    both.until("it is over", |_, now| now.engine.blind.is_none()).await;
    both.count("and comes back", "RECOVERY edge", 0..=0).await;

    let mut there = true;
    let mut turns = 0;
    loop {
        let flap = |picture: &Picture| picture.get("far6").is_some_and(|said| said.flaps);
        let now = [flap(&both.lab.icinga()), flap(&ours(&both.snapshots.borrow()))];
        if now == [true, true] && there {
            break;
        }
        turns += 1;
        assert!(turns < 60, "Icinga, noctty: flapping {now:?}\n{}", both.lab.logs());
        both.lab.does(if there { "host_goes 6" } else { "host_comes 6" });
        there = !there;
        let wanted = if there { "0" } else { "1" };
        both.until("both have seen the change", |_, now| {
            let raw = both.lab.table("GET hosts\nColumns: state\nFilter: name = far6\n\n");
            let host = now.hosts.iter().find(|host| &*host.host.name == "far6");
            let mine =
                host.and_then(|host| host.checks[0].last.as_ref()).map(|last| last.reading.outcome == Outcome::Ok);
            raw.first().is_some_and(|row| row[0] == wanted) && mine == Some(there)
        })
        .await;
    }
    both.rest("it stays", &[]).await;
    both.count("one host comes and goes, then stays", "FLAPPINGSTART far6", 1..=2).await;

    let [theirs, ours] = both.lab.told();
    let _ = writeln!(both.figures, "| together | {theirs} | {ours} |");
    println!("| what happens | alarms of Icinga 2 | of noctty |\n|---|---|---|\n{}", both.figures);
    assert!(ours < theirs + both.kept_back, "{}", both.figures);
}
