//! What is copied: by OSC 52 to the clipboard of the terminal that the operator sits at, wherever noctty runs; what is too
//! much for that, to a file of the operator's own. Whether a terminal takes it, it does not say. Foreign text is one line
//! without control characters before it comes here, and as base64 nothing in it can end the sequence.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};

use data_encoding::BASE64;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use tokio::sync::oneshot;

use super::app::App;
use super::frame::{Frame, Link};
use super::run::Screen as _;
use super::{overlays, panes};
use crate::base::{text, units};
use crate::bus::MessageWeight;

/// The most that goes to the terminal, as base64: several take no more, and a slow line has to carry it.
const MOST: usize = 64 * 1024;
/// The name of the file of a copy, in the first folder that takes it.
const FILE: &str = "copied.tsv";

/// A text on its way to the terminal's clipboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip(String);

impl Clip {
    /// `None` where it is too much.
    pub fn new(text: &str) -> Option<Self> {
        let encoded = BASE64.encode(text.as_bytes());
        (encoded.len() <= MOST).then_some(Self(encoded))
    }

    /// As it is written.
    pub fn bytes(&self) -> Vec<u8> {
        format!("\x1b]52;c;{}\x1b\\", self.0).into_bytes()
    }
}

/// Where copies go.
#[derive(Debug, Default)]
pub struct Clipboard {
    /// The terminal would print the sequence: everything goes to the file.
    pub file_only: bool,
    /// Where the file may stand, the best place first.
    pub folders: Vec<PathBuf>,
    clip: Option<Clip>,
    /// What is being written, and its outcome.
    writing: Option<Writing>,
}

/// A file that is on its way.
#[derive(Debug)]
struct Writing {
    what: String,
    /// A file was wanted; else the terminal could not take it.
    is_wanted: bool,
    outcome: oneshot::Receiver<Result<PathBuf, String>>,
}

impl Clipboard {
    pub fn new(file_only: bool, folders: Vec<PathBuf>) -> Self {
        Self { file_only, folders, clip: None, writing: None }
    }

    pub fn take(&mut self) -> Option<Clip> {
        self.clip.take()
    }

    /// True where it goes to the terminal, false where it is being written to a file.
    fn put(&mut self, what: &str, text: String) -> bool {
        self.clip = Clip::new(&text).filter(|_| !self.file_only);
        if self.clip.is_none() {
            self.write(what, FILE.to_owned(), text, false);
        }
        self.clip.is_some()
    }

    fn write(&mut self, what: &str, name: String, text: String, is_wanted: bool) {
        let (sender, outcome) = oneshot::channel();
        let folders = self.folders.clone();
        // The screen waits for no disk.
        let write = move || {
            // Nobody waits for it any more where another copy was made since.
            let _ = sender.send(write(&folders, &name, &text));
        };
        if let Err(error) = std::thread::Builder::new().name("copy".to_owned()).spawn(write) {
            tracing::warn!(%error, "nothing was copied");
        }
        self.writing = Some(Writing { what: what.to_owned(), is_wanted, outcome });
    }

    /// What became of the file, once that is known.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(String, bool, Result<PathBuf, String>)> {
        let Some(writing) = &mut self.writing else { return Poll::Pending };
        let Poll::Ready(outcome) = std::pin::Pin::new(&mut writing.outcome).poll(cx) else { return Poll::Pending };
        let Some(Writing { what, is_wanted, .. }) = self.writing.take() else { return Poll::Pending };
        Poll::Ready((what, is_wanted, outcome.unwrap_or_else(|_| Err("nobody wrote it".to_owned()))))
    }
}

/// Into the first folder that takes it; else what the last one said.
fn write(folders: &[PathBuf], name: &str, text: &str) -> Result<PathBuf, String> {
    let mut failure = "there is no folder for it: --state DIR names one".to_owned();
    for folder in folders {
        match write_into(folder, name, text) {
            Ok(path) => return Ok(path),
            Err(error) => failure = format!("{}: {error}", folder.display()),
        }
    }
    Err(failure)
}

/// For its owner only, and whole or not at all: whatever stood there under that name, a link too, is replaced.
fn write_into(folder: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let part = folder.join(format!(".{name}.{}", std::process::id()));
    let path = folder.join(name);
    let _ = std::fs::remove_file(&part);
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        std::fs::rename(&part, &path)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written.map(|()| path)
}

/// A cell of what is copied: one line, no tab, nothing that a terminal or a shell would obey.
pub fn cell(words: &str) -> String {
    text::clean(words.replace(['\t', '\n', '\r'], " ").trim())
}

/// How many, in words.
pub fn rows(count: usize) -> String {
    units::counted(count, "row")
}

/// Cells to a line.
pub fn line(cells: &[String]) -> String {
    cells.iter().map(|words| cell(words)).collect::<Vec<_>>().join("\t")
}

/// A row of the screen without the blanks at its end; a wide letter has a cell behind it that shows nothing.
fn text_of(row: &[Cell]) -> String {
    let mut out = String::new();
    let mut covered = 0;
    for cell in row {
        if covered > 0 {
            covered -= 1;
            continue;
        }
        out.push_str(cell.symbol());
        covered = text::width(cell.symbol()).saturating_sub(1);
    }
    out.truncate(out.trim_end().len());
    out
}

impl App {
    /// The name of the selected row.
    pub(super) fn copy_name(&mut self) {
        let row = self.list(self.focus).row();
        match row.and_then(|row| panes::fields::name(self, self.focus, row)) {
            Some(name) => {
                let name = cell(&name);
                self.copy(&name.clone(), name);
            }
            None => self.say(MessageWeight::Note, "nothing is selected"),
        }
    }

