//! Q-BRIDGE-MIB: the VLAN of untagged frames by port, and members by VLAN as lists of bridge ports. What the bridge does now
//! (`dot1qVlanCurrentTable`) counts before what was configured (`dot1qVlanStaticTable`). IEEE8021-Q-BRIDGE-MIB has the same tables
//! with the component of the bridge in their indexes; each part of it counts where the old MIB's is not there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::juniper::Tags;
use super::port_list::Form;
use super::{CURRENT_EGRESS, CURRENT_UNTAGGED, NEWER, PVID, STATIC_EGRESS, STATIC_NAME, STATIC_UNTAGGED};
use crate::base::Untrusted;
use crate::model::Equipment;
use crate::probe::ports::cells::Tables;
use crate::probe::ports::groups::numbering::Numbering;
use crate::probe::ports::groups::{Walk, values};
use crate::proto::snmp::Value;
use crate::proto::snmp::oid::Index;

/// One of the two MIBs.
#[derive(Clone, Copy, Debug)]
struct Mib {
    /// The number of its first column.
    first: usize,
    /// The component of the bridge stands in the index.
    has_component: bool,
}

const OLD: Mib = Mib { first: 0, has_component: false };
const NEW: Mib = Mib { first: NEWER, has_component: true };

impl Mib {
    /// The one that has any of these columns; the old one where both have.
    fn with(columns: &[usize], tables: &Tables<'_>) -> Self {
        let has = |mib: &Self| columns.iter().any(|column| tables.rows(mib.first + column) > 0);
        if !has(&OLD) && has(&NEW) { NEW } else { OLD }
    }

    /// The index of a row without the component, which stands behind the time where there is one.
    fn arcs(self, column: usize, row: Index<'_>) -> Vec<u32> {
        let mut arcs: Vec<u32> = row.arcs().collect();
        let component = usize::from(matches!(column, CURRENT_EGRESS | CURRENT_UNTAGGED));
        if self.has_component && component < arcs.len() {
            arcs.remove(component);
        }
        arcs
    }

    /// The rows of a column whose index is one number.
    fn singles<'a>(self, column: usize, tables: &Tables<'a>) -> impl Iterator<Item = (u32, Value<'a>)> {
        let rows = tables.column(self.first + column);
        rows.filter_map(move |(row, value)| match self.arcs(column, row)[..] {
            [number] => Some((number, value)),
            _ => None,
        })
    }
}

pub fn fold(
    tables: &Tables<'_>,
    walk: &Walk<'_>,
    equipment: &mut Equipment,
    tags: &Tags,
    vlans: &mut BTreeMap<u16, Untrusted>,
) {
    let lists = Lists::read(tables, walk, equipment, tags);
    for id in lists.vlans() {
        vlans.entry(id).or_default();
    }
    let mib = Mib::with(&[STATIC_NAME], tables);
    let reading = tags.reading(mib.singles(STATIC_NAME, tables).map(|(number, _)| number));
    for (number, name) in mib.singles(STATIC_NAME, tables) {
        if let Some(id) = reading.vlan(number) {
            vlans.insert(id, values::text(Some(name)));
        }
    }
    let pvids = pvids(tables, walk, equipment, tags);
    for (port, pvid) in &pvids {
        equipment.port_mut(*port).vlan = Some(*pvid);
    }
    let mut untagged: HashMap<u32, Vec<u16>> = HashMap::new();
    for (id, members) in &lists.members {
        for (port, is_tagged) in members {
            if *is_tagged {
                equipment.port_mut(*port).tagged.push(*id);
            } else {
                untagged.entry(*port).or_default().push(*id);
            }
        }
    }
    for (port, ids) in untagged {
        // Several untagged VLANs leave open which one it is.
        if let ([only], None) = (&ids[..], pvids.get(&port)) {
            equipment.port_mut(port).vlan = Some(*only);
        }
    }
    if !lists.tells_untagged {
        for port in &mut equipment.ports {
            let own = port.vlan;
            port.tagged.retain(|id| Some(*id) != own);
        }
    }
}

/// `dot1qPvid` by ifIndex.
fn pvids(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &Equipment, tags: &Tags) -> BTreeMap<u32, u16> {
    let mib = Mib::with(&[PVID], tables);
    let rows = || mib.singles(PVID, tables);
    let numbering = Numbering::of(rows().map(|(port, _)| port), walk, equipment);
    // 0 stands for no VLAN.
    let said = |value| values::index(value).filter(|vlan| *vlan > 0);
    let reading = tags.reading(rows().filter_map(|(_, value)| said(value)));
    let pvid = |port, value| Some((numbering.port(port, walk, equipment)?, reading.vlan(said(value)?)?));
    rows().filter_map(|(port, value)| pvid(port, value)).collect()
}

