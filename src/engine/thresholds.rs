//! `thresholds` of a check: limits for its numbers, by their names.

use std::sync::Arc;

use crate::base::options::{Node, Place, Problem, Reader, Table, Value, Worse, nearest};
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

/// A limit for a number that nobody tells is never reached: holds the names in `thresholds` against those that the check
/// `what` knows, where it knows them.
pub fn check_names(options: &Table, what: &str, known: Option<&[String]>, problems: &mut Vec<Problem>) {
    let (Some(known), Some(Value::Table(table))) = (known, options.find("thresholds").map(|node| &node.value)) else {
        return;
    };
    let mut check = |name: &str, place: &Place| {
        if known.iter().any(|number| is_one_of(name, number)) {
            return;
        }
        let problem = Problem::error(place, format!("{what} has no number called `{name}`"));
        problems.push(problem.hint(match near(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its numbers: {}", known.join(", ")),
        }));
    };
    for (key, node) in &table.entries {
        check(&key.name, &key.place);
        if let Value::Table(limits) = &node.value
            && let Some(Node { place, value: Value::String(base) }) = limits.find("base")
        {
            check(base, place);
        }
    }
}

fn is_one_of(name: &str, number: &str) -> bool {
    match number.strip_suffix('*') {
        Some(stem) => name.len() > stem.len() && name.starts_with(stem),
        None => name == number,
    }
}

/// The number whose name comes nearest, with what stands behind the colon as it is.
fn near(name: &str, known: &[String]) -> Option<String> {
    let (stem, rest) = name.split_once(':').map_or((name, None), |(stem, rest)| (stem, Some(rest)));
    let stems = known.iter().filter_map(|number| {
        let many = number.strip_suffix(":*");
        if rest.is_some() { many } else { Some(many.unwrap_or(number)) }
    });
    let near = nearest(stem, stems)?;
    let is_of_many = known.iter().any(|number| number.strip_suffix(":*") == Some(near));
    Some(match rest {
        Some(rest) => format!("{near}:{rest}"),
        None if is_of_many => format!("{near}:…"),
        None => near.to_owned(),
    })
}

fn one(metric: &str, table: &Table, problems: &mut Vec<Problem>) -> Threshold {
    let what = format!("the threshold of {metric}");
    let mut r = table.reader(&what);
    let (warning, critical) = (r.float("warn"), r.float("crit"));
    let side = if r.bool("below").unwrap_or(false) { Side::Below } else { Side::Above };
    let (base, least) = (r.string("base"), r.float("least"));
    if ["warn", "crit"].iter().all(|key| table.find(key).is_none()) {
        r.problem(Problem::error(&table.place, format!("{what} needs `warn` or `crit`")));
    }
    let (worse, hint) = match side {
        Side::Above => (Worse::Higher, "where low is bad, add below = true; else swap the two"),
        Side::Below => (Worse::Lower, "where high is bad, leave `below` out; else swap the two"),
    };
    r.hold_apart(worse, ["warn", "crit"], [warning, critical], Some(hint));
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
        let text = format!(
            "[[host]]\nname = \"a\"\nchecks = [{{ kind = \"plugin\", command = [\"sh\"], thresholds = {text} }}]\n"
        );
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
    fn a_number_that_nobody_tells_is_refused_with_the_nearest() {
        let told = |check: &str| {
            let text = format!("[[host]]\nname = \"a\"\nchecks = [{{ {check} }}]\n");
            let config = load::parse("noctty.toml", text).expect("it is TOML");
            bind(&config).map(|_| ()).map_err(|problems| problems.iter().map(Problem::brief).collect::<String>())
        };
        for (check, want) in [
            ("kind = 'local', thresholds = { dsk = { warn = 1 } }", "did you mean `disk:…`?"),
            ("kind = 'local', thresholds = { 'dsk:/var' = { warn = 1 } }", "did you mean `disk:/var`?"),
            (
                "kind = 'linux', thresholds = { memmory = { warn = 1 } }",
                "3:44: the linux check of a has no number called `memmory`; did you mean `memory`?",
            ),
            ("kind = 'windows', thresholds = { nothing_near = { warn = 1 } }", "its numbers: load1, load5,"),
            ("kind = 'linux', thresholds = { cpu = { warn = 1, base = 'lod1', least = 1 } }", "did you mean `load1`?"),
            ("kind = 'prometheus', thresholds = { tiem = { warn = 1 } }", "did you mean `time`?"),
            (
                "kind = 'prometheus', machine = false, thresholds = { memory = { warn = 1 } }",
                "its numbers: time, samples",
            ),
            ("kind = 'icmp', thresholds = { rtr = { warn = 1 } }", "did you mean `rtt`?"),
            ("kind = 'icmp', thresholds = { jitter = { warn = 1 } }", "its numbers: rtt, loss"),
            ("kind = 'http', thresholds = { firstbyte = { warn = 1 } }", "did you mean `first_byte`?"),
            ("kind = 'dns', thresholds = { time = { warn = 1 } }", "its numbers: rtt"),
            ("kind = 'tls', thresholds = { days = { warn = 1 } }", "its numbers: days_left,"),
            ("kind = 'ntp', thresholds = { ofset = { warn = 1 } }", "did you mean `offset`?"),
        ] {
            let all = told(check).expect_err("it is wrong");
            assert!(all.contains(want), "{want} is missing in\n{all}");
        }
        for check in [
            "kind = 'icmp', count = 3, thresholds = { jitter = { warn = 1 } }",
            "kind = 'dns', servers = ['a', 'b'], thresholds = { 'rtt:a:53' = { warn = 1 } }",
            "kind = 'local', thresholds = { 'disk:/var' = { warn = 1 }, uptime = { crit = 60, below = true } }",
            "kind = 'prometheus', expect = [{ metric = 'queue', warning = 1 }], thresholds = { queue = { warn = 1 }, 'queue{name=a}' = { warn = 1 } }",
            "kind = 'plugin', command = ['sh'], thresholds = { anything = { warn = 1 } }",
        ] {
            assert_eq!(told(check), Ok(()), "{check}");
        }
    }

    #[test]
    fn what_is_wrong_with_them_is_said() {
        for (text, want) in [
            ("{ rtt = 5 }", "must be a table"),
            ("{ rtt = {} }", "needs `warn` or `crit`"),
            ("{ rtt = { warn = 5, crit = 2 } }", "`warn` (5) is above `crit` (2)"),
            ("{ rtt = { warn = 5, crit = 7, below = true } }", "`warn` (5) is below `crit` (7)"),
            ("{ rtt = { warn = nan } }", "no finite number"),
            ("{ rtt = { crit = -inf } }", "no finite number"),
            ("{ rtt = { warn = 5, base = \"n\" } }", "go together"),
            ("{ rtt = { wrn = 5 } }", "did you mean `warn`?"),
        ] {
            let all = limits(text).expect_err("it is wrong");
            assert!(all.contains(want), "{want} is missing in\n{all}");
        }
    }
}
