//! The rules of state as stories: each file of `tests/fixtures/scenarios` says what is watched, what happens when, and what
//! must stand and be told then. And an oracle: conditions computed anew from the whole history, in another way, held against
//! the reducer at every step.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use noctty::base::Timestamp;
use noctty::base::units::parse_duration;
use noctty::model::device::{LagMember, Neighbor, NeighborProtocol};
use noctty::model::port_rules::{Pattern, RuleSet};
use noctty::model::{
    Acknowledgement, AssetId, CareBook, Change, CheckKey, CheckSpec, Claim, Condition, Device, Entry, EntryKind,
    Equipment, Facts, FlapBegins, FlapFormula, Host, IfAdmin, IfOper, Incident, IncidentId, IncidentStatus, Inference,
    Inventory, Log, Logged, Maintenance, Observation, Order, Origin, Outcome, Policy, Port, PortRules, PortTable,
    Reading, Remembered, RememberedAsset, RememberedDevice, Schedule, Scope, Span, Stickiness, Subject, Target,
    Urgency, Vitals, Wire,
};
use noctty::state::before::{self, Around};
use noctty::state::lookup::Lookup;
use noctty::state::{Effect, Event, News, Snapshot, State};
use proptest::prelude::*;
use serde::Deserialize;

/// 2026-03-28T00:00:00Z: the night before the clocks of Europe go forward.
const T0: Timestamp = Timestamp::from_secs(1_774_656_000);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// What it shows.
    about: String,
    #[serde(default)]
    host: Vec<HostForm>,
    #[serde(default)]
    step: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HostForm {
    name: String,
    #[serde(default)]
    parents: Vec<ParentForm>,
    #[serde(default)]
    tags: Vec<String>,
    group: Option<String>,
    /// The jump host that ssh_config reaches it through, and the gateway that the routing table does.
    jump: Option<String>,
    gateway: Option<String>,
    /// An address, or a name of it.
    #[serde(default = "documentation_address")]
    address: String,
    /// The first of them proves that the host lives.
    #[serde(default = "icmp")]
    checks: Vec<String>,
    /// Those of them that are volatile.
    #[serde(default)]
    volatile: Vec<String>,
    /// Of a device: they are up until a walk says otherwise.
    #[serde(default)]
    ports: Vec<PortForm>,
    /// Of a device: the MAC address that it says is its chassis.
    chassis: Option<String>,
    /// Which of them the operator's rules want up, and which are uplinks by them.
    #[serde(default)]
    must_be_up: Vec<String>,
    #[serde(default)]
    uplink: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PortForm {
    name: String,
    /// What is heard there as long as it is up, and forwards for others.
    neighbor: Option<String>,
    /// Its management addresses, and its chassis.
    #[serde(default)]
    neighbor_addresses: Vec<String>,
    neighbor_chassis: Option<String>,
    /// The port that it is a member of.
    aggregate: Option<String>,
    /// The stack member that it is on.
    unit: Option<u16>,
    #[serde(default)]
    down: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ParentForm {
    One(String),
    Group(Vec<String>),
}

impl ParentForm {
    fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Group(names) => names,
        }
    }
}

fn documentation_address() -> String {
    "192.0.2.1".to_owned()
}

