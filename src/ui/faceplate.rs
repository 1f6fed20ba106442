//! The front of a device as text: which port stands where. Made of names and of what the device says of its stack members and
//! slots; pure, and the same for every draw of the same device.
//!
//! ```text
//!        1      13     25     37       Te1/1/1       columns: numbers of the upper row
//!   1    ●●●●●○ ●●·●●● ●●●●●● ●○●●●●   ●●            odd numbers above, even ones below
//!        ●●●●●● ●●●●●● ●●○●●● ●●■●●●   ●·
//! ```
//!
//! Where there is less room it becomes one row a unit, then a grid, then one row a unit without some of the access ports, then
//! counts.

mod lay;
mod name;

use std::collections::HashMap;

pub use self::lay::{Form, Laid, Rank, keep, mark};
use self::name::Name;
use super::port::Seen;
use crate::state::DeviceView;

/// Ports in the order of the device's front.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faceplate {
    pub units: Vec<Unit>,
}

/// A stack member or a line card; the whole device where there is only one.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Its number; empty where the device is one unit.
    pub label: String,
    pub groups: Vec<Group>,
}

/// Ports that stand side by side: those of one stem, the uplinks apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What their names begin with, fit for the screen.
    pub stem: String,
    pub cells: Vec<Cell>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Where the port stands in the device's table.
    pub row: usize,
    /// The number that its name ends in.
    pub number: Option<u32>,
    pub column: u16,
    /// In the lower of the two rows.
    pub lower: bool,
}

impl Group {
    /// Columns that it is wide.
    pub fn columns(&self) -> u16 {
        self.cells.iter().map(|c| c.column + 1).max().unwrap_or(0)
    }
}

/// A port while it is sorted into its place.
struct Candidate {
    row: usize,
    name: Name,
    unit: Option<u32>,
    slot: Option<u32>,
}

/// From so many ports on a slot is a card of its own, and no module of another one's uplinks.
const CARD: usize = 8;

impl Faceplate {
    pub fn new(device: &DeviceView) -> Self {
        let physical = |seen: &Seen<'_>| seen.is_physical();
        let mut candidates: Vec<Candidate> = Seen::all(device).filter(physical).map(|s| candidate(&s)).collect();
        if candidates.is_empty() {
            candidates = Seen::all(device).map(|s| candidate(&s)).collect();
        }
        let keys = keys(&candidates);
        let mut order: Vec<Key> = keys.iter().copied().flatten().collect();
        order.sort_unstable();
        order.dedup();
        let first = order.first().copied();
        let mut units: Vec<Unit> = Vec::new();
        for key in order.iter().copied().map(Some).chain(first.is_none().then_some(None)) {
            // What has no unit (a management port) stands with the first.
            let is_mine = |of: Option<Key>| of == key || (of.is_none() && key == first);
            let mine: Vec<&Candidate> =
                candidates.iter().zip(&keys).filter(|(_, of)| is_mine(**of)).map(|(c, _)| c).collect();
            units.push(Unit { label: key.map(|key| label(key, &order)).unwrap_or_default(), groups: groups(&mine) });
        }
        units.retain(|unit| !unit.groups.is_empty());
        Self { units }
    }

    /// All rows of the device's table that are shown.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.units.iter().flat_map(|u| &u.groups).flat_map(|g| &g.cells).map(|c| c.row)
    }

    /// The port beside another one in the same row of the front; `None` at its end.
    pub fn beside(&self, row: usize, delta: isize) -> Option<usize> {
        for unit in &self.units {
            let cells: Vec<&Cell> = unit.groups.iter().flat_map(|g| &g.cells).collect();
            let Some(here) = cells.iter().find(|c| c.row == row) else { continue };
            let level: Vec<&&Cell> = cells.iter().filter(|c| c.lower == here.lower).collect();
            let at = level.iter().position(|c| c.row == row)?;
            return level.get(at.checked_add_signed(delta)?).map(|c| c.row);
        }
        None
    }
}

/// Stack member and slot.
type Key = (Option<u32>, Option<u32>);

/// Only what tells units apart: `2`, `B`, `2/3`.
fn label(key: Key, all: &[Key]) -> String {
    let unit = key.0.filter(|_| all.iter().any(|k| k.0 != key.0));
    let slot = key.1.filter(|_| all.iter().any(|k| k.1 != key.1));
    let parts: Vec<String> = [unit, slot].into_iter().flatten().map(|n| n.to_string()).collect();
    parts.join("/")
}

