//! One entry as it is stored, and the bytes that its hash is made of.
//!
//! ```text
//! hash = SHA-256( "noctty.journal.entry/1" 00
//!   id         26 bytes   ULID
//!   incident   u32        0 for an entry that belongs to none
//!   writer     26 bytes   ULID
//!   sequence   u64        from 1, per writer
//!   at         i64        milliseconds since 1970, UTC
//!   kind       u32 length, bytes
//!   urgency    u8         0 none, 1 SEV1 … 5 SEV5
//!   author     u32 length, bytes
//!   text       u32 length, bytes
//!   about      00, or 01, u32 length, bytes
//!   previous   32 bytes   the hash of the writer's entry before; zeros for its first
//! )                       all numbers big endian
//! ```
//!
//! Two records with the same bytes are the same record: every field of variable length carries its length.

use sha2::{Digest as _, Sha256};
use ulid::Ulid;

use super::JournalError;
use crate::base::{Timestamp, Untrusted};
use crate::model::{Entry, EntryKind, IncidentId, Urgency};

/// The longest text of an entry, in bytes.
pub const TEXT_LIMIT: usize = 64 * 1024;
/// The longest title of an incident, and the longest author and object, in bytes.
pub const TITLE_LIMIT: usize = 10 * 1024;

const DOMAIN: &[u8] = b"noctty.journal.entry/1\0";

pub type Hash = [u8; 32];

/// A stored entry with what the timeline does not show.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub entry: Entry,
    /// Of the incident, in the entry that opens it.
    pub urgency: Option<Urgency>,
    pub previous: Hash,
    pub hash: Hash,
}

impl Record {
    /// Completes a record with its hash.
    pub fn sealed(entry: Entry, urgency: Option<Urgency>, previous: Hash) -> Self {
        let hash = hash(&entry, urgency, &previous);
        Self { entry, urgency, previous, hash }
    }

    /// Whether the content is what the hash was made of.
    pub fn is_intact(&self) -> bool {
        hash(&self.entry, self.urgency, &self.previous) == self.hash
    }
}

fn hash(entry: &Entry, urgency: Option<Urgency>, previous: &Hash) -> Hash {
    let mut sha = Sha256::new();
    sha.update(DOMAIN);
    sha.update(entry.id.as_bytes());
    sha.update(entry.incident.0.to_be_bytes());
    sha.update(entry.writer.as_bytes());
    sha.update(entry.sequence.to_be_bytes());
    sha.update(entry.at.millis().to_be_bytes());
    field(&mut sha, entry.kind.as_str().as_bytes());
    sha.update([urgency_number(urgency)]);
    field(&mut sha, entry.author.as_bytes());
    field(&mut sha, entry.text.as_bytes());
    match &entry.about {
        None => sha.update([0]),
        Some(about) => {
            sha.update([1]);
            field(&mut sha, about.as_bytes());
        }
    }
    sha.update(previous);
    sha.finalize().into()
}

fn field(sha: &mut Sha256, bytes: &[u8]) {
    sha.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    sha.update(bytes);
}

/// 0 for none, 1 for SEV1 to 5 for SEV5.
pub fn urgency_number(urgency: Option<Urgency>) -> u8 {
    urgency.map_or(0, |u| Urgency::ALL.iter().position(|v| *v == u).map_or(0, |at| at as u8 + 1))
}

/// The inverse of [`urgency_number`]; `Err` for a number that means nothing.
pub fn urgency_of(number: i64) -> Result<Option<Urgency>, ()> {
    match usize::try_from(number) {
        Ok(0) => Ok(None),
        Ok(n) => Urgency::ALL.get(n - 1).copied().map(Some).ok_or(()),
        Err(_) => Err(()),
    }
}

