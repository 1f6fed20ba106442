//! Which profile a device is read with, and what it is by that: vendor, system, model, version, serial number.

use std::collections::HashSet;
use std::sync::Arc;

use super::Cost;
use crate::base::Untrusted;
use crate::model::device::Entity;
use crate::model::{Device, Equipment, PortTable};
use crate::net::snmp::{Snmp, Target};
use crate::profile::{Answer, Clue, EntityField, Profile, Profiles, enterprise};
use crate::proto::snmp::oid::Index;
use crate::proto::snmp::{Oid, Plan, Sink, Value};

/// The longest text that is a model, a version or a serial number.
const LONGEST: usize = 128;

/// What stands where somebody left the field as it was.
const PLACEHOLDERS: &[&str] = &[
    "-",
    "0",
    "n/a",
    "na",
    "none",
    "null",
    "unknown",
    "unspecified",
    "not specified",
    "not available",
    "not defined",
    "default string",
    "system serial number",
    "to be filled by o.e.m.",
    "xxxxxxxxxx",
    "empty",
    "builtin",
    "not applicable",
];

/// Which of the scalars that a choice hangs on the device has.
#[derive(Debug, Default)]
struct Present(HashSet<usize>);

impl Sink for Present {
    fn scalar(&mut self, scalar: usize, value: Value<'_>) {
        if value != Value::Null {
            self.0.insert(scalar);
        }
    }

    fn cell(&mut self, _: usize, _: Index<'_>, _: Value<'_>) -> bool {
        false
    }
}

/// The profile for this device: the one it had while it calls itself the same, else chosen anew. What the slower tables of
/// another device brought goes.
pub async fn profile<'p>(
    snmp: &Snmp,
    target: &Target,
    profiles: &'p Profiles,
    known: Option<&'p Arc<Profile>>,
    before: Option<&PortTable>,
    table: &mut PortTable,
    cost: &mut Cost,
) -> Option<&'p Arc<Profile>> {
    let same = before.is_some_and(|before| {
        before.device.object_id == table.device.object_id && before.device.description == table.device.description
    });
    if same && known.is_some() {
        table.device.profile = known.map(|profile| profile.name.clone());
        return known;
    }
    let object_id = table.device.object_id.as_deref();
    let description = table.device.description.as_bytes();
    let questions = profiles.questions(object_id, description);
    let mut present = Present::default();
    let mut sure = true;
    if !questions.is_empty() {
        let plan = Plan { scalars: questions.clone(), ..Plan::default() };
        match snmp.ask(target, plan, Present::default()).await {
            Ok(answers) => {
                cost.requests += answers.requests;
                cost.varbinds += answers.varbinds;
                cost.lost += answers.lost;
                sure = answers.incomplete.is_empty();
                present = answers.sink;
            }
            Err(_) => sure = false,
        }
    }
    let has = |oid: &Oid| questions.iter().position(|q| q == oid).is_some_and(|at| present.0.contains(&at));
    let chosen = profiles.choose(object_id, description, has);
    if before.is_some_and(|before| before.device.profile.as_deref() != chosen.map(|p| &*p.name)) {
        table.equipment = Arc::default();
    }
    // What was not answered is asked again next time.
    table.device.profile = chosen.filter(|_| sure).map(|profile| profile.name.clone());
    chosen
}

/// Fills in what the device is.
pub fn name(profile: Option<&Arc<Profile>>, before: Option<&PortTable>, table: &mut PortTable) {
    let unchanged = before.filter(|before| {
        Arc::ptr_eq(&before.equipment, &table.equipment)
            && before.device.profile == table.device.profile
            && before.device.description == table.device.description
            && before.device.object_id == table.device.object_id
    });
    if unchanged.is_some() {
        keep(unchanged, table);
        return;
    }
    let device = &mut table.device;
    let by_number = device.object_id.as_deref().and_then(enterprise::vendor);
    device.vendor = profile.and_then(|p| p.vendor.clone()).or_else(|| by_number.map(Arc::from));
    let Some(profile) = profile else { return };
    device.os.clone_from(&profile.os);
    let identity = &profile.identity;
    let first = |clues: &[Clue]| {
        let found = clues.iter().find_map(|clue| told(clue, profile, device, &table.equipment));
        found.map(|text| Untrusted::bounded(&text, LONGEST)).unwrap_or_default()
    };
    let (model, version, serial) = (first(&identity.model), first(&identity.version), first(&identity.serial));
    (table.device.model, table.device.version, table.device.serial) = (model, version, serial);
}

