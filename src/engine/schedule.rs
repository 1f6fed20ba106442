//! When which check runs: pure, time is an argument. One run in flight per check, a budget per target and per
//! lane, a phase of its own for each check so that equal intervals do not beat together, skip and count instead
//! of stacking when late. Or, for a collector that is told how often: in rounds, each check once a round.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

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
    rows: HashMap<CheckKey, usize>,
    due: BinaryHeap<Reverse<(Timestamp, usize, u64)>>,
    /// Due, but without a free place when they were.
    blocked: VecDeque<usize>,
    running: HashMap<Lane, usize>,
    /// Of those the ones that were slow when they began.
    slow: HashMap<Lane, usize>,
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
mod tests {
    use super::*;
    use crate::model::{Reading, Subject, Wire};

    const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

    impl Schedule {
        /// A run ended that stretches nothing.
        pub(in crate::engine) fn finished(&mut self, key: &CheckKey, now: Timestamp) {
            if let Some(&row) = self.rows.get(key) {
                self.finish(row, now);
            }
        }

        fn ease(&mut self, key: &CheckKey, eased: bool) {
            if let Some(&row) = self.rows.get(key) {
                self.entries[row].eased = eased;
            }
        }
    }

    fn at(ms: u64) -> Timestamp {
        T0.plus(Duration::from_millis(ms))
    }

    fn spec(host: &str, kind: &str, secs: u64) -> CheckSpec {
        CheckSpec {
            key: CheckKey { subject: Subject::Host(AssetId::new(host)), name: kind.into() },
            kind: kind.into(),
            interval: Duration::from_secs(secs),
            timeout: Duration::from_secs(2),
            retry_interval: Duration::from_secs(1),
            attempts: 3,
            decides_reachability: true,
            fixed_pace: false,
            eases: false,
            volatile: false,
            runbook: None,
            speaks_for_host: true,
            waits_for: None,
            wire: Wire { protocol: "t".into(), destination: "".into() },
        }
    }

    fn loaded(specs: Vec<CheckSpec>) -> Schedule {
        let mut schedule = Schedule::default();
        schedule.load(specs.into_iter().map(Arc::new), T0, |_| None);
        schedule
    }

    fn start_all(schedule: &mut Schedule, now: Timestamp) -> Vec<CheckKey> {
        std::iter::from_fn(|| schedule.start_next(now)).map(|(_, spec)| spec.key.clone()).collect()
    }

    #[test]
    fn a_check_runs_once_an_interval_and_never_twice_at_once() {
        let mut s = loaded(vec![spec("a", "icmp", 30)]);
        let started = start_all(&mut s, at(100));
        assert_eq!(started.len(), 1);
        assert!(start_all(&mut s, at(60_000)).is_empty(), "it still runs");
        s.finished(&started[0], at(60_100));
        let due = s.next_due().expect("it is scheduled again");
        assert!(due > at(60_100) && due <= at(90_100), "{due}");
    }

    #[test]
    fn a_run_that_ends_after_the_checks_were_loaded_anew_ends_its_own_turn() {
        let mut s = loaded(vec![spec("a", "icmp", 30), spec("b", "icmp", 30)]);
        let (turn, begun) = s.start_next(at(100)).expect("one is due");
        let other = if begun.key.subject.id().as_str() == "a" { "b" } else { "a" };
        // The other one takes its place in the new set.
        s.load([Arc::new(spec(other, "icmp", 30)), begun.clone()], at(200), |_| None);
        assert_eq!(s.running(), 1);
        let run =
            Observation { check: begun.key.clone(), at: at(300), took: Duration::ZERO, reading: Reading::ok("here") };
        s.ended(turn, &run, || false, at(300));
        assert_eq!(s.running(), 0);
        assert_eq!(start_all(&mut s, at(400)).len(), 1, "the other one was not started yet");
        s.load([Arc::new(spec(other, "icmp", 30))], at(500), |_| None);
        s.ended(turn, &run, || false, at(600));
        assert_eq!(s.running(), 1, "what has gone ends nothing");
    }

    #[test]
    fn missed_turns_are_skipped_not_stacked() {
        let mut s = loaded(vec![spec("a", "icmp", 1)]);
        let key = start_all(&mut s, at(0)).remove(0);
        s.finished(&key, at(25_500));
        assert_eq!(start_all(&mut s, at(26_500)).len(), 1);
    }

