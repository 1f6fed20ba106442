//! What of a host is news, by what people were told of it. It stands on how the host is judged ([`super::host`]) and on how it stands with
//! its parents ([`super::parents`]); neither of these knows what was told.

use std::sync::Arc;

use super::host::fault;
use super::parents::{Lineage, began, last};
use crate::model::Condition;
use crate::state::view::{CheckView, HostView};

/// What is news about a host though its condition may be what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Everything that is wrong is known.
    Known,
    /// Something is wrong that was never seen to be right: how it is found is no news.
    Found,
    /// Something broke, or got worse; as bad as this.
    New(Condition),
    /// A check that is volatile was bad once more.
    Again,
}

impl Lineage {
    /// A check that was bad is not there any more, and one that was never judged is: perhaps it has another name.
    pub fn is_renamed(&self, view: &HostView) -> bool {
        let gone = |name: &Arc<str>| !view.checks.iter().any(|check| check.spec.key.name == *name);
        self.told.checks.iter().any(|(name, _)| gone(name)) && has_unheard(&view.checks)
    }

    /// Takes in what is wrong with a host and says whether any of it is news. `down`: nothing of it answers; then what its checks
    /// find follows from that. `steady`: what flaps is left out.
    pub fn learn(&mut self, view: &HostView, down: bool, steady: bool) -> Fault {
        if down {
            let known = std::mem::replace(&mut self.told.down, true);
            return match view.condition {
                _ if known => Fault::Known,
                // Nothing of it ever answered.
                Condition::Unknown => Fault::Found,
                condition => Fault::New(condition),
            };
        }
        let mut news = Fault::Known;
        let event = self.event.take().map(|index| &view.checks[index].spec.key.name);
        let mut told = std::mem::take(&mut self.told.checks);
        // One that is gone is remembered for as long as it may have another name.
        let unheard = has_unheard(&view.checks);
        told.retain(|(name, _)| {
            let check = view.checks.iter().find(|check| check.spec.key.name == *name);
            check.map_or(unheard, |check| check.condition.is_problem())
        });
        let firm = view.checks.iter().enumerate().filter(|(_, check)| !steady || !check.flap.flapping);
        for (index, check) in firm {
            let fault = fault(check, view).filter(|_| !self.withheld.contains(&index));
            let Some(condition) = fault else { continue };
            // After an outage each check speaks for itself again once it was asked since.
            let known = told.iter_mut().find(|(name, _)| *name == check.spec.key.name);
            // An earlier run found it and told nobody: that is news when this one finds it too.
            if known.is_none() && check.restored && !self.found {
                continue;
            }
            if self.back.is_some_and(|back| last(check).is_some_and(|o| began(o) < back)) {
                // A silence that goes on is what the host's condition is told to be from now on.
                if known.is_none() && check.spec.decides_reachability {
                    told.push((check.spec.key.name.clone(), condition));
                }
                continue;
            }
            let was_right = check.last_good.is_some() && !check.restored;
            // Whoever owns it knows.
            let is_again = known.is_some() && check.ack.is_none() && event == Some(&check.spec.key.name);
            let is_news = if let Some((_, known)) = known {
                std::mem::replace(known, condition) < condition
            } else {
                told.push((check.spec.key.name.clone(), condition));
                was_right
            };
            news = match news {
                Fault::New(worst) if is_news => Fault::New(worst.max(condition)),
                _ if is_news => Fault::New(condition),
                Fault::Known | Fault::Found if is_again => Fault::Again,
                Fault::Known if !was_right => Fault::Found,
                news => news,
            };
        }
        self.told.checks = told;
        news
    }

    /// What the announcements have to say of a new condition: from what, to what. Where a host stands when it is
    /// first seen is no news, and that it cannot be judged is none either.
    pub fn announce(&mut self, condition: Condition) -> Option<(Condition, Condition)> {
        let told = match condition {
            Condition::Pending => return None,
            Condition::Unreachable => {
                self.told.condition.get_or_insert(Condition::Ok);
                return None;
            }
            _ => self.told.condition.replace(condition)?,
        };
        let news = told != condition && (told.is_problem() || condition.is_problem());
        news.then_some((told, condition))
    }
}

/// A check has never been judged, and will be soon.
fn has_unheard(checks: &[CheckView]) -> bool {
    let unheard = |check: &CheckView| {
        let open = check.last.is_none() || check.is_soft();
        check.condition == Condition::Pending && check.last_good.is_none() && open && check.spec.waits_for.is_none()
    };
    checks.iter().any(unheard)
}
