//! The screen's themes: the shipped ones and the user's in `themes/` beside the configuration. Once there are files of the
//! user's, a thread looks every two seconds whether they have changed; without any it sleeps until it is asked.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use tokio::sync::mpsc::{Sender, channel};

use crate::base::options::Problem;
use crate::config::UiOptions;
use crate::config::theme::{Background, Shelf, Stamp};
use crate::ui::frame::Capabilities;
use crate::ui::themes::{News, Themes};

const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Without files of the user's.
const SELDOM: Duration = Duration::from_secs(3600);

/// Where the user's themes are: beside the configuration, else in the user's own folder.
pub fn folder(configuration: Option<&Path>) -> Option<PathBuf> {
    configuration.map(Path::to_owned).or_else(super::config_home).map(|folder| folder.join("themes"))
}

/// The themes, and what is wrong with the user's or with the choice.
pub fn start(ui: &UiOptions, capabilities: Capabilities) -> (Themes, Vec<Problem>) {
    let folder = folder(ui.folder.as_deref());
    let (shelf, mut problems) = folder.as_deref().map(Shelf::read).unwrap_or_default();
    problems.extend(ui.theme.check(&shelf));
    let background = std::env::var("COLORFGBG").ok().and_then(|value| Background::of_environment(&value));
    let own = shelf.has_own();
    let themes = Themes::new(shelf, ui.theme.clone(), background.unwrap_or_default(), capabilities);
    let Some(folder) = folder else { return (themes, problems) };
    let (nudge, nudged) = sync_channel(1);
    let (sender, news) = channel(1);
    let watch = move || watch(&folder, own, &nudged, &sender);
    match std::thread::Builder::new().name("themes".to_owned()).spawn(watch) {
        Ok(_) => (themes.with_news(nudge, news), problems),
        // Then they are as they were at the start.
        Err(_) => (themes, problems),
    }
}

/// Sends the themes when they have changed, and whenever it is nudged; ends with the screen.
fn watch(folder: &Path, mut own: bool, nudged: &Receiver<()>, sender: &Sender<News>) {
    let mut known: Stamp = Shelf::stamp(folder);
    loop {
        let asked = match nudged.recv_timeout(if own { LOOK_EVERY } else { SELDOM }) {
            Ok(()) => true,
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let stamp = Shelf::stamp(folder);
        if !asked && stamp == known {
            continue;
        }
        known = stamp;
        let news = Shelf::read(folder);
        own |= news.0.has_own();
        if sender.blocking_send(news).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_is_sent_and_one_that_does_not_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let (nudge, nudged) = sync_channel(1);
        let (sender, mut news) = channel(1);
        let path = folder.path().to_owned();
        let watcher = std::thread::spawn(move || watch(&path, false, &nudged, &sender));
        nudge.send(()).expect("it listens");
        assert!(!news.blocking_recv().expect("an answer").0.has_own());
        std::fs::write(folder.path().join("mine.toml"), "inherits = \"dark\"\n").expect("written");
        nudge.send(()).expect("it listens");
        assert!(news.blocking_recv().expect("an answer").0.has("mine"));
        // From here on it looks by itself.
        std::fs::write(folder.path().join("mine.toml"), "inherits = \"drak\"\n").expect("written");
        std::fs::write(folder.path().join("other.toml"), "inherits = \"light\"\n").expect("written");
        let (shelf, problems) = loop {
            let (shelf, problems) = news.blocking_recv().expect("an answer");
            if shelf.has("other") && !problems.is_empty() {
                break (shelf, problems);
            }
        };
        assert!(shelf.has("mine") && problems[0].message.contains("drak"));
        drop(nudge);
        watcher.join().expect("it ends with the screen");
    }
}
