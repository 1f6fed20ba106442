//! Stack member and slot of each port: by what its entity is contained in, and by the parts of its name, which is what stands
//! on the box.

use std::collections::BTreeMap;

use super::{CHASSIS, CONTAINER, MODULE, Part, Parts, STACK};
use crate::model::Equipment;
use crate::probe::ports::groups::Walk;
use crate::probe::ports::groups::names::place;

pub fn fold(parts: &Parts, ports: &BTreeMap<u32, u32>, walk: &Walk<'_>, equipment: &mut Equipment) {
    for port in &mut equipment.ports {
        port.unit = None;
        port.slot = None;
    }
    let mut located: BTreeMap<u32, Location> = by_name(walk);
    for (entity, port) in ports {
        let inside = contained(parts, *entity);
        located.entry(*port).and_modify(|named| *named = named.with(inside)).or_insert(inside);
    }
    for (port, location) in located {
        if location.unit.is_some() || location.slot.is_some() {
            let facts = equipment.port_mut(port);
            (facts.unit, facts.slot) = (location.unit, location.slot);
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Location {
    unit: Option<u16>,
    slot: Option<u16>,
}

impl Location {
    /// A place by name, and what ENTITY-MIB says of the same port. The slot is called as the name has it; but what the name
    /// begins with is a slot where the port sits in a module that has that number.
    fn with(self, inside: Self) -> Self {
        if inside.unit.is_some() {
            Self { unit: inside.unit, slot: self.slot.or(inside.slot) }
        } else if self.unit.is_some() && self.unit == inside.slot && self.unit != self.slot {
            Self { unit: None, slot: inside.slot }
        } else {
            Self { unit: self.unit, slot: self.slot.or(inside.slot) }
        }
    }
}

/// From the inside out: modules in their slots, then the chassis, which is a member where it is in a stack.
fn contained(parts: &Parts, entity: u32) -> Location {
    let mut location = Location::default();
    let chain: Vec<(u32, &Part)> = parts.up_from(entity).collect();
    for pair in chain.windows(2) {
        let (inner, outer) = (pair[0].1, pair[1].1);
        match (inner.class, outer.class) {
            // The outermost slot is the one that is written on the box.
            (Some(MODULE), Some(CONTAINER)) => location.slot = outer.position.and_then(small),
            (Some(MODULE), _) => location.slot = inner.position.and_then(small),
            (Some(CHASSIS | STACK), Some(STACK)) => location.unit = member(inner),
            _ => {}
        }
    }
    location
}

/// The number of a stack member: its name, where that ends in a number, as it is printed on the device; else its
/// position.
fn member(chassis: &Part) -> Option<u16> {
    let name = std::str::from_utf8(chassis.name.as_bytes()).ok().map(str::trim);
    let named = name.and_then(|name| {
        let digits = name.strip_prefix("Switch ").or_else(|| name.strip_prefix("switch ")).unwrap_or(name);
        digits.parse().ok()
    });
    named.or_else(|| chassis.position.and_then(small))
}

fn small(number: u32) -> Option<u16> {
    u16::try_from(number).ok().filter(|n| *n < 1000)
}

/// `GigabitEthernet1/0/24` is member 1, slot 0; `ge-0/0/1` slot 0; `Te3/1` slot 3. What is called just Ethernet may be a
/// lane of a broken-out port.
fn by_name(walk: &Walk<'_>) -> BTreeMap<u32, Location> {
    let mut found = BTreeMap::new();

    for port in walk.ports {
        let Some((kind, numbers)) = place(port.label().as_bytes()) else { continue };
        let number = |at: usize| numbers.get(at).copied().and_then(small);
        let is_plain = kind.eq_ignore_ascii_case(b"ethernet") || kind.eq_ignore_ascii_case(b"eth");
        let location = match (numbers.len(), kind.ends_with(b"-")) {
            (2 | 3, true) => Location { unit: None, slot: number(0) },
            (3 | 4, false) if !kind.is_empty() && !is_plain => Location { unit: number(0), slot: number(1) },
            (2, false) if !kind.is_empty() => Location { unit: None, slot: number(0) },
            _ => continue,
        };

        found.insert(port.index, location);
    }
    // A single such name is no numbering of ports.
    if found.len() > 1 { found } else { BTreeMap::new() }
}
