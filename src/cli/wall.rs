//! `noctty wall`: the engine, and a view of it on a terminal that nobody sits at. The view is the only thing that the screen gets:
//! no command can be sent from it, and the engine has no end that would take one. Where another noctty polls for the same state
//! directory, its pictures are shown instead, over a connection that takes no orders.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _, bail};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::falls::Endless;
use super::plans::{self, Plans, Source, Supply};
use super::{Globals, complain, keeper, state_dir, themes, view};
use crate::attach::{self, News, Onlooker};
use crate::base::Clock;
use crate::base::options::Problem;
use crate::bus::{self, ViewEnd};
use crate::config::theme::ThemeChoice;
use crate::config::{Config, UiOptions, WallOptions, salvage};
use crate::engine::desk::{Desk, Rest};
use crate::engine::records::Records;
use crate::engine::run::{Setup, live};
use crate::engine::schedule::Schedule;
use crate::model::Policy;
use crate::net::Net;
use crate::ssh::{Names, Surroundings};
use crate::state::{Link, Mode, Snapshot};
use crate::ui::app::wall::Walls;
use crate::ui::frame::Capabilities;
use crate::ui::run::Terminal;
use crate::ui::terminal::{capabilities, guard};
use crate::ui::wall::Wall;
use crate::ui::wall::view::View;

#[derive(Debug, clap::Args)]
pub struct WallArgs {
    /// Only this page, by its title or its form (problems, grid, digits, ports, backups, incident); may be given again
    #[arg(long, value_name = "PAGE")]
    page: Vec<String>,
    /// The theme, instead of the configuration's
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,
}

/// So often a wall looks for an engine of another's.
const LOOK: Duration = Duration::from_secs(5);

pub fn run(args: &WallArgs, globals: &Globals) -> Result<ExitCode> {
    let (source, config, problems) = match super::config_file(globals) {
        None => (Source::Discovered, Config::default(), Vec::new()),
        Some(path) if globals.config.is_some() && !path.exists() => bail!("there is no {}", super::shown(&path)),
        Some(path) => {
            let (plan, config, problems) = plans::salvaged(&path);
            (Source::Configured(Box::new(plan)), config, problems)
        }
    };
    let ssh = super::surroundings(&config.ssh);
    let plans = plans::source_plans(source, ssh.clone());
    show(plans, config.wall, &config.ui, (&args.page, args.theme.as_deref()), ssh, &problems, globals)
}

/// What the console raises in front of itself: the pages of that file as it is then; without one, each that has
/// something to show.
pub(super) fn walls(file: Option<PathBuf>, ui: UiOptions, capabilities: Capabilities) -> Walls {
    Walls::new(move |now| {
        let (config, mut problems) = file.as_deref().map(salvage::read).unwrap_or_default();
        let theme = config.wall.theme.clone().or_dark("wall");
        let (themes, more) = themes::start(&UiOptions { theme, ..ui.clone() }, capabilities);
        problems.extend(more);
        Wall::new(config.wall, themes, plans::trouble(&problems), now).in_front()
    })
}

/// Runs the wall on the given plans until it is told to end. `wanted` are pages and a theme that the command line names.
pub fn show(
    plans: Plans,
    options: WallOptions,
    ui: &UiOptions,
    wanted: (&[String], Option<&str>),
    ssh: Surroundings,
    problems: &[Problem],
    globals: &Globals,
) -> Result<ExitCode> {
    let clock = Clock::start();
    let options = match options.only(wanted.0) {
        Ok(options) => options,
        Err(why) => bail!("{why}"),
    };
    let mut capabilities = capabilities::detect(|name| std::env::var(name).ok());
    capabilities.unicode &= !ui.ascii;
    let theme = wanted.1.map_or_else(|| options.theme.clone().or_dark("wall"), ThemeChoice::named);
    let (themes, more) = themes::start(&UiOptions { theme, ..ui.clone() }, capabilities);
    view::install_panic_hook();
    if let Ok(program) = std::env::current_exe() {
        guard::station(program);
    }
    let asks = themes.asks_background() && capabilities::answers_queries(|name| std::env::var(name).ok());
    let (ends, coming) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let runtime = super::runtime()?;
    let poller = Poller { clock, ssh, globals: globals.clone(), stop: stop.clone() };
    let engines = runtime.spawn(poller.run(plans, ends));
    let mut wall = Wall::new(options, themes, plans::trouble(problems), clock.now());
    let mut view = View::new(coming);
    let screen = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let exit = screen.block_on(async {
        let terminal = Terminal::open(capabilities).wrap_err("a wall needs a terminal")?;
        let mut terminal = terminal.deaf();
        if asks {
            terminal.ask_background();
        }
        Ok::<_, color_eyre::Report>(crate::ui::run::run(&mut wall, &mut terminal, &mut view, clock).await?)
    });
    drop(view);
    stop.cancel();
    if runtime.block_on(async { tokio::time::timeout(Duration::from_secs(2), engines).await }).is_err() {
        tracing::warn!("the engine did not end in time");
    }
    runtime.shutdown_background();
    for problem in problems.iter().chain(&more) {
        complain(problem.render().trim_end());
    }
    Ok(view::exit_code(&exit?))
}

