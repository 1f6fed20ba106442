//! The schedule and the rules together: a simulated network in simulated time. Whatever the moment at which
//! something dies, one cause is one alarm, and nobody hears of it late.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::schedule::Schedule;
use crate::base::Timestamp;
use crate::model::{
    AssetId, CheckKey, CheckSpec, Condition, Host, Inventory, Observation, Origin, Policy, Reading, Subject, Wire,
};
use crate::state::{Effect, Event, State};

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn at(ms: u64) -> Timestamp {
    T0.plus(Duration::from_millis(ms))
}

/// Hosts with what they hang on, and when each is switched off: from, to.
struct World {
    hosts: Vec<(String, Vec<String>)>,
    dead: BTreeMap<String, (u64, u64)>,
}

impl World {
    /// A core, `dists` on it, `leaves` on each of those; the names differ with the seed, and with them the phases.
    fn tree(seed: u64, dists: usize, leaves: usize) -> Self {
        let mut hosts = vec![("core".to_owned(), Vec::new())];
        for d in 0..dists {
            let dist = format!("dist{d}-{seed}");
            hosts.push((dist.clone(), vec!["core".to_owned()]));
            hosts.extend((0..leaves).map(|l| (format!("leaf{d}.{l}-{seed}"), vec![dist.clone()])));
        }
        Self { hosts, dead: BTreeMap::new() }
    }

    fn dies(mut self, host: usize, from: u64, to: u64) -> Self {
        let name = self.hosts[host].0.clone();
        self.dead.insert(name, (from, to));
        self
    }

    /// Reached at that moment: it is on, and so is one of those that it hangs on.
    fn answers(&self, host: &str, ms: u64) -> bool {
        let on = self.dead.get(host).is_none_or(|(from, to)| ms < *from || ms >= *to);
        let parents = self.hosts.iter().find(|(name, _)| name == host).map(|(_, parents)| parents);
        on && parents.is_none_or(|parents| parents.is_empty() || parents.iter().any(|p| self.answers(p, ms)))
    }

    fn inventory(&self) -> Inventory {
        let mut out = Inventory::default();
        for (name, parents) in &self.hosts {
            let mut host = Host::new(name, Some("192.0.2.1"), Origin::Config);
            host.parents = parents.iter().map(AssetId::new).collect();
            out.hosts.push(Arc::new(host));
            for (kind, secs) in [("icmp", 30), ("snmp", 60)] {
                out.checks.push(Arc::new(CheckSpec {
                    key: CheckKey { subject: Subject::Host(AssetId::new(name)), name: kind.into() },
                    kind: kind.into(),
                    interval: Duration::from_secs(secs),
                    timeout: Duration::from_secs(2),
                    retry_interval: Duration::from_secs(1),
                    attempts: 3,
                    decides_reachability: true,
                    fixed_pace: false,
                    waits_for: None,
                    wire: Wire { protocol: "t".into(), destination: "".into() },
                }));
            }
        }
        out
    }

    /// Lives for a time; what was announced, and when, in milliseconds.
    fn live(&self, ms: u64) -> Vec<(u64, String, Condition)> {
        let mut state = State::new(Policy::default());
        let mut schedule = Schedule::default();
        let inventory = self.inventory();
        schedule.load(inventory.checks.iter().cloned(), T0, |_| None);
        state.reduce(T0, Event::Inventory(Arc::new(inventory)));
        let mut running: BinaryHeap<Reverse<(Timestamp, CheckKey, bool, Timestamp)>> = BinaryHeap::new();
        let mut announced = Vec::new();
        loop {
            let ends = running.peek().map(|Reverse((at, ..))| *at);
            let Some(now) = [ends, schedule.next_due(), state.next_deadline()].into_iter().flatten().min() else {
                break;
            };
            if now > at(ms) {
                break;
            }
            let mut effects = Vec::new();
            while let Some(Reverse((ended, key, good, begun))) = running.pop() {
                if ended > now {
                    running.push(Reverse((ended, key, good, begun)));
                    break;
                }
                schedule.finished(&key, now);
                let reading = if good { Reading::ok("here") } else { Reading::critical("no answer") };
                let observation = Observation { check: key, at: now, took: now.since(begun), reading };
                effects.extend(state.reduce(now, Event::Observed(observation)));
            }
            if state.next_deadline().is_some_and(|at| at <= now) {
                effects.extend(state.reduce(now, Event::Tick));
            }
            for effect in effects {
                match effect {
                    Effect::Retry(key) => schedule.retry(&key, now),
                    Effect::Ask(key) => schedule.ask(&key, now, Duration::ZERO),
                    Effect::Remember(_) | Effect::RememberDevice(_) | Effect::Look(_) | Effect::Release { .. } => {}
                    Effect::Announce { asset, to, .. } => {
                        let ms = u64::try_from(now.since(T0).as_millis()).expect("small");
                        announced.push((ms, asset.as_str().to_owned(), to));
                    }
                }
            }
            while let Some(spec) = schedule.start_next(now) {
                let ms = u64::try_from(now.since(T0).as_millis()).expect("small");
                let good = self.answers(spec.key.subject.id().as_str(), ms);
                let took = if good { Duration::from_millis(30) } else { spec.timeout };
                running.push(Reverse((now.plus(took), spec.key.clone(), good, now)));
            }
        }
        announced
    }
}

