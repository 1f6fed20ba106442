//! Names to addresses for probes: the system's resolver in blocking threads, few at a time, with a deadline, a short
//! memory, and the last known address where resolution fails now, which an earlier run may have found. One name is looked
//! up once however many ask.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

mod health;

use health::{Answer, Health};

pub use crate::proto::icmp::Family;

/// How long an answer is used without asking again.
const FRESH: Duration = Duration::from_secs(60);
/// A dead resolver keeps each look-up's thread for many seconds; all others share the rest of the pool.
const AT_ONCE: usize = 16;
/// What `getaddrinfo` calls the answer that there is no such name, and that it has no address: of glibc, of musl. All else
/// means that there is no answer.
const NO_SUCH_NAME: [&str; 4] = [
    "Name or service not known",
    "No address associated with hostname",
    "Name does not resolve",
    "Name has no usable address",
];
/// How long somebody who could go on with an old address waits for a new one.
const PATIENCE: Duration = Duration::from_millis(500);
/// Of one name.
const MOST_ADDRESSES: usize = 8;

#[derive(Clone, Debug, thiserror::Error)]
pub enum ResolveError {
    #[error("name not resolved: {name}: {reason}")]
    Failed { name: Arc<str>, reason: Arc<str> },
    /// The resolver says that there is no such name, or no address of it.
    #[error("name not resolved: {name}: {reason}")]
    NoSuchName { name: Arc<str>, reason: Arc<str> },
    #[error("name not resolved: {name}: no answer within {:.1} s", .within.as_secs_f32())]
    TimedOut { name: Arc<str>, within: Duration },
}

impl ResolveError {
    /// The same without the name.
    pub fn reason(&self) -> String {
        match self {
            Self::Failed { reason, .. } | Self::NoSuchName { reason, .. } => reason.to_string(),
            Self::TimedOut { within, .. } => format!("no answer within {:.1} s", within.as_secs_f32()),
        }
    }
}

type Found = Result<Addresses, ResolveError>;
type LookUp = fn(&str) -> std::io::Result<Vec<IpAddr>>;

/// What a name has, in the order in which it is tried: one of each family in turn (RFC 8305, 4), IPv4 first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Addresses(Arc<[IpAddr]>);

impl Addresses {
    fn of(all: &[IpAddr]) -> Self {
        let mut of_each: [Vec<IpAddr>; 2] = Default::default();
        for address in all {
            let family = &mut of_each[usize::from(address.is_ipv6())];
            if !family.contains(address) {
                family.push(*address);
            }
        }
        let in_turn = (0..all.len()).flat_map(|turn| of_each.iter().filter_map(move |family| family.get(turn)));
        Self(in_turn.take(MOST_ADDRESSES).copied().collect())
    }

    /// The one that is tried first of the family that is asked for.
    fn pick(&self, family: Option<Family>) -> Option<IpAddr> {
        self.of_family(family).next()
    }

    fn of_family(&self, family: Option<Family>) -> impl Iterator<Item = IpAddr> {
        let is_wanted = move |address: &IpAddr| family.is_none_or(|family| family == Family::of(*address));
        self.0.iter().copied().filter(is_wanted)
    }

    /// Those of the family that is asked for, at least one.
    fn all_of(&self, name: &Arc<str>, family: Option<Family>) -> Result<Vec<IpAddr>, ResolveError> {
        let all: Vec<IpAddr> = self.of_family(family).collect();
        if !all.is_empty() {
            return Ok(all);
        }
        Err(match family {
            None => ResolveError::Failed { name: name.clone(), reason: "no address".into() },
            Some(family) => {
                let reason = format!("it has no {} address", family.name()).into();
                ResolveError::NoSuchName { name: name.clone(), reason }
            }
        })
    }
}

/// Whoever clones it shares what it knows.
#[derive(Clone, Debug)]
pub struct Names {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    known: Mutex<HashMap<Arc<str>, Entry>>,
    /// Addresses that are new or other than before, for whoever keeps them.
    found: Mutex<HashMap<Arc<str>, IpAddr>>,
    threads: Arc<Semaphore>,
    look_up: LookUp,
    health: Mutex<Health>,
    /// What is said of it, while it is silent.
    silence: Mutex<Option<Arc<str>>>,
}

