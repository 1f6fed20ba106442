//! Who watches a connection being made: takes its steps, banners and questions. Where nobody can be asked (headless) every
//! question is answered with [`Answer::Cancel`], so nothing is ever accepted by default.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::base::{Secret, Untrusted};
use crate::model::Prompt;

#[derive(Debug)]
pub enum Answer {
    Text(Secret<String>),
    Yes,
    Cancel,
}

/// What happens while a connection is made.
#[derive(Debug)]
pub enum Progress {
    /// What is being done now, in words that need no cleaning.
    Step(String),
    /// What whoever wants the connection has to know of it, in such words too.
    Remark(String),
    /// What a server says before it lets anybody in (RFC 4252, 5.4); bounded.
    Banner { hop: String, text: Untrusted },
    /// Dropping `answer` cancels.
    Question { prompt: Prompt, answer: oneshot::Sender<Answer> },
}

#[derive(Clone, Debug)]
pub struct Attendant {
    progress: Option<mpsc::Sender<Progress>>,
    answers: bool,
    /// Somebody is being asked: deadlines stand still.
    asking: Arc<AtomicBool>,
}

impl Attendant {
    pub fn new(progress: mpsc::Sender<Progress>) -> Self {
        Self { progress: Some(progress), answers: true, asking: Arc::default() }
    }

    /// Nobody is there to be asked.
    pub fn headless() -> Self {
        Self { progress: None, answers: false, asking: Arc::default() }
    }

    /// Nobody is there to be asked, and what happens is told all the same.
    pub fn unasked(progress: mpsc::Sender<Progress>) -> Self {
        Self { answers: false, ..Self::new(progress) }
    }

    pub fn is_headless(&self) -> bool {
        !self.answers
    }

    pub(super) async fn step(&self, text: String) {
        self.tell(Progress::Step(text)).await;
    }

    pub(super) async fn remark(&self, text: String) {
        self.tell(Progress::Remark(text)).await;
    }

    pub(super) async fn banner(&self, hop: &str, text: &str) {
        const LIMIT: usize = 8 * 1024;
        let text = Untrusted::bounded(text.as_bytes(), LIMIT);
        self.tell(Progress::Banner { hop: hop.to_owned(), text }).await;
    }

    pub(super) async fn ask(&self, prompt: Prompt) -> Answer {
        if self.is_headless() {
            return Answer::Cancel;
        }
        let (answer, answered) = oneshot::channel();
        self.asking.store(true, Ordering::Relaxed);
        self.tell(Progress::Question { prompt, answer }).await;
        let answer = answered.await.unwrap_or(Answer::Cancel);
        self.asking.store(false, Ordering::Relaxed);
        answer
    }

    async fn tell(&self, progress: Progress) {
        if let Some(to) = &self.progress {
            // Nobody listens any more: the session is being closed.
            let _ = to.send(progress).await;
        }
    }

    /// Waits for `work` at most `limit`, not counting the time in which somebody is being asked.
    /// `None` when time is up.
    pub(super) async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        const TICK: Duration = Duration::from_millis(250);
        tokio::pin!(work);
        let mut left = limit;
        loop {
            let tick = left.min(TICK);
            tokio::select! {
                done = &mut work => return Some(done),
                () = tokio::time::sleep(tick) => {
                    if !self.asking.load(Ordering::Relaxed) {
                        left = left.saturating_sub(tick);
                    }
                    if left.is_zero() {
                        return None;
                    }
                }
            }
        }
    }
}