/// Stack members and slots by what the device says, else by the names: two numbers before the last (`Gi2/0/14`), one
/// (`Eth3/14`), the letter of a slot (`B14`).
fn candidate(seen: &Seen<'_>) -> Candidate {
    let name = Name::parse(&seen.label());
    let (unit, slot) = match name.path.as_slice() {
        [unit, slot, _, ..] => (Some(*unit), Some(*slot)),
        [slot, _] => (None, Some(*slot)),
        _ => (None, name.slot_letter()),
    };
    let said = seen.facts.map_or((None, None), |f| (f.unit.map(u32::from), f.slot.map(u32::from)));
    Candidate { row: seen.row(), unit: said.0.or(unit), slot: said.1.or(slot), name }
}

/// The unit that each port belongs to; `None` for those that are on none of them.
fn keys(candidates: &[Candidate]) -> Vec<Option<Key>> {
    let stacked = candidates.iter().any(|c| c.unit.is_some());
    let mut cards: HashMap<Key, usize> = HashMap::new();
    for candidate in candidates {
        *cards.entry((candidate.unit, candidate.slot)).or_default() += 1;
    }
    let is_card = |(key, count): (&Key, &usize)| key.1.is_some() && *count >= CARD;
    let mut per_unit: HashMap<Option<u32>, usize> = HashMap::new();
    for (key, _) in cards.iter().filter(|card| is_card(*card)) {
        *per_unit.entry(key.0).or_default() += 1;
    }
    let slotted = per_unit.values().any(|count| *count > 1);
    candidates
        .iter()
        .map(|c| match (c.unit, c.slot.filter(|_| slotted)) {
            (None, None) => None,
            (None, Some(_)) if stacked => None,
            key => Some(key),
        })
        .collect()
}

fn groups(ports: &[&Candidate]) -> Vec<Group> {
    let mut stems: Vec<(&str, Vec<&Candidate>)> = Vec::new();
    for port in ports {
        match stems.iter_mut().find(|(stem, _)| *stem == port.name.stem) {
            Some((_, members)) => members.push(port),
            None => stems.push((&port.name.stem, vec![port])),
        }
    }
    let alone = stems.iter().filter(|(_, members)| members.len() > 1).count() == 1;
    let mut out = Vec::new();
    for (stem, mut members) in stems {
        members.sort_by_key(|m| (m.name.path.last().copied(), m.row));
        let split = if alone { uplinks_from(&members) } else { members.len() };
        for part in [&members[..split], &members[split..]] {
            if !part.is_empty() {
                out.push(Group { stem: stem.to_owned(), cells: place(part) });
            }
        }
    }
    out
}

/// Where the uplinks begin in a row of ports that are all called alike: 24 + 4 and the like.
fn uplinks_from(members: &[&Candidate]) -> usize {
    let count = members.len();
    let number = |at: usize| members.get(at).and_then(|m| m.name.path.last().copied());
    let in_a_row = match (number(0), number(count.saturating_sub(1))) {
        (Some(first), Some(last)) => first <= 1 && (last - first) as usize == count - 1,
        _ => false,
    };
    match count {
        10 if in_a_row => 8,
        18 | 20 if in_a_row => 16,
        26 | 28 if in_a_row => 24,
        50 | 52 | 54 | 56 if in_a_row => 48,
        _ => count,
    }
}

/// The first number above, the next below, and so on; missing numbers leave their place empty unless most are missing.
fn place(members: &[&Candidate]) -> Vec<Cell> {
    let numbers: Vec<Option<u32>> = members.iter().map(|m| m.name.path.last().copied()).collect();
    let first = numbers.first().copied().flatten();
    let span = first.and_then(|first| numbers.last().copied().flatten().map(|last| (last - first) as usize + 1));
    let ascending = numbers.windows(2).all(|pair| pair[0] < pair[1]);
    let by_number = ascending && span.is_some_and(|span| span <= members.len() * 2 + 4);
    members
        .iter()
        .zip(&numbers)
        .enumerate()
        .map(|(at, (member, number))| {
            let offset = match (by_number, number, first) {
                (true, Some(number), Some(first)) => (number - first) as usize,
                _ => at,
            };
            let column = u16::try_from(offset / 2).unwrap_or(u16::MAX);
            Cell { row: member.row, number: *number, column, lower: offset % 2 == 1 }
        })
        .collect()
}

#[cfg(test)]
mod tests;
