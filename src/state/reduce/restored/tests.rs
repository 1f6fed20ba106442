//! A later run, with what this one has kept. Hosts have their stories in `tests/fixtures/scenarios`.

use std::time::Duration;

use proptest::prelude::*;

use super::super::tests::{at, condition, inventory, see, spec, state};
use super::*;
use crate::model::{
    BackupReport, Facts, Inventory, Job, Observation, Origin, Outcome, Policy, Reading, RestorePoint, Told,
};
use crate::state::event::Event;

const HOUR: u64 = 3_600;

fn jobs() -> Arc<Inventory> {
    let id = AssetId::new("nightly");
    let mut check = (*spec("nightly", "restic", false)).clone();
    check.key.subject = Subject::Job(id.clone());
    let job = Job {
        id,
        name: "nightly".into(),
        kind: "restic".into(),
        repository: "/srv/restic".into(),
        protects: Vec::new(),
        schedule: None,
        grace: None,
        rpo: Some(Duration::from_secs(24 * HOUR)),
        rto: None,
        origin: Origin::Config,
        not_probed: None,
        runbook: None,
    };
    Arc::new(Inventory { jobs: vec![Arc::new(job)], checks: vec![Arc::new(check)], ..Inventory::default() })
}

/// A report whose only restore point is so many hours old; what is told then.
fn read(s: &mut State, secs: u64, hours: u64) -> Vec<Condition> {
    let point = RestorePoint {
        id: "1".into(),
        at: at(secs).minus(Duration::from_secs(hours * HOUR)),
        host: "db01".into(),
        paths: Vec::new(),
        tags: Vec::new(),
        bytes: None,
    };
    let report = BackupReport {
        collected_at: at(secs),
        points: vec![point],
        total_points: 1,
        locks: Vec::new(),
        tool_version: None,
        damage: Vec::new(),
        warnings: Vec::new(),
    };
    let check = CheckKey { subject: Subject::Job(AssetId::new("nightly")), name: "restic".into() };
    let reading = Reading::ok("1 restore point").facts(Facts::Backup(report.into()));
    told(&s.reduce(at(secs), Event::Observed(Observation { check, at: at(secs), took: Duration::ZERO, reading })))
}

fn told(effects: &[Effect]) -> Vec<Condition> {
    let announced = |effect: &Effect| if let Effect::Announce { to, .. } = effect { Some(*to) } else { None };
    effects.iter().filter_map(announced).collect()
}

/// With the store before the inventory, or behind it and a first result.
fn again(s: &State, secs: u64) -> (State, Vec<Condition>) {
    let mut later = State::new(Policy::default());
    let key = CheckKey { subject: Subject::Job(AssetId::new("nightly")), name: "restic".into() };
    let kept = s.asset(&key.subject).into_iter().collect();
    let checks = s.remembered(&key).into_iter().collect();
    let mut effects = later.reduce(at(secs), Event::RestoredAssets(kept));
    effects.extend(later.reduce(at(secs), Event::Restored(checks)));
    effects.extend(later.reduce(at(secs), Event::Inventory(jobs())));
    (later, told(&effects))
}

#[test]
fn what_was_told_of_a_backup_is_known_to_a_later_run() {
    let mut s = State::new(Policy::default());
    s.reduce(at(0), Event::Inventory(jobs()));
    assert_eq!(read(&mut s, 1, 30), [], "how it is found is no news");
    let (mut later, found) = again(&s, 100);
    assert_eq!((found, read(&mut later, 101, 1)), (vec![], vec![]), "nobody was told of it");
    assert_eq!(read(&mut later, 201, 30), [Condition::Critical]);
    let (mut later, found) = again(&later, 300);
    assert_eq!((found, read(&mut later, 301, 31)), (vec![], vec![]), "that was told");
    assert_eq!(read(&mut later, 401, 1), [Condition::Ok]);
    // While nobody looked it fell behind: that is told once its repository was read, and not before.
    let (mut later, found) = again(&later, 30 * HOUR);
    assert_eq!((found, read(&mut later, 30 * HOUR + 1, 31)), (vec![], vec![Condition::Critical]));
}

