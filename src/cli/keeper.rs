//! Who polls for a console: its own engine, or one that is there already. Of all consoles on one state directory one
//! polls; the others show what it says, and one of them takes over when it is gone.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, bail};
use futures_util::FutureExt as _;
use tokio::net::UnixListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::falls::Falls;
use super::plans::Supply;
use super::way::Way;
use super::{logging, state_dir};
use crate::attach::{self, Admit, Doors, Guest, Link, LinkError, Seat, Taken, picture};
use crate::base::{Clock, Untrusted, text};
use crate::bus::{self, Door, MessageWeight};
use crate::engine::Plan;
use crate::engine::desk::{Desk, Outcome, Rest};
use crate::engine::records::Records;
use crate::engine::run::{Broken, Setup, live};
use crate::engine::schedule::Schedule;
use crate::engine::supervise::panic_words;
use crate::model::{Policy, Role};
use crate::net::Net;
use crate::ssh::Surroundings;
use crate::state::{self, Mode, Snapshot};

/// How long an engine that has just begun may take to open its door before the console goes on without it.
const BEGINNING: Duration = Duration::from_secs(2);
/// How often somebody who waits looks for an engine.
const LOOK: Duration = Duration::from_millis(100);
/// How often what nobody polls any more is looked at for its age.
const LOOK_AT_AGE: Duration = Duration::from_secs(1);
/// The last picture, in the state directory, and how often it is kept while the engine runs.
const PICTURE: &str = "last.picture";
const PICTURE_EVERY: Duration = Duration::from_secs(300);
/// An engine that ended so soon may not have seen as much as the one before it.
const YOUNG: Duration = Duration::from_secs(20);

/// Where the picture comes from.
#[derive(Debug)]
pub enum Post {
    /// From an engine in this process; with the right to serve others, where there is one.
    Engine(Option<Seat>),
    Attached(Box<Link>),
    /// From nowhere yet; why, in words.
    Waiting(String),
}

/// What an engine in this process would begin with.
pub struct Means {
    pub clock: Clock,
    pub mode: Mode,
    pub state: Option<PathBuf>,
    pub ssh: Surroundings,
    /// `None` where this console never polls itself.
    pub plans: Option<Supply>,
    pub configuration: Option<PathBuf>,
    pub way: Way,
    /// Why somebody else's engine is shown, where nobody asked for it.
    pub why: Option<String>,
    pub stop: CancellationToken,
    /// How its engines have ended.
    pub past: Past,
}

/// What became of the engines of this console.
#[derive(Debug, Default)]
pub struct Past {
    falls: Falls,
    /// The last one served nobody else.
    alone: bool,
}

impl std::fmt::Debug for Means {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Means").field("state", &self.state).field("way", &self.way).finish_non_exhaustive()
    }
}

/// Looks who polls for the state directory, before there is a screen.
///
/// # Errors
/// Another noctty polls there, and the two do not fit; in words.
pub async fn choose(state: Option<&Path>, mode: Mode, clock: Clock) -> Result<Post> {
    let Some(directory) = state else { return Ok(Post::Engine(None)) };
    if state_dir::prepare(directory).is_err() {
        // Said by the records, and on the screen.
        return Ok(Post::Engine(None));
    }
    let way = Way::Here(directory.to_owned());
    if mode == Mode::Passive {
        // Whoever sends nothing takes no seat that others would poll from.
        return Ok(way.dial(clock).await.map_or(Post::Engine(None), |link| Post::Attached(Box::new(link))));
    }
    let began = Instant::now();
    loop {
        let who = match Seat::take(directory) {
            Err(error) => {
                tracing::warn!(%error, "nobody can attach");
                return Ok(Post::Engine(None));
            }
            Ok(Taken::Ours(seat)) => return Ok(Post::Engine(Some(seat))),
            Ok(Taken::Theirs(who)) => process_words(who),
        };
        match way.dial(clock).await {
            Ok(link) => return Ok(Post::Attached(Box::new(link))),
            Err(LinkError::Refused(words)) => bail!(
                "{who} polls for {} already, and this console cannot attach to it: {words}. End that one first, or \
                 name another directory with --state",
                super::shown(directory)
            ),
            Err(_) if began.elapsed() < BEGINNING => tokio::time::sleep(LOOK / 4).await,
            Err(error) => return Ok(Post::Waiting(format!("{who} polls here and does not answer ({error})"))),
        }
    }
}

