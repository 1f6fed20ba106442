//! What a check found that is not good, collected on the way; the worst decides.

use crate::model::Outcome;

#[derive(Debug, Default)]
pub struct Findings {
    worst: Option<Outcome>,
    words: Vec<String>,
}

impl Findings {
    pub fn add(&mut self, outcome: Outcome, words: String) {
        if self.worst.is_none_or(|worst| outcome.rank() > worst.rank()) {
            self.worst = Some(outcome);
        }
        self.words.push(words);
    }

    /// Compares a number with two limits; `words` are made where it is not good.
    pub fn limit(&mut self, value: f64, warning: Option<f64>, critical: Option<f64>, words: impl FnOnce() -> String) {
        if critical.is_some_and(|limit| value >= limit) {
            self.add(Outcome::Critical, words());
        } else if warning.is_some_and(|limit| value >= limit) {
            self.add(Outcome::Warning, words());
        }
    }

    pub fn outcome(&self) -> Outcome {
        self.worst.unwrap_or(Outcome::Ok)
    }

    pub fn words(&self) -> &[String] {
        &self.words
    }
}
