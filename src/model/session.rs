//! Interactive SSH sessions as the operator sees them.

use std::sync::Arc;

use super::host::AssetId;
use crate::base::Untrusted;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u32);

#[derive(Clone, Debug, PartialEq)]
pub enum SessionStatus {
    /// What is being done at the moment: "connecting to jump1", "authenticating".
    Opening(Arc<str>),
    Open,
    /// Ended, with the reason in words and, where the remote side said one, the exit status.
    Closed {
        reason: Arc<str>,
        exit_status: Option<u32>,
        offer_system_ssh: bool,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    pub id: SessionId,
    pub asset: AssetId,
    pub title: Arc<str>,
    pub status: SessionStatus,
}

/// Names a question until it is answered or withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PromptId(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKeyProblem {
    /// Not in `known_hosts`: may be accepted after a look at the fingerprint.
    Unknown,
}

/// A question that needs the operator. What the server wrote is `Untrusted` and shown apart from what
/// the console itself says.
#[derive(Clone, Debug, PartialEq)]
pub enum Prompt {
    /// Yes or no to a host key. A *changed* or revoked key is no question: the session is refused.
    HostKey {
        hop: Arc<str>,
        algorithm: Arc<str>,
        fingerprint: Arc<str>,
        problem: HostKeyProblem,
        file: Arc<str>,
    },
    /// The passphrase of a key file.
    Passphrase {
        hop: Arc<str>,
        file: Arc<str>,
    },
    Password {
        hop: Arc<str>,
        user: Arc<str>,
    },
    /// One question of keyboard-interactive (RFC 4256).
    Interactive {
        hop: Arc<str>,
        user: Arc<str>,
        instruction: Untrusted,
        question: Untrusted,
        echo: bool,
    },
}