/// One engine after the other. One that goes on where another broke goes on in its view; each other one has a view of its own.
struct Poller {
    clock: Clock,
    ssh: Surroundings,
    globals: Globals,
    stop: CancellationToken,
}

/// How an engine of this wall ended.
enum Polled {
    Stopped,
    /// Another noctty polls now.
    Relieved(Onlooker),
    /// By itself; why, and what goes on where it panicked.
    Broke(String, Option<Box<Desk>>),
}

impl Poller {
    async fn run(self, plans: Plans, ends: mpsc::Sender<ViewEnd>) {
        let mut supply = Supply::new(plans);
        let mut falls = Endless::default();
        let mut other = self.look().await;
        // What goes on where an engine broke, and why it did.
        let (mut left, mut broke): (Option<Box<Desk>>, Option<String>) = (None, None);
        // The first picture waits for no file.
        keeper::log_beside(state_dir::choose(self.globals.state.as_deref()));
        while !self.stop.is_cancelled() {
            if let Some(onlooker) = other.take() {
                (left, broke) = (None, None);
                if self.show(onlooker, &ends).await.is_err() {
                    return;
                }
                // Another console may have taken over already.
                other = self.look().await;
                continue;
            }
            let mut desk = match left.take() {
                Some(desk) => desk,
                None => match self.begin(&ends).await {
                    Ok(desk) => Box::new(desk),
                    Err(Gone) => return,
                },
            };
            if let Some(why) = broke.take() {
                let wait = falls.broke(tokio::time::Instant::now());
                match desk.wait(&self.words(&why, wait), self.found_within(wait)).await {
                    Some(Some(found)) => {
                        other = Some(found);
                        continue;
                    }
                    Some(None) => {}
                    None => return,
                }
            }
            match self.poll(*desk, &mut supply).await {
                Polled::Stopped => return,
                Polled::Relieved(found) => {
                    tracing::info!("another noctty polls now: this wall shows what it says");
                    other = Some(found);
                }
                Polled::Broke(why, desk) => (broke, left) = (Some(why), desk),
            }
        }
    }

    /// What is said of an engine that ended by itself, and logged.
    fn words(&self, why: &str, wait: Duration) -> String {
        let again = self.clock.wall().plus(wait).utc_time_of_day();
        tracing::error!(why, again, "the engine ended by itself");
        format!("the next engine begins at {again}Z: {why}")
    }

    /// A view that nothing was shown in so far.
    async fn begin(&self, ends: &mpsc::Sender<ViewEnd>) -> Result<Desk, Gone> {
        let (view, end) = bus::view(Arc::new(Snapshot { at: self.clock.now(), ..Snapshot::default() }));
        ends.send(view).await.map_err(|_| Gone)?;
        Ok(Desk::new(self.clock, self.mode(), end, self.ssh.clone(), Names::default(), self.stop.clone()))
    }

    /// An engine, until it ends or another noctty polls.
    async fn poll(&self, desk: Desk, supply: &mut Supply) -> Polled {
        let stop = self.stop.child_token();
        let mut plans = supply.begin(desk.event_sender());
        let plan = keeper::plan_at_hand(&desk, &mut plans).await;
        let Rest { end, events, event_sender, company } = desk.hand_over(None, plan);
        let state = state_dir::choose(self.globals.state.as_deref());
        let setup = Setup {
            clock: self.clock,
            net: Net::new(self.clock),
            mode: self.mode(),
            policy: Policy::default(),
            end,
            plans,
            events,
            event_sender: event_sender.clone(),
            discover_all: None,
            records: Some(Records::start(state, self.clock, event_sender)),
            machine: Some("/".into()),
            ssh: self.ssh.clone(),
            schedule: Schedule::default(),
            stop: stop.clone(),
        };
        let mut engine = tokio::spawn(async move { Box::pin(live(setup, company)).await });
        let ended = tokio::select! {
            ended = &mut engine => ended,
            found = self.found() => {
                stop.cancel();
                if let Err(error) = engine.await {
                    tracing::error!(%error, "the engine did not end in order");
                }
                return Polled::Relieved(found);
            }
        };
        match ended {
            _ if self.stop.is_cancelled() => Polled::Stopped,
            Ok(Err(broken)) => {
                let why = format!("internal error of the engine: {}", broken.words);
                let desk = Desk::after(self.clock, self.mode(), *broken, self.stop.clone());
                Polled::Broke(why, Some(Box::new(desk)))
            }
            Ok(Ok(_)) => Polled::Broke("the engine ended by itself".to_owned(), None),
            Err(error) => Polled::Broke(format!("internal error at the end of the engine: {error}"), None),
        }
    }
}

