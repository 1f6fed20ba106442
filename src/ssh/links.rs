//! Connections that are kept, for whoever asks hosts again and again: one a host, and one a jump host for all that is behind
//! it. Nobody is there to be asked: what needs a human is said and not tried again before somebody says so, and nobody is
//! logged in to faster than [`Pace`] allows, whatever goes wrong, so that no guard of log-ins takes us for an attacker.
//!
//! ```text
//! none ──log in──> open ──lost──> none          a log-in at most every 30 s; twice as long, up to 15 min, where
//!   │                                            connections do not last 5 min
//!   ├─ not reached ──> none, again after 10 s
//!   ├─ no session ───> none, again after 30 s … 15 min
//!   ├─ host key ─────> none, again after 5 min (nothing was sent) or when told
//!   └─ not let in ───> none, again after 5 min; the second time: when told
//! ```

mod turns;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::attendant::Attendant;
use super::config::{HostSettings, SshConfig, Surroundings};
use super::connect::{self, Connection, WATCHING};
use super::error::SshError;
use super::jump;
use super::known_hosts::{KnownHosts, KnownHostsError};
use super::once::{Bounds, End, Ran};
use super::target::Target;
use crate::base::text::clean;
use crate::base::units;
use crate::net::resolve::Names;
use turns::{AT_ONCE, Turns};

/// The ssh_config is read anew for a connection that is made later than this after the last reading.
const CONFIG_AGE: Duration = Duration::from_secs(10);
/// How long a command that hangs may keep us from knowing whether its connection is dead.
const PING: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_secs(10);
const LOGIN_EVERY: Duration = Duration::from_secs(30);
const LOGIN_SELDOM: Duration = Duration::from_secs(15 * 60);
/// A connection that lasted so long was no mistake.
const LASTED: Duration = Duration::from_secs(5 * 60);
const HUMAN: Duration = Duration::from_secs(5 * 60);

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nothing answers there, or the line was lost.
    Unreachable,
    /// Its name has no address: where it is cannot be told.
    NoName,
    /// What answers makes no session.
    NoSession,
    /// Its key is not the one that is known.
    HostKey,
    /// It was logged in to a moment ago, or others are: the next time is not yet.
    Pace,
    /// A human is needed: a key to be accepted or unlocked, a password, a proxy command.
    Human,
}

impl Obstacle {
    /// It costs nobody anything to try again soon.
    fn passes_soon(self) -> bool {
        matches!(self, Self::Unreachable | Self::NoName)
    }
}

/// Why a host could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct LinkError {
    pub obstacle: Obstacle,
    /// Clean.
    pub words: String,
}

/// All connections that are kept.
#[derive(Debug)]
pub struct Links {
    surroundings: Surroundings,
    config: Mutex<Option<(Instant, Arc<SshConfig>)>>,
    known: Mutex<HashMap<Vec<PathBuf>, Read>>,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    turns: Turns,
}

/// Host keys that were read, and what the files looked like then.
type Read = (Vec<Stamp>, Arc<KnownHosts>);

/// By what a changed file is known.
type Stamp = Option<(SystemTime, u64)>;

/// The one connection with one host by one way.
#[derive(Debug)]
struct Slot {
    /// Whoever holds it may connect; the others wait and share what comes of it.
    turn: Semaphore,
    open: Mutex<Weak<Connection>>,
    pace: Mutex<Pace>,
}

/// When the next log-in may be tried.
#[derive(Debug, Default)]
struct Pace {
    not_before: Option<Instant>,
    /// Nothing more is tried before somebody says so.
    given_up: bool,
    refusals: u8,
    wait: Duration,
    opened: Option<Instant>,
    /// Why the last connection was given up, where that was said.
    lost: Option<String>,
    last: Option<LinkError>,
}

