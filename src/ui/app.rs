//! The screen's state, and how keys, snapshots and notices change it. Drawing is elsewhere and reads only.

use std::collections::VecDeque;
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use super::action::Action;
use super::commands;
use super::filter::Filter;
use super::frame::{Capabilities, Frame};
use super::line::Line;
use super::list::List;
use super::look::Look;
use super::overlays::editor::Editor;
use super::overlays::{Overlay, Reaction};
use super::panes::{self, PaneKind, ScreenId, Selected};
use super::run::{Exit, Screen};
use super::session::SessionPane;
use super::{chrome, overlays};
use crate::base::{Timestamp, units};
use crate::bus::{Command, Message, MessageWeight, Notice, Ticket};
use crate::config::key::{Key, KeyCode};
use crate::config::keymap::{Keymap, Lookup};
use crate::config::theme::Theme;
use crate::model::{AssetId, EntryKind, Incident, IncidentId, IncidentStatus, SessionId};
use crate::state::{DeviceView, Snapshot};

/// Messages kept for the log.
const MESSAGES: usize = 200;

/// What the footer's line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    Filter,
    Command,
}

#[derive(Debug)]
pub struct App {
    pub snapshot: Arc<Snapshot>,
    pub look: Look,
    pub keymap: Keymap,
    pub screen: ScreenId,
    pub focus: PaneKind,
    pub zoom: bool,
    pub problems_only: bool,
    pub filter: Filter,
    pub asking: Option<(Asking, Line)>,
    pub overlays: Vec<Overlay>,
    /// Texts from the command line that are on their way to the disk.
    pub sent: Vec<Editor>,
    /// The beginning of a chord.
    pub chord: Vec<Key>,
    pub message: Option<(MessageWeight, String)>,
    pub messages: VecDeque<(Timestamp, MessageWeight, String)>,
    pub history: Vec<String>,
    pub sessions: Vec<SessionPane>,
    /// Keys go to the selected session.
    pub typing: bool,
    /// The last key left this session by this key: once more, and it is sent there.
    pub left: Option<(SessionId, Key)>,
    pub system_ssh: Vec<String>,
    pub capabilities: Capabilities,
    commands: mpsc::Sender<Command>,
    lists: [List; PaneKind::ALL.len()],
    device: Option<AssetId>,
    size: (u16, u16),
    tickets: u64,
    focused_asset: Option<AssetId>,
    reveal: Option<String>,
    /// The target was not in the inventory and the engine was asked to look at it.
    asked_for_target: bool,
    answering: bool,
    /// What the lists' orders were made of; `None` after a new snapshot.
    fresh: Option<(ScreenId, bool, String, Option<AssetId>)>,
    exit: Option<Exit>,
}

/// What an app begins with.
#[derive(Debug)]
pub struct Setup {
    pub commands: mpsc::Sender<Command>,
    pub keymap: Keymap,
    pub theme: Theme,
    pub capabilities: Capabilities,
    /// Open this object as soon as it is there.
    pub target: Option<String>,
    /// How the system's own ssh is called; options and destination come after.
    pub system_ssh: Vec<String>,
    /// Said at the start.
    pub messages: Vec<(MessageWeight, String)>,
}

impl App {
    pub fn new(setup: Setup) -> Self {
        let mut app = Self {
            snapshot: Arc::default(),
            look: Look::new(&setup.theme, setup.capabilities),
            keymap: setup.keymap,
            screen: ScreenId::Overview,
            focus: PaneKind::Problems,
            zoom: false,
            problems_only: false,
            filter: Filter::default(),
            asking: None,
            overlays: Vec::new(),
            sent: Vec::new(),
            chord: Vec::new(),
            message: None,
            messages: VecDeque::new(),
            history: Vec::new(),
            sessions: Vec::new(),
            typing: false,
            left: None,
            system_ssh: setup.system_ssh,
            capabilities: setup.capabilities,
            commands: setup.commands,
            lists: Default::default(),
            device: None,
            size: (0, 0),
            tickets: 0,
            focused_asset: None,
            reveal: setup.target,
            asked_for_target: false,
            answering: false,
            fresh: None,
            exit: None,
        };
        for (weight, text) in setup.messages {
            app.say(weight, text);
        }
        app
    }

