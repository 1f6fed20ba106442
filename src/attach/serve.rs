//! The engine's side: a task for each console that is attached. A console that does not read holds up its own task and
//! nothing else; whatever it sends is bounded, and what makes no sense ends its connection.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, broadcast, mpsc, watch};

use super::delta::{self, Telling, Watched};
use super::frame;
use super::hello::{self, First, Hello, Line, Welcome};
use super::message::{FromConsole, FromEngine, Order};
use super::pack::Packer;
use super::wire::{Names, Reader, Wire as _};
use crate::base::{Clock, Untrusted, text};
use crate::bus::{Asker, Call, Command, Door, Notice, Visit};
use crate::model::{Holders, Role};
use crate::state::Snapshot;

/// Consoles at one engine.
const MOST: usize = 64;
/// How long a greeting may take.
const GREETING: Duration = Duration::from_secs(5);
/// How long a console may read nothing of what waits for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// So much of it counts as something.
const PIECE: usize = 4 * 1024;
/// How much goes into the first message on a line that may be slow, and the least that goes into any: at 9,600 bit/s the worst is there
/// in a second or two. What a message had to be told in parts for says how much the line carries, and the next takes about a moment.
const FIRST_ROOM: usize = 2 * 1024;
const LEAST_ROOM: usize = 512;
const MOMENT: Duration = Duration::from_secs(1);
/// So much more than the one before, at most.
const GROWTH: f64 = 8.0;
/// How often an idle engine says that it is there.
pub const ALIVE: Duration = Duration::from_secs(5);
/// From one order of a console to its next, at least.
const BREATH: Duration = Duration::from_millis(5);
const NOTICES: usize = 64;
/// Room for messages that is kept between them.
const KEPT: usize = 1024 * 1024;

/// Who stands at the door, by the kernel's word.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    pub user: u32,
    pub group: u32,
    pub process: Option<i32>,
}

/// Who is let in, and as what.
#[derive(Clone, Debug)]
pub struct Guest {
    /// In whose name it writes.
    pub author: Untrusted,
    pub role: Role,
    /// Where its role is by lists: who may what it may not.
    pub holders: Option<Arc<Holders>>,
    /// Several people use its account, and it did not say which of them it is.
    pub asks: bool,
}

impl Guest {
    fn permits(&self, command: &Command) -> Result<(), String> {
        self.role.permits(command.needs(), self.holders.as_deref())
    }
}

/// Decides who is let in; what the console calls its author is the second. May ask the system's user database.
pub type Admit = Arc<dyn Fn(Peer, &str) -> Result<Guest, String> + Send + Sync>;

/// What consoles are served from.
#[derive(Clone)]
pub struct Doors {
    pub clock: Clock,
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    pub door: Door,
    pub admit: Admit,
    /// Whose engine it is.
    pub user: String,
    /// The configuration that is in force.
    pub configuration: Option<String>,
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doors").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Serves all who come, until the listener fails for good or this is dropped.
pub async fn serve(listener: UnixListener, doors: Doors) {
    let places = Arc::new(Semaphore::new(MOST));
    let mut guests = tokio::task::JoinSet::new();
    let next = AtomicU64::new(1);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a console could not be let in");
                // Out of descriptors, mostly: another moment may have some.
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        while guests.try_join_next().is_some() {}
        let place = places.clone().try_acquire_owned().ok();
        let (doors, id) = (doors.clone(), next.fetch_add(1, Ordering::Relaxed));
        guests.spawn(async move {
            let mut stream = stream;
            if place.is_none() {
                refuse(&mut stream, &format!("{MOST} consoles are attached to it already")).await;
                return;
            }
            match greet(&mut stream, &doors).await {
                Ok((guest, told)) => attend(stream, doors, guest, told, id).await,
                Err(why) => {
                    tracing::info!(%why, "a console was not let in");
                    refuse(&mut stream, &why).await;
                }
            }
            drop(place);
        });
    }
}

async fn refuse(stream: &mut UnixStream, why: &str) {
    let mut message = Vec::new();
    frame::begin(&mut message);
    First::Refused(why.to_owned()).put(&mut message);
    frame::end(&mut message);
    // Whoever does not read it is gone.
    let _ = tokio::time::timeout(GREETING, frame::write(stream, &message)).await;
}

/// What a console said of itself that is not about who it is.
struct Told {
    /// What makes our times of the console's.
    shift: i64,
    line: Line,
}

