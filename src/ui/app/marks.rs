//! Marked rows, and what is done to all of them at once. A mark is on what a row is about, not on its place: it survives sorting,
//! filters and other screens. What a deed could not do is said by name.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::App;
use crate::base::units;
use crate::bus::{Command, MessageWeight, Ticket};
use crate::model::{AssetId, Target};
use crate::ui::action::Action;
use crate::ui::clipboard;
use crate::ui::overlays::Overlay;
use crate::ui::panes::{self, PaneKind, Selected};

/// Places in the lane of commands that are left to the operator meanwhile.
const LEFT: usize = 16;
/// Answers that are waited for at a time.
const UNDER_WAY: usize = 32;
/// Names that a line has before it counts the rest.
const NAMES: usize = 4;

/// What is marked, in the order it was.
#[derive(Debug, Default)]
pub struct Marks {
    all: Vec<Target>,
    set: HashSet<Target>,
    /// The panes of the screen that show a marked row.
    panes: Vec<PaneKind>,
    /// How many the screen does not show.
    pub unseen: usize,
    /// The note of claims that were not saved; what they were for is marked again.
    note: String,
}

impl Marks {
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn count(&self) -> usize {
        self.all.len()
    }

    pub fn has(&self, target: &Target) -> bool {
        self.set.contains(target)
    }

    /// Whether a pane has a column for marks.
    pub fn are_in(&self, kind: PaneKind) -> bool {
        self.panes.contains(&kind)
    }

    fn add(&mut self, target: Target) {
        if self.set.insert(target.clone()) {
            self.all.push(target);
        }
    }

    fn remove(&mut self, target: &Target) {
        self.set.remove(target);
        self.all.retain(|marked| marked != target);
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    /// Marks all of these; where all are marked, none of them any more.
    pub fn turn(&mut self, targets: Vec<Target>) {
        if targets.iter().all(|target| self.has(target)) {
            let targets: HashSet<&Target> = targets.iter().collect();
            self.all.retain(|target| !targets.contains(target));
            self.set.retain(|target| !targets.contains(target));
        } else {
            for target in targets {
                self.add(target);
            }
        }
    }
}

/// One step of a deed: whom it concerns, the answer that it waits for, and what is sent.
pub type Step = (String, Option<Ticket>, Command);

/// A deed on many that is under way.
#[derive(Debug)]
pub struct Work {
    what: &'static str,
    all: usize,
    steps: VecDeque<Step>,
    waits: Vec<(Ticket, String, Option<Unsaved>)>,
    not: Vec<String>,
    unsaved: Vec<Unsaved>,
}

/// A claim that is on its way: what it is for, and its note.
type Unsaved = (Target, String);

impl Work {
    pub fn words(&self) -> String {
        let left = self.steps.len() + self.waits.len();
        format!("{} of {} {}", self.all - left, self.all, self.what)
    }

    pub fn is_waiting_for_room(&self) -> bool {
        !self.steps.is_empty()
    }
}

impl App {
    /// Whether a key that acts on a row acts on all that are marked.
    pub(super) fn acts_on_marks(&self) -> bool {
        !self.marks.is_empty() && self.overlays.is_empty()
    }

    pub(super) fn mark(&mut self) {
        let kind = self.focus;
        if self.mark_head() {
            self.list_mut(kind).move_by(1);
            return;
        }
        let row = self.list(kind).row();
        let Some(target) = row.and_then(|row| panes::target(self, kind, row)) else {
            self.say(MessageWeight::Note, "problems, hosts, devices, ports and backups can be marked");
            return;
        };
        if self.marks.has(&target) {
            self.marks.remove(&target);
        } else {
            self.marks.add(target);
        }
        self.list_mut(kind).move_by(1);
    }

