//! The screen's state, and how keys, snapshots and notices change it. Drawing is elsewhere and reads only.

mod cable;
mod deeds;
mod freeze;
mod keys;
pub mod marks;
mod mouse;
mod news;
mod places;
mod screen;
pub mod wall;

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, OnceLock};

use jiff::tz::TimeZone;
use tokio::sync::{mpsc, watch};

use super::chrome;
use super::clipboard::Clipboard;
use super::columns::{Choice, Sort};
use super::faceplate::Faceplate;
use super::filter::Filter;
use super::frame::Capabilities;
use super::grouping::{GroupBy, Grouping};
use super::layouts::{Arrangement, Layouts};
use super::line::Line;
use super::list::List;
use super::logbook::Logbook;
use super::look::Look;
use super::overlays::editor::Editor;
use super::overlays::{self, Overlay};
use super::panes::{self, PaneKind, ScreenId, Selected};
use super::parts::Parts;
use super::port::Seen;
use super::run::Exit;
use super::runbook;
use super::screen::Ring;
use super::session::SessionPane;
use super::sorting::Orders;
use super::themes::Themes;
use super::tour::{Wish, World};
use super::trail::Trails;
use super::views::Views;
use super::wall::Wall;
use crate::base::Timestamp;
use crate::bus::{Command, InView, MessageWeight, Ticket};
use crate::config::key::Key;
use crate::config::keymap::Keymap;
use crate::model::{AssetId, EntryKind, Incident, IncidentId, PortTable, Role, SessionId, Target};
use crate::state::lookup::{Attachment, Lookup};
use crate::state::{DeviceView, Link, Snapshot};
use crate::ui::action::Action;

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
    pub themes: Themes,
    pub keymap: Keymap,
    pub screen: ScreenId,
    pub focus: PaneKind,
    pub zoom: bool,
    pub problems_only: bool,
    /// Problems whose consequences are shown.
    pub expanded: HashSet<Target>,
    /// A detail takes the whole width.
    pub wide_detail: bool,
    pub filter: Filter,
    pub asking: Option<(Asking, Line)>,
    pub overlays: Vec<Overlay>,
    /// Texts from the command line that are on their way to the disk.
    pub sent: Vec<Editor>,
    pub marks: marks::Marks,
    /// A deed on all that was marked, while it is under way.
    pub work: Option<marks::Work>,
    /// The beginning of a chord.
    pub chord: Vec<Key>,
    pub message: Option<(MessageWeight, String)>,
    pub logbook: Logbook,
    /// Where walls come from, and the one that stands in front of everything.
    pub walls: Option<wall::Walls>,
    wall: Option<Box<Wall>>,
    pub(super) runbook: runbook::Awaited,
    /// Who sits here, as claims and notes name them; empty where that is not known.
    pub operator: String,
    /// Commands that were typed, and filters.
    pub history: Vec<String>,
    pub filters: Vec<String>,
    pub sessions: Vec<SessionPane>,
    /// Keys go to the selected session.
    pub typing: bool,
    /// The last key left this session by this key: once more, and it is sent there.
    pub left: Option<(SessionId, Key)>,
    pub system_ssh: Vec<String>,
    pub capabilities: Capabilities,
    pub(super) orders: Orders,
    /// Which columns the port table has, and its order.
    pub columns: Choice,
    /// Who hangs where; as new as the last thing that needed it.
    pub lookup: Lookup,
    /// The rates of the ports that are looked at.
    pub trails: Trails,
    /// Where the station is heard that the filter looks for.
    pub found: Vec<panes::ports::Found>,
    /// The front of the device whose ports are shown.
    pub faceplate: Faceplate,
    /// The host that is looked at, where it hangs, and by which generation of the lookup.
    pub hangs: Option<(AssetId, u64, Vec<Attachment>)>,
    /// How the hosts are gathered.
    pub(super) grouping: Grouping,
    /// What any host has, and so deserves a column.
    pub hosts_have: panes::HostsHave,
    /// How hosts stand together with their ports and what they say of themselves.
    pub parts: Parts,
    /// The host that the next one is compared with.
    pub(super) compared: Option<AssetId>,
    /// The device that this console asked to watch.
    pub(super) watching: Option<AssetId>,
    /// What is wrong with the configuration, for as long as the console runs.
    pub trouble: Arc<OnceLock<String>>,
    pub clipboard: Clipboard,
    pub pointer: mouse::Pointer,
    /// Whether what is shown is real.
    pub world: World,
    /// The clock beside UTC.
    pub zone: TimeZone,
    /// What was asked of the tour, until it is taken.
    pub(super) tour_wish: Option<Wish>,
    /// The picture is held still.
    pub(super) frozen: Option<freeze::Frozen>,
    /// Steady time, as of the last turn of the loop or the last key.
    now: Timestamp,
    commands: mpsc::Sender<Command>,
    lists: [List; PaneKind::ALL.len()],
    device: Option<AssetId>,
    /// The walk that the faceplate was made of.
    faceplate_of: Option<Arc<PortTable>>,
    /// The snapshot that the lookup was made of.
    looked_up: u64,
    /// Where one was before, the last place at the end; and where one was before going back.
    visited: Vec<places::Place>,
    ahead: Vec<places::Place>,
    size: (u16, u16),
    tickets: u64,
    focused_asset: Option<AssetId>,
    /// Whoever shows what another engine says tells it what is on the screen.
    pub in_view: watch::Sender<InView>,
    reveal: Option<String>,
    /// What was selected in an earlier life.
    pub(super) recalled: VecDeque<(PaneKind, String)>,
    pub views: Views,
    /// Where the panes stand.
    pub layouts: Layouts,
    /// The target was not in the inventory and the engine was asked to look at it.
    asked_for_target: bool,
    answering: bool,
    /// What the lists' orders were made of; `None` after a new snapshot.
    fresh: Option<MadeOf>,
    exit: Option<Exit>,
    ring: Option<Ring>,
}

