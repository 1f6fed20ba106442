//! Backup verdicts: RPO, missed runs, locks and damage, from the last report and the time. Repository tools keep no
//! record of runs, so a failed run and a missed one look the same: no new restore point.
//!
//! The worst finding makes the condition, the first in the order of concern the headline, and all are listed. A
//! repository that cannot be read is never OK, and neither is old information.

use std::sync::Arc;
use std::time::Duration;

use super::schedule::{Plan, Tick};
use crate::base::{Timestamp, Untrusted, units};
use crate::model::{BackupFailure, BackupReport, Condition, Facts, Job, Outcome};
use crate::state::view::{Care, CheckView, JobState, JobView};

/// The least time a run may be late.
const GRACE: Duration = Duration::from_secs(30 * 60);
/// A run that starts a little before its time is that run.
const EARLY: Duration = Duration::from_secs(5 * 60);
/// Restore points further in the future than clocks differ say nothing about now.
const SKEW: Duration = Duration::from_secs(5 * 60);
/// An exclusive lock that is held so long keeps retention from working.
const LONG_LOCK: Duration = Duration::from_secs(6 * 3600);

/// Steady time, and by how many milliseconds the system's clock is ahead of it. Schedules go by the system's clock. So do ages of
/// restore points where steady time has them in the future and the system's clock has not: it was wrong when noctty began. Else they
/// go by steady time, and a clock that is set wrong makes none of them old.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub at: Timestamp,
    pub ahead: i64,
}

impl From<Timestamp> for Now {
    fn from(at: Timestamp) -> Self {
        Self { at, ahead: 0 }
    }
}

/// Judges a job from its check's last results and what was known before.
pub fn judge(job: &Arc<Job>, previous: Option<&JobView>, check: Option<&CheckView>, now: impl Into<Now>) -> JobView {
    let Now { at: now, ahead } = now.into();
    let known = Known::of(previous, check, ahead);
    let plan = job.schedule.as_ref().and_then(Plan::of);
    let wall = now.shifted(ahead);
    let (last, before) = plan.as_ref().map_or((None, None), |plan| plan.last_two(wall));
    let next = plan.as_ref().and_then(|plan| plan.next(wall));
    let grace = grace(job, last, next);
    let [last, before, next] = [last, before, next].map(|tick| tick.map(|tick| tick.shifted(-ahead)));
    let times = Times { last, before, next, grace, ahead };
    let mut verdict = Verdict { now, findings: Vec::new(), review: Vec::new() };
    verdict.look(job, check, &known);
    if let Some(report) = &known.report {
        verdict.damage(report);
        verdict.locks(report, known.behind);
    }
    if known.read_at.is_some() {
        verdict.age(job, &times, &known);
        verdict.missed(&times, &known);
    }
    verdict.view(job, previous, check, &known, &times)
}

/// How late a run may come: what is configured, else a tenth of the interval, at least half an hour.
fn grace(job: &Job, last: Option<Tick>, next: Option<Tick>) -> Duration {
    job.grace.unwrap_or_else(|| match (last, next) {
        (Some(last), Some(next)) => GRACE.max(next.at.since(last.at) / 10),
        _ => GRACE,
    })
}

struct Times {
    last: Option<Tick>,
    before: Option<Tick>,
    next: Option<Tick>,
    grace: Duration,
    /// All of them are steady times; so many milliseconds later by the system's clock.
    ahead: i64,
}

impl Times {
    /// The longer of the two intervals around now, so that a free weekend is no breach.
    fn interval(&self) -> Option<Duration> {
        let last = self.last?;
        let past = self.before.map(|before| last.at.since(before.at));
        let coming = self.next.map(|next| next.at.since(last.at));
        past.into_iter().chain(coming).max()
    }
}

/// What the last successful look showed, from this run or, as one number, from before a restart.
struct Known {
    report: Option<Arc<BackupReport>>,
    read_at: Option<Timestamp>,
    newest: Option<Timestamp>,
    /// By how much steady time is behind where the restore points' times come from.
    behind: i64,
    empty: bool,
    failure: Option<BackupFailure>,
}

