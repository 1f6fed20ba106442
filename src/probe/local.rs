//! `local`: the machine that noctty runs on. Reads `/proc`, asks for the size of local file systems only (a dead
//! network mount must not hang it, and a local disk that does not answer costs its own numbers only), and asks systemd
//! for failed units where there is one.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Cx, Kind, Pace, Probe, Running};
use crate::base::options::{OptionDoc, Reader};
use crate::base::{Untrusted, units};
use crate::model::{Host, Outcome, Reading, Unit, Wire};
use crate::process::{self, Program};

/// File systems whose size means something and that answer without a network.
const REAL_FILE_SYSTEMS: [&str; 11] =
    ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "vfat", "exfat", "jfs", "overlay"];

pub static KIND: Kind = Kind {
    name: "local",
    help: "this machine: load, memory, disks, uptime, failed systemd units",
    options: &[
        OptionDoc { name: "disk_warning", form: "integer", default: "90", help: "percent of space or inodes used" },
        OptionDoc { name: "disk_critical", form: "integer", default: "95", help: "percent of space or inodes used" },
        OptionDoc { name: "memory_warning", form: "integer", default: "95", help: "percent used, caches not counted" },
        OptionDoc { name: "load_warning", form: "integer", default: "2", help: "one-minute load per core" },
        OptionDoc { name: "load_critical", form: "integer", default: "4", help: "one-minute load per core" },
    ],
    pace: Pace {
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(5),
        retry_interval: Duration::from_secs(5),
        attempts: 2,
        decides_reachability: false,
    },
    bind,
};

#[derive(Debug)]
struct Local {
    root: PathBuf,
    limits: Limits,
    /// A look at the disks is still under way; no second one is started beside it.
    busy: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    disk_warning: f64,
    disk_critical: f64,
    memory_warning: f64,
    /// Per core.
    load_warning: f64,
    load_critical: f64,
}

#[expect(clippy::unnecessary_wraps, reason = "the table's signature")]
fn bind(_: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let mut limit = |key, most, default: i64| options.integer(key, 1..=most).unwrap_or(default) as f64;
    let limits = Limits {
        disk_warning: limit("disk_warning", 100, 90),
        disk_critical: limit("disk_critical", 100, 95),
        memory_warning: limit("memory_warning", 100, 95),
        load_warning: limit("load_warning", 1000, 2),
        load_critical: limit("load_critical", 1000, 4),
    };
    Some(Box::new(Local { root: PathBuf::from("/"), limits, busy: Arc::default() }))
}

impl Probe for Local {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.look(cx))
    }

    fn wire(&self) -> Wire {
        Wire { protocol: "local files".into(), destination: "/proc, statvfs, systemctl".into() }
    }
}

/// Findings collected on the way; the worst decides.
#[derive(Default)]
struct Findings {
    worst: Option<Outcome>,
    words: Vec<String>,
}

impl Findings {
    fn add(&mut self, outcome: Outcome, words: String) {
        self.words.push(words);
        let rank = |o: Outcome| match o {
            Outcome::Ok => 0,
            Outcome::Unknown => 1,
            Outcome::Warning => 2,
            Outcome::Critical => 3,
        };
        if self.worst.is_none_or(|worst| rank(outcome) > rank(worst)) {
            self.worst = Some(outcome);
        }
    }
}

impl Local {
    async fn look(&self, cx: &Cx) -> Reading {
        let root = self.root.clone();
        let files = tokio::task::spawn_blocking(move || read_machine(&root));
        let (machine, disks, units) = tokio::join!(files, self.disks(cx.timeout / 2), failed_units(cx.timeout));
        let Ok(machine) = machine else { return Reading::unknown("cannot read /proc") };
        judge(&machine, &disks, &units, self.limits)
    }

    /// Runs in a thread of its own: one that hangs on a dead disk is left there, and not joined by another.
    async fn disks(&self, timeout: Duration) -> Result<Vec<Disk>, String> {
        if self.busy.swap(true, Ordering::AcqRel) {
            return Err("an earlier look at the file systems still hangs".to_owned());
        }
        let (busy, mountinfo) = (self.busy.clone(), self.root.join("proc/self/mountinfo"));
        let task = tokio::task::spawn_blocking(move || {
            let found = std::fs::read_to_string(mountinfo).map(|text| disks(&text));
            busy.store(false, Ordering::Release);
            found
        });
        match tokio::time::timeout(timeout, task).await {
            Ok(Ok(Ok(found))) => Ok(found),
            Ok(Ok(Err(error))) => Err(error.to_string()),
            Ok(Err(join)) => Err(join.to_string()),
            Err(_) => Err(format!("no answer within {:.1} s", timeout.as_secs_f32())),
        }
    }
}

