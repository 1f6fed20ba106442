//! The open incident: its clock in large figures, and what was written last.

use ratatui::layout::Rect;

use super::{below, ink, nothing};
use crate::base::units;
use crate::base::units::counted;
use crate::config::theme::Meaning;
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;
use crate::ui::wall::Wall;
use crate::ui::wall::big::{self, Dot};
use crate::ui::wall::sheet::rule;

/// What is left below it.
pub fn draw(wall: &Wall, frame: &mut Frame<'_>, area: Rect) -> Rect {
    let look = &wall.look;
    let Some(incident) = wall.snapshot.open_incident() else {
        rule(look, frame, area, "INCIDENT", "");
        nothing(wall, frame, area, "no incident is open");
        return below(area, area.bottom());
    };
    let title = format!("{} {}", incident.id, incident.urgency.as_str());
    rule(look, frame, area, &title, &counted(incident.entries.len(), "entry"));
    let (mut y, bottom) = (area.y + 1, area.bottom());
    let inner = Rect { x: area.x + 2, width: area.width.saturating_sub(3), ..area };
    let elapsed = units::clock_duration(frame.now.since(incident.opened_at));
    // Days stand in words: large, they would be the smaller figures.
    let (days, figures) = elapsed.split_once("d ").map_or(("", elapsed.as_str()), |(days, rest)| (days, rest));
    let rows = (area.height / 3).clamp(1, 10);
    if let Some(dot) = Dot::fitting(figures, inner.width, rows, look).filter(|_| area.height >= 10) {
        big::draw(frame.buffer, look, area, (inner.x, y + 1), figures, dot, ink(look.style(Meaning::Critical)));
        y += dot.size(figures).1 + 2;
    } else if y < bottom {
        Row::new(frame.buffer, look, inner, y).put(figures, look.style(Meaning::Critical));
        y += 1;
    }
    if y < bottom {
        let mut row = Row::new(frame.buffer, look, inner, y);
        if !days.is_empty() {
            row.put(&format!("and {days} days  "), look.style(Meaning::Critical));
        }
        row.put(&incident.title.line(), look.style(Meaning::Title));
        y += 2;
    }
    let room = usize::from(bottom.saturating_sub(y));
    let skipped = incident.entries.len().saturating_sub(room);
    for (entry, y) in incident.entries.iter().skip(skipped).zip(y..bottom) {
        let dim = look.style(Meaning::Dim);
        let mut row = Row::new(frame.buffer, look, inner, y);
        row.put(&entry.at.utc_time_of_day()[..5], dim).gap(1).cell(entry.kind.as_str(), 12, dim).gap(1);
        row.put(&entry.author.line(), look.style(Meaning::Accent)).put(": ", dim);
        row.put(&entry.text.line(), look.style(Meaning::Text));
    }
    below(area, y + incident.entries.len().min(room) as u16)
}
