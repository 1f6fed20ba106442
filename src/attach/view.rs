//! The form of what may be seen: hosts, devices, jobs and the snapshot that holds them. A field that is added to a view is
//! added here, or this does not compile.

use super::wire::{Malformed, Reader, Wire, wire};
use crate::state::rules::refresh::Pace;
use crate::state::snapshot::ProblemKind;
use crate::state::view::{AbsentPort, Missing, Strain};
use crate::state::{
    Awaited, Behind, CheckView, DeviceView, Gap, HostView, HostWatch, JobState, JobView, Mode, NotificationView,
    PortView, Problem, Rates, Storage, Totals, WatchView,
};

wire! {
    record HostView { host, condition, since, reason, checks, last_seen, stale, behind, trail, care }
    record CheckView { spec, condition, attempt, since, last, last_good, last_bad, good_before, stale, eased, restored,
        flap, ack, missing }
    record PortView {
        row, state, reason, condition, changed, rates, gap, flaps, seen_up, forwarded, role, told_apart, fastest,
        slower_since, first_seen, ties, errors, discards,
    }
    choice Gap {
        FirstWalk, FirstSeen, DeviceRestarted, AgentRestarted, NoClock, ClockJumped, Discontinuity, WidthChanged,
        MayHaveWrapped, Reset, Jumped,
    }
    record AbsentPort { key, memory, gone }
    record Missing { reason, since }
    record JobView {
        job, state, condition, since, reason, findings, report, newest, next_expected, last_expected, check, stale,
        review_at, care,
    }
    choice JobState {
        Pending, Waiting, Ok, AtRisk, Breach, Missed, Locked, Failed, Corrupt, Warning, Unknown,
    }
    record NotificationView { told, port }
    record Problem {
        kind, asset, target, port, title, condition, stale, word, reason, since, hides, behind, care, rank,
    }
    record Behind { target, inferred }
    choice ProblemKind { Console, Host, Port, Device, Backup }
    record Awaited { problems, hosts, devices, jobs, incidents, others }
    record Totals {
        hosts, hosts_ok, hosts_stale, hosts_pending, hosts_not_probed, critical, warning, unknown, unreachable, devices,
        ports, ports_up, jobs, jobs_ok, owned, unowned, flapping, in_maintenance,
    }
    choice Mode { Polling, Paused, Passive }
    choice Storage { Opening, Ready, NotSaved { reason: reason } }
    record WatchView { asset, since, until, every, refresh, took }
    record HostWatch { asset, check, every, since, until }
    choice Pace { Measuring, AsAsked, Every { 0: every } }
}

/// Without the walk that rates are counted from: only the engine counts.
impl Wire for DeviceView {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        let Self {
            host,
            table,
            ports,
            up,
            condition,
            stale,
            rebooted,
            events,
            absent,
            missing,
            findings,
            counted_from: _,
        } = self;
        let shared = [
            before.is_some_and(|b| host.same(&b.host)),
            before.is_some_and(|b| table.same(&b.table)),
            before.is_some_and(|b| ports.same(&b.ports)),
            before.is_some_and(|b| events.same(&b.events)),
            before.is_some_and(|b| absent.same(&b.absent)),
            before.is_some_and(|b| findings.same(&b.findings)),
        ];
        let bits = shared.iter().enumerate().fold(0u8, |bits, (at, same)| bits | (u8::from(*same) << at));
        out.push(bits);
        if !shared[0] {
            host.put(before.map(|b| &b.host), out);
        }
        if !shared[1] {
            table.put(before.map(|b| &b.table), out);
        }
        if !shared[2] {
            ports.put(before.map(|b| &b.ports), out);
        }
        if !shared[3] {
            events.put(before.map(|b| &b.events), out);
        }
        if !shared[4] {
            absent.put(before.map(|b| &b.absent), out);
        }
        if !shared[5] {
            findings.put(before.map(|b| &b.findings), out);
        }
        up.put(before.map(|b| &b.up), out);
        condition.put(None, out);
        stale.put(None, out);
        rebooted.put(None, out);
        missing.put(None, out);
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        fn either<T: Wire + Clone>(same: bool, before: Option<&T>, from: &mut Reader<'_>) -> Result<T, Malformed> {
            match before {
                Some(before) if same => Ok(before.clone()),
                None if same => Err(Malformed("there was no such device")),
                _ => T::take(before, from),
            }
        }
        let bits = from.byte()?;
        let same = |at: u8| (bits >> at) & 1 == 1;
        Ok(Self {
            host: either(same(0), before.map(|b| &b.host), from)?,
            table: either(same(1), before.map(|b| &b.table), from)?,
            ports: either(same(2), before.map(|b| &b.ports), from)?,
            events: either(same(3), before.map(|b| &b.events), from)?,
            absent: either(same(4), before.map(|b| &b.absent), from)?,
            findings: either(same(5), before.map(|b| &b.findings), from)?,
            up: Wire::take(before.map(|b| &b.up), from)?,
            condition: Wire::take(None, from)?,
            stale: Wire::take(None, from)?,
            rebooted: Wire::take(None, from)?,
            missing: Wire::take(None, from)?,
            counted_from: None,
        })
    }

    fn same(&self, _: &Self) -> bool {
        // Only ever asked of what is shared.
        false
    }
}

impl Wire for Rates {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        parts(*self).put(before.map(|b| parts(*b)).as_ref(), out);
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let rates = <[f32; 6]>::take(before.map(|b| parts(*b)).as_ref(), from)?;
        Ok(Self::new(rates.map(|rate| Some(f64::from(rate)).filter(|rate| !rate.is_nan()))))
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

fn parts(rates: Rates) -> [f32; 6] {
    [rates.in_bps(), rates.out_bps(), rates.in_errors(), rates.out_errors(), rates.in_discards(), rates.out_discards()]
        .map(|rate| rate.map_or(f32::NAN, |rate| rate as f32))
}

impl Wire for Strain {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        out.push(self.level());
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::from_level(from.byte()?).ok_or(Malformed("a strain is of no level"))
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}
