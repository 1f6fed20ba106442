//! What is being worked on: a quiet band on every page, so that nobody takes a machine in maintenance for one that is well.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Timestamp, units};
use crate::state::Snapshot;
use crate::state::view::{Care, Maintained};

/// `MAINTENANCE  11 hosts, 2h more · ops2: firmware · and another window`; nothing where nothing is in maintenance. The window
/// that ends first is the one that is named.
pub fn words(snapshot: &Snapshot, separator: &str, now: Timestamp) -> Option<String> {
    let mut windows: BTreeMap<&str, (&Maintained, usize, usize)> = BTreeMap::new();
    for host in &snapshot.hosts {
        if let Some(window) = open(&mut windows, &host.care) {
            window.1 += 1;
        }
    }
    for job in &snapshot.jobs {
        if let Some(window) = open(&mut windows, &job.care) {
            window.2 += 1;
        }
    }
    let (window, hosts, jobs) = windows.values().min_by_key(|(window, ..)| window.until)?;
    let counted = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let things: Vec<String> = [counted(*hosts, "host"), counted(*jobs, "backup")].into_iter().flatten().collect();
    let left = units::left(window.until.since(now));
    let mut words = format!("MAINTENANCE  {}, {left} more", things.join(" and "));
    let (author, note) = (window.maintenance.author.line(), window.maintenance.order.note.line());
    match (author.is_empty(), note.is_empty()) {
        (false, false) => words.push_str(&format!("{separator}{author}: {note}")),
        (true, true) => {}
        _ => words.push_str(&format!("{separator}{author}{note}")),
    }
    match windows.len() - 1 {
        0 => {}
        1 => words.push_str(&format!("{separator}and another window")),
        others => words.push_str(&format!("{separator}and {others} windows more")),
    }
    Some(words)
}

fn open<'s, 'w>(
    windows: &'w mut BTreeMap<&'s str, (&'s Maintained, usize, usize)>,
    care: &'s Care,
) -> Option<&'w mut (&'s Maintained, usize, usize)> {
    let maintained = care.maintenance.as_ref().map(Arc::as_ref)?;
    Some(windows.entry(&*maintained.maintenance.id).or_insert((maintained, 0, 0)))
}