impl Pace {
    /// `Err` with what stands in the way, and until when.
    fn allows(&self, now: Instant) -> Result<(), LinkError> {
        let Some(last) = &self.last else {
            return match self.not_before.filter(|at| *at > now) {
                Some(at) => {
                    let lost = self.lost.as_deref().unwrap_or("the connection was lost");
                    let words = format!("{lost}; the next log-in is in {}", units::age(at - now));
                    Err(LinkError { obstacle: Obstacle::Pace, words })
                }
                None => Ok(()),
            };
        };
        if self.given_up {
            let words = format!("{}; not tried again before you say so (R)", last.words);
            return Err(LinkError { words, ..last.clone() });
        }
        match self.not_before.filter(|at| *at > now) {
            Some(at) if last.obstacle.passes_soon() && at - now <= AGAIN => Err(last.clone()),
            Some(at) => {
                let words = format!("{}; tried again in {}", last.words, units::age(at - now));
                Err(LinkError { words, ..last.clone() })
            }
            None => Ok(()),
        }
    }

    fn opened(&mut self, now: Instant) {
        let lasted = self.opened.is_none_or(|before| now - before > LASTED);
        self.wait = if lasted { LOGIN_EVERY } else { (self.wait * 2).clamp(LOGIN_EVERY, LOGIN_SELDOM) };
        self.opened = Some(now);
        self.not_before = Some(now + self.wait);
        (self.last, self.lost, self.refusals, self.given_up) = (None, None, 0, false);
    }

    fn failed(&mut self, now: Instant, error: &LinkError) {
        let wait = match error.obstacle {
            Obstacle::Unreachable | Obstacle::NoName | Obstacle::Pace => AGAIN,
            Obstacle::NoSession => {
                self.wait = (self.wait * 2).clamp(LOGIN_EVERY, LOGIN_SELDOM);
                self.wait
            }
            Obstacle::HostKey => HUMAN,
            Obstacle::Human => {
                self.refusals = self.refusals.saturating_add(1);
                self.given_up = self.refusals > 1;
                HUMAN
            }
        };
        self.not_before = Some(now + wait);
        self.last = Some(error.clone());
    }
}

impl Slot {
    fn new() -> Self {
        Self { turn: Semaphore::new(1), open: Mutex::default(), pace: Mutex::default() }
    }

    fn connection(&self) -> Option<Arc<Connection>> {
        lock(&self.open).upgrade().filter(|connection| !connection.is_lost())
    }

    /// The connection that is there, or a new one; waits so long for its turn among all log-ins.
    async fn connect(
        &self,
        settings: &Arc<HostSettings>,
        via: Option<Arc<Connection>>,
        links: &Links,
        names: &Names,
        patience: Duration,
    ) -> Result<Arc<Connection>, LinkError> {
        let Ok(_turn) = self.turn.acquire().await else {
            return Err(LinkError { obstacle: Obstacle::NoSession, words: "the program ends".to_owned() });
        };
        if let Some(connection) = self.connection() {
            return Ok(connection);
        }
        lock(&self.pace).allows(Instant::now())?;
        let log_in = Box::pin(async {
            // Whoever is cancelled on the way has tried all the same.
            lock(&self.pace).not_before = Some(Instant::now() + LOGIN_EVERY);
            let known = links.known_hosts(settings);
            let known = known.map_err(|source| SshError::KnownHosts { hop: jump::label(settings), source })?;
            let nobody = Attendant::headless();
            // Before a look is given up it is said which address did not answer.
            Connection::hop(settings.clone(), via, known, WATCHING.within(patience), names, &nobody).await
        });
        let Some(opened) = links.turns.turn(patience, log_in).await else {
            let words = format!("{AT_ONCE} other log-ins are under way; its turn comes with a later look");
            return Err(LinkError { obstacle: Obstacle::Pace, words });
        };
        let mut pace = lock(&self.pace);
        match opened {
            Ok(connection) => {
                let connection = Arc::new(connection);
                *lock(&self.open) = Arc::downgrade(&connection);
                pace.opened(Instant::now());
                Ok(connection)
            }
            Err(error) => {
                let error = LinkError { obstacle: obstacle(&error), words: error.to_string() };
                pace.failed(Instant::now(), &error);
                Err(error)
            }
        }
    }

