//! Which problems a channel has told of that still stand, as far as it knows, and when each was told last; and which of them
//! are due to be told again. Pure: time arrives as an argument, and what a problem has become by then is asked of whoever knows.

use std::collections::HashMap;
use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{Alert, AlertKind, Target};
use crate::notify::Batch;

/// What is due and quiet at the moment is looked at again so soon.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What has become of a problem that was told.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It is over, or watched no more.
    Over,
    /// Somebody has it, it is in maintenance or hidden, it flaps, or it cannot be judged at the moment.
    Quiet,
    /// It stands, and nobody has it.
    Stands(Alert),
}

#[derive(Debug, Default)]
pub struct Reminders {
    every: Option<Duration>,
    told: HashMap<Target, Timestamp>,
    look_at: Option<Timestamp>,
}

impl Reminders {
    pub fn set_every(&mut self, every: Option<Duration>) {
        if self.every != every {
            self.every = every;
            self.look_at = self.next(Timestamp::default());
        }
    }

    /// What an earlier run told.
    pub fn restore(&mut self, told: impl IntoIterator<Item = (Target, Timestamp)>) {
        for (target, at) in told {
            let known = self.told.entry(target).or_insert(at);
            *known = at.max(*known);
        }
        self.look_at = self.next(Timestamp::default());
    }

    /// A message has got there: what it told, and what it told to be over.
    pub fn delivered(&mut self, now: Timestamp, batch: &Batch) -> (Vec<Target>, Vec<Target>) {
        let (mut told, mut over) = (Vec::new(), Vec::new());
        for alert in batch.changes.iter().map(|change| &change.alert) {
            let stands = match alert.kind {
                AlertKind::Problem | AlertKind::Reminder | AlertKind::FlappingEnds => alert.to.is_problem(),
                AlertKind::Recovery => false,
                AlertKind::FlappingBegins | AlertKind::Test => continue,
            };
            if stands { told.push(alert.target.clone()) } else { over.push(alert.target.clone()) }
        }
        told.extend(batch.late.iter().filter(|late| late.stands).map(|late| late.change.alert.target.clone()));
        for target in &told {
            self.told.insert(target.clone(), now);
        }
        over.retain(|target| self.told.remove(target).is_some());
        self.look_at = self.next(now);
        (told, over)
    }

    pub fn wake_at(&self) -> Option<Timestamp> {
        self.look_at
    }

    /// What is to be told again now, and what turned out to be over.
    pub fn due(&mut self, now: Timestamp, mut ask: impl FnMut(&Target) -> Standing) -> (Vec<Alert>, Vec<Target>) {
        let (mut again, mut over) = (Vec::new(), Vec::new());
        let Some(every) = self.every.filter(|_| self.look_at.is_some_and(|at| at <= now)) else { return (again, over) };
        self.told.retain(|target, at| {
            if at.plus(every) > now {
                return true;
            }
            match ask(target) {
                Standing::Over => {
                    over.push(target.clone());
                    return false;
                }
                Standing::Quiet => {}
                // That it was told is written down when it was.
                Standing::Stands(alert) => {
                    again.push(alert);
                    *at = now;
                }
            }
            true
        });
        self.look_at = self.next(now);
        (again, over)
    }

    /// All that is known, for a channel that goes.
    pub fn into_told(self) -> impl Iterator<Item = (Target, Timestamp)> {
        self.told.into_iter()
    }

    /// What was due before `now` was looked at by then.
    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let every = self.every?;
        let look = |at: &Timestamp| {
            let due = at.plus(every);
            if due <= now { now.plus(LOOK_AGAIN) } else { due }
        };
        self.told.values().map(look).min()
    }
}
