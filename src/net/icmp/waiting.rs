//! Who waits for which echo, and until when. A reply is told by its cookie and its source; an error by destination and
//! sequence, and by the cookie where it quotes one. Whatever ends a wait takes its entries back. Time is an argument.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::EchoError;
use crate::proto::icmp::Quote;

pub type Answer = Result<Duration, EchoError>;

/// The wall's clock may have been set between two stamps if they differ by so much more than they can.
const SLACK: Duration = Duration::from_millis(1);
/// No round trip is told to be shorter than what the stamps can tell apart.
const SHORTEST: Duration = Duration::from_micros(1);

/// One moment by two clocks: the steady one, and the wall's, which the kernel stamps datagrams with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub steady: Instant,
    /// Since the epoch.
    pub wall: Duration,
}

impl Moment {
    pub fn now() -> Self {
        let wall = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Self { steady: Instant::now(), wall }
    }

    /// The part `(i + ½) / n` of the way to `end`.
    pub fn towards(self, end: Self, i: usize, n: usize) -> Self {
        let part = |whole: Duration| whole.mul_f64((i as f64 + 0.5) / n.max(1) as f64);
        Self {
            steady: self.steady + part(end.steady.saturating_duration_since(self.steady)),
            wall: self.wall + part(end.wall.saturating_sub(self.wall)),
        }
    }
}

#[derive(Debug, Default)]
pub struct Waiting {
    by_cookie: HashMap<u64, Entry>,
    by_sequence: HashMap<(IpAddr, u16), u64>,
    /// Those that ended before are still in it.
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
}

#[derive(Debug)]
struct Entry {
    address: IpAddr,
    sequence: u16,
    timeout: Duration,
    /// `None` until it is on its way.
    sent: Option<Moment>,
    answer: oneshot::Sender<Answer>,
}

impl Waiting {
    /// An echo that is about to be sent.
    pub fn enter(
        &mut self,
        (address, sequence, cookie): (IpAddr, u16, u64),
        now: Instant,
        timeout: Duration,
        answer: oneshot::Sender<Answer>,
    ) {
        self.by_sequence.insert((address, sequence), cookie);
        self.deadlines.push(Reverse((now + timeout, cookie)));
        self.by_cookie.insert(cookie, Entry { address, sequence, timeout, sent: None, answer });
    }

    /// The round trip begins here.
    pub fn sent(&mut self, cookie: u64, at: Moment) {
        if let Some(entry) = self.by_cookie.get_mut(&cookie) {
            entry.sent = Some(at);
        }
    }

    /// The system would not send it.
    pub fn unsent(&mut self, cookie: u64, source: io::Error) {
        if let Some(entry) = self.take(cookie) {
            let address = entry.address;
            let _ = entry.answer.send(Err(EchoError::Send { address, source }));
        }
    }

    /// A reply from another address is not ours, whatever it carries.
    pub fn reply(&mut self, from: IpAddr, cookie: u64, came: Option<Duration>, read: Moment) {
        if self.by_cookie.get(&cookie).is_some_and(|entry| entry.address == from)
            && let Some(entry) = self.take(cookie)
        {
            let took = round_trip(entry.sent.unwrap_or(read), came, read);
            let _ = entry.answer.send(Ok(took));
        }
    }

    pub fn refuse(&mut self, destination: IpAddr, quote: Quote, error: EchoError) {
        let Some(cookie) = self.by_sequence.get(&(destination, quote.sequence)).copied() else { return };
        if quote.cookie.is_none_or(|quoted| quoted == cookie)
            && let Some(entry) = self.take(cookie)
        {
            let _ = entry.answer.send(Err(error));
        }
    }

    /// Ends the waits that took too long.
    pub fn expire(&mut self, now: Instant) {
        while let Some(Reverse((at, cookie))) = self.deadlines.peek().copied() {
            let is_over = !self.by_cookie.contains_key(&cookie);
            if !is_over && at > now {
                break;
            }
            self.deadlines.pop();
            if let Some(entry) = self.take(cookie) {
                let _ = entry.answer.send(Err(EchoError::TimedOut(entry.timeout)));
            }
        }
    }

    /// When [`Waiting::expire`] has something to do next, called right after it.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.peek().map(|Reverse((at, _))| *at)
    }

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

