//! The console: the engine on threads of its own, the screen on the main thread, the bus between them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _, bail};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::attach::Way;
use super::keeper::{self, Means, Post};
use super::tour::Tours;
use super::{Globals, complain, session_file, state_dir, themes};
use crate::base::options::{Problem, Weight};
use crate::base::{Clock, Untrusted};
use crate::bus::{self, MessageWeight, ScreenEnd};
use crate::config::keymap::{self, Keymap};
use crate::config::{self, Config, UiOptions, salvage};
use crate::engine::desk::Desk;
use crate::engine::{Plan, bind, discover};
use crate::ssh::{SshConfig, Surroundings};
use crate::state::{EngineView, Event, Link, Mode, Snapshot};
use crate::ui::app::{self, App};
use crate::ui::clipboard::Clipboard;
use crate::ui::commands;
use crate::ui::frame::Capabilities;
use crate::ui::layouts::Layouts;
use crate::ui::run::{Exit, Terminal};
use crate::ui::terminal::{capabilities, guard, tty};
use crate::ui::themes::Themes;
use crate::ui::tour::{Stage, World};

/// How long the first picture of an engine that is near may take before there is a screen without it.
const FIRST_PICTURE: Duration = Duration::from_millis(80);

/// Where the engine's plans come from.
pub(super) enum Source {
    Configured(Box<Plan>),
    /// To be read beside the first frame.
    File(PathBuf, Findings),
    Discovered,
}

pub fn run(target: Option<String>, theme: Option<&str>, globals: &Globals) -> Result<ExitCode> {
    if let Some(exit) = super::attach::to_this_machine(target.as_deref(), theme, globals)? {
        return Ok(exit);
    }
    let Some(path) = super::config_file(globals) else {
        let ssh = super::surroundings(&Config::default().ssh);
        let ui = UiOptions::default().with_theme(theme);
        let (plans, findings) = (source_plans(Source::Discovered, ssh.clone()), Findings::default());
        return show(plans, target, &ui, ssh, findings, Opening::default(), globals);
    };
    if globals.config.is_some() && !path.exists() {
        bail!("there is no {}", super::shown(&path));
    }
    let findings = Findings::default();
    let Some((ui, ssh)) = config::glance(&path) else {
        let (plan, config, problems) = salvaged(&path);
        findings.are(problems);
        let ssh = super::surroundings(&config.ssh);
        let ui = config.ui.with_theme(theme);
        let plans = source_plans(Source::Configured(Box::new(plan)), ssh.clone());
        return show(plans, target, &ui, ssh, findings, Opening::default(), globals);
    };
    let ssh = super::surroundings(&ssh);
    let ui = ui.with_theme(theme);
    let plans = source_plans(Source::File(path, findings.clone()), ssh.clone());
    show(plans, target, &ui, ssh, findings, Opening::default(), globals)
}

/// What is wrong with a configuration, once it has been read.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    problems: Arc<OnceLock<Vec<Problem>>>,
    /// What stands above the panes.
    pub trouble: Arc<OnceLock<String>>,
}

impl Findings {
    pub fn are(&self, problems: Vec<Problem>) {
        if let Some(trouble) = trouble(&problems) {
            // It is read once.
            let _ = self.trouble.set(trouble);
        }
        let _ = self.problems.set(problems);
    }

    fn all(&self) -> &[Problem] {
        self.problems.get().map(Vec::as_slice).unwrap_or_default()
    }
}

/// What can be watched of a configuration, errors or not: at night a console with a hole is better than none, if it says
/// so.
pub(super) fn salvaged(path: &Path) -> (Plan, Config, Vec<Problem>) {
    let (config, mut problems) = salvage::read(path);
    let (profiles, wrong_profiles) = super::profiles::own(config.folder.as_deref());
    let (mut plan, more) = bind::bind_what_can_be(&config, profiles.as_ref());
    let wrong_profiles = wrong_profiles.iter().map(|problem| Arc::from(format!("device profile: {}", problem.message)));
    let remarks = problems.iter().map(|problem| Arc::from(problem.brief())).chain(wrong_profiles);
    Arc::make_mut(&mut plan.inventory).remarks.extend(remarks);
    problems.extend(more);
    (plan, config, problems)
}

/// What stands above the panes while the configuration has errors.
pub(super) fn trouble(problems: &[Problem]) -> Option<String> {
    let mut errors = problems.iter().filter(|problem| problem.weight == Weight::Error);
    let first = errors.next()?;
    let count = match errors.count() {
        0 => "1 error".to_owned(),
        more => format!("{} errors", more + 1),
    };
    Some(format!(
        "CONFIGURATION: {count}, not watched is what they touch; the log (:log) has them all: {}",
        first.brief()
    ))
}

