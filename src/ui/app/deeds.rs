//! What an action does.

use super::{App, Asking};
use crate::bus::{Command, MessageWeight};
use crate::model::{AssetId, EntryKind, Role, Target};
use crate::state::Mode;
use crate::ui::action::Action;
use crate::ui::chrome;
use crate::ui::commands;
use crate::ui::filter::Filter;
use crate::ui::line::Line;
use crate::ui::list::List;
use crate::ui::overlays::Overlay;
use crate::ui::panes::{self, PaneKind, ScreenId, Selected};
use crate::ui::run::Exit;
use crate::ui::sorting::By;
use crate::ui::tour::Wish;

impl App {
    pub fn act(&mut self, action: Action) {
        // Before a form is filled in that nobody would take.
        if self.allows(action.needs()) {
            self.carry_out(action);
        }
    }

    fn carry_out(&mut self, action: Action) {
        let page = panes::layout(self, chrome::body(self, self.size))
            .into_iter()
            .find(|(kind, _)| *kind == self.focus)
            .map_or(1, |(kind, area)| panes::rows(self, kind, area).height.max(1));
        let page = isize::try_from(page).unwrap_or(1);
        // On the head of a site or group, a deed is for all below it.
        let is_for_all =
            matches!(action, Action::Watch | Action::Recheck | Action::Claim | Action::Release | Action::CopyRow);
        if is_for_all && self.marks.is_empty() && self.overlays.is_empty() {
            self.mark_head();
        }
        match action {
            Action::Overview => self.turn_to(ScreenId::Overview),
            Action::Hosts => self.turn_to(ScreenId::Hosts),
            Action::Ports => self.turn_to(ScreenId::Ports),
            Action::Backups => self.turn_to(ScreenId::Backups),
            Action::Incident => self.turn_to(ScreenId::Incident),
            Action::Sessions => {
                self.turn_to(ScreenId::Sessions);
                self.refresh_sessions();
            }
            Action::Log => self.turn_to(ScreenId::Log),
            Action::Wall => self.raise_wall(),
            Action::NextPane => self.turn(1),
            Action::PreviousPane => self.turn(-1),
            Action::Zoom => self.toggle_zoom(),
            Action::Help => self.overlays.push(Overlay::help()),
            Action::CommandLine => self.asking = Some((Asking::Command, Line::default())),
            Action::Filter => self.asking = Some((Asking::Filter, Line::with(&self.filter.text))),
            Action::Palette => self.overlays.push(Overlay::palette()),
            Action::Back => self.back(),
            Action::Quit => self.overlays.push(Overlay::Quit),
            Action::Cancel => self.cancel(),
            Action::Suspend => self.set_exit(Exit::Suspend),
            Action::Redraw => self.set_exit(Exit::Redraw),
            Action::Down => self.move_by(1),
            Action::Up => self.move_by(-1),
            Action::Top => self.move_by(isize::MIN / 2),
            Action::Bottom => self.move_by(isize::MAX / 2),
            Action::HalfPageDown => self.move_by((page / 2).max(1)),
            Action::HalfPageUp => self.move_by(-(page / 2).max(1)),
            Action::PageDown => self.move_by(page),
            Action::PageUp => self.move_by(-page),
            Action::Left => self.move_beside(-1),
            Action::Right => self.move_beside(1),
            Action::Columns => self.choose_order(),
            Action::SortNext => self.sort_beside(1),
            Action::SortPrevious => self.sort_beside(-1),
            Action::Mark => self.mark(),
            Action::MarkRange => self.mark_range(),
            Action::MarkAll => self.mark_all(),
            Action::Watch if self.acts_on_marks() => self.watch_marked(),
            Action::Copy if self.acts_on_marks() => self.copy_marked(),
            Action::CopyRow if self.acts_on_marks() => self.copy_marked_rows(),
            Action::Recheck if self.acts_on_marks() => self.recheck_marked(),
            Action::Claim if self.acts_on_marks() => self.claim_marked(),
            Action::Release if self.acts_on_marks() => self.release_marked(),
            Action::Maintain if self.acts_on_marks() => self.maintain_marked(),
            Action::Compare if self.acts_on_marks() => self.compare_marked(),
            Action::Watch => self.toggle_watch(),
            Action::Follow => self.follow(),
            Action::LastPlace => self.last_place(),
            Action::NextPlace => self.next_place(),
            Action::Compare => self.compare(),
            Action::Open => self.open_selected(),
            Action::History => self.show_history(),
            Action::Runbook => self.open_runbook(),
            Action::Shell => commands::shell(self, None),
            Action::EndSession => self.end_session(),
            Action::Copy => self.copy_name(),
            Action::CopyRow => self.copy_row(),
            Action::Freeze => self.toggle_freeze(),
            Action::Resort => {
                let kind = self.focus;
                *self.list_mut(kind) = List::default();
            }
            Action::Recheck => self.recheck_selected(),
            Action::Layout => self.next_layout(),
            Action::Group => commands::group(self, self.grouping.by().next()),
            Action::ProblemsOnly => self.problems_only = !self.problems_only,
            Action::Expand => self.expand(),
            Action::Pause => {
                if self.live().engine.mode == Mode::Paused {
                    self.resume();
                } else {
                    self.pause();
                }
            }
            Action::OpenIncident => self.overlays.push(Overlay::open_incident("")),
            Action::Note => self.write(EntryKind::Note),
            Action::Decision => self.write(EntryKind::Decision),
            Action::ActionItem => self.write(EntryKind::Action),
            Action::Hypothesis => self.write(EntryKind::Hypothesis),
            Action::Claim => self.claim(),
            Action::Release => self.release(),
            Action::Maintain => self.maintain(),
            Action::TourNext => self.tour_wish = Some(Wish::Next),
            Action::TourBack => self.tour_wish = Some(Wish::Back),
            Action::TourEnd => self.tour_wish = Some(Wish::End),
        }
    }

