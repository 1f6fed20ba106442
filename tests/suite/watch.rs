//! Watching a device through the whole engine: a command from the screen, a simulated agent over loopback, and what the
//! snapshots say of it.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use noctty::base::Clock;
use noctty::bus::{self, Command, Notice, ScreenEnd};
use noctty::config::load;
use noctty::engine;
use noctty::engine::run::Setup;
use noctty::engine::schedule::Schedule;
use noctty::model::{AssetId, Policy, PortState};
use noctty::net::Net;
use noctty::sim::snmp::{AgentSpec, SnmpAgents};
use noctty::ssh::Surroundings;
use noctty::state::rules::refresh::Pace;
use noctty::state::{Mode, Snapshot};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::console::Launch;

const DEADLINE: Duration = Duration::from_secs(30);

struct Console {
    end: ScreenEnd,
    stop: CancellationToken,
    engine: tokio::task::JoinHandle<engine::run::Ran>,
    plans: mpsc::Sender<engine::Plan>,
}

impl Console {
    async fn start(agent: SocketAddr, clock: Clock, more: &str) -> Self {
        let (console, plan) = Self::prepared(agent, clock, more, Snapshot::default());
        console.plans.send(plan).await.expect("the engine runs");
        console
    }

    /// An engine that waits for its plan, behind a screen that shows a picture already.
    fn prepared(agent: SocketAddr, clock: Clock, more: &str, picture: Snapshot) -> (Self, engine::Plan) {
        let text = format!(
            "{more}[[host]]\nname = \"sw\"\naddress = \"{}\"\nchecks = []\nsnmp = {{ community = \"public\", port = {} }}\n",
            agent.ip(),
            agent.port()
        );
        let config = load::parse("watch.toml", text).expect("it is right");
        let (plan, _) = engine::bind::bind(&config).expect("it can be bound");
        let (end, engine_end) = bus::pair(Arc::new(picture));
        let (plans, plan_receiver) = mpsc::channel(1);
        let (event_sender, events) = mpsc::channel(16);
        let stop = CancellationToken::new();
        let setup = Setup {
            clock,
            net: Net::new(clock),
            mode: Mode::Polling,
            policy: Policy::default(),
            end: engine_end,
            plans: plan_receiver,
            events,
            event_sender,
            discover_all: None,
            records: None,
            machine: None,
            ssh: Surroundings::from_environment(),
            schedule: Schedule::default(),
            stop: stop.clone(),
        };
        let engine = tokio::spawn(engine::run::run(setup));
        (Self { end, stop, engine, plans }, plan)
    }

    /// The first snapshot that is so.
    async fn until(&mut self, what: &str, is_so: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let found = tokio::time::timeout(DEADLINE, self.end.snapshots.wait_for(|s| is_so(s))).await;
        found.unwrap_or_else(|_| panic!("{what}: not in time")).expect("the engine runs").clone()
    }

    async fn send(&self, command: Command) {
        self.end.commands.send(command).await.expect("the engine runs");
    }

    async fn end(self) {
        self.stop.cancel();
        self.engine.await.expect("it ends in order");
    }
}

#[tokio::test]
async fn a_picture_from_an_earlier_life_stays_until_the_engine_knows_as_much() {
    let clock = Clock::start();
    let agents = switch([127, 0, 0, 78], clock);
    let at = agents.addresses()[0];
    let mut earlier = Console::start(at, clock, "").await;
    let seen = earlier.until("the host", |s| !s.hosts.is_empty()).await;
    earlier.end().await;
    let (mut console, plan) = Console::prepared(at, clock, "", Snapshot { revision: 0, ..(*seen).clone() });
    // A key is answered at once, and not with an empty screen.
    console.send(Command::Focus(None)).await;
    console.plans.send(plan).await.expect("the engine runs");
    let first = console.until("its own picture", |s| s.revision > 0).await;
    assert_eq!((first.revision, first.hosts.len()), (1, 1));
    console.end().await;
}

fn walked(snapshot: &Snapshot) -> Option<i64> {
    snapshot.devices.first().map(|d| d.table.collected_at.millis())
}

fn switch(address: [u8; 4], clock: Clock) -> SnmpAgents {
    let spec = AgentSpec {
        user: None,
        address: SocketAddr::from((address, 0)),
        name: "sw".to_owned(),
        community: "public".to_owned(),
        ports: 8,
        seed: 3,
    };
    SnmpAgents::start(vec![spec], clock).expect("the simulator starts")
}

