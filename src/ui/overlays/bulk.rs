//! Asks before something is done to all that is marked: to how many, to which first, and to which not.

use ratatui::layout::Rect;

use super::{Reaction, boxed, centred};
use crate::base::text;
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::ui::app::App;
use crate::ui::app::marks::{Step, some};
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;

#[derive(Debug)]
pub struct Bulk {
    what: &'static str,
    steps: Vec<Step>,
    not: Vec<String>,
}

impl Bulk {
    pub fn new(what: &'static str, steps: Vec<Step>, not: Vec<String>) -> Self {
        Self { what, steps, not }
    }
}

pub fn key(app: &mut App, bulk: &mut Bulk, key: Key) -> Reaction {
    match key.code {
        KeyCode::Enter | KeyCode::Char('y') if app.is_at_work() => Reaction::Keep,
        KeyCode::Enter | KeyCode::Char('y') => {
            app.begin_work(bulk.what, std::mem::take(&mut bulk.steps), std::mem::take(&mut bulk.not));
            Reaction::Close
        }
        KeyCode::Escape | KeyCode::Char('n' | 'q') => Reaction::Close,
        _ => Reaction::Keep,
    }
}

pub fn draw(app: &App, frame: &mut Frame<'_>, bulk: &Bulk) -> Rect {
    let width = frame.area.width.saturating_sub(4).min(70);
    let columns = usize::from(width.saturating_sub(4)).max(1);
    let names: Vec<String> = bulk.steps.iter().map(|(name, ..)| name.clone()).collect();
    let mut lines: Vec<(Meaning, String)> =
        text::wrap(&text::clean(&some(&names)), columns).into_iter().map(|line| (Meaning::Text, line)).collect();
    if !bulk.not.is_empty() {
        let not = format!("not {}", some(&bulk.not));
        lines.extend(text::wrap(&text::clean(&not), columns).into_iter().map(|line| (Meaning::Warning, line)));
    }
    lines.push((Meaning::Text, String::new()));
    lines.push((Meaning::Dim, "y or Enter does it · n or Esc leaves".to_owned()));
    let area = centred(frame.area, width, lines.len() as u16 + 2);
    let title = format!("{} to be {}?", bulk.steps.len(), bulk.what);
    let inner = boxed(app, frame, area, &title);
    for (offset, (meaning, line)) in lines.iter().enumerate() {
        Row::new(frame.buffer, &app.look, inner, inner.y + offset as u16).put(line, app.look.style(*meaning));
    }
    area
}
