//! What the lists of hosts and problems can be sorted by beside their own order, worst first. Equal rows keep that order, and
//! what is not known comes last, whichever way. Ports have columns of their own: [`super::columns`].

use super::app::App;
use super::columns::Key;
use super::panes::{self, PaneKind};
use crate::model::Condition;
use crate::state::HostView;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    #[default]
    Severity,
    Name,
    Age,
    RoundTrip,
    Loss,
    Load,
}

impl By {
    /// What a list can be sorted by; nothing where it has one order.
    pub fn of(kind: PaneKind) -> &'static [Self] {
        match kind {
            PaneKind::Hosts => &[Self::Severity, Self::Name, Self::Age, Self::RoundTrip, Self::Loss, Self::Load],
            PaneKind::Problems => &[Self::Severity, Self::Name, Self::Age],
            _ => &[],
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Severity => "severity",
            Self::Name => "name",
            Self::Age => "age",
            Self::RoundTrip => "rtt",
            Self::Loss => "loss",
            Self::Load => "load",
        }
    }

    pub fn what(self) -> &'static str {
        match self {
            Self::Severity => "worst first",
            Self::Name => "from A to Z",
            Self::Age => "newest first",
            Self::RoundTrip => "the slowest answer first",
            Self::Loss => "most packets lost first",
            Self::Load => "the highest load first",
        }
    }

    /// Whether the greatest comes first where it is not reversed.
    fn descends(self) -> bool {
        !matches!(self, Self::Name | Self::Age)
    }
}

/// The order of a list, as long as the console runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    pub by: By,
    pub reversed: bool,
}

impl Order {
    /// By the same one again, the other way round.
    fn choose(&mut self, by: By) {
        let reversed = self.by == by && !self.reversed;
        *self = Self { by, reversed };
    }

    /// Whether the values fall from the first row to the last.
    pub fn descends(self) -> bool {
        self.by.descends() != self.reversed
    }

    /// For the title of a list that is not in its own order.
    pub fn words(self) -> Option<String> {
        let way = if self.reversed { ", reversed" } else { "" };
        (self != Self::default()).then(|| format!("by {}{way}", self.by.name()))
    }
}

impl App {
    /// The order of a list of hosts or problems.
    pub(super) fn order_of(&self, kind: PaneKind) -> Order {
        self.orders[usize::from(kind == PaneKind::Problems)]
    }

    pub(super) fn sort_list(&mut self, kind: PaneKind, by: By) {
        self.orders[usize::from(kind == PaneKind::Problems)].choose(by);
        self.sorted(kind);
    }

    pub(super) fn order_list(&mut self, kind: PaneKind, order: Order) {
        self.orders[usize::from(kind == PaneKind::Problems)] = order;
        self.sorted(kind);
    }

    pub(super) fn sort_list_as_shipped(&mut self, kind: PaneKind) {
        self.order_list(kind, Order::default());
    }

    /// By the one before or after.
    pub(super) fn sort_list_beside(&mut self, kind: PaneKind, delta: isize) {
        let all = By::of(kind);
        let at = all.iter().position(|by| *by == self.order_of(kind).by).unwrap_or(0);
        let next = (at.cast_signed() + delta).rem_euclid(all.len().max(1).cast_signed());
        if let Some(by) = all.get(next.cast_unsigned()) {
            self.orders[usize::from(kind == PaneKind::Problems)] = Order { by: *by, reversed: false };
            self.sorted(kind);
        }
    }
}

/// As files and commands have an order: `name`, or `-name` the other way round.
pub fn way(name: &str, reversed: bool) -> String {
    format!("{}{name}", if reversed { "-" } else { "" })
}

/// The inverse.
pub fn unway(said: &str) -> (&str, bool) {
    said.strip_prefix('-').map_or((said, false), |name| (name, true))
}

/// Sorts rows of hosts that come worst first.
pub fn hosts(app: &App, rows: Vec<usize>) -> Vec<usize> {
    let order = app.order_of(PaneKind::Hosts);
    by_key(rows, order, |row| app.snapshot.hosts.get(row).map_or(Key::Unknown, |host| host_key(host, order.by)))
}

fn host_key(host: &HostView, by: By) -> Key {
    // A value from before the silence would stand among those of now.
    let known = !host.stale && host.condition != Condition::Unreachable;
    let value = |name: &str| Key::number(host.metric(name).filter(|_| known).map(|v| -v));
    match by {
        By::Severity => Key::Unknown,
        By::Name => Key::Text(host.host.name.to_lowercase()),
        By::Age => Key::number(panes::host_moment(host).map(|at| -(at.millis() as f64))),
        By::RoundTrip => value("rtt"),
        By::Loss => value("loss"),
        By::Load => value("load1"),
    }
}

/// Sorts rows of problems that come worst first.
pub fn problems(app: &App, mut rows: Vec<usize>) -> Vec<usize> {
    let order = app.order_of(PaneKind::Problems);
    if order.by == By::Severity && order.reversed {
        rows.reverse();
    }
    by_key(rows, order, |row| match (app.snapshot.problems.get(row), order.by) {
        (Some(problem), By::Name) => Key::Text(problem.title.line().to_lowercase()),
        (Some(problem), By::Age) => Key::number(Some(-(problem.since.millis() as f64))),
        _ => Key::Unknown,
    })
}

fn by_key(rows: Vec<usize>, order: Order, key: impl Fn(usize) -> Key) -> Vec<usize> {
    if order.by == By::Severity {
        return rows;
    }
    let mut keyed: Vec<(Key, usize)> = rows.into_iter().map(|row| (key(row), row)).collect();
    keyed.sort_by(|a, b| a.0.compare(&b.0, order.reversed));
    keyed.into_iter().map(|(_, row)| row).collect()
}