    /// The selected row in one line.
    pub(super) fn copy_row(&mut self) {
        let (kind, row) = (self.focus, self.list(self.focus).row());
        let cells = row.and_then(|row| panes::fields::cells(self, kind, row));
        match (cells, row.and_then(|row| panes::fields::name(self, kind, row))) {
            (Some(cells), Some(name)) => self.copy(&format!("the row of {}", cell(&name)), line(&cells)),
            _ => self.say(MessageWeight::Note, "nothing is selected"),
        }
    }

    /// All of the text that is read, with its title.
    pub(super) fn copy_what_is_read(&mut self) {
        if let Some((title, text)) = overlays::whole_text(self) {
            let lines = units::counted(text.lines().count(), "line");
            self.copy(&format!("{} ({lines})", cell(&title)), text);
        }
    }

    /// All rows of the list, under the names of their columns.
    pub(super) fn copy_table(&mut self) {
        let kind = self.focus;
        let rows: Vec<Vec<String>> =
            self.list(kind).order.iter().filter_map(|row| panes::fields::cells(self, kind, *row)).collect();
        if rows.is_empty() {
            self.say(MessageWeight::Note, "there is no row to copy");
            return;
        }
        let titles: Vec<String> = panes::fields::titles(self, kind).into_iter().map(str::to_owned).collect();
        let mut out = String::new();
        for cells in std::iter::once(&titles).chain(&rows) {
            out.push_str(&line(cells));
            out.push('\n');
        }
        self.copy(&self::rows(rows.len()), out);
    }

    /// What is on the screen, as text.
    pub(super) fn copy_screen(&mut self) {
        let (columns, lines) = self.size();
        let area = Rect::new(0, 0, columns, lines);
        let mut buffer = Buffer::empty(area);
        let (now, wall) = (self.now(), self.clock());
        let link = Link::default();
        self.draw(&mut Frame { buffer: &mut buffer, area, now, wall, link, cursor: None, answer: None });
        let rows = buffer.content.chunks(usize::from(columns).max(1));
        let text: String = rows.map(|row| text_of(row) + "\n").collect();
        self.copy("the screen", text);
    }

    pub(super) fn copy(&mut self, what: &str, text: String) {
        if self.clipboard.put(what, text) {
            let frozen = if self.frozen.is_some() { ", of the frozen picture" } else { "" };
            self.say(MessageWeight::Note, format!("copied {what}{frozen}"));
        }
    }

    /// To a file of that name, where copies go that are too much for a terminal.
    pub(super) fn save(&mut self, what: &str, name: String, text: String) {
        self.clipboard.write(what, name, text, true);
    }

    /// Says where a copy is that did not go to the terminal.
    pub(super) fn poll_copy(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Poll::Ready((what, is_wanted, outcome)) = self.clipboard.poll(cx) else { return Poll::Pending };
        match outcome {
            Ok(path) if is_wanted => self.say(MessageWeight::Note, format!("saved {what} as {}", path.display())),
            Err(failure) if is_wanted => self.say(MessageWeight::Error, format!("NOT SAVED: {what}: {failure}")),
            Ok(path) if self.clipboard.file_only => self.say(
                MessageWeight::Note,
                format!("copied {what} to {}: this terminal has no clipboard", path.display()),
            ),
            Ok(path) => self.say(
                MessageWeight::Note,
                format!("copied {what} to {}: too much for a terminal's clipboard", path.display()),
            ),
            Err(failure) => self.say(MessageWeight::Error, format!("NOT COPIED: {what}: {failure}")),
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn one_sequence_leaves_and_nothing_in_it_can_end_it() {
        let clip = Clip::new("core-sw1").expect("little");
        assert_eq!(clip.bytes(), b"\x1b]52;c;Y29yZS1zdzE=\x1b\\");
        let hostile = Clip::new("a\x1b\\\x07\u{9c}b").expect("little").bytes();
        let inner = &hostile[7..hostile.len() - 2];
        assert!(inner.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b)), "{inner:?}");
    }

    #[test]
    fn what_is_too_much_is_no_clip() {
        assert!(Clip::new(&"x".repeat(MOST / 4 * 3)).is_some_and(|clip| clip.0.len() == MOST));
        assert_eq!(Clip::new(&"x".repeat(MOST / 4 * 3 + 1)), None);
    }

    #[test]
    fn a_cell_is_one_line_of_plain_text() {
        assert_eq!(cell("up\tlink\r\nto core "), "up link  to core");
        assert_eq!(line(&["a\tb".into(), "c\nd".into()]), "a b\tc d");
        let hostile = cell("evil\x1b]52;c;aGk=\x07\u{202e}\u{9b}2J");
        assert!(text::is_clean(&hostile) && !hostile.chars().any(char::is_control), "{hostile:?}");
    }

    #[test]
    fn the_file_is_its_owners_and_a_link_in_its_place_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let other = folder.path().join("other");
        std::fs::write(&other, "kept").expect("it can be written");
        let state = folder.path().join("state");
        std::fs::create_dir(&state).expect("a folder");
        std::os::unix::fs::symlink(&other, state.join(FILE)).expect("a link");
        // The first place is a file: the next one is taken.
        let path = write(&[other.clone(), state.clone()], FILE, "a\tb\n").expect("it is written");
        assert_eq!(path, state.join(FILE));
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "a\tb\n");
        let found = std::fs::symlink_metadata(&path).expect("it is there");
        assert!(found.is_file() && found.permissions().mode() & 0o777 == 0o600, "{found:?}");
        assert_eq!(std::fs::read_to_string(&other).expect("it is there"), "kept");
        let left = std::fs::read_dir(&state).expect("it is there").count();
        assert_eq!(left, 1, "nothing half-written is left");
        assert!(write(&[], FILE, "x").is_err_and(|why| why.contains("--state DIR")));
    }
}
