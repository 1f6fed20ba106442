//! Taking a new snapshot: what was selected stays selected.

use std::collections::HashMap;
use std::sync::Arc;

use super::App;
use crate::model::PortKey;
use crate::state::{DeviceView, Snapshot};
use crate::ui::panes::{self, PaneKind};
use crate::ui::port::Seen;

impl App {
    /// Takes a new snapshot; what was selected stays selected wherever it stands now.
    pub(super) fn replace(&mut self, snapshot: Arc<Snapshot>) {
        let same = panes::same_inventory(&self.snapshot, &snapshot);
        let on =
            PaneKind::ALL.map(|kind| (self.list(kind).selected > 0).then(|| panes::selected(self, kind)).flatten());
        let before = self.device().cloned();
        self.snapshot = snapshot;
        self.fresh = None;
        if !same {
            self.hosts_have = panes::HostsHave::of(&self.snapshot);
        }
        self.count_groups();
        for (kind, on) in PaneKind::ALL.into_iter().zip(on) {
            // Problems and entries are new lists each time; the others keep their rows while the inventory does.
            let renumbered = !same || matches!(kind, PaneKind::Problems);
            let Some(on) = on.filter(|_| renumbered && kind != PaneKind::Ports) else { continue };
            let order = panes::order(self, kind);
            let at = order.iter().position(|row| panes::selected_row(self, kind, *row).as_ref() == Some(&on));
            let list = self.list_mut(kind);
            list.order = order;
            list.selected = at.unwrap_or(list.selected).min(list.order.len().saturating_sub(1));
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
        let list = self.list_mut(PaneKind::Ports);
        let selected = list.row().and_then(|row| moved.get(&row)).copied();
        list.order = list.order.iter().filter_map(|row| moved.get(row)).copied().collect();
        list.selected = list.selected.min(list.order.len().saturating_sub(1));
        if let Some(row) = selected {
            list.select_row(row);
        }
    }
}
