//! When a maintenance window is open: fixed, or recurring by a schedule in its own time zone. A start that does not exist
//! (spring) is when the gap ends; one that exists twice (autumn) counts once, the first time. How long it lasts is elapsed
//! time, not civil time.

use std::sync::Arc;

use super::schedule::Plan;
use crate::base::Timestamp;
use crate::model::{Maintenance, Span};

/// An order whose schedule was understood.
#[derive(Debug)]
pub struct Window {
    pub maintenance: Arc<Maintenance>,
    stretch: Stretch,
    /// Its times are those of the system's clock, whatever steady time says; else steady times.
    by_wall: bool,
}

/// A stretch of time, once or again and again.
#[derive(Debug)]
pub struct Stretch {
    span: Span,
    plan: Option<Plan>,
}

/// One time that a window is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Window {
    /// One of the configuration. `None` where the schedule means nothing; the configuration and the command line have refused such
    /// before.
    pub fn configured(maintenance: Arc<Maintenance>) -> Option<Self> {
        let stretch = Stretch::of(&maintenance.order.span)?;
        Some(Self { maintenance, stretch, by_wall: true })
    }

    /// One that somebody ordered: a clock that is set afterwards neither prolongs nor ends it, unless it comes again and again.
    pub fn ordered(maintenance: Arc<Maintenance>) -> Option<Self> {
        let stretch = Stretch::of(&maintenance.order.span)?;
        let by_wall = matches!(maintenance.order.span, Span::Recurring { .. });
        Some(Self { maintenance, stretch, by_wall })
    }

    fn shift(&self, ahead: i64) -> i64 {
        if self.by_wall { ahead } else { 0 }
    }

    /// The last opening that has begun, and may be over, in steady time. The system's clock is `ahead` of that by so many milliseconds.
    pub fn latest(&self, now: Timestamp, ahead: i64) -> Option<Opening> {
        let shift = self.shift(ahead);
        let Opening { from, until } = self.stretch.latest(now.shifted(shift))?;
        Some(Opening { from: from.shifted(-shift), until: until.shifted(-shift) })
    }

    /// When it next opens or closes, in steady time.
    pub fn next_change(&self, now: Timestamp, ahead: i64) -> Option<Timestamp> {
        let shift = self.shift(ahead);
        self.stretch.next_change(now.shifted(shift)).map(|at| at.shifted(-shift))
    }
}

impl Stretch {
    /// `None` where the schedule means nothing.
    pub fn of(span: &Span) -> Option<Self> {
        let plan = match span {
            Span::Once { .. } => None,
            Span::Recurring { schedule, .. } => Some(Plan::of(schedule)?),
        };
        Some(Self { span: span.clone(), plan })
    }

    /// The opening that `now` is in.
    pub fn opening(&self, now: Timestamp) -> Option<Opening> {
        self.latest(now).filter(|opening| now < opening.until)
    }

    /// The last opening that has begun, and may be over.
    pub fn latest(&self, now: Timestamp) -> Option<Opening> {
        let opening = match (&self.span, &self.plan) {
            (Span::Recurring { lasts, .. }, Some(plan)) => {
                let from = plan.last_two(now).0?.at;
                Opening { from, until: from.plus(*lasts) }
            }
            (Span::Once { from, until }, _) => Opening { from: *from, until: *until },
            (Span::Recurring { .. }, None) => return None,
        };
        (opening.from <= now).then_some(opening)
    }

    /// When it next opens or closes.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        if let Some(opening) = self.opening(now) {
            return Some(opening.until);
        }
        match (&self.span, &self.plan) {
            (Span::Recurring { .. }, Some(plan)) => plan.next(now).map(|tick| tick.at),
            (Span::Once { from, .. }, _) => Some(*from).filter(|from| *from > now),
            (Span::Recurring { .. }, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::Untrusted;
    use crate::model::{Order, Schedule, Scope};

    fn window(span: &Span) -> Stretch {
        Stretch::of(span).expect("understood")
    }

    fn recurring(cron: &str, zone: &str, hours: u64) -> Stretch {
        let schedule = Schedule { cron: cron.into(), timezone: zone.into() };
        window(&Span::Recurring { schedule, lasts: Duration::from_hours(hours) })
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    /// All openings of a stretch of time, found by going from change to change.
    fn openings(window: &Stretch, from: &str, to: &str) -> Vec<(String, String)> {
        let (mut now, mut out) = (at(from), Vec::new());
        while now < at(to) {
            if let Some(opening) = window.opening(now) {
                out.push((opening.from.rfc3339(), opening.until.rfc3339()));
            }
            let Some(next) = window.next_change(now) else { break };
            assert!(next > now, "it goes on");
            now = next;
        }
        out
    }

    fn pair(from: &str, until: &str) -> (String, String) {
        (at(from).rfc3339(), at(until).rfc3339())
    }

    #[test]
    fn a_fixed_window_opens_once() {
        let once = window(&Span::Once { from: at("2026-12-01T22:00:00Z"), until: at("2026-12-02T01:00:00Z") });
        assert_eq!(once.opening(at("2026-12-01T21:59:59Z")), None);
        assert!(once.opening(at("2026-12-01T22:00:00Z")).is_some());
        assert_eq!(once.opening(at("2026-12-02T01:00:00Z")), None, "the end is no part of it");
        assert_eq!(openings(&once, "2026-11-01T00:00:00Z", "2027-01-01T00:00:00Z").len(), 1);
    }

    #[test]
    fn a_recurring_window_follows_summer_time() {
        let berlin = recurring("0 22 * * *", "Europe/Berlin", 2);
        let around = openings(&berlin, "2026-03-28T00:00:00Z", "2026-03-30T12:00:00Z");
        let expected = [
            pair("2026-03-28T21:00:00Z", "2026-03-28T23:00:00Z"),
            pair("2026-03-29T20:00:00Z", "2026-03-29T22:00:00Z"),
        ];
        assert_eq!(around, expected);
    }

    #[test]
    fn a_start_in_the_gap_is_when_the_gap_ends_and_a_doubled_one_counts_once() {
        let berlin = recurring("30 2 * * *", "Europe/Berlin", 1);
        let spring = openings(&berlin, "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z");
        assert_eq!(spring, [pair("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z")]);
        let autumn = openings(&berlin, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z");
        assert_eq!(autumn, [pair("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z")]);
        // Across the change two hours are two hours.
        let across = recurring("0 1 * * *", "Europe/Berlin", 2);
        let spring = openings(&across, "2026-03-28T23:30:00Z", "2026-03-29T12:00:00Z");
        assert_eq!(spring, [pair("2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z")]);
    }

    #[test]
    fn a_window_that_begins_again_before_it_ends_stays_open() {
        let always = recurring("0 * * * *", "UTC", 3);
        assert!(always.opening(at("2026-06-01T12:59:59Z")).is_some());
        assert!(openings(&always, "2026-06-01T12:10:00Z", "2026-06-01T18:00:00Z").len() >= 2);
    }

    #[test]
    fn a_schedule_that_means_nothing_opens_nothing() {
        let schedule = Schedule { cron: "61 * * * *".into(), timezone: "UTC".into() };
        let span = Span::Recurring { schedule, lasts: Duration::from_hours(1) };
        let order = Order { scope: Scope::Tag("x".into()), span, flexible: None, note: Untrusted::default() };
        assert!(Window::configured(Arc::new(Maintenance { id: "1".into(), author: "x".into(), order })).is_none());
    }
}
