//! When which check runs: pure, time is an argument. One run in flight per check, a budget per target and per
//! lane, a phase of its own for each check so that equal intervals do not beat together, skip and count instead
//! of stacking when late. Or, for a collector that is told how often: in rounds, each check once a round.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::base::Timestamp;
use crate::model::{AssetId, CheckKey, CheckSpec, Observation, Subject};
use crate::state::Pace;

/// What a run occupies while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Shares a socket with thousands of others.
    Shared,
    /// Opens a socket of its own.
    Socket,
    /// Starts child programs.
    Process,
    /// Starts a child program that is small and mostly waits for its network.
    Plugin,
}

impl Lane {
    /// How many may run at once.
    const fn limit(self) -> usize {
        match self {
            Self::Shared => 20_000,
            Self::Socket => 512,
            Self::Process => 4,
            Self::Plugin => 64,
        }
    }

    fn of(kind: &str) -> Self {
        match kind {
            "icmp" | "snmp" | "ports" => Self::Shared,
            "local" | "restic" | "borg" => Self::Process,
            "plugin" => Self::Plugin,
            _ => Self::Socket,
        }
    }
}

/// How many checks of one target may run at once, beside those that decide whether it is reachable.
const PER_TARGET: usize = 4;
/// Beginning later than this counts as late.
const LATE: Duration = Duration::from_secs(1);
/// Checks with a pace of their own begin within this time.
const FIRST_JITTER: Duration = Duration::from_secs(8);
/// A focused target is looked at this much more often, but not faster than [`FOCUS_FLOOR`].
const FOCUS_FACTOR: u32 = 3;
const FOCUS_FLOOR: Duration = Duration::from_secs(5);
/// A check that is watched runs this often, in a steady rhythm.
pub const WATCHED_EVERY: Duration = Duration::from_secs(1);
/// So many that something is wrong with are looked at more often; with more of them it is an outage, and more load helps
/// nobody.
const MOST_ALARMED: usize = 200;
/// Of a lane's places those that may be taken by checks whose last run used up its time: what does not answer never costs
/// what does its turn.
const SLOW_SHARE: usize = 3;
const SLOW_OF: usize = 4;
/// Rounds whose durations are remembered.
const ROUNDS_KEPT: usize = 1_000;
/// A device that tells something all the time is asked no more often than this.
const NUDGE_GAP: Duration = Duration::from_secs(5);
/// And many devices that tell something at once are asked one after the other.
const NUDGE_PACE: Duration = Duration::from_millis(10);

/// A run that began: which entry's, of which of the loaded sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    row: usize,
    load: u64,
}

impl Turn {
    /// The place of the check among those that were loaded.
    pub fn row(self) -> usize {
        self.row
    }
}

#[derive(Debug, Default)]
pub struct Schedule {
    entries: Vec<Entry>,
    /// How often checks were loaded.
    load: u64,
    rows: FxHashMap<CheckKey, usize>,
    due: BinaryHeap<Reverse<(Timestamp, usize, u64)>>,
    /// Due, but without a free place when they were.
    blocked: VecDeque<usize>,
    running: FxHashMap<Lane, usize>,
    /// Of those the ones that were slow when they began.
    slow: FxHashMap<Lane, usize>,
    /// Of each target, by the number that its entries have.
    per_target: Vec<usize>,
    focus: Option<AssetId>,
    watched: Option<(AssetId, Duration)>,
    watched_checks: HashSet<CheckKey>,
    /// Something is wrong with them: looked at as if they were focused.
    alarmed: HashSet<AssetId>,
    confirmed: HashSet<AssetId>,
    /// Told something while they ran.
    nudged: HashSet<usize>,
    /// When the next nudge may take effect.
    next_nudge: Timestamp,
    late: u64,
    runs: u64,
    rounds: Option<Rounds>,
}

/// Turns for all checks together instead of a rhythm for each.
#[derive(Debug)]
struct Rounds {
    /// Rounds that have not begun.
    left: u32,
    /// From the beginning of one to that of the next, at least.
    every: Duration,
    begun: Timestamp,
    /// How long the rounds took that are over, the last [`ROUNDS_KEPT`] of them.
    took: VecDeque<Duration>,
}