fn icmp() -> Vec<String> {
    vec!["icmp".to_owned()]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Since the beginning.
    at: String,
    /// `host/check outcome`; one after the other.
    #[serde(default)]
    see: Vec<String>,
    /// `host`, or `host: port down, port up`: walks, after what is seen. Ports stay as they were left.
    #[serde(default)]
    walk: Vec<String>,
    /// `host/check words`: a machine that tells what its kernel is, as a good result.
    #[serde(default)]
    kernel: Vec<String>,
    /// Devices that were started anew at this time.
    #[serde(default)]
    boot: Vec<String>,
    /// Addresses that hosts have in the configuration from now on.
    #[serde(default)]
    address: BTreeMap<String, String>,
    /// `object: what somebody did`, in an incident.
    #[serde(default)]
    note: Vec<String>,
    #[serde(default)]
    claim: Vec<ClaimForm>,
    /// Claims that are given back.
    #[serde(default)]
    release: Vec<String>,
    #[serde(default)]
    maintain: Vec<OrderForm>,
    /// Why the machine has no way out; nothing where it has one again.
    uplink: Option<String>,
    /// Why names cannot be resolved; nothing where they can again.
    resolver: Option<String>,
    /// Ids of windows that are taken back.
    #[serde(default)]
    cancel: Vec<String>,
    /// noctty begins anew here with what its store has: before what is seen in this step, or behind it.
    restart: Option<Restart>,
    #[serde(default)]
    expect: Expected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Restart {
    StoreFirst,
    ResultsFirst,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimForm {
    target: String,
    owner: String,
    #[serde(default = "four_hours", rename = "for")]
    lasts: String,
    #[serde(default)]
    sticky: bool,
}

fn four_hours() -> String {
    "4h".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderForm {
    id: String,
    host: Option<String>,
    tag: Option<String>,
    group: Option<String>,
    behind: Option<String>,
    #[serde(rename = "for")]
    lasts: String,
    schedule: Option<String>,
    timezone: Option<String>,
    flexible: Option<String>,
}

/// What is not said is not looked at, but for what is told: that is always all of it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    hosts: Option<BTreeMap<String, String>>,
    /// `name WORD`, in their order.
    problems: Option<Vec<String>>,
    /// `name behind cause`, with `?` where that is inferred: all that is behind a problem, in its order.
    consequences: Option<Vec<String>>,
    /// What the reason of a problem holds.
    says: Option<BTreeMap<String, String>>,
    /// Devices that are to be walked at once, by what happened in this step.
    looked: Option<Vec<String>>,
    /// What was said of the inventory, once each.
    remarks: Option<Vec<String>>,
    /// What is told to have changed just before a problem, newest first: `4m before host/port: what`.
    before: Option<BTreeMap<String, Vec<String>>>,
    owners: Option<BTreeMap<String, String>>,
    in_maintenance: Option<usize>,
    unowned: Option<usize>,
    /// Since when nobody has it, of each problem that nobody has.
    unowned_since: Option<BTreeMap<String, String>>,
    /// What was announced in this step: `host condition`, `host/port condition`, `host flaps`, `host stands condition`.
    #[serde(default)]
    told: Vec<String>,
    /// Claims that ended by themselves in this step: `target why`.
    #[serde(default)]
    released: Vec<String>,
}

fn duration(text: &str) -> Duration {
    parse_duration(text).unwrap_or_else(|| panic!("{text} is no duration"))
}

fn spec(host: &str, name: &str, life: bool) -> CheckSpec {
    CheckSpec {
        key: CheckKey { subject: Subject::Host(AssetId::new(host)), name: name.into() },
        kind: name.into(),
        interval: Duration::from_secs(30),
        timeout: Duration::from_secs(2),
        retry_interval: Duration::from_secs(1),
        attempts: 3,
        decides_reachability: life,
        fixed_pace: false,
        eases: false,
        volatile: false,
        runbook: None,
        speaks_for_host: true,
        waits_for: None,
        wire: Wire { protocol: "test".into(), destination: "".into() },
    }
}

/// As the configuration binds what is volatile.
fn volatile(spec: CheckSpec) -> CheckSpec {
    CheckSpec { volatile: true, attempts: 1, ..spec }
}

fn outcome(text: &str) -> Outcome {
    let all = [Outcome::Ok, Outcome::Warning, Outcome::Critical, Outcome::Unknown];
    all.into_iter().find(|one| one.as_str() == text).unwrap_or_else(|| panic!("{text} is no outcome"))
}

/// A scenario under way, with what stands in its journal and its store.
struct Stage {
    state: State,
    book: CareBook,
    entries: u32,
    inventory: Arc<Inventory>,
    checks: BTreeMap<CheckKey, Remembered>,
    assets: HashMap<Subject, RememberedAsset>,
    /// How the ports of devices are, and what is stored of them.
    ports: BTreeMap<String, Vec<PortForm>>,
    chassis: BTreeMap<String, [u8; 6]>,
    booted: BTreeMap<String, Timestamp>,
    devices: BTreeMap<AssetId, RememberedDevice>,
    /// What was found otherwise, newest first.
    changes: Vec<Arc<Change>>,
}

impl Stage {
    fn new(scenario: &Scenario) -> Self {
        let mut inventory = Inventory::default();
        for form in &scenario.host {
            let mut host = Host::new(&form.name, Some(&form.address), Origin::Config);
            host.parents = form.parents.iter().flat_map(ParentForm::names).map(AssetId::new).collect();
            if form.parents.iter().any(|parent| matches!(parent, ParentForm::Group(_))) {
                host.redundancy = form.parents.iter().map(|parent| parent.names().len()).collect();
            }
            host.tags = form.tags.iter().map(|tag| tag.as_str().into()).collect();
            host.group = form.group.as_deref().map(Arc::from);
            let jump = form.jump.iter().map(|jump| (jump, Inference::ProxyJump));
            for (parent, by) in jump.chain(form.gateway.iter().map(|gateway| (gateway, Inference::Gateway))).take(1) {
                inventory.inferred.insert(host.id.clone(), (AssetId::new(parent), by));
            }
            let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new(text).expect("a pattern")).collect();
            let (must_be_up, uplink) = (patterns(&form.must_be_up), patterns(&form.uplink));
            let set = RuleSet { must_be_up, uplink, ignore: Vec::new() };
            host.ports = Arc::new(PortRules { sets: vec![Arc::new(set)], ..PortRules::default() });
            inventory.hosts.push(Arc::new(host));
            let walked = (!form.ports.is_empty()).then(|| Arc::new(spec(&form.name, "ports", false)));
            inventory.checks.extend(walked);
            let checks = form.checks.iter().enumerate();
            inventory.checks.extend(checks.map(|(n, check)| {
                let spec = spec(&form.name, check, n == 0);
                Arc::new(if form.volatile.contains(check) { volatile(spec) } else { spec })
            }));
        }
        let (state, book) = (State::new(Policy::default()), CareBook::default());
        let (inventory, checks, assets) = (Arc::new(inventory), BTreeMap::new(), HashMap::new());
        let ports = scenario.host.iter().map(|form| (form.name.clone(), form.ports.clone())).collect();
        let devices = BTreeMap::new();
        let chassis = scenario.host.iter().filter_map(|form| Some((form.name.clone(), mac(form.chassis.as_ref()?))));
        let chassis = chassis.collect();
        let (booted, changes, entries) = (BTreeMap::new(), Vec::new(), 0);
        let mut stage =
            Self { state, book, entries, inventory, checks, assets, ports, chassis, booted, devices, changes };
        stage.state.reduce(T0, Event::Inventory(stage.inventory.clone()));
        stage
    }

    /// What the store reads at the start.
    fn stored(&mut self, at: Timestamp) -> Vec<Effect> {
        let assets = self.assets.values().cloned().collect();
        let mut effects = self.state.reduce(at, Event::RestoredAssets(assets));
        let log = Log { changes: self.changes.clone(), ..Log::default() };
        effects.extend(self.state.reduce(at, Event::RestoredLog(log)));
        effects.extend(self.state.reduce(at, Event::RestoredDevices(self.devices.values().cloned().collect())));
        effects.extend(self.state.reduce(at, Event::Restored(self.checks.values().cloned().collect())));
        effects
    }

    fn restart(&mut self, at: Timestamp, how: Restart) -> Vec<Effect> {
        self.state = State::new(Policy::default());
        let mut effects = Vec::new();
        if how == Restart::StoreFirst {
            effects.extend(self.stored(at));
        }
        effects.extend(self.state.reduce(at, Event::Inventory(self.inventory.clone())));
        effects.extend(self.state.reduce(at, Event::Care(self.book.clone())));
        effects
    }

    /// What the engine stores after these.
    fn store(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Remember(key) => {
                    self.checks.extend(self.state.remembered(key).map(|one| (key.clone(), one)));
                }
                Effect::RememberAsset(subject) => {
                    let one = self.state.asset(subject);
                    self.assets.extend(one.map(|one| (subject.clone(), one)));
                }
                Effect::RememberDevice(id) => {
                    let one = self.state.device(id).map(|device| device.remembered());
                    self.devices.extend(one.map(|one| (id.clone(), one)));
                }
                Effect::Log(Logged::Compared(change)) => self.changes.insert(0, change.clone()),
                _ => {}
            }
        }
    }

    /// A walk of a device that says of some ports how they are now.
    fn walk(&mut self, at: Timestamp, text: &str) -> Vec<Effect> {
        let (host, changes) = text.split_once(": ").unwrap_or((text, ""));
        let told = self.tells(at, host);
        let forms = self.ports.get_mut(host).unwrap_or_else(|| panic!("{host} has no ports"));
        for change in changes.split(", ").filter(|change| !change.is_empty()) {
            let (name, oper) = change.rsplit_once(' ').expect("port up, or port down");
            let form = forms.iter_mut().find(|form| form.name == name);
            form.unwrap_or_else(|| panic!("{host} has no {name}")).down = oper == "down";
        }
        let reading = Reading::ok("walked").facts(Facts::Ports(Arc::new(table(at, forms, &told))));
        let check = CheckKey { subject: Subject::Host(AssetId::new(host)), name: "ports".into() };
        self.state.reduce(at, Event::Observed(Observation { check, at, took: Duration::from_millis(1), reading }))
    }

    /// What a device says of itself when it is walked.
    fn tells(&self, at: Timestamp, host: &str) -> Told {
        let since = self.booted.get(host).copied().unwrap_or(T0.minus(Duration::from_secs(86_400)));
        Told { up: at.since(since), chassis: self.chassis.get(host).copied() }
    }

    /// What people and machines change beside what is seen.
    fn change(&mut self, at: Timestamp, step: &Step) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.booted.extend(step.boot.iter().map(|host| (host.clone(), at)));
        if !step.address.is_empty() {
            let inventory = Arc::make_mut(&mut self.inventory);
            for host in &mut inventory.hosts {
                if let Some(address) = step.address.get(host.id.as_str()) {
                    Arc::make_mut(host).address = Some(address.as_str().into());
                }
            }
            effects.extend(self.state.reduce(at, Event::Inventory(self.inventory.clone())));
        }
        for text in &step.kernel {
            let (check, kernel) = text.rsplit_once(' ').expect("host/check kernel");
            let (host, name) = check.split_once('/').expect("host/check");
            let vitals = Vitals { kernel: kernel.into(), ..Vitals::default() };
            let reading = Reading::ok("it tells").facts(Facts::Vitals(Arc::new(vitals)));
            let check = CheckKey { subject: Subject::Host(AssetId::new(host)), name: name.into() };
            let observation = Observation { check, at, took: Duration::from_millis(1), reading };
            effects.extend(self.state.reduce(at, Event::Observed(observation)));
        }
        for text in &step.note {
            let (about, words) = text.split_once(": ").expect("object: words");
            self.entries += 1;
            let entry = Entry {
                id: self.entries.to_string().into(),
                incident: IncidentId::NONE,
                writer: "w".into(),
                sequence: 1,
                at,
                kind: EntryKind::Action,
                author: "ops1".into(),
                text: words.into(),
                about: Some(about.into()),
            };
            let incident = Incident {
                id: IncidentId::NONE,
                title: "x".into(),
                urgency: Urgency::Sev3,
                status: IncidentStatus::Open,
                opened_at: at,
                closed_at: None,
                entries: vec![Arc::new(entry)],
                damage: Vec::new(),
            };
            effects.extend(self.state.reduce(at, Event::Incident(incident)));
        }
        effects
    }

    /// Carries a step out; everything that is due before it happens at its own time.
    fn take(&mut self, step: &Step) -> Vec<Effect> {
        let at = T0.plus(duration(&step.at));
        let mut effects = Vec::new();
        // Who is away sees nothing become due.
        while let Some(due) = self.state.next_deadline().filter(|due| *due <= at && step.restart.is_none()) {
            effects.extend(self.state.reduce(due, Event::Tick));
            assert!(self.state.next_deadline() != Some(due), "a deadline at {due} does not go away");
        }
        if let Some(how) = step.restart {
            effects.extend(self.restart(at, how));
        }
        if let Some(why) = &step.uplink {
            let lost = (!why.is_empty()).then(|| why.as_str().into());
            effects.extend(self.state.reduce(at, Event::Uplink(lost)));
        }
        if let Some(why) = &step.resolver {
            let lost = (!why.is_empty()).then(|| why.as_str().into());
            effects.extend(self.state.reduce(at, Event::Resolver(lost)));
        }
        for text in &step.see {
            let (check, found) = text.rsplit_once(' ').expect("host/check outcome");
            let (host, name) = check.split_once('/').expect("host/check");
            let observation = Observation {
                check: CheckKey { subject: Subject::Host(AssetId::new(host)), name: name.into() },
                at,
                took: Duration::from_millis(1),
                reading: Reading::new(outcome(found), found),
            };
            effects.extend(self.state.reduce(at, Event::Observed(observation)));
        }
        effects.extend(self.change(at, step));
        for text in &step.walk {
            effects.extend(self.walk(at, text));
        }
        if step.restart == Some(Restart::ResultsFirst) {
            effects.extend(self.stored(at));
        }
        if self.write(at, step) {
            effects.extend(self.state.reduce(at, Event::Care(self.book.clone())));
        }
        // What ended by itself is written down, as the engine does it.
        for effect in &effects {
            if let Effect::Release { claim, .. } = effect {
                self.book.acks.retain(|ack| ack.id != *claim);
            }
        }
        self.store(&effects);
        effects
    }

    fn write(&mut self, at: Timestamp, step: &Step) -> bool {
        for form in &step.claim {
            self.entries += 1;
            let target = target(&form.target);
            self.book.acks.retain(|ack| ack.claim.target != target);
            let stickiness = if form.sticky { Stickiness::Sticky } else { Stickiness::EndsOnWorsening };
            let (owner, until) = (form.owner.as_str().into(), at.plus(duration(&form.lasts)));
            let claim = Claim { target, owner, note: "".into(), until, stickiness, condition: None };
            self.book.acks.push(Arc::new(Acknowledgement { id: self.entries.to_string().into(), since: at, claim }));
        }
        for text in &step.release {
            self.book.acks.retain(|ack| ack.claim.target != target(text));
            self.book.released.push((target(text), at));
        }
        for form in &step.maintain {
            let scope = match (&form.host, &form.tag, &form.group, &form.behind) {
                (Some(host), None, None, None) => Scope::Asset(AssetId::new(host)),
                (None, Some(tag), None, None) => Scope::Tag(tag.as_str().into()),
                (None, None, Some(group), None) => Scope::Group(group.as_str().into()),
                (None, None, None, Some(host)) => Scope::Behind(AssetId::new(host)),
                _ => panic!("{form:?} has not one scope"),
            };
            let lasts = duration(&form.lasts);
            let span = match &form.schedule {
                None => Span::Once { from: at, until: at.plus(lasts) },
                Some(cron) => {
                    let timezone = form.timezone.as_deref().unwrap_or("UTC").into();
                    Span::Recurring { schedule: Schedule { cron: cron.as_str().into(), timezone }, lasts }
                }
            };
            let flexible = form.flexible.as_deref().map(duration);
            let order = Order { scope, span, flexible, note: "".into() };
            self.book.maintenance.push(Arc::new(Maintenance {
                id: form.id.as_str().into(),
                author: "ops1".into(),
                order,
            }));
        }
        self.book.maintenance.retain(|one| !step.cancel.iter().any(|id| **id == *one.id));
        !(step.claim.is_empty() && step.release.is_empty() && step.maintain.is_empty() && step.cancel.is_empty())
    }
}

