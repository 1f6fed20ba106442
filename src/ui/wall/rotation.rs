//! Which page is shown when. Pages take turns in rounds; in each, those that something critical is on come first. A hold stops the
//! pages where they are and puts the problems in front; when it ends they go on from there. What a round is held for altogether is
//! bounded: however much breaks, every page gets its turn.

use std::time::Duration;

use crate::base::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hold {
    since: Timestamp,
    until: Timestamp,
}

/// How a page takes part in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It has nothing to show.
    Skipped,
    InOrder,
    /// Before the others.
    First,
}

/// How long new problems hold the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// After the last of them.
    pub stay: Duration,
    /// In one round altogether.
    pub most: Duration,
}

#[derive(Debug)]
pub struct Rotation {
    seconds: Vec<u32>,
    turns: Vec<Turn>,
    /// Which pages have had their time in this round.
    had: Vec<bool>,
    page: Option<usize>,
    /// When its turn began; moved on by what it was held for.
    since: Timestamp,
    hold: Option<Hold>,
    /// What this round was held for, without the hold that lasts.
    held: Duration,
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
        let count = seconds.len();
        Self {
            seconds,
            turns: vec![Turn::InOrder; count],
            had: vec![false; count],
            page: (count > 0).then_some(0),
            since: now,
            hold: None,
            held: Duration::ZERO,
        }
    }

    /// How the pages take part from now on.
    pub fn show(&mut self, turns: Vec<Turn>, now: Timestamp) {
        self.turns = turns;
        self.tick(now);
    }

    /// Pages that take turns, in their order.
    pub fn pages(&self) -> impl Iterator<Item = usize> {
        self.turns.iter().enumerate().filter(|(_, turn)| **turn != Turn::Skipped).map(|(page, _)| page)
    }

    /// Turns the page where its time is over.
    pub fn tick(&mut self, now: Timestamp) {
        match self.hold {
            Some(hold) if now < hold.until => return,
            Some(hold) => self.release(hold.until),
            None => {}
        }
        if self.page.is_none_or(|page| self.turns[page] == Turn::Skipped) {
            self.turn(now);
        }
        let round: Duration = self.pages().map(|page| self.length(page)).sum();
        // After a long sleep nobody counts the rounds.
        if !round.is_zero() && now.since(self.since) > round * 2 {
            let left = now.since(self.since).as_millis() % round.as_millis();
            self.since = now.minus(Duration::from_millis(left as u64));
        }
        while let Some(page) = self.page.filter(|page| now.since(self.since) >= self.length(*page)) {
            self.turn(self.since.plus(self.length(page)));
        }
    }

    /// Something new is critical: the pages stand still, as far as this round has patience left.
    pub fn hold(&mut self, now: Timestamp, patience: Patience) {
        self.tick(now);
        let since = self.hold.map_or(now, |hold| hold.since);
        let left = patience.most.saturating_sub(self.held + now.since(since));
        let until = now.plus(patience.stay.min(left));
        let until = self.hold.map_or(until, |hold| hold.until.max(until));
        if until > now {
            self.hold = Some(Hold { since, until });
        }
    }

    pub fn release(&mut self, now: Timestamp) {
        if let Some(hold) = self.hold.take() {
            let length = now.min(hold.until).since(hold.since);
            self.held += length;
            self.since = self.since.plus(length);
        }
    }

    pub fn at(&self, now: Timestamp) -> Place {
        if let Some(hold) = self.hold.filter(|hold| now < hold.until) {
            return Place { page: None, since: hold.since, is_held: true };
        }
        // A single page is never turned: its time is now.
        let since = if self.pages().count() > 1 { self.since } else { now };
        Place { page: self.page, since, is_held: false }
    }

    fn length(&self, page: usize) -> Duration {
        Duration::from_secs(u64::from(self.seconds[page]))
    }

    /// The next page, from then on. Where all have had their turn the next round begins.
    fn turn(&mut self, at: Timestamp) {
        if let Some(page) = self.page {
            self.had[page] = true;
        }
        self.page = self.waiting().or_else(|| {
            self.had.fill(false);
            self.held = Duration::ZERO;
            self.waiting()
        });
        self.since = at;
    }

    fn waiting(&self) -> Option<usize> {
        let waits = |page: &usize| !self.had[*page];
        let first = self.pages().filter(waits).find(|page| self.turns[*page] == Turn::First);
        first.or_else(|| self.pages().find(waits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_secs(1_000_000);
    const PATIENCE: Patience = Patience { stay: Duration::from_secs(60), most: Duration::from_secs(180) };

    fn at(seconds: u64) -> Timestamp {
        T0.plus(Duration::from_secs(seconds))
    }

    fn page(rotation: &mut Rotation, seconds: u64) -> Option<usize> {
        rotation.tick(at(seconds));
        rotation.at(at(seconds)).page
    }

    #[test]
    fn pages_take_turns_by_their_seconds() {
        let mut rotation = Rotation::new(vec![10, 20, 5], T0);
        let pages: Vec<Option<usize>> = [0, 9, 10, 29, 30, 34, 35].map(|s| page(&mut rotation, s)).into();
        assert_eq!(pages, [0, 0, 1, 1, 2, 2, 0].map(Some));
        assert_eq!(rotation.at(at(38)).since, at(35));
        rotation.show(vec![Turn::InOrder, Turn::Skipped, Turn::InOrder], at(38));
        let pages = [44, 45, 50].map(|s| page(&mut rotation, s));
        assert_eq!(pages, [Some(0), Some(2), Some(0)]);
        rotation.show(vec![Turn::Skipped; 3], at(51));
        assert_eq!(page(&mut rotation, 52), None);
        rotation.show(vec![Turn::Skipped, Turn::InOrder, Turn::Skipped], at(60));
        assert_eq!(
            (page(&mut rotation, 61), rotation.at(at(61)).since),
            (Some(1), at(61)),
            "a single one is never turned"
        );
    }

    #[test]
    fn a_machine_that_slept_does_not_count_the_rounds() {
        let mut rotation = Rotation::new(vec![10, 20], T0);
        assert_eq!(page(&mut rotation, 30 * 1_000_000_000 + 15), Some(1));
        assert_eq!(rotation.at(at(30 * 1_000_000_000 + 15)).since, at(30 * 1_000_000_000 + 10));
    }

    #[test]
    fn what_something_critical_is_on_comes_first_and_everything_once() {
        let mut rotation = Rotation::new(vec![10; 4], T0);
        rotation.show(vec![Turn::InOrder, Turn::InOrder, Turn::First, Turn::First], at(5));
        let pages: Vec<Option<usize>> = (0..9).map(|n| page(&mut rotation, 5 + n * 10)).collect();
        assert_eq!(pages, [0, 2, 3, 1, 2, 3, 0, 1, 2].map(Some));
    }

    #[test]
    fn a_hold_stops_the_pages_and_they_go_on_where_they_were() {
        let mut rotation = Rotation::new(vec![10, 20], T0);
        rotation.hold(at(15), PATIENCE);
        assert!(rotation.at(at(20)).is_held && rotation.at(at(74)).is_held);
        // Handled after half a minute.
        rotation.release(at(45));
        assert_eq!((page(&mut rotation, 45), rotation.at(at(45)).since), (Some(1), at(40)), "5 s into it, as before");
        assert_eq!(page(&mut rotation, 60), Some(0));
        // Never handled: it ends by itself, whoever looks when, a minute after the last.
        rotation.hold(at(65), PATIENCE);
        rotation.hold(at(85), PATIENCE);
        assert!(rotation.at(at(144)).is_held);
        assert_eq!(page(&mut rotation, 145), Some(0), "as at 65 s");
        assert_eq!(page(&mut rotation, 150), Some(1));
    }

    #[test]
    fn whatever_breaks_how_often_each_page_gets_its_turn() {
        let mut rotation = Rotation::new(vec![15; 6], T0);
        let mut seen = vec![0u64; 6];
        let (mut held, mut longest, mut hold) = (0u64, 0u64, 0u64);
        for second in 0..3_600 {
            // Something new every 20 seconds, for an hour.
            if second % 20 == 0 {
                rotation.hold(at(second), PATIENCE);
            }
            rotation.tick(at(second));
            let place = rotation.at(at(second));
            hold = if place.is_held { hold + 1 } else { 0 };
            longest = longest.max(hold);
            match place.page {
                Some(page) => seen[page] += 1,
                None => held += 1,
            }
        }
        assert_eq!(longest, 180);
        // 180 s of each 270 are held; the rest are 13 rounds of 15 s a page.
        assert!(held > 2_300 && seen.iter().all(|seconds| (190..=210).contains(seconds)), "{held} {seen:?}");
    }
}
