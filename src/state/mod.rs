//! The pure reducer and what may be seen of it. No clock, no I/O, no tasks: time arrives with every
//! event, and the same events in the same order give the same state.
//!
//! ```text
//! Event ──reduce──► State ──publish──► Snapshot (immutable, one Arc per host, device and job)
//!            └────► Effects (for the engine to carry out)
//! ```

pub mod before;
pub mod event;
pub mod lookup;
pub mod rules;
pub mod snapshot;
pub mod view;

mod identities;
mod newest;
mod reduce;

pub use crate::model::NotificationView;
pub use event::{Effect, Event, News, Pace, Remembered};
pub use reduce::State;
pub use reduce::TRANSITIONS;
pub use snapshot::{
    Attached, Awaited, Behind, Blindness, Cause, EngineView, HostWatch, Link, Mode, Problem, ProblemKind, Snapshot,
    Storage, Totals, WatchView,
};
pub use view::{
    Care, CheckView, DeviceView, Finding, Flapping, Gap, HostView, InferredParent, JobState, JobView, Maintained,
    PortState, PortView, Rates,
};
