//! PORTS: devices with a one-line faceplate each, and the table of one device's ports.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{age, dim};
use crate::base::units;
use crate::config::theme::Meaning;
use crate::model::Condition;
use crate::state::{DeviceView, PortState, PortView};
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::filter::Subject;
use crate::ui::frame::Frame;

pub fn device_order(app: &App) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..app.snapshot.devices.len())
        .filter(|row| {
            let device = &app.snapshot.devices[*row];
            let shown = !app.problems_only || device.condition.is_problem();
            shown && (app.filter.is_empty() || device_passes(app, device))
        })
        .collect();
    rows.sort_by_key(|row| {
        let device = &app.snapshot.devices[*row];
        (std::cmp::Reverse(device.condition), !device.stale)
    });
    rows
}

fn device_passes(app: &App, device: &DeviceView) -> bool {
    let words = device.table.device.description.line();
    app.filter.lets_through(&Subject {
        name: &device.host.name,
        words: &words,
        condition: device.condition,
        stale: device.stale,
        tags: device.host.tags.iter().map(|t| &**t).collect(),
        group: device.host.group.as_deref().unwrap_or_default(),
        kind: "device",
    })
}

/// In the order of the device, as on its front.
pub fn port_order(app: &App) -> Vec<usize> {
    let Some(device) = app.device() else { return Vec::new() };
    (0..device.ports.len())
        .filter(|row| {
            let port = &device.ports[*row];
            if app.problems_only && !port.condition.is_problem() {
                return false;
            }
            let Some(facts) = device.table.ports.get(port.row) else { return false };
            if app.filter.is_empty() || app.screen != super::ScreenId::Ports || device_passes(app, device) {
                return true;
            }
            let (name, words) = (facts.label().line(), facts.alias.line());
            app.filter.lets_through(&Subject {
                name: &name,
                words: &words,
                condition: port.condition,
                stale: device.stale,
                tags: Vec::new(),
                group: "",
                kind: "port",
            })
        })
        .collect()
}

pub fn device_title(app: &App) -> (String, String) {
    let t = &app.snapshot.totals;
    let honesty = [format!("{} devices", t.devices), format!("{} of {} ports up", t.ports_up, t.ports)];
    ("PORTS".to_owned(), honesty.join(app.look.separator()))
}

pub fn port_title(app: &App) -> (String, String) {
    let Some(device) = app.device() else { return ("PORTS".to_owned(), String::new()) };
    let mut parts = vec![format!("{} of {} up", device.up, device.ports.len())];
    if !device.table.complete {
        parts.push("incomplete".to_owned());
    }
    if device.stale {
        parts.push("stale".to_owned());
    }
    (device.host.name.to_string(), parts.join(app.look.separator()))
}

pub fn empty(app: &App) -> Vec<String> {
    if app.problems_only && !app.snapshot.devices.is_empty() {
        return vec!["no port has a problem: P shows all".to_owned()];
    }
    let waiting = app.snapshot.hosts.iter().any(|h| h.checks.iter().any(|c| &*c.spec.kind == "ports"));
    if waiting {
        return vec!["no device was walked yet".to_owned()];
    }
    vec!["no ports: give a host snmp = { community = { env = \"…\" } }; no community is ever guessed".to_owned()]
}

pub fn draw_device(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, row: usize) {
    let Some(device) = app.snapshot.devices.get(row) else { return };
    let age = age(frame, Some(device.table.collected_at));
    let (glyph, style) = app.look.condition(device.condition, device.stale);
    let words = app.look.words(device.condition, device.stale);
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    line.gap(1).put(glyph, style).gap(1);
    line.end(" ", words).end(&format!("{age:>3}"), if device.stale { style } else { dim(app) }).end(" ", words);
    if area.width >= 70 {
        let sum = |f: fn(&PortView) -> Option<f64>| device.ports.iter().filter_map(f).sum::<f64>();
        let flow = format!(
            "in {:>5} out {:>5}",
            units::bit_rate(sum(|p| p.rates.in_bps())),
            units::bit_rate(sum(|p| p.rates.out_bps()))
        );
        line.end(&flow, dim(app)).end(" ", words);
    }
    line.end(&format!("{:>7}", format!("{}/{}", device.up, device.ports.len())), dim(app)).end(" ", words);
    line.name(&device.host.name, usize::from(area.width / 5).clamp(8, 22), words).gap(1);
    faceplate(app, &mut line, device);
}