#[derive(Debug)]
struct Entry {
    spec: Arc<CheckSpec>,
    lane: Lane,
    /// Its place in what is counted by target.
    target: usize,
    /// When it is next due; an entry of the heap with another epoch is void.
    at: Timestamp,
    epoch: u64,
    last_start: Option<Timestamp>,
    /// From the begin of its last run to that of the next, at least; more than the interval where runs take that long.
    rest: Duration,
    running: bool,
    /// It was good for so long that it is asked less often.
    eased: bool,
    /// Wanted again while it ran.
    again: bool,
    /// Its last run took as long as it may.
    slow: bool,
}

impl Schedule {
    /// Each check `count` times, one round after the other, at least `every` apart. Nothing is asked again for being
    /// bad; what is never asked faster than its interval sits out a round that comes too soon.
    pub fn in_rounds(count: u32, every: Duration) -> Self {
        let rounds = Rounds { left: count, every, begun: Timestamp::default(), took: VecDeque::new() };
        Self { rounds: Some(rounds), ..Self::default() }
    }

    /// Takes a new set of checks. Those that were there keep their phase; `last` tells when a check last ran in
    /// an earlier life, so that a restart does not speed anything up.
    pub fn load(
        &mut self,
        specs: impl IntoIterator<Item = Arc<CheckSpec>>,
        now: Timestamp,
        last: impl Fn(&CheckKey) -> Option<Timestamp>,
    ) {
        self.load += 1;
        let old: HashMap<CheckKey, Entry> =
            self.entries.drain(..).map(|entry| (entry.spec.key.clone(), entry)).collect();
        self.rows.clear();
        self.due.clear();
        self.blocked.clear();
        self.running.clear();
        self.slow.clear();
        self.per_target.clear();
        self.nudged.clear();
        let specs: Vec<Arc<CheckSpec>> = specs.into_iter().collect();
        let spread = Duration::from_millis(specs.len() as u64 / 2);
        let mut old = old;
        let mut targets: HashMap<AssetId, usize> = HashMap::new();
        for spec in specs {
            let row = self.entries.len();
            let next = targets.len();
            let target = *targets.entry(spec.key.subject.id().clone()).or_insert(next);
            if target == next {
                self.per_target.push(0);
            }
            self.rows.insert(spec.key.clone(), row);
            let known = old.remove(&spec.key);
            let lane = Lane::of(&spec.kind);
            let (rest, running, eased, again) = (Duration::ZERO, false, false, false);
            let mut entry = Entry {
                lane,
                target,
                at: now,
                epoch: 0,
                last_start: None,
                rest,
                running,
                eased,
                again,
                slow: false,
                spec,
            };
            if let Some(known) = known {
                entry.epoch = known.epoch + 1;
                entry.last_start = known.last_start;
                entry.rest = known.rest;
                entry.eased = known.eased && entry.spec.eases;
                entry.running = known.running;
                entry.slow = known.slow;
                entry.at = known.at.min(now.plus(entry.spec.interval));
            } else {
                entry.last_start = last(&entry.spec.key);
                entry.at = first_due(&entry, now, spread);
            }
            if entry.running {
                *self.running.entry(lane).or_default() += 1;
                *self.slow.entry(lane).or_default() += usize::from(entry.slow);
                self.per_target[target] += 1;
            } else {
                self.due.push(Reverse((entry.at, row, entry.epoch)));
            }
            self.entries.push(entry);
        }
        if self.rounds.is_some() {
            self.due.clear();
            self.next_round(now);
        }
    }

    /// It runs a number of rounds, and ends.
    pub fn is_in_rounds(&self) -> bool {
        self.rounds.is_some()
    }

    /// All rounds have been run.
    pub fn is_over(&self) -> bool {
        self.rounds.as_ref().is_some_and(|rounds| rounds.left == 0) && self.is_quiet()
    }

    /// How long each of the last rounds took, oldest first.
    pub fn rounds_took(&self) -> Vec<Duration> {
        self.rounds.as_ref().map(|rounds| rounds.took.iter().copied().collect()).unwrap_or_default()
    }

