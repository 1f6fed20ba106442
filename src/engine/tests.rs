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
    AssetId, CheckKey, CheckSpec, Condition, Host, Inventory, Observation, Origin, Policy, Reading, Subject,
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
    /// When the console itself is cut off: from, to; and how many hosts of a thousand it still sees then.
    cut: Option<(u64, u64, u64)>,
    /// The clock of the machine goes on while it sleeps: from, to.
    sleeps: Option<(u64, u64)>,
    /// Hosts whose one check is this, instead of the usual two.
    vital: Option<Arc<CheckSpec>>,
}

/// What a life was like.
#[derive(Default)]
struct Life {
    announced: Vec<(u64, String, Condition)>,
    /// What stood at the moments that were asked for: problems, and how many hosts were stale.
    looks: Vec<(Vec<String>, usize)>,
    runs: u64,
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
        Self { hosts, dead: BTreeMap::new(), cut: None, sleeps: None, vital: None }
    }

    fn dies(mut self, host: usize, from: u64, to: u64) -> Self {
        let name = self.hosts[host].0.clone();
        self.dead.insert(name, (from, to));
        self
    }

    /// Reached at that moment: it is on, and so is one of those that it hangs on.
    fn answers(&self, host: &str, ms: u64) -> bool {
        let cut = self.cut.is_some_and(|(from, to, seen)| (from..to).contains(&ms) && thousandth(host) >= seen);
        !cut && self.is_on(host, ms)
    }

    fn is_on(&self, host: &str, ms: u64) -> bool {
        let on = self.dead.get(host).is_none_or(|(from, to)| ms < *from || ms >= *to);
        let parents = if self.is_flat() { None } else { self.hosts.iter().find(|(name, _)| name == host) };
        on && parents.is_none_or(|(_, parents)| parents.is_empty() || parents.iter().any(|p| self.is_on(p, ms)))
    }

    /// Nothing hangs on anything: then nobody has to be looked for.
    fn is_flat(&self) -> bool {
        self.hosts.len() > 500
    }

    /// Hosts that hang on nothing.
    fn flat(count: usize) -> Self {
        let hosts = (0..count).map(|n| (format!("h{n}"), Vec::new())).collect();
        Self { hosts, dead: BTreeMap::new(), cut: None, sleeps: None, vital: None }
    }

    fn inventory(&self) -> Inventory {
        let mut out = Inventory::default();
        for (name, parents) in &self.hosts {
            let mut host = Host::new(name, Some("192.0.2.1"), Origin::Config);
            host.parents = parents.iter().map(AssetId::new).collect();
            out.hosts.push(Arc::new(host));
            if let Some(vital) = &self.vital {
                let key = CheckKey { subject: Subject::Host(AssetId::new(name)), name: vital.key.name.clone() };
                out.checks.push(Arc::new(CheckSpec { key, ..(**vital).clone() }));
                continue;
            }
            for (kind, secs) in [("icmp", 30), ("snmp", 60)] {
                out.checks.push(Arc::new(CheckSpec {
                    interval: Duration::from_secs(secs),
                    decides_reachability: true,
                    ..CheckSpec::sample(Subject::Host(AssetId::new(name)), kind)
                }));
            }
        }
        out
    }

    /// Lives for a time; what was announced, and when, in milliseconds.
    fn live(&self, ms: u64) -> Vec<(u64, String, Condition)> {
        self.live_and_look(ms, &[]).announced
    }

    fn live_and_look(&self, ms: u64, looks: &[u64]) -> Life {
        let mut looks: Vec<u64> = looks.iter().rev().copied().collect();
        let mut life = Life::default();
        let mut state = State::new(Policy::default());
        let mut schedule = Schedule::default();
        let inventory = self.inventory();
        schedule.load(inventory.checks.iter().cloned(), T0, |_| None);
        state.reduce(T0, Event::Inventory(Arc::new(inventory)));
        let mut running: BinaryHeap<Reverse<(Timestamp, CheckKey, bool, Timestamp)>> = BinaryHeap::new();
        loop {
            let ends = running.peek().map(|Reverse((at, ..))| *at);
            let Some(now) = [ends, schedule.next_due(), state.next_deadline()].into_iter().flatten().min() else {
                break;
            };
            // Nothing happens while the machine sleeps; then everything is due.
            let asleep = self.sleeps.filter(|(from, to)| now >= at(*from) && now < at(*to));
            let now = asleep.map_or(now, |(_, to)| at(to));
            while let Some(look) = looks.pop_if(|look| now > at(*look)) {
                let snapshot = state.publish(at(look));
                let problems = snapshot.problems.iter().map(|p| format!("{} {}", p.title.line(), p.word)).collect();
                life.looks.push((problems, snapshot.totals.hosts_stale));
            }
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
                life.runs += 1;
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
                    Effect::Remember(_)
                    | Effect::RememberAsset(_)
                    | Effect::RememberDevice(_)
                    | Effect::Log(_)
                    | Effect::Look(_)
                    | Effect::LookOut
                    | Effect::AnnouncePart { .. }
                    | Effect::Release { .. } => {}
                    Effect::Pace { asset, pace } => schedule.alarm(asset, pace, now),
                    Effect::Announce { asset, to, .. } => {
                        let ms = u64::try_from(now.since(T0).as_millis()).expect("small");
                        life.announced.push((ms, asset.as_str().to_owned(), to));
                    }
                }
            }
            while let Some((_, spec)) = schedule.start_next(now) {
                let ms = u64::try_from(now.since(T0).as_millis()).expect("small");
                let good = self.answers(spec.key.subject.id().as_str(), ms);
                let took = if good { Duration::from_millis(30) } else { spec.timeout };
                running.push(Reverse((now.plus(took), spec.key.clone(), good, now)));
            }
        }
        life
    }
}

