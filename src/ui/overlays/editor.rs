//! Writing: a note to an incident, and the opening of one. The text stays here until it is on disk.

use ratatui::layout::{Position, Rect};

use super::{Reaction, boxed, by_parts, centred};
use crate::base::text;
use crate::bus::{Command, MessageWeight, Ticket};
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::model::{EntryKind, IncidentId, Role, Urgency};
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;
use crate::ui::line::Line;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Writing,
    Saving(Ticket),
    Failed(String),
}

#[derive(Debug)]
pub struct Editor {
    incident: IncidentId,
    kind: EntryKind,
    about: Option<String>,
    lines: Vec<Line>,
    stage: Stage,
    /// Esc was pressed once with a text that is not saved.
    leaving: bool,
}

impl Editor {
    pub fn new(incident: IncidentId, kind: EntryKind, about: Option<String>) -> Self {
        Self { incident, kind, about, lines: vec![Line::default()], stage: Stage::Writing, leaving: false }
    }

    pub fn waits_for(&self, ticket: Ticket) -> bool {
        self.stage == Stage::Saving(ticket)
    }

    pub fn holds_text(&self) -> bool {
        self.lines.iter().any(|l| !l.text().is_empty())
    }

    pub fn failed(&mut self, reason: &str) {
        self.stage = Stage::Failed(reason.to_owned());
    }

    /// A text that was written elsewhere and is on its way.
    pub fn sent(incident: IncidentId, kind: EntryKind, text: &str, about: Option<String>, ticket: Ticket) -> Self {
        let mut editor = Self::new(incident, kind, about);
        editor.paste(text);
        editor.stage = Stage::Saving(ticket);
        editor
    }

    pub fn paste(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        for (i, line) in text.split('\n').enumerate() {
            if i > 0 {
                self.lines.push(Line::default());
            }
            if let Some(last) = self.lines.last_mut() {
                last.insert(&text::clean(line));
            }
        }
    }

    pub fn text(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(Line::text).collect();
        lines.join("\n").trim().to_owned()
    }
}

pub fn key(app: &mut App, editor: &mut Editor, key: Key) -> Reaction {
    let leaving = std::mem::take(&mut editor.leaving);
    if matches!(editor.stage, Stage::Saving(_)) {
        return Reaction::Keep;
    }
    match key.code {
        KeyCode::Escape if leaving || !editor.holds_text() => return Reaction::Close,
        KeyCode::Escape => editor.leaving = true,
        KeyCode::Enter if key.alt => editor.lines.push(Line::default()),
        KeyCode::Enter => {
            let text = editor.text();
            if text.is_empty() {
                return Reaction::Close;
            }
            if let Some(ticket) = app.append(editor.incident, editor.kind, &text, editor.about.clone()) {
                editor.stage = Stage::Saving(ticket);
            }
        }
        KeyCode::Backspace if editor.lines.len() > 1 && editor.lines.last().is_some_and(|l| l.text().is_empty()) => {
            editor.lines.pop();
        }
        _ => {
            if let Some(line) = editor.lines.last_mut() {
                line.key(key);
            }
        }
    }
    Reaction::Keep
}

pub fn draw(app: &App, frame: &mut Frame<'_>, editor: &Editor) -> Rect {
    let width = frame.area.width.saturating_sub(4).min(100);
    let (meaning, words) = hint(app, editor);
    let words = by_parts(&words, usize::from(width.saturating_sub(4)).max(1));
    let columns = usize::from(width.saturating_sub(4)).max(1);
    let mut rows: Vec<String> = Vec::new();
    let mut cursor = (0, 0);
    for line in &editor.lines {
        // One column is the cursor's, behind the last letter.
        let (folded, at) = line.folded(columns.saturating_sub(1).max(1));
        cursor = (rows.len() + at.0, at.1);
        rows.extend(folded);
    }
    // Half the screen is for what is written about: what stands behind it goes on being seen.
    let most = usize::from(frame.area.height / 2).max(3);
    let area = centred(frame.area, width, (rows.len().min(most) + words.len()) as u16 + 3);
    let title = format!("{} for {}", editor.kind.as_str(), editor.incident);
    let inner = boxed(app, frame, area, &title);
    let room = usize::from(inner.height).saturating_sub(words.len() + 1).max(1);
    // The end is where one types; a cursor that was moved up stays in sight.
    let first = rows.len().saturating_sub(room).min(cursor.0);
    for (offset, row) in rows.iter().skip(first).take(room).enumerate() {
        Row::new(frame.buffer, &app.look, inner, inner.y + offset as u16).put(row, app.look.style(Meaning::Text));
    }
    if first > 0 {
        let dim = app.look.style(Meaning::Dim);
        Row::new(frame.buffer, &app.look, Rect { width: area.width.saturating_sub(2), ..area }, area.y)
            .end(&format!(" {first}↑ "), dim);
    }
    let x = (inner.x + cursor.1 as u16).min(inner.right().saturating_sub(1));
    frame.cursor = Some(Position::new(x, inner.y + (cursor.0 - first) as u16));
    foot(app, frame, inner, meaning, &words);
    area
}

