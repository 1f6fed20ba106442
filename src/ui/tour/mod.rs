//! The tour: a console on a simulated network, and a strip below it that says what to do next and sees whether it was done.
//!
//! [`Stage`] stands between the loop and the operator's own console. While the tour is on a network of its own, keys and the
//! picture are those of a second console with an engine of its own; the operator's goes on behind it with what comes from its
//! engine, and nothing that is done in the tour can reach it: no value of it is lent out. What of the operator's own network must
//! not wait is said in the strip. In the console of `noctty demo`, which is simulated already, the strip alone is added.

mod guide;
mod rehearsal;
mod scene;
mod steps;
mod strip;

use std::collections::HashSet;
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::task::{Context, Poll};

use self::guide::Guide;
use self::rehearsal::Rehearsal;
pub use self::rehearsal::{Simulation, Simulator};
use self::strip::Strip;
use super::action::Action;
use super::app::App;
use super::clipboard::Clip;
use super::frame::Frame;
use super::overlays::Overlay;
use super::run::{Exit, Screen};
use super::screen::{Mouse, Ring};
use crate::base::Timestamp;
use crate::bus::{MessageWeight, Notice};
use crate::config::key::Key;
use crate::config::keymap::Lookup;
use crate::config::theme::Background;
use crate::model::{Condition, Target};
use crate::state::{Link, Snapshot};

/// What a console shows, as far as it must be told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum World {
    #[default]
    Real,
    /// The simulated network of `noctty demo`.
    Demo,
    /// The one of the tour, in front of the operator's own console.
    Tour,
}

/// What may be asked of the tour by a key or a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Begin, or go on where it was left.
    Start,
    /// From the first step.
    Again,
    Next,
    Back,
    End,
}

impl Wish {
    /// The arguments of `:tour`.
    pub const NAMES: [(&'static str, Self); 4] =
        [("again", Self::Again), ("next", Self::Next), ("back", Self::Back), ("end", Self::End)];

    pub fn named(name: &str) -> Option<Self> {
        if name.is_empty() {
            return Some(Self::Start);
        }
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, wish)| *wish)
    }
}

/// The operator's console, and the tour where one is under way.
#[derive(Debug)]
pub struct Stage {
    app: App,
    /// The console of the tour, where that is another one.
    rehearsal: Option<Rehearsal>,
    guide: Option<Guide>,
    /// The step that was left.
    left_at: usize,
    /// What was critical in the operator's network when the tour began.
    known: HashSet<Target>,
    alert: Option<String>,
    size: (u16, u16),
    now: Timestamp,
    simulator: Box<dyn Simulator>,
}

impl Stage {
    pub fn new(app: App, simulator: Box<dyn Simulator>) -> Self {
        Self {
            app,
            rehearsal: None,
            guide: None,
            left_at: 0,
            known: HashSet::new(),
            alert: None,
            size: (0, 0),
            now: Timestamp(0),
            simulator,
        }
    }

    /// The operator's own console, after the loop.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Begins the tour, before the loop.
    pub fn start(&mut self, now: Timestamp) {
        self.now = now;
        self.obey(Wish::Start);
    }

    fn shown(&self) -> &App {
        self.rehearsal.as_ref().map_or(&self.app, |rehearsal| &rehearsal.app)
    }

    fn shown_mut(&mut self) -> &mut App {
        self.rehearsal.as_mut().map_or(&mut self.app, |rehearsal| &mut rehearsal.app)
    }

    /// What the console that is shown has of the screen.
    fn room(&self) -> (u16, u16) {
        let strip = if self.guide.is_some() { strip::height(self.size) } else { 0 };
        (self.size.0, self.size.1 - strip)
    }

    fn fit(&mut self) {
        let (width, height) = self.room();
        if width > 0 && height > 0 {
            self.shown_mut().resized(width, height);
        }
    }

