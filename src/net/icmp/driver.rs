//! The thread that owns an ICMP socket. Echoes leave and replies are read by the dozen: after a turn that had something to do
//! it rests a moment before the next. What was read late did not take longer, because the kernel stamps what comes.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};

use super::answers::To;
use super::waiting::{Moment, Waiting};
use super::{EchoError, filter};
use crate::net::batch::{BATCH, Incoming, Outgoing};
use crate::net::line::{Gone, Jobs};
use crate::net::random::Random;
use crate::proto::icmp::{self, Family, Received};

/// Echoes that leave together. The kernel takes some microseconds for each, and the moment of each is told from that of the first.
const CHUNK: usize = 16;
/// No echo that we send is longer, with what is in front of it.
const LONGEST: usize = 2_048;
/// Batches and error messages taken in one turn before anything else is looked at.
const BATCHES: usize = 1_024 / BATCH;
const ERRORS: usize = 1_024;

/// One echo and who waits for what comes of it.
#[derive(Debug)]
pub struct Job {
    pub address: IpAddr,
    pub size: usize,
    pub timeout: Duration,
    pub done: To,
}

/// Owns a socket for as long as anybody can ask.
#[derive(Debug)]
pub struct Driver {
    /// Not UDP: the type serves every socket that sends to and receives from addresses.
    socket: UdpSocket,
    family: Family,
    raw: bool,
    jobs: Jobs<Job>,
    waiting: Waiting,
    incoming: Incoming,
    outgoing: Outgoing,
    /// The sequence numbers of what is in `outgoing`.
    leaving: Vec<u16>,
    /// What tells our echoes from those of another program on the way; a datagram socket has its own.
    ident: u16,
    random: Random,
}

impl Driver {
    pub fn new(socket: UdpSocket, family: Family, raw: bool, jobs: Jobs<Job>) -> Self {
        let mut random = Random::default();
        let ident = random.u64() as u16;
        if raw && let Err(error) = filter::attach(&socket, family, ident) {
            tracing::debug!(%error, "no filter on the raw ICMP socket: it hears the echoes of others too");
        }
        Self {
            socket,
            family,
            raw,
            jobs,
            waiting: Waiting::default(),
            incoming: Incoming::new(LONGEST).stamped(),
            outgoing: Outgoing::default(),
            leaving: Vec::with_capacity(CHUNK),
            ident,
            random,
        }
    }

    /// A panic costs the echoes of the moment, not ICMP until the next start.
    pub fn live(mut self) {
        while catch_unwind(AssertUnwindSafe(|| self.run())).is_err() {
            tracing::error!("the ICMP thread panicked; the echoes that were out are lost");
            self.outgoing = Outgoing::default();
            self.leaving.clear();
            // Those who asked are told that it is gone.
            self.waiting = Waiting::default();
        }
    }

    /// Ends when nobody can ask any more.
    fn run(&mut self) {
        loop {
            let Ok((left, sent_all)) = self.send() else { return };
            let handled = left + self.receive() + self.receive_errors();
            let now = Instant::now();
            self.waiting.expire(now);
            if let Some(rest) = rest(handled, sent_all) {
                std::thread::sleep(rest);
            } else {
                let until = self.waiting.next_deadline();
                self.jobs.sleep(&self.socket, until.map(|at| at.saturating_duration_since(now)));
            }
        }
    }

    /// Sends what is to be sent, and reads what comes meanwhile. How many echoes left, and whether all did.
    fn send(&mut self) -> Result<(usize, bool), Gone> {
        let mut all = 0;
        loop {
            self.fill()?;
            let before = self.outgoing.len();
            if before == 0 {
                return Ok((all, !self.waiting.is_full()));
            }
            let (waiting, family, begun) = (&mut self.waiting, self.family, Moment::now());
            let takes_more = self.outgoing.send(&self.socket, |packet, error| {
                if let Some(icmp::Quote { sequence, cookie: Some(cookie) }) = icmp::quote(family, packet) {
                    waiting.unsent(sequence, cookie, error);
                }
            });
            let left = before - self.outgoing.len();
            for (i, sequence) in self.leaving.drain(..left).enumerate() {
                self.waiting.sent(sequence, begun.of_batch(i));
            }
            all += left;
            if !takes_more {
                return Ok((all, false));
            }
            self.receive();
        }
    }

