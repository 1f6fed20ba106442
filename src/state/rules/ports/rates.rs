//! Rates between two walks, and what share of the packets errors and discards are. Where the counters do not span the time
//! in between there is a gap with its reason, never a spike and never a negative.

use crate::model::port_rules::Limits;
use crate::model::{Condition, Counters, Port, PortPackets};
use crate::state::view::{Gap, Rates, Strain};

/// A rate above the port's speed by more than that is no rate.
const PLAUSIBLE: f64 = 1.2;
/// No interface is faster; bits per second.
const FASTEST: f64 = 1e14;
/// Types whose speed is that of a medium (IANAifType): Ethernet and its older names, aggregates. What agents say of tunnels
/// and the like is made up.
pub const MEDIA: [u32; 6] = [6, 7, 62, 69, 117, 161];

/// Shares are of at least so many packets, and at least so many errors.
const LEAST_PACKETS: f64 = 100.0;
const LEAST_ERRORS: f64 = 5.0;
/// Errors a second that are a problem where nobody counts packets.
const MANY: f64 = 1.0;
/// Errors a second that are a problem whatever their share is.
const VERY_MANY: f64 = 100.0;
/// A share that was too large is so until it is smaller by a tenth.
const STICKS: f64 = 0.9;

/// Errors or discards that are too many, of one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Excess {
    pub condition: Condition,
    pub outwards: bool,
    pub per_second: f64,
    /// Per million packets, where packets are counted.
    pub share: Option<f64>,
}

/// What a walk says of errors or discards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// Nobody counts them, or not over this time.
    Unknown,
    Few,
    TooMany(Excess),
}

impl Finding {
    pub fn excess(self) -> Option<Excess> {
        if let Self::TooMany(excess) = self { Some(excess) } else { None }
    }

    /// How long it has been too much now. Where nothing is known, nothing begins and nothing ends.
    pub fn after(self, strain: Strain) -> Strain {
        match self {
            Self::Unknown => strain,
            Self::Few => strain.after(false),
            Self::TooMany(_) => strain.after(true),
        }
    }

    fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::TooMany(a), Self::TooMany(b)) => {
                let key = |e: &Excess| (e.condition, e.share.unwrap_or(0.0));
                if key(&b) > key(&a) { other } else { self }
            }
            (Self::TooMany(_), _) | (_, Self::Unknown) => self,
            (Self::Unknown | Self::Few, _) => other,
        }
    }
}

/// Rates over `seconds` of the agent's clock, or why there are none.
pub fn rates(old: &Port, new: &Port, seconds: f64) -> (Rates, Option<Gap>) {
    let (before, now) = (&old.counters, &new.counters);
    // A column that was missing once says nothing.
    if before.discontinuity().zip(now.discontinuity()).is_some_and(|(a, b)| a != b) {
        return (Rates::default(), Some(Gap::Discontinuity));
    }
    let events = |old: Option<u64>, new: Option<u64>| Some(new?.checked_sub(old?)? as f64 / seconds);
    let mut values = [
        None,
        None,
        events(before.in_errors(), now.in_errors()),
        events(before.out_errors(), now.out_errors()),
        events(before.in_discards(), now.in_discards()),
        events(before.out_discards(), now.out_discards()),
    ];
    if before.wide != now.wide {
        return (Rates::new(values), Some(Gap::WidthChanged));
    }
    let most = most(new);
    let octets = |old, new_value| bit_rate(old, new_value, now, seconds, new.speed_bps, most);
    let (received, sent) = (octets(before.in_octets(), now.in_octets()), octets(before.out_octets(), now.out_octets()));
    let gap = received.err().or(sent.err());
    values[0] = received.ok().flatten();
    values[1] = sent.ok().flatten();
    (Rates::new(values), gap)
}

fn most(port: &Port) -> f64 {
    let medium = port.if_type.is_none_or(|kind| MEDIA.contains(&kind));
    port.speed_bps.filter(|_| medium || !port.counters.wide).map_or(FASTEST, |speed| speed as f64 * PLAUSIBLE)
}

