//! Output paced by the terminal's own acknowledgement. Every chunk of rows ends in a query ([`Fence`]); its reply tells
//! that the terminal has come that far. The bytes between the last answered query and the last written one never exceed
//! a window that follows the measured line: so what is shown is at most a round trip and a chunk old, and a backlog
//! cannot form. Rows that were not sent yet are taken from the newest picture, always.
//!
//! ```text
//! awaited ──reply──► by that fence ◄──── settled ─────┐
//!    └── silence ──┐      └── silence ──┐             │
//!                  ▼                    ▼             │
//!            none: a fixed low rate, all fences ──reply──► settling: a lower rate, nothing is asked
//! ```
//!
//! Which query a terminal answers is found out: the first that it answers is kept. One that never answers is written to at
//! a fixed low rate, and asked on; one that falls silent gets little, for it likely does not read. When it answers, replies
//! that are late are let in before any counts, so that none is taken for that of a later chunk.
//!
//! Pure: time is an argument, bytes come back.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;

use super::encode::Encoder;
use super::fence::Fence;
use super::shift::Shift;
use crate::ui::clipboard::Clip;
use crate::ui::frame::Colours;

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
/// However slow the line seems to be, an answer is not waited for longer than this.
const LONGEST_SILENCE: Duration = Duration::from_secs(20);
/// Bytes per second towards a terminal that never answers.
const BLIND_RATE: f64 = 16.0 * 1024.0;
/// The same while late answers are let in: the line is slow, or was.
const SETTLING_RATE: f64 = 2.0 * 1024.0;
/// Between two chunks of a few rows for a terminal that answers no more: each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The same for rows that answer a key.
const FIRST_ANSWER_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_ANSWER_PAUSE: Duration = Duration::from_secs(8);
/// Bytes per second of the slowest line that is thought of.
const SLOW_RATE: usize = 900;
/// Answers that are late come within the time that the first of them was late, and this.
const SETTLING: Duration = Duration::from_millis(200);
const LONGEST_SETTLING: Duration = Duration::from_secs(10);
/// How often the query is tried that some terminals print the end of.
const MODE_TRIES: u8 = 3;
/// How long the answers to queries that were only tried may take.
const TRIED: Duration = Duration::from_secs(1);

/// How the terminal answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    /// It has not been silent for long, and answered nothing yet.
    Awaited,
    By(Fence),
    /// Not: the oldest query without an answer is from `since`, the oldest for the mode from `mode_since`; so many of each
    /// kind were `asked`; the next bytes may go at `until`.
    None {
        since: Instant,
        mode_since: Option<Instant>,
        asked: [usize; Fence::KINDS],
        until: Instant,
        tries: u8,
        silence: Silence,
    },
    /// Again, by this fence: when the `owed` answers are in, or from `ends` on.
    Settling {
        by: Fence,
        owed: usize,
        until: Instant,
        ends: Instant,
    },
}

/// Why it does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    /// It never did: there are such terminals.
    Always,
    /// It did, so likely it does not read. What is written to it now waits somewhere, and will be shown before what is new:
    /// so it gets a few rows, ever more seldom, and the whole of another size, for then somebody is there.
    Fallen { changes: Pause, keys: Pause },
}

/// When the next chunk may go, and how long after it the one that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pause {
    until: Instant,
    next: Duration,
}

