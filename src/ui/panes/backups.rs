//! BACKUPS: each job with its state, the age of its newest restore point beside the recovery point objective, and a bar that
//! fills towards it; what else is known of it where there is room.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::heads::{self, Heads, Title};
use super::{PaneKind, ScreenId, age, dim};
use crate::base::{Timestamp, text, units};
use crate::config::theme::Meaning;
use crate::model::Condition;
use crate::state::JobView;
use crate::state::snapshot::problems::job_word;
use crate::ui::action::Action;
use crate::ui::app::App;
use crate::ui::canvas::{self, Row};
use crate::ui::filter::Subject;
use crate::ui::frame::Frame;
use crate::ui::sorting::{self, By};

/// Where the mark of the objective stands in the bar.
const BAR: usize = 12;
const MARK: usize = 9;

/// A few letters of a reason help nobody; glyph, state and ages say the rest.
const REASON: usize = 24;
/// From this width on the reason has so much before what is only good to know.
const WIDE: u16 = 100;
const WIDE_REASON: usize = 40;
/// Columns of an owner's name before it.
const OWNER: usize = 10;

pub fn order(app: &App) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..app.snapshot.jobs.len())
        .filter(|row| {
            let job = &app.snapshot.jobs[*row];
            let shown = !app.problems_only || job.condition.is_problem();
            shown && (app.filter.is_empty() || passes(app, job))
        })
        .collect();
    // Of those that stand alike, the one comes first that has used most of its objective.
    let at = app.snapshot.at;
    let worst = |row: &usize| {
        let job = &app.snapshot.jobs[*row];
        // What somebody has taken on sinks, and stays.
        let condition = if is_handled(job) { job.condition.min(Condition::Unreachable) } else { job.condition };
        (condition, job.stale, used(job, at).map_or(0, |used| (used * 1000.0) as u64))
    };
    rows.sort_by_cached_key(|row| std::cmp::Reverse(worst(row)));
    sorting::jobs(app, rows)
}

/// A problem that is somebody's, or worked on.
fn is_handled(job: &JobView) -> bool {
    job.condition.is_problem() && job.care.is_handled()
}

/// Its sign, and the look of its words: what somebody sees to is quiet.
pub fn look(app: &App, job: &JobView) -> (&'static str, Style, Style) {
    let (glyph, style) = match job.care.maintenance {
        Some(_) => app.look.maintenance(),
        None => app.look.condition(job.condition, job.stale),
    };
    let words = if is_handled(job) { dim(app) } else { app.look.words(job.condition, job.stale) };
    (glyph, style, words)
}

/// How much of the objective has gone by since the newest restore point: 1 is all of it.
pub fn used(job: &JobView, now: Timestamp) -> Option<f64> {
    Some(now.since(job.newest?).as_secs_f64() / job.job.rpo?.as_secs_f64().max(1.0))
}

fn passes(app: &App, job: &JobView) -> bool {
    let words = job.reason.line();
    app.filter.lets_through(&Subject {
        name: &job.job.name,
        words: &words,
        condition: job.condition,
        word: job_word(job.state),
        care: Some(&job.care),
        stale: job.stale,
        tags: Vec::new(),
        group: "",
        site: "",
        kind: &job.job.kind,
        address: None,
        port: None,
    })
}

pub fn title(app: &App) -> (String, String) {
    let jobs = &app.snapshot.jobs;
    let protected: std::collections::HashSet<_> = jobs.iter().flat_map(|j| j.job.protects.iter()).collect();
    let t = &app.snapshot.totals;
    let all = if app.snapshot.awaited.jobs > 0 { t.jobs } else { jobs.len() };
    let ok = format!("{} of {all} ok", t.jobs_ok);
    let mut parts = vec![if all == 0 { "none".to_owned() } else { ok }];
    if !jobs.is_empty() && !protected.is_empty() {
        parts.push(format!("protecting {}", protected.len()));
    }
    parts.extend(app.order_of(PaneKind::Backups).words(PaneKind::Backups));
    ("BACKUPS".to_owned(), parts.join(app.look.separator()))
}

