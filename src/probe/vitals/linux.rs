//! From what the script of a Linux machine prints to its vitals. The script is fixed ([`SCRIPT`]), reads only, and is fed by one
//! line: a mark for this run and the parts that are wanted. Pure.

use super::kernel::{self, Counters};
use super::sections::{Sections, lines, number};
use super::{storage, system, updates};
use crate::base::{Timestamp, Untrusted};
use crate::model::Vitals;
use crate::model::vitals::{ClockOffset, Missing};

/// What runs on the machine, exactly. It has no single quote, so that every shell can be given it as one word.
pub const SCRIPT: &str = include_str!("linux.sh");
/// Names are short; whoever sends more sends something else.
const NAME: usize = 256;

/// The parts of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// `/proc`.
    Fast,
    /// Units, RAID, time service, users.
    State,
    /// `df`, and whether what is mounted from elsewhere answers: what hangs, where anything does.
    Disks,
    /// Packages, updates, routes, drives: seldom.
    Slow,
    /// Of the file systems, only whether what is mounted from elsewhere answers: in no look over SSH.
    Remote,
    /// Each package with its version: for whoever asks, and in no look.
    List,
}

impl Part {
    /// Those of a look.
    pub const ALL: [Self; 4] = [Self::Fast, Self::State, Self::Disks, Self::Slow];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::State => "state",
            Self::Slow => "slow",
            Self::Disks => "disks",
            Self::Remote => "remote",
            Self::List => "list",
        }
    }

    /// What it tells, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Fast => "load and memory",
            Self::State => "units and RAID",
            Self::Disks | Self::Remote => "file systems",
            Self::Slow => "packages and updates",
            Self::List => "the list of packages",
        }
    }

    /// The part that a section belongs to.
    pub fn of_section(name: &str) -> Option<Self> {
        match name {
            "loadavg" | "stat" | "meminfo" | "vmstat" | "pressure" | "uptime" | "system" | "release" => {
                Some(Self::Fast)
            }
            "mdstat" | "reboot" | "keeping" | "users" | "units" | "zpool" => Some(Self::State),
            "packages" | "routes" | "updates" | "smart" => Some(Self::Slow),
            "mounts" | "remote" | "df" | "inodes" | "unasked" => Some(Self::Disks),
            "list" => Some(Self::List),
            _ => None,
        }
    }
}

/// One look at a machine.
#[derive(Debug, Default)]
pub struct Look {
    pub vitals: Vitals,
    pub counters: Counters,
}

/// Reads what the script printed. Shares and rates are told where there was a look before.
pub fn read(sections: &Sections<'_>, before: Option<&Counters>) -> Look {
    let of = |name: &str| sections.of(name).unwrap_or_default();
    let mut look = Look::default();
    let (memory, swap) = kernel::memory(of("meminfo"));
    let counters = Counters {
        cpu: kernel::cpu(of("stat")),
        swapped_in: kernel::vmstat(of("vmstat"), "pswpin"),
        oom_kills: kernel::vmstat(of("vmstat"), "oom_kill"),
        uptime: kernel::uptime(of("uptime")),
    };
    let vitals = &mut look.vitals;
    let [name, release, architecture] = identity(of("system"));
    vitals.name = name;
    vitals.kernel = release;
    vitals.architecture = architecture;
    vitals.system = system::release(of("release"));
    vitals.uptime = counters.uptime.and_then(kernel::as_duration);
    vitals.cores = kernel::cores(of("stat"));
    vitals.load = kernel::load(of("loadavg"));
    (vitals.memory, vitals.swap) = (memory, swap);
    vitals.pressure = kernel::pressure(of("pressure"));
    since(vitals, &counters, before);
    if sections.of("mdstat").is_some() {
        state(sections, vitals);
    }
    if sections.of("packages").is_some() {
        seldom(sections, vitals);
    }
    if let Some(space) = sections.of("df") {
        vitals.disks = storage::file_systems(space, of("inodes"), of("mounts"));
    }
    if let Some(beyond) = storage::beyond(of("mounts")) {
        let why = format!("{beyond} more than are looked at");
        vitals.missing.push(Missing { what: "file systems", why: Untrusted::from(why) });
    }
    vitals.mounts = storage::mounts(of("mounts"));
    vitals.silent_mounts = storage::silent(of("remote"));
    if sections.of("unasked").is_some() {
        let why = "the df of this machine would hang on a mount that gives no answer";
        vitals.missing.push(Missing { what: "file systems", why: why.into() });
    }
    look.counters = counters;
    look
}

