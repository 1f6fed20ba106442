use super::*;
use crate::model::{Facts, Outcome};

const RECORDED: &[u8] = br#"[{"time":"2026-11-24T14:11:15.92507687Z","tree":"0554","paths":["/srv/pg"],"hostname":"db1","username":"root","tags":["n"],"id":"64980d211d4224bbe82fe7ed550c50489882c11aee01ea8052b070c5d6b18440","short_id":"64980d21"},
 {"time":"2026-11-25T02:30:04.118+02:00","hostname":"db1","paths":["/srv/pg"],"program_version":"restic 0.18.1","summary":{"backup_start":"2026-11-25T02:30:04+02:00","total_bytes_processed":88123456789,"more":1},"id":"9f2c"},
 {"id":"no-time"}]"#;

#[test]
fn snapshots_of_old_and_new_versions_are_read_newest_first() {
    let report = read_snapshots(RECORDED, Timestamp(7)).expect("it is a list");
    assert_eq!((report.total_points, report.points.len()), (3, 2));
    let newest = report.newest().expect("there are some");
    assert_eq!(newest.at.rfc3339(), "2026-11-25T00:30:04.118Z");
    assert_eq!(newest.bytes, Some(88_123_456_789));
    assert_eq!(report.points[1].tags, [Untrusted::from("n")]);
    assert_eq!(report.warnings, ["snapshot no-time has no time"]);
    assert_eq!(read_snapshots(b"null", Timestamp(0)).expect("empty").total_points, 0);
    assert!(read_snapshots(b"[{\"time\":", Timestamp(0)).is_err());
    assert!(read_snapshots(b"{}", Timestamp(0)).is_err());
}

#[test]
fn exit_codes_of_new_and_words_of_old_versions_mean_the_same() {
    let cases: [(i32, &str, BackupFailure); 11] = [
        (
            1,
            "Fatal: unable to open config file: stat nope/config: no such file or directory\nIs there a repository at the following location?\nnope\n",
            BackupFailure::Missing,
        ),
        (
            10,
            "{\"message_type\":\"exit_error\",\"code\":10,\"message\":\"Fatal: repository does not exist: x\"}",
            BackupFailure::Missing,
        ),
        (1, "Fatal: wrong password or no key found\n", BackupFailure::Credentials),
        (
            12,
            "{\"message_type\":\"exit_error\",\"code\":12,\"message\":\"Fatal: wrong password or no key found\"}",
            BackupFailure::Credentials,
        ),
        (11, "unable to create lock in backend", BackupFailure::Locked),
        (
            1,
            "Fatal: unable to create lock in backend: repository is already locked exclusively by PID 7",
            BackupFailure::Locked,
        ),
        (
            1,
            "Fatal: unable to open config file: open r/config: permission denied\nIs there a repository at the following location?",
            BackupFailure::Permission,
        ),
        (
            1,
            "Fatal: unable to open config file: Head \"http://127.0.0.1:1/\": dial tcp 127.0.0.1:1: connect: connection refused\nIs there a repository at",
            BackupFailure::Unreachable,
        ),
        (1, "Fatal: load <key/1>: invalid data returned", BackupFailure::Damaged),
        (2, "panic: runtime error: slice bounds out of range [16:2]\n\ngoroutine 1", BackupFailure::Failed),
        (99, "", BackupFailure::Failed),
    ];
    for (code, said, want) in cases {
        let (kind, words) = classify(Some(code), said, "/srv/r");
        assert_eq!(kind, want, "{code} {said}: {words}");
    }
    let (_, words) = classify(Some(2), "panic: runtime error: slice\n\ngoroutine 1", "/r");
    assert_eq!(words, "restic failed (exit status 2): panic: runtime error: slice");
    let (_, words) = classify(Some(77), "{\"message_type\":\"exit_error\",\"message\":\"Fatal: odd\"}", "/r");
    assert_eq!(words, "restic failed (exit status 77): Fatal: odd");
}

#[test]
fn a_lock_is_stale_when_old_or_when_its_process_is_gone() {
    let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let now = Timestamp::parse_rfc3339("2026-11-24T15:00:00Z").expect("a time");
    let lock = |time: &str, host: &str, pid: i64| {
        let text = format!(
            "{{\"time\":\"{time}\",\"exclusive\":true,\"hostname\":\"{host}\",\"username\":\"root\",\"pid\":{pid}}}"
        );
        serde_json::from_str::<Lock>(&text).expect("a lock").state(now)
    };
    let living = i64::from(std::process::id());
    assert!(!lock("2026-11-24T14:59:00.5Z", &own, living).stale);
    assert!(lock("2026-11-24T14:59:00Z", &own, i64::from(i32::MAX)).stale);
    assert!(!lock("2026-11-24T14:59:00Z", "elsewhere", i64::from(i32::MAX)).stale);
    assert!(lock("2026-11-24T14:29:59Z", "elsewhere", 1).stale);
}

#[test]
fn a_snapshot_that_cannot_be_loaded_is_damage_although_restic_succeeds() {
    let mut report = read_snapshots(b"[]", Timestamp(0)).expect("empty");
    let said = "could not load snapshot 64980d21: load <snapshot/64980d211d>: invalid data returned\n";
    report.damage = said.lines().filter(|line| tells_of_damage(line)).map(Untrusted::from).collect();
    let reading = reading(report, said);
    assert_eq!(reading.outcome, Outcome::Critical);
    assert!(reading.summary.line().starts_with("damaged: could not load snapshot"));
}

#[tokio::test]
async fn a_tool_that_ignores_sigterm_forks_and_floods_is_given_up_in_time_with_its_group() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a folder");
    let (tool, pids) = (folder.path().join("tool"), folder.path().join("pids"));
    let script = format!(
        "#!/bin/sh\ntrap '' TERM\n(trap '' TERM; exec sleep 300) &\necho $$ $! >{}\nwhile :; do echo flood; done\n",
        pids.display()
    );
    std::fs::write(&tool, script).expect("written");
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).expect("mode");
    let source = Restic {
        program: vec![tool.display().to_string()],
        repository: Secret::new("/srv/hangs".to_owned()),
        shown: "/srv/hangs".into(),
        password: Some(SecretRef::Literal(Secret::new("x".to_owned()))),
        environment: Vec::new(),
        filter: Vec::new(),
        cache_dir: None,
        waits_for: None,
        version: OnceLock::new(),
    };
    let begun = std::time::Instant::now();
    let cx = Cx { clock: crate::base::Clock::start(), timeout: Duration::from_secs(1) };
    let reading = source.look(&cx).await;
    assert_eq!(reading.facts, Facts::NoBackup(BackupFailure::TimedOut));
    assert!(reading.summary.line().ends_with("gave no answer within 1 s"), "{:?}", reading.summary);
    assert!(begun.elapsed() < Duration::from_secs(10));
    let text = std::fs::read_to_string(&pids).expect("it had begun");
    for pid in text.split_whitespace() {
        let pid: i64 = pid.parse().expect("a pid");
        let deadline = begun + Duration::from_secs(20);
        // Killed orphans may wait for their new parent to take note of them.
        while super::super::borg::is_running(pid) && !is_dead(pid) {
            assert!(std::time::Instant::now() < deadline, "{pid} is still there");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn is_dead(pid: i64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_none_or(|rest| rest.trim_start().starts_with(['Z', 'X']))
}
