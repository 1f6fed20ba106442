//! The console of the tour: an [`App`] of its own on an engine of its own. Whoever drops it ends both.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::World;
use crate::bus::ScreenEnd;
use crate::ui::app::{App, Setup};
use crate::ui::clipboard::Clipboard;
use crate::ui::run::{News, Screen as _, Source as _};

/// News that are taken in one turn of the loop.
const TURN: usize = 32;

/// Who can start a simulated network. The screen does not know how.
pub trait Simulator: fmt::Debug {
    /// Starts one, and waits for nothing: this is called while the operator waits for a picture.
    ///
    /// # Errors
    /// Why there is none, in words.
    fn start(&mut self) -> Result<Simulation, String>;
}

/// A simulated network with an engine that watches it.
pub struct Simulation {
    pub end: ScreenEnd,
    /// How the system's own ssh is called, so that it finds the simulated hosts.
    pub system_ssh: Vec<String>,
    pub clipboard: Clipboard,
    /// Both end when this is dropped.
    pub life: Box<dyn Any + Send>,
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").field("end", &self.end).finish_non_exhaustive()
    }
}

/// What the engine says next, and the end that it was said to.
type Next = Pin<Box<dyn Future<Output = (ScreenEnd, News)> + Send>>;

pub struct Rehearsal {
    pub app: App,
    /// Kept from turn to turn: whoever is waited for must not be forgotten.
    next: Next,
    _life: Box<dyn Any + Send>,
}

impl fmt::Debug for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rehearsal").field("app", &self.app).finish_non_exhaustive()
    }
}

impl Rehearsal {
    /// With the keys and the looks of the operator's console, and nothing else of it.
    pub fn new(own: &App, simulation: Simulation) -> Self {
        let Simulation { mut end, system_ssh, clipboard, life } = simulation;
        let mut app = App::new(Setup {
            commands: end.commands.clone(),
            keymap: own.keymap.clone(),
            themes: own.themes.without_news(),
            capabilities: own.capabilities,
            target: None,
            system_ssh,
            messages: Vec::new(),
            trouble: std::sync::Arc::default(),
            clipboard,
            now: own.clock(),
        });
        app.world = World::Tour;
        app.zone = own.zone.clone();
        app.snapshot(end.newest());
        Self { app, next: next(end), _life: life }
    }

    /// Takes what has come from the engine and from the shells.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut ready = self.app.poll_sessions(cx).is_ready();
        for _ in 0..TURN {
            let Poll::Ready((end, news)) = self.next.as_mut().poll(cx) else { break };
            self.next = next(end);
            ready = true;
            match news {
                News::Notice(notice) => self.app.notice(notice),
                News::Snapshot(snapshot) => self.app.snapshot(snapshot),
                News::Gone => self.app.engine_gone(),
            }
        }
        if ready { Poll::Ready(()) } else { Poll::Pending }
    }
}

fn next(mut end: ScreenEnd) -> Next {
    Box::pin(async move {
        let news = end.next().await;
        (end, news)
    })
}
