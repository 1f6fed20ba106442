//! The tour in a real terminal: on a configuration that watches nothing, with a real simulated network in the same process.

use std::path::{Path, PathBuf};

use super::console::{Console, Launch, READY};

/// The folders of simulated networks of that process.
fn networks(console: &Console) -> Vec<PathBuf> {
    let start = format!("noctty-demo-{}-", console.pid().as_raw_nonzero());
    let entries = std::fs::read_dir(std::env::temp_dir()).expect("the temporary folder reads");
    entries
        .map(|entry| entry.expect("it reads").path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&start)))
        .collect()
}

/// Every file below a folder that holds these bytes.
fn holding(folder: &Path, words: &[u8]) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).expect("it reads") {
        let path = entry.expect("it reads").path();
        if path.is_dir() {
            out.extend(holding(&path, words));
        } else if std::fs::read(&path).is_ok_and(|bytes| bytes.windows(words.len()).any(|part| part == words)) {
            out.push(path);
        }
    }
    out
}

#[test]
fn the_first_steps_on_an_empty_configuration_and_nothing_of_them_stays() {
    let home = tempfile::tempdir().expect("a folder");
    let (config, state) = (home.path().join("noctty.toml"), home.path().join("state"));
    std::fs::write(&config, "").expect("written");
    let arguments = ["--config".to_owned(), config.display().to_string()];
    let mut console = Launch::new((80, 24)).arguments(arguments).state(&state).start();
    console.shows("nothing is watched yet");
    console.shows("five minutes on a simulated network");
    console.press(":tour\r");
    console.shows("SIMULATED");
    console.shows("TOUR 1/14");
    // The dead switch has been found, and what hangs on it.
    console.says("PROBLEMS has the worst first");
    console.press("j");
    console.shows("TOUR 2/14");
    console.press("k\r");
    console.shows("TOUR 3/14");
    console.press("\x1b");
    console.until("the box is closed", |c| !c.text().contains("problem 1 of"));
    console.press("a");
    console.shows("Claim acc-sw01");
    console.press("a planted note\r");
    console.shows("TOUR 4/14");
    console.press("2/state:unreachable\r");
    console.shows("TOUR 5/14");
    console.press("\x1b");
    console.until("the filter is cleared", |c| !c.text().contains("/state:unreachable"));
    let screen = console.text();
    let name = screen.split("type ").nth(1).and_then(|rest| rest.split(',').next()).expect("a name to type");
    console.press(&format!("\x10{name}\r"));
    console.shows("TOUR 6/14");
    console.press("w");
    console.shows("TOUR 7/14");
    console.press("o");
    console.shows("TOUR 8/14");
    assert_eq!(networks(&console).len(), 1);
    console.press("\x18");
    console.shows("this is your own network again");
    console.shows("nothing is watched yet");
    console.until("its network has ended", |c| networks(c).is_empty());
    // Left in the middle of another one, nothing stays either.
    console.press(":tour\r");
    console.shows("TOUR 8/14");
    console.press(":tour again\r");
    console.shows("TOUR 1/14");
    console.signal(rustix::process::Signal::TERM);
    assert_eq!(console.ends().exit_code(), 128 + 15);
    console.is_given_back();
    assert_eq!(networks(&console), Vec::<PathBuf>::new());
    for words in ["acc-sw01", "a planted note", "127.32.0"] {
        assert_eq!(holding(&state, words.as_bytes()), Vec::<PathBuf>::new(), "{words}");
    }
}

#[test]
fn the_demo_begins_with_the_tour_where_that_is_asked_for() {
    let mut console = Launch::new((60, 20)).arguments(["demo", "--tour"]).start();
    console.shows(READY);
    console.shows("SIMULATED");
    console.shows("TOUR 1/14");
    console.press(":tour end\r");
    console.shows("the tour is over");
    console.shows("SIMULATED");
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
}
