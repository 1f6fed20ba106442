//! SNMP for thousands of agents over one UDP socket per address family: one task owns the socket and the engine of
//! `proto::snmp`, and nothing is handed between tasks but whole conversations.

mod users;

use std::any::Any;
use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::sockopt;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};

use self::users::Users;
pub use self::users::{Login, LoginError};
pub use crate::proto::snmp::engine::Drops;
use crate::proto::snmp::usm::User;
use crate::proto::snmp::{
    Credentials, Engine, Finished, Peer, Plan, Refused, Security, Sink, Unfinished, Version, Walk,
};

/// Conversations that wait to be taken up; whoever starts more waits.
const QUEUE: usize = 1024;
/// What the kernel keeps for a reply of full size in its receive buffer.
const REPLY_COST: usize = 2560;
/// Requests in flight, whatever the buffer holds.
const WINDOW: std::ops::RangeInclusive<usize> = 32..=1024;
/// Datagrams taken in one turn before anything else is looked at.
const BURST: usize = 256;

/// Whom to ask, how.
#[derive(Clone, Debug)]
pub struct Target {
    pub address: SocketAddr,
    pub version: Version,
    /// A community for versions 1 and 2c, a user for version 3.
    pub credentials: Credentials,
    /// The longest wait of one try.
    pub timeout: Duration,
    pub retries: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum SnmpError {
    /// A wrong community cannot be told from silence: agents do not answer it.
    #[error("no answer to SNMP {} from {address} after {}: {}", version.as_str(), tries(*retries), suspects(*version))]
    NoAnswer { address: SocketAddr, version: Version, retries: u32 },
    /// The agent said so itself, or answered only the discovery.
    #[error("SNMP v3 to {address}: {words}")]
    Refused { address: SocketAddr, refused: Box<Refused>, words: Box<str> },
    #[error("cannot send SNMP to {address}: {source}")]
    Send { address: SocketAddr, source: std::io::Error },
    #[error("cannot open a UDP socket for SNMP: {0}")]
    Socket(Arc<str>),
    #[error("internal error in the SNMP engine")]
    Gone,
}

/// What a conversation brought.
#[derive(Debug)]
pub struct Answers<S> {
    pub sink: S,
    /// Why something is missing; empty where nothing is.
    pub incomplete: Vec<String>,
    /// Which columns it is missing in.
    pub unfinished: Vec<Unfinished>,
    pub requests: u32,
    pub varbinds: u64,
    pub lost: u32,
    pub round_trip: Option<Duration>,
}

/// Both families' sockets, opened on first use.
#[derive(Debug, Default)]
pub struct Snmp {
    v4: OnceLock<Result<mpsc::Sender<Job>, Arc<str>>>,
    v6: OnceLock<Result<mpsc::Sender<Job>, Arc<str>>>,
    counts: Arc<Counts>,
    users: Users,
}

/// What went over the sockets since the start.
#[derive(Debug, Default)]
pub struct Counts {
    requests: AtomicU64,
    varbinds: AtomicU64,
    lost: AtomicU64,
    drops: Mutex<[Drops; 2]>,
}

impl Counts {
    /// Requests sent, retries apart.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub fn varbinds(&self) -> u64 {
        self.varbinds.load(Ordering::Relaxed)
    }

