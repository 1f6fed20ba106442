//! Appending. One transaction checks what the draft refers to, takes the next number and writes the row; it
//! returns when the commit is on the disk and the log has it too. After any failure the file is opened anew and a
//! new chain is begun, so that an entry of unknown fate never shares its place with another.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use ulid::Ulid;

use super::deed;
use super::error::JournalError;
use super::record::{self, Hash, Record, TEXT_LIMIT, TITLE_LIMIT, urgency_number};
use super::schema::SCHEMA;
use super::{log, read};
use crate::base::{Timestamp, Untrusted};
use crate::model::{Claim, Deed, Entry, EntryKind, IncidentId, Urgency};
use crate::store::database;

/// What is to be written; the journal adds the number, the time and the chain.
#[derive(Clone, Debug, PartialEq)]
pub enum Draft {
    Open {
        title: Untrusted,
        urgency: Urgency,
        author: Untrusted,
        about: Option<Untrusted>,
    },
    /// Any kind of an incident's entries but [`EntryKind::Opened`].
    Add {
        incident: IncidentId,
        kind: EntryKind,
        text: Untrusted,
        author: Untrusted,
        about: Option<Untrusted>,
    },
    /// A claim. Where somebody else has it that is said, and nothing is written, unless it is this claim of theirs that is taken
    /// over. Who has it may hand it over.
    Claim {
        claim: Claim,
        over: Option<Arc<str>>,
        author: Untrusted,
    },
    /// What else was done about a problem; belongs to no incident.
    Deed {
        deed: Deed,
        author: Untrusted,
    },
}

/// One process's way to write. Open it once and keep it.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    connection: Connection,
    chain: Chain,
    /// The log could not be written; the entry is saved all the same, and the words say what is at risk.
    log_trouble: Option<String>,
}

#[derive(Debug)]
struct Chain {
    writer: Arc<str>,
    sequence: u64,
    previous: Hash,
}

impl Chain {
    fn begin() -> Self {
        Self { writer: Ulid::new().to_string().into(), sequence: 0, previous: [0; 32] }
    }
}

