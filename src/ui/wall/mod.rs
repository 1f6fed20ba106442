//! The wall: pages that turn by themselves, for a terminal that nobody sits at. It holds a view and no way to send anything;
//! what is typed never reaches it. A page stops turning when something new is critical, a problem that nobody takes on
//! grows, and when the data stops, the whole wall says so: a dead wall must look dead.
//!
//! What is drawn follows from the last snapshot and the time alone. Nothing here grows with the days.

mod alarm;
mod big;
mod forms;
mod grid;
mod pulse;
mod rotation;
mod scope;
mod sheet;
#[cfg(test)]
mod tests;
mod upkeep;
pub mod view;

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use jiff::tz::TimeZone;

use self::alarm::Alarm;
use self::pulse::Pulse;
use self::rotation::{Patience, Rotation, Turn};
use self::scope::Scope;
use super::frame::Frame;
use super::look::Look;
use super::parts::Parts;
use super::run::{Exit, Screen};
use super::screen::Ring;
use super::themes::Themes;
use crate::base::Timestamp;
use crate::bus::{Call, Notice};
use crate::config::WallOptions;
use crate::config::key::Key;
use crate::config::theme::Background;
use crate::config::wall::{Form, Page, Sound};
use crate::model::Condition;
use crate::state::lookup::Lookup;
use crate::state::{Link, Problem, Snapshot};

/// Sounds are not made more often than this.
const QUIET: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Wall {
    snapshot: Arc<Snapshot>,
    look: Look,
    themes: Themes,
    options: WallOptions,
    scopes: Vec<Scope>,
    /// How hosts stand together with their ports and what they say of themselves.
    parts: Parts,
    /// Who hangs where, for filters that ask; else empty.
    lookup: Lookup,
    rotation: Rotation,
    alarm: Alarm,
    pulse: Pulse,
    /// The clock beside UTC.
    zone: Option<TimeZone>,
    ring: Option<Ring>,
    rang: Option<Timestamp>,
    /// What is wrong with the configuration, for as long as the wall runs.
    trouble: Option<String>,
    /// The engine of another process that was shown last.
    attached: Option<String>,
    started: Timestamp,
    now: Timestamp,
    /// How it is left, in words.
    ends_by: String,
}

impl Wall {
    /// `now` is when it begins.
    pub fn new(mut options: WallOptions, themes: Themes, trouble: Option<String>, now: Timestamp) -> Self {
        let chosen = !options.pages.is_empty();
        if !chosen {
            options.pages = Form::ALL.iter().map(|(form, _)| Page::of(*form)).collect();
        }
        let zone = match &options.timezone {
            Some(name) => TimeZone::get(name).ok(),
            None => Some(TimeZone::system()),
        };
        Self {
            snapshot: Arc::default(),
            look: themes.look().on_a_wall(),
            themes,
            scopes: options.pages.iter().map(|page| Scope::new(page, chosen)).collect(),
            parts: Parts::default(),
            lookup: Lookup::default(),
            rotation: Rotation::new(options.pages.iter().map(|page| page.seconds).collect(), now),
            alarm: Alarm::default(),
            pulse: Pulse::new(now),
            zone,
            ring: None,
            rang: None,
            trouble,
            attached: None,
            started: now,
            now,
            options,
            ends_by: format!("takes no keys, ends by: kill {}", std::process::id()),
        }
    }

    /// The same in front of a console.
    #[must_use]
    pub fn in_front(self) -> Self {
        Self { ends_by: "any key comes back".to_owned(), ..self }
    }

    /// What is critical and new holds the pages; what was held for and is handled lets them go.
    fn take_alarms(&mut self) {
        let news = self.alarm.take(&self.snapshot.problems, self.now);
        let Some(first) = news.first() else {
            if self.alarm.is_handled() {
                self.rotation.release(self.now);
            }
            return;
        };
        let patience = Patience { stay: self.options.hold, most: self.options.hold_limit };
        self.rotation.hold(self.now, patience);
        if self.rang.is_some_and(|at| self.now.since(at) < QUIET) {
            return;
        }
        let words = || {
            let problem = self.snapshot.problems.iter().find(|p| p.target == *first);
            let words = problem.map(|p| format!("{} {}: {}", p.title.line(), p.word, p.reason.line()));
            crate::base::text::clean(&words.unwrap_or_default())
        };
        self.ring = match self.options.sound {
            Sound::Off => None,
            Sound::Bell => Some(Ring::Bell),
            Sound::Notification => {
                Some(Ring::Notification(Call { words: words(), desktop: self.options.notification }))
            }
        };
        self.rang = self.ring.is_some().then_some(self.now).or(self.rang);
    }

    /// Pages that have something to show; those that somebody wrote down are shown in any case. Where something critical waits
    /// for somebody, the page that it is on comes before the others.
    fn choose_pages(&mut self) {
        if self.scopes.iter().any(Scope::needs_lookup) {
            self.lookup.refresh(&self.snapshot);
            self.scopes.iter_mut().for_each(|scope| scope.resolve(&self.lookup));
        }
        let turn = |scope: &Scope| match scope.has_something(&self.snapshot) {
            false => Turn::Skipped,
            true if scope.is_alarmed(&self.snapshot, self.now) => Turn::First,
            true => Turn::InOrder,
        };
        let turns = self.scopes.iter().map(turn).collect();
        self.rotation.show(turns, self.now);
    }
}

/// How long a critical problem has had no owner.
fn unowned(problem: &Problem, now: Timestamp) -> Option<Duration> {
    let open = problem.condition == Condition::Critical && !problem.care.is_handled();
    open.then(|| now.since(problem.care.unowned_since.unwrap_or(problem.since)))
}

impl Screen for Wall {
    /// No input is accepted.
    fn key(&mut self, _: Key) {}

    fn paste(&mut self, _: String) {}

    /// Everything is laid out anew for each picture.
    fn resized(&mut self, _: u16, _: u16) {}

    fn tick(&mut self, now: Timestamp) {
        self.now = now;
        self.rotation.tick(now);
    }

    fn snapshot(&mut self, snapshot: Arc<Snapshot>) {
        self.pulse.take(&snapshot, self.now);
        if let Link::Attached(attached) = &snapshot.engine.link {
            self.attached = Some(attached.who());
        }
        self.snapshot = snapshot;
        self.parts = Parts::of(&self.snapshot);
        self.choose_pages();
        self.take_alarms();
    }

    fn engine_gone(&mut self) {
        self.pulse.gone(self.now);
    }

    /// Nobody is there to be told anything.
    fn notice(&mut self, _: Notice) {}

    fn background(&mut self, background: Background) {
        if self.themes.set_background(background) {
            self.look = self.themes.look().on_a_wall();
        }
    }

    /// The theme in use is shown anew when its file has changed. What is wrong in it goes to the log: nobody is there to be told.
    fn poll_sessions(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Poll::Ready(problems) = self.themes.poll(cx) else { return Poll::Pending };
        for problem in problems {
            tracing::warn!("{problem}");
        }
        self.look = self.themes.look().on_a_wall();
        Poll::Ready(())
    }

    fn take_ring(&mut self) -> Option<Ring> {
        self.ring.take()
    }

    fn draw(&self, frame: &mut Frame<'_>) {
        sheet::draw(self, frame);
    }

    /// Its clock and its heartbeat move each second.
    fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        Some(now.plus(Duration::from_millis(1)).next_whole_second())
    }

    fn take_exit(&mut self) -> Option<Exit> {
        None
    }

    fn foreground_ended(&mut self, _: &[String], _: io::Result<ExitStatus>) {}
}
