//! The stored form of a last known state. One byte of version, then fixed fields, big endian:
//!
//! ```text
//! 2 | condition u8 | since i64 | last_good: 0 or 1,i64 | at i64 | took_us u64 | outcome u8
//!   | summary: len u32, bytes | metrics: count u16, each: name len u16, bytes, value f64, unit u8
//!   | changes u32, last outcome + 1 or 0 u8, percent u8, flapping u8        (version 1 ends before these)
//! ```
//!
//! Facts and the step-by-step log are not kept: they are had again with the next look. What cannot be read is
//! `None`, never a guess.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Timestamp, Untrusted};
use crate::model::{CheckKey, Condition, Facts, Flap, Metric, Observation, Outcome, Reading, Remembered, Unit};

const VERSION: u8 = 2;

pub(super) const CONDITIONS: [Condition; 7] = [
    Condition::NotProbed,
    Condition::Ok,
    Condition::Pending,
    Condition::Unreachable,
    Condition::Unknown,
    Condition::Warning,
    Condition::Critical,
];
const OUTCOMES: [Outcome; 4] = [Outcome::Ok, Outcome::Warning, Outcome::Critical, Outcome::Unknown];
const UNITS: [Unit; 7] =
    [Unit::Count, Unit::Percent, Unit::Seconds, Unit::Bytes, Unit::BitsPerSecond, Unit::PerSecond, Unit::UnixSeconds];

/// Appends the stored form to `out`.
pub fn encode(one: &Remembered, out: &mut Vec<u8>) {
    let reading = &one.observation.reading;
    out.push(VERSION);
    out.push(place(&CONDITIONS, &one.condition));
    out.extend(one.since.millis().to_be_bytes());
    match one.last_good {
        None => out.push(0),
        Some(at) => {
            out.push(1);
            out.extend(at.millis().to_be_bytes());
        }
    }
    out.extend(one.observation.at.millis().to_be_bytes());
    out.extend(u64::try_from(one.observation.took.as_micros()).unwrap_or(u64::MAX).to_be_bytes());
    out.push(place(&OUTCOMES, &reading.outcome));
    let summary = reading.summary.as_bytes();
    out.extend((summary.len() as u32).to_be_bytes());
    out.extend(summary);
    let metrics = &reading.metrics[..reading.metrics.len().min(usize::from(u16::MAX))];
    out.extend((metrics.len() as u16).to_be_bytes());
    for metric in metrics {
        let name = &metric.name.as_bytes()[..metric.name.floor_char_boundary(usize::from(u16::MAX))];
        out.extend((name.len() as u16).to_be_bytes());
        out.extend(name);
        out.extend(metric.value.to_bits().to_be_bytes());
        out.push(place(&UNITS, &metric.unit));
    }
    let flap = &one.flap;
    out.extend(flap.changes.to_be_bytes());
    out.push(flap.last.map_or(0, |last| place(&OUTCOMES, &last) + 1));
    out.extend([flap.percent, u8::from(flap.flapping)]);
}

fn flap(rest: &mut &[u8]) -> Option<Flap> {
    let changes = u32::from_be_bytes(array(rest)?);
    let last = match byte(rest)? {
        0 => None,
        number => Some(*OUTCOMES.get(usize::from(number - 1))?),
    };
    let percent = byte(rest)?;
    let flapping = match byte(rest)? {
        0 => false,
        1 => true,
        _ => return None,
    };
    Some(Flap { changes, last, percent, flapping })
}

/// Metric names that were met before, so that ten thousand hosts share them.
pub type Names = HashMap<Box<[u8]>, Arc<str>>;

