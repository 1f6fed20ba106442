//! What hangs on a port, to go to one of it.

use ratatui::layout::Rect;

use super::{Reaction, boxed, centred};
use crate::base::text;
use crate::bus::MessageWeight;
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::model::{AssetId, PortKey};
use crate::state::lookup::{self, needle};
use crate::ui::app::App;
use crate::ui::canvas::{self, Row};
use crate::ui::frame::Frame;

#[derive(Debug)]
pub struct Beyond {
    asset: AssetId,
    port: PortKey,
    selected: usize,
}

impl Beyond {
    pub fn new(asset: AssetId, port: PortKey) -> Self {
        Self { asset, port, selected: 0 }
    }

    fn items(&self, app: &App) -> Vec<lookup::Beyond> {
        let index = app.index_of(&self.asset, &self.port);
        index.map(|index| app.lookup.beyond(&self.asset, index)).unwrap_or_default()
    }
}

pub fn key(app: &mut App, beyond: &mut Beyond, key: Key) -> Reaction {
    let items = beyond.items(app);
    let last = items.len().saturating_sub(1);
    match key.code {
        KeyCode::Escape | KeyCode::Char('q') => return Reaction::Close,
        KeyCode::Down | KeyCode::Char('j') => beyond.selected = (beyond.selected + 1).min(last),
        KeyCode::Up | KeyCode::Char('k') => beyond.selected = beyond.selected.saturating_sub(1),
        KeyCode::Home => beyond.selected = 0,
        KeyCode::End => beyond.selected = last,
        KeyCode::Enter => match items.get(beyond.selected) {
            Some(item) if item.host.is_some() => {
                app.go_beyond(item);
                return Reaction::Close;
            }
            Some(_) => app.say(MessageWeight::Note, "it is not in the inventory: nothing more is known of it"),
            None => return Reaction::Close,
        },
        _ => {}
    }
    Reaction::Keep
}

pub fn draw(app: &App, frame: &mut Frame<'_>, beyond: &Beyond) -> Rect {
    let items = beyond.items(app);
    let width = frame.area.width.saturating_sub(4).min(100);
    let most = frame.area.height.saturating_sub(4);
    let area = centred(frame.area, width, (items.len() as u16).min(most).max(1) + 3);
    let title = format!("{} {}: what hangs there", text::clean(beyond.asset.as_str()), beyond.port.label.line());
    let inner = boxed(app, frame, area, &title);
    let (plain, dim) = (app.look.style(Meaning::Text), app.look.style(Meaning::Dim));
    let room = usize::from(inner.height.saturating_sub(1)).max(1);
    let selected = beyond.selected.min(items.len().saturating_sub(1));
    let top = (selected + 1).saturating_sub(room);
    for (offset, (at, item)) in items.iter().enumerate().skip(top).take(room).enumerate() {
        let y = inner.y + offset as u16;
        let mut row = Row::new(frame.buffer, &app.look, inner, y);
        let known = if item.host.is_some() { "open" } else { "" };
        row.end(known, dim).end(" ", dim);
        row.cell(item.protocol.map_or("heard", |p| p.as_str()), 6, dim);
        row.cell(&item.name.line(), 22, plain).gap(1);
        row.cell(&item.mac.map(needle::show_mac).unwrap_or_default(), 18, dim);
        let addresses: Vec<String> = item.addresses.iter().map(ToString::to_string).collect();
        row.put(&item.port.line(), plain).gap(1).put(&addresses.join(" "), dim);
        if at == selected {
            canvas::paint(frame.buffer, inner, y, app.look.style(Meaning::Selected));
        }
    }
    let y = inner.bottom().saturating_sub(1);
    let hint = format!("{} in all · Enter goes there · Esc closes", items.len());
    Row::new(frame.buffer, &app.look, inner, y).put(&hint, dim);
    area
}