    pub fn list(&self, kind: PaneKind) -> &List {
        &self.lists[kind.row()]
    }

    pub(super) fn list_mut(&mut self, kind: PaneKind) -> &mut List {
        &mut self.lists[kind.row()]
    }

    /// The device whose ports are shown.
    pub fn device(&self) -> Option<&Arc<DeviceView>> {
        self.snapshot.device(self.device.as_ref()?)
    }

    /// The incident that is worked on: the newest open one, else the newest.
    pub fn incident(&self) -> Option<&Arc<Incident>> {
        self.snapshot
            .open_incident()
            .or_else(|| if self.screen == ScreenId::Incident { self.snapshot.incidents.first() } else { None })
    }

    pub fn tags(&self, asset: &AssetId) -> Vec<&str> {
        self.snapshot.host(asset).map(|h| h.host.tags.iter().map(|t| &**t).collect()).unwrap_or_default()
    }

    pub fn group(&self, asset: &AssetId) -> &str {
        self.snapshot.host(asset).and_then(|h| h.host.group.as_deref()).unwrap_or_default()
    }

    pub fn selected(&self) -> Option<Selected> {
        panes::selected(self, self.focus)
    }

    /// The host or job that the selection belongs to.
    pub fn selected_asset(&self) -> Option<AssetId> {
        match self.selected()? {
            Selected::Host(id) | Selected::Port(id, _) | Selected::Job(id) => Some(id),
            Selected::Entry(_) => None,
        }
    }

    /// One line for the footer and the log.
    pub fn say(&mut self, weight: MessageWeight, text: impl Into<String>) {
        let text = crate::base::text::clean(&text.into());
        self.messages.push_back((self.snapshot.at, weight, text.clone()));
        if self.messages.len() > MESSAGES {
            self.messages.pop_front();
        }
        self.message = Some((weight, text));
    }

    /// Hands a command to the engine. The lane is short and never waits behind results; when it is full, the operator
    /// is told instead of the screen being held up.
    pub fn send(&mut self, command: Command) -> bool {
        let sent = self.commands.try_send(command).is_ok();
        if !sent {
            self.say(MessageWeight::Error, "the engine does not answer: nothing was done");
        }
        sent
    }

    pub fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    pub fn set_exit(&mut self, exit: Exit) {
        self.exit = Some(exit);
    }

    pub fn set_theme(&mut self, theme: &Theme) {
        self.look = Look::new(theme, self.capabilities);
    }

    /// Brings orders and scroll positions up to date after anything that may change them.
    pub fn settle(&mut self) {
        // Orders cost a walk over everything that is watched: a key that changes none of this asks for none.
        let made_of = (self.screen, self.problems_only, self.filter.text.clone(), self.device.clone());
        let known = self.fresh.as_ref() == Some(&made_of);
        for kind in self.screen.panes() {
            if !known || matches!(kind, PaneKind::Log) || self.list(*kind).order.is_empty() {
                let order = panes::order(self, *kind);
                self.list_mut(*kind).reorder(order);
            }
            if *kind == PaneKind::Devices {
                let chosen = self
                    .list(PaneKind::Devices)
                    .row()
                    .and_then(|r| self.snapshot.devices.get(r))
                    .map(|d| d.host.id.clone());
                if chosen.is_some() && chosen != self.device {
                    self.device = chosen;
                    *self.list_mut(PaneKind::Ports) = List::default();
                }
            }
        }
        self.fresh = Some((self.screen, self.problems_only, self.filter.text.clone(), self.device.clone()));
        for (kind, area) in panes::layout(self, chrome::body(self, self.size)) {
            self.list_mut(kind).scroll(usize::from(area.height.saturating_sub(1)));
        }
        let asset = self.selected_asset().filter(|_| !self.overlays.is_empty());
        if asset != self.focused_asset {
            self.focused_asset.clone_from(&asset);
            self.send(Command::Focus(asset));
        }
    }

