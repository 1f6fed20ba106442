//! The console's care for its terminal: it must be given back however the console ends, and nothing the terminal
//! does may wedge it.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alacritty_terminal::term::TermMode;
use rustix::process::Signal;
use tempfile::TempDir;

use super::console::{Console, Launch, PATIENCE, Queries, READY, children_of, state_of};

#[test]
fn the_terminal_is_given_back_after_every_signal_that_ends_the_console() {
    let signals = [(Signal::INT, 2), (Signal::TERM, 15), (Signal::HUP, 1), (Signal::QUIT, 3), (Signal::ABORT, 6)];
    for (signal, number) in signals {
        let mut console = Console::start((100, 30));
        console.shows(READY);
        assert!(console.mode().contains(TermMode::ALT_SCREEN));
        console.signal(signal);
        assert_eq!(console.ends().exit_code(), 128 + number, "{signal:?}");
        console.is_given_back();
    }
}

/// The process that guards the terminal, once it is that program.
fn guard_of(console: &Console) -> Option<i32> {
    let is_guard = |pid: &i32| {
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.windows(14).any(|w| w == b"guard-terminal"))
    };
    children_of(console.pid().as_raw_nonzero().get()).into_iter().find(is_guard)
}

/// What the console cannot answer itself: it is killed, aborts from within, or is out of memory.
#[test]
fn the_terminal_is_given_back_by_the_guard_when_the_console_is_killed() {
    let mut console = Console::start((100, 30));
    console.shows(READY);
    console.until("the guard is there", |c| guard_of(c).is_some());
    let guard = guard_of(&console).expect("a guard");
    console.signal(Signal::KILL);
    console.ends();
    console.is_given_back();
    console.until("the guard has ended", |_| matches!(state_of(guard), None | Some('Z')));
}

#[test]
fn the_guard_touches_nothing_after_the_console_has_given_the_terminal_back() {
    let mut console = Console::start((100, 30));
    console.shows(READY);
    console.until("the guard is there", |c| guard_of(c).is_some());
    // Stopped, its terminal is a shell's; killed then, nothing may be written to it.
    console.signal(Signal::TSTP);
    console.until("it has stopped", |c| state_of(c.pid().as_raw_nonzero().get()) == Some('T'));
    // What it wrote before comes a moment later.
    console.is_given_back();
    let guard = guard_of(&console).expect("a guard");
    let before = console.received();
    console.signal(Signal::KILL);
    console.ends();
    console.until("the guard has ended", |_| matches!(state_of(guard), None | Some('Z')));
    assert_eq!(console.received(), before);
}

