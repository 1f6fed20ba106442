//! HOSTS: worst first, then in the order of the inventory.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ratatui::layout::Rect;

use super::heads::{self, Head as ColumnHead, Heads, Title};
use super::{PaneKind, ScreenId, age, dim, first_steps};
use crate::base::units::counted;
use crate::base::{Timestamp, text, units};
use crate::config::theme::Meaning;
use crate::model::{AssetId, Condition, Inference};
use crate::state::{HostView, Snapshot};
use crate::ui::action::Action;
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::filter::Subject;
use crate::ui::frame::Frame;
use crate::ui::grouping::{GroupBy, Head};
use crate::ui::parts::{Bad, Parts};
use crate::ui::sorting::{self, By};
use crate::ui::tour::World;

/// As they are sorted, below their heads where they are gathered.
pub fn order(app: &App) -> Vec<usize> {
    app.grouping.gather(hosts(app))
}

/// The hosts alone, those too whose head is closed: worst first, by counting, linear for ten thousand hosts; or as the operator
/// has them.
pub fn hosts(app: &App) -> Vec<usize> {
    let mut buckets: [Vec<usize>; 10] = Default::default();
    for (row, host) in app.snapshot.hosts.iter().enumerate() {
        if app.problems_only && !app.parts.worst(host).is_problem() && !host.stale {
            continue;
        }
        if app.filter.is_empty() || passes(app, host) {
            buckets[rank(host, &app.parts)].push(row);
        }
    }
    let order = app.order_of(PaneKind::Hosts);
    if order.by == By::Severity && order.reversed {
        buckets.reverse();
    }
    sorting::hosts(app, buckets.concat())
}

fn rank(host: &HostView, parts: &Parts) -> usize {
    let maintained = host.care.maintenance.is_some();
    let handled = host.care.is_handled();
    let condition = match parts.bad(host) {
        // What somebody has taken on sinks, and stays; in maintenance it is nobody's business at all, as among the problems.
        None if handled && host.condition.is_problem() => return 3 + usize::from(maintained),
        // What is wrong with its parts nobody has taken on.
        Some(bad) if handled => bad.worst,
        _ => parts.worst(host),
    };
    match condition {
        Condition::Critical => 0,
        Condition::Warning => 1,
        Condition::Unknown => 2,
        Condition::Unreachable => 5,
        _ if host.stale => 6,
        Condition::Pending => 7,
        Condition::Ok if host.care.flapping.is_some() => 2,
        Condition::Ok => 8,
        Condition::NotProbed => 9,
    }
}

fn passes(app: &App, host: &HostView) -> bool {
    let mut words = host.reason.line();
    if let Some(bad) = app.parts.bad(host) {
        words = format!("{} {words}", bad.words());
    }
    app.filter.lets_through(&Subject {
        name: &host.host.name,
        words: &words,
        condition: app.parts.worst(host),
        word: host.word(),
        care: Some(&host.care),
        stale: host.stale,
        tags: host.host.tags.iter().map(|t| &**t).collect(),
        group: host.host.group.as_deref().unwrap_or_default(),
        site: host.host.site.as_deref().unwrap_or_default(),
        kind: "host",
        address: host.host.address.as_deref(),
        port: None,
    })
}

pub fn title(app: &App) -> (String, String) {
    let t = &app.snapshot.totals;
    let asked = t.hosts - t.hosts_not_probed - t.hosts_pending;
    let mut parts = vec![if t.hosts == 0 { "none".to_owned() } else { format!("{asked} of {} polled", t.hosts) }];
    if t.unreachable > 0 {
        parts.push(format!("{} unreachable", t.unreachable));
    }
    if t.hosts_stale > 0 {
        parts.push(format!("{} stale", t.hosts_stale));
    }
    if t.hosts_not_probed > 0 {
        parts.push(format!("{} not probed", t.hosts_not_probed));
    }
    if app.screen == ScreenId::Hosts {
        // How the checks keep up, where they do not.
        let engine = &app.snapshot.engine;
        if engine.waiting > 0 {
            let verb = if engine.waiting == 1 { "waits" } else { "wait" };
            parts.push(format!("{} {verb} for a place", counted(engine.waiting, "check")));
        }
        if engine.late > 0 {
            parts.push(format!("{} began late", counted(usize::try_from(engine.late).unwrap_or(usize::MAX), "run")));
        }
    }
    parts.extend(app.grouping.by().words().map(str::to_owned));
    parts.extend(app.order_of(PaneKind::Hosts).words(PaneKind::Hosts));
    if app.problems_only {
        parts.push("problems only".to_owned());
    }
    ("HOSTS".to_owned(), parts.join(app.look.separator()))
}

