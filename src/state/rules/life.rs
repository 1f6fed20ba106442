//! What proves that a host lives: which of its checks do, and what a result holds that only the host itself can have told.

use crate::model::Facts;
use crate::state::view::CheckView;

/// The checks whose good result proves that the host is up; all of them where none is marked so.
pub fn signs_of_life(checks: &[CheckView]) -> impl Iterator<Item = &CheckView> + Clone {
    let some_are_marked = checks.iter().any(|c| c.spec.decides_reachability);
    checks.iter().filter(move |c| c.spec.decides_reachability || !some_are_marked)
}

/// Nobody but the host itself knows this of it.
pub fn tells(facts: &Facts) -> bool {
    matches!(facts, Facts::Vitals(_) | Facts::Ports(_))
}
