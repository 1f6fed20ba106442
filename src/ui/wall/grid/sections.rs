//! Glyphs by what their things belong to, where all have room so: a glyph has no name, but its group or its site has one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Item, rank};
use crate::base::text;
use crate::config::theme::Meaning;
use crate::model::Condition;
use crate::ui::canvas::Row;
use crate::ui::look::Look;

/// Columns of the names.
const NAMES: (usize, usize) = (4, 18);
/// How many sections may stand side by side.
const ACROSS: [u16; 6] = [1, 2, 3, 4, 6, 8];
/// Columns between a name and its glyphs, and behind them.
const GAP: u16 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sections {
    across: u16,
    /// Columns of a glyph.
    pub spacing: u16,
    /// Things that a glyph stands for.
    pub each: usize,
    name: u16,
    /// Rows between two.
    between: u16,
}

impl Sections {
    /// Columns of a section, and glyphs beside each other in it.
    fn columns(self, area: Rect) -> (u16, usize) {
        let width = area.width / self.across;
        (width, usize::from(width.saturating_sub(self.name + 2 * GAP) / self.spacing))
    }

    /// Rows of a section of so many things.
    fn rows(self, count: usize, beside: usize) -> u16 {
        count.div_ceil(self.each).div_ceil(beside.max(1)) as u16
    }

    fn fits(self, area: Rect, parts: &[&[Item<'_>]]) -> bool {
        let (_, beside) = self.columns(area);
        let height = |row: &[&[Item<'_>]]| row.iter().map(|part| usize::from(self.rows(part.len(), beside))).max();
        let rows = parts.chunks(usize::from(self.across));
        let gaps = rows.len().saturating_sub(1) * usize::from(self.between);
        beside > 0 && rows.filter_map(height).sum::<usize>() + gaps <= usize::from(area.height)
    }
}

/// Those that belong together stand beside each other already. `None` where they belong to one thing or to none, or where a
/// glyph would have to stand for many more than `each`.
pub fn fit(items: &[Item<'_>], area: Rect, each: usize) -> Option<Sections> {
    let parts: Vec<&[Item<'_>]> = parts(items).collect();
    if parts.len() < 2 {
        return None;
    }
    let longest = parts.iter().map(|part| text::width(part[0].section)).max().unwrap_or(0);
    let name = longest.clamp(NAMES.0, NAMES.1) as u16;
    let sizes = [3, 2].map(|spacing| (spacing, 1)).into_iter().chain((1..=2 * each).map(|each| (1, each)));
    let mut all = sizes.flat_map(|(spacing, each)| {
        let of = move |across| [1, 0].map(|between| Sections { across, spacing, each, name, between });
        ACROSS.into_iter().flat_map(of)
    });
    all.find(|sections| sections.fits(area, &parts))
}

fn parts<'a, 'b>(items: &'a [Item<'b>]) -> impl Iterator<Item = &'a [Item<'b>]> {
    items.chunk_by(|a, b| a.section == b.section)
}

/// The rows that were taken.
pub fn draw(buffer: &mut Buffer, look: &Look, area: Rect, items: &[Item<'_>], sections: Sections) -> u16 {
    let (width, beside) = sections.columns(area);
    let parts: Vec<&[Item<'_>]> = parts(items).collect();
    let mut y = area.y;
    for row in parts.chunks(usize::from(sections.across)) {
        for (part, at) in row.iter().zip(0..) {
            draw_part(buffer, look, Rect { x: area.x + at * width, y, width, ..area }, part, sections, beside);
        }
        y += row.iter().map(|part| sections.rows(part.len(), beside)).max().unwrap_or(0) + sections.between;
    }
    y.saturating_sub(area.y + sections.between)
}

fn draw_part(buffer: &mut Buffer, look: &Look, place: Rect, part: &[Item<'_>], sections: Sections, beside: usize) {
    let worst = part.iter().max_by_key(|item| rank(item));
    let words = match worst {
        Some(worst) if worst.condition != Condition::Ok || worst.stale => {
            worst.sees.look(look, worst.condition, worst.stale).2
        }
        _ => look.style(Meaning::Dim),
    };
    let name = Some(part[0].section).filter(|name| !name.is_empty()).unwrap_or("–");
    Row::new(buffer, look, place, place.y).name(name, usize::from(sections.name), words);
    for (at, several) in part.chunks(sections.each).enumerate() {
        let Some(item) = several.iter().max_by_key(|item| rank(item)) else { continue };
        let (glyph, style, _) = item.sees.look(look, item.condition, item.stale);
        let x = place.x + sections.name + GAP + (at % beside) as u16 * sections.spacing;
        let place = Rect { x, width: 1, ..place };
        Row::new(buffer, look, place, place.y + (at / beside) as u16).put(glyph, style);
    }
}
