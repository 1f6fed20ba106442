//! What every layer stands on: time, secrets, foreign text, units, and option tables that know
//! where in which file they were written. Imports nothing of the project.

pub mod alarm;
mod characters;
pub mod clock;
mod descriptors;
pub mod document;
mod lookalike;
pub mod options;
pub mod secret;
pub mod text;
pub mod units;

pub use alarm::Alarm;
pub use clock::{Clock, Timestamp};
pub use descriptors::allow_descriptors;
pub use secret::Secret;
pub use text::Untrusted;
