//! What people do about problems: claims come in as a whole book, once they are on disk, and are held against what
//! happens since. A claim ends when its problem recovers, gets worse or the time is over; that is decided here and
//! written down by the engine. What cannot be judged at the moment ends nothing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::upkeep::{self, maintained};
use super::{HostSlot, State};
use crate::base::Timestamp;
use crate::model::{Acknowledgement, AssetId, CareBook, Condition, Entry, Release, Stickiness, Target};
use crate::state::event::Effect;
use crate::state::rules;

/// Link changes in an hour from which on a port that is up has not recovered.
const RESTLESS: usize = 6;

/// All claims, and what is needed to hold them.
#[derive(Debug, Default)]
pub struct Desk {
    held: HashMap<Target, Held>,
    /// Ended here, and not yet in the book that comes from the disk.
    ended: HashSet<Arc<str>>,
    /// When claims ended that left a problem behind.
    released: HashMap<Target, Timestamp>,
    published: Arc<HashMap<Target, Arc<Acknowledgement>>>,
    pub entries: Arc<[Arc<Entry>]>,
    /// When the next claim expires.
    pub expires: Option<Timestamp>,
}

#[derive(Debug)]
struct Held {
    ack: Arc<Acknowledgement>,
    /// How bad it was when it was claimed; `None` until that could be seen.
    worst: Option<Condition>,
    /// Of a host: the checks that were bad then.
    covered: Vec<Arc<str>>,
}

impl Desk {
    pub fn acks(&self) -> &Arc<HashMap<Target, Arc<Acknowledgement>>> {
        &self.published
    }

    /// Nothing is claimed, and nothing was.
    pub fn is_blank(&self) -> bool {
        self.held.is_empty() && self.released.is_empty()
    }

    /// Since when a problem has had no owner.
    pub fn unowned_since(&self, target: &Target, since: Timestamp) -> Timestamp {
        self.released.get(target).map_or(since, |released| since.max(*released))
    }

    fn publish(&mut self) {
        self.published = Arc::new(self.held.iter().map(|(target, held)| (target.clone(), held.ack.clone())).collect());
        self.expires = self.held.values().map(|held| held.ack.claim.until).min();
    }

    fn of(&self, asset: &AssetId) -> impl Iterator<Item = &Target> {
        self.held.keys().filter(move |target| target.asset() == asset)
    }

    fn end(&mut self, at: Timestamp, target: &Target, why: Release, effects: &mut Vec<Effect>) {
        let Some(held) = self.held.remove(target) else { return };
        self.ended.insert(held.ack.id.clone());
        if why == Release::Recovered {
            self.released.remove(target);
        } else {
            // It may have been over while nobody looked.
            self.released.insert(target.clone(), at.min(held.ack.claim.until));
        }
        effects.push(Effect::Release { target: target.clone(), claim: held.ack.id.clone(), why });
    }
}

/// How a claimed thing stands, and which checks of a host are bad.
struct Standing {
    condition: Condition,
    bad: Vec<Arc<str>>,
}

impl Held {
    /// Why the claim ends now, if it does.
    fn ends(&mut self, at: Timestamp, standing: Option<Standing>) -> Option<Release> {
        if at >= self.ack.claim.until {
            return Some(Release::Expired);
        }
        let standing = standing?;
        if !standing.condition.is_problem() {
            return Some(Release::Recovered);
        }
        let Some(worst) = self.worst else {
            (self.worst, self.covered) = (Some(standing.condition), standing.bad);
            return None;
        };
        if self.covered.is_empty() {
            self.covered.clone_from(&standing.bad);
        }
        let another = standing.bad.iter().any(|check| !self.covered.contains(check));
        let worse = standing.condition > worst || another;
        (worse && self.ack.claim.stickiness == Stickiness::EndsOnWorsening).then_some(Release::Worsened)
    }
}

