//! Interactive SSH sessions: one task each, from "connecting" to the exit status. The operator's agent, keys and
//! answers stay in this process. A session that panics or is closed hurts no other, and its questions are
//! withdrawn.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::supervise::panic_words;
use crate::base::text;
use crate::bus::{self, Notice, PromptAnswer, SessionInput};
use crate::model::{AssetId, Host, PromptId, Session, SessionId, SessionStatus};
use crate::ssh::{
    Answer, Attendant, Connection, Names, Outlets, Progress, ShellInput, Size, SshConfig, SshError, Surroundings,
    Target, Terminal,
};
use crate::state::Event;

/// The terminal that a pane is.
const TERMINAL: &str = "xterm-256color";
const PROGRESS: usize = 16;

impl From<SessionInput> for ShellInput {
    fn from(input: SessionInput) -> Self {
        match input {
            SessionInput::Bytes(bytes) => Self::Bytes(bytes),
            SessionInput::Resize { columns, rows } => Self::Resize { columns, rows },
        }
    }
}

/// Questions that wait for the operator, and which session asks.
type Questions = Arc<Mutex<BTreeMap<PromptId, (SessionId, oneshot::Sender<Answer>)>>>;

/// All sessions of this console.
#[derive(Debug)]
pub struct Sessions {
    notices: mpsc::Sender<Notice>,
    events: mpsc::Sender<Event>,
    questions: Questions,
    running: BTreeMap<SessionId, AbortHandle>,
    next: u32,
    next_prompt: Arc<std::sync::atomic::AtomicU64>,
    surroundings: Surroundings,
    names: Names,
}

impl Sessions {
    /// `names` know the last addresses of what does not resolve now.
    pub fn new(
        notices: mpsc::Sender<Notice>,
        events: mpsc::Sender<Event>,
        surroundings: Surroundings,
        names: Names,
    ) -> Self {
        Self {
            notices,
            events,
            questions: Questions::default(),
            running: BTreeMap::new(),
            next: 1,
            next_prompt: Arc::default(),
            surroundings,
            names,
        }
    }

    /// An engine in this process knows more names.
    pub fn know(&mut self, names: &Names) {
        self.names = names.clone();
    }

    /// Begins a session with a host; everything after that comes as notices and events.
    pub fn open(&mut self, host: &Arc<Host>, columns: u16, rows: u16) -> SessionId {
        self.running.retain(|_, task| !task.is_finished());
        let id = SessionId(self.next);
        self.next += 1;
        let place = Place {
            id,
            asset: host.id.clone(),
            title: host.name.clone(),
            notices: self.notices.clone(),
            events: self.events.clone(),
            questions: self.questions.clone(),
            next_prompt: self.next_prompt.clone(),
        };
        let host = host.clone();
        let (surroundings, names) = (self.surroundings.clone(), self.names.clone());
        let task = tokio::spawn(async move {
            let size = Size { columns: columns.max(2), rows: rows.max(1) };
            let done = AssertUnwindSafe(run(&place, &host, surroundings, &names, size)).catch_unwind().await;
            let closed = done.unwrap_or_else(|panic| {
                let reason = format!("internal error: {}", panic_words(panic.as_ref()));
                SessionStatus::Closed { reason: reason.into(), exit_status: None, offer_system_ssh: true }
            });
            place.withdraw().await;
            place.status(closed).await;
        });
        self.running.insert(id, task.abort_handle());
        id
    }

    /// Hands the operator's answer to whoever asked; an answer to a withdrawn question is dropped.
    pub fn answer(&mut self, prompt: PromptId, answer: PromptAnswer) {
        let waiting = self.questions.lock().unwrap_or_else(PoisonError::into_inner).remove(&prompt);
        if let Some((_, asked)) = waiting {
            let answer = match answer {
                PromptAnswer::Text(text) => Answer::Text(text),
                PromptAnswer::Yes => Answer::Yes,
                PromptAnswer::Cancel => Answer::Cancel,
            };
            // The session may have ended in the meantime.
            let _ = asked.send(answer);
        }
    }

    /// Ends a session if it still runs, and forgets it.
    pub fn close(&mut self, id: SessionId) {
        if let Some(task) = self.running.remove(&id) {
            task.abort();
        }
        let withdrawn: Vec<PromptId> = {
            let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
            let of_session = questions.iter().filter(|(_, (session, _))| *session == id).map(|(p, _)| *p).collect();
            questions.retain(|_, (session, _)| *session != id);
            of_session
        };
        let (notices, events) = (self.notices.clone(), self.events.clone());
        // Its own task, so that a full lane to the screen cannot hold up the engine.
        tokio::spawn(async move {
            for prompt in withdrawn {
                let _ = notices.send(Notice::PromptWithdrawn(prompt)).await;
            }
            let _ = events.send(Event::SessionForgotten(id)).await;
        });
    }

