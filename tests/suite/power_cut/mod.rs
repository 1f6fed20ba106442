//! Power cuts, simulated. Everything that a program does to the state directory is recorded with strace; then the
//! directory is rebuilt as it may stand when the power fails at each moment of the recording, and looked at with
//! `noctty incident show --json`: every entry that had been called saved by then must be there, its chain whole,
//! and the next entry must be saved behind it.

mod disk;
mod trace;

use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

use noctty::base::{Timestamp, Untrusted};
use noctty::journal::{self, Draft, Journal};
use noctty::model::{EntryKind, IncidentId, Urgency};
use tempfile::TempDir;

use super::console::{Launch, READY};
use disk::{Cut, Disk, Kept, Tree};
use trace::Call;

const NOCTTY: &str = env!("CARGO_BIN_EXE_noctty");
/// Cuts looked at in one recording, spread evenly where there are more.
const MOST_CUTS: usize = 250;

/// A folder, what was in it and safe at the beginning, and what was done to it.
struct Recording {
    folder: TempDir,
    /// The state directory within it.
    state: PathBuf,
    begin: Tree,
    calls: Vec<Call>,
    /// The texts that were given, in order; each makes one entry.
    texts: Vec<String>,
    /// A warning that may be given with the entries.
    warning: Option<&'static str>,
}

impl Recording {
    fn of(folder: TempDir, state: &str) -> Self {
        let begin = read_tree(folder.path());
        Self { state: folder.path().join(state), folder, begin, calls: Vec::new(), texts: Vec::new(), warning: None }
    }

    /// Runs `noctty incident …` under strace; its last argument is the text of the entry that it saves.
    fn incident(&mut self, arguments: &[&str]) {
        let told = TempDir::new().expect("a temporary folder");
        let trace = told.path().join("trace");
        let output = Command::new("strace")
            .args(trace::arguments(&trace))
            .args([NOCTTY, "--state"])
            .arg(&self.state)
            .arg("incident")
            .args(arguments)
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin"), ("USER", "ops1")])
            .stdin(Stdio::null())
            .output()
            .expect("strace runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = arguments.last().expect("a text");
        self.texts.push((*text).to_owned());
        self.take(&fs::read_to_string(&trace).expect("a trace"));
    }

    fn take(&mut self, trace: &str) {
        self.calls.extend(trace::calls(trace, self.folder.path()));
    }

    /// The model of the disk knows everything that was done: what it holds is what is there.
    fn is_whole(&self) {
        let mut disk = Disk::holding(&self.begin);
        self.calls.iter().for_each(|call| disk.apply(call));
        let mut model = disk.after(Cut { names: Kept::Everything, contents: Kept::Everything });
        let mut real = read_tree(self.folder.path());
        // Shared memory is written without a call. It is not synced, and is made anew from the other files.
        for tree in [&mut model, &mut real] {
            tree.retain(|path, _| !path.to_string_lossy().ends_with("-shm"));
        }
        for path in model.keys().chain(real.keys()) {
            let of = |tree: &Tree| tree.get(path).map(|content| content.as_ref().map(Vec::len));
            assert_eq!(of(&model), of(&real), "in the model and on the disk: {}", path.display());
            assert!(model.get(path) == real.get(path), "{} is not what was recorded", path.display());
        }
    }

    /// Cuts the power at every moment and looks at what is left; what was wrong, one line a cut.
    fn cut_everywhere(&self, told_by: impl Fn(&Call) -> usize) -> Vec<String> {
        self.is_whole();
        let mut disk = Disk::holding(&self.begin);
        let mut told = 0;
        let mut seen = HashSet::new();
        let mut cuts = Vec::new();
        for (moment, call) in self.calls.iter().enumerate() {
            disk.apply(call);
            told += told_by(call);
            for cut in Cut::all(moment) {
                let mut hasher = DefaultHasher::new();
                disk.after(cut).hash(&mut hasher);
                if seen.insert((hasher.finish(), told)) {
                    cuts.push((moment, cut));
                }
            }
        }
        assert_eq!(told, self.texts.len(), "every entry was called saved");
        assert!(cuts.len() > 50, "only {} different cuts", cuts.len());
        let step = cuts.len().div_ceil(MOST_CUTS);
        self.look(cuts.into_iter().step_by(step), told_by)
    }

    fn look(&self, cuts: impl Iterator<Item = (usize, Cut)>, told_by: impl Fn(&Call) -> usize) -> Vec<String> {
        let (sender, left) = sync_channel::<(String, Tree, usize)>(4);
        let (left, wrong) = (Mutex::new(left), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| self.look_at(&left, &wrong));
            }
            let mut disk = Disk::holding(&self.begin);
            let (mut done, mut told) = (0, 0);
            for (moment, cut) in cuts {
                for call in &self.calls[done..=moment] {
                    disk.apply(call);
                    told += told_by(call);
                }
                done = moment + 1;
                let name = format!("{told} told, cut at {moment} after {}, {cut:?}", name(&self.calls[moment]));
                sender.send((name, disk.after(cut), told)).expect("somebody looks");
            }
            drop(sender);
        });
        wrong.into_inner().expect("no holder panics")
    }

    fn look_at(&self, left: &Mutex<Receiver<(String, Tree, usize)>>, wrong: &Mutex<Vec<String>>) {
        // Memory serves as the disk that is read again: what is looked at needs no more power cuts.
        let fast = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).expect("a temporary folder");
        let state = self.state.strip_prefix(self.folder.path()).expect("below the folder");
        loop {
            let next = left.lock().expect("no holder panics").recv();
            let Ok((name, tree, told)) = next else { return };
            let folder = TempDir::new_in(fast.path()).expect("a temporary folder");
            write_tree(folder.path(), &tree);
            if let Err(words) = is_kept(&folder.path().join(state), &self.texts[..told], self.warning) {
                wrong.lock().expect("no holder panics").push(format!("{name}: {words}"));
            }
        }
    }
}

