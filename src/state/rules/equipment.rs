//! What is wrong with a device beside its ports, by what it says itself: routing sessions, sensors, power, memory. Pure, and
//! about what is there: a table that was not walked finds nothing, which is not the same as good.

use std::time::Duration;

use crate::base::{Timestamp, units};
use crate::model::device::{
    BgpPeer, BgpState, Equipment, Firewall, Optics, OspfNeighbor, OspfState, PoeBudget, Pool, PowerSource, Processor,
    Sensor, SensorStatus, Ups,
};
use crate::model::vitals::{WITHOUT_CACHE, fill};
use crate::model::{Condition, Side, Unit};
use crate::state::view::Finding;

/// From here on a processor, a power budget or a limit is nearly used up, in percent.
const NEARLY: f64 = 90.0;
/// A processor that is busy for a moment does its work.
const BUSY: Duration = Duration::from_secs(120);
/// A UPS with less than this left, in minutes.
const MINUTES_LEFT: f64 = 10.0;
/// A UPS that carries as much, in percent.
const UPS_LOAD: f64 = 80.0;

/// Collects what is wrong.
struct Notes<'a> {
    before: &'a [Finding],
    at: Timestamp,
    out: Vec<Finding>,
}

impl Notes<'_> {
    /// Whether a number is beyond its limit, or was and is not far enough inside it again: as much as a check's own limits have
    /// to be, so that a number at its limit does not come and go with every walk.
    fn is_beyond(&self, what: &str, value: f64, (side, limit): (Side, f64), unit: Unit) -> bool {
        let slack = unit.slack(limit);
        let (beyond, sticks) = match side {
            Side::Above => (value >= limit, value > limit - slack),
            Side::Below => (value < limit, value < limit + slack),
        };
        beyond || (sticks && self.known(what).is_some())
    }

    /// A warning while a share is nearly used up.
    fn note_share(&mut self, share: Option<f64>, what: String, words: impl FnOnce(&str, f64) -> String) {
        if let Some(share) = share.filter(|share| self.is_beyond(&what, *share, (Side::Above, NEARLY), Unit::Percent)) {
            self.note(Some(Condition::Warning), || what, |what| words(what, share));
        }
    }

    /// What it was at the walk before, where that was a problem.
    fn known(&self, what: &str) -> Option<&Finding> {
        self.before.iter().find(|found| *found.what == *what)
    }

    /// `what` names the thing for good; `words` says how it stands.
    fn note(
        &mut self,
        condition: Option<Condition>,
        what: impl FnOnce() -> String,
        words: impl FnOnce(&str) -> String,
    ) {
        if let Some(condition) = condition.filter(|c| c.is_problem()) {
            let what = what();
            let words = words(&what);
            let since = self.known(&what).map_or(self.at, |found| found.since);
            self.out.push(Finding { condition, what: what.into(), words: words.into(), since, firm: true });
        }
    }
}

