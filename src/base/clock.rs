//! Time. Inside the process all times come from one [`Clock`]: the wall clock at start plus the
//! time since boot that has passed since (suspend included). So ages and deadlines never jump when
//! somebody sets the system's clock; [`Clock::wall`] is the system's own idea of now, for what is
//! written down.

use std::fmt;
use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// So many milliseconds later, or earlier where that is negative.
    #[must_use]
    pub const fn shifted(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The whole second at this moment or the first one after it.
    #[must_use]
    pub fn next_whole_second(self) -> Self {
        Self(self.0.saturating_add(999).div_euclid(1000) * 1000)
    }

    /// RFC 3339 in UTC with milliseconds, as all JSON output has it.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map_or_else(|_| "invalid".to_owned(), |t| t.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
    }

    /// Parses RFC 3339 with any offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let parsed: jiff::Timestamp = text.parse().ok()?;
        Some(Self(parsed.as_millisecond()))
    }

    /// `2026-03-14 02:00` in UTC.
    pub fn utc_minute(self) -> String {
        let text = self.rfc3339();
        text.get(..16).unwrap_or(&text).replace('T', " ")
    }

    /// `HH:MM:SS` in UTC.
    pub fn utc_time_of_day(self) -> String {
        let secs = self.0.div_euclid(1000).rem_euclid(86_400);
        format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// The process's one source of time; cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    anchor_wall: i64,
    anchor_boot: i64,
}

impl Clock {
    /// Anchors to the system's clocks now.
    pub fn start() -> Self {
        Self { anchor_wall: wall_millis(), anchor_boot: boot_millis() }
    }

    /// Steady time: wall clock at start plus the time passed since, suspend included.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.anchor_wall + (boot_millis() - self.anchor_boot))
    }

    /// What the system says the time is. May jump.
    pub fn wall(&self) -> Timestamp {
        Timestamp(wall_millis())
    }

    /// A steady time as the system's present clock would name it.
    pub fn as_wall(&self, steady: Timestamp) -> Timestamp {
        Timestamp(steady.0 + (self.wall().0 - self.now().0))
    }
}

fn boot_millis() -> i64 {
    let spec = clock_gettime(ClockId::Boottime);
    spec.tv_sec * 1000 + spec.tv_nsec / 1_000_000
}

/// By the C library, as all others of this process ask for it: in a test, that is where the clock is set.
fn wall_millis() -> i64 {
    let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    match SystemTime::UNIX_EPOCH.elapsed() {
        Ok(since) => millis(since),
        Err(before) => -millis(before.duration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_time_has_no_negative_age() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
        assert_eq!(Timestamp(9_000).since(Timestamp(5_000)), Duration::from_secs(4));
    }

    #[test]
    fn rfc3339_round_trips_to_the_millisecond() {
        let t = Timestamp(1_795_523_696_789);
        assert_eq!(Timestamp::parse_rfc3339(&t.rfc3339()), Some(t));
        assert_eq!(Timestamp(0).rfc3339(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp(0).utc_time_of_day(), "00:00:00");
    }

    #[test]
    fn the_steady_clock_starts_at_the_wall_clock() {
        let clock = Clock::start();
        assert!((clock.now().0 - clock.wall().0).abs() < 2_000);
    }
}
