//! One ports cycle against simulated switches: asking, decoding, rates and port states. The simulator answers from a
//! thread of its own in the same process, so its cost is in the wall time that is shown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use noctty::base::{Clock, Secret};
use noctty::model::{Host, Origin, PortTable};
use noctty::net::Net;
use noctty::net::snmp::Target;
use noctty::probe::{Cx, ports};
use noctty::proto::snmp::{Credentials, Version};
use noctty::sim::snmp::{AgentSpec, SnmpAgents};
use noctty::state::DeviceView;
use noctty::state::rules::ports::judge;

fn main() {
    divan::main();
}

fn agents(count: u32, clock: Clock) -> SnmpAgents {
    let specs = (0..count).map(|i| AgentSpec {
        address: SocketAddr::from(([127, 80, (i >> 8) as u8, i as u8], 0)),
        name: format!("sw{i}"),
        community: "bench".to_owned(),
        user: None,
        ports: 48,
        seed: u64::from(i),
    });
    SnmpAgents::start(specs.collect(), clock).expect("the simulator starts")
}

/// Walks all devices at once and judges each against its view before.
async fn cycle(net: Arc<Net>, targets: &[Target], before: &mut [Option<DeviceView>]) {
    let mut walks = tokio::task::JoinSet::new();
    for (i, target) in targets.iter().cloned().enumerate() {
        let cx = Cx { net: net.clone(), timeout: Duration::from_secs(30) };
        let old: Option<Arc<PortTable>> = before[i].as_ref().map(|view| view.table.clone());
        walks.spawn(async move { (i, ports::walk(&cx, &target, 25, old.as_deref()).await) });
    }
    let host = Arc::new(Host::new("sw", None, Origin::OneOff));
    while let Some(walked) = walks.join_next().await {
        let (i, table) = walked.expect("no panic");
        let (table, _) = table.expect("the simulator answers");
        assert_eq!(table.ports.len(), 48);
        before[i] = Some(judge(before[i].as_ref(), &table, &host));
    }
}

#[divan::bench(args = [10, 100, 1000], sample_count = 10, sample_size = 1)]
fn switches_with_48_ports(bencher: divan::Bencher<'_, '_>, count: u32) {
    let clock = Clock::start();
    let agents = agents(count, clock);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let net = Net::new(clock);
    let targets: Vec<Target> = agents
        .addresses()
        .iter()
        .map(|address| Target {
            address: *address,
            version: Version::V2c,
            credentials: Credentials::Community(Secret::new(b"bench".to_vec())),
            timeout: Duration::from_secs(5),
            retries: 2,
        })
        .collect();
    let mut before: Vec<Option<DeviceView>> = vec![None; targets.len()];
    bencher.bench_local(|| runtime.block_on(cycle(net.clone(), &targets, &mut before)));
}
