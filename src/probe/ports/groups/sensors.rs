//! ENTITY-SENSOR-MIB (RFC 3433) and CISCO-ENTITY-SENSOR-MIB, which came first, has dBm, and has limits. Sensors of a port's
//! transceiver make up its optics as well.

mod optics;
mod reading;
mod thresholds;

use std::collections::BTreeMap;
use std::time::Duration;

use self::reading::{Kind, Reading};
use self::thresholds::Thresholds;
use super::{Fixed, MAX_ROWS, Walk, Weight, values};
use crate::base::Untrusted;
use crate::model::Equipment;
use crate::model::device::{Sensor, SensorPlace, SensorStatus};
use crate::probe::ports::cells::Tables;

/// `entSensorType`, `entSensorScale`, `entSensorPrecision`, `entSensorValue`, `entSensorStatus`.
const CISCO: usize = 0;
/// `entPhySensorType` and so on, in the same order, and `entPhySensorUnitsDisplay`.
const STANDARD: usize = 5;
const UNITS: usize = 10;
/// `entSensorThresholdSeverity`, `…Relation`, `…Value`, `…Evaluation`, indexed by sensor and number.
const THRESHOLD: usize = 11;

/// Behind `CISCO` and `STANDARD`.
const TYPE: usize = 0;
const SCALE: usize = 1;
const PRECISION: usize = 2;
const VALUE: usize = 3;
const STATUS: usize = 4;

pub static GROUP: Fixed = Fixed {
    name: "sensors",
    pace: Duration::from_secs(60),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[],
    columns: &[
        &[1, 3, 6, 1, 4, 1, 9, 9, 91, 1, 1, 1, 1, 1],
        &[1, 3, 6, 1, 4, 1, 9, 9, 91, 1, 1, 1, 1, 2],
        &[1, 3, 6, 1, 4, 1, 9, 9, 91, 1, 1, 1, 1, 3],
        &[1, 3, 6, 1, 4, 1, 9, 9, 91, 1, 1, 1, 1, 4],
        &[1, 3, 6, 1, 4, 1, 9, 9, 91, 1, 1, 1, 1, 5],
        &[1, 3, 6, 1, 2, 1, 99, 1, 1, 1, 1],
        &[1, 3, 6, 1, 2, 1, 99, 1, 1, 1, 2],
        &[1, 3, 6, 1, 2, 1, 99, 1, 1, 1, 3],
        &[1, 3, 6, 1, 2, 1, 99, 1, 1, 1, 4],
        &[1, 3, 6, 1, 2, 1, 99, 1, 1, 1, 5],
        &[1, 3, 6, 1, 2, 1, 99, 1, 1, 1, 6],
        &[1, 3, 6, 1, 4, 1, 9, 9, 91, 1, 2, 1, 1, 2],
        &[1, 3, 6, 1, 4, 1, 9, 9, 91, 1, 2, 1, 1, 3],
        &[1, 3, 6, 1, 4, 1, 9, 9, 91, 1, 2, 1, 1, 4],
        &[1, 3, 6, 1, 4, 1, 9, 9, 91, 1, 2, 1, 1, 5],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, _: &Walk<'_>, equipment: &mut Equipment) {
    // Until ENTITY-MIB was walked, nobody knows what the sensors are called.
    if !equipment.walked.iter().any(|w| *w.group == *super::entity::GROUP.name) {
        return;
    }
    let mut read: BTreeMap<u32, Reading> = BTreeMap::new();
    for first in [STANDARD, CISCO] {
        for row in tables.rows_of(&[first + TYPE, first + VALUE]) {
            if let Some(index) = row.single() {
                read.insert(index, Reading::of(tables, first, row));
            }
        }
    }
    let thresholds = Thresholds::read(tables);
    let mut sensors = Vec::with_capacity(read.len());
    let mut transceivers = optics::Transceivers::default();
    for (index, reading) in read {
        let place = place(equipment, index);
        let found = thresholds.of(index, &reading);
        let status = match (reading.works, found.alarm) {
            (Some(false), _) => SensorStatus::Unavailable,
            (_, Some(status)) => status,
            // No limits, or none that the device judges itself.
            (works, None) => match reading.value {
                None => SensorStatus::Unknown,
                Some(value) => found.limits.judge(value).unwrap_or(match works {
                    Some(_) => SensorStatus::Ok,
                    None => SensorStatus::Unknown,
                }),
            },
        };
        transceivers.add(place, &reading, status);
        sensors.push(Sensor {
            class: reading.kind.class(),
            name: place.map_or_else(|| Untrusted::from(format!("sensor {index}")), |p| p.name.clone()),
            value: if reading.kind == Kind::Truth { None } else { reading.value },
            unit: reading.kind.unit(),
            status,
            limits: found.limits,
        });
    }
    equipment.sensors = sensors;
    equipment.optics = transceivers.into_optics();
}

fn place(equipment: &Equipment, entity: u32) -> Option<&SensorPlace> {
    let places = &equipment.sensor_places;
    let at = places.binary_search_by_key(&entity, |p| p.entity).ok()?;
    Some(&places[at]).filter(|p| !p.name.is_empty())
}

#[cfg(test)]
mod tests;
