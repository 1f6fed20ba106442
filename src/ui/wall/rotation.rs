//! Which page is shown when: a function of the time. A hold stops the pages where they are and puts the problems in front;
//! when it ends they go on from there.

use std::time::Duration;

use crate::base::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hold {
    since: Timestamp,
    until: Timestamp,
}

#[derive(Debug)]
pub struct Rotation {
    seconds: Vec<u32>,
    shown: Vec<bool>,
    began: Timestamp,
    /// Time that went by in holds.
    held: Duration,
    hold: Option<Hold>,
}

/// What is shown at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// `None` where no page has anything to show, and while the pages are held.
    pub page: Option<usize>,
    /// Since when.
    pub since: Timestamp,
    pub is_held: bool,
}

impl Rotation {
    pub fn new(seconds: Vec<u32>, now: Timestamp) -> Self {
        let shown = vec![true; seconds.len()];
        Self { seconds, shown, began: now, held: Duration::ZERO, hold: None }
    }

    /// Only these pages.
    pub fn show(&mut self, shown: Vec<bool>) {
        self.shown = shown;
    }

    /// Pages that take turns, in their order.
    pub fn pages(&self) -> impl Iterator<Item = usize> {
        self.shown.iter().enumerate().filter(|(_, shown)| **shown).map(|(page, _)| page)
    }

    pub fn hold(&mut self, now: Timestamp, until: Timestamp) {
        if self.hold.is_some_and(|hold| now >= hold.until) {
            self.release(now);
        }
        let since = self.hold.map_or(now, |hold| hold.since);
        self.hold = Some(Hold { since, until });
    }

    pub fn release(&mut self, now: Timestamp) {
        if let Some(hold) = self.hold.take() {
            self.held += now.min(hold.until).since(hold.since);
        }
    }

    pub fn at(&self, now: Timestamp) -> Place {
        let (mut held, mut is_held) = (self.held, false);
        if let Some(hold) = self.hold {
            held += now.min(hold.until).since(hold.since);
            is_held = now < hold.until;
            if is_held {
                return Place { page: None, since: hold.since, is_held };
            }
        }
        let turning = now.since(self.began).saturating_sub(held);
        let round: u64 = self.pages().map(|page| u64::from(self.seconds[page]) * 1000).sum();
        let one = self.pages().count() == 1;
        let mut left = if round == 0 { 0 } else { turning.as_millis() as u64 % round };
        for page in self.pages() {
            let length = u64::from(self.seconds[page]) * 1000;
            if left < length {
                // A single page is never turned: its time is now.
                let since = if one { now } else { now.minus(Duration::from_millis(left)) };
                return Place { page: Some(page), since, is_held };
            }
            left -= length;
        }
        Place { page: None, since: now, is_held }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_secs(1_000_000);

    fn at(seconds: u64) -> Timestamp {
        T0.plus(Duration::from_secs(seconds))
    }

    fn page(rotation: &Rotation, seconds: u64) -> Option<usize> {
        rotation.at(at(seconds)).page
    }

    #[test]
    fn pages_take_turns_by_their_seconds() {
        let mut rotation = Rotation::new(vec![10, 20, 5], T0);
        let pages: Vec<Option<usize>> = [0, 9, 10, 29, 30, 34, 35, 70].map(|s| page(&rotation, s)).into();
        assert_eq!(pages, [0, 0, 1, 1, 2, 2, 0, 0].map(Some));
        assert_eq!(rotation.at(at(25)).since, at(10));
        rotation.show(vec![true, false, true]);
        assert_eq!([page(&rotation, 9), page(&rotation, 10), page(&rotation, 15)], [Some(0), Some(2), Some(0)]);
        rotation.show(vec![false; 3]);
        assert_eq!(page(&rotation, 5), None);
    }

    #[test]
    fn a_hold_stops_the_pages_and_they_go_on_where_they_were() {
        let mut rotation = Rotation::new(vec![10, 20], T0);
        rotation.hold(at(15), at(115));
        assert!(rotation.at(at(20)).is_held && rotation.at(at(114)).is_held);
        // Handled after a minute.
        rotation.release(at(75));
        assert_eq!((page(&rotation, 75), rotation.at(at(75)).since), (Some(1), at(70)), "5 s into it, as before");
        assert_eq!(page(&rotation, 90), Some(0));
        // Never handled: it ends by itself, whoever looks when.
        rotation.hold(at(100), at(150));
        rotation.hold(at(120), at(170));
        assert!(rotation.at(at(169)).is_held);
        assert_eq!(page(&rotation, 170), Some(1), "as at 100 s");
        rotation.release(at(500));
        assert_eq!(rotation.at(at(500)).page, rotation.at(at(500 + 30)).page);
        assert_eq!(page(&rotation, 170 + 60), Some(1));
    }
}
