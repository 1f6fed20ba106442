//! The engine's one loop: it owns the state, takes in what happened, starts what is due, and publishes. Nothing in
//! it waits for a probe, a disk or a terminal; whatever takes time runs in a supervised task and reports back.

mod commands;
mod comparing;
mod ending;
mod keeping;
mod pausing;
mod watching;

use std::collections::{HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use rustc_hash::FxHashSet;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use self::ending::Broken;
use super::asker::{answer, say};
use super::echoes::Echoes;
use super::host_watch::HostWatches;
use super::notify::{Delivered, Notify};
use super::packages::{Came, Packages};
use super::pause::Halt;
use super::plan::Plan;
use super::records::{Left, Records, Saved};
use super::reminders::Standing;
use super::schedule::{Schedule, Turn};
use super::sessions::Sessions;
use super::supervise;
use super::traps::Traps;
use super::uplink::Uplink;
use super::wall_clock::WallClock;
use super::watch::Watch;
use crate::base::{Alarm, Clock, Timestamp, Untrusted, allow_descriptors};
use crate::bus::{self, Asker, EngineEnd, MessageWeight, Notice, Ticket, Visit, Visitors};
use crate::journal::Draft;
use crate::model::{AssetId, CheckKey, Condition, Deed, Logged, Observation, Outcome, Policy, Subject, Target};
use crate::net::Net;
use crate::ssh::Surroundings;
use crate::state::{Effect, Event, Mode, News, State};

/// Results that may wait for the loop; pollers wait when it is full, the screen never does.
const RESULTS: usize = 4_096;
/// Results taken in before anything else gets a turn.
const BATCH: usize = 2_048;
/// Snapshots are published at most this often.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);
/// And this often while nobody takes them up.
const PUBLISH_UNSEEN: Duration = Duration::from_secs(1);
/// How soon what happened is kept for the log of the next run: so much of it is lost where this one is killed.
const LOG_EVERY: Duration = Duration::from_secs(2);
/// What has become due, and what has come back, is taken up together this often: thousands of checks a second cost some wake-ups
/// a second, and no check is late for it.
const GATHER: Duration = Duration::from_millis(25);
/// What is shown from an earlier life stays at most this long while the inventory and the store are read.
const PICTURE: Duration = Duration::from_secs(3);
/// The longest sleep: steady time goes on through a suspend, the runtime's timers do not.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// What the engine is started with.
#[derive(Debug)]
pub struct Setup {
    pub clock: Clock,
    pub net: Arc<Net>,
    pub mode: Mode,
    pub policy: Policy,
    pub end: EngineEnd,
    /// Whole plans, each replacing the one before: a configuration, or discovery in stages.
    pub plans: mpsc::Receiver<Plan>,
    /// Events from whoever works for the engine: records, sessions, discovery.
    pub events: mpsc::Receiver<Event>,
    /// The other end of `events`, for the sessions.
    pub event_sender: mpsc::Sender<Event>,
    /// Told when the operator wants everything that discovery held back.
    pub discover_all: Option<std::sync::mpsc::Sender<()>>,
    /// Journal and store; `None` for a console that keeps nothing.
    pub records: Option<Records>,
    /// The root of the file system that tells whether this machine has a way out; `None` where nobody looks.
    pub machine: Option<PathBuf>,
    /// Whose home, agent and ssh_config the sessions use.
    pub ssh: Surroundings,
    /// [`Schedule::default`] for each check's own rhythm, or rounds; then the engine ends when they are over.
    pub schedule: Schedule,
    pub stop: CancellationToken,
}

/// What an engine has beside its own console.
#[derive(Debug, Default)]
pub struct Company {
    /// Sessions that began before this engine did.
    pub sessions: Option<Sessions>,
    /// What consoles of other processes ask.
    pub visitors: Option<Visitors>,
    /// What another engine left: told before anything is shown, so that nothing vanishes for a moment.
    pub heritage: Heritage,
}

/// What is known when an engine takes over.
#[derive(Debug, Default)]
pub struct Heritage {
    pub known: Vec<Event>,
    pub plan: Option<Plan>,
    /// What was seen of what the plan watches.
    pub seen: Vec<Event>,
}

/// What an engine did in its life.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    /// Runs of checks that ended.
    pub runs: u64,
    /// Those that got no answer or could not decide: critical or unknown.
    pub failures: u64,
    /// Runs that began later than they should have.
    pub late: u64,
    /// Snapshots published.
    pub snapshots: u64,
    /// How long each of the last rounds took, where it ran in rounds.
    pub rounds: Vec<Duration>,
    /// All of the rounds were run.
    pub complete: bool,
}

