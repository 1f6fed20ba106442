//! Dialogs of a few fields that end in one command to the engine, and stay until what was asked is on disk.

use std::sync::Arc;
use std::time::Duration;

use ratatui::layout::{Position, Rect};

use super::{Reaction, boxed, by_parts, centred, editor};
use crate::base::{Timestamp, Untrusted, text, units};
use crate::bus::{Command, Ticket};
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::model::care::CLAIM_LASTS;
use crate::model::{AssetId, Order, Role, Scope, Span, Stickiness, Target};
use crate::state::Link;
use crate::ui::app::App;
use crate::ui::app::marks::{Step, some};
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;
use crate::ui::line::Line;

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
    /// With the claim that somebody has of it, as the form shows.
    Claim(Target, Option<Arc<str>>),
    /// The scopes to choose from.
    Maintain(Vec<Scope>),
    /// Each of these that nobody else has, and the names of those that cannot be claimed.
    ClaimAll(Vec<Target>, Vec<String>),
    /// Each of these alone.
    MaintainAll(Vec<AssetId>),
    /// Stopping all polling.
    Pause,
}

/// The field that is wrong, and why.
type Mistake = (&'static str, String);
/// The word for what is done, its steps, and whom it leaves out.
type Deed = (&'static str, Vec<Step>, Vec<String>);

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
    is_refused: bool,
}

impl Form {
    fn new(purpose: Purpose, title: String, remarks: Vec<String>, fields: Vec<Field>) -> Self {
        Self { purpose, title, remarks, fields, at: 0, waiting: None, failure: None, is_refused: false }
    }

    /// Stopping all polling: for whom, and until when, stands beside the note.
    pub fn pause(app: &App) -> Self {
        let all = match &app.live().engine.link {
            Link::Attached(_) => "for everybody who is attached to this engine; ",
            Link::Own | Link::Lost { .. } => "",
        };
        let until = format!("{all}it lasts until somebody has polling go on, over a restart too");
        Self::new(
            Purpose::Pause,
            "Stop all polling?".to_owned(),
            vec![until, "the journal keeps who stopped it and when".to_owned()],
            vec![Field::text("note", "", "why, for whoever finds it stopped")],
        )
    }

    /// Taking on all that is marked: one note and one owner for all of them.
    pub fn claim_all(targets: Vec<Target>, not: Vec<String>, note: &str) -> Self {
        let names: Vec<String> = targets.iter().map(|target| target.label().line()).collect();
        let mut remarks = vec![some(&names)];
        if !not.is_empty() {
            remarks.push(format!("not {}", some(&not)));
        }
        remarks.push("reaches every console on this engine; it silences no pager".to_owned());
        let title = match not.len() {
            0 => format!("Claim {} marked", targets.len()),
            others => format!("Claim {} of {} marked", targets.len(), targets.len() + others),
        };
        Self::new(Purpose::ClaimAll(targets, not), title, remarks, claim_fields(note, Stickiness::default()))
    }

    /// Work on all that is marked, a window for each.
    pub fn maintain_all(assets: Vec<AssetId>) -> Self {
        let names: Vec<String> = assets.iter().map(|asset| asset.as_str().to_owned()).collect();
        let title = format!("Maintenance of {} marked", assets.len());
        Self::new(
            Purpose::MaintainAll(assets),
            title,
            vec![some(&names), "problems stay in sight and announce nothing meanwhile".to_owned()],
            maintenance_fields(),
        )
    }

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
        let over = standing.map(|ack| ack.id.clone());
        Self::new(
            Purpose::Claim(target, over),
            title,
            vec!["reaches every console on this engine; it silences no pager".to_owned()],
            claim_fields(&note, sticky),
        )
    }

    /// Work on a site or a group, for a time; `words` say what is there now.
    pub fn maintain_scope(scope: Scope, words: &str) -> Self {
        let title = match &scope {
            Scope::Site(site) => format!("Maintenance of the site {site}"),
            Scope::Group(group) => format!("Maintenance of the group {group}"),
            Scope::Tag(tag) => format!("Maintenance of everything tagged {tag}"),
            Scope::Asset(asset) | Scope::Behind(asset) => format!("Maintenance of {}", asset.as_str()),
        };
        Self::new(
            Purpose::Maintain(vec![scope]),
            title,
            vec![words.to_owned(), "problems stay in sight and announce nothing meanwhile".to_owned()],
            maintenance_fields(),
        )
    }

    /// Work on a host or a backup job, for a time.
    pub fn maintain(app: &App, asset: &AssetId) -> Self {
        let name = asset.as_str();
        let mut scopes = vec![Scope::Asset(asset.clone())];
        let mut words = vec![format!("{name} alone")];
        let mut remarks = vec!["problems stay in sight and announce nothing meanwhile".to_owned()];
        if let Some(view) = app.snapshot.host(asset) {
            scopes.push(Scope::Behind(asset.clone()));
            words.push(format!("{name} and what hangs on nothing else"));
            if let Some(group) = &view.host.group {
                scopes.push(Scope::Group(group.clone()));
                words.push(format!("the group {group}"));
            }
            if let Some(site) = &view.host.site {
                scopes.push(Scope::Site(site.clone()));
                words.push(format!("the site {site}"));
            }
            for tag in &view.host.tags {
                scopes.push(Scope::Tag(tag.clone()));
                words.push(format!("everything tagged {tag}"));
            }
            if let Some(maintained) = &view.care.maintenance {
                let left = units::left(maintained.until.since(app.snapshot.at));
                remarks.insert(0, format!("in maintenance already, {left} more: this adds a window"));
            }
        }
        Self {
            at: 1,
            ..Self::new(
                Purpose::Maintain(scopes),
                format!("Maintenance of {name}"),
                remarks,
                std::iter::once(Field::Choice { name: "what", at: 0, words }).chain(maintenance_fields()).collect(),
            )
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

    /// What the fields make for all that is marked: the word for it, a step for each, and whom it leaves out; `None` where
    /// the form is about one.
    fn steps(&self, app: &mut App) -> Option<Result<Deed, Mistake>> {
        let now = app.live().at;
        let mut step = |name: String, purpose: Purpose| {
            let ticket = app.ticket();
            Ok((name, Some(ticket), self.command(&purpose, ticket, now)?))
        };
        match &self.purpose {
            Purpose::Claim(..) | Purpose::Maintain(_) | Purpose::Pause => None,
            Purpose::ClaimAll(targets, not) => {
                let steps =
                    targets.iter().map(|target| step(target.label().line(), Purpose::Claim(target.clone(), None)));
                Some(steps.collect::<Result<_, _>>().map(|steps| ("claimed", steps, not.clone())))
            }
            Purpose::MaintainAll(assets) => {
                let of = |asset: &AssetId| Purpose::Maintain(vec![Scope::Asset(asset.clone())]);
                let steps = assets.iter().map(|asset| step(asset.as_str().to_owned(), of(asset)));
                Some(steps.collect::<Result<_, _>>().map(|steps| ("in maintenance", steps, Vec::new())))
            }
        }
    }

    /// The command that the fields make for one, or the field that is wrong and why.
    fn command(&self, purpose: &Purpose, ticket: Ticket, now: Timestamp) -> Result<Command, Mistake> {
        match purpose {
            Purpose::ClaimAll(..) | Purpose::MaintainAll(_) => Err(("note", "one at a time".to_owned())),
            Purpose::Pause => Ok(Command::Pause { ticket, note: self.said("note").to_owned() }),
            Purpose::Claim(target, over) => {
                let lasts = self.duration("for", CLAIM_LASTS)?;
                let owner = Some(self.said("owner")).filter(|owner| !owner.is_empty()).map(str::to_owned);
                let sticky = self.field("ends").is_some_and(|ends| ends.chosen() == 1);
                Ok(Command::Claim {
                    ticket,
                    target: target.clone(),
                    owner,
                    note: self.said("note").to_owned(),
                    lasts,
                    stickiness: if sticky { Stickiness::Sticky } else { Stickiness::EndsOnWorsening },
                    over: over.clone(),
                })
            }
            Purpose::Maintain(scopes) => {
                let at = self.field("what").map_or(0, Field::chosen);
                let Some(scope) = scopes.get(at).cloned() else { return Err(("what", "choose one".to_owned())) };
                let from = now.plus(self.duration("starts in", Duration::ZERO)?);
                let until = from.plus(self.duration("for", MAINTENANCE_LASTS)?);
                let note = Untrusted::from(self.said("note"));
                let order = Order { scope, span: Span::Once { from, until }, flexible: None, note };
                Ok(Command::Maintain { ticket, order })
            }
        }
    }

    /// It was not done, and why: whose claim it is by now is known from then on.
    pub fn refused(&mut self, reason: &str) {
        self.waiting = None;
        self.failure = Some(format!("NOT SAVED: {reason}"));
        self.is_refused = true;
    }

    /// After a refusal, what it says of somebody else's claim is what is known now.
    fn renew(&mut self, app: &App) {
        if std::mem::take(&mut self.is_refused)
            && let Purpose::Claim(target, over) = &mut self.purpose
        {
            *over = app.live().acks.get(target).map(|ack| ack.id.clone());
        }
    }

    fn needs(&self) -> Role {
        match self.purpose {
            Purpose::Pause => Role::Admin,
            Purpose::Claim(..) | Purpose::Maintain(_) | Purpose::ClaimAll(..) | Purpose::MaintainAll(_) => {
                Role::Operate
            }
        }
    }

    /// What Enter does after a refusal.
    fn again(&self, app: &App) -> String {
        if app.permits(self.needs()).is_err() {
            return "Esc leaves".to_owned();
        }
        let standing = match &self.purpose {
            Purpose::Claim(target, _) => app.live().acks.get(target),
            _ => None,
        };
        standing.map_or_else(
            || "Enter tries again".to_owned(),
            |ack| format!("Enter once more takes it over from {}", ack.claim.owner.line()),
        )
    }

    fn is_wrong(&mut self, (name, why): Mistake) {
        self.at = self.fields.iter().position(|field| field.name() == name).unwrap_or(self.at);
        self.failure = Some(why);
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

/// The fields of every window.
fn maintenance_fields() -> Vec<Field> {
    vec![
        Field::text("for", "2h", "2h"),
        Field::text("starts in", "", "now"),
        Field::text("note", "", "what is being done"),
    ]
}

/// The fields of a claim.
fn claim_fields(note: &str, sticky: Stickiness) -> Vec<Field> {
    vec![
        Field::text("note", note, "what you are doing about it"),
        Field::text("owner", "", "you"),
        Field::text("for", &units::config_duration(CLAIM_LASTS), "4h"),
        Field::Choice {
            name: "ends",
            at: usize::from(sticky == Stickiness::Sticky),
            words: vec![
                "when it gets worse, recovers or times out".to_owned(),
                "when it recovers or times out".to_owned(),
            ],
        },
    ]
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
            match form.steps(app) {
                Some(Ok(_)) if app.is_at_work() => return Reaction::Keep,
                Some(Ok((what, steps, not))) => {
                    app.begin_work(what, steps, not);
                    return Reaction::Close;
                }
                Some(Err(mistake)) => {
                    form.is_wrong(mistake);
                    return Reaction::Keep;
                }
                None => {}
            }
            let ticket = app.ticket();
            form.renew(app);
            match form.command(&form.purpose, ticket, app.live().at) {
                Ok(command) => {
                    form.failure = None;
                    if app.send(command) {
                        form.waiting = Some(ticket);
                    }
                }
                Err(mistake) => form.is_wrong(mistake),
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

/// The keys that do something in this form.
fn hint(form: &Form) -> String {
    let mut parts = vec!["Enter does it"];
    if form.fields.len() > 1 {
        parts.push("Tab next field");
    }
    if form.fields.iter().any(|field| matches!(field, Field::Choice { .. })) {
        parts.push("Space changes");
    }
    parts.push("Esc leaves");
    parts.join(" · ")
}

pub fn draw(app: &App, frame: &mut Frame<'_>, form: &Form) -> Rect {
    let width = frame.area.width.saturating_sub(4).min(80);
    let columns = usize::from(width.saturating_sub(4)).max(1);
    let (meaning, words) = match (&form.waiting, &form.failure) {
        (Some(_), _) => (Meaning::Warning, "saving…".to_owned()),
        (None, Some(why)) if form.is_refused => (Meaning::Critical, format!("{why}. {}", form.again(app))),
        (None, Some(why)) => (Meaning::Critical, why.clone()),
        (None, None) => (Meaning::Dim, hint(form)),
    };
    let lines = |words: &str| text::wrap(&text::clean(words), columns);
    let remarks: Vec<String> = form.remarks.iter().flat_map(|remark| lines(remark)).collect();
    let foot = by_parts(&words, columns);
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
                let (shown, at) = line.window(usize::from(inner.width).saturating_sub(NAMES), app.look.ellipsis());
                if shown.is_empty() {
                    row.put(empty, dim);
                } else {
                    row.put(&shown, app.look.style(Meaning::Text));
                }
                if here {
                    let x = (inner.x + (NAMES + at) as u16).min(inner.right().saturating_sub(1));
                    frame.cursor = Some(Position::new(x, y));
                }
            }
            Field::Choice { at, words, .. } => {
                let style = app.look.style(if here { Meaning::Accent } else { Meaning::Text });
                row.put(words.get(*at).map_or("", String::as_str), style);
                // That there are others must be seen; the words have the room before.
                let others = format!("{} of {}", at + 1, words.len());
                if words.len() > 1 && row.room() > others.len() + 1 {
                    row.end(&others, dim);
                }
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
