//! One check: its pace, its last results, and what it tried.

use std::sync::Arc;

use super::{Line, ago, meaning, word};
use crate::base::{Timestamp, units};
use crate::config::theme::Meaning;
use crate::model::{Metric, Observation, Unit};
use crate::state::CheckView;

pub fn lines(now: Timestamp, check: &CheckView, out: &mut Vec<Line>) {
    let spec = &check.spec;
    let pace = units::config_duration(spec.interval);
    let soft = check.tries().filter(|_| check.is_soft()).map_or_else(String::new, |tries| format!("   {tries} bad"));
    let old = match (check.stale, check.restored) {
        (true, _) => "   stale",
        (_, true) => "   from the last run",
        _ => "",
    };
    out.push((meaning(check.condition), format!("{}   {}{soft}{old}", spec.key.name, word(check.condition))));
    // What could not be read goes nowhere.
    let to = if spec.wire.destination.is_empty() { "" } else { " to " };
    out.push((Meaning::Dim, format!("  {}{to}{}, every {pace}", spec.wire.protocol, spec.wire.destination)));
    if let Some(words) = check.stretched() {
        out.push((Meaning::Warning, format!("  {words}")));
    }
    if spec.volatile {
        out.push((Meaning::Dim, "  volatile: each result that is not good counts at once and is told".to_owned()));
    }
    if let Some(place) = &spec.runbook {
        out.push((Meaning::Dim, format!("  runbook {place}")));
    }
    if let Some(why) = &spec.waits_for {
        out.push((Meaning::Warning, format!("  waits for your word (R): {why}")));
    }
    if let Some(last) = &check.last {
        out.push((
            Meaning::Text,
            format!(
                "  {}   {}, took {}",
                last.reading.summary.line(),
                ago(now, Some(last.at)),
                units::round_trip(last.took)
            ),
        ));
        let metrics: Vec<String> = last.reading.metrics.iter().map(|m| metric(now, m)).collect();
        for part in metrics.chunks(5) {
            out.push((Meaning::Dim, format!("  {}", part.join("   "))));
        }
        out.extend(last.reading.log.iter().map(|l| (Meaning::Dim, format!("  {}", l.line()))));
    }
    // The last result stands above, with its log; that of the other kind has its own here.
    let is_last = |result: &&Arc<Observation>| check.last.as_ref().is_some_and(|last| last.at == result.at);
    let (good, bad) = (check.good_before.as_ref(), check.last_bad.as_ref());
    let said = |at: Option<Timestamp>, result: Option<&Arc<Observation>>| {
        let words =
            result.filter(|result| !is_last(result)).map(|result| format!(": {}", result.reading.summary.line()));
        format!("{}{}", ago(now, at), words.unwrap_or_default())
    };
    let words = format!("  last good {}   last bad {}", said(check.last_good, good), said(bad.map(|bad| bad.at), bad));
    out.push((Meaning::Dim, words));
    for (name, result) in [("good", good), ("bad", bad)] {
        let log = result.filter(|result| !is_last(result)).map_or(&[][..], |result| &result.reading.log);
        if !log.is_empty() {
            out.push((Meaning::Dim, format!("  of the last {name} one:")));
        }
        out.extend(log.iter().map(|line| (Meaning::Dim, format!("    {}", line.line()))));
    }
}

fn metric(now: Timestamp, metric: &Metric) -> String {
    let value = match metric.unit {
        Unit::Percent => format!("{:.0} %", metric.value),
        Unit::Seconds if metric.value >= 60.0 => {
            units::clock_duration(std::time::Duration::from_secs_f64(metric.value.max(0.0)))
        }
        Unit::Seconds => units::round_trip(std::time::Duration::from_secs_f64(metric.value.max(0.0))),
        Unit::Bytes => units::bytes(metric.value as u64),
        Unit::BitsPerSecond => format!("{}bit/s", units::bit_rate(metric.value)),
        Unit::UnixSeconds => ago(now, Some(Timestamp::from_millis((metric.value * 1000.0) as i64))),
        Unit::Count if metric.value.fract() == 0.0 => format!("{:.0}", metric.value),
        Unit::Count | Unit::PerSecond => format!("{:.2}", metric.value),
    };
    format!("{} {value}", metric.name)
}
