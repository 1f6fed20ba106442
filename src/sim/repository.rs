//! Backup repositories of the demo. The console reads them with the same restic source as any other, through a child
//! process: the program that it is told to run is noctty itself, whose hidden subcommand `sim-restic` answers like
//! restic 0.17 out of a small state file. So the demo needs no restic and still goes the whole way: argv,
//! environment, password file, locks, JSON, exit status.
//!
//! ```text
//! FOLDER/NAME/state.json   {"snapshots": […as restic prints them…], "locks": {ID: {…}}}
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::base::Timestamp;

/// The password of every simulated repository.
pub const PASSWORD: &str = "demo-repository";
const STATE: &str = "state.json";
/// The job that runs while the demo runs, how often, and when of a round it does not.
const LIVE: &str = "files";
const LIVE_EVERY: Duration = Duration::from_secs(60);
const LIVE_OUTAGE: std::ops::Range<Duration> = Duration::from_secs(60)..Duration::from_secs(280);

/// What restic would know of one repository.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct State {
    snapshots: Vec<Value>,
    locks: BTreeMap<String, Value>,
}

/// A job of the demo: what it saves, its schedule, its promise, and the ages of its restore points in hours.
struct Shape {
    name: &'static str,
    host: &'static str,
    path: &'static str,
    gigabytes: u64,
    cron: &'static str,
    rpo: &'static str,
    ages: std::ops::Range<u64>,
    step: u64,
    lock: bool,
}

const SHAPES: [Shape; 4] = [
    Shape {
        name: "db01 nightly",
        host: "db01",
        path: "/var/lib/postgresql",
        gigabytes: 212,
        cron: "0 2 * * *",
        rpo: "26h",
        ages: 31..700,
        step: 24,
        lock: false,
    },
    Shape {
        name: "mail nightly",
        host: "mail01",
        path: "/var/vmail",
        gigabytes: 640,
        cron: "30 1 * * *",
        rpo: "30h",
        ages: 3..900,
        step: 24,
        lock: false,
    },
    Shape {
        name: "web weekly",
        host: "web01",
        path: "/srv/www",
        gigabytes: 18,
        cron: "0 4 * * 0",
        rpo: "9d",
        ages: 20..2000,
        step: 168,
        lock: false,
    },
    Shape {
        name: "archive",
        host: "file01",
        path: "/srv/archive",
        gigabytes: 4096,
        cron: "0 3 * * *",
        rpo: "48h",
        ages: 10..300,
        step: 24,
        lock: true,
    },
];
/// What the live job saves, and how much there is of it.
const LIVE_PATH: &str = "/srv/files";
const LIVE_BYTES: u64 = 48 << 30;

/// The repositories of one demo.
#[derive(Debug)]
pub struct Repositories {
    folder: PathBuf,
    last_live: Timestamp,
}

