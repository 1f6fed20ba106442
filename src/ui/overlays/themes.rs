//! The themes to choose from. The one that is selected is on the screen at once; it stays when it is kept, and goes with the
//! picker else.

use ratatui::layout::Rect;

use super::{Reaction, boxed};
use crate::base::text;
use crate::bus::MessageWeight;
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::model::Condition;
use crate::ui::app::App;
use crate::ui::canvas::{self, Row};
use crate::ui::frame::Frame;

/// Columns of a name, and of the whole.
const NAME: usize = 22;
const WIDTH: u16 = 72;
/// What the picker needs beside its rows: the frame, the sample and the keys.
const TRIM: u16 = 5;

/// How an owner looks.
const OWNER: &str = "@owner";
/// What the first of the names is.
const AUTO: &str = "dark or light, as the terminal is";

#[derive(Debug)]
pub struct Picker {
    selected: usize,
    /// What each says of itself, by its place among the names: a frame reads no theme for it.
    about: Vec<Option<String>>,
}

impl Picker {
    /// At the theme that is in force.
    pub fn new(app: &App) -> Self {
        let names = app.themes.names();
        let at = names.iter().position(|name| *name == app.themes.name()).filter(|_| !app.themes.is_auto());
        let about = names.iter().map(|name| app.themes.about(name)).collect();
        Self { selected: at.unwrap_or(0), about }
    }
}

pub fn key(app: &mut App, picker: &mut Picker, key: Key) -> Reaction {
    let last = app.themes.names().len().saturating_sub(1);
    let selected = match key.code {
        KeyCode::Escape | KeyCode::Char('q') => return Reaction::Close,
        KeyCode::Enter => {
            keep(app);
            return Reaction::Close;
        }
        KeyCode::Down | KeyCode::Char('j') => (picker.selected + 1).min(last),
        KeyCode::Up | KeyCode::Char('k') => picker.selected.saturating_sub(1),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => last,
        _ => return Reaction::Keep,
    };
    picker.selected = selected;
    let name = app.themes.names().get(selected).map(|name| (*name).to_owned());
    if name.is_some_and(|name| app.themes.try_on(&name)) {
        app.look = app.themes.look();
    }
    Reaction::Keep
}

fn keep(app: &mut App) {
    if !app.themes.keep() {
        return;
    }
    let name = if app.themes.is_auto() { "auto" } else { app.themes.name() };
    let words = format!("{name} until the console ends; theme = \"{name}\" below [ui] for good");
    app.say(MessageWeight::Note, words);
}

pub fn draw(app: &App, frame: &mut Frame<'_>, picker: &Picker) -> Rect {
    let names = app.themes.names();
    // At the edge: what a theme makes of the lists is seen beside it.
    let width = WIDTH.min(frame.area.width);
    let height = (names.len() as u16 + TRIM).min(frame.area.height.saturating_sub(2)).max(TRIM);
    let area = Rect::new(frame.area.right() - width, frame.area.bottom().saturating_sub(1 + height), width, height);
    let inner = boxed(app, frame, area, &format!("Theme: {}", text::clean(app.themes.name())));
    let (words, dim) = (app.look.style(Meaning::Text), app.look.style(Meaning::Dim));
    let room = usize::from(inner.height.saturating_sub(3));
    let top = (picker.selected + 1).saturating_sub(room);
    for ((at, name), y) in names.iter().enumerate().skip(top).take(room).zip(inner.y..) {
        let about = if at == 0 { Some(AUTO) } else { picker.about.get(at).and_then(Option::as_deref) };
        let mut row = Row::new(frame.buffer, &app.look, inner, y);
        // Themes for another background leave their text to the terminal: the name is read on both.
        let style = if at == picker.selected { app.look.style(Meaning::Accent) } else { words };
        row.cell(name, NAME, style).put(about.unwrap_or_default(), dim);
        if at == picker.selected {
            canvas::paint(frame.buffer, inner, y, app.look.style(Meaning::Selected));
        }
    }
    let y = inner.bottom().saturating_sub(2);
    sample(app, Row::new(frame.buffer, &app.look, inner, y));
    let hint = ["j k try it on", "Enter keeps it", "Esc takes it off"].join(app.look.separator());
    let hint = canvas::fit_parts(&app.look, &hint, usize::from(inner.width));
    Row::new(frame.buffer, &app.look, inner, inner.bottom().saturating_sub(1)).put(&hint, dim);
    area
}

/// Each severity once, for screens that have few of them at the moment.
fn sample(app: &App, mut row: Row<'_>) {
    let all = [
        (Condition::Critical, "CRITICAL"),
        (Condition::Warning, "WARNING"),
        (Condition::Unreachable, "UNREACHABLE"),
        (Condition::Unknown, "UNKNOWN"),
        (Condition::Ok, "OK"),
    ];
    for (condition, word) in all {
        let (glyph, style) = app.look.condition(condition, false);
        row.put(glyph, style).gap(1).put(word, app.look.words(condition, false)).gap(2);
    }
    if row.room() > OWNER.len() {
        row.put(OWNER, app.look.style(Meaning::Accent));
    }
}
