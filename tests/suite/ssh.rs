//! SSH against Debian's own sshd, started here on loopback with keys and configuration of its own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use noctty::base::Secret;
use noctty::model::Prompt;
use noctty::ssh::{Answer, Attendant, Connection, Ended, Names, Outlets, Progress, ShellInput, Size, Terminal};
use noctty::ssh::{SshConfig, SshError, Target};
use tokio::sync::mpsc;

use super::lab::{DEADLINE, Lab, Running, run};

/// Answers questions by the function, and keeps what was asked and said.
fn attended(answer: impl Fn(&Prompt) -> Answer + Send + 'static) -> (Attendant, Arc<Mutex<Vec<String>>>) {
    let (sender, mut progress) = mpsc::channel(16);
    let log = Arc::new(Mutex::new(Vec::new()));
    let kept = log.clone();
    tokio::spawn(async move {
        while let Some(item) = progress.recv().await {
            let line = match item {
                Progress::Step(words) | Progress::Remark(words) => words,
                Progress::Banner { hop, text } => format!("banner of {hop}: {}", text.line()),
                Progress::Question { prompt, answer: to } => {
                    let words = format!("{prompt:?}");
                    let _ = to.send(answer(&prompt));
                    words
                }
            };
            kept.lock().expect("unpoisoned").push(line);
        }
    });
    (Attendant::new(sender), log)
}

async fn open(config: &SshConfig, target: &str, attendant: &Attendant) -> Result<Connection, SshError> {
    let target = Target::parse(target).expect("a target");
    tokio::time::timeout(DEADLINE, Connection::open(config, &target, &Names::default(), attendant))
        .await
        .expect("in time")
}

async fn refused(config: &SshConfig, target: &str) -> SshError {
    open(config, target, &Attendant::headless()).await.expect_err("it must not connect")
}

/// Runs a command to its end; output, errors, and how it ended.
async fn exec(connection: &Connection, command: &str) -> (Vec<u8>, Vec<u8>, Ended) {
    let (output, mut out) = mpsc::channel(16);
    let (errors, mut err) = mpsc::channel(16);
    let (_input, input) = mpsc::channel::<ShellInput>(1);
    let outlets = Outlets { output, errors: Some(errors) };
    let collect = async {
        let (mut o, mut e) = (Vec::new(), Vec::new());
        loop {
            tokio::select! {
                Some(chunk) = out.recv() => o.extend(chunk),
                Some(chunk) = err.recv() => e.extend(chunk),
                else => return (o, e),
            }
        }
    };
    let both = async { tokio::join!(connection.exec(command, outlets, input), collect) };
    let (ended, (o, e)) = tokio::time::timeout(DEADLINE, both).await.expect("in time");
    (o, e, ended.expect("it runs"))
}

fn fingerprint(lab: &Lab, key: &str) -> String {
    let said = run(Command::new("ssh-keygen").arg("-lf").arg(lab.path(key)));
    said.split(' ').nth(1).expect("a fingerprint").to_owned()
}

