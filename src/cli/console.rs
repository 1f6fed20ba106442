//! The console with an engine of its own, on threads of their own; or with the one that polls for its state directory already.

use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};

use super::keeper;
use super::plans::{Findings, Plans, Source, Supply, salvaged, source_plans};
use super::view::{From, Opening, View, view};
use super::way::Way;
use super::{Globals, state_dir};
use crate::base::Clock;
use crate::config::{self, Config, UiOptions};
use crate::ssh::Surroundings;
use crate::state::Mode;
use crate::ui::tour::World;

pub fn run(target: Option<String>, theme: Option<&str>, globals: &Globals) -> Result<ExitCode> {
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
    // What is simulated has nothing of what the operator watches, nor of what is wrong with it.
    let configuration = super::config_file(globals).filter(|_| opening.world == World::Real);
    let wall = configuration.clone();
    let plans = Some(Supply::new(plans));
    let from = From { runtime, clock, mode, way, plans, configuration, ssh, why: None };
    view(View { target, ui, wall, findings, state, opening }, from, post)
}