    /// Asks for a note, and whether it is meant.
    pub(in crate::ui) fn pause(&mut self) {
        let mode = self.live().engine.mode;
        match mode {
            Mode::Polling if !self.allows(Role::Admin) => {}
            Mode::Polling => {
                let overlay = Overlay::pause(self);
                self.overlays.push(overlay);
            }
            Mode::Paused => self.say(MessageWeight::Note, "polling is paused already"),
            Mode::Passive => self.say(MessageWeight::Note, "started with --passive: nothing is ever sent"),
        }
    }

    pub(in crate::ui) fn resume(&mut self) {
        let ticket = self.ticket();
        self.send(Command::Resume { ticket });
    }

    fn toggle_zoom(&mut self) {
        // What is zoomed on another screen comes back here too.
        if self.panes().len() < 2 && chrome::side(self, self.size).is_none() && !self.zoom {
            self.say_of_one_pane();
            return;
        }
        self.zoom = !self.zoom;
    }

    fn say_of_one_pane(&mut self) {
        self.say(MessageWeight::Note, "this screen has one pane");
    }

    fn turn(&mut self, delta: isize) {
        let panes = self.panes();
        if panes.len() < 2 {
            self.say_of_one_pane();
            return;
        }
        let at = panes.iter().position(|k| *k == self.focus).unwrap_or(0);
        let next = (at.cast_signed() + delta).rem_euclid(panes.len().cast_signed());
        self.focus = panes[usize::try_from(next).unwrap_or(0)];
    }

    fn move_by(&mut self, delta: isize) {
        let kind = self.focus;
        self.list_mut(kind).move_by(delta);
    }

    /// Along the front of the device.
    fn move_beside(&mut self, delta: isize) {
        if !self.shows(PaneKind::Ports) {
            self.say(MessageWeight::Note, "left and right go along the front of a switch, where its ports are shown");
            return;
        }
        let row = self.selected_port().and_then(|seen| self.faceplate.beside(seen.row(), delta));
        if let Some(row) = row {
            self.focus = PaneKind::Ports;
            self.list_mut(PaneKind::Ports).select_row(row);
        }
    }