    /// Ends all.
    pub fn shutdown(&mut self) {
        for (_, task) in std::mem::take(&mut self.running) {
            task.abort();
        }
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// What one session's task knows of the rest.
#[derive(Clone, Debug)]
struct Place {
    id: SessionId,
    asset: AssetId,
    title: Arc<str>,
    notices: mpsc::Sender<Notice>,
    events: mpsc::Sender<Event>,
    questions: Questions,
    next_prompt: Arc<std::sync::atomic::AtomicU64>,
}

impl Place {
    fn session(&self, status: SessionStatus) -> Session {
        Session { id: self.id, asset: self.asset.clone(), title: self.title.clone(), status }
    }

    async fn status(&self, status: SessionStatus) {
        // The engine or the screen is gone: then nobody is left to be told.
        let _ = self.events.send(Event::Session(self.session(status))).await;
    }

    async fn withdraw(&self) {
        let mine: Vec<PromptId> = {
            let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
            let mine = questions.iter().filter(|(_, (session, _))| *session == self.id).map(|(p, _)| *p).collect();
            questions.retain(|_, (session, _)| *session != self.id);
            mine
        };
        for prompt in mine {
            let _ = self.notices.send(Notice::PromptWithdrawn(prompt)).await;
        }
    }

    /// Passes on what happens while the connection is made; banners go to the pane itself.
    async fn follow(&self, mut progress: mpsc::Receiver<Progress>, output: mpsc::Sender<Vec<u8>>) {
        while let Some(item) = progress.recv().await {
            match item {
                Progress::Step(words) | Progress::Remark(words) => {
                    show(&output, &words).await;
                    self.status(SessionStatus::Opening(words.into())).await;
                }
                Progress::Banner { hop, text } => {
                    show(&output, &format!("{hop} says:")).await;
                    for line in text.lines().iter().take(100) {
                        show(&output, &format!("  {line}")).await;
                    }
                }
                Progress::Question { prompt, answer } => {
                    let id = PromptId(self.next_prompt.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
                    let entry = (self.id, answer);
                    self.questions.lock().unwrap_or_else(PoisonError::into_inner).insert(id, entry);
                    let _ = self.notices.send(Notice::Prompt { session: self.id, id, prompt }).await;
                }
            }
        }
    }
}

/// A line of the console's own in the pane, dim; the words are clean.
async fn show(output: &mpsc::Sender<Vec<u8>>, words: &str) {
    let _ = output.send(format!("\x1b[2m{words}\x1b[0m\r\n").into_bytes()).await;
}

/// What is given to SSH for a host: its alias, else its name where `ssh_config` has it, else its address.
fn target_of<'a>(host: &'a Host, config: &SshConfig) -> &'a str {
    let is_named = || config.hosts().iter().any(|named| named.alias == *host.name);
    match (&host.ssh_alias, &host.address) {
        (Some(alias), _) => alias,
        (None, Some(address)) if !is_named() => address,
        (None, _) => &host.name,
    }
}

async fn run(place: &Place, host: &Host, surroundings: Surroundings, names: &Names, size: Size) -> SessionStatus {
    let (pipe, output, input) = bus::session_pipe(place.id);
    let opening = place.session(SessionStatus::Opening("connecting".into()));
    place.status(opening.status.clone()).await;
    if place.notices.send(Notice::SessionOpened { session: opening, pipe }).await.is_err() {
        return closed("the screen is gone".into(), None, false);
    }
    // Reading the files may take long on a slow home.
    let loaded = tokio::task::spawn_blocking(move || SshConfig::load(surroundings)).await;
    let Ok(config) = loaded else { return closed("the ssh configuration cannot be read".into(), None, true) };
    // A file that cannot be read at all is worth a line; what is wrong within it is `ssh -G`'s to say.
    for remark in config.remarks.iter().filter(|remark| remark.line == 0) {
        show(&output, &remark.to_string()).await;
    }
    let target = target_of(host, &config);
    let Some(target) = Target::parse(target) else {
        let reason = format!("{} is no host name to connect to", text::clean(target));
        return closed(reason, None, false);
    };
    let (sender, progress) = mpsc::channel(PROGRESS);
    let attendant = Attendant::new(sender);
    let opened = {
        let opening = Connection::open(&config, &target, names, &attendant);
        let following = place.follow(progress, output.clone());
        tokio::select! {
            opened = opening => opened,
            () = following => return closed("nobody watches it any more".into(), None, false),
            () = output.closed() => return closed("closed here".into(), None, false),
        }
    };
    let connection = match opened {
        Ok(connection) => connection,
        Err(error) => return failed(&error, &output, size).await,
    };
    place.status(SessionStatus::Open).await;
    let terminal = Some(Terminal { name: TERMINAL, size });
    match connection.shell(terminal, Outlets { output: output.clone(), errors: None }, input).await {
        Ok(ended) => {
            if !ended.orderly {
                explain(&output, &ended.reason, size).await;
            }
            closed(ended.reason, ended.exit_status, false)
        }
        Err(error) => failed(&error, &output, size).await,
    }
}

async fn failed(error: &SshError, output: &mpsc::Sender<Vec<u8>>, size: Size) -> SessionStatus {
    let reason = error.to_string();
    explain(output, &reason, size).await;
    closed(reason, None, error.offers_system_ssh())
}

/// Why it ended, in full and in the pane itself, a sentence a line: a line at its foot has no room for fingerprints
/// and places. Below whatever the remote side left there.
async fn explain(output: &mpsc::Sender<Vec<u8>>, reason: &str, size: Size) {
    let columns = usize::from(size.columns).saturating_sub(2).max(20);
    let clean = text::clean(reason);
    let lines: Vec<String> =
        clean.split_inclusive(". ").flat_map(|sentence| text::wrap(sentence.trim_end(), columns)).collect();
    let words = format!("\x1b[?1049l\x1b[m\r\n\x1b[1m{}\x1b[m\r\n", lines.join("\r\n"));
    let _ = output.send(words.into_bytes()).await;
}

fn closed(reason: String, exit_status: Option<u32>, offer_system_ssh: bool) -> SessionStatus {
    SessionStatus::Closed { reason: reason.into(), exit_status, offer_system_ssh }
}