/// What the device was before, where this walk could not tell.
pub fn keep(before: Option<&PortTable>, table: &mut PortTable) {
    let Some(old) = before.map(|before| &before.device) else { return };
    let device = &mut table.device;
    if device.object_id.is_some() && device.object_id != old.object_id {
        return;
    }
    device.vendor.clone_from(&old.vendor);
    device.os.clone_from(&old.os);
    device.model.clone_from(&old.model);
    device.version.clone_from(&old.version);
    device.serial.clone_from(&old.serial);
    device.profile.clone_from(&old.profile);
}

fn told(clue: &Clue, profile: &Profile, device: &Device, equipment: &Equipment) -> Option<Vec<u8>> {
    let cut = |pattern: &Option<_>, text: &[u8]| match pattern {
        Some(pattern) => crate::profile::Pattern::cut(pattern, text),
        None => Some(text.to_vec()),
    };
    let text = match clue {
        Clue::Description(pattern) => pattern.cut(device.description.as_bytes())?,
        Clue::Answer { answer, pattern, words } => {
            let at = match answer {
                Answer::Scalar(scalar) => *scalar,
                Answer::Column(column) => profile.identity.scalars.len() + column,
            };
            let text = cut(pattern, equipment.profile.identity.get(at)?.as_bytes())?;
            if words.is_empty() { text } else { meant(words, &text)? }
        }
        Clue::Entity(field, pattern) => cut(pattern, entity(equipment, *field)?)?,
        Clue::ObjectId(names) => {
            let id = device.object_id.as_deref()?;
            let ends = |end: &str| id == end || id.strip_suffix(end).is_some_and(|rest| rest.ends_with('.'));
            names.iter().find(|(end, _)| ends(end)).map(|(_, name)| name.as_bytes().to_vec())?
        }
    };
    let text = trimmed(&text);
    (!text.is_empty() && !is_placeholder(text)).then(|| text.to_vec())
}

/// A word for "nothing stands here".
pub fn is_placeholder(text: &[u8]) -> bool {
    PLACEHOLDERS.iter().any(|p| text.eq_ignore_ascii_case(p.as_bytes()))
}

fn meant(words: &[(Box<str>, Box<str>)], text: &[u8]) -> Option<Vec<u8>> {
    words.iter().find(|(said, _)| said.as_bytes() == text).map(|(_, name)| name.as_bytes().to_vec())
}

/// Without blanks, NULs and quotes around it.
fn trimmed(text: &[u8]) -> &[u8] {
    let padding = |o: &u8| o.is_ascii_whitespace() || matches!(o, 0 | b'"');
    let start = text.iter().position(|o| !padding(o)).unwrap_or(text.len());
    let end = text.iter().rposition(|o| !padding(o)).map_or(start, |at| at + 1);
    &text[start..end]
}

/// Of the chassis, of a stack the first member's; else of what holds the rest.
fn entity(equipment: &Equipment, field: EntityField) -> Option<&[u8]> {
    fn text(entity: &Entity, field: EntityField) -> &[u8] {
        match field {
            EntityField::Model => entity.model.as_bytes(),
            EntityField::Version => entity.version.as_bytes(),
            EntityField::Serial => entity.serial.as_bytes(),
        }
    }
    let says = |entity: &&Entity| !trimmed(text(entity, field)).is_empty();
    let chassis = equipment.entities.iter().filter(|e| e.is_chassis()).find(says);
    let found = chassis.or_else(|| equipment.entities.iter().filter(|e| e.is_outermost()).find(says))?;
    Some(text(found, field))
}