    /// Takes up as many jobs as leave together.
    fn fill(&mut self) -> Result<(), Gone> {
        let Self { jobs, waiting, leaving, ident, random, family, .. } = self;
        let (now, mut gone) = (Instant::now(), Ok(()));
        self.outgoing.fill(CHUNK, |packet| {
            if waiting.is_full() {
                return None;
            }
            let Ok(job) = jobs.next() else {
                gone = Err(Gone);
                return None;
            };
            let job = job?;
            let cookie = random.u64();
            let sequence = waiting.enter(job.address, cookie, now, job.timeout, job.done);
            icmp::echo_request(packet, *family, (*ident, sequence, cookie), job.size);
            leaving.push(sequence);
            Some(SocketAddr::new(job.address, 0))
        });
        gone
    }

    /// Takes in what has come; returns how many packets.
    fn receive(&mut self) -> usize {
        let Self { socket, family, raw, waiting, incoming, .. } = self;
        let mut all = 0;
        for _ in 0..BATCHES {
            // After the reading: what came while this thread waited for its turn is not from the future.
            let mut read = None;
            let count = incoming.receive(socket, |d| match icmp::receive(*family, *raw, d.bytes) {
                Some(Received::Reply { sequence, cookie }) => {
                    let read = *read.get_or_insert_with(Moment::now);
                    waiting.reply(d.from.ip(), sequence, cookie, d.came, read);
                }
                Some(Received::Refused { refusal, destination, quote }) => {
                    waiting.refuse(destination, quote, EchoError::Refused { refusal, by: d.from.ip() });
                }
                None => {}
            });
            // An error about one target is told here once more; the queue below has its details.
            all += count.as_ref().unwrap_or(&0);
            if count.is_ok_and(|count| count < BATCH) {
                break;
            }
        }
        all
    }

    /// Takes in what the system was told of our echoes; a raw socket hears that itself.
    fn receive_errors(&mut self) -> usize {
        let mut all = 0;
        while !self.raw && all < ERRORS {
            let Ok(refused) = next_error(&self.socket, self.family) else { break };
            all += 1;
            if let Some((destination, quote, error)) = refused {
                self.waiting.refuse(destination, quote, error);
            }
        }
        all
    }
}

/// How long to rest after a turn that handled so much, before anything else is looked at; `None` to sleep until something
/// comes. The more there is, the more it pays to wait for still more; a flood must not overflow the socket's buffer.
fn rest(handled: usize, sent_all: bool) -> Option<Duration> {
    match handled {
        0 if sent_all => None,
        0..=3 => Some(Duration::from_millis(1)),
        4..=63 => Some(Duration::from_millis(10)),
        _ => Some(Duration::from_micros(500)),
    }
}

/// The next entry of the socket's error queue (`ip(7)`, IP_RECVERR); `None` for one that ends no wait.
fn next_error(socket: &UdpSocket, family: Family) -> io::Result<Option<(IpAddr, icmp::Quote, EchoError)>> {
    use std::os::fd::AsRawFd;

    let mut bytes = [0u8; 256];
    let mut control = nix::cmsg_space!(nix::libc::sock_extended_err, nix::libc::sockaddr_in6, nix::libc::timespec);
    let mut parts = [io::IoSliceMut::new(&mut bytes)];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
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
            found = icmp::refusal(family, error.ee_type, error.ee_code).zip(by);
        }
    }
    let quoted = message.iovs().next().and_then(|bytes| icmp::quote(family, bytes));
    Ok(destination
        .zip(quoted)
        .zip(found)
        .map(|((destination, quote), (refusal, by))| (destination, quote, EchoError::Refused { refusal, by })))
}

fn ip_address(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|a| IpAddr::from(a.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|a| IpAddr::from(a.ip())))
}
