//! The operator's own limits, held against what checks report. What a limit says is added to what the check says itself,
//! and is believed at once: it has been seen more than once already.

use std::sync::Arc;

use super::HostSlot;
use crate::base::Untrusted;
use crate::model::{CheckKey, Condition, Metric, Observation, Outcome, Side, Threshold, Unit};
use crate::state::rules::hysteresis::{Gauge, Level};

/// The limits of one check, and where its numbers stand.
#[derive(Clone, Debug)]
pub struct Gauges {
    key: CheckKey,
    thresholds: Arc<[Threshold]>,
    at: Vec<Gauge>,
    /// Nothing was looked at in this run.
    fresh: bool,
}

impl Gauges {
    /// As `old` had it, where the limits are the same.
    pub fn new(key: &CheckKey, thresholds: &Arc<[Threshold]>, old: Option<&[Self]>) -> Self {
        let same = |one: &&Self| one.key == *key && one.thresholds == *thresholds;
        old.into_iter().flatten().find(same).cloned().unwrap_or_else(|| Self {
            key: key.clone(),
            thresholds: thresholds.clone(),
            at: vec![Gauge::default(); thresholds.len()],
            fresh: true,
        })
    }
}

/// Holds a result against the limits of its check. True where they decide what it says.
pub fn apply(slot: &mut HostSlot, check: usize, observation: &mut Observation) -> bool {
    let Some(mine) = slot.gauges.iter_mut().find(|one| one.key == observation.check) else { return false };
    // A run that got no answer has no numbers, and says so itself.
    if !matches!(observation.reading.outcome, Outcome::Ok | Outcome::Warning) {
        return false;
    }
    let metrics = &observation.reading.metrics;
    let held = Level::of(slot.view.checks[check].condition);
    let fresh = std::mem::take(&mut mine.fresh) && held > Level::Fine;
    let mut worst: Option<(Level, usize)> = None;
    let mut missing = None;
    for (n, (gauge, threshold)) in mine.at.iter_mut().zip(mine.thresholds.iter()).enumerate() {
        *gauge = if fresh { Gauge::resumed(threshold, metrics, held) } else { gauge.after(threshold, metrics) };
        if gauge.level > worst.map_or(Level::Fine, |(level, _)| level) {
            worst = Some((gauge.level, n));
        }
        if gauge.is_missing() {
            missing = missing.or(Some(threshold.metric.clone()));
        }
    }
    let (outcome, words) = match (worst, &missing) {
        (Some((level, n)), _) => (outcome(level), words(&mine.thresholds[n], metrics, level)),
        (None, Some(metric)) => (Outcome::Unknown, format!("no data for {metric}, which used to come")),
        (None, None) => (Outcome::Ok, String::new()),
    };
    if slot.view.checks[check].missing != missing {
        Arc::make_mut(&mut slot.view).checks[check].missing = missing;
    }
    let decides = match outcome {
        Outcome::Ok => false,
        Outcome::Warning | Outcome::Unknown => observation.reading.outcome == Outcome::Ok,
        Outcome::Critical => true,
    };
    if decides {
        observation.reading.outcome = outcome;
        let mut summary = words.into_bytes();
        if !observation.reading.summary.is_empty() {
            summary.extend_from_slice(" · ".as_bytes());
            summary.extend_from_slice(observation.reading.summary.as_bytes());
        }
        observation.reading.summary = Untrusted::new(summary);
    }
    decides
}

fn outcome(level: Level) -> Outcome {
    match level.condition() {
        Condition::Critical => Outcome::Critical,
        Condition::Warning => Outcome::Warning,
        Condition::Ok | Condition::Unknown | Condition::Pending | Condition::Unreachable | Condition::NotProbed => {
            Outcome::Ok
        }
    }
}

fn words(threshold: &Threshold, metrics: &[Metric], level: Level) -> String {
    let limit = match level {
        Level::Critical => threshold.critical.or(threshold.warning),
        Level::Warning | Level::Fine => threshold.warning.or(threshold.critical),
    };
    let name = &threshold.metric;
    let Some(metric) = metrics.iter().find(|m| *m.name == **name) else {
        return format!("{name} was beyond its limit, and is not told now");
    };
    let show = |value: f64| match metric.unit {
        Unit::Percent => format!("{value:.1} %"),
        Unit::Seconds if value < 1.0 => format!("{:.1} ms", value * 1_000.0),
        Unit::Seconds => format!("{value:.2} s"),
        Unit::Count | Unit::Bytes | Unit::BitsPerSecond | Unit::PerSecond | Unit::UnixSeconds => format!("{value}"),
    };
    let side = match threshold.side {
        Side::Above => "from",
        Side::Below => "down to",
    };
    let limit = limit.map(|limit| format!(", {} {side} {}", level.condition().as_str(), show(limit)));
    format!("{name} {}{}", show(metric.value), limit.unwrap_or_default())
}

#[cfg(test)]
mod tests;