    /// Tries in vain.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Datagrams that answered nothing that was asked; IPv4, IPv6.
    pub fn drops(&self) -> [Drops; 2] {
        *self.drops.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Job {
    peer: Peer,
    walk: Walk,
    done: oneshot::Sender<Result<Finished, std::io::Error>>,
}

impl Snmp {
    /// Asks one agent and collects the answers in `sink`, which comes back.
    ///
    /// # Errors
    /// The agent never answered, or the system would not send. An agent that fell silent later is no error:
    /// [`Answers::incomplete`] says so.
    pub async fn ask<S: Sink>(&self, target: &Target, plan: Plan, sink: S) -> Result<Answers<S>, SnmpError> {
        let address = target.address;
        let jobs = self.socket(address)?;
        let credentials = target.credentials.clone();
        let peer = Peer { address, credentials, timeout: target.timeout, retries: target.retries };
        let (done, answer) = oneshot::channel();
        let walk = Walk::new(plan, target.version, Box::new(sink));
        jobs.send(Job { peer, walk, done }).await.map_err(|_| SnmpError::Gone)?;
        let finished =
            answer.await.map_err(|_| SnmpError::Gone)?.map_err(|source| SnmpError::Send { address, source })?;
        let walked = finished.walked;
        if let (Some(refused), Credentials::User(security), false) =
            (finished.refused, &target.credentials, walked.answered)
        {
            let words = refusal(security, &refused).into();
            return Err(SnmpError::Refused { address, refused: Box::new(refused), words });
        }
        if !walked.answered {
            return Err(SnmpError::NoAnswer { address, version: target.version, retries: target.retries });
        }
        let sink: Box<dyn Any> = walked.sink;
        let sink = *sink.downcast::<S>().map_err(|_| SnmpError::Gone)?;
        Ok(Answers {
            sink,
            incomplete: walked.incomplete,
            unfinished: walked.unfinished,
            requests: walked.requests,
            varbinds: walked.varbinds,
            lost: walked.lost,
            round_trip: finished.round_trip,
        })
    }

    /// The user of a login, with its passwords hashed: once for each login, off the tasks that poll.
    ///
    /// # Errors
    /// The standard forbids it.
    pub async fn user(&self, login: Login) -> Result<Arc<User>, LoginError> {
        self.users.get(login).await
    }

    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    fn socket(&self, address: SocketAddr) -> Result<mpsc::Sender<Job>, SnmpError> {
        let (cell, any, family) = match address {
            SocketAddr::V4(_) => (&self.v4, SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), 0),
            SocketAddr::V6(_) => (&self.v6, SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)), 1),
        };
        let opened = cell.get_or_init(|| open(any, family, self.counts.clone()).map_err(|e| Arc::from(e.to_string())));
        opened.clone().map_err(SnmpError::Socket)
    }
}

fn refusal(security: &Security, refused: &Refused) -> String {
    let words = refused.why.words(security);
    if refused.stopped {
        format!(
            "{words}; refused three times in a row, so it is asked no more: correct it, then recheck (R) or restart"
        )
    } else {
        words
    }
}

/// What silence may mean. Nobody needs a password for the discovery of version 3.
fn suspects(version: Version) -> &'static str {
    match version {
        Version::V1 | Version::V2c => "wrong community, an access list, or no agent",
        Version::V3 => "an access list, no agent, or one without version 3",
    }
}

fn tries(retries: u32) -> String {
    if retries == 0 { "1 try".to_owned() } else { format!("{} tries", retries + 1) }
}

fn open(any: SocketAddr, family: usize, counts: Arc<Counts>) -> std::io::Result<mpsc::Sender<Job>> {
    let socket = std::net::UdpSocket::bind(any)?;
    socket.set_nonblocking(true)?;
    // Replies come in bursts. Beyond the system's limit only with privilege; a smaller buffer narrows the window.
    let wanted = WINDOW.end() * REPLY_COST;
    if sockopt::set_socket_recv_buffer_size_force(&socket, wanted).is_err() {
        let _ = sockopt::set_socket_recv_buffer_size(&socket, wanted);
    }
    let buffer = sockopt::socket_recv_buffer_size(&socket).unwrap_or(REPLY_COST * WINDOW.start());
    let window = (buffer / REPLY_COST).clamp(*WINDOW.start(), *WINDOW.end());
    let socket = UdpSocket::from_std(socket)?;
    let (jobs, queue) = mpsc::channel(QUEUE);
    let driver = Driver {
        socket,
        engine: Engine::new(window, Box::new(RandomIds::default().into_source())),
        started: Instant::now(),
        waiting: HashMap::new(),
        next_ticket: 0,
        unsent: None,
        datagram: Vec::with_capacity(2048),
        family,
        counts,
    };
    tokio::spawn(driver.run(queue));
    Ok(jobs)
}

/// Owns a socket for as long as anybody can ask.
struct Driver {
    socket: UdpSocket,
    engine: Engine,
    started: Instant,
    waiting: HashMap<u64, oneshot::Sender<Result<Finished, std::io::Error>>>,
    next_ticket: u64,
    /// A datagram that the full socket did not take.
    unsent: Option<SocketAddr>,
    datagram: Vec<u8>,
    family: usize,
    counts: Arc<Counts>,
}