struct Told {
    up: Duration,
    chassis: Option<[u8; 6]>,
}

fn table(at: Timestamp, forms: &[PortForm], told: &Told) -> PortTable {
    let mut equipment = Equipment { chassis_mac: told.chassis, ..Equipment::default() };
    let mut ports = Vec::new();
    for (index, form) in (1..).zip(forms) {
        let oper = Some(if form.down { IfOper::Down } else { IfOper::Up });
        ports.push(Port { index, name: form.name.as_str().into(), admin: Some(IfAdmin::Up), oper, ..Port::default() });
        let facts = equipment.port_mut(index);
        facts.unit = form.unit;
        // Who has lost its link hears nobody.
        facts.neighbors = form.neighbor.iter().filter(|_| !form.down).map(|name| neighbor(name, form)).collect();
        facts.lag = form.aggregate.as_ref().map(|aggregate| {
            let row = forms.iter().position(|other| other.name == *aggregate).expect("the aggregate");
            LagMember { aggregate: row as u32 + 1, bundled: Some(!form.down) }
        });
    }
    let device = Device { uptime: Some(told.up), ..Device::default() };
    PortTable { collected_at: at, device, ports, complete: true, equipment: equipment.into(), ..PortTable::default() }
}

fn neighbor(name: &str, form: &PortForm) -> Neighbor {
    let addresses = form.neighbor_addresses.iter().map(|address| address.parse().expect("an address")).collect();
    let chassis_mac = form.neighbor_chassis.as_deref().map(mac);
    Neighbor { forwards: Some(true), addresses, chassis_mac, ..Neighbor::new(NeighborProtocol::Lldp, name, "1") }
}

