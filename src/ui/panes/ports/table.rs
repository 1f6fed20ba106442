//! The table of one device's ports, in the columns that the operator chose and the screen has room for.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{dim, heard, port_glyph};
use crate::base::units;
use crate::config::theme::Meaning;
use crate::model::Condition;
use crate::model::Duplex;
use crate::model::device::PoeStatus;
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::columns::{self, Column, Fitted};
use crate::ui::frame::Frame;
use crate::ui::panes::{Head, Heads, age};
use crate::ui::port::{Seen, shown};

/// The columns that are on the screen, and how many that are wanted are not.
pub fn fitted(app: &App, width: u16) -> (Vec<Fitted>, usize) {
    app.device().map(|device| app.columns.fit(device, usize::from(width))).unwrap_or_default()
}

pub fn draw_header(app: &App, frame: &mut Frame<'_>, area: Rect) -> Heads {
    let mut heads = Heads::new();
    let (fitted, dropped) = fitted(app, area.width);
    let (plain, accent) = (dim(app), app.look.style(Meaning::Accent));
    let sort = app.columns.sort;
    let mut line = Row::new(frame.buffer, &app.look, area, area.y);
    line.gap(3);
    let style = |column: Column| if sort.column == column { accent } else { plain };
    let marked = |title: &str, width, is_right| app.look.sorted_head(title, width, is_right, sort.descends());
    let age = Column::Changed.title();
    let age = if sort.column == Column::Changed { marked(age, 4, true) } else { age.to_owned() };
    let to = line.end_column();
    line.end(" ", plain).end(&format!("{age:>4}"), style(Column::Changed));
    heads.push((line.end_column()..to, Head::Port(Column::Changed)));
    for Fitted { column, width } in fitted.into_iter().filter(|f| f.column != Column::Changed) {
        let from = line.column();
        let mut title = column.title().to_owned();
        if sort.column == column {
            title = marked(&title, width, column.is_right());
        }
        if column.is_right() {
            line.right(&title, width, style(column));
        } else if column == Column::Alias && dropped > 0 {
            line.cell(&format!("{title} +{dropped}"), width, style(column));
        } else {
            line.cell(&title, width, style(column));
        }
        line.gap(1);
        heads.push((from..line.column(), Head::Port(column)));
    }
    heads
}

pub fn draw_port(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, row: usize) {
    let Some(device) = app.device() else { return };
    let Some(seen) = Seen::at(device, row) else { return };
    let changed = age(frame, seen.changed());
    let old = app.parts.is_old(device);
    let (glyph, style) = port_glyph(app, seen.view, old);
    let condition = if seen.view.condition.is_problem() { seen.view.condition } else { Condition::Ok };
    let words = app.look.words(condition, old);
    let (fitted, _) = fitted(app, area.width);
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    line.gap(1).put(glyph, style).gap(1);
    line.end(" ", words).end(&format!("{changed:>3}"), dim(app)).end(" ", words);
    let mut reasoned = false;
    for Fitted { column, width } in fitted {
        match column {
            Column::Changed => continue,
            Column::Port => line.name(&seen.label(), width, words),
            Column::State => line.cell(seen.view.state.as_str(), width, words),
            Column::Alias => {
                reasoned = true;
                about(app, &mut line, seen, true);
                &mut line
            }
            _ => {
                let (text, style) = value(app, seen, column, width);
                if column.is_right() { line.right(&text, width, style) } else { line.cell(&text, width, style) }
            }
        };
        line.gap(1);
    }
    if !reasoned {
        about(app, &mut line, seen, false);
    }
}

/// The reason of the state, what a filter found there, and the alias.
fn about(app: &App, line: &mut Row<'_>, seen: Seen<'_>, alias: bool) {
    let text = app.look.style(Meaning::Text);
    if let Some(reason) = seen.view.reason.as_deref() {
        line.put(reason, text).gap(1);
    }
    if app.filter.is_for_station()
        && let Some(found) = app.found.iter().find(|f| f.device == seen.device.host.id && f.port == seen.key())
    {
        line.put(&heard(found), app.look.style(Meaning::Accent)).gap(1);
    }
    if alias {
        line.put(&shown(&seen.port.alias), dim(app));
    }
}