/// A picture from an earlier life is on the screen: less than that is not published.
#[derive(Debug)]
struct Held {
    until: Timestamp,
    plan: bool,
    store: bool,
}

/// A result of which a test has its engine panic.
#[cfg(test)]
pub const BREAKS: &str = "what the engine panics of";

/// The result of a run, with the words of a panic if there was one.
type Finished = (Turn, Observation, Option<Arc<str>>);

#[derive(Debug)]
struct Engine {
    clock: Clock,
    net: Arc<Net>,
    mode: Mode,
    state: State,
    schedule: Schedule,
    plan: Plan,
    /// One-off targets: added to every plan for the life of the process.
    extras: Vec<Plan>,
    halt: Halt,
    discover_all: Option<std::sync::mpsc::Sender<()>>,
    tasks: JoinSet<()>,
    echoes: Echoes,
    /// Their results, while they are taken in.
    came: Vec<Finished>,
    results: mpsc::Sender<Finished>,
    records: Option<Records>,
    sessions: Sessions,
    traps: Traps,
    uplink: Option<Uplink>,
    wall_clock: WallClock,
    /// Answers of the journal, on their way to the screen.
    saved: mpsc::Sender<(Asker, Ticket, Saved)>,
    /// Whose state is to be stored.
    to_remember: FxHashSet<CheckKey>,
    assets_to_remember: HashSet<Subject>,
    devices_to_remember: HashSet<AssetId>,
    to_log: Vec<Logged>,
    logged_at: Timestamp,
    notify: Notify,
    /// What the journal is to have and nobody waits for.
    to_write: VecDeque<Draft>,
    remembered_at: Timestamp,
    /// Somebody is to be told of a change: a restart must find it known.
    remember_soon: bool,
    dirty: bool,
    published: Timestamp,
    publish_every: Duration,
    held: Option<Held>,
    /// When checks were last started, and results last taken in.
    started: Timestamp,
    taken: Timestamp,
    ran: Ran,
    watching: Option<Watch>,
    hosts_watched: HostWatches,
    packages: Packages,
    /// Who asked for that, and whose focus it is.
    watcher: u64,
    focuser: u64,
}

impl Engine {
    fn new(
        setup: &mut Setup,
        results: mpsc::Sender<Finished>,
        sessions: Sessions,
        saved: mpsc::Sender<(Asker, Ticket, Saved)>,
        delivered: mpsc::Sender<Delivered>,
        listed: mpsc::Sender<Came>,
    ) -> Self {
        // It wants to know where the records are.
        let answers = setup.mode != Mode::Passive;
        let traps = Traps::new(setup.net.clone(), setup.event_sender.clone(), setup.records.as_ref(), answers);
        let records = setup.records.take();
        let is_shown = !setup.end.snapshots.borrow().hosts.is_empty();
        let until = setup.clock.now().plus(PICTURE);
        let held = is_shown.then(|| Held { until, plan: false, store: records.is_none() });
        Self {
            clock: setup.clock,
            net: setup.net.clone(),
            mode: setup.mode,
            state: State::new(setup.policy.clone()),
            schedule: std::mem::take(&mut setup.schedule),
            plan: Plan::default(),
            extras: Vec::new(),
            halt: Halt::new(records.is_some()),
            discover_all: setup.discover_all.clone(),
            tasks: JoinSet::new(),
            echoes: Echoes::default(),
            came: Vec::new(),
            results,
            records,
            sessions,
            traps,
            uplink: None,
            wall_clock: WallClock::default(),
            saved,
            to_remember: FxHashSet::default(),
            assets_to_remember: HashSet::new(),
            devices_to_remember: HashSet::new(),
            to_log: Vec::new(),
            logged_at: setup.clock.now(),
            notify: Notify::new(delivered),
            to_write: VecDeque::new(),
            remembered_at: setup.clock.now(),
            remember_soon: false,
            dirty: true,
            published: Timestamp::default(),
            publish_every: PUBLISH_EVERY,
            held,
            started: Timestamp::default(),
            taken: Timestamp::default(),
            ran: Ran::default(),
            watching: None,
            hosts_watched: HostWatches::default(),
            packages: Packages::new(listed),
            watcher: 0,
            focuser: 0,
        }
    }

