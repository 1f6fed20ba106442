//! `[ports]`, `[ports.tags.NAME]` and a host's own `ports`: which ports must be up, which are uplinks, which are nobody's
//! business, and from where on errors count. The nearest place that says anything of a port decides.

use std::sync::Arc;

use crate::base::options::{OptionDoc, Place, Problem, Reader, Table, Value, Worse};
use crate::model::PortRules;
use crate::model::port_rules::{Limits, Pattern, RuleSet};

/// The keys of all three.
pub const RULES: &[OptionDoc] = &[
    OptionDoc {
        name: "must_be_up",
        form: "array",
        default: "[]",
        help: "patterns for ifName, ifDescr or ifAlias (`*`, `?`, `[1-4]`): anything but up is a problem, from the first look on",
    },
    OptionDoc { name: "uplink", form: "array", default: "[]", help: "a lost link is a problem" },
    OptionDoc { name: "ignore", form: "array", default: "[]", help: "never a problem" },
];

/// The keys that only `[ports]` has.
pub const LIMITS: &[OptionDoc] = &[
    OptionDoc { name: "errors_warning", form: "integer", default: "100", help: "errors per million packets" },
    OptionDoc { name: "errors_critical", form: "integer", default: "1000", help: "errors per million packets" },
    OptionDoc {
        name: "discards_warning",
        form: "integer",
        default: "1000",
        help: "discards on the way out per million packets",
    },
    OptionDoc {
        name: "discards_critical",
        form: "integer",
        default: "10000",
        help: "discards on the way out per million packets",
    },
    OptionDoc {
        name: "tags",
        form: "table",
        default: "",
        help: "the same three lists for the hosts with a tag: `[ports.tags.access]`",
    },
];

/// What `[ports]` says.
#[derive(Debug, Default)]
pub(super) struct ForAll {
    all: Option<Arc<RuleSet>>,
    tags: Vec<(String, Arc<RuleSet>, Place)>,
    limits: Limits,
}

impl ForAll {
    pub fn read(table: Option<&Table>, problems: &mut Vec<Problem>) -> Self {
        let Some(table) = table else { return Self::default() };
        let mut r = table.reader("[ports]");
        let all = read_set(&mut r);
        let standard = Limits::default();
        let [errors_warning, errors_critical] = read_limits(
            &mut r,
            ["errors_warning", "errors_critical"],
            [standard.errors_warning, standard.errors_critical],
        );
        let [discards_warning, discards_critical] = read_limits(
            &mut r,
            ["discards_warning", "discards_critical"],
            [standard.discards_warning, standard.discards_critical],
        );
        let mut tags = Vec::new();
        for (tag, node) in r.table("tags").map(|t| &t.entries[..]).unwrap_or_default() {
            let Value::Table(table) = &node.value else {
                let wrong = format!("[ports.tags] `{}` must be a table, not {}", tag.name, node.value.kind());
                r.problem(Problem::error(&node.place, wrong));
                continue;
            };
            let what = format!("[ports.tags.{}]", tag.name);
            let mut reader = table.reader(&what);
            tags.push((tag.name.clone(), Arc::new(read_set(&mut reader)), tag.place.clone()));
            problems.extend(reader.finish());
        }
        problems.extend(r.finish());
        let limits = Limits { errors_warning, errors_critical, discards_warning, discards_critical };
        Self { all: (!all.is_empty()).then(|| Arc::new(all)), tags, limits }
    }

    /// The rules of one host: its own, then those of its tags in their order, then those for all.
    pub fn of_host(&self, own: Option<RuleSet>, tags: &[String]) -> Arc<PortRules> {
        let own = own.filter(|set| !set.is_empty()).map(Arc::new);
        let of_tag = |tag: &String| self.tags.iter().find(|(name, ..)| name == tag).map(|(_, set, _)| set.clone());
        let sets: Vec<Arc<RuleSet>> =
            own.into_iter().chain(tags.iter().filter_map(of_tag)).chain(self.all.clone()).collect();
        if sets.is_empty() && self.limits == Limits::default() {
            return PortRules::none();
        }
        Arc::new(PortRules { sets, limits: self.limits })
    }

    /// A tag that no host has is most likely misspelt.
    pub fn check_tags(&self, known: &[&str], problems: &mut Vec<Problem>) {
        for (tag, _, place) in &self.tags {
            if known.contains(&tag.as_str()) {
                continue;
            }
            let problem = Problem::warning(place, format!("no host has the tag \"{tag}\""));
            problems.push(match crate::base::options::nearest(tag, known.iter().copied()) {
                Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
                None => problem,
            });
        }
    }
}

