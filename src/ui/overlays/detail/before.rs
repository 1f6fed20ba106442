//! What changed just before the problem began, on the host itself, on what it hangs on and on the link.

use super::Line;
use crate::config::theme::Meaning;
use crate::model::{AssetId, Target};
use crate::state::Problem;
use crate::state::before::{self, Around, Happening};
use crate::ui::app::App;

/// Nothing where nothing is known to have changed.
pub fn lines(app: &App, targets: &[Target], out: &mut Vec<Line>) {
    let Some(problem) = targets.iter().find_map(|target| app.snapshot.problem_of(target)) else { return };
    let found = found(app, problem);
    if found.is_empty() {
        return;
    }
    out.push((Meaning::Title, "just before it began".to_owned()));
    let own = problem.target.asset();
    out.extend(found.iter().map(|one| {
        let words = format!("  {:<14}{}{}", one.distance(problem.since), place(&one.target, own), one.words.line());
        (Meaning::Text, app.look.text(&words).into_owned())
    }));
}

fn found(app: &App, problem: &Problem) -> Vec<Happening> {
    let snapshot = &app.snapshot;
    let mut around = Around::of(snapshot, &app.lookup, &problem.target);
    // Where it hangs, as the forwarding tables have it.
    if let (Target::Host(id), Some((asset, _, ports))) = (&problem.target, &app.hangs)
        && id == asset
        && let Some(on) = ports.first().filter(|on| !on.shared)
        && let Some(device) = snapshot.device(&on.device)
    {
        around.add_link(device, on.port);
    }
    before::of(snapshot, &around, problem)
}

/// `core1 Gi1/0/24: `; nothing for the host that is looked at.
fn place(target: &Target, own: &AssetId) -> String {
    let port = if let Target::Port(_, key) = target { key.label.line() } else { String::new() };
    let host = if target.asset() == own { "" } else { target.asset().as_str() };
    let words = [host, &port].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ");
    if words.is_empty() { words } else { format!("{words}: ") }
}
