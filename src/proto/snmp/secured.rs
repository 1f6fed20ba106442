//! The wrapping around a PDU in SNMPv3 (RFC 3412 §6, RFC 3414 §2.4).
//!
//! ```text
//! SEQUENCE { version 3,
//!   SEQUENCE { msgID, msgMaxSize, msgFlags (1 octet: auth 1, priv 2, reportable 4), msgSecurityModel 3 },
//!   OCTET STRING { SEQUENCE { engine id, boots, time, user, MAC, salt } },
//!   SEQUENCE { context engine id, context name, PDU }     or, encrypted, an OCTET STRING of the same }
//! ```
//! Decoding gives the parts as they stand; nothing is believed before [`Secured::verify`], and nothing can be read before
//! [`Secured::open`].

use std::ops::Range;

use super::ber::{BerError, Reader, Writer, tag};
use super::pdu::Pdu;
use super::usm::{Level, LocalKeys};

/// The longest datagram that we take: what UDP over IPv4 carries.
pub const MAX_SIZE: i32 = 65_507;
/// No engine takes less (RFC 3412 §6.3).
const LEAST_MAX_SIZE: i32 = 484;
/// The user-based security model.
const USM: i32 = 3;
/// What a cipher's padding may add behind a scoped PDU.
const MOST_PADDING: usize = 16;

const AUTH: u8 = 1;
const PRIV: u8 = 2;
const REPORTABLE: u8 = 4;

/// Why a datagram is not a message of version 3 that we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecuredError {
    #[error(transparent)]
    Ber(#[from] BerError),
    #[error("SNMP version {0} where 3 is expected")]
    Version(i32),
    #[error("message flags that cannot be")]
    Flags,
    #[error("a message size that cannot be")]
    Size,
    #[error("security model {0} is not spoken")]
    Model(i32),
    #[error("security parameters that cannot be")]
    Parameters,
}

/// What stands around the scoped PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    pub id: i32,
    pub level: Level,
    /// The other side may report an error of this message.
    pub reportable: bool,
    pub engine_id: &'a [u8],
    pub boots: u32,
    pub time: u32,
    pub user: &'a [u8],
}

/// A decoded message; everything in it is borrowed from the datagram.
#[derive(Clone, Debug)]
pub struct Secured<'a> {
    pub head: Head<'a>,
    pub max_size: i32,
    /// Where the MAC stands in the datagram.
    mac: Range<usize>,
    salt: &'a [u8],
    datagram: &'a [u8],
    /// The scoped PDU, or what it is encrypted to.
    payload: &'a [u8],
}

/// A PDU with its context.
#[derive(Clone, Copy, Debug)]
pub struct ScopedPdu<'a> {
    pub engine_id: &'a [u8],
    pub context: &'a [u8],
    pub pdu: Pdu<'a>,
}

/// The payload is not what the head says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// No key, a wrong one, or an impossible length. A wrong key usually shows as [`Unreadable::Malformed`].
    Undecryptable,
    Malformed,
}

impl<'a> Secured<'a> {
    /// Decodes what is around the payload.
    ///
    /// # Errors
    /// It is malformed anywhere, of another version or security model, or asks for privacy without authentication.
    pub fn decode(datagram: &'a [u8]) -> Result<Self, SecuredError> {
        let mut outer = Reader::new(datagram);
        let mut body = Reader::new(outer.expect(tag::SEQUENCE)?);
        let version = body.integer()?;
        if version != 3 {
            return Err(SecuredError::Version(version));
        }
        let mut global = Reader::new(body.expect(tag::SEQUENCE)?);
        let id = global.integer()?;
        let max_size = global.integer()?;
        let flags = global.expect(tag::OCTET_STRING)?;
        let model = global.integer()?;
        let mut parameters = Reader::new(body.expect(tag::OCTET_STRING)?);
        let mut usm = Reader::new(parameters.expect(tag::SEQUENCE)?);
        let engine_id = usm.expect(tag::OCTET_STRING)?;
        let boots = usm.integer()?;
        let time = usm.integer()?;
        let user = usm.expect(tag::OCTET_STRING)?;
        let mac = usm.expect(tag::OCTET_STRING)?;
        let salt = usm.expect(tag::OCTET_STRING)?;
        let (kind, content) = {
            let mut ahead = body;
            let (kind, content) = ahead.any()?;
            if !ahead.is_empty() {
                return Err(BerError::Trailing.into());
            }
            (kind, content)
        };
        if !outer.is_empty() || !global.is_empty() || !parameters.is_empty() || !usm.is_empty() {
            return Err(BerError::Trailing.into());
        }
        let level = match flags {
            [flags] => match flags & (AUTH | PRIV) {
                0 => Level::NoAuthNoPriv,
                AUTH => Level::AuthNoPriv,
                PRIV => return Err(SecuredError::Flags),
                _ => Level::AuthPriv,
            },
            _ => return Err(SecuredError::Flags),
        };
        if max_size < LEAST_MAX_SIZE || id < 0 {
            return Err(SecuredError::Size);
        }
        if model != USM {
            return Err(SecuredError::Model(model));
        }
        let counts = u32::try_from(boots).ok().zip(u32::try_from(time).ok());
        let (Some((boots, time)), true, true) = (counts, engine_id.len() <= 32, user.len() <= 32) else {
            return Err(SecuredError::Parameters);
        };
        let payload = match (kind, level) {
            (tag::OCTET_STRING, Level::AuthPriv) => content,
            (tag::SEQUENCE, Level::NoAuthNoPriv | Level::AuthNoPriv) => body.rest(),
            (found, _) => return Err(BerError::Tag { expected: tag::SEQUENCE, found }.into()),
        };
        let start = mac.as_ptr().addr() - datagram.as_ptr().addr();
        let flags = flags.first().copied().unwrap_or(0);
        Ok(Self {
            head: Head { id, level, reportable: flags & REPORTABLE != 0, engine_id, boots, time, user },
            max_size,
            mac: start..start + mac.len(),
            salt,
            datagram,
            payload,
        })
    }

