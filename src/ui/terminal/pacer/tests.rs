//! The pacer against a simulated line: a rate, a round trip, and a terminal that answers each query as it comes to it.

use ratatui::layout::Rect;

use super::*;

struct Line {
    /// Bytes per second.
    rate: f64,
    round_trip: Duration,
    free_at: Instant,
    /// When the reply to each chunk is back.
    replies: VecDeque<Instant>,
    /// When each chunk was shown, and how old it was then.
    shown: Vec<(Instant, Duration)>,
}

impl Line {
    fn new(bits: f64, round_trip: Duration, now: Instant) -> Self {
        Self { rate: bits / 8.0, round_trip, free_at: now, replies: VecDeque::new(), shown: Vec::new() }
    }

    fn carry(&mut self, bytes: usize, now: Instant) {
        let begin = self.free_at.max(now);
        self.free_at = begin + Duration::from_secs_f64(bytes as f64 / self.rate);
        let at = self.free_at + self.round_trip / 2;
        self.shown.push((at, at - now));
        self.replies.push_back(at + self.round_trip / 2);
    }
}

fn picture(width: u16, height: u16, seed: usize) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    for y in 0..height {
        let letters =
            (0..width).map(|x| char::from(b'a' + ((seed * 7 + usize::from(x) * 3 + usize::from(y)) % 26) as u8));
        let line: String = format!("{seed}:{y}:").chars().chain(letters).take(usize::from(width)).collect();
        buffer.set_string(0, y, line, ratatui::style::Style::new());
    }
    buffer
}

/// Runs a busy screen (a new picture every 100 ms) for a time, and gives the ages of what was shown.
fn busy(line: &mut Line, start: Instant, secs: u64) -> Vec<Duration> {
    let mut pacer = Pacer::new(Colours::True);
    let mut now = start;
    let end = start + Duration::from_secs(secs);
    let mut seed = 0;
    let mut next_picture = start;
    while now < end {
        while line.replies.front().is_some_and(|at| *at <= now) {
            line.replies.pop_front();
            pacer.acknowledge(now);
        }
        if now >= next_picture {
            pacer.show(picture(120, 40, seed), None, None);
            seed += 1;
            next_picture += Duration::from_millis(100);
        }
        while let Some(bytes) = pacer.chunk(now) {
            line.carry(bytes.len(), now);
        }
        now += Duration::from_millis(5);
    }
    line.shown.iter().map(|(_, age)| *age).collect()
}

#[test]
fn on_a_slow_line_nothing_shown_is_older_than_a_second_for_ever() {
    let start = Instant::now();
    let mut line = Line::new(64_000.0, Duration::from_millis(300), start);
    let ages = busy(&mut line, start, 120);
    let worst = ages.iter().max().copied().unwrap_or_default();
    assert!(ages.len() > 100, "{} chunks", ages.len());
    assert!(worst < Duration::from_millis(800), "{worst:?}");
    let carried = line.shown.len();
    assert!(carried > 200, "the line is used: {carried} chunks");
}

#[test]
fn at_9600_bits_the_first_rows_are_there_within_two_seconds() {
    let start = Instant::now();
    let mut line = Line::new(9_600.0, Duration::from_millis(20), start);
    let ages = busy(&mut line, start, 60);
    let worst = ages.iter().max().copied().unwrap_or_default();
    assert!(worst < Duration::from_millis(1_500), "{worst:?}");
    assert!(line.shown[0].0 - start < Duration::from_secs(1));
}

#[test]
fn a_fast_terminal_gets_the_whole_screen_at_once() {
    let start = Instant::now();
    let mut line = Line::new(1e9, Duration::from_micros(200), start);
    let mut pacer = Pacer::new(Colours::True);
    pacer.show(picture(200, 60, 1), None, None);
    let mut now = start;
    while !pacer.is_idle() && now < start + Duration::from_secs(1) {
        while line.replies.front().is_some_and(|at| *at <= now) {
            line.replies.pop_front();
            pacer.acknowledge(now);
        }
        while let Some(bytes) = pacer.chunk(now) {
            line.carry(bytes.len(), now);
        }
        now += Duration::from_micros(100);
    }
    assert!(pacer.is_idle());
    assert!(now - start < Duration::from_millis(10), "{:?}", now - start);
}

#[test]
fn the_rows_that_answer_a_key_go_first() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Colours::True);
    pacer.show(picture(80, 24, 1), None, None);
    while let Some(_bytes) = pacer.chunk(now) {
        pacer.acknowledge(now);
    }
    pacer.window = FIRST_WINDOW;
    pacer.show(picture(80, 24, 2), None, Some(17..18));
    let bytes = pacer.chunk(now).expect("something to send");
    let text = String::from_utf8(bytes).expect("ASCII");
    let first =
        text.strip_prefix("\x1b[?2026h\x1b[").and_then(|t| t.split_once(['H', ';'])).map(|(row, _)| row.to_owned());
    assert_eq!(first.as_deref(), Some("18"), "{text:?}");
}

#[test]
fn rows_that_were_not_sent_are_taken_from_the_newest_picture() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Colours::True);
    pacer.show(picture(80, 24, 1), None, None);
    let _first = pacer.chunk(now).expect("the first rows");
    assert!(!pacer.is_idle());
    pacer.show(picture(80, 24, 2), None, None);
    let mut rest = Vec::new();
    for i in 0..200 {
        let later = now + Duration::from_millis(i);
        pacer.acknowledge(later);
        if let Some(bytes) = pacer.chunk(later) {
            rest.extend(bytes);
        }
    }
    assert!(pacer.is_idle());
    assert_eq!(pacer.shown, Some(picture(80, 24, 2)));
    let stale: String =
        picture(80, 24, 1).content[80 * 20..80 * 21].iter().map(ratatui::buffer::Cell::symbol).collect();
    assert!(!String::from_utf8_lossy(&rest).contains(&stale));
}

#[test]
fn a_terminal_that_never_answers_is_neither_flooded_nor_given_up() {
    let start = Instant::now();
    let mut pacer = Pacer::new(Colours::True);
    let mut now = start;
    let mut sent = 0;
    for tick in 0..2_000 {
        if tick % 10 == 0 {
            pacer.show(picture(120, 40, tick), None, None);
        }
        while let Some(bytes) = pacer.chunk(now) {
            sent += bytes.len();
        }
        now += Duration::from_millis(10);
    }
    let seconds = (now - start).as_secs_f64();
    assert!((sent as f64) < BLIND_RATE * seconds * 1.1, "{sent} bytes in {seconds} s");
    assert!(sent > 50_000, "{sent}");
    assert_eq!(pacer.round_trip(), None);
}

#[test]
fn an_unchanged_picture_sends_nothing() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Colours::True);
    pacer.show(picture(80, 24, 1), None, None);
    while pacer.chunk(now).is_some() {
        pacer.acknowledge(now);
    }
    pacer.show(picture(80, 24, 1), None, None);
    assert_eq!(pacer.chunk(now), None);
    assert!(pacer.is_idle());
}
