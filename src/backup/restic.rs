//! restic 0.12 and later. Reads `snapshots --json` and the locks, all with `--no-lock`, so that nothing is ever
//! written to the repository; local ones are read with `--no-cache`, so that nothing is written at home either.
//! The repository and its password go to the child by environment, since a command line can be read by everybody.
//!
//! restic keeps no record of runs: a run that failed leaves nothing, only the age of the newest snapshot speaks.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Deserialize;

use super::repository::{Budget, Failed, Form, Place, headline, reading, redacted, report};
use super::{Cx, Looking, Source, SourceKind};
use crate::base::options::{OptionDoc, Reader, SecretRef};
use crate::base::{Secret, Timestamp, Untrusted};
use crate::model::{BackupFailure, BackupReport, Job, LockState, Origin, Reading, RestorePoint, Wire};
use crate::process::{Output, Program};

/// restic's own rule: a lock that was not refreshed for so long belongs to nobody.
const LOCK_STALE: Duration = Duration::from_secs(30 * 60);
const LOCKS: usize = 4;
/// Paths and tags kept of one restore point.
const NAMES: usize = 16;

/// Variables by which restic's storage backends take their credentials (restic manual, "Environment Variables").
const BACKEND: [&str; 18] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AZURE_ACCOUNT_NAME",
    "AZURE_ACCOUNT_KEY",
    "AZURE_ACCOUNT_SAS",
    "B2_ACCOUNT_ID",
    "B2_ACCOUNT_KEY",
    "GOOGLE_PROJECT_ID",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "RESTIC_REST_USERNAME",
    "RESTIC_REST_PASSWORD",
    "RCLONE_CONFIG",
    "OS_AUTH_URL",
    "OS_PASSWORD",
];

pub static KIND: SourceKind = SourceKind {
    name: "restic",
    help: "a restic repository, read with `restic snapshots --no-lock`",
    options: &[
        OptionDoc { name: "password", form: "secret", default: "", help: "the repository's password" },
        OptionDoc {
            name: "program",
            form: "strings",
            default: "[\"restic\"]",
            help: "the program and leading arguments",
        },
        OptionDoc { name: "host", form: "string", default: "", help: "only snapshots of this host" },
        OptionDoc { name: "tag", form: "string", default: "", help: "only snapshots with this tag" },
        OptionDoc { name: "path", form: "string", default: "", help: "only snapshots of this path" },
        OptionDoc {
            name: "cache_dir",
            form: "string",
            default: "",
            help: "restic's cache; without it local repositories are read without a cache, remote ones with restic's own",
        },
        OptionDoc {
            name: "environment",
            form: "table of secrets",
            default: "",
            help: "credentials of the storage, by restic's names (AWS_ACCESS_KEY_ID, B2_ACCOUNT_KEY …)",
        },
    ],
    interval: Duration::from_secs(15 * 60),
    timeout: Duration::from_secs(60),
    bind,
};

#[derive(Debug)]
struct Restic {
    program: Vec<String>,
    repository: Secret<String>,
    shown: Arc<str>,
    password: Option<SecretRef>,
    environment: Vec<(&'static str, SecretRef)>,
    filter: Vec<String>,
    cache_dir: Option<String>,
    waits_for: Option<String>,
    version: OnceLock<Untrusted>,
}

fn bind(job: &Arc<Job>, r: &mut Reader<'_>) -> Option<Box<dyn Source>> {
    let repository = r.required_string("repository");
    let file = r.place_of("repository").source.name.clone();
    let password = r.secret("password");
    let program = r.argv("program").filter(|p| !p.is_empty()).unwrap_or_else(|| vec!["restic".to_owned()]);
    let mut filter = Vec::new();
    for (key, option) in [("host", "--host"), ("tag", "--tag"), ("path", "--path")] {
        filter.extend(r.string(key).map(|value| format!("{option}={value}")));
    }
    let cache_dir = r.path("cache_dir").map(|folder| folder.to_string_lossy().into_owned());
    let mut environment = Vec::new();
    if let Some(table) = r.table("environment") {
        let mut own = table.reader("`environment`");
        environment.extend(BACKEND.iter().filter_map(|name| Some((*name, own.secret(name)?))));
        for problem in own.finish() {
            r.problem(problem);
        }
    }
    let repository = repository?;
    let found = job.origin == Origin::Environment;
    if found {
        let set = BACKEND.iter().filter(|name| std::env::var_os(name).is_some());
        environment.extend(set.map(|name| (*name, SecretRef::Env((*name).to_owned()))));
    }
    let form = form(&repository);
    let Place { repository, waits_for } = Place::of(job, &file, repository, form, ("password", password.as_ref()));
    Some(Box::new(Restic {
        program,
        repository,
        shown: job.repository.clone(),
        password,
        environment,
        filter,
        cache_dir,
        waits_for,
        version: OnceLock::new(),
    }))
}

fn form(repository: &str) -> Form {
    if is_remote(repository) {
        Form::Remote
    } else if repository.starts_with("local:") {
        Form::Url
    } else {
        Form::Path
    }
}

/// Whether it is one of restic's backends beyond the file system.
fn is_remote(repository: &str) -> bool {
    ["sftp:", "rest:", "s3:", "b2:", "azure:", "gs:", "swift:", "rclone:"].iter().any(|p| repository.starts_with(p))
}

impl Source for Restic {
    fn look<'a>(&'a self, cx: &'a Cx) -> Looking<'a> {
        Box::pin(async move { self.read(cx).await.unwrap_or_else(Failed::reading) })
    }

