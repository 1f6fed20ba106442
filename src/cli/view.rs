//! A console's screen on whatever its picture comes from: an engine of its own or somebody else's.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _};
use tokio_util::sync::CancellationToken;

use super::clipboard::clipboard;
use super::keeper::{self, Means, Past, Post};
use super::plans::{Findings, Supply};
use super::tour::Tours;
use super::way::Way;
use super::{complain, keys, session_file, themes};
use crate::base::{Clock, Untrusted};
use crate::bus::{self, MessageWeight, ScreenEnd};
use crate::config::UiOptions;
use crate::config::keymap::Keymap;
use crate::engine::desk::Desk;
use crate::ssh::{Names, Surroundings};
use crate::state::{EngineView, Link, Mode, Snapshot};
use crate::ui::app::{self, App};
use crate::ui::frame::Capabilities;
use crate::ui::layouts::Layouts;
use crate::ui::run::{Exit, Terminal};
use crate::ui::terminal::{capabilities, guard, tty};
use crate::ui::themes::Themes;
use crate::ui::tour::{Stage, World};

/// How long the first picture of an engine that is near may take before there is a screen without it.
const FIRST_PICTURE: Duration = Duration::from_millis(80);

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
    pub plans: Option<Supply>,
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
    let system_ssh = ssh.system_ssh();
    let names = if attached { remembered(state.clone()) } else { Names::default() };
    let desk = Desk::new(clock, mode, engine_end, ssh.clone(), names, stop.clone());
    let past = Past::default();
    let means =
        Means { clock, mode, state: state.clone(), ssh, plans, configuration, way, why, stop: stop.clone(), past };
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
    app.in_view = screen_end.in_view.clone();
    app.zone = jiff::tz::TimeZone::system();
    app.operator = crate::journal::author().line();
    app.walls = Some(super::wall::walls(wall, ui.clone(), capabilities));
    if let Some(directory) = &state {
        let (earlier, keep) = super::messages::start(directory);
        app.logbook.go_on_from(earlier, keep);
    }
    let var = |name: &str| std::env::var(name).ok();
    app.pointer.on = capabilities::answers_queries(var) && ui.mouse.is_on(var);
    lay_out(&mut app, ui);
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
    saved_views(&mut app, ui, state.as_deref(), !goes_there);
    app.world = opening.world;
    let mut stage = Stage::new(app, Box::new(Tours::new(clock)));
    if opening.tour {
        stage.start(clock.now());
    }
    let screen_runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if attached {
        screen_runtime.block_on(first_picture(&mut screen_end));
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

/// The views that were saved, and the first of them on the screen where nothing else is asked for.
fn saved_views(app: &mut App, ui: &UiOptions, state: Option<&Path>, opens_first: bool) {
    let (views, wrong) = super::views::start(ui, state);
    app.views = views;
    for words in wrong {
        app.say(MessageWeight::Warning, words);
    }
    if let Some((name, _)) = ui.first_view.as_ref().filter(|_| opens_first)
        && app.views.named(name).is_some()
    {
        app.open_view(name);
    }
}

/// The layouts of the configuration; what is wrong with them is said.
fn lay_out(app: &mut App, ui: &UiOptions) {
    let (layouts, problems) = Layouts::new(&ui.layouts, ui.first_layout.as_ref());
    app.layouts = layouts;
    for problem in problems {
        app.say(MessageWeight::Warning, problem.brief());
    }
}

/// A screen of nothing that is drawn over at once tells nobody anything, and a slow line carries both: the first picture of an engine
/// that is near comes whole in a moment, and of one that is far there are its first rows by then.
async fn first_picture(end: &mut ScreenEnd) {
    let told = end.snapshots.wait_for(|snapshot| snapshot.engine.link != Link::Own && snapshot.awaited.is_nothing());
    // Nobody is gone yet; else the screen says so.
    let _ = tokio::time::timeout(FIRST_PICTURE, told).await.is_ok();
}

/// The addresses that are known from before, once a thread has read them: sessions go by them where no name can be resolved.
fn remembered(state: Option<PathBuf>) -> Names {
    let names = Names::default();
    if let Some(state) = state {
        let known = names.clone();
        // Without a thread a session looks names up and has nothing else to go by.
        let _ = std::thread::Builder::new().name("names".to_owned()).spawn(move || super::ssh::recall(&known, &state));
    }
    names
}

/// As a shell has it: 128 and the number where it was a signal, 129 where the terminal hung up.
pub fn exit_code(exit: &Exit) -> ExitCode {
    match exit {
        Exit::Signal(number) => ExitCode::from(u8::try_from(128 + number).unwrap_or(1)),
        Exit::HungUp => ExitCode::from(129),
        Exit::Quit | Exit::Suspend | Exit::Redraw | Exit::Foreground(_) => ExitCode::SUCCESS,
    }
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
    let (keys, mut problems) = keys::in_force(ui.folder.as_deref());
    let (themes, more) = themes::start(ui, capabilities);
    problems.extend(more);
    let messages = problems.iter().map(|problem| (MessageWeight::Warning, problem.brief())).collect();
    (keys, themes, messages)
}

/// A panic of the screen gives the terminal back before it says anything; one of the engine's tasks is caught there
/// and must not garble the screen.
pub fn install_panic_hook() {
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
        assert!(told.ends_with("\x1b[8h\x1b[?7h\x1b[?25h\x1b[?1049l"), "{told:?}");
        assert!(told.contains("\x1b[8l"), "no line is reordered meanwhile: {told:?}");
    }
}
