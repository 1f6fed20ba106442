//! Channels to people: takes alerts in, lets each channel's message go when it is due, tries again where it did not
//! get there, and says how every channel stands. A channel that hangs holds up nobody else.
//!
//! Whatever happens to a change is noted for the store ([`Dispatch`]), so that one that waits survives the end of the process,
//! however it ends. What a channel has taken is never told again; what it was being told when the process was killed is,
//! since nobody knows.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use ulid::Ulid;

use super::reminders::{Reminders, Standing};
use super::supervise::panic_words;
use crate::base::Timestamp;
use crate::bus::Call;
use crate::model::{Alert, ChannelStatus, Condition, Target};
use crate::net::Net;
use crate::notify::{Batch, Batcher, Change, Channel, Cx, Fate, How, Origin, Taken, subject};
use crate::state::rules::hours::Opening;
use crate::store::{Dispatch, Outbox, Untold};

/// The longest that one delivery may take; a program of the operator's has a timeout of its own.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long the end of the engine waits for the last messages.
const FAREWELL: Duration = Duration::from_secs(1);
/// Pauses between tries; then what could not be told is given up, and counted.
const PAUSES: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(300),
    Duration::from_secs(900),
    Duration::from_secs(1800),
];

/// What was not told for so long is no news.
const NEWS: Duration = Duration::from_secs(3600);
/// What an earlier run left is looked at again before it is told.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// Notes for the store that wait at most; a disk that does not answer holds up no message.
const MOST_NOTES: usize = 65_536;

/// How a delivery ended, by the channel's name.
pub type Delivered = (Arc<str>, Result<(), String>);

#[derive(Debug)]
struct Line {
    channel: Channel,
    batcher: Batcher,
    status: ChannelStatus,
    /// What is on its way, or is tried again.
    in_hand: Option<Arc<Batch>>,
    under_way: bool,
    tries: usize,
    again: Option<Timestamp>,
    opening: Opening,
    /// When its hours open, where they are closed; and when they have to be looked at again.
    shut: Option<Timestamp>,
    look_at: Option<Timestamp>,
    /// From when to when, by the wall clock, it stands as it was last looked at.
    looked: Option<(Timestamp, Timestamp)>,
    reminders: Reminders,
}

impl Line {
    fn new(channel: Channel) -> Self {
        let status =
            ChannelStatus { name: channel.name.clone(), kind: channel.kind.into(), ..ChannelStatus::default() };
        let batcher = Batcher::new(channel.rules);
        let mut line = Self {
            channel,
            batcher,
            status,
            in_hand: None,
            under_way: false,
            tries: 0,
            again: None,
            opening: Opening::default(),
            shut: None,
            look_at: None,
            looked: None,
            reminders: Reminders::default(),
        };
        line.follow();
        line
    }

    /// Its channel's hours and interval are in force from now on.
    fn follow(&mut self) {
        self.opening = Opening::of(&self.channel.hours);
        self.looked = None;
        self.reminders.set_every(self.channel.repeat);
    }

    /// When the next message may go.
    fn goes_at(&self) -> Option<Timestamp> {
        if self.under_way {
            return None;
        }
        let due = if self.in_hand.is_some() { self.again } else { self.batcher.due() };
        due.map(|due| due.max(self.shut.unwrap_or(due)))
    }

    /// A message goes now that was not tried yet.
    fn is_due(&self, now: Timestamp) -> bool {
        self.in_hand.is_none() && self.goes_at().is_some_and(|at| at <= now)
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let reminders = self.reminders.wake_at().filter(|_| self.shut.is_none());
        [self.goes_at(), self.look_at, reminders].into_iter().flatten().min()
    }

