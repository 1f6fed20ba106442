//! A few things on a large wall: the name of each in large letters, its state and its reason, and how its value went.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::{Item, more_of, paint_card};
use crate::config::theme::Meaning;
use crate::ui::canvas::Row;
use crate::ui::look::Look;
use crate::ui::wall::big::{self, Dot};
use crate::ui::wall::sheet::ink;

/// Rows of the lowest poster and of the highest.
const ROWS: (u16, u16) = (9, 24);
/// Columns before the name, and of the gap behind it.
const MARGIN: u16 = 2;
const TRIM: u16 = 2 * MARGIN + 1;
/// Rows of a course that say more than one.
const COURSE: (u16, u16) = (2, 6);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poster {
    pub width: u16,
    pub height: u16,
    dot: Dot,
}

/// The posters with the largest letters, where all have room for their names in any; of equals as many side by side as there can be.
pub fn fit(look: &Look, items: &[Item<'_>], area: Rect, usual: u16) -> Option<Poster> {
    let name = items.iter().map(|item| item.name).max_by_key(|name| big::width(name))?;
    if !items.iter().all(|item| big::can_write(item.name)) {
        return None;
    }
    let of = |columns: usize| {
        let rows = items.len().div_ceil(columns) as u16;
        let width = area.width / u16::try_from(columns).ok()?;
        let height = (usual.min(area.height) / rows).min(ROWS.1);
        let dot = Dot::fitting(name, width.checked_sub(TRIM)?, height / 2, look)?;
        (height >= ROWS.0).then_some((columns, Poster { width, height, dot }))
    };
    let size = |dot: Dot| {
        let (width, height) = dot.size("0");
        u32::from(width) * u32::from(height)
    };
    let all = (1..=items.len()).filter_map(of);
    all.max_by_key(|(columns, poster)| (size(poster.dot), *columns)).map(|(_, poster)| poster)
}

/// The last row of its place stays free.
pub fn draw(buffer: &mut Buffer, look: &Look, place: Rect, item: &Item<'_>, poster: Poster) {
    let (glyph, style, words) = item.sees.look(look, item.condition, item.stale);
    let second = if item.is_quiet() { look.style(Meaning::Dim) } else { words };
    let inner = Rect { x: place.x + MARGIN, width: place.width.saturating_sub(MARGIN), ..place };
    let (_, letters) = poster.dot.size(item.name);
    let state = place.y + 1 + letters + 1;
    let room = place.bottom().saturating_sub(state + 2);
    let more = more_of(item, usize::from(inner.width), usize::from(room));
    let painted = state + 1 + more.len() as u16 - place.y;
    paint_card(buffer, place, item, painted.min(place.height - 1), words);
    // What is filled has its letters cut out of it.
    let letters_style = if item.is_quiet() { ink(words) } else { words.remove_modifier(Modifier::UNDERLINED) };
    big::draw(buffer, look, inner, (inner.x, place.y + 1), item.name, poster.dot, letters_style);
    Row::new(buffer, look, inner, state).put(glyph, style).put(" ", second).put(&item.word, second);
    for (line, y) in more.iter().zip(state + 1..) {
        Row::new(buffer, look, inner, y).put(line, second);
    }
    let left = room.saturating_sub(more.len() as u16);
    let Some((values, least)) = item.course.filter(|_| left > COURSE.0) else { return };
    let rows = (left - 1).min(COURSE.1);
    let course = look.course(values, usize::from(inner.width - 1), usize::from(rows), least);
    for (line, y) in course.iter().zip(state + 2 + more.len() as u16..) {
        Row::new(buffer, look, inner, y).put(line, look.style(Meaning::Bar));
    }
}
