//! The forwarding tables of bridges: `dot1qTpFdbTable` (RFC 4363), by VLAN, with its successor of IEEE8021-Q-BRIDGE-MIB, and
//! `dot1dTpFdbTable` (RFC 4188). Says on which port a station was heard.

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
/// `ieee8021QBridgeTpFdbPort`, `…Status`, indexed by the component, a filtering database and a MAC address.
const NEWER_PORT: usize = 5;
const NEWER_STATUS: usize = 6;
/// `ieee8021QBridgeVlanFdbId`, indexed by a time, the component and the VLAN.
const NEWER_DATABASE: usize = 7;
/// `jnxExVlanTag`: its index is the database.
const EX_TAG: usize = 8;
/// `jnxL2aldVlanTag`, `jnxL2aldVlanFdbId`, indexed likewise by a number of the device's own.
const L2ALD_TAG: usize = 9;
const L2ALD_DATABASE: usize = 10;

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
        &[1, 3, 111, 2, 802, 1, 1, 4, 1, 2, 2, 1, 2],
        &[1, 3, 111, 2, 802, 1, 1, 4, 1, 2, 2, 1, 3],
        &[1, 3, 111, 2, 802, 1, 1, 4, 1, 4, 2, 1, 4],
        &[1, 3, 6, 1, 4, 1, 2636, 3, 40, 1, 5, 1, 5, 1, 5],
        &[1, 3, 6, 1, 4, 1, 2636, 3, 48, 1, 3, 1, 1, 3],
        &[1, 3, 6, 1, 4, 1, 2636, 3, 48, 1, 3, 1, 1, 5],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    // Of the two tables by VLAN the old one counts where both are there.
    let is_newer = tables.rows(VLAN_PORT) == 0 && tables.rows(NEWER_PORT) > 0;
    let (by_vlan, its_status) = if is_newer { (NEWER_PORT, NEWER_STATUS) } else { (VLAN_PORT, VLAN_STATUS) };
    let numbers: BTreeSet<u32> =
        [by_vlan, PORT].iter().flat_map(|c| tables.column(*c)).filter_map(|(_, v)| values::index(v)).collect();
    let numbering = Numbering::of(numbers, walk, equipment);
    let port = |value| values::index(value).and_then(|number| numbering.port(number, walk, equipment));
    let counts = |column, row| !matches!(tables.get(column, row).and_then(values::number), Some(INVALID | OWN));
    let vlans = Databases::new(tables, by_vlan, equipment);
    let mut entries: Vec<ForwardingEntry> = Vec::with_capacity(tables.rows(by_vlan));
    for (row, value) in tables.column(by_vlan) {
        let Some((database, mac)) = station(row) else { continue };
        let (Some(database), Some(port), true) = (database, port(value), counts(its_status, row)) else { continue };
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
        8 => (Some(arcs[1]), &arcs[2..8]),
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
    fn new(tables: &Tables<'_>, by_vlan: usize, equipment: &Equipment) -> Self {
        let mut mapped: BTreeMap<u32, Option<u16>> = BTreeMap::new();
        let mut plain: BTreeSet<u16> = equipment.vlans.iter().map(|v| v.id).collect();
        let mut is = |database: u32, id: u16| {
            plain.insert(id);
            // A database that several VLANs share tells none of them.
            mapped.entry(database).and_modify(|vlan| *vlan = None).or_insert(Some(id));
        };
        let is_juniper = Self::of_juniper(tables, &mut is);
        let rows = [DATABASE, NEWER_DATABASE].into_iter().filter(|_| !is_juniper).flat_map(|c| tables.column(c));
        for (row, database) in rows {
            let arcs: Vec<u32> = row.arcs().collect();
            let id = match arcs[..] {
                [id] | [id, 0] | [_, id] | [_, _, id] => values::vlan_id(u64::from(id)),
                _ => None,
            };
            if let (Some(id), Some(database)) = (id, values::index(database)) {
                is(database, id);
            }
        }
        let used: BTreeSet<u32> =
            tables.column(by_vlan).filter_map(|(row, _)| station(row)?.0).filter(|n| *n > 0).collect();
        let is_mapped = !used.is_empty() && used.iter().all(|database| mapped.contains_key(database));
        Self { mapped, plain, is_mapped }
    }

    /// What Juniper says of databases in its own tables; false where it says nothing.
    fn of_juniper(tables: &Tables<'_>, is: &mut impl FnMut(u32, u16)) -> bool {
        for (row, tag) in tables.column(EX_TAG) {
            if let (Some(database), Some(id)) = (row.single(), values::vlan(tag)) {
                is(database, id);
            }
        }
        for (row, database) in tables.column(L2ALD_DATABASE) {
            let tag = tables.get(L2ALD_TAG, row).and_then(values::vlan);
            if let (Some(database), Some(id)) = (values::index(database), tag) {
                is(database, id);
            }
        }
        tables.rows(EX_TAG) + tables.rows(L2ALD_DATABASE) > 0
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
    #[test]
    fn stations_of_the_newer_mib_have_the_bridge_before_their_database() {
        let equipment = bridge()
            .cell(NEWER_PORT, &[1, 4, 2, 0, 0, 0, 0, 7], Value::Gauge32(2))
            .cell(NEWER_STATUS, &[1, 4, 2, 0, 0, 0, 0, 7], Value::Integer(3))
            .cell(NEWER_DATABASE, &[0, 1, 30], Value::Gauge32(4))
            .fold(&GROUP);
        assert_eq!(equipment.forwarding[..], [ForwardingEntry { mac: [2, 0, 0, 0, 0, 7], vlan: Some(30), port: 102 }]);
    }

    #[test]
    fn the_databases_of_juniper_are_vlans_by_its_own_tables() {
        let station = || bridge().cell(VLAN_PORT, &[65_536, 2, 0, 0, 0, 0, 7], Value::Integer(1));
        let vlan = |fed: Fed| fed.fold(&GROUP).forwarding[0].vlan;
        let newer =
            station().cell(L2ALD_TAG, &[5], Value::Integer(120)).cell(L2ALD_DATABASE, &[5], Value::Integer(65_536));
        assert_eq!(vlan(newer), Some(120));
        let ex =
            bridge().cell(VLAN_PORT, &[5, 2, 0, 0, 0, 0, 7], Value::Integer(1)).cell(EX_TAG, &[5], Value::Integer(9));
        assert_eq!(vlan(ex), Some(9));
    }
}
