//! Single values as agents really send them: texts with padding, numbers as text, addresses in several spellings. What
//! means nothing is `None`, or empty.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::base::Untrusted;
use crate::probe::ports::interfaces::{self, decimal, meaningful};
use crate::proto::snmp::Value;

/// Octets of one text that are kept. No object here holds more than 255 that anybody would read.
const LONGEST: usize = 512;

pub fn text(value: Option<Value<'_>>) -> Untrusted {
    value.and_then(octets).map(|o| Untrusted::bounded(o, LONGEST)).unwrap_or_default()
}

/// What agents write where a neighbor has not said the field.
const UNSAID: &[&str] = &[
    "-",
    "--",
    "n/a",
    "none",
    "(none)",
    "<none>",
    "null",
    "(null)",
    "not advertised",
    "not available",
    "not provided",
    "not received",
    "not reported",
    "not specified",
    "unspecified",
];

/// A text by which something is called; words that stand for "nothing was said" are none.
pub fn name(value: Option<Value<'_>>) -> Untrusted {
    let text = text(value);
    let bare = text.as_bytes().trim_ascii();
    if UNSAID.iter().any(|unsaid| bare.eq_ignore_ascii_case(unsaid.as_bytes())) { Untrusted::default() } else { text }
}

/// Octets without padding; `None` where nothing remains.
pub fn octets(value: Value<'_>) -> Option<&[u8]> {
    value.octets().map(meaningful).filter(|o| !o.is_empty())
}

/// Octets as they came, where there are any: an address may end in zeros.
pub fn octets_raw(value: Value<'_>) -> Option<&[u8]> {
    value.octets().filter(|o| !o.is_empty())
}

/// A number of any unsigned type, an INTEGER that is not negative, or one of these as text.
pub fn number(value: Value<'_>) -> Option<u64> {
    value.number().or_else(|| decimal(value.octets()?))
}

pub fn index(value: Value<'_>) -> Option<u32> {
    number(value).and_then(|n| u32::try_from(n).ok())
}

pub fn signed(value: Value<'_>) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(number),
        Value::Octets(octets) => std::str::from_utf8(octets).ok()?.trim_matches(['\0', ' ']).parse().ok(),
        other => i64::try_from(other.number()?).ok(),
    }
}

/// 32 bits: agents send what does not fit Integer32 as a negative number.
pub fn bits32(value: Value<'_>) -> Option<u32> {
    match value {
        Value::Integer(number) if number < 0 => i32::try_from(number).ok().map(i32::cast_unsigned),
        other => index(other),
    }
}

/// `TruthValue`.
pub fn truth(value: Value<'_>) -> Option<bool> {
    match number(value) {
        Some(1) => Some(true),
        Some(2) => Some(false),
        _ => None,
    }
}

/// A VLAN that can have ports.
pub fn vlan(value: Value<'_>) -> Option<u16> {
    number(value).and_then(vlan_id)
}

pub fn vlan_id(number: u64) -> Option<u16> {
    u16::try_from(number).ok().filter(|id| (1..=4094).contains(id))
}

/// A station's address, as octets or spelled in any of the usual ways; placeholders are none.
pub fn mac(octets: &[u8]) -> Option<[u8; 6]> {
    let mac = interfaces::mac(octets)?;
    let is_placeholder = mac == [0; 6] || mac == [0xff; 6] || mac == [b' '; 6];
    (!is_placeholder).then_some(mac)
}

pub fn mac_words(mac: [u8; 6]) -> String {
    mac.map(|octet| format!("{octet:02x}")).join(":")
}

/// An IPv4 or IPv6 address in network order that belongs to somebody.
pub fn address(octets: &[u8]) -> Option<IpAddr> {
    let address = match octets.len() {
        4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?)),
        16 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?)),
        _ => return None,
    };
    (!address.is_unspecified() && !is_own(address)).then_some(address)
}

/// An address by which one station is reached: no group, nor all of them.
pub fn unicast(octets: &[u8]) -> Option<IpAddr> {
    let is_broadcast = |address: &IpAddr| matches!(address, IpAddr::V4(four) if four.is_broadcast());
    address(octets).filter(|address| !address.is_multicast() && !is_broadcast(address))
}

/// The device itself. The rest of 127.0.0.0/8 is somebody else where a whole network runs on one machine.
fn is_own(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => four.octets()[..2] == [127, 0],
        IpAddr::V6(six) => six.is_loopback(),
    }
}

/// Arcs of an index that are one octet each.
pub fn octets_of(arcs: &[u32]) -> Option<Vec<u8>> {
    arcs.iter().map(|arc| u8::try_from(*arc).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs_come_as_octets_and_as_text_and_placeholders_are_none() {
        let want = Some([0x8c, 0x60, 0x4f, 0x19, 0x16, 0x28]);
        assert_eq!(mac(&[0x8c, 0x60, 0x4f, 0x19, 0x16, 0x28]), want);
        assert_eq!(mac(b"8c:60:4f:19:16:28"), want);
        assert_eq!(mac(b"8C-60-4F-19-16-28\0"), want);
        assert_eq!(mac(b"8c60.4f19.1628"), want);
        assert_eq!(mac(b"8c604f191628"), want);
        assert_eq!(mac(b"8C 60 4F 19 16 28"), want);
        for nothing in [&[0u8; 6][..], &[0xff; 6], &[1; 8], b"Ethernet1/1", b"8c:60:4f:19:16:zz", b""] {
            assert_eq!(mac(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn numbers_of_the_wrong_type_are_read_where_they_are_numbers() {
        assert_eq!(number(Value::Octets(b"1000")), Some(1000));
        assert_eq!(number(Value::Octets(b"up")), None);
        assert_eq!(number(Value::Null), None);
        assert_eq!(signed(Value::Octets(b"-7")), Some(-7));
        assert_eq!(bits32(Value::Integer(-2)), Some(4_294_967_294));
        assert_eq!(bits32(Value::Integer(i64::MIN)), None);
        assert_eq!(
            (vlan(Value::Integer(0)), vlan(Value::Gauge32(4095)), vlan(Value::Gauge32(7))),
            (None, None, Some(7))
        );
    }

    #[test]
    fn words_for_nothing_are_no_name() {
        for nothing in [&b"Not Advertised"[..], b"not advertised\0", b" N/A ", b"-", b"(null)", b"\0\0", b"  ", b"\"\""]
        {
            assert!(name(Some(Value::Octets(nothing))).is_empty(), "{nothing:?}");
        }
        assert_eq!(name(Some(Value::Octets(b"not-advertised-sw1"))).as_bytes(), b"not-advertised-sw1");
    }

    #[test]
    fn texts_lose_their_padding_and_stay_bounded() {
        assert_eq!(text(Some(Value::Octets(b"mgmt0\0\0\0"))).as_bytes(), b"mgmt0");
        assert!(text(Some(Value::Octets(b"\0"))).is_empty());
        assert!(text(Some(Value::Integer(4))).is_empty());
        assert_eq!(text(Some(Value::Octets(&[b'x'; 11_000]))).as_bytes().len(), LONGEST);
    }
}
