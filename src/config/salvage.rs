//! A configuration with errors, as far as it can be understood: one slip of the pen must not blind the console. A
//! host or backup with an error in it keeps its name and is not watched, for that reason; of two with one name the first
//! stays; parents and protected assets that do not exist, and circles of parents, are left out. Everything else is watched
//! as if nothing were wrong, and every problem is told. Commands without a screen refuse such a file instead.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::inventory::{HostEntry, JobEntry};
use super::load::{self, Config, Understood};
use crate::base::options::{Node, Problem, Table, Value, Weight};
use crate::model::AssetId;

/// Reads what can be watched, and says all that is wrong, errors and warnings.
pub fn read(path: &Path) -> (Config, Vec<Problem>) {
    match load::understand(path) {
        Ok(understood) => salvage(understood),
        Err(problem) => (Config::default(), vec![problem]),
    }
}

/// The same, and what has an error in it stays among what is watched: for whoever wants to know all else that is wrong with it.
pub fn read_whole(path: &Path) -> (Config, Vec<Problem>) {
    let understood = match load::understand(path) {
        Ok(understood) => understood,
        Err(problem) => return (Config::default(), vec![problem]),
    };
    let hosts = understood.config.hosts.iter().filter(|entry| entry.host.not_probed.is_some());
    let disabled: HashSet<AssetId> = hosts.map(|entry| entry.host.id.clone()).collect();
    let (mut config, problems) = salvage(understood);
    for entry in config.hosts.iter_mut().filter(|entry| !disabled.contains(&entry.host.id)) {
        Arc::make_mut(&mut entry.host).not_probed = None;
    }
    for entry in &mut config.jobs {
        Arc::make_mut(&mut entry.job).not_probed = None;
    }
    (config, problems)
}

fn salvage(understood: Understood) -> (Config, Vec<Problem>) {
    let Understood { root, mut config, problems, references } = understood;
    let sections = Sections::of(&root);
    let mut reasons: HashMap<usize, Arc<str>> = HashMap::new();
    for problem in problems.iter().filter(|problem| problem.weight == Weight::Error) {
        if let Some(at) = problem.place.as_ref().map(|place| place.start)
            && let Some(section) = sections.holding(at)
        {
            reasons.entry(section).or_insert_with(|| problem.short().into());
        }
    }
    for entry in &mut config.hosts {
        let section = entry.place.as_ref().and_then(|place| sections.holding(place.start));
        let reason = section.and_then(|section| reasons.get(&section));
        if let Some(reason) = reason.filter(|_| !only_checks(&root, section, &problems, entry)) {
            Arc::make_mut(&mut entry.host).not_probed = Some(reason.clone());
        }
    }
    for entry in &mut config.jobs {
        if let Some(reason) = sections.holding(entry.place.start).and_then(|section| reasons.get(&section)) {
            Arc::make_mut(&mut entry.job).not_probed = Some(reason.clone());
        }
    }
    mend(&mut config.hosts, &mut config.jobs);
    let mut all = problems;
    all.extend(references);
    load::sort(&mut all);
    (config, all)
}

/// Whether all that is wrong with a host is in its checks.
fn only_checks(root: &Table, section: Option<usize>, problems: &[Problem], entry: &HostEntry) -> bool {
    let table = root.entries.iter().flat_map(|(_, node)| tables(node)).find(|t| Some(t.place.start) == section);
    let Some(table) = table else { return false };
    let spans: Vec<_> = ["checks", "snmp"].iter().filter_map(|key| table.find(key)).map(|node| &node.place).collect();
    let sections = Sections::of(root);
    let mut mine = problems.iter().filter_map(|p| p.place.as_ref().filter(|_| p.weight == Weight::Error));
    let elsewhere = |at: usize| !spans.iter().any(|span| (span.start..span.end).contains(&at));
    let some = entry.snmp.is_some() || entry.checks.as_ref().is_none_or(|checks| !checks.is_empty());
    some && !mine.any(|place| sections.holding(place.start) == section && elsewhere(place.start))
}

/// Takes out of the entries what cannot be among them together.
fn mend(hosts: &mut Vec<HostEntry>, jobs: &mut Vec<JobEntry>) {
    let mut seen: HashSet<AssetId> = HashSet::new();
    hosts.retain(|entry| seen.insert(entry.host.id.clone()));
    jobs.retain(|entry| seen.insert(entry.job.id.clone()));
    let known: HashSet<AssetId> = hosts.iter().map(|entry| entry.host.id.clone()).collect();
    for entry in jobs {
        if entry.job.protects.iter().any(|asset| !known.contains(asset)) {
            Arc::make_mut(&mut entry.job).protects.retain(|asset| known.contains(asset));
        }
    }
    let rows: HashMap<AssetId, usize> = hosts.iter().enumerate().map(|(n, e)| (e.host.id.clone(), n)).collect();
    for row in 0..hosts.len() {
        if hosts[row].host.parents.iter().any(|parent| !known.contains(parent)) {
            Arc::make_mut(&mut hosts[row].host).retain_parents(|parent| known.contains(parent));
        }
        if hangs_on_itself(hosts, &rows, row) {
            Arc::make_mut(&mut hosts[row].host).retain_parents(|_| false);
        }
    }
}

