//! What a list is sorted by. What is chosen holds until the console ends, and in the next one.

use ratatui::layout::Rect;

use super::{Reaction, boxed, centred};
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::ui::app::App;
use crate::ui::canvas::{self, Row};
use crate::ui::frame::Frame;
use crate::ui::panes::PaneKind;
use crate::ui::sorting::{By, Order};

/// Columns of a column's head.
const HEAD: usize = 13;

#[derive(Debug)]
pub struct Picker {
    kind: PaneKind,
    selected: usize,
}

impl Picker {
    pub fn new(kind: PaneKind, by: By) -> Self {
        Self { kind, selected: By::of(kind).iter().position(|known| *known == by).unwrap_or(0) }
    }
}

pub fn key(app: &mut App, picker: &mut Picker, key: Key) -> Reaction {
    let all = By::of(picker.kind);
    let last = all.len().saturating_sub(1);
    match key.code {
        KeyCode::Escape | KeyCode::Char('q') => return Reaction::Close,
        KeyCode::Down | KeyCode::Char('j') => picker.selected = (picker.selected + 1).min(last),
        KeyCode::Up | KeyCode::Char('k') => picker.selected = picker.selected.saturating_sub(1),
        KeyCode::Home => picker.selected = 0,
        KeyCode::End => picker.selected = last,
        KeyCode::Enter | KeyCode::Char('s') => {
            if let Some(by) = all.get(picker.selected) {
                app.sort_list(picker.kind, *by);
            }
        }
        KeyCode::Char('r') => app.sort_list_as_shipped(picker.kind),
        _ => {}
    }
    Reaction::Keep
}

pub fn draw(app: &App, frame: &mut Frame<'_>, picker: &Picker) -> Rect {
    let all = By::of(picker.kind);
    let width = frame.area.width.saturating_sub(4).min(66);
    let area = centred(frame.area, width, all.len() as u16 + 3);
    let title = match picker.kind {
        PaneKind::Hosts => "Sort the hosts by",
        PaneKind::Backups => "Sort the backups by",
        PaneKind::Incident => "Sort the incident's entries by",
        PaneKind::Log => "Sort the log by",
        PaneKind::Devices => "Sort the devices by",
        _ => "Sort the problems by",
    };
    let inner = boxed(app, frame, area, title);
    let (text, dim) = (app.look.style(Meaning::Text), app.look.style(Meaning::Dim));
    let order = app.order_of(picker.kind);
    let room = usize::from(inner.height.saturating_sub(1));
    let top = (picker.selected + 1).saturating_sub(room);
    for (offset, (at, by)) in all.iter().enumerate().skip(top).take(room).enumerate() {
        let y = inner.y + offset as u16;
        let mark = if order.by == *by { app.look.sorted(order.descends()) } else { "" };
        let way = if order.by == *by && order.reversed { ", reversed" } else { "" };
        let mut row = Row::new(frame.buffer, &app.look, inner, y);
        row.cell(mark, 2, app.look.style(Meaning::Accent)).cell(by.head(picker.kind), HEAD, text);
        row.put(by.what(), dim).put(way, dim);
        if at == picker.selected {
            canvas::paint(frame.buffer, inner, y, app.look.style(Meaning::Selected));
        }
    }
    let y = inner.bottom().saturating_sub(1);
    let separator = app.look.separator();
    let shipped = Order::shipped(picker.kind).by.what();
    let hint = format!("Enter sorts, again reverses{separator}r {shipped}{separator}Esc closes");
    let hint = canvas::fit_parts(&app.look, &hint, usize::from(inner.width));
    Row::new(frame.buffer, &app.look, inner, y).put(&hint, dim);
    area
}
