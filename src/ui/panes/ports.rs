//! PORTS: devices with a one-line faceplate each, and one device's faceplate and table of ports.

mod busiest;
mod plate;
mod table;

use std::cmp::Reverse;
use std::collections::HashMap;

use ratatui::layout::Rect;
use ratatui::style::Style;

pub use self::plate::{draw as draw_plate, height as plate_height};
pub use self::table::{draw_header, draw_port, fitted, words as value};
use super::heads::{self, Head, Heads, Title};
use super::{PaneKind, ScreenId, age, dim};
use crate::base::{Timestamp, text, units};
use crate::config::theme::Meaning;
use crate::model::{AssetId, Condition, PortKey};
use crate::state::{DeviceView, PortView, Rates};
use crate::ui::action::Action;
use crate::ui::app::App;
use crate::ui::canvas::{self, Row};
use crate::ui::columns;
use crate::ui::faceplate::{Faceplate, Rank, keep, mark};
use crate::ui::filter::{PortSubject, Subject};
use crate::ui::frame::Frame;
use crate::ui::parts::Change;
use crate::ui::port::{Seen, shown};
use crate::ui::sorting::{self, By};

/// Worst first, or as the operator has them; for a station that is looked for, the device it hangs on before those that have only
/// heard of it.
pub fn device_order(app: &App) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..app.snapshot.devices.len())
        .filter(|row| {
            let device = &app.snapshot.devices[*row];
            let shown = !app.problems_only || app.parts.standing(device).is_problem();
            shown && (app.filter.is_empty() || device_passes(app, device) || any_port_passes(app, device))
        })
        .collect();
    let at_home = app.shows(PaneKind::Ports);
    let found: HashMap<&AssetId, (bool, usize)> =
        app.found.iter().filter(|_| at_home).map(|f| (&f.device, (f.shared, f.stations))).collect();
    rows.sort_by_cached_key(|row| {
        let device = &app.snapshot.devices[*row];
        (Reverse((app.parts.standing(device), device.condition)), !app.parts.is_old(device))
    });
    let mut rows = sorting::devices(app, rows);
    rows.sort_by_key(|row| found.get(&app.snapshot.devices[*row].host.id).copied().unwrap_or((true, usize::MAX)));
    rows
}

fn device_passes(app: &App, device: &DeviceView) -> bool {
    let words = shown(&device.table.device.description);
    app.filter.lets_through(&Subject {
        name: &device.host.name,
        words: &words,
        condition: app.parts.standing(device),
        word: app.parts.word(device),
        care: None,
        stale: app.parts.is_old(device),
        tags: device.host.tags.iter().map(|t| &**t).collect(),
        group: device.host.group.as_deref().unwrap_or_default(),
        site: device.host.site.as_deref().unwrap_or_default(),
        kind: "device",
        address: device.host.address.as_deref(),
        port: None,
    })
}

/// Where ports are shown a filter looks at all ports of all devices.
fn any_port_passes(app: &App, device: &DeviceView) -> bool {
    app.shows(PaneKind::Ports) && Seen::all(device).any(|seen| port_passes(app, seen))
}

fn port_passes(app: &App, seen: Seen<'_>) -> bool {
    let host = &seen.device.host;
    app.filter.lets_through(&Subject {
        name: &seen.label(),
        words: "",
        condition: seen.view.condition,
        word: "",
        care: None,
        stale: app.parts.is_old(seen.device),
        tags: host.tags.iter().map(|t| &**t).collect(),
        group: host.group.as_deref().unwrap_or_default(),
        site: host.site.as_deref().unwrap_or_default(),
        kind: "port",
        address: None,
        port: Some(PortSubject { seen, lookup: &app.lookup }),
    })
}

/// In the order of the device, as on its front, or as the table is sorted. A filter that no port passes but the device itself
/// leaves all of its ports.
pub fn port_order(app: &App) -> Vec<usize> {
    let Some(device) = app.device() else { return Vec::new() };
    let wanted = |seen: &Seen<'_>| !app.problems_only || seen.view.condition.is_problem();
    let all = || Seen::all(device).filter(wanted);
    let filtered = !app.filter.is_empty() && app.shows(PaneKind::Ports);
    let mut rows: Vec<usize> = all().filter(|s| !filtered || port_passes(app, *s)).map(|s| s.row()).collect();
    if rows.is_empty() && filtered && device_passes(app, device) {
        rows = all().map(|s| s.row()).collect();
    }
    columns::sort(&mut rows, device, &app.lookup, app.columns.sort);
    rows
}

