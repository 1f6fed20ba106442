use super::*;
use crate::model::{
    AssetId, CheckKey, CheckSpec, Flap, LockState, Observation, Origin, Reading, RestorePoint, Schedule, Subject, Unit,
};

const HOUR: Duration = Duration::from_hours(1);

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a time")
}

fn job(rpo: Option<Duration>, cron: Option<&str>) -> Arc<Job> {
    Arc::new(Job {
        id: AssetId::new("db01 nightly"),
        name: "db01 nightly".into(),
        kind: "restic".into(),
        repository: "/srv/restic".into(),
        protects: Vec::new(),
        schedule: cron.map(|cron| Schedule { cron: cron.into(), timezone: "UTC".into() }),
        grace: None,
        rpo,
        rto: None,
        origin: Origin::Config,
        not_probed: None,
        runbook: None,
    })
}

fn report(read: Timestamp, points: &[Timestamp]) -> BackupReport {
    BackupReport {
        collected_at: read,
        points: points
            .iter()
            .map(|at| RestorePoint {
                id: "1".into(),
                at: *at,
                host: "db01".into(),
                paths: Vec::new(),
                tags: Vec::new(),
                bytes: None,
            })
            .collect(),
        total_points: points.len(),
        locks: Vec::new(),
        tool_version: None,
        damage: Vec::new(),
        warnings: Vec::new(),
    }
}

fn check(last: Option<(Timestamp, Reading)>) -> CheckView {
    let key = CheckKey { subject: Subject::Job(AssetId::new("db01 nightly")), name: "restic".into() };
    let spec = CheckSpec {
        interval: Duration::from_mins(15),
        timeout: Duration::from_mins(1),
        retry_interval: Duration::from_mins(1),
        attempts: 1,
        ..CheckSpec::sample(key.subject.clone(), "restic")
    };
    CheckView {
        spec: Arc::new(spec),
        condition: Condition::Ok,
        attempt: 0,
        since: Timestamp(0),
        last_good: last.as_ref().map(|(at, _)| *at),
        last: last.map(|(at, reading)| Arc::new(Observation { check: key, at, took: Duration::ZERO, reading })),
        last_bad: None,
        good_before: None,
        stale: false,
        eased: false,
        restored: false,
        flap: Flap::default(),
        ack: None,
        missing: None,
    }
}

fn read(report: BackupReport) -> CheckView {
    let at = report.collected_at;
    check(Some((at, Reading::ok("read").facts(Facts::Backup(Arc::new(report))))))
}

const NOON: &str = "2026-11-24T12:00:00Z";

fn aged(rpo: Option<Duration>, cron: Option<&str>, age: Duration) -> JobView {
    let now = at(NOON);
    judge(&job(rpo, cron), None, Some(&read(report(now, &[now.minus(age)]))), now)
}

#[test]
fn the_age_of_the_newest_point_is_held_against_the_target() {
    let fresh = aged(Some(26 * HOUR), None, 14 * HOUR);
    assert_eq!((fresh.state, fresh.condition), (JobState::Ok, Condition::Ok));
    assert_eq!(fresh.reason.line(), "1 restore point, 14 h old");
    let risky = aged(Some(26 * HOUR), None, 21 * HOUR);
    assert_eq!((risky.state, risky.condition), (JobState::AtRisk, Condition::Warning));
    let breach = aged(Some(26 * HOUR), None, 31 * HOUR);
    assert_eq!((breach.state, breach.condition), (JobState::Breach, Condition::Critical));
    assert_eq!(breach.reason.line(), "newest restore point 31 h old, target 26h");
    assert_eq!(aged(None, None, 9_000 * HOUR).state, JobState::Ok, "nothing was promised");
}

#[test]
fn a_breach_is_as_old_as_the_passing_of_the_target_and_not_as_the_look() {
    let breach = aged(Some(26 * HOUR), None, 31 * HOUR);
    assert_eq!(breach.since, at(NOON).minus(5 * HOUR));
    let risky = aged(Some(26 * HOUR), None, 21 * HOUR);
    assert_eq!(risky.since, at(NOON).minus((21 * HOUR).checked_sub((26 * HOUR).mul_f64(0.8)).unwrap()));
}

#[test]
fn a_verdict_says_when_it_may_change_by_itself() {
    let now = at(NOON);
    let mut view = aged(Some(20 * HOUR), None, 10 * HOUR);
    let mut seen = vec![view.state];
    while let Some(review) = view.review_at {
        assert!(review > now);
        view = judge(&view.job, Some(&view), Some(&read(report(now, &[now.minus(10 * HOUR)]))), review);
        seen.push(view.state);
        assert!(seen.len() < 10);
    }
    assert_eq!(seen, [JobState::Ok, JobState::AtRisk, JobState::Breach]);
}

