//! A row of a pane as separate cells, for what is copied: the same words that are drawn, whatever fits on the screen.

use super::{PaneKind, backups, hosts, incident, log, ports, problems};
use crate::base::{Timestamp, units};
use crate::state::DeviceView;
use crate::ui::app::App;
use crate::ui::columns::Column;
use crate::ui::port::{Seen, shown};

/// The cell that identifies a row.
pub fn name(app: &App, kind: PaneKind, row: usize) -> Option<String> {
    let snapshot = &app.snapshot;
    match kind {
        PaneKind::Problems => snapshot.problem(row).map(|p| p.title.line()),
        PaneKind::Hosts => snapshot.hosts.get(row).map(|h| h.host.name.to_string()),
        PaneKind::Devices => snapshot.devices.get(row).map(|d| d.host.name.to_string()),
        PaneKind::Ports => Some(Seen::at(app.device()?, row)?.label().into_owned()),
        PaneKind::Backups => snapshot.jobs.get(row).map(|j| j.job.name.to_string()),
        PaneKind::Incident => Some(app.incident()?.entries.get(row)?.text.line()),
        PaneKind::Sessions => app.sessions.get(row).map(|s| s.host().to_owned()),
        PaneKind::Log => log::fields(app, row).map(|[.., says]| says),
    }
}

/// What the cells of a row are called.
pub fn titles(app: &App, kind: PaneKind) -> Vec<&'static str> {
    match kind {
        PaneKind::Problems => problems::FIELDS.to_vec(),
        PaneKind::Hosts => hosts::FIELDS.to_vec(),
        PaneKind::Devices => vec!["device", "state", "up", "ports", "age", "says"],
        PaneKind::Ports => std::iter::once("device").chain(columns(app).map(Column::title)).collect(),
        PaneKind::Backups => backups::FIELDS.to_vec(),
        PaneKind::Incident => incident::FIELDS.to_vec(),
        PaneKind::Sessions => vec!["session"],
        PaneKind::Log => log::FIELDS.to_vec(),
    }
}

/// The cells of a row.
pub fn cells(app: &App, kind: PaneKind, row: usize) -> Option<Vec<String>> {
    match kind {
        PaneKind::Problems => problems::fields(app, row).map(Vec::from),
        PaneKind::Hosts => hosts::fields(app, row).map(Vec::from),
        PaneKind::Devices => app.snapshot.devices.get(row).map(|device| self::device(app, device)),
        PaneKind::Ports => {
            let device = app.device()?;
            let seen = Seen::at(device, row)?;
            let cells = columns(app).map(|column| port(app, seen, column));
            Some(std::iter::once(device.host.name.to_string()).chain(cells).collect())
        }
        PaneKind::Backups => backups::fields(app, row).map(Vec::from),
        PaneKind::Incident => incident::fields(app, row).map(Vec::from),
        PaneKind::Sessions => name(app, kind, row).map(|name| vec![name]),
        PaneKind::Log => log::fields(app, row).map(Vec::from),
    }
}

/// A state that is old is never copied as one of now.
pub(super) fn state(word: &str, stale: bool) -> String {
    if stale && word != "STALE" { format!("{word} (last known)") } else { word.to_owned() }
}

pub(super) fn age(app: &App, at: Option<Timestamp>) -> String {
    at.map_or_else(|| "–".to_owned(), |at| units::age(app.now().since(at)))
}

fn device(app: &App, device: &DeviceView) -> Vec<String> {
    vec![
        device.host.name.to_string(),
        state(app.parts.standing(device).as_str(), app.parts.is_old(device)),
        device.up.to_string(),
        device.ports.len().to_string(),
        age(app, Some(device.table.collected_at)),
        device.findings.first().map(|worst| worst.words.to_string()).unwrap_or_default(),
    ]
}

/// Those that the operator has not hidden.
fn columns(app: &App) -> impl Iterator<Item = Column> {
    Column::ALL.iter().map(|(column, ..)| *column).filter(|column| !app.columns.hidden.contains(column))
}

fn port(app: &App, seen: Seen<'_>, column: Column) -> String {
    match column {
        Column::Port => seen.label().into_owned(),
        Column::State => state(seen.view.state.as_str(), app.parts.is_old(seen.device)),
        Column::Changed => age(app, seen.changed()),
        Column::Alias => match seen.view.reason.as_deref() {
            Some(reason) => format!("{reason} {}", shown(&seen.port.alias)).trim().to_owned(),
            None => shown(&seen.port.alias).into_owned(),
        },
        _ => ports::value(app, seen, column),
    }
}
