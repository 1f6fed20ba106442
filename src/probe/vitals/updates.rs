//! What the packager of a Linux system says could be brought up to date, as of the lists that it fetched itself. A packager
//! that can't tell, and lists that are missing, are said: no update and no answer are two things. Pure.

use super::sections::{count, lines, number, words};
use crate::base::{Timestamp, Untrusted};
use crate::model::vitals::{Missing, Updates};

/// What `timeout` ends with, and what was killed after it.
const OUT_OF_TIME: [u64; 2] = [124, 137];
/// zypper: some repositories were skipped.
const SKIPPED: u64 = 106;

/// What is known, and what is not; both where only a part is.
#[derive(Debug, Default, PartialEq)]
pub struct Told {
    pub updates: Option<Updates>,
    pub missing: Option<Missing>,
}

pub fn read(section: &[u8]) -> Told {
    let mut rows = lines(section);
    let packager = rows.next();
    let rows: Vec<&[u8]> = rows.collect();
    match packager {
        None => Told::default(),
        Some(b"apt") => apt(&rows),
        Some(b"apk") => listed("apk", "apk update", &rows, |line| words(line).any(|word| word == b"<")),
        Some(b"pacman") => listed("pacman", "pacman -Sy", &rows, |line| words(line).any(|word| word == b"->")),
        Some(b"dnf") => counted("dnf", "dnf makecache", &rows),
        Some(b"zypper") => counted("zypper", "zypper refresh", &rows),
        Some(by @ (b"yum" | b"microdnf" | b"rpm-ostree")) => {
            let by = String::from_utf8_lossy(by);
            unknown(format!("{by} is not asked: it can't look without root or a service that writes"))
        }
        Some(_) => unknown("nothing that can be read"),
    }
}

fn unknown(why: impl AsRef<[u8]>) -> Told {
    Told { updates: None, missing: Some(missing(why)) }
}

fn missing(why: impl AsRef<[u8]>) -> Missing {
    Missing { what: "updates", why: Untrusted::bounded(why.as_ref(), 256) }
}

fn known(by: &'static str, all: u32, security: Option<u32>, refreshed: Option<Timestamp>) -> Updates {
    // What comes along new is no update, but what is for security counts.
    Updates { by, all: all.max(security.unwrap_or(0)), security, refreshed }
}

/// Seconds on a line of their own.
fn stamp(rows: &[&[u8]]) -> Option<Timestamp> {
    rows.iter().find_map(|line| number(line)).map(|seconds| Timestamp::from_secs(seconds as i64))
}

fn small(word: &[u8]) -> Option<u32> {
    count(word).map(|n| u32::try_from(n).unwrap_or(u32::MAX))
}

fn apt(rows: &[&[u8]]) -> Told {
    let upgraded =
        |line: &&[u8]| (words(line).nth(1) == Some(b"upgraded,")).then(|| words(line).next().and_then(small));
    let Some(all) = rows.iter().find_map(upgraded).flatten() else { return unknown("apt gives no answer") };
    let security = rows.iter().filter_map(|line| line.strip_prefix(b"Inst ")).filter(|rest| is_security(rest)).count();
    let security = u32::try_from(security).unwrap_or(u32::MAX);
    Told { updates: Some(known("apt", all, Some(security), stamp(rows))), missing: None }
}

/// `libc6 [2.36-9] (2.36-10 Debian-Security:12/stable-security [amd64])`: where it comes from stands in the parentheses, behind
/// the version.
fn is_security(rest: &[u8]) -> bool {
    let Some(open) = rest.iter().position(|b| *b == b'(') else { return false };
    let source = words(&rest[open..]).skip(1);
    source.take_while(|word| !word.starts_with(b"[")).any(|word| {
        let word = word.to_ascii_lowercase();
        word.windows(8).any(|part| part == b"security")
    })
}

/// A packager that lists what is old, a line each, and does not know what is for security.
fn listed(by: &'static str, refresh: &str, rows: &[&[u8]], is_old: impl Fn(&[u8]) -> bool) -> Told {
    if rows.last() != Some(&&b"told"[..]) {
        return unknown(format!("{by} gives no answer"));
    }
    let (all, refreshed) = (rows.iter().filter(|line| is_old(line)).count(), stamp(rows));
    if all == 0 && refreshed.is_none() {
        return unknown(format!("{by} has no lists to compare with; `{refresh}` fetches them"));
    }
    Told { updates: Some(known(by, u32::try_from(all).unwrap_or(u32::MAX), None, refreshed)), missing: None }
}

/// A packager whose answers were counted there.
///
/// ```text
/// --all 0 12            what was asked, exit status, how many
/// Ignoring repositories: epel
/// --security 0 3
/// ```
fn counted(by: &'static str, refresh: &str, rows: &[&[u8]]) -> Told {
    if rows.contains(&&b"denied"[..]) {
        return unknown(format!(
            "{by} locks and writes, so it is asked only in mounts of its own, and the user who logs in gets none (unshare -r -m)"
        ));
    }
    let refreshed = stamp(rows);
    if refreshed.is_none() {
        return unknown(format!("the cache of {by} is empty; `{refresh}` fills it"));
    }
    let left_out = rows.iter().find_map(|line| passed_over(line));
    let complaint = rows.iter().find_map(|line| complaint(line));
    let asked = |what: &[u8]| -> Result<u32, String> {
        let row = rows.iter().map(|line| words(line)).find_map(|mut row| (row.next() == Some(what)).then_some(row));
        let mut row = row.ok_or_else(|| format!("{by} gives no answer"))?;
        match (row.next().and_then(count), row.next().and_then(small)) {
            (Some(0 | SKIPPED), Some(many)) => Ok(many),
            (Some(status), _) if OUT_OF_TIME.contains(&status) => Err(format!("{by} gives no answer in 5 seconds")),
            (Some(status), _) => {
                let why = complaint.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
                Err(format!("{by} gives no answer: exit status {status}{why}"))
            }
            (None, _) => Err(format!("{by} gives no answer")),
        }
    };
    let updates = match (asked(b"--all"), asked(b"--security")) {
        (Ok(all), Ok(security)) => known(by, all, Some(security), refreshed),
        (Err(why), _) | (_, Err(why)) => return unknown(why),
    };
    match left_out {
        None => Told { updates: Some(updates), missing: None },
        Some(names) => {
            let why = missing(format!("without {names}: {by} has no good cache of it; `{refresh}` fetches it"));
            // None of what is left counted says nothing.
            Told { updates: Some(updates).filter(|updates| updates.all > 0), missing: Some(why) }
        }
    }
}