#[derive(Debug, Default)]
struct Entry {
    /// Without a time where an earlier run found it: that is old in any case.
    last: Option<(Addresses, Option<Instant>)>,
    /// That the last address is used, since there is no other, was written down.
    said: bool,
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
        let (known, found) = (Mutex::default(), Mutex::default());
        let (health, silence) = (Mutex::default(), Mutex::default());
        let threads = Arc::new(Semaphore::new(AT_ONCE));
        Self { shared: Arc::new(Shared { known, found, threads, look_up, health, silence }) }
    }

    /// The address of a name; an IP address is its own. IPv4 is preferred where both are there and no family is asked for. A
    /// dead resolver does not make everything unknown: where a name had an address before, that one is used.
    ///
    /// # Errors
    /// The name does not resolve in time and never did, or has no address of that family.
    pub async fn resolve(
        &self,
        name: &Arc<str>,
        family: Option<Family>,
        timeout: Duration,
    ) -> Result<IpAddr, ResolveError> {
        first(self.addresses(name, family, timeout).await, name)
    }

    /// All that may be tried, in that order: where no family is asked for, one of each in turn.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub async fn addresses(
        &self,
        name: &Arc<str>,
        family: Option<Family>,
        timeout: Duration,
    ) -> Result<Vec<IpAddr>, ResolveError> {
        if let Ok(address) = name.parse() {
            return Ok(vec![address]);
        }
        let (last, mut running) = {
            let mut known = self.shared.lock();
            let entry = known.entry(name.clone()).or_default();
            if let Some((addresses, at)) = &entry.last
                && at.is_some_and(|at| at.elapsed() < FRESH)
            {
                return addresses.all_of(name, family);
            }
            let running = entry.running.get_or_insert_with(|| self.shared.clone().start(name.clone())).clone();
            (entry.last.as_ref().and_then(|(addresses, _)| addresses.pick(family)), running)
        };
        self.shared.lock_health().begun(name);
        let within = if last.is_some() { timeout.min(PATIENCE) } else { timeout };
        let found = match tokio::time::timeout(within, running.wait_for(Option::is_some)).await {
            Ok(Ok(found)) => found.clone(),
            // Out of time, or the look-up was dropped with the runtime.
            Ok(Err(_)) | Err(_) => None,
        };
        let found = found.unwrap_or_else(|| {
            self.shared.lock_health().ended(name, Answer::None { lost: last.is_none() });
            Err(ResolveError::TimedOut { name: name.clone(), within })
        });
        match found {
            Ok(addresses) => addresses.all_of(name, family),
            // What an earlier run knew may have come meanwhile.
            Err(error) => self.shared.last(name, family, &error).ok_or(error),
        }
    }

    /// Whether the system's resolver answers nothing at all, by the look-ups of every name.
    pub fn is_silent(&self) -> bool {
        self.shared.lock_health().is_silent()
    }

    /// The same in words, with the servers that are asked.
    pub fn silence(&self) -> Option<Arc<str>> {
        let mut words = self.shared.silence.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_silent() {
            *words = None;
        } else if words.is_none() {
            *words = Some(no_answer_of(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default()).into());
        }
        words.clone()
    }

    /// The address that a name had last, for who looked it up by himself in vain.
    pub fn last_known(&self, name: &str) -> Option<IpAddr> {
        self.shared.lock().get(name)?.last.as_ref()?.0.pick(None)
    }

    /// Takes what somebody looked up by himself, for when that fails.
    pub fn learn(&self, name: &str, found: &[IpAddr]) {
        let mut entries = self.shared.lock();
        let entry = entries.entry(name.into()).or_default();
        if entry.last.as_ref().is_none_or(|(_, at)| at.is_none()) {
            entry.last = Some((Addresses::of(found), None));
        }
    }

    /// Takes what an earlier run had found, for names that this one has not looked up yet.
    pub fn recall(&self, known: impl IntoIterator<Item = (Arc<str>, IpAddr)>) {
        let mut entries = self.shared.lock();
        for (name, address) in known {
            entries.entry(name).or_default().last.get_or_insert((Addresses::of(&[address]), None));
        }
    }

    /// Names with an address that is new since this was asked last.
    pub fn take_found(&self) -> Vec<(Arc<str>, IpAddr)> {
        self.shared.lock_found().drain().collect()
    }

    /// Gives back what could not be kept.
    pub fn put_found(&self, found: Vec<(Arc<str>, IpAddr)>) {
        let mut all = self.shared.lock_found();
        for (name, address) in found {
            // A newer one stays.
            all.entry(name).or_insert(address);
        }
    }

    /// The same for a name that somebody else chose (a redirect, an NS record): nothing of it is remembered, or whoever
    /// makes up names could fill the memory.
    ///
    /// # Errors
    /// The name does not resolve in time, or has no address of that family.
    pub async fn resolve_once(
        &self,
        name: &Arc<str>,
        family: Option<Family>,
        timeout: Duration,
    ) -> Result<IpAddr, ResolveError> {
        first(self.addresses_once(name, family, timeout).await, name)
    }

    /// The same with the address of the other family behind it, where it has both and none is asked for.
    ///
    /// # Errors
    /// As [`Self::resolve_once`].
    pub async fn addresses_once(
        &self,
        name: &Arc<str>,
        family: Option<Family>,
        timeout: Duration,
    ) -> Result<Vec<IpAddr>, ResolveError> {
        if let Ok(address) = name.parse() {
            return Ok(vec![address]);
        }
        match tokio::time::timeout(timeout, self.shared.find(name)).await {
            Ok(found) => found?.all_of(name, family),
            Err(_) => Err(ResolveError::TimedOut { name: name.clone(), within: timeout }),
        }
    }
}

