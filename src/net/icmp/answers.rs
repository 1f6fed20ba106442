//! Where the answer to an echo goes: to somebody who waits for this one, or to a heap of many that is taken up together,
//! which costs no task, no timer and no wake-up each. Every echo gets exactly one answer either way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use super::EchoError;

/// The round trip.
pub type Answer = Result<Duration, EchoError>;

/// Answers that nobody waits for one by one. As many as there are echoes out at most.
#[derive(Debug, Default)]
pub struct Answers {
    came: Mutex<Vec<(u32, Answer)>>,
    some: Notify,
}

impl Answers {
    /// Waits until there is something to take.
    pub async fn some(&self) {
        self.some.notified().await;
    }

    /// All that have come, each with the tag of its slip; `into` is empty, and what it had room for is used again.
    pub fn take(&self, into: &mut Vec<(u32, Answer)>) {
        std::mem::swap(into, &mut *self.came.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn put(&self, tag: u32, answer: Answer) {
        self.came.lock().unwrap_or_else(PoisonError::into_inner).push((tag, answer));
        self.some.notify_one();
    }
}

/// Brings one answer to the heap; one that is dropped brings the word that none will come.
#[derive(Debug)]
pub struct Slip {
    tag: u32,
    /// `None` once it has brought its answer.
    heap: Option<Arc<Answers>>,
}

impl Slip {
    pub fn new(tag: u32, heap: &Arc<Answers>) -> Self {
        Self { tag, heap: Some(heap.clone()) }
    }
}

impl Drop for Slip {
    fn drop(&mut self) {
        if let Some(heap) = self.heap.take() {
            heap.put(self.tag, Err(EchoError::Gone));
        }
    }
}

/// Who is told.
#[derive(Debug)]
pub enum To {
    One(oneshot::Sender<Answer>),
    Many(Slip),
}

impl To {
    pub fn give(self, answer: Answer) {
        match self {
            // Whoever waited may have given up.
            Self::One(one) => drop(one.send(answer)),
            Self::Many(mut slip) => {
                if let Some(heap) = slip.heap.take() {
                    heap.put(slip.tag, answer);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_slip_brings_one_answer_whatever_becomes_of_it() {
        let heap = Arc::new(Answers::default());
        let slips: Vec<Slip> = (0..3).map(|tag| Slip::new(tag, &heap)).collect();
        for (i, slip) in slips.into_iter().enumerate() {
            if i == 1 {
                drop(slip);
            } else {
                To::Many(slip).give(Ok(Duration::from_millis(3)));
            }
        }
        heap.some().await;
        let mut came = Vec::new();
        heap.take(&mut came);
        let said: Vec<(u32, bool)> = came.iter().map(|(tag, answer)| (*tag, answer.is_ok())).collect();
        assert_eq!(said, [(0, true), (1, false), (2, true)]);
        came.clear();
        heap.take(&mut came);
        assert!(came.is_empty());
    }
}