/// By the kernel's stamp where there is one; however late the reply was read, that does not count. By the steady clock,
/// which cannot be set, where the two contradict each other.
fn round_trip(sent: Moment, came: Option<Duration>, read: Moment) -> Duration {
    let longest = read.steady.saturating_duration_since(sent.steady).max(SHORTEST);
    let Some(came) = came else { return longest };
    let is_likely = came <= sent.wall + longest + SLACK && sent.wall <= came + SLACK;
    if is_likely { came.saturating_sub(sent.wall).clamp(SHORTEST, longest) } else { longest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::icmp::Refusal;

    const HOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 8));
    const SECOND: Duration = Duration::from_secs(1);

    fn refused() -> EchoError {
        EchoError::Refused { refusal: Refusal::Host, by: OTHER }
    }

    fn is_empty(waiting: &Waiting) -> bool {
        waiting.by_cookie.is_empty() && waiting.by_sequence.is_empty()
    }

    fn enter(waiting: &mut Waiting, sequence: u16, cookie: u64, now: Moment) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        waiting.enter((HOST, sequence, cookie), now.steady, SECOND, answer);
        waiting.sent(cookie, now);
        answered
    }

    #[test]
    fn only_the_asked_host_with_the_right_cookie_answers() {
        let (mut waiting, now) = (Waiting::default(), Moment::now());
        let mut answered = enter(&mut waiting, 1, 42, now);
        waiting.reply(OTHER, 42, None, now);
        waiting.reply(HOST, 43, None, now);
        waiting.refuse(HOST, Quote { sequence: 2, cookie: None }, refused());
        waiting.refuse(HOST, Quote { sequence: 1, cookie: Some(43) }, refused());
        waiting.refuse(OTHER, Quote { sequence: 1, cookie: None }, refused());
        waiting.expire(now.steady + Duration::from_nanos(999_999_999));
        assert!(answered.try_recv().is_err(), "nothing yet");
        assert_eq!(waiting.next_deadline(), Some(now.steady + SECOND));
        waiting.expire(now.steady + SECOND);
        assert!(matches!(answered.try_recv(), Ok(Err(EchoError::TimedOut(SECOND)))));
        assert!(is_empty(&waiting) && waiting.next_deadline().is_none());
    }

    #[test]
    fn whatever_ends_a_wait_leaves_nothing() {
        let (mut waiting, now) = (Waiting::default(), Moment::now());
        let mut answered = enter(&mut waiting, 1, 42, now);
        waiting.reply(HOST, 42, None, now);
        assert!(matches!(answered.try_recv(), Ok(Ok(_))));
        let mut answered = enter(&mut waiting, 2, 43, now);
        waiting.refuse(HOST, Quote { sequence: 2, cookie: None }, refused());
        assert!(matches!(answered.try_recv(), Ok(Err(EchoError::Refused { .. }))));
        let mut answered = enter(&mut waiting, 3, 44, now);
        waiting.unsent(44, io::Error::from(io::ErrorKind::NetworkUnreachable));
        assert!(matches!(answered.try_recv(), Ok(Err(EchoError::Send { .. }))));
        assert!(is_empty(&waiting));
        waiting.expire(now.steady);
        assert!(waiting.next_deadline().is_none(), "nobody is woken for what has ended");
    }

    #[test]
    fn an_old_echo_does_not_take_the_place_of_a_newer_one_with_its_sequence() {
        let (mut waiting, now) = (Waiting::default(), Moment::now());
        let _old = enter(&mut waiting, 1, 42, now);
        let later = Moment { steady: now.steady + SECOND, ..now };
        let mut new = enter(&mut waiting, 1, 43, later);
        waiting.expire(later.steady);
        waiting.refuse(HOST, Quote { sequence: 1, cookie: None }, refused());
        assert!(matches!(new.try_recv(), Ok(Err(EchoError::Refused { .. }))));
        assert!(is_empty(&waiting));
    }

    #[test]
    fn a_reply_that_is_read_late_took_no_longer_and_a_clock_that_was_set_makes_no_round_trip() {
        let ms = Duration::from_millis;
        let sent = Moment::now();
        let read = Moment { steady: sent.steady + ms(9), wall: sent.wall + ms(9) };
        assert_eq!(round_trip(sent, Some(sent.wall + ms(2)), read), ms(2));
        assert_eq!(round_trip(sent, None, read), ms(9));
        // Within a batch the moment of sending is known to some microseconds only.
        assert_eq!(round_trip(sent, Some(sent.wall.saturating_sub(Duration::from_micros(20))), read), SHORTEST);
        for set in [sent.wall + SECOND, sent.wall.saturating_sub(SECOND)] {
            assert_eq!(round_trip(sent, Some(set), read), ms(9));
        }
    }

    #[test]
    fn echoes_of_a_batch_left_one_after_the_other() {
        let start = Moment::now();
        let end = Moment { steady: start.steady + SECOND, wall: start.wall + SECOND };
        let left = [0, 1].map(|i| start.towards(end, i, 2));
        assert_eq!(left[0].steady, start.steady + SECOND / 4);
        assert_eq!(left[1].wall, start.wall + SECOND * 3 / 4);
    }
}