    /// Takes an event in and carries out what follows from it.
    fn take(&mut self, event: Event) {
        self.hear_of_pause(&event);
        let now = self.clock.now();
        if let Event::Restored(states) = &event {
            if let Some(held) = &mut self.held {
                held.store = true;
            }
            for one in states {
                self.schedule.ran_before(&one.check, one.observation.at, now);
            }
        }
        let effects = self.state.reduce(now, event);
        self.dirty = true;
        // Thousands may hang on one that comes back: they are not asked in one moment.
        let asked = effects.iter().filter(|effect| matches!(effect, Effect::Ask(_))).count();
        let spread = Duration::from_millis(asked as u64 / 2);
        for effect in effects {
            match effect {
                Effect::Retry(key) => {
                    self.schedule.retry(&key, now);
                    self.look_out();
                }
                Effect::LookOut => self.look_out(),
                Effect::Ask(key) => self.schedule.ask(&key, now, spread),
                Effect::Pace { asset, pace } => self.schedule.alarm(asset, pace, now),
                Effect::Look(asset) => self.schedule.nudge(&asset, now),
                Effect::Remember(key) => {
                    self.to_remember.insert(key);
                }
                Effect::RememberAsset(subject) => {
                    self.assets_to_remember.insert(subject);
                }
                Effect::RememberDevice(id) => {
                    self.devices_to_remember.insert(id);
                }
                Effect::Log(one) => self.to_log.push(one),
                Effect::Announce { asset, from, to, news } => {
                    tracing::info!(asset = asset.as_str(), ?from, ?to, ?news, "state changed");
                    let target = if self.state.has_host(&asset) { Target::Host(asset) } else { Target::Job(asset) };
                    self.announce(now, &target, (from, to), news);
                }
                Effect::AnnouncePart { target, from, to } => {
                    tracing::info!(target = %target.label().line(), ?from, ?to, "state changed");
                    self.announce(now, &target, (from, to), News::Changed);
                }
                Effect::Release { target, claim, why } => {
                    tracing::info!(target = %target.label().line(), why = why.as_str(), "a claim has ended");
                    let deed = Deed::Released { target, claim: Some(claim), why };
                    let draft = Draft::Deed { deed, author: Untrusted::from("noctty") };
                    self.to_write.push_back(draft);
                }
            }
        }
    }

    fn look_out(&self) {
        if let Some(uplink) = &self.uplink {
            uplink.look_now();
        }
    }

    fn announce(&mut self, now: Timestamp, target: &Target, change: (Condition, Condition), news: News) {
        if self.notify.is_empty() {
            return;
        }
        if let Some(alert) = self.state.alert(target, change, news, self.clock.as_wall(now)) {
            self.remember_soon |= self.notify.take((now, self.clock.wall()), &alert);
        }
    }

    /// What another engine knew.
    fn go_on_from(&mut self, heritage: Heritage) {
        let Heritage { known, plan, seen } = heritage;
        for event in known {
            self.take(event);
        }
        if let Some(plan) = plan {
            self.take_plan(plan);
            for event in seen {
                self.take(event);
            }
        }
    }

    /// Lets go what people are to be told now.
    fn tell_people(&mut self, end: &Asker, visitors: &Visitors) {
        if self.mode == Mode::Passive || self.notify.is_empty() {
            return;
        }
        let now = self.clock.now();
        let times = (now, self.clock.wall());
        if self.notify.look_at_hours(times) {
            self.take(Event::Channels(self.notify.statuses()));
        }
        if self.notify.wake_at().is_none_or(|at| at > now) {
            return;
        }
        let state = &self.state;
        self.notify.remind(times, |target| standing(state, target, times));
        self.notify.leave_out(now, |target| is_over(state, target));
        self.notify.judge_restored(times, |target| state.has(target).then(|| state.stands(target)));
        if self.notify.is_due(now) {
            let falls = state.falls();
            self.notify.explain(now, |target| state.hides(target), |target| state.company(&falls, target));
        }
        for call in self.notify.start_due(now, self.clock.wall(), &self.net) {
            visitors.ring(&call);
            // A console that takes nothing in rings nothing either.
            let _ = end.notices.try_send(Notice::Ring(call));
        }
        self.take(Event::Channels(self.notify.statuses()));
    }

