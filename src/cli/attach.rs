//! `noctty attach`: the console on an engine that polls elsewhere: of this user, of this machine (`collect --system`), or of
//! another machine by the console's own SSH. It never polls by itself.

mod bridge;

use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use color_eyre::eyre::{Result, bail, eyre};
use nix::unistd::{Gid, Group};

use super::far::Far;
use super::keeper::{self, Post};
use super::plans::Findings;
use super::run_dir::system_socket;
use super::view::{From, Opening, View, view};
use super::way::Way;
use super::{Globals, state_dir};
use crate::attach::{self, Link, LinkError, Welcome};
use crate::base::{Clock, text};
use crate::config::{Config, UiOptions, salvage};
use crate::model::Role;
use crate::state::Mode;

#[derive(Debug, clap::Args)]
pub struct AttachArgs {
    /// An engine elsewhere, as ssh://user@host:port or by its name in ssh_config; default: the one of this user, then
    /// the one of this machine
    #[arg(value_name = "TARGET", conflicts_with_all = ["socket", "stdio"])]
    target: Option<String>,
    /// An engine that listens at this socket
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// What is run on the other side of SSH
    #[arg(long, value_name = "COMMAND", default_value = "noctty attach --stdio", requires = "target")]
    command: String,
    /// Pass standard input and output on to the engine here; what the other side of `noctty attach ssh://…` runs
    #[arg(long)]
    stdio: bool,
    /// The theme, instead of the configuration's
    #[arg(long, value_name = "NAME", conflicts_with = "stdio")]
    pub theme: Option<String>,
}

pub fn run(args: &AttachArgs, globals: &Globals) -> Result<ExitCode> {
    let state = state_dir::choose(globals.state.as_deref());
    let sockets = sockets(args.socket.as_deref(), state.as_deref());
    if args.stdio {
        return bridge::run(&sockets);
    }
    if globals.passive && args.target.is_some() {
        bail!("--passive: nothing is sent");
    }
    let config = super::config_file(globals).map(|path| salvage::read(&path).0).unwrap_or_default();
    let clock = Clock::start();
    let runtime = super::runtime()?;
    let (way, link) = match &args.target {
        Some(target) => {
            let far = Far::new(target, &args.command, &config)?;
            let link = runtime.block_on(far.first(clock))?;
            (Way::Far(far), link)
        }
        None => runtime.block_on(nearest(&sockets, state.as_deref(), clock))?,
    };
    let mode = if globals.passive { Mode::Passive } else { Mode::Polling };
    let ssh = super::surroundings(&config.ssh);
    let ui = config.ui.with_theme(args.theme.as_deref());
    show(runtime, clock, mode, way, link, &ui, ssh, (None, None), globals)
}

/// For whoever has no configuration and no engine of their own: the console on the engine of this machine. Nothing where there
/// is none; what does not let this console in is said, and it polls by itself.
///
/// # Errors
/// What the console ends with.
pub fn to_this_machine(target: Option<&str>, theme: Option<&str>, globals: &Globals) -> Result<Option<ExitCode>> {
    let socket = system_socket();
    if has_own(globals) {
        return Ok(None);
    }
    let not_attached = |why: &str| {
        super::complain(&format!("not attached to the engine of this machine, this console polls by itself: {why}"));
        Ok(None)
    };
    match socket.try_exists() {
        Ok(true) => {}
        Err(error) if is_denied(&error) => return not_attached(&closed(&socket)),
        Ok(false) | Err(_) => return Ok(None),
    }
    let clock = Clock::start();
    let runtime = super::runtime()?;
    let near = state_dir::choose(None).map(Way::Here);
    if near.is_some_and(|near| runtime.block_on(near.dial(clock)).is_ok()) {
        return Ok(None);
    }
    let way = Way::Socket(socket.clone());
    let link = match runtime.block_on(way.dial(clock)) {
        Ok(link) => link,
        Err(LinkError::Nobody { error, .. }) if is_denied(&error) => return not_attached(&closed(&socket)),
        Err(LinkError::Nobody { .. }) => return Ok(None),
        Err(error) => return not_attached(&format!("{}: {error}", super::shown(&socket))),
    };
    let why = format!(
        "no configuration of your own: attached to the engine of this machine, {}; --config FILE polls by itself",
        super::shown(&socket)
    );
    let mode = if globals.passive { Mode::Passive } else { Mode::Polling };
    let ui = UiOptions::default().with_theme(theme);
    let ssh = super::surroundings(&Config::default().ssh);
    let target = target.map(str::to_owned);
    show(runtime, clock, mode, way, link, &ui, ssh, (target, Some(why)), globals).map(Some)
}

/// Whether a configuration or a state directory is meant that is not the machine's.
pub fn has_own(globals: &Globals) -> bool {
    let own = super::config_home().is_some_and(|home| home.join("noctty.toml").exists());
    globals.config.is_some() || globals.state.is_some() || own
}

/// The socket of the machine's engine, where one is there that keeps its claims elsewhere than in `state`.
pub fn engine_of_the_machine(state: &Path) -> Option<PathBuf> {
    let socket = system_socket();
    let its_own = || attach::said(socket.parent()?);
    let is_there = attach::connect(&socket).is_ok();
    let same = its_own().is_some_and(|process| attach::holder(state) == Some(process));
    (is_there && !same).then_some(socket)
}

