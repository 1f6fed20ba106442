//! Which port of this walk is which port of the one before. The name decides, not `ifIndex`; where the name does not tell
//! two ports apart, ENTITY-MIB's place does, and at last ifIndex, as long as the device has not numbered anew. Nothing is
//! joined by guess.

use std::cell::OnceCell;
use std::collections::HashMap;

use crate::model::{Port, PortKey, PortMemory, PortTable, RememberedDevice, ToldApart};
use crate::state::view::{AbsentPort, DeviceView, PortView};

/// How each port is told from the others. `None`: as in the walk before, whose rows are the same.
pub fn told_apart(table: &PortTable, before: Option<&DeviceView>) -> Option<Vec<ToldApart>> {
    if let Some(view) = before
        && same_rows(&view.table, table)
    {
        let by_label = || view.ports.iter().all(|port| port.told_apart == ToldApart::ByLabel);
        if std::sync::Arc::ptr_eq(&view.table.equipment, &table.equipment) || by_label() {
            return None;
        }
    }
    let mut rows: HashMap<&[u8], Vec<usize>> = HashMap::with_capacity(table.ports.len());
    for (row, port) in table.ports.iter().enumerate() {
        rows.entry(port.label().as_bytes()).or_default().push(row);
    }
    let mut told = vec![ToldApart::ByLabel; table.ports.len()];
    for (label, twins) in rows {
        if twins.len() == 1 && !label.is_empty() {
            continue;
        }
        let places: Vec<Option<ToldApart>> = twins.iter().map(|row| place(table, &table.ports[*row])).collect();
        let differ =
            !label.is_empty() && places.iter().enumerate().all(|(i, p)| p.is_some() && !places[..i].contains(p));
        for (row, place) in twins.into_iter().zip(places) {
            told[row] = place.filter(|_| differ).unwrap_or(ToldApart::ByIndex(table.ports[row].index));
        }
    }
    Some(told)
}

fn place(table: &PortTable, port: &Port) -> Option<ToldApart> {
    let facts = table.facts(port)?;
    let known = facts.unit.is_some() || facts.slot.is_some();
    known.then_some(ToldApart::ByPlace { unit: facts.unit, slot: facts.slot })
}

/// The same interfaces under the same numbers.
pub fn same_rows(old: &PortTable, new: &PortTable) -> bool {
    let same = |(a, b): (&Port, &Port)| a.index == b.index && a.label() == b.label();
    old.ports.len() == new.ports.len() && old.ports.iter().zip(&new.ports).all(same)
}

/// A port as it was.
#[derive(Debug)]
pub struct Before<'a> {
    pub memory: PortMemory,
    /// Its row in the walk before; none after a restart of noctty.
    pub port: Option<&'a Port>,
    pub seen: Option<&'a PortView>,
}

/// What was known of the device's ports.
#[derive(Debug)]
pub struct Past<'a> {
    pub view: Option<&'a DeviceView>,
    remembered: Option<&'a RememberedDevice>,
    /// The device may have numbered its interfaces anew.
    pub renumbered: bool,
    /// Rows of the view by label; made only when something has moved.
    by_label: OnceCell<HashMap<&'a [u8], Vec<usize>>>,
    /// What is neither in the view nor in this walk's rows by position.
    by_key: OnceCell<HashMap<&'a PortKey, &'a PortMemory>>,
}

impl<'a> Past<'a> {
    pub fn of_view(view: &'a DeviceView, renumbered: bool) -> Self {
        Self { view: Some(view), remembered: None, renumbered, by_label: OnceCell::new(), by_key: OnceCell::new() }
    }

    pub fn of_store(device: &'a RememberedDevice, renumbered: bool) -> Self {
        Self { view: None, remembered: Some(device), renumbered, by_label: OnceCell::new(), by_key: OnceCell::new() }
    }

    /// The port as it was, and its row in the view where it had one.
    pub fn find(&self, row: usize, port: &Port, told_apart: ToldApart) -> Option<(Before<'a>, Option<usize>)> {
        if let Some(view) = self.view
            && let Some(old) = self.find_row(view, row, port, told_apart)
        {
            let seen = view.ports.get(old)?;
            let before = Before { memory: view.memory(seen)?, port: view.table.ports.get(old), seen: Some(seen) };
            return Some((before, Some(old)));
        }
        let by_key = self.by_key.get_or_init(|| self.keys());
        if by_key.is_empty() || (matches!(told_apart, ToldApart::ByIndex(_)) && self.renumbered) {
            return None;
        }
        let key = PortKey { label: port.label().clone(), told_apart };
        let memory = by_key.get(&key)?;
        Some((Before { memory: (*memory).clone(), port: None, seen: None }, None))
    }

