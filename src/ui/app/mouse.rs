//! The mouse, where it is wanted: it selects, opens what is pressed twice, turns lists and texts, sorts by the head that is
//! pressed, and presses what the header and the footer name. Everything that it does a key does too.

use std::time::Duration;

use super::{App, Asking};
use crate::base::Timestamp;
use crate::config::key::{Key, KeyCode};
use crate::ui::action::Action;
use crate::ui::chrome::{self, Hit};
use crate::ui::overlays::{self, Overlay};
use crate::ui::panes::{self, Head, PaneKind};
use crate::ui::run::Screen as _;
use crate::ui::screen::{Mouse, MouseDeed};
use crate::ui::sorting::By;

/// Lines that a notch of the wheel turns.
const NOTCH: isize = 3;
/// A second press on the same row within this opens it.
const TWICE: Duration = Duration::from_millis(600);

/// What the mouse is asked to do, and what it did last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pointer {
    /// The terminal reports it.
    pub on: bool,
    pressed: Option<(Timestamp, PaneKind, usize)>,
}

impl App {
    /// `:mouse`.
    pub(in crate::ui) fn mouse_command(&mut self, words: &str) -> Result<&'static str, &'static str> {
        self.pointer.on = match words {
            "" => !self.pointer.on,
            "on" => true,
            "off" => false,
            _ => return Err(":mouse on or off; alone it changes that"),
        };
        Ok(if self.pointer.on {
            "the mouse selects, opens and turns; with Shift held it marks text as ever"
        } else {
            "the mouse is the terminal's own again"
        })
    }

    pub(super) fn pointed(&mut self, mouse: Mouse) {
        self.answering = true;
        if self.is_typing() {
            return;
        }
        if !self.overlays.is_empty() {
            self.point_at_overlay(mouse);
        } else if matches!(self.asking, Some((Asking::Command, _))) {
            // What is being typed is not lost by a stray press.
        } else {
            self.asking = None;
            self.point_at_panes(mouse);
        }
        self.settle();
    }

    fn point_at_overlay(&mut self, mouse: Mouse) {
        let text = overlays::text_area(self);
        let times = if text.is_some() { NOTCH } else { 1 };
        let code = match mouse.deed {
            MouseDeed::WheelUp => KeyCode::Up,
            MouseDeed::WheelDown => KeyCode::Down,
            MouseDeed::PressRight => KeyCode::Escape,
            // Beside a text that is read, and on what the footer names for it.
            MouseDeed::Press => {
                match chrome::hit(self, mouse.column, mouse.row) {
                    Some(Hit::Key(keys)) if matches!(self.overlays.last(), Some(Overlay::Detail { .. })) => {
                        self.type_keys(&keys);
                    }
                    _ if text.is_some_and(|area| !area.contains((mouse.column, mouse.row).into())) => {
                        // Beside a text at the side the panes are open to the eye: they take the press.
                        let goes_on = overlays::is_at_side(self);
                        self.key(Key::plain(KeyCode::Escape));
                        if goes_on {
                            self.point_at_panes(mouse);
                        }
                    }
                    _ => {}
                }
                return;
            }
        };
        // A form or a note that somebody writes is not left by the mouse.
        if code == KeyCode::Escape && text.is_none() {
            return;
        }
        for _ in 0..if code == KeyCode::Escape { 1 } else { times } {
            self.key(Key::plain(code));
        }
    }

    fn point_at_panes(&mut self, mouse: Mouse) {
        match mouse.deed {
            MouseDeed::PressRight => return self.act(Action::Back),
            MouseDeed::Press => match chrome::hit(self, mouse.column, mouse.row) {
                Some(Hit::Screen(screen)) => return self.go(screen),
                Some(Hit::Key(keys)) => return self.type_keys(&keys),
                None => {}
            },
            MouseDeed::WheelUp | MouseDeed::WheelDown => {}
        }
        let at = (mouse.column, mouse.row).into();
        if chrome::side(self, self.size).is_some_and(|side| side.contains(at)) {
            // The text that stands there, wherever the row itself would lead.
            if let Some(selected) = self.selected() {
                self.overlays.push(Overlay::detail(selected));
            }
            if mouse.deed != MouseDeed::Press && overlays::is_at_side(self) {
                self.point_at_overlay(mouse);
            }
            return;
        }
        let areas = panes::layout(self, chrome::body(self, self.size));
        let Some((kind, area)) = areas.into_iter().find(|(_, area)| area.contains(at)) else { return };
        self.message = None;
        self.focus = kind;
        if mouse.deed == MouseDeed::Press
            && let Some(head) = panes::head_at(self, kind, area, mouse.column, mouse.row)
        {
            self.sort_by_head(head);
            return;
        }
        let pressed = self.pointer.pressed.take();
        let rows = panes::rows(self, kind, area);
        let list = self.list(kind);
        let (count, selected) = (list.order.len(), list.selected);
        let row = list.top + usize::from(mouse.row.saturating_sub(rows.y));
        match mouse.deed {
            MouseDeed::WheelUp => self.list_mut(kind).move_by(-NOTCH),
            MouseDeed::WheelDown => self.list_mut(kind).move_by(NOTCH),
            _ if kind == PaneKind::Sessions || !rows.contains(at) || row >= count => {}
            _ if row == selected
                && pressed.is_some_and(|(when, pane, which)| {
                    (pane, which) == (kind, row) && self.now.since(when) <= TWICE
                }) =>
            {
                self.act(Action::Open);
            }
            _ => {
                let step = isize::try_from(row).unwrap_or(isize::MAX) - isize::try_from(selected).unwrap_or(0);
                self.list_mut(kind).move_by(step);
                self.pointer.pressed = Some((self.now, kind, row));
            }
        }
    }

    /// As the picker does: by the same one again, the other way round.
    fn sort_by_head(&mut self, head: Head) {
        match head {
            Head::By(kind, by) => {
                // A column that shows one of two values is turned round by whichever sorts it.
                let by = match (by, self.order_of(kind).by) {
                    (By::RoundTrip, By::Load) => By::Load,
                    _ => by,
                };
                self.sort_list(kind, by);
            }
            Head::Port(column) => {
                self.columns.sort_by(column);
                self.sorted(PaneKind::Ports);
            }
        }
    }

    fn type_keys(&mut self, keys: &str) {
        for key in keys.split(' ').filter_map(Key::parse) {
            self.key(key);
        }
    }
}