    fn wire(&self) -> Wire {
        let protocol = if is_remote(self.repository.expose()) { "restic (remote)" } else { "restic, local files" };
        Wire { protocol: protocol.into(), destination: self.shown.clone() }
    }

    fn waits_for(&self) -> Option<String> {
        self.waits_for.clone()
    }
}

/// What the commands of one look share.
struct Session<'a> {
    source: &'a Restic,
    budget: Budget,
    secrets: Vec<(&'static str, Secret<String>)>,
}

impl Restic {
    async fn read(&self, cx: &Cx) -> Result<Reading, Failed> {
        let budget = Budget::new(cx.timeout);
        let _alone = budget.enter(&self.repository).await?;
        let mut session = Session { source: self, budget, secrets: Vec::new() };
        let password = self.password.as_ref().ok_or_else(|| {
            Failed::new(BackupFailure::Credentials, "no password is configured: add `password = { file = \"…\" }`")
        })?;
        let secret = budget.fetch("password", password).await?;
        session.secrets.push(("RESTIC_PASSWORD", secret));
        for (name, reference) in &self.environment {
            session.secrets.push((name, budget.fetch(name, reference).await?));
        }
        let mut arguments = vec!["snapshots", "--json"];
        arguments.extend(self.filter.iter().map(String::as_str));
        let output = session.run(&arguments).await?;
        let said = session.said(&output);
        let mut report = read_snapshots(&output.stdout, cx.clock.wall())
            .map_err(|why| Failed::new(BackupFailure::Unreadable, format!("restic's answer makes no sense: {why}")))?;
        report.damage = said.lines().filter(|line| tells_of_damage(line)).take(8).map(Untrusted::from).collect();
        report.locks = session.locks(cx.clock.wall(), &mut report.warnings).await;
        report.tool_version = session.version().await;
        Ok(reading(report, &said))
    }
}

impl Session<'_> {
    /// Runs one command; whatever it exits with but 0 is a failure.
    async fn run(&self, arguments: &[&str]) -> Result<Output, Failed> {
        let output = self.budget.run(self.program(arguments)).await?;
        if output.status.success() && !output.cut {
            return Ok(output);
        }
        if output.cut {
            return Err(Failed::new(BackupFailure::Unreadable, "restic printed more than 16 MiB and was cut off"));
        }
        let (kind, words) = classify(output.status.code(), &self.said(&output), &self.source.shown);
        Err(Failed::new(kind, words))
    }

    fn program(&self, arguments: &[&str]) -> Program {
        let source = self.source;
        let mut argv = source.program.clone();
        argv.extend(arguments.iter().map(|a| (*a).to_owned()));
        argv.push("--no-lock".to_owned());
        match &source.cache_dir {
            Some(folder) => argv.push(format!("--cache-dir={folder}")),
            None if !is_remote(source.repository.expose()) => argv.push("--no-cache".to_owned()),
            None => {}
        }
        let mut program = Program::new(argv).secret_env("RESTIC_REPOSITORY", source.repository.clone());
        for (name, secret) in &self.secrets {
            // What stands in a file stays there: the child reads it by itself.
            program = match (&source.password, *name) {
                (Some(SecretRef::File(path)), "RESTIC_PASSWORD") => {
                    program.env("RESTIC_PASSWORD_FILE", &path.to_string_lossy())
                }
                _ => program.secret_env(name, secret.clone()),
            };
        }
        for name in ["RESTIC_CACHE_DIR", "TMPDIR"] {
            if let Ok(value) = std::env::var(name) {
                program = program.env(name, &value);
            }
        }
        program
    }

    /// What it wrote to standard error, without what it must not repeat.
    fn said(&self, output: &Output) -> String {
        let secrets: Vec<&Secret<String>> = self.secrets.iter().map(|(_, secret)| secret).collect();
        redacted(&output.stderr, (&self.source.repository, &self.source.shown), &secrets)
    }

    /// The locks; one that is gone before it was read was released meanwhile.
    async fn locks(&self, now: Timestamp, warnings: &mut Vec<String>) -> Vec<LockState> {
        let listed = match self.run(&["list", "locks"]).await {
            Ok(output) => output,
            Err(failed) => {
                warnings.push(format!("the locks could not be listed: {}", failed.words.line()));
                return Vec::new();
            }
        };
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        let ids: Vec<&str> = text.lines().map(str::trim).filter(|id| is_id(id)).collect();
        if ids.len() > LOCKS {
            warnings.push(format!("{} locks, of which {LOCKS} were read", ids.len()));
        }
        let mut out = Vec::new();
        for id in ids.into_iter().take(LOCKS) {
            if let Ok(output) = self.run(&["cat", "lock", id]).await
                && let Ok(lock) = serde_json::from_slice::<Lock>(&output.stdout)
            {
                out.push(lock.state(now));
            }
        }
        out
    }

