//! PROBLEMS: one list over everything, worst first, the reason in words.

use std::collections::{HashMap, HashSet};

use ratatui::layout::Rect;

use super::heads::{self, Heads, Title};
use super::{PaneKind, Selected, age, dim};
use crate::base::{text, units};
use crate::config::theme::Meaning;
use crate::model::Target;
use crate::state::snapshot::{Problem, ProblemKind};
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::filter::Subject;
use crate::ui::frame::Frame;
use crate::ui::parts::INDENT;
use crate::ui::port::Seen;
use crate::ui::sorting::{self, By};

/// Columns of the kind, and of the owner's name.
const KIND: usize = 8;
const OWNER: usize = 10;
/// Columns from which on kind and owner have columns of their own.
const WIDE: u16 = 100;

/// The problems, and below each that is expanded what is hidden behind it. What a filter looks for is found there too.
pub fn order(app: &App) -> Vec<usize> {
    let count = app.snapshot.problems.len();
    let (all, hidden) = (0..count, count..count + app.snapshot.consequences.len());
    if app.filter.is_empty() && app.expanded.is_empty() {
        return sorting::problems(app, all.collect());
    }
    let is_wanted = |row: &usize| app.filter.is_empty() || app.snapshot.problem(*row).is_some_and(|p| matches(app, p));
    let mut found: HashSet<&Target> = HashSet::new();
    let mut behind: HashMap<&Target, Vec<usize>> = HashMap::new();
    let mut rows: Vec<usize> = all.filter(is_wanted).collect();
    found.extend(rows.iter().map(|row| &app.snapshot.problems[*row].target));
    for row in hidden {
        let cause = app.snapshot.problem(row).and_then(|problem| problem.behind.as_ref()).map(|behind| &behind.target);
        if let Some(cause) = cause.filter(|cause| found.contains(cause)) {
            behind.entry(cause).or_default().extend(Some(row).filter(|_| app.expanded.contains(cause)));
        } else if !app.filter.is_empty() && is_wanted(&row) {
            rows.push(row);
        }
    }
    let below = |row: usize| app.snapshot.problem(row).and_then(|problem| behind.get(&problem.target));
    let sorted = sorting::problems(app, rows);
    sorted.into_iter().flat_map(|row| std::iter::once(row).chain(below(row).into_iter().flatten().copied())).collect()
}

fn matches(app: &App, p: &Problem) -> bool {
    let (name, words) = (p.title.line(), p.reason.line());
    app.filter.lets_through(&Subject {
        name: &name,
        words: &words,
        condition: p.condition,
        word: &p.word,
        care: Some(&p.care),
        stale: p.stale,
        tags: app.tags(&p.asset),
        group: app.group(&p.asset),
        site: app.site(&p.asset),
        kind: kind(p.kind),
        address: None,
        port: None,
    })
}

