//! The form of what people do about problems: claims, maintenance, flapping, and how the channels to people stand. A field
//! that is added there is added here, or this does not compile.

use super::wire::{Malformed, Reader, Wall, Wire, wire};
use crate::model::{
    Acknowledgement, Change, ChannelStatus, Claim, Fault, Flap, Inference, Maintenance, Order as Upkeep, Pause, Scope,
    Span, Stickiness, Target, Transition,
};
use crate::state::{Blindness, Care, Cause, Finding, Flapping, InferredParent, Maintained};

wire! {
    choice Target {
        Host { 0: asset }, Check { 0: key }, Port { 0: asset, 1: key }, GonePorts { 0: asset }, Device { 0: asset },
        Job { 0: asset },
    }
    choice Stickiness { EndsOnWorsening, Sticky }
    record Claim { target, owner, note, until, stickiness, condition }
    record Acknowledgement { id, since, claim }

    choice Scope { Asset { 0: asset }, Tag { 0: tag }, Group { 0: group }, Behind { 0: asset }, Site { 0: site } }
    choice Span { Once { from: begins, until: ends }, Recurring { schedule: schedule, lasts: lasts } }
    record Upkeep { scope, span, flexible, note }
    record Maintenance { id, author, order }
    record Pause { id, by, since, note }
    record Transition { at, target, name, from, to, down, reason }
    record Change { at, target, words }
    record Fault { at, words }

    record Flap { changes, last, percent, flapping }
    record Flapping { percent, since, worst }
    record Maintained { maintenance, from, until }
    choice Inference { Gateway, Neighbor, ProxyJump }
    record InferredParent { name, by }
    record Care { ack, maintenance, flapping, inferred_parent, unowned_since }
    record Finding { condition, what, words, since, firm }
    choice Cause { Silence, NoWayOut { 0: reason }, NoNames { 0: reason } }
    record Blindness { since, silent, targets, cause }
}

/// Written down by the system's clock, which is the same for everybody.
impl Wire for ChannelStatus {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        let Self { name, kind, delivered, last_delivered, failing, lost, waiting, quiet_until } = self;
        name.put(None, out);
        kind.put(None, out);
        delivered.put(None, out);
        last_delivered.map(Wall).put(None, out);
        failing.clone().map(|(since, why)| (Wall(since), why)).put(None, out);
        lost.put(None, out);
        waiting.put(None, out);
        quiet_until.map(Wall).put(None, out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            name: Wire::take(None, from)?,
            kind: Wire::take(None, from)?,
            delivered: Wire::take(None, from)?,
            last_delivered: <Option<Wall> as Wire>::take(None, from)?.map(|at| at.0),
            failing: <Option<(Wall, std::sync::Arc<str>)> as Wire>::take(None, from)?
                .map(|(since, why)| (since.0, why)),
            lost: Wire::take(None, from)?,
            waiting: Wire::take(None, from)?,
            quiet_until: <Option<Wall> as Wire>::take(None, from)?.map(|at| at.0),
        })
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}
