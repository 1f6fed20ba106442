//! Backup verdicts: RPO, missed runs, locks, from the last report and the time.

use std::sync::Arc;

use crate::base::{Timestamp, Untrusted};
use crate::model::{Condition, Job};
use crate::state::view::{CheckView, JobState, JobView};

/// Judges a job from its check's last results and what was known before.
pub fn judge(job: &Arc<Job>, previous: Option<&JobView>, check: Option<&CheckView>, now: Timestamp) -> JobView {
    let _ = previous;
    JobView {
        job: job.clone(),
        state: JobState::Pending,
        condition: Condition::Pending,
        since: now,
        reason: Untrusted::default(),
        findings: Vec::new(),
        report: None,
        newest: None,
        next_expected: None,
        last_expected: None,
        check: check.cloned(),
        stale: false,
        review_at: None,
    }
}
