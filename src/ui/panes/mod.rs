//! The panes: what each shows, in which order, and where it stands. A pane has a title with its own honesty, rows, and
//! a way to draw them; everything else is the same for all.

mod backups;
mod checks;
mod courses;
pub mod fields;
mod first_steps;
mod heads;
mod hosts;
mod incident;
pub mod log;
pub mod ports;
mod problems;
mod restore_days;
mod sessions;

use std::sync::Arc;

use ratatui::layout::Rect;
use ratatui::style::Style;

pub use backups::{size as job_size, state_word as job_word, used as job_used};
pub use heads::{Head, Heads};
pub use hosts::{
    HostsHave, hosts as host_order, leading as host_value, moment as host_moment, parents as host_parents,
};
pub use problems::kind as problem_kind;

use super::app::App;
use super::canvas::{self, Row};
use super::frame::Frame;
use super::layouts::{CALM, Wants};
use super::list::List;
use super::logbook::LogEntry;
use super::overlays;
use super::port::Seen;
use crate::base::options::{Problem, nearest};
use crate::base::{Timestamp, text, units};
use crate::bus::InView;
use crate::config::theme::Meaning;
use crate::config::views::Word;
use crate::model::{AssetId, PortKey, Target};
use crate::state::{Link, Snapshot};
use crate::ui::action::Action;
use crate::ui::chrome;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaneKind {
    Problems,
    Hosts,
    Devices,
    Ports,
    Backups,
    Incident,
    Sessions,
    Log,
}

impl PaneKind {
    pub const ALL: [Self; 8] = [
        Self::Problems,
        Self::Hosts,
        Self::Devices,
        Self::Ports,
        Self::Backups,
        Self::Incident,
        Self::Sessions,
        Self::Log,
    ];

    pub fn row(self) -> usize {
        Self::ALL.iter().position(|k| *k == self).unwrap_or(0)
    }

    /// As files name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Problems => "problems",
            Self::Hosts => "hosts",
            Self::Devices => "devices",
            Self::Ports => "ports",
            Self::Backups => "backups",
            Self::Incident => "incident",
            Self::Sessions => "sessions",
            Self::Log => "log",
        }
    }

    /// Those that a layout may have: sessions take their keys on a screen of their own.
    pub fn placeable() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| *kind != Self::Sessions)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScreenId {
    Overview,
    Hosts,
    Ports,
    Backups,
    Incident,
    Sessions,
    Log,
}

impl ScreenId {
    pub const ALL: [(Self, &'static str, &'static str); 7] = [
        (Self::Overview, "1", "Overview"),
        (Self::Hosts, "2", "Hosts"),
        (Self::Ports, "3", "Ports"),
        (Self::Backups, "4", "Backups"),
        (Self::Incident, "5", "Incident"),
        (Self::Sessions, "6", "Sessions"),
        (Self::Log, "9", "Log"),
    ];

    /// As files name it.
    pub fn word(self) -> String {
        Self::ALL.iter().find(|(id, ..)| *id == self).map_or_else(String::new, |(_, _, name)| name.to_lowercase())
    }

    /// Those that a later console has too: sessions end with theirs.
    pub fn lasting() -> impl Iterator<Item = Self> {
        Self::ALL.iter().map(|(id, ..)| *id).filter(|id| *id != Self::Sessions)
    }

    /// The lasting one that a file names; the overview, and a problem, where there is none.
    pub fn of_word(word: &Word, problems: &mut Vec<Problem>) -> Self {
        Self::lasting().find(|id| id.word() == word.0).unwrap_or_else(|| {
            let names: Vec<String> = Self::lasting().map(Self::word).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            problems.push(no_such("screen", word, &names));
            Self::Overview
        })
    }
}

/// A word of a file that means nothing, with what would.
pub fn no_such(what: &str, word: &Word, known: &[&str]) -> Problem {
    let problem = Problem::error(&word.1, format!("no {what} is called {:?}", word.0));
    match nearest(&word.0, known.iter().copied()) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint(format!("there are {}", known.join(", "))),
    }
}