    /// After anything that may have changed what is shown.
    fn look(&mut self) {
        if let Some(wish) = self.shown_mut().tour_wish.take() {
            self.obey(wish);
        }
        let app = self.rehearsal.as_ref().map_or(&self.app, |rehearsal| &rehearsal.app);
        if let Some(guide) = &mut self.guide {
            guide.look(app, self.now);
        }
    }

    fn obey(&mut self, wish: Wish) {
        let now = self.now;
        let app = self.rehearsal.as_ref().map_or(&self.app, |rehearsal| &rehearsal.app);
        match (wish, &mut self.guide) {
            (Wish::Start, None) => self.begin(self.left_at),
            (Wish::Again, None) => self.begin(0),
            (Wish::Again, Some(guide)) => *guide = Guide::from(0, app, now),
            (Wish::Next, Some(guide)) if guide.step().is_some() => guide.skip(app, now),
            (Wish::Back, Some(guide)) => guide.back(app, now),
            (Wish::Next | Wish::End, Some(_)) => self.end(),
            (Wish::Start, Some(_)) => self.say("the tour is on its way; :tour again begins anew, :tour end leaves it"),
            (Wish::Next | Wish::Back | Wish::End, None) => self.say("no tour is under way: :tour begins it"),
        }
    }

    fn say(&mut self, words: &str) {
        self.shown_mut().say(MessageWeight::Note, words);
    }

    fn begin(&mut self, at: usize) {
        if self.app.world == World::Real {
            match self.simulator.start() {
                Ok(simulation) => {
                    let mut rehearsal = Rehearsal::new(&self.app, simulation);
                    rehearsal.app.tick(self.now);
                    self.rehearsal = Some(rehearsal);
                    self.known = critical(self.app.live()).map(|(target, _)| target).collect();
                    self.alert = None;
                }
                Err(why) => {
                    self.app.say(MessageWeight::Error, format!("the tour cannot begin: {why}"));
                    return;
                }
            }
        }
        self.guide = Some(Guide::from(at, self.shown(), self.now));
        self.fit();
    }

    /// Back to the operator's own console as it was left; the engine of the tour ends.
    fn end(&mut self) {
        self.left_at = self.guide.take().map_or(0, |guide| if guide.step().is_some() { guide.at() } else { 0 });
        let away = self.rehearsal.take().is_some();
        self.alert = None;
        self.fit();
        let again = if self.left_at == 0 { "" } else { "; :tour goes on where it was left" };
        let words = if away { "this is your own network again" } else { "the tour is over" };
        self.say(&format!("{words}{again}"));
    }

    /// What happened in the operator's network since the tour began, in a line.
    fn news(&self) -> Option<String> {
        self.rehearsal.as_ref()?;
        let live = self.app.live();
        let new: Vec<(Target, String)> = critical(live).filter(|(target, _)| !self.known.contains(target)).collect();
        if let Some((_, title)) = new.first() {
            return Some(format!("YOUR NETWORK: {} new critical: {title}", new.len()));
        }
        if let Link::Lost { what, .. } = &live.engine.link {
            return Some(format!("YOUR NETWORK is not polled: {what}"));
        }
        let asked = self.app.overlays.iter().any(|overlay| matches!(overlay, Overlay::Question(_)));
        asked.then(|| "YOUR CONSOLE asks something".to_owned())
    }

    /// The keys of the tour work wherever one is, but for a shell: that has all keys.
    fn tour_key(&self, key: Key) -> Option<Action> {
        self.guide.as_ref()?;
        let app = self.shown();
        let Lookup::Action(name) = app.keymap.look_up(&[key]) else { return None };
        let action = Action::named(name).filter(|_| !app.is_typing())?;
        matches!(action, Action::TourNext | Action::TourBack | Action::TourEnd).then_some(action)
    }
}

/// What is critical and nobody was told to leave alone.
fn critical(snapshot: &Snapshot) -> impl Iterator<Item = (Target, String)> {
    let problems = snapshot.problems.iter();
    let bad = problems.filter(|problem| problem.condition == Condition::Critical && problem.care.maintenance.is_none());
    bad.map(|problem| (problem.target.clone(), problem.title.line()))
}

