//! ICMP echo (RFC 792) and ICMPv6 echo (RFC 4443): packets out and in, nothing else.
//!
//! ```text
//!  0      1      2..4       4..6    6..8   8..16
//!  type   code   checksum   ident   seq    cookie (64 bits, ours)   padding
//! ```
//! A datagram socket rewrites the identifier, and its sequence is 16 bits for all targets together: so a reply is
//! known by the cookie in its payload. An error message quotes at least the first eight bytes of what it is about,
//! often more: it is known by sequence and destination, and by the cookie where the quote is long enough.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of header and cookie: the least an echo has.
pub const LEAST: usize = 16;
/// What `ping` sends: header and 56 bytes.
pub const USUAL: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }

    fn echo(self) -> u8 {
        if self == Self::V4 { 8 } else { 128 }
    }

    /// The type of a reply.
    pub fn echo_reply(self) -> u8 {
        if self == Self::V4 { 0 } else { 129 }
    }

    /// The types of the errors that end the wait for a reply: destination unreachable, time exceeded.
    pub fn errors(self) -> [u8; 2] {
        if self == Self::V4 { [3, 11] } else { [1, 3] }
    }
}

/// Why an echo will get no reply, as a router or the host itself says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Network,
    Host,
    Prohibited,
    Loop,
    /// "Port unreachable", which an echo has none of: what the reject rules of packet filters answer unless told otherwise.
    Filtered,
    /// "Protocol unreachable".
    Protocol,
    /// "Fragmentation needed": it is larger than a link on the way carries.
    TooBig,
    /// Another code of "destination unreachable".
    Other(u8),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Network => f.write_str("network unreachable"),
            Self::Host => f.write_str("host unreachable"),
            Self::Prohibited => f.write_str("administratively prohibited"),
            Self::Loop => f.write_str("time to live exceeded (a routing loop?)"),
            Self::Filtered => f.write_str("refused by a packet filter (port unreachable)"),
            Self::Protocol => f.write_str("protocol unreachable"),
            Self::TooBig => f.write_str("larger than a link on the way carries (fragmentation needed)"),
            Self::Other(code) => write!(f, "unreachable (code {code})"),
        }
    }
}

/// What is left of one of our echoes in an error message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    pub sequence: u16,
    pub cookie: Option<u64>,
}

/// A packet from an ICMP socket that is about one of our echoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    Reply { sequence: u16, cookie: u64 },
    Refused { refusal: Refusal, destination: IpAddr, quote: Quote },
}

/// Makes `packet` an echo request of `size` bytes, header included, with identifier, sequence and cookie. The kernel fills
/// in the checksum of ICMPv6 itself.
pub fn echo_request(packet: &mut Vec<u8>, family: Family, (ident, sequence, cookie): (u16, u16, u64), size: usize) {
    packet.clear();
    packet.resize(size.max(LEAST), 0);
    packet[0] = family.echo();
    packet[4..6].copy_from_slice(&ident.to_be_bytes());
    packet[6..8].copy_from_slice(&sequence.to_be_bytes());
    packet[8..16].copy_from_slice(&cookie.to_be_bytes());
    if family == Family::V4 {
        let sum = checksum(packet);
        packet[2..4].copy_from_slice(&sum.to_be_bytes());
    }
}

