//! Dialogs of a few fields that end in one command to the engine, and stay until what was asked is on disk.

use ratatui::layout::{Position, Rect};

use super::{Reaction, boxed, centred};
use crate::base::{text, units};
use crate::bus::{Command, Ticket};
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::model::care::CLAIM_LASTS;
use crate::model::{Stickiness, Target};
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;
use crate::ui::line::Line;

/// Columns of the fields' names.
const NAMES: usize = 10;

#[derive(Debug)]
pub enum Field {
    Text {
        name: &'static str,
        line: Line,
        /// What an empty field means.
        empty: String,
    },
    /// Space changes it: what it says off and on.
    Switch { name: &'static str, on: bool, words: [&'static str; 2] },
}

impl Field {
    fn text(name: &'static str, text: &str, empty: impl Into<String>) -> Self {
        Self::Text { name, line: Line::with(text), empty: empty.into() }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Text { name, .. } | Self::Switch { name, .. } => name,
        }
    }

    fn said(&self) -> &str {
        match self {
            Self::Text { line, .. } => line.text().trim(),
            Self::Switch { .. } => "",
        }
    }

    fn is_on(&self) -> bool {
        matches!(self, Self::Switch { on: true, .. })
    }
}

/// What the form is for.
#[derive(Debug)]
pub enum Purpose {
    Claim(Target),
}

#[derive(Debug)]
pub struct Form {
    purpose: Purpose,
    title: String,
    /// What holds beside the fields: who owns it now, how far it reaches.
    remarks: Vec<String>,
    fields: Vec<Field>,
    at: usize,
    pub waiting: Option<Ticket>,
    /// Why it was not done, or what is wrong with a field.
    pub failure: Option<String>,
}

impl Form {
    /// Taking a problem on, or handing it over.
    pub fn claim(app: &App, target: Target) -> Self {
        let label = target.label().line();
        let standing = app.snapshot.acks.get(&target);
        let (title, note, sticky) = match standing {
            Some(ack) => {
                (format!("{label}: {} has it", ack.claim.owner.line()), ack.claim.note.line(), ack.claim.stickiness)
            }
            None => (format!("Claim {label}"), String::new(), Stickiness::default()),
        };
        Self {
            purpose: Purpose::Claim(target),
            title,
            remarks: vec!["reaches the consoles of this state directory; it silences no pager".to_owned()],
            fields: vec![
                Field::text("note", &note, "what you are doing about it"),
                Field::text("owner", "", "you"),
                Field::text("for", &units::config_duration(CLAIM_LASTS), "4h"),
                Field::Switch {
                    name: "ends",
                    on: sticky == Stickiness::Sticky,
                    words: [
                        "when it gets worse, recovers, or the time is over",
                        "when it recovers or the time is over",
                    ],
                },
            ],
            at: 0,
            waiting: None,
            failure: None,
        }
    }

    pub fn paste(&mut self, pasted: &str) {
        if let Some(Field::Text { line, .. }) = self.fields.get_mut(self.at) {
            line.insert(&text::clean(&pasted.replace(['\r', '\n'], " ")));
        }
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name() == name)
    }

    fn said(&self, name: &str) -> &str {
        self.field(name).map_or("", Field::said)
    }

    /// The command that the fields make, or the field that is wrong and why.
    fn command(&self, ticket: Ticket) -> Result<Command, (&'static str, String)> {
        match &self.purpose {
            Purpose::Claim(target) => {
                let lasts = match self.said("for") {
                    "" => CLAIM_LASTS,
                    said => units::parse_duration(said)
                        .filter(|lasts| !lasts.is_zero())
                        .ok_or_else(|| ("for", format!("\"{said}\" is no duration: 30m, 4h, 2d")))?,
                };
                let owner = Some(self.said("owner")).filter(|owner| !owner.is_empty()).map(str::to_owned);
                let sticky = self.field("ends").is_some_and(Field::is_on);
                Ok(Command::Claim {
                    ticket,
                    target: target.clone(),
                    owner,
                    note: self.said("note").to_owned(),
                    lasts,
                    stickiness: if sticky { Stickiness::Sticky } else { Stickiness::EndsOnWorsening },
                })
            }
        }
    }
}

