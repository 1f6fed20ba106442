//! Q-BRIDGE-MIB: the VLAN of untagged frames by port, and members by VLAN as lists of bridge ports. What the bridge does now
//! (`dot1qVlanCurrentTable`) counts before what was configured (`dot1qVlanStaticTable`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::port_list::Form;
use super::{CURRENT_EGRESS, CURRENT_UNTAGGED, PVID, STATIC_EGRESS, STATIC_NAME, STATIC_UNTAGGED};
use crate::base::Untrusted;
use crate::model::Equipment;
use crate::probe::ports::cells::Tables;
use crate::probe::ports::groups::numbering::Numbering;
use crate::probe::ports::groups::{Walk, values};

pub fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment, vlans: &mut BTreeMap<u16, Untrusted>) {
    let lists = Lists::read(tables, walk, equipment);
    for id in lists.vlans() {
        vlans.entry(id).or_default();
    }
    for (row, name) in tables.column(STATIC_NAME) {
        if let Some(id) = row.single().and_then(|id| values::vlan_id(u64::from(id))) {
            vlans.insert(id, values::text(Some(name)));
        }
    }
    let pvids = pvids(tables, walk, equipment);
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
fn pvids(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &Equipment) -> BTreeMap<u32, u16> {
    let numbering = Numbering::of(tables.column(PVID).filter_map(|(row, _)| row.single()), walk, equipment);
    let pvid = |number, value| Some((numbering.port(number, walk, equipment)?, values::vlan(value)?));
    tables.column(PVID).filter_map(|(row, value)| pvid(row.single()?, value)).collect()
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
    fn read(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &Equipment) -> Self {
        let columns = [STATIC_EGRESS, STATIC_UNTAGGED, CURRENT_EGRESS, CURRENT_UNTAGGED];
        let highest = equipment.bridge_ports.last().map_or(0, |p| p.0);
        let texts = |column: usize| tables.column(column).filter_map(|(_, v)| v.octets());
        let forms = columns.map(|column| Form::of(texts(column), highest));
        let listed = columns.iter().zip(forms).flat_map(|(column, form)| texts(*column).map(move |l| form.ports(l)));
        let numbers: BTreeSet<u32> = listed.flatten().collect();
        let swapped = is_swapped(tables);
        let mut lists = [(); 4].map(|()| BTreeMap::new());
        for (at, column) in columns.iter().enumerate() {
            for (row, value) in tables.column(*column) {
                let arcs: Vec<u32> = row.arcs().collect();
                let id = match (&arcs[..], at < 2) {
                    ([_, id], false) if !swapped => *id,
                    ([id], _) | ([id, _], false) => *id,
                    _ => continue,
                };
                if let (Some(id), Some(list)) = (values::vlan_id(u64::from(id)), value.octets()) {
                    lists[at].insert(id, forms[at].ports(list));
                }
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
fn is_swapped(tables: &Tables<'_>) -> bool {
    let mut rows = tables.column(CURRENT_EGRESS).map(|(row, _)| row.arcs().nth(1)).peekable();
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
    use crate::proto::snmp::Value;

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
}
