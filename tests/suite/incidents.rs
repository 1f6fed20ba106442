//! `noctty incident` as its users meet it: several processes, `kill -9`, power cuts, full and read-only disks.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use noctty::base::{Timestamp, Untrusted};
use noctty::journal::{self, Draft, Journal};
use noctty::model::{EntryKind, IncidentId, Urgency};

const NOCTTY: &str = env!("CARGO_BIN_EXE_noctty");

fn noctty(state: &Path) -> Command {
    let mut command = Command::new(NOCTTY);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", state).env("USER", "ops1");
    command.arg("--state").arg(state).arg("incident");
    command
}

fn run(state: &Path, arguments: &[&str]) -> Output {
    noctty(state).args(arguments).stdin(Stdio::null()).output().expect("the program runs")
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// The texts of INC-1 after its opening, in order; fails where anything is damaged.
fn texts(state: &Path) -> Vec<String> {
    let contents = journal::read(state).expect("the journal reads");
    assert_eq!(contents.all_damage(), Vec::<String>::new());
    contents.incident(IncidentId(1)).expect("INC-1").entries.iter().skip(1).map(|e| e.text.line()).collect()
}

#[test]
fn an_incident_from_open_to_handover_on_the_command_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let state = dir.path().join("state");
    let opened = out(&run(&state, &["open", "Ams core down", "--urgency", "SEV2", "--about", "core-sw1"]));
    assert!(opened.starts_with("saved INC-1 01"), "{opened}");
    out(&run(&state, &["note", "1", "no power on PSU A"]));
    out(&run(&state, &["note", "INC-1", "move uplinks", "--kind", "decision", "--author", "ops2"]));
    out(&run(&state, &["ack", "inc-1"]));
    out(&run(&state, &["role", "1", "IC"]));
    let mut piped =
        noctty(&state).args(["note", "1", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("runs");
    piped.stdin.take().expect("a pipe").write_all(b"line one\nline two\n").expect("written");
    out(&piped.wait_with_output().expect("ends"));
    out(&run(&state, &["close", "1", "power restored"]));

    let show: serde_json::Value = serde_json::from_str(&out(&run(&state, &["show", "1", "--json"]))).expect("JSON");
    assert_eq!(show["schema"], "noctty.incident/1");
    assert_eq!(show["complete"], true);
    let incident = &show["incident"];
    assert_eq!((&incident["urgency"], &incident["status"]), (&"SEV2".into(), &"closed".into()));
    let entries = incident["entries"].as_array().expect("entries");
    let told: Vec<_> = entries.iter().map(|e| (e["kind"].as_str(), e["author"].as_str(), e["text"].as_str())).collect();
    assert_eq!(
        told,
        [
            (Some("opened"), Some("ops1"), Some("Ams core down")),
            (Some("note"), Some("ops1"), Some("no power on PSU A")),
            (Some("decision"), Some("ops2"), Some("move uplinks")),
            (Some("acknowledged"), Some("ops1"), Some("")),
            (Some("role"), Some("ops1"), Some("IC: ops1")),
            (Some("note"), Some("ops1"), Some("line one\nline two")),
            (Some("closed"), Some("ops1"), Some("power restored")),
        ]
    );
    let handover = out(&run(&state, &["handover", "1"]));
    assert!(handover.contains("IC: ops1") && handover.contains("move uplinks"), "{handover}");
    assert!(out(&run(&state, &["list"])).contains("Ams core down"));
    assert_eq!(out(&run(&state, &["list", "--open"])), "no incidents\n");
}

#[test]
fn wrong_use_is_refused_in_words_with_status_3() {
    let dir = tempfile::tempdir().expect("a directory");
    for (arguments, words) in [
        (&["show", "7"][..], "there is no INC-7"),
        (&["ack", "7"][..], "NOT SAVED: there is no INC-7"),
        (&["note", "seven", "x"][..], "an incident is written INC-7 or 7"),
        (&["open", " "][..], "the title is empty"),
        (&["open", "x", "--urgency", "9"][..], "SEV1, SEV2"),
    ] {
        let output = run(dir.path(), arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

#[test]
fn an_export_overwrites_nothing_and_follows_no_link() {
    let dir = tempfile::tempdir().expect("a directory");
    out(&run(dir.path(), &["open", "core down"]));
    let victim = dir.path().join("victim");
    fs::write(&victim, "mine").expect("written");
    let link = dir.path().join("export.md");
    std::os::unix::fs::symlink(&victim, &link).expect("a link");
    let path = link.to_str().expect("UTF-8");
    assert_eq!(run(dir.path(), &["export", "1", "-o", path]).status.code(), Some(3));
    assert_eq!(fs::read_to_string(&victim).expect("there"), "mine");
    out(&run(dir.path(), &["export", "1", "-o", path, "--force"]));
    assert_eq!(fs::read_to_string(&victim).expect("there"), "mine", "the link was replaced, not followed");
    let text = fs::read_to_string(&link).expect("there");
    assert!(text.starts_with("# INC-1 SEV3: core down"), "{text}");
    assert_eq!(fs::metadata(&link).expect("there").permissions().mode() & 0o777, 0o600);
}

#[test]
fn everything_in_the_state_directory_is_private_whatever_the_umask() {
    let dir = tempfile::tempdir().expect("a directory");
    let state = dir.path().join("state");
    let script = "umask 000; exec \"$0\" --state \"$1\" incident open x";
    let done = Command::new("/bin/sh").args(["-c", script, NOCTTY]).arg(&state).output().expect("runs");
    out(&done);
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    for entry in fs::read_dir(&state).expect("reads") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

/// Appends `count` notes named after `name`, one process's work.
fn append_many(state: &Path, name: &str, count: usize) {
    let mut journal = Journal::open(state).expect("opens");
    for n in 0..count {
        let draft = Draft::Add {
            incident: IncidentId(1),
            kind: EntryKind::Note,
            text: Untrusted::from(format!("{name} {n}")),
            author: name.into(),
            about: None,
        };
        journal.append(&draft, Timestamp(1_800_000_000_000)).expect("saved");
    }
}

#[test]
fn two_writers_with_five_hundred_notes_each_lose_and_mix_up_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    out(&run(dir.path(), &["open", "core down"]));
    // A real process beside this one: the same library, over the same files.
    let mut beside = Command::new("/bin/sh")
        .args([
            "-c",
            "i=0; while [ $i -lt 40 ]; do \"$0\" --state \"$1\" incident note 1 \"cli $i\" || exit 1; i=$((i+1)); done",
            NOCTTY,
        ])
        .arg(dir.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("runs");
    std::thread::scope(|scope| {
        scope.spawn(|| append_many(dir.path(), "a", 500));
        scope.spawn(|| append_many(dir.path(), "b", 500));
    });
    assert!(beside.wait().expect("ends").success());
    let texts = texts(dir.path());
    assert_eq!(texts.len(), 1040);
    for (name, count) in [("a", 500), ("b", 500), ("cli", 40)] {
        let own: Vec<_> = texts.iter().filter(|t| t.starts_with(&format!("{name} "))).cloned().collect();
        let expected: Vec<_> = (0..count).map(|n| format!("{name} {n}")).collect();
        assert_eq!(own, expected, "in the order in which {name} wrote them");
    }
}

#[test]
fn incident_numbers_are_given_once_among_processes() {
    let dir = tempfile::tempdir().expect("a directory");
    let children: Vec<_> = (0..12)
        .map(|n| {
            noctty(dir.path()).args(["open", &format!("incident {n}")]).stdout(Stdio::piped()).spawn().expect("runs")
        })
        .collect();
    let numbers: BTreeSet<String> = children
        .into_iter()
        .map(|child| out(&child.wait_with_output().expect("ends")).split(' ').nth(1).expect("a number").to_owned())
        .collect();
    assert_eq!(numbers, (1..=12).map(|n| format!("INC-{n}")).collect());
}

/// A writer that tells each note that was acknowledged, killed at some moment: what it told is there, once, in order.
#[test]
fn every_acknowledged_note_survives_kill_9() {
    const ROUNDS: u64 = 25;
    let dir = tempfile::tempdir().expect("a directory");
    out(&run(dir.path(), &["open", "core down"]));
    let script = "i=0; while :; do \"$0\" --state \"$1\" incident note 1 \"$2.$i\" >/dev/null && echo \"$2.$i\"; i=$((i+1)); done";
    let mut told: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let mut writer = Command::new("/usr/bin/setsid")
            .args(["/bin/sh", "-c", script, NOCTTY])
            .arg(dir.path())
            .arg(round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("setsid of util-linux runs");
        let mut lines = BufReader::new(writer.stdout.take().expect("a pipe")).lines();
        // At least one note is acknowledged, then the whole group dies at a moment that moves from round to round.
        told.push(lines.next().expect("a line").expect("UTF-8"));
        let until = Instant::now() + Duration::from_micros(round * 1_731 % 23_000);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        let group = format!("-{}", writer.id());
        assert!(Command::new("/bin/kill").args(["-KILL", "--", &group]).status().expect("kill runs").success());
        writer.wait().expect("it ended");
        told.extend(lines.map_while(Result::ok));
    }
    let texts = texts(dir.path());
    let kept: Vec<_> = texts.iter().filter(|t| told.contains(t)).cloned().collect();
    assert_eq!(kept, told);
    // Beyond what was told there may be one note a round: written, and killed before it could be told.
    assert!(texts.len() - told.len() <= usize::try_from(ROUNDS).expect("small"), "{} for {}", texts.len(), told.len());
}

/// The order of system calls is what a power cut sees: the note's bytes, the sync of that file, and only then the
/// word on standard output.
#[test]
fn the_word_saved_comes_after_the_sync_of_the_file_that_has_the_note() {
    let dir = tempfile::tempdir().expect("a directory");
    out(&run(dir.path(), &["open", "core down"]));
    let trace = dir.path().join("trace");
    let traced = Command::new("strace")
        .args(["-f", "-y", "-s", "65536", "-e", "trace=fsync,fdatasync,pwrite64,write", "-o"])
        .arg(&trace)
        .arg(NOCTTY)
        .arg("--state")
        .arg(dir.path())
        .args(["incident", "note", "1", "the-marked-note"])
        .output()
        .expect("strace runs");
    assert!(out(&traced).starts_with("saved INC-1"));
    let lines: Vec<String> = fs::read_to_string(&trace).expect("a trace").lines().map(str::to_owned).collect();
    let after = |from: usize, what: &dyn Fn(&str) -> bool| {
        lines[from..]
            .iter()
            .position(|l| what(l))
            .map_or_else(|| panic!("not in the trace:\n{}", lines.join("\n")), |at| from + at)
    };
    let is_sync =
        |line: &str, file: &str| (line.contains("fdatasync(") || line.contains("fsync(")) && line.contains(file);
    for file in ["journal.db-wal>", "journal.log>"] {
        let written = after(0, &|l| l.contains("write") && l.contains(file) && l.contains("the-marked-note"));
        let synced = after(written, &|l| is_sync(l, file));
        let told = after(0, &|l| l.contains("write(1<") && l.contains("saved INC-1"));
        assert!(synced < told, "{file}: told at {told}, synced at {synced}:\n{}", lines.join("\n"));
        let rewritten = lines[synced..told].iter().any(|l| l.contains("pwrite64") && l.contains("journal.db-wal>"));
        assert!(!rewritten || !file.contains("wal"), "the log grew again before the word:\n{}", lines.join("\n"));
    }
}

/// Rebuilds the directory from what was synced only, at the moment of each acknowledgement.
#[test]
fn a_directory_of_synced_files_alone_has_every_note() {
    let dir = tempfile::tempdir().expect("a directory");
    let state = dir.path().join("state");
    let mut journal = Journal::open(&state).expect("opens");
    journal
        .append(
            &Draft::Open { title: "core down".into(), urgency: Urgency::Sev1, author: "a".into(), about: None },
            Timestamp(1),
        )
        .expect("saved");
    for n in 0..20 {
        let draft = Draft::Add {
            incident: IncidentId(1),
            kind: EntryKind::Note,
            text: Untrusted::from(format!("note {n}")),
            author: "a".into(),
            about: None,
        };
        journal.append(&draft, Timestamp(1)).expect("saved");
        // Shared memory is never synced: it is left behind, as a power cut would.
        let copy = dir.path().join(format!("after-{n}"));
        fs::create_dir(&copy).expect("made");
        for file in ["journal.db", "journal.db-wal"] {
            fs::copy(state.join(file), copy.join(file)).expect("copied");
        }
        assert_eq!(texts(&copy).len(), n + 1);
    }
}

/// Runs a script in a mount namespace of its own, as root or as whoever we are.
fn in_namespace(script: &str, state: &Path) -> Output {
    let root = rustix_is_root();
    let flags = if root { "-m" } else { "-rm" };
    Command::new("unshare")
        .args([flags, "/bin/sh", "-ec", script, NOCTTY])
        .arg(state)
        .env("USER", "ops1")
        .output()
        .expect("unshare of util-linux runs")
}

fn rustix_is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0)
}

#[test]
fn a_full_disk_is_said_old_notes_stay_readable_and_space_heals_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let script = r#"
        mount -t tmpfs -o size=512k tmpfs "$1"
        n() { "$0" --state "$1/s" incident "$@"; }
        "$0" --state "$1/s" incident open "core down"
        "$0" --state "$1/s" incident note 1 "before"
        dd if=/dev/zero of="$1/filler" bs=1k 2>/dev/null || true
        echo "== full"
        "$0" --state "$1/s" incident note 1 "while full, and long enough to need a page: $(head -c 6000 /dev/zero | tr '\0' x)" 2>&1 || echo "status $?"
        echo "== read"
        "$0" --state "$1/s" incident show 1 2>&1 || echo "status $?"
        rm "$1/filler"
        echo "== space"
        "$0" --state "$1/s" incident note 1 "after"
        "$0" --state "$1/s" incident show 1 2>&1
    "#;
    let output = in_namespace(script, dir.path());
    let told = out(&output);
    let part =
        |name: &str| told.split("== ").find(|p| p.starts_with(name)).unwrap_or_else(|| panic!("{told}")).to_owned();
    let full = part("full");
    assert!(full.contains("NOT SAVED") && full.contains("the disk is full") && full.contains("status 3"), "{full}");
    assert!(full.contains("xxxx"), "the text is shown, since there is no file to keep it: {full}");
    let read = part("read");
    assert!(read.contains("before") && !read.contains("status"), "{read}");
    let space = part("space");
    assert!(space.contains("saved INC-1") && space.contains("before") && space.contains("after"), "{space}");
}

#[test]
fn a_read_only_directory_is_read_and_notes_are_refused_loudly() {
    let dir = tempfile::tempdir().expect("a directory");
    let state = dir.path().join("state");
    out(&run(&state, &["open", "core down"]));
    out(&run(&state, &["note", "1", "before"]));
    let script = r#"
        mount --bind "$1" "$1"
        mount -o remount,ro,bind "$1"
        "$0" --state "$1" incident show 1
        "$0" --state "$1" incident note 1 "while read-only" 2>&1 || echo "status $?"
    "#;
    let told = out(&in_namespace(script, &state));
    assert!(told.contains("before"), "{told}");
    assert!(told.contains("NOT SAVED") && told.contains("--state") && told.contains("status 3"), "{told}");
    assert!(told.contains("the text was:\nwhile read-only"), "{told}");
    assert_eq!(texts(&state), ["before"]);
}

#[test]
fn an_editor_gets_a_private_file_that_stays_until_the_text_is_saved() {
    let dir = tempfile::tempdir().expect("a directory");
    let state = dir.path().join("state");
    out(&run(&state, &["open", "core down"]));
    let editor = dir.path().join("editor");
    fs::write(&editor, "#!/bin/sh\nstat -c %a \"$2\" > \"$1\"\nprintf 'typed by hand\\n' > \"$2\"\n").expect("written");
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o700)).expect("made a program");
    let mode = dir.path().join("mode");
    // script(1) gives the command a terminal.
    let command = format!("{NOCTTY} --state {} incident note 1", state.display());
    let done = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env("EDITOR", format!("'{}' {}", editor.display(), mode.display()))
        .env_remove("VISUAL")
        .stdin(Stdio::null())
        .output()
        .expect("script of util-linux runs");
    assert!(String::from_utf8_lossy(&done.stdout).contains("saved INC-1"), "{done:?}");
    assert_eq!(texts(&state), ["typed by hand"]);
    assert_eq!(fs::read_to_string(&mode).expect("the editor ran").trim(), "600");
    assert_eq!(fs::read_dir(state.join("drafts")).expect("reads").count(), 0);
}