/// What is selected, for keys that act on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selected {
    Host(AssetId),
    Port(AssetId, PortKey),
    Job(AssetId),
    Entry(usize),
    /// An entry of the log, as it was when it was selected.
    Told(Arc<LogEntry>),
}

impl Selected {
    /// As deeds name it.
    pub fn target(self) -> Option<Target> {
        match self {
            Self::Host(asset) => Some(Target::Host(asset)),
            Self::Job(asset) => Some(Target::Job(asset)),
            Self::Port(asset, key) => Some(Target::Port(asset, key)),
            Self::Told(entry) => entry.about.clone()?.target(),
            Self::Entry(_) => None,
        }
    }

    /// The host or job that it belongs to.
    pub fn asset(self) -> Option<AssetId> {
        match self {
            Self::Host(id) | Self::Port(id, _) | Self::Job(id) => Some(id),
            Self::Told(entry) => entry.about.clone()?.asset(),
            Self::Entry(_) => None,
        }
    }
}

/// Where the panes of the screen stand.
pub fn layout(app: &App, area: Rect) -> Vec<(PaneKind, Rect)> {
    if app.zoom && !area.is_empty() {
        return vec![(app.focus, area)];
    }
    app.arrangement().place(area, app.focus, |kind| wants(app, kind))
}

/// Whether there is nothing at all that a pane could show, filtered or not.
fn is_bare(app: &App, kind: PaneKind) -> bool {
    let s = &app.snapshot;
    match kind {
        _ if s.is_starting() || nothing_came(s) || awaited(app, kind).is_some() => false,
        PaneKind::Hosts => s.hosts.is_empty(),
        PaneKind::Devices | PaneKind::Ports => s.devices.is_empty(),
        PaneKind::Backups => s.jobs.is_empty(),
        PaneKind::Incident => app.incident().is_none(),
        PaneKind::Problems | PaneKind::Sessions | PaneKind::Log => false,
    }
}

/// A reason without the state's word before it, where that stands beside it already: `NEVER SEEN  never seen: refused`.
pub fn without_word<'a>(reason: &'a str, word: &str) -> &'a str {
    let begins = reason.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    reason.get(word.len()..).filter(|_| begins).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(reason)
}

/// Whether an engine elsewhere has not told anything yet.
pub fn nothing_came(snapshot: &Snapshot) -> bool {
    snapshot.engine.discovering && snapshot.revision == 0 && snapshot.hosts.is_empty()
}

/// What of a pane is still on its way from an engine elsewhere, and how many of those things there are.
fn awaited(app: &App, kind: PaneKind) -> Option<(usize, usize)> {
    let (snapshot, awaited) = (&app.snapshot, &app.snapshot.awaited);
    let (missing, all) = match kind {
        PaneKind::Problems => (awaited.problems, snapshot.problems.len() + awaited.problems),
        PaneKind::Hosts => (awaited.hosts, snapshot.totals.hosts),
        PaneKind::Devices | PaneKind::Ports => (awaited.devices, snapshot.totals.devices),
        PaneKind::Backups => (awaited.jobs, snapshot.totals.jobs),
        PaneKind::Incident => (awaited.incidents, snapshot.incidents.len() + awaited.incidents),
        PaneKind::Log => (awaited.others, awaited.others),
        PaneKind::Sessions => (0, 0),
    };
    // From an engine that is gone nothing comes any more: what was not told anew is still here.
    let missing = if is_lost(snapshot) {
        let here = match kind {
            PaneKind::Hosts => snapshot.hosts.len(),
            PaneKind::Devices | PaneKind::Ports => snapshot.devices.len(),
            PaneKind::Backups => snapshot.jobs.len(),
            PaneKind::Problems | PaneKind::Incident | PaneKind::Sessions | PaneKind::Log => all,
        };
        missing.min(all.saturating_sub(here))
    } else {
        missing
    };
    (missing > 0).then_some((missing, all))
}

