//! Meanings to styles and glyphs, for the terminal at hand.

use ratatui::style::{Color, Modifier, Style};

use super::frame::{Capabilities, Colours};
use crate::config::theme::{Colour, Meaning, Theme};
use crate::model::Condition;
use crate::state::{PortState, PortView};

/// A theme made ready to draw with.
#[derive(Clone, Debug)]
pub struct Look {
    styles: Vec<Style>,
    pub unicode: bool,
}

impl Look {
    /// Where the terminal has no colour, weight says what colour would.
    pub fn new(theme: &Theme, capabilities: Capabilities) -> Self {
        let mono = Theme::shipped("mono").map(|(mono, _)| mono);
        let theme = match (&mono, capabilities.colours) {
            (Some(mono), Colours::Mono) => mono,
            _ => theme,
        };
        let styles = Meaning::ALL.iter().map(|(meaning, _)| convert(theme.style(*meaning))).collect();
        Self { styles, unicode: capabilities.unicode }
    }

    /// From five metres a line below a word is not seen: where there is no colour, what is critical is a block there too. Nothing
    /// is selected on a wall, so reverse video says nothing else.
    #[must_use]
    pub fn on_a_wall(mut self) -> Self {
        let critical = Meaning::ALL.iter().position(|(meaning, _)| *meaning == Meaning::Critical);
        if let Some(style) = critical.and_then(|row| self.styles.get_mut(row))
            && style.bg.is_none()
            && matches!(style.fg, None | Some(Color::Reset))
        {
            *style = style.remove_modifier(Modifier::UNDERLINED).add_modifier(Modifier::REVERSED | Modifier::BOLD);
        }
        self
    }

    pub fn style(&self, meaning: Meaning) -> Style {
        let row = Meaning::ALL.iter().position(|(m, _)| *m == meaning).unwrap_or(0);
        self.styles.get(row).copied().unwrap_or_default()
    }

    /// Glyph, and how it is drawn. Stale overrules everything but a problem: old good news is not good.
    pub fn condition(&self, condition: Condition, stale: bool) -> (&'static str, Style) {
        let (unicode, ascii, meaning) = match condition {
            Condition::Critical => ("■", "C", Meaning::Critical),
            Condition::Warning => ("▲", "W", Meaning::Warning),
            Condition::Unreachable => ("◆", "U", Meaning::Unreachable),
            Condition::Unknown => ("?", "?", Meaning::Unknown),
            _ if stale => ("?", "?", Meaning::Stale),
            Condition::Ok => ("●", ".", Meaning::Ok),
            Condition::Pending => ("○", "o", Meaning::Dim),
            Condition::NotProbed => ("–", "-", Meaning::Dim),
        };
        (if self.unicode { unicode } else { ascii }, self.style(meaning))
    }

    /// Somebody works on it.
    pub fn maintenance(&self) -> (&'static str, Style) {
        (if self.unicode { "~" } else { "M" }, self.style(Meaning::Bar))
    }

    /// The glyph of a port, and how it is drawn.
    pub fn port(&self, port: &PortView, stale: bool) -> (&'static str, Style) {
        let (unicode, ascii, meaning) = match (port.state, port.condition) {
            _ if stale => ("?", "?", Meaning::Stale),
            (_, Condition::Critical) => ("■", "C", Meaning::Critical),
            (_, Condition::Warning) => ("▲", "W", Meaning::Warning),
            (PortState::Up, _) => ("●", "#", Meaning::Ok),
            (PortState::LinkLost, _) => ("○", "o", Meaning::Text),
            (PortState::NoLink | PortState::LowerLayerDown | PortState::Dormant, _) => ("○", "o", Meaning::Dim),
            (PortState::AdminDown | PortState::MissingModule, _) => ("·", "-", Meaning::Dim),
            (PortState::ErrDisabled, _) => ("■", "C", Meaning::Critical),
            (PortState::Testing | PortState::Unknown, _) => ("?", "?", Meaning::Unknown),
        };
        (if self.unicode { unicode } else { ascii }, self.style(meaning))
    }

    /// The style of a row's words.
    pub fn words(&self, condition: Condition, stale: bool) -> Style {
        match condition {
            Condition::Ok | Condition::Pending | Condition::NotProbed if stale => self.style(Meaning::Stale),
            _ => self.style(meaning(condition)),
        }
    }

