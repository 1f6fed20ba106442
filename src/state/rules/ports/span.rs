//! The time between two walks on the device's own clock, and whether it was restarted in between.
//!
//! The SNMP engine's clock is asked first: it counts seconds and boots and does not wrap while anybody lives. `sysUpTime`
//! wraps after 497 days, which is no restart. A clock that does not go about as fast as ours is not believed.

use std::time::Duration;

use crate::base::Timestamp;
use crate::model::device::EngineClock;
use crate::model::{PortTable, RememberedDevice};
use crate::state::view::Gap;

/// sysUpTime counts hundredths of a second in 32 bits.
const WRAP: Duration = Duration::from_millis((1 << 32) * 10);
/// Counters over a shorter time say little: many agents refresh them every 5 to 15 seconds only.
const SHORTEST: Duration = Duration::from_secs(8);
/// A walk takes its time, and the clocks are read at its beginning.
const SLACK: Duration = Duration::from_secs(60);
/// From here on a clock that did not move stands still.
const STANDS: Duration = Duration::from_secs(5);

/// The clocks of a device at one moment of ours.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    at: Timestamp,
    uptime: Option<Duration>,
    host_uptime: Option<Duration>,
    engine: Option<EngineClock>,
}

impl From<&PortTable> for Clocks {
    fn from(table: &PortTable) -> Self {
        let device = &table.device;
        Self { at: table.collected_at, uptime: device.uptime, host_uptime: device.host_uptime, engine: device.engine }
    }
}

impl From<&RememberedDevice> for Clocks {
    fn from(device: &RememberedDevice) -> Self {
        Self { at: device.at, uptime: device.uptime, host_uptime: None, engine: device.engine }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    /// By the device's clock.
    Seconds(f64),
    TooShort,
    DeviceRestarted,
    /// The machine that the agent runs on was not.
    AgentRestarted,
    NoClock,
    ClockJumped,
}

impl Span {
    /// Why there are no rates over it.
    pub fn gap(self) -> Option<Gap> {
        match self {
            Self::Seconds(_) | Self::TooShort => None,
            Self::DeviceRestarted => Some(Gap::DeviceRestarted),
            Self::AgentRestarted => Some(Gap::AgentRestarted),
            Self::NoClock => Some(Gap::NoClock),
            Self::ClockJumped => Some(Gap::ClockJumped),
        }
    }

