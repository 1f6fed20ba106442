//! What Cisco has in place of Q-BRIDGE-MIB: `vmVlan` of access ports, and trunks with the VLANs that they are allowed to carry.

use std::collections::{BTreeMap, BTreeSet};

use super::{ACCESS, ENABLED, NATIVE, TRUNKING, VTP_NAME};
use crate::base::Untrusted;
use crate::model::Equipment;
use crate::probe::ports::cells::Tables;
use crate::probe::ports::groups::{Walk, values};
use crate::proto::snmp::Value;
use crate::proto::snmp::oid::Index;

/// `vlanTrunkPortDynamicStatus`: trunking(1).
const IS_TRUNKING: u64 = 1;
/// VLANs of Token Ring and FDDI, which every VTP domain has and no Ethernet trunk carries.
const OLD_MEDIA: std::ops::RangeInclusive<u16> = 1002..=1005;

pub fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment, vlans: &mut BTreeMap<u16, Untrusted>) {
    let mut exist: BTreeSet<u16> = BTreeSet::new();
    for (row, name) in tables.column(VTP_NAME) {
        let mut arcs = row.arcs();
        let (Some(_), Some(id), None) = (arcs.next(), arcs.next(), arcs.next()) else { continue };
        if let Some(id) = values::vlan_id(u64::from(id)) {
            vlans.insert(id, values::text(Some(name)));
            exist.insert(id);
        }
    }
    let port_of = |row: Index<'_>| row.single().and_then(|index| walk.known(index));
    for (row, vlan) in tables.column(ACCESS) {
        if let (Some(port), Some(vlan)) = (port_of(row), values::vlan(vlan)) {
            equipment.port_mut(port).vlan = Some(vlan);
        }
    }
    for (row, status) in tables.column(TRUNKING) {
        let Some(port) = port_of(row).filter(|_| values::number(status) == Some(IS_TRUNKING)) else { continue };
        let native = tables.get(NATIVE, row).and_then(values::vlan);
        let mut tagged: Vec<u16> = Vec::new();
        for (column, first) in ENABLED.into_iter().zip([0u16, 1024, 2048, 3072]) {
            let allowed = tables.get(column, row).and_then(Value::octets).unwrap_or_default();
            let is_allowed = |id: u16| {
                let bit = usize::from(id - first);
                allowed.get(bit / 8).is_some_and(|octet| octet & (0x80 >> (bit % 8)) != 0)
            };
            let here = exist.range(first..first + 1024).copied();
            tagged.extend(here.filter(|id| Some(*id) != native && !OLD_MEDIA.contains(id) && is_allowed(*id)));
        }
        let facts = equipment.port_mut(port);
        facts.vlan = native.or(facts.vlan);
        facts.tagged = tagged;
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Fed;
    use super::super::GROUP;
    use super::*;

    #[test]
    fn access_ports_have_their_vlan_and_trunks_what_exists_and_is_allowed() {
        let mut allowed = [0u8; 128];
        allowed[0] = 0b0100_0001;
        allowed[125] = 0xff;
        let equipment = Fed::default()
            .ports(&[1, 2, 3])
            .cell(VTP_NAME, &[1, 1], Value::Octets(b"default"))
            .cell(VTP_NAME, &[1, 7], Value::Octets(b"voice"))
            .cell(VTP_NAME, &[1, 8], Value::Octets(b"not here"))
            .cell(VTP_NAME, &[1, 1003], Value::Octets(b"token-ring-default"))
            .cell(VTP_NAME, &[1, 1030], Value::Octets(b"far"))
            .cell(ACCESS, &[1], Value::Integer(7))
            .cell(ACCESS, &[2], Value::Integer(1))
            .cell(ACCESS, &[3], Value::Integer(0))
            .cell(ACCESS, &[99], Value::Integer(7))
            .cell(TRUNKING, &[2], Value::Integer(1))
            .cell(TRUNKING, &[1], Value::Integer(2))
            .cell(NATIVE, &[1], Value::Integer(1))
            .cell(NATIVE, &[2], Value::Integer(74))
            .cell(ENABLED[0], &[2], Value::Octets(&allowed))
            .cell(ENABLED[1], &[2], Value::Octets(&[0xff; 128]))
            .fold(&GROUP);
        assert_eq!(equipment.port(1).map(|p| (p.vlan, p.tagged.clone())), Some((Some(7), vec![])));
        assert_eq!(equipment.port(2).map(|p| (p.vlan, p.tagged.clone())), Some((Some(74), vec![1, 7, 1030])));
        assert_eq!(equipment.port(3), None);
        assert_eq!(equipment.vlans.len(), 5);
    }
}