impl Repositories {
    /// Writes them as they are when the demo begins: most are good, one run of `db01 nightly` is missed, a stale
    /// lock stands on `archive`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(folder: &Path, now: Timestamp) -> Result<Self> {
        let hours = |h: u64| now.minus(Duration::from_secs(h * 3600));
        for shape in &SHAPES {
            let mut state = State::default();
            let ages: Vec<u64> = shape.ages.clone().step_by(usize::try_from(shape.step).unwrap_or(1)).collect();
            for age in ages.into_iter().rev() {
                // What is saved grows by a thousandth a day.
                let bytes = (shape.gigabytes << 30) / 24_000 * (24_000 - age);
                state.add((shape.host, shape.path), bytes, hours(age));
            }
            if shape.lock {
                let lock = json!({"time": hours(7).rfc3339(), "exclusive": true, "hostname": "backup02", "username": "root", "pid": 4711});
                state.locks.insert(identifier("lock", hours(7)), lock);
            }
            state.write(&folder.join(slug(shape.name)))?;
        }
        let mut live = State::default();
        live.add(("file01", LIVE_PATH), LIVE_BYTES, now.minus(Duration::from_secs(20)));
        live.write(&folder.join(LIVE))?;
        Ok(Self { folder: folder.to_owned(), last_live: now })
    }

    /// `[[backup]]` tables for all of them. `program` is noctty's own path, `password` a private file with
    /// [`PASSWORD`], `hosts` the names that may be protected.
    pub fn configuration(&self, program: &Path, password: &Path, hosts: &[String]) -> String {
        let mut out = String::new();
        for shape in &SHAPES {
            let protects =
                if hosts.iter().any(|h| h == shape.host) { format!("{:?}", shape.host) } else { String::new() };
            self.job(
                &mut out,
                shape.name,
                program,
                password,
                &format!(
                    "schedule = \"{}\"\nrpo = \"{}\"\nprotects = [{protects}]\ninterval = \"30s\"\n",
                    shape.cron, shape.rpo
                ),
            );
        }
        let live = "schedule = \"* * * * *\"\ngrace = \"45s\"\nrpo = \"3m\"\ninterval = \"5s\"\n";
        self.job(&mut out, LIVE, program, password, live);
        out
    }

    fn job(&self, out: &mut String, name: &str, program: &Path, password: &Path, rest: &str) {
        let _ = write!(
            out,
            "[[backup]]\nname = \"{name}\"\nkind = \"restic\"\nrepository = {}\nprogram = [{}, \"sim-restic\"]\npassword = {{ file = {} }}\n{rest}\n",
            quoted(&self.folder.join(slug(name))),
            quoted(program),
            quoted(password)
        );
    }

    /// Lets time go on: the live job runs every minute, but for the part of a round in which it does not.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn advance(&mut self, into_round: Duration, now: Timestamp) -> Result<()> {
        if LIVE_OUTAGE.contains(&into_round) || now.since(self.last_live) < LIVE_EVERY {
            return Ok(());
        }
        self.last_live = now;
        let folder = self.folder.join(LIVE);
        let mut state = State::read(&folder)?;
        state.add(("file01", LIVE_PATH), LIVE_BYTES + (into_round.as_secs() << 20), now);
        state.snapshots.drain(..state.snapshots.len().saturating_sub(60));
        state.write(&folder)
    }
}

impl State {
    fn add(&mut self, (host, path): (&str, &str), bytes: u64, at: Timestamp) {
        let id = identifier(host, at);
        self.snapshots.push(json!({
            "time": at.rfc3339(), "tree": identifier("tree", at), "paths": [path], "hostname": host,
            "username": "root", "tags": ["scheduled"], "program_version": "restic 0.17.3",
            "summary": {"total_bytes_processed": bytes}, "short_id": id.get(..8), "id": id,
        }));
    }

    fn read(folder: &Path) -> Result<Self> {
        let bytes = std::fs::read(folder.join(STATE))?;
        serde_json::from_slice(&bytes).map_err(Error::other)
    }

    /// Whoever reads at the same time sees the old state or the new one.
    fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let new = folder.join("state.new");
        std::fs::write(&new, serde_json::to_vec(self).map_err(Error::other)?)?;
        std::fs::rename(new, folder.join(STATE))
    }
}

/// Exit statuses of restic 0.17.
const NO_REPOSITORY: u8 = 10;
const WRONG_PASSWORD: u8 = 12;

/// What a simulated run of restic prints, and its exit status.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub stdout: String,
    pub stderr: String,
    pub status: u8,
}