/// Hears who it is and lets it in.
async fn greet(stream: &mut UnixStream, doors: &Doors) -> Result<(Guest, Told), String> {
    let credentials = stream.peer_cred().map_err(|error| format!("the system does not say who you are: {error}"))?;
    let peer = Peer { user: credentials.uid(), group: credentials.gid(), process: credentials.pid() };
    let mut message = Vec::new();
    let heard = tokio::time::timeout(GREETING, frame::read(stream, hello::LIMIT, &mut message)).await;
    match heard {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => return Err("it went away before it said anything".to_owned()),
        Ok(Err(error)) => return Err(text::clean(&error.to_string())),
        Err(_) => return Err("no greeting came in time".to_owned()),
    }
    let Hello { build: _, author, now, most, line } = match First::take(&message)? {
        First::Hello(hello) => hello,
        First::Welcome(_) | First::Refused(_) => return Err("that is no greeting".to_owned()),
    };
    let admit = doors.admit.clone();
    let guest = tokio::task::spawn_blocking(move || admit(peer, &author)).await;
    let mut guest = guest.unwrap_or_else(|_| Err("internal error while asking who you are".to_owned()))?;
    guest.role = guest.role.min(most);
    let ours = doors.clock.now().0;
    let welcome = Welcome {
        build: hello::build(),
        process: std::process::id(),
        user: doors.user.clone(),
        now: ours,
        configuration: doors.configuration.clone(),
        role: guest.role,
        holders: guest.holders.clone(),
        author: guest.author.line(),
        asks: guest.asks,
    };
    frame::begin(&mut message);
    First::Welcome(welcome).put(&mut message);
    frame::end(&mut message);
    let sent = tokio::time::timeout(GREETING, frame::write(stream, &message)).await;
    if !matches!(sent, Ok(Ok(()))) {
        return Err("it does not read".to_owned());
    }
    tracing::info!(peer.user, peer.process, role = guest.role.as_str(), "a console is attached");
    Ok((guest, Told { shift: ours.saturating_sub(now), line }))
}

/// Serves one console until it goes, or the engine does.
async fn attend(stream: UnixStream, doors: Doors, guest: Guest, hello: Told, id: u64) {
    let (reads, writes) = stream.into_split();
    let (notices, told) = mpsc::channel(NOTICES);
    let (taken, acknowledged) = mpsc::channel(1);
    let asker = Asker { id, notices, author: Some(guest.author.clone()) };
    let (shows, in_view) = watch::channel(Arc::default());
    let listening = listen(reads, hello.shift, &guest, &asker, &doors.door.visits, (&taken, &shows));
    let writes = Outlet::new(writes, hello.line);
    let telling = tell(writes, doors.snapshots.clone(), told, doors.door.rings(), (acknowledged, in_view));
    let ended = tokio::select! {
        ended = listening => ended,
        ended = telling => ended,
    };
    match ended {
        Ok(()) => tracing::info!(id, "a console has left"),
        Err(error) => tracing::info!(id, %error, "a console was lost"),
    }
    // It may have left something that is only done while somebody looks.
    for command in [Command::Watch(None), Command::Focus(None)] {
        let _ = doors.door.visits.try_send(Visit { asker: asker.clone(), command });
    }
}

