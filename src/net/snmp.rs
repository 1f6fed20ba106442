//! SNMP for thousands of agents over one UDP socket per address family: one thread owns the socket and the engine of
//! `proto::snmp` (`driver`), and nothing is handed between it and the tasks that ask but whole conversations.

mod driver;
mod users;

use std::any::Any;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use self::users::Users;
pub use self::users::{Login, LoginError};
use crate::net::line::Line;
use crate::net::race::NoAnswer;
pub use crate::proto::snmp::engine::Drops;
use crate::proto::snmp::usm::User;
use crate::proto::snmp::{Credentials, Finished, Peer, Plan, Refused, Security, Sink, Unfinished, Version, Walk};

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
    /// Requests that may be out to it at a time.
    pub in_flight: u8,
}

#[derive(Debug, thiserror::Error)]
pub enum SnmpError {
    /// A wrong community cannot be told from silence: agents do not answer it.
    #[error("no answer to SNMP {} from {} after {}: {}", version.as_str(), all(from), tries(*retries), suspects(*version))]
    NoAnswer { from: Vec<SocketAddr>, version: Version, retries: u32 },
    /// The agent said so itself, or answered only the discovery.
    #[error("SNMP v3 to {address}: {words}")]
    Refused { address: SocketAddr, refused: Box<Refused>, words: Box<str> },
    #[error("cannot open a UDP socket for SNMP: {0}")]
    Socket(Arc<str>),
    #[error("internal error in the SNMP engine")]
    Gone,
}

impl SnmpError {
    /// Of the addresses of one agent, none of which answered: as one.
    pub fn of(failed: Vec<Self>) -> Self {
        let together = failed.into_iter().reduce(|one, other| match (one, other) {
            (Self::NoAnswer { mut from, version, retries }, Self::NoAnswer { from: more, .. }) => {
                from.extend(more);
                Self::NoAnswer { from, version, retries }
            }
            (_, silent @ Self::NoAnswer { .. }) => silent,
            (one, _) => one,
        });
        together.unwrap_or(Self::Gone)
    }
}

impl NoAnswer for SnmpError {
    fn is_no_route(&self) -> bool {
        matches!(self, Self::Socket(_))
    }
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
    v4: OnceLock<Result<Line<Job>, Arc<str>>>,
    v6: OnceLock<Result<Line<Job>, Arc<str>>>,
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
    done: oneshot::Sender<Finished>,
}

impl Snmp {
    /// Asks one agent and collects the answers in `sink`, which comes back.
    ///
    /// # Errors
    /// The agent never answered, or there is no socket. An agent that fell silent later is no error:
    /// [`Answers::incomplete`] says so.
    pub async fn ask<S: Sink>(&self, target: &Target, plan: Plan, sink: S) -> Result<Answers<S>, SnmpError> {
        let address = target.address;
        let line = self.line(address)?;
        let credentials = target.credentials.clone();
        let peer = Peer {
            address,
            credentials,
            timeout: target.timeout,
            retries: target.retries,
            in_flight: target.in_flight,
        };
        let (done, answer) = oneshot::channel();
        let walk = Walk::new(plan, target.version, Box::new(sink));
        line.start(Job { peer, walk, done }).await.map_err(|_| SnmpError::Gone)?;
        let finished = answer.await.map_err(|_| SnmpError::Gone)?;
        let walked = finished.walked;
        if let (Some(refused), Credentials::User(security), false) =
            (finished.refused, &target.credentials, walked.answered)
        {
            let words = refusal(security, &refused).into();
            return Err(SnmpError::Refused { address, refused: Box::new(refused), words });
        }
        if !walked.answered {
            return Err(SnmpError::NoAnswer { from: vec![address], version: target.version, retries: target.retries });
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

    fn line(&self, address: SocketAddr) -> Result<&Line<Job>, SnmpError> {
        let (cell, any, family) = match address {
            SocketAddr::V4(_) => (&self.v4, SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), 0),
            SocketAddr::V6(_) => (&self.v6, SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)), 1),
        };
        let open = || driver::open(any, family, self.counts.clone()).map_err(|e| Arc::from(e.to_string()));
        cell.get_or_init(open).as_ref().map_err(|why| SnmpError::Socket(why.clone()))
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

fn all(from: &[SocketAddr]) -> String {
    from.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

fn tries(retries: u32) -> String {
    if retries == 0 { "1 try".to_owned() } else { format!("{} tries", retries + 1) }
}
