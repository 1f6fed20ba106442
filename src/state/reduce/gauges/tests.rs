//! Limits of the operator's own, through the reducer.

use std::time::Duration;

use super::super::tests::{T0, at, inventory};
use super::*;
use crate::model::{AssetId, Flap, Policy, Reading, Remembered, Subject};
use crate::state::{Effect, Event, State};

fn key() -> CheckKey {
    CheckKey { subject: Subject::Host(AssetId::new("a")), name: "disk".into() }
}

fn limited() -> Event {
    let mut inventory = (*inventory(&[("a", &[])], &[("disk", false)])).clone();
    let threshold =
        Threshold { metric: "used".into(), side: Side::Above, warning: Some(80.0), critical: Some(90.0), base: None };
    inventory.thresholds.insert(key(), Arc::from([threshold]));
    Event::Inventory(Arc::new(inventory))
}

fn reading(used: Option<f64>) -> Reading {
    let reading = Reading::ok("3 disks");
    if let Some(used) = used { reading.metric("used", used, Unit::Percent) } else { reading }
}

fn see(state: &mut State, secs: u64, used: Option<f64>) -> Vec<Effect> {
    let observation = Observation { check: key(), at: at(secs), took: Duration::ZERO, reading: reading(used) };
    state.reduce(at(secs), Event::Observed(observation))
}

fn stands(state: &mut State, secs: u64) -> (Condition, String) {
    let snapshot = state.publish(at(secs));
    (
        snapshot.hosts[0].condition,
        snapshot.problems.first().map_or(String::new(), |p| format!("{}: {}", p.word, p.reason.line())),
    )
}

fn told(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Announce { .. })).count()
}

#[test]
fn a_limit_makes_a_problem_with_the_second_look_and_ends_it_with_the_third_inside() {
    let mut s = State::new(Policy::default());
    s.reduce(T0, limited());
    see(&mut s, 1, Some(10.0));
    assert_eq!(told(&see(&mut s, 2, Some(85.0))), 0);
    assert_eq!(told(&see(&mut s, 3, Some(86.0))), 1, "believed at once: it was seen twice");
    assert_eq!(
        stands(&mut s, 3),
        (Condition::Warning, "WARNING: used 86.0 %, warning from 80.0 % · 3 disks".to_owned())
    );
    let mut all = see(&mut s, 4, Some(78.0));
    all.extend(see(&mut s, 5, Some(60.0)));
    all.extend(see(&mut s, 6, Some(60.0)));
    assert_eq!((told(&all), stands(&mut s, 6).0), (0, Condition::Warning));
    assert_eq!(told(&see(&mut s, 7, Some(60.0))), 1);
    assert_eq!(stands(&mut s, 7), (Condition::Ok, String::new()));
}

#[test]
fn a_number_that_used_to_come_is_no_data_and_never_good() {
    let mut s = State::new(Policy::default());
    s.reduce(T0, limited());
    see(&mut s, 1, None);
    assert_eq!(stands(&mut s, 1).0, Condition::Ok, "it never came");
    see(&mut s, 2, Some(10.0));
    see(&mut s, 3, None);
    see(&mut s, 4, None);
    let expected = (Condition::Unknown, "NO DATA: no data for used, which used to come · 3 disks".to_owned());
    assert_eq!(stands(&mut s, 4), expected);
    see(&mut s, 5, Some(10.0));
    assert_eq!(stands(&mut s, 5).0, Condition::Ok);
}

#[test]
fn a_restart_goes_on_with_what_stood() {
    let observation = Observation { check: key(), at: T0, took: Duration::ZERO, reading: reading(Some(85.0)) };
    let (condition, flap) = (Condition::Warning, Flap::default());
    let one = Remembered { check: key(), condition, since: T0, last_good: None, observation, flap };
    let mut s = State::new(Policy::default());
    let mut all = s.reduce(at(1), Event::Restored(vec![one]));
    all.extend(s.reduce(at(1), limited()));
    for secs in 2..6 {
        all.extend(see(&mut s, secs, Some(78.0)));
    }
    assert_eq!((told(&all), stands(&mut s, 6).0), (0, Condition::Warning), "not left yet, and not told again");
}

#[test]
fn a_reload_with_the_same_limits_begins_nothing_anew() {
    let mut s = State::new(Policy::default());
    s.reduce(T0, limited());
    see(&mut s, 1, Some(85.0));
    s.reduce(at(2), limited());
    see(&mut s, 3, Some(85.0));
    assert_eq!(stands(&mut s, 3).0, Condition::Warning, "the look before the reload counts");
}
