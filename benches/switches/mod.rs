//! Simulated switches for benchmarks, and how they are asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use noctty::base::{Clock, Secret};
use noctty::net::snmp::Target;
use noctty::proto::snmp::usm::User;
use noctty::proto::snmp::{Credentials, Security, Version};
use noctty::sim::snmp::{AgentSpec, SnmpAgents};

/// So many switches, each on an address of its own.
pub fn start(count: u32, ports: u32, user: Option<&Arc<User>>, clock: Clock) -> SnmpAgents {
    let specs = (0..count).map(|i| AgentSpec {
        address: SocketAddr::from(([127, 80, (i >> 8) as u8, i as u8], 0)),
        name: format!("sw{i}"),
        community: "bench".to_owned(),
        user: user.cloned(),
        ports,
        seed: u64::from(i),
    });
    SnmpAgents::start(specs.collect(), clock).expect("the simulator starts")
}

/// They are asked in version 2c, or as `user` in version 3.
pub fn targets(agents: &SnmpAgents, user: Option<Arc<User>>, timeout: Duration) -> Vec<Target> {
    let (version, credentials) = match user {
        None => (Version::V2c, Credentials::Community(Secret::new(b"bench".to_vec()))),
        Some(user) => {
            let security =
                Security { user, context: Arc::from(&b""[..]), engine_id: None, pardon: false, trial: false };
            (Version::V3, Credentials::User(security))
        }
    };
    let target = |address: &SocketAddr| Target {
        address: *address,
        version,
        credentials: credentials.clone(),
        timeout,
        retries: 2,
        in_flight: 1,
    };
    agents.addresses().iter().map(target).collect()
}