impl Journal {
    /// Opens or makes the journal. An empty database beside a log is filled from the log: that is how a
    /// journal whose damaged database was moved aside comes back.
    ///
    /// # Errors
    /// See [`OpenError`](crate::store::OpenError).
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        let connection = SCHEMA.open(directory)?;
        let mut journal =
            Self { directory: directory.to_owned(), connection, chain: Chain::begin(), log_trouble: None };
        journal.rebuild().map_err(|e| journal.sorted(&e))?;
        Ok(journal)
    }

    /// Writes the draft. When this returns `Ok`, the entry survives a power cut.
    ///
    /// # Errors
    /// See [`JournalError`]; nothing was written then, and the caller keeps the text.
    pub fn append(&mut self, draft: &Draft, at: Timestamp) -> Result<Arc<Entry>, JournalError> {
        check(draft)?;
        let record = match self.insert(draft, at) {
            Ok(record) => record,
            Err(failure) => {
                if let Failed::Sql(_) = failure {
                    // Dropping the old connection gives up its locks and whatever it holds half done.
                    self.chain = Chain::begin();
                    if let Ok(connection) = SCHEMA.open(&self.directory) {
                        self.connection = connection;
                    }
                }
                return Err(match failure {
                    Failed::Sql(error) => self.sorted(&error),
                    Failed::Rule(error) => error,
                });
            }
        };
        self.chain.sequence = record.entry.sequence;
        self.chain.previous = record.hash;
        self.log_trouble = log::append(&self.directory, std::slice::from_ref(&record))
            .err()
            .map(|e| format!("saved, but journal.log, the second copy, cannot be written: {e}"));
        Ok(Arc::new(record.entry))
    }

    /// What the last append could not do beside saving the entry.
    pub fn log_trouble(&self) -> Option<&str> {
        self.log_trouble.as_deref()
    }

    /// Writes and commits something that is no entry, to see whether one could be saved.
    ///
    /// # Errors
    /// See [`OpenError`](crate::store::OpenError).
    pub fn probe(&mut self) -> Result<(), JournalError> {
        let sql = "INSERT INTO counter VALUES ('probe', 1) ON CONFLICT DO UPDATE SET value = value + 1";
        let done = self.connection.execute(sql, []);
        done.map(|_| ()).map_err(|e| self.sorted(&e))
    }

    /// A number that changes when another connection has committed. Reads shared memory, no file.
    ///
    /// # Errors
    /// See [`OpenError`](crate::store::OpenError).
    pub fn change_mark(&self) -> Result<i64, JournalError> {
        self.connection.pragma_query_value(None, "data_version", |row| row.get(0)).map_err(|e| self.sorted(&e))
    }

    /// All incidents, verified.
    pub fn contents(&self) -> read::Contents {
        read::from_database(&self.connection, &self.directory)
    }

    fn insert(&mut self, draft: &Draft, at: Timestamp) -> Result<Record, Failed> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let incident = match draft {
            Draft::Open { .. } => next_number(&transaction)?,
            Draft::Add { incident, kind, .. } => {
                require(&transaction, *incident, *kind)?;
                *incident
            }
            Draft::Claim { claim, over, author } => {
                require_free(&transaction, (claim, author), over.as_deref(), at)?;
                IncidentId::NONE
            }
            Draft::Deed { .. } => IncidentId::NONE,
        };
        let form;
        let (kind, text, urgency, author, about) = match draft {
            Draft::Open { title, urgency, author, about } => (EntryKind::Opened, title, Some(*urgency), author, about),
            Draft::Add { kind, text, author, about, .. } => (*kind, text, None, author, about),
            Draft::Claim { claim, author, .. } => {
                form = deed::form(&Deed::Claimed(claim.clone()));
                (form.kind, &form.text, None, author, &form.about)
            }
            Draft::Deed { deed, author } => {
                form = deed::form(deed);
                (form.kind, &form.text, None, author, &form.about)
            }
        };
        let entry = Entry {
            id: next_id(&transaction, at)?.to_string().into(),
            incident,
            writer: self.chain.writer.clone(),
            sequence: self.chain.sequence + 1,
            at,
            kind,
            author: author.clone(),
            text: text.clone(),
            about: about.clone(),
        };
        let record = Record::sealed(entry, urgency, self.chain.previous);
        write(&transaction, &record)?;
        transaction.commit()?;
        Ok(record)
    }

    fn rebuild(&mut self) -> rusqlite::Result<()> {
        if !self.is_empty()? {
            return Ok(());
        }
        let Ok(log) = log::read(&self.directory) else { return Ok(()) };
        if log.records.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for record in &log.records {
            // Another process may have done it meanwhile, and a line may stand twice.
            let there = transaction
                .query_row("SELECT 1 FROM entry WHERE id = ?1", [&*record.entry.id], |_| Ok(()))
                .optional()?;
            if there.is_none() {
                write(&transaction, record)?;
            }
        }
        let highest = log.records.iter().map(|r| r.entry.incident.0).max().unwrap_or(0);
        transaction.execute(
            "INSERT INTO counter VALUES ('incident', ?1) ON CONFLICT DO UPDATE SET value = max(value, ?1)",
            [highest],
        )?;
        transaction.commit()
    }

    fn is_empty(&self) -> rusqlite::Result<bool> {
        let sql = "SELECT 1 FROM entry UNION ALL SELECT 1 FROM sqlite_sequence WHERE seq > 0 LIMIT 1";
        self.connection.query_row(sql, [], |_| Ok(())).optional().map(|row| row.is_none())
    }

    fn sorted(&self, error: &rusqlite::Error) -> JournalError {
        database::classify(&SCHEMA.path(&self.directory), error).into()
    }
}

