//! PDUs (RFC 3416 §3; the v1 Trap-PDU apart): kind, request id, error, and varbinds that stay where they are.

use super::ber::{self, BerError, Reader, Writer, tag};
use super::oid::RawOid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PduKind {
    Get,
    GetNext,
    Response,
    Set,
    GetBulk,
    Inform,
    TrapV2,
    Report,
}

impl PduKind {
    fn tag(self) -> u8 {
        match self {
            Self::Get => 0xa0,
            Self::GetNext => 0xa1,
            Self::Response => 0xa2,
            Self::Set => 0xa3,
            Self::GetBulk => 0xa5,
            Self::Inform => 0xa6,
            Self::TrapV2 => 0xa7,
            Self::Report => 0xa8,
        }
    }

    fn from_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            0xa0 => Self::Get,
            0xa1 => Self::GetNext,
            0xa2 => Self::Response,
            0xa3 => Self::Set,
            0xa5 => Self::GetBulk,
            0xa6 => Self::Inform,
            0xa7 => Self::TrapV2,
            0xa8 => Self::Report,
            _ => return None,
        })
    }
}

/// `error-status` of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorStatus(pub i32);

impl ErrorStatus {
    pub const NO_ERROR: Self = Self(0);
    pub const TOO_BIG: Self = Self(1);
    pub const NO_SUCH_NAME: Self = Self(2);
    pub const GEN_ERR: Self = Self(5);
    pub const AUTHORIZATION_ERROR: Self = Self(16);

    /// The name that RFC 3416 gives it.
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "noError",
            1 => "tooBig",
            2 => "noSuchName",
            3 => "badValue",
            4 => "readOnly",
            5 => "genErr",
            6 => "noAccess",
            13 => "resourceUnavailable",
            16 => "authorizationError",
            _ => "an error that means nothing in an answer to a question",
        }
    }
}

/// A value, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Integer(i64),
    Octets(&'a [u8]),
    Null,
    Oid(RawOid<'a>),
    IpAddress([u8; 4]),
    Counter32(u32),
    Gauge32(u32),
    TimeTicks(u32),
    Opaque(&'a [u8]),
    Counter64(u64),
    NoSuchObject,
    NoSuchInstance,
    EndOfMibView,
    /// A type that SNMP does not have; carried as nothing.
    Other(u8),
}

impl<'a> Value<'a> {
    fn decode(tag: u8, content: &'a [u8]) -> Result<Self, BerError> {
        Ok(match tag {
            tag::INTEGER => Self::Integer(ber::signed(content)?),
            tag::OCTET_STRING => Self::Octets(content),
            tag::NULL => Self::Null,
            tag::OID => Self::Oid(RawOid::new(content)?),
            tag::IP_ADDRESS => Self::IpAddress(content.try_into().map_err(|_| BerError::Number)?),
            tag::COUNTER32 => Self::Counter32(ber::unsigned32(content)?),
            tag::GAUGE32 => Self::Gauge32(ber::unsigned32(content)?),
            tag::TIME_TICKS => Self::TimeTicks(ber::unsigned32(content)?),
            tag::OPAQUE => Self::Opaque(content),
            tag::COUNTER64 => Self::Counter64(ber::unsigned64(content)?),
            tag::NO_SUCH_OBJECT => Self::NoSuchObject,
            tag::NO_SUCH_INSTANCE => Self::NoSuchInstance,
            tag::END_OF_MIB_VIEW => Self::EndOfMibView,
            other => Self::Other(other),
        })
    }

    pub fn encode(self, writer: &mut Writer) {
        match self {
            Self::Integer(value) => writer.integer(value),
            Self::Octets(octets) => writer.element(tag::OCTET_STRING, octets),
            Self::Null | Self::Other(_) => writer.element(tag::NULL, &[]),
            Self::Oid(oid) => writer.element(tag::OID, oid.as_bytes()),
            Self::IpAddress(address) => writer.element(tag::IP_ADDRESS, &address),
            Self::Counter32(value) => writer.unsigned(tag::COUNTER32, u64::from(value)),
            Self::Gauge32(value) => writer.unsigned(tag::GAUGE32, u64::from(value)),
            Self::TimeTicks(value) => writer.unsigned(tag::TIME_TICKS, u64::from(value)),
            Self::Opaque(octets) => writer.element(tag::OPAQUE, octets),
            Self::Counter64(value) => writer.unsigned(tag::COUNTER64, value),
            Self::NoSuchObject => writer.element(tag::NO_SUCH_OBJECT, &[]),
            Self::NoSuchInstance => writer.element(tag::NO_SUCH_INSTANCE, &[]),
            Self::EndOfMibView => writer.element(tag::END_OF_MIB_VIEW, &[]),
        }
    }

    /// A number of any unsigned type, or an INTEGER that is not negative: agents mix these up.
    pub fn number(self) -> Option<u64> {
        match self {
            Self::Integer(value) => u64::try_from(value).ok(),
            Self::Counter32(value) | Self::Gauge32(value) | Self::TimeTicks(value) => Some(u64::from(value)),
            Self::Counter64(value) => Some(value),
            _ => None,
        }
    }

    pub fn octets(self) -> Option<&'a [u8]> {
        if let Self::Octets(octets) = self { Some(octets) } else { None }
    }

    /// There is nothing under this name, or nothing after it.
    pub fn is_absent(self) -> bool {
        matches!(self, Self::NoSuchObject | Self::NoSuchInstance | Self::EndOfMibView)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VarBind<'a> {
    pub name: RawOid<'a>,
    pub value: Value<'a>,
}

/// A PDU whose varbinds have been checked and are decoded again as they are visited.
#[derive(Clone, Copy, Debug)]
pub struct Pdu<'a> {
    pub kind: PduKind,
    pub request_id: i32,
    /// `error-status`; in a GetBulk request the non-repeaters.
    pub error_status: ErrorStatus,
    /// `error-index`, from 1; in a GetBulk request the max-repetitions.
    pub error_index: i32,
    varbinds: &'a [u8],
}

impl<'a> Pdu<'a> {
    /// Decodes the next element of a message as a PDU.
    ///
    /// # Errors
    /// It is no PDU that SNMPv2 has, or malformed anywhere.
    pub fn decode(outer: &mut Reader<'a>) -> Result<Self, BerError> {
        let (found, content) = outer.any()?;
        let kind = PduKind::from_tag(found).ok_or(BerError::Tag { expected: 0xa2, found })?;
        let mut body = Reader::new(content);
        let request_id = body.integer()?;
        let error_status = ErrorStatus(body.integer()?);
        let error_index = body.integer()?;
        let varbinds = body.expect(tag::SEQUENCE)?;
        if !body.is_empty() {
            return Err(BerError::Trailing);
        }
        let mut all = Reader::new(varbinds);
        while !all.is_empty() {
            varbind(&mut all)?;
        }
        Ok(Self { kind, request_id, error_status, error_index, varbinds })
    }

    pub fn varbinds(&self) -> VarBinds<'a> {
        VarBinds(Reader::new(self.varbinds))
    }
}