/// What there is to say in a pane of so many rows.
pub fn empty(app: &App, height: u16) -> Vec<String> {
    if app.problems_only && !app.snapshot.hosts.is_empty() {
        return vec![format!("no host has a problem: {} shows all", app.key_of(Action::ProblemsOnly))];
    }
    if app.snapshot.engine.discovering {
        return vec!["looking for what there is to watch".to_owned()];
    }
    let mut lines = vec!["no hosts: add [[host]] to the configuration (noctty config init)".to_owned()];
    // One of the first steps, which stand below it where they have room.
    if app.world == World::Real && !first_steps::are_shown(app, height) {
        lines.push(":tour shows what noctty does, on a simulated network".to_owned());
    }
    lines
}

/// What any of the hosts has; found out once for each inventory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostsHave {
    pub parents: bool,
    pub groups: bool,
    pub sites: bool,
    /// All are from one place.
    pub one_origin: bool,
    /// Columns of the longest name, of all and of those whose ports are walked.
    pub name: usize,
    pub device: usize,
    /// The same of backups.
    pub job: usize,
    /// Hosts, devices left out, and the names of those that no backup protects.
    pub machines: usize,
    pub unprotected: Vec<Arc<str>>,
    /// Columns of the longest of these.
    pub unprotected_name: usize,
}

impl HostsHave {
    pub fn of(snapshot: &Snapshot) -> Self {
        let hosts = || snapshot.hosts.iter().map(|view| &view.host);
        let first = hosts().next().map(|host| host.origin);
        let is_device = |view: &HostView| view.checks.iter().any(|check| &*check.spec.kind == "ports");
        let machines = || snapshot.hosts.iter().filter(|view| !is_device(view));
        let protected: HashSet<&AssetId> = snapshot.jobs.iter().flat_map(|job| &job.job.protects).collect();
        let bare = || machines().filter(|view| !protected.contains(&view.host.id));
        Self {
            parents: snapshot.hosts.iter().any(|view| deserves_column(view)),
            groups: hosts().any(|host| host.group.is_some()),
            sites: hosts().any(|host| host.site.is_some()),
            one_origin: hosts().all(|host| Some(host.origin) == first),
            name: longest(snapshot.hosts.iter()),
            device: longest(snapshot.hosts.iter().filter(|view| is_device(view))),
            job: snapshot.jobs.iter().map(|view| text::width(&view.job.name)).max().unwrap_or(0),
            machines: machines().count(),
            unprotected: bare().map(|view| view.host.name.clone()).collect(),
            unprotected_name: longest(bare()),
        }
    }
}

fn longest<'a>(views: impl Iterator<Item = &'a Arc<HostView>>) -> usize {
    views.map(|view| text::width(&view.host.name)).max().unwrap_or(0)
}

/// What the names of hosts take: as much as the longest needs, since a name that is cut tells less; never most of the row.
pub fn name_width(app: &App, width: u16) -> usize {
    let most = super::name_width(width).max(usize::from(width) * 2 / 5);
    // The names of heads are others.
    let least = if app.grouping.is_on() { super::name_width(width) } else { NAME };
    (app.hosts_have.name + 1).clamp(least.min(most), most)
}

/// What a row shows besides glyph, name, reason and age, from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    State,
    Parent,
    Site,
    Group,
    Owner,
    Value,
    Trail,
    From,
}

/// The least that names take.
const NAME: usize = 8;
/// The least that the reason of a state needs.
const REASON: usize = 34;
/// The same on a narrow screen.
const SHORT_REASON: usize = 22;
/// From this width on the course of a value is as long as it is known.
const LONG_COURSE_FROM: u16 = 130;

impl Column {
    /// From the first that is shown to the last.
    const PRIORITY: [Self; 8] =
        [Self::Value, Self::Trail, Self::State, Self::Owner, Self::Site, Self::Parent, Self::Group, Self::From];

