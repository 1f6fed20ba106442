//! Whether this console sees at all. When most of what answered before falls silent within a few looks, the likely cause
//! is here: then one problem stands for all, what is silent keeps its last known condition and is stale, and nothing is
//! announced. With sight back, everything silent is asked anew before anything is said about it.
//!
//! ```text
//!         3 of the last 4 votes are falls               ≥ 80 % of the last 20 votes are falls
//! clear ──────────────────────────────────► doubt ───────────────────────────────────────────► blind
//!   ▲        as many answer, or 15 s          │                                                  │
//!   └─────────────────────────────────────────┴──────────── more answer than are silent ─────────┘
//! ```
//!
//! A *vote* is a host that falls silent after it answered, or one that answers. Only the silence of hosts with nothing above them
//! counts: what hangs on a router falls before anybody knows that the router is dead, and says nothing about this console. With fewer than 20 such hosts their number counts
//! instead, and there must be five falls at the least; or two, where the default gateway is among them.
//!
//! Where the machine itself says that it has lost its way out ([`uplink`]), nothing has to fall first.
//!
//! Where names cannot be resolved ([`names`]) those that are known by name only are not seen, and all others are.
//!
//! While in doubt no bad result is believed, which bounds what a false doubt can cost, and others are asked at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::State;
use crate::base::Timestamp;
use crate::model::{Host, Inference, Origin};
use crate::state::event::Effect;
use crate::state::rules;
use crate::state::rules::life::signs_of_life;
use crate::state::rules::parents::askable;
use crate::state::snapshot::{Blindness, Cause};
use crate::state::view::CheckView;

mod names;
mod uplink;

use names::Nameless;
pub(super) use names::unheard;

/// Votes that are looked at.
const VOTES: u32 = 20;
/// The fewest falls that mean anything, without and with the gateway among them.
const FALLS: u32 = 5;
const FALLS_WITH_GATEWAY: u32 = 2;
/// Of the votes that must be falls, in percent.
const SHARE: u32 = 80;
/// How long no bad result is believed where it stays open.
const DOUBT: Duration = Duration::from_secs(15);
/// How long a way out that is back may carry nothing yet: spanning tree, DHCP, ARP.
const SETTLING: Duration = Duration::from_secs(30);
/// How long after a doubt there is no other.
const REST: Duration = Duration::from_secs(60);
/// Others that are asked for each fall, and in doubt.
const WITNESSES: usize = 2;
const MANY_WITNESSES: usize = 32;
/// Fallen hosts that answer again before all others are asked.
const DAWN: usize = 3;

#[derive(Debug, Default)]
pub struct Sight {
    /// The last votes, the newest in the lowest bit: set for a fall.
    votes: u32,
    first_fall: Timestamp,
    /// When the looks began that ended as the last falls.
    looks: VecDeque<Timestamp>,
    /// With fewer fallen than this most others were heard meanwhile, when that was last counted.
    enough: usize,
    phase: Phase,
    /// Hosts that could vote: with nothing above them.
    roots: usize,
    gateway_fell: bool,
    /// Hosts that answered before and are silent now.
    fallen: usize,
    /// Hosts that answered in this phase, and fallen ones that did.
    heard: usize,
    returned: usize,
    /// Names the phase, so that a host counts once in it.
    epoch: u32,
    rests_until: Timestamp,
    /// Where the next witness is looked for.
    next_witness: usize,
    /// Why the machine has no way out, while it has none.
    cut_off: Option<Arc<str>>,
    /// Hosts that could vote and are not on this machine.
    roots_beyond: usize,
    /// When a way out that is back counts as one, whoever answers.
    settles: Option<Timestamp>,
    /// While names cannot be resolved.
    nameless: Option<Nameless>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Clear,
    Doubt {
        until: Timestamp,
    },
    Blind {
        since: Timestamp,
    },
}

/// What a host has to do with it; kept in its slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vote {
    /// It answered before, and is silent now.
    fallen: bool,
    /// The phase it was last heard in.
    heard: u32,
}