    /// The picker for the order of the focused list, and for the columns where it has some to choose.
    fn choose_order(&mut self) {
        let overlay = match self.focus {
            kind if !By::of(kind).is_empty() => Overlay::sort(kind, self.order_of(kind).by),
            PaneKind::Ports => Overlay::columns(self.columns.sort.column),
            _ => {
                self.say_of_one_order();
                return;
            }
        };
        self.overlays.push(overlay);
    }

    fn say_of_one_order(&mut self) {
        self.say(MessageWeight::Note, "this list has one order only");
    }

    fn sort_beside(&mut self, delta: isize) {
        if self.list(self.focus).order.is_empty() {
            if self.filter.is_empty() {
                self.say(MessageWeight::Note, "there is nothing to sort here");
                return;
            }
            self.say(MessageWeight::Note, "nothing matches the filter; the order is kept for what will");
        }
        if !By::of(self.focus).is_empty() {
            self.sort_list_beside(self.focus, delta);
            return;
        }
        if self.focus != PaneKind::Ports {
            self.say_of_one_order();
            return;
        }
        let width = panes::layout(self, chrome::body(self, self.size()))
            .into_iter()
            .find(|(kind, _)| *kind == PaneKind::Ports)
            .map_or(0, |(_, area)| area.width);
        let (shown, _) = panes::ports::fitted(self, width);
        self.columns.sort_beside(&shown, delta);
        self.sorted(PaneKind::Ports);
    }

    /// Shows what is hidden behind the selected problem, or hides it again: from there too.
    fn expand(&mut self) {
        let row = self.list(PaneKind::Problems).row().filter(|_| self.focus == PaneKind::Problems);
        let Some(problem) = row.and_then(|row| self.snapshot.problem(row)) else {
            self.say(MessageWeight::Note, "nothing is hidden here: it is behind problems, in their list");
            return;
        };
        let root = problem.behind.as_ref().map_or(&problem.target, |behind| &behind.target).clone();
        if !self.expanded.remove(&root) {
            if problem.hides == 0 {
                let words = format!("nothing is hidden behind {}", problem.title.line());
                self.say(MessageWeight::Note, words);
                return;
            }
            self.expanded.insert(root.clone());
        }
        self.sorted(PaneKind::Problems);
        if let Some(row) = self.snapshot.problems.iter().position(|problem| problem.target == root) {
            self.list_mut(PaneKind::Problems).select_row(row);
        }
    }

    /// A list takes its new order at once, and the selection stays on its row.
    pub(in crate::ui) fn sorted(&mut self, kind: PaneKind) {
        let row = self.list(kind).row();
        let order = panes::order(self, kind);
        let list = self.list_mut(kind);
        *list = List::default();
        list.reorder(order);
        if let Some(row) = row {
            list.select_row(row);
        }
    }

    fn back(&mut self) {
        if self.clear_marks() {
            return;
        }
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
        let words = format!("nothing is under way; {} or :q leaves", self.key_of(Action::Quit));
        self.say(MessageWeight::Note, words);
    }

    fn open_selected(&mut self) {
        if self.screen == ScreenId::Sessions {
            self.typing = !self.sessions.is_empty();
            if !self.typing {
                let words = format!("no session is open: {} on a host opens one", self.key_of(Action::Shell));
                self.say(MessageWeight::Note, words);
            }
            return;
        }
        if self.focus == PaneKind::Hosts && self.toggle_group() {
            return;
        }
        let Some(selected) = self.selected() else {
            self.say_nothing_is_selected();
            return;
        };
        if !self.shows(PaneKind::Ports)
            && self.focus == PaneKind::Devices
            && let Selected::Host(asset) = &selected
        {
            self.device = Some(asset.clone());
            self.go(ScreenId::Ports);
            self.focus = PaneKind::Ports;
            return;
        }
        self.list_mut(self.focus).hold();
        self.overlays.push(Overlay::detail(selected));
    }

    /// A key that acts on a row has none to act on.
    fn say_nothing_is_selected(&mut self) {
        self.say(MessageWeight::Note, "nothing is selected here");
    }

