//! Channels to people: takes alerts in, lets each channel's message go when it is due, tries again where it did not
//! get there, and says how every channel stands. A channel that hangs holds up nobody else.
//!
//! Whatever happens to a change is noted for the store ([`Dispatch`]), so that one that waits survives the end of the process,
//! however it ends. What a channel has taken is never told again; what it was being told when the process was killed is,
//! since nobody knows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use ulid::Ulid;

use crate::base::Timestamp;
use crate::bus::Call;
use crate::model::{Alert, ChannelStatus, Condition, Target};
use crate::net::Net;
use crate::notify::{Batch, Batcher, Change, Channel, Cx, Fate, How, Origin, Taken, subject};
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
}

impl Line {
    fn new(channel: Channel) -> Self {
        let status =
            ChannelStatus { name: channel.name.clone(), kind: channel.kind.into(), ..ChannelStatus::default() };
        let batcher = Batcher::new(channel.rules);
        Self { channel, batcher, status, in_hand: None, under_way: false, tries: 0, again: None }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        if self.under_way {
            return None;
        }
        if self.in_hand.is_some() { self.again } else { self.batcher.due() }
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
        }
        self.hand_out(times);
    }

    /// What an earlier run left.
    pub fn restore(&mut self, times: (Timestamp, Timestamp), outbox: Outbox) {
        tracing::info!(changes = outbox.untold.len(), "an earlier run left them untold");
        self.left.untold.extend(outbox.untold);
        self.left.sent.extend(outbox.sent);
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
            let changes = mine.into_iter().map(|one| {
                let origin = if one.handed { Origin::PerhapsTold } else { Origin::Untold };
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
        let judge = |alert: &Alert| {
            let is_news = wall.since(alert.at) <= NEWS;
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
            let is_due = line.batcher.due().is_some_and(|due| due <= now);
            if is_due && line.in_hand.is_none() && line.batcher.has_restored() {
                line.batcher.fold(judge);
            }
        }
    }

    pub fn wake_at(&self) -> Option<Timestamp> {
        self.lines.iter().filter_map(Line::wake_at).min()
    }

    /// What is due says how much is hidden behind it by now.
    pub fn count_hidden(&mut self, now: Timestamp, hides: impl Fn(&Target) -> usize) {
        for line in self.lines.iter_mut().filter(|line| line.batcher.due().is_some_and(|due| due <= now)) {
            line.batcher.count_hidden(&hides);
        }
    }

    /// Lets go what is due. What the terminals of consoles are to say comes back.
    pub fn start_due(&mut self, now: Timestamp, wall: Timestamp, net: &Arc<Net>) -> Vec<Call> {
        let mut rings = Vec::new();
        for line in &mut self.lines {
            if line.wake_at().is_none_or(|at| at > now) {
                continue;
            }
            let Some(batch) = line.in_hand.take().or_else(|| line.batcher.next(now).map(Arc::new)) else { continue };
            line.status.waiting = line.batcher.waiting();
            let (channel, ids) = (line.channel.name.clone(), batch.ids());
            let forget = wall.minus(line.channel.rules.within);
            self.notes.push(Dispatch::Handed { channel: channel.clone(), ids: ids.clone(), at: wall, forget });
            match &line.channel.how {
                How::Terminal(desktop) => {
                    self.notes.push(Dispatch::Settled { channel, ids });
                    rings.push(Call { words: subject(&batch), desktop: *desktop });
                    line.status.delivered += 1;
                    line.status.last_delivered = Some(wall);
                }
                How::By(deliver) => {
                    line.in_hand = Some(batch.clone());
                    line.under_way = true;
                    let (deliver, name, delivered) =
                        (deliver.clone(), line.channel.name.clone(), self.delivered.clone());
                    let cx = Cx { net: net.clone(), timeout: TIMEOUT };
                    self.tasks.spawn(async move {
                        let told = deliver.deliver(&cx, &batch);
                        // A program has a timeout of its own, which may be longer.
                        let result = told.await;
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
                self.notes.push(Dispatch::Settled { channel, ids });
                line.in_hand = None;
                (line.tries, line.again) = (0, None);
                line.status.delivered += 1;
                line.status.last_delivered = Some(wall);
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
        for line in self.lines.iter_mut().filter(|line| !line.under_way) {
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
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::base::{Clock, Untrusted};
    use crate::model::{AlertKind, AssetId, Desktop};
    use crate::notify::{Deliver, Delivering, Filter, Rules};

    #[derive(Debug, Default)]
    struct Fails {
        times: AtomicU64,
        asked: AtomicU64,
    }

    impl Deliver for Fails {
        fn deliver<'a>(&'a self, _: &'a Cx, _: &'a Batch) -> Delivering<'a> {
            let asked = self.asked.fetch_add(1, Ordering::Relaxed);
            let fails = asked < self.times.load(Ordering::Relaxed);
            Box::pin(async move { if fails { Err("connection refused".to_owned()) } else { Ok(()) } })
        }
    }

    fn channel(how: How) -> Channel {
        Channel {
            name: "ops".into(),
            kind: "exec",
            filter: Filter { least: Condition::Warning, tags: Vec::new(), groups: Vec::new(), recoveries: true },
            rules: Rules { wait: Duration::from_secs(15), most: 10, within: Duration::from_secs(600) },
            how,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn alert(name: &str) -> Alert {
        Alert {
            kind: AlertKind::Problem,
            target: Target::Host(AssetId::new(name)),
            title: Untrusted::from(name),
            from: Condition::Ok,
            to: Condition::Critical,
            word: "DOWN".into(),
            reason: "no answer".into(),
            hides: 0,
            tags: Vec::new(),
            group: None,
            at: Timestamp(0),
        }
    }

    /// Runs it over simulated time; the words said to the operator, and how the channel stands at the end.
    async fn run(how: How, seconds: i64) -> (Vec<String>, ChannelStatus) {
        let (sender, mut delivered) = mpsc::channel(8);
        let mut notify = Notify::new(sender);
        notify.load((at(0), at(0)), &[channel(how)]);
        let net = Net::new(Clock::start());
        notify.take((at(0), at(0)), &alert("core-sw1"));
        let mut said = Vec::new();
        let mut second = 0;
        while let Some(due) = notify.wake_at().filter(|due| *due <= at(seconds)) {
            second = second.max(due.millis() / 1000);
            let rings = notify.start_due(at(second), at(second), &net);
            assert!(rings.iter().all(|call| call.desktop == Desktop::Osc777), "{rings:?}");
            said.extend(rings.into_iter().map(|call| call.words));
            if notify.lines[0].under_way {
                let ended = delivered.recv().await.expect("it ends");
                said.extend(notify.ended(at(second), at(second), ended));
            }
        }
        (said, notify.statuses().remove(0))
    }

    #[tokio::test]
    async fn a_delivery_that_fails_is_said_once_tried_again_and_said_to_be_well() {
        let fails = Arc::new(Fails { times: AtomicU64::new(3), ..Fails::default() });
        let (said, status) = run(How::By(fails.clone()), 100_000).await;
        assert_eq!(said, ["ops does not get through: connection refused"]);
        assert_eq!((status.delivered, status.failing, status.lost), (1, None, 0));
        assert_eq!(status.last_delivered, Some(Timestamp::from_secs(15 + 5 + 30 + 120)));
        assert_eq!(fails.asked.load(Ordering::Relaxed), 4);
    }

    #[tokio::test]
    async fn what_cannot_be_told_for_an_hour_is_given_up_and_counted() {
        let fails = Arc::new(Fails { times: AtomicU64::new(u64::MAX), ..Fails::default() });
        let (said, status) = run(How::By(fails), 100_000).await;
        assert_eq!(said.len(), 2, "{said:?}");
        assert_eq!(said[1], "ops gave up on 1 changes: connection refused");
        assert_eq!((status.delivered, status.lost), (0, 1));
        let (since, why) = status.failing.expect("it fails");
        assert_eq!((since, &*why), (Timestamp::from_secs(15), "connection refused"));
    }

    #[derive(Debug)]
    struct Hangs;

    impl Deliver for Hangs {
        fn deliver<'a>(&'a self, _: &'a Cx, _: &'a Batch) -> Delivering<'a> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_goes_before_the_end_and_the_end_waits_for_nobody_long() {
        let well = Arc::new(Fails::default());
        for (how, untold) in [(How::By(well.clone()), 0), (How::By(Arc::new(Hangs)), 1)] {
            let (sender, mut delivered) = mpsc::channel(8);
            let mut notify = Notify::new(sender);
            notify.load((at(0), at(0)), &[channel(how)]);
            notify.take((at(0), at(0)), &alert("core-sw1"));
            let begun = tokio::time::Instant::now();
            let net = Net::new(Clock::start());
            assert_eq!(notify.farewell((at(1), at(1)), &net, &mut delivered).await, untold);
            assert!(begun.elapsed() <= FAREWELL);
        }
        assert_eq!(well.asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn the_bell_rings_on_the_terminal() {
        let (said, status) = run(How::Terminal(Desktop::Osc777), 100).await;
        assert_eq!(said, ["DOWN core-sw1: no answer"]);
        assert_eq!(status.delivered, 1);
    }

    fn untold(notify: &Notify) -> Vec<&str> {
        notify.left.untold.iter().map(|one| one.alert.target.asset().as_str()).collect()
    }

    #[test]
    fn channels_that_stay_keep_what_they_have_to_say_and_those_that_return_find_it() {
        let (sender, _delivered) = mpsc::channel(8);
        let mut notify = Notify::new(sender);
        let times = (at(0), at(0));
        notify.load(times, &[channel(How::Terminal(Desktop::Osc9))]);
        assert!(notify.take(times, &alert("a")));
        let mut other = channel(How::Terminal(Desktop::Osc9));
        other.rules.most = 1;
        notify.load(times, &[other.clone()]);
        assert_eq!(notify.lines[0].batcher.waiting(), 1);
        notify.load(times, &[]);
        assert!(notify.is_empty() && notify.wake_at().is_none());
        assert_eq!(untold(&notify), ["a"]);
        notify.load(times, &[other]);
        assert_eq!((notify.lines[0].batcher.waiting(), untold(&notify).len()), (1, 0));
    }

    /// What the store would have after all that was noted, as one that is restarted finds it.
    fn on_disk(notify: &mut Notify) -> Outbox {
        let mut outbox = Outbox::default();
        for note in notify.notes() {
            let mut mark = |ids: &[Arc<str>], handed| {
                outbox.untold.iter_mut().filter(|one| ids.contains(&one.id)).for_each(|one| one.handed = handed);
            };
            match note {
                Dispatch::Waits(one) => {
                    outbox.untold.retain(|known| known.id != one.id);
                    outbox.untold.push(one);
                }
                Dispatch::Handed { ids, at, channel, .. } => {
                    mark(&ids, true);
                    outbox.sent.push((channel, at));
                }
                Dispatch::Failed { ids, .. } => mark(&ids, false),
                Dispatch::Settled { ids, .. } => outbox.untold.retain(|one| !ids.contains(&one.id)),
            }
        }
        outbox
    }

    /// A run that has the channel and finds `outbox`.
    fn restarted(how: How, when: Timestamp, outbox: Outbox) -> (Notify, mpsc::Receiver<Delivered>) {
        let (sender, delivered) = mpsc::channel(8);
        let mut notify = Notify::new(sender);
        notify.restore((when, when), outbox);
        notify.load((when, when), &[channel(how)]);
        (notify, delivered)
    }

    #[tokio::test]
    async fn what_waits_or_failed_is_on_disk_and_what_was_taken_is_not() {
        let fails = Arc::new(Fails { times: AtomicU64::new(1), ..Fails::default() });
        let (mut notify, mut delivered) = restarted(How::By(fails), at(0), Outbox::default());
        let net = Net::new(Clock::start());
        notify.take((at(0), at(0)), &alert("a"));
        notify.take((at(0), at(0)), &alert("b"));
        let well = Alert { kind: AlertKind::Recovery, from: Condition::Critical, to: Condition::Ok, ..alert("b") };
        notify.take((at(1), at(1)), &well);
        let mut all = Vec::new();
        let mut known = |notify: &mut Notify| {
            all.extend(notify.notes());
            notify.notes.clone_from(&all);
            on_disk(notify)
                .untold
                .into_iter()
                .map(|one| (one.alert.target.asset().as_str().to_owned(), one.handed))
                .collect::<Vec<_>>()
        };
        let waits = |handed| vec![("a".to_owned(), handed)];
        assert_eq!(known(&mut notify), waits(false), "what came and went is gone");
        for (second, after) in [(15, waits(false)), (20, Vec::new())] {
            notify.start_due(at(second), at(second), &net);
            assert_eq!(known(&mut notify), waits(true), "under way");
            let ended = delivered.recv().await.expect("it ends");
            notify.ended(at(second), at(second), ended);
            assert_eq!(known(&mut notify), after);
        }
    }

    #[tokio::test]
    async fn what_an_earlier_run_left_is_told_once_by_how_things_stand_then() {
        let (mut first, _delivered) = restarted(How::Terminal(Desktop::Osc9), at(0), Outbox::default());
        for name in ["down", "well", "unknown", "gone"] {
            first.take((at(0), at(0)), &alert(name));
        }
        let outbox = on_disk(&mut first);
        let stands = |target: &Target| match target.asset().as_str() {
            "down" => Some(Some(Condition::Critical)),
            "well" => Some(Some(Condition::Ok)),
            "unknown" => Some(None),
            _ => None,
        };
        let net = Net::new(Clock::start());
        for (restart, line) in [
            (60, "DOWN down: no answer (+1 more)"),
            (7200, "4 changes were not delivered in time: down (still DOWN), well, unknown (still DOWN), gone"),
        ] {
            let (mut second, _delivered) = restarted(How::Terminal(Desktop::Osc9), at(restart), outbox.clone());
            assert_eq!(second.wake_at(), Some(at(restart + 15)));
            let due = (at(restart + 15), at(restart + 15));
            second.judge_restored(due, stands);
            let called: Vec<String> = second.start_due(due.0, due.1, &net).into_iter().map(|call| call.words).collect();
            assert_eq!(called, [line]);
            second.notes.splice(0..0, outbox.untold.iter().cloned().map(Dispatch::Waits));
            assert_eq!(on_disk(&mut second).untold, [], "and never again");
        }
    }
}
