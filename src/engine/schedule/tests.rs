//! What is due when, in rhythms and in rounds; nothing here waits.

use super::*;
use crate::model::{Reading, Subject};

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
        interval: Duration::from_secs(secs),
        decides_reachability: true,
        ..CheckSpec::sample(Subject::Host(AssetId::new(host)), kind)
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
    let run = Observation { check: begun.key.clone(), at: at(300), took: Duration::ZERO, reading: Reading::ok("here") };
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
        let within = |name: &str, from: u64, to: u64| runs[name].iter().filter(|ms| (from..to).contains(ms)).count();
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
    assert_eq!(keys.iter().map(|k| k.subject.id().as_str()).collect::<Vec<_>>(), ["a"], "ten seconds after its last");
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
