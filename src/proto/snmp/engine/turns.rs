//! Who may send next. A conversation that the agent has answered goes before one that has not begun: what is under way is
//! brought to its end, so that a thousand devices that fall due together are not all half read, and held in memory, at
//! the same time; and what asks the silent again and again stands behind what is answered.

use std::collections::VecDeque;

/// One turn in so many is a newcomer's, whatever is under way.
const NEWCOMERS: u8 = 8;

/// Tickets of conversations that may send as soon as there is room.
#[derive(Debug, Default)]
pub struct Turns {
    under_way: VecDeque<u64>,
    fresh: VecDeque<u64>,
    /// Turns since a newcomer had one.
    since: u8,
}

impl Turns {
    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty() && self.fresh.is_empty()
    }

    pub fn push(&mut self, ticket: u64, under_way: bool) {
        let line = if under_way { &mut self.under_way } else { &mut self.fresh };
        line.push_back(ticket);
    }

    pub fn pop(&mut self) -> Option<u64> {
        if self.since < NEWCOMERS - 1
            && let Some(ticket) = self.under_way.pop_front()
        {
            self.since += 1;
            return Some(ticket);
        }
        self.since = 0;
        self.fresh.pop_front().or_else(|| self.under_way.pop_front())
    }

    pub fn remove(&mut self, ticket: u64) {
        self.under_way.retain(|t| *t != ticket);
        self.fresh.retain(|t| *t != ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_goes_first_and_newcomers_are_not_forgotten() {
        let mut turns = Turns::default();
        for ticket in 100..103 {
            turns.push(ticket, false);
        }
        for ticket in 0..16 {
            turns.push(ticket, true);
        }
        turns.remove(3);
        turns.remove(101);
        let order: Vec<u64> = std::iter::from_fn(|| turns.pop()).collect();
        assert_eq!(order, [0, 1, 2, 4, 5, 6, 7, 100, 8, 9, 10, 11, 12, 13, 14, 102, 15]);
        assert!(turns.is_empty());
    }
}