/// Everything that is wrong, worst first. `before` is what was wrong at the walk before, for since when.
pub fn findings(equipment: &Equipment, at: Timestamp, before: &[Finding]) -> Vec<Finding> {
    let mut notes = Notes { before, at, out: Vec::new() };
    for peer in &equipment.bgp {
        let state = || peer.state.map_or("in no known state", BgpState::as_str);
        notes.note(bgp(peer), || format!("BGP {}", peer.peer), |what| format!("{what} is {}", state()));
        let used = share(peer.prefixes, peer.prefix_limit);
        notes.note_share(used, format!("BGP {} prefixes", peer.peer), |_, used| {
            format!("BGP {} has {used:.0} % of its prefix limit", peer.peer)
        });
    }
    for neighbor in &equipment.ospf {
        let state = || neighbor.state.map_or("in no known state", OspfState::as_str);
        notes.note(ospf(neighbor), || format!("OSPF {}", neighbor.neighbor), |what| format!("{what} is {}", state()));
    }
    for one in &equipment.sensors {
        let what = || format!("{} {}", one.class.as_str(), one.name.line());
        notes.note(sensor(one.status), what, |what| format!("{what}: {}", reading(one)));
    }
    for one in &equipment.optics {
        let what = || format!("optics of {}", optics_name(one));
        notes.note(sensor(one.status), what, |what| format!("{what}: {}", light(one)));
    }
    for budget in &equipment.poe {
        let what = format!("PoE group {}", budget.group);
        let words = |what: &str| format!("{what}: {}", watts(budget));
        if budget.faulty == Some(true) {
            notes.note(poe(budget), || what, words);
        } else {
            notes.note_share(poe_share(budget), what, |what, _| words(what));
        }
    }
    if let Some(one) = &equipment.ups {
        ups(one, &mut notes);
    }
    if let Some(one) = &equipment.firewall {
        firewall(one, &mut notes);
    }
    for one in &equipment.processors {
        let known = notes.out.len();
        notes.note_share(Some(one.percent), one.name.line(), |what, percent| format!("{what}: {percent:.0} %"));
        for busy in &mut notes.out[known..] {
            busy.firm = at.since(busy.since) >= BUSY;
        }
    }
    for (pool, fill) in pools(equipment) {
        let what = pool.name.line();
        let level = fill.map(|fill| fill.beside(notes.known(&what).map(|found| found.condition)));
        notes.note(level, || what, |what| format!("{what}: {}", used(pool)));
    }
    let mut out = notes.out;
    out.sort_by_key(|finding| std::cmp::Reverse(finding.condition));
    out
}

/// A session that somebody stopped is as it should be; one in no known state is not known to be wrong.
pub fn bgp(peer: &BgpPeer) -> Option<Condition> {
    match (peer.started, peer.state) {
        (Some(false), _) | (_, Some(BgpState::Established)) => Some(Condition::Ok),
        (_, Some(_)) => Some(Condition::Critical),
        (_, None) => None,
    }
}

/// Two-way is as far as two routers go that are neither of them the designated one.
pub fn ospf(neighbor: &OspfNeighbor) -> Option<Condition> {
    match neighbor.state? {
        OspfState::Full | OspfState::TwoWay => Some(Condition::Ok),
        OspfState::Down | OspfState::Attempt => Some(Condition::Critical),
        OspfState::Init | OspfState::ExchangeStart | OspfState::Exchange | OspfState::Loading => {
            Some(Condition::Warning)
        }
    }
}

/// What a device's own word on a sensor is worth.
pub fn sensor(status: SensorStatus) -> Option<Condition> {
    match status {
        SensorStatus::Ok => Some(Condition::Ok),
        SensorStatus::Warning => Some(Condition::Warning),
        SensorStatus::Critical => Some(Condition::Critical),
        SensorStatus::Unavailable | SensorStatus::Unknown => None,
    }
}

pub fn poe(budget: &PoeBudget) -> Option<Condition> {
    if budget.faulty == Some(true) {
        return Some(Condition::Critical);
    }
    poe_share(budget).map(|used| if used >= NEARLY { Condition::Warning } else { Condition::Ok })
}

fn poe_share(budget: &PoeBudget) -> Option<f64> {
    Some(budget.used_watts? * 100.0 / budget.watts.filter(|w| *w > 0.0)?)
}

pub fn processor(processor: &Processor) -> Option<Condition> {
    Some(if processor.percent >= NEARLY { Condition::Warning } else { Condition::Ok })
}

/// How full a pool is, and from where on that is a warning and critical.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fill {
    percent: f64,
    limits: [f64; 2],
}

impl Fill {
    pub fn condition(self) -> Condition {
        self.beside(None)
    }

    /// What was a problem before is one until it is far enough inside the limit again.
    fn beside(self, before: Option<Condition>) -> Condition {
        let [warning, critical] = self.limits;
        let reaches = |limit: f64, held: bool| {
            self.percent >= limit || (held && self.percent > limit - Unit::Percent.slack(limit))
        };
        if reaches(critical, before == Some(Condition::Critical)) {
            Condition::Critical
        } else if reaches(warning, before.is_some()) {
            Condition::Warning
        } else {
            Condition::Ok
        }
    }
}

