//! A console that has no engine of its own: another process polls, and this one shows what it says. Sessions, with their
//! keys and questions, run here. When the engine is gone that is said at once, what is shown ages, and nothing that was
//! asked is left without an answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::asker::say;
use super::plan::Plan;
use super::run::{Broken, Company, Heritage};
use super::sessions::Sessions;
use crate::attach::{self, News, Order};
use crate::base::Clock;
use crate::bus::{Asker, Command, EngineEnd, MessageWeight, Notice, Ticket, Visitors};
use crate::model::{CareBook, Facts, Log, Maintenance, Observation, Policy, Remembered, RememberedDevice, Session};
use crate::ssh::{Names, Surroundings};
use crate::state::{Attached, CheckView, DeviceView, Event, Link, Mode, Snapshot};

/// Orders that may wait for the connection.
const ORDERS: usize = 64;
const NEWS: usize = 16;
/// How often what is shown is looked at for its age.
const AGE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Desk {
    clock: Clock,
    mode: Mode,
    stop: CancellationToken,
    pub end: EngineEnd,
    own: Asker,
    events: mpsc::Receiver<Event>,
    event_sender: mpsc::Sender<Event>,
    sessions: Sessions,
    /// As they last told of themselves.
    told: Vec<Session>,
    /// What the engine said last.
    last: Arc<Snapshot>,
    link: Link,
    revision: u64,
    /// Notes that were not answered yet.
    waiting: BTreeSet<Ticket>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The engine is gone; how, in words.
    Lost(String),
    /// The operator is.
    Left,
}

/// What an engine in this process begins with.
#[derive(Debug)]
pub struct Rest {
    pub end: EngineEnd,
    pub events: mpsc::Receiver<Event>,
    pub event_sender: mpsc::Sender<Event>,
    pub company: Company,
}

impl Desk {
    /// `names` know the last addresses of what does not resolve now.
    pub fn new(
        clock: Clock,
        mode: Mode,
        end: EngineEnd,
        ssh: Surroundings,
        names: Names,
        stop: CancellationToken,
    ) -> Self {
        let (event_sender, events) = mpsc::channel(256);
        let own = Asker::own(end.notices.clone());
        let sessions = Sessions::new(end.notices.clone(), event_sender.clone(), ssh, names);
        // A picture from an earlier life may be on the screen; no engine said that.
        let last = Arc::new(Snapshot { at: clock.now(), ..Snapshot::default() });
        Self {
            clock,
            mode,
            stop,
            end,
            own,
            events,
            event_sender,
            sessions,
            told: Vec::new(),
            last,
            link: Link::Own,
            revision: 0,
            waiting: BTreeSet::new(),
        }
    }

    /// Goes on where an engine of this process broke: what it showed stays, and sessions run on.
    pub fn after(clock: Clock, mode: Mode, broken: Broken, stop: CancellationToken) -> Self {
        let Broken { panic: _, words: _, end, sessions, events, event_sender, told } = broken;
        let last = end.snapshots.borrow().clone();
        let mut desk = Self {
            clock,
            mode,
            stop,
            own: Asker::own(end.notices.clone()),
            end,
            events,
            event_sender,
            sessions,
            told: last.sessions.to_vec(),
            link: last.engine.link.clone(),
            revision: last.revision,
            last,
            waiting: BTreeSet::new(),
        };
        for session in told {
            desk.hear(session);
        }
        desk
    }

    /// For whoever looks up what there is to poll.
    pub fn event_sender(&self) -> mpsc::Sender<Event> {
        self.event_sender.clone()
    }

    /// One line for the operator.
    pub fn say(&self, weight: MessageWeight, words: &str) {
        say(&self.own, weight, words);
    }

