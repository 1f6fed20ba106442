//! The side that is asked (RFC 3414 §3.2, as the authoritative engine): an agent, or whoever receives informs. It takes a
//! decoded message, and gives the request, or a report to send back, or nothing.

use std::sync::Arc;

use super::window::Notion;
use super::{EngineId, Level, LocalKeys, ReportKind, User};
use crate::proto::snmp::ber::Writer;
use crate::proto::snmp::pdu::{self, PduKind, Value};
use crate::proto::snmp::secured::{self, Head, ScopedPdu, Secured, Unreadable};

/// An engine that others authenticate towards, with the users that it knows.
#[derive(Debug)]
pub struct Authority {
    engine_id: EngineId,
    boots: u32,
    users: Vec<(Arc<User>, LocalKeys)>,
    /// How often each report was due, in the order of [`ReportKind::ALL`].
    counters: [u32; ReportKind::ALL.len()],
    salt: u64,
    scoped: Writer,
}

/// What a message came to.
#[derive(Debug)]
pub enum Received<'s> {
    /// Authenticated and decrypted as its user demands. It is answered with [`Authority::answer`].
    Request(Asker, ScopedPdu<'s>),
    /// The writer holds a report for the sender.
    Report(ReportKind),
    /// Wrong, and the sender does not want to know.
    Silence(ReportKind),
    /// Not what its head says it is.
    Malformed,
}

/// Whom to answer, and how.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    id: i32,
    user: usize,
    level: Level,
}

impl Authority {
    /// `salt` is where the counter of salts begins: a random number, so that no salt comes twice after a restart.
    pub fn new(engine_id: EngineId, boots: u32, users: &[Arc<User>], salt: u64) -> Self {
        let users = users.iter().map(|user| (user.clone(), user.localise(&engine_id))).collect();
        let counters = [0; ReportKind::ALL.len()];
        Self { engine_id, boots, users, counters, salt, scoped: Writer::default() }
    }

    pub fn engine_id(&self) -> &EngineId {
        &self.engine_id
    }

    /// The engine has restarted.
    pub fn set_boots(&mut self, boots: u32) {
        self.boots = boots;
    }

    /// How often a report was due.
    pub fn counter(&self, kind: ReportKind) -> u32 {
        ReportKind::ALL.iter().position(|k| *k == kind).map_or(0, |i| self.counters[i])
    }

    /// Takes a message in at the engine's own `time`. A user is spoken with at its own level only: less is refused, and
    /// so is more than there are keys for.
    pub fn receive<'s, 'a: 's>(
        &mut self,
        time: u32,
        message: &Secured<'a>,
        scratch: &'s mut Vec<u8>,
        reply: &mut Writer,
    ) -> Received<'s> {
        let head = &message.head;
        if head.engine_id != self.engine_id.as_bytes() {
            return self.refuse(time, message, ReportKind::UnknownEngine, None, reply);
        }
        let Some(user) = self.users.iter().position(|(user, _)| user.name() == head.user) else {
            return self.refuse(time, message, ReportKind::UnknownUser, None, reply);
        };
        if self.users[user].0.level() != head.level {
            return self.refuse(time, message, ReportKind::UnsupportedLevel, None, reply);
        }
        if head.level.is_authenticated() {
            if !message.verify(&self.users[user].1) {
                return self.refuse(time, message, ReportKind::WrongDigest, None, reply);
            }
            if !Notion::accepts(head.boots, head.time, self.boots, time) {
                return self.refuse(time, message, ReportKind::NotInTimeWindow, Some(user), reply);
            }
        }
        match message.open(&self.users[user].1, scratch) {
            Ok(scoped) => Received::Request(Asker { id: head.id, user, level: head.level }, scoped),
            Err(Unreadable::Malformed) if head.level < Level::AuthPriv => Received::Malformed,
            Err(Unreadable::Malformed | Unreadable::Undecryptable) => {
                self.refuse(time, message, ReportKind::DecryptionError, Some(user), reply)
            }
        }
    }

    /// Writes the message around the answer that stands in `scoped`.
    pub fn answer(&mut self, time: u32, asker: Asker, scoped: &mut Writer, reply: &mut Writer) {
        let Some((user, keys)) = self.users.get(asker.user) else { return };
        self.salt = self.salt.wrapping_add(1);
        let head = Head {
            id: asker.id,
            level: asker.level,
            reportable: false,
            engine_id: self.engine_id.as_bytes(),
            boots: self.boots,
            time,
            user: user.name(),
        };
        secured::seal(reply, &head, keys, self.salt, scoped);
    }

    /// Counts, and writes the report where the sender wants one. `signer` signs it: only a clock is worth a signature.
    fn refuse<'s>(
        &mut self,
        time: u32,
        message: &Secured<'_>,
        kind: ReportKind,
        signer: Option<usize>,
        reply: &mut Writer,
    ) -> Received<'s> {
        let index = ReportKind::ALL.iter().position(|k| *k == kind).unwrap_or(0);
        self.counters[index] = self.counters[index].wrapping_add(1);
        if !message.head.reportable {
            return Received::Silence(kind);
        }
        let mut unused = Vec::new();
        // Encrypted, the request's id cannot be known yet; the message's id is what the sender goes by.
        let request_id = if message.head.level < Level::AuthPriv {
            message.open(&LocalKeys::default(), &mut unused).map_or(0, |scoped| scoped.pdu.request_id)
        } else {
            0
        };
        let counter = self.counters[index];
        self.scoped.clear();
        secured::encode_scoped(&mut self.scoped, self.engine_id.as_bytes(), &[], |w| {
            pdu::encode(w, PduKind::Report, request_id, 0, 0, |w| {
                pdu::encode_varbind(w, kind.oid().as_raw(), Value::Counter32(counter));
            });
        });
        let none = LocalKeys::default();
        let (level, keys) = match signer.and_then(|user| self.users.get(user)) {
            Some((_, keys)) => (Level::AuthNoPriv, keys),
            None => (Level::NoAuthNoPriv, &none),
        };
        let head = Head {
            id: message.head.id,
            level,
            reportable: false,
            engine_id: self.engine_id.as_bytes(),
            boots: self.boots,
            time,
            user: message.head.user,
        };
        secured::seal(reply, &head, keys, self.salt, &mut self.scoped);
        Received::Report(kind)
    }
}