    fn recheck_selected(&mut self) {
        match self.asset_looked_at() {
            Some(asset) => self.recheck(&asset),
            None => self.say_nothing_is_selected(),
        }
    }

    pub(in crate::ui) fn recheck(&mut self, asset: &AssetId) {
        if self.send(self.asking_for(asset.clone())) {
            self.say(MessageWeight::Note, format!("asking {}", asset.as_str()));
        }
    }

    /// What asks it now, or confirms what it waits for.
    pub(super) fn asking_for(&self, asset: AssetId) -> Command {
        let check = self.snapshot.job(&asset).and_then(|job| job.check.as_ref());
        let waits = check.is_some_and(|check| check.spec.waits_for.is_some());
        if waits { Command::Confirm(asset) } else { Command::Recheck(asset) }
    }

    /// What a claim of the selected row names: the problem itself, or the object.
    fn target(&self) -> Option<Target> {
        let looked_at = self.looked_at();
        if self.focus == PaneKind::Problems
            && let Some(row) = self.list(self.focus).row()
            && panes::selected_row(self, self.focus, row) == looked_at
        {
            return panes::target(self, self.focus, row);
        }
        looked_at?.target()
    }

    fn claim(&mut self) {
        let Some(target) = self.target() else {
            self.say(MessageWeight::Note, "select what has a problem: this takes it on");
            return;
        };
        let problem = self.snapshot.problem_of(&target).is_some_and(|problem| problem.condition.is_problem());
        if problem || self.snapshot.acks.contains_key(&target) {
            let overlay = Overlay::claim(self, target);
            self.overlays.push(overlay);
        } else {
            let label = target.label().line();
            // The problem is what it hangs on.
            let words = match self.snapshot.host(target.asset()).and_then(|host| host.behind.as_ref()) {
                Some(cause) => format!("{label} is behind {cause}: that is what to claim"),
                None => format!("{label} has no problem to claim"),
            };
            self.say(MessageWeight::Note, words);
        }
    }

    fn release(&mut self) {
        let Some(target) = self.target() else {
            self.say(MessageWeight::Note, "select what you have claimed: this gives it back");
            return;
        };
        if !self.live().acks.contains_key(&target) {
            self.end_maintenance(&target);
            return;
        }
        let ticket = self.ticket();
        self.send(Command::Release { ticket, target });
    }

    fn end_maintenance(&mut self, target: &Target) {
        let asset = target.asset();
        let host = self.snapshot.host(asset).and_then(|view| view.care.maintenance.clone());
        let maintained = host.or_else(|| self.snapshot.job(asset).and_then(|view| view.care.maintenance.clone()));
        let Some(maintained) = maintained else {
            let label = target.label().line();
            self.say(MessageWeight::Note, format!("nobody has claimed {label}, and it is not in maintenance"));
            return;
        };
        let id = maintained.maintenance.id.clone();
        if id.starts_with("config:") {
            self.say(MessageWeight::Note, "that window is in the configuration: it ends there");
            return;
        }
        let ticket = self.ticket();
        self.send(Command::CancelMaintenance { ticket, maintenance: id });
    }

    fn maintain(&mut self) {
        if self.overlays.is_empty() && self.maintain_head() {
            return;
        }
        let Some(asset) = self.asset_looked_at() else {
            self.say(MessageWeight::Note, "select a host or a backup: this puts it in maintenance");
            return;
        };
        let overlay = Overlay::maintain(self, &asset);
        self.overlays.push(overlay);
    }

    /// Opens the editor for an entry, about what is selected; without an incident, one is opened first.
    fn write(&mut self, kind: EntryKind) {
        if let Some(incident) = self.live().open_incident().map(|i| i.id) {
            let about = self.asset_looked_at().map(|a| a.as_str().to_owned());
            self.overlays.push(Overlay::editor(incident, kind, about));
        } else {
            self.say(MessageWeight::Note, "no incident is open: open one first");
            self.overlays.push(Overlay::open_incident(""));
        }
    }
}
