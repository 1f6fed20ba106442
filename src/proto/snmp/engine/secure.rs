//! What version 3 adds to a conversation: who the agent is, what its clock says, and whether it lets us in.
//!
//! ```text
//! engine unknown:  discovery ──▶ report with its id ──▶ ask          one exchange, shared by all who ask this agent
//! unknownEngineIDs: the report's id, once ──▶ ask                    the agent was replaced
//! notInTimeWindows: authenticated only; its clock, once ──▶ ask      the agent was restarted, or we slept
//! any other report: refused                                          three in a row: not asked until somebody says so
//! ```
//! A report that nobody signed is believed for what it is by the standard: a reason why this very request, whose random
//! id it has, was not answered. It never moves a clock, and never lowers the level that is asked for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::super::ber::Writer;
use super::super::pdu::{self, PduKind};
use super::super::secured::{self, Head, Secured, Unreadable};
use super::super::usm::{AuthProtocol, EngineId, Level, LocalKeys, Notion, PrivProtocol, ReportKind, User};
use super::super::walk::Walk;
use super::{Credentials, Drops, Engine};
use crate::base::text;

/// Refusals in a row after which a user is not tried any more at this agent.
const MOST_STRIKES: u8 = 3;
/// Users remembered for one agent; passwords change.
const MOST_USERS: usize = 8;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Security {
    /// One user is one `Arc`: what is remembered of it at an agent hangs on that.
    pub user: Arc<User>,
    /// The context's name; mostly empty.
    pub context: Arc<[u8]>,
    /// Asked at this engine only, and never discovered.
    pub engine_id: Option<EngineId>,
    /// Somebody told us to try again, whatever was refused before.
    pub pardon: bool,
    /// Asked for something that the agent may refuse to anybody: what it says then proves nothing against the user.
    pub trial: bool,
}

/// Why an agent did not let us in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Report(ReportKind),
    /// It told its name, and did not answer the request that came with the user's.
    Silence,
    /// It is another engine than the one that is configured.
    OtherEngine(EngineId),
}

/// A refusal, and whether it was the last for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    pub why: Refusal,
    /// Three in a row: this user is not tried at this agent until somebody says so.
    pub stopped: bool,
}

impl Refusal {
    /// In words: what is wrong, and what to look at.
    pub fn words(self, security: &Security) -> String {
        let user = &security.user;
        let name = text::clean(&String::from_utf8_lossy(user.name()));
        let auth = user.auth_protocol().map_or("none", AuthProtocol::name);
        let privacy = user.priv_protocol().map_or("none", PrivProtocol::name);
        match self {
            Self::Report(kind) => {
                let advice = match kind {
                    ReportKind::UnsupportedLevel => format!(
                        "user {name} may not use {} there: give it the missing key on the agent, or configure the level that it has",
                        user.level().as_str()
                    ),
                    ReportKind::NotInTimeWindow => {
                        "the agent refuses even the time that it has just told: its clock or its restart counter is broken"
                            .to_owned()
                    }
                    ReportKind::UnknownUser => {
                        format!("the agent has no user {name}: check the name, or create it there")
                    }
                    ReportKind::UnknownEngine => {
                        "the agent does not know its own engine id: restart its SNMP service".to_owned()
                    }
                    ReportKind::WrongDigest => {
                        format!("the authentication password or protocol ({auth}) of user {name} is wrong")
                    }
                    ReportKind::DecryptionError => {
                        format!("the privacy password or protocol ({privacy}) of user {name} is wrong")
                    }
                    ReportKind::UnknownSecurityModel => {
                        "the agent does not know the user-based security model".to_owned()
                    }
                    ReportKind::InvalidMessage => "the agent calls the message invalid".to_owned(),
                    ReportKind::UnknownPduHandler => "the agent has nobody to answer this kind of request".to_owned(),
                    ReportKind::UnavailableContext => format!("{} is not available now", context(security)),
                    ReportKind::UnknownContext => format!("the agent does not have {}: check `context`", context(security)),
                };
                format!("{advice} ({})", kind.counter())
            }
            Self::Silence => {
                // Most agents report a wrong digest and an unknown user; what they cannot decrypt many just drop.
                let likely = match user.level() {
                    Level::NoAuthNoPriv => "the user is unknown, or must not ask without a password".to_owned(),
                    Level::AuthNoPriv => format!("its authentication password or protocol ({auth}) is wrong"),
                    Level::AuthPriv => format!(
                        "its privacy password or protocol ({privacy}) is wrong; else its authentication password or protocol ({auth})"
                    ),
                };
                let context = if security.context.is_empty() {
                    String::new()
                } else {
                    format!(", or {} does not exist", context(security))
                };
                format!(
                    "the agent answers the discovery, but nothing that user {name} asks: most likely {likely}{context}, or an access list keeps it out"
                )
            }
            Self::OtherEngine(found) => format!(
                "the agent's engine id is {found}, not the configured `engine_id`: it was replaced, or the address is wrong"
            ),
        }
    }