    #[test]
    fn a_soft_problem_is_looked_at_again_after_the_retry_interval() {
        let mut s = loaded(vec![spec("a", "icmp", 30)]);
        let key = start_all(&mut s, at(0)).remove(0);
        s.finished(&key, at(10));
        s.retry(&key, at(10));
        assert_eq!(s.next_due(), Some(at(1_010)));
    }

    #[test]
    fn what_was_good_for_long_is_asked_half_as_often_unless_somebody_looks() {
        let mut s = loaded(vec![spec("a", "linux", 60)]);
        let key = s.entries[0].spec.key.clone();
        let starts = |s: &mut Schedule, from: u64, until: u64| -> Vec<u64> {
            let mut out = Vec::new();
            for second in from..until {
                let now = T0.plus(Duration::from_secs(second));
                while let Some((_, spec)) = s.start_next(now) {
                    out.push(second);
                    s.finished(&spec.key, now);
                }
            }
            out
        };
        let gaps = |starts: &[u64]| -> Vec<u64> { starts.windows(2).map(|pair| pair[1] - pair[0]).collect() };
        assert_eq!(gaps(&starts(&mut s, 0, 300)), [60; 4]);
        s.ease(&key, true);
        starts(&mut s, 300, 400);
        assert_eq!(gaps(&starts(&mut s, 400, 1_000)), [120; 4]);
        s.focus(Some(AssetId::new("a")), T0.plus(Duration::from_secs(1_000)));
        assert_eq!(gaps(&starts(&mut s, 1_000, 1_100))[1..4], [20; 3]);
        s.focus(None, T0.plus(Duration::from_secs(1_100)));
        s.alarm(AssetId::new("a"), Pace::Alarmed, T0.plus(Duration::from_secs(1_100)));
        assert_eq!(gaps(&starts(&mut s, 1_100, 1_200))[1..4], [20; 3]);
        s.alarm(AssetId::new("a"), Pace::AsEver, T0.plus(Duration::from_secs(1_200)));
        s.ease(&key, false);
        starts(&mut s, 1_200, 1_300);
        assert_eq!(gaps(&starts(&mut s, 1_300, 1_600)), [60; 4]);
    }

    #[test]
    fn a_fixed_pace_is_never_sped_up() {
        let fixed = CheckSpec { fixed_pace: true, ..spec("jump", "ssh", 300) };
        let mut s = loaded(vec![fixed.clone()]);
        assert!(start_all(&mut s, at(1_999)).is_empty());
        let key = start_all(&mut s, at(10_001)).remove(0);
        s.finished(&key, at(10_010));
        s.retry(&key, at(10_010));
        assert!(!s.hurry(&AssetId::new("jump"), at(10_020)));
        s.focus(Some(AssetId::new("jump")), at(10_030));
        assert!(start_all(&mut s, at(309_000)).is_empty());
        assert_eq!(start_all(&mut s, at(341_000)).len(), 1);
        // Nor by a restart.
        let mut s = Schedule::default();
        s.load([Arc::new(fixed)], T0, |_| Some(T0.minus(Duration::from_secs(100))));
        assert!(start_all(&mut s, at(199_000)).is_empty());
        assert_eq!(start_all(&mut s, at(200_500)).len(), 1);
        // Nor when the store says so only after the start.
        let mut s = loaded(vec![CheckSpec { fixed_pace: true, ..spec("jump", "ssh", 300) }]);
        s.ran_before(&key, T0.minus(Duration::from_secs(100)), at(500));
        assert!(start_all(&mut s, at(199_000)).is_empty());
        assert_eq!(start_all(&mut s, at(200_500)).len(), 1);
    }

    #[test]
    fn what_others_wait_for_is_asked_soon_but_no_oftener_than_retries_are() {
        let mut s = loaded(vec![spec("core", "icmp", 30)]);
        let key = start_all(&mut s, at(0)).remove(0);
        // It is running: once more when it has ended.
        s.ask(&key, at(5), Duration::ZERO);
        s.finished(&key, at(10));
        assert_eq!(s.next_due(), Some(at(1_000)));
        for ms in [20, 400, 900] {
            s.ask(&key, at(ms), Duration::ZERO);
            assert!(start_all(&mut s, at(ms)).is_empty());
        }
        assert_eq!(start_all(&mut s, at(1_000)).len(), 1);
        s.finished(&key, at(1_010));
        assert!(s.next_due() > Some(at(20_000)), "asked once for all");
        s.ask(&key, at(9_000), Duration::ZERO);
        assert_eq!(start_all(&mut s, at(9_000)).len(), 1, "at once after a rest");
    }

