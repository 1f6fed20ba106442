//! How tasks hand jobs to a thread that owns a socket, and how that thread sleeps: until a datagram, a job or a deadline
//! comes, and not at all longer or shorter. Sockets of thousands of targets are in no runtime's poller, where each datagram
//! would wake a thread.
//!
//! ```text
//! tasks ── start ──▶ queue ──▶ next ── the thread ── receive, send ──▶ socket
//!             └ wake (eventfd), only while it sleeps
//! ```

use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::time::Timespec;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

/// Jobs that wait to be taken up; whoever starts more waits.
const QUEUE: usize = 1024;

/// The way to a thread. The thread ends when it is dropped.
#[derive(Debug)]
pub struct Line<J> {
    jobs: Option<mpsc::Sender<J>>,
    wake: Arc<Wake>,
}

/// The thread's end of it.
#[derive(Debug)]
pub struct Jobs<J> {
    queue: mpsc::Receiver<J>,
    wake: Arc<Wake>,
}

/// The other end is gone: the thread, or all who could ask.
#[derive(Clone, Copy, Debug)]
pub struct Gone;

/// Gets the thread out of its sleep.
#[derive(Debug)]
struct Wake {
    event: OwnedFd,
    /// The thread will look at the queue before it sleeps again; nobody needs to wake it.
    awake: AtomicBool,
}

/// # Errors
/// The system gives out no more descriptors.
pub fn line<J>() -> std::io::Result<(Line<J>, Jobs<J>)> {
    let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let wake = Arc::new(Wake { event, awake: AtomicBool::new(true) });
    let (jobs, queue) = mpsc::channel(QUEUE);
    Ok((Line { jobs: Some(jobs), wake: wake.clone() }, Jobs { queue, wake }))
}

impl<J> Line<J> {
    /// Hands a job over; waits while too many are waiting already.
    ///
    /// # Errors
    /// The thread has ended.
    pub async fn start(&self, job: J) -> Result<(), Gone> {
        let jobs = self.jobs.as_ref().ok_or(Gone)?;
        jobs.send(job).await.map_err(|_| Gone)?;
        self.wake.up();
        Ok(())
    }
}

impl<J> Line<J> {
    /// Room for one more job, if there is any now.
    pub fn place(&self) -> Option<Place<'_, J>> {
        let room = self.jobs.as_ref()?.try_reserve().ok()?;
        Some(Place { room, wake: &self.wake })
    }
}

/// Room for one job, kept free for it.
#[derive(Debug)]
pub struct Place<'a, J> {
    room: mpsc::Permit<'a, J>,
    wake: &'a Wake,
}

impl<J> Place<'_, J> {
    pub fn start(self, job: J) {
        self.room.send(job);
        self.wake.up();
    }
}

impl<J> Drop for Line<J> {
    fn drop(&mut self) {
        // Closed first, so that the thread finds it so.
        drop(self.jobs.take());
        self.wake.up();
    }
}

impl Wake {
    fn up(&self) {
        // Between the job in the queue and the look at the flag, as the thread has it the other way round.
        fence(Ordering::SeqCst);
        if !self.awake.swap(true, Ordering::AcqRel) {
            // It fails only when the counter is full, and then the thread is being woken.
            let _ = rustix::io::write(&self.event, &1u64.to_ne_bytes());
        }
    }
}

impl<J> Jobs<J> {
    /// The next job, if one waits.
    ///
    /// # Errors
    /// Nobody can ask any more.
    pub fn next(&mut self) -> Result<Option<J>, Gone> {
        match self.queue.try_recv() {
            Ok(job) => Ok(Some(job)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Gone),
        }
    }

    /// Sleeps until a job comes, the socket has something, or the time is over.
    pub fn sleep(&mut self, socket: &UdpSocket, longest: Option<Duration>) {
        self.wake.awake.store(false, Ordering::Release);
        fence(Ordering::SeqCst);
        // Whoever came before that did not wake us.
        if self.queue.is_empty() && !self.queue.is_closed() {
            let longest = longest.and_then(|longest| Timespec::try_from(longest).ok());
            let mut sources = [PollFd::new(socket, PollFlags::IN), PollFd::new(&self.wake.event, PollFlags::IN)];
            // An interrupted sleep is a turn too many, nothing worse.
            let _ = poll(&mut sources, longest.as_ref());
            if !sources[1].revents().is_empty() {
                let _ = rustix::io::read(&self.wake.event, &mut [0u8; 8]);
            }
        }
        self.wake.awake.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> UdpSocket {
        UdpSocket::bind("127.0.0.1:0").expect("a loopback address")
    }

    /// A thread that adds up its jobs until nobody can ask, and says how often it slept.
    fn adder(mut jobs: Jobs<u64>) -> std::thread::JoinHandle<(u64, u32)> {
        std::thread::spawn(move || {
            let (socket, mut sum, mut slept) = (socket(), 0, 0);
            loop {
                match jobs.next() {
                    Ok(Some(job)) => sum += job,
                    Ok(None) => {
                        slept += 1;
                        jobs.sleep(&socket, None);
                    }
                    Err(Gone) => return (sum, slept),
                }
            }
        })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_job_arrives_and_the_thread_ends_with_its_line() {
        let (line, jobs) = line().expect("descriptors");
        let thread = adder(jobs);
        let line = Arc::new(line);
        let tasks = (0..8u64).map(|_| {
            let line = line.clone();
            tokio::spawn(async move {
                for job in 0..1_000 {
                    line.start(job).await.expect("the thread lives");
                    tokio::task::yield_now().await;
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.expect("no panic");
        }
        drop(line);
        let (sum, slept) = tokio::task::spawn_blocking(|| thread.join()).await.expect("no panic").expect("no panic");
        assert_eq!(sum, 8 * 499_500);
        // For each job at most one sleep that it ended, and one that found the wake-up of the one before.
        assert!(slept <= 16_001, "it woke for nothing: {slept}");
    }

    #[tokio::test]
    async fn a_thread_that_has_ended_takes_nothing() {
        let (line, jobs) = line::<u64>().expect("descriptors");
        drop(jobs);
        assert!(line.start(1).await.is_err());
    }

    #[test]
    fn datagrams_and_time_end_the_sleep_too() {
        let (line, mut jobs) = line::<u64>().expect("descriptors");
        let socket = socket();
        jobs.sleep(&socket, Some(Duration::from_millis(1)));
        socket.send_to(&[1], socket.local_addr().expect("it is bound")).expect("it fits");
        jobs.sleep(&socket, None);
        drop(line);
        jobs.sleep(&socket, None);
        assert!(jobs.next().is_err());
    }
}
