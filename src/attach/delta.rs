//! A snapshot as the difference to the one that the other side has. What is shared with it costs nothing: hosts, devices,
//! jobs, problems, incidents and notifications are told by what stays, what differs and what is new.
//!
//! ```text
//! revision, at, totals, engine, remarks, thirteen lists (see [`super::steps`]), how much of them is still to come
//! ```
//!
//! A message has about as much room as its line carries in a moment. What finds none stays as it was, or is not there yet and
//! is counted ([`Awaited`]), and comes with the next: the worst problems first, then what is in view, then the hosts and jobs that the
//! problems are about, then all others in turn, devices last. The sender knows what the receiver has. Sessions are not told: each
//! console has its own.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::ops::Deref;
use std::sync::Arc;

use super::steps::{self, Rank, Share};
use super::wire::{Malformed, Reader, Wire};
use crate::bus::InView;
use crate::model::{Acknowledgement, AssetId, Condition, Target};
use crate::state::{Awaited, DeviceView, EngineView, HostView, JobView, Link, Problem, ProblemKind, Snapshot};

/// The most that is put into one message, the last device apart: that is not cut in two.
pub const MOST_ROOM: usize = 1024 * 1024;
/// More than a screen has, of either.
const MOST_OPENED: usize = 4;
const MOST_ROWS: usize = 300;
/// No list gets a lesser part of a message: what people write does not wait behind ten thousand hosts.
const LEAST_PART: usize = 16;

/// What one receiver has, what its screen shows, and where the next message to it goes on.
#[derive(Debug, Default)]
pub struct Telling {
    pub has: Snapshot,
    in_view: Arc<Watched>,
    turns: Turns,
}

/// What is in view, to be looked up.
#[derive(Debug, Default)]
pub struct Watched {
    /// As a whole.
    opened: HashSet<AssetId>,
    all: HashSet<AssetId>,
}

impl From<InView> for Watched {
    fn from(InView { mut opened, rows }: InView) -> Self {
        opened.truncate(MOST_OPENED);
        let opened: HashSet<_> = opened.into_iter().collect();
        let all = rows.into_iter().take(MOST_ROWS).chain(opened.iter().cloned()).collect();
        Self { opened, all }
    }
}

/// Where the last message ended in each list that may be long.
#[derive(Debug, Default)]
struct Turns {
    problems: usize,
    hosts: usize,
    jobs: usize,
    consequences: usize,
    devices: usize,
}

impl Telling {
    /// What is in view from now on.
    pub fn look(&mut self, in_view: Arc<Watched>) {
        self.in_view = in_view;
    }

    /// Appends what makes `now` of what the other side has, in about so many bytes; whether that is all of it.
    pub fn put(&mut self, now: &Snapshot, room: usize, out: &mut Vec<u8>) -> bool {
        let Snapshot {
            revision,
            at,
            hosts,
            devices,
            jobs,
            problems,
            consequences,
            incidents,
            sessions: _,
            totals,
            engine,
            remarks,
            notifications,
            maintenance,
            acks,
            deeds,
            transitions,
            changes,
            faults,
            awaited: _,
        } = now;
        let (before, turns, in_view) = (&self.has, &mut self.turns, &*self.in_view);
        revision.put(Some(&before.revision), out);
        // The one before may be no moment at all.
        at.put(None, out);
        totals.put(Some(&before.totals), out);
        put_engine(engine, &before.engine, out);
        remarks.put(Some(&before.remarks), out);
        let mut lists = Lists { room: room / 2, least: room / LEAST_PART, begun: out.len(), whole: true, out };
        let new_first = |_: &Problem, old: Option<&Problem>| if old.is_none() { Rank::News } else { Rank::InTurn };
        let problems = lists.put(problems, &before.problems, problem, new_first, &mut turns.problems);
        // One that is looked at goes before hosts that are not.
        let opened = owed(devices, &before.devices, in_view);
        lists.room = room.saturating_sub(opened).max(room / 4);
        // What has a row or a problem goes first when it comes and when it changes its condition; after that it has its turn as all
        // have.
        let affected: HashSet<_> = problems.iter().map(|problem| &problem.asset).collect();
        let rank = |id: &AssetId, now: Condition, old: Option<Condition>| {
            let is_news = old != Some(now);
            if in_view.opened.contains(id) || (is_news && in_view.all.contains(id)) {
                Rank::InView
            } else if is_news && affected.contains(id) {
                Rank::News
            } else {
                Rank::InTurn
            }
        };
        let host = |h: &Arc<HostView>, old: Option<&Arc<HostView>>| {
            rank(&h.host.id, h.condition, old.map(|old| old.condition))
        };
        let job =
            |j: &Arc<JobView>, old: Option<&Arc<JobView>>| rank(&j.job.id, j.condition, old.map(|old| old.condition));
        let looked_at = |one: &Problem, old: Option<&Problem>| {
            if old.is_none() && in_view.all.contains(&one.asset) { Rank::InView } else { Rank::InTurn }
        };
        let has_hosts = lists.put(hosts, &before.hosts, |h| &h.host.id, host, &mut turns.hosts);
        let all_hosts = has_hosts.len() == hosts.len();
        let has = Snapshot {
            hosts: has_hosts,
            jobs: lists.put(jobs, &before.jobs, |j| &j.job.id, job, &mut turns.jobs),
            incidents: lists.short(incidents, &before.incidents, |incident| incident.id),
            maintenance: lists.short(maintenance, &before.maintenance, |order| &order.id),
            acks: lists.acks(acks, &before.acks),
            deeds: lists.short(deeds, &before.deeds, |entry| &entry.id),
            consequences: lists.put(consequences, &before.consequences, problem, looked_at, &mut turns.consequences),
            transitions: lists.short(transitions, &before.transitions, Arc::as_ptr),
            changes: lists.short(changes, &before.changes, Arc::as_ptr),
            notifications: lists.short(notifications, &before.notifications, Arc::as_ptr),
            faults: lists.short(faults, &before.faults, Arc::as_ptr),
            devices: {
                // One device is as long as many hosts: before all of those are there only what is looked at has its turn.
                turns.devices = if all_hosts { turns.devices } else { usize::MAX };
                lists.room = room;
                lists.put(devices, &before.devices, |d| &d.host.id, |d, _| in_view.device(d), &mut turns.devices)
            },
            problems: problems.clone(),
            ..now.clone()
        };
        let whole = lists.whole;
        let awaited = awaited(now, &has);
        awaited.put(Some(&before.awaited), out);
        self.has = Snapshot { awaited, ..has };
        whole
    }
}

