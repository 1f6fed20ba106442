//! What a console costs that is left open, and how soon it answers: noctty with 100 hosts, and beside it, by turns, an echo
//! (the floor) and the full-screen programs that are installed of `htop`, `btop`, `btm` (bottom), `trip` (trippy) and `bmon`. Each runs on a
//! pseudo-terminal of 120x40 that this program plays, one after the other.
//!
//! ```text
//! cargo bench --bench screen              # 20 s at rest and 200 keys each
//! cargo bench --bench screen -- noctty --config FILE     # this command line instead of the 100 hosts
//! ```
//!
//! A key's time runs from the write of the key to the read of the last byte before 3 ms of silence; `CSI 5 n` and `CSI 6 n` are
//! answered at once, as terminals do. CPU, wake-ups (voluntary context switches) and memory are of the process and its
//! threads, from `/proc`.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const HOSTS: usize = 100;
const SETTLE: Duration = Duration::from_secs(12);
const REST: Duration = Duration::from_secs(20);
const KEYS: usize = 200;
const SILENCE: Duration = Duration::from_millis(3);

fn main() {
    let given: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let noctty = env!("CARGO_BIN_EXE_noctty").to_owned();
    let state = folder.path().join("state").display().to_string();
    let ours = if given.is_empty() {
        let file = folder.path().join("noctty.toml");
        let hosts = (0..HOSTS).map(|n| {
            format!("[[host]]\nname = \"host-{n:03}\"\naddress = \"127.0.7.{}\"\nchecks = [\"icmp\"]\n\n", n + 1)
        });
        std::fs::write(&file, hosts.collect::<String>()).expect("the configuration can be written");
        vec![noctty, "--config".to_owned(), file.display().to_string(), "--state".to_owned(), state]
    } else {
        std::iter::once(noctty).chain(given.into_iter().skip(1)).collect()
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    say(&format!(
        "{:<10} {:>9} {:>9} {:>9} {:>8} {:>9} {:>9} {:>9} {:>9} {:>8}",
        "program", "first ms", "key p50", "key p99", "B/key", "rest B/s", "wakes/s", "CPU %", "CPU us/k", "RSS MiB"
    ));
    let echo = vec!["sh".to_owned(), "-c".to_owned(), "stty raw -echo; printf ready; exec cat".to_owned()];
    // The third: keys that lead to a list.
    for (name, argv, way) in [
        ("echo", echo, ""),
        ("noctty", ours, "2"),
        ("htop", words("htop"), ""),
        ("btop", words("btop --utf-force"), ""),
        ("btm", words("btm"), ""),
        ("trip", words("trip 127.0.0.1"), ""),
        ("bmon", words("bmon"), ""),
    ] {
        match find(&argv[0]) {
            Some(program) => measure(&program, &argv[1..], way).print(name),
            None => say(&format!("{name:<10} is not installed")),
        }
    }
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("standard output");
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

struct Figures {
    first: Duration,
    keys: Vec<Duration>,
    bytes_per_key: Vec<usize>,
    rest_bytes: usize,
    wakes: u64,
    rest_cpu: Duration,
    keys_cpu: Duration,
    rss_kib: u64,
}

impl Figures {
    fn print(mut self, name: &str) {
        self.keys.sort_unstable();
        self.bytes_per_key.sort_unstable();
        let ms = |at: usize| self.keys.get(self.keys.len() * at / 100).map_or(f64::NAN, |d| d.as_secs_f64() * 1_000.0);
        let rest = REST.as_secs_f64();
        say(&format!(
            "{name:<10} {:>9.1} {:>9.2} {:>9.2} {:>8} {:>9.0} {:>9.1} {:>9.2} {:>9.0} {:>8.1}",
            self.first.as_secs_f64() * 1_000.0,
            ms(50),
            ms(99),
            self.bytes_per_key.get(self.bytes_per_key.len() / 2).copied().unwrap_or(0),
            self.rest_bytes as f64 / rest,
            self.wakes as f64 / rest,
            self.rest_cpu.as_secs_f64() / rest * 100.0,
            self.keys_cpu.as_secs_f64() * 1e6 / KEYS as f64,
            self.rss_kib as f64 / 1_024.0,
        ));
    }
}

fn measure(program: &std::path::Path, arguments: &[String], way: &str) -> Figures {
    let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
    let mut command = CommandBuilder::new(program);
    command.args(arguments);
    let home = tempfile::tempdir().expect("a temporary folder");
    command.env("HOME", home.path());
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    command.env("LC_ALL", "C.UTF-8");
    for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "NO_COLOR", "COLORTERM"] {
        command.env_remove(name);
    }
    let mut writer = pair.master.take_writer().expect("a writer");
    let mut reader = pair.master.try_clone_reader().expect("a reader");
    let began = Instant::now();
    let mut child = pair.slave.spawn_command(command).expect("the program starts");
    drop(pair.slave);
    let pid = child.process_id().expect("a process");
    let (sender, pieces) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0u8; 16_384];
        while let Ok(length @ 1..) = reader.read(&mut buffer) {
            if sender.send((Instant::now(), buffer[..length].to_vec())).is_err() {
                return;
            }
        }
    });
    let mut terminal = Terminal { pieces, writer: &mut writer };
    let first = terminal.burst(Duration::from_secs(5)).map_or(Duration::ZERO, |burst| burst.ended - began);
    terminal.listen(SETTLE);
    terminal.writer.write_all(way.as_bytes()).expect("it takes keys");
    terminal.listen(Duration::from_secs(1));
    let (wakes, cpu) = (switches(pid), cpu_time(pid));
    let rest_bytes = terminal.listen(REST);
    let (wakes, rest_cpu) = (switches(pid).saturating_sub(wakes), cpu_time(pid).saturating_sub(cpu));
    let cpu = cpu_time(pid);
    let (mut keys, mut bytes_per_key) = (Vec::new(), Vec::new());
    for n in 0..KEYS {
        let key: &[u8] = if n / 10 % 2 == 0 { b"\x1b[B" } else { b"\x1b[A" };
        // What comes by itself is not the answer.
        terminal.listen(Duration::from_millis(40 + (n as u64 * 7) % 30));
        let pressed = Instant::now();
        terminal.writer.write_all(key).expect("it takes keys");
        if let Some(burst) = terminal.burst(Duration::from_millis(500)) {
            keys.push(burst.ended - pressed);
            bytes_per_key.push(burst.bytes);
        }
    }
    let keys_cpu = cpu_time(pid).saturating_sub(cpu);
    let rss_kib = status(pid, "VmRSS:");
    child.kill().expect("it can be ended");
    child.wait().expect("it ends");
    Figures { first, keys, bytes_per_key, rest_bytes, wakes, rest_cpu, keys_cpu, rss_kib }
}

