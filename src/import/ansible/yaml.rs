//! The YAML form, and JSON as YAML: a bounded tree made of the parser's events. Aliases share their tree, so that a
//! small file stays small in memory, and the walk over it has a budget. Tagged values (`!vault`) count as nothing.

use std::collections::HashMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::groups::{Inventory, Variables, expand};
use crate::base::options::Problem;
use crate::import::Input;

const DEEPEST: usize = 64;
const MOST_NODES: usize = 2_000_000;
/// Groups, hosts and variables that are visited, aliases counted each time.
const MOST_VISITS: usize = 1_000_000;

#[derive(Debug)]
struct Node {
    line: usize,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Nothing,
    Scalar(String),
    Sequence(Vec<Rc<Node>>),
    Mapping(Vec<(String, Rc<Node>)>),
}

impl Node {
    fn find(&self, key: &str) -> Option<&Rc<Node>> {
        let Value::Mapping(entries) = &self.value else { return None };
        entries.iter().find(|(k, _)| k == key).map(|(_, node)| node)
    }
}

pub fn read(input: &Input) -> Result<Inventory, Vec<Problem>> {
    let root = parse(&input.source.text)
        .map_err(|(line, why)| vec![Problem::error(&input.line(line), format!("this is no YAML inventory: {why}"))])?;
    let mut walk = Walk { inventory: Inventory::default(), visits: 0 };
    walk.root(&root).map_err(|(line, why)| vec![Problem::error(&input.line(line), why)])?;
    walk.inventory.close();
    Ok(walk.inventory)
}

type Located<T> = Result<T, (usize, String)>;

/// A collection that is being read.
struct Open {
    anchor: usize,
    line: usize,
    dropped: bool,
    key: Option<String>,
    items: Vec<Rc<Node>>,
    entries: Option<Vec<(String, Rc<Node>)>>,
}

/// The first document.
fn parse(text: &str) -> Located<Rc<Node>> {
    let mut anchors: HashMap<usize, Rc<Node>> = HashMap::new();
    let mut open: Vec<Open> = Vec::new();
    let mut nodes = 0_usize;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e| (e.marker().line(), e.info().to_owned()))?;
        let line = span.start.line();
        nodes += 1;
        if nodes > MOST_NODES {
            return Err((line, "it has too many values".to_owned()));
        }
        let node = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = Rc::new(Node { line, value: scalar(&text, style, tag.as_deref()) });
                anchors.insert(anchor, node.clone());
                node
            }
            Event::Alias(anchor) => {
                anchors.get(&anchor).cloned().unwrap_or_else(|| Rc::new(Node { line, value: Value::Nothing }))
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= DEEPEST => {
                return Err((line, format!("it is nested deeper than {DEEPEST} levels")));
            }
            Event::SequenceStart(anchor, tag) => {
                open.push(Open {
                    anchor,
                    line,
                    dropped: is_foreign(tag.as_deref()),
                    key: None,
                    items: Vec::new(),
                    entries: None,
                });
                continue;
            }
            Event::MappingStart(anchor, tag) => {
                let entries = Some(Vec::new());
                open.push(Open {
                    anchor,
                    line,
                    dropped: is_foreign(tag.as_deref()),
                    key: None,
                    items: Vec::new(),
                    entries,
                });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(closed) = open.pop() else { continue };
                let value = match closed.entries {
                    _ if closed.dropped => Value::Nothing,
                    Some(entries) => Value::Mapping(entries),
                    None => Value::Sequence(closed.items),
                };
                let node = Rc::new(Node { line: closed.line, value });
                anchors.insert(closed.anchor, node.clone());
                node
            }
            Event::DocumentEnd | Event::StreamEnd => break,
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => continue,
        };
        let Some(parent) = open.last_mut() else { return Ok(node) };
        match (&mut parent.entries, parent.key.take()) {
            (None, _) => parent.items.push(node),
            (Some(entries), Some(key)) => entries.push((key, node)),
            (Some(_), None) => {
                parent.key = Some(match &node.value {
                    Value::Scalar(text) => text.clone(),
                    Value::Nothing | Value::Sequence(_) | Value::Mapping(_) => String::new(),
                });
            }
        }
    }
    Err((1, "it is empty".to_owned()))
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let plain = style == ScalarStyle::Plain;
    if is_foreign(tag) || (plain && matches!(text, "" | "~" | "null" | "Null" | "NULL")) {
        return Value::Nothing;
    }
    Value::Scalar(text.to_owned())
}

/// Vaults and other values that only ansible can read; `!unsafe` is text.
fn is_foreign(tag: Option<&Tag>) -> bool {
    tag.is_some_and(|tag| !tag.is_yaml_core_schema() && tag.suffix != "unsafe")
}