    #[test]
    fn a_watched_device_has_its_ports_asked_at_the_pace_of_the_watch_and_nothing_else() {
        let mut s = loaded(vec![spec("sw", "ports", 60), spec("sw", "icmp", 30), spec("other", "ports", 60)]);
        for key in start_all(&mut s, at(100)) {
            s.finished(&key, at(200));
        }
        s.watch(Some((AssetId::new("sw"), Duration::from_secs(2))), at(1_000));
        assert!(start_all(&mut s, at(2_050)).is_empty(), "two seconds from its last start");
        let keys = start_all(&mut s, at(2_150));
        assert_eq!(keys.iter().map(|k| &*k.name).collect::<Vec<_>>(), ["ports"]);
        s.finished(&keys[0], at(2_200));
        assert_eq!(start_all(&mut s, at(4_150)).len(), 1);
        s.finished(&keys[0], at(9_000));
        assert_eq!(start_all(&mut s, at(9_000)).len(), 1, "a slow walk is followed by the next, not stacked");
        s.watch(None, at(9_100));
        s.finished(&keys[0], at(9_200));
        assert!(start_all(&mut s, at(20_000)).is_empty());
    }

    /// Sixteen that are watched and never answer, beside a hundred others.
    #[test]
    fn a_watched_check_runs_each_second_and_no_other_is_later_for_it() {
        for kind in ["tcp", "icmp"] {
            let mut specs: Vec<CheckSpec> = (0..100).map(|i| spec(&format!("other{i}"), kind, 30)).collect();
            specs.extend((0..16).map(|i| spec(&format!("dead{i}"), kind, 30)));
            specs.push(spec("alive", kind, 30));
            let mut s = loaded(specs);
            let mut runs: HashMap<String, Vec<u64>> = HashMap::new();
            let mut ends: Vec<(u64, CheckKey)> = Vec::new();
            let key = |name: &str| CheckKey { subject: Subject::Host(AssetId::new(name)), name: kind.into() };
            for ms in (0..120_000).step_by(10) {
                if ms == 40_000 {
                    let dead = (0..16).map(|i| key(&format!("dead{i}")));
                    s.watch_checks(dead.chain([key("alive")]).collect(), at(ms));
                }
                if ms == 100_000 {
                    s.watch_checks(HashSet::new(), at(ms));
                }
                for (_, key) in ends.extract_if(.., |(end, _)| *end <= ms) {
                    s.finished(&key, at(ms));
                }
                for key in start_all(&mut s, at(ms)) {
                    let name = key.subject.id().as_str().to_owned();
                    ends.push((ms + if name.starts_with("dead") { 2_000 } else { 20 }, key));
                    runs.entry(name).or_default().push(ms);
                }
            }
            assert_eq!(s.late(), 0);
            let within =
                |name: &str, from: u64, to: u64| runs[name].iter().filter(|ms| (from..to).contains(ms)).count();
            assert_eq!(within("alive", 41_000, 100_000), 59, "{:?}", runs["alive"]);
            let beats: Vec<u64> = runs["alive"].iter().filter(|ms| (41_000..100_000).contains(*ms)).copied().collect();
            assert!(beats.windows(2).all(|two| two[1] - two[0] == 1_000), "a steady rhythm: {beats:?}");
            assert!(within("dead3", 41_000, 100_000) <= 30, "one run at a time");
            assert!(within("alive", 101_100, 120_000) <= 1, "its own rhythm again");
            for i in 0..100 {
                let times = &runs[&format!("other{i}")];
                assert_eq!(times.len(), 4, "{times:?}");
                assert!(times.windows(2).all(|two| two[1] - two[0] <= 30_010), "{times:?}");
            }
        }
        let mut s = loaded(vec![CheckSpec { fixed_pace: true, ..spec("a", "ssh", 300) }]);
        let key = start_all(&mut s, at(10_100)).remove(0);
        s.finished(&key, at(10_200));
        s.watch_checks(HashSet::from([key]), at(11_000));
        assert!(start_all(&mut s, at(60_000)).is_empty(), "a pace of its own is never sped up");
    }

