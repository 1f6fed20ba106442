//! SNMPv3 against net-snmp's own agent, in all its protocols and with everything that can be wrong; and net-snmp's tools
//! against our simulated agents.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use noctty::base::{Clock, Secret};
use noctty::net::Net;
use noctty::net::snmp::{Login, SnmpError, Target};
use noctty::proto::snmp::oid::Index;
use noctty::proto::snmp::usm::{AuthProtocol, EngineId, PrivProtocol, ReportKind, User};
use noctty::proto::snmp::{Credentials, Oid, Plan, Refusal, Security, Sink, Value, Version};
use noctty::sim::snmp::{AgentSpec, SnmpAgents};

const AUTH_PASSWORD: &str = "auth-c4nary-1";
const PRIV_PASSWORD: &str = "priv-c4nary-2";

/// A running snmpd on loopback, ended by its process id. It is asked by the community `lab-secret` too.
struct Snmpd {
    child: Child,
    address: SocketAddr,
}

impl Snmpd {
    /// `folder` keeps what the agent remembers from one start to the next.
    fn start(folder: &Path, address: SocketAddr, config: &str) -> Self {
        let (path, persistent) = (folder.join("snmpd.conf"), folder.join("persistent"));
        let own = format!("agentAddress udp:{address}\nrocommunity lab-secret 127.0.0.0/8\nsysName lab-sw1\n");
        fs::write(&path, own + config).expect("the configuration is written");
        let child = Command::new("/usr/sbin/snmpd")
            .args(["-f", "-Lo", "-I", "-smux"])
            // It reads what it remembers as one more configuration.
            .env("SNMPCONFPATH", format!("{}:{}", folder.display(), persistent.display()))
            .env("SNMP_PERSISTENT_DIR", &persistent)
            .env("MIBS", "")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("snmpd is installed (Debian: apt-get install snmpd snmp)");
        let snmpd = Self { child, address };
        let deadline = Instant::now() + Duration::from_secs(30);
        while snmpd.counter("1.3.6.1.2.1.1.3.0").is_none() {
            assert!(Instant::now() < deadline, "snmpd does not answer on {address}");
        }
        snmpd
    }

    /// A number by v2c.
    fn counter(&self, oid: &str) -> Option<u64> {
        let output = Command::new("snmpget")
            .args(["-v2c", "-c", "lab-secret", "-t", "1", "-r", "0", "-OqvUt", &self.address.to_string(), oid])
            .env("MIBS", "")
            .output()
            .expect("net-snmp's tools are installed (Debian: apt-get install snmp)");
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    }