impl Pause {
    fn begin(&mut self, now: Instant, longest: Duration) {
        *self = Self { until: now + self.next, next: (self.next * 2).min(longest) };
    }
}

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
    answers: Answers,
    /// How late answers were when they came again.
    lateness: Duration,
    /// Queries beside the one that counts, and when the last was sent.
    tried: (usize, Option<Instant>),
    /// A row where a query may have printed something.
    spoiled: Option<u16>,
    /// Goes whole before the next rows, and counts as bytes under way like them.
    clip: Vec<u8>,
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
            answers: Answers::Awaited,
            lateness: Duration::ZERO,
            tried: (0, None),
            spoiled: None,
            clip: Vec::new(),
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

    /// Replies that are still to come may go to somebody else.
    pub fn expect_nothing(&mut self, now: Instant) {
        if let Answers::By(by) = self.answers
            && let Some((sent, _)) = self.in_flight.front()
        {
            self.settle(by, self.in_flight.len(), *sent, now);
        }
        self.in_flight.clear();
        self.bytes_in_flight = 0;
    }

    /// The terminal has come to the oldest open query of this kind.
    pub fn acknowledge(&mut self, fence: Fence, now: Instant) {
        match self.answers {
            Answers::Awaited => {
                self.answers = Answers::By(fence);
                self.count(now);
            }
            Answers::By(known) if known == fence => self.count(now),
            Answers::Settling { by, owed, .. } if by == fence && owed <= 1 => self.answers = Answers::By(by),
            Answers::Settling { by, ref mut owed, .. } if by == fence => *owed -= 1,
            // Tried as well, when another was answered first.
            Answers::By(_) | Answers::Settling { .. } => self.tried.0 = self.tried.0.saturating_sub(1),
            Answers::None { since, mode_since, asked, .. } => {
                let oldest = if fence == Fence::Mode { mode_since.unwrap_or(since) } else { since };
                self.settle(fence, asked[fence as usize].saturating_sub(1), oldest, now);
            }
        }
    }

    /// It answers again what it was asked from `since` on, and owes as many answers still.
    fn settle(&mut self, by: Fence, owed: usize, since: Instant, now: Instant) {
        let late = now.saturating_duration_since(since).min(LONGEST_SETTLING);
        self.answers = match owed {
            0 => Answers::By(by),
            _ => Answers::Settling { by, owed, until: now, ends: now + late + SETTLING },
        };
        self.lateness = late;
        self.fastest = None;
        self.slower.clear();
        self.window = FIRST_WINDOW;
    }

    fn count(&mut self, now: Instant) {
        let Some((sent, bytes)) = self.in_flight.pop_front() else { return };
        // What was hardly used says nothing of how much more the line would take (as RFC 7661 has it for TCP).
        let was_used = self.bytes_in_flight * 2 >= self.window;
        self.bytes_in_flight -= bytes;
        let took = now.saturating_duration_since(sent);
        self.latest = Some(took);
        if took * 2 < self.lateness {
            self.lateness = Duration::ZERO;
        }
        let fastest = self.learn_fastest(took);
        let queueing = took.saturating_sub(fastest);
        if queueing > CROWDED {
            self.window = (self.window * 3 / 4).max(SMALLEST);
        } else if was_used && queueing < CALM && took < Duration::from_millis(20) {
            self.window = (self.window * 2).min(LARGEST);
        } else if was_used && queueing < CALM {
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
        match self.answers {
            Answers::Awaited | Answers::By(_) => self.latest,
            Answers::None { .. } | Answers::Settling { .. } => None,
        }
    }

    /// Whether a chunk may leave now, if there is one.
    pub fn is_open(&self, now: Instant) -> bool {
        match self.answers {
            Answers::None { until, silence, .. } => now >= self.opens_at(until, silence),
            Answers::Settling { until, .. } => now >= until,
            Answers::Awaited | Answers::By(_) => self.bytes_in_flight == 0 || self.bytes_in_flight < self.window,
        }
    }

    /// When a terminal that does not answer gets more.
    fn opens_at(&self, until: Instant, silence: Silence) -> Instant {
        match silence {
            Silence::Fallen { changes, .. } if !self.is_unknown() && self.answer.is_none() => until.max(changes.until),
            Silence::Fallen { keys, .. } if !self.is_unknown() => until.max(keys.until),
            _ => until,
        }
    }

    /// Whether there are rows of which nobody knows what the terminal shows there.
    fn is_unknown(&self) -> bool {
        self.shown.is_none() || self.unknown.contains(&true)
    }

    /// Whether replies are still to come.
    pub fn is_owed(&self, now: Instant) -> bool {
        let (tried, at) = self.tried;
        let lately = at.is_some_and(|at| now.saturating_duration_since(at) < TRIED);
        !self.in_flight.is_empty() || (tried > 0 && lately)
    }

    /// When [`Pacer::chunk`] should be asked again if nothing else happens; `waiting` where a new picture is
    /// held back until then.
    pub fn wake_at(&self, waiting: bool) -> Option<Instant> {
        match self.answers {
            Answers::None { until, silence, .. } => {
                (!self.is_idle() || waiting).then_some(self.opens_at(until, silence))
            }
            Answers::Settling { until, .. } => (!self.is_idle() || waiting).then_some(until),
            // A query that nobody answers is given up even if nothing new is to be shown: else it would be waited for
            // when something is.
            Answers::Awaited | Answers::By(_) => self.in_flight.front().map(|(sent, _)| *sent + self.patience()),
        }
    }

    fn patience(&self) -> Duration {
        let usual = self.fastest.map_or(FIRST_SILENCE, |f| SILENCE + f * 4);
        let late = if self.lateness.is_zero() { Duration::ZERO } else { self.lateness + SILENCE };
        usual.max(late).min(LONGEST_SILENCE) + self.carriage()
    }

    /// What a clip may take beyond that on a slow line that is known to answer.
    fn carriage(&self) -> Duration {
        let (Answers::By(_), Some((_, bytes))) = (self.answers, self.in_flight.front()) else { return Duration::ZERO };
        let beyond = bytes.saturating_sub(self.window.max(SLOW_RATE));
        Duration::from_secs_f64(beyond as f64 / SLOW_RATE as f64)
    }

    pub fn is_idle(&self) -> bool {
        !self.dirty && self.clip.is_empty()
    }

    /// For the terminal's clipboard; of several that could not go yet, the last.
    pub fn copy(&mut self, clip: &Clip) {
        self.clip = clip.bytes();
    }

    /// The next bytes to write, if any may go now: whole rows in one synchronised update, ending in queries.
    pub fn chunk(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.give_up_on_silence(now);
        if let Answers::Settling { by, ends, .. } = self.answers
            && now >= ends
        {
            self.answers = Answers::By(by);
        }
        if self.is_idle() || !self.is_open(now) {
            return None;
        }
        let budget = match self.answers {
            Answers::None { silence: Silence::Fallen { .. }, .. } => SMALLEST / 2,
            _ => self.window.saturating_sub(self.bytes_in_flight).min(self.window / 2 + 1).max(SMALLEST / 2),
        };
        let fences: &[Fence] = match self.answers {
            Answers::By(Fence::Status) => &[Fence::Status],
            Answers::By(Fence::Cursor) => &[Fence::Cursor],
            Answers::By(Fence::Mode) => &[Fence::Mode],
            Answers::None { tries, .. } if tries < MODE_TRIES => &[Fence::Status, Fence::Cursor, Fence::Mode],
            Answers::Awaited | Answers::None { .. } => &[Fence::Status, Fence::Cursor],
            Answers::Settling { .. } => &[],
        };
        let (is_answer, is_known) = (self.answer.is_some(), !self.is_unknown());
        let rows = self.build(budget, fences);
        if rows.is_none() && self.clip.is_empty() {
            return None;
        }
        let rows = rows.unwrap_or_else(|| self.wrap(&[], false, fences));
        let bytes = [std::mem::take(&mut self.clip), rows].concat();
        let after = |rate: f64| now + Duration::from_secs_f64(bytes.len() as f64 / rate);
        match &mut self.answers {
            Answers::None { until, tries, mode_since, asked, silence, .. } => {
                *until = after(BLIND_RATE);
                match silence {
                    Silence::Fallen { keys, .. } if is_known && is_answer => keys.begin(now, LONGEST_ANSWER_PAUSE),
                    Silence::Fallen { changes, .. } if is_known => changes.begin(now, LONGEST_PAUSE),
                    _ => {}
                }
                for fence in fences {
                    asked[*fence as usize] += 1;
                }
                mode_since.get_or_insert(now);
                *tries = tries.saturating_add(1);
            }
            Answers::Settling { until, .. } => *until = after(SETTLING_RATE),
            Answers::Awaited | Answers::By(_) => {
                self.in_flight.push_back((now, bytes.len()));
                self.bytes_in_flight += bytes.len();
            }
        }
        if self.answers == Answers::Awaited {
            self.tried = (self.tried.0 + fences.len() - 1, Some(now));
        }
        Some(bytes)
    }

    fn give_up_on_silence(&mut self, now: Instant) {
        let Some((sent, _)) = self.in_flight.front() else { return };
        if now.saturating_duration_since(*sent) >= self.patience() {
            let (asked_by, silence): (&[Fence], _) = match &self.answers {
                Answers::By(by) => {
                    let changes = Pause { until: now, next: FIRST_PAUSE };
                    let keys = Pause { until: now, next: FIRST_ANSWER_PAUSE };
                    (std::slice::from_ref(by), Silence::Fallen { changes, keys })
                }
                _ => (&[Fence::Status, Fence::Cursor], Silence::Always),
            };
            let mut asked = [0; Fence::KINDS];
            for fence in asked_by {
                asked[*fence as usize] = self.in_flight.len();
            }
            self.answers = Answers::None { since: *sent, mode_since: None, asked, until: now, tries: 0, silence };
            self.in_flight.clear();
            self.bytes_in_flight = 0;
            self.window = FIRST_WINDOW;
        }
    }

    /// Rows up to the budget, at least one; `None` where nothing differs.
    fn build(&mut self, budget: usize, fences: &[Fence]) -> Option<Vec<u8>> {
        let next = self.next.take()?;
        let mut encoder = Encoder::new(self.colours);
        let fresh = self.shown.is_none();
        if fresh {
            encoder.out.extend_from_slice(b"\x1b[2J");
            self.unknown = vec![true; next.area.height as usize];
            self.shown = Some(Buffer::empty(next.area));
        }
        let (mut some, mut left_over) = (false, false);
        if let Some(shown) = &mut self.shown {
            // Of a row that is not known nobody can say where it moves to.
            if self.spoiled.is_none()
                && !self.unknown.contains(&true)
                && let Some(shift) = Shift::between(shown, &next)
            {
                shift.write(&mut encoder.out);
                shift.apply(shown);
            }
            for y in row_order(next.area.height, self.answer.as_ref()) {
                let unknown = self.unknown.get(y as usize).copied().unwrap_or(true);
                let spoiled = self.spoiled == Some(y);
                if !unknown && !spoiled && same_row(&next, shown, y) {
                    continue;
                }
                if some && encoder.out.len() >= budget {
                    left_over = true;
                    break;
                }
                some = true;
                // After a clear screen, an unknown row is a blank one.
                encoder.row(y, &next, (!spoiled).then_some(&*shown));
                self.spoiled = self.spoiled.filter(|row| *row != y);
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
        Some(self.wrap(&encoder.out, left_over, fences))
    }

    fn wrap(&mut self, rows: &[u8], left_over: bool, fences: &[Fence]) -> Vec<u8> {
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
        let height = self.shown.as_ref().map_or(0, |shown| shown.area.height);
        for fence in fences {
            match fence {
                Fence::Status => out.extend_from_slice(fence.query()),
                // In a row that no key can be mistaken for; there is none on a screen of one.
                Fence::Cursor if height < 2 => {}
                Fence::Cursor | Fence::Mode => {
                    out.extend_from_slice(format!("\x1b[{height}H").as_bytes());
                    out.extend_from_slice(fence.query());
                    if let Some((x, y)) = self.cursor_shown {
                        out.extend_from_slice(format!("\x1b[{};{}H", y + 1, x + 1).as_bytes());
                    }
                }
            }
            if *fence == Fence::Mode && fences.len() > 1 {
                self.spoiled = height.checked_sub(1);
                self.dirty |= self.spoiled.is_some();
            }
        }
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
