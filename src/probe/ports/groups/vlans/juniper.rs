//! Juniper's own numbers of VLANs. Switches of the EX series number the rows of Q-BRIDGE-MIB, and the VLANs of their ports, as
//! they please; `jnxExVlanTag` says which VLAN a number is. Junos with the newer layer 2 software has the VLANs themselves in
//! Q-BRIDGE-MIB, mostly, and their names in `jnxL2aldVlanTable`.

use std::collections::{BTreeMap, BTreeSet};

use super::{EX_NAME, EX_TAG, L2ALD_NAME, L2ALD_TAG};
use crate::base::Untrusted;
use crate::probe::ports::cells::Tables;
use crate::probe::ports::groups::values;

/// The device's numbers, the VLAN that each stands for, and its name. A VLAN without a tag (0) is none.
#[derive(Debug, Default)]
pub struct Tags {
    of: BTreeMap<u32, (Option<u16>, Untrusted)>,
    /// The VLANs themselves may stand where the numbers should.
    may_be_plain: bool,
}

/// What the numbers of one table mean.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'t> {
    /// None: they are VLANs.
    own: Option<&'t BTreeMap<u32, (Option<u16>, Untrusted)>>,
}

impl Reading<'_> {
    pub fn vlan(self, number: u32) -> Option<u16> {
        match self.own {
            None => values::vlan_id(u64::from(number)),
            Some(own) => own.get(&number).and_then(|(tag, _)| *tag),
        }
    }
}

impl Tags {
    pub fn read(tables: &Tables<'_>) -> Self {
        let own = |name: usize, tag: usize| -> BTreeMap<u32, (Option<u16>, Untrusted)> {
            let rows = tables.column(tag).filter_map(|(row, tag)| Some((row.single()?, row, tag)));
            rows.map(|(number, row, tag)| (number, (values::vlan(tag), values::text(tables.get(name, row))))).collect()
        };
        let of = own(EX_NAME, EX_TAG);
        if !of.is_empty() {
            return Self { of, may_be_plain: false };
        }
        Self { of: own(L2ALD_NAME, L2ALD_TAG), may_be_plain: true }
    }

    /// How a table with these numbers is read: all of them are the device's own, or all of them VLANs.
    pub fn reading(&self, numbers: impl Iterator<Item = u32>) -> Reading<'_> {
        let numbers: BTreeSet<u32> = numbers.collect();
        let tags: BTreeSet<u32> = self.of.values().filter_map(|(tag, _)| tag.map(u32::from)).collect();
        let is_plain = self.of.is_empty()
            || (self.may_be_plain && numbers.is_subset(&tags))
            || !numbers.iter().all(|number| self.of.contains_key(number));
        Reading { own: (!is_plain).then_some(&self.of) }
    }

    /// Names, where Q-BRIDGE-MIB has none.
    pub fn name(self, vlans: &mut BTreeMap<u16, Untrusted>) {
        for (tag, name) in self.of.into_values() {
            let Some(tag) = tag else { continue };
            let known = vlans.entry(tag).or_default();
            if known.is_empty() {
                *known = name;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Fed;
    use super::super::{CURRENT_EGRESS, GROUP, PVID, STATIC_EGRESS, STATIC_NAME, STATIC_UNTAGGED};
    use super::*;
    use crate::model::Equipment;
    use crate::proto::snmp::Value;

    fn bridge() -> Fed {
        Fed::default().ports(&[511, 512]).before(|e| e.bridge_ports = vec![(513, 511), (514, 512)])
    }

    fn seen(equipment: &Equipment) -> Vec<(u32, Option<u16>, Vec<u16>)> {
        equipment.ports.iter().map(|p| (p.index, p.vlan, p.tagged.clone())).collect()
    }

    fn vlans(equipment: &Equipment) -> Vec<(u16, String)> {
        equipment.vlans.iter().map(|v| (v.id, v.name.line())).collect()
    }

    #[test]
    fn the_numbers_of_an_ex_switch_are_its_own() {
        let equipment = bridge()
            .cell(EX_NAME, &[2], Value::Octets(b"default"))
            .cell(EX_TAG, &[2], Value::Integer(0))
            .cell(EX_NAME, &[3], Value::Octets(b"office"))
            .cell(EX_TAG, &[3], Value::Integer(120))
            .cell(EX_NAME, &[4], Value::Octets(b"voice"))
            .cell(EX_TAG, &[4], Value::Integer(3))
            .cell(PVID, &[513], Value::Gauge32(3))
            .cell(PVID, &[514], Value::Gauge32(2))
            .cell(STATIC_NAME, &[2], Value::Octets(b"default"))
            .cell(STATIC_NAME, &[3], Value::Octets(b"office"))
            .cell(STATIC_EGRESS, &[3], Value::Octets(b"513,514"))
            .cell(STATIC_UNTAGGED, &[3], Value::Octets(b"513"))
            .cell(STATIC_EGRESS, &[4], Value::Octets(b"514"))
            .cell(STATIC_UNTAGGED, &[4], Value::Octets(b""))
            .fold(&GROUP);
        assert_eq!(seen(&equipment), [(511, Some(120), vec![]), (512, None, vec![3, 120])]);
        assert_eq!(vlans(&equipment), [(3, "voice".to_owned()), (120, "office".to_owned())]);
    }

    #[test]
    fn the_newer_software_tells_vlans_themselves_and_names_them() {
        let equipment = bridge()
            .cell(L2ALD_NAME, &[2], Value::Octets(b"office"))
            .cell(L2ALD_TAG, &[2], Value::Integer(120))
            .cell(L2ALD_NAME, &[3], Value::Octets(b"voice"))
            .cell(L2ALD_TAG, &[3], Value::Integer(2))
            .cell(PVID, &[513], Value::Gauge32(120))
            .cell(CURRENT_EGRESS, &[0, 2], Value::Octets(b"514"))
            .fold(&GROUP);
        assert_eq!(seen(&equipment), [(511, Some(120), vec![]), (512, None, vec![2])]);
        assert_eq!(vlans(&equipment), [(2, "voice".to_owned()), (120, "office".to_owned())]);
    }
}
