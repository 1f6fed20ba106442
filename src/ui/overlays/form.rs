//! Dialogs of a few fields that end in one command to the engine, and stay until what was asked is on disk.

use std::collections::BTreeMap;
use std::time::Duration;

use ratatui::layout::{Position, Rect};

use super::{Reaction, boxed, centred, editor};
use crate::base::{Timestamp, Untrusted, text, units};
use crate::bus::{Command, Ticket};
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::model::care::CLAIM_LASTS;
use crate::model::{AssetId, Order, Scope, Span, Stickiness, Target};
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;
use crate::ui::line::Line;
use crate::ui::marks;

/// Columns of the fields' names.
const NAMES: usize = 11;
/// How long a window is open where nobody says otherwise.
const MAINTENANCE_LASTS: Duration = Duration::from_secs(2 * 3600);

#[derive(Debug)]
pub enum Field {
    Text {
        name: &'static str,
        line: Line,
        /// What an empty field means.
        empty: String,
    },
    /// Space changes it to the next of these.
    Choice { name: &'static str, at: usize, words: Vec<String> },
}

impl Field {
    fn text(name: &'static str, text: &str, empty: impl Into<String>) -> Self {
        Self::Text { name, line: Line::with(text), empty: empty.into() }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Text { name, .. } | Self::Choice { name, .. } => name,
        }
    }

    fn said(&self) -> &str {
        match self {
            Self::Text { line, .. } => line.text().trim(),
            Self::Choice { .. } => "",
        }
    }

    fn chosen(&self) -> usize {
        if let Self::Choice { at, .. } = self { *at } else { 0 }
    }
}

/// What the form is for.
#[derive(Debug)]
pub enum Purpose {
    /// All of them in the same words.
    Claim(Vec<Target>),
    /// What there is to choose from: each time, a window over each of these.
    Maintain(Vec<Vec<Scope>>),
}

#[derive(Debug)]
pub struct Form {
    purpose: Purpose,
    title: String,
    /// What holds beside the fields: who owns it now, how far it reaches.
    remarks: Vec<String>,
    fields: Vec<Field>,
    at: usize,
    /// What was asked and not answered: of which of the things that it is about.
    waiting: BTreeMap<Ticket, usize>,
    /// Those that were refused, and the last reason.
    refused: Vec<usize>,
    /// All was answered, and nothing refused.
    done: bool,
    /// Why it was not done, or what is wrong with a field.
    failure: Option<String>,
}

impl Form {
    fn new(purpose: Purpose, title: String, remarks: Vec<String>, fields: Vec<Field>, at: usize) -> Self {
        let (waiting, refused) = (BTreeMap::new(), Vec::new());
        Self { purpose, title, remarks, fields, at, waiting, refused, done: false, failure: None }
    }

    /// Taking problems on, or handing them over; `well` was marked with them and has none.
    pub fn claim(app: &App, targets: Vec<Target>, well: &[Target]) -> Self {
        let standing = if let [target] = &targets[..] { app.snapshot.acks.get(target) } else { None };
        let label = match &targets[..] {
            [target] => target.label().line(),
            many => marks::named(many),
        };
        let (title, note, sticky) = match standing {
            Some(ack) => {
                (format!("{label}: {} has it", ack.claim.owner.line()), ack.claim.note.line(), ack.claim.stickiness)
            }
            None => (format!("Claim {label}"), String::new(), Stickiness::default()),
        };
        let mut remarks = vec!["reaches the consoles of this state directory; it silences no pager".to_owned()];
        let owned = targets.iter().filter(|target| app.snapshot.acks.contains_key(target)).count();
        if targets.len() > 1 && owned > 0 {
            remarks.push(format!("{owned} of them have an owner, who is replaced"));
        }
        if !well.is_empty() {
            remarks.push(format!("marked, without a problem, left alone: {}", marks::named(well)));
        }
        let fields = vec![
            Field::text("note", &note, "what you are doing about it"),
            Field::text("owner", "", "you"),
            Field::text("for", &units::config_duration(CLAIM_LASTS), "4h"),
            Field::Choice {
                name: "ends",
                at: usize::from(sticky == Stickiness::Sticky),
                words: vec![
                    "when it gets worse, recovers, or the time is over".to_owned(),
                    "when it recovers or the time is over".to_owned(),
                ],
            },
        ];
        Self::new(Purpose::Claim(targets), title, remarks, fields, 0)
    }

