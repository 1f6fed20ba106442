//! Traps and informs from net-snmp's tools and agent, through the whole engine: what the operator sees, what is polled because
//! of it, and what a storm may cost.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use noctty::base::Clock;
use noctty::bus::{self, ScreenEnd};
use noctty::config::load;
use noctty::engine::records::Records;
use noctty::engine::run::{Ran, Setup, run};
use noctty::engine::schedule::Schedule;
use noctty::engine::{Plan, bind};
use noctty::model::{AssetId, NotificationKind, Policy};
use noctty::net::Net;
use noctty::sim::snmp::{AgentSpec, SnmpAgents};
use noctty::ssh::Surroundings;
use noctty::state::{Mode, PortState, Snapshot};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::peer::Peer;

const PATIENCE: Duration = Duration::from_secs(30);

/// The engine of a console, with its screen's end in our hand.
struct Console {
    end: ScreenEnd,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Ran>,
}

impl Console {
    /// Begins with a configuration; what it keeps goes to `state`.
    async fn start(config: String, state: &Path) -> Self {
        let clock = Clock::start();
        let (end, engine_end) = bus::pair(Arc::new(Snapshot::default()));
        let (plan_sender, plans) = mpsc::channel::<Plan>(1);
        let (event_sender, events) = mpsc::channel(256);
        let stop = CancellationToken::new();
        let setup = Setup {
            clock,
            net: Net::new(clock),
            mode: Mode::Polling,
            policy: Policy::default(),
            end: engine_end,
            plans,
            events,
            event_sender: event_sender.clone(),
            discover_all: None,
            records: Some(Records::start(Some(state.to_owned()), clock, event_sender)),
            machine: None,
            ssh: Surroundings::from_environment(),
            schedule: Schedule::default(),
            stop: stop.clone(),
        };
        let task = tokio::spawn(run(setup));
        let config = load::parse("noctty.toml", config).unwrap_or_else(|problems| panic!("{problems}"));
        let (plan, _) = bind::bind(&config).unwrap_or_else(|problems| panic!("{problems:?}"));
        plan_sender.send(plan).await.expect("the engine runs");
        let mut console = Self { end, stop, task };
        console.sees("where it listens", |s| s.engine.traps.as_ref().is_some_and(|t| !t.listening.is_empty())).await;
        console
    }

    /// Waits for a snapshot of which something holds.
    async fn sees(&mut self, what: &str, holds: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let waiting = async {
            let seen = self.end.snapshots.wait_for(|s| holds(s)).await;
            seen.expect("the engine runs").clone()
        };
        if let Ok(snapshot) = tokio::time::timeout(PATIENCE, waiting).await {
            return snapshot;
        }
        let now = self.end.snapshots.borrow();
        panic!("{what}: {:?} {:?}", now.engine.traps, now.notifications)
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("it ends in time").expect("without a panic");
    }
}

fn free_port(host: &str) -> SocketAddr {
    UdpSocket::bind((host, 0)).and_then(|s| s.local_addr()).expect("a free port")
}

fn secret(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
    format!("{:?}", path.display().to_string())
}

fn simulated(address: [u8; 4]) -> SnmpAgents {
    let spec = AgentSpec {
        address: SocketAddr::from((address, 0)),
        name: "sim-sw1".to_owned(),
        community: "sim".to_owned(),
        user: None,
        ports: 12,
        seed: 11,
    };
    SnmpAgents::start(vec![spec], Clock::start()).expect("the simulator starts")
}

/// One switch, asked once an hour and whenever it tells something.
fn config(folder: &Path, listen: SocketAddr, agent: SocketAddr) -> String {
    format!(
        r#"
[traps]
listen = "{listen}"
community = {{ file = {community} }}
notifications = ["1.3.6.1.4.1.8072.2.3"]

[[traps.user]]
name = "trapper"
auth = {{ protocol = "SHA-256", password = {{ file = {auth} }} }}
priv = {{ protocol = "AES-128", password = {{ file = {privacy} }} }}

[[host]]
name = "sw1"
address = "{ip}"
checks = []
snmp = {{ community = {{ file = {sim} }}, port = {port}, interval = "1h" }}
"#,
        community = secret(folder, "traps", "trap-c4nary"),
        auth = secret(folder, "auth", "auth-c4nary-1"),
        privacy = secret(folder, "priv", "priv-c4nary-2"),
        sim = secret(folder, "sim", "sim"),
        ip = agent.ip(),
        port = agent.port(),
    )
}

