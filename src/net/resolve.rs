//! Names to addresses for probes: the system's resolver in blocking threads, few at a time, with a deadline, a short
//! memory, and the last known address where resolution fails now. One name is looked up once however many ask.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

/// How long an answer is used without asking again.
const FRESH: Duration = Duration::from_secs(60);
/// A dead resolver keeps each look-up's thread for many seconds; all others share the rest of the pool.
const AT_ONCE: usize = 16;
/// How long somebody who could go on with an old address waits for a new one.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Clone, Debug, thiserror::Error)]
pub enum ResolveError {
    #[error("dns: {name}: {reason}")]
    Failed { name: Arc<str>, reason: Arc<str> },
    #[error("dns: {name}: no answer within {:.1} s", .within.as_secs_f32())]
    TimedOut { name: Arc<str>, within: Duration },
}

type Found = Result<IpAddr, ResolveError>;
type LookUp = fn(&str) -> std::io::Result<Vec<IpAddr>>;

#[derive(Debug)]
pub struct Names {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    known: Mutex<HashMap<Arc<str>, Entry>>,
    threads: Arc<Semaphore>,
    look_up: LookUp,
}

#[derive(Debug, Default)]
struct Entry {
    last: Option<(IpAddr, Instant)>,
    /// The look-up that is under way.
    running: Option<watch::Receiver<Option<Found>>>,
}

impl Default for Names {
    fn default() -> Self {
        Self::with(system)
    }
}

impl Names {
    fn with(look_up: LookUp) -> Self {
        let threads = Arc::new(Semaphore::new(AT_ONCE));
        Self { shared: Arc::new(Shared { known: Mutex::default(), threads, look_up }) }
    }

    /// The address of a name; an IP address is its own. IPv4 is preferred where both are there. A dead resolver does
    /// not make everything unknown: where a name had an address before, that one is used.
    ///
    /// # Errors
    /// The name does not resolve in time and never did.
    pub async fn resolve(&self, name: &Arc<str>, timeout: Duration) -> Result<IpAddr, ResolveError> {
        if let Ok(address) = name.parse() {
            return Ok(address);
        }
        let (last, mut running) = {
            let mut known = self.shared.lock();
            let entry = known.entry(name.clone()).or_default();
            if let Some((address, at)) = entry.last
                && at.elapsed() < FRESH
            {
                return Ok(address);
            }
            let running = entry.running.get_or_insert_with(|| self.shared.clone().start(name.clone())).clone();
            (entry.last, running)
        };
        let within = if last.is_some() { timeout.min(PATIENCE) } else { timeout };
        let found = match tokio::time::timeout(within, running.wait_for(Option::is_some)).await {
            Ok(Ok(found)) => found.clone(),
            // Out of time, or the look-up was dropped with the runtime.
            Ok(Err(_)) | Err(_) => None,
        };
        let found = found.unwrap_or_else(|| Err(ResolveError::TimedOut { name: name.clone(), within }));
        found.or_else(|error| last.map(|(address, _)| address).ok_or(error))
    }