enum Woken {
    Job(Option<Box<Job>>),
    Readable,
    Writable,
    Late,
}

impl Driver {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        // No datagram over UDP is longer.
        let mut buffer = vec![0u8; 65_536];
        let mut open = true;
        while open || !self.engine.is_idle() {
            self.send();
            self.hand_over();
            let deadline = self.engine.next_timeout().map(|at| self.started + at);
            let blocked = self.unsent.is_some();
            let woken = tokio::select! {
                job = jobs.recv(), if open => Woken::Job(job.map(Box::new)),
                _ = self.socket.readable() => Woken::Readable,
                _ = self.socket.writable(), if blocked => Woken::Writable,
                () = until(deadline) => Woken::Late,
            };
            match woken {
                Woken::Job(Some(job)) => {
                    self.take(*job);
                    while let Ok(job) = jobs.try_recv() {
                        self.take(job);
                    }
                }
                Woken::Job(None) => open = false,
                Woken::Readable => self.receive(&mut buffer),
                Woken::Writable => {}
                Woken::Late => {
                    self.forget_the_gone();
                    let now = self.started.elapsed();
                    self.engine.handle_timeout(now);
                }
            }
        }
    }

    fn take(&mut self, job: Job) {
        self.next_ticket += 1;
        self.waiting.insert(self.next_ticket, job.done);
        self.engine.start(self.next_ticket, job.peer, job.walk);
    }

    fn receive(&mut self, buffer: &mut [u8]) {
        for _ in 0..BURST {
            match self.socket.try_recv_from(buffer) {
                Ok((length, from)) => {
                    let now = self.started.elapsed();
                    self.engine.handle_datagram(now, from, &buffer[..length.min(buffer.len())]);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                // What ICMP says about single targets; their own deadlines decide.
                Err(_) => {}
            }
        }
    }

    fn send(&mut self) {
        loop {
            let to = match self.unsent.take() {
                Some(to) => to,
                None => match self.engine.poll_transmit(self.started.elapsed(), &mut self.datagram) {
                    Some(to) => to,
                    None => return,
                },
            };
            match self.socket.try_send_to(&self.datagram, to) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    self.unsent = Some(to);
                    return;
                }
                // No route, or a stale ICMP error of another target: a lost try, like one that got lost on its way.
                Ok(_) | Err(_) => {}
            }
        }
    }

    fn hand_over(&mut self) {
        while let Some(finished) = self.engine.poll_finished() {
            let walked = &finished.walked;
            self.counts.requests.fetch_add(u64::from(walked.requests), Ordering::Relaxed);
            self.counts.varbinds.fetch_add(walked.varbinds, Ordering::Relaxed);
            self.counts.lost.fetch_add(u64::from(walked.lost), Ordering::Relaxed);
            if let Some(done) = self.waiting.remove(&finished.ticket) {
                let _ = done.send(Ok(finished));
            }
        }
        let mut drops = self.counts.drops.lock().unwrap_or_else(PoisonError::into_inner);
        drops[self.family] = self.engine.drops();
    }

    /// Callers that gave up leave nothing behind.
    fn forget_the_gone(&mut self) {
        let gone: Vec<u64> = self.waiting.iter().filter(|(_, done)| done.is_closed()).map(|(t, _)| *t).collect();
        for ticket in gone {
            self.waiting.remove(&ticket);
            self.engine.cancel(ticket);
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Request ids from the kernel's generator, a page of them at a time.
#[derive(Debug)]
struct RandomIds {
    page: [u8; 1024],
    used: usize,
}

impl Default for RandomIds {
    fn default() -> Self {
        Self { page: [0; 1024], used: 1024 }
    }
}

impl RandomIds {
    fn into_source(mut self) -> impl FnMut() -> u32 + Send {
        move || {
            if self.used + 4 > self.page.len() {
                // It does not fail after boot; predictable ids would only weaken the match by address.
                let _ = rustix::rand::getrandom(&mut self.page, rustix::rand::GetRandomFlags::empty());
                self.used = 0;
            }
            let octets: [u8; 4] = self.page[self.used..self.used + 4].try_into().unwrap_or_default();
            self.used += 4;
            u32::from_be_bytes(octets)
        }
    }
}
