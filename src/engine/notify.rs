//! Channels to people: takes alerts in, lets each channel's message go when it is due, tries again where it did not
//! get there, and says how every channel stands. A channel that hangs holds up nobody else.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::base::Timestamp;
use crate::bus::Call;
use crate::model::{Alert, ChannelStatus};
use crate::net::Net;
use crate::notify::{Batch, Batcher, Channel, Cx, How, subject};

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
    delivered: mpsc::Sender<Delivered>,
    tasks: JoinSet<()>,
}

impl Notify {
    pub fn new(delivered: mpsc::Sender<Delivered>) -> Self {
        Self { lines: Vec::new(), delivered, tasks: JoinSet::new() }
    }

    /// The channels in force. One that stays keeps what it has to say.
    pub fn load(&mut self, channels: &[Channel]) {
        let mut old = std::mem::take(&mut self.lines);
        for channel in channels {
            let known =
                old.iter().position(|line| line.channel.name == channel.name && line.channel.kind == channel.kind);
            self.lines.push(match known.map(|at| old.swap_remove(at)) {
                Some(line) if line.channel.rules == channel.rules => Line { channel: channel.clone(), ..line },
                _ => Line::new(channel.clone()),
            });
        }
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub fn take(&mut self, now: Timestamp, alert: &Alert) {
        for line in self.lines.iter_mut().filter(|line| line.channel.filter.takes(alert)) {
            line.batcher.take(now, alert.clone());
            line.status.waiting = line.batcher.waiting();
        }
    }

    pub fn wake_at(&self) -> Option<Timestamp> {
        self.lines.iter().filter_map(Line::wake_at).min()
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
            match &line.channel.how {
                How::Terminal(desktop) => {
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
        match result {
            Ok(()) => {
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
                    return first.then(|| format!("{name} does not get through: {why}"));
                }
                let lost = line.in_hand.take().map_or(0, |batch| batch.alerts.len());
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
        let untold = |line: &Line| line.batcher.waiting() + line.in_hand.as_ref().map_or(0, |batch| batch.alerts.len());
        self.lines.iter().map(untold).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::base::{Clock, Untrusted};
    use crate::model::{AlertKind, AssetId, Condition, Desktop, Target};
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
        notify.load(&[channel(how)]);
        let net = Net::new(Clock::start());
        let at = Timestamp::from_secs;
        notify.take(at(0), &alert("core-sw1"));
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
            notify.load(&[channel(how)]);
            let at = Timestamp::from_secs;
            notify.take(at(0), &alert("core-sw1"));
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

    #[test]
    fn channels_that_stay_keep_what_they_have_to_say() {
        let (sender, _delivered) = mpsc::channel(8);
        let mut notify = Notify::new(sender);
        notify.load(&[channel(How::Terminal(Desktop::Osc9))]);
        notify.take(Timestamp::from_secs(0), &alert("a"));
        notify.load(&[channel(How::Terminal(Desktop::Osc9))]);
        assert_eq!(notify.lines[0].batcher.waiting(), 1);
        notify.load(&[]);
        assert!(notify.is_empty() && notify.wake_at().is_none());
    }
}