    /// Whether its hours are open, by both clocks; true where that has changed.
    fn look_at_hours(&mut self, (now, wall): (Timestamp, Timestamp)) -> bool {
        let mut changed = false;
        if !self.looked.is_some_and(|(from, until)| from <= wall && wall < until) {
            let quiet_until = self.opening.quiet_until(wall);
            let until = quiet_until.or_else(|| self.opening.next_change(wall));
            self.looked = Some((wall, until.unwrap_or(Timestamp(i64::MAX))));
            changed = std::mem::replace(&mut self.status.quiet_until, quiet_until) != quiet_until;
        }
        // By the steady clock, whatever the wall's has done since.
        self.shut = self.status.quiet_until.map(|until| now.plus(until.since(wall)));
        let until = self.looked.map(|(_, until)| until).filter(|until| until.millis() < i64::MAX);
        self.look_at = until.map(|until| now.plus(until.since(wall)));
        changed
    }

    /// A message has got there.
    fn delivered(&mut self, (now, wall): (Timestamp, Timestamp), batch: &Batch, notes: &mut Vec<Dispatch>) {
        self.status.delivered += 1;
        self.status.last_delivered = Some(wall);
        let channel = &self.channel.name;
        notes.push(Dispatch::Settled { channel: channel.clone(), ids: batch.ids() });
        let (told, over) = self.reminders.delivered(now, batch);
        if !told.is_empty() {
            notes.push(Dispatch::Told { channel: channel.clone(), targets: told, at: wall });
        }
        if !over.is_empty() {
            notes.push(Dispatch::Over { channel: channel.clone(), targets: over });
        }
    }
}

#[derive(Debug)]
pub struct Notify {
    lines: Vec<Line>,
    /// What an earlier run left, for channels that are not there, or not yet.
    left: Outbox,
    /// What the store is to know, oldest first.
    notes: Vec<Dispatch>,
    delivered: mpsc::Sender<Delivered>,
    tasks: JoinSet<()>,
}

impl Notify {
    pub fn new(delivered: mpsc::Sender<Delivered>) -> Self {
        Self { lines: Vec::new(), left: Outbox::default(), notes: Vec::new(), delivered, tasks: JoinSet::new() }
    }

    /// The channels in force, by the steady clock and the wall's. One that stays keeps what it has to say; what one that goes had to say waits
    /// for its return.
    pub fn load(&mut self, times: (Timestamp, Timestamp), channels: &[Channel]) {
        let mut old = std::mem::take(&mut self.lines);
        for channel in channels {
            let known =
                old.iter().position(|line| line.channel.name == channel.name && line.channel.kind == channel.kind);
            self.lines.push(match known.map(|at| old.swap_remove(at)) {
                Some(mut line) => {
                    line.batcher.set_rules(channel.rules);
                    line.channel = channel.clone();
                    line.follow();
                    line
                }
                None => Line::new(channel.clone()),
            });
        }
        for line in old {
            let channel = line.channel.name;
            let handed = line.under_way;
            let in_hand = line.in_hand.into_iter().flat_map(|batch| {
                let late = batch.late.iter().map(|late| late.change.clone());
                batch.changes.iter().cloned().chain(late).collect::<Vec<Change>>()
            });
            let untold = |handed| {
                let channel = channel.clone();
                move |Change { id, alert }| Untold { channel: channel.clone(), id, handed, alert }
            };
            self.left.untold.extend(in_hand.map(untold(handed)));
            let waiting = line.batcher.into_waiting().map(|(change, _)| change);
            self.left.untold.extend(waiting.map(untold(false)));
            let (now, wall) = times;
            let told =
                line.reminders.into_told().map(|(target, at)| (channel.clone(), target, wall.minus(now.since(at))));
            self.left.told.extend(told);
        }
        self.look_at_hours(times);
        self.hand_out(times);
    }

    /// What an earlier run left.
    pub fn restore(&mut self, times: (Timestamp, Timestamp), outbox: Outbox) {
        tracing::info!(changes = outbox.untold.len(), "an earlier run left them untold");
        self.left.untold.extend(outbox.untold);
        self.left.sent.extend(outbox.sent);
        self.left.told.extend(outbox.told);
        self.hand_out(times);
    }

