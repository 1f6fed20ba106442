//! Switches: the front of each where there is room, else one row each with the ports as glyphs; those with problems first. More
//! switches than rows are a grid of switches.

use std::sync::Arc;

use ratatui::layout::Rect;

use super::{Item, Sees, below, many, nothing, state};
use crate::base::{text, units};
use crate::config::theme::Meaning;
use crate::state::snapshot::ProblemKind;
use crate::state::{DeviceView, PortView};
use crate::ui::canvas::Row;
use crate::ui::faceplate::{Faceplate, Form, Laid};
use crate::ui::frame::Frame;
use crate::ui::port::Seen;
use crate::ui::wall::Wall;
use crate::ui::wall::scope::Scope;
use crate::ui::wall::sheet::rule;

/// Rows that a head, a front and a free row take at the least.
const LOWEST: u16 = 4;
/// Columns before a front.
const INDENT: u16 = 3;
/// Columns of a front with its head beside others, and between two.
const BESIDE: u16 = 90;
const GAP: u16 = 4;

/// What is left below them.
pub fn draw(wall: &Wall, frame: &mut Frame<'_>, area: Rect, scope: &Scope) -> Rect {
    let look = &wall.look;
    let mut devices = scope.devices(&wall.snapshot, &wall.parts, &wall.lookup);
    let ports: usize = devices.iter().map(|device| device.ports.len()).sum();
    let parts = &wall.parts;
    // Old good news is not good news.
    let up: usize = devices.iter().filter(|device| !parts.is_old(device)).map(|device| device.up).sum();
    let honesty =
        format!("{}{}{up} of {} up", switches(devices.len()), look.separator(), units::counted(ports, "port"));
    let mut problems = scope.problems(&wall.snapshot);
    problems.retain(|problem| matches!(problem.kind, ProblemKind::Port | ProblemKind::Device));
    let words = (problems.len() as u16).min(area.height / 4);
    let rows = area.height.saturating_sub(1 + words);
    if devices.len() > usize::from(rows) {
        let item = |device: &Arc<DeviceView>| {
            let sees = if parts.is_handled(device) { Sees::Owner } else { Sees::Nobody };
            (device.host.name.clone(), parts.standing(device), parts.is_old(device), sees, device.up)
        };
        let known: Vec<_> = devices.iter().map(|device| item(device)).collect();
        let items: Vec<Item<'_>> = known
            .iter()
            .map(|(name, condition, stale, sees, up)| Item {
                name,
                condition: *condition,
                stale: *stale,
                sees: *sees,
                // How many were up when it was heard last is nobody's business now.
                word: match (*stale, state(*condition, *stale)) {
                    (true, word) => word.to_owned(),
                    (false, word) => format!("{up} up, {word}"),
                },
                more: Vec::new(),
                section: "",
                course: None,
            })
            .collect();
        return many(wall, frame, area, ("SWITCHES", &honesty), &items, &problems);
    }
    rule(look, frame, area, "SWITCHES", &honesty);
    if devices.is_empty() {
        nothing(wall, frame, area, "no switch is here");
        return below(area, area.bottom());
    }
    devices.sort_by_key(|device| std::cmp::Reverse((parts.standing(device).is_problem(), parts.standing(device))));
    let longest = devices.iter().map(|device| text::width(&device.host.name)).max().unwrap_or(0);
    let name = longest.clamp(4, usize::from(area.width / 4).max(4));
    let mut y = area.y + 1;
    // Beside each other where that many fit: a front is narrow, and a wall is wide.
    let across = usize::from(area.width / BESIDE).clamp(1, devices.len());
    let width = (area.width - GAP * (across as u16 - 1)) / across as u16;
    if let Some(plates) = plates(width, rows / devices.len().div_ceil(across) as u16, &devices) {
        for (devices, plates) in devices.chunks(across).zip(plates.chunks(across)) {
            for ((device, laid), at) in devices.iter().zip(plates).zip(0..) {
                let place = Rect { x: area.x + at * (width + GAP), y, width, height: laid.height + 1 };
                draw_plate(wall, frame, place, device, laid);
            }
            y += plates.iter().map(|laid| laid.height).max().unwrap_or(0) + 2;
        }
    } else {
        // A free row between them where there is room.
        let each = if usize::from(rows) >= devices.len() * 2 { 2 } else { 1 };
        for device in &devices {
            draw_device(wall, frame, area, y, device, name);
            y += each;
        }
    }
    let y = y.min(area.bottom() - words);
    for (problem, y) in problems.iter().zip(y..y + words) {
        super::draw_problem(wall, frame, Rect { y, height: 1, ..area }, problem);
    }
    below(area, y + words)
}