/// Where a station that is looked for is heard on a device: the likeliest port.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub device: AssetId,
    pub port: PortKey,
    /// Something that forwards for others is at the other end.
    pub shared: bool,
    pub stations: usize,
}

/// Looks on all devices; for filters that look for a station.
pub fn find(app: &App) -> Vec<Found> {
    let on = |device: &DeviceView| {
        let id = &device.host.id;
        let ports = Seen::all(device).filter(|seen| port_passes(app, *seen));
        let ranked = ports.map(|seen| {
            let index = seen.port.index;
            (app.lookup.is_shared_port(id, index), app.lookup.station_count(id, index).unwrap_or(0), seen)
        });
        let (shared, stations, seen) = ranked.min_by_key(|(shared, stations, _)| (*shared, *stations))?;
        Some(Found { device: id.clone(), port: seen.key(), shared, stations })
    };
    app.snapshot.devices.iter().filter_map(|device| on(device)).collect()
}

/// What a search for a station could look into.
pub fn not_found(app: &App, now: Timestamp) -> Vec<String> {
    let equipment = app.snapshot.devices.iter().map(|d| &d.table.equipment);
    let walked = |group: &str| {
        let walks = equipment.clone().filter_map(|e| e.walked.iter().find(|w| *w.group == *group && w.rows > 0));
        let (count, oldest) = walks.fold((0, None), |(n, oldest): (usize, Option<Timestamp>), walk| {
            (n + 1, Some(oldest.map_or(walk.at, |at| at.min(walk.at))))
        });
        let age = oldest.map(|at| format!(", the oldest {} old", units::age(now.since(at)))).unwrap_or_default();
        format!("{count} {group} tables{age}")
    };
    vec![format!("looked into {} and {}; they are walked every 15 minutes", walked("forwarding"), walked("arp"))]
}

fn found<'a>(app: &'a App, device: &DeviceView) -> Option<&'a Found> {
    if !app.shows(PaneKind::Ports) {
        return None;
    }
    app.found.iter().find(|f| f.device == device.host.id)
}

pub fn device_title(app: &App) -> (String, String) {
    let t = &app.snapshot.totals;
    if app.snapshot.devices.is_empty() {
        let none = if app.snapshot.awaited.devices > 0 { "" } else { "none" };
        return ("PORTS".to_owned(), none.to_owned());
    }
    let is_old = |device: &&std::sync::Arc<DeviceView>| app.parts.is_old(device);
    let old = app.snapshot.devices.iter().filter(is_old).count();
    // Old good news is not good news.
    let up: usize = app.snapshot.devices.iter().filter(|device| !is_old(device)).map(|device| device.up).sum();
    let here = || app.snapshot.devices.iter().map(|device| device.ports.len()).sum();
    // Those of a device that has not come are not up here.
    let ports = if app.snapshot.awaited.devices > 0 { here() } else { t.ports };
    let mut honesty =
        vec![units::counted(t.devices, "device"), format!("{up} of {} up", units::counted(ports, "port"))];
    if old > 0 {
        honesty.insert(1, format!("{old} old"));
    }
    honesty.extend(app.order_of(PaneKind::Devices).words(PaneKind::Devices));
    ("PORTS".to_owned(), honesty.join(app.look.separator()))
}

pub fn port_title(app: &App) -> (String, String) {
    let Some(device) = app.device() else { return ("PORTS".to_owned(), String::new()) };
    let mut parts = Vec::new();
    if let Some(watch) = crate::ui::watch::words(app, device) {
        parts.push(watch);
    }
    let count = app.list(PaneKind::Ports).order.len();
    // A filter says how many match.
    if count < device.ports.len() && app.filter.is_empty() {
        parts.push(format!("{count} shown"));
    }
    let verb = if app.parts.is_old(device) { "were up" } else { "up" };
    parts.push(format!("{} of {} {verb}", device.up, device.ports.len()));
    let sort = app.columns.sort;
    if sort != columns::Sort::default() {
        let order = if sort.reversed { ", reversed" } else { "" };
        parts.push(format!("by {}{order}", sort.column.name()));
    }
    if !device.table.complete {
        parts.push("incomplete".to_owned());
    }
    if app.parts.is_old(device) {
        let unreachable = app.parts.standing(device) == Condition::Unreachable;
        parts.push(if unreachable { "unreachable" } else { "stale" }.to_owned());
    }
    let selected = app.selected_port().map(|seen| format!(" {}", seen.label())).unwrap_or_default();
    (format!("{}{selected}", device.host.name), parts.join(app.look.separator()))
}

