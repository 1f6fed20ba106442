//! The last changes of conditions. A fixed number is kept, so that months of them cost what a day does.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::{Condition, Target, Transition};

/// Changes kept.
pub const MOST: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Transitions {
    /// Newest first.
    kept: VecDeque<Arc<Transition>>,
    /// The same as it was last published.
    published: Arc<[Arc<Transition>]>,
    changed: bool,
}

impl Transitions {
    pub(super) fn take(&mut self, one: Arc<Transition>) {
        self.kept.push_front(one);
        self.kept.truncate(MOST);
        self.changed = true;
    }

    /// What a thing became when it changed last.
    pub(super) fn last(&self, target: &Target) -> Option<Condition> {
        self.kept.iter().find(|one| one.target == *target).map(|one| one.to)
    }

    /// What an earlier run saw, beside what this one has seen meanwhile; what both know is there once.
    pub(super) fn restore(&mut self, earlier: Vec<Arc<Transition>>) {
        let mut all: Vec<Arc<Transition>> = self.kept.drain(..).chain(earlier).collect();
        all.sort_by(|a, b| (Reverse(a.at), &a.target).cmp(&(Reverse(b.at), &b.target)));
        all.dedup();
        all.truncate(MOST);
        self.kept = all.into();
        self.changed = true;
    }

    /// From now on a snapshot has them all.
    pub(super) fn publish(&mut self) {
        if std::mem::take(&mut self.changed) {
            self.published = self.kept.iter().cloned().collect();
        }
    }

    /// Newest first, shared with the snapshot before where nothing was added.
    pub(super) fn published(&self) -> Arc<[Arc<Transition>]> {
        self.published.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::model::AssetId;

    fn one(at: i64, host: &str) -> Arc<Transition> {
        Arc::new(Transition {
            at: Timestamp(at),
            target: Target::Host(AssetId::new(host)),
            name: host.into(),
            from: Condition::Ok,
            to: Condition::Critical,
            down: true,
            reason: "no answer".into(),
        })
    }

    #[test]
    fn the_newest_are_kept_and_what_an_earlier_run_saw_is_there_once() {
        let mut transitions = Transitions::default();
        transitions.take(one(500, "a"));
        transitions.take(one(700, "b"));
        transitions.restore(vec![one(100, "c"), one(500, "a"), one(500, "d")]);
        transitions.publish();
        let names: Vec<String> = transitions.published().iter().map(|t| t.name.line()).collect();
        assert_eq!(names, ["b", "a", "d", "c"]);
        let first = transitions.published();
        transitions.publish();
        assert!(Arc::ptr_eq(&first, &transitions.published()));
        for at in 1_000..5_000 {
            transitions.take(one(at, "a"));
        }
        transitions.publish();
        assert_eq!((transitions.published().len(), transitions.published()[0].at), (MOST, Timestamp(4_999)));
    }
}
