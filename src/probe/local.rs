//! `local`: the machine that noctty runs on, as widely as `linux` looks at others. Reads `/proc` itself, asks for the size of
//! local file systems only (a dead network mount must not hang it, and a local disk that does not answer costs its own
//! numbers only), and has the rest told by the same script, once a minute.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::linux::mark;
use super::machine::{INVENTORY_EVERY, Memory};
use super::vitals::judge;
use super::vitals::kernel::{self, Counters};
use super::vitals::limits::{self, Limits};
use super::vitals::linux::{self, Part, SCRIPT};
use super::vitals::packages;
use super::vitals::sections::Sections;
use super::vitals::{storage, system};
use super::{Cx, Kind, Listing, Pace, Probe, Running};
use crate::base::options::{self, OptionDoc, Reader};
use crate::base::{Timestamp, Untrusted};
use crate::model::vitals::{FileSystem, Missing, Vitals};
use crate::model::{Host, PackageList, Reading, Wire};
use crate::process::{self, Program};

/// File systems whose size means something and that answer without a network.
const REAL_FILE_SYSTEMS: [&str; 11] =
    ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "vfat", "exfat", "jfs", "overlay"];
/// How often the script is run: what it tells changes slowly, and each run starts some programs.
const SCRIPT_EVERY: Duration = Duration::from_secs(60);
const INVENTORY_PATIENCE: Duration = Duration::from_secs(60);

const OPTIONS: [OptionDoc; limits::OPTIONS.len() + 1] = options::joined(&[&[INVENTORY_EVERY], &limits::OPTIONS]);

pub static KIND: Kind = Kind {
    name: "local",
    help: "this machine: load, memory, pressure, disks, units, RAID, updates",
    options: &OPTIONS,
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
    inventory_every: Duration,
    memory: Memory<Counters>,
    /// A look at the disks is still under way; no second one is started beside it.
    busy: Arc<AtomicBool>,
    told: Mutex<Told>,
    /// The same of what is asked for seldom.
    inventory: Arc<Mutex<Told>>,
}

/// What the script told last, and when.
#[derive(Clone, Debug, Default)]
struct Told {
    at: Option<Timestamp>,
    vitals: Arc<Vitals>,
}

#[expect(clippy::unnecessary_wraps, reason = "the table's signature")]
fn bind(_: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let limits = Limits::read(options);
    let inventory_every = options.duration("inventory_every").unwrap_or(Duration::from_secs(3600));
    Some(Box::new(Local::new(PathBuf::from("/"), limits, inventory_every)))
}

impl Probe for Local {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.look(cx))
    }

    fn wire(&self) -> Wire {
        Wire { protocol: "local files".into(), destination: "/proc, statvfs, systemctl".into() }
    }

    fn packages<'a>(&'a self, cx: &'a Cx) -> Option<Listing<'a>> {
        Some(Box::pin(list(cx)))
    }

    fn numbers(&self) -> Option<Vec<String>> {
        Some(judge::numbers())
    }
}

impl Local {
    fn new(root: PathBuf, limits: Limits, inventory_every: Duration) -> Self {
        Self {
            root,
            limits,
            inventory_every,
            memory: Memory::default(),
            busy: Arc::default(),
            told: Mutex::default(),
            inventory: Arc::default(),
        }
    }

    async fn look(&self, cx: &Cx) -> Reading {
        let now = cx.net.clock.now();
        let root = self.root.clone();
        let files = tokio::task::spawn_blocking(move || read_kernel(&root));
        let (kernel, disks, told) = tokio::join!(files, self.disks(cx.timeout / 2), self.told(now, cx.timeout));
        let Ok((vitals, counters)) = kernel else { return Reading::unknown("cannot read /proc") };
        self.conclude(vitals, counters, disks, &told)
    }

    fn conclude(
        &self,
        mut vitals: Vitals,
        counters: Counters,
        disks: Result<Vec<FileSystem>, String>,
        told: &Vitals,
    ) -> Reading {
        let mut memory = self.memory.lock();
        linux::since(&mut vitals, &counters, memory.counters.as_ref());
        if counters.uptime.is_some() {
            memory.counters = Some(counters);
        }
        let mut remarks = Vec::new();
        match disks {
            Ok(found) => vitals.disks = found,
            Err(why) => remarks.push(format!("file systems: {why}")),
        }
        vitals.arrays.clone_from(&told.arrays);
        vitals.pools.clone_from(&told.pools);
        vitals.failed_units.clone_from(&told.failed_units);
        vitals.silent_mounts.clone_from(&told.silent_mounts);
        vitals.reboot.clone_from(&told.reboot);
        vitals.users.clone_from(&told.users);
        vitals.synchronised = told.synchronised;
        vitals.missing.extend(told.missing.iter().filter(|m| !linux::is_seldom(m)).cloned());
        linux::keep_seldom(&mut vitals, told);
        memory.conclude(vitals, &self.limits, &remarks)
    }

