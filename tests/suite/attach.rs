//! Several consoles on one state directory, on terminals of their own: one polls, the others show the same, and one of
//! them takes over when it is gone.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::console::{Console, Launch, PATIENCE};
use super::lab::{Lab, Running};

/// A configuration whose only host is this machine, watched without a packet leaving it.
pub fn configuration(folder: &Path) -> String {
    let file = folder.join("noctty.toml");
    std::fs::write(&file, "[[host]]\nname = \"here\"\naddress = \"127.0.0.1\"\nchecks = [\"ssh\"]\n").expect("written");
    file.display().to_string()
}

fn console(folder: &Path) -> Console {
    let arguments = ["--config".to_owned(), configuration(folder)];
    Launch::new((120, 30)).arguments(arguments).state(&folder.join("state")).start()
}

#[test]
fn a_second_console_attaches_and_takes_over_when_the_first_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = console(folder.path());
    first.shows("here");
    first.until("it polls", |_| folder.path().join("state/engine.sock").exists());
    let second = console(folder.path());
    let third = console(folder.path());
    let pid = first.pid().as_raw_nonzero().get();
    for other in [&second, &third] {
        other.shows("here");
        other.shows(&format!("attached to pid {pid}"));
    }
    // What is written in one is seen in the others.
    second.press("I");
    second.shows("Open an incident");
    second.paste("core down");
    second.press("\r");
    second.says("saved in INC-1");
    for other in [&first, &third] {
        other.shows("core down");
    }
    // What is typed outlives the engine.
    second.press("n");
    second.shows("INC-1");
    second.paste("half a sentence");
    second.shows("half a sentence");
    first.signal(Signal::KILL);
    first.ends();
    second.until("one polls and the other is attached to it", |_| {
        let [second, third] = [&second, &third].map(|c| (c.text(), c.pid().as_raw_nonzero().get()));
        let attached = |to: i32| format!("attached to pid {to}");
        second.0.contains(&attached(third.1)) || third.0.contains(&attached(second.1))
    });
    second.shows("half a sentence");
    third.shows("core down");
    third.until("somebody polls", |c| !c.text().contains("NOT POLLED"));
}

#[test]
fn a_console_that_cannot_fit_is_refused_in_words_and_nonsense_hurts_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = console(folder.path());
    first.shows("here");
    let socket = folder.path().join("state/engine.sock");
    first.until("it polls", |_| socket.exists());
    for nonsense in [&b"\xff\xff\xff\xff\xff"[..], b"GET / HTTP/1.1\r\n\r\n"] {
        UnixStream::connect(&socket).expect("it listens").write_all(nonsense).expect("written");
    }
    // The greeting of another build.
    let mut other = UnixStream::connect(&socket).expect("it listens");
    let hello = [&b"noctty\0"[..], &[0, 99], &[7; 8], &[0, 1, 2, 3]].concat();
    other.write_all(&(hello.len() as u32).to_be_bytes()).expect("written");
    other.write_all(&hello).expect("written");
    let mut answer = Vec::new();
    other.read_to_end(&mut answer).expect("it answers and closes");
    let words = String::from_utf8_lossy(&answer);
    assert!(words.contains("the two are of different builds"), "{words}");
    assert!(words.contains("the engine is the older one"), "{words}");
    first.press("I");
    first.shows("Open an incident");
}

#[test]
fn a_pause_lasts_over_a_restart_and_anybody_ends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let asked = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    let port = asked.local_addr().expect("it has one").port();
    let checks = format!("[{{ kind = \"tcp\", port = {port} }}]");
    let file = folder.path().join("noctty.toml");
    let host = format!("[[host]]\nname = \"here\"\naddress = \"127.0.0.1\"\nchecks = {checks}\n");
    std::fs::write(&file, host).expect("written");
    let state = folder.path().join("state");
    let arguments = ["--config".to_owned(), file.display().to_string()];
    let console = || Launch::new((120, 30)).arguments(arguments.clone()).state(&state).start();
    let mut first = console();
    first.shows("here");
    asked.accept().expect("it is asked");
    first.press("p");
    first.shows("Stop all polling?");
    first.paste("new firewall");
    first.press("\r");
    first.says("polling paused: it is in the journal");
    for words in ["PAUSED ", "new firewall", "nothing is polled, p resumes"] {
        first.shows(words);
    }
    first.signal(Signal::TERM);
    first.ends();
    // What came before the pause.
    asked.set_nonblocking(true).expect("set");
    while asked.accept().is_ok() {}
    let second = console();
    second.shows("new firewall");
    assert!(asked.accept().is_err(), "nothing was asked before the journal was read, nor after");
    let resumed = Command::new(env!("CARGO_BIN_EXE_noctty"))
        .args(["--state", &state.display().to_string(), "resume"])
        .env("HOME", folder.path())
        .output()
        .expect("it runs");
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    second.until("it polls again", |console| !console.text().contains("PAUSED") && asked.accept().is_ok());
}

