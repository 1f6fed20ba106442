//! The overlay stack: the top one gets keys first. Each is a value; what it shows is read from the app when drawn.

mod beyond;
mod bulk;
mod columns;
mod detail;
pub mod editor;
mod form;
mod help;
mod palette;
mod prompt;
mod sort;
mod views;

use std::ops::Range;

use ratatui::layout::Rect;

use super::app::App;
use super::app::marks::Step;
use super::canvas::{Row, rule};
use super::chrome::boxed;
use super::columns::Column;
use super::frame::Frame;
use super::panes::{PaneKind, Selected};
use super::run::Exit;
use super::sorting::By;
use super::tour::World;
use crate::base::{Timestamp, text};
use crate::bus::{Command, Ticket};
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::model::{AssetId, EntryKind, IncidentId, PortKey, Prompt, PromptId, Scope, SessionId, Target};
use crate::state::Link;

#[derive(Debug)]
pub enum Overlay {
    Detail {
        selected: Selected,
        scroll: usize,
    },
    /// Two machines side by side.
    Compare {
        pair: [AssetId; 2],
        scroll: usize,
    },
    Help(help::Help),
    Palette(palette::Palette),
    Columns(columns::Picker),
    Sort(sort::Picker),
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
    /// Before all polling stops.
    Pause,
}

/// What becomes of the top overlay after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    Keep,
    Close,
}