#[tokio::test]
async fn a_watched_device_is_walked_as_fast_as_it_counts_until_told_to_stop() {
    let clock = Clock::start();
    let agents = switch([127, 0, 0, 79], clock);
    let mut console = Console::start(agents.addresses()[0], clock, "").await;
    let first = console.until("the first walk", |s| walked(s).is_some()).await;
    assert_eq!(first.engine.watch, None);

    console.send(Command::Watch(Some(AssetId::new("sw")))).await;
    let began = console.until("the watch", |s| s.engine.watch.is_some()).await;
    let watch = began.engine.watch.clone().expect("just seen");
    assert_eq!((watch.asset.as_str(), watch.refresh), ("sw", Pace::Measuring));
    assert!(watch.every >= Duration::from_secs(1) && watch.until > watch.since);
    // The agent counts all the time: it is asked as often as may be, and that is said. Its own pace is once a minute.
    let fast =
        console.until("a measured pace", |s| s.engine.watch.as_ref().is_some_and(|w| w.refresh == Pace::AsAsked)).await;
    let watch = fast.engine.watch.clone().expect("just seen");
    assert!(watch.took.is_some_and(|took| took * 4 <= watch.every), "{watch:?}");
    assert!(walked(&fast) > walked(&first));

    console.send(Command::Watch(None)).await;
    let over = console.until("its end", |s| s.engine.watch.is_none()).await;
    assert!(walked(&over) >= walked(&fast));

    // What is not polled for its ports is not watched, and that is said.
    console.send(Command::Watch(Some(AssetId::new("nobody")))).await;
    let said = tokio::time::timeout(DEADLINE, console.end.notices.recv()).await.expect("in time").expect("it runs");
    assert!(matches!(&said, Notice::Message(m) if m.text.line().contains("not polled")), "{said:?}");
    console.end().await;
}

/// What the program of the channel was given, a line for each message.
async fn told(file: &Path, lines: usize) -> Vec<String> {
    let read =
        || -> Vec<String> { std::fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect() };
    let begun = std::time::Instant::now();
    while read().len() < lines && begun.elapsed() < DEADLINE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    read()
}

#[tokio::test]
async fn people_are_told_of_a_lost_uplink_and_of_its_return_and_of_nothing_that_was_so_before() {
    let clock = Clock::start();
    let agents = switch([127, 0, 0, 78], clock);
    agents.set_link(0, 1, true);
    agents.set_link(0, 3, false);
    let folder = tempfile::tempdir().expect("a folder");
    let (program, file) = (folder.path().join("page"), folder.path().join("told"));
    let script = format!("#!/bin/sh\necho \"$NOCTTY_SUBJECT\" >> '{}'\n", file.display());
    std::fs::write(&program, script).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("mode");
    let more = format!(
        "[ports]\nuplink = [\"*\"]\n[[notify]]\nkind = \"exec\"\nargv = [\"{}\"]\nwait = \"0s\"\n",
        program.display()
    );
    let mut console = Console::start(agents.addresses()[0], clock, &more).await;
    let first = console.until("the first walk", |s| walked(s).is_some()).await;
    let up = |s: &Snapshot, at: usize| s.devices.first().map(|d| d.ports[at].state == PortState::Up);
    assert_eq!((up(&first, 1), up(&first, 3)), (Some(true), Some(false)));
    let name = first.devices[0].table.ports[1].label().line();
    console.send(Command::Watch(Some(AssetId::new("sw")))).await;
    agents.set_link(0, 1, false);
    console.until("the loss", |s| up(s, 1) == Some(false)).await;
    assert_eq!(told(&file, 1).await, [format!("link-lost sw {name}: uplink lost its link")]);
    agents.set_link(0, 1, true);
    console.until("its return", |s| up(s, 1) == Some(true)).await;
    assert_eq!(told(&file, 2).await[1..], [format!("OK sw {name} (was critical)")]);
    console.end().await;
}

/// A service that counts who comes, until it is told to end.
fn counted() -> (u16, Arc<AtomicUsize>, Arc<AtomicBool>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("set");
    let port = listener.local_addr().expect("bound").port();
    let (asked, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (counter, end) = (asked.clone(), over.clone());
    std::thread::spawn(move || {
        while !end.load(Ordering::Relaxed) {
            match listener.accept() {
                Ok(_) => drop(counter.fetch_add(1, Ordering::Relaxed)),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    });
    (port, asked, over)
}

#[test]
fn a_key_has_a_host_asked_each_second_and_its_end_is_found_though_its_turn_is_an_hour_away() {
    let (port, asked, over) = counted();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("noctty.toml");
    let check = format!("{{ kind = \"tcp\", port = {port}, interval = \"1h\" }}");
    let text = format!("[[host]]\nname = \"here\"\naddress = \"127.0.0.1\"\nchecks = [{check}]\n");
    std::fs::write(&file, text).expect("written");
    let arguments = ["--config".to_owned(), file.display().to_string()];
    let mut console = Launch::new((120, 30)).arguments(arguments).start();
    console.until("it is asked once", |_| asked.load(Ordering::Relaxed) > 0);
    console.insists("2", "[2 Hosts]");
    console.shows("● here");
    console.press("w");
    console.shows("1 watched");
    console.until("it is asked again and again", |_| asked.load(Ordering::Relaxed) > 4);
    over.store(true, Ordering::Relaxed);
    console.shows("■ here");
    console.press("w");
    console.shows("is watched no more");
    console.until("nothing is watched", |c| !c.text().contains("1 watched"));
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
}
