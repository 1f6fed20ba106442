//! `thresholds` of a check: limits for its numbers, by their names.

use std::sync::Arc;

use crate::base::options::{Problem, Reader, Table, Value};
use crate::model::{Side, Threshold};

/// Reads `thresholds = { NAME = { warn, crit, below, base, least } }`.
pub fn read(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Arc<[Threshold]> {
    let Some(table) = reader.table("thresholds") else { return Arc::from([]) };
    table
        .entries
        .iter()
        .filter_map(|(key, node)| match &node.value {
            Value::Table(limits) => Some(one(&key.name, limits, problems)),
            other => {
                let why = format!("the threshold of `{}` must be a table, not {}", key.name, other.kind());
                problems.push(Problem::error(&node.place, why).hint("for instance rtt = { warn = 0.2, crit = 0.5 }"));
                None
            }
        })
        .collect()
}

fn one(metric: &str, table: &Table, problems: &mut Vec<Problem>) -> Threshold {
    let what = format!("the threshold of {metric}");
    let mut r = table.reader(&what);
    let (warning, critical) = (r.float("warn"), r.float("crit"));
    let side = if r.bool("below").unwrap_or(false) { Side::Below } else { Side::Above };
    let (base, least) = (r.string("base"), r.float("least"));
    if warning.is_none() && critical.is_none() {
        r.problem(Problem::error(&table.place, format!("{what} needs `warn` or `crit`")));
    }
    if let (Some(warning), Some(critical)) = (warning, critical) {
        let wrong = match side {
            Side::Above => critical < warning,
            Side::Below => critical > warning,
        };
        if wrong {
            let problem = Problem::error(&table.place, format!("{what}: `crit` is reached before `warn`"));
            r.problem(problem.hint("where low is bad, add below = true"));
        }
    }
    if base.is_some() != least.is_some() {
        r.problem(Problem::error(&table.place, format!("{what}: `base` and `least` go together")));
    }
    problems.extend(r.finish());
    let base = base.zip(least).map(|(base, least)| (Arc::from(base), least));
    Threshold { metric: Arc::from(metric), side, warning, critical, base }
}

#[cfg(test)]
mod tests {
    use crate::base::options::Problem;
    use crate::config::load;
    use crate::engine::bind::bind;
    use crate::model::{Side, Threshold};

    fn limits(text: &str) -> Result<Vec<Threshold>, String> {
        let text = format!("[[host]]\nname = \"a\"\nchecks = [{{ kind = \"icmp\", thresholds = {text} }}]\n");
        let config = load::parse("noctty.toml", text).expect("it is TOML");
        let bound = bind(&config).map_err(|problems| problems.iter().map(Problem::render).collect::<String>())?;
        Ok(bound.0.inventory.thresholds.values().flat_map(|all| all.iter().cloned()).collect())
    }

    #[test]
    fn limits_are_read_by_the_name_of_the_number() {
        let read = limits("{ rtt = { warn = 0.2, crit = 0.5 }, loss = { crit = 20, base = \"sent\", least = 5 } }");
        let rtt =
            Threshold { metric: "rtt".into(), side: Side::Above, warning: Some(0.2), critical: Some(0.5), base: None };
        let base = Some(("sent".into(), 5.0));
        let loss = Threshold { metric: "loss".into(), side: Side::Above, warning: None, critical: Some(20.0), base };
        assert_eq!(read, Ok(vec![rtt, loss]));
        let below = limits("{ battery = { warn = 30, crit = 10, below = true } }").expect("valid");
        assert_eq!(below[0].side, Side::Below);
        assert_eq!(limits("{}"), Ok(vec![]));
    }

    #[test]
    fn what_is_wrong_with_them_is_said() {
        for (text, want) in [
            ("{ rtt = 5 }", "must be a table"),
            ("{ rtt = {} }", "needs `warn` or `crit`"),
            ("{ rtt = { warn = 5, crit = 2 } }", "reached before `warn`"),
            ("{ rtt = { warn = 5, base = \"n\" } }", "go together"),
            ("{ rtt = { wrn = 5 } }", "did you mean `warn`?"),
        ] {
            let all = limits(text).expect_err("it is wrong");
            assert!(all.contains(want), "{want} is missing in\n{all}");
        }
    }
}
