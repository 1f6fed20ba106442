//! The two threads that write to the state directory: one owns the journal, one the last known states. Nothing
//! that is asked of them waits; what they find out comes back as events. A directory that cannot be written is
//! said at once and tried again, with every note and every half minute, so that nothing has to be restarted when
//! space returns.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::supervise;
use crate::base::{Clock, Timestamp};
use crate::journal::{self, Contents, Draft, Journal, Watch};
use crate::model::{CareBook, Entry, EntryKind, Logged, Remembered, RememberedAsset, RememberedDevice, Span};
use crate::state::{DeviceView, Event, Storage, TRANSITIONS};
use crate::store::{Dispatch, Outbox, Store, StoreError};

/// Notes that may wait for the disk.
const DRAFTS: usize = 32;
/// Drafts that nobody waits for and that are kept while the disk cannot be written.
const MOST_UNSAVED: usize = 10_000;
/// Batches that may wait for the disk: one of each kind, so that none takes the place of another.
const BATCHES: usize = 6;
/// How often the journal is asked whether another process has written: where the kernel tells of that, for those on other
/// machines only.
const LOOK: Duration = Duration::from_secs(2);
const LOOK_FAR: Duration = Duration::from_secs(30);
/// How often a directory that could not be written is tried again by itself.
const RETRY: Duration = Duration::from_secs(30);

/// The answer to a draft: the entry as it is on disk, or why it is not.
pub type Saved = Result<Arc<Entry>, Arc<str>>;

/// What goes to the store at once.
enum Batch {
    Checks(Vec<Remembered>),
    /// What people were told of hosts and jobs.
    Assets(Vec<RememberedAsset>),
    /// Turned into what is stored by the store's own thread.
    Devices(Vec<Arc<DeviceView>>),
    /// What happened to what people are to be told.
    Outbox(Vec<Dispatch>),
    /// Addresses that names resolved to.
    Names(Vec<(Arc<str>, IpAddr)>),
    /// What the log of the next run has to have.
    Log(Vec<Logged>),
}

/// What an earlier run left, beside last known states.
#[derive(Debug, Default)]
pub struct Left {
    pub outbox: Outbox,
    /// The last known addresses of names.
    pub names: Vec<(Arc<str>, IpAddr)>,
}

struct Request {
    draft: Draft,
    /// `None` where nobody waits: then it is tried until it is saved.
    answer: Option<oneshot::Sender<Saved>>,
}

/// What the journal's thread is asked for.
#[derive(Debug)]
enum Ask {
    Save(Request),
    /// Somebody has written; perhaps another process.
    Look,
}

/// The engine's hold on both threads. They end when it is dropped; [`Records::close`] waits for that.
#[derive(Debug)]
pub struct Records {
    directory: Option<PathBuf>,
    drafts: Option<SyncSender<Ask>>,
    /// Holds the other end of `drafts` as well.
    watch: Option<Watch>,
    batches: Option<SyncSender<Batch>>,
    left: Option<oneshot::Receiver<Left>>,
    threads: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Request")
    }
}

impl Records {
    /// Starts both threads. They first send what is stored ([`Event::Restored`], [`Event::Incidents`]) and whether
    /// notes can be saved ([`Event::Storage`]). Without a directory nothing is ever saved, and that is said.
    pub fn start(directory: Option<PathBuf>, clock: Clock, events: mpsc::Sender<Event>) -> Self {
        let (draft_tx, drafts) = sync_channel(DRAFTS);
        let (batch_tx, batches) = sync_channel(BATCHES);
        let (tell_left, left) = oneshot::channel();
        let mut threads = Vec::new();
        let mut keeper = Keeper {
            directory: directory.clone(),
            clock,
            events: events.clone(),
            journal: None,
            said: None,
            unsaved: Vec::new(),
            shifts: HashMap::new(),
        };
        let watch = directory.as_deref().and_then(|directory| watch(directory, draft_tx.clone()));
        let look = if watch.is_some() { LOOK_FAR } else { LOOK };
        let told = events.clone();
        threads.extend(spawn("journal", move || {
            supervise::endure("journal", &told, supervise::PAUSE, || keeper.run(&drafts, look));
        }));
        if let Some(directory) = directory.clone() {
            threads.extend(spawn("store", move || {
                let mut load = Some(|store: Store| load(store, clock, &events, tell_left));
                let mut unsaved = Vec::new();
                supervise::endure("store", &events, supervise::PAUSE, || {
                    keep_states(&directory, &batches, &events, &mut load, &mut unsaved);
                });
            }));
        }
        Self { directory, drafts: Some(draft_tx), watch, batches: Some(batch_tx), left: Some(left), threads }
    }

