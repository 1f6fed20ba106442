//! Output paced by the terminal's own acknowledgement. Every chunk of rows ends in a status query (`CSI 5 n`); its
//! reply (`CSI 0 n`) tells that the terminal has come that far. The bytes between the last answered query and the last
//! written one never exceed a window that follows the measured line: so what is shown is at most a round trip and a
//! chunk old, and a backlog cannot form. Rows that were not sent yet are taken from the newest picture, always.
//!
//! A terminal that does not answer is written to at a fixed low rate instead, and believed again at its first answer.
//!
//! Pure: time is an argument, bytes come back.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;

use super::encode::Encoder;
use crate::ui::frame::Colours;

const FENCE: &[u8] = b"\x1b[5n";
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
/// The first guess: what 9,600 bit/s carries in half a second.
const FIRST_WINDOW: usize = 600;
const SMALLEST: usize = 400;
const LARGEST: usize = 256 * 1024;
/// Queueing delay that is still calm.
const CALM: Duration = Duration::from_millis(60);
/// Queueing delay from which on the window shrinks.
const CROWDED: Duration = Duration::from_millis(220);
/// An answer that takes longer than usual by this is not waited for.
const SILENCE: Duration = Duration::from_secs(3);
/// The same for a terminal that has not answered yet, and may be one that never does.
const FIRST_SILENCE: Duration = Duration::from_millis(1_500);
/// Bytes per second towards a terminal that never answers.
const BLIND_RATE: f64 = 16.0 * 1024.0;

/// What the terminal shows as far as it was told, what it should show, and what is under way.
#[derive(Debug)]
pub struct Pacer {
    colours: Colours,
    /// What was sent; `None` after a resize or a return from suspension.
    shown: Option<Buffer>,
    /// Rows of `shown` that are not known, though the rest is.
    unknown: Vec<bool>,
    next: Option<Buffer>,
    dirty: bool,
    answer: Option<Range<u16>>,
    cursor: Option<(u16, u16)>,
    cursor_shown: Option<(u16, u16)>,
    in_flight: VecDeque<(Instant, usize)>,
    bytes_in_flight: usize,
    window: usize,
    fastest: Option<Duration>,
    latest: Option<Duration>,
    /// Answers to lone chunks that took longer than ever before.
    slower: Vec<Duration>,
    /// Set while the terminal does not answer: when the next bytes may go.
    blind_until: Option<Instant>,
}

impl Pacer {
    pub fn new(colours: Colours) -> Self {
        Self {
            colours,
            shown: None,
            unknown: Vec::new(),
            next: None,
            dirty: false,
            answer: None,
            cursor: None,
            cursor_shown: None,
            in_flight: VecDeque::new(),
            bytes_in_flight: 0,
            window: FIRST_WINDOW,
            fastest: None,
            latest: None,
            slower: Vec::new(),
            blind_until: None,
        }
    }

    /// The newest picture; what was not sent of older ones is forgotten. Rows in `answer` go first.
    pub fn show(&mut self, picture: Buffer, cursor: Option<(u16, u16)>, answer: Option<Range<u16>>) {
        if self.shown.as_ref().is_some_and(|s| s.area != picture.area) {
            self.forget();
        }
        if answer.is_some() {
            self.answer = answer;
        }
        self.cursor = cursor;
        self.next = Some(picture);
        self.dirty = true;
    }

    /// Nothing is known of what the terminal shows: everything is sent again.
    pub fn forget(&mut self) {
        self.shown = None;
        self.unknown.clear();
        self.cursor_shown = None;
        self.dirty = self.next.is_some();
    }

    /// Replies that are still to come went to somebody else.
    pub fn expect_nothing(&mut self) {
        self.in_flight.clear();
        self.bytes_in_flight = 0;
    }

    /// The terminal has come to the oldest open query.
    pub fn acknowledge(&mut self, now: Instant) {
        self.blind_until = None;
        let Some((sent, bytes)) = self.in_flight.pop_front() else { return };
        self.bytes_in_flight -= bytes;
        let took = now.saturating_duration_since(sent);
        self.latest = Some(took);
        let fastest = self.learn_fastest(took);
        let queueing = took.saturating_sub(fastest);
        if queueing > CROWDED {
            self.window = (self.window * 3 / 4).max(SMALLEST);
        } else if queueing < CALM && took < Duration::from_millis(20) {
            self.window = (self.window * 2).min(LARGEST);
        } else if queueing < CALM {
            self.window = (self.window + self.window / 8 + 16).min(LARGEST);
        }
    }

    /// The least time an answer takes. A line that became slower for good is learned from chunks that had the line to
    /// themselves only: with others under way, our own queue would be taken for the line.
    fn learn_fastest(&mut self, took: Duration) -> Duration {
        let known = self.fastest.map_or(took, |fastest| fastest.min(took));
        if self.in_flight.is_empty() && self.window <= SMALLEST && took > known * 2 {
            self.slower.push(took);
        } else if took < known * 2 {
            self.slower.clear();
        }
        let fastest = if self.slower.len() >= 8 { self.slower.drain(..).min().unwrap_or(known) } else { known };
        self.fastest = Some(fastest);
        fastest
    }

    /// The measured round trip; `None` while the terminal does not answer.
    pub fn round_trip(&self) -> Option<Duration> {
        if self.blind_until.is_some() { None } else { self.latest }
    }

