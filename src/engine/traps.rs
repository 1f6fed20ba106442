//! The listener for traps as a supervised source: started with the first plan that wants one, told of every change of the
//! inventory, started again when it ends, and its words made into events.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::plan::Plan;
use super::records::Records;
use super::supervise::panic_words;
use crate::model::{Host, TrapStatus};
use crate::net::Net;
use crate::probe::traps::{self, OwnEngine, Told, TrapCx, TrapSettings};
use crate::state::Event;
use crate::store;

/// How soon a listener that could not begin, or ended, is tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// What it has told and nobody has taken yet.
const TOLD: usize = 256;

#[derive(Debug)]
pub(super) struct Traps {
    net: Arc<Net>,
    events: mpsc::Sender<Event>,
    state: Option<PathBuf>,
    /// `--passive`: nothing is sent, so nothing is acknowledged.
    answers: bool,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    settings: Arc<TrapSettings>,
    hosts: watch::Sender<Arc<[Arc<Host>]>>,
    task: JoinHandle<()>,
}

impl Traps {
    /// `answers`: notifications that want it are confirmed.
    pub(super) fn new(net: Arc<Net>, events: mpsc::Sender<Event>, records: Option<&Records>, answers: bool) -> Self {
        Self {
            net,
            events,
            state: records.and_then(|records| records.directory().map(PathBuf::from)),
            answers,
            running: None,
        }
    }

    /// A new inventory, and perhaps other settings.
    pub(super) fn take_plan(&mut self, plan: &Plan) {
        let hosts: Arc<[Arc<Host>]> = plan.inventory.hosts.as_slice().into();
        let Some(settings) = &plan.traps else {
            self.shutdown();
            return;
        };
        if let Some(running) = &self.running
            && Arc::ptr_eq(&running.settings, settings)
        {
            running.hosts.send_replace(hosts);
            return;
        }
        let before = self.running.take().map(|running| running.task);
        let (sender, receiver) = watch::channel(hosts);
        let (net, events, state) = (self.net.clone(), self.events.clone(), self.state.clone());
        let (wanted, answers) = (settings.clone(), self.answers);
        let task = tokio::spawn(async move {
            // Its sockets must be free before ours can be opened.
            if let Some(before) = before {
                before.abort();
                let _ = before.await;
            }
            let own = tokio::task::spawn_blocking(move || store::own_engine(state.as_deref())).await;
            let Ok(store::OwnEngine { id, boots }) = own else { return };
            supervise(wanted, net, OwnEngine { id, boots }, receiver, events, answers).await;
        });
        self.running = Some(Running { settings: settings.clone(), hosts: sender, task });
    }

    pub(super) fn shutdown(&mut self) {
        if let Some(running) = self.running.take() {
            running.task.abort();
        }
    }
}

impl Drop for Traps {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Runs the listener again and again; what keeps it from running is told as its state.
async fn supervise(
    settings: Arc<TrapSettings>,
    net: Arc<Net>,
    own: OwnEngine,
    hosts: watch::Receiver<Arc<[Arc<Host>]>>,
    events: mpsc::Sender<Event>,
    answers: bool,
) {
    loop {
        let (out, mut told) = mpsc::channel(TOLD);
        let cx = TrapCx { net: net.clone(), own: own.clone(), hosts: hosts.clone(), out, answers };
        let listening = AssertUnwindSafe(traps::run(&settings, cx)).catch_unwind();
        let forwarding = async {
            while let Some(told) = told.recv().await {
                let event = match told {
                    Told::Notification(notification) => Event::Notified(notification),
                    Told::Status(status) => Event::Traps(status),
                };
                if events.send(event).await.is_err() {
                    break;
                }
            }
        };
        let (ended, ()) = tokio::join!(listening, forwarding);
        let problem = match ended {
            // The engine has ended.
            Ok(Ok(())) => return,
            Ok(Err(why)) => why,
            Err(panic) => {
                let words = panic_words(panic.as_ref());
                let fault = format!("internal error in the listener for traps: {words}");
                if events.send(Event::Fault(fault.as_str().into())).await.is_err() {
                    return;
                }
                fault
            }
        };
        tracing::warn!(%problem, "no traps are taken");
        let status = TrapStatus { problem: Some(problem.into()), ..TrapStatus::default() };
        if events.send(Event::Traps(status)).await.is_err() {
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}
