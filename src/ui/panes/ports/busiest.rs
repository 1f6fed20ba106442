//! BUSIEST PORTS: below what changed, where a screen has room for it: which links carry the most of what they could, so that nobody
//! has to look for a full one. Only of a network of few devices, so that it may be made anew for each picture.

use std::cmp::Reverse;

use ratatui::layout::Rect;

use crate::base::{text, units};
use crate::config::theme::Meaning;
use crate::ui::app::App;
use crate::ui::canvas::{self, Row};
use crate::ui::frame::Frame;
use crate::ui::panes::dim;
use crate::ui::port::{Seen, shown};

/// Rows of it: each walk changes them, which a slow link has to carry.
const MOST: usize = 8;
/// Below that many lines, its rule among them, it is worth nothing.
const LEAST: u16 = 4;
/// More devices have too many ports to be gone through for a picture.
const DEVICES: usize = 64;
/// Columns of the bar, of a share and of a rate.
const BAR: usize = 10;
const SHARE: usize = 5;
const RATE: usize = 6;
/// Fewer columns tell nothing of what a port is called.
const ALIAS: usize = 8;
/// A link that carries less, in percent, is not busy.
const BUSY: f64 = 1.0;

/// Lines that it may take at the most, with a free one before it.
pub fn lines(app: &App) -> u16 {
    let devices = &app.snapshot.devices;
    let any = devices.len() <= DEVICES && devices.iter().any(|device| !app.parts.is_old(device));
    if any { MOST as u16 + 2 } else { 0 }
}

pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    if area.height < LEAST || app.snapshot.devices.len() > DEVICES {
        return;
    }
    let ports = busiest(app, usize::from(area.height - 1).min(MOST));
    if ports.is_empty() {
        return;
    }
    let styles = (app.look.style(Meaning::Rule), app.look.style(Meaning::Title), dim(app));
    canvas::rule(frame.buffer, &app.look, area, "BUSIEST PORTS", "of their speed", styles);
    let name = |seen: &Seen<'_>| format!("{} {}", seen.device.host.name, seen.label());
    let longest = ports.iter().map(|(_, seen)| text::width(&name(seen))).max().unwrap_or(0);
    let width = (longest + 1).clamp(8, usize::from(area.width / 3).max(8));
    for ((share, seen), y) in ports.iter().zip(area.y + 1..) {
        let mut line = Row::new(frame.buffer, &app.look, area, y);
        line.gap(1).name(&name(seen), width, app.look.style(Meaning::Text)).gap(1);
        line.cell(&app.look.bar(share / 100.0, BAR), BAR, app.look.style(Meaning::Bar));
        line.right(&format!("{share:.0} %"), SHARE, app.look.style(Meaning::Text)).gap(2);
        for (word, rate) in [("in", seen.in_bps()), ("out", seen.out_bps())] {
            if line.room() < word.len() + RATE {
                continue;
            }
            let rate = rate.map_or_else(|| "–".to_owned(), units::bit_rate);
            line.put(word, dim(app)).right(&rate, RATE, dim(app)).gap(2);
        }
        if line.room() >= ALIAS {
            line.put(&shown(&seen.port.alias), dim(app));
        }
    }
}

/// The share of the busier direction in percent, the greatest first; nothing of what is not of now.
fn busiest(app: &App, most: usize) -> Vec<(f64, Seen<'_>)> {
    let devices = app.snapshot.devices.iter().filter(|device| !app.parts.is_old(device));
    let share = |seen: Seen<'_>| {
        let (received, sent) = seen.utilisation();
        received.unwrap_or(0.0).max(sent.unwrap_or(0.0))
    };
    // The ports of a bundle are told by themselves, and not once more by the bundle.
    let ports = devices
        .flat_map(|device| Seen::all(device))
        .filter(|seen| seen.is_physical() && seen.may_carry() && seen.gap().is_none());
    let mut out: Vec<(f64, Seen<'_>)> =
        ports.map(|seen| (share(seen), seen)).filter(|(share, _)| *share >= BUSY).collect();
    out.sort_by_key(|(share, _)| Reverse((share * 10.0) as u64));
    out.truncate(most);
    out
}
