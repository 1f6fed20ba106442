//! Judging hosts: each by its checks and its parents, and whatever changes is handed down to the children.

use std::sync::Arc;
use std::time::Duration;

use super::upkeep::{self, maintained};
use super::{HostSlot, Row, State};
use crate::base::{Timestamp, Untrusted};
use crate::model::{Condition, Subject, Target};
use crate::state::event::{Effect, News, Pace};
use crate::state::rules;
use crate::state::rules::host::Open;
use crate::state::rules::news::Fault;
use crate::state::rules::parents::{Standing, Testimony, askable, siblings, testimony, time_to_verdict};
use crate::state::view::{Care, CheckView, Flapping};

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
            let all = self.judge_one(at, row, effects);
            // Those that wait may wait for something further up.
            let children = self.hosts[row].children.iter().copied();
            queue.extend(children.filter(|child| all || (visits > 1 && self.hosts[*child].lineage.waits)));
        }
    }

    /// True where the children have to be judged anew.
    fn judge_one(&mut self, at: Timestamp, row: usize, effects: &mut Vec<Effect>) -> bool {
        let silent = rules::host::is_silent(&self.hosts[row].view);
        let standing = if silent { self.standing(at, row, effects) } else { Standing::Alone };
        let slot = &self.hosts[row];
        let renamed = slot.lineage.is_renamed(&slot.view);
        // Where nobody is asked again on behalf of another, nothing is left to wait for.
        let open = if self.policy.longest_wait.is_zero() {
            Open { renamed, ..Open::default() }
        } else {
            let (wavering, doubt) = (slot.lineage.wavering, slot.lineage.doubt(&slot.view, at));
            Open { known: &slot.lineage.told.checks, wavering, doubt, renamed }
        };
        let withheld = open.withheld(&slot.view);
        let mut verdict = rules::host::judge(&slot.view, &standing, open, &self.policy);
        if let (Standing::Behind(blame), Some(parent)) = (&standing, &slot.view.care.inferred_parent) {
            verdict.reason = Untrusted::from(format!("behind {blame} ({})", parent.by.words(&parent.name)));
        }
        self.withhold(row, withheld, effects);
        let veil = self.veil(row);
        if let Some(words) = veil {
            // Its condition is the last one that was seen.
            verdict.stale = true;
            verdict.reason = Untrusted::from(words);
        }
        let slot = &mut self.hosts[row];
        let before = (slot.down, slot.lineage.waits);
        (slot.down, slot.lineage.waits) = (verdict.down, verdict.waits);
        let was = slot.view.condition;
        let changed = was != verdict.condition;
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
                self.log_host(row, was, effects);
            }
        }
        let slot = &mut self.hosts[row];
        if let Some(device) = &mut slot.device {
            let stale = veil.is_some() || slot.down || slot.lineage.waits || rules::host::ports_stale(&slot.view);
            if device.stale != stale {
                Arc::make_mut(device).stale = stale;
            }
        }
        if self.hosts[row].claimed {
            let id = self.hosts[row].view.host.id.clone();
            if self.review_claims(at, &id, effects) {
                self.hosts[row].claimed = self.desk.acks().keys().any(|target| *target.asset() == id);
                self.show_claims(row);
            }
        }
        self.settle(at, row, effects);
        self.tell(at, row, effects);
        self.tell_losers(row, effects);
        let slot = &mut self.hosts[row];
        if slot.alarmed != slot.wanting {
            slot.alarmed = slot.wanting;
            let pace = if slot.wanting { Pace::Alarmed } else { Pace::AsEver };
            effects.push(Effect::Pace { asset: slot.view.host.id.clone(), pace });
        }
        let slot = &self.hosts[row];
        let children = before != (slot.down, slot.lineage.waits) || (changed && slot.down);
        self.watch_deadline(Row::Verdict(row));
        children
    }

    /// Keeps which checks say nothing of the host yet: a later run begins anew with these, and not with those that do.
    fn withhold(&mut self, row: usize, now: Vec<usize>, effects: &mut Vec<Effect>) {
        let slot = &mut self.hosts[row];
        if now.is_empty() && slot.lineage.withheld.is_empty() {
            return;
        }
        let before = std::mem::replace(&mut slot.lineage.withheld, now);
        let over = before.iter().filter(|index| !slot.lineage.withheld.contains(index));
        let checks = over.filter_map(|index| slot.view.checks.get(*index));
        effects.extend(checks.map(|check| Effect::Remember(check.spec.key.clone())));
    }

    /// What stands beside the condition: flapping, an owner, and since when one is missing.
    fn settle(&mut self, at: Timestamp, row: usize, effects: &mut Vec<Effect>) {
        let slot = &self.hosts[row];
        let care = &slot.view.care;
        let problem = slot.view.condition.is_problem();
        let plain = slot.flappers == 0 && care.flapping.is_none() && !slot.claimed && care.ack.is_none();
        let plain = plain && slot.active.is_empty() && care.maintenance.is_none();
        // The end of a claim may be heard of later than the problem: a journal is read at the start.
        let plain = plain && (!problem || self.desk.is_blank());
        if plain && problem == slot.wanting {
            return;
        }
        let flapping = if slot.flappers > 0 { self.flapping(at, row) } else { None };
        let ack = self.owner_of(row);
        let slot = &mut self.hosts[row];
        let standing = (slot.view.condition, slot.view.since);
        let maintenance = maintained(&mut slot.active, slot.view.care.maintenance.as_ref(), standing, at);
        let care = &slot.view.care;
        let wanting = problem || flapping.is_some();
        let unowned_since = match care.unowned_since {
            _ if !wanting || ack.is_some() || maintenance.is_some() => None,
            None if slot.wanting => Some(at),
            since => {
                let began = flapping.map_or(slot.view.since, |flapping| flapping.since);
                let target = Target::Host(slot.view.host.id.clone());
                Some(self.desk.unowned_since(&target, since.unwrap_or(began)))
            }
        };
        slot.wanting = wanting;
        let inferred_parent = care.inferred_parent.clone();
        let care_now = Care { ack, maintenance, flapping, inferred_parent, unowned_since };
        let end = upkeep::ends(&slot.active, at);
        if *care != care_now {
            let was = care.maintenance.clone();
            let now = care_now.maintenance.clone();
            Arc::make_mut(&mut slot.view).care = care_now;
            self.compare_maintenance(at, row, (was.as_ref(), now.as_ref()), effects);
        }
        self.upkeep.next = self.upkeep.next.into_iter().chain(end).min();
    }

    /// Nothing where something that it hangs on flaps as well: that is the cause.
    fn flapping(&self, at: Timestamp, row: usize) -> Option<Flapping> {
        let slot = &self.hosts[row];
        if slot.parents.iter().any(|parent| self.hosts[*parent].flappers > 0) {
            return None;
        }
        let percent = slot.view.checks.iter().filter(|c| c.flap.flapping).map(|c| c.flap.percent).max()?;
        let now = slot.view.condition;
        let (since, worst) = slot.view.care.flapping.map_or((at, Condition::Warning), |f| (f.since, f.worst));
        Some(Flapping { percent, since, worst: if now.is_problem() { worst.max(now) } else { worst } })
    }

    /// Announces what is news, and has what people were told kept for a later run.
    fn tell(&mut self, at: Timestamp, row: usize, effects: &mut Vec<Effect>) {
        let slot = &self.hosts[row];
        let told = &slot.lineage.told;
        let condition = rules::host::tellable(&slot.view, told);
        let flaps = slot.view.care.flapping.is_some();
        // Most results say what all before them said.
        let same = told.condition == Some(condition) && !condition.is_problem() && !flaps && !told.flapping;
        if same && !told.down && told.checks.is_empty() {
            return;
        }
        // What an earlier run found is no news, and what cannot be judged yet ends nothing that was told.
        if told.condition.is_some() && (condition == Condition::Pending || !rules::host::is_heard(&slot.view)) {
            return;
        }
        // An earlier run had no answer and told nobody: another check that is bad now says nothing of that.
        if told.condition.is_some() && slot.down && !told.down && !rules::host::is_life_heard(&slot.view) {
            return;
        }
        // Nor is it over while what has taken the place of a bad check was not heard.
        let was_bad = told.condition.is_some_and(Condition::is_problem);
        if was_bad && condition == Condition::Ok && slot.lineage.is_renamed(&slot.view) {
            return;
        }
        let (before, count) = (told.clone(), effects.len());
        self.tell_news(at, row, condition, effects);
        let slot = &mut self.hosts[row];
        slot.lineage.found &= effects.len() == count;
        if slot.lineage.told != before {
            effects.push(Effect::RememberAsset(Subject::Host(slot.view.host.id.clone())));
        }
    }

    /// Announces what is news: a condition that changed, and one that stays what it was by a new fault that is as bad. In maintenance
    /// only the end of what was told before is. What flaps is told once when it begins and once when it ends; meanwhile only what
    /// its other checks say.
    fn tell_news(&mut self, at: Timestamp, row: usize, condition: Condition, effects: &mut Vec<Effect>) {
        let slot = &mut self.hosts[row];
        let flaps = slot.view.care.flapping.is_some();
        let lineage = &mut slot.lineage;
        if lineage.told.down && !slot.down && !lineage.waits && condition != Condition::Unreachable {
            (lineage.told.down, lineage.back) = (false, Some(at));
        }
        let same = lineage.told.condition == Some(condition) && !flaps && !lineage.told.flapping;
        if same && !condition.is_problem() {
            lineage.told.checks.clear();
            return;
        }
        let asset = &slot.view.host.id;
        let judged = !lineage.waits && condition != Condition::Unreachable;
        let Some(announced) = lineage.told.condition else {
            // How it is found is no news; what began in a window that is open is told at its end.
            let begun = slot.view.care.maintenance.as_ref().is_some_and(|m| slot.view.since >= m.from);
            let begun = begun && condition.is_problem();
            lineage.announce(if begun { Condition::Ok } else { condition });
            lineage.told.untold = !begun && condition.is_problem() && !slot.view.checks.iter().any(was_told);
            lineage.told.flapping = flaps;
            lineage.found = true;
            if !begun && judged {
                lineage.learn(&slot.view, slot.down, false);
            }
            return;
        };
        if self.sight.is_blind() {
            return;
        }
        if slot.view.care.maintenance.is_some() {
            if condition == Condition::Ok && !flaps && (announced.is_problem() || lineage.told.flapping) {
                lineage.told.condition = Some(condition);
                lineage.told.checks.clear();
                if std::mem::take(&mut lineage.told.untold) && !lineage.told.flapping {
                    return;
                }
                let news = if std::mem::take(&mut lineage.told.flapping) { News::FlappingEnds } else { News::Changed };
                effects.push(Effect::Announce { asset: asset.clone(), from: announced, to: condition, news });
            }
            return;
        }
        let fault = if judged { lineage.learn(&slot.view, slot.down, flaps) } else { Fault::Known };
        if flaps != lineage.told.flapping {
            lineage.told.flapping = flaps;
            lineage.told.untold = false;
            if flaps {
                let (from, to) = (announced, condition);
                effects.push(Effect::Announce { asset: asset.clone(), from, to, news: News::FlappingBegins });
            } else if slot.flappers == 0 {
                lineage.announce(condition);
                let to = lineage.told.condition.unwrap_or(condition);
                effects.push(Effect::Announce { asset: asset.clone(), from: announced, to, news: News::FlappingEnds });
                return;
            }
        }
        let told = if flaps { rules::host::steady(&slot.view).filter(|c| c.is_problem()) } else { Some(condition) };
        let changed = told.and_then(|told| lineage.announce(told));
        let (from, to, news) = match (changed, fault) {
            // Worse than it was, by what nobody has ever seen to be right.
            (Some((from, to)), Fault::Found) if to > from => {
                lineage.told.untold |= !from.is_problem();
                return;
            }
            // No worse than what nobody was told.
            (Some((from, to)), _) if lineage.told.untold && to <= from => {
                lineage.told.untold = to.is_problem();
                return;
            }
            (Some((from, to)), _) => (from, to, News::Changed),
            // However bad the rest of the host is.
            (None, Fault::Again) if told.is_some() && slot.view.care.ack.is_none() => {
                (announced, announced, News::Another)
            }
            (None, Fault::New(worst)) if worst >= announced && told.is_some() => (announced, announced, News::Another),
            (None, _) => return,
        };
        lineage.told.untold = false;
        effects.push(Effect::Announce { asset: asset.clone(), from, to, news });
    }

    /// Who is to blame if the host is silent.
    fn standing(&mut self, at: Timestamp, row: usize, effects: &mut Vec<Effect>) -> Standing {
        let slot = &self.hosts[row];
        if slot.parents.is_empty() || self.is_only_inferred(row) {
            return Standing::Alone;
        }
        if let Some(blame) = self.blame(slot) {
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
        let (standing, wakes) = match (acquitted, since) {
            (Some(until), _) => (Standing::Acquitted(self.last_back(slot)), Some(until)),
            (None, Some(since)) => self.weigh(at, row, since),
            // Nothing was heard of it in this run.
            (None, None) => (Standing::Alone, None),
        };
        self.hosts[row].lineage.wakes = wakes;
        standing
    }

    /// What is on top of a redundancy group that is down.
    fn blame(&self, slot: &HostSlot) -> Option<Arc<str>> {
        let group = slot.parent_groups().find(|group| group.iter().all(|parent| self.hosts[*parent].down))?;
        let first = &self.hosts[group[0]].view;
        Some(first.behind.clone().unwrap_or_else(|| first.host.name.clone()))
    }

    /// Hears the parents of a host that is silent since `since`; and until when it waits for them.
    fn weigh(&mut self, at: Timestamp, row: usize, since: Timestamp) -> (Standing, Option<Timestamp>) {
        let mut open = None;
        for group in self.hosts[row].parent_groups() {
            if let Some(longest) = self.weigh_group(group, since) {
                let parent = group.iter().find(|parent| !self.hosts[**parent].down).unwrap_or(&group[0]);
                let (who, before) = open.unwrap_or((*parent, Duration::ZERO));
                open = Some((who, longest.max(before)));
            }
        }
        let Some((who, longest)) = open else { return (Standing::Alone, None) };
        let who = self.hosts[who].view.host.name.clone();
        if longest.is_zero() {
            return (Standing::Unclear(who), None);
        }
        let until = at.plus(longest.min(self.policy.longest_wait));
        let until = *self.hosts[row].lineage.patience.get_or_insert(until);
        if at < until { (Standing::Unclear(who), Some(until)) } else { (Standing::Alone, None) }
    }

    /// How long it may stay open whether one of these parents is reachable; `None` where one is. No time at all where all of
    /// them wait for others.
    fn weigh_group(&self, group: &[usize], since: Timestamp) -> Option<Duration> {
        let mut longest = Duration::ZERO;
        for above in group {
            let parent = &self.hosts[*above];
            match testimony(&parent.view, parent.down, parent.lineage.waits, since) {
                Testimony::Clear => longest = longest.max(self.shadow(*above, 0)?),
                // Whoever waits is bounded by a patience of its own.
                Testimony::Down | Testimony::Waits => {}
                Testimony::Suspected | Testimony::Unasked => longest = longest.max(time_to_verdict(&parent.view)),
            }
        }
        Some(longest)
    }

    /// The parent that came back last.
    fn last_back(&self, slot: &HostSlot) -> Arc<str> {
        let parents = slot.parents.iter().map(|parent| &self.hosts[*parent]);
        let back = parents.clone().filter(|parent| !parent.down).rev().max_by_key(|parent| parent.view.since);
        back.or(parents.clone().next()).map(|parent| parent.view.host.name.clone()).unwrap_or_default()
    }

    /// What the host hung on is back: it is asked anew before anything is said about it.
    fn acquit(&mut self, at: Timestamp, row: usize, effects: &mut Vec<Effect>) {
        let slot = &mut self.hosts[row];
        slot.lineage.acquit(at, at.plus(time_to_verdict(&slot.view).min(self.policy.longest_wait)));
        effects.extend(askable(&slot.view).cloned().map(Effect::Ask));
    }

    /// A service is bad that was not known to be: whether its host lives is asked before anything is said about it.
    pub(super) fn suspect(&mut self, row: usize, index: usize, effects: &mut Vec<Effect>) {
        let slot = &mut self.hosts[row];
        let last = slot.view.checks[index].last.clone();
        // Where nothing waits for anything, nobody would be asked again.
        let Some(last) = last.filter(|_| !self.policy.longest_wait.is_zero()) else { return };
        if slot.lineage.doubts(&slot.view, &last) {
            effects.extend(askable(&slot.view).cloned().map(Effect::Ask));
        }
    }

    /// Something proves that the host lives. Where it `failed` before, services that were bad meanwhile are asked anew.
    pub(super) fn vouch(
        &mut self,
        at: Timestamp,
        (row, index): (usize, usize),
        failed: bool,
        effects: &mut Vec<Effect>,
    ) {
        let slot = &mut self.hosts[row];
        let Some(last) = slot.view.checks[index].last.clone() else { return };
        let Some(since) = slot.lineage.lives(&last).filter(|_| failed) else { return };
        let bad = |c: &&mut CheckView| {
            let anew = !c.condition.is_problem() || (c.condition == Condition::Critical && c.since >= since);
            !c.spec.decides_reachability && c.attempt > 0 && anew
        };
        for check in Arc::make_mut(&mut slot.view).checks.iter_mut().filter(bad) {
            rules::check::begin_anew(check, at);
            effects.push(Effect::Ask(check.spec.key.clone()));
        }
    }

    /// After a result: has asked at once what may tell more about the host, where it falls silent or is back.
    /// `was_silent` tells how it was before, `answers` whether the result proves life.
    pub(super) fn follow_up(
        &mut self,
        at: Timestamp,
        row: usize,
        (was_silent, answers): (bool, bool),
        effects: &mut Vec<Effect>,
    ) {
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
        if answers {
            self.answered(at, row, effects);
            self.ask_for_the_dead(row, effects);
        } else if silenced {
            self.fell(at, row, effects);
        }
        let slot = &mut self.hosts[row];
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

    /// What hangs on something that is down answers: the dead may be back, and is asked before anybody is blamed.
    fn ask_for_the_dead(&self, row: usize, effects: &mut Vec<Effect>) {
        for parent in &self.hosts[row].parents {
            let parent = &self.hosts[*parent];
            if parent.down {
                effects.extend(askable(&parent.view).cloned().map(Effect::Ask));
            }
        }
    }

    /// Something above is down or waits, though this one answers: it is open what that means for those below.
    fn shadow(&self, row: usize, depth: usize) -> Option<Duration> {
        let slot = &self.hosts[row];
        // Cyclic parents are refused when a configuration is read; this bounds a bug, not a case.
        if slot.parents.is_empty() || depth > 256 {
            return None;
        }
        let of_one = |parent: &usize| {
            let above = &self.hosts[*parent];
            let open = above.down || above.lineage.waits;
            if open { Some(time_to_verdict(&above.view)) } else { self.shadow(*parent, depth + 1) }
        };
        let of_group =
            |group: &[usize]| group.iter().map(of_one).try_fold(Duration::ZERO, |longest, one| Some(longest.max(one?)));
        slot.parent_groups().filter_map(of_group).max()
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

/// Of a check that was not heard of in this run before: an earlier run saw it right, and said that it broke.
fn was_told(check: &CheckView) -> bool {
    check.condition.is_problem() && check.last_good.is_some()
}

#[cfg(test)]
mod tests;
