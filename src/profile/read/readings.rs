//! `[[table]]`: what is walked together, and what its cells are read as.

use std::sync::Arc;
use std::time::Duration;

use super::Author;
use super::cells::Draft;
use crate::base::options::{Node, Problem, Reader, Table as Toml, Value};
use crate::model::device::{EntityClass, PoeStatus, PowerSource, SensorClass, SensorStatus};
use crate::profile::pattern::Pattern;
use crate::profile::table::{
    BgpReading, Cell, ErrDisabledReading, FirewallReading, Number, OpticsReading, PartReading, PeerBy,
    PoeBudgetReading, PoePortReading, PoolReading, PortBy, ProcessorReading, Reading, SensorReading, Standing, Table,
    TunnelReading, UpsReading, Words,
};

/// Where a file does not say how often.
const PACE: Duration = Duration::from_secs(300);
/// Faster makes no sense: it is looked at once a run.
const FASTEST: Duration = Duration::from_secs(10);

const CLASSES: &[(&str, SensorClass)] = &[
    ("temperature", SensorClass::Temperature),
    ("fan", SensorClass::Fan),
    ("voltage", SensorClass::Voltage),
    ("current", SensorClass::Current),
    ("power", SensorClass::Power),
    ("humidity", SensorClass::Humidity),
    ("state", SensorClass::State),
    ("other", SensorClass::Other),
];

const PART_CLASSES: &[(&str, EntityClass)] = &[
    ("chassis", EntityClass::Chassis),
    ("stack", EntityClass::Stack),
    ("module", EntityClass::Module),
    ("power-supply", EntityClass::PowerSupply),
    ("fan", EntityClass::Fan),
    ("port", EntityClass::Port),
    ("other", EntityClass::Other),
];

/// Units of values that are not in the class's own.
const UNITS: &[(&str, &str)] = &[
    ("percent", "percent"),
    ("dbm", "dbm"),
    ("hertz", "hertz"),
    ("volt-amperes", "volt-amperes"),
    ("kilowatt-hours", "kilowatt-hours"),
    ("seconds", "seconds"),
    ("minutes", "minutes"),
    ("count", "count"),
    ("bytes", "bytes"),
    ("cfm", "cfm"),
];

const STANDINGS: &[(&str, Standing)] = &[
    ("ok", Standing::Is(SensorStatus::Ok)),
    ("warning", Standing::Is(SensorStatus::Warning)),
    ("critical", Standing::Is(SensorStatus::Critical)),
    ("unavailable", Standing::Is(SensorStatus::Unavailable)),
    ("unknown", Standing::Is(SensorStatus::Unknown)),
    ("absent", Standing::Absent),
];

const STATUSES: &[(&str, SensorStatus)] = &[
    ("ok", SensorStatus::Ok),
    ("warning", SensorStatus::Warning),
    ("critical", SensorStatus::Critical),
    ("unavailable", SensorStatus::Unavailable),
    ("unknown", SensorStatus::Unknown),
];

const SOURCES: &[(&str, PowerSource)] = &[
    ("none", PowerSource::None),
    ("mains", PowerSource::Mains),
    ("bypass", PowerSource::Bypass),
    ("battery", PowerSource::Battery),
    ("booster", PowerSource::Booster),
    ("reducer", PowerSource::Reducer),
    ("other", PowerSource::Other),
];

const POE: &[(&str, PoeStatus)] = &[
    ("disabled", PoeStatus::Disabled),
    ("searching", PoeStatus::Searching),
    ("delivering", PoeStatus::Delivering),
    ("fault", PoeStatus::Fault),
    ("test", PoeStatus::Test),
    ("other-fault", PoeStatus::OtherFault),
    ("denied", PoeStatus::Denied),
];

const YES_NO: &[(&str, bool)] = &[("yes", true), ("no", false)];

