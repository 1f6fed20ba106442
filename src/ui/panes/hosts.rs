//! HOSTS: worst first, then in the order of the inventory.

use std::time::Duration;

use ratatui::layout::Rect;

use super::{age, dim, spark};
use crate::base::{Timestamp, units};
use crate::config::theme::Meaning;
use crate::model::Condition;
use crate::state::HostView;
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::filter::Subject;
use crate::ui::frame::Frame;

/// Worst first, by counting: linear for ten thousand hosts.
pub fn order(app: &App) -> Vec<usize> {
    let mut buckets: [Vec<usize>; 9] = Default::default();
    for (row, host) in app.snapshot.hosts.iter().enumerate() {
        if app.problems_only && !host.condition.is_problem() && !host.stale {
            continue;
        }
        if app.filter.is_empty() || passes(app, host) {
            buckets[rank(host)].push(row);
        }
    }
    buckets.concat()
}

fn rank(host: &HostView) -> usize {
    match host.condition {
        Condition::Critical => 0,
        Condition::Warning => 1,
        Condition::Unknown => 2,
        Condition::Unreachable => 3,
        _ if host.stale => 4,
        Condition::Pending => 5,
        Condition::Ok => 6,
        Condition::NotProbed => 7,
    }
}

fn passes(app: &App, host: &HostView) -> bool {
    let words = host.reason.line();
    app.filter.lets_through(&Subject {
        name: &host.host.name,
        words: &words,
        condition: host.condition,
        stale: host.stale,
        tags: host.host.tags.iter().map(|t| &**t).collect(),
        group: host.host.group.as_deref().unwrap_or_default(),
        kind: "host",
        address: host.host.address.as_deref(),
        port: None,
    })
}

pub fn title(app: &App) -> (String, String) {
    let t = &app.snapshot.totals;
    let asked = t.hosts - t.hosts_not_probed - t.hosts_pending;
    let mut parts = vec![format!("{asked} of {} polled", t.hosts)];
    if t.hosts_stale > 0 {
        parts.push(format!("{} stale", t.hosts_stale));
    }
    if t.hosts_not_probed > 0 {
        parts.push(format!("{} not probed", t.hosts_not_probed));
    }
    if app.problems_only {
        parts.push("problems only".to_owned());
    }
    ("HOSTS".to_owned(), parts.join(app.look.separator()))
}

pub fn empty(app: &App) -> Vec<String> {
    if app.problems_only && !app.snapshot.hosts.is_empty() {
        return vec!["no host has a problem: P shows all".to_owned()];
    }
    if app.snapshot.engine.discovering {
        return vec!["looking for what there is to watch".to_owned()];
    }
    vec!["no hosts: add [[host]] to the configuration (noctty config init)".to_owned()]
}

pub fn draw_row(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, row: usize) {
    let Some(host) = app.snapshot.hosts.get(row) else { return };
    let age = age(frame, moment(host));
    let (glyph, style) = app.look.condition(host.condition, host.stale);
    let words = app.look.words(host.condition, host.stale);
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    line.gap(1).put(glyph, style).gap(1);
    line.end(" ", words).end(&format!("{age:>3}"), if host.stale { style } else { dim(app) }).end(" ", words);
    if area.width >= 110 {
        line.end(&format!("{:>16}", host.host.origin.label()), dim(app)).end(" ", words);
    }
    // The words about a silent host need the room more than the course of what it said before.
    if area.width >= 56
        && let Some((value, least)) = leading(host)
    {
        let trail = if host.trail.len() > 1 { spark(app, &host.trail, 8, least) } else { String::new() };
        line.end(&format!("{trail:>8}"), app.look.style(Meaning::Bar)).end(" ", words);
        if area.width >= 72 {
            line.end(&format!("{value:>9}"), dim(app)).end(" ", words);
        }
    }
    let name_width = super::name_width(area.width);
    line.name(&host.host.name, name_width, words).gap(1);
    if area.width >= 110 {
        line.cell(state_word(host), 12, words);
    }
    if host.condition == Condition::Pending {
        line.put("no answer yet", dim(app));
        return;
    }
    let soft = host.checks.iter().find(|c| c.is_soft());
    if let (Some(soft), Condition::Ok) = (soft, host.condition) {
        let last = soft.last.as_ref().map(|o| o.reading.summary.line()).unwrap_or_default();
        line.put(&format!("{} {}/{}: {last}", soft.spec.key.name, soft.attempt, soft.spec.attempts), dim(app));
        return;
    }
    let text = if host.condition.is_problem() { Meaning::Text } else { Meaning::Dim };
    line.put(&host.reason.line(), app.look.style(if host.stale { Meaning::Stale } else { text }));
}

/// The value whose course the sparkline shows, where it is of now, and the least that fills it: a link that answers within milliseconds is
/// calm, however much those differ.
fn leading(host: &HostView) -> Option<(String, f32)> {
    // A value from before the silence would pass for one of now.
    if host.stale || matches!(host.condition, Condition::Unreachable | Condition::Critical | Condition::Pending) {
        return None;
    }
    if let Some(load) = host.metric("load1") {
        return Some((format!("load {load:.1}"), 1.0));
    }
    let rtt = host.metric("rtt").and_then(|rtt| Duration::try_from_secs_f64(rtt).ok())?;
    Some((units::round_trip(rtt), 0.02))
}

/// A problem is as old as itself, a good value as old as its last answer.
pub fn moment(host: &HostView) -> Option<Timestamp> {
    if host.condition.is_problem() || host.condition == Condition::Unreachable {
        Some(host.since)
    } else {
        host.last_result()
    }
}

/// The state in a word.
pub fn state_word(host: &HostView) -> &'static str {
    match host.condition {
        Condition::Critical => "CRITICAL",
        Condition::Warning => "WARNING",
        Condition::Unknown => "UNKNOWN",
        Condition::Unreachable => "UNREACHABLE",
        _ if host.stale => "STALE",
        Condition::Pending => "PENDING",
        Condition::Ok => "UP",
        Condition::NotProbed => "NOT PROBED",
    }
}