/// The pools of memory and storage, each with what it is judged by. What an agent calls physical memory has what the kernel
/// only caches in it: where the agent tells what is really taken as well, that is judged alone.
pub fn pools(equipment: &Equipment) -> impl Iterator<Item = (&Pool, Option<Fill>)> {
    let limits = &equipment.limits;
    let tells_taken = equipment.memory.iter().any(|pool| pool.is_called(WITHOUT_CACHE));
    let with_cache =
        move |pool: &Pool| tells_taken && (pool.is_called("physical memory") || pool.is_called("virtual memory"));
    let ignored = |pool: &Pool| {
        let name = pool.name.as_bytes();
        is_full_by_nature(name) || limits.ignore.iter().any(|pattern| pattern.matches(name))
    };
    let memory = equipment.memory.iter().map(move |pool| {
        let percent = share(pool.used_bytes, pool.total_bytes).filter(|_| !with_cache(pool) && !ignored(pool));
        (pool, percent.map(|percent| Fill { percent, limits: limits.memory }))
    });
    let storage = equipment.storage.iter().map(move |pool| {
        let size = pool.total_bytes.unwrap_or(0);
        let percent = share(pool.used_bytes, pool.total_bytes).filter(|_| !ignored(pool));
        let percent = percent.map(|share| fill(share, size, size.saturating_sub(pool.used_bytes.unwrap_or(size))));
        (pool, percent.map(|percent| Fill { percent, limits: limits.disk }))
    });
    memory.chain(storage)
}

/// Images that are mounted to be read, and the layers of containers: they are as full as they were made, or as the disk is that they
/// are on, which is judged.
fn is_full_by_nature(mount: &[u8]) -> bool {
    ["/snap/", "/var/lib/snapd/snap/", "/var/lib/docker/", "/var/lib/containers/"]
        .iter()
        .any(|folder| mount.starts_with(folder.as_bytes()))
}

fn ups(ups: &Ups, notes: &mut Notes<'_>) {
    let source = match ups.source {
        Some(PowerSource::Battery) => {
            let since = ups.on_battery_for.map(|d| format!(" for {}", units::age(d))).unwrap_or_default();
            Some((Condition::Critical, format!("UPS on battery{since}")))
        }
        Some(PowerSource::Bypass) => Some((Condition::Warning, "UPS on bypass: nothing protects the load".to_owned())),
        Some(PowerSource::None) => Some((Condition::Critical, "UPS gives no power".to_owned())),
        Some(PowerSource::Mains | PowerSource::Booster | PowerSource::Reducer | PowerSource::Other) | None => None,
    };
    if let Some((condition, words)) = source {
        notes.note(Some(condition), || "UPS source".to_owned(), |_| words);
    }
    let short = |minutes: &f64| notes.is_beyond("UPS minutes", *minutes, (Side::Below, MINUTES_LEFT), Unit::Count);
    if let Some(minutes) = ups.minutes_left.filter(short) {
        let words = |_: &str| format!("UPS has {minutes:.0} minutes left");
        notes.note(Some(Condition::Critical), || "UPS minutes".to_owned(), words);
    }
    let much = |load: &f64| notes.is_beyond("UPS load", *load, (Side::Above, UPS_LOAD), Unit::Percent);
    if let Some(load) = ups.load_percent.filter(much) {
        notes.note(Some(Condition::Warning), || "UPS load".to_owned(), |what| format!("{what} {load:.0} %"));
    }
    notes.note(ups.battery.and_then(sensor), || "UPS battery".to_owned(), str::to_owned);
    if let Some(alarms) = ups.alarms.filter(|n| *n > 0) {
        notes.note(Some(Condition::Warning), || "UPS alarms".to_owned(), |what| format!("{what}: {alarms}"));
    }
}

