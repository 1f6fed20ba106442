//! A condition that changed: what the log tells of last night.

use super::care::Target;
use super::policy::Condition;
use crate::base::{Timestamp, Untrusted};

/// One change of a host's, a backup's or a part of a device's condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    pub at: Timestamp,
    pub target: Target,
    /// What the operator calls the host or the backup.
    pub name: Untrusted,
    pub from: Condition,
    pub to: Condition,
    /// It became critical because nothing of it answers.
    pub down: bool,
    /// Why, in the words of that moment.
    pub reason: Untrusted,
}

impl Transition {
    /// What it became, in a word.
    pub fn became(&self) -> &'static str {
        if self.down { "down" } else { self.to.as_str() }
    }

    /// Whether somebody wants to read of it: what begins, and what begins well, has not changed.
    pub fn is_news(from: Condition, to: Condition) -> bool {
        let begins = matches!(from, Condition::Pending | Condition::NotProbed);
        from != to && to != Condition::Pending && !(begins && matches!(to, Condition::Ok | Condition::NotProbed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_well_is_no_news() {
        use Condition::{Critical, NotProbed, Ok, Pending, Unreachable};
        for (from, to, is) in [
            (Pending, Ok, false),
            (Pending, Critical, true),
            (Ok, Critical, true),
            (Critical, Ok, true),
            (Ok, Unreachable, true),
            (NotProbed, Ok, false),
            (Ok, Pending, false),
            (Ok, Ok, false),
        ] {
            assert_eq!(Transition::is_news(from, to), is, "{from:?} {to:?}");
        }
    }
}