/// What the lists' orders depend on besides the snapshot.
type MadeOf = ((ScreenId, usize, usize), (bool, String), Option<AssetId>, Sort, Orders, (GroupBy, usize));

/// What an app begins with.
#[derive(Debug)]
pub struct Setup {
    pub commands: mpsc::Sender<Command>,
    pub keymap: Keymap,
    pub themes: Themes,
    pub capabilities: Capabilities,
    /// Open this object as soon as it is there.
    pub target: Option<String>,
    /// How the system's own ssh is called; options and destination come after.
    pub system_ssh: Vec<String>,
    /// Said at the start.
    pub messages: Vec<(MessageWeight, String)>,
    /// Said all the time.
    pub trouble: Arc<OnceLock<String>>,
    pub clipboard: Clipboard,
    /// When it begins.
    pub now: Timestamp,
}
impl App {
    pub fn new(setup: Setup) -> Self {
        let mut app = Self {
            snapshot: Arc::default(),
            look: setup.themes.look(),
            themes: setup.themes,
            keymap: setup.keymap,
            screen: ScreenId::Overview,
            focus: PaneKind::Problems,
            zoom: false,
            problems_only: false,
            expanded: HashSet::new(),
            wide_detail: false,
            filter: Filter::default(),
            asking: None,
            overlays: Vec::new(),
            sent: Vec::new(),
            marks: marks::Marks::default(),
            work: None,
            chord: Vec::new(),
            message: None,
            logbook: Logbook::default(),
            walls: None,
            wall: None,
            runbook: runbook::Awaited::default(),
            operator: String::new(),
            history: Vec::new(),
            filters: Vec::new(),
            sessions: Vec::new(),
            typing: false,
            left: None,
            system_ssh: setup.system_ssh,
            capabilities: setup.capabilities,
            orders: Orders::default(),
            columns: Choice::default(),
            lookup: Lookup::default(),
            trails: Trails::default(),
            found: Vec::new(),
            faceplate: Faceplate::default(),
            hangs: None,
            grouping: Grouping::default(),
            hosts_have: panes::HostsHave::default(),
            parts: Parts::default(),
            compared: None,
            watching: None,
            trouble: setup.trouble,
            clipboard: setup.clipboard,
            pointer: mouse::Pointer::default(),
            world: World::default(),
            zone: TimeZone::UTC,
            tour_wish: None,
            frozen: None,
            now: setup.now,
            commands: setup.commands,
            lists: Default::default(),
            device: None,
            faceplate_of: None,
            looked_up: 0,
            visited: Vec::new(),
            ahead: Vec::new(),
            size: (0, 0),
            tickets: 0,
            focused_asset: None,
            in_view: watch::Sender::default(),
            reveal: setup.target,
            recalled: VecDeque::new(),
            views: Views::default(),
            layouts: Layouts::default(),
            asked_for_target: false,
            answering: false,
            fresh: None,
            exit: None,
            ring: None,
        };
        let count = setup.messages.len();
        let first = setup.messages.first().cloned();
        for (weight, text) in setup.messages {
            app.say(weight, text);
        }
        // The footer has one line.
        if let Some((weight, text)) = first.filter(|_| count > 1) {
            let words =
                format!("{count} things are wrong with keys or themes, {} lists them: {text}", app.key_of(Action::Log));
            app.message = Some((weight, words));
        }
        app
    }

