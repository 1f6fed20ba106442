//! From where on a number is a problem: the options of every check that looks at a machine, and the memory that makes a limit
//! hard to leave: what hovers round it is one problem and not twenty.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::options::{OptionDoc, Problem, Reader, Worse};
use crate::model::device::PoolLimits;
use crate::model::port_rules::Pattern;
use crate::model::{Outcome, Unit};

/// What each of `linux`, `windows` and `local` takes.
pub const OPTIONS: [OptionDoc; 19] = [
    OptionDoc {
        name: "disk_warning",
        form: "number",
        default: "80",
        help: "percent of space used; of more than 2 TB what is left counts as of 2 TB",
    },
    OptionDoc { name: "disk_critical", form: "number", default: "90", help: "the same" },
    OptionDoc { name: "inode_warning", form: "number", default: "85", help: "percent of inodes used" },
    OptionDoc { name: "inode_critical", form: "number", default: "95", help: "the same" },
    OptionDoc { name: "memory_warning", form: "number", default: "90", help: "percent used, caches not counted" },
    OptionDoc { name: "memory_critical", form: "number", default: "95", help: "the same" },
    OptionDoc { name: "load_warning", form: "number", default: "1", help: "load of the last 15 minutes per core" },
    OptionDoc { name: "load_critical", form: "number", default: "2", help: "the same" },
    OptionDoc {
        name: "steal_warning",
        form: "number",
        default: "10",
        help: "percent of processor time that the hypervisor gives to others",
    },
    OptionDoc { name: "steal_critical", form: "number", default: "25", help: "the same" },
    OptionDoc {
        name: "pressure_warning",
        form: "number",
        default: "20",
        help: "percent of the last minute in which every task waited for memory; 0: never",
    },
    OptionDoc {
        name: "swap_in_warning",
        form: "number",
        default: "1",
        help: "MB a second that come back from swap; critical while memory is short too",
    },
    OptionDoc { name: "pool_warning", form: "number", default: "80", help: "percent of a ZFS pool used" },
    OptionDoc { name: "pool_critical", form: "number", default: "95", help: "the same" },
    OptionDoc {
        name: "clock_warning",
        form: "duration",
        default: "100ms",
        help: "how wrong the clock is at the least, held against ours",
    },
    OptionDoc { name: "clock_critical", form: "duration", default: "1s", help: "the same" },
    OptionDoc {
        name: "updates_warning",
        form: "integer",
        default: "0",
        help: "pending security updates that make a warning; 0: never",
    },
    OptionDoc {
        name: "reboot_warning",
        form: "boolean",
        default: "false",
        help: "a machine that wants to be started anew is a warning",
    },
    OptionDoc {
        name: "ignore",
        form: "array of strings",
        default: "",
        help: "mounts and units that are never a problem; `*` stands for anything",
    },
];

/// Where a problem begins and where a worse one does. It ends further down: see [`Levels::judge`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    pub warning: f64,
    pub critical: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    pub disk: Limit,
    pub inodes: Limit,
    pub memory: Limit,
    pub load: Limit,
    pub steal: Limit,
    /// Percent; none where nobody wants to know.
    pub pressure: Option<f64>,
    /// Bytes a second.
    pub swap_in: f64,
    pub pool: Limit,
    /// Seconds.
    pub clock: Limit,
    pub updates: Option<u32>,
    pub reboot: bool,
    pub ignore: Vec<Pattern>,
}

impl Default for Limits {
    fn default() -> Self {
        let limit = |warning, critical| Limit { warning, critical };
        Self {
            disk: limit(80.0, 90.0),
            inodes: limit(85.0, 95.0),
            memory: limit(90.0, 95.0),
            load: limit(1.0, 2.0),
            steal: limit(10.0, 25.0),
            pressure: Some(20.0),
            swap_in: 1e6,
            pool: limit(80.0, 95.0),
            clock: limit(0.1, 1.0),
            updates: None,
            reboot: false,
            ignore: Vec::new(),
        }
    }
}

