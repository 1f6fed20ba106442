//! What a console goes on with that ended before: where it was, how its lists were narrowed and sorted, what was selected and
//! what was typed. Plain words, so that another version can read what it knows and leave the rest.

use super::app::App;
use super::columns::{Choice, Column, Sort};
use super::filter::Filter;
use super::grouping::GroupBy;
use super::panes::{self, PaneKind, ScreenId, Selected};
use super::sorting::{By, Order};
use crate::model::AssetId;

/// Commands that are kept.
const HISTORY: usize = 50;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// As the header names it, in small letters.
    pub screen: String,
    pub zoom: bool,
    pub problems_only: bool,
    pub filter: String,
    /// `name`, or `-name` the other way round.
    pub hosts_by: String,
    pub problems_by: String,
    pub ports_by: String,
    /// Columns of the port table that are left out.
    pub hidden: Vec<String>,
    pub group_by: String,
    /// The host, device or backup that was selected.
    pub selected: String,
    pub history: Vec<String>,
}

impl App {
    pub fn remember(&self) -> Remembered {
        let screen = ScreenId::ALL.iter().find(|(id, ..)| *id == self.screen).map_or("", |(_, _, name)| name);
        let order = |kind| {
            let Order { by, reversed } = self.order_of(kind);
            way(by.name(), reversed)
        };
        let group = GroupBy::NAMES.iter().find(|(_, by)| *by == self.grouping.by()).map_or("", |(name, _)| name);
        let typed = self.history.len().saturating_sub(HISTORY);
        let selected = if is_kept(self.focus) { self.selected().and_then(Selected::asset) } else { None };
        Remembered {
            screen: screen.to_lowercase(),
            zoom: self.zoom,
            problems_only: self.problems_only,
            filter: self.filter.text.clone(),
            hosts_by: order(PaneKind::Hosts),
            problems_by: order(PaneKind::Problems),
            ports_by: way(self.columns.sort.column.name(), self.columns.sort.reversed),
            hidden: self.columns.hidden.iter().map(|column| column.name().to_owned()).collect(),
            group_by: group.to_owned(),
            selected: selected.map(|asset| asset.as_str().to_owned()).unwrap_or_default(),
            history: self.history[typed..].to_vec(),
        }
    }

    /// Goes on where another ended; what is not known any more is left out. `place` is false where somebody said where to go.
    pub fn recall(&mut self, remembered: Remembered, place: bool) {
        let Remembered { screen, zoom, problems_only, filter, hosts_by, problems_by, ports_by, .. } = remembered;
        for (kind, said) in [(PaneKind::Hosts, hosts_by), (PaneKind::Problems, problems_by)] {
            let (name, reversed) = unway(&said);
            if let Some(by) = By::of(kind).iter().find(|by| by.name() == name) {
                self.orders[usize::from(kind == PaneKind::Problems)] = Order { by: *by, reversed };
            }
        }
        let (name, reversed) = unway(&ports_by);
        let sort = Column::named(name).map_or_else(Sort::default, |column| Sort { column, reversed });
        let hidden = remembered.hidden.iter().filter_map(|name| Column::named(name));
        self.columns = Choice { hidden: hidden.filter(|column| !column.is_fixed()).collect(), sort };
        if let Some(by) = GroupBy::named(&remembered.group_by) {
            self.group_hosts(by);
        }
        self.history = remembered.history;
        if !place {
            return;
        }
        let known = ScreenId::ALL.iter().find(|(_, _, name)| name.to_lowercase() == screen);
        // Sessions end with their console.
        if let Some((id, ..)) = known.filter(|(id, ..)| *id != ScreenId::Sessions) {
            self.go(*id);
        }
        self.zoom = zoom;
        self.problems_only = problems_only;
        self.set_filter(Filter::parse(&filter));
        if is_kept(self.focus) && !remembered.selected.is_empty() {
            self.recalled = Some((self.focus, AssetId::new(&remembered.selected)));
        }
    }

    /// Selects what was selected, once it is there; what never comes is forgotten when the operator has moved.
    pub(super) fn select_recalled(&mut self) {
        let Some((kind, asset)) = self.recalled.take() else { return };
        if self.focus != kind || self.list(kind).selected > 0 {
            return;
        }
        let order = panes::order(self, kind);
        let is_it =
            |row: &usize| panes::selected_row(self, kind, *row).and_then(Selected::asset).as_ref() == Some(&asset);
        match order.iter().copied().find(is_it) {
            Some(row) => {
                self.list_mut(kind).order = order;
                self.list_mut(kind).select_row(row);
            }
            None if self.snapshot.engine.discovering || self.snapshot.hosts.is_empty() => {
                self.recalled = Some((kind, asset));
            }
            None => {}
        }
    }
}

/// Lists whose rows are the same things in the next life.
fn is_kept(kind: PaneKind) -> bool {
    matches!(kind, PaneKind::Hosts | PaneKind::Devices | PaneKind::Backups)
}

fn way(name: &str, reversed: bool) -> String {
    format!("{}{name}", if reversed { "-" } else { "" })
}

fn unway(said: &str) -> (&str, bool) {
    said.strip_prefix('-').map_or((said, false), |name| (name, true))
}
