//! How a machine is: load, CPU, memory, pressure, file systems, failed units, disks, updates. One form, whoever tells it: a
//! shell over SSH, this machine's own files, PowerShell, an SNMP agent. What was not told is `None` or absent, never a
//! guess, and `missing` says why where that is known.

use std::time::Duration;

use super::device::Equipment;
use crate::base::{Timestamp, Untrusted};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vitals {
    /// What the machine calls itself.
    pub name: Untrusted,
    /// `Debian GNU/Linux 12 (bookworm)`.
    pub system: Untrusted,
    /// Release of the running kernel, or version of the system.
    pub kernel: Untrusted,
    pub architecture: Untrusted,
    pub uptime: Option<Duration>,
    /// Processors that the system counts with.
    pub cores: Option<u32>,
    /// Averages of 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    pub cpu: Option<CpuTime>,
    pub memory: Option<Amount>,
    pub swap: Option<Amount>,
    /// Bytes a second that come back from swap.
    pub swap_in: Option<f64>,
    /// Processes that the kernel ended for want of memory since the look before.
    pub oom_kills: Option<u64>,
    pub pressure: Vec<Pressure>,
    /// In the order of the machine.
    pub disks: Vec<FileSystem>,
    /// Mounts of other machines and of programs that give no answer: whoever touches them hangs.
    pub silent_mounts: Vec<Untrusted>,
    /// `None` where nothing counts units.
    pub failed_units: Option<Vec<Untrusted>>,
    pub reboot: Option<Reboot>,
    pub updates: Option<Updates>,
    pub arrays: Vec<RaidArray>,
    pub pools: Vec<StoragePool>,
    pub drives: Vec<Drive>,
    pub clock: Option<ClockOffset>,
    /// Whether the machine's own time service says that it keeps time.
    pub synchronised: Option<bool>,
    /// A line for each session.
    pub users: Option<Vec<Untrusted>>,
    pub packages: Option<Packages>,
    /// Local and remote file systems with type and options, sorted.
    pub mounts: Vec<Untrusted>,
    /// As the system prints them.
    pub routes: Vec<Untrusted>,
    /// When what is asked for rarely (updates, packages, routes, drives) was last asked.
    pub inventoried: Option<Timestamp>,
    pub missing: Vec<Missing>,
}

/// Shares of the time between two looks, in percent of all processors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CpuTime {
    /// Everything but idle and waiting for disks.
    pub busy: f64,
    pub iowait: f64,
    /// Taken by the hypervisor for others.
    pub steal: f64,
}

/// Bytes of something that can run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    pub total: u64,
    pub used: u64,
}

impl Amount {
    /// `None` where there is nothing that could be used.
    pub fn percent(self) -> Option<f64> {
        (self.total > 0).then(|| 100.0 * self.used as f64 / self.total as f64)
    }
}

/// Pressure stall information: the share of the last minute in which tasks waited, in percent.
#[derive(Clone, Debug, PartialEq)]
pub struct Pressure {
    /// `cpu`, `memory`, `io`.
    pub what: &'static str,
    /// At least one task waited.
    pub some: f64,
    /// All that could have run waited.
    pub full: Option<f64>,
}

/// A file system that is worth a look.
#[derive(Clone, Debug, PartialEq)]
pub struct FileSystem {
    pub mount: Untrusted,
    pub device: Untrusted,
    pub size: u64,
    /// What an ordinary user may still write.
    pub available: u64,
    /// As `df` counts it: what is kept for root is neither used nor free.
    pub used_percent: f64,
    /// Not every file system counts them.
    pub inodes_percent: Option<f64>,
    /// `None` where nobody said.
    pub read_only: Option<bool>,
}

/// Why the machine should be started anew, if it should.
#[derive(Clone, Debug, PartialEq)]
pub struct Reboot {
    pub required: bool,
    /// In words; empty where it is not.
    pub reason: Untrusted,
}

/// Packages that could be brought up to date, as of the machine's own last refresh of its lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Updates {
    /// `apt`, `dnf`, `zypper`, `apk`, `pacman`.
    pub by: &'static str,
    pub all: u32,
    /// `None` where the packager does not tell them apart.
    pub security: Option<u32>,
    /// When the machine last refreshed its lists, by its own clock.
    pub refreshed: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Redundancy {
    Whole,
    /// Something is missing and being put back.
    Rebuilding,
    Degraded,
    /// It does not run, or lost data.
    Lost,
}

impl Redundancy {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Rebuilding => "rebuilding",
            Self::Degraded => "degraded",
            Self::Lost => "lost",
        }
    }
}

/// A Linux software RAID (`/proc/mdstat`).
#[derive(Clone, Debug, PartialEq)]
pub struct RaidArray {
    pub name: Untrusted,
    /// `raid1`.
    pub level: Untrusted,
    pub redundancy: Redundancy,
    /// Members that work, and how many there should be.
    pub members: Option<(u32, u32)>,
    /// How far a rebuild is, percent.
    pub progress: Option<f64>,
}

/// A ZFS pool.
#[derive(Clone, Debug, PartialEq)]
pub struct StoragePool {
    pub name: Untrusted,
    /// In its own words: `ONLINE`, `DEGRADED`.
    pub health: Untrusted,
    pub redundancy: Redundancy,
    pub size: Option<u64>,
    pub used_percent: Option<f64>,
}

/// What a drive says of itself (SMART).
#[derive(Clone, Debug, PartialEq)]
pub struct Drive {
    pub device: Untrusted,
    /// `None` where it does not say.
    pub healthy: Option<bool>,
}

