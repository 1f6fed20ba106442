//! The units in the documents, as systemd itself reads them.

use std::process::Command;

const OF_A_USER: &str = include_str!("../../docs/noctty.service");
const ATTACH: &str = include_str!("../../docs/attach.md");

fn of_the_machine() -> &'static str {
    let unit = ATTACH.split_once("```ini\n").and_then(|(_, rest)| rest.split_once("```"));
    unit.expect("it is in the documents").0
}

/// What systemd finds wrong in it, with this program where the unit has its own.
fn complaints(unit: &str, scope: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("noctty.service");
    let program = env!("CARGO_BIN_EXE_noctty");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("it starts something");
    let (_, arguments) = line.split_once("noctty ").expect("noctty");
    std::fs::write(&place, unit.replace(line, &format!("\"{program}\" {arguments}"))).expect("written");
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--generators=no"])
        .args(scope)
        .arg(&place)
        .env("XDG_RUNTIME_DIR", folder.path())
        .env("HOME", folder.path())
        .output()
        .expect("systemd-analyze runs");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}");
    words
}

#[test]
fn systemd_takes_each_line_of_the_units_in_the_documents() {
    for (unit, scope) in [(OF_A_USER, &["--user"][..]), (of_the_machine(), &[])] {
        assert_eq!(complaints(unit, scope), "");
        // It would say so.
        let words = complaints(&unit.replace("RestartSec=", "RestartSeconds="), scope);
        assert!(words.contains("RestartSeconds"), "{words}");
        let words = complaints(&unit.replace("Type=notify", "Type=notices"), scope);
        assert!(words.contains("notices"), "{words}");
    }
}

/// An engine that breaks ends with status 3. Its limits stand where systemd looks for them, and neither stop it for good nor let it
/// begin again in haste.
#[test]
fn a_collector_that_breaks_is_begun_again_for_ever_and_calmly() {
    for unit in [OF_A_USER, of_the_machine()] {
        let (head, service) = unit.split_once("[Service]").expect("a service");
        let value = |part: &str, name: &str| {
            let mut lines = part.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
        };
        assert_eq!(value(service, "Restart").as_deref(), Some("on-failure"));
        assert_eq!(value(service, "RestartSec").as_deref(), Some("10"));
        assert_eq!(value(head, "StartLimitIntervalSec").as_deref(), Some("0"));
        assert_eq!(value(service, "TimeoutStopSec").as_deref(), Some("30"));
    }
}