/// What a column says of a port, in words alone.
pub fn words(app: &App, seen: Seen<'_>, column: Column) -> String {
    value(app, seen, column, usize::MAX).0.trim().to_owned()
}

fn value(app: &App, seen: Seen<'_>, column: Column, width: usize) -> (String, Style) {
    const UNKNOWN: &str = "–";
    let plain = dim(app);
    let warning = app.look.style(Meaning::Warning);
    let facts = seen.facts;
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    match column {
        Column::Speed => (or_unknown(seen.port.speed_bps.map(units::speed)), plain),
        // What went through before the link or the device was lost would pass for what goes through now.
        Column::In | Column::Out | Column::Used if !seen.may_carry() => (UNKNOWN.to_owned(), plain),
        Column::In | Column::Out | Column::Used | Column::Errors | Column::Discards
            if app.parts.is_old(seen.device) =>
        {
            (UNKNOWN.to_owned(), plain)
        }
        Column::In => (or_unknown(seen.in_bps().map(units::bit_rate)), plain),
        Column::Out => (or_unknown(seen.out_bps().map(units::bit_rate)), plain),
        Column::Used => match seen.utilisation() {
            (None, None) => (UNKNOWN.to_owned(), plain),
            (received, sent) => {
                let percent = |v: Option<f64>| v.map_or_else(|| UNKNOWN.to_owned(), |v| format!("{v:.0}"));
                (format!("{}/{:>3}", percent(received), percent(sent)), plain)
            }
        },
        Column::Errors => per_second(seen.errors(), plain, warning),
        Column::Discards => per_second(seen.discards(), plain, warning),
        Column::Vlan => (facts.map_or_else(|| UNKNOWN.to_owned(), |f| columns::vlan(f.vlan, f.tagged.len())), plain),
        Column::Poe => match facts.and_then(|f| f.poe) {
            None => (UNKNOWN.to_owned(), plain),
            Some(poe) => {
                let bad = matches!(poe.status, PoeStatus::Fault | PoeStatus::OtherFault | PoeStatus::Denied);
                (columns::poe(poe), if bad { warning } else { plain })
            }
        },
        Column::Duplex => {
            let half = seen.port.duplex == Some(Duplex::Half);
            let text = seen.port.duplex.map(|d| if d == Duplex::Half { "half" } else { "full" }.to_owned());
            (or_unknown(text), if half { warning } else { plain })
        }
        Column::Macs => {
            let count = app.lookup.station_count(&seen.device.host.id, seen.port.index);
            (or_unknown(count.map(|n| n.to_string())), plain)
        }
        Column::Neighbor => (neighbor(seen, width), app.look.style(Meaning::Text)),
        Column::Port | Column::State | Column::Alias | Column::Changed => (String::new(), plain),
    }
}

/// No errors is no news; not knowing is said.
fn per_second(rate: Option<f64>, plain: Style, warning: Style) -> (String, Style) {
    match rate {
        None => ("–".to_owned(), plain),
        Some(rate) if rate <= 0.0 => ("0".to_owned(), plain),
        Some(rate) if rate < 0.05 => ("<0.1".to_owned(), warning),
        Some(rate) => (format!("{rate:.1}"), warning),
    }
}

/// Who is at the other end, and where there is room at which of its ports; how many more there are.
fn neighbor(seen: Seen<'_>, width: usize) -> String {
    let neighbors = seen.facts.map(|f| &f.neighbors[..]).unwrap_or_default();
    let Some(first) = neighbors.first() else { return String::new() };
    let name = shown(&first.name);
    let short = name.split('.').next().filter(|s| !s.is_empty() && s.parse::<u8>().is_err()).unwrap_or(&name);
    let port = shown(&first.port);
    let more = if neighbors.len() > 1 { format!(" +{}", neighbors.len() - 1) } else { String::new() };
    let whole = format!("{short} {port}{more}");
    if crate::base::text::width(&whole) <= width { whole } else { format!("{short}{more}") }
}