/// The members of each VLAN: ifIndex, and whether it sends the VLAN's frames tagged.
struct Lists {
    members: BTreeMap<u16, Vec<(u32, bool)>>,
    /// VLANs that have a row but no members.
    empty: BTreeSet<u16>,
    /// Any list of untagged ports came at all.
    tells_untagged: bool,
}

impl Lists {
    fn read(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &Equipment, tags: &Tags) -> Self {
        let columns = [STATIC_EGRESS, STATIC_UNTAGGED, CURRENT_EGRESS, CURRENT_UNTAGGED];
        let mib = Mib::with(&columns, tables);
        let highest = equipment.bridge_ports.last().map_or(0, |p| p.0);
        let texts = |column: usize| tables.column(mib.first + column).filter_map(|(_, v)| v.octets());
        let forms = columns.map(|column| Form::of(texts(column), highest));
        let listed = columns.iter().zip(forms).flat_map(|(column, form)| texts(*column).map(move |l| form.ports(l)));
        let numbers: BTreeSet<u32> = listed.flatten().collect();
        let swapped = is_swapped(mib, tables);
        let mut rows: Vec<(usize, u32, &[u8])> = Vec::new();
        for (at, column) in columns.into_iter().enumerate() {
            for (row, value) in tables.column(mib.first + column) {
                let number = match (&mib.arcs(column, row)[..], at < 2) {
                    ([_, id], false) if !swapped => *id,
                    ([id], _) | ([id, _], false) => *id,
                    _ => continue,
                };
                rows.extend(value.octets().map(|list| (at, number, list)));
            }
        }
        let reading = tags.reading(rows.iter().map(|(_, number, _)| *number));
        let mut lists = [(); 4].map(|()| BTreeMap::new());
        for (at, number, list) in rows {
            if let Some(id) = reading.vlan(number) {
                lists[at].insert(id, forms[at].ports(list));
            }
        }
        let numbering = believable(&numbers, walk, equipment);
        Self::join(&lists, |number| numbering.port(number, walk, equipment))
    }

    fn join(lists: &[BTreeMap<u16, Vec<u32>>; 4], port: impl Fn(u32) -> Option<u32>) -> Self {
        let [static_egress, static_untagged, current_egress, current_untagged] = lists;
        let ids: BTreeSet<u16> = lists.iter().flat_map(|l| l.keys().copied()).collect();
        let mut members = BTreeMap::new();
        let mut empty = BTreeSet::new();
        for id in ids {
            let (egress, untagged) = match current_egress.get(&id) {
                Some(now) if !now.is_empty() => {
                    (Some(now), current_untagged.get(&id).or_else(|| static_untagged.get(&id)))
                }
                _ => (static_egress.get(&id), static_untagged.get(&id)),
            };
            let untagged: BTreeSet<u32> = untagged.into_iter().flatten().copied().collect();
            // Some list a port only where it is untagged.
            let all: BTreeSet<u32> = egress.into_iter().flatten().chain(&untagged).copied().collect();
            let ports: Vec<(u32, bool)> =
                all.iter().filter_map(|number| Some((port(*number)?, !untagged.contains(number)))).collect();
            if ports.is_empty() {
                empty.insert(id);
            } else {
                members.insert(id, ports);
            }
        }
        Self { members, empty, tells_untagged: !(static_untagged.is_empty() && current_untagged.is_empty()) }
    }

    fn vlans(&self) -> impl Iterator<Item = u16> {
        self.members.keys().chain(&self.empty).copied()
    }
}

/// The index of `dot1qVlanCurrentTable` is a time and the VLAN; some agents have them the other way round, and then the
/// time is always 0.
fn is_swapped(mib: Mib, tables: &Tables<'_>) -> bool {
    let rows = tables.column(mib.first + CURRENT_EGRESS);
    let mut rows = rows.map(|(row, _)| mib.arcs(CURRENT_EGRESS, row).get(1).copied()).peekable();
    rows.peek().is_some() && rows.all(|second| second == Some(0))
}

