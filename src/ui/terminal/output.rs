//! Output on its way: the chunk that the terminal has not taken in full yet, and how much went out lately. At
//! most one chunk waits here, so a blocked terminal costs neither time nor memory.

use std::io;
use std::time::{Duration, Instant};

use super::pacer::Pacer;
use super::tty::{MOUSE_OFF, MOUSE_ON, Tty};
use crate::ui::frame::{Colours, Link};
use crate::ui::screen::Ring;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Output {
    pub pacer: Pacer,
    unwritten: Vec<u8>,
    /// Goes before the next picture.
    ring: Vec<u8>,
    /// Whether the terminal reports the mouse, as far as it was told; and what is to tell it.
    mouse: bool,
    switch: &'static [u8],
    /// When the present second of counting began.
    second: Instant,
    bytes: u32,
    bytes_last_second: u32,
}

impl Output {
    pub fn new(colours: Colours) -> Self {
        Self {
            pacer: Pacer::new(colours),
            unwritten: Vec::new(),
            ring: Vec::new(),
            mouse: false,
            switch: &[],
            second: Instant::now(),
            bytes: 0,
            bytes_last_second: 0,
        }
    }

    /// Whether the terminal has refused bytes that are still to be written.
    pub fn is_blocked(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// Whether a picture drawn now could begin to leave at once.
    pub fn is_open(&self, now: Instant) -> bool {
        self.unwritten.is_empty() && self.pacer.is_open(now)
    }

    /// A sound; of several that could not go yet, the last.
    pub fn ring(&mut self, ring: &Ring) {
        self.ring = ring.bytes();
    }

    /// Has the terminal report the mouse, or not.
    pub fn report_mouse(&mut self, on: bool) {
        if self.mouse != on {
            self.mouse = on;
            self.switch = if on { MOUSE_ON } else { MOUSE_OFF };
        }
    }

    /// Nothing is known of the terminal any more, and nothing is owed to it. It reports no mouse: whoever takes it or gives
    /// it back says so.
    pub fn forget(&mut self) {
        (self.mouse, self.switch) = (false, &[]);
        self.unwritten.clear();
        self.pacer.forget();
        self.pacer.expect_nothing(Instant::now());
    }

    /// Writes chunks until the pacer or the terminal has had enough.
    pub fn flush(&mut self, tty: &Tty) -> io::Result<()> {
        loop {
            let now = Instant::now();
            if self.unwritten.is_empty() && !(self.ring.is_empty() && self.switch.is_empty()) {
                self.unwritten = std::mem::take(&mut self.ring);
                self.unwritten.extend_from_slice(std::mem::take(&mut self.switch));
            } else if self.unwritten.is_empty() {
                match self.pacer.chunk(now) {
                    Some(bytes) => self.unwritten = bytes,
                    None => return Ok(()),
                }
            }
            let written = tty.write(&self.unwritten)?;
            self.count(written, now);
            self.unwritten.drain(..written);
            if !self.unwritten.is_empty() {
                return Ok(());
            }
        }
    }

    /// What the operator may be told of the line.
    pub fn link(&mut self) -> Link {
        self.count(0, Instant::now());
        Link { round_trip: self.pacer.round_trip(), bytes_per_second: self.bytes_last_second }
    }

    fn count(&mut self, written: usize, now: Instant) {
        let passed = now.saturating_duration_since(self.second);
        if passed >= SECOND {
            self.bytes_last_second = if passed < 2 * SECOND { self.bytes } else { 0 };
            self.bytes = 0;
            self.second = now;
        }
        self.bytes = self.bytes.saturating_add(u32::try_from(written).unwrap_or(u32::MAX));
    }
}
