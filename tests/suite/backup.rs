//! restic and borg repositories as `noctty backups` sees them: real tools, real repositories, the real program.
//! A tool that is not installed fails the test.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const CANARY: &str = "canary-5f1e-password";

/// A folder with a home, a source and the configuration that is being written.
struct Bench {
    root: tempfile::TempDir,
    config: String,
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        for folder in ["home", "src"] {
            fs::create_dir(root.path().join(folder)).expect("made");
        }
        fs::write(root.path().join("src/a"), "something worth keeping").expect("written");
        let bench = Self { root, config: String::new() };
        bench.private("pw", CANARY);
        bench.private("wrong", "not the password");
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn private(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).expect("mode");
    }

    fn script(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).expect("written");
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).expect("mode");
        self.path(name).display().to_string()
    }

    /// A tool with its own home and the right password, as the owner of the repository runs it.
    fn tool(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("PATH is set"))
            .env("HOME", self.path("home"))
            .env("TZ", "UTC")
            .env("LANG", "C.UTF-8")
            .env("RESTIC_PASSWORD", CANARY)
            .env("BORG_PASSPHRASE", CANARY)
            .current_dir(self.root.path())
            .stdin(Stdio::null());
        command
    }

    fn restic(&self, arguments: &[&str]) {
        done(self.tool("restic").args(["--no-cache", "-q"]).args(arguments), "restic");
    }

    fn borg(&self, arguments: &[&str]) {
        done(self.tool("borg").args(arguments), "borgbackup");
    }

    fn job(&mut self, name: &str, kind: &str, repository: &str, password: &str, rest: &str) {
        let key = if kind == "borg" { "passphrase" } else { "password" };
        self.config.push_str(&format!(
            "[[backup]]\nname = \"{name}\"\nkind = \"{kind}\"\nrepository = \"{}\"\n{key} = {{ file = \"{}\" }}\n{rest}\n\n",
            self.path(repository).display(),
            self.path(password).display()
        ));
    }

    fn noctty(&self, arguments: &[&str]) -> Command {
        fs::write(self.path("noctty.toml"), &self.config).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_noctty"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("PATH is set"))
            .env("HOME", self.path("home"))
            .args(["--config"])
            .arg(self.path("noctty.toml"))
            .arg("--state")
            .arg(self.path("state"))
            .args(arguments);
        command
    }

    /// `noctty backups --json`, with its exit status.
    fn look(&self) -> (Value, i32) {
        let output = self.noctty(&["backups", "--json"]).output().expect("noctty runs");
        (document(&output), output.status.code().expect("an exit status"))
    }
}

fn done(command: &mut Command, package: &str) {
    let output = command.output().unwrap_or_else(|e| panic!("{e}: install it with `apt-get install {package}`"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

fn document(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}\n{}", String::from_utf8_lossy(&output.stderr)))
}

fn job<'a>(document: &'a Value, name: &str) -> &'a Value {
    let jobs = document["jobs"].as_array().expect("jobs");
    jobs.iter().find(|j| j["name"] == name).unwrap_or_else(|| panic!("no job {name} in {document:#}"))
}