    /// From the row that was marked last to the cursor.
    pub(super) fn mark_range(&mut self) {
        let kind = self.focus;
        let list = self.list(kind);
        let last = self.marks.all.last();
        let from = list.order.iter().position(|row| panes::target(self, kind, *row).as_ref() == last);
        let Some(from) = from.filter(|_| last.is_some()) else {
            self.say(MessageWeight::Note, "mark a row of this list first: this marks from there to the cursor");
            return;
        };
        let range = from.min(list.selected)..=from.max(list.selected);
        let rows = list.order.get(range).map(<[usize]>::to_vec).unwrap_or_default();
        for row in rows {
            if let Some(target) = panes::target(self, kind, row) {
                self.marks.add(target);
            }
        }
    }

    /// All that the list shows; again, none of them.
    pub(super) fn mark_all(&mut self) {
        let kind = self.focus;
        let shown: Vec<Target> =
            self.list(kind).order.iter().filter_map(|row| panes::target(self, kind, *row)).collect();
        self.marks.turn(shown);
    }

    /// True where there were marks.
    pub(super) fn clear_marks(&mut self) -> bool {
        let any = !self.marks.is_empty();
        self.marks.clear();
        any
    }

    /// Which panes show a mark, and how many marks none of them shows.
    pub(super) fn look_for_marks(&mut self) {
        let mut seen = HashSet::new();
        let mut shown = Vec::new();
        if !self.marks.is_empty() {
            for kind in self.panes() {
                let here = self.list(*kind).order.iter().filter_map(|row| panes::target(self, *kind, *row));
                let before = shown.len();
                for target in here.filter(|target| self.marks.has(target)) {
                    if shown.len() == before {
                        shown.push(*kind);
                    }
                    seen.insert(target);
                }
            }
        }
        self.marks.unseen = self.marks.count() - seen.len();
        self.marks.panes = shown;
    }

    pub(super) fn claim_marked(&mut self) {
        let all = self.snapshot.problems.iter().chain(&*self.snapshot.consequences);
        let problems: HashSet<&Target> =
            all.filter(|problem| problem.condition.is_problem()).map(|problem| &problem.target).collect();
        let (can, not): (Vec<Target>, Vec<Target>) = self
            .marks
            .all
            .iter()
            .cloned()
            .partition(|target| problems.contains(target) || self.snapshot.acks.contains_key(target));
        let not = not.iter().map(|target| format!("{} (no problem)", target.label().line())).collect();
        if let Some(not) = self.nobody(can.is_empty(), not) {
            let note = self.marks.note.clone();
            self.overlays.push(Overlay::claim_all(can, not, &note));
        }
    }

    pub(super) fn maintain_marked(&mut self) {
        let assets = self.marked_assets();
        self.overlays.push(Overlay::maintain_all(assets));
    }

    pub(super) fn release_marked(&mut self) {
        let (mut steps, mut not, mut windows) = (Vec::new(), Vec::new(), HashSet::new());
        let hosts = self.snapshot.hosts.iter().map(|view| (&view.host.id, &view.care.maintenance));
        let jobs = self.snapshot.jobs.iter().map(|view| (&view.job.id, &view.care.maintenance));
        let open: HashMap<AssetId, Arc<str>> = hosts
            .chain(jobs)
            .filter_map(|(asset, window)| Some((asset.clone(), window.as_ref()?.maintenance.id.clone())))
            .collect();
        for target in self.marks.all.clone() {
            let label = target.label().line();
            match self.giving_back(&target, &open) {
                Ok(step) if matches!(&step.2, Command::CancelMaintenance { maintenance, .. } if !windows.insert(maintenance.clone())) =>
                    {}
                Ok(step) => steps.push(step),
                Err(why) => not.push(format!("{label} ({why})")),
            }
        }
        self.ask_for_all("given back", steps, not);
    }

    /// What gives a claim back, or else ends the maintenance.
    fn giving_back(&mut self, target: &Target, open: &HashMap<AssetId, Arc<str>>) -> Result<Step, &'static str> {
        let label = target.label().line();
        let ticket = self.ticket();
        if self.live().acks.contains_key(target) {
            return Ok((label, Some(ticket), Command::Release { ticket, target: target.clone() }));
        }
        let id = open.get(target.asset()).ok_or("nobody has it")?.clone();
        if id.starts_with("config:") {
            return Err("its window is in the configuration");
        }
        Ok((label, Some(ticket), Command::CancelMaintenance { ticket, maintenance: id }))
    }

