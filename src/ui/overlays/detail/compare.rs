//! Two machines side by side: what differs first, then what is the same. Lists are told by what only one of them has.

use super::packages::{self, Packages};
use super::{Line, heading, vitals};
use crate::base::{Timestamp, Untrusted, text, units};
use crate::config::theme::Meaning;
use crate::model::AssetId;
use crate::model::vitals::{Amount, Vitals};
use crate::state::{CheckView, DeviceView, HostView};
use crate::ui::app::App;
use crate::ui::panes::host_parents;

/// Columns of the name of a value.
const NAME: usize = 14;
/// Columns of one of the two values at the most, and the least with which two stand side by side.
const VALUE: (usize, usize) = (40, 26);
/// Rows of one list that are shown.
const LISTED: usize = 24;

pub fn title(app: &App, pair: &[AssetId; 2]) -> String {
    let name = |id: &AssetId| app.snapshot.host(id).map_or_else(|| id.as_str().to_owned(), |h| h.host.name.to_string());
    format!("{} and {}", name(&pair[0]), name(&pair[1]))
}

/// Whether a check looks at how a machine is.
fn tells(check: &CheckView) -> bool {
    ["linux", "windows", "local", "prometheus"].contains(&&*check.spec.kind)
}

/// Fit for so many columns: where there is no room for two values side by side they stand one below the other.
pub fn lines(app: &App, pair: &[AssetId; 2], installed: &Packages, now: Timestamp, columns: usize) -> Vec<Line> {
    let mut out = Vec::new();
    let known = [known(app, &pair[0]), known(app, &pair[1])];
    let told = pair.each_ref().map(|id| told(app, id));
    for (id, _) in pair.iter().zip(&told).filter(|(id, told)| told.is_none() && app.snapshot.device(id).is_none()) {
        let teller = app.snapshot.host(id).and_then(|host| host.checks.iter().find(|check| tells(check)));
        let words = match teller {
            Some(check) => {
                format!("{} does not tell how it is now: its check {} has no answer", id.as_str(), check.spec.key.name)
            }
            None => {
                format!("{} has not told how it is: a check of kind linux, windows, local or SNMP does", id.as_str())
            }
        };
        out.push((Meaning::Warning, words));
    }
    let of = |known: Vec<(&'static str, String)>, told: &Option<Vitals>| {
        known.into_iter().chain(rows(told.as_ref().unwrap_or(&Vitals::default())))
    };
    let [left, right] = known;
    let rows = of(left, &told[0]).zip(of(right, &told[1])).map(|((name, left), (_, right))| (name, left, right));
    let (same, differing): (Vec<_>, Vec<_>) = rows.partition(|(_, left, right)| left == right);
    let width = (columns.saturating_sub(NAME + 2) / 2).min(VALUE.0);
    let names = pair.each_ref().map(AssetId::as_str);
    if width >= VALUE.1 {
        out.push((Meaning::Title, beside("", names, width)));
    }
    for (name, left, right) in &differing {
        row(name, [left.as_str(), right.as_str()], names, width, &mut out);
    }
    // What only one of them has is known where both told.
    if let [Some(left), Some(right)] = &told {
        for (name, of) in LISTS {
            only(name, of(left), of(right), pair, &mut out);
        }
    }
    packages::lines(installed, pair, now, &mut out);
    if !same.is_empty() {
        heading(&mut out, "THE SAME");
        let told = same.iter().filter(|(_, left, _)| !left.is_empty());
        out.extend(told.map(|(name, left, _)| (Meaning::Dim, format!("{name:<NAME$}{left}"))));
    }
    out
}

fn beside(name: &str, values: [&str; 2], width: usize) -> String {
    let [left, right] = values.map(or_dash);
    let gap = " ".repeat(width.saturating_sub(text::width(left)));
    format!("{name:<NAME$}{left}{gap}  {right}")
}

/// Two values side by side where both fit, else one below the other, each with its machine.
fn row(name: &str, values: [&str; 2], machines: [&str; 2], width: usize, out: &mut Vec<Line>) {
    if width >= VALUE.1 && values.iter().all(|value| text::width(value) <= width) {
        out.push((Meaning::Text, beside(name, values, width)));
        return;
    }
    out.push((Meaning::Title, name.to_owned()));
    let longest = machines.iter().map(|machine| text::width(machine)).max().unwrap_or(0);
    for (machine, value) in machines.into_iter().zip(values.map(or_dash)) {
        let gap = " ".repeat(longest - text::width(machine));
        out.push((Meaning::Text, format!("  {machine}{gap}  {value}")));
    }
}

fn or_dash(value: &str) -> &str {
    if value.is_empty() { "–" } else { value }
}