/// Answers the commands that the restic source asks, in restic 0.17's words. The repository and the password come as
/// restic takes them, by `RESTIC_REPOSITORY` and `RESTIC_PASSWORD` or the first line of `RESTIC_PASSWORD_FILE`.
pub fn answer(arguments: &[String], repository: Option<&str>, password: Option<&str>) -> Answer {
    let said = |stdout: String| Answer { stdout, stderr: String::new(), status: 0 };
    let failed =
        |status: u8, words: String| Answer { stdout: String::new(), stderr: format!("Fatal: {words}\n"), status };
    let fatal = |words: String| failed(1, words);
    let words: Vec<&str> = arguments.iter().map(String::as_str).filter(|a| !a.starts_with('-')).collect();
    if words == ["version"] {
        return said("restic 0.17.3 compiled with noctty demo\n".to_owned());
    }
    let Some(repository) = repository else {
        return fatal("Please specify repository location (-r or --repository-file)".to_owned());
    };
    let state = match State::read(Path::new(repository)) {
        Ok(state) => state,
        Err(error) => {
            let place = format!("Is there a repository at the following location?\n{repository}");
            return failed(NO_REPOSITORY, format!("unable to open config file: {error}\n{place}"));
        }
    };
    if password != Some(PASSWORD) {
        return failed(WRONG_PASSWORD, "wrong password or no key found".to_owned());
    }
    match words.as_slice() {
        ["snapshots"] => said(format!("{}\n", Value::Array(state.snapshots))),
        ["list", "locks"] => said(state.locks.keys().flat_map(|id| [id.as_str(), "\n"]).collect()),
        ["cat", "lock", id] => match state.locks.get(*id) {
            Some(lock) => said(format!("{lock:#}\n")),
            None => fatal(format!("load <lock/{}>: no such file or directory", id.get(..8).unwrap_or(id))),
        },
        other => fatal(format!("the simulated restic does not know {other:?}")),
    }
}

/// 64 hexadecimal digits, as restic's own.
fn identifier(what: &str, at: Timestamp) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(format!("{what} {}", at.millis()));
    digest.iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn slug(name: &str) -> String {
    name.replace(' ', "-")
}

/// A path as a TOML string.
fn quoted(path: &Path) -> String {
    toml::Value::String(path.display().to_string()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(folder: &Path, words: &[&str], password: &str) -> Answer {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        answer(&words, Some(&folder.display().to_string()), Some(password))
    }

    #[test]
    fn it_answers_in_the_words_of_restic() {
        let folder = tempfile::tempdir().expect("a folder");
        let now = Timestamp::from_secs(1_800_000_000);
        Repositories::create(folder.path(), now).expect("created");
        let archive = folder.path().join("archive");
        let listed = ask(&archive, &["snapshots", "--json", "--no-lock"], PASSWORD);
        let list: Vec<Value> = serde_json::from_str(&listed.stdout).expect("JSON");
        assert_eq!(list.last().expect("one")["time"], "2027-01-14T22:00:00.000Z");
        let bytes = |at: usize| list[at]["summary"]["total_bytes_processed"].as_u64();
        assert!(bytes(0) < bytes(list.len() - 1) && bytes(0) > Some(4 << 40 >> 1), "{:?}", bytes(0));
        let locks = ask(&archive, &["list", "locks", "--no-lock"], PASSWORD);
        let lock = ask(&archive, &["cat", "lock", locks.stdout.trim(), "--no-lock"], PASSWORD);
        assert!(lock.stdout.contains("\"exclusive\": true"), "{lock:?}");
        assert!(ask(&archive, &["snapshots"], "other").stderr.contains("wrong password"));
        assert!(ask(&folder.path().join("no"), &["snapshots"], PASSWORD).stderr.contains("Is there a repository"));
    }

    #[test]
    fn the_live_job_rests_during_its_outage() {
        let folder = tempfile::tempdir().expect("a folder");
        let begin = Timestamp::from_secs(1_800_000_000);
        let mut all = Repositories::create(folder.path(), begin).expect("created");
        let count = || State::read(&folder.path().join(LIVE)).expect("a state").snapshots.len();
        let mut counts = Vec::new();
        for secs in [30, 59, 61, 200, 279, 281, 330, 345] {
            let passed = Duration::from_secs(secs);
            all.advance(passed, begin.plus(passed)).expect("written");
            counts.push(count());
        }
        assert_eq!(counts, [1, 1, 1, 1, 1, 2, 2, 3]);
    }
}