    /// What an earlier run left.
    fn take_left(&mut self, left: Left) {
        self.net.names.recall(left.names);
        self.notify.restore((self.clock.now(), self.clock.wall()), left.outbox);
        self.take(Event::Channels(self.notify.statuses()));
    }

    fn told_people(&mut self, delivered: Delivered, end: &Asker) {
        if let Some(words) = self.notify.ended(self.clock.now(), self.clock.wall(), delivered) {
            say(end, MessageWeight::Error, &words);
        }
        self.take(Event::Channels(self.notify.statuses()));
    }

    fn take_plan(&mut self, plan: Plan) {
        let now = self.clock.now();
        let plan = self.extras.iter().fold(plan, Plan::with);
        if let Some(held) = &mut self.held {
            held.plan = true;
        }
        self.take(Event::Inventory(plan.inventory.clone()));
        let state = &self.state;
        let specs = plan.checks.iter().map(|bound| bound.spec.clone());
        self.schedule.load(specs, now, |key| state.check(key)?.last.as_ref().map(|last| last.at));
        self.renew_host_watches();
        self.traps.take_plan(&plan);
        self.notify.load((now, self.clock.wall()), &plan.channels);
        self.take(Event::Channels(self.notify.statuses()));
        let echoes = plan.checks.iter().any(|bound| &*bound.spec.kind == "icmp");
        allow_descriptors(plan.descriptors());
        self.plan = plan;
        // Said once, with the line that would permit it; nothing is down for it.
        if echoes
            && self.mode == Mode::Polling
            && let Some(why) = self.net.pinger.not_permitted()
        {
            self.take(Event::Remark(why));
        }
    }

    fn take_result(&mut self, (turn, observation, fault): Finished) {
        #[cfg(test)]
        assert!(observation.reading.summary.as_bytes() != BREAKS.as_bytes(), "a list that is too short");
        // The turn ends before the retry is asked for, so that the retry is not overruled.
        let state = &self.state;
        // What it was before: the result that ends that asks for the next by itself.
        let eased = || state.check(&observation.check).is_some_and(|check| check.eased);
        self.schedule.ended(turn, &observation, eased, self.clock.now());
        self.ran.runs += 1;
        if matches!(observation.reading.outcome, Outcome::Critical | Outcome::Unknown) {
            self.ran.failures += 1;
        }
        self.watched(&observation);
        self.take(Event::Observed(observation));
        if let Some(fault) = fault {
            tracing::error!(%fault, "a task panicked");
            self.take(Event::Fault(fault));
        }
    }

    /// Takes in what has come back, of both kinds: neither waits for the other.
    fn take_results(&mut self, now: Timestamp, first: Option<Finished>, finished: &mut mpsc::Receiver<Finished>) {
        self.taken = now;
        let silence = self.net.names.silence();
        if self.state.nameless() != silence.as_ref() {
            if let Some(why) = &silence {
                tracing::warn!("{why}");
            } else {
                tracing::info!("names can be resolved again");
            }
            self.take(Event::Resolver(silence));
        }
        self.take_echoes();
        let more = std::iter::from_fn(|| finished.try_recv().ok());
        for result in first.into_iter().chain(more).take(BATCH) {
            self.take_result(result);
        }
    }

    fn take_echoes(&mut self) {
        let mut came = std::mem::take(&mut self.came);
        self.echoes.take(self.clock.now(), |turn, observation| came.push((turn, observation, None)));
        for result in came.drain(..) {
            self.take_result(result);
        }
        self.came = came;
    }

    fn start_due(&mut self) {
        if self.mode != Mode::Polling || self.halt.is_awaited() {
            return;
        }
        let now = self.clock.now();
        if now < self.started.plus(GATHER) {
            return;
        }
        while let Some((turn, spec)) = self.schedule.start_next(now) {
            self.started = now;
            // The schedule was loaded from the plan, in its order.
            let Some(runner) = self.plan.checks.get(turn.row()).map(|bound| &bound.run) else { continue };
            if self.echoes.start(turn, &spec, runner, &self.net, now) {
                continue;
            }
            let runner = runner.clone();
            let (net, clock, results) = (self.net.clone(), self.clock, self.results.clone());
            self.tasks.spawn(async move {
                let (observation, fault) = supervise::run(&spec, &runner, &net, clock).await;
                // A closed channel means that the engine has ended.
                let _ = results.send((turn, observation, fault)).await;
            });
        }
        while self.tasks.try_join_next().is_some() {}
    }

