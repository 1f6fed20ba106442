//! Sensors, processors, memory and storage.

use super::values::{Answers, Row, float};
use super::{Fold, List};
use crate::model::device::{Limits, Pool, Processor, Sensor, SensorClass, SensorStatus};
use crate::profile::table::{At, Limit, LimitCells, PoolReading, ProcessorReading, SensorReading, Standing};

impl Fold<'_, '_> {
    pub(super) fn sensor(&mut self, reading: &SensorReading) {
        let answers = self.answers;
        self.replaces(List::Sensors, reading.rows.replaces);
        for row in answers.rows(&reading.rows) {
            let mut value = reading.value.as_ref().and_then(|number| answers.number(number, row));
            let standing = reading.status.as_ref().and_then(|words| answers.word(words, row)).copied();
            let limits = limits(answers, &reading.limits, row);
            let status = match standing {
                Some(Standing::Absent) => continue,
                Some(Standing::Is(status)) => status,
                // A value that is a placeholder, or a state that did not come: nothing is there.
                None if value.is_none() && reading.status.is_none() => continue,
                None if value.is_none() && !self.said(reading, row) => continue,
                None => value.and_then(|value| limits.judge(value)).unwrap_or(SensorStatus::Unknown),
            };
            if status == SensorStatus::Unavailable {
                value = None;
            }
            let name = answers.name(&reading.rows.names, row);
            let by_name = reading.classes.iter().find(|(pattern, _)| pattern.matches(name.as_bytes()));
            let class = by_name.map_or(reading.class, |(_, class)| *class);
            if class == SensorClass::State {
                value = None;
            }
            self.rows.sensors.push(Sensor { class, name, value, unit: reading.unit, status, limits });
        }
    }

    /// Whether the row's state came at all, if in a word that nobody knows.
    fn said(&self, reading: &SensorReading, row: Row<'_>) -> bool {
        reading.status.as_ref().is_some_and(|words| {
            self.answers.value(words.cell, row).is_some_and(|value| float(value).is_some() || value.octets().is_some())
        })
    }

    pub(super) fn processor(&mut self, reading: &ProcessorReading) {
        let answers = self.answers;
        self.replaces(List::Processors, reading.rows.replaces);
        let mut rows = answers.rows(&reading.rows);
        // A table that is not there may have a scalar in its place.
        if rows.is_empty() && reading.percent.all().any(|number| matches!(number.cell.at, At::Scalar(_))) {
            rows.push(None);
        }
        for row in rows {
            let Some(percent) = answers.number(&reading.percent, row).filter(|p| (0.0..=100.0).contains(p)) else {
                continue;
            };
            let percent = if reading.idle { 100.0 - percent } else { percent };
            let name = if reading.rows.names.is_empty() && row.is_none() {
                "cpu".into()
            } else {
                answers.name(&reading.rows.names, row)
            };
            self.rows.processors.push(Processor { name, percent });
        }
    }

    pub(super) fn pool(&self, reading: &PoolReading) -> Vec<Pool> {
        let answers = self.answers;
        let rows = answers.rows(&reading.rows).into_iter();
        rows.filter_map(|row| {
            let bytes = |number: &Option<_>| {
                answers.number(number.as_ref()?, row).filter(|n| (0.0..1e19).contains(n)).map(|n| n as u64)
            };
            let (used, free) = (bytes(&reading.used), bytes(&reading.free));
            let total = bytes(&reading.total).or_else(|| used?.checked_add(free?)).filter(|total| *total > 0)?;
            let by_percent = || {
                let percent = answers.number(reading.used_percent.as_ref()?, row)?;
                (0.0..=100.0).contains(&percent).then(|| (total as f64 * percent / 100.0).round() as u64)
            };
            let used = used.or_else(|| total.checked_sub(free?)).or_else(by_percent).filter(|used| *used <= total);
            let name = answers.name(&reading.rows.names, row);
            Some(Pool { name, used_bytes: used, total_bytes: Some(total) })
        })
        .collect()
    }
}

fn limits(answers: Answers<'_, '_>, cells: &LimitCells, row: Row<'_>) -> Limits {
    let read = |limit: &Option<Limit>| match limit.as_ref()? {
        Limit::Fixed(value) => Some(*value),
        Limit::Read(number) => answers.number(number, row),
    };
    Limits {
        low_critical: read(&cells.low_critical),
        low_warning: read(&cells.low_warning),
        high_warning: read(&cells.high_warning),
        high_critical: read(&cells.high_critical),
    }
}
