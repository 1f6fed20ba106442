//! What the lists can be sorted by beside their own order: worst first, or newest first where they tell what happened. Equal
//! rows keep that order, and what is not known comes last, whichever way. Ports have columns of their own: [`super::columns`].

use super::app::App;
use super::columns::Key;
use super::panes::{self, PaneKind};
use crate::base::{Timestamp, Untrusted};
use crate::bus::MessageWeight;
use crate::model::Condition;
use crate::state::{DeviceView, HostView, JobView, Problem, Rates};

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
    Time,
    Object,
    Author,
    Up,
    In,
    Out,
    Findings,
}

/// Fewer columns show no head.
const NARROW: u16 = 40;

impl By {
    /// What a list can be sorted by, its own order first; nothing where it has columns of its own to choose from.
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
            PaneKind::Problems => &[Self::Severity, Self::Name, Self::Kind, Self::Age, Self::Owner],
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
            PaneKind::Incident => &[Self::Time, Self::Kind, Self::Author, Self::Object],
            PaneKind::Log => &[Self::Time, Self::Severity, Self::Kind, Self::Object],
            PaneKind::Devices => &[
                Self::Severity,
                Self::Name,
                Self::Findings,
                Self::Up,
                Self::In,
                Self::Out,
                Self::Age,
                Self::Site,
                Self::Group,
            ],
            PaneKind::Ports | PaneKind::Sessions => &[],
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
            Self::Time => "time",
            Self::Object => "object",
            Self::Author => "author",
            Self::Up => "up",
            Self::In => "in",
            Self::Out => "out",
            Self::Findings => "findings",
        }
    }

    /// What a list calls it: the head of its column, where that is another word than files have.
    pub fn head(self, kind: PaneKind) -> &'static str {
        match (self, kind) {
            (Self::Severity, PaneKind::Devices) => "ports",
            (Self::Severity, PaneKind::Log) => "says",
            (Self::Severity, _) => "state",
            (Self::Name, PaneKind::Hosts) => "host",
            (Self::Name, PaneKind::Devices) => "device",
            (Self::Name, PaneKind::Backups) => "backup",
            (Self::Name, PaneKind::Problems) => "problem",
            (Self::Parent, _) => "hangs on",
            (Self::Used, _) => "towards rpo",
            (Self::Time, _) => "UTC",
            (Self::Object, PaneKind::Incident) => "about",
            (Self::Author, _) => "by",
            (Self::Findings, _) => "also",
            _ => self.name(),
        }
    }

    pub fn what(self) -> &'static str {
        match self {
            Self::Severity => "worst first",
            Self::Name
            | Self::Owner
            | Self::Site
            | Self::Parent
            | Self::Group
            | Self::Origin
            | Self::Kind
            | Self::Object
            | Self::Author => "from A to Z",
            Self::Age | Self::Time => "newest first",
            Self::RoundTrip => "the slowest answer first",
            Self::Loss => "most packets lost first",
            Self::Load => "the highest load first",
            Self::Newest => "the newest restore point first",
            Self::Objective => "the shortest objective first",
            Self::Used => "most of the objective used first",
            Self::Next => "the next run first",
            Self::Size => "the greatest first",
            Self::Points => "most restore points first",
            Self::Up => "most ports up first",
            Self::In => "most received first",
            Self::Out => "most sent first",
            Self::Findings => "most beside its ports is wrong first",
        }
    }

    /// Whether the greatest comes first where it is not reversed.
    fn descends(self) -> bool {
        matches!(
            self,
            Self::Severity
                | Self::RoundTrip
                | Self::Loss
                | Self::Load
                | Self::Used
                | Self::Size
                | Self::Points
                | Self::Time
                | Self::Up
                | Self::In
                | Self::Out
                | Self::Findings
        )
    }
}

/// The order of a list, as long as the console runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub by: By,
    pub reversed: bool,
}

impl Order {
    /// A list's own.
    pub fn shipped(kind: PaneKind) -> Self {
        Self { by: By::of(kind).first().copied().unwrap_or_default(), reversed: false }
    }

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
    pub fn words(self, kind: PaneKind) -> Option<String> {
        let way = if self.reversed { ", reversed" } else { "" };
        (self != Self::shipped(kind)).then(|| format!("by {}{way}", self.by.name()))
    }
}

/// The orders of the lists that have some to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orders([Order; PaneKind::ALL.len()]);

impl Default for Orders {
    fn default() -> Self {
        Self(PaneKind::ALL.map(Order::shipped))
    }
}

impl Orders {
    pub fn of(self, kind: PaneKind) -> Order {
        self.0[kind.row()]
    }

    pub fn of_mut(&mut self, kind: PaneKind) -> &mut Order {
        &mut self.0[kind.row()]
    }
}

impl App {
    /// The order of a list.
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
        self.order_list(kind, Order::shipped(kind));
    }

    /// By the one before or after.
    pub(super) fn sort_list_beside(&mut self, kind: PaneKind, delta: isize) {
        let all = By::of(kind);
        let at = all.iter().position(|by| *by == self.order_of(kind).by).unwrap_or(0);
        let next = (at.cast_signed() + delta).rem_euclid(all.len().max(1).cast_signed());
        if let Some(by) = all.get(next.cast_unsigned()) {
            self.order_list(kind, Order { by: *by, reversed: false });
            // A narrow list has no room for what it is sorted by.
            if self.size().0 < NARROW {
                self.say(MessageWeight::Note, format!("sorted by {}", by.head(kind)));
            }
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
    by_key(PaneKind::Hosts, rows, order, |row| {
        app.snapshot.hosts.get(row).map_or(Key::Unknown, |host| host_key(host, order.by))
    })
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
        By::Severity
        | By::Newest
        | By::Objective
        | By::Used
        | By::Next
        | By::Size
        | By::Points
        | By::Kind
        | By::Time
        | By::Object
        | By::Author
        | By::Up
        | By::In
        | By::Out
        | By::Findings => Key::Unknown,
    }
}