    /// Whether a chunk may leave now, if there is one.
    pub fn is_open(&self, now: Instant) -> bool {
        match self.blind_until {
            Some(until) => now >= until,
            None => self.bytes_in_flight == 0 || self.bytes_in_flight < self.window,
        }
    }

    /// Whether replies are still to come.
    pub fn is_owed(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// When [`Pacer::chunk`] should be asked again if nothing else happens; `waiting` where a new picture is
    /// held back until then.
    pub fn wake_at(&self, waiting: bool) -> Option<Instant> {
        if let Some(until) = self.blind_until {
            return (self.dirty || waiting).then_some(until);
        }
        // A query that nobody answers is given up even if nothing new is to be shown: else it would be waited for
        // when something is.
        self.in_flight.front().map(|(sent, _)| *sent + self.patience())
    }

    fn patience(&self) -> Duration {
        self.fastest.map_or(FIRST_SILENCE, |f| SILENCE + f * 4)
    }

    pub fn is_idle(&self) -> bool {
        !self.dirty
    }

    /// The next bytes to write, if any may go now: whole rows in one synchronised update, ending in a query.
    pub fn chunk(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.give_up_on_silence(now);
        if !self.dirty {
            return None;
        }
        if !self.is_open(now) {
            return None;
        }
        let budget = self.window.saturating_sub(self.bytes_in_flight).min(self.window / 2 + 1).max(SMALLEST / 2);
        let bytes = self.build(budget)?;
        if self.blind_until.is_some() {
            self.blind_until = Some(now + Duration::from_secs_f64(bytes.len() as f64 / BLIND_RATE));
        }
        // A blind terminal is asked on: its first answer ends the blindness. The queries are not counted then.
        if self.blind_until.is_none() {
            self.in_flight.push_back((now, bytes.len()));
            self.bytes_in_flight += bytes.len();
        }
        Some(bytes)
    }

    fn give_up_on_silence(&mut self, now: Instant) {
        let Some((sent, _)) = self.in_flight.front() else { return };
        if now.saturating_duration_since(*sent) >= self.patience() {
            self.in_flight.clear();
            self.bytes_in_flight = 0;
            self.window = FIRST_WINDOW;
            self.blind_until = Some(now);
        }
    }

    /// Rows up to the budget, at least one; `None` where nothing differs.
    fn build(&mut self, budget: usize) -> Option<Vec<u8>> {
        let next = self.next.take()?;
        let mut encoder = Encoder::new(self.colours);
        let fresh = self.shown.is_none();
        if fresh {
            encoder.out.extend_from_slice(b"\x1b[2J");
            self.unknown = vec![true; next.area.height as usize];
            self.shown = Some(Buffer::empty(next.area));
        }
        let head = encoder.out.len();
        let mut left_over = false;
        if let Some(shown) = &mut self.shown {
            for y in row_order(next.area.height, self.answer.as_ref()) {
                let unknown = self.unknown.get(y as usize).copied().unwrap_or(true);
                if !unknown && same_row(&next, shown, y) {
                    continue;
                }
                if encoder.out.len() > head && encoder.out.len() >= budget {
                    left_over = true;
                    break;
                }
                // After a clear screen, an unknown row is a blank one.
                encoder.row(y, &next, Some(shown));
                copy_row(&next, shown, y);
                if let Some(flag) = self.unknown.get_mut(y as usize) {
                    *flag = false;
                }
            }
        }
        encoder.finish();
        self.next = Some(next);
        self.dirty = left_over;
        if !left_over {
            self.answer = None;
        }
        let moved = !left_over && self.cursor != self.cursor_shown;
        if encoder.out.is_empty() && !moved {
            return None;
        }
        Some(self.wrap(&encoder.out, left_over))
    }

    fn wrap(&mut self, rows: &[u8], left_over: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(rows.len() + 48);
        out.extend_from_slice(BEGIN);
        if self.cursor_shown.is_some() {
            out.extend_from_slice(b"\x1b[?25l");
            self.cursor_shown = None;
        }
        out.extend_from_slice(rows);
        if !left_over && let Some((x, y)) = self.cursor {
            out.extend_from_slice(format!("\x1b[{};{}H\x1b[?25h", y + 1, x + 1).as_bytes());
            self.cursor_shown = self.cursor;
        }
        out.extend_from_slice(END);
        out.extend_from_slice(FENCE);
        out
    }
}

/// The rows of the answer first, then from the top.
fn row_order(height: u16, answer: Option<&Range<u16>>) -> impl Iterator<Item = u16> {
    let first = answer.cloned().unwrap_or(0..0);
    let first = first.start.min(height)..first.end.min(height);
    let rest = first.clone();
    first.chain((0..height).filter(move |y| !rest.contains(y)))
}

fn same_row(a: &Buffer, b: &Buffer, y: u16) -> bool {
    let width = a.area.width as usize;
    let range = y as usize * width..(y as usize + 1) * width;
    a.content.get(range.clone()) == b.content.get(range)
}

fn copy_row(from: &Buffer, to: &mut Buffer, y: u16) {
    let width = from.area.width as usize;
    let range = y as usize * width..(y as usize + 1) * width;
    if let (Some(source), Some(target)) = (from.content.get(range.clone()), to.content.get_mut(range)) {
        target.clone_from_slice(source);
    }
}

#[cfg(test)]
mod tests;
