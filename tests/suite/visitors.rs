//! An engine and those who visit it by its door: in whose name they write, and what they are told they may not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use noctty::attach::{self, Doors, Guest, Link, News, Order};
use noctty::base::{Clock, Untrusted};
use noctty::bus::{self, Door, Notice, ScreenEnd, Ticket};
use noctty::config::load;
use noctty::engine;
use noctty::engine::records::Records;
use noctty::engine::run::{Company, Setup, run_in_company};
use noctty::engine::schedule::Schedule;
use noctty::model::{AssetId, Policy, Role, Stickiness, Target};
use noctty::net::Net;
use noctty::ssh::Surroundings;
use noctty::state::{Mode, Snapshot};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(30);

/// An engine that polls nothing and keeps what is written.
async fn engine(state: &std::path::Path, clock: Clock, stop: CancellationToken) -> (ScreenEnd, Door) {
    let config = load::parse("v.toml", "[[host]]\nname = \"core\"\nchecks = []\n".to_owned()).expect("it is right");
    let (plan, _) = engine::bind::bind(&config).expect("it can be bound");
    let (screen, end) = bus::pair(Arc::<Snapshot>::default());
    let (sender, plans) = mpsc::channel(1);
    sender.send(plan).await.expect("room");
    let (event_sender, events) = mpsc::channel(64);
    let (door, visitors) = bus::visitors();
    let setup = Setup {
        clock,
        net: Net::new(clock),
        mode: Mode::Polling,
        policy: Policy::default(),
        end,
        plans,
        events,
        event_sender: event_sender.clone(),
        discover_all: None,
        records: Some(Records::start(Some(state.to_owned()), clock, event_sender)),
        machine: None,
        ssh: Surroundings::from_environment(),
        schedule: Schedule::default(),
        stop,
    };
    tokio::spawn(run_in_company(setup, Company { visitors: Some(visitors), ..Company::default() }));
    (screen, door)
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("in time")
}

/// What one visitor is answered who takes a problem on.
async fn claim(socket: &std::path::Path, clock: Clock, who: &str) -> Notice {
    claim_by(Link::dial(socket, |_| true, clock, who).await.expect("let in")).await
}

/// The same of whoever is let in already.
pub async fn claim_by(link: Link) -> Notice {
    let (orders, outgoing) = mpsc::channel(4);
    let (sender, mut news) = mpsc::channel(4);
    tokio::spawn(link.run(outgoing, sender));
    let order = Order::Claim {
        over: None,
        ticket: Ticket(1),
        target: Target::Host(AssetId::new("core")),
        owner: None,
        note: "on it".into(),
        lasts: Duration::from_secs(3600),
        stickiness: Stickiness::Sticky,
    };
    orders.send(order).await.expect("the link runs");
    in_time(async {
        loop {
            let one = news.recv().await.expect("the link runs");
            if let News::Notice(notice @ (Notice::Saved { .. } | Notice::NotSaved { .. })) = one {
                return notice;
            }
        }
    })
    .await
}

/// What whoever listens there shows, for as long as it runs.
pub async fn looked_at(socket: &std::path::Path) -> watch::Receiver<Snapshot> {
    let began = Instant::now();
    let link = loop {
        match Link::dial(socket, |_| true, Clock::start(), "the test").await {
            Ok(link) => break link,
            Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let (keeper, snapshots) = watch::channel(Snapshot::default());
    let (sender, mut news) = mpsc::channel(4);
    let (orders, outgoing) = mpsc::channel(1);
    tokio::spawn(link.run(outgoing, sender));
    tokio::spawn(async move {
        let _kept = orders;
        while let Some(one) = news.recv().await {
            if let News::Snapshot(snapshot) = one {
                keeper.send_replace(*snapshot);
            }
        }
    });
    snapshots
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_in_the_visitors_name_and_who_may_only_look_is_told_what_it_would_take() {
    let folder = tempfile::tempdir().expect("a folder");
    let (clock, stop) = (Clock::start(), CancellationToken::new());
    let (mut screen, door) = engine(folder.path(), clock, stop.clone()).await;
    let socket = folder.path().join("door");
    let doors = Doors {
        clock,
        snapshots: screen.snapshots.clone(),
        door,
        admit: Arc::new(|_, author| {
            let role = if author == "vera" { Role::View } else { Role::Operate };
            Ok(Guest { author: Untrusted::from(author), role, holders: None, asks: false })
        }),
        user: "root".into(),
        configuration: None,
    };
    tokio::spawn(attach::serve(attach::listen(&socket, 0o600).expect("a socket"), doors));
    let refused = claim(&socket, clock, "vera").await;
    let Notice::NotSaved { ticket: Ticket(1), reason } = &refused else { panic!("{refused:?}") };
    assert_eq!(&**reason, "your role here is view: that needs operate");
    let saved = claim(&socket, clock, "anna").await;
    let Notice::Saved { entry, .. } = &saved else { panic!("{saved:?}") };
    assert_eq!(entry.author.line(), "anna");
    let target = Target::Host(AssetId::new("core"));
    let seen = in_time(screen.snapshots.wait_for(|now| now.acks.contains_key(&target))).await.expect("it runs");
    assert_eq!(seen.acks[&target].claim.owner.line(), "anna");
    assert_eq!(seen.deeds.iter().map(|deed| deed.author.line()).collect::<Vec<_>>(), ["anna"]);
    drop(seen);
    stop.cancel();
}