    pub fn rule(&self) -> &'static str {
        if self.unicode { "─" } else { "-" }
    }

    pub fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "~" }
    }

    /// Stands at the left edge of what is selected.
    pub fn marker(&self) -> &'static str {
        if self.unicode { "▌" } else { ">" }
    }

    /// Beside the title of the column that a table is sorted by.
    pub fn sorted(&self, descending: bool) -> &'static str {
        match (self.unicode, descending) {
            (true, true) => "▼",
            (true, false) => "▲",
            (false, true) => "v",
            (false, false) => "^",
        }
    }

    /// The title of the column that a table is sorted by. The mark stands on the side where the title has room, and the title gives
    /// way to it. A mark that is a letter stands apart from the others.
    pub fn sorted_head(&self, title: &str, width: usize, is_right: bool, descending: bool) -> String {
        let (mark, mut title) = (self.sorted(descending), title.to_owned());
        let mut gap = "";
        if !self.unicode {
            title.make_ascii_uppercase();
            gap = if title.len() + 1 < width { " " } else { "" };
        }
        title.truncate(width.saturating_sub(1 + gap.len()));
        if is_right { format!("{mark}{gap}{title}") } else { format!("{title}{gap}{mark}") }
    }

    /// Before what is open, or can be opened.
    pub fn fold(&self, open: bool) -> &'static str {
        match (self.unicode, open) {
            (true, true) => "▾ ",
            (true, false) => "▸ ",
            (false, true) => "- ",
            (false, false) => "+ ",
        }
    }

    pub fn separator(&self) -> &'static str {
        if self.unicode { " · " } else { " - " }
    }

    /// Eight steps of a sparkline.
    pub fn spark(&self, step: usize) -> &'static str {
        const UNICODE: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
        const ASCII: [&str; 8] = ["_", "_", ".", ".", "-", "-", "=", "#"];
        let step = step.min(7);
        if self.unicode { UNICODE[step] } else { ASCII[step] }
    }

    /// A sparkline of the last values, scaled to the greatest of them, but at least to `least`.
    pub fn sparkline(&self, values: &[f32], width: usize, least: f32) -> String {
        let shown = &values[values.len().saturating_sub(width)..];
        let most = shown.iter().copied().fold(least, f32::max);
        let mut out = " ".repeat(width - shown.len());
        for value in shown {
            let step = if most > 0.0 { (value / most * 7.0).round() as usize } else { 0 };
            out.push_str(self.spark(step));
        }
        out
    }

    /// The same over several rows, from the top, each value as many columns wide as there is room, up to four.
    pub fn course(&self, values: &[f32], width: usize, rows: usize, least: f32) -> Vec<String> {
        let shown = &values[values.len().saturating_sub(width)..];
        let each = (width / shown.len().max(1)).clamp(1, 4);
        let most = shown.iter().copied().fold(least, f32::max);
        let steps = rows * 8;
        let height = |value: f32| if most > 0.0 { (value / most * (steps - 1) as f32).round() as usize + 1 } else { 1 };
        let cell = |value: &f32, below: usize| match height(*value).saturating_sub(below) {
            0 => " ",
            filled => self.spark(filled - 1),
        };
        let row = |row: usize| shown.iter().map(|value| cell(value, row * 8).repeat(each)).collect();
        (0..rows).rev().map(row).collect()
    }

    /// A bar of so many columns, filled to that share of them.
    pub fn bar(&self, share: f64, width: usize) -> String {
        let (full, empty) = if self.unicode { ("▓", "░") } else { ("=", ".") };
        let filled = ((share * width as f64).ceil().max(0.0) as usize).min(width);
        format!("{}{}", full.repeat(filled), empty.repeat(width - filled))
    }

    /// Text for a terminal that may not have Unicode: other letters become `?`.
    pub fn text<'a>(&self, text: &'a str) -> std::borrow::Cow<'a, str> {
        if self.unicode || text.is_ascii() {
            return text.into();
        }
        let plain = |c: char| match c {
            '–' | '—' | '─' | '·' => '-',
            '…' => '~',
            '→' => '>',
            '↑' => '^',
            '↓' => 'v',
            c if c.is_ascii() => c,
            _ => '?',
        };
        text.chars().map(plain).collect::<String>().into()
    }
}

/// What words about something in that condition mean.
pub fn meaning(condition: Condition) -> Meaning {
    match condition {
        Condition::Critical => Meaning::Critical,
        Condition::Warning => Meaning::Warning,
        Condition::Unknown => Meaning::Unknown,
        Condition::Unreachable => Meaning::Unreachable,
        Condition::Ok => Meaning::Text,
        Condition::Pending | Condition::NotProbed => Meaning::Dim,
    }
}

fn convert(style: crate::config::theme::Style) -> Style {
    let colour = |c: Colour| match c {
        Colour::Terminal => Color::Reset,
        Colour::Ansi(n) => Color::Indexed(n),
        Colour::Rgb(r, g, b) => Color::Rgb(r, g, b),
    };
    let mut out = Style::new();
    out.fg = style.fg.map(colour);
    out.bg = style.bg.map(colour);
    for (on, modifier) in [
        (style.bold, Modifier::BOLD),
        (style.dim, Modifier::DIM),
        (style.underline, Modifier::UNDERLINED),
        (style.reverse, Modifier::REVERSED),
    ] {
        if on {
            out = out.add_modifier(modifier);
        }
    }
    out
}
