//! Rates of the few ports that somebody looks at, kept from walk to walk while they are looked at: the snapshot has only the
//! last rates of all ports, and no history. Bounded in ports and in values.
//!
//! A rate is taken between two walks whose counters differ somewhere on the device, because an agent that is asked faster than
//! it counts would else show nothing, and then twice as much.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{AssetId, Counters, PortKey, PortTable};
use crate::state::rules::refresh;
use crate::state::{DeviceView, Snapshot};

use super::port::Seen;

/// Ports that are kept.
const PORTS: usize = 16;
/// Values of each.
const VALUES: usize = 120;
/// A rate above the port's speed by more than that is none.
const PLAUSIBLE: f64 = 1.2;

#[derive(Debug, Default)]
pub struct Trails {
    /// The one that was looked at last comes last.
    ports: VecDeque<(AssetId, PortKey, Trail)>,
}

/// Of a million packets, received and sent.
pub type Share = (Option<f32>, Option<f32>);

/// The rates of one port since it is looked at.
#[derive(Debug)]
pub struct Trail {
    pub since: Timestamp,
    /// Bits per second in and out, oldest first; `None` where there is a gap.
    pub values: VecDeque<Option<(f32, f32)>>,
    /// Errors and discards of a million packets between the last two walks, where packets are counted.
    pub errors: Option<Share>,
    pub discards: Option<Share>,
    /// The walk that was last taken, and the last that brought something new.
    last: Arc<PortTable>,
    moved: Arc<PortTable>,
}

impl Trails {
    /// Begins a trail for a port that is looked at, or goes on with the one there is.
    pub fn look_at(&mut self, device: &DeviceView, port: PortKey) {
        let asset = &device.host.id;
        let known = self.ports.iter().position(|(id, p, _)| id == asset && *p == port);
        let entry = known.and_then(|at| self.ports.remove(at)).unwrap_or_else(|| {
            let trail = Trail {
                since: device.table.collected_at,
                values: VecDeque::new(),
                errors: None,
                discards: None,
                last: device.table.clone(),
                moved: device.table.clone(),
            };
            (asset.clone(), port, trail)
        });
        self.ports.push_back(entry);
        if self.ports.len() > PORTS {
            self.ports.pop_front();
        }
    }

    pub fn of(&self, asset: &AssetId, port: &PortKey) -> Option<&Trail> {
        self.ports.iter().find(|(id, p, _)| id == asset && p == port).map(|(_, _, trail)| trail)
    }

    /// Takes in what was walked since.
    pub fn take(&mut self, snapshot: &Snapshot) {
        for (asset, port, trail) in &mut self.ports {
            if let Some(device) = snapshot.device(asset)
                && !Arc::ptr_eq(&trail.last, &device.table)
            {
                trail.walked(device, port);
            }
        }
    }
}

impl Trail {
    /// Whether anything went through the port.
    pub fn has_course(&self) -> bool {
        self.values.iter().flatten().any(|(received, sent)| *received > 0.0 || *sent > 0.0)
    }

    fn walked(&mut self, device: &DeviceView, port: &PortKey) {
        let table = &device.table;
        let seen = device.row(port).and_then(|row| Seen::at(device, row));
        let gap = seen.is_none_or(|s| s.gap().is_some());
        let shares = seen.filter(|_| !gap).map(|seen| shares(&self.last, table, &seen));
        (self.errors, self.discards) = shares.unwrap_or_default();
        if !gap && !refresh::moved(&self.moved, table) {
            self.last = table.clone();
            return;
        }
        let value = seen.filter(|_| !gap).and_then(|seen| {
            let before = self.moved.by_index(seen.port.index)?;
            let seconds = passed(&self.moved, table)?.as_secs_f64();
            let speed = seen.port.speed_bps;
            let (old, new) = (&before.counters, &seen.port.counters);
            Some((
                rate(old, new, Counters::in_octets, seconds, speed)?,
                rate(old, new, Counters::out_octets, seconds, speed)?,
            ))
        });
        self.values.push_back(value);
        if self.values.len() > VALUES {
            self.values.pop_front();
        }
        self.last = table.clone();
        self.moved = table.clone();
    }
}

