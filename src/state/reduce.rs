//! The reducer: the only writer of [`State`]. Everything it needs arrives in the event; everything it wants
//! done leaves as an effect.
//!
//! Hosts are judged in two steps: each check by its own results ([`super::rules::check`]), then the host by its
//! checks and its parents ([`hosts`]).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::event::{Effect, Event, News};
use super::identities::Identities;
use super::newest::Newest;
use super::rules;
use super::rules::backup::Now;
use super::rules::check::Hearing;
use super::rules::parents::Lineage;
use super::snapshot::Mode;
use super::snapshot::{EngineView, Snapshot};
use super::view::{CheckView, DeviceView, HostView, JobView};
use crate::base::Timestamp;
use crate::model::device::Neighbor;
use crate::model::{
    AssetId, Change, CheckKey, CheckSpec, Condition, Entry, Facts, Fault, Host, Incident, Inventory, Job, Logged,
    Machine, Notification, NotificationView, Observation, Outcome, Policy, Reading, Session, Subject, Target, Told,
    Transition, redundancy_groups,
};

/// What is kept of what happened.
const NOTIFICATIONS: usize = 500;
pub const TRANSITIONS: usize = 1_000;
const FAULTS: usize = 100;
const CHANGES: usize = 1_000;
/// Values kept for a host's sparkline.
const TRAIL: usize = 16;

mod alerts;
mod care;
mod changed;
mod ends;
mod gauges;
mod hosts;
mod inferred;
mod logged;
mod parts;
mod restored;
mod sight;
mod upkeep;

use care::Desk;
use gauges::Gauges;
use restored::Unclaimed;
use sight::{Sight, Vote};
use upkeep::{Active, Upkeep};

/// All that is known.
#[derive(Debug, Default)]
pub struct State {
    pub(super) policy: Policy,
    inventory: Arc<Inventory>,
    pub(super) hosts: Vec<HostSlot>,
    pub(super) jobs: Vec<JobSlot>,
    host_rows: FxHashMap<AssetId, usize>,
    checks: FxHashMap<CheckKey, Row>,
    /// When something may change by the mere passing of time: one entry per check or job at most.
    deadlines: BinaryHeap<Reverse<(Timestamp, Row)>>,
    unclaimed: Unclaimed,
    pub(super) incidents: Vec<Arc<Incident>>,
    pub(super) sessions: Vec<Session>,
    pub(super) engine: EngineView,
    pub(super) remarks: Vec<Arc<str>>,
    pub(super) notifications: Newest<NotificationView, NOTIFICATIONS>,
    pub(super) transitions: Newest<Transition, TRANSITIONS>,
    /// What changed and is no condition, in this run and before it.
    pub(super) changes: Newest<Change, CHANGES>,
    /// Tasks that ended in a fault, of earlier runs too.
    pub(super) faults: Newest<Fault, FAULTS>,
    pub(super) desk: Desk,
    pub(super) upkeep: Upkeep,
    sight: Sight,
    identities: Box<Identities<usize>>,
    /// Neighbors that were said to be ambiguous.
    ambiguities: usize,
    /// By how many milliseconds the system's clock is ahead of steady time, since it was set: schedules go by it.
    ahead: i64,
    pub(super) revision: u64,
}

#[derive(Debug)]
pub(super) struct HostSlot {
    pub view: Arc<HostView>,
    pub device: Option<Arc<DeviceView>>,
    pub parents: Vec<usize>,
    /// As [`crate::model::Host::redundancy`] has it.
    redundancy: Vec<usize>,
    pub children: Vec<usize>,
    /// No reachability check answers; what hangs on it cannot be judged.
    pub down: bool,
    lineage: Lineage,
    waiting: Vec<bool>,
    /// Checks of it that flap.
    flappers: usize,
    /// Somebody has claimed it, or a part of it.
    claimed: bool,
    /// It needed somebody when it was last judged, owned or not.
    wanting: bool,
    /// Maintenance windows that are open over it.
    active: Vec<Active>,
    vote: Vote,
    /// What was announced of its ports and of what it says of itself.
    told: parts::Told,
    /// Devices that have lost links to it.
    losers: Vec<ends::Loser>,
    /// Of a device: the hosts that have it among these.
    ends: Vec<usize>,
    /// What it was last told to be, by checks that tell that.
    machines: Vec<(Arc<str>, Machine)>,
    /// Of those checks that have limits of the operator's own.
    gauges: Vec<Gauges>,
    /// The check whose numbers the trail is made of.
    course: Option<usize>,
    /// Somebody looks more often.
    alarmed: bool,
    /// A deadline for the host as a whole is in the heap.
    awaited: bool,
}

