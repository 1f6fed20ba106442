//! The list of hosts by site or by group: one row for each, with the worst state in it and counts, and its hosts below it
//! where it is open.
//!
//! A head is a row behind those of the hosts: the first has the number of hosts. So rows stay what they are while the
//! inventory does, whatever is open.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::app::App;
use super::overlays::Overlay;
use super::panes::{self, PaneKind};
use super::parts::Parts;
use crate::base::units;
use crate::bus::MessageWeight;
use crate::model::{Condition, Host, Scope, Target};
use crate::state::Snapshot;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupBy {
    #[default]
    Nothing,
    Site,
    Group,
}

impl GroupBy {
    pub const NAMES: [(&'static str, Self); 3] =
        [("site", Self::Site), ("group", Self::Group), ("none", Self::Nothing)];

    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, by)| *by)
    }

    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, by)| *by == self).map_or("", |(name, _)| name)
    }

    /// The next of them, for a key that goes through all.
    pub fn next(self) -> Self {
        match self {
            Self::Nothing => Self::Site,
            Self::Site => Self::Group,
            Self::Group => Self::Nothing,
        }
    }

    /// For the title of the list.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Site => Some("by site"),
            Self::Group => Some("by group"),
        }
    }

    fn of(self, host: &Host) -> Option<&Arc<str>> {
        match self {
            Self::Nothing => None,
            Self::Site => host.site.as_ref(),
            Self::Group => host.group.as_ref(),
        }
    }

    fn nameless(self) -> &'static str {
        if self == Self::Site { "no site" } else { "no group" }
    }
}

/// One head: what it is called, and how its hosts stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub name: Arc<str>,
    pub open: bool,
    pub hosts: usize,
    pub worst: Condition,
    /// All that is known of its hosts is old.
    pub stale: bool,
    down: usize,
    critical: usize,
    warning: usize,
    unknown: usize,
    unreachable: usize,
    /// Well but for one of their parts.
    in_part: usize,
    old: usize,
}

impl Head {
    fn new(name: Arc<str>, open: bool) -> Self {
        Self {
            name,
            open,
            hosts: 0,
            worst: Condition::NotProbed,
            stale: false,
            down: 0,
            critical: 0,
            warning: 0,
            unknown: 0,
            unreachable: 0,
            in_part: 0,
            old: 0,
        }
    }

    /// "12 hosts", "3 down", …
    pub fn words(&self) -> Vec<String> {
        let mut words = vec![units::counted(self.hosts, "host")];
        let counts = [
            (self.down, "down"),
            (self.critical, "critical"),
            (self.warning, "warning"),
            (self.unknown, "unknown"),
            (self.in_part, "with a bad part"),
            (self.unreachable, "unreachable"),
            (self.old, "stale"),
        ];
        words.extend(counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
        words
    }
}

/// How the list of hosts is gathered, as long as the console runs.
#[derive(Clone, Debug, Default)]
pub struct Grouping {
    by: GroupBy,
    /// In the order in which the inventory names them.
    heads: Vec<Head>,
    /// The head of each host.
    of: Vec<usize>,
    opened: HashSet<Arc<str>>,
}

impl Grouping {
    pub fn by(&self) -> GroupBy {
        self.by
    }

    pub fn is_on(&self) -> bool {
        self.by != GroupBy::Nothing
    }

    /// The names of the heads that are open, in the order of the alphabet.
    pub fn opened(&self) -> Vec<String> {
        let mut opened: Vec<String> = self.opened.iter().map(|name| (**name).to_owned()).collect();
        opened.sort_unstable();
        opened
    }

    /// What a change of changes the order of rows.
    pub fn made_of(&self) -> (GroupBy, usize) {
        (self.by, self.opened.len())
    }

    /// The head that a row of the list of hosts is.
    pub fn head(&self, snapshot: &Snapshot, row: usize) -> Option<&Head> {
        self.heads.get(row.checked_sub(snapshot.hosts.len())?)
    }

    /// Whether a host is below that head.
    fn has(&self, head: &Head, row: usize) -> bool {
        self.of.get(row).and_then(|at| self.heads.get(*at)).is_some_and(|own| own.name == head.name)
    }

    /// What maintenance of all that is below a head is ordered for, now and later; `None` where they share nothing.
    fn scope(&self, head: &Head) -> Option<Scope> {
        let name = head.name.clone();
        match self.by {
            _ if *name == *self.by.nameless() => None,
            GroupBy::Nothing => None,
            GroupBy::Site => Some(Scope::Site(name)),
            GroupBy::Group => Some(Scope::Group(name)),
        }
    }

