//! The console on a real pseudo-terminal, for tests: an emulator plays the terminal, answers its queries and holds
//! what it shows.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alacritty_terminal::event::{Event, EventListener};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::term::{Config, Osc52, Term, TermMode};
use alacritty_terminal::vte::ansi::{NamedColor, Processor, Rgb};
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub const PATIENCE: Duration = Duration::from_secs(40);
/// The first useful screen has this on it.
pub const READY: &str = "PROBLEMS";

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

/// What the emulator has to say.
#[derive(Default)]
struct Said {
    /// Answers to queries.
    answers: Vec<String>,
    /// Titles, clipboards and what else a program can do to a terminal beside its cells.
    deeds: Vec<String>,
}

#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Said>>);

impl EventListener for Listener {
    fn send_event(&self, event: Event) {
        let mut said = self.0.lock().expect("no holder panics");
        match event {
            Event::PtyWrite(text) => said.answers.push(text),
            // What a light terminal says of its background.
            Event::ColorRequest(index, answer) if index == NamedColor::Background as usize => {
                said.answers.push(answer(Rgb { r: 0xfd, g: 0xf6, b: 0xe3 }));
            }
            Event::Title(_) | Event::ClipboardStore(..) | Event::ClipboardLoad(..) | Event::ColorRequest(..) => {
                said.deeds.push(format!("{event:?}"));
            }
            _ => {}
        }
    }
}

type Screen = Arc<Mutex<Term<Listener>>>;

#[derive(Clone, Copy, PartialEq)]
pub enum Queries {
    Answered,
    Ignored,
    /// Only those whose reply ends with this letter: `n` the status, `R` the cursor, `y` a mode.
    Only(char),
    /// All of them, so much later.
    Late(Duration),
}

/// How a console is started.
pub struct Launch {
    size: (u16, u16),
    queries: Queries,
    wrapper: Vec<String>,
    arguments: Vec<String>,
    state: State,
    home: Option<PathBuf>,
    shell: bool,
    made: Option<TempDir>,
}

enum State {
    /// In the console's own temporary home.
    Own,
    At(PathBuf),
    /// Not named: the console finds it by itself.
    Found,
}

impl Launch {
    pub fn new(size: (u16, u16)) -> Self {
        Self {
            size,
            queries: Queries::Answered,
            wrapper: Vec::new(),
            arguments: vec!["--passive".into()],
            state: State::Own,
            home: None,
            shell: false,
            made: None,
        }
    }

    pub fn queries(self, queries: Queries) -> Self {
        Self { queries, ..self }
    }

    /// The program, and its arguments, that starts the console.
    pub fn wrapped<S: ToString>(self, wrapper: impl IntoIterator<Item = S>) -> Self {
        Self { wrapper: wrapper.into_iter().map(|word| word.to_string()).collect(), ..self }
    }

    /// These instead of `--passive`.
    pub fn arguments<S: ToString>(self, arguments: impl IntoIterator<Item = S>) -> Self {
        Self { arguments: arguments.into_iter().map(|word| word.to_string()).collect(), ..self }
    }

    /// More words behind the wrapper's.
    pub fn then<S: ToString>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.wrapper.extend(words.into_iter().map(|word| word.to_string()));
        self
    }

    /// The state directory; else one in the console's own temporary home.
    pub fn state(self, state: &Path) -> Self {
        Self { state: State::At(state.to_owned()), ..self }
    }

    /// A home with something in it, which goes with the console.
    pub fn own_home(self, home: TempDir) -> Self {
        Self { home: Some(home.path().to_owned()), made: Some(home), ..self }
    }

    /// A shell with job control instead, in which [`Console::command_line`] starts the console.
    pub fn in_a_shell(self) -> Self {
        Self { shell: true, ..self }
    }

    pub fn without_state(self) -> Self {
        Self { state: State::Found, ..self }
    }

    /// A home that the test has made; else an empty one.
    pub fn home(self, home: &Path) -> Self {
        Self { home: Some(home.to_owned()), ..self }
    }

    pub fn start(self) -> Console {
        Console::launch(self)
    }
}