/// The Trap-PDU of version 1 (RFC 1157 §4.1.6), which is like no other.
#[derive(Clone, Debug)]
pub struct TrapV1<'a> {
    pub enterprise: RawOid<'a>,
    /// Who sent it, where somebody passed it on.
    pub agent: [u8; 4],
    pub generic: i32,
    pub specific: i32,
    pub uptime: u32,
    pub varbinds: VarBinds<'a>,
}

impl<'a> TrapV1<'a> {
    const TAG: u8 = 0xa4;

    /// Decodes the next element of a message as one.
    ///
    /// # Errors
    /// It is none, or malformed anywhere.
    pub fn decode(outer: &mut Reader<'a>) -> Result<Self, BerError> {
        let mut body = Reader::new(outer.expect(Self::TAG)?);
        let enterprise = RawOid::new(body.expect(tag::OID)?)?;
        let agent = body.expect(tag::IP_ADDRESS)?.try_into().map_err(|_| BerError::Number)?;
        let generic = body.integer()?;
        let specific = body.integer()?;
        let uptime = ber::unsigned32(body.expect(tag::TIME_TICKS)?)?;
        let varbinds = body.expect(tag::SEQUENCE)?;
        if !body.is_empty() {
            return Err(BerError::Trailing);
        }
        let mut all = Reader::new(varbinds);
        while !all.is_empty() {
            varbind(&mut all)?;
        }
        Ok(Self { enterprise, agent, generic, specific, uptime, varbinds: VarBinds(Reader::new(varbinds)) })
    }

    /// Writes one; `varbinds` writes the list's elements.
    pub fn encode(
        writer: &mut Writer,
        enterprise: RawOid<'_>,
        (generic, specific): (i32, i32),
        uptime: u32,
        varbinds: impl FnOnce(&mut Writer),
    ) {
        let pdu = writer.begin(Self::TAG);
        writer.element(tag::OID, enterprise.as_bytes());
        writer.element(tag::IP_ADDRESS, &[0; 4]);
        writer.integer(i64::from(generic));
        writer.integer(i64::from(specific));
        writer.unsigned(tag::TIME_TICKS, u64::from(uptime));
        let list = writer.begin(tag::SEQUENCE);
        varbinds(writer);
        writer.end(list);
        writer.end(pdu);
    }
}

/// The varbinds one after the other.
#[derive(Clone, Debug)]
pub struct VarBinds<'a>(Reader<'a>);

impl<'a> Iterator for VarBinds<'a> {
    type Item = VarBind<'a>;

    fn next(&mut self) -> Option<VarBind<'a>> {
        // Decoding has checked them all; what could not be read would end the list.
        let mut pair = Reader::new(self.0.any().ok()?.1);
        let name = RawOid::checked(pair.any().ok()?.1);
        let (tag, content) = pair.any().ok()?;
        Some(VarBind { name, value: Value::decode(tag, content).ok()? })
    }
}

fn varbind<'a>(list: &mut Reader<'a>) -> Result<VarBind<'a>, BerError> {
    let mut pair = Reader::new(list.expect(tag::SEQUENCE)?);
    let name = RawOid::new(pair.expect(tag::OID)?)?;
    let (tag, content) = pair.any()?;
    if !pair.is_empty() {
        return Err(BerError::Trailing);
    }
    Ok(VarBind { name, value: Value::decode(tag, content)? })
}

/// Writes a PDU; `varbinds` writes the list's elements. In a GetBulk request the two numbers are non-repeaters and
/// max-repetitions.
pub fn encode(
    writer: &mut Writer,
    kind: PduKind,
    request_id: i32,
    error_status: i32,
    error_index: i32,
    varbinds: impl FnOnce(&mut Writer),
) {
    let pdu = writer.begin(kind.tag());
    writer.integer(i64::from(request_id));
    writer.integer(i64::from(error_status));
    writer.integer(i64::from(error_index));
    let list = writer.begin(tag::SEQUENCE);
    varbinds(writer);
    writer.end(list);
    writer.end(pdu);
}

pub fn encode_varbind(writer: &mut Writer, name: RawOid<'_>, value: Value<'_>) {
    let pair = writer.begin(tag::SEQUENCE);
    writer.element(tag::OID, name.as_bytes());
    value.encode(writer);
    writer.end(pair);
}
