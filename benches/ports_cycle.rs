//! One ports cycle against simulated switches: asking, decoding, rates and port states. The simulator answers from a
//! thread of its own in the same process, so its cost is in the wall time that is shown.

mod switches;

use std::sync::Arc;
use std::time::Duration;

use noctty::base::Clock;
use noctty::model::{Host, Origin, PortTable};
use noctty::net::Net;
use noctty::net::snmp::Target;
use noctty::probe::{Cx, ports};
use noctty::proto::snmp::usm::{AuthProtocol, PrivProtocol, User};
use noctty::state::DeviceView;
use noctty::state::rules::ports::judge;

fn main() {
    divan::main();
}

/// Walks all devices at once and judges each against its view before.
async fn cycle(net: Arc<Net>, targets: &[Target], before: &mut [Option<DeviceView>]) {
    let mut walks = tokio::task::JoinSet::new();
    for (i, target) in targets.iter().cloned().enumerate() {
        let cx = Cx { net: net.clone(), family: None, timeout: Duration::from_secs(30) };
        let old: Option<Arc<PortTable>> = before[i].as_ref().map(|view| view.table.clone());
        walks.spawn(async move { (i, ports::walk(&cx, &target, 25, old.as_deref(), ports::Depth::Due).await) });
    }
    let host = Arc::new(Host::new("sw", None, Origin::OneOff));
    while let Some(walked) = walks.join_next().await {
        let (i, table) = walked.expect("no panic");
        let (table, _) = table.expect("the simulator answers");
        assert_eq!(table.ports.len(), 48);
        before[i] = Some(judge(before[i].as_ref(), &table, &host));
    }
}

/// Cycles over `count` switches, asked in version 2c or as `user` in version 3.
fn cycles(bencher: divan::Bencher<'_, '_>, count: u32, user: Option<Arc<User>>) {
    let clock = Clock::start();
    let agents = switches::start(count, 48, user.as_ref(), clock);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let net = Net::new(clock);
    let targets = switches::targets(&agents, user, Duration::from_secs(5));
    let mut before: Vec<Option<DeviceView>> = vec![None; targets.len()];
    // The discovery of version 3 and the first view are not what is measured.
    runtime.block_on(cycle(net.clone(), &targets, &mut before));
    bencher.bench_local(|| runtime.block_on(cycle(net.clone(), &targets, &mut before)));
}

#[divan::bench(args = [10, 100, 1000], sample_count = 10, sample_size = 1)]
fn switches_with_48_ports(bencher: divan::Bencher<'_, '_>, count: u32) {
    cycles(bencher, count, None);
}

/// authPriv with SHA-1 and AES-128, as most networks have it.
#[divan::bench(args = [10, 100, 1000], sample_count = 10, sample_size = 1)]
fn switches_with_48_ports_in_version_3(bencher: divan::Bencher<'_, '_>, count: u32) {
    let (auth, privacy) = ((AuthProtocol::Sha1, &b"benchmark"[..]), (PrivProtocol::Aes128, &b"benchmark"[..]));
    let user = User::new(b"bench", Some(auth), Some(privacy)).expect("a valid user");
    cycles(bencher, count, Some(Arc::new(user)));
}
