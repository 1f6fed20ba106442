//! Flapping: how much of the recent past was change. One function with parameters; both published formulas are rows of
//! them. Each recorded result gives one bit, whether it differed from the one before; the bits are weighed, the newest
//! most, and what crosses the upper threshold flaps until it is down to the lower one.
//!
//! ```text
//! percent = 100 · Σ bit(i) · weight(i) / window      weight from `oldest` to `newest` in equal steps
//! ```
//!
//! What is not recorded yet counts as no change.

use crate::model::{Flap, FlapBegins, FlapFormula, FlapRecords, Outcome};

impl FlapFormula {
    /// The weighted share of changes, in percent.
    pub fn percent(&self, changes: u32) -> f64 {
        let window = self.window.clamp(1, 32);
        let step = (self.newest - self.oldest) / f64::from(window.max(2) - 1);
        let weight = |age: u32| self.newest - step * f64::from(age);
        let sum: f64 = (0..window).filter(|age| changes >> age & 1 == 1).map(weight).sum();
        100.0 * sum / f64::from(window)
    }

    /// Takes a result in; `hard` says whether it is believed. True where flapping begins or ends with it.
    pub fn record(&self, flap: &mut Flap, outcome: Outcome, hard: bool) -> bool {
        if self.records == FlapRecords::HardAndSoftRecoveries && !hard && outcome != Outcome::Ok {
            return false;
        }
        let changed = flap.last.is_some_and(|last| last != outcome);
        flap.last = Some(outcome);
        // Most checks never change: nothing is computed for them.
        if flap.changes == 0 && !changed {
            return false;
        }
        let mask = u32::MAX >> (32 - self.window.clamp(1, 32));
        flap.changes = (flap.changes << 1 | u32::from(changed)) & mask;
        let percent = self.percent(flap.changes);
        flap.percent = percent.round().clamp(0.0, 100.0) as u8;
        let before = flap.flapping;
        // The sums are of hundredths: what differs less is a rounding of the last bit.
        let reaches = match self.begins {
            FlapBegins::AtHigh => percent >= self.high - 1e-9,
            FlapBegins::AboveHigh => percent > self.high + 1e-9,
        };
        flap.flapping = if before { percent > self.low + 1e-9 } else { reaches };
        before != flap.flapping
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The percentage after each result; `C` critical and believed, `c` critical and not, `w` and `u` likewise, `.` good.
    fn course(formula: FlapFormula, results: &str) -> Vec<(f64, bool)> {
        let mut flap = Flap::default();
        let step = |letter: char| {
            let outcome = match letter.to_ascii_lowercase() {
                'c' => Outcome::Critical,
                'w' => Outcome::Warning,
                'u' => Outcome::Unknown,
                _ => Outcome::Ok,
            };
            formula.record(&mut flap, outcome, letter.is_ascii_uppercase() || letter == '.');
            (formula.percent(flap.changes), flap.flapping)
        };
        results.chars().map(step).collect()
    }

    fn last(formula: FlapFormula, results: &str) -> (f64, bool) {
        let (percent, flapping) = *course(formula, results).last().expect("a result");
        ((percent * 100.0).round() / 100.0, flapping)
    }

    #[test]
    fn nagios_begins_at_the_fourth_change_in_a_row_and_icinga_at_the_sixth() {
        assert_eq!(last(FlapFormula::NAGIOS, ".C.C"), (18.36, false));
        assert_eq!(last(FlapFormula::NAGIOS, ".C.C."), (24.21, true));
        assert_eq!(last(FlapFormula::ICINGA, ".C.C.C"), (28.5, false));
        assert_eq!(last(FlapFormula::ICINGA, ".C.C.C."), (33.9, true));
    }

    #[test]
    fn everything_changing_is_a_hundred_percent_by_nagios_and_ninety_nine_by_icinga() {
        let all = ".C".repeat(20);
        assert_eq!(last(FlapFormula::NAGIOS, &all), (100.0, true));
        assert_eq!(last(FlapFormula::ICINGA, &all), (99.0, true));
    }

    #[test]
    fn the_weights_are_the_published_ones() {
        // Nagios: 0.75 for the oldest of 20 transitions, 1.25 for the newest; Icinga: 0.80 to 1.18 in steps of 0.02.
        for (formula, oldest, newest, step) in
            [(FlapFormula::NAGIOS, 0.75, 1.25, 0.5 / 19.0), (FlapFormula::ICINGA, 0.8, 1.18, 0.02)]
        {
            let weight = |age: u32| formula.percent(1 << age) / 100.0 * 20.0;
            assert!((weight(19) - oldest).abs() < 1e-9 && (weight(0) - newest).abs() < 1e-9);
            assert!((0..19).all(|age| (weight(age) - weight(age + 1) - step).abs() < 1e-9));
            assert!(formula.percent(1 << 20).abs() < 1e-9, "older ones count for nothing");
        }
    }

    #[test]
    fn nagios_counts_no_soft_problem_but_its_recovery_and_icinga_counts_each() {
        assert_eq!(last(FlapFormula::NAGIOS, ".c.c.c.c.c.c."), (0.0, false));
        assert_eq!(last(FlapFormula::ICINGA, ".c.c.c."), (33.9, true));
        // From one kind of trouble to another is a change as well.
        assert_eq!(last(FlapFormula::NAGIOS, ".CWUW"), (24.21, true));
    }

    #[test]
    fn between_the_thresholds_nothing_changes_and_below_the_lower_it_ends() {
        let quiet = |formula, n: usize| last(formula, &format!(".C.C.C.C.C{}", "C".repeat(n)));
        let ends = (0..40).find(|n| !quiet(FlapFormula::NAGIOS, *n).1).expect("it ends");
        assert!(quiet(FlapFormula::NAGIOS, ends - 1).0 > 5.0 && quiet(FlapFormula::NAGIOS, ends).0 <= 5.0, "{ends}");
        let ends = (0..40).find(|n| !quiet(FlapFormula::ICINGA, *n).1).expect("it ends");
        assert!(quiet(FlapFormula::ICINGA, ends - 1).0 > 25.0 && quiet(FlapFormula::ICINGA, ends).0 <= 25.0, "{ends}");
    }

    proptest! {
        #[test]
        fn the_window_is_all_that_counts(results in "[.CWU]{21,60}", before in "[.CWU]{0,40}") {
            for formula in [FlapFormula::NAGIOS, FlapFormula::ICINGA] {
                let tail = &results[results.len() - 21..];
                let long = course(formula, &format!("{before}{results}"));
                let short = course(formula, tail);
                prop_assert!((long.last().expect("one").0 - short.last().expect("one").0).abs() < 1e-9);
            }
        }

        #[test]
        fn the_hysteresis_holds_at_every_step(results in "[.cCWU]{1,80}") {
            for formula in [FlapFormula::NAGIOS, FlapFormula::ICINGA] {
                let mut was = false;
                for (percent, flapping) in course(formula, &results) {
                    prop_assert!((0.0..=100.0 + 1e-9).contains(&percent));
                    match (was, flapping) {
                        (false, true) => prop_assert!(percent >= formula.high - 1e-9),
                        (true, false) => prop_assert!(percent <= formula.low + 1e-9),
                        (false, false) | (true, true) => {}
                    }
                    was = flapping;
                }
            }
        }
    }
}
