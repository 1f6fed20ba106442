//! Whether the system's resolver answers at all: told by the look-ups of all names together, since one name that gets no
//! answer may have a broken zone of its own.
//!
//! ```text
//!             2 names without an address, and ≥ 80 % of the look-ups that ended got no answer
//! answers ──────────────────────────────────────────────────────────────────────────────────► silent
//!    ▲     2 names that got no answer get one, or at most half of the look-ups are without one    │
//!    └─────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! "There is no such name" is an answer. What is silent is forgotten when answers come back: it is judged by new look-ups.

use std::collections::HashMap;
use std::sync::Arc;

/// The fewest names that have no address for want of an answer, and the fewest that have to get one again.
const FEWEST: usize = 2;
/// Of the look-ups that ended, in percent.
const SHARE: usize = 80;

/// How the last look-up of a name ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// With an address, or with the word that there is none.
    Given,
    /// With none. `lost`: nor is there an address from before.
    None { lost: bool },
}

#[derive(Debug, Default)]
pub(super) struct Health {
    /// Nothing for a name whose first look-up is under way.
    answers: HashMap<Arc<str>, Option<Answer>>,
    count: Count,
    silent: bool,
    /// Names that got an answer again since the silence began.
    returned: usize,
}

/// Of the answers.
#[derive(Debug, Default)]
struct Count {
    ended: usize,
    without: usize,
    lost: usize,
}

impl Health {
    pub(super) fn begun(&mut self, name: &Arc<str>) {
        if !self.answers.contains_key(name) {
            self.answers.insert(name.clone(), None);
        }
    }

    pub(super) fn ended(&mut self, name: &Arc<str>, answer: Answer) {
        let before = self.answers.insert(name.clone(), Some(answer)).flatten();
        if answer == Answer::Given && matches!(before, Some(Answer::None { .. })) && self.silent {
            self.returned += 1;
        }
        if let Some(before) = before {
            self.count.ended -= 1;
            self.count.without -= usize::from(before != Answer::Given);
            self.count.lost -= usize::from(before == Answer::None { lost: true });
        }
        self.count.ended += 1;
        self.count.without += usize::from(answer != Answer::Given);
        self.count.lost += usize::from(answer == Answer::None { lost: true });
    }

    /// Whether no answer is to be had.
    pub(super) fn is_silent(&mut self) -> bool {
        let Count { ended, without, lost } = self.count;
        if !self.silent {
            let told = ended * 2 >= self.answers.len();
            self.silent = told && lost >= FEWEST && without * 100 >= ended * SHARE;
        } else if self.returned >= FEWEST || without * 2 <= ended {
            (self.silent, self.returned) = (false, 0);
            self.count = Count { ended: ended - without, ..Count::default() };
            for answer in self.answers.values_mut() {
                answer.take_if(|answer| *answer != Answer::Given);
            }
        }
        self.silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: Answer = Answer::None { lost: true };

    fn heard(health: &mut Health, answers: &[(&str, Answer)]) -> bool {
        for (name, answer) in answers {
            health.begun(&Arc::from(*name));
            health.ended(&Arc::from(*name), *answer);
        }
        health.is_silent()
    }

    #[test]
    fn one_name_is_no_silence_and_two_are() {
        let mut health = Health::default();
        assert!(!heard(&mut health, &[("a", LOST)]));
        assert!(heard(&mut health, &[("b", LOST)]));
        assert!(heard(&mut health, &[("c", LOST)]));
    }

    #[test]
    fn a_name_that_does_not_exist_is_an_answer() {
        let mut health = Health::default();
        assert!(!heard(&mut health, &[("a", Answer::Given), ("b", LOST)]));
        assert!(!heard(&mut health, &[("c", LOST), ("d", LOST)]), "3 of 4");
        assert!(heard(&mut health, &[("e", LOST)]), "4 of 5");
    }

    #[test]
    fn names_that_keep_an_address_bear_witness_and_are_not_lost() {
        let mut health = Health::default();
        assert!(!heard(&mut health, &[("a", Answer::None { lost: false }), ("b", LOST)]));
        assert!(heard(&mut health, &[("c", LOST)]));
    }

    #[test]
    fn nothing_is_said_before_half_of_the_look_ups_have_ended() {
        let mut health = Health::default();
        for name in ["a", "b", "c", "d", "e"] {
            health.begun(&Arc::from(name));
        }
        assert!(!heard(&mut health, &[("a", LOST), ("b", LOST)]));
        assert!(heard(&mut health, &[("c", LOST)]));
    }

    #[test]
    fn two_that_get_an_answer_again_end_it_and_the_others_are_judged_anew() {
        let mut health = Health::default();
        let all = ["a", "b", "c", "d", "e", "f"].map(|name| (name, LOST));
        assert!(heard(&mut health, &all));
        assert!(heard(&mut health, &[("a", Answer::Given)]));
        assert!(!heard(&mut health, &[("b", Answer::Given)]));
        assert!(!heard(&mut health, &[("c", LOST), ("d", LOST)]), "2 of 4: the resolver answers");
    }

    #[test]
    fn two_bad_zones_that_were_heard_first_are_no_silence_for_long() {
        let mut health = Health::default();
        assert!(heard(&mut health, &[("a", LOST), ("b", LOST)]));
        assert!(heard(&mut health, &[("c", Answer::Given)]));
        assert!(!heard(&mut health, &[("d", Answer::Given)]));
    }
}
