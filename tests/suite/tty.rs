//! The console on a real pseudo-terminal: an emulator plays the terminal, answers its queries and holds what it
//! shows. The terminal must be given back however the console ends, and nothing the terminal does may wedge it.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alacritty_terminal::event::{Event, EventListener};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::term::{Config, Term, TermMode};
use alacritty_terminal::vte::ansi::Processor;
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);
/// The first useful screen has this on it.
const READY: &str = "PROBLEMS";

#[derive(Clone, Copy)]
struct Size(u16, u16);

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        usize::from(self.1)
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.1)
    }

    fn columns(&self) -> usize {
        usize::from(self.0)
    }
}

/// Collects what the emulator answers to queries.
#[derive(Clone, Default)]
struct Answers(Arc<Mutex<Vec<u8>>>);

impl EventListener for Answers {
    fn send_event(&self, event: Event) {
        if let Event::PtyWrite(text) = event {
            self.0.lock().expect("no holder panics").extend_from_slice(text.as_bytes());
        }
    }
}

type Screen = Arc<Mutex<Term<Answers>>>;

#[derive(Clone, Copy, PartialEq)]
enum Queries {
    Answered,
    Ignored,
}

/// A console under test.
struct Console {
    screen: Screen,
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Arc<Mutex<Box<dyn std::io::Write + Send>>>,
    child: Box<dyn Child + Send + Sync>,
    /// While set, the terminal reads nothing.
    halted: Arc<AtomicBool>,
    /// Once set, the terminal is closed at the next byte.
    gone: Arc<AtomicBool>,
    line_before: String,
    _home: TempDir,
}

impl Console {
    fn start(size: (u16, u16)) -> Self {
        Self::start_with(size, Queries::Answered, &[])
    }