/// `34 of 201 so far`.
fn so_far(app: &App, kind: PaneKind) -> Option<String> {
    let (missing, all) = awaited(app, kind).filter(|_| !matches!(kind, PaneKind::Ports | PaneKind::Log))?;
    let when = if is_lost(&app.snapshot) { "came" } else { "so far" };
    Some(format!("{} of {all} {when}", all.saturating_sub(missing)))
}

fn is_lost(snapshot: &Snapshot) -> bool {
    matches!(snapshot.engine.link, Link::Lost { .. })
}

fn wants(app: &App, kind: PaneKind) -> Wants {
    Wants { lines: lines(app, kind), below: lines_below(app, kind), is_bare: is_bare(app, kind) }
}

/// Lines of what [`draw_rest`] tells.
fn lines_below(app: &App, kind: PaneKind) -> u16 {
    let mut lines = 0;
    if kind == PaneKind::Hosts && app.screen == ScreenId::Overview {
        let remarks = remarks(app).count() as u16;
        lines += remarks + u16::from(remarks > 0) + first_steps::lines(app) + checks::lines(app);
        // Where not all of it has room the courses give way, and leave none free.
        let courses = courses::lines(app);
        lines += if lines + courses <= CALM { courses } else { 0 };
    }
    if tells_changes(app, kind) {
        lines += ports::lines_below(app, kind == PaneKind::Devices);
    }
    lines
}

/// Lines that a pane would take. An empty one has two to say why.
fn lines(app: &App, kind: PaneKind) -> u16 {
    // What a filter leaves out keeps its room: the panes do not move with each letter of it.
    let all = match kind {
        _ if app.filter.is_empty() => 0,
        PaneKind::Problems => app.snapshot.problems.len(),
        PaneKind::Hosts => app.snapshot.hosts.len(),
        PaneKind::Devices => app.snapshot.devices.len(),
        PaneKind::Backups => app.snapshot.jobs.len(),
        PaneKind::Ports | PaneKind::Incident | PaneKind::Sessions | PaneKind::Log => 0,
    };
    let rows = u16::try_from(app.list(kind).order.len().max(all)).unwrap_or(u16::MAX / 2).clamp(2, u16::MAX / 2);
    let above = match kind {
        // A faceplate and the columns' titles.
        PaneKind::Ports => 6,
        PaneKind::Devices if devices_have_heads(app) => 2,
        PaneKind::Backups if backups::tells_unprotected(app) => 2 + backups::UNPROTECTED_LINES,
        _ => 1,
    };
    rows + above
}

/// Below a screen of so many rows each of theirs is worth more than heads.
fn devices_have_heads(app: &App) -> bool {
    app.screen == ScreenId::Ports && app.size().1 >= 30 && !app.snapshot.devices.is_empty()
}

/// Columns of a pane's rule beside its title, its words and the count of what is out of sight.
const RULE_TRIM: usize = 14;

/// The rows above and below those in sight, where there are any.
fn beyond(list: &List, height: usize) -> Option<String> {
    let above = list.top.min(list.order.len());
    let below = list.order.len().saturating_sub(above + height);
    match (above, below) {
        (0, 0) => None,
        (0, below) => Some(format!("{below}↓")),
        (above, 0) => Some(format!("{above}↑")),
        (above, below) => Some(format!("{above}↑ {below}↓")),
    }
}

/// What the order, which is held while the cursor is in the list, keeps from its place.
fn order_note(app: &App, list: &List) -> Option<String> {
    let key = app.key_of(Action::Resort);
    match list.appended {
        0 if !list.outdated => None,
        0 => Some(format!("order changed, {key} sorts")),
        new => Some(format!("{new} new, {key} sorts")),
    }
}

/// Whether what changed last stands below its rows, where there is room.
fn tells_changes(app: &App, kind: PaneKind) -> bool {
    let below_problems = app.screen == ScreenId::Overview && app.arrangement().has_rest(PaneKind::Problems);
    match kind {
        PaneKind::Problems => below_problems,
        PaneKind::Devices => !below_problems,
        PaneKind::Incident => app.screen == ScreenId::Incident,
        PaneKind::Hosts => app.screen == ScreenId::Hosts,
        // Below the devices where these have the height of the screen.
        PaneKind::Ports => app.screen == ScreenId::Ports && !app.arrangement().has_rest(PaneKind::Devices),
        PaneKind::Backups | PaneKind::Sessions | PaneKind::Log => false,
    }
}