    async fn version(&self) -> Option<Untrusted> {
        if self.source.version.get().is_none()
            && let Ok(output) = self.run(&["version"]).await
        {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            if let Some(version) = text.split_whitespace().nth(1) {
                // Set by another look at the same time: the same version.
                let _ = self.source.version.set(Untrusted::from(version));
            }
        }
        self.source.version.get().cloned()
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn tells_of_damage(line: &str) -> bool {
    ["could not load snapshot", "invalid data returned", "ciphertext verification failed", "Ignoring \""]
        .iter()
        .any(|words| line.contains(words))
}

/// A failed command in the operator's words. restic before 0.17 exits with 1 for everything, so its words count too.
fn classify(code: Option<i32>, said: &str, shown: &str) -> (BackupFailure, String) {
    let has = |words: &[&str]| words.iter().any(|w| said.to_ascii_lowercase().contains(w));
    let line = said.lines().find(|l| l.contains("Fatal") || l.contains("panic")).unwrap_or(said);
    let words = headline(&exit_error(line).unwrap_or_else(|| line.to_owned()));
    if has(&["permission denied", "access denied", "accessdenied"]) {
        (BackupFailure::Permission, format!("no permission to read {shown}: {words}"))
    } else if has(&["connection refused", "no such host", "i/o timeout", "no route to host", "network is unreachable"])
    {
        (BackupFailure::Unreachable, format!("cannot reach {shown}: {words}"))
    } else if code == Some(12) || has(&["wrong password", "empty password", "no key found"]) {
        (BackupFailure::Credentials, format!("wrong password for {shown} (or its key is gone)"))
    } else if code == Some(11) || has(&["already locked", "unable to create lock"]) {
        (BackupFailure::Locked, format!("locked: {words}"))
    } else if code == Some(10) || has(&["is there a repository at", "repository does not exist"]) {
        (BackupFailure::Missing, format!("there is no restic repository at {shown}"))
    } else if has(&["invalid data returned", "ciphertext verification failed"]) {
        (BackupFailure::Damaged, format!("damaged: {words}"))
    } else {
        let status = code.map_or_else(|| "was ended by a signal".to_owned(), |code| format!("exit status {code}"));
        (BackupFailure::Failed, format!("restic failed ({status}): {words}"))
    }
}

/// The message of `{"message_type":"exit_error",…}`, as restic 0.17 and later writes it.
fn exit_error(line: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    value.get("message")?.as_str().map(str::to_owned)
}

/// Only what is used; everything may be missing, and more may come.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Snapshot {
    time: String,
    id: String,
    hostname: String,
    paths: Vec<String>,
    tags: Option<Vec<String>>,
    summary: Option<Summary>,
}

#[derive(Deserialize)]
struct Summary {
    total_bytes_processed: Option<u64>,
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    time: String,
    #[serde(default)]
    exclusive: bool,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    pid: i64,
}

impl Lock {
    fn state(&self, now: Timestamp) -> LockState {
        let since = Timestamp::parse_rfc3339(&self.time);
        let old = since.is_some_and(|since| now.since(since) > LOCK_STALE);
        let gone = super::borg::is_this_machine(&self.hostname) && !super::borg::is_running(self.pid);
        LockState {
            exclusive: self.exclusive,
            holder: Untrusted::from(format!("{}@{} pid {}", self.username, self.hostname, self.pid)),
            since,
            stale: old || gone,
        }
    }
}

/// Reads the array of `snapshots --json`; `null` is how old versions write an empty one.
fn read_snapshots(bytes: &[u8], now: Timestamp) -> Result<BackupReport, String> {
    let all: Option<Vec<Snapshot>> = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    let all = all.unwrap_or_default();
    let (total_points, mut points) = (all.len(), Vec::with_capacity(all.len()));
    let mut warnings = Vec::new();
    for one in all {
        let Some(at) = Timestamp::parse_rfc3339(&one.time) else {
            warnings.push(format!("snapshot {} has no time", crate::base::text::clean(&one.id)));
            continue;
        };
        let names = |list: Vec<String>| list.into_iter().take(NAMES).map(Untrusted::from).collect();
        points.push(RestorePoint {
            id: Untrusted::from(one.id),
            at,
            host: Untrusted::from(one.hostname),
            paths: names(one.paths),
            tags: names(one.tags.unwrap_or_default()),
            bytes: one.summary.and_then(|s| s.total_bytes_processed),
        });
    }
    Ok(report(points, total_points, warnings, now))
}

#[cfg(test)]
mod tests;
