//! `noctty check`: one cycle of every check, with the console's own probes and rules.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{Result, bail};

use super::{Globals, state_dir};
use crate::base::Clock;
use crate::engine::{Plan, cycle};
use crate::journal;
use crate::model::{AssetId, CareBook, Host, Inventory, Policy};
use crate::net::Net;
use crate::report::check as report;
use crate::ssh::config::matches;
use crate::state::Snapshot;

#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Hosts and backups by name (`*` and `?` allowed), `tag:NAME`, `group:NAME` or `site:NAME`; all of them by default
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
    /// One JSON object (noctty.check/1) instead of a table
    #[arg(long)]
    json: bool,
}

pub fn run(args: &CheckArgs, globals: &Globals) -> Result<ExitCode> {
    let clock = super::begin(globals);
    let mut plan = super::with_inferred_parents(select(&super::load_plan(globals)?, &args.selectors)?);
    let mut warnings = Vec::new();
    if globals.passive {
        plan.checks.clear();
        warnings.push("--passive: nothing was asked".to_owned());
    }
    warnings.extend(plan.not_read());
    let care = care(globals, &mut warnings);
    let runtime = super::runtime()?;
    let snapshot = runtime.block_on(round(&plan, clock, care));
    runtime.shutdown_background();
    let json = args.json.then(|| report::json(&snapshot, clock.wall(), &warnings));
    super::print_found(json, || report::table(&snapshot, clock.now()), &warnings)?;
    Ok(ExitCode::from(report::exit_status(&snapshot)))
}

/// Claims and windows that stand, where there is a journal.
fn care(globals: &Globals, warnings: &mut Vec<String>) -> CareBook {
    let read =
        state_dir::choose(globals.state.as_deref()).filter(|directory| directory.is_dir()).map(|d| journal::read(&d));
    match read {
        Some(Ok(contents)) => contents.care,
        Some(Err(error)) => {
            warnings.push(format!("claims and maintenance are not known: {error}"));
            CareBook::default()
        }
        None => CareBook::default(),
    }
}

/// One cycle of every check, each until its result is hard: nothing has to wait for that. What it finds is all that is known.
pub async fn round(plan: &Plan, clock: Clock, care: CareBook) -> Snapshot {
    let policy = Policy { never_seen_is_down: true, longest_wait: Duration::ZERO, ..Policy::default() };
    cycle::run(plan, &Net::new(clock), clock, policy, care).await
}

/// The part of a plan that the selectors name; each must name something.
fn select(plan: &Plan, selectors: &[String]) -> Result<Plan> {
    if selectors.is_empty() {
        return Ok(plan.clone());
    }
    let inventory = &plan.inventory;
    let mut wanted: Vec<AssetId> = Vec::new();
    for selector in selectors {
        let before = wanted.len();
        wanted.extend(inventory.hosts.iter().filter(|h| names_host(selector, h)).map(|h| h.id.clone()));
        wanted.extend(inventory.jobs.iter().filter(|j| matches(selector, &j.name)).map(|j| j.id.clone()));
        if wanted.len() == before {
            bail!("\"{selector}\" selects nothing");
        }
    }
    Ok(part(plan, &wanted))
}

/// The part of a plan that is about these.
pub(super) fn part(plan: &Plan, wanted: &[AssetId]) -> Plan {
    let inventory = &plan.inventory;
    let checks: Vec<_> = plan.checks.iter().filter(|b| wanted.contains(b.spec.key.subject.id())).cloned().collect();
    let part = Inventory {
        hosts: inventory.hosts.iter().filter(|h| wanted.contains(&h.id)).cloned().collect(),
        jobs: inventory.jobs.iter().filter(|j| wanted.contains(&j.id)).cloned().collect(),
        checks: checks.iter().map(|b| b.spec.clone()).collect(),
        thresholds: inventory.thresholds.clone(),
        inferred: inventory.inferred.clone(),
        flapping: inventory.flapping.clone(),
        maintenance: inventory.maintenance.clone(),
        remarks: Vec::new(),
    };
    Plan { inventory: Arc::new(part), checks, traps: None, channels: Arc::default() }
}

fn names_host(selector: &str, host: &Host) -> bool {
    if let Some(tag) = selector.strip_prefix("tag:") {
        host.has_tag(tag)
    } else if let Some(group) = selector.strip_prefix("group:") {
        host.group.as_deref() == Some(group)
    } else if let Some(site) = selector.strip_prefix("site:") {
        host.site.as_deref() == Some(site)
    } else {
        matches(selector, &host.name) || selector == host.id.as_str()
    }
}