/// Whether all of these texts are found, nothing is called damaged, and the next entry is saved behind them.
fn is_kept(state: &Path, texts: &[String], warning: Option<&str>) -> Result<(), String> {
    let shown = show(state, if texts.is_empty() { &["list"] } else { &["show", "1"] })?;
    let warnings = shown["warnings"].as_array().map(Vec::as_slice).unwrap_or_default();
    // A database that was not finished is told from one that has no entries: somebody may have emptied it.
    let warning = if texts.is_empty() { Some("is empty") } else { warning };
    let expected = |w: &serde_json::Value| w.as_str().zip(warning).is_some_and(|(w, known)| w.contains(known));
    if !warnings.iter().all(expected) || (shown["complete"] != true && warnings.is_empty()) {
        return Err(format!("not complete: {}", shown["warnings"]));
    }
    let entries = shown["incident"]["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found: Vec<&str> = entries.iter().filter_map(|e| e["text"].as_str()).collect();
    // An entry that was written and not told yet may be there as well, and is the last then.
    if !found.iter().zip(texts).all(|(a, b)| a == b) || found.len() < texts.len() || found.len() > texts.len() + 1 {
        return Err(format!("{} entries of {} are there", found.len(), texts.len()));
    }
    let mut journal = Journal::open(state).map_err(|e| format!("it does not open: {e}"))?;
    let before = journal.contents().incidents.first().map_or(0, |i| i.entries.len());
    let (text, author): (Untrusted, Untrusted) = ("after the cut".into(), "ops1".into());
    let draft = if before == 0 {
        Draft::Open { title: text, urgency: Urgency::Sev3, author, about: None }
    } else {
        Draft::Add { incident: IncidentId(1), kind: EntryKind::Note, text, author, about: None }
    };
    journal.append(&draft, Timestamp(1_800_000_000_000)).map_err(|e| format!("nothing can be saved any more: {e}"))?;
    drop(journal);
    let contents = journal::read(state).map_err(|e| format!("it does not read afterwards: {e}"))?;
    let damage = contents.all_damage();
    let count = contents.incidents.first().map_or(0, |i| i.entries.len());
    if !damage.is_empty() || count != before + 1 || before < texts.len() {
        return Err(format!("afterwards {count} entries, {before} before, {damage:?}"));
    }
    Ok(())
}

fn show(state: &Path, arguments: &[&str]) -> Result<serde_json::Value, String> {
    let Output { status, stdout, stderr } = Command::new(NOCTTY)
        .arg("--state")
        .arg(state)
        .args(["incident", "--json"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&stderr);
    if !status.success() || said.contains("panicked") || said.contains("internal error") {
        return Err(format!("{arguments:?} ended with {:?}: {said}", status.code()));
    }
    serde_json::from_slice(&stdout).map_err(|e| format!("no JSON: {e}"))
}

fn name(call: &Call) -> String {
    match call {
        Call::Open { path, .. } => format!("opening {}", path.display()),
        Call::MakeDirectory(path) => format!("making {}", path.display()),
        Call::Write { path, bytes, .. } => format!("writing {} bytes to {}", bytes.len(), path.display()),
        Call::Length { path, length } => format!("setting {} to {length} bytes", path.display()),
        Call::Remove(path) => format!("removing {}", path.display()),
        Call::Sync(path) => format!("syncing {}", path.display()),
        Call::Rename { from, to } => format!("renaming {} to {}", from.display(), to.display()),
        Call::Say(bytes) => format!("saying {} bytes", bytes.len()),
    }
}

fn read_tree(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("a folder can be read") {
            let path = entry.expect("an entry").path();
            let content = (!path.is_dir()).then(|| fs::read(&path).expect("a file can be read"));
            tree.insert(path.strip_prefix(folder).expect("below it").to_owned(), content);
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    tree
}

fn write_tree(folder: &Path, tree: &Tree) {
    for (path, content) in tree {
        match content {
            Some(bytes) => fs::write(folder.join(path), bytes).expect("written"),
            None => fs::create_dir(folder.join(path)).expect("made"),
        }
    }
}

/// A folder whose name holds no link.
fn folder() -> TempDir {
    let root = std::env::temp_dir().canonicalize().expect("the temporary folder is there");
    TempDir::new_in(root).expect("a temporary folder")
}

/// Entries called saved by a call on standard output.
fn saved(call: &Call) -> usize {
    usize::from(matches!(call, Call::Say(bytes) if bytes.starts_with(b"saved INC-1 ")))
}

fn few(wrong: &[String]) -> String {
    format!("{} cuts lose something:\n{}", wrong.len(), wrong.iter().take(12).cloned().collect::<Vec<_>>().join("\n"))
}

/// The first incident of a new user, who has not even a folder for programs' state.
fn first_incident() -> Recording {
    let folder = folder();
    fs::create_dir(folder.path().join("home")).expect("made");
    let mut recording = Recording::of(folder, "home/.local/state/noctty");
    recording.incident(&["open", "core down"]);
    recording.incident(&["note", "1", "no power on PSU A"]);
    recording.incident(&["note", "1", &"console log ".repeat(2_000)]);
    recording.incident(&["close", "1", "power restored"]);
    recording
}

#[test]
fn no_power_cut_takes_a_saved_entry_of_the_first_incident() {
    let wrong = first_incident().cut_everywhere(saved);
    assert!(wrong.is_empty(), "{}", few(&wrong));
}

#[test]
fn no_power_cut_takes_a_saved_entry_beside_another_process_that_has_the_journal_open() {
    let folder = folder();
    let state = folder.path().join("state");
    let mut texts = vec!["core down".to_owned()];
    let mut other = Journal::open(&state).expect("opens");
    let title = || "core down".into();
    other
        .append(&Draft::Open { title: title(), urgency: Urgency::Sev1, author: "a".into(), about: None }, Timestamp(1))
        .expect("saved");
    for n in 0..8 {
        texts.push(format!("before {n}"));
        let text = texts[n + 1].as_str().into();
        let (incident, kind, author) = (IncidentId(1), EntryKind::Note, "a".into());
        other.append(&Draft::Add { incident, kind, text, author, about: None }, Timestamp(1)).expect("saved");
    }
    // The write-ahead log is carried over into the database and stays: whoever writes next begins it anew, over
    // the old frames.
    let database = rusqlite::Connection::open(state.join("journal.db")).expect("opens");
    let done: (i64, i64, i64) = database
        .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("a checkpoint");
    assert!(done.0 == 0 && done.1 == done.2 && done.1 > 8, "{done:?}");
    let mut recording = Recording::of(folder, "state");
    // The other process has told these before the recording begins.
    recording.calls.push(Call::Say(b"earlier".to_vec()));
    recording.texts.clone_from(&texts);
    recording.incident(&["note", "1", "first over the old log"]);
    recording.incident(&["note", "1", &"long ".repeat(1_500)]);
    recording.incident(&["note", "1", "third"]);
    let told_by = |call: &Call| if *call == Call::Say(b"earlier".to_vec()) { texts.len() } else { saved(call) };
    let wrong = recording.cut_everywhere(told_by);
    assert!(wrong.is_empty(), "{}", few(&wrong));
    drop(other);
}

#[test]
fn no_power_cut_takes_an_entry_while_a_database_is_filled_from_the_log() {
    let folder = folder();
    let state = folder.path().join("state");
    let run = |arguments: &[&str]| {
        let done = Command::new(NOCTTY).arg("--state").arg(&state).arg("incident").args(arguments).output();
        assert!(done.expect("the program runs").status.success());
    };
    run(&["open", "core down"]);
    run(&["note", "1", "before"]);
    // Damaged, say, and moved aside as the manual has it.
    fs::remove_file(state.join("journal.db")).expect("removed");
    let mut recording = Recording::of(folder, "state");
    recording.calls.push(Call::Say(b"earlier".to_vec()));
    recording.texts = vec!["core down".to_owned(), "before".to_owned()];
    recording.incident(&["note", "1", "after"]);
    // Until the database is filled, the entries come from the log, and that is said.
    recording.warning = Some("shown from journal.log");
    let told_by = |call: &Call| if *call == Call::Say(b"earlier".to_vec()) { 2 } else { saved(call) };
    let wrong = recording.cut_everywhere(told_by);
    assert!(wrong.is_empty(), "{}", few(&wrong));
}

/// The console's own promise: its threads, its order of opening things, its word on the screen.
#[test]
fn no_power_cut_takes_an_entry_that_the_console_called_saved() {
    let folder = folder();
    fs::create_dir(folder.path().join("home")).expect("made");
    let mut recording = Recording::of(folder, "home/.local/state/noctty");
    let told = TempDir::new().expect("a temporary folder");
    let trace = told.path().join("trace");
    let strace = ["strace".to_owned()].into_iter().chain(trace::arguments(&trace));
    let mut console = Launch::new((100, 30)).wrapped(strace).state(&recording.state).start();
    console.shows(READY);
    let long = "console log ".repeat(600);
    for (n, text) in ["core down", "no power on PSU A", long.trim(), "uplinks moved"].into_iter().enumerate() {
        console.press(if n == 0 { "I" } else { "n" });
        console.shows(if n == 0 { "Open an incident" } else { "note for INC-1" });
        console.paste(text);
        console.press("\r");
        console.shows("saved in INC-1");
        // A mark in the recording, after the word.
        console.press(":");
        console.paste(&format!("told-{n}"));
        console.shows(&format!(":told-{n}"));
        console.press("\x1b");
        // A key that follows at once would be one with Alt.
        console.until("the line is closed", |c| !c.text().contains(":told-"));
        recording.texts.push(text.to_owned());
    }
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    recording.take(&fs::read_to_string(&trace).expect("a trace"));
    let told_by = |call: &Call| match call {
        Call::Say(bytes) => bytes.windows(5).filter(|w| *w == b"told-").count(),
        _ => 0,
    };
    let wrong = recording.cut_everywhere(told_by);
    assert!(wrong.is_empty(), "{}", few(&wrong));
}

/// The same cuts find what is lost where syncs are left out: the tests above can fail.
#[test]
fn without_their_syncs_entries_are_lost() {
    let recording = first_incident();
    let state = "home/.local/state/noctty";
    let files = [format!("{state}/journal.db"), format!("{state}/journal.db-wal")];
    for lost in [&files[..], &[state.into()], &["home/.local".into()], &["home".into()]] {
        let is_lost = |call: &&Call| matches!(call, Call::Sync(path) if lost.iter().any(|l| path == Path::new(l)));
        assert!(recording.calls.iter().any(|call| is_lost(&call)), "{lost:?} are never synced");
        let folder = folder();
        let without = Recording {
            state: folder.path().join(state),
            begin: recording.begin.clone(),
            calls: recording.calls.iter().filter(|call| !is_lost(call)).cloned().collect(),
            texts: recording.texts.clone(),
            warning: None,
            folder,
        };
        let at_the_end = (without.calls.len() - 1, Cut { names: Kept::Nothing, contents: Kept::Nothing });
        let wrong = without.look(std::iter::once(at_the_end), saved);
        assert_eq!(wrong.len(), 1, "without the syncs of {lost:?} nothing is missed");
    }
}
