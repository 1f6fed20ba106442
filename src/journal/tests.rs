//! The journal against its own promises: order, chains, damage, recovery.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::record::hex;
use super::{Contents, Draft, Journal, JournalError, read};
use crate::base::{Timestamp, Untrusted};
use crate::model::{
    AssetId, Claim, Deed, Entry, EntryKind, IncidentId, IncidentStatus, Release, Stickiness, Target, Urgency,
};
use crate::store::OpenError;

const T: Timestamp = Timestamp(1_795_523_696_789);
const FIRST: IncidentId = IncidentId(1);

fn open(title: &str) -> Draft {
    Draft::Open { title: title.into(), urgency: Urgency::Sev2, author: "ops1".into(), about: None }
}

fn add(kind: EntryKind, text: &str) -> Draft {
    Draft::Add { incident: FIRST, kind, text: text.into(), author: "ops1".into(), about: Some("core-sw1".into()) }
}

fn note(text: &str) -> Draft {
    add(EntryKind::Note, text)
}

/// One incident with `notes` notes, `note 1` to `note N`.
fn filled(directory: &Path, notes: usize) {
    let mut journal = Journal::open(directory).expect("opens");
    journal.append(&open("core down"), T).expect("opened");
    for n in 1..=notes {
        journal.append(&note(&format!("note {n}")), T).expect("saved");
    }
}

fn texts(contents: &Contents) -> Vec<String> {
    contents.incident(FIRST).expect("the incident").entries.iter().skip(1).map(|e| e.text.line()).collect()
}

fn expected(notes: usize) -> Vec<String> {
    (1..=notes).map(|n| format!("note {n}")).collect()
}

/// Changes the database behind the journal's back.
fn tamper(directory: &Path, sql: &str) {
    let connection = Connection::open(directory.join("journal.db")).expect("opens");
    connection.execute_batch(sql).expect("tampered");
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("checkpoint");
}

#[test]
fn an_incident_lives_from_open_to_close() {
    let dir = tempfile::tempdir().expect("a directory");
    filled(dir.path(), 2);
    let mut journal = Journal::open(dir.path()).expect("opens");
    journal.append(&add(EntryKind::Acknowledged, ""), T).expect("an acknowledgement needs no text");
    journal.append(&add(EntryKind::Closed, "power restored"), T.plus(Duration::from_secs(60))).expect("closed");
    assert!(matches!(journal.append(&add(EntryKind::Closed, "again"), T), Err(JournalError::AlreadyClosed(FIRST))));
    let second = journal.append(&open("another"), T).expect("opened");
    assert_eq!(second.incident, IncidentId(2));
    let contents = read(dir.path()).expect("reads");
    assert_eq!(contents.all_damage(), Vec::<String>::new());
    assert_eq!(contents.incidents.iter().map(|i| i.id.0).collect::<Vec<_>>(), [2, 1]);
    let incident = contents.incident(FIRST).expect("there");
    assert_eq!((incident.title.line().as_str(), incident.urgency), ("core down", Urgency::Sev2));
    assert_eq!((incident.status, incident.closed_at), (IncidentStatus::Closed, Some(Timestamp(T.0 + 60_000))));
    assert_eq!(incident.entries[1].about.as_ref().map(Untrusted::line).as_deref(), Some("core-sw1"));
}

#[test]
fn what_cannot_be_kept_whole_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut journal = Journal::open(dir.path()).expect("opens");
    assert!(matches!(journal.append(&note("x"), T), Err(JournalError::NoSuchIncident(FIRST))));
    assert!(matches!(journal.append(&open("  \n"), T), Err(JournalError::Empty("title"))));
    journal.append(&open("x"), T).expect("opened");
    let long = vec![b'x'; super::TEXT_LIMIT + 1];
    let draft = |bytes: &[u8]| Draft::Add {
        incident: FIRST,
        kind: EntryKind::Note,
        text: Untrusted::bounded(bytes, usize::MAX),
        author: "a".into(),
        about: None,
    };
    assert!(matches!(journal.append(&draft(&long), T), Err(JournalError::TooLong { limit: super::TEXT_LIMIT, .. })));
    journal.append(&draft(&long[1..]), T).expect("the longest text is kept");
    let contents = read(dir.path()).expect("reads");
    assert_eq!(contents.incidents[0].entries[1].text.as_bytes().len(), super::TEXT_LIMIT);
    assert!(matches!(journal.append(&add(EntryKind::Opened, "x"), T), Err(JournalError::OpensNothing)));
    assert_eq!(read(dir.path()).expect("reads").incidents[0].entries.len(), 2);
}

