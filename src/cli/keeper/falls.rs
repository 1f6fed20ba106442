//! How often an engine of this console broke lately, and when the next one may begin: later each time, and after a few not at
//! all, since what breaks each time polls nothing and fills the log.

use std::time::Duration;

use tokio::time::Instant;

/// From a break to the next beginning; so often in so long.
const AGAIN: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(60)];
const LATELY: Duration = Duration::from_secs(600);

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
}
