//! The palette: actions and objects, found fuzzily.

use std::sync::Arc;

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::{Overlay, Reaction, boxed, centred};
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::model::{AssetId, Condition, PortKey, SessionId};
use crate::state::DeviceView;
use crate::ui::action::{ACTIONS, Action};
use crate::ui::app::{App, Asking};
use crate::ui::canvas::{self, Row};
use crate::ui::commands::{self, COMMANDS};
use crate::ui::filter::{Filter, fuzzy};
use crate::ui::frame::Frame;
use crate::ui::line::Line;
use crate::ui::panes::{PaneKind, ScreenId};
use crate::ui::port::Seen;

const SHOWN: usize = 14;

#[derive(Debug, Default)]
pub struct Palette {
    pub line: Line,
    selected: usize,
}

#[derive(Clone, Debug)]
enum Item {
    Action(Action),
    Object(AssetId),
    Port(AssetId, PortKey),
    /// The number of a session.
    Session(SessionId),
    /// A line of the command line.
    Command(String),
    /// A command that wants more words: the command line begins with it.
    Begin(&'static str),
    /// A MAC or IP address: where it is heard.
    Station(String),
}

/// The best matches first; actions before objects while nothing is typed.
fn items(app: &App, palette: &Palette) -> Vec<(String, Item)> {
    let actions = ACTIONS.iter().map(|(action, _, title)| ((*title).to_owned(), Item::Action(*action)));
    let views = app.views.all().iter().map(|view| format!("view {}", view.name));
    let layouts = app.layouts.names().map(|name| format!("layout {name}"));
    let themes = app.themes.names().into_iter().map(|name| format!("theme {name}"));
    let commands = views.chain(layouts).chain(themes).map(|line| (line.clone(), Item::Command(line)));
    let begun = COMMANDS.iter().map(|(name, help)| (format!(":{name}   {help}"), Item::Begin(name)));
    let actions = actions.chain(commands).chain(begun);
    let sessions = app.sessions.iter().map(|s| (format!("session on {}", s.asset().as_str()), Item::Session(s.id())));
    let actions = sessions.chain(actions);
    let objects = commands::objects(app).into_iter().map(|(name, id)| (name, Item::Object(id)));
    let pattern = palette.line.text();
    if pattern.is_empty() {
        return actions.chain(objects).take(SHOWN).collect();
    }
    let station = Filter::parse(pattern)
        .is_for_station()
        .then(|| (format!("the ports where {} is heard", pattern.trim()), Item::Station(pattern.trim().to_owned())));
    let mut scored: Vec<((bool, u32), String, Item)> =
        actions.chain(objects).filter_map(|(name, item)| Some((score(pattern, &name, &item)?, name, item))).collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.len().cmp(&b.1.len())));
    let ports = ports(app, pattern);
    station.into_iter().chain(ports).chain(scored.into_iter().map(|(_, name, item)| (name, item))).take(SHOWN).collect()
}

/// An action is found by its name as well as by what it says. A name that has what was typed in it is meant before a sentence
/// that has.
fn score(pattern: &str, shown: &str, item: &Item) -> Option<(bool, u32)> {
    let by_name = if let Item::Action(action) = item { fuzzy(pattern, action.name()) } else { None };
    let score = by_name.max(fuzzy(pattern, shown))?;
    let is_name = matches!(item, Item::Object(_) | Item::Session(_));
    Some((is_name && contains(shown, pattern.trim()), score))
}

/// In capitals or not.
fn contains(name: &str, typed: &str) -> bool {
    name.as_bytes().windows(typed.len().max(1)).any(|part| part.eq_ignore_ascii_case(typed.as_bytes()))
}

/// Ports, where a device and a part of a port's name are typed: `sw1 0/7`, `sw1/Gi1/0/7`.
fn ports(app: &App, pattern: &str) -> Vec<(String, Item)> {
    let Some((device, port)) = pattern.trim_end().split_once([' ', '/']).filter(|(_, port)| !port.is_empty()) else {
        return Vec::new();
    };
    let port = port.to_lowercase();
    let mut devices: Vec<(u32, &Arc<DeviceView>)> =
        app.snapshot.devices.iter().filter_map(|found| Some((fuzzy(device, &found.host.name)?, found))).collect();
    devices.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let mut out: Vec<(bool, String, Item)> = Vec::new();
    for (_, device) in devices {
        for seen in Seen::all(device) {
            let label = seen.label().to_lowercase();
            if label.contains(&port) {
                // `0/1` is the port that ends with it before those that go on.
                let name = format!("{} {}", device.host.name, seen.label());
                out.push((!label.ends_with(&port), name, Item::Port(device.host.id.clone(), seen.key())));
            }
        }
        if out.len() >= SHOWN {
            break;
        }
    }
    out.sort_by_key(|(goes_on, ..)| *goes_on);
    out.into_iter().map(|(_, name, item)| (name, item)).take(SHOWN / 2).collect()
}