    /// The state directory, where there is one.
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// Hands a draft over. The answer comes when it is on disk or cannot be.
    pub fn append(&self, draft: Draft) -> oneshot::Receiver<Saved> {
        let (answer, answered) = oneshot::channel();
        if let Some(drafts) = &self.drafts
            && let Err(TrySendError::Full(Ask::Save(request)) | TrySendError::Disconnected(Ask::Save(request))) =
                drafts.try_send(Ask::Save(Request { draft, answer: Some(answer) }))
            && let Some(answer) = request.answer
        {
            // Whoever waits may be gone already.
            let _ = answer.send(Err("the disk does not keep up with the notes".into()));
        }
        answered
    }

    /// Hands over what is to be written without anybody waiting; gives it back where there is no room.
    pub fn write(&self, draft: Draft) -> Option<Draft> {
        let drafts = self.drafts.as_ref()?;
        match drafts.try_send(Ask::Save(Request { draft, answer: None })) {
            Err(TrySendError::Full(Ask::Save(request))) => Some(request.draft),
            // The journal's thread ends with the engine.
            Ok(()) | Err(_) => None,
        }
    }

    /// Hands last known states over; gives them back where the disk does not keep up.
    pub fn remember(&self, batch: Vec<Remembered>) -> Result<(), Vec<Remembered>> {
        let Some(Batch::Checks(batch)) = self.hand_over(Batch::Checks(batch)) else { return Ok(()) };
        Err(batch)
    }

    /// The same for what people were told of hosts and jobs.
    pub fn remember_assets(&self, batch: Vec<RememberedAsset>) -> Result<(), Vec<RememberedAsset>> {
        let Some(Batch::Assets(batch)) = self.hand_over(Batch::Assets(batch)) else { return Ok(()) };
        Err(batch)
    }

    /// The same for what is known of the ports of devices.
    pub fn remember_devices(&self, batch: Vec<Arc<DeviceView>>) -> Result<(), Vec<Arc<DeviceView>>> {
        let Some(Batch::Devices(batch)) = self.hand_over(Batch::Devices(batch)) else { return Ok(()) };
        Err(batch)
    }

    /// The same for what happened to what people are to be told: on disk before anything that is handed over later.
    pub fn dispatched(&self, notes: Vec<Dispatch>) -> Result<(), Vec<Dispatch>> {
        let Some(Batch::Outbox(notes)) = self.hand_over(Batch::Outbox(notes)) else { return Ok(()) };
        Err(notes)
    }

    /// The same for addresses of names.
    pub fn remember_names(&self, names: Vec<(Arc<str>, IpAddr)>) -> Result<(), Vec<(Arc<str>, IpAddr)>> {
        let Some(Batch::Names(names)) = self.hand_over(Batch::Names(names)) else { return Ok(()) };
        Err(names)
    }

    /// The same for what the log has.
    pub fn log(&self, batch: Vec<Logged>) -> Result<(), Vec<Logged>> {
        let Some(Batch::Log(batch)) = self.hand_over(Batch::Log(batch)) else { return Ok(()) };
        Err(batch)
    }

    /// What an earlier run left untold, and its addresses, once they are read; once.
    pub fn left(&mut self) -> Option<oneshot::Receiver<Left>> {
        self.left.take()
    }

    /// Gives back what has no room.
    fn hand_over(&self, batch: Batch) -> Option<Batch> {
        match self.batches.as_ref().map(|batches| batches.try_send(batch)) {
            Some(Err(TrySendError::Full(batch))) => Some(batch),
            // Without a store there is nothing to come back to.
            None | Some(Ok(()) | Err(TrySendError::Disconnected(_))) => None,
        }
    }

    /// Lets both threads finish what they have, and the last that is handed over. Blocks; not for the engine's loop.
    pub fn close_with(self, notes: Vec<Dispatch>) {
        if !notes.is_empty()
            && let Some(batches) = &self.batches
        {
            // Where the store's thread has ended, nothing is kept.
            let _ = batches.send(Batch::Outbox(notes));
        }
        self.close();
    }

