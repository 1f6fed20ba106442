//! When changes are told, and which go together. Pure: time arrives as an argument.
//!
//! The first change waits a little for others. What comes and goes within that time is told by nobody; what changes twice
//! is told once, as it stands. When a channel has said as much as it may for now, changes wait until it may again, and go
//! in one message: an outage of a thousand things is a few messages, not a thousand.
//!
//! What an earlier run left untold is grouped and counted the same way. What is no news any more by then is named in
//! one line at the end of a message.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{Alert, AlertKind, Target};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    pub wait: Duration,
    /// Messages within `within`.
    pub most: usize,
    pub within: Duration,
}

/// One change that a channel is to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// A ULID. Where it is told again because nobody knows whether it arrived, it is the same.
    pub id: Arc<str>,
    pub alert: Alert,
}

/// A change that was not told while it was news.
#[derive(Clone, Debug, PartialEq)]
pub struct Late {
    pub change: Change,
    /// The problem is still there.
    pub stands: bool,
}

/// One message: what changed, worst first, and what was not told in time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    pub changes: Vec<Change>,
    pub late: Vec<Late>,
}

impl Batch {
    /// All that is settled when the message is.
    pub fn ids(&self) -> Vec<Arc<str>> {
        self.changes.iter().chain(self.late.iter().map(|late| &late.change)).map(|change| change.id.clone()).collect()
    }

    pub fn len(&self) -> usize {
        self.changes.len() + self.late.len()
    }

    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.late.is_empty()
    }
}

/// When a waiting change came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In this run; or in an earlier one, and the hours of its channel have not come since.
    ThisRun,
    /// In an earlier run, which told nobody.
    Untold,
    /// In an earlier run, which ended before anybody had answered: perhaps it was told.
    PerhapsTold,
}

/// What became of a change that was taken.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// This waits now, under its id.
    Waits(Change),
    /// What waited under this id has passed, and nobody is told.
    Passed(Arc<str>),
    /// What an earlier run left untold has passed: that is said.
    Late,
}

/// What to do with a change that an earlier run left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Tell,
    NoNews { stands: bool },
}

#[derive(Debug)]
struct Held {
    change: Change,
    origin: Origin,
}

#[derive(Debug)]
pub struct Batcher {
    rules: Rules,
    waiting: Vec<Held>,
    late: Vec<Late>,
    first: Option<Timestamp>,
    /// Nothing goes before: what an earlier run left is looked at again first.
    not_before: Option<Timestamp>,
    /// When the last messages went, oldest first.
    went: VecDeque<Timestamp>,
}

impl Batcher {
    pub fn new(rules: Rules) -> Self {
        let (waiting, late, went) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { rules, waiting, late, first: None, not_before: None, went }
    }