/// The test's terminal says that its background is light.
#[test]
fn the_console_takes_the_theme_of_the_background() {
    let mut console = Launch::new((100, 30)).start();
    console.shows(READY);
    console.insists(":theme\r", "Theme: light");
    console.press("q:theme wall\r");
    console.insists(":theme\r", "Theme: wall");
    console.press("q:q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    console.is_given_back();
}

/// A press selects, a second opens; what the terminal is told of the mouse is taken back in the end.
#[test]
fn the_mouse_is_taken_where_the_terminal_is_near_and_left_over_ssh() {
    let reported = TermMode::MOUSE_REPORT_CLICK | TermMode::SGR_MOUSE;
    let mut near = Launch::new((100, 30)).start();
    near.shows(READY);
    near.until("the mouse is asked for", |c| c.mode().contains(reported));
    near.press("\x1b[<0;23;1M\x1b[<0;23;1m");
    near.shows("[2 Hosts]");
    near.press(":mouse off\r");
    near.until("the mouse is left alone", |c| !c.mode().intersects(reported));
    near.press(":mouse\r");
    near.until("it is asked for again", |c| c.mode().contains(reported));
    near.signal(Signal::TERM);
    near.ends();
    near.is_given_back();

    let mut far = Launch::new((100, 30)).wrapped(["env", "SSH_CONNECTION=192.0.2.7 50022 192.0.2.1 22"]).start();
    far.shows(READY);
    assert!(!far.mode().intersects(reported));
    far.press(":mouse on\r");
    far.until("it is asked for", |c| c.mode().contains(reported));
    far.signal(Signal::KILL);
    far.ends();
    far.is_given_back();
}

#[test]
fn a_job_of_a_shell_is_suspended_by_a_key_and_comes_back_whole() {
    let mut console = Launch::new((100, 30)).in_a_shell().start();
    console.shows("sh$");
    console.press(&format!("{}\r", console.command_line()));
    console.shows(READY);
    for round in 0..2 {
        console.press("I");
        console.shows("Open an incident");
        console.paste(&format!("typed before {round}"));
        console.shows(&format!("typed before {round}"));
        console.press("\x1a");
        console.until("the shell has the terminal", |c| !c.mode().contains(TermMode::ALT_SCREEN));
        console.press("echo $((40+2))\r");
        console.shows("\n42 ");
        console.press("fg\r");
        console.until("the console has it", |c| c.mode().contains(TermMode::ALT_SCREEN));
        // Whole: the header, the panes, the box with its text, the cursor in it.
        for part in ["noctty", READY, "BACKUPS", "Open an incident", &format!("typed before {round}")] {
            console.shows(part);
        }
        assert!(console.mode().contains(TermMode::SHOW_CURSOR));
        console.press("\x1b");
        console.until("the box is closed", |c| !c.text().contains("Open an incident"));
    }
    // Let go on in the background it stops again instead of drawing over the shell.
    console.press("\x1a");
    console.until("the shell has the terminal", |c| !c.mode().contains(TermMode::ALT_SCREEN));
    console.press("bg; sleep 0.2; jobs\r");
    console.says("& [1]+ Stopped");
    assert!(!console.mode().contains(TermMode::ALT_SCREEN));
    console.press("fg\r");
    console.shows(READY);
    console.press(":q!\r");
    console.until("the shell has the terminal", |c| !c.mode().contains(TermMode::ALT_SCREEN));
    console.press("stty -a | tr ' ' '\\n' | grep -x -e icanon -e echo -e isig | tr '\\n' '+'; exit\r");
    console.shows("isig+icanon+echo+");
    console.ends();
    console.is_given_back();
}

#[test]
fn without_a_shell_to_go_back_to_the_key_says_so_and_stops_nothing() {
    let console = Console::start((100, 30));
    console.shows(READY);
    console.press("\x1a");
    console.shows("there is no shell to go back to");
    assert!(matches!(state_of(console.pid().as_raw_nonzero().get()), Some('S' | 'R')));
}

#[test]
fn the_terminal_is_given_back_after_leaving_by_key() {
    let mut console = Console::start((100, 30));
    console.shows(READY);
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    console.is_given_back();
}

#[test]
fn a_stop_gives_the_terminal_back_and_going_on_paints_it_anew() {
    let console = Console::start((100, 30));
    console.shows(READY);
    console.signal(Signal::TSTP);
    console.until("it has stopped", |c| state_of(c.pid().as_raw_nonzero().get()) == Some('T'));
    console.is_given_back();
    console.signal(Signal::CONT);
    console.until("the alternate screen is back", |c| c.mode().contains(TermMode::ALT_SCREEN));
    console.shows(READY);
    let mut console = console;
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    console.is_given_back();
}

#[test]
fn a_terminal_that_vanishes_ends_the_console_though_no_signal_says_so() {
    // In a session of its own it is not told by SIGHUP.
    let mut console = Launch::new((100, 30)).wrapped(["setsid", "--wait"]).start();
    console.shows(READY);
    let [child] = children_of(console.pid().as_raw_nonzero().get())[..] else { panic!("not one child") };
    assert!(state_of(child).is_some());
    console.gone.store(true, Ordering::Relaxed);
    console.press("?");
    console.writer = Arc::new(Mutex::new(Box::new(std::io::sink())));
    console.master = None;
    console.until("the console has ended", |_| matches!(state_of(child), None | Some('Z')));
}

#[test]
fn what_a_library_prints_on_standard_error_goes_to_the_log_and_not_to_the_screen() {
    let mut console = Console::start((100, 30));
    console.shows(READY);
    let folder = console.home().join("state/log");
    let log = || {
        let files = std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
        files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect::<Vec<_>>()
    };
    console.until("there is a log", |_| !log().is_empty());
    let error = format!("/proc/{}/fd/2", console.pid().as_raw_nonzero());
    std::fs::write(error, "library: out of cheese\x1b[2J\n").expect("standard error is there");
    console.until("it is in the log", |_| log().concat().contains("out of cheese"));
    assert!(console.text().contains(READY) && !console.text().contains("cheese"), "{}", console.text());
    // Given back, it is the terminal again.
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    console.is_given_back();
}

#[test]
fn no_size_is_too_small_and_none_at_all_waits_for_one() {
    let mut console = Console::start((0, 0));
    console.until("the terminal is taken", |c| c.mode().contains(TermMode::ALT_SCREEN));
    for size in [(1, 1), (2, 1), (7, 2), (400, 100), (1, 60)] {
        console.resize(size);
        assert_eq!(console.child.try_wait().expect("the child can be asked").map(|s| s.exit_code()), None, "{size:?}");
    }
    console.resize((100, 30));
    console.shows(READY);
}

#[test]
fn a_storm_of_resizes_ends_in_the_last_size() {
    let console = Console::start((120, 40));
    console.shows(READY);
    for step in 0..40u16 {
        console.resize((60 + step * 2, 15 + step));
        std::thread::sleep(Duration::from_millis(5));
    }
    console.resize((100, 30));
    console.until("the last row is drawn", |c| {
        let text = c.text();
        text.contains(READY) && text.lines().last().is_some_and(|l| !l.trim().is_empty())
    });
}

#[test]
fn a_terminal_that_answers_no_query_is_still_served() {
    let console = Launch::new((100, 30)).queries(Queries::Ignored).start();
    console.shows(READY);
    console.press("?");
    console.until("the help is open", |c| c.text().contains("Keys and commands"));
}

#[test]
fn a_terminal_that_answers_only_one_query_is_paced_by_that_one() {
    for end in ['n', 'R', 'y'] {
        let mut console = Launch::new((100, 30)).queries(Queries::Only(end)).start();
        console.shows(READY);
        // Said in the footer as long as nothing is answered.
        console.until(&format!("replies that end in {end} are heard"), |c| !c.text().contains("link silent"));
        console.press("?");
        console.shows("Keys and commands");
        console.press("\x1b");
        console.until("the help is closed", |c| !c.text().contains("Keys and commands"));
        console.press(":q!\r");
        assert_eq!(console.ends().exit_code(), 0);
        console.is_given_back();
    }
}

#[test]
fn a_terminal_that_answers_late_is_served_all_the_while() {
    let mut console = Launch::new((100, 30)).queries(Queries::Late(Duration::from_millis(1_900))).start();
    console.shows(READY);
    console.press(":");
    console.paste("typed to a slow terminal");
    console.shows("typed to a slow terminal");
    console.press("\x1b");
    console.until("the line is closed", |c| !c.text().contains("typed to a slow terminal"));
    // Measured as it is, once there is something to measure with.
    console.until("the round trip is known", |c| {
        c.press("\t");
        c.text().contains("link 19")
    });
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    console.is_given_back();
}

#[test]
fn a_terminal_that_stops_reading_gets_the_newest_picture_when_it_reads_again() {
    let console = Console::start((100, 30));
    console.shows(READY);
    console.halted.store(true, Ordering::Relaxed);
    for _ in 0..200 {
        console.press("\t");
    }
    console.press(":halted-then-read");
    console.halted.store(false, Ordering::Relaxed);
    console.shows("halted-then-read");
}

#[test]
fn a_lone_escape_is_a_key_and_a_paste_is_text() {
    let console = Console::start((100, 30));
    console.shows(READY);
    console.press(":");
    console.press("\x1b[200~pasted words\x1b[201~");
    console.shows("pasted words");
    console.press("\x1b");
    console.until("the line is closed", |c| !c.text().contains("pasted words"));
}

#[test]
fn a_console_goes_on_where_the_last_one_ended() {
    let state = TempDir::new().expect("a folder");
    let launch = || Launch::new((100, 30)).state(state.path()).start();
    let mut console = launch();
    console.shows(READY);
    console.press("2");
    console.shows("[2 Hosts]");
    console.press("/nothing-is-called-so\r");
    console.shows("nothing matches");
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    let mut console = launch();
    console.shows("[2 Hosts]");
    console.shows("nothing matches \"nothing-is-called-so\": Esc clears the filter");
    console.signal(Signal::TERM);
    console.ends();
    let kept = std::fs::read_to_string(state.path().join("session.toml")).expect("after a signal too");
    assert!(kept.contains("screen = \"hosts\""), "{kept}");
}

#[test]
fn inside_tmux_the_screen_is_drawn_and_keys_are_answered() {
    let home = TempDir::new().expect("a temporary folder");
    let socket = home.path().join("tmux");
    let state = home.path().join("state");
    let tmux = Tmux { socket: &socket };
    tmux.run(&[
        "-f",
        "/dev/null",
        "new-session",
        "-d",
        "-x",
        "100",
        "-y",
        "30",
        env!("CARGO_BIN_EXE_noctty"),
        "--passive",
        "--state",
        &state.to_string_lossy(),
    ]);
    tmux.shows(READY);
    tmux.run(&["send-keys", ":"]);
    tmux.run(&["send-keys", "-l", "typed-in-tmux"]);
    tmux.shows("typed-in-tmux");
}

/// A tmux server of the test's own.
struct Tmux<'a> {
    socket: &'a Path,
}