fn mac(text: impl AsRef<str>) -> [u8; 6] {
    let octets = text.as_ref().split(':').map(|octet| u8::from_str_radix(octet, 16).expect("an octet"));
    octets.collect::<Vec<u8>>().try_into().expect("six octets")
}

fn target(text: &str) -> Target {
    match text.split_once('/') {
        None => Target::Host(AssetId::new(text)),
        Some((host, check)) => {
            Target::Check(CheckKey { subject: Subject::Host(AssetId::new(host)), name: check.into() })
        }
    }
}

fn told(effects: &[Effect]) -> Vec<String> {
    let words = |effect: &Effect| match effect {
        Effect::Announce { asset, to, news, .. } => Some(match news {
            News::Changed => format!("{} {}", asset.as_str(), to.as_str()),
            News::Another => format!("{} again {}", asset.as_str(), to.as_str()),
            News::FlappingBegins => format!("{} flaps", asset.as_str()),
            News::FlappingEnds => format!("{} stands {}", asset.as_str(), to.as_str()),
        }),
        Effect::AnnouncePart { target, to, .. } => Some(format!("{} {}", target.label().line(), to.as_str())),
        _ => None,
    };
    effects.iter().filter_map(words).collect()
}

fn released(effects: &[Effect]) -> Vec<String> {
    let words = |effect: &Effect| match effect {
        Effect::Release { target, why, .. } => Some(format!("{} {}", target.label().line(), why.as_str())),
        _ => None,
    };
    effects.iter().filter_map(words).collect()
}

