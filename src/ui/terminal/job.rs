//! Stopping, as a job of a shell is stopped: all of the process group, so that whatever wraps the console (`sudo`,
//! a script) stops with it, and only where somebody is there to let it go on.

use std::io;

use rustix::process::{Pid, Signal, getpgid, getpgrp, getpid, getppid, getsid, kill_process_group};

/// Whether a shell with job control waits for this process group: the parent of its leader is of the same session
/// and of another group.
pub fn has_shell() -> bool {
    let Some(own) = Kin::of(getpid()) else { return false };
    // The leader may have ended before what it started.
    let leader = Pid::from_raw(own.group).and_then(Kin::of).unwrap_or(own);
    let parent = Pid::from_raw(leader.parent).and_then(Kin::of);
    parent.is_some_and(|parent| parent.session == own.session && parent.group != own.group)
}

/// Where a process belongs, by number; 0 is what this process cannot see, outside of its container.
#[derive(Clone, Copy, Debug)]
struct Kin {
    parent: i32,
    group: i32,
    session: i32,
}

impl Kin {
    /// From `/proc`: the fourth to the sixth field, behind the name in parentheses. Where there is none, only what is
    /// asked most, about this process and its parent.
    fn of(process: Pid) -> Option<Self> {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())) else {
            return Self::asked(process);
        };
        let (_, rest) = stat.rsplit_once(')')?;
        let mut numbers = rest.split_whitespace().skip(1).map(|n| n.parse::<i32>().ok());
        let mut next = || numbers.next().flatten();
        Some(Self { parent: next()?, group: next()?, session: next()? })
    }

    fn asked(process: Pid) -> Option<Self> {
        if std::path::Path::new("/proc/self/stat").exists() {
            return None;
        }
        let number = |pid: Pid| pid.as_raw_nonzero().get();
        let parent = if process == getpid() { getppid().map_or(0, number) } else { 0 };
        let (group, session) = (getpgid(Some(process)).ok()?, getsid(Some(process)).ok()?);
        Some(Self { parent, group: number(group), session: number(session) })
    }
}

/// Stops the process group, this process with it; returns when it goes on.
///
/// # Errors
/// What the system said.
pub fn stop() -> io::Result<()> {
    Ok(kill_process_group(getpgrp(), Signal::STOP)?)
}

/// As the system stops a job that reaches for the terminal from the background.
pub fn stop_for_the_terminal() -> io::Result<()> {
    Ok(kill_process_group(getpgrp(), Signal::TTOU)?)
}