impl Known {
    fn of(previous: Option<&JobView>, check: Option<&CheckView>, ahead: i64) -> Self {
        let last = check.and_then(|c| c.last.as_ref());
        let mut known = Self {
            report: previous.and_then(|p| p.report.clone()),
            read_at: None,
            newest: None,
            behind: 0,
            empty: false,
            failure: None,
        };
        let behind = |newest: Option<Timestamp>, read: Timestamp| {
            let believable = |shift: i64| newest.is_none_or(|newest| newest.shifted(-shift) <= read.plus(SKEW));
            if !believable(0) && believable(ahead) { ahead } else { 0 }
        };
        if let Some(last) = last {
            match &last.reading.facts {
                Facts::Backup(report) => known.report = Some(report.clone()),
                Facts::NoBackup(failure) => known.failure = Some(*failure),
                Facts::None | Facts::Ports(_) | Facts::Vitals(_) => {}
            }
        }
        if let Some(report) = &known.report {
            known.read_at = Some(report.collected_at);
            known.behind = behind(report.newest().map(|point| point.at), report.collected_at);
            let times = report.points.iter().map(|point| point.at.shifted(-known.behind));
            known.newest = times.into_iter().find(|at| *at <= report.collected_at.plus(SKEW));
            known.empty = report.points.is_empty();
        } else if let (Some(check), Some(last)) = (check, last) {
            let number = |name: &str| last.reading.metrics.iter().find(|m| &*m.name == name).map(|m| m.value);
            known.newest = number("newest").map(|secs| Timestamp::from_millis((secs * 1000.0) as i64));
            known.behind = behind(known.newest, last.at);
            known.newest = known.newest.map(|newest| newest.shifted(-known.behind));
            known.empty = number("restore_points") == Some(0.0);
            known.read_at = (known.newest.is_some() || known.empty).then_some(check.last_good.unwrap_or(last.at));
        }
        known
    }
}

/// One thing that was found.
struct Finding {
    state: JobState,
    condition: Condition,
    words: String,
    /// Since when it is so, where that can be told: not since it was noticed.
    since: Option<Timestamp>,
}

struct Verdict {
    now: Timestamp,
    findings: Vec<Finding>,
    /// Times at which something of this changes by itself.
    review: Vec<Timestamp>,
}

impl Verdict {
    fn add(&mut self, state: JobState, condition: Condition, words: impl Into<String>) {
        self.findings.push(Finding { state, condition, words: words.into(), since: None });
    }

    fn add_since(&mut self, since: Timestamp, state: JobState, condition: Condition, words: impl Into<String>) {
        let since = Some(since).filter(|since| *since <= self.now);
        self.findings.push(Finding { state, condition, words: words.into(), since });
    }

    fn age_of(&self, at: Timestamp) -> String {
        span(self.now.since(at))
    }

    /// What the last look itself says.
    fn look(&mut self, job: &Job, check: Option<&CheckView>, known: &Known) {
        if let Some(why) = &job.not_probed {
            return self.add(JobState::Waiting, Condition::NotProbed, why.to_string());
        }
        let Some(check) = check else {
            return self.add(JobState::Unknown, Condition::Unknown, "nothing reads this repository");
        };
        let Some(last) = &check.last else {
            return match &check.spec.waits_for {
                Some(why) => self.add(JobState::Waiting, Condition::NotProbed, format!("waits for you: {why}")),
                None => self.add(JobState::Pending, Condition::Pending, "not read yet"),
            };
        };
        let seen = || match (known.newest, known.read_at) {
            (Some(newest), Some(read)) => {
                format!("; last known restore point {} old, read {} ago", self.age_of(newest), self.age_of(read))
            }
            _ => String::new(),
        };
        let words = || format!("{}{}", last.reading.summary.json_text(), seen());
        let unread = known.failure.is_some() || (known.report.is_none() && known.read_at.is_none());
        if unread && last.reading.outcome != Outcome::Ok {
            let (state, condition) = match known.failure {
                Some(BackupFailure::Locked) => (JobState::Locked, Condition::Warning),
                Some(BackupFailure::Damaged) => (JobState::Corrupt, Condition::Critical),
                Some(BackupFailure::Missing) => (JobState::Failed, Condition::Critical),
                Some(
                    BackupFailure::Credentials
                    | BackupFailure::Permission
                    | BackupFailure::Refused
                    | BackupFailure::Failed
                    | BackupFailure::Tool,
                ) => (JobState::Failed, Condition::Unknown),
                Some(BackupFailure::Unreachable | BackupFailure::TimedOut | BackupFailure::Unreadable) => {
                    (JobState::Unknown, Condition::Unknown)
                }
                // Known from before a restart only as an outcome.
                None if last.reading.outcome == Outcome::Critical => (JobState::Failed, Condition::Critical),
                None if last.reading.outcome == Outcome::Warning => (JobState::Warning, Condition::Warning),
                None => (JobState::Unknown, Condition::Unknown),
            };
            self.add(state, condition, words());
        } else if last.reading.outcome == Outcome::Critical && known.report.is_none() {
            self.add(JobState::Failed, Condition::Critical, words());
        } else if !matches!(last.reading.facts, Facts::Backup(_)) && last.reading.outcome != Outcome::Ok {
            // The look itself was given up from outside.
            self.add(JobState::Unknown, Condition::Unknown, words());
        }
        if check.stale {
            let read = known.read_at.unwrap_or(last.at);
            self.add_since(read, JobState::Unknown, Condition::Unknown, format!("not read for {}", self.age_of(read)));
        }
    }