    fn is_authentication_failure(self) -> bool {
        match self {
            Self::Report(kind) => kind.is_authentication_failure(),
            Self::Silence => true,
            Self::OtherEngine(_) => false,
        }
    }
}

fn context(security: &Security) -> String {
    format!("the context \"{}\"", text::clean(&String::from_utf8_lossy(&security.context)))
}

/// What a request is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Asked {
    #[default]
    Discovery,
    Walk,
}

/// How far a conversation is with being let in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    pub asked: Asked,
    /// Tried since the last answer, and not to be tried twice.
    rediscovered: bool,
    resynced: bool,
}

/// An agent as version 3 sees it.
#[derive(Debug, Default)]
pub(super) struct SecureAgent {
    engine: Option<(EngineId, Notion)>,
    users: Vec<Known>,
}

/// A user at one agent.
#[derive(Debug)]
struct Known {
    user: Arc<User>,
    /// For the engine as it is known now.
    keys: Option<LocalKeys>,
    /// Refusals in a row, and the last.
    strikes: u8,
    last: Refusal,
    /// It was let in before.
    proven: bool,
}

/// What a believed message does to its conversation.
enum Turn {
    Answered,
    Again,
    Refused(Refusal),
}

/// Which counter a dropped message belongs to.
type Dropped = fn(&mut Drops) -> &mut u64;

impl SecureAgent {
    pub(super) fn has_stopped(&self) -> bool {
        self.users.iter().any(|known| known.strikes >= MOST_STRIKES)
    }

    /// Somebody was let in before: what it is called and what its clock says are known.
    pub(super) fn has_let_in(&self) -> bool {
        self.users.iter().any(|known| known.proven)
    }

    /// Writes the next message to this agent: the discovery while it has no name, else what the walk wants to know.
    pub(super) fn compose(
        &mut self,
        security: &Security,
        walk: &mut Walk,
        (id, salt): (i32, u64),
        now: Duration,
        scoped: &mut Writer,
        writer: &mut Writer,
    ) -> Result<Asked, Refused> {
        let known = self.known(&security.user);
        if self.users[known].strikes >= MOST_STRIKES {
            return Err(Refused { why: self.users[known].last, stopped: true });
        }
        if let Some(pinned) = security.engine_id
            && self.engine.is_none_or(|(found, _)| found != pinned)
        {
            self.learn(pinned, Notion::default());
        }
        scoped.clear();
        let Some((engine_id, notion)) = &self.engine else {
            // RFC 3414 §4: no engine, no user, nothing asked.
            secured::encode_scoped(scoped, &[], &[], |w| pdu::encode(w, PduKind::Get, id, 0, 0, |_| {}));
            let head =
                Head { id, level: Level::NoAuthNoPriv, reportable: true, engine_id: &[], boots: 0, time: 0, user: &[] };
            secured::seal(writer, &head, &LocalKeys::default(), salt, scoped);
            return Ok(Asked::Discovery);
        };
        let level = security.user.level();
        secured::encode_scoped(scoped, engine_id.as_bytes(), &security.context, |w| walk.request(id, now, w));
        // Without authentication nobody looks at the clock, and none is told.
        let (boots, time) = if level.is_authenticated() { (notion.boots(), notion.time(now)) } else { (0, 0) };
        let user = security.user.name();
        let head = Head { id, level, reportable: true, engine_id: engine_id.as_bytes(), boots, time, user };
        let keys = self.users[known].keys.get_or_insert_with(|| security.user.localise(engine_id));
        secured::seal(writer, &head, keys, salt, scoped);
        Ok(Asked::Walk)
    }

    /// The place of what is known about a user.
    fn known(&mut self, user: &Arc<User>) -> usize {
        if let Some(known) = self.users.iter().position(|known| Arc::ptr_eq(&known.user, user)) {
            return known;
        }
        if self.users.len() >= MOST_USERS {
            self.users.remove(0);
        }
        self.users.push(Known { user: user.clone(), keys: None, strikes: 0, last: Refusal::Silence, proven: false });
        self.users.len() - 1
    }

    /// The agent is this engine from now on.
    fn learn(&mut self, found: EngineId, notion: Notion) {
        if self.engine.is_none_or(|(old, _)| old != found) {
            for known in &mut self.users {
                known.keys = None;
            }
        }
        self.engine = Some((found, notion));
    }