fn check(expected: &Expected, snapshot: &Snapshot, effects: &[Effect], place: &str) {
    assert_eq!(told(effects), expected.told, "{place}: told");
    assert_eq!(released(effects), expected.released, "{place}: claims that ended");
    for (name, condition) in expected.hosts.iter().flatten() {
        let host = snapshot.host(&AssetId::new(name)).unwrap_or_else(|| panic!("{place}: there is no {name}"));
        let stale = if host.stale { " stale" } else { "" };
        assert_eq!(format!("{}{stale}", host.condition.as_str()), *condition, "{place}: {name}");
    }
    if let Some(problems) = &expected.problems {
        let found: Vec<String> = snapshot.problems.iter().map(|p| format!("{} {}", p.title.line(), p.word)).collect();
        assert_eq!(found, *problems, "{place}: problems");
    }
    if let Some(consequences) = &expected.consequences {
        let words = |p: &noctty::state::Problem| {
            let behind = p.behind.as_ref().expect("it is a consequence");
            let sure = if behind.inferred { "?" } else { "" };
            format!("{} behind {}{sure}", p.title.line(), behind.target.label().line())
        };
        let found: Vec<String> = snapshot.consequences.iter().map(words).collect();
        assert_eq!(found, *consequences, "{place}: consequences");
        let hides: usize = snapshot.problems.iter().map(|p| p.hides).sum();
        assert_eq!(hides, found.len(), "{place}: they are counted");
    }
    for (name, words) in expected.says.iter().flatten() {
        let problem = snapshot.problems.iter().find(|p| p.title.line() == *name);
        let reason = problem.unwrap_or_else(|| panic!("{place}: {name} is no problem")).reason.line();
        assert!(reason.contains(words), "{place}: {name} says {reason}");
    }
    if let Some(looked) = &expected.looked {
        let look = |effect: &Effect| if let Effect::Look(id) = effect { Some(id.as_str().to_owned()) } else { None };
        let found: Vec<String> = effects.iter().filter_map(look).collect();
        assert_eq!(found, *looked, "{place}: devices that are walked at once");
    }
    if let Some(remarks) = &expected.remarks {
        let found: Vec<&str> = snapshot.remarks.iter().map(|remark| &**remark).collect();
        assert_eq!(found, *remarks, "{place}: remarks");
    }
    for (name, lines) in expected.before.iter().flatten() {
        let problem = snapshot.problems.iter().find(|p| p.title.line() == *name);
        let problem = problem.unwrap_or_else(|| panic!("{place}: {name} is no problem"));
        let mut lookup = Lookup::default();
        lookup.refresh(snapshot);
        let around = Around::of(snapshot, &lookup, &problem.target);
        let found = before::of(snapshot, &around, problem);
        let words = |one: &before::Happening| {
            format!("{} {}: {}", one.distance(problem.since), one.target.label().line(), one.words.line())
        };
        assert_eq!(found.iter().map(words).collect::<Vec<_>>(), *lines, "{place}: just before {name}");
    }
    if let Some(owners) = &expected.owners {
        let owner = |p: &noctty::state::Problem| Some((p.title.line(), p.care.ack.as_ref()?.claim.owner.line()));
        let found: BTreeMap<String, String> = snapshot.problems.iter().filter_map(owner).collect();
        assert_eq!(found, *owners, "{place}: owners");
    }
    if let Some(count) = expected.in_maintenance {
        assert_eq!(snapshot.totals.in_maintenance, count, "{place}: in maintenance");
    }
    if let Some(count) = expected.unowned {
        assert_eq!(snapshot.totals.unowned, count, "{place}: unowned");
    }
    if let Some(times) = &expected.unowned_since {
        let since = |p: &noctty::state::Problem| Some((p.title.line(), p.care.unowned_since?));
        let found: BTreeMap<String, Timestamp> = snapshot.problems.iter().filter_map(since).collect();
        let times = times.iter().map(|(name, at)| (name.clone(), T0.plus(duration(at)))).collect();
        assert_eq!(found, times, "{place}: unowned since");
    }
}

