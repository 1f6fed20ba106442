//! Channels over simulated time: hours, reminders, what fails, and what a restart finds.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::base::{Clock, Untrusted};
use crate::model::{AlertKind, AssetId, Desktop, Hours, Schedule, Span};
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
        hours: Hours::default(),
        repeat: None,
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
struct Panics;

impl Deliver for Panics {
    fn deliver<'a>(&'a self, _: &'a Cx, batch: &'a Batch) -> Delivering<'a> {
        assert!(batch.ids().is_empty(), "an answer of another kind");
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn a_channel_that_panics_is_said_to_fail_and_is_tried_again_like_any_other() {
    let (said, status) = run(How::By(Arc::new(Panics)), 100_000).await;
    assert_eq!(said[0], "ops does not get through: internal error: an answer of another kind");
    assert_eq!(said[1], "ops gave up on 1 changes: internal error: an answer of another kind");
    assert_eq!((status.delivered, status.lost), (0, 1));
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
            Dispatch::Told { channel, targets, at } => {
                outbox.told.retain(|(_, target, _)| !targets.contains(target));
                outbox.told.extend(targets.into_iter().map(|target| (channel.clone(), target, at)));
            }
            Dispatch::Over { targets, .. } => outbox.told.retain(|(_, target, _)| !targets.contains(target)),
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

/// From eight to six on working days, in a zone an hour ahead of UTC in winter.
fn office() -> Hours {
    let schedule = Schedule { cron: "0 8 * * 1-5".into(), timezone: "Europe/Berlin".into() };
    let span = Span::Recurring { schedule, lasts: Duration::from_hours(10) };
    Hours { active: vec![span], mute: Vec::new() }
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{text}:00Z")).expect("a time")
}

/// What a run that finds `outbox` at `begin` says until `end`, going from wake-up to wake-up; all but `over` stands.
fn says(
    channel: &Channel,
    begin: Timestamp,
    end: Timestamp,
    outbox: Outbox,
    over: &str,
    alerts: &[(Timestamp, Alert)],
) -> (Vec<String>, Outbox, Notify) {
    let (sender, _delivered) = mpsc::channel(8);
    let mut notify = Notify::new(sender);
    let kept: Vec<Dispatch> = outbox.untold.iter().cloned().map(Dispatch::Waits).collect();
    let told = outbox.told.iter().map(|(channel, target, at)| Dispatch::Told {
        channel: channel.clone(),
        targets: vec![target.clone()],
        at: *at,
    });
    let kept: Vec<Dispatch> = kept.into_iter().chain(told).collect();
    notify.restore((begin, begin), outbox);
    notify.load((begin, begin), std::slice::from_ref(channel));
    notify.notes.splice(0..0, kept);
    let net = Net::new(Clock::start());
    let (mut said, mut now, mut alerts) = (Vec::new(), begin, alerts.iter().peekable());
    let is_over = |target: &Target| over.split(' ').any(|name| name == target.asset().as_str());
    loop {
        notify.look_at_hours((now, now));
        while let Some((at, alert)) = alerts.next_if(|(at, _)| *at <= now) {
            notify.take((now, now), &Alert { at: *at, ..alert.clone() });
        }
        let ask = |target: &Target| match target.asset().as_str() {
            _ if is_over(target) => Standing::Over,
            "owned" => Standing::Quiet,
            name => Standing::Stands(Alert { kind: AlertKind::Reminder, from: Condition::Critical, ..alert(name) }),
        };
        notify.remind((now, now), ask);
        notify.leave_out(now, is_over);
        notify.judge_restored((now, now), |target| {
            Some(Some(if is_over(target) { Condition::Ok } else { Condition::Critical }))
        });
        let rings = notify.start_due(now, now, &net);
        said.extend(rings.into_iter().map(|call| format!("{} {}", &now.rfc3339()[5..16], call.words)));
        let next = [notify.wake_at(), alerts.peek().map(|(at, _)| *at)].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= end) else { break };
        assert!(next > now, "it goes on: {next}");
        now = next;
    }
    let outbox = on_disk(&mut notify);
    (said, outbox, notify)
}

fn bell() -> Channel {
    channel(How::Terminal(Desktop::Osc9))
}

