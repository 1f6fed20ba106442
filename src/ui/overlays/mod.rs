//! The overlay stack: the top one gets keys first. Each is a value; what it shows is read from the app when drawn.

mod beyond;
mod bulk;
mod columns;
mod detail;
pub mod editor;
mod form;
pub mod help;
mod palette;
mod prompt;
mod reading;
mod sort;
mod themes;
mod views;

use std::ops::Range;

use ratatui::layout::Rect;

use super::app::App;
use super::app::marks::Step;
use super::canvas::Row;
use super::chrome::boxed;
use super::columns::Column;
use super::frame::Frame;
use super::panes::{PaneKind, Selected};
use super::run::Exit;
use super::runbook::Paper;
use super::sorting::By;
use super::tour::World;
use crate::base::text;
use crate::bus::Ticket;
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::model::{AssetId, EntryKind, IncidentId, PortKey, Prompt, PromptId, Scope, SessionId, Target};

pub use detail::packages::{Packages, can_be_asked};
use reading::scroll_key;
pub use reading::{Line, draw_side, is_at_side, text_area, whole_text};

#[derive(Debug)]
pub enum Overlay {
    Detail {
        selected: Selected,
        scroll: usize,
    },
    /// Two machines side by side.
    Compare {
        pair: [AssetId; 2],
        packages: Packages,
        scroll: usize,
    },
    Help(help::Help),
    /// A runbook, or the handover note.
    Paper(Paper),
    Palette(palette::Palette),
    Columns(columns::Picker),
    Sort(sort::Picker),
    Themes(themes::Picker),
    Views(views::Picker),
    Beyond(beyond::Beyond),
    Editor(editor::Editor),
    Opening(editor::Opening),
    Form(form::Form),
    Bulk(bulk::Bulk),
    Question(prompt::Question),
    /// Whether a session that runs is to be ended.
    EndSession {
        id: SessionId,
        host: String,
    },
    Quit,
}

/// What becomes of the top overlay after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    Keep,
    Close,
}

impl Overlay {
    /// Something to read over the screen, with nothing typed in it and no question open.
    pub fn is_read(&self) -> bool {
        matches!(self, Self::Detail { .. } | Self::Compare { .. } | Self::Help(_) | Self::Paper(_))
    }

    pub fn views() -> Self {
        Self::Views(views::Picker::default())
    }

    pub fn themes(app: &App) -> Self {
        Self::Themes(themes::Picker::new(app))
    }

    pub fn detail(selected: Selected) -> Self {
        Self::Detail { selected, scroll: 0 }
    }

    pub fn help() -> Self {
        Self::Help(help::Help::default())
    }

    pub fn question(id: PromptId, prompt: Prompt) -> Self {
        Self::Question(prompt::Question::new(id, prompt))
    }

    pub fn palette() -> Self {
        Self::Palette(palette::Palette::default())
    }

    pub fn columns(column: Column) -> Self {
        Self::Columns(columns::Picker::at(column))
    }

    pub fn sort(kind: PaneKind, by: By) -> Self {
        Self::Sort(sort::Picker::new(kind, by))
    }

    pub fn beyond(asset: AssetId, port: PortKey) -> Self {
        Self::Beyond(beyond::Beyond::new(asset, port))
    }

    pub fn editor(incident: IncidentId, kind: EntryKind, about: Option<String>) -> Self {
        Self::Editor(editor::Editor::new(incident, kind, about))
    }

    /// Taking a problem on, or handing it over.
    pub fn claim(app: &App, target: Target) -> Self {
        Self::Form(form::Form::claim(app, target))
    }

    pub fn maintain(app: &App, asset: &AssetId) -> Self {
        Self::Form(form::Form::maintain(app, asset))
    }

    /// Taking on all that is marked and can be.
    pub fn claim_all(targets: Vec<Target>, not: Vec<String>, note: &str) -> Self {
        Self::Form(form::Form::claim_all(targets, not, note))
    }

    pub fn maintain_scope(scope: Scope, words: &str) -> Self {
        Self::Form(form::Form::maintain_scope(scope, words))
    }

    pub fn maintain_all(assets: Vec<AssetId>) -> Self {
        Self::Form(form::Form::maintain_all(assets))
    }

    /// Stopping all polling.
    pub fn pause(app: &App) -> Self {
        Self::Form(form::Form::pause(app))
    }

    pub fn bulk(what: &'static str, steps: Vec<Step>, not: Vec<String>) -> Self {
        Self::Bulk(bulk::Bulk::new(what, steps, not))
    }

    pub fn open_incident(title: &str) -> Self {
        Self::Opening(editor::Opening::new(title))
    }
}