/// A record from stored fields; `Err` names the field that cannot be one of ours.
#[expect(clippy::too_many_arguments, reason = "one argument a column, in the order of the table")]
pub fn from_fields(
    id: &str,
    incident: i64,
    writer: &str,
    sequence: i64,
    at: i64,
    kind: &str,
    urgency: i64,
    author: &[u8],
    text: &[u8],
    about: Option<&[u8]>,
    previous: &[u8],
    hash: &[u8],
) -> Result<Record, &'static str> {
    if !is_ulid(id) {
        return Err("id");
    }
    if !is_ulid(writer) {
        return Err("writer");
    }
    let kind = EntryKind::parse(kind).ok_or("kind")?;
    let of_one = |n: &u32| (*n > 0) != kind.is_deed();
    let entry = Entry {
        id: id.into(),
        incident: u32::try_from(incident).ok().filter(of_one).map(IncidentId).ok_or("incident")?,
        writer: writer.into(),
        sequence: u64::try_from(sequence).ok().filter(|n| *n > 0).ok_or("sequence")?,
        at: Timestamp(at),
        kind,
        author: Untrusted::bounded(author, TITLE_LIMIT),
        text: Untrusted::bounded(text, TEXT_LIMIT),
        about: about.map(|about| Untrusted::bounded(about, TITLE_LIMIT)),
    };
    Ok(Record {
        entry,
        urgency: urgency_of(urgency).map_err(|()| "urgency")?,
        previous: previous.try_into().map_err(|_| "previous hash")?,
        hash: hash.try_into().map_err(|_| "hash")?,
    })
}

/// Refuses what is longer than is kept, or is empty.
pub fn check_length(what: &'static str, text: &Untrusted, limit: usize) -> Result<(), JournalError> {
    let bytes = text.as_bytes().len();
    if text.is_cut() || bytes > limit {
        return Err(JournalError::TooLong { what, bytes, limit });
    }
    if text.as_bytes().iter().all(u8::is_ascii_whitespace) {
        return Err(JournalError::Empty(what));
    }
    Ok(())
}

/// Two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn is_ulid(text: &str) -> bool {
    // Only the canonical spelling: the hash is over the text.
    Ulid::from_string(text).is_ok_and(|ulid| ulid.to_string() == text)
}

#[cfg(test)]
pub mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        pub fn any_record()(
            id in any::<u128>(), writer in any::<u128>(), incident in 1..u32::MAX, sequence in 1..i64::MAX,
            at in any::<i64>(), kind in prop::sample::select(&EntryKind::ALL[..]), urgency in 0..6i64,
            author in prop::collection::vec(any::<u8>(), 0..40), text in prop::collection::vec(any::<u8>(), 0..400),
            about in prop::option::of(prop::collection::vec(any::<u8>(), 0..40)), previous in any::<[u8; 32]>(),
        ) -> Record {
            let entry = Entry {
                id: Ulid(id).to_string().into(),
                incident: if kind.is_deed() { IncidentId::NONE } else { IncidentId(incident) },
                writer: Ulid(writer).to_string().into(),
                sequence: sequence.cast_unsigned(),
                at: Timestamp(at),
                kind,
                author: Untrusted::new(author),
                text: Untrusted::bounded(&text, TEXT_LIMIT),
                about: about.map(Untrusted::new),
            };
            Record::sealed(entry, urgency_of(urgency).expect("in range"), previous)
        }
    }

    proptest! {
        #[test]
        fn a_sealed_record_is_intact_and_any_change_shows(record in any_record(), bit in 0..256usize) {
            prop_assert!(record.is_intact());
            let mut hash = record.clone();
            hash.hash[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!hash.is_intact());
            let mut moved = record.clone();
            moved.entry.incident.0 ^= 1;
            prop_assert!(!moved.is_intact());
            let mut text = record.entry.text.as_bytes().to_vec();
            text.push(0);
            let mut longer = record.clone();
            longer.entry.text = Untrusted::bounded(&text, TEXT_LIMIT);
            prop_assert!(!longer.is_intact());
        }

        #[test]
        fn a_byte_that_moves_from_one_field_to_the_next_shows(record in any_record()) {
            let mut author = record.entry.author.as_bytes().to_vec();
            author.extend_from_slice(record.entry.text.as_bytes());
            let mut joined = record.clone();
            joined.entry.author = Untrusted::new(author);
            joined.entry.text = Untrusted::default();
            prop_assert!(joined.entry == record.entry || !joined.is_intact());
        }
    }

    #[test]
    fn the_hash_is_the_one_that_is_written_down() {
        // Made apart from this program, from the description in docs/incidents.md.
        let entry = Entry {
            id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
            incident: IncidentId(1),
            writer: "01ARZ3NDEKTSV4RRFFQ69G5FAW".into(),
            sequence: 1,
            at: Timestamp(0),
            kind: EntryKind::Opened,
            author: "ops1".into(),
            text: "core down".into(),
            about: None,
        };
        let record = Record::sealed(entry, Some(Urgency::Sev2), [0; 32]);
        assert_eq!(hex(&record.hash), "d391b62a7fc52c0ac7c87577f1fefe0abcd835f9026e372b6f735dd080803855");
    }
}
