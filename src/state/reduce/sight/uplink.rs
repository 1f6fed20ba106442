//! The way out of this machine as a cause: with the default route gone, or its interface without a carrier, most of what is
//! watched cannot answer, and nobody has to wait for it to fall silent.
//!
//! What is in the same segment may answer all the same. So sight returns even then, but only by the answers of most, and
//! what is on this machine itself proves nothing.

use std::net::IpAddr;
use std::sync::Arc;

use super::{MANY_WITNESSES, SETTLING, Sight, VOTES};
use crate::base::Timestamp;
use crate::model::{Host, Origin};
use crate::state::event::Effect;
use crate::state::reduce::State;

impl Sight {
    /// Answers that prove nothing: without a way out those of half the targets, of twenty at the most.
    pub(super) fn heard_in_vain(&self) -> usize {
        if self.cut_off.is_some() { self.roots_beyond.min(VOTES as usize) / 2 } else { 0 }
    }
}

impl State {
    /// The machine has lost its way out, for this reason, or has one again.
    pub(in crate::state::reduce) fn take_uplink(
        &mut self,
        at: Timestamp,
        lost: Option<Arc<str>>,
        effects: &mut Vec<Effect>,
    ) {
        self.sight.settles = None;
        let was_lost = std::mem::replace(&mut self.sight.cut_off, lost).is_some();
        match (was_lost, self.sight.cut_off.is_some()) {
            (false, true) if !self.sight.is_blind() => {
                let beyond = |slot: &super::super::HostSlot| slot.view.last_seen.is_some() && !is_here(&slot.view.host);
                if self.hosts.iter().any(beyond) {
                    self.begin_blindness(at, at, effects);
                    // Most may be in reach all the same.
                    self.ask_witnesses(MANY_WITNESSES, effects);
                }
            }
            (true, false) if self.sight.is_blind() => {
                if self.sight.fallen == 0 {
                    self.regain_sight(at, effects);
                } else {
                    self.ask_the_silent(effects);
                    self.sight.settles = Some(at.plus(SETTLING));
                }
            }
            (false | true, _) => {}
        }
    }
}

/// Asked without leaving this machine.
pub(super) fn is_here(host: &Host) -> bool {
    let Some(address) = host.address.as_deref() else { return true };
    let is_loopback = || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    host.origin == Origin::Local || address == "localhost" || is_loopback()
}
