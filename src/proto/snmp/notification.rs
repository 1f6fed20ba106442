//! Traps and informs (RFC 1157 §4.1.6, RFC 3416 §4.2.6 and §4.2.7, RFC 3584 §3.1) without I/O: datagrams and time in, what was
//! told and the acknowledgement out.
//!
//! ```text
//! v1    Trap-PDU, made into what v2 would have said ─┐
//! v2c   trap, inform ─ community ────────────────────┼─▶ Notification
//! v3    trap: the sender's engine, its keys, clock ──┤
//! v3    inform: our engine (discovery, clock) ───────┘     informs are acknowledged in the reply
//! ```
//! Nobody is believed for being asked: whoever knows no community and no user of ours is refused and counted. A user is
//! heard at its own level only. What is kept of a sender is kept after it has proved who it is, and bounded.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::ber::Writer;
use super::message::{self, Version};
use super::oid::{Oid, RawOid};
use super::pdu::{self, Pdu, PduKind, TrapV1, Value, VarBinds};
use super::secured::{Secured, encode_scoped};
use super::usm::{Authority, EngineId, LocalKeys, Notion, Received, ReportKind, User};
use crate::base::Secret;

/// Engines whose clocks and keys are kept; of more, the one that was silent longest goes.
const MOST_SENDERS: usize = 4096;

/// Something that a device told by itself; borrowed from the datagram, or from where it was decrypted.
#[derive(Clone, Debug)]
pub struct Notification<'a> {
    pub version: Version,
    /// `snmpTrapOID.0`.
    pub kind: Oid,
    /// `sysUpTime.0`.
    pub uptime: Option<u32>,
    /// An inform: the sender gets an acknowledgement.
    pub confirmed: bool,
    /// What was sent along, without the two above.
    pub varbinds: VarBinds<'a>,
}

/// Why a datagram told us nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Malformed,
    /// A question, an answer, or a report.
    NoNotification,
    /// A community that we do not have, or any where we have none.
    Community,
    /// Version 3: what is wrong, as a report would say it.
    User(ReportKind),
    /// Authenticated, but older than the window: late, or recorded and sent again.
    Stale,
}

/// Takes notifications of all senders.
#[derive(Debug)]
pub struct Receiver {
    communities: Vec<Secret<Vec<u8>>>,
    users: Vec<Arc<User>>,
    /// Ourselves, for those who want to be acknowledged.
    own: Authority,
    started: Duration,
    senders: HashMap<EngineId, Sender>,
    scratch: Vec<u8>,
    scoped: Writer,
}

/// An engine that has proved who it is.
#[derive(Debug, Default)]
struct Sender {
    notion: Notion,
    /// By the user's place.
    keys: Vec<(usize, LocalKeys)>,
    heard: Duration,
}

impl Receiver {
    /// `own` knows the same users.
    pub fn new(communities: Vec<Secret<Vec<u8>>>, users: Vec<Arc<User>>, own: Authority, started: Duration) -> Self {
        let (scratch, scoped) = (Vec::new(), Writer::default());
        Self { communities, users, own, started, senders: HashMap::new(), scratch, scoped }
    }