/// Asks who sits here, before the screen opens, where several people use the account and this one may write.
fn introduced(runtime: &tokio::runtime::Runtime, clock: Clock, way: Way, link: Link) -> Result<(Way, Link)> {
    let Welcome { asks, role, author, .. } = &link.welcome;
    if !asks || *role < Role::Operate || !std::io::stdin().is_terminal() {
        return Ok((way, link));
    }
    let account = text::clean(author);
    let question = format!("{account} is an account of several people. Who are you? (Enter: only {account}) ");
    let mut terminal = std::io::stderr();
    terminal.write_all(question.as_bytes()).and_then(|()| terminal.flush())?;
    let mut name = String::new();
    std::io::stdin().read_line(&mut name)?;
    let name = name.trim();
    if name.is_empty() {
        return Ok((way, link));
    }
    let way = Way::As(Box::new(way), name.to_owned());
    match runtime.block_on(way.dial(clock)) {
        Ok(link) => Ok((way, link)),
        Err(error) => bail!("{error}"),
    }
}

#[expect(clippy::too_many_arguments, reason = "handed on as they are")]
fn show(
    runtime: tokio::runtime::Runtime,
    clock: Clock,
    mode: Mode,
    way: Way,
    link: Link,
    ui: &UiOptions,
    ssh: crate::ssh::Surroundings,
    (target, why): (Option<String>, Option<String>),
    globals: &Globals,
) -> Result<ExitCode> {
    let (way, link) = introduced(&runtime, clock, way, link)?;
    let state = state_dir::choose(globals.state.as_deref());
    keeper::log_beside(state.clone());
    let wall = super::config_file(globals);
    let shown = View { target, ui, wall, findings: Findings::default(), state, opening: Opening::default() };
    let from = From { runtime, clock, mode, way, plans: None, configuration: None, ssh, why };
    view(shown, from, Post::Attached(Box::new(link)))
}

/// Where an engine may listen: at the place named, else for this user, then for this machine.
fn sockets(named: Option<&Path>, state: Option<&Path>) -> Vec<PathBuf> {
    match named {
        Some(named) => vec![named.to_owned()],
        None => state.map(attach::socket_in).into_iter().chain([system_socket()]).collect(),
    }
}

async fn nearest(sockets: &[PathBuf], state: Option<&Path>, clock: Clock) -> Result<(Way, Link)> {
    let mut looked = Vec::new();
    for socket in sockets {
        let way = match state {
            Some(state) if *socket == attach::socket_in(state) => Way::Here(state.to_owned()),
            _ => Way::Socket(socket.clone()),
        };
        match way.dial(clock).await {
            Ok(link) => return Ok((way, link)),
            Err(LinkError::Nobody { error, .. }) => looked.push((socket.as_path(), error)),
            Err(error) => bail!("{error}"),
        }
    }
    Err(nobody(&looked))
}

/// That nobody could be reached at any of these places.
fn nobody(looked: &[(&Path, std::io::Error)]) -> color_eyre::Report {
    if let Some((socket, _)) = looked.iter().find(|(_, error)| is_denied(error)) {
        return eyre!("you may not attach to the engine of this machine: {}", closed(socket));
    }
    let places: Vec<String> = looked.iter().map(|(socket, _)| super::shown(socket)).collect();
    eyre!("no noctty polls here (looked at {}): noctty collect starts one", places.join(" and "))
}

fn is_denied(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::PermissionDenied
}

/// What lets somebody in who may not open a socket.
fn closed(socket: &Path) -> String {
    let place = super::shown(socket);
    let found = std::fs::metadata(socket).or_else(|_| std::fs::metadata(socket.parent().unwrap_or(socket)));
    let group = found.ok().and_then(|found| Group::from_gid(Gid::from_raw(found.gid())).ok()?);
    let Some(group) = group.map(|group| text::clean(&group.name)) else {
        return format!("{place} is open to its group only, and you are not in it");
    };
    let user = text::clean(&crate::engine::own_author().line());
    format!(
        "{place} is open to the group {group} only, and this session is not in it (usermod --append --groups {group} \
         {user}; it holds from the next login on)"
    )
}

#[cfg(test)]
mod tests {
    use crate::attach::tests::{as_sent, told};
    use crate::state::Snapshot;
    use crate::ui::tests::{campus, fixture};

    #[test]
    fn every_picture_that_the_screen_is_tested_with_arrives_as_it_was() {
        let pictures = [
            Snapshot::default(),
            (*fixture::outage()).clone(),
            (*fixture::quiet()).clone(),
            (*fixture::hostile()).clone(),
            (*campus::campus()).clone(),
            (*campus::saying("a\x1b[2J\u{202e}")).clone(),
        ];
        for now in &pictures {
            for before in &pictures {
                let (got, length) = told(now, &as_sent(before));
                // What is not a number equals nothing, but it looks the same; and nobody reads a picture in an assertion.
                assert!(format!("{got:?}") == format!("{:?}", as_sent(now)));
                assert!(length > 10);
            }
        }
    }
}
