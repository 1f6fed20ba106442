//! ENTITY-MIB (RFC 6933): what the device is made of, which stack member and slot a port sits in, and where its sensors are.

mod location;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::names::PortNames;
use super::{Fixed, Walk, Weight, values};
use crate::base::Untrusted;
use crate::model::Equipment;
use crate::model::device::{Entity, EntityClass, SensorPlace};
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::oid::Index;
use crate::proto::snmp::{Oid, Value};

/// `entPhysicalDescr`, `entPhysicalContainedIn`, `entPhysicalClass`, `entPhysicalParentRelPos`, `entPhysicalName`,
/// `entPhysicalFirmwareRev`, `entPhysicalSoftwareRev`, `entPhysicalSerialNum`, `entPhysicalModelName`.
const DESCRIPTION: usize = 0;
const PARENT: usize = 1;
const CLASS: usize = 2;
const POSITION: usize = 3;
const NAME: usize = 4;
const FIRMWARE: usize = 5;
const SOFTWARE: usize = 6;
const SERIAL: usize = 7;
const MODEL: usize = 8;
/// `entAliasMappingIdentifier`, indexed by the entity and a number.
const ALIAS: usize = 9;

/// `PhysicalClass`.
const CHASSIS: u64 = 3;
const CONTAINER: u64 = 5;
const SENSOR: u64 = 8;
const MODULE: u64 = 9;
const STACK: u64 = 11;

/// Entities that are kept of one device.
const MOST_KEPT: usize = 2_000;

pub static GROUP: Fixed = Fixed {
    name: "entity",
    pace: Duration::from_secs(900),
    weight: Weight::Heavy,
    max_rows: 30_000,
    scalars: &[],
    columns: &[
        &[1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 2],
        &[1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 4],
        &[1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 5],
        &[1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 6],
        &[1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 7],
        &[1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 9],
        &[1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 10],
        &[1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 11],
        &[1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 13],
        &[1, 3, 6, 1, 2, 1, 47, 1, 3, 2, 1, 2],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    let parts = Parts::read(tables);
    let ports = aliases(tables, walk);
    let names = PortNames::new(walk);
    let sensors = parts.rows.iter().filter(|(_, part)| part.class == Some(SENSOR));
    let places = sensors.map(|(index, part)| {
        let name = if part.name.is_empty() { part.description.clone() } else { part.name.clone() };
        let within = || names.within(part.name.as_bytes()).or_else(|| names.within(part.description.as_bytes()));
        let port = parts.up_from(*index).find_map(|(at, _)| ports.get(&at).copied()).or_else(within);
        SensorPlace { entity: *index, name, port }
    });
    equipment.sensor_places = places.collect();
    equipment.entities = parts.kept().into();
    location::fold(&parts, &ports, walk, equipment);
    equipment.entity_ports = ports.into_iter().collect();
}

/// Which entity is which port.
fn aliases(tables: &Tables<'_>, walk: &Walk<'_>) -> BTreeMap<u32, u32> {
    let if_index = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 2, 2, 1, 1]);
    let mut ports = BTreeMap::new();
    for (row, alias) in tables.column(ALIAS) {
        let Value::Oid(alias) = alias else { continue };
        let port = alias.below(&if_index).and_then(Index::single).and_then(|index| walk.known(index));
        if let (Some(entity), Some(port)) = (row.arcs().next(), port) {
            ports.entry(entity).or_insert(port);
        }
    }
    ports
}

/// A row of `entPhysicalTable`.
#[derive(Clone, Debug, Default)]
struct Part {
    class: Option<u64>,
    parent: u32,
    position: Option<u32>,
    name: Untrusted,
    description: Untrusted,
    model: Untrusted,
    serial: Untrusted,
    version: Untrusted,
}

/// All rows by `entPhysicalIndex`.
#[derive(Debug)]
struct Parts {
    rows: BTreeMap<u32, Part>,
}

impl Parts {
    fn read(tables: &Tables<'_>) -> Self {
        let rows = tables.rows_of(&[DESCRIPTION, PARENT, CLASS, NAME, SERIAL, MODEL]);
        let part = |row| {
            let cell = |column| tables.get(column, row);
            let software = values::text(cell(SOFTWARE));
            Part {
                class: cell(CLASS).and_then(values::number),
                parent: cell(PARENT).and_then(values::index).unwrap_or(0),
                // -1 stands for "not known".
                position: cell(POSITION).and_then(values::signed).and_then(|n| u32::try_from(n).ok()),
                name: values::text(cell(NAME)),
                description: values::text(cell(DESCRIPTION)),
                model: values::text(cell(MODEL)),
                serial: values::text(cell(SERIAL)),
                version: if software.is_empty() { values::text(cell(FIRMWARE)) } else { software },
            }
        };
        Self { rows: rows.into_iter().filter_map(|row| Some((row.single()?, part(row)))).collect() }
    }

    /// An entity and what it is contained in, from the inside out. Ends where somebody made a circle of it.
    fn up_from(&self, index: u32) -> impl Iterator<Item = (u32, &Part)> {
        const DEEPEST: usize = 16;
        let first = self.rows.get(&index).map(|part| (index, part));
        let outwards = |(index, part): &(u32, &Part)| {
            let parent = part.parent;
            let found = self.rows.get(&parent).filter(|_| parent != *index)?;
            Some((parent, found))
        };
        std::iter::successors(first, outwards).take(DEEPEST)
    }

    /// What has a serial number or a model, what holds such, and what is a chassis or a stack.
    fn kept(&self) -> Vec<Entity> {
        let mut kept = BTreeSet::new();
        for (index, part) in &self.rows {
            if kept.len() >= MOST_KEPT {
                break;
            }
            if matches!(part.class, Some(CHASSIS | STACK)) {
                kept.insert(*index);
            }
            if !part.serial.is_empty() || !part.model.is_empty() {
                kept.extend(self.up_from(*index).map(|(at, _)| at));
            }
        }
        let entity = |index: u32| {
            let part = self.rows.get(&index)?;
            Some(Entity {
                index,
                class: class(part.class),
                name: part.name.clone(),
                description: part.description.clone(),
                model: part.model.clone(),
                serial: part.serial.clone(),
                version: part.version.clone(),
                contained_in: part.parent,
                position: part.position,
            })
        };
        kept.into_iter().filter_map(entity).collect()
    }
}

fn class(class: Option<u64>) -> EntityClass {
    match class {
        Some(CHASSIS) => EntityClass::Chassis,
        Some(STACK) => EntityClass::Stack,
        Some(MODULE) => EntityClass::Module,
        Some(6) => EntityClass::PowerSupply,
        Some(7) => EntityClass::Fan,
        Some(10) => EntityClass::Port,
        _ => EntityClass::Other,
    }
}

#[cfg(test)]
mod tests;