/// One glyph a port, logical interfaces left out, a gap where the name's stem changes (`Gi1/0/` to `Te1/1/`) and
/// after each dozen as far as there is room. What does not fit is counted in the colour of the worst of it.
fn faceplate(app: &App, line: &mut Row<'_>, device: &DeviceView) {
    let ports: Vec<&PortView> =
        device.ports.iter().filter(|p| device.table.ports.get(p.row).is_some_and(|f| is_physical(f.if_type))).collect();
    let stems: Vec<&[u8]> = ports.iter().map(|p| stem(device, p)).collect();
    let new_stem = |at: usize| at > 0 && stems[at] != stems[at - 1];
    let stem_gaps = (0..ports.len()).filter(|at| new_stem(*at)).count();
    let room = line.room();
    let dozens = ports.len() + ports.len() / 12 + stem_gaps <= room;
    let gaps = ports.len() + stem_gaps <= room;
    let all = ports.len() <= room;
    for (at, port) in ports.iter().enumerate() {
        if !all && line.room() <= 6 {
            let rest = &ports[at..];
            let worst = rest.iter().map(|p| p.condition).max().unwrap_or(Condition::Ok);
            let problem = worst.is_problem() && !device.stale;
            let style = if problem { app.look.condition(worst, false).1 } else { dim(app) };
            line.put(&format!(" +{}", rest.len()), style);
            return;
        }
        if (gaps && new_stem(at)) || (dozens && at > 0 && at % 12 == 0) {
            line.gap(1);
        }
        let (glyph, style) = port_glyph(app, port, device.stale);
        line.put(glyph, style);
    }
}

/// A port's label up to its last number.
fn stem<'a>(device: &'a DeviceView, port: &PortView) -> &'a [u8] {
    let label = device.table.ports.get(port.row).map_or(&[][..], |facts| facts.label().as_bytes());
    let digits = label.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    &label[..label.len() - digits]
}

/// Ethernet and its older names (IANAifType-MIB); unknown counts as physical.
pub fn is_physical(if_type: Option<u32>) -> bool {
    matches!(if_type, None | Some(6 | 7 | 62 | 69 | 117))
}

/// The glyph of a port.
pub fn port_glyph(app: &App, port: &PortView, stale: bool) -> (&'static str, Style) {
    let (unicode, ascii, meaning) = match (port.state, port.condition) {
        _ if stale => ("?", "?", Meaning::Stale),
        (_, Condition::Critical) => ("■", "C", Meaning::Critical),
        (_, Condition::Warning) => ("▲", "W", Meaning::Warning),
        (PortState::Up, _) => ("●", "#", Meaning::Ok),
        (PortState::LinkLost, _) => ("○", "o", Meaning::Text),
        (PortState::NoLink | PortState::LowerLayerDown | PortState::Dormant, _) => ("○", "o", Meaning::Dim),
        (PortState::AdminDown | PortState::MissingModule, _) => ("·", "-", Meaning::Dim),
        (PortState::ErrDisabled, _) => ("■", "C", Meaning::Critical),
        (PortState::Testing | PortState::Unknown, _) => ("?", "?", Meaning::Unknown),
    };
    (if app.look.unicode { unicode } else { ascii }, app.look.style(meaning))
}

pub fn draw_port(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, row: usize) {
    let Some(device) = app.device() else { return };
    let Some(port) = device.ports.get(row) else { return };
    let Some(facts) = device.table.ports.get(port.row) else { return };
    let changed = age(frame, port.changed.or(facts.last_change));
    let (glyph, style) = port_glyph(app, port, device.stale);
    let words = app.look.words(if port.condition.is_problem() { port.condition } else { Condition::Ok }, device.stale);
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    line.gap(1).put(glyph, style).gap(1);
    line.end(" ", words).end(&format!("{changed:>3}"), dim(app)).end(" ", words);
    if area.width >= 76 {
        let known = [port.rates.in_errors(), port.rates.out_errors()];
        let errors: f64 = known.into_iter().flatten().sum();
        // No errors is no news; not knowing is said.
        let text = match (errors > 0.0, known == [None, None]) {
            (true, _) => format!("err {errors:>5.1}/s"),
            (false, true) => format!("{:>11}", "–"),
            (false, false) => " ".repeat(11),
        };
        line.end(&text, app.look.style(if errors > 0.0 { Meaning::Warning } else { Meaning::Dim })).end(" ", words);
    }
    if area.width >= 50 {
        let rate = |bps: Option<f64>| bps.map_or_else(|| "–".to_owned(), units::bit_rate);
        line.end(&format!("in {:>5} out {:>5}", rate(port.rates.in_bps()), rate(port.rates.out_bps())), dim(app))
            .end(" ", words);
    }
    line.name(&facts.label().line(), usize::from(area.width / 5).clamp(8, 24), words).gap(1);
    line.cell(port.state.as_str(), 13, words).gap(1);
    let speed = facts.speed_bps.map_or_else(|| "–".to_owned(), units::speed);
    line.right(&speed, 5, dim(app)).gap(1);
    let reason = port.reason.as_deref().unwrap_or_default();
    if !reason.is_empty() {
        line.put(reason, app.look.style(Meaning::Text)).gap(1);
    }
    line.put(&facts.alias.line(), dim(app));
}
