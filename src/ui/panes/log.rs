//! LOG: what is not watched and why, faults, and the messages of this run.

use ratatui::layout::Rect;

use crate::bus::MessageWeight;
use crate::config::theme::Meaning;
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;

fn rows(app: &App) -> (usize, usize, usize) {
    (app.snapshot.engine.faults.len(), app.snapshot.remarks.len(), app.messages.len())
}

pub fn order(app: &App) -> Vec<usize> {
    let (faults, remarks, messages) = rows(app);
    (0..faults + remarks + messages).collect()
}

pub fn title(app: &App) -> (String, String) {
    let (faults, remarks, messages) = rows(app);
    let parts = [format!("{faults} faults"), format!("{remarks} remarks"), format!("{messages} messages")];
    ("LOG".to_owned(), parts.join(app.look.separator()))
}

pub fn draw_row(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, row: usize) {
    let (faults, remarks, _) = rows(app);
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    line.gap(1);
    if let Some(fault) = app.snapshot.engine.faults.get(row) {
        line.cell("fault", 9, app.look.style(Meaning::Critical)).put(fault, app.look.style(Meaning::Text));
    } else if let Some(remark) = app.snapshot.remarks.get(row.wrapping_sub(faults)) {
        line.cell("remark", 9, app.look.style(Meaning::Dim)).put(remark, app.look.style(Meaning::Text));
    } else if let Some((at, weight, text)) = app.messages.iter().rev().nth(row.wrapping_sub(faults + remarks)) {
        let meaning = match weight {
            MessageWeight::Note => Meaning::Dim,
            MessageWeight::Warning => Meaning::Warning,
            MessageWeight::Error => Meaning::Critical,
        };
        line.cell(&at.utc_time_of_day(), 9, app.look.style(Meaning::Dim)).put(text, app.look.style(meaning));
    }
}
