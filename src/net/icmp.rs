//! Echo for thousands of targets on one socket per address family: an unprivileged datagram socket where the
//! system allows it, else a raw one, else a clear word that neither is permitted and what would permit it.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with, sockopt};
use tokio::net::UdpSocket;
use tokio::sync::oneshot;

use crate::proto::icmp::{self, Family};

/// What one echo came to.
#[derive(Debug, thiserror::Error)]
pub enum EchoError {
    #[error("no answer within {:.1} s", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("{0}")]
    NotPermitted(Arc<str>),
    #[error("cannot send to {address}: {source}")]
    Send { address: IpAddr, source: std::io::Error },
}

/// Both families' sockets, opened on first use.
#[derive(Debug, Default)]
pub struct Pinger {
    v4: OnceLock<Result<Arc<Socket>, Arc<str>>>,
    v6: OnceLock<Result<Arc<Socket>, Arc<str>>>,
    next: AtomicU64,
}

/// Who waits for which cookie: the address asked, when, and where the round trip goes.
type Waiting = HashMap<u64, (IpAddr, Instant, oneshot::Sender<Duration>)>;

#[derive(Debug)]
struct Socket {
    /// Not UDP: the runtime's datagram socket type serves every socket that sends to and receives from addresses.
    datagrams: UdpSocket,
    family: Family,
    raw: bool,
    waiting: Mutex<Waiting>,
}

impl Pinger {
    /// Sends one echo and waits for its reply: the round trip.
    ///
    /// # Errors
    /// No answer in time, no permission for ICMP, or the system refuses to send (no route).
    pub async fn echo(&self, address: IpAddr, timeout: Duration) -> Result<Duration, EchoError> {
        let socket = self.socket(address).map_err(EchoError::NotPermitted)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let cookie = random_cookie();
        let packet = icmp::echo_request(socket.family, (number >> 16) as u16, number as u16, cookie);
        let (tx, rx) = oneshot::channel();
        socket.lock().insert(cookie, (address, Instant::now(), tx));
        let forget = Forget { socket: &socket, cookie };
        let to = SocketAddr::new(address, 0);
        socket.datagrams.send_to(&packet, to).await.map_err(|source| EchoError::Send { address, source })?;
        let answer = tokio::time::timeout(timeout, rx).await;
        drop(forget);
        match answer {
            Ok(Ok(round_trip)) => Ok(round_trip),
            _ => Err(EchoError::TimedOut(timeout)),
        }
    }

    /// Why IPv4 echo is not possible, with the line that would make it so; `None` where it is.
    pub fn not_permitted(&self) -> Option<Arc<str>> {
        self.socket(IpAddr::from([127, 0, 0, 1])).err()
    }

    fn socket(&self, address: IpAddr) -> Result<Arc<Socket>, Arc<str>> {
        let (cell, family) = if address.is_ipv4() { (&self.v4, Family::V4) } else { (&self.v6, Family::V6) };
        cell.get_or_init(|| open(family)).clone()
    }
}

impl Socket {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the cookie back whatever ends the wait.
struct Forget<'a> {
    socket: &'a Socket,
    cookie: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.socket.lock().remove(&self.cookie);
    }
}

fn open(family: Family) -> Result<Arc<Socket>, Arc<str>> {
    let (domain, protocol) = match family {
        Family::V4 => (AddressFamily::INET, ipproto::ICMP),
        Family::V6 => (AddressFamily::INET6, ipproto::ICMPV6),
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let datagram = socket_with(domain, SocketType::DGRAM, flags, Some(protocol));
    let (fd, raw) = match datagram {
        Ok(fd) => (fd, false),
        Err(_) => match socket_with(domain, SocketType::RAW, flags, Some(protocol)) {
            Ok(fd) => (fd, true),
            Err(error) => return Err(Arc::from(how_to_permit(error))),
        },
    };
    // Thousands of replies may come in one burst; a smaller buffer is no failure.
    let _ = sockopt::set_socket_recv_buffer_size(&fd, 4 * 1024 * 1024);
    let datagrams = UdpSocket::from_std(std::net::UdpSocket::from(fd)).map_err(|e| Arc::from(format!("ICMP: {e}")))?;
    let socket = Arc::new(Socket { datagrams, family, raw, waiting: Mutex::default() });
    tokio::spawn(receive(socket.clone()));
    Ok(socket)
}

fn how_to_permit(error: rustix::io::Errno) -> String {
    let program = std::env::current_exe().map_or_else(|_| "noctty".to_owned(), |path| path.display().to_string());
    format!(
        "ICMP is not permitted ({error}): sysctl -w net.ipv4.ping_group_range=\"0 2147483647\", or setcap cap_net_raw+ep {program}"
    )
}

/// Hands replies to those who wait for them; lives as long as the process, like the socket.
async fn receive(socket: Arc<Socket>) {
    let mut buffer = [0u8; 512];
    loop {
        match socket.datagrams.recv_from(&mut buffer).await {
            Ok((length, from)) => deliver(&socket, &buffer[..length.min(512)], from.ip()),
            // Errors of single targets (unreachable) come up here too; the socket itself goes on, but never in a spin.
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

fn deliver(socket: &Socket, packet: &[u8], from: IpAddr) {
    let Some(cookie) = icmp::reply_cookie(socket.family, socket.raw, packet) else { return };
    let mut waiting = socket.lock();
    // A reply from another address is not ours, whatever it carries.
    if waiting.get(&cookie).is_some_and(|(address, _, _)| from == *address)
        && let Some((_, sent, tx)) = waiting.remove(&cookie)
    {
        let _ = tx.send(sent.elapsed());
    }
}

fn random_cookie() -> u64 {
    let mut bytes = [0u8; 8];
    // The kernel's generator does not fail after boot; a fixed cookie would only weaken the match by address.
    let _ = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    u64::from_be_bytes(bytes)
}
