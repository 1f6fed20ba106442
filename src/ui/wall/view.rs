//! The loop's source for a wall: the newest snapshot at most once a second, and the next engine when one is gone. There is
//! nothing in here with which something could be asked.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::bus::ViewEnd;
use crate::state::Snapshot;
use crate::ui::run::{News, Source};

const EVERY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct View {
    end: Option<ViewEnd>,
    /// Engines to come.
    ends: mpsc::Receiver<ViewEnd>,
    next_look: Instant,
}

impl View {
    pub fn new(ends: mpsc::Receiver<ViewEnd>) -> Self {
        Self { end: None, ends, next_look: Instant::now() }
    }
}

impl Source for View {
    fn newest(&mut self) -> Arc<Snapshot> {
        self.end = self.end.take().or_else(|| self.ends.try_recv().ok());
        self.end.as_mut().map(|end| end.snapshots.borrow_and_update().clone()).unwrap_or_default()
    }

    async fn next(&mut self) -> News {
        let Some(end) = &mut self.end else {
            return match self.ends.recv().await {
                Some(mut end) => {
                    let first = end.snapshots.borrow_and_update().clone();
                    self.end = Some(end);
                    News::Snapshot(first)
                }
                None => std::future::pending().await,
            };
        };
        sleep_until(self.next_look).await;
        if end.snapshots.changed().await.is_err() {
            self.end = None;
            return News::Gone;
        }
        self.next_look = Instant::now() + EVERY;
        News::Snapshot(end.snapshots.borrow_and_update().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus;

    fn snapshot(revision: u64) -> Arc<Snapshot> {
        Arc::new(Snapshot { revision, ..Snapshot::default() })
    }

    async fn next(view: &mut View) -> Option<u64> {
        match view.next().await {
            News::Snapshot(snapshot) => Some(snapshot.revision),
            News::Gone => None,
            News::Notice(notice) => panic!("a view is told nothing: {notice:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_engine_that_goes_is_told_and_the_next_one_is_taken() {
        let (sender, ends) = mpsc::channel(1);
        let mut view = View::new(ends);
        let (end, engine) = bus::view(snapshot(1));
        sender.send(end).await.expect("it listens");
        assert_eq!(view.newest().revision, 1);
        let began = Instant::now();
        for revision in 2..10 {
            engine.snapshots.send_replace(snapshot(revision));
        }
        assert_eq!(next(&mut view).await, Some(9), "the newest only");
        engine.snapshots.send_replace(snapshot(10));
        assert_eq!(next(&mut view).await, Some(10));
        assert!(began.elapsed() >= EVERY, "not more than one a second");
        drop(engine);
        assert_eq!(next(&mut view).await, None);
        let (end, _engine) = bus::view(snapshot(20));
        sender.send(end).await.expect("it listens");
        assert_eq!(next(&mut view).await, Some(20));
    }
}
