//! The reducer and the publication of snapshots: 10,000 hosts with five checks each.

use std::sync::Arc;
use std::time::Duration;

use noctty::base::Timestamp;
use noctty::model::{
    AssetId, CheckKey, CheckSpec, Host, Inventory, Observation, Origin, Policy, Reading, Subject, Unit, Wire,
};
use noctty::state::{Event, State};

const HOSTS: usize = 10_000;
const CHECKS: usize = 5;
const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn main() {
    divan::main();
}

fn key(host: usize, check: usize) -> CheckKey {
    CheckKey { subject: Subject::Host(AssetId::new(format!("host-{host}"))), name: format!("check-{check}").into() }
}

fn state() -> State {
    let mut inventory = Inventory::default();
    for host in 0..HOSTS {
        inventory.hosts.push(Arc::new(Host::new(&format!("host-{host}"), Some("192.0.2.1"), Origin::Config)));
        for check in 0..CHECKS {
            inventory.checks.push(Arc::new(CheckSpec {
                key: key(host, check),
                kind: "tcp".into(),
                interval: Duration::from_secs(30),
                timeout: Duration::from_secs(2),
                retry_interval: Duration::from_secs(1),
                attempts: 3,
                decides_reachability: check == 0,
                fixed_pace: false,
                eases: false,
                volatile: false,
                runbook: None,
                speaks_for_host: true,
                waits_for: None,
                wire: Wire { protocol: "TCP".into(), destination: "192.0.2.1:80".into() },
            }));
        }
    }
    let mut state = State::new(Policy::default());
    state.reduce(T0, Event::Inventory(Arc::new(inventory)));
    state
}

fn observations(at: Timestamp) -> Vec<Observation> {
    let mut out = Vec::with_capacity(HOSTS * CHECKS);
    for host in 0..HOSTS {
        for check in 0..CHECKS {
            let reading = Reading::ok("0.4ms").metric("rtt", 0.0004, Unit::Seconds);
            out.push(Observation { check: key(host, check), at, took: Duration::from_millis(1), reading });
        }
    }
    out
}

/// 50,000 observations; divide by 50,000 for one.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn reduce_50_000_observations(bencher: divan::Bencher<'_, '_>) {
    let mut state = state();
    let mut second = 0;
    bencher
        .with_inputs(|| {
            second += 30;
            observations(T0.plus(Duration::from_secs(second)))
        })
        .bench_local_values(|batch| {
            for observation in batch {
                let at = observation.at;
                divan::black_box(state.reduce(at, Event::Observed(observation)));
            }
        });
}

/// A snapshot of 10,000 hosts with 50,000 checks, a hundredth of them changed.
#[divan::bench(sample_count = 100, sample_size = 1)]
fn publish_50_000_checks(bencher: divan::Bencher<'_, '_>) {
    let mut state = state();
    for observation in observations(T0) {
        state.reduce(T0, Event::Observed(observation));
    }
    bencher.bench_local(|| divan::black_box(state.publish(T0)));
}