fn firewall(firewall: &Firewall, notes: &mut Notes<'_>) {
    if let Some(ha) = firewall.ha.as_ref().filter(|ha| ha.healthy == Some(false)) {
        let role = crate::base::text::clean(&ha.role);
        let words = |what: &str| format!("{what}: {role}, and its peer is not in step");
        notes.note(Some(Condition::Critical), || "HA".to_owned(), words);
    }
    let used = share(firewall.sessions, firewall.session_limit);
    notes.note_share(used, "sessions".to_owned(), |what, used| format!("{what} at {used:.0} % of the limit"));
    for tunnel in firewall.tunnels.iter().filter(|t| t.up == Some(false)) {
        let what = || format!("tunnel {}", tunnel.name.line());
        notes.note(Some(Condition::Warning), what, |what| format!("{what} is down"));
    }
}

/// Percent; nothing where the whole is not known.
pub fn share(part: Option<u64>, whole: Option<u64>) -> Option<f64> {
    Some(part? as f64 * 100.0 / whole.filter(|w| *w > 0)? as f64)
}

/// `48 %, 1.2G of 2.5G`.
pub fn used(pool: &Pool) -> String {
    let bytes = |b: Option<u64>| b.map_or_else(|| "–".to_owned(), units::bytes);
    let percent = share(pool.used_bytes, pool.total_bytes).map(|p| format!("{p:.0} %, ")).unwrap_or_default();
    format!("{percent}{} of {}", bytes(pool.used_bytes), bytes(pool.total_bytes))
}

/// `212 of 370 W`.
pub fn watts(budget: &PoeBudget) -> String {
    let watts = |w: Option<f64>| w.map_or_else(|| "–".to_owned(), |w| format!("{w:.0}"));
    let fault = if budget.faulty == Some(true) { ", faulty" } else { "" };
    format!("{} of {} W{fault}", watts(budget.used_watts), watts(budget.watts))
}

/// The value with its unit and the nearest limit above it, or the word alone.
pub fn reading(sensor: &Sensor) -> String {
    let unit = match sensor.unit.or(sensor.class.unit()) {
        Some("celsius") => " °C",
        Some("percent") => " %",
        Some("volts") => " V",
        Some("amperes") => " A",
        Some("watts") => " W",
        Some("rpm") => " rpm",
        Some("dbm") => " dBm",
        _ => "",
    };
    let number =
        |v: f64| if v.fract().abs() < 0.05 || v.abs() >= 100.0 { format!("{v:.0}") } else { format!("{v:.1}") };
    let limit = sensor.limits.high_warning.or(sensor.limits.high_critical);
    let value = sensor.value.map(|v| format!("{}{unit} ", number(v))).unwrap_or_default();
    let limit = limit.filter(|_| sensor.value.is_some()).map(|l| format!(", limit {}{unit}", number(l)));
    format!("{value}{}{}", sensor.status.as_str(), limit.unwrap_or_default())
}

