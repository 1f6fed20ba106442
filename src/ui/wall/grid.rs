//! Many things at once, each as large as there is room: a card with its name and state, its name, a glyph; where even glyphs
//! are too many, one for several, and the worst of them counts. Places stay what they are while the inventory does, so that
//! people learn them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::config::theme::Meaning;
use crate::model::Condition;
use crate::ui::canvas::{self, Row};
use crate::ui::look::Look;

#[derive(Clone, Debug)]
pub struct Item<'a> {
    pub name: &'a str,
    pub condition: Condition,
    pub stale: bool,
    /// Short, for a card's second line.
    pub word: String,
}

/// What one thing gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Three rows: name, state, and one that is free.
    Card(u16),
    /// Glyph and name in one row.
    Name(u16),
    /// A glyph every so many columns.
    Glyph(u16),
    /// A glyph for so many.
    Folded(usize),
}

/// The largest cell with which all fit.
pub fn fit(count: usize, longest: usize, area: Rect) -> Cell {
    let holds = |width: u16, height: u16| usize::from(area.width / width) * usize::from(area.height / height) >= count;
    let name = longest.clamp(4, 24) as u16;
    let short = longest.clamp(4, 12) as u16;
    let cells = [
        (Cell::Card(name + 5), name + 5, 3),
        (Cell::Name(name + 4), name + 4, 1),
        (Cell::Name(short + 3), short + 3, 1),
        (Cell::Glyph(3), 3, 1),
        (Cell::Glyph(2), 2, 1),
        (Cell::Glyph(1), 1, 1),
    ];
    let found = cells.into_iter().find(|(_, width, height)| holds(*width, *height)).map(|(cell, ..)| cell);
    let room = (usize::from(area.width) * usize::from(area.height)).max(1);
    found.unwrap_or(Cell::Folded(count.div_ceil(room)))
}

/// How bad it is to look at: what is old is worse than what is good, and better than a problem.
fn rank(item: &Item<'_>) -> (Condition, bool) {
    (item.condition, item.stale)
}

/// Draws all of them; what a glyph stands for, where it stands for several.
pub fn draw(buffer: &mut Buffer, look: &Look, area: Rect, items: &[Item<'_>]) -> Cell {
    let longest = items.iter().map(|item| crate::base::text::width(item.name)).max().unwrap_or(0);
    let cell = fit(items.len(), longest, area);
    let (width, height, each) = match cell {
        Cell::Card(width) => (width, 3, 1),
        Cell::Name(width) | Cell::Glyph(width) => (width, 1, 1),
        Cell::Folded(each) => (1, 1, each.max(1)),
    };
    let columns = usize::from((area.width / width).max(1));
    for (at, several) in items.chunks(each).enumerate() {
        let Some(item) = several.iter().max_by_key(|item| rank(item)) else { continue };
        let (x, y) = ((at % columns) as u16 * width, (at / columns) as u16 * height);
        if y + height > area.height {
            break;
        }
        let (glyph, style) = look.condition(item.condition, item.stale);
        let words = look.words(item.condition, item.stale);
        let place = Rect { x: area.x + x, y: area.y + y, width: width.saturating_sub(1).max(1), height };
        match cell {
            Cell::Card(_) => {
                let quiet = item.condition == Condition::Ok && !item.stale;
                let second = if quiet { look.style(Meaning::Dim) } else { words };
                if !quiet {
                    for row in 0..2 {
                        canvas::paint(buffer, place, place.y + row, words);
                    }
                }
                let room = usize::from(place.width.saturating_sub(3));
                Row::new(buffer, look, place, place.y).put(glyph, style).put(" ", words).name(item.name, room, words);
                Row::new(buffer, look, place, place.y + 1).put("  ", second).put(&item.word, second);
            }
            Cell::Name(_) => {
                let mut row = Row::new(buffer, look, place, place.y);
                row.put(glyph, style).put(" ", words);
                let room = row.room();
                row.name(item.name, room, words);
            }
            Cell::Glyph(_) | Cell::Folded(_) => {
                Row::new(buffer, look, place, place.y).put(glyph, style);
            }
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::frame::{Capabilities, Colours};
    use crate::ui::themes::Themes;

    #[test]
    fn from_a_dozen_to_four_thousand_things_fit_into_every_size() {
        for size in [(58, 17), (78, 21), (118, 37), (198, 57), (398, 117)] {
            let area = Rect::new(0, 0, size.0, size.1);
            for count in [1, 12, 50, 100, 400, 1_000, 2_000, 4_000] {
                let (width, height, each) = match fit(count, 9, area) {
                    Cell::Card(width) => (width, 3, 1),
                    Cell::Name(width) | Cell::Glyph(width) => (width, 1, 1),
                    Cell::Folded(each) => (1, 1, each),
                };
                let places = usize::from(area.width / width) * usize::from(area.height / height);
                assert!(places * each >= count, "{count} on {size:?}");
            }
        }
        assert_eq!(fit(12, 9, Rect::new(0, 0, 58, 17)), Cell::Card(14));
        assert_eq!(fit(100, 9, Rect::new(0, 0, 118, 37)), Cell::Name(13));
        assert_eq!(fit(400, 9, Rect::new(0, 0, 78, 21)), Cell::Glyph(3));
        assert_eq!(fit(4_000, 9, Rect::new(0, 0, 198, 57)), Cell::Glyph(2));
        assert_eq!(fit(4_000, 9, Rect::new(0, 0, 58, 17)), Cell::Folded(5));
    }

    #[test]
    fn of_several_the_worst_counts_and_what_is_old_is_not_good() {
        let look = Themes::only("mono", Capabilities { colours: Colours::Mono, unicode: false }).look();
        let area = Rect::new(0, 0, 3, 1);
        let mut buffer = Buffer::empty(area);
        let item = |condition, stale| Item { name: "h", condition, stale, word: String::new() };
        let mut items = vec![item(Condition::Ok, false); 9];
        items[1] = item(Condition::Critical, false);
        items[4] = item(Condition::Ok, true);
        items[5] = item(Condition::NotProbed, false);
        assert_eq!(draw(&mut buffer, &look, area, &items), Cell::Folded(3));
        let line: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(line, "C?.");
    }
}
