//! VLANs: Q-BRIDGE-MIB (RFC 4363), and what Cisco has in its place (CISCO-VTP-MIB, CISCO-VLAN-MEMBERSHIP-MIB). Says of each
//! port which VLAN its untagged frames belong to and which VLANs it carries tagged.

mod cisco;
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
    ],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    for port in &mut equipment.ports {
        port.vlan = None;
        port.tagged.clear();
    }
    let mut vlans: BTreeMap<u16, Untrusted> = BTreeMap::new();
    q_bridge::fold(tables, walk, equipment, &mut vlans);
    // Where a device has both, Cisco's own tables are the fuller ones.
    cisco::fold(tables, walk, equipment, &mut vlans);
    equipment.vlans = vlans.into_iter().map(|(id, name)| Vlan { id, name }).collect();
}