    fn start_with(size: (u16, u16), queries: Queries, wrapper: &[&str]) -> Self {
        let home = TempDir::new().expect("a temporary folder");
        let pair = native_pty_system().openpty(pty_size(size)).expect("a pseudo-terminal");
        let line_before = line_settings(&*pair.master);
        let mut argv: Vec<&str> = wrapper.to_vec();
        argv.push(env!("CARGO_BIN_EXE_noctty"));
        let mut command = CommandBuilder::new(argv[0]);
        command.args(&argv[1..]);
        command.args(["--passive", "--state"]);
        command.arg(home.path().join("state"));
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8")] {
            command.env(name, value);
        }
        command.env("HOME", home.path());
        command.cwd(home.path());
        let child = pair.slave.spawn_command(command).expect("the console starts");
        drop(pair.slave);
        let writer = Arc::new(Mutex::new(pair.master.take_writer().expect("a writer")));
        let reader = pair.master.try_clone_reader().expect("a reader");
        let answers = Answers::default();
        let room = Size(size.0.max(2), size.1.max(1));
        let screen = Arc::new(Mutex::new(Term::new(Config::default(), &room, answers.clone())));
        let halted = Arc::new(AtomicBool::new(false));
        let gone = Arc::new(AtomicBool::new(false));
        let terminal = Emulator {
            screen: screen.clone(),
            answers,
            queries,
            halted: halted.clone(),
            gone: gone.clone(),
            keys: writer.clone(),
        };
        std::thread::spawn(move || terminal.play(reader));
        Self { screen, master: Some(pair.master), writer, child, halted, gone, line_before, _home: home }
    }

    fn press(&self, keys: &str) {
        self.writer.lock().expect("no holder panics").write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    fn resize(&self, size: (u16, u16)) {
        self.screen.lock().expect("no holder panics").resize(Size(size.0.max(2), size.1.max(1)));
        self.master.as_ref().expect("not hung up").resize(pty_size(size)).expect("the size can be set");
    }

    fn text(&self) -> String {
        let term = self.screen.lock().expect("no holder panics");
        let mut out = String::new();
        for cell in term.grid().display_iter() {
            if cell.point.column.0 == 0 {
                out.push('\n');
            }
            out.push(cell.c);
        }
        out
    }

    fn mode(&self) -> TermMode {
        *self.screen.lock().expect("no holder panics").mode()
    }

    fn shows(&self, text: &str) {
        self.until(&format!("{text:?} is shown"), |c| c.text().contains(text));
    }

    fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < PATIENCE, "never: {what}; the screen:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the console can be signalled");
    }

    fn pid(&self) -> Pid {
        let id = self.child.process_id().expect("it runs");
        Pid::from_raw(i32::try_from(id).expect("a process id")).expect("not 0")
    }

    /// Waits for the end, at most the two seconds that a signal may take (and some for a busy machine).
    fn ends(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the child can be asked") {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end; the screen:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The modes of the emulator and the settings of the line are as they were found.
    fn is_given_back(&self) {
        self.until("the terminal is as it was found", |c| {
            let mode = c.mode();
            !mode.contains(TermMode::ALT_SCREEN)
                && !mode.contains(TermMode::BRACKETED_PASTE)
                && mode.contains(TermMode::SHOW_CURSOR)
                && mode.contains(TermMode::LINE_WRAP)
        });
        let line = line_settings(&**self.master.as_ref().expect("not hung up"));
        assert_eq!(line, self.line_before, "the settings of the line");
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.halted.store(false, Ordering::Relaxed);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Emulator {
    screen: Screen,
    answers: Answers,
    queries: Queries,
    halted: Arc<AtomicBool>,
    gone: Arc<AtomicBool>,
    /// Where replies and keys go.
    keys: Arc<Mutex<Box<dyn std::io::Write + Send>>>,
}

impl Emulator {
    fn play(self, mut reader: Box<dyn std::io::Read + Send>) {
        let mut parser: Processor = Processor::new();
        let mut bytes = [0; 4096];
        loop {
            while self.halted.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
            let Ok(length @ 1..) = reader.read(&mut bytes) else { return };
            if self.gone.load(Ordering::Relaxed) {
                return;
            }
            parser.advance(&mut *self.screen.lock().expect("no holder panics"), &bytes[..length]);
            let answers = std::mem::take(&mut *self.answers.0.lock().expect("no holder panics"));
            if self.queries == Queries::Answered && !answers.is_empty() {
                let _ = self.keys.lock().expect("no holder panics").write_all(&answers);
            }
        }
    }
}

fn pty_size(size: (u16, u16)) -> PtySize {
    PtySize { cols: size.0, rows: size.1, pixel_width: 0, pixel_height: 0 }
}

fn line_settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("the settings of the line"))
}

/// The letter of `/proc/PID/stat` for what a process does; `None` when it is no more.
fn state_of(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

#[test]
fn the_terminal_is_given_back_after_every_signal_that_ends_the_console() {
    for (signal, number) in [(Signal::INT, 2), (Signal::TERM, 15), (Signal::HUP, 1), (Signal::QUIT, 3)] {
        let mut console = Console::start((100, 30));
        console.shows(READY);
        assert!(console.mode().contains(TermMode::ALT_SCREEN));
        console.signal(signal);
        assert_eq!(console.ends().exit_code(), 128 + number, "{signal:?}");
        console.is_given_back();
    }
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
    let mut console = Console::start_with((100, 30), Queries::Answered, &["setsid", "--wait"]);
    console.shows(READY);
    let parent = console.pid().as_raw_nonzero();
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).expect("its children");
    let child: i32 = children.trim().parse().expect("one child");
    assert!(state_of(child).is_some());
    console.gone.store(true, Ordering::Relaxed);
    console.press("?");
    console.writer = Arc::new(Mutex::new(Box::new(std::io::sink())));
    console.master = None;
    console.until("the console has ended", |_| matches!(state_of(child), None | Some('Z')));
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
    let console = Console::start_with((100, 30), Queries::Ignored, &[]);
    console.shows(READY);
    console.press("?");
    console.until("the help is open", |c| c.text().contains("help"));
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
