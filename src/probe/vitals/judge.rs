//! The verdict on a machine: one line that names the worst first, the numbers by stable names, and the rest in the log. Pure; what
//! it must remember from one look to the next is given and handed back.

use std::time::Duration;

use super::limits::{Levels, Limit, Limits};
use super::storage;
use crate::base::{Untrusted, units};
use crate::model::vitals::fill;
use crate::model::vitals::{Amount, Redundancy, Vitals};
use crate::model::{Facts, Outcome, Reading, Unit};

/// Names that a list in a verdict shows.
const NAMED: usize = 3;

/// Reads a machine's vitals against the limits; `before` is what was exceeded at the look before.
pub fn judge(vitals: &Vitals, limits: &Limits, before: &Levels) -> (Reading, Levels) {
    let mut verdict = Verdict { limits, before, now: Levels::default(), findings: Vec::new() };
    verdict.storage(vitals);
    verdict.disks(vitals);
    verdict.memory(vitals);
    verdict.processor(vitals);
    verdict.services(vitals);
    verdict.clock(vitals);
    verdict.upkeep(vitals);
    let Verdict { now, mut findings, .. } = verdict;
    findings.sort_by_key(|(outcome, _)| std::cmp::Reverse(outcome.rank()));
    let worst = findings.first().map_or(Outcome::Ok, |(outcome, _)| *outcome);
    let mut words: Vec<String> = findings.into_iter().map(|(_, words)| words).collect();
    if worst == Outcome::Ok {
        words.insert(0, calm(vitals));
    }
    words.retain(|words| !words.is_empty());
    let mut reading = metrics(vitals, Reading::new(worst, words.join(" · ")));
    for line in log(vitals) {
        reading = reading.log(line);
    }
    (reading, now)
}

/// The same with the vitals as its facts.
pub fn with_facts(vitals: Vitals, limits: &Limits, before: &Levels) -> (Reading, Levels) {
    let (reading, levels) = judge(&vitals, limits, before);
    (reading.facts(Facts::Vitals(vitals.into())), levels)
}

struct Verdict<'a> {
    limits: &'a Limits,
    before: &'a Levels,
    now: Levels,
    findings: Vec<(Outcome, String)>,
}

