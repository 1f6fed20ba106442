//! What goes wrong in the demo, and when: a plan made of a seed. Pure; the network carries it out.

use std::time::Duration;

/// A thing of the simulated network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A switch and everything that hangs on it falls silent, or comes back.
    Switch {
        switch: usize,
        alive: bool,
    },
    Host {
        host: usize,
        alive: bool,
    },
    Link {
        switch: usize,
        port: usize,
        up: bool,
    },
    NameServer {
        alive: bool,
    },
}

/// When within a round something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub at: Duration,
    pub change: Change,
}

/// After this the script begins again.
pub const ROUND: Duration = Duration::from_secs(420);

/// The steps of one round, in order. Switch 0 and 1 are the core; `ports` is the number of each switch.
pub fn steps(seed: u64, hosts: usize, switches: usize, ports: usize) -> Vec<Step> {
    let mut random = Random(seed | 1);
    let mut out = Vec::new();
    let secs = Duration::from_secs;
    if switches > 2 && ports > 2 {
        // A cable that is touched: three flaps on an access switch.
        let switch = 2 + random.below(switches - 2);
        let port = random.below(ports.saturating_sub(5).max(1));
        for flap in 0..3 {
            out.push(Step { at: secs(6 + flap * 20), change: Change::Link { switch, port, up: false } });
            out.push(Step { at: secs(14 + flap * 20), change: Change::Link { switch, port, up: true } });
        }
        // An uplink that stays down for a while: the last port of another one.
        let switch = 2 + random.below(switches - 2);
        out.push(Step { at: secs(10), change: Change::Link { switch, port: ports - 1, up: false } });
        out.push(Step { at: secs(260), change: Change::Link { switch, port: ports - 1, up: true } });
    }
    if switches > 1 {
        out.push(Step { at: secs(18), change: Change::Switch { switch: 1, alive: false } });
        out.push(Step { at: secs(200), change: Change::Switch { switch: 1, alive: true } });
        // The other one loses the aggregate between them: its two last access ports.
        for port in (0..ports.saturating_sub(4)).rev().take(2).filter(|_| ports > 8) {
            out.push(Step { at: secs(18), change: Change::Link { switch: 0, port, up: false } });
            out.push(Step { at: secs(200), change: Change::Link { switch: 0, port, up: true } });
        }
    }
    if hosts > 2 {
        let host = random.below(hosts);
        out.push(Step { at: secs(60), change: Change::Host { host, alive: false } });
        out.push(Step { at: secs(150), change: Change::Host { host, alive: true } });
    }
    out.push(Step { at: secs(240), change: Change::NameServer { alive: false } });
    out.push(Step { at: secs(300), change: Change::NameServer { alive: true } });
    out.sort_by_key(|step| step.at);
    out
}

/// When everything has answered once.
const SETTLED: Duration = Duration::from_secs(8);

/// What is wrong for as long as the tour lasts, all at once and for good: a dead switch with what hangs on it, and elsewhere an
/// uplink and a server. So little of the network that the console does not doubt its own sight.
pub fn lesson(hosts: usize, switches: usize, ports: usize) -> Vec<Step> {
    let dead_switch = (switches > 3).then_some(Change::Switch { switch: 3, alive: false });
    let uplink = (switches > 2 && ports > 2).then(|| Change::Link { switch: 2, port: ports - 1, up: false });
    let host = (hosts > 2).then_some(Change::Host { host: 2, alive: false });
    [dead_switch, uplink, host].into_iter().flatten().map(|change| Step { at: SETTLED, change }).collect()
}

/// A small generator (xorshift64*), so that a seed means the same everywhere.
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() >> 33).unwrap_or(0) % bound.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_script_and_everything_that_breaks_is_mended() {
        let script = steps(7, 20, 6, 24);
        assert_eq!(script, steps(7, 20, 6, 24));
        assert_ne!(script, steps(8, 20, 6, 24));
        assert!(script.windows(2).all(|pair| pair[0].at <= pair[1].at));
        assert!(script.iter().all(|step| step.at < ROUND));
        let balance: i32 = script
            .iter()
            .map(|step| match step.change {
                Change::Switch { alive, .. } | Change::Host { alive, .. } | Change::NameServer { alive } => alive,
                Change::Link { up, .. } => up,
            })
            .map(|good| if good { 1 } else { -1 })
            .sum();
        assert_eq!(balance, 0);
    }

    #[test]
    fn the_core_loses_its_aggregate_with_the_switch_at_its_other_end() {
        let lost = |step: &Step| match step.change {
            Change::Link { switch: 0, port, up: false } => Some((step.at, port)),
            _ => None,
        };
        let script = steps(7, 20, 6, 28);
        let dies =
            script.iter().find(|step| step.change == Change::Switch { switch: 1, alive: false }).expect("it dies");
        let links: Vec<(Duration, usize)> = script.iter().filter_map(lost).collect();
        assert_eq!(links, [(dies.at, 23), (dies.at, 22)], "as the campus has its members");
    }

    #[test]
    fn the_lesson_is_the_same_for_everybody_and_nothing_of_it_is_mended() {
        let lesson = lesson(24, 8, 28);
        assert_eq!(lesson.len(), 3);
        let good = |step: &&Step| match step.change {
            Change::Switch { alive, .. } | Change::Host { alive, .. } | Change::NameServer { alive } => alive,
            Change::Link { up, .. } => up,
        };
        assert_eq!(lesson.iter().filter(good).count(), 0);
        assert!(super::lesson(0, 0, 0).is_empty());
    }

    #[test]
    fn the_smallest_networks_have_a_script_too() {
        for (hosts, switches, ports) in [(0, 0, 0), (1, 1, 1), (3, 2, 48), (1, 3, 2)] {
            assert!(steps(1, hosts, switches, ports).iter().all(|s| s.at < ROUND));
        }
    }
}