/// How many rows a filter lets through; heads are none.
fn matching(app: &App, kind: PaneKind, list: &List) -> Option<String> {
    if app.filter.is_empty() || kind == PaneKind::Incident {
        return None;
    }
    let objects = if kind == PaneKind::Hosts { app.snapshot.hosts.len() } else { usize::MAX };
    match list.order.iter().filter(|row| **row < objects).count() {
        1 => Some("1 matches".to_owned()),
        many => Some(format!("{many} match")),
    }
}

/// What of a row shows that it is selected: its glyph and its name, or what stands for a name. The whole row would cost a slow link
/// three times as much for each key.
fn name_part(app: &App, kind: PaneKind, body: Rect) -> Rect {
    let name = match kind {
        PaneKind::Problems => problems::name_width(app, body.width).min(24) + 3,
        PaneKind::Hosts => hosts::name_width(app, body.width).min(24) + 3,
        PaneKind::Devices => ports::device_name_width(app, body.width).min(24) + 3,
        PaneKind::Backups => backups::name_part(app, body.width),
        PaneKind::Incident => incident::name_part(app),
        PaneKind::Log => log::name_part(app, body.width),
        PaneKind::Ports | PaneKind::Sessions => name_width(body.width).min(24) + 3,
    };
    Rect { width: body.width.min(name as u16), ..body }
}

/// How much of a row its name takes: enough to tell names apart, never most of the row.
pub fn name_width(width: u16) -> usize {
    usize::from(width / 4).clamp(8, 30)
}

/// The rows of a pane, sorted and filtered: indices into the snapshot's vector for it.
pub fn order(app: &App, kind: PaneKind) -> Vec<usize> {
    match kind {
        PaneKind::Problems => problems::order(app),
        PaneKind::Hosts => hosts::order(app),
        PaneKind::Devices => ports::device_order(app),
        PaneKind::Ports => ports::port_order(app),
        PaneKind::Backups => backups::order(app),
        PaneKind::Incident => incident::order(app),
        PaneKind::Sessions => sessions::order(app),
        PaneKind::Log => log::order(app),
    }
}

/// What the selected row of the focused pane is.
pub fn selected(app: &App, kind: PaneKind) -> Option<Selected> {
    selected_row(app, kind, app.list(kind).row()?)
}

/// What a row of a pane is.
pub fn selected_row(app: &App, kind: PaneKind, row: usize) -> Option<Selected> {
    match kind {
        PaneKind::Problems => problems::selected(app, row),
        PaneKind::Hosts => app.snapshot.hosts.get(row).map(|h| Selected::Host(h.host.id.clone())),
        PaneKind::Devices => app.snapshot.devices.get(row).map(|d| Selected::Host(d.host.id.clone())),
        PaneKind::Ports => app.device().and_then(|d| Some(Selected::Port(d.host.id.clone(), Seen::at(d, row)?.key()))),
        PaneKind::Backups => app.snapshot.jobs.get(row).map(|j| Selected::Job(j.job.id.clone())),
        PaneKind::Incident => Some(Selected::Entry(row)),
        PaneKind::Sessions => app.sessions.get(row).map(|s| Selected::Host(s.asset().clone())),
        PaneKind::Log => log::selected(app, row),
    }
}

/// The hosts and jobs that are on the screen.
pub fn in_view(app: &App) -> InView {
    let panes = layout(app, chrome::body(app, app.size()));
    let lists_ports = panes.iter().any(|(kind, _)| *kind == PaneKind::Ports);
    let device = app.device().filter(|_| lists_ports).map(|device| device.host.id.clone());
    let mut opened: Vec<AssetId> = app.asset_looked_at().into_iter().chain(device).collect();
    opened.dedup();
    let mut rows = Vec::new();
    for (kind, area) in panes {
        let height = usize::from(self::rows(app, kind, area).height);
        let list = app.list(kind);
        let shown = list.order.iter().skip(list.top).take(height);
        let assets = shown.filter_map(|row| selected_row(app, kind, *row)?.asset());
        rows.extend(assets.filter(|asset| !opened.contains(asset)));
    }
    rows.sort_unstable();
    rows.dedup();
    InView { opened, rows }
}