#[tokio::test]
async fn what_falls_into_closed_hours_is_told_when_they_open_if_it_still_stands() {
    let channel = Channel { hours: office(), ..bell() };
    let well = |name| Alert { kind: AlertKind::Recovery, from: Condition::Critical, to: Condition::Ok, ..alert(name) };
    let (friday, night, monday) = (time("2026-11-27T16:59"), time("2026-11-28T02:00"), time("2026-11-30T09:00"));
    let alerts = [
        (friday, alert("told")),
        (night, alert("stands")),
        (night, alert("passes")),
        (night.plus(Duration::from_secs(60)), well("passes")),
        (night.plus(Duration::from_secs(60)), well("told")),
        (night, alert("silent-end")),
    ];
    let (said, _, notify) = says(&channel, friday, monday, Outbox::default(), "silent-end", &alerts);
    assert_eq!(said, ["11-27T16:59 DOWN told: no answer", "11-30T07:00 DOWN stands: no answer (+1 more)"]);
    assert_eq!(notify.statuses()[0].quiet_until, None);
    // Seen in the middle of the night, over a restart; what began and passed before it is told by nobody either.
    let (said, outbox, notify) =
        says(&channel, night, night.plus(Duration::from_secs(3600)), Outbox::default(), "", &alerts[1..3]);
    assert_eq!((said.len(), notify.statuses()[0].quiet_until), (0, Some(time("2026-11-30T07:00"))));
    assert_eq!(outbox.untold.len(), 2);
    let again = [(night.plus(Duration::from_secs(9_000)), well("passes"))];
    let (said, outbox, _) = says(&channel, night.plus(Duration::from_secs(7_200)), monday, outbox, "", &again);
    assert_eq!(said, ["11-30T07:00 DOWN stands: no answer"]);
    assert_eq!(outbox.untold, []);
}

#[tokio::test]
async fn what_noctty_slept_through_the_opening_of_the_hours_is_late_after_an_hour_only() {
    let channel = Channel { hours: office(), ..bell() };
    let night = time("2026-11-30T02:00");
    let (_, outbox, _) = says(&channel, night, night, Outbox::default(), "", &[(night, alert("a"))]);
    for (begin, want) in [
        ("2026-11-30T07:30", "11-30T07:30 DOWN a: no answer"),
        ("2026-11-30T09:00", "11-30T09:00 1 change was not delivered in time: a (still DOWN)"),
    ] {
        let begin = time(begin);
        let (said, ..) = says(&channel, begin, begin.plus(Duration::from_secs(60)), outbox.clone(), "", &[]);
        assert_eq!(said, [want]);
    }
}

#[tokio::test]
async fn the_end_tells_nothing_that_waits_for_its_hours() {
    let (sender, mut delivered) = mpsc::channel(8);
    let mut notify = Notify::new(sender);
    let night = time("2026-11-28T02:00");
    notify.load((night, night), &[Channel { hours: office(), ..bell() }]);
    notify.take((night, night), &alert("a"));
    let net = Net::new(Clock::start());
    assert_eq!(notify.farewell((night, night), &net, &mut delivered).await, 1);
    assert_eq!(on_disk(&mut notify).untold.len(), 1);
}

#[tokio::test]
async fn a_problem_that_stands_is_told_again_until_somebody_has_it_or_it_is_over() {
    let channel = Channel { repeat: Some(Duration::from_hours(4)), ..bell() };
    let begin = time("2026-11-27T10:00");
    let alerts = [(begin, alert("a")), (begin, alert("owned"))];
    let (said, outbox, _) = says(&channel, begin, time("2026-11-27T19:00"), Outbox::default(), "", &alerts);
    let again = |at: &str| format!("11-27T{at} STILL DOWN a: no answer");
    assert_eq!(said, ["11-27T10:00 DOWN a: no answer (+1 more)".to_owned(), again("14:00"), again("18:00")]);
    assert_eq!(outbox.told.len(), 2);
    // A restart repeats nothing early, and forgets nothing.
    let (said, outbox, _) = says(&channel, time("2026-11-27T19:30"), time("2026-11-27T22:30"), outbox, "", &[]);
    assert_eq!(said, [again("22:01")]);
    // What was due meanwhile is told at once, what is over by then no more.
    let (said, after, _) = says(&channel, time("2026-11-28T09:00"), time("2026-11-28T09:10"), outbox.clone(), "", &[]);
    assert_eq!(said, ["11-28T09:00 STILL DOWN a: no answer"]);
    assert_eq!(after.told.len(), 2);
    let (said, after, _) = says(&channel, time("2026-11-28T09:00"), time("2026-11-28T19:10"), outbox, "a owned", &[]);
    assert_eq!((said, after.told), (Vec::new(), Vec::new()));
    let (said, ..) = says(&bell(), begin, time("2026-11-28T19:00"), Outbox::default(), "", &alerts);
    assert_eq!(said.len(), 1, "unless it is asked for");
}