    /// Other rules for what comes and for what waits.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
        self.bound();
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len() + self.late.len()
    }

    pub fn take(&mut self, at: Timestamp, change: Change) -> Taken {
        let taken = self.merge(change);
        if self.waiting() == 0 {
            self.first = None;
        } else {
            self.first.get_or_insert(at);
        }
        taken
    }

    fn merge(&mut self, change: Change) -> Taken {
        let Change { id, alert } = change;
        let Some(known) = self.waiting.iter().position(|held| held.change.alert.target == alert.target) else {
            let change = Change { id, alert };
            self.waiting.push(Held { change: change.clone(), origin: Origin::ThisRun });
            return Taken::Waits(change);
        };
        let held = &mut self.waiting[known];
        let from = held.change.alert.from;
        // A fault more is no way back.
        let changed = from != held.change.alert.to;
        let passed = changed && from == alert.to && matches!(alert.kind, AlertKind::Recovery | AlertKind::Problem);
        match held.origin {
            Origin::ThisRun if passed => Taken::Passed(self.waiting.remove(known).change.id),
            Origin::Untold if passed => {
                let change = self.waiting.remove(known).change;
                self.late.push(Late { change, stands: false });
                Taken::Late
            }
            Origin::ThisRun | Origin::Untold => {
                held.change.alert = Alert { from, ..alert };
                held.origin = Origin::ThisRun;
                Taken::Waits(held.change.clone())
            }
            // Whoever was told of a problem hears what became of it.
            Origin::PerhapsTold => {
                *held = Held { change: Change { id: held.change.id.clone(), alert }, origin: Origin::ThisRun };
                Taken::Waits(held.change.clone())
            }
        }
    }

    /// Takes what an earlier run left, and when its messages went. Nothing goes before `not_before`. What came in this run already is later
    /// than all of it; what becomes of that is told.
    pub fn restore(
        &mut self,
        (at, not_before): (Timestamp, Timestamp),
        left: impl IntoIterator<Item = (Change, Origin)>,
        went: impl IntoIterator<Item = Timestamp>,
    ) -> Vec<(Arc<str>, Taken)> {
        let newer = std::mem::take(&mut self.waiting);
        self.waiting.extend(left.into_iter().map(|(change, origin)| Held { change, origin }));
        if !self.waiting.is_empty() {
            self.first.get_or_insert(at);
            self.not_before = Some(not_before);
        }
        self.went.extend(went);
        self.went.make_contiguous().sort();
        self.bound();
        newer.into_iter().map(|held| (held.change.id.clone(), self.take(at, held.change))).collect()
    }

    /// Counts anew what is hidden behind the problems that wait, and says what befell them together: most of it is found while they do.
    pub fn explain(&mut self, hides: impl Fn(&Target) -> usize, company: impl Fn(&Target) -> Option<String>) {
        for Held { change: Change { alert, .. }, .. } in &mut self.waiting {
            if matches!(alert.kind, AlertKind::Problem | AlertKind::Reminder) {
                alert.hides = hides(&alert.target);
                if let Some(words) = company(&alert.target) {
                    alert.reason = alert.reason.beside(words);
                }
            }
        }
    }

    /// Whether something waits that an earlier run left.
    pub fn has_restored(&self) -> bool {
        self.waiting.iter().any(|held| held.origin != Origin::ThisRun)
    }

    /// Leaves out problems that are over by now, though nobody said so here: a channel may not be about recoveries. Their ids.
    pub fn leave_out(&mut self, is_over: impl Fn(&Target) -> bool) -> Vec<Arc<str>> {
        let out = |held: &mut Held| {
            let alert = &held.change.alert;
            let is_problem = matches!(alert.kind, AlertKind::Problem | AlertKind::Reminder) && alert.to.is_problem();
            held.origin == Origin::ThisRun && is_problem && is_over(&alert.target)
        };
        let ids = self.waiting.extract_if(.., out).map(|held| held.change.id).collect();
        if self.waiting() == 0 {
            (self.first, self.not_before) = (None, None);
        }
        ids
    }

    pub fn is_waiting(&self, target: &Target) -> bool {
        self.waiting.iter().any(|held| held.change.alert.target == *target)
    }

    /// Judges what an earlier run left: it goes as it is, or is named as late.
    pub fn fold(&mut self, judge: impl Fn(&Alert) -> Fate) {
        for held in std::mem::take(&mut self.waiting) {
            let fate = if held.origin == Origin::ThisRun { Fate::Tell } else { judge(&held.change.alert) };
            match fate {
                Fate::Tell => self.waiting.push(held),
                Fate::NoNews { stands } => self.late.push(Late { change: held.change, stands }),
            }
        }
    }

    /// All that waits, for a channel that goes.
    pub fn into_waiting(self) -> impl Iterator<Item = (Change, Origin)> {
        let late = self.late.into_iter().map(|late| (late.change, Origin::Untold));
        self.waiting.into_iter().map(|held| (held.change, held.origin)).chain(late)
    }

    /// When the next message may go.
    pub fn due(&self) -> Option<Timestamp> {
        let ready = self.first?.plus(self.rules.wait);
        let free = match self.went.len() {
            n if n >= self.rules.most => self.went.front().map(|at| at.plus(self.rules.within)),
            _ => None,
        };
        [free, self.not_before].into_iter().flatten().chain([ready]).max()
    }

    /// What waits, if anything does, is due now.
    pub fn hurry(&mut self, at: Timestamp) {
        self.rules.wait = Duration::ZERO;
        self.went.clear();
        self.not_before = None;
        self.first = self.first.map(|first| first.min(at));
    }

    /// The message that is due now.
    pub fn next(&mut self, at: Timestamp) -> Option<Batch> {
        if self.due().is_none_or(|due| due > at) {
            return None;
        }
        (self.first, self.not_before) = (None, None);
        self.went.push_back(at);
        self.bound();
        let mut changes: Vec<Change> = self.waiting.drain(..).map(|held| held.change).collect();
        changes.sort_by_key(|Change { alert, .. }| std::cmp::Reverse((alert.to.is_problem(), alert.to, alert.hides)));
        Some(Batch { changes, late: std::mem::take(&mut self.late) })
    }

    fn bound(&mut self) {
        while self.went.len() > self.rules.most {
            self.went.pop_front();
        }
    }
}