fn judge(
    machine: &Machine,
    disks: &Result<Vec<Disk>, String>,
    units: &Result<Vec<Untrusted>, String>,
    limits: Limits,
) -> Reading {
    let mut findings = Findings::default();
    let mut reading = machine.metrics(Reading::ok(""));
    findings.machine(machine, limits);
    let none = Vec::new();
    let fullest = disks.as_ref().unwrap_or(&none);
    for disk in fullest {
        reading = reading.metric(&format!("disk:{}", disk.mount), disk.space, Unit::Percent);
        if let Some(inodes) = disk.inodes {
            reading = reading.metric(&format!("inodes:{}", disk.mount), inodes, Unit::Percent);
        }
        findings.disk(disk, limits);
    }
    if let Err(why) = disks {
        findings.add(Outcome::Warning, format!("file systems: {why}"));
    }
    match units {
        Ok(failed) => {
            reading = reading.metric("failed_units", failed.len() as f64, Unit::Count);
            findings.units(failed);
        }
        Err(why) => reading = reading.log(format!("units unavailable: {why}")),
    }
    reading.outcome = findings.worst.unwrap_or(Outcome::Ok);
    reading.summary =
        if findings.words.is_empty() { machine.summary(fullest).into() } else { findings.words.join(" · ").into() };
    reading
}

impl Findings {
    fn machine(&mut self, machine: &Machine, limits: Limits) {
        if let Some(load) = machine.load1 {
            let words = || format!("load {load:.1} on {:.0} cores", machine.cores);
            if load / machine.cores >= limits.load_critical {
                self.add(Outcome::Critical, words());
            } else if load / machine.cores >= limits.load_warning {
                self.add(Outcome::Warning, words());
            }
        }
        if let Some(memory) = machine.memory_percent
            && memory >= limits.memory_warning
        {
            self.add(Outcome::Warning, format!("memory {memory:.0} %"));
        }
    }

    fn disk(&mut self, disk: &Disk, limits: Limits) {
        let amounts = [(Some(disk.space), "full"), (disk.inodes, "of inodes used")];
        for (percent, words) in amounts.into_iter().filter_map(|(percent, words)| Some((percent?, words))) {
            let outcome = match percent {
                p if p >= limits.disk_critical => Outcome::Critical,
                p if p >= limits.disk_warning => Outcome::Warning,
                _ => continue,
            };
            self.add(outcome, format!("{} {percent:.0} % {words}", disk.mount));
        }
    }

    fn units(&mut self, failed: &[Untrusted]) {
        if failed.is_empty() {
            return;
        }
        let names: Vec<String> = failed.iter().take(3).map(Untrusted::line).collect();
        let more = if failed.len() > 3 { format!(" and {} more", failed.len() - 3) } else { String::new() };
        self.add(Outcome::Warning, format!("failed units: {}{more}", names.join(", ")));
    }
}

#[derive(Debug, Default, PartialEq)]
struct Machine {
    load1: Option<f64>,
    cores: f64,
    memory_percent: Option<f64>,
    swap_percent: Option<f64>,
    /// Seconds.
    uptime: Option<f64>,
    /// Share of the last minute in which some task waited for it, percent; what and how much.
    pressure: Vec<(&'static str, f64)>,
}

/// A local file system and how full it is, percent.
#[derive(Debug, PartialEq)]
struct Disk {
    mount: String,
    space: f64,
    /// Not all file systems count them.
    inodes: Option<f64>,
}

impl Machine {
    fn summary(&self, disks: &[Disk]) -> String {
        let mut parts = Vec::new();
        parts.extend(self.load1.map(|load| format!("load {load:.2}")));
        parts.extend(self.memory_percent.map(|memory| format!("mem {memory:.0} %")));
        let fullest = disks.iter().max_by(|a, b| a.space.total_cmp(&b.space));
        parts.extend(fullest.map(|disk| format!("{} {:.0} %", disk.mount, disk.space)));
        parts.extend(self.uptime.map(|secs| format!("up {}", units::age(Duration::from_secs_f64(secs.max(0.0))))));
        parts.join(" · ")
    }