impl Limits {
    pub fn read(options: &mut Reader<'_>) -> Self {
        let usual = Self::read_of_exporter(options);
        Self {
            steal: pair(options, "steal_warning", "steal_critical", usual.steal),
            pressure: options.float("pressure_warning").map_or(usual.pressure, |p| (p > 0.0).then_some(p)),
            swap_in: options.float("swap_in_warning").map_or(usual.swap_in, |mb| mb * 1e6),
            pool: pair(options, "pool_warning", "pool_critical", usual.pool),
            clock: clock(options, usual.clock),
            updates: options
                .integer("updates_warning", 0..=100_000)
                .and_then(|n| u32::try_from(n).ok())
                .filter(|n| *n > 0),
            reboot: options.bool("reboot_warning").unwrap_or(usual.reboot),
            ignore: patterns(options),
            ..usual
        }
    }

    /// For what a node_exporter tells: the first eight of [`OPTIONS`].
    pub fn read_of_exporter(options: &mut Reader<'_>) -> Self {
        let usual = Self::default();
        Self {
            disk: pair(options, "disk_warning", "disk_critical", usual.disk),
            inodes: pair(options, "inode_warning", "inode_critical", usual.inodes),
            memory: pair(options, "memory_warning", "memory_critical", usual.memory),
            load: pair(options, "load_warning", "load_critical", usual.load),
            ..usual
        }
    }

    pub fn ignores(&self, name: &[u8]) -> bool {
        self.ignore.iter().any(|pattern| pattern.matches(name))
    }
}

/// For what an agent tells by SNMP: disks, memory, and what of it is nobody's business.
pub fn read_of_agent(options: &mut Reader<'_>) -> PoolLimits {
    let usual = PoolLimits::default();
    let [disk, memory] = [usual.disk, usual.memory].map(|[warning, critical]| Limit { warning, critical });
    let disk = pair(options, "disk_warning", "disk_critical", disk);
    let memory = pair(options, "memory_warning", "memory_critical", memory);
    let both = |limit: Limit| [limit.warning, limit.critical];
    PoolLimits { memory: both(memory), disk: both(disk), ignore: patterns(options) }
}

fn pair(options: &mut Reader<'_>, warning: &'static str, critical: &'static str, usual: Limit) -> Limit {
    let usual = [usual.warning, usual.critical];
    let [warning, critical] = options.pair(Worse::Higher, [warning, critical], usual, Reader::float);
    Limit { warning, critical }
}

fn clock(options: &mut Reader<'_>, usual: Limit) -> Limit {
    let usual = [usual.warning, usual.critical].map(Duration::from_secs_f64);
    let [warning, critical] = options.pair(Worse::Higher, ["clock_warning", "clock_critical"], usual, Reader::duration);
    Limit { warning: warning.as_secs_f64(), critical: critical.as_secs_f64() }
}

fn patterns(options: &mut Reader<'_>) -> Vec<Pattern> {
    let mut out = Vec::new();
    for (text, place) in options.placed_strings("ignore").unwrap_or_default() {
        match Pattern::new(&text) {
            Ok(pattern) => out.push(pattern),
            Err(why) => options.problem(Problem::error(&place, format!("the pattern \"{text}\" {why}"))),
        }
    }
    out
}

/// Which limits are exceeded now, by the name of the number; what is well is not in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Levels(BTreeMap<String, Outcome>);

