//! `snmp-engine`: the name of noctty's own SNMP engine and how often it started, for devices that send informs in version 3.
//! The count is on disk before the engine says it, so that it never goes back (RFC 3414 §2.2); a file that is lost or
//! damaged gives a new name, which is the other way to be honest.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

const FILE: &str = "snmp-engine";
/// An engine that has started more often would not be believed.
const MOST_BOOTS: u32 = 0x7fff_fffe;

/// The name, 5 to 32 octets, and the number of this start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnEngine {
    pub id: Vec<u8>,
    pub boots: u32,
}

/// Reads who we are and counts this start. Without a directory, or where it cannot be written, the name is new and for this
/// run only.
pub fn own_engine(directory: Option<&Path>) -> OwnEngine {
    let fresh = || OwnEngine { id: new_id(), boots: 1 };
    let Some(directory) = directory else { return fresh() };
    let next = match read(directory) {
        Some(known) if known.boots < MOST_BOOTS => OwnEngine { boots: known.boots + 1, ..known },
        _ => fresh(),
    };
    match write(directory, &next) {
        Ok(()) => next,
        Err(error) => {
            tracing::warn!(%error, "the name of our SNMP engine cannot be kept");
            fresh()
        }
    }
}

fn read(directory: &Path) -> Option<OwnEngine> {
    let mut text = String::new();
    File::open(directory.join(FILE)).ok()?.take(1024).read_to_string(&mut text).ok()?;
    let mut lines = text.lines();
    let digits = lines.next()?.strip_prefix("id ")?;
    let boots = lines.next()?.strip_prefix("boots ")?.parse().ok()?;
    let id = data_encoding::HEXLOWER.decode(digits.as_bytes()).ok()?;
    (5..=32).contains(&id.len()).then_some(OwnEngine { id, boots })
}

fn write(directory: &Path, engine: &OwnEngine) -> std::io::Result<()> {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write!(text, "id {}\nboots {}\n", data_encoding::HEXLOWER.encode(&engine.id), engine.boots);
    // The journal may not have made it yet.
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let new = directory.join("snmp-engine.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, directory.join(FILE))?;
    File::open(directory)?.sync_all()
}

/// RFC 3411 §5: the high bit, an enterprise number (none is assigned to us, so the reserved 0), format 5 (octets), and
/// twelve random ones.
fn new_id() -> Vec<u8> {
    let mut id = vec![0x80, 0, 0, 0, 5];
    let mut octets = [0u8; 12];
    // It does not fail after boot; the other octets keep even zeros from being no name at all.
    let _ = rustix::rand::getrandom(&mut octets, rustix::rand::GetRandomFlags::empty());
    id.extend_from_slice(&octets);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_stays_and_every_start_is_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = own_engine(Some(folder.path()));
        assert_eq!((first.id.len(), first.boots), (17, 1));
        let second = own_engine(Some(folder.path()));
        assert_eq!(second, OwnEngine { boots: 2, ..first.clone() });
        assert_ne!(own_engine(None).id, first.id);
    }

    #[test]
    fn what_is_damaged_gives_a_new_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = own_engine(Some(folder.path()));
        for damage in ["", "id zz\nboots 4\n", "id 8000\nboots 4\n", "boots 4\n", "id 80000000050102\nboots x\n"] {
            std::fs::write(folder.path().join(FILE), damage).expect("written");
            let next = own_engine(Some(folder.path()));
            assert!(next.id != first.id && next.boots == 1, "{damage:?}");
        }
        std::fs::write(folder.path().join(FILE), "id 80000000050102\nboots 2147483647\n").expect("written");
        assert_eq!(own_engine(Some(folder.path())).boots, 1, "a count that is at its end");
    }

    #[test]
    fn a_folder_that_cannot_be_written_gives_a_name_for_this_run() {
        let engine = own_engine(Some(Path::new("/proc/noctty")));
        assert_eq!((engine.id.len(), engine.boots), (17, 1));
    }
}