/// What is known of every host, and of a device what it says of itself.
fn known(app: &App, id: &AssetId) -> Vec<(&'static str, String)> {
    let host = app.snapshot.host(id);
    let device = app.snapshot.device(id);
    let of = |words: fn(&HostView) -> String| host.map(|host| words(host)).unwrap_or_default();
    let says = |words: fn(&DeviceView) -> String| device.map(|device| words(device)).unwrap_or_default();
    let up = match device.filter(|device| !app.parts.is_old(device)) {
        Some(device) => format!("{} of {}", device.up, device.ports.len()),
        None => String::new(),
    };
    vec![
        ("state", of(|host| host.word().to_owned())),
        ("address", of(|host| host.host.address.as_deref().unwrap_or_default().to_owned())),
        ("site", of(|host| host.host.site.as_deref().unwrap_or_default().to_owned())),
        ("group", of(|host| host.host.group.as_deref().unwrap_or_default().to_owned())),
        ("hangs on", of(host_parents)),
        ("tags", of(|host| host.host.tags.join(", "))),
        ("vendor", says(|device| device.table.device.vendor.as_deref().map(text::clean).unwrap_or_default())),
        ("model", says(|device| device.table.device.model.line())),
        ("version", says(|device| device.table.device.version.line())),
        ("location", says(|device| device.table.device.location.line())),
        ("ports up", up),
        ("VLANs", says(vlans)),
    ]
}

fn vlans(device: &DeviceView) -> String {
    let ids: Vec<String> = device.table.equipment.vlans.iter().map(|vlan| vlan.id.to_string()).collect();
    ids.join(", ")
}

/// What the newest look told, else what its SNMP agent says of the machine it runs on.
fn told(app: &App, id: &AssetId) -> Option<Vitals> {
    let host = app.snapshot.host(id)?;
    if let Some((told, _)) = vitals::of(host) {
        return Some(told.clone());
    }
    let device = app.snapshot.device(id)?;
    Vitals::of_equipment(&device.table.equipment)
}

type List = fn(&Vitals) -> &[Untrusted];

const LISTS: [(&str, List); 3] = [
    ("FAILED UNITS", |vitals| vitals.failed_units.as_deref().unwrap_or_default()),
    ("MOUNTS", |vitals| &vitals.mounts),
    ("ROUTES", |vitals| &vitals.routes),
];

/// The same rows for every machine, in the same order.
fn rows(vitals: &Vitals) -> Vec<(&'static str, String)> {
    let amount = |amount: Option<Amount>| amount.map(|amount| units::bytes(amount.total)).unwrap_or_default();
    let updates = vitals.updates.as_ref().map(|updates| match updates.security {
        Some(security) => format!("{}, {security} for security", updates.all),
        None => updates.all.to_string(),
    });
    let packages = vitals.packages.as_ref().map(|packages| {
        let digest: String = packages.digest.line().chars().take(12).collect();
        format!("{} {} {digest}", packages.by, packages.count)
    });
    let reboot =
        vitals.reboot.as_ref().map(|reboot| if reboot.required { reboot.reason.line() } else { "not due".into() });
    vec![
        ("system", vitals.system.line()),
        ("kernel", vitals.kernel.line()),
        ("architecture", vitals.architecture.line()),
        ("cores", vitals.cores.map(|cores| cores.to_string()).unwrap_or_default()),
        ("memory", amount(vitals.memory)),
        ("swap", amount(vitals.swap)),
        ("packages", packages.unwrap_or_default()),
        ("updates", updates.unwrap_or_default()),
        ("restart", reboot.unwrap_or_default()),
        ("up", vitals.uptime.map(units::age).unwrap_or_default()),
        (
            "load",
            vitals.load.map(|[one, five, fifteen]| format!("{one:.2} {five:.2} {fifteen:.2}")).unwrap_or_default(),
        ),
        ("cpu", vitals.cpu.map(|cpu| format!("{:.0} %", cpu.busy)).unwrap_or_default()),
        ("used memory", vitals.memory.and_then(Amount::percent).map(|p| format!("{p:.0} %")).unwrap_or_default()),
        (
            "fullest",
            vitals.fullest().first().map(|d| format!("{} {:.0} %", d.mount.line(), d.used_percent)).unwrap_or_default(),
        ),
    ]
}

/// What only one of the two has.
fn only(name: &str, left: &[Untrusted], right: &[Untrusted], pair: &[AssetId; 2], out: &mut Vec<Line>) {
    let sides = [(left, right, &pair[0]), (right, left, &pair[1])];
    let lacking = |own: &[Untrusted], other: &[Untrusted]| {
        own.iter().filter(|item| !other.contains(item)).map(Untrusted::line).collect::<Vec<_>>()
    };
    let lists: Vec<_> = sides.iter().map(|(own, other, id)| (id.as_str(), lacking(own, other))).collect();
    if lists.iter().all(|(_, items)| items.is_empty()) {
        return;
    }
    heading(out, name);
    for (id, items) in lists {
        out.extend(items.iter().take(LISTED).map(|item| (Meaning::Text, format!("only {id:<20} {item}"))));
        if items.len() > LISTED {
            out.push((Meaning::Dim, format!("and {} more", items.len() - LISTED)));
        }
    }
}
