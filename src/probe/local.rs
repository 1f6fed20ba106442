//! `local`: the machine that noctty runs on. Reads `/proc`, asks for the size of local file systems only (a dead
//! network mount must not hang it), and asks systemd for failed units where there is one.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{Cx, Kind, Pace, Probe, Running};
use crate::base::options::Reader;
use crate::base::{Untrusted, units};
use crate::model::{Host, Outcome, Reading, Unit, Wire};
use crate::process::{self, Program};

/// File systems whose size means something and that answer without a network.
const REAL_FILE_SYSTEMS: [&str; 11] =
    ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "vfat", "exfat", "jfs", "overlay"];
const DISK_WARNING: f64 = 90.0;
const DISK_CRITICAL: f64 = 95.0;
const MEMORY_WARNING: f64 = 95.0;
/// Load per core.
const LOAD_WARNING: f64 = 4.0;

pub static KIND: Kind = Kind {
    name: "local",
    help: "this machine: load, memory, disks, uptime, failed systemd units",
    options: &[],
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
}

#[expect(clippy::unnecessary_wraps, reason = "the table's signature")]
fn bind(_: &Arc<Host>, _: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    Some(Box::new(Local { root: PathBuf::from("/") }))
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
        let (machine, units_failed) = tokio::join!(files, failed_units(cx.timeout));
        let Ok(machine) = machine else { return Reading::unknown("cannot read /proc") };
        let mut findings = Findings::default();
        let mut reading = Reading::ok("");
        if let Some(load) = machine.load1 {
            reading = reading.metric("load1", load, Unit::Count);
            if load / machine.cores > LOAD_WARNING {
                findings.add(Outcome::Warning, format!("load {load:.1} on {:.0} cores", machine.cores));
            }
        }
        if let Some(memory) = machine.memory_percent {
            reading = reading.metric("memory", memory, Unit::Percent);
            if memory >= MEMORY_WARNING {
                findings.add(Outcome::Warning, format!("memory {memory:.0} %"));
            }
        }
        if let Some(swap) = machine.swap_percent {
            reading = reading.metric("swap", swap, Unit::Percent);
        }
        if let Some(uptime) = machine.uptime {
            reading = reading.metric("uptime", uptime, Unit::Seconds);
        }
        for (mount, percent) in &machine.disks {
            reading = reading.metric(&format!("disk:{mount}"), *percent, Unit::Percent);
            if *percent >= DISK_CRITICAL {
                findings.add(Outcome::Critical, format!("{mount} {percent:.0} % full"));
            } else if *percent >= DISK_WARNING {
                findings.add(Outcome::Warning, format!("{mount} {percent:.0} % full"));
            }
        }
        match units_failed {
            Ok(failed) => {
                reading = reading.metric("failed_units", failed.len() as f64, Unit::Count);
                if !failed.is_empty() {
                    let names: Vec<String> = failed.iter().take(3).map(Untrusted::json_text).collect();
                    let more = if failed.len() > 3 { format!(" and {} more", failed.len() - 3) } else { String::new() };
                    findings.add(Outcome::Warning, format!("failed units: {}{more}", names.join(", ")));
                }
            }
            Err(why) => reading = reading.log(format!("units unavailable: {why}")),
        }
        reading.outcome = findings.worst.unwrap_or(Outcome::Ok);
        reading.summary =
            if findings.words.is_empty() { machine.summary().into() } else { findings.words.join(" · ").into() };
        reading
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
    /// Mount point and how full it is.
    disks: Vec<(String, f64)>,
}

impl Machine {
    fn summary(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.load1.map(|load| format!("load {load:.2}")));
        parts.extend(self.memory_percent.map(|memory| format!("mem {memory:.0} %")));
        let fullest = self.disks.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        parts.extend(fullest.map(|(mount, percent)| format!("{mount} {percent:.0} %")));
        parts.extend(self.uptime.map(|secs| format!("up {}", units::age(Duration::from_secs_f64(secs)))));
        parts.join(" · ")
    }
}

fn read_machine(root: &Path) -> Machine {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let first = |text: &str| text.split_whitespace().next().and_then(|n| n.parse::<f64>().ok());
    let memory = read("proc/meminfo");
    let kilobytes = |name: &str| {
        let line = memory.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    let used = |total: Option<f64>, free: Option<f64>| match (total?, free?) {
        (total, free) if total > 0.0 => Some(100.0 * (total - free) / total),
        _ => None,
    };
    Machine {
        load1: first(&read("proc/loadavg")),
        cores: std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64),
        memory_percent: used(kilobytes("MemTotal:"), kilobytes("MemAvailable:")),
        swap_percent: used(kilobytes("SwapTotal:"), kilobytes("SwapFree:")),
        uptime: first(&read("proc/uptime")),
        disks: disks(&read("proc/self/mountinfo")),
    }
}

/// Local file systems, each device once.
fn disks(mountinfo: &str) -> Vec<(String, f64)> {
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for (device, mount) in local_mounts(mountinfo) {
        if !seen.insert(device) {
            continue;
        }
        let Ok(about) = rustix::fs::statvfs(mount.as_str()) else { continue };
        // As df counts it: what root keeps for itself is neither used nor free.
        let used = about.f_blocks.saturating_sub(about.f_bfree) as f64;
        let total = used + about.f_bavail as f64;
        if total > 0.0 {
            out.push((mount, 100.0 * used / total));
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
        assert_eq!(machine.summary(), "load 0.71 · mem 48 %");
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