pub fn empty(app: &App) -> Vec<String> {
    if app.problems_only && !app.snapshot.devices.is_empty() {
        return vec![format!("no port has a problem: {} shows all", app.key_of(Action::ProblemsOnly))];
    }
    let waiting = app.snapshot.hosts.iter().any(|h| h.checks.iter().any(|c| &*c.spec.kind == "ports"));
    if waiting {
        return vec!["no device was walked yet".to_owned()];
    }
    vec![
        "no switches yet: give a [[host]] its snmp table, and its ports stand here; no community is ever guessed"
            .to_owned(),
    ]
}

/// So many lines they have before anything else has some.
const CHANGES_FIRST: u16 = 9;
/// Rows from which on the last changes are worth their rule.
const LEAST_CHANGES: u16 = 4;
/// Rows of them that have room more at a time.
const CHANGES_STEP: usize = 4;
/// Rows of them that are shown: each new one moves all of them, which a slow link has to carry.
const MOST_CHANGES: usize = 20;

/// Columns of a rule beside its words.
const RULE: usize = 10;

/// As much as the longest name needs, never most of the row.
pub fn device_name_width(app: &App, width: u16) -> usize {
    (app.hosts_have.device + 1).clamp(8, usize::from(width / 4).max(8))
}

/// What changed last, below the devices where there is room: a rule of its own and the newest first, by the clock, so that
/// nothing has to be drawn again as time goes by. Beside the ports of a device it tells of ports alone. The lines that it took.
pub fn draw_changes(app: &App, frame: &mut Frame<'_>, area: Rect) -> u16 {
    let (title, changes) = changes(app);
    if changes.is_empty() || area.height < LEAST_CHANGES {
        return 0;
    }
    let styles = (app.look.style(Meaning::Rule), app.look.style(Meaning::Title), dim(app));
    // Half a word says less than none.
    let (long, short) = ("UTC, newest first", "UTC");
    let how = if usize::from(area.width) < title.len() + long.len() + RULE { short } else { long };
    canvas::rule(frame.buffer, &app.look, area, title, how, styles);
    let shown = usize::from(area.height - 1).min(MOST_CHANGES);
    let changes = changes.get(..shown).unwrap_or(changes);
    let times = super::times(app, changes.last().map(|change| change.at));
    let longest = changes.iter().map(|change| text::width(&change.name)).max().unwrap_or(0);
    let name = (longest + 1).clamp(8, usize::from(area.width / 3).max(8));
    for (change, y) in changes.iter().zip(area.y + 1..) {
        let (glyph, style) = match change.condition {
            Some(condition) => app.look.condition(condition, false),
            None => (" ", dim(app)),
        };
        let mut line = Row::new(frame.buffer, &app.look, area, y);
        line.gap(1).cell(&times.words(change.at), times.width(), dim(app)).gap(1).put(glyph, style).gap(1);
        line.name(&change.name, name - 1, app.look.style(Meaning::Text)).gap(1);
        if let Some(port) = &change.port {
            line.put(&port.label.line(), app.look.style(Meaning::Text)).gap(1);
        }
        let words = change.condition.map_or(dim(app), |condition| app.look.words(condition, false));
        line.put(&change.words, words);
        if !change.reason.is_empty() {
            line.put(app.look.separator(), dim(app)).put(&change.reason, dim(app));
        }
    }
    changes.len() as u16 + 1
}

fn changes(app: &App) -> (&'static str, &[Change]) {
    match app.screen {
        ScreenId::Ports => ("LAST CHANGES OF PORTS", app.parts.port_changes()),
        _ => ("LAST CHANGES", app.parts.changes()),
    }
}