#[test]
fn without_a_target_the_schedule_is_the_measure() {
    let daily = Some("0 12 * * *");
    assert_eq!(aged(None, daily, 24 * HOUR).state, JobState::Ok);
    let two = aged(None, daily, 51 * HOUR);
    assert_eq!((two.state, two.condition), (JobState::Missed, Condition::Critical), "missed while at risk");
    assert_eq!(aged(None, daily, 99 * HOUR).state, JobState::Breach);
}

#[test]
fn a_run_that_left_no_point_is_missed_after_its_grace() {
    let now = at("2026-11-24T04:30:00Z");
    let view = |newest: &str, read_at: &str| {
        judge(&job(None, Some("0 2 * * *")), None, Some(&read(report(at(read_at), &[at(newest)]))), now)
    };
    let missed = view("2026-11-23T02:00:10Z", "2026-11-24T04:29:00Z");
    assert_eq!((missed.state, missed.condition), (JobState::Missed, Condition::Warning));
    assert_eq!(missed.reason.line(), "missed the run of 2026-11-24 02:00 UTC, 2 h ago");
    assert_eq!(missed.last_expected, Some(at("2026-11-24T02:00:00Z")));
    assert_eq!(missed.next_expected, Some(at("2026-11-25T02:00:00Z")));
    assert_eq!(view("2026-11-24T01:56:00Z", "2026-11-24T04:29:00Z").state, JobState::Ok, "early is that run");
    assert_eq!(view("2026-11-24T04:00:00Z", "2026-11-24T04:29:00Z").state, JobState::Ok, "late is that run");
    assert_eq!(view("2026-11-23T02:00:10Z", "2026-11-24T02:10:00Z").state, JobState::Ok, "nobody looked since");
}

#[test]
fn a_day_of_25_hours_misses_no_run() {
    let job = Arc::new(Job {
        schedule: Some(Schedule { cron: "30 2 * * *".into(), timezone: "Europe/Berlin".into() }),
        ..(*job(None, None)).clone()
    });
    let now = at("2026-10-25T12:00:00Z");
    for ran in ["2026-10-25T00:30:05Z", "2026-10-25T01:30:05Z"] {
        assert_eq!(judge(&job, None, Some(&read(report(now, &[at(ran)]))), now).state, JobState::Ok, "{ran}");
    }
    let now = at("2026-03-29T12:00:00Z");
    let gap = |ran: &str, now| judge(&job, None, Some(&read(report(now, &[at(ran)]))), now).state;
    assert_eq!(gap("2026-03-29T01:00:05Z", now), JobState::Ok);
    assert_eq!(gap("2026-03-28T01:30:05Z", now), JobState::Missed);
    assert_eq!(gap("2026-03-28T01:30:05Z", at("2026-03-29T02:10:00Z")), JobState::Ok, "it may still come");
}

#[test]
fn a_failed_look_keeps_the_last_report_with_its_age_and_is_never_ok() {
    let now = at(NOON);
    let good = judge(&job(None, None), None, Some(&read(report(now, &[now.minus(HOUR)]))), now);
    let later = now.plus(3 * HOUR);
    let cases = [
        (BackupFailure::Credentials, JobState::Failed, Condition::Unknown),
        (BackupFailure::Missing, JobState::Failed, Condition::Critical),
        (BackupFailure::Locked, JobState::Locked, Condition::Warning),
        (BackupFailure::Damaged, JobState::Corrupt, Condition::Critical),
        (BackupFailure::TimedOut, JobState::Unknown, Condition::Unknown),
        (BackupFailure::Tool, JobState::Failed, Condition::Unknown),
    ];
    for (failure, state, condition) in cases {
        let reading = Reading::unknown("no luck").facts(Facts::NoBackup(failure));
        let view = judge(&good.job, Some(&good), Some(&check(Some((later, reading)))), later);
        assert_eq!((view.state, view.condition), (state, condition), "{failure:?}");
        assert_eq!(view.reason.line(), "no luck; last known restore point 4 h old, read 3 h ago");
        assert!(view.report.is_some());
    }
}

#[test]
fn old_information_is_not_ok() {
    let now = at(NOON);
    let mut check = read(report(now, &[now]));
    check.stale = true;
    let view = judge(&job(None, None), None, Some(&check), now.plus(HOUR));
    assert_eq!((view.state, view.condition, view.stale), (JobState::Unknown, Condition::Unknown, true));
    assert_eq!(view.reason.line(), "not read for 60 min");
}

