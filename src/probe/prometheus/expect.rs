//! What is expected of chosen series.

use crate::base::Untrusted;
use crate::base::options::{Problem, Reader, Table, Value, Worse};
use crate::model::{Outcome, Reading, Unit};
use crate::probe::findings::Findings;
use crate::proto::prometheus::Sample;

/// Series of one expectation that are kept one by one.
const MOST_SERIES: usize = 100;
/// Of those, how many become metrics and words.
const MOST_TOLD: usize = 5;

const LIMITS: [&str; 4] = ["warning", "critical", "below_warning", "below_critical"];

/// A selector and its limits; a limit is reached at its own value.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    metric: String,
    labels: Vec<(String, String)>,
    name: String,
    sum: bool,
    warning: Option<f64>,
    critical: Option<f64>,
    below_warning: Option<f64>,
    below_critical: Option<f64>,
}

/// The samples that fit one expectation.
#[derive(Debug, Default)]
pub struct Series {
    each: Vec<(String, f64)>,
    count: usize,
    sum: f64,
}

impl Series {
    pub fn add(&mut self, sample: &Sample<'_>) {
        self.count += 1;
        self.sum += sample.value;
        if self.each.len() < MOST_SERIES {
            let labels: Vec<String> = sample.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            self.each.push((labels.join(","), sample.value));
        }
    }
}

impl Expectation {
    /// All of `expect`; `None` where one of them is wrong.
    pub fn read_all(options: &mut Reader<'_>) -> Option<Vec<Self>> {
        let tables = options.tables("expect");
        let read: Vec<Option<Self>> = tables.into_iter().map(|table| Self::read(table, options)).collect();
        read.into_iter().collect()
    }

    fn read(table: &Table, options: &mut Reader<'_>) -> Option<Self> {
        let mut reader = table.reader("what is expected");
        let metric = reader.required_string("metric");
        let labels = reader.table("labels");
        let name = reader.string("name");
        let sum = reader.bool("sum").unwrap_or(false);
        let [warning, critical] = reader.optional_pair(Worse::Higher, ["warning", "critical"], Reader::float);
        let [below_warning, below_critical] =
            reader.optional_pair(Worse::Lower, ["below_warning", "below_critical"], Reader::float);
        if LIMITS.iter().all(|key| table.find(key).is_none()) {
            let words = format!(
                "{} has no limit: whatever `{}` is, it is well as long as it is there",
                reader.what(),
                metric.as_deref().unwrap_or("the metric")
            );
            let hint = format!("give one of {}", LIMITS.map(|key| format!("`{key}`")).join(", "));
            reader.problem(Problem::warning(&table.place, words).hint(hint));
        }
        for problem in reader.finish() {
            options.problem(problem);
        }
        let mut wanted = Vec::new();
        for (key, node) in labels.map(|table| table.entries.as_slice()).unwrap_or_default() {
            let Value::String(value) = &node.value else {
                options.problem(Problem::error(&node.place, format!("the label `{}` must be a string", key.name)));
                return None;
            };
            wanted.push((key.name.clone(), value.clone()));
        }
        let metric = metric?;
        let name = name.unwrap_or_else(|| metric.clone());
        Some(Self { metric, labels: wanted, name, sum, warning, critical, below_warning, below_critical })
    }

    /// Its number, and those of several series that fit.
    pub fn numbers(&self) -> [String; 2] {
        [self.name.clone(), format!("{}{{*", self.name)]
    }

    pub fn fits(&self, sample: &Sample<'_>) -> bool {
        sample.name == self.metric
            && self.labels.iter().all(|(key, value)| sample.label(key).unwrap_or_default() == value)
    }

    /// The values that are judged, each with what tells it apart.
    fn values<'a>(&self, series: &'a Series) -> Vec<(&'a str, f64)> {
        if self.sum && series.count > 0 {
            return vec![("", series.sum)];
        }
        let alone = series.each.len() == 1;
        series.each.iter().map(|(labels, value)| (if alone { "" } else { labels.as_str() }, *value)).collect()
    }

    pub fn judge(&self, series: &Series, findings: &mut Findings, mut reading: Reading) -> Reading {
        let values = self.values(series);
        if values.is_empty() {
            findings.add(Outcome::Critical, format!("{}: no such series", self.name));
            return reading;
        }
        let mut untold = 0;
        for (index, (labels, value)) in values.iter().enumerate() {
            let called = self.called(labels);
            if let Some((outcome, why)) = self.beyond(*value) {
                if untold < MOST_TOLD {
                    findings.add(outcome, format!("{called} is {}, {why}", number(*value)));
                }
                untold += 1;
            }
            if index < MOST_SERIES {
                reading = reading.metric(&called, *value, Unit::Count);
            }
        }
        if untold > MOST_TOLD {
            findings.add(Outcome::Warning, format!("{} more of {}", untold - MOST_TOLD, self.name));
        }
        reading
    }

    fn beyond(&self, value: f64) -> Option<(Outcome, String)> {
        if value.is_nan() {
            return Some((Outcome::Unknown, "not a number".to_owned()));
        }
        let above =
            |limit: Option<f64>| limit.filter(|limit| value >= *limit).map(|limit| format!("limit {}", number(limit)));
        let below =
            |limit: Option<f64>| limit.filter(|limit| value <= *limit).map(|limit| format!("least {}", number(limit)));
        let critical = above(self.critical).or_else(|| below(self.below_critical));
        let warning = || above(self.warning).or_else(|| below(self.below_warning));
        match critical {
            Some(why) => Some((Outcome::Critical, why)),
            None => warning().map(|why| (Outcome::Warning, why)),
        }
    }

    /// For a good result: the value where there is one, how many there are otherwise.
    pub fn summary(&self, series: &Series) -> Option<String> {
        let values = self.values(series);
        match values.as_slice() {
            [] => None,
            [(_, value)] => Some(format!("{} {}", self.name, number(*value))),
            many => Some(format!("{} × {}", many.len(), self.name)),
        }
    }

    fn called(&self, labels: &str) -> String {
        if labels.is_empty() {
            self.name.clone()
        } else {
            format!("{}{{{}}}", self.name, Untrusted::from(labels).line())
        }
    }
}

/// As short as it can be said: `3`, `0.25`, `4.2e10`.
fn number(value: f64) -> String {
    let magnitude = value.abs();
    if value.fract().abs() < f64::EPSILON && magnitude < 1e9 {
        format!("{value:.0}")
    } else if (0.01..1e9).contains(&magnitude) {
        format!("{value:.2}")
    } else {
        format!("{value:.3e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_shortly() {
        for (value, wanted) in [(3.0, "3"), (0.25, "0.25"), (-1.5, "-1.50"), (4.2e10, "4.200e10"), (1e-5, "1.000e-5")] {
            assert_eq!(number(value), wanted);
        }
        assert_eq!(number(f64::INFINITY), "inf");
    }
}