    fn metrics(&self, reading: Reading) -> Reading {
        let numbers = [
            ("load1", self.load1, Unit::Count),
            ("memory", self.memory_percent, Unit::Percent),
            ("swap", self.swap_percent, Unit::Percent),
            ("uptime", self.uptime, Unit::Seconds),
        ];
        let known = numbers.into_iter().filter_map(|(name, value, unit)| Some((name, value?, unit)));
        let reading = known.fold(reading, |reading, (name, value, unit)| reading.metric(name, value, unit));
        self.pressure.iter().fold(reading, |reading, (what, percent)| {
            reading.metric(&format!("pressure:{what}"), *percent, Unit::Percent)
        })
    }
}

fn read_machine(root: &Path) -> Machine {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let first = |text: &str| number(text.split_whitespace().next()?);
    let memory = read("proc/meminfo");
    let kilobytes = |name: &str| {
        let line = memory.lines().find(|line| line.starts_with(name))?;
        number(line.split_whitespace().nth(1)?)
    };
    let used = |total: Option<f64>, free: Option<f64>| match (total?, free?) {
        (total, free) if total > 0.0 => Some(100.0 * (total - free) / total),
        _ => None,
    };
    let pressure = |what: &'static str| {
        // "some avg10=0.00 avg60=0.13 avg300=0.05 total=123"; absent where the kernel does not account for it.
        let text = read(&format!("proc/pressure/{what}"));
        let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
        Some((what, number(some.split(' ').find_map(|word| word.strip_prefix("avg60="))?)?))
    };
    Machine {
        load1: first(&read("proc/loadavg")),
        cores: std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64),
        memory_percent: used(kilobytes("MemTotal:"), kilobytes("MemAvailable:")),
        swap_percent: used(kilobytes("SwapTotal:"), kilobytes("SwapFree:")),
        uptime: first(&read("proc/uptime")),
        pressure: ["cpu", "memory", "io"].into_iter().filter_map(pressure).collect(),
    }
}

fn number(word: &str) -> Option<f64> {
    word.parse::<f64>().ok().filter(|n| n.is_finite())
}

/// Local file systems, each device once.
fn disks(mountinfo: &str) -> Vec<Disk> {
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for (device, mount) in local_mounts(mountinfo) {
        if !seen.insert(device) {
            continue;
        }
        let Ok(about) = rustix::fs::statvfs(mount.as_str()) else { continue };
        // As df counts it: what root keeps for itself is neither used nor free.
        let percent = |total: u64, free: u64, available: u64| {
            let used = total.saturating_sub(free) as f64;
            let all = used + available as f64;
            (total > 0 && all > 0.0).then(|| 100.0 * used / all)
        };
        if let Some(space) = percent(about.f_blocks, about.f_bfree, about.f_bavail) {
            out.push(Disk { mount, space, inodes: percent(about.f_files, about.f_ffree, about.f_favail) });
        }
    }
    out
}

/// Device number and mount point of each local file system (`proc_pid_mountinfo(5)`).
fn local_mounts(mountinfo: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for line in mountinfo.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let fields: Vec<&str> = left.split(' ').collect();
        let (Some(device), Some(mount)) = (fields.get(2), fields.get(4)) else { continue };
        let kind = right.split(' ').next().unwrap_or_default();
        // A file that is mounted over another (as containers do) is no file system of its own.
        if REAL_FILE_SYSTEMS.contains(&kind) && !mount.starts_with("/etc/") {
            out.push(((*device).to_owned(), unescape(mount)));
        }
    }
    out
}

