//! Walks the groups of tables that are due on one device, in one conversation, and folds what came into its equipment.
//! A group that the device does not have is asked for again only once in a while.

use std::sync::Arc;
use std::time::Duration;

use super::Cost;
use super::cells::Cells;
use super::groups::{Group, Walk};
use crate::base::Timestamp;
use crate::model::device::TablesWalked;
use crate::model::{Equipment, PortTable};
use crate::net::snmp::{Snmp, SnmpError, Target};
use crate::proto::snmp::Plan;

/// How long until a device is asked again for tables that it did not have.
const ABSENT: Duration = Duration::from_secs(3600);

/// The groups whose values are too old on this device, or were never asked for.
pub fn due<'a>(groups: &[&'a dyn Group], table: &PortTable) -> Vec<&'a dyn Group> {
    let is_due = |group: &&dyn Group| {
        let walked = table.equipment.walked.iter().find(|w| *w.group == *group.name());
        walked.is_none_or(|walked| {
            let pace = if walked.rows == 0 && walked.incomplete.is_none() { ABSENT } else { group.pace() };
            // A walk is due in whole runs of the check: a little early is better than a whole run late.
            table.collected_at.since(walked.at) + pace / 20 >= pace
        })
    };
    groups.iter().copied().filter(|group| group.applies(&table.device)).filter(is_due).collect()
}

/// Walks `groups` and puts what they brought into the table's equipment.
///
/// # Errors
/// The agent gave no answer at all; the equipment is as it was.
pub async fn walk(
    snmp: &Snmp,
    target: &Target,
    max_repetitions: u16,
    max_time: Duration,
    groups: &[&dyn Group],
    table: &mut PortTable,
) -> Result<Cost, SnmpError> {
    let mut plan = Plan { max_repetitions, max_time, ..Plan::default() };
    let mut places = Vec::with_capacity(groups.len());
    for group in groups {
        places.push((plan.scalars.len(), plan.columns.len()));
        plan.scalars.extend(group.scalars());
        plan.columns.extend(group.columns());
    }
    let widths: Vec<(usize, usize)> = places
        .iter()
        .zip(places.iter().skip(1).chain([&(plan.scalars.len(), plan.columns.len())]))
        .map(|(here, next)| (next.0 - here.0, next.1 - here.1))
        .collect();
    let answers = snmp.ask(target, plan, Cells::default()).await?;
    let cost = Cost { requests: answers.requests, varbinds: answers.varbinds, lost: answers.lost };
    let incomplete: Option<Arc<str>> =
        if answers.incomplete.is_empty() { None } else { Some(answers.incomplete.join(", ").into()) };
    let cells = answers.sink.sorted();
    let mut equipment = Equipment::clone(&table.equipment);
    for ((group, place), width) in groups.iter().zip(places).zip(widths) {
        let tables = cells.view(place.0, place.1);
        let walk = Walk { ports: &table.ports };
        group.fold(&tables, &walk, &mut equipment);
        let scalars = (0..width.0).filter(|scalar| tables.scalar(*scalar).is_some()).count();
        let rows = (0..width.1).map(|column| tables.rows(column)).max().unwrap_or(0).max(scalars);
        note(&mut equipment, *group, table.collected_at, rows, incomplete.clone());
    }
    table.equipment = Arc::new(equipment);
    Ok(cost)
}

fn note(equipment: &mut Equipment, group: &dyn Group, at: Timestamp, rows: usize, incomplete: Option<Arc<str>>) {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    match equipment.walked.iter_mut().find(|w| *w.group == *group.name()) {
        Some(walked) => {
            walked.at = at;
            walked.rows = rows;
            walked.incomplete = incomplete;
        }
        None => {
            equipment.walked.push(TablesWalked { group: Arc::from(group.name()), at, rows, incomplete });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::groups::GROUPS;
    use super::*;

    fn table(at: i64, walked: Vec<TablesWalked>) -> PortTable {
        PortTable {
            collected_at: Timestamp::from_secs(at),
            complete: true,
            equipment: Arc::new(Equipment { walked, ..Equipment::default() }),
            ..PortTable::default()
        }
    }

    fn walked(at: i64, rows: u32, incomplete: Option<&str>) -> Vec<TablesWalked> {
        let one = |group: &&dyn Group| TablesWalked {
            group: Arc::from(group.name()),
            at: Timestamp::from_secs(at),
            rows,
            incomplete: incomplete.map(Arc::from),
        };
        GROUPS.iter().map(one).collect()
    }

    #[test]
    fn a_group_is_due_at_its_pace_and_an_absent_one_seldom() {
        let name = "host-resources";
        let is_due = |table: &PortTable| due(GROUPS, table).iter().any(|g| g.name() == name);
        assert!(is_due(&table(1000, Vec::new())));
        assert!(!is_due(&table(1030, walked(1000, 4, None))));
        assert!(is_due(&table(1058, walked(1000, 4, None))));
        assert!(!is_due(&table(1058, walked(1000, 0, None))));
        assert!(is_due(&table(4600, walked(1000, 0, None))));
        assert!(is_due(&table(1060, walked(1000, 0, Some("no answer")))));
    }
}