impl Verdict<'_> {
    fn add(&mut self, outcome: Outcome, words: impl Into<String>) {
        self.findings.push((outcome, words.into()));
    }

    /// Holds a number against its limit; the words are made only for what is a problem.
    fn hold(&mut self, name: &str, value: f64, limit: Limit, unit: Unit, words: impl FnOnce() -> String) -> Outcome {
        let outcome = self.before.judge(&mut self.now, name, value, limit, unit);
        if outcome != Outcome::Ok {
            self.add(outcome, words());
        }
        outcome
    }

    /// What may lose data.
    fn storage(&mut self, vitals: &Vitals) {
        for array in &vitals.arrays {
            let name = array.name.line();
            let members = array.members.map(|(n, of)| format!(" ({n} of {of})")).unwrap_or_default();
            match array.redundancy {
                Redundancy::Whole => {}
                Redundancy::Rebuilding => {
                    let done = array.progress.map(|p| format!(", {p:.0} % done")).unwrap_or_default();
                    self.add(Outcome::Warning, format!("RAID {name} rebuilds{members}{done}"));
                }
                Redundancy::Degraded => self.add(Outcome::Critical, format!("RAID {name} degraded{members}")),
                Redundancy::Lost => self.add(Outcome::Critical, format!("RAID {name} does not run{members}")),
            }
        }
        for pool in &vitals.pools {
            if pool.redundancy != Redundancy::Whole {
                self.add(Outcome::Critical, format!("ZFS pool {} {}", pool.name.line(), pool.health.line()));
            }
            if let Some(used) = pool.used_percent {
                let name = pool.name.line();
                self.hold(&format!("pool:{name}"), used, self.limits.pool, Unit::Percent, || {
                    format!("ZFS pool {name} {used:.0} % full")
                });
            }
        }
        let failing: Vec<&Untrusted> =
            vitals.drives.iter().filter(|d| d.healthy == Some(false)).map(|d| &d.device).collect();
        if !failing.is_empty() {
            self.add(Outcome::Critical, format!("SMART: {} failing", list(&failing)));
        }
    }

    fn disks(&mut self, vitals: &Vitals) {
        for mount in storage::failed(&vitals.mounts).iter().filter(|mount| !self.limits.ignores(mount.as_bytes())) {
            self.add(Outcome::Critical, format!("{} became read-only by an error", mount.line()));
        }
        for mount in vitals.silent_mounts.iter().filter(|mount| !self.limits.ignores(mount.as_bytes())) {
            self.add(Outcome::Critical, format!("{} gives no answer", mount.line()));
        }
        let judged = vitals.fullest().into_iter().filter(|disk| !self.limits.ignores(disk.mount.as_bytes()));
        for disk in judged.collect::<Vec<_>>() {
            let mount = disk.mount.line();
            let full = fill(disk.used_percent, disk.size, disk.available);
            self.hold(&format!("disk:{mount}"), full, self.limits.disk, Unit::Percent, || {
                format!("{mount} {:.0} % full", disk.used_percent)
            });
            if let Some(inodes) = disk.inodes_percent {
                self.hold(&format!("inodes:{mount}"), inodes, self.limits.inodes, Unit::Percent, || {
                    format!("{mount} {inodes:.0} % of inodes used")
                });
            }
        }
    }

    fn memory(&mut self, vitals: &Vitals) {
        let mut short = Outcome::Ok;
        if let Some(percent) = vitals.memory.and_then(Amount::percent) {
            short =
                self.hold("memory", percent, self.limits.memory, Unit::Percent, || format!("memory {percent:.0} %"));
        }
        if let Some(rate) = vitals.swap_in {
            // Alone it may be the return of what a night's job pushed out; with short memory it is thrashing.
            let critical = if short == Outcome::Ok { f64::INFINITY } else { self.limits.swap_in };
            let limit = Limit { warning: self.limits.swap_in, critical };
            self.hold("swap_in", rate, limit, Unit::Bytes, || format!("swapping in {}/s", units::bytes(rate as u64)));
        }
        let full = vitals.pressure.iter().find(|p| p.what == "memory").and_then(|p| p.full);
        if let (Some(full), Some(warning)) = (full, self.limits.pressure) {
            let limit = Limit { warning, critical: f64::INFINITY };
            self.hold("pressure:memory", full, limit, Unit::Percent, || format!("memory pressure {full:.0} %"));
        }
        if let Some(kills) = vitals.oom_kills.filter(|kills| *kills > 0) {
            self.add(Outcome::Warning, format!("{kills} killed for want of memory"));
        }
    }

    fn processor(&mut self, vitals: &Vitals) {
        if let (Some([_, _, load]), Some(cores)) = (vitals.load, vitals.cores) {
            self.hold("load", load / f64::from(cores), self.limits.load, Unit::Count, || {
                format!("load {load:.1} over 15 minutes on {}", units::counted(cores as usize, "core"))
            });
        }
        if let Some(cpu) = vitals.cpu {
            self.hold("steal", cpu.steal, self.limits.steal, Unit::Percent, || {
                format!("{:.0} % of CPU time stolen", cpu.steal)
            });
        }
    }

    fn services(&mut self, vitals: &Vitals) {
        let failed = vitals.failed_units.iter().flatten().filter(|unit| !self.limits.ignores(unit.as_bytes()));
        let failed: Vec<&Untrusted> = failed.collect();
        if !failed.is_empty() {
            let word = if failed.len() == 1 { "unit" } else { "units" };
            self.add(Outcome::Warning, format!("{} {word} failed: {}", failed.len(), list(&failed)));
        }
    }

    fn clock(&mut self, vitals: &Vitals) {
        if let Some(clock) = vitals.clock {
            self.hold("clock", clock.certain(), self.limits.clock, Unit::Seconds, || {
                let way = if clock.seconds > 0.0 { "ahead" } else { "behind" };
                let off = Duration::try_from_secs_f64(clock.seconds.abs()).unwrap_or(Duration::MAX);
                format!("clock {} {way}", if off.as_secs() >= 10 { units::age(off) } else { units::round_trip(off) })
            });
        }
        if vitals.synchronised == Some(false) {
            self.add(Outcome::Warning, "clock not synchronised");
        }
    }

    /// What somebody should do one of these days: said, and a problem only where that is wanted.
    fn upkeep(&mut self, vitals: &Vitals) {
        let grade = |wanted: bool| if wanted { Outcome::Warning } else { Outcome::Ok };
        if vitals.reboot.as_ref().is_some_and(|reboot| reboot.required) {
            self.add(grade(self.limits.reboot), "reboot required");
        }
        if let Some(security) = vitals.updates.as_ref().and_then(|u| u.security).filter(|n| *n > 0) {
            let word = if security == 1 { "update" } else { "updates" };
            let wanted = self.limits.updates.is_some_and(|limit| security >= limit);
            self.add(grade(wanted), format!("{security} security {word}"));
        }
    }
}