    /// The reply to a discovery: nobody can sign it yet, and all that is taken from it is a name and a guess of the clock.
    fn discovered(&mut self, message: &Secured<'_>, now: Duration, scratch: &mut Vec<u8>) -> Result<Turn, Dropped> {
        let head = &message.head;
        let scoped = message.open(&LocalKeys::default(), scratch).map_err(|_| malformed as Dropped)?;
        if scoped.pdu.kind != PduKind::Report {
            return Err(|d| &mut d.not_a_response);
        }
        let found = EngineId::new(head.engine_id).ok_or(malformed as Dropped)?;
        self.learn(found, Notion::guess(head.boots, head.time, now));
        Ok(Turn::Again)
    }

    /// A reply to a request of the walk.
    fn replied(
        &mut self,
        message: &Secured<'_>,
        security: &Security,
        step: &mut Step,
        walk: &mut Walk,
        now: Duration,
        scratch: &mut Vec<u8>,
    ) -> Result<Turn, Dropped> {
        let known = self.known(&security.user);
        let Some((engine_id, notion)) = &mut self.engine else { return Err(|d| &mut d.unknown_id) };
        let none = LocalKeys::default();
        let keys = self.users[known].keys.as_ref().unwrap_or(&none);
        let head = &message.head;
        let ours = head.engine_id == engine_id.as_bytes() && head.user == security.user.name();
        if head.level.is_authenticated() {
            if !ours {
                return Err(|d| &mut d.other_user);
            }
            if !message.verify(keys) {
                return Err(|d| &mut d.forged);
            }
        }
        let scoped = message.open(keys, scratch).map_err(|why| match why {
            Unreadable::Undecryptable => undecryptable as Dropped,
            Unreadable::Malformed if head.level == Level::AuthPriv => undecryptable,
            Unreadable::Malformed => malformed,
        })?;
        match scoped.pdu.kind {
            PduKind::Response => {}
            PduKind::Report => {
                let counter = scoped.pdu.varbinds().next().and_then(|bind| ReportKind::from_oid(bind.name));
                let kind = counter.ok_or((|d| &mut d.not_a_response) as Dropped)?;
                return self.reported(kind, head, security, step, now);
            }
            PduKind::Get | PduKind::GetNext | PduKind::Set | PduKind::GetBulk | PduKind::Inform | PduKind::TrapV2 => {
                return Err(|d| &mut d.not_a_response);
            }
        }
        if head.level != security.user.level() {
            return Err(|d| &mut d.other_level);
        }
        if head.level.is_authenticated() && notion.take(head.boots, head.time, now).is_err() {
            return Err(|d| &mut d.stale);
        }
        if !ours || scoped.engine_id != engine_id.as_bytes() || scoped.context != &*security.context {
            return Err(|d| &mut d.other_user);
        }
        if scoped.pdu.request_id != head.id {
            return Err(|d| &mut d.unknown_id);
        }
        let known = &mut self.users[known];
        (known.strikes, known.proven) = (0, true);
        *step = Step { asked: step.asked, ..Step::default() };
        walk.answer(&scoped.pdu, now);
        Ok(Turn::Answered)
    }

    /// The agent reports why it does not answer. Where the message is authenticated, its digest was right.
    fn reported(
        &mut self,
        kind: ReportKind,
        head: &Head<'_>,
        security: &Security,
        step: &mut Step,
        now: Duration,
    ) -> Result<Turn, Dropped> {
        match kind {
            ReportKind::UnknownEngine => {
                let found = EngineId::new(head.engine_id).ok_or(malformed as Dropped)?;
                if security.engine_id.is_some_and(|pinned| pinned != found) {
                    return Ok(Turn::Refused(Refusal::OtherEngine(found)));
                }
                let same = self.engine.is_some_and(|(old, _)| old == found);
                if same || std::mem::replace(&mut step.rediscovered, true) {
                    return Ok(Turn::Refused(Refusal::Report(kind)));
                }
                self.learn(found, Notion::guess(head.boots, head.time, now));
                Ok(Turn::Again)
            }
            ReportKind::NotInTimeWindow => {
                if !head.level.is_authenticated() {
                    return Err(|d| &mut d.other_level);
                }
                if let Some((_, notion)) = &mut self.engine {
                    notion.set(head.boots, head.time, now);
                }
                if std::mem::replace(&mut step.resynced, true) {
                    return Ok(Turn::Refused(Refusal::Report(kind)));
                }
                Ok(Turn::Again)
            }
            ReportKind::UnsupportedLevel
            | ReportKind::UnknownUser
            | ReportKind::WrongDigest
            | ReportKind::DecryptionError
            | ReportKind::UnknownSecurityModel
            | ReportKind::InvalidMessage
            | ReportKind::UnknownPduHandler
            | ReportKind::UnavailableContext
            | ReportKind::UnknownContext => Ok(Turn::Refused(Refusal::Report(kind))),
        }
    }