/// What was known when a console last ended here, if it had this configuration.
pub(super) fn picture(state: Option<&Path>, clock: Clock, configuration: Option<&Path>) -> Option<Snapshot> {
    let bytes = std::fs::read(state?.join(PICTURE)).ok()?;
    picture::take(&bytes, clock, &configuration.map(named).unwrap_or_default())
}

/// The newest picture, on its way to the disk now and then, and once more when the engine has ended.
#[derive(Clone)]
struct Album {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    place: PathBuf,
    clock: Clock,
    configuration: String,
    /// Of the one that is on disk.
    revision: u64,
    /// When this engine began, where it began with what is on disk.
    recalled: Option<Instant>,
}

impl Album {
    async fn fill(mut self) {
        loop {
            tokio::time::sleep(PICTURE_EVERY).await;
            self.add().await;
        }
    }

    async fn add(&mut self) {
        if self.recalled.is_some_and(|began| began.elapsed() < YOUNG) {
            return;
        }
        let snapshot = self.snapshots.borrow().clone();
        // Nothing was seen since, or nothing at all yet.
        if snapshot.revision == self.revision || snapshot.hosts.is_empty() {
            return;
        }
        self.revision = snapshot.revision;
        let (place, clock, configuration) = (self.place.clone(), self.clock, self.configuration.clone());
        let write = move || state_dir::replace(&place, &picture::put(&snapshot, clock, &configuration));
        if let Ok(Err(error)) = tokio::task::spawn_blocking(write).await {
            tracing::debug!(%error, "the last picture is not kept");
        }
    }
}

/// A configuration as both sides call it, wherever each was started.
pub(super) fn named(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

pub(super) fn process_words(process: Option<u32>) -> String {
    process.map_or_else(|| "another noctty".to_owned(), |process| format!("noctty, pid {process},"))
}

async fn from_one_to_the_next(mut desk: Desk, mut post: Post, mut means: Means) {
    let mut lost: Option<String> = None;
    loop {
        post = match post {
            Post::Engine(seat) => {
                if let Some(gone) = lost.take() {
                    desk.say(MessageWeight::Warning, &format!("{gone} is gone: this console polls now"));
                }
                let Some(broken) = Box::pin(poll(desk, seat, &mut means)).await else { return };
                let why = means.past.falls.broke(&broken.words, tokio::time::Instant::now());
                desk = Desk::after(means.clock, means.mode, *broken, means.stop.clone());
                lost = Some("the engine that broke".to_owned());
                Post::Waiting(why)
            }
            Post::Attached(link) => {
                let who = link.welcome.who();
                if lost.is_some() {
                    desk.say(MessageWeight::Note, &format!("attached to {who}"));
                } else {
                    welcome(&desk, &link, &means);
                }
                let attached = means.way.attached(&link.welcome);
                lost = Some(who.clone());
                match desk.attend(*link, attached).await {
                    Outcome::Left => return,
                    Outcome::Lost(why) => Post::Waiting(format!("{who} is gone ({why})")),
                }
            }
            Post::Waiting(why) => match desk.wait(&why, Box::pin(next(&mut means))).await {
                Some(post) => post,
                None => return,
            },
        };
    }
}

/// Keeps a picture coming until the operator leaves. Where that ends by an internal error, it is to be seen that nothing is
/// polled any more, and how old all is.
pub async fn keep(desk: Desk, post: Post, means: Means) {
    let (snapshots, clock, stop) = (desk.end.snapshots.clone(), means.clock, means.stop.clone());
    tell_of_panic(from_one_to_the_next(desk, post, means), &snapshots, clock, stop).await;
}

async fn tell_of_panic(
    keeping: impl Future<Output = ()>,
    snapshots: &watch::Sender<Arc<Snapshot>>,
    clock: Clock,
    stop: CancellationToken,
) {
    let Err(panic) = AssertUnwindSafe(keeping).catch_unwind().await else { return };
    let words = panic_words(panic.as_ref());
    tracing::error!(%words, "the engine panicked");
    let what = format!("internal error of the engine: {words}; leave and begin anew").into();
    let since = clock.now();
    let link = state::Link::Lost { since, what };
    let mut older = Some((**snapshots.borrow()).clone());
    loop {
        if let Some(mut shown) = older.take() {
            shown.revision += 1;
            shown.engine.link = link.clone();
            snapshots.send_replace(Arc::new(shown));
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_AT_AGE) => {}
        }
        older = snapshots.borrow().aged(&Policy::default(), clock.now());
    }
}

