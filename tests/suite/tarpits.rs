//! Targets that take every connection and say nothing, for every kind of probe, beside targets that are well: those lose none of
//! their turns, and nobody is called down for the others.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use noctty::model::{Outcome, Remembered};
use noctty::store::Store;

use crate::lab::Running;
use crate::peer::until;

/// So many hosts hang in each way.
const HANGING: usize = 12;
/// Turns that a host which is well must have while they do.
const TURNS: usize = 10;

/// A port that takes connections and bytes, and says nothing; and what it has taken.
fn tarpit() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let socket = UdpSocket::bind(listener.local_addr().expect("an address")).expect("the same port is free");
    let taken = Arc::new(AtomicUsize::new(0));
    let port = listener.local_addr().expect("an address").port();
    let counts = taken.clone();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept() {
            held.push(stream);
            counts.fetch_add(1, Ordering::Relaxed);
        }
    });
    // Read by nobody: what comes stays in the kernel's buffer, or is dropped.
    std::mem::forget(socket);
    (port, taken)
}

/// A port that takes connections, and counts them.
fn service() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let port = listener.local_addr().expect("an address").port();
    let taken = Arc::new(AtomicUsize::new(0));
    let counts = taken.clone();
    std::thread::spawn(move || {
        while listener.accept().is_ok() {
            counts.fetch_add(1, Ordering::Relaxed);
        }
    });
    (port, taken)
}

#[test]
fn what_hangs_costs_nobody_else_a_turn_whatever_is_asked_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (silent, held) = tarpit();
    let wells: Vec<_> = (0..3).map(|_| service()).collect();
    let kinds = [
        format!("kind = 'tcp', port = {silent}, banner = true"),
        format!("kind = 'ssh', port = {silent}"),
        format!("kind = 'ssh-key', port = {silent}"),
        format!("kind = 'http', url = 'http://127.0.0.1:{silent}/'"),
        format!("kind = 'http', label = 'tls', url = 'https://127.0.0.1:{silent}/'"),
        format!("kind = 'tls', port = {silent}"),
        format!("kind = 'smtp', port = {silent}"),
        format!("kind = 'imap', port = {silent}"),
        format!("kind = 'pop3', port = {silent}"),
        format!("kind = 'ldap', port = {silent}"),
        format!("kind = 'prometheus', url = 'http://127.0.0.1:{silent}/metrics'"),
        format!("kind = 'dns', port = {silent}, name = 'a.test'"),
        format!("kind = 'dns', label = 'tcp', port = {silent}, name = 'a.test', transport = 'tcp'"),
        format!("kind = 'dns-serial', zone = 'a.test', servers = ['127.0.0.1:{silent}']"),
        format!("kind = 'ntp', port = {silent}"),
        "kind = 'plugin', command = ['/bin/sleep', '600']".to_owned(),
        format!("kind = 'linux', target = 'nobody@127.0.0.1:{silent}'"),
        format!("kind = 'windows', target = 'nobody@127.0.0.1:{silent}'"),
    ];
    let mut text = String::new();
    for host in 0..HANGING {
        for (index, kind) in kinds.iter().enumerate() {
            text += &format!(
                "[[host]]\nname = \"hangs{host}-{index}\"\naddress = \"127.0.0.1\"\n\
                 checks = [{{ {kind}, interval = '10m', timeout = '10m' }}]\n"
            );
        }
        text += &format!(
            "[[host]]\nname = \"hangs{host}-snmp\"\naddress = \"127.0.0.1\"\nchecks = []\n\
             snmp = {{ port = {silent}, community = {{ env = 'COMMUNITY' }}, timeout = '5m', retries = 1 }}\n"
        );
    }
    for (index, (port, _)) in wells.iter().enumerate() {
        text += &format!(
            "[[host]]\nname = \"well{index}\"\naddress = \"127.0.0.1\"\nchecks = [{{ kind = 'tcp', port = {port}, interval = '1s', timeout = '1s' }}]\n"
        );
    }
    fs::write(folder.path().join("noctty.toml"), text).expect("written");
    let state = folder.path().join("state");
    let log = fs::File::create(folder.path().join("log")).expect("a log");
    let _collector = Running(
        Command::new(env!("CARGO_BIN_EXE_noctty"))
            .env_clear()
            .env("HOME", folder.path())
            .env("PATH", "/usr/bin:/bin")
            .env("COMMUNITY", "c")
            .arg("--config")
            .arg(folder.path().join("noctty.toml"))
            .arg("--state")
            .arg(&state)
            .arg("collect")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("it starts"),
    );
    until("much of what hangs is asked", || held.load(Ordering::Relaxed) >= HANGING * 6);
    let before: Vec<usize> = wells.iter().map(|(_, taken)| taken.load(Ordering::Relaxed)).collect();
    until("those that are well have had their turns", || {
        wells.iter().zip(&before).all(|((_, taken), before)| taken.load(Ordering::Relaxed) >= before + TURNS)
    });
    let load =
        || Store::open(&state).and_then(|store| store.load()).map(|loaded| loaded.remembered).unwrap_or_default();
    let is_well = |one: &Remembered| one.check.subject.id().as_str().starts_with("well");
    until("what was heard is kept", || load().iter().filter(|one| is_well(one)).count() == wells.len());
    // SSH gives up by itself; nothing else has ended by now, and freed its place for others.
    let stored = load();
    let (well, ended): (Vec<_>, Vec<_>) = stored.iter().partition(|one| is_well(one));
    assert!(well.iter().all(|one| one.observation.reading.outcome == Outcome::Ok), "{well:?}");
    assert!(ended.iter().all(|one| matches!(&*one.check.name, "linux" | "windows")), "{ended:?}");
}