pub fn key(app: &mut App, palette: &mut Palette, key: Key) -> Reaction {
    match key.code {
        KeyCode::Escape => return Reaction::Close,
        KeyCode::Down | KeyCode::Tab => palette.selected += 1,
        KeyCode::Up => palette.selected = palette.selected.saturating_sub(1),
        KeyCode::Enter => {
            let items = items(app, palette);
            let chosen = items.get(palette.selected.min(items.len().saturating_sub(1)));
            // It may have been called over what is read; whatever is chosen is shown.
            let acts_here = matches!(chosen, Some((_, Item::Action(_))));
            app.overlays.retain(|overlay| match overlay {
                Overlay::Detail { .. } => acts_here,
                Overlay::Help(_) | Overlay::Compare { .. } => false,
                _ => true,
            });
            match chosen.map(|(_, item)| item.clone()) {
                Some(Item::Action(action)) => app.act(action),
                Some(Item::Object(asset)) => {
                    app.leave_place();
                    app.reveal(&asset);
                }
                Some(Item::Command(line)) => commands::run(app, &line),
                Some(Item::Begin(name)) => app.asking = Some((Asking::Command, Line::with(&format!("{name} ")))),
                Some(Item::Port(asset, port)) => {
                    app.leave_place();
                    app.show_port(&asset, &port);
                }
                Some(Item::Session(id)) => app.show_session(id),
                Some(Item::Station(words)) => {
                    app.leave_view();
                    app.go(ScreenId::Ports);
                    app.focus = PaneKind::Ports;
                    app.set_filter(Filter::parse(&words));
                }
                None => {}
            }
            return Reaction::Close;
        }
        _ => {
            palette.line.key(key);
            palette.selected = 0;
        }
    }
    let last = items(app, palette).len().saturating_sub(1);
    palette.selected = palette.selected.min(last);
    Reaction::Keep
}

/// What it is.
fn found(app: &App, item: &Item) -> &'static str {
    match item {
        Item::Object(asset) if app.snapshot.host(asset).is_none() => "backup",
        Item::Object(_) => "host",
        Item::Port(..) => "port",
        Item::Session(_) => "session",
        Item::Station(_) => "address",
        Item::Action(_) | Item::Command(_) | Item::Begin(_) => "",
    }
}

fn standing(app: &App, asset: &AssetId) -> (&'static str, Style) {
    match (app.snapshot.host(asset), app.snapshot.job(asset)) {
        (Some(host), _) => app.look.condition(app.parts.worst(host), host.stale),
        (None, Some(job)) => app.look.condition(job.condition, job.stale),
        (None, None) => app.look.condition(Condition::Unknown, false),
    }
}

pub fn draw(app: &App, frame: &mut Frame<'_>, palette: &Palette) -> Rect {
    let items = items(app, palette);
    let area = centred(frame.area, 70, SHOWN as u16 + 3);
    let inner = boxed(app, frame, area, "Find");
    let text_style = app.look.style(Meaning::Text);
    let (shown, at) = palette.line.window(usize::from(inner.width).saturating_sub(2), app.look.ellipsis());
    Row::new(frame.buffer, &app.look, inner, inner.y).put("> ", app.look.style(Meaning::Key)).put(&shown, text_style);
    let x = inner.x + 2 + at as u16;
    frame.cursor = Some(Position::new(x.min(inner.right().saturating_sub(1)), inner.y));
    if items.is_empty() {
        let dim = app.look.style(Meaning::Dim);
        Row::new(frame.buffer, &app.look, inner, inner.y + 1).put("nothing is called so", dim);
    }
    // What is selected is in sight on a low screen too.
    let room = usize::from(inner.height.saturating_sub(1)).max(1);
    let top = (palette.selected + 1).saturating_sub(room);
    for (at, (name, item)) in items.iter().enumerate().skip(top).take(room) {
        let y = inner.y + 1 + (at - top) as u16;
        let mut row = Row::new(frame.buffer, &app.look, inner, y);
        let bound = match item {
            Item::Action(action) => Some(app.keymap.keys_of(action.name())),
            Item::Command(line) => Some(app.keymap.keys_of(&format!(":{line}"))),
            Item::Begin(name) => Some(app.keymap.keys_of(&format!(":{name}"))),
            Item::Object(_) | Item::Port(..) | Item::Session(_) | Item::Station(_) => None,
        };
        if let Some(keys) = bound {
            row.end(keys.first().map_or("", String::as_str), app.look.style(Meaning::Key)).end(" ", text_style);
        } else {
            row.end(found(app, item), app.look.style(Meaning::Dim)).end(" ", text_style);
        }
        // How what is found is, before one goes there.
        if let Item::Object(asset) = item {
            let (glyph, style) = standing(app, asset);
            row.put(glyph, style).gap(1);
        }
        row.put(name, text_style);
        if at == palette.selected {
            canvas::paint(frame.buffer, inner, y, app.look.style(Meaning::Selected));
        }
    }
    area
}