    pub fn go(&mut self, screen: ScreenId) {
        self.screen = screen;
        self.zoom = false;
        if !screen.panes().contains(&self.focus) {
            self.focus = screen.panes()[0];
        }
    }

    /// Shows an object: selects it where it stands and opens its detail.
    pub fn reveal(&mut self, asset: &AssetId) {
        if let Some(row) = self.snapshot.hosts.iter().position(|h| h.host.id == *asset) {
            self.go(ScreenId::Hosts);
            self.focus = PaneKind::Hosts;
            self.settle();
            self.list_mut(PaneKind::Hosts).select_row(row);
            self.show_detail(Selected::Host(asset.clone()));
        } else if let Some(row) = self.snapshot.jobs.iter().position(|j| j.job.id == *asset) {
            self.go(ScreenId::Backups);
            self.focus = PaneKind::Backups;
            self.settle();
            self.list_mut(PaneKind::Backups).select_row(row);
            self.show_detail(Selected::Job(asset.clone()));
        }
    }

    /// The detail alone, but for questions that wait: nothing may take their place.
    fn show_detail(&mut self, selected: Selected) {
        self.overlays.retain(|overlay| matches!(overlay, Overlay::Question(_)));
        self.overlays.insert(0, Overlay::detail(selected));
    }

    pub(super) fn size(&self) -> (u16, u16) {
        self.size
    }

    /// The object of that name or key, without regard to case.
    pub fn find(&self, name: &str) -> Option<AssetId> {
        let hosts = self.snapshot.hosts.iter().map(|h| (&h.host.id, &h.host.name));
        let jobs = self.snapshot.jobs.iter().map(|j| (&j.job.id, &j.job.name));
        hosts.chain(jobs).find(|(id, n)| n.eq_ignore_ascii_case(name) || id.as_str() == name).map(|(id, _)| id.clone())
    }

    pub fn act(&mut self, action: Action) {
        let page = panes::layout(self, chrome::body(self, self.size))
            .into_iter()
            .find(|(kind, _)| *kind == self.focus)
            .map_or(1, |(_, area)| area.height.saturating_sub(1).max(1));
        let page = isize::try_from(page).unwrap_or(1);
        match action {
            Action::Overview => self.go(ScreenId::Overview),
            Action::Hosts => self.go(ScreenId::Hosts),
            Action::Ports => self.go(ScreenId::Ports),
            Action::Backups => self.go(ScreenId::Backups),
            Action::Incident => self.go(ScreenId::Incident),
            Action::Sessions => {
                self.go(ScreenId::Sessions);
                self.refresh_sessions();
            }
            Action::Log => self.go(ScreenId::Log),
            Action::NextPane => self.turn(1),
            Action::PreviousPane => self.turn(-1),
            Action::Zoom => self.zoom = !self.zoom,
            Action::Help => self.overlays.push(Overlay::help()),
            Action::CommandLine => self.asking = Some((Asking::Command, Line::default())),
            Action::Filter => self.asking = Some((Asking::Filter, Line::with(&self.filter.text))),
            Action::Palette => self.overlays.push(Overlay::palette()),
            Action::Back => self.back(),
            Action::Quit => self.overlays.push(Overlay::Quit),
            Action::Cancel => self.cancel(),
            Action::Suspend => self.set_exit(Exit::Suspend),
            Action::Down => self.move_by(1),
            Action::Up => self.move_by(-1),
            Action::Top => self.move_by(isize::MIN / 2),
            Action::Bottom => self.move_by(isize::MAX / 2),
            Action::HalfPageDown => self.move_by((page / 2).max(1)),
            Action::HalfPageUp => self.move_by(-(page / 2).max(1)),
            Action::PageDown => self.move_by(page),
            Action::PageUp => self.move_by(-page),
            Action::Open => self.open_selected(),
            Action::Shell => commands::shell(self, None),
            Action::EndSession => self.end_session(),
            Action::Resort => {
                let kind = self.focus;
                *self.list_mut(kind) = List::default();
            }
            Action::Recheck => self.recheck(),
            Action::ProblemsOnly => self.problems_only = !self.problems_only,
            Action::Pause => {
                let pause = self.snapshot.engine.mode == crate::state::Mode::Polling;
                self.send(Command::Pause(pause));
            }
            Action::OpenIncident => self.overlays.push(Overlay::open_incident("")),
            Action::Note => self.write(EntryKind::Note),
            Action::Decision => self.write(EntryKind::Decision),
            Action::ActionItem => self.write(EntryKind::Action),
            Action::Hypothesis => self.write(EntryKind::Hypothesis),
        }
    }

