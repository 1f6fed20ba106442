//! Version 3 of a simulated switch: the authoritative side of USM around the same responses.

use std::sync::atomic::Ordering;

use super::mib::{self, Mib};
use super::{AgentSpec, Device, LARGEST_REPLY, is_question, respond};
use crate::proto::snmp::Secured;
use crate::proto::snmp::ber::Writer;
use crate::proto::snmp::secured::encode_scoped;
use crate::proto::snmp::usm::{Authority, EngineId, Received};

/// What the wrapping takes of a frame.
const WRAPPING: usize = 160;

/// The engine of one switch.
#[derive(Debug)]
pub struct Secure {
    authority: Authority,
    scoped: Writer,
    scratch: Vec<u8>,
}

impl Secure {
    /// `None` where the switch has no user.
    pub fn new(spec: &AgentSpec) -> Option<Self> {
        let user = spec.user.clone()?;
        // The enterprise number that is set aside for examples (RFC 5612), and octets that make the id unique.
        let mut id = vec![0x80, 0, 0x7e, 0xd9, 5];
        id.extend_from_slice(&mib::mix(spec.seed).to_be_bytes());
        let authority = Authority::new(EngineId::new(&id)?, 1, &[user], mib::mix(spec.seed ^ 0x5a17));
        Some(Self { authority, scoped: Writer::default(), scratch: Vec::new() })
    }

    /// The reply to a datagram; false where a real agent would be silent.
    pub fn answer(&mut self, mib: &Mib, device: &Device, now: i64, datagram: &[u8], reply: &mut Writer) -> bool {
        if !device.alive.load(Ordering::Relaxed) {
            return false;
        }
        let Ok(message) = Secured::decode(datagram) else { return false };
        let time = u32::try_from(device.uptime(now) / 1000).unwrap_or(u32::MAX >> 1);
        self.authority.set_boots(device.boots.load(Ordering::Relaxed));
        match self.authority.receive(time, &message, &mut self.scratch, reply) {
            Received::Request(asker, asked) if is_question(&asked.pdu) => {
                let view = mib.view(device, now);
                self.scoped.clear();
                let id = self.authority.engine_id().as_bytes();
                encode_scoped(&mut self.scoped, id, asked.context, |w| {
                    respond(&view, &asked.pdu, LARGEST_REPLY - WRAPPING, w);
                });
                self.authority.answer(time, asker, &mut self.scoped, reply);
                true
            }
            Received::Report(_) => true,
            Received::Request(..) | Received::Silence(_) | Received::Malformed => false,
        }
    }
}