    /// How the panes of the screen stand.
    pub fn arrangement(&self) -> &Arc<Arrangement> {
        self.layouts.at(self.screen)
    }

    /// The panes of the screen, in the order of Tab.
    pub fn panes(&self) -> &[PaneKind] {
        &self.arrangement().panes
    }

    pub fn shows(&self, kind: PaneKind) -> bool {
        self.panes().contains(&kind)
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

    pub fn site(&self, asset: &AssetId) -> &str {
        self.snapshot.host(asset).and_then(|h| h.host.site.as_deref()).unwrap_or_default()
    }

    pub fn selected(&self) -> Option<Selected> {
        panes::selected(self, self.focus)
    }

    /// The host or job that the selection belongs to.
    pub fn selected_asset(&self) -> Option<AssetId> {
        self.selected()?.asset()
    }

    /// The port that is selected in the table of the chosen device, whichever pane has the focus.
    pub fn selected_port(&self) -> Option<Seen<'_>> {
        Seen::at(self.device()?, self.list(PaneKind::Ports).row()?)
    }

    /// What the top detail, the side or the selection is about.
    pub(super) fn looked_at(&self) -> Option<Selected> {
        let detail = self.overlays.iter().rev().find_map(|overlay| match overlay {
            Overlay::Detail { selected, .. } => Some(selected.clone()),
            _ => None,
        });
        detail.or_else(|| self.selected())
    }

    /// The host or job that this belongs to.
    pub(super) fn asset_looked_at(&self) -> Option<AssetId> {
        self.looked_at()?.asset()
    }

    /// The key of an action as it is bound now; where it has none, what does the same.
    pub fn key_of(&self, action: Action) -> String {
        let keys = self.keymap.keys_of(action.name());
        let without = || match action {
            Action::Open => "\"open\" in the palette".to_owned(),
            Action::OpenIncident => ":open".to_owned(),
            _ => format!(":{}", action.name()),
        };
        keys.into_iter().next().unwrap_or_else(without)
    }

    /// Hands a command to the engine. The lane is short and never waits behind results; when it is full, the operator
    /// is told instead of the screen being held up.
    pub fn send(&mut self, command: Command) -> bool {
        if !self.allows(command.needs()) {
            return false;
        }
        let sent = self.commands.try_send(command).is_ok();
        if !sent {
            self.say(MessageWeight::Error, "the engine does not answer: nothing was done");
        }
        sent
    }

    /// Whether the engine does for this console what takes that role; why not is said.
    pub fn allows(&mut self, needed: Role) -> bool {
        match self.permits(needed) {
            Ok(()) => true,
            Err(why) => {
                self.say(MessageWeight::Warning, why);
                false
            }
        }
    }

    /// # Errors
    /// It does not: what it takes and who has it, in words.
    pub fn permits(&self, needed: Role) -> Result<(), String> {
        match &self.live().engine.link {
            Link::Attached(attached) => attached.role.permits(needed, attached.holders.as_deref()),
            Link::Own | Link::Lost { .. } => Ok(()),
        }
    }

    pub fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    pub fn set_exit(&mut self, exit: Exit) {
        self.exit = Some(exit);
    }

    /// Brings orders and scroll positions up to date after anything that may change them.
    pub fn settle(&mut self) {
        // Orders cost a walk over everything that is watched: a key that changes none of this asks for none.
        let known = self.fresh.as_ref() == Some(&self.made_of());
        if !known {
            self.look_up_filter();
        }
        if self.shows(PaneKind::Log)
            && let Some(rows) = self.make_log()
        {
            self.list_mut(PaneKind::Log).renumber(|row| rows.get(&row).copied());
        }
        for kind in self.arrangement().panes.clone() {
            if !known || matches!(kind, PaneKind::Log) || self.list(kind).order.is_empty() {
                let order = panes::order(self, kind);
                self.list_mut(kind).reorder(order);
            }
            if kind == PaneKind::Devices {
                self.choose_device();
            }
        }
        if !known {
            self.measure_hidden();
        }
        self.fresh = Some(self.made_of());
        self.take_off_theme();
        self.look_for_marks();
        self.look_up_shown();
        for (kind, area) in panes::layout(self, chrome::body(self, self.size)) {
            let height = panes::rows(self, kind, area).height;
            self.list_mut(kind).scroll(usize::from(height));
        }
        self.end_watch_when_left();
        let asset = self.asset_looked_at().filter(|_| !self.overlays.is_empty());
        if asset != self.focused_asset {
            self.focused_asset.clone_from(&asset);
            self.send(Command::Focus(asset));
        }
        if matches!(self.live().engine.link, Link::Attached(_)) {
            let in_view = panes::in_view(self);
            self.in_view.send_if_modified(|shown| {
                *shown != in_view && {
                    *shown = in_view;
                    true
                }
            });
        }
    }

