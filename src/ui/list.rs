//! A list's selection: by what is selected, not by where it stands. While the cursor is away from the top the order is
//! left alone, so that nothing moves under it; what is new comes last and is counted. The one rule for all lists.

/// Which rows of the snapshot are shown, in which order, and which is selected.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Rows of the snapshot's vector.
    pub order: Vec<usize>,
    pub selected: usize,
    pub top: usize,
    /// The order differs from what sorting would give.
    pub outdated: bool,
    /// Rows at the end that came since it was sorted.
    pub appended: usize,
    /// The cursor was put on a row below the top, or what it is on is looked at: it stays there, whatever becomes of the rows above.
    held: bool,
}

impl List {
    /// Takes a new order. With the cursor away from the top, rows that are still there keep their places and new ones
    /// come last.
    pub fn reorder(&mut self, fresh: Vec<usize>) {
        if !self.held || self.order.is_empty() {
            self.appended = 0;
            self.outdated = false;
            self.order = fresh;
        } else if self.order == fresh {
            self.appended = 0;
            self.outdated = false;
        } else {
            let most = fresh.iter().chain(&self.order).max().map_or(0, |m| m + 1);
            let mut wanted = vec![false; most];
            for row in &fresh {
                wanted[*row] = true;
            }
            self.renumber(|row| wanted[row].then_some(row));
            for row in &self.order {
                wanted[*row] = false;
            }
            let known = self.order.len();
            self.order.extend(fresh.iter().copied().filter(|row| wanted[*row]));
            self.appended += self.order.len() - known;
            self.outdated = self.order != fresh;
        }
        self.selected = self.selected.min(self.order.len().saturating_sub(1));
        self.held &= !self.order.is_empty();
    }

    /// Gives each row its new number, in its place; those without one leave. The selection stays on its row, or takes the next.
    pub fn renumber(&mut self, now: impl Fn(usize) -> Option<usize>) {
        let sorted = self.order.len() - self.appended.min(self.order.len());
        let kept = |rows: &[usize]| rows.iter().filter(|row| now(**row).is_some()).count();
        let (selected, sorted) =
            (kept(&self.order[..self.selected.min(self.order.len())]), kept(&self.order[..sorted]));
        self.order = self.order.iter().filter_map(|row| now(*row)).collect();
        self.appended = self.order.len() - sorted;
        self.selected = selected.min(self.order.len().saturating_sub(1));
    }

    pub fn row(&self) -> Option<usize> {
        self.order.get(self.selected).copied()
    }

    /// Selects a row of the snapshot, if it is shown.
    pub fn select_row(&mut self, row: usize) -> bool {
        let at = self.order.iter().position(|r| *r == row);
        self.selected = at.unwrap_or(self.selected);
        self.held = self.selected > 0;
        at.is_some()
    }

    pub fn move_by(&mut self, delta: isize) {
        let last = self.order.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(delta).min(last);
        self.held = self.selected > 0;
    }

    /// Somebody looks at what is selected: nothing else takes its place until the cursor moves.
    pub fn hold(&mut self) {
        self.held = !self.order.is_empty();
    }

    /// Keeps the selection within `height` visible rows.
    pub fn scroll(&mut self, height: usize) {
        let height = height.max(1);
        if self.selected < self.top {
            self.top = self.selected;
        } else if self.selected >= self.top + height {
            self.top = self.selected + 1 - height;
        }
        self.top = self.top.min(self.order.len().saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_under_the_cursor() {
        let mut list = List::default();
        list.reorder(vec![0, 1, 2, 3]);
        list.move_by(2);
        list.reorder(vec![3, 2, 1, 0, 4]);
        assert_eq!((list.row(), list.order.clone(), list.outdated), (Some(2), vec![0, 1, 2, 3, 4], true));
        assert_eq!(list.appended, 1);
        list.reorder(vec![3, 2, 5, 1, 4]);
        assert_eq!((list.row(), list.order.clone(), list.appended), (Some(2), vec![1, 2, 3, 4, 5], 2));
        list.move_by(-10);
        list.reorder(vec![3, 2, 1, 0, 4]);
        assert_eq!((list.row(), list.outdated), (Some(3), false));
    }

    #[test]
    fn what_is_looked_at_on_the_top_row_stays_selected_until_the_cursor_moves() {
        let mut list = List::default();
        list.reorder(vec![0, 1, 2]);
        list.hold();
        list.reorder(vec![2, 0, 1]);
        assert_eq!((list.row(), list.outdated), (Some(0), true));
        list.move_by(-1);
        list.reorder(vec![2, 0, 1]);
        assert_eq!((list.row(), list.outdated), (Some(2), false));
    }

    #[test]
    fn rows_that_are_gone_leave_and_the_selection_stays_inside() {
        let mut list = List::default();
        list.reorder(vec![0, 1, 2, 3]);
        list.move_by(3);
        list.reorder(vec![0, 1]);
        assert_eq!(list.row(), Some(1));
        list.reorder(Vec::new());
        assert_eq!(list.row(), None);
    }

    #[test]
    fn the_cursor_keeps_its_row_when_those_above_it_go_or_get_new_numbers() {
        let mut list = List::default();
        list.reorder(vec![0, 1, 2]);
        list.move_by(1);
        list.renumber(|row| row.checked_sub(1).map(|row| row + 7));
        assert_eq!((list.row(), list.order.clone()), (Some(7), vec![7, 8]));
        list.reorder(vec![8, 7, 9]);
        assert_eq!((list.row(), list.order.clone(), list.appended), (Some(7), vec![7, 8, 9], 1));
    }

    #[test]
    fn scrolling_keeps_the_selection_in_sight() {
        let mut list = List::default();
        list.reorder((0..100).collect());
        list.move_by(50);
        list.scroll(10);
        assert_eq!(list.top, 41);
        list.move_by(-20);
        list.scroll(10);
        assert_eq!(list.top, 30);
    }
}
