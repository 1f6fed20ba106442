//! Limits as they are read: a pair of which the warning comes first, a duration that has a least.

use std::time::Duration;

use super::{Place, Problem, Reader};
use crate::base::units;

/// Which way things get worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worse {
    Higher,
    Lower,
}

/// A number that something is held against.
pub trait Limit: Copy + PartialOrd {
    /// As one writes it in a configuration.
    fn shown(self) -> String;
}

impl Limit for f64 {
    fn shown(self) -> String {
        self.to_string()
    }
}

impl Limit for i64 {
    fn shown(self) -> String {
        self.to_string()
    }
}

impl Limit for Duration {
    fn shown(self) -> String {
        units::config_duration(self)
    }
}

impl Reader<'_> {
    /// Whose options they are, as problems begin.
    pub fn what(&self) -> &str {
        self.what
    }

    /// A duration that must be `least` at least.
    pub fn duration_from(&mut self, key: &'static str, least: Duration) -> Option<Duration> {
        let read = self.duration(key)?;
        if read >= least {
            return Some(read);
        }
        let place = self.place_of(key);
        let least = units::config_duration(least);
        let words = format!("{} `{key}` is {}, shorter than {least}", self.what, units::config_duration(read));
        self.problem(Problem::error(&place, words).hint(format!("write {key} = \"{least}\" or longer")));
        None
    }

    /// The limits under the keys of a warning and of what is critical; the `usual` ones where the file is silent. A warning
    /// that what is critical forestalls is a problem.
    pub fn pair<T: Limit>(
        &mut self,
        worse: Worse,
        keys: [&'static str; 2],
        usual: [T; 2],
        read: impl Fn(&mut Self, &'static str) -> Option<T>,
    ) -> [T; 2] {
        let [warning, critical] = keys.map(|key| read(self, key));
        let limits = [warning.unwrap_or(usual[0]), critical.unwrap_or(usual[1])];
        let written = [warning.is_some(), critical.is_some()];
        // What could not be read is a problem already.
        if written == keys.map(|key| self.table.find(key).is_some()) && written.contains(&true) {
            self.hold_apart(worse, keys, limits.map(Some), None);
        }
        limits
    }

    /// The same where there are no limits unless the file has them.
    pub fn optional_pair<T: Limit>(
        &mut self,
        worse: Worse,
        keys: [&'static str; 2],
        read: impl Fn(&mut Self, &'static str) -> Option<T>,
    ) -> [Option<T>; 2] {
        let limits = keys.map(|key| read(self, key));
        self.hold_apart(worse, keys, limits, None);
        limits
    }

    /// Says so where the first of two limits is reached after the second, and how to put it right: by default, by what the
    /// file has of the two.
    pub fn hold_apart<T: Limit>(&mut self, worse: Worse, keys: [&str; 2], limits: [Option<T>; 2], hint: Option<&str>) {
        let [Some(first), Some(second)] = limits else { return };
        let (is_wrong, way) = match worse {
            Worse::Higher => (first > second, "above"),
            Worse::Lower => (first < second, "below"),
        };
        if !is_wrong {
            return;
        }
        let [is_first, is_second] = keys.map(|key| self.table.find(key).is_some());
        let hint = match (hint, is_first && is_second) {
            (Some(hint), _) => hint.to_owned(),
            (None, true) => "swap the two: the first must be reached before the second".to_owned(),
            (None, false) => {
                let (silent, value) = if is_first { (keys[1], second) } else { (keys[0], first) };
                format!("`{silent}` is {} unless it is set: set both", value.shown())
            }
        };
        let place = self.place_of(if is_second { keys[1] } else { keys[0] });
        let words =
            format!("{}: `{}` ({}) is {way} `{}` ({})", self.what, keys[0], first.shown(), keys[1], second.shown());
        self.problem(Problem::error(&place, words).hint(hint));
    }

    /// Where a key's value stands, or the whole table.
    pub fn place_of(&self, key: &str) -> Place {
        self.table.find(key).map_or_else(|| self.table.place.clone(), |node| node.place.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::options::{Key, Node, Source, Table, Value};

    fn table(entries: &[(&str, Value)]) -> Table {
        let names: Vec<&str> = entries.iter().map(|(name, _)| *name).collect();
        let source = Arc::new(Source { name: "test".to_owned(), text: names.join("\n") });
        let place = |line: usize| {
            let start = names[..line].iter().map(|name| name.len() + 1).sum();
            Place { source: source.clone(), start, end: start }
        };
        let entry = |(line, (name, value)): (usize, &(&str, Value))| {
            let key = Key { name: (*name).to_owned(), place: place(line) };
            (key, Node { place: place(line), value: value.clone() })
        };
        Table { entries: entries.iter().enumerate().map(entry).collect(), place: place(0) }
    }

    fn told(table: &Table, read: impl FnOnce(&mut Reader<'_>)) -> Vec<String> {
        let mut reader = table.reader("it");
        read(&mut reader);
        reader.finish().iter().map(Problem::brief).collect()
    }

    #[test]
    fn a_warning_comes_before_what_is_critical() {
        let read = |worse, warn: Option<i64>, crit: Option<i64>| {
            let written = [("warn", warn), ("crit", crit)];
            let table = table(
                &written.iter().filter_map(|(key, value)| Some((*key, Value::Integer((*value)?)))).collect::<Vec<_>>(),
            );
            told(&table, |r| {
                r.pair(worse, ["warn", "crit"], [80, 90], |r, key| r.integer(key, 0..=100));
            })
        };
        let none: Vec<String> = Vec::new();
        for (warn, crit) in [(None, None), (Some(90), None), (None, Some(80)), (Some(5), Some(5))] {
            assert_eq!(read(Worse::Higher, warn, crit), none);
        }
        assert_eq!(
            read(Worse::Higher, Some(91), None),
            ["test:1:1: it: `warn` (91) is above `crit` (90); `crit` is 90 unless it is set: set both"]
        );
        assert_eq!(
            read(Worse::Higher, None, Some(79)),
            ["test:1:1: it: `warn` (80) is above `crit` (79); `warn` is 80 unless it is set: set both"]
        );
        assert_eq!(
            read(Worse::Lower, Some(4), Some(5)),
            ["test:2:1: it: `warn` (4) is below `crit` (5); swap the two: the first must be reached before the second"]
        );
        assert_eq!(read(Worse::Lower, Some(5), Some(4)), none);
    }

    #[test]
    fn what_cannot_be_read_is_one_problem_and_not_two() {
        let table = table(&[("warn", Value::Integer(70)), ("crit", Value::Integer(700))]);
        let problems = told(&table, |r| {
            let limits = r.pair(Worse::Higher, ["warn", "crit"], [10, 20], |r, key| r.integer(key, 0..=100));
            assert_eq!(limits, [70, 20]);
        });
        assert_eq!(problems, ["test:2:1: it `crit` is 700, outside 0 to 100; write crit = 100 or less"]);
    }

    #[test]
    fn a_limit_that_nobody_wrote_is_held_against_none() {
        let table = table(&[("slow", Value::String("2s".to_owned()))]);
        let problems = told(&table, |r| {
            let read = r.optional_pair(Worse::Higher, ["slow", "dead"], Reader::duration);
            assert_eq!(read, [Some(Duration::from_secs(2)), None]);
        });
        assert_eq!(problems, Vec::<String>::new());
    }

    #[test]
    fn a_duration_has_a_least() {
        let table = table(&[("every", Value::String("0s".to_owned()))]);
        let problems = told(&table, |r| assert_eq!(r.duration_from("every", Duration::from_secs(1)), None));
        assert_eq!(problems, ["test:1:1: it `every` is 0s, shorter than 1s; write every = \"1s\" or longer"]);
    }

    #[test]
    fn a_limit_is_a_finite_number() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let table = table(&[("warn", Value::Float(value))]);
            let problems = told(&table, |r| assert_eq!(r.float("warn"), None));
            assert_eq!(
                problems,
                [format!("test:1:1: it `warn` is {value}: no finite number; write a number, or leave `warn` out")]
            );
        }
    }
}