#[test]
fn every_scenario_goes_as_it_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/scenarios");
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("the folder").map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(files.len() >= 18, "{} scenarios are there", files.len());
    for file in files {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).expect("it reads");
        let scenario: Scenario = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!scenario.about.is_empty() && !scenario.step.is_empty(), "{name} says and does something");
        let mut stage = Stage::new(&scenario);
        for step in &scenario.step {
            let effects = stage.take(step);
            let snapshot = stage.state.publish(T0.plus(duration(&step.at)));
            check(&step.expect, &snapshot, &effects, &format!("{name} at {}", step.at));
        }
    }
}

/// Everything that was ever seen of one check.
type History = Vec<(Timestamp, Outcome)>;

/// What a check's condition must be, by its whole history and nothing kept in between.
fn condition_of(history: &History, attempts: usize) -> Condition {
    let good = history.iter().rposition(|(_, outcome)| *outcome == Outcome::Ok);
    let bad = &history[good.map_or(0, |at| at + 1)..];
    match (bad.last(), good) {
        (Some((_, outcome)), _) if bad.len() >= attempts => match outcome {
            Outcome::Warning => Condition::Warning,
            Outcome::Critical => Condition::Critical,
            Outcome::Unknown | Outcome::Ok => Condition::Unknown,
        },
        (_, Some(_)) => Condition::Ok,
        (_, None) => Condition::Pending,
    }
}