    /// When the loop has to wake by itself.
    fn wake_at(&self) -> Timestamp {
        let now = self.clock.now();
        let mut at = now.plus(LONGEST_SLEEP);
        if self.mode == Mode::Polling
            && !self.halt.is_awaited()
            && let Some(due) = self.schedule.next_due()
        {
            at = at.min(due.max(self.started.plus(GATHER)));
        }
        if let Some(deadline) = self.state.next_deadline() {
            at = at.min(deadline);
        }
        if let Some(due) = self.notify.wake_at().filter(|_| self.mode != Mode::Passive) {
            at = at.min(due);
        }
        if let Some(watch) = &self.watching {
            at = at.min(watch.until);
        }
        if let Some(look) = self.wall_clock.wake_at() {
            at = at.min(look);
        }
        if let Some(until) = self.hosts_watched.next_end() {
            at = at.min(until);
        }
        if self.has_to_remember() {
            at = at.min(self.remembered_at.plus(self.remember_every()));
        }
        if !self.to_log.is_empty() {
            at = at.min(self.logged_at.plus(LOG_EVERY));
        }
        if !self.to_write.is_empty() || self.notify.has_notes() {
            at = at.min(now.plus(PUBLISH_EVERY));
        }
        if self.dirty {
            let due = self.published.plus(self.publish_every);
            at = at.min(self.held.as_ref().map_or(due, |held| held.until.max(due)));
        }
        at
    }

    fn publish(&mut self, end: &EngineEnd, now: Timestamp) {
        if self.held.as_ref().is_some_and(|held| now < held.until && !(held.plan && held.store)) {
            return;
        }
        self.held = None;
        let load = Event::Load {
            running: self.schedule.running(),
            waiting: self.schedule.waiting(),
            late: self.schedule.late(),
            runs: self.schedule.runs(),
        };
        self.state.reduce(now, load);
        let before = end.snapshots.send_replace(Arc::new(self.state.publish(now)));
        // Whoever looks has taken it up; two that follow at once for a key say nothing about that.
        if Arc::strong_count(&before) > 1 || now.since(self.published) < PUBLISH_EVERY {
            self.publish_every = PUBLISH_EVERY;
        } else {
            self.publish_every = PUBLISH_UNSEEN;
        }
        self.ran.snapshots += 1;
        self.dirty = false;
        self.published = now;
    }
}

/// Runs until told to stop, the screen is gone or the rounds are over; then ends all tasks.
pub async fn run(setup: Setup) -> Ran {
    run_in_company(setup, Company::default()).await
}

/// As [`run`], for the consoles of other processes too. A panic of the engine goes on behind what was to be written down.
pub async fn run_in_company(setup: Setup, company: Company) -> Ran {
    match Box::pin(live(setup, company)).await {
        Ok(ran) => ran,
        Err(broken) => std::panic::resume_unwind(broken.panic),
    }
}

/// As [`run_in_company`], for whoever goes on where an engine breaks.
///
/// # Errors
/// It panicked.
pub async fn live(mut setup: Setup, company: Company) -> Result<Ran, Box<Broken>> {
    let (results, finished) = mpsc::channel(RESULTS);
    let (saved, answers) = mpsc::channel(64);
    let (deliveries, delivered) = mpsc::channel(64);
    let (lists, listed) = mpsc::channel(64);
    let own = Asker::own(setup.end.notices.clone());
    let names = &setup.net.names;
    let mut sessions = company.sessions.unwrap_or_else(|| {
        Sessions::new(own.notices.clone(), setup.event_sender.clone(), setup.ssh.clone(), names.clone())
    });
    sessions.know(names);
    // Where nobody visits, nobody ever will.
    let visitors = company.visitors.unwrap_or_else(|| bus::visitors().1);
    let looks = setup.machine.take().filter(|_| setup.mode != Mode::Passive);
    let mut engine = Engine::new(&mut setup, results, sessions, saved, deliveries, lists);
    engine.uplink = looks.map(|root| Uplink::watch(root, setup.event_sender.clone()));
    let mut lanes = Lanes { own, finished, answers, delivered, listed, visitors };
    let living = AssertUnwindSafe(go_round(&mut engine, &mut setup, &mut lanes, company.heritage));
    match living.catch_unwind().await {
        Ok(()) => Ok(engine.wind_up(setup, lanes.delivered).await),
        Err(panic) => Err(Box::new(engine.break_off(setup, lanes.answers, panic).await)),
    }
}