pub fn empty(app: &App) -> Vec<String> {
    if app.problems_only && !app.snapshot.jobs.is_empty() {
        return vec![format!("no backup has a problem: {} shows all", app.key_of(Action::ProblemsOnly))];
    }
    vec!["no backups: set RESTIC_REPOSITORY or BORG_REPO, or add [[backup]]".to_owned()]
}

/// Rows from which on a list of hosts is worth its rule.
const LEAST_UNPROTECTED: u16 = 3;

/// Lines of them that the overview has where it is high: a rule, and some of the names.
pub const UNPROTECTED_LINES: u16 = 4;
/// From so many rows on it has them.
const HIGH: u16 = 56;

/// Whether the overview says which hosts none protects.
pub fn tells_unprotected(app: &App) -> bool {
    let high = app.screen == ScreenId::Overview && app.size().1 >= HIGH;
    high && !app.snapshot.jobs.is_empty() && !app.hosts_have.unprotected.is_empty()
}

/// Below the jobs, where there is room: the hosts that none of them protects. Their names change with the configuration alone.
pub fn draw_unprotected(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let bare = &app.hosts_have.unprotected;
    // A job that has not come may protect them.
    if app.snapshot.awaited.jobs > 0
        || !(app.screen == ScreenId::Backups || tells_unprotected(app))
        || !app.filter.is_empty()
        || app.problems_only
        || bare.is_empty()
        || area.height < LEAST_UNPROTECTED
    {
        return;
    }
    let styles = (app.look.style(Meaning::Rule), app.look.style(Meaning::Title), dim(app));
    let honesty = format!("{} of {}", bare.len(), units::counted(app.hosts_have.machines, "host"));
    canvas::rule(frame.buffer, &app.look, area, "NOT PROTECTED BY A BACKUP", &honesty, styles);
    let column = (app.hosts_have.unprotected_name + 2).clamp(8, usize::from(area.width).saturating_sub(1).max(8));
    let across = (usize::from(area.width).saturating_sub(1) / column).max(1);
    let room = across * usize::from(area.height - 1);
    // The last places say how many more there are.
    let more = |fits: usize| format!("and {} more", bare.len() - fits);
    let fits = if bare.len() > room { room.saturating_sub(text::width(&more(0)).div_ceil(column)) } else { bare.len() };
    let cell = |frame: &mut Frame<'_>, at: usize, words: &str, width: usize| {
        let mut line = Row::new(frame.buffer, &app.look, area, area.y + 1 + (at / across) as u16);
        line.gap(1 + at % across * column).name(words, width, dim(app));
    };
    for (at, name) in bare.iter().take(fits).enumerate() {
        cell(frame, at, name, column - 1);
    }
    if fits < bare.len() {
        cell(frame, fits, &more(fits), usize::from(area.width));
    }
}

/// What a row shows beside glyph, name and reason, from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    State,
    Newest,
    Objective,
    Course,
    Next,
    Size,
    Points,
    Kind,
    For,
}

impl Column {
    const ALL: [Self; 9] = [
        Self::State,
        Self::Newest,
        Self::Objective,
        Self::Course,
        Self::Next,
        Self::Size,
        Self::Points,
        Self::Kind,
        Self::For,
    ];

    /// From the last to go to the first; the newest restore point is always there.
    const PRIORITY: [Self; 9] = [
        Self::Newest,
        Self::Objective,
        Self::State,
        Self::Course,
        Self::Next,
        Self::Size,
        Self::For,
        Self::Points,
        Self::Kind,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Newest => "newest",
            Self::Objective => "rpo",
            Self::Course => "towards rpo",
            Self::Next => "next",
            Self::Size => "size",
            Self::Points => "points",
            Self::Kind => "kind",
            Self::For => "age",
        }
    }

    fn width(self) -> usize {
        match self {
            Self::State => 11,
            Self::Newest | Self::Points => 6,
            Self::For => 3,
            Self::Course => BAR + 1,
            Self::Next => 4,
            Self::Size | Self::Objective => 5,
            Self::Kind => 8,
        }
    }

    fn by(self) -> By {
        match self {
            Self::State => By::Severity,
            Self::Newest => By::Newest,
            Self::Objective => By::Objective,
            Self::Course => By::Used,
            Self::Next => By::Next,
            Self::Size => By::Size,
            Self::Points => By::Points,
            Self::Kind => By::Kind,
            Self::For => By::Age,
        }
    }

    /// Numbers stand at the right of their column.
    fn is_right(self) -> bool {
        !matches!(self, Self::State | Self::Course | Self::Kind)
    }
}

