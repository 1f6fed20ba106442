//! Keys that no overlay takes: chords of the keymap, and the footer's line while something is typed into it.

use super::{App, Asking};
use crate::bus::MessageWeight;
use crate::config::key::{Key, KeyCode};
use crate::config::keymap::Lookup;
use crate::ui::action::Action;
use crate::ui::commands;
use crate::ui::filter::Filter;
use crate::ui::line::Line;
use crate::ui::list::List;
use crate::ui::overlays::Overlay;
use crate::ui::panes::PaneKind;

impl App {
    pub(super) fn map_key(&mut self, key: Key) {
        self.chord.push(key);
        let name = match self.keymap.look_up(&self.chord) {
            Lookup::Action(name) => name.to_owned(),
            Lookup::Begun(_) => return,
            Lookup::Nothing => String::new(),
        };
        self.chord.clear();
        self.message = None;
        if let Some(command) = name.strip_prefix(':') {
            commands::run(self, command);
        } else if let Some(action) = Action::named(&name) {
            self.act(action);
        }
    }

    /// Over what is read, the keys that act on what it is about; false where it is none of them.
    pub(super) fn detail_key(&mut self, key: Key) -> bool {
        let Lookup::Action(name) = self.keymap.look_up(&[key]) else { return false };
        match self.overlays.last() {
            Some(Overlay::Detail { .. }) => {}
            Some(Overlay::Paper(_)) => {
                let Some(action) = Action::named(name) else { return false };
                self.message = None;
                return self.take_paper(action) || self.leave_reading(action);
            }
            Some(Overlay::Compare { .. }) if name == Action::CopyRow.name() => {}
            Some(Overlay::Compare { .. }) => {
                return Action::named(name).is_some_and(|action| self.leave_reading(action));
            }
            Some(Overlay::Help(help)) if !help.asking => {
                return Action::named(name).is_some_and(|action| self.leave_reading(action));
            }
            _ => return false,
        }
        match Action::named(name) {
            Some(Action::CopyRow) => self.copy_what_is_read(),
            Some(
                action @ (Action::Watch
                | Action::Follow
                | Action::LastPlace
                | Action::NextPlace
                | Action::Compare
                | Action::History
                | Action::Runbook
                | Action::Freeze
                | Action::Copy
                | Action::Recheck
                | Action::Claim
                | Action::Release
                | Action::Maintain
                | Action::Note
                | Action::Decision
                | Action::ActionItem
                | Action::Hypothesis),
            ) => self.act(action),
            // As for a pane: the whole screen's width, and back.
            Some(Action::Zoom) => self.wide_detail = !self.wide_detail,
            Some(Action::Shell) => {
                self.act(Action::Shell);
                // It has a screen of its own, and all keys.
                self.overlays.retain(|overlay| !matches!(overlay, Overlay::Detail { .. }));
            }
            Some(action) => return self.leave_reading(action),
            None => return false,
        }
        true
    }

    /// From what is read to another screen, a command, the keys or anything that is found; false where the action is none of these.
    fn leave_reading(&mut self, action: Action) -> bool {
        let leaves = match action {
            // The same key closes them.
            Action::Help => !matches!(self.overlays.last(), Some(Overlay::Help(_))),
            Action::Palette | Action::CommandLine => true,
            _ => action.is_screen(),
        };
        if leaves {
            self.message = None;
            self.act(action);
        }
        leaves
    }

    /// A station that is looked for is where its list begins.
    pub(in crate::ui) fn set_filter(&mut self, filter: Filter) {
        // The same one again has found its addresses already.
        if filter.text == self.filter.text {
            return;
        }
        if filter.is_for_station() {
            self.forget_device();
            for kind in [PaneKind::Devices, PaneKind::Ports] {
                *self.list_mut(kind) = List::default();
            }
        }
        self.filter = filter;
    }

    pub(super) fn ask_key(&mut self, key: Key) {
        let Some((asking, mut line)) = self.asking.take() else { return };
        match key.code {
            KeyCode::Escape => {
                if asking == Asking::Filter {
                    self.filter = Filter::default();
                }
            }
            KeyCode::Char('c') if key.ctrl => {}
            KeyCode::Enter => match asking {
                Asking::Filter => {
                    let text = line.text().trim().to_owned();
                    if !text.is_empty() {
                        self.filters.retain(|known| *known != text);
                        self.filters.push(text);
                    }
                    self.set_filter(Filter::parse(line.text()));
                    if let Some(mistake) = self.filter.mistake() {
                        self.say(MessageWeight::Warning, mistake.said());
                    }
                }
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
            KeyCode::Up => {
                let typed = self.typed_before(asking);
                let at = typed.iter().rposition(|known| known == line.text()).unwrap_or(typed.len());
                let text = at.checked_sub(1).and_then(|before| typed.get(before)).cloned();
                self.ask_again(asking, text.map_or(line, |text| Line::with(&text)));
            }
            KeyCode::Down => {
                let typed = self.typed_before(asking);
                let at = typed.iter().rposition(|known| known == line.text());
                let text = at.and_then(|at| typed.get(at + 1)).cloned().unwrap_or_default();
                self.ask_again(asking, Line::with(&text));
            }
            KeyCode::Backspace if line.text().is_empty() => {}
            _ => {
                line.key(key);
                self.ask_again(asking, line);
            }
        }
    }

    fn typed_before(&self, asking: Asking) -> &[String] {
        match asking {
            Asking::Filter => &self.filters,
            Asking::Command => &self.history,
        }
    }

    /// With another text. What a filter lets through is seen while it is typed.
    fn ask_again(&mut self, asking: Asking, line: Line) {
        if asking == Asking::Filter {
            self.set_filter(Filter::parse(line.text()));
        }
        self.asking = Some((asking, line));
    }
}
