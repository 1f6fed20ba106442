//! Rows that are marked: what a key does to the selected row, it then does to all of them. They are known by what they are, so
//! they stay marked through sorting, filters and new snapshots; what has gone is not marked any more.

use std::collections::BTreeSet;

use super::app::App;
use super::panes::{PaneKind, Selected, selected_row};
use crate::bus::MessageWeight;
use crate::model::{AssetId, Target};

/// What is marked, list by list.
#[derive(Debug, Default)]
pub struct Marks {
    of: [BTreeSet<Target>; PaneKind::ALL.len()],
    /// Where the last mark was set: a range begins there.
    last: Option<(PaneKind, Target)>,
}

impl Marks {
    pub fn has(&self, kind: PaneKind, target: &Target) -> bool {
        self.of[kind.row()].contains(target)
    }

    pub fn count(&self, kind: PaneKind) -> usize {
        self.of[kind.row()].len()
    }

    /// Nothing in that list is marked any more.
    pub fn clear(&mut self, kind: PaneKind) {
        self.of[kind.row()].clear();
        self.last.take_if(|(of, _)| *of == kind);
    }
}

/// What a row of a list stands for, where it can be marked.
pub fn target(app: &App, kind: PaneKind, row: usize) -> Option<Target> {
    match kind {
        PaneKind::Problems => app.snapshot.problems.get(row).map(|problem| problem.target.clone()),
        PaneKind::Hosts | PaneKind::Devices | PaneKind::Ports | PaneKind::Backups => {
            Some(match selected_row(app, kind, row)? {
                Selected::Host(asset) => Target::Host(asset),
                Selected::Job(asset) => Target::Job(asset),
                Selected::Port(asset, key) => Target::Port(asset, key),
                Selected::Entry(_) => return None,
            })
        }
        PaneKind::Incident | PaneKind::Sessions | PaneKind::Log => None,
    }
}

impl App {
    /// Marks the selected row or takes its mark away, and goes on to the next.
    pub(super) fn toggle_mark(&mut self) {
        let kind = self.focus;
        let Some(target) = self.list(kind).row().and_then(|row| target(self, kind, row)) else {
            self.say(MessageWeight::Note, "there is nothing to mark here");
            return;
        };
        let of = &mut self.marks.of[kind.row()];
        if !of.remove(&target) {
            of.insert(target.clone());
            self.marks.last = Some((kind, target));
        }
        self.list_mut(kind).move_by(1);
    }

    /// Marks all rows from the last that was marked to the selected one.
    pub(super) fn mark_range(&mut self) {
        let kind = self.focus;
        let shown = self.shown_targets(kind);
        let here = self.list(kind).row().and_then(|row| target(self, kind, row));
        let end = here.and_then(|here| shown.iter().position(|target| *target == here));
        let begin = self.marks.last.as_ref().filter(|(of, _)| *of == kind);
        let begin = begin.and_then(|(_, last)| shown.iter().position(|target| target == last));
        let (Some(begin), Some(end)) = (begin, end) else {
            self.say(MessageWeight::Note, "mark one end first, then this marks up to the other");
            return;
        };
        let range = begin.min(end)..=begin.max(end);
        self.marks.of[kind.row()].extend(shown[range].iter().cloned());
    }

    /// Marks all rows of the list, as it is filtered; none where all are marked already.
    pub(super) fn mark_all(&mut self) {
        let kind = self.focus;
        let shown = self.shown_targets(kind);
        if shown.iter().all(|target| self.marks.has(kind, target)) {
            self.marks.clear(kind);
        } else {
            self.marks.of[kind.row()].extend(shown);
        }
    }

    /// What a deed is about: all that is marked in the list, in its order, else what is selected.
    pub(super) fn chosen(&self) -> Vec<Target> {
        let kind = self.focus;
        if self.marks.count(kind) == 0 || !self.overlays.is_empty() {
            return self.list(kind).row().and_then(|row| target(self, kind, row)).into_iter().collect();
        }
        let marked = &self.marks.of[kind.row()];
        let shown = self.shown_targets(kind);
        let seen: BTreeSet<&Target> = shown.iter().collect();
        // What a filter hides stays marked: it is not forgotten, and comes last.
        let hidden = marked.iter().filter(|target| !seen.contains(target)).cloned();
        shown.iter().filter(|target| marked.contains(target)).cloned().chain(hidden).collect()
    }

    /// The objects of what is chosen, each once.
    pub(super) fn chosen_assets(&self) -> Vec<AssetId> {
        let mut known = BTreeSet::new();
        let assets = self.chosen().into_iter().map(|target| target.asset().clone());
        assets.filter(|asset| known.insert(asset.clone())).collect()
    }

    /// Takes the marks away from what is not there any more.
    pub(super) fn forget_gone_marks(&mut self) {
        for kind in PaneKind::ALL {
            if self.marks.count(kind) == 0 {
                continue;
            }
            let there: BTreeSet<Target> = match kind {
                PaneKind::Problems => self.snapshot.problems.iter().map(|problem| problem.target.clone()).collect(),
                PaneKind::Hosts => self.snapshot.hosts.iter().map(|view| Target::Host(view.host.id.clone())).collect(),
                PaneKind::Devices => {
                    self.snapshot.devices.iter().map(|view| Target::Host(view.host.id.clone())).collect()
                }
                PaneKind::Backups => self.snapshot.jobs.iter().map(|view| Target::Job(view.job.id.clone())).collect(),
                // A port that is gone is still said to be so; of a device that is gone nothing is.
                PaneKind::Ports => {
                    let devices: BTreeSet<&AssetId> = self.snapshot.devices.iter().map(|view| &view.host.id).collect();
                    let ports = self.marks.of[kind.row()].iter();
                    ports.filter(|port| devices.contains(port.asset())).cloned().collect()
                }
                PaneKind::Incident | PaneKind::Sessions | PaneKind::Log => BTreeSet::new(),
            };
            self.marks.of[kind.row()].retain(|target| there.contains(target));
        }
    }

    fn shown_targets(&self, kind: PaneKind) -> Vec<Target> {
        self.list(kind).order.iter().filter_map(|row| target(self, kind, *row)).collect()
    }
}

/// How many there are, and which first: `3: db01, db02, db03`.
pub fn named(targets: &[Target]) -> String {
    const FIRST: usize = 4;
    let mut names: Vec<String> = targets.iter().take(FIRST).map(|target| target.label().line()).collect();
    if targets.len() > FIRST {
        names.push(format!("{} more", targets.len() - FIRST));
    }
    format!("{}: {}", targets.len(), names.join(", "))
}
