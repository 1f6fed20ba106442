//! Many conversations with many agents over one socket, without the socket: datagrams and time in, datagrams and
//! finished conversations out. Time is what has passed since any fixed moment.
//!
//! So many requests as the peer allows are out per agent at a time, one unless it says more; conversations with one agent take
//! turns. A version 3 agent that has not let us in yet is asked one thing at a time, whatever is allowed. A reply counts only with the
//! agent's address, the request's id, version and community (v3: engine, user, level and context); everything else is
//! dropped and counted. Requests that stay unanswered for a quarter of a second no longer count as in flight, so that
//! dead agents hold nobody up. What v3 adds is in `secure`.

mod secure;
mod spread;
mod turns;

use std::collections::{BinaryHeap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use self::secure::SecureAgent;
pub use self::secure::{Refusal, Refused, Security};
use self::spread::OurMap;
use self::turns::Turns;
use super::ber::Writer;
use super::message::{self, Message};
use super::pdu::PduKind;
use super::rtt::Rtt;
use super::walk::{Again, Walk, Walked};
use crate::base::Secret;

/// Unanswered this long, a request is late and makes room.
const LATE: Duration = Duration::from_millis(250);
/// Agents whose round trips are remembered.
const MOST_AGENTS: usize = 100_000;

/// What the agent knows us by.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Versions 1 and 2c.
    Community(Secret<Vec<u8>>),
    /// Version 3.
    User(Security),
}

/// Who is asked, and how patiently.
#[derive(Clone, Debug)]
pub struct Peer {
    pub address: SocketAddr,
    pub credentials: Credentials,
    /// The longest wait of one try.
    pub timeout: Duration,
    /// Further tries after the first.
    pub retries: u32,
    /// Requests that may be out to this agent at a time, each of another conversation.
    pub in_flight: u8,
}

/// A conversation that is over.
#[derive(Debug)]
pub struct Finished {
    /// As given to [`Engine::start`].
    pub ticket: u64,
    pub walked: Walked,
    /// Round trip of the last answered request.
    pub round_trip: Option<Duration>,
    /// Why the agent did not let us in, where it said so or it can be told.
    pub refused: Option<Refused>,
}

/// Datagrams that were not for us, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    pub malformed: u64,
    /// No request with this id is out: late, a duplicate, or forged.
    pub unknown_id: u64,
    /// From another address than the one asked.
    pub other_address: u64,
    pub other_version: u64,
    pub other_community: u64,
    /// A request, a trap, or a report.
    pub not_a_response: u64,
    /// v3: of another engine, user or context than the one asked.
    pub other_user: u64,
    /// v3: protected less (or more) than what was asked, or a report that has to be authenticated and is not.
    pub other_level: u64,
    /// v3: the digest is wrong.
    pub forged: u64,
    /// v3: authenticated, but from outside the time window.
    pub stale: u64,
    /// v3: authenticated, but not to be decrypted.
    pub undecryptable: u64,
}

impl Drops {
    pub fn total(self) -> u64 {
        let Self { malformed, unknown_id, other_address, other_version, other_community, not_a_response, .. } = self;
        let Self { other_user, other_level, forged, stale, undecryptable, .. } = self;
        let community = malformed + unknown_id + other_address + other_version + other_community + not_a_response;
        community + other_user + other_level + forged + stale + undecryptable
    }

    /// Those of two sockets.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            malformed: self.malformed + other.malformed,
            unknown_id: self.unknown_id + other.unknown_id,
            other_address: self.other_address + other.other_address,
            other_version: self.other_version + other.other_version,
            other_community: self.other_community + other.other_community,
            not_a_response: self.not_a_response + other.not_a_response,
            other_user: self.other_user + other.other_user,
            other_level: self.other_level + other.other_level,
            forged: self.forged + other.forged,
            stale: self.stale + other.stale,
            undecryptable: self.undecryptable + other.undecryptable,
        }
    }
}

#[derive(Debug)]
struct Conversation {
    ticket: u64,
    peer: Peer,
    walk: Walk,
    /// The request that is out.
    id: i32,
    /// How often this very request was sent.
    tried: u32,
    /// Tries since the last answer, changed requests included.
    spent: u32,
    sent: Duration,
    /// Counts against the window.
    in_flight: bool,
    /// Stands in `ready`.
    queued: bool,
    round_trip: Option<Duration>,
    /// The message itself, for sending again.
    message: Vec<u8>,
    /// v3: what the request that is out is for, and what was already tried to make it welcome.
    step: secure::Step,
    refused: Option<Refused>,
}

