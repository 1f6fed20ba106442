//! Hosts, groups and the few variables that matter, as both syntaxes fill them; and which value applies to a host:
//! its own, then that of the deepest group, where groups of one depth go by name (the later wins), as ansible does.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::import::MOST_HOSTS;

const MOST_GROUPS: usize = 5_000;

/// The variables that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variable {
    Host,
    Port,
    Connection,
    SshArguments,
}

impl Variable {
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "ansible_host" | "ansible_ssh_host" => Some(Self::Host),
            "ansible_port" | "ansible_ssh_port" => Some(Self::Port),
            "ansible_connection" => Some(Self::Connection),
            "ansible_ssh_common_args" | "ansible_ssh_extra_args" => Some(Self::SshArguments),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<Variable, String>);

impl Variables {
    pub fn set(&mut self, name: &str, value: &str) {
        if let Some(variable) = Variable::parse(name) {
            self.0.insert(variable, value.to_owned());
        }
    }

    pub fn text(&self, variable: Variable) -> Option<&str> {
        self.0.get(&variable).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn overlay(&mut self, over: &Self) {
        self.0.extend(over.0.iter().map(|(k, v)| (*k, v.clone())));
    }
}

#[derive(Debug)]
pub struct InventoryHost {
    pub name: String,
    pub port: Option<u16>,
    pub line: Option<usize>,
    pub vars: Variables,
    groups: BTreeSet<usize>,
}

#[derive(Debug, Default)]
struct Group {
    name: String,
    vars: Variables,
    parents: BTreeSet<usize>,
    depth: usize,
}

#[derive(Debug, Default)]
pub struct Inventory {
    pub hosts: Vec<InventoryHost>,
    pub remarks: Vec<String>,
    by_name: HashMap<String, usize>,
    groups: Vec<Group>,
    group_by_name: HashMap<String, usize>,
}

impl Inventory {
    /// Adds a host to a group, or finds it.
    ///
    /// # Errors
    /// There are too many.
    pub fn host(&mut self, name: &str, group: &str, line: Option<usize>) -> Result<&mut InventoryHost, String> {
        let group = self.group_at(group)?;
        let at = if let Some(at) = self.by_name.get(name) {
            *at
        } else {
            if self.hosts.len() >= MOST_HOSTS {
                return Err(format!("it has more than {MOST_HOSTS} hosts"));
            }
            let at = self.hosts.len();
            let host = InventoryHost {
                name: name.to_owned(),
                port: None,
                line,
                vars: Variables::default(),
                groups: BTreeSet::new(),
            };
            self.hosts.push(host);
            self.by_name.insert(name.to_owned(), at);
            at
        };
        let host = &mut self.hosts[at];
        host.groups.insert(group);
        Ok(host)
    }

    /// A host that is there already.
    pub fn known_host(&mut self, name: &str) -> Option<&mut InventoryHost> {
        self.by_name.get(name).map(|at| &mut self.hosts[*at])
    }

    /// The variables of a group, which is made where it is new.
    ///
    /// # Errors
    /// There are too many groups.
    pub fn group_vars(&mut self, group: &str) -> Result<&mut Variables, String> {
        let at = self.group_at(group)?;
        Ok(&mut self.groups[at].vars)
    }

    /// # Errors
    /// There are too many groups.
    pub fn child(&mut self, parent: &str, child: &str) -> Result<(), String> {
        let (parent, child) = (self.group_at(parent)?, self.group_at(child)?);
        self.groups[child].parents.insert(parent);
        Ok(())
    }

    fn group_at(&mut self, name: &str) -> Result<usize, String> {
        if let Some(at) = self.group_by_name.get(name) {
            return Ok(*at);
        }
        if self.groups.len() >= MOST_GROUPS {
            return Err(format!("it has more than {MOST_GROUPS} groups"));
        }
        let at = self.groups.len();
        self.groups.push(Group { name: name.to_owned(), ..Group::default() });
        self.group_by_name.insert(name.to_owned(), at);
        Ok(at)
    }

    /// Cuts circles among the groups and finds their depths; to be called once all is read.
    pub fn close(&mut self) {
        let mut waiting: Vec<usize> = self.groups.iter().map(|g| g.parents.len()).collect();
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); self.groups.len()];
        for (at, group) in self.groups.iter().enumerate() {
            for parent in &group.parents {
                children[*parent].push(at);
            }
        }
        let mut ready: Vec<usize> = (0..self.groups.len()).filter(|at| waiting[*at] == 0).collect();
        let mut done = 0;
        while let Some(at) = ready.pop() {
            done += 1;
            for child in &children[at] {
                self.groups[*child].depth = self.groups[*child].depth.max(self.groups[at].depth + 1);
                waiting[*child] -= 1;
                if waiting[*child] == 0 {
                    ready.push(*child);
                }
            }
        }
        if done < self.groups.len() {
            for (_, group) in self.groups.iter_mut().enumerate().filter(|(at, _)| waiting[*at] > 0) {
                self.remarks.push(format!(
                    "the group {} is in a circle of groups or below one; its parents are left out",
                    group.name
                ));
                group.parents.clear();
                group.depth = 0;
            }
        }
    }

    pub fn resolved_groups(&self) -> Resolved<'_> {
        Resolved(self)
    }
}

