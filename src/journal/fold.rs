//! From entries to incidents. Entries stand in the order of their ids, which is the order in which they were
//! saved; an incident whose opening entry is lost stays visible and says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::record::Record;
use crate::base::{Timestamp, Untrusted};
use crate::model::{EntryKind, Incident, IncidentId, IncidentStatus, Urgency};

/// Newest first. `damage` is what is wrong with each.
pub fn incidents(mut records: Vec<Record>, mut damage: BTreeMap<IncidentId, Vec<String>>) -> Vec<Incident> {
    records.sort_by(|a, b| a.entry.id.cmp(&b.entry.id));
    let mut groups: BTreeMap<IncidentId, Vec<Record>> = BTreeMap::new();
    for record in records {
        groups.entry(record.entry.incident).or_default().push(record);
    }
    let fold = |(id, records): (IncidentId, Vec<Record>)| incident(id, records, damage.remove(&id).unwrap_or_default());
    let mut incidents: Vec<Incident> = groups.into_iter().map(fold).collect();
    incidents.reverse();
    incidents
}

fn incident(id: IncidentId, records: Vec<Record>, mut damage: Vec<String>) -> Incident {
    let opening = records.iter().find(|r| r.entry.kind == EntryKind::Opened);
    let (title, urgency) = opening.map_or((Untrusted::default(), None), |r| (r.entry.text.clone(), r.urgency));
    let opened_at = opening.or(records.first()).map_or(Timestamp::default(), |r| r.entry.at);
    if opening.is_none() {
        damage.push("the opening entry is lost: title and severity are not known".to_owned());
    } else if urgency.is_none() {
        damage.push("the opening entry has no severity".to_owned());
    }
    let closed_at = records.iter().rev().find(|r| r.entry.kind == EntryKind::Closed).map(|r| r.entry.at);
    Incident {
        id,
        title,
        // What is not known counts as the worst until somebody has looked.
        urgency: urgency.unwrap_or(Urgency::Sev1),
        status: if closed_at.is_some() { IncidentStatus::Closed } else { IncidentStatus::Open },
        opened_at,
        closed_at,
        entries: records.into_iter().map(|r| Arc::new(r.entry)).collect(),
        damage,
    }
}