/// The keys under which a table has readings, and who reads them.
type ReadOne = fn(&mut Draft<'_>, &Toml) -> Option<Reading>;
const READINGS: &[(&str, ReadOne)] = &[
    ("sensor", |draft, toml| Some(sensor(draft, toml))),
    ("processor", processor),
    ("memory", |draft, toml| Some(Reading::Memory(pool(draft, toml, "a memory pool")))),
    ("storage", |draft, toml| Some(Reading::Storage(pool(draft, toml, "a storage pool")))),
    ("optics", |draft, toml| Some(optics(draft, toml))),
    ("ups", |draft, toml| Some(ups(draft, toml))),
    ("firewall", |draft, toml| Some(firewall(draft, toml))),
    ("tunnel", tunnel),
    ("bgp", bgp),
    ("poe_port", poe_port),
    ("poe_budget", |draft, toml| Some(poe_budget(draft, toml))),
    ("err_disabled", err_disabled),
    ("part", |draft, toml| Some(part(draft, toml))),
];

/// Reads a `[[table]]` of the profile `profile`.
pub fn table(profile: &str, toml: &Toml, author: Author, problems: &mut Vec<Problem>) -> Option<Arc<Table>> {
    let mut r = toml.reader("a table");
    let name = r.required_string("name");
    let pace = r.duration("pace").unwrap_or(PACE).max(FASTEST);
    let mut draft = Draft { author, scalars: Vec::new(), columns: Vec::new(), problems };
    let mut readings = Vec::new();
    let mut any = false;
    for (key, read) in READINGS {
        match r.node(key) {
            Some(Node { value: Value::Array(_), .. }) => {
                for one in r.tables(key) {
                    any = true;
                    readings.extend(read(&mut draft, one));
                }
            }
            Some(Node { value: Value::Table(one), .. }) => {
                any = true;
                readings.extend(read(&mut draft, one));
            }
            Some(node) => draft.problem(&node.place, format!("`{key}` must be a table, not {}", node.value.kind())),
            None => {}
        }
    }
    if !any {
        let known: Vec<&str> = READINGS.iter().map(|(key, _)| *key).collect();
        draft.problems.push(
            Problem::error(&toml.place, "the table has no readings")
                .hint(format!("add [[table.sensor]] or another of: {}", known.join(", "))),
        );
    }
    let Draft { scalars, columns, problems, .. } = draft;
    problems.extend(r.finish());
    let short: Arc<str> = Arc::from(name?);
    let name = Arc::from(format!("{profile}:{short}"));
    Some(Arc::new(Table { short, name, pace, scalars, columns, readings }))
}

/// The cells of numbers and their stand-ins.
fn cells<const N: usize>(numbers: [&Option<Number>; N]) -> Vec<Cell> {
    numbers.into_iter().flatten().flat_map(Number::all).map(|number| number.cell).collect()
}

/// The same with the cell of words behind them.
fn cells_and<const N: usize, T>(numbers: [&Option<Number>; N], words: Option<&Words<T>>) -> Vec<Cell> {
    let mut all = cells(numbers);
    all.extend(words.map(|words| words.cell));
    all
}

/// Says that one of several keys is needed.
fn needs(draft: &mut Draft<'_>, r: &Reader<'_>, what: &str, keys: &str) {
    let place = r.place().clone();
    draft.problem(&place, format!("{what} needs {keys}"));
}

fn sensor(draft: &mut Draft<'_>, toml: &Toml) -> Reading {
    let mut r = toml.reader("a sensor");
    let class = draft.one_of(&mut r, "class", CLASSES);
    let classes = classes(draft, &mut r, CLASSES);
    let value = draft.number(&mut r, "value");
    let status = draft.words(&mut r, "status", STANDINGS);
    let unit = draft.one_of(&mut r, "unit", UNITS);
    let limits = draft.limits(&mut r);
    let rows = draft.rows(&mut r, "a sensor", &cells_and([&value], status.as_ref()));
    if value.is_none() && status.is_none() {
        needs(draft, &r, "a sensor", "`value` or `status`");
    }
    if class.is_none() && r.node("class").is_none() && classes.is_empty() {
        needs(draft, &r, "a sensor", "`class` or `classes`");
    }
    if rows.names.is_empty() {
        needs(draft, &r, "a sensor", "`name`");
    }
    draft.problems.extend(r.finish());
    let class = class.unwrap_or(SensorClass::Other);
    Reading::Sensor(Box::new(SensorReading { rows, class, classes, value, unit, status, limits }))
}

/// `classes = [["pattern of the name", "class"], …]`.
fn classes<T: Copy>(draft: &mut Draft<'_>, r: &mut Reader<'_>, known: &[(&'static str, T)]) -> Vec<(Pattern, T)> {
    let mut out = Vec::new();
    let Some(node) = r.node("classes") else { return out };
    let Value::Array(items) = &node.value else {
        draft.problem(&node.place, format!("`classes` must be an array of pairs, not {}", node.value.kind()));
        return out;
    };
    for item in items {
        let pair = match &item.value {
            Value::Array(pair) => match &pair[..] {
                [Node { value: Value::String(pattern), place }, Node { value: Value::String(word), .. }] => {
                    Some((pattern, place, word))
                }
                _ => None,
            },
            _ => None,
        };
        let meaning = pair.and_then(|(_, _, word)| known.iter().find(|(name, _)| name == word));
        if let (Some((pattern, place, _)), Some((_, class))) = (pair, meaning) {
            out.extend(draft.compile(pattern, place).map(|pattern| (pattern, *class)));
            continue;
        }
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        draft.problems.push(
            Problem::error(&item.place, "`classes` has pairs of a pattern of the name and a class")
                .hint(format!("classes: {}", words.join(", "))),
        );
    }
    out
}

fn processor(draft: &mut Draft<'_>, toml: &Toml) -> Option<Reading> {
    let mut r = toml.reader("a processor");
    let percent = draft.number(&mut r, "percent");
    let idle = draft.number(&mut r, "idle");
    let rows = draft.rows(&mut r, "a processor", &cells([&percent, &idle]));
    if percent.is_some() == idle.is_some() {
        needs(draft, &r, "a processor", "either `percent` or `idle`");
    }
    draft.problems.extend(r.finish());
    let is_idle = percent.is_none();
    Some(Reading::Processor(ProcessorReading { rows, percent: percent.or(idle)?, idle: is_idle }))
}

fn pool(draft: &mut Draft<'_>, toml: &Toml, what: &str) -> PoolReading {
    let mut r = toml.reader(what);
    let used = draft.number(&mut r, "used");
    let free = draft.number(&mut r, "free");
    let total = draft.number(&mut r, "total");
    let used_percent = draft.number(&mut r, "used_percent");
    let rows = draft.rows(&mut r, what, &cells([&used, &total, &free, &used_percent]));
    let known = [&used, &free, &total, &used_percent].iter().filter(|n| n.is_some()).count();
    if known < 2 || (used_percent.is_some() && total.is_none()) {
        needs(draft, &r, what, "two of `used`, `free`, `total`, or `total` with `used_percent`; in bytes by `scale`");
    }
    if rows.names.is_empty() {
        needs(draft, &r, what, "`name`");
    }
    draft.problems.extend(r.finish());
    PoolReading { rows, used, free, total, used_percent }
}

fn optics(draft: &mut Draft<'_>, toml: &Toml) -> Reading {
    let mut r = toml.reader("optics");
    let port = draft.port(&mut r);
    let rx = draft.number(&mut r, "rx_dbm");
    let tx = draft.number(&mut r, "tx_dbm");
    let temperature = draft.number(&mut r, "temperature");
    let bias = draft.number(&mut r, "bias_ma");
    let status = draft.words(&mut r, "status", STANDINGS);
    let rows = draft.rows(&mut r, "optics", &cells([&rx, &tx, &temperature, &bias]));
    if rows.leads.is_empty() {
        needs(draft, &r, "optics", "a column: `rx_dbm`, `tx_dbm`, `temperature` or `bias_ma`");
    }
    if port.is_none() && rows.names.is_empty() {
        needs(draft, &r, "optics", "`port` or `name`");
    }
    draft.problems.extend(r.finish());
    Reading::Optics(Box::new(OpticsReading { rows, port, rx, tx, temperature, bias, status }))
}

fn ups(draft: &mut Draft<'_>, toml: &Toml) -> Reading {
    let mut r = toml.reader("ups");
    let reading = UpsReading {
        source: draft.words(&mut r, "source", SOURCES),
        on_battery: draft.number(&mut r, "on_battery_s"),
        minutes: draft.number(&mut r, "minutes"),
        charge: draft.number(&mut r, "charge"),
        load: draft.number(&mut r, "load"),
        battery: draft.words(&mut r, "battery", STATUSES),
        alarms: draft.number(&mut r, "alarms"),
    };
    draft.problems.extend(r.finish());
    Reading::Ups(Box::new(reading))
}

fn firewall(draft: &mut Draft<'_>, toml: &Toml) -> Reading {
    let mut r = toml.reader("firewall");
    let ha = draft.free_words(&mut r, "ha");
    let rows = draft.rows(&mut r, "firewall", &cells_and([], ha.as_ref()));
    let reading = FirewallReading {
        rows,
        ha,
        healthy: draft.words(&mut r, "healthy", YES_NO),
        sessions: draft.number(&mut r, "sessions"),
        session_limit: draft.number(&mut r, "session_limit"),
    };
    draft.problems.extend(r.finish());
    Reading::Firewall(Box::new(reading))
}

fn tunnel(draft: &mut Draft<'_>, toml: &Toml) -> Option<Reading> {
    let mut r = toml.reader("a tunnel");
    let up = draft.words(&mut r, "up", YES_NO);
    let rows = draft.rows(&mut r, "a tunnel", &cells_and([], up.as_ref()));
    if up.is_none() || rows.leads.is_empty() {
        needs(draft, &r, "a tunnel", "the column `up`");
    }
    draft.problems.extend(r.finish());
    Some(Reading::Tunnel(TunnelReading { rows, up: up? }))
}

fn bgp(draft: &mut Draft<'_>, toml: &Toml) -> Option<Reading> {
    let mut r = toml.reader("bgp");
    let peer = peer(draft, &mut r);
    let state = draft.cell_under(&mut r, "state");
    let remote_as = draft.number(&mut r, "remote_as");
    let started = draft.words(&mut r, "started", YES_NO);
    let in_state_for = draft.number(&mut r, "in_state_s");
    let transitions = draft.number(&mut r, "transitions");
    let last_error = draft.cell_under(&mut r, "last_error");
    let prefixes = draft.number(&mut r, "prefixes");
    let prefix_limit = draft.number(&mut r, "prefix_limit");
    let rows = draft.rows(&mut r, "bgp", &state.into_iter().collect::<Vec<_>>());
    if peer.is_none() || rows.leads.is_empty() {
        needs(draft, &r, "bgp", "`peer` and the column `state`");
    }
    draft.problems.extend(r.finish());
    Some(Reading::Bgp(Box::new(BgpReading {
        rows,
        peer: peer?,
        remote_as,
        state,
        started,
        in_state_for,
        transitions,
        last_error,
        prefixes,
        prefix_limit,
    })))
}

/// `peer = "inet:index.1"`, `"ipv4:index.1"` or a cell.
fn peer(draft: &mut Draft<'_>, r: &mut Reader<'_>) -> Option<PeerBy> {
    let node = r.node("peer")?;
    match &node.value {
        Value::String(text) if text.starts_with("inet:") => draft.arc(&text[5..], &node.place).map(PeerBy::Arcs),
        Value::String(text) if text.starts_with("ipv4:") => draft.arc(&text[5..], &node.place).map(PeerBy::ArcsV4),
        _ => draft.cell(node, "peer").map(PeerBy::Value),
    }
}

fn poe_port(draft: &mut Draft<'_>, toml: &Toml) -> Option<Reading> {
    let mut r = toml.reader("poe_port");
    let port = draft.port(&mut r);
    let watts = draft.number(&mut r, "watts");
    let status = draft.words(&mut r, "status", POE);
    let rows = draft.rows(&mut r, "poe_port", &cells_and([&watts], status.as_ref()));
    if port.is_none() || rows.leads.is_empty() {
        needs(draft, &r, "poe_port", "`port` and a column: `watts` or `status`");
    }
    draft.problems.extend(r.finish());
    Some(Reading::PoePort(PoePortReading { rows, port: port?, watts, status }))
}

fn poe_budget(draft: &mut Draft<'_>, toml: &Toml) -> Reading {
    let mut r = toml.reader("poe_budget");
    let watts = draft.number(&mut r, "watts");
    let used = draft.number(&mut r, "used");
    let faulty = draft.words(&mut r, "faulty", YES_NO);
    let rows = draft.rows(&mut r, "poe_budget", &cells_and([&watts, &used], faulty.as_ref()));
    if watts.is_none() && used.is_none() {
        needs(draft, &r, "poe_budget", "`watts` or `used`");
    }
    draft.problems.extend(r.finish());
    Reading::PoeBudget(PoeBudgetReading { rows, watts, used, faulty })
}

fn err_disabled(draft: &mut Draft<'_>, toml: &Toml) -> Option<Reading> {
    let mut r = toml.reader("err_disabled");
    let port: Option<PortBy> = draft.port(&mut r);
    let cause = draft.free_words(&mut r, "cause");
    let none = r.node("none").map(|node| draft.said(node)).unwrap_or_default();
    let recovers = draft.number(&mut r, "recovers_s");
    let rows = draft.rows(&mut r, "err_disabled", &cells_and([], cause.as_ref()));
    if port.is_none() || rows.leads.is_empty() {
        needs(draft, &r, "err_disabled", "`port` and the column `cause`");
    }
    draft.problems.extend(r.finish());
    let words = cause?;
    let mut meanings: Vec<_> = words.rows.into_iter().map(|(said, text)| (said, Some(text))).collect();
    meanings.extend(none.into_iter().map(|said| (said, None)));
    let cause = Words { cell: words.cell, rows: meanings, otherwise: None };
    Some(Reading::ErrDisabled(ErrDisabledReading { rows, port: port?, cause, recovers }))
}

fn part(draft: &mut Draft<'_>, toml: &Toml) -> Reading {
    let mut r = toml.reader("a part");
    let class = draft.one_of(&mut r, "class", PART_CLASSES).unwrap_or(EntityClass::Other);
    let classes = classes(draft, &mut r, PART_CLASSES);
    let model = draft.cell_under(&mut r, "model");
    let serial = draft.cell_under(&mut r, "serial");
    let version = draft.cell_under(&mut r, "version");
    let leads: Vec<Cell> = [serial, model].into_iter().flatten().collect();
    let rows = draft.rows(&mut r, "a part", &leads);
    if rows.leads.is_empty() || rows.names.is_empty() {
        needs(draft, &r, "a part", "`name` and a column: `serial` or `model`");
    }
    draft.problems.extend(r.finish());
    Reading::Part(Box::new(PartReading { rows, class, classes, model, serial, version }))
}
