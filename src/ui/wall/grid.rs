//! Many things at once, each as large as there is room: a poster, a card with its name and state, its name, a glyph; where even glyphs
//! are too many, one for several, and the worst of them counts. Places stay what they are while the inventory does, so that
//! people learn them.

mod poster;
mod sections;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::base::text;
use crate::config::theme::Meaning;
use crate::model::Condition;
use crate::state::Care;
use crate::ui::canvas::{self, Row};
use crate::ui::look::Look;
use poster::Poster;
pub use sections::Sections;

/// Whether somebody sees to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sees {
    Nobody,
    /// It is a problem that somebody has taken on.
    Owner,
    /// It is worked on.
    Maintenance {
        problem: bool,
    },
}

impl Sees {
    pub fn of(condition: Condition, care: Option<&Care>) -> Self {
        match care {
            Some(care) if care.maintenance.is_some() => Self::Maintenance { problem: condition.is_problem() },
            Some(care) if care.ack.is_some() && condition.is_problem() => Self::Owner,
            _ => Self::Nobody,
        }
    }

    /// Its sign with its look, and the look of its words: a problem that somebody sees to is quiet.
    pub fn look(self, look: &Look, condition: Condition, stale: bool) -> (&'static str, Style, Style) {
        let (glyph, style) = match self {
            Self::Maintenance { .. } => look.maintenance(),
            Self::Nobody | Self::Owner => look.condition(condition, stale),
        };
        let words = if self.is_quiet() { look.style(Meaning::Dim) } else { look.words(condition, stale) };
        (glyph, style, words)
    }

    /// How bad that is to look at: what somebody sees to is better than what nobody does, and worse than what is good.
    pub fn weight(self, condition: Condition) -> Condition {
        if self.is_quiet() { condition.min(Condition::Unreachable) } else { condition }
    }

    fn is_quiet(self) -> bool {
        matches!(self, Self::Owner | Self::Maintenance { problem: true })
    }
}

#[derive(Clone, Debug)]
pub struct Item<'a> {
    pub name: &'a str,
    /// What it belongs to, for those that stand as glyphs; empty where that is nothing.
    pub section: &'a str,
    pub condition: Condition,
    pub stale: bool,
    pub sees: Sees,
    /// Short, for a card's second line.
    pub word: String,
    /// For the lines below it, where cards are that high.
    pub more: Vec<String>,
    /// How its value went, below those, and the least that fills the height.
    pub course: Option<(&'a [f32], f32)>,
}

impl Item<'_> {
    /// Nothing that anybody has to look at.
    fn is_quiet(&self) -> bool {
        self.sees.is_quiet() || (self.condition == Condition::Ok && !self.stale)
    }
}

/// What one thing gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The same in large letters, with the course of its value.
    Poster(Poster),
    /// Name, state, more where there is room, and a row that is free.
    Card { width: u16, height: u16 },
    /// Glyph and name in one row.
    Name(u16),
    /// A glyph every so many columns.
    Glyph(u16),
    /// A glyph for so many.
    Folded(usize),
    /// Glyphs behind the name of what they belong to.
    Sections(Sections),
}

/// Rows of the lowest card and of the highest.
const CARD: (u16, u16) = (3, 6);
/// A card that is wider only looks lost.
const WIDEST: u16 = 40;
/// Columns of a card whose longest state is whole: `unreachable` behind a glyph.
const NARROWEST: u16 = 14;

/// The largest cell with which all fit. Cards stand as if there were `usual` rows, so that they keep their places when a few
/// more or less are left for them.
fn fit(count: usize, longest: usize, area: Rect, usual: u16) -> Cell {
    let holds = |width: u16, height: u16| usize::from(area.width / width) * usize::from(area.height / height) >= count;
    let name = longest.clamp(4, 24) as u16;
    let short = longest.clamp(4, 12) as u16;
    let narrowest = (name + 5).max(NARROWEST);
    if holds(narrowest, CARD.0) {
        return card(count, narrowest, area, usual);
    }
    // As much of a name as there is room for: names of one kind are told apart by a few letters.
    let whole = longest.clamp(4, usize::from(WIDEST)) as u16;
    let names = (short + 3..=whole + 4).rev().map(|width| (Cell::Name(width), width));
    let glyphs = [3, 2, 1].map(|width| (Cell::Glyph(width), width));
    let found = names.chain(glyphs).find(|(_, width)| holds(*width, 1)).map(|(cell, _)| cell);
    let room = (usize::from(area.width) * usize::from(area.height)).max(1);
    found.unwrap_or(Cell::Folded(count.div_ceil(room)))
}

