//! What happened between two walks: events, and the ports that the device does not list any more. Both are bounded, whatever
//! the device invents.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::Scene;
use super::identity::{Past, same_rows};
use super::span::Span;
use crate::base::{Timestamp, text};
use crate::model::{Port, PortChange, PortEvent, PortKey, PortMemory, PortRole, PortState, PortTable};
use crate::state::view::{AbsentPort, DeviceView, Missing, PortView};

/// Events kept of a device.
const EVENTS: usize = 64;
/// More changes in one walk than that are told as one event.
const ONE_BY_ONE: usize = 16;
/// Absent ports kept of a device, or as many as it has.
const ABSENT: usize = 512;
/// A port that was away for so long is another one when it comes.
const KEEP: Duration = Duration::from_secs(7 * 86_400);
/// So long a missing module is a problem; then it was taken out for good.
const MISSED: Duration = Duration::from_secs(86_400);
/// So long after its start a device may not have found all its modules.
const BOOTING: Duration = Duration::from_secs(300);
/// A module has at least so many ports.
const MODULE: usize = 4;

/// Whether a state is another one than before. A port that has been free for long is still the one that lost its link.
pub fn is_news(before: &PortMemory, now: PortState) -> bool {
    let without = |state| matches!(state, PortState::LinkLost | PortState::NoLink);
    before.state != now && !(without(before.state) && without(now))
}

/// What has moved, gathered while the ports are looked at.
#[derive(Debug)]
pub struct Moved<'a> {
    old: Option<&'a DeviceView>,
    /// Which rows of the view before were found again; nothing where the rows are the same.
    found: Option<Vec<bool>>,
    /// Row and the state before.
    changed: Vec<(usize, PortState)>,
    appeared: Vec<usize>,
    /// Ports that were away and are back.
    returned: Vec<PortKey>,
}

impl<'a> Moved<'a> {
    pub fn new(old: Option<&'a DeviceView>, table: &PortTable) -> Self {
        let found = old.filter(|old| !same_rows(&old.table, table)).map(|old| vec![false; old.ports.len()]);
        Self { old, found, changed: Vec::new(), appeared: Vec::new(), returned: Vec::new() }
    }

    pub fn note(&mut self, seen: &PortView, port: &Port, before: Option<&PortMemory>, old_row: Option<usize>) {
        if let (Some(found), Some(old)) = (&mut self.found, old_row) {
            found[old] = true;
        }
        match before {
            None => self.appeared.push(seen.row),
            Some(memory) => {
                if old_row.is_none() {
                    self.returned.push(PortKey { label: port.label().clone(), told_apart: seen.told_apart });
                    if memory.absent.is_some() {
                        self.appeared.push(seen.row);
                    }
                }
                if is_news(memory, seen.state) {
                    self.changed.push((seen.row, memory.state));
                }
            }
        }
    }
}

/// The ports that are known and not in this walk. The same list where it did not change.
pub fn absent(scene: &Scene<'_>, past: Option<&Past<'_>>, moved: &Moved<'_>) -> Arc<[AbsentPort]> {
    let Some(past) = past else { return Arc::default() };
    // A walk that broke off, an agent without its tables and a device that is still booting do not say that a port is gone.
    let whole = scene.table.complete
        && !scene.table.ports.is_empty()
        && scene.table.device.uptime.is_none_or(|up| up >= BOOTING);
    let back: HashSet<&PortKey> = moved.returned.iter().collect();
    let stays = |key: &PortKey, memory: &PortMemory| {
        !back.contains(key) && memory.absent.is_none_or(|since| scene.at.since(since) < KEEP)
    };
    let mut list: Vec<AbsentPort> = Vec::new();
    if let Some(view) = past.view {
        let untouched = |gone: &AbsentPort| stays(&gone.key, &gone.memory) && (gone.gone || !whole);
        if moved.found.is_none() && view.absent.iter().all(untouched) {
            return view.absent.clone();
        }
        let lost = moved.found.iter().flatten().enumerate().filter(|(_, found)| !**found).map(|(row, _)| row);
        list.extend(lost.filter_map(|row| left(scene, view, row)));
        list.extend(view.absent.iter().filter(|gone| stays(&gone.key, &gone.memory)).cloned());
    }
    for (key, memory) in past.stored().iter().filter(|(key, memory)| stays(key, memory)) {
        let missed = memory.missed || (memory.absent.is_none() && memory.ties.is_some());
        let memory = PortMemory { absent: memory.absent.or(Some(scene.at)), missed, ..memory.clone() };
        list.push(AbsentPort { key: key.clone(), gone: false, memory });
    }
    for port in list.iter_mut().filter(|_| whole) {
        port.gone = true;
    }
    list.truncate(ABSENT.max(scene.table.ports.len()));
    list.into()
}

