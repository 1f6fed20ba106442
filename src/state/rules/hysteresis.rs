//! Limits that are entered and left at different values and not at the first look, so that a number at its limit does not
//! change its condition with every poll. A ratio counts only over a least absolute base: one of one is no hundred percent.
//!
//! ```text
//! enter   at the limit, twice in a row
//! leave   5 points (percentages) or a tenth (anything else) below it, three times in a row
//! ```
//!
//! Where there is no number, nothing begins and nothing ends; after two such looks it is said that the number is missing.

use crate::model::{Condition, Metric, Side, Threshold};

/// Looks that make a worse condition, and a better one.
const WORSE: u8 = 2;
const BETTER: u8 = 3;
/// Looks without the number after which it counts as missing.
const ABSENT: u8 = 2;

/// Where a number stands against its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauge {
    pub level: Level,
    /// Looks in a row that asked for another level, and the mildest of those that they asked for.
    streak: u8,
    wanted: Level,
    /// Looks in a row without a number, once there was one.
    absent: u8,
    seen: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    #[default]
    Fine,
    Warning,
    Critical,
}

impl Level {
    pub fn of(condition: Condition) -> Self {
        match condition {
            Condition::Warning => Self::Warning,
            Condition::Critical => Self::Critical,
            Condition::Ok | Condition::Unknown | Condition::Pending | Condition::Unreachable | Condition::NotProbed => {
                Self::Fine
            }
        }
    }

    pub fn condition(self) -> Condition {
        match self {
            Self::Fine => Condition::Ok,
            Self::Warning => Condition::Warning,
            Self::Critical => Condition::Critical,
        }
    }
}

impl Gauge {
    /// After one more look. `metrics` are all that the look has.
    #[must_use]
    pub fn after(self, threshold: &Threshold, metrics: &[Metric]) -> Self {
        let number = |name: &str| metrics.iter().find(|m| &*m.name == name).filter(|m| m.value.is_finite());
        let Some(metric) = number(&threshold.metric) else {
            let absent = if self.seen { self.absent.saturating_add(1) } else { 0 };
            return Self { absent, ..self };
        };
        let here = Self { absent: 0, seen: true, ..self };
        if let Some((base, least)) = &threshold.base {
            match number(base) {
                // Too few to say anything: what stands may end, and nothing begins.
                Some(base) if base.value < *least => return here.toward(Level::Fine),
                None => return here,
                Some(_) => {}
            }
        }
        here.toward(level(threshold, metric, self.level))
    }

    /// The first look after a restart, with what stood before it: what is still beyond where it would be left goes on.
    #[must_use]
    pub fn resumed(threshold: &Threshold, metrics: &[Metric], held: Level) -> Self {
        let metric = metrics.iter().find(|m| *m.name == *threshold.metric && m.value.is_finite());
        let Some(metric) = metric else { return Self::default() };
        let level = level(threshold, metric, held).min(held);
        Self { level, wanted: level, seen: true, ..Self::default() }
    }

    /// It was there before, and is not any more.
    pub fn is_missing(self) -> bool {
        self.absent >= ABSENT
    }

    fn toward(self, level: Level) -> Self {
        if level == self.level {
            return Self { streak: 0, wanted: level, ..self };
        }
        let worse = level > self.level;
        let same = self.streak > 0 && (self.wanted > self.level) == worse;
        let wanted = match (same, worse) {
            (false, _) => level,
            // On the way up the mildest of the looks is sure, on the way down the worst of them.
            (true, true) => self.wanted.min(level),
            (true, false) => self.wanted.max(level),
        };
        let streak = if same { self.streak + 1 } else { 1 };
        if streak >= if worse { WORSE } else { BETTER } {
            return Self { level: wanted, streak: 0, wanted, ..self };
        }
        Self { streak, wanted, ..self }
    }
}

