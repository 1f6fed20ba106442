//! `noctty handover`: what whoever comes next has to know, as `:handover` shows it in the console. The engine of this user says it,
//! else the one of this machine; where nobody polls, one round of checks and what is kept in the state directory do.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use color_eyre::eyre::{Result, eyre};

use super::run_dir::system_socket;
use super::way::{self, Way};
use super::{Globals, state_dir};
use crate::base::{Clock, Timestamp, Untrusted, text};
use crate::journal::{self, Contents};
use crate::model::Transition;
use crate::report::handover::{self as report, Hand};
use crate::state::Snapshot;
use crate::store::Store;

/// Changes that are read; the note tells those of a day.
const CHANGES: usize = 5_000;

#[derive(Debug, clap::Args)]
pub struct HandoverArgs {
    /// One JSON object (noctty.handover/1) instead of Markdown
    #[arg(long)]
    json: bool,
    /// Who hands over: whose claims are "Mine"; default: the user
    #[arg(long, value_name = "NAME", env = "NOCTTY_AUTHOR")]
    author: Option<String>,
}

/// What is known, and by whom.
struct Known {
    snapshot: Snapshot,
    seen_by: Option<String>,
    doubts: Vec<String>,
    warnings: Vec<String>,
    now: Timestamp,
}

pub fn run(args: &HandoverArgs, globals: &Globals) -> Result<ExitCode> {
    let directory = state_dir::choose(globals.state.as_deref())
        .ok_or_else(|| eyre!("there is no home directory: name a directory with --state"))?;
    let clock = super::begin(globals);
    let runtime = super::runtime()?;
    let machine = (!super::attach::has_own(globals)).then(|| Way::Socket(system_socket()));
    let seen = runtime.block_on(async {
        for way in [Some(Way::Here(directory.clone())), machine].into_iter().flatten() {
            if let Some(seen) = way.look(clock).await? {
                return Ok::<_, color_eyre::Report>(Some(seen));
            }
        }
        Ok(None)
    })?;
    let known = match seen {
        Some((snapshot, who)) => {
            let (doubts, warnings) = (Vec::new(), Vec::new());
            Known { snapshot, seen_by: Some(who), doubts, warnings, now: clock.now() }
        }
        None => alone(&runtime, &directory, globals, clock)?,
    };
    runtime.shutdown_background();
    let by = args.author.as_deref().map_or_else(|| journal::author().line(), text::clean);
    let hand = Hand { by: &by, now: known.now, doubts: &known.doubts };
    for warning in known.warnings.iter().filter(|_| !args.json) {
        super::complain(warning);
    }
    super::print(&if args.json {
        report::json(&known.snapshot, hand, known.seen_by.as_deref(), &known.warnings)
    } else {
        report::markdown(&known.snapshot, hand)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Where nobody polls: one round of checks, with what is kept.
fn alone(runtime: &tokio::runtime::Runtime, directory: &Path, globals: &Globals, clock: Clock) -> Result<Known> {
    if globals.passive {
        return Err(way::nobody_to_ask(directory));
    }
    let plan = super::with_inferred_parents(super::load_plan(globals)?);
    let mut warnings: Vec<String> = plan.not_read().collect();
    let contents = if directory.is_dir() { journal::read(directory) } else { Ok(Contents::default()) };
    let contents = contents.unwrap_or_else(|error| {
        warnings.push(format!("incidents, claims and maintenance are not known: {error}"));
        Contents::default()
    });
    warnings.extend(contents.all_damage());
    let mut snapshot = runtime.block_on(super::check::round(&plan, clock, contents.care));
    snapshot.incidents = contents.incidents.into_iter().map(Arc::new).collect();
    // What this round found is no change: nobody knows how it was before.
    snapshot.transitions = changes(directory, &mut warnings).into();
    let doubts = vec![format!(
        "Of one round of checks, since no noctty polls for {}: for how long something has been so is not known",
        Untrusted::from(directory.display().to_string()).line()
    )];
    Ok(Known { snapshot, seen_by: None, doubts, warnings, now: clock.now() })
}

/// What changed before, newest first.
fn changes(directory: &Path, warnings: &mut Vec<String>) -> Vec<Arc<Transition>> {
    if !directory.join("store.db").exists() {
        return Vec::new();
    }
    match Store::open(directory).and_then(|store| store.load_log(CHANGES)) {
        Ok((log, _)) => log.transitions,
        Err(error) => {
            warnings.push(format!("what changed before is not known: {error}"));
            Vec::new()
        }
    }
}
