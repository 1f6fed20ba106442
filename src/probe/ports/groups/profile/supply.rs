//! Power: what an uninterruptible supply says, and power over Ethernet. And what switches ports off.

use std::sync::Arc;
use std::time::Duration;

use super::values::readable;
use super::{Fold, List};
use crate::base::Untrusted;
use crate::model::device::{ErrDisabled, PoeBudget, Ups};
use crate::profile::table::{ErrDisabledReading, PoeBudgetReading, PoePortReading, UpsReading};

/// No cause has a longer name.
const LONGEST_CAUSE: usize = 64;

impl Fold<'_, '_> {
    pub(super) fn ups(&mut self, reading: &UpsReading) {
        let answers = self.answers;
        let one = |number: &Option<_>| answers.numbers(number.as_ref()?).first().copied();
        let found = Ups {
            source: reading.source.as_ref().and_then(|words| answers.word(words, None)).copied(),
            on_battery_for: one(&reading.on_battery).and_then(seconds),
            minutes_left: one(&reading.minutes).filter(|minutes| *minutes >= 0.0),
            charge_percent: one(&reading.charge).filter(|charge| (0.0..=100.0).contains(charge)),
            load_percent: reading.load.as_ref().and_then(|number| {
                answers.numbers(number).into_iter().filter(|load| (0.0..=1000.0).contains(load)).reduce(f64::max)
            }),
            battery: reading.battery.as_ref().and_then(|words| answers.word(words, None)).copied(),
            alarms: one(&reading.alarms).filter(|alarms| *alarms >= 0.0).map(|alarms| alarms as u64),
        };
        if found != Ups::default() {
            let known = self.rows.ups.take().unwrap_or_default();
            self.rows.ups = Some(crate::probe::ports::parts::laid_over(&known, &found));
        }
    }

    pub(super) fn poe_port(&mut self, reading: &PoePortReading) {
        let answers = self.answers;
        for row in answers.rows(&reading.rows) {
            let watts = reading.watts.as_ref().and_then(|number| answers.number(number, row));
            let status = reading.status.as_ref().and_then(|words| answers.word(words, row)).copied();
            let port = self.ports.of(answers, reading.port, row);
            if let Some(port) = port {
                self.patch(port, |patch| {
                    patch.poe_watts =
                        watts.filter(|w| (0.0..=1000.0).contains(w)).map(|w| w as f32).or(patch.poe_watts);
                    patch.poe_status = status.or(patch.poe_status);
                });
            }
        }
    }

    pub(super) fn poe_budget(&mut self, reading: &PoeBudgetReading) {
        let answers = self.answers;
        self.replaces(List::Poe, reading.rows.replaces);
        for row in answers.rows(&reading.rows) {
            let read = |number: &Option<_>| answers.number(number.as_ref()?, row).filter(|w| *w >= 0.0);
            let (watts, used_watts) = (read(&reading.watts), read(&reading.used));
            if watts.is_none() && used_watts.is_none() {
                continue;
            }
            let group = row.and_then(|row| row.arcs().last()).unwrap_or(1);
            let faulty = reading.faulty.as_ref().and_then(|words| answers.word(words, row)).copied();
            self.rows.poe.push(PoeBudget { group, watts, used_watts, faulty });
        }
    }

    pub(super) fn err_disabled(&mut self, reading: &ErrDisabledReading) {
        let answers = self.answers;
        for row in answers.rows(&reading.rows) {
            let Some(value) = answers.value(reading.cause.cell, row) else { continue };
            let cause: Arc<str> = match answers.word(&reading.cause, row) {
                Some(None) => continue,
                Some(Some(word)) => Arc::from(&**word),
                None => match readable(value) {
                    Some(text) => Untrusted::bounded(&text, LONGEST_CAUSE).line().into(),
                    None => continue,
                },
            };
            let recovers_in =
                reading.recovers.as_ref().and_then(|number| answers.number(number, row)).and_then(seconds);
            let port = self.ports.of(answers, reading.port, row);
            if let Some(port) = port {
                self.patch(port, |patch| patch.err_disabled = Some(ErrDisabled { cause, recovers_in }));
            }
        }
    }
}

/// Nobody waits longer than a hundred years.
pub fn seconds(seconds: f64) -> Option<Duration> {
    (0.0..=3.2e9).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}
