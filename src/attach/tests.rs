//! What is sent is what arrives; and whatever arrives hurts nobody.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::sync::{mpsc, watch};

use super::delta::{self, MOST_ROOM, Telling, Watched};
use super::frame;
use super::hello::{First, Hello, Line, Welcome};
use super::link::{Link, LinkError, News, Onlooker};
use super::message::{FromConsole, FromEngine, Order};
use super::serve::{Admit, Doors, Guest, serve};
use super::wire::{Malformed, Names, ROOM, Reader, Wall, Wire, twist};
use crate::base::{Clock, Timestamp, Untrusted};
use crate::bus::{self, Call, Command, InView, Notice, Ticket, Visit, Visitors};
use crate::model::vitals::{
    Amount, ClockOffset, CpuTime, Drive, FileSystem, Missing, Packages, Pressure, RaidArray, Reboot, Redundancy,
    StoragePool, Updates,
};
use crate::model::{
    Acknowledgement, AssetId, Change, ChannelStatus, CheckKey, CheckSpec, Claim, Condition, Counters, Desktop, Entry,
    EntryKind, Facts, Flap, Host, IfAdmin, IfOper, IncidentId, Inference, Inventory, Maintenance, Observation,
    Order as Upkeep, Origin, Outcome, PackageAnswer, PackageComparison, PackageList, Pause, Policy, Port, PortKey,
    PortTable, Reading, Role, Schedule, Scope, Span, Stickiness, Subject, Target, ToldApart, Unit, Urgency, Vitals,
    Wire as CheckWire,
};
use crate::state::snapshot::{Behind, ProblemKind};
use crate::state::{
    Blindness, Care, Cause, CheckView, DeviceView, Event, Finding, Flapping, HostView, HostWatch, InferredParent,
    Maintained, Problem, Snapshot, State,
};

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);
const DEADLINE: Duration = Duration::from_secs(30);

/// To somebody who has that.
fn telling(has: &Snapshot) -> Telling {
    let mut telling = Telling::default();
    telling.has.clone_from(has);
    telling
}

/// What the receiver makes of it, and how long the message was.
pub(crate) fn told(now: &Snapshot, before: &Snapshot) -> (Snapshot, usize) {
    let mut bytes = Vec::new();
    telling(before).put(now, usize::MAX, &mut bytes);
    let mut names = Names::default();
    let mut reader = Reader::new(&bytes, 0, &mut names);
    let got = delta::take(before, &mut reader).expect("it can be read");
    reader.finished().expect("nothing is left");
    (got, bytes.len())
}

/// What an engine says that has put these pieces into every text.
pub(crate) fn twisted(snapshot: &Snapshot, pieces: &[String]) -> Snapshot {
    twist::by(pieces, || told(snapshot, &Snapshot::default()).0)
}

/// As it arrives: without what stays with the engine.
pub(crate) fn as_sent(snapshot: &Snapshot) -> Snapshot {
    let mut out = snapshot.clone();
    out.sessions = Arc::from([]);
    out.engine.link = crate::state::Link::Own;
    let strip = |observation: &mut Option<Arc<Observation>>| {
        if let Some(one) = observation
            && matches!(one.reading.facts, Facts::Ports(_) | Facts::Backup(_))
        {
            Arc::make_mut(one).reading.facts = Facts::None;
        }
    };
    let jobs = out.jobs.iter_mut().filter_map(|job| Arc::make_mut(job).check.as_mut());
    let hosts = out.hosts.iter_mut().flat_map(|host| Arc::make_mut(host).checks.iter_mut());
    for check in hosts.chain(jobs) {
        strip(&mut check.last);
        strip(&mut check.last_bad);
        strip(&mut check.good_before);
    }
    for device in &mut out.devices {
        Arc::make_mut(device).counted_from = None;
    }
    out
}

/// Everything that people do about problems, and how channels and machines are: no field as it is by default.
fn fill(snapshot: &mut Snapshot, words: &str) {
    let target = |n: u32| Target::Port(AssetId::new(format!("sw{n}")), key(words, n));
    let ack = |target: Target| {
        Arc::new(Acknowledgement {
            id: format!("01{words}").into(),
            since: T0,
            claim: Claim {
                target,
                owner: "anna".into(),
                note: words.into(),
                until: T0.plus(DEADLINE),
                stickiness: Stickiness::Sticky,
                condition: Some(Condition::Critical),
            },
        })
    };
    let order = |n: usize, scope: Scope, span: Span| {
        let order = Upkeep { scope, span, flexible: Some(DEADLINE), note: words.into() };
        Arc::new(Maintenance { id: format!("config:{n}").into(), author: "bert".into(), order })
    };
    let once = Span::Once { from: T0, until: T0.plus(DEADLINE) };
    let schedule = Schedule { cron: "0 3 * * *".into(), timezone: "Europe/Berlin".into() };
    let orders = [
        (Scope::Asset(AssetId::new("sw1")), once.clone()),
        (Scope::Tag(words.into()), Span::Recurring { schedule, lasts: DEADLINE }),
        (Scope::Group("core".into()), once.clone()),
        (Scope::Site("fra1".into()), once.clone()),
        (Scope::Behind(AssetId::new("sw2")), once),
    ];
    snapshot.maintenance = orders.into_iter().enumerate().map(|(n, (scope, span))| order(n, scope, span)).collect();
    let check = CheckKey { subject: Subject::Job(AssetId::new("j")), name: "x".into() };
    let id = || AssetId::new("sw1");
    let targets = [
        target(1),
        target(2),
        Target::Host(id()),
        Target::Check(check),
        Target::GonePorts(id()),
        Target::Device(id()),
        Target::Job(id()),
    ];
    snapshot.acks = Arc::new(targets.into_iter().map(|target| (target.clone(), ack(target))).collect());
    let change = |target| Arc::new(Change { at: T0, target, words: words.into() });
    snapshot.changes = Arc::from([change(target(1)), change(Target::Host(id()))]);
    snapshot.deeds = EntryKind::ALL
        .into_iter()
        .enumerate()
        .map(|(n, kind)| Arc::new(Entry { id: format!("{n}").into(), kind, ..deed(words) }))
        .collect();
    let care = Care {
        ack: Some(ack(target(3))),
        maintenance: Some(Arc::new(Maintained {
            maintenance: snapshot.maintenance[1].clone(),
            from: T0,
            until: T0.plus(DEADLINE),
        })),
        flapping: Some(Flapping { percent: 31, since: T0, worst: Condition::Warning }),
        inferred_parent: Some(InferredParent { name: words.into(), by: Inference::ProxyJump }),
        unowned_since: Some(T0),
    };
    let kinds = [ProblemKind::Console, ProblemKind::Host, ProblemKind::Port, ProblemKind::Device, ProblemKind::Backup];
    let problem = |kind| Problem {
        kind,
        asset: id(),
        target: target(4),
        port: Some(2),
        title: words.into(),
        condition: Condition::Unknown,
        stale: true,
        word: "NO DATA".into(),
        reason: words.into(),
        since: T0,
        hides: 3,
        behind: Some(Behind { target: target(5), inferred: true }),
        care: care.clone(),
        rank: format!("3 {words}").into(),
    };
    snapshot.problems = kinds.into_iter().map(problem).collect();
    snapshot.consequences = kinds.into_iter().map(problem).collect();
    fill_engine(snapshot, words);
    for host in &mut snapshot.hosts {
        let host = Arc::make_mut(host);
        host.care = care.clone();
        for check in &mut host.checks {
            check.flap = Flap { changes: 5, last: Some(Outcome::Warning), percent: 7, flapping: true };
            check.ack = care.ack.clone();
            check.missing = Some(words.into());
        }
    }
    let finding = Finding {
        condition: Condition::Warning,
        what: words.into(),
        words: format!("{words} is down").into(),
        since: T0,
        firm: true,
    };
    for device in &mut snapshot.devices {
        Arc::make_mut(device).findings = Arc::from([finding.clone()]);
    }
}