    /// What the store had, after a restart of noctty.
    pub fn stored(&self) -> &'a [(PortKey, PortMemory)] {
        self.remembered.map(|device| &device.ports[..]).unwrap_or_default()
    }

    fn keys(&self) -> HashMap<&'a PortKey, &'a PortMemory> {
        let absent: &[AbsentPort] = self.view.map(|view| &*view.absent).unwrap_or_default();
        let stored = self.stored().iter().map(|(key, memory)| (key, memory));
        absent.iter().map(|gone| (&gone.key, &gone.memory)).chain(stored).collect()
    }

    fn find_row(&self, view: &'a DeviceView, row: usize, port: &Port, told_apart: ToldApart) -> Option<usize> {
        let ports = &view.table.ports;
        let weak = matches!(told_apart, ToldApart::ByIndex(_));
        // The same number, the same name: the same port, unless numbers were given anew and the name tells nothing.
        let is_same = |old: usize| {
            let old = &ports[old];
            let known = !weak || !self.renumbered || (old.mac.is_some() && old.mac == port.mac);
            old.index == port.index && old.label() == port.label() && known
        };
        if row < ports.len() && is_same(row) && (!self.renumbered || view.ports[row].told_apart == told_apart) {
            return Some(row);
        }
        let by_label = self.by_label.get_or_init(|| {
            let mut map: HashMap<&[u8], Vec<usize>> = HashMap::with_capacity(ports.len());
            for (i, old) in ports.iter().enumerate() {
                map.entry(old.label().as_bytes()).or_default().push(i);
            }
            map
        });
        let rows = by_label.get(port.label().as_bytes())?;
        let known_as = |row: usize| view.ports.get(row).map(|seen| seen.told_apart);
        if !weak && let Some(found) = rows.iter().copied().find(|old| known_as(*old) == Some(told_apart)) {
            return Some(found);
        }
        // A twin came or went: as long as nothing was renumbered, the number still says which one this is.
        rows.iter().copied().find(|old| is_same(*old) && (weak || !self.renumbered))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ToldApart::{ByIndex, ByLabel};

    use super::*;
    use crate::base::Untrusted;
    use crate::model::{Equipment, Host, Origin};
    use crate::state::rules::ports::judge;

    fn port(index: u32, name: &str) -> Port {
        Port { index, name: Untrusted::from(name), ..Port::default() }
    }

    fn table(ports: Vec<Port>) -> PortTable {
        PortTable { ports, complete: true, ..PortTable::default() }
    }

    fn view(table: PortTable) -> DeviceView {
        judge(None, &Arc::new(table), &Arc::new(Host::new("sw1", None, Origin::Config)))
    }

    #[test]
    fn empty_and_double_names_take_the_index_and_are_weak() {
        let told = told_apart(&table(vec![port(1, "a"), port(2, "x"), port(3, "x"), port(4, "")]), None);
        assert_eq!(told, Some(vec![ByLabel, ByIndex(2), ByIndex(3), ByIndex(4)]));
    }

    #[test]
    fn double_names_on_different_stack_members_are_told_apart_by_them() {
        let placed = |units: [Option<u16>; 2]| {
            let mut equipment = Equipment::default();
            equipment.port_mut(1).unit = units[0];
            equipment.port_mut(2).unit = units[1];
            PortTable { equipment: Arc::new(equipment), ..table(vec![port(1, "x"), port(2, "x")]) }
        };
        let by = |unit| ToldApart::ByPlace { unit: Some(unit), slot: None };
        assert_eq!(told_apart(&placed([Some(1), Some(2)]), None), Some(vec![by(1), by(2)]));
        let weak = Some(vec![ByIndex(1), ByIndex(2)]);
        assert_eq!(told_apart(&placed([Some(1), Some(1)]), None), weak);
        assert_eq!(told_apart(&placed([Some(1), None]), None), weak);
        // Renumbered, they are still known.
        let old = view(placed([Some(1), Some(2)]));
        let past = Past::of_view(&old, true);
        let found = past.find(0, &port(7, "x"), by(2)).and_then(|(_, row)| row);
        assert_eq!(found, Some(1));
    }

    #[test]
    fn the_keys_of_a_view_find_their_rows_again() {
        let view = view(table(vec![port(1, "a"), port(2, "x"), port(3, "x"), port(4, "")]));
        for row in 0..4 {
            let key = view.key(row).expect("a key");
            assert_eq!(view.row(&key), Some(row));
            assert_eq!(key.is_weak(), row > 0);
        }
        assert_eq!(view.key(9), None);
    }

    #[test]
    fn a_port_is_found_by_name_and_a_weak_one_by_number_only_while_numbers_stand() {
        let with_mac = Port { mac: Some([2, 0, 0, 0, 0, 5]), ..port(5, "") };
        let old = view(table(vec![port(1, "a"), port(2, "x"), port(3, "x"), port(4, ""), with_mac.clone()]));
        let row = |renumbered, port: &Port, told| {
            Past::of_view(&old, renumbered).find(9, port, told).and_then(|(_, row)| row)
        };
        assert_eq!(row(true, &port(9, "a"), ByLabel), Some(0));
        assert_eq!(row(false, &port(3, "x"), ByIndex(3)), Some(2));
        assert_eq!(row(true, &port(3, "x"), ByIndex(3)), None);
        assert_eq!(row(false, &port(9, "x"), ByIndex(9)), None);
        assert_eq!(row(false, &port(4, ""), ByIndex(4)), Some(3));
        assert_eq!(row(true, &port(4, ""), ByIndex(4)), None);
        assert_eq!(row(true, &with_mac, ByIndex(5)), Some(4), "its address proves it");
        // One twin is gone: the other is known by its number, and is nobody once that may have changed.
        assert_eq!(row(false, &port(3, "x"), ByLabel), Some(2));
        assert_eq!(row(true, &port(3, "x"), ByLabel), None);
        assert_eq!(row(true, &port(8, "x"), ByLabel), None);
    }
}