fn status<'a>(document: &'a Value, name: &str) -> (&'a str, &'a str) {
    let job = job(document, name);
    (job["status"].as_str().expect("a status"), job["state"].as_str().expect("a state"))
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Ends a process that holds a lock, by its own pid.
struct Holder(Child);

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn restic_repositories_good_old_missing_damaged_and_with_a_wrong_password() {
    let mut bench = Bench::new();
    for repository in ["good", "old", "damaged"] {
        bench.restic(&["-r", repository, "init"]);
    }
    bench.restic(&["-r", "good", "backup", "src", "--host", "db01", "--tag", "nightly"]);
    bench.restic(&["-r", "old", "backup", "src", "--time", "2026-01-02 03:04:05"]);
    bench.restic(&["-r", "damaged", "backup", "src"]);
    let snapshot = fs::read_dir(bench.path("damaged/snapshots")).expect("listed").next().expect("one").expect("read");
    fs::remove_file(snapshot.path()).expect("removed");
    fs::write(snapshot.path(), "not what it was, but long enough to be decrypted").expect("written");
    bench.job("good", "restic", "good", "pw", "rpo = \"26h\"");
    bench.job("other host", "restic", "good", "pw", "rpo = \"26h\"\nhost = \"db02\"");
    bench.job("old", "restic", "old", "pw", "rpo = \"26h\"");
    bench.job("missing", "restic", "nowhere", "pw", "");
    bench.job("wrong", "restic", "good", "wrong", "");
    bench.job("damaged", "restic", "damaged", "pw", "");
    let before = entries(&bench.path("good/locks"));
    let (shown, exit) = bench.look();
    assert_eq!(exit, 2, "{shown:#}");
    assert_eq!(status(&shown, "good"), ("ok", "ok"));
    assert_eq!(job(&shown, "good")["restore_points"][0]["host"], "db01");
    assert_eq!(job(&shown, "good")["restore_points"][0]["tags"][0], "nightly");
    assert_eq!(status(&shown, "other host"), ("rpo-breach", "critical"));
    assert_eq!(status(&shown, "old"), ("rpo-breach", "critical"));
    assert_eq!(job(&shown, "old")["newest_restore_point"], "2026-01-02T03:04:05.000Z");
    assert_eq!(status(&shown, "missing"), ("failed", "critical"));
    assert!(
        job(&shown, "missing")["reason"].as_str().is_some_and(|r| r.starts_with("there is no restic repository at"))
    );
    assert_eq!(status(&shown, "wrong"), ("failed", "unknown"));
    assert!(job(&shown, "wrong")["reason"].as_str().is_some_and(|r| r.starts_with("wrong password for")));
    assert_eq!(status(&shown, "damaged"), ("corrupt", "critical"));
    assert_eq!(entries(&bench.path("good/locks")), before, "reading took a lock");
    assert!(!bench.path("home/.cache/restic").exists(), "reading a local repository wrote a cache");
}

#[test]
fn a_restic_lock_is_seen_while_held_and_stale_when_its_holder_is_gone() {
    let mut bench = Bench::new();
    bench.restic(&["-r", "r", "init"]);
    bench.restic(&["-r", "r", "backup", "src"]);
    let mut command = bench.tool("restic");
    command.args(["--no-cache", "-q", "-r", "r", "backup", "--stdin", "--stdin-filename", "hold"]);
    let holder =
        Holder(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("restic"));
    wait_for("a lock", || entries(&bench.path("r/locks")) == 1);
    bench.job("held", "restic", "r", "pw", "");
    let (shown, exit) = bench.look();
    let lock = &job(&shown, "held")["locks"][0];
    assert_eq!((exit, status(&shown, "held")), (0, ("ok", "ok")), "{shown:#}");
    assert_eq!((&lock["exclusive"], &lock["stale"]), (&Value::Bool(false), &Value::Bool(false)));
    drop(holder);
    let (shown, exit) = bench.look();
    assert_eq!((exit, status(&shown, "held")), (1, ("locked", "warning")), "{shown:#}");
}

#[test]
fn borg_repositories_good_old_locked_missing_and_with_a_wrong_passphrase() {
    let mut bench = Bench::new();
    for repository in ["good", "locked"] {
        bench.borg(&["init", "-e", "repokey", repository]);
    }
    bench.borg(&["create", "good::db01-1", "src"]);
    bench.borg(&["create", "--timestamp", "2026-01-02T03:04:05", "locked::web01-1", "src"]);
    let mut command = bench.tool("borg");
    command.args(["with-lock", "locked", "sleep", "600"]).stdout(Stdio::null()).stderr(Stdio::null());
    let _holder = Holder(command.spawn().expect("borg"));
    wait_for("a lock", || entries(&bench.path("locked/lock.exclusive")) == 1);
    bench.job("good", "borg", "good", "pw", "rpo = \"26h\"");
    bench.job("locked", "borg", "locked", "pw", "rpo = \"26h\"");
    bench.job("missing", "borg", "nowhere", "pw", "");
    bench.job("wrong", "borg", "good", "wrong", "");
    let (shown, exit) = bench.look();
    assert_eq!(exit, 2, "{shown:#}");
    assert_eq!(status(&shown, "good"), ("ok", "ok"));
    assert_eq!(status(&shown, "locked"), ("rpo-breach", "critical"));
    assert_eq!(job(&shown, "locked")["newest_restore_point"], "2026-01-02T03:04:05.000Z");
    let lock = &job(&shown, "locked")["locks"][0];
    assert_eq!((&lock["exclusive"], &lock["stale"]), (&Value::Bool(true), &Value::Bool(false)), "{lock}");
    assert!(job(&shown, "missing")["reason"].as_str().is_some_and(|r| r.starts_with("there is no borg repository at")));
    assert!(job(&shown, "wrong")["reason"].as_str().is_some_and(|r| r.starts_with("wrong passphrase for")));
}

#[test]
fn a_tool_that_is_not_installed_is_named() {
    let mut bench = Bench::new();
    bench.job("r", "restic", "r", "pw", "");
    bench.job("b", "borg", "b", "pw", "");
    let output = bench.noctty(&["backups", "--json"]).env("PATH", bench.path("src")).output().expect("noctty runs");
    let shown = document(&output);
    assert_eq!(job(&shown, "r")["reason"], "restic is not installed");
    assert_eq!(job(&shown, "b")["reason"], "borg is not installed");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn output_that_makes_no_sense_or_never_ends_is_said_so_and_memory_stays_flat() {
    let mut bench = Bench::new();
    let garbage = bench.script("garbage", "#!/bin/sh\necho '<html>not json</html>'\n");
    let flood = bench.script("flood", "#!/bin/sh\nexec head -c 400000000 /dev/zero\n");
    bench.job("garbage", "restic", "r1", "pw", &format!("program = [\"{garbage}\"]"));
    bench.job("flood", "restic", "r2", "pw", &format!("program = [\"{flood}\"]"));
    let mut child = bench.noctty(&["backups", "--json"]).stdout(Stdio::piped()).spawn().expect("noctty runs");
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("waited").is_none() {
        let text = fs::read_to_string(&status_file).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0");
        peak = peak.max(line.split_whitespace().next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("output");
    let shown = document(&output);
    assert_eq!(status(&shown, "garbage"), ("unknown", "unknown"));
    assert!(job(&shown, "garbage")["reason"].as_str().is_some_and(|r| r.contains("makes no sense")));
    assert!(job(&shown, "flood")["reason"].as_str().is_some_and(|r| r.contains("was cut off")), "{shown:#}");
    assert!(peak < 150_000, "{peak} kB");
}

#[test]
fn no_secret_reaches_an_argument_list_a_report_or_a_log() {
    let mut bench = Bench::new();
    // Says what it was called with, and quotes its secrets as careless tools do.
    let seen = bench.path("seen").display().to_string();
    let nosy = bench.script(
        "nosy",
        &format!("#!/bin/sh\ntr '\\0' ' ' </proc/$$/cmdline >>{seen}\ncat \"$RESTIC_PASSWORD_FILE\" >&2\necho \"Fatal: $RESTIC_REPOSITORY $AWS_SECRET_ACCESS_KEY\" >&2\nexit 1\n"),
    );
    bench.private("key", "canary-5f1e-key");
    bench.config = format!(
        "[[backup]]\nname = \"nosy\"\nkind = \"restic\"\nrepository = \"rest:http://user:canary-5f1e-url@127.0.0.1:1/r\"\npassword = {{ file = \"{}\" }}\nenvironment = {{ AWS_SECRET_ACCESS_KEY = {{ file = \"{}\" }} }}\nprogram = [\"{nosy}\"]\n",
        bench.path("pw").display(),
        bench.path("key").display()
    );
    let canary = "canary-5f1e";
    for arguments in [&["backups", "--json"][..], &["backups"], &["plan"], &["config", "show"]] {
        let output = bench.noctty(arguments).output().expect("noctty runs");
        let all = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&all).contains(canary), "{arguments:?}: {}", String::from_utf8_lossy(&all));
    }
    let called = fs::read_to_string(bench.path("seen")).expect("it was called");
    assert!(called.contains("snapshots") && !called.contains(canary), "{called}");
    let mut folders = vec![bench.path("state")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let text = String::from_utf8_lossy(&fs::read(entry.path()).expect("read")).into_owned();
                assert!(!text.contains(canary), "{}", entry.path().display());
            }
        }
    }
}

#[test]
fn the_simulated_repository_is_read_by_the_real_source() {
    let mut bench = Bench::new();
    let folder = bench.path("demo");
    bench.private("demo-pw", noctty::sim::repository::PASSWORD);
    let now = noctty::base::Clock::start().wall();
    let all = noctty::sim::repository::Repositories::create(&folder, now).expect("created");
    let program = Path::new(env!("CARGO_BIN_EXE_noctty"));
    bench.config = all.configuration(program, &bench.path("demo-pw"), &[]);
    let (shown, exit) = bench.look();
    assert_eq!(exit, 2, "{shown:#}");
    assert_eq!(status(&shown, "db01 nightly"), ("rpo-breach", "critical"));
    assert_eq!(status(&shown, "archive"), ("locked", "warning"));
    assert_eq!(status(&shown, "files"), ("ok", "ok"));
    assert_eq!(job(&shown, "files")["tool_version"], "0.17.3");
}