    #[test]
    fn what_something_is_wrong_with_is_looked_at_more_often_until_it_is_well() {
        let mut s = loaded(vec![spec("a", "icmp", 30), spec("b", "icmp", 30)]);
        for key in start_all(&mut s, at(100)) {
            s.finished(&key, at(130));
        }
        s.alarm(AssetId::new("a"), Pace::Alarmed, at(1_000));
        let keys = start_all(&mut s, at(10_101));
        assert_eq!(
            keys.iter().map(|k| k.subject.id().as_str()).collect::<Vec<_>>(),
            ["a"],
            "ten seconds after its last"
        );
        s.finished(&keys[0], at(10_130));
        assert_eq!(start_all(&mut s, at(20_131)).len(), 1);
        s.finished(&keys[0], at(20_150));
        s.alarm(AssetId::new("a"), Pace::AsEver, at(20_200));
        for key in start_all(&mut s, at(31_000)) {
            s.finished(&key, at(31_010));
        }
        assert!(start_all(&mut s, at(45_000)).is_empty());
        // With very many it is an outage: no more than some are looked at more often.
        let mut s = loaded((0..1_000).map(|i| spec(&format!("h{i}"), "icmp", 30)).collect());
        for key in start_all(&mut s, at(1_000)) {
            s.finished(&key, at(1_010));
        }
        (0..1_000).for_each(|i| s.alarm(AssetId::new(format!("h{i}")), Pace::Alarmed, at(1_020)));
        assert_eq!(start_all(&mut s, at(12_000)).len(), MOST_ALARMED);
    }

    /// Ten thousand that take all of their time for nothing cost one that answers none of its turns.
    #[test]
    fn those_that_never_answer_cost_nobody_a_turn() {
        for (kind, dead) in [("tcp", 10_000), ("icmp", 10_000)] {
            let mut specs: Vec<CheckSpec> = (0..dead).map(|i| spec(&format!("dead{i}"), kind, 30)).collect();
            specs.extend((0..20).map(|i| spec(&format!("well{i}"), kind, 30)));
            let mut s = loaded(specs);
            let mut ends: BinaryHeap<Reverse<(Timestamp, CheckKey)>> = BinaryHeap::new();
            let mut starts: HashMap<String, Vec<Timestamp>> = HashMap::new();
            let mut now = T0;
            while now < at(300_000) {
                while let Some(Reverse((end, key))) = ends.pop() {
                    if end > now {
                        ends.push(Reverse((end, key)));
                        break;
                    }
                    s.finished(&key, now);
                }
                while let Some((_, spec)) = s.start_next(now) {
                    let name = spec.key.subject.id().as_str().to_owned();
                    let well = name.starts_with("well");
                    let took = if well { Duration::from_millis(20) } else { spec.timeout };
                    ends.push(Reverse((now.plus(took), spec.key.clone())));
                    if well {
                        starts.entry(name).or_default().push(now);
                    }
                }
                now = now.plus(Duration::from_millis(50));
            }
            for (name, times) in starts {
                let settled: Vec<&Timestamp> = times.iter().filter(|t| **t > at(60_000)).collect();
                let gaps = settled.windows(2).map(|pair| pair[1].since(*pair[0]));
                let longest = gaps.max().expect("it runs");
                assert!(longest <= Duration::from_millis(30_200), "{kind} {name}: {longest:?}");
            }
        }
    }

    #[test]
    fn a_walk_that_takes_over_a_quarter_of_its_interval_stretches_it_and_a_quick_one_restores_it() {
        let mut s = loaded(vec![spec("router", "ports", 60)]);
        let key = start_all(&mut s, at(0)).remove(0);
        let mut begun = 0;
        // It takes 14 s, 40 s, and 2 s: each time with the pause that follows from it.
        for (took, every) in [(14_000, 60_000), (40_000, 160_000), (2_000, 60_000)] {
            let row = s.rows[&key];
            s.entries[row].rest = Duration::from_millis(4 * took);
            s.finished(&key, at(begun + took));
            let next = begun + every;
            if every > 60_000 {
                // Neither trouble, nor a trap, nor the screen makes it come sooner.
                s.retry(&key, at(begun + took));
                s.nudge(&AssetId::new("router"), at(begun + took));
                s.focus(Some(AssetId::new("router")), at(begun + took));
                s.focus(None, at(begun + took));
            }
            assert!(start_all(&mut s, at(next - 1)).is_empty(), "after {took} ms");
            assert_eq!(start_all(&mut s, at(next)).len(), 1, "after {took} ms");
            begun = next;
        }
        assert_eq!(s.late(), 0);
    }

    #[test]
    fn one_target_has_at_most_its_budget_in_flight() {
        let service = |i| CheckSpec { decides_reachability: false, ..spec("a", &format!("tcp{i}"), 30) };
        let mut s = loaded((0..10).map(service).collect());
        let first = start_all(&mut s, at(1_000));
        assert_eq!(first.len(), PER_TARGET);
        assert_eq!(s.waiting(), 10 - PER_TARGET);
        s.finished(&first[0], at(1_100));
        assert_eq!(start_all(&mut s, at(1_100)).len(), 1);
    }

