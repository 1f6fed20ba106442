//! What a Linux system says of itself beside the kernel: failed units, whether it wants to be started anew, installed
//! packages, who is logged in, whether its clock is kept. Pure.

use std::cmp::Ordering;

use super::packages::packager;
use super::sections::{count, lines, words};
use crate::base::Untrusted;
use crate::model::vitals::{Packages, Reboot};

/// More lines of a list are not kept.
const MOST: usize = 256;
const NAME: usize = 512;

/// `systemctl list-units --state=failed --plain --no-legend` behind a line that says who counts units at all.
pub fn failed_units(section: &[u8]) -> Result<Vec<Untrusted>, &'static str> {
    if lines(section).next() != Some(b"systemd") {
        return Err("systemd does not run there");
    }
    if lines(section).last() != Some(b"told") {
        return Err("systemctl gives no answer");
    }
    Ok(units(section))
}

/// The first word of each line that names a unit: units have a type behind a dot.
pub fn units(text: &[u8]) -> Vec<Untrusted> {
    let names = lines(text).filter_map(|line| words(line).next()).filter(|name| name.contains(&b'.'));
    names.take(MOST).map(|name| Untrusted::bounded(name, NAME)).collect()
}

/// What asks for a restart: the flag of Debian and its kin, a kernel whose modules are gone, or a newer kernel of the same
/// flavour that is installed. `None` where nothing can be told.
pub fn reboot(section: &[u8], running: &[u8]) -> Option<Reboot> {
    let mut kernels = Vec::new();
    let mut required = false;
    let mut packages = Vec::new();
    for line in lines(section) {
        if line == b"required" {
            required = true;
        } else if let Some(path) = line.strip_prefix(b"kernel ") {
            let release = path.strip_prefix(b"/lib/modules/").and_then(|p| p.strip_suffix(b"/modules.dep"));
            kernels.extend(release);
        } else {
            packages.push(line);
        }
    }
    if required {
        packages.dedup();
        let names: Vec<&[u8]> = packages.into_iter().take(5).collect();
        let reason = if names.is_empty() { b"the system asks for it".to_vec() } else { names.join(&b", "[..]) };
        return Some(Reboot { required: true, reason: Untrusted::bounded(&reason, NAME) });
    }
    if kernels.is_empty() || running.is_empty() {
        return None;
    }
    let reason = if kernels.contains(&running) {
        let newer = kernels.into_iter().filter(|k| flavour(k) == flavour(running));
        let newest = newer.max_by(|a, b| by_number(a, b)).filter(|k| by_number(k, running) == Ordering::Greater);
        newest.map(|kernel| [&b"kernel "[..], kernel, b" is installed"].concat())
    } else {
        Some(b"the modules of the running kernel are gone".to_vec())
    };
    let reason = reason.unwrap_or_default();
    Some(Reboot { required: !reason.is_empty(), reason: Untrusted::bounded(&reason, NAME) })
}

/// A release without its numbers: `6.1.0-18-amd64` and `6.1.0-21-amd64` are of one flavour, `…-rt-amd64` is of another.
fn flavour(release: &[u8]) -> Vec<u8> {
    release.iter().copied().filter(|b| !b.is_ascii_digit() && *b != b'.').collect()
}

/// Orders texts by the numbers in them.
fn by_number(a: &[u8], b: &[u8]) -> Ordering {
    let numbers = |text: &[u8]| -> Vec<u64> {
        let runs = text.split(|b| !b.is_ascii_digit()).filter(|run| !run.is_empty());
        runs.map(|run| count(run).unwrap_or(u64::MAX)).collect()
    };
    numbers(a).cmp(&numbers(b))
}

/// Which packager, how many packages, and a digest of the sorted list.
pub fn packages(section: &[u8]) -> Option<Packages> {
    let mut rows = lines(section);
    let by = packager(rows.next()?)?;
    let count = u32::try_from(count(rows.next()?)?).ok()?;
    let digest = words(rows.next()?).next()?;
    let is_digest = digest.len() <= 64 && digest.iter().all(u8::is_ascii_alphanumeric);
    is_digest.then(|| Packages { by, count, digest: Untrusted::bounded(digest, NAME) })
}

/// `who`: a line for each session. `None` where it is not there.
pub fn users(section: &[u8]) -> Option<Vec<Untrusted>> {
    let mut rows = lines(section);
    (rows.next()? == b"who").then_some(())?;
    // BusyBox writes a heading.
    let is_heading = |line: &[u8]| words(line).next() == Some(b"USER") && line.ends_with(b"HOST");
    Some(rows.filter(|line| !is_heading(line)).take(MOST).map(|line| Untrusted::bounded(line, NAME)).collect())
}

