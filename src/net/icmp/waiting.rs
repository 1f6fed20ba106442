//! Who waits for which echo, and until when. A reply is told by its cookie and its source; an error by destination and
//! sequence, and by the cookie where it quotes one. Whatever ends a wait takes its entries back. Time is an argument.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::EchoError;
use super::answers::To;
use crate::proto::icmp::Quote;

/// The wall's clock may have been set between two stamps if they differ by so much more than they can.
const SLACK: Duration = Duration::from_millis(1);
/// No round trip is told to be shorter than what the stamps can tell apart.
const SHORTEST: Duration = Duration::from_micros(1);

/// What the kernel needs at the least to send one echo.
const QUICKEST: Duration = Duration::from_micros(1);

/// Sequence numbers.
const NUMBERS: usize = 1 << 16;
/// Places at first.
const FEW: usize = 256;

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

    /// When the echo `i` of a batch left that was begun at this moment: not before as many others did. How long the whole batch
    /// took says little, since this thread may have been put aside in it, and no round trip is to be told too short for that.
    pub fn of_batch(self, i: usize) -> Self {
        let after = QUICKEST * u32::try_from(i).unwrap_or(0);
        Self { steady: self.steady + after, wall: self.wall + after }
    }
}

/// Echoes that are out, each in the place that its sequence number names.
#[derive(Debug, Default)]
pub struct Waiting {
    /// A power of two of them, at most one for each sequence number there is.
    places: Vec<Option<Entry>>,
    out: usize,
    /// The next number to be tried.
    next: u16,
    /// Those that ended before are still in it.
    deadlines: BinaryHeap<Reverse<(Instant, u16, u64)>>,
}

#[derive(Debug)]
struct Entry {
    address: IpAddr,
    cookie: u64,
    timeout: Duration,
    /// `None` until it is on its way.
    sent: Option<Moment>,
    answer: To,
}

impl Waiting {
    /// Whether as many are out as there are sequence numbers.
    pub fn is_full(&self) -> bool {
        self.out == NUMBERS
    }

    /// An echo that is about to be sent; its sequence number, which no other that is out has. Not to be called when
    /// it is full.
    pub fn enter(&mut self, address: IpAddr, cookie: u64, now: Instant, timeout: Duration, answer: To) -> u16 {
        if self.out * 2 >= self.places.len() && self.places.len() < NUMBERS {
            let more = (self.places.len() * 2).max(FEW);
            self.places.resize_with(more, || None);
        }
        let last = (self.places.len() - 1) as u16;
        let mut sequence = self.next & last;
        while self.at(sequence).is_some() {
            sequence = sequence.wrapping_add(1) & last;
        }
        self.next = sequence.wrapping_add(1);
        let place = usize::from(sequence);
        self.deadlines.push(Reverse((now + timeout, sequence, cookie)));
        self.places[place] = Some(Entry { address, cookie, timeout, sent: None, answer });
        self.out += 1;
        sequence
    }

    /// The round trip begins here.
    pub fn sent(&mut self, sequence: u16, at: Moment) {
        if let Some(Some(entry)) = self.places.get_mut(usize::from(sequence)) {
            entry.sent = Some(at);
        }
    }

    /// The system would not send it.
    pub fn unsent(&mut self, sequence: u16, cookie: u64, source: io::Error) {
        if let Some(entry) = self.take(sequence, cookie) {
            let address = entry.address;
            entry.answer.give(Err(EchoError::Send { address, source }));
        }
    }

    /// A reply from another address is not ours, whatever it carries.
    pub fn reply(&mut self, from: IpAddr, sequence: u16, cookie: u64, came: Option<Duration>, read: Moment) {
        if self.at(sequence).is_some_and(|entry| entry.address == from)
            && let Some(entry) = self.take(sequence, cookie)
        {
            let took = round_trip(entry.sent.unwrap_or(read), came, read);
            entry.answer.give(Ok(took));
        }
    }

    pub fn refuse(&mut self, destination: IpAddr, quote: Quote, error: EchoError) {
        let Some(entry) = self.at(quote.sequence).filter(|entry| entry.address == destination) else { return };
        let cookie = entry.cookie;
        if quote.cookie.is_none_or(|quoted| quoted == cookie)
            && let Some(entry) = self.take(quote.sequence, cookie)
        {
            entry.answer.give(Err(error));
        }
    }

    /// Ends the waits that took too long.
    pub fn expire(&mut self, now: Instant) {
        while let Some(Reverse((at, sequence, cookie))) = self.deadlines.peek().copied() {
            let is_over = self.at(sequence).is_none_or(|entry| entry.cookie != cookie);
            if !is_over && at > now {
                break;
            }
            self.deadlines.pop();
            if let Some(entry) = self.take(sequence, cookie) {
                entry.answer.give(Err(EchoError::TimedOut(entry.timeout)));
            }
        }
    }