fn hangs_on_itself(hosts: &[HostEntry], rows: &HashMap<AssetId, usize>, start: usize) -> bool {
    let above = |row: usize| hosts[row].host.parents.iter().filter_map(|parent| rows.get(parent).copied());
    let mut open: Vec<usize> = above(start).collect();
    let mut met: HashSet<usize> = HashSet::new();
    while let Some(row) = open.pop() {
        if row == start {
            return true;
        }
        if met.insert(row) {
            open.extend(above(row));
        }
    }
    false
}

/// Where each table of the document begins: what stands behind it belongs to it, up to the next.
struct Sections(Vec<usize>);

impl Sections {
    fn of(root: &Table) -> Self {
        let mut starts: Vec<usize> =
            root.entries.iter().flat_map(|(_, node)| tables(node)).map(|t| t.place.start).collect();
        starts.sort_unstable();
        Self(starts)
    }

    /// The beginning of the section that a place is in.
    fn holding(&self, at: usize) -> Option<usize> {
        self.0[..self.0.partition_point(|start| *start <= at)].last().copied()
    }
}

fn tables(node: &Node) -> Vec<&Table> {
    match &node.value {
        Value::Table(table) => vec![table],
        Value::Array(items) => items.iter().flat_map(tables).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn salvaged(text: &str) -> (Config, Vec<String>) {
        let (config, problems) = salvage(load::understand_text("noctty.toml", text.to_owned()));
        (config, problems.iter().map(Problem::brief).collect())
    }

    fn why<'a>(config: &'a Config, name: &str) -> Option<&'a str> {
        let host = config.hosts.iter().find(|h| &*h.host.name == name).expect("it is there");
        host.host.not_probed.as_deref()
    }

    #[test]
    fn an_entry_with_an_error_is_not_watched_for_that_reason_and_the_others_are() {
        let (config, problems) = salvaged(
            "[[host]]\nname = \"a\"\nadress = \"10.0.0.1\"\n\n[[host]]\nname = \"b\"\naddress = \"10.0.0.2\"\n\n[hots]\nx = 1\n\n\
             [[backup]]\nname = \"n\"\nkind = \"restic\"\nrepository = \"/r\"\nrpo = \"26\"\n\n[[backup]]\nname = \"m\"\nkind = \"restic\"\nrepository = \"/r\"\n",
        );
        assert_eq!(
            why(&config, "a"),
            Some("noctty.toml:3:1: unknown key `adress` in [[host]]; did you mean `address`?")
        );
        assert_eq!(why(&config, "b"), None, "what is wrong behind it is not its own");
        assert!(config.jobs[0].job.not_probed.as_deref().is_some_and(|w| w.starts_with("noctty.toml:16:7: ")));
        assert_eq!(config.jobs[1].job.not_probed, None);
        assert_eq!(problems.len(), 3, "{problems:?}");
    }

    #[test]
    fn names_used_twice_wrong_parents_and_circles_lose_what_is_wrong_about_them() {
        let (config, problems) = salvaged(
            "[[host]]\nname = \"a\"\nparents = [[\"b\"], [\"x\"]]\n[[host]]\nname = \"b\"\nparents = [\"a\"]\n[[host]]\nname = \"c\"\nparents = [\"a\"]\n[[host]]\nname = \"c\"\naddress = \"10.0.0.9\"\n",
        );
        let parents: Vec<(&str, Vec<&str>)> = config
            .hosts
            .iter()
            .map(|h| (&*h.host.name, h.host.parents.iter().map(AssetId::as_str).collect()))
            .collect();
        assert_eq!(parents, [("a", vec![]), ("b", vec!["a"]), ("c", vec!["a"])]);
        assert!(config.hosts.iter().all(|h| h.host.not_probed.is_none()), "all of them are watched");
        assert_eq!(problems.len(), 3, "{problems:?}");
    }

    #[test]
    fn a_wrong_check_is_kept_as_wrong_and_costs_no_other() {
        let (config, _) = salvaged(
            "[[host]]\nname = \"a\"\nchecks = [\"icmp\", { port = 80 }]\n[[host]]\nname = \"b\"\nchecks = \"icmp\"\n",
        );
        assert_eq!(why(&config, "a"), None);
        let checks = config.hosts[0].checks.as_deref().expect("some");
        let unread: Vec<Option<&str>> = checks.iter().map(|check| check.unread.as_deref()).collect();
        assert!(matches!(unread[..], [None, Some(why)] if why.starts_with("noctty.toml:3:")), "{unread:?}");
        let of_b = why(&config, "b").expect("it is not probed");
        assert!(of_b.starts_with("noctty.toml:6:10: `checks` must be an array, not a string; write "), "{of_b}");
    }

    #[test]
    fn broken_lines_cost_the_entry_that_they_are_in() {
        let (config, problems) = salvaged("[[host]]\nname = \"a\"\naddress = \n\n[[host]]\nname = \"b\"\n");
        assert!(why(&config, "a").is_some_and(|w| w.starts_with("noctty.toml:3:")), "{problems:?}");
        assert_eq!(why(&config, "b"), None);
    }
}
