//! The ports check against simulated switches, walk after walk, as the engine runs it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use noctty::base::Clock;
use noctty::config::load;
use noctty::engine::bind::bind;
use noctty::engine::plan::Runner;
use noctty::model::{Facts, PortTable, Reading};
use noctty::net::Net;
use noctty::sim::snmp::{AgentSpec, SnmpAgents};

use crate::peer::until;

/// A switch, and the check that walks it.
struct Lab {
    agents: SnmpAgents,
    clock: Clock,
    runtime: tokio::runtime::Runtime,
    net: Arc<Net>,
    check: Runner,
}

impl Lab {
    fn new(ports: u32) -> Self {
        let clock = Clock::start();
        let spec = AgentSpec {
            address: SocketAddr::from(([127, 0, 0, 66], 0)),
            name: "sim-sw1".to_owned(),
            community: "sim".to_owned(),
            user: None,
            ports,
            seed: 11,
        };
        let agents = SnmpAgents::start(vec![spec], clock).expect("the simulator starts");
        let address = agents.addresses()[0];
        let text = format!(
            "[[host]]\nname = \"sw1\"\naddress = \"{}\"\nchecks = []\nsnmp = {{ port = {}, community = \"sim\" }}\n",
            address.ip(),
            address.port()
        );
        let config = load::parse("noctty.toml", text).expect("it is valid");
        let (plan, _) = bind(&config).expect("it can be bound");
        let check = plan.checks.into_iter().find(|bound| &*bound.spec.kind == "ports").expect("the ports check").run;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let net = runtime.block_on(async { Net::new(clock) });
        Self { agents, clock, runtime, net, check }
    }

    fn walk(&self) -> (Reading, Arc<PortTable>) {
        let reading = self.runtime.block_on(self.check.run(&self.net, self.clock, Duration::from_secs(30)));
        let Facts::Ports(table) = &reading.facts else { panic!("no table: {}", reading.summary.line()) };
        let table = table.clone();
        assert!(table.complete, "{:?}", table.warnings);
        (reading, table)
    }
}

fn requests(reading: &Reading) -> f64 {
    reading.metrics.iter().find(|m| &*m.name == "requests").expect("the requests are told").value
}

#[test]
fn packets_are_asked_for_only_on_ports_whose_errors_grow() {
    let lab = Lab::new(12);
    lab.walk();
    let (healthy, table) = lab.walk();
    assert!(table.packets.is_empty());
    lab.agents.set_error_rate(0, 8, 5_000);
    let mut found = None;
    until("errors grow", || {
        let (reading, table) = lab.walk();
        let asked = !table.packets.is_empty();
        if asked {
            found = Some((reading, table));
        }
        asked
    });
    let (reading, table) = found.expect("it was found");
    assert_eq!(table.packets.iter().map(|p| p.index).collect::<Vec<_>>(), [9]);
    assert!(table.packets[0].received.is_some_and(|n| n > 0) && table.packets[0].sent.is_some_and(|n| n > 0));
    assert!((requests(&reading) - requests(&healthy) - 1.0).abs() < 0.1, "one request more");
}

#[test]
fn a_walk_brings_the_clocks_that_tell_a_restart() {
    let lab = Lab::new(4);
    let (_, first) = lab.walk();
    assert_eq!(first.device.table_last_change, Some(0));
    lab.agents.reboot(0);
    let (_, second) = lab.walk();
    assert!(second.device.uptime < first.device.uptime);
}
