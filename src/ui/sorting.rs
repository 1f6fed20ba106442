//! What the lists of hosts, problems and backups can be sorted by beside their own order, worst first. Equal rows keep that
//! order, and what is not known comes last, whichever way. Ports have columns of their own: [`super::columns`].

use super::app::App;
use super::columns::Key;
use super::panes::{self, PaneKind};
use crate::base::Timestamp;
use crate::model::Condition;
use crate::state::{HostView, JobView};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    #[default]
    Severity,
    Name,
    Age,
    RoundTrip,
    Loss,
    Load,
    Owner,
    Site,
    Parent,
    Group,
    Origin,
    Newest,
    Objective,
    Used,
    Next,
    Size,
    Points,
    Kind,
}

impl By {
    /// What a list can be sorted by; nothing where it has one order.
    pub fn of(kind: PaneKind) -> &'static [Self] {
        match kind {
            PaneKind::Hosts => &[
                Self::Severity,
                Self::Name,
                Self::Age,
                Self::RoundTrip,
                Self::Loss,
                Self::Load,
                Self::Owner,
                Self::Site,
                Self::Parent,
                Self::Group,
                Self::Origin,
            ],
            PaneKind::Problems => &[Self::Severity, Self::Name, Self::Age],
            PaneKind::Backups => &[
                Self::Severity,
                Self::Name,
                Self::Newest,
                Self::Objective,
                Self::Used,
                Self::Next,
                Self::Size,
                Self::Points,
                Self::Kind,
                Self::Age,
            ],
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
            Self::Owner => "owner",
            Self::Site => "site",
            Self::Parent => "parent",
            Self::Group => "group",
            Self::Origin => "from",
            Self::Newest => "newest",
            Self::Objective => "rpo",
            Self::Used => "used",
            Self::Next => "next",
            Self::Size => "size",
            Self::Points => "points",
            Self::Kind => "kind",
        }
    }

    pub fn what(self) -> &'static str {
        match self {
            Self::Severity => "worst first",
            Self::Name | Self::Owner | Self::Site | Self::Parent | Self::Group | Self::Origin | Self::Kind => {
                "from A to Z"
            }
            Self::Age => "newest first",
            Self::RoundTrip => "the slowest answer first",
            Self::Loss => "most packets lost first",
            Self::Load => "the highest load first",
            Self::Newest => "the newest restore point first",
            Self::Objective => "the shortest objective first",
            Self::Used => "most of the objective used first",
            Self::Next => "the next run first",
            Self::Size => "the greatest first",
            Self::Points => "most restore points first",
        }
    }

    /// Whether the greatest comes first where it is not reversed.
    fn descends(self) -> bool {
        matches!(
            self,
            Self::Severity | Self::RoundTrip | Self::Loss | Self::Load | Self::Used | Self::Size | Self::Points
        )
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

/// The orders of the lists that have some to choose from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orders([Order; 3]);

impl Orders {
    pub fn of(self, kind: PaneKind) -> Order {
        self.0[Self::slot(kind)]
    }

    pub fn of_mut(&mut self, kind: PaneKind) -> &mut Order {
        &mut self.0[Self::slot(kind)]
    }

    fn slot(kind: PaneKind) -> usize {
        match kind {
            PaneKind::Problems => 1,
            PaneKind::Backups => 2,
            _ => 0,
        }
    }
}

impl App {
    /// The order of a list of hosts, problems or backups.
    pub(super) fn order_of(&self, kind: PaneKind) -> Order {
        self.orders.of(kind)
    }

    pub(super) fn sort_list(&mut self, kind: PaneKind, by: By) {
        self.orders.of_mut(kind).choose(by);
        self.sorted(kind);
    }

    pub(super) fn order_list(&mut self, kind: PaneKind, order: Order) {
        *self.orders.of_mut(kind) = order;
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
            self.order_list(kind, Order { by: *by, reversed: false });
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
        By::Name => Key::Text(host.host.name.to_lowercase()),
        By::Age => Key::number(panes::host_moment(host).map(|at| -(at.millis() as f64))),
        By::RoundTrip => value("rtt"),
        By::Loss => value("loss"),
        By::Load => value("load1"),
        By::Owner => text(host.care.ack.as_ref().map(|ack| ack.claim.owner.line()).as_deref()),
        By::Site => text(host.host.site.as_deref()),
        By::Parent => text(Some(&panes::host_parents(host))),
        By::Group => text(host.host.group.as_deref()),
        By::Origin => text(Some(host.host.origin.label())),
        By::Severity | By::Newest | By::Objective | By::Used | By::Next | By::Size | By::Points | By::Kind => {
            Key::Unknown
        }
    }
}

/// Without regard to case; what has none comes last.
fn text(value: Option<&str>) -> Key {
    value.filter(|value| !value.is_empty()).map_or(Key::Unknown, |value| Key::Text(value.to_lowercase()))
}

/// Sorts rows of backups that come worst first.
pub fn jobs(app: &App, mut rows: Vec<usize>) -> Vec<usize> {
    let order = app.order_of(PaneKind::Backups);
    if order.by == By::Severity && order.reversed {
        rows.reverse();
    }
    let now = app.snapshot.at;
    by_key(rows, order, |row| app.snapshot.jobs.get(row).map_or(Key::Unknown, |job| job_key(job, now, order.by)))
}

fn job_key(job: &JobView, now: Timestamp, by: By) -> Key {
    let first = |value: Option<f64>| Key::number(value);
    let most = |value: Option<f64>| Key::number(value.map(|value| -value));
    let millis = |at: Timestamp| at.millis() as f64;
    match by {
        By::Name => text(Some(&job.job.name)),
        By::Newest => most(job.newest.map(millis)),
        By::Objective => first(job.job.rpo.map(|rpo| rpo.as_secs_f64())),
        By::Used => most(panes::job_used(job, now)),
        By::Next => first(job.next_expected.map(millis)),
        By::Size => most(panes::job_size(job).map(|bytes| bytes as f64)),
        By::Points => most(job.report.as_ref().map(|report| report.total_points as f64)),
        By::Kind => text(Some(&job.job.kind)),
        By::Age => most(Some(millis(job.since))),
        By::Severity
        | By::RoundTrip
        | By::Loss
        | By::Load
        | By::Owner
        | By::Site
        | By::Parent
        | By::Group
        | By::Origin => Key::Unknown,
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