/// What is worth knowing about an engine of somebody else's making.
fn welcome(desk: &Desk, link: &Link, means: &Means) {
    let theirs = link.welcome.configuration.as_deref();
    let ours = means.configuration.as_deref().map(named);
    let who = link.welcome.who();
    if let Some(why) = &means.why {
        desk.say(MessageWeight::Note, why);
    } else if let Some(ours) = ours
        && theirs != Some(&*ours)
    {
        let theirs = theirs.map_or_else(|| "what it found by itself".to_owned(), text::clean);
        let words = format!("attached to {who}, which polls {theirs}; {} is not in force", text::clean(&ours));
        desk.say(MessageWeight::Warning, &words);
    } else {
        desk.say(MessageWeight::Note, &format!("attached to {who}: one of you polls, both see it"));
    }
}

/// An engine here, where this console may have one now.
fn own(means: &Means) -> Option<Post> {
    let may = means.plans.is_some() && means.past.falls.permit(tokio::time::Instant::now());
    match (&means.way, means.mode) {
        _ if !may => None,
        _ if means.past.alone => Some(Post::Engine(None)),
        (Way::Here(directory), Mode::Polling | Mode::Paused) => match Seat::take(directory) {
            Ok(Taken::Ours(seat)) => Some(Post::Engine(Some(seat))),
            Ok(Taken::Theirs(_)) | Err(_) => None,
        },
        (Way::Here(_) | Way::Socket(_) | Way::Far(_) | Way::As(..), _) => None,
    }
}

/// Where the picture comes from next: from whoever polls now, or from here.
async fn next(means: &mut Means) -> Post {
    let mut refused = None;
    loop {
        if let Some(post) = own(means) {
            return post;
        }
        match means.way.dial(means.clock).await {
            Ok(link) => return Post::Attached(Box::new(link)),
            Err(LinkError::Refused(words)) if refused.as_ref() != Some(&words) => {
                tracing::warn!(%words, "cannot attach again");
                refused = Some(words);
            }
            Err(error) => tracing::debug!(%error, "no engine yet"),
        }
        tokio::time::sleep(means.way.patience().max(LOOK)).await;
    }
}

/// Runs the engine of this process, and serves whoever comes. What is left of it where it broke.
async fn poll(desk: Desk, seat: Option<Seat>, means: &mut Means) -> Option<Box<Broken>> {
    let Means { clock, mode, state, ssh, plans, configuration, way: _, why: _, stop, past } = means;
    let supply = plans.as_mut()?;
    past.alone = seat.is_none();
    let (clock, mode) = (*clock, *mode);
    let mut found = supply.begin(desk.event_sender());
    let (door, visitors) = bus::visitors();
    let listener = seat.as_ref().and_then(|seat| {
        seat.listen().inspect_err(|error| desk.say(MessageWeight::Warning, &format!("nobody can attach: {error}"))).ok()
    });
    let plan = plan_at_hand(&desk, &mut found).await;
    let Rest { end, events, event_sender, company } = desk.hand_over(listener.is_some().then_some(visitors), plan);
    let album = state.as_ref().map(|state| Album {
        recalled: (!end.snapshots.borrow().hosts.is_empty()).then(Instant::now),
        snapshots: end.snapshots.subscribe(),
        place: state.join(PICTURE),
        clock,
        configuration: configuration.as_deref().map(named).unwrap_or_default(),
        revision: 0,
    });
    // Both end with the engine, however it does: nobody is shown one that is dead.
    let mut beside = JoinSet::new();
    if let Some(album) = album.clone() {
        beside.spawn(album.fill());
    }
    if let Some(listener) = listener {
        beside.spawn(serve_own(listener, end.snapshots.subscribe(), door, clock, configuration.clone()));
    }
    let setup = Setup {
        clock,
        net: Net::new(clock),
        mode,
        policy: Policy::default(),
        end,
        plans: found,
        events,
        event_sender: event_sender.clone(),
        discover_all: Some(supply.confirm()),
        records: Some(Records::start(state.clone(), clock, event_sender)),
        machine: Some("/".into()),
        ssh: ssh.clone(),
        schedule: Schedule::default(),
        stop: stop.clone(),
    };
    let ended = Box::pin(live(setup, company)).await;
    drop(beside);
    if let (Some(mut album), true) = (album, ended.is_ok()) {
        album.add().await;
    }
    // Whoever takes over finds everything on disk.
    drop(seat);
    ended.err()
}