/// As few cards side by side as make them fill the rows, and as high as they may be.
fn card(count: usize, narrowest: u16, area: Rect, usual: u16) -> Cell {
    let most = usize::from(area.width / narrowest).max(1);
    let rows_of = |columns: usize, height: u16| count.div_ceil(columns) * usize::from(height);
    let fills = |columns: &usize| rows_of(*columns, CARD.1) <= usize::from(usual);
    let columns = (1..=most).find(fills).unwrap_or(most);
    let columns = columns.max(usize::from(area.width / WIDEST).min(most)).max(1);
    let rows = count.div_ceil(columns).max(1);
    let height = (usize::from(area.height) / rows).clamp(usize::from(CARD.0), usize::from(CARD.1)) as u16;
    if rows * usize::from(height) > usize::from(area.height) {
        // Fewer rows than usual: as many side by side as there can be.
        return Cell::Card { width: area.width / most as u16, height: CARD.0 };
    }
    Cell::Card { width: (area.width / columns as u16).min(WIDEST), height }
}

/// How bad it is to look at: what is old is worse than what is good, and better than a problem.
fn rank(item: &Item<'_>) -> (Condition, bool) {
    (item.sees.weight(item.condition), item.stale)
}

/// Draws all of them; what each got, and the rows that were taken.
pub fn draw(buffer: &mut Buffer, look: &Look, area: Rect, usual: u16, items: &[Item<'_>]) -> (Cell, u16) {
    let longest = items.iter().map(|item| text::width(item.name)).max().unwrap_or(0);
    let cell = match (poster::fit(look, items, area, usual), fit(items.len(), longest, area, usual)) {
        (Some(poster), _) => Cell::Poster(poster),
        (None, cell @ Cell::Glyph(_)) => sections::fit(items, area, 1).map_or(cell, Cell::Sections),
        (None, cell @ Cell::Folded(each)) => sections::fit(items, area, each).map_or(cell, Cell::Sections),
        (None, cell) => cell,
    };
    let (width, height, each) = match cell {
        Cell::Sections(sections) => return (cell, sections::draw(buffer, look, area, items, sections)),
        Cell::Poster(Poster { width, height, .. }) | Cell::Card { width, height } => (width, height, 1),
        Cell::Name(width) | Cell::Glyph(width) => (width, 1, 1),
        Cell::Folded(each) => (1, 1, each.max(1)),
    };
    let columns = usize::from((area.width / width).max(1));
    let mut rows = 0;
    for (at, several) in items.chunks(each).enumerate() {
        let Some(item) = several.iter().max_by_key(|item| rank(item)) else { continue };
        let (x, y) = ((at % columns) as u16 * width, (at / columns) as u16 * height);
        if y + height > area.height {
            break;
        }
        rows = y + height;
        let (glyph, style, words) = item.sees.look(look, item.condition, item.stale);
        let place = Rect { x: area.x + x, y: area.y + y, width: width.saturating_sub(1).max(1), height };
        match cell {
            Cell::Poster(poster) => poster::draw(buffer, look, place, item, poster),
            Cell::Card { .. } => draw_card(buffer, look, place, item),
            Cell::Name(_) => {
                let mut row = Row::new(buffer, look, place, place.y);
                row.put(glyph, style).put(" ", words);
                let room = row.room();
                row.name(item.name, room, words);
            }
            Cell::Glyph(_) | Cell::Folded(_) | Cell::Sections(_) => {
                Row::new(buffer, look, place, place.y).put(glyph, style);
            }
        }
    }
    (cell, rows)
}

/// As many words as fit as a whole: half a word is worse than none.
fn words_within(words: &str, room: usize) -> &str {
    if text::width(words) <= room {
        return words;
    }
    let ends = words.match_indices(' ').map(|(at, _)| &words[..at]);
    ends.take_while(|part| text::width(part) <= room).last().map_or(words, |part| part.trim_end_matches(','))
}

/// What else there is to say of it, in so many columns and rows.
fn more_of(item: &Item<'_>, columns: usize, rows: usize) -> Vec<String> {
    item.more.iter().flat_map(|line| text::wrap(&text::clean(line), columns)).take(rows).collect()
}

/// Lays the look of what is wrong under so many rows.
fn paint_card(buffer: &mut Buffer, place: Rect, item: &Item<'_>, rows: u16, words: Style) {
    if !item.is_quiet() {
        for row in 0..rows {
            canvas::paint(buffer, place, place.y + row, words);
        }
    }
}

/// The last row of its place stays free.
fn draw_card(buffer: &mut Buffer, look: &Look, place: Rect, item: &Item<'_>) {
    let (glyph, style, words) = item.sees.look(look, item.condition, item.stale);
    let second = if item.is_quiet() { look.style(Meaning::Dim) } else { words };
    let room = usize::from(place.width.saturating_sub(3));
    let rows = usize::from(place.height.saturating_sub(CARD.0));
    let mut more = more_of(item, room, rows);
    if let Some((values, least)) = item.course.filter(|_| more.len() < rows) {
        more.push(look.sparkline(values, values.len().min(room), least));
    }
    paint_card(buffer, place, item, 2 + more.len() as u16, words);
    Row::new(buffer, look, place, place.y).put(glyph, style).put(" ", words).name(item.name, room, words);
    Row::new(buffer, look, place, place.y + 1).put("  ", second).put(words_within(&item.word, room), second);
    for (line, y) in more.iter().zip(place.y + 2..) {
        Row::new(buffer, look, place, y).put("  ", second).put(line, second);
    }
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
                let (width, height, each) = match fit(count, 9, area, area.height) {
                    Cell::Card { width, height } => (width, height, 1),
                    Cell::Name(width) | Cell::Glyph(width) => (width, 1, 1),
                    Cell::Folded(each) => (1, 1, each),
                    other => panic!("{other:?}"),
                };
                let places = usize::from(area.width / width) * usize::from(area.height / height);
                assert!(places * each >= count, "{count} on {size:?}");
            }
        }
        let fit = |count, longest, area: Rect| fit(count, longest, area, area.height);
        assert_eq!(fit(12, 9, Rect::new(0, 0, 58, 17)), Cell::Card { width: 14, height: 5 });
        assert_eq!(fit(26, 9, Rect::new(0, 0, 118, 37)), Cell::Card { width: 23, height: 6 });
        assert_eq!(fit(1, 9, Rect::new(0, 0, 118, 37)), Cell::Card { width: 40, height: 6 });
        assert_eq!(fit(100, 9, Rect::new(0, 0, 118, 37)), Cell::Name(13));
        assert_eq!(
            fit(43, 42, Rect::new(0, 0, 78, 16)),
            Cell::Name(26),
            "three side by side, each as long as it may be"
        );
        assert_eq!(fit(30, 42, Rect::new(0, 0, 98, 16)), Cell::Name(44));
        assert_eq!(fit(400, 9, Rect::new(0, 0, 78, 21)), Cell::Glyph(3));
        assert_eq!(fit(4_000, 9, Rect::new(0, 0, 198, 57)), Cell::Glyph(2));
        assert_eq!(fit(4_000, 9, Rect::new(0, 0, 58, 17)), Cell::Folded(5));
    }

    #[test]
    fn a_card_that_is_too_narrow_for_the_age_has_the_state_as_a_whole() {
        assert_eq!(words_within("unreachable 45s", 11), "unreachable");
        assert_eq!(words_within("CRITICAL 4m in part", 13), "CRITICAL 4m");
        assert_eq!(words_within("DOWN 45s", 11), "DOWN 45s");
        assert_eq!(words_within("43 up, warning", 10), "43 up");
        assert_eq!(words_within("unreachable 45s", 5), "unreachable 45s", "it is cut with a mark");
    }

    #[test]
    fn cards_keep_their_places_when_a_few_rows_more_or_less_are_left() {
        for count in 1..60 {
            let columns = |height: u16| match fit(count, 9, Rect::new(0, 0, 118, height), 29) {
                Cell::Card { width, .. } => 118 / width,
                _ => 0,
            };
            assert_eq!((columns(29), columns(31)), (columns(36), columns(33)), "{count}");
        }
    }

    #[test]
    fn of_several_the_worst_counts_and_what_is_old_is_not_good() {
        let look = Themes::only("mono", Capabilities { colours: Colours::Mono, unicode: false }).look();
        let area = Rect::new(0, 0, 3, 1);
        let mut buffer = Buffer::empty(area);
        let item = |condition, stale| Item {
            name: "h",
            section: "",
            condition,
            stale,
            sees: Sees::Nobody,
            word: String::new(),
            more: Vec::new(),
            course: None,
        };
        let mut items = vec![item(Condition::Ok, false); 9];
        items[1] = item(Condition::Critical, false);
        items[4] = item(Condition::Ok, true);
        items[5] = item(Condition::NotProbed, false);
        assert_eq!(draw(&mut buffer, &look, area, 1, &items), (Cell::Folded(3), 1));
        let line: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(line, "C?.");
    }
}