/// Received and sent light, temperature and bias, as far as the device says.
pub fn light(optics: &Optics) -> String {
    let part = |name: &str, value: Option<f64>, unit: &str| value.map(|v| format!("{name}{v:.1} {unit}"));
    let parts: Vec<String> = [
        part("rx ", optics.rx_dbm, "dBm"),
        part("tx ", optics.tx_dbm, "dBm"),
        part("", optics.temperature_c, "°C"),
        part("bias ", optics.bias_ma, "mA"),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!("{} {}", parts.join(", "), optics.status.as_str()).trim_start().to_owned()
}

/// What the device calls a transceiver, else its port.
pub fn optics_name(optics: &Optics) -> String {
    match (optics.name.is_empty(), optics.port) {
        (false, _) => optics.name.line(),
        (true, Some(port)) => format!("ifIndex {port}"),
        (true, None) => "a transceiver".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::device::{HaState, Limits, SensorClass, Tunnel};
    use crate::model::port_rules::Pattern;

    fn words(equipment: &Equipment) -> Vec<String> {
        findings(equipment, Timestamp(0), &[]).into_iter().map(|f| format!("{:?} {}", f.condition, f.words)).collect()
    }

    fn peer(state: Option<BgpState>, started: Option<bool>) -> BgpPeer {
        BgpPeer {
            peer: "192.0.2.1".parse().expect("an address"),
            remote_as: Some(65_001),
            state,
            started,
            in_state_for: None,
            transitions: None,
            last_error: None,
            prefixes: Some(95),
            prefix_limit: None,
        }
    }

    #[test]
    fn nothing_known_is_nothing_found() {
        assert_eq!(words(&Equipment::default()), Vec::<String>::new());
        let unknown = Equipment { bgp: vec![peer(None, None)], ups: Some(Ups::default()), ..Equipment::default() };
        assert_eq!(words(&unknown), Vec::<String>::new());
    }

    #[test]
    fn sessions_that_should_be_up_and_are_not_are_critical_and_stopped_ones_are_not() {
        let mut limited = peer(Some(BgpState::Established), Some(true));
        limited.prefix_limit = Some(100);
        let ospf = |state| OspfNeighbor {
            neighbor: "192.0.2.9".parse().expect("an address"),
            router_id: None,
            interface: None,
            state: Some(state),
            events: None,
        };
        let equipment = Equipment {
            bgp: vec![peer(Some(BgpState::Active), Some(true)), peer(Some(BgpState::Idle), Some(false)), limited],
            ospf: vec![ospf(OspfState::TwoWay), ospf(OspfState::Full), ospf(OspfState::ExchangeStart)],
            ..Equipment::default()
        };
        assert_eq!(
            words(&equipment),
            [
                "Critical BGP 192.0.2.1 is active",
                "Warning BGP 192.0.2.1 has 95 % of its prefix limit",
                "Warning OSPF 192.0.2.9 is exchange-start",
            ]
        );
    }

    #[test]
    fn power_heat_memory_and_firewalls() {
        let equipment = Equipment {
            sensors: vec![Sensor {
                class: SensorClass::Temperature,
                name: "inlet".into(),
                value: Some(71.25),
                unit: None,
                status: SensorStatus::Critical,
                limits: Limits { high_critical: Some(70.0), ..Limits::default() },
            }],
            poe: vec![PoeBudget { group: 1, watts: Some(370.0), used_watts: Some(362.0), faulty: None }],
            ups: Some(Ups {
                source: Some(PowerSource::Battery),
                minutes_left: Some(4.0),
                load_percent: Some(85.0),
                battery: Some(SensorStatus::Ok),
                ..Ups::default()
            }),
            firewall: Some(Firewall {
                ha: Some(HaState { role: "active".into(), healthy: Some(false) }),
                sessions: Some(99),
                session_limit: Some(100),
                tunnels: vec![
                    Tunnel { name: "to-berlin".into(), up: Some(false) },
                    Tunnel { name: "spare".into(), up: None },
                ],
            }),
            memory: vec![Pool { name: "ram".into(), used_bytes: Some(95), total_bytes: Some(100) }],
            storage: vec![Pool { name: "/".into(), used_bytes: Some(95), total_bytes: None }],
            ..Equipment::default()
        };
        assert_eq!(
            words(&equipment),
            [
                "Critical temperature inlet: 71.2 °C critical, limit 70 °C",
                "Critical UPS on battery",
                "Critical UPS has 4 minutes left",
                "Critical HA: active, and its peer is not in step",
                "Critical ram: 95 %, 95B of 100B",
                "Warning PoE group 1: 362 of 370 W",
                "Warning UPS load 85 %",
                "Warning sessions at 99 % of the limit",
                "Warning tunnel to-berlin is down",
            ]
        );
    }

    #[test]
    fn a_pool_is_a_warning_and_then_critical_by_the_limits_of_its_kind() {
        let pool = |name: &str, used: u64| Pool { name: name.into(), used_bytes: Some(used), total_bytes: Some(100) };
        let look = |memory: u64, disk: u64, before: &[Finding]| {
            let equipment =
                Equipment { memory: vec![pool("ram", memory)], storage: vec![pool("/", disk)], ..Equipment::default() };
            findings(&equipment, Timestamp(0), before)
        };
        let told = |found: &[Finding]| found.iter().map(|f| (f.condition, f.what.to_string())).collect::<Vec<_>>();
        let of = |condition: Condition, what: &str| (condition, what.to_owned());
        assert_eq!(told(&look(89, 79, &[])), []);
        let warnings = [of(Condition::Warning, "ram"), of(Condition::Warning, "/")];
        assert_eq!(told(&look(90, 80, &[])), warnings);
        let full = look(95, 90, &[]);
        assert_eq!(told(&full), [of(Condition::Critical, "ram"), of(Condition::Critical, "/")]);
        let eased = look(91, 86, &full);
        assert_eq!(told(&eased), told(&full), "not far enough inside");
        let eased = look(90, 85, &eased);
        assert_eq!(told(&eased), warnings);
        assert_eq!(told(&look(86, 76, &eased)), warnings);
        assert_eq!(told(&look(85, 75, &eased)), []);
    }

    #[test]
    fn caches_big_volumes_and_what_is_ignored_are_no_problem() {
        let pool =
            |name: &str, used, total| Pool { name: name.into(), used_bytes: Some(used), total_bytes: Some(total) };
        let mut equipment = Equipment {
            memory: vec![pool("Physical memory", 99, 100), pool(WITHOUT_CACHE, 40, 100)],
            storage: vec![
                pool("/srv", 18_000_000_000_000, 20_000_000_000_000),
                pool("/mnt/image", 100, 100),
                pool("/snap/core/17200", 100, 100),
            ],
            ..Equipment::default()
        };
        equipment.limits.ignore = vec![Pattern::new("/mnt/*").expect("a pattern")];
        assert_eq!(words(&equipment), Vec::<String>::new());
        equipment.memory.pop();
        equipment.limits.ignore.clear();
        equipment.limits.disk = [50.0, 101.0];
        let told = ["Critical Physical memory: 99 %, 99B of 100B", "Warning /mnt/image: 100 %, 100B of 100B"];
        assert_eq!(words(&equipment), told);
    }

    #[test]
    fn a_number_at_its_limit_does_not_come_and_go() {
        let ups = |load, minutes| Equipment {
            ups: Some(Ups { load_percent: Some(load), minutes_left: Some(minutes), ..Ups::default() }),
            memory: vec![Pool { name: "ram".into(), used_bytes: Some(load as u64 + 10), total_bytes: Some(100) }],
            ..Equipment::default()
        };
        let mut before = Vec::new();
        let mut look = |load, minutes| {
            before = findings(&ups(load, minutes), Timestamp(0), &before);
            before.iter().map(|found| found.what.to_string()).collect::<Vec<_>>()
        };
        assert!(look(79.0, 10.0).is_empty());
        assert_eq!(look(80.0, 9.0), ["UPS minutes", "UPS load", "ram"]);
        assert_eq!(look(76.0, 10.5), ["UPS minutes", "UPS load", "ram"], "not far enough inside");
        assert!(look(75.0, 11.0).is_empty());
        assert!(look(79.0, 10.5).is_empty(), "from there on it has to reach the limit again");
    }

    #[test]
    fn what_goes_on_keeps_its_beginning_and_a_busy_moment_is_no_problem() {
        let busy = |percent| Equipment {
            ups: Some(Ups { source: Some(PowerSource::Battery), ..Ups::default() }),
            processors: vec![Processor { name: "cpu 1".into(), percent }],
            ..Equipment::default()
        };
        let at = Timestamp::from_secs;
        let first = findings(&busy(97.0), at(1000), &[]);
        assert_eq!(
            first.iter().map(|f| (&*f.what, f.firm)).collect::<Vec<_>>(),
            [("UPS source", true), ("cpu 1", false)]
        );
        let later = findings(&busy(99.0), at(1120), &first);
        assert!(later.iter().all(|f| f.since == at(1000) && f.firm), "{later:?}");
        let calm = findings(&busy(20.0), at(1180), &later);
        assert_eq!(calm.len(), 1);
        assert!(!findings(&busy(95.0), at(1240), &calm)[1].firm, "it begins anew");
    }
}
