//! LOG: what is broken (faults, a listener that hears nothing), then what happened, newest first, and at the end what stands
//! (remarks, the listener for traps). A row is a line of an entry, which is opened whole; see [`crate::ui::logbook`].

use std::sync::Arc;

use ratatui::layout::Rect;

use super::heads::{self, Heads, Title};
use super::{PaneKind, Selected};
use crate::base::units::counted;
use crate::base::{Timestamp, text};
use crate::config::theme::Meaning;
use crate::ui::action::Action;
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::filter::Subject;
use crate::ui::frame::Frame;
use crate::ui::logbook::{LogEntry, Source};
use crate::ui::sorting::{self, By};

/// Columns of the kind and of an object's name.
const KIND: usize = 7;
const OBJECT: usize = 18;
/// From this width on the object has a column of its own.
const OBJECT_FROM: u16 = 90;
/// Columns of an age, and the width from which on there is room for it beside the time.
const AGE: usize = 4;
const AGE_FROM: u16 = 100;

pub fn order(app: &App) -> Vec<usize> {
    let shown = |row: &usize| app.logbook.entries.get(*row).is_some_and(|entry| is_shown(app, entry));
    sorting::log(app, (0..app.logbook.entries.len()).filter(shown).collect())
}

fn is_shown(app: &App, entry: &LogEntry) -> bool {
    if app.problems_only && !entry.condition.is_problem() {
        return false;
    }
    let (tags, group, site) = match entry.about.clone().and_then(Selected::asset).filter(|_| !app.filter.is_empty()) {
        Some(asset) => (app.tags(&asset), app.group(&asset).to_owned(), app.site(&asset).to_owned()),
        None => (Vec::new(), String::new(), String::new()),
    };
    app.filter.is_empty()
        || app.filter.lets_through(&Subject {
            name: &entry.object,
            words: &entry.says,
            condition: entry.condition,
            word: entry.word,
            care: None,
            stale: false,
            tags,
            group: &group,
            site: &site,
            kind: entry.source.word(),
            address: None,
            port: None,
        })
}

/// The entry, with what it is about.
pub fn selected(app: &App, row: usize) -> Option<Selected> {
    Some(Selected::Told(Arc::clone(app.logbook.entries.get(row)?)))
}

pub fn title(app: &App) -> (String, String) {
    let count = |source| app.logbook.count(source);
    let mut parts = Vec::new();
    for (source, word) in [(Source::Fault, "fault"), (Source::Remark, "remark"), (Source::Trap, "trap")] {
        if count(source) > 0 {
            parts.push(counted(count(source), word));
        }
    }
    let happened = app.logbook.entries.iter().filter(|entry| entry.at.is_some()).count();
    parts.push(counted(happened, "event"));
    parts.extend(app.order_of(PaneKind::Log).words(PaneKind::Log));
    ("LOG".to_owned(), parts.join(app.look.separator()))
}

pub fn empty(app: &App) -> Vec<String> {
    if app.problems_only && !app.logbook.entries.is_empty() {
        return vec![format!("nothing bad was said: {} shows all", app.key_of(Action::ProblemsOnly))];
    }
    vec!["nothing was said yet".to_owned()]
}

/// Whether an entry says how long ago it was: who reads it at night does not count in UTC.
pub fn shows_ages(width: u16) -> bool {
    width >= AGE_FROM
}

/// They are made newest first.
fn oldest(app: &App) -> Option<Timestamp> {
    app.logbook.entries.iter().rev().find_map(|entry| entry.at)
}

pub fn draw_header(app: &App, frame: &mut Frame<'_>, area: Rect) -> Heads {
    let mut heads = Heads::new();
    let mut line = Row::new(frame.buffer, &app.look, area, area.y);
    line.gap(1);
    let mut put = |line: &mut Row<'_>, words, width, by| {
        heads::put(app, line, &mut heads, Title { words, width, is_right: false }, (PaneKind::Log, &[by]));
    };
    put(&mut line, "UTC", super::times(app, oldest(app)).width(), By::Time);
    if shows_ages(area.width) {
        line.right("age", AGE, app.look.style(Meaning::Dim)).gap(1);
    }
    put(&mut line, "kind", KIND, By::Kind);
    if area.width >= OBJECT_FROM {
        put(&mut line, "object", OBJECT, By::Object);
    }
    let order = app.order_of(PaneKind::Log);
    let is_by = order.by == By::Severity;
    let says = if is_by { app.look.sorted_head("says", 6, false, order.descends()) } else { "says".to_owned() };
    // How bad an entry is, its words show.
    let from = line.column();
    line.put(&says, app.look.style(if is_by { Meaning::Accent } else { Meaning::Dim }));
    heads.push((from..line.column(), heads::Head::By(PaneKind::Log, By::Severity)));
    heads
}

/// Columns of the time, the age and the kind.
pub fn name_part(app: &App, width: u16) -> usize {
    super::times(app, oldest(app)).width() + KIND + 2 + if shows_ages(width) { AGE + 1 } else { 0 }
}

pub fn draw_row(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, row: usize) {
    let Some(entry) = app.logbook.entries.get(row) else { return };
    let dim = app.look.style(Meaning::Dim);
    let times = super::times(app, oldest(app));
    let time = entry.at.map_or_else(|| "–".to_owned(), |at| times.words(at));
    let bad = entry.condition.is_problem() || entry.condition == crate::model::Condition::Unreachable;
    let kind = if bad { app.look.words(entry.condition, false) } else { dim };
    let age = super::age(frame, entry.at);
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    line.gap(1).cell(&time, times.width(), dim).gap(1);
    if shows_ages(area.width) {
        line.right(&age, AGE, dim).gap(1);
    }
    line.cell(entry.source.word(), KIND, kind).gap(1);
    if area.width >= OBJECT_FROM {
        line.name(&entry.object, OBJECT, app.look.style(Meaning::Text)).gap(1);
    } else if !entry.object.is_empty() && !entry.says.starts_with(&entry.object) {
        // What came of it has its half.
        let name = text::width(&text::clean(&entry.object)).min(line.room() / 2);
        line.name(&entry.object, name, app.look.style(Meaning::Title)).gap(1);
    }
    line.put(&entry.says, app.look.words(entry.condition, false));
}

/// What [`fields`] are called.
pub const FIELDS: [&str; 4] = ["time", "kind", "object", "says"];

/// The row in cells; the moment in full, because a copy leaves its day.
pub fn fields(app: &App, row: usize) -> Option<[String; 4]> {
    let entry = app.logbook.entries.get(row)?;
    Some([
        entry.at.map(|at| at.to_string()).unwrap_or_default(),
        entry.source.word().to_owned(),
        entry.object.clone(),
        entry.says.clone(),
    ])
}
