//! A few figures, large enough for the other end of the room.

use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{below, ink};
use crate::config::theme::Meaning;
use crate::model::Condition;
use crate::state::Problem;
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;
use crate::ui::wall::big::{self, Dot};
use crate::ui::wall::scope::Scope;
use crate::ui::wall::{Wall, unowned};

struct Tile {
    label: String,
    figures: String,
    style: Style,
}

/// Takes the whole area. Whose minutes without an owner were told already is not told again.
pub fn draw(wall: &Wall, frame: &mut Frame<'_>, area: Rect, scope: &Scope, told: Option<&Problem>) -> Rect {
    let tiles = tiles(wall, frame, scope, told);
    let nothing = below(area, area.bottom());
    if area.width < 8 || area.height < 2 {
        return nothing;
    }
    // What makes the smallest of the figures largest, then all of them; of equals the last here, which leaves most to the labels.
    let best = [6, 1, 3, 2].into_iter().max_by_key(|columns| {
        let place = tile(area, tiles.len(), *columns, 0);
        let large =
            |tile| dot(wall, place, tile).map_or(0, |dot| u32::from(dot.size("0").0) * u32::from(dot.size("0").1));
        (tiles.iter().map(large).min(), tiles.iter().map(large).sum::<u32>())
    });
    let columns = best.unwrap_or(1);
    for (at, one) in tiles.iter().enumerate() {
        let place = tile(area, tiles.len(), columns, at);
        let look = &wall.look;
        let dim = look.style(Meaning::Dim);
        let Some(dot) = dot(wall, place, one) else {
            Row::new(frame.buffer, look, place, place.y)
                .gap(1)
                .put(&one.figures, one.style)
                .gap(1)
                .put(&one.label, dim);
            continue;
        };
        let (_, height) = dot.size(&one.figures);
        let y = place.y + place.height.saturating_sub(height + 2) / 2;
        big::draw(frame.buffer, look, place, (place.x + 2, y), &one.figures, dot, ink(one.style));
        Row::new(frame.buffer, look, place, y + height).gap(2).put(&one.label, dim);
    }
    nothing
}

fn dot(wall: &Wall, place: Rect, tile: &Tile) -> Option<Dot> {
    Dot::fitting(&tile.figures, place.width.saturating_sub(4), place.height.saturating_sub(2), &wall.look)
}

/// The place of one of so many.
fn tile(area: Rect, count: usize, columns: usize, at: usize) -> Rect {
    let rows = count.div_ceil(columns) as u16;
    let (width, height) = (area.width / columns as u16, (area.height / rows).max(1));
    let (column, row) = ((at % columns) as u16, (at / columns) as u16);
    Rect::new(area.x + column * width, area.y + row * height, width, height).intersection(area)
}

fn tiles(wall: &Wall, frame: &Frame<'_>, scope: &Scope, told: Option<&Problem>) -> Vec<Tile> {
    let (look, s) = (&wall.look, &wall.snapshot);
    let problems = scope.problems(s);
    let (hosts, jobs) = (scope.hosts(s, &wall.parts), scope.jobs(s));
    let dim = look.style(Meaning::Dim);
    let of = |condition: Condition, label: &'static str| {
        let count = problems.iter().filter(|p| p.condition == condition).count();
        let style = if count > 0 { look.words(condition, false) } else { dim };
        Tile { label: label.to_owned(), figures: count.to_string(), style }
    };
    let good = hosts.iter().filter(|h| wall.parts.worst(h) == Condition::Ok && !h.stale).count();
    let whole = jobs.iter().filter(|j| j.condition == Condition::Ok && !j.stale).count();
    let behind = hosts.iter().filter(|h| h.condition == Condition::Unreachable).count();
    let waiting: Vec<(Duration, &Problem)> =
        problems.iter().filter_map(|p| Some((unowned(p, frame.now)?, *p))).collect();
    let loud = waiting.iter().any(|(age, _)| *age >= wall.options.escalate[0]);
    // Of the worst, the newest among equals.
    let (minutes, whose) = match waiting.first() {
        None => ("-".to_owned(), "minutes unowned".to_owned()),
        Some((age, problem)) => {
            let more = if waiting.len() > 1 { format!(" and {} more", waiting.len() - 1) } else { String::new() };
            let whose = format!("minutes unowned: {} {}{more}", problem.title.line(), problem.word);
            match age.as_secs() {
                secs @ 0..60 => ((secs / 5 * 5).to_string(), whose.replacen("minutes", "seconds", 1)),
                secs => ((secs / 60).to_string(), whose),
            }
        }
    };
    // Of nothing, all is not well.
    let share = |label: &str, good: usize, all: usize| match all {
        0 => Tile { label: format!("{label}: none are watched"), figures: "-".to_owned(), style: dim },
        _ => Tile {
            label: format!("{label} ok"),
            figures: format!("{good}/{all}"),
            style: look.style(if good == all { Meaning::Ok } else { Meaning::Text }),
        },
    };
    let unknown = problems.iter().filter(|p| p.condition == Condition::Unknown).count();
    let is_told = waiting.first().is_some_and(|(_, problem)| told.is_some_and(|told| told.target == problem.target));
    let (third, besides) = if is_told {
        (of(Condition::Unknown, "unknown"), String::new())
    } else {
        let besides = if unknown > 0 { format!("{}{unknown} unknown", look.separator()) } else { String::new() };
        let style = if loud { look.style(Meaning::Critical) } else { dim };
        (Tile { label: whose, figures: minutes, style }, besides)
    };
    let tiles = vec![
        of(Condition::Critical, "critical"),
        of(Condition::Warning, "warning"),
        third,
        share("hosts", good, hosts.len()),
        Tile {
            label: format!("unreachable{besides}"),
            figures: behind.to_string(),
            style: if behind > 0 { look.style(Meaning::Unreachable) } else { dim },
        },
        share("backups", whole, jobs.len()),
    ];
    // Before anything has answered a nought would say that all is well.
    let is_known = hosts.iter().any(|host| !matches!(host.condition, Condition::Pending | Condition::NotProbed))
        || jobs.iter().any(|job| !matches!(job.condition, Condition::Pending | Condition::NotProbed))
        || !problems.is_empty();
    if is_known {
        return tiles;
    }
    tiles.into_iter().map(|tile| Tile { figures: "-".to_owned(), style: dim, ..tile }).collect()
}
