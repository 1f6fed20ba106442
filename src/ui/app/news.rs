//! Taking a new snapshot: what was selected stays selected.

use std::collections::HashMap;
use std::sync::Arc;

use super::App;
use crate::model::{AssetId, PortKey, Target};
use crate::state::snapshot::ProblemKind;
use crate::state::{DeviceView, Snapshot};
use crate::ui::panes::{self, PaneKind};
use crate::ui::parts::Parts;
use crate::ui::port::Seen;

impl App {
    /// Takes a new snapshot; what was selected stays selected wherever it stands now.
    pub(super) fn replace(&mut self, snapshot: Arc<Snapshot>) {
        let same = panes::same_inventory(&self.snapshot, &snapshot);
        let before = self.device().cloned();
        let gathered = (!same && self.grouping.is_on() && self.list(PaneKind::Hosts).selected > 0)
            .then(|| panes::selected(self, PaneKind::Hosts))
            .flatten();
        let old = std::mem::replace(&mut self.snapshot, snapshot);
        self.fresh = None;
        if !same || !panes::same_cover(&old, &self.snapshot) {
            self.hosts_have = panes::HostsHave::of(&self.snapshot);
        }
        self.parts = Parts::of(&self.snapshot);
        self.count_groups();
        for kind in [PaneKind::Problems, PaneKind::Hosts, PaneKind::Devices, PaneKind::Backups] {
            // Problems are a new list each time; the others keep their rows while the inventory does.
            // A gathered list has rows that are no objects.
            if kind == PaneKind::Hosts && self.grouping.is_on() {
                continue;
            }
            if self.list(kind).selected > 0 && (!same || kind == PaneKind::Problems) {
                let new = self.snapshot.clone();
                let rows: HashMap<Identity<'_>, usize> =
                    (0..).map_while(|row| Some((Identity::of(&new, kind, row)?, row))).collect();
                let now = |row| Identity::of(&old, kind, row).and_then(|identity| rows.get(&identity)).copied();
                self.list_mut(kind).renumber(now);
            }
        }
        if let Some(host) = gathered {
            let order = panes::order(self, PaneKind::Hosts);
            let at =
                order.iter().position(|row| panes::selected_row(self, PaneKind::Hosts, *row).as_ref() == Some(&host));
            self.list_mut(PaneKind::Hosts).order = order;
            if let Some(row) = at.and_then(|at| self.list(PaneKind::Hosts).order.get(at)).copied() {
                self.list_mut(PaneKind::Hosts).select_row(row);
            }
        }
        self.renumber_ports(before.as_deref());
        self.trails.take(&self.snapshot);
    }

    /// Rows of the port table are rows of one walk: after the next one each port keeps its place in the list, wherever its row
    /// has gone.
    fn renumber_ports(&mut self, before: Option<&DeviceView>) {
        let (Some(before), Some(now)) = (before, self.device().cloned()) else { return };
        let is_same = |row: usize| {
            let (old, new) = (before.table.ports.get(row), now.table.ports.get(row));
            matches!((old, new), (Some(old), Some(new)) if old.index == new.index && old.label() == new.label())
        };
        if Arc::ptr_eq(&before.table, &now.table) || (0..before.ports.len().max(now.ports.len())).all(is_same) {
            return;
        }
        let rows: HashMap<PortKey, usize> = Seen::all(&now).map(|seen| (seen.key(), seen.row())).collect();
        let moved: HashMap<usize, usize> =
            Seen::all(before).filter_map(|seen| Some((seen.row(), *rows.get(&seen.key())?))).collect();
        self.list_mut(PaneKind::Ports).renumber(|row| moved.get(&row).copied());
    }
}

/// What a row is about, whatever its number.
#[derive(PartialEq, Eq, Hash)]
enum Identity<'a> {
    Problem(&'a Target, bool),
    Asset(&'a AssetId),
}

impl<'a> Identity<'a> {
    fn of(snapshot: &'a Snapshot, kind: PaneKind, row: usize) -> Option<Self> {
        match kind {
            PaneKind::Problems => {
                let problem = snapshot.problem(row)?;
                Some(Self::Problem(&problem.target, problem.kind == ProblemKind::Console))
            }
            PaneKind::Hosts => snapshot.hosts.get(row).map(|view| Self::Asset(&view.host.id)),
            PaneKind::Devices => snapshot.devices.get(row).map(|view| Self::Asset(&view.host.id)),
            PaneKind::Backups => snapshot.jobs.get(row).map(|view| Self::Asset(&view.job.id)),
            PaneKind::Ports | PaneKind::Incident | PaneKind::Sessions | PaneKind::Log => None,
        }
    }
}