    /// Takes a datagram in. What stands in `reply` afterwards, if anything, is to be sent back.
    ///
    /// # Errors
    /// It tells nothing; a reply may be due all the same. `Ok(None)` is a step on the way to an inform.
    pub fn handle<'s>(
        &'s mut self,
        now: Duration,
        datagram: &'s [u8],
        reply: &mut Writer,
    ) -> Result<Option<Notification<'s>>, Refused> {
        reply.clear();
        if message::version(datagram) == Some(3) {
            let message = Secured::decode(datagram).map_err(|_| Refused::Malformed)?;
            return if message.head.reportable {
                self.informed(now, &message, reply)
            } else {
                self.trapped(now, &message).map(Some)
            };
        }
        let (version, community, mut body) = message::unwrap(datagram).map_err(|_| Refused::Malformed)?;
        let told = if version == Version::V1 {
            let trap = TrapV1::decode(&mut body).map_err(|_| Refused::Malformed)?;
            from_v1(trap)
        } else {
            let pdu = Pdu::decode(&mut body).map_err(|_| Refused::Malformed)?;
            let told = from_v2(Version::V2c, &pdu)?;
            if told.confirmed && self.knows(community) {
                message::encode(reply, version, community, |w| acknowledge(w, &pdu));
            }
            told
        };
        if !body.is_empty() {
            reply.clear();
            return Err(Refused::Malformed);
        }
        if self.knows(community) { Ok(Some(told)) } else { Err(Refused::Community) }
    }

    fn knows(&self, community: &[u8]) -> bool {
        self.communities.iter().any(|known| {
            aws_lc_rs::constant_time::verify_slices_are_equal(known.expose().as_slice(), community).is_ok()
        })
    }

    /// A message that wants an answer: it goes to our own engine.
    fn informed<'s>(
        &'s mut self,
        now: Duration,
        message: &Secured<'s>,
        reply: &mut Writer,
    ) -> Result<Option<Notification<'s>>, Refused> {
        let time = u32::try_from(now.saturating_sub(self.started).as_secs()).unwrap_or(u32::MAX >> 1);
        let Self { own, scratch, scoped, .. } = self;
        match own.receive(time, message, scratch, reply) {
            Received::Request(asker, asked) => {
                let told = from_v2(Version::V3, &asked.pdu)?;
                if told.confirmed {
                    scoped.clear();
                    encode_scoped(scoped, asked.engine_id, asked.context, |w| acknowledge(w, &asked.pdu));
                    own.answer(time, asker, scoped, reply);
                }
                Ok(Some(told))
            }
            // Finding out who we are, and what our clock says, is part of the way.
            Received::Report(ReportKind::UnknownEngine | ReportKind::NotInTimeWindow) => Ok(None),
            Received::Report(kind) | Received::Silence(kind) => Err(Refused::User(kind)),
            Received::Malformed => Err(Refused::Malformed),
        }
    }

    /// A trap: the sender's engine is the one that counts.
    fn trapped<'s>(&'s mut self, now: Duration, message: &Secured<'s>) -> Result<Notification<'s>, Refused> {
        let head = &message.head;
        let engine = EngineId::new(head.engine_id).ok_or(Refused::User(ReportKind::UnknownEngine))?;
        let place = self.users.iter().position(|user| user.name() == head.user);
        let place = place.ok_or(Refused::User(ReportKind::UnknownUser))?;
        let user = self.users[place].clone();
        if user.level() != head.level {
            return Err(Refused::User(ReportKind::UnsupportedLevel));
        }
        let none = LocalKeys::default();
        let keys = if head.level.is_authenticated() {
            let known = self.senders.get(&engine).is_some_and(|s| s.keys.iter().any(|(of, _)| *of == place));
            if !known {
                // Nothing is kept of, and no long key made for, an engine that anybody may have invented.
                if !message.verify(&user.localise_auth(&engine)) {
                    return Err(Refused::User(ReportKind::WrongDigest));
                }
                self.make_room(&engine);
                let sender = self.senders.entry(engine).or_default();
                sender.keys.push((place, user.localise(&engine)));
            }
            let Some(sender) = self.senders.get_mut(&engine) else { return Err(Refused::Malformed) };
            let Some((_, keys)) = sender.keys.iter().find(|(of, _)| *of == place) else {
                return Err(Refused::Malformed);
            };
            if known && !message.verify(keys) {
                return Err(Refused::User(ReportKind::WrongDigest));
            }
            sender.heard = now;
            if sender.notion.take(head.boots, head.time, now).is_err() {
                return Err(Refused::Stale);
            }
            keys
        } else {
            &none
        };
        let scoped = message.open(keys, &mut self.scratch);
        let scoped = scoped.map_err(|_| Refused::User(ReportKind::DecryptionError))?;
        let told = from_v2(Version::V3, &scoped.pdu)?;
        // An inform that wants no report of what goes wrong is none.
        if told.confirmed { Err(Refused::NoNotification) } else { Ok(told) }
    }

    fn make_room(&mut self, newcomer: &EngineId) {
        if self.senders.len() < MOST_SENDERS || self.senders.contains_key(newcomer) {
            return;
        }
        let oldest = self.senders.iter().min_by_key(|(_, sender)| sender.heard).map(|(engine, _)| *engine);
        if let Some(oldest) = oldest {
            self.senders.remove(&oldest);
        }
    }
}

/// The response to an inform: its own id and varbinds.
fn acknowledge(writer: &mut Writer, inform: &Pdu<'_>) {
    pdu::encode(writer, PduKind::Response, inform.request_id, 0, 0, |w| {
        for bind in inform.varbinds() {
            pdu::encode_varbind(w, bind.name, bind.value);
        }
    });
}

fn from_v1(trap: TrapV1<'_>) -> Notification<'_> {
    let kind = if let generic @ 0..=5 = trap.generic {
        // snmpTraps.1 is coldStart, the generic trap 0.
        Oid::from_arcs(&[1, 3, 6, 1, 6, 3, 1, 1, 5, generic.cast_unsigned() + 1])
    } else {
        let mut kind = trap.enterprise.to_oid();
        kind.push(0);
        kind.push(trap.specific.cast_unsigned());
        kind
    };
    Notification { version: Version::V1, kind, uptime: Some(trap.uptime), confirmed: false, varbinds: trap.varbinds }
}

fn from_v2<'a>(version: Version, pdu: &Pdu<'a>) -> Result<Notification<'a>, Refused> {
    const UPTIME: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 3, 0];
    const KIND: &[u8] = &[0x2b, 6, 1, 6, 3, 1, 1, 4, 1, 0];
    let confirmed = match pdu.kind {
        PduKind::TrapV2 => false,
        PduKind::Inform => true,
        PduKind::Get | PduKind::GetNext | PduKind::Response | PduKind::Set | PduKind::GetBulk | PduKind::Report => {
            return Err(Refused::NoNotification);
        }
    };
    let mut varbinds = pdu.varbinds();
    let mut next = |name: &[u8]| varbinds.next().filter(|bind| bind.name.as_bytes() == name).map(|bind| bind.value);
    let uptime = next(UPTIME).ok_or(Refused::Malformed)?.number().and_then(|ticks| u32::try_from(ticks).ok());
    let Some(Value::Oid(kind)) = next(KIND) else { return Err(Refused::Malformed) };
    Ok(Notification { version, kind: kind.to_oid(), uptime, confirmed, varbinds })
}

/// The standard ones (RFC 3418 §2, RFC 2863).
pub mod kinds {
    use super::{Oid, RawOid};

    /// `snmpTraps`: 1 coldStart, 2 warmStart, 3 linkDown, 4 linkUp, 5 authenticationFailure.
    pub fn standard(kind: RawOid<'_>) -> Option<u32> {
        kind.below(&Oid::from_arcs(&[1, 3, 6, 1, 6, 3, 1, 1, 5]))?.single().filter(|n| (1..=5).contains(n))
    }
}

#[cfg(test)]
mod tests;
