//! The console's side: greets, takes snapshots in, and says when the engine falls silent. Whatever comes from the engine is
//! read with the same bounds as anything foreign: at the other end of an SSH channel stands another machine.

use std::io;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::delta;
use super::frame;
use super::hello::{self, First, Hello, Line, Welcome};
use super::message::{FromConsole, FromEngine, Order};
use super::pack::Unpacker;
use super::seat;
use super::serve;
use super::wire::{Names, Reader, Wire as _};
use crate::base::{Clock, text};
use crate::bus::{InView, Notice};
use crate::model::Role;
use crate::state::Snapshot;

/// From one word of what the screen shows to the next, at least.
const GLANCE: Duration = Duration::from_millis(500);
/// How long an answer to the greeting may take.
const GREETING: Duration = Duration::from_secs(5);
/// An engine that says nothing for so long is not to be trusted.
const SILENCE: Duration = Duration::from_secs(15);

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Nobody is there.
    #[error("no noctty answers at {path}: {error}")]
    Nobody { path: String, error: io::Error },
    /// It does not want us, or does not fit; in words.
    #[error("{0}")]
    Refused(String),
    #[error("the other side does not answer")]
    Silent,
    #[error("the connection was lost: {0}")]
    Lost(String),
}

/// What the engine says.
#[derive(Debug)]
pub enum News {
    Snapshot(Box<Snapshot>),
    Notice(Notice),
    /// It is there.
    Alive,
    /// It has said nothing for so long.
    Silent(Duration),
}

/// How it ended, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended(pub String);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection to an engine that has let us in.
pub struct Link {
    stream: Box<dyn Stream>,
    pub welcome: Welcome,
    shift: i64,
    line: Line,
    glances: Glances,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("welcome", &self.welcome).finish_non_exhaustive()
    }
}

