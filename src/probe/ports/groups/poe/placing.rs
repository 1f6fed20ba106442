//! Which interface a row of `pethPsePortTable` is. Its index is a group and a port in it, and the standard leaves open what that
//! means. Cisco names the entity; elsewhere the reading counts that explains every row, and of several the one whose
//! delivering ports have link.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Place;
use crate::model::device::{Poe, PoeStatus};
use crate::model::{Equipment, IfOper, Port};
use crate::probe::ports::groups::Walk;
use crate::probe::ports::groups::names::place;

/// ethernetCsmacd
const ETHERNET: u32 = 6;

#[derive(Debug, Default)]
pub struct Placing {
    ports: HashMap<Place, u32>,
}

impl Placing {
    pub fn of(rows: &[(Place, Poe)], entities: &[(Place, u32)], walk: &Walk<'_>, equipment: &Equipment) -> Self {
        let by_entity: HashMap<Place, u32> =
            entities.iter().filter_map(|(at, entity)| Some((*at, equipment.entity_port(*entity)?))).collect();
        if !by_entity.is_empty() {
            return Self { ports: by_entity };
        }
        let is_socket = |index: u32| walk.port(index).is_some_and(|p| p.if_type.is_none_or(|t| t == ETHERNET));
        let several = rows.iter().map(|(at, _)| at.0).collect::<BTreeSet<_>>().len() > 1;
        // With several groups a bare port number occurs in each of them.
        let number = |index: Option<u32>| index.filter(|i| !several && is_socket(*i));
        let mut readings: Vec<HashMap<Place, u32>> = by_names(rows, walk);
        readings.push(rows.iter().filter_map(|(at, _)| Some((*at, number(equipment.bridge_port(at.1))?))).collect());
        readings.push(rows.iter().filter_map(|(at, _)| Some((*at, number(walk.known(at.1))?))).collect());
        // A few rows may be of sockets that are no interfaces.
        readings.retain(|reading| reading.len() * 5 >= rows.len() * 4 && !reading.is_empty() && is_one_to_one(reading));
        let score = |reading: &HashMap<Place, u32>| {
            let delivering = rows.iter().filter(|(_, poe)| poe.status == PoeStatus::Delivering);
            let linked = delivering.filter(|(at, _)| reading.get(at).and_then(|i| walk.port(*i)).is_some_and(has_link));
            (linked.count(), reading.len())
        };
        let best = readings.iter().map(score).max();
        let mut best = readings.iter().filter(|reading| Some(score(reading)) == best);
        let Some(first) = best.next() else { return Self::default() };
        if best.all(|other| other == first) { Self { ports: first.clone() } } else { Self::default() }
    }

    pub fn port(&self, place: Place) -> Option<u32> {
        self.ports.get(&place).copied()
    }
}

fn has_link(port: &Port) -> bool {
    matches!(port.oper, Some(IfOper::Up) | None)
}

fn is_one_to_one(reading: &HashMap<Place, u32>) -> bool {
    reading.values().collect::<BTreeSet<_>>().len() == reading.len()
}

/// Readings by name, one for each kind of interface (`GigabitEthernet`, `Fa`): the last number of the name is the port;
/// where the name has several, the first is the group.
fn by_names(rows: &[(Place, Poe)], walk: &Walk<'_>) -> Vec<HashMap<Place, u32>> {
    let groups: BTreeSet<u32> = rows.iter().map(|(at, _)| at.0).collect();
    let mut kinds: BTreeMap<Vec<u8>, HashMap<Place, Option<u32>>> = BTreeMap::new();
    for port in walk.ports.iter().filter(|p| p.if_type.is_none_or(|t| t == ETHERNET)) {
        let Some((kind, numbers)) = place(port.label().as_bytes()) else { continue };
        let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { continue };
        // A box that is no stack may have group 1 and names that begin with slot 0.
        let group = match (numbers.len(), groups.len()) {
            (1, 1) => groups.first().copied(),
            (1, _) => None,
            (_, 1) if !groups.contains(first) => groups.first().copied(),
            _ => Some(*first),
        };
        if let Some(group) = group {
            let found = kinds.entry(kind.to_ascii_lowercase()).or_default();
            found.entry((group, *last)).and_modify(|known| *known = None).or_insert(Some(port.index));
        }
    }
    let wanted: BTreeSet<Place> = rows.iter().map(|(at, _)| *at).collect();
    let only_wanted = |found: HashMap<Place, Option<u32>>| {
        found.into_iter().filter_map(|(at, index)| wanted.contains(&at).then_some((at, index?))).collect()
    };
    kinds.into_values().map(only_wanted).collect()
}
