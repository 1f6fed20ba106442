//! Child programs: argv only, no shell, no terminal, own process group, cleared environment, time and
//! output caps; the whole group is ended when time is up, and what has left the group with it. And the one place where a reference to a
//! secret becomes the secret.
//!
//! A child that could open `/dev/tty` could ask for a password on the operator's screen. So it is started
//! through `setsid` (util-linux, busybox) where that is there: a session of its own has no terminal. A program that
//! must leave nothing behind is started through a process of ours ([`warden`]) instead.

mod escaped;
pub mod secret;
pub mod warden;

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};

use crate::base::{Secret, units};

/// How long the outputs of a program that has ended are still read, where something holds them open.
const DRAIN: Duration = Duration::from_millis(200);
/// How long a group may take to end after SIGTERM.
const GRACE: Duration = Duration::from_millis(500);

/// A program to be run, and the bounds it runs in.
#[derive(Clone, Debug)]
pub struct Program {
    pub argv: Vec<String>,
    /// Where it runs; here by default.
    pub folder: Option<PathBuf>,
    /// Added to the short list that every child gets.
    pub environment: Vec<(String, Secret<String>)>,
    /// What it reads from its standard input; feeding it is a part of its time.
    pub input: Vec<u8>,
    pub timeout: Duration,
    /// What the configuration calls its time, where ending it takes a part of that.
    pub said: Option<Duration>,
    /// Bytes kept of each of its two outputs; the rest is read and thrown away.
    pub output_limit: usize,
    /// A program that prints more than the limit is stopped instead.
    pub stop_at_limit: bool,
    /// What it has started ends with it, however it ends and wherever that has gone. Otherwise what it leaves behind goes on where
    /// it ended by itself and nothing holds its outputs: an agent, the master of an SSH connection.
    pub leaves_nothing: bool,
}

impl Program {
    pub fn new(argv: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            folder: None,
            environment: Vec::new(),
            input: Vec::new(),
            timeout: Duration::from_secs(30),
            said: None,
            output_limit: 16 * 1024 * 1024,
            stop_at_limit: false,
            leaves_nothing: false,
        }
    }

    #[must_use]
    pub fn env(self, name: &str, value: &str) -> Self {
        self.secret_env(name, Secret::new(value.to_owned()))
    }

    #[must_use]
    pub fn secret_env(mut self, name: &str, value: Secret<String>) -> Self {
        self.environment.push((name.to_owned(), value));
        self
    }

    #[must_use]
    pub fn folder(mut self, folder: PathBuf) -> Self {
        self.folder = Some(folder);
        self
    }

    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// What it has started ends with it.
    #[must_use]
    pub fn leaves_nothing(mut self) -> Self {
        self.leaves_nothing = true;
        self
    }

    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn name(&self) -> String {
        self.argv.first().cloned().unwrap_or_default()
    }
}

/// What a program left behind.
#[derive(Debug)]
pub struct Output {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// One of the outputs went beyond the limit.
    pub cut: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error("{0} is not installed")]
    NotFound(String),
    #[error("cannot start {program}: {source}")]
    Start { program: String, source: std::io::Error },
    #[error("{program} did not end within {} and was stopped", units::config_duration(*.within))]
    TimedOut { program: String, within: Duration },
    #[error("{program} printed more than {} KiB and was stopped", .limit / 1024)]
    Flood { program: String, limit: usize },
    #[error("{program}: {source}")]
    Wait { program: String, source: std::io::Error },
}

/// What is ended, and how, when time is up or the wait is given up.
enum Hold {
    /// A process group, by signals to all of it.
    Group(Option<Pid>),
    /// A warden, which ends all below it when it is asked or nobody reads what comes of it.
    Warden(Option<Pid>),
}

impl Hold {
    fn signal(&self, signal: Signal) {
        // Gone already is what we want.
        if let Self::Group(Some(pid)) = self {
            let _ = kill_process_group(*pid, signal);
        }
    }