/// Fills in what needs two looks.
pub fn since(vitals: &mut Vitals, counters: &Counters, before: Option<&Counters>) {
    if let Some(before) = before {
        vitals.cpu = counters.cpu_since(before);
        vitals.swap_in = counters.swap_in_since(before);
        vitals.oom_kills = counters.oom_kills_since(before);
    }
}

fn identity(section: &[u8]) -> [Untrusted; 3] {
    let mut rows = lines(section).map(|line| Untrusted::bounded(line, NAME));
    std::array::from_fn(|_| rows.next().unwrap_or_default())
}

/// Units, redundancy, restart, time service, users.
pub fn state(sections: &Sections<'_>, vitals: &mut Vitals) {
    let of = |name: &str| sections.of(name).unwrap_or_default();
    vitals.arrays = storage::arrays(of("mdstat"));
    vitals.reboot = system::reboot(of("reboot"), vitals.kernel.as_bytes());
    vitals.synchronised = system::synchronised(of("keeping"));
    vitals.users = system::users(of("users"));
    vitals.pools = storage::pools(of("zpool"));
    match sections.of("units").map(system::failed_units) {
        Some(Ok(units)) => vitals.failed_units = Some(units),
        Some(Err(why)) => vitals.missing.push(Missing { what: "units", why: why.into() }),
        None => {}
    }
}

/// What is asked for seldom.
pub fn seldom(sections: &Sections<'_>, vitals: &mut Vitals) {
    let of = |name: &str| sections.of(name).unwrap_or_default();
    vitals.packages = system::packages(of("packages"));
    vitals.routes = system::listed(of("routes"));
    vitals.drives = storage::drives(of("smart"));
    if lines(of("smart")).next() == Some(b"denied") {
        vitals.missing.push(Missing { what: "SMART", why: "smartctl needs root, and nobody is asked for it".into() });
    }
    let told = updates::read(of("updates"));
    vitals.updates = told.updates;
    vitals.missing.extend(told.missing);
}

/// Takes over what is asked for seldom from the look that asked for it.
pub fn keep_seldom(vitals: &mut Vitals, before: &Vitals) {
    vitals.packages.clone_from(&before.packages);
    vitals.routes.clone_from(&before.routes);
    vitals.drives.clone_from(&before.drives);
    vitals.updates.clone_from(&before.updates);
    vitals.inventoried = before.inventoried;
    vitals.missing.extend(before.missing.iter().filter(|missing| is_seldom(missing)).cloned());
}

/// Whether it belongs to what is asked for seldom.
pub fn is_seldom(missing: &Missing) -> bool {
    matches!(missing.what, "SMART" | "updates")
}