enum Failed {
    Sql(rusqlite::Error),
    Rule(JournalError),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

fn check(draft: &Draft) -> Result<(), JournalError> {
    let (author, about) = match draft {
        Draft::Open { title, author, about, .. } => {
            record::check_length("title", title, TITLE_LIMIT)?;
            (author, about)
        }
        Draft::Add { kind, text, author, about, .. } => {
            match kind {
                EntryKind::Opened => return Err(JournalError::OpensNothing),
                _ if kind.is_deed() => return Err(JournalError::OfNoIncident),
                // The deed itself says enough.
                EntryKind::Acknowledged | EntryKind::Closed if text.is_empty() => {}
                _ => record::check_length("text", text, TEXT_LIMIT)?,
            }
            (author, about)
        }
        Draft::Claim { claim, author, .. } => {
            deed::check(&Deed::Claimed(claim.clone()))?;
            (author, &None)
        }
        Draft::Deed { deed, author } => {
            deed::check(deed)?;
            (author, &None)
        }
    };
    record::check_length("author", author, TITLE_LIMIT)?;
    about.as_ref().map_or(Ok(()), |about| record::check_length("object", about, TITLE_LIMIT))
}

fn require(connection: &Connection, incident: IncidentId, kind: EntryKind) -> Result<(), Failed> {
    let has = |kind: Option<EntryKind>| -> rusqlite::Result<bool> {
        let sql = "SELECT 1 FROM entry WHERE incident = ?1 AND (?2 IS NULL OR kind = ?2) LIMIT 1";
        let row = connection.query_row(sql, params![incident.0, kind.map(EntryKind::as_str)], |_| Ok(()));
        row.optional().map(|row| row.is_some())
    };
    if !has(None)? {
        return Err(Failed::Rule(JournalError::NoSuchIncident(incident)));
    }
    if kind == EntryKind::Closed && has(Some(EntryKind::Closed))? {
        return Err(Failed::Rule(JournalError::AlreadyClosed(incident)));
    }
    Ok(())
}

/// Nobody but the owner, or whoever hands it over, has it now.
fn require_free(
    connection: &Connection,
    (claim, author): (&Claim, &Untrusted),
    over: Option<&str>,
    at: Timestamp,
) -> Result<(), Failed> {
    let standing = read::claim(connection, &claim.target)?;
    let Some(ack) = standing.filter(|ack| ack.claim.until > at) else { return Ok(()) };
    let owner = &ack.claim.owner;
    if *owner == claim.owner || owner == author || over == Some(&*ack.id) {
        return Ok(());
    }
    let owner = owner.line();
    Err(Failed::Rule(JournalError::Taken { owner, since: ack.since, until: ack.claim.until }))
}

/// The next incident number. Counted apart from the entries, so that a lost or damaged one frees no number.
fn next_number(connection: &Connection) -> Result<IncidentId, Failed> {
    loop {
        let number: i64 = connection.query_row(
            "INSERT INTO counter VALUES ('incident', 1) ON CONFLICT DO UPDATE SET value = value + 1 RETURNING value",
            [],
            |row| row.get(0),
        )?;
        let number = u32::try_from(number).map_err(|_| Failed::Rule(JournalError::NoNumber))?;
        let taken =
            connection.query_row("SELECT 1 FROM entry WHERE incident = ?1 LIMIT 1", [number], |_| Ok(())).optional()?;
        if taken.is_none() {
            return Ok(IncidentId(number));
        }
    }
}

/// A ULID of this moment, and greater than all before: a clock that is set back does not change the order.
fn next_id(connection: &Connection, at: Timestamp) -> rusqlite::Result<Ulid> {
    let last: Option<String> =
        connection.query_row("SELECT id FROM entry ORDER BY id DESC LIMIT 1", [], |row| row.get(0)).optional()?;
    let random = Ulid::new().random();
    let fresh = Ulid::from_parts(u64::try_from(at.millis()).unwrap_or(0), random);
    let after = last.and_then(|last| Ulid::from_string(&last).ok()).filter(|last| *last >= fresh);
    Ok(after.and_then(|last| last.increment()).unwrap_or(fresh))
}

fn write(connection: &Connection, record: &Record) -> rusqlite::Result<()> {
    let entry = &record.entry;
    connection
        .prepare_cached(
            "INSERT INTO entry (id, incident, writer, sequence, at, kind, urgency, author, text, about, previous, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            &*entry.id,
            entry.incident.0,
            &*entry.writer,
            entry.sequence.cast_signed(),
            entry.at.millis(),
            entry.kind.as_str(),
            urgency_number(record.urgency),
            entry.author.as_bytes(),
            entry.text.as_bytes(),
            entry.about.as_ref().map(Untrusted::as_bytes),
            &record.previous[..],
            &record.hash[..],
        ])
        .map(|_| ())
}
