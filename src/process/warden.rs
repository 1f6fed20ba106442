//! Two small processes between noctty and a program that must leave nothing behind: noctty itself, started under other names.
//!
//! ```text
//! noctty ──▶ warden (session of its own, subreaper) ──▶ deputy (subreaper) ──▶ program (group of its own) ──▶ whatever it starts
//! ```
//!
//! As a subreaper (`prctl(2)`, PR_SET_CHILD_SUBREAPER) it inherits every descendant whose parent has ended, wherever that went by
//! `setsid`, a cleared environment or a double fork. It ends its own children only, by their process ids, until it has none:
//! a child that has not been waited for keeps its id, so no stranger can ever be hit.
//!
//! Whoever kills the warden (SIGKILL) cannot leave the program running: the deputy asked the kernel to be told of that
//! (PR_SET_PDEATHSIG; a warden has one thread), and ends everything. Where the deputy is killed the warden inherits and ends
//! everything. Where both are killed in one moment, noctty itself ends what bears the program's mark; what has cleared its
//! environment by then goes on.
//!
//! It never outlives noctty: its standard output is a pipe that noctty reads, and once nobody reads it any more everything ends. That holds
//! where a parent-death signal would not: that one goes by the thread that started the child, not by the process.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal as NixSignal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus, getpid, getppid, kill_process, kill_process_group,
    set_child_subreaper, set_parent_process_death_signal, setrlimit, setsid, wait,
};

/// The name under which noctty is its own warden.
pub(super) const NAME: &str = "noctty-warden";
/// And its own deputy.
const DEPUTY: &str = "noctty-deputy";
/// The exit status of a warden that could not start the program; it says so on standard error, behind its mark.
const NOT_STARTED: u8 = 127;
/// How long what the program has started may go on after it has ended: a `tee` behind it gets its last line.
const LINGER: Duration = Duration::from_millis(200);
/// From being asked to end to being ended.
pub(super) const GRACE: Duration = Duration::from_millis(500);
/// Whoever cannot be ended within that hangs in the kernel.
pub(super) const LONGEST_END: Duration = Duration::from_secs(2);
const ROUND: Duration = Duration::from_millis(2);

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Says which program can be a warden: one whose `main` calls [`enter`] first. Without one, programs are run without.
pub fn use_program(path: impl Into<PathBuf>) {
    // The first word counts.
    let _ = PROGRAM.set(path.into());
}

pub(super) fn program() -> Option<&'static Path> {
    PROGRAM.get().map(PathBuf::as_path)
}

/// Is a warden, where this process was started as one.
pub fn enter() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    let name = arguments.next()?;
    let own = name == NAME;
    if !own && name != DEPUTY {
        return None;
    }
    let (Some(mark), Some(program)) = (arguments.next(), arguments.next()) else {
        return Some(ExitCode::from(NOT_STARTED));
    };
    let mark = mark.to_string_lossy().into_owned();
    let watched = if own { send_deputy(&mark, &program, arguments) } else { stand_in(&program, arguments) };
    Some(match watched {
        Ok(status) => end_as(status),
        Err(error) => {
            report(&mark, &error);
            ExitCode::from(NOT_STARTED)
        }
    })
}

/// What a warden with this mark said of a program that it could not start.
pub(super) fn not_started(mark: &str, status: Option<i32>, stderr: &[u8]) -> Option<std::io::Error> {
    if status != Some(i32::from(NOT_STARTED)) {
        return None;
    }
    let said = std::str::from_utf8(stderr).ok()?.strip_prefix(mark)?;
    let code = said.trim().parse().ok()?;
    let error = std::io::Error::from_raw_os_error(code);
    // The file itself was looked for before.
    let missing = error.kind() == std::io::ErrorKind::NotFound;
    Some(if missing { std::io::Error::other("the interpreter that its first line names is not there") } else { error })
}

fn report(mark: &str, error: &std::io::Error) {
    let words = format!("{mark} {}\n", error.raw_os_error().unwrap_or_default());
    // Whoever reads it may be gone.
    let _ = rustix::io::write(rustix::stdio::stderr(), words.as_bytes());
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Runs,
    /// Until then what is left may end by itself.
    Lingers(Instant),
    /// Everything is ended; until then, at the most.
    Ends(Instant),
}

/// Runs the deputy with the program.
fn send_deputy(
    mark: &str,
    program: &OsString,
    arguments: impl Iterator<Item = OsString>,
) -> std::io::Result<WaitStatus> {
    // A session without a terminal: nothing below can ask for a password on the operator's screen.
    setsid()?;
    let mut command = Command::new("/proc/self/exe");
    command.arg0(DEPUTY).arg(mark).arg(program).args(arguments).process_group(0);
    // The deputy has the same time, and is to be the first.
    watch_over(command, GRACE + GRACE / 2)
}