    fn turn(&mut self, delta: isize) {
        let panes = self.screen.panes();
        let at = panes.iter().position(|k| *k == self.focus).unwrap_or(0);
        let next = (at.cast_signed() + delta).rem_euclid(panes.len().cast_signed());
        self.focus = panes[usize::try_from(next).unwrap_or(0)];
    }

    fn move_by(&mut self, delta: isize) {
        let kind = self.focus;
        self.list_mut(kind).move_by(delta);
    }

    fn back(&mut self) {
        if !self.filter.is_empty() || !self.filter.text.is_empty() {
            self.filter = Filter::default();
        } else if self.zoom {
            self.zoom = false;
        } else if self.problems_only {
            self.problems_only = false;
        } else if self.screen != ScreenId::Overview {
            self.go(ScreenId::Overview);
        }
    }

    fn cancel(&mut self) {
        self.say(MessageWeight::Note, "nothing is under way; q or :q leaves");
    }

    fn open_selected(&mut self) {
        if self.screen == ScreenId::Sessions {
            self.typing = !self.sessions.is_empty();
            return;
        }
        let Some(selected) = self.selected() else { return };
        if self.screen == ScreenId::Overview
            && self.focus == PaneKind::Devices
            && let Selected::Host(asset) = &selected
        {
            self.device = Some(asset.clone());
            self.go(ScreenId::Ports);
            self.focus = PaneKind::Ports;
            return;
        }
        self.overlays.push(Overlay::detail(selected));
    }

    fn recheck(&mut self) {
        let Some(asset) = self.selected_asset() else { return };
        let waits =
            self.snapshot.job(&asset).and_then(|j| j.check.as_ref()).is_some_and(|c| c.spec.waits_for.is_some());
        let command = if waits { Command::Confirm(asset.clone()) } else { Command::Recheck(asset.clone()) };
        if self.send(command) {
            self.say(MessageWeight::Note, format!("asking {}", asset.as_str()));
        }
    }

    /// Opens the editor for an entry, about what is selected; without an incident, one is opened first.
    fn write(&mut self, kind: EntryKind) {
        if let Some(incident) = self.snapshot.open_incident().map(|i| i.id) {
            let about = self.selected_asset().map(|a| a.as_str().to_owned());
            self.overlays.push(Overlay::editor(incident, kind, about));
        } else {
            self.say(MessageWeight::Note, "no incident is open: open one first");
            self.overlays.push(Overlay::open_incident(""));
        }
    }

    /// Sends an entry; the ticket that will come back.
    pub fn append(
        &mut self,
        incident: IncidentId,
        kind: EntryKind,
        text: &str,
        about: Option<String>,
    ) -> Option<Ticket> {
        let ticket = self.ticket();
        self.send(Command::AddEntry { ticket, incident, kind, text: text.to_owned(), about }).then_some(ticket)
    }

    /// Sends an entry that was written on the command line; its text comes back if it cannot be saved.
    pub fn append_at_once(&mut self, incident: IncidentId, kind: EntryKind, text: &str, about: Option<String>) {
        if let Some(ticket) = self.append(incident, kind, text, about.clone()) {
            self.sent.push(Editor::sent(incident, kind, text, about, ticket));
        }
    }

    /// Texts of notes that nobody was told are saved.
    pub fn unsaved(&self) -> Vec<String> {
        overlays::unsaved(self)
    }

    fn map_key(&mut self, key: Key) {
        self.chord.push(key);
        let found = match self.keymap.look_up(&self.chord) {
            Lookup::Action(name) => Some(Action::named(name)),
            Lookup::Begun(_) => None,
            Lookup::Nothing => Some(None),
        };
        let Some(action) = found else { return };
        self.chord.clear();
        self.message = None;
        if let Some(action) = action {
            self.act(action);
        }
    }

