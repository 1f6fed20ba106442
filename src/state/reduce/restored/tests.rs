//! A later run, with what this one has kept. Hosts have their stories in `tests/fixtures/scenarios`.

use std::time::Duration;

use proptest::prelude::*;

use super::super::tests::{at, inventory, see, spec, state};
use super::*;
use crate::model::{
    BackupReport, Condition, Facts, Inventory, Job, Observation, Origin, Outcome, Policy, Reading, RestorePoint, Told,
};
use crate::state::event::Event;
use crate::state::view::CheckView;

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
    let checks = s.check(&key).and_then(CheckView::remembered).into_iter().collect();
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
    let one = s.check(&spec("core", "icmp", true).key).and_then(CheckView::remembered).expect("it was seen");
    let mut later = State::new(Policy::default());
    later.reduce(at(60), Event::Restored(vec![one]));
    later.reduce(at(60), Event::Inventory(inventory(&hosts, &[("icmp", true)])));
    assert_eq!(told(&see(&mut later, "core", "icmp", 61, Outcome::Ok)), [Condition::Ok]);
}

/// What a check says, and how long after the one before.
type Heard = (Outcome, u64);

fn any_results() -> impl Strategy<Value = Vec<Heard>> {
    prop::collection::vec((prop_oneof![1 => Just(Outcome::Ok), 2 => Just(Outcome::Critical)], 1_u64..20), 0..24)
}

/// Takes results in, from then on; what is told.
fn hear(s: &mut State, secs: &mut u64, results: &[Heard]) -> Vec<Condition> {
    let mut heard = Vec::new();
    for (outcome, later) in results {
        *secs += later;
        heard.extend(told(&see(s, "a", "icmp", *secs, *outcome)));
    }
    heard
}

/// Nothing flaps: what is told is all there is.
fn watching() -> State {
    let mut s = State::new(Policy { flapping: None, ..Policy::default() });
    s.reduce(at(0), Event::Inventory(inventory(&[("a", &[][..])], &[("icmp", true)])));
    s
}

/// What a later run tells that is given the store behind so many of its results.
fn resumed(kept: &State, mut secs: u64, results: &[Heard], behind: usize) -> Vec<Condition> {
    let mut later = watching();
    let (before, after) = results.split_at(behind);
    let mut heard = hear(&mut later, &mut secs, before);
    let asset = kept.asset(&Subject::Host(AssetId::new("a"))).into_iter().collect();
    let known = kept.check(&spec("a", "icmp", true).key).and_then(CheckView::remembered).into_iter().collect();
    for event in [Event::RestoredAssets(asset), Event::Restored(known)] {
        heard.extend(told(&later.reduce(at(secs), event)));
    }
    heard.extend(hear(&mut later, &mut secs, after));
    heard
}

proptest! {
    /// Whenever the store is read, no more is told than if it had been read in time, and the end of what was told is told.
    #[test]
    fn a_store_that_is_late_tells_nothing_more(
        first in any_results(),
        second in any_results(),
        place in any::<prop::sample::Index>(),
    ) {
        let (mut s, mut secs) = (watching(), 0);
        let before = hear(&mut s, &mut secs, &first);
        // It is well in the end, with the store read.
        let second: Vec<Heard> = second.into_iter().chain([(Outcome::Ok, 60), (Outcome::Ok, 60)]).collect();
        let early = resumed(&s, secs + 5, &second, 0);
        let late = resumed(&s, secs + 5, &second, place.index(second.len()));
        prop_assert!(late.len() <= early.len(), "{:?}, then {:?}; it is {:?} with the store in time", before, late, early);
        let last = before.iter().chain(&late).next_back().copied().unwrap_or(Condition::Ok);
        prop_assert_eq!(last, Condition::Ok, "{:?}, then {:?}", before, late);
    }
}