/// `chronyc -c tracking`, or the mark that systemd-timesyncd leaves. `None` where neither says anything.
///
/// ```text
/// D8EF2300,192.0.2.1,2,1700000000.5,-0.000012,…,Normal
/// ```
pub fn synchronised(section: &[u8]) -> Option<bool> {
    let chrony = lines(section).find_map(|line| {
        let fields: Vec<&[u8]> = line.split(|b| *b == b',').collect();
        (fields.len() >= 14).then(|| fields.last() != Some(&&b"Not synchronised"[..]))
    });
    chrony.or_else(|| lines(section).any(|line| line == b"timesyncd").then_some(true))
}

/// `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"`.
pub fn release(section: &[u8]) -> Untrusted {
    let line = lines(section).find_map(|line| line.strip_prefix(b"PRETTY_NAME=")).unwrap_or_default();
    let quoted = |quote: u8| line.strip_prefix(&[quote])?.strip_suffix(&[quote]);
    Untrusted::bounded(quoted(b'"').or_else(|| quoted(b'\'')).unwrap_or(line), NAME)
}

pub fn listed(section: &[u8]) -> Vec<Untrusted> {
    lines(section).take(2 * MOST).map(|line| Untrusted::bounded(line, NAME)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_units_are_told_from_no_answer_and_from_no_systemd() {
        let text =
            b"systemd\nnginx.service loaded failed failed A web server\n  x.mount   not-found failed failed x\ntold\n";
        let names: Vec<String> = failed_units(text).expect("told").iter().map(Untrusted::line).collect();
        assert_eq!(names, ["nginx.service", "x.mount"]);
        assert_eq!(failed_units(b"systemd\ntold\n"), Ok(Vec::new()));
        assert!(failed_units(b"systemd\n").is_err(), "no answer is not the same as no failed unit");
        assert!(failed_units(b"").is_err());
    }

    #[test]
    fn a_restart_is_asked_for_by_a_flag_or_by_the_kernel() {
        let told = |section: &[u8], running: &[u8]| reboot(section, running).map(|r| (r.required, r.reason.line()));
        let yes = |reason: &str| Some((true, reason.to_owned()));
        assert_eq!(told(b"required\nlinux-image\nlibc6\n", b"6.1.0-18-amd64"), yes("linux-image, libc6"));
        assert_eq!(told(b"required\n", b""), yes("the system asks for it"));
        let installed =
            b"kernel /lib/modules/6.1.0-9-amd64/modules.dep\nkernel /lib/modules/6.1.0-18-amd64/modules.dep\n\
            kernel /lib/modules/6.9.0-1-rt-amd64/modules.dep\n";
        assert_eq!(told(installed, b"6.1.0-18-amd64"), Some((false, String::new())));
        assert_eq!(told(installed, b"6.1.0-9-amd64"), yes("kernel 6.1.0-18-amd64 is installed"));
        assert_eq!(told(installed, b"6.1.0-7-amd64"), yes("the modules of the running kernel are gone"));
        assert_eq!(told(b"", b"6.1.0-7-amd64"), None, "a container has no modules and tells nothing");
    }

    #[test]
    fn packages_have_a_count_and_a_digest() {
        let told = packages(b"dpkg\n 772\nd34db33f  -\n").expect("told");
        assert_eq!((told.by, told.count, told.digest.line().as_str()), ("dpkg", 772, "d34db33f"));
        assert_eq!(packages(b"dpkg\n0\n"), None);
        assert_eq!(packages(b"dpkg\n5\n\x1b[31m -\n"), None);
    }

    #[test]
    fn users_are_a_line_each_and_none_is_not_unknown() {
        assert_eq!(users(b"who\nroot     pts/0        2026-11-25 10:00 (192.0.2.1)\n").map(|u| u.len()), Some(1));
        assert_eq!(users(b"who\nUSER\t\tTTY\t\tIDLE\tTIME\t\t HOST\n").map(|u| u.len()), Some(0));
        assert_eq!(users(b""), None);
    }

    #[test]
    fn a_clock_that_is_kept_says_so() {
        let row = |leap: &str| format!("D8EF2300,192.0.2.1,2,1700000000.5,0,0,0,0,0,0,0,0,64.0,{leap}\n");
        assert_eq!(synchronised(row("Normal").as_bytes()), Some(true));
        assert_eq!(synchronised(row("Not synchronised").as_bytes()), Some(false));
        assert_eq!(synchronised(b"timesyncd\n506 Cannot talk to daemon\n"), Some(true));
        assert_eq!(synchronised(b"506 Cannot talk to daemon\n"), None);
    }

    #[test]
    fn the_name_of_a_release_is_without_its_quotes() {
        assert_eq!(release(b"PRETTY_NAME=\"Alpine Linux v3.19\"\n").line(), "Alpine Linux v3.19");
        assert_eq!(release(b"PRETTY_NAME=Plain\n").line(), "Plain");
        assert_eq!(release(b"").line(), "");
    }
}