/// The repositories that a packager goes on without.
fn passed_over(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    let names = text.strip_prefix("Ignoring repositories: ").map(str::to_owned);
    names.or_else(|| text.split("Skipping repository &apos;").nth(1)?.split("&apos;").next().map(str::to_owned))
}

/// `Error: words`, or `<message type="error">words</message>`.
fn complaint(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    let plain = text.strip_prefix("Error: ").map(str::to_owned);
    plain.or_else(|| {
        text.split("type=\"error\">").nth(1)?.split("</").next().map(|words| words.trim_end_matches(':').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(section: &[u8]) -> Option<(u32, Option<u32>)> {
        read(section).updates.map(|updates| (updates.all, updates.security))
    }

    fn why(section: &[u8]) -> String {
        read(section).missing.map(|missing| missing.why.line()).unwrap_or_default()
    }

    #[test]
    fn apt_tells_security_updates_from_others() {
        let text = b"apt\n1700000000\n2 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.\n\
            Inst libc6 [2.36-9] (2.36-10 Debian-Security:12/stable-security [amd64])\n\
            Inst libapache2-mod-security2 [1] (2 Debian:12.5/stable [amd64])\n\
            Inst libx [1] (2 Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security [amd64]) []\n";
        assert_eq!(numbers(text), Some((2, Some(2))));
        assert_eq!(read(text).updates.and_then(|updates| updates.refreshed), Some(Timestamp::from_secs(1_700_000_000)));
        assert_eq!(why(b"apt\n1700000000\n"), "apt gives no answer");
        assert_eq!(read(b""), Told::default());
    }

    #[test]
    fn apk_and_pacman_count_what_is_old_and_none_without_lists_is_no_answer() {
        let text = b"apk\n1700000000\nInstalled:                                Available:\nbusybox-1.36.1-r2  < 1.36.1-r5\nmusl-1.2.4-r0 < 1.2.4-r2\ntold\n";
        assert_eq!(numbers(text), Some((2, None)));
        assert_eq!(numbers(b"apk\n1700000000\nInstalled: Available:\ntold\n"), Some((0, None)));
        assert!(why(b"apk\nInstalled: Available:\ntold\n").contains("`apk update` fetches them"));
        assert_eq!(why(b"apk\n1700000000\n"), "apk gives no answer");
        assert_eq!(
            numbers(b"pacman\n1700000000\nlinux 6.1-1 -> 6.2-1 [ignored]\nzlib 1-1 -> 2-1\ntold\n"),
            Some((2, None))
        );
        assert!(why(b"pacman\ntold\n").contains("no lists"));
    }

    #[test]
    fn dnf_and_zypper_were_counted_there() {
        assert_eq!(numbers(b"dnf\n1700000000\n--all 0 12\n--security 0 3\n"), Some((12, Some(3))));
        assert_eq!(numbers(b"zypper\n1700000000\n--all 0 0\n--security 0 0\n"), Some((0, Some(0))));
        assert_eq!(why(b"dnf\n--all 0 0\n--security 0 0\n"), "the cache of dnf is empty; `dnf makecache` fills it");
        assert!(why(b"dnf\n1700000000\ndenied\ndenied\n").contains("mounts of its own"));
        assert_eq!(why(b"dnf\n1700000000\n--all 124 0\n"), "dnf gives no answer in 5 seconds");
        assert_eq!(why(b"zypper\n1700000000\n--all 137 0\n"), "zypper gives no answer in 5 seconds");
        assert_eq!(
            why(b"dnf\n1700000000\n--all 1 0\nError: Failed to load\n--security 1 0\n"),
            "dnf gives no answer: exit status 1: Failed to load"
        );
        assert_eq!(why(b"zypper\n1700000000\n--all 0 5\n"), "zypper gives no answer");
        assert!(why(b"microdnf\n").starts_with("microdnf is not asked: "));
    }

    #[test]
    fn what_a_packager_goes_on_without_is_said_beside_its_numbers() {
        let some = b"dnf\n1700000000\n--all 0 4\nError: Cache-only enabled but no cache for 'epel'\nIgnoring repositories: epel\n--security 0 1\n";
        assert_eq!(numbers(some), Some((4, Some(1))));
        assert_eq!(why(some), "without epel: dnf has no good cache of it; `dnf makecache` fetches it");
        let none = b"zypper\n1700000000\n--all 106 0\n<message type=\"error\">Error building the cache:\n\
            <message type=\"warning\">Skipping repository &apos;oss&apos; because of the above error.</message>\n--security 106 0\n";
        assert_eq!(numbers(none), None);
        assert_eq!(why(none), "without oss: zypper has no good cache of it; `zypper refresh` fetches it");
    }
}