impl Link {
    /// The engine that listens at that socket. `trusted` says whose process may stand behind it.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn dial(
        path: &Path,
        trusted: impl Fn(u32) -> bool,
        clock: Clock,
        author: &str,
    ) -> Result<Self, LinkError> {
        Self::dial_as(Role::Admin, path, trusted, clock, author).await
    }

    async fn dial_as(
        most: Role,
        path: &Path,
        trusted: impl Fn(u32) -> bool,
        clock: Clock,
        author: &str,
    ) -> Result<Self, LinkError> {
        let shown = || text::clean(&path.display().to_string());
        let stream = seat::dial(path).map_err(|error| LinkError::Nobody { path: shown(), error })?;
        let peer = stream.peer_cred().map_err(|error| LinkError::Lost(error.to_string()))?;
        if !trusted(peer.uid()) {
            let words = format!("the process that listens at {} belongs to user {}", shown(), peer.uid());
            return Err(LinkError::Refused(words));
        }
        Self::greet(stream, clock, author, most, Line::Near).await
    }

    /// Greets whatever stands at the other end of a stream that leads to another machine.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn open(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        clock: Clock,
        author: &str,
    ) -> Result<Self, LinkError> {
        Self::greet(stream, clock, author, Role::Admin, Line::Far).await
    }

    async fn greet(
        mut stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        clock: Clock,
        author: &str,
        most: Role,
        line: Line,
    ) -> Result<Self, LinkError> {
        let asked = clock.now();
        let hello = Hello { build: hello::build(), author: author.to_owned(), now: asked.0, most, line };
        let mut message = Vec::new();
        frame::begin(&mut message);
        First::Hello(hello).put(&mut message);
        frame::end(&mut message);
        let exchange = async {
            // One that refuses at once may be gone already, and its words are there to be read.
            let sent = frame::write(&mut stream, &message).await;
            let heard = frame::read(&mut stream, hello::LIMIT, &mut message).await;
            (sent, heard)
        };
        let (sent, heard) = tokio::time::timeout(GREETING, exchange).await.map_err(|_| LinkError::Silent)?;
        match (heard, sent) {
            (Ok(true), _) => {}
            (Err(error), _) | (Ok(false), Err(error)) => {
                return Err(LinkError::Lost(text::clean(&error.to_string())));
            }
            (Ok(false), Ok(())) => return Err(LinkError::Lost("it was closed before it answered".to_owned())),
        }
        match First::take(&message).map_err(LinkError::Refused)? {
            First::Welcome(welcome) => {
                let shift = hello::shift(asked, clock.now(), welcome.now);
                Ok(Self { stream: Box::new(stream), welcome, shift, line, glances: Glances::default() })
            }
            First::Refused(words) => Err(LinkError::Refused(words)),
            First::Hello(_) => Err(LinkError::Refused("what answers there is no engine".to_owned())),
        }
    }

    /// Tells the engine what the screen shows, so that it tells that first.
    #[must_use]
    pub fn looking(mut self, mut in_view: watch::Receiver<InView>) -> Self {
        // This engine was told nothing so far.
        in_view.mark_changed();
        self.glances.in_view = Some(in_view);
        self
    }

    /// Runs until the connection ends. `news` takes what comes, `orders` goes out.
    pub async fn run(self, mut orders: mpsc::Receiver<Order>, news: mpsc::Sender<News>) -> Ended {
        let (mut reads, mut writes) = tokio::io::split(self.stream);
        let (taken, mut acknowledgements) = mpsc::channel(1);
        let reading = async {
            let (mut has, mut names, mut message) = (Snapshot::default(), Names::default(), Vec::new());
            let mut unpacks = match self.line {
                Line::Near => None,
                Line::Far => Some((Unpacker::new(), Vec::new())),
            };
            loop {
                if !next(&mut reads, &mut message, &news).await? {
                    return Ok(());
                }
                if let Some((unpacker, packed)) = &mut unpacks {
                    std::mem::swap(packed, &mut message);
                    message.clear();
                    unpacker.unpack(packed, frame::FROM_ENGINE, &mut message)?;
                }
                let mut reader = Reader::new(&message, self.shift, &mut names);
                let garbled = |error| io::Error::new(io::ErrorKind::InvalidData, error);
                let (said, answer) = match FromEngine::take(None, &mut reader).map_err(garbled)? {
                    FromEngine::Snapshot => {
                        has = delta::take(&has, &mut reader).map_err(garbled)?;
                        (News::Snapshot(Box::new(has.clone())), true)
                    }
                    FromEngine::Alive => (News::Alive, false),
                    FromEngine::Saved { ticket, entry } => (News::Notice(Notice::Saved { ticket, entry }), false),
                    FromEngine::NotSaved { ticket, reason } => {
                        (News::Notice(Notice::NotSaved { ticket, reason }), false)
                    }
                    FromEngine::Packages { ticket, comparison } => {
                        (News::Notice(Notice::Packages { ticket, comparison }), false)
                    }
                    FromEngine::Say(message) => (News::Notice(Notice::Message(message)), false),
                    FromEngine::Reveal(asset) => (News::Notice(Notice::Reveal(asset)), false),
                    FromEngine::Ring(call) => (News::Notice(Notice::Ring(call)), false),
                };
                reader.finished().map_err(garbled)?;
                if news.send(said).await.is_err() {
                    return Ok(());
                }
                if answer {
                    // The channel is empty: the engine waits for this before it sends another.
                    let _ = taken.try_send(());
                }
                if message.capacity() > 1024 * 1024 {
                    message = Vec::new();
                }
            }
        };
        let mut glances = self.glances;
        let writing = async {
            let mut message = Vec::new();
            loop {
                tokio::select! {
                    biased;
                    Some(()) = acknowledgements.recv() => {
                        frame::begin(&mut message);
                        FromConsole::Taken.put(None, &mut message);
                        frame::end(&mut message);
                    }
                    Some(order) = orders.recv() => serve::order(order, &mut message),
                    in_view = glances.next() => {
                        frame::begin(&mut message);
                        FromConsole::InView(in_view).put(None, &mut message);
                        frame::end(&mut message);
                    }
                }
                frame::write(&mut writes, &message).await?;
            }
        };
        let ended: io::Result<()> = tokio::select! {
            ended = reading => ended,
            ended = writing => ended,
        };
        Ended(match ended {
            Ok(()) => "the engine has ended".to_owned(),
            // It ended with something of ours unread.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
                "the engine has ended".to_owned()
            }
            Err(error) => text::clean(&error.to_string()),
        })
    }
}

