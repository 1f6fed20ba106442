//! `[polling]`, and `flapping` for all, for a host or for a check: by which rules results are asked for and judged.

use crate::base::options::{Node, OptionDoc, Problem, Table, Value, nearest};
use crate::model::FlapFormula;

/// `[polling]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollingOptions {
    /// What is costly and good for long is asked half as often.
    pub adaptive: bool,
}

impl Default for PollingOptions {
    fn default() -> Self {
        Self { adaptive: true }
    }
}

pub const POLLING: &[OptionDoc] = &[OptionDoc {
    name: "adaptive",
    form: "boolean",
    default: "true",
    help: "checks that log in or look at what changes over days (`linux`, `windows`, `tls`, `ssh-key`, `dns-serial`) are asked half as often once they were good for 6 hours; not where the check has an `interval` of its own, nor on hosts tagged `core` or `critical`",
}];

pub const FLAPPING: &[OptionDoc] = &[
    OptionDoc { name: "formula", form: "string", default: "icinga2", help: "`icinga2`, `nagios`, or `none`" },
    OptionDoc {
        name: "low",
        form: "number",
        default: "25 (icinga2) or 5 (nagios)",
        help: "percent of changes at which flapping ends",
    },
    OptionDoc {
        name: "high",
        form: "number",
        default: "30 (icinga2) or 20 (nagios)",
        help: "percent of changes from which on it begins",
    },
];

pub(super) fn read_polling(table: &Table, problems: &mut Vec<Problem>) -> PollingOptions {
    let mut r = table.reader("[polling]");
    let adaptive = r.bool("adaptive").unwrap_or(true);
    problems.extend(r.finish());
    PollingOptions { adaptive }
}

/// How flapping is told of something, where it is said: `"nagios"`, `false`, or a table. What it leaves open is `base`'s.
/// `None` where it is not told at all.
pub fn read_flapping(node: &Node, base: Option<FlapFormula>, problems: &mut Vec<Problem>) -> Option<FlapFormula> {
    match &node.value {
        Value::Bool(false) => None,
        Value::Bool(true) => Some(base.unwrap_or(FlapFormula::ICINGA)),
        Value::String(name) => named(name, node).unwrap_or_else(|problem| {
            problems.push(problem);
            base
        }),
        Value::Table(table) => read_table(table, base, problems),
        other => {
            let words = format!("`flapping` must be a table, a formula or false, not {}", other.kind());
            let hint = "for instance { formula = \"nagios\", low = 5, high = 20 }";
            problems.push(Problem::error(&node.place, words).hint(hint));
            base
        }
    }
}

fn read_table(table: &Table, base: Option<FlapFormula>, problems: &mut Vec<Problem>) -> Option<FlapFormula> {
    let mut r = table.reader("flapping");
    let formula = r.node("formula");
    let (low, high) = (r.float("low"), r.float("high"));
    problems.extend(r.finish());
    let formula = match formula.map(|node| (node, &node.value)) {
        None => Some(base.unwrap_or(FlapFormula::ICINGA)),
        Some((node, Value::String(name))) => named(name, node).unwrap_or_else(|problem| {
            problems.push(problem);
            base
        }),
        Some((node, other)) => {
            problems.push(Problem::error(&node.place, format!("`formula` must be a string, not {}", other.kind())));
            base
        }
    };
    let mut formula = formula?;
    formula.low = low.unwrap_or(formula.low);
    formula.high = high.unwrap_or(formula.high);
    let place = table.place_of(if high.is_some() { "high" } else { "low" });
    if !(0.0..=100.0).contains(&formula.low) || !(0.0..=100.0).contains(&formula.high) {
        problems.push(Problem::error(&place, "`low` and `high` of flapping are percentages"));
    } else if formula.low >= formula.high {
        let words =
            format!("flapping ends at {} % and begins at {} %: `low` must be below `high`", formula.low, formula.high);
        problems.push(Problem::error(&place, words));
    }
    Some(formula)
}

fn named(name: &str, node: &Node) -> Result<Option<FlapFormula>, Problem> {
    match name {
        "icinga2" => Ok(Some(FlapFormula::ICINGA)),
        "nagios" => Ok(Some(FlapFormula::NAGIOS)),
        "none" => Ok(None),
        other => {
            let problem = Problem::error(&node.place, format!("unknown formula \"{other}\" for flapping"));
            Err(match nearest(other, ["icinga2", "nagios", "none"]) {
                Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
                None => problem.hint("known: icinga2, nagios, none"),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::parse;

    fn host(text: &str) -> Result<Option<FlapFormula>, String> {
        let parsed = parse("noctty.toml", text.to_owned());
        parsed.map(|config| config.hosts[0].flapping).map_err(|problems| problems.to_string())
    }

    #[test]
    fn what_a_host_says_of_flapping_overrules_what_is_said_for_all() {
        let of = |all: &str, own: &str| host(&format!("{all}\n[[host]]\nname = \"a\"\n{own}\n")).expect("it is right");
        assert_eq!(of("", ""), Some(FlapFormula::ICINGA));
        assert_eq!(of("[flapping]\nformula = \"nagios\"", ""), Some(FlapFormula::NAGIOS));
        let own = of("[flapping]\nformula = \"nagios\"\nhigh = 40", "flapping = { low = 10 }");
        assert_eq!(own, Some(FlapFormula { low: 10.0, high: 40.0, ..FlapFormula::NAGIOS }));
        assert_eq!(of("[flapping]\nformula = \"nagios\"", "flapping = \"icinga2\""), Some(FlapFormula::ICINGA));
        assert_eq!(of("", "flapping = false"), None);
        assert_eq!(of("[flapping]\nformula = \"none\"", ""), None);
        assert_eq!(of("[flapping]\nformula = \"none\"", "flapping = true"), Some(FlapFormula::ICINGA));
    }

    #[test]
    fn what_is_wrong_with_it_is_told_with_its_place() {
        for (text, words) in [
            ("[flapping]\nlow = 40\n", "noctty.toml:2:7: error: flapping ends at 40 % and begins at 30 %"),
            ("[flapping]\nhigh = 140\n", "noctty.toml:2:8: error: `low` and `high` of flapping are percentages"),
            ("[flapping]\nformula = \"nagois\"\n", "did you mean \"nagios\"?"),
            ("[flapping]\nhi = 3\n", "unknown key `hi`"),
            ("[[host]]\nname = \"a\"\nflapping = 7\n", "noctty.toml:3:12: error: `flapping` must be a table"),
            ("[polling]\nadaptive = 1\n", "`adaptive` must be true or false"),
        ] {
            let problems = host(text).expect_err("it is wrong");
            assert!(problems.contains(words), "{text}: {problems}");
        }
    }
}