/// The first few names, and how many more.
fn list(names: &[&Untrusted]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| name.line()).collect();
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &more
}

/// A machine with nothing to say in a line.
fn calm(vitals: &Vitals) -> String {
    let mut parts = Vec::new();
    parts.extend(vitals.load.map(|[one, _, _]| format!("load {one:.2}")));
    parts.extend(vitals.cpu.map(|cpu| format!("cpu {:.0} %", cpu.busy)));
    parts.extend(vitals.memory.and_then(Amount::percent).map(|percent| format!("mem {percent:.0} %")));
    parts.extend(vitals.fullest().first().map(|disk| format!("{} {:.0} %", disk.mount.line(), disk.used_percent)));
    parts.extend(vitals.uptime.map(|up| format!("up {}", units::age(up))));
    parts.join(" · ")
}

/// The names of the numbers, those of each mount and resource as `disk:*`.
const NUMBERS: [&str; 18] = [
    "load1",
    "load5",
    "load15",
    "cpu",
    "iowait",
    "steal",
    "memory",
    "swap",
    "swap_in",
    "uptime",
    "failed_units",
    "users",
    "clock_offset",
    "updates",
    "security_updates",
    "pressure:*",
    "disk:*",
    "inodes:*",
];

/// What every check that looks at a machine may count.
pub fn numbers() -> Vec<String> {
    NUMBERS.map(str::to_owned).into()
}

fn metrics(vitals: &Vitals, reading: Reading) -> Reading {
    let load = |at: usize| vitals.load.map(|load| load[at]);
    let cpu = vitals.cpu;
    let offset = vitals.clock.map(|clock| clock.seconds);
    let seconds = |duration: Duration| duration.as_secs_f64();
    let amounts = |amount: Option<Amount>| amount.and_then(Amount::percent);
    let updates = vitals.updates.as_ref();
    let counts = [
        ("load1", load(0), Unit::Count),
        ("load5", load(1), Unit::Count),
        ("load15", load(2), Unit::Count),
        ("cpu", cpu.map(|c| c.busy), Unit::Percent),
        ("iowait", cpu.map(|c| c.iowait), Unit::Percent),
        ("steal", cpu.map(|c| c.steal), Unit::Percent),
        ("memory", amounts(vitals.memory), Unit::Percent),
        ("swap", amounts(vitals.swap), Unit::Percent),
        ("swap_in", vitals.swap_in, Unit::Bytes),
        ("uptime", vitals.uptime.map(seconds), Unit::Seconds),
        ("failed_units", vitals.failed_units.as_ref().map(|units| units.len() as f64), Unit::Count),
        ("users", vitals.users.as_ref().map(|users| users.len() as f64), Unit::Count),
        ("clock_offset", offset, Unit::Seconds),
        ("updates", updates.map(|u| f64::from(u.all)), Unit::Count),
        ("security_updates", updates.and_then(|u| u.security).map(f64::from), Unit::Count),
    ];
    let known = counts.into_iter().filter_map(|(name, value, unit)| Some((name, value?, unit)));
    let mut reading = known.fold(reading, |reading, (name, value, unit)| reading.metric(name, value, unit));
    for pressure in &vitals.pressure {
        reading = reading.metric(&format!("pressure:{}", pressure.what), pressure.some, Unit::Percent);
    }
    for disk in &vitals.disks {
        let mount = disk.mount.line();
        reading = reading.metric(&format!("disk:{mount}"), disk.used_percent, Unit::Percent);
        if let Some(inodes) = disk.inodes_percent {
            reading = reading.metric(&format!("inodes:{mount}"), inodes, Unit::Percent);
        }
    }
    reading
}