/// The level that a number asks for while `now` stands.
fn level(threshold: &Threshold, metric: &Metric, now: Level) -> Level {
    let beyond = |limit: Option<f64>, held: bool| {
        limit.is_some_and(|limit| {
            let slack = metric.unit.slack(limit);
            match (threshold.side, held) {
                (Side::Above, false) => metric.value >= limit,
                (Side::Above, true) => metric.value > limit - slack,
                (Side::Below, false) => metric.value <= limit,
                (Side::Below, true) => metric.value < limit + slack,
            }
        })
    };
    if beyond(threshold.critical, now >= Level::Critical) {
        Level::Critical
    } else if beyond(threshold.warning, now >= Level::Warning) {
        Level::Warning
    } else {
        Level::Fine
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Unit;

    fn threshold(side: Side, warning: f64, critical: f64) -> Threshold {
        Threshold { metric: "used".into(), side, warning: Some(warning), critical: Some(critical), base: None }
    }

    /// The levels after each value; a missing one is not a number.
    fn course(threshold: &Threshold, unit: Unit, values: &[f64]) -> Vec<Level> {
        let mut gauge = Gauge::default();
        let step = |value: &f64| {
            gauge = gauge.after(threshold, &[Metric::new("used", *value, unit)]);
            gauge.level
        };
        values.iter().map(step).collect()
    }

    use Level::{Critical, Fine, Warning};

    #[test]
    fn a_limit_is_entered_with_the_second_look_and_left_five_points_below_with_the_third() {
        let disk = threshold(Side::Above, 80.0, 90.0);
        assert_eq!(course(&disk, Unit::Percent, &[80.0, 79.9, 80.0, 81.0]), [Fine, Fine, Fine, Warning]);
        let left = course(&disk, Unit::Percent, &[85.0, 85.0, 76.0, 76.0, 76.0, 75.0, 75.0, 75.0]);
        assert_eq!(left, [Fine, Warning, Warning, Warning, Warning, Warning, Warning, Fine]);
        // A number that swings about its limit changes nothing.
        let swing: Vec<f64> = (0..40).map(|n| if n % 2 == 0 { 81.0 } else { 78.0 }).collect();
        assert!(course(&disk, Unit::Percent, &swing).iter().all(|level| *level == Fine));
    }

    #[test]
    fn other_units_are_left_a_tenth_below() {
        let rtt = threshold(Side::Above, 0.2, 0.5);
        let levels = course(&rtt, Unit::Seconds, &[0.3, 0.3, 0.19, 0.19, 0.19, 0.17, 0.17, 0.17]);
        assert_eq!(levels, [Fine, Warning, Warning, Warning, Warning, Warning, Warning, Fine]);
    }

    #[test]
    fn low_may_be_bad_as_well() {
        let battery = threshold(Side::Below, 30.0, 10.0);
        assert_eq!(course(&battery, Unit::Percent, &[25.0, 25.0, 9.0, 9.0]), [Fine, Warning, Warning, Critical]);
        let back = course(&battery, Unit::Percent, &[9.0, 9.0, 14.0, 14.0, 14.0, 16.0, 16.0, 16.0, 36.0, 36.0, 36.0]);
        assert_eq!(
            back[1..],
            [Critical, Critical, Critical, Critical, Critical, Critical, Warning, Warning, Warning, Fine]
        );
    }

    #[test]
    fn of_two_looks_the_milder_is_sure() {
        let disk = threshold(Side::Above, 80.0, 90.0);
        assert_eq!(course(&disk, Unit::Percent, &[95.0, 82.0, 95.0, 95.0]), [Fine, Warning, Warning, Critical]);
        assert_eq!(course(&disk, Unit::Percent, &[95.0, 95.0, 10.0, 82.0, 10.0]).last(), Some(&Warning));
    }

    #[test]
    fn a_ratio_of_few_says_nothing() {
        let errors = Threshold { base: Some(("packets".into(), 100.0)), ..threshold(Side::Above, 1.0, 5.0) };
        let look = |gauge: Gauge, ratio: f64, packets: Option<f64>| {
            let mut metrics = vec![Metric::new("used", ratio, Unit::Percent)];
            metrics.extend(packets.map(|packets| Metric::new("packets", packets, Unit::Count)));
            gauge.after(&errors, &metrics)
        };
        let mut gauge = Gauge::default();
        for _ in 0..5 {
            gauge = look(gauge, 100.0, Some(1.0));
        }
        assert_eq!(gauge.level, Fine);
        gauge = look(look(gauge, 100.0, Some(100.0)), 100.0, Some(100.0));
        assert_eq!(gauge.level, Critical);
        gauge = look(look(look(gauge, 100.0, None), 100.0, None), 100.0, None);
        assert_eq!(gauge.level, Critical, "of how many is not known: nothing ends");
        gauge = look(look(look(gauge, 100.0, Some(3.0)), 0.0, Some(3.0)), 0.0, Some(3.0));
        assert_eq!(gauge.level, Fine);
    }

    #[test]
    fn a_number_that_used_to_come_is_missing_after_two_looks_and_what_stood_stands() {
        let disk = threshold(Side::Above, 80.0, 90.0);
        let gauge = Gauge::default().after(&disk, &[]).after(&disk, &[]).after(&disk, &[]);
        assert!(!gauge.is_missing(), "it never came");
        let full = [Metric::new("used", 85.0, Unit::Percent)];
        let gauge = gauge.after(&disk, &full).after(&disk, &full).after(&disk, &[]);
        assert!(!gauge.is_missing());
        let gauge = gauge.after(&disk, &[Metric::new("used", f64::NAN, Unit::Percent)]);
        assert_eq!((gauge.is_missing(), gauge.level), (true, Warning));
        assert!(!gauge.after(&disk, &full).is_missing());
    }

    #[test]
    fn after_a_restart_what_stood_goes_on_until_it_is_left() {
        let disk = threshold(Side::Above, 80.0, 90.0);
        let at = |value: f64, held| Gauge::resumed(&disk, &[Metric::new("used", value, Unit::Percent)], held).level;
        assert_eq!(
            [at(78.0, Warning), at(70.0, Warning), at(95.0, Fine), at(87.0, Critical)],
            [Warning, Fine, Fine, Critical]
        );
    }

    proptest! {
        #[test]
        fn a_level_changes_only_after_enough_looks_that_agree(values in prop::collection::vec(0.0..100.0f64, 1..60)) {
            let disk = threshold(Side::Above, 80.0, 90.0);
            let levels = course(&disk, Unit::Percent, &values);
            let mut before = Fine;
            for (n, level) in levels.iter().enumerate() {
                if *level > before {
                    let limit = if *level == Critical { 90.0 } else { 80.0 };
                    prop_assert!(n >= 1 && values[n - 1..=n].iter().all(|v| *v >= limit));
                } else if *level < before {
                    let limit = if *level == Warning { 85.0 } else { 75.0 };
                    prop_assert!(n >= 2 && values[n - 2..=n].iter().all(|v| *v <= limit));
                }
                before = *level;
            }
        }
    }
}