struct Walk {
    inventory: Inventory,
    visits: usize,
}

impl Walk {
    fn root(&mut self, root: &Node) -> Located<()> {
        let Value::Mapping(groups) = &root.value else {
            return Err((root.line, "an inventory is a mapping of groups".to_owned()));
        };
        for (name, group) in groups.iter().filter(|(name, _)| name != "_meta") {
            self.group(name, group, 0)?;
        }
        let Some(hostvars) = root.find("_meta").and_then(|meta| meta.find("hostvars")) else { return Ok(()) };
        let Value::Mapping(hosts) = &hostvars.value else { return Ok(()) };
        for (name, vars) in hosts {
            self.visit(vars.line)?;
            if self.inventory.known_host(name).is_none() {
                self.inventory.host(name, "ungrouped", Some(vars.line)).map_err(|why| (vars.line, why))?;
            }
            if let Some(host) = self.inventory.known_host(name) {
                fill(&mut host.vars, vars);
            }
        }
        Ok(())
    }

    fn group(&mut self, name: &str, node: &Node, depth: usize) -> Located<()> {
        self.visit(node.line)?;
        if depth > DEEPEST {
            return Err((node.line, format!("groups are nested deeper than {DEEPEST} levels")));
        }
        let failed = |why: String| (node.line, why);
        match &node.value {
            Value::Nothing => return self.inventory.group_vars(name).map(|_| ()).map_err(failed),
            // Old JSON: a group that is only a list of hosts.
            Value::Sequence(hosts) => return hosts.iter().try_for_each(|host| self.listed_host(name, host)),
            Value::Scalar(_) => {
                return Err((node.line, format!("the group {name} must be a mapping of hosts, vars and children")));
            }
            Value::Mapping(_) => {}
        }
        let vars = self.inventory.group_vars(name).map_err(failed)?;
        if let Some(told) = node.find("vars") {
            fill(vars, told);
        }
        if let Some(hosts) = node.find("hosts") {
            match &hosts.value {
                Value::Mapping(entries) => {
                    for (pattern, vars) in entries {
                        self.host(name, pattern, Some(vars), vars.line)?;
                    }
                }
                Value::Sequence(items) => items.iter().try_for_each(|host| self.listed_host(name, host))?,
                Value::Scalar(pattern) => self.host(name, pattern, None, hosts.line)?,
                Value::Nothing => {}
            }
        }
        let Some(children) = node.find("children") else { return Ok(()) };
        match &children.value {
            Value::Mapping(entries) => {
                for (child, node) in entries {
                    self.inventory.child(name, child).map_err(failed)?;
                    self.group(child, node, depth + 1)?;
                }
            }
            Value::Sequence(items) => {
                for item in items {
                    self.visit(item.line)?;
                    if let Value::Scalar(child) = &item.value {
                        self.inventory.child(name, child).map_err(failed)?;
                    }
                }
            }
            Value::Scalar(_) | Value::Nothing => {}
        }
        Ok(())
    }

    /// A host of a list; what is no text is no host.
    fn listed_host(&mut self, group: &str, item: &Node) -> Located<()> {
        self.visit(item.line)?;
        match &item.value {
            Value::Scalar(name) => self.host(group, name, None, item.line),
            Value::Nothing | Value::Sequence(_) | Value::Mapping(_) => Ok(()),
        }
    }

    fn host(&mut self, group: &str, pattern: &str, vars: Option<&Node>, line: usize) -> Located<()> {
        for name in expand(pattern).map_err(|why| (line, why))? {
            self.visit(line)?;
            let host = self.inventory.host(&name, group, Some(line)).map_err(|why| (line, why))?;
            if let Some(vars) = vars {
                fill(&mut host.vars, vars);
            }
        }
        Ok(())
    }

    fn visit(&mut self, line: usize) -> Located<()> {
        self.visits += 1;
        if self.visits > MOST_VISITS { Err((line, "it has too many groups and hosts".to_owned())) } else { Ok(()) }
    }
}

/// Takes the variables that matter, those of merge keys (`<<`) first.
fn fill(vars: &mut Variables, node: &Node) {
    let Value::Mapping(entries) = &node.value else { return };
    if let Some(merged) = node.find("<<")
        && let Value::Mapping(entries) = &merged.value
    {
        take(vars, entries);
    }
    take(vars, entries);
}

fn take(vars: &mut Variables, entries: &[(String, Rc<Node>)]) {
    for (key, node) in entries {
        if let Value::Scalar(value) = &node.value {
            vars.set(key, value);
        }
    }
}
