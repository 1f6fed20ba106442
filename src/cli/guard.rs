//! `noctty guard-terminal`: waits beside a console, and gives the terminal back if the console cannot.

use std::process::ExitCode;

use color_eyre::eyre::Result;

pub fn run(told: &str) -> Result<ExitCode> {
    crate::ui::terminal::guard::keep(told)?;
    Ok(ExitCode::SUCCESS)
}
