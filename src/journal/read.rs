//! Reading, and finding out what is wrong. A row counts only if it can be read and matches its checksum; rows
//! that are gone show as gaps in the positions and in the writers' chains. What is lost in the database is taken
//! from the log where the log has it intact, and said.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::error::JournalError;
use super::record::{self, Hash, Record};
use super::schema::SCHEMA;
use super::{deed, fold, log};
use crate::base::text::clean;
use crate::model::{Acknowledgement, CareBook, EntryKind, Incident, IncidentId, Target};
use crate::store::OpenError;

/// Of a database that a power cut left unfinished; the next entry fills it. Somebody may have emptied it as well.
const EMPTY: &str = "is empty: it was never begun, or it was emptied";

/// The journal as far as it can be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// Newest first.
    pub incidents: Vec<Incident>,
    /// What is wrong with the files as a whole, in words; empty where nothing is.
    pub damage: Vec<String>,
    /// What was done about problems, as far as it stands, by the wall clock.
    pub care: CareBook,
}

impl Contents {
    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.incidents.iter().find(|i| i.id == id)
    }

    /// Everything that is wrong, with the incident where it belongs to one.
    pub fn all_damage(&self) -> Vec<String> {
        let of_incidents = self.incidents.iter().flat_map(|i| i.damage.iter().map(move |d| format!("{}: {d}", i.id)));
        self.damage.iter().cloned().chain(of_incidents).collect()
    }
}

/// Reads without writing; a directory without a journal has no incidents.
///
/// # Errors
/// Where neither the database nor the log can be read, or the database is of a newer version.
pub fn read(directory: &Path) -> Result<Contents, JournalError> {
    let path = SCHEMA.path(directory);
    let mut lack = "is missing";
    let trouble = if path.exists() {
        match SCHEMA.open_existing(directory) {
            Ok(Some(connection)) => return Ok(from_database(&connection, directory)),
            Ok(None) => {
                lack = EMPTY;
                None
            }
            Err(error @ OpenError::Newer { .. }) => return Err(error.into()),
            Err(error) => Some(error),
        }
    } else {
        None
    };
    let log = log::read(directory).unwrap_or_default();
    match trouble {
        Some(error) if log.records.is_empty() => Err(error.into()),
        None if log.records.is_empty() && log.bad_lines == 0 && !path.exists() => Ok(Contents::default()),
        trouble => {
            let what = match trouble {
                Some(error) => error.to_string(),
                None => format!("{} {lack}", clean(&path.display().to_string())),
            };
            let shown = if log.records.is_empty() { "" } else { "; shown from journal.log" };
            let mut damage = vec![format!("{what}{shown}")];
            damage.extend(bad_lines(log.bad_lines));
            Ok(complete(log.records, damage, BTreeMap::new()))
        }
    }
}

