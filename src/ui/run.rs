//! The loop of the screen: take everything that has come, then draw once, and only when something changed and the
//! terminal can take it. `select!` is the only place that waits; there is no tick.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use super::frame::{Capabilities, Frame, Link};
use super::terminal::input::{Input, Reader};
use super::terminal::pacer::Pacer;
use super::terminal::tty::Tty;
use crate::base::{Clock, Timestamp};
use crate::bus::{Notice, ScreenEnd};
use crate::config::key::Key;
use crate::state::Snapshot;

/// How long a lone ESC waits for the rest of a sequence.
const ESCAPE_DELAY: Duration = Duration::from_millis(30);

/// What is shown and how it answers.
pub trait Screen {
    fn key(&mut self, key: Key);
    fn paste(&mut self, text: String);
    fn resized(&mut self, columns: u16, rows: u16);
    fn snapshot(&mut self, snapshot: Arc<Snapshot>);
    fn notice(&mut self, notice: Notice);
    fn draw(&self, frame: &mut Frame<'_>);
    /// When something visible changes by the passing of time alone.
    fn next_wake(&self, now: Timestamp) -> Option<Timestamp>;
    /// Set when the loop should end.
    fn take_exit(&mut self) -> Option<Exit>;
}

/// Why the loop ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    Quit,
    /// Run this program on the terminal, then come back.
    Foreground(Vec<String>),
    /// By a signal of this number.
    Signal(i32),
    /// The terminal is gone.
    HungUp,
}

#[derive(Debug)]
struct Signals {
    resize: Stream,
    stop: Stream,
    go_on: Stream,
    ends: [(i32, Stream); 4],
}

impl Signals {
    fn new() -> io::Result<Self> {
        let end = |kind: SignalKind| Ok::<_, io::Error>((kind.as_raw_value(), signal(kind)?));
        Ok(Self {
            resize: signal(SignalKind::window_change())?,
            stop: signal(SignalKind::from_raw(Signal::TSTP.as_raw()))?,
            go_on: signal(SignalKind::from_raw(Signal::CONT.as_raw()))?,
            ends: [
                end(SignalKind::interrupt())?,
                end(SignalKind::terminate())?,
                end(SignalKind::hangup())?,
                end(SignalKind::quit())?,
            ],
        })
    }

    /// The next signal that ends us.
    async fn end(ends: &mut [(i32, Stream); 4]) -> i32 {
        let [a, b, c, d] = ends;
        tokio::select! {
            _ = a.1.recv() => a.0,
            _ = b.1.recv() => b.0,
            _ = c.1.recv() => c.0,
            _ = d.1.recv() => d.0,
        }
    }
}

/// Output on its way: what the terminal did not take yet, and how much went out lately.
#[derive(Debug)]
struct Output {
    pacer: Pacer,
    unwritten: Vec<u8>,
    second: Instant,
    bytes: u32,
    bytes_last_second: u32,
}

impl Output {
    /// Writes chunks until the pacer or the terminal has had enough.
    fn flush(&mut self, tty: &Tty) -> io::Result<()> {
        loop {
            if self.unwritten.is_empty() {
                match self.pacer.chunk(Instant::now()) {
                    Some(bytes) => self.unwritten = bytes,
                    None => return Ok(()),
                }
            }
            let written = tty.write(&self.unwritten)?;
            self.count(written);
            self.unwritten.drain(..written);
            if !self.unwritten.is_empty() {
                return Ok(());
            }
        }
    }

    fn count(&mut self, written: usize) {
        let now = Instant::now();
        if now.duration_since(self.second) >= Duration::from_secs(1) {
            let fresh = now.duration_since(self.second) < Duration::from_secs(2);
            self.bytes_last_second = if fresh { self.bytes } else { 0 };
            self.bytes = 0;
            self.second = now;
        }
        self.bytes = self.bytes.saturating_add(u32::try_from(written).unwrap_or(u32::MAX));
    }

    fn link(&self) -> Link {
        Link { round_trip: self.pacer.round_trip(), bytes_per_second: self.bytes_last_second }
    }
}

/// The terminal and what is known of it, over several runs of the loop.
#[derive(Debug)]
pub struct Terminal {
    tty: Tty,
    signals: Signals,
    reader: Reader,
    output: Output,
    size: (u16, u16),
}

impl Terminal {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// There is no terminal.
    pub fn open(capabilities: Capabilities) -> io::Result<Self> {
        let signals = Signals::new()?;
        let tty = Tty::open()?;
        let size = tty.size();
        let output = Output {
            pacer: Pacer::new(capabilities.colours),
            unwritten: Vec::new(),
            second: Instant::now(),
            bytes: 0,
            bytes_last_second: 0,
        };
        Ok(Self { tty, signals, reader: Reader::default(), output, size })
    }

