//! What became of a port over time: its state in the operator's words, the changes that were seen, and what must be known of
//! it after a restart of noctty or of the device.

use std::sync::Arc;
use std::time::Duration;

use super::device::{EngineClock, Mac, NeighborId};
use super::host::AssetId;
use super::port_key::PortKey;
use crate::base::{Timestamp, Untrusted};

/// The port vocabulary. `Up` may carry a reason, then the port may count as a warning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PortState {
    Up,
    AdminDown,
    /// It was up since it is watched, and is not now.
    LinkLost,
    /// Down, and never seen up, or not for so long that it is free.
    NoLink,
    ErrDisabled,
    LowerLayerDown,
    Dormant,
    MissingModule,
    Testing,
    #[default]
    Unknown,
}

impl PortState {
    pub const ALL: [Self; 10] = [
        Self::Up,
        Self::AdminDown,
        Self::LinkLost,
        Self::NoLink,
        Self::ErrDisabled,
        Self::LowerLayerDown,
        Self::Dormant,
        Self::MissingModule,
        Self::Testing,
        Self::Unknown,
    ];

    /// The word on the screen and in `noctty.ports/1`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::AdminDown => "admin-down",
            Self::LinkLost => "link-lost",
            Self::NoLink => "no-link",
            Self::ErrDisabled => "err-disabled",
            Self::LowerLayerDown => "lower-layer-down",
            Self::Dormant => "dormant",
            Self::MissingModule => "missing-module",
            Self::Testing => "testing",
            Self::Unknown => "unknown",
        }
    }
}

/// How long a link change is remembered as a flap.
pub const FLAP_MEMORY: Duration = Duration::from_secs(3600);
/// So many are kept at most.
const MOST_FLAPS: usize = 100;

/// Link changes of the last hour, oldest first. Shared while nothing changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flaps(Option<Arc<[Timestamp]>>);

impl Flaps {
    pub fn len(&self) -> usize {
        self.times().len()
    }

    pub fn is_empty(&self) -> bool {
        self.times().is_empty()
    }

    pub fn times(&self) -> &[Timestamp] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Those of the hour before `now`, and `more`. Allocates only where that differs from what there is.
    #[must_use]
    pub fn with(&self, more: &[Timestamp], now: Timestamp) -> Self {
        let recent = |t: &Timestamp| now.since(*t) < FLAP_MEMORY;
        if more.is_empty() && self.times().iter().all(recent) {
            return self.clone();
        }
        let mut times: Vec<Timestamp> = self.times().iter().chain(more).copied().filter(recent).collect();
        times.sort_unstable();
        let surplus = times.len().saturating_sub(MOST_FLAPS);
        times.drain(..surplus);
        times.into()
    }
}

impl From<Vec<Timestamp>> for Flaps {
    fn from(times: Vec<Timestamp>) -> Self {
        Self((!times.is_empty()).then(|| times.into()))
    }
}

/// What made a port part of the network while it had its link. The device forgets it soon after the link is lost, which is
/// when it is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ties {
    /// The neighbor that forwards for others, and when it was last heard of.
    pub neighbor: Option<(NeighborId, Timestamp)>,
    /// The aggregate it belonged to, and when the device last said so.
    pub aggregate: Option<(PortKey, Timestamp)>,
}

/// What has to be known of a port from one walk to the next, and over restarts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PortMemory {
    pub state: PortState,
    /// `ifIndex` when it was last seen.
    pub index: u32,
    pub first_seen: Timestamp,
    /// When the state was seen to change; `None` while it is what the first walk found.
    pub changed: Option<Timestamp>,
    /// It was up at least once since it is watched.
    pub seen_up: bool,
    /// Spanning tree let it forward at least once.
    pub forwarded: bool,
    /// The fastest speed it was seen up with; bits per second.
    pub fastest_bps: Option<u64>,
    /// Since when it has been slower than that whenever it was up.
    pub slower_since: Option<Timestamp>,
    pub flaps: Flaps,
    pub ties: Option<Arc<Ties>>,
    /// Since when the device does not list it any more.
    pub absent: Option<Timestamp>,
    /// That it is absent is a problem: it was part of the network, or of a module.
    pub missed: bool,
}

/// What happened to a port, or to the whole device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortEvent {
    pub at: Timestamp,
    /// `None` for the device as a whole.
    pub port: Option<PortKey>,
    pub change: PortChange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortChange {
    State {
        from: PortState,
        to: PortState,
    },
    /// The device lists it, and did not before.
    Appeared,
    Gone,
    /// The device was restarted.
    Restarted,
    /// Its SNMP agent was, the device itself was not.
    AgentRestarted,
    /// So many ports changed at once that they are not told one by one.
    ManyChanged(u32),
    ManyAppeared(u32),
    ManyGone(u32),
}

impl PortChange {
    /// In words, without the port.
    pub fn words(self) -> String {
        match self {
            Self::State { from, to } => format!("{} → {}", from.as_str(), to.as_str()),
            Self::Appeared => "appeared".to_owned(),
            Self::Gone => "gone".to_owned(),
            Self::Restarted => "the device was restarted".to_owned(),
            Self::AgentRestarted => "the agent was restarted".to_owned(),
            Self::ManyChanged(ports) => format!("{ports} ports changed at once"),
            Self::ManyAppeared(ports) => format!("{ports} ports appeared at once"),
            Self::ManyGone(ports) => format!("{ports} ports are gone at once"),
        }
    }
}

/// What is kept of a device's ports over a restart of noctty.
#[derive(Clone, Debug, PartialEq)]
pub struct RememberedDevice {
    pub host: AssetId,
    /// When it was last walked.
    pub at: Timestamp,
    pub uptime: Option<Duration>,
    pub engine: Option<EngineClock>,
    /// `sysName`, and [`super::device::Equipment::chassis_macs`]: by these its neighbors' ports know it.
    pub name: Untrusted,
    pub chassis: [Option<Mac>; 2],
    pub ports: Vec<(PortKey, PortMemory)>,
    /// Newest first.
    pub events: Vec<PortEvent>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaps_are_those_of_the_last_hour_and_shared_while_nothing_changes() {
        let at = |s: i64| Timestamp::from_secs(1_800_000_000 + s);
        let flaps = Flaps::default().with(&[at(0), at(60)], at(60));
        assert_eq!(flaps.times(), [at(0), at(60)]);
        let same = flaps.with(&[], at(120));
        assert!(std::ptr::eq(flaps.times(), same.times()));
        assert_eq!(same.with(&[], at(3605)).times(), [at(60)]);
        assert!(same.with(&[], at(9000)).is_empty());
        let many: Vec<Timestamp> = (0..500).map(at).collect();
        let kept = Flaps::default().with(&many, at(500));
        assert_eq!((kept.len(), kept.times().last()), (100, Some(&at(499))));
    }
}
