//! The forwarding tables of bridges: `dot1qTpFdbTable` (RFC 4363), by VLAN, and `dot1dTpFdbTable` (RFC 4188). Says on which
//! port a station was heard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::numbering::Numbering;
use super::{Fixed, Walk, Weight, values};
use crate::model::Equipment;
use crate::model::device::ForwardingEntry;
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::oid::Index;

/// `dot1qTpFdbPort`, `dot1qTpFdbStatus`, indexed by a filtering database and a MAC address.
const VLAN_PORT: usize = 0;
const VLAN_STATUS: usize = 1;
/// `dot1dTpFdbPort`, `dot1dTpFdbStatus`, indexed by a MAC address.
const PORT: usize = 2;
const STATUS: usize = 3;
/// `dot1qVlanFdbId`, indexed by a time and the VLAN.
const DATABASE: usize = 4;

/// invalid(2), self(4).
const INVALID: u64 = 2;
const OWN: u64 = 4;

pub static GROUP: Fixed = Fixed {
    name: "forwarding",
    pace: Duration::from_secs(900),
    weight: Weight::Heavy,
    max_rows: 131_072,
    scalars: &[],
    columns: &[
        &[1, 3, 6, 1, 2, 1, 17, 7, 1, 2, 2, 1, 2],
        &[1, 3, 6, 1, 2, 1, 17, 7, 1, 2, 2, 1, 3],
        &[1, 3, 6, 1, 2, 1, 17, 4, 3, 1, 2],
        &[1, 3, 6, 1, 2, 1, 17, 4, 3, 1, 3],
        &[1, 3, 6, 1, 2, 1, 17, 7, 1, 4, 2, 1, 3],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    let numbers: BTreeSet<u32> =
        [VLAN_PORT, PORT].iter().flat_map(|c| tables.column(*c)).filter_map(|(_, v)| values::index(v)).collect();
    let numbering = Numbering::of(numbers, walk, equipment);
    let port = |value| values::index(value).and_then(|number| numbering.port(number, walk, equipment));
    let counts = |column, row| !matches!(tables.get(column, row).and_then(values::number), Some(INVALID | OWN));
    let vlans = Databases::new(tables, equipment);
    let mut entries: Vec<ForwardingEntry> = Vec::with_capacity(tables.rows(VLAN_PORT));
    for (row, value) in tables.column(VLAN_PORT) {
        let Some((database, mac)) = station(row) else { continue };
        let (Some(database), Some(port), true) = (database, port(value), counts(VLAN_STATUS, row)) else { continue };
        entries.push(ForwardingEntry { mac, vlan: vlans.vlan(database), port });
    }
    let by_vlan: BTreeSet<[u8; 6]> = entries.iter().map(|e| e.mac).collect();
    for (row, value) in tables.column(PORT) {
        let Some((None, mac)) = station(row) else { continue };
        let (Some(port), true) = (port(value), counts(STATUS, row) && !by_vlan.contains(&mac)) else { continue };
        entries.push(ForwardingEntry { mac, vlan: None, port });
    }
    entries.sort_unstable();
    entries.dedup();
    equipment.forwarding = Arc::from(entries);
}

/// The filtering database, where the index names one, and the station's address.
fn station(row: Index<'_>) -> Option<(Option<u32>, [u8; 6])> {
    let mut arcs = [0u32; 8];
    let mut count = 0;
    for arc in row.arcs() {
        *arcs.get_mut(count)? = arc;
        count += 1;
    }
    let (database, mac) = match count {
        6 => (None, &arcs[..6]),
        7 => (Some(arcs[0]), &arcs[1..7]),
        _ => return None,
    };
    let mut octets = [0u8; 6];
    for (octet, arc) in octets.iter_mut().zip(mac) {
        *octet = u8::try_from(*arc).ok()?;
    }
    // Addresses of groups are nobody's.
    values::mac(&octets).filter(|mac| mac[0] & 1 == 0).map(|mac| (database, mac))
}

/// Which VLAN a filtering database is: as `dot1qVlanFdbId` says, or, where the table's own numbers are VLANs, the same.
struct Databases {
    mapped: BTreeMap<u32, Option<u16>>,
    plain: BTreeSet<u16>,
    is_mapped: bool,
}

impl Databases {
    fn new(tables: &Tables<'_>, equipment: &Equipment) -> Self {
        let mut mapped: BTreeMap<u32, Option<u16>> = BTreeMap::new();
        let mut plain: BTreeSet<u16> = equipment.vlans.iter().map(|v| v.id).collect();
        for (row, database) in tables.column(DATABASE) {
            let arcs: Vec<u32> = row.arcs().collect();
            let id = match arcs[..] {
                [id] | [id, 0] | [_, id] => values::vlan_id(u64::from(id)),
                _ => None,
            };
            let (Some(id), Some(database)) = (id, values::index(database)) else { continue };
            plain.insert(id);
            // A database that several VLANs share tells none of them.
            mapped.entry(database).and_modify(|vlan| *vlan = None).or_insert(Some(id));
        }
        let used: BTreeSet<u32> =
            tables.column(VLAN_PORT).filter_map(|(row, _)| station(row)?.0).filter(|n| *n > 0).collect();
        let is_mapped = !used.is_empty() && used.iter().all(|database| mapped.contains_key(database));
        Self { mapped, plain, is_mapped }
    }

    fn vlan(&self, database: u32) -> Option<u16> {
        if self.is_mapped {
            return self.mapped.get(&database).copied().flatten();
        }
        values::vlan_id(u64::from(database)).filter(|id| self.plain.is_empty() || self.plain.contains(id))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;
    use crate::model::device::Vlan;
    use crate::proto::snmp::Value;

    fn bridge() -> Fed {
        Fed::default().ports(&[101, 102]).before(|e| e.bridge_ports = vec![(1, 101), (2, 102)])
    }

    fn entry(last: u8, vlan: Option<u16>, port: u32) -> ForwardingEntry {
        ForwardingEntry { mac: [0, 0x11, 0x22, 0, 0, last], vlan, port }
    }

    #[test]
    fn stations_are_heard_on_interfaces_and_the_bridge_itself_is_none() {
        let equipment = bridge()
            .cell(VLAN_PORT, &[2, 0, 0x11, 0x22, 0, 0, 1], Value::Integer(2))
            .cell(VLAN_STATUS, &[2, 0, 0x11, 0x22, 0, 0, 1], Value::Integer(3))
            .cell(VLAN_PORT, &[2, 0, 0x11, 0x22, 0, 0, 2], Value::Integer(1))
            .cell(VLAN_STATUS, &[2, 0, 0x11, 0x22, 0, 0, 2], Value::Integer(4))
            .cell(VLAN_PORT, &[2, 0, 0x11, 0x22, 0, 0, 3], Value::Integer(0))
            .cell(VLAN_PORT, &[2, 1, 0, 0x5e, 0, 0, 4], Value::Integer(1))
            .cell(VLAN_PORT, &[2, 0, 0, 0, 0, 0, 0], Value::Integer(1))
            .cell(VLAN_PORT, &[2, 0, 0x11, 0x22, 0, 300, 4], Value::Integer(1))
            .cell(PORT, &[0, 0x11, 0x22, 0, 0, 1], Value::Integer(2))
            .cell(PORT, &[0, 0x11, 0x22, 0, 0, 9], Value::Integer(1))
            .cell(STATUS, &[0, 0x11, 0x22, 0, 0, 9], Value::Integer(5))
            .cell(DATABASE, &[0, 50], Value::Gauge32(2))
            .fold(&GROUP);
        assert_eq!(*equipment.forwarding, [entry(1, Some(50), 102), entry(9, None, 101)]);
    }

    #[test]
    fn as_many_stations_as_a_switch_can_hear_stay_cheap() {
        let mut fed = bridge();
        for n in 0..65_536u32 {
            let row = [1, 0, 0x11, 0x22, n >> 16, n >> 8 & 0xff, n & 0xff];
            fed = fed.cell(VLAN_PORT, &row, Value::Integer(1)).cell(VLAN_STATUS, &row, Value::Integer(3));
        }
        assert_eq!(fed.fold(&GROUP).forwarding.len(), 65_536);
        assert_eq!(size_of::<ForwardingEntry>(), 16);
    }

    #[test]
    fn databases_that_are_vlans_need_no_map() {
        let equipment = bridge()
            .cell(VLAN_PORT, &[602, 0, 0x11, 0x22, 0, 0, 1], Value::Integer(1))
            .cell(VLAN_PORT, &[7, 0, 0x11, 0x22, 0, 0, 2], Value::Integer(1))
            .cell(DATABASE, &[0, 1], Value::Gauge32(1))
            .cell(DATABASE, &[0, 602], Value::Gauge32(90))
            .before(|e| e.vlans = vec![Vlan { id: 1, name: "default".into() }])
            .fold(&GROUP);
        assert_eq!(*equipment.forwarding, [entry(1, Some(602), 101), entry(2, None, 101)]);
    }

    #[test]
    fn a_database_that_vlans_share_tells_no_vlan() {
        let equipment = bridge()
            .cell(VLAN_PORT, &[1, 0, 0x11, 0x22, 0, 0, 1], Value::Integer(1))
            .cell(DATABASE, &[0, 11], Value::Gauge32(1))
            .cell(DATABASE, &[0, 12], Value::Gauge32(1))
            .fold(&GROUP);
        assert_eq!(*equipment.forwarding, [entry(1, None, 101)]);
    }
}