/// A snapshot in which no list is empty.
pub(crate) fn filled() -> Snapshot {
    let mut net = Net::new(3);
    net.walk(0, 3);
    net.see(1, "icmp", Reading::ok("1 ms").facts(Facts::Vitals(Arc::new(machine("seen")))));
    let mut snapshot = net.publish();
    fill(&mut snapshot, "filled");
    snapshot
}

fn fill_engine(snapshot: &mut Snapshot, words: &str) {
    snapshot.engine.has_inventory = true;
    snapshot.engine.pause = Some(Arc::new(Pause { id: "01P".into(), by: words.into(), since: T0, note: words.into() }));
    snapshot.engine.hosts_watched = Arc::from([HostWatch {
        asset: AssetId::new("sw1"),
        check: words.into(),
        every: DEADLINE,
        since: T0,
        until: T0.plus(DEADLINE),
    }]);
    snapshot.engine.blind =
        Some(Blindness { since: T0, silent: 3, targets: 4, cause: Cause::NoWayOut("no default route".into()) });
    snapshot.engine.channels = Arc::from([ChannelStatus {
        name: words.into(),
        kind: "mail".into(),
        delivered: 4,
        last_delivered: Some(T0),
        failing: Some((T0, words.into())),
        lost: 2,
        waiting: 9,
        quiet_until: Some(T0.plus(DEADLINE)),
    }]);
    let totals = &mut snapshot.totals;
    (totals.owned, totals.unowned, totals.flapping, totals.in_maintenance) = (1, 2, 3, 4);
}

fn key(label: &str, index: u32) -> PortKey {
    PortKey { label: label.into(), told_apart: ToldApart::ByIndex(index) }
}

fn deed(words: &str) -> Entry {
    Entry {
        id: "01".into(),
        incident: IncidentId::NONE,
        writer: "w".into(),
        sequence: 1,
        at: T0,
        kind: EntryKind::Claimed,
        author: "anna".into(),
        text: words.into(),
        about: Some(words.into()),
    }
}

/// A machine of which everything is known.
fn machine(words: &str) -> Vitals {
    let text = || Untrusted::from(words);
    Vitals {
        name: text(),
        system: text(),
        kernel: text(),
        architecture: text(),
        uptime: Some(DEADLINE),
        cores: Some(4),
        load: Some([0.5, 1.5, 2.5]),
        cpu: Some(CpuTime { busy: 1.0, iowait: 2.0, steal: 3.0 }),
        memory: Some(Amount { total: 9, used: 4 }),
        swap: Some(Amount { total: 8, used: 3 }),
        swap_in: Some(5.0),
        oom_kills: Some(1),
        pressure: vec![Pressure { what: "io", some: 4.0, full: Some(2.0) }],
        disks: vec![FileSystem {
            mount: text(),
            device: text(),
            size: 7,
            available: 3,
            used_percent: 57.0,
            inodes_percent: Some(3.0),
            read_only: Some(true),
        }],
        silent_mounts: vec![text()],
        failed_units: Some(vec![text()]),
        reboot: Some(Reboot { required: true, reason: text() }),
        updates: Some(Updates { by: "apt", all: 5, security: Some(2), refreshed: Some(T0) }),
        arrays: vec![RaidArray {
            name: text(),
            level: text(),
            redundancy: Redundancy::Rebuilding,
            members: Some((1, 2)),
            progress: Some(12.5),
        }],
        pools: vec![StoragePool {
            name: text(),
            health: text(),
            redundancy: Redundancy::Lost,
            size: Some(3),
            used_percent: Some(4.0),
        }],
        drives: vec![Drive { device: text(), healthy: Some(false) }],
        clock: Some(ClockOffset { seconds: -1.5, uncertainty: 0.5 }),
        synchronised: Some(true),
        users: Some(vec![text()]),
        packages: Some(Packages { by: "dpkg", count: 7, digest: text() }),
        mounts: vec![text()],
        routes: vec![text()],
        inventoried: Some(T0),
        missing: vec![Missing { what: "a word of tomorrow", why: text() }],
    }
}

#[test]
fn claims_maintenance_channels_and_machines_come_whole_and_change_by_what_differs() {
    let mut net = Net::new(3);
    net.walk(0, 3);
    net.see(1, "icmp", Reading::ok("1 ms").facts(Facts::Vitals(Arc::new(machine("first")))));
    let plain = net.publish();
    let mut first = plain.clone();
    fill(&mut first, "first");
    net.see(1, "icmp", Reading::ok("1 ms").facts(Facts::Vitals(Arc::new(machine("second")))));
    let mut second = net.publish();
    fill(&mut second, "second");
    let seen = |snapshot: &Snapshot| snapshot.hosts[1].checks[0].last.as_ref().map(|last| last.reading.facts.clone());
    assert!(matches!(seen(&second), Some(Facts::Vitals(_))));
    let none = Snapshot::default();
    for (before, now) in [(&none, &first), (&plain, &first), (&first, &second), (&second, &plain), (&second, &none)] {
        let got = told(now, &as_sent(before)).0;
        assert_eq!(got, as_sent(now));
    }
}

