//! The views to choose from, and what each holds.

use ratatui::layout::Rect;

use super::{Reaction, boxed, centred};
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::ui::app::App;
use crate::ui::canvas::{self, Row};
use crate::ui::frame::Frame;

#[derive(Debug, Default)]
pub struct Picker {
    selected: usize,
    /// The same key once more deletes it.
    asked: bool,
}

pub fn key(app: &mut App, picker: &mut Picker, key: Key) -> Reaction {
    let last = app.views.all().len().saturating_sub(1);
    let chosen = app.views.all().get(picker.selected).map(|view| view.name.clone());
    let asked = std::mem::take(&mut picker.asked);
    match (key.code, chosen) {
        (KeyCode::Escape | KeyCode::Char('q'), _) => return Reaction::Close,
        (KeyCode::Down | KeyCode::Char('j'), _) => picker.selected = (picker.selected + 1).min(last),
        (KeyCode::Up | KeyCode::Char('k'), _) => picker.selected = picker.selected.saturating_sub(1),
        (KeyCode::Home, _) => picker.selected = 0,
        (KeyCode::End, _) => picker.selected = last,
        (KeyCode::Enter, Some(name)) => {
            app.open_view(&name);
            return Reaction::Close;
        }
        // What is in a configuration is not deleted, and the console says so at once.
        (KeyCode::Char('x'), Some(name)) if !asked && app.views.named(&name).is_some_and(|v| v.place.is_none()) => {
            picker.asked = true;
        }
        (KeyCode::Char('x'), Some(name)) => {
            app.delete_view(&name);
            picker.selected = picker.selected.min(app.views.all().len().saturating_sub(1));
            if app.views.all().is_empty() {
                return Reaction::Close;
            }
        }
        _ => {}
    }
    Reaction::Keep
}

pub fn draw(app: &App, frame: &mut Frame<'_>, picker: &Picker) -> Rect {
    let all = app.views.all();
    let width = frame.area.width.saturating_sub(4).min(90);
    let area = centred(frame.area, width, all.len() as u16 + 3);
    let inner = boxed(app, frame, area, "Views");
    let (text, dim) = (app.look.style(Meaning::Text), app.look.style(Meaning::Dim));
    let names = all.iter().map(|view| crate::base::text::width(&view.name)).max().unwrap_or(0);
    let room = usize::from(inner.height.saturating_sub(1));
    let top = (picker.selected + 1).saturating_sub(room);
    for (offset, (at, view)) in all.iter().enumerate().skip(top).take(room).enumerate() {
        let y = inner.y + offset as u16;
        let mut row = Row::new(frame.buffer, &app.look, inner, y);
        if view.place.is_some() {
            row.end("configured", dim).end(" ", dim);
        }
        row.cell(&view.name, names.min(24) + 2, text).put(&view.words(app.look.separator()), dim);
        if at == picker.selected {
            canvas::paint(frame.buffer, inner, y, app.look.style(Meaning::Selected));
        }
    }
    let y = inner.bottom().saturating_sub(1);
    let mut row = Row::new(frame.buffer, &app.look, inner, y);
    match all.get(picker.selected).filter(|_| picker.asked) {
        Some(view) => {
            let words = format!("x again deletes {}; any other key keeps it", view.name);
            row.put(&words, app.look.style(Meaning::Warning));
        }
        None => {
            row.put("Enter opens · x deletes one of your own · Esc closes", dim);
        }
    }
    area
}