    /// Whoever was connecting ran out of time.
    fn gave_up(&self, error: &LinkError) {
        let mut pace = lock(&self.pace);
        if pace.last.is_none() {
            pace.failed(Instant::now(), error);
        }
    }
}

fn obstacle(error: &SshError) -> Obstacle {
    match error {
        SshError::Resolve { .. } => Obstacle::NoName,
        SshError::Connect { .. } | SshError::Forward { .. } => Obstacle::Unreachable,
        SshError::TimedOut { .. } | SshError::Handshake { .. } | SshError::Channel { .. } => Obstacle::NoSession,
        SshError::HostKeyChanged { .. }
        | SshError::HostKeyRevoked { .. }
        | SshError::HostKeyUnknown { .. }
        | SshError::HostKeyDeclined { .. }
        | SshError::KnownHosts { .. } => Obstacle::HostKey,
        SshError::BadTarget(_)
        | SshError::JumpLoop { .. }
        | SshError::ProxyCommand { .. }
        | SshError::Refused { .. }
        | SshError::Cancelled { .. } => Obstacle::Human,
    }
}

impl Links {
    pub fn new(surroundings: Surroundings) -> Arc<Self> {
        Arc::new(Self {
            surroundings,
            config: Mutex::default(),
            known: Mutex::default(),
            slots: Mutex::default(),
            turns: Turns::default(),
        })
    }

    /// A way to one host; connects when it is first asked for. `target` is what `ssh` would be given; `named` is taken instead
    /// where ssh_config has it.
    pub fn link(self: &Arc<Self>, target: &str, named: Option<&str>) -> Link {
        Link {
            links: self.clone(),
            target: target.to_owned(),
            named: named.map(str::to_owned),
            open: Mutex::default(),
            way: Mutex::default(),
        }
    }

    /// The ssh_config, not older than [`CONFIG_AGE`].
    async fn config(&self) -> Result<Arc<SshConfig>, LinkError> {
        if let Some((at, config)) = &*lock(&self.config)
            && at.elapsed() < CONFIG_AGE
        {
            return Ok(config.clone());
        }
        let surroundings = self.surroundings.clone();
        // The home may be slow.
        let read = tokio::task::spawn_blocking(move || SshConfig::load(surroundings)).await;
        let unreadable = |_| human("the ssh configuration cannot be read".to_owned());
        let config = Arc::new(read.map_err(unreadable)?);
        *lock(&self.config) = Some((Instant::now(), config.clone()));
        Ok(config)
    }

    /// The host keys that are believed there, read again where a file changed.
    fn known_hosts(&self, settings: &HostSettings) -> Result<Arc<KnownHosts>, KnownHostsError> {
        let files: Vec<PathBuf> =
            settings.user_known_hosts.iter().chain(&settings.global_known_hosts).cloned().collect();
        let stamp = |file: &PathBuf| std::fs::metadata(file).ok().and_then(|m| Some((m.modified().ok()?, m.len())));
        let stamps: Vec<Stamp> = files.iter().map(stamp).collect();
        if let Some((read, known)) = lock(&self.known).get(&files)
            && *read == stamps
        {
            return Ok(known.clone());
        }
        let known = Arc::new(connect::known_hosts(settings).map_err(|(_, error)| error)?);
        lock(&self.known).insert(files, (stamps, known.clone()));
        Ok(known)
    }

    fn slot(&self, way: &str) -> Arc<Slot> {
        lock(&self.slots).entry(way.to_owned()).or_insert_with(|| Arc::new(Slot::new())).clone()
    }
}

/// One host, as one check asks it.
#[derive(Debug)]
pub struct Link {
    links: Arc<Links>,
    target: String,
    named: Option<String>,
    /// What keeps the connection open between two questions.
    open: Mutex<Option<Arc<Connection>>>,
    /// The slots of the hops that were last gone through.
    way: Mutex<Vec<Arc<Slot>>>,
}