/// Without regard to case; what has none comes last.
fn text(value: Option<&str>) -> Key {
    value.filter(|value| !value.is_empty()).map_or(Key::Unknown, |value| Key::Text(value.to_lowercase()))
}

/// Sorts rows of backups that come worst first.
pub fn jobs(app: &App, rows: Vec<usize>) -> Vec<usize> {
    let order = app.order_of(PaneKind::Backups);
    let rows = turned(rows, PaneKind::Backups, order);
    let now = app.snapshot.at;
    by_key(PaneKind::Backups, rows, order, |row| {
        app.snapshot.jobs.get(row).map_or(Key::Unknown, |job| job_key(job, now, order.by))
    })
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
        | By::Origin
        | By::Time
        | By::Object
        | By::Author
        | By::Up
        | By::In
        | By::Out
        | By::Findings => Key::Unknown,
    }
}

/// Sorts rows of devices that come worst first.
pub fn devices(app: &App, rows: Vec<usize>) -> Vec<usize> {
    let order = app.order_of(PaneKind::Devices);
    let rows = turned(rows, PaneKind::Devices, order);
    by_key(PaneKind::Devices, rows, order, |row| {
        app.snapshot.devices.get(row).map_or(Key::Unknown, |device| device_key(app, device, order.by))
    })
}

fn device_key(app: &App, device: &DeviceView, by: By) -> Key {
    // What went through it, or was up, when it was last heard would stand among those of now.
    let of_now = |value: Option<f64>| Key::number(value.filter(|_| !app.parts.is_old(device)).map(|value| -value));
    match by {
        By::Name => text(Some(&device.host.name)),
        By::Findings => Key::number(Some(-(device.findings.len() as f64))),
        By::Up => of_now(Some(device.up as f64)),
        By::In => of_now(device.total(Rates::in_bps)),
        By::Out => of_now(device.total(Rates::out_bps)),
        By::Age => Key::number(Some(-(device.table.collected_at.millis() as f64))),
        By::Site => text(device.host.site.as_deref()),
        By::Group => text(device.host.group.as_deref()),
        _ => Key::Unknown,
    }
}

/// Sorts rows of problems that come worst first.
pub fn problems(app: &App, rows: Vec<usize>) -> Vec<usize> {
    let order = app.order_of(PaneKind::Problems);
    let rows = turned(rows, PaneKind::Problems, order);
    by_key(PaneKind::Problems, rows, order, |row| {
        app.snapshot.problem(row).map_or(Key::Unknown, |one| problem_key(one, order.by))
    })
}

fn problem_key(problem: &Problem, by: By) -> Key {
    match by {
        By::Name => text(Some(&problem.title.line())),
        By::Kind => text(Some(panes::problem_kind(problem.kind))),
        By::Age => Key::number(Some(-(problem.since.millis() as f64))),
        By::Owner => text(problem.care.ack.as_ref().map(|ack| ack.claim.owner.line()).as_deref()),
        _ => Key::Unknown,
    }
}

/// Sorts rows of an incident's entries that come newest first.
pub fn entries(app: &App, rows: Vec<usize>) -> Vec<usize> {
    let order = app.order_of(PaneKind::Incident);
    let Some(incident) = app.incident() else { return rows };
    let rows = turned(rows, PaneKind::Incident, order);
    by_key(PaneKind::Incident, rows, order, |row| match (incident.entries.get(row), order.by) {
        (Some(entry), By::Kind) => text(Some(entry.kind.as_str())),
        (Some(entry), By::Author) => text(Some(&entry.author.line())),
        (Some(entry), By::Object) => text(entry.about.as_ref().map(Untrusted::line).as_deref()),
        _ => Key::Unknown,
    })
}

/// Sorts rows of the log that come newest first.
pub fn log(app: &App, rows: Vec<usize>) -> Vec<usize> {
    let order = app.order_of(PaneKind::Log);
    let rows = turned(rows, PaneKind::Log, order);
    by_key(PaneKind::Log, rows, order, |row| match (app.logbook.entries.get(row), order.by) {
        (Some(entry), By::Severity) => Key::number(Some(-f64::from(entry.condition as u8))),
        (Some(entry), By::Kind) => text(Some(entry.source.word())),
        (Some(entry), By::Object) => text(Some(&entry.object)),
        _ => Key::Unknown,
    })
}

/// Rows in a list's own order, or that turned round.
fn turned(mut rows: Vec<usize>, kind: PaneKind, order: Order) -> Vec<usize> {
    if order.by == Order::shipped(kind).by && order.reversed {
        rows.reverse();
    }
    rows
}

fn by_key(kind: PaneKind, rows: Vec<usize>, order: Order, key: impl Fn(usize) -> Key) -> Vec<usize> {
    if order.by == Order::shipped(kind).by {
        return rows;
    }
    let mut keyed: Vec<(Key, usize)> = rows.into_iter().map(|row| (key(row), row)).collect();
    keyed.sort_by(|a, b| a.0.compare(&b.0, order.reversed));
    keyed.into_iter().map(|(_, row)| row).collect()
}
