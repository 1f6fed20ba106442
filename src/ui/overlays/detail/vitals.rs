//! How a machine is, in full: what runs out, what failed, what is due, and what could not be told. Which number is a problem is
//! said by the check's own line; nothing is judged a second time here.

use super::{Line, ago, heading, pair};
use crate::base::{Timestamp, Untrusted, text, units};
use crate::config::theme::Meaning;
use crate::model::Facts;
use crate::model::vitals::{Amount, Redundancy, Vitals};
use crate::state::HostView;

/// Rows of one list that are shown.
const LISTED: usize = 24;

/// What the newest look at the host told, and when.
pub fn of(host: &HostView) -> Option<(&Vitals, Timestamp)> {
    host.checks.iter().find_map(|check| {
        let last = check.last.as_ref()?;
        match &last.reading.facts {
            Facts::Vitals(vitals) => Some((&**vitals, last.at)),
            Facts::None | Facts::Ports(_) | Facts::Backup(_) | Facts::NoBackup(_) => None,
        }
    })
}

pub fn lines(now: Timestamp, vitals: &Vitals, at: Timestamp, out: &mut Vec<Line>) {
    heading(out, format!("MACHINE   {}   told {}", identity(vitals), ago(now, Some(at))));
    failed(vitals, out);
    damaged(vitals, out);
    numbers(vitals, out);
    upkeep(now, vitals, out);
    disks(vitals, out);
    redundancy(vitals, out);
    for missing in &vitals.missing {
        out.push((Meaning::Dim, format!("{} not told: {}", missing.what, missing.why.line())));
    }
}

fn identity(vitals: &Vitals) -> String {
    let parts = [&vitals.name, &vitals.system, &vitals.kernel, &vitals.architecture];
    let told: Vec<String> = parts.iter().filter(|part| !part.is_empty()).map(|part| part.line()).collect();
    if told.is_empty() { "does not say what it is".to_owned() } else { told.join(" · ") }
}

fn failed(vitals: &Vitals, out: &mut Vec<Line>) {
    let Some(failed) = &vitals.failed_units else { return };
    if failed.is_empty() {
        out.push(pair("failed units", Some("none".to_owned())));
    }
    for (at, unit) in failed.iter().take(LISTED).enumerate() {
        let name = if at == 0 { "failed units" } else { "" };
        out.push((Meaning::Warning, format!("{name:<14}{}", unit.line())));
    }
    more(failed.len(), out);
}

/// What hangs or lost its redundancy, before everything that is well.
fn damaged(vitals: &Vitals, out: &mut Vec<Line>) {
    let silent = vitals.silent_mounts.iter().take(LISTED);
    out.extend(silent.map(|mount| (Meaning::Critical, format!("{:<14}{} gives no answer", "mount", mount.line()))));
    let arrays = vitals.arrays.iter().filter(|array| array.redundancy != Redundancy::Whole);
    out.extend(arrays.map(|array| {
        (Meaning::Critical, format!("{:<14}{} {}", "RAID", array.name.line(), array.redundancy.as_str()))
    }));
    let pools = vitals.pools.iter().filter(|pool| pool.redundancy != Redundancy::Whole);
    out.extend(
        pools.map(|pool| (Meaning::Critical, format!("{:<14}{} {}", "ZFS", pool.name.line(), pool.health.line()))),
    );
    let drives = vitals.drives.iter().filter(|drive| drive.healthy == Some(false));
    out.extend(drives.map(|drive| (Meaning::Critical, format!("{:<14}{} failing", "SMART", drive.device.line()))));
}

fn numbers(vitals: &Vitals, out: &mut Vec<Line>) {
    let cores = vitals.cores.map(|n| format!("   {n} {}", if n == 1 { "core" } else { "cores" })).unwrap_or_default();
    let load = vitals.load.map(|[one, five, fifteen]| format!("{one:.2} {five:.2} {fifteen:.2}{cores}"));
    if load.is_some() {
        out.push(pair("load", load));
    }
    let cpu = vitals.cpu.map(|c| format!("{:.0} %   iowait {:.0} %   stolen {:.0} %", c.busy, c.iowait, c.steal));
    out.push(pair("cpu", cpu));
    out.push(pair("memory", vitals.memory.map(amount)));
    let rate = vitals.swap_in.map(|rate| format!("   {}/s come back", units::bytes(rate as u64))).unwrap_or_default();
    let swap = vitals.swap.map(|swap| if swap.total == 0 { "none".to_owned() } else { amount(swap) + &rate });
    out.push(pair("swap", swap));
    let fullest: Vec<String> = vitals
        .fullest()
        .iter()
        .take(3)
        .map(|disk| format!("{} {:.0} %", disk.mount.line(), disk.used_percent))
        .collect();
    if !fullest.is_empty() {
        out.push(pair("fullest", Some(fullest.join("   "))));
    }
    if !vitals.pressure.is_empty() {
        let parts = vitals.pressure.iter().map(|pressure| {
            let full = pressure.full.map(|full| format!(" (all {full:.0} %)")).unwrap_or_default();
            format!("{} {:.0} %{full}", pressure.what, pressure.some)
        });
        out.push(pair("pressure", Some(parts.collect::<Vec<_>>().join("   "))));
    }
    out.push(pair("up", vitals.uptime.map(units::age)));
    out.push(pair("clock", clock(vitals)));
    if let Some(users) = &vitals.users {
        let names: Vec<String> = users.iter().take(4).map(Untrusted::line).collect();
        let rest = if users.len() > names.len() { "   …" } else { "" };
        let words = if users.is_empty() {
            "nobody".to_owned()
        } else {
            format!("{}   {}{rest}", users.len(), names.join(" | "))
        };
        out.push(pair("logged in", Some(words)));
    }
}