impl HostSlot {
    /// The parents by redundancy group: of each group one has to answer.
    fn parent_groups(&self) -> impl Iterator<Item = &[usize]> {
        redundancy_groups(&self.parents, &self.redundancy)
    }
}

#[derive(Debug)]
pub(super) struct JobSlot {
    pub view: Arc<JobView>,
    check: Option<CheckView>,
    waiting: bool,
    claimed: bool,
    active: Vec<Active>,
    /// What people were told of it; and that it is how this run found it, and nothing was told since.
    told: Told,
    found: bool,
}

impl JobSlot {
    /// A job's slot under a new inventory: what was known of it stays.
    fn continued(job: &Arc<Job>, old: Option<&Self>, check: Option<CheckView>, now: Now) -> Self {
        let view = Arc::new(rules::backup::judge(job, old.map(|o| &*o.view), check.as_ref(), now));
        let (told, found) = old.map(|o| (o.told.clone(), o.found)).unwrap_or_default();
        let active = old.map(|o| o.active.clone()).unwrap_or_default();
        Self { view, check, waiting: false, claimed: false, active, told, found }
    }

    /// What is wrong with it was found and told by an earlier run.
    fn was_known(&self) -> bool {
        self.check.as_ref().is_some_and(|check| check.restored && check.last_good.is_some())
    }
}

/// Where a check lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    Host(usize, usize),
    Job(usize),
    /// A verdict that waits for the parents.
    Verdict(usize),
}

impl State {
    pub fn new(policy: Policy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Takes one event in. `at` is steady time and never goes back.
    pub fn reduce(&mut self, at: Timestamp, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::Observed(observation) => self.observed(at, observation, &mut effects),
            Event::Tick => self.tick(at, &mut effects),
            Event::Inventory(inventory) => {
                self.engine.has_inventory = true;
                self.take_inventory(at, inventory, &mut effects);
            }
            Event::Restored(remembered) => self.restore(at, remembered, &mut effects),
            Event::RestoredDevices(devices) => self.restore_devices(devices),
            Event::RestoredAssets(assets) => self.restore_assets(assets),
            Event::RestoredLog(earlier) => self.restore_log(earlier),
            Event::Policy(policy) => self.policy = policy,
            Event::Mode(mode) => self.engine.mode = mode,
            Event::Paused(pause) => {
                self.engine.mode = if pause.is_some() { Mode::Paused } else { Mode::Polling };
                self.engine.pause = pause;
            }
            Event::Storage(storage) => self.engine.storage = storage,
            Event::Incidents(incidents) => {
                self.incidents = incidents.into_iter().map(Arc::new).collect();
                self.sort_incidents();
            }
            Event::Incident(incident) => {
                self.incidents.retain(|i| i.id != incident.id);
                self.incidents.push(Arc::new(incident));
                self.sort_incidents();
            }
            Event::Channels(channels) => self.engine.channels = channels.into(),
            Event::Care(book) => self.take_care(at, book, &mut effects),
            Event::EntrySaved(entry) => self.entry_saved(entry),
            Event::Session(session) => match self.sessions.iter_mut().find(|s| s.id == session.id) {
                Some(known) => *known = session,
                None => self.sessions.push(session),
            },
            Event::SessionForgotten(id) => self.sessions.retain(|s| s.id != id),
            Event::Load { running, waiting, late, runs } => {
                self.engine.running = running;
                self.engine.waiting = waiting;
                self.engine.late = late;
                self.engine.runs = runs;
            }
            Event::Fault(words) => self.failed(at, words, &mut effects),
            Event::Discovering(discovering) => self.engine.discovering = discovering,
            Event::Watching(watch) => self.engine.watch = watch,
            Event::WatchingHosts(hosts) => self.engine.hosts_watched = hosts,
            Event::Remark(text) => {
                if !self.remarks.contains(&text) {
                    self.remarks.push(text);
                }
            }
            Event::Notified(told) => self.notified(told, &mut effects),
            Event::Uplink(lost) => self.take_uplink(at, lost, &mut effects),
            Event::WallClock(ahead) => self.take_wall_clock(at, ahead, &mut effects),
            Event::Resolver(lost) => self.take_resolver(at, lost, &mut effects),
            Event::Traps(status) => self.engine.traps = Some(Arc::new(status)),
        }
        effects
    }

