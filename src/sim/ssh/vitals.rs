//! How a simulated server is, as the script of `linux` checks would print it there. Recognised by the script's first line; the
//! numbers are made of the machine's seed and of the time, and say nothing bad: what breaks in the demo is the script's business.

use std::fmt::Write as _;
use std::time::Duration;

use super::shell::{Machine, Role};
use crate::base::Timestamp;
use crate::sim::snmp::mix;

/// How the script begins, a word of a shell's.
const SCRIPT: &str = "'# noctty: reads how this machine is";
/// A line of input that is longer is none.
const LINE: usize = 256;

/// A look that has begun and waits for its line of input.
#[derive(Debug, Default)]
pub struct Look(Vec<u8>);

impl Look {
    /// Where the command is the script, and the machine one that has a shell.
    pub fn begins(command: &str, machine: &Machine) -> Option<Self> {
        (command.starts_with("sh -c ") && command.contains(SCRIPT) && machine.role == Role::Server).then(Self::default)
    }

    /// What the script prints once its line has come.
    pub fn input(&mut self, bytes: &[u8], machine: &Machine, wall: Timestamp, up: Duration) -> Option<String> {
        let room = LINE.saturating_sub(self.0.len());
        self.0.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let end = self.0.iter().position(|byte| *byte == b'\n')?;
        let line = String::from_utf8_lossy(&self.0[..end]).into_owned();
        let mut words = line.split(' ');
        let mark = words.next().unwrap_or_default();
        Some(print(mark, &words.collect::<Vec<_>>(), machine, wall, up))
    }
}

fn print(mark: &str, parts: &[&str], machine: &Machine, wall: Timestamp, up: Duration) -> String {
    let mut out = format!("{mark} time\n{}.{:03}\n", wall.millis().div_euclid(1000), wall.millis().rem_euclid(1000));
    let mut section = |name: &str, text: &str| {
        let _ = write!(out, "\n{mark} {name}\n{text}");
    };
    let seed = |salt: u64| mix(machine.seed ^ salt);
    if parts.contains(&"fast") {
        fast(&mut section, machine, up);
    }
    if parts.contains(&"state") {
        section(
            "mdstat",
            "Personalities : [raid1]\nmd0 : active raid1 vdb1[1] vda1[0]\n      1046528 blocks [2/2] [UU]\n",
        );
        section("reboot", "kernel /lib/modules/6.1.0-28-amd64/modules.dep\n");
        section("keeping", "timesyncd\n");
        section("users", "who\n");
        section("units", "systemd\ntold\n");
        section("zpool", "");
    }
    if parts.contains(&"disks") {
        let mut df = String::from("Filesystem 1024-blocks Used Available Capacity Mounted on\n");
        let mut inodes = String::from("Filesystem Inodes IUsed IFree IUse% Mounted on\n");
        let mut mounts = String::new();
        for (at, (device, mount, size)) in
            [("/dev/md0", "/", 41_000_000u64), ("/dev/vdc", "/srv", 410_000_000)].iter().enumerate()
        {
            let share = 15 + seed(7 + at as u64) % 55;
            let used = size / 100 * share;
            let _ = writeln!(df, "{device} {size} {used} {} {share}% {mount}", size - used);
            let _ = writeln!(inodes, "{device} 2621440 {} {} 9% {mount}", 2_621_440 / 11, 2_621_440 / 11 * 10);
            let _ = writeln!(mounts, "local ext4 {mount} rw,relatime");
        }
        section("mounts", &mounts);
        section("df", &df);
        section("inodes", &inodes);
    }
    if parts.contains(&"slow") {
        let list = packages(seed(3));
        let digest = list.bytes().fold(0, |digest, byte| mix(digest ^ u64::from(byte)));
        section("packages", &format!("dpkg\n{}\n{digest:016x} -\n", list.lines().count()));
        section("routes", "default via 192.0.2.1 dev eth0\n192.0.2.0/24 dev eth0 proto kernel scope link\n");
        section(
            "updates",
            &format!(
                "apt\n{}\n0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n",
                wall.millis() / 1000 - 3600
            ),
        );
        section("smart", "denied\n");
    }
    if parts.contains(&"list") {
        section("list", &format!("dpkg\n{}", packages(seed(3))));
    }
    section("end", "");
    out
}

