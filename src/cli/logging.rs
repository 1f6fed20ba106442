//! The log: JSON lines in the state folder, a file a day, seven kept; never the terminal. A folder that cannot be
//! written costs the log and nothing else.

use std::path::Path;

use tracing_appender::rolling::{Builder, Rotation};
use tracing_subscriber::EnvFilter;

use super::state_dir;

/// Starts logging into `DIR/log`. Called once.
pub fn start(state: Option<&Path>) {
    let Some(folder) = state.map(|path| path.join("log")).filter(|path| state_dir::prepare(path).is_ok()) else {
        return;
    };
    let appender = Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix("noctty")
        .filename_suffix("log")
        .max_log_files(7)
        .build(folder);
    let Ok(appender) = appender else { return };
    let filter = EnvFilter::try_from_env("NOCTTY_LOG").unwrap_or_else(|_| EnvFilter::new("noctty=info,warn"));
    // JSON escapes control bytes in every field.
    let _ = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        // A full disk costs lines of the log; saying so on standard error would garble the screen.
        .log_internal_errors(false)
        .with_writer(std::sync::Mutex::new(appender))
        .try_init();
}
