//! `noctty sim-restic`: what the demo's backup jobs run in the place of restic.

use std::io::Write as _;
use std::process::ExitCode;

use color_eyre::eyre::Result;

use crate::sim::repository;

#[derive(Debug, clap::Args)]
pub struct SimResticArgs {
    /// restic's own arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub fn run(args: &SimResticArgs) -> Result<ExitCode> {
    let from_file = || {
        let text = std::fs::read_to_string(std::env::var_os("RESTIC_PASSWORD_FILE")?).ok()?;
        text.lines().next().map(str::to_owned)
    };
    let password = std::env::var("RESTIC_PASSWORD").ok().or_else(from_file);
    let repository = std::env::var("RESTIC_REPOSITORY").ok();
    let answer = repository::answer(&args.arguments, repository.as_deref(), password.as_deref());
    super::print(&answer.stdout)?;
    std::io::stderr().write_all(answer.stderr.as_bytes())?;
    Ok(ExitCode::from(answer.status))
}
