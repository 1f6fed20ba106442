//! The reducer.

/// All that is known.
#[derive(Debug, Default)]
pub struct State {}