/// A console under test.
pub struct Console {
    screen: Screen,
    said: Listener,
    pub master: Option<Box<dyn MasterPty + Send>>,
    pub writer: Arc<Mutex<Box<dyn std::io::Write + Send>>>,
    pub child: Box<dyn Child + Send + Sync>,
    /// While set, the terminal reads nothing.
    pub halted: Arc<AtomicBool>,
    /// Once set, the terminal is closed at the next byte.
    pub gone: Arc<AtomicBool>,
    line_before: String,
    home: PathBuf,
    /// Where the test has none of its own.
    _empty: Option<TempDir>,
    command_line: String,
    /// Bytes that the terminal has read.
    received: Arc<AtomicUsize>,
}

impl Console {
    pub fn start(size: (u16, u16)) -> Self {
        Launch::new(size).start()
    }

    fn launch(launch: Launch) -> Self {
        let Launch { size, queries, wrapper, arguments, state, home, made, shell } = launch;
        let empty = made.or_else(|| home.is_none().then(|| TempDir::new().expect("a temporary folder")));
        let home = home.or_else(|| empty.as_ref().map(|e| e.path().to_owned())).expect("one of the two");
        let pair = native_pty_system().openpty(pty_size(size)).expect("a pseudo-terminal");
        let line_before = line_settings(&*pair.master);
        let state = match state {
            State::Own => Some(home.join("state")),
            State::At(path) => Some(path),
            State::Found => None,
        };
        let mut argv = wrapper;
        argv.push(env!("CARGO_BIN_EXE_noctty").to_owned());
        argv.extend(arguments);
        argv.extend(state.into_iter().flat_map(|state| ["--state".to_owned(), state.display().to_string()]));
        let command_line = argv.join(" ");
        if shell {
            argv = ["bash", "--norc", "--noprofile", "-i"].map(str::to_owned).to_vec();
        }
        let mut command = CommandBuilder::new(&argv[0]);
        command.args(&argv[1..]);
        command.env("PS1", "sh$ ");
        for name in ["XDG_STATE_HOME", "XDG_DATA_HOME", "NOCTTY_STATE", "SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"] {
            command.env_remove(name);
        }
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8")] {
            command.env(name, value);
        }
        for name in ["SSH_AUTH_SOCK", "XDG_CONFIG_HOME", "TMPDIR", "NO_COLOR", "RESTIC_REPOSITORY", "BORG_REPO"] {
            command.env_remove(name);
        }
        command.env("HOME", &home);
        command.cwd(&home);
        let child = pair.slave.spawn_command(command).expect("the console starts");
        drop(pair.slave);
        let writer = Arc::new(Mutex::new(pair.master.take_writer().expect("a writer")));
        let reader = pair.master.try_clone_reader().expect("a reader");
        let said = Listener::default();
        let room = Size(size.0.max(2), size.1.max(1));
        // A terminal that lets a program do everything: what does not come does not come from the program.
        let config = Config { osc52: Osc52::CopyPaste, kitty_keyboard: true, ..Config::default() };
        let screen = Arc::new(Mutex::new(Term::new(config, &room, said.clone())));
        let halted = Arc::new(AtomicBool::new(false));
        let gone = Arc::new(AtomicBool::new(false));
        let received = Arc::new(AtomicUsize::new(0));
        let terminal = Emulator {
            screen: screen.clone(),
            said: said.clone(),
            queries,
            halted: halted.clone(),
            gone: gone.clone(),
            received: received.clone(),
            keys: writer.clone(),
        };
        std::thread::spawn(move || terminal.play(reader));
        Self {
            screen,
            said,
            master: Some(pair.master),
            writer,
            child,
            halted,
            gone,
            line_before,
            command_line,
            received,
            home,
            _empty: empty,
        }
    }

    /// What starts the console in a shell.
    pub fn command_line(&self) -> &str {
        &self.command_line
    }

    /// How many bytes the terminal has read.
    pub fn received(&self) -> usize {
        self.received.load(Ordering::Relaxed)
    }

    /// The folder that is its home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Text as a terminal pastes it: in one piece, whatever it holds.
    pub fn paste(&self, text: &str) {
        self.press(&format!("\x1b[200~{text}\x1b[201~"));
    }

    pub fn press(&self, keys: &str) {
        self.writer.lock().expect("no holder panics").write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    pub fn resize(&self, size: (u16, u16)) {
        self.screen.lock().expect("no holder panics").resize(Size(size.0.max(2), size.1.max(1)));
        self.master.as_ref().expect("not hung up").resize(pty_size(size)).expect("the size can be set");
    }

    pub fn text(&self) -> String {
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

    pub fn mode(&self) -> TermMode {
        *self.screen.lock().expect("no holder panics").mode()
    }

    /// What was done to the terminal beside its cells and modes: titles, clipboards.
    pub fn deeds(&self) -> Vec<String> {
        self.said.0.lock().expect("no holder panics").deeds.clone()
    }

    pub fn shows(&self, text: &str) {
        self.until(&format!("{text:?} is shown"), |c| c.text().contains(text));
    }

    /// Presses the keys until the text is shown, each second anew.
    pub fn insists(&self, keys: &str, text: &str) {
        let began = Instant::now();
        let mut pressed: Option<Instant> = None;
        while !self.text().contains(text) || pressed.is_none() {
            assert!(began.elapsed() < PATIENCE, "never: {text:?} is shown; the screen:\n{}", self.text());
            if pressed.is_none_or(|at| at.elapsed() > Duration::from_secs(1)) {
                self.press(keys);
                pressed = Some(Instant::now());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// As [`Console::shows`], wherever the lines break.
    pub fn says(&self, words: &str) {
        let joined = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.until(&format!("{words:?} is said"), |c| joined(c.text()).contains(words));
    }

    pub fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < PATIENCE, "never: {what}; the screen:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the console can be signalled");
    }

    pub fn pid(&self) -> Pid {
        let id = self.child.process_id().expect("it runs");
        Pid::from_raw(i32::try_from(id).expect("a process id")).expect("not 0")
    }

    /// Waits for the end, at most the two seconds that a signal may take (and some for a busy machine).
    pub fn ends(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the child can be asked") {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end; the screen:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The modes of the emulator and the settings of the line are as they were found, or come to be: what the guard
    /// of a killed console gives back, it gives back after the console has ended.
    pub fn is_given_back(&self) {
        let line = || line_settings(&**self.master.as_ref().expect("not hung up"));
        self.until("the terminal is as it was found", |c| c.mode() == TermMode::default());
        self.until("the settings of the line are as they were found", |c| line() == c.line_before);
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
    said: Listener,
    queries: Queries,
    halted: Arc<AtomicBool>,
    gone: Arc<AtomicBool>,
    received: Arc<AtomicUsize>,
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
            self.received.fetch_add(length, Ordering::Relaxed);
            if self.gone.load(Ordering::Relaxed) {
                return;
            }
            parser.advance(&mut *self.screen.lock().expect("no holder panics"), &bytes[..length]);
            let answers = std::mem::take(&mut self.said.0.lock().expect("no holder panics").answers);
            let keys = self.keys.clone();
            let give = move |answers: String| {
                let _ = keys.lock().expect("no holder panics").write_all(answers.as_bytes());
            };
            match self.queries {
                Queries::Ignored => {}
                Queries::Answered => give(answers.concat()),
                Queries::Only(end) => give(answers.into_iter().filter(|a| a.ends_with(end)).collect()),
                Queries::Late(late) => {
                    std::thread::spawn(move || {
                        std::thread::sleep(late);
                        give(answers.concat());
                    });
                }
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
pub fn state_of(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// The children of all threads of a process.
pub fn children_of(pid: i32) -> Vec<i32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(Result::ok);
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().map(|c| c.parse().expect("a process id")).collect::<Vec<_>>())
        .collect()
}
