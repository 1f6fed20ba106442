//! One profile file, read on its own: what it extends is named but not yet looked up.

pub mod cells;
mod identity;
mod readings;

use std::sync::Arc;
use std::time::Duration;

use self::cells::{Draft, parse_oid};
use super::pattern::Pattern;
use super::table::Table;
use super::{Bridge, Quirks, Source};
use crate::base::document;
use crate::base::options::{Node, Place, Problem, Reader, Table as Toml, Value};
use crate::proto::snmp::Oid;

/// A profile as its file has it.
#[derive(Debug)]
pub struct File {
    pub name: Arc<str>,
    pub vendor: Option<Arc<str>>,
    pub os: Option<Arc<str>>,
    pub extends: Vec<(Arc<str>, Place)>,
    pub rules: Vec<Rule>,
    /// Model, version, serial number; `None` where the file leaves it to what it extends.
    pub identity: [Option<Vec<Source>>; 3],
    pub tables: Vec<Arc<Table>>,
    pub without: Vec<(Arc<str>, Place)>,
    pub quirks: Quirks,
}

/// Which devices a profile is for.
#[derive(Debug)]
pub struct Rule {
    /// Of sysObjectID; empty for any.
    pub prefix: Vec<u32>,
    /// In sysDescr.
    pub description: Option<Pattern>,
    /// A scalar that the device must have.
    pub present: Option<Oid>,
    pub place: Place,
}

/// Who wrote a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// It is shipped: a test has read it as if it were the user's.
    Us,
    User,
}

/// Reads a file's text.
///
/// # Errors
/// Every problem at once; then nothing of the file is used.
pub fn read(name: &str, shown: &str, text: String, author: Author) -> Result<File, Vec<Problem>> {
    let (root, mut problems) = document::parse(shown, text);
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut r = root.reader("a profile");
    let vendor = r.string("vendor").map(Arc::from);
    let os = r.string("os").map(Arc::from);
    let extends = named(&mut r, "extends");
    let without = named(&mut r, "without");
    let rules = r.tables("match").into_iter().flat_map(|table| rules(table, author, &mut problems)).collect();
    let identity = r.table("identity").map(|table| identity::read(table, author, &mut problems)).unwrap_or_default();
    let tables: Vec<Arc<Table>> =
        r.tables("table").into_iter().filter_map(|table| readings::table(name, table, author, &mut problems)).collect();
    for (i, table) in tables.iter().enumerate() {
        if tables[..i].iter().any(|before| before.short == table.short) {
            problems.push(Problem::error(&root.place, format!("two tables have the name \"{}\"", table.short)));
        }
    }
    let quirks = r.table("quirks").map(|table| quirks(table, &mut problems)).unwrap_or_default();
    problems.extend(r.finish());
    if !problems.is_empty() {
        problems.sort_by_key(|p| p.place.as_ref().map(|at| at.start));
        return Err(problems);
    }
    Ok(File { name: name.into(), vendor, os, extends, rules, identity, tables, without, quirks })
}

/// Names under a key, with their places.
fn named(r: &mut Reader<'_>, key: &'static str) -> Vec<(Arc<str>, Place)> {
    let found = r.placed_strings(key).unwrap_or_default();
    found.into_iter().map(|(name, place)| (Arc::from(name), place)).collect()
}

/// One `[[match]]`: a rule for each of its identifiers.
fn rules(table: &Toml, author: Author, problems: &mut Vec<Problem>) -> Vec<Rule> {
    let mut r = table.reader("[[match]]");
    let prefixes = match r.node("object_id") {
        None => vec![Vec::new()],
        Some(Node { value: Value::Array(items), .. }) => items.iter().filter_map(|n| prefix(n, problems)).collect(),
        Some(node) => prefix(node, problems).into_iter().collect(),
    };
    let mut draft = Draft { author, scalars: Vec::new(), columns: Vec::new(), problems };
    let description = draft.pattern(&mut r, "description");
    let present = r.string("present").and_then(|text| {
        let oid = parse_oid(&text).filter(|_| text.ends_with(".0"));
        if oid.is_none() {
            let place = r.node("present").map_or_else(|| table.place.clone(), |n| n.place.clone());
            draft.problem(&place, format!("\"{text}\" is no scalar: numbers and dots, the last one 0"));
        }
        oid
    });
    if table.find("object_id").is_none() && table.find("description").is_none() && table.find("present").is_none() {
        draft.problems.push(
            Problem::error(&table.place, "[[match]] says nothing: every device would be meant")
                .hint("add `object_id`, `description` or `present`"),
        );
    }
    problems.extend(r.finish());
    let one = |prefix| Rule {
        prefix,
        description: description.clone(),
        present: present.clone(),
        place: table.place.clone(),
    };
    prefixes.into_iter().map(one).collect()
}

fn prefix(node: &Node, problems: &mut Vec<Problem>) -> Option<Vec<u32>> {
    if let Value::String(text) = &node.value
        && parse_oid(text).is_some()
    {
        return text.split('.').map(|arc| arc.parse().ok()).collect();
    }
    problems.push(
        Problem::error(&node.place, "`object_id` is the beginning of a sysObjectID")
            .hint("write it as \"1.3.6.1.4.1.9.1\", or several in an array"),
    );
    None
}

fn bridge(r: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Option<Bridge> {
    let place = r.node("bridge").map(|node| node.place.clone())?;
    let text = r.string("bridge")?;
    let found = Bridge::ALL.into_iter().find(|bridge| bridge.as_str() == text);
    if found.is_none() {
        let problem = Problem::error(&place, format!("there is no way \"{text}\" to show a bridge"));
        problems.push(problem.hint(format!("known: {}", Bridge::ALL.map(Bridge::as_str).join(", "))));
    }
    found
}

fn quirks(table: &Toml, problems: &mut Vec<Problem>) -> Quirks {
    let mut r = table.reader("[quirks]");
    let quirks = Quirks {
        max_repetitions: r.integer("max_repetitions", 1..=50).and_then(|n| u16::try_from(n).ok()),
        getbulk: r.bool("getbulk"),
        timeout: r.duration("timeout").map(|d| d.clamp(Duration::from_millis(100), Duration::from_secs(60))),
        counters64: r.bool("counters64"),
        skip: r.strings("skip").unwrap_or_default().into_iter().map(Arc::from).collect(),
        bridge: bridge(&mut r, problems),
    };
    let places: Vec<(String, Place)> = r.placed_strings("skip").unwrap_or_default();
    for (name, place) in places {
        if !super::SKIPPABLE.contains(&name.as_str()) {
            problems.push(
                Problem::error(&place, format!("\"{name}\" cannot be skipped"))
                    .hint(format!("known: {}", super::SKIPPABLE.join(", "))),
            );
        }
    }
    problems.extend(r.finish());
    quirks
}