    /// When [`Event::Tick`] is next worth sending.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let next = self.deadlines.peek().map(|Reverse((at, _))| *at);
        next.into_iter().chain(self.desk.expires).chain(self.upkeep.next).chain(self.sight.deadline()).min()
    }

    /// The specifications of all checks, for the scheduler.
    pub fn specs(&self) -> &[Arc<CheckSpec>] {
        &self.inventory.checks
    }

    pub fn inventory(&self) -> &Arc<Inventory> {
        &self.inventory
    }

    /// One check as it stands, for the store.
    pub fn check(&self, key: &CheckKey) -> Option<&CheckView> {
        match *self.checks.get(key)? {
            Row::Host(host, check) => self.hosts[host].view.checks.get(check),
            Row::Job(job) => self.jobs[job].check.as_ref(),
            Row::Verdict(_) => None,
        }
    }

    /// The ports of a device as they stand, for the store.
    pub fn has_host(&self, id: &AssetId) -> bool {
        self.host_rows.contains_key(id)
    }

    /// Whether its host or job is in the inventory.
    pub fn has(&self, target: &Target) -> bool {
        match target {
            Target::Job(id) => self.jobs.iter().any(|slot| slot.view.job.id == *id),
            Target::Host(_) | Target::Check(_) | Target::Port(..) | Target::GonePorts(_) | Target::Device(_) => {
                self.has_host(target.asset())
            }
        }
    }

    pub(super) fn devices(&self) -> impl Iterator<Item = &Arc<DeviceView>> {
        self.hosts.iter().filter_map(|slot| slot.device.as_ref())
    }

    pub fn device(&self, id: &AssetId) -> Option<&Arc<DeviceView>> {
        self.hosts[*self.host_rows.get(id)?].device.as_ref()
    }

    /// The immutable whole, sharing everything that did not change with the one before.
    pub fn publish(&mut self, at: Timestamp) -> Snapshot {
        self.revision += 1;
        self.notifications.publish();
        self.transitions.publish();
        self.changes.publish();
        self.faults.publish();
        super::snapshot::build(self, at)
    }

    fn observed(&mut self, at: Timestamp, observation: Observation, effects: &mut Vec<Effect>) {
        match self.checks.get(&observation.check).copied() {
            Some(Row::Host(host, check)) => self.observed_host(at, (host, check), observation, effects),
            Some(Row::Job(job)) => self.observed_job(at, job, observation, effects),
            // The check left the inventory while it ran.
            Some(Row::Verdict(_)) | None => {}
        }
    }

    fn observed_host(
        &mut self,
        at: Timestamp,
        (row, index): (usize, usize),
        mut observation: Observation,
        effects: &mut Vec<Effect>,
    ) {
        let (mut walked, mut recalled) = (false, false);
        if let Facts::Ports(table) = &observation.reading.facts {
            let slot = &self.hosts[row];
            let stored = if slot.device.is_none() { self.unclaimed.device(&slot.view.host.id) } else { None };
            recalled = stored.is_some();
            let judged = if let Some(stored) = stored {
                self.recall(row, &stored, table)
            } else {
                let is_device = |neighbor: &Neighbor| self.is_other_device(row, neighbor);
                rules::ports::judge_among(&is_device, slot.device.as_deref(), table, &slot.view.host)
            };
            let slot = &mut self.hosts[row];
            let host = &slot.view.host;
            if slot.device.as_ref().is_none_or(|old| rules::ports::worth_remembering(old, &judged)) {
                effects.push(Effect::RememberDevice(host.id.clone()));
            }
            let same = |old: &Arc<DeviceView>| Arc::ptr_eq(&old.table.equipment, &table.equipment);
            let anew = !slot.device.as_ref().is_some_and(same);
            let known = slot.device.replace(Arc::new(judged));
            if let Some(known) = known {
                self.log_device(at, row, &known, effects);
                self.compare_walks(at, row, &known, effects);
            }
            walked = true;
            if anew {
                let table = table.clone();
                self.infer(row, &table, effects);
            }
        }
        self.compare_results((row, index), &observation, effects);
        let nameless = self.is_nameless(row, &observation);
        let slot = &mut self.hosts[row];
        let sure = !slot.gauges.is_empty() && gauges::apply(slot, index, &mut observation);
        let was_silent = rules::host::is_silent(&slot.view);
        let view = Arc::make_mut(&mut slot.view);
        let check = &mut view.checks[index];
        let key = check.spec.key.clone();
        let before = check.condition;
        let is_event = check.spec.volatile && observation.reading.outcome != Outcome::Ok;
        let again = slot.lineage.count(&check.spec, &observation);
        let (service, failed) = (!check.spec.decides_reachability && !before.is_problem(), check.attempt > 0);
        // What it hangs on is to blame for these changes.
        let counts = !slot.lineage.waits && view.behind.is_none();
        let withheld = nameless || (self.sight.withholds() && !self.sight.reaches(&view.host));
        let own = if self.inventory.flapping.is_empty() { None } else { self.inventory.flapping.get(&key) };
        let usual = self.policy.flapping.as_ref();
        let formula = usual.and_then(|usual| own.map_or(Some(usual), Option::as_ref));
        let hearing = Hearing { formula: formula.filter(|_| counts && !withheld), withheld, sure };
        let answers =
            check.spec.decides_reachability && matches!(observation.reading.outcome, Outcome::Ok | Outcome::Warning);
        let blind = self.sight.is_blind() && !is_heard(&observation);
        let flapped = check.flap.flapping;
        let soon = rules::check::take(check, observation, hearing);
        if nameless {
            sight::unheard(check, at);
        } else if blind && withheld {
            // Until sight is back each keeps its own rhythm.
            check.stale = true;
        } else if soon || again {
            effects.push(Effect::Retry(key.clone()));
        }
        match (flapped, check.flap.flapping) {
            (false, true) => slot.flappers += 1,
            (true, false) => slot.flappers -= 1,
            (false, false) | (true, true) => {}
        }
        if check.condition != before || check.last_good.is_some() {
            effects.push(Effect::Remember(key));
        }
        if let Some((leader, value)) = rules::host::leading_metric(&view.checks)
            && leader == index
        {
            if slot.course != Some(leader) {
                (slot.course, view.trail) = (Some(leader), Arc::default());
            }
            push_trail(view, value);
        }
        self.watch_deadline(Row::Host(row, index));
        if service {
            self.suspect(row, index, effects);
        } else if answers {
            self.vouch(at, (row, index), failed, effects);
        }
        self.follow_up(at, row, (was_silent, answers), effects);
        if is_event {
            self.hosts[row].lineage.event = Some(index).filter(|_| !withheld);
        }
        self.judge_host(at, row, effects);
        if is_event {
            self.hosts[row].lineage.event = None;
        }
        if walked {
            self.tell_parts(row, recalled, effects);
        }
    }

    fn observed_job(&mut self, at: Timestamp, row: usize, observation: Observation, effects: &mut Vec<Effect>) {
        let slot = &mut self.jobs[row];
        let is_found = slot.check.as_ref().is_some_and(|check| check.restored);
        if let Some(check) = &mut slot.check {
            let key = check.spec.key.clone();
            if rules::check::take(check, observation, Hearing::default()) {
                effects.push(Effect::Retry(key.clone()));
            }
            effects.push(Effect::Remember(key));
        }
        self.judge_job(at, row, is_found, effects);
        self.watch_deadline(Row::Job(row));
    }

    fn judge_job(&mut self, at: Timestamp, row: usize, is_found: bool, effects: &mut Vec<Effect>) {
        let slot = &mut self.jobs[row];
        let now = Now { at, ahead: self.ahead };
        let judged = rules::backup::judge(&slot.view.job, Some(&slot.view), slot.check.as_ref(), now);
        let before = slot.view.condition;
        slot.view = Arc::new(judged);
        self.log_job(row, before, is_found, effects);
        self.settle_job(at, row, effects);
        self.tell_job(row, effects);
    }

    fn tell_job(&mut self, row: usize, effects: &mut Vec<Effect>) {
        let slot = &self.jobs[row];
        let to = slot.view.condition;
        if to == Condition::Pending || slot.told.condition == Some(to) {
            return;
        }
        // What an earlier run read of it is no news.
        let heard = slot.check.as_ref().is_none_or(|check| check.last.is_some() && !check.restored);
        if slot.told.condition.is_some() && (self.sight.is_blind() || !heard) {
            return;
        }
        let (before, count) = (slot.told.clone(), effects.len());
        self.tell_job_news(row, to, effects);
        let slot = &mut self.jobs[row];
        slot.found &= effects.len() == count;
        if slot.told != before {
            effects.push(Effect::RememberAsset(Subject::Job(slot.view.job.id.clone())));
        }
    }

    fn tell_job_news(&mut self, row: usize, to: Condition, effects: &mut Vec<Effect>) {
        let slot = &mut self.jobs[row];
        let found = |slot: &JobSlot| to.is_problem() && !slot.was_known();
        if let Some(maintained) = &slot.view.care.maintenance {
            let is_end = slot.told.condition.is_some_and(Condition::is_problem) && to == Condition::Ok;
            if slot.told.condition.is_none() {
                let begun = slot.view.since >= maintained.from;
                slot.told.condition = Some(if begun { Condition::Ok } else { to });
                slot.told.untold = !begun && found(slot);
                slot.found = true;
            }
            if !is_end {
                return;
            }
        }
        let Some(from) = slot.told.condition.replace(to) else {
            (slot.told.untold, slot.found) = (found(slot), true);
            return;
        };
        if slot.told.untold && to <= from {
            slot.told.untold = to.is_problem();
        } else {
            slot.told.untold = false;
            let asset = slot.view.job.id.clone();
            effects.push(Effect::Announce { asset, from, to, news: News::Changed });
        }
    }

    fn watch_deadline(&mut self, row: Row) {
        let (at, waiting) = match row {
            Row::Host(host, check) => {
                let slot = &mut self.hosts[host];
                (rules::check::stale_at(&slot.view.checks[check], &self.policy), &mut slot.waiting[check])
            }
            Row::Job(job) => {
                let slot = &mut self.jobs[job];
                let stale = slot.check.as_ref().and_then(|c| rules::check::stale_at(c, &self.policy));
                (stale.into_iter().chain(slot.view.review_at).min(), &mut slot.waiting)
            }
            Row::Verdict(host) => {
                let slot = &mut self.hosts[host];
                (slot.lineage.wakes.filter(|_| slot.lineage.waits), &mut slot.awaited)
            }
        };
        if let Some(at) = at
            && !*waiting
        {
            *waiting = true;
            self.deadlines.push(Reverse((at, row)));
        }
    }

    fn tick(&mut self, at: Timestamp, effects: &mut Vec<Effect>) {
        if self.desk.expires.is_some_and(|due| due <= at) {
            self.expire_claims(at, effects);
        }
        if self.upkeep.next.is_some_and(|due| due <= at) {
            self.review_upkeep(at, effects);
        }
        self.review_sight(at, effects);
        while let Some(Reverse((due, row))) = self.deadlines.peek().copied() {
            if due > at {
                break;
            }
            self.deadlines.pop();
            match row {
                Row::Host(host, check) => {
                    let slot = &mut self.hosts[host];
                    slot.waiting[check] = false;
                    let stale = rules::check::is_stale(&slot.view.checks[check], &self.policy, at);
                    if slot.view.checks[check].stale != stale {
                        Arc::make_mut(&mut slot.view).checks[check].stale = stale;
                        self.judge_host(at, host, effects);
                    }
                }
                Row::Verdict(host) => {
                    self.hosts[host].awaited = false;
                    self.judge_host(at, host, effects);
                    continue;
                }
                Row::Job(job) => {
                    let slot = &mut self.jobs[job];
                    slot.waiting = false;
                    if let Some(check) = &mut slot.check {
                        check.stale = rules::check::is_stale(check, &self.policy, at);
                    }
                    let is_found = slot.check.as_ref().is_some_and(|check| check.restored);
                    self.judge_job(at, job, is_found, effects);
                    let slot = &mut self.jobs[job];
                    // A review that asks for itself again at once would spin.
                    if slot.view.review_at.is_some_and(|review| review <= at) {
                        Arc::make_mut(&mut slot.view).review_at = None;
                    }
                }
            }
            if !self.is_stale(row) {
                self.watch_deadline(row);
            }
        }
    }

    fn is_stale(&self, row: Row) -> bool {
        match row {
            Row::Host(host, check) => self.hosts[host].view.checks[check].stale,
            // A stale report still ages towards its recovery point objective.
            Row::Job(job) => self.jobs[job].view.review_at.is_none(),
            Row::Verdict(host) => !self.hosts[host].lineage.waits,
        }
    }

    fn take_inventory(&mut self, at: Timestamp, inventory: Arc<Inventory>, effects: &mut Vec<Effect>) {
        let was: Vec<Arc<HostView>> = self.hosts.iter().map(|slot| slot.view.clone()).collect();
        let old_hosts: HashMap<AssetId, HostSlot> =
            self.hosts.drain(..).map(|slot| (slot.view.host.id.clone(), slot)).collect();
        let old_jobs: HashMap<AssetId, JobSlot> =
            self.jobs.drain(..).map(|slot| (slot.view.job.id.clone(), slot)).collect();
        self.host_rows.clear();
        self.checks.clear();
        self.deadlines.clear();
        for (row, host) in inventory.hosts.iter().enumerate() {
            self.host_rows.insert(host.id.clone(), row);
        }
        let mut specs: HashMap<&Subject, Vec<&Arc<CheckSpec>>> = HashMap::new();
        for spec in &inventory.checks {
            specs.entry(&spec.key.subject).or_default().push(spec);
        }
        for host in &inventory.hosts {
            let old = old_hosts.get(&host.id);
            let mine = specs.remove(&Subject::Host(host.id.clone())).unwrap_or_default();
            let row = self.hosts.len();
            let mut checks = Vec::with_capacity(mine.len());
            for (index, spec) in mine.into_iter().enumerate() {
                self.checks.insert(spec.key.clone(), Row::Host(row, index));
                let known = old.and_then(|o| o.view.checks.iter().find(|c| c.spec.key == spec.key));
                checks.push(continued(spec, known, at));
            }
            let waiting = vec![false; checks.len()];
            let limits = |check: &CheckView| {
                let key = &check.spec.key;
                Some(Gauges::new(key, inventory.thresholds.get(key)?, old.map(|o| o.gauges.as_slice())))
            };
            let gauges =
                if inventory.thresholds.is_empty() { Vec::new() } else { checks.iter().filter_map(limits).collect() };
            // A course goes on where the check that tells it is still there.
            let course = old.and_then(|o| {
                let key = &o.view.checks.get(o.course?)?.spec.key;
                checks.iter().position(|check| check.spec.key == *key)
            });
            let trail = old.filter(|_| course.is_some()).map(|o| o.view.trail.clone());
            let view = HostView { trail: trail.unwrap_or_default(), ..carried_on(host, old, checks, at) };
            let old_told = old.map(|o| o.told.clone()).unwrap_or_default();
            let (parents, redundancy) = self.parent_rows(host);
            self.hosts.push(HostSlot {
                machines: still_told(old, &view.checks),
                view: Arc::new(view),
                device: old.and_then(|o| o.device.clone()),
                parents,
                redundancy,
                children: Vec::new(),
                down: old.is_some_and(|o| o.down),
                lineage: old.map(|o| o.lineage.clone()).unwrap_or_default(),
                waiting,
                flappers: 0,
                claimed: false,
                wanting: old.is_some_and(|o| o.wanting),
                active: old.map(|o| o.active.clone()).unwrap_or_default(),
                vote: old.map(|o| o.vote).unwrap_or_default(),
                gauges,
                course,
                alarmed: old.is_some_and(|o| o.alarmed),
                awaited: false,
                told: old_told,
                // The next walks find them again.
                losers: Vec::new(),
                ends: Vec::new(),
            });
        }
        for row in 0..self.hosts.len() {
            for parent in self.hosts[row].parents.clone() {
                self.hosts[parent].children.push(row);
            }
        }
        for job in &inventory.jobs {
            let row = self.jobs.len();
            let mine = specs.remove(&Subject::Job(job.id.clone())).unwrap_or_default();
            let old = old_jobs.get(&job.id);
            let check = mine.first().map(|spec| {
                self.checks.insert(spec.key.clone(), Row::Job(row));
                continued(spec, old.and_then(|o| o.check.as_ref()), at)
            });
            self.jobs.push(JobSlot::continued(job, old, check, Now { at, ahead: self.ahead }));
        }
        for remark in &inventory.remarks {
            if !self.remarks.contains(remark) {
                self.remarks.push(remark.clone());
            }
        }
        self.resume_inferences(&inventory);
        self.count_voters();
        self.upkeep.configure(&inventory.maintenance);
        self.inventory = inventory;
        self.compare_configurations(at, &was, effects);
        self.claim_restored(at, effects);
        self.review_upkeep(at, effects);
        self.rejudge_all(at, effects);
    }

    /// The rows of a host's parents, and how many of them in a row are one redundancy group.
    fn parent_rows(&self, host: &Host) -> (Vec<usize>, Vec<usize>) {
        let mut parents: Vec<usize> = Vec::with_capacity(host.parents.len());
        let mut redundancy = Vec::with_capacity(host.redundancy.len());
        for group in host.parent_groups() {
            let before = parents.len();
            parents.extend(group.iter().filter_map(|parent| self.host_rows.get(parent).copied()));
            redundancy.extend(Some(parents.len() - before).filter(|size| *size > 0));
        }
        (parents, redundancy)
    }

    fn rejudge_all(&mut self, at: Timestamp, effects: &mut Vec<Effect>) {
        let claimed: HashSet<AssetId> = self.desk.acks().keys().map(|target| target.asset().clone()).collect();
        for row in 0..self.hosts.len() {
            let slot = &mut self.hosts[row];
            slot.flappers = slot.view.checks.iter().filter(|check| check.flap.flapping).count();
            slot.claimed = claimed.contains(&slot.view.host.id);
        }
        for row in self.parents_first() {
            self.show_claims(row);
            for check in 0..self.hosts[row].view.checks.len() {
                self.watch_deadline(Row::Host(row, check));
            }
            self.judge_host(at, row, effects);
        }
        for row in 0..self.jobs.len() {
            self.watch_deadline(Row::Job(row));
            let slot = &mut self.jobs[row];
            slot.claimed = claimed.contains(&slot.view.job.id);
            self.settle_job(at, row, effects);
            self.tell_job(row, effects);
        }
    }

    /// Whether a neighbor of `row` is another host whose ports are walked.
    fn is_other_device(&self, row: usize, neighbor: &Neighbor) -> bool {
        self.identities.find(neighbor.into()).is_some_and(|found| found != row && self.hosts[found].device.is_some())
    }

    /// Every host, what it hangs on before it.
    fn parents_first(&self) -> Vec<usize> {
        let mut above: Vec<usize> = self.hosts.iter().map(|slot| slot.parents.len()).collect();
        let mut order: Vec<usize> = (0..above.len()).filter(|row| above[*row] == 0).collect();
        let mut next = 0;
        while let Some(row) = order.get(next).copied() {
            next += 1;
            for child in self.hosts[row].children.iter().copied() {
                above[child] = above[child].saturating_sub(1);
                if above[child] == 0 {
                    order.push(child);
                }
            }
        }
        // Cyclic parents are refused when a configuration is read.
        order.extend((0..above.len()).filter(|row| above[*row] > 0));
        order
    }

    fn notified(&mut self, told: Notification, effects: &mut Vec<Effect>) {
        // The host left the inventory meanwhile.
        let Some(row) = self.host_rows.get(&told.host) else { return };
        effects.push(Effect::Look(told.host.clone()));
        let port = told.if_index.and_then(|index| {
            let ports = &self.hosts[*row].device.as_deref()?.table.ports;
            ports.iter().find(|port| port.index == index).map(|port| port.label().clone())
        });
        let view = Arc::new(NotificationView { told, port });
        self.notifications.take(view.clone());
        effects.push(Effect::Log(Logged::Told(view)));
    }

    fn entry_saved(&mut self, entry: Arc<Entry>) {
        let Some(incident) = self.incidents.iter_mut().find(|i| i.id == entry.incident) else { return };
        if incident.entries.iter().any(|e| e.id == entry.id) {
            return;
        }
        let incident = Arc::make_mut(incident);
        incident.entries.push(entry);
        // Ids grow in the order of saving, whatever the clock says.
        incident.entries.sort_by(|a, b| a.id.cmp(&b.id));
    }

    fn sort_incidents(&mut self) {
        self.incidents.sort_by_key(|i| Reverse(i.id));
    }
}

