//! COURSES: below the checks of a small network, on high screens: how the value of each host went, higher than a row can show.

use std::time::Duration;

use ratatui::layout::Rect;

use super::{PaneKind, ScreenId, dim, hosts};
use crate::base::{text, units};
use crate::config::theme::Meaning;
use crate::state::HostView;
use crate::ui::app::App;
use crate::ui::canvas::{self, Row};
use crate::ui::frame::Frame;

/// More have no room to be high.
const MOST: usize = 8;
/// Rows from which on a screen has them.
const HIGH: u16 = 50;
/// Rows for all of them, and of each, with a free one.
const ROWS: u16 = 24;
const EACH: (u16, u16) = (3, 6);
/// Columns of the value and of what the full height is.
const VALUE: usize = 12;

/// How many there are; none where they are not shown.
fn count(app: &App) -> u16 {
    let all = &app.snapshot.hosts;
    let has_course = app.snapshot.awaited.hosts == 0 && all.iter().any(|host| !host.trail.is_empty());
    if app.screen == ScreenId::Overview && app.size().1 >= HIGH && all.len() <= MOST && has_course {
        all.len() as u16
    } else {
        0
    }
}

fn rows_each(count: u16) -> u16 {
    (ROWS / count.max(1)).clamp(EACH.0, EACH.1)
}

/// Lines that they take, with a free one before them.
pub fn lines(app: &App) -> u16 {
    match count(app) {
        0 => 0,
        count => count * rows_each(count) + 1,
    }
}

/// Of the hosts that are shown, in their order: all of them have room, or none is shown. The lines that it took.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) -> u16 {
    // Without the free line before them, which is there already.
    let lines = lines(app).saturating_sub(1);
    if lines == 0 || area.height < lines {
        return 0;
    }
    let styles = (app.look.style(Meaning::Rule), app.look.style(Meaning::Title), dim(app));
    canvas::rule(frame.buffer, &app.look, area, "COURSES", "the last answers, the newest at the right", styles);
    let each = rows_each(count(app));
    let shown = app.list(PaneKind::Hosts).order.iter().filter_map(|row| app.snapshot.hosts.get(*row));
    let name = app.snapshot.hosts.iter().map(|host| text::width(&host.host.name)).max().unwrap_or(0);
    let name = name.clamp(4, usize::from(area.width / 4).max(4));
    for (host, at) in shown.zip(0..) {
        let place = Rect { y: area.y + 1 + at * each, height: each - 1, ..area };
        draw_course(app, frame, place, host, name);
    }
    lines
}

fn draw_course(app: &App, frame: &mut Frame<'_>, area: Rect, host: &HostView, name: usize) {
    let (glyph, style) = app.look.condition(app.parts.worst(host), host.stale);
    let words = app.look.words(app.parts.worst(host), host.stale);
    let leading = hosts::leading(host);
    let mut line = Row::new(frame.buffer, &app.look, area, area.y);
    line.gap(1).put(glyph, style).gap(1).name(&host.host.name, name, words).gap(2);
    line.right(leading.as_ref().map_or("–", |(value, _)| value), VALUE, dim(app)).gap(2);
    let Some((_, least)) = leading.filter(|_| !host.trail.is_empty()) else { return };
    let chart = Rect { x: line.column(), width: area.right().saturating_sub(line.column()), ..area };
    Row::new(frame.buffer, &app.look, area, area.y + 1).gap(name + 5).right(&most(host), VALUE, dim(app));
    let course = app.look.course(&host.trail, usize::from(chart.width), usize::from(chart.height), least);
    for (words, y) in course.iter().zip(chart.y..) {
        Row::new(frame.buffer, &app.look, chart, y).put(words, app.look.style(Meaning::Bar));
    }
}

/// The greatest of what is shown.
fn most(host: &HostView) -> String {
    let most = host.trail.iter().copied().fold(0.0, f32::max);
    if host.metric("load1").is_some() {
        return format!("most {most:.1}");
    }
    let most = Duration::try_from_secs_f32(most).unwrap_or_default();
    format!("most {}", units::round_trip(most))
}
