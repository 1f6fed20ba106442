//! Judging hosts: each by its checks and its parents, and whatever changes is handed down to the children.

use std::sync::Arc;

use super::{Row, State};
use crate::base::Timestamp;
use crate::model::Condition;
use crate::state::event::Effect;
use crate::state::rules;
use crate::state::rules::parents::{Standing, Testimony, askable, siblings, testimony, time_to_verdict};
use crate::state::view::CheckView;

impl State {
    /// Judges a host anew and, where that changes what can be said about them, all that hangs on it.
    pub(super) fn judge_host(&mut self, at: Timestamp, row: usize, effects: &mut Vec<Effect>) {
        let mut queue = vec![row];
        // Those that wait hear of every result of their parents.
        queue.extend(self.hosts[row].children.iter().copied().filter(|child| self.hosts[*child].lineage.waits));
        queue.reverse();
        let mut visits = 0;
        while let Some(row) = queue.pop() {
            visits += 1;
            // Cyclic parents are refused when a configuration is read; this bounds a bug, not a case.
            if visits > self.hosts.len() * 4 + 4 {
                break;
            }
            if self.judge_one(at, row, effects) {
                queue.extend(self.hosts[row].children.iter().copied());
            }
        }
    }

    /// True where the children have to be judged anew.
    fn judge_one(&mut self, at: Timestamp, row: usize, effects: &mut Vec<Effect>) -> bool {
        let silent = rules::host::is_silent(&self.hosts[row].view);
        let standing = if silent { self.standing(at, row, effects) } else { Standing::Alone };
        let slot = &mut self.hosts[row];
        let verdict = rules::host::judge(&slot.view, &standing, slot.lineage.wavering, &self.policy);
        let before = (slot.down, slot.lineage.waits);
        (slot.down, slot.lineage.waits) = (verdict.down, verdict.waits);
        let changed = slot.view.condition != verdict.condition;
        let differs = changed || slot.view.reason != verdict.reason || slot.view.behind != verdict.behind;
        if differs || slot.view.stale != verdict.stale || slot.view.last_seen != verdict.last_seen {
            let view = Arc::make_mut(&mut slot.view);
            view.condition = verdict.condition;
            view.reason = verdict.reason;
            view.behind = verdict.behind;
            view.stale = verdict.stale;
            view.last_seen = verdict.last_seen;
            if changed {
                view.since = verdict.since.unwrap_or(at);
            }
        }
        if let Some(device) = &mut slot.device {
            let stale = slot.down || slot.lineage.waits || rules::host::ports_stale(&slot.view);
            if device.stale != stale {
                Arc::make_mut(device).stale = stale;
            }
        }
        if let Some((from, to)) = slot.lineage.announce(slot.view.condition) {
            effects.push(Effect::Announce { asset: slot.view.host.id.clone(), from, to });
        }
        let children = before != (slot.down, slot.lineage.waits) || (changed && slot.down);
        self.watch_deadline(Row::Verdict(row));
        children
    }

    /// Who is to blame if the host is silent.
    fn standing(&mut self, at: Timestamp, row: usize, effects: &mut Vec<Effect>) -> Standing {
        let slot = &self.hosts[row];
        if slot.parents.is_empty() {
            return Standing::Alone;
        }
        let first = &self.hosts[slot.parents[0]].view;
        if slot.parents.iter().all(|parent| self.hosts[*parent].down) {
            let blame = first.behind.clone().unwrap_or_else(|| first.host.name.clone());
            let lineage = &mut self.hosts[row].lineage;
            (lineage.acquittal, lineage.wakes) = (None, None);
            return Standing::Behind(blame);
        }
        if self.policy.longest_wait.is_zero() {
            return Standing::Alone;
        }
        if slot.view.behind.is_some() {
            self.acquit(at, row, effects);
        }
        let slot = &mut self.hosts[row];
        let acquitted = slot.lineage.acquitted(&slot.view, at);
        let since = slot.lineage.silent_since;
        let slot = &self.hosts[row];
        let open = slot.parents.iter().find(|parent| !self.hosts[**parent].down).unwrap_or(&slot.parents[0]);
        let parent = self.hosts[*open].view.host.name.clone();
        let (standing, wakes) = match (acquitted, since) {
            (Some(until), _) => (Standing::Acquitted(parent), Some(until)),
            (None, Some(since)) => self.weigh(at, row, since, parent),
            // Nothing was heard of it in this run.
            (None, None) => (Standing::Alone, None),
        };
        self.hosts[row].lineage.wakes = wakes;
        standing
    }