pub fn key(app: &mut App, form: &mut Form, key: Key) -> Reaction {
    if form.waiting.is_some() {
        return Reaction::Keep;
    }
    let count = form.fields.len();
    match key.code {
        KeyCode::Escape => return Reaction::Close,
        KeyCode::Tab if key.shift => form.at = (form.at + count - 1) % count,
        KeyCode::Tab | KeyCode::Down => form.at = (form.at + 1) % count,
        KeyCode::Up => form.at = (form.at + count - 1) % count,
        KeyCode::Enter => {
            let ticket = app.ticket();
            match form.command(ticket) {
                Ok(command) => {
                    form.failure = None;
                    if app.send(command) {
                        form.waiting = Some(ticket);
                    }
                }
                Err((name, why)) => {
                    form.at = form.fields.iter().position(|field| field.name() == name).unwrap_or(form.at);
                    form.failure = Some(why);
                }
            }
        }
        _ => match form.fields.get_mut(form.at) {
            Some(Field::Text { line, .. }) => {
                line.key(key);
            }
            Some(Field::Switch { on, .. })
                if matches!(key.code, KeyCode::Char(' ') | KeyCode::Left | KeyCode::Right) =>
            {
                *on = !*on;
            }
            Some(Field::Switch { .. }) | None => {}
        },
    }
    Reaction::Keep
}

pub fn draw(app: &App, frame: &mut Frame<'_>, form: &Form) -> Rect {
    let width = frame.area.width.saturating_sub(4).min(80);
    let columns = usize::from(width.saturating_sub(4)).max(1);
    let (meaning, words) = match (&form.waiting, &form.failure) {
        (Some(_), _) => (Meaning::Warning, "saving…".to_owned()),
        (None, Some(why)) => (Meaning::Critical, why.clone()),
        (None, None) => (Meaning::Dim, "Enter does it · Tab next field · Space changes · Esc leaves".to_owned()),
    };
    let lines = |words: &str| text::wrap(&text::clean(words), columns);
    let remarks: Vec<String> = form.remarks.iter().flat_map(|remark| lines(remark)).collect();
    let foot = lines(&words);
    let area = centred(frame.area, width, (form.fields.len() + remarks.len() + foot.len()) as u16 + 4);
    let inner = boxed(app, frame, area, &text::clean(&form.title));
    let dim = app.look.style(Meaning::Dim);
    let mut y = inner.y;
    for (at, field) in form.fields.iter().enumerate() {
        let here = at == form.at;
        let mut row = Row::new(frame.buffer, &app.look, inner, y);
        row.cell(field.name(), NAMES, if here { app.look.style(Meaning::Accent) } else { dim });
        match field {
            Field::Text { line, empty, .. } => {
                if line.text().is_empty() {
                    row.put(empty, dim);
                } else {
                    row.put(line.text(), app.look.style(Meaning::Text));
                }
                if here {
                    let x = NAMES + text::width(&text::clean(line.before()));
                    let x = (inner.x + x as u16).min(inner.right().saturating_sub(1));
                    frame.cursor = Some(Position::new(x, y));
                }
            }
            Field::Switch { on, words, .. } => {
                row.put(words[usize::from(*on)], app.look.style(if here { Meaning::Accent } else { Meaning::Text }));
            }
        }
        y += 1;
    }
    y += 1;
    for remark in &remarks {
        Row::new(frame.buffer, &app.look, inner, y).put(remark, dim);
        y += 1;
    }
    let top = inner.bottom().saturating_sub(foot.len() as u16).max(inner.y);
    for (offset, line) in foot.iter().enumerate() {
        Row::new(frame.buffer, &app.look, inner, top + offset as u16).put(line, app.look.style(meaning));
    }
    area
}
