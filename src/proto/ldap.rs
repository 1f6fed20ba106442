//! As much of LDAP (RFC 4511) as it takes to bind, to count what a search finds, and to begin TLS. Messages are BER, in the subset
//! that SNMP uses too: definite lengths, at most 64 KiB each.
//!
//! ```text
//!  SEQUENCE { messageID INTEGER, [APPLICATION n] operation, … }
//!   0 bind   1 its answer   2 unbind   3 search   4 an entry   5 end of search   19 a reference   23 extended   24 its answer
//! ```

mod filter;

pub use filter::{Filter, FilterError};

use super::snmp::ber::{BerError, Reader, Writer, tag};

const BOOLEAN: u8 = 0x01;
const ENUMERATED: u8 = 0x0a;
const BIND: u8 = 0x60;
const BIND_ANSWER: u8 = 0x61;
const UNBIND: u8 = 0x42;
const SEARCH: u8 = 0x63;
const ENTRY: u8 = 0x64;
const DONE: u8 = 0x65;
const REFERENCE: u8 = 0x73;
const EXTENDED: u8 = 0x77;
const EXTENDED_ANSWER: u8 = 0x78;
/// In a result: places to ask instead, and the name of an extended answer.
const REFERRAL: u8 = 0xa3;
const RESPONSE_NAME: u8 = 0x8a;

/// StartTLS (RFC 4511 §4.14).
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";
/// Notice of disconnection (RFC 4511 §4.4.1).
const DISCONNECTION: &[u8] = b"1.3.6.1.4.1.1466.20036";
/// "No attributes" (RFC 4511 §4.5.1.8): only how many entries there are is wanted.
const NO_ATTRIBUTES: &[u8] = b"1.1";

/// Codes of results (RFC 4511 §4.1.9).
pub const SIZE_LIMIT_EXCEEDED: u32 = 4;
pub const ADMIN_LIMIT_EXCEEDED: u32 = 11;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Base,
    One,
    Sub,
}

/// What a server says at the end of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub code: u32,
    /// In its own words; foreign.
    pub message: Vec<u8>,
    /// Where it sends us instead, the first of these places; foreign.
    pub referral: Option<Vec<u8>>,
}

impl Outcome {
    pub fn is_success(&self) -> bool {
        self.code == 0
    }

    /// The name of the code (RFC 4511 §4.1.9).
    pub fn name(&self) -> &'static str {
        match self.code {
            0 => "success",
            1 => "operationsError",
            2 => "protocolError",
            3 => "timeLimitExceeded",
            SIZE_LIMIT_EXCEEDED => "sizeLimitExceeded",
            7 => "authMethodNotSupported",
            8 => "strongerAuthRequired",
            10 => "referral",
            ADMIN_LIMIT_EXCEEDED => "adminLimitExceeded",
            13 => "confidentialityRequired",
            32 => "noSuchObject",
            34 => "invalidDNSyntax",
            48 => "inappropriateAuthentication",
            49 => "invalidCredentials",
            50 => "insufficientAccessRights",
            51 => "busy",
            52 => "unavailable",
            53 => "unwillingToPerform",
            _ => "another error",
        }
    }
}

/// One message of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Bound(Outcome),
    Entry,
    Reference,
    Done(Outcome),
    Extended(Outcome),
    /// It ends the connection (notice of disconnection, RFC 4511 §4.4.1).
    Farewell(Outcome),
    /// Something else that nobody asked for, which is to be passed over (RFC 4511 §4.4).
    Notice,
}

/// A bind with a name and a password; both empty: anonymous.
pub fn bind(id: i32, name: &str, password: &str) -> Vec<u8> {
    message(id, |writer| {
        let bind = writer.begin(BIND);
        writer.integer(3);
        writer.element(tag::OCTET_STRING, name.as_bytes());
        writer.element(0x80, password.as_bytes());
        writer.end(bind);
    })
}

/// A search that returns no attributes and at most `limit` entries.
pub fn search(id: i32, base: &str, scope: Scope, filter: &Filter, limit: u16, seconds: u16) -> Vec<u8> {
    message(id, |writer| {
        let search = writer.begin(SEARCH);
        writer.element(tag::OCTET_STRING, base.as_bytes());
        let scope = match scope {
            Scope::Base => 0,
            Scope::One => 1,
            Scope::Sub => 2,
        };
        writer.element(ENUMERATED, &[scope]);
        writer.element(ENUMERATED, &[0]);
        writer.integer(i64::from(limit));
        writer.integer(i64::from(seconds));
        writer.element(BOOLEAN, &[0]);
        filter.write(writer);
        let attributes = writer.begin(tag::SEQUENCE);
        writer.element(tag::OCTET_STRING, NO_ATTRIBUTES);
        writer.end(attributes);
        writer.end(search);
    })
}

pub fn start_tls(id: i32) -> Vec<u8> {
    message(id, |writer| {
        let extended = writer.begin(EXTENDED);
        writer.element(0x80, START_TLS);
        writer.end(extended);
    })
}

pub fn unbind(id: i32) -> Vec<u8> {
    message(id, |writer| writer.element(UNBIND, &[]))
}

fn message(id: i32, operation: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    let whole = writer.begin(tag::SEQUENCE);
    writer.integer(i64::from(id));
    operation(&mut writer);
    writer.end(whole);
    writer.bytes().to_vec()
}

