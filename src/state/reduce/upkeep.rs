//! Maintenance in the state: which windows are open over which hosts and jobs. They are looked at when one opens or
//! closes, and when the inventory or the orders change; between that nothing costs anything.
//!
//! ```text
//! fixed      opening ───────────────► in maintenance ──► closing: what stands is announced
//! flexible   opening ─► goes bad ───► in maintenance for as long as ordered, from then on
//! ```

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::{Row, State};
use crate::base::Timestamp;
use crate::model::{AssetId, Condition, Job, Maintenance, Scope};
use crate::state::event::Effect;
use crate::state::rules::maintenance::{Opening, Window};
use crate::state::view::Maintained;

#[derive(Debug, Default)]
pub struct Upkeep {
    configured: Vec<Window>,
    ordered: Vec<Window>,
    /// When something of it changes by itself.
    pub next: Option<Timestamp>,
    pub orders: Arc<[Arc<Maintenance>]>,
}

/// A window that is open over something, or was and still holds.
#[derive(Clone, Debug)]
pub struct Active {
    maintenance: Arc<Maintenance>,
    opening: Opening,
    /// When a flexible one began.
    started: Option<Timestamp>,
}

impl Active {
    fn lasts(&self) -> Option<Duration> {
        self.maintenance.order.flexible
    }

    /// From when to when there is maintenance; `None` while a flexible one waits.
    fn time(&self) -> Option<Opening> {
        match self.lasts() {
            None => Some(self.opening),
            Some(lasts) => self.started.map(|from| Opening { from, until: from.plus(lasts) }),
        }
    }
}

/// The maintenance that something is in, of all that are open over it; it begins the flexible ones that are due to.
pub fn maintained(
    active: &mut [Active],
    before: Option<&Arc<Maintained>>,
    (condition, since): (Condition, Timestamp),
    at: Timestamp,
) -> Option<Arc<Maintained>> {
    for one in active.iter_mut().filter(|one| one.lasts().is_some() && one.started.is_none()) {
        // It may have begun in an earlier run, and the window be over.
        if condition.is_problem() && since < one.opening.until {
            one.started = Some(since.max(one.opening.from));
        }
    }
    let times = active.iter().filter_map(|one| Some((one, one.time().filter(|time| at < time.until)?)));
    let (one, time) = times.max_by_key(|(_, time)| time.until)?;
    if let Some(before) = before
        && before.maintenance.id == one.maintenance.id
        && before.until == time.until
    {
        return Some(before.clone());
    }
    Some(Arc::new(Maintained { maintenance: one.maintenance.clone(), from: time.from, until: time.until }))
}

/// When the maintenance of something ends by itself.
pub fn ends(active: &[Active], at: Timestamp) -> Option<Timestamp> {
    active.iter().filter_map(Active::time).map(|time| time.until).filter(|until| *until > at).min()
}

impl Upkeep {
    pub fn configure(&mut self, orders: &[Arc<Maintenance>]) {
        self.configured = orders.iter().cloned().filter_map(Window::configured).collect();
        self.list();
    }

    pub fn order(&mut self, orders: Vec<Arc<Maintenance>>) {
        self.ordered = orders.into_iter().filter_map(Window::ordered).collect();
        self.list();
    }

    fn list(&mut self) {
        self.orders = self.windows().map(|window| window.maintenance.clone()).collect();
    }

    fn windows(&self) -> impl Iterator<Item = &Window> {
        self.configured.iter().chain(&self.ordered)
    }
}

