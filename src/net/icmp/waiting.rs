//! Who waits for which echo. A reply is told by its cookie and its source; an error by destination and sequence, and
//! by the cookie where it quotes one. Whatever ends a wait takes its entries back.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::EchoError;
use crate::proto::icmp::Quote;

type Answer = Result<Duration, EchoError>;

#[derive(Debug, Default)]
pub struct Waiting {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_cookie: HashMap<u64, Entry>,
    by_sequence: HashMap<(IpAddr, u16), u64>,
}

#[derive(Debug)]
struct Entry {
    address: IpAddr,
    sequence: u16,
    sent: Instant,
    answer: oneshot::Sender<Answer>,
}

impl Entries {
    fn take(&mut self, cookie: u64) -> Option<Entry> {
        let entry = self.by_cookie.remove(&cookie)?;
        let key = (entry.address, entry.sequence);
        // After 65,536 echoes a sequence comes again, and its entry may be a newer one's.
        if self.by_sequence.get(&key) == Some(&cookie) {
            self.by_sequence.remove(&key);
        }
        Some(entry)
    }
}

/// A place in the table; given back when dropped.
#[derive(Debug)]
pub struct Awaited<'a> {
    waiting: &'a Waiting,
    cookie: u64,
    answer: oneshot::Receiver<Answer>,
}

impl Waiting {
    /// To be called right before sending: the round trip begins here.
    pub fn enter(&self, address: IpAddr, sequence: u16, cookie: u64) -> Awaited<'_> {
        let (tx, rx) = oneshot::channel();
        let mut entries = self.lock();
        entries.by_sequence.insert((address, sequence), cookie);
        entries.by_cookie.insert(cookie, Entry { address, sequence, sent: Instant::now(), answer: tx });
        Awaited { waiting: self, cookie, answer: rx }
    }

    /// A reply from another address is not ours, whatever it carries.
    pub fn reply(&self, from: IpAddr, cookie: u64) {
        let mut entries = self.lock();
        if entries.by_cookie.get(&cookie).is_some_and(|entry| entry.address == from)
            && let Some(entry) = entries.take(cookie)
        {
            let _ = entry.answer.send(Ok(entry.sent.elapsed()));
        }
    }

    pub fn refuse(&self, destination: IpAddr, quote: Quote, error: EchoError) {
        let mut entries = self.lock();
        let Some(cookie) = entries.by_sequence.get(&(destination, quote.sequence)).copied() else { return };
        if quote.cookie.is_none_or(|quoted| quoted == cookie)
            && let Some(entry) = entries.take(cookie)
        {
            let _ = entry.answer.send(Err(error));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Awaited<'_> {
    /// # Errors
    /// What was found instead of a reply, or that nothing came in time.
    pub async fn answer(mut self, timeout: Duration) -> Answer {
        match tokio::time::timeout(timeout, &mut self.answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(EchoError::TimedOut(timeout)),
        }
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.waiting.lock().take(self.cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::icmp::Refusal;

    const HOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 8));

    fn refused() -> EchoError {
        EchoError::Refused { refusal: Refusal::Host, by: OTHER }
    }

    fn is_empty(waiting: &Waiting) -> bool {
        let entries = waiting.lock();
        entries.by_cookie.is_empty() && entries.by_sequence.is_empty()
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_asked_host_with_the_right_cookie_answers() {
        let waiting = Waiting::default();
        let awaited = waiting.enter(HOST, 1, 42);
        waiting.reply(OTHER, 42);
        waiting.reply(HOST, 43);
        waiting.refuse(HOST, Quote { sequence: 2, cookie: None }, refused());
        waiting.refuse(HOST, Quote { sequence: 1, cookie: Some(43) }, refused());
        waiting.refuse(OTHER, Quote { sequence: 1, cookie: None }, refused());
        assert!(matches!(awaited.answer(Duration::from_secs(1)).await, Err(EchoError::TimedOut(_))));
        assert!(is_empty(&waiting));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_and_a_refusal_end_the_wait_at_once_and_leave_nothing() {
        let waiting = Waiting::default();
        let awaited = waiting.enter(HOST, 1, 42);
        waiting.reply(HOST, 42);
        assert!(awaited.answer(Duration::from_secs(1)).await.is_ok());
        let awaited = waiting.enter(HOST, 2, 43);
        waiting.refuse(HOST, Quote { sequence: 2, cookie: None }, refused());
        assert!(matches!(awaited.answer(Duration::from_secs(1)).await, Err(EchoError::Refused { .. })));
        assert!(is_empty(&waiting));
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_echo_does_not_take_the_place_of_a_newer_one_with_its_sequence() {
        let waiting = Waiting::default();
        let old = waiting.enter(HOST, 1, 42);
        let new = waiting.enter(HOST, 1, 43);
        drop(old);
        waiting.refuse(HOST, Quote { sequence: 1, cookie: None }, refused());
        assert!(matches!(new.answer(Duration::from_secs(1)).await, Err(EchoError::Refused { .. })));
        assert!(is_empty(&waiting));
    }
}