/// Whoever takes over goes on from what is shown, and not from nothing.
pub(super) async fn plan_at_hand(desk: &Desk, found: &mut mpsc::Receiver<Plan>) -> Option<Plan> {
    if !desk.has_seen_anything() {
        return None;
    }
    tokio::time::timeout(BEGINNING, found.recv()).await.ok().flatten()
}

/// Serves the consoles of this user.
pub async fn serve_own(
    listener: UnixListener,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    door: Door,
    clock: Clock,
    configuration: Option<PathBuf>,
) {
    let admit = only(rustix::process::geteuid().as_raw());
    let user = crate::engine::own_author().line();
    let configuration = configuration.as_deref().map(named);
    attach::serve(listener, Doors { clock, snapshots, door, admit, user, configuration }).await;
}

/// Lets in that user and nobody else.
fn only(own: u32) -> Admit {
    Arc::new(move |peer, author| {
        if peer.user != own {
            return Err(format!("this engine is user {own}'s, and you are user {}", peer.user));
        }
        Ok(Guest { author: Untrusted::from(author), role: Role::Admin, holders: None, asks: false })
    })
}

/// The log, for whoever does not poll.
pub fn log_beside(state: Option<PathBuf>) {
    // Files may be slow; nothing waits for this one.
    let _ = std::thread::Builder::new().name("log".to_owned()).spawn(move || logging::start(state.as_deref()));
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::bus::{Command, Notice, Ticket};
    use crate::config::load;
    use crate::engine::bind;
    use crate::engine::plan::Runner;
    use crate::engine::run::BREAKS;
    use crate::model::{AssetId, Reading, Urgency, Wire};
    use crate::probe::{Cx, Probe, Running};

    /// A check of whose next result its engine panics, once that is asked for.
    #[derive(Debug, Default)]
    pub struct Odd(AtomicBool);

    impl Odd {
        pub fn break_once(&self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    impl Probe for Odd {
        fn run<'a>(&'a self, _: &'a Cx) -> Running<'a> {
            Box::pin(async {
                let breaks = self.0.swap(false, Ordering::Relaxed);
                Reading::ok(if breaks { BREAKS } else { "well" })
            })
        }

        fn wire(&self) -> Wire {
            Wire { protocol: "none".into(), destination: "".into() }
        }
    }

    /// A host with that check, which is run all the time.
    pub fn odd(probe: &Arc<Odd>) -> Plan {
        let text = "[[host]]\nname = \"core\"\naddress = \"127.0.0.1\"\nchecks = [\"ssh\"]\n";
        let config = load::parse("n.toml", text.to_owned()).expect("it is right");
        let (mut plan, _) = bind::bind(&config).expect("it can be bound");
        let mut inventory = (*plan.inventory).clone();
        for bound in &mut plan.checks {
            bound.run = Runner::Probe(probe.clone(), None);
            let spec = Arc::make_mut(&mut bound.spec);
            (spec.interval, spec.retry_interval) = (Duration::from_millis(100), Duration::from_millis(100));
        }
        inventory.checks = plan.checks.iter().map(|bound| bound.spec.clone()).collect();
        plan.inventory = Arc::new(inventory);
        plan
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_engine_that_breaks_is_said_at_once_nothing_stays_green_and_the_next_goes_on_from_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = Some(folder.path().to_owned());
        let (clock, stop) = (Clock::start(), CancellationToken::new());
        let (mut screen, end) = bus::pair(Arc::new(Snapshot { at: clock.now(), ..Snapshot::default() }));
        let ssh = Surroundings::from_environment();
        let desk = Desk::new(clock, Mode::Polling, end, ssh.clone(), crate::ssh::Names::default(), stop.clone());
        let probe = Arc::<Odd>::default();
        let plan = odd(&probe);
        let post = choose(state.as_deref(), Mode::Polling, clock).await.expect("nobody else polls");
        assert!(matches!(post, Post::Engine(Some(_))));
        let plans: super::super::plans::Plans = Box::new(move |plans, _, _| {
            let _ = plans.blocking_send(plan);
        });
        let means = Means {
            clock,
            mode: Mode::Polling,
            state,
            ssh,
            plans: Some(Supply::new(plans)),
            configuration: None,
            way: Way::Here(folder.path().to_owned()),
            why: None,
            stop: stop.clone(),
            past: Past::default(),
        };
        let keeping = tokio::spawn(keep(desk, post, means));
        let core = AssetId::new("core");
        let is_well = |shown: &Snapshot| {
            let host = shown.host(&core);
            host.is_some_and(|host| host.condition == crate::model::Condition::Ok && !host.stale)
        };
        screen.snapshots.wait_for(|shown| is_well(shown)).await.expect("it runs");
        let ticket = Ticket(1);
        let open = Command::OpenIncident { ticket, title: "core down".into(), urgency: Urgency::Sev1 };
        screen.commands.send(open).await.expect("it runs");
        while !matches!(screen.notices.recv().await.expect("it runs"), Notice::Saved { .. }) {}
        probe.break_once();
        let is_lost = |shown: &Arc<Snapshot>| matches!(&shown.engine.link, state::Link::Lost { .. });
        let lost = screen.snapshots.wait_for(is_lost).await.expect("it goes on").clone();
        let what = |shown: &Snapshot| match &shown.engine.link {
            state::Link::Lost { what, .. } => what.to_string(),
            state::Link::Own | state::Link::Attached(_) => String::new(),
        };
        let why = "internal error of the engine: a list that is too short";
        assert!(what(&lost).starts_with(why), "{}", what(&lost));
        assert!(lost.host(&core).expect("it is there").stale, "what nobody looks at is not green");
        assert_eq!((lost.totals.hosts, lost.totals.hosts_ok, lost.incidents.len()), (1, 0, 1));
        let again = |shown: &Arc<Snapshot>| what(shown) == format!("{why}; it begins again in 2 s (1 of 3)");
        let _ = screen.snapshots.wait_for(again).await.expect("it says when");
        // What is written meanwhile is not lost in silence.
        let ticket = Ticket(2);
        let open = Command::OpenIncident { ticket, title: "another".into(), urgency: Urgency::Sev2 };
        screen.commands.send(open).await.expect("it runs");
        loop {
            match screen.notices.recv().await.expect("it runs") {
                Notice::NotSaved { ticket: Ticket(2), reason } => {
                    assert_eq!(&*reason, "there is no engine at the moment");
                    break;
                }
                Notice::Saved { entry, .. } => panic!("{entry:?}"),
                _ => {}
            }
        }
        let again = |shown: &Arc<Snapshot>| shown.engine.link == state::Link::Own && is_well(shown);
        let shown = screen.snapshots.wait_for(again).await.expect("it goes on").clone();
        assert_eq!(shown.incidents[0].title.line(), "core down");
        stop.cancel();
        keeping.await.expect("no panic");
    }

    #[test]
    fn one_configuration_has_one_name_however_it_was_given() {
        let folder = std::env::current_dir().expect("a folder");
        assert_eq!(named(Path::new("n.toml")), named(&folder.join("n.toml")));
        assert_ne!(named(Path::new("n.toml")), named(Path::new("/n.toml")));
    }

    #[tokio::test]
    async fn the_last_picture_is_kept_for_its_owner_and_shown_to_whoever_has_the_same_configuration() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::start();
        let (sender, snapshots) = watch::channel(Arc::<Snapshot>::default());
        let (place, here) = (folder.path().join(PICTURE), Path::new("/etc/noctty/noctty.toml"));
        let configuration = named(here);
        let mut album = Album { snapshots, place: place.clone(), clock, configuration, revision: 0, recalled: None };
        album.add().await;
        assert!(!place.exists(), "nothing was seen");
        sender.send_replace(Arc::new(attach::tests::filled()));
        Album { recalled: Some(Instant::now()), ..album.clone() }.add().await;
        assert!(!place.exists(), "an engine that has just begun knows no better than the one before it");
        album.add().await;
        let mode = std::fs::metadata(&place).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let found = picture(Some(folder.path()), clock, Some(here)).expect("a picture");
        assert!(!found.hosts.is_empty());
        assert!(picture(Some(folder.path()), clock, None).is_none());
        let before = std::fs::read(&place).expect("it reads");
        album.place = folder.path().join("none").join(PICTURE);
        album.revision = 0;
        album.add().await;
        assert_eq!(std::fs::read(&place).expect("it reads"), before, "what cannot be written costs nothing");
        assert_eq!(std::fs::read_dir(folder.path()).expect("it reads").count(), 1);
    }

    #[tokio::test]
    async fn an_engine_that_panics_is_seen_to_poll_nothing_and_what_it_showed_grows_old() {
        let (clock, stop) = (Clock::start(), CancellationToken::new());
        let mut first = attach::tests::filled();
        first.revision = 7;
        let (sender, mut snapshots) = watch::channel(Arc::new(first));
        let panics = async { panic!("a list that is too short") };
        let ends = stop.clone();
        let telling = tokio::spawn(async move { tell_of_panic(panics, &sender, clock, ends).await });
        let is_lost = |shown: &Arc<Snapshot>| match &shown.engine.link {
            state::Link::Lost { what, .. } => {
                assert_eq!(&**what, "internal error of the engine: a list that is too short; leave and begin anew");
                shown.revision > 7
            }
            state::Link::Own | state::Link::Attached(_) => false,
        };
        snapshots.wait_for(is_lost).await.expect("it goes on");
        stop.cancel();
        telling.await.expect("no panic");
        // Who is left in order has nothing to say.
        let (sender, snapshots) = watch::channel(Arc::<Snapshot>::default());
        tell_of_panic(std::future::ready(()), &sender, clock, stop).await;
        assert!(!snapshots.has_changed().expect("it is there"));
    }

    /// An engine that takes itself for another user's.
    #[tokio::test]
    async fn another_user_is_refused_by_what_the_kernel_says_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (here, there) = (folder.path().join("here"), folder.path().join("there"));
        let own = rustix::process::geteuid().as_raw();
        let clock = Clock::start();
        for (path, user) in [(&here, own), (&there, own + 1)] {
            let listener = attach::listen(path, 0o600).expect("a socket");
            let (sender, snapshots) = watch::channel(Arc::default());
            let (door, mut visitors) = bus::visitors();
            let admit = only(user);
            let doors = Doors { clock, snapshots, door, admit, user: "somebody".into(), configuration: None };
            tokio::spawn(attach::serve(listener, doors));
            // Both ends stay open for as long as the test lasts.
            tokio::spawn(async move {
                visitors.visits.recv().await;
                drop(sender);
            });
        }
        assert!(Link::dial(&here, |_| true, clock, "anna").await.is_ok());
        let refused = Link::dial(&there, |_| true, clock, "anna").await.expect_err("another user's");
        assert_eq!(refused.to_string(), format!("this engine is user {}'s, and you are user {own}", own + 1));
        let distrusted = Link::dial(&here, |user| user != own, clock, "anna").await.expect_err("not trusted");
        assert!(distrusted.to_string().contains(&format!("belongs to user {own}")), "{distrusted}");
    }
}