    /// Shows what the engine at the other end says, until it is gone or the operator is.
    pub async fn attend(&mut self, link: attach::Link, attached: Attached) -> Outcome {
        let (orders, outgoing) = mpsc::channel(ORDERS);
        let (sender, mut news) = mpsc::channel(NEWS);
        let mut running = std::pin::pin!(link.looking(self.end.in_view.clone()).run(outgoing, sender));
        let attached = Link::Attached(Arc::new(attached));
        let stop = self.stop.clone();
        let ended = loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return self.leave(),
                command = self.end.commands.recv() => match command {
                    None | Some(Command::Shutdown) => return self.leave(),
                    Some(command) => self.command(command, Some(&orders)),
                },
                Some(event) = self.events.recv() => self.session(event),
                Some(one) = news.recv() => self.take(one, &attached),
                ended = &mut running => break ended,
            }
        };
        // What it said last counts.
        while let Ok(one) = news.try_recv() {
            self.take(one, &attached);
        }
        self.answer_the_rest();
        Outcome::Lost(ended.0)
    }

    /// Shows that nobody polls and why, until `next` has come; nothing where the operator is gone.
    pub async fn wait<T>(&mut self, why: &str, next: impl Future<Output = T>) -> Option<T> {
        let since = match &self.link {
            Link::Lost { since, .. } => *since,
            Link::Own | Link::Attached(_) => self.clock.now(),
        };
        self.link = Link::Lost { since, what: why.into() };
        self.publish();
        let mut next = std::pin::pin!(next);
        let stop = self.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                command = self.end.commands.recv() => match command {
                    None | Some(Command::Shutdown) => break,
                    Some(command) => self.command(command, None),
                },
                Some(event) = self.events.recv() => self.session(event),
                next = &mut next => return Some(next),
                () = tokio::time::sleep(AGE) => self.age(),
            }
        }
        self.leave();
        None
    }

    /// Whether there is a picture that an engine can go on from. Half of one is none: the store knows more.
    pub fn has_seen_anything(&self) -> bool {
        self.last.awaited.is_nothing() && !(self.last.hosts.is_empty() && self.last.jobs.is_empty())
    }

    /// What an engine in this process goes on with.
    pub fn hand_over(self, visitors: Option<Visitors>, plan: Option<Plan>) -> Rest {
        let mut known: Vec<Event> = self.told.iter().cloned().map(Event::Session).collect();
        let mut seen = Vec::new();
        if self.has_seen_anything() {
            let incidents = self.last.incidents.iter().map(|incident| (**incident).clone()).collect();
            known.extend([
                Event::Restored(remembered(&self.last)),
                Event::RestoredDevices(devices(&self.last)),
                Event::RestoredLog(Log {
                    transitions: self.last.transitions.to_vec(),
                    changes: self.last.changes.to_vec(),
                    notifications: self.last.notifications.to_vec(),
                    faults: self.last.faults.to_vec(),
                }),
                Event::Incidents(incidents),
                Event::Care(care(&self.last)),
            ]);
            seen = walks(&self.last);
        }
        Rest {
            end: self.end,
            events: self.events,
            event_sender: self.event_sender,
            company: Company { sessions: Some(self.sessions), visitors, heritage: Heritage { known, plan, seen } },
        }
    }

    fn leave(&mut self) -> Outcome {
        self.sessions.shutdown();
        Outcome::Left
    }

    fn take(&mut self, news: News, attached: &Link) {
        match news {
            News::Snapshot(snapshot) => {
                self.last = Arc::new(snapshot.over(&self.last));
                self.link = attached.clone();
                self.publish();
            }
            News::Notice(notice) => {
                if let Notice::Saved { ticket, .. }
                | Notice::NotSaved { ticket, .. }
                | Notice::Packages { ticket, .. } = &notice
                {
                    self.waiting.remove(ticket);
                }
                if self.end.notices.try_send(notice).is_err() {
                    tracing::error!("the screen takes no notices");
                }
            }
            News::Alive => {
                if self.link != *attached {
                    self.link = attached.clone();
                    self.publish();
                }
            }
            News::Silent(since) => {
                let now = self.clock.now();
                let what = "the engine is there and says nothing";
                self.link = Link::Lost { since: now.minus(since), what: what.into() };
                self.age();
                self.publish();
            }
        }
    }

    /// Carries out what is this process's own affair; hands the rest to the engine.
    fn command(&mut self, command: Command, engine: Option<&mpsc::Sender<Order>>) {
        let order = match Order::of(command) {
            Ok(order) => order,
            Err(own) => return self.own_command(*own),
        };
        let ticket = order.ticket();
        if self.mode == Mode::Passive && ticket.is_none() {
            if !matches!(order, Order::Focus(_)) {
                self.say(MessageWeight::Warning, "PASSIVE: nothing is asked of anybody");
            }
            return;
        }
        let asks = matches!(order, Order::Pause { .. } | Order::Resume { .. } | Order::ComparePackages { .. });
        if let (Mode::Passive, true, Some(ticket)) = (self.mode, asks, ticket) {
            self.not_saved(ticket, "PASSIVE: nothing is asked of anybody");
            return;
        }
        let sent = engine.ok_or("there is no engine at the moment").and_then(|engine| {
            engine.try_send(order.clone()).map_err(|_| "the engine does not take anything at the moment")
        });
        match (sent, ticket) {
            (Ok(()), Some(ticket)) => {
                self.waiting.insert(ticket);
            }
            (Ok(()), None) => {}
            (Err(why), Some(ticket)) => self.not_saved(ticket, why),
            (Err(why), None) => {
                // What is looked at changes with every key.
                if !matches!(order, Order::Focus(_) | Order::Watch(None) | Order::WatchHost { watch: false, .. }) {
                    self.say(MessageWeight::Warning, &format!("{why}: nothing was done"));
                }
            }
        }
    }

    fn own_command(&mut self, command: Command) {
        match command {
            Command::OpenSession { .. } if self.mode == Mode::Passive => {
                self.say(MessageWeight::Warning, "PASSIVE: no session is opened, nothing is ever sent");
            }
            Command::OpenSession { asset, columns, rows } => match self.last.host(&asset).map(|view| view.host.clone())
            {
                Some(host) => {
                    self.sessions.open(&host, columns, rows);
                }
                None => self.say(MessageWeight::Warning, "the host left the inventory"),
            },
            Command::Answer { prompt, answer } => self.sessions.answer(prompt, answer),
            Command::CloseSession(id) => self.sessions.close(id),
            // These end the desk, or are orders.
            _ => {}
        }
    }

    fn not_saved(&self, ticket: Ticket, why: &str) {
        if self.end.notices.try_send(Notice::NotSaved { ticket, reason: why.into() }).is_err() {
            tracing::error!("the screen takes no notices: it was not told that a note is not saved");
        }
    }

    fn answer_the_rest(&mut self) {
        for ticket in std::mem::take(&mut self.waiting) {
            let why = "the engine went away before it answered; look whether it is there before you send it again";
            self.not_saved(ticket, why);
        }
    }

    /// What a session tells of itself; nobody else sends events here.
    fn session(&mut self, event: Event) {
        match event {
            Event::Session(session) => self.hear(session),
            Event::SessionForgotten(id) => self.told.retain(|known| known.id != id),
            _ => return,
        }
        self.publish();
    }

    fn hear(&mut self, session: Session) {
        match self.told.iter_mut().find(|known| known.id == session.id) {
            Some(known) => *known = session,
            None => self.told.push(session),
        }
    }

    fn age(&mut self) {
        if let Some(aged) = self.last.aged(&Policy::default(), self.clock.now()) {
            self.last = Arc::new(aged);
            self.publish();
        }
    }

    fn publish(&mut self) {
        self.revision += 1;
        let mut shown = (*self.last).clone();
        shown.revision = self.revision;
        shown.sessions = self.told.clone().into();
        shown.engine.link = self.link.clone();
        if matches!(self.link, Link::Lost { .. }) {
            // Nobody asks them any more.
            shown.engine.hosts_watched = Arc::default();
            shown.engine.watch = None;
        }
        if self.mode == Mode::Passive {
            shown.engine.mode = Mode::Passive;
        }
        self.end.snapshots.send_replace(Arc::new(shown));
    }
}

