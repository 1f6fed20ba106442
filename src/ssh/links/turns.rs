//! How many log-ins are under way at once, whoever asks: a start with a thousand hosts opens them by and by. Whoever is slow stops
//! counting after a while, so that hosts that are silent keep no place that others need.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Log-ins at once.
pub(super) const AT_ONCE: usize = 64;
/// So long a log-in counts: a thousand silent hosts keep the others waiting for sixteen seconds, which is less than a look may take.
const COUNTS: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Turns(Semaphore);

impl Default for Turns {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Turns {
    /// `None`: there was no place within `patience`, and nothing was begun.
    pub(super) async fn turn<T>(&self, patience: Duration, log_in: impl Future<Output = T>) -> Option<T> {
        let place = timeout(patience, self.0.acquire()).await.ok()?.ok()?;
        let mut log_in = pin!(log_in);
        if let Ok(done) = timeout(COUNTS, &mut log_in).await {
            return Some(done);
        }
        drop(place);
        Some(log_in.await)
    }

    /// As if all places were taken.
    #[cfg(test)]
    pub(super) fn take_all(&self) -> tokio::sync::SemaphorePermit<'_> {
        let all = u32::try_from(AT_ONCE).expect("few");
        self.0.try_acquire_many(all).expect("nobody else is there")
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(15);

    #[tokio::test(start_paused = true)]
    async fn a_thousand_hosts_are_logged_in_to_by_and_by() {
        let turns = Arc::new(Turns::default());
        let [under_way, most] = [const { AtomicUsize::new(0) }; 2].map(Arc::new);
        let mut all = JoinSet::new();
        for _ in 0..1000 {
            let (turns, under_way, most) = (turns.clone(), under_way.clone(), most.clone());
            all.spawn(async move {
                let log_in = async {
                    most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    sleep(Duration::from_millis(500)).await;
                    under_way.fetch_sub(1, Ordering::SeqCst);
                };
                turns.turn(PATIENCE, log_in).await
            });
        }
        let done = all.join_all().await;
        assert!(done.iter().all(Option::is_some), "each had its turn");
        assert_eq!(most.load(Ordering::SeqCst), AT_ONCE);
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_that_are_silent_keep_nobody_out_for_long() {
        let turns = Arc::new(Turns::default());
        let mut silent = JoinSet::new();
        for _ in 0..900 {
            let turns = turns.clone();
            silent.spawn(async move { turns.turn(PATIENCE, pending::<()>()).await });
        }
        tokio::task::yield_now().await;
        let begun = Instant::now();
        assert_eq!(turns.turn(PATIENCE, async { "in" }).await, Some("in"));
        assert!(begun.elapsed() <= PATIENCE, "{:?}", begun.elapsed());
    }
}