    /// Work on hosts or backup jobs, for a time.
    pub fn maintain(app: &App, assets: &[AssetId]) -> Self {
        let mut remarks = vec!["problems stay in sight and announce nothing meanwhile".to_owned()];
        let alone = assets.iter().cloned().map(Scope::Asset).collect();
        let hosts: Vec<&AssetId> = assets.iter().filter(|asset| app.snapshot.host(asset).is_some()).collect();
        let behind: Vec<Scope> = hosts.iter().map(|asset| Scope::Behind((*asset).clone())).collect();
        let (mut scopes, mut words) = (vec![alone], Vec::new());
        let title = if let [asset] = assets {
            let name = asset.as_str();
            words.push(format!("{name} alone"));
            if let Some(view) = app.snapshot.host(asset) {
                scopes.push(behind);
                words.push(format!("{name} and what hangs on nothing else"));
                if let Some(group) = &view.host.group {
                    scopes.push(vec![Scope::Group(group.clone())]);
                    words.push(format!("the group {group}"));
                }
                for tag in &view.host.tags {
                    scopes.push(vec![Scope::Tag(tag.clone())]);
                    words.push(format!("everything tagged {tag}"));
                }
                if let Some(maintained) = &view.care.maintenance {
                    let left = units::age(maintained.until.since(app.snapshot.at));
                    remarks.insert(0, format!("in maintenance already, {left} more: this adds a window"));
                }
            }
            format!("Maintenance of {name}")
        } else {
            words.push("each alone".to_owned());
            if hosts.len() == assets.len() {
                scopes.push(behind);
                words.push("each and what hangs on nothing else".to_owned());
            }
            let targets: Vec<Target> = assets.iter().cloned().map(Target::Host).collect();
            format!("Maintenance of {}", marks::named(&targets))
        };
        let fields = vec![
            Field::Choice { name: "what", at: 0, words },
            Field::text("for", "2h", "2h"),
            Field::text("starts in", "", "now"),
            Field::text("note", "", "what is being done"),
        ];
        Self::new(Purpose::Maintain(scopes), title, remarks, fields, 1)
    }