/// What a mark of a row names.
pub fn target(app: &App, kind: PaneKind, row: usize) -> Option<Target> {
    match kind {
        PaneKind::Problems => app.snapshot.problem(row).map(|problem| problem.target.clone()),
        PaneKind::Hosts | PaneKind::Devices | PaneKind::Ports | PaneKind::Backups => {
            selected_row(app, kind, row)?.target()
        }
        PaneKind::Incident | PaneKind::Sessions | PaneKind::Log => None,
    }
}

/// Whether row numbers of one snapshot mean the same in the other.
pub fn same_inventory(a: &Snapshot, b: &Snapshot) -> bool {
    let hosts = a.hosts.len() == b.hosts.len()
        && a.hosts.iter().zip(&b.hosts).all(|(a, b)| Arc::ptr_eq(a, b) || a.host.id == b.host.id);
    let devices = a.devices.len() == b.devices.len()
        && a.devices.iter().zip(&b.devices).all(|(a, b)| Arc::ptr_eq(a, b) || a.host.id == b.host.id);
    let jobs = a.jobs.len() == b.jobs.len()
        && a.jobs.iter().zip(&b.jobs).all(|(a, b)| Arc::ptr_eq(a, b) || a.job.id == b.job.id);
    hosts && devices && jobs
}

/// Whether the backups protect the same as before.
pub fn same_cover(a: &Snapshot, b: &Snapshot) -> bool {
    a.jobs.iter().zip(&b.jobs).all(|(a, b)| Arc::ptr_eq(&a.job, &b.job) || a.job.protects == b.job.protects)
}

/// A time that a row shows the age of.
pub fn time(app: &App, kind: PaneKind, row: usize) -> Option<Timestamp> {
    match kind {
        PaneKind::Problems => app.snapshot.problem(row).map(|p| p.since),
        PaneKind::Hosts => app.snapshot.hosts.get(row).and_then(|h| hosts::age_from(app, h)),
        PaneKind::Devices => app.snapshot.devices.get(row).map(|d| d.table.collected_at),
        PaneKind::Ports => app.device().and_then(|d| Seen::at(d, row)).and_then(|seen| seen.changed()),
        PaneKind::Backups => app.snapshot.jobs.get(row).and_then(|j| j.newest),
        PaneKind::Log if log::shows_ages(app.size().0) => app.logbook.entries.get(row).and_then(|entry| entry.at),
        PaneKind::Incident | PaneKind::Sessions | PaneKind::Log => None,
    }
}

/// The part of a pane that its rows have: below its rule, and for ports below the faceplate and the columns' titles.
pub fn rows(app: &App, kind: PaneKind, area: Rect) -> Rect {
    let below = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
    let above = match kind {
        PaneKind::Ports if below.height > 2 && app.device().is_some() => ports::plate_height(app, below) + 1,
        PaneKind::Hosts if app.screen == ScreenId::Hosts && below.height > 4 => 1,
        PaneKind::Backups if app.screen == ScreenId::Backups && below.height > 4 => 1,
        PaneKind::Incident if app.screen == ScreenId::Incident && below.height > 4 && app.incident().is_some() => 1,
        PaneKind::Log if below.height > 4 => 1,
        PaneKind::Devices if below.height > 2 && devices_have_heads(app) => 1,
        // On the overview each row is worth more than heads.
        PaneKind::Problems if below.height > 4 && (app.zoom || area.height + 3 >= app.size().1) => 1,
        _ => 0,
    };
    Rect { y: below.y + above, height: below.height.saturating_sub(above), ..below }
}