#[test]
fn a_clock_that_is_set_back_does_not_change_the_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut journal = Journal::open(dir.path()).expect("opens");
    journal.append(&open("core down"), T).expect("opened");
    for n in 1..=20 {
        journal.append(&note(&format!("note {n}")), Timestamp(T.0 - n * 3_600_000)).expect("saved");
    }
    let contents = read(dir.path()).expect("reads");
    assert_eq!(texts(&contents), expected(20));
    assert_eq!(
        contents.incidents[0].entries[20].at,
        Timestamp(T.0 - 20 * 3_600_000),
        "the time is what the clock said"
    );
}

#[test]
fn a_changed_text_is_shown_from_the_log_and_said() {
    let dir = tempfile::tempdir().expect("a directory");
    filled(dir.path(), 3);
    tamper(dir.path(), "UPDATE entry SET text = x'6c6965' WHERE position = 3");
    let contents = read(dir.path()).expect("reads");
    assert_eq!(texts(&contents), expected(3));
    assert!(contents.incidents[0].damage[0].contains("shown from journal.log"), "{contents:?}");
    std::fs::remove_file(dir.path().join("journal.log")).expect("removed");
    let contents = read(dir.path()).expect("reads");
    assert_eq!(texts(&contents), ["note 1", "lie", "note 3"]);
    assert!(contents.incidents[0].damage[0].contains("does not match its checksum"), "{contents:?}");
}

#[test]
fn rows_that_are_gone_are_missed_in_the_middle_and_at_the_end() {
    for (position, left) in [(3, ["note 1", "note 3"]), (4, ["note 1", "note 2"])] {
        let dir = tempfile::tempdir().expect("a directory");
        filled(dir.path(), 3);
        tamper(dir.path(), &format!("DELETE FROM entry WHERE position = {position}"));
        let contents = read(dir.path()).expect("reads");
        assert_eq!(texts(&contents), expected(3), "the log has it");
        assert!(contents.damage.iter().any(|d| d == "1 entries are missing in journal.db"), "{contents:?}");
        std::fs::remove_file(dir.path().join("journal.log")).expect("removed");
        let contents = read(dir.path()).expect("reads");
        assert_eq!(texts(&contents), left);
        assert!(contents.damage.iter().any(|d| d == "1 entries are missing in journal.db"), "{contents:?}");
    }
}

#[test]
fn an_entry_that_was_replaced_with_its_checksum_breaks_the_chain() {
    let dir = tempfile::tempdir().expect("a directory");
    filled(dir.path(), 3);
    let contents = read(dir.path()).expect("reads");
    let forged = {
        let mut entry = (*contents.incidents[0].entries[2]).clone();
        entry.text = "forged".into();
        super::record::Record::sealed(entry, None, [7; 32])
    };
    let sql = format!(
        "UPDATE entry SET text = x'{}', previous = x'{}', hash = x'{}' WHERE position = 3",
        hex(b"forged"),
        hex(&[7; 32]),
        hex(&forged.hash)
    );
    tamper(dir.path(), &sql);
    let damage = read(dir.path()).expect("reads").incidents[0].damage.clone();
    assert_eq!(damage.len(), 2, "it does not follow, and the next does not follow it: {damage:?}");
    assert!(damage[0].contains("does not follow"), "{damage:?}");
}

#[test]
fn any_damaged_page_is_reported_and_nothing_is_invented_or_lost() {
    let dir = tempfile::tempdir().expect("a directory");
    filled(dir.path(), 60);
    tamper(dir.path(), "SELECT 1");
    let path = dir.path().join("journal.db");
    let whole = std::fs::read(&path).expect("bytes");
    let log = std::fs::read(dir.path().join("journal.log")).expect("bytes");
    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    for at in (0..whole.len()).step_by(997) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        cases.push((format!("flip at {at}"), bytes));
    }
    for page in 0..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0);
        cases.push((format!("zeroed page {page}"), bytes));
        cases.push((format!("cut at page {page}"), whole[..page * 4096].to_vec()));
        cases.push((format!("cut in page {page}"), whole[..page * 4096 + 1000].to_vec()));
    }
    for (name, bytes) in cases {
        let _ = std::fs::remove_file(dir.path().join("journal.db-wal"));
        let _ = std::fs::remove_file(dir.path().join("journal.db-shm"));
        std::fs::write(&path, &bytes).expect("damaged");
        std::fs::write(dir.path().join("journal.log"), &log).expect("the log is whole");
        // With the log, everything is there.
        let contents = read(dir.path()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let found = contents.incident(FIRST).map(|_| texts(&contents)).unwrap_or_default();
        if !bytes.is_empty() {
            assert_eq!(found, expected(60), "{name}: {:?}", contents.all_damage());
        }
        // Without it, what is shown was written, or is said to be doubtful; what is lost is said.
        std::fs::remove_file(dir.path().join("journal.log")).expect("removed");
        if let Ok(contents) = read(dir.path()) {
            let found = contents.incident(FIRST).map(|_| texts(&contents)).unwrap_or_default();
            assert!(found == expected(60) || !contents.all_damage().is_empty(), "{name}: silently {found:?}");
        }
        assert_eq!(std::fs::read(&path).expect("still there").len(), bytes.len(), "{name}: reading changed the file");
    }
}

