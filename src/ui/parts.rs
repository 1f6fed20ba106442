//! How hosts stand together with their parts: the ports of a device, and what it says of itself (sensors, peers, batteries). A
//! host that answers is not well while one of its ports is not, and the ports of a device that cannot be reached are as they
//! were when it could be.
//!
//! What somebody has taken on, or is in maintenance, is not counted.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::units::counted;
use crate::base::{Timestamp, text};
use crate::model::{AssetId, Condition, PortEvent, PortKey, Target, Transition};
use crate::state::snapshot::ProblemKind;
use crate::state::{DeviceView, HostView, Problem, Snapshot};

/// What is wrong with the parts of one host and nobody's yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Bad {
    pub worst: Condition,
    /// How many problems.
    pub count: usize,
    /// Since when the worst of them is.
    pub since: Timestamp,
    /// The worst of them, the newest among equals.
    first: String,
}

impl Bad {
    /// `2 parts: Gi0/7 err-disabled`.
    pub fn words(&self) -> String {
        format!("{}: {}", counted(self.count, "part"), self.first)
    }
}

/// Made anew for each snapshot.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    bad: HashMap<AssetId, Bad>,
    /// Devices of which nothing is heard any more.
    silent: HashMap<AssetId, Silent>,
    /// Columns of the longest title of a problem, and of one that is hidden behind another and shown.
    title: usize,
    hidden_title: usize,
    /// What happened to ports last, newest first.
    port_changes: Vec<Change>,
    /// What changed last of all that is watched, newest first.
    changes: Vec<Change>,
    /// Where there is no problem: the hosts that have a bad result which is not yet believed.
    in_doubt: Vec<Arc<str>>,
}

/// How the host of a device stands of which nothing is heard any more.
#[derive(Clone, Copy, Debug)]
struct Silent {
    condition: Condition,
    word: &'static str,
    /// Somebody sees to it.
    handled: bool,
}

/// Something that changed: a condition, a port, or a device as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub at: Timestamp,
    /// The host or the backup; where many became the same at once, how many.
    pub name: String,
    pub port: Option<PortKey>,
    /// What a condition became. What happens to a port is judged elsewhere.
    pub condition: Option<Condition>,
    pub words: String,
    /// Why, where that was said.
    pub reason: String,
}

/// Titles that the width of their column is measured by: the worst, whose list has thousands in a large outage.
const MEASURED: usize = 256;
/// The same of what is hidden behind them: the ports of a device come after all hosts.
const MEASURED_HIDDEN: usize = 4096;
/// Columns before the title of what stands below its cause.
pub const INDENT: usize = 2;
/// Changes that are kept: as many as a tall screen may have room for.
const CHANGES: usize = 40;
/// So far apart are two changes of one failure at the most.
const TOGETHER: Duration = Duration::from_secs(120);

impl Parts {
    pub fn of(snapshot: &Snapshot) -> Self {
        let titles = snapshot.problems.iter().take(MEASURED);
        let mut out = Self { title: longest_title(titles), ..Self::default() };
        out.port_changes = port_changes(snapshot);
        out.changes = changes(snapshot, &out.port_changes);
        if snapshot.problems.is_empty() {
            let in_doubt = |host: &&Arc<HostView>| host.checks.iter().any(|check| host.tries(check).is_some());
            out.in_doubt = snapshot.hosts.iter().filter(in_doubt).map(|host| host.host.name.clone()).collect();
        }
        if snapshot.devices.is_empty() {
            return out;
        }
        let is_part = |p: &&Problem| matches!(p.kind, ProblemKind::Port | ProblemKind::Device);
        let is_open = |p: &&Problem| !p.care.is_handled();
        // The list has the worst first. What is behind the host of its own device is not seen; behind one at the other end it is.
        let of_its_own = |problem: &&Problem| {
            !problem.behind.as_ref().is_some_and(|behind| !behind.is_far() && matches!(behind.target, Target::Host(_)))
        };
        let hidden = snapshot.consequences.iter().filter(of_its_own);
        for problem in snapshot.problems.iter().chain(hidden).filter(is_part).filter(is_open) {
            if let Some(bad) = out.bad.get_mut(&problem.asset) {
                bad.count += 1;
                bad.worst = bad.worst.max(problem.condition);
            } else {
                let bad =
                    Bad { worst: problem.condition, count: 1, since: problem.since, first: first(snapshot, problem) };
                out.bad.insert(problem.asset.clone(), bad);
            }
        }
        let lost = |host: &&Arc<HostView>| matches!(host.condition, Condition::Unreachable | Condition::Critical);
        let silent =
            |host: &HostView| Silent { condition: host.condition, word: host.word(), handled: host.care.is_handled() };
        let mut lost: HashMap<&AssetId, Silent> =
            snapshot.hosts.iter().filter(lost).map(|host| (&host.host.id, silent(host))).collect();
        for device in &snapshot.devices {
            // A host may be critical for another reason, and its ports as fresh as ever.
            let lost = lost.remove(&device.host.id);
            if let Some(lost) = lost.filter(|lost| lost.condition == Condition::Unreachable || device.stale) {
                out.silent.insert(device.host.id.clone(), lost);
            }
        }
        out
    }