    pub(super) fn recheck_marked(&mut self) {
        let step = |asset: AssetId| (asset.as_str().to_owned(), None, self.asking_for(asset));
        let steps = self.marked_assets().into_iter().map(step).collect();
        self.ask_for_all("asked", steps, Vec::new());
    }

    /// Hosts that are not watched yet; where all are, this ends it.
    pub(super) fn watch_marked(&mut self) {
        let known: HashSet<&AssetId> = self.snapshot.hosts.iter().map(|view| &view.host.id).collect();
        let (hosts, others): (Vec<AssetId>, Vec<AssetId>) =
            self.marked_assets().into_iter().partition(|asset| known.contains(asset));
        let watch = hosts.iter().any(|asset| self.snapshot.watch_of(asset).is_none());
        let wanted = hosts.into_iter().filter(|asset| self.snapshot.watch_of(asset).is_none() == watch);
        let steps =
            wanted.map(|asset| (asset.as_str().to_owned(), None, Command::WatchHost { asset, watch })).collect();
        let not = others.iter().map(|asset| format!("{} (no host)", asset.as_str())).collect();
        self.ask_for_all(if watch { "watched" } else { "watched no more" }, steps, not);
    }

    /// The two hosts that are marked side by side, in the order they were; of one, with the host at the cursor.
    pub(super) fn compare_marked(&mut self) {
        let mut assets = self.marked_assets();
        if let Some(other) = assets.iter().find(|asset| self.snapshot.host(asset).is_none()) {
            let words = format!("{} is no host: two hosts are compared", other.as_str());
            self.say(MessageWeight::Note, words);
            return;
        }
        if assets.len() == 1
            && let Some(Selected::Host(asset)) = self.selected()
            && asset != assets[0]
        {
            assets.push(asset);
        }
        match <[AssetId; 2]>::try_from(assets) {
            Ok(pair) => self.compare_pair(pair),
            Err(assets) => {
                let words = match assets.len() {
                    1 => "one host is marked: mark another, or go to it".to_owned(),
                    count => format!("{count} hosts are marked: two are compared"),
                };
                self.say(MessageWeight::Note, words);
            }
        }
    }

    /// The names of all that is marked, one in a line.
    pub(super) fn copy_marked(&mut self) {
        let names: Vec<String> = self.marks.all.iter().map(|target| clipboard::cell(&target.label().line())).collect();
        let what = units::counted(names.len(), "name");
        self.copy(&what, names.join("\n"));
        self.marks.clear();
    }

    /// The rows of this list that are marked; those of others stay marked.
    pub(super) fn copy_marked_rows(&mut self) {
        let kind = self.focus;
        let order = self.list(kind).order.iter();
        let marked = order.filter_map(|row| Some((*row, panes::target(self, kind, *row)?)));
        let marked: Vec<(usize, Target)> = marked.filter(|(_, target)| self.marks.has(target)).collect();
        let rows: Vec<String> = marked
            .iter()
            .filter_map(|(row, _)| panes::fields::cells(self, kind, *row))
            .map(|cells| clipboard::line(&cells))
            .collect();
        if rows.is_empty() {
            self.say(MessageWeight::Note, "this list shows nothing that is marked");
            return;
        }
        self.copy(&clipboard::rows(rows.len()), rows.join("\n"));
        for (_, target) in &marked {
            self.marks.remove(target);
        }
    }

    fn marked_assets(&self) -> Vec<AssetId> {
        let mut known = HashSet::new();
        self.marks.all.iter().map(Target::asset).filter(|asset| known.insert(*asset)).cloned().collect()
    }

