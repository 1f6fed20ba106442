//! A moment to wake up at, exactly once. The runtime's own timers look up to three times on the way to a moment that is
//! seconds away; who sleeps most of the day would wake for that more often than for anything else.

use std::time::Instant;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;

#[derive(Debug)]
pub struct Alarm {
    /// Read like a pipe: eight octets when it has rung. Without one, where the system has none to give, the runtime's timers serve.
    timer: Option<pipe::Receiver>,
    /// What the timer is set to.
    set: Option<Instant>,
}

impl Alarm {
    /// Within a runtime.
    pub fn set_up() -> Self {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags).ok();
        let timer = timer.and_then(|fd| pipe::Receiver::from_owned_fd_unchecked(fd).ok());
        Self { timer, set: None }
    }

    /// Waits for the moment; for ever without one. May be dropped and asked again, for the same moment or another.
    pub async fn rings(&mut self, at: Option<Instant>) {
        let Some(at) = at else { return std::future::pending().await };
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        let Some(timer) = &mut self.timer else { return tokio::time::sleep_until(at.into()).await };
        if self.set != Some(at) {
            let once = Itimerspec { it_interval: Timespec::default(), it_value: timespec(left) };
            if timerfd_settime(&*timer, TimerfdTimerFlags::empty(), &once).is_err() {
                return tokio::time::sleep_until(at.into()).await;
            }
            self.set = Some(at);
        }
        // What was rung for an earlier moment is not there any more when it is read.
        if timer.read_exact(&mut [0; 8]).await.is_err() {
            tokio::time::sleep_until(at.into()).await;
        }
        self.set = None;
    }
}

fn timespec(duration: std::time::Duration) -> Timespec {
    let tv_sec = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    Timespec { tv_sec, tv_nsec: i64::from(duration.subsec_nanos()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_rings_at_the_moment_that_was_named_last_and_not_before() {
        let (mut alarm, began) = (Alarm::set_up(), Instant::now());
        assert!(alarm.timer.is_some());
        let (never, soon, later) = (None, began + Duration::from_millis(30), began + Duration::from_millis(90));
        // Given up before it rings, for a later one.
        for given_up in [never, Some(soon)] {
            let ended = tokio::time::timeout(Duration::from_millis(5), alarm.rings(given_up)).await;
            assert!(ended.is_err() || Instant::now() >= soon);
        }
        // The first has rung meanwhile, unheard.
        tokio::time::sleep_until((soon + Duration::from_millis(10)).into()).await;
        alarm.rings(Some(later)).await;
        assert!(Instant::now() >= later);
        alarm.rings(Some(began)).await;
        let again = Instant::now() + Duration::from_millis(10);
        alarm.rings(Some(again)).await;
        assert!(Instant::now() >= again);
    }
}
