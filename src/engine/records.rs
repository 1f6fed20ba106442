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
mod tests;
