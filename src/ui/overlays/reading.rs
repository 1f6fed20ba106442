//! Texts that are read: details, two machines side by side, the help. Each stands in a box; on a wide screen the detail stands
//! at the side of the panes, where opening it gives it the keys. What is longer than its place is turned.

use ratatui::layout::Rect;

use super::{Overlay, Reaction, centred, detail, help};
use crate::base::{Timestamp, text};
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::ui::app::App;
use crate::ui::canvas::{Row, rule};
use crate::ui::chrome::{self, boxed};
use crate::ui::frame::Frame;
use crate::ui::runbook::{self, Paper};

/// A line of an overlay: the style of its words.
pub type Line = (Meaning, String);

/// The widest box of a text: longer lines are hard to read.
const WIDEST: u16 = 110;

/// Where a text stands.
enum Place {
    Box(Rect),
    /// Beside the panes: a rule, and the text below it.
    Side(Rect),
}

impl Place {
    /// The place of an overlay that would take so many lines.
    fn of(app: &App, overlay: &Overlay, lines: impl FnOnce(usize) -> usize) -> Self {
        if let Some(area) = side_of(app, overlay) {
            return Self::Side(area);
        }
        Self::Box(box_of(lines(box_columns(app, overlay)), box_width(app, overlay), screen(app)))
    }

    fn area(&self) -> Rect {
        match self {
            Self::Box(area) | Self::Side(area) => *area,
        }
    }

    /// Lines that it shows at once.
    fn height(&self) -> usize {
        let rim = match self {
            Self::Box(_) => 2,
            Self::Side(_) => 1,
        };
        usize::from(self.area().height.saturating_sub(rim))
    }
}

fn screen(app: &App) -> Rect {
    let (columns, rows) = app.size();
    Rect::new(0, 0, columns, rows)
}

/// The side, for a detail that stands there.
fn side_of(app: &App, overlay: &Overlay) -> Option<Rect> {
    let is_detail = matches!(overlay, Overlay::Detail { .. }) && !app.wide_detail;
    chrome::side(app, app.size()).filter(|_| is_detail)
}

/// Whether the keys go to the detail at the side.
pub fn is_at_side(app: &App) -> bool {
    app.overlays.last().is_some_and(|overlay| side_of(app, overlay).is_some())
}

