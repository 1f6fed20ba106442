//! How an engine ends: in order, or by a panic of its own. Either way what was to be written down is.

use std::any::Any;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{Engine, Ran, Setup};
use crate::base::Timestamp;
use crate::bus::{Asker, EngineEnd, Ticket};
use crate::engine::asker::answer;
use crate::engine::notify::Delivered;
use crate::engine::records::{Records, Saved};
use crate::engine::sessions::Sessions;
use crate::engine::supervise::panic_words;
use crate::model::{Policy, Session};
use crate::state::{Event, Link, Mode, Snapshot};

/// How long the disk may take after a panic before the next engine begins without it.
const CLOSING: Duration = Duration::from_secs(10);
/// Nothing is so young that it is not old then.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What is left of an engine that panicked, for the next one.
#[derive(Debug)]
pub struct Broken {
    pub panic: Box<dyn Any + Send>,
    /// Of the panic.
    pub words: String,
    pub end: EngineEnd,
    /// They go on.
    pub sessions: Sessions,
    pub events: mpsc::Receiver<Event>,
    pub event_sender: mpsc::Sender<Event>,
    /// What sessions said that no engine has heard.
    pub told: Vec<Session>,
}

impl Engine {
    /// Ends what runs, in an order in which nothing that is to be told or written down is lost.
    pub(super) async fn wind_up(mut self, mut setup: Setup, mut delivered: mpsc::Receiver<Delivered>) -> Ran {
        self.sessions.shutdown();
        self.traps.shutdown();
        if self.mode != Mode::Passive {
            let times = (self.clock.now(), self.clock.wall());
            let untold = self.notify.farewell(times, &self.net, &mut delivered).await;
            if untold > 0 {
                tracing::warn!(changes = untold, "the engine ends before they are told; the next one tells them");
            }
        }
        self.tasks.shutdown().await;
        let now = self.clock.now();
        if self.dirty {
            self.publish(&setup.end, now);
        }
        self.remember(now);
        self.log(now);
        self.write_down();
        if let Some(records) = self.records.take() {
            // The last states and notes reach the disk before the process ends. Nobody reads events any more: whoever
            // waits to send one must not hold that up.
            setup.events.close();
            while setup.events.try_recv().is_ok() {}
            let notes = self.notify.notes();
            let closed = tokio::task::spawn_blocking(|| records.close_with(notes)).await;
            if closed.is_err() {
                tracing::error!("the records could not be closed");
            }
        }
        Ran {
            late: self.schedule.late(),
            rounds: self.schedule.rounds_took(),
            complete: self.schedule.is_over(),
            ..self.ran
        }
    }

    /// Ends what runs after a panic. That is said before anything else, and nothing of what was shown is fresh any more. Its own state
    /// may be half done and is not kept; what people wrote reaches the disk, and whoever waits for an answer has it.
    pub(super) async fn break_off(
        mut self,
        setup: Setup,
        mut answers: mpsc::Receiver<(Asker, Ticket, Saved)>,
        panic: Box<dyn Any + Send>,
    ) -> Broken {
        let words = panic_words(panic.as_ref());
        tracing::error!(%words, "the engine panicked");
        let now = self.clock.now();
        setup.end.snapshots.send_modify(|shown| *shown = Arc::new(disowned(shown, now, &words)));
        self.traps.shutdown();
        self.tasks.shutdown().await;
        self.write_down();
        let notes = self.notify.notes();
        let Self { sessions, records, saved, .. } = self;
        // What waits for the journal has ends of its own.
        drop(saved);
        let Setup { end, mut events, event_sender, .. } = setup;
        // These may have to wait for the disk.
        tokio::spawn(async move {
            while let Some((asker, ticket, saved)) = answers.recv().await {
                answer(ticket, saved, &asker);
            }
        });
        let closing = tokio::task::spawn_blocking(|| records.map(|records: Records| records.close_with(notes)));
        let mut closing = pin!(tokio::time::timeout(CLOSING, closing));
        let mut told = Vec::new();
        loop {
            tokio::select! {
                closed = &mut closing => {
                    if closed.is_err() {
                        tracing::error!("the disk takes nothing: the records are not closed");
                    }
                    break;
                }
                // Whoever waits to send one must not hold that up.
                Some(event) = events.recv() => {
                    if let Event::Session(session) = event {
                        told.push(session);
                    }
                }
            }
        }
        Broken { panic, words, end, sessions, events, event_sender, told }
    }
}

/// What was shown, with nobody behind it: nothing of it is fresh.
fn disowned(shown: &Snapshot, now: Timestamp, words: &str) -> Snapshot {
    let mut out = shown.aged(&Policy::default(), now.plus(FOR_EVER)).unwrap_or_else(|| shown.clone());
    out.revision += 1;
    out.engine.link = Link::Lost { since: now, what: format!("internal error of the engine: {words}").into() };
    out
}