/// The wall has been taken away.
struct Gone;

impl Poller {
    fn mode(&self) -> Mode {
        if self.globals.passive { Mode::Passive } else { Mode::Polling }
    }

    /// An engine that serves the same state directory, where there is one.
    async fn look(&self) -> Option<Onlooker> {
        let directory = state_dir::choose(self.globals.state.as_deref())?;
        let own = rustix::process::geteuid().as_raw();
        let socket = attach::socket_in(&directory);
        let author = crate::engine::own_author().line();
        let dialled = Onlooker::dial(&socket, |user| user == own, self.clock, &author).await;
        dialled.inspect_err(|error| tracing::debug!(%error, "no engine to look at")).ok()
    }

    /// The next that comes.
    async fn found(&self) -> Onlooker {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Some(onlooker) = self.look().await {
                return onlooker;
            }
        }
    }

    /// The same, for so long.
    async fn found_within(&self, wait: Duration) -> Option<Onlooker> {
        tokio::time::timeout(wait, self.found()).await.ok()
    }

    /// Shows what another engine says, until it is gone.
    async fn show(&self, onlooker: Onlooker, ends: &mpsc::Sender<ViewEnd>) -> Result<(), Gone> {
        let attached = Link::Attached(Arc::new(onlooker.welcome().attached()));
        let mut first = Snapshot { at: self.clock.now(), ..Snapshot::default() };
        first.engine.link = attached.clone();
        let (view, end) = bus::view(Arc::new(first));
        ends.send(view).await.map_err(|_| Gone)?;
        let (sender, mut news) = mpsc::channel(4);
        let mut running = std::pin::pin!(onlooker.run(sender));
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(Gone),
                Some(one) = news.recv() => match one {
                    // It comes from this machine: a moment later it is whole, and a wall shows nothing by halves.
                    News::Snapshot(snapshot) if !snapshot.awaited.is_nothing() => {}
                    News::Snapshot(mut snapshot) => {
                        snapshot.engine.link = attached.clone();
                        if self.globals.passive {
                            snapshot.engine.mode = Mode::Passive;
                        }
                        end.snapshots.send_replace(Arc::new(*snapshot));
                    }
                    // An engine that is silent is seen by the age of what it said last.
                    News::Notice(_) | News::Alive | News::Silent(_) => {}
                },
                ended = &mut running => {
                    tracing::warn!(why = ended.0, "the engine that was shown is gone");
                    return Ok(());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::keeper::tests::{Odd, odd};
    use crate::model::{AssetId, Condition};

    #[tokio::test(flavor = "multi_thread")]
    async fn an_engine_that_breaks_is_told_with_when_the_next_begins_and_that_one_goes_on_from_what_was_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let globals = Globals { state: Some(folder.path().to_owned()), ..Globals::default() };
        let (clock, stop) = (Clock::start(), CancellationToken::new());
        let probe = Arc::<Odd>::default();
        let plan = odd(&probe);
        let plans: Plans = Box::new(move |plans, _, _| {
            let _ = plans.blocking_send(plan);
        });
        let (sender, mut ends) = mpsc::channel(1);
        let poller = Poller { clock, ssh: Surroundings::from_environment(), globals, stop: stop.clone() };
        let polling = tokio::spawn(poller.run(plans, sender));
        let mut view = ends.recv().await.expect("it begins");
        let core = AssetId::new("core");
        let is_well = |shown: &Arc<Snapshot>| {
            let host = shown.host(&core);
            let is_fresh = host.is_some_and(|host| host.condition == Condition::Ok && !host.stale);
            is_fresh && shown.engine.link == Link::Own
        };
        view.snapshots.wait_for(is_well).await.expect("it runs");
        probe.break_once();
        let is_told = |shown: &Arc<Snapshot>| match &shown.engine.link {
            Link::Lost { what, .. } => what.starts_with("the next engine begins at "),
            Link::Own | Link::Attached(_) => false,
        };
        let lost = view.snapshots.wait_for(is_told).await.expect("it goes on").clone();
        let Link::Lost { what, .. } = &lost.engine.link else { panic!("{:?}", lost.engine.link) };
        assert!(what.ends_with("Z: internal error of the engine: a list that is too short"), "{what}");
        assert!(lost.host(&core).expect("it is there").stale, "what nobody looks at is not green");
        // In the same view, of which the host is never gone.
        loop {
            view.snapshots.changed().await.expect("it goes on");
            let shown = view.snapshots.borrow_and_update().clone();
            assert!(shown.host(&core).is_some());
            if is_well(&shown) {
                break;
            }
        }
        stop.cancel();
        polling.await.expect("no panic");
    }
}
