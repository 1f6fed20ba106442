//! The file of the journal, of which the log beside it has every entry too.

use crate::store::Schema;
use crate::store::database::Durability;

pub(super) const SCHEMA: Schema = Schema {
    file: "journal.db",
    durability: Durability::PowerCut,
    steps: &["CREATE TABLE entry (
                position INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of commits in this file; without gaps
                id TEXT NOT NULL UNIQUE,
                incident INTEGER NOT NULL,
                writer TEXT NOT NULL,
                sequence INTEGER NOT NULL,
                at INTEGER NOT NULL,
                kind TEXT NOT NULL,
                urgency INTEGER NOT NULL,
                author BLOB NOT NULL,
                text BLOB NOT NULL,
                about BLOB,
                previous BLOB NOT NULL,
                hash BLOB NOT NULL,
                UNIQUE (writer, sequence)
              ) STRICT;
              CREATE INDEX entry_of_incident ON entry (incident);
              CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"],
};
