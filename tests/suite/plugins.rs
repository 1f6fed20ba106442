//! The `plugin` check with the plugins of monitoring-plugins, and with one that behaves as badly as it can.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use noctty::model::{Outcome, Unit};

use crate::peer::until;
use crate::probes::{ask, ask_patiently, told};
use crate::web::{log, metric};

const PLUGINS: &str = "/usr/lib/nagios/plugins";

#[tokio::test]
async fn the_exit_status_is_the_verdict_and_the_numbers_are_kept() {
    for (status, outcome, word) in [
        (0, Outcome::Ok, "OK"),
        (1, Outcome::Warning, "WARNING"),
        (2, Outcome::Critical, "CRITICAL"),
        (3, Outcome::Unknown, "UNKNOWN"),
    ] {
        let command = format!("command = ['{PLUGINS}/check_dummy', '{status}', 'says so']");
        assert_eq!(told(&ask_patiently("plugin", "127.0.0.1", &command).await), (outcome, format!("{word}: says so")));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
    let port = listener.local_addr().expect("an address").port();
    let command = format!(
        "command = ['{PLUGINS}/check_tcp', '-H', '{{address}}', '-p', '{port}', '-w', '1', '-c', '1.5', '-t', '2']"
    );
    let reading = ask_patiently("plugin", "127.0.0.1", &command).await;
    let (outcome, line) = told(&reading);
    assert!(outcome == Outcome::Ok && line.contains(&format!("on 127.0.0.1 port {port}")), "{line}");
    let time = reading.metrics.iter().find(|m| &*m.name == "time").expect("a time");
    assert!(time.unit == Unit::Seconds && time.value < 1.0, "{time:?}");
    assert!((metric(&reading, "time:warning") - 1.0).abs() < 1e-9, "{reading:?}");
    assert!((metric(&reading, "time:critical") - 1.5).abs() < 1e-9);
    drop(listener);
    let (outcome, line) = told(&ask_patiently("plugin", "127.0.0.1", &command).await);
    assert!(outcome == Outcome::Critical && line.contains("Connection refused"), "{line}");
    let disk = ask_patiently(
        "plugin",
        "127.0.0.1",
        &format!("command = ['{PLUGINS}/check_disk', '-w', '1', '-c', '0', '-p', '/']"),
    )
    .await;
    let root = disk.metrics.iter().find(|m| &*m.name == "/").unwrap_or_else(|| panic!("no / in {disk:?}"));
    assert!(root.unit == Unit::Bytes && root.value > 1e6, "{root:?}");
}

#[tokio::test]
async fn secrets_go_by_environment_and_no_shell_is_between() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    fs::write(&secret, "hunter2\n").expect("written");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("mode");
    let script = folder.path().join("plugin");
    let text = "#!/bin/sh\necho \"$# $1 $PLAIN ${#TOKEN} $(pwd)\"\necho trouble >&2\necho 'second line'\n";
    fs::write(&script, text).expect("written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("mode");
    let options = format!(
        "command = ['{}', '$(id); {{name}}']\nfolder = '/'\nenvironment = {{ PLAIN = 'open', TOKEN = {{ file = '{}' }} }}",
        script.display(),
        secret.display()
    );
    let reading = ask_patiently("plugin", "127.0.0.1", &options).await;
    assert_eq!(told(&reading), (Outcome::Ok, "1 $(id); peer open 7 /".to_owned()));
    assert_eq!(log(&reading), ["second line", "stderr: trouble"]);
    let (outcome, line) = told(&ask_patiently("plugin", "127.0.0.1", "command = ['/nonexistent/check']").await);
    assert_eq!((outcome, line.as_str()), (Outcome::Unknown, "/nonexistent/check is not installed"));
    let (outcome, line) = told(&ask_patiently("plugin", "127.0.0.1", "command = ['sh', '-c', 'kill -9 $$']").await);
    assert_eq!((outcome, line.as_str()), (Outcome::Unknown, "ended by a signal: it prints nothing"));
}

/// Whether a process with this name as its first argument is there.
fn running(name: &str) -> bool {
    let entries = fs::read_dir("/proc").expect("/proc can be listed");
    entries.flatten().any(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first().is_none_or(|byte| *byte == 0))
    })
}

#[tokio::test]
async fn one_that_ignores_its_end_forks_and_floods_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = format!("noctty-bad-plugin-{}", std::process::id());
    let script = folder.path().join("plugin");
    // A child in its group, one in a session of its own; both hold the pipe and ignore being asked to end.
    let text = format!(
        "#!/bin/bash\ntrap '' TERM PIPE HUP\n(trap '' TERM; exec -a {name} sleep 300) &\n\
         setsid bash -c \"trap '' TERM; exec -a {name} sleep 300\" &\ntouch {here}/started\n\
         much=$(printf '%65536s' flood)\nwhile :; do [ \"$1\" = flood ] && echo \"$much\"; done\n",
        here = folder.path().display()
    );
    fs::write(&script, text).expect("written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("mode");
    for (mode, wanted) in
        [("flood", "printed more than 256 KiB and was stopped"), ("hang", "did not end within 2s and was stopped")]
    {
        let begun = Instant::now();
        let options = format!("command = ['{}', '{mode}']", script.display());
        let (outcome, line) = told(&ask("plugin", "127.0.0.1", &options).await);
        assert!(outcome == Outcome::Unknown && line.ends_with(wanted), "{mode}: {line}");
        assert!(begun.elapsed().as_secs() < 4, "{mode} took {:?}", begun.elapsed());
        assert!(folder.path().join("started").exists(), "{mode}: it did not come so far");
        until("nothing of it is left", || !running(&name));
    }
}