#[test]
fn pending_and_waiting_are_not_the_same() {
    let now = at(NOON);
    assert_eq!(judge(&job(None, None), None, Some(&check(None)), now).state, JobState::Pending);
    let mut waits = check(None);
    Arc::make_mut(&mut waits.spec).waits_for = Some("runs pass".into());
    let view = judge(&job(None, None), None, Some(&waits), now);
    assert_eq!((view.state, view.condition), (JobState::Waiting, Condition::NotProbed));
    assert_eq!(view.reason.line(), "waits for you: runs pass");
}

#[test]
fn an_empty_repository_breaks_a_promise() {
    let now = at(NOON);
    let view = |rpo| judge(&job(rpo, None), None, Some(&read(report(now, &[]))), now);
    assert_eq!((view(Some(HOUR)).state, view(Some(HOUR)).condition), (JobState::Breach, Condition::Critical));
    assert_eq!(view(None).condition, Condition::Warning);
}

#[test]
fn a_point_in_the_future_does_not_hide_the_age_of_the_others() {
    let now = at(NOON);
    let points = [now.plus(100 * HOUR), now.minus(30 * HOUR)];
    let view = judge(&job(Some(26 * HOUR), None), None, Some(&read(report(now, &points))), now);
    assert_eq!(view.state, JobState::Breach);
    assert!(view.findings.iter().any(|f| f.line().contains("in the future")), "{:?}", view.findings);
}

#[test]
fn damage_and_stale_locks_are_found_beside_the_age() {
    let now = at(NOON);
    let mut seen = report(now, &[now.minus(30 * HOUR)]);
    seen.damage = vec!["could not load snapshot 64980d21".into()];
    seen.locks = vec![LockState {
        exclusive: true,
        holder: "root@db01 pid 7".into(),
        since: Some(now.minus(50 * HOUR)),
        stale: true,
    }];
    let view = judge(&job(Some(26 * HOUR), None), None, Some(&read(seen)), now);
    assert_eq!(view.state, JobState::Corrupt);
    let all: Vec<String> = view.findings.iter().map(Untrusted::line).collect();
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all[2].starts_with("stale lock of root@db01 pid 7 for 50 h"), "{all:?}");
}

#[test]
fn after_a_restart_the_remembered_number_still_ages() {
    let now = at(NOON);
    let newest = now.minus(30 * HOUR).millis() as f64 / 1000.0;
    let mut restored = check(Some((
        now.minus(HOUR),
        Reading::ok("12 restore points").metric("newest", newest, Unit::Seconds).metric(
            "restore_points",
            12.0,
            Unit::Count,
        ),
    )));
    restored.restored = true;
    let view = judge(&job(Some(26 * HOUR), None), None, Some(&restored), now);
    assert_eq!((view.state, view.newest), (JobState::Breach, Some(now.minus(30 * HOUR))));
}

#[test]
fn schedules_follow_the_systems_clock_and_ages_only_where_steady_time_is_known_to_be_wrong() {
    let (steady, wall) = (at("1970-01-01T00:10:00Z"), at(NOON));
    let ahead = wall.millis() - steady.millis();
    let run = at("2026-11-24T02:00:20Z");
    let job = job(Some(26 * HOUR), Some("0 2 * * *"));
    let judged = |now: Now, newest: Timestamp| judge(&job, None, Some(&read(report(steady, &[newest]))), now);
    // A machine without a clock of its own: nothing is known until it is set, and everything then.
    assert_eq!(judged(steady.into(), run).state, JobState::Unknown);
    let set = Now { at: steady, ahead };
    let view = judged(set, run);
    assert_eq!((view.state, view.newest), (JobState::Ok, Some(steady.minus(10 * HOUR).plus(Duration::from_secs(20)))));
    let next = view.next_expected.expect("it has a schedule");
    assert_eq!(next.since(steady), 14 * HOUR, "as far away as it is");
    let missed = judged(set, run.minus(24 * HOUR));
    assert_eq!(missed.findings.len(), 2, "{:?}", missed.findings);
    assert_eq!(missed.state, JobState::Breach);
    let missed = judged(set, run.minus(9 * HOUR));
    assert_eq!(missed.state, JobState::Missed);
    assert!(
        missed.reason.line().starts_with("missed the run of 2026-11-24 02:00 UTC, 10 h ago"),
        "{}",
        missed.reason.line()
    );
    // A clock that is put ten years ahead makes no restore point old.
    let good = read(report(wall, &[run]));
    let jumped = Now { at: wall, ahead: 10 * 365 * 86_400_000 };
    assert!(!judge(&job, None, Some(&good), jumped).findings.iter().any(|words| words.line().contains("target")));
}