/// The next whole message in `bytes`, the number of the question it belongs to, and how many bytes it takes; `None` while
/// it is not whole.
///
/// # Errors
/// It is no LDAP, or larger than is read.
pub fn next(bytes: &[u8]) -> Result<Option<(i32, Message, usize)>, BerError> {
    // What is nothing of the kind is known by its first byte, however long it is.
    match bytes.first() {
        None => return Ok(None),
        Some(&tag::SEQUENCE) => {}
        Some(&found) => return Err(BerError::Tag { expected: tag::SEQUENCE, found }),
    }
    let mut outer = Reader::new(bytes);
    let content = match outer.expect(tag::SEQUENCE) {
        Ok(content) => content,
        Err(BerError::Truncated) => return Ok(None),
        Err(error) => return Err(error),
    };
    let taken = bytes.len() - outer.rest().len();
    let mut reader = Reader::new(content);
    let id = reader.integer()?;
    let (operation, body) = reader.any()?;
    let message = match operation {
        BIND_ANSWER => Message::Bound(outcome(body)?),
        ENTRY => Message::Entry,
        REFERENCE => Message::Reference,
        DONE => Message::Done(outcome(body)?),
        EXTENDED_ANSWER if id == 0 => unsolicited(body)?,
        EXTENDED_ANSWER => Message::Extended(outcome(body)?),
        found => return Err(BerError::Tag { expected: BIND_ANSWER, found }),
    };
    Ok(Some((id, message, taken)))
}

/// What comes by itself; a notice of disconnection may leave out what it is.
fn unsolicited(body: &[u8]) -> Result<Message, BerError> {
    let mut reader = Reader::new(body);
    let outcome = result(&mut reader)?;
    let mut name = None;
    while !reader.rest().is_empty() {
        let (tag, value) = reader.any()?;
        name = name.or_else(|| (tag == RESPONSE_NAME).then_some(value));
    }
    Ok(if name.is_none_or(|name| name == DISCONNECTION) { Message::Farewell(outcome) } else { Message::Notice })
}

fn outcome(body: &[u8]) -> Result<Outcome, BerError> {
    result(&mut Reader::new(body))
}

/// LDAPResult (RFC 4511 §4.1.9).
fn result(reader: &mut Reader<'_>) -> Result<Outcome, BerError> {
    let code = super::snmp::ber::signed(reader.expect(ENUMERATED)?)?;
    let code = u32::try_from(code).map_err(|_| BerError::Number)?;
    reader.expect(tag::OCTET_STRING)?;
    let message = reader.expect(tag::OCTET_STRING)?.to_vec();
    let referral = match reader.rest().first() {
        Some(&REFERRAL) => Some(Reader::new(reader.expect(REFERRAL)?).expect(tag::OCTET_STRING)?.to_vec()),
        _ => None,
    };
    Ok(Outcome { code, message, referral })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn questions_are_those_of_the_standard() {
        // As an OpenLDAP client sends them (`ldapsearch -x -D cn=a -w b`).
        let wanted = [0x30, 0x10, 2, 1, 1, 0x60, 0x0b, 2, 1, 3, 4, 4, b'c', b'n', b'=', b'a', 0x80, 1, b'b'];
        let mut got = bind(1, "cn=a", "b");
        // The lengths follow from the rest.
        got[1] = 0x10;
        got[6] = 0x0b;
        assert_eq!(got, wanted);
        assert_eq!(unbind(3), [0x30, 5, 2, 1, 3, 0x42, 0]);
        assert_eq!(start_tls(1)[..9], [0x30, 0x1d, 2, 1, 1, 0x77, 0x18, 0x80, 0x16]);
    }

    fn answer(id: u8, operation: u8, code: u8, words: &[u8]) -> Vec<u8> {
        let mut writer = Writer::default();
        let whole = writer.begin(tag::SEQUENCE);
        writer.integer(i64::from(id));
        let body = writer.begin(operation);
        writer.element(ENUMERATED, &[code]);
        writer.element(tag::OCTET_STRING, b"");
        writer.element(tag::OCTET_STRING, words);
        writer.end(body);
        writer.end(whole);
        writer.bytes().to_vec()
    }

    #[test]
    fn answers_are_read_one_by_one() {
        let bytes = [answer(1, BIND_ANSWER, 49, b"no"), answer(0, EXTENDED_ANSWER, 52, b"bye")].concat();
        let (id, first, taken) = next(&bytes).expect("LDAP").expect("whole");
        let Message::Bound(outcome) = first else { panic!("{first:?}") };
        assert_eq!((id, outcome.name(), outcome.message.as_slice()), (1, "invalidCredentials", &b"no"[..]));
        let (_, second, rest) = next(&bytes[taken..]).expect("LDAP").expect("whole");
        assert!(matches!(second, Message::Farewell(_)) && taken + rest == bytes.len());
        for length in 0..taken {
            assert_eq!(next(&bytes[..length]), Ok(None), "{length}");
        }
        let unasked = |name: &[u8]| {
            let mut writer = Writer::default();
            let whole = writer.begin(tag::SEQUENCE);
            writer.integer(0);
            let body = writer.begin(EXTENDED_ANSWER);
            writer.element(ENUMERATED, &[52]);
            writer.element(tag::OCTET_STRING, b"");
            writer.element(tag::OCTET_STRING, b"");
            let places = writer.begin(REFERRAL);
            writer.element(tag::OCTET_STRING, b"ldap://b/");
            writer.element(tag::OCTET_STRING, b"ldap://c/");
            writer.end(places);
            writer.element(RESPONSE_NAME, name);
            writer.end(body);
            writer.end(whole);
            next(writer.bytes()).expect("LDAP").expect("whole").1
        };
        let Message::Farewell(outcome) = unasked(DISCONNECTION) else { panic!("it leaves") };
        assert_eq!(outcome.referral.as_deref(), Some(&b"ldap://b/"[..]));
        assert_eq!(unasked(b"1.3.6.1.4.1.99"), Message::Notice);
        assert!(next(b"HTTP/1.1 400 Bad Request").is_err());
        assert!(next(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = next(&[&[0x30][..], &bytes].concat());
        }
    }
}