    /// Whether the message was made by somebody who has the key, and arrived as it was sent.
    pub fn verify(&self, keys: &LocalKeys) -> bool {
        keys.auth.as_ref().is_some_and(|key| key.verify(self.datagram, self.mac.clone()))
    }

    /// The scoped PDU; an encrypted one is decrypted into `scratch`.
    ///
    /// # Errors
    /// There is no key for it, or it is not what it should be.
    pub fn open<'s>(&self, keys: &LocalKeys, scratch: &'s mut Vec<u8>) -> Result<ScopedPdu<'s>, Unreadable>
    where
        'a: 's,
    {
        if self.head.level < Level::AuthPriv {
            return ScopedPdu::decode(self.payload, 0);
        }
        let key = keys.privacy.as_ref().ok_or(Unreadable::Undecryptable)?;
        scratch.clear();
        scratch.extend_from_slice(self.payload);
        key.decrypt(self.head.boots, self.head.time, self.salt, scratch).map_err(|_| Unreadable::Undecryptable)?;
        ScopedPdu::decode(scratch, MOST_PADDING)
    }
}

impl<'a> ScopedPdu<'a> {
    /// At most `padding` octets may follow.
    fn decode(bytes: &'a [u8], padding: usize) -> Result<Self, Unreadable> {
        let read = || -> Result<Self, BerError> {
            let mut outer = Reader::new(bytes);
            let mut body = Reader::new(outer.expect(tag::SEQUENCE)?);
            let engine_id = body.expect(tag::OCTET_STRING)?;
            let context = body.expect(tag::OCTET_STRING)?;
            let pdu = Pdu::decode(&mut body)?;
            if !body.is_empty() || outer.rest().len() > padding {
                return Err(BerError::Trailing);
            }
            Ok(Self { engine_id, context, pdu })
        };
        read().map_err(|_| Unreadable::Malformed)
    }
}

/// Writes a scoped PDU; `pdu` writes what is inside.
pub fn encode_scoped(writer: &mut Writer, engine_id: &[u8], context: &[u8], pdu: impl FnOnce(&mut Writer)) {
    let scoped = writer.begin(tag::SEQUENCE);
    writer.element(tag::OCTET_STRING, engine_id);
    writer.element(tag::OCTET_STRING, context);
    pdu(writer);
    writer.end(scoped);
}

/// Writes the whole message around the scoped PDU that stands in `scoped`, encrypted there and signed as the level says.
/// `counter` must never repeat while the keys are in use. Without the keys that the level needs nothing is written.
pub fn seal(writer: &mut Writer, head: &Head<'_>, keys: &LocalKeys, counter: u64, scoped: &mut Writer) {
    let auth = keys.auth.as_ref().filter(|_| head.level.is_authenticated());
    let privacy = keys.privacy.as_ref().filter(|_| head.level == Level::AuthPriv);
    writer.clear();
    if head.level.is_authenticated() != auth.is_some() || (head.level == Level::AuthPriv) != privacy.is_some() {
        return;
    }
    let mut salt = [0; 8];
    let mut salt_octets = 0;
    if let Some(key) = privacy {
        scoped.pad(key.block_octets());
        salt = key.salt(head.boots, counter);
        salt_octets = salt.len();
        if key.encrypt(head.boots, head.time, salt, scoped.bytes_mut()).is_err() {
            return;
        }
    }
    let mut flags = match head.level {
        Level::NoAuthNoPriv => 0,
        Level::AuthNoPriv => AUTH,
        Level::AuthPriv => AUTH | PRIV,
    };
    if head.reportable {
        flags |= REPORTABLE;
    }
    let outer = writer.begin(tag::SEQUENCE);
    writer.integer(3);
    let global = writer.begin(tag::SEQUENCE);
    writer.integer(i64::from(head.id));
    writer.integer(i64::from(MAX_SIZE));
    writer.element(tag::OCTET_STRING, &[flags]);
    writer.integer(i64::from(USM));
    writer.end(global);
    let parameters = writer.begin(tag::OCTET_STRING);
    let usm = writer.begin(tag::SEQUENCE);
    writer.element(tag::OCTET_STRING, head.engine_id);
    writer.integer(i64::from(head.boots));
    writer.integer(i64::from(head.time));
    writer.element(tag::OCTET_STRING, head.user);
    let mac_octets = auth.map_or(0, super::usm::AuthKey::mac_octets);
    writer.element(tag::OCTET_STRING, &[0; 64][..mac_octets]);
    let mac_end = writer.len();
    writer.element(tag::OCTET_STRING, &salt[..salt_octets]);
    // Closing an element moves what is inside it up, and with it the place of the MAC: it is counted from the end.
    let behind = writer.len() - mac_end;
    writer.end(usm);
    writer.end(parameters);
    let mac_end = writer.len() - behind;
    if privacy.is_some() {
        writer.element(tag::OCTET_STRING, scoped.bytes());
    } else {
        writer.raw(scoped.bytes());
    }
    let behind = writer.len() - mac_end;
    writer.end(outer);
    if let Some(key) = auth {
        let end = writer.len() - behind;
        key.sign(writer.bytes_mut(), end - mac_octets..end);
    }
}

#[cfg(test)]
mod tests;
