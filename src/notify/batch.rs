//! When changes are told, and which go together. Pure: time arrives as an argument.
//!
//! The first change waits a little for others. What comes and goes within that time is told by nobody; what changes twice
//! is told once, as it stands. When a channel has said as much as it may for now, changes wait until it may again, and go
//! in one message: an outage of a thousand things is a few messages, not a thousand.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{Alert, AlertKind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    pub wait: Duration,
    /// Messages within `within`.
    pub most: usize,
    pub within: Duration,
}

/// One message: what changed, worst first.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub alerts: Vec<Alert>,
}

#[derive(Debug)]
pub struct Batcher {
    rules: Rules,
    waiting: Vec<Alert>,
    first: Option<Timestamp>,
    /// When the last messages went, oldest first.
    went: VecDeque<Timestamp>,
}

impl Batcher {
    pub fn new(rules: Rules) -> Self {
        Self { rules, waiting: Vec::new(), first: None, went: VecDeque::new() }
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub fn take(&mut self, at: Timestamp, alert: Alert) {
        let known = self.waiting.iter().position(|w| w.target == alert.target);
        if let Some(known) = known {
            let from = self.waiting[known].from;
            if from == alert.to && matches!(alert.kind, AlertKind::Recovery | AlertKind::Problem) {
                self.waiting.remove(known);
            } else {
                self.waiting[known] = Alert { from, ..alert };
            }
        } else {
            self.waiting.push(alert);
        }
        if self.waiting.is_empty() {
            self.first = None;
        } else {
            self.first.get_or_insert(at);
        }
    }

    /// When the next message may go.
    pub fn due(&self) -> Option<Timestamp> {
        let ready = self.first?.plus(self.rules.wait);
        let free = match self.went.len() {
            n if n >= self.rules.most => self.went.front().map(|at| at.plus(self.rules.within)),
            _ => None,
        };
        Some(free.map_or(ready, |free| ready.max(free)))
    }

    /// What waits, if anything does, is due now.
    pub fn hurry(&mut self, at: Timestamp) {
        self.rules.wait = Duration::ZERO;
        self.went.clear();
        self.first = self.first.map(|first| first.min(at));
    }

    /// The message that is due now.
    pub fn next(&mut self, at: Timestamp) -> Option<Batch> {
        if self.due().is_none_or(|due| due > at) {
            return None;
        }
        self.first = None;
        self.went.push_back(at);
        while self.went.len() > self.rules.most {
            self.went.pop_front();
        }
        let mut alerts = std::mem::take(&mut self.waiting);
        alerts.sort_by_key(|alert| std::cmp::Reverse((alert.to.is_problem(), alert.to, alert.hides)));
        Some(Batch { alerts })
    }
}