    /// Ends it with all that it started; returns when that is done, or cannot be.
    async fn end(&self, child: &mut Child, mark: String) {
        let longest = match self {
            Self::Group(_) => {
                self.signal(Signal::TERM);
                // Children of the child may hold the pipes open: only the group's end counts.
                let _ = tokio::time::timeout(GRACE, child.wait()).await;
                self.signal(Signal::KILL);
                GRACE
            }
            Self::Warden(pid) => {
                if let Some(pid) = pid {
                    let _ = kill_process(*pid, Signal::TERM);
                }
                let longest = warden::GRACE + warden::LONGEST_END;
                if tokio::time::timeout(longest, child.wait()).await.is_ok() {
                    return;
                }
                // Something below hangs in the kernel, or the warden was stopped.
                let _ = child.start_kill();
                GRACE
            }
        };
        let _ = tokio::time::timeout(longest, child.wait()).await;
        end_escaped(mark).await;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

async fn end_escaped(mark: String) {
    let _ = tokio::task::spawn_blocking(move || escaped::end(&mark)).await;
}

/// Runs a program to its end.
///
/// # Errors
/// It is not there, cannot be started, or was stopped because its time was up; its own exit status is no error.
pub async fn run(program: &Program) -> Result<Output, ProcessError> {
    let name = program.name();
    let mark = escaped::mark();
    let (mut command, watched) = command(program, &mark)?;
    let mut child = command.spawn().map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => ProcessError::NotFound(name.clone()),
        _ => ProcessError::Start { program: name.clone(), source },
    })?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let hold = if watched { Hold::Warden(pid) } else { Hold::Group(pid) };
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (limit, strict) = (program.output_limit, program.stop_at_limit);
    let (mut out, mut err) = (Kept::default(), Kept::default());
    let ended = {
        let reads = async { tokio::try_join!(out.read(stdout, limit, strict), err.read(stderr, limit, strict)) };
        let mut reads = std::pin::pin!(reads);
        let all = async {
            tokio::select! {
                status = child.wait() => match tokio::time::timeout(drain(watched, &status), &mut reads).await {
                    Ok(read) => read.map(|_| (status, false)),
                    // Something that it started holds its outputs open: what it said itself counts.
                    Err(_) => Ok((status, true)),
                },
                read = &mut reads => {
                    read?;
                    Ok((child.wait().await, false))
                }
            }
        };
        let mut all = std::pin::pin!(all);
        let fed = async {
            tokio::select! {
                ended = &mut all => ended,
                () = feed(stdin, &program.input) => all.await,
            }
        };
        tokio::time::timeout(program.timeout, fed).await
    };
    let error = match ended {
        Ok(Ok((status, left))) => {
            if left || was_killed(watched, &status) {
                hold.signal(Signal::KILL);
                end_escaped(mark.clone()).await;
            }
            let status = status.map_err(|source| ProcessError::Wait { program: name.clone(), source })?;
            if watched && let Some(source) = warden::not_started(&mark, status.code(), &err.bytes) {
                return Err(ProcessError::Start { program: name, source });
            }
            return Ok(Output { status, stdout: out.bytes, stderr: err.bytes, cut: out.cut || err.cut });
        }
        Ok(Err(Flood)) => ProcessError::Flood { program: name, limit },
        Err(_) => ProcessError::TimedOut { program: name, within: program.said.unwrap_or(program.timeout) },
    };
    hold.end(&mut child, mark).await;
    Err(error)
}

/// How long the outputs of what has ended are still read. Whoever killed a warden left its deputy, which ends the program and
/// holds the outputs until then.
fn drain(watched: bool, status: &std::io::Result<ExitStatus>) -> Duration {
    if was_killed(watched, status) { warden::GRACE + warden::LONGEST_END } else { DRAIN }
}

fn was_killed(watched: bool, status: &std::io::Result<ExitStatus>) -> bool {
    watched && status.as_ref().is_ok_and(|status| status.signal() == Some(Signal::KILL.as_raw()))
}

/// What is started, and whether a warden watches over it.
fn command(program: &Program, mark: &str) -> Result<(Command, bool), ProcessError> {
    let path = executable(&program.name())?;
    let arguments = program.argv.get(1..).unwrap_or_default();
    let warden = warden::program().filter(|_| program.leaves_nothing);
    let mut command = if let Some(warden) = warden {
        let mut command = Command::new(warden);
        command.arg0(warden::NAME).arg(mark).arg(path).args(arguments);
        command
    } else if let Some(setsid) = find("setsid") {
        // Not a group leader yet, so setsid becomes the program itself instead of forking: our pid is the group's.
        let mut command = Command::new(setsid);
        command.arg(path).args(arguments);
        command
    } else {
        let mut command = Command::new(path);
        command.args(arguments).process_group(0);
        command
    };
    if let Some(folder) = &program.folder {
        command.current_dir(folder);
    }
    command.env_clear();
    for (key, value) in base_environment() {
        command.env(key, value);
    }
    for (key, value) in &program.environment {
        command.env(key, value.expose());
    }
    command.env(escaped::VARIABLE, mark);
    command.stdin(if program.input.is_empty() { Stdio::null() } else { Stdio::piped() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // A warden that was killed could end nothing any more.
    command.kill_on_drop(warden.is_none());
    Ok((command, warden.is_some()))
}

/// Whoever reads nothing says so in its own way.
async fn feed(stdin: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input).await;
    }
}

