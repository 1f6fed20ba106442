//! ICMP echo (RFC 792) and ICMPv6 echo (RFC 4443): packets out and in, nothing else.
//!
//! ```text
//!  0      1      2..4       4..6    6..8   8..16
//!  type   code   checksum   ident   seq    cookie (64 bits, ours)   padding
//! ```
//! A datagram socket rewrites the identifier, and its sequence is 16 bits for all targets together: so a reply is
//! known by the cookie in its payload.

/// Bytes of an echo: header, cookie and padding up to what `ping` sends.
pub const LENGTH: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

/// An echo request. The kernel fills in the checksum of ICMPv6 itself.
pub fn echo_request(family: Family, ident: u16, sequence: u16, cookie: u64) -> [u8; LENGTH] {
    let mut packet = [0u8; LENGTH];
    packet[0] = if family == Family::V4 { 8 } else { 128 };
    packet[4..6].copy_from_slice(&ident.to_be_bytes());
    packet[6..8].copy_from_slice(&sequence.to_be_bytes());
    packet[8..16].copy_from_slice(&cookie.to_be_bytes());
    if family == Family::V4 {
        let sum = checksum(&packet);
        packet[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    packet
}

/// The cookie of an echo reply; `None` for everything else. Raw IPv4 sockets deliver the IP header too.
pub fn reply_cookie(family: Family, raw: bool, packet: &[u8]) -> Option<u64> {
    let body = if family == Family::V4 && raw {
        let first = *packet.first()?;
        if first >> 4 != 4 {
            return None;
        }
        packet.get(usize::from(first & 0x0f) * 4..)?
    } else {
        packet
    };
    let reply = if family == Family::V4 { 0 } else { 129 };
    if body.first() != Some(&reply) || body.get(1) != Some(&0) {
        return None;
    }
    body.get(8..16)?.try_into().ok().map(u64::from_be_bytes)
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

    #[test]
    fn a_request_sums_to_zero() {
        let packet = echo_request(Family::V4, 7, 9, 0x0123_4567_89ab_cdef);
        assert_eq!(checksum(&packet), 0);
    }

    #[test]
    fn a_reply_gives_its_cookie_back_with_and_without_an_ip_header() {
        let mut reply = echo_request(Family::V4, 1, 2, 42).to_vec();
        reply[0] = 0;
        assert_eq!(reply_cookie(Family::V4, false, &reply), Some(42));
        let mut raw = vec![0x45; 20];
        raw.extend_from_slice(&reply);
        assert_eq!(reply_cookie(Family::V4, true, &raw), Some(42));
        let request = echo_request(Family::V4, 1, 2, 42);
        assert_eq!(reply_cookie(Family::V4, false, &request), None);
    }

    proptest! {
        #[test]
        fn no_packet_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120), raw: bool) {
            let _ = reply_cookie(Family::V4, raw, &bytes);
            let _ = reply_cookie(Family::V6, raw, &bytes);
        }
    }
}