    fn title(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Parent => "hangs on",
            Self::Site => "site",
            Self::Group => "group",
            Self::Owner => "owner",
            Self::Value => "rtt/load",
            Self::Trail => "course",
            Self::From => "from",
        }
    }

    fn width(self, of: u16) -> usize {
        match self {
            Self::State => 11,
            Self::Owner => 10,
            Self::Value => 9,
            // As much as is kept, where that takes nothing from the words.
            Self::Trail if of >= LONG_COURSE_FROM => 16,
            Self::Trail | Self::Site => 8,
            Self::Parent | Self::Group | Self::From => 15,
        }
    }

    /// What it sorts by, first what a press on its head does. The course is that of the value.
    fn by(self) -> &'static [By] {
        match self {
            Self::State => &[By::Severity],
            Self::Parent => &[By::Parent],
            Self::Site => &[By::Site],
            Self::Group => &[By::Group],
            Self::Owner => &[By::Owner],
            Self::Value => &[By::RoundTrip, By::Load],
            Self::From => &[By::Origin],
            Self::Trail => &[],
        }
    }

    fn is_used(self, app: &App) -> bool {
        match self {
            Self::Parent => app.hosts_have.parents,
            // Where it is in the heads already, it is in no column.
            Self::Site => app.hosts_have.sites && app.grouping.by() != GroupBy::Site,
            Self::Group => app.hosts_have.groups && app.grouping.by() != GroupBy::Group,
            Self::Owner => app.snapshot.totals.owned > 0,
            Self::From => !app.hosts_have.one_origin,
            Self::State | Self::Value | Self::Trail => true,
        }
    }
}

/// Which of the columns that somebody needs fit.
fn fitted(app: &App, width: u16) -> impl Fn(Column) -> bool {
    let reason = if width >= 100 { REASON } else { SHORT_REASON };
    let mut room = usize::from(width).saturating_sub(name_width(app, width) + 4 + 5 + reason);
    let fits = Column::PRIORITY.map(|column| {
        let fits = column.is_used(app) && room > column.width(width);
        room -= if fits { column.width(width) + 1 } else { 0 };
        fits
    });
    move |column| Column::PRIORITY.iter().zip(fits).any(|(known, fits)| fits && *known == column)
}

/// Between the name and what it says, from the left.
const BEFORE: [Column; 5] = [Column::State, Column::Owner, Column::Site, Column::Parent, Column::Group];
/// Behind it, from the right.
const BEHIND: [Column; 3] = [Column::From, Column::Trail, Column::Value];

pub fn draw_header(app: &App, frame: &mut Frame<'_>, area: Rect) -> Heads {
    let shown = fitted(app, area.width);
    let style = dim(app);
    let kind = PaneKind::Hosts;
    let order = app.order_of(kind);
    let marked = |title: &str, width, is_right| app.look.sorted_head(title, width, is_right, order.descends());
    let accent = app.look.style(Meaning::Accent);
    let mut heads = Heads::new();
    let mut line = Row::new(frame.buffer, &app.look, area, area.y);
    line.gap(3).end(" ", style);
    let mut behind = |line: &mut Row<'_>, column: Option<Column>, title: &str, by: &[By]| {
        let to = line.end_column();
        let is_by = by.contains(&order.by);
        line.end(title, if is_by { accent } else { style });
        // The mark of the age stands in the gap before it.
        if column.is_some() || !is_by {
            line.end(" ", style);
        }
        if let Some(first) = by.first() {
            heads.push((line.end_column()..to, ColumnHead::By(kind, *first)));
        }
    };
    let is_by_age = order.by == By::Age;
    behind(&mut line, None, &if is_by_age { marked("age", 4, true) } else { "age".to_owned() }, &[By::Age]);
    for column in BEHIND.into_iter().filter(|column| shown(*column)) {
        let (title, width, by) = (column.title(), column.width(area.width), column.by());
        let title = match column {
            Column::Value if by.contains(&order.by) => format!("{:>width$}", marked(title, width, true)),
            Column::Value => format!("{title:>width$}"),
            _ if by.contains(&order.by) => format!("{:<width$}", marked(title, width, false)),
            _ => format!("{title:<width$}"),
        };
        behind(&mut line, Some(column), &title, by);
    }
    let title = Title { words: "host", width: name_width(app, area.width), is_right: false };
    heads::put(app, &mut line, &mut heads, title, (kind, &[By::Name]));
    for column in BEFORE.into_iter().filter(|column| shown(*column)) {
        let title = Title { words: column.title(), width: column.width(area.width), is_right: false };
        heads::put(app, &mut line, &mut heads, title, (kind, column.by()));
    }
    line.put("says", style);
    heads
}

