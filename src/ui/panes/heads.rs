//! Heads of columns: each is pressed to sort by it, where the mouse is wanted, and the one that sorts bears the mark of the
//! way.

use std::ops::Range;

use super::{PaneKind, dim};
use crate::config::theme::Meaning;
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::columns::Column;
use crate::ui::sorting::By;

/// What a column sorts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    By(PaneKind, By),
    Port(Column),
}

/// Heads with the columns of the screen where they stand.
pub type Heads = Vec<(Range<u16>, Head)>;

/// What stands over a column.
#[derive(Clone, Copy, Debug)]
pub struct Title {
    pub words: &'static str,
    pub width: usize,
    /// Numbers stand at the right, and so do their heads.
    pub is_right: bool,
}

/// One head in its column.
pub fn put(app: &App, line: &mut Row<'_>, heads: &mut Heads, title: Title, (kind, by): (PaneKind, &[By])) {
    let Title { words, width, is_right } = title;
    let from = line.column();
    let order = app.order_of(kind);
    let mut words = words.to_owned();
    let mut style = dim(app);
    if by.contains(&order.by) {
        style = app.look.style(Meaning::Accent);
        words = app.look.sorted_head(&words, width, is_right, order.descends());
    }
    if is_right {
        line.right(&words, width, style)
    } else {
        line.cell(&words, width, style)
    };
    // The column's gap belongs to it, so that three letters can be hit.
    line.gap(1);
    if let Some(first) = by.first() {
        heads.push((from..line.column(), Head::By(kind, *first)));
    }
}