fn told(announced: &[(u64, String, Condition)]) -> Vec<(&str, Condition)> {
    announced.iter().map(|(_, host, to)| (host.as_str(), *to)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_core_that_dies_and_comes_back_is_told_twice_and_nothing_else_is(
        seed in 0u64..1_000, dists in 1usize..4, leaves in 0usize..5, from in 100_000u64..160_000, lasts in 60_000u64..150_000
    ) {
        let announced = World::tree(seed, dists, leaves).dies(0, from, from + lasts).live(from + lasts + 200_000);
        prop_assert_eq!(told(&announced), [("core", Condition::Critical), ("core", Condition::Ok)]);
        // At the next turn of any of them, at the latest of its own: three attempts of two seconds and what lies between.
        prop_assert!(announced[0].0 <= from + 30_000 + 12_000, "{} after {from}", announced[0].0);
        prop_assert!(announced[1].0 <= from + lasts + 31_000, "{} after {}", announced[1].0, from + lasts);
    }

    #[test]
    fn a_leaf_that_dies_alone_is_told_as_soon_as_if_it_hung_on_nothing(
        seed in 0u64..1_000, from in 100_000u64..160_000
    ) {
        let world = World::tree(seed, 2, 3).dies(2, from, u64::MAX);
        let mut free = World::tree(seed, 2, 3).dies(2, from, u64::MAX);
        free.hosts.iter_mut().for_each(|(_, parents)| parents.clear());
        let (with, without) = (world.live(from + 100_000), free.live(from + 100_000));
        let leaf = world.hosts[2].0.as_str();
        prop_assert_eq!(told(&with), [(leaf, Condition::Critical)]);
        prop_assert_eq!(told(&without), [(leaf, Condition::Critical)]);
        prop_assert!(with[0].0 <= without[0].0 + 1_500, "{} with parents, {} without", with[0].0, without[0].0);
    }

    #[test]
    fn a_leaf_that_died_during_an_outage_is_told_once_after_it(
        seed in 0u64..1_000, from in 100_000u64..160_000, lasts in 60_000u64..150_000
    ) {
        let world = World::tree(seed, 2, 3).dies(0, from, from + lasts).dies(4, from + 20_000, u64::MAX);
        let announced = world.live(from + lasts + 200_000);
        let leaf = world.hosts[4].0.as_str();
        // What hangs on the core may answer before it is asked itself: which of the two comes first says nothing.
        let core: Vec<Condition> = announced.iter().filter(|(_, host, _)| host == "core").map(|(.., to)| *to).collect();
        prop_assert_eq!(core, [Condition::Critical, Condition::Ok]);
        let others: Vec<_> = announced.iter().filter(|(_, host, _)| host != "core").collect();
        prop_assert_eq!(others.len(), 1, "{:?}", others);
        prop_assert_eq!((others[0].1.as_str(), others[0].2), (leaf, Condition::Critical));
        prop_assert!(others[0].0 >= from + lasts, "told {} before the end of the outage", from + lasts - others[0].0);
        let back = announced.iter().rfind(|(_, host, _)| host == "core").map_or(0, |(ms, ..)| *ms);
        prop_assert!(others[0].0 <= back + 20_000, "{} ms after the core was back", others[0].0 - back);
    }

    #[test]
    fn of_two_cores_each_is_told_and_what_hangs_on_both_is_not(
        seed in 0u64..1_000, from in 100_000u64..160_000, apart in 0u64..40_000
    ) {
        let mut world = World::tree(seed, 1, 0);
        world.hosts.push(("core2".to_owned(), Vec::new()));
        world.hosts.extend((0..6).map(|n| (format!("pc{n}-{seed}"), vec!["core".to_owned(), "core2".to_owned()])));
        let (second, end) = (world.hosts.iter().position(|(n, _)| n == "core2").expect("there"), from + 200_000);
        let world = world.dies(0, from, end).dies(second, from + apart, end);
        let mut told: Vec<_> = world.live(end + 100_000).into_iter().map(|(_, host, to)| (host, to)).collect();
        told.sort();
        let expected = ["core", "core2"].map(|c| [(c.to_owned(), Condition::Ok), (c.to_owned(), Condition::Critical)]);
        prop_assert_eq!(told, expected.concat());
    }
}
