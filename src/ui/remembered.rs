//! What a console goes on with that ended before: where it was, how its lists were narrowed and sorted, what was selected and
//! what was typed. Plain words, so that another version can read what it knows and leave the rest.

use std::sync::Arc;

use super::app::App;
use super::columns::{Choice, Column, Sort};
use super::filter::Filter;
use super::grouping::GroupBy;
use super::panes::{self, PaneKind, ScreenId};
use super::sorting::{By, Order, unway, way};

/// Commands that are kept, and as many filters.
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
    pub backups_by: String,
    pub incident_by: String,
    pub log_by: String,
    pub devices_by: String,
    pub ports_by: String,
    /// Columns of the port table that are left out.
    pub hidden: Vec<String>,
    pub group_by: String,
    pub layout: String,
    /// The groups that were open.
    pub opened: Vec<String>,
    /// The list that had the focus, and what was selected in it, as deeds call it: `db01`, `sw1/Gi1/0/7`.
    pub pane: String,
    pub selected: String,
    /// The device that was selected beside it, where its ports are listed.
    pub device: String,
    pub history: Vec<String>,
    pub filters: Vec<String>,
}

impl App {
    pub fn remember(&self) -> Remembered {
        let order = |kind| {
            let Order { by, reversed } = self.order_of(kind);
            way(by.name(), reversed)
        };
        let last = |typed: &[String]| typed[typed.len().saturating_sub(HISTORY)..].to_vec();
        let pane = KEPT.iter().find(|(kind, _)| *kind == self.focus);
        let device = self.list(PaneKind::Devices).row().filter(|_| self.focus == PaneKind::Ports);
        Remembered {
            screen: self.screen.word(),
            zoom: self.zoom,
            problems_only: self.problems_only,
            filter: self.filter.text.clone(),
            hosts_by: order(PaneKind::Hosts),
            problems_by: order(PaneKind::Problems),
            backups_by: order(PaneKind::Backups),
            incident_by: order(PaneKind::Incident),
            log_by: order(PaneKind::Log),
            devices_by: order(PaneKind::Devices),
            ports_by: way(self.columns.sort.column.name(), self.columns.sort.reversed),
            hidden: self.columns.hidden.iter().map(|column| column.name().to_owned()).collect(),
            group_by: self.grouping.by().name().to_owned(),
            opened: self.grouping.opened(),
            layout: self.layouts.name().to_owned(),
            pane: pane.map_or("", |(_, name)| name).to_owned(),
            selected: pane.and_then(|(kind, _)| self.label(*kind, self.list(*kind).row()?)).unwrap_or_default(),
            device: device.and_then(|row| self.label(PaneKind::Devices, row)).unwrap_or_default(),
            history: last(&self.history),
            filters: last(&self.filters),
        }
    }

    /// Goes on where another ended; what is not known any more is left out. `place` is false where somebody said where to go.
    pub fn recall(&mut self, remembered: Remembered, place: bool) {
        let Remembered { screen, zoom, problems_only, filter, hosts_by, problems_by, .. } = remembered;
        let ports_by = remembered.ports_by;
        let lists = [
            (PaneKind::Hosts, hosts_by),
            (PaneKind::Problems, problems_by),
            (PaneKind::Backups, remembered.backups_by),
            (PaneKind::Incident, remembered.incident_by),
            (PaneKind::Log, remembered.log_by),
            (PaneKind::Devices, remembered.devices_by),
        ];
        for (kind, said) in lists {
            let (name, reversed) = unway(&said);
            if let Some(by) = By::of(kind).iter().find(|by| by.name() == name) {
                *self.orders.of_mut(kind) = Order { by: *by, reversed };
            }
        }
        let (name, reversed) = unway(&ports_by);
        let sort = Column::named(name).map_or_else(Sort::default, |column| Sort { column, reversed });
        let hidden = remembered.hidden.iter().filter_map(|name| Column::named(name));
        self.columns = Choice { hidden: hidden.filter(|column| !column.is_fixed()).collect(), sort };
        if let Some(by) = GroupBy::named(&remembered.group_by) {
            self.group_hosts_with(by, remembered.opened.into_iter().map(Arc::from).collect());
        }
        self.history = remembered.history;
        self.filters = remembered.filters;
        // One that is not there any more is as if none had been chosen.
        let _ = self.layouts.choose(&remembered.layout);
        if !place {
            return;
        }
        if let Some(id) = ScreenId::lasting().find(|id| id.word() == screen) {
            self.go(id);
        }
        self.zoom = zoom;
        self.problems_only = problems_only;
        self.set_filter(Filter::parse(&filter));
        let pane = KEPT.iter().find(|(kind, name)| *name == remembered.pane && self.shows(*kind));
        if let Some((kind, _)) = pane {
            self.focus = *kind;
            self.recalled = [(PaneKind::Devices, remembered.device), (*kind, remembered.selected)]
                .into_iter()
                .filter(|(_, label)| !label.is_empty())
                .collect();
        }
    }

    /// Selects what was selected, once it is there; what never comes is forgotten when the operator has moved.
    pub(super) fn select_recalled(&mut self) {
        while let Some((kind, label)) = self.recalled.pop_front() {
            if !self.shows(kind) || self.list(kind).selected > 0 {
                continue;
            }
            let order = panes::order(self, kind);
            match order.iter().copied().find(|row| self.label(kind, *row).as_ref() == Some(&label)) {
                Some(row) => {
                    self.list_mut(kind).order = order;
                    self.list_mut(kind).select_row(row);
                    // The ports of a device are listed once it is selected.
                    self.settle();
                }
                None if self.is_still_coming(kind) => {
                    self.recalled.push_front((kind, label));
                    return;
                }
                None => {}
            }
        }
    }

    /// Rows of a list may come that are not there yet.
    fn is_still_coming(&self, kind: PaneKind) -> bool {
        let snapshot = &self.snapshot;
        let nothing = match kind {
            PaneKind::Devices | PaneKind::Ports => snapshot.devices.is_empty(),
            PaneKind::Problems => snapshot.problems.is_empty(),
            _ => snapshot.hosts.is_empty(),
        };
        snapshot.engine.discovering || !snapshot.awaited.is_nothing() || nothing
    }

    /// What a row is about, as deeds call it.
    fn label(&self, kind: PaneKind, row: usize) -> Option<String> {
        Some(panes::target(self, kind, row)?.label().json_text())
    }
}

/// Lists whose rows are the same things in the next life.
const KEPT: [(PaneKind, &str); 5] = [
    (PaneKind::Problems, "problems"),
    (PaneKind::Hosts, "hosts"),
    (PaneKind::Devices, "devices"),
    (PaneKind::Ports, "ports"),
    (PaneKind::Backups, "backups"),
];
