//! The thread that owns a socket. It sleeps until a datagram, a job or a deadline comes; while many requests are out it
//! rests a moment instead after each turn, so that replies come to it by the dozen and cost one system call and one
//! wake-up together. What it is asked comes over a [`Line`], whole conversations at a time.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::sockopt;
use tokio::sync::oneshot;

use super::{Counts, Job};
use crate::net::batch::{BATCH, Incoming, Outgoing};
use crate::net::line::{Gone, Jobs, Line, line};
use crate::net::random::Random;
use crate::proto::snmp::{Engine, Finished};

/// What the kernel keeps for a reply of full size in its receive buffer.
const REPLY_COST: usize = 2560;
/// Requests in flight, whatever the buffer holds.
const WINDOW: std::ops::RangeInclusive<usize> = 32..=1024;
/// No datagram over UDP is longer.
const LONGEST: usize = 65_536;
/// Batches taken in one turn before anything else is looked at.
const BATCHES: usize = 1024 / BATCH;
/// With so many requests out there is always a reply on its way.
const BUSY: usize = 64;
/// What a turn waits then, so that there are several. Short against any network, long against a reply's own cost.
const REST: Duration = Duration::from_micros(500);
/// What a turn waits for room in the socket.
const NO_ROOM: Duration = Duration::from_millis(1);
/// How often it is looked whether anybody still waits for the conversations that lost a request.
const LOOK: Duration = Duration::from_millis(100);

/// Opens a socket and starts the thread that owns it.
pub fn open(any: SocketAddr, family: usize, counts: Arc<Counts>) -> std::io::Result<Line<Job>> {
    let socket = UdpSocket::bind(any)?;
    socket.set_nonblocking(true)?;
    // Replies come in bursts. Beyond the system's limit only with privilege; a smaller buffer narrows the window.
    let wanted = WINDOW.end() * REPLY_COST;
    if sockopt::set_socket_recv_buffer_size_force(&socket, wanted).is_err() {
        let _ = sockopt::set_socket_recv_buffer_size(&socket, wanted);
    }
    let buffer = sockopt::socket_recv_buffer_size(&socket).unwrap_or(REPLY_COST * WINDOW.start());
    let window = (buffer / REPLY_COST).clamp(*WINDOW.start(), *WINDOW.end());
    let (line, jobs) = line()?;
    let driver = Driver {
        socket,
        jobs,
        window,
        engine: engine(window),
        started: Instant::now(),
        waiting: HashMap::new(),
        next_ticket: 0,
        incoming: Incoming::new(LONGEST),
        outgoing: Outgoing::default(),
        looked: Duration::ZERO,
        family,
        counts,
    };
    std::thread::Builder::new().name("snmp".to_owned()).spawn(move || driver.live())?;
    Ok(line)
}

fn engine(window: usize) -> Engine {
    let mut random = Random::default();
    Engine::new(window, Box::new(move || random.u32()))
}

/// Owns a socket for as long as anybody can ask.
struct Driver {
    socket: UdpSocket,
    jobs: Jobs<Job>,
    window: usize,
    engine: Engine,
    started: Instant,
    waiting: HashMap<u64, oneshot::Sender<Finished>>,
    next_ticket: u64,
    incoming: Incoming,
    outgoing: Outgoing,
    /// When it was last looked who is gone.
    looked: Duration,
    family: usize,
    counts: Arc<Counts>,
}

impl Driver {
    /// A panic costs the conversations of the moment, not SNMP until the next start.
    fn live(mut self) {
        while catch_unwind(AssertUnwindSafe(|| self.run())).is_err() {
            tracing::error!("the SNMP engine panicked; what was being asked is lost");
            self.engine = engine(self.window);
            self.outgoing = Outgoing::default();
            // Those who asked are told that it is gone.
            self.waiting.clear();
        }
    }

    fn run(&mut self) {
        loop {
            // Whoever asks holds the line, so nobody waits any more once it is closed.
            if self.take_jobs().is_err() {
                return;
            }
            let received = self.receive();
            self.let_time_pass();
            let sent_all = self.send();
            self.hand_over();
            if !sent_all {
                std::thread::sleep(NO_ROOM);
            } else if received > 0 && self.engine.in_flight() >= BUSY {
                std::thread::sleep(REST);
            } else {
                let left = self.engine.next_timeout().map(|at| at.saturating_sub(self.started.elapsed()));
                self.jobs.sleep(&self.socket, left);
            }
        }
    }

    /// Begins what waits in the queue.
    fn take_jobs(&mut self) -> Result<(), Gone> {
        while let Some(job) = self.jobs.next()? {
            self.next_ticket += 1;
            self.waiting.insert(self.next_ticket, job.done);
            self.engine.start(self.next_ticket, job.peer, job.walk);
        }
        Ok(())
    }

    /// Takes in what has come; returns how many datagrams.
    fn receive(&mut self) -> usize {
        let mut all = 0;
        for _ in 0..BATCHES {
            let (engine, now) = (&mut self.engine, self.started.elapsed());
            // An error is what ICMP says about single targets; their own deadlines decide.
            let count = self.incoming.receive(&self.socket, |d| engine.handle_datagram(now, d.from, d.bytes));
            all += count.as_ref().unwrap_or(&0);
            if count.is_ok_and(|count| count < BATCH) {
                break;
            }
        }
        all
    }

    fn let_time_pass(&mut self) {
        let now = self.started.elapsed();
        if self.engine.next_timeout().is_none_or(|at| at > now) {
            return;
        }
        if now.saturating_sub(self.looked) >= LOOK {
            self.looked = now;
            self.forget_the_gone();
        }
        self.engine.handle_timeout(now);
    }

    /// Sends what may be sent; false where the system takes no more for now.
    fn send(&mut self) -> bool {
        loop {
            let now = self.started.elapsed();
            let engine = &mut self.engine;
            self.outgoing.fill(BATCH, |datagram| engine.poll_transmit(now, datagram));
            if self.outgoing.is_empty() {
                return true;
            }
            // No route, a filter on this machine: a lost try, like one that got lost on its way.
            if !self.outgoing.send(&self.socket, |_, _| {}) {
                return false;
            }
        }
    }

    fn hand_over(&mut self) {
        while let Some(finished) = self.engine.poll_finished() {
            let walked = &finished.walked;
            self.counts.requests.fetch_add(u64::from(walked.requests), Ordering::Relaxed);
            self.counts.varbinds.fetch_add(walked.varbinds, Ordering::Relaxed);
            self.counts.lost.fetch_add(u64::from(walked.lost), Ordering::Relaxed);
            if let Some(done) = self.waiting.remove(&finished.ticket) {
                let _ = done.send(finished);
            }
        }
        let mut drops = self.counts.drops.lock().unwrap_or_else(PoisonError::into_inner);
        drops[self.family] = self.engine.drops();
    }

    /// Callers that gave up leave nothing behind.
    fn forget_the_gone(&mut self) {
        let gone: Vec<u64> = self.waiting.iter().filter(|(_, done)| done.is_closed()).map(|(t, _)| *t).collect();
        for ticket in gone {
            self.waiting.remove(&ticket);
            self.engine.cancel(ticket);
        }
    }
}