/// What a database has, completed from the log where it is damaged.
pub(super) fn from_database(connection: &Connection, directory: &Path) -> Contents {
    let mut scan = scan(connection);
    if scan.damage.is_empty() && scan.suspect.is_empty() && !scan.is_empty {
        return complete(scan.intact, Vec::new(), BTreeMap::new());
    }
    let log = log::read(directory).unwrap_or_default();
    if scan.is_empty && log.records.is_empty() {
        return complete(Vec::new(), scan.damage, BTreeMap::new());
    }
    let mut logged: BTreeMap<String, Record> = log.records.into_iter().map(|r| (r.entry.id.to_string(), r)).collect();
    for one in &scan.intact {
        logged.remove(&*one.entry.id);
    }
    let mut damage = scan.damage;
    let mut of_incident: BTreeMap<IncidentId, Vec<String>> = BTreeMap::new();
    for suspect in scan.suspect {
        // What is damaged may be the id itself; a writer's place in its chain names an entry as well.
        let place = |r: &Record| r.entry.writer == suspect.entry.writer && r.entry.sequence == suspect.entry.sequence;
        let by_place = || logged.iter().find(|(_, r)| place(r)).map(|(id, _)| id.clone());
        let known = Some(suspect.entry.id.to_string()).filter(|id| logged.contains_key(id)).or_else(by_place);
        let id = known.unwrap_or_else(|| suspect.entry.id.to_string());
        if let Some(good) = logged.remove(&id) {
            let note = format!("entry {id} was damaged in journal.db; shown from journal.log");
            of_incident.entry(good.entry.incident).or_default().push(note);
            scan.intact.push(good);
        } else {
            let note = format!("entry {id} does not match its checksum: what it says may be wrong");
            of_incident.entry(suspect.entry.incident).or_default().push(note);
            scan.intact.push(suspect);
        }
    }
    if scan.is_empty {
        let path = clean(&SCHEMA.path(directory).display().to_string());
        damage.push(format!("{path} {EMPTY}; shown from journal.log"));
    } else if !logged.is_empty() {
        damage.push(format!("{} entries are not in journal.db and are shown from journal.log", logged.len()));
    }
    damage.extend(bad_lines(log.bad_lines));
    scan.intact.extend(logged.into_values());
    complete(scan.intact, damage, of_incident)
}

#[derive(Debug, Default)]
struct Scan {
    intact: Vec<Record>,
    /// Can be read, and do not match their checksum.
    suspect: Vec<Record>,
    damage: Vec<String>,
    /// There is no row, and there never was one.
    is_empty: bool,
}

fn scan(connection: &Connection) -> Scan {
    let mut scan = Scan::default();
    let mut positions: HashSet<i64> = HashSet::new();
    let mut ids: HashSet<String> = HashSet::new();
    // From the front, and where that ends in an error, from the back: what lies behind the damage is read too.
    for order in ["ASC", "DESC"] {
        let done = rows(connection, &format!("ORDER BY position {order}"), [], |position, row| {
            if !positions.insert(position) {
                return;
            }
            match row {
                Err(field) => scan.damage.push(format!("the row at {position} of journal.db has no valid {field}")),
                Ok(one) if !ids.insert(one.entry.id.to_string()) => {
                    scan.damage.push(format!("entry {} stands twice in journal.db", one.entry.id));
                }
                Ok(one) if one.is_intact() => scan.intact.push(one),
                Ok(one) => scan.suspect.push(one),
            }
        });
        match done {
            Ok(()) => break,
            Err(error) if order == "ASC" => scan.damage.push(format!("journal.db is damaged: {error}")),
            Err(_) => {}
        }
    }
    let last = connection
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'entry'", [], |row| row.get::<_, i64>(0))
        .optional();
    let last = match last {
        Ok(last) => last.unwrap_or(0),
        Err(error) => {
            scan.damage.push(format!("journal.db does not say how many entries it had: {error}"));
            0
        }
    };
    scan.is_empty = scan.damage.is_empty() && positions.is_empty() && last == 0;
    let mut found: Vec<i64> = positions.into_iter().collect();
    found.sort_unstable();
    let mut expected = 1;
    for position in found.into_iter().chain([last.saturating_add(1)]) {
        if position > expected {
            scan.damage.push(format!("{} entries are missing in journal.db", position - expected));
        }
        expected = expected.max(position.saturating_add(1));
    }
    scan
}

/// Whose claim on `target` stands. What is damaged holds up nobody.
pub(super) fn claim(connection: &Connection, target: &Target) -> rusqlite::Result<Option<Arc<Acknowledgement>>> {
    let [claimed, released] = [EntryKind::Claimed, EntryKind::Released].map(EntryKind::as_str);
    let mut deeds = Vec::new();
    // By the name first: with each of a hundred that are claimed at once, only what was said of it is verified.
    let which = format!("WHERE incident = 0 AND kind IN ('{claimed}', '{released}') AND about = ?1");
    rows(connection, &which, [target.label().as_bytes()], |_, row| deeds.extend(row.ok().filter(Record::is_intact)))?;
    Ok(deed::book(deeds, &mut Vec::new()).acks.into_iter().find(|ack| ack.claim.target == *target))
}

