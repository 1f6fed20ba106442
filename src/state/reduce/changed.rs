//! What changed and is no condition: kept for whoever asks what came before a problem. See [`differences`].

use std::sync::Arc;

use super::State;
use crate::base::Timestamp;
use crate::model::{Change, Observation, Target};
use crate::state::rules::differences;
use crate::state::view::{DeviceView, HostView, Maintained};

impl State {
    /// A result of a check that is about to be taken in.
    pub(super) fn compare_results(&mut self, (row, index): (usize, usize), now: &Observation) {
        let view = &self.hosts[row].view;
        let found = differences::of_results(&view.checks[index], now);
        if found.is_empty() {
            return;
        }
        let target = Target::Host(view.host.id.clone());
        for words in found {
            self.changed(now.at, target.clone(), words);
        }
    }

    /// A device was walked, and was `known` so before.
    pub(super) fn compare_walks(&mut self, at: Timestamp, row: usize, known: &DeviceView) {
        let Some(device) = self.hosts[row].device.clone() else { return };
        for (port, words) in differences::of_walks(&known.table, &device.table) {
            let id = device.host.id.clone();
            let target = match port.and_then(|port| device.key(port)) {
                Some(key) => Target::Port(id, key),
                None => Target::Host(id),
            };
            self.changed(at, target, words);
        }
    }

    /// The inventory was read anew; what is new in it has not changed.
    pub(super) fn compare_configurations(&mut self, at: Timestamp, was: &[Arc<HostView>]) {
        for was in was {
            let id = was.host.id.clone();
            let Some(now) = self.host_rows.get(&id).map(|row| &self.hosts[*row].view) else { continue };
            if let Some(words) = differences::of_configurations(was, now) {
                self.changed(at, Target::Host(id), words);
            }
        }
    }

    /// A maintenance window began over a host, or ended.
    pub(super) fn compare_maintenance(
        &mut self,
        at: Timestamp,
        row: usize,
        (was, now): (Option<&Arc<Maintained>>, Option<&Arc<Maintained>>),
    ) {
        let is_same = |a: &Maintained, b: &Maintained| a.maintenance.id == b.maintenance.id && a.from == b.from;
        if was.zip(now).is_some_and(|(was, now)| is_same(was, now)) {
            return;
        }
        let target = Target::Host(self.hosts[row].view.host.id.clone());
        let says = |what: &str, window: &Maintained| {
            let note = &window.maintenance.order.note;
            let note = if note.is_empty() { String::new() } else { format!(": {}", note.line()) };
            format!("maintenance {what}{note} ({})", window.maintenance.author.line())
        };
        if let Some(was) = was {
            self.changed(was.until.min(at), target.clone(), says("ended", was));
        }
        if let Some(now) = now {
            self.changed(now.from, target, says("began", now));
        }
    }

    fn changed(&mut self, at: Timestamp, target: Target, words: String) {
        self.changes.take(Arc::new(Change { at, target, words: words.into() }));
    }
}