pub fn draw_row(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, row: usize) {
    let Some(host) = app.snapshot.hosts.get(row) else {
        if let Some(head) = app.grouping.head(&app.snapshot, row) {
            draw_head(app, frame, area, y, head);
        }
        return;
    };
    let shown = fitted(app, area.width);
    let age = age(frame, age_from(app, host));
    let maintained = host.care.maintenance.as_ref();
    let (glyph, style) = match maintained {
        Some(_) => app.look.maintenance(),
        None => app.look.condition(app.parts.worst(host), host.stale),
    };
    let bad = app.parts.bad(host);
    let owner = host.care.ack.as_ref().map(|ack| format!("@{}", ack.claim.owner.line()));
    let quiet = (owner.is_some() || maintained.is_some()) && bad.is_none();
    let words = if quiet { dim(app) } else { app.look.words(app.parts.worst(host), host.stale) };
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    line.gap(1).put(glyph, style).gap(1);
    line.end(" ", words).end(&format!("{age:>3}"), if host.stale { style } else { dim(app) }).end(" ", words);
    // A host without a value leaves the room to its words.
    let leading = leading(host).filter(|_| bad.is_none());
    for column in BEHIND.into_iter().filter(|column| shown(*column)) {
        let width = column.width(area.width);
        let (text, style) = match (column, &leading) {
            (Column::From, _) => (format!("{:<width$}", host.host.origin.label()), dim(app)),
            (_, None) => continue,
            (Column::Trail, Some((_, least))) if host.trail.len() > 1 => {
                (app.look.sparkline(&host.trail, width, *least), app.look.style(Meaning::Bar))
            }
            (Column::Value, Some((value, _))) => (format!("{value:>width$}"), dim(app)),
            _ => (" ".repeat(width), dim(app)),
        };
        line.end(&text, style).end(" ", words);
    }
    line.name(&host.host.name, name_width(app, area.width), words).gap(1);
    for column in BEFORE.into_iter().filter(|column| shown(*column)) {
        let width = column.width(area.width);
        match column {
            Column::State => match bad {
                Some(bad) => {
                    let (mark, _) = app.look.condition(bad.worst, false);
                    line.cell(&format!("{} {mark}{}", state_word(host), bad.count), width, words)
                }
                None => line.cell(state_word(host), width, words),
            },
            Column::Owner => line.cell(owner.as_deref().unwrap_or_default(), width, app.look.style(Meaning::Accent)),
            Column::Site => line.cell(host.host.site.as_deref().unwrap_or_default(), width, dim(app)),
            Column::Group => line.cell(host.host.group.as_deref().unwrap_or_default(), width, dim(app)),
            _ => line.cell(&parents(host), width, dim(app)),
        };
        line.gap(1);
    }
    if host.condition == Condition::Pending {
        line.put(&pending(host), dim(app));
        return;
    }
    if let Some(owner) = owner.as_ref().filter(|_| !shown(Column::Owner)) {
        line.put(&text::fit(owner, Column::Owner.width(area.width)), app.look.style(Meaning::Accent))
            .put(app.look.separator(), dim(app));
    }
    if let Some(maintained) = maintained {
        let left = units::age(maintained.until.since(frame.now));
        line.put(&format!("maintenance, {left} more"), app.look.maintenance().1).put(app.look.separator(), dim(app));
    }
    if let Some(flapping) = &host.care.flapping {
        line.put(&format!("flapping {} %", flapping.percent), app.look.style(Meaning::Warning));
        line.put(app.look.separator(), dim(app));
    }
    if let Some(bad) = bad {
        line.put(&bad.words(), app.look.style(Meaning::Text)).put(app.look.separator(), dim(app));
    }
    // What answered before.
    let mut doubtful = host.checks.iter().filter(|check| check.is_soft() || check.last_good.is_some());
    let soft = doubtful.find_map(|check| Some((check, host.tries(check)?)));
    if let (Some((soft, tries)), Condition::Ok) = (soft, host.condition) {
        let last = soft.last.as_ref().map(|o| o.reading.summary.line()).unwrap_or_default();
        line.put(&format!("{} {tries}: {last}", soft.spec.key.name), dim(app));
        return;
    }
    let reason = host.reason.line();
    // Of a host that is only pinged nothing else is known than what its column says.
    if shown(Column::Value) && leading.as_ref().is_some_and(|(value, _)| *value == reason) {
        return;
    }
    let text = if host.condition.is_problem() && !quiet { Meaning::Text } else { Meaning::Dim };
    let said = if shown(Column::State) { super::without_word(&reason, state_word(host)) } else { &reason };
    // What its column says already; a load that is a problem is another, over a longer time.
    let is_told = shown(Column::Value) && leading.is_some() && !host.condition.is_problem();
    let said = match said.split_once(" · ").filter(|_| is_told) {
        Some((first, rest)) if first.starts_with("load ") => rest,
        _ => said,
    };
    line.put(said, app.look.style(if host.stale { Meaning::Stale } else { text }));
}