    /// Counts anew.
    fn count(&mut self, snapshot: &Snapshot, parts: &Parts) {
        let mut rows: HashMap<&str, usize> = HashMap::new();
        self.heads.clear();
        self.of.clear();
        if !self.is_on() {
            return;
        }
        let nameless: Arc<str> = self.by.nameless().into();
        for view in &snapshot.hosts {
            let name = self.by.of(&view.host).unwrap_or(&nameless);
            let at = *rows.entry(name).or_insert_with(|| {
                self.heads.push(Head::new(name.clone(), self.opened.contains(name)));
                self.heads.len() - 1
            });
            self.of.push(at);
            let head = &mut self.heads[at];
            head.hosts += 1;
            head.worst = head.worst.max(parts.worst(view));
            head.old += usize::from(view.stale);
            head.stale = head.old == head.hosts;
            head.in_part += usize::from(!view.condition.is_problem() && parts.bad(view).is_some());
            match view.condition {
                Condition::Critical if view.is_down() => head.down += 1,
                Condition::Critical => head.critical += 1,
                Condition::Warning => head.warning += 1,
                Condition::Unknown => head.unknown += 1,
                Condition::Unreachable => head.unreachable += 1,
                Condition::Ok | Condition::Pending | Condition::NotProbed => {}
            }
        }
    }

    /// Rows of hosts, in their order, gathered below their heads; those come in the order of their first hosts.
    pub fn gather(&self, rows: Vec<usize>) -> Vec<usize> {
        if !self.is_on() {
            return rows;
        }
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.heads.len()];
        let mut order = Vec::new();
        for row in rows {
            let Some(head) = self.of.get(row).copied() else { continue };
            if members[head].is_empty() {
                order.push(head);
            }
            members[head].push(row);
        }
        let below = |head: usize| if self.heads[head].open { members[head].as_slice() } else { &[] };
        order
            .iter()
            .flat_map(|head| std::iter::once(self.of.len() + head).chain(below(*head).iter().copied()))
            .collect()
    }
}

impl App {
    /// After a new snapshot, or when something was opened.
    pub(super) fn count_groups(&mut self) {
        self.grouping.count(&self.snapshot, &self.parts);
    }

    pub(super) fn group_hosts(&mut self, by: GroupBy) {
        self.group_hosts_with(by, HashSet::new());
    }

    /// With some heads open.
    pub(super) fn group_hosts_with(&mut self, by: GroupBy, opened: HashSet<Arc<str>>) {
        self.grouping = Grouping { by, opened, ..Grouping::default() };
        self.count_groups();
        self.sorted(PaneKind::Hosts);
    }

    /// What hosts are grouped by, where none of them has it.
    pub(super) fn is_ungrouped(&self) -> Option<&'static str> {
        let by = self.grouping.by;
        let nobody = self.grouping.is_on() && self.snapshot.hosts.iter().all(|host| by.of(&host.host).is_none());
        nobody.then(|| by.name())
    }

    /// The head that is selected.
    fn selected_head(&self) -> Option<&Head> {
        let row = self.list(PaneKind::Hosts).row().filter(|_| self.focus == PaneKind::Hosts);
        self.grouping.head(&self.snapshot, row?)
    }

    /// Marks the hosts below the selected head as far as the filter lets them through, or takes their marks away; false where
    /// none is selected.
    pub(super) fn mark_head(&mut self) -> bool {
        let Some(head) = self.selected_head() else { return false };
        let below = panes::host_order(self).into_iter().filter(|row| self.grouping.has(head, *row));
        let targets: Vec<Target> = below.filter_map(|row| panes::target(self, PaneKind::Hosts, row)).collect();
        self.marks.turn(targets);
        true
    }

    /// The dialog for maintenance of the site or group whose head is selected; false where none is.
    pub(super) fn maintain_head(&mut self) -> bool {
        let Some(head) = self.selected_head() else { return false };
        if let Some(scope) = self.grouping.scope(head) {
            let overlay = Overlay::maintain_scope(scope, &head.words().join(self.look.separator()));
            self.overlays.push(overlay);
        } else {
            let words = format!("these hosts have {}: mark them, or give them one", head.name);
            self.say(MessageWeight::Note, words);
        }
        true
    }

    /// Opens or closes the selected head; false where none is selected.
    pub(super) fn toggle_group(&mut self) -> bool {
        let Some(name) = self.selected_head().map(|head| head.name.clone()) else { return false };
        if !self.grouping.opened.remove(&name) {
            self.grouping.opened.insert(name);
        }
        self.count_groups();
        self.sorted(PaneKind::Hosts);
        true
    }

    /// Opens the head that hides a host.
    pub(super) fn uncover(&mut self, row: usize) {
        let head = self.grouping.of.get(row).and_then(|head| self.grouping.heads.get(*head));
        if let Some(head) = head.filter(|head| !head.open) {
            self.grouping.opened.insert(head.name.clone());
            self.count_groups();
            self.sorted(PaneKind::Hosts);
        }
    }
}
