//! Whether somebody has set the system's clock since noctty began: what goes by civil time follows it then. A clock that jumps and is
//! put right at once moves nothing.

use std::time::Duration;

use crate::base::Timestamp;

/// A shift that is smaller is a clock that is kept.
const SMALLEST: i64 = 1_000;
/// What has stood so long is believed.
const STANDS: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub struct WallClock {
    /// By how much it was ahead of steady time when that was last believed.
    ahead: i64,
    /// A shift that is not believed yet, and since when it stands.
    seen: Option<(i64, Timestamp)>,
}

impl WallClock {
    /// By how much it is ahead now, where that is news.
    pub fn look(&mut self, now: Timestamp, wall: Timestamp) -> Option<i64> {
        let ahead = wall.millis() - now.millis();
        let same = |other: i64| (ahead - other).abs() < SMALLEST;
        if same(self.ahead) {
            self.seen = None;
            return None;
        }
        let (seen, since) = self.seen.filter(|(seen, _)| same(*seen)).unwrap_or((ahead, now));
        self.seen = Some((seen, since));
        if now < since.plus(STANDS) {
            return None;
        }
        self.seen = None;
        self.ahead = ahead;
        Some(ahead)
    }

    /// When the next look is worth something.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.seen.map(|(_, since)| since.plus(STANDS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn a_clock_that_was_set_is_believed_when_it_has_stood() {
        let mut clock = WallClock::default();
        assert_eq!(clock.look(at(100), at(100).shifted(999)), None);
        assert_eq!((clock.look(at(101), at(3_701)), clock.wake_at()), (None, Some(at(111))));
        assert_eq!(clock.look(at(105), at(105)), None, "put right at once");
        assert_eq!(clock.wake_at(), None);
        assert_eq!(clock.look(at(110), at(3_710)), None);
        assert_eq!(clock.look(at(115), at(7_315)), None, "another one");
        assert_eq!(clock.look(at(120), at(7_320)), None);
        assert_eq!(clock.look(at(125), at(7_325)), Some(7_200_000));
        assert_eq!(clock.look(at(140), at(7_340)), None, "told once");
        assert_eq!(clock.look(at(141), at(141)), None);
        assert_eq!(clock.look(at(151), at(151)), Some(0));
    }
}
