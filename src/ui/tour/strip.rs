//! The strip below the console: which step it is, what to do, and the keys that go on, back and out. The console is as much
//! lower as the strip is high, so it covers nothing.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::guide::Guide;
use super::scene::Scene;
use super::steps::STEPS;
use crate::base::text;
use crate::config::theme::Meaning;
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;

/// From this width on two lines hold the longest step; below, three.
const WIDE: u16 = 96;

/// A word of a text: pieces without a blank between, some of them keys.
type Word = Vec<(Meaning, String)>;

/// Rows that the strip takes of a screen.
pub fn height((width, height): (u16, u16)) -> u16 {
    match height {
        0..4 => 0,
        4..10 => 1,
        10..16 => 3,
        _ if width >= WIDE => 3,
        _ => 4,
    }
}

/// What the strip says.
#[derive(Clone, Copy, Debug)]
pub struct Strip<'a> {
    pub app: &'a App,
    pub guide: &'a Guide,
    /// What of the operator's own network must not wait.
    pub alert: Option<&'a str>,
    /// Where leaving leads to is the operator's own console.
    pub away: bool,
}

/// Draws it into the last rows of the frame.
pub fn draw(strip: Strip<'_>, frame: &mut Frame<'_>) {
    let rows = height((frame.area.width, frame.area.height));
    if rows == 0 {
        return;
    }
    let area = Rect { y: frame.area.bottom() - rows, height: rows, ..frame.area };
    head(strip, frame, area);
    let app = strip.app;
    let columns = usize::from(area.width.saturating_sub(2)).max(1);
    let lines = wrapped(words(app, &strip.guide.scene(app), &said(strip.guide)), columns);
    let room = usize::from(rows - 1);
    let cut = lines.len() > room;
    for (offset, line) in lines.iter().take(room).enumerate() {
        let mut row = Row::new(frame.buffer, &app.look, area, area.y + 1 + offset as u16);
        row.gap(1);
        if cut && offset + 1 == room {
            row.end(app.look.ellipsis(), app.look.style(Meaning::Dim));
        }
        for (at, word) in line.iter().enumerate() {
            row.gap(usize::from(at > 0));
            for (meaning, piece) in word {
                row.put(piece, app.look.style(*meaning));
            }
        }
    }
}

/// The step's own words, and what is to be known beside them.
fn said(guide: &Guide) -> String {
    let words = guide.words();
    if guide.is_so_already() && guide.due().is_none() {
        return format!("{words} (So already: {{tour_next}} goes on.)");
    }
    if guide.due().is_some() && guide.at() > 0 {
        return format!("{words} The tour waits a moment, then goes on.");
    }
    words.to_owned()
}

fn head(strip: Strip<'_>, frame: &mut Frame<'_>, area: Rect) {
    let Strip { app, guide, alert, away } = strip;
    let (rule, dim, key) = (app.look.style(Meaning::Rule), app.look.style(Meaning::Dim), app.look.style(Meaning::Key));
    let dash = app.look.rule();
    let mut row = Row::new(frame.buffer, &app.look, area, area.y);
    if let Some(alert) = alert {
        let banner = app.look.style(Meaning::Critical);
        let first = if app.is_typing() { "Ctrl+\\ then " } else { "" };
        row.end(&format!(" {first}{} returns ", key_of(app, "tour_end")), key);
        row.put(" ", banner).put(alert, banner).put(" ", banner).fill(dash, banner);
        return;
    }
    let out = |row: &mut Row<'_>, action: &str, words: &str| {
        row.end(" ", dim).end(words, dim).end(" ", dim).end(&key_of(app, action), key).end(" ", dim);
    };
    row.end(dash, rule);
    if app.is_typing() {
        // Every other key is the remote side's.
        row.end(" Ctrl+\\ first ", dim);
    } else {
        out(&mut row, "tour_end", if away { "leave" } else { "end" });
        if guide.step().is_some() {
            out(&mut row, "tour_next", "skip");
        }
        if area.width >= 80 && guide.at() > 0 {
            out(&mut row, "tour_back", "back");
        }
    }
    let number = match guide.step() {
        Some(_) => format!("TOUR {}/{}", guide.at() + 1, STEPS.len()),
        None => "TOUR".to_owned(),
    };
    let title = guide.step().map_or("The end", |step| step.title);
    row.put(dash, rule).put(dash, rule).put(" ", dim).put(&number, app.look.style(Meaning::Accent));
    row.put(" ", dim).put(title, app.look.style(Meaning::Title)).put(" ", dim);
    if let Some(outcome) = guide.outcome()
        && row.room() > text::width(outcome) + 4
    {
        row.put(dash, rule).put(" ", dim).put(outcome, app.look.style(Meaning::Ok)).put(" ", dim);
    }
    row.fill(dash, rule);
}

/// The key of an action as it is bound, else its command.
pub fn key_of(app: &App, action: &str) -> String {
    app.keymap.keys_of(action).into_iter().next().unwrap_or_else(|| format!(":{action}"))
}

/// A text in words, with keys and names put in.
fn words(app: &App, scene: &Scene<'_>, said: &str) -> Vec<Word> {
    said.split_whitespace().map(|word| pieces(app, scene, word)).collect()
}

fn pieces(app: &App, scene: &Scene<'_>, word: &str) -> Word {
    let mut out = Word::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        if !before.is_empty() {
            out.push((Meaning::Text, before.to_owned()));
        }
        out.push(match name {
            "cause" => (Meaning::Accent, scene.cause().map(|cause| cause.title.line()).unwrap_or_default()),
            "hidden" => (Meaning::Text, scene.cause().map_or(0, |cause| cause.hides).to_string()),
            "host" => (Meaning::Accent, scene.host.map_or("the host", |host| host.as_str()).to_owned()),
            action => (Meaning::Key, key_of(app, action)),
        });
        rest = after;
    }
    if !rest.is_empty() {
        out.push((Meaning::Text, rest.to_owned()));
    }
    out
}

/// The words in lines of a width.
fn wrapped(words: Vec<Word>, columns: usize) -> Vec<Vec<Word>> {
    let mut lines: Vec<Vec<Word>> = Vec::new();
    let mut used = 0;
    for word in words {
        let width: usize = word.iter().map(|(_, piece)| text::width(&text::clean(piece))).sum();
        match lines.last_mut() {
            Some(line) if used + 1 + width <= columns => {
                line.push(word);
                used += 1 + width;
            }
            _ => {
                lines.push(vec![word]);
                used = width;
            }
        }
    }
    lines
}

/// A mark on a screen that is too low for a strip and for a header.
pub fn mark(app: &App, frame: &mut Frame<'_>) {
    let style: Style = app.look.style(Meaning::Banner);
    Row::new(frame.buffer, &app.look, frame.area, 0).end(" SIMULATED ", style);
}
