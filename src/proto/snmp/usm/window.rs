//! What is known of another engine's clock (RFC 3414 §2.2.3, §2.3, §3.2 step 7), and which messages are too old to be true.
//!
//! Only authenticated messages move it. What an unauthenticated report said when the engine was discovered is a guess for
//! the next request and nothing more: the first authenticated message replaces it, whatever it says.

use std::time::Duration;

/// A message may be this much older than the newest one.
const WINDOW: u32 = 150;
/// An engine that has counted its restarts up to here accepts nothing any more.
pub const MOST_BOOTS: u32 = 0x7fff_ffff;

/// An authenticated message is outside the time window: late by minutes, or recorded and sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale;

/// One engine's restarts and seconds since, as far as they are known. Time is what has passed since any fixed moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notion {
    boots: u32,
    /// The engine's time, and our own when it was so.
    time: u32,
    at: Duration,
    /// The newest time that an authenticated message had.
    newest: u32,
    authentic: bool,
}

impl Notion {
    /// Not authenticated: good enough to address the first request.
    pub fn guess(boots: u32, time: u32, now: Duration) -> Self {
        Self { boots, time, at: now, newest: 0, authentic: false }
    }

    pub fn boots(&self) -> u32 {
        self.boots
    }

    /// The engine's time now.
    pub fn time(&self, now: Duration) -> u32 {
        let passed = now.saturating_sub(self.at).as_secs();
        u32::try_from(u64::from(self.time) + passed).unwrap_or(MOST_BOOTS).min(MOST_BOOTS)
    }

    pub fn is_authentic(&self) -> bool {
        self.authentic
    }

    /// Takes the clock of an authenticated message; it only ever goes forward.
    ///
    /// # Errors
    /// The message is older than the window permits.
    pub fn take(&mut self, boots: u32, time: u32, now: Duration) -> Result<(), Stale> {
        if !self.authentic || boots > self.boots || (boots == self.boots && time > self.newest) {
            self.set(boots, time, now);
        }
        let old = boots < self.boots || time.saturating_add(WINDOW) < self.time(now);
        if old || self.boots >= MOST_BOOTS { Err(Stale) } else { Ok(()) }
    }

    /// Takes the clock of an authenticated report that answers the very request that is out, even where it went back: an
    /// agent that lost its memory starts to count anew. The request's random id stands for its freshness.
    pub fn set(&mut self, boots: u32, time: u32, now: Duration) {
        *self = Self { boots, time, at: now, newest: time, authentic: true };
    }

    /// Whether a message to an engine with this clock is inside its window: the authoritative side's view (step 7a).
    pub fn accepts(boots: u32, time: u32, own_boots: u32, own_time: u32) -> bool {
        own_boots < MOST_BOOTS && boots == own_boots && time.abs_diff(own_time) <= WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn the_first_authenticated_message_replaces_a_guess_of_any_kind() {
        let mut notion = Notion::guess(4_000, 2_000_000, s(10));
        assert_eq!((notion.boots(), notion.time(s(15))), (4_000, 2_000_005));
        assert_eq!(notion.take(7, 100, s(20)), Ok(()));
        assert_eq!((notion.boots(), notion.time(s(25)), notion.is_authentic()), (7, 105, true));
    }

    #[test]
    fn messages_older_than_150_seconds_or_from_before_a_restart_are_stale() {
        let mut notion = Notion::default();
        assert_eq!(notion.take(3, 1_000, s(0)), Ok(()));
        assert_eq!(notion.take(3, 1_000, s(150)), Ok(()), "just inside");
        assert_eq!(notion.take(3, 1_000, s(151)), Err(Stale));
        assert_eq!(notion.take(2, 9_999, s(151)), Err(Stale), "from before the restart");
        assert_eq!(notion.take(4, 1, s(152)), Ok(()), "restarted");
        assert_eq!(notion.time(s(160)), 9);
        assert_eq!(notion.take(3, 1_161, s(160)), Err(Stale), "the time before the restart is over");
    }

    #[test]
    fn an_older_message_inside_the_window_does_not_turn_the_clock_back() {
        let mut notion = Notion::default();
        assert_eq!(notion.take(3, 1_000, s(0)), Ok(()));
        assert_eq!(notion.take(3, 900, s(1)), Ok(()));
        assert_eq!(notion.time(s(1)), 1_001);
    }

    #[test]
    fn an_engine_that_cannot_count_further_is_outside_every_window() {
        let mut notion = Notion::default();
        assert_eq!(notion.take(MOST_BOOTS, 5, s(0)), Err(Stale));
        assert!(!Notion::accepts(MOST_BOOTS, 5, MOST_BOOTS, 5));
        assert!(Notion::accepts(3, 850, 3, 1_000) && Notion::accepts(3, 1_150, 3, 1_000));
        assert!(!Notion::accepts(3, 849, 3, 1_000) && !Notion::accepts(2, 1_000, 3, 1_000));
    }

    #[test]
    fn the_time_never_leaves_its_range() {
        let notion = Notion::guess(1, MOST_BOOTS - 1, s(0));
        assert_eq!(notion.time(s(1_000)), MOST_BOOTS);
    }
}
