//! Whether the data lives. Told from the age of the newest result, against the rhythm in which results come: nobody has to
//! say that the engine is dead.

use std::time::Duration;

use crate::base::Timestamp;
use crate::state::{Link, Mode, Snapshot};

/// Silence of this length is nothing, however fast the checks are.
const LEAST: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Pulse {
    newest: Option<Timestamp>,
    /// Silence that is not believed any more; `None` where nothing is asked.
    patience: Option<Duration>,
    mode: Mode,
    connected: Timestamp,
    gone: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Nothing has come since the engine is there; it is not late yet.
    Beginning,
    /// With the age of the newest result.
    Live(Duration),
    /// Nothing is asked, so nothing can be late.
    Idle,
    /// For so long.
    Silent(Duration),
    Gone(Duration),
}

impl Pulse {
    pub fn new(now: Timestamp) -> Self {
        Self { newest: None, patience: None, mode: Mode::Polling, connected: now, gone: None }
    }

    pub fn take(&mut self, snapshot: &Snapshot, now: Timestamp) {
        if let Link::Lost { since, .. } = snapshot.engine.link {
            self.gone(since);
        } else if self.gone.take().is_some() {
            self.connected = now;
        }
        self.mode = snapshot.engine.mode;
        let checks = snapshot.hosts.iter().flat_map(|host| &host.checks);
        let checks = checks.chain(snapshot.jobs.iter().filter_map(|job| job.check.as_ref()));
        let (mut newest, mut rhythm) = (None, None);
        for check in checks {
            newest = newest.max(check.last.as_ref().map(|last| last.at));
            if check.spec.waits_for.is_none() {
                let due = check.spec.interval * 3 + check.spec.timeout;
                rhythm = Some(rhythm.map_or(due, |least: Duration| least.min(due)));
            }
        }
        // A result of the future is of a clock that was set. An engine that has just begun knows of none.
        self.newest = newest.map(|at: Timestamp| at.min(now)).or(self.newest);
        self.patience = rhythm.map(|due| due.max(LEAST));
    }

    pub fn gone(&mut self, since: Timestamp) {
        self.gone.get_or_insert(since);
    }

    pub fn life(&self, now: Timestamp) -> Life {
        if let Some(since) = self.gone {
            return Life::Gone(now.since(self.newest.unwrap_or(since)));
        }
        let Some(patience) = self.patience else { return Life::Idle };
        let age = now.since(self.newest.unwrap_or(self.connected));
        if age <= patience {
            return if self.newest.is_some() { Life::Live(age) } else { Life::Beginning };
        }
        if now.since(self.connected) <= patience { Life::Beginning } else { Life::Silent(age) }
    }

    /// Why nothing comes, where somebody wants it so.
    pub fn mode(&self) -> Mode {
        self.mode
    }
}
