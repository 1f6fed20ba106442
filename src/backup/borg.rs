//! BorgBackup 1.1 to 1.4. Reads `list --json` with `--bypass-lock`, so that it takes no lock and waits for none;
//! the locks of local repositories are read from their files. Borg writes times without an offset: the child runs
//! with `TZ=UTC`. It never answers yes for the operator: a repository that moved, or that is unknown and not
//! encrypted, is refused with the option that allows it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::repository::{Budget, Failed, Form, Place, headline, reading, redacted, report};
use super::{Cx, Looking, Source, SourceKind};
use crate::base::options::{OptionDoc, Reader, SecretRef};
use crate::base::{Secret, Timestamp, Untrusted};
use crate::model::{BackupFailure, BackupReport, Job, LockState, Reading, RestorePoint, Wire};
use crate::process::Program;

pub static KIND: SourceKind = SourceKind {
    name: "borg",
    help: "a BorgBackup 1.x repository, read with `borg list --bypass-lock`",
    options: &[
        OptionDoc { name: "passphrase", form: "secret", default: "", help: "the repository's passphrase" },
        OptionDoc {
            name: "program",
            form: "strings",
            default: "[\"borg\"]",
            help: "the program and leading arguments",
        },
        OptionDoc {
            name: "archives",
            form: "string",
            default: "",
            help: "only archives whose name matches, such as `db01-*`",
        },
        OptionDoc {
            name: "rsh",
            form: "string",
            default: "ssh -oBatchMode=yes",
            help: "how a remote repository is reached (BORG_RSH)",
        },
        OptionDoc {
            name: "accept_unencrypted",
            form: "boolean",
            default: "false",
            help: "read a repository that is not encrypted and that this account never used before",
        },
        OptionDoc {
            name: "accept_moved",
            form: "boolean",
            default: "false",
            help: "read a repository that was at another place before",
        },
    ],
    interval: Duration::from_secs(15 * 60),
    timeout: Duration::from_secs(60),
    bind,
};

/// Where borg keeps its own files; they may stand elsewhere than at home.
const FOLDERS: [&str; 7] = [
    "BORG_BASE_DIR",
    "BORG_CONFIG_DIR",
    "BORG_CACHE_DIR",
    "BORG_SECURITY_DIR",
    "BORG_KEYS_DIR",
    "BORG_KEY_FILE",
    "TMPDIR",
];

#[derive(Debug)]
struct Borg {
    program: Vec<String>,
    repository: Secret<String>,
    shown: Arc<str>,
    passphrase: Option<SecretRef>,
    archives: Option<String>,
    rsh: Option<String>,
    accept_unencrypted: bool,
    accept_moved: bool,
    waits_for: Option<String>,
}

fn bind(job: &Arc<Job>, r: &mut Reader<'_>) -> Option<Box<dyn Source>> {
    let repository = r.required_string("repository");
    let file = r.place_of("repository").source.name.clone();
    let passphrase = r.secret("passphrase");
    let program = r.argv("program").filter(|p| !p.is_empty()).unwrap_or_else(|| vec!["borg".to_owned()]);
    let (archives, rsh) = (r.string("archives"), r.string("rsh"));
    let accept_unencrypted = r.bool("accept_unencrypted").unwrap_or(false);
    let accept_moved = r.bool("accept_moved").unwrap_or(false);
    let repository = repository?;
    let form = form(&repository);
    let Place { repository, waits_for } = Place::of(job, &file, repository, form, ("passphrase", passphrase.as_ref()));
    Some(Box::new(Borg {
        program,
        repository,
        shown: job.repository.clone(),
        passphrase,
        archives,
        rsh,
        accept_unencrypted,
        accept_moved,
        waits_for,
    }))
}

fn form(repository: &str) -> Form {
    match local_path(repository) {
        None => Form::Remote,
        Some(_) if repository.starts_with("file://") => Form::Url,
        Some(_) => Form::Path,
    }
}

/// `None` for `ssh://…` and `user@host:path`.
fn local_path(repository: &str) -> Option<PathBuf> {
    if let Some(path) = repository.strip_prefix("file://") {
        return Some(PathBuf::from(path));
    }
    let before_slash = repository.split('/').next().unwrap_or_default();
    (!before_slash.contains(':')).then(|| PathBuf::from(repository))
}