#[derive(Debug, Default)]
struct Agent {
    rtt: Rtt,
    /// Conversations that have its turn.
    busy: u8,
    /// How many may have it, by the last that began.
    most: u8,
    waiting: VecDeque<u64>,
    /// What version 3 knows of it.
    secure: Option<Box<SecureAgent>>,
}

/// A deadline of a request, soonest first.
#[derive(Debug, PartialEq, Eq)]
struct Deadline {
    at: Duration,
    id: i32,
    tried: u32,
}

impl Ord for Deadline {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at, other.id).cmp(&(self.at, self.id))
    }
}

impl PartialOrd for Deadline {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The conversations of one socket.
pub struct Engine {
    next_id: Box<dyn FnMut() -> u32 + Send>,
    window: usize,
    conversations: OurMap<u64, Conversation>,
    agents: OurMap<SocketAddr, Agent>,
    /// Which conversation's request has this id.
    out: OurMap<i32, u64>,
    deadlines: BinaryHeap<Deadline>,
    /// Who sent when, in that order, to see what is late.
    sent: VecDeque<(Duration, u64)>,
    in_flight: usize,
    /// Conversations that may send as soon as there is room.
    ready: Turns,
    finished: VecDeque<Finished>,
    writer: Writer,
    /// v3: the scoped PDU on its way into a message, and out of one.
    scoped: Writer,
    scratch: Vec<u8>,
    /// v3: the last salt; begins anywhere and never repeats.
    salt: u64,
    spare: Vec<Vec<u8>>,
    drops: Drops,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("conversations", &self.conversations.len())
            .field("drops", &self.drops)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// `window`: requests in flight at most. `next_id`: request ids that nobody can guess.
    pub fn new(window: usize, mut next_id: Box<dyn FnMut() -> u32 + Send>) -> Self {
        let salt = u64::from(next_id()) << 32 | u64::from(next_id());
        Self {
            next_id,
            window: window.max(1),
            conversations: OurMap::default(),
            agents: OurMap::default(),
            out: OurMap::default(),
            deadlines: BinaryHeap::new(),
            sent: VecDeque::new(),
            in_flight: 0,
            ready: Turns::default(),
            finished: VecDeque::new(),
            writer: Writer::default(),
            scoped: Writer::default(),
            scratch: Vec::new(),
            salt,
            spare: Vec::new(),
            drops: Drops::default(),
        }
    }

    pub fn drops(&self) -> Drops {
        self.drops
    }

    /// Requests that are out and not late.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub fn is_idle(&self) -> bool {
        self.conversations.is_empty()
    }

    /// Begins a conversation; `ticket` names it in [`Finished`] and must not be in use.
    pub fn start(&mut self, ticket: u64, peer: Peer, walk: Walk) {
        if self.agents.len() >= MOST_AGENTS {
            // Whom we must not ask any more is not forgotten.
            self.agents.retain(|_, agent| {
                agent.busy > 0 || !agent.waiting.is_empty() || agent.secure.as_ref().is_some_and(|s| s.has_stopped())
            });
        }
        let address = peer.address;
        if let Credentials::User(security) = &peer.credentials
            && security.pardon
        {
            self.pardon(address, security);
        }
        let message = self.spare.pop().unwrap_or_default();
        let conversation = Conversation {
            ticket,
            peer,
            walk,
            id: 0,
            tried: 0,
            spent: 0,
            sent: Duration::ZERO,
            in_flight: false,
            queued: false,
            round_trip: None,
            message,
            step: secure::Step::default(),
            refused: None,
        };
        if conversation.walk.is_done() {
            self.finish(conversation);
            return;
        }
        let most = conversation.peer.in_flight.max(1);
        self.conversations.insert(ticket, conversation);
        let agent = self.agents.entry(address).or_default();
        agent.most = most;
        agent.waiting.push_back(ticket);
        self.fill(address);
    }

    /// Forgets a conversation whose caller has gone.
    pub fn cancel(&mut self, ticket: u64) {
        let Some(conversation) = self.conversations.remove(&ticket) else { return };
        if self.out.get(&conversation.id) == Some(&ticket) {
            self.out.remove(&conversation.id);
        }
        if conversation.in_flight {
            self.in_flight -= 1;
        }
        if conversation.queued {
            self.ready.remove(ticket);
        }
        let address = conversation.peer.address;
        let Some(agent) = self.agents.get_mut(&address) else { return };
        let waited = agent.waiting.len();
        agent.waiting.retain(|t| *t != ticket);
        if agent.waiting.len() == waited {
            // It had the agent's turn.
            self.release(address);
        }
    }