/// What the line has no room for.
fn log(vitals: &Vitals) -> Vec<Untrusted> {
    let mut out = Vec::new();
    let line = |words: String| Untrusted::from(words);
    if let Some(units) = vitals.failed_units.as_ref().filter(|units| units.len() > NAMED) {
        out.extend(units.iter().skip(NAMED).map(|unit| line(format!("failed unit: {}", unit.line()))));
    }
    if let Some(reboot) = vitals.reboot.as_ref().filter(|reboot| reboot.required) {
        out.push(line(format!("reboot required: {}", reboot.reason.line())));
    }
    for missing in &vitals.missing {
        out.push(line(format!("{} unavailable: {}", missing.what, missing.why.line())));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::port_rules::Pattern;
    use crate::model::vitals::{
        ClockOffset, CpuTime, Drive, FileSystem, Missing, Pressure, RaidArray, Reboot, StoragePool, Updates,
    };

    fn told(vitals: &Vitals) -> (Outcome, String) {
        let (reading, _) = judge(vitals, &Limits::default(), &Levels::default());
        (reading.outcome, reading.summary.line())
    }

    fn disk(mount: &str, used_percent: f64, inodes_percent: Option<f64>) -> FileSystem {
        FileSystem {
            mount: mount.into(),
            device: "/dev/x".into(),
            size: 1_000_000,
            available: 1,
            used_percent,
            inodes_percent,
            read_only: Some(false),
        }
    }

    fn calm_machine() -> Vitals {
        Vitals {
            load: Some([0.7, 0.5, 1.9]),
            cores: Some(2),
            cpu: Some(CpuTime { busy: 12.0, iowait: 1.0, steal: 9.0 }),
            memory: Some(Amount { total: 1000, used: 480 }),
            disks: vec![disk("/", 40.0, Some(10.0)), disk("/var", 79.9, None)],
            uptime: Some(Duration::from_secs(86_400 * 12)),
            failed_units: Some(Vec::new()),
            ..Vitals::default()
        }
    }

    #[test]
    fn a_mount_without_an_answer_is_critical_unless_it_is_ignored() {
        let vitals = Vitals { silent_mounts: vec!["/mnt/nas".into()], ..calm_machine() };
        assert_eq!(told(&vitals), (Outcome::Critical, "/mnt/nas gives no answer".to_owned()));
        let limits = Limits { ignore: vec![Pattern::new("/mnt/*").expect("a pattern")], ..Limits::default() };
        assert_eq!(judge(&vitals, &limits, &Levels::default()).0.outcome, Outcome::Ok);
    }

    #[test]
    fn a_calm_machine_says_how_it_is_and_what_should_be_done_some_day() {
        assert_eq!(told(&calm_machine()), (Outcome::Ok, "load 0.70 · cpu 12 % · mem 48 % · /var 80 % · up 12d".into()));
        let updates = Updates { by: "apt", all: 5, security: Some(3), refreshed: None };
        let due = Vitals {
            reboot: Some(Reboot { required: true, reason: "kernel".into() }),
            updates: Some(updates),
            ..calm_machine()
        };
        let (outcome, words) = told(&due);
        assert_eq!(outcome, Outcome::Ok);
        assert!(words.ends_with("up 12d · reboot required · 3 security updates"), "{words}");
        let limits = Limits { reboot: true, updates: Some(3), ..Limits::default() };
        let (reading, _) = judge(&due, &limits, &Levels::default());
        assert_eq!(
            (reading.outcome, reading.summary.line().as_str()),
            (Outcome::Warning, "reboot required · 3 security updates")
        );
    }

    #[test]
    fn the_worst_stands_first_whatever_it_is() {
        let units = ["nginx.service", "b.timer", "c.service", "d.service"].map(Untrusted::from);
        let sick = Vitals {
            disks: vec![disk("/", 84.0, Some(96.0)), disk("/var", 97.0, None)],
            failed_units: Some(units.into()),
            load: Some([9.0, 9.0, 4.2]),
            ..calm_machine()
        };
        assert_eq!(
            told(&sick),
            (
                Outcome::Critical,
                "/var 97 % full · / 96 % of inodes used · load 4.2 over 15 minutes on 2 cores · / 84 % full · 4 units failed: nginx.service, \
                 b.timer, c.service and 1 more"
                    .into()
            )
        );
    }

    type Change<'a> = &'a dyn Fn(&mut Vitals);

    #[test]
    fn every_limit_has_its_words() {
        let with = |change: &dyn Fn(&mut Vitals)| {
            let mut vitals = calm_machine();
            change(&mut vitals);
            told(&vitals)
        };
        let array = |redundancy| RaidArray {
            name: "md0".into(),
            level: "raid1".into(),
            redundancy,
            members: Some((1, 2)),
            progress: Some(12.4),
        };
        let cases: [(Change<'_>, Outcome, &str); 13] = [
            (&|v| v.arrays = vec![array(Redundancy::Degraded)], Outcome::Critical, "RAID md0 degraded (1 of 2)"),
            (
                &|v| v.arrays = vec![array(Redundancy::Rebuilding)],
                Outcome::Warning,
                "RAID md0 rebuilds (1 of 2), 12 % done",
            ),
            (&|v| v.arrays = vec![array(Redundancy::Lost)], Outcome::Critical, "RAID md0 does not run (1 of 2)"),
            (
                &|v| {
                    v.pools = vec![StoragePool {
                        name: "tank".into(),
                        health: "DEGRADED".into(),
                        redundancy: Redundancy::Degraded,
                        size: None,
                        used_percent: Some(81.0),
                    }];
                },
                Outcome::Critical,
                "ZFS pool tank DEGRADED · ZFS pool tank 81 % full",
            ),
            (
                &|v| v.drives = vec![Drive { device: "/dev/sda".into(), healthy: Some(false) }],
                Outcome::Critical,
                "SMART: /dev/sda failing",
            ),
            (&|v| v.memory = Some(Amount { total: 100, used: 96 }), Outcome::Critical, "memory 96 %"),
            (&|v| v.swap_in = Some(2e6), Outcome::Warning, "swapping in 1.9M/s"),
            (
                &|v| {
                    v.swap_in = Some(2e6);
                    v.memory = Some(Amount { total: 100, used: 91 });
                },
                Outcome::Critical,
                "swapping in 1.9M/s · memory 91 %",
            ),
            (
                &|v| v.pressure = vec![Pressure { what: "memory", some: 40.0, full: Some(25.0) }],
                Outcome::Warning,
                "memory pressure 25 %",
            ),
            (&|v| v.oom_kills = Some(2), Outcome::Warning, "2 killed for want of memory"),
            (
                &|v| v.cpu = Some(CpuTime { busy: 90.0, iowait: 0.0, steal: 26.0 }),
                Outcome::Critical,
                "26 % of CPU time stolen",
            ),
            (
                &|v| v.clock = Some(ClockOffset { seconds: -3600.0, uncertainty: 0.1 }),
                Outcome::Critical,
                "clock 1h behind",
            ),
            (&|v| v.synchronised = Some(false), Outcome::Warning, "clock not synchronised"),
        ];
        for (change, outcome, words) in cases {
            assert_eq!(with(change), (outcome, words.to_owned()));
        }
    }

    #[test]
    fn what_is_ignored_is_shown_and_never_a_problem() {
        let vitals = Vitals {
            disks: vec![disk("/boot", 99.0, None)],
            failed_units: Some(vec!["snapd.service".into()]),
            ..calm_machine()
        };
        let ignore = ["/boot*", "snapd.*"].map(|p| Pattern::new(p).expect("a pattern"));
        let limits = Limits { ignore: ignore.into(), ..Limits::default() };
        let (reading, _) = judge(&vitals, &limits, &Levels::default());
        assert_eq!(reading.outcome, Outcome::Ok);
        assert!(reading.metrics.iter().any(|m| &*m.name == "disk:/boot"));
    }

    #[test]
    fn names_of_numbers_are_stable_and_what_is_missing_is_said() {
        let vitals = Vitals {
            missing: vec![Missing { what: "units", why: "systemd does not run there".into() }],
            failed_units: None,
            ..calm_machine()
        };
        let (reading, _) = judge(&vitals, &Limits::default(), &Levels::default());
        let names: Vec<&str> = reading.metrics.iter().map(|m| &*m.name).collect();
        assert_eq!(
            names,
            [
                "load1",
                "load5",
                "load15",
                "cpu",
                "iowait",
                "steal",
                "memory",
                "uptime",
                "disk:/",
                "inodes:/",
                "disk:/var"
            ]
        );
        assert_eq!(reading.log[0].line(), "units unavailable: systemd does not run there");
    }

    #[test]
    fn what_may_have_a_limit_is_what_a_machine_tells() {
        let full = Vitals {
            swap: Some(Amount { total: 10, used: 1 }),
            swap_in: Some(0.0),
            users: Some(Vec::new()),
            clock: Some(ClockOffset { seconds: 0.0, uncertainty: 0.1 }),
            updates: Some(Updates { by: "apt", all: 5, security: Some(3), refreshed: None }),
            pressure: vec![Pressure { what: "io", some: 0.0, full: None }],
            disks: vec![disk("/", 40.0, Some(10.0))],
            ..calm_machine()
        };
        let (reading, _) = judge(&full, &Limits::default(), &Levels::default());
        let stem = |name: &str| name.split_once(':').map_or(name.to_owned(), |(stem, _)| format!("{stem}:*"));
        let told: Vec<String> = reading.metrics.iter().map(|m| stem(&m.name)).collect();
        assert_eq!(told, numbers());
    }

    #[test]
    fn a_machine_that_tells_nothing_has_no_words_and_no_numbers() {
        assert_eq!(told(&Vitals::default()), (Outcome::Ok, String::new()));
    }
}
