//! The loop of the screen: take everything that has come, then draw once, and only when something changed and
//! the terminal can take it. `select!` is the only place that waits; there is no tick.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustix::process::{Signal, getpid, kill_process};

use super::frame::{Capabilities, Frame};
pub use super::screen::{Exit, Screen};
use super::terminal::fence::{BACKGROUND, Fence};
use super::terminal::input::{Input, Reader};
use super::terminal::job;
use super::terminal::output::Output;
use super::terminal::signals::{Asked, Signals};
use super::terminal::tty::{self, Tty};
use crate::base::{Alarm, Clock};
use crate::bus::{Message, MessageWeight, Notice, ScreenEnd};
use crate::config::theme::Background;
use crate::state::Snapshot;

/// How long a lone ESC waits for the rest of a sequence. A line with a long round trip tears sequences apart
/// further; the operator waits for the round trip anyway.
const ESCAPE_DELAY: Duration = Duration::from_millis(25);
const LONGEST_ESCAPE_DELAY: Duration = Duration::from_millis(100);
/// A new size is believed when it has held for this long, so that a window being dragged costs few pictures.
const RESIZE_REST: Duration = Duration::from_millis(50);
const RESIZE_LONGEST: Duration = Duration::from_millis(450);
/// In the middle of a flood a picture is drawn this often; what comes alone is drawn at once.
const FLOOD_REST: Duration = Duration::from_millis(12);
/// Ages are not looked at more often than this.
const SHORTEST_WAKE: Duration = Duration::from_millis(50);
/// How long replies to our queries are waited for before the terminal goes back: they would be typed into
/// the shell.
const FAREWELL: Duration = Duration::from_millis(800);
/// A terminal that has not said in this time what it writes on will not say it any more.
const ANSWERED: Duration = Duration::from_secs(2);

/// The terminal and what is known of it.
#[derive(Debug)]
pub struct Terminal {
    tty: Tty,
    signals: Signals,
    reader: Reader,
    /// When what the reader holds is taken for what it is.
    settle_at: Option<Instant>,
    alarm: Alarm,
    output: Output,
    size: (u16, u16),
    drawn_at: Option<Instant>,
    /// Resizes not acted upon yet: when the first came, and when they will be.
    resizing: Option<(Instant, Instant)>,
    /// When the background was asked for, as long as neither it nor the answer to a later query has come.
    asked: Option<Instant>,
}

impl Terminal {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// There is no terminal.
    pub fn open(capabilities: Capabilities) -> io::Result<Self> {
        let signals = Signals::catch()?;
        let tty = Tty::open()?;
        let size = tty.size();
        Ok(Self {
            tty,
            signals,
            reader: Reader::default(),
            settle_at: None,
            alarm: Alarm::set_up(),
            output: Output::new(capabilities.colours),
            size,
            drawn_at: None,
            resizing: None,
            asked: None,
        })
    }

    /// Asks what the terminal writes on; a terminal that does not say is not waited for. To be called before anything
    /// is drawn.
    pub fn ask_background(&mut self) {
        // It has taken nothing yet but a few bytes, so it takes these; else it is not asked.
        let written = self.tty.write_directly(BACKGROUND).is_ok_and(|written| written == BACKGROUND.len());
        self.asked = written.then(Instant::now);
    }

    /// From here on nothing is read from it but the answers to our own queries.
    #[must_use]
    pub fn deaf(self) -> Self {
        Self { reader: Reader::deaf(), ..self }
    }

    /// Takes it again after others have used it; everything is drawn anew.
    fn resume(&mut self) -> io::Result<()> {
        if !self.tty.is_in_foreground() && job::has_shell() {
            // Let go on in the background: what is found there are the shell's own settings.
            return job::stop_for_the_terminal();
        }
        self.tty.take_again()?;
        self.output.forget();
        let now = Instant::now();
        self.resizing = Some((now, now));
        Ok(())
    }

    /// Waits for the replies that are still owed, then gives the terminal back.
    async fn leave(&mut self) {
        let until = tokio::time::Instant::now() + FAREWELL;
        let mut bytes = [0u8; 512];
        while (self.output.pacer.is_owed(Instant::now()) || self.asked.is_some_and(|at| at.elapsed() < ANSWERED))
            && !self.output.is_blocked()
        {
            let Ok(Ok(length)) = tokio::time::timeout_at(until, self.tty.read(&mut bytes)).await else { break };
            for input in self.reader.feed(&bytes[..length]) {
                match input {
                    Input::Acknowledged(fence) => self.acknowledge(fence),
                    Input::Background(..) => self.asked = None,
                    Input::Key(_) | Input::Paste(_) | Input::Mouse(_) => {}
                }
            }
        }
        self.output.forget();
        self.tty.release();
    }

    fn acknowledge(&mut self, fence: Fence) {
        // Answers come in the order of the queries: one to the background would have come first.
        self.asked = None;
        self.output.pacer.acknowledge(fence, Instant::now());
    }