/// What is installed, as `dpkg-query` is asked for it: on every machine nearly the same.
fn packages(seed: u64) -> String {
    const EVERYWHERE: [&str; 14] = [
        "adduser 3.134",
        "apt 2.6.1",
        "base-files 12.4",
        "bash 5.2.15-2",
        "chrony 4.3-2",
        "coreutils 9.1-1",
        "curl 7.88.1-10",
        "dpkg 1.21.22",
        "grep 3.8-5",
        "libc6 2.36-9",
        "mdadm 4.2-5",
        "rsync 3.2.7-1",
        "sudo 1.9.13-1",
        "systemd 252.30-1",
    ];
    const SOMEWHERE: [&str; 6] =
        ["htop 3.2.2-2", "jq 1.6-2", "nginx 1.22.1-9", "postgresql-15 15.8-0", "python3 3.11.2-1", "strace 6.1-0"];
    let mut lines: Vec<String> = EVERYWHERE.map(|one| one.replacen(' ', " amd64 ", 1)).to_vec();
    let here = SOMEWHERE.iter().enumerate().filter(|(at, _)| !mix(seed ^ *at as u64).is_multiple_of(3));
    lines.extend(here.map(|(_, one)| one.replacen(' ', " amd64 ", 1)));
    lines.push(format!("openssl amd64 3.0.{}-1", 13 + seed % 3));
    lines.push(format!("linux-image-amd64 amd64 6.1.{}-1", 119 + seed / 3 % 3));
    let status = |line: &String| format!("install ok installed {line}\n");
    lines.iter().map(status).collect::<Vec<_>>().concat()
}

/// `/proc`: counters run with the time that the machine is up, so that shares are the same at every look.
fn fast(section: &mut impl FnMut(&str, &str), machine: &Machine, up: Duration) {
    let seed = |salt: u64| mix(machine.seed ^ salt);
    let minute = up.as_secs() / 60;
    let [one, five, fifteen] = [60, 300, 900].map(|over| load(machine.seed, up.as_secs(), over));
    let dotted = |hundredths: u64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
    section(
        "loadavg",
        &format!("{} {} {} 1/180 {}\n", dotted(one), dotted(five), dotted(fifteen), 1000 + minute % 9000),
    );
    let cores = 2u64 << (seed(4) % 3);
    let ticks = u64::try_from(up.as_millis() / 10).unwrap_or(0) * cores;
    let busy = 3 + seed(5) % 40;
    let part = |percent: u64| ticks / 100 * percent;
    section("stat", &format!("cpu  {} 0 {} {} {} 0 0 0 0 0\n{cores}\n", part(busy), part(2), part(97 - busy), part(1)));
    let total = 4_194_304u64 << (seed(6) % 3);
    let available = total / 100 * (25 + (seed(8) + minute / 7) % 50);
    section(
        "meminfo",
        &format!("MemTotal: {total} kB\nMemAvailable: {available} kB\nSwapTotal: 2097148 kB\nSwapFree: 2000000 kB\n"),
    );
    section("vmstat", "pswpin 0\noom_kill 0\n");
    let stalled = dotted(seed(9 + minute) % 300);
    section("pressure", &format!("cpu some avg10=0.00 avg60={stalled} avg300=0.00 total=1\n"));
    section("uptime", &format!("{:.2} {:.2}\n", up.as_secs_f64(), up.as_secs_f64()));
    section("system", &format!("{}\n6.1.0-28-amd64\nx86_64\n", machine.name));
    section("release", "PRETTY_NAME=\"Simulated GNU/Linux 12\"\n");
}

/// The load in hundredths, over so many seconds: it swells and ebbs within minutes, the less the longer it is taken over, and
/// trembles between two looks.
fn load(seed: u64, up: u64, over: u64) -> u64 {
    let part = |salt: u64, of: u64| mix(seed ^ salt) % of;
    let round = 240 + part(11, 300);
    let at = (up + part(12, round)) % round;
    let wave = at.min(round - at) * 200 / round;
    let height = (20 + part(13, 90)) * 60 / over.max(60);
    8 + part(14, 60) + height * wave / 100 + part(15 + up / 5, 9 * 60 / over.max(60) + 1)
}
