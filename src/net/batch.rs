//! Many UDP or ICMP datagrams a system call. Buffers are kept from call to call; the headers of a call are made for it,
//! because they hold pointers and are not worth keeping.

use std::io::{IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrStorage, recvmmsg};
use rustix::net::addr::SocketAddrArg as _;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};

/// Datagrams a call. More of them would not stay in the processor's near cache.
pub const BATCH: usize = 32;
/// From one buffer to the next, more than the longest datagram: at distances of a power of two all of them would share the
/// same few lines of the cache.
const GAP: usize = 1_600;

/// Buffers for what comes in. What is never filled is never backed by memory.
#[derive(Debug)]
pub struct Incoming {
    buffer: Vec<u8>,
    longest: usize,
    /// Room for the kernel's note of when a datagram came.
    stamps: Option<Vec<u8>>,
}

/// A datagram that came.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    pub from: SocketAddr,
    pub bytes: &'a [u8],
    /// When it reached the kernel, since the epoch by the wall's clock; where the socket was told to say so.
    pub came: Option<Duration>,
}

impl Incoming {
    /// What is longer than `longest` is cut off.
    pub fn new(longest: usize) -> Self {
        Self { buffer: vec![0; BATCH * (longest + GAP)], longest, stamps: None }
    }

    /// Reads the kernel's stamps too.
    #[must_use]
    pub fn stamped(self) -> Self {
        Self { stamps: Some(nix::cmsg_space!(nix::libc::timespec)), ..self }
    }