/// Where the loop hears of what others do for it.
struct Lanes {
    own: Asker,
    finished: mpsc::Receiver<Finished>,
    answers: mpsc::Receiver<(Asker, Ticket, Saved)>,
    delivered: mpsc::Receiver<Delivered>,
    listed: mpsc::Receiver<Came>,
    visitors: Visitors,
}

async fn go_round(engine: &mut Engine, setup: &mut Setup, lanes: &mut Lanes, heritage: Heritage) {
    engine.take(Event::Mode(setup.mode));
    engine.go_on_from(heritage);
    let echoed = engine.echoes.answers();
    // Whoever tells nobody leaves it to the next.
    let left = engine.records.as_mut().and_then(Records::left).filter(|_| setup.mode != Mode::Passive);
    let mut left = left.map(Box::pin);
    let mut alarm = Alarm::set_up();
    loop {
        let now = engine.clock.now();
        if let Some(ahead) = engine.wall_clock.look(now, engine.clock.wall()) {
            tracing::info!(seconds = ahead / 1000, "the system's clock was set: schedules go by it");
            engine.take(Event::WallClock(ahead));
        }
        if engine.state.next_deadline().is_some_and(|at| at <= now) {
            engine.take(Event::Tick);
        }
        engine.end_watch_in_time(&lanes.own, now);
        engine.end_host_watches_in_time(&lanes.own, now);
        engine.start_due();
        engine.write_down();
        engine.tell_people(&lanes.own, &lanes.visitors);
        if engine.schedule.is_over() {
            break;
        }
        if engine.dirty && now >= engine.published.plus(engine.publish_every) {
            engine.publish(&setup.end, now);
        }
        if engine.has_to_remember() && now.since(engine.remembered_at) >= engine.remember_every() {
            engine.remember(now);
        }
        if !engine.to_log.is_empty() && now.since(engine.logged_at) >= LOG_EVERY {
            engine.log(now);
        }
        // Those that come meanwhile wait for one another. Nobody is told when the first has come, so the loop looks.
        let now = engine.clock.now();
        let take_at = engine.taken.plus(GATHER);
        let takes = now >= take_at;
        let wake_at = if takes { engine.wake_at() } else { engine.wake_at().min(take_at) };
        let wake_at = Some(Instant::now() + wake_at.since(now));
        tokio::select! {
            biased;
            () = setup.stop.cancelled() => break,
            command = setup.end.commands.recv() => match command {
                Some(command) => {
                    if engine.command(command, &lanes.own).is_break() { break }
                    // Whoever pressed a key sees the answer at once.
                    let now = engine.clock.now();
                    engine.publish(&setup.end, now);
                }
                None => break,
            },
            Some(plan) = setup.plans.recv() => engine.take_plan(plan),
            Some(event) = setup.events.recv() => engine.take(event),
            Some(Visit { asker, command }) = lanes.visitors.visits.recv() => {
                // It may end nothing here.
                let _ = engine.command(command, &asker);
                let now = engine.clock.now();
                engine.publish(&setup.end, now);
            }
            Some((asker, ticket, saved)) = lanes.answers.recv() => {
                // Whoever reads "saved" finds the entry on the screen.
                let now = engine.clock.now();
                engine.publish(&setup.end, now);
                answer(ticket, saved, &asker);
            }
            Some(one) = lanes.delivered.recv() => engine.told_people(one, &lanes.own),
            Some(came) = lanes.listed.recv() => engine.packages_came(came),
            found = async { left.as_mut()?.await.ok() }, if left.is_some() => {
                left = None;
                if let Some(found) = found {
                    engine.take_left(found);
                }
            }
            () = echoed.some(), if takes => engine.take_results(now, None, &mut lanes.finished),
            Some(result) = lanes.finished.recv(), if takes => engine.take_results(now, Some(result), &mut lanes.finished),
            () = alarm.rings(wake_at) => {}
        }
    }
}

/// What has become of a problem that people were told of.
fn standing(state: &State, target: &Target, times: (Timestamp, Timestamp)) -> Standing {
    match state.reminder(target, times) {
        Some(alert) => Standing::Stands(alert),
        None if is_over(state, target) => Standing::Over,
        None => Standing::Quiet,
    }
}

/// It is well again, or watched no more.
fn is_over(state: &State, target: &Target) -> bool {
    !state.has(target) || state.stands(target).is_some_and(|condition| !condition.is_problem())
}
