//! The operator's SSH agent: which keys it holds, and signatures by them. It is never forwarded, and nothing is
//! ever added to it.

use std::path::Path;
use std::time::Duration;

use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::{AgentClient, AgentStream};

use super::config::AgentSocket;
use crate::base::text::clean;

const LIST_LIMIT: Duration = Duration::from_secs(5);
/// More keys than servers let anybody try.
const IDENTITIES: usize = 64;

pub(super) struct Agent {
    pub client: AgentClient<Box<dyn AgentStream + Send + Unpin>>,
    pub identities: Vec<AgentIdentity>,
}

/// Asks the agent for its keys. `Ok(None)` where there is none; an agent that does not answer is a remark.
pub(super) async fn open(socket: &AgentSocket) -> Result<Option<Agent>, String> {
    let path = match socket {
        AgentSocket::None => return Ok(None),
        AgentSocket::Path(path) => path,
    };
    match tokio::time::timeout(LIST_LIMIT, list(path)).await {
        Ok(Ok(agent)) => Ok(Some(agent)),
        Ok(Err(error)) => Err(format!("agent {}: {}", path.display(), clean(&error.to_string()))),
        Err(_) => Err(format!("agent {}: no answer within {} s", path.display(), LIST_LIMIT.as_secs())),
    }
}

async fn list(path: &Path) -> Result<Agent, russh::keys::Error> {
    let mut client = AgentClient::connect_uds(path).await?.dynamic();
    let mut identities = client.request_identities().await?;
    identities.truncate(IDENTITIES);
    Ok(Agent { client, identities })
}