/// How the lists number ports; lists that are mostly of ports that do not exist are not lists of ports.
fn believable(numbers: &BTreeSet<u32>, walk: &Walk<'_>, equipment: &Equipment) -> Numbering {
    let numbering = Numbering::of(numbers.iter().copied(), walk, equipment);
    let known = numbers.iter().filter(|n| numbering.port(**n, walk, equipment).is_some()).count();
    if known * 2 >= numbers.len() { numbering } else { Numbering::Unknown }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Fed;
    use super::super::GROUP;
    use super::*;

    fn bridge() -> Fed {
        Fed::default()
            .ports(&[101, 102, 103, 104])
            .before(|e| e.bridge_ports = (1..=4).map(|port| (port, 100 + port)).collect())
    }

    /// Port, its VLAN, and what it carries tagged.
    fn seen(equipment: &Equipment) -> Vec<(u32, Option<u16>, Vec<u16>)> {
        equipment.ports.iter().map(|p| (p.index, p.vlan, p.tagged.clone())).collect()
    }

    #[test]
    fn lists_of_bridge_ports_become_vlans_of_interfaces() {
        let equipment = bridge()
            .cell(PVID, &[1], Value::Gauge32(10))
            .cell(PVID, &[2], Value::Gauge32(1))
            .cell(PVID, &[3], Value::Gauge32(0))
            .cell(STATIC_NAME, &[1], Value::Octets(b"default\0"))
            .cell(STATIC_NAME, &[10], Value::Octets(b"office"))
            .cell(STATIC_EGRESS, &[10], Value::Octets(&[0b1111_0000]))
            .cell(STATIC_UNTAGGED, &[10], Value::Octets(&[0b1000_0000]))
            .cell(CURRENT_EGRESS, &[0, 1], Value::Octets(&[0b0110_0000, 0]))
            .cell(CURRENT_UNTAGGED, &[0, 1], Value::Octets(&[0b0110_0000, 0]))
            .fold(&GROUP);
        let want = [(101, Some(10), vec![]), (102, Some(1), vec![10]), (103, Some(1), vec![10]), (104, None, vec![10])];
        assert_eq!(seen(&equipment), want);
        let names: Vec<(u16, String)> = equipment.vlans.iter().map(|v| (v.id, v.name.line())).collect();
        assert_eq!(names, [(1, "default".to_owned()), (10, "office".to_owned())]);
    }

    #[test]
    fn an_index_with_vlan_and_time_swapped_is_understood() {
        let equipment = bridge()
            .cell(CURRENT_EGRESS, &[11, 0], Value::Octets(&[0x80]))
            .cell(CURRENT_EGRESS, &[12, 0], Value::Octets(&[0x40]))
            .cell(CURRENT_UNTAGGED, &[11, 0], Value::Octets(&[0x80]))
            .cell(CURRENT_UNTAGGED, &[12, 0], Value::Octets(&[0]))
            .fold(&GROUP);
        assert_eq!(seen(&equipment), [(101, Some(11), vec![]), (102, None, vec![12])]);
    }

    #[test]
    fn lists_of_ports_that_do_not_exist_are_not_believed() {
        let list = [0, 0, 0, 1, 0, 0x18, 0, 0x42, 0, 0x43, 0, 0x44];
        let equipment = bridge()
            .cell(STATIC_EGRESS, &[1], Value::Octets(&list))
            .cell(STATIC_UNTAGGED, &[1], Value::Octets(&list))
            .fold(&GROUP);
        assert_eq!(seen(&equipment), []);
        assert_eq!(equipment.vlans.len(), 1);
    }

    #[test]
    fn without_untagged_lists_the_own_vlan_is_not_tagged() {
        let equipment = bridge()
            .cell(PVID, &[1], Value::Gauge32(5))
            .cell(STATIC_EGRESS, &[5], Value::Octets(b"1,2"))
            .cell(STATIC_EGRESS, &[6], Value::Octets(b"1"))
            .fold(&GROUP);
        assert_eq!(seen(&equipment), [(101, Some(5), vec![6]), (102, None, vec![5])]);
    }
    #[test]
    fn the_newer_mib_tells_the_same_behind_the_number_of_its_bridge() {
        let newer = |column: usize| NEWER + column;
        let equipment = bridge()
            .cell(newer(PVID), &[1, 1], Value::Gauge32(10))
            .cell(newer(PVID), &[1, 2], Value::Gauge32(1))
            .cell(newer(STATIC_NAME), &[1, 10], Value::Octets(b"office"))
            .cell(newer(STATIC_EGRESS), &[1, 10], Value::Octets(&[0b1100_0000]))
            .cell(newer(STATIC_UNTAGGED), &[1, 10], Value::Octets(&[0b1000_0000]))
            .cell(newer(CURRENT_EGRESS), &[0, 1, 1], Value::Octets(&[0b0101_0000]))
            .cell(newer(CURRENT_UNTAGGED), &[0, 1, 1], Value::Octets(&[0b0101_0000]))
            .fold(&GROUP);
        assert_eq!(seen(&equipment), [(101, Some(10), vec![]), (102, Some(1), vec![10]), (104, Some(1), vec![])]);
        assert_eq!(equipment.vlans.iter().map(|v| v.id).collect::<Vec<_>>(), [1, 10]);
    }
}
