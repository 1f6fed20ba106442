//! `journal.log`: every entry once more, as a line of JSON, synced before the entry counts as saved. Plain text,
//! appended only, readable without this program: where the database is damaged, entries are read from here.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use serde::{Deserialize, Serialize};

use super::record::{self, Hash, Record, TEXT_LIMIT, TITLE_LIMIT, hex, urgency_number};
use crate::base::Untrusted;
use crate::store::database::sync_directory;

/// The longest line that is read: the longest text with every byte escaped, and the rest.
const LINE: u64 = 6 * (TEXT_LIMIT as u64 + 2 * TITLE_LIMIT as u64) + 4096;

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    id: String,
    incident: i64,
    writer: String,
    sequence: i64,
    at: i64,
    kind: String,
    urgency: u8,
    author: Text,
    text: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<Text>,
    previous: String,
    hash: String,
}

/// A string, or an object with hex digits where the bytes are not UTF-8.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Plain(String),
    Bytes { hex: String },
}

/// What the log has.
#[derive(Debug, Default)]
pub struct LogContents {
    pub records: Vec<Record>,
    /// Lines that are not whole, not ours, or do not match their checksum.
    pub bad_lines: usize,
}

pub fn path(directory: &Path) -> PathBuf {
    directory.join("journal.log")
}

/// Appends the records and syncs them.
///
/// # Errors
/// What the system said.
pub fn append(directory: &Path, records: &[Record]) -> std::io::Result<()> {
    let path = path(directory);
    let is_new = !path.exists();
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(&path)?;
    flock(&file, FlockOperation::LockExclusive)?;
    let mut bytes = Vec::new();
    if !ends_with_line_break(&file)? {
        // A line was torn by a crash or a full disk: the next one starts afresh.
        bytes.push(b'\n');
    }
    for one in records {
        serde_json::to_writer(&mut bytes, &line(one))?;
        bytes.push(b'\n');
    }
    file.write_all(&bytes)?;
    file.sync_data()?;
    if is_new {
        sync_directory(directory)?;
    }
    Ok(())
}

/// Reads all of it; a file that is not there is an empty one.
///
/// # Errors
/// What the system said.
pub fn read(directory: &Path) -> std::io::Result<LogContents> {
    let file = match File::open(path(directory)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(LogContents::default()),
        other => other?,
    };
    let mut contents = LogContents::default();
    let mut reader = BufReader::new(file);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        // A line that is too long is read in parts, none of which is an entry.
        if (&mut reader).take(LINE).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(contents);
        }
        let text = bytes.trim_ascii();
        if text.is_empty() {
            continue;
        }
        match serde_json::from_slice(text).ok().and_then(|line| record(&line)).filter(Record::is_intact) {
            Some(record) => contents.records.push(record),
            None => contents.bad_lines += 1,
        }
    }
}

fn ends_with_line_break(file: &File) -> std::io::Result<bool> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    Ok(last == [b'\n'])
}

fn line(record: &Record) -> Line {
    let entry = &record.entry;
    Line {
        id: entry.id.to_string(),
        incident: i64::from(entry.incident.0),
        writer: entry.writer.to_string(),
        sequence: entry.sequence.cast_signed(),
        at: entry.at.millis(),
        kind: entry.kind.as_str().to_owned(),
        urgency: urgency_number(record.urgency),
        author: text(&entry.author),
        text: text(&entry.text),
        about: entry.about.as_ref().map(text),
        previous: hex(&record.previous),
        hash: hex(&record.hash),
    }
}

fn record(line: &Line) -> Option<Record> {
    let hash = |text: &str| Hash::try_from(unhex(text)?).ok();
    let about = match &line.about {
        None => None,
        Some(text) => Some(bytes(text)?),
    };
    record::from_fields(
        &line.id,
        line.incident,
        &line.writer,
        line.sequence,
        line.at,
        &line.kind,
        i64::from(line.urgency),
        &bytes(&line.author)?,
        &bytes(&line.text)?,
        about.as_deref(),
        &hash(&line.previous)?,
        &hash(&line.hash)?,
    )
    .ok()
}

pub(super) fn text(untrusted: &Untrusted) -> Text {
    std::str::from_utf8(untrusted.as_bytes())
        .map_or_else(|_| Text::Bytes { hex: hex(untrusted.as_bytes()) }, |text| Text::Plain(text.to_owned()))
}

pub(super) fn bytes(text: &Text) -> Option<Vec<u8>> {
    match text {
        Text::Plain(text) => Some(text.as_bytes().to_vec()),
        Text::Bytes { hex } => unhex(hex),
    }
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree as _;

    use super::super::record::tests::any_record;
    use super::*;

    proptest! {
        #[test]
        fn what_is_logged_reads_back(records in prop::collection::vec(any_record(), 1..5)) {
            let dir = tempfile::tempdir().expect("a directory");
            append(dir.path(), &records).expect("written");
            let contents = read(dir.path()).expect("read");
            prop_assert_eq!(contents.bad_lines, 0);
            prop_assert_eq!(contents.records, records);
        }

        #[test]
        fn damage_at_a_byte_never_hurts_the_lines_before(
            records in prop::collection::vec(any_record(), 1..5), at in any::<prop::sample::Index>(), value in any::<u8>()
        ) {
            let dir = tempfile::tempdir().expect("a directory");
            append(dir.path(), &records).expect("written");
            let mut bytes = std::fs::read(path(dir.path())).expect("bytes");
            let at = at.index(bytes.len());
            bytes[at] = value;
            let whole = bytes[..at].split(|b| *b == b'\n').count() - 1;
            std::fs::write(path(dir.path()), &bytes).expect("damaged");
            let contents = read(dir.path()).expect("read");
            prop_assert_eq!(&contents.records[..whole], &records[..whole]);
            prop_assert!(contents.records.iter().all(|r| records.contains(r)), "nothing is invented");
        }
    }

    #[test]
    fn a_torn_last_line_costs_only_itself() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(path(dir.path()), b"{\"id\":\"01AR").expect("torn");
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let record = any_record().new_tree(&mut runner).expect("a record").current();
        append(dir.path(), std::slice::from_ref(&record)).expect("written");
        let contents = read(dir.path()).expect("read");
        assert_eq!((contents.records, contents.bad_lines), (vec![record], 1));
    }
}
