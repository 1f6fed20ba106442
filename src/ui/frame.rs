//! What a draw call gets: the cells to fill, the time, and what is known of the terminal and its link.

use std::ops::Range;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::base::Timestamp;

/// How many colours there are, and whether Unicode may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    pub colours: Colours,
    pub unicode: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colours {
    /// `NO_COLOR`, or a terminal without colour: attributes only.
    Mono,
    Ansi16,
    Ansi256,
    True,
}

/// What the output layer knows of the line to the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Link {
    /// Measured by status queries; `None` where the terminal does not answer them.
    pub round_trip: Option<Duration>,
    /// Bytes written in the last second.
    pub bytes_per_second: u32,
}

/// One frame while it is drawn. All cells start blank.
#[derive(Debug)]
pub struct Frame<'a> {
    pub buffer: &'a mut Buffer,
    pub area: Rect,
    /// Steady time, for ages.
    pub now: Timestamp,
    /// The system's wall clock, for clocks.
    pub wall: Timestamp,
    pub link: Link,
    /// Where the cursor is shown; hidden when `None`.
    pub cursor: Option<Position>,
    /// The rows that answer the last key: they go out first on a slow line.
    pub answer: Option<Range<u16>>,
}
