//! What the reducer consumes, and what it asks the engine to do.

use std::sync::Arc;

use super::snapshot::{HostWatch, Mode, Storage, WatchView};
use crate::model::{
    AssetId, CareBook, ChannelStatus, CheckKey, Condition, Entry, Incident, Inventory, Log, Logged, Notification,
    Observation, Pause, Policy, Release, Session, SessionId, Subject, Target, TrapStatus,
};
pub use crate::model::{Remembered, RememberedAsset, RememberedDevice};

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The whole inventory, at start and after each reload or discovery. What is still there keeps its
    /// state.
    Inventory(Arc<Inventory>),
    Policy(Policy),
    /// Last known states from the store; never overrules what this run has seen itself.
    Restored(Vec<Remembered>),
    /// What people were told of hosts and jobs by an earlier run; comes before the states.
    RestoredAssets(Vec<RememberedAsset>),
    /// What the store knows of the ports of devices.
    RestoredDevices(Vec<RememberedDevice>),
    /// What an earlier run kept for the log.
    RestoredLog(Log),
    Observed(Observation),
    /// Time has passed: staleness and due backups are looked at.
    Tick,
    Mode(Mode),
    /// All polling was stopped, or goes on.
    Paused(Option<Arc<Pause>>),
    Storage(Storage),
    /// All incidents, as the journal has them.
    Incidents(Vec<Incident>),
    /// One incident, new or changed.
    Incident(Incident),
    /// What was done about problems, as it is on disk.
    Care(CareBook),
    /// An entry that is on disk.
    EntrySaved(Arc<Entry>),
    Session(Session),
    SessionForgotten(SessionId),
    /// How busy the engine is.
    Load {
        running: usize,
        waiting: usize,
        late: u64,
        runs: u64,
    },
    /// Why the machine has no way out any more, in words; `None` with one again. Told when that changes.
    Uplink(Option<Arc<str>>),
    /// By how much the system's clock is ahead of steady time, in milliseconds, since it was set.
    WallClock(i64),
    /// That names cannot be resolved, in words; `None` where they can again. Told when that changes.
    Resolver(Option<Arc<str>>),
    Fault(Arc<str>),
    Discovering(bool),
    Watching(Option<WatchView>),
    /// All hosts that are watched.
    WatchingHosts(Arc<[HostWatch]>),
    Remark(Arc<str>),
    /// A device told something by itself.
    Notified(Notification),
    /// How the channels to people stand.
    Channels(Vec<ChannelStatus>),
    /// How the listener for that stands.
    Traps(TrapStatus),
}

/// What should happen because of an event; the engine does it.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Look again soon: the problem is still soft.
    Retry(CheckKey),
    /// Look now, within what the check's pace allows: what hangs on it has fallen silent, or what it hangs on is back.
    Ask(CheckKey),
    /// Something is wrong with it, or is not any more: look at it more often, or as ever.
    Pace { asset: AssetId, pace: Pace },
    /// Most answer although this machine had no way out: look whether it has one again.
    LookOut,
    /// A device told something: look at it as soon as may be.
    Look(AssetId),
    /// Keep this check's state for the next start.
    Remember(CheckKey),
    /// Keep what people were told of this host or job for the next start.
    RememberAsset(Subject),
    /// Keep what is known of this device's ports for the next start.
    RememberDevice(AssetId),
    /// Keep that for the log of the next start, whether anybody is told of it or not.
    Log(Logged),
    /// A thing became hard bad, worse, better or good again; once for each. What cannot be judged announces nothing.
    Announce { asset: AssetId, from: Condition, to: Condition, news: News },
    /// The same of a part of a device: a port, or what it says of itself.
    AnnouncePart { target: Target, from: Condition, to: Condition },
    /// A claim has ended by itself: write that down.
    Release { target: Target, claim: Arc<str>, why: Release },
}

/// How often something is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pace {
    Alarmed,
    AsEver,
}

/// What an announcement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum News {
    /// The condition changed.
    Changed,
    /// The condition is what it was, by another fault that is as bad.
    Another,
    /// It changes so often that its changes are told no more.
    FlappingBegins,
    /// It stands still again, at `to`.
    FlappingEnds,
}