impl Watched {
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.all.len()
    }

    fn device(&self, device: &DeviceView) -> Rank {
        if self.opened.contains(&device.host.id) { Rank::InView } else { Rank::InTurn }
    }
}

/// How many bytes the other side is owed of the devices that it looks at.
fn owed(now: &[Arc<DeviceView>], before: &[Arc<DeviceView>], in_view: &Watched) -> usize {
    if in_view.opened.is_empty() {
        return 0;
    }
    let mut bytes = Vec::new();
    for device in now.iter().filter(|device| in_view.device(device) == Rank::InView) {
        let old = before.iter().find(|old| old.host.id == device.host.id);
        if !old.is_some_and(|old| device.same(old)) {
            device.put(old, &mut bytes);
        }
    }
    bytes.len()
}

/// The lists of a message, one after the other.
struct Lists<'o> {
    room: usize,
    /// What a list gets where the others have taken all.
    least: usize,
    begun: usize,
    /// Nothing was left out so far.
    whole: bool,
    out: &'o mut Vec<u8>,
}

impl Lists<'_> {
    /// Appends as much of a list as there is room for; what the other side has of it then.
    fn put<'a, T, L, K>(
        &mut self,
        now: &'a L,
        before: &'a L,
        key: impl Fn(&'a T) -> K,
        rank: impl Fn(&T, Option<&T>) -> Rank,
        turn: &mut usize,
    ) -> L
    where
        T: Wire + Clone + 'a,
        L: Deref<Target = [T]> + Clone + From<Vec<T>>,
        K: Eq + Hash,
    {
        let left = self.room.saturating_sub(self.out.len() - self.begun);
        let share = Share { room: left.max(self.least), from: *turn, rank: &rank };
        let told = steps::put(now, before, key, &share, self.out);
        *turn = told.next;
        self.whole &= told.has.is_none();
        told.has.map_or_else(|| now.clone(), L::from)
    }

    /// One whose first matter most.
    fn short<'a, T, L, K>(&mut self, now: &'a L, before: &'a L, key: impl Fn(&'a T) -> K) -> L
    where
        T: Wire + Clone + 'a,
        L: Deref<Target = [T]> + Clone + From<Vec<T>>,
        K: Eq + Hash,
    {
        self.put(now, before, key, |_, _| Rank::InTurn, &mut 0)
    }

    fn acks(&mut self, now: &Acks, before: &Acks) -> Acks {
        let (all, old) = (in_order(now), in_order(before));
        Arc::new(self.short(&all, &old, |(target, _)| target).into_iter().collect())
    }
}

/// What a problem is known by.
fn problem(one: &Problem) -> (ProblemKind, &Target) {
    (one.kind, &one.target)
}

type Acks = Arc<HashMap<Target, Arc<Acknowledgement>>>;