/// Gives a key to the top overlay.
pub fn key(app: &mut App, key: Key) -> Reaction {
    let cancelled = key == Key::ctrl('c');
    // Taken out while it works on the app, and put back unless it is done.
    let Some(mut overlay) = app.overlays.pop() else { return Reaction::Keep };
    let depth = app.overlays.len();
    let reaction = match &mut overlay {
        Overlay::Help(help) => {
            if find_key(help, key) {
                Reaction::Keep
            } else {
                scroll_key(app, &mut overlay, key)
            }
        }
        Overlay::Detail { .. } | Overlay::Compare { .. } | Overlay::Paper(_) => scroll_key(app, &mut overlay, key),
        Overlay::Palette(palette) => palette::key(app, palette, key),
        Overlay::Columns(picker) => columns::key(app, picker, key),
        Overlay::Sort(picker) => sort::key(app, picker, key),
        Overlay::Themes(picker) => themes::key(app, picker, key),
        Overlay::Views(picker) => views::key(app, picker, key),
        Overlay::Beyond(beyond) => beyond::key(app, beyond, key),
        Overlay::Editor(editor) => editor::key(app, editor, key),
        Overlay::Opening(opening) => editor::opening_key(app, opening, key),
        Overlay::Form(form) => form::key(app, form, key),
        Overlay::Bulk(bulk) => bulk::key(app, bulk, key),
        Overlay::Question(question) => prompt::key(app, question, key),
        Overlay::EndSession { id, .. } => end_key(app, *id, key),
        Overlay::Quit => quit_key(app, key),
    };
    let text_at_risk = matches!(&overlay, Overlay::Editor(e) if e.holds_text());
    if reaction == Reaction::Keep && (text_at_risk || !cancelled) {
        app.overlays.insert(depth.min(app.overlays.len()), overlay);
    }
    Reaction::Keep
}

/// What is looked for in the help; true where the key was for that.
fn find_key(help: &mut help::Help, key: Key) -> bool {
    match key.code {
        KeyCode::Char('/') if !help.asking => help.asking = true,
        KeyCode::Escape if help.asking || !help.find.text().is_empty() => {
            *help = help::Help::default();
        }
        KeyCode::Enter if help.asking => help.asking = false,
        KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown => return false,
        _ if help.asking && key != Key::ctrl('c') => {
            help.find.key(key);
            help.scroll = 0;
        }
        _ => return false,
    }
    true
}

fn quit_key(app: &mut App, key: Key) -> Reaction {
    match key.code {
        KeyCode::Char('y' | 'q') | KeyCode::Enter => {
            app.set_exit(Exit::Quit);
            Reaction::Close
        }
        KeyCode::Char('n') | KeyCode::Escape => Reaction::Close,
        _ => Reaction::Keep,
    }
}

fn end_key(app: &mut App, id: SessionId, key: Key) -> Reaction {
    match key.code {
        KeyCode::Char('y' | 'x') | KeyCode::Enter => {
            app.close_session_of(id);
            Reaction::Close
        }
        KeyCode::Char('n') | KeyCode::Escape => Reaction::Close,
        _ => Reaction::Keep,
    }
}

/// Pasted text goes to what is typed into.
pub fn paste(app: &mut App, pasted: &str) {
    match app.overlays.last_mut() {
        Some(Overlay::Editor(editor)) => editor.paste(pasted),
        Some(Overlay::Opening(opening)) => opening.title.insert(&text::clean(pasted)),
        Some(Overlay::Form(form)) => form.paste(pasted),
        Some(Overlay::Question(question)) => question.paste(pasted),
        Some(Overlay::Palette(palette)) => palette.line.insert(&text::clean(pasted)),
        Some(Overlay::Help(help)) if help.asking => help.find.insert(&text::clean(pasted)),
        _ => {}
    }
}

/// Texts of notes that nobody was told are saved, for whoever ends the console.
pub fn unsaved(app: &App) -> Vec<String> {
    let shown = app.overlays.iter().filter_map(|overlay| match overlay {
        Overlay::Editor(editor) => Some(editor),
        _ => None,
    });
    app.sent.iter().chain(shown).map(editor::Editor::text).filter(|text| !text.is_empty()).collect()
}

/// What became of comparing the packages of two machines that stand side by side; false where nobody waits for it.
pub fn compared(app: &mut App, ticket: Ticket, told: impl FnOnce() -> Packages) -> bool {
    let waiting = app.overlays.iter_mut().find_map(|overlay| match overlay {
        Overlay::Compare { packages, .. } if packages.waits_for(ticket) => Some(packages),
        _ => None,
    });
    let Some(packages) = waiting else { return false };
    *packages = told();
    true
}

