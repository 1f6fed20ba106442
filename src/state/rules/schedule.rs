//! When a job should have run and will run next: five cron fields in the job's own time zone, evaluated in civil
//! time and mapped to instants afterwards. A civil time that does not exist (spring) runs when the gap ends; one
//! that exists twice (autumn) counts once, the first time.

use std::time::Duration;

use cronexpr::{Crontab, MakeTimestamp, parse_crontab};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::base::Timestamp;
use crate::model::Schedule;

/// A run out of a gap starts right after it, or when its daemon wakes: so much later it may come.
const AFTER_GAP: Duration = Duration::from_secs(75 * 60);
/// Spans that are searched backwards for the last tick, in hours: the first that has one is enough.
const BACK_HOURS: [i64; 6] = [2, 49, 8 * 24, 63 * 24, 400 * 24, 5 * 366 * 24];

/// A moment at which a run is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    pub at: Timestamp,
    /// Its civil time does not exist on that day.
    pub in_gap: bool,
}

impl Tick {
    /// So many milliseconds later, or earlier where that is negative.
    #[must_use]
    pub fn shifted(self, millis: i64) -> Self {
        Self { at: self.at.shifted(millis), ..self }
    }

    /// When a run that has not come is missed.
    pub fn deadline(&self, grace: Duration) -> Timestamp {
        self.at.plus(if self.in_gap { grace.max(AFTER_GAP) } else { grace })
    }
}

/// A schedule that was understood.
#[derive(Debug)]
pub struct Plan {
    cron: Crontab,
    zone: TimeZone,
}

impl Plan {
    /// `None` where the expression or the zone means nothing; the configuration has refused such before.
    pub fn of(schedule: &Schedule) -> Option<Self> {
        let zone = TimeZone::get(&schedule.timezone).ok()?;
        // Civil times are fed to the parser as if they were UTC.
        let cron = parse_crontab(&format!("{} UTC", schedule.cron)).ok()?;
        Some(Self { cron, zone })
    }

    /// The last tick at or before `now`, and the one before it.
    pub fn last_two(&self, now: Timestamp) -> (Option<Tick>, Option<Tick>) {
        let Some(local) = self.civil(now) else { return (None, None) };
        let local = as_utc(local);
        for hours in BACK_HOURS {
            let from = local.saturating_sub(hours * 3600);
            let mut found: Vec<Tick> = Vec::new();
            // An hour more than local time: in a fold, what is civilly later may be past already.
            for civil in self.civil_ticks(from, local.saturating_add(3600)) {
                if let Some(tick) = self.tick(civil)
                    && tick.at <= now
                    && found.last().is_none_or(|last| last.at < tick.at)
                {
                    found.push(tick);
                }
            }
            if found.len() > 1 || (hours == BACK_HOURS[BACK_HOURS.len() - 1] && !found.is_empty()) {
                let last = found.pop();
                return (last, found.pop());
            }
        }
        (None, None)
    }

    /// The next tick after `now`.
    pub fn next(&self, now: Timestamp) -> Option<Tick> {
        let from = as_utc(self.civil(now)?).saturating_sub(2 * 3600);
        let start = MakeTimestamp(jiff::Timestamp::from_second(from).ok()?);
        let civil = self.cron.iter_after(start).ok()?.take(4096).map_while(Result::ok);
        civil.filter_map(|zoned| self.tick(zoned.datetime())).find(|tick| tick.at > now)
    }

    fn civil(&self, at: Timestamp) -> Option<DateTime> {
        Some(jiff::Timestamp::from_millisecond(at.millis()).ok()?.to_zoned(self.zone.clone()).datetime())
    }

    fn civil_ticks(&self, from: i64, to: i64) -> impl Iterator<Item = DateTime> + use<> {
        let start = jiff::Timestamp::from_second(from).ok().map(MakeTimestamp);
        let times = start.and_then(|start| self.cron.iter_after(start).ok());
        times
            .into_iter()
            .flatten()
            .map_while(Result::ok)
            .take_while(move |zoned| zoned.timestamp().as_second() <= to)
            .map(|zoned| zoned.datetime())
    }

