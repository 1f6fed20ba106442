//! The simulated network of the tour: beside the operator's own, in the same process, and apart from it in everything else. It
//! has an engine, a state folder and a configuration of its own; its threads write no log, and only loopback is used.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use color_eyre::eyre::Result;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Dispatch;

use super::clipboard::clipboard;
use super::keeper::{self, Means, Past, Post};
use super::plans::{Plans, Supply};
use super::simulated::Lesson;
use super::way::Way;
use crate::base::Clock;
use crate::bus::{self, EngineEnd};
use crate::engine::desk::Desk;
use crate::ssh::Names;
use crate::state::{Mode, Snapshot};
use crate::ui::tour::{Simulation, Simulator};

/// How long whoever leaves the console waits, with the terminal given back, for the last tour to end: a network that has just begun
/// to start is not left half written.
const FAREWELL: Duration = Duration::from_secs(10);
/// How long what still runs of a tour may take.
const ENDING: Duration = Duration::from_secs(1);

/// Starts them, and sees that they have ended.
#[derive(Debug)]
pub struct Tours {
    clock: Clock,
    /// Each running one holds the other end.
    running: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Tours {
    pub fn new(clock: Clock) -> Self {
        let (running, ended) = channel();
        Self { clock, running: Some(running), ended }
    }

    fn begin(&self) -> Result<Simulation> {
        let lesson = Lesson::prepare()?;
        let first = Snapshot { at: self.clock.now(), ..Snapshot::default() };
        let (end, engine_end) = bus::pair(Arc::new(first));
        let stop = CancellationToken::new();
        let simulation = Simulation {
            end,
            system_ssh: lesson.ssh.system_ssh(),
            clipboard: clipboard(Some(&lesson.state())),
            life: Box::new(Life { _guard: stop.clone().drop_guard() }),
        };
        let (clock, running) = (self.clock, self.running.clone());
        std::thread::Builder::new().name("tour".to_owned()).spawn(move || {
            let silent = tracing::dispatcher::set_default(&Dispatch::none());
            let outcome = run(lesson, clock, engine_end, &stop);
            drop(silent);
            if let Err(error) = outcome {
                // The screen sees no network and says so by the step that waits for it; why is in the operator's log.
                tracing::error!(%error, "the tour has no network");
            }
            drop(running);
        })?;
        Ok(simulation)
    }
}

impl Simulator for Tours {
    fn start(&mut self) -> Result<Simulation, String> {
        self.begin().map_err(|error| format!("{error:#}"))
    }
}

impl Drop for Tours {
    /// Nothing of a tour is left behind where the console ends in the middle of one.
    fn drop(&mut self) {
        self.running = None;
        // Nothing is ever sent: it ends when the last of them has.
        let _ = self.ended.recv_timeout(FAREWELL);
    }
}

/// The tour ends when this is dropped.
struct Life {
    _guard: DropGuard,
}

/// What happens on this thread is written to no log: that is the operator's own network's.
fn silence() {
    let silent = tracing::dispatcher::set_default(&Dispatch::none());
    // For as long as the thread lives.
    std::mem::forget(silent);
}

fn runtime(name: &str) -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(1).thread_name(name).on_thread_start(silence).enable_all().build()
}

/// Runs the network and the engine that watches it until that ends.
fn run(lesson: Lesson, clock: Clock, end: EngineEnd, stop: &CancellationToken) -> Result<()> {
    let (network, engine) = (runtime("sim")?, runtime("tour")?);
    let ssh = lesson.ssh.clone();
    let state = lesson.state();
    lesson.run(network, |plans| {
        let mode = Mode::Polling;
        let desk = Desk::new(clock, mode, end, ssh.clone(), Names::default(), stop.clone());
        let plans: Plans = Box::new(move |found, events, confirmed| {
            silence();
            plans(found, events, confirmed);
        });
        let way = Way::Here(state.clone());
        let stop = stop.clone();
        let (state, plans, past) = (Some(state), Some(Supply::new(plans)), Past::default());
        let means = Means { clock, mode, state, ssh, plans, configuration: None, way, why: None, stop, past };
        engine.block_on(keeper::keep(desk, Post::Engine(None), means));
        engine.shutdown_timeout(ENDING);
    });
    Ok(())
}