pub fn draw(app: &App, frame: &mut Frame<'_>, kind: PaneKind, area: Rect) {
    if area.height == 0 {
        return;
    }
    let (title, honesty) = match kind {
        PaneKind::Sessions => {
            sessions::draw(app, frame, area);
            return;
        }
        PaneKind::Problems => problems::title(app),
        PaneKind::Hosts => hosts::title(app),
        PaneKind::Devices => ports::device_title(app),
        PaneKind::Ports => ports::port_title(app),
        PaneKind::Backups => backups::title(app),
        PaneKind::Incident => incident::title(app, frame),
        PaneKind::Log => log::title(app),
    };
    let reading = overlays::is_at_side(app);
    let focused = app.focus == kind && app.panes().len() > 1 && !reading;
    let line = app.look.style(if focused { Meaning::RuleFocus } else { Meaning::Rule });
    let head = app.look.style(if focused { Meaning::Accent } else { Meaning::Title });
    let list = app.list(kind);
    let separator = app.look.separator();
    // First, so that it is the last to be cut.
    let honesty = match matching(app, kind, list) {
        Some(note) if honesty.is_empty() => note,
        Some(note) => format!("{note}{separator}{honesty}"),
        None => honesty,
    };
    let honesty = match order_note(app, list) {
        Some(note) if honesty.is_empty() => note,
        Some(note) => format!("{note}{separator}{honesty}"),
        None => honesty,
    };
    // `none` would be said of what is not known.
    let is_known = !app.snapshot.is_starting() && !nothing_came(&app.snapshot);
    let honesty = if is_known { honesty } else { String::new() };
    let honesty = match so_far(app, kind) {
        Some(note) if honesty.is_empty() => note,
        Some(note) => format!("{note}{separator}{honesty}"),
        None => honesty,
    };
    // New problems stand at the end, maybe out of sight.
    let unseen = kind == PaneKind::Problems && list.appended > 0;
    let note_style = app.look.style(if unseen { Meaning::Warning } else { Meaning::Dim });
    let honesty = match beyond(list, usize::from(rows(app, kind, area).height)) {
        Some(beyond) => {
            // The words give way before the count does.
            let taken = text::width(&title) + text::width(&beyond) + RULE_TRIM;
            let words = canvas::fit_parts(&app.look, &honesty, usize::from(area.width).saturating_sub(taken));
            format!("{words}{separator}{beyond}")
        }
        None => honesty,
    };
    canvas::rule(frame.buffer, &app.look, area, &title, &honesty, (line, head, note_style));
    let below = Rect::new(area.x, area.y + 1, area.width, area.height - 1);
    let body = rows(app, kind, area);
    let is_marked = |row: usize| target(app, kind, row).is_some_and(|target| app.marks.has(&target));
    let marks = app.marks.are_in(kind);
    if kind == PaneKind::Ports && app.device().is_some() {
        ports::draw_plate(app, frame, below);
    }
    draw_heads(app, frame, kind, area);
    if list.order.is_empty() {
        let used = draw_empty(app, frame, kind, body) + 1;
        let rest = Rect::new(body.x, body.y + used, body.width, body.height.saturating_sub(used));
        if kind == PaneKind::Hosts {
            first_steps::draw(app, frame, rest);
        }
        // Where there are no switches and no incident there is still what changed.
        if tells_changes(app, kind) && app.filter.is_empty() && !rest.is_empty() {
            ports::draw_changes(app, frame, rest);
        }
        return;
    }
    for (offset, row) in list.order.iter().skip(list.top).take(usize::from(body.height)).enumerate() {
        let y = body.y + offset as u16;
        match kind {
            PaneKind::Problems => problems::draw_row(app, frame, body, y, *row),
            PaneKind::Hosts => hosts::draw_row(app, frame, body, y, *row),
            PaneKind::Devices => ports::draw_device(app, frame, body, y, *row),
            PaneKind::Ports => ports::draw_port(app, frame, body, y, *row),
            PaneKind::Backups => backups::draw_row(app, frame, body, y, *row),
            PaneKind::Incident => incident::draw_row(app, frame, body, y, *row),
            PaneKind::Log => log::draw_row(app, frame, body, y, *row),
            // Drawn as a whole above.
            PaneKind::Sessions => {}
        }
        if list.top + offset == list.selected {
            if app.focus == kind {
                let meaning = if reading { Meaning::SelectedDim } else { Meaning::Selected };
                canvas::mark(frame.buffer, &app.look, name_part(app, kind, body), y, app.look.style(meaning));
            } else if kind == PaneKind::Devices && app.shows(PaneKind::Ports) {
                // The device that the other pane is about.
                canvas::paint(frame.buffer, name_part(app, kind, body), y, app.look.style(Meaning::SelectedDim));
            }
        }
        // In the column of the selection's bar, so that nothing moves.
        if marks && is_marked(*row) {
            let selected = app.focus == kind && list.top + offset == list.selected;
            let accent = app.look.style(Meaning::Accent);
            let style = if selected { accent.patch(app.look.style(Meaning::Selected)) } else { accent };
            Row::new(frame.buffer, &app.look, body, y).put("*", style);
        }
    }
    let used = (list.order.len() - list.top.min(list.order.len())) as u16 + 1;
    draw_rest(app, frame, kind, body, used);
}