    /// What the script tells, run anew where that is due; what it could not tell is missing, not old.
    async fn told(&self, now: Timestamp, timeout: Duration) -> Arc<Vitals> {
        self.take_inventory(now);
        let before = self.lock().clone();
        let mut vitals = if before.at.is_some_and(|at| now.since(at) < SCRIPT_EVERY) {
            (*before.vitals).clone()
        } else {
            let mut vitals = Vitals { kernel: running_kernel(), ..Vitals::default() };
            let mark = mark();
            match process::run(&script(&mark, &[Part::State, Part::Remote], timeout.mul_f32(0.8))).await {
                Ok(output) => {
                    let sections = Sections::split(&output.stdout, &mark);
                    linux::state(&sections, &mut vitals);
                    vitals.silent_mounts = storage::silent(sections.of("remote").unwrap_or_default());
                }
                Err(error) => {
                    vitals.missing.push(Missing { what: "units", why: Untrusted::from(error.to_string()) });
                }
            }
            *self.lock() = Told { at: Some(now), vitals: Arc::new(vitals.clone()) };
            vitals
        };
        linux::keep_seldom(&mut vitals, &lock(&self.inventory).vitals);
        Arc::new(vitals)
    }

    /// Has packages, updates and drives told beside the looks: a packager takes its seconds.
    fn take_inventory(&self, now: Timestamp) {
        {
            let mut inventory = lock(&self.inventory);
            if inventory.at.is_some_and(|at| now.since(at) < self.inventory_every) {
                return;
            }
            // Whatever hangs is not tried at every turn.
            inventory.at = Some(now);
        }
        let inventory = self.inventory.clone();
        tokio::spawn(async move {
            let mark = mark();
            let mut vitals = Vitals { inventoried: Some(now), ..Vitals::default() };
            match process::run(&script(&mark, &[Part::Slow], INVENTORY_PATIENCE)).await {
                Ok(output) => linux::seldom(&Sections::split(&output.stdout, &mark), &mut vitals),
                Err(error) => {
                    vitals.missing.push(Missing { what: "updates", why: Untrusted::from(error.to_string()) });
                }
            }
            lock(&inventory).vitals = Arc::new(vitals);
        });
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        lock(&self.told)
    }

