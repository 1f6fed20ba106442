//! One cycle without a screen: every check until it is good or its problem is hard, then the snapshot. The same
//! plan, probes, rules and views as the console's.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::plan::{Bound, Plan};
use super::supervise;
use crate::base::{Clock, allow_descriptors};
use crate::model::{CareBook, Observation, Policy};
use crate::net::Net;
use crate::state::{Effect, Event, Snapshot, State};

/// Checks that run at once; each opens a few descriptors at most.
const AT_ONCE: usize = 512;

/// Runs every check of the plan. Problems that are still soft are asked again after their retry interval, at most
/// a second apart.
/// What was done about problems is in `care`, in the times of the wall.
pub async fn run(plan: &Plan, net: &Arc<Net>, clock: Clock, policy: Policy, care: CareBook) -> Snapshot {
    allow_descriptors(plan.descriptors());
    let mut state = State::new(policy);
    state.reduce(clock.now(), Event::Inventory(plan.inventory.clone()));
    // The clock began just now: its steady times are those of the wall.
    state.reduce(clock.now(), Event::Care(care));
    let mut queue: VecDeque<(Bound, Duration)> =
        plan.checks.iter().filter(|b| b.spec.waits_for.is_none()).map(|b| (b.clone(), Duration::ZERO)).collect();
    let mut running: JoinSet<(Bound, Observation, Option<Arc<str>>)> = JoinSet::new();
    loop {
        while running.len() < AT_ONCE {
            let Some((bound, wait)) = queue.pop_front() else { break };
            let net = net.clone();
            running.spawn(async move {
                tokio::time::sleep(wait).await;
                let (observation, fault) = supervise::run(&bound.spec, &bound.run, &net, clock).await;
                (bound, observation, fault)
            });
        }
        let Some(joined) = running.join_next().await else { break };
        // A task only fails to join when it is aborted, which nobody does.
        let Ok((bound, observation, fault)) = joined else { continue };
        let now = clock.now();
        if let Some(fault) = fault {
            state.reduce(now, Event::Fault(fault));
        }
        let silence = net.names.silence();
        if state.nameless() != silence.as_ref() {
            state.reduce(now, Event::Resolver(silence));
        }
        let effects = state.reduce(now, Event::Observed(observation));
        if effects.iter().any(|e| matches!(e, Effect::Retry(_))) {
            let wait = bound.spec.retry_interval.min(Duration::from_secs(1));
            queue.push_back((bound, wait));
        }
    }
    state.publish(clock.now())
}