struct Terminal<'a> {
    pieces: Receiver<(Instant, Vec<u8>)>,
    writer: &'a mut Box<dyn std::io::Write + Send>,
}

struct Burst {
    ended: Instant,
    bytes: usize,
}

impl Terminal<'_> {
    /// The next bytes up to a silence; `None` where none come in that time.
    fn burst(&mut self, patience: Duration) -> Option<Burst> {
        let (mut ended, piece) = self.pieces.recv_timeout(patience).ok()?;
        let mut bytes = self.answer(&piece);
        while let Ok((at, piece)) = self.pieces.recv_timeout(SILENCE) {
            bytes += self.answer(&piece);
            ended = at;
        }
        Some(Burst { ended, bytes })
    }

    /// How many bytes come in that time.
    fn listen(&mut self, time: Duration) -> usize {
        let until = Instant::now() + time;
        let mut bytes = 0;
        loop {
            match self.pieces.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok((_, piece)) => bytes += self.answer(&piece),
                Err(RecvTimeoutError::Timeout) => return bytes,
                Err(RecvTimeoutError::Disconnected) => panic!("the program has ended"),
            }
        }
    }

    fn answer(&mut self, piece: &[u8]) -> usize {
        for (query, reply) in [(b"\x1b[5n", b"\x1b[0n".as_slice()), (b"\x1b[6n", b"\x1b[40;1R")] {
            let times = piece.windows(query.len()).filter(|window| window == query).count();
            for _ in 0..times {
                self.writer.write_all(reply).expect("it takes answers");
            }
        }
        piece.len()
    }
}

fn status(pid: u32, field: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let line = text.lines().find(|line| line.starts_with(field)).expect("the field");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

/// Voluntary context switches of all threads.
fn switches(pid: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it lives");
    let of = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("status")).ok()?;
        let line = text.lines().find(|line| line.starts_with("voluntary_ctxt_switches"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    tasks.filter_map(Result::ok).filter_map(of).sum()
}

/// Of all threads that live.
fn cpu_time(pid: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it lives");
    let of = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(tasks.filter_map(Result::ok).filter_map(of).sum())
}
