//! `messages.log` in the state directory: what consoles told their operators, for the log of the next one. A line each, and
//! the file stays short:
//!
//! ```text
//! 1767225600000 W no host is called db9          (milliseconds since 1970, how weighty: N, W or E, the words)
//! ```
//!
//! It is read leniently: a line that is none is left out. Words come cleaned, and hold no more than the screen showed. A thread
//! writes, so that no disk holds up a key; who is killed loses what was told in the last moment at most.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use super::state_dir;
use crate::base::{Timestamp, text};
use crate::bus::MessageWeight;
use crate::ui::logbook::{KeepMessages, KeptMessage};

const FILE: &str = "messages.log";
/// Lines that the next console reads.
const SHOWN: usize = 200;
/// Lines that a file grows to before all but those are taken away.
const MOST: usize = 1_000;
/// As much of a file's end as is read.
const TAIL: u64 = 256 * 1024;
/// Messages that may wait for the disk.
const WAITING: usize = 256;

/// What earlier consoles told, oldest first, and what keeps what this one tells.
pub fn start(directory: &Path) -> (Vec<KeptMessage>, KeepMessages) {
    let path = directory.join(FILE);
    let earlier = read(&path);
    let (tell, told) = sync_channel::<KeptMessage>(WAITING);
    let mut lines = earlier.len();
    let writer = std::thread::Builder::new().name("messages".to_owned()).spawn(move || {
        for message in told {
            if let Err(error) = append(&path, &message) {
                tracing::debug!(%error, "a message is not kept");
            }
            lines += 1;
            if lines > MOST {
                shorten(&path);
                lines = SHOWN;
            }
        }
    });
    if let Err(error) = writer {
        tracing::debug!(%error, "messages are not kept");
    }
    // A disk that hangs costs messages, not keys.
    (earlier, Box::new(move |message| drop(tell.try_send(message))))
}

fn read(path: &Path) -> Vec<KeptMessage> {
    let bytes = tail(path).unwrap_or_default();
    let lines = String::from_utf8_lossy(&bytes);
    let mut all: Vec<KeptMessage> = lines.lines().filter_map(message).collect();
    all.drain(..all.len().saturating_sub(SHOWN));
    all
}

fn tail(path: &Path) -> std::io::Result<Vec<u8>> {
    // A pipe under that name would never end.
    if !std::fs::metadata(path)?.is_file() {
        return Ok(Vec::new());
    }
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn append(path: &PathBuf, message: &KeptMessage) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    // At once, so that two consoles do not write into one another's lines.
    file.write_all(line(message).as_bytes())
}

/// Another console may write meanwhile: a message of that moment may be lost.
fn shorten(path: &Path) {
    let kept: String = read(path).iter().map(line).collect();
    if let Err(error) = state_dir::replace(path, kept.as_bytes()) {
        tracing::debug!(%error, "the messages are not shortened");
    }
}

fn line(message: &KeptMessage) -> String {
    let weight = match message.weight {
        MessageWeight::Note => 'N',
        MessageWeight::Warning => 'W',
        MessageWeight::Error => 'E',
    };
    format!("{} {weight} {}\n", message.at.millis(), text::clean(&message.words))
}

fn message(line: &str) -> Option<KeptMessage> {
    let mut parts = line.splitn(3, ' ');
    let at = Timestamp(parts.next()?.parse().ok()?);
    let weight = match parts.next()? {
        "N" => MessageWeight::Note,
        "W" => MessageWeight::Warning,
        "E" => MessageWeight::Error,
        _ => return None,
    };
    // Somebody else may have written there.
    Some(KeptMessage { at, weight, words: text::clean(parts.next()?) })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn one(at: i64, words: &str) -> KeptMessage {
        KeptMessage { at: Timestamp(at), weight: MessageWeight::Warning, words: words.to_owned() }
    }

    /// As the next console reads it, once the thread is done.
    fn kept(directory: &Path, wanted: usize) -> Vec<KeptMessage> {
        for _ in 0..1_000 {
            let found = read(&directory.join(FILE));
            if found.len() >= wanted {
                return found;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("{wanted} messages are not there");
    }

    #[test]
    fn what_was_told_is_there_for_the_next_and_what_is_no_line_is_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let (earlier, keep) = start(folder.path());
        assert_eq!(earlier, []);
        keep(one(5, "no host is called db9"));
        keep(KeptMessage { weight: MessageWeight::Error, ..one(6, "a\u{1b}[2J\nb") });
        let found = kept(folder.path(), 2);
        assert_eq!((&found[0], found[1].weight), (&one(5, "no host is called db9"), MessageWeight::Error));
        assert!(text::is_clean(&found[1].words), "{:?}", found[1].words);
        let path = folder.path().join(FILE);
        let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&path, b"\n7 W\n8 X what\nnow E x\n\xff\xfe W y\n9 N \x1b]0;own\x07 z\n10 N last")
            .expect("written");
        let found = read(&path);
        assert_eq!(found.iter().map(|one| one.at.millis()).collect::<Vec<_>>(), [9, 10]);
        assert!(found.iter().all(|one| text::is_clean(&one.words)), "{found:?}");
    }

    #[test]
    fn the_file_stays_short_and_the_newest_are_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        for number in 0..1_500 {
            append(&path, &one(number, "again")).expect("written");
        }
        shorten(&path);
        let found = read(&path);
        assert_eq!((found.len(), found[0].at, found[SHOWN - 1].at), (SHOWN, Timestamp(1_300), Timestamp(1_499)));
        let lines = std::fs::read_to_string(&path).expect("it reads").lines().count();
        assert_eq!(lines, SHOWN);
    }
}