#[test]
fn another_user_is_not_let_in() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a folder");
    let first = console(folder.path());
    first.shows("here");
    let state = folder.path().join("state");
    first.until("it polls", |_| state.join("engine.sock").exists());
    for door in [&state, &state.join("engine.sock")] {
        let mode = std::fs::metadata(door).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} keeps others out", door.display());
    }
    // What the engine makes of another user is tested beside `serve_own`; nobody but root can become one.
    if rustix::process::geteuid().is_root() {
        refused_as_another_user(folder.path(), &state);
    }
}

fn refused_as_another_user(folder: &Path, state: &Path) {
    // The folder keeps others out already; they are let in as far as the socket, to be refused by it.
    for open in [folder, state, &state.join("engine.sock")] {
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(open, everybody).expect("changed");
    }
    let program = folder.join("noctty");
    std::fs::copy(env!("CARGO_BIN_EXE_noctty"), &program).expect("a copy that others may run");
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["attach", "--socket"])
        .arg(state.join("engine.sock"))
        .env("HOME", folder)
        .output()
        .expect("setpriv runs");
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(words.contains("belongs to user 0") || words.contains("you are user 65534"), "{words}");
}

#[test]
fn attach_without_an_engine_says_what_starts_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_noctty"))
        .args(["--state", &folder.path().display().to_string(), "attach"])
        .env("HOME", folder.path())
        .env("RUNTIME_DIRECTORY", folder.path())
        .output()
        .expect("it runs");
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(words.contains("no noctty polls here") && words.contains("noctty collect starts one"), "{words}");
}

/// An engine without a screen, and what it told the service manager.
pub fn collector(folder: &Path) -> (Running, UnixDatagram) {
    let notify = folder.join("notify");
    let _ = std::fs::remove_file(&notify);
    let told = UnixDatagram::bind(&notify).expect("a socket");
    told.set_read_timeout(Some(PATIENCE)).expect("set");
    let child = Command::new(env!("CARGO_BIN_EXE_noctty"))
        .args(["--config", &configuration(folder), "--state"])
        .arg(folder.join("state"))
        .arg("collect")
        .env("NOTIFY_SOCKET", &notify)
        .stdin(Stdio::null())
        .spawn()
        .expect("it starts");
    (Running(child), told)
}

fn next_word(told: &UnixDatagram) -> String {
    let mut bytes = [0; 200];
    let length = told.recv(&mut bytes).expect("it says something in time");
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[test]
fn a_console_that_only_looks_says_when_the_service_is_gone_and_comes_back_to_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let (service, told) = collector(folder.path());
    assert!(next_word(&told).starts_with("READY=1\n"));
    let mut again = Command::new(env!("CARGO_BIN_EXE_noctty"))
        .args(["--config", &configuration(folder.path()), "--state"])
        .arg(folder.path().join("state"))
        .arg("collect")
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut words = String::new();
    again.stderr.take().expect("piped").read_to_string(&mut words).expect("read");
    assert_eq!(again.wait().expect("it ends").code(), Some(3), "{words}");
    assert!(words.contains(&format!("noctty, pid {}, polls for", service.0.id())), "{words}");

    let looking = Launch::new((120, 30)).arguments(["attach"]).state(&folder.path().join("state")).start();
    looking.shows(&format!("attached to pid {}", service.0.id()));
    looking.shows("here");
    looking.press("I");
    looking.shows("Open an incident");
    looking.paste("seen from afar");
    drop(service);
    looking.shows("NOT POLLED since");
    looking.shows("seen from afar");
    // Not saved, and the text stays.
    looking.press("\r");
    looking.shows("there is no engine at the moment");
    looking.shows("seen from afar");
    let (service, told) = collector(folder.path());
    assert!(next_word(&told).starts_with("READY=1\n"));
    looking.shows(&format!("attached to pid {}", service.0.id()));
    looking.until("nothing is lost any more", |c| !c.text().contains("NOT POLLED"));
    looking.press("\r");
    looking.says("saved in INC-1");
}