/// The machine's clock against ours: `asked` and `heard` are when the question went out and the answer came in, and the
/// machine read its clock between the two.
pub fn clock(sections: &Sections<'_>, asked: Timestamp, heard: Timestamp) -> Option<ClockOffset> {
    let line = lines(sections.of("time")?).next()?;
    let seconds = |at: Timestamp| at.millis() as f64 / 1000.0;
    // Where date has no fractions it writes what it was asked for.
    let (told, whole) = match number(line) {
        Some(told) if line.contains(&b'.') && !line.ends_with(b".") => (told, 0.0),
        Some(told) => (told + 0.5, 0.5),
        None => (number(line.split(|b| *b == b'.').next()?)? + 0.5, 0.5),
    };
    let between = (seconds(heard) - seconds(asked)).max(0.0);
    let seconds = told - (seconds(asked) + between / 2.0);
    // Ours counts milliseconds.
    Some(ClockOffset { seconds, uncertainty: between / 2.0 + whole + 0.001 })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::probe::vitals::judge;
    use crate::probe::vitals::limits::{Levels, Limits};

    const MARK: &str = "d2c1";

    fn answer() -> String {
        let part = |name: &str, text: &str| format!("\n{MARK} {name}\n{text}");
        let parts = [
            ("time", "1700000000.25\n"),
            ("loadavg", "0.71 0.5 0.4 1/200 99\n"),
            ("stat", "cpu  100 0 100 1000 50 0 0 0 0 0\n4\n"),
            ("meminfo", "MemTotal: 1000 kB\nMemAvailable: 520 kB\nSwapTotal: 100 kB\nSwapFree: 50 kB\n"),
            ("vmstat", "pswpin 7\noom_kill 1\n"),
            ("pressure", "cpu some avg10=0 avg60=1.5 avg300=0 total=1\n"),
            ("uptime", "1000.5 4000\n"),
            ("system", "web01\n6.1.0-18-amd64\nx86_64\n"),
            ("release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
            ("mdstat", "md0 : active raid1 a[0] b[1]\n 5 blocks [2/2] [UU]\n"),
            ("reboot", "required\n"),
            ("keeping", "timesyncd\n"),
            ("users", "who\nroot pts/0 now\n"),
            ("units", "systemd\nnginx.service loaded failed failed x\ntold\n"),
            ("zpool", ""),
            ("packages", "dpkg\n700\nabcd -\n"),
            ("routes", "default via 192.0.2.1 dev eth0\n"),
            ("updates", "apt\n1699990000\n0 upgraded, 0 newly installed\n"),
            ("smart", "denied\n"),
            ("mounts", "local ext4 / rw\n"),
            ("df", "F 1K U A C M\n/dev/vda 1000 970 30 97% /\n"),
            ("inodes", "F 1K U A C M\n/dev/vda 1000 100 900 10% /\n"),
            ("end", ""),
        ];
        parts.map(|(name, text)| part(name, text)).concat()
    }

    #[test]
    fn a_whole_answer_is_a_machine() {
        let output = answer();
        let sections = Sections::split(output.as_bytes(), MARK);
        let before = Counters { cpu: Some([0; 8]), uptime: Some(940.5), oom_kills: Some(1), swapped_in: Some(7) };
        let Look { vitals, counters } = read(&sections, Some(&before));
        assert!(sections.is_complete());
        assert_eq!(counters.swapped_in, Some(7));
        assert_eq!(vitals.name.line(), "web01");
        assert_eq!(vitals.kernel.line(), "6.1.0-18-amd64");
        assert_eq!(vitals.uptime, Some(Duration::from_secs_f64(1000.5)));
        assert_eq!((vitals.cores, vitals.swap_in, vitals.oom_kills), (Some(4), Some(0.0), Some(0)));
        assert_eq!(vitals.packages.as_ref().map(|p| p.count), Some(700));
        assert_eq!(vitals.synchronised, Some(true));
        assert_eq!(vitals.missing.len(), 1, "{:?}", vitals.missing);
        let (reading, _) = judge::judge(&vitals, &Limits::default(), &Levels::default());
        assert_eq!(reading.summary.line(), "/ 97 % full · 1 unit failed: nginx.service · reboot required");
    }

    #[test]
    fn what_is_asked_for_seldom_is_kept_with_its_time() {
        let output = answer();
        let full = read(&Sections::split(output.as_bytes(), MARK), None).vitals;
        let full = Vitals { inventoried: Some(Timestamp(5)), ..full };
        let mut next = Vitals { missing: vec![Missing { what: "units", why: "x".into() }], ..Vitals::default() };
        keep_seldom(&mut next, &full);
        assert_eq!((&next.packages, next.routes.len(), next.inventoried), (&full.packages, 1, Some(Timestamp(5))));
        assert_eq!(next.missing.iter().map(|m| m.what).collect::<Vec<_>>(), ["units", "SMART"]);
    }

    #[test]
    fn the_clock_is_known_as_well_as_the_way_is_short() {
        let output = format!("{MARK} time\n1700000000.250000000\n");
        let sections = Sections::split(output.as_bytes(), MARK);
        let off = clock(&sections, Timestamp(1_699_999_999_000), Timestamp(1_699_999_999_500)).expect("told");
        assert!((off.seconds - 1.0).abs() < 1e-3 && (off.uncertainty - 0.251).abs() < 1e-6, "{off:?}");
        for whole in ["1700000000.%N", "1700000000."] {
            let output = format!("{MARK} time\n{whole}\n");
            let sections = Sections::split(output.as_bytes(), MARK);
            let off = clock(&sections, Timestamp(1_700_000_000_000), Timestamp(1_700_000_000_000)).expect("told");
            assert!(off.certain() == 0.0 && off.uncertainty >= 0.5, "{whole}: {off:?}");
        }
        let silent = format!("{MARK} time\n\n{MARK} end\n");
        assert_eq!(clock(&Sections::split(silent.as_bytes(), MARK), Timestamp(1), Timestamp(2)), None);
    }

    #[test]
    fn the_script_can_be_one_word_of_any_shell_and_names_only_known_sections() {
        assert!(!SCRIPT.contains('\'') && SCRIPT.is_ascii());
        assert!(!SCRIPT.contains("sudo"));
        let names = SCRIPT.lines().filter_map(|line| line.trim_start().strip_prefix("s "));
        let names: Vec<&str> = names.filter_map(|rest| rest.split([';', ' ']).next()).collect();
        assert!(names.len() > 15, "{names:?}");
        for name in names.into_iter().filter(|name| *name != "end") {
            assert!(Part::of_section(name).is_some(), "{name} belongs to no part");
        }
    }

    proptest! {
        /// A whole answer with bytes of it replaced, cut out and put in: read without a panic, and no number that is none.
        #[test]
        fn a_damaged_answer_is_read_without_a_panic(
            at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 0..40),
        ) {
            let mut output = answer().into_bytes();
            for (index, byte, kind) in at {
                let at = index.index(output.len());
                match kind {
                    0 => output[at] = byte,
                    1 => { output.remove(at); }
                    _ => output.insert(at, byte),
                }
            }
            let look = read(&Sections::split(&output, MARK), Some(&Counters::default()));
            let (reading, _) = judge::judge(&look.vitals, &Limits::default(), &Levels::default());
            prop_assert!(reading.metrics.iter().all(|m| m.value.is_finite()), "{reading:?}");
        }

        #[test]
        fn any_bytes_in_any_section_are_read_without_a_panic(
            parts in prop::collection::vec((0usize..24, prop::collection::vec(any::<u8>(), 0..120)), 0..12),
        ) {
            const NAMES: [&str; 24] = [
                "time", "loadavg", "stat", "meminfo", "vmstat", "pressure", "uptime", "system", "release", "mdstat", "reboot",
                "keeping", "users", "units", "zpool", "packages", "routes", "updates", "smart", "mounts", "df", "inodes", "end",
                "odd",
            ];
            let mut output = Vec::new();
            for (name, bytes) in parts {
                output.extend_from_slice(format!("\n{MARK} {}\n", NAMES[name]).as_bytes());
                output.extend_from_slice(&bytes);
            }
            let sections = Sections::split(&output, MARK);
            let look = read(&sections, Some(&Counters::default()));
            let (reading, _) = judge::judge(&look.vitals, &Limits::default(), &Levels::default());
            prop_assert!(reading.metrics.iter().all(|m| m.value.is_finite()), "{reading:?}");
            let _ = clock(&sections, Timestamp(0), Timestamp(1));
        }
    }
}
