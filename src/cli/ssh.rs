//! `noctty ssh TARGET [-- COMMAND…]`: the console's own SSH on the user's own terminal, without the screen. The remote
//! exit status is passed on; 255 where there was no session, as ssh has it.

mod terminal;

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::{Globals, state_dir};
use crate::base::text;
use crate::config::{Config, Problems};
use crate::ssh::{Answer, Attendant, Connection, Ended, Names, Outlets, Progress, ShellInput, SshConfig, SshError};
use crate::ssh::{Target, Terminal};
use crate::store::Store;
use terminal::{Escape, Raw};

/// There was no session, or it was lost.
const FAILED: u8 = 255;
const CHUNKS: usize = 16;

#[derive(Debug, clap::Args)]
pub struct SshArgs {
    /// A host of the configuration or of ssh_config, or user@host:port
    #[arg(value_name = "TARGET")]
    target: String,
    /// Run this instead of a shell; the remote side's shell reads it
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub fn run(args: &SshArgs, globals: &Globals) -> Result<ExitCode> {
    if globals.passive {
        bail!("--passive: nothing is sent");
    }
    // A host that ssh_config knows can be reached though the configuration has errors.
    let configuration = super::load_config(globals).map(|found| found.map(|(_, configuration)| configuration));
    let options = configuration.as_ref().ok().and_then(Option::as_ref).map(|c| c.ssh.clone()).unwrap_or_default();
    let config = SshConfig::load(super::surroundings(&options));
    for remark in config.remarks.iter().filter(|remark| remark.line == 0) {
        super::complain(&remark.to_string());
    }
    let name = named(&args.target, &config, configuration)?;
    let Some(target) = Target::parse(&name) else {
        bail!("{} is no [user@]host[:port]", text::clean(&name));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let names = Names::default();
    if let Some(state) = state_dir::choose(globals.state.as_deref()).filter(|state| state.is_dir()) {
        recall(&names, &state);
    }
    let outcome = runtime.block_on(session(&config, &target, &names, &args.command));
    // A thread may still wait for a key.
    runtime.shutdown_background();
    Ok(match outcome {
        Ok(Ended { exit_status: Some(status), .. }) => ExitCode::from(u8::try_from(status).unwrap_or(FAILED)),
        Ok(ended) => {
            super::complain(&ended.reason);
            ExitCode::from(FAILED)
        }
        Err(error) => {
            super::complain(&error.to_string());
            if error.offers_system_ssh() {
                super::complain("the system's own ssh may be able to: try `ssh` with the same target");
            }
            ExitCode::from(FAILED)
        }
    })
}

/// The last addresses that checks found, for names that do not resolve now.
pub fn recall(names: &Names, state: &Path) {
    // Where there is no state, or it cannot be read, there is nothing to go on with; a session says what it misses.
    names.recall(Store::addresses(state).unwrap_or_default());
}

/// A host of the configuration by its name: its alias or address. Anything else is what it is.
fn named(target: &str, config: &SshConfig, configuration: Result<Option<Config>, Problems>) -> Result<String> {
    if config.hosts().iter().any(|host| host.alias == target) {
        return Ok(target.to_owned());
    }
    let plan = match configuration {
        Ok(Some(configuration)) => super::bound(&configuration)?,
        Ok(None) => return Ok(target.to_owned()),
        Err(problems) => bail!("the configuration has errors\n{problems}"),
    };
    let host = plan.inventory.hosts.iter().find(|host| &*host.name == target);
    let address = host.and_then(|host| host.ssh_alias.clone().or_else(|| host.address.clone()));
    Ok(address.map_or_else(|| target.to_owned(), |address| address.to_string()))
}

/// A connection; its questions go to the terminal, where there is one, and what has to be known to standard error.
pub async fn open(config: &SshConfig, target: &Target, names: &Names) -> Result<Connection, SshError> {
    let (sender, progress) = mpsc::channel(CHUNKS);
    let somebody = terminal::is_there();
    let attendant = if somebody { Attendant::new(sender) } else { Attendant::unasked(sender) };
    let opening = Connection::open(config, target, names, &attendant);
    tokio::pin!(opening);
    tokio::select! {
        // What came before it opened is said before it is used.
        biased;
        () = attend(progress, somebody) => opening.await,
        opened = &mut opening => opened,
    }
}

async fn session(config: &SshConfig, target: &Target, names: &Names, command: &[String]) -> Result<Ended, SshError> {
    let connection = open(config, target, names).await?;
    let (output, out) = mpsc::channel(CHUNKS);
    let (errors, err) = mpsc::channel(CHUNKS);
    let writers = [
        std::thread::spawn(move || copy(out, std::io::stdout())),
        std::thread::spawn(move || copy(err, std::io::stderr())),
    ];
    let outlets = Outlets { output, errors: Some(errors) };
    let (keys, input) = mpsc::channel(CHUNKS);
    let has_terminal = command.is_empty() && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let raw = if has_terminal { Raw::enter() } else { None };
    let escape = raw.is_some().then(Escape::default);
    let watch = keys.clone();
    std::thread::spawn(move || read_keys(&keys, escape));
    let ended = {
        let running = async {
            if command.is_empty() {
                let name = std::env::var("TERM").unwrap_or_else(|_| "dumb".to_owned());
                let terminal = raw.as_ref().map(|_| Terminal { name: &name, size: terminal::size() });
                connection.shell(terminal, outlets, input).await
            } else {
                connection.exec(&command.join(" "), outlets, input).await
            }
        };
        tokio::select! {
            ended = running => ended,
            number = watch_signals(&watch) => Ok(Ended {
                exit_status: Some(128 + number),
                reason: "ended by a signal".to_owned(),
                orderly: true,
            }),
        }
    };
    drop(raw);
    for writer in writers {
        // It ends with its channel; a panic there has been said already.
        let _ = writer.join();
    }
    ended
}

/// Window sizes to the remote side; ends with the number of a signal that ends the program.
async fn watch_signals(keys: &mpsc::Sender<ShellInput>) -> u32 {
    let registered = (
        signal(SignalKind::window_change()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
        signal(SignalKind::interrupt()),
    );
    let (Ok(mut resized), Ok(mut terminated), Ok(mut hung_up), Ok(mut interrupted)) = registered else {
        return std::future::pending().await;
    };
    loop {
        tokio::select! {
            _ = resized.recv() => {
                let size = terminal::size();
                // A full lane is a remote side that reads nothing; the next change is sent again.
                let _ = keys.try_send(ShellInput::Resize { columns: size.columns, rows: size.rows });
            }
            _ = terminated.recv() => return 15,
            _ = hung_up.recv() => return 1,
            _ = interrupted.recv() => return 2,
        }
    }
}

async fn attend(mut progress: mpsc::Receiver<Progress>, somebody: bool) {
    while let Some(item) = progress.recv().await {
        match item {
            Progress::Step(_) => {}
            Progress::Remark(words) => super::complain(&words),
            // For who reads; as ssh's own in a script's log it would be noise.
            Progress::Banner { .. } if !somebody => {}
            Progress::Banner { hop, text } => {
                let lines: Vec<String> = text.lines().into_iter().take(100).collect();
                let _ = writeln!(std::io::stderr(), "{hop} says:\n  {}", lines.join("\n  "));
            }
            Progress::Question { prompt, answer } => {
                let given = tokio::task::spawn_blocking(move || terminal::ask(&prompt)).await;
                // The connection may have been given up meanwhile.
                let _ = answer.send(given.unwrap_or(Answer::Cancel));
            }
        }
    }
}

fn copy(mut from: mpsc::Receiver<Vec<u8>>, mut to: impl std::io::Write) {
    while let Some(chunk) = from.blocking_recv() {
        if to.write_all(&chunk).and_then(|()| to.flush()).is_err() {
            return;
        }
    }
}

fn read_keys(keys: &mpsc::Sender<ShellInput>, mut escape: Option<Escape>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match std::io::stdin().read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(n) => {
                let (bytes, ends) = match &mut escape {
                    Some(escape) => escape.pass(&buffer[..n]),
                    None => (buffer[..n].to_vec(), false),
                };
                if (!bytes.is_empty() && keys.blocking_send(ShellInput::Bytes(bytes)).is_err()) || ends {
                    if ends {
                        let _ = keys.blocking_send(ShellInput::Leave);
                    }
                    return;
                }
            }
        }
    }
    let _ = keys.blocking_send(ShellInput::End);
}