/// Errors and discards of a million packets from one walk to the next.
fn shares(before: &PortTable, now: &PortTable, seen: &Seen<'_>) -> (Option<Share>, Option<Share>) {
    let index = seen.port.index;
    let (Some(old), Some(was), Some(is)) = (before.by_index(index), before.packets(index), now.packets(index)) else {
        return (None, None);
    };
    let (old, new) = (&old.counters, &seen.port.counters);
    let share = |old: Option<u64>, new: Option<u64>, was: Option<u64>, is: Option<u64>| {
        let packets = is?.checked_sub(was?).filter(|n| *n > 0)?;
        Some((new?.checked_sub(old?)? as f64 * 1e6 / packets as f64) as f32)
    };
    let errors = (
        share(old.in_errors(), new.in_errors(), was.received, is.received),
        share(old.out_errors(), new.out_errors(), was.sent, is.sent),
    );
    let discards = (
        share(old.in_discards(), new.in_discards(), was.received, is.received),
        share(old.out_discards(), new.out_discards(), was.sent, is.sent),
    );
    (Some(errors), Some(discards))
}

/// What passed on the agent's clock, else on ours.
fn passed(before: &PortTable, now: &PortTable) -> Option<Duration> {
    match (before.device.uptime, now.device.uptime) {
        (Some(then), Some(now)) => now.checked_sub(then),
        _ => Some(now.collected_at.since(before.collected_at)),
    }
    .filter(|passed| !passed.is_zero())
}

fn rate(
    old: &Counters,
    new: &Counters,
    octets: impl Fn(&Counters) -> Option<u64>,
    seconds: f64,
    speed: Option<u64>,
) -> Option<f32> {
    let (was, is) = (octets(old)?, octets(new)?);
    // A 32-bit counter wraps.
    let wrapped = if new.wide { None } else { (is + (1 << 32)).checked_sub(was) };
    let passed = is.checked_sub(was).or(wrapped)?;
    let rate = passed as f64 * 8.0 / seconds;
    speed.is_none_or(|s| rate <= s as f64 * PLAUSIBLE).then_some(rate as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Condition, Counter};
    use crate::state::{Gap, PortState};
    use crate::ui::tests::fixture;

    /// The device at a second of its life; its counters are those of `counted`.
    fn walk(second: u64, counted: u64, gap: Option<Gap>) -> DeviceView {
        let mut view = fixture::device("sw", &[("Gi1".to_owned(), PortState::Up, Condition::Ok)]);
        let table = Arc::make_mut(&mut view.table);
        table.device.uptime = Some(Duration::from_secs(1_000 + second));
        table.ports[0].counters.set(Counter::InOctets, Some(counted * 1_000));
        table.ports[0].counters.set(Counter::OutOctets, Some(0));
        table.ports[0].counters.wide = true;
        view.ports[0].gap = gap;
        view
    }

    fn trail(walks: &[(u64, u64, Option<Gap>)]) -> Vec<Option<(f32, f32)>> {
        let mut trails = Trails::default();
        let first = walk(0, 0, None);
        let id = Seen::at(&first, 0).expect("a port").key();
        trails.look_at(&first, id.clone());
        for (second, counted, gap) in walks {
            let view = Arc::new(walk(*second, *counted, *gap));
            trails.take(&Snapshot { devices: vec![view.clone()], ..Snapshot::default() });
            // The same walk again is no news.
            trails.take(&Snapshot { devices: vec![view], ..Snapshot::default() });
        }
        trails.of(&AssetId::new("sw"), &id).expect("kept").values.iter().copied().collect()
    }

    #[test]
    fn a_rate_spans_the_time_between_two_refreshes_however_often_is_asked() {
        let walks = [(1, 0, None), (5, 0, None), (10, 10, None), (11, 10, None), (20, 20, None)];
        assert_eq!(trail(&walks), [Some((8_000.0, 0.0)), Some((8_000.0, 0.0))]);
    }

    #[test]
    fn a_gap_is_a_gap_and_the_next_rate_begins_after_it() {
        let walks = [(10, 10, None), (20, 1, Some(Gap::Reset)), (30, 11, None)];
        assert_eq!(trail(&walks), [Some((8_000.0, 0.0)), None, Some((8_000.0, 0.0))]);
        assert_eq!(trail(&[(10, 10_000_000, None)]), [None], "faster than the port");
    }

    #[test]
    fn ports_and_values_are_bounded() {
        let mut trails = Trails::default();
        let names: Vec<_> = (0..100).map(|n| (format!("p{n}"), PortState::Up, Condition::Ok)).collect();
        let view = fixture::device("sw", &names);
        for seen in Seen::all(&view) {
            trails.look_at(&view, seen.key());
        }
        assert_eq!(trails.ports.len(), PORTS);
        let long: Vec<_> = (1..=200).map(|s| (s, s, None)).collect();
        assert_eq!(trail(&long).len(), VALUES);
    }
}
