//! The console in terminals that people have: tmux, GNU screen and xterm, each real. What they show after a list was scrolled
//! is what an emulator shows that the console draws to directly: no row twice, none missing, none left over.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::console::{Launch, PATIENCE};

const NOCTTY: &str = env!("CARGO_BIN_EXE_noctty");
/// What a window of GNU screen has that nobody looks at.
const SIZE: (u16, u16) = (80, 24);
const DEMO: [&str; 6] = ["demo", "--hosts", "60", "--switches", "2", "--steady"];
/// Rows that the cursor goes down and up: off the screen, and back by some.
const DOWN: usize = 40;
const UP: usize = 25;

trait Terminal {
    fn press(&self, key: &str, times: usize);
    fn screen(&self) -> String;
}

fn until(terminal: &dyn Terminal, what: &str, holds: impl Fn(&str) -> bool) -> String {
    let began = Instant::now();
    loop {
        let screen = terminal.screen();
        if holds(&screen) {
            return screen;
        }
        assert!(began.elapsed() < PATIENCE, "never: {what}; the screen:\n{screen}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The names of the hosts that are shown, from the top.
fn names(screen: &str) -> Vec<String> {
    let row = |line: &str| {
        let mut words = line.split_whitespace().map(|word| word.trim_start_matches(['▌', '>', '?']));
        let first = words.find(|word| word.chars().any(|c| c.is_ascii_alphanumeric()))?;
        let kind = first.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_host = first.len() == kind.len() + 2 && kind.chars().all(|c| c.is_ascii_lowercase());
        is_host.then(|| first.to_owned())
    };
    screen.lines().filter_map(row).collect()
}

fn polled(screen: &str) -> bool {
    screen.contains("63 of 63 polled")
}

/// The counts of what is out of sight above and below, without their arrows: GNU screen copies no more than ASCII.
fn beyond(screen: &str, counts: &str) -> bool {
    screen.chars().filter(char::is_ascii).collect::<String>().contains(counts)
}

/// Goes down and up a list that is longer than the screen.
fn scrolled(terminal: &dyn Terminal) -> Vec<String> {
    until(terminal, "the console is there", |screen| screen.contains("PROBLEMS"));
    terminal.press("2", 1);
    until(terminal, "all were asked", polled);
    terminal.press("r", 1);
    terminal.press("j", DOWN);
    until(terminal, "the list has gone down", |screen| beyond(screen, " 21 22 "));
    terminal.press("k", UP);
    let there = until(terminal, "the list has come up again", |screen| beyond(screen, " 15 28 "));
    names(&there)
}

/// What an emulator shows without anything between.
struct Direct(super::console::Console);

impl Terminal for Direct {
    fn press(&self, key: &str, times: usize) {
        self.0.press(&key.repeat(times));
    }

    fn screen(&self) -> String {
        self.0.text()
    }
}

fn expected() -> Vec<String> {
    let found = scrolled(&Direct(Launch::new(SIZE).arguments(DEMO).start()));
    let mut each = found.clone();
    each.sort();
    each.dedup();
    assert_eq!(each.len(), found.len(), "no host twice: {found:?}");
    found
}

struct Tmux {
    home: TempDir,
}

impl Tmux {
    fn start() -> Self {
        let tmux = Self { home: TempDir::new().expect("a folder") };
        let (columns, rows) = (SIZE.0.to_string(), SIZE.1.to_string());
        let begin = ["-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &rows, NOCTTY];
        tmux.run(&[&begin[..], &DEMO].concat());
        tmux
    }

    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(self.home.path().join("tmux")).args(arguments);
        let output = clean(&mut command, self.home.path()).output().expect("tmux is installed");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Terminal for Tmux {
    fn press(&self, key: &str, times: usize) {
        self.run(&["send-keys", "-l", &key.repeat(times)]);
    }

    fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(self.home.path().join("tmux")).arg("kill-server").output();
    }
}

#[test]
fn a_list_scrolls_in_tmux() {
    assert_eq!(scrolled(&Tmux::start()), expected());
}

struct Screen {
    home: TempDir,
}

impl Screen {
    fn start() -> Self {
        let screen = Self { home: TempDir::new().expect("a folder") };
        let sockets = screen.home.path().join("screens");
        std::fs::create_dir(&sockets).expect("a folder");
        std::fs::set_permissions(&sockets, std::fs::Permissions::from_mode(0o700)).expect("it is ours");
        let settings = screen.home.path().join("screenrc");
        std::fs::write(&settings, "defutf8 on\n").expect("it can be written");
        let settings = settings.to_string_lossy();
        let begin = ["-c", &*settings, "-U", "-S", "noctty", "-d", "-m", NOCTTY];
        screen.run(&[&begin[..], &DEMO].concat());
        screen
    }

    fn run(&self, arguments: &[&str]) {
        let mut command = Command::new("screen");
        command.args(arguments).env("SCREENDIR", self.home.path().join("screens"));
        // Until it has begun it does not answer.
        clean(&mut command, self.home.path()).output().expect("screen is installed");
    }
}

impl Terminal for Screen {
    fn press(&self, key: &str, times: usize) {
        self.run(&["-S", "noctty", "-X", "stuff", &key.repeat(times)]);
    }

    fn screen(&self) -> String {
        let copy = self.home.path().join("copy");
        self.run(&["-S", "noctty", "-X", "hardcopy", &copy.to_string_lossy()]);
        String::from_utf8_lossy(&std::fs::read(copy).unwrap_or_default()).into_owned()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut command = Command::new("screen");
        command.args(["-S", "noctty", "-X", "quit"]).env("SCREENDIR", self.home.path().join("screens"));
        let _ = command.output();
    }
}

#[test]
fn a_list_scrolls_in_gnu_screen() {
    assert_eq!(scrolled(&Screen::start()), expected());
}

/// A process that ends with the test.
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // Asked, so that it takes its socket away.
        if let Some(pid) = rustix::process::Pid::from_raw(self.0.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.0.wait();
    }
}

struct Xterm {
    home: TempDir,
    display: String,
    window: String,
    program: Owned,
    _server: Owned,
}

impl Xterm {
    fn start() -> Self {
        let home = TempDir::new().expect("a folder");
        let mut server = Command::new("Xvfb");
        // It would begin anew when the last client goes, with whoever is just coming.
        server.args(["-noreset", "-displayfd", "1", "-screen", "0", "1600x1200x24", "-nolisten", "tcp"]);
        server.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Owned(clean(&mut server, home.path()).spawn().expect("Xvfb is installed"));
        let mut number = String::new();
        let said = server.0.stdout.take().expect("it is piped");
        BufReader::new(said).read_line(&mut number).expect("it says which display it is");
        let display = format!(":{}", number.trim());
        let mut xterm = Command::new("xterm");
        // F12 prints what is on the screen into a file.
        let printer =
            format!("*printerCommand: cat > {0}.part && mv {0}.part {0}", home.path().join("print").display());
        let keys = "XTerm*VT100.translations: #override <KeyPress>F12: print()";
        for resource in ["*printAttributes: 0", &printer, keys] {
            xterm.args(["-xrm", resource]);
        }
        xterm.args(["-u8", "-geometry", &format!("{}x{}", SIZE.0, SIZE.1), "-e", NOCTTY]);
        xterm.args(DEMO).env("DISPLAY", &display).stderr(Stdio::null());
        let xterm = Owned(clean(&mut xterm, home.path()).spawn().expect("xterm is installed"));
        let mut made = Self { home, display, window: String::new(), program: xterm, _server: server };
        let began = Instant::now();
        while made.window.is_empty() {
            let ended = made.program.0.try_wait().expect("it is ours");
            assert!(ended.is_none() && began.elapsed() < PATIENCE, "no window; the terminal: {ended:?}");
            let found = made.xdotool(&["search", "--onlyvisible", "--class", "xterm"]);
            found.lines().last().unwrap_or_default().trim().clone_into(&mut made.window);
        }
        made.xdotool(&["windowfocus", "--sync", &made.window]);
        made
    }

    fn xdotool(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("xdotool");
        command.args(arguments).env("DISPLAY", &self.display);
        let output = clean(&mut command, self.home.path()).output().expect("xdotool is installed");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Terminal for Xterm {
    fn press(&self, key: &str, times: usize) {
        let keys = vec![key; times];
        self.xdotool(&[&["key", "--delay", "15"], &keys[..]].concat());
    }

    fn screen(&self) -> String {
        let print = self.home.path().join("print");
        let _ = std::fs::remove_file(&print);
        self.xdotool(&["key", "F12"]);
        let began = Instant::now();
        while File::open(&print).is_err() && began.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::fs::read_to_string(print).unwrap_or_default()
    }
}

#[test]
fn a_list_scrolls_in_xterm() {
    let xterm = Xterm::start();
    assert_eq!(scrolled(&xterm), expected());
}

/// The console that has this home, and its guard.
fn processes(home: &Path) -> Vec<i32> {
    let ours = format!("HOME={}", home.display());
    let is_ours = |pid: &i32| {
        let read = |what: &str| std::fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
        read("cmdline").starts_with(NOCTTY.as_bytes())
            && read("environ").split(|b| *b == 0).any(|v| v == ours.as_bytes())
    };
    let all = std::fs::read_dir("/proc").expect("Linux tells").flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_ours).collect()
}

/// However its window goes away under a busy screen, nothing of it stays.
#[test]
fn a_console_whose_window_is_closed_ends_with_its_guard_in_tmux_in_gnu_screen_and_in_xterm() {
    let close = |what: &str, terminal: &dyn Terminal, home: &Path, close: &dyn Fn()| {
        until(terminal, "everything is polled", polled);
        let began = Instant::now();
        while processes(home).len() < 2 {
            assert!(began.elapsed() < PATIENCE, "{what}: no guard: {:?}", processes(home));
            std::thread::sleep(Duration::from_millis(20));
        }
        close();
        while !processes(home).is_empty() {
            assert!(began.elapsed() < PATIENCE, "{what}: still there: {:?}", processes(home));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let tmux = Tmux::start();
    close("tmux", &tmux, tmux.home.path(), &|| drop(tmux.run(&["kill-pane"])));
    let screen = Screen::start();
    close("screen", &screen, screen.home.path(), &|| screen.run(&["-S", "noctty", "-X", "kill"]));
    let xterm = Xterm::start();
    let pid = rustix::process::Pid::from_child(&xterm.program.0);
    let kill = || rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it runs");
    close("xterm", &xterm, xterm.home.path(), &kill);
}

/// Nothing of the caller's own terminal, session or settings.
fn clean<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    for name in ["TMUX", "STY", "WINDOW", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "SSH_CONNECTION", "SSH_TTY"] {
        command.env_remove(name);
    }
    command.env("HOME", home).env("LC_ALL", "C.UTF-8").env("LANG", "C.UTF-8").stdin(Stdio::null())
}
