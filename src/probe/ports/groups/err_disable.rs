//! Ports that a Cisco switch shut down by itself, and why: CISCO-ERR-DISABLE-MIB; where that is missing (NX-OS), the cause of
//! the operational status in CISCO-IF-EXTENSION-MIB.

use std::sync::Arc;
use std::time::Duration;

use super::{Fixed, MAX_ROWS, Walk, Weight, values};
use crate::model::device::ErrDisabled;
use crate::model::{Equipment, IfOper};
use crate::probe::ports::cells::Tables;

/// `cErrDisableIfStatusCause`, `cErrDisableIfStatusTimeToRecover`, indexed by ifIndex and VLAN.
const CAUSE: usize = 0;
const RECOVERS: usize = 1;
/// `cieIfOperStatusCause`, `cieIfOperStatusCauseDescr`, indexed by ifIndex.
const STATUS_CAUSE: usize = 2;
const STATUS_WORDS: usize = 3;

/// `IfOperStatusReason`: errorDisabled(5).
const ERROR_DISABLED: u64 = 5;

/// `CErrDisableFeatureID`, from 1 on.
const CAUSES: [&str; 62] = [
    "udld",
    "bpduGuard",
    "channelMisconfig",
    "pagpFlap",
    "dtpFlap",
    "linkFlap",
    "l2ptGuard",
    "dot1xSecurityViolation",
    "portSecurityViolation",
    "gbicInvalid",
    "dhcpRateLimit",
    "unicastFlood",
    "vmps",
    "stormControl",
    "inlinePower",
    "arpInspection",
    "portLoopback",
    "packetBuffer",
    "macLimit",
    "linkMonitorFailure",
    "oamRemoteFailure",
    "dot1adIncompEtype",
    "dot1adIncompTunnel",
    "sfpConfigMismatch",
    "communityLimit",
    "invalidPolicy",
    "lsGroup",
    "ekey",
    "portModeFailure",
    "pppoeIaRateLimit",
    "oamRemoteCriticalEvent",
    "oamRemoteDyingGasp",
    "oamRemoteLinkFault",
    "mvrp",
    "tranceiverIncomp",
    "other",
    "portReinitLimitReached",
    "adminRxBBCreditPerfBufIncomp",
    "ficonNotEnabled",
    "adminModeIncomp",
    "adminSpeedIncomp",
    "adminRxBBCreditIncomp",
    "adminRxBufSizeIncomp",
    "eppFailure",
    "osmEPortUp",
    "osmNonEPortUp",
    "udldUniDir",
    "udldTxRxLoop",
    "udldNeighborMismatch",
    "udldEmptyEcho",
    "udldAggrasiveModeLinkFailed",
    "excessivePortInterrupts",
    "channelErrDisabled",
    "hwProgFailed",
    "internalHandshakeFailed",
    "stpInconsistencyOnVpcPeerLink",
    "stpPortStateFailure",
    "ipConflict",
    "multipleMSapIdsRcvd",
    "oneHundredPdusWithoutAck",
    "ipQosCompatCheckFailure",
    "loopDetect",
];

pub static GROUP: Fixed = Fixed {
    name: "err-disable",
    pace: Duration::from_secs(60),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[],
    columns: &[
        &[1, 3, 6, 1, 4, 1, 9, 9, 548, 1, 3, 1, 1, 2],
        &[1, 3, 6, 1, 4, 1, 9, 9, 548, 1, 3, 1, 1, 3],
        &[1, 3, 6, 1, 4, 1, 9, 9, 276, 1, 1, 2, 1, 9],
        &[1, 3, 6, 1, 4, 1, 9, 9, 276, 1, 1, 2, 1, 10],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    for port in &mut equipment.ports {
        port.err_disabled = None;
    }
    for row in tables.rows_of(&[STATUS_CAUSE, STATUS_WORDS]) {
        let words = values::text(tables.get(STATUS_WORDS, row));
        let port = row.single().and_then(|index| walk.port(index));
        let Some(port) = port.filter(|p| p.oper != Some(IfOper::Up)) else { continue };
        let is_cause = tables.get(STATUS_CAUSE, row).and_then(values::number) == Some(ERROR_DISABLED);
        if is_cause || says_error_disabled(words.as_bytes()) {
            let cause = if words.is_empty() { "errorDisabled".into() } else { Arc::from(words.json_text()) };
            equipment.port_mut(port.index).err_disabled = Some(ErrDisabled { cause, recovers_in: None });
        }
    }
    for (row, cause) in tables.column(CAUSE) {
        let port = row.arcs().next().and_then(|index| walk.known(index));
        let (Some(port), Some(cause)) = (port, values::number(cause).filter(|n| *n > 0)) else { continue };
        let word = usize::try_from(cause).ok().and_then(|n| CAUSES.get(n - 1));
        let cause: Arc<str> = word.map_or_else(|| Arc::from(format!("cause {cause}")), |word| Arc::from(*word));
        let seconds = tables.get(RECOVERS, row).and_then(values::number).filter(|s| *s > 0);
        equipment.port_mut(port).err_disabled =
            Some(ErrDisabled { cause, recovers_in: seconds.map(Duration::from_secs) });
    }
}

/// "Error disabled - bpduguard", "errDisabled".
fn says_error_disabled(words: &[u8]) -> bool {
    let letters: Vec<u8> = words.iter().filter(|b| b.is_ascii_alphabetic()).map(u8::to_ascii_lowercase).collect();
    let has = |needle: &[u8]| letters.windows(needle.len()).any(|w| w == needle);
    has(b"errdisable") || has(b"errordisable")
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;
    use crate::proto::snmp::Value;

    #[test]
    fn causes_are_told_with_the_time_to_recover() {
        let equipment = Fed::default()
            .ports(&[1, 2, 3, 4, 5])
            .cell(CAUSE, &[1, 0], Value::Integer(2))
            .cell(RECOVERS, &[1, 0], Value::Gauge32(210))
            .cell(CAUSE, &[2, 10], Value::Integer(9))
            .cell(RECOVERS, &[2, 10], Value::Gauge32(0))
            .cell(CAUSE, &[3, 0], Value::Integer(700))
            .cell(CAUSE, &[77, 0], Value::Integer(2))
            .cell(STATUS_CAUSE, &[4], Value::Integer(5))
            .cell(STATUS_WORDS, &[4], Value::Octets(b"Error disabled - bpduguard"))
            .cell(STATUS_CAUSE, &[5], Value::Integer(12))
            .cell(STATUS_WORDS, &[5], Value::Octets(b"Administratively down"))
            .fold(&GROUP);
        let told = |index: u32| equipment.port(index).and_then(|p| p.err_disabled.clone());
        let cause = |cause: &str, seconds: Option<u64>| {
            Some(ErrDisabled { cause: cause.into(), recovers_in: seconds.map(Duration::from_secs) })
        };
        assert_eq!(told(1), cause("bpduGuard", Some(210)));
        assert_eq!(told(2), cause("portSecurityViolation", None));
        assert_eq!(told(3), cause("cause 700", None));
        assert_eq!(told(4), cause("Error disabled - bpduguard", None));
        assert_eq!(told(5), None);
    }

    #[test]
    fn the_list_of_causes_keeps_its_numbers() {
        assert_eq!((CAUSES[16 - 1], CAUSES[36 - 1], CAUSES[62 - 1]), ("arpInspection", "other", "loopDetect"));
    }
}
