//! The columns of the port table: which are shown, and what it is sorted by. What is chosen holds until the console ends.

use ratatui::layout::Rect;

use super::{Reaction, boxed, centred};
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::ui::app::App;
use crate::ui::canvas::{self, Row};
use crate::ui::columns::Column;
use crate::ui::frame::Frame;
use crate::ui::panes::PaneKind;

#[derive(Debug, Default)]
pub struct Picker {
    selected: usize,
}

impl Picker {
    pub fn at(column: Column) -> Self {
        Self { selected: Column::ALL.iter().position(|(c, ..)| *c == column).unwrap_or(0) }
    }
}

pub fn key(app: &mut App, picker: &mut Picker, key: Key) -> Reaction {
    let (column, ..) = Column::ALL[picker.selected.min(Column::ALL.len() - 1)];
    let last = Column::ALL.len() - 1;
    match key.code {
        KeyCode::Escape | KeyCode::Char('q') => return Reaction::Close,
        KeyCode::Down | KeyCode::Char('j') => picker.selected = (picker.selected + 1).min(last),
        KeyCode::Up | KeyCode::Char('k') => picker.selected = picker.selected.saturating_sub(1),
        KeyCode::Home => picker.selected = 0,
        KeyCode::End => picker.selected = last,
        KeyCode::Char(' ') => app.columns.toggle(column),
        KeyCode::Enter | KeyCode::Char('s') => {
            app.columns.sort_by(column);
            app.sorted(PaneKind::Ports);
        }
        KeyCode::Char('r') => {
            app.columns = crate::ui::columns::Choice::default();
            app.sorted(PaneKind::Ports);
        }
        _ => {}
    }
    Reaction::Keep
}

pub fn draw(app: &App, frame: &mut Frame<'_>, picker: &Picker) -> Rect {
    let width = frame.area.width.saturating_sub(4).min(84);
    let area = centred(frame.area, width, Column::ALL.len() as u16 + 3);
    let inner = boxed(app, frame, area, "Columns of the port table");
    let (text, dim) = (app.look.style(Meaning::Text), app.look.style(Meaning::Dim));
    let accent = app.look.style(Meaning::Accent);
    let room = usize::from(inner.height.saturating_sub(1));
    let top = (picker.selected + 1).saturating_sub(room);
    for (offset, (at, (column, name, _, what))) in Column::ALL.iter().enumerate().skip(top).take(room).enumerate() {
        let y = inner.y + offset as u16;
        let shown = !app.columns.hidden.contains(column);
        let mark = match (column.is_fixed(), shown) {
            (true, _) => "always",
            (false, true) => "[x]",
            (false, false) => "[ ]",
        };
        let sort = app.columns.sort;
        let order = match (sort.column == *column, sort.reversed) {
            (false, _) => "",
            (true, false) => "sorted",
            (true, true) => "reversed",
        };
        let mut row = Row::new(frame.buffer, &app.look, inner, y);
        row.cell(mark, 7, if shown { text } else { dim });
        row.cell(name, 10, if shown { text } else { dim });
        row.cell(order, 9, accent).put(what, dim);
        if at == picker.selected {
            canvas::paint(frame.buffer, inner, y, app.look.style(Meaning::Selected));
        }
    }
    let y = inner.bottom().saturating_sub(1);
    let hint = match inner.width {
        0..78 => "Space shows, hides · Enter sorts · r resets",
        _ => "Space shows or hides · Enter sorts, again reverses · r as shipped · Esc closes",
    };
    Row::new(frame.buffer, &app.look, inner, y).put(hint, dim);
    area
}
