//! Comparing what is installed on two hosts: each is asked once, when somebody wants to know and never by itself, however many
//! consoles want to know at the same time; whoever asks a moment later is told the same.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::base::Timestamp;
use crate::bus::{Asker, Notice, Ticket};
use crate::model::{AssetId, PackageComparison, PackageList};

/// So long what a host said is told again.
const KEPT: Duration = Duration::from_secs(30);
/// Comparisons that may wait for their hosts.
const WAITING: usize = 64;
/// The least time that a host has: a packager takes its seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What a host said, or in words why it said nothing.
pub(super) type Told = Result<PackageList, String>;

/// A host, and what came of asking it.
pub(super) type Came = (AssetId, Told);

#[derive(Debug)]
pub(super) struct Packages {
    hosts: HashMap<AssetId, Host>,
    waiting: Vec<Waiting>,
    came: mpsc::Sender<Came>,
}

#[derive(Debug)]
enum Host {
    Asked,
    Told(Timestamp, Told),
}

/// Who wants to know.
#[derive(Debug)]
struct Waiting {
    asker: Asker,
    ticket: Ticket,
    pair: [AssetId; 2],
}

impl Packages {
    pub fn new(came: mpsc::Sender<Came>) -> Self {
        Self { hosts: HashMap::new(), waiting: Vec::new(), came }
    }

    /// Where what came of asking a host goes.
    pub fn way_back(&self) -> mpsc::Sender<Came> {
        self.came.clone()
    }

    /// As many wait as may.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING
    }

    /// Has somebody wait; the hosts that are to be asked for it.
    pub fn want(&mut self, asker: &Asker, ticket: Ticket, pair: [AssetId; 2], now: Timestamp) -> Vec<AssetId> {
        self.hosts.retain(|_, host| match host {
            Host::Asked => true,
            Host::Told(at, told) => told.is_ok() && now.since(*at) < KEPT,
        });
        let mut to_ask = Vec::new();
        for asset in &pair {
            if !self.hosts.contains_key(asset) {
                self.hosts.insert(asset.clone(), Host::Asked);
                to_ask.push(asset.clone());
            }
        }
        self.waiting.push(Waiting { asker: asker.clone(), ticket, pair });
        self.answer();
        to_ask
    }

    pub fn came(&mut self, (asset, told): Came, now: Timestamp) {
        self.hosts.insert(asset, Host::Told(now, told));
        self.answer();
    }

    /// Tells everybody whose two hosts have answered.
    fn answer(&mut self) {
        let told = |asset: &AssetId| match self.hosts.get(asset) {
            Some(Host::Told(at, Ok(list))) => Some(Ok((*at, list))),
            Some(Host::Told(_, Err(why))) => Some(Err(why.as_str())),
            Some(Host::Asked) | None => None,
        };
        self.waiting.retain(|waiting| {
            let [Some(left), Some(right)] = waiting.pair.each_ref().map(told) else { return true };
            tell(&waiting.asker, waiting.ticket, PackageComparison::of([left, right]));
            false
        });
    }
}

/// Nobody is asked, and why.
pub(super) fn refuse(asker: &Asker, ticket: Ticket, why: &str) {
    tell(asker, ticket, PackageComparison::of([Err(why), Err(why)]));
}

fn tell(asker: &Asker, ticket: Ticket, comparison: PackageComparison) {
    // Whoever is gone, or takes nothing in, looks at no comparison either.
    let _ = asker.notices.try_send(Notice::Packages { ticket, comparison: Arc::new(comparison) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PackageAnswer;

    const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn id(name: &str) -> AssetId {
        AssetId::new(name)
    }

    struct Desk {
        packages: Packages,
        notices: mpsc::Receiver<Notice>,
        asker: Asker,
    }

    impl Desk {
        fn new() -> Self {
            let (sender, notices) = mpsc::channel(8);
            Self { packages: Packages::new(mpsc::channel(1).0), notices, asker: Asker::own(sender) }
        }

        fn want(&mut self, ticket: u64, names: [&str; 2], at: Timestamp) -> Vec<AssetId> {
            self.packages.want(&self.asker, Ticket(ticket), names.map(id), at)
        }

        fn came(&mut self, name: &str, told: Told, at: Timestamp) {
            self.packages.came((id(name), told), at);
        }

        fn told(&mut self) -> Vec<(u64, [PackageAnswer; 2])> {
            let one = |notice| match notice {
                Notice::Packages { ticket, comparison } => (ticket.0, comparison.answers.clone()),
                other => panic!("{other:?}"),
            };
            std::iter::from_fn(|| self.notices.try_recv().ok()).map(one).collect()
        }
    }

    fn list() -> PackageList {
        PackageList { by: "dpkg", versions: [("bash".into(), ["5".into()].into())].into() }
    }

    #[test]
    fn each_host_is_asked_once_for_all_who_want_to_know_and_again_when_that_is_old() {
        let mut desk = Desk::new();
        assert_eq!(desk.want(1, ["a", "b"], T0), [id("a"), id("b")]);
        assert_eq!(desk.want(2, ["b", "c"], T0), [id("c")], "b is being asked");
        desk.came("b", Ok(list()), T0);
        assert_eq!(desk.told(), []);
        desk.came("a", Ok(list()), T0);
        let told = PackageAnswer::Told { at: T0, by: "dpkg", count: 1 };
        assert_eq!(desk.told(), [(1, [told.clone(), told.clone()])]);
        desk.came("c", Err("no session".to_owned()), T0);
        let not = PackageAnswer::Not { why: "no session".into() };
        assert_eq!(desk.told(), [(2, [told.clone(), not.clone()])]);
        let soon = T0.plus(KEPT / 2);
        assert_eq!(desk.want(3, ["a", "b"], soon), [], "that was a moment ago");
        assert_eq!(desk.told(), [(3, [told.clone(), told])]);
        assert_eq!(desk.want(4, ["a", "c"], soon), [id("c")], "it said nothing");
        assert_eq!(desk.want(5, ["a", "b"], T0.plus(KEPT)), [id("a"), id("b")]);
        assert_eq!(desk.told(), []);
    }

    #[test]
    fn a_host_beside_itself_is_asked_once() {
        let mut desk = Desk::new();
        assert_eq!(desk.want(1, ["a", "a"], T0), [id("a")]);
        desk.came("a", Ok(list()), T0);
        assert_eq!(desk.told().len(), 1);
    }
}