    fn ask_for_all(&mut self, what: &'static str, steps: Vec<Step>, not: Vec<String>) {
        if let Some(not) = self.nobody(steps.is_empty(), not) {
            self.overlays.push(Overlay::bulk(what, steps, not));
        }
    }

    /// Says why nothing can be done, where nothing can.
    fn nobody(&mut self, is_so: bool, not: Vec<String>) -> Option<Vec<String>> {
        if is_so {
            self.say(MessageWeight::Note, format!("not {}", some(&not)));
            return None;
        }
        Some(not)
    }

    /// Whether a deed on many is under way, which is said: the next one waits where it is asked for, with all that was typed.
    pub(in crate::ui) fn is_at_work(&mut self) -> bool {
        let is_so = self.work.is_some();
        if is_so {
            self.say(MessageWeight::Warning, "one after the other: the last one is still under way; Enter tries again");
        }
        is_so
    }

    /// Begins a deed on many; the marks have done their work.
    pub(in crate::ui) fn begin_work(&mut self, what: &'static str, steps: Vec<Step>, not: Vec<String>) {
        self.marks.clear();
        let all = steps.len() + not.len();
        self.work = Some(Work { what, all, steps: steps.into(), waits: Vec::new(), not, unsaved: Vec::new() });
        self.go_on();
    }

    /// Sends what there is room for, and tells the end.
    pub(super) fn go_on(&mut self) {
        let Some(mut work) = self.work.take() else { return };
        while self.commands.capacity() > LEFT && work.waits.len() < UNDER_WAY {
            let Some((name, ticket, command)) = work.steps.pop_front() else { break };
            let claim = claimed(&command);
            match (self.commands.try_send(command), ticket) {
                (Ok(()), Some(ticket)) => work.waits.push((ticket, name, claim)),
                (Ok(()), None) => {}
                (Err(_), _) => {
                    work.not.push(format!("{name} (the engine does not answer)"));
                    work.unsaved.extend(claim);
                }
            }
        }
        if !work.steps.is_empty() || !work.waits.is_empty() {
            if self.commands.is_closed() {
                for (name, _, command) in work.steps.drain(..) {
                    work.not.push(format!("{name} (the engine is gone)"));
                    work.unsaved.extend(claimed(&command));
                }
            }
            self.work = Some(work);
            return;
        }
        let done = work.all - work.not.len();
        if work.not.is_empty() {
            self.say(MessageWeight::Note, format!("{done} {}", work.what));
            return;
        }
        // Each by its name in the log; as many as there is room for in the line.
        if work.not.len() > NAMES {
            for name in &work.not {
                self.say(MessageWeight::Warning, format!("not {}: {name}", work.what));
            }
        }
        let again = if work.unsaved.is_empty() {
            String::new()
        } else {
            format!(", {} tries again with the note", self.key_of(Action::Claim))
        };
        self.say(
            MessageWeight::Warning,
            format!("{done} of {} {}{again}; not {}", work.all, work.what, some(&work.not)),
        );
        for (target, note) in work.unsaved {
            self.marks.add(target);
            self.marks.note = note;
        }
    }

    /// An answer to one step; false where it was for somebody else.
    pub(super) fn step_answered(&mut self, ticket: Ticket, failure: Option<&str>) -> bool {
        let Some(work) = &mut self.work else { return false };
        let Some(at) = work.waits.iter().position(|(waits, ..)| *waits == ticket) else { return false };
        let (_, name, claim) = work.waits.swap_remove(at);
        if let Some(why) = failure {
            work.not.push(format!("{name} ({why})"));
            work.unsaved.extend(claim);
        }
        self.go_on();
        true
    }
}

/// What must not be lost with a claim that is not saved.
fn claimed(command: &Command) -> Option<Unsaved> {
    match command {
        Command::Claim { target, note, .. } => Some((target.clone(), note.clone())),
        _ => None,
    }
}

/// The first names, and how many more there are.
pub fn some(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMES);
    let first = names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{first} and {more} more") } else { first }
}