/// Through a text that is longer than its place, and never beyond its end.
pub fn scroll_key(app: &App, overlay: &mut Overlay, key: Key) -> Reaction {
    let columns = columns(app, overlay);
    let lines = text_of(app, overlay, app.now(), columns).map_or(0, |(_, lines)| lines_in(&lines, columns).len());
    let room = Place::of(app, overlay, |_| lines).height();
    let at_side = side_of(app, overlay).is_some();
    let (Overlay::Detail { scroll, .. }
    | Overlay::Compare { scroll, .. }
    | Overlay::Help(help::Help { scroll, .. })
    | Overlay::Paper(Paper { scroll, .. })) = overlay
    else {
        return Reaction::Keep;
    };
    *scroll = match key.code {
        KeyCode::Escape | KeyCode::Enter | KeyCode::Char('q' | '?') => return Reaction::Close,
        KeyCode::Tab if at_side => return Reaction::Close,
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

/// What is read on top of all, as a whole and as it is broken into lines there: its title, and the text.
pub fn whole_text(app: &App) -> Option<(String, String)> {
    let overlay = app.overlays.last()?;
    let columns = columns(app, overlay);
    let (title, lines) = text_of(app, overlay, app.now(), columns)?;
    let mut text = format!("{title}\n\n");
    for (_, line) in lines_in(&lines, columns) {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    Some((title, text))
}

/// Where the text stands that is read on top of all.
pub fn text_area(app: &App) -> Option<Rect> {
    let overlay = app.overlays.last()?;
    let columns = columns(app, overlay);
    let (_, lines) = text_of(app, overlay, app.now(), columns)?;
    Some(Place::of(app, overlay, |columns| lines_in(&lines, columns).len()).area())
}

/// The title and the text of an overlay that is read, for so many columns.
fn text_of(app: &App, overlay: &Overlay, now: Timestamp, columns: usize) -> Option<(String, Vec<Line>)> {
    match overlay {
        Overlay::Detail { selected, .. } => {
            Some((detail::title(app, selected), detail::lines(app, now, selected, columns)))
        }
        Overlay::Compare { pair, packages, .. } => {
            Some((detail::compare::title(app, pair), detail::compare::lines(app, pair, packages, now, columns)))
        }
        Overlay::Help(help) => Some((help::title(help), help::lines(app, help))),
        Overlay::Paper(paper) => Some((runbook::title(paper), runbook::lines(app, paper))),
        _ => None,
    }
}

/// Draws it where it stands; the area that it covers.
pub fn draw(app: &App, frame: &mut Frame<'_>, overlay: &Overlay, scroll: usize) -> Rect {
    if let Some(area) = side_of(app, overlay) {
        // Drawn with the panes.
        return area;
    }
    let columns = columns(app, overlay);
    let (title, lines) = text_of(app, overlay, frame.now, columns).unwrap_or_default();
    let lines = lines_in(&lines, columns);
    let area = box_of(lines.len(), box_width(app, overlay), frame.area);
    let inner = boxed(app, frame, area, &title);
    let room = usize::from(inner.height);
    let top = scroll.min(lines.len().saturating_sub(room));
    put(app, frame, inner, &lines, top);
    if lines.len() > room && area.height > 2 {
        let more = format!(" {}-{} of {} ", top + 1, (top + room).min(lines.len()), lines.len());
        let y = area.bottom() - 1;
        let place = Rect::new(area.x, y, area.width.saturating_sub(2), 1);
        Row::new(frame.buffer, &app.look, place, y).end(&more, app.look.style(Meaning::Dim));
    }
    area
}

/// The detail beside the panes, where the screen is wide enough: of what was opened, else of what is selected.
pub fn draw_side(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let opened = app.overlays.iter().rev().find_map(|overlay| match overlay {
        Overlay::Detail { selected, scroll } if side_of(app, overlay).is_some() => Some((selected.clone(), *scroll)),
        _ => None,
    });
    let is_open = opened.is_some();
    let Some((selected, scroll)) = opened.or_else(|| Some((app.selected()?, 0))) else { return };
    let columns = side_columns(area);
    let lines = lines_in(&detail::lines(app, frame.now, &selected, columns), columns);
    let room = usize::from(area.height.saturating_sub(1));
    let top = scroll.min(lines.len().saturating_sub(room));
    let note = match lines.len() > room {
        false => String::new(),
        true if is_open => format!("{}-{} of {}", top + 1, top + room, lines.len()),
        true => format!("{}↓", lines.len() - room),
    };
    let styles = if is_open { (Meaning::RuleFocus, Meaning::Accent) } else { (Meaning::Rule, Meaning::Title) };
    let styles = (app.look.style(styles.0), app.look.style(styles.1), app.look.style(Meaning::Dim));
    rule(frame.buffer, &app.look, area, &detail::title(app, &selected), &note, styles);
    let inner = Rect::new(area.x + 1, area.y + 1, columns as u16, area.height.saturating_sub(1));
    put(app, frame, inner, &lines, top);
}

fn put(app: &App, frame: &mut Frame<'_>, inner: Rect, lines: &[Line], top: usize) {
    for (offset, (meaning, text)) in lines.iter().skip(top).take(usize::from(inner.height)).enumerate() {
        Row::new(frame.buffer, &app.look, inner, inner.y + offset as u16).put(text, app.look.style(*meaning));
    }
}

/// The box of a text of so many lines.
fn box_of(lines: usize, width: u16, screen: Rect) -> Rect {
    let wanted = u16::try_from(lines + 2).unwrap_or(u16::MAX);
    let height = wanted.min(screen.height.saturating_sub(2)).max(screen.height.min(3));
    centred(screen, width, height)
}

/// All that there is for a detail that was made wide.
fn box_width(app: &App, overlay: &Overlay) -> u16 {
    let screen = screen(app);
    let wide = app.wide_detail && matches!(overlay, Overlay::Detail { .. });
    let room = screen.width.saturating_sub(4);
    room.clamp(screen.width.min(20), if wide { u16::MAX } else { WIDEST })
}

fn box_columns(app: &App, overlay: &Overlay) -> usize {
    usize::from(box_width(app, overlay).saturating_sub(4))
}

fn side_columns(area: Rect) -> usize {
    usize::from(area.width.saturating_sub(2))
}

/// Columns of an overlay's text.
fn columns(app: &App, overlay: &Overlay) -> usize {
    side_of(app, overlay).map_or_else(|| box_columns(app, overlay), side_columns)
}

/// A text as it is broken for so many columns: a reason must be readable to its end.
fn lines_in(lines: &[Line], columns: usize) -> Vec<Line> {
    let parts = |(meaning, words): &Line| {
        let meaning = *meaning;
        wrapped(&text::clean(words), columns).into_iter().map(move |part| (meaning, part))
    };
    lines.iter().flat_map(parts).collect()
}

/// A text in lines of a width, broken at blanks. Lines after the first begin where its second column does (`name   value`);
/// without one, and where it is a list of parts, they keep its indent and two more. A word that is longer than a line is broken.
fn wrapped(words: &str, width: usize) -> Vec<String> {
    if text::width(words) <= width || width < 20 {
        return vec![words.to_owned()];
    }
    let indent = " ".repeat(words.len() - words.trim_start().len());
    let column = value_column(words);
    // Parts that stand apart (`address   site   from config`) are no name and its value.
    let apart: Vec<&str> = words.trim_start().split("   ").collect();
    let is_list = apart.len() > 2 && apart[..2].iter().all(|part| !part.is_empty() && !part.starts_with(' '));
    let hangs = !is_list && (1..=width / 2).contains(&column);
    let hanging = if hangs { column } else { (indent.len() + 2).min(width / 2) };
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
        let room = width.saturating_sub(text::width(&line)).max(1);
        if text::width(word) <= room {
            line.push_str(word);
            continue;
        }
        for (at, part) in text::wrap(word, width.saturating_sub(hanging).max(1)).into_iter().enumerate() {
            if at > 0 || text::width(&part) > room {
                let full = std::mem::replace(&mut line, " ".repeat(hanging));
                out.extend(Some(full).filter(|full| !full.trim().is_empty()));
            }
            line.push_str(&part);
        }
    }
    out.push(line);
    out
}

/// Where the value begins: behind the widest gap, the first of several, since names stand apart too (`-  [      back`). 0 without one.
fn value_column(words: &str) -> usize {
    let (mut widest, mut column, mut gap) = (1, 0, 0);
    for (at, letter) in words.char_indices().skip_while(|(_, letter)| *letter == ' ') {
        if letter == ' ' {
            gap += 1;
            continue;
        }
        if gap > widest {
            (widest, column) = (gap, text::width(&words[..at]));
        }
        gap = 0;
    }
    column
}

/// Columns of the words up to the next gap.
fn together(words: &[&str]) -> usize {
    let part = words.iter().take_while(|word| !word.is_empty());
    part.map(|word| text::width(word) + 1).sum::<usize>().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn parts_that_stand_apart_are_no_name_and_its_value() {
        let lines = wrapped("10.0.0.1   site fra1   from config   last seen 3s ago", 30);
        let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
        assert_eq!(lines, ["10.0.0.1   site fra1", "  from config", "  last seen 3s ago"]);
    }

    #[test]
    fn a_text_is_broken_at_blanks_and_a_long_word_where_it_must_be() {
        assert_eq!(
            wrapped("name          a value that goes on", 30),
            ["name          a value that", "              goes on"]
        );
        assert_eq!(
            wrapped("-  [          back to the place before", 30),
            ["-  [          back to the", "              place before"]
        );
        let path = "/".repeat(50);
        let lines = wrapped(&format!("at {path} there"), 24);
        assert!(lines.iter().all(|line| line.len() <= 24), "{lines:?}");
        assert_eq!(lines.concat().matches('/').count(), 50);
        assert!(lines.last().is_some_and(|line| line.ends_with("there")), "{lines:?}");
    }
}