/// Questions about a closed inventory.
#[derive(Debug)]
pub struct Resolved<'a>(&'a Inventory);

impl<'a> Resolved<'a> {
    /// The groups above a host, the shallowest first; `all` is the first of all.
    fn above(&self, host: &InventoryHost) -> Vec<&'a Group> {
        let inventory = self.0;
        let mut seen: BTreeSet<usize> = host.groups.clone();
        seen.extend(inventory.group_by_name.get("all"));
        let mut open: Vec<usize> = seen.iter().copied().collect();
        while let Some(at) = open.pop() {
            for parent in &inventory.groups[at].parents {
                if seen.insert(*parent) {
                    open.push(*parent);
                }
            }
        }
        let mut groups: Vec<&Group> = seen.into_iter().map(|at| &inventory.groups[at]).collect();
        groups.sort_by_key(|g| (g.name != "all", g.depth, g.name.as_str()));
        groups
    }

    /// What applies to a host.
    pub fn variables(&self, host: &InventoryHost) -> Variables {
        let mut out = Variables::default();
        for group in self.above(host) {
            out.overlay(&group.vars);
        }
        out.overlay(&host.vars);
        out
    }

    /// The deepest of the host's own groups.
    pub fn nearest(&self, host: &InventoryHost) -> Option<&'a str> {
        let groups = host.groups.iter().map(|at| &self.0.groups[*at]).filter(|g| is_named(&g.name));
        groups.max_by_key(|g| (g.depth, std::cmp::Reverse(g.name.as_str()))).map(|g| g.name.as_str())
    }

    /// All groups above a host, by name.
    pub fn all(&self, host: &InventoryHost) -> Vec<&'a str> {
        let mut names: Vec<&str> = self.above(host).iter().map(|g| g.name.as_str()).filter(|n| is_named(n)).collect();
        names.sort_unstable();
        names
    }
}

fn is_named(group: &str) -> bool {
    !matches!(group, "all" | "ungrouped")
}

/// `web[01:03]` as `web01`, `web02`, `web03`; `[a:c]` and a step (`[0:8:4]`) too.
///
/// # Errors
/// In words.
pub fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some((head, tail)) = rest.split_once('[') {
        let (range, after) = tail.split_once(']').ok_or_else(|| format!("\"{pattern}\" has an open bracket"))?;
        let steps = range_of(range).ok_or_else(|| format!("\"[{range}]\" is no range such as [01:10] or [a:f]"))?;
        if steps.len().saturating_mul(names.len()) > MOST_HOSTS {
            return Err(format!("\"{pattern}\" names more than {MOST_HOSTS} hosts"));
        }
        names = names.iter().flat_map(|name| steps.iter().map(move |step| format!("{name}{head}{step}"))).collect();
        rest = after;
    }
    for name in &mut names {
        name.push_str(rest);
    }
    Ok(names)
}

fn range_of(range: &str) -> Option<Vec<String>> {
    let mut parts = range.split(':');
    let (from, to, step) = (parts.next()?, parts.next()?, parts.next().unwrap_or("1"));
    let step: usize = step.parse().ok().filter(|s| *s > 0)?;
    if parts.next().is_some() {
        return None;
    }
    let from = if from.is_empty() { "0" } else { from };
    if let (Ok(a), Ok(b)) = (from.parse::<u64>(), to.parse::<u64>()) {
        let count = usize::try_from(b.checked_sub(a)?).ok()? / step;
        let width = if from.starts_with('0') { from.len() } else { 0 };
        // One more than allowed is enough for the caller to refuse it.
        return Some((a..=b).step_by(step).take(count.min(MOST_HOSTS) + 1).map(|n| format!("{n:0width$}")).collect());
    }
    let letter = |text: &str| text.chars().next().filter(|c| text.len() == 1 && c.is_ascii_alphabetic());
    let (a, b) = (letter(from)?, letter(to)?);
    (a <= b).then(|| (a..=b).step_by(step).map(String::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_expanded_as_ansible_does() {
        assert_eq!(expand("w[08:10]").expect("a range"), ["w08", "w09", "w10"]);
        assert_eq!(expand("[a:c]x").expect("a range"), ["ax", "bx", "cx"]);
        assert_eq!(expand("h[0:8:4]").expect("a range"), ["h0", "h4", "h8"]);
        assert_eq!(expand("r[1:2]s[1:2]").expect("two ranges"), ["r1s1", "r1s2", "r2s1", "r2s2"]);
        assert_eq!(expand("plain").expect("no range"), ["plain"]);
        for bad in ["h[", "h[1]", "h[2:1]", "h[c:a]", "h[1:2:0]", "h[1:2:1:1]", "h[0:99999999999]", "h[a:9]"] {
            assert!(expand(bad).is_err(), "{bad}");
        }
    }
}