fn rows(
    connection: &Connection,
    which: &str,
    named: impl rusqlite::Params,
    mut each: impl FnMut(i64, Result<Record, &'static str>),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(&format!(
        "SELECT position, id, incident, writer, sequence, at, kind, urgency, author, text, about, previous, hash
         FROM entry {which}"
    ))?;
    let mut rows = statement.query(named)?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, fields(row));
    }
    Ok(())
}

/// The columns by hand: a flipped bit may have changed even the type of a value.
fn fields(row: &Row<'_>) -> Result<Record, &'static str> {
    fn number(row: &Row<'_>, at: usize, name: &'static str) -> Result<i64, &'static str> {
        row.get_ref(at).ok().and_then(|v| v.as_i64().ok()).ok_or(name)
    }
    fn word<'a>(row: &'a Row<'_>, at: usize, name: &'static str) -> Result<&'a str, &'static str> {
        row.get_ref(at).ok().and_then(|v| v.as_str().ok()).ok_or(name)
    }
    fn blob<'a>(row: &'a Row<'_>, at: usize, name: &'static str) -> Result<&'a [u8], &'static str> {
        row.get_ref(at).ok().and_then(|v| v.as_blob().ok()).ok_or(name)
    }
    let about = match row.get_ref(10) {
        Ok(ValueRef::Null) => None,
        _ => Some(blob(row, 10, "object")?),
    };
    record::from_fields(
        word(row, 1, "id")?,
        number(row, 2, "incident")?,
        word(row, 3, "writer")?,
        number(row, 4, "sequence")?,
        number(row, 5, "time")?,
        word(row, 6, "kind")?,
        number(row, 7, "urgency")?,
        blob(row, 8, "author")?,
        blob(row, 9, "text")?,
        about,
        blob(row, 11, "previous hash")?,
        blob(row, 12, "hash")?,
    )
}

fn complete(
    records: Vec<Record>,
    mut damage: Vec<String>,
    mut of_incident: BTreeMap<IncidentId, Vec<String>>,
) -> Contents {
    for (incident, words) in broken_chains(&records) {
        of_incident.entry(incident).or_default().push(words);
    }
    damage.extend(of_incident.remove(&IncidentId::NONE).unwrap_or_default());
    let (deeds, entries) = records.into_iter().partition(|record| record.entry.incident == IncidentId::NONE);
    let care = deed::book(deeds, &mut damage);
    Contents { incidents: fold::incidents(entries, of_incident), damage, care }
}

/// Where a writer's entries do not follow each other.
fn broken_chains(records: &[Record]) -> Vec<(IncidentId, String)> {
    let mut chains: HashMap<&str, Vec<&Record>> = HashMap::new();
    for one in records {
        chains.entry(&one.entry.writer).or_default().push(one);
    }
    let mut broken = Vec::new();
    for chain in chains.values_mut() {
        chain.sort_by_key(|r| r.entry.sequence);
        let mut before: (u64, Hash) = (0, [0; 32]);
        for one in chain.iter() {
            let entry = &one.entry;
            let lost = entry.sequence.saturating_sub(before.0).saturating_sub(1);
            let words = if lost > 0 {
                Some(format!("{lost} entries that this writer made before entry {} are missing", entry.id))
            } else if one.previous != before.1 || entry.sequence == before.0 {
                Some(format!("entry {} does not follow what its writer wrote before it", entry.id))
            } else {
                None
            };
            broken.extend(words.map(|words| (entry.incident, words)));
            before = (entry.sequence, one.hash);
        }
    }
    broken.sort();
    broken
}

fn bad_lines(count: usize) -> Option<String> {
    (count > 0).then(|| format!("{count} lines of journal.log are damaged"))
}
