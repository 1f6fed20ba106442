//! Watching one device: its ports are asked as fast as its agent counts anew, for a few minutes. How fast that is, is measured
//! on the way; the device is bounded to a quarter of the time that a walk of it takes, whatever is measured.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{AssetId, Facts, PortTable};
use crate::state::WatchView;
use crate::state::rules::refresh::{Pace, Refresh};

/// It ends by itself after this.
pub(super) const LONGEST: Duration = Duration::from_secs(300);
/// Never asked more often.
const FASTEST: Duration = Duration::from_secs(1);
/// Before a walk of it was timed.
const FIRST: Duration = Duration::from_secs(5);
/// A walk may take this part of the time from one to the next.
const SHARE: u32 = 4;

#[derive(Debug)]
pub(super) struct Watch {
    pub asset: AssetId,
    pub since: Timestamp,
    pub until: Timestamp,
    took: Option<Duration>,
    last: Option<Arc<PortTable>>,
    refresh: Refresh,
    /// Once a pace was measured it holds: asked at that pace the agent shows none any more.
    pace: Pace,
}

impl Watch {
    pub fn new(asset: AssetId, now: Timestamp, took: Option<Duration>) -> Self {
        Self {
            asset,
            since: now,
            until: now.plus(LONGEST),
            took,
            last: None,
            refresh: Refresh::default(),
            pace: Pace::Measuring,
        }
    }

    /// From one walk to the next: as often as the agent counts anew once that is known, as often as may be until then.
    pub fn every(&self) -> Duration {
        let bound = self.took.map_or(FIRST, |took| took * SHARE).max(FASTEST);
        match self.pace {
            Pace::Every(refresh) => refresh.max(bound),
            Pace::Measuring | Pace::AsAsked => bound,
        }
    }

    /// Takes in a walk; how long it took counts whether it brought anything or not.
    pub fn walked(&mut self, took: Duration, facts: &Facts) {
        self.took = Some(took);
        if let Facts::Ports(table) = facts {
            if let Some(before) = &self.last {
                self.refresh.see(before, table);
                if !matches!(self.pace, Pace::Every(_)) {
                    self.pace = self.refresh.measured();
                }
            }
            self.last = Some(table.clone());
        }
    }

    pub fn view(&self) -> WatchView {
        WatchView {
            asset: self.asset.clone(),
            since: self.since,
            until: self.until,
            every: self.every(),
            refresh: self.pace,
            took: self.took,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Counters, Device, Port};

    const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn table(second: u64, counted: u64) -> Facts {
        let port = Port {
            index: 1,
            name: "Gi1".into(),
            counters: Counters::of_octets(Some(counted), None, false),
            ..Port::default()
        };
        Facts::Ports(Arc::new(PortTable {
            collected_at: T0.plus(Duration::from_secs(second)),
            device: Device { uptime: Some(Duration::from_secs(second)), ..Device::default() },
            ports: vec![port],
            complete: true,
            ..PortTable::default()
        }))
    }

    #[test]
    fn the_pace_is_what_the_agent_counts_at_and_never_more_than_a_quarter_of_the_devices_time() {
        let mut watch = Watch::new(AssetId::new("sw"), T0, None);
        assert_eq!(watch.every(), FIRST);
        let mut second = 0;
        for _ in 0..60 {
            watch.walked(Duration::from_millis(100), &table(second, second / 10));
            second += watch.every().as_secs();
        }
        assert_eq!(watch.every(), Duration::from_secs(10));
        watch.walked(Duration::from_secs(4), &table(second, second / 10));
        assert_eq!(watch.every(), Duration::from_secs(16));
        let mut quick = Watch::new(AssetId::new("sw"), T0, Some(Duration::from_millis(3)));
        for second in 0..10 {
            quick.walked(Duration::from_millis(3), &table(second, second));
        }
        assert_eq!(quick.every(), FASTEST);
    }

    #[test]
    fn a_walk_that_failed_slows_the_next_and_measures_nothing() {
        let mut watch = Watch::new(AssetId::new("sw"), T0, Some(Duration::from_millis(3)));
        watch.walked(Duration::from_secs(6), &Facts::None);
        assert_eq!(watch.every(), Duration::from_secs(24));
    }
}
