//! What changed and is no condition: kept for whoever asks what came before a problem. See [`differences`].

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use super::State;
use crate::base::Timestamp;
use crate::model::{Change, Facts, Logged, Machine, Observation, Subject, Target, Vitals};
use crate::state::event::Effect;
use crate::state::rules::differences;
use crate::state::view::{DeviceView, HostView, Maintained};

/// The steady time of one run and that of the next differ by what the clock was set meanwhile.
const SAME_MOMENT: Duration = Duration::from_secs(5);

impl State {
    /// A result of a check that is about to be taken in.
    pub(super) fn compare_results(
        &mut self,
        (row, index): (usize, usize),
        now: &Observation,
        effects: &mut Vec<Effect>,
    ) {
        let check = &self.hosts[row].view.checks[index];
        let is_first = check.last.is_none() || check.restored;
        let mut found = Vec::new();
        differences::of_results(check, now, &mut found);
        if let Facts::Vitals(told) = &now.reading.facts {
            let name = check.spec.key.name.clone();
            self.compare_machine(row, name, told, &mut found, effects);
        }
        self.found(now.at, row, (found, is_first), effects);
    }

    /// What a machine is, by that check. It is kept for the next run too.
    fn compare_machine(
        &mut self,
        row: usize,
        check: Arc<str>,
        told: &Vitals,
        found: &mut Vec<String>,
        effects: &mut Vec<Effect>,
    ) {
        let slot = &mut self.hosts[row];
        let known = slot.machines.iter_mut().find(|(name, _)| *name == check);
        if let Some((_, known)) = &known {
            differences::of_machines(known, told, found);
        }
        let now = known.as_ref().map_or_else(Machine::default, |(_, known)| known.clone()).renewed(told);
        match known {
            Some((_, known)) if *known == now => return,
            Some((_, known)) => *known = now,
            None => slot.machines.push((check, now)),
        }
        effects.push(Effect::RememberAsset(Subject::Host(slot.view.host.id.clone())));
    }

    /// What an earlier run knew a machine to be. Where this one was quicker than the store, it is compared now.
    pub(super) fn recall_machines(&mut self, row: usize, stored: Vec<(Arc<str>, Machine)>, effects: &mut Vec<Effect>) {
        for (check, was) in stored {
            let slot = &self.hosts[row];
            let Some(teller) = slot.view.checks.iter().find(|one| one.spec.key.name == check) else { continue };
            let told = teller.last.clone();
            self.hosts[row].machines.retain(|(name, _)| *name != check);
            self.hosts[row].machines.push((check.clone(), was));
            if let Some(told) = told
                && let Facts::Vitals(vitals) = &told.reading.facts
            {
                let mut found = Vec::new();
                self.compare_machine(row, check, vitals, &mut found, effects);
                self.found(told.at, row, (found, true), effects);
            }
        }
    }

    /// `is_first`: it is what the first result of this run says that an earlier run knew otherwise.
    fn found(&mut self, at: Timestamp, row: usize, (found, is_first): (Vec<String>, bool), effects: &mut Vec<Effect>) {
        for words in found {
            let target = Target::Host(self.hosts[row].view.host.id.clone());
            let words = if is_first { format!("{words} (while noctty was not running)") } else { words };
            self.changed(at, target, words, effects);
        }
    }

    /// A device was walked, and was `known` so before.
    pub(super) fn compare_walks(&mut self, at: Timestamp, row: usize, known: &DeviceView, effects: &mut Vec<Effect>) {
        let Some(device) = self.hosts[row].device.clone() else { return };
        for (port, words) in differences::of_walks(&known.table, &device.table) {
            let id = device.host.id.clone();
            let target = match port.and_then(|port| device.key(port)) {
                Some(key) => Target::Port(id, key),
                None => Target::Host(id),
            };
            self.changed(at, target, words, effects);
        }
    }

    /// The inventory was read anew; what is new in it has not changed.
    pub(super) fn compare_configurations(&mut self, at: Timestamp, was: &[Arc<HostView>], effects: &mut Vec<Effect>) {
        for was in was {
            let id = was.host.id.clone();
            let Some(now) = self.host_rows.get(&id).map(|row| &self.hosts[*row].view) else { continue };
            if let Some(words) = differences::of_configurations(was, now) {
                self.changed(at, Target::Host(id), words, effects);
            }
        }
    }

    /// A maintenance window began over a host, or ended.
    pub(super) fn compare_maintenance(
        &mut self,
        at: Timestamp,
        row: usize,
        (was, now): (Option<&Arc<Maintained>>, Option<&Arc<Maintained>>),
        effects: &mut Vec<Effect>,
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
            self.changed(was.until.min(at), target.clone(), says("ended", was), effects);
        }
        if let Some(now) = now {
            self.changed(now.from, target, says("began", now), effects);
        }
    }

    /// Keeps it for whoever asks in this run and in the next. What an earlier one knows (that a window began) is there once.
    fn changed(&mut self, at: Timestamp, target: Target, words: String, effects: &mut Vec<Effect>) {
        let change = Arc::new(Change { at, target, words: words.into() });
        let is_same = |one: &Change| {
            let apart = one.at.since(at).max(at.since(one.at));
            apart < SAME_MOMENT && (&one.target, &one.words) == (&change.target, &change.words)
        };
        if self.changes.iter().any(|one| is_same(one)) {
            return;
        }
        self.changes.take(change.clone());
        effects.push(Effect::Log(Logged::Compared(change)));
    }

    /// What earlier runs found, with the times when they did.
    pub(super) fn restore_changes(&mut self, earlier: Vec<Arc<Change>>) {
        self.changes.restore(earlier, |a, b| {
            (Reverse(a.at), &a.target, a.words.as_bytes()).cmp(&(Reverse(b.at), &b.target, b.words.as_bytes()))
        });
    }
}
