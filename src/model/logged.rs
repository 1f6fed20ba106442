//! What the log of one run keeps for that of the next: conditions that changed, what else was found otherwise than before, what
//! devices told by themselves, and tasks that ended in a fault. Nothing else of a run is in it: no reply, no secret.

use std::sync::Arc;

use super::change::Change;
use super::notification::NotificationView;
use super::transition::Transition;
use crate::base::Timestamp;

/// A task of the engine ended in a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub at: Timestamp,
    pub words: Arc<str>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Logged {
    Changed(Arc<Transition>),
    Compared(Arc<Change>),
    Told(Arc<NotificationView>),
    Failed(Arc<Fault>),
}

/// What earlier runs kept, each kind newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    pub transitions: Vec<Arc<Transition>>,
    pub changes: Vec<Arc<Change>>,
    pub notifications: Vec<Arc<NotificationView>>,
    pub faults: Vec<Arc<Fault>>,
}