    #[test]
    fn what_tells_that_a_host_lives_does_not_wait_for_its_services_that_hang() {
        let service = |i| CheckSpec { decides_reachability: false, ..spec("a", &format!("tcp{i}"), 60) };
        let mut s = loaded((0..10).map(service).chain([spec("a", "icmp", 4)]).collect());
        let mut echoes = 0;
        for ms in (0..20_000).step_by(100) {
            let begun = start_all(&mut s, at(ms));
            for echo in begun.iter().filter(|key| &*key.name == "icmp") {
                echoes += 1;
                s.finished(echo, at(ms));
            }
        }
        assert_eq!((echoes, s.waiting()), (5, 10 - PER_TARGET));
    }

    #[test]
    fn children_programs_are_few_at_once() {
        let specs = (0..20).map(|i| spec(&format!("h{i}"), "restic", 600)).collect();
        let mut s = loaded(specs);
        assert_eq!(start_all(&mut s, at(1_000)).len(), Lane::Process.limit());
        // Plugins are small, and keep neither each other nor the large ones waiting for long.
        let plugins = (0..1_000).map(|i| spec(&format!("p{i}"), "plugin", 600));
        let mut s = loaded(plugins.chain([spec("h", "restic", 600)]).collect());
        let begun = start_all(&mut s, at(9_000));
        assert_eq!(begun.iter().filter(|key| &*key.name == "plugin").count(), Lane::Plugin.limit());
        assert!(begun.iter().any(|key| &*key.name == "restic"));
    }

    #[test]
    fn ten_thousand_first_runs_are_spread_over_seconds() {
        let specs = (0..10_000).map(|i| spec(&format!("h{i}"), "icmp", 30)).collect();
        let mut s = loaded(specs);
        let first_second = start_all(&mut s, at(1_000)).len();
        assert!((1_000..4_000).contains(&first_second), "{first_second}");
        start_all(&mut s, at(5_001));
        assert_eq!(s.running(), 10_000);
    }

    #[test]
    fn after_a_long_sleep_there_is_no_herd() {
        let specs = (0..1_000).map(|i| spec(&format!("h{i}"), "icmp", 30)).collect();
        let mut s = loaded(specs);
        for key in start_all(&mut s, at(1_000)) {
            s.finished(&key, at(1_010));
        }
        let awake = 3_600_000;
        let at_once = start_all(&mut s, at(awake)).len();
        assert!(at_once < 100, "{at_once}");
        let soon = start_all(&mut s, at(awake + 1_001)).len();
        assert_eq!(at_once + soon, 1_000);
    }

    #[test]
    fn what_waits_for_a_word_runs_after_it_only() {
        let waiting = CheckSpec { waits_for: Some("a password command".into()), ..spec("repo", "restic", 600) };
        let mut s = loaded(vec![waiting]);
        assert!(start_all(&mut s, at(700_000)).is_empty());
        s.confirm(&AssetId::new("repo"), at(700_000));
        assert_eq!(start_all(&mut s, at(700_000)).len(), 1);
    }

    fn in_rounds(count: u32, specs: Vec<CheckSpec>) -> Schedule {
        let mut schedule = Schedule::in_rounds(count, Duration::from_secs(2));
        schedule.load(specs.into_iter().map(Arc::new), T0, |_| None);
        schedule
    }

    #[test]
    fn in_rounds_each_check_runs_as_often_as_said_and_rounds_keep_apart() {
        let mut s = in_rounds(2, vec![spec("a", "icmp", 30), spec("b", "ports", 60)]);
        let first = start_all(&mut s, at(0));
        assert_eq!(first.len(), 2);
        s.finished(&first[0], at(300));
        s.retry(&first[0], at(300));
        assert!(start_all(&mut s, at(10_000)).is_empty(), "the other one still runs");
        s.finished(&first[1], at(500));
        assert_eq!(s.next_due(), Some(at(2_000)));
        for key in start_all(&mut s, at(2_000)) {
            assert!(!s.is_over());
            s.finished(&key, at(6_000));
        }
        assert!(s.is_over() && s.next_due().is_none());
        assert_eq!(s.rounds_took(), [500, 4_000].map(Duration::from_millis));
        assert_eq!((s.runs(), s.late()), (4, 0));
    }

