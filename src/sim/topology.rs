//! What stands where in the simulated network, before anything is started: names, addresses, who hangs on whom.

use std::net::Ipv4Addr;

/// Networks with more switches or hosts than this have ports only: these tables cost memory and time.
const MOST_SWITCHES: usize = 64;
const MOST_HOSTS: usize = 1_000;

/// The devices that stand beside the switches, in the order of their agents behind them.
pub const BESIDE: [&str; 2] = ["edge-rt1", "ups-a"];

/// How large the network is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub hosts: usize,
    pub switches: usize,
    pub ports: usize,
    pub seed: u64,
}

/// What stands where, before anything is started.
#[derive(Clone, Debug)]
pub struct Topology {
    pub size: Size,
}

impl Topology {
    /// `core-sw1`, `core-sw2`, a sixth of them `dist-…`, the rest `acc-…`.
    pub fn switch_name(&self, switch: usize) -> String {
        let distribution = 2 + self.size.switches / 6;
        match switch {
            0 | 1 => format!("core-sw{}", switch + 1),
            n if n < distribution => format!("dist-sw{}", n - 1),
            n => format!("acc-sw{:02}", n - distribution + 1),
        }
    }

    /// Every device that answers SNMP: the switches, then what stands beside them in a network that is small enough.
    pub fn agents(&self) -> usize {
        let beside = if self.is_talkative() { BESIDE.len() } else { 0 };
        self.size.switches + beside
    }

    /// Whether it is small enough to say more than its ports.
    pub fn is_talkative(&self) -> bool {
        let size = self.size;
        (3..=MOST_SWITCHES).contains(&size.switches) && size.hosts <= MOST_HOSTS && size.ports >= 16
    }

    pub fn agent_name(&self, agent: usize) -> String {
        let beside = agent.checked_sub(self.size.switches).and_then(|at| BESIDE.get(at));
        beside.map_or_else(|| self.switch_name(agent), |name| (*name).to_owned())
    }

    /// How many ports a device has.
    pub fn agent_ports(&self, agent: usize) -> usize {
        match agent.checked_sub(self.size.switches) {
            None => self.size.ports,
            Some(0) => 8,
            Some(_) => 1,
        }
    }

    /// The switch that a switch hangs on; the core hangs on nothing.
    pub fn uplink(&self, switch: usize) -> Option<usize> {
        (switch >= 2).then_some(switch % 2)
    }

    /// The place where a switch, and all that hangs on it, stands: core and odd access switches in the data centre.
    pub fn site(&self, switch: usize) -> &'static str {
        let far = switch > 2 && switch < self.size.switches && switch.is_multiple_of(2);
        if far { "plant-2" } else { "dc-1" }
    }

    pub fn host_name(host: usize) -> String {
        const KINDS: [&str; 8] = ["db", "web", "app", "mail", "file", "mon", "ldap", "build"];
        format!("{}{:02}", KINDS[host % KINDS.len()], host / KINDS.len() + 1)
    }

    /// The switch that a host hangs on.
    pub fn switch_of(&self, host: usize) -> Option<usize> {
        match self.size.switches {
            0 => None,
            n if n > 2 => Some(2 + host % (n - 2)),
            n => Some(host % n),
        }
    }

    /// Everything that hangs on a switch, itself first: switches, then hosts.
    pub fn below(&self, switch: usize) -> (Vec<usize>, Vec<usize>) {
        let switches: Vec<usize> =
            (0..self.size.switches).filter(|s| *s == switch || self.uplink(*s) == Some(switch)).collect();
        let hosts =
            (0..self.size.hosts).filter(|h| self.switch_of(*h).is_some_and(|s| switches.contains(&s))).collect();
        (switches, hosts)
    }

    /// An address of its own in 127.0.0.0/8 for each switch, away from 127.0.0.x.
    pub fn switch_address(switch: usize) -> Ipv4Addr {
        let n = u32::try_from(switch).unwrap_or(0);
        Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 32, 0, 1)) + n)
    }

    /// Decides what is made up about a switch; the agent and the shell of one switch agree.
    pub fn switch_seed(&self, switch: usize) -> u64 {
        self.size.seed.wrapping_mul(1_000_003).wrapping_add(switch as u64)
    }

    /// The same for hosts that are only pinged.
    pub fn host_address(host: usize) -> Ipv4Addr {
        let n = u32::try_from(host).unwrap_or(0);
        Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 64, 0, 1)) + n)
    }
}