/// Reads what an ICMP socket delivers; `None` for what is none of ours. Raw IPv4 sockets deliver the IP header too.
pub fn receive(family: Family, raw: bool, packet: &[u8]) -> Option<Received> {
    let body = if family == Family::V4 && raw { packet.get(ipv4_header(packet)?..)? } else { packet };
    let (kind, code) = (*body.first()?, *body.get(1)?);
    if kind == family.echo_reply() && code == 0 {
        return Some(Received::Reply { sequence: sequence(body)?, cookie: cookie(body)? });
    }
    let refusal = refusal(family, kind, code)?;
    // Four bytes are unused (an MTU, a pointer), then comes the packet it is about (RFC 792, RFC 4443 §3.1).
    let original = body.get(8..)?;
    let (destination, echo) = match family {
        Family::V4 => {
            let address: [u8; 4] = original.get(16..20)?.try_into().ok()?;
            (IpAddr::from(Ipv4Addr::from(address)), original.get(ipv4_header(original)?..)?)
        }
        Family::V6 => {
            let address: [u8; 16] = original.get(24..40)?.try_into().ok()?;
            // An echo of ours has no extension headers: the next header is ICMPv6 itself.
            (*original.get(6)? == 58).then_some((IpAddr::from(Ipv6Addr::from(address)), original.get(40..)?))?
        }
    };
    Some(Received::Refused { refusal, destination, quote: quote(family, echo)? })
}

/// What an error's type and code (RFC 792, RFC 1812 §5.2.7.1, RFC 4443 §3.1) mean for an echo; `None` for those that do not end the wait for it.
pub fn refusal(family: Family, kind: u8, code: u8) -> Option<Refusal> {
    match (family, kind, code) {
        (Family::V4, 3, 0 | 6 | 11) | (Family::V6, 1, 0) => Some(Refusal::Network),
        (Family::V4, 3, 1 | 7 | 8 | 12) | (Family::V6, 1, 3) => Some(Refusal::Host),
        (Family::V4, 3, 9 | 10 | 13) | (Family::V6, 1, 1 | 5) => Some(Refusal::Prohibited),
        (Family::V4, 3, 3) | (Family::V6, 1, 4) => Some(Refusal::Filtered),
        (Family::V4, 3, 2) => Some(Refusal::Protocol),
        (Family::V4, 3, 4) => Some(Refusal::TooBig),
        (Family::V4, 3, _) | (Family::V6, 1, _) => Some(Refusal::Other(code)),
        (Family::V4, 11, 0) | (Family::V6, 3, 0) => Some(Refusal::Loop),
        _ => None,
    }
}

/// The echo of ours that `bytes` begin with.
pub fn quote(family: Family, bytes: &[u8]) -> Option<Quote> {
    if *bytes.first()? != family.echo() {
        return None;
    }
    Some(Quote { sequence: sequence(bytes)?, cookie: cookie(bytes) })
}

/// The sequence number of an echo or its reply.
fn sequence(body: &[u8]) -> Option<u16> {
    body.get(6..8)?.try_into().ok().map(u16::from_be_bytes)
}

/// The cookie of an echo or its reply.
fn cookie(body: &[u8]) -> Option<u64> {
    body.get(8..16)?.try_into().ok().map(u64::from_be_bytes)
}