/// `None` where the form is not ours or is damaged.
pub fn decode(check: CheckKey, bytes: &[u8], names: &mut Names) -> Option<Remembered> {
    let mut rest = bytes;
    let version = byte(&mut rest)?;
    if !(1..=VERSION).contains(&version) {
        return None;
    }
    let condition = *CONDITIONS.get(usize::from(byte(&mut rest)?))?;
    let since = time(&mut rest)?;
    let last_good = match byte(&mut rest)? {
        0 => None,
        1 => Some(time(&mut rest)?),
        _ => return None,
    };
    let at = time(&mut rest)?;
    let took = Duration::from_micros(u64::from_be_bytes(array(&mut rest)?));
    let outcome = *OUTCOMES.get(usize::from(byte(&mut rest)?))?;
    let length = u32::from_be_bytes(array(&mut rest)?) as usize;
    let summary = Untrusted::new(take(&mut rest, length)?);
    let count = u16::from_be_bytes(array(&mut rest)?);
    let mut metrics = Vec::with_capacity(usize::from(count).min(rest.len() / 11));
    for _ in 0..count {
        let length = u16::from_be_bytes(array(&mut rest)?);
        let name = name(take(&mut rest, usize::from(length))?, names)?;
        let value = f64::from_bits(u64::from_be_bytes(array(&mut rest)?));
        metrics.push(Metric { name, value, unit: *UNITS.get(usize::from(byte(&mut rest)?))? });
    }
    let flap = if version == 1 { Flap::default() } else { flap(&mut rest)? };
    if !rest.is_empty() {
        return None;
    }
    let reading = Reading { outcome, summary, metrics, facts: Facts::None, log: Vec::new() };
    Some(Remembered {
        check: check.clone(),
        condition,
        since,
        last_good,
        observation: Observation { check, at, took, reading },
        flap,
    })
}

fn name(bytes: &[u8], names: &mut Names) -> Option<Arc<str>> {
    if let Some(known) = names.get(bytes) {
        return Some(known.clone());
    }
    let name: Arc<str> = Arc::from(std::str::from_utf8(bytes).ok()?);
    names.insert(Box::from(bytes), name.clone());
    Some(name)
}

pub(super) fn place<T: PartialEq>(table: &[T], value: &T) -> u8 {
    // A value that is not in its table reads back as damaged, which the test of all values rules out.
    table.iter().position(|v| v == value).map_or(u8::MAX, |at| at as u8)
}

pub(super) fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}

pub(super) fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    take(rest, N)?.try_into().ok()
}

pub(super) fn byte(rest: &mut &[u8]) -> Option<u8> {
    array::<1>(rest).map(|[b]| b)
}

pub(super) fn time(rest: &mut &[u8]) -> Option<Timestamp> {
    Some(Timestamp(i64::from_be_bytes(array(rest)?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{AssetId, Subject};

    fn key() -> CheckKey {
        CheckKey { subject: Subject::Host(AssetId::new("core-sw1")), name: Arc::from("icmp") }
    }

    fn decoded(bytes: &[u8]) -> Option<Remembered> {
        decode(key(), bytes, &mut Names::new())
    }

    prop_compose! {
        fn any_remembered()(
            condition in prop::sample::select(&CONDITIONS[..]),
            outcome in prop::sample::select(&OUTCOMES[..]),
            since in any::<i64>(), at in any::<i64>(), good in any::<Option<i64>>(), took in any::<u64>(),
            summary in prop::collection::vec(any::<u8>(), 0..300),
            metrics in prop::collection::vec(
                ("\\PC{0,20}", -1e12..1e12f64, prop::sample::select(&UNITS[..])), 0..8),
            changes in any::<u32>(), recorded in prop::option::of(prop::sample::select(&OUTCOMES[..])),
            percent in any::<u8>(), flapping in any::<bool>(),
        ) -> Remembered {
            let reading = Reading {
                outcome,
                summary: Untrusted::new(summary),
                metrics: metrics.into_iter().map(|(n, v, u)| Metric::new(&n, v, u)).collect(),
                facts: Facts::None,
                log: Vec::new(),
            };
            Remembered {
                check: key(), condition, since: Timestamp(since), last_good: good.map(Timestamp),
                observation: Observation { check: key(), at: Timestamp(at), took: Duration::from_micros(took), reading },
                flap: Flap { changes, last: recorded, percent, flapping },
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(one in any_remembered()) {
            let mut bytes = Vec::new();
            encode(&one, &mut bytes);
            prop_assert_eq!(decoded(&bytes), Some(one));
        }

        #[test]
        fn what_is_cut_short_or_longer_is_refused(one in any_remembered(), at in any::<prop::sample::Index>()) {
            let mut bytes = Vec::new();
            encode(&one, &mut bytes);
            prop_assert_eq!(decoded(&bytes[..at.index(bytes.len())]), None);
            bytes.push(0);
            prop_assert_eq!(decoded(&bytes), None);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decoded(&bytes);
        }
    }

    #[test]
    fn a_later_form_is_not_guessed() {
        assert_eq!(decoded(&[3, 1, 0, 0]), None);
    }
}