impl Levels {
    /// Enters at the limit, leaves below it by as much as its unit has.
    pub fn judge(&self, next: &mut Self, name: &str, value: f64, limit: Limit, unit: Unit) -> Outcome {
        let before = self.0.get(name).copied().unwrap_or(Outcome::Ok);
        let reaches = |limit: f64, held: bool| value >= if held { limit - unit.slack(limit) } else { limit };
        let outcome = if reaches(limit.critical, before == Outcome::Critical) {
            Outcome::Critical
        } else if reaches(limit.warning, before != Outcome::Ok) {
            Outcome::Warning
        } else {
            Outcome::Ok
        };
        if outcome != Outcome::Ok {
            next.0.insert(name.to_owned(), outcome);
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::options::{Key, Node, Place, Source, Table, Value};

    const WARN: Outcome = Outcome::Warning;
    const CRIT: Outcome = Outcome::Critical;

    /// A table of options as a configuration would have it.
    fn table(entries: &[(&str, Value)]) -> Table {
        let source = Arc::new(Source { name: "test".to_owned(), text: String::new() });
        let place = Place { source, start: 0, end: 0 };
        let entry = |(name, value): &(&str, Value)| {
            let key = Key { name: (*name).to_owned(), place: place.clone() };
            (key, Node { place: place.clone(), value: value.clone() })
        };
        Table { entries: entries.iter().map(entry).collect(), place: place.clone() }
    }

    #[test]
    fn what_hovers_round_a_limit_is_one_problem() {
        let limit = Limit { warning: 80.0, critical: 90.0 };
        let mut levels = Levels::default();
        let mut told = Vec::new();
        for value in [79.9, 80.0, 76.0, 79.0, 75.0, 74.9, 91.0, 86.0, 84.9, 75.0, 10.0] {
            let mut next = Levels::default();
            told.push(levels.judge(&mut next, "disk:/", value, limit, Unit::Percent));
            levels = next;
        }
        assert_eq!(told, [Outcome::Ok, WARN, WARN, WARN, WARN, Outcome::Ok, CRIT, CRIT, WARN, WARN, Outcome::Ok]);
        assert_eq!(levels, Levels::default(), "what is well is forgotten");
    }

    #[test]
    fn options_are_read_and_what_contradicts_itself_is_told() {
        let read = |entries: &[(&str, Value)]| {
            let table = table(entries);
            let mut reader = table.reader("check");
            let limits = Limits::read(&mut reader);
            (limits, reader.finish().into_iter().map(|p| p.message).collect::<Vec<_>>())
        };
        let place = table(&[]).place;
        let (limits, problems) = read(&[
            ("disk_warning", Value::Integer(70)),
            ("clock_critical", Value::String("5s".to_owned())),
            ("ignore", Value::Array(vec![Node { place, value: Value::String("/boot*".to_owned()) }])),
            ("pressure_warning", Value::Float(0.0)),
        ]);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!((limits.disk.warning, limits.clock.critical, limits.pressure), (70.0, 5.0, None));
        assert!(limits.ignores(b"/boot/efi") && !limits.ignores(b"/var"));
        let (_, problems) = read(&[("load_warning", Value::Integer(3))]);
        assert_eq!(problems, ["check: `load_warning` (3) is above `load_critical` (2)"]);
    }

    #[test]
    fn every_option_is_documented_with_its_default() {
        let table = table(&[]);
        let mut reader = table.reader("check");
        assert_eq!(Limits::read(&mut reader), Limits::default());
        let usual = Limits::default();
        let of_agent = read_of_agent(&mut table.reader("check"));
        assert_eq!(of_agent, PoolLimits::default());
        let both = |limit: Limit| [limit.warning, limit.critical];
        assert_eq!((of_agent.memory, of_agent.disk), (both(usual.memory), both(usual.disk)), "as in any other way");
        let default = |name: &str| OPTIONS.iter().find(|o| o.name == name).map_or("", |o| o.default).to_owned();
        for (name, value) in [
            ("disk_warning", usual.disk.warning),
            ("disk_critical", usual.disk.critical),
            ("inode_critical", usual.inodes.critical),
            ("memory_warning", usual.memory.warning),
            ("load_warning", usual.load.warning),
            ("load_critical", usual.load.critical),
            ("steal_critical", usual.steal.critical),
            ("pool_critical", usual.pool.critical),
            ("swap_in_warning", usual.swap_in / 1e6),
        ] {
            assert_eq!(default(name), value.to_string(), "{name}");
        }
    }
}