    #[test]
    fn in_rounds_a_fixed_pace_holds_and_what_waits_for_a_word_is_left_out() {
        let fixed = CheckSpec { fixed_pace: true, ..spec("jump", "ssh", 300) };
        let waiting = CheckSpec { waits_for: Some("a password command".into()), ..spec("repo", "restic", 600) };
        let mut s = in_rounds(3, vec![fixed, waiting]);
        let keys = start_all(&mut s, at(0));
        assert_eq!(keys.len(), 1);
        s.finished(&keys[0], at(10));
        assert!(s.is_over(), "the other rounds come too soon for it");
        assert!(in_rounds(3, Vec::new()).is_over());
    }

    #[test]
    fn in_rounds_what_a_device_tells_brings_no_check_before_its_round() {
        let mut s = Schedule::in_rounds(2, Duration::from_secs(60));
        s.load([Arc::new(spec("sw", "ports", 60))], T0, |_| None);
        let keys = start_all(&mut s, at(0));
        s.finished(&keys[0], at(200));
        s.nudge(&AssetId::new("sw"), at(300));
        assert!(start_all(&mut s, at(30_000)).is_empty());
        assert_eq!(start_all(&mut s, at(60_000)).len(), 1);
    }

    #[test]
    fn in_rounds_who_waits_for_a_place_has_its_turn_in_the_same_round() {
        let mut s = in_rounds(1, (0..10).map(|i| spec("a", &format!("tcp{i}"), 30)).collect());
        let mut runs = 0;
        while !s.is_over() {
            for key in start_all(&mut s, at(100)) {
                s.finished(&key, at(100));
                runs += 1;
            }
        }
        assert_eq!(runs, 10);
    }

    #[test]
    fn a_reload_keeps_running_checks_and_phases() {
        let mut s = loaded(vec![spec("a", "icmp", 30), spec("b", "icmp", 30)]);
        let keys = start_all(&mut s, at(1_000));
        s.finished(&keys[0], at(1_010));
        let due = s.next_due();
        s.load([spec("a", "icmp", 30), spec("b", "icmp", 30)].map(Arc::new), at(2_000), |_| None);
        assert_eq!(s.running(), 1);
        assert_eq!(s.next_due(), due);
        s.finished(&keys[1], at(2_100));
        assert_eq!(s.running(), 0);
    }

    #[test]
    fn a_device_that_tells_something_is_asked_at_once_and_not_again_for_each_word() {
        let mut s = loaded(vec![spec("sw", "snmp", 3_600), spec("sw", "ports", 3_600), spec("sw", "icmp", 3_600)]);
        for key in start_all(&mut s, at(60_000)) {
            s.finished(&key, at(60_100));
        }
        let later = 200_000;
        for _ in 0..10_000 {
            s.nudge(&AssetId::new("sw"), at(later));
        }
        let names = |keys: Vec<CheckKey>| keys.iter().map(|k| k.name.to_string()).collect::<Vec<_>>();
        let running = start_all(&mut s, at(later + 100));
        assert_eq!(names(running.clone()), ["snmp", "ports"]);
        // While they run it tells more: they run once more, five seconds after they began.
        for _ in 0..10_000 {
            s.nudge(&AssetId::new("sw"), at(later + 200));
        }
        for key in &running {
            s.finished(key, at(later + 300));
        }
        assert!(start_all(&mut s, at(later + 5_000)).is_empty());
        let again = start_all(&mut s, at(later + 5_300));
        assert_eq!(again.len(), 2);
        for key in &again {
            s.finished(key, at(later + 5_400));
        }
        assert!(start_all(&mut s, at(later + 600_000)).is_empty(), "nothing more was told");
    }

    #[test]
    fn a_thousand_devices_that_tell_something_at_once_are_asked_one_after_the_other() {
        let specs: Vec<CheckSpec> = (0..1_000).map(|i| spec(&format!("sw{i}"), "ports", 3_600)).collect();
        let mut s = loaded(specs);
        for key in start_all(&mut s, at(60_000)) {
            s.finished(&key, at(60_100));
        }
        for i in 0..1_000 {
            s.nudge(&AssetId::new(format!("sw{i}")), at(200_000));
        }
        let at_once = start_all(&mut s, at(200_000)).len();
        let in_a_second = start_all(&mut s, at(201_000)).len();
        assert!(at_once <= 1 && (90..=110).contains(&in_a_second), "{at_once}, {in_a_second}");
        assert_eq!(at_once + in_a_second + start_all(&mut s, at(210_000)).len(), 1_000);
    }
}
