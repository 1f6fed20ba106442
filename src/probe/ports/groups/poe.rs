//! POWER-ETHERNET-MIB (RFC 3621): power that each port delivers, and the budget; and how much it is in watts, which makers tell
//! in tables that are indexed likewise.

mod placing;

use std::time::Duration;

use self::placing::Placing;
use super::{Fixed, MAX_ROWS, Walk, Weight, values};
use crate::model::Equipment;
use crate::model::device::{Poe, PoeBudget, PoeStatus};
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::Value;
use crate::proto::snmp::oid::Index;

/// `pethPsePortAdminEnable`, `pethPsePortDetectionStatus`, `pethPsePortPowerClassifications`, indexed by group and port.
const ENABLED: usize = 0;
const STATUS: usize = 1;
const CLASS: usize = 2;
/// `cpeExtPsePortAdditionalStatus`, `cpeExtPsePortPwrConsumption`, `cpeExtPsePortEntPhyIndex`, indexed likewise.
const ADDITIONAL: usize = 3;
const MILLIWATTS: usize = 4;
const ENTITY: usize = 5;
/// `pethMainPsePower`, `pethMainPseOperStatus`, `pethMainPseConsumptionPower`, indexed by group.
const BUDGET: usize = 6;
const MAIN_STATUS: usize = 7;
const USED: usize = 8;
/// Milliwatts in other makers' words: `hpicfPoePethPsePortPower` of HP, `extremePethPortMeasuredPower` of Extreme, and
/// `agentPethOutputPower` of FASTPATH, as Broadcom, Netgear (twice) and Dell have it, `bspePethPsePortExtMeasuredPower` of Avaya,
/// `hh3cPsePortCurrentPower` of Comware.
const OTHER_MILLIWATTS: std::ops::Range<usize> = 9..17;

/// No power supply has more; some agents count in milliwatts.
const MOST_WATTS: u64 = 100_000;

pub static GROUP: Fixed = Fixed {
    name: "poe",
    pace: Duration::from_secs(60),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[],
    columns: &[
        &[1, 3, 6, 1, 2, 1, 105, 1, 1, 1, 3],
        &[1, 3, 6, 1, 2, 1, 105, 1, 1, 1, 6],
        &[1, 3, 6, 1, 2, 1, 105, 1, 1, 1, 10],
        &[1, 3, 6, 1, 4, 1, 9, 9, 402, 1, 2, 1, 5],
        &[1, 3, 6, 1, 4, 1, 9, 9, 402, 1, 2, 1, 9],
        &[1, 3, 6, 1, 4, 1, 9, 9, 402, 1, 2, 1, 11],
        &[1, 3, 6, 1, 2, 1, 105, 1, 3, 1, 1, 2],
        &[1, 3, 6, 1, 2, 1, 105, 1, 3, 1, 1, 3],
        &[1, 3, 6, 1, 2, 1, 105, 1, 3, 1, 1, 4],
        &[1, 3, 6, 1, 4, 1, 11, 2, 14, 11, 1, 9, 1, 1, 1, 3],
        &[1, 3, 6, 1, 4, 1, 1916, 1, 27, 2, 1, 1, 6],
        &[1, 3, 6, 1, 4, 1, 4413, 1, 1, 15, 1, 1, 1, 2],
        &[1, 3, 6, 1, 4, 1, 4526, 10, 15, 1, 1, 1, 2],
        &[1, 3, 6, 1, 4, 1, 4526, 11, 15, 1, 1, 1, 2],
        &[1, 3, 6, 1, 4, 1, 674, 10895, 5000, 2, 6132, 1, 1, 15, 1, 1, 1, 2],
        &[1, 3, 6, 1, 4, 1, 45, 5, 8, 1, 1, 1, 7],
        &[1, 3, 6, 1, 4, 1, 25506, 2, 14, 1, 1, 5],
    ],
    fold,
};

/// A row's group and port.
pub type Place = (u32, u32);

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    for port in &mut equipment.ports {
        port.poe = None;
    }
    let mut rows: Vec<(Place, Poe)> = Vec::new();
    let mut entities: Vec<(Place, u32)> = Vec::new();
    for row in tables.rows_of(&[ENABLED, STATUS]) {
        let mut arcs = row.arcs();
        let (Some(group), Some(port), None) = (arcs.next(), arcs.next(), arcs.next()) else { continue };
        if let Some(poe) = poe(tables, row) {
            rows.push(((group, port), poe));
        }
        if let Some(entity) = tables.get(ENTITY, row).and_then(values::index).filter(|e| *e > 0) {
            entities.push(((group, port), entity));
        }
    }
    let placing = Placing::of(&rows, &entities, walk, equipment);
    for (place, poe) in rows {
        if let Some(port) = placing.port(place) {
            equipment.port_mut(port).poe = Some(poe);
        }
    }
    let budgets = tables.rows_of(&[BUDGET, MAIN_STATUS, USED]).into_iter();
    equipment.poe = budgets.filter_map(|row| Some(budget(tables, row, row.single()?))).collect();
}

fn poe(tables: &Tables<'_>, row: Index<'_>) -> Option<Poe> {
    let number = |column| tables.get(column, row).and_then(values::number);
    let is_off = tables.get(ENABLED, row).and_then(values::truth) == Some(false);
    let status = match number(STATUS) {
        Some(3) => PoeStatus::Delivering,
        // The first bit of the first octet is deny(0).
        _ if matches!(tables.get(ADDITIONAL, row), Some(Value::Octets([first, ..])) if first & 0x80 != 0) => {
            PoeStatus::Denied
        }
        Some(1) => PoeStatus::Disabled,
        Some(2) => PoeStatus::Searching,
        Some(4) => PoeStatus::Fault,
        Some(5) => PoeStatus::Test,
        Some(6) => PoeStatus::OtherFault,
        _ if is_off => PoeStatus::Disabled,
        _ => return None,
    };
    // class0(1) and so on; a port without a powered device has none.
    let class = number(CLASS).and_then(|n| u8::try_from(n.checked_sub(1)?).ok()).filter(|class| *class <= 8);
    let milliwatts = number(MILLIWATTS)
        .or_else(|| OTHER_MILLIWATTS.into_iter().find_map(number))
        .filter(|mw| *mw <= MOST_WATTS * 1000);
    Some(Poe {
        status,
        watts: milliwatts.map(|mw| mw as f32 / 1000.0),
        class: class.filter(|_| status == PoeStatus::Delivering),
    })
}

fn budget(tables: &Tables<'_>, row: Index<'_>, group: u32) -> PoeBudget {
    let number = |column| tables.get(column, row).and_then(values::number);
    let watts = |column| number(column).filter(|watts| *watts <= MOST_WATTS).map(|watts| watts as f64);
    PoeBudget {
        group,
        watts: watts(BUDGET).filter(|watts| *watts > 0.0),
        used_watts: watts(USED),
        faulty: match number(MAIN_STATUS) {
            Some(1 | 2) => Some(false),
            Some(3) => Some(true),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests;