/// The columns that fit, from the left, and the width of the names. On the screen of the backups alone the reason has room
/// before what is only good to know; elsewhere a row is short.
fn fitted(app: &App, width: u16) -> (Vec<Column>, usize) {
    let name = (app.hosts_have.job + 1).clamp(12, super::name_width(width).max(12));
    let mut room = usize::from(width).saturating_sub(name + 4);
    let mut taken = Vec::new();
    let jobs = &app.snapshot.jobs;
    let one_kind = jobs.iter().all(|job| job.job.kind == jobs[0].job.kind);
    let reason_has = if width >= WIDE { WIDE_REASON } else { REASON };
    for column in Column::PRIORITY {
        // What is before the course is the least; all else gives way to the reason.
        let reason = if matches!(column, Column::Newest | Column::Objective | Column::State | Column::Course) {
            0
        } else {
            reason_has
        };
        let fits = room > column.width() + reason || (column == Column::Newest && room > 0);
        let wanted = app.screen == ScreenId::Backups || !matches!(column, Column::For | Column::Points | Column::Kind);
        // Where all are made by one tool, its name tells nothing.
        let wanted = wanted && !(column == Column::Kind && one_kind);
        if fits && wanted {
            room = room.saturating_sub(column.width() + 1);
            taken.push(column);
        }
    }
    (Column::ALL.into_iter().filter(|column| taken.contains(column)).collect(), name)
}

/// Columns of the glyph and the name.
pub fn name_part(app: &App, width: u16) -> usize {
    fitted(app, width).1 + 3
}

pub fn draw_header(app: &App, frame: &mut Frame<'_>, area: Rect) -> Heads {
    let (columns, name) = fitted(app, area.width);
    let mut heads = Heads::new();
    let mut line = Row::new(frame.buffer, &app.look, area, area.y);
    line.gap(3);
    let kind = PaneKind::Backups;
    let title = Title { words: "backup", width: name, is_right: false };
    heads::put(app, &mut line, &mut heads, title, (kind, &[By::Name]));
    for column in columns {
        let title = Title { words: column.title(), width: column.width(), is_right: column.is_right() };
        heads::put(app, &mut line, &mut heads, title, (kind, &[column.by()]));
    }
    if line.room() >= REASON {
        line.put("says", dim(app));
    }
    heads
}

pub fn draw_row(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, row: usize) {
    let Some(job) = app.snapshot.jobs.get(row) else { return };
    let (columns, name) = fitted(app, area.width);
    let newest = age(frame, job.newest);
    let since = age(frame, Some(job.since));
    let now = frame.now;
    let (glyph, style, words) = look(app, job);
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    line.gap(1).put(glyph, style).gap(1).name(&job.job.name, name, words).gap(1);
    for column in columns {
        let width = column.width();
        match column {
            Column::State => line.cell(&state_word(job), width, words),
            Column::Newest => line.right(&newest, width, if job.condition.is_problem() { words } else { dim(app) }),
            Column::Objective => {
                let rpo = known(job.job.rpo.map(units::age));
                // Without heads the stroke says what it is.
                match app.screen {
                    ScreenId::Backups => line.right(&rpo, width, dim(app)),
                    _ => line.cell(&format!("/ {rpo}"), width, dim(app)),
                }
            }
            Column::Course => course(app, &mut line, now, (job, words)),
            Column::Next => line.right(&next(now, job), width, dim(app)),
            Column::Size => line.right(&known(size(job).map(units::bytes)), width, dim(app)),
            Column::Points => line.right(&known(points(job).map(|n| n.to_string())), width, dim(app)),
            Column::Kind => line.cell(&job.job.kind, width, dim(app)),
            Column::For => line.right(&since, width, dim(app)),
        };
        line.gap(1);
    }
    if line.room() < REASON {
        return;
    }
    if let Some(ack) = &job.care.ack {
        let owner = text::fit(&format!("@{}", ack.claim.owner.line()), OWNER);
        line.put(&owner, app.look.style(Meaning::Accent)).put(app.look.separator(), dim(app));
    }
    if let Some(maintained) = &job.care.maintenance {
        let left = units::left(maintained.until.since(now));
        line.put(&format!("maintenance, {left} more"), app.look.maintenance().1).put(app.look.separator(), dim(app));
    }
    let plain = job.condition.is_problem() && !is_handled(job);
    line.put(&job.reason.line(), app.look.style(if plain { Meaning::Text } else { Meaning::Dim }));
}