/// What is not watched, and why; not what stands above all panes already.
fn remarks(app: &App) -> impl Iterator<Item = &str> {
    let above = app.trouble.get().map_or("", String::as_str);
    app.snapshot.remarks.iter().map(|remark| &**remark).filter(move |remark| !above.contains(remark))
}

/// Room that is left says what is not watched, and why, what nothing protects, and what changed.
fn draw_rest(app: &App, frame: &mut Frame<'_>, kind: PaneKind, body: Rect, mut used: u16) {
    let rest = |used: u16| Rect::new(body.x, body.y + used, body.width, body.height.saturating_sub(used));
    if kind == PaneKind::Hosts && used + 1 < body.height && app.filter.is_empty() {
        let remarks: Vec<String> = remarks(app).map(str::to_owned).collect();
        used += dim_lines(app, frame, rest(used), &remarks);
        used += u16::from(!remarks.is_empty());
    }
    if kind == PaneKind::Hosts {
        let steps = first_steps::draw(app, frame, rest(used));
        used += steps + u16::from(steps > 0);
        let checks = checks::draw(app, frame, rest(used));
        used += checks + u16::from(checks > 0);
        let courses = courses::draw(app, frame, rest(used));
        used += courses + u16::from(courses > 0);
    }
    if used >= body.height {
        return;
    }
    if kind == PaneKind::Backups {
        let days = restore_days::draw(app, frame, rest(used));
        used += days + u16::from(days > 0);
        backups::draw_unprotected(app, frame, rest(used));
    }
    if tells_changes(app, kind) {
        if kind == PaneKind::Devices {
            ports::draw_below(app, frame, rest(used));
        } else {
            ports::draw_changes(app, frame, rest(used));
        }
    }
}

/// The heads of a pane's columns, where it has some; what each of them sorts by.
fn draw_heads(app: &App, frame: &mut Frame<'_>, kind: PaneKind, area: Rect) -> Heads {
    let body = rows(app, kind, area);
    let head = Rect { y: body.y.saturating_sub(1), height: 1, ..body };
    match kind {
        _ if body.y <= area.y + 1 => Heads::new(),
        PaneKind::Hosts => hosts::draw_header(app, frame, head),
        PaneKind::Backups => backups::draw_header(app, frame, head),
        PaneKind::Incident => incident::draw_header(app, frame, head),
        PaneKind::Log => log::draw_header(app, frame, head),
        PaneKind::Problems => problems::draw_header(app, frame, head),
        PaneKind::Ports if app.device().is_some() => ports::draw_header(app, frame, head),
        PaneKind::Devices => ports::draw_device_header(app, frame, head),
        _ => Heads::new(),
    }
}