    /// Gives every channel what is left for it.
    fn hand_out(&mut self, (now, wall): (Timestamp, Timestamp)) {
        let Self { lines, left, notes, .. } = self;
        for line in lines {
            let name = line.channel.name.clone();
            let mine: Vec<Untold> = left.untold.extract_if(.., |one| one.channel == name).collect();
            let sent = left.sent.extract_if(.., |(channel, _)| *channel == name);
            // By the steady clock; one from a clock that was ahead says nothing.
            let sent = sent.filter(|(_, at)| *at <= wall).map(|(_, at)| now.minus(wall.since(at)));
            let sent: Vec<Timestamp> = sent.collect();
            let opening = &line.opening;
            let changes = mine.into_iter().map(|one| {
                let origin = match opening.quiet_until(one.alert.at) {
                    _ if one.handed => Origin::PerhapsTold,
                    // Its time has not come yet.
                    Some(until) if until > wall => Origin::ThisRun,
                    _ => Origin::Untold,
                };
                (Change { id: one.id, alert: one.alert }, origin)
            });
            for (newer, taken) in line.batcher.restore((now, now.plus(LOOK_AGAIN)), changes, sent) {
                let other = match &taken {
                    Taken::Waits(change) => change.id != newer,
                    Taken::Passed(_) | Taken::Late => true,
                };
                if other {
                    notes.push(Dispatch::Settled { channel: name.clone(), ids: vec![newer] });
                }
                notes.extend(noted(&name, taken));
            }
            line.status.waiting = line.batcher.waiting();
            let told = left.told.extract_if(.., |(channel, ..)| *channel == name);
            // One from a clock that was ahead was told just now, for all that is known.
            line.reminders.restore(told.map(|(_, target, at)| (target, now.minus(wall.since(at)))));
        }
    }

    /// Which channels are quiet by their hours; true where that has changed.
    pub fn look_at_hours(&mut self, times: (Timestamp, Timestamp)) -> bool {
        let limited = self.lines.iter_mut().filter(|line| !line.opening.is_always() || line.shut.is_some());
        // Each of them is looked at.
        limited.map(|line| line.look_at_hours(times)).filter(|changed| *changed).count() > 0
    }

    /// Has told again what is due to be, of channels that may speak.
    pub fn remind(&mut self, (now, wall): (Timestamp, Timestamp), mut ask: impl FnMut(&Target) -> Standing) {
        let Self { lines, notes, .. } = self;
        for line in lines.iter_mut().filter(|line| line.shut.is_none()) {
            let (again, over) = line.reminders.due(now, &mut ask);
            let channel = &line.channel;
            if !over.is_empty() {
                notes.push(Dispatch::Over { channel: channel.name.clone(), targets: over });
            }
            for alert in again {
                let waits = line.batcher.is_waiting(&alert.target);
                if !waits && channel.filter.takes(&alert) {
                    let taken = line.batcher.take(now, Change { id: new_id(wall), alert });
                    notes.extend(noted(&channel.name, taken));
                }
            }
            line.status.waiting = line.batcher.waiting();
        }
    }

