//! The terminal emulation of one pane. Whatever the remote side writes, it can only change this grid, ask a few
//! questions and set a title: no clipboard, no file, no other session. A panic inside is caught and the emulation
//! begun anew, the session stays.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use alacritty_terminal::Term;
use alacritty_terminal::event::{Event, EventListener};
use alacritty_terminal::grid::{Dimensions, Scroll};
use alacritty_terminal::term::{Config, Osc52, TermMode};
use alacritty_terminal::vte::ansi::Processor;

use super::filter::Filter;
use crate::base::text;

/// Lines kept above the screen.
const HISTORY: usize = 5_000;
/// Answers to the remote side's questions, each turn.
const REPLIES: usize = 64;
const REPLY_BYTES: usize = 4 * 1024;
const TITLE_COLUMNS: usize = 80;
/// An update that its sender does not end is shown all the same after this long.
const SYNCHRONISED: Duration = Duration::from_millis(150);

thread_local! {
    /// A panic that happens now is caught here and concerns one pane only.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread is caught by a pane: then the hook must not give the terminal back.
pub fn panic_is_contained() -> bool {
    CONTAINED.get()
}

/// A size that the emulator is safe with: one column makes it loop for ever on a wide character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaneSize {
    pub columns: u16,
    pub rows: u16,
}

impl PaneSize {
    pub fn new(columns: u16, rows: u16) -> Self {
        Self { columns: columns.clamp(2, 1_000), rows: rows.clamp(1, 500) }
    }
}

impl Dimensions for PaneSize {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.rows)
    }

    fn columns(&self) -> usize {
        usize::from(self.columns)
    }
}

/// What the emulation wants to say. The list of what is heard at all; the rest is dropped.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// For this session's remote side only.
    pub replies: Vec<u8>,
    count: usize,
    pub title: Option<String>,
    pub bell: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Listener(Arc<Mutex<Said>>);

impl EventListener for Listener {
    fn send_event(&self, event: Event) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::PtyWrite(reply) if said.count < REPLIES && said.replies.len() + reply.len() <= REPLY_BYTES => {
                said.count += 1;
                said.replies.extend_from_slice(reply.as_bytes());
            }
            Event::Title(title) => said.title = Some(text::fit(&text::clean(&title), TITLE_COLUMNS)),
            Event::ResetTitle => said.title = Some(String::new()),
            Event::Bell => said.bell = true,
            // Clipboard, colours of the operator's terminal, window size in pixels: none of the remote side's
            // business.
            _ => {}
        }
    }
}

pub struct Emulator {
    term: Term<Listener>,
    parser: Processor,
    filter: Filter,
    listener: Listener,
    size: PaneSize,
    filtered: Vec<u8>,
    /// Since when nothing was shown because of an unfinished update.
    held_since: Option<Instant>,
    /// How often it had to be begun anew.
    pub restarts: u32,
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator").field("size", &self.size).field("restarts", &self.restarts).finish_non_exhaustive()
    }
}

fn fresh(size: PaneSize, listener: Listener) -> Term<Listener> {
    let config =
        Config { scrolling_history: HISTORY, osc52: Osc52::Disabled, kitty_keyboard: false, ..Config::default() };
    Term::new(config, &size, listener)
}

impl Emulator {
    pub fn new(size: PaneSize) -> Self {
        let listener = Listener::default();
        Self {
            term: fresh(size, listener.clone()),
            parser: Processor::new(),
            filter: Filter::new(size.columns),
            listener,
            size,
            filtered: Vec::new(),
            held_since: None,
            restarts: 0,
        }
    }

