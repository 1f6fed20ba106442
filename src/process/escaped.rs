//! Children that have left the process group by a session of their own: each child's environment has a mark, which is passed on
//! to all that it starts, and by which they are found when it had to be stopped.

use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Pid, Signal, kill_process};

pub const VARIABLE: &str = "NOCTTY_CHILD";

/// Rounds of looking: what forks while it is being ended is found in the next.
const ROUNDS: usize = 5;

/// A mark that no other child has.
pub fn mark() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let started = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{number}", std::process::id(), started.tv_sec)
}

/// Ends every process that bears the mark. Processes of other users cannot be read, and are not ours.
pub fn end(mark: &str) {
    let entry = format!("{VARIABLE}={mark}");
    for _ in 0..ROUNDS {
        let Ok(processes) = std::fs::read_dir("/proc") else { return };
        let mut found = false;
        for process in processes.flatten() {
            let pid = process.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
            let Some(pid) = pid else { continue };
            let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
            if environment.split(|byte| *byte == 0).any(|variable| variable == entry.as_bytes()) {
                found = true;
                // Gone already is what we want.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        if !found {
            return;
        }
    }
}