    /// Gives the terminal back until [`Terminal::resume`].
    pub fn suspend(&self) {
        self.tty.release();
    }

    /// Takes it again; everything is drawn anew.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn resume(&mut self) -> io::Result<()> {
        self.tty.take()?;
        self.output.unwritten.clear();
        self.output.pacer.forget();
        self.size = self.tty.size();
        Ok(())
    }

    fn stop(&mut self) -> io::Result<()> {
        self.suspend();
        kill_process(getpid(), Signal::STOP)?;
        self.resume()
    }

    fn draw(&mut self, screen: &dyn Screen, clock: Clock) {
        let (width, height) = self.size;
        if width == 0 || height == 0 {
            return;
        }
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let mut frame = Frame {
            buffer: &mut buffer,
            area,
            now: clock.now(),
            wall: clock.wall(),
            link: self.output.link(),
            cursor: None,
            answer: None,
        };
        screen.draw(&mut frame);
        let (cursor, answer) = (frame.cursor.map(|p| (p.x, p.y)), frame.answer.clone());
        self.output.pacer.show(buffer, cursor, answer);
    }
}

/// Runs the screen until it wants to end.
///
/// # Errors
/// The terminal could not be written to or read from in an unexpected way; a hang-up is an [`Exit`].
pub async fn run(
    screen: &mut (impl Screen + Send),
    terminal: &mut Terminal,
    end: &mut ScreenEnd,
    clock: Clock,
) -> io::Result<Exit> {
    let mut bytes = [0u8; 4096];
    screen.resized(terminal.size.0, terminal.size.1);
    let first = end.snapshots.borrow_and_update().clone();
    screen.snapshot(first);
    let mut changed = true;
    let mut engine_gone = false;
    loop {
        if let Some(exit) = screen.take_exit() {
            return Ok(exit);
        }
        if changed {
            terminal.draw(screen, clock);
            changed = false;
        }
        if terminal.output.flush(&terminal.tty).is_err() {
            return Ok(Exit::HungUp);
        }
        let now = clock.now();
        let age = screen.next_wake(now).map(|at| at.since(now).max(Duration::from_millis(50)));
        let pace = terminal.output.pacer.wake_at().map(|at| at.saturating_duration_since(Instant::now()));
        let escape = terminal.reader.is_waiting().then_some(ESCAPE_DELAY);
        let blocked = !terminal.output.unwritten.is_empty();
        tokio::select! {
            biased;
            number = Signals::end(&mut terminal.signals.ends) => return Ok(Exit::Signal(number)),
            read = terminal.tty.read(&mut bytes) => {
                let Ok(length) = read else { return Ok(Exit::HungUp) };
                let inputs = terminal.reader.feed(&bytes[..length]);
                changed |= take(inputs, screen, &mut terminal.output.pacer);
            }
            () = maybe_sleep(escape) => {
                let inputs = terminal.reader.settle();
                changed |= take(inputs, screen, &mut terminal.output.pacer);
            }
            _ = terminal.signals.resize.recv() => {
                let size = terminal.tty.size();
                if size != terminal.size {
                    terminal.size = size;
                    screen.resized(size.0, size.1);
                    changed = true;
                }
            }
            _ = terminal.signals.stop.recv() => { terminal.stop()?; changed = true; }
            _ = terminal.signals.go_on.recv() => {}
            ready = terminal.tty.writable(), if blocked => {
                if ready.is_err() { return Ok(Exit::HungUp) }
            }
            notice = end.notices.recv(), if !engine_gone => match notice {
                Some(notice) => {
                    screen.notice(notice);
                    while let Ok(notice) = end.notices.try_recv() { screen.notice(notice) }
                    changed = true;
                }
                None => engine_gone = true,
            },
            fresh = end.snapshots.changed(), if !engine_gone => match fresh {
                Ok(()) => {
                    let snapshot = end.snapshots.borrow_and_update().clone();
                    screen.snapshot(snapshot);
                    changed = true;
                }
                Err(_) => engine_gone = true,
            },
            () = maybe_sleep(age) => changed = true,
            () = maybe_sleep(pace) => {}
        }
    }
}

/// Gives input to the screen; true where it may have changed what is shown.
fn take(inputs: Vec<Input>, screen: &mut impl Screen, pacer: &mut Pacer) -> bool {
    let mut changed = false;
    for input in inputs {
        match input {
            Input::Acknowledged => pacer.acknowledge(Instant::now()),
            Input::Key(key) => {
                screen.key(key);
                changed = true;
            }
            Input::Paste(text) => {
                screen.paste(text);
                changed = true;
            }
        }
    }
    changed
}

async fn maybe_sleep(duration: Option<Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}
