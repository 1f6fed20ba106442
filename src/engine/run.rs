//! The engine's one loop: it owns the state, takes in what happened, starts what is due, and publishes. Nothing in
//! it waits for a probe, a disk or a terminal; whatever takes time runs in a supervised task and reports back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::plan::{Plan, Runner};
use super::schedule::Schedule;
use super::supervise;
use crate::base::{Clock, Timestamp};
use crate::bus::EngineEnd;
use crate::model::{CheckKey, Observation, Policy};
use crate::net::Net;
use crate::state::{Effect, Event, Mode, State};

/// Results that may wait for the loop; pollers wait when it is full, the screen never does.
const RESULTS: usize = 4_096;
/// Results taken in before anything else gets a turn.
const BATCH: usize = 2_048;
/// Snapshots are published at most this often.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);
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
    /// Told when the operator wants everything that discovery held back.
    pub discover_all: Option<std::sync::mpsc::Sender<()>>,
    pub stop: CancellationToken,
}

/// A result with the words of a panic, if there was one.
type Finished = (Observation, Option<Arc<str>>);

#[derive(Debug)]
pub(super) struct Engine {
    pub clock: Clock,
    net: Arc<Net>,
    pub mode: Mode,
    pub state: State,
    pub schedule: Schedule,
    runners: HashMap<CheckKey, Runner>,
    pub plan: Plan,
    /// One-off targets: added to every plan for the life of the process.
    pub extras: Vec<Plan>,
    pub discover_all: Option<std::sync::mpsc::Sender<()>>,
    tasks: JoinSet<()>,
    results: mpsc::Sender<Finished>,
    /// Whose state is to be stored.
    pub to_remember: HashSet<CheckKey>,
    dirty: bool,
    published: Timestamp,
}

impl Engine {
    fn new(setup: &Setup, results: mpsc::Sender<Finished>) -> Self {
        Self {
            clock: setup.clock,
            net: setup.net.clone(),
            mode: setup.mode,
            state: State::new(setup.policy.clone()),
            schedule: Schedule::default(),
            runners: HashMap::new(),
            plan: Plan::default(),
            extras: Vec::new(),
            discover_all: setup.discover_all.clone(),
            tasks: JoinSet::new(),
            results,
            to_remember: HashSet::new(),
            dirty: true,
            published: Timestamp::default(),
        }
    }

    /// Takes an event in and carries out what follows from it.
    pub fn take(&mut self, event: Event) {
        let now = self.clock.now();
        let effects = self.state.reduce(now, event);
        self.dirty = true;
        for effect in effects {
            match effect {
                Effect::Retry(key) => self.schedule.retry(&key, now),
                Effect::Remember(key) => {
                    self.to_remember.insert(key);
                }
                Effect::Announce { asset, from, to } => {
                    tracing::info!(asset = asset.as_str(), ?from, ?to, "state changed");
                }
            }
        }
    }

    pub fn take_plan(&mut self, plan: Plan) {
        let now = self.clock.now();
        let plan = self.extras.iter().fold(plan, Plan::with);
        self.runners = plan.checks.iter().map(|bound| (bound.spec.key.clone(), bound.run.clone())).collect();
        self.take(Event::Inventory(plan.inventory.clone()));
        let state = &self.state;
        let specs = plan.checks.iter().map(|bound| bound.spec.clone());
        self.schedule.load(specs, now, |key| state.check(key)?.last.as_ref().map(|last| last.at));
        self.plan = plan;
    }

    fn take_result(&mut self, (observation, fault): Finished) {
        // The turn ends before the retry is asked for, so that the retry is not overruled.
        self.schedule.finished(&observation.check, self.clock.now());
        self.take(Event::Observed(observation));
        if let Some(fault) = fault {
            tracing::error!(%fault, "a task panicked");
            self.take(Event::Fault(fault));
        }
    }

    fn start_due(&mut self) {
        if self.mode != Mode::Polling {
            return;
        }
        let now = self.clock.now();
        while let Some(spec) = self.schedule.start_next(now) {
            let Some(runner) = self.runners.get(&spec.key).cloned() else { continue };
            let (net, clock, results) = (self.net.clone(), self.clock, self.results.clone());
            self.tasks.spawn(async move {
                let finished = supervise::run(&spec, &runner, &net, clock).await;
                // A closed channel means that the engine has ended.
                let _ = results.send(finished).await;
            });
        }
        while self.tasks.try_join_next().is_some() {}
    }

    /// When the loop has to wake by itself.
    fn wake_at(&self) -> Timestamp {
        let now = self.clock.now();
        let mut at = now.plus(LONGEST_SLEEP);
        if self.mode == Mode::Polling
            && let Some(due) = self.schedule.next_due()
        {
            at = at.min(due);
        }
        if let Some(deadline) = self.state.next_deadline() {
            at = at.min(deadline);
        }
        if self.dirty {
            at = at.min(self.published.plus(PUBLISH_EVERY));
        }
        at
    }

    fn publish(&mut self, end: &EngineEnd, now: Timestamp) {
        let load = Event::Load {
            running: self.schedule.running(),
            waiting: self.schedule.waiting(),
            late: self.schedule.late(),
            runs: self.schedule.runs(),
        };
        self.state.reduce(now, load);
        end.snapshots.send_replace(Arc::new(self.state.publish(now)));
        self.dirty = false;
        self.published = now;
    }
}

/// Runs until told to stop or the screen is gone; then ends all tasks.
pub async fn run(mut setup: Setup) {
    let (results, mut finished) = mpsc::channel(RESULTS);
    let mut engine = Engine::new(&setup, results);
    engine.take(Event::Mode(setup.mode));
    loop {
        let now = engine.clock.now();
        if engine.state.next_deadline().is_some_and(|at| at <= now) {
            engine.take(Event::Tick);
        }
        engine.start_due();
        if engine.dirty && now >= engine.published.plus(PUBLISH_EVERY) {
            engine.publish(&setup.end, now);
        }
        let sleep = engine.wake_at().since(engine.clock.now());
        tokio::select! {
            biased;
            () = setup.stop.cancelled() => break,
            command = setup.end.commands.recv() => match command {
                Some(command) => {
                    if engine.command(command, &setup.end).is_break() { break }
                    // Whoever pressed a key sees the answer at once.
                    let now = engine.clock.now();
                    engine.publish(&setup.end, now);
                }
                None => break,
            },
            Some(plan) = setup.plans.recv() => engine.take_plan(plan),
            Some(event) = setup.events.recv() => engine.take(event),
            Some(result) = finished.recv() => {
                engine.take_result(result);
                for _ in 0..BATCH {
                    let Ok(result) = finished.try_recv() else { break };
                    engine.take_result(result);
                }
            }
            () = tokio::time::sleep(sleep) => {}
        }
    }
    engine.tasks.shutdown().await;
}
