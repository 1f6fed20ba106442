//! `noctty guard-terminal`: waits beside a console, and gives the terminal back if the console cannot.

use std::process::ExitCode;

use color_eyre::eyre::Result;

pub fn run(told: &str, group: i32, name: Option<&str>) -> Result<ExitCode> {
    crate::ui::terminal::guard::keep(told, group, name)?;
    Ok(ExitCode::SUCCESS)
}