pub use super::keeper::Plans;

pub(super) fn source_plans(source: Source, ssh: Surroundings) -> Plans {
    match source {
        Source::Configured(plan) => Box::new(move |plans, _, _| send_plan(*plan, ssh, &plans)),
        Source::File(path, findings) => Box::new(move |plans, _, _| {
            let (plan, _, problems) = salvaged(&path);
            findings.are(problems);
            send_plan(plan, ssh, &plans);
        }),
        Source::Discovered => Box::new(|plans, events, confirmed| {
            let places = discover::Places::system();
            let look = |all: bool| {
                let _ = events.blocking_send(Event::Discovering(true));
                discover::discover(&places, all, |plan| {
                    let _ = plans.blocking_send(plan);
                });
                let _ = events.blocking_send(Event::Discovering(false));
            };
            look(false);
            // The engine drops its end when it has asked, or when it ends.
            if confirmed.recv().is_ok() {
                look(true);
            }
        }),
    }
}

/// The plan at once, and again with what ssh_config calls its hosts and what they hang on by it: reading that may take long on a slow home.
pub fn send_plan(plan: Plan, ssh: Surroundings, plans: &mpsc::Sender<Plan>) {
    // The engine has not ended: it is about to start.
    let _ = plans.blocking_send(plan.clone());
    let config = SshConfig::load(ssh);
    let names = config.hosts().into_iter().map(|named| named.alias).collect();
    let named = plan.clone().with_ssh_names(&names);
    let hung = named.clone().unwrap_or(plan).with_inferred_parents(Some(&config), Path::new("/"));
    if let Some(better) = hung.or(named) {
        let _ = plans.blocking_send(better);
    }
}

/// What is shown, and how.
#[derive(Debug)]
pub struct View<'a> {
    pub target: Option<String>,
    pub ui: &'a UiOptions,
    /// Where the pages of the wall are written.
    pub wall: Option<PathBuf>,
    pub findings: Findings,
    /// Where notes and last known states are kept.
    pub state: Option<PathBuf>,
    pub opening: Opening,
}

/// What the console begins with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening {
    pub world: World,
    /// The tour is under way.
    pub tour: bool,
}

/// Where the picture comes from.
pub struct From {
    pub runtime: tokio::runtime::Runtime,
    pub clock: Clock,
    pub mode: Mode,
    pub way: Way,
    /// `None` where this console never polls itself.
    pub plans: Option<Plans>,
    pub configuration: Option<PathBuf>,
    pub ssh: Surroundings,
    /// Why somebody else's engine is shown, where nobody asked for it.
    pub why: Option<String>,
}

impl std::fmt::Debug for From {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("From").field("way", &self.way).finish_non_exhaustive()
    }
}

/// Runs the console on the given plans until it is left: with an engine of its own, or with the one that polls for the
/// same state directory already.
pub fn show(
    plans: Plans,
    target: Option<String>,
    ui: &UiOptions,
    ssh: Surroundings,
    findings: Findings,
    opening: Opening,
    globals: &Globals,
) -> Result<ExitCode> {
    let clock = Clock::start();
    let state = state_dir::choose(globals.state.as_deref());
    let mode = if globals.passive { Mode::Passive } else { Mode::Polling };
    let runtime = super::runtime()?;
    let post = runtime.block_on(keeper::choose(state.as_deref(), mode, clock))?;
    // Nothing on the way to the first frame waits for files or look-ups.
    keeper::log_beside(state.clone());
    let way = Way::Here(state.clone().unwrap_or_default());
    let configuration = super::config_file(globals);
    let wall = configuration.clone();
    let from = From { runtime, clock, mode, way, plans: Some(plans), configuration, ssh, why: None };
    view(View { target, ui, wall, findings, state, opening }, from, post)
}