    /// Hears the parents of a host that is silent since `since`; and until when it waits for them.
    fn weigh(&mut self, at: Timestamp, row: usize, since: Timestamp, who: Arc<str>) -> (Standing, Option<Timestamp>) {
        let mut longest = None;
        for parent in &self.hosts[row].parents {
            let parent = &self.hosts[*parent];
            match testimony(&parent.view, parent.down, parent.lineage.waits, since) {
                Testimony::Clear => return (Standing::Alone, None),
                // Whoever waits is bounded by a patience of its own.
                Testimony::Down | Testimony::Waits => {}
                Testimony::Suspected | Testimony::Unasked => longest = longest.max(Some(time_to_verdict(&parent.view))),
            }
        }
        let Some(longest) = longest else { return (Standing::Unclear(who), None) };
        let until = at.plus(longest.min(self.policy.longest_wait));
        let until = *self.hosts[row].lineage.patience.get_or_insert(until);
        if at < until { (Standing::Unclear(who), Some(until)) } else { (Standing::Alone, None) }
    }

    /// What the host hung on is back: it is asked anew before anything is said about it.
    fn acquit(&mut self, at: Timestamp, row: usize, effects: &mut Vec<Effect>) {
        let slot = &mut self.hosts[row];
        slot.lineage.acquit(at, at.plus(time_to_verdict(&slot.view).min(self.policy.longest_wait)));
        effects.extend(askable(&slot.view).cloned().map(Effect::Ask));
    }

    /// After a result: has asked at once what may tell more about the host, where it falls silent or is back.
    /// `was_silent` tells how it was before.
    pub(super) fn follow_up(&mut self, at: Timestamp, row: usize, was_silent: bool, effects: &mut Vec<Effect>) {
        let slot = &mut self.hosts[row];
        // An answer by what proves nothing by itself leaves the silence of the others as it is.
        let is_back = |c: &CheckView| c.spec.decides_reachability && c.condition == Condition::Ok;
        if was_silent && slot.view.checks.iter().any(is_back) {
            let checks = Arc::make_mut(&mut slot.view).checks.iter_mut();
            let old = checks.filter(|c| c.spec.decides_reachability && c.condition == Condition::Critical);
            for check in old {
                rules::check::begin_anew(check, at);
                effects.push(Effect::Ask(check.spec.key.clone()));
            }
        }
        let silenced = slot.lineage.hear(&slot.view);
        if self.policy.longest_wait.is_zero() {
            return;
        }
        if let Some(since) = slot.lineage.wavering {
            effects.extend(siblings(&slot.view, since).cloned().map(Effect::Ask));
        }
        if silenced {
            self.ask_parents(row, effects);
        }
    }

    /// Has the parents of a host that just fell silent asked, unless they are known to be down or failing.
    fn ask_parents(&self, row: usize, effects: &mut Vec<Effect>) {
        let Some(since) = self.hosts[row].lineage.silent_since else { return };
        for parent in &self.hosts[row].parents {
            let parent = &self.hosts[*parent];
            if testimony(&parent.view, parent.down, parent.lineage.waits, since) == Testimony::Unasked {
                effects.extend(askable(&parent.view).cloned().map(Effect::Ask));
            }
        }
    }
}

#[cfg(test)]
mod tests;