    /// The next datagram to send, written into `datagram`; `None` when nothing may be sent now.
    pub fn poll_transmit(&mut self, now: Duration, datagram: &mut Vec<u8>) -> Option<SocketAddr> {
        self.let_late_ones_go(now);
        if self.in_flight >= self.window {
            return None;
        }
        let ticket = loop {
            let ticket = self.ready.pop()?;
            let Some(conversation) = self.conversations.get_mut(&ticket) else { continue };
            conversation.queued = false;
            if conversation.tried > 0 {
                break ticket;
            }
            match self.compose(ticket, now) {
                Ok(()) => break ticket,
                Err(refused) => self.refuse(ticket, refused),
            }
        };
        let conversation = self.conversations.get_mut(&ticket)?;
        let tries = conversation.peer.retries + 1;
        let rtt = self.agents.get(&conversation.peer.address).map(|a| a.rtt).unwrap_or_default();
        let wait = rtt.wait(conversation.spent, tries, conversation.peer.timeout);
        conversation.tried += 1;
        conversation.spent += 1;
        conversation.sent = now;
        conversation.in_flight = true;
        self.out.insert(conversation.id, ticket);
        self.deadlines.push(Deadline { at: now + wait, id: conversation.id, tried: conversation.tried });
        self.sent.push_back((now, ticket));
        self.in_flight += 1;
        datagram.clear();
        datagram.extend_from_slice(&conversation.message);
        Some(conversation.peer.address)
    }

    /// Writes a new request, with an id that is not in use.
    fn compose(&mut self, ticket: u64, now: Duration) -> Result<(), Refused> {
        let Some(conversation) = self.conversations.get_mut(&ticket) else { return Ok(()) };
        let id = loop {
            let id = ((self.next_id)() & 0x7fff_ffff).cast_signed();
            if id != 0 && !self.out.contains_key(&id) {
                break id;
            }
        };
        conversation.id = id;
        match &conversation.peer.credentials {
            Credentials::Community(community) => {
                let walk = &mut conversation.walk;
                self.writer.clear();
                message::encode(&mut self.writer, walk.version(), community.expose(), |w| walk.request(id, now, w));
            }
            Credentials::User(security) => {
                let agent = self.agents.entry(conversation.peer.address).or_default();
                let secure = agent.secure.get_or_insert_default();
                self.salt = self.salt.wrapping_add(1);
                let scoped = &mut self.scoped;
                let walk = &mut conversation.walk;
                conversation.step.asked =
                    secure.compose(security, walk, (id, self.salt), now, scoped, &mut self.writer)?;
            }
        }
        conversation.message.clear();
        conversation.message.extend_from_slice(self.writer.bytes());
        Ok(())
    }

    /// Takes a datagram off the wire.
    pub fn handle_datagram(&mut self, now: Duration, from: SocketAddr, datagram: &[u8]) {
        if message::version(datagram) == Some(3) {
            self.handle_secured(now, from, datagram);
            return;
        }
        let Ok(message) = Message::decode(datagram) else {
            self.drops.malformed += 1;
            return;
        };
        if message.pdu.kind != PduKind::Response {
            self.drops.not_a_response += 1;
            return;
        }
        let id = message.pdu.request_id;
        let known = self.out.get(&id).and_then(|ticket| Some((*ticket, self.conversations.get_mut(ticket)?)));
        let Some((ticket, conversation)) = known else {
            self.drops.unknown_id += 1;
            return;
        };
        let asked = conversation.peer.address;
        if (asked.ip(), asked.port()) != (from.ip(), from.port()) {
            self.drops.other_address += 1;
            return;
        }
        if message.version != conversation.walk.version() {
            self.drops.other_version += 1;
            return;
        }
        let ours = match &conversation.peer.credentials {
            Credentials::Community(community) => community.expose() == message.community,
            Credentials::User(_) => false,
        };
        if !ours {
            self.drops.other_community += 1;
            return;
        }
        conversation.walk.answer(&message.pdu, now);
        let done = conversation.walk.is_done();
        self.settle(ticket, now);
        self.go_on(ticket, asked, done);
    }

    /// The request that was out is answered.
    fn settle(&mut self, ticket: u64, now: Duration) {
        let Some(conversation) = self.conversations.get_mut(&ticket) else { return };
        let took = now.saturating_sub(conversation.sent);
        conversation.round_trip = Some(took);
        let (tried, queued, address) = (conversation.tried, conversation.queued, conversation.peer.address);
        (conversation.tried, conversation.spent, conversation.queued) = (0, 0, false);
        if std::mem::take(&mut conversation.in_flight) {
            self.in_flight -= 1;
        }
        self.out.remove(&conversation.id);
        if queued {
            // It was about to be sent again.
            self.ready.remove(ticket);
        }
        if tried == 1
            && let Some(agent) = self.agents.get_mut(&address)
        {
            agent.rtt.sample(took);
        }
    }