    fn resize_due(&self) -> Option<Instant> {
        self.resizing.map(|(_, due)| due)
    }

    fn note_resize(&mut self) {
        let now = Instant::now();
        let first = self.resizing.map_or(now, |(first, _)| first);
        self.resizing = Some((first, (now + RESIZE_REST).min(first + RESIZE_LONGEST)));
    }

    /// Takes over a size that has come to rest; true where there is a new one.
    fn take_size(&mut self, now: Instant) -> bool {
        if self.resize_due().is_none_or(|due| now < due) {
            return false;
        }
        self.resizing = None;
        let size = self.tty.size();
        let new = size != self.size;
        self.size = size;
        new
    }

    /// Whether there is a screen to draw on, and it is ours.
    fn has_room(&self) -> bool {
        self.size.0 > 0 && self.size.1 > 0 && tty::is_taken()
    }

    fn draw(&mut self, screen: &impl Screen, clock: Clock) {
        let area = Rect::new(0, 0, self.size.0, self.size.1);
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

    /// Gives input to the screen; true where it may have changed what is shown.
    fn give(&mut self, inputs: Vec<Input>, screen: &mut impl Screen) -> bool {
        let mut changed = false;
        for input in inputs {
            match input {
                Input::Acknowledged(fence) => self.acknowledge(fence),
                Input::Background(red, green, blue) => {
                    self.asked = None;
                    screen.background(Background::of(red, green, blue));
                    changed = true;
                }
                Input::Key(key) => {
                    screen.key(key);
                    changed = true;
                }
                Input::Paste(text) => {
                    screen.paste(text);
                    changed = true;
                }
                Input::Mouse(mouse) => {
                    screen.mouse(mouse);
                    changed = true;
                }
            }
        }
        let delay = self.output.pacer.round_trip().map_or(ESCAPE_DELAY, |trip| trip / 2);
        let delay = delay.clamp(ESCAPE_DELAY, LONGEST_ESCAPE_DELAY);
        let waiting = self.reader.is_waiting();
        self.settle_at = waiting.then(|| self.settle_at.unwrap_or_else(|| Instant::now() + delay));
        changed
    }
}

/// Runs the screen until it ends. The terminal is given back before this returns.
///
/// # Errors
/// The terminal could not be taken again after a stop; a hang-up is an [`Exit`].
pub async fn run(
    screen: &mut impl Screen,
    terminal: &mut Terminal,
    end: &mut impl Source,
    clock: Clock,
) -> io::Result<Exit> {
    screen.tick(clock.now());
    if terminal.has_room() {
        screen.resized(terminal.size.0, terminal.size.1);
    }
    screen.snapshot(end.newest());
    let mut changed = true;
    loop {
        if let Some(ring) = screen.take_ring() {
            terminal.output.ring(&ring);
        }
        if let Some(clip) = screen.take_clip() {
            terminal.output.pacer.copy(&clip);
        }
        let exit = match screen.take_exit() {
            Some(Exit::Foreground(argv)) => {
                changed = true;
                step_aside(screen, terminal, end, &argv).await?
            }
            Some(Exit::Suspend) => {
                changed = true;
                suspend(screen, terminal).await?;
                None
            }
            Some(Exit::Redraw) => {
                changed = true;
                terminal.output.pacer.forget();
                None
            }
            Some(exit) => Some(exit),
            None => turn(screen, terminal, end, clock, &mut changed).await?,
        };
        match exit {
            Some(Exit::HungUp) => return Ok(Exit::HungUp),
            Some(exit) => {
                terminal.leave().await;
                return Ok(exit);
            }
            None => {}
        }
    }
}

/// One turn: draw if there is reason and room, write, wait for the next thing and take it.
async fn turn(
    screen: &mut impl Screen,
    terminal: &mut Terminal,
    end: &mut impl Source,
    clock: Clock,
    changed: &mut bool,
) -> io::Result<Option<Exit>> {
    let mut bytes = [0u8; 4096];
    let began = Instant::now();
    screen.tick(clock.now());
    if terminal.take_size(began) && terminal.has_room() {
        screen.resized(terminal.size.0, terminal.size.1);
        *changed = true;
    }
    // A picture that cannot leave yet is not drawn yet: it would be an old one when it can.
    let writing = terminal.resizing.is_none() && terminal.has_room();
    if writing {
        terminal.output.report_mouse(screen.wants_mouse());
        let is_new = terminal.drawn_at.is_none_or(|at| began.saturating_duration_since(at) >= FLOOD_REST);
        if *changed && terminal.output.is_open(began) && (is_new || !screen.is_behind()) {
            terminal.drawn_at = Some(began);
            terminal.draw(screen, clock);
            *changed = false;
        }
        if terminal.output.flush(&terminal.tty).is_err() {
            return Ok(Some(Exit::HungUp));
        }
    }
    let (now, asked) = (clock.now(), Instant::now());
    let age = screen.next_wake(now).map(|at| asked + at.since(now).max(SHORTEST_WAKE));
    let blocked = writing && terminal.output.is_blocked();
    let pace = terminal.output.pacer.wake_at(*changed).filter(|_| writing && !blocked);
    let alarm =
        [age.filter(|_| !*changed), pace, terminal.resize_due(), terminal.settle_at].into_iter().flatten().min();
    tokio::select! {
        biased;
        asked = terminal.signals.next() => match asked {
            Asked::End(number) | Asked::Interrupt(number) => return Ok(Some(Exit::Signal(number))),
            Asked::Resize => terminal.note_resize(),
            Asked::Stop => {
                terminal.leave().await;
                kill_process(getpid(), Signal::STOP)?;
            }
            Asked::GoOn => {
                terminal.resume()?;
                *changed = true;
            }
        },
        read = terminal.tty.read(&mut bytes) => {
            let Ok(length) = read else { return Ok(Some(Exit::HungUp)) };
            let inputs = terminal.reader.feed(&bytes[..length]);
            screen.tick(clock.now());
            *changed |= terminal.give(inputs, screen);
        }
        ready = terminal.tty.writable(), if blocked => {
            if ready.is_err() {
                return Ok(Some(Exit::HungUp));
            }
        }
        news = end.next() => {
            tell(screen, news);
            *changed = true;
        }
        () = std::future::poll_fn(|cx| screen.poll_sessions(cx)) => {
            *changed = true;
            // In a flood there is always more at hand; keys are seen only when the runtime gets to look.
            tokio::task::yield_now().await;
        }
        () = terminal.alarm.rings(alarm) => {
            let late = Instant::now();
            if terminal.settle_at.take_if(|at| *at <= late).is_some() {
                let inputs = terminal.reader.settle();
                *changed |= terminal.give(inputs, screen);
            }
            *changed |= age.is_some_and(|at| at <= late);
        }
    }
    Ok(None)
}

/// Stops as a job of the shell; SIGCONT, which has come by then, takes the terminal again.
async fn suspend(screen: &mut impl Screen, terminal: &mut Terminal) -> io::Result<()> {
    if !job::has_shell() {
        let text = "there is no shell to go back to: this is no job of one".into();
        screen.notice(Notice::Message(Message { weight: MessageWeight::Warning, text }));
        return Ok(());
    }
    terminal.leave().await;
    job::stop()
}

/// Lets a program have the terminal to its end. The engine's news are taken meanwhile; interrupts are the
/// program's own affair.
async fn step_aside(
    screen: &mut impl Screen,
    terminal: &mut Terminal,
    end: &mut impl Source,
    argv: &[String],
) -> io::Result<Option<Exit>> {
    let Some((program, arguments)) = argv.split_first() else { return Ok(None) };
    terminal.leave().await;
    let outcome = match tokio::process::Command::new(program).args(arguments).kill_on_drop(true).spawn() {
        Ok(mut child) => loop {
            tokio::select! {
                status = child.wait() => break status,
                asked = terminal.signals.next() => match asked {
                    Asked::End(number) => return Ok(Some(Exit::Signal(number))),
                    // The program got it too and has stopped.
                    Asked::Stop => kill_process(getpid(), Signal::STOP)?,
                    Asked::Interrupt(_) | Asked::GoOn | Asked::Resize => {}
                },
                news = end.next() => tell(screen, news),
            }
        },
        Err(error) => Err(error),
    };
    if terminal.resume().is_err() {
        return Ok(Some(Exit::HungUp));
    }
    screen.foreground_ended(argv, outcome);
    Ok(None)
}

#[derive(Debug)]
pub enum News {
    Notice(Notice),
    Snapshot(Arc<Snapshot>),
    /// The engine has gone.
    Gone,
}

/// Where the news come from.
pub trait Source {
    fn newest(&mut self) -> Arc<Snapshot>;

    /// What is said next. Nothing is lost where the future is dropped before it is ready.
    fn next(&mut self) -> impl Future<Output = News>;
}

impl Source for ScreenEnd {
    fn newest(&mut self) -> Arc<Snapshot> {
        self.snapshots.borrow_and_update().clone()
    }

    /// Nothing, for ever, when the engine is gone.
    async fn next(&mut self) -> News {
        tokio::select! {
            biased;
            Some(notice) = self.notices.recv() => News::Notice(notice),
            Ok(()) = self.snapshots.changed() => News::Snapshot(self.snapshots.borrow_and_update().clone()),
            else => std::future::pending().await,
        }
    }
}

fn tell(screen: &mut impl Screen, news: News) {
    match news {
        News::Notice(notice) => screen.notice(notice),
        News::Snapshot(snapshot) => screen.snapshot(snapshot),
        News::Gone => screen.engine_gone(),
    }
}