    fn ask_key(&mut self, key: Key) {
        let Some((asking, mut line)) = self.asking.take() else { return };
        match key.code {
            KeyCode::Escape => {
                if asking == Asking::Filter {
                    self.filter = Filter::default();
                }
            }
            KeyCode::Char('c') if key.ctrl => {}
            KeyCode::Enter => match asking {
                Asking::Filter => self.filter = Filter::parse(line.text()),
                Asking::Command => {
                    let text = line.text().trim().to_owned();
                    if !text.is_empty() {
                        self.history.retain(|h| *h != text);
                        self.history.push(text.clone());
                        commands::run(self, &text);
                    }
                }
            },
            KeyCode::Tab if asking == Asking::Command => {
                let completed = commands::complete(self, line.text());
                self.asking = Some((asking, Line::with(&completed)));
            }
            KeyCode::Up if asking == Asking::Command => {
                let at = self.history.iter().rposition(|h| h == line.text()).unwrap_or(self.history.len());
                let text = at.checked_sub(1).and_then(|i| self.history.get(i)).cloned();
                self.asking = Some((asking, text.map_or(line, |t| Line::with(&t))));
            }
            KeyCode::Backspace if line.text().is_empty() => {}
            _ => {
                line.key(key);
                if asking == Asking::Filter {
                    self.filter = Filter::parse(line.text());
                }
                self.asking = Some((asking, line));
            }
        }
    }

    /// Takes a new snapshot; what was selected stays selected wherever it stands now.
    fn replace(&mut self, snapshot: Arc<Snapshot>) {
        let same = panes::same_inventory(&self.snapshot, &snapshot);
        let on =
            PaneKind::ALL.map(|kind| (self.list(kind).selected > 0).then(|| panes::selected(self, kind)).flatten());
        self.snapshot = snapshot;
        self.fresh = None;
        for (kind, on) in PaneKind::ALL.into_iter().zip(on) {
            // Problems and entries are new lists each time; the others keep their rows while the inventory does.
            let renumbered = !same || matches!(kind, PaneKind::Problems);
            let Some(on) = on.filter(|_| renumbered) else { continue };
            let order = panes::order(self, kind);
            let at = order.iter().position(|row| panes::selected_row(self, kind, *row).as_ref() == Some(&on));
            let list = self.list_mut(kind);
            list.order = order;
            list.selected = at.unwrap_or(list.selected).min(list.order.len().saturating_sub(1));
        }
    }
}

impl Screen for App {
    fn key(&mut self, key: Key) {
        self.answering = true;
        let left = self.left.take();
        if self.is_typing() {
            self.session_key(key);
            self.settle();
            return;
        }
        if let Some((id, by)) = left
            && by == key
            && self.send_again(id, key)
        {
            self.settle();
            return;
        }
        // Whatever is open stays open: the shell is needed at any moment.
        if matches!(self.keymap.look_up(&[key]), Lookup::Action(name) if Action::named(name) == Some(Action::Suspend)) {
            self.act(Action::Suspend);
            return;
        }
        if self.overlays.is_empty() {
            if self.asking.is_some() { self.ask_key(key) } else { self.map_key(key) }
        } else {
            match overlays::key(self, key) {
                Reaction::Close => {
                    self.overlays.pop();
                }
                Reaction::Keep => {}
            }
        }
        self.settle();
    }

    fn paste(&mut self, text: String) {
        if self.is_typing() {
            self.session_paste(&text);
        } else if let Some((_, line)) = &mut self.asking {
            line.insert(&crate::base::text::clean(&text.replace(['\r', '\n'], " ")));
        } else {
            overlays::paste(self, &text);
        }
        self.settle();
    }

    fn resized(&mut self, columns: u16, rows: u16) {
        self.size = (columns, rows);
        self.settle();
        self.resize_sessions();
    }

