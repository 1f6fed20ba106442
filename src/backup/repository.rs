//! What all tools that read a repository share: one command at a time per repository, a budget of time for all
//! commands of a look, credentials cut out of what the tool writes, and a failure as a reading.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::base::options::{SecretRef, beside};
use crate::base::text::clean;
use crate::base::{Secret, Timestamp, Untrusted};
use crate::model::{BackupFailure, BackupReport, Facts, Job, Origin, Outcome, Reading, RestorePoint, Unit};
use crate::process::{self, Output, ProcessError, Program, secret};

/// Restore points kept in a report; all of them are counted.
const POINTS: usize = 128;
/// Warnings kept of a list.
const WARNINGS: usize = 8;

/// How a tool understands the words that name a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// On another machine.
    Remote,
    /// Here, by a URL that is whole.
    Url,
    /// Here, by a path that may be relative.
    Path,
}

/// Where a repository is, and what a look at it waits for.
#[derive(Debug)]
pub struct Place {
    pub repository: Secret<String>,
    /// Only of one that the environment names: nobody has said that noctty may run a program for it or go to another machine.
    pub waits_for: Option<String>,
}

impl Place {
    /// A relative path starts beside the file of the configuration that has it. What the environment names is taken as it is.
    /// `secret` is what opens it, with its name.
    pub fn of(job: &Job, file: &str, repository: String, form: Form, secret: (&str, Option<&SecretRef>)) -> Self {
        let found = job.origin == Origin::Environment;
        let waits_for = match secret {
            (name, Some(SecretRef::Command(argv))) if found => {
                Some(format!("asks for its {name} by running {}", argv.first().map_or("", String::as_str)))
            }
            _ if found && form == Form::Remote => Some(format!("reads the remote repository {}", job.repository)),
            _ => None,
        };
        let repository = match form {
            Form::Path if !found => beside(file, &repository).to_string_lossy().into_owned(),
            Form::Path | Form::Url | Form::Remote => repository,
        };
        Self { repository: Secret::new(repository), waits_for }
    }
}

/// Why a look ended, with the words for the operator.
#[derive(Debug)]
pub struct Failed {
    pub kind: BackupFailure,
    pub words: Untrusted,
}

impl Failed {
    pub fn new(kind: BackupFailure, words: impl Into<Untrusted>) -> Self {
        Self { kind, words: words.into() }
    }

    /// A repository that is gone or broken is critical; where nothing can be said about it the outcome is unknown.
    pub fn reading(self) -> Reading {
        let outcome = match self.kind {
            BackupFailure::Missing | BackupFailure::Damaged => Outcome::Critical,
            BackupFailure::Locked => Outcome::Warning,
            BackupFailure::Tool
            | BackupFailure::Credentials
            | BackupFailure::Permission
            | BackupFailure::Unreachable
            | BackupFailure::TimedOut
            | BackupFailure::Refused
            | BackupFailure::Unreadable
            | BackupFailure::Failed => Outcome::Unknown,
        };
        Reading::new(outcome, self.words).facts(Facts::NoBackup(self.kind))
    }
}

/// What a list of restore points says: `total` are there, the newest are kept.
pub fn report(
    mut points: Vec<RestorePoint>,
    total: usize,
    mut warnings: Vec<String>,
    collected_at: Timestamp,
) -> BackupReport {
    warnings.truncate(WARNINGS);
    points.sort_by_key(|p| std::cmp::Reverse(p.at));
    points.truncate(POINTS);
    BackupReport {
        collected_at,
        points,
        total_points: total,
        locks: Vec::new(),
        tool_version: None,
        damage: Vec::new(),
        warnings,
    }
}

/// The reading of a repository that could be read. The number `newest` outlives a restart with the last known
/// state, which keeps no report.
pub fn reading(report: BackupReport, said: &str) -> Reading {
    let (outcome, mut words) = if let Some(first) = report.damage.first() {
        (Outcome::Critical, format!("damaged: {}", headline(&first.json_text())))
    } else {
        (Outcome::Ok, format!("{} restore points", report.total_points))
    };
    if report.total_points == 1 {
        words = words.replace("1 restore points", "1 restore point");
    }
    let mut reading = Reading::new(outcome, words).metric("restore_points", report.total_points as f64, Unit::Count);
    if let Some(newest) = report.newest() {
        reading = reading.metric("newest", newest.at.millis() as f64 / 1000.0, Unit::UnixSeconds);
    }
    for line in said.lines().filter(|line| !line.trim().is_empty()).take(8) {
        reading = reading.log(line);
    }
    reading.facts(Facts::Backup(Arc::new(report)))
}

/// One look: what is left of its time.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    begun: Instant,
    whole: Duration,
}

impl Budget {
    pub fn new(whole: Duration) -> Self {
        Self { begun: Instant::now(), whole }
    }