/// A check's view under a new inventory: what was known of it stays.
fn continued(spec: &Arc<CheckSpec>, known: Option<&CheckView>, at: Timestamp) -> CheckView {
    known.map_or_else(|| rules::check::fresh(spec, at), |known| CheckView { spec: spec.clone(), ..known.clone() })
}

/// What a host was told to be by checks that are still there.
fn still_told(old: Option<&HostSlot>, checks: &[CheckView]) -> Vec<(Arc<str>, Machine)> {
    let is_there = |name: &Arc<str>| checks.iter().any(|check| check.spec.key.name == *name);
    old.into_iter().flat_map(|old| &old.machines).filter(|(name, _)| is_there(name)).cloned().collect()
}

/// A host's view under a new inventory: what was known of it stays, but for its trail.
fn carried_on(host: &Arc<Host>, old: Option<&HostSlot>, checks: Vec<CheckView>, at: Timestamp) -> HostView {
    HostView {
        host: host.clone(),
        condition: old.map_or(Condition::Pending, |o| o.view.condition),
        since: old.map_or(at, |o| o.view.since),
        reason: old.map(|o| o.view.reason.clone()).unwrap_or_default(),
        checks,
        last_seen: old.and_then(|o| o.view.last_seen),
        stale: false,
        behind: old.and_then(|o| o.view.behind.clone()),
        trail: Arc::default(),
        care: old.map(|o| o.view.care.clone()).unwrap_or_default(),
    }
}

/// Something came back, whether that proves life or not: it is as fresh as ever.
fn is_heard(observation: &Observation) -> bool {
    let Reading { outcome, facts, .. } = &observation.reading;
    matches!(outcome, Outcome::Ok | Outcome::Warning) || rules::life::tells(facts)
}

fn push_trail(view: &mut HostView, value: f64) {
    let skip = (view.trail.len() + 1).saturating_sub(TRAIL);
    view.trail = view.trail.iter().copied().skip(skip).chain([value as f32]).collect();
}

#[cfg(test)]
mod tests;