    /// A theme is tried on while its picker is open, however that closes.
    fn take_off_theme(&mut self) {
        let is_tried = self.overlays.iter().any(|overlay| matches!(overlay, Overlay::Themes(_)));
        if !is_tried && self.themes.take_off() {
            self.look = self.themes.look();
        }
    }

    fn made_of(&self) -> MadeOf {
        let filter = (self.problems_only, self.filter.text.clone());
        let panes = (self.screen, self.layouts.chosen(), self.expanded.len());
        (panes, filter, self.device.clone(), self.columns.sort, self.orders, self.grouping.made_of())
    }

    /// What of the hidden is in the list of problems has its names as a whole there too.
    fn measure_hidden(&mut self) {
        let problems = self.snapshot.problems.len();
        let shown = self.lists[PaneKind::Problems.row()].order.iter().filter(|row| **row >= problems);
        self.parts.measure_hidden(shown.filter_map(|row| self.snapshot.problem(*row)));
    }

    /// The device whose ports are shown is the one that is selected. Who looks at its ports keeps it, wherever the list of
    /// devices has it now, as long as it is there.
    fn choose_device(&mut self) {
        let kept = self.device.as_ref().filter(|_| self.focus == PaneKind::Ports);
        let row = kept.and_then(|id| self.snapshot.devices.iter().position(|d| d.host.id == *id));
        if row.is_some_and(|row| self.list_mut(PaneKind::Devices).select_row(row)) {
            return;
        }
        let chosen =
            self.list(PaneKind::Devices).row().and_then(|r| self.snapshot.devices.get(r)).map(|d| d.host.id.clone());
        if chosen.is_some() && chosen != self.device {
            self.device = chosen;
            *self.list_mut(PaneKind::Ports) = List::default();
        }
    }

    /// Brings what is known of who hangs where up to this snapshot.
    pub(super) fn look_up(&mut self) {
        if self.looked_up != self.snapshot.revision {
            self.lookup.refresh(&self.snapshot);
            self.looked_up = self.snapshot.revision;
        }
    }

    /// For a filter that looks for a station: where it is.
    fn look_up_filter(&mut self) {
        self.found.clear();
        if !self.filter.needs_lookup() {
            return;
        }
        self.look_up();
        self.filter.resolve(&self.lookup);
        if self.filter.is_for_station() {
            self.found = panes::ports::find(self);
        }
    }

    /// What is drawn and would cost too much while drawing: the front of the device, who is heard on its ports, where the host
    /// hangs that is looked at; and the rates of the port that is looked at.
    fn look_up_shown(&mut self) {
        let looked_at = self.looked_at();
        if self.shows(PaneKind::Ports)
            && let Some(device) = self.device().cloned()
        {
            if self.faceplate_of.as_ref().is_none_or(|table| !Arc::ptr_eq(table, &device.table)) {
                self.faceplate = Faceplate::new(&device);
                self.faceplate_of = Some(device.table.clone());
            }
            self.lookup.refresh_device(&device);
            if let Some(id) = self.selected_port().map(|seen| seen.key()) {
                self.trails.look_at(&device, id);
            }
        }
        let detailed = !self.overlays.is_empty() || chrome::side(self, self.size).is_some();
        match looked_at.filter(|_| detailed) {
            Some(Selected::Port(asset, port)) => {
                self.look_up();
                if let Some(device) = self.snapshot.device(&asset).cloned() {
                    self.trails.look_at(&device, port);
                }
            }
            Some(Selected::Host(asset)) => {
                self.look_up();
                let generation = self.lookup.generation();
                if self.hangs.as_ref().is_none_or(|h| h.0 != asset || h.1 != generation) {
                    let host = self.snapshot.host(&asset);
                    let ports = host.map(|host| self.lookup.attachments(&self.snapshot, host)).unwrap_or_default();
                    self.hangs = Some((asset, generation, ports));
                }
            }
            _ => {}
        }
    }

    /// The time that the picture is of.
    pub(super) fn now(&self) -> Timestamp {
        self.frozen.as_ref().map_or(self.now, |frozen| frozen.since)
    }

    /// The time that it is, whatever the picture is of.
    pub(super) fn clock(&self) -> Timestamp {
        self.now
    }

    pub(super) fn size(&self) -> (u16, u16) {
        self.size
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
}