    /// When [`Waiting::expire`] has something to do next, called right after it.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.peek().map(|Reverse((at, ..))| *at)
    }

    fn at(&self, sequence: u16) -> Option<&Entry> {
        self.places.get(usize::from(sequence))?.as_ref()
    }

    fn take(&mut self, sequence: u16, cookie: u64) -> Option<Entry> {
        let entry = self.places.get_mut(usize::from(sequence))?.take_if(|entry| entry.cookie == cookie)?;
        self.out -= 1;
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
    use tokio::sync::oneshot;

    use super::super::answers::Answer;
    use super::*;
    use crate::proto::icmp::Refusal;

    const HOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 8));
    const SECOND: Duration = Duration::from_secs(1);

    fn refused() -> EchoError {
        EchoError::Refused { refusal: Refusal::Host, by: OTHER }
    }

    fn is_empty(waiting: &Waiting) -> bool {
        waiting.out == 0 && waiting.places.iter().all(Option::is_none)
    }

    fn enter(waiting: &mut Waiting, cookie: u64, now: Moment) -> (u16, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        let sequence = waiting.enter(HOST, cookie, now.steady, SECOND, To::One(answer));
        waiting.sent(sequence, now);
        (sequence, answered)
    }

    #[test]
    fn only_the_asked_host_with_the_right_cookie_answers() {
        let (mut waiting, now) = (Waiting::default(), Moment::now());
        let (sequence, mut answered) = enter(&mut waiting, 42, now);
        waiting.reply(OTHER, sequence, 42, None, now);
        waiting.reply(HOST, sequence, 43, None, now);
        waiting.reply(HOST, sequence + 1, 42, None, now);
        waiting.reply(HOST, u16::MAX, 42, None, now);
        waiting.refuse(HOST, Quote { sequence: sequence + 1, cookie: None }, refused());
        waiting.refuse(HOST, Quote { sequence, cookie: Some(43) }, refused());
        waiting.refuse(OTHER, Quote { sequence, cookie: None }, refused());
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
        let (sequence, mut answered) = enter(&mut waiting, 42, now);
        waiting.reply(HOST, sequence, 42, None, now);
        assert!(matches!(answered.try_recv(), Ok(Ok(_))));
        let (sequence, mut answered) = enter(&mut waiting, 43, now);
        waiting.refuse(HOST, Quote { sequence, cookie: None }, refused());
        assert!(matches!(answered.try_recv(), Ok(Err(EchoError::Refused { .. }))));
        let (sequence, mut answered) = enter(&mut waiting, 44, now);
        waiting.unsent(sequence, 44, io::Error::from(io::ErrorKind::NetworkUnreachable));
        assert!(matches!(answered.try_recv(), Ok(Err(EchoError::Send { .. }))));
        assert!(is_empty(&waiting));
        waiting.expire(now.steady);
        assert!(waiting.next_deadline().is_none(), "nobody is woken for what has ended");
    }

    #[test]
    fn no_two_echoes_that_are_out_have_one_number_and_a_late_reply_to_an_old_one_is_nobodys() {
        let (mut waiting, now) = (Waiting::default(), Moment::now());
        let mut out: Vec<_> = (0..NUMBERS as u64).map(|cookie| enter(&mut waiting, cookie, now)).collect();
        assert!(waiting.is_full());
        let numbers: std::collections::HashSet<u16> = out.iter().map(|(sequence, _)| *sequence).collect();
        assert_eq!(numbers.len(), NUMBERS);
        let (first, mut answered) = out.swap_remove(7);
        waiting.reply(HOST, first, 7, None, now);
        assert!(matches!(answered.try_recv(), Ok(Ok(_))) && !waiting.is_full());
        let (again, mut answered) = enter(&mut waiting, 1 << 40, now);
        assert_eq!(again, first, "the only one that is free");
        waiting.reply(HOST, again, 7, None, now);
        assert!(answered.try_recv().is_err(), "it waits for its own");
        waiting.expire(now.steady + SECOND);
        assert!(is_empty(&waiting) && waiting.next_deadline().is_none());
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
    fn echoes_of_a_batch_left_one_after_the_other_and_a_batch_that_took_long_makes_no_round_trip_short() {
        let ms = Duration::from_millis;
        let begun = Moment::now();
        let moments = [0, 1, 15].map(|i| begun.of_batch(i));
        assert_eq!(moments[0], begun);
        assert!(moments[1].steady > begun.steady && moments[1].wall > moments[0].wall);
        // The first left at once and its answer came after 5 ms; sending all of them ended 8 ms after it began.
        let read = Moment { steady: begun.steady + ms(9), wall: begun.wall + ms(9) };
        assert_eq!(round_trip(moments[0], Some(begun.wall + ms(5)), read), ms(5));
        let last = round_trip(moments[2], Some(begun.wall + ms(5)), read);
        assert!(last + Duration::from_micros(20) > ms(5), "{last:?}");
    }
}