    /// Ends it as an operator would, so that it writes down what it has to remember.
    fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Snmpd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port(host: &str) -> SocketAddr {
    UdpSocket::bind((host, 0)).and_then(|s| s.local_addr()).expect("a free port")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn password_file(folder: &Path, name: &str, password: &str) -> PathBuf {
    use std::io::Write as _;
    let path = folder.join(name);
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path).expect("a file");
    writeln!(file, "{password}").expect("it is written");
    path
}

/// The two right passwords, and a wrong one, as files.
struct Passwords {
    auth: PathBuf,
    privacy: PathBuf,
    wrong: PathBuf,
}

impl Passwords {
    fn write(folder: &Path) -> Self {
        Self {
            auth: password_file(folder, "auth", AUTH_PASSWORD),
            privacy: password_file(folder, "priv", PRIV_PASSWORD),
            wrong: password_file(folder, "wrong", "wrong-c4nary-3"),
        }
    }
}

fn noctty(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_noctty"));
    command.env_clear().env("HOME", home).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.args(args).output().expect("noctty runs")
}

fn create_user(config: &mut String, name: &str, protocols: &str, level: &str) {
    let _ = writeln!(config, "createUser {name} {protocols}\nrouser {name} {level}");
}

#[test]
fn every_pair_of_protocols_that_net_snmp_speaks_is_spoken() {
    let home = folder();
    let passwords = Passwords::write(home.path());
    let mut config = String::new();
    create_user(&mut config, "plain", "", "noauth");
    for auth in AuthProtocol::ALL.map(AuthProtocol::name) {
        create_user(&mut config, auth, &format!("{auth} \"{AUTH_PASSWORD}\""), "auth");
        for privacy in PrivProtocol::ALL.map(PrivProtocol::name) {
            let protocols = format!("{auth} \"{AUTH_PASSWORD}\" {privacy} \"{PRIV_PASSWORD}\"");
            create_user(&mut config, &format!("{auth}-{privacy}"), &protocols, "priv");
        }
    }
    let snmpd = Snmpd::start(home.path(), free_port("127.0.0.64"), &config);
    let agent = snmpd.address.to_string();
    let (auth_file, priv_file) = (passwords.auth.display().to_string(), passwords.privacy.display().to_string());
    let ask = |more: &[&str]| {
        let output = noctty(home.path(), &[&["ports", &agent, "--json"], more].concat());
        assert!(output.status.success(), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("valid JSON");
        assert_eq!((&document["complete"], &document["device"]["name"]), (&true.into(), &"lab-sw1".into()), "{more:?}");
        assert!(document["ports"].as_array().is_some_and(|ports| !ports.is_empty()), "{more:?}");
    };
    ask(&["--v3-user", "plain"]);
    for auth in AuthProtocol::ALL.map(AuthProtocol::name) {
        let auth_args = ["--v3-auth", auth, "--v3-auth-file", &auth_file];
        ask(&[&["--v3-user", auth][..], &auth_args].concat());
        for privacy in PrivProtocol::ALL.map(PrivProtocol::name) {
            let user = format!("{auth}-{privacy}");
            let priv_args = ["--v3-priv", privacy, "--v3-priv-file", &priv_file];
            ask(&[&["--v3-user", &user][..], &auth_args, &priv_args].concat());
        }
    }
    // Nothing was sent that the agent had to complain about.
    for (kind, want) in [(ReportKind::WrongDigest, 0), (ReportKind::NotInTimeWindow, 0), (ReportKind::UnknownUser, 0)] {
        assert_eq!(snmpd.counter(&kind.oid().to_string()), Some(want), "{}", kind.counter());
    }
}

#[test]
fn what_is_wrong_is_said_with_what_to_do_and_without_a_secret() {
    let home = folder();
    let passwords = Passwords::write(home.path());
    let mut config = String::new();
    create_user(&mut config, "ops", &format!("SHA-256 \"{AUTH_PASSWORD}\" AES \"{PRIV_PASSWORD}\""), "priv");
    create_user(&mut config, "half", &format!("SHA-256 \"{AUTH_PASSWORD}\""), "auth");
    let snmpd = Snmpd::start(home.path(), free_port("127.0.0.65"), &config);
    let agent = snmpd.address.to_string();
    let of = |path: &Path| path.display().to_string();
    let (auth, privacy, wrong) = (of(&passwords.auth), of(&passwords.privacy), of(&passwords.wrong));
    let protected = |user: &'static str, auth: &str, privacy: &str| -> Vec<String> {
        let args =
            ["--v3-user", user, "--v3-auth", "SHA-256", "--v3-auth-file", auth, "--v3-priv", "AES", "--v3-priv-file"];
        args.iter().map(|a| (*a).to_owned()).chain([privacy.to_owned()]).collect()
    };
    let mut in_context = protected("ops", &auth, &privacy);
    in_context.extend(["--v3-context".to_owned(), "nowhere".to_owned()]);
    for (args, status, wants) in [
        (protected("nobody", &auth, &privacy), 3, &["the agent has no user nobody", "usmStatsUnknownUserNames"][..]),
        (
            protected("ops", &wrong, &privacy),
            3,
            &["authentication password or protocol (SHA-256)", "usmStatsWrongDigests"],
        ),
        (protected("ops", &auth, &wrong), 3, &["most likely its privacy password or protocol (AES-128) is wrong"]),
        (protected("half", &auth, &privacy), 3, &["may not use authPriv there", "usmStatsUnsupportedSecLevels"]),
        (in_context, 3, &["or the context \"nowhere\" does not exist"]),
        (
            ["--v3-user", "ops", "--v3-auth", "SHA-256", "--v3-auth-file", &auth].map(str::to_owned).to_vec(),
            1,
            &["authorizationError", "its access rules do not let us read this"],
        ),
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let usual = ["ports", &agent, "--timeout", "300ms", "--retries", "1"];
        let output = noctty(home.path(), &[&usual[..], &args].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
        for want in wants {
            assert!(said.contains(want), "{args:?}: {want} is missing in\n{said}");
        }
        assert!(!said.contains("c4nary"), "{said}");
    }
}

#[test]
fn passwords_come_by_environment_too_and_bad_ones_are_told() {
    let home = folder();
    let agents = simulated(Some(user(AuthProtocol::Sha256, PrivProtocol::Aes128)));
    let agent = agents.addresses()[0].to_string();
    let run = |auth: Option<&str>, privacy: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_noctty"));
        command.env_clear().env("HOME", home.path());
        for (name, value) in [("NOCTTY_V3_AUTH_PASSWORD", auth), ("NOCTTY_V3_PRIV_PASSWORD", privacy)] {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        let args = ["ports", &agent, "--v3-user", "ops", "--v3-auth", "sha256", "--v3-priv", "aes"];
        let output = command.args(args).output().expect("noctty runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(run(Some(AUTH_PASSWORD), Some(PRIV_PASSWORD)), (Some(0), String::new()));
    let (status, said) = run(Some(AUTH_PASSWORD), None);
    assert!(status == Some(3) && said.contains("set NOCTTY_V3_PRIV_PASSWORD"), "{said}");
    let (status, said) = run(Some("c4nary"), Some(PRIV_PASSWORD));
    assert!(status == Some(3) && said.contains("authentication password has fewer than 8 octets"), "{said}");
    assert!(!said.contains("c4nary"), "{said}");
}

#[test]
fn a_context_leads_to_what_is_behind_it() {
    let home = folder();
    let passwords = Passwords::write(home.path());
    let behind = simulated(None);
    let mut config =
        format!("createUser ops SHA-256 \"{AUTH_PASSWORD}\" AES \"{PRIV_PASSWORD}\"\nview all included .1\n");
    let _ = writeln!(config, "rouser ops priv -V all behind");
    let _ = writeln!(config, "proxy -Cn behind -v 2c -c sim {} .1.3.6.1.2.1", behind.addresses()[0]);
    let snmpd = Snmpd::start(home.path(), free_port("127.0.0.66"), &config);
    let (auth, privacy) = (passwords.auth.display().to_string(), passwords.privacy.display().to_string());
    let args = ["ports", &snmpd.address.to_string(), "--json", "--v3-user", "ops", "--v3-auth", "SHA-256"];
    let more = ["--v3-auth-file", &auth, "--v3-priv", "AES", "--v3-priv-file", &privacy, "--v3-context", "behind"];
    let output = noctty(home.path(), &[&args[..], &more].concat());
    let document: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(document["device"]["name"], "sim-sw1");
    assert_eq!(document["ports"].as_array().map(Vec::len), Some(12));
}

/// sysUpTime, and nothing else.
struct Ticks(Option<u64>);

impl Sink for Ticks {
    fn scalar(&mut self, _: usize, value: Value<'_>) {
        self.0 = value.number();
    }

    fn cell(&mut self, _: usize, _: Index<'_>, _: Value<'_>) -> bool {
        false
    }
}

fn login(auth: &str) -> Login {
    Login {
        name: "ops".into(),
        auth: Some((AuthProtocol::Sha1, Secret::new(auth.to_owned()))),
        privacy: Some((PrivProtocol::Aes128, Secret::new(PRIV_PASSWORD.to_owned()))),
    }
}

/// What a console does poll after poll, on sockets that it keeps.
struct Poller {
    net: Arc<Net>,
    target: Target,
}

impl Poller {
    async fn new(address: SocketAddr, auth: &str) -> Self {
        let net = Net::new(Clock::start());
        let user = net.snmp.user(login(auth)).await.expect("valid");
        let security = Security { user, context: Arc::from(&b""[..]), engine_id: None, pardon: false, trial: false };
        let credentials = Credentials::User(security);
        let timeout = Duration::from_secs(2);
        Self { net, target: Target { address, version: Version::V3, credentials, timeout, retries: 2, in_flight: 1 } }
    }

    async fn ask(&self) -> Result<(Option<u64>, u32), SnmpError> {
        let scalars = vec![Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 1, 3, 0])];
        let plan = Plan { scalars, ..Plan::default() };
        let answers = self.net.snmp.ask(&self.target, plan, Ticks(None)).await?;
        assert!(answers.incomplete.is_empty(), "{:?}", answers.incomplete);
        Ok((answers.sink.0, answers.lost))
    }

    fn pardon(&mut self, pardon: bool) {
        if let Credentials::User(security) = &mut self.target.credentials {
            security.pardon = pardon;
        }
    }
}

const OPS: &str = "createUser ops SHA \"auth-c4nary-1\" AES \"priv-c4nary-2\"\nrouser ops priv\n";

#[tokio::test]
async fn a_restarted_a_reset_and_a_replaced_agent_are_polled_on_without_a_lost_try() {
    let home = folder();
    let address = free_port("127.0.0.67");
    let engine = |id: &str| format!("engineID {id}\n{OPS}");
    let first = engine("aaaa");
    let mut snmpd = Snmpd::start(home.path(), address, &first);
    let poller = Poller::new(address, AUTH_PASSWORD).await;
    assert!(poller.ask().await.is_ok_and(|(ticks, lost)| ticks.is_some() && lost == 0));
    // A second start, so that there is something to go back from.
    snmpd.stop();
    snmpd = Snmpd::start(home.path(), address, &first);
    for (what, config, forgets, want_boots) in [
        ("restarted: the count of starts moves", &first, false, 3),
        ("reset: the count of starts goes back", &first, true, 1),
        ("replaced: another engine", &engine("bbbb"), true, 1),
    ] {
        assert!(poller.ask().await.is_ok(), "before it is {what}");
        snmpd.stop();
        if forgets {
            fs::remove_dir_all(home.path().join("persistent")).expect("it remembered something");
        }
        snmpd = Snmpd::start(home.path(), address, config);
        let answered = poller.ask().await.unwrap_or_else(|e| panic!("{what}: {e}"));
        assert!(answered.0.is_some() && answered.1 == 0, "{what}: {answered:?}");
        assert_eq!(snmpd.counter("1.3.6.1.6.3.10.2.1.2.0"), Some(want_boots), "{what}: snmpEngineBoots");
    }
}

#[tokio::test]
async fn an_agent_that_refuses_three_times_is_left_alone_until_somebody_says_so() {
    let home = folder();
    let snmpd = Snmpd::start(home.path(), free_port("127.0.0.68"), OPS);
    let digests = || snmpd.counter(&ReportKind::WrongDigest.oid().to_string());
    let mut poller = Poller::new(snmpd.address, "wrong-c4nary-3").await;
    for round in 1..=5 {
        let error = poller.ask().await.expect_err("the password is wrong");
        let SnmpError::Refused { refused, .. } = &error else { panic!("round {round}: {error}") };
        assert_eq!(refused.why, Refusal::Report(ReportKind::WrongDigest));
        assert_eq!(refused.stopped, round >= 3, "round {round}");
        let said = error.to_string();
        assert_eq!(said.contains("asked no more"), round >= 3, "{said}");
        assert!(!said.contains("c4nary"), "{said}");
        assert_eq!(digests(), Some(round.min(3)), "what the agent saw");
    }
    poller.pardon(true);
    assert!(poller.ask().await.is_err());
    assert_eq!(digests(), Some(4), "once more, because somebody said so");
}

fn user(auth: AuthProtocol, privacy: PrivProtocol) -> Arc<User> {
    let auth = Some((auth, AUTH_PASSWORD.as_bytes()));
    Arc::new(User::new(b"ops", auth, Some((privacy, PRIV_PASSWORD.as_bytes()))).expect("valid"))
}

fn simulated(user: Option<Arc<User>>) -> SnmpAgents {
    let spec = AgentSpec {
        address: SocketAddr::from(([127, 0, 0, 69], 0)),
        name: "sim-sw1".to_owned(),
        community: "sim".to_owned(),
        user,
        ports: 12,
        seed: 11,
    };
    SnmpAgents::start(vec![spec], Clock::start()).expect("the simulator starts")
}

#[test]
fn net_snmp_walks_a_simulated_agent_in_version_3() {
    for (auth, privacy) in [
        (AuthProtocol::Md5, PrivProtocol::Des),
        (AuthProtocol::Sha1, PrivProtocol::Aes128),
        (AuthProtocol::Sha1, PrivProtocol::Aes256C),
        (AuthProtocol::Sha512, PrivProtocol::Aes256),
    ] {
        let agents = simulated(Some(user(auth, privacy)));
        let run = |password: &str| {
            Command::new("snmpbulkwalk")
                .args(["-v3", "-On", "-t", "1", "-r", "1", "-l", "authPriv", "-u", "ops", "-a", auth.name()])
                .args(["-A", password, "-x", privacy.name(), "-X", PRIV_PASSWORD])
                .args([&agents.addresses()[0].to_string(), "1.3.6.1.2.1"])
                .env("MIBS", "")
                .output()
                .expect("net-snmp's tools are installed (Debian: apt-get install snmp)")
        };
        let output = run(AUTH_PASSWORD);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{auth:?} {privacy:?}: {}", String::from_utf8_lossy(&output.stderr));
        let lines = text.lines().filter(|l| !l.contains("No more variables")).count();
        assert_eq!(lines, 7 + 1 + 12 * (21 + 1 + 19) + 1, "{auth:?} {privacy:?}");
        let refused = run("wrong-c4nary-3");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(said.contains("Authentication failure"), "{said}");
    }
}

#[tokio::test]
async fn a_simulated_agent_that_reboots_is_polled_on() {
    let agents = simulated(Some(user(AuthProtocol::Sha1, PrivProtocol::Aes128)));
    let mut poller = Poller::new(agents.addresses()[0], AUTH_PASSWORD).await;
    assert!(poller.ask().await.is_ok_and(|(ticks, _)| ticks.is_some_and(|t| t > 8_000_000)));
    agents.reboot(0);
    assert!(poller.ask().await.is_ok_and(|(ticks, lost)| ticks.is_some_and(|t| t < 100_000) && lost == 0));
    if let Credentials::User(security) = &mut poller.target.credentials {
        security.engine_id = EngineId::parse("80001f880461616161");
    }
    let error = poller.ask().await.expect_err("it is another engine");
    assert!(error.to_string().contains("not the configured `engine_id`"), "{error}");
}