fn switches(count: usize) -> String {
    if count == 1 { "1 switch".to_owned() } else { format!("{count} switches") }
}

/// The front of each device, where there is room for all of them with a head and a free row each.
fn plates(width: u16, each: u16, devices: &[&Arc<DeviceView>]) -> Option<Vec<Laid>> {
    if each < LOWEST {
        return None;
    }
    let lay = |device: &&Arc<DeviceView>| {
        let laid = Faceplate::new(device).lay(width.saturating_sub(INDENT + 1), each - 2, each - 2, &|_| false);
        (!matches!(laid.form, Form::Counts | Form::Short)).then_some(laid)
    };
    devices.iter().map(lay).collect()
}

/// How many of its ports are up; of old news nobody knows.
fn count(device: &DeviceView, old: bool) -> String {
    let up = if old { "?".to_owned() } else { device.up.to_string() };
    format!("{up}/{} up", device.ports.len())
}

/// The head of a device: how it stands, what it says of itself, what goes through it.
fn draw_plate(wall: &Wall, frame: &mut Frame<'_>, area: Rect, device: &DeviceView, laid: &Laid) {
    let look = &wall.look;
    let dim = look.style(Meaning::Dim);
    let (standing, old) = (wall.parts.standing(device), wall.parts.is_old(device));
    let (glyph, style) = look.condition(standing, old);
    let words = look.words(standing, old);
    let mut row = Row::new(frame.buffer, look, area, area.y);
    row.gap(1).put(glyph, style).gap(1);
    row.end(" ", dim).end(&count(device, old), dim).end("  ", dim);
    let sum = |rate: fn(&PortView) -> Option<f64>| device.ports.iter().filter_map(rate).reduce(|a, b| a + b);
    // What went through it when it was last heard does not go through it now.
    let rates = (sum(|port| port.rates.in_bps()), sum(|port| port.rates.out_bps()));
    if let (false, (Some(received), Some(sent))) = (old, rates) {
        let flow = format!("in {:>5} out {:>5}", units::bit_rate(received), units::bit_rate(sent));
        row.end(&flow, dim).end("  ", dim);
    }
    row.put(&device.host.name, words).gap(2);
    let worst = device.firm_findings().next().map(|finding| finding.words.to_string());
    row.put(&worst.unwrap_or_else(|| device.table.device.description.line()), dim);
    let inner = Rect { x: area.x + INDENT, width: area.width.saturating_sub(INDENT), ..area };
    let first = area.y + 1;
    for (x, y, label) in &laid.labels {
        let place = Rect { x: inner.x + x, width: inner.width.saturating_sub(*x), ..inner };
        Row::new(frame.buffer, look, place, first + y).put(label, dim);
    }
    for (x, y, row) in &laid.cells {
        let Some(port) = device.ports.get(*row) else { continue };
        let (glyph, style) = look.port(port, old);
        let place = Rect { x: inner.x + x, width: 1, ..inner };
        Row::new(frame.buffer, look, place, first + y).put(glyph, style);
    }
}

fn draw_device(wall: &Wall, frame: &mut Frame<'_>, area: Rect, y: u16, device: &DeviceView, name: usize) {
    let look = &wall.look;
    let dim = look.style(Meaning::Dim);
    let (standing, old) = (wall.parts.standing(device), wall.parts.is_old(device));
    let (glyph, style) = look.condition(standing, old);
    let words = look.words(standing, old);
    let mut row = Row::new(frame.buffer, look, area, y);
    row.gap(1).put(glyph, style).gap(1);
    row.end(" ", dim).end(&count(device, old), dim).end("  ", dim);
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
            let (glyph, style) = look.port(port, old);
            row.put(glyph, style);
        }
    }
}