#[tokio::test]
async fn a_key_file_lets_in_and_a_command_gives_output_errors_and_status() {
    let lab = Lab::new();
    let server = lab.sshd("host", "127.0.91.1", "");
    lab.knows(&server, "host");
    let config = lab.config(&Lab::host("web", &server));
    let connection = open(&config, "web", &Attendant::headless()).await.expect("connected");
    let (out, err, ended) = exec(&connection, "echo out; echo err >&2; exit 7").await;
    assert_eq!((out.as_slice(), err.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
    assert_eq!(ended.exit_status, Some(7));
    assert!(ended.orderly && ended.reason.contains('7'), "{ended:?}");
}

#[tokio::test]
async fn the_agent_lets_in_where_no_key_file_is_there() {
    let lab = Lab::new();
    let server = lab.sshd("host", "127.0.91.2", "");
    lab.knows(&server, "host");
    let socket = lab.path("agent");
    let agent = Command::new("ssh-agent")
        .arg("-D")
        .arg("-a")
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .expect("ssh-agent starts");
    let _agent = Running(agent);
    let begun = Instant::now();
    while !socket.exists() {
        assert!(begun.elapsed() < DEADLINE, "ssh-agent makes no socket");
        std::thread::sleep(Duration::from_millis(20));
    }
    run(Command::new("ssh-add").arg("-q").arg(lab.path("id")).env("SSH_AUTH_SOCK", &socket).stderr(Stdio::null()));
    fs::remove_file(lab.path("id")).expect("removed");
    let config = lab.config(&format!("{} IdentityAgent {}\n", Lab::host("web", &server), socket.display()));
    let connection = open(&config, "web", &Attendant::headless()).await.expect("connected");
    assert_eq!(exec(&connection, "echo by agent").await.0, b"by agent\n");
}

#[tokio::test]
async fn an_encrypted_key_asks_for_its_passphrase_and_takes_a_second_try() {
    let lab = Lab::new();
    lab.keygen("locked", "open sesame");
    lab.authorize("locked");
    let server = lab.sshd("host", "127.0.91.3", "");
    lab.knows(&server, "host");
    let config = lab.config(&format!("{} IdentityFile {}\n", Lab::host("web", &server), lab.path("locked").display()));
    let tries = Mutex::new(0);
    let (attendant, log) = attended(move |prompt| {
        assert!(matches!(prompt, Prompt::Passphrase { .. }), "{prompt:?}");
        let mut tries = tries.lock().expect("unpoisoned");
        *tries += 1;
        Answer::Text(Secret::new(if *tries == 1 { "wrong" } else { "open sesame" }.to_owned()))
    });
    let connection = open(&config, "web", &attendant).await.expect("connected");
    assert_eq!(exec(&connection, "true").await.2.exit_status, Some(0));
    let log = log.lock().expect("unpoisoned").join("\n");
    assert_eq!(log.matches("Passphrase").count(), 2, "{log}");
    assert!(!log.contains("sesame"), "{log}");

    let error = refused(&config, "web").await.to_string();
    assert!(error.contains("locked (encrypted") && error.contains("It offers publickey"), "{error}");
}

#[tokio::test]
async fn a_jump_host_carries_the_session_and_its_refusal_names_the_hop() {
    let lab = Lab::new();
    let target = lab.sshd("target", "127.0.91.4", "");
    let permit = format!("PermitOpen {}:{}\nPermitTTY no\nForceCommand /bin/false", target.address, target.port);
    let jump = lab.sshd("jump", "127.0.91.5", &permit);
    lab.knows(&target, "target");
    lab.knows(&jump, "jump");
    let text = format!(
        "{} ProxyJump jump1\n{}Host other\n HostName 127.0.91.6\n Port 9\n ProxyJump jump1\n",
        Lab::host("inner", &target),
        Lab::host("jump1", &jump)
    );
    let config = lab.config(&text);
    let (attendant, log) = attended(|prompt| panic!("nothing is to be asked: {prompt:?}"));
    let connection = open(&config, "inner", &attendant).await.expect("connected");
    assert_eq!(exec(&connection, "echo $SSH_CONNECTION").await.2.exit_status, Some(0));
    assert!(
        log.lock().expect("unpoisoned").iter().any(|l| l.contains("inner") && l.contains("through jump1")),
        "{log:?}"
    );
    let error = refused(&config, "other").await.to_string();
    assert!(error.starts_with("other") && error.contains("jump1") && error.contains("PermitOpen"), "{error}");
}

#[tokio::test]
async fn a_changed_host_key_is_refused_with_both_fingerprints_the_place_and_the_hop() {
    let lab = Lab::new();
    lab.keygen("old", "");
    let target = lab.sshd("target", "127.0.91.7", "");
    let jump = lab.sshd("jump", "127.0.91.8", "");
    lab.knows(&target, "target");
    lab.knows(&jump, "old");
    let config = lab.config(&format!("{} ProxyJump jump1\n{}", Lab::host("inner", &target), Lab::host("jump1", &jump)));
    let (attendant, _) = attended(|_| Answer::Yes);
    let error = open(&config, "inner", &attendant).await.expect_err("refused, whatever the operator says").to_string();
    let place = format!("{}:2", lab.path(".ssh/known_hosts").display());
    for want in ["jump1", "HAS CHANGED", &fingerprint(&lab, "old"), &fingerprint(&lab, "jump"), &place] {
        assert!(error.contains(want), "{want} is missing in: {error}");
    }
}

#[tokio::test]
async fn an_unknown_host_key_is_asked_about_kept_when_accepted_and_refused_headless() {
    let lab = Lab::new();
    let server = lab.sshd("host", "127.0.91.9", "Banner none");
    let config = lab.config(&Lab::host("web", &server));
    let error = refused(&config, "web").await.to_string();
    assert!(error.contains(&fingerprint(&lab, "host")) && error.contains("noctty ssh"), "{error}");

    let (attendant, _) = attended(|_| Answer::Cancel);
    assert!(matches!(open(&config, "web", &attendant).await, Err(SshError::HostKeyDeclined { .. })));
    assert!(!lab.path(".ssh/known_hosts").exists());

    let (attendant, log) = attended(|_| Answer::Yes);
    open(&config, "web", &attendant).await.expect("accepted");
    assert!(log.lock().expect("unpoisoned").iter().any(|l| l.contains(&fingerprint(&lab, "host"))), "{log:?}");
    open(&config, "web", &Attendant::headless()).await.expect("known now");
    let found = run(Command::new("ssh-keygen")
        .arg("-F")
        .arg(format!("[{}]:{}", server.address, server.port))
        .arg("-f")
        .arg(lab.path(".ssh/known_hosts")));
    assert!(found.contains("found: line 1"), "{found}");
}

#[tokio::test]
async fn a_revoked_host_key_is_refused_though_a_line_believes_it() {
    let lab = Lab::new();
    let server = lab.sshd("host", "127.0.91.10", "");
    lab.knows(&server, "host");
    let file = lab.path(".ssh/known_hosts");
    let believed = fs::read_to_string(&file).expect("read");
    fs::write(&file, format!("{believed}@revoked {believed}")).expect("written");
    let error = refused(&lab.config(&Lab::host("web", &server)), "web").await.to_string();
    assert!(error.contains("REVOKED") && error.contains(":2"), "{error}");
}

#[tokio::test]
async fn a_host_certificate_of_a_known_authority_is_believed() {
    let lab = Lab::new();
    lab.keygen("ca", "");
    lab.keygen("host", "");
    run(Command::new("ssh-keygen")
        .args(["-q", "-h", "-I", "host", "-n", "127.0.91.11", "-V", "-5m:+1h", "-s"])
        .arg(lab.path("ca"))
        .arg(lab.path("host.pub")));
    let certificate = format!("HostCertificate {}", lab.path("host-cert.pub").display());
    let server = lab.sshd("host", "127.0.91.11", &certificate);
    let key = fs::read_to_string(lab.path("ca.pub")).expect("read");
    fs::write(lab.path(".ssh/known_hosts"), format!("@cert-authority 127.0.91.* {key}")).expect("written");
    let config = lab.config(&Lab::host("web", &server));
    open(&config, "web", &Attendant::headless()).await.expect("the certificate is believed");
}

#[tokio::test]
async fn who_is_not_let_in_is_told_what_was_offered_and_tried() {
    let lab = Lab::new();
    lab.keygen("other", "");
    let server = lab.sshd("host", "127.0.91.12", "");
    lab.knows(&server, "host");
    lab.authorize("other");
    let error = refused(&lab.config(&Lab::host("web", &server)), "web").await;
    let words = error.to_string();
    for want in ["web", "not let in", "It offers publickey", "id (refused)"] {
        assert!(words.contains(want), "{want} is missing in: {words}");
    }
    assert!(error.offers_system_ssh());
}

#[tokio::test]
async fn a_refused_connection_names_the_address() {
    let lab = Lab::new();
    let port = TcpListener::bind(("127.0.91.13", 0)).expect("a port").local_addr().expect("bound").port();
    let config = lab.config(&format!("Host web\n HostName 127.0.91.13\n Port {port}\n"));
    let words = refused(&config, "web").await.to_string();
    assert!(words.contains(&format!("127.0.91.13:{port}")) && words.contains("refused"), "{words}");
}

#[tokio::test]
async fn a_server_that_says_nothing_or_something_else_is_given_up_in_words() {
    let lab = Lab::new();
    let listener = TcpListener::bind(("127.0.91.14", 0)).expect("a port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            use std::io::Write as _;
            let mut stream = stream;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let config = lab.config(&format!("Host web\n HostName 127.0.91.14\n Port {port}\n"));
    let words = refused(&config, "web").await.to_string();
    assert!(words.starts_with("web") && words.contains("no SSH session"), "{words}");
}

#[tokio::test]
async fn a_shell_has_the_size_of_the_pane_follows_it_and_passes_its_status_on() {
    let lab = Lab::new();
    let server = lab.sshd("host", "127.0.91.15", "");
    lab.knows(&server, "host");
    let config = lab.config(&Lab::host("web", &server));
    let connection = open(&config, "web", &Attendant::headless()).await.expect("connected");
    let (output, mut out) = mpsc::channel(16);
    let (keys, input) = mpsc::channel::<ShellInput>(16);
    let script = async {
        let mut seen = String::new();
        let send = |text: &str| keys.send(ShellInput::Bytes(text.as_bytes().to_vec()));
        send("stty size; echo first-$((1+1))\n").await.expect("sent");
        until(&mut out, &mut seen, "first-2").await;
        assert!(seen.contains("24 80"), "{seen}");
        keys.send(ShellInput::Resize { columns: 132, rows: 50 }).await.expect("sent");
        send("stty size; echo second-$((1+2))\n").await.expect("sent");
        until(&mut out, &mut seen, "second-3").await;
        assert!(seen.contains("50 132"), "{seen}");
        send("exit 5\n").await.expect("sent");
        while out.recv().await.is_some() {}
    };
    let size = Size { columns: 80, rows: 24 };
    let shell =
        connection.shell(Some(Terminal { name: "xterm-256color", size }), Outlets { output, errors: None }, input);
    let both = async { tokio::join!(shell, script) };
    let (ended, ()) = tokio::time::timeout(DEADLINE, both).await.expect("in time");
    assert_eq!(ended.expect("a shell").exit_status, Some(5));
}

async fn until(out: &mut mpsc::Receiver<Vec<u8>>, seen: &mut String, want: &str) {
    while !seen.contains(want) {
        let chunk = out.recv().await.unwrap_or_else(|| panic!("ended before {want}: {seen}"));
        seen.push_str(&String::from_utf8_lossy(&chunk));
    }
}

#[tokio::test]
async fn ten_megabytes_arrive_byte_for_byte_through_a_slow_reader() {
    let lab = Lab::new();
    let server = lab.sshd("host", "127.0.91.16", "RekeyLimit 2M");
    lab.knows(&server, "host");
    let config = lab.config(&Lab::host("web", &server));
    let sample: Vec<u8> = (0u32..10_000_000).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(lab.path("sample"), &sample).expect("written");
    let connection = open(&config, "web", &Attendant::headless()).await.expect("connected");
    let (out, _, ended) = exec(&connection, &format!("cat {}", lab.path("sample").display())).await;
    assert_eq!(ended.exit_status, Some(0));
    assert!(out == sample, "{} of {} bytes, or other ones", out.len(), sample.len());
}

#[tokio::test]
async fn a_line_that_is_cut_is_said_within_the_keepalives() {
    let lab = Lab::new();
    let server = lab.sshd("host", "127.0.91.17", "");
    lab.knows(&server, "host");
    // A relay that stops passing anything on, as a firewall that forgot the connection does.
    let relay = TcpListener::bind(("127.0.91.18", 0)).expect("a port");
    let relay_port = relay.local_addr().expect("bound").port();
    let cut = Arc::new(std::sync::atomic::AtomicBool::new(false));
    relay_to(relay, (server.address, server.port), cut.clone());
    let text = format!(
        "Host web\n HostName 127.0.91.18\n Port {relay_port}\n ServerAliveInterval 1\n ServerAliveCountMax 2\n"
    );
    let known = fs::read_to_string(lab.path(".ssh/known_hosts")).expect("read");
    let known = known.replace(&format!("[127.0.91.17]:{}", server.port), &format!("[127.0.91.18]:{relay_port}"));
    fs::write(lab.path(".ssh/known_hosts"), known).expect("written");
    let connection = open(&lab.config(&text), "web", &Attendant::headless()).await.expect("connected");
    let (output, mut out) = mpsc::channel(16);
    let (_keys, input) = mpsc::channel::<ShellInput>(1);
    let script = async {
        out.recv().await.expect("it has begun");
        cut.store(true, std::sync::atomic::Ordering::SeqCst);
        while out.recv().await.is_some() {}
    };
    let running = connection.exec("echo begun; sleep 600", Outlets { output, errors: None }, input);
    let both = async { tokio::join!(running, script) };
    let (ended, ()) = tokio::time::timeout(DEADLINE, both).await.expect("said in time");
    let ended = ended.expect("it ran");
    assert!(!ended.orderly && ended.reason.contains("no answer to keepalives"), "{ended:?}");
    drop(server.process);
}

fn relay_to(listener: TcpListener, to: (&'static str, u16), cut: Arc<std::sync::atomic::AtomicBool>) {
    use std::io::{Read as _, Write as _};
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let far = TcpStream::connect(to).expect("the server is there");
            for (mut from, mut into) in [
                (near.try_clone().expect("cloned"), far.try_clone().expect("cloned")),
                (far.try_clone().expect("cloned"), near.try_clone().expect("cloned")),
            ] {
                let cut = cut.clone();
                std::thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    while let Ok(n @ 1..) = from.read(&mut buffer) {
                        if cut.load(std::sync::atomic::Ordering::SeqCst) {
                            continue;
                        }
                        if into.write_all(&buffer[..n]).is_err() {
                            break;
                        }
                    }
                });
            }
        }
    });
}