impl Source for Borg {
    fn look<'a>(&'a self, cx: &'a Cx) -> Looking<'a> {
        Box::pin(async move { self.read(cx).await.unwrap_or_else(Failed::reading) })
    }

    fn wire(&self) -> Wire {
        let local = local_path(self.repository.expose()).is_some();
        let protocol = if local { "borg, local files" } else { "borg over SSH" };
        Wire { protocol: protocol.into(), destination: self.shown.clone() }
    }

    fn waits_for(&self) -> Option<String> {
        self.waits_for.clone()
    }
}

impl Borg {
    async fn read(&self, cx: &Cx) -> Result<Reading, Failed> {
        let budget = Budget::new(cx.timeout);
        let _alone = budget.enter(&self.repository).await?;
        let passphrase = match &self.passphrase {
            Some(reference) => Some(budget.fetch("passphrase", reference).await?),
            None => None,
        };
        let now = cx.clock.wall();
        let local = local_path(self.repository.expose());
        let look_at_locks = move || local.as_deref().map(locks).unwrap_or_default();
        let locks = tokio::task::spawn_blocking(look_at_locks).await.unwrap_or_default();
        let output = budget.run(self.list(passphrase.as_ref())).await?;
        let secrets: Vec<&Secret<String>> = passphrase.iter().collect();
        let said = redacted(&output.stderr, (&self.repository, &self.shown), &secrets);
        // 1 is a warning: the list is there.
        if !matches!(output.status.code(), Some(0 | 1 | 100..=127)) {
            let (kind, words) = classify(output.status.code(), &said, &self.shown);
            let changing = matches!(kind, BackupFailure::Damaged | BackupFailure::Failed);
            if let Some(lock) = locks.iter().find(|l| changing && l.exclusive && !l.stale) {
                let words = format!("is being changed by {}: not readable now", lock.holder.json_text());
                return Err(Failed::new(BackupFailure::Locked, words));
            }
            return Err(Failed::new(kind, words));
        }
        if output.cut {
            return Err(Failed::new(BackupFailure::Unreadable, "borg printed more than 16 MiB and was cut off"));
        }
        let mut report = read_list(&output.stdout, now)
            .map_err(|why| Failed::new(BackupFailure::Unreadable, format!("borg's answer makes no sense: {why}")))?;
        report.locks = locks;
        Ok(reading(report, &said))
    }

    fn list(&self, passphrase: Option<&Secret<String>>) -> Program {
        let answer = |yes: bool| if yes { "yes" } else { "no" };
        let mut argv = self.program.clone();
        argv.extend(
            ["--log-json", "list", "--json", "--bypass-lock", "--format={archive}{id}{time}{hostname}"]
                .map(str::to_owned),
        );
        argv.extend(self.archives.iter().map(|glob| format!("--glob-archives={glob}")));
        let mut program = Program::new(argv)
            .secret_env("BORG_REPO", self.repository.clone())
            .env("BORG_RELOCATED_REPO_ACCESS_IS_OK", answer(self.accept_moved))
            .env("BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK", answer(self.accept_unencrypted))
            .env("BORG_DISPLAY_PASSPHRASE", "no")
            .env("BORG_EXIT_CODES", "modern")
            .env("BORG_RSH", self.rsh.as_deref().unwrap_or("ssh -oBatchMode=yes"));
        if let Some(passphrase) = passphrase {
            program = program.secret_env("BORG_PASSPHRASE", passphrase.clone());
        }
        for name in FOLDERS {
            if let Ok(value) = std::env::var(name) {
                program = program.env(name, &value);
            }
        }
        program
    }
}

/// One line of `--log-json`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct LogLine {
    message: String,
    levelname: String,
    msgid: String,
}

