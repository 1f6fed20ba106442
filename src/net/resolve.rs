//! Names to addresses for probes: the system's resolver in a blocking thread, with a deadline, a short memory, and
//! the last known address where resolution fails now.

use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer is used without asking again.
const FRESH: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    #[error("dns: {name}: {reason}")]
    Failed { name: String, reason: String },
    #[error("dns: {name}: no answer within {:.1} s", .within.as_secs_f32())]
    TimedOut { name: String, within: Duration },
}

#[derive(Debug, Default)]
pub struct Names {
    known: Mutex<HashMap<Arc<str>, (IpAddr, Instant)>>,
}

impl Names {
    /// The address of a name; an IP address is its own. IPv4 is preferred where both are there.
    ///
    /// # Errors
    /// The name does not resolve in time and never did.
    pub async fn resolve(&self, name: &Arc<str>, timeout: Duration) -> Result<IpAddr, ResolveError> {
        if let Ok(address) = name.parse() {
            return Ok(address);
        }
        let known = self.lock().get(name).copied();
        if let Some((address, at)) = known
            && at.elapsed() < FRESH
        {
            return Ok(address);
        }
        match look_up(name, timeout).await {
            Ok(address) => {
                self.lock().insert(name.clone(), (address, Instant::now()));
                Ok(address)
            }
            // A dead resolver must not make everything unknown: the last address still answers or not.
            Err(error) => known.map(|(address, _)| address).ok_or(error),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, (IpAddr, Instant)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn look_up(name: &Arc<str>, timeout: Duration) -> Result<IpAddr, ResolveError> {
    let asked = name.clone();
    let task = tokio::task::spawn_blocking(move || (&*asked, 0).to_socket_addrs().map(Iterator::collect::<Vec<_>>));
    let failed = |reason: String| ResolveError::Failed { name: name.to_string(), reason };
    match tokio::time::timeout(timeout, task).await {
        Err(_) => Err(ResolveError::TimedOut { name: name.to_string(), within: timeout }),
        Ok(Err(join)) => Err(failed(join.to_string())),
        Ok(Ok(Err(error))) => {
            let words = error.to_string();
            Err(failed(words.strip_prefix("failed to lookup address information: ").unwrap_or(&words).to_owned()))
        }
        Ok(Ok(Ok(addresses))) => {
            let first = addresses.iter().find(|a| a.is_ipv4()).or_else(|| addresses.first());
            first.map(std::net::SocketAddr::ip).ok_or_else(|| failed("no address".to_owned()))
        }
    }
}