impl State {
    /// Looks at all windows anew. What is announced at the end of one is left to the judging of each host and job.
    pub(super) fn review_upkeep(&mut self, at: Timestamp, effects: &mut Vec<Effect>) {
        let (mut of_hosts, mut of_jobs) = (HashMap::new(), HashMap::new());
        for window in self.upkeep.windows() {
            // A flexible one lasts beyond its window's end.
            let beyond = window.maintenance.order.flexible.unwrap_or_default();
            let Some(opening) = window.latest(at, self.ahead).filter(|opening| at < opening.until.plus(beyond)) else {
                continue;
            };
            let scope = &window.maintenance.order.scope;
            let active = Active { maintenance: window.maintenance.clone(), opening, started: None };
            let hosts = self.covered_hosts(scope);
            for row in self.covered_jobs(scope, &hosts) {
                of_jobs.entry(row).or_insert_with(Vec::new).push(active.clone());
            }
            for row in hosts {
                of_hosts.entry(row).or_insert_with(Vec::new).push(active.clone());
            }
        }
        let there: HashSet<Arc<str>> = self.upkeep.orders.iter().map(|order| order.id.clone()).collect();
        for row in 0..self.hosts.len() {
            let slot = &mut self.hosts[row];
            let now = of_hosts.remove(&row).unwrap_or_default();
            if now.is_empty() && slot.active.is_empty() {
                continue;
            }
            slot.active = carried(&slot.active, now, &there, at);
            self.judge_host(at, row, effects);
        }
        for row in 0..self.jobs.len() {
            let slot = &mut self.jobs[row];
            let now = of_jobs.remove(&row).unwrap_or_default();
            if now.is_empty() && slot.active.is_empty() {
                continue;
            }
            slot.active = carried(&slot.active, now, &there, at);
            self.settle_job(at, row, effects);
            self.tell_job(row, effects);
        }
        let changes = self.upkeep.windows().filter_map(|window| window.next_change(at, self.ahead));
        let active = self.hosts.iter().map(|slot| &slot.active).chain(self.jobs.iter().map(|slot| &slot.active));
        let ends = active.filter_map(|active| ends(active, at));
        self.upkeep.next = changes.chain(ends).min();
    }

    /// The system's clock was set: what goes by it is looked at anew.
    pub(super) fn take_wall_clock(&mut self, at: Timestamp, ahead: i64, effects: &mut Vec<Effect>) {
        self.ahead = ahead;
        self.review_upkeep(at, effects);
        for row in 0..self.jobs.len() {
            let is_found = self.jobs[row].check.as_ref().is_some_and(|check| check.restored);
            self.judge_job(at, row, is_found, effects);
            self.watch_deadline(Row::Job(row));
        }
    }

    fn covered_hosts(&self, scope: &Scope) -> Vec<usize> {
        let wanted = |test: &dyn Fn(&crate::model::Host) -> bool| {
            (0..self.hosts.len()).filter(|row| test(&self.hosts[*row].view.host)).collect()
        };
        match scope {
            Scope::Asset(id) => self.host_rows.get(id).copied().into_iter().collect(),
            Scope::Tag(tag) => wanted(&|host| host.has_tag(tag)),
            Scope::Group(group) => wanted(&|host| host.group.as_ref() == Some(group)),
            Scope::Site(site) => wanted(&|host| host.site.as_ref() == Some(site)),
            Scope::Behind(id) => self.behind(id),
        }
    }

    /// The job that is named; or those that protect nothing but what is covered.
    fn covered_jobs(&self, scope: &Scope, hosts: &[usize]) -> Vec<usize> {
        let covered = |id: &AssetId| self.host_rows.get(id).is_some_and(|row| hosts.contains(row));
        let is_covered = |job: &Job| match scope {
            Scope::Asset(id) => job.id == *id,
            Scope::Tag(_) | Scope::Group(_) | Scope::Site(_) | Scope::Behind(_) => {
                !job.protects.is_empty() && job.protects.iter().all(covered)
            }
        };
        (0..self.jobs.len()).filter(|row| is_covered(&self.jobs[*row].view.job)).collect()
    }

    /// A host and what needs it: with another parent that would do instead, a silence has another cause.
    fn behind(&self, id: &AssetId) -> Vec<usize> {
        let mut out: Vec<usize> = self.host_rows.get(id).copied().into_iter().collect();
        let mut met: HashSet<usize> = out.iter().copied().collect();
        let mut next = 0;
        while let Some(row) = out.get(next).copied() {
            next += 1;
            for child in &self.hosts[row].children {
                // What is only inferred is not known well enough to be quiet about.
                let known = self.hosts[*child].view.care.inferred_parent.is_none();
                if known
                    && self.hosts[*child].parent_groups().any(|group| group.iter().all(|parent| met.contains(parent)))
                    && met.insert(*child)
                {
                    out.push(*child);
                }
            }
        }
        out
    }
}

/// What is open now, with what is known of each from before; and flexible ones that began and are not over.
fn carried(before: &[Active], mut now: Vec<Active>, there: &HashSet<Arc<str>>, at: Timestamp) -> Vec<Active> {
    let same = |a: &Active, b: &Active| a.maintenance.id == b.maintenance.id && a.opening.from == b.opening.from;
    for one in &mut now {
        one.started = before.iter().find(|old| same(old, one)).and_then(|old| old.started);
    }
    for old in before {
        let holds = old.lasts().is_some() && old.time().is_some_and(|time| at < time.until);
        if holds && there.contains(&old.maintenance.id) && !now.iter().any(|one| same(old, one)) {
            now.push(old.clone());
        }
    }
    now
}

#[cfg(test)]
mod tests;