impl Screen for Stage {
    fn key(&mut self, key: Key) {
        match self.tour_key(key) {
            Some(action) => self.shown_mut().act(action),
            None => self.shown_mut().key(key),
        }
        self.look();
    }

    fn mouse(&mut self, mouse: Mouse) {
        self.shown_mut().mouse(mouse);
        self.look();
    }

    fn wants_mouse(&self) -> bool {
        self.app.pointer.on && self.shown().wants_mouse()
    }

    fn paste(&mut self, text: String) {
        self.shown_mut().paste(text);
        self.look();
    }

    fn resized(&mut self, columns: u16, rows: u16) {
        self.size = (columns, rows);
        if self.rehearsal.is_some() {
            self.app.resized(columns, rows);
        }
        self.fit();
    }

    fn snapshot(&mut self, snapshot: Arc<Snapshot>) {
        self.app.snapshot(snapshot);
        self.alert = self.news();
        self.look();
    }

    fn notice(&mut self, notice: Notice) {
        self.app.notice(notice);
        self.alert = self.news();
        self.look();
    }

    fn background(&mut self, background: Background) {
        self.app.background(background);
        if let Some(rehearsal) = &mut self.rehearsal {
            rehearsal.app.background(background);
        }
    }

    fn poll_sessions(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut ready = self.app.poll_sessions(cx).is_ready();
        if let Some(rehearsal) = &mut self.rehearsal {
            ready |= rehearsal.poll(cx).is_ready();
        }
        if ready {
            self.look();
            return Poll::Ready(());
        }
        Poll::Pending
    }

    fn is_behind(&self) -> bool {
        self.app.is_behind() || self.shown().is_behind()
    }

    fn tick(&mut self, now: Timestamp) {
        self.now = now;
        self.app.tick(now);
        if let Some(rehearsal) = &mut self.rehearsal {
            rehearsal.app.tick(now);
        }
        if self.guide.as_ref().and_then(Guide::due).is_some_and(|due| due <= now) {
            self.look();
        }
    }

    fn engine_gone(&mut self) {
        self.app.engine_gone();
        self.alert = self.news();
    }

    fn take_clip(&mut self) -> Option<Clip> {
        self.shown_mut().take_clip().or_else(|| self.app.take_clip())
    }

    /// The tour's own network rings nobody.
    fn take_ring(&mut self) -> Option<Ring> {
        if let Some(rehearsal) = &mut self.rehearsal {
            rehearsal.app.take_ring();
        }
        self.app.take_ring()
    }

    fn draw(&self, frame: &mut Frame<'_>) {
        let whole = frame.area;
        let Some(guide) = &self.guide else {
            self.app.draw(frame);
            return;
        };
        let rows = strip::height((whole.width, whole.height));
        frame.area.height -= rows;
        self.shown().draw(frame);
        frame.area = whole;
        let away = self.rehearsal.is_some();
        strip::draw(Strip { app: self.shown(), guide, alert: self.alert.as_deref(), away }, frame);
        // Where there is no header to say it, or a box may cover it.
        if whole.height - rows < 6 {
            strip::mark(self.shown(), frame);
        }
    }

    fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self.guide.as_ref().and_then(Guide::due);
        let behind = self.rehearsal.as_ref().and_then(|_| self.app.next_wake(now));
        [self.shown().next_wake(now), due, behind].into_iter().flatten().min()
    }

    /// Leaving the tour's console leaves the tour, and nothing else.
    fn take_exit(&mut self) -> Option<Exit> {
        match self.shown_mut().take_exit() {
            Some(Exit::Quit) if self.rehearsal.is_some() => {
                self.end();
                None
            }
            exit => exit,
        }
    }

    fn foreground_ended(&mut self, argv: &[String], outcome: io::Result<ExitStatus>) {
        self.shown_mut().foreground_ended(argv, outcome);
    }
}