impl State {
    /// All that is on disk. What this run has ended itself stays ended.
    pub(super) fn take_care(&mut self, at: Timestamp, book: CareBook, effects: &mut Vec<Effect>) {
        let there: HashSet<&Arc<str>> = book.acks.iter().map(|ack| &ack.id).collect();
        self.desk.ended.retain(|id| there.contains(id));
        let mut old = std::mem::take(&mut self.desk.held);
        let mut touched: HashSet<AssetId> = HashSet::new();
        for ack in &book.acks {
            if self.desk.ended.contains(&ack.id) {
                continue;
            }
            let target = ack.claim.target.clone();
            let held = match old.remove(&target) {
                Some(held) if held.ack.id == ack.id => held,
                _ => {
                    touched.insert(target.asset().clone());
                    Held { ack: ack.clone(), worst: ack.claim.condition, covered: Vec::new() }
                }
            };
            self.desk.held.insert(target, held);
        }
        for target in old.into_keys() {
            touched.insert(target.asset().clone());
            self.desk.released.insert(target, at);
        }
        // What this run has seen itself it knows better.
        for (target, when) in book.released {
            if !self.desk.held.contains_key(&target) && !self.desk.released.contains_key(&target) {
                touched.insert(target.asset().clone());
                self.desk.released.insert(target, when.min(at));
            }
        }
        self.desk.entries = book.entries;
        self.desk.publish();
        self.upkeep.order(book.maintenance);
        self.review_upkeep(at, effects);
        for asset in touched {
            self.reconsider(at, &asset, effects);
        }
    }

    /// Claims whose time is over.
    pub(super) fn expire_claims(&mut self, at: Timestamp, effects: &mut Vec<Effect>) {
        let over = self.desk.held.iter().filter(|(_, held)| at >= held.ack.claim.until);
        let over: Vec<Target> = over.map(|(target, _)| target.clone()).collect();
        for target in over {
            self.desk.end(at, &target, Release::Expired, effects);
            self.desk.publish();
            let asset = target.asset().clone();
            self.reconsider(at, &asset, effects);
        }
    }

    /// After the claims on it changed, or the inventory.
    pub(super) fn reconsider(&mut self, at: Timestamp, asset: &AssetId, effects: &mut Vec<Effect>) {
        if let Some(&row) = self.host_rows.get(asset) {
            self.hosts[row].claimed = self.desk.of(asset).next().is_some();
            self.show_claims(row);
            self.judge_host(at, row, effects);
        }
        if let Some(row) = self.jobs.iter().position(|slot| slot.view.job.id == *asset) {
            self.jobs[row].claimed = self.desk.of(asset).next().is_some();
            self.settle_job(at, row, effects);
        }
    }

    /// Ends the claims on a host, its checks and its ports that are over.
    pub(super) fn review_claims(&mut self, at: Timestamp, asset: &AssetId, effects: &mut Vec<Effect>) -> bool {
        let targets: Vec<Target> = self.desk.of(asset).cloned().collect();
        let mut ended = false;
        for target in targets {
            let standing = self.standing_of(&target);
            let why = self.desk.held.get_mut(&target).and_then(|held| held.ends(at, standing));
            if let Some(why) = why {
                self.desk.end(at, &target, why, effects);
                ended = true;
            }
        }
        if ended {
            self.desk.publish();
        }
        ended
    }

    /// How bad a thing is that somebody is about to claim; `None` where that cannot be told, or it is no problem.
    pub fn condition_of(&self, target: &Target) -> Option<Condition> {
        self.standing_of(target).map(|standing| standing.condition).filter(|condition| condition.is_problem())
    }

    /// How a thing stands by what was seen of it in this run; `None` where nothing can be said about it at the moment.
    pub fn stands(&self, target: &Target) -> Option<Condition> {
        let of_before = |id: &AssetId| {
            let slot = self.jobs.iter().find(|slot| slot.view.job.id == *id);
            slot.and_then(|slot| slot.view.check.as_ref()).is_some_and(|check| check.restored)
        };
        if matches!(target, Target::Job(id) if of_before(id)) {
            return None;
        }
        self.standing_of(target).map(|standing| standing.condition)
    }