    /// Takes up to [`BATCH`] datagrams that wait at the socket, without waiting for any, and hands each to `take`.
    /// Returns how many there were.
    ///
    /// # Errors
    /// Whatever the system says but "nothing is there", which is 0.
    pub fn receive(&mut self, socket: &UdpSocket, mut take: impl FnMut(Datagram<'_>)) -> std::io::Result<usize> {
        let longest = self.longest;
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(BATCH, self.stamps.clone());
        let mut buffers = self.buffer.chunks_exact_mut(longest + GAP).map(|buffer| &mut buffer[..longest]);
        // There are exactly as many chunks; an empty slice would only cut a datagram off.
        let mut slices: [[IoSliceMut<'_>; 1]; BATCH] =
            std::array::from_fn(|_| [IoSliceMut::new(buffers.next().unwrap_or_default())]);
        let received = recvmmsg(socket.as_raw_fd(), &mut headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None);
        let messages = match received {
            Ok(messages) => messages,
            Err(Errno::EAGAIN) => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        let mut count = 0;
        for message in messages {
            count += 1;
            if let Some(from) = message.address.as_ref().and_then(ip) {
                let came = if self.stamps.is_some() { stamp(&message) } else { None };
                take(Datagram { from, bytes: message.iovs().next().unwrap_or_default(), came });
            }
        }
        Ok(count)
    }
}

fn stamp(message: &RecvMsg<'_, '_, SockaddrStorage>) -> Option<Duration> {
    message.cmsgs().ok()?.find_map(|note| match note {
        ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
        _ => None,
    })
}

/// Datagrams on their way out, in the order in which they were put in.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// As many as were ever needed at once, at most [`BATCH`]; the first `filled` are to be sent.
    datagrams: Vec<Vec<u8>>,
    addresses: Vec<SocketAddrAny>,
    filled: usize,
}

impl Outgoing {
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Lets `write` fill datagrams until it has none or there are `most`, or [`BATCH`].
    pub fn fill(&mut self, most: usize, mut write: impl FnMut(&mut Vec<u8>) -> Option<SocketAddr>) {
        while self.filled < most.min(BATCH) {
            if self.filled == self.datagrams.len() {
                self.datagrams.push(Vec::with_capacity(512));
            }
            let Some(to) = write(&mut self.datagrams[self.filled]) else { return };
            self.addresses.push(to.as_any());
            self.filled += 1;
        }
    }

    pub fn len(&self) -> usize {
        self.filled
    }

    /// Sends what is there. False where the system takes no more for now; the rest stays. A datagram that it refuses is
    /// given to `refused` with the reason, and is gone. Sockets that hear of ICMP errors tell the next sender of them,
    /// whomever it sends to: so a refusal that may be another's is asked about once more.
    pub fn send(&mut self, socket: &UdpSocket, mut refused: impl FnMut(&[u8], std::io::Error)) -> bool {
        let (mut sent, mut asked) = (0, 0);
        let mut takes_more = true;
        while sent < self.filled && takes_more {
            match self.send_from(sent, socket) {
                Ok(count) => (sent, asked) = (sent + count, 0),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::NOBUFS) => takes_more = false,
                Err(error) if asked < 2 && is_told(error) => asked += 1,
                Err(error) => {
                    refused(&self.datagrams[sent], error.into());
                    (sent, asked) = (sent + 1, 0);
                }
            }
        }
        // The buffers go round, so that none is lost.
        self.datagrams[..self.filled].rotate_left(sent);
        self.addresses.drain(..sent);
        self.filled -= sent;
        takes_more
    }

    fn send_from(&self, first: usize, socket: &UdpSocket) -> rustix::io::Result<usize> {
        let waiting = &self.datagrams[first..self.filled];
        let slices: [[IoSlice<'_>; 1]; BATCH] =
            std::array::from_fn(|i| [IoSlice::new(waiting.get(i).map_or(&[], Vec::as_slice))]);
        let mut nothing: [SendAncillaryBuffer<'_, '_, '_>; BATCH] = Default::default();
        let with = self.addresses[first..].iter().zip(&slices).zip(&mut nothing);
        let mut messages = Vec::with_capacity(BATCH);
        messages.extend(with.map(|((to, slice), nothing)| MMsgHdr::new_with_addr(to, slice, nothing)));
        sendmmsg(socket, &mut messages, SendFlags::DONTWAIT)
    }
}

/// What an ICMP message may have said about a target before.
fn is_told(error: rustix::io::Errno) -> bool {
    use rustix::io::Errno as E;
    matches!(error, E::HOSTUNREACH | E::NETUNREACH | E::CONNREFUSED | E::ACCESS | E::PERM | E::HOSTDOWN | E::PROTO)
}

fn ip(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(std::net::SocketAddrV4::from(*v4).into());
    }
    address.as_sockaddr_in6().map(|v6| std::net::SocketAddrV6::from(*v6).into())
}

#[cfg(test)]
mod tests {
    use nix::sys::socket::{setsockopt, sockopt};

    use super::*;

    fn socket(address: &str) -> UdpSocket {
        UdpSocket::bind((address, 0)).expect("a loopback address")
    }

    fn address(socket: &UdpSocket) -> SocketAddr {
        socket.local_addr().expect("it is bound")
    }

    /// Everything that waits, in order.
    fn all(incoming: &mut Incoming, socket: &UdpSocket) -> Vec<(SocketAddr, Vec<u8>, Option<Duration>)> {
        let mut out = Vec::new();
        while incoming.receive(socket, |d| out.push((d.from, d.bytes.to_vec(), d.came))).expect("it can be read") > 0 {}
        out
    }

    #[test]
    fn more_than_a_batch_goes_and_comes_in_order_with_its_addresses() {
        for host in ["127.0.0.1", "::1"] {
            let (here, there) = (socket(host), socket(host));
            let (mut outgoing, mut incoming) = (Outgoing::default(), Incoming::new(2_000));
            let mut next = 0u32;
            while next < 100 || !outgoing.is_empty() {
                outgoing.fill(BATCH, |datagram| {
                    datagram.clear();
                    datagram.resize(next as usize * 3, 7);
                    next += 1;
                    (next <= 100).then(|| address(&there))
                });
                assert!(outgoing.send(&here, |_, error| panic!("refused: {error}")));
            }
            let came = all(&mut incoming, &there);
            assert_eq!(came.len(), 100);
            for (i, (from, datagram, stamp)) in came.iter().enumerate() {
                assert_eq!((*from, datagram.len(), *stamp), (address(&here), i * 3, None));
            }
        }
    }

    #[test]
    fn the_longest_datagram_is_not_cut_off_and_nothing_is_no_error() {
        let (here, there) = (socket("127.0.0.1"), socket("127.0.0.1"));
        let mut incoming = Incoming::new(65_536);
        assert!(all(&mut incoming, &there).is_empty());
        here.send_to(&vec![5; 65_507], address(&there)).expect("it fits");
        assert_eq!(all(&mut incoming, &there)[0].1.len(), 65_507);
    }

    /// Three datagrams: whether the kernel's stamps say that all came between the first and the last call that sent them.
    fn are_stamped_in_time(here: &UdpSocket, there: &UdpSocket) -> bool {
        let clock = || std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970");
        let before = clock();
        for _ in 0..3 {
            here.send_to(&[5; 10], address(there)).expect("it fits");
        }
        let after = clock();
        let mut incoming = Incoming::new(2_000).stamped();
        let stamps: Vec<_> = all(&mut incoming, there).into_iter().map(|(_, _, came)| came).collect();
        assert_eq!(stamps.len(), 3);
        stamps.iter().all(|came| came.is_some_and(|came| before <= came && came <= after))
    }

    #[test]
    fn the_kernel_says_when_each_came() {
        for host in ["127.0.0.1", "::1"] {
            let (here, there) = (socket(host), socket(host));
            setsockopt(&there, sockopt::ReceiveTimestampns, &true).expect("every Linux has it");
            // The first socket of a machine that wants stamps has the kernel begin with them, which takes it a moment.
            let stamped = (0..100_000).any(|_| are_stamped_in_time(&here, &there));
            assert!(stamped, "{host}");
        }
    }

    #[test]
    fn a_datagram_that_cannot_be_sent_costs_no_other_and_is_told() {
        let (here, there) = (socket("127.0.0.1"), socket("127.0.0.1"));
        // An IPv4 socket has no way to IPv6, and no datagram is that long.
        let targets = [(address(&there), 1), ("[::1]:9".parse().expect("an address"), 1), (address(&there), 65_508)];
        let targets = [targets[0], targets[1], targets[2], targets[0]];
        let mut outgoing = Outgoing::default();
        let mut next = targets.iter().enumerate();
        outgoing.fill(BATCH, |datagram| {
            let (i, (to, length)) = next.next()?;
            datagram.clear();
            datagram.resize(*length, i as u8);
            Some(*to)
        });
        let mut refused = Vec::new();
        assert!(outgoing.send(&here, |bytes, error| refused.push((bytes[0], error.raw_os_error()))));
        assert!(outgoing.is_empty());
        assert_eq!(refused, [(1, Some(nix::libc::EAFNOSUPPORT)), (2, Some(nix::libc::EMSGSIZE))]);
        let came: Vec<u8> = all(&mut Incoming::new(2_000), &there).iter().map(|(_, d, _)| d[0]).collect();
        assert_eq!(came, [0, 3]);
    }

    #[test]
    fn what_icmp_said_about_one_target_costs_no_other() {
        let (here, there, closed) = (socket("127.0.0.1"), socket("127.0.0.1"), socket("127.0.0.1"));
        // Such a socket hears of every refused datagram, and tells whoever uses it next.
        setsockopt(&here, sockopt::Ipv4RecvErr, &true).expect("every Linux has it");
        let nobody = address(&closed);
        drop(closed);
        let mut outgoing = Outgoing::default();
        let mut targets = [nobody, address(&there), nobody, address(&there)].into_iter();
        outgoing.fill(BATCH, |datagram| {
            datagram.clear();
            datagram.push(9);
            targets.next()
        });
        assert!(outgoing.send(&here, |_, error| panic!("refused: {error}")));
        assert_eq!(all(&mut Incoming::new(2_000), &there).len(), 2);
    }
}