    /// Lets both threads finish what they have. Blocks; not for the engine's loop.
    pub fn close(mut self) {
        self.watch = None;
        self.drafts = None;
        self.batches = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the records panicked");
            }
        }
    }
}

/// Has the journal looked at when its log has been written to.
fn watch(directory: &Path, asks: SyncSender<Ask>) -> Option<Watch> {
    // A full lane has the look behind what it is full of.
    let tell = move || !matches!(asks.try_send(Ask::Look), Err(TrySendError::Disconnected(_)));
    let watched = journal::watch(directory, tell);
    watched.inspect_err(|error| tracing::info!(%error, "the journal is looked at now and then")).ok()
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.inspect_err(|error| tracing::error!(%error, name, "no thread")).ok()
}

/// What the journal's thread knows.
struct Keeper {
    directory: Option<PathBuf>,
    clock: Clock,
    events: mpsc::Sender<Event>,
    journal: Option<Journal>,
    /// What was last said of the storage.
    said: Option<Storage>,
    /// What nobody waits for and could not be saved yet.
    unsaved: Vec<Draft>,
    /// How far the system's clock was from the steady one when a claim was first read: a clock that jumps later neither
    /// prolongs nor ends it.
    shifts: HashMap<Arc<str>, i64>,
}

impl Keeper {
    fn run(&mut self, drafts: &Receiver<Ask>, look: Duration) {
        match self.open() {
            Ok(()) => self.show(),
            // What is there can perhaps still be read.
            Err(reason) => {
                if let Some(Ok(contents)) = self.directory.as_deref().map(journal::read) {
                    self.send(contents);
                }
                self.say(Storage::NotSaved { reason });
            }
        }
        let mut mark = self.mark();
        let mut tried = Instant::now();
        loop {
            let ready = matches!(self.said, Some(Storage::Ready));
            match drafts.recv_timeout(if ready { look } else { LOOK }) {
                Ok(Ask::Look) => {}
                Ok(Ask::Save(request)) => {
                    let saved = self.save(&request.draft);
                    if saved.is_ok() {
                        self.catch_up();
                    }
                    tried = Instant::now();
                    // It is in the state before it is called saved, so that who reads "saved" can go on with it.
                    self.tell(saved.as_ref().ok());
                    match request.answer {
                        // A caller that has gone away is no error.
                        Some(answer) => drop(answer.send(saved)),
                        None if saved.is_err() && self.unsaved.len() < MOST_UNSAVED => self.unsaved.push(request.draft),
                        None => {}
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    if !ready && tried.elapsed() >= RETRY {
                        tried = Instant::now();
                        self.try_again();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = self.mark();
            if now != mark {
                mark = now;
                self.show();
            }
        }
    }

    /// A number that changes when another process has written; `None` while the journal is not open.
    fn mark(&self) -> Option<i64> {
        self.journal.as_ref().and_then(|journal| journal.change_mark().ok())
    }

    fn open(&mut self) -> Result<(), Arc<str>> {
        let Some(directory) = &self.directory else {
            return Err("there is no home directory: name a directory with --state".into());
        };
        let journal = Journal::open(directory).and_then(|mut journal| journal.probe().map(|()| journal));
        self.journal = Some(journal.map_err(|error| Arc::from(error.to_string()))?);
        self.say(Storage::Ready);
        Ok(())
    }

    fn try_again(&mut self) {
        let works = match &mut self.journal {
            Some(journal) => journal.probe().map_err(|error| Arc::from(error.to_string())),
            None => self.open(),
        };
        match works {
            Ok(()) => {
                self.say(Storage::Ready);
                self.catch_up();
            }
            Err(reason) => self.say(Storage::NotSaved { reason }),
        }
    }

    /// Saves what nobody waits for and could not be saved before.
    fn catch_up(&mut self) {
        for draft in std::mem::take(&mut self.unsaved) {
            let saved = self.save(&draft);
            if saved.is_err() {
                self.unsaved.push(draft);
            }
            self.tell(saved.as_ref().ok());
        }
    }

    fn save(&mut self, draft: &Draft) -> Saved {
        if self.journal.is_none()
            && let Err(reason) = self.open()
        {
            self.say(Storage::NotSaved { reason: reason.clone() });
            return Err(reason);
        }
        let Some(journal) = &mut self.journal else { return Err("the journal is not open".into()) };
        let saved = journal.append(draft, self.clock.wall());
        let trouble = journal.log_trouble().map(Arc::from);
        match saved {
            Ok(entry) => {
                self.say(Storage::Ready);
                if let Some(trouble) = trouble {
                    let _ = self.events.blocking_send(Event::Remark(trouble));
                }
                Ok(entry)
            }
            Err(error) => {
                let reason: Arc<str> = error.to_string().into();
                // A rule that a draft breaks says nothing about the disk.
                if let journal::JournalError::Store(_) = error {
                    self.say(Storage::NotSaved { reason: reason.clone() });
                }
                Err(reason)
            }
        }
    }

    /// What was written becomes visible: an incident that opens or closes as a whole, anything else as one entry.
    fn tell(&mut self, entry: Option<&Arc<Entry>>) {
        match entry {
            Some(entry) if entry.kind.is_deed() || matches!(entry.kind, EntryKind::Opened | EntryKind::Closed) => {
                self.show();
            }
            Some(entry) => {
                let _ = self.events.blocking_send(Event::EntrySaved(entry.clone()));
            }
            None => {}
        }
    }

    fn show(&mut self) {
        if let Some(contents) = self.journal.as_ref().map(Journal::contents) {
            self.send(contents);
        }
    }

    fn send(&mut self, contents: Contents) {
        for damage in contents.damage {
            tracing::error!(damage, "the journal is damaged");
            let _ = self.events.blocking_send(Event::Remark(damage.into()));
        }
        let _ = self.events.blocking_send(Event::Incidents(contents.incidents));
        let book = self.steady(contents.care);
        let _ = self.events.blocking_send(Event::Care(book));
    }

    /// The same with the times of claims as steady ones.
    fn steady(&mut self, mut book: CareBook) -> CareBook {
        let now = self.clock.wall().millis() - self.clock.now().millis();
        let mut shifts = HashMap::with_capacity(book.acks.len());
        for ack in &mut book.acks {
            let shift = self.shifts.get(&ack.id).copied().unwrap_or(now);
            shifts.insert(ack.id.clone(), shift);
            let ack = Arc::make_mut(ack);
            ack.since = Timestamp(ack.since.millis().saturating_sub(shift));
            ack.claim.until = Timestamp(ack.claim.until.millis().saturating_sub(shift));
        }
        for (_, at) in &mut book.released {
            *at = Timestamp(at.millis().saturating_sub(now));
        }
        for one in &mut book.maintenance {
            let shift = self.shifts.get(&one.id).copied().unwrap_or(now);
            shifts.insert(one.id.clone(), shift);
            if let Span::Once { from, until } = &mut Arc::make_mut(one).order.span {
                *from = Timestamp(from.millis().saturating_sub(shift));
                *until = Timestamp(until.millis().saturating_sub(shift));
            }
        }
        if let Some(pause) = &mut book.paused {
            let shift = self.shifts.get(&pause.id).copied().unwrap_or(now);
            shifts.insert(pause.id.clone(), shift);
            let pause = Arc::make_mut(pause);
            pause.since = Timestamp(pause.since.millis().saturating_sub(shift));
        }
        self.shifts = shifts;
        book
    }

    fn say(&mut self, storage: Storage) {
        if self.said.as_ref() != Some(&storage) {
            if let Storage::NotSaved { reason } = &storage {
                tracing::error!(%reason, "notes cannot be saved");
            }
            self.said = Some(storage.clone());
            let _ = self.events.blocking_send(Event::Storage(storage));
        }
    }
}

/// Loads the last known states, once, then stores what comes. States that cannot be stored are dropped: the next poll has them again.
/// What happened to what people are to be told is kept and tried again.
fn keep_states(
    directory: &Path,
    batches: &Receiver<Batch>,
    events: &mpsc::Sender<Event>,
    load: &mut Option<impl FnOnce(Store) -> Store>,
    unsaved: &mut Vec<Dispatch>,
) {
    let mut store = match Store::open(directory) {
        Ok(store) => Some(match load.take() {
            Some(load) => load(store),
            None => store,
        }),
        Err(error) => {
            tracing::warn!(%error, "last known states are not kept");
            let _ = events.blocking_send(Event::Remark(format!("last known states are not kept: {error}").into()));
            None
        }
    };
    let mut said = None;
    let mut tried = Instant::now();
    loop {
        let batch = match batches.recv_timeout(RETRY) {
            Ok(batch) => batch,
            Err(RecvTimeoutError::Timeout) if unsaved.is_empty() => continue,
            Err(RecvTimeoutError::Timeout) => Batch::Outbox(Vec::new()),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if store.is_none() && tried.elapsed() >= RETRY {
            tried = Instant::now();
            store = Store::open(directory).ok();
        }
        let saved = match (batch, &mut store) {
            (Batch::Outbox(notes), open) => {
                unsaved.extend(notes);
                match open {
                    Some(open) => save_outbox(open, unsaved),
                    None => Ok(()),
                }
            }
            (_, None) => Ok(()),
            (Batch::Checks(checks), Some(open)) => open.save(&checks),
            (Batch::Assets(assets), Some(open)) => open.save_assets(&assets),
            (Batch::Names(names), Some(open)) => open.save_names(&names),
            (Batch::Log(batch), Some(open)) => open.save_log(&batch),
            (Batch::Devices(views), Some(open)) => {
                let devices: Vec<RememberedDevice> = views.iter().map(|view| view.remembered()).collect();
                open.save_devices(&devices)
            }
        };
        if unsaved.len() > MOST_UNSAVED {
            tracing::error!(count = unsaved.len(), "what waits to be told is not written down: the disk takes nothing");
            unsaved.clear();
        }
        let Err(error) = saved else { continue };
        let words: Arc<str> = error.to_string().into();
        if said.as_ref() != Some(&words) {
            tracing::warn!(error = %words, "last known states are not kept");
            if let StoreError::Owned(_) = error {
                let _ = events.blocking_send(Event::Remark(words.clone()));
            }
            said = Some(words);
        }
    }
}

fn save_outbox(store: &mut Store, unsaved: &mut Vec<Dispatch>) -> Result<(), StoreError> {
    let saved = store.save_outbox(unsaved);
    // Where another process writes, what waits is its own affair.
    if matches!(saved, Ok(()) | Err(StoreError::Owned(_))) {
        unsaved.clear();
    }
    saved
}

fn load(store: Store, clock: Clock, events: &mpsc::Sender<Event>, tell_left: oneshot::Sender<Left>) -> Store {
    let states = store.load();
    match store.load_assets() {
        Ok((assets, unreadable)) => {
            if unreadable > 0 {
                tracing::warn!(count = unreadable, "what people were told of some hosts cannot be read");
            }
            let _ = events.blocking_send(Event::RestoredAssets(assets));
        }
        Err(error) => tracing::warn!(%error, "what people were told cannot be read"),
    }
    match store.load_log(TRANSITIONS) {
        Ok((log, unreadable)) => {
            if unreadable > 0 {
                tracing::warn!(count = unreadable, "some of what happened before cannot be read");
            }
            let _ = events.blocking_send(Event::RestoredLog(log));
        }
        Err(error) => tracing::warn!(%error, "what happened before cannot be read"),
    }
    match states {
        Ok(loaded) => {
            if loaded.unreadable > 0 {
                tracing::warn!(count = loaded.unreadable, "last known states cannot be read");
            }
            let _ = events.blocking_send(Event::Restored(loaded.remembered));
        }
        Err(error) => tracing::warn!(%error, "last known states cannot be read"),
    }
    match store.load_devices() {
        Ok((devices, unreadable)) => {
            if unreadable > 0 {
                tracing::warn!(count = unreadable, "what was known of the ports of some devices cannot be read");
            }
            let _ = events.blocking_send(Event::RestoredDevices(devices));
        }
        Err(error) => tracing::warn!(%error, "what was known of ports cannot be read"),
    }
    let outbox = store.load_outbox(clock.wall()).unwrap_or_else(|error| {
        tracing::warn!(%error, "what was not told cannot be read");
        Outbox::default()
    });
    if outbox.unreadable > 0 {
        tracing::warn!(count = outbox.unreadable, "changes that were not told cannot be read");
    }
    let names = store.load_names().unwrap_or_else(|error| {
        tracing::warn!(%error, "the last addresses of names cannot be read");
        Vec::new()
    });
    // The engine may have ended already.
    let _ = tell_left.send(Left { outbox, names });
    store
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Untrusted;
    use crate::model::{
        AssetId, CheckKey, Claim, Condition, Deed, Fault, Flap, Host, IfOper, Incident, IncidentId, Log, Observation,
        Origin, Port, PortTable, Reading, Release, Stickiness, Subject, Target, Transition, Urgency,
    };
    use crate::state::rules::ports::judge;

    const DEADLINE: Duration = Duration::from_secs(20);

    fn open(title: &str) -> Draft {
        Draft::Open { title: title.into(), urgency: Urgency::Sev2, author: "ops1".into(), about: None }
    }

    fn note(text: &str) -> Draft {
        Draft::Add {
            incident: IncidentId(1),
            kind: EntryKind::Note,
            text: text.into(),
            author: Untrusted::from("ops1"),
            about: None,
        }
    }

    async fn until<T>(events: &mut mpsc::Receiver<Event>, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
        tokio::time::timeout(DEADLINE, async {
            loop {
                let event = events.recv().await.expect("the records live");
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
        })
        .await
        .expect("the event comes in time")
    }

    fn incidents(event: Event) -> Option<Vec<Incident>> {
        if let Event::Incidents(incidents) = event { Some(incidents) } else { None }
    }

    /// The thread that saves what is written begins anew; what it was asked meanwhile waits and is answered.
    #[tokio::test]
    async fn after_a_panic_the_journal_goes_on_says_so_and_saves_what_waited() {
        let dir = tempfile::tempdir().expect("a directory");
        let (tx, mut events) = mpsc::channel(64);
        let (ask, drafts) = sync_channel(DRAFTS);
        let mut keeper = Keeper {
            directory: Some(dir.path().to_owned()),
            clock: Clock::start(),
            events: tx.clone(),
            journal: None,
            said: None,
            unsaved: vec![open("nobody waits")],
            shifts: HashMap::new(),
        };
        let mut panics = 2;
        let thread = spawn("journal", move || {
            supervise::endure("journal", &tx, Duration::from_millis(1), || {
                panics -= 1;
                assert!(panics < 0, "a row of another kind");
                keeper.run(&drafts, LOOK);
            });
        });
        let (answer, answered) = oneshot::channel();
        ask.send(Ask::Save(Request { draft: open("core down"), answer: Some(answer) })).expect("it is heard");
        for _ in 0..2 {
            let fault = until(&mut events, |e| if let Event::Fault(words) = e { Some(words) } else { None }).await;
            assert_eq!(
                &*fault,
                "internal error in the thread of the journal, which begins anew: a row of another kind"
            );
        }
        answered.await.expect("an answer").expect("saved");
        drop(ask);
        tokio::task::spawn_blocking(|| thread.expect("a thread").join()).await.expect("joined").expect("no panic");
        assert_eq!(journal::read(dir.path()).expect("reads").incidents.len(), 2);
    }

    #[tokio::test]
    async fn a_note_is_answered_when_it_is_on_disk_and_is_there_after_a_restart() {
        let dir = tempfile::tempdir().expect("a directory");
        let (tx, mut events) = mpsc::channel(64);
        let records = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
        records.append(open("core down")).await.expect("an answer").expect("saved");
        let entry = records.append(note("ups b")).await.expect("an answer").expect("saved");
        assert_eq!(journal::read(dir.path()).expect("reads").incidents[0].entries[1], entry);
        until(&mut events, |e| (e == Event::EntrySaved(entry.clone())).then_some(())).await;
        let refused = records.append(Draft::Add {
            incident: IncidentId(9),
            kind: EntryKind::Note,
            text: "x".into(),
            author: "ops1".into(),
            about: None,
        });
        assert_eq!(refused.await.expect("an answer"), Err("there is no INC-9".into()));
        records.close();
        let (tx, mut events) = mpsc::channel(64);
        let again = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
        let found = until(&mut events, incidents).await;
        assert_eq!(found[0].entries.len(), 2);
        again.close();
    }

    #[tokio::test]
    async fn what_another_process_writes_is_seen() {
        let dir = tempfile::tempdir().expect("a directory");
        let (tx, mut events) = mpsc::channel(64);
        let records = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
        until(&mut events, incidents).await;
        Journal::open(dir.path()).expect("opens").append(&open("from beside"), Timestamp(1)).expect("saved");
        let found = until(&mut events, incidents).await;
        assert_eq!(found[0].title.line(), "from beside");
        records.close();
    }

    fn book(event: Event) -> Option<CareBook> {
        if let Event::Care(book) = event { Some(book) } else { None }
    }

    fn claim(owner: &str) -> Draft {
        let claim = Claim {
            target: Target::Host(AssetId::new("core-sw1")),
            owner: owner.into(),
            note: "on it".into(),
            until: Clock::start().wall().plus(Duration::from_secs(3_600)),
            stickiness: Stickiness::EndsOnWorsening,
            condition: Some(Condition::Critical),
        };
        Draft::Claim { claim, over: None, author: "ops2".into() }
    }

    #[tokio::test]
    async fn a_claim_is_in_the_state_before_it_is_called_saved_and_there_after_a_restart() {
        let dir = tempfile::tempdir().expect("a directory");
        let (tx, mut events) = mpsc::channel(64);
        let records = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
        let entry = records.append(claim("ops2")).await.expect("an answer").expect("saved");
        assert_eq!((entry.incident, entry.kind), (IncidentId::NONE, EntryKind::Claimed));
        let mut books = std::iter::from_fn(|| events.try_recv().ok()).filter_map(book);
        let ack = books.find_map(|book| book.acks.first().cloned()).expect("told before the answer");
        assert_eq!((&ack.id, ack.claim.owner.line()), (&entry.id, "ops2".to_owned()));
        records.append(open("core down")).await.expect("an answer").expect("saved");
        records.close();

        let (tx, mut events) = mpsc::channel(64);
        let again = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
        let found = until(&mut events, incidents).await;
        assert_eq!(found.len(), 1, "a claim is no incident: {found:?}");
        let stands = until(&mut events, book).await;
        assert_eq!(stands.acks[0].claim.condition, Some(Condition::Critical));
        // Somebody beside hands it over and somebody gives it back.
        let mut beside = Journal::open(dir.path()).expect("opens");
        beside.append(&claim("ops3"), Clock::start().wall()).expect("saved");
        let stands =
            until(&mut events, |e| book(e).filter(|b| b.acks.iter().all(|a| a.claim.owner.line() == "ops3"))).await;
        assert_eq!(stands.entries.len(), 2);
        let target = Target::Host(AssetId::new("core-sw1"));
        let deed = Deed::Released { target, claim: Some(entry.id.clone()), why: Release::Expired };
        assert!(again.write(Draft::Deed { deed: deed.clone(), author: "noctty".into() }).is_none());
        let stands = until(&mut events, book).await;
        assert_eq!(stands.acks.len(), 1, "the end of the first claim does not end the second");
        let Deed::Released { target, .. } = deed else { unreachable!("it is one") };
        let deed = Deed::Released { target, claim: None, why: Release::ByHand };
        assert!(again.write(Draft::Deed { deed, author: "ops3".into() }).is_none());
        let stands = until(&mut events, book).await;
        assert_eq!((stands.acks.len(), stands.entries.len()), (0, 4));
        again.close();
        assert_eq!(journal::read(dir.path()).expect("reads").all_damage(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_saved_once_it_can_be() {
        let root = tempfile::tempdir().expect("a directory");
        let dir = root.path().join("state");
        std::fs::write(&dir, b"in the way").expect("written");
        let (tx, mut events) = mpsc::channel(64);
        let records = Records::start(Some(dir.clone()), Clock::start(), tx);
        until(&mut events, |e| matches!(e, Event::Storage(Storage::NotSaved { .. })).then_some(())).await;
        assert!(records.write(claim("ops2")).is_none());
        assert!(records.append(open("x")).await.expect("an answer").is_err(), "the one before was tried by now");
        std::fs::remove_file(&dir).expect("removed");
        // Saving anything else shows that it works again.
        records.append(open("x")).await.expect("an answer").expect("saved");
        until(&mut events, |e| book(e).filter(|b| b.acks.len() == 1)).await;
        records.close();
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_used_is_said_and_used_once_it_can_be() {
        let root = tempfile::tempdir().expect("a directory");
        // A file where the directory should be: fails for every user, root too.
        let dir = root.path().join("state");
        std::fs::write(&dir, b"in the way").expect("written");
        let (tx, mut events) = mpsc::channel(64);
        let records = Records::start(Some(dir.clone()), Clock::start(), tx);
        until(&mut events, |e| matches!(e, Event::Storage(Storage::NotSaved { .. })).then_some(())).await;
        assert!(records.append(open("x")).await.expect("an answer").is_err());
        std::fs::remove_file(&dir).expect("removed");
        records.append(open("x")).await.expect("an answer").expect("saved without a restart");
        until(&mut events, |e| (e == Event::Storage(Storage::Ready)).then_some(())).await;
        records.close();
    }

    #[tokio::test]
    async fn without_a_directory_nothing_is_saved_and_all_else_goes_on() {
        let (tx, mut events) = mpsc::channel(64);
        let records = Records::start(None, Clock::start(), tx);
        until(&mut events, |e| matches!(e, Event::Storage(Storage::NotSaved { .. })).then_some(())).await;
        assert!(records.append(open("x")).await.expect("an answer").is_err());
        assert_eq!(records.remember(Vec::new()), Ok(()));
        records.close();
    }

    #[tokio::test]
    async fn last_known_states_come_back_after_a_restart() {
        let dir = tempfile::tempdir().expect("a directory");
        let check = CheckKey { subject: Subject::Host(AssetId::new("a")), name: "icmp".into() };
        let one = Remembered {
            check: check.clone(),
            condition: Condition::Ok,
            since: Timestamp(1),
            last_good: None,
            observation: Observation {
                check,
                at: Timestamp(2),
                took: Duration::from_millis(3),
                reading: Reading::ok("4 ms"),
            },
            flap: Flap::default(),
        };
        let (tx, mut events) = mpsc::channel(64);
        let records = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
        records.remember(vec![one.clone()]).expect("taken");
        until(&mut events, |e| matches!(e, Event::Restored(_)).then_some(())).await;
        records.close();
        let (tx, mut events) = mpsc::channel(64);
        let again = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
        let restored = until(&mut events, |e| if let Event::Restored(all) = e { Some(all) } else { None }).await;
        assert_eq!(restored, vec![one]);
        again.close();
    }

    #[tokio::test]
    async fn what_happened_comes_back_after_a_restart() {
        let dir = tempfile::tempdir().expect("a directory");
        let (target, name) = (Target::Host(AssetId::new("a")), "a".into());
        let (from, to, reason) = (Condition::Ok, Condition::Critical, "no answer".into());
        let change = Arc::new(Transition { at: Timestamp(7), target, name, from, to, down: true, reason });
        let fault = Arc::new(Fault { at: Timestamp(8), words: "a task panicked".into() });
        let earlier = |event| if let Event::RestoredLog(all) = event { Some(all) } else { None };
        let (tx, mut events) = mpsc::channel(64);
        let records = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
        assert_eq!(until(&mut events, earlier).await, Log::default());
        records.log(vec![Logged::Changed(change.clone()), Logged::Failed(fault.clone())]).expect("taken");
        records.close();
        let (tx, mut events) = mpsc::channel(64);
        let again = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
        let log = Log { transitions: vec![change], faults: vec![fault], ..Log::default() };
        assert_eq!(until(&mut events, earlier).await, log);
        again.close();
    }

    #[tokio::test]
    async fn what_is_known_of_ports_comes_back_after_a_restart() {
        let dir = tempfile::tempdir().expect("a directory");
        let host = Arc::new(Host::new("sw1", None, Origin::Config));
        let port = Port { index: 7, name: "Gi1".into(), oper: Some(IfOper::Up), ..Port::default() };
        let table = PortTable { collected_at: Timestamp(5), ports: vec![port], ..PortTable::default() };
        let view = Arc::new(judge(None, &Arc::new(table), &host));
        let (tx, mut events) = mpsc::channel(64);
        let records = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
        until(&mut events, |e| matches!(e, Event::RestoredDevices(_)).then_some(())).await;
        records.remember_devices(vec![view.clone()]).expect("taken");
        records.close();
        let (tx, mut events) = mpsc::channel(64);
        let again = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
        let restored = until(&mut events, |e| if let Event::RestoredDevices(all) = e { Some(all) } else { None }).await;
        assert_eq!(restored, vec![view.remembered()]);
        again.close();
    }
}
