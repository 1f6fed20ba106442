//! VLANs: Q-BRIDGE-MIB (RFC 4363), its successor IEEE8021-Q-BRIDGE-MIB, and what makers have in its place or beside it: Cisco
//! (CISCO-VTP-MIB, CISCO-VLAN-MEMBERSHIP-MIB) and Juniper (JUNIPER-VLAN-MIB, JUNIPER-L2ALD-MIB). Says of each port which VLAN its
//! untagged frames belong to and which VLANs it carries tagged.

mod cisco;
mod juniper;
mod port_list;
mod q_bridge;

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Fixed, MAX_ROWS, Walk, Weight};
use crate::base::Untrusted;
use crate::model::Equipment;
use crate::model::device::Vlan;
use crate::probe::ports::cells::Tables;

/// `dot1qPvid`, indexed by the bridge port.
const PVID: usize = 0;
/// `dot1qVlanStaticName`, `dot1qVlanStaticEgressPorts`, `dot1qVlanStaticUntaggedPorts`, indexed by the VLAN.
const STATIC_NAME: usize = 1;
const STATIC_EGRESS: usize = 2;
const STATIC_UNTAGGED: usize = 3;
/// `dot1qVlanCurrentEgressPorts`, `dot1qVlanCurrentUntaggedPorts`, indexed by a time and the VLAN.
const CURRENT_EGRESS: usize = 4;
const CURRENT_UNTAGGED: usize = 5;
/// `vmVlan`, indexed by ifIndex.
const ACCESS: usize = 6;
/// `vtpVlanName`, indexed by the management domain and the VLAN.
const VTP_NAME: usize = 7;
/// `vlanTrunkPortNativeVlan`, `vlanTrunkPortDynamicStatus`, indexed by ifIndex.
const NATIVE: usize = 8;
const TRUNKING: usize = 9;
/// `vlanTrunkPortVlansEnabled` and its three continuations, 1024 VLANs each.
const ENABLED: [usize; 4] = [10, 11, 12, 13];
/// The first six columns again, of IEEE8021-Q-BRIDGE-MIB: their indexes have the component of the bridge in addition.
const NEWER: usize = 14;
/// `jnxExVlanName`, `jnxExVlanTag`, indexed by a number of the device's own.
const EX_NAME: usize = 20;
const EX_TAG: usize = 21;
/// `jnxL2aldVlanName`, `jnxL2aldVlanTag`, indexed likewise.
const L2ALD_NAME: usize = 22;
const L2ALD_TAG: usize = 23;

pub static GROUP: Fixed = Fixed {
    name: "vlans",
    pace: Duration::from_secs(900),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[],
    columns: &[
        &[1, 3, 6, 1, 2, 1, 17, 7, 1, 4, 5, 1, 1],
        &[1, 3, 6, 1, 2, 1, 17, 7, 1, 4, 3, 1, 1],
        &[1, 3, 6, 1, 2, 1, 17, 7, 1, 4, 3, 1, 2],
        &[1, 3, 6, 1, 2, 1, 17, 7, 1, 4, 3, 1, 4],
        &[1, 3, 6, 1, 2, 1, 17, 7, 1, 4, 2, 1, 4],
        &[1, 3, 6, 1, 2, 1, 17, 7, 1, 4, 2, 1, 5],
        &[1, 3, 6, 1, 4, 1, 9, 9, 68, 1, 2, 2, 1, 2],
        &[1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 3, 1, 1, 4],
        &[1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 6, 1, 1, 5],
        &[1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 6, 1, 1, 14],
        &[1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 6, 1, 1, 4],
        &[1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 6, 1, 1, 17],
        &[1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 6, 1, 1, 18],
        &[1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 6, 1, 1, 19],
        &[1, 3, 111, 2, 802, 1, 1, 4, 1, 4, 5, 1, 1],
        &[1, 3, 111, 2, 802, 1, 1, 4, 1, 4, 3, 1, 3],
        &[1, 3, 111, 2, 802, 1, 1, 4, 1, 4, 3, 1, 4],
        &[1, 3, 111, 2, 802, 1, 1, 4, 1, 4, 3, 1, 6],
        &[1, 3, 111, 2, 802, 1, 1, 4, 1, 4, 2, 1, 5],
        &[1, 3, 111, 2, 802, 1, 1, 4, 1, 4, 2, 1, 6],
        &[1, 3, 6, 1, 4, 1, 2636, 3, 40, 1, 5, 1, 5, 1, 2],
        &[1, 3, 6, 1, 4, 1, 2636, 3, 40, 1, 5, 1, 5, 1, 5],
        &[1, 3, 6, 1, 4, 1, 2636, 3, 48, 1, 3, 1, 1, 2],
        &[1, 3, 6, 1, 4, 1, 2636, 3, 48, 1, 3, 1, 1, 3],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    for port in &mut equipment.ports {
        port.vlan = None;
        port.tagged.clear();
    }
    let mut vlans: BTreeMap<u16, Untrusted> = BTreeMap::new();
    let tags = juniper::Tags::read(tables);
    q_bridge::fold(tables, walk, equipment, &tags, &mut vlans);
    tags.name(&mut vlans);
    // Where a device has both, Cisco's own tables are the fuller ones.
    cisco::fold(tables, walk, equipment, &mut vlans);
    equipment.vlans = vlans.into_iter().map(|(id, name)| Vlan { id, name }).collect();
}