fn first(found: Result<Vec<IpAddr>, ResolveError>, name: &Arc<str>) -> Result<IpAddr, ResolveError> {
    let none = || ResolveError::Failed { name: name.clone(), reason: "no address".into() };
    found?.first().copied().ok_or_else(none)
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Entry>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_found(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, IpAddr>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last known address, where there is one; that it is used is said once.
    fn last(&self, name: &Arc<str>, family: Option<Family>, error: &ResolveError) -> Option<Vec<IpAddr>> {
        let mut known = self.lock();
        let entry = known.get_mut(name)?;
        let all: Vec<IpAddr> = entry.last.as_ref()?.0.of_family(family).collect();
        let address = all.first()?;
        if !std::mem::replace(&mut entry.said, true) {
            tracing::warn!(%address, "{error}; its last address is asked");
        }
        Some(all)
    }

    /// Looks up in the background: who gave up waiting finds the answer next time.
    fn start(self: Arc<Self>, name: Arc<str>) -> watch::Receiver<Option<Found>> {
        let (tx, rx) = watch::channel(None);
        tokio::spawn(async move {
            let found = self.find(&name).await;
            let answered = matches!(found, Ok(_) | Err(ResolveError::NoSuchName { .. }));
            let mut lost = true;
            if let Some(entry) = self.lock().get_mut(&name) {
                entry.running = None;
                if let Ok(addresses) = &found {
                    let before = entry.last.replace((addresses.clone(), Some(Instant::now())));
                    entry.said = false;
                    if let Some(address) = addresses.pick(None)
                        && before.is_none_or(|(before, _)| before.pick(None) != Some(address))
                    {
                        self.lock_found().insert(name.clone(), address);
                    }
                }
                lost = entry.last.is_none();
            }
            let answer = if answered { Answer::Given } else { Answer::None { lost } };
            self.lock_health().ended(&name, answer);
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
                if NO_SUCH_NAME.contains(&reason) {
                    return Err(ResolveError::NoSuchName { name: name.clone(), reason: reason.into() });
                }
                return Err(failed(reason.to_owned()));
            }
            Ok(Ok(addresses)) => addresses,
        };
        let found = Addresses::of(&addresses);
        if found.0.is_empty() { Err(failed("no address".to_owned())) } else { Ok(found) }
    }
}

/// The servers that the system's resolver asks, at most three, as it does.
pub fn name_servers(resolv_conf: &str) -> Vec<IpAddr> {
    let mut out: Vec<IpAddr> = Vec::new();
    for line in resolv_conf.lines() {
        let mut words = line.split_whitespace();
        if words.next() == Some("nameserver")
            && let Some(address) = words.next().and_then(|w| w.parse().ok())
            && !out.contains(&address)
        {
            out.push(address);
        }
    }
    out.truncate(3);
    out
}

fn no_answer_of(resolv_conf: &str) -> String {
    let servers: Vec<String> = name_servers(resolv_conf).iter().map(ToString::to_string).collect();
    if servers.is_empty() {
        return "names cannot be resolved: /etc/resolv.conf names no resolver".to_owned();
    }
    format!("names cannot be resolved: no answer of {}", servers.join(", "))
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
        let found = names.resolve(&"192.0.2.7".into(), None, SECOND).await.expect("an address");
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
        let all = futures_util::future::join_all((0..50).map(|_| names.resolve(&name, None, SECOND))).await;
        assert!(all.into_iter().all(|found| found.is_ok_and(|a| a == IpAddr::from([192, 0, 2, 1]))));
        assert_eq!(ASKED.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn the_family_that_is_asked_for_is_given_or_missed_by_name() {
        let names = Names::with(|name| {
            let (four, six) = (IpAddr::from([192, 0, 2, 1]), "2001:db8::1".parse().expect("v6"));
            Ok(match name {
                "four" => vec![four],
                "six" => vec![six],
                _ => vec![six, four],
            })
        });
        let told = async |name: &str, family| match names.resolve(&name.into(), family, SECOND).await {
            Ok(address) => address.to_string(),
            Err(error) => error.to_string(),
        };
        for _ in ["looked up", "remembered"] {
            assert_eq!(told("both", None).await, "192.0.2.1");
            assert_eq!(told("both", Some(Family::V4)).await, "192.0.2.1");
            assert_eq!(told("both", Some(Family::V6)).await, "2001:db8::1");
            assert_eq!(told("six", None).await, "2001:db8::1");
            assert_eq!(told("four", Some(Family::V6)).await, "name not resolved: four: it has no IPv6 address");
            assert_eq!(told("six", Some(Family::V4)).await, "name not resolved: six: it has no IPv4 address");
        }
        assert!(!names.is_silent(), "it has answered");
        let once = names.resolve_once(&"four".into(), Some(Family::V6), SECOND).await;
        assert!(matches!(once, Err(ResolveError::NoSuchName { .. })), "{once:?}");
    }

    #[tokio::test]
    async fn all_addresses_are_tried_once_each_one_of_each_family_in_turn() {
        let names = Names::with(|name| {
            let all = ["2001:db8::1", "192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3", "2001:db8::2"];
            let many = (0..20).map(|last| IpAddr::from([192, 0, 2, last]));
            Ok(if name == "many" { many.collect() } else { all.map(|one| one.parse().expect("an address")).into() })
        });
        let told = async |name: &str, family| {
            let all = names.addresses(&name.into(), family, SECOND).await.expect("it has some");
            all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told("all", None).await, "192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2 192.0.2.3");
        assert_eq!(told("all", Some(Family::V4)).await, "192.0.2.1 192.0.2.2 192.0.2.3");
        assert_eq!(told("all", Some(Family::V6)).await, "2001:db8::1 2001:db8::2");
        assert_eq!(told("many", None).await.split(' ').count(), MOST_ADDRESSES);
    }

    #[tokio::test]
    async fn names_of_others_are_looked_up_and_not_remembered() {
        let names = Names::with(|_| Ok(vec![IpAddr::from([192, 0, 2, 1])]));
        for number in 0..20 {
            let name: Arc<str> = format!("made-up-{number}").into();
            assert!(names.resolve_once(&name, None, SECOND).await.is_ok());
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
        names.resolve(&name, None, SECOND).await.expect("resolves");
        ALIVE.store(0, Ordering::SeqCst);
        for entry in names.shared.lock().values_mut() {
            let before = |at: Instant| at.checked_sub(2 * FRESH).expect("up for minutes");
            entry.last = entry.last.take().map(|(address, at)| (address, at.map(before)));
        }
        assert_eq!(names.resolve(&name, None, SECOND).await.expect("the old one"), IpAddr::from([192, 0, 2, 1]));
        let error = names.resolve(&"web1".into(), None, SECOND).await.expect_err("never known");
        assert_eq!(error.to_string(), "name not resolved: web1: server failure");
    }

    #[tokio::test]
    async fn what_an_earlier_run_found_is_used_until_there_is_better_and_only_what_is_new_is_kept() {
        let dead = Names::with(|_| Err(std::io::Error::other("server failure")));
        let (name, old, new) = (Arc::from("db01"), IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        dead.recall([(Arc::clone(&name), old)]);
        assert_eq!(dead.resolve(&name, None, SECOND).await.expect("the old one"), old);
        assert_eq!(dead.take_found(), []);
        let well = Names::with(|_| Ok(vec![IpAddr::from([192, 0, 2, 2])]));
        well.recall([(name.clone(), old)]);
        assert_eq!(well.resolve(&name, None, SECOND).await.expect("the new one"), new, "what is old is looked up");
        well.recall([(name.clone(), old)]);
        assert_eq!(well.resolve(&name, None, SECOND).await.expect("it is fresh"), new);
        let found = well.take_found();
        assert_eq!(found, [(name.clone(), new)]);
        well.put_found(found);
        assert_eq!((well.take_found().len(), well.take_found().len()), (1, 0));
    }

    #[tokio::test]
    async fn a_resolver_is_silent_where_two_names_get_no_answer_and_none_does() {
        fn refuses(name: &str) -> std::io::Result<Vec<IpAddr>> {
            let words = if name.starts_with("no-") { NO_SUCH_NAME[0] } else { "Temporary failure in name resolution" };
            Err(std::io::Error::other(format!("failed to lookup address information: {words}")))
        }
        let names = Names::with(refuses);
        for (name, silent) in [("a", false), ("b", true)] {
            names.resolve(&name.into(), None, SECOND).await.expect_err("no answer");
            assert_eq!(names.is_silent(), silent, "{name}");
        }
        let names = Names::with(refuses);
        for name in ["no-a", "no-b", "no-c"] {
            let error = names.resolve(&name.into(), None, SECOND).await.expect_err("no such name");
            assert!(matches!(error, ResolveError::NoSuchName { .. }), "{error:?}");
            assert!(!names.is_silent(), "{name}");
        }
        // Nobody waits as long as it takes.
        let names = Names::with(|_| {
            std::thread::sleep(Duration::from_millis(200));
            Ok(vec![IpAddr::from([192, 0, 2, 1])])
        });
        let (a, b) = ("a".into(), "b".into());
        let short = Duration::from_millis(5);
        let asked = futures_util::future::join(names.resolve(&a, None, short), names.resolve(&b, None, short)).await;
        assert!(asked.0.is_err() && asked.1.is_err() && names.is_silent());
        let long = 10 * SECOND;
        let asked = futures_util::future::join(names.resolve(&a, None, long), names.resolve(&b, None, long)).await;
        assert!(asked.0.is_ok() && asked.1.is_ok() && !names.is_silent());
    }

    #[test]
    fn what_is_silent_is_named() {
        let words = no_answer_of("nameserver 192.0.2.53\nsearch lab\nnameserver 2001:db8::53\n");
        assert_eq!(words, "names cannot be resolved: no answer of 192.0.2.53, 2001:db8::53");
        assert_eq!(no_answer_of("\n"), "names cannot be resolved: /etc/resolv.conf names no resolver");
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
        let all = asked.iter().map(|name| names.resolve(name, None, Duration::from_millis(20)));
        for found in futures_util::future::join_all(all).await {
            assert!(matches!(found, Err(ResolveError::TimedOut { .. })), "{found:?}");
        }
        let drained = names.shared.threads.clone().acquire_many_owned(u32::try_from(AT_ONCE).expect("small"));
        drop(tokio::time::timeout(10 * SECOND, drained).await.expect("the threads end").expect("open"));
        assert!(MOST.load(Ordering::SeqCst) <= AT_ONCE);
    }
}