/// A failed run in the operator's words, by borg's message id, else by the exit status of borg 1.4 and later.
fn classify(code: Option<i32>, said: &str, shown: &str) -> (BackupFailure, String) {
    let lines: Vec<LogLine> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let error = lines.iter().find(|l| matches!(l.levelname.as_str(), "ERROR" | "CRITICAL"));
    let words = headline(error.map_or(said, |l| &l.message));
    let id = error.map_or("", |l| l.msgid.as_str());
    if said.contains("Permission denied") && !id.starts_with("Connection") {
        return (BackupFailure::Permission, format!("no permission to read {shown}"));
    }
    match (id, code) {
        ("Repository.DoesNotExist" | "Repository.InvalidRepository", _) | (_, Some(13)) => {
            (BackupFailure::Missing, format!("there is no borg repository at {shown}"))
        }
        ("PassphraseWrong", _) | (_, Some(52)) => (BackupFailure::Credentials, format!("wrong passphrase for {shown}")),
        ("NoPassphraseFailure", _) | (_, Some(50)) => (
            BackupFailure::Credentials,
            format!("{shown} is encrypted and no passphrase is configured: add `passphrase = {{ file = \"…\" }}`"),
        ),
        ("PasscommandFailure" | "KeyfileNotFoundError" | "RepoKeyNotFoundError", _) => {
            (BackupFailure::Credentials, words)
        }
        ("LockTimeout" | "LockFailed" | "LockError" | "LockErrorT", _) | (_, Some(70..=75)) => {
            (BackupFailure::Locked, format!("locked: {words}"))
        }
        ("Cache.CacheInitAbortedError", _) => (
            BackupFailure::Refused,
            format!("{shown} is not encrypted and was never used from here: `accept_unencrypted = true` reads it"),
        ),
        ("Cache.RepositoryAccessAborted", _) => {
            (BackupFailure::Refused, format!("{shown} was at another place before: `accept_moved = true` reads it"))
        }
        ("Cache.RepositoryReplay" | "Cache.EncryptionMethodMismatch", _) | (_, Some(64)) => {
            (BackupFailure::Refused, format!("borg refuses {shown} for safety: {words}"))
        }
        ("ConnectionClosed" | "ConnectionClosedWithHint" | "ConnectionBrokenWithHint", _) | (_, Some(80..=84)) => {
            (BackupFailure::Unreachable, format!("cannot reach {shown}: {words}"))
        }
        (
            "IntegrityError"
            | "DataIntegrityError"
            | "FileIntegrityError"
            | "Repository.CheckNeeded"
            | "Repository.ObjectNotFound"
            | "Repository.InvalidRepositoryConfig"
            | "ManifestAuthenticationError",
            _,
        )
        | (_, Some(90..=92)) => (BackupFailure::Damaged, format!("damaged: {words}")),
        (_, code) => {
            let status = code.map_or_else(|| "was ended by a signal".to_owned(), |code| format!("exit status {code}"));
            (BackupFailure::Failed, format!("borg failed ({status}): {words}"))
        }
    }
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    archives: Vec<Archive>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Archive {
    name: String,
    id: String,
    start: String,
    time: String,
    hostname: String,
}

fn read_list(bytes: &[u8], now: Timestamp) -> Result<BackupReport, String> {
    let list: List = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    let total_points = list.archives.len();
    let (mut points, mut warnings) = (Vec::with_capacity(total_points), Vec::new());
    for one in list.archives {
        let local = if one.start.is_empty() { &one.time } else { &one.start };
        let Some(at) = utc(local) else {
            warnings.push(format!("archive {} has no time", crate::base::text::clean(&one.name)));
            continue;
        };
        points.push(RestorePoint {
            id: Untrusted::from(if one.name.is_empty() { one.id } else { one.name }),
            at,
            host: Untrusted::from(one.hostname),
            paths: Vec::new(),
            tags: Vec::new(),
            bytes: None,
        });
    }
    Ok(report(points, total_points, warnings, now))
}

/// A local time of a child that runs with `TZ=UTC`; newer versions add an offset.
fn utc(text: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text).or_else(|| Timestamp::parse_rfc3339(&format!("{text}Z")))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Roster {
    shared: Vec<(String, i64, i64)>,
}

/// The locks of a local repository: a file `HOST@ID.PID-THREAD` in `lock.exclusive/`, shared ones in `lock.roster`.
fn locks(repository: &Path) -> Vec<LockState> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(repository.join("lock.exclusive")).into_iter().flatten().flatten().take(4) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let since = entry.metadata().ok().and_then(|m| m.modified().ok()).and_then(wall);
        let (host, process) = name.rsplit_once('.').unwrap_or((&name, ""));
        let pid = process.split('-').next().and_then(|pid| pid.parse().ok());
        out.push(lock(host, pid, true, since));
    }
    let roster: Roster = std::fs::File::open(repository.join("lock.roster"))
        .ok()
        .and_then(|file| serde_json::from_reader(std::io::Read::take(file, 64 * 1024)).ok())
        .unwrap_or_default();
    out.extend(roster.shared.iter().take(4).map(|(host, pid, _)| lock(host, Some(*pid), false, None)));
    out
}