/// What every child gets of our own environment: enough to be found and to find its files, nothing that is secret
/// or that changes the language of its output.
fn base_environment() -> Vec<(&'static str, String)> {
    let own = |name: &str| std::env::var(name).ok();
    let mut out = vec![("LANG", "C.UTF-8".to_owned()), ("LC_ALL", "C.UTF-8".to_owned()), ("TZ", "UTC".to_owned())];
    out.push(("PATH", own("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned())));
    for name in ["HOME", "USER", "LOGNAME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK"] {
        if let Some(value) = own(name) {
            out.push((name, value));
        }
    }
    out
}

/// The path of a program on the search path, if it is there and may be run.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| may_run(file))
}

/// A program by name or by path.
///
/// # Errors
/// Nothing is there, or what is there may not be run.
pub fn executable(name: &str) -> Result<PathBuf, ProcessError> {
    if !name.contains('/') {
        return find(name).ok_or_else(|| ProcessError::NotFound(name.to_owned()));
    }
    let path = PathBuf::from(name);
    if may_run(&path) {
        return Ok(path);
    }
    match std::fs::metadata(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(ProcessError::Start { program: name.to_owned(), source })
        }
        Err(_) => Err(ProcessError::NotFound(name.to_owned())),
        Ok(_) => Err(ProcessError::Start {
            program: name.to_owned(),
            source: std::io::Error::other("it is not a file that may be run"),
        }),
    }
}

fn may_run(file: &Path) -> bool {
    file.is_file() && access(file, Access::EXEC_OK).is_ok()
}

/// More was printed than may be.
struct Flood;

/// What was kept of an output, also where reading it was given up.
#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    cut: bool,
}