    /// When [`Engine::handle_timeout`] wants to be called, if nothing comes before.
    pub fn next_timeout(&mut self) -> Option<Duration> {
        while self.deadlines.peek().is_some_and(|d| !self.is_current(d)) {
            self.deadlines.pop();
        }
        let deadline = self.deadlines.peek().map(|d| d.at);
        let room = if self.ready.is_empty() { None } else { self.sent.front().map(|(sent, _)| *sent + LATE) };
        deadline.into_iter().chain(room).min()
    }

    /// Requests whose wait is over are sent again, changed, or given up.
    pub fn handle_timeout(&mut self, now: Duration) {
        while self.deadlines.peek().is_some_and(|d| d.at <= now) {
            let Some(deadline) = self.deadlines.pop() else { break };
            if !self.is_current(&deadline) {
                continue;
            }
            let Some(ticket) = self.out.remove(&deadline.id) else { continue };
            let Some(conversation) = self.conversations.get_mut(&ticket) else { continue };
            let tries = conversation.peer.retries + 1;
            let address = conversation.peer.address;
            if std::mem::take(&mut conversation.in_flight) {
                self.in_flight -= 1;
            }
            match conversation.walk.lost(conversation.spent, tries) {
                Again::Same => {
                    // Keeps its id, so that a late answer to an earlier try still counts.
                    self.out.insert(deadline.id, ticket);
                    conversation.queued = true;
                    self.ready.push(ticket, conversation.round_trip.is_some());
                }
                Again::Changed => {
                    conversation.tried = 0;
                    if conversation.spent >= tries {
                        conversation.spent = 0;
                    }
                    conversation.queued = true;
                    self.ready.push(ticket, conversation.round_trip.is_some());
                }
                Again::No => {
                    self.fell_silent(ticket);
                    self.go_on(ticket, address, true);
                }
            }
        }
    }

    pub fn poll_finished(&mut self) -> Option<Finished> {
        self.finished.pop_front()
    }

    fn is_current(&self, deadline: &Deadline) -> bool {
        self.out
            .get(&deadline.id)
            .and_then(|ticket| self.conversations.get(ticket))
            .is_some_and(|c| c.id == deadline.id && c.tried == deadline.tried)
    }

    /// Requests that are late make room for others.
    fn let_late_ones_go(&mut self, now: Duration) {
        while let Some((sent, ticket)) = self.sent.front().copied() {
            let current = self.conversations.get_mut(&ticket).filter(|c| c.in_flight && c.sent == sent);
            if sent + LATE > now && current.is_some() {
                break;
            }
            if let Some(conversation) = current {
                conversation.in_flight = false;
                self.in_flight -= 1;
            }
            self.sent.pop_front();
        }
    }

    /// After an answer or the end of all tries: the conversation goes to the back of its agent's queue or ends, and
    /// the next of that agent may send.
    fn go_on(&mut self, ticket: u64, address: SocketAddr, done: bool) {
        if done {
            if let Some(conversation) = self.conversations.remove(&ticket) {
                self.finish(conversation);
            }
        } else if let Some(agent) = self.agents.get_mut(&address) {
            agent.waiting.push_back(ticket);
        }
        self.release(address);
    }

    /// A turn with the agent is over: the next that waits for it may send.
    fn release(&mut self, address: SocketAddr) {
        if let Some(agent) = self.agents.get_mut(&address) {
            agent.busy = agent.busy.saturating_sub(1);
        }
        self.fill(address);
    }

    /// Lets so many of those that wait for an agent send as it may be asked at a time.
    fn fill(&mut self, address: SocketAddr) {
        let Some(agent) = self.agents.get_mut(&address) else { return };
        while let Some(next) = agent.waiting.front() {
            let Some(conversation) = self.conversations.get_mut(next) else {
                agent.waiting.pop_front();
                continue;
            };
            let is_stranger = match conversation.peer.credentials {
                Credentials::Community(_) => false,
                Credentials::User(_) => !agent.secure.as_ref().is_some_and(|secure| secure.has_let_in()),
            };
            if agent.busy >= if is_stranger { 1 } else { agent.most } {
                return;
            }
            conversation.queued = true;
            self.ready.push(*next, conversation.round_trip.is_some());
            agent.waiting.pop_front();
            agent.busy += 1;
        }
    }

    fn finish(&mut self, mut conversation: Conversation) {
        if self.spare.len() < 1024 {
            self.spare.push(std::mem::take(&mut conversation.message));
        }
        self.finished.push_back(Finished {
            ticket: conversation.ticket,
            walked: conversation.walk.finish(),
            round_trip: conversation.round_trip,
            refused: conversation.refused,
        });
    }
}

#[cfg(test)]
mod tests;