    fn damage(&mut self, report: &BackupReport) {
        for line in report.damage.iter().take(4) {
            self.add(JobState::Corrupt, Condition::Critical, format!("damaged: {}", line.json_text()));
        }
    }

    fn locks(&mut self, report: &BackupReport, behind: i64) {
        for lock in &report.locks {
            let began = lock.since.map(|since| since.shifted(-behind));
            let held = began.map(|since| self.now.since(since));
            let since = held.map(|held| format!(" for {}", span(held))).unwrap_or_default();
            let holder = lock.holder.json_text();
            let words = if lock.stale {
                format!("stale lock of {holder}{since}: it keeps others out until it is removed")
            } else if lock.exclusive && held.is_some_and(|held| held > LONG_LOCK) {
                format!("locked exclusively by {holder}{since}")
            } else {
                continue;
            };
            self.add_since(began.unwrap_or(self.now), JobState::Locked, Condition::Warning, words);
        }
    }

    /// The recovery point objective, or the schedule where there is none.
    fn age(&mut self, job: &Job, times: &Times, known: &Known) {
        let Some(newest) = known.newest else {
            if known.empty {
                let promised = job.rpo.is_some() || job.schedule.is_some();
                let condition = if promised { Condition::Critical } else { Condition::Warning };
                self.add(JobState::Breach, condition, "the repository has no restore point");
            } else {
                self.add(JobState::Unknown, Condition::Unknown, "no restore point has a believable time: check clocks");
            }
            return;
        };
        if let Some(first) = known.report.as_ref().and_then(|r| r.newest())
            && first.at.shifted(-known.behind) > newest
        {
            let ahead = span(first.at.shifted(-known.behind).since(self.now));
            self.add(
                JobState::Warning,
                Condition::Warning,
                format!("a restore point lies {ahead} in the future: check clocks"),
            );
        }
        let age = self.now.since(newest);
        if let Some(target) = job.rpo {
            let risk = target.mul_f64(0.8);
            let words = format!("newest restore point {} old, target {}", span(age), units::config_duration(target));
            if age > target {
                self.add_since(newest.plus(target), JobState::Breach, Condition::Critical, words);
            } else if age > risk {
                self.add_since(newest.plus(risk), JobState::AtRisk, Condition::Warning, words);
            }
            self.review.extend([newest.plus(risk), newest.plus(target)]);
        } else if let Some(interval) = times.interval() {
            let (late, lost) = (interval * 2 + times.grace, interval * 4 + times.grace);
            let words = format!("newest restore point {} old, runs every {}", span(age), span(interval));
            if age > lost {
                self.add_since(newest.plus(lost), JobState::Breach, Condition::Critical, words);
            } else if age > late {
                self.add_since(newest.plus(late), JobState::AtRisk, Condition::Warning, words);
            }
            self.review.extend([newest.plus(late), newest.plus(lost)]);
        }
    }

