//! Something that is not what it was, and is no condition: a kernel, a certificate, a neighbor, the configuration, a
//! maintenance window that began. It is kept for whoever asks what changed before a problem began.

use super::care::Target;
use crate::base::{Timestamp, Untrusted};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub at: Timestamp,
    /// A host or one of its ports.
    pub target: Target,
    /// What it was and is, in words; quotes foreign text.
    pub words: Untrusted,
}
