//! How long to wait for an agent, from how long it took before (RFC 6298, with SNMP's own floor).

use std::time::Duration;

/// Agents that answer in a millisecond are slow once in a while; asking again sooner helps nobody.
const FLOOR: Duration = Duration::from_millis(300);

#[derive(Clone, Copy, Debug, Default)]
pub struct Rtt {
    smoothed: Option<Duration>,
    variation: Duration,
}

impl Rtt {
    /// A reply to a request that was sent once.
    pub fn sample(&mut self, took: Duration) {
        let Some(smoothed) = self.smoothed else {
            self.smoothed = Some(took);
            self.variation = took / 2;
            return;
        };
        self.variation = (self.variation * 3 + smoothed.abs_diff(took)) / 4;
        self.smoothed = Some((smoothed * 7 + took) / 8);
    }

    /// How long try number `tried` (from 0) of `tries` waits. The last waits for all of `longest`, so that a busy
    /// agent is not called silent for having been quick before.
    pub fn wait(&self, tried: u32, tries: u32, longest: Duration) -> Duration {
        let Some(smoothed) = self.smoothed else { return longest };
        if tried + 1 >= tries {
            return longest;
        }
        let once = (smoothed + self.variation * 4).max(FLOOR);
        once.saturating_mul(1 << tried.min(8)).min(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_agent_is_asked_again_soon_but_given_its_time_at_last() {
        let longest = Duration::from_secs(2);
        let mut rtt = Rtt::default();
        assert_eq!(rtt.wait(0, 3, longest), longest);
        rtt.sample(Duration::from_millis(2));
        assert_eq!(rtt.wait(0, 3, longest), FLOOR);
        assert_eq!(rtt.wait(1, 3, longest), FLOOR * 2);
        assert_eq!(rtt.wait(2, 3, longest), longest);
    }

    #[test]
    fn a_far_agent_is_waited_for() {
        let mut rtt = Rtt::default();
        for _ in 0..20 {
            rtt.sample(Duration::from_millis(600));
        }
        assert!(rtt.wait(0, 3, Duration::from_secs(2)) >= Duration::from_millis(600));
    }
}