    /// Counts a refusal of a user.
    fn strike(&mut self, security: &Security, why: Refusal) -> Refused {
        let known = self.known(&security.user);
        let known = &mut self.users[known];
        if why.is_authentication_failure() && !security.trial {
            known.strikes = known.strikes.saturating_add(1);
            known.last = why;
        }
        Refused { why, stopped: known.strikes >= MOST_STRIKES }
    }
}

fn malformed(drops: &mut Drops) -> &mut u64 {
    &mut drops.malformed
}

fn undecryptable(drops: &mut Drops) -> &mut u64 {
    &mut drops.undecryptable
}

impl Engine {
    /// Takes a message of version 3 off the wire.
    pub(super) fn handle_secured(&mut self, now: Duration, from: SocketAddr, datagram: &[u8]) {
        let (ticket, turn) = match self.hear(now, from, datagram) {
            Ok(heard) => heard,
            Err(dropped) => {
                *dropped(&mut self.drops) += 1;
                return;
            }
        };
        self.settle(ticket, now);
        match turn {
            Turn::Answered | Turn::Again => {
                let Some(conversation) = self.conversations.get(&ticket) else { return };
                self.go_on(ticket, conversation.peer.address, conversation.walk.is_done());
            }
            Turn::Refused(why) => {
                if let Some(refused) = self.strike(ticket, why) {
                    self.refuse(ticket, refused);
                }
            }
        }
    }

    fn hear(&mut self, now: Duration, from: SocketAddr, datagram: &[u8]) -> Result<(u64, Turn), Dropped> {
        let message = Secured::decode(datagram).map_err(|_| malformed as Dropped)?;
        let ticket = *self.out.get(&message.head.id).ok_or((|d| &mut d.unknown_id) as Dropped)?;
        let conversation = self.conversations.get_mut(&ticket).ok_or((|d| &mut d.unknown_id) as Dropped)?;
        let address = conversation.peer.address;
        if (address.ip(), address.port()) != (from.ip(), from.port()) {
            return Err(|d| &mut d.other_address);
        }
        let Credentials::User(security) = &conversation.peer.credentials else { return Err(|d| &mut d.other_version) };
        let agent = self.agents.entry(address).or_default();
        let secure = agent.secure.get_or_insert_default();
        let turn = match conversation.step.asked {
            Asked::Discovery => secure.discovered(&message, now, &mut self.scratch)?,
            Asked::Walk => {
                let (step, walk) = (&mut conversation.step, &mut conversation.walk);
                secure.replied(&message, security, step, walk, now, &mut self.scratch)?
            }
        };
        Ok((ticket, turn))
    }

    /// Ends a conversation that was refused.
    pub(super) fn refuse(&mut self, ticket: u64, refused: Refused) {
        let Some(conversation) = self.conversations.get_mut(&ticket) else { return };
        conversation.refused = Some(refused);
        if let Credentials::User(security) = &conversation.peer.credentials {
            conversation.walk.refused(refused.why.words(security));
        }
        let address = conversation.peer.address;
        self.go_on(ticket, address, true);
    }

    /// All tries of a request were in vain.
    pub(super) fn fell_silent(&mut self, ticket: u64) {
        let Some(conversation) = self.conversations.get(&ticket) else { return };
        let Credentials::User(security) = &conversation.peer.credentials else { return };
        if conversation.step.asked == Asked::Discovery {
            return;
        }
        let Some(secure) = self.agents.get_mut(&conversation.peer.address).and_then(|a| a.secure.as_mut()) else {
            return;
        };
        // Perhaps it was replaced and says nothing to strangers: whoever asks next finds out.
        secure.engine = None;
        let known = secure.known(&security.user);
        // With a configured engine id nothing has shown yet that there is an agent at all.
        let told_its_name = security.engine_id.is_none() && !secure.users[known].proven;
        let refused = if told_its_name { self.strike(ticket, Refusal::Silence) } else { None };
        if let Some(conversation) = self.conversations.get_mut(&ticket) {
            conversation.refused = refused;
        }
    }

    fn strike(&mut self, ticket: u64, why: Refusal) -> Option<Refused> {
        let conversation = self.conversations.get(&ticket)?;
        let Credentials::User(security) = &conversation.peer.credentials else { return None };
        let secure = self.agents.get_mut(&conversation.peer.address)?.secure.as_mut()?;
        Some(secure.strike(security, why))
    }

    /// Somebody wants this user to be tried again at this agent.
    pub(super) fn pardon(&mut self, address: SocketAddr, security: &Security) {
        if let Some(secure) = self.agents.get_mut(&address).and_then(|agent| agent.secure.as_mut()) {
            let known = secure.known(&security.user);
            secure.users[known].strikes = 0;
        }
    }
}