/// What all checks came to, as a store would have it.
fn remembered(snapshot: &Snapshot) -> Vec<Remembered> {
    let one = |check: &CheckView, facts: Facts| {
        let mut one = check.remembered()?;
        let own = &mut one.observation.reading.facts;
        if *own == Facts::None {
            *own = facts;
        }
        Some(one)
    };
    let hosts = snapshot.hosts.iter().flat_map(|host| &host.checks).filter_map(|check| one(check, Facts::None));
    let jobs = snapshot
        .jobs
        .iter()
        .filter_map(|job| one(job.check.as_ref()?, job.report.clone().map_or(Facts::None, Facts::Backup)));
    hosts.chain(jobs).collect()
}

/// What people do about problems stands without a break. What the configuration orders comes with the plan.
fn care(snapshot: &Snapshot) -> CareBook {
    let ordered = |order: &&Arc<Maintenance>| !order.id.starts_with("config:");
    CareBook {
        acks: snapshot.acks.values().cloned().collect(),
        maintenance: snapshot.maintenance.iter().filter(ordered).cloned().collect(),
        paused: snapshot.engine.pause.clone(),
        // The journal has them.
        released: Vec::new(),
        entries: snapshot.deeds.clone(),
    }
}

fn devices(snapshot: &Snapshot) -> Vec<RememberedDevice> {
    snapshot.devices.iter().map(|device| device.remembered()).collect()
}

/// The last walk of each device, as if it came now; it keeps its age.
fn walks(snapshot: &Snapshot) -> Vec<Event> {
    let walk = |device: &Arc<DeviceView>| {
        let host = snapshot.host(&device.host.id)?;
        let last = host.checks.iter().find(|check| &*check.spec.kind == "ports")?.last.as_ref()?;
        let mut observation: Observation = (**last).clone();
        observation.reading.facts = Facts::Ports(device.table.clone());
        Some(Event::Observed(observation))
    };
    snapshot.devices.iter().filter_map(walk).collect()
}