/// A host's own `ports` table.
pub(super) fn read_own(table: &Table, host: &str, problems: &mut Vec<Problem>) -> RuleSet {
    let what = format!("the ports table of {host}");
    let mut r = table.reader(&what);
    let set = read_set(&mut r);
    problems.extend(r.finish());
    set
}

fn read_set(r: &mut Reader<'_>) -> RuleSet {
    RuleSet { must_be_up: patterns(r, "must_be_up"), uplink: patterns(r, "uplink"), ignore: patterns(r, "ignore") }
}

fn patterns(r: &mut Reader<'_>, key: &'static str) -> Vec<Pattern> {
    let mut out = Vec::new();
    for (text, place) in r.placed_strings(key).unwrap_or_default() {
        match Pattern::new(&text) {
            Ok(pattern) => out.push(pattern),
            Err(why) => r.problem(
                Problem::error(&place, format!("the pattern \"{text}\" {why}"))
                    .hint("`*` stands for anything, `?` for one character, `[1-4]` for one of these"),
            ),
        }
    }
    out
}

fn read_limits(r: &mut Reader<'_>, keys: [&'static str; 2], usual: [u32; 2]) -> [u32; 2] {
    let limits = r.pair(Worse::Higher, keys, usual.map(i64::from), |r, key| r.integer(key, 1..=1_000_000));
    [0, 1].map(|at| u32::try_from(limits[at]).unwrap_or(usual[at]))
}

#[cfg(test)]
mod tests {
    use crate::base::Untrusted;
    use crate::base::options::Problem;
    use crate::config::load::{Config, Problems, parse};
    use crate::model::{Port, PortRole};

    fn config(text: &str) -> Result<Config, String> {
        parse("noctty.toml", text.to_owned())
            .map_err(|Problems(list)| list.iter().map(Problem::render).collect::<String>())
    }

    fn role(config: &Config, host: usize, name: &str) -> PortRole {
        let port = Port { name: Untrusted::from(name), ..Port::default() };
        config.hosts[host].host.ports.role(&port, false)
    }

    #[test]
    fn a_hosts_own_rules_come_before_those_of_its_tags_and_those_for_all() {
        let text = r#"
[ports]
uplink = ["Te*"]
ignore = ["Nu0"]
errors_warning = 50

[ports.tags.access]
ignore = ["Gi*"]

[[host]]
name = "core"
ports = { must_be_up = ["Te1/1/[1-2]"] }

[[host]]
name = "floor"
tags = ["access"]
ports = { uplink = ["Gi1/0/48"] }
"#;
        let config = config(text).expect("it is valid");
        assert_eq!(role(&config, 0, "Te1/1/1"), PortRole::MustBeUp);
        assert_eq!(role(&config, 0, "Te1/1/3"), PortRole::Uplink);
        assert_eq!(role(&config, 0, "Gi1/0/1"), PortRole::Plain);
        assert_eq!(role(&config, 1, "Gi1/0/48"), PortRole::Uplink);
        assert_eq!(role(&config, 1, "Gi1/0/47"), PortRole::Ignored);
        assert_eq!(role(&config, 1, "Nu0"), PortRole::Ignored);
        let limits = config.hosts[1].host.ports.limits;
        assert_eq!((limits.errors_warning, limits.errors_critical), (50, 1000));
    }

    #[test]
    fn every_problem_has_its_place() {
        let text = r#"[ports]
uplink = ["Te[1", "ok"]
errors_warning = 5000
discard_warning = 5
[ports.tags]
acess = { ignore = ["*"] }
lab = 5
[[host]]
name = "a"
tags = ["access"]
ports = { must_be_down = ["x"] }
"#;
        let all = config(text).expect_err("it is not");
        for want in [
            "noctty.toml:2:11: error: the pattern \"Te[1\" has a [ without its ]",
            "noctty.toml:3:18: error: [ports]: `errors_warning` (5000) is above `errors_critical` (1000)",
            "unknown key `discard_warning` in [ports]",
            "noctty.toml:6:1: warning: no host has the tag \"acess\"",
            "did you mean \"access\"?",
            "[ports.tags] `lab` must be a table, not an integer",
            "unknown key `must_be_down` in the ports table of a",
        ] {
            assert!(all.contains(want), "{want} is missing in\n{all}");
        }
    }
}