/// Whether a check flaps, by the formula over each prefix of its history.
fn flaps(history: &History, formula: &FlapFormula) -> bool {
    let outcomes: Vec<Outcome> = history.iter().map(|(_, outcome)| *outcome).collect();
    let window = formula.window as usize;
    let mut flapping = false;
    for end in 1..=outcomes.len() {
        let changes: Vec<bool> = outcomes[..end].windows(2).map(|pair| pair[0] != pair[1]).collect();
        let recent = &changes[changes.len().saturating_sub(window)..];
        let step = (formula.newest - formula.oldest) / (window - 1) as f64;
        let weighed: f64 = recent
            .iter()
            .rev()
            .enumerate()
            .filter(|(_, changed)| **changed)
            .map(|(age, _)| formula.newest - step * age as f64)
            .sum();
        let percent = (weighed / window as f64 * 1e6).round() / 1e4;
        let above = if formula.begins == FlapBegins::AtHigh { percent >= formula.high } else { percent > formula.high };
        flapping = if flapping { percent > formula.low } else { above };
    }
    flapping
}

/// Whether the host has come back since the last run of bad results of a service began: then those are forgotten.
fn came_back(life: Option<&History>, service: &History) -> bool {
    let good = service.iter().rposition(|(_, outcome)| *outcome == Outcome::Ok);
    let Some((began, _)) = service.get(good.map_or(0, |at| at + 1)) else { return false };
    let answers = |outcome: Outcome| matches!(outcome, Outcome::Ok | Outcome::Warning);
    life.is_some_and(|life| {
        life.windows(2).any(|two| two[0].1 != Outcome::Ok && answers(two[1].1) && two[1].0 >= *began)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_reducer_agrees_with_a_second_reading_of_the_whole_history(
        events in prop::collection::vec((0usize..3, 0usize..3, 0u8..8, 0u64..40), 1..150)
    ) {
        let names = ["a", "b", "c"];
        let checks = ["icmp", "disk", "events"];
        let mut inventory = Inventory::default();
        for name in names {
            inventory.hosts.push(Arc::new(Host::new(name, Some("192.0.2.1"), Origin::Config)));
            inventory.checks.extend(checks.iter().enumerate().map(|(n, c)| {
                let spec = spec(name, c, n == 0);
                Arc::new(if n == 2 { volatile(spec) } else { spec })
            }));
        }
        let policy = Policy::default();
        let formula = policy.flapping.expect("it is told by default");
        let mut state = State::new(policy);
        state.reduce(T0, Event::Inventory(Arc::new(inventory)));
        let mut histories: BTreeMap<(usize, usize), History> = BTreeMap::new();
        let mut now = T0;
        for (host, check, kind, later) in events {
            now = now.plus(Duration::from_secs(later));
            // Mostly good, or mostly as bad as can be.
            let outcome = match kind {
                0..=3 => Outcome::Ok,
                4 => Outcome::Warning,
                5 => Outcome::Unknown,
                _ => Outcome::Critical,
            };
            let key = CheckKey { subject: Subject::Host(AssetId::new(names[host])), name: checks[check].into() };
            let observation = Observation { check: key, at: now, took: Duration::ZERO, reading: Reading::new(outcome, "x") };
            state.reduce(now, Event::Tick);
            state.reduce(now, Event::Observed(observation));
            histories.entry((host, check)).or_default().push((now, outcome));
            let snapshot = state.publish(now);
            for (n, host) in snapshot.hosts.iter().enumerate() {
                for (m, check) in host.checks.iter().enumerate() {
                    let Some(history) = histories.get(&(n, m)) else {
                        prop_assert_eq!(check.condition, Condition::Pending);
                        continue;
                    };
                    // A host that was silent and is back has what was bad before forgotten: only then they may differ.
                    let forgotten = match m {
                        0 => check.condition == Condition::Pending,
                        _ => !check.condition.is_problem() && came_back(histories.get(&(n, 0)), history),
                    };
                    let agrees = check.condition == condition_of(history, if m == 2 { 1 } else { 3 });
                    prop_assert!(agrees || forgotten, "{} {}: {:?} of {history:?}", n, m, check.condition);
                    prop_assert_eq!(check.flap.flapping, flaps(history, &formula), "{:?}", history);
                    let last = history.last().expect("it has one").0;
                    prop_assert_eq!(check.stale, now.since(last) >= Duration::from_secs(60), "since {}", last);
                }
                let worst = host.checks.iter().map(|c| c.condition).max().expect("it has checks");
                prop_assert!(host.condition <= worst.max(Condition::Unknown), "never worse than its checks");
                let life = &host.checks[0];
                if life.condition == Condition::Ok && !host.checks[1..].iter().any(|check| check.condition.is_problem()) {
                    prop_assert_eq!(host.condition, Condition::Ok);
                }
                // Nothing bad is lost: it is listed, or it is no problem.
                let listed = snapshot.problems.iter().any(|p| p.asset == host.host.id);
                prop_assert_eq!(listed, host.condition.is_problem() || host.care.flapping.is_some());
            }
        }
    }
}
