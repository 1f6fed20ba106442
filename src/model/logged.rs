//! What the log of one run keeps for that of the next: conditions that changed, what devices told by themselves, and tasks that
//! ended in a fault. Nothing else of a run is in it: no reply, no value, no secret.

use std::sync::Arc;

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
    Told(Arc<NotificationView>),
    Failed(Arc<Fault>),
}

/// What earlier runs kept, each kind newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    pub transitions: Vec<Arc<Transition>>,
    pub notifications: Vec<Arc<NotificationView>>,
    pub faults: Vec<Arc<Fault>>,
}