fn thousandth(host: &str) -> u64 {
    let mixed = host.bytes().fold(7u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (mixed >> 20) % 1_000
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
        let expected = [("core", Condition::Critical), ("core", Condition::Ok), (leaf, Condition::Critical)];
        prop_assert_eq!(told(&announced), expected);
        prop_assert!(announced[2].0 <= announced[1].0 + 20_000, "{announced:?}");
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

/// When a world of ten thousand is cut off, and for how long.
const CUT: u64 = 120_000;
const BACK: u64 = CUT + 300_000;

#[test]
fn a_console_that_is_cut_off_from_ten_thousand_hosts_has_one_problem_and_tells_nothing() {
    let world = World { cut: Some((CUT, BACK, 0)), ..World::flat(10_000) };
    let looks = [CUT - 1_000, CUT + 5_000, CUT + 90_000, BACK - 1_000, BACK + 60_000];
    let life = world.live_and_look(BACK + 120_000, &looks);
    assert_eq!(life.announced, []);
    assert_eq!(life.looks[0], (vec![], 0));
    assert_eq!(life.looks[1].0, ["this console CAN'T SEE"], "within five seconds");
    assert_eq!(life.looks[2], (vec!["this console CAN'T SEE".to_owned()], 10_000));
    assert_eq!(life.looks[3], (vec!["this console CAN'T SEE".to_owned()], 10_000));
    assert_eq!(life.looks[4], (vec![], 0), "a minute after it is back");
    // Nobody is asked faster for being silent: three runs a minute for each in nine minutes, and what the end costs.
    assert!(life.runs < 10_000 * 3 * 10, "{} runs", life.runs);
}

#[test]
fn who_still_sees_a_few_is_blind_all_the_same_and_what_died_meanwhile_is_told_afterwards() {
    let mut world = World { cut: Some((CUT, BACK, 100)), ..World::flat(1_000) };
    world = world.dies(17, CUT + 60_000, u64::MAX);
    let life = world.live_and_look(BACK + 180_000, &[CUT + 90_000, BACK + 170_000]);
    assert_eq!(told(&life.announced), [("h17", Condition::Critical)]);
    assert!(life.announced[0].0 >= BACK, "{:?}", life.announced);
    assert_eq!(life.looks[0].0, ["this console CAN'T SEE"]);
    let unseen = (0..1_000).filter(|n| thousandth(&format!("h{n}")) >= 100 || *n == 17).count();
    assert!((850..950).contains(&unseen), "{unseen}");
    assert_eq!(life.looks[0].1, unseen, "they are stale, and the others are not");
    assert_eq!(life.looks[1], (vec!["h17 DOWN".to_owned()], 0));
}

#[test]
fn a_laptop_that_slept_for_hours_tells_nothing_whether_the_network_is_back_at_once_or_later() {
    let wakes = CUT + 6 * 3_600_000;
    for network in [wakes, wakes + 40_000] {
        let world = World { cut: Some((CUT, network, 0)), sleeps: Some((CUT, wakes)), ..World::flat(40) };
        let life = world.live_and_look(network + 120_000, &[network + 119_000]);
        assert_eq!(life.announced, [], "{} after waking", network - wakes);
        assert_eq!(life.looks, [(vec![], 0)]);
    }
}

#[test]
fn a_rack_that_dies_is_told_and_is_no_blindness() {
    // A fifth of all, at one moment, and nothing says what they hang on.
    let mut world = World::flat(100);
    for host in 0..20 {
        world = world.dies(host, CUT, u64::MAX);
    }
    let life = world.live_and_look(CUT + 120_000, &[CUT + 100_000]);
    assert_eq!(life.announced.len(), 20, "{:?}", life.announced);
    assert!(life.announced.iter().all(|(ms, ..)| *ms <= CUT + 30_000 + 30_000), "{:?}", life.announced);
    assert_eq!(life.looks[0].0.len(), 20);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn whatever_the_moment_and_the_number_a_cut_tells_nothing(
        from in 100_000u64..160_000, lasts in 40_000u64..200_000, hosts in 8usize..120
    ) {
        let world = World { cut: Some((from, from + lasts, 0)), ..World::flat(hosts) };
        let life = world.live_and_look(from + lasts + 120_000, &[from + 38_000, from + lasts + 119_000]);
        prop_assert_eq!(life.announced, []);
        prop_assert_eq!(&life.looks[0].0, &["this console CAN'T SEE"]);
        prop_assert_eq!(&life.looks[1], &(vec![], 0));
    }
}

/// The check of a host as a configuration makes it.
fn bound(tags: &str) -> Arc<CheckSpec> {
    let text = format!("[[host]]\nname = \"a\"\naddress = \"192.0.2.1\"\ntags = [{tags}]\n");
    let config = crate::config::load::parse("noctty.toml", text).expect("it is valid");
    let (plan, _) = super::bind::bind(&config).expect("it binds");
    plan.checks[0].spec.clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_is_tagged_core_is_known_to_be_down_within_ten_seconds(from in 100_000u64..160_000, seed in 0u64..1_000) {
        let mut world = World::tree(seed, 3, 0);
        world.hosts.iter_mut().for_each(|(_, parents)| parents.clear());
        world.vital = Some(bound("\"core\""));
        let life = world.dies(2, from, u64::MAX).live(from + 60_000);
        prop_assert_eq!(life.len(), 1);
        prop_assert!(life[0].0 <= from + 10_000, "{} ms", life[0].0 - from);
    }

    #[test]
    fn anything_else_is_known_to_be_down_after_three_fast_retries(from in 100_000u64..160_000, seed in 0u64..1_000) {
        let mut world = World::tree(seed, 3, 0);
        world.hosts.iter_mut().for_each(|(_, parents)| parents.clear());
        world.vital = Some(bound(""));
        let life = world.dies(2, from, u64::MAX).live(from + 60_000);
        prop_assert_eq!(life.len(), 1);
        // To its next turn, then three runs of two seconds, a second apart.
        prop_assert!(life[0].0 <= from + 30_000 + 8_100, "{} ms", life[0].0 - from);
    }
}
