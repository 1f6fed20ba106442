//! Lists of HTTP statuses: `200`, `200-299,401`.

use std::fmt;
use std::ops::RangeInclusive;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(Vec<RangeInclusive<u16>>);

impl Default for Statuses {
    fn default() -> Self {
        Self(vec![200..=299])
    }
}

impl Statuses {
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.trim().parse::<u16>().ok().filter(|n| (100..1000).contains(n));
        let range = |part: &str| match part.split_once('-') {
            Some((from, to)) => {
                let (from, to) = (number(from)?, number(to)?);
                (from <= to).then_some(from..=to)
            }
            None => number(part).map(|n| n..=n),
        };
        text.split(',').map(range).collect::<Option<Vec<_>>>().map(Self)
    }

    pub fn hold(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            if range.start() == range.end() {
                write!(f, "{}", range.start())?;
            } else {
                write!(f, "{}-{}", range.start(), range.end())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges_are_read_and_others_are_not() {
        let some = Statuses::parse("200-204, 401").expect("a list");
        assert_eq!(some.to_string(), "200-204, 401");
        assert!(some.hold(200) && some.hold(204) && some.hold(401) && !some.hold(205) && !some.hold(400));
        for bad in ["", "2xx", "20", "300-200", "200,", "1000", "200-"] {
            assert_eq!(Statuses::parse(bad), None, "{bad}");
        }
    }
}
