//! The faceplate of the chosen device, above its table. The selected port is marked on it: its column by a pointer in the line
//! of numbers, itself by the style of the selection.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{left_out, port_glyph};
use crate::config::theme::Meaning;
use crate::model::Condition;
use crate::state::{DeviceView, PortState};
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::faceplate::{Form, Laid, mark};
use crate::ui::frame::Frame;
use crate::ui::port::Seen;

/// Panes that are lower than this have no room for a faceplate.
const LOWEST: u16 = 9;

/// Lines that the faceplate takes of a pane's body.
pub fn height(app: &App, body: Rect) -> u16 {
    lay(app, body).map_or(0, |laid| laid.height)
}

/// A row is left free at the left, as in the table.
fn lay(app: &App, body: Rect) -> Option<Laid> {
    let device = app.device()?;
    if body.height < LOWEST || body.width < 20 {
        return None;
    }
    // Two fifths at most, or half of it: the table is what one reads.
    let matters = |row: usize| device.ports.get(row).is_some_and(|port| port.condition.is_problem());
    Some(app.faceplate.lay(body.width - 2, body.height * 2 / 5, body.height / 2, &matters))
}

pub fn draw(app: &App, frame: &mut Frame<'_>, body: Rect) {
    let (Some(laid), Some(device)) = (lay(app, body), app.device()) else { return };
    let area = Rect { x: body.x + 1, width: body.width.saturating_sub(2), ..body };
    if laid.form == Form::Counts {
        counts(app, frame, area, device, &laid);
        return;
    }
    let dim = app.look.style(Meaning::Dim);
    let selected = app.selected_port().map(|seen| seen.row());
    let marked = laid.cells.iter().find(|(_, _, row)| Some(*row) == selected);
    // The pointer takes the place of a number that stands where it points.
    let pointed = marked.map(|(x, _, _)| *x).filter(|_| laid.header.is_some());
    let hidden = |x: u16, y: u16, label: &str| {
        laid.header == Some(y) && pointed.is_some_and(|at| (x..=x + label.len() as u16).contains(&at))
    };
    for (x, y, label) in laid.labels.iter().filter(|(x, y, label)| !hidden(*x, *y, label)) {
        let column = Rect { x: area.x + x, width: area.width.saturating_sub(*x), ..area };
        Row::new(frame.buffer, &app.look, column, area.y + y).put(label, dim);
    }
    for (x, y, row) in &laid.cells {
        let Some(seen) = Seen::at(device, *row) else { continue };
        let (glyph, style) = port_glyph(app, seen.view, app.parts.is_old(device));
        let cell = Rect { x: area.x + x, width: 1, ..area };
        Row::new(frame.buffer, &app.look, cell, area.y + y).put(glyph, style);
    }
    for (x, y, rows) in &laid.left_out {
        let place = Rect { x: area.x + x, width: area.width.saturating_sub(*x), ..area };
        let style = left_out(app, device, rows.iter().filter_map(|row| device.ports.get(*row)));
        Row::new(frame.buffer, &app.look, place, area.y + y).put(&mark(rows.len()), style);
    }
    if let Some((x, y, _)) = marked {
        let accent = app.look.style(Meaning::Accent);
        if let Some(header) = laid.header {
            let pointer = if app.look.unicode { "▾" } else { "v" };
            let cell = Rect { x: area.x + x, width: 1, ..area };
            Row::new(frame.buffer, &app.look, cell, area.y + header).put(pointer, accent);
        }
        if let Some(cell) = frame.buffer.cell_mut((area.x + x, area.y + y)) {
            cell.set_style(app.look.style(Meaning::Selected));
        }
    }
}

/// One line for what is counted together: how many are in which state, what is wrong first.
fn counts(app: &App, frame: &mut Frame<'_>, area: Rect, device: &DeviceView, laid: &Laid) {
    let width = laid.counts.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0).min(24);
    for (y, (label, rows)) in (area.y..).zip(&laid.counts) {
        let mut kinds: Vec<(&'static str, Style, (Condition, PortState), usize)> = Vec::new();
        for seen in rows.iter().filter_map(|row| Seen::at(device, *row)) {
            let (glyph, style) = port_glyph(app, seen.view, app.parts.is_old(device));
            match kinds.iter_mut().find(|(g, s, ..)| *g == glyph && *s == style) {
                Some((.., count)) => *count += 1,
                None => kinds.push((glyph, style, (seen.view.condition, seen.view.state), 1)),
            }
        }
        kinds.sort_by_key(|(.., (condition, state), _)| (!condition.is_problem(), *state));
        let mut line = Row::new(frame.buffer, &app.look, area, y);
        line.name(label, width, app.look.style(Meaning::Dim)).gap(2);
        for (glyph, style, _, count) in kinds {
            line.put(glyph, style).gap(1).put(&count.to_string(), app.look.style(Meaning::Text)).gap(2);
        }
    }
}
