//! A host: its condition and why, the switch port it hangs on, what it says of itself where it is a device, its checks.

use super::{Line, ago, before, care, check, device, hidden, meaning, runbook, tables, vitals};
use crate::base::{Timestamp, units};
use crate::config::theme::Meaning;
use crate::model::{AssetId, Condition, Target};
use crate::state::lookup::How;
use crate::state::rules::together::Falls;
use crate::state::{CheckView, HostView};
use crate::ui::app::App;
use crate::ui::watch;
use crate::ui::{logbook, panes};

/// Notifications of one host that are shown.
const TOLD: usize = 20;

pub fn lines(app: &App, now: Timestamp, host: &HostView, out: &mut Vec<Line>) {
    let device = app.snapshot.device(&host.host.id);
    let address = host.host.address.as_deref().unwrap_or("this machine");
    let site = host.host.site.as_deref().map(|site| format!("   site {site}")).unwrap_or_default();
    let stale = if host.stale { ", STALE" } else { "" };
    out.push((meaning(host.condition), format!("{}{stale} for {}", host.word(), units::age(now.since(host.since)))));
    if !host.reason.is_empty() {
        // In a line of its own: it has to be read to its end, on narrow screens too.
        let problem = host.condition.is_problem();
        out.push((
            if problem { Meaning::Text } else { Meaning::Dim },
            panes::without_word(&host.reason.line(), host.word()).to_owned(),
        ));
    }
    let falls = Falls::of(&app.snapshot.hosts, &app.snapshot.devices);
    out.extend(falls.company(host).map(|company| (Meaning::Warning, company.words())));
    out.extend(app.parts.bad(host).map(|bad| (meaning(bad.worst), bad.words())));
    out.extend(watch::host_words(app, host).map(|words| (Meaning::Accent, words)));
    let id = &host.host.id;
    care(app, now, &Target::Host(id.clone()), &host.care, out);
    let mine = [Target::Host, Target::Device, Target::GonePorts].map(|target| target(id.clone()));
    before::lines(app, &mine, out);
    out.push((
        Meaning::Dim,
        format!("{address}{site}   from {}   last seen {}", host.host.origin.label(), ago(now, host.last_seen)),
    ));
    let tags: Vec<&str> = host.host.tags.iter().map(|t| &**t).collect();
    if !tags.is_empty() {
        out.push((Meaning::Dim, format!("tags {}", tags.join(", "))));
    }
    out.extend(runbook(app, &host.host.id));
    out.extend(path(app, host));
    out.extend(hidden(app, &[Target::Host(id.clone()), Target::GonePorts(id.clone())]));
    if let Some(line) = hangs(app, now, host) {
        out.push(line);
    }
    if let Some((told, at)) = vitals::of(host) {
        vitals::lines(now, told, at, out);
    }
    let old = device.is_some_and(|device| app.parts.is_old(device));
    if let Some(device) = device {
        device::problems(now, device, old, out);
    }
    // What fails before what the device told of itself when it did not.
    let bad = |check: &&CheckView| check.condition.is_problem();
    let of_check = |check: &CheckView, out: &mut Vec<Line>| {
        out.push((Meaning::Text, String::new()));
        check::lines(now, check, out);
    };
    host.checks.iter().filter(bad).for_each(|check| of_check(check, out));
    if let Some(device) = device {
        device::lines(now, device, old, out);
    }
    host.checks.iter().filter(|check| !bad(check)).for_each(|check| of_check(check, out));
    if let Some(device) = device {
        tables::lines(now, &device.table.equipment.walked, out);
    }
    notifications(app, now, &host.host.id, out);
}

/// What it hangs on, and what that hangs on, up to the top, by redundancy group; what is down is marked.
fn path(app: &App, host: &HostView) -> Option<Line> {
    let mut steps: Vec<String> = Vec::new();
    let mut seen: Vec<&AssetId> = vec![&host.host.id];
    let mut here = host;
    let mut meaning = Meaning::Dim;
    loop {
        if let Some(parent) = here.care.inferred_parent.as_ref().filter(|_| here.host.parents.is_empty()) {
            steps.push(format!("{} (inferred from {})", parent.name, parent.by.label()));
            break;
        }
        let Some(first) = here.host.parents.first().filter(|id| !seen.contains(id)) else { break };
        let mut groups: Vec<String> = Vec::new();
        let several = here.host.parent_groups().nth(1).is_some();
        for group in here.host.parent_groups() {
            let mut parents: Vec<String> = Vec::new();
            for id in group {
                let parent = app.snapshot.host(id);
                let state = parent.filter(|p| p.condition.is_problem() || p.condition == Condition::Unreachable);
                if state.is_some() {
                    meaning = Meaning::Unreachable;
                }
                let state = state.map(|parent| format!(" ({})", parent.word())).unwrap_or_default();
                parents.push(format!("{}{state}", id.as_str()));
            }
            let words = parents.join(" or ");
            groups.push(if several && group.len() > 1 { format!("({words})") } else { words });
        }
        steps.push(groups.join(" and "));
        seen.push(first);
        let Some(next) = app.snapshot.host(first) else { break };
        here = next;
    }
    (!steps.is_empty()).then(|| (meaning, format!("hangs on {}", steps.join(&app.look.text(" → ")))))
}

/// What the host told by itself, newest first.
fn notifications(app: &App, now: Timestamp, host: &AssetId, out: &mut Vec<Line>) {
    let mut told = app.snapshot.notifications.iter().filter(|n| n.told.host == *host).take(TOLD).peekable();
    if told.peek().is_some() {
        out.push((Meaning::Text, String::new()));
        out.push((Meaning::Title, "told by itself".to_owned()));
    }
    out.extend(told.map(|n| {
        (meaning(logbook::condition(&n.told.kind)), format!("  {}  {}", ago(now, Some(n.told.at)), logbook::words(n)))
    }));
}

/// The port it hangs on, where that is known.
fn hangs(app: &App, now: Timestamp, host: &HostView) -> Option<Line> {
    let (asset, _, ports) = app.hangs.as_ref()?;
    let on = ports.first().filter(|_| *asset == host.host.id)?;
    let place = format!("{} {}", on.device.as_str(), app.port_name(&on.device, on.port));
    let vlan = on.vlan.map(|v| format!(", VLAN {v}")).unwrap_or_default();
    let how = match on.how {
        How::Neighbor(protocol) => format!("by {}", protocol.as_str().to_uppercase()),
        How::Forwarding => "its address is heard there".to_owned(),
    };
    let keys = app.keymap.keys_of("follow");
    let key = keys.first().map(|k| format!("   {k} goes there")).unwrap_or_default();
    let others = ports.len() - 1;
    if app.snapshot.device(asset).is_some() {
        let more = if others > 0 { format!(" and {others} more") } else { String::new() };
        return Some((Meaning::Text, format!("cabled to {place}{more}   {how}, walked {}{key}", ago(now, on.at))));
    }
    let verb = if on.shared { "is somewhere beyond" } else { "hangs on" };
    Some((Meaning::Text, format!("{verb} {place}{vlan}   {how}, walked {}{key}", ago(now, on.at))))
}