    /// Columns of the longest title that a list of problems shows, with the indent of what stands below its cause.
    pub fn title(&self) -> usize {
        self.title.max(self.hidden_title)
    }

    /// The hosts of which a check failed and is tried again, where nothing else is wrong.
    pub fn in_doubt(&self) -> &[Arc<str>] {
        &self.in_doubt
    }

    /// Takes the measure of what is hidden behind problems and shown for now.
    pub fn measure_hidden<'a>(&mut self, shown: impl Iterator<Item = &'a Problem>) {
        let longest = longest_title(shown.take(MEASURED_HIDDEN));
        self.hidden_title = if longest == 0 { 0 } else { longest + INDENT };
    }

    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    pub fn port_changes(&self) -> &[Change] {
        &self.port_changes
    }

    /// What is wrong with a host's parts; nothing of one that is not reached, whatever was wrong before.
    pub fn bad(&self, host: &HostView) -> Option<&Bad> {
        self.bad.get(&host.host.id).filter(|_| host.condition != Condition::Unreachable)
    }

    /// The worst of a host and its parts.
    pub fn worst(&self, host: &HostView) -> Condition {
        self.bad(host).map_or(host.condition, |bad| bad.worst.max(host.condition))
    }

    /// How a device stands in lists: as its host where that is not heard, else as the worst of its parts.
    pub fn standing(&self, device: &DeviceView) -> Condition {
        self.silent.get(&device.host.id).map_or_else(|| device.worst(), |silent| silent.condition)
    }

    /// The state of its host in a word, where that is not heard.
    pub fn word(&self, device: &DeviceView) -> &'static str {
        self.silent.get(&device.host.id).map_or("", |silent| silent.word)
    }

    /// Somebody has taken on that it is not heard, or it is in maintenance.
    pub fn is_handled(&self, device: &DeviceView) -> bool {
        self.silent.get(&device.host.id).is_some_and(|silent| silent.handled)
    }

    /// What is known of a device's ports is not of now.
    pub fn is_old(&self, device: &DeviceView) -> bool {
        device.stale || self.silent.contains_key(&device.host.id)
    }
}

fn longest_title<'a>(problems: impl Iterator<Item = &'a Problem>) -> usize {
    problems.map(|problem| text::width(&problem.title.line())).max().unwrap_or(0)
}

/// The newest of what happened to the ports of all devices, at most so many, newest first.
pub fn newest_events(snapshot: &Snapshot, most: usize) -> Vec<(&DeviceView, &PortEvent)> {
    let mut newest: Vec<(Timestamp, &DeviceView)> =
        snapshot.devices.iter().filter_map(|device| Some((device.events.first()?.at, &**device))).collect();
    // Only devices that are among the newest have any that is.
    newest.sort_by_key(|(at, _)| Reverse(*at));
    newest.truncate(most);
    let mut out: Vec<(&DeviceView, &PortEvent)> = newest
        .into_iter()
        .flat_map(|(_, device)| device.events.iter().take(most).map(move |event| (device, event)))
        .collect();
    out.sort_by_key(|(_, event)| Reverse(event.at));
    out.truncate(most);
    out
}

fn port_changes(snapshot: &Snapshot) -> Vec<Change> {
    let change = |(device, event): (&DeviceView, &PortEvent)| Change {
        at: event.at,
        name: device.host.name.to_string(),
        port: event.port.clone(),
        condition: None,
        words: event.change.words(),
        reason: String::new(),
    };
    newest_events(snapshot, CHANGES).into_iter().map(change).collect()
}

/// The same with the conditions that changed. What is behind a failure goes and comes back in one line.
fn changes(snapshot: &Snapshot, ports: &[Change]) -> Vec<Change> {
    let behind = |one: &Transition| one.from == Condition::Unreachable || one.to == Condition::Unreachable;
    let same = |a: &Transition, b: &Transition| {
        let apart = a.at.since(b.at).max(b.at.since(a.at));
        behind(a) && (a.from, a.to) == (b.from, b.to) && a.reason == b.reason && apart <= TOGETHER
    };
    // Each with how many became the same; what happened between them does not part them.
    let mut groups: Vec<(&Transition, usize)> = Vec::new();
    for one in snapshot.transitions.iter() {
        if let Some((_, count)) = groups.iter_mut().rev().find(|(first, _)| same(first, one)) {
            *count += 1;
        } else if groups.len() < CHANGES {
            groups.push((one, 1));
        } else {
            break;
        }
    }
    let change = |(one, count): (&Transition, usize)| {
        let name = if count == 1 { one.name.line() } else { counted(count, "host") };
        let words = format!("{} → {}", one.from.as_str(), one.became());
        Change { at: one.at, name, port: None, condition: Some(one.to), words, reason: one.reason.line() }
    };
    let mut out: Vec<Change> = groups.into_iter().map(change).collect();
    out.extend_from_slice(ports);
    out.sort_by_key(|change| Reverse(change.at));
    out.truncate(CHANGES);
    out
}