impl Kept {
    async fn read(&mut self, pipe: Option<impl AsyncRead + Unpin>, limit: usize, strict: bool) -> Result<(), Flood> {
        let Some(mut pipe) = pipe else { return Ok(()) };
        let mut chunk = vec![0u8; 16 * 1024];
        while let Ok(length) = pipe.read(&mut chunk).await {
            if length == 0 {
                break;
            }
            let room = limit.saturating_sub(self.bytes.len());
            self.cut |= length > room;
            if self.cut && strict {
                return Err(Flood);
            }
            self.bytes.extend_from_slice(&chunk[..length.min(room)]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn output_and_status_come_back() {
        let program = Program::new(["sh", "-c", "echo out; echo err >&2; exit 3"]);
        let output = run(&program).await.expect("sh runs");
        assert_eq!(output.status.code(), Some(3));
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
    }

    #[tokio::test]
    async fn a_child_leads_a_session_without_a_terminal() {
        // Fields 1, 5, 6 and 7: process, group, session, controlling terminal (proc_pid_stat(5)).
        let output = run(&Program::new(["cat", "/proc/self/stat"])).await.expect("cat runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (pid, rest) = text.split_once(' ').expect("a pid");
        let fields: Vec<&str> = rest.rsplit(')').next().expect("after the name").split_whitespace().collect();
        assert_eq!(&fields[2..5], [pid, pid, "0"], "{text}");
    }

    #[tokio::test]
    async fn a_file_that_may_not_be_run_is_told_from_a_missing_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tool");
        std::fs::write(&file, "no program").expect("written");
        let error = run(&Program::new([file.to_string_lossy()])).await.expect_err("it may not be run");
        assert!(error.to_string().contains("may be run"), "{error}");
    }

    #[tokio::test]
    async fn input_is_read_to_its_end_and_nobody_has_to_read_it() {
        let output = run(&Program::new(["cat"]).input("one line\n")).await.expect("cat runs");
        assert_eq!(output.stdout, b"one line\n");
        let output = run(&Program::new(["true"]).input(vec![b'x'; 4096])).await.expect("true runs");
        assert!(output.status.success());
    }

    #[tokio::test]
    async fn feeding_a_program_is_a_part_of_its_time_and_holds_up_none_of_its_output() {
        let begun = Instant::now();
        let much = vec![b'x'; 1 << 20];
        let deaf = Program::new(["sleep", "60"]).input(much.clone()).timeout(Duration::from_millis(300));
        let error = run(&deaf).await.expect_err("it reads nothing");
        assert!(matches!(error, ProcessError::TimedOut { .. }), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        // More than its two pipes hold together.
        let output = run(&Program::new(["cat"]).input(much.clone())).await.expect("cat runs");
        assert_eq!(output.stdout.len(), much.len());
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let error = run(&Program::new(["noctty-no-such-program"])).await.expect_err("it is not there");
        assert_eq!(error.to_string(), "noctty-no-such-program is not installed");
    }

    #[tokio::test]
    async fn the_environment_is_cleared_but_for_what_is_given() {
        let program = Program::new(["env"]).env("GIVEN", "yes");
        let output = run(&program).await.expect("env runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("GIVEN=yes") && text.contains("TZ=UTC") && text.contains("LANG=C.UTF-8"), "{text}");
        assert!(!text.contains("CARGO"), "{text}");
    }

    #[tokio::test]
    async fn a_program_that_ignores_sigterm_forks_and_floods_is_gone_in_time() {
        let mark = format!("noctty-flood-{}", std::process::id());
        let script = format!("trap '' TERM; (trap '' TERM; exec -a {mark} sleep 300) & while :; do echo {mark}; done");
        let mut program = Program::new(["bash", "-c", &script]).timeout(Duration::from_millis(400));
        program.output_limit = 64 * 1024;
        let begun = Instant::now();
        let error = run(&program).await.expect_err("it never ends by itself");
        assert!(matches!(error, ProcessError::TimedOut { .. }), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(5));
        let deadline = Instant::now() + Duration::from_secs(5);
        while running(&mark) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(!running(&mark), "a member of the group is still there");
    }

    #[tokio::test]
    async fn what_a_program_said_counts_though_something_it_left_holds_its_output_open() {
        let mark = format!("noctty-left-{}", std::process::id());
        for leave in ["", "setsid "] {
            let script = format!(
                "{leave}bash -c 'exec -a {mark} sleep 300' & until pgrep -f '^{mark}' >/dev/null; do :; done; echo OK fine; exit 1"
            );
            let begun = Instant::now();
            let output =
                run(&Program::new(["bash", "-c", &script]).timeout(Duration::from_secs(20))).await.expect("it ended");
            assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b"OK fine\n"[..]));
            assert!(begun.elapsed() < Duration::from_secs(15), "it is not waited for");
            let deadline = Instant::now() + Duration::from_secs(5);
            while running(&mark) && Instant::now() < deadline {
                tokio::task::yield_now().await;
            }
            assert!(!running(&mark), "what it left is still there: {leave}");
        }
    }

    #[tokio::test]
    async fn one_that_prints_too_much_is_stopped_and_what_has_left_its_group_too() {
        let mark = format!("noctty-escaped-{}", std::process::id());
        let script = format!(
            "trap '' TERM PIPE; setsid bash -c \"trap '' TERM; exec -a {mark} sleep 300\" & \
             until pgrep -f '^{mark}' >/dev/null; do :; done; while :; do echo flood; done"
        );
        let mut program = Program::new(["bash", "-c", &script]).timeout(Duration::from_secs(20));
        (program.output_limit, program.stop_at_limit) = (64 * 1024, true);
        let error = run(&program).await.expect_err("it is stopped");
        assert_eq!(error.to_string(), "bash printed more than 64 KiB and was stopped");
        let deadline = Instant::now() + Duration::from_secs(5);
        while running(&mark) && Instant::now() < deadline {
            tokio::task::yield_now().await;
        }
        assert!(!running(&mark), "a child with a session of its own is still there");
    }

    fn running(mark: &str) -> bool {
        let Ok(entries) = std::fs::read_dir("/proc") else { return false };
        entries.flatten().any(|entry| {
            let own = entry.file_name().to_string_lossy() == std::process::id().to_string();
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            !own && String::from_utf8_lossy(&line).starts_with(mark)
        })
    }
}