#[test]
fn an_engine_on_another_machine_is_shown_by_the_consoles_own_ssh() {
    let lab = Lab::new();
    let server = lab.sshd("hostkey", "127.0.0.1", "");
    lab.knows(&server, "hostkey");
    drop(lab.config(&Lab::host("far", &server)));
    let (service, told) = collector(lab.home.path());
    assert!(next_word(&told).starts_with("READY=1\n"));
    let command =
        format!("{} --state {} attach --stdio", env!("CARGO_BIN_EXE_noctty"), lab.home.path().join("state").display());
    let own = tempfile::tempdir().expect("a folder");
    let start = || {
        let arguments = ["attach", "ssh://far", "--command", &command];
        Launch::new((140, 30)).arguments(arguments).home(lab.home.path()).state(&own.path().join("state")).start()
    };
    let console = start();
    console.shows(&format!("attached to far pid {}", service.0.id()));
    console.shows("here");
    // A host key that is not the one that is known: no screen at all.
    std::fs::write(lab.path(".ssh/known_hosts"), "").expect("written");
    lab.keygen("other", "");
    lab.knows(&server, "other");
    let mut refused = start();
    refused.says("THE HOST KEY HAS CHANGED");
    assert_ne!(refused.ends().exit_code(), 0);
}

/// Each hop has a key of its own, and what is written there is saved there.
#[test]
fn an_engine_beyond_two_hops_is_shown_and_written_to() {
    let lab = Lab::new();
    let servers =
        [("far", "127.0.91.43"), ("outer", "127.0.91.41"), ("inner", "127.0.91.42")].map(|(name, address)| {
            let server = lab.sshd(name, address, "");
            lab.knows(&server, name);
            (name, server)
        });
    let host = |at: usize| Lab::host(servers[at].0, &servers[at].1);
    drop(lab.config(&format!("{} ProxyJump inner\n{} ProxyJump outer\n{}", host(0), host(2), host(1))));
    let (service, told) = collector(lab.home.path());
    assert!(next_word(&told).starts_with("READY=1\n"));
    let state = lab.home.path().join("state");
    let command = format!("{} --state {} attach --stdio", env!("CARGO_BIN_EXE_noctty"), state.display());
    let own = tempfile::tempdir().expect("a folder");
    let arguments = ["attach", "ssh://far", "--command", &command];
    let console =
        Launch::new((140, 30)).arguments(arguments).home(lab.home.path()).state(&own.path().join("state")).start();
    console.shows(&format!("attached to far pid {}", service.0.id()));
    console.shows("here");
    console.press("I");
    console.shows("Open an incident");
    console.paste("beyond two hops");
    console.press("\r");
    console.says("saved in INC-1");
    let listed = Command::new(env!("CARGO_BIN_EXE_noctty"))
        .arg("--state")
        .arg(&state)
        .args(["incident", "list"])
        .output()
        .expect("it runs");
    assert!(String::from_utf8_lossy(&listed.stdout).contains("beyond two hops"), "{listed:?}");
}

/// An inventory that is empty is one, and whoever asks for it has an answer.
#[test]
fn an_engine_with_nothing_to_watch_says_so_to_whoever_asks() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, notify) = (folder.path().join("empty.toml"), folder.path().join("notify"));
    std::fs::write(&file, "").expect("written");
    let told = UnixDatagram::bind(&notify).expect("a socket");
    told.set_read_timeout(Some(PATIENCE)).expect("set");
    let noctty = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_noctty"));
        command.arg("--config").arg(&file).arg("--state").arg(folder.path().join("state")).env("HOME", folder.path());
        command
    };
    let service = noctty().arg("collect").env("NOTIFY_SOCKET", &notify).stdin(Stdio::null()).spawn();
    let service = Running(service.expect("it starts"));
    assert!(next_word(&told).starts_with("READY=1\n"));
    let output = noctty().args(["handover", "--json"]).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let note: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(note["seen_by"].as_str().is_some_and(|who| who.contains(&format!("pid {}", service.0.id()))), "{note}");
}