pub fn title(app: &App) -> (String, String) {
    let t = &app.snapshot.totals;
    let counts = [(t.critical, "critical"), (t.warning, "warning"), (t.unknown, "unknown")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let mut parts: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
    if t.owned > 0 {
        parts.push(format!("{} owned", t.owned));
    }
    if t.in_maintenance > 0 {
        parts.push(format!("{} in maintenance", t.in_maintenance));
    }
    if !app.snapshot.consequences.is_empty() {
        parts.push(format!("{} hidden behind them", app.snapshot.consequences.len()));
    }
    parts.extend(unowned(app));
    parts.extend(app.order_of(PaneKind::Problems).words(PaneKind::Problems).map(|words| marked(app, &words)));
    ("PROBLEMS".to_owned(), parts.join(app.look.separator()))
}

/// How many problems nobody has taken on, and for how long the first of them has waited.
fn unowned(app: &App) -> Option<String> {
    let since = app.snapshot.problems.iter().filter_map(|problem| problem.care.unowned_since).min()?;
    let longest = units::age(units::age_bucket(app.now().since(since)));
    Some(match app.snapshot.totals.unowned {
        0 | 1 => format!("unowned for {longest}"),
        many => format!("{many} unowned, up to {longest}"),
    })
}

/// The words with the mark of the way: on the overview there are no heads above the problems.
fn marked(app: &App, words: &str) -> String {
    format!("{words} {}", app.look.sorted(app.order_of(PaneKind::Problems).descends()))
}

/// Hosts that are named where none of them is a problem yet.
const NAMED: usize = 4;

pub fn empty(app: &App) -> Vec<String> {
    let t = &app.snapshot.totals;
    if t.hosts + t.jobs == 0 {
        return vec!["nothing is watched yet".to_owned()];
    }
    if t.hosts_pending > 0 {
        return vec![format!(
            "none known; {} of {} not answered yet",
            t.hosts_pending,
            units::counted(t.hosts, "host")
        )];
    }
    if t.hosts_stale > 0 {
        return vec![format!(
            "none known, but what is known of {} of {} is old",
            t.hosts_stale,
            units::counted(t.hosts, "host")
        )];
    }
    let (mut known, mut good) = (Vec::new(), 0);
    for (all, ok, word) in [(t.hosts, t.hosts_ok, "host"), (t.jobs, t.jobs_ok, "backup")] {
        if all > 0 {
            known.push(format!("{ok} of {} ok", units::counted(all, word)));
            good += usize::from(ok == all);
        }
    }
    let all = if good == known.len() { "none" } else { "none known" };
    let mut lines = vec![format!("{all}: {}", known.join(", "))];
    lines.extend(in_doubt(app));
    lines
}

/// What may be a problem soon.
fn in_doubt(app: &App) -> Option<String> {
    let hosts = app.parts.in_doubt();
    let named: Vec<&str> = hosts.iter().take(NAMED).map(|name| &**name).collect();
    let more = match hosts.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!named.is_empty()).then(|| format!("a check failed and is tried again: {}{more}", named.join(", ")))
}

pub fn selected(app: &App, row: usize) -> Option<Selected> {
    let p = app.snapshot.problem(row)?;
    Some(match (p.kind, p.port) {
        (ProblemKind::Port, Some(port)) => {
            let seen = app.snapshot.device(&p.asset).and_then(|d| Seen::at(d, port));
            // A port that is gone from its device's table leaves the device.
            seen.map_or_else(|| Selected::Host(p.asset.clone()), |s| Selected::Port(p.asset.clone(), s.key()))
        }
        (ProblemKind::Backup, _) => Selected::Job(p.asset.clone()),
        _ => Selected::Host(p.asset.clone()),
    })
}

/// A column of owners is worth its room where there are any.
fn has_owners(app: &App) -> bool {
    app.snapshot.totals.owned > 0 || app.order_of(PaneKind::Problems).by == By::Owner
}

/// As much as the longest name needs, never most of the row.
pub fn name_width(app: &App, width: u16) -> usize {
    let most = if width >= WIDE { 40 } else { usize::from(width / 3).clamp(8, 24) };
    (app.parts.title() + 1).clamp(8, most)
}

/// As the rows have it. Where the kind has no column there is none for it either.
pub fn draw_header(app: &App, frame: &mut Frame<'_>, area: Rect) -> Heads {
    let mut heads = Heads::new();
    let wide = area.width >= WIDE;
    let style = dim(app);
    let order = app.order_of(PaneKind::Problems);
    let mut line = Row::new(frame.buffer, &app.look, area, area.y);
    line.gap(3).end(" ", style);
    let mut behind = |line: &mut Row<'_>, title: &str, width: usize, by: By| {
        let to = line.end_column();
        let is_by = order.by == by;
        let right = by == By::Age;
        let title = if is_by { app.look.sorted_head(title, width, right, order.descends()) } else { title.to_owned() };
        let title = if right { format!("{title:>width$}") } else { format!("{title:<width$}") };
        line.end(&title, if is_by { app.look.style(Meaning::Accent) } else { style });
        heads.push((line.end_column()..to, heads::Head::By(PaneKind::Problems, by)));
    };
    behind(&mut line, "age", 4, By::Age);
    if wide && has_owners(app) {
        behind(&mut line, "owner", OWNER, By::Owner);
        line.end(" ", style);
    }
    let mut put = |words, width, by| {
        heads::put(app, &mut line, &mut heads, Title { words, width, is_right: false }, (PaneKind::Problems, &[by]));
    };
    put("problem", name_width(app, area.width), By::Name);
    if wide {
        // A row has no gap there: no word of it fills its column.
        put("kind", KIND - 1, By::Kind);
    }
    put("state", if wide { 14 } else { 12 }, By::Severity);
    line.put("says", style);
    heads
}

