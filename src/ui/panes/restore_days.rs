//! RESTORE POINTS: below the jobs on their screen, where there is room: on which days each has one to go back to, so that a gap is
//! seen.

use std::collections::HashSet;

use ratatui::layout::Rect;

use super::{PaneKind, ScreenId, backups, dim};
use crate::base::Timestamp;
use crate::config::theme::Meaning;
use crate::state::JobView;
use crate::ui::app::App;
use crate::ui::canvas::{self, Row};
use crate::ui::frame::Frame;

/// Days that are shown at the least and at the most.
const DAYS: (u16, u16) = (14, 90);
/// Columns of how many there are.
const COUNT: u16 = 7;
/// Rows that are left to what stands below.
const BELOW: u16 = 5;

/// All jobs have room, or none is shown. The lines that it took.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) -> u16 {
    let order = &app.list(PaneKind::Backups).order;
    let jobs = || order.iter().filter_map(|row| app.snapshot.jobs.get(*row));
    let lines = order.len() as u16 + 1;
    let has_points = jobs().any(|job| job.report.as_ref().is_some_and(|report| !report.points.is_empty()));
    let name = backups::name_part(app, area.width) as u16;
    let days = area.width.saturating_sub(name + COUNT + 4).min(DAYS.1);
    let is_told = app.screen == ScreenId::Backups || backups::tells_unprotected(app);
    if !is_told || !has_points || days < DAYS.0 || area.height < lines + BELOW {
        return 0;
    }
    let styles = (app.look.style(Meaning::Rule), app.look.style(Meaning::Title), dim(app));
    let honesty = format!("{days} days in UTC, today at the right");
    canvas::rule(frame.buffer, &app.look, area, "RESTORE POINTS", &honesty, styles);
    let today = day(frame.now);
    for (job, y) in jobs().zip(area.y + 1..) {
        let (glyph, style, words) = backups::look(app, job);
        let mut line = Row::new(frame.buffer, &app.look, area, y);
        line.gap(1).put(glyph, style).gap(1).name(&job.job.name, usize::from(name - 3), words).gap(1);
        let (with_points, told_since) = known(job);
        for at in (0..i64::from(days)).rev() {
            let day = today - at;
            match with_points.contains(&day) {
                true => line.put(if app.look.unicode { "●" } else { "#" }, app.look.style(Meaning::Bar)),
                // Of days that nobody told of it is not said that they have none.
                false if day < told_since => line.gap(1),
                false => line.put(if app.look.unicode { "·" } else { "." }, dim(app)),
            };
        }
        let count = job.report.as_ref().map_or_else(|| "–".to_owned(), |report| report.total_points.to_string());
        line.gap(1).right(&count, usize::from(COUNT - 1), dim(app));
    }
    lines
}

/// The days that it has a point of, and the first day of which that is told: of many points the oldest are not.
fn known(job: &JobView) -> (HashSet<i64>, i64) {
    let Some(report) = &job.report else { return (HashSet::new(), i64::MAX) };
    let days: HashSet<i64> = report.points.iter().map(|point| day(point.at)).collect();
    let is_whole = report.total_points <= report.points.len();
    let told_since = if is_whole { i64::MIN } else { days.iter().copied().min().unwrap_or(i64::MAX) };
    (days, told_since)
}

fn day(at: Timestamp) -> i64 {
    at.millis().div_euclid(86_400_000)
}
