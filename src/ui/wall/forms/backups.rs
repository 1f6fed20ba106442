//! Backups: how old the newest good point of each is against what it may be. More jobs than rows are a grid.

use std::sync::Arc;

use ratatui::layout::Rect;

use super::{Item, Sees, below, many, nothing, state};
use crate::base::{text, units};
use crate::config::theme::Meaning;
use crate::model::Condition;
use crate::state::JobView;
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;
use crate::ui::wall::Wall;
use crate::ui::wall::sheet::rule;

/// Points of a job that are shown.
const POINTS: usize = 4;

/// What is left below them.
pub fn draw(wall: &Wall, frame: &mut Frame<'_>, area: Rect, jobs: &[&Arc<JobView>]) -> Rect {
    let look = &wall.look;
    let mut jobs = jobs.to_vec();
    jobs.sort_by_key(|job| std::cmp::Reverse(Sees::of(job.condition, Some(&job.care)).weight(job.condition)));
    let good = jobs.iter().filter(|job| job.condition == Condition::Ok && !job.stale).count();
    let honesty = format!("{good} of {} ok", jobs.len());
    if jobs.len() > usize::from(area.height.saturating_sub(1)) {
        let items: Vec<Item<'_>> = jobs
            .iter()
            .map(|job| Item {
                name: &job.job.name,
                condition: job.condition,
                stale: job.stale,
                sees: Sees::of(job.condition, Some(&job.care)),
                word: state(job.condition, job.stale).to_owned(),
                more: if job.condition == Condition::Ok { Vec::new() } else { vec![job.reason.line()] },
                section: "",
                course: None,
            })
            .collect();
        return many(wall, frame, area, ("BACKUPS", &honesty), &items, &[]);
    }
    rule(look, frame, area, "BACKUPS", &honesty);
    if jobs.is_empty() {
        nothing(wall, frame, area, "no backup is here");
        return below(area, area.bottom());
    }
    let longest = jobs.iter().map(|job| text::width(&job.job.name)).max().unwrap_or(0);
    let name = longest.clamp(6, usize::from(area.width / 3).max(6));
    // Bar, reason, points to go back to, and a free row.
    let points = jobs.iter().filter_map(|job| job.report.as_ref()).map(|report| report.points.len()).max().unwrap_or(0);
    let most = if points == 0 { 2 } else { 3 + points.min(POINTS) };
    let each = (usize::from(area.height.saturating_sub(1)) / jobs.len()).clamp(1, most) as u16;
    for (at, job) in jobs.iter().enumerate() {
        draw_job(wall, frame, Rect { y: area.y + 1 + at as u16 * each, height: each, ..area }, job, name);
    }
    let end = area.y + 1 + jobs.len() as u16 * each;
    below(area, if each > 3 { end - 1 } else { end })
}

fn draw_job(wall: &Wall, frame: &mut Frame<'_>, area: Rect, job: &JobView, name: usize) {
    let (look, now) = (&wall.look, frame.now);
    let dim = look.style(Meaning::Dim);
    let sees = Sees::of(job.condition, Some(&job.care));
    let (glyph, style, words) = sees.look(look, job.condition, job.stale);
    let newest = job.newest.map_or_else(|| "–".to_owned(), |at| units::age(units::age_bucket(now.since(at))));
    let target = job.job.rpo.map_or_else(String::new, |rpo| format!("/ {:>3}", units::age(rpo)));
    let mut row = Row::new(frame.buffer, look, area, area.y);
    row.gap(1).put(glyph, style).gap(1).name(&job.job.name, name, words).gap(1);
    row.end(" ", dim).end(&format!("{newest:>3} {target:<5}"), dim).end(" ", dim);
    if let (Some(at), Some(rpo)) = (job.newest, job.job.rpo) {
        let bar = if area.height > 1 { row.room().min(40) } else { row.room().min(20) };
        let share = now.since(at).as_secs_f64() / rpo.as_secs_f64().max(1.0);
        let filled = if job.condition.is_problem() { super::ink(words) } else { look.style(Meaning::Bar) };
        let mark = bar * 3 / 4;
        let (full, empty, line) = if look.unicode { ("▓", "░", "│") } else { ("=", ".", "|") };
        for at in 0..bar {
            match at {
                at if at == mark => row.put(line, look.style(Meaning::Text)),
                at if (at as f64) < share * mark as f64 => row.put(full, filled),
                _ => row.put(empty, look.style(Meaning::Rule)),
            };
        }
        row.gap(1);
    }
    let reason = job.reason.line();
    let style = look.style(if job.condition.is_problem() { Meaning::Text } else { Meaning::Dim });
    if area.height > 1 {
        Row::new(frame.buffer, look, area, area.y + 1).gap(3).put(&reason, style);
        let points = job.report.as_ref().map(|report| &report.points[..]).unwrap_or_default();
        let rows = usize::from(area.height.saturating_sub(if area.height > 3 { 3 } else { 2 }));
        for (point, y) in points.iter().take(rows.min(POINTS)).zip(area.y + 2..) {
            let age = units::age(units::age_bucket(now.since(point.at)));
            let paths: Vec<String> = point.paths.iter().map(crate::base::Untrusted::line).collect();
            let mut row = Row::new(frame.buffer, look, area, y);
            row.gap(3).put(&format!("{age:>3} old  {}Z", point.at.utc_minute()), dim).gap(2);
            row.right(&point.bytes.map(units::bytes).unwrap_or_default(), 9, dim).gap(2);
            row.put(&point.host.line(), dim).gap(1).put(&paths.join(" "), dim);
        }
    } else if row.room() >= 18 {
        row.put(&reason, style);
    }
}