    fn tick(&self, civil: DateTime) -> Option<Tick> {
        let ambiguous = self.zone.to_ambiguous_timestamp(civil);
        let instant = |at: jiff::Timestamp| Timestamp::from_millis(at.as_millisecond());
        Some(match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => Tick { at: instant(ambiguous.unambiguous().ok()?), in_gap: false },
            AmbiguousOffset::Fold { .. } => Tick { at: instant(ambiguous.earlier().ok()?), in_gap: false },
            AmbiguousOffset::Gap { .. } => {
                let before = ambiguous.earlier().ok()?;
                // The clock jumps between the two readings of the missing time.
                let jump = self.zone.following(before).next()?.timestamp();
                Tick { at: instant(jump), in_gap: true }
            }
        })
    }
}

fn as_utc(civil: DateTime) -> i64 {
    civil.to_zoned(TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(cron: &str, zone: &str) -> Plan {
        Plan::of(&Schedule { cron: cron.into(), timezone: zone.into() }).expect("a schedule")
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    fn last(plan: &Plan, now: &str) -> (String, bool) {
        let tick = plan.last_two(at(now)).0.expect("a tick");
        (tick.at.rfc3339(), tick.in_gap)
    }

    #[test]
    fn a_daily_run_follows_summer_time() {
        let berlin = plan("30 2 * * *", "Europe/Berlin");
        assert_eq!(last(&berlin, "2026-03-28T12:00:00Z"), ("2026-03-28T01:30:00.000Z".into(), false));
        assert_eq!(last(&berlin, "2026-03-29T12:00:00Z"), ("2026-03-29T01:00:00.000Z".into(), true));
        assert_eq!(last(&berlin, "2026-03-30T12:00:00Z"), ("2026-03-30T00:30:00.000Z".into(), false));
        assert_eq!(last(&berlin, "2026-10-25T00:29:59Z"), ("2026-10-24T00:30:00.000Z".into(), false));
        assert_eq!(last(&berlin, "2026-10-25T00:30:00Z"), ("2026-10-25T00:30:00.000Z".into(), false));
        assert_eq!(last(&berlin, "2026-10-25T12:00:00Z"), ("2026-10-25T00:30:00.000Z".into(), false));
        let york = plan("30 1 * * *", "America/New_York");
        assert_eq!(last(&york, "2026-11-01T12:00:00Z"), ("2026-11-01T05:30:00.000Z".into(), false));
        let york = plan("30 2 * * *", "America/New_York");
        assert_eq!(last(&york, "2026-03-08T12:00:00Z"), ("2026-03-08T07:00:00.000Z".into(), true));
    }

    #[test]
    fn a_run_out_of_the_gap_may_come_until_a_quarter_past_two() {
        let tick = plan("30 2 * * *", "Europe/Berlin").last_two(at("2026-03-29T12:00:00Z")).0.expect("a tick");
        assert_eq!(tick.deadline(Duration::from_secs(600)), at("2026-03-29T02:15:00Z"));
        assert_eq!(tick.deadline(Duration::from_hours(3)), at("2026-03-29T04:00:00Z"));
    }

    #[test]
    fn the_next_run_is_after_now_even_around_the_clock_change() {
        let berlin = plan("30 2 * * *", "Europe/Berlin");
        let next = |now: &str| berlin.next(at(now)).map(|t| t.at);
        assert_eq!(next("2026-03-28T12:00:00Z"), Some(at("2026-03-29T01:00:00Z")));
        assert_eq!(next("2026-03-29T01:00:00Z"), Some(at("2026-03-30T00:30:00Z")));
        assert_eq!(next("2026-10-25T00:45:00Z"), Some(at("2026-10-26T01:30:00Z")));
    }

    #[test]
    fn rare_rules_are_found_far_back() {
        let utc = plan("0 2 31 * *", "UTC");
        assert_eq!(last(&utc, "2026-06-15T00:00:00Z"), ("2026-05-31T02:00:00.000Z".into(), false));
        assert_eq!(utc.next(at("2026-05-31T02:00:00Z")).map(|t| t.at), Some(at("2026-07-31T02:00:00Z")));
        let yearly = plan("0 0 1 1 *", "UTC");
        assert_eq!(last(&yearly, "2026-06-15T00:00:00Z").0, "2026-01-01T00:00:00.000Z");
        let weekdays = plan("0 2 * * 1-5", "UTC");
        assert_eq!(last(&weekdays, "2026-11-22T12:00:00Z").0, "2026-11-20T02:00:00.000Z");
    }
}