/// Bits per second between two readings of an octet counter; `Ok(None)` where the agent has none.
fn bit_rate(
    old: Option<u64>,
    new: Option<u64>,
    counters: &Counters,
    seconds: f64,
    speed: Option<u64>,
    most: f64,
) -> Result<Option<f64>, Gap> {
    let (Some(old), Some(new)) = (old, new) else { return Ok(None) };
    let range = u64::from(u32::MAX) + 1;
    if !counters.wide && speed.is_some_and(|s| s as f64 / 8.0 * seconds >= range as f64) {
        return Err(Gap::MayHaveWrapped);
    }
    let passed = match new.checked_sub(old) {
        Some(passed) => passed,
        // Only a 32-bit counter wraps in a lifetime.
        None if !counters.wide && speed.is_some() && old < range => new + range - old,
        None => return Err(Gap::Reset),
    };
    let rate = passed as f64 * 8.0 / seconds;
    if rate > most { Err(Gap::Jumped) } else { Ok(Some(rate)) }
}

/// Errors, of the worse direction. `packets` are those of both walks, looked up only where there are errors; `already`: there
/// were too many before.
pub fn errors<'p>(
    rates: &Rates,
    packets: impl FnOnce() -> Option<(&'p PortPackets, &'p PortPackets)>,
    seconds: f64,
    limits: &Limits,
    already: bool,
) -> Finding {
    let known = rates.in_errors().is_some() || rates.out_errors().is_some();
    if rates.in_errors().unwrap_or(0.0) + rates.out_errors().unwrap_or(0.0) <= 0.0 {
        return if known { Finding::Few } else { Finding::Unknown };
    }
    let limits = (f64::from(limits.errors_warning), f64::from(limits.errors_critical));
    let (received, sent) = passed(packets());
    let inwards = excess(rates.in_errors(), received, seconds, limits, already, false);
    let outwards = excess(rates.out_errors(), sent, seconds, limits, already, true);
    inwards.worse(outwards)
}

/// As [`errors`], of frames that were thrown away on the way out. Those thrown away on the way in are mostly of VLANs that
/// the port does not carry.
pub fn discards<'p>(
    rates: &Rates,
    packets: impl FnOnce() -> Option<(&'p PortPackets, &'p PortPackets)>,
    seconds: f64,
    limits: &Limits,
    already: bool,
) -> Finding {
    match rates.out_discards() {
        None => return Finding::Unknown,
        Some(thrown_away) if thrown_away <= 0.0 => return Finding::Few,
        Some(_) => {}
    }
    let limits = (f64::from(limits.discards_warning), f64::from(limits.discards_critical));
    excess(rates.out_discards(), passed(packets()).1, seconds, limits, already, true)
}

fn passed(packets: Option<(&PortPackets, &PortPackets)>) -> (Option<f64>, Option<f64>) {
    let passed = |old: Option<u64>, new: Option<u64>| Some(new?.checked_sub(old?)? as f64);
    packets.map_or((None, None), |(old, new)| (passed(old.received, new.received), passed(old.sent, new.sent)))
}