/// Takes what the console says.
async fn listen(
    mut reads: impl AsyncRead + Unpin,
    shift: i64,
    guest: &Guest,
    asker: &Asker,
    visits: &mpsc::Sender<Visit>,
    (taken, shows): (&mpsc::Sender<()>, &watch::Sender<Arc<Watched>>),
) -> io::Result<()> {
    let (mut message, mut names) = (Vec::new(), Names::default());
    while frame::read(&mut reads, frame::FROM_CONSOLE, &mut message).await? {
        let mut reader = Reader::new(&message, shift, &mut names);
        let said = FromConsole::take(None, &mut reader).and_then(|said| reader.finished().map(|()| said));
        match said.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))? {
            FromConsole::Taken => {
                // One that nothing was waiting for says nothing.
                let _ = taken.try_send(());
            }
            FromConsole::InView(in_view) => {
                shows.send_replace(Arc::new(in_view.into()));
            }
            FromConsole::Order(order) => {
                let ticket = order.ticket();
                let command = Command::from(order);
                if let Err(why) = guest.permits(&command) {
                    let refusal = match ticket {
                        Some(ticket) => Notice::NotSaved { ticket, reason: why.into() },
                        None => notice(&why),
                    };
                    // Its own lane, which it does not empty: then it learns nothing.
                    let _ = asker.notices.try_send(refusal);
                } else if visits.send(Visit { asker: asker.clone(), command }).await.is_err() {
                    return Ok(());
                }
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    Ok(())
}

fn notice(words: &str) -> Notice {
    let text = Untrusted::from(words);
    Notice::Message(crate::bus::Message { weight: crate::bus::MessageWeight::Warning, text })
}

/// Tells the console what there is: notices as they come, the newest snapshot when it has taken the last one in.
async fn tell(
    mut outlet: Outlet<impl AsyncWrite + Unpin>,
    mut snapshots: watch::Receiver<Arc<Snapshot>>,
    mut notices: mpsc::Receiver<Notice>,
    mut rings: broadcast::Receiver<Arc<Call>>,
    (mut acknowledged, in_view): (mpsc::Receiver<()>, watch::Receiver<Arc<Watched>>),
) -> io::Result<()> {
    let mut telling = Telling::default();
    let (mut whole, mut free, mut news) = (true, true, true);
    let (mut room, mut asked) = (outlet.first_room(), tokio::time::Instant::now());
    loop {
        if free && (news || !whole) {
            let now = snapshots.borrow_and_update().clone();
            asked = tokio::time::Instant::now();
            telling.look(in_view.borrow().clone());
            outlet.begin();
            FromEngine::Snapshot.put(None, &mut outlet.message);
            (whole, free, news) = (telling.put(&now, room, &mut outlet.message), false, false);
            outlet.send().await?;
            continue;
        }
        let said = tokio::select! {
            biased;
            Some(notice) = notices.recv() => FromEngine::of(notice),
            // One that missed some hears the next.
            Ok(call) = rings.recv() => Some(FromEngine::Ring((*call).clone())),
            Some(()) = acknowledged.recv() => {
                free = true;
                let took = asked.elapsed();
                if !whole || took > MOMENT {
                    room = next_room(room, took);
                }
                None
            }
            changed = snapshots.changed(), if !news => {
                if changed.is_err() {
                    return Ok(());
                }
                news = true;
                None
            }
            () = tokio::time::sleep(ALIVE) => Some(FromEngine::Alive),
        };
        if let Some(said) = said {
            outlet.begin();
            said.put(None, &mut outlet.message);
            outlet.send().await?;
        }
    }
}

/// How much the next message may hold after one of so much took so long.
fn next_room(room: usize, took: Duration) -> usize {
    let carried = MOMENT.as_secs_f64() / took.as_secs_f64().max(1e-6);
    ((room as f64 * carried.min(GROWTH)) as usize).clamp(LEAST_ROOM, delta::MOST_ROOM)
}

/// Where messages go out, packed where the line is far.
struct Outlet<W> {
    writes: W,
    message: Vec<u8>,
    packs: Option<(Packer, Vec<u8>)>,
}

impl<W: AsyncWrite + Unpin> Outlet<W> {
    fn new(writes: W, line: Line) -> Self {
        let packs = match line {
            Line::Near => None,
            Line::Far => Some((Packer::new(), Vec::new())),
        };
        Self { writes, message: Vec::new(), packs }
    }

    /// How much goes into the first message.
    fn first_room(&self) -> usize {
        if self.packs.is_some() { FIRST_ROOM } else { delta::MOST_ROOM }
    }

    fn begin(&mut self) {
        frame::begin(&mut self.message);
    }

    /// What was put behind [`Outlet::begin`].
    async fn send(&mut self) -> io::Result<()> {
        if let Some((packer, packed)) = &mut self.packs {
            let unpacked = frame::body(&self.message);
            frame::begin(packed);
            packer.pack(unpacked, packed);
            std::mem::swap(packed, &mut self.message);
        }
        frame::end(&mut self.message);
        for piece in self.message.chunks(PIECE) {
            match tokio::time::timeout(PATIENCE, frame::write(&mut self.writes, piece)).await {
                Ok(written) => written?,
                Err(_) => return Err(io::Error::new(io::ErrorKind::TimedOut, "it does not read")),
            }
        }
        if self.message.capacity() > KEPT {
            self.message = Vec::new();
        }
        Ok(())
    }
}

/// An order as its message.
pub(super) fn order(order: Order, out: &mut Vec<u8>) {
    frame::begin(out);
    FromConsole::Order(order).put(None, out);
    frame::end(out);
}