#[test]
fn a_database_that_was_moved_aside_comes_back_from_the_log() {
    let dir = tempfile::tempdir().expect("a directory");
    filled(dir.path(), 5);
    std::fs::write(dir.path().join("journal.db"), b"this was a database once, and is none any more").expect("damaged");
    let damaged = Journal::open(dir.path());
    assert!(matches!(damaged, Err(JournalError::Store(OpenError::Damaged { .. }))), "{damaged:?}");
    let contents = read(dir.path()).expect("reads from the log");
    assert_eq!(texts(&contents), expected(5));
    assert!(contents.damage[0].contains("shown from journal.log"), "{contents:?}");
    std::fs::rename(dir.path().join("journal.db"), dir.path().join("journal.db.damaged")).expect("aside");
    let mut journal = Journal::open(dir.path()).expect("opens");
    assert_eq!(journal.append(&open("next"), T).expect("opened").incident, IncidentId(2));
    journal.append(&note("note 6"), T).expect("saved");
    let contents = read(dir.path()).expect("reads");
    assert_eq!((texts(&contents), contents.all_damage()), (expected(6), Vec::new()));
}

#[test]
fn a_second_writer_is_noticed_and_the_first_one_is_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut first = Journal::open(dir.path()).expect("opens");
    first.append(&open("core down"), T).expect("opened");
    let mark = first.change_mark().expect("a mark");
    first.append(&note("my own"), T).expect("saved");
    assert_eq!(first.change_mark().expect("a mark"), mark);
    let mut second = Journal::open(dir.path()).expect("opens");
    second.append(&note("from elsewhere"), T).expect("saved");
    assert_ne!(first.change_mark().expect("a mark"), mark);
    assert_eq!(texts(&first.contents()), ["my own", "from elsewhere"]);
}

#[test]
fn who_claims_what_somebody_else_has_is_told_and_takes_it_over_only_when_it_is_meant() {
    let dir = tempfile::tempdir().expect("a directory");
    let claim = |target: &str, owner: &str| Claim {
        target: Target::Host(AssetId::new(target)),
        owner: owner.into(),
        note: Untrusted::default(),
        until: T.plus(Duration::from_secs(3_600)),
        stickiness: Stickiness::EndsOnWorsening,
        condition: None,
    };
    let draft = |owner: &str, author: &str, over: Option<&Entry>| Draft::Claim {
        claim: claim("db01", owner),
        over: over.map(|entry| entry.id.clone()),
        author: author.into(),
    };
    // Two processes, as two consoles or scripts are.
    let [mut one, mut two] = [(); 2].map(|()| Journal::open(dir.path()).expect("opens"));
    let first = one.append(&draft("anna", "anna", None), T).expect("saved");
    let refused = two.append(&draft("bert", "bert", None), T.plus(Duration::from_secs(1))).expect_err("anna has it");
    assert_eq!(refused.to_string(), "anna has it since 2026-11-24 12:34, until 2026-11-24 13:34 UTC");
    let anything_else = Draft::Claim { claim: claim("db02", "bert"), over: None, author: "bert".into() };
    two.append(&anything_else, T).expect("that is another one");
    let second = two.append(&draft("bert", "bert", Some(&first)), T).expect("taken over");
    let late = one.append(&draft("cleo", "cleo", Some(&first)), T);
    assert!(matches!(late, Err(JournalError::Taken { .. })), "that claim is gone: {late:?}");
    // Who has it hands it over, and says it once more.
    let third = two.append(&draft("cleo", "bert", None), T).expect("handed over");
    one.append(&draft("cleo", "cleo", None), T).expect("her own");
    assert!(one.append(&draft("anna", "anna", Some(&second)), T).is_err());
    // What is over, or was given back, is free.
    one.append(&draft("anna", "anna", None), T.plus(Duration::from_secs(3_600))).expect("it was over");
    let target = Target::Host(AssetId::new("db01"));
    let back = Deed::Released { target, claim: None, why: Release::ByHand };
    two.append(&Draft::Deed { deed: back, author: "anna".into() }, T).expect("saved");
    two.append(&draft("bert", "bert", None), T).expect("free");
    assert_ne!(third.id, second.id);
}