#[tokio::test]
async fn a_banner_is_shown_cleaned() {
    let lab = Lab::new();
    fs::write(lab.path("banner"), "Authorised use only\x1b]0;owned\x07\n").expect("written");
    let server = lab.sshd("host", "127.0.91.19", &format!("Banner {}", lab.path("banner").display()));
    lab.knows(&server, "host");
    let (attendant, log) = attended(|prompt| panic!("nothing is to be asked: {prompt:?}"));
    open(&lab.config(&Lab::host("web", &server)), "web", &attendant).await.expect("connected");
    let log = log.lock().expect("unpoisoned").join("\n");
    assert!(log.contains("Authorised use only") && !log.contains('\x1b'), "{log}");
}

#[test]
fn noctty_ssh_passes_output_and_status_on_and_says_why_there_is_no_session() {
    let lab = Lab::new();
    let server = lab.sshd("host", "127.0.91.20", "");
    lab.knows(&server, "host");
    lab.config(&Lab::host("web", &server));
    let noctty = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_noctty"));
        command
            .arg("ssh")
            .args(arguments)
            .env("HOME", lab.home.path())
            .env_remove("SSH_AUTH_SOCK")
            .env_remove("XDG_CONFIG_HOME");
        let output = command.stdin(Stdio::null()).output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (status, out, err) = noctty(&["web", "--", "echo out; echo err >&2; exit 7"]);
    assert_eq!((status, out.as_str(), err.as_str()), (Some(7), "out\n", "err\n"));
    drop(server);
    let (status, _, err) = noctty(&["web", "--", "true"]);
    assert_eq!(status, Some(255));
    assert!(err.contains("cannot connect to 127.0.91.20") && err.contains("refused"), "{err}");
    assert_eq!(noctty(&["-oProxyCommand=x"]).0, Some(3));
}
