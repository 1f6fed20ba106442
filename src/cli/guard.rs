//! `noctty guard-terminal`: waits beside a console, and gives the terminal back if the console cannot.

use std::process::ExitCode;

use color_eyre::eyre::Result;

pub fn run(told: &str, name: Option<&str>) -> Result<ExitCode> {
    crate::ui::terminal::guard::keep(told, name)?;
    Ok(ExitCode::SUCCESS)
}