impl Link {
    /// Runs a command over the connection that is kept, or over a new one, whose address is found by `names`.
    ///
    /// # Errors
    /// There is no connection, and why; or it was lost with the command.
    pub async fn once(&self, command: &str, input: Vec<u8>, bounds: Bounds, names: &Names) -> Result<Ran, LinkError> {
        let begun = Instant::now();
        // What was kept may have been lost while nobody looked: then a new one is made, once.
        for is_last in [false, true] {
            let left = bounds.time.saturating_sub(begun.elapsed());
            let connection = self.connection(left, names).await?;
            let left = bounds.time.saturating_sub(begun.elapsed()).max(Duration::from_millis(100));
            let ran = connection.once(command, input.clone(), Bounds { time: left, ..bounds }).await;
            let lost = match ran {
                Ok(Ran { end: End::Lost(words), .. }) => words,
                Ok(ran) => {
                    if ran.end == End::TimedOut && !connection.answers(PING.min(bounds.time / 4)).await {
                        let words = format!("{}: no answer any more", connection.hop);
                        self.forget(Some(&words));
                        return Err(unreachable(words));
                    }
                    return Ok(ran);
                }
                Err(error) if !connection.is_lost() => {
                    // The server lives and gives no channel: a new connection would have none either.
                    return Err(LinkError { obstacle: obstacle(&error), words: error.to_string() });
                }
                Err(error) => error.to_string(),
            };
            self.forget(Some(&lost));
            if is_last {
                return Err(unreachable(lost));
            }
        }
        Err(unreachable("connection lost".to_owned()))
    }

    /// Somebody asks for another try: what was given up is tried again.
    pub fn told(&self) {
        for slot in &*lock(&self.way) {
            let mut pace = lock(&slot.pace);
            *pace = Pace { wait: pace.wait, opened: pace.opened, ..Pace::default() };
        }
    }

    /// Lets go of the connection; the next look says why, where it may not log in yet.
    fn forget(&self, why: Option<&str>) {
        lock(&self.open).take();
        if let (Some(why), Some(slot)) = (why, lock(&self.way).last()) {
            lock(&slot.pace).lost = Some(why.to_owned());
        }
    }

    async fn connection(&self, within: Duration, names: &Names) -> Result<Arc<Connection>, LinkError> {
        if let Some(open) = &*lock(&self.open)
            && !open.is_lost()
        {
            return Ok(open.clone());
        }
        let ended = lock(&self.open).as_ref().and_then(|open| open.ending());
        self.forget(ended.as_deref());
        let Ok(made) = tokio::time::timeout(within, self.make(names, within.mul_f32(0.75))).await else {
            let words = format!("{}: no session within {:.0} s", clean(&self.target), within.as_secs_f32());
            let error = LinkError { obstacle: Obstacle::NoSession, words };
            if let Some(slot) = lock(&self.way).last() {
                slot.gave_up(&error);
            }
            return Err(error);
        };
        let made = made?;
        *lock(&self.open) = Some(made.clone());
        Ok(made)
    }

    async fn make(&self, names: &Names, patience: Duration) -> Result<Arc<Connection>, LinkError> {
        let config = self.links.config().await?;
        let is_named = |name: &str| config.hosts().iter().any(|host| host.alias == name);
        let target = self.named.as_deref().filter(|name| is_named(name)).unwrap_or(&self.target);
        let target =
            Target::parse(target).ok_or_else(|| human(format!("{} is no host name to connect to", clean(target))))?;
        let chain = jump::chain(&config, &target).map_err(|error| human(error.to_string()))?;
        let mut name = String::new();
        let mut reached: Option<Arc<Connection>> = None;
        lock(&self.way).clear();
        for settings in chain {
            name.push_str(&format!("{}@{}:{} ", settings.user, settings.host_name, settings.port));
            let slot = self.links.slot(&name);
            lock(&self.way).push(slot.clone());
            reached = Some(slot.connect(&Arc::new(settings), reached, &self.links, names, patience).await?);
        }
        reached.ok_or_else(|| human(format!("{} is no host name to connect to", clean(&self.target))))
    }
}