/// Length of an IPv4 header (RFC 791 §3.1).
fn ipv4_header(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    (first >> 4 == 4).then_some(usize::from(first & 0x0f) * 4)
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COOKIE: u64 = 0x0123_4567_89ab_cdef;

    fn echo(family: Family, ident: u16, sequence: u16, cookie: u64, size: usize) -> Vec<u8> {
        // What was there before does not shine through.
        let mut packet = vec![0xff; 40];
        echo_request(&mut packet, family, (ident, sequence, cookie), size);
        packet
    }

    /// An IPv4 header without options in front of `body`.
    fn in_ipv4(to: [u8; 4], body: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45];
        packet.resize(16, 0);
        packet.extend_from_slice(&to);
        packet.extend_from_slice(body);
        packet
    }

    #[test]
    fn a_request_sums_to_zero_at_any_size() {
        for size in [0, 16, 17, 64, 1400] {
            let packet = echo(Family::V4, 7, 9, COOKIE, size);
            assert_eq!((checksum(&packet), packet.len()), (0, size.max(LEAST)));
        }
    }

    #[test]
    fn a_reply_gives_its_cookie_back_with_and_without_an_ip_header() {
        let mut reply = echo(Family::V4, 1, 2, COOKIE, USUAL);
        assert_eq!(receive(Family::V4, false, &reply), None, "a request is no reply");
        reply[0] = 0;
        assert_eq!(receive(Family::V4, false, &reply), Some(Received::Reply { sequence: 2, cookie: COOKIE }));
        let raw = in_ipv4([192, 0, 2, 1], &reply);
        assert_eq!(receive(Family::V4, true, &raw), Some(Received::Reply { sequence: 2, cookie: COOKIE }));
        reply[0] = 129;
        assert_eq!(receive(Family::V6, true, &reply), Some(Received::Reply { sequence: 2, cookie: COOKIE }));
    }

    #[test]
    fn an_error_is_known_by_what_it_quotes_however_short() {
        let packet = echo(Family::V4, 1, 777, COOKIE, USUAL);
        for (kept, cookie) in [(8, None), (16, Some(COOKIE)), (64, Some(COOKIE))] {
            let mut error = vec![3, 1, 0, 0, 0, 0, 0, 0];
            error.extend(in_ipv4([192, 0, 2, 9], &packet[..kept]));
            let expected = Received::Refused {
                refusal: Refusal::Host,
                destination: IpAddr::from([192, 0, 2, 9]),
                quote: Quote { sequence: 777, cookie },
            };
            assert_eq!(receive(Family::V4, false, &error), Some(expected), "{kept} bytes quoted");
            assert_eq!(receive(Family::V4, true, &in_ipv4([127, 0, 0, 1], &error)), Some(expected));
        }
    }

    #[test]
    fn an_icmpv6_error_names_the_destination_it_is_about() {
        let to = Ipv6Addr::LOCALHOST;
        let mut error = vec![1, 3, 0, 0, 0, 0, 0, 0];
        error.extend([0x60, 0, 0, 0, 0, 64, 58, 64]);
        error.extend([0; 16]);
        error.extend(to.octets());
        error.extend(echo(Family::V6, 1, 5, COOKIE, USUAL));
        let quote = Quote { sequence: 5, cookie: Some(COOKIE) };
        let expected = Received::Refused { refusal: Refusal::Host, destination: to.into(), quote };
        assert_eq!(receive(Family::V6, true, &error), Some(expected));
        error[8 + 6] = 17;
        assert_eq!(receive(Family::V6, true, &error), None, "about a UDP packet");
    }

    #[test]
    fn what_slows_down_or_redirects_does_not_end_the_wait() {
        for (kind, code) in [(4, 0), (5, 1), (11, 1), (12, 0)] {
            assert_eq!(refusal(Family::V4, kind, code), None, "type {kind}");
        }
        assert_eq!(refusal(Family::V6, 2, 0), None, "packet too big");
    }

    #[test]
    fn who_will_not_answer_is_said_in_words() {
        let said = |family, code| refusal(family, family.errors()[0], code).map(|refusal| refusal.to_string());
        for (v4, v6, words) in [
            (0, Some(0), "network unreachable"),
            (1, Some(3), "host unreachable"),
            (2, None, "protocol unreachable"),
            (3, Some(4), "refused by a packet filter (port unreachable)"),
            (4, None, "larger than a link on the way carries (fragmentation needed)"),
            (13, Some(1), "administratively prohibited"),
            (99, Some(99), "unreachable (code 99)"),
        ] {
            assert_eq!(said(Family::V4, v4).as_deref(), Some(words));
            assert!(v6.is_none_or(|code| said(Family::V6, code).as_deref() == Some(words)), "{words}");
        }
    }

    proptest! {
        #[test]
        fn no_packet_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120), raw: bool) {
            let _ = receive(Family::V4, raw, &bytes);
            let _ = receive(Family::V6, raw, &bytes);
        }

        #[test]
        fn no_error_message_makes_it_panic(kind in prop_oneof![Just(3u8), Just(11)], code: u8,
            bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let packet = [&[kind, code], &bytes[..]].concat();
            let _ = receive(Family::V4, false, &packet);
            let _ = receive(Family::V6, false, &packet);
        }
    }
}