/// A row of the walk before that is in this one no more.
fn left(scene: &Scene<'_>, view: &DeviceView, row: usize) -> Option<AbsentPort> {
    let (seen, port) = (view.ports.get(row)?, view.table.ports.get(row)?);
    let facts = view.table.facts(port);
    let placed = facts.is_some_and(|f| f.unit.is_some() || f.slot.is_some());
    // Where a name has a slash its number says which module it is on. Other Ethernet ports come and go with containers.
    let modular = port.if_type == Some(6) && (placed || port.label().as_bytes().contains(&b'/'));
    let needed = match seen.role {
        PortRole::MustBeUp => true,
        PortRole::Uplink => seen.seen_up && seen.state != PortState::AdminDown,
        PortRole::Plain => seen.ties.is_some() && seen.state != PortState::AdminDown,
        PortRole::Ignored => false,
    };
    let missed = needed || (modular && seen.role != PortRole::Ignored);
    let memory = PortMemory { absent: Some(scene.at), missed, ..view.memory(seen)? };
    Some(AbsentPort { key: view.key(row)?, memory, gone: false })
}

/// The ports whose absence is a problem, in words: those that the network needs, and whole modules.
pub fn missing(absent: &Arc<[AbsentPort]>, old: Option<&DeviceView>, at: Timestamp) -> Option<Missing> {
    let since = |port: &AbsentPort| port.memory.absent.filter(|since| at.since(*since) < MISSED);
    let lost: Vec<&AbsentPort> =
        absent.iter().filter(|port| port.gone && port.memory.missed && since(port).is_some()).collect();
    let needed = lost.iter().any(|port| port.memory.ties.is_some());
    let (first, last) = (lost.first()?, lost.last()?);
    if lost.len() < MODULE && !needed {
        return None;
    }
    let up = lost.iter().filter(|port| port.memory.state == PortState::Up).count();
    let name = |port: &AbsentPort| text::fit(&port.key.label.line(), 40);
    let words = match lost.len() {
        1 => format!("{} is gone", name(first)),
        n => format!("{n} ports are gone, {up} of them were up: {} to {}", name(first), name(last)),
    };
    let since = lost.iter().filter_map(|port| since(port)).min()?;
    let same = old.and_then(|o| o.missing.as_ref()).filter(|m| *m.reason == *words && m.since == since);
    Some(same.cloned().unwrap_or_else(|| Missing { reason: words.into(), since }))
}

/// The events so far with those of this walk. The same list where nothing happened.
pub fn events(
    scene: &Scene<'_>,
    watched: bool,
    ports: &[PortView],
    moved: &Moved<'_>,
    absent: &Arc<[AbsentPort]>,
) -> Arc<[PortEvent]> {
    if !watched {
        return scene.events.clone();
    }
    let at = scene.at;
    let mut new: Vec<PortEvent> = Vec::new();
    let device = |change| PortEvent { at, port: None, change };
    match scene.span {
        Some(Span::DeviceRestarted) => new.push(device(PortChange::Restarted)),
        Some(Span::AgentRestarted) => new.push(device(PortChange::AgentRestarted)),
        _ => {}
    }
    let many = |ports: usize| u32::try_from(ports).unwrap_or(u32::MAX);
    if moved.changed.len() > ONE_BY_ONE {
        new.push(device(PortChange::ManyChanged(many(moved.changed.len()))));
    } else {
        new.extend(moved.changed.iter().map(|(row, from)| {
            let change = PortChange::State { from: *from, to: ports[*row].state };
            PortEvent { at: ports[*row].changed.unwrap_or(at), port: scene.key(*row), change }
        }));
    }
    if moved.appeared.len() > ONE_BY_ONE {
        new.push(device(PortChange::ManyAppeared(many(moved.appeared.len()))));
    } else {
        let appeared = |row: &usize| PortEvent { at, port: scene.key(*row), change: PortChange::Appeared };
        new.extend(moved.appeared.iter().map(appeared));
    }
    let gone = newly_gone(moved.old, absent, at);
    if gone.len() > ONE_BY_ONE {
        new.push(device(PortChange::ManyGone(many(gone.len()))));
    } else {
        new.extend(gone.iter().map(|p| PortEvent { at, port: Some(p.key.clone()), change: PortChange::Gone }));
    }
    if new.is_empty() {
        return scene.events.clone();
    }
    new.sort_by_key(|event| std::cmp::Reverse(event.at));
    new.extend(scene.events.iter().cloned());
    new.truncate(EVENTS);
    new.into()
}

/// Those of the absent ports that a walk before this one did not call gone.
fn newly_gone<'a>(old: Option<&DeviceView>, absent: &'a Arc<[AbsentPort]>, at: Timestamp) -> Vec<&'a AbsentPort> {
    let gone = absent.iter().filter(|port| port.gone);
    match old {
        Some(old) if Arc::ptr_eq(&old.absent, absent) => Vec::new(),
        Some(old) => {
            let before: HashSet<&PortKey> = old.absent.iter().filter(|port| port.gone).map(|port| &port.key).collect();
            gone.filter(|port| !before.contains(&port.key)).collect()
        }
        None => gone.filter(|port| port.memory.absent.is_none_or(|since| since >= at)).collect(),
    }
}