#[test]
fn a_store_without_what_was_told_is_guessed_from_as_ever() {
    let hosts = [("core", &[][..])];
    let mut s = state(&hosts, &[("icmp", true)]);
    see(&mut s, "core", "icmp", 1, Outcome::Ok);
    super::super::tests::down(&mut s, "core", 40);
    let kept = s.asset(&Subject::Host(AssetId::new("core"))).expect("it was told");
    let checks = [("icmp".into(), Condition::Critical)];
    let was = Told { condition: Some(Condition::Critical), down: true, ..Told::default() };
    assert!(kept.told == was || kept.told == Told { checks: checks.into(), ..was }, "{kept:?}");
    let one = s.remembered(&spec("core", "icmp", true).key).expect("it was seen");
    let mut later = State::new(Policy::default());
    later.reduce(at(60), Event::Restored(vec![one]));
    later.reduce(at(60), Event::Inventory(inventory(&hosts, &[("icmp", true)])));
    assert_eq!(told(&see(&mut later, "core", "icmp", 61, Outcome::Ok)), [Condition::Ok]);
}

#[test]
fn who_serves_and_leaves_echoes_unanswered_is_not_down_by_the_first_lost_echo_of_a_later_run() {
    let (hosts, checks) = ([("a", &[][..])], [("icmp", true), ("http", false)]);
    let mut s = state(&hosts, &checks);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    for secs in 20..30 {
        let (check, outcome) = if secs % 2 == 0 { ("http", Outcome::Ok) } else { ("icmp", Outcome::Critical) };
        see(&mut s, "a", check, secs, outcome);
    }
    see(&mut s, "a", "http", 30, Outcome::Ok);
    assert_eq!(condition(&mut s, "a", 30), Condition::Unknown);
    let mut later = State::new(Policy::default());
    let known = checks.iter().filter_map(|(name, life)| s.remembered(&spec("a", name, *life).key)).collect();
    later.reduce(at(600), Event::RestoredAssets(s.asset(&Subject::Host(AssetId::new("a"))).into_iter().collect()));
    later.reduce(at(600), Event::Restored(known));
    later.reduce(at(600), Event::Inventory(inventory(&hosts, &checks)));
    assert_eq!(told(&see(&mut later, "a", "icmp", 601, Outcome::Critical)), []);
    assert_eq!(condition(&mut later, "a", 601), Condition::Unknown);
    assert_eq!(told(&see(&mut later, "a", "http", 602, Outcome::Ok)), []);
    // Without that it is.
    let all: Vec<Condition> =
        (603..606).flat_map(|secs| told(&see(&mut later, "a", "http", secs, Outcome::Critical))).collect();
    assert_eq!(all, [Condition::Critical]);
}

