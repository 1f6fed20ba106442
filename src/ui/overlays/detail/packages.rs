//! What is installed on two machines, by name: what only one of them has, and what both have in other versions. Both are asked when
//! they are put side by side, and not again.

use std::sync::Arc;

use super::{Line, heading};
use crate::base::{Timestamp, Untrusted, text, units};
use crate::bus::Ticket;
use crate::config::theme::Meaning;
use crate::model::{AssetId, PackageAnswer, PackageComparison, PackageDifferences};
use crate::state::HostView;

/// Columns of a name at the most: behind a longer one its version stands without a gap.
const NAME: usize = 40;

/// How far it is known.
#[derive(Debug)]
pub enum Packages {
    /// Neither of them can be asked.
    None,
    Asked(Ticket),
    Told(Arc<PackageComparison>),
    /// Nobody was asked, and why.
    Refused(String),
}

impl Packages {
    pub fn waits_for(&self, ticket: Ticket) -> bool {
        matches!(self, Self::Asked(asked) if *asked == ticket)
    }
}

/// Whether one of its checks can ask a host for what is installed.
pub fn can_be_asked(host: &HostView) -> bool {
    host.checks.iter().any(|check| ["linux", "local"].contains(&&*check.spec.kind))
}

pub fn lines(packages: &Packages, pair: &[AssetId; 2], now: Timestamp, out: &mut Vec<Line>) {
    if matches!(packages, Packages::None) {
        return;
    }
    heading(out, "PACKAGES");
    let names = pair.each_ref().map(AssetId::as_str);
    match packages {
        Packages::None => {}
        Packages::Asked(_) => out.push((Meaning::Dim, format!("{} and {} are being asked", names[0], names[1]))),
        Packages::Refused(why) => out.push((Meaning::Warning, format!("not compared: {why}"))),
        Packages::Told(told) => comparison(told, names, now, out),
    }
}

fn comparison(told: &PackageComparison, names: [&str; 2], now: Timestamp, out: &mut Vec<Line>) {
    let Some(differences) = &told.differences else {
        for (name, answer) in names.into_iter().zip(&told.answers) {
            out.push(match answer {
                PackageAnswer::Told { by, count, .. } => {
                    (Meaning::Text, format!("{name}: {} ({by})", units::counted(*count as usize, "package")))
                }
                PackageAnswer::Not { why } => (Meaning::Warning, named(name, &why.line())),
            });
        }
        if told.answers.iter().all(|answer| matches!(answer, PackageAnswer::Told { .. })) {
            let words = "not compared: they have different packagers, whose names and versions do not match";
            out.push((Meaning::Warning, words.to_owned()));
        }
        return;
    };
    let PackageDifferences { only, differing, same, .. } = differences;
    let words = if only == &[0, 0] && *differing == 0 {
        format!("the same {same} in the same versions")
    } else {
        let [left, right] = names;
        let [here, there] = only;
        format!("{here} only on {left}, {there} only on {right}, {differing} in other versions, {same} the same")
    };
    out.push((Meaning::Text, words));
    out.extend(asked(told, now));
    let all = || differences.named.iter().map(|one| (&one.name, one.versions.each_ref()));
    let is_here = |version: &Untrusted| !version.is_empty();
    for (side, name) in names.into_iter().enumerate() {
        let rows = all().filter(|(_, versions)| is_here(versions[side]) && !is_here(versions[1 - side]));
        let rows = rows.map(|(name, versions)| (name.line(), versions[side].line()));
        list(&format!("only on {name}"), only[side], rows.collect(), out);
    }
    let rows = all().filter(|(_, versions)| versions.iter().all(|version| is_here(version)));
    let rows = rows.map(|(name, [left, right])| (name.line(), format!("{} → {}", left.line(), right.line())));
    list(&format!("differing versions ({} → {})", names[0], names[1]), *differing, rows.collect(), out);
    if differences.beyond() > 0 {
        out.push((Meaning::Dim, format!("and {} more, which are not named", differences.beyond())));
    }
}

/// With the name before it, where it does not begin with that already: `web03: no session within 7 s`.
fn named(name: &str, why: &str) -> String {
    let has_name = why.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'));
    if has_name { why.to_owned() } else { format!("{name}: {why}") }
}

/// By whom they were told, and when: the older of the two answers counts.
fn asked(told: &PackageComparison, now: Timestamp) -> Option<Line> {
    let told = told.answers.iter().filter_map(|answer| match answer {
        PackageAnswer::Told { at, by, .. } => Some((*at, *by)),
        PackageAnswer::Not { .. } => None,
    });
    let (at, by) = told.min()?;
    Some((Meaning::Dim, format!("{by}, as of {} ago", units::age(now.since(at)))))
}

fn list(title: &str, count: u32, rows: Vec<(String, String)>, out: &mut Vec<Line>) {
    if rows.is_empty() {
        return;
    }
    out.push((Meaning::Title, format!("{title}: {count}")));
    let longest = rows.iter().map(|(name, _)| text::width(name)).max().unwrap_or(0).min(NAME);
    out.extend(rows.into_iter().map(|(name, version)| {
        let gap = " ".repeat(longest.saturating_sub(text::width(&name)));
        (Meaning::Text, format!("  {name}{gap}  {version}"))
    }));
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_name_stands_once_before_what_was_in_the_way() {
        assert_eq!(named("web03", "web03: no session within 7 s"), "web03: no session within 7 s");
        assert_eq!(named("web03", "web03:22: cannot connect"), "web03:22: cannot connect");
        assert_eq!(named("web0", "web03: no session"), "web0: web03: no session");
        assert_eq!(named("sw1", "no check of kind linux"), "sw1: no check of kind linux");
    }
}