    /// Runs in a thread of its own: one that hangs on a dead disk is left there, and not joined by another.
    async fn disks(&self, timeout: Duration) -> Result<Vec<FileSystem>, String> {
        if self.busy.swap(true, Ordering::AcqRel) {
            return Err("an earlier look at the file systems still hangs".to_owned());
        }
        let (busy, mountinfo) = (self.busy.clone(), self.root.join("proc/self/mountinfo"));
        let task = tokio::task::spawn_blocking(move || {
            let found = std::fs::read(mountinfo).map(|text| disks(&text));
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

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn list(cx: &Cx) -> Result<PackageList, String> {
    let mark = mark();
    let program = Program { output_limit: packages::LONGEST, ..script(&mark, &[Part::List], cx.timeout.mul_f32(0.8)) };
    let output = process::run(&program).await.map_err(|error| error.to_string())?;
    if output.cut {
        return Err(packages::too_long());
    }
    let sections = Sections::split_within(&output.stdout, &mark, packages::LONGEST);
    packages::list(sections.of("list").unwrap_or_default()).map_err(str::to_owned)
}

/// The script that other machines are asked with, for some of its parts.
fn script(mark: &str, parts: &[Part], timeout: Duration) -> Program {
    let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
    let input = format!("{mark} {}\n", parts.join(" "));
    let mut program = Program::new(["sh", "-c", SCRIPT]).input(input).timeout(timeout);
    program.output_limit = 256 * 1024;
    program
}

fn running_kernel() -> Untrusted {
    Untrusted::new(rustix::system::uname().release().to_bytes())
}

/// What the kernel says, and what it counts.
fn read_kernel(root: &Path) -> (Vitals, Counters) {
    let read = |path: &str| std::fs::read(root.join(path)).unwrap_or_default();
    let (stat, vmstat) = (read("proc/stat"), read("proc/vmstat"));
    let counters = Counters {
        cpu: kernel::cpu(&stat),
        swapped_in: kernel::vmstat(&vmstat, "pswpin"),
        oom_kills: kernel::vmstat(&vmstat, "oom_kill"),
        uptime: kernel::uptime(&read("proc/uptime")),
    };
    let (memory, swap) = kernel::memory(&read("proc/meminfo"));
    let pressure = ["cpu", "memory", "io"].map(|what| {
        let text = read(&format!("proc/pressure/{what}"));
        let rows = text.split(|b| *b == b'\n').filter(|row| !row.is_empty());
        rows.map(|row| [what.as_bytes(), b" ", row, b"\n"].concat()).collect::<Vec<_>>().concat()
    });
    let name = rustix::system::uname();
    let vitals = Vitals {
        name: Untrusted::new(name.nodename().to_bytes()),
        kernel: running_kernel(),
        architecture: Untrusted::new(name.machine().to_bytes()),
        system: system::release(&read("etc/os-release")),
        uptime: counters.uptime.and_then(kernel::as_duration),
        cores: std::thread::available_parallelism().ok().and_then(|n| u32::try_from(n.get()).ok()),
        load: kernel::load(&read("proc/loadavg")),
        memory,
        swap,
        pressure: kernel::pressure(&pressure.concat()),
        mounts: storage::mounts(&mounts(&read("proc/self/mounts"))),
        ..Vitals::default()
    };
    (vitals, counters)
}

/// `/proc/self/mounts` in the script's form: what is worth comparing between machines.
fn mounts(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in super::vitals::sections::lines(text) {
        let columns: Vec<&[u8]> = super::vitals::sections::words(line).collect();
        let [_, mount, kind, options, ..] = columns[..] else { continue };
        if REAL_FILE_SYSTEMS.iter().any(|real| real.as_bytes() == kind) {
            out.extend_from_slice(&[b"local ", kind, b" ", mount, b" ", options, b"\n"].concat());
        }
    }
    out
}

/// Local file systems, each device once.
fn disks(mountinfo: &[u8]) -> Vec<FileSystem> {
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for Mount { device, source, path, read_only } in local_mounts(mountinfo) {
        if !seen.insert(device) {
            continue;
        }
        let Ok(about) = rustix::fs::statvfs(path.as_slice()) else { continue };
        let Some(used_percent) = storage::percent(about.f_blocks.saturating_sub(about.f_bfree), about.f_bavail) else {
            continue;
        };
        let inodes = storage::percent(about.f_files.saturating_sub(about.f_ffree), about.f_favail);
        out.push(FileSystem {
            mount: Untrusted::new(&path),
            device: Untrusted::new(&source),
            size: about.f_blocks.saturating_mul(about.f_frsize),
            available: about.f_bavail.saturating_mul(about.f_frsize),
            used_percent,
            inodes_percent: inodes.filter(|_| about.f_files > 0),
            read_only: Some(read_only),
        });
    }
    out
}

#[derive(Debug)]
struct Mount {
    /// `major:minor`.
    device: Vec<u8>,
    source: Vec<u8>,
    path: Vec<u8>,
    read_only: bool,
}

/// Each local file system (`proc_pid_mountinfo(5)`).
fn local_mounts(mountinfo: &[u8]) -> Vec<Mount> {
    let mut out = Vec::new();
    for line in super::vitals::sections::lines(mountinfo) {
        let fields: Vec<&[u8]> = super::vitals::sections::words(line).collect();
        let Some(dash) = fields.iter().position(|field| *field == b"-") else { continue };
        let (Some(device), Some(mount), Some(options)) = (fields.get(2), fields.get(4), fields.get(5)) else {
            continue;
        };
        let (Some(kind), Some(source)) = (fields.get(dash + 1), fields.get(dash + 2)) else { continue };
        // A file that is mounted over another (as containers do) is no file system of its own.
        if REAL_FILE_SYSTEMS.iter().any(|real| real.as_bytes() == *kind) && !mount.starts_with(b"/etc/") {
            out.push(Mount {
                device: device.to_vec(),
                source: storage::unescape(source),
                path: storage::unescape(mount),
                read_only: options.split(|b| *b == b',').any(|option| option == b"ro"),
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vitals::Amount;
    use crate::model::{Facts, Outcome};

    fn local(root: &Path) -> Local {
        Local::new(root.to_owned(), Limits::default(), Duration::from_secs(3600))
    }

    fn proc(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let file = folder.path().join("proc").join(name);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            std::fs::write(file, text).expect("written");
        }
        folder
    }

    #[test]
    fn proc_files_are_read_and_their_absence_is_no_number() {
        let folder = proc(&[
            ("loadavg", "0.71 0.5 0.4 1/200 99\n"),
            ("meminfo", "MemTotal: 1000 kB\nMemAvailable: 520 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"),
            (
                "pressure/io",
                "some avg10=1.00 avg60=2.50 avg300=0.00 total=9\nfull avg10=0 avg60=0.10 avg300=0 total=1\n",
            ),
        ]);
        let (vitals, counters) = read_kernel(folder.path());
        assert_eq!(vitals.load, Some([0.71, 0.5, 0.4]));
        assert_eq!(vitals.memory.and_then(Amount::percent), Some(48.0));
        assert_eq!((vitals.uptime, counters.cpu), (None, None));
        assert_eq!(
            vitals.pressure.iter().map(|p| (p.what, p.some, p.full)).collect::<Vec<_>>(),
            [("io", 2.5, Some(0.1))]
        );
        let reading = local(folder.path()).conclude(vitals, counters, Ok(Vec::new()), &Vitals::default());
        assert_eq!(reading.summary.line(), "load 0.71 · mem 48 %");
    }

    #[test]
    fn processor_time_is_told_from_the_second_look_on() {
        let look = |cpu: &str, up: &str| proc(&[("stat", cpu), ("uptime", up)]);
        let (first, second) = (look("cpu  0 0 0 0 0 0 0 0\n", "10 1\n"), look("cpu  50 0 0 50 0 0 0 0\n", "11 1\n"));
        let local = local(first.path());
        let mut told = Vec::new();
        for folder in [&first, &second] {
            let (vitals, counters) = read_kernel(folder.path());
            let reading = local.conclude(vitals, counters, Ok(Vec::new()), &Vitals::default());
            let Facts::Vitals(vitals) = reading.facts else { panic!("no vitals") };
            told.push(vitals.cpu.map(|cpu| cpu.busy));
        }
        assert_eq!(told, [None, Some(50.0)]);
    }

    #[test]
    fn a_disk_that_hangs_is_a_problem_and_what_the_script_tells_is_taken_over() {
        let folder = proc(&[("loadavg", "0.1 0.1 0.1 1/2 3\n")]);
        let told = Vitals { failed_units: Some(vec!["a.service".into()]), ..Vitals::default() };
        let (vitals, counters) = read_kernel(folder.path());
        let hung = Err("no answer within 2.5 s".to_owned());
        let reading = local(folder.path()).conclude(vitals, counters, hung, &told);
        assert_eq!(reading.outcome, Outcome::Warning);
        assert_eq!(reading.summary.line(), "file systems: no answer within 2.5 s · 1 unit failed: a.service");
    }

    #[tokio::test]
    async fn a_look_at_the_disks_that_hangs_is_not_joined_by_another() {
        let local = local(Path::new("/"));
        local.busy.store(true, Ordering::Release);
        assert!(local.disks(Duration::from_secs(5)).await.is_err());
        local.busy.store(false, Ordering::Release);
        assert!(local.disks(Duration::from_secs(5)).await.is_ok());
        assert!(local.disks(Duration::from_secs(5)).await.is_ok(), "it is free again");
    }

    #[test]
    fn network_and_pseudo_file_systems_are_left_alone() {
        let text = b"36 35 98:0 / /mnt rw,noatime shared:1 - ext4 /dev/sda rw\n\
                    37 35 0:44 / /nfs rw - nfs4 srv:/x rw\n\
                    38 35 0:5 / /proc rw - proc proc rw\n\
                    39 35 8:1 / /a\\040b ro - xfs /dev/sdb rw\n";
        let mounts: Vec<(String, bool)> =
            local_mounts(text).iter().map(|m| (String::from_utf8_lossy(&m.path).into_owned(), m.read_only)).collect();
        assert_eq!(mounts, [("/mnt".into(), false), ("/a b".into(), true)]);
    }

    #[tokio::test]
    async fn the_script_runs_here_once_a_minute_and_packages_are_counted_beside_it() {
        let local = local(Path::new("/"));
        let begun = Timestamp::from_secs(1_000);
        let mut at = begun;
        local.told(at, Duration::from_secs(60)).await;
        let first = local.lock().clone();
        at = at.plus(Duration::from_secs(59));
        local.told(at, Duration::from_secs(60)).await;
        assert!(Arc::ptr_eq(&first.vitals, &local.lock().vitals));
        at = at.plus(Duration::from_secs(1));
        local.told(at, Duration::from_secs(60)).await;
        assert!(!Arc::ptr_eq(&first.vitals, &local.lock().vitals));
        let counted = tokio::time::timeout(Duration::from_secs(60), async {
            loop {
                let told = local.told(at, Duration::from_secs(60)).await;
                if told.inventoried.is_some() {
                    return told;
                }
                tokio::task::yield_now().await;
            }
        });
        let told = counted.await.expect("in time");
        assert_eq!(told.inventoried, Some(begun));
        assert!(told.packages.as_ref().is_some_and(|packages| packages.count > 10), "{told:?}");
    }
}