/// Lines that [`draw_changes`], and below the devices the busiest ports, would take, each with a free one before it. In steps, so
/// that not every change moves what stands below.
pub fn lines_below(app: &App, are_devices: bool) -> u16 {
    let changes = match changes(app).1.len() {
        0 => 0,
        count => count.next_multiple_of(CHANGES_STEP).min(MOST_CHANGES) + 2,
    };
    let busiest = if are_devices { busiest::lines(app) } else { 0 };
    changes as u16 + busiest
}

/// What stands below the devices of a screen that has room: what changed last, and which links are busiest.
pub fn draw_below(app: &App, frame: &mut Frame<'_>, area: Rect) {
    // A few changes more are worth less than the links.
    let most = if app.screen == ScreenId::Overview { area.height / 2 } else { area.height };
    let changes = Rect { height: most.max(area.height.min(CHANGES_FIRST)), ..area };
    let used = draw_changes(app, frame, changes);
    let gap = u16::from(used > 0);
    if used + gap < area.height {
        busiest::draw(app, frame, Rect { y: area.y + used + gap, height: area.height - used - gap, ..area });
    }
}

/// As the rows have it.
pub fn draw_device_header(app: &App, frame: &mut Frame<'_>, area: Rect) -> Heads {
    let kind = PaneKind::Devices;
    let order = app.order_of(kind);
    let (style, accent) = (dim(app), app.look.style(Meaning::Accent));
    let mut heads = Heads::new();
    let mut line = Row::new(frame.buffer, &app.look, area, area.y);
    line.gap(3).end(" ", style);
    let flow: &[(&str, usize, By)] = if area.width >= 70 { &FLOW } else { &[] };
    for (title, width, by) in [("age", 4, By::Age)].iter().chain(flow).chain(&COUNTS) {
        let (to, is_by) = (line.end_column(), order.by == *by);
        let title =
            if is_by { app.look.sorted_head(title, *width, true, order.descends()) } else { (*title).to_owned() };
        line.end(&format!("{title:>width$}"), if is_by { accent } else { style });
        heads.push((line.end_column()..to, Head::By(kind, *by)));
    }
    let title = Title { words: "device", width: device_name_width(app, area.width), is_right: false };
    heads::put(app, &mut line, &mut heads, title, (kind, &[By::Name]));
    let title = Title { words: "ports", width: line.room(), is_right: false };
    heads::put(app, &mut line, &mut heads, title, (kind, &[By::Severity]));
    heads
}

/// Heads at the right of a device's row, from its end.
const FLOW: [(&str, usize, By); 2] = [("out", 10, By::Out), ("in", 9, By::In)];
const COUNTS: [(&str, usize, By); 2] = [("up", 8, By::Up), ("also", 5, By::Findings)];

pub fn draw_device(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, row: usize) {
    let Some(device) = app.snapshot.devices.get(row) else { return };
    let age = age(frame, Some(device.table.collected_at));
    let (standing, old) = (app.parts.standing(device), app.parts.is_old(device));
    let (glyph, style) = app.look.condition(standing, old);
    // What somebody has taken on is quiet, and stays.
    let words = if app.parts.is_handled(device) { dim(app) } else { app.look.words(standing, old) };
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    line.gap(1).put(glyph, style).gap(1);
    line.end(" ", words).end(&format!("{age:>3}"), if old { style } else { dim(app) }).end(" ", words);
    if area.width >= 70 {
        // Before the second walk there is no rate, which is not none.
        let rate = |total: Option<f64>| total.map_or_else(|| "–".to_owned(), units::bit_rate);
        // What went through it when it was last heard does not go through it now.
        let rate = |total| if old { "–".to_owned() } else { rate(total) };
        let flow = format!("in {:>5} out {:>5}", rate(device.total(Rates::in_bps)), rate(device.total(Rates::out_bps)));
        line.end(&flow, dim(app)).end(" ", words);
    }
    let up = if old { "?".to_owned() } else { device.up.to_string() };
    line.end(&format!("{:>7}", format!("{up}/{}", device.ports.len())), dim(app)).end(" ", words);
    // What is wrong beside its ports: how much, and where there is room the worst of it in words.
    let findings = &device.findings;
    if let Some(worst) = findings.first() {
        let (glyph, style) = app.look.condition(worst.condition, old);
        let style = if old { dim(app) } else { style };
        line.end(&format!("{glyph}{}", findings.len()), style).end(" ", words);
    }
    line.name(&device.host.name, device_name_width(app, area.width), words).gap(1);
    if let Some(found) = found(app, device) {
        let text = app.look.style(if found.shared { Meaning::Dim } else { Meaning::Text });
        line.put(&shown(&found.port.label), text).put(app.look.separator(), dim(app)).put(&heard(found), text);
        return;
    }
    faceplate(app, &mut line, device);
    if let Some(worst) = findings.first()
        && line.room() > 12
    {
        line.gap(2).put(&worst.words, dim(app));
    }
}

