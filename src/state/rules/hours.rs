//! When a channel to people may speak: only in some stretches of time, or in all but some. What is quiet now has a time at which
//! that ends.

use std::time::Duration;

use super::maintenance::Stretch;
use crate::base::Timestamp;
use crate::model::Hours;

/// Nothing that never opens is looked for beyond this, nor through more changes than this.
const HORIZON: Duration = Duration::from_secs(366 * 86_400);
const MOST_CHANGES: usize = 2_000;

/// Hours whose schedules were understood. All times are the wall clock's.
#[derive(Debug, Default)]
pub struct Opening {
    active: Vec<Stretch>,
    mute: Vec<Stretch>,
    limited: bool,
}

impl Opening {
    pub fn of(hours: &Hours) -> Self {
        let stretches = |spans: &[_]| spans.iter().filter_map(Stretch::of).collect();
        Self { active: stretches(&hours.active), mute: stretches(&hours.mute), limited: !hours.active.is_empty() }
    }

    /// It speaks at any time.
    pub fn is_always(&self) -> bool {
        !self.limited && self.mute.is_empty()
    }

    fn is_quiet(&self, now: Timestamp) -> bool {
        let any = |stretches: &[Stretch]| stretches.iter().any(|stretch| stretch.opening(now).is_some());
        any(&self.mute) || (self.limited && !any(&self.active))
    }

    /// Until when it is quiet, a year from now at the most; `None` where it may speak.
    pub fn quiet_until(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_always() || !self.is_quiet(now) {
            return None;
        }
        let end = now.plus(HORIZON);
        let mut at = now;
        for _ in 0..MOST_CHANGES {
            at = self.next_change(at).filter(|next| *next < end).unwrap_or(end);
            if at == end || !self.is_quiet(at) {
                break;
            }
        }
        Some(at)
    }

    /// When something of it opens or closes next.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.active.iter().chain(&self.mute).filter_map(|stretch| stretch.next_change(now)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Schedule, Span};

    fn daily(cron: &str, hours: u64) -> Span {
        let schedule = Schedule { cron: cron.into(), timezone: "Europe/Berlin".into() };
        Span::Recurring { schedule, lasts: Duration::from_hours(hours) }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    fn quiet(opening: &Opening, now: &str) -> Option<String> {
        opening.quiet_until(at(now)).map(|until| until.rfc3339()[..16].to_owned())
    }

    #[test]
    fn outside_its_hours_it_is_quiet_until_they_open() {
        let office = Opening::of(&Hours { active: vec![daily("0 8 * * 1-5", 10)], mute: Vec::new() });
        // A Friday; Berlin is an hour ahead of UTC.
        assert_eq!(quiet(&office, "2026-11-27T06:59:00Z"), Some("2026-11-27T07:00".into()));
        assert_eq!(quiet(&office, "2026-11-27T07:00:00Z"), None);
        assert_eq!(quiet(&office, "2026-11-27T16:59:59Z"), None);
        assert_eq!(quiet(&office, "2026-11-27T17:00:00Z"), Some("2026-11-30T07:00".into()), "over the weekend");
        // The clock goes forward on that Sunday.
        assert_eq!(quiet(&office, "2026-03-28T12:00:00Z"), Some("2026-03-30T06:00".into()));
    }

    #[test]
    fn what_is_muted_within_the_hours_is_quiet_too() {
        let hours =
            Hours { active: vec![daily("0 8 * * *", 10)], mute: vec![daily("0 12 * * *", 1), daily("0 17 * * *", 4)] };
        let opening = Opening::of(&hours);
        assert_eq!(quiet(&opening, "2026-11-27T10:00:00Z"), None);
        assert_eq!(quiet(&opening, "2026-11-27T11:30:00Z"), Some("2026-11-27T12:00".into()));
        assert_eq!(quiet(&opening, "2026-11-27T16:30:00Z"), Some("2026-11-28T07:00".into()), "one after the other");
        assert!(Opening::of(&Hours::default()).is_always());
    }

    #[test]
    fn what_never_opens_is_quiet_for_a_year() {
        let over = Span::Once { from: at("2026-01-01T00:00:00Z"), until: at("2026-01-02T00:00:00Z") };
        let never = Opening::of(&Hours { active: vec![over], mute: Vec::new() });
        assert_eq!(quiet(&never, "2026-11-27T10:00:00Z"), Some("2027-11-28T10:00".into()));
        let always = Opening::of(&Hours { active: Vec::new(), mute: vec![daily("* * * * *", 1)] });
        assert!(quiet(&always, "2026-11-27T10:00:00Z").is_some());
    }
}