    /// The device numbers its interfaces as it did before, as far as anybody can tell.
    pub fn keeps_indexes(self) -> bool {
        matches!(self, Self::Seconds(_) | Self::TooShort | Self::NoClock)
    }
}

pub fn span(before: Clocks, now: Clocks) -> Span {
    let ours = now.at.since(before.at);
    let said = before.engine.zip(now.engine).and_then(|(old, new)| engine(old, new, ours));
    let found = match said {
        Some(Engine::Restarted) => return restarted(before, now),
        Some(Engine::Went(passed)) => went(passed, before, now, ours),
        None => uptime(before, now, ours),
    };
    match found {
        Ok(passed) if passed < SHORTEST => Span::TooShort,
        Ok(passed) => Span::Seconds(passed.as_secs_f64()),
        Err(Span::DeviceRestarted) => restarted(before, now),
        Err(other) => other,
    }
}

fn restarted(before: Clocks, now: Clocks) -> Span {
    let machine_went_on = before.host_uptime.zip(now.host_uptime).is_some_and(|(old, new)| new >= old);
    if machine_went_on { Span::AgentRestarted } else { Span::DeviceRestarted }
}

/// What the engine's clock says, where it can be believed.
enum Engine {
    Restarted,
    Went(Duration),
}

fn engine(old: EngineClock, new: EngineClock, ours: Duration) -> Option<Engine> {
    let most = ours + ours / 2 + SLACK;
    if old.boots == new.boots
        && let Some(passed) = new.time.checked_sub(old.time)
    {
        let runs = passed <= most && passed * 2 + SLACK / 6 >= ours;
        return runs.then_some(Engine::Went(passed));
    }
    // After a restart it counts from zero; a number of boots that moves by itself means nothing.
    (new.time <= most).then_some(Engine::Restarted)
}

/// No restart: `sysUpTime` has the finer hundredths, where it went along.
fn went(passed: Duration, before: Clocks, now: Clocks, ours: Duration) -> Result<Duration, Span> {
    let (Some(old), Some(new)) = (before.uptime, now.uptime) else { return Ok(passed) };
    let fine = new.checked_sub(old).or_else(|| wrapped(old, new, ours)).ok_or(Span::ClockJumped)?;
    Ok(if fine.abs_diff(passed) <= Duration::from_secs(2) { fine } else { passed })
}

/// `sysUpTime` alone.
fn uptime(before: Clocks, now: Clocks, ours: Duration) -> Result<Duration, Span> {
    let (Some(old), Some(new)) = (before.uptime, now.uptime) else { return Err(Span::NoClock) };
    match new.checked_sub(old) {
        Some(passed) if passed.is_zero() && ours >= STANDS => Err(Span::NoClock),
        Some(passed) if passed > ours + ours / 2 + SLACK => Err(Span::ClockJumped),
        // It has been up for less than the time since the last look, and so was restarted since.
        Some(_) if new + SLACK + ours / 10 < ours => Err(Span::DeviceRestarted),
        Some(passed) => Ok(passed),
        None => wrapped(old, new, ours).ok_or(Span::DeviceRestarted),
    }
}

/// What passed over the wrap; then the clock stood short of it by no more than has passed since.
fn wrapped(old: Duration, new: Duration, ours: Duration) -> Option<Duration> {
    let passed = WRAP.checked_sub(old)? + new;
    (passed <= ours * 2 + STANDS).then_some(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn clocks(at: u64) -> Clocks {
        Clocks {
            at: Timestamp::from_secs(1_800_000_000).plus(Duration::from_secs(at)),
            uptime: None,
            host_uptime: None,
            engine: None,
        }
    }

    fn up(at: u64, seconds: u64) -> Clocks {
        Clocks { uptime: Some(Duration::from_secs(seconds)), ..clocks(at) }
    }

    fn with_engine(clocks: Clocks, boots: u32, seconds: u64) -> Clocks {
        Clocks { engine: Some(EngineClock { boots, time: Duration::from_secs(seconds) }), ..clocks }
    }

    #[test]
    fn without_an_engine_the_uptime_decides() {
        assert_eq!(span(up(0, 500), up(60, 560)), Span::Seconds(60.0));
        assert_eq!(span(up(0, 500), up(60, 20)), Span::DeviceRestarted);
        assert_eq!(span(up(0, 500), clocks(60)), Span::NoClock);
        assert_eq!(span(up(0, 500), up(60, 500)), Span::NoClock, "it stands still");
        assert_eq!(span(up(0, 500), up(1, 500)), Span::TooShort);
        assert_eq!(span(up(0, 500), up(7, 507)), Span::TooShort);
        assert_eq!(span(up(0, 500), up(10, 510)), Span::Seconds(10.0));
        assert_eq!(span(up(0, 500), up(60, 900_000)), Span::ClockJumped);
    }

    #[test]
    fn a_restart_long_ago_shows_by_an_uptime_shorter_than_the_time_since() {
        assert_eq!(span(up(0, 86_400), up(864_000, 432_000)), Span::DeviceRestarted);
        assert_eq!(span(up(0, 86_400), up(864_000, 950_400)), Span::Seconds(864_000.0));
    }

    #[test]
    fn the_wrap_of_sys_up_time_is_no_restart() {
        let end = WRAP.as_secs();
        assert_eq!(span(up(0, end - 30), up(60, 30)), Span::Seconds(60.96));
        assert_eq!(span(up(0, end / 2), up(60, 30)), Span::DeviceRestarted);
        let with = |at, uptime, time| with_engine(up(at, uptime), 4, time);
        assert_eq!(span(with(0, end - 30, 90_000_000), with(60, 30, 90_000_060)), Span::Seconds(60.96));
    }

    #[test]
    fn the_engines_clock_comes_first() {
        let with = |at, uptime, boots, time| with_engine(up(at, uptime), boots, time);
        assert_eq!(span(with(0, 500, 4, 500), with(60, 20, 5, 20)), Span::DeviceRestarted);
        assert_eq!(span(with(0, 500, 1, 500), with(60, 20, 1, 20)), Span::DeviceRestarted, "boots are not kept");
        assert_eq!(span(with(0, 500, 4, 500), with(60, 20, 4, 560)), Span::ClockJumped, "the engine went on");
        assert_eq!(span(with_engine(clocks(0), 4, 500), with_engine(clocks(60), 4, 559)), Span::Seconds(59.0));
    }

    #[test]
    fn a_garbage_engine_clock_falls_back_to_the_uptime() {
        let with = |at, uptime, boots, time| with_engine(up(at, uptime), boots, time);
        for (old, new) in
            [((4, 500), (4, 500)), ((4, 7), (9, 1_900_000_000)), ((4, 500), (4, 60_000)), ((9, 5000), (9, 300))]
        {
            let found = span(with(0, 500, old.0, old.1), with(60, 560, new.0, new.1));
            assert_eq!(found, Span::Seconds(60.0), "{old:?} to {new:?}");
        }
    }

    #[test]
    fn an_agent_that_starts_anew_on_a_running_machine_is_told_from_a_restart() {
        let on = |clocks: Clocks, up: u64| Clocks { host_uptime: Some(Duration::from_secs(up)), ..clocks };
        assert_eq!(span(on(up(0, 500), 9_000), on(up(60, 3), 9_060)), Span::AgentRestarted);
        assert_eq!(span(on(up(0, 500), 9_000), on(up(60, 3), 40)), Span::DeviceRestarted);
        assert!(!Span::AgentRestarted.keeps_indexes() && Span::Seconds(MINUTE.as_secs_f64()).keeps_indexes());
    }
}
