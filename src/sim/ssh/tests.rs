use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::sync::mpsc;

use super::shell::Role;
use super::*;
use crate::ssh::{
    Attendant, Bounds, Connection, End, Names, Outlets, ShellInput, SshConfig, SshError, Surroundings, Target, Terminal,
};

#[test]
fn a_key_pair_signs_what_its_public_half_believes() {
    use russh::keys::signature::{Signer as _, Verifier as _};
    let pair = identity::generate("test").expect("random bytes");
    let signature = pair.try_sign(b"text").expect("it signs");
    assert!(pair.public_key().key_data().verify(b"text", &signature).is_ok());
    let other = identity::generate("test").expect("random bytes");
    assert!(other.public_key().key_data().verify(b"text", &signature).is_err());
}

async fn server(folder: &Path) -> (SshServers, SocketAddr, SshConfig) {
    let clock = Clock::start();
    let servers = SshServers::prepare(folder, clock).expect("the folder is ours");
    let machine =
        Machine { name: "db01".into(), address: Ipv4Addr::LOCALHOST, role: Role::Server, booted: clock.now(), seed: 1 };
    let address = servers.start(machine, Ipv4Addr::LOCALHOST).await.expect("a port");
    let file = servers.write_files().expect("written");
    assert_eq!(file, SshServers::config_file(folder));
    // A home that has nothing to offer.
    let config = SshConfig::from_file(&file, Surroundings::with_home(folder));
    (servers, address, config)
}

async fn open(config: &SshConfig, target: &str) -> Result<Connection, SshError> {
    Connection::open(config, &Target::parse(target).expect("a target"), &Names::default(), &Attendant::headless()).await
}

#[tokio::test]
async fn whoever_only_reads_the_version_line_gets_it_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_servers, address, _) = server(folder.path()).await;
    let mut stream = BufReader::new(TcpStream::connect(address).await.expect("it listens"));
    let mut line = String::new();
    stream.read_line(&mut line).await.expect("a line");
    assert_eq!(line, "SSH-2.0-noctty_demo\r\n");
}

#[tokio::test]
async fn a_dead_machine_refuses_and_its_sessions_are_cut_off_until_it_is_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (servers, address, config) = server(folder.path()).await;
    let connection = open(&config, "db01").await.expect("its own key lets in");
    let (output, mut out) = mpsc::channel::<Vec<u8>>(16);
    let (_keys, input) = mpsc::channel::<ShellInput>(1);
    let size = crate::ssh::Size { columns: 80, rows: 24 };
    let terminal = Some(Terminal { name: "xterm-256color", size });
    let script = async {
        let greeting = out.recv().await.expect("it greets");
        assert!(String::from_utf8_lossy(&greeting).contains("db01 is simulated"));
        servers.set("db01", Presence::Dead).await;
        while out.recv().await.is_some() {}
    };
    let (ended, ()) = tokio::join!(connection.shell(terminal, Outlets { output, errors: None }, input), script);
    let ended = ended.expect("there was a shell");
    assert!(!ended.orderly && ended.exit_status.is_none(), "{ended:?}");

    let refused = open(&config, "db01").await.expect_err("it is dead").to_string();
    assert!(refused.contains(&address.to_string()) && refused.contains("refused"), "{refused}");
    servers.set("db01", Presence::Here).await;
    open(&config, "db01").await.expect("it is back, at its old place and with its old key");
}

/// What is behind a dead switch does not hang up: it says nothing, and goes on when the way is there again.
#[tokio::test]
async fn a_machine_that_cannot_be_reached_is_silent_and_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (servers, _, config) = server(folder.path()).await;
    let connection = open(&config, "db01").await.expect("its own key lets in");
    let bounds = |seconds| Bounds { time: Duration::from_secs(seconds), output: 1_000 };
    let uptime = connection.once("uptime", Vec::new(), bounds(30)).await.expect("it answers");
    assert_eq!(uptime.end, End::Ended(Some(0)));
    servers.set("db01", Presence::Unreachable).await;
    assert!(open(&config, "db01").await.is_err(), "nobody new comes through");
    let silent = connection.once("uptime", Vec::new(), bounds(1)).await.expect("the line is there");
    assert_eq!(silent.end, End::TimedOut);
    assert!(!connection.is_lost());
    servers.set("db01", Presence::Here).await;
    let again = connection.once("uptime", Vec::new(), bounds(30)).await.expect("it answers");
    assert_eq!(again.end, End::Ended(Some(0)));
}

#[tokio::test]
async fn what_has_no_server_is_refused_and_not_looked_for_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_servers, _, config) = server(folder.path()).await;
    let settings = config.resolve("127.0.0.1");
    assert_eq!(settings.port, 1, "never this machine's own sshd");
    assert_eq!(settings.identity_files, [folder.path().join("ssh/id_ed25519")]);
    assert!(settings.identities_only);
    assert_eq!(settings.agent, crate::ssh::config::AgentSocket::None);
    assert_eq!(settings.user_known_hosts, [folder.path().join("ssh/known_hosts")]);
    assert_eq!(settings.global_known_hosts, [Path::new("/dev/null")]);
}

#[tokio::test]
async fn a_caller_that_talks_nonsense_is_let_go() {
    use tokio::io::AsyncWriteExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let (_servers, address, _) = server(folder.path()).await;
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(b"SSH-2.0-x\r\n").await.expect("sent");
    stream.write_all(&[0xff; 4096]).await.expect("sent");
    let mut rest = Vec::new();
    // An end or a reset, and not a wait for more.
    let _ = stream.read_to_end(&mut rest).await;
}
