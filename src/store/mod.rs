//! What noctty keeps between two runs. `database` opens the files (for the journal too), `remembered` is the
//! last known state of every check, `form` its versioned encoding.

pub mod database;
mod form;
mod remembered;

pub use database::{OpenError, Schema};
pub use remembered::{Loaded, Store, StoreError};