fn lock(host: &str, pid: Option<i64>, exclusive: bool, since: Option<Timestamp>) -> LockState {
    let name = host.split('@').next().unwrap_or(host);
    let gone = pid.is_some_and(|pid| is_this_machine(name) && !is_running(pid));
    let holder = pid.map_or_else(|| name.to_owned(), |pid| format!("{name} pid {pid}"));
    LockState { exclusive, holder: Untrusted::from(holder), since, stale: gone }
}

fn wall(time: std::time::SystemTime) -> Option<Timestamp> {
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(i64::try_from(since.as_millis()).ok()?))
}

/// Whether a lock's host name is ours; tools write it with and without the domain.
pub(super) fn is_this_machine(host: &str) -> bool {
    let uname = rustix::system::uname();
    let own = uname.nodename().to_string_lossy().into_owned();
    let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    !host.is_empty() && first(host) == first(&own)
}

pub(super) fn is_running(pid: i64) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else { return false };
    // "Not permitted" comes from a process that is there.
    !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_without_an_offset_are_utc() {
        let recorded = br#"{"archives":[{"archive":"db1-x","barchive":"db1-x","id":"71a8057c","name":"db1-x","start":"2026-01-02T03:04:05.000000","time":"2026-01-02T03:04:05.000000"},{"name":"b","start":"2026-03-01T00:00:00.000000"},{"name":"odd"}],"encryption":{"mode":"repokey-blake2"},"new":1}"#;
        let report = read_list(recorded, Timestamp(0)).expect("it is a list");
        assert_eq!(report.total_points, 3);
        assert_eq!(report.points[1].at.rfc3339(), "2026-01-02T03:04:05.000Z");
        assert_eq!(report.newest().map(|p| p.id.line()), Some("b".to_owned()));
        assert_eq!(report.warnings, ["archive odd has no time"]);
    }

    #[test]
    fn message_ids_become_clear_words() {
        let line = |id: &str, text: &str| {
            format!(
                "noise\n{{\"type\":\"log_message\",\"message\":\"{text}\",\"levelname\":\"ERROR\",\"name\":\"borg.archiver\",\"msgid\":\"{id}\"}}\n"
            )
        };
        let kind = |id: &str, code| classify(Some(code), &line(id, "x"), "/r").0;
        assert_eq!(kind("Repository.DoesNotExist", 2), BackupFailure::Missing);
        assert_eq!(kind("PassphraseWrong", 2), BackupFailure::Credentials);
        assert_eq!(kind("NoPassphraseFailure", 2), BackupFailure::Credentials);
        assert_eq!(kind("LockTimeout", 2), BackupFailure::Locked);
        assert_eq!(kind("Cache.CacheInitAbortedError", 2), BackupFailure::Refused);
        assert_eq!(kind("IntegrityError", 2), BackupFailure::Damaged);
        assert_eq!(kind("", 73), BackupFailure::Locked);
        assert_eq!(kind("", 91), BackupFailure::Damaged);
        let (kind, words) = classify(Some(2), &line("Exception", "Local Exception"), "/r");
        assert_eq!((kind, words.as_str()), (BackupFailure::Failed, "borg failed (exit status 2): Local Exception"));
    }

    #[test]
    fn remote_forms_are_told_from_paths() {
        for local in ["/srv/borg", "borg", "./a:b", "file:///srv/borg"] {
            assert!(local_path(local).is_some(), "{local}");
        }
        for remote in ["ssh://u@h/./r", "u@h:r", "h:/srv"] {
            assert!(local_path(remote).is_none(), "{remote}");
        }
    }

    #[test]
    fn a_lock_of_a_process_that_is_gone_is_stale() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
        std::fs::create_dir(folder.path().join("lock.exclusive")).expect("made");
        let name = format!("{own}@3281355014145.{}-0", i32::MAX);
        std::fs::write(folder.path().join("lock.exclusive").join(&name), "").expect("written");
        let found = locks(folder.path());
        assert_eq!(found.len(), 1);
        assert!(found[0].exclusive && found[0].stale && found[0].since.is_some(), "{found:?}");
        let living = format!("{{\"shared\":[[\"{own}@1\",{},0]]}}", std::process::id());
        std::fs::write(folder.path().join("lock.roster"), living).expect("written");
        let found = locks(folder.path());
        assert!(!found[1].exclusive && !found[1].stale, "{found:?}");
    }
}