impl Overlay {
    pub fn views() -> Self {
        Self::Views(views::Picker::default())
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
        Overlay::Detail { .. } | Overlay::Compare { .. } => scroll_key(app, &mut overlay, key),
        Overlay::Palette(palette) => palette::key(app, palette, key),
        Overlay::Columns(picker) => columns::key(app, picker, key),
        Overlay::Sort(picker) => sort::key(app, picker, key),
        Overlay::Views(picker) => views::key(app, picker, key),
        Overlay::Beyond(beyond) => beyond::key(app, beyond, key),
        Overlay::Editor(editor) => editor::key(app, editor, key),
        Overlay::Opening(opening) => editor::opening_key(app, opening, key),
        Overlay::Form(form) => form::key(app, form, key),
        Overlay::Bulk(bulk) => bulk::key(app, bulk, key),
        Overlay::Question(question) => prompt::key(app, question, key),
        Overlay::EndSession { id, .. } => end_key(app, *id, key),
        Overlay::Quit => quit_key(app, key),
        Overlay::Pause => pause_key(app, key),
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

/// Through a text that is longer than its box, and never beyond its end.
fn scroll_key(app: &App, overlay: &mut Overlay, key: Key) -> Reaction {
    let (columns, rows) = app.size();
    let screen = Rect::new(0, 0, columns, rows);
    let lines = text_of(app, overlay, app.now()).map_or(0, |(_, lines)| lines_in(&lines, screen).len());
    let room = usize::from(box_of(lines, screen).height.saturating_sub(2));
    let (Overlay::Detail { scroll, .. } | Overlay::Compare { scroll, .. } | Overlay::Help(help::Help { scroll, .. })) =
        overlay
    else {
        return Reaction::Keep;
    };
    *scroll = match key.code {
        KeyCode::Escape | KeyCode::Enter | KeyCode::Char('q' | '?') => return Reaction::Close,
        KeyCode::Char('d') if key.ctrl => *scroll + room / 2,
        KeyCode::Char('u') if key.ctrl => scroll.saturating_sub(room / 2),
        KeyCode::Char('j') | KeyCode::Down => *scroll + 1,
        KeyCode::Char('k') | KeyCode::Up => scroll.saturating_sub(1),
        KeyCode::PageDown | KeyCode::Char(' ') => *scroll + room.max(1),
        KeyCode::PageUp => scroll.saturating_sub(room.max(1)),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => lines,
        _ => *scroll,
    };
    *scroll = (*scroll).min(lines.saturating_sub(room));
    Reaction::Keep
}

/// Where the text stands that is read on top of all.
pub fn text_area(app: &App) -> Option<Rect> {
    let (columns, rows) = app.size();
    let screen = Rect::new(0, 0, columns, rows);
    let (_, lines) = text_of(app, app.overlays.last()?, app.now())?;
    Some(box_of(lines_in(&lines, screen).len(), screen))
}

/// The title and the text of an overlay that is read.
fn text_of(app: &App, overlay: &Overlay, now: Timestamp) -> Option<(String, Vec<Line>)> {
    match overlay {
        Overlay::Detail { selected, .. } => Some((detail::title(app, selected), detail::lines(app, now, selected))),
        Overlay::Compare { pair, .. } => {
            Some((detail::compare::title(app, pair), detail::compare::lines(app, pair, text_columns(app))))
        }
        Overlay::Help(help) => Some((help::title(help), help::lines(app, help))),
        _ => None,
    }
}

fn pause_key(app: &mut App, key: Key) -> Reaction {
    match key.code {
        KeyCode::Char('y') | KeyCode::Enter => {
            app.send(Command::Pause(true));
            Reaction::Close
        }
        KeyCode::Escape | KeyCode::Char('n' | 'q') => Reaction::Close,
        _ => Reaction::Keep,
    }
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
                form.waiting = None;
                form.failure = Some(format!("NOT SAVED: {reason}. Enter tries again"));
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
            | Overlay::Help(help::Help { scroll, .. }) => {
                let (title, lines) = text_of(app, overlay, frame.now).unwrap_or_default();
                scrolled(app, frame, &title, &lines, *scroll)
            }
            Overlay::Palette(palette) => palette::draw(app, frame, palette),
            Overlay::Columns(picker) => columns::draw(app, frame, picker),
            Overlay::Sort(picker) => sort::draw(app, frame, picker),
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
            Overlay::Pause => {
                let for_all = matches!(app.live().engine.link, Link::Attached { .. });
                let title = if for_all { "Stop all polling, for everybody?" } else { "Stop all polling?" };
                ask(app, frame, title, "stop", "go on polling")
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

/// The detail of the selected row beside the panes, where the screen is wide enough.
pub fn draw_side(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let Some(selected) = app.selected() else { return };
    let styles = (app.look.style(Meaning::Rule), app.look.style(Meaning::Title), app.look.style(Meaning::Dim));
    rule(frame.buffer, &app.look, area, &detail::title(app, &selected), "", styles);
    let room = usize::from(area.height.saturating_sub(1));
    let width = usize::from(area.width.saturating_sub(2));
    let lines = detail::lines(app, frame.now, &selected);
    let rows =
        lines.iter().flat_map(|(meaning, text)| wrapped(text, width).into_iter().map(move |part| (*meaning, part)));
    for (offset, (meaning, text)) in rows.take(room).enumerate() {
        let style = app.look.style(meaning);
        Row::new(frame.buffer, &app.look, area, area.y + 1 + offset as u16).gap(1).put(&text, style);
    }
}

/// A text in lines of a width, broken at blanks. Lines after the first begin where its second column does (`name   value`);
/// without one they keep its indent and two more.
fn wrapped(words: &str, width: usize) -> Vec<String> {
    if text::width(words) <= width || width < 20 {
        return vec![words.to_owned()];
    }
    let indent = " ".repeat(words.len() - words.trim_start().len());
    let column = words
        .trim_start()
        .split_once("  ")
        .map_or(0, |(name, rest)| indent.len() + text::width(name) + 2 + rest.len() - rest.trim_start().len());
    let hanging = if (1..=width / 2).contains(&column) { column } else { indent.len() + 2 };
    let mut out = Vec::new();
    let mut line = indent;
    let words: Vec<&str> = words.trim_start().split(' ').collect();
    for (at, word) in words.iter().enumerate() {
        // What stands apart (`address   site   last seen 3s ago`) is kept together where it fits into a line.
        let is_apart = at > 1 && words[at - 1].is_empty() && !word.is_empty();
        let needed = if is_apart { together(&words[at..]) } else { text::width(word) };
        let needed = if needed + hanging <= width { needed } else { text::width(word) };
        if text::width(&line) + 1 + needed > width && !line.trim().is_empty() {
            out.push(std::mem::replace(&mut line, " ".repeat(hanging)));
        } else if !line.trim().is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.push(line);
    out
}

/// Columns of the words up to the next gap.
fn together(words: &[&str]) -> usize {
    let part = words.iter().take_while(|word| !word.is_empty());
    part.map(|word| text::width(word) + 1).sum::<usize>().saturating_sub(1)
}

/// A line of an overlay: the style of its words.
pub type Line = (Meaning, String);

/// What is longer than the box is wide goes on in the next line: a reason must be readable to its end.
fn scrolled(app: &App, frame: &mut Frame<'_>, title: &str, lines: &[Line], scroll: usize) -> Rect {
    let lines = lines_in(lines, frame.area);
    let area = box_of(lines.len(), frame.area);
    let inner = boxed(app, frame, area, title);
    let room = usize::from(inner.height);
    let top = scroll.min(lines.len().saturating_sub(room));
    for (offset, (meaning, text)) in lines.iter().skip(top).take(room).enumerate() {
        Row::new(frame.buffer, &app.look, inner, inner.y + offset as u16).put(text, app.look.style(*meaning));
    }
    if lines.len() > room && area.height > 2 {
        let more = format!(" {}-{} of {} ", top + 1, (top + room).min(lines.len()), lines.len());
        let y = area.bottom() - 1;
        let place = Rect::new(area.x, y, area.width.saturating_sub(2), 1);
        Row::new(frame.buffer, &app.look, place, y).end(&more, app.look.style(Meaning::Dim));
    }
    area
}

/// The box of a text of so many lines.
fn box_of(lines: usize, screen: Rect) -> Rect {
    let wanted = u16::try_from(lines + 2).unwrap_or(u16::MAX);
    let height = wanted.min(screen.height.saturating_sub(2)).max(screen.height.min(3));
    centred(screen, box_width(screen), height)
}

fn box_width(screen: Rect) -> u16 {
    screen.width.saturating_sub(4).clamp(screen.width.min(20), 110)
}

/// Columns of a text in a box.
fn text_columns(app: &App) -> usize {
    let (columns, rows) = app.size();
    usize::from(box_width(Rect::new(0, 0, columns, rows)).saturating_sub(4))
}

/// A text as it is broken for its box.
fn lines_in(lines: &[Line], screen: Rect) -> Vec<Line> {
    let columns = usize::from(box_width(screen).saturating_sub(4));
    let parts = |(meaning, words): &Line| {
        let meaning = *meaning;
        wrapped(&text::clean(words), columns).into_iter().map(move |part| (meaning, part))
    };
    lines.iter().flat_map(parts).collect()
}

/// An area of that size in the middle, as far as there is room.
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height)
}
