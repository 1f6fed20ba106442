//! From where on a number of a check is a warning or critical. Plain data; how it sticks is `state::rules::hysteresis`.

use std::sync::Arc;

/// Which side of the limits is bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    #[default]
    Above,
    Below,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The metric's name, as the check has it: `rtt`, `loss`, `disk:/var`.
    pub metric: Arc<str>,
    pub side: Side,
    pub warning: Option<f64>,
    pub critical: Option<f64>,
    /// A ratio of few says nothing: the metric that is its base, and the least that this must be.
    pub base: Option<(Arc<str>, f64)>,
}