    /// `None` where nothing can be said about it at the moment.
    fn standing_of(&self, target: &Target) -> Option<Standing> {
        let host = |id| self.host_rows.get(id).map(|row| &self.hosts[*row]);
        let plain = |condition| Some(Standing { condition, bad: Vec::new() });
        match target {
            Target::Host(id) => standing_of_host(host(id)?),
            Target::Check(key) => {
                let slot = host(key.subject.id())?;
                let check = slot.view.checks.iter().find(|check| check.spec.key == *key)?;
                let open = slot.down || slot.lineage.waits || slot.lineage.wavering.is_some();
                let restless = check.flap.flapping && check.condition == Condition::Ok;
                if open || check.stale || check.restored || restless || check.condition == Condition::Pending {
                    return None;
                }
                plain(check.condition)
            }
            Target::Port(id, key) => {
                let device = host(id)?.device.as_ref().filter(|device| !device.stale)?;
                let port = &device.ports[device.row(key)?];
                let restless = port.condition == Condition::Ok && port.flaps.len() >= RESTLESS;
                if restless { None } else { plain(port.condition) }
            }
            Target::Device(id) => {
                let device = host(id)?.device.as_ref().filter(|device| !device.stale)?;
                let worst = device.firm_findings().map(|finding| finding.condition).max();
                let bad = device.firm_findings().map(|finding| Arc::from(&*finding.what)).collect();
                Some(Standing { condition: worst.unwrap_or(Condition::Ok), bad })
            }
            Target::GonePorts(id) => {
                let device = host(id)?.device.as_ref().filter(|device| !device.stale)?;
                plain(if device.missing.is_some() { Condition::Critical } else { Condition::Ok })
            }
            Target::Job(id) => {
                let view = &self.jobs.iter().find(|slot| slot.view.job.id == *id)?.view;
                if view.stale || matches!(view.condition, Condition::Pending | Condition::NotProbed) {
                    return None;
                }
                plain(view.condition)
            }
        }
    }

    /// Writes the claims on a host's checks into their views.
    pub(super) fn show_claims(&mut self, row: usize) {
        let slot = &mut self.hosts[row];
        if !slot.claimed && slot.view.checks.iter().all(|check| check.ack.is_none()) {
            return;
        }
        let acks = self.desk.acks();
        for check in &mut Arc::make_mut(&mut slot.view).checks {
            check.ack = acks.get(&Target::Check(check.spec.key.clone())).cloned();
        }
    }

    /// The claim that covers what is wrong with a host: its own, else the first of its checks' where each bad one has one.
    pub(super) fn owner_of(&self, row: usize) -> Option<Arc<Acknowledgement>> {
        let slot = &self.hosts[row];
        if !slot.claimed {
            return None;
        }
        if let Some(ack) = self.desk.acks().get(&Target::Host(slot.view.host.id.clone())) {
            return Some(ack.clone());
        }
        let mut bad = slot.view.checks.iter().filter(|check| check.condition.is_problem()).peekable();
        let first = bad.peek()?.ack.clone()?;
        bad.all(|check| check.ack.is_some()).then_some(first)
    }

    /// A job's claim, and whether it needs an owner.
    pub(super) fn settle_job(&mut self, at: Timestamp, row: usize, effects: &mut Vec<Effect>) {
        let id = self.jobs[row].view.job.id.clone();
        if self.jobs[row].claimed && self.review_claims(at, &id, effects) {
            self.jobs[row].claimed = false;
        }
        let slot = &mut self.jobs[row];
        let target = Target::Job(id);
        let ack = if slot.claimed { self.desk.acks().get(&target).cloned() } else { None };
        let standing = (slot.view.condition, slot.view.since);
        let maintenance = maintained(&mut slot.active, slot.view.care.maintenance.as_ref(), standing, at);
        let wanted = slot.view.condition.is_problem() && ack.is_none() && maintenance.is_none();
        let care = &slot.view.care;
        let unowned_since = match &care.maintenance {
            _ if !wanted => None,
            // Since the window is over.
            Some(_) => Some(at),
            None => Some(care.unowned_since.unwrap_or_else(|| self.desk.unowned_since(&target, slot.view.since))),
        };
        if care.ack != ack || care.maintenance != maintenance || care.unowned_since != unowned_since {
            let care = &mut Arc::make_mut(&mut slot.view).care;
            (care.ack, care.maintenance, care.unowned_since) = (ack, maintenance, unowned_since);
        }
        let end = upkeep::ends(&slot.active, at);
        self.upkeep.next = self.upkeep.next.into_iter().chain(end).min();
    }
}

fn standing_of_host(slot: &HostSlot) -> Option<Standing> {
    let view = &slot.view;
    if view.stale || slot.lineage.waits || !rules::host::is_heard(view) {
        return None;
    }
    let condition = if slot.flappers > 0 { rules::host::steady(view)? } else { view.condition };
    if matches!(condition, Condition::Pending | Condition::Unreachable | Condition::NotProbed) {
        return None;
    }
    // What else fails while the host is down follows from that.
    let bad = view.checks.iter().filter(|check| !slot.down && check.condition.is_problem() && !check.flap.flapping);
    Some(Standing { condition, bad: bad.map(|check| check.spec.key.name.clone()).collect() })
}

#[cfg(test)]
mod tests;