/// What the screen shows, as it is told: the newest, and not oftener than there is sense in.
#[derive(Debug, Default)]
struct Glances {
    /// `None` where nobody looks, or nobody tells.
    in_view: Option<watch::Receiver<InView>>,
    /// When the next may be told.
    free: Option<Instant>,
}

impl Glances {
    async fn next(&mut self) -> InView {
        if let Some(free) = self.free {
            sleep_until(free).await;
        }
        if let Some(in_view) = &mut self.in_view
            && in_view.changed().await.is_ok()
        {
            self.free = Some(Instant::now() + GLANCE);
            return in_view.borrow_and_update().clone();
        }
        std::future::pending().await
    }
}

/// A connection from which nothing can be asked: it takes no orders, and the engine is told to allow none.
#[derive(Debug)]
pub struct Onlooker(Link);

impl Onlooker {
    /// As [`Link::dial`].
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn dial(
        path: &Path,
        trusted: impl Fn(u32) -> bool,
        clock: Clock,
        author: &str,
    ) -> Result<Self, LinkError> {
        Link::dial_as(Role::View, path, trusted, clock, author).await.map(Self)
    }

    pub fn welcome(&self) -> &Welcome {
        &self.0.welcome
    }

    /// Runs until the connection ends.
    pub async fn run(self, news: mpsc::Sender<News>) -> Ended {
        let (_, nothing) = mpsc::channel(1);
        self.0.run(nothing, news).await
    }
}

/// A stream of which is counted how much has come.
struct Counted<'a, R> {
    reads: &'a mut R,
    count: &'a AtomicUsize,
}

impl<R: AsyncRead + Unpin> AsyncRead for Counted<'_, R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut *self.reads).poll_read(cx, into);
        self.count.fetch_add(into.filled().len() - before, Ordering::Relaxed);
        read
    }
}

/// The next message; says meanwhile when nothing has come for too long. On a slow line one message may take longer than that.
async fn next(
    reads: &mut (impl AsyncRead + Unpin),
    message: &mut Vec<u8>,
    news: &mpsc::Sender<News>,
) -> io::Result<bool> {
    let count = AtomicUsize::new(0);
    let mut counted = Counted { reads, count: &count };
    let mut reading = pin!(frame::read(&mut counted, frame::FROM_ENGINE, message));
    let (mut silent, mut before) = (Duration::ZERO, 0);
    loop {
        tokio::select! {
            read = &mut reading => return read,
            () = tokio::time::sleep(SILENCE) => {
                let now = count.load(Ordering::Relaxed);
                if now != before {
                    (silent, before) = (Duration::ZERO, now);
                    continue;
                }
                silent += SILENCE;
                // A full lane has other things to tell first.
                let _ = news.try_send(News::Silent(silent));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AssetId;

    #[tokio::test(start_paused = true)]
    async fn what_a_screen_shows_is_told_seldom_and_the_newest_of_it_in_the_end() {
        let (shows, in_view) = watch::channel(InView::default());
        let mut glances = Glances { in_view: Some(in_view), free: None };
        let row = |n: u32| InView { rows: vec![AssetId::new(format!("h{n}"))], ..InView::default() };
        // A key that is held for ten seconds.
        let scrolling = async {
            for n in 1..=200 {
                shows.send_replace(row(n));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            tokio::time::sleep(GLANCE).await;
        };
        let mut told = Vec::new();
        let telling = async {
            loop {
                told.push(glances.next().await);
            }
        };
        tokio::select! {
            () = scrolling => {}
            () = telling => {}
        }
        assert_eq!((told.first(), told.last()), (Some(&row(1)), Some(&row(200))));
        assert!(told.len() < 25, "{}", told.len());
    }
}
