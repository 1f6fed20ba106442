//! What noctty keeps between two runs. `database` opens the files (for the journal too), `remembered` is the
//! last known state of every check, what people were told of every host and job, and what is known of every device's ports;
//! `form`, `assets` and `ports` are their versioned encodings, `outbox` what channels have still to tell, `transitions` which
//! conditions changed, `told` what devices told by themselves and which tasks failed.

mod assets;
pub mod database;
mod form;
mod outbox;
mod own_engine;
mod ports;
mod remembered;
mod told;
mod transitions;

pub use database::{OpenError, Schema};
pub use outbox::{Dispatch, Outbox, Untold};
pub use own_engine::{OwnEngine, own_engine};
pub use remembered::{Loaded, Store, StoreError};