    /// All that was asked is on disk.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// One of the things that were asked is on disk, or is not, for that reason.
    pub fn answered(&mut self, ticket: Ticket, refused: Option<&str>) {
        let Some(at) = self.waiting.remove(&ticket) else { return };
        if let Some(reason) = refused {
            self.refused.push(at);
            self.failure = Some(reason.to_owned());
        }
        if !self.waiting.is_empty() {
            return;
        }
        let Some(reason) = self.failure.take() else {
            self.done = true;
            return;
        };
        let refused = std::mem::take(&mut self.refused);
        let chosen = self.field("what").map_or(0, Field::chosen);
        let all = match &mut self.purpose {
            Purpose::Claim(targets) => keep(targets, &refused),
            Purpose::Maintain(scopes) => scopes.get_mut(chosen).map_or(0, |scopes| keep(scopes, &refused)),
        };
        let of = if all > 1 { format!(" for {} of {all}", refused.len()) } else { String::new() };
        self.failure = Some(format!("NOT SAVED{of}: {reason}. Enter tries again"));
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

    /// The commands that the fields make, or the field that is wrong and why.
    fn commands(
        &self,
        mut ticket: impl FnMut() -> Ticket,
        now: Timestamp,
    ) -> Result<Vec<(Ticket, Command)>, (&'static str, String)> {
        match &self.purpose {
            Purpose::Claim(targets) => {
                let lasts = self.duration("for", CLAIM_LASTS)?;
                let owner = Some(self.said("owner")).filter(|owner| !owner.is_empty()).map(str::to_owned);
                let sticky = self.field("ends").is_some_and(|ends| ends.chosen() == 1);
                let stickiness = if sticky { Stickiness::Sticky } else { Stickiness::EndsOnWorsening };
                let claim = |target: &Target| {
                    let (ticket, target) = (ticket(), target.clone());
                    let (owner, note) = (owner.clone(), self.said("note").to_owned());
                    (ticket, Command::Claim { ticket, target, owner, note, lasts, stickiness })
                };
                Ok(targets.iter().map(claim).collect())
            }
            Purpose::Maintain(scopes) => {
                let at = self.field("what").map_or(0, Field::chosen);
                let Some(scopes) = scopes.get(at) else { return Err(("what", "choose one".to_owned())) };
                let from = now.plus(self.duration("starts in", Duration::ZERO)?);
                let until = from.plus(self.duration("for", MAINTENANCE_LASTS)?);
                let window = |scope: &Scope| {
                    let (ticket, note) = (ticket(), Untrusted::from(self.said("note")));
                    let span = Span::Once { from, until };
                    (
                        ticket,
                        Command::Maintain { ticket, order: Order { scope: scope.clone(), span, flexible: None, note } },
                    )
                };
                Ok(scopes.iter().map(window).collect())
            }
        }
    }

    fn duration(&self, name: &'static str, empty: Duration) -> Result<Duration, (&'static str, String)> {
        match self.said(name) {
            "" => Ok(empty),
            said => units::parse_duration(said)
                .filter(|lasts| !lasts.is_zero())
                .ok_or_else(|| (name, format!("\"{said}\" is no duration: 30m, 4h, 2d"))),
        }
    }
}

/// Leaves only those at these places; how many there were.
fn keep<T>(list: &mut Vec<T>, places: &[usize]) -> usize {
    let all = list.len();
    let mut at = 0;
    list.retain(|_| {
        at += 1;
        places.contains(&(at - 1))
    });
    all
}

pub fn key(app: &mut App, form: &mut Form, key: Key) -> Reaction {
    if !form.waiting.is_empty() {
        return Reaction::Keep;
    }
    let count = form.fields.len();
    match key.code {
        KeyCode::Escape => return Reaction::Close,
        KeyCode::Tab if key.shift => form.at = (form.at + count - 1) % count,
        KeyCode::Tab | KeyCode::Down => form.at = (form.at + 1) % count,
        KeyCode::Up => form.at = (form.at + count - 1) % count,
        KeyCode::Enter => {
            let now = app.live().at;
            match form.commands(|| app.ticket(), now) {
                Ok(commands) => {
                    form.failure = None;
                    form.waiting = commands.iter().enumerate().map(|(at, (ticket, _))| (*ticket, at)).collect();
                    app.send_all(commands.into_iter().map(|(_, command)| command));
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
            Some(Field::Choice { at, words, .. }) => match key.code {
                KeyCode::Char(' ') | KeyCode::Right => *at = (*at + 1) % words.len(),
                KeyCode::Left => *at = (*at + words.len() - 1) % words.len(),
                _ => {}
            },
            None => {}
        },
    }
    Reaction::Keep
}

pub fn draw(app: &App, frame: &mut Frame<'_>, form: &Form) -> Rect {
    let width = frame.area.width.saturating_sub(4).min(80);
    let columns = usize::from(width.saturating_sub(4)).max(1);
    let (meaning, words) = match (form.waiting.len(), &form.failure) {
        (1, _) => (Meaning::Warning, "saving…".to_owned()),
        (2.., _) => (Meaning::Warning, format!("saving… {} to go", form.waiting.len())),
        (0, Some(why)) => (Meaning::Critical, why.clone()),
        (0, None) => (Meaning::Dim, "Enter does it · Tab next field · Space changes · Esc leaves".to_owned()),
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
            Field::Choice { at, words, .. } => {
                let style = app.look.style(if here { Meaning::Accent } else { Meaning::Text });
                row.put(words.get(*at).map_or("", String::as_str), style);
            }
        }
        y += 1;
    }
    y += 1;
    for remark in &remarks {
        Row::new(frame.buffer, &app.look, inner, y).put(remark, dim);
        y += 1;
    }
    editor::foot(app, frame, inner, meaning, &foot);
    area
}