    /// Leaves out of what is due the problems that are over, or watched no more.
    pub fn leave_out(&mut self, now: Timestamp, is_over: impl Fn(&Target) -> bool) {
        let Self { lines, notes, .. } = self;
        for line in lines.iter_mut().filter(|line| line.is_due(now)) {
            let ids = line.batcher.leave_out(&is_over);
            if !ids.is_empty() {
                notes.push(Dispatch::Settled { channel: line.channel.name.clone(), ids });
            }
            line.status.waiting = line.batcher.waiting();
        }
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// True where somebody is to be told.
    pub fn take(&mut self, (now, wall): (Timestamp, Timestamp), alert: &Alert) -> bool {
        let mut any = false;
        for line in self.lines.iter_mut().filter(|line| line.channel.filter.takes(alert)) {
            let change = Change { id: new_id(wall), alert: alert.clone() };
            let taken = line.batcher.take(now, change);
            line.status.waiting = line.batcher.waiting();
            self.notes.extend(noted(&line.channel.name, taken));
            any = true;
        }
        any
    }

    /// Takes what the store is to know.
    pub fn notes(&mut self) -> Vec<Dispatch> {
        std::mem::take(&mut self.notes)
    }

    /// Gives back what the store has no room for at the moment.
    pub fn keep(&mut self, mut notes: Vec<Dispatch>) {
        notes.append(&mut self.notes);
        if notes.len() > MOST_NOTES {
            tracing::error!(
                notes = notes.len(),
                "the disk does not keep up: what waits to be told is not written down"
            );
            notes.clear();
        }
        self.notes = notes;
    }

    pub fn has_notes(&self) -> bool {
        !self.notes.is_empty()
    }

    /// Judges what an earlier run left on channels whose message is due; `stands` is how a thing stands now, where that can be said,
    /// and nothing at all where it is watched no more.
    pub fn judge_restored(
        &mut self,
        (now, wall): (Timestamp, Timestamp),
        stands: impl Fn(&Target) -> Option<Option<Condition>>,
    ) {
        let judge = |alert: &Alert, opening: &Opening| {
            let told_from = opening.quiet_until(alert.at).unwrap_or(alert.at);
            let is_news = wall.since(told_from) <= NEWS;
            match stands(&alert.target) {
                None => Fate::NoNews { stands: false },
                Some(Some(condition)) if alert.to.is_problem() && !condition.is_problem() => {
                    Fate::NoNews { stands: false }
                }
                Some(_) if is_news => Fate::Tell,
                Some(_) => Fate::NoNews { stands: alert.to.is_problem() },
            }
        };
        for line in &mut self.lines {
            if line.is_due(now) && line.batcher.has_restored() {
                line.batcher.fold(|alert| judge(alert, &line.opening));
            }
        }
    }

    pub fn wake_at(&self) -> Option<Timestamp> {
        self.lines.iter().filter_map(Line::wake_at).min()
    }

    /// Whether a message goes now that was not tried yet.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.lines.iter().any(|line| line.is_due(now))
    }

    /// What is due says how much is hidden behind it by now, and what befell it together with others.
    pub fn explain(
        &mut self,
        now: Timestamp,
        hides: impl Fn(&Target) -> usize,
        company: impl Fn(&Target) -> Option<String>,
    ) {
        for line in self.lines.iter_mut().filter(|line| line.is_due(now)) {
            line.batcher.explain(&hides, &company);
        }
    }

    /// Lets go what is due. What the terminals of consoles are to say comes back.
    pub fn start_due(&mut self, now: Timestamp, wall: Timestamp, net: &Arc<Net>) -> Vec<Call> {
        let mut rings = Vec::new();
        for line in &mut self.lines {
            if line.goes_at().is_none_or(|at| at > now) {
                continue;
            }
            let Some(batch) = line.in_hand.take().or_else(|| line.batcher.next(now).map(Arc::new)) else { continue };
            line.status.waiting = line.batcher.waiting();
            let (channel, ids) = (line.channel.name.clone(), batch.ids());
            let forget = wall.minus(line.channel.rules.within);
            self.notes.push(Dispatch::Handed { channel, ids, at: wall, forget });
            match &line.channel.how {
                How::Terminal(desktop) => {
                    rings.push(Call { words: subject(&batch), desktop: *desktop });
                    line.delivered((now, wall), &batch, &mut self.notes);
                }
                How::By(deliver) => {
                    line.in_hand = Some(batch.clone());
                    line.under_way = true;
                    let (deliver, name, delivered) =
                        (deliver.clone(), line.channel.name.clone(), self.delivered.clone());
                    let cx = Cx { net: net.clone(), timeout: TIMEOUT };
                    self.tasks.spawn(async move {
                        let told = async { deliver.deliver(&cx, &batch).await };
                        // A program has a timeout of its own, which may be longer. A channel is free again whatever happens.
                        let result = AssertUnwindSafe(told)
                            .catch_unwind()
                            .await
                            .unwrap_or_else(|panic| Err(format!("internal error: {}", panic_words(panic.as_ref()))));
                        // A closed channel means that the engine has ended.
                        let _ = delivered.send((name, result)).await;
                    });
                }
            }
        }
        while self.tasks.try_join_next().is_some() {}
        rings
    }