/// What is not known is a dash, never a nought.
fn known(value: Option<String>) -> String {
    value.unwrap_or_else(|| "–".to_owned())
}

/// The state in a word; an old good one is no good one.
pub fn state_word(job: &JobView) -> String {
    if job.stale && !job.condition.is_problem() {
        return "STALE".to_owned();
    }
    job_word(job.state).to_owned()
}

/// The logical size of the newest restore point.
pub fn size(job: &JobView) -> Option<u64> {
    job.report.as_ref()?.newest()?.bytes
}

fn points(job: &JobView) -> Option<usize> {
    job.report.as_ref().map(|report| report.total_points)
}

/// How long until the next scheduled run.
fn next(now: Timestamp, job: &JobView) -> String {
    match job.next_expected {
        Some(at) if at > now => units::age(at.since(now)),
        Some(_) => "due".to_owned(),
        None => "–".to_owned(),
    }
}

/// `▓▓▓░░░░░░│░░░`: filled up to the age, the mark at the objective, overrun beyond it. Without an objective there is no way.
fn course<'a, 'b>(
    app: &App,
    line: &'a mut Row<'b>,
    now: Timestamp,
    (job, words): (&JobView, Style),
) -> &'a mut Row<'b> {
    let Some(used) = used(job, now) else { return line.cell("–", BAR + 1, dim(app)) };
    let filled = (used * MARK as f64).ceil() as usize;
    // Where a line below its words marks what is critical, one through a bar would be read as a part of it.
    let style = if job.condition.is_problem() { words } else { app.look.style(Meaning::Bar) };
    let style = style.remove_modifier(Modifier::UNDERLINED);
    let (full, empty, mark) = if app.look.unicode { ('▓', '░', '│') } else { ('=', '.', '|') };
    let mut bar = String::new();
    for at in 0..BAR {
        if at == MARK {
            bar.push(mark);
        }
        bar.push(if at < filled { full } else { empty });
    }
    line.cell(&bar, BAR + 1, style)
}

/// What [`fields`] are called.
pub const FIELDS: [&str; 11] =
    ["backup", "state", "owner", "newest", "rpo", "next", "size", "points", "kind", "age", "says"];

/// The row in cells.
pub fn fields(app: &App, row: usize) -> Option<[String; 11]> {
    let job = app.snapshot.jobs.get(row)?;
    let left = |until: Timestamp| format!("maintenance, {} more; ", units::left(until.since(app.now())));
    let maintained = job.care.maintenance.as_ref().map(|maintained| left(maintained.until)).unwrap_or_default();
    Some([
        job.job.name.to_string(),
        super::fields::state(job.state.as_str(), job.stale),
        job.care.ack.as_ref().map(|ack| ack.claim.owner.line()).unwrap_or_default(),
        super::fields::age(app, job.newest),
        job.job.rpo.map(units::age).unwrap_or_default(),
        next(app.now(), job),
        size(job).map(|bytes| bytes.to_string()).unwrap_or_default(),
        points(job).map(|n| n.to_string()).unwrap_or_default(),
        job.job.kind.to_string(),
        super::fields::age(app, Some(job.since)),
        format!("{maintained}{}", job.reason.line()),
    ])
}
