//! The user-based security model (RFC 3414; AES by RFC 3826, SHA-2 by RFC 7860) without I/O: who asks, with which keys,
//! and what may be believed of a message.
//!
//! ```text
//! password ─hash of 1 MiB─▶ User ─with the engine's id─▶ LocalKeys ─▶ seal a message, verify and open one
//! ```
//! A MAC is compared in constant time and always has the length that its protocol names. Passwords and keys stand in
//! [`Secret`](crate::base::Secret) and are wiped. Two ways of stretching a short hash to a long AES key exist in the field,
//! and both are spoken. Nothing here lowers a level by itself.

mod auth;
mod authority;
mod keys;
mod privacy;
mod protocols;
mod report;
mod window;

use std::fmt;

pub use self::auth::AuthKey;
pub use self::authority::{Authority, Received};
pub use self::keys::{LocalKeys, User, UserError};
pub use self::privacy::PrivKey;
pub use self::protocols::{AuthProtocol, PrivProtocol};
pub use self::report::ReportKind;
pub use self::window::{Notion, Stale};

/// What a message is protected by (RFC 3411 §3.4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    NoAuthNoPriv,
    AuthNoPriv,
    AuthPriv,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoAuthNoPriv => "noAuthNoPriv",
            Self::AuthNoPriv => "authNoPriv",
            Self::AuthPriv => "authPriv",
        }
    }

    pub fn is_authenticated(self) -> bool {
        self >= Self::AuthNoPriv
    }
}

/// The name of an SNMP engine: 5 to 32 octets (RFC 3411 §5, SnmpEngineID).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EngineId {
    octets: [u8; Self::LONGEST],
    length: u8,
}

impl EngineId {
    pub const SHORTEST: usize = 5;
    pub const LONGEST: usize = 32;

    /// `None` where the length is not permitted, or all octets are zero or all are 255.
    pub fn new(id: &[u8]) -> Option<Self> {
        let fits = (Self::SHORTEST..=Self::LONGEST).contains(&id.len());
        if !fits || id.iter().all(|o| *o == 0) || id.iter().all(|o| *o == 0xff) {
            return None;
        }
        let mut octets = [0; Self::LONGEST];
        octets[..id.len()].copy_from_slice(id);
        Some(Self { octets, length: id.len() as u8 })
    }

    /// From hexadecimal digits, with or without `0x` in front and colons or blanks between.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let digits: Vec<u8> = text.bytes().filter(|b| !matches!(b, b':' | b' ' | b'-')).collect();
        let octets = digits.chunks(2).map(|pair| {
            let pair =
                std::str::from_utf8(pair).ok().filter(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()))?;
            u8::from_str_radix(pair, 16).ok()
        });
        Self::new(&octets.collect::<Option<Vec<u8>>>()?)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.octets[..usize::from(self.length)]
    }
}

impl fmt::Display for EngineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for EngineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EngineId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_ids_have_5_to_32_octets_and_say_something() {
        assert!(EngineId::new(&[1; 4]).is_none() && EngineId::new(&[1; 33]).is_none());
        assert!(EngineId::new(&[1; 5]).is_some() && EngineId::new(&[1; 32]).is_some());
        assert!(EngineId::new(&[0; 12]).is_none() && EngineId::new(&[0xff; 12]).is_none());
    }

    #[test]
    fn an_engine_id_is_read_as_tools_print_it() {
        let id = EngineId::parse("80001f8880e9630000d61ff449").expect("valid");
        assert_eq!(EngineId::parse("0x80:00:1F:88 80e9630000D61FF449"), Some(id));
        assert_eq!(id.to_string(), "80001f8880e9630000d61ff449");
        for bad in ["", "8000", "80001f888", "80001f88zz", "+10001f8880"] {
            assert_eq!(EngineId::parse(bad), None, "{bad}");
        }
    }
}