/// Shows what comes from somewhere until it is left.
pub fn view(view: View<'_>, from: From, post: Post) -> Result<ExitCode> {
    let View { target, ui, wall, findings, state, opening } = view;
    let From { runtime: engine_runtime, clock, mode, way, plans, configuration, ssh, why } = from;
    let capabilities = {
        let mut found = capabilities::detect(|name| std::env::var(name).ok());
        found.unicode &= !ui.ascii;
        found
    };
    install_panic_hook();
    if let Ok(program) = std::env::current_exe() {
        guard::station(program);
    }
    // Somebody else's engine tells what it knows as soon.
    let known =
        matches!(post, Post::Engine(_)).then(|| keeper::picture(state.as_deref(), clock, configuration.as_deref()));
    let attached = matches!(post, Post::Attached(_));
    let first = known.flatten().unwrap_or_else(|| {
        // What somebody else's engine watches is on its way.
        let engine = EngineView { discovering: attached, ..EngineView::default() };
        Snapshot { at: clock.now(), engine, ..Snapshot::default() }
    });
    let (mut screen_end, engine_end) = bus::pair(Arc::new(first));
    let stop = CancellationToken::new();
    let system_ssh = system_ssh(&ssh);
    let desk = Desk::new(clock, mode, engine_end, ssh.clone(), stop.clone());
    let means = Means { clock, mode, state: state.clone(), ssh, plans, configuration, way, why, stop: stop.clone() };
    let engine = engine_runtime.spawn(keeper::keep(desk, post, means));
    let (keymap, themes, messages) = appearance(ui, capabilities);
    let commands = screen_end.commands.clone();
    let trouble = findings.trouble.clone();
    let clipboard = clipboard(state.as_deref());
    let now = clock.now();
    let setup =
        app::Setup { commands, keymap, themes, capabilities, target, system_ssh, messages, trouble, clipboard, now };
    let goes_there = setup.target.is_some();
    let mut app = App::new(setup);
    app.zone = jiff::tz::TimeZone::system();
    app.walls = Some(super::wall::walls(wall, ui.clone(), capabilities));
    if let Some(directory) = &state {
        let (earlier, keep) = super::messages::start(directory);
        app.logbook.go_on_from(earlier, keep);
    }
    let var = |name: &str| std::env::var(name).ok();
    app.pointer.on = capabilities::answers_queries(var) && ui.mouse.is_on(var);
    let (layouts, problems) = Layouts::new(&ui.layouts, ui.first_layout.as_ref());
    app.layouts = layouts;
    for problem in problems {
        app.say(MessageWeight::Warning, problem.brief());
    }
    if let Some(directory) = &state {
        let (session, said) = session_file::read(directory);
        if let Some(mut session) = session {
            if ui.first_layout.is_some() {
                session.layout.clear();
            }
            app.recall(session, !goes_there);
        }
        if let Some(said) = said {
            app.say(MessageWeight::Warning, said);
        }
    }
    let (views, wrong) = super::views::start(ui, state.as_deref());
    app.views = views;
    for words in wrong {
        app.say(MessageWeight::Warning, words);
    }
    if let Some((name, _)) = ui.first_view.as_ref().filter(|_| !goes_there)
        && app.views.named(name).is_some()
    {
        app.open_view(name);
    }
    app.world = opening.world;
    let mut stage = Stage::new(app, Box::new(Tours::new(clock)));
    if opening.tour {
        stage.start(clock.now());
    }
    let screen_runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if attached {
        // A screen of nothing that is drawn over at once tells nobody anything, and a slow line carries both.
        let told = screen_end.snapshots.wait_for(|snapshot| snapshot.engine.link != Link::Own);
        // Nobody is gone yet; else the screen says so.
        let _ = screen_runtime.block_on(async { tokio::time::timeout(FIRST_PICTURE, told).await.is_ok() });
    }
    let exit = screen_runtime.block_on(screen(&mut stage, &mut screen_end, capabilities, clock));
    if let Some(directory) = &state {
        session_file::write(directory, &stage.app().remember());
    }
    drop(screen_end);
    stop.cancel();
    let ended = engine_runtime.block_on(async { tokio::time::timeout(Duration::from_secs(2), engine).await });
    if ended.is_err() {
        tracing::warn!("the engine did not end in time");
    }
    engine_runtime.shutdown_background();
    for problem in findings.all() {
        complain(problem.render().trim_end());
    }
    for text in stage.app().unsaved() {
        complain("the console ended before a text was called saved");
        super::incident::keep(state.as_deref(), &Untrusted::from(text));
    }
    Ok(exit_code(&exit?))
}

/// As a shell has it: 128 and the number where it was a signal, 129 where the terminal hung up.
pub(super) fn exit_code(exit: &Exit) -> ExitCode {
    match exit {
        Exit::Signal(number) => ExitCode::from(u8::try_from(128 + number).unwrap_or(1)),
        Exit::HungUp => ExitCode::from(129),
        Exit::Quit | Exit::Suspend | Exit::Redraw | Exit::Foreground(_) => ExitCode::SUCCESS,
    }
}

/// To the terminal, unless it would print what it does not understand; else to a file where only the operator looks.
pub(super) fn clipboard(state: Option<&Path>) -> Clipboard {
    let old = !capabilities::answers_queries(|name| std::env::var(name).ok());
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    Clipboard::new(old, state.map(Path::to_owned).into_iter().chain(runtime).collect())
}

