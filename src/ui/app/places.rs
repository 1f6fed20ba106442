//! Getting to a screen or an object, and back.

use std::collections::HashSet;
use std::sync::Arc;

use super::App;
use crate::bus::{Command, MessageWeight};
use crate::model::{AssetId, PortKey};
use crate::ui::columns::Choice;
use crate::ui::filter::Filter;
use crate::ui::grouping::GroupBy;
use crate::ui::layouts;
use crate::ui::list::List;
use crate::ui::overlays::{self, Overlay, Packages};
use crate::ui::panes::{PaneKind, ScreenId, Selected};
use crate::ui::sorting::Orders;

/// Places that are kept to go back to.
const VISITED: usize = 32;

/// Places that the footer names.
const CRUMBS: usize = 3;

/// A screen with what was selected on it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    screen: ScreenId,
    focus: PaneKind,
    selected: Option<Selected>,
    /// How its lists were narrowed, where the jump changed that.
    narrowed: Option<Narrowed>,
}

/// What a view changes beside the screen.
#[derive(Clone, Debug, PartialEq)]
struct Narrowed {
    filter: String,
    problems_only: bool,
    orders: Orders,
    columns: Choice,
    group: GroupBy,
    opened: HashSet<Arc<str>>,
}

impl App {
    /// Keeps this place to come back to.
    pub(in crate::ui) fn leave_place(&mut self) {
        self.leave(self.here(None));
    }

    /// Keeps this place with how its lists are narrowed: what comes changes that too.
    pub(in crate::ui) fn leave_view(&mut self) {
        self.leave(self.here(Some(self.narrowed())));
    }

    fn narrowed(&self) -> Narrowed {
        Narrowed {
            filter: self.filter.text.clone(),
            problems_only: self.problems_only,
            orders: self.orders,
            columns: self.columns.clone(),
            group: self.grouping.by(),
            opened: self.grouping.opened().iter().map(|name| Arc::from(name.as_str())).collect(),
        }
    }

    fn leave(&mut self, place: Place) {
        // From here on the way leads elsewhere.
        self.ahead.clear();
        self.pass(place);
    }

    fn pass(&mut self, place: Place) {
        if self.visited.last() != Some(&place) {
            self.visited.push(place);
        }
        if self.visited.len() > VISITED {
            self.visited.remove(0);
        }
    }

    fn here(&self, narrowed: Option<Narrowed>) -> Place {
        Place { screen: self.screen, focus: self.focus, selected: self.selected(), narrowed }
    }

    /// To a screen by its own key: the one before is a place to go back to, whatever is selected there by then.
    pub(super) fn turn_to(&mut self, screen: ScreenId) {
        if screen != self.screen {
            self.leave(Place { selected: None, ..self.here(None) });
        }
        self.go(screen);
    }

    /// Where one was, the last place at the end: where the key for going back leads. Nothing where that is only the screen before.
    pub fn crumbs(&self) -> Option<String> {
        self.visited.last()?.selected.as_ref()?;
        let words = |place: &Place| match &place.selected {
            Some(Selected::Port(asset, port)) => format!("{} {}", asset.as_str(), port.label.line()),
            Some(selected) => selected.clone().asset().map_or_else(|| place.screen.word(), |id| id.as_str().to_owned()),
            None => place.screen.word(),
        };
        let last = &self.visited[self.visited.len().saturating_sub(CRUMBS)..];
        let crumbs: Vec<String> = last.iter().map(words).collect();
        (!crumbs.is_empty()).then(|| crumbs.join(if self.look.unicode { " › " } else { " > " }))
    }

    /// The first host is kept, the second one is put beside it.
    pub(super) fn compare(&mut self) {
        let Some(Selected::Host(asset)) = self.looked_at() else {
            self.say(MessageWeight::Note, "select a host: the next one is put beside it");
            return;
        };
        match self.compared.take() {
            Some(first) if first != asset => {
                self.compare_pair([first, asset]);
            }
            Some(_) => self.say(MessageWeight::Note, "nothing is compared any more"),
            None => {
                let words = format!("{}: the same key on another host puts the two side by side", asset.as_str());
                self.compared = Some(asset);
                self.say(MessageWeight::Note, words);
            }
        }
    }

    pub(super) fn compare_pair(&mut self, pair: [AssetId; 2]) {
        self.compared = None;
        let packages = self.ask_packages(&pair);
        self.overlays.push(Overlay::Compare { pair, packages, scroll: 0 });
    }

    /// Has both asked what is installed, where one of them can be.
    fn ask_packages(&mut self, pair: &[AssetId; 2]) -> Packages {
        if !pair.iter().filter_map(|id| self.snapshot.host(id)).any(|host| overlays::can_be_asked(host)) {
            return Packages::None;
        }
        let ticket = self.ticket();
        if self.send(Command::ComparePackages { ticket, pair: pair.clone() }) {
            Packages::Asked(ticket)
        } else {
            Packages::Refused("the engine does not answer".to_owned())
        }
    }

    /// Back to where one was before the last jump.
    pub(super) fn last_place(&mut self) {
        let Some(place) = self.visited.pop() else {
            self.say(MessageWeight::Note, "nowhere to go back to");
            return;
        };
        let here = self.here(place.narrowed.is_some().then(|| self.narrowed()));
        self.ahead.push(here);
        self.return_to(place);
    }

    /// Where one was before going back.
    pub(super) fn next_place(&mut self) {
        let Some(place) = self.ahead.pop() else {
            self.say(MessageWeight::Note, "nowhere to go on to");
            return;
        };
        let here = self.here(place.narrowed.is_some().then(|| self.narrowed()));
        self.pass(here);
        self.return_to(place);
    }

