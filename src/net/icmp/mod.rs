//! Echo for thousands of targets on one socket per address family: an unprivileged datagram socket where the
//! system allows it, else a raw one, else a clear word that neither is permitted and what would permit it.
//! Both are opened on first use, inside the runtime that then receives on them.

mod waiting;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt as nix_sockopt};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with, sockopt};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use self::waiting::Waiting;
use crate::proto::icmp::{self, Family, Received, Refusal};

/// What is asked of the kernel for bursts of replies; a smaller buffer is no failure.
const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;

/// What one echo came to.
#[derive(Debug, thiserror::Error)]
pub enum EchoError {
    #[error("no answer within {:.1} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// A router, or the host itself, says that the echo cannot arrive.
    #[error("{refusal}, says {by}")]
    Refused { refusal: Refusal, by: IpAddr },
    /// Neither kind of socket may be opened; the text says what would permit one.
    #[error("{0}")]
    NotPermitted(Arc<str>),
    #[error("cannot send to {address}: {source}")]
    Send { address: IpAddr, source: io::Error },
}

/// Both families' sockets, opened on first use.
#[derive(Debug, Default)]
pub struct Pinger {
    v4: OnceLock<Result<Arc<Socket>, Arc<str>>>,
    v6: OnceLock<Result<Arc<Socket>, Arc<str>>>,
    next: AtomicU64,
}

#[derive(Debug)]
struct Socket {
    /// Not UDP: the runtime's datagram socket type serves every socket that sends to and receives from addresses.
    datagrams: UdpSocket,
    family: Family,
    raw: bool,
    waiting: Waiting,
}

impl Pinger {
    /// Sends one echo of `size` bytes and waits for its reply: the round trip.
    ///
    /// # Errors
    /// No answer in time, a router's word that none can come, no permission for ICMP, or the system refuses to send
    /// (no route).
    pub async fn echo(&self, address: IpAddr, size: usize, timeout: Duration) -> Result<Duration, EchoError> {
        let socket = self.socket(Family::of(address)).map_err(EchoError::NotPermitted)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (ident, sequence, cookie) = ((number >> 16) as u16, number as u16, random_cookie());
        let packet = icmp::echo_request(socket.family, ident, sequence, cookie, size);
        let awaited = socket.waiting.enter(address, sequence, cookie);
        send(&socket.datagrams, &packet, address).await?;
        awaited.answer(timeout).await
    }

    /// Why IPv4 echo is not possible, with the line that would make it so; `None` where it is. Opens the socket,
    /// so it is called inside the runtime.
    pub fn not_permitted(&self) -> Option<Arc<str>> {
        self.socket(Family::V4).err()
    }

    fn socket(&self, family: Family) -> Result<Arc<Socket>, Arc<str>> {
        let cell = if family == Family::V4 { &self.v4 } else { &self.v6 };
        cell.get_or_init(|| open(family)).clone()
    }
}

async fn send(datagrams: &UdpSocket, packet: &[u8], address: IpAddr) -> Result<(), EchoError> {
    let to = SocketAddr::new(address, 0);
    let mut tries = 3;
    loop {
        tries -= 1;
        match datagrams.send_to(packet, to).await {
            Ok(_) => return Ok(()),
            // An error message about another target waits on the socket and is handed to the next caller, whoever
            // that is; asking again tells it from one about this target.
            Err(error) if tries > 0 && is_unreachable(&error) => {}
            Err(source) => return Err(EchoError::Send { address, source }),
        }
    }
}

fn is_unreachable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::PermissionDenied
    )
}

