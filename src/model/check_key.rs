//! What names a check.

use std::sync::Arc;

use super::host::AssetId;

/// What a check is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    Host(AssetId),
    Job(AssetId),
}

impl Subject {
    pub fn id(&self) -> &AssetId {
        match self {
            Self::Host(id) | Self::Job(id) => id,
        }
    }
}

/// Names one check for good: results that are restored or arrive late find their check by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CheckKey {
    pub subject: Subject,
    /// Unique within the subject: `icmp`, `tcp:443`, `dns:www.example.net`.
    pub name: Arc<str>,
}
