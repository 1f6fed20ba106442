//! Civil times that a clock change takes away or doubles, and schedules that never come.

use cronexpr::{Crontab, MakeTimestamp, parse_crontab};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::base::Timestamp;

/// After so many years dates fall on the same days of the week again.
const CYCLE_YEARS: i16 = 28;
/// A schedule is looked for so many years at a time.
const STRIDE_YEARS: i16 = 4;
/// How far ahead the clock changes of a schedule are told.
const AHEAD_DAYS: i64 = 366;

/// A civil time with the instant that it is taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    pub at: Timestamp,
    /// What the clock does at that time, where it does not simply go on.
    pub oddity: Option<String>,
}

/// RFC 3339 with an offset, or a civil time in a zone: one that does not exist is when the gap ends, one that exists twice
/// is the first.
pub fn moment(text: &str, zone: &str) -> Option<Moment> {
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Some(Moment { at, oddity: None });
    }
    let civil: DateTime = text.trim().replace(' ', "T").parse().ok()?;
    taken_for(civil, &TimeZone::get(zone).ok()?, zone)
}

fn taken_for(civil: DateTime, zone: &TimeZone, name: &str) -> Option<Moment> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let shown = civil.strftime("%Y-%m-%d %H:%M");
    Some(match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => Moment { at: instant(ambiguous.compatible().ok()?), oddity: None },
        AmbiguousOffset::Fold { .. } => {
            let [first, second] = [ambiguous.earlier().ok()?, ambiguous.later().ok()?].map(instant);
            let words = format!("{shown} comes twice in {name}, at {first} and at {second}: the first is taken");
            Moment { at: first, oddity: Some(words) }
        }
        AmbiguousOffset::Gap { .. } => {
            // The clock jumps between the two readings of the missing time.
            let jump = zone.following(ambiguous.earlier().ok()?).next()?.timestamp();
            let after = jump.to_zoned(zone.clone()).strftime("%H:%M").to_string();
            let words = format!(
                "{shown} does not exist in {name}: the clock is put forward to {after} at {}, which is taken",
                instant(jump)
            );
            Moment { at: instant(jump), oddity: Some(words) }
        }
    })
}

fn instant(at: jiff::Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millisecond())
}

/// Whether no date of any year fits five cron fields. `None` where they are none.
pub fn never_comes(cron: &str) -> Option<bool> {
    let cron = parse_crontab(&format!("{cron} UTC")).ok()?;
    let starts =
        (0..CYCLE_YEARS / STRIDE_YEARS).map(|n| jiff::civil::date(1999 + n * STRIDE_YEARS, 12, 31).at(23, 59, 0, 0));
    let mut found = starts.filter_map(|start| next(&cron, start));
    Some(found.next().is_none())
}

/// The first civil time of a schedule after another one.
fn next(cron: &Crontab, after: DateTime) -> Option<DateTime> {
    let start = MakeTimestamp(after.to_zoned(TimeZone::UTC).ok()?.timestamp());
    Some(cron.find_next(start).ok()?.datetime())
}

/// What the clock changes of the next year do to the beginnings of a schedule, in words with the instants.
pub fn changes_ahead(cron: &str, zone: &str, now: Timestamp) -> Vec<String> {
    let found = (|| {
        let (cron, clock) = (parse_crontab(&format!("{cron} UTC")).ok()?, TimeZone::get(zone).ok()?);
        let begin = jiff::Timestamp::from_millisecond(now.millis()).ok()?;
        let end = begin + jiff::SignedDuration::from_hours(24 * AHEAD_DAYS);
        let changes = clock.following(begin).take_while(|change| change.timestamp() <= end);
        let each = changes.filter_map(|change| {
            let at = change.timestamp();
            let before = clock.to_offset(at - jiff::SignedDuration::from_secs(1)).to_datetime(at);
            let after = change.offset().to_datetime(at);
            // What is skipped, or comes twice.
            let (from, until) = (before.min(after), before.max(after));
            let first = next(&cron, from - jiff::SignedDuration::from_mins(1)).filter(|tick| *tick < until)?;
            taken_for(first, &clock, zone)?.oddity
        });
        Some(each.collect::<Vec<_>>())
    })();
    found.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    #[test]
    fn what_the_clock_skips_or_doubles_is_said_with_the_instants() {
        let berlin = |text: &str| moment(text, "Europe/Berlin").expect("a time");
        let gap = berlin("2026-03-29 02:30");
        assert_eq!(gap.at, at("2026-03-29T01:00:00Z"));
        assert_eq!(
            gap.oddity.as_deref(),
            Some(
                "2026-03-29 02:30 does not exist in Europe/Berlin: the clock is put forward to 03:00 at \
                 2026-03-29T01:00:00.000Z, which is taken"
            )
        );
        let fold = berlin("2026-10-25 02:30");
        assert_eq!(fold.at, at("2026-10-25T00:30:00Z"));
        assert_eq!(
            fold.oddity.as_deref(),
            Some(
                "2026-10-25 02:30 comes twice in Europe/Berlin, at 2026-10-25T00:30:00.000Z and at \
                 2026-10-25T01:30:00.000Z: the first is taken"
            )
        );
        assert_eq!(berlin("2026-03-29 03:00").oddity, None);
        assert_eq!(berlin("2026-03-29T02:30:00Z").oddity, None);
        assert_eq!((moment("25th of March", "UTC"), moment("2026-03-29 02:30", "Mars/Base")), (None, None));
    }

    #[test]
    fn a_schedule_that_fits_no_date_is_found_and_a_rare_one_is_none() {
        for never in ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
            assert_eq!(never_comes(never), Some(true), "{never}");
        }
        // Leap days, a fifth Monday in February, a day of the month or of the week.
        for rare in ["0 0 29 2 *", "0 0 * 2 MON#5", "0 0 31 2 1", "30 2 * * *"] {
            assert_eq!(never_comes(rare), Some(false), "{rare}");
        }
        assert_eq!(never_comes("61 * * * *"), None);
    }

    #[test]
    fn the_next_clock_changes_of_a_schedule_are_told() {
        let now = at("2026-11-27T00:00:00Z");
        let told = |cron: &str, zone: &str| {
            let begin = |words: String| words.split(':').next().unwrap_or_default().to_owned();
            changes_ahead(cron, zone, now).into_iter().map(begin).collect::<Vec<_>>()
        };
        assert_eq!(told("30 2 * * *", "Europe/Berlin"), ["2027-03-28 02", "2027-10-31 02"]);
        assert_eq!(told("30 2 * * 6", "Europe/Berlin"), Vec::<String>::new(), "both are Sundays");
        assert_eq!(told("0 3 * * *", "Europe/Berlin"), Vec::<String>::new());
        assert_eq!(told("30 2 * * *", "UTC"), Vec::<String>::new());
        let all = changes_ahead("* * * * *", "America/New_York", now);
        assert!(all[0].starts_with("2027-03-14 02:00 does not exist"), "{all:?}");
        assert!(all[1].starts_with("2027-11-07 01:00 comes twice"), "{all:?}");
    }
}