    /// The same for a name that somebody else chose (a redirect, an NS record): nothing of it is remembered, or whoever
    /// makes up names could fill the memory.
    ///
    /// # Errors
    /// The name does not resolve in time.
    pub async fn resolve_once(&self, name: &Arc<str>, timeout: Duration) -> Result<IpAddr, ResolveError> {
        if let Ok(address) = name.parse() {
            return Ok(address);
        }
        match tokio::time::timeout(timeout, self.shared.find(name)).await {
            Ok(found) => found,
            Err(_) => Err(ResolveError::TimedOut { name: name.clone(), within: timeout }),
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Entry>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks up in the background: who gave up waiting finds the answer next time.
    fn start(self: Arc<Self>, name: Arc<str>) -> watch::Receiver<Option<Found>> {
        let (tx, rx) = watch::channel(None);
        tokio::spawn(async move {
            let found = self.find(&name).await;
            if let Some(entry) = self.lock().get_mut(&name) {
                entry.running = None;
                if let Ok(address) = found {
                    entry.last = Some((address, Instant::now()));
                }
            }
            let _ = tx.send(Some(found));
        });
        rx
    }

    async fn find(&self, name: &Arc<str>) -> Found {
        let failed = |reason: String| ResolveError::Failed { name: name.clone(), reason: reason.into() };
        let permit = self.threads.clone().acquire_owned().await.map_err(|e| failed(e.to_string()))?;
        let (asked, look_up) = (name.clone(), self.look_up);
        let task = tokio::task::spawn_blocking(move || {
            let found = look_up(&asked);
            // The thread is free only now, whoever still waits.
            drop(permit);
            found
        });
        let addresses = match task.await {
            Err(join) => return Err(failed(join.to_string())),
            Ok(Err(error)) => {
                let words = error.to_string();
                let reason = words.strip_prefix("failed to lookup address information: ").unwrap_or(&words);
                return Err(failed(reason.to_owned()));
            }
            Ok(Ok(addresses)) => addresses,
        };
        let first = addresses.iter().find(|a| a.is_ipv4()).or_else(|| addresses.first());
        first.copied().ok_or_else(|| failed("no address".to_owned()))
    }
}

fn system(name: &str) -> std::io::Result<Vec<IpAddr>> {
    (name, 0).to_socket_addrs().map(|found| found.map(|a: SocketAddr| a.ip()).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn an_address_needs_no_resolver() {
        let names = Names::with(|_| panic!("asked"));
        let found = names.resolve(&"192.0.2.7".into(), SECOND).await.expect("an address");
        assert_eq!(found, IpAddr::from([192, 0, 2, 7]));
    }

    #[tokio::test]
    async fn many_who_ask_for_one_name_cost_one_look_up() {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let names = Names::with(|_| {
            ASKED.fetch_add(1, Ordering::SeqCst);
            Ok(vec!["2001:db8::1".parse().expect("v6"), IpAddr::from([192, 0, 2, 1])])
        });
        let name: Arc<str> = "db01".into();
        let all = futures_util::future::join_all((0..50).map(|_| names.resolve(&name, SECOND))).await;
        assert!(all.into_iter().all(|found| found.is_ok_and(|a| a == IpAddr::from([192, 0, 2, 1]))));
        assert_eq!(ASKED.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn names_of_others_are_looked_up_and_not_remembered() {
        let names = Names::with(|_| Ok(vec![IpAddr::from([192, 0, 2, 1])]));
        for number in 0..20 {
            let name: Arc<str> = format!("made-up-{number}").into();
            assert!(names.resolve_once(&name, SECOND).await.is_ok());
        }
        assert!(names.shared.lock().is_empty());
    }

    #[tokio::test]
    async fn the_last_address_is_used_when_the_resolver_dies() {
        static ALIVE: AtomicUsize = AtomicUsize::new(1);
        let names = Names::with(|_| match ALIVE.load(Ordering::SeqCst) {
            1 => Ok(vec![IpAddr::from([192, 0, 2, 1])]),
            _ => Err(std::io::Error::other("server failure")),
        });
        let name: Arc<str> = "db01".into();
        names.resolve(&name, SECOND).await.expect("resolves");
        ALIVE.store(0, Ordering::SeqCst);
        for entry in names.shared.lock().values_mut() {
            entry.last = entry.last.map(|(address, at)| (address, at.checked_sub(2 * FRESH).expect("up for minutes")));
        }
        assert_eq!(names.resolve(&name, SECOND).await.expect("the old one"), IpAddr::from([192, 0, 2, 1]));
        let error = names.resolve(&"web1".into(), SECOND).await.expect_err("never known");
        assert_eq!(error.to_string(), "dns: web1: server failure");
    }

    #[tokio::test]
    async fn a_slow_resolver_costs_the_deadline_and_few_threads() {
        static RUNNING: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let names = Names::with(|_| {
            MOST.fetch_max(RUNNING.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(100));
            RUNNING.fetch_sub(1, Ordering::SeqCst);
            Ok(Vec::new())
        });
        let asked: Vec<Arc<str>> = (0..40).map(|n| format!("host{n}").into()).collect();
        let all = asked.iter().map(|name| names.resolve(name, Duration::from_millis(20)));
        for found in futures_util::future::join_all(all).await {
            assert!(matches!(found, Err(ResolveError::TimedOut { .. })), "{found:?}");
        }
        let drained = names.shared.threads.clone().acquire_many_owned(u32::try_from(AT_ONCE).expect("small"));
        drop(tokio::time::timeout(10 * SECOND, drained).await.expect("the threads end").expect("open"));
        assert!(MOST.load(Ordering::SeqCst) <= AT_ONCE);
    }
}