    fn return_to(&mut self, place: Place) {
        match place.selected {
            Some(Selected::Port(asset, port)) if place.screen == ScreenId::Ports => self.show_port(&asset, &port),
            Some(Selected::Host(asset)) if place.screen == ScreenId::Hosts => self.show_host(&asset),
            _ => {
                self.go(place.screen);
                // The layout may be another one since.
                if self.shows(place.focus) {
                    self.focus = place.focus;
                }
            }
        }
        if let Some(Narrowed { filter, problems_only, orders, columns, group, opened }) = place.narrowed {
            (self.problems_only, self.orders, self.columns) = (problems_only, orders, columns);
            self.set_filter(Filter::parse(&filter));
            self.group_hosts_with(group, opened);
        }
    }

    /// The log, narrowed to what is selected. The place before is one to go back to.
    pub(super) fn show_history(&mut self) {
        let Some(asset) = self.asset_looked_at() else {
            self.say(MessageWeight::Note, "select something: its part of the log is shown");
            return;
        };
        let host = self.snapshot.host(&asset).map(|host| host.host.name.clone());
        let name = host.or_else(|| self.snapshot.job(&asset).map(|job| job.job.name.clone()));
        let name = name.unwrap_or_else(|| asset.as_str().into());
        self.leave_view();
        self.problems_only = false;
        self.go(ScreenId::Log);
        self.focus = PaneKind::Log;
        *self.list_mut(PaneKind::Log) = List::default();
        self.set_filter(Filter::parse(&name));
    }

    /// The screen of ports with that port selected.
    pub fn show_port(&mut self, asset: &AssetId, port: &PortKey) {
        self.show_device(asset);
        self.focus = PaneKind::Ports;
        let row = self.device().and_then(|device| device.row(port));
        let shown = row.is_some_and(|row| self.list_mut(PaneKind::Ports).select_row(row));
        if !shown {
            self.say(MessageWeight::Warning, format!("{} has no port {} now", asset.as_str(), port.label.line()));
        }
    }

    /// The device whose ports are shown is chosen anew, from the top of the list.
    pub(super) fn forget_device(&mut self) {
        self.device = None;
    }

    /// The screen of ports with that device chosen. What would hide it is cleared.
    pub fn show_device(&mut self, asset: &AssetId) {
        self.filter = Filter::default();
        self.problems_only = false;
        self.go(ScreenId::Ports);
        self.focus = PaneKind::Devices;
        self.settle();
        if let Some(row) = self.snapshot.devices.iter().position(|d| d.host.id == *asset) {
            self.list_mut(PaneKind::Devices).select_row(row);
        }
        self.settle();
    }

    /// The screen of hosts with that host selected.
    pub fn show_host(&mut self, asset: &AssetId) {
        self.filter = Filter::default();
        self.problems_only = false;
        self.go(ScreenId::Hosts);
        self.focus = PaneKind::Hosts;
        self.settle();
        if let Some(row) = self.snapshot.hosts.iter().position(|h| h.host.id == *asset) {
            self.uncover(row);
            self.list_mut(PaneKind::Hosts).select_row(row);
        }
    }

    /// What was read over the screen before is closed.
    pub fn go(&mut self, screen: ScreenId) {
        self.overlays.retain(|overlay| !overlay.is_read());
        self.screen = screen;
        self.zoom = false;
        if !self.shows(self.focus) {
            self.focus = self.first_pane();
        }
    }

    /// The pane that a screen begins with: its own, else the first.
    pub(in crate::ui) fn first_pane(&self) -> PaneKind {
        layouts::needed(self.screen).first().or(self.panes().first()).copied().unwrap_or(self.focus)
    }

    /// `:layout` with what stands behind it.
    pub(in crate::ui) fn layout_command(&mut self, name: &str) {
        if name.is_empty() {
            let names: Vec<&str> = self.layouts.names().collect();
            let words = format!("this is {}; there are {}", self.layouts.name(), names.join(", "));
            self.say(MessageWeight::Note, words);
            return;
        }
        match self.layouts.choose(name) {
            Ok(()) => self.laid_out(),
            Err(words) => self.say(MessageWeight::Warning, words),
        }
    }

    /// The next layout that this screen has.
    pub(super) fn next_layout(&mut self) {
        if self.layouts.choose_next(self.screen) {
            self.laid_out();
        } else {
            self.say(
                MessageWeight::Note,
                "this screen has one layout only; [[ui.layout]] in the configuration adds others",
            );
        }
    }

    fn laid_out(&mut self) {
        self.zoom = false;
        if !self.shows(self.focus) {
            self.focus = self.first_pane();
        }
        // The detail at the side may have come or gone.
        self.resize_sessions();
        let words = format!("layout {}", self.layouts.name());
        self.say(MessageWeight::Note, words);
    }

    /// Shows an object: selects it where it stands and opens its detail.
    pub fn reveal(&mut self, asset: &AssetId) {
        if let Some(row) = self.snapshot.hosts.iter().position(|h| h.host.id == *asset) {
            self.go(ScreenId::Hosts);
            self.focus = PaneKind::Hosts;
            self.settle();
            self.uncover(row);
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

    /// The object of that name or key, without regard to case.
    pub fn find(&self, name: &str) -> Option<AssetId> {
        let hosts = self.snapshot.hosts.iter().map(|h| (&h.host.id, &h.host.name));
        let jobs = self.snapshot.jobs.iter().map(|j| (&j.job.id, &j.job.name));
        hosts.chain(jobs).find(|(id, n)| n.eq_ignore_ascii_case(name) || id.as_str() == name).map(|(id, _)| id.clone())
    }
}
