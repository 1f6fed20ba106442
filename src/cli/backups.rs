//! `noctty backups`: one look at every repository, with the console's own sources and rules.

use std::process::ExitCode;
use std::sync::Arc;

use color_eyre::eyre::Result;

use super::Globals;
use crate::engine::cycle;
use crate::model::{CareBook, Inventory, Policy, Subject};
use crate::net::Net;
use crate::report::backups as report;

#[derive(Debug, clap::Args)]
pub struct BackupsArgs {
    /// One JSON object (noctty.backups/1) instead of a table
    #[arg(long)]
    json: bool,
    /// Read also what would wait for your word in the console (password commands, remote repositories that only
    /// the environment names)
    #[arg(long)]
    all: bool,
}

pub fn run(args: &BackupsArgs, globals: &Globals) -> Result<ExitCode> {
    let clock = super::begin(globals);
    let mut plan = super::load_plan(globals)?;
    let mut warnings = Vec::new();
    plan.checks.retain(|bound| matches!(bound.spec.key.subject, Subject::Job(_)));
    if args.all {
        for bound in &mut plan.checks {
            Arc::make_mut(&mut bound.spec).waits_for = None;
        }
    }
    plan.inventory = Arc::new(Inventory {
        jobs: plan.inventory.jobs.clone(),
        checks: plan.checks.iter().map(|bound| bound.spec.clone()).collect(),
        ..Inventory::default()
    });
    if plan.inventory.jobs.is_empty() {
        warnings.push("there is no backup to look at: none is configured or named by the environment".to_owned());
    }
    warnings.extend(plan.not_read().map(|words| words + "; --all reads it"));
    if globals.passive {
        plan.checks.clear();
        warnings.push("--passive: nothing was read".to_owned());
    }
    let runtime = super::runtime()?;
    let snapshot = runtime
        .block_on(async { cycle::run(&plan, &Net::new(clock), clock, Policy::default(), CareBook::default()).await });
    runtime.shutdown_background();
    let json = args.json.then(|| report::json(&snapshot, clock.wall(), &warnings));
    super::print_found(json, || report::table(&snapshot, clock.now()), &warnings)?;
    Ok(ExitCode::from(report::exit_status(&snapshot)))
}