/// One of net-snmp's senders, from the switch's address.
fn send(folder: &Path, tool: &str, from: SocketAddr, how: &[&str], to: SocketAddr, what: &[&str]) -> Output {
    Command::new(tool)
        .arg(format!("--clientaddr={}", from.ip()))
        .args(["-t", "2", "-r", "2"])
        .args(how)
        .arg(to.to_string())
        .args(what)
        .env("MIBS", "")
        .env("SNMP_PERSISTENT_DIR", folder.join("sender"))
        .output()
        .expect("net-snmp's tools are installed (Debian: apt-get install snmp)")
}

const V3: [&str; 12] =
    ["-v3", "-u", "trapper", "-l", "authPriv", "-a", "SHA-256", "-A", "auth-c4nary-1", "-x", "AES", "-X"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_snmps_traps_and_informs_of_every_version_are_seen_and_the_switch_is_asked_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let agents = simulated([127, 0, 0, 77]);
    let (listen, agent) = (free_port("127.0.0.76"), agents.addresses()[0]);
    let mut console = Console::start(config(folder.path(), listen, agent), folder.path()).await;
    console.sees("the first walk", |s| s.devices.first().is_some_and(|d| d.ports[11].state == PortState::Up)).await;
    // The cable is out, and nobody would ask for an hour.
    agents.set_link(0, 11, false);
    let walks = agents.answered(0);
    let index = ["1.3.6.1.2.1.2.2.1.1.12", "i", "12", "1.3.6.1.2.1.2.2.1.8.12", "i", "2"];
    let link_down = [&["", "1.3.6.1.6.3.1.1.5.3"][..], &index].concat();
    let sent = send(folder.path(), "snmptrap", agent, &["-v2c", "-c", "trap-c4nary"], listen, &link_down);
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let seen = console.sees("the link is lost", |s| s.devices[0].ports[11].state == PortState::LinkLost).await;
    let told = &seen.notifications[0];
    assert_eq!((told.told.host.clone(), &told.told.kind), (AssetId::new("sw1"), &NotificationKind::LinkDown));
    assert_eq!(told.port.as_ref().map(noctty::base::Untrusted::line).as_deref(), Some("Te1/1/4"));
    assert_eq!(told.told.detail.line(), "ifOperStatus down");
    assert!(agents.answered(0) > walks);

    // Version 1: linkUp, and one of an enterprise.
    let v1 = ["-v1", "-c", "trap-c4nary"];
    let generic = [&["1.3.6.1.4.1.8072.3.2.10", "127.0.0.77", "3", "0", ""][..], &index].concat();
    send(folder.path(), "snmptrap", agent, &v1, listen, &generic);
    let kind = |s: &Snapshot| s.notifications.first().map(|n| (n.told.kind.clone(), n.told.version));
    console.sees("linkUp", |s| kind(s) == Some((NotificationKind::LinkUp, "v1"))).await;
    send(folder.path(), "snmptrap", agent, &v1, listen, &["1.3.6.1.4.1.8072.2.3", "127.0.0.77", "6", "17", ""]);
    let own = NotificationKind::Other("1.3.6.1.4.1.8072.2.3.0.17".into());
    console.sees("its own", |s| kind(s) == Some((own.clone(), "v1"))).await;

    // An inform is acknowledged: the tool says so by its status.
    let warm = ["", "1.3.6.1.6.3.1.1.5.2"];
    let sent = send(folder.path(), "snmpinform", agent, &["-v2c", "-c", "trap-c4nary"], listen, &warm);
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    console.sees("warmStart", |s| kind(s) == Some((NotificationKind::WarmStart, "v2c"))).await;

    // Version 3: a trap by the sender's engine, an inform by ours, which it has to find.
    let how = [&V3[..], &["priv-c4nary-2", "-e", "0x8000000001020304"]].concat();
    let sent = send(folder.path(), "snmptrap", agent, &how, listen, &["", "1.3.6.1.6.3.1.1.5.5"]);
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    console.sees("in v3", |s| kind(s) == Some((NotificationKind::AuthenticationFailure, "v3"))).await;
    let how = [&V3[..], &["priv-c4nary-2"]].concat();
    let sent = send(folder.path(), "snmpinform", agent, &how, listen, &["", "1.3.6.1.6.3.1.1.5.1"]);
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    console.sees("an inform in v3", |s| kind(s) == Some((NotificationKind::ColdStart, "v3"))).await;

    // Whoever has no right password is counted, and gets no acknowledgement.
    let before = console.end.snapshots.borrow().notifications.len();
    let how = [&V3[..], &["wrong-c4nary-3", "-t", "1", "-r", "0"]].concat();
    assert!(!send(folder.path(), "snmpinform", agent, &how, listen, &warm).status.success());
    let how = ["-v2c", "-c", "public", "-t", "1", "-r", "0"];
    assert!(!send(folder.path(), "snmpinform", agent, &how, listen, &warm).status.success());
    let seen = console.sees("refused", |s| s.engine.traps.as_ref().is_some_and(|t| t.refused >= 2)).await;
    assert_eq!(seen.notifications.len(), before);
    assert!(!format!("{seen:?}").contains("c4nary"), "no secret is in what the screen gets");
    console.stop().await;

    // Who we are stays, and how often we started is counted.
    let engine = || fs::read_to_string(folder.path().join("snmp-engine")).expect("it is kept");
    let first = engine();
    assert!(first.starts_with("id 8000000005") && first.ends_with("\nboots 1\n"), "{first}");
    Console::start(config(folder.path(), free_port("127.0.0.76"), agent), folder.path()).await.stop().await;
    assert_eq!(engine(), first.replace("boots 1", "boots 2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snmpd_tells_its_own_start_and_who_asks_with_a_wrong_community() {
    let folder = tempfile::tempdir().expect("a folder");
    let (listen, agent) = (free_port("127.0.0.78"), free_port("127.0.0.1"));
    let mut console = Console::start(config(folder.path(), listen, agent), folder.path()).await;
    let path = folder.path().join("snmpd.conf");
    let lines = [
        format!("agentAddress udp:{agent}"),
        "rocommunity sim".to_owned(),
        "authtrapenable 1".to_owned(),
        "createUser -e 0x80001f880461616161 trapper SHA-256 auth-c4nary-1 AES priv-c4nary-2".to_owned(),
        "exactEngineID 0x80001f880461616161".to_owned(),
        format!("trapsess -v3 -u trapper -l authPriv -a SHA-256 -A auth-c4nary-1 -x AES -X priv-c4nary-2 {listen}"),
    ];
    fs::write(&path, lines.join("\n") + "\n").expect("written");
    let arguments = ["-f", "-Lo", "-C", "-I", "-smux", "-c", &path.display().to_string()];
    let snmpd = Peer::start(folder.path(), Path::new("/usr/sbin/snmpd"), &arguments);
    let started =
        console.sees("coldStart", |s| s.notifications.iter().any(|n| n.told.kind == NotificationKind::ColdStart)).await;
    assert_eq!(started.notifications[0].told.version, "v3");
    let wrong = ["-v2c", "-c", "wr0ng", "-t", "1", "-r", "0", &agent.to_string(), "1.3.6.1.2.1.1.3.0"];
    Command::new("snmpget").args(wrong).env("MIBS", "").output().expect("net-snmp's tools are installed");
    let failed = |s: &Snapshot| s.notifications.iter().any(|n| n.told.kind == NotificationKind::AuthenticationFailure);
    console.sees("authenticationFailure", failed).await;
    drop(snmpd);
    console.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_traps_cause_a_handful_of_walks_and_no_more_lines_than_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let agents = simulated([127, 0, 0, 82]);
    let (listen, agent) = (free_port("127.0.0.83"), agents.addresses()[0]);
    let mut console = Console::start(config(folder.path(), listen, agent), folder.path()).await;
    console.sees("the first walk", |s| !s.devices.is_empty()).await;
    let a_walk = agents.answered(0);
    let sender = UdpSocket::bind((agent.ip(), 0)).expect("the switch's address");
    let flood = std::thread::spawn(move || {
        for n in 0..10_000u32 {
            // Another interface each time, so that nothing is the same again.
            sender.send_to(&link_down(n), listen).expect("sent");
        }
    });
    flood.join().expect("it ends");
    let seen = console
        .sees("what came of the storm", |s| {
            s.engine.traps.as_ref().is_some_and(|t| t.taken >= 500) && s.notifications.len() >= 50
        })
        .await;
    assert!(seen.notifications.len() <= 500);
    let began = std::time::Instant::now();
    console.sees("more of it", |s| s.notifications.len() > 150).await;
    // A check is asked once in five seconds at most, however much is told.
    let walks = 2 + began.elapsed().as_secs() / 5;
    let asked = agents.answered(0) - a_walk;
    assert!(asked <= (walks + 2) * a_walk, "{asked} requests after a walk of {a_walk}");
    console.stop().await;
}

/// linkDown of an interface in version 2c.
fn link_down(interface: u32) -> Vec<u8> {
    use noctty::proto::snmp::ber::Writer;
    use noctty::proto::snmp::{Oid, PduKind, Value, Version, message, pdu};
    let mut writer = Writer::default();
    message::encode(&mut writer, Version::V2c, b"trap-c4nary", |w| {
        pdu::encode(w, PduKind::TrapV2, 1, 0, 0, |w| {
            let mut bind = |name: &[u32], value: Value<'_>| {
                pdu::encode_varbind(w, Oid::from_arcs(name).as_raw(), value);
            };
            bind(&[1, 3, 6, 1, 2, 1, 1, 3, 0], Value::TimeTicks(1));
            let kind = Oid::from_arcs(&[1, 3, 6, 1, 6, 3, 1, 1, 5, 3]);
            bind(&[1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0], Value::Oid(kind.as_raw()));
            bind(&[1, 3, 6, 1, 2, 1, 2, 2, 1, 1, interface], Value::Integer(i64::from(interface)));
        });
    });
    writer.bytes().to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_cannot_begin_says_why_and_keeps_nothing_else_from_running() {
    let folder = tempfile::tempdir().expect("a folder");
    let agents = simulated([127, 0, 0, 84]);
    let taken = UdpSocket::bind("127.0.0.85:0").expect("a port");
    let listen = taken.local_addr().expect("it has one");
    let clock = Clock::start();
    let (mut end, engine_end) = bus::pair(Arc::new(Snapshot::default()));
    let (plan_sender, plans) = mpsc::channel::<Plan>(1);
    let (event_sender, events) = mpsc::channel(256);
    let stop = CancellationToken::new();
    let setup = Setup {
        clock,
        net: Net::new(clock),
        mode: Mode::Polling,
        policy: Policy::default(),
        end: engine_end,
        plans,
        events,
        event_sender,
        discover_all: None,
        records: None,
        machine: None,
        ssh: Surroundings::from_environment(),
        schedule: Schedule::default(),
        stop: stop.clone(),
    };
    let task = tokio::spawn(run(setup));
    let config = load::parse("noctty.toml", config(folder.path(), listen, agents.addresses()[0])).expect("valid");
    plan_sender.send(bind::bind(&config).expect("valid").0).await.expect("the engine runs");
    let problem = |s: &Snapshot| s.engine.traps.as_ref().and_then(|t| t.problem.clone());
    let seen = end.snapshots.wait_for(|s| problem(s).is_some() && !s.devices.is_empty());
    let seen = tokio::time::timeout(PATIENCE, seen).await.expect("in time").expect("the engine runs").clone();
    let said = problem(&seen).expect("a problem");
    assert!(said.contains(&listen.to_string()) && said.contains("another program"), "{said}");
    stop.cancel();
    tokio::time::timeout(PATIENCE, task).await.expect("it ends in time").expect("without a panic");
}