impl Sight {
    /// No bad result is believed.
    pub fn withholds(&self) -> bool {
        self.phase != Phase::Clear
    }

    /// What is silent there is silent, whatever this console sees: it is this machine, or asked without leaving it.
    pub fn reaches(&self, host: &Host) -> bool {
        host.origin == Origin::Local || (self.cut_off.is_some() && uplink::is_here(host))
    }

    pub fn is_blind(&self) -> bool {
        matches!(self.phase, Phase::Blind { .. })
    }

    /// Answers matter.
    fn is_alert(&self) -> bool {
        self.votes != 0 || self.phase != Phase::Clear
    }

    pub fn deadline(&self) -> Option<Timestamp> {
        let doubt = if let Phase::Doubt { until } = self.phase { Some(until) } else { None };
        doubt.into_iter().chain(self.settles).min()
    }

    fn window(&self) -> u32 {
        VOTES.min(u32::try_from(self.roots).unwrap_or(VOTES)).max(1)
    }

    fn vote(&mut self, fall: u32) {
        self.votes = (self.votes << 1 | fall) & (u32::MAX >> (32 - self.window()));
    }

    fn has_lost_sight(&self) -> bool {
        let least = if self.gateway_fell { FALLS_WITH_GATEWAY } else { FALLS };
        self.votes.count_ones() >= (self.window() * SHARE).div_ceil(100).max(least)
    }

    fn is_doubtful(&self) -> bool {
        let many = self.roots >= FALLS as usize && (self.votes & 0b1111).count_ones() >= 3;
        many || (self.gateway_fell && self.roots >= FALLS_WITH_GATEWAY as usize)
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        (self.heard, self.returned) = (0, 0);
        self.epoch += 1;
    }
}

impl super::HostSlot {
    /// Nothing is above it but the way out, which is what is in question.
    fn votes_for_itself(&self) -> bool {
        let by = self.view.care.inferred_parent.as_ref().map(|parent| parent.by);
        self.parents.is_empty() || by == Some(Inference::Gateway)
    }
}

impl State {
    /// A host fell silent with its last result.
    pub(super) fn fell(&mut self, at: Timestamp, row: usize, effects: &mut Vec<Effect>) {
        let slot = &mut self.hosts[row];
        let host = &slot.view.host;
        if slot.vote.fallen || slot.down || slot.view.last_seen.is_none() || host.origin == Origin::Local {
            return;
        }
        slot.vote.fallen = true;
        self.sight.fallen += 1;
        let is_gateway = host.origin == Origin::Gateway;
        let slot = &self.hosts[row];
        // Of what it hangs on nobody knows yet.
        if !slot.votes_for_itself() {
            return;
        }
        if self.sight.votes == 0 {
            (self.sight.first_fall, self.sight.enough) = (at, 0);
        }
        let began = signs_of_life(&slot.view.checks).filter_map(|check| check.last.as_ref());
        let began = began.map(|last| last.at.minus(last.took)).min().unwrap_or(at);
        self.sight.gateway_fell |= is_gateway;
        self.sight.vote(1);
        self.sight.looks.push_back(began);
        if self.sight.looks.len() > VOTES as usize {
            self.sight.looks.pop_front();
        }
        if self.sight.is_blind() {
            return;
        }
        if self.sight.has_lost_sight() && !self.are_others_heard() {
            self.lose_sight(at, effects);
        } else if self.sight.phase == Phase::Clear && at >= self.sight.rests_until && self.sight.is_doubtful() {
            self.sight.enter(Phase::Doubt { until: at.plus(DOUBT) });
            self.ask_witnesses(MANY_WITNESSES, effects);
        } else if self.sight.roots >= FALLS as usize || is_gateway {
            self.ask_witnesses(WITNESSES, effects);
        }
    }

