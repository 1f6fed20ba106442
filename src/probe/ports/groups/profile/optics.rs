//! Light levels and health of transceivers.

use super::values::Row;
use super::{Fold, List};
use crate::base::Untrusted;
use crate::model::device::{Optics, SensorStatus};
use crate::profile::table::{OpticsReading, Standing};

/// Light that no transceiver sends or measures: placeholders.
const DBM: std::ops::RangeInclusive<f64> = -60.0..=30.0;
const CELSIUS: std::ops::RangeInclusive<f64> = -60.0..=150.0;
const MILLIAMPERES: std::ops::RangeInclusive<f64> = 0.0..=1000.0;

impl Fold<'_, '_> {
    pub(super) fn optics(&mut self, reading: &OpticsReading) {
        let answers = self.answers;
        self.replaces(List::Optics, reading.rows.replaces);
        for row in answers.rows(&reading.rows) {
            let status = match reading.status.as_ref().and_then(|words| answers.word(words, row)) {
                Some(Standing::Absent) => continue,
                Some(Standing::Is(status)) => *status,
                None => SensorStatus::Unknown,
            };
            let read = |number: &Option<_>, sane: std::ops::RangeInclusive<f64>| {
                answers.number(number.as_ref()?, row).filter(|value| sane.contains(value))
            };
            let optics = Optics {
                port: None,
                name: Untrusted::default(),
                rx_dbm: read(&reading.rx, DBM),
                tx_dbm: read(&reading.tx, DBM),
                temperature_c: read(&reading.temperature, CELSIUS),
                bias_ma: read(&reading.bias, MILLIAMPERES),
                status,
            };
            if says_nothing(&optics) || is_blank(&optics) {
                continue;
            }
            let port = self.port_of(reading, row);
            let name = if reading.rows.names.is_empty() {
                Untrusted::default()
            } else {
                answers.name(&reading.rows.names, row)
            };
            self.rows.optics.push(Optics { port, name, ..optics });
        }
    }

    fn port_of(&mut self, reading: &OpticsReading, row: Row<'_>) -> Option<u32> {
        self.ports.of(self.answers, reading.port?, row)
    }
}

/// Nothing but zeros: there is no transceiver, or one without diagnostics.
fn is_blank(optics: &Optics) -> bool {
    [optics.rx_dbm, optics.tx_dbm, optics.temperature_c, optics.bias_ma].into_iter().flatten().all(|v| v == 0.0)
}

fn says_nothing(optics: &Optics) -> bool {
    [optics.rx_dbm, optics.tx_dbm, optics.temperature_c, optics.bias_ma].iter().all(Option::is_none)
}
