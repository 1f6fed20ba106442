//! Which of the imported hosts become part of a configuration: valid ones, each once, not there yet, with parents
//! that exist and form no circle. What is left out is said.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use super::{Found, Record, remark};
use crate::base::options::{Place, Problem};
use crate::base::text;
use crate::config::Config;
use crate::config::inventory::check_address;

/// The longest name; longer ones break every table.
const LONGEST_NAME: usize = 255;

/// What an import comes to.
#[derive(Debug, Default)]
pub struct Settled {
    pub new: Vec<Record>,
    /// Hosts of the input that the configuration has already, as they are.
    pub known: usize,
    pub remarks: Vec<Problem>,
}

/// Compares what was found with a configuration; `None` is an empty one.
pub fn settle(found: Found, existing: Option<&Config>) -> Settled {
    let mut out = Settled { remarks: found.remarks, ..Settled::default() };
    let existing = Existing::of(existing);
    let mut names: HashMap<String, Option<Place>> = HashMap::new();
    for record in found.records {
        let Some(record) = valid(record, &mut out.remarks) else { continue };
        let place = record.place.as_ref();
        if let Some(first) = names.get(&record.name) {
            let line = first.as_ref().map(|p| format!(", first in line {}", p.line_and_column().0)).unwrap_or_default();
            out.remarks.push(remark(place, format!("{}: left out, the name is used twice{line}", record.name)));
            continue;
        }
        names.insert(record.name.clone(), record.place.clone());
        match existing.compare(&record) {
            Compared::New => out.new.push(record),
            Compared::Known => out.known += 1,
            Compared::Differs(why) => {
                out.known += 1;
                out.remarks.push(remark(place, format!("{}: {why}", record.name)));
            }
        }
    }
    settle_parents(&mut out, &existing);
    out
}

/// The record with clean texts; `None`, and a remark, where it can't be a host.
fn valid(mut record: Record, remarks: &mut Vec<Problem>) -> Option<Record> {
    let place = record.place.clone();
    let mut refuse = |why: String| {
        remarks.push(remark(place.as_ref(), why));
        None
    };
    record.name = text::clean(record.name.trim());
    if record.name.is_empty() || record.name.len() > LONGEST_NAME {
        return refuse(format!("left out, a name must have 1 to {LONGEST_NAME} bytes"));
    }
    let (what, dialled) = record.address.as_ref().map_or(("name", &record.name), |a| ("address", a));
    if let Err(why) = check_address(dialled) {
        return refuse(format!("{}: left out, the {what} \"{dialled}\" {why}", record.name));
    }
    let clean = |words: &mut Vec<String>| {
        let mut seen = HashSet::new();
        *words = words.iter().map(|w| text::clean(w)).filter(|w| seen.insert(w.clone())).collect();
    };
    clean(&mut record.tags);
    clean(&mut record.parents);
    record.group = record.group.map(|g| text::clean(&g));
    record.ssh = record.ssh.map(|s| text::clean(&s));
    Some(record)
}

enum Compared {
    New,
    Known,
    Differs(String),
}

/// What a configuration has: addresses by id, ids by name and by address.
#[derive(Default)]
struct Existing<'a> {
    hosts: HashMap<&'a str, Option<&'a str>>,
    ids: HashMap<&'a str, &'a str>,
    jobs: HashSet<&'a str>,
    by_address: HashMap<&'a str, &'a str>,
}

impl<'a> Existing<'a> {
    fn of(config: Option<&'a Config>) -> Self {
        let mut out = Self::default();
        let Some(config) = config else { return out };
        for entry in &config.hosts {
            let (id, address) = (entry.host.id.as_str(), entry.host.address.as_deref());
            out.hosts.insert(id, address);
            out.ids.insert(&entry.host.name, id);
            out.ids.insert(id, id);
            if let Some(address) = address.filter(|a| !a.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())) {
                out.by_address.insert(address, id);
            }
        }
        out.jobs = config.jobs.iter().map(|j| j.job.id.as_str()).collect();
        out
    }

    fn compare(&self, record: &Record) -> Compared {
        let address = record.address.as_deref().unwrap_or(&record.name);
        if let Some(id) = self.ids.get(record.name.as_str()) {
            let has = self.hosts.get(id).copied().flatten().unwrap_or_default();
            if has == address {
                return Compared::Known;
            }
            return Compared::Differs(format!("kept as it is, its address is {has} there and {address} here"));
        }
        if self.jobs.contains(record.name.as_str()) {
            return Compared::Differs("left out, a backup has this name".to_owned());
        }
        if let Some(id) = self.by_address.get(address) {
            return Compared::Differs(format!("left out, {address} is there already as {id}"));
        }
        Compared::New
    }
}