/// The machine's clock held against ours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockOffset {
    /// Positive where the machine is ahead.
    pub seconds: f64,
    /// The truth is at most this far away.
    pub uncertainty: f64,
}

impl ClockOffset {
    /// How wrong it is at the least; 0 where the measurement allows for none.
    pub fn certain(self) -> f64 {
        (self.seconds.abs() - self.uncertainty).max(0.0)
    }
}

/// All installed packages: two machines with the same digest have the same ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Packages {
    /// `dpkg`, `rpm`, `apk`, `pacman`.
    pub by: &'static str,
    pub count: u32,
    /// Of the sorted list with versions.
    pub digest: Untrusted,
}

/// Something that could not be told, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    pub what: &'static str,
    pub why: Untrusted,
}

impl Vitals {
    /// What an SNMP agent says of the machine that it runs on: HOST-RESOURCES and UCD. `None` where it says nothing.
    pub fn of_equipment(equipment: &Equipment) -> Option<Self> {
        let processors = &equipment.processors;
        let busy = processors.iter().map(|p| p.percent).sum::<f64>() / processors.len().max(1) as f64;
        let pool = |wanted: &[&str]| {
            let found = wanted.iter().find_map(|name| {
                let mut pools = equipment.memory.iter();
                pools.find(|pool| pool.name.as_bytes().eq_ignore_ascii_case(name.as_bytes()))
            })?;
            Some(Amount { total: found.total_bytes?, used: found.used_bytes? })
        };
        let disks = equipment.storage.iter().filter_map(|pool| {
            let (size, used) = (pool.total_bytes?, pool.used_bytes?);
            // HOST-RESOURCES lists pseudo file systems too; they have no place to write to.
            (size > 0).then(|| FileSystem {
                mount: pool.name.clone(),
                device: Untrusted::default(),
                size,
                available: size.saturating_sub(used),
                used_percent: 100.0 * used as f64 / size as f64,
                inodes_percent: None,
                read_only: None,
            })
        });
        let vitals = Self {
            load: equipment.load,
            cores: u32::try_from(processors.len()).ok().filter(|n| *n > 0),
            cpu: (!processors.is_empty()).then_some(CpuTime { busy, iowait: 0.0, steal: 0.0 }),
            memory: pool(&[WITHOUT_CACHE, "physical memory"]),
            swap: pool(&["swap", "swap space"]),
            disks: disks.collect(),
            ..Self::default()
        };
        (vitals != Self::default()).then_some(vitals)
    }

    /// The disks, those nearest to full first.
    pub fn fullest(&self) -> Vec<&FileSystem> {
        let fill = |disk: &FileSystem| disk.used_percent.max(disk.inodes_percent.unwrap_or(0.0));
        let mut disks: Vec<&FileSystem> = self.disks.iter().collect();
        disks.sort_by(|a, b| fill(b).total_cmp(&fill(a)));
        disks
    }
}

/// What UCD-SNMP's numbers of memory are called when they are put together.
pub const WITHOUT_CACHE: &str = "real memory without buffers and cache";
/// What a big volume's free space is held against: a tenth of 20 TB is no emergency.
const BIG: f64 = 2e12;

/// The percentage that a disk is held against its limits with: of a big one what is left counts as of 2 TB.
pub fn fill(used_percent: f64, size: u64, available: u64) -> f64 {
    let size = size as f64;
    if size <= BIG { used_percent } else { used_percent.min(100.0 - 100.0 * available as f64 / BIG).max(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::device::{Pool, Processor};

    #[test]
    fn an_agent_that_says_nothing_of_its_machine_has_no_vitals() {
        assert_eq!(Vitals::of_equipment(&Equipment::default()), None);
    }

    #[test]
    fn what_an_agent_says_of_its_machine_is_put_in_the_same_form() {
        let pool =
            |name: &str, used, total| Pool { name: Untrusted::from(name), used_bytes: used, total_bytes: Some(total) };
        let equipment = Equipment {
            processors: [10.0, 30.0].map(|percent| Processor { name: "cpu".into(), percent }).into(),
            memory: vec![
                pool("Physical memory", Some(900), 1_000),
                pool("real memory without buffers and cache", Some(400), 1_000),
            ],
            storage: vec![pool("/", Some(25), 100), pool("/srv", None, 100)],
            load: Some([0.1, 0.2, 0.3]),
            ..Equipment::default()
        };
        let vitals = Vitals::of_equipment(&equipment).expect("it says something");
        assert_eq!(vitals.cores, Some(2));
        assert_eq!(vitals.cpu.map(|cpu| cpu.busy), Some(20.0));
        assert_eq!(vitals.memory, Some(Amount { total: 1_000, used: 400 }), "caches are not counted");
        assert_eq!(vitals.disks.len(), 1, "a disk of which nobody knows how full it is says nothing");
        assert_eq!(vitals.fullest().iter().map(|d| d.used_percent.round() as u32).collect::<Vec<_>>(), [25]);
    }

    #[test]
    fn an_offset_within_what_can_be_measured_is_none() {
        let certain = |seconds, uncertainty| ClockOffset { seconds, uncertainty }.certain();
        assert!(certain(-0.02, 0.05) <= 0.0);
        assert!((certain(-1.5, 0.5) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_tenth_of_a_big_volume_is_no_emergency() {
        let rounded = |used, size, free| fill(used, size, free).round() as u32;
        assert_eq!(rounded(90.0, 1_000_000_000_000, 100_000_000_000), 90);
        assert_eq!(rounded(90.0, 20_000_000_000_000, 2_000_000_000_000), 0);
        assert_eq!(rounded(99.5, 20_000_000_000_000, 100_000_000_000), 95);
    }
}
