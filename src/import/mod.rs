//! What people have, turned into a configuration: one file per format, one row each in [`FORMATS`]. A format reads
//! text and says which hosts stand in it; [`settle`](merge::settle) decides which of them are new, [`toml`](render::toml)
//! writes them. Nothing is run, resolved or fetched, and no secret is taken over.

pub mod ansible;
pub mod csv;
pub mod merge;
pub mod render;
pub mod ssh_config;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::options::{Place, Problem, Source, Weight};

/// Inputs larger than this are refused.
const LARGEST: u64 = 16 * 1024 * 1024;
/// More hosts than this are refused; the largest inventories in the field are below it.
pub const MOST_HOSTS: usize = 50_000;

/// A host as a format told it, not checked yet.
#[derive(Clone, Debug)]
pub struct Record {
    pub name: String,
    /// `None`: the name is the address.
    pub address: Option<String>,
    /// Its name in `ssh_config` where that is not the address.
    pub ssh: Option<String>,
    pub group: Option<String>,
    pub tags: Vec<String>,
    pub parents: Vec<String>,
    pub reach: Reach,
    /// Where it stands in the input.
    pub place: Option<Place>,
}

impl Record {
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            address: None,
            ssh: None,
            group: None,
            tags: Vec::new(),
            parents: Vec::new(),
            reach: Reach::Echo,
            place: None,
        }
    }
}

/// What can be asked of a host from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// ICMP echo only: the default of a `[[host]]`.
    Echo,
    /// Echo and the SSH version line.
    Ssh { port: u16 },
    /// Echo and a TCP connection.
    Tcp { port: u16 },
    /// Nothing, for a reason.
    Nothing { why: String },
}

/// What an input holds.
#[derive(Debug, Default)]
pub struct Found {
    pub records: Vec<Record>,
    /// What was left out and why; warnings.
    pub remarks: Vec<Problem>,
}

impl Found {
    fn remark(&mut self, place: Option<&Place>, message: impl Into<String>) {
        self.remarks.push(remark(place, message));
    }
}

/// A warning, with its place where there is one.
pub(crate) fn remark(place: Option<&Place>, message: impl Into<String>) -> Problem {
    Problem { weight: Weight::Warning, place: place.cloned(), message: message.into(), hint: None }
}

/// What a format is given.
#[derive(Clone, Debug)]
pub struct Input {
    /// The file, or `None` for standard input.
    pub path: Option<PathBuf>,
    pub source: Arc<Source>,
    pub home: PathBuf,
    /// `name=HEADER` pairs, for formats with columns.
    pub columns: Vec<(String, String)>,
}

impl Input {
    /// The place of a line, counted from 1.
    fn line(&self, number: usize) -> Place {
        let mut start = 0;
        for _ in 1..number {
            let Some(at) = self.source.text[start..].find('\n') else { break };
            start += at + 1;
        }
        let end = self.source.text[start..].find('\n').map_or(self.source.text.len(), |at| start + at);
        Place { source: self.source.clone(), start, end }
    }
}

/// A row of the table of formats.
#[derive(Debug)]
pub struct Format {
    pub name: &'static str,
    pub help: &'static str,
    pub read: fn(&Input) -> Result<Found, Vec<Problem>>,
}

/// Every format there is.
pub static FORMATS: &[&Format] = &[&ssh_config::FORMAT, &ansible::FORMAT, &csv::FORMAT];

pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().copied().find(|f| f.name == name)
}

/// Reads a whole file as text, a byte order mark cut off.
///
/// # Errors
/// In words, without the path.
pub fn read_file(path: &Path) -> Result<String, String> {
    let about = std::fs::metadata(path).map_err(|e| e.to_string())?;
    if about.is_dir() {
        return Err("it is a folder; name a file in it".to_owned());
    }
    if !about.is_file() {
        return Err("it is no regular file".to_owned());
    }
    read_text(std::fs::File::open(path).map_err(|e| e.to_string())?)
}

/// Reads a stream to its end as text.
///
/// # Errors
/// In words.
pub fn read_text(stream: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    stream.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it is larger than {} MiB", LARGEST / 1024 / 1024));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("it is UTF-16; save it as UTF-8".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].split(|b| *b == b'\n').count();
        format!("it is not UTF-8 (line {line})")
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// An input from text.
    pub fn input(text: &str) -> Input {
        Input {
            path: None,
            source: Arc::new(Source { name: "input".to_owned(), text: text.to_owned() }),
            home: PathBuf::from("/nonexistent"),
            columns: Vec::new(),
        }
    }

    /// All remarks in one text.
    pub fn words(problems: &[Problem]) -> String {
        problems.iter().map(Problem::render).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_no_utf8_is_refused_with_its_line() {
        assert_eq!(read_text(&b"a\nb\xff"[..]), Err("it is not UTF-8 (line 2)".to_owned()));
        assert_eq!(read_text(&b"\xff\xfea\0"[..]), Err("it is UTF-16; save it as UTF-8".to_owned()));
        assert_eq!(read_text("\u{feff}name".as_bytes()), Ok("name".to_owned()));
    }

    #[test]
    fn an_endless_stream_is_not_read_to_its_end() {
        assert_eq!(read_text(std::io::repeat(b'a')), Err("it is larger than 16 MiB".to_owned()));
    }

    #[test]
    fn the_place_of_a_line_is_that_line() {
        let input = testing::input("one\ntwo\nthree");
        assert_eq!(input.line(2).line_and_column(), (2, 1));
        assert_eq!(input.line(3).line_and_column(), (3, 1));
        assert_eq!(input.line(99).line_and_column(), (3, 1));
    }
}
