//! Switches, one row each: the ports as glyphs, those with problems first. More switches than rows are a grid of switches.

use std::sync::Arc;

use ratatui::layout::Rect;

use super::{Item, many, nothing, state};
use crate::config::theme::Meaning;
use crate::state::snapshot::ProblemKind;
use crate::state::{DeviceView, PortView};
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;
use crate::ui::port::Seen;
use crate::ui::wall::Wall;
use crate::ui::wall::scope::Scope;
use crate::ui::wall::sheet::rule;

pub fn draw(wall: &Wall, frame: &mut Frame<'_>, area: Rect, scope: &Scope) {
    let look = &wall.look;
    let mut devices = scope.devices(&wall.snapshot);
    let ports: usize = devices.iter().map(|device| device.ports.len()).sum();
    let up: usize = devices.iter().map(|device| device.up).sum();
    let honesty = format!("{} switches{}{up} of {ports} ports up", devices.len(), look.separator());
    let mut problems = scope.problems(&wall.snapshot);
    problems.retain(|problem| problem.kind == ProblemKind::Port);
    let words = (problems.len() as u16).min(area.height / 4);
    if devices.len() > usize::from(area.height.saturating_sub(1 + words)) {
        let item = |device: &Arc<DeviceView>| (device.host.name.clone(), device.condition, device.stale, device.up);
        let known: Vec<_> = devices.iter().map(|device| item(device)).collect();
        let items: Vec<Item<'_>> = known
            .iter()
            .map(|(name, condition, stale, up)| Item {
                name,
                condition: *condition,
                stale: *stale,
                word: format!("{} {up} up", state(*condition, *stale)),
            })
            .collect();
        many(wall, frame, area, ("SWITCHES", &honesty), &items, &problems);
        return;
    }
    rule(look, frame, area, "SWITCHES", &honesty);
    if devices.is_empty() {
        nothing(wall, frame, area, "no switch is here");
        return;
    }
    devices.sort_by_key(|device| std::cmp::Reverse((device.condition.is_problem(), device.condition)));
    let longest = devices.iter().map(|device| crate::base::text::width(&device.host.name)).max().unwrap_or(0);
    let name = longest.clamp(4, usize::from(area.width / 4).max(4));
    // A free row between them where there is room.
    let rows = area.height.saturating_sub(1 + words);
    let each = if usize::from(rows) >= devices.len() * 2 { 2 } else { 1 };
    for (at, device) in devices.iter().enumerate() {
        draw_device(wall, frame, area, area.y + 1 + at as u16 * each, device, name);
    }
    let bottom = area.bottom() - words;
    for (problem, y) in problems.iter().zip(bottom..area.bottom()) {
        super::draw_problem(wall, frame, Rect { y, height: 1, ..area }, problem);
    }
}

fn draw_device(wall: &Wall, frame: &mut Frame<'_>, area: Rect, y: u16, device: &DeviceView, name: usize) {
    let look = &wall.look;
    let dim = look.style(Meaning::Dim);
    let (glyph, style) = look.condition(device.condition, device.stale);
    let words = look.words(device.condition, device.stale);
    let mut row = Row::new(frame.buffer, look, area, y);
    row.gap(1).put(glyph, style).gap(1);
    row.end(" ", dim).end(&format!("{}/{} up", device.up, device.ports.len()), dim).end("  ", dim);
    row.name(&device.host.name, name, words).gap(1);
    let mut seen: Vec<&PortView> = Seen::all(device).filter(Seen::is_physical).map(|seen| seen.view).collect();
    if seen.is_empty() {
        seen = device.ports.iter().collect();
    }
    let room = row.room().max(1);
    let spaced = seen.len() + seen.len() / 6 <= room;
    let each = seen.len().div_ceil(room).max(1);
    for (at, several) in seen.chunks(each).enumerate() {
        if spaced && at > 0 && at % 6 == 0 {
            row.gap(1);
        }
        if let Some(port) = several.iter().max_by_key(|port| port.condition) {
            let (glyph, style) = look.port(port, device.stale);
            row.put(glyph, style);
        }
    }
}