fn excess(
    rate: Option<f64>,
    packets: Option<f64>,
    seconds: f64,
    (warning, critical): (f64, f64),
    already: bool,
    outwards: bool,
) -> Finding {
    let Some(per_second) = rate else { return Finding::Unknown };
    let count = per_second * seconds;
    let share = packets
        .map(|passed| (passed + count, count))
        .filter(|(all, count)| *all >= LEAST_PACKETS && *count >= LEAST_ERRORS)
        .map(|(all, count)| count / all * 1e6);
    let enough = if already { STICKS } else { 1.0 };
    let condition = match share {
        Some(share) if share >= critical => Condition::Critical,
        Some(share) if share >= warning * enough => Condition::Warning,
        None if packets.is_none() && per_second >= VERY_MANY => Condition::Critical,
        None if packets.is_none() && per_second >= MANY * enough => Condition::Warning,
        _ if per_second >= VERY_MANY * enough => Condition::Warning,
        _ => return Finding::Few,
    };
    Finding::TooMany(Excess { condition, outwards, per_second, share })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(octets: u64, wide: bool, speed: Option<u64>) -> Port {
        let counters = Counters::of_octets(Some(octets), None, wide);
        Port { if_type: Some(6), speed_bps: speed, counters, ..Port::default() }
    }

    fn received(old: u64, new: u64, wide: bool, seconds: f64, speed: Option<u64>) -> Result<f64, Gap> {
        match rates(&port(old, wide, speed), &port(new, wide, speed), seconds) {
            (_, Some(gap)) => Err(gap),
            (rates, None) => Ok(rates.in_bps().expect("a rate")),
        }
    }

    #[test]
    fn a_32_bit_counter_wraps_where_it_can_have_wrapped_only_once() {
        let near = u64::from(u32::MAX) - 99;
        assert_eq!(received(near, 900, false, 10.0, Some(100_000_000)), Ok(800.0));
        assert_eq!(received(near, 900, false, 10.0, None), Err(Gap::Reset));
        assert_eq!(received(0, 900, false, 60.0, Some(10_000_000_000)), Err(Gap::MayHaveWrapped));
        let (found, gap) = rates(&Port::default(), &Port::default(), 10.0);
        assert_eq!((found.in_bps(), gap), (None, None));
    }

    #[test]
    fn a_64_bit_counter_goes_above_two_to_the_63_and_never_wraps() {
        let high = u64::MAX - 1_000_000;
        assert_eq!(received(high, high + 7_500, true, 60.0, Some(1_000_000_000)), Ok(1000.0));
        assert_eq!(received(high, 5, true, 60.0, Some(1_000_000_000)), Err(Gap::Reset));
        assert_eq!(received(0, high, true, 60.0, None), Err(Gap::Jumped), "faster than anything is");
    }

    #[test]
    fn a_speed_that_is_made_up_hides_no_traffic() {
        let tunnel = |octets| Port { if_type: Some(131), ..port(octets, true, Some(10_000_000)) };
        let (rates, gap) = rates(&tunnel(0), &tunnel(750_000_000), 60.0);
        assert_eq!((rates.in_bps(), gap), (Some(1e8), None));
        assert_eq!(received(0, 750_000_000, true, 60.0, Some(10_000_000)), Err(Gap::Jumped), "a medium has its speed");
    }

    #[test]
    fn errors_count_by_their_share_where_packets_are_counted() {
        let limits = Limits::default();
        let judge = |per_second: f64, packets: Option<u64>, already| {
            let rates = Rates::new([None, None, Some(per_second), None, None, None]);
            let old = PortPackets::default();
            let (zero, all) = (Some(0), packets);
            let old = PortPackets { received: zero, ..old };
            let new = PortPackets { received: all, ..old };
            errors(&rates, || packets.map(|_| (&old, &new)), 60.0, &limits, already).excess().map(|e| e.condition)
        };
        assert_eq!(judge(1.0, Some(10_000_000), false), None, "6 per million");
        assert_eq!(judge(1.0, Some(300_000), false), Some(Condition::Warning), "200 per million");
        assert_eq!(judge(1.0, Some(1000), false), Some(Condition::Critical));
        assert_eq!(judge(0.95, Some(600_000), false), None, "95 per million");
        assert_eq!(judge(0.95, Some(600_000), true), Some(Condition::Warning), "it was more");
        assert_eq!(judge(1.0 / 60.0, Some(1), false), None, "1 of 1 is no share");
        assert_eq!(judge(200.0, Some(1_000_000_000), false), Some(Condition::Warning), "so many are a problem anyway");
        assert_eq!(judge(0.5, None, false), None);
        assert_eq!(judge(2.0, None, false), Some(Condition::Warning));
        assert_eq!(judge(500.0, None, false), Some(Condition::Critical));
    }

    #[test]
    fn what_is_not_counted_is_not_judged() {
        let limits = Limits::default();
        assert_eq!(errors(&Rates::default(), || None, 60.0, &limits, false), Finding::Unknown);
        let inwards = Rates::new([None, None, None, None, Some(500.0), None]);
        assert_eq!(discards(&inwards, || None, 60.0, &limits, false), Finding::Unknown, "thrown away on the way in");
        let outwards = Rates::new([None, None, None, None, None, Some(2.0)]);
        assert!(discards(&outwards, || None, 60.0, &limits, false).excess().is_some_and(|e| e.outwards));
    }
}