    fn left(&self) -> Duration {
        self.whole.saturating_sub(self.begun.elapsed())
    }

    /// Runs a program in what is left.
    pub async fn run(&self, program: Program) -> Result<Output, Failed> {
        let program = program.timeout(self.left());
        process::run(&program).await.map_err(|error| match error {
            ProcessError::TimedOut { ref program, .. } => {
                let secs = self.whole.as_secs_f32();
                Failed::new(BackupFailure::TimedOut, format!("{program} gave no answer within {secs:.0} s"))
            }
            ProcessError::NotFound(_) | ProcessError::Start { .. } => {
                Failed::new(BackupFailure::Tool, error.to_string())
            }
            ProcessError::Wait { .. } | ProcessError::Flood { .. } => {
                Failed::new(BackupFailure::Failed, error.to_string())
            }
        })
    }

    /// Fetches a secret in what is left.
    pub async fn fetch(&self, what: &str, reference: &SecretRef) -> Result<Secret<String>, Failed> {
        match tokio::time::timeout(self.left(), secret::fetch(reference)).await {
            Ok(Ok(secret)) => Ok(secret),
            Ok(Err(error)) => Err(Failed::new(BackupFailure::Credentials, format!("no {what}: {error}"))),
            Err(_) => {
                Err(Failed::new(BackupFailure::TimedOut, format!("the command for the {what} gave no answer in time")))
            }
        }
    }

    /// Waits until nobody else reads the repository. Two jobs may name the same one, and no tool is run twice on
    /// one repository at the same time; the table of gates is the only thing that all sources share.
    pub async fn enter(&self, repository: &Secret<String>) -> Result<tokio::sync::OwnedMutexGuard<()>, Failed> {
        let gate = gate(repository.expose());
        tokio::time::timeout(self.left(), gate.lock_owned()).await.map_err(|_| {
            Failed::new(BackupFailure::TimedOut, "another job has been reading this repository all the time")
        })
    }
}

type Gate = tokio::sync::Mutex<()>;

fn gate(repository: &str) -> Arc<Gate> {
    static GATES: OnceLock<Mutex<HashMap<u64, Weak<Gate>>>> = OnceLock::new();
    // The key is a hash, so that no repository with a password in it lives on here.
    let key = std::hash::BuildHasher::hash_one(
        &std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default(),
        repository.trim_end_matches('/'),
    );
    let mut gates = GATES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    gates.retain(|_, gate| gate.strong_count() > 0);
    if let Some(gate) = gates.get(&key).and_then(Weak::upgrade) {
        return gate;
    }
    let gate = Arc::new(Gate::new(()));
    gates.insert(key, Arc::downgrade(&gate));
    gate
}

/// Takes out of a tool's words what it was given in confidence.
pub fn redacted(text: &[u8], repository: (&Secret<String>, &str), secrets: &[&Secret<String>]) -> String {
    let mut out = String::from_utf8_lossy(text).into_owned();
    let (full, shown) = repository;
    if full.expose() != shown {
        out = out.replace(full.expose(), shown);
        // Tools quote parts of a URL too.
        let login = full.expose().split_once("://").and_then(|(_, rest)| rest.split_once('@')).map(|(login, _)| login);
        if let Some(password) = login.and_then(|login| login.split_once(':')).map(|(_, password)| password)
            && !password.is_empty()
        {
            out = out.replace(password, "…");
        }
    }
    for secret in secrets.iter().filter(|s| !s.expose().is_empty()) {
        out = out.replace(secret.expose(), "…");
    }
    out
}

/// The first line that says something, shortened.
pub fn headline(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it says nothing");
    let short: String = line.chars().take(200).collect();
    clean(&short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_quotes_its_secrets_does_not_get_them_out() {
        let full = Secret::new("rest:http://u:canary1@h:8000/r".to_owned());
        let password = Secret::new("canary2".to_owned());
        let said = b"Fatal: rest:http://u:canary1@h:8000/r: canary1 canary2";
        let text = redacted(said, (&full, "rest:http://u@h:8000/r"), &[&password]);
        assert_eq!(text, "Fatal: rest:http://u@h:8000/r: … …");
    }

    #[tokio::test]
    async fn a_repository_is_read_by_one_look_at_a_time() {
        let repository = Secret::new("/srv/one-at-a-time".to_owned());
        let same = Secret::new("/srv/one-at-a-time/".to_owned());
        let budget = Budget::new(Duration::from_millis(50));
        let held = budget.enter(&repository).await.expect("nobody is there");
        let refused = budget.enter(&same).await.expect_err("somebody is there");
        assert_eq!(refused.kind, BackupFailure::TimedOut);
        drop(held);
        Budget::new(Duration::from_secs(5)).enter(&same).await.expect("free again");
    }
}