fn open(family: Family) -> Result<Arc<Socket>, Arc<str>> {
    let (domain, protocol) = match family {
        Family::V4 => (AddressFamily::INET, ipproto::ICMP),
        Family::V6 => (AddressFamily::INET6, ipproto::ICMPV6),
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (fd, raw) = match socket_with(domain, SocketType::DGRAM, flags, Some(protocol)) {
        Ok(fd) => (fd, false),
        Err(_) => match socket_with(domain, SocketType::RAW, flags, Some(protocol)) {
            Ok(fd) => (fd, true),
            Err(Errno::AFNOSUPPORT) => return Err(Arc::from("IPv6 is not available on this machine")),
            Err(error) => return Err(Arc::from(how_to_permit(error))),
        },
    };
    let _ = sockopt::set_socket_recv_buffer_size(&fd, RECEIVE_BUFFER);
    // A raw socket gets error messages as packets; a datagram socket has a queue for them. Without it an
    // unreachable target is one that does not answer in time: later, not wrong.
    if !raw {
        let _ = match family {
            Family::V4 => setsockopt(&fd, nix_sockopt::Ipv4RecvErr, &true),
            Family::V6 => setsockopt(&fd, nix_sockopt::Ipv6RecvErr, &true),
        };
    }
    let datagrams = UdpSocket::from_std(std::net::UdpSocket::from(fd)).map_err(|e| Arc::from(format!("ICMP: {e}")))?;
    let socket = Arc::new(Socket { datagrams, family, raw, waiting: Waiting::default() });
    tokio::spawn(receive(socket.clone()));
    Ok(socket)
}

fn how_to_permit(error: Errno) -> String {
    let program = std::env::current_exe().map_or_else(|_| "noctty".to_owned(), |path| path.display().to_string());
    format!(
        "ICMP is not permitted ({error}); as root: sysctl -w net.ipv4.ping_group_range=\"0 2147483647\", \
         or setcap cap_net_raw+ep {program}"
    )
}

/// Hands replies and errors to those who wait for them; lives as long as the runtime, like the socket.
async fn receive(socket: Arc<Socket>) {
    let mut buffer = [0u8; 2048];
    while let Ok(ready) = socket.datagrams.ready(Interest::READABLE | Interest::ERROR).await {
        if ready.is_error() {
            while let Ok(refused) = socket.datagrams.try_io(Interest::ERROR, || next_error(&socket)) {
                if let Some((destination, quote, error)) = refused {
                    socket.waiting.refuse(destination, quote, error);
                }
            }
        }
        loop {
            match socket.datagrams.try_recv_from(&mut buffer) {
                Ok((length, from)) => deliver(&socket, &buffer[..length], from.ip()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // An error about one target is told here once more; the queue above has its details.
                Err(error) if is_unreachable(&error) => {}
                // The socket goes on whatever happens, but never in a spin.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
}

fn deliver(socket: &Socket, packet: &[u8], from: IpAddr) {
    match icmp::receive(socket.family, socket.raw, packet) {
        Some(Received::Reply { cookie }) => socket.waiting.reply(from, cookie),
        Some(Received::Refused { refusal, destination, quote }) => {
            socket.waiting.refuse(destination, quote, EchoError::Refused { refusal, by: from });
        }
        None => {}
    }
}

/// The next entry of the socket's error queue (`ip(7)`, IP_RECVERR); `None` for one that ends no wait.
fn next_error(socket: &Socket) -> io::Result<Option<(IpAddr, icmp::Quote, EchoError)>> {
    use std::os::fd::AsRawFd;

    let mut bytes = [0u8; 256];
    let mut control = nix::cmsg_space!(nix::libc::sock_extended_err, nix::libc::sockaddr_in6);
    let mut parts = [io::IoSliceMut::new(&mut bytes)];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let fd = socket.datagrams.as_raw_fd();
    let message = recvmsg::<SockaddrStorage>(fd, &mut parts, Some(&mut control), flags)?;
    let destination = message.address.as_ref().and_then(ip_address);
    let mut found = None;
    for entry in message.cmsgs()? {
        let (error, by) = match entry {
            ControlMessageOwned::Ipv4RecvErr(error, by) => {
                (error, by.map(|a| IpAddr::from(a.sin_addr.s_addr.to_ne_bytes())))
            }
            ControlMessageOwned::Ipv6RecvErr(error, by) => (error, by.map(|a| IpAddr::from(a.sin6_addr.s6_addr))),
            _ => continue,
        };
        if matches!(error.ee_origin, nix::libc::SO_EE_ORIGIN_ICMP | nix::libc::SO_EE_ORIGIN_ICMP6) {
            found = icmp::refusal(socket.family, error.ee_type, error.ee_code).zip(by);
        }
    }
    let quoted = message.iovs().next().and_then(|bytes| icmp::quote(socket.family, bytes));
    Ok(destination
        .zip(quoted)
        .zip(found)
        .map(|((destination, quote), (refusal, by))| (destination, quote, EchoError::Refused { refusal, by })))
}

fn ip_address(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|a| IpAddr::from(a.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|a| IpAddr::from(a.ip())))
}

fn random_cookie() -> u64 {
    let mut bytes = [0u8; 8];
    // The kernel's generator does not fail after boot; a fixed cookie would only weaken the match by address.
    let _ = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_says_what_would_give_it() {
        let why = how_to_permit(Errno::ACCESS);
        assert!(why.contains("sysctl -w net.ipv4.ping_group_range=\"0 2147483647\""), "{why}");
        assert!(why.contains("setcap cap_net_raw+ep /"), "{why}");
    }

    #[tokio::test]
    async fn the_answer_about_permission_does_not_change() {
        let pinger = Pinger::default();
        assert_eq!(pinger.not_permitted(), pinger.not_permitted());
    }
}