/// A problem in a few words, without the name of its host.
fn first(snapshot: &Snapshot, problem: &Problem) -> String {
    if problem.kind == ProblemKind::Device {
        return problem.reason.line();
    }
    let title = problem.title.line();
    let name = snapshot.device(&problem.asset).map(|device| device.host.name.clone()).unwrap_or_default();
    let port = title.strip_prefix(&*name).map_or(title.as_str(), str::trim_start);
    format!("{port} {}", problem.word).trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Untrusted;
    use crate::model::{Acknowledgement, Claim, Stickiness, Target};
    use crate::ui::tests::fixture::{self, NOW};

    fn with(change: impl FnOnce(&mut Snapshot, &mut Vec<Problem>)) -> Snapshot {
        let mut snapshot = (*fixture::outage()).clone();
        snapshot.hosts.push(Arc::new(fixture::host("dist-sw4", Condition::Ok, "load 0.1", 90_000)));
        let mut problems = snapshot.problems.to_vec();
        change(&mut snapshot, &mut problems);
        snapshot.problems = problems.into();
        snapshot
    }

    fn host<'a>(snapshot: &'a Snapshot, name: &str) -> &'a HostView {
        snapshot.host(&AssetId::new(name)).expect("it is there")
    }

    #[test]
    fn a_host_is_as_bad_as_the_worst_of_its_parts_and_says_how_many_there_are() {
        let snapshot = with(|_, problems| {
            let mut fan = problems[2].clone();
            fan.kind = ProblemKind::Device;
            fan.reason = Untrusted::from("fan 2 failed");
            fan.condition = Condition::Critical;
            problems.insert(0, fan);
        });
        let parts = Parts::of(&snapshot);
        let sw4 = host(&snapshot, "dist-sw4");
        assert_eq!(parts.worst(sw4), Condition::Critical);
        assert_eq!(parts.bad(sw4).map(Bad::words).as_deref(), Some("2 parts: fan 2 failed"));
        assert_eq!(parts.worst(host(&snapshot, "db01")), Condition::Ok, "a backup is no part");
        let one = Parts::of(&with(|_, _| {}));
        assert_eq!(one.bad(sw4).map(Bad::words).as_deref(), Some("1 part: Te1/1/1 up"));
    }

    fn claim() -> Claim {
        Claim {
            target: Target::Host(AssetId::new("dist-sw4")),
            owner: "ops1".into(),
            note: "".into(),
            until: NOW,
            stickiness: Stickiness::EndsOnWorsening,
            condition: None,
        }
    }

    #[test]
    fn what_somebody_has_taken_on_is_not_counted() {
        let snapshot = with(|_, problems| {
            problems[2].care.ack = Some(Arc::new(Acknowledgement { id: "1".into(), since: NOW, claim: claim() }));
        });
        let parts = Parts::of(&snapshot);
        assert_eq!(parts.worst(host(&snapshot, "dist-sw4")), Condition::Ok);
    }

    #[test]
    fn a_device_that_cannot_be_reached_is_unreachable_and_its_ports_are_old() {
        let snapshot = with(|_, _| {});
        let parts = Parts::of(&snapshot);
        let [sw4, acc] = &snapshot.devices[..] else { panic!("two devices") };
        assert_eq!((parts.standing(acc), parts.is_old(acc)), (Condition::Unreachable, true));
        assert_eq!(parts.bad(host(&snapshot, "acc-17")), None);
        assert_eq!((parts.standing(sw4), parts.is_old(sw4)), (Condition::Warning, false));
        assert!(!parts.is_handled(acc));
        // Its web server is down, and it is walked as before.
        let critical = |stale| {
            with(|snapshot, _| {
                Arc::make_mut(snapshot.hosts.last_mut().expect("it is the last")).condition = Condition::Critical;
                Arc::make_mut(&mut snapshot.devices[0]).stale = stale;
            })
        };
        let fresh = critical(false);
        assert!(!Parts::of(&fresh).is_old(&fresh.devices[0]));
        let silent = critical(true);
        assert_eq!(Parts::of(&silent).standing(&silent.devices[0]), Condition::Critical);
        let claimed = with(|snapshot, _| {
            let host = Arc::make_mut(snapshot.hosts.last_mut().expect("it is the last"));
            host.condition = Condition::Critical;
            host.care.ack = Some(Arc::new(Acknowledgement { id: "1".into(), since: NOW, claim: claim() }));
            Arc::make_mut(&mut snapshot.devices[0]).stale = true;
        });
        assert!(Parts::of(&claimed).is_handled(&claimed.devices[0]));
    }
}
