//! The wrapping around a PDU in SNMPv1 and v2c: version and community (RFC 1157 §4, RFC 1901). That of v3 is in `secured`.

use super::ber::{BerError, Reader, Writer, tag};
use super::pdu::Pdu;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    V1,
    V2c,
    V3,
}

impl Version {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2c => "v2c",
            Self::V3 => "v3",
        }
    }

    fn number(self) -> i32 {
        match self {
            Self::V1 => 0,
            Self::V2c => 1,
            Self::V3 => 3,
        }
    }
}

/// The version that a datagram says it is of; `None` where it is no SNMP.
pub fn version(datagram: &[u8]) -> Option<i32> {
    let mut body = Reader::new(Reader::new(datagram).expect(tag::SEQUENCE).ok()?);
    body.integer().ok()
}

/// A decoded message; everything in it is borrowed from the datagram.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub version: Version,
    pub community: &'a [u8],
    pub pdu: Pdu<'a>,
}

/// Why a datagram is not a message that we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error(transparent)]
    Ber(#[from] BerError),
    #[error("SNMP version {0} is not spoken")]
    Version(i32),
}

impl<'a> Message<'a> {
    /// Decodes the wrapping and the head of the PDU, and checks every varbind.
    ///
    /// # Errors
    /// It is malformed anywhere, or of another version.
    pub fn decode(datagram: &'a [u8]) -> Result<Self, MessageError> {
        let (version, community, mut body) = unwrap(datagram)?;
        let pdu = Pdu::decode(&mut body)?;
        if !body.is_empty() {
            return Err(BerError::Trailing.into());
        }
        Ok(Self { version, community, pdu })
    }
}

/// Decodes the wrapping only; the PDU, of whatever kind, is still to be read.
///
/// # Errors
/// As [`Message::decode`].
pub fn unwrap(datagram: &[u8]) -> Result<(Version, &[u8], Reader<'_>), MessageError> {
    let mut outer = Reader::new(datagram);
    let mut body = Reader::new(outer.expect(tag::SEQUENCE)?);
    if !outer.is_empty() {
        return Err(BerError::Trailing.into());
    }
    let version = match body.integer()? {
        0 => Version::V1,
        1 => Version::V2c,
        other => return Err(MessageError::Version(other)),
    };
    let community = body.expect(tag::OCTET_STRING)?;
    Ok((version, community, body))
}

/// Writes a message of version 1 or 2c; `pdu` writes what is inside.
pub fn encode(writer: &mut Writer, version: Version, community: &[u8], pdu: impl FnOnce(&mut Writer)) {
    let outer = writer.begin(tag::SEQUENCE);
    writer.integer(i64::from(version.number()));
    writer.element(tag::OCTET_STRING, community);
    pdu(writer);
    writer.end(outer);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::oid::Oid;
    use super::super::pdu::{self, PduKind, Value};
    use super::*;

    /// What net-snmp sends for `snmpget -v2c -c public … 1.3.6.1.2.1.1.3.0`, from RFC-conformant encoding by hand.
    #[test]
    fn a_get_request_has_the_octets_that_every_agent_knows() {
        let mut writer = Writer::default();
        let name = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 1, 3, 0]);
        encode(&mut writer, Version::V2c, b"public", |w| {
            pdu::encode(w, PduKind::Get, 0x1234, 0, 0, |w| pdu::encode_varbind(w, name.as_raw(), Value::Null));
        });
        let want = [
            0x30, 0x27, 2, 1, 1, 4, 6, b'p', b'u', b'b', b'l', b'i', b'c', 0xa0, 0x1a, 2, 2, 0x12, 0x34, 2, 1, 0, 2, 1,
            0, 0x30, 0x0e, 0x30, 0x0c, 6, 8, 0x2b, 6, 1, 2, 1, 1, 3, 0, 5, 0,
        ];
        assert_eq!(writer.bytes(), want);
    }

    #[test]
    fn trailing_bytes_and_other_versions_are_refused() {
        let mut writer = Writer::default();
        encode(&mut writer, Version::V1, b"", |w| pdu::encode(w, PduKind::Response, 1, 0, 0, |_| {}));
        assert!(Message::decode(writer.bytes()).is_ok());
        let mut longer = writer.bytes().to_vec();
        longer.push(0);
        assert_eq!(Message::decode(&longer).err(), Some(MessageError::Ber(BerError::Trailing)));
        let mut third = writer.bytes().to_vec();
        third[4] = 3;
        assert_eq!(Message::decode(&third).err(), Some(MessageError::Version(3)));
    }

    fn value() -> impl Strategy<Value = (u8, Vec<u8>, u64)> {
        (0u8..12, proptest::collection::vec(any::<u8>(), 0..40), any::<u64>())
    }

    fn as_value<'a>(kind: u8, octets: &'a [u8], number: u64, oid: &'a Oid) -> Value<'a> {
        match kind {
            0 => Value::Integer(i64::from(number as i32)),
            1 => Value::Octets(octets),
            2 => Value::Null,
            3 => Value::Oid(oid.as_raw()),
            4 => Value::IpAddress([1, 2, 3, number as u8]),
            5 => Value::Counter32(number as u32),
            6 => Value::Gauge32(number as u32),
            7 => Value::TimeTicks(number as u32),
            8 => Value::Opaque(octets),
            9 => Value::Counter64(number),
            10 => Value::NoSuchInstance,
            _ => Value::EndOfMibView,
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(values in proptest::collection::vec(value(), 0..30), id: i32, community in proptest::collection::vec(any::<u8>(), 0..40)) {
            let oid = Oid::from_arcs(&[1, 3, 6, 1, 4, 1, 99_999, 4_294_967_295]);
            let mut writer = Writer::default();
            encode(&mut writer, Version::V2c, &community, |w| {
                pdu::encode(w, PduKind::Response, id, 0, 0, |w| {
                    for (kind, octets, number) in &values {
                        pdu::encode_varbind(w, oid.as_raw(), as_value(*kind, octets, *number, &oid));
                    }
                });
            });
            let message = Message::decode(writer.bytes()).expect("our own encoding is valid");
            prop_assert_eq!(message.pdu.request_id, id);
            prop_assert_eq!(message.community, &community[..]);
            let mut count = 0;
            for (found, (kind, octets, number)) in message.pdu.varbinds().zip(&values) {
                prop_assert_eq!(found.name.as_bytes(), oid.as_bytes());
                prop_assert_eq!(found.value, as_value(*kind, octets, *number, &oid));
                count += 1;
            }
            prop_assert_eq!(count, values.len());
        }

        #[test]
        fn no_datagram_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::decode(&bytes);
        }

        #[test]
        fn no_damage_to_a_valid_message_makes_it_panic(at in 0usize..80, octet: u8, cut in 0usize..80) {
            let oid = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 2, 2, 1, 10, 70_000]);
            let mut writer = Writer::default();
            encode(&mut writer, Version::V2c, b"public", |w| {
                pdu::encode(w, PduKind::Response, 77, 0, 0, |w| {
                    pdu::encode_varbind(w, oid.as_raw(), Value::Counter64(u64::MAX));
                    pdu::encode_varbind(w, oid.as_raw(), Value::Octets(b"text"));
                });
            });
            let mut bytes = writer.bytes().to_vec();
            let place = at % bytes.len();
            bytes[place] = octet;
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            if let Ok(message) = Message::decode(&bytes) {
                prop_assert!(message.pdu.varbinds().count() <= bytes.len());
            }
        }
    }
}
