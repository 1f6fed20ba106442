//! How often an engine of this process broke lately, and when the next one may begin: later each time, since what breaks each time
//! polls nothing and fills the log. Where somebody sits, after a few times not at all.

use std::time::Duration;

use tokio::time::Instant;

/// From a break to the next beginning; so often in so long.
const AGAIN: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(60)];
const LATELY: Duration = Duration::from_secs(600);
/// Each time after those, where there is no end to it.
const SLOWLY: Duration = Duration::from_secs(300);

#[derive(Debug, Default)]
pub struct Falls {
    /// Those of late.
    at: Vec<Instant>,
    /// When the next may begin; `None` where none may.
    begins: Option<Instant>,
}

impl Falls {
    /// One broke; what happens next, in words.
    pub fn broke(&mut self, why: &str, now: Instant) -> String {
        self.at.retain(|at| now.duration_since(*at) < LATELY);
        self.at.push(now);
        let (times, minutes) = (self.at.len(), LATELY.as_secs() / 60);
        if let Some(again) = AGAIN.get(times - 1) {
            self.begins = Some(now + *again);
            let (seconds, most) = (again.as_secs(), AGAIN.len());
            return format!("internal error of the engine: {why}; it begins again in {seconds} s ({times} of {most})");
        }
        self.begins = None;
        format!(
            "internal error of the engine, {times} times in {minutes} minutes: {why}; it is not begun again: leave and \
             start noctty anew; the log has the place"
        )
    }

    /// Whether an engine of this console may begin.
    pub fn permit(&self, now: Instant) -> bool {
        self.at.is_empty() || self.begins.is_some_and(|begins| now >= begins)
    }
}

/// The same where nobody sits who would start it anew: it goes on for ever, slowly.
#[derive(Debug, Default)]
pub struct Endless {
    /// How many broke in a row.
    times: usize,
    /// When the next of them begins.
    begins: Option<Instant>,
}

impl Endless {
    /// One broke; how long the next one waits. One that lived long enough has nothing to do with those before it.
    pub fn broke(&mut self, now: Instant) -> Duration {
        if self.begins.is_some_and(|begins| now.duration_since(begins) >= LATELY) {
            self.times = 0;
        }
        let wait = AGAIN.get(self.times).copied().unwrap_or(SLOWLY);
        self.times = self.times.saturating_add(1);
        self.begins = Some(now + wait);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_begins_later_each_time_and_after_a_few_it_is_said_what_to_do() {
        let (mut falls, mut now) = (Falls::default(), Instant::now());
        assert!(falls.permit(now));
        for (times, again) in AGAIN.into_iter().enumerate() {
            let words = falls.broke("a list is short", now);
            let wanted = format!("a list is short; it begins again in {} s ({} of 3)", again.as_secs(), times + 1);
            assert!(words.contains(&wanted), "{words}");
            assert!(!falls.permit(now + again - Duration::from_millis(1)) && falls.permit(now + again));
            now += again;
        }
        let words = falls.broke("a list is short", now);
        assert!(words.contains("4 times in 10 minutes") && words.contains("start noctty anew"), "{words}");
        assert!(!falls.permit(now + 10 * LATELY));
        // What was long ago counts no more.
        let (mut falls, begun) = (Falls::default(), Instant::now());
        for times in 0..20 {
            let now = begun + times * LATELY;
            assert!(falls.broke("x", now).contains("in 2 s (1 of 3)") && falls.permit(now + AGAIN[0]));
        }
    }

    #[test]
    fn where_nobody_sits_it_goes_on_for_ever_slowly_until_one_lives() {
        let (mut falls, mut now) = (Endless::default(), Instant::now());
        for _ in 0..2 {
            for again in AGAIN {
                assert_eq!(falls.broke(now), again);
                // It breaks as soon as it has begun, or a little later.
                now += again + LATELY / 2;
            }
            for _ in 0..500 {
                assert_eq!(falls.broke(now), SLOWLY);
                now += SLOWLY;
            }
            now += LATELY;
        }
    }
}