fn human(words: String) -> LinkError {
    LinkError { obstacle: Obstacle::Human, words }
}

fn unreachable(words: String) -> LinkError {
    LinkError { obstacle: Obstacle::Unreachable, words }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(obstacle: Obstacle) -> LinkError {
        LinkError { obstacle, words: "web: no".to_owned() }
    }

    #[test]
    fn who_is_not_let_in_tries_once_more_and_then_waits_for_a_word() {
        let mut pace = Pace::default();
        let begun = Instant::now();
        assert_eq!(pace.allows(begun), Ok(()));
        pace.failed(begun, &error(Obstacle::Human));
        let soon = begun + Duration::from_secs(60);
        assert!(pace.allows(soon).expect_err("too soon").words.ends_with("; tried again in 4m"));
        let later = begun + HUMAN;
        assert_eq!(pace.allows(later), Ok(()));
        pace.failed(later, &error(Obstacle::Human));
        let much_later = later + Duration::from_secs(1_000_000);
        assert!(pace.allows(much_later).expect_err("given up").words.ends_with("before you say so (R)"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_in_that_gets_no_turn_is_put_off_and_counts_as_no_try() {
        let home = tempfile::tempdir().expect("a folder");
        let config = Some(home.path().join("none"));
        let links = Links::new(Surroundings { config, ..Surroundings::with_home(home.path()) });
        let others = links.turns.take_all();
        let link = links.link("nobody@127.0.0.1:1", None);
        let bounds = Bounds { time: Duration::from_secs(20), output: 1 };
        let (names, input) = (Names::default(), Vec::new());
        let error = link.once("true", input.clone(), bounds, &names).await.expect_err("no turn");
        assert_eq!(error.obstacle, Obstacle::Pace, "{error}");
        assert!(error.words.starts_with("64 other log-ins are under way"), "{error}");
        drop(others);
        let error = link.once("true", input, bounds, &names).await.expect_err("nobody listens");
        assert_eq!(error.obstacle, Obstacle::Unreachable, "{error}");
    }

    #[test]
    fn connections_that_do_not_last_are_made_ever_more_seldom() {
        let mut pace = Pace::default();
        let mut now = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..8 {
            pace.opened(now);
            let error = pace.allows(now + Duration::from_secs(1)).expect_err("it was a log-in");
            assert!(error.words.contains("the next log-in"), "{error}");
            waits.push(pace.wait.as_secs());
            now += pace.wait.min(LASTED);
            assert!(pace.wait > LASTED || pace.allows(now).is_ok());
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900, 900]);
        pace.opened(now + LASTED + LASTED);
        assert_eq!(pace.wait, LOGIN_EVERY, "the one before lasted");
    }

    #[test]
    fn why_a_connection_was_lost_is_said_until_the_next_one() {
        let mut pace = Pace::default();
        let begun = Instant::now();
        pace.opened(begun);
        pace.lost = Some("web: no answer any more".to_owned());
        let error = pace.allows(begun + Duration::from_secs(18)).expect_err("it was a log-in");
        assert_eq!(error.words, "web: no answer any more; the next log-in is in 12s");
        pace.opened(begun + LOGIN_EVERY);
        let error = pace.allows(begun + LOGIN_EVERY).expect_err("it was a log-in");
        assert!(error.words.starts_with("the connection was lost; "), "{error}");
    }

    #[test]
    fn a_host_that_is_not_there_is_tried_each_time_and_nobody_stands_in_line_for_it() {
        let mut pace = Pace::default();
        let now = Instant::now();
        for _ in 0..20 {
            pace.failed(now, &error(Obstacle::Unreachable));
        }
        assert_eq!(pace.allows(now + Duration::from_secs(5)), Err(error(Obstacle::Unreachable)));
        assert_eq!(pace.allows(now + AGAIN), Ok(()));
    }
}
