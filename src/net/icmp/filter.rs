//! What a raw ICMP socket hears. It gets every ICMP packet of the machine: the echoes of a monitor beside it and of whoever pings us
//! would each wake a thread that has nothing to do with them. A classic BPF program in the kernel lets through the
//! replies that carry our identifier, and the errors that an echo may get, which name it inside.

use std::io;
use std::os::fd::AsFd;

use socket2::{SockFilter, SockRef};

use crate::proto::icmp::Family;

/// `BPF_LDX | BPF_B | BPF_MSH`: X becomes the length of the IPv4 header at an offset.
const HEADER_LENGTH: u16 = 0xb1;
/// `BPF_LD | BPF_B` and `BPF_LD | BPF_H`, at an offset from X.
const OCTET: u16 = 0x50;
const TWO_OCTETS: u16 = 0x48;
/// `BPF_LDX | BPF_IMM`.
const SET_X: u16 = 0x01;
/// `BPF_JMP | BPF_JEQ | BPF_K`: over so many steps where it is equal, and where it is not.
const IS: u16 = 0x15;
/// `BPF_RET | BPF_K`: so many octets of the packet pass.
const PASS: u16 = 0x06;

/// Tells the kernel what passes: see the module. `ident` as it stands in our echoes.
///
/// # Errors
/// Where the kernel does not take it. The socket hears everything then, as before.
pub fn attach(socket: &impl AsFd, family: Family, ident: u16) -> io::Result<()> {
    SockRef::from(socket).attach_filter(&program(family, ident))
}

/// A raw socket of IPv4 sees the packet from its IP header on, one of IPv6 from the ICMPv6 header on.
fn program(family: Family, ident: u16) -> [SockFilter; 9] {
    let start = match family {
        Family::V4 => SockFilter::new(HEADER_LENGTH, 0, 0, 0),
        Family::V6 => SockFilter::new(SET_X, 0, 0, 0),
    };
    let [unreachable, exceeded] = family.errors();
    [
        start,
        SockFilter::new(OCTET, 0, 0, 0),
        SockFilter::new(IS, 4, 0, u32::from(unreachable)),
        SockFilter::new(IS, 3, 0, u32::from(exceeded)),
        SockFilter::new(IS, 0, 3, u32::from(family.echo_reply())),
        SockFilter::new(TWO_OCTETS, 0, 0, 4),
        SockFilter::new(IS, 0, 1, u32::from(ident)),
        SockFilter::new(PASS, 0, 0, u32::MAX),
        SockFilter::new(PASS, 0, 0, 0),
    ]
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
    use std::time::Duration;

    use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with};

    use super::*;
    use crate::proto::icmp::{self, Received};

    /// Echoes with the identifiers 8 and 7 leave by a raw socket: the sequence numbers of the replies that it hears, 1 and 2.
    fn heard(family: Family, only: Option<u16>) -> Vec<u16> {
        let (domain, protocol, to) = match family {
            Family::V4 => (AddressFamily::INET, ipproto::ICMP, IpAddr::V4(Ipv4Addr::LOCALHOST)),
            Family::V6 => (AddressFamily::INET6, ipproto::ICMPV6, IpAddr::V6(Ipv6Addr::LOCALHOST)),
        };
        let fd = socket_with(domain, SocketType::RAW, SocketFlags::CLOEXEC, Some(protocol)).expect("a raw socket");
        if let Some(ident) = only {
            attach(&fd, family, ident).expect("the kernel takes it");
        }
        let socket = UdpSocket::from(fd);
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
        let mark = u64::from(std::process::id()) << 32;
        for (ident, sequence) in [(8, 1), (7, 2)] {
            let mut packet = Vec::new();
            icmp::echo_request(&mut packet, family, (ident, sequence, mark), 56);
            socket.send_to(&packet, SocketAddr::new(to, 0)).expect("sent");
        }
        let (mut out, mut buffer) = (Vec::new(), [0; 256]);
        // The second comes last.
        while out.last() != Some(&2) {
            let length = socket.recv(&mut buffer).expect("a reply");
            match icmp::receive(family, true, &buffer[..length]) {
                Some(Received::Reply { sequence, cookie }) if cookie == mark => out.push(sequence),
                _ => {}
            }
        }
        out
    }

    #[test]
    fn echoes_of_others_do_not_reach_a_raw_socket() {
        for family in [Family::V4, Family::V6] {
            assert_eq!(heard(family, None), [1, 2], "{family:?}: by itself it hears every one");
            assert_eq!(heard(family, Some(7)), [2], "{family:?}");
        }
    }
}