/// `48 % of 7.8G`.
fn amount(amount: Amount) -> String {
    let percent = amount.percent().map(|percent| format!("{percent:.0} % of ")).unwrap_or_default();
    format!("{percent}{}", units::bytes(amount.total))
}

fn clock(vitals: &Vitals) -> Option<String> {
    let seconds = |seconds: f64| {
        let duration = std::time::Duration::try_from_secs_f64(seconds.abs()).unwrap_or(std::time::Duration::MAX);
        units::round_trip(duration)
    };
    let kept = match vitals.synchronised {
        Some(true) => "   kept",
        Some(false) => "   not kept",
        None => "",
    };
    let offset = vitals.clock.map(|clock| {
        let way = if clock.seconds < 0.0 { "behind" } else { "ahead" };
        format!("{} {way}, give or take {}", seconds(clock.seconds), seconds(clock.uncertainty))
    });
    match offset {
        Some(offset) => Some(offset + kept),
        None => Some(kept.trim().to_owned()).filter(|kept| !kept.is_empty()),
    }
}

fn upkeep(now: Timestamp, vitals: &Vitals, out: &mut Vec<Line>) {
    if let Some(reboot) = &vitals.reboot {
        let words = if reboot.required { format!("due: {}", reboot.reason.line()) } else { "not due".to_owned() };
        out.push(pair("restart", Some(words)));
    }
    if let Some(updates) = &vitals.updates {
        let security = updates.security.map(|n| format!(", {n} for security")).unwrap_or_default();
        let age = updates.refreshed.map(|at| format!("   lists {}", ago(now, Some(at)))).unwrap_or_default();
        out.push(pair("updates", Some(format!("{}{security}   {}{age}", updates.all, updates.by))));
    }
    if let Some(packages) = &vitals.packages {
        let digest: String = packages.digest.line().chars().take(12).collect();
        out.push(pair("packages", Some(format!("{}   {}   {digest}", packages.count, packages.by))));
    }
}

fn disks(vitals: &Vitals, out: &mut Vec<Line>) {
    if vitals.disks.is_empty() {
        return;
    }
    heading(out, format!("FILE SYSTEMS   {}, the fullest first", vitals.disks.len()));
    for disk in vitals.fullest().into_iter().take(LISTED) {
        let mount = text::fit(&disk.mount.line(), 28);
        let inodes = disk.inodes_percent.map(|percent| format!("   inodes {percent:.0} %")).unwrap_or_default();
        let read_only = if disk.read_only == Some(true) { "   read-only" } else { "" };
        let (size, free) = (units::bytes(disk.size), units::bytes(disk.available));
        out.push((
            Meaning::Text,
            format!("{:>4.0} %  {mount:<28} {free:>5} free of {size}{inodes}{read_only}", disk.used_percent),
        ));
    }
    more(vitals.disks.len(), out);
}

/// RAID, pools, drives.
fn redundancy(vitals: &Vitals, out: &mut Vec<Line>) {
    if vitals.arrays.is_empty() && vitals.pools.is_empty() && vitals.drives.is_empty() {
        return;
    }
    heading(out, "REDUNDANCY");
    let meaning = |redundancy| match redundancy {
        Redundancy::Whole => Meaning::Text,
        Redundancy::Rebuilding => Meaning::Warning,
        Redundancy::Degraded | Redundancy::Lost => Meaning::Critical,
    };
    for array in vitals.arrays.iter().take(LISTED) {
        let members = array.members.map(|(n, of)| format!("   {n} of {of}")).unwrap_or_default();
        let done = array.progress.map(|p| format!("   {p:.0} % done")).unwrap_or_default();
        let (name, level) = (array.name.line(), array.level.line());
        out.push((
            meaning(array.redundancy),
            format!("RAID   {name:<20} {level:<8} {}{members}{done}", array.redundancy.as_str()),
        ));
    }
    more(vitals.arrays.len(), out);
    for pool in vitals.pools.iter().take(LISTED) {
        let used = pool.used_percent.map(|p| format!("   {p:.0} % used")).unwrap_or_default();
        out.push((meaning(pool.redundancy), format!("ZFS    {:<20} {}{used}", pool.name.line(), pool.health.line())));
    }
    more(vitals.pools.len(), out);
    for drive in vitals.drives.iter().take(LISTED) {
        let (meaning, word) = match drive.healthy {
            Some(true) => (Meaning::Text, "healthy"),
            Some(false) => (Meaning::Critical, "failing"),
            None => (Meaning::Dim, "does not say"),
        };
        out.push((meaning, format!("SMART  {:<20} {word}", drive.device.line())));
    }
    more(vitals.drives.len(), out);
}

fn more(all: usize, out: &mut Vec<Line>) {
    if all > LISTED {
        out.push((Meaning::Dim, format!("and {} more", all - LISTED)));
    }
}
