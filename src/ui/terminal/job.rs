//! Stopping, as a job of a shell is stopped: all of the process group, so that whatever wraps the console (`sudo`,
//! a script) stops with it, and only where somebody is there to let it go on.

use std::io;

use rustix::process::{Pid, Signal, getpgid, getpgrp, getppid, getsid, kill_process_group};

/// Whether a shell with job control waits for this process group: the parent of its leader is of the same session
/// and of another group.
pub fn has_shell() -> bool {
    let group = getpgrp();
    let Some(parent) = parent_of(group).or_else(getppid) else { return false };
    let same_session = getsid(Some(parent)).is_ok_and(|session| getsid(None) == Ok(session));
    same_session && getpgid(Some(parent)).is_ok_and(|other| other != group)
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

/// From `/proc`, where there is one: the fourth field, behind the name in parentheses.
fn parent_of(process: Pid) -> Option<Pid> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    Pid::from_raw(rest.split_whitespace().nth(1)?.parse().ok()?)
}
