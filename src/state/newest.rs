//! The newest of what happened, of one kind. A fixed number is kept, so that months of them cost what a day does.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Newest<T, const MOST: usize> {
    /// Newest first.
    kept: VecDeque<Arc<T>>,
    /// The same as it was last published.
    published: Arc<[Arc<T>]>,
    changed: bool,
}

impl<T, const MOST: usize> Default for Newest<T, MOST> {
    fn default() -> Self {
        Self { kept: VecDeque::new(), published: Arc::from([]), changed: false }
    }
}

impl<T: PartialEq, const MOST: usize> Newest<T, MOST> {
    pub(super) fn take(&mut self, one: Arc<T>) {
        self.kept.push_front(one);
        self.kept.truncate(MOST);
        self.changed = true;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.kept.iter()
    }

    /// What an earlier run saw, beside what this one has seen meanwhile; what both know is there once. `order` has the newest first.
    pub(super) fn restore(&mut self, earlier: Vec<Arc<T>>, order: impl FnMut(&Arc<T>, &Arc<T>) -> Ordering) {
        let mut all: Vec<Arc<T>> = self.kept.drain(..).chain(earlier).collect();
        all.sort_by(order);
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
    pub(super) fn published(&self) -> Arc<[Arc<T>]> {
        self.published.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_shared_until_another_comes_and_what_an_earlier_run_saw_is_there_once() {
        let mut newest = Newest::<_, 4>::default();
        newest.take(Arc::new(5));
        newest.take(Arc::new(7));
        newest.restore([1, 5, 6].map(Arc::new).to_vec(), |a, b| b.cmp(a));
        newest.publish();
        let first = newest.published();
        assert_eq!(first.iter().map(|n| **n).collect::<Vec<_>>(), [7, 6, 5, 1]);
        newest.publish();
        assert!(Arc::ptr_eq(&first, &newest.published()));
        for number in 10..5_000 {
            newest.take(Arc::new(number));
        }
        newest.publish();
        assert_eq!((newest.published().len(), *newest.published()[0]), (4, 4_999));
    }
}