/// Keeps the parents that exist, by id, and breaks circles at the edge that closes them.
fn settle_parents(out: &mut Settled, existing: &Existing<'_>) {
    let index: HashMap<String, usize> = out.new.iter().enumerate().map(|(i, r)| (r.name.clone(), i)).collect();
    let mut remarks = Vec::new();
    for record in &mut out.new {
        let mut kept = Vec::new();
        for parent in std::mem::take(&mut record.parents) {
            if parent == record.name {
                remarks.push(remark(record.place.as_ref(), format!("{parent}: left out as its own parent")));
            } else if let Some(id) = existing.ids.get(parent.as_str()) {
                kept.push((*id).to_owned());
            } else if index.contains_key(&parent) {
                kept.push(parent);
            } else {
                remarks.push(remark(
                    record.place.as_ref(),
                    format!("{}: the parent {parent} is left out, it is no host here", record.name),
                ));
            }
        }
        record.parents = kept;
    }
    for (child, parent) in closing_edges(&out.new, &index) {
        let parent = out.new[parent].name.clone();
        let record = &mut out.new[child];
        record.parents.retain(|p| *p != parent);
        remarks.push(remark(
            record.place.as_ref(),
            format!("{}: the parent {parent} is left out, it would close a circle", record.name),
        ));
    }
    out.remarks.append(&mut remarks);
}

/// Edges (child, parent) that lead back to a host on the way to it; depth first, without recursion.
fn closing_edges(records: &[Record], index: &HashMap<String, usize>) -> Vec<(usize, usize)> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        Fresh,
        OnPath,
        Done,
    }
    let mut marks = vec![Mark::Fresh; records.len()];
    let mut closing = Vec::new();
    for start in 0..records.len() {
        if marks[start] != Mark::Fresh {
            continue;
        }
        marks[start] = Mark::OnPath;
        let mut path = vec![(start, 0)];
        while let Some((at, next)) = path.last_mut() {
            let child = *at;
            let Some(parent) = records[child].parents.get(*next) else {
                marks[child] = Mark::Done;
                path.pop();
                continue;
            };
            *next += 1;
            let Some(&parent) = index.get(parent) else { continue };
            match marks[parent] {
                Mark::Fresh => {
                    marks[parent] = Mark::OnPath;
                    path.push((parent, 0));
                }
                Mark::OnPath => closing.push((child, parent)),
                Mark::Done => {}
            }
        }
    }
    closing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;
    use crate::import::testing::words;

    fn record(name: &str, address: &str, parents: &[&str]) -> Record {
        Record {
            address: Some(address.to_owned()),
            parents: parents.iter().map(|p| (*p).to_owned()).collect(),
            ..Record::named(name)
        }
    }

    fn settled(records: Vec<Record>, config: &str) -> Settled {
        let config = load::parse("noctty.toml", config.to_owned()).expect("valid");
        settle(Found { records, remarks: Vec::new() }, Some(&config))
    }

    fn names(settled: &Settled) -> Vec<&str> {
        settled.new.iter().map(|r| r.name.as_str()).collect()
    }

    #[test]
    fn only_new_hosts_are_added_and_the_rest_is_told() {
        let config = "[[host]]\nname = \"a\"\naddress = \"10.0.0.1\"\n[[host]]\nname = \"renamed\"\naddress = \"10.0.0.3\"\n[[host]]\nname = \"moved\"\naddress = \"10.0.0.4\"\n";
        let out = settled(
            vec![
                record("a", "10.0.0.1", &[]),
                record("b", "10.0.0.2", &["a"]),
                record("c", "10.0.0.3", &[]),
                record("moved", "10.0.0.5", &[]),
                record("b", "10.0.0.9", &[]),
            ],
            config,
        );
        assert_eq!(names(&out), ["b"]);
        assert_eq!((out.known, out.new[0].parents.as_slice()), (3, &["a".to_owned()][..]));
        let words = words(&out.remarks);
        for want in [
            "c: left out, 10.0.0.3 is there already as renamed",
            "moved: kept as it is, its address is 10.0.0.4 there and 10.0.0.5 here",
            "b: left out, the name is used twice",
        ] {
            assert!(words.contains(want), "{want} is missing in\n{words}");
        }
    }

    #[test]
    fn hostile_names_and_addresses_never_get_in() {
        let out = settled(
            vec![
                record("\u{1b}]0;x\u{7}", "10.0.0.1", &[]),
                record("dash", "-oProxyCommand=x", &[]),
                record("user", "root@10.0.0.1", &[]),
                record("", "10.0.0.2", &[]),
                record(&"n".repeat(300), "10.0.0.3", &[]),
                Record::named("two words"),
            ],
            "",
        );
        assert_eq!(names(&out), [text::clean("\u{1b}]0;x\u{7}")]);
        assert!(text::is_clean(&out.new[0].name));
        assert_eq!(out.remarks.len(), 5);
    }

    #[test]
    fn circles_of_parents_are_broken_and_unknown_parents_dropped() {
        let out = settled(
            vec![
                record("a", "10.0.0.1", &["b"]),
                record("b", "10.0.0.2", &["c"]),
                record("c", "10.0.0.3", &["a", "c", "gone"]),
            ],
            "",
        );
        let parents: Vec<usize> = out.new.iter().map(|r| r.parents.len()).collect();
        assert_eq!(parents, [1, 1, 0]);
        let words = words(&out.remarks);
        assert!(words.contains("c: the parent a is left out, it would close a circle"), "{words}");
        assert!(words.contains("c: the parent gone is left out, it is no host here"), "{words}");
    }

    #[test]
    fn a_name_that_a_backup_has_is_left_out() {
        let out = settled(
            vec![record("nightly", "10.0.0.1", &[])],
            "[[backup]]\nname = \"nightly\"\nkind = \"restic\"\nrepository = \"/r\"\n",
        );
        assert!(out.new.is_empty());
        assert!(words(&out.remarks).contains("a backup has this name"));
    }
}