    fn snapshot(&mut self, snapshot: Arc<Snapshot>) {
        self.answering = false;
        self.replace(snapshot);
        self.update_sessions();
        if let Some(target) = self.reveal.take() {
            match self.find(&target) {
                Some(asset) => self.reveal(&asset),
                // An inventory is there and complete, and the target is not in it.
                None if !self.asked_for_target
                    && !self.snapshot.hosts.is_empty()
                    && !self.snapshot.engine.discovering =>
                {
                    self.asked_for_target = true;
                    self.send(Command::OneOff { address: target });
                }
                None => self.reveal = Some(target),
            }
        }
        self.settle();
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Saved { ticket, entry } => {
                let incident = entry.incident;
                overlays::saved(self, ticket);
                self.say(MessageWeight::Note, format!("saved in {incident}"));
            }
            Notice::NotSaved { ticket, reason } => {
                self.say(MessageWeight::Error, format!("NOT SAVED: {reason}"));
                overlays::not_saved(self, ticket, &reason);
            }
            Notice::Message(Message { weight, text }) => self.say(weight, text.line()),
            Notice::Reveal(asset) => {
                self.asked_for_target = true;
                self.reveal = Some(asset.as_str().to_owned());
            }
            Notice::Prompt { id, prompt, .. } => self.asked(id, prompt),
            Notice::PromptWithdrawn(id) => self.withdrawn(id),
            Notice::SessionOpened { session, pipe } => self.session_opened(session, pipe),
        }
        self.settle();
    }

    fn draw(&self, frame: &mut Frame<'_>) {
        chrome::draw(self, frame);
        let areas = panes::layout(self, chrome::body(self, (frame.area.width, frame.area.height)));
        for (kind, area) in &areas {
            panes::draw(self, frame, *kind, *area);
        }
        if let Some(side) = chrome::side(self, (frame.area.width, frame.area.height)) {
            overlays::draw_side(self, frame, side);
        }
        let answer = areas.iter().find(|(kind, _)| *kind == self.focus).map(|(_, area)| area.y..area.bottom());
        let covered = overlays::draw(self, frame);
        if self.answering {
            frame.answer = covered.or(if self.asking.is_some() {
                Some(frame.area.height.saturating_sub(1)..frame.area.height)
            } else {
                answer
            });
        }
    }

    fn poll_sessions(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_panes(cx)
    }

    fn is_behind(&self) -> bool {
        self.sessions.iter().any(SessionPane::is_behind)
    }

    fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let mut soonest = now.plus(std::time::Duration::from_secs(60));
        let mut consider = |at: Timestamp| {
            let until = units::until_next_bucket(now.since(at));
            soonest = soonest.min(now.plus(until));
        };
        for (kind, area) in panes::layout(self, chrome::body(self, self.size)) {
            let list = self.list(kind);
            for row in list.order.iter().skip(list.top).take(usize::from(area.height)) {
                if let Some(at) = panes::time(self, kind, *row) {
                    consider(at);
                }
            }
        }
        // The detail of what is selected shows the ages of its checks.
        if (chrome::side(self, self.size).is_some() || !self.overlays.is_empty())
            && let Some(host) = self.selected_asset().and_then(|id| self.snapshot.host(&id))
        {
            host.checks.iter().filter_map(|c| c.last.as_ref()).for_each(|last| consider(last.at));
        }
        if self.snapshot.open_incident().is_some_and(|i| i.status == IncidentStatus::Open) {
            soonest = soonest.min(now.plus(std::time::Duration::from_secs(1)));
        }
        if let Some(at) = self.sessions_wake() {
            soonest = soonest.min(now.plus(at.saturating_duration_since(std::time::Instant::now())));
        }
        Some(soonest)
    }

    fn take_exit(&mut self) -> Option<Exit> {
        self.exit.take()
    }

    fn foreground_ended(&mut self, argv: &[String], outcome: io::Result<ExitStatus>) {
        match outcome {
            Ok(status) if status.success() => self.say(MessageWeight::Note, format!("{} ended", argv.join(" "))),
            Ok(status) => self.say(MessageWeight::Warning, format!("{} ended: {status}", argv.join(" "))),
            Err(error) => self.say(MessageWeight::Error, format!("cannot run {}: {error}", argv.join(" "))),
        }
    }
}