pub fn draw_row(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, row: usize) {
    let Some(p) = app.snapshot.problem(row) else { return };
    let age = age(frame, Some(p.since));
    let quiet = p.care.is_handled();
    let (glyph, style) = match p.care.maintenance {
        Some(_) => app.look.maintenance(),
        None => app.look.condition(p.condition, p.stale),
    };
    // What somebody has taken on is quiet, and stays.
    let owner = p.care.ack.as_ref().map(|ack| format!("@{}", ack.claim.owner.line()));
    let words = if quiet { dim(app) } else { app.look.words(p.condition, p.stale) };
    let wide = area.width >= WIDE;
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    line.gap(1).put(glyph, style).gap(1);
    line.end(" ", words).end(&format!("{age:>3}"), dim(app)).end(" ", words);
    if wide && has_owners(app) {
        let owner = text::fit(owner.as_deref().unwrap_or_default(), OWNER);
        line.end(&format!("{owner:<OWNER$}"), app.look.style(Meaning::Accent)).end(" ", words);
    }
    let indent = if p.behind.is_some() { INDENT } else { 0 };
    line.gap(indent).name(&p.title.line(), name_width(app, area.width) - indent, words).gap(1);
    if wide {
        line.cell(kind(p.kind), KIND, dim(app));
    }
    line.cell(&p.word, if wide { 14 } else { 12 }, words).gap(1);
    // Before the reason: what it takes down with it is what must not be cut off.
    if let Some(count) = p.behind_it() {
        line.put(&count, app.look.style(Meaning::Unreachable)).put(app.look.separator(), dim(app));
    }
    if let Some(owner) = owner.filter(|_| !wide) {
        line.put(&text::fit(&owner, OWNER), app.look.style(Meaning::Accent)).put(app.look.separator(), dim(app));
    }
    if p.behind.as_ref().is_some_and(|behind| behind.inferred) {
        line.put("inferred", app.look.style(Meaning::Unreachable)).put(app.look.separator(), dim(app));
    }
    if p.stale {
        line.put("last known: ", app.look.style(Meaning::Stale));
    }
    if let Some(maintained) = &p.care.maintenance {
        let left = units::left(maintained.until.since(frame.now));
        line.put(&format!("maintenance, {left} more"), app.look.maintenance().1).put(app.look.separator(), dim(app));
    }
    line.put(
        super::without_word(&p.reason.line(), &p.word),
        app.look.style(if quiet { Meaning::Dim } else { Meaning::Text }),
    );
}

/// What [`fields`] are called.
pub const FIELDS: [&str; 6] = ["problem", "state", "kind", "owner", "age", "says"];

/// The row in cells.
pub fn fields(app: &App, row: usize) -> Option<[String; 6]> {
    let p = app.snapshot.problem(row)?;
    let mut says = Vec::new();
    says.extend(p.behind_it());
    if let Some(maintained) = &p.care.maintenance {
        says.push(format!("maintenance, {} more", units::left(maintained.until.since(app.now()))));
    }
    if let Some(behind) = &p.behind {
        let how = if behind.inferred { " (inferred)" } else { "" };
        says.push(format!("behind {}{how}", behind.target.label().line()));
    }
    says.push(p.reason.line());
    Some([
        p.title.line(),
        super::fields::state(&p.word, p.stale),
        kind(p.kind).to_owned(),
        p.care.ack.as_ref().map(|ack| ack.claim.owner.line()).unwrap_or_default(),
        super::fields::age(app, Some(p.since)),
        says.join("; "),
    ])
}

/// As the list and a filter name it.
pub fn kind(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Console => "console",
        ProblemKind::Host => "host",
        ProblemKind::Port => "port",
        ProblemKind::Device => "device",
        ProblemKind::Backup => "backup",
    }
}