fn hint(app: &App, editor: &Editor) -> (Meaning, String) {
    match &editor.stage {
        Stage::Saving(_) => (Meaning::Warning, "saving…".to_owned()),
        Stage::Failed(reason) => (Meaning::Critical, not_saved(app, reason)),
        Stage::Writing if editor.leaving => {
            (Meaning::Warning, "Esc again throws the text away; any other key goes on".to_owned())
        }
        Stage::Writing => {
            let about = editor.about.as_deref().map(|a| format!("about {a} · ")).unwrap_or_default();
            (Meaning::Dim, format!("{about}Enter saves · Alt+Enter new line · Esc leaves"))
        }
    }
}

fn not_saved(app: &App, reason: &str) -> String {
    // What a role does not permit it does not permit the next time either.
    let next =
        if app.permits(Role::Operate).is_ok() { "The text is kept here; Enter tries again" } else { "Esc leaves" };
    format!("NOT SAVED: {reason}. {next}")
}

/// The last lines of a box.
pub(super) fn foot(app: &App, frame: &mut Frame<'_>, inner: Rect, meaning: Meaning, words: &[String]) {
    let top = inner.bottom().saturating_sub(words.len() as u16).max(inner.y + 1);
    for (offset, line) in words.iter().enumerate() {
        Row::new(frame.buffer, &app.look, inner, top + offset as u16).put(line, app.look.style(meaning));
    }
}

/// The dialog that opens an incident.
#[derive(Debug)]
pub struct Opening {
    pub title: Line,
    urgency: usize,
    pub waiting: Option<Ticket>,
    pub failure: Option<String>,
}

impl Opening {
    pub fn new(title: &str) -> Self {
        Self { title: Line::with(title), urgency: 1, waiting: None, failure: None }
    }
}

pub fn opening_key(app: &mut App, opening: &mut Opening, key: Key) -> Reaction {
    if opening.waiting.is_some() {
        return Reaction::Keep;
    }
    match key.code {
        KeyCode::Escape => return Reaction::Close,
        KeyCode::Tab | KeyCode::Down => opening.urgency = (opening.urgency + 1) % Urgency::ALL.len(),
        KeyCode::Up => opening.urgency = (opening.urgency + Urgency::ALL.len() - 1) % Urgency::ALL.len(),
        KeyCode::Enter => {
            let title = opening.title.text().trim().to_owned();
            if title.is_empty() {
                app.say(MessageWeight::Note, "an incident needs a title");
                return Reaction::Keep;
            }
            let ticket = app.ticket();
            if app.send(Command::OpenIncident { ticket, title, urgency: Urgency::ALL[opening.urgency] }) {
                opening.waiting = Some(ticket);
            }
        }
        _ => {
            opening.title.key(key);
        }
    }
    Reaction::Keep
}

pub fn draw_opening(app: &App, frame: &mut Frame<'_>, opening: &Opening) -> Rect {
    let width = frame.area.width.saturating_sub(4).min(80);
    let (meaning, words) = match (&opening.waiting, &opening.failure) {
        (Some(_), _) => (Meaning::Warning, "saving…".to_owned()),
        (None, Some(reason)) => (Meaning::Critical, not_saved(app, reason)),
        (None, None) => (Meaning::Dim, "Tab changes the severity · Enter opens · Esc leaves".to_owned()),
    };
    let words = by_parts(&words, usize::from(width.saturating_sub(4)).max(1));
    let area = centred(frame.area, width, 5 + words.len() as u16);
    let inner = boxed(app, frame, area, "Open an incident");
    let (text_style, dim) = (app.look.style(Meaning::Text), app.look.style(Meaning::Dim));
    let (shown, at) = opening.title.window(usize::from(inner.width).saturating_sub(10), app.look.ellipsis());
    Row::new(frame.buffer, &app.look, inner, inner.y).put("title     ", dim).put(&shown, text_style);
    let mut row = Row::new(frame.buffer, &app.look, inner, inner.y + 1);
    row.put("severity  ", dim);
    for (at, urgency) in Urgency::ALL.iter().enumerate() {
        let here = at == opening.urgency;
        let style = app.look.style(if here { Meaning::Accent } else { Meaning::Dim });
        row.put(if here { "[" } else { " " }, style)
            .put(urgency.as_str(), style)
            .put(if here { "]" } else { " " }, style);
    }
    let x = 10 + at as u16;
    frame.cursor = Some(Position::new((inner.x + x).min(inner.right().saturating_sub(1)), inner.y));
    foot(app, frame, inner, meaning, &words);
    area
}
