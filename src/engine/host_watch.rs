//! Watching hosts: of each, one light check that tells whether it lives is asked each second, for a quarter of an hour at the
//! most. Few hosts at a time, so that no other is asked later for it. What keeps its own pace (SSH) is never asked so.

use std::sync::Arc;
use std::time::Duration;

use super::schedule::WATCHED_EVERY;
use crate::base::Timestamp;
use crate::model::{AssetId, CheckKey, CheckSpec, Subject};
use crate::state::HostWatch;

/// It ends by itself after this.
pub(super) const LONGEST: Duration = Duration::from_secs(900);
/// Hosts at a time.
const MOST: usize = 16;
/// Kinds that cost a host nothing worth speaking of when they are asked each second, the one to prefer first.
const LIGHT: [&str; 5] = ["icmp", "tcp", "snmp", "dns", "http"];

/// The hosts that are watched, in the order in which that began.
#[derive(Debug, Default)]
pub(super) struct HostWatches(Vec<HostWatch>);

impl HostWatches {
    /// Begins to watch; watched already, its time begins anew. The reason where it is not done.
    pub fn begin(&mut self, asset: &AssetId, specs: &[Arc<CheckSpec>], now: Timestamp) -> Result<&HostWatch, String> {
        let name = asset.as_str();
        let Some(spec) = light_check(specs, asset) else {
            return Err(format!("{name} has no check that may be asked each second ({})", LIGHT.join(", ")));
        };
        self.end(asset);
        if self.0.len() >= MOST {
            return Err(format!("{MOST} hosts are watched already: watching one of them again ends that"));
        }
        Ok(self.0.push_mut(HostWatch {
            asset: asset.clone(),
            check: spec.key.name.clone(),
            every: WATCHED_EVERY,
            since: now,
            until: now.plus(LONGEST),
        }))
    }

    pub fn end(&mut self, asset: &AssetId) {
        self.0.retain(|watch| watch.asset != *asset);
    }

    /// Ends those whose time is over; their names.
    pub fn end_due(&mut self, now: Timestamp) -> Vec<AssetId> {
        self.0.extract_if(.., |watch| now >= watch.until).map(|watch| watch.asset).collect()
    }

    /// The checks may be others now: those without a light one are not watched any more.
    pub fn renew(&mut self, specs: &[Arc<CheckSpec>]) {
        self.0.retain_mut(|watch| match light_check(specs, &watch.asset) {
            Some(spec) => {
                watch.check = spec.key.name.clone();
                true
            }
            None => false,
        });
    }

    pub fn keys(&self) -> impl Iterator<Item = CheckKey> {
        self.0.iter().map(|watch| CheckKey { subject: Subject::Host(watch.asset.clone()), name: watch.check.clone() })
    }

    /// When the first of them ends by itself.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// As the screen has them.
    pub fn shown(&self) -> Arc<[HostWatch]> {
        self.0.as_slice().into()
    }

    pub fn next_end(&self) -> Option<Timestamp> {
        self.0.iter().map(|watch| watch.until).min()
    }
}

/// The check that tells of a host's life at the least cost: first one whose good result proves it.
fn light_check<'a>(specs: &'a [Arc<CheckSpec>], asset: &AssetId) -> Option<&'a Arc<CheckSpec>> {
    let mine = specs.iter().filter(|spec| matches!(&spec.key.subject, Subject::Host(id) if id == asset));
    let may = mine.filter(|spec| !spec.fixed_pace && spec.waits_for.is_none());
    let ranked = may.filter_map(|spec| {
        let kind = LIGHT.iter().position(|kind| **kind == *spec.kind)?;
        Some(((!spec.decides_reachability, kind), spec))
    });
    // The first of equals, as the inventory has them.
    ranked.min_by_key(|(rank, _)| *rank).map(|(_, spec)| spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn spec(host: &str, kind: &str, decides_reachability: bool) -> Arc<CheckSpec> {
        Arc::new(CheckSpec {
            decides_reachability,
            fixed_pace: kind == "ssh",
            ..CheckSpec::sample(Subject::Host(AssetId::new(host)), kind)
        })
    }

    fn chosen(specs: &[Arc<CheckSpec>]) -> Option<&str> {
        light_check(specs, &AssetId::new("a")).map(|spec| &*spec.kind)
    }

    #[test]
    fn the_lightest_sign_of_life_is_asked_and_never_what_keeps_its_own_pace() {
        let all = [spec("b", "icmp", true), spec("a", "http", false), spec("a", "tcp", false), spec("a", "icmp", true)];
        assert_eq!(chosen(&all), Some("icmp"));
        assert_eq!(chosen(&all[..3]), Some("tcp"));
        let mut proof = all[..3].to_vec();
        proof.push(spec("a", "snmp", true));
        assert_eq!(chosen(&proof), Some("snmp"), "what proves life goes first");
        for kind in ["ssh", "ports", "linux", "plugin", "local"] {
            assert_eq!(chosen(&[spec("a", kind, true)]), None, "{kind}");
        }
    }

    #[test]
    fn hosts_are_watched_for_a_quarter_of_an_hour_and_few_at_a_time() {
        let mut watches = HostWatches::default();
        let specs: Vec<_> = (0..20).map(|n| spec(&format!("h{n}"), "icmp", true)).collect();
        let host = |n: u64| AssetId::new(format!("h{n}"));
        for n in 0..16 {
            let begun = watches.begin(&host(n), &specs, T0.plus(Duration::from_secs(n))).expect("there is room");
            assert_eq!(begun.until.since(begun.since), LONGEST);
        }
        let late = T0.plus(Duration::from_secs(100));
        let refused = watches.begin(&host(16), &specs, late).expect_err("there is no room");
        assert_eq!(refused, "16 hosts are watched already: watching one of them again ends that");
        watches.begin(&host(3), &specs, late).expect("it is one of them");
        assert_eq!((watches.0.len(), watches.keys().count()), (16, 16));
        watches.end(&host(5));
        watches.begin(&host(16), &specs, late).expect("there is room again");
        assert_eq!(watches.next_end(), Some(T0.plus(LONGEST)));
        assert_eq!(watches.end_due(T0.plus(LONGEST)), [host(0)]);
        assert_eq!(watches.end_due(T0.plus(LONGEST + Duration::from_secs(20))).len(), 13);
        assert_eq!(watches.0.iter().map(|watch| watch.asset.clone()).collect::<Vec<_>>(), [host(3), host(16)]);
        let none = watches.begin(&AssetId::new("gone"), &specs, late).expect_err("it has no check");
        assert!(none.contains("no check that may be asked each second"), "{none}");
    }

    #[test]
    fn a_new_plan_ends_the_watch_of_what_left_it() {
        let mut watches = HostWatches::default();
        let before = [spec("a", "icmp", true), spec("b", "icmp", true)];
        for name in ["a", "b"] {
            watches.begin(&AssetId::new(name), &before, T0).expect("there is room");
        }
        watches.renew(&[spec("b", "tcp", false)]);
        let left: Vec<CheckKey> = watches.keys().collect();
        assert_eq!(left, [spec("b", "tcp", false).key.clone()]);
    }
}