    /// When [`Schedule::start_next`] may next have something; `None` while all run or wait for a place.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.peek().map(|Reverse((at, _, _))| *at)
    }

    /// The next check that is due and has a place; counts it as running.
    pub fn start_next(&mut self, now: Timestamp) -> Option<(Turn, Arc<CheckSpec>)> {
        while let Some(Reverse((at, row, epoch))) = self.due.peek().copied() {
            if at > now {
                return None;
            }
            self.due.pop();
            let entry = &self.entries[row];
            if entry.epoch != epoch || entry.running {
                continue;
            }
            if self.is_waiting_for_a_word(entry) {
                continue;
            }
            // After a suspend everything is due at once: spread it again instead of a herd.
            let lateness = now.since(at);
            if lateness > entry.spec.interval.max(Duration::from_secs(30)) && self.rounds.is_none() {
                let spread = entry.spec.interval.min(Duration::from_millis(self.entries.len() as u64));
                self.set_due(row, now.plus(phase(&self.entries[row].spec.key, spread)));
                continue;
            }
            if !self.has_place(row) {
                self.blocked.push_back(row);
                continue;
            }
            if lateness > LATE && self.rounds.is_none() {
                self.late += 1;
            }
            return Some((Turn { row, load: self.load }, self.begin(row, now)));
        }
        None
    }

    /// A run ended: its place is free and its next turn set. What it found stretches or restores the rhythm; `eased` says of
    /// a check that may be whether it is asked less often.
    pub fn ended(&mut self, turn: Turn, run: &Observation, eased: impl FnOnce() -> bool, now: Timestamp) {
        // The set it began in may have been replaced meanwhile.
        let row = if turn.load == self.load { Some(turn.row) } else { self.rows.get(&run.check).copied() };
        let Some(row) = row else { return };
        let entry = &mut self.entries[row];
        entry.rest = entry.spec.rest_after(run);
        entry.eased = entry.spec.eases && eased();
        self.finish(row, now);
    }

    fn finish(&mut self, row: usize, now: Timestamp) {
        let entry = &mut self.entries[row];
        if !entry.running {
            return;
        }
        entry.running = false;
        let lane = entry.lane;
        let slow = used_up(entry, now);
        let was_slow = std::mem::replace(&mut entry.slow, slow);
        if was_slow && let Some(n) = self.slow.get_mut(&lane) {
            *n = n.saturating_sub(1);
        }
        if let Some(n) = self.running.get_mut(&lane) {
            *n = n.saturating_sub(1);
        }
        let on_target = &mut self.per_target[self.entries[row].target];
        *on_target = on_target.saturating_sub(1);
        if self.rounds.is_none() {
            let next = self.next_turn(row, now);
            self.set_due(row, next);
            if std::mem::take(&mut self.entries[row].again) {
                self.ask_row(row, now, Duration::ZERO);
            }
        }
        if !self.nudged.is_empty() && self.nudged.remove(&row) {
            let target = self.entries[row].spec.key.subject.id().clone();
            self.nudge(&target, now);
        }
        // Whoever waited for a place tries again, in the order of arrival; a few, since one place is free.
        for _ in 0..self.blocked.len().min(8) {
            let Some(row) = self.blocked.pop_front() else { break };
            let at = self.entries[row].at;
            self.set_due(row, at);
        }
        if self.rounds.is_some() && self.is_quiet() {
            self.end_round(now);
        }
    }

    /// The problem is soft: look again after the retry interval, unless the check has a pace of its own.
    pub fn retry(&mut self, key: &CheckKey, now: Timestamp) {
        let Some(&row) = self.rows.get(key) else { return };
        let spec = &self.entries[row].spec;
        if !spec.fixed_pace && !self.entries[row].running && self.rounds.is_none() {
            let entry = &self.entries[row];
            let rested = entry.last_start.map_or(now, |start| start.plus(entry.rest));
            let soon = now.plus(spec.retry_interval).max(rested);
            if soon < self.entries[row].at {
                self.set_due(row, soon);
            }
        }
    }

    /// It matters for others what it says now: look within `spread`, but not sooner after the last look than the retry
    /// interval, however many ask.
    pub fn ask(&mut self, key: &CheckKey, now: Timestamp, spread: Duration) {
        if let Some(&row) = self.rows.get(key) {
            self.ask_row(row, now, spread);
        }
    }

    fn ask_row(&mut self, row: usize, now: Timestamp, spread: Duration) {
        let entry = &mut self.entries[row];
        if entry.spec.fixed_pace || self.rounds.is_some() {
            return;
        }
        if entry.running {
            entry.again = true;
            return;
        }
        let rested = entry.last_start.map_or(now, |start| start.plus(entry.spec.retry_interval));
        let soon = now.plus(phase(&entry.spec.key, spread)).max(rested);
        if soon < entry.at {
            self.set_due(row, soon);
        }
    }

    /// The operator wants to see it now; false where the pace does not allow it for any check.
    pub fn hurry(&mut self, asset: &AssetId, now: Timestamp) -> bool {
        let mut any = false;
        for row in 0..self.entries.len() {
            let entry = &self.entries[row];
            if entry.spec.key.subject.id() != asset || entry.running {
                continue;
            }
            if entry.spec.fixed_pace && entry.last_start.is_some() {
                continue;
            }
            self.set_due(row, now);
            any = true;
        }
        any
    }

    /// A device told something by itself: its SNMP checks come next, not sooner than five seconds after their last start,
    /// and a hundred a second where many devices tell something at once. Told again, nothing is added.
    pub fn nudge(&mut self, asset: &AssetId, now: Timestamp) {
        if self.rounds.is_some() {
            return;
        }
        for name in ["snmp", "ports"] {
            let key = CheckKey { subject: Subject::Host(asset.clone()), name: name.into() };
            let Some(&row) = self.rows.get(&key) else { continue };
            let entry = &self.entries[row];
            let rested = entry.last_start.map_or(now, |start| start.plus(NUDGE_GAP.max(entry.rest)).max(now));
            let at = rested.max(self.next_nudge);
            if entry.running {
                // What it has read may be older than what was told.
                self.nudged.insert(row);
            } else if at < entry.at {
                self.set_due(row, at);
                self.next_nudge = self.next_nudge.max(now).plus(NUDGE_PACE);
            }
        }
    }

    /// A check with a pace of its own ran in an earlier life: a restart does not speed it up.
    pub fn ran_before(&mut self, key: &CheckKey, at: Timestamp, now: Timestamp) {
        let Some(&row) = self.rows.get(key) else { return };
        let entry = &mut self.entries[row];
        if entry.spec.fixed_pace && entry.last_start.is_none() && !entry.running {
            entry.last_start = Some(at);
            let next = first_due(&self.entries[row], now, Duration::ZERO);
            self.set_due(row, next);
        }
    }

    /// What is on the screen is looked at more often.
    pub fn focus(&mut self, asset: Option<AssetId>, now: Timestamp) {
        if self.focus == asset {
            return;
        }
        self.focus = asset;
        let Some(asset) = self.focus.clone() else { return };
        for row in 0..self.entries.len() {
            let entry = &self.entries[row];
            if *entry.spec.key.subject.id() != asset || entry.running || entry.spec.fixed_pace {
                continue;
            }
            let every = focused(entry.spec.interval).max(entry.rest);
            let since = entry.last_start.map_or(entry.at, |start| start.plus(every));
            if since < entry.at {
                self.set_due(row, since.max(now));
            }
        }
    }

    /// Something is wrong with it, or is not any more.
    pub fn alarm(&mut self, asset: AssetId, pace: Pace, now: Timestamp) {
        match pace {
            Pace::AsEver => {
                self.alarmed.remove(&asset);
            }
            Pace::Alarmed if self.alarmed.len() < MOST_ALARMED && self.rounds.is_none() => {
                for row in 0..self.entries.len() {
                    let entry = &self.entries[row];
                    let mine = *entry.spec.key.subject.id() == asset && !entry.running && !entry.spec.fixed_pace;
                    let soon = entry.last_start.map_or(entry.at, |start| start.plus(focused(entry.spec.interval)));
                    if mine && soon < entry.at {
                        self.set_due(row, soon.max(now));
                    }
                }
                self.alarmed.insert(asset);
            }
            Pace::Alarmed => {}
        }
    }

    /// The ports of a device are asked this often, until told otherwise; `None` goes back to their own rhythm.
    pub fn watch(&mut self, watched: Option<(AssetId, Duration)>, now: Timestamp) {
        if self.watched == watched {
            return;
        }
        self.watched = watched;
        for row in 0..self.entries.len() {
            let entry = &self.entries[row];
            if entry.running {
                continue;
            }
            if let Some(every) = self.watched_pace(entry) {
                let next = entry.last_start.map_or(now, |start| start.plus(every).max(now));
                self.set_due(row, next);
            }
        }
    }

    /// These checks run each second until told otherwise, and no others do; but for those that have a pace of their own.
    pub fn watch_checks(&mut self, watched: HashSet<CheckKey>, now: Timestamp) {
        self.watched_checks = watched;
        for key in &self.watched_checks {
            let Some(&row) = self.rows.get(key) else { continue };
            let entry = &mut self.entries[row];
            let next = entry.last_start.map_or(now, |start| start.plus(WATCHED_EVERY).max(now));
            if !entry.running && !entry.spec.fixed_pace && next < entry.at {
                entry.at = next;
                entry.epoch += 1;
                self.due.push(Reverse((next, row, entry.epoch)));
            }
        }
    }

    /// How often a check runs while it is watched; only the ports are, and never slower than they would be anyway.
    fn watched_pace(&self, entry: &Entry) -> Option<Duration> {
        let (asset, every) = self.watched.as_ref()?;
        let is_it = &*entry.spec.kind == "ports" && entry.spec.key.subject.id() == asset && !entry.spec.fixed_pace;
        is_it.then(|| (*every).min(entry.spec.interval))
    }

    /// The operator agreed to what the target's checks wait for.
    pub fn confirm(&mut self, asset: &AssetId, now: Timestamp) {
        self.confirmed.insert(asset.clone());
        self.hurry(asset, now);
    }

    pub fn is_confirmed(&self, asset: &AssetId) -> bool {
        self.confirmed.contains(asset)
    }

    pub fn running(&self) -> usize {
        self.running.values().sum()
    }

    /// Due, but waiting for a place.
    pub fn waiting(&self) -> usize {
        self.blocked.len()
    }

    pub fn late(&self) -> u64 {
        self.late
    }

    pub fn runs(&self) -> u64 {
        self.runs
    }

    fn is_waiting_for_a_word(&self, entry: &Entry) -> bool {
        entry.spec.waits_for.is_some() && !self.confirmed.contains(entry.spec.key.subject.id())
    }

    /// Nothing runs, nothing is due.
    fn is_quiet(&self) -> bool {
        self.running() == 0 && self.due.is_empty() && self.blocked.is_empty()
    }

    fn end_round(&mut self, now: Timestamp) {
        if let Some(rounds) = &mut self.rounds {
            if rounds.took.len() >= ROUNDS_KEPT {
                rounds.took.pop_front();
            }
            rounds.took.push_back(now.since(rounds.begun));
        }
        self.next_round(now);
    }

    /// Begins the next round in which any check takes part, if there is one.
    fn next_round(&mut self, now: Timestamp) {
        while let Some(rounds) = self.rounds.as_mut().filter(|rounds| rounds.left > 0) {
            rounds.left -= 1;
            rounds.begun = now.max(rounds.begun.plus(rounds.every));
            let begun = rounds.begun;
            for row in 0..self.entries.len() {
                let entry = &self.entries[row];
                let too_soon = entry.spec.fixed_pace
                    && entry.last_start.is_some_and(|start| begun < start.plus(entry.spec.interval));
                if !entry.running && !too_soon && !self.is_waiting_for_a_word(entry) {
                    self.set_due(row, begun);
                }
            }
            if !self.is_quiet() {
                break;
            }
        }
    }

    fn has_place(&self, row: usize) -> bool {
        let entry = &self.entries[row];
        let in_lane = self.running.get(&entry.lane).copied().unwrap_or(0);
        let on_target = self.per_target[entry.target];
        let slow = self.slow.get(&entry.lane).copied().unwrap_or(0);
        let may = !entry.slow || slow < entry.lane.limit() * SLOW_SHARE / SLOW_OF;
        // What tells whether a host lives never waits for services of it that hang: they all do when it dies.
        let on_target = on_target < PER_TARGET || entry.spec.decides_reachability;
        in_lane < entry.lane.limit() && on_target && (may || self.rounds.is_some())
    }

    fn begin(&mut self, row: usize, now: Timestamp) -> Arc<CheckSpec> {
        let entry = &mut self.entries[row];
        entry.running = true;
        entry.last_start = Some(now);
        *self.running.entry(entry.lane).or_default() += 1;
        *self.slow.entry(entry.lane).or_default() += usize::from(entry.slow);
        self.per_target[entry.target] += 1;
        self.runs += 1;
        entry.spec.clone()
    }

    /// The next turn in the check's own rhythm; turns that were missed while it ran are skipped.
    fn next_turn(&self, row: usize, now: Timestamp) -> Timestamp {
        let entry = &self.entries[row];
        let mut interval = entry.spec.pace(entry.eased).max(Duration::from_millis(100));
        if entry.spec.fixed_pace {
            // A tenth of jitter, from the start of the last run: never faster than the interval.
            let jitter = phase(&(entry.spec.key.clone(), entry.epoch), interval / 10);
            return entry.last_start.unwrap_or(now).plus(interval).plus(jitter);
        }
        let asset = entry.spec.key.subject.id();
        if self.focus.as_ref() == Some(asset) || (!self.alarmed.is_empty() && self.alarmed.contains(asset)) {
            interval = focused(entry.spec.interval);
        }
        if !self.watched_checks.is_empty() && self.watched_checks.contains(&entry.spec.key) {
            interval = interval.min(WATCHED_EVERY);
        }
        if let Some(every) = self.watched_pace(entry) {
            // From its own start on: never faster than that, whatever the rhythm was.
            return entry.last_start.unwrap_or(now).plus(every).max(now);
        }
        if entry.rest > interval {
            return entry.last_start.unwrap_or(now).plus(entry.rest).max(now);
        }
        let mut next = entry.at.plus(interval);
        if next <= now {
            let behind = now.since(next).as_millis() / interval.as_millis() + 1;
            next = next.plus(interval * u32::try_from(behind).unwrap_or(u32::MAX));
        }
        next.min(now.plus(interval))
    }

    fn set_due(&mut self, row: usize, at: Timestamp) {
        let entry = &mut self.entries[row];
        entry.at = at;
        entry.epoch += 1;
        self.due.push(Reverse((at, row, entry.epoch)));
    }
}