/// Octal escapes of mountinfo: `\040` for a blank.
fn unescape(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..3).and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| u8::from_str_radix(d, 8).ok());
        if let (b'\\', Some(byte)) = (first, code) {
            out.push(byte);
            rest = &tail[3..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

async fn failed_units(timeout: Duration) -> Result<Vec<Untrusted>, String> {
    if !Path::new("/run/systemd/system").is_dir() {
        return Err("systemd does not run here".to_owned());
    }
    let argv = ["systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "--no-pager"];
    let mut program = Program::new(argv).timeout(timeout / 2);
    program.output_limit = 256 * 1024;
    let output = process::run(&program).await.map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(Untrusted::new(output.stderr).line());
    }
    Ok(parse_units(&output.stdout))
}

fn parse_units(output: &[u8]) -> Vec<Untrusted> {
    let lines = output.split(|b| *b == b'\n');
    lines.filter_map(|line| line.split(|b| *b == b' ').find(|w| !w.is_empty())).map(Untrusted::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_files_are_read_and_their_absence_is_no_number() {
        let folder = tempfile::tempdir().expect("a folder");
        let proc = folder.path().join("proc");
        std::fs::create_dir_all(proc.join("self")).expect("made");
        std::fs::write(proc.join("loadavg"), "0.71 0.5 0.4 1/200 99\n").expect("written");
        std::fs::write(
            proc.join("meminfo"),
            "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 520 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
        )
        .expect("written");
        let machine = read_machine(folder.path());
        assert_eq!(machine.load1, Some(0.71));
        assert_eq!(machine.memory_percent, Some(48.0));
        assert_eq!((machine.swap_percent, machine.uptime), (None, None));
        assert_eq!(machine.summary(&[]), "load 0.71 · mem 48 %");
        assert_eq!(machine.pressure, []);
    }

    const LIMITS: Limits =
        Limits { disk_warning: 90.0, disk_critical: 95.0, memory_warning: 95.0, load_warning: 2.0, load_critical: 4.0 };

    fn disk(mount: &str, space: f64, inodes: Option<f64>) -> Disk {
        Disk { mount: mount.to_owned(), space, inodes }
    }

    #[test]
    fn every_limit_has_its_words_and_the_worst_decides() {
        let calm = Machine { load1: Some(3.9), cores: 2.0, memory_percent: Some(94.9), ..Machine::default() };
        let disks = Ok(vec![disk("/", 89.9, Some(10.0)), disk("/var", 12.0, None)]);
        let reading = judge(&calm, &disks, &Ok(Vec::new()), LIMITS);
        assert_eq!(reading.outcome, Outcome::Ok);
        assert_eq!(reading.summary.line(), "load 3.90 · mem 95 % · / 90 %");
        let names: Vec<&str> = reading.metrics.iter().map(|m| &*m.name).collect();
        assert_eq!(names, ["load1", "memory", "disk:/", "inodes:/", "disk:/var", "failed_units"]);

        let busy = Machine { load1: Some(4.0), cores: 2.0, memory_percent: Some(95.0), ..Machine::default() };
        let disks = Ok(vec![disk("/var", 91.0, Some(96.2))]);
        let units: Vec<Untrusted> = ["a.service", "b", "c", "d"].map(Untrusted::from).into();
        let reading = judge(&busy, &disks, &Ok(units), LIMITS);
        assert_eq!(reading.outcome, Outcome::Critical);
        assert_eq!(
            reading.summary.line(),
            "load 4.0 on 2 cores · memory 95 % · /var 91 % full · /var 96 % of inodes used · \
             failed units: a.service, b, c and 1 more"
        );
        let overrun = Machine { load1: Some(8.0), cores: 2.0, ..Machine::default() };
        assert_eq!(judge(&overrun, &Ok(Vec::new()), &Ok(Vec::new()), LIMITS).outcome, Outcome::Critical);
    }

    #[test]
    fn a_machine_without_systemd_is_no_problem_and_a_hanging_disk_is_one() {
        let machine = Machine { load1: Some(0.1), cores: 1.0, ..Machine::default() };
        let reading = judge(&machine, &Ok(Vec::new()), &Err("systemd does not run here".to_owned()), LIMITS);
        assert_eq!((reading.outcome, reading.summary.line()), (Outcome::Ok, "load 0.10".to_owned()));
        assert_eq!(reading.log[0].line(), "units unavailable: systemd does not run here");
        let reading = judge(&machine, &Err("no answer within 2.5 s".to_owned()), &Ok(Vec::new()), LIMITS);
        assert_eq!(reading.outcome, Outcome::Warning);
        assert_eq!(reading.summary.line(), "file systems: no answer within 2.5 s");
    }

    #[tokio::test]
    async fn a_look_at_the_disks_that_hangs_is_not_joined_by_another() {
        let local = Local { root: PathBuf::from("/"), limits: LIMITS, busy: Arc::new(AtomicBool::new(true)) };
        assert!(local.disks(Duration::from_secs(5)).await.is_err());
        local.busy.store(false, Ordering::Release);
        assert!(local.disks(Duration::from_secs(5)).await.is_ok());
        assert!(local.disks(Duration::from_secs(5)).await.is_ok(), "it is free again");
    }

    #[test]
    fn pressure_is_the_last_minute_of_what_some_task_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let pressure = folder.path().join("proc/pressure");
        std::fs::create_dir_all(&pressure).expect("made");
        let text = "some avg10=1.00 avg60=2.50 avg300=0.00 total=9\nfull avg10=0 avg60=0.10 avg300=0 total=1\n";
        std::fs::write(pressure.join("io"), text).expect("written");
        assert_eq!(read_machine(folder.path()).pressure, [("io", 2.5)]);
    }

    #[test]
    fn network_and_pseudo_file_systems_are_left_alone() {
        let text = "36 35 98:0 / /mnt rw,noatime shared:1 - ext4 /dev/sda rw\n\
                    37 35 0:44 / /nfs rw - nfs4 srv:/x rw\n\
                    38 35 0:5 / /proc rw - proc proc rw\n\
                    39 35 8:1 / /a\\040b rw - xfs /dev/sdb rw\n";
        let mounts: Vec<String> = local_mounts(text).into_iter().map(|(_, m)| m).collect();
        assert_eq!(mounts, ["/mnt", "/a b"]);
    }

    #[test]
    fn failed_units_are_the_first_words() {
        let out = b"nginx.service loaded failed failed A web server\n  x.mount   not-found failed failed x\n";
        let names: Vec<String> = parse_units(out).iter().map(Untrusted::line).collect();
        assert_eq!(names, ["nginx.service", "x.mount"]);
    }
}