/// What came of a host that nothing is known of yet.
fn pending(host: &HostView) -> String {
    if host.reason.is_empty() { "no answer yet".to_owned() } else { host.reason.line() }
}

/// What stands for all hosts of a site or a group.
fn draw_head(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, head: &Head) {
    let (glyph, style) = app.look.condition(head.worst, head.stale);
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    line.gap(1).put(glyph, style).gap(1);
    let name = format!("{}{}", app.look.fold(head.open), head.name);
    line.name(&name, name_width(app, area.width), app.look.style(Meaning::Title)).gap(1);
    line.put(&head.words().join(app.look.separator()), app.look.words(head.worst, head.stale));
}

/// What [`fields`] are called.
pub const FIELDS: [&str; 10] =
    ["host", "state", "owner", "site", "hangs on", "group", "rtt/load", "from", "age", "says"];

/// The row in cells.
pub fn fields(app: &App, row: usize) -> Option<[String; 10]> {
    let host = app.snapshot.hosts.get(row)?;
    let mut says = Vec::new();
    if let Some(maintained) = &host.care.maintenance {
        says.push(format!("maintenance, {} more", units::age(maintained.until.since(app.now()))));
    }
    if let Some(flapping) = &host.care.flapping {
        says.push(format!("flapping {} %", flapping.percent));
    }
    says.extend(app.parts.bad(host).map(Bad::words));
    says.push(if host.condition == Condition::Pending { pending(host) } else { host.reason.line() });
    Some([
        host.host.name.to_string(),
        state_in_full(app, host),
        host.care.ack.as_ref().map(|ack| ack.claim.owner.line()).unwrap_or_default(),
        host.host.site.as_deref().unwrap_or_default().to_owned(),
        parents(host),
        host.host.group.as_deref().unwrap_or_default().to_owned(),
        leading(host).map(|(value, _)| value).unwrap_or_default(),
        host.host.origin.label().to_owned(),
        super::fields::age(app, age_from(app, host)),
        says.join("; "),
    ])
}

/// The state, and that of its parts where it is worse: `UP, CRITICAL in part`.
fn state_in_full(app: &App, host: &HostView) -> String {
    let own = super::fields::state(state_word(host), host.stale);
    match app.parts.bad(host) {
        Some(bad) => format!("{own}, {} in part", bad.worst.as_str().to_uppercase()),
        None => own,
    }
}

/// What it hangs on is worth a column: everything far away hangs on the gateway.
fn deserves_column(host: &HostView) -> bool {
    let inferred = host.care.inferred_parent.as_ref().is_some_and(|parent| parent.by > Inference::Gateway);
    !host.host.parents.is_empty() || inferred
}

/// What it hangs on: the first, and how many more; with a mark where that is only inferred.
pub fn parents(host: &HostView) -> String {
    match &host.host.parents[..] {
        [] => host.care.inferred_parent.as_ref().map(|parent| format!("{}?", parent.name)).unwrap_or_default(),
        [one] => one.as_str().to_owned(),
        [first, more @ ..] => format!("{} +{}", first.as_str(), more.len()),
    }
}

/// The value whose course the sparkline shows, where it is of now, and the least that fills it: a link that answers within milliseconds is
/// calm, however much those differ.
pub fn leading(host: &HostView) -> Option<(String, f32)> {
    // A value from before the silence would pass for one of now.
    if host.stale || matches!(host.condition, Condition::Unreachable | Condition::Critical | Condition::Pending) {
        return None;
    }
    if let Some(load) = host.metric("load1") {
        return Some((format!("load {load:.1}"), 1.0));
    }
    let rtt = host.metric("rtt").and_then(|rtt| Duration::try_from_secs_f64(rtt).ok())?;
    Some((units::round_trip(rtt), 0.02))
}

/// A problem is as old as itself, a good value as old as its last answer.
pub fn moment(host: &HostView) -> Option<Timestamp> {
    if host.condition.is_problem() || host.condition == Condition::Unreachable {
        Some(host.since)
    } else {
        host.last_result()
    }
}

/// The same; of a host that answers and has a bad part, since when that is.
pub fn age_from(app: &App, host: &HostView) -> Option<Timestamp> {
    let part = app.parts.bad(host).filter(|_| host.condition == Condition::Ok);
    part.map_or_else(|| moment(host), |bad| Some(bad.since))
}

/// The state in a word; what is old is not good.
fn state_word(host: &HostView) -> &'static str {
    if host.stale && !host.condition.is_problem() && host.condition != Condition::Unreachable {
        return "STALE";
    }
    host.word()
}