    /// How a delivery ended. Words for the operator where it failed for the first time, or was given up.
    pub fn ended(&mut self, now: Timestamp, wall: Timestamp, (name, result): Delivered) -> Option<String> {
        let line = self.lines.iter_mut().find(|line| line.channel.name == name)?;
        line.under_way = false;
        let ids = line.in_hand.as_ref().map(|batch| batch.ids()).unwrap_or_default();
        let channel = name.clone();
        match result {
            Ok(()) => {
                if let Some(batch) = line.in_hand.take() {
                    line.delivered((now, wall), &batch, &mut self.notes);
                }
                (line.tries, line.again) = (0, None);
                line.status.failing = None;
                None
            }
            Err(why) => {
                let first = line.status.failing.is_none();
                let since = line.status.failing.as_ref().map_or(wall, |(since, _)| *since);
                line.status.failing = Some((since, why.as_str().into()));
                if let Some(pause) = PAUSES.get(line.tries) {
                    line.tries += 1;
                    line.again = Some(now.plus(*pause));
                    self.notes.push(Dispatch::Failed { channel, ids });
                    return first.then(|| format!("{name} does not get through: {why}"));
                }
                self.notes.push(Dispatch::Settled { channel, ids });
                let lost = line.in_hand.take().map_or(0, |batch| batch.len());
                (line.tries, line.again) = (0, None);
                line.status.lost += lost as u64;
                Some(format!("{name} gave up on {lost} changes: {why}"))
            }
        }
    }

    pub fn statuses(&self) -> Vec<ChannelStatus> {
        self.lines.iter().map(|line| line.status.clone()).collect()
    }

    /// The engine ends. What still waits goes now, on its own and for the last time, within a second; how many changes nobody
    /// was told.
    pub async fn farewell(
        &mut self,
        (now, wall): (Timestamp, Timestamp),
        net: &Arc<Net>,
        delivered: &mut mpsc::Receiver<Delivered>,
    ) -> usize {
        for line in self.lines.iter_mut().filter(|line| !line.under_way && line.shut.is_none()) {
            match &mut line.in_hand {
                Some(_) => line.again = Some(now),
                None => line.batcher.hurry(now),
            }
        }
        // The terminal is somebody else's by now, and rings no more.
        self.start_due(now, wall, net);
        let ends = async {
            while self.lines.iter().any(|line| line.under_way) {
                let Some(one) = delivered.recv().await else { break };
                self.ended(now, wall, one);
            }
        };
        // What takes longer is counted below.
        let _ = tokio::time::timeout(FAREWELL, ends).await;
        self.tasks.shutdown().await;
        let untold = |line: &Line| line.batcher.waiting() + line.in_hand.as_ref().map_or(0, |batch| batch.len());
        self.lines.iter().map(untold).sum()
    }
}

/// What the store is to know of a change that was taken.
fn noted(channel: &Arc<str>, taken: Taken) -> Option<Dispatch> {
    let channel = channel.clone();
    match taken {
        Taken::Waits(Change { id, alert }) => Some(Dispatch::Waits(Untold { channel, id, handed: false, alert })),
        Taken::Passed(id) => Some(Dispatch::Settled { channel, ids: vec![id] }),
        // It stays until that is said.
        Taken::Late => None,
    }
}

fn new_id(wall: Timestamp) -> Arc<str> {
    let random = Ulid::new().random();
    Ulid::from_parts(u64::try_from(wall.millis()).unwrap_or(0), random).to_string().into()
}

#[cfg(test)]
mod tests;