    /// More answered than are silent, since the looks began that ended as the falls which count: they came in one moment because
    /// they were asked in one, as at a start, and this console saw all the while.
    fn are_others_heard(&mut self) -> bool {
        if self.sight.fallen < self.sight.enough {
            return true;
        }
        let falls = (self.sight.votes.count_ones() as usize).clamp(1, self.sight.looks.len().max(1));
        let Some(began) = self.sight.looks.iter().rev().nth(falls - 1).copied() else { return false };
        let heard = |slot: &&super::HostSlot| {
            let others = slot.view.host.origin != Origin::Local && !slot.vote.fallen && !slot.down;
            others && slot.view.last_seen.is_some_and(|seen| seen >= began) && rules::host::is_heard(&slot.view)
        };
        let heard = self.hosts.iter().filter(heard).count();
        let others = heard > self.sight.fallen;
        // All of them would have to be counted for each one that falls.
        self.sight.enough = if others { self.sight.fallen.midpoint(heard) + 1 } else { 0 };
        others
    }

    /// Something that proves life answered.
    pub(super) fn answered(&mut self, at: Timestamp, row: usize, effects: &mut Vec<Effect>) {
        let slot = &mut self.hosts[row];
        let was_fallen = std::mem::take(&mut slot.vote.fallen);
        self.sight.fallen -= usize::from(was_fallen);
        if !self.sight.is_alert() || slot.view.host.origin == Origin::Local {
            return;
        }
        if self.sight.cut_off.is_some() && uplink::is_here(&slot.view.host) {
            return;
        }
        let first = std::mem::replace(&mut slot.vote.heard, self.sight.epoch) != self.sight.epoch;
        if slot.view.host.origin == Origin::Gateway {
            self.sight.gateway_fell = false;
        }
        // One that is watched answers thirty times as often as others: its voice counts once, and when it comes back.
        if first || was_fallen || !self.engine.hosts_watched.iter().any(|watch| watch.asset == slot.view.host.id) {
            self.sight.vote(0);
        }
        self.sight.heard += usize::from(first);
        self.sight.returned += usize::from(was_fallen);
        match self.sight.phase {
            Phase::Clear => {}
            Phase::Doubt { .. } => {
                let falls = self.sight.votes.count_ones() as usize;
                if self.sight.heard >= 3 && self.sight.heard >= falls {
                    self.end_doubt(at);
                }
            }
            Phase::Blind { .. } => {
                if self.sight.heard > self.sight.fallen.max(self.sight.heard_in_vain()) {
                    self.regain_sight(at, effects);
                } else if was_fallen && self.sight.returned == DAWN {
                    self.ask_the_silent(effects);
                }
            }
        }
    }

    /// A doubt that was not settled in time is none. With a way out again it is seen that nobody answers, where that alone does not
    /// say that the cause is here.
    pub(super) fn review_sight(&mut self, at: Timestamp, effects: &mut Vec<Effect>) {
        if self.sight.settles.is_some_and(|until| at >= until) {
            self.sight.settles = None;
            if self.sight.is_blind() && self.sight.cut_off.is_none() && !self.sight.has_lost_sight() {
                self.regain_sight(at, effects);
            }
        }
        if matches!(self.sight.phase, Phase::Doubt { until } if at >= until) {
            self.end_doubt(at);
        }
    }

    /// After the inventory changed.
    pub(super) fn count_voters(&mut self) {
        let votes = |slot: &&super::HostSlot| slot.votes_for_itself() && slot.view.host.origin != Origin::Local;
        let asked = |slot: &&super::HostSlot| !slot.view.checks.is_empty();
        let roots = self.hosts.iter().filter(votes).filter(asked);
        self.sight.roots_beyond = roots.clone().filter(|slot| !uplink::is_here(&slot.view.host)).count();
        self.sight.roots = roots.count();
        self.sight.fallen = self.hosts.iter().filter(|slot| slot.vote.fallen).count();
    }