/// What a press on the head of a column sorts by.
pub fn head_at(app: &App, kind: PaneKind, area: Rect, column: u16, row: u16) -> Option<Head> {
    if row + 1 != rows(app, kind, area).y {
        return None;
    }
    // As it was drawn: where heads stand depends on what has room.
    let (columns, lines) = app.size();
    let screen = Rect::new(0, 0, columns, lines);
    let mut buffer = ratatui::buffer::Buffer::empty(screen);
    let (now, link) = (app.now(), super::frame::Link::default());
    let frame = &mut Frame { buffer: &mut buffer, area: screen, now, wall: now, link, cursor: None, answer: None };
    draw_heads(app, frame, kind, area).into_iter().find(|(columns, _)| columns.contains(&column)).map(|(_, head)| head)
}

/// An empty pane says why, and what would fill it. The lines that this takes.
fn draw_empty(app: &App, frame: &mut Frame<'_>, kind: PaneKind, body: Rect) -> u16 {
    let lines = match kind {
        kind if nothing_came(&app.snapshot) || awaited(app, kind).is_some() => {
            vec!["on the way from the engine".to_owned()]
        }
        PaneKind::Problems if app.snapshot.is_starting() => vec!["starting: nothing is known yet".to_owned()],
        // What might be said of them is not known either.
        _ if app.snapshot.is_starting() => Vec::new(),
        PaneKind::Problems => problems::empty(app),
        PaneKind::Hosts => hosts::empty(app, body.height),
        PaneKind::Ports if app.snapshot.devices.is_empty() => {
            vec!["the ports of the selected device stand here".to_owned()]
        }
        PaneKind::Devices | PaneKind::Ports => ports::empty(app),
        PaneKind::Backups => backups::empty(app),
        PaneKind::Incident => incident::empty(app),
        PaneKind::Log => log::empty(app),
        PaneKind::Sessions => Vec::new(),
    };
    let filtered = !app.filter.is_empty() && kind != PaneKind::Incident;
    let lines = if filtered {
        let mut lines =
            vec![format!("nothing matches \"{}\": {} clears the filter", app.filter.text, app.key_of(Action::Back))];
        if kind == PaneKind::Devices && app.filter.is_for_station() {
            lines.extend(ports::not_found(app, frame.now));
        }
        lines
    } else {
        lines
    };
    dim_lines(app, frame, body, &lines)
}

/// Words in the background, wrapped. The lines that they take.
fn dim_lines(app: &App, frame: &mut Frame<'_>, body: Rect, lines: &[String]) -> u16 {
    let columns = usize::from(body.width.saturating_sub(2));
    let wrapped = lines.iter().flat_map(|line| text::wrap(&text::clean(line), columns));
    let mut used = 0;
    for line in wrapped.take(usize::from(body.height)) {
        let style = app.look.style(Meaning::Dim);
        Row::new(frame.buffer, &app.look, body, body.y + used).gap(1).put(&line, style);
        used += 1;
    }
    used
}

/// How the times of a list are written: the time of day in UTC, with the day before it where any is of another day than today.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    with_day: bool,
}

/// The times of a list whose oldest is that.
pub fn times(app: &App, oldest: Option<Timestamp>) -> Times {
    let day = |at: Timestamp| at.millis().div_euclid(86_400_000);
    Times { with_day: oldest.is_some_and(|oldest| day(oldest) != day(app.now())) }
}

impl Times {
    pub fn width(self) -> usize {
        if self.with_day { 14 } else { 8 }
    }

    /// `14:22:07`, or `03-14 14:22:07`.
    pub fn words(self, at: Timestamp) -> String {
        let day = at.rfc3339().get(5..10).unwrap_or_default().to_owned();
        let time = at.utc_time_of_day();
        if self.with_day { format!("{day} {time}") } else { time }
    }
}

/// An age as panes show it: coarse, so that it changes seldom.
pub fn age(frame: &Frame<'_>, at: Option<Timestamp>) -> String {
    at.map_or_else(|| "–".to_owned(), |at| units::age(units::age_bucket(frame.now.since(at))))
}

/// Style of secondary words.
pub fn dim(app: &App) -> Style {
    app.look.style(Meaning::Dim)
}