/// A run that ended only because its time was over, or nearly so.
fn used_up(entry: &Entry, now: Timestamp) -> bool {
    let took = entry.last_start.map_or(Duration::ZERO, |start| now.since(start));
    took >= entry.spec.timeout * 9 / 10
}

fn focused(interval: Duration) -> Duration {
    (interval / FOCUS_FACTOR).max(FOCUS_FLOOR).min(interval)
}

/// The first run comes soon, each at its own moment; what ran in an earlier life waits out its interval.
fn first_due(entry: &Entry, now: Timestamp, spread: Duration) -> Timestamp {
    let soon = if entry.spec.fixed_pace {
        // Time for the store to say when it last ran; and not all at one moment.
        now.plus(Duration::from_secs(2)).plus(phase(&entry.spec.key, FIRST_JITTER))
    } else {
        now.plus(phase(&entry.spec.key, spread.min(entry.spec.interval)))
    };
    match entry.last_start {
        Some(last) if entry.spec.fixed_pace => {
            last.plus(entry.spec.interval).min(now.plus(entry.spec.interval)).max(soon)
        }
        _ => soon,
    }
}

/// A moment within `span` that belongs to this thing and is the same in every run.
fn phase(thing: &impl Hash, span: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    let span = span.as_millis().max(1);
    Duration::from_millis(u64::try_from(u128::from(hasher.finish()) % span).unwrap_or(0))
}

#[cfg(test)]
mod tests;