    /// Takes what the remote side wrote.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.filtered.clear();
        let mut filtered = std::mem::take(&mut self.filtered);
        self.filter.pass(bytes, &mut filtered);
        self.contain(|emulator| emulator.parser.advance(&mut emulator.term, &filtered));
        self.filtered = filtered;
        self.held_since = self.filter.is_synchronised.then(|| self.held_since.unwrap_or_else(Instant::now));
    }

    pub fn resize(&mut self, size: PaneSize) {
        if size != self.size {
            self.size = size;
            self.filter.resize(size.columns);
            self.contain(|emulator| emulator.term.resize(size));
        }
    }

    /// When an unfinished synchronised update must be shown all the same; `None` where none is under way.
    pub fn sync_deadline(&self) -> Option<Instant> {
        self.held_since.map(|since| since + SYNCHRONISED)
    }

    /// Shows an update that its sender did not end in time.
    pub fn settle(&mut self, now: Instant) -> bool {
        let late = self.sync_deadline().is_some_and(|at| at <= now);
        if late {
            self.filter.is_synchronised = false;
            self.held_since = None;
        }
        late
    }

    /// What was said since the last call.
    pub fn take_said(&mut self) -> Said {
        std::mem::take(&mut *self.listener.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn term(&self) -> &Term<Listener> {
        &self.term
    }

    pub fn size(&self) -> PaneSize {
        self.size
    }

    pub fn has_mode(&self, mode: TermMode) -> bool {
        self.term.mode().contains(mode)
    }

    /// Lines that the view stands above the newest.
    pub fn scrolled(&self) -> usize {
        self.term.grid().display_offset()
    }

    pub fn scroll(&mut self, how: Scroll) {
        self.contain(|emulator| emulator.term.scroll_display(how));
    }

    fn contain(&mut self, work: impl FnOnce(&mut Self)) {
        CONTAINED.set(true);
        let done = catch_unwind(AssertUnwindSafe(|| work(self)));
        CONTAINED.set(false);
        if done.is_err() {
            self.restarts += 1;
            self.term = fresh(self.size, self.listener.clone());
            self.parser = Processor::new();
            self.filter = Filter::new(self.size.columns);
            self.held_since = None;
            let words = b"\x1b[7m the display of this session failed and was begun anew; Ctrl+L redraws \x1b[0m\r\n";
            self.parser.advance(&mut self.term, words);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(emulator: &Emulator) -> String {
        let size = emulator.size();
        let mut out = String::new();
        for cell in emulator.term().grid().display_iter() {
            out.push(cell.cell.c);
            if cell.point.column.0 + 1 == usize::from(size.columns) {
                out.push('\n');
            }
        }
        out
    }

    #[test]
    fn the_clipboard_is_never_touched_and_questions_are_answered_within_bounds() {
        let mut emulator = Emulator::new(PaneSize::new(20, 4));
        emulator.feed(b"\x1b]52;c;aGk=\x07\x1b]0;a title\x07\x1b[6n");
        let said = emulator.take_said();
        assert_eq!(said.replies, b"\x1b[1;1R");
        emulator.feed(&b"\x1b[c".repeat(10_000));
        assert!(emulator.take_said().replies.len() <= REPLY_BYTES);
        emulator.feed("\x1b]2;evil\u{202e}title\x07".as_bytes());
        assert_eq!(emulator.take_said().title.as_deref(), Some("evil<U+202E>title"));
    }

    #[test]
    fn an_update_that_is_never_ended_is_shown_when_its_time_is_up() {
        let mut emulator = Emulator::new(PaneSize::new(20, 4));
        emulator.feed(b"\x1b[?2026hhalf");
        let deadline = emulator.sync_deadline().expect("it is held back");
        emulator.feed(b" a picture");
        assert_eq!(emulator.sync_deadline(), Some(deadline), "more of it does not put the end off");
        assert!(!emulator.settle(deadline.checked_sub(Duration::from_millis(1)).expect("later than boot")));
        assert!(emulator.settle(deadline));
        assert_eq!(emulator.sync_deadline(), None);
        emulator.feed(b"\x1b[?2026hwhole\x1b[?2026l");
        assert_eq!(emulator.sync_deadline(), None);
        assert!(shown(&emulator).contains("half a picturewhole"));
    }

    #[test]
    fn eight_bytes_make_a_line_of_work_at_most() {
        let mut emulator = Emulator::new(PaneSize::new(20, 4));
        // A letter, the bytes that would repeat it 65,535 times, and a mark at the end.
        emulator.feed(b"x\x1b[65535b|");
        // 1 + 20 letters: the mark stands in the second line.
        assert_eq!(shown(&emulator).lines().nth(1), Some("x|                  "));
    }

    #[test]
    fn the_smallest_pane_survives_wide_characters() {
        let mut emulator = Emulator::new(PaneSize::new(0, 0));
        emulator.feed("日本語⚠\u{fe0f}".as_bytes());
        emulator.resize(PaneSize::new(1, 1));
        emulator.feed("日本語\r\n日".as_bytes());
        assert_eq!(emulator.size(), PaneSize { columns: 2, rows: 1 });
    }

    #[test]
    fn a_panic_inside_begins_anew_and_is_known_to_the_hook() {
        let mut emulator = Emulator::new(PaneSize::new(20, 4));
        let mut contained = false;
        emulator.contain(|_| {
            contained = panic_is_contained();
            panic!("as if the emulation had a fault");
        });
        assert!(contained && !panic_is_contained());
        assert_eq!(emulator.restarts, 1);
        emulator.feed(b"alive");
        assert!(shown(&emulator).contains("alive"));
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_sizes_break_it(
            chunks in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..60), 0u16..30, 0u16..10), 0..12),
        ) {
            let mut emulator = Emulator::new(PaneSize::new(10, 4));
            for (bytes, columns, rows) in chunks {
                emulator.feed(&bytes);
                emulator.resize(PaneSize::new(columns, rows));
            }
            prop_assert_eq!(emulator.restarts, 0);
        }
    }
}