    /// A run is missed when the repository was read after its deadline and has nothing from then. Whoever did not
    /// look after the deadline does not know.
    fn missed(&mut self, times: &Times, known: &Known) {
        if let Some(next) = times.next {
            self.review.push(next.deadline(times.grace));
        }
        let Some(last) = times.last else { return };
        self.review.push(last.deadline(times.grace));
        let (Some(read), Some(newest)) = (known.read_at, known.newest) else { return };
        // Within its grace the last run may still come; then the one before it counts.
        let due = |tick: &Tick| self.now > tick.deadline(times.grace);
        let Some(tick) = [Some(last), times.before].into_iter().flatten().find(due) else { return };
        // Both by the system's clock, which wrote the one and reads the schedule of the other.
        let newest = newest.shifted(known.behind - times.ahead);
        if read > tick.deadline(times.grace) && newest < tick.at.minus(EARLY) {
            let risky = self.findings.iter().any(|f| matches!(f.state, JobState::AtRisk | JobState::Breach));
            let condition = if risky { Condition::Critical } else { Condition::Warning };
            let late = self.age_of(tick.at);
            let words = format!("missed the run of {} UTC, {late} ago", minute(tick.at.shifted(times.ahead)));
            self.add_since(tick.deadline(times.grace), JobState::Missed, condition, words);
        }
    }

    fn view(
        mut self,
        job: &Arc<Job>,
        previous: Option<&JobView>,
        check: Option<&CheckView>,
        known: &Known,
        times: &Times,
    ) -> JobView {
        let condition = self.findings.iter().map(|f| f.condition).max().unwrap_or(Condition::Ok);
        // What cannot be read comes first unless something worse is certain.
        self.findings.sort_by_key(|f| (std::cmp::Reverse(f.condition), order(f.state)));
        let state = self.findings.first().map_or(JobState::Ok, |f| f.state);
        let begun = self.findings.first().and_then(|f| f.since);
        let mut findings: Vec<Untrusted> = self.findings.into_iter().map(|f| Untrusted::from(f.words)).collect();
        if findings.is_empty() {
            let points = known.report.as_ref().map(|r| r.total_points);
            let words = match (known.newest, points) {
                (Some(newest), Some(1)) => format!("1 restore point, {} old", span(self.now.since(newest))),
                (Some(newest), Some(n)) => format!("{n} restore points, newest {} old", span(self.now.since(newest))),
                (Some(newest), None) => format!("newest restore point {} old", span(self.now.since(newest))),
                (None, _) => "read".to_owned(),
            };
            findings.push(Untrusted::from(words));
        }
        let same = previous.filter(|p| p.state == state && p.condition == condition);
        JobView {
            job: job.clone(),
            state,
            condition,
            since: begun.unwrap_or_else(|| same.map_or(self.now, |p| p.since)),
            reason: findings[0].clone(),
            findings,
            report: known.report.clone(),
            newest: known.newest,
            next_expected: times.next.map(|t| t.at),
            last_expected: times.last.map(|t| t.at),
            check: check.cloned(),
            stale: check.is_some_and(|c| c.stale),
            // A millisecond later, since a limit is passed when it is exceeded.
            review_at: self
                .review
                .into_iter()
                .map(|at| at.plus(Duration::from_millis(1)))
                .filter(|at| *at > self.now)
                .min(),
            care: previous.map_or_else(Care::default, |p| p.care.clone()),
        }
    }
}

/// The order of concern among findings of one condition.
fn order(state: JobState) -> u8 {
    match state {
        JobState::Corrupt => 0,
        JobState::Breach => 1,
        JobState::Failed => 2,
        JobState::Locked => 3,
        JobState::AtRisk => 4,
        JobState::Missed => 5,
        JobState::Warning => 6,
        JobState::Unknown => 7,
        JobState::Waiting => 8,
        JobState::Pending => 9,
        JobState::Ok => 10,
    }
}

/// A duration in words: `31 h`, `14 min`, `9 d`.
fn span(duration: Duration) -> String {
    let secs = duration.as_secs();
    match secs {
        0..120 => format!("{secs} s"),
        120..7_200 => format!("{} min", secs / 60),
        7_200..345_600 => format!("{} h", secs / 3_600),
        _ => format!("{} d", secs / 86_400),
    }
}

fn minute(at: Timestamp) -> String {
    at.rfc3339().get(..16).map(|text| text.replace('T', " ")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