#[test]
fn a_word_that_no_program_would_say_is_not_taken_for_one() {
    for (sent, got) in [("apt", "apt"), ("brew", "brew"), ("\x1b[2J", "?"), ("ä", "?")] {
        let mut bytes = Vec::new();
        sent.put(None, &mut bytes);
        let mut names = Names::default();
        assert_eq!(<&'static str as Wire>::take(None, &mut Reader::new(&bytes, 0, &mut names)), Ok(got));
    }
}

#[test]
fn orders_about_problems_come_as_they_were_given_and_their_times_become_the_engines() {
    let ticket = Ticket(9);
    let target = Target::Port(AssetId::new("sw1"), key("Gi1", 1));
    let upkeep = |from, until| Upkeep {
        scope: Scope::Tag("core".into()),
        span: Span::Once { from, until },
        flexible: Some(DEADLINE),
        note: "disks".into(),
    };
    let maintain = |shift: i64| Order::Maintain { ticket, order: upkeep(Timestamp(5 + shift), Timestamp(9 + shift)) };
    let claim = Order::Claim {
        ticket,
        target: target.clone(),
        owner: Some("bert".into()),
        note: "mine".into(),
        lasts: DEADLINE,
        stickiness: Stickiness::Sticky,
        over: Some("02".into()),
    };
    let release = Order::Release { ticket, target };
    let cancel = Order::CancelMaintenance { ticket, maintenance: "01".into() };
    for (order, there) in
        [(maintain(0), maintain(100)), (claim.clone(), claim), (release.clone(), release), (cancel.clone(), cancel)]
    {
        assert_eq!(order.ticket(), Some(ticket));
        let command = Command::from(order.clone());
        assert_eq!(command.needs(), Role::Operate);
        let order = Order::of(command).expect("it goes elsewhere");
        let mut bytes = Vec::new();
        FromConsole::Order(order).put(None, &mut bytes);
        let mut names = Names::default();
        let got = FromConsole::take(None, &mut Reader::new(&bytes, 100, &mut names));
        assert_eq!(got, Ok(FromConsole::Order(there)));
    }
}

/// An engine's state with so many switches.
struct Net {
    state: State,
    second: u64,
}

impl Net {
    fn new(switches: usize) -> Self {
        let mut inventory = Inventory::default();
        for n in 0..switches {
            let host = Host::new(&format!("sw{n}"), Some("10.0.0.1"), Origin::Config);
            for kind in ["icmp", "ports"] {
                inventory.checks.push(Arc::new(CheckSpec {
                    wire: CheckWire { protocol: "ICMP echo".into(), destination: "10.0.0.1".into() },
                    interval: Duration::from_secs(60),
                    retry_interval: Duration::from_secs(5),
                    attempts: 2,
                    decides_reachability: kind == "icmp",
                    runbook: (kind == "ports").then(|| "runbooks/switch.md".into()),
                    ..CheckSpec::sample(Subject::Host(host.id.clone()), kind)
                }));
            }
            inventory.hosts.push(Arc::new(host));
        }
        let mut state = State::new(Policy::default());
        state.reduce(T0, Event::Inventory(Arc::new(inventory)));
        Self { state, second: 0 }
    }

    fn now(&self) -> Timestamp {
        T0.plus(Duration::from_secs(self.second))
    }

    fn see(&mut self, switch: usize, name: &str, reading: Reading) {
        let subject = Subject::Host(AssetId::new(format!("sw{switch}")));
        let check = CheckKey { subject, name: name.into() };
        let (at, took) = (self.now(), Duration::from_micros(1_234));
        self.state.reduce(at, Event::Observed(Observation { check, at, took, reading }));
    }

    fn walk(&mut self, switch: usize, ports: u32) {
        self.walk_as(switch, ports, None);
    }

    fn walk_as(&mut self, switch: usize, ports: u32, oper: Option<IfOper>) {
        let port = |index: u32| Port {
            index,
            name: format!("Gi1/0/{index}").into(),
            // As on no other switch: what stands before it in a list says nothing of it.
            alias: if oper.is_some() { "uplink".into() } else { format!("{switch:>20}{index:>20}").into() },
            admin: oper.map(|_| IfAdmin::Up),
            oper,
            counters: Counters::of_octets(Some(self.second * 1_000), None, true),
            ..Port::default()
        };
        let ports = (1..=ports).map(port).collect();
        let table = PortTable { collected_at: self.now(), ports, complete: true, ..PortTable::default() };
        self.see(switch, "ports", Reading::ok("walked").facts(Facts::Ports(Arc::new(table))));
    }

    fn publish(&mut self) -> Snapshot {
        self.second += 1;
        self.state.publish(self.now())
    }
}

#[test]
fn only_what_changed_is_told_and_the_rest_is_shared_with_what_was_there() {
    let mut net = Net::new(200);
    for switch in 0..200 {
        net.see(switch, "icmp", Reading::ok("1.0 ms").metric("rtt", 0.001, Unit::Seconds));
        net.walk(switch, 4);
    }
    let first = net.publish();
    let (has, whole) = told(&first, &Snapshot::default());
    assert_eq!(has, as_sent(&first));
    net.see(7, "icmp", Reading::ok("1.1 ms").metric("rtt", 0.0011, Unit::Seconds));
    let second = net.publish();
    let mut bytes = Vec::new();
    telling(&first).put(&second, MOST_ROOM, &mut bytes);
    let mut names = Names::default();
    let got = delta::take(&has, &mut Reader::new(&bytes, 0, &mut names)).expect("it can be read");
    assert_eq!(got, as_sent(&second));
    assert!(bytes.len() < 150 && whole > 30_000, "{} of {whole}", bytes.len());
    assert!(Arc::ptr_eq(&got.hosts[6], &has.hosts[6]) && !Arc::ptr_eq(&got.hosts[7], &has.hosts[7]));
    // A walk with new counters is a few octets a port.
    net.second += 60;
    net.walk(3, 4);
    let third = net.publish();
    bytes.clear();
    telling(&second).put(&third, MOST_ROOM, &mut bytes);
    let got = delta::take(&got, &mut Reader::new(&bytes, 0, &mut names)).expect("it can be read");
    assert_eq!(got, as_sent(&third));
    assert!(bytes.len() < 300, "{}", bytes.len());
}

#[test]
fn devices_that_find_no_room_stay_as_they_were_and_come_with_the_next_message() {
    let mut net = Net::new(100);
    for switch in 0..100 {
        net.walk(switch, 300);
    }
    let now = net.publish();
    let (mut here, mut there) = (Telling::default(), Snapshot::default());
    let mut messages = 0;
    loop {
        let mut bytes = Vec::new();
        let whole = here.put(&now, MOST_ROOM, &mut bytes);
        let mut names = Names::default();
        there = delta::take(&there, &mut Reader::new(&bytes, 0, &mut names)).expect("it can be read");
        assert_eq!(there, as_sent(&here.has));
        assert!(bytes.len() < 2 * MOST_ROOM, "{}", bytes.len());
        messages += 1;
        if whole {
            break;
        }
    }
    assert!(messages > 1);
    assert_eq!(there, as_sent(&now));
}

/// In little room: problems first, their hosts with them, the others in turn, and what is missing is counted.
#[test]
fn what_has_no_room_comes_later_the_worst_first_and_is_counted_until_then() {
    let now = network(300, 9);
    let (mut here, mut there) = (Telling::default(), Snapshot::default());
    for message in 0.. {
        assert!(message < 400, "it comes to an end");
        let mut bytes = Vec::new();
        let whole = here.put(&now, 2_000, &mut bytes);
        assert!(bytes.len() < 5_000, "{}", bytes.len());
        let mut names = Names::default();
        there = delta::take(&there, &mut Reader::new(&bytes, 0, &mut names)).expect("it can be read");
        assert_eq!(there, as_sent(&here.has));
        assert_eq!(there.totals, now.totals, "the totals never lie");
        assert_eq!(there.awaited.hosts, 300 - there.hosts.len());
        assert_eq!(there.awaited.problems, now.problems.len() - there.problems.len());
        assert_eq!(there.problems[..], now.problems[..there.problems.len()]);
        let is_told = |problem: &Problem| there.host(&problem.asset).is_some();
        if message == 0 {
            assert!(there.problems.len() > 2 && there.problems.iter().any(is_told));
            assert!(there.hosts.len() < 30, "{}", there.hosts.len());
        }
        if there.hosts.iter().any(|host| host.condition == Condition::Ok) {
            assert!(there.problems.iter().all(is_told), "what is well goes behind what is not");
        }
        if whole {
            break;
        }
    }
    assert!(there.awaited.is_nothing());
    assert_eq!(there, as_sent(&now));
}

/// What a console shows of switches.
fn in_view(opened: &[usize], rows: std::ops::Range<usize>) -> InView {
    let id = |switch: usize| AssetId::new(format!("sw{switch}"));
    InView { opened: opened.iter().copied().map(id).collect(), rows: rows.map(id).collect() }
}

#[test]
fn what_is_looked_at_comes_before_what_is_not() {
    let mut net = Net::new(200);
    for switch in 0..200 {
        net.see(switch, "icmp", if switch < 50 { Reading::critical("silent") } else { Reading::ok("1.0 ms") });
        net.walk(switch, 48);
    }
    let now = net.publish();
    let mut here = Telling::default();
    here.look(Arc::new(in_view(&[190], 150..160).into()));
    let mut bytes = Vec::new();
    assert!(!here.put(&now, 4_000, &mut bytes));
    let ids: Vec<_> = here.has.hosts.iter().map(|host| host.host.id.as_str().to_owned()).collect();
    assert!(ids.contains(&"sw150".to_owned()), "{ids:?}");
    let devices: Vec<_> = here.has.devices.iter().map(|device| device.host.id.as_str()).collect();
    assert_eq!(devices, ["sw190"]);
    assert!(bytes.len() < 12_000, "no more than one device more than the room: {}", bytes.len());
    // Rows first, then those with problems, then the others.
    let mut seen = Vec::new();
    while seen.len() < 200 {
        here.put(&now, 4_000, &mut Vec::new());
        let new = here.has.hosts.iter().map(|host| host.host.id.clone()).filter(|id| !seen.contains(id));
        let mut new: Vec<_> = new.collect();
        new.sort();
        seen.append(&mut new);
    }
    let place = |id: String| seen.iter().position(|seen| seen.as_str() == id).expect("it came");
    let last_row = (150..160).map(|n| place(format!("sw{n}"))).max().expect("rows");
    let well = (60..150).map(|n| place(format!("sw{n}")));
    assert!(well.into_iter().all(|place| place > last_row));
    // More than any screen has is not looked at.
    let hostile = InView { opened: in_view(&[], 0..100_000).rows, rows: in_view(&[], 0..100_000).rows };
    assert!(Watched::from(hostile).count() <= 304);
}

/// Where all changes faster than the line carries it, nothing is forgotten for good.
#[test]
fn each_has_its_turn_however_little_room_there_is() {
    for rows in [0..0, 0..40] {
        each_has_its_turn(in_view(&[], rows));
    }
}

fn each_has_its_turn(in_view: InView) {
    let mut net = Net::new(60);
    let mut here = Telling::default();
    here.look(Arc::new(in_view.into()));
    let mut oldest = 0;
    for round in 0..200u64 {
        for host in 0..60 {
            // What is down changes as often, and is not all that is told.
            let reading = if host % 3 == 0 { Reading::critical } else { Reading::ok };
            net.see(host, "icmp", reading(format!("{round} ms")));
        }
        net.second += 1;
        let now = net.publish();
        here.put(&now, 1_000, &mut Vec::new());
        if round > 100 {
            let seen = |host: &Arc<HostView>| host.checks[0].last.as_ref().map_or(0, |last| last.at.0);
            let latest = now.hosts.iter().map(seen).max().unwrap_or(0);
            assert_eq!(here.has.hosts.len(), 60);
            oldest = oldest.max(here.has.hosts.iter().map(|host| latest - seen(host)).max().unwrap_or(0));
        }
    }
    assert!(oldest > 0 && oldest < 60_000, "{oldest} ms");
}

/// Of a campus of like switches each is told by what it has of its own.
#[test]
fn what_is_like_its_neighbor_is_told_by_the_difference() {
    let size = |switches: usize| {
        let mut net = Net::new(switches);
        for switch in 0..switches {
            net.see(switch, "icmp", Reading::ok("1.0 ms").metric("rtt", 0.001, Unit::Seconds));
            net.walk_as(switch, 48, Some(IfOper::Up));
        }
        let now = net.publish();
        let (has, whole) = told(&now, &Snapshot::default());
        assert_eq!(has, as_sent(&now));
        whole
    };
    let (one, more) = (size(1), size(101));
    assert!((more - one) / 100 * 4 < one, "{one} the first, {} each more", (more - one) / 100);
}

/// A few octets can have much copied: that counts as if it had been sent.
#[test]
fn what_is_copied_takes_room_as_well() {
    let mut net = Net::new(1);
    net.see(0, "icmp", Reading::ok("1.0 ms").metric("rtt", 0.001, Unit::Seconds));
    let mut now = net.publish();
    let mut first = (*now.hosts[0]).clone();
    first.checks = vec![first.checks[0].clone(); 1_000];
    now.hosts =
        (0..100).map(|n| Arc::new(HostView { since: T0.plus(Duration::from_secs(n)), ..first.clone() })).collect();
    let mut bytes = Vec::new();
    Telling::default().put(&now, MOST_ROOM, &mut bytes);
    let mut names = Names::default();
    let mut reader = Reader::new(&bytes, 0, &mut names);
    let got = delta::take(&Snapshot::default(), &mut reader).expect("it can be read");
    assert_eq!(got, as_sent(&now));
    let (used, copies) = (ROOM - reader.room(), 100 * 1_000 * size_of::<CheckView>());
    assert!(bytes.len() < copies / 20 && used > copies, "{} octets, {used} of at least {copies}", bytes.len());
}

#[test]
fn what_leaves_comes_and_moves_is_told() {
    let mut net = Net::new(5);
    for switch in 0..5 {
        net.walk(switch, 2);
    }
    let all = net.publish();
    let mut few = all.clone();
    few.hosts.remove(1);
    few.devices.remove(0);
    few.hosts.swap(0, 2);
    for (now, before) in [(&few, &all), (&all, &few), (&Snapshot::default(), &all)] {
        assert_eq!(told(now, &as_sent(before)).0, as_sent(now));
    }
}

#[test]
fn what_nobody_looks_at_any_more_grows_old_and_is_not_counted_as_good() {
    let mut net = Net::new(2);
    net.see(0, "icmp", Reading::ok("1 ms"));
    net.see(1, "icmp", Reading::ok("1 ms"));
    net.walk(0, 2);
    let fresh = net.publish();
    assert_eq!((fresh.totals.hosts_ok, fresh.totals.hosts_stale), (2, 0));
    assert_eq!(fresh.aged(&Policy::default(), net.now()), None);
    let aged = fresh.aged(&Policy::default(), net.now().plus(Duration::from_secs(600))).expect("too old by then");
    assert_eq!((aged.totals.hosts_ok, aged.totals.hosts_stale), (0, 2));
    assert!(aged.hosts.iter().all(|host| host.stale) && aged.devices[0].stale);
    assert_eq!(aged.hosts[0].checks[0].last, fresh.hosts[0].checks[0].last);
}

#[test]
fn what_nobody_looks_at_any_more_tells_of_a_dead_switch_what_its_engine_would() {
    let mut net = Net::new(1);
    net.see(0, "icmp", Reading::ok("1 ms"));
    net.walk_as(0, 2, Some(IfOper::Up));
    net.second += 60;
    net.walk_as(0, 2, Some(IfOper::Down));
    let kinds = |snapshot: &Snapshot| snapshot.problems.iter().map(|problem| problem.kind).collect::<Vec<_>>();
    let ports = net.publish();
    assert!(kinds(&ports).contains(&ProblemKind::Port), "{:?}", ports.problems);
    let later = net.now().plus(Duration::from_secs(600));
    let merely_old = ports.aged(&Policy::default(), later).expect("too old by then");
    assert!(kinds(&merely_old).contains(&ProblemKind::Port), "nobody knows that it is over");
    for _ in 0..2 {
        net.second += 5;
        net.see(0, "ports", Reading::critical("no answer"));
    }
    net.see(0, "icmp", Reading::ok("1 ms"));
    let down = net.publish();
    assert!(kinds(&down).contains(&ProblemKind::Port), "the walk is not too old yet: {:?}", down.problems);
    let aged = down.aged(&Policy::default(), later).expect("too old by then");
    assert_eq!(kinds(&aged), [ProblemKind::Host], "{:?}", aged.problems);
    net.state.reduce(later, Event::Tick);
    let judged = net.state.publish(later);
    assert_eq!(kinds(&judged), kinds(&aged));
    assert_eq!((judged.consequences.len(), &judged.consequences), (2, &aged.consequences), "and what it hides");
    assert_eq!((judged.problems[0].hides, aged.problems[0].hides), (2, 2));
}

#[test]
fn times_of_the_engine_become_ours_and_written_ones_stay() {
    let (at, wall) = (Timestamp(5_000), Wall(Timestamp(6_000)));
    let mut bytes = Vec::new();
    at.put(None, &mut bytes);
    Timestamp(5_500).put(Some(&at), &mut bytes);
    wall.put(None, &mut bytes);
    let mut names = Names::default();
    let mut reader = Reader::new(&bytes, 1_000, &mut names);
    let first = Timestamp::take(None, &mut reader).expect("a time");
    assert_eq!(first, Timestamp(6_000));
    assert_eq!(Timestamp::take(Some(&first), &mut reader), Ok(Timestamp(6_500)));
    assert_eq!(Wall::take(None, &mut reader), Ok(wall));
}

#[test]
fn a_greeting_of_another_build_is_refused_in_words_and_a_refusal_is_read_by_every_build() {
    let mut bytes = Vec::new();
    First::Hello(Hello { build: "noctty 9".into(), author: "anna".into(), now: 7, most: Role::Admin, line: Line::Far })
        .put(&mut bytes);
    assert!(matches!(First::take(&bytes), Ok(First::Hello(Hello { now: 7, most: Role::Admin, .. }))));
    bytes[10] ^= 1;
    let words = First::take(&bytes).expect_err("another shape");
    let ours = concat!("the engine is noctty ", env!("CARGO_PKG_VERSION"), " (form 3.");
    for part in [
        "different builds",
        ours,
        "the console noctty 9 (form 3.",
        "the engine is the older one: install the console's",
    ] {
        assert!(words.contains(part), "{part} is missing in {words}");
    }
    // Which is the older one, to either side: by the form, then by the number, where there is one.
    let hello = |build: &str| {
        First::Hello(Hello { build: build.into(), author: "anna".into(), now: 7, most: Role::Admin, line: Line::Far })
    };
    let welcome = |build: &str| {
        First::Welcome(Welcome {
            build: build.into(),
            process: 1,
            user: "root".into(),
            now: 7,
            configuration: None,
            role: Role::Admin,
            holders: None,
            author: "anna".into(),
            asks: false,
        })
    };
    let same = super::hello::build();
    for (first, form, said) in [
        (hello("noctty 0.0.9"), 3, "the console is the older one: install the engine's build where it runs"),
        (hello(&same), 2, "the console is the older one"),
        (
            hello("noctty 0.0.9"),
            4,
            "the engine is the older one: install the console's build where it runs, then end the engine",
        ),
        (hello(&same), 3, "which is older cannot be told: install one and the same on both sides"),
        (welcome("noctty 0.0.9"), 3, "the engine is the older one"),
        (welcome("noctty 0.10.0"), 3, "the console is the older one"),
        (welcome(&same), 4, "the console is the older one"),
    ] {
        let mut bytes = Vec::new();
        first.put(&mut bytes);
        (bytes[8], bytes[10]) = (form, bytes[10] ^ 1);
        let words = First::take(&bytes).expect_err("another form");
        assert!(words.contains(said), "{said} is missing in {words}");
    }
    // What stands where a build should be names nobody.
    let strange = [&bytes[..18], b"\x08pretend!"].concat();
    assert!(First::take(&strange).expect_err("another shape").contains("the console another noctty (form"));
    let mut refusal = Vec::new();
    First::Refused("no \x1b[2J".to_owned()).put(&mut refusal);
    refusal[8] ^= 1;
    assert_eq!(First::take(&refusal), Ok(First::Refused("no \\x1b[2J".to_owned())));
    assert_eq!(First::take(b"SSH-2.0-x"), Err("what answers there is no noctty".to_owned()));
}

proptest! {
    #[test]
    fn numbers_and_floats_come_as_they_were(a: u64, b: Option<u64>, c: f64, d: Option<f64>, e: f32) {
        let mut bytes = Vec::new();
        a.put(b.as_ref(), &mut bytes);
        c.put(d.as_ref(), &mut bytes);
        e.put(None, &mut bytes);
        let mut names = Names::default();
        let mut reader = Reader::new(&bytes, 0, &mut names);
        prop_assert_eq!(u64::take(b.as_ref(), &mut reader), Ok(a));
        prop_assert_eq!(f64::take(d.as_ref(), &mut reader).map(f64::to_bits), Ok(c.to_bits()));
        prop_assert_eq!(f32::take(None, &mut reader).map(f32::to_bits), Ok(e.to_bits()));
        prop_assert_eq!(reader.finished(), Ok(()));
    }

    #[test]
    fn lists_come_as_they_were(
        now in prop::collection::vec((any::<u16>(), any::<Option<bool>>()), 0..30),
        before in prop::collection::vec((any::<u16>(), any::<Option<bool>>()), 0..30),
        shared in 0usize..30,
    ) {
        let mut before = before;
        let common = shared.min(now.len()).min(before.len());
        before[..common].clone_from_slice(&now[..common]);
        let mut bytes = Vec::new();
        now.put(Some(&before), &mut bytes);
        let mut names = Names::default();
        let mut reader = Reader::new(&bytes, 0, &mut names);
        prop_assert_eq!(Vec::take(Some(&before), &mut reader), Ok(now));
    }

    #[test]
    fn any_snapshot_of_any_history_comes_as_it_was(
        steps in prop::collection::vec((0usize..6, 0u8..4, "\\PC{0,12}"), 1..40),
    ) {
        let mut net = Net::new(6);
        let (mut here, mut there) = (Telling::default(), Snapshot::default());
        for (switch, step, words) in steps {
            match step {
                0 => net.see(switch, "icmp", Reading::critical(words.clone())),
                1 => net.see(switch, "icmp", Reading::ok(words.clone()).metric(&words, 1.5, Unit::Count)),
                2 => net.walk(switch, u32::try_from(words.len()).expect("short")),
                _ => {
                    net.second += 100;
                    let now = net.now();
                    net.state.reduce(now, Event::Remark(words.as_str().into()));
                    net.state.reduce(now, Event::Tick);
                }
            }
            let mut now = net.publish();
            if step == 1 {
                fill(&mut now, &words);
            }
            let mut bytes = Vec::new();
            here.put(&now, MOST_ROOM, &mut bytes);
            let mut names = Names::default();
            there = delta::take(&there, &mut Reader::new(&bytes, 0, &mut names)).expect("it can be read");
            prop_assert_eq!(&there, &as_sent(&now));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut net = Net::new(3);
        net.walk(0, 3);
        let has = as_sent(&net.publish());
        let mut names = Names::default();
        let _ = delta::take(&has, &mut Reader::new(&bytes, 0, &mut names));
        let _ = FromEngine::take(None, &mut Reader::new(&bytes, 0, &mut names));
        let _ = FromConsole::take(None, &mut Reader::new(&bytes, 0, &mut names));
        let _ = DeviceView::take(has.devices.first().map(|d| &**d), &mut Reader::new(&bytes, 0, &mut names));
        let _ = First::take(&bytes);
    }

    #[test]
    fn a_garbled_message_is_read_without_a_panic(at in any::<prop::sample::Index>(), bit in 0u8..8, cut: bool) {
        let mut net = Net::new(3);
        net.see(1, "icmp", Reading::critical("no answer"));
        net.walk(0, 3);
        let mut bytes = Vec::new();
        Telling::default().put(&net.publish(), MOST_ROOM, &mut bytes);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if cut {
            bytes.truncate(at);
        }
        let mut names = Names::default();
        let _ = delta::take(&Snapshot::default(), &mut Reader::new(&bytes, 0, &mut names));
    }
}

#[test]
fn a_list_that_claims_more_than_there_can_be_is_refused_before_memory_is_taken() {
    let mut names = Names::default();
    let mut claims = Vec::new();
    u64::MAX.put(None, &mut claims);
    for before in [None, Some(vec![1u64])] {
        let got = Vec::<u64>::take(before.as_ref(), &mut Reader::new(&claims, 0, &mut names));
        assert_eq!(got, Err(Malformed("a number is too large")));
    }
    let mut claims = Vec::new();
    60_000_000u64.put(None, &mut claims);
    let got = Vec::<u64>::take(None, &mut Reader::new(&claims, 0, &mut names));
    assert_eq!(got, Err(Malformed("it ends too soon")));
}

#[test]
fn an_order_comes_as_it_was_given_and_what_is_the_consoles_own_is_none() {
    let order = Order::AddEntry {
        ticket: Ticket(9),
        incident: IncidentId(3),
        kind: EntryKind::Decision,
        text: "fail over\n".into(),
        about: Some("sw1".into()),
    };
    let mut bytes = Vec::new();
    FromConsole::Order(order.clone()).put(None, &mut bytes);
    let mut names = Names::default();
    assert_eq!(FromConsole::take(None, &mut Reader::new(&bytes, 0, &mut names)), Ok(FromConsole::Order(order)));
    let order = Order::of(Command::WatchHost { asset: AssetId::new("a"), watch: true }).expect("the engine's");
    let mut bytes = Vec::new();
    order.put(None, &mut bytes);
    assert_eq!(Order::take(None, &mut Reader::new(&bytes, 0, &mut names)), Ok(order));
    let own = Command::OpenSession { asset: AssetId::new("a"), columns: 80, rows: 24 };
    assert!(Order::of(own).is_err_and(|own| matches!(*own, Command::OpenSession { .. })));
}

/// An engine's door, and what is behind it.
struct Engine {
    snapshots: watch::Sender<Arc<Snapshot>>,
    visitors: Visitors,
    path: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

fn engine(admit: impl Fn(super::Peer, &str) -> Result<Guest, String> + Send + Sync + 'static) -> Engine {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s");
    let listener = super::listen(&path, 0o600).expect("a socket");
    let (snapshots, receiver) = watch::channel(Arc::new(Snapshot::default()));
    let (door, visitors) = bus::visitors();
    let admit: Admit = Arc::new(admit);
    let doors =
        Doors { clock: Clock::start(), snapshots: receiver, door, admit, user: "root".into(), configuration: None };
    tokio::spawn(serve(listener, doors));
    Engine { snapshots, visitors, path, _folder: folder }
}

fn anybody(role: Role) -> impl Fn(super::Peer, &str) -> Result<Guest, String> {
    move |_, author| Ok(Guest { author: Untrusted::from(author), role, holders: None, asks: false })
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what).await.expect("in time")
}

async fn dial(engine: &Engine) -> Result<Link, LinkError> {
    Link::dial(&engine.path, |_| true, Clock::start(), "anna").await
}

#[tokio::test]
async fn a_console_sees_the_newest_and_what_it_asks_comes_in_its_name_and_is_answered_to_it_alone() {
    let mut engine = engine(anybody(Role::Operate));
    let (orders, outgoing) = mpsc::channel(4);
    let (sender, mut news) = mpsc::channel(4);
    let link = dial(&engine).await.expect("let in");
    assert_eq!((link.welcome.process, link.welcome.role), (std::process::id(), Role::Operate));
    tokio::spawn(link.run(outgoing, sender));
    let mut net = Net::new(3);
    net.walk(0, 2);
    let now = net.publish();
    engine.snapshots.send_replace(Arc::new(now.clone()));
    in_time(async {
        while let Some(one) = news.recv().await {
            if matches!(&one, News::Snapshot(got) if got.hosts.len() == 3 && got.devices.len() == 1) {
                return;
            }
        }
        panic!("the link ended");
    })
    .await;
    let ticket = Ticket(4);
    orders
        .send(Order::OpenIncident { ticket, title: "core down".into(), urgency: Urgency::Sev1 })
        .await
        .expect("the link runs");
    let Visit { asker, command } = in_time(engine.visitors.visits.recv()).await.expect("a visit");
    assert_eq!(asker.author, Some(Untrusted::from("anna")));
    assert!(matches!(command, Command::OpenIncident { ticket: Ticket(4), .. }));
    let entry = Arc::new(Entry {
        id: "01".into(),
        incident: IncidentId(1),
        writer: "w".into(),
        sequence: 1,
        at: T0,
        kind: EntryKind::Opened,
        author: "anna".into(),
        text: "core down".into(),
        about: None,
    });
    asker.notices.try_send(Notice::Saved { ticket, entry: entry.clone() }).expect("room");
    // More than its role allows.
    orders.send(Order::Pause { ticket: Ticket(5), note: "x".into() }).await.expect("the link runs");
    let mut said = Vec::new();
    while said.len() < 2 {
        if let News::Notice(notice) = in_time(news.recv()).await.expect("the link runs") {
            said.push(notice);
        }
    }
    assert!(matches!(&said[0], Notice::Saved { entry: got, .. } if *got == entry));
    assert!(
        matches!(&said[1], Notice::NotSaved { ticket: Ticket(5), reason } if reason.contains("needs admin")),
        "{said:?}"
    );
}

#[tokio::test]
async fn who_may_only_look_has_two_hosts_compared_and_their_times_become_its_own() {
    let mut engine = engine(anybody(Role::View));
    let (orders, outgoing) = mpsc::channel(4);
    let (sender, mut news) = mpsc::channel(4);
    tokio::spawn(dial(&engine).await.expect("let in").run(outgoing, sender));
    let (ticket, pair) = (Ticket(6), ["a", "b"].map(AssetId::new));
    orders.send(Order::ComparePackages { ticket, pair: pair.clone() }).await.expect("the link runs");
    let Visit { asker, command } = in_time(engine.visitors.visits.recv()).await.expect("a visit");
    assert!(matches!(&command, Command::ComparePackages { ticket: Ticket(6), pair: asked } if *asked == pair));
    let list = |version: &str| PackageList {
        by: "dpkg",
        versions: [("bash".into(), [version.into()].into()), (version.into(), ["1".into()].into())].into(),
    };
    let comparison = PackageComparison::of([Ok((T0, &list("5.2"))), Ok((T0, &list("5.3")))]);
    assert_eq!(comparison.differences.as_ref().map(|all| all.named.len()), Some(3));
    asker.notices.try_send(Notice::Packages { ticket, comparison: Arc::new(comparison.clone()) }).expect("room");
    let told = in_time(async {
        loop {
            if let News::Notice(Notice::Packages { ticket: Ticket(6), comparison }) =
                news.recv().await.expect("the link runs")
            {
                return comparison;
            }
        }
    });
    assert_eq!(told.await.differences, comparison.differences);
    let mut bytes = Vec::new();
    comparison.put(None, &mut bytes);
    let mut names = Names::default();
    let there = PackageComparison::take(None, &mut Reader::new(&bytes, 100, &mut names)).expect("it can be read");
    let moved = PackageAnswer::Told { at: T0.plus(Duration::from_millis(100)), by: "dpkg", count: 2 };
    assert_eq!(there.answers, [moved.clone(), moved]);
    let why = PackageComparison::of([Err("no session"), Ok((T0, &list("1")))]);
    bytes.clear();
    why.put(None, &mut bytes);
    assert_eq!(PackageComparison::take(None, &mut Reader::new(&bytes, 0, &mut names)), Ok(why));
}

#[tokio::test]
async fn a_call_rings_at_every_console_that_is_attached_and_at_none_that_comes_later() {
    let engine = engine(anybody(Role::View));
    let call = |words: &str| Call { words: words.to_owned(), desktop: Desktop::Both };
    engine.visitors.ring(&call("before anybody came"));
    let mut consoles = Vec::new();
    for _ in 0..2 {
        let (orders, outgoing) = mpsc::channel(4);
        let (sender, mut news) = mpsc::channel(4);
        tokio::spawn(dial(&engine).await.expect("let in").run(outgoing, sender));
        // The picture comes once the door has taken it on.
        in_time(async { while !matches!(news.recv().await.expect("the link runs"), News::Snapshot(_)) {} }).await;
        consoles.push((orders, news));
    }
    engine.visitors.ring(&call("core-1 is down"));
    for (_orders, news) in &mut consoles {
        let rung = in_time(async {
            loop {
                if let News::Notice(Notice::Ring(rung)) = news.recv().await.expect("the link runs") {
                    return rung;
                }
            }
        });
        assert_eq!(rung.await, call("core-1 is down"));
    }
}

#[tokio::test]
async fn whoever_is_not_let_in_is_told_why() {
    let engine = engine(|peer, _| Err(format!("you are user {}", peer.user)));
    let error = dial(&engine).await.expect_err("not let in");
    let own = rustix::process::geteuid().as_raw();
    assert_eq!(error.to_string(), format!("you are user {own}"));
}

#[tokio::test]
async fn a_console_that_never_reads_and_one_that_talks_nonsense_cost_the_others_nothing() {
    use tokio::io::AsyncWriteExt as _;
    let engine = engine(anybody(Role::Admin));
    // One greets and reads nothing, the other sends what it likes.
    let mut mute = super::seat::dial(&engine.path).expect("connected");
    let mut message = Vec::new();
    frame::begin(&mut message);
    First::Hello(Hello { build: "noctty".into(), author: "m".into(), now: 0, most: Role::Admin, line: Line::Near })
        .put(&mut message);
    frame::end(&mut message);
    frame::write(&mut mute, &message).await.expect("written");
    for nonsense in [&[255u8; 64][..], b"GET / HTTP/1.1\r\n\r\n", &[0, 0, 0, 1, 9]] {
        let mut rude = super::seat::dial(&engine.path).expect("connected");
        rude.write_all(nonsense).await.expect("written");
    }
    let mut rude = super::seat::dial(&engine.path).expect("connected");
    rude.write_all(&message).await.expect("written");
    rude.write_all(&[0, 0, 0, 2, 77, 77]).await.expect("written");
    let (_orders, outgoing) = mpsc::channel(4);
    let (sender, mut news) = mpsc::channel(4);
    tokio::spawn(dial(&engine).await.expect("let in").run(outgoing, sender));
    let mut net = Net::new(40);
    for round in 0..60u64 {
        for switch in 0..40 {
            net.walk(switch, 100);
        }
        let now = net.publish();
        engine.snapshots.send_replace(Arc::new(now));
        in_time(async {
            loop {
                match news.recv().await.expect("the link runs") {
                    News::Snapshot(got) if got.revision > round && got.devices.len() == 40 => return,
                    _ => {}
                }
            }
        })
        .await;
    }
    drop(mute);
}

/// A line to the engine: what it says comes so fast, and a round trip late where the line was still; what it is told comes at once.
fn line(engine: &Engine, bytes_per_second: u32, round_trip: Duration) -> tokio::io::DuplexStream {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (near, far) = tokio::io::duplex(256);
    let (mut says, mut hears) = super::seat::dial(&engine.path).expect("connected").into_split();
    let (mut orders, mut words) = tokio::io::split(far);
    tokio::spawn(async move { tokio::io::copy(&mut orders, &mut hears).await });
    tokio::spawn(async move {
        let (mut piece, mut free) = ([0; 100], tokio::time::Instant::now());
        while let Ok(length @ 1..) = says.read(&mut piece).await {
            if tokio::time::Instant::now() > free {
                tokio::time::sleep(round_trip).await;
            }
            tokio::time::sleep(Duration::from_secs(length as u64) / bytes_per_second).await;
            free = tokio::time::Instant::now() + Duration::from_millis(1);
            if words.write_all(&piece[..length]).await.is_err() {
                return;
            }
        }
    });
    near
}

/// What comes over such a line, with its time, until all has come.
async fn parts_over(engine: &Engine, bytes_per_second: u32, round_trip: Duration) -> Vec<(Duration, Snapshot)> {
    let (_orders, outgoing) = mpsc::channel(4);
    let (sender, mut news) = mpsc::channel(4);
    let stream = line(engine, bytes_per_second, round_trip);
    let begun = tokio::time::Instant::now();
    tokio::spawn(Link::open(stream, Clock::start(), "far").await.expect("let in").run(outgoing, sender));
    let mut parts = Vec::new();
    loop {
        match news.recv().await.expect("it is not cut off") {
            News::Snapshot(got) => {
                let whole = got.awaited.is_nothing();
                parts.push((begun.elapsed(), *got));
                if whole {
                    return parts;
                }
            }
            News::Silent(_) => panic!("bytes were coming all the while"),
            News::Notice(_) | News::Alive => {}
        }
    }
}

/// Hosts that are well, and some at the end of the inventory that are not.
fn network(hosts: usize, down: usize) -> Snapshot {
    let mut net = Net::new(hosts);
    for host in 0..hosts {
        let rtt = 0.000_1 * host as f64;
        let reading = if host < hosts - down {
            Reading::ok(format!("{:.1} ms", rtt * 1e3)).metric("rtt", rtt, Unit::Seconds)
        } else {
            Reading::critical(format!("no answer from 192.0.2.{} within 3 s", host % 250))
        };
        net.see(host, "icmp", reading.clone());
        net.second += 20;
        net.see(host, "icmp", reading.clone());
        net.see(host, "icmp", reading);
    }
    net.publish()
}

#[tokio::test(start_paused = true)]
async fn the_first_screen_of_a_slow_line_has_the_worst_and_says_how_much_is_missing() {
    let engine = engine(anybody(Role::Admin));
    let all = network(201, 12);
    assert!(all.problems.len() >= 12, "{}", all.problems.len());
    engine.snapshots.send_replace(Arc::new(all.clone()));
    // 64 kbit/s and 9,600 bit/s; when the first part is there, and when all is.
    for (bytes_per_second, round_trip, soon, whole) in [(8_000, 300, 1_000, 3_000), (960, 300, 2_000, 15_000)] {
        let parts = parts_over(&engine, bytes_per_second, Duration::from_millis(round_trip)).await;
        let (at, first) = &parts[0];
        assert!(*at < Duration::from_millis(soon), "{at:?}");
        assert!(parts.len() > 2 && parts[parts.len() - 1].0 < Duration::from_millis(whole));
        let targets = |of: &Snapshot| of.problems.iter().map(|problem| problem.target.clone()).collect::<Vec<_>>();
        assert!(first.problems.len() >= 5 && targets(&all).starts_with(&targets(first)));
        assert!(first.awaited.hosts > 150 && !first.hosts.is_empty());
        assert!(first.hosts.iter().all(|host| host.condition.is_problem()), "none that is well is there yet");
        for (_, part) in &parts {
            assert_eq!((part.totals, part.hosts.len() + part.awaited.hosts), (all.totals, 201));
        }
    }
}

/// Whether a link tells what is in view.
type Tells = fn(Link, watch::Receiver<InView>) -> Link;

/// How long it takes until all of a switch is there that is opened on the first screen.
async fn opened_over(engine: &Engine, bytes_per_second: u32, switch: usize, tells: Tells) -> Duration {
    let (_orders, outgoing) = mpsc::channel(4);
    let (sender, mut news) = mpsc::channel(4);
    let (shows, shown) = watch::channel(InView::default());
    let stream = line(engine, bytes_per_second, Duration::from_millis(300));
    let link = Link::open(stream, Clock::start(), "far").await.expect("let in");
    tokio::spawn(tells(link, shown).run(outgoing, sender));
    let mut opened = None;
    loop {
        let News::Snapshot(got) = news.recv().await.expect("it is not cut off") else { continue };
        let opened = *opened.get_or_insert_with(|| {
            shows.send_replace(in_view(&[switch], switch..switch + 15));
            tokio::time::Instant::now()
        });
        let id = AssetId::new(format!("sw{switch}"));
        if got.host(&id).is_some() && got.device(&id).is_some() {
            return opened.elapsed();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_opened_on_a_slow_line_is_there_within_seconds() {
    const SWITCHES: usize = 200;
    let engine = engine(anybody(Role::Admin));
    let mut net = Net::new(SWITCHES);
    for switch in 0..SWITCHES {
        net.see(switch, "icmp", Reading::ok("1.0 ms"));
        net.walk(switch, 48);
    }
    engine.snapshots.send_replace(Arc::new(net.publish()));
    for (bytes_per_second, soon) in [(8_000, 2_500), (960, 10_000)] {
        let untold = opened_over(&engine, bytes_per_second, 150, |link, _| link).await;
        let told = opened_over(&engine, bytes_per_second, 150, Link::looking).await;
        assert!(
            told < Duration::from_millis(soon) && told * 2 < untold,
            "{told:?}, and {untold:?} where it is not told"
        );
    }
}

/// Simulated time: the whole takes minutes of it, longer than any one message may stand still.
#[tokio::test(start_paused = true)]
async fn a_console_on_a_slow_line_gets_a_large_network_in_parts_and_nobody_waits_for_it() {
    const SWITCHES: usize = 400;
    let engine = engine(anybody(Role::Admin));
    let mut net = Net::new(SWITCHES);
    (0..SWITCHES).for_each(|switch| net.walk(switch, 100));
    engine.snapshots.send_replace(Arc::new(net.publish()));
    let slow = parts_over(&engine, 1_000, Duration::from_millis(300));
    // One beside it on a quick line has the whole at once.
    let quick = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let (_orders, outgoing) = mpsc::channel(4);
        let (sender, mut news) = mpsc::channel(4);
        tokio::spawn(dial(&engine).await.expect("let in").run(outgoing, sender));
        let asked = tokio::time::Instant::now();
        while !matches!(news.recv().await, Some(News::Snapshot(got)) if got.devices.len() == SWITCHES) {}
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    };
    let (parts, ()) = tokio::join!(slow, quick);
    assert!(parts.is_sorted_by_key(|(_, part)| part.devices.len()));
    let (first, last) = (parts[0].0, parts[parts.len() - 1].0);
    assert!(parts.len() > 5 && first < Duration::from_secs(5), "{} parts, the first after {first:?}", parts.len());
    assert!(last > Duration::from_secs(60), "longer than one may stand still: {last:?}");
}

#[tokio::test]
async fn who_only_looks_on_is_allowed_no_more_by_the_engine_and_sees_every_picture() {
    let engine = engine(anybody(Role::Admin));
    let onlooker = Onlooker::dial(&engine.path, |_| true, Clock::start(), "wall").await.expect("let in");
    assert_eq!(onlooker.welcome().role, Role::View);
    let (sender, mut news) = mpsc::channel(4);
    tokio::spawn(onlooker.run(sender));
    let mut net = Net::new(1);
    for _ in 0..3 {
        let now = net.publish();
        let revision = now.revision;
        engine.snapshots.send_replace(Arc::new(now));
        in_time(async {
            while !matches!(news.recv().await.expect("the link runs"), News::Snapshot(got) if got.revision == revision)
            {
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_console_whose_engine_ends_is_told_at_once() {
    let engine = engine(anybody(Role::View));
    let (_orders, outgoing) = mpsc::channel(4);
    let (sender, mut news) = mpsc::channel(4);
    let running = tokio::spawn(dial(&engine).await.expect("let in").run(outgoing, sender));
    in_time(news.recv()).await.expect("a first snapshot");
    drop(engine.snapshots);
    let ended = in_time(async {
        while news.recv().await.is_some() {}
        running.await
    })
    .await;
    assert_eq!(ended.expect("no panic").0, "the engine has ended");
}

#[test]
fn a_condition_is_told_apart_from_every_other() {
    for condition in [Condition::NotProbed, Condition::Ok, Condition::Pending, Condition::Critical] {
        let mut bytes = Vec::new();
        condition.put(None, &mut bytes);
        let mut names = Names::default();
        assert_eq!(Condition::take(None, &mut Reader::new(&bytes, 0, &mut names)), Ok(condition));
    }
}