impl Tmux<'_> {
    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux")
            .arg("-S")
            .arg(self.socket)
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("tmux is installed");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn shows(&self, text: &str) {
        let began = Instant::now();
        loop {
            let screen = self.run(&["capture-pane", "-p"]);
            if screen.contains(text) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "never {text:?}; the screen:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(self.socket).arg("kill-server").output();
    }
}

#[test]
fn what_is_copied_reaches_the_clipboard_of_the_terminal() {
    let mut console = Launch::new((120, 40)).arguments(["demo", "--hosts", "3", "--switches", "1", "--steady"]).start();
    console.shows(READY);
    console.press("2");
    console.until("the hosts are there", |c| {
        c.text().contains("[2 Hosts]") && c.text().contains("of ") && !c.text().contains("of 0 ")
    });
    console.press("y");
    console.shows("copied ");
    console.until("the clipboard has it", |c| !c.deeds().is_empty());
    let shown = console.text();
    let name =
        shown.split("copied ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a name").to_owned();
    assert_eq!(console.deeds(), [format!("ClipboardStore(Clipboard, {name})")]);
    console.press(":copy table\r");
    console.until("the list follows", |c| c.deeds().len() == 2);
    let table = console.deeds().pop().expect("two");
    assert!(table.contains("host\tstate\t") && table.contains(&format!("\n{name}\t")), "{table}");
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    console.is_given_back();
}