/// One glyph a port, logical interfaces left out, a gap where the name's stem changes (`Gi1/0/` to `Te1/1/`) and
/// after each dozen as far as there is room. Where there is too little, access ports without a problem go first, and are
/// counted.
fn faceplate(app: &App, line: &mut Row<'_>, device: &DeviceView) {
    let ports: Vec<&PortView> = Seen::all(device).filter(Seen::is_physical).map(|seen| seen.view).collect();
    if ports.len() > line.room() {
        shortened(app, line, device);
        return;
    }
    let stems: Vec<&[u8]> = ports.iter().map(|p| stem(device, p)).collect();
    let new_stem = |at: usize| at > 0 && stems[at] != stems[at - 1];
    let stem_gaps = (0..ports.len()).filter(|at| new_stem(*at)).count();
    let room = line.room();
    let dozens = ports.len() + ports.len() / 12 + stem_gaps <= room;
    let gaps = ports.len() + stem_gaps <= room;
    for (at, port) in ports.iter().enumerate() {
        if (gaps && new_stem(at)) || (dozens && at > 0 && at % 12 == 0) {
            line.gap(1);
        }
        let (glyph, style) = port_glyph(app, port, app.parts.is_old(device));
        line.put(glyph, style);
    }
}

fn shortened(app: &App, line: &mut Row<'_>, device: &DeviceView) {
    let matters = |row: usize| device.ports.get(row).is_some_and(|port| port.condition.is_problem());
    let ranked = Faceplate::new(device).ranked(&matters);
    let ranks: Vec<Rank> = ranked.iter().map(|(_, rank)| *rank).collect();
    let taken = mark(ranks.len()).len() + 2;
    let kept = keep(&ranks, line.room().saturating_sub(taken));
    let port = |at: usize| ranked.get(at).and_then(|(row, _)| device.ports.get(*row));
    let out = || (0..ranked.len()).filter(|at| !kept[*at]).filter_map(port);
    let first = kept.iter().position(|kept| !kept);
    for (at, is_kept) in kept.iter().enumerate() {
        if Some(at) == first {
            line.put(&format!(" {} ", mark(out().count())), left_out(app, device, out()));
        }
        if let Some(port) = port(at).filter(|_| *is_kept) {
            let (glyph, style) = port_glyph(app, port, app.parts.is_old(device));
            line.put(glyph, style);
        }
    }
}

/// The mark of ports that are left out is as bad as the worst of them.
fn left_out<'a>(app: &App, device: &DeviceView, ports: impl Iterator<Item = &'a PortView>) -> Style {
    let worst = ports.map(|port| port.condition).max().unwrap_or(Condition::Ok);
    let problem = worst.is_problem() && !app.parts.is_old(device);
    if problem { app.look.condition(worst, false).1 } else { dim(app) }
}

/// A port's label up to its last number.
fn stem<'a>(device: &'a DeviceView, port: &PortView) -> &'a [u8] {
    let label = device.table.ports.get(port.row).map_or(&[][..], |facts| facts.label().as_bytes());
    let digits = label.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    &label[..label.len() - digits]
}

/// What it means that a station is heard on a port.
fn heard(found: &Found) -> String {
    match (found.shared, found.stations) {
        (true, n) => format!("heard through its neighbor, with {n} stations"),
        (false, 0 | 1) => "access port".to_owned(),
        (false, n) => format!("access port, {n} stations"),
    }
}

/// The glyph of a port.
pub fn port_glyph(app: &App, port: &PortView, stale: bool) -> (&'static str, Style) {
    app.look.port(port, stale)
}