    /// What the screen says while nothing is seen.
    pub(crate) fn blindness(&self) -> Option<Blindness> {
        let Phase::Blind { since } = self.sight.phase else { return self.namelessness() };
        let known = |slot: &&super::HostSlot| slot.view.last_seen.is_some() && slot.view.host.origin != Origin::Local;
        let known = self.hosts.iter().filter(known);
        let (mut silent, mut targets) = (0, 0);
        for slot in known {
            targets += 1;
            silent += usize::from(slot.lineage.silent_since.is_some());
        }
        let cause = self.sight.cut_off.clone().map_or(Cause::Silence, Cause::NoWayOut);
        Some(Blindness { since, silent, targets, cause })
    }

    /// Why it is not seen, where that says nothing of the host.
    pub(super) fn veil(&self, row: usize) -> Option<&'static str> {
        let slot = &self.hosts[row];
        if self.sight.is_blind() && slot.vote.fallen && !slot.down && !self.sight.reaches(&slot.view.host) {
            return Some("not seen any more: this console cannot see");
        }
        let never = slot.view.last_seen.is_none();
        let words = if never {
            "never seen: its name cannot be resolved"
        } else {
            "not seen any more: its name cannot be resolved"
        };
        self.is_unnamed(row).then_some(words)
    }

    fn lose_sight(&mut self, at: Timestamp, effects: &mut Vec<Effect>) {
        let since = self.sight.first_fall;
        self.begin_blindness(at, since, effects);
    }

    fn begin_blindness(&mut self, at: Timestamp, since: Timestamp, effects: &mut Vec<Effect>) {
        self.sight.enter(Phase::Blind { since });
        self.log_sight(since, true, effects);
        for row in 0..self.hosts.len() {
            if self.hosts[row].vote.fallen {
                self.judge_host(at, row, effects);
            }
        }
    }

    fn end_doubt(&mut self, at: Timestamp) {
        self.sight.enter(Phase::Clear);
        self.sight.rests_until = at.plus(REST);
    }

    /// What is still silent starts over: it is asked as often as ever before anything is said about it.
    fn regain_sight(&mut self, at: Timestamp, effects: &mut Vec<Effect>) {
        self.log_sight(at, false, effects);
        self.end_doubt(at);
        if self.sight.cut_off.is_some() {
            effects.push(Effect::LookOut);
        }
        (self.sight.votes, self.sight.gateway_fell) = (0, false);
        self.ask_the_silent(effects);
        for row in 0..self.hosts.len() {
            let slot = &mut self.hosts[row];
            // Those that are back, too: one check may have answered, and a run of another have begun before that.
            if slot.view.checks.iter().any(CheckView::is_soft) {
                for check in Arc::make_mut(&mut slot.view).checks.iter_mut().filter(|check| check.is_soft()) {
                    check.attempt = 0;
                }
            }
            if std::mem::take(&mut slot.vote.fallen) {
                self.judge_host(at, row, effects);
            }
        }
        self.sight.fallen = 0;
    }

    fn ask_the_silent(&self, effects: &mut Vec<Effect>) {
        for slot in self.hosts.iter().filter(|slot| slot.vote.fallen) {
            effects.extend(askable(&slot.view).cloned().map(Effect::Ask));
        }
    }

    /// Has others asked that were not found silent: whoever cannot see hears nothing of them either.
    fn ask_witnesses(&mut self, wanted: usize, effects: &mut Vec<Effect>) {
        let mut found = 0;
        // Not the same few each time, and not all ten thousand looked through.
        for _ in 0..self.hosts.len().min(wanted * 8) {
            let row = self.sight.next_witness % self.hosts.len();
            self.sight.next_witness = row + 1;
            let slot = &self.hosts[row];
            let may = slot.votes_for_itself() && !slot.vote.fallen && !slot.down && slot.view.last_seen.is_some();
            if may && slot.view.host.origin != Origin::Local {
                effects.extend(askable(&slot.view).next().cloned().map(Effect::Ask));
                found += 1;
            }
            if found == wanted {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests;