/// An entry is on disk: its editor has done its work.
pub fn saved(app: &mut App, ticket: Ticket) {
    app.sent.retain(|editor| !editor.waits_for(ticket));
    app.overlays.retain(|o| {
        !matches!(o, Overlay::Editor(e) if e.waits_for(ticket))
            && !matches!(o, Overlay::Opening(e) if e.waiting == Some(ticket))
            && !matches!(o, Overlay::Form(f) if f.waiting == Some(ticket))
    });
}

/// An entry is not on disk: its editor keeps the text and says why.
pub fn not_saved(app: &mut App, ticket: Ticket, reason: &str) {
    if let Some(at) = app.sent.iter().position(|editor| editor.waits_for(ticket)) {
        let editor = app.sent.remove(at);
        if editor.holds_text() {
            app.overlays.push(Overlay::Editor(editor));
        }
    }
    for overlay in &mut app.overlays {
        match overlay {
            Overlay::Editor(editor) if editor.waits_for(ticket) => editor.failed(reason),
            Overlay::Opening(opening) if opening.waiting == Some(ticket) => {
                opening.waiting = None;
                opening.failure = Some(reason.to_owned());
            }
            Overlay::Form(form) if form.waiting == Some(ticket) => {
                form.refused(reason);
            }
            _ => {}
        }
    }
}

/// Draws the stack; the rows that the top one covers.
pub fn draw(app: &App, frame: &mut Frame<'_>) -> Option<Range<u16>> {
    let mut covered = None;
    for overlay in &app.overlays {
        let area = match overlay {
            Overlay::Detail { scroll, .. }
            | Overlay::Compare { scroll, .. }
            | Overlay::Help(help::Help { scroll, .. })
            | Overlay::Paper(Paper { scroll, .. }) => reading::draw(app, frame, overlay, *scroll),
            Overlay::Palette(palette) => palette::draw(app, frame, palette),
            Overlay::Columns(picker) => columns::draw(app, frame, picker),
            Overlay::Sort(picker) => sort::draw(app, frame, picker),
            Overlay::Themes(picker) => themes::draw(app, frame, picker),
            Overlay::Views(picker) => views::draw(app, frame, picker),
            Overlay::Beyond(beyond) => beyond::draw(app, frame, beyond),
            Overlay::Editor(editor) => editor::draw(app, frame, editor),
            Overlay::Question(question) => prompt::draw(app, frame, question),
            Overlay::Opening(opening) => editor::draw_opening(app, frame, opening),
            Overlay::Form(form) => form::draw(app, frame, form),
            Overlay::Bulk(bulk) => bulk::draw(app, frame, bulk),
            Overlay::EndSession { host, .. } => {
                ask(app, frame, &format!("End the session with {host}?"), "end it", "keep it")
            }
            Overlay::Quit if app.world == World::Tour => {
                ask(app, frame, "Leave the tour? Your own console is as you left it", "leave the tour", "stay")
            }
            Overlay::Quit => {
                let open = app.sessions.iter().filter(|pane| !pane.is_over()).count();
                let title = match open {
                    0 => "Leave noctty?".to_owned(),
                    1 => "Leave noctty? A session ends with it".to_owned(),
                    n => format!("Leave noctty? {n} sessions end with it"),
                };
                ask(app, frame, &title, "leave", "stay")
            }
        };
        covered = Some(area.y..area.bottom());
    }
    covered
}

/// A box with a question that `y` or `n` answers.
fn ask(app: &App, frame: &mut Frame<'_>, title: &str, yes: &str, no: &str) -> Rect {
    let title = text::clean(title);
    let area = centred(frame.area, (text::width(&title) as u16 + 8).max(44), 3);
    let inner = boxed(app, frame, area, &title);
    let (keys, words) = (app.look.style(Meaning::Key), app.look.style(Meaning::Text));
    let mut row = Row::new(frame.buffer, &app.look, inner, inner.y);
    row.put("y", keys).put(&format!(" {yes}   "), words).put("n", keys).put(&format!(" {no}"), words);
    area
}

/// What a box says at its foot, in lines of whole parts where these have room: `Enter saves · Esc leaves`.
fn by_parts(words: &str, columns: usize) -> Vec<String> {
    const BETWEEN: &str = " · ";
    let mut lines: Vec<String> = Vec::new();
    for part in words.split(BETWEEN) {
        match lines.last_mut() {
            Some(line) if text::width(line) + text::width(BETWEEN) + text::width(part) <= columns => {
                line.push_str(BETWEEN);
                line.push_str(part);
            }
            _ => lines.push(part.to_owned()),
        }
    }
    lines.iter().flat_map(|line| text::wrap(&text::clean(line), columns)).collect()
}

/// An area of that size in the middle, as far as there is room.
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height)
}
