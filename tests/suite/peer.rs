//! Real servers for tests: started by the test on loopback with a folder of their own, awaited, and ended by their
//! process id when the test ends, however it ends.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long a peer may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running server.
#[derive(Debug)]
pub struct Peer {
    child: Child,
    log: PathBuf,
    /// The child is sudo, which passes on a request to end and not a kill.
    through_sudo: bool,
}

impl Peer {
    /// Starts a server in the foreground; what it writes goes to `peer.log` in `folder`.
    pub fn start(folder: &Path, program: &Path, arguments: &[&str]) -> Self {
        Self::spawn(folder, program, arguments, false)
    }

    /// The same for a server that changes to a user of its own: as root, or by sudo without a question.
    pub fn start_as_root(folder: &Path, program: &Path, arguments: &[&str]) -> Self {
        if rustix::process::geteuid().is_root() {
            return Self::start(folder, program, arguments);
        }
        let mut all = vec!["--non-interactive", "--", program.to_str().expect("a plain path")];
        all.extend(arguments);
        Self::spawn(folder, Path::new("sudo"), &all, true)
    }

    fn spawn(folder: &Path, program: &Path, arguments: &[&str], through_sudo: bool) -> Self {
        let log = folder.join("peer.log");
        let file = File::create(&log).expect("the log can be created");
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a second handle"))
            .stderr(file)
            .spawn()
            .unwrap_or_else(|e| panic!("{} cannot be started: {e}", program.display()));
        Self { child, log, through_sudo }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Has it read its files anew (SIGHUP).
    pub fn reload(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("it runs");
    }

    /// Waits until it accepts connections.
    pub fn accepts(mut self, address: SocketAddr) -> Self {
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = self.child.try_wait().expect("the child can be asked");
            let late = began.elapsed() > PATIENCE;
            assert!(ended.is_none() && !late, "no listener on {address} ({ended:?}):\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        self
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if self.through_sudo {
            let pid = rustix::process::Pid::from_child(&self.child);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        } else {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A port that nothing listens on now; another one each time, since the kernel may have the same one free twice.
pub fn free_port(address: IpAddr) -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = TcpListener::bind((address, 0)).expect("a loopback address can be bound");
        let port = listener.local_addr().expect("it has an address").port();
        if GIVEN.lock().expect("no holder panics").insert(port) {
            return port;
        }
    }
}

/// Waits until something holds, looking again every few milliseconds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "not within {} s: {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
}
