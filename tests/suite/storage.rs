//! A state directory that cannot be written or read, as the operator meets it: in the console on a real
//! pseudo-terminal, and on the command line. Full and read-only disks are tiny ones in a mount namespace of the test's own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rusqlite::Connection;
use rustix::process::{Signal, getuid};
use tempfile::TempDir;

use super::console::{Console, Launch, READY};

const NOCTTY: &str = env!("CARGO_BIN_EXE_noctty");
/// A version that no program has reached.
const NEWER: i64 = 99;

/// A console whose state directory is on a disk of half a megabyte that `prepare`, a shell script, has mounted and
/// filled; `$1` is where.
fn on_a_tiny_disk(place: &Path, prepare: &str) -> Launch {
    let script = format!("mount -t tmpfs -o size=512k tmpfs \"$1\"\n{prepare}\nshift; exec \"$@\"");
    let flags = if getuid().is_root() { "-m" } else { "-Urm" };
    let words = ["unshare", flags, "/bin/sh", "-ec", &script, "sh"].map(str::to_owned);
    Launch::new((100, 30)).wrapped(words.into_iter().chain([place.display().to_string()]))
}

/// Runs a shell script where the console sees its disk; `$1` is the place.
fn beside(console: &Console, place: &Path, script: &str) -> Output {
    let mut command = Command::new("nsenter");
    command.args(["--target", &console.pid().as_raw_nonzero().to_string(), "--mount"]);
    if !getuid().is_root() {
        command.args(["--user", "--preserve-credentials"]);
    }
    let output =
        command.args(["/bin/sh", "-ec", script, NOCTTY]).arg(place).output().expect("nsenter of util-linux runs");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

const FILL: &str = "dd if=/dev/zero of=\"$1/filler\" bs=1k 2>/dev/null || true";

#[test]
fn on_a_full_disk_the_console_starts_says_so_and_keeps_the_text_until_there_is_room() {
    let place = TempDir::new().expect("a temporary folder");
    let mut console = on_a_tiny_disk(place.path(), FILL).state(&place.path().join("state")).start();
    console.shows(READY);
    console.shows("NOT SAVED: the disk is full");
    console.says("--state DIR names another place");
    console.press("I");
    console.shows("Open an incident");
    console.paste("core down");
    console.press("\r");
    console.says("The text is kept here; Enter tries again");
    console.shows("core down");
    beside(&console, place.path(), "rm \"$1/filler\"");
    console.press("\r");
    console.shows("saved in INC-1");
    console.until("the warning is gone", |c| !c.text().contains("NOT SAVED"));
    let shown = beside(&console, place.path(), "\"$0\" --state \"$1/state\" incident show 1");
    assert!(String::from_utf8_lossy(&shown.stdout).contains("core down"));
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    console.is_given_back();
}

#[test]
fn a_disk_that_fills_up_costs_no_note() {
    let place = TempDir::new().expect("a temporary folder");
    let mut console = on_a_tiny_disk(place.path(), "").state(&place.path().join("state")).start();
    console.shows(READY);
    console.press("I");
    console.shows("Open an incident");
    console.paste("core down");
    console.press("\r");
    console.shows("INC-1 SEV");
    beside(&console, place.path(), FILL);
    let long = format!("long enough to need a page of its own {}", "x".repeat(6_000));
    console.press("n");
    console.shows("note for INC-1");
    console.paste(&long);
    console.press("\r");
    console.shows("NOT SAVED: the disk is full");
    console.shows("xxxx");
    // All else goes on: the screen, what was saved, and leaving asks for nothing.
    console.shows("core down");
    beside(&console, place.path(), "rm \"$1/filler\"");
    console.press("\r");
    console.shows("saved in INC-1");
    console.until("the warning is gone", |c| !c.text().contains("NOT SAVED"));
    let shown = beside(&console, place.path(), "\"$0\" --state \"$1/state\" incident show 1 --json");
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!((&shown["complete"], &shown["incident"]["entries"][1]["text"]), (&true.into(), &long.into()));
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
}

#[test]
fn in_a_read_only_home_the_console_starts_and_says_so_and_heals() {
    let place = TempDir::new().expect("a temporary folder");
    let home = format!("HOME={}", place.path().display());
    let prepare = "mkdir -p \"$1/.local/state\"; mount -o remount,ro \"$1\"";
    let launch = on_a_tiny_disk(place.path(), prepare);
    let mut console = launch.without_state().then(["env", "-u", "XDG_STATE_HOME", &home]).start();
    console.shows(READY);
    console.shows("NOT SAVED");
    console.says("Read-only file system");
    console.shows("--state");
    console.press("I");
    console.shows("Open an incident");
    console.paste("typed in a read-only home");
    console.press("\r");
    console.says("The text is kept here; Enter tries again");
    beside(&console, place.path(), "mount -o remount,rw \"$1\"");
    console.press("\r");
    console.shows("saved in INC-1");
    console.until("the warning is gone", |c| !c.text().contains("NOT SAVED"));
    beside(&console, place.path(), "test -s \"$1/.local/state/noctty/journal.log\"");
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    console.is_given_back();
}

#[test]
fn a_text_that_was_being_typed_when_the_console_was_ended_is_kept() {
    let mut console = Console::start((100, 30));
    console.shows(READY);
    console.press("I");
    console.shows("Open an incident");
    console.paste("core down");
    console.press("\r");
    console.shows("INC-1 SEV");
    console.press("n");
    console.shows("note for INC-1");
    console.paste("half a though");
    console.shows("half a though");
    console.signal(Signal::TERM);
    assert_eq!(console.ends().exit_code(), 128 + 15);
    console.is_given_back();
    console.says("the text is kept in");
    let drafts = fs::read_dir(console.home().join("state/drafts")).expect("a folder");
    let texts: Vec<String> = drafts.map(|d| fs::read_to_string(d.expect("an entry").path()).expect("a text")).collect();
    assert_eq!(texts, ["half a though"]);
}

fn incident(state: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(NOCTTY)
        .arg("--state")
        .arg(state)
        .arg("incident")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// A state directory with an incident, whose `file` says that a newer program has written it.
fn from_the_future(file: &str) -> TempDir {
    let dir = TempDir::new().expect("a temporary folder");
    assert_eq!(incident(dir.path(), &["open", "core down"]).0, Some(0));
    let database = Connection::open(dir.path().join(file)).expect("opens");
    database.pragma_update(None, "user_version", NEWER).expect("set");
    drop(database);
    dir
}

#[test]
fn a_journal_of_a_newer_program_is_left_alone_and_that_is_said_everywhere() {
    let dir = from_the_future("journal.db");
    let bytes = || (fs::read(dir.path().join("journal.db")).ok(), fs::read(dir.path().join("journal.log")).ok());
    let before = bytes();
    for arguments in [&["list"][..], &["show", "1"], &["note", "1", "a note"], &["handover", "1"]] {
        let (status, said) = incident(dir.path(), arguments);
        assert_eq!(status, Some(3), "{arguments:?}: {said}");
        for want in ["written by a newer noctty", "has version 99", "this one knows 1", "--state"] {
            assert!(said.contains(want), "{arguments:?}: {said}");
        }
    }
    assert!(incident(dir.path(), &["open", "a new one"]).1.contains("the text is kept in"), "nothing typed is lost");

    let mut console = Launch::new((100, 30)).state(dir.path()).start();
    console.shows(READY);
    console.says("NOT SAVED: written by a newer noctty");
    console.press("I");
    console.shows("Open an incident");
    console.paste("typed here");
    console.press("\r");
    console.says("The text is kept here; Enter tries again");
    console.says("has version 99");
    console.press("\x1b");
    console.until("the box is closed", |c| !c.text().contains("Open an incident"));
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    assert!(bytes() == before, "a file of the newer program was changed");
}

#[test]
fn last_known_states_of_a_newer_program_are_left_alone_and_all_else_works() {
    let dir = TempDir::new().expect("a temporary folder");
    let database = Connection::open(dir.path().join("store.db")).expect("opens");
    database.pragma_update(None, "user_version", NEWER).expect("set");
    drop(database);
    let before = fs::read(dir.path().join("store.db")).expect("there");
    let mut console = Launch::new((120, 30)).state(dir.path()).start();
    console.shows(READY);
    console.press("9");
    console.says("last known states are not kept: written by a newer noctty");
    console.press("I");
    console.shows("Open an incident");
    console.paste("core down");
    console.press("\r");
    console.shows("saved in INC-1");
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    assert!(fs::read(dir.path().join("store.db")).expect("there") == before, "it was changed");
}
