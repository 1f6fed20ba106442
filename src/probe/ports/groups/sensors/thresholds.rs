//! `entSensorThresholdTable` of CISCO-ENTITY-SENSOR-MIB: limits, and whether the device finds them crossed.

use std::collections::BTreeMap;

use super::{THRESHOLD, values};
use crate::model::device::{Limits, SensorStatus};
use crate::probe::ports::cells::Tables;
use crate::probe::ports::groups::sensors::reading::{Kind, Reading};

/// One row.
#[derive(Clone, Copy, Debug)]
struct Threshold {
    is_critical: bool,
    relation: u64,
    value: i64,
    crossed: bool,
}

/// Rows by sensor.
#[derive(Debug, Default)]
pub struct Thresholds {
    of: BTreeMap<u32, Vec<Threshold>>,
}

/// What the limits of one sensor come to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    pub limits: Limits,
    /// The device's own verdict; `None` where it gives none.
    pub alarm: Option<SensorStatus>,
}

impl Thresholds {
    pub fn read(tables: &Tables<'_>) -> Self {
        let mut of: BTreeMap<u32, Vec<Threshold>> = BTreeMap::new();
        for (row, severity) in tables.column(THRESHOLD) {
            let cell = |column: usize| tables.get(THRESHOLD + column, row);
            // minor(10), major(20), critical(30). Rows of no severity are not filled in.
            let is_critical = match values::number(severity) {
                Some(10) => false,
                Some(20 | 30) => true,
                _ => continue,
            };
            let relation = cell(1).and_then(values::number).filter(|relation| (1..=6).contains(relation));
            let (Some(relation), Some(value)) = (relation, cell(2).and_then(values::signed)) else { continue };
            let Some(crossed) = cell(3).and_then(values::truth) else { continue };
            if let Some(sensor) = row.arcs().next() {
                of.entry(sensor).or_default().push(Threshold { is_critical, relation, value, crossed });
            }
        }
        Self { of }
    }

    pub fn of(&self, sensor: u32, reading: &Reading) -> Found {
        let Some(rows) = self.of.get(&sensor) else { return Found::default() };
        let mut limits = Limits::default();
        for row in rows.iter().filter(|_| reading.kind != Kind::Truth) {
            let Some(value) = reading.scaled(row.value) else { continue };
            let tighter = |known: Option<f64>, pick: fn(f64, f64) -> f64| Some(known.map_or(value, |k| pick(k, value)));
            // lessThan(1), lessOrEqual(2), greaterThan(3), greaterOrEqual(4); equality is no limit.
            match (row.relation, row.is_critical) {
                (1 | 2, true) => limits.low_critical = tighter(limits.low_critical, f64::max),
                (1 | 2, false) => limits.low_warning = tighter(limits.low_warning, f64::max),
                (3 | 4, true) => limits.high_critical = tighter(limits.high_critical, f64::min),
                (3 | 4, false) => limits.high_warning = tighter(limits.high_warning, f64::min),
                _ => {}
            }
        }
        let crossed = |critical: bool| rows.iter().any(|row| row.crossed && row.is_critical == critical);
        let alarm = if crossed(true) {
            SensorStatus::Critical
        } else if crossed(false) {
            SensorStatus::Warning
        } else {
            SensorStatus::Ok
        };
        Found { limits, alarm: Some(alarm) }
    }
}
