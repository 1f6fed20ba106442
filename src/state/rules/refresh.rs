//! How often an agent counts anew. Many devices copy their counters from the hardware every 5 to 15 seconds; asked more often
//! they say the same again. Measured on the agent's own clock, between walks that differ.

use std::time::Duration;

use crate::model::{Port, PortTable};

/// Times between two refreshes that are kept.
const KEPT: usize = 8;
/// So many make a measurement.
const ENOUGH: usize = 3;

/// What was seen of an agent's counters while it is watched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refresh {
    /// The walk that last brought something new, and how many have come since.
    moved_at: Option<(Moment, u32)>,
    /// How long it took until something new came, and at the how manieth walk.
    took: Vec<(Duration, u32)>,
}

/// How often an agent counts anew, as far as it was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Not enough was seen.
    #[default]
    Measuring,
    /// Each walk brings something new: it counts as fast as it is asked, or faster.
    AsAsked,
    /// As coarse as the walks were apart.
    Every(Duration),
}

/// A moment on the agent's clock, else on ours.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    Agent(Duration),
    Ours(Duration),
}

impl Refresh {
    /// Takes in a walk and the one before it.
    pub fn see(&mut self, before: &PortTable, now: &PortTable) {
        let walks = self.moved_at.map_or(1, |(_, walks)| walks + 1);
        if !moved(before, now) {
            self.moved_at = self.moved_at.map(|(at, _)| (at, walks));
            return;
        }
        let here = moment(now);
        if let Some(took) = self.moved_at.and_then(|(then, _)| passed(then, here)) {
            self.took.push((took, walks));
            let surplus = self.took.len().saturating_sub(KEPT);
            self.took.drain(..surplus);
        }
        self.moved_at = Some((here, 0));
    }

    /// The time between two refreshes, in the middle of what was seen.
    pub fn measured(&self) -> Pace {
        let count = self.took.len();
        if count < ENOUGH {
            return Pace::Measuring;
        }
        let walks: u32 = self.took.iter().map(|(_, walks)| walks).sum();
        // Mostly every walk: then the walks set the pace, and what is between them is not known.
        if walks as usize * 2 < count * 3 {
            return Pace::AsAsked;
        }
        let mut sorted: Vec<Duration> = self.took.iter().map(|(took, _)| *took).collect();
        sorted.sort_unstable();
        Pace::Every(sorted[count / 2])
    }
}

/// Whether any octet counter moved from one walk to the next.
pub fn moved(before: &PortTable, now: &PortTable) -> bool {
    let octets = |p: &Port| (p.counters.in_octets(), p.counters.out_octets());
    now.ports.iter().any(|port| {
        let old = before.by_index(port.index);
        old.is_some_and(|old| octets(old) != octets(port))
    })
}

fn moment(table: &PortTable) -> Moment {
    match table.device.uptime {
        Some(uptime) => Moment::Agent(uptime),
        None => Moment::Ours(Duration::from_millis(u64::try_from(table.collected_at.millis()).unwrap_or(0))),
    }
}

/// What passed between two moments of one clock; `None` where it began anew.
fn passed(then: Moment, now: Moment) -> Option<Duration> {
    match (then, now) {
        (Moment::Agent(then), Moment::Agent(now)) | (Moment::Ours(then), Moment::Ours(now)) => now.checked_sub(then),
        _ => None,
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::base::Timestamp;
    use crate::model::{Counters, Device};

    /// An agent that counts anew every `refresh` seconds, at `second` of its life.
    fn table(second: u64, refresh: u64) -> PortTable {
        let port = Port {
            index: 1,
            name: "Gi1".into(),
            counters: Counters::of_octets(Some(second / refresh * 1_000), None, false),
            ..Port::default()
        };
        PortTable {
            collected_at: Timestamp::from_secs(second.cast_signed()),
            device: Device { uptime: Some(Duration::from_secs(second)), ..Device::default() },
            ports: vec![port],
            complete: true,
            ..PortTable::default()
        }
    }

    fn measured(refresh: u64, every: u64, walks: u64) -> Pace {
        let mut seen = Refresh::default();
        for walk in 0..walks {
            seen.see(&table(walk * every, refresh), &table((walk + 1) * every, refresh));
        }
        seen.measured()
    }

    #[test]
    fn the_pace_of_an_agent_is_measured_between_walks_that_differ() {
        assert_eq!(measured(10, 1, 60), Pace::Every(Duration::from_secs(10)));
        assert_eq!(measured(15, 5, 60), Pace::Every(Duration::from_secs(15)));
        // An agent that is quicker than it is asked shows no pace of its own.
        assert_eq!(measured(1, 2, 10), Pace::AsAsked);
        assert_eq!(measured(10, 1, 35), Pace::Measuring, "two are not enough");
    }

    #[test]
    fn a_restart_and_a_dead_quiet_device_measure_nothing() {
        let mut seen = Refresh::default();
        seen.see(&table(100, 10), &table(110, 10));
        seen.see(&table(110, 10), &table(10, 10));
        assert!(seen.took.is_empty());
        assert_eq!(measured(1_000_000, 1, 100), Pace::Measuring);
    }
}