/// Runs the program itself, and no longer than the warden lives.
fn stand_in(program: &OsString, arguments: impl Iterator<Item = OsString>) -> std::io::Result<WaitStatus> {
    let session = rustix::process::getsid(None)?;
    set_parent_process_death_signal(Some(Signal::TERM))?;
    // The warden leads the session. One that was gone before the kernel was asked is not told of any more.
    if getppid() != Some(session) {
        return Err(std::io::Error::from_raw_os_error(rustix::io::Errno::SRCH.raw_os_error()));
    }
    let mut command = Command::new(program);
    command.args(arguments).process_group(0);
    watch_over(command, GRACE)
}

/// Runs a command to its end and ends all that it left; its status, or that of a kill where it was ended. `grace` is what it has from
/// being asked to end to that.
fn watch_over(mut command: Command, grace: Duration) -> std::io::Result<WaitStatus> {
    set_child_subreaper(Some(getpid()))?;
    let mut signals = SigSet::empty();
    for signal in [NixSignal::SIGCHLD, NixSignal::SIGTERM, NixSignal::SIGINT, NixSignal::SIGHUP] {
        signals.add(signal);
    }
    // The program begins with none blocked: starting it takes care of that.
    signals.thread_block()?;
    let heard = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    let child = command.spawn()?;
    let child = Pid::from_child(&child);
    // Who feeds the program learns when it reads no more.
    rustix::stdio::dup2_stdin(fs::File::open("/dev/null")?)?;
    let mut phase = Phase::Runs;
    let mut status = None;
    loop {
        let all_ended = reap(child, &mut status);
        let now = Instant::now();
        if let (true, Some(status)) = (all_ended, status) {
            return Ok(status);
        }
        phase = match phase {
            Phase::Runs if status.is_some() => Phase::Lingers(now + LINGER),
            Phase::Lingers(until) if now >= until => Phase::Ends(now + LONGEST_END),
            Phase::Ends(until) if now >= until => {
                return status.ok_or_else(|| std::io::Error::from_raw_os_error(rustix::io::Errno::BUSY.raw_os_error()));
            }
            same => same,
        };
        let rest = match phase {
            Phase::Runs => None,
            Phase::Lingers(until) => Some(until.saturating_duration_since(now)),
            Phase::Ends(_) => {
                for pid in children() {
                    // Gone already is what we want.
                    let _ = kill_process(pid, Signal::KILL);
                }
                Some(ROUND)
            }
        };
        let is_read = hear(&heard, rest, phase)?;
        while let Ok(Some(signal)) = heard.read_signal() {
            let asked = signal.ssi_signo != NixSignal::SIGCHLD as u32;
            if asked && phase == Phase::Runs {
                let _ = kill_process_group(child, Signal::TERM);
                phase = Phase::Lingers(Instant::now() + grace);
            }
        }
        if !is_read && !matches!(phase, Phase::Ends(_)) {
            phase = Phase::Ends(Instant::now() + LONGEST_END);
        }
    }
}

/// Waits for a signal, at the most so long; false where nobody reads the output any more.
fn hear(heard: &SignalFd, rest: Option<Duration>, phase: Phase) -> std::io::Result<bool> {
    let rest = rest.map(|rest| Timespec {
        tv_sec: i64::try_from(rest.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(rest.subsec_nanos()),
    });
    let output = rustix::stdio::stdout();
    // An error is told whether it is asked for or not.
    let mut all = [PollFd::new(heard, PollFlags::IN), PollFd::new(&output, PollFlags::empty())];
    let asked = if matches!(phase, Phase::Ends(_)) { &mut all[..1] } else { &mut all[..] };
    match poll(asked, rest.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(!all[1].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL))
}

/// Takes up what has ended; true where nothing is left.
fn reap(child: Pid, status: &mut Option<WaitStatus>) -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, ended))) if pid == child => *status = Some(ended),
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(_) => return true,
        }
    }
}

/// The children of this process, inherited ones too; it has one thread.
fn children() -> Vec<Pid> {
    let own = getpid().as_raw_nonzero().get();
    if let Ok(list) = fs::read_to_string(format!("/proc/self/task/{own}/children")) {
        return list.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect();
    }
    // A kernel without that list (CONFIG_PROC_CHILDREN).
    let Ok(all) = fs::read_dir("/proc") else { return Vec::new() };
    let parent = |stat: &str| stat.rsplit(") ").next()?.split_whitespace().nth(1)?.parse::<i32>().ok();
    let pids = all.flatten().filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        if parent(&stat)? == own { Pid::from_raw(pid) } else { None }
    });
    pids.collect()
}

/// Ends this process as the program did.
fn end_as(status: WaitStatus) -> ExitCode {
    if let Some(code) = status.exit_status() {
        return ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX));
    }
    let number = status.terminating_signal().unwrap_or(9);
    // Whoever wants a core has that of the program.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = SigSet::all().thread_unblock();
    if let Some(signal) = Signal::from_named_raw(number) {
        // What the runtime takes for a fault of its own is let through the second time.
        for _ in 0..2 {
            let _ = kill_process(getpid(), signal);
        }
    }
    ExitCode::from(u8::try_from(128 + number).unwrap_or(u8::MAX))
}