/// What a check says, and how long after the one before.
type Heard = (&'static str, Outcome, u64);

/// One that proves life, another, and two services.
const CHECKS: [(&str, bool); 4] = [("icmp", true), ("snmp", true), ("http", false), ("disk", false)];

fn any_results() -> impl Strategy<Value = Vec<Heard>> {
    let outcome = prop_oneof![1 => Just(Outcome::Ok), 2 => Just(Outcome::Critical)];
    let check = prop::sample::select(CHECKS.map(|(name, _)| name).to_vec());
    prop::collection::vec((check, outcome, 1_u64..20), 0..40)
}

/// Each of so many checks, so often, one after the other.
fn rounds(count: usize, checks: &[(&'static str, Outcome)]) -> Vec<Heard> {
    let round = checks.iter().map(|(name, outcome)| (*name, *outcome, 2));
    std::iter::repeat_n(round, count).flatten().collect()
}

/// Those of the checks that this place has.
fn of_the_first(count: usize, results: Vec<Heard>) -> Vec<Heard> {
    results.into_iter().filter(|(name, ..)| CHECKS[..count].iter().any(|(check, _)| check == name)).collect()
}

/// Takes results in, from then on; what is told.
fn hear(s: &mut State, secs: &mut u64, results: &[Heard]) -> Vec<Condition> {
    let mut heard = Vec::new();
    for (name, outcome, later) in results {
        *secs += later;
        heard.extend(told(&see(s, "a", name, *secs, *outcome)));
    }
    heard
}

/// Nothing flaps: what is told is all there is.
fn watching(count: usize, attempts: u8) -> State {
    let mut s = State::new(Policy { flapping: None, ..Policy::default() });
    let mut inventory = (*inventory(&[("a", &[][..])], &CHECKS[..count])).clone();
    for spec in &mut inventory.checks {
        Arc::make_mut(spec).attempts = attempts;
    }
    s.reduce(at(0), Event::Inventory(Arc::new(inventory)));
    s
}

/// What a later run tells that is given the store behind so many of its results, and how the host stands then.
fn resumed(kept: &State, mut secs: u64, results: &[Heard], behind: usize) -> (Vec<Condition>, Condition) {
    let (count, attempts) = (kept.specs().len(), kept.specs()[0].attempts);
    let mut later = watching(count, attempts);
    let (before, after) = results.split_at(behind);
    let mut heard = hear(&mut later, &mut secs, before);
    let asset = kept.asset(&Subject::Host(AssetId::new("a"))).into_iter().collect();
    let known =
        CHECKS[..count].iter().filter_map(|(name, life)| kept.remembered(&spec("a", name, *life).key)).collect();
    for event in [Event::RestoredAssets(asset), Event::Restored(known)] {
        heard.extend(told(&later.reduce(at(secs), event)));
    }
    heard.extend(hear(&mut later, &mut secs, after));
    (heard, condition(&mut later, "a", secs))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whenever the store is read, no more is told than if it had been read in time, and the end of what was told is told. Of a host
    /// with one check: of several, what breaks before the eyes of a run that knows nothing yet is news of its own.
    #[test]
    fn a_store_that_is_late_tells_nothing_more(
        first in any_results(),
        second in any_results(),
        place in any::<prop::sample::Index>(),
    ) {
        let (first, second) = (of_the_first(1, first), of_the_first(1, second));
        let (mut s, mut secs) = (watching(1, 3), 0);
        let before = hear(&mut s, &mut secs, &first);
        // It is well in the end, with the store read.
        let second: Vec<Heard> = second.into_iter().chain(rounds(2, &[("icmp", Outcome::Ok)])).collect();
        let place = place.index(second.len());
        let (early, _) = resumed(&s, secs + 5, &second, 0);
        let (late, _) = resumed(&s, secs + 5, &second, place);
        prop_assert!(late.len() <= early.len(), "{:?}, then {:?}; it is {:?} with the store in time", before, late, early);
        let last = before.iter().chain(&late).next_back().copied().unwrap_or(Condition::Ok);
        prop_assert_eq!(last, Condition::Ok, "{:?}, then {:?}", before, late);
    }

    /// Wherever a run ends, what it has not told and still holds is told by the next one, and what it has told is not.
    #[test]
    fn a_restart_loses_nothing_and_tells_nothing_twice(
        count in 1..=CHECKS.len(),
        first in any_results(),
        bad in prop::collection::vec(any::<bool>(), CHECKS.len()),
        attempts in prop::sample::select(vec![1_u8, 3]),
    ) {
        let first = of_the_first(count, first);
        let (mut s, mut secs) = (watching(count, attempts), 0);
        let names = CHECKS[..count].iter().map(|(name, _)| *name);
        // What was never seen to be right is told by nobody.
        let well: Vec<_> = names.clone().map(|name| (name, Outcome::Ok)).collect();
        let before = hear(&mut s, &mut secs, &rounds(1, &well));
        prop_assert_eq!(&before, &[]);
        let before = hear(&mut s, &mut secs, &first);
        let broken = bad[..count].iter().filter(|bad| **bad).count();
        let outcome = |bad: bool| if bad { Outcome::Critical } else { Outcome::Ok };
        let holds: Vec<_> = names.zip(bad).map(|(name, bad)| (name, outcome(bad))).collect();
        let holds = rounds(6, &holds);
        let (after, stands) = resumed(&s, secs + 5, &holds, 0);
        secs += 5;
        let through = hear(&mut s, &mut secs, &holds);
        prop_assert_eq!(stands, condition(&mut s, "a", secs));
        // Two that break together are told apart at the most.
        let problems = |told: &[Condition]| told.iter().filter(|condition| condition.is_problem()).count();
        let most = problems(&through).max(broken);
        prop_assert!(problems(&after) <= most, "{:?}, then {:?}; without a restart {:?}", before, after, through);
        let last = before.iter().chain(&after).next_back().copied().unwrap_or(Condition::Ok);
        prop_assert_eq!(last, stands, "{:?}, then {:?}", before, after);
        // All of it is told by now.
        let again = resumed(&s, secs + 5, &holds, 0);
        prop_assert_eq!(again, (vec![], stands));
    }
}