/// How the system's own ssh is called, so that it reads the same file as the sessions do.
pub(super) fn system_ssh(ssh: &Surroundings) -> Vec<String> {
    let mut argv = vec!["ssh".to_owned()];
    if let Some(file) = &ssh.config {
        argv.extend(["-F".to_owned(), file.display().to_string()]);
    }
    argv
}

/// The screen on the user's terminal.
async fn screen(stage: &mut Stage, end: &mut ScreenEnd, capabilities: Capabilities, clock: Clock) -> Result<Exit> {
    let mut terminal =
        Terminal::open(capabilities).wrap_err("the console needs a terminal (noctty check works without one)")?;
    if stage.app().themes.asks_background() && capabilities::answers_queries(|name| std::env::var(name).ok()) {
        terminal.ask_background();
    }
    Ok(crate::ui::run::run(stage, &mut terminal, end, clock).await?)
}

/// The shipped keys and themes with the user's laid over them; what is wrong there is said, and the rest holds.
fn appearance(ui: &UiOptions, capabilities: Capabilities) -> (Keymap, Themes, Vec<(MessageWeight, String)>) {
    let (keys, mut problems) = keys(ui.folder.as_deref());
    let (themes, more) = themes::start(ui, capabilities);
    problems.extend(more);
    let messages = problems.iter().map(|problem| (MessageWeight::Warning, problem.brief())).collect();
    (keys, themes, messages)
}

/// The shipped keys with those beside the configuration and then the user's own laid over them, and what is wrong there.
pub(super) fn keys(folder: Option<&Path>) -> (Keymap, Vec<Problem>) {
    let names = commands::bindable();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut keys = Keymap::default();
    let mut problems = keys.merge("the shipped keymap", keymap::SHIPPED, &names);
    let home = super::config_home().filter(|home| folder != Some(home));
    for path in folder.map(Path::to_owned).into_iter().chain(home).map(|folder| folder.join("keymap.toml")) {
        match std::fs::read_to_string(&path) {
            Ok(text) => problems.extend(keys.merge(&path.display().to_string(), &text, &names)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => problems.push(Problem::unplaced(format!("cannot read {}: {error}", path.display()))),
        }
    }
    (keys, problems)
}

/// A panic of the screen gives the terminal back before it says anything; one of the engine's tasks is caught there
/// and must not garble the screen.
pub(super) fn install_panic_hook() {
    let screen = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let message = crate::engine::supervise::panic_words_of(info);
        if crate::ui::session::panic_is_contained() {
            // The pane catches it and begins its emulation anew: the screen stays.
        } else if std::thread::current().id() == screen {
            tty::restore();
            complain(&format!("internal error at {place}: {message}"));
        } else if !tty::is_taken() {
            complain(&format!("internal error at {place}: {message}"));
        }
        tracing::error!(%place, %message, "panic");
    }));
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use portable_pty::{PtySize, native_pty_system};
    use rustix::stdio::{dup2_stdout, stdout};

    use super::*;

    /// Standard output leads to a terminal of the test's own meanwhile.
    #[test]
    fn a_panic_of_the_screen_gives_the_terminal_back_and_one_elsewhere_leaves_it() {
        let pair = native_pty_system().openpty(PtySize::default()).expect("a pseudo-terminal");
        let path = pair.master.tty_name().expect("it has a name");
        let slave = std::fs::OpenOptions::new().read(true).write(true).open(path).expect("it opens");
        let before = rustix::io::dup(stdout()).expect("a copy");
        let modes = || format!("{:?}", pair.master.get_termios().expect("the settings of the line"));
        let cooked = modes();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let _entered = runtime.enter();
        dup2_stdout(&slave).expect("standard output is the terminal");
        let taken = tty::Tty::open();
        dup2_stdout(&before).expect("standard output is what it was");
        let _tty = taken.expect("it can be taken");
        assert!(tty::is_taken() && modes() != cooked);

        install_panic_hook();
        let elsewhere = std::thread::spawn(|| panic!("in a task"));
        assert!(elsewhere.join().is_err());
        assert!(tty::is_taken() && modes() != cooked, "the screen goes on");
        assert!(catch_unwind(|| panic!("in the screen")).is_err());
        let _ = std::panic::take_hook();
        assert!(!tty::is_taken());
        assert_eq!(modes(), cooked);
        // What was written comes in as many pieces as the terminal likes.
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let (pieces, arrived) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = std::io::Read::read(&mut reader, &mut piece) {
                if pieces.send(piece[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut told = String::new();
        while !told.ends_with("\x1b[?25h\x1b[?1049l") {
            let Ok(piece) = arrived.recv_timeout(Duration::from_secs(20)) else { break };
            told.push_str(&String::from_utf8_lossy(&piece));
        }
        assert!(told.ends_with("\x1b[?25h\x1b[?1049l"), "{told:?}");
    }
}
