//! What a node_exporter tells of its machine: load, memory, file systems, uptime, failed units.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::{Untrusted, units};
use crate::model::{Outcome, Reading, Unit};
use crate::probe::findings::Findings;
use crate::probe::vitals::limits::{Limit, Limits};
use crate::proto::prometheus::Sample;

/// File systems whose size means something.
const REAL_FILE_SYSTEMS: [&str; 13] =
    ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "vfat", "exfat", "jfs", "overlay", "ufs", "apfs"];
/// Mounts, cores and units that are remembered of one scrape.
const MOST: usize = 1_000;
const UNITS_TOLD: usize = 3;

/// The names of its numbers, those of each mount as `disk:*`.
pub const NUMBERS: [&str; 7] = ["load1", "load15", "memory", "disk:*", "inodes:*", "uptime", "failed_units"];

#[derive(Debug, Default)]
pub struct Machine {
    load1: Option<f64>,
    load15: Option<f64>,
    cores: BTreeSet<String>,
    memory: Option<f64>,
    available: Option<f64>,
    now: Option<f64>,
    booted: Option<f64>,
    mounts: BTreeMap<String, Mount>,
    failed_units: Vec<String>,
    tells_units: bool,
}

#[derive(Debug, Default)]
struct Mount {
    size: Option<f64>,
    free: Option<f64>,
    available: Option<f64>,
    inodes: Option<f64>,
    inodes_free: Option<f64>,
}

impl Mount {
    /// As `df` counts it: what is reserved for root is used.
    fn space(&self) -> Option<f64> {
        let (size, free) = (self.size?, self.free?);
        let used = size - free;
        percent(used, used + self.available.unwrap_or(free))
    }

    fn inodes(&self) -> Option<f64> {
        let all = self.inodes?;
        percent(all - self.inodes_free?, all)
    }
}

fn percent(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0 && part >= 0.0).then(|| 100.0 * part / whole)
}

impl Machine {
    pub fn take(&mut self, sample: &Sample<'_>) {
        let Some(name) = sample.name.strip_prefix("node_") else { return };
        match name {
            "load1" => self.load1 = Some(sample.value),
            "load15" => self.load15 = Some(sample.value),
            "cpu_seconds_total" if self.cores.len() < MOST => {
                if let Some(core) = sample.label("cpu").filter(|core| !self.cores.contains(*core)) {
                    self.cores.insert(core.to_owned());
                }
            }
            "memory_MemTotal_bytes" => self.memory = Some(sample.value),
            "memory_MemAvailable_bytes" => self.available = Some(sample.value),
            "time_seconds" => self.now = Some(sample.value),
            "boot_time_seconds" => self.booted = Some(sample.value),
            "systemd_unit_state" if sample.label("state") == Some("failed") => {
                self.tells_units = true;
                if sample.value > 0.0 && self.failed_units.len() < MOST {
                    self.failed_units.extend(sample.label("name").map(str::to_owned));
                }
            }
            _ => self.take_mount(name, sample),
        }
    }

    fn take_mount(&mut self, name: &str, sample: &Sample<'_>) {
        let Some(what) = name.strip_prefix("filesystem_") else { return };
        let real = sample.label("fstype").is_some_and(|kind| REAL_FILE_SYSTEMS.contains(&kind));
        let Some(mount) = sample.label("mountpoint").filter(|_| real) else { return };
        if self.mounts.len() >= MOST && !self.mounts.contains_key(mount) {
            return;
        }
        let mount = self.mounts.entry(mount.to_owned()).or_default();
        let value = Some(sample.value);
        match what {
            "size_bytes" => mount.size = value,
            "free_bytes" => mount.free = value,
            "avail_bytes" => mount.available = value,
            "files" => mount.inodes = value,
            "files_free" => mount.inodes_free = value,
            _ => {}
        }
    }

    /// There is a machine in it at all.
    pub fn is_told(&self) -> bool {
        self.load1.is_some() || self.memory.is_some() || !self.mounts.is_empty()
    }

    fn memory_percent(&self) -> Option<f64> {
        let all = self.memory?;
        percent(all - self.available?, all)
    }

    fn uptime(&self) -> Option<f64> {
        Some(self.now? - self.booted?).filter(|uptime| *uptime >= 0.0)
    }

    pub fn judge(&self, limits: &Limits, findings: &mut Findings, mut reading: Reading) -> Reading {
        let both = |limit: Limit| (Some(limit.warning), Some(limit.critical));
        if let Some(load) = self.load1 {
            reading = reading.metric("load1", load, Unit::Count);
        }
        if let Some(load) = self.load15 {
            reading = reading.metric("load15", load, Unit::Count);
            let cores = self.cores.len();
            if cores > 0 {
                let (warning, critical) = both(limits.load);
                findings.limit(load / cores as f64, warning, critical, || {
                    format!("load {load:.1} over 15 minutes on {}", units::counted(cores, "core"))
                });
            }
        }
        if let Some(memory) = self.memory_percent() {
            reading = reading.metric("memory", memory, Unit::Percent);
            let (warning, critical) = both(limits.memory);
            findings.limit(memory, warning, critical, || format!("memory {memory:.0} %"));
        }
        for (path, mount) in &self.mounts {
            let path = Untrusted::from(path.as_str()).line();
            if let Some(space) = mount.space() {
                reading = reading.metric(&format!("disk:{path}"), space, Unit::Percent);
                let (warning, critical) = both(limits.disk);
                findings.limit(space, warning, critical, || format!("{path} {space:.0} % full"));
            }
            if let Some(inodes) = mount.inodes() {
                reading = reading.metric(&format!("inodes:{path}"), inodes, Unit::Percent);
                let (warning, critical) = both(limits.inodes);
                findings.limit(inodes, warning, critical, || format!("{path} {inodes:.0} % of inodes used"));
            }
        }
        if let Some(uptime) = self.uptime() {
            reading = reading.metric("uptime", uptime, Unit::Seconds);
        }
        if self.tells_units {
            reading = reading.metric("failed_units", self.failed_units.len() as f64, Unit::Count);
        }
        if !self.failed_units.is_empty() {
            let names: Vec<String> =
                self.failed_units.iter().take(UNITS_TOLD).map(|name| Untrusted::from(name.as_str()).line()).collect();
            let more = match self.failed_units.len().saturating_sub(UNITS_TOLD) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            findings.add(Outcome::Warning, format!("failed units: {}{more}", names.join(", ")));
        }
        reading
    }

    /// A machine that is well, in a line.
    pub fn summary(&self) -> String {
        let mut words = Vec::new();
        if let Some(load) = self.load1 {
            words.push(format!("load {load:.1} on {} cores", self.cores.len()));
        }
        words.extend(self.memory_percent().map(|memory| format!("memory {memory:.0} %")));
        let fullest = self.mounts.iter().filter_map(|(path, mount)| Some((path, mount.space()?)));
        if let Some((path, space)) = fullest.max_by(|a, b| a.1.total_cmp(&b.1)) {
            words.push(format!("{} {space:.0} % full", Untrusted::from(path.as_str()).line()));
        }
        if let Some(uptime) = self.uptime().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
            words.push(format!("up {}", units::age(uptime)));
        }
        words.join(" · ")
    }
}