/// How much of `now` is not there yet.
fn awaited(now: &Snapshot, has: &Snapshot) -> Awaited {
    let lengths = |of: &Snapshot| {
        of.consequences.len()
            + of.notifications.len()
            + of.maintenance.len()
            + of.acks.len()
            + of.deeds.len()
            + of.transitions.len()
            + of.changes.len()
            + of.faults.len()
    };
    Awaited {
        problems: now.problems.len() - has.problems.len(),
        hosts: now.hosts.len() - has.hosts.len(),
        devices: now.devices.len() - has.devices.len(),
        jobs: now.jobs.len() - has.jobs.len(),
        incidents: now.incidents.len() - has.incidents.len(),
        others: lengths(now) - lengths(has),
    }
}

/// The inverse of [`Telling::put`]: the next snapshot.
///
/// # Errors
/// [`Malformed`].
pub fn take(before: &Snapshot, from: &mut Reader<'_>) -> Result<Snapshot, Malformed> {
    Ok(Snapshot {
        revision: Wire::take(Some(&before.revision), from)?,
        at: Wire::take(None, from)?,
        totals: Wire::take(Some(&before.totals), from)?,
        engine: take_engine(&before.engine, from)?,
        remarks: Wire::take(Some(&before.remarks), from)?,
        problems: steps::take(&before.problems, from)?.into(),
        hosts: steps::take(&before.hosts, from)?,
        jobs: steps::take(&before.jobs, from)?,
        incidents: steps::take(&before.incidents, from)?.into(),
        maintenance: steps::take(&before.maintenance, from)?.into(),
        acks: Arc::new(steps::take(&in_order(&before.acks), from)?.into_iter().collect()),
        deeds: steps::take(&before.deeds, from)?.into(),
        consequences: steps::take(&before.consequences, from)?.into(),
        transitions: steps::take(&before.transitions, from)?.into(),
        changes: steps::take(&before.changes, from)?.into(),
        notifications: steps::take(&before.notifications, from)?.into(),
        faults: steps::take(&before.faults, from)?.into(),
        devices: steps::take(&before.devices, from)?,
        awaited: Wire::take(Some(&before.awaited), from)?,
        sessions: Arc::from([]),
    })
}

/// The claims, in the same order on both sides.
fn in_order(acks: &Acks) -> Vec<(Target, Arc<Acknowledgement>)> {
    let mut list: Vec<_> = acks.iter().map(|(target, ack)| (target.clone(), ack.clone())).collect();
    list.sort_by(|(a, _), (b, _)| a.cmp(b));
    list
}

/// Where it stands with the receiver is the receiver's own affair.
fn put_engine(engine: &EngineView, before: &EngineView, out: &mut Vec<u8>) {
    let EngineView {
        mode,
        pause,
        storage,
        running,
        waiting,
        late,
        runs,
        faults,
        discovering,
        has_inventory,
        traps,
        watch,
        hosts_watched,
        channels,
        blind,
        link: _,
    } = engine;
    mode.put(None, out);
    pause.put(Some(&before.pause), out);
    storage.put(None, out);
    running.put(Some(&before.running), out);
    waiting.put(Some(&before.waiting), out);
    late.put(Some(&before.late), out);
    runs.put(Some(&before.runs), out);
    faults.put(Some(&before.faults), out);
    discovering.put(None, out);
    has_inventory.put(None, out);
    traps.put(Some(&before.traps), out);
    watch.put(Some(&before.watch), out);
    hosts_watched.put(Some(&before.hosts_watched), out);
    channels.put(Some(&before.channels), out);
    blind.put(Some(&before.blind), out);
}

fn take_engine(before: &EngineView, from: &mut Reader<'_>) -> Result<EngineView, Malformed> {
    Ok(EngineView {
        mode: Wire::take(None, from)?,
        pause: Wire::take(Some(&before.pause), from)?,
        storage: Wire::take(None, from)?,
        running: Wire::take(Some(&before.running), from)?,
        waiting: Wire::take(Some(&before.waiting), from)?,
        late: Wire::take(Some(&before.late), from)?,
        runs: Wire::take(Some(&before.runs), from)?,
        faults: Wire::take(Some(&before.faults), from)?,
        discovering: Wire::take(None, from)?,
        has_inventory: Wire::take(None, from)?,
        traps: Wire::take(Some(&before.traps), from)?,
        watch: Wire::take(Some(&before.watch), from)?,
        hosts_watched: Wire::take(Some(&before.hosts_watched), from)?,
        channels: Wire::take(Some(&before.channels), from)?,
        blind: Wire::take(Some(&before.blind), from)?,
        link: Link::default(),
    })
}
