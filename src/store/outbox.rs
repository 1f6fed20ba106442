//! What channels to people have still to tell, on disk before it is told: rows of `store.db`, synced hard. A row is there
//! from the moment that its change waits until somebody has taken it, or it was given up.
//!
//! ```text
//! 1 | kind u8 | target | title | from u8 | to u8 | word | reason | hides u32 | tags u16, each | group? | at i64
//! target: 0 host | asset    1 check | 0 host, 1 job | asset | name    2 port | asset | key    3 ports gone | asset
//!         4 device | asset    5 job | asset
//! ```
//!
//! A text is its length as u16 and its octets; numbers are big endian. What cannot be read is counted, never guessed.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::form::{CONDITIONS, array, byte, place, time};
use super::ports::{key, maybe, put_key, put_maybe, put_text, put_time, text};
use crate::base::{Timestamp, Untrusted};
use crate::model::{Alert, AlertKind, AssetId, CheckKey, Subject, Target};

/// The tables.
pub(super) const STEP: &str = "CREATE TABLE outbox (
                channel TEXT NOT NULL,
                id TEXT NOT NULL,
                handed INTEGER NOT NULL, -- 1 from the moment that it is handed over until there is an answer
                form BLOB NOT NULL,
                PRIMARY KEY (channel, id)
              ) STRICT, WITHOUT ROWID;
              CREATE TABLE outbox_sent (
                channel TEXT NOT NULL,
                at INTEGER NOT NULL
              ) STRICT";

/// What each channel has told of that stands, as far as it knows, and when; by the wall clock.
pub(super) const TOLD_STEP: &str = "CREATE TABLE outbox_told (
                channel TEXT NOT NULL,
                target BLOB NOT NULL,
                at INTEGER NOT NULL,
                PRIMARY KEY (channel, target)
              ) STRICT, WITHOUT ROWID";

const VERSION: u8 = 1;

/// What nobody could be told for so long, because its channel is gone, is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(7 * 86_400);

/// What was told so long ago is nobody's reminder any more.
const TOLD_LONG_AGO: Duration = Duration::from_secs(90 * 86_400);

const KINDS: [AlertKind; 6] = [
    AlertKind::Problem,
    AlertKind::Recovery,
    AlertKind::FlappingBegins,
    AlertKind::FlappingEnds,
    AlertKind::Test,
    AlertKind::Reminder,
];

/// A change that a channel has to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Untold {
    pub channel: Arc<str>,
    /// A ULID.
    pub id: Arc<str>,
    /// It was handed over, and there was no answer yet.
    pub handed: bool,
    pub alert: Alert,
}

/// Something that happened to what channels have to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Dispatch {
    /// It waits, or waits as something else.
    Waits(Untold),
    /// One message with all of these is on its way; times of messages before `forget` matter no more. Both times are the wall clock's.
    Handed { channel: Arc<str>, ids: Vec<Arc<str>>, at: Timestamp, forget: Timestamp },
    /// It did not get there, and is tried again.
    Failed { channel: Arc<str>, ids: Vec<Arc<str>> },
    /// It was taken, was given up, or is to be told by nobody.
    Settled { channel: Arc<str>, ids: Vec<Arc<str>> },
    /// These problems were told, or told again; by the wall clock.
    Told { channel: Arc<str>, targets: Vec<Target>, at: Timestamp },
    /// These are over.
    Over { channel: Arc<str>, targets: Vec<Target> },
}

/// What an earlier run left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outbox {
    /// In the order in which they came.
    pub untold: Vec<Untold>,
    /// When the last messages of each channel went, by the wall clock.
    pub sent: Vec<(Arc<str>, Timestamp)>,
    /// Which problems each channel has told of, and when.
    pub told: Vec<(Arc<str>, Target, Timestamp)>,
    pub unreadable: usize,
}

pub(super) fn read(connection: &Connection) -> rusqlite::Result<Outbox> {
    let mut outbox = Outbox::default();
    let mut statement = connection.prepare("SELECT channel, id, handed, form FROM outbox ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (channel, id): (Arc<str>, Arc<str>) = (row.get(0)?, row.get(1)?);
        match decode(row.get_ref(3)?.as_blob().unwrap_or_default()) {
            Some(alert) => outbox.untold.push(Untold { channel, id, handed: row.get(2)?, alert }),
            None => outbox.unreadable += 1,
        }
    }
    let mut statement = connection.prepare("SELECT channel, at FROM outbox_sent ORDER BY at")?;
    let sent = statement.query_map([], |row| Ok((row.get(0)?, Timestamp(row.get(1)?))))?;
    outbox.sent = sent.collect::<rusqlite::Result<_>>()?;
    let mut statement = connection.prepare("SELECT channel, target, at FROM outbox_told")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut form = row.get_ref(1)?.as_blob().unwrap_or_default();
        match target(&mut form).filter(|_| form.is_empty()) {
            Some(target) => outbox.told.push((row.get(0)?, target, Timestamp(row.get(2)?))),
            None => outbox.unreadable += 1,
        }
    }
    Ok(outbox)
}

/// Forgets what is older than a week.
pub(super) fn tidy(connection: &Connection, outbox: &mut Outbox, now: Timestamp) -> rusqlite::Result<()> {
    let oldest = now.minus(FORGOTTEN);
    let (kept, old): (Vec<Untold>, Vec<Untold>) =
        std::mem::take(&mut outbox.untold).into_iter().partition(|one| one.alert.at >= oldest);
    outbox.untold = kept;
    for one in old {
        remove(connection, &one.channel, &one.id)?;
    }
    outbox.sent.retain(|(_, at)| *at >= oldest);
    connection.execute("DELETE FROM outbox_sent WHERE at < ?1", [oldest.millis()])?;
    let long_ago = now.minus(TOLD_LONG_AGO);
    outbox.told.retain(|(_, _, at)| *at >= long_ago);
    connection.execute("DELETE FROM outbox_told WHERE at < ?1", [long_ago.millis()]).map(|_| ())
}

/// All or nothing, and synced when it returns.
pub(super) fn write(connection: &mut Connection, dispatches: &[Dispatch]) -> rusqlite::Result<()> {
    let usual: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let written = write_synced(connection, dispatches);
    connection.pragma_update(None, "synchronous", usual)?;
    written
}

fn write_synced(connection: &mut Connection, dispatches: &[Dispatch]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let mark = "UPDATE outbox SET handed = ?3 WHERE channel = ?1 AND id = ?2";
    for dispatch in dispatches {
        match dispatch {
            Dispatch::Waits(one) => {
                let put = "INSERT INTO outbox (channel, id, handed, form) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET handed = excluded.handed, form = excluded.form";
                let row = params![&*one.channel, &*one.id, one.handed, encode(&one.alert)];
                transaction.prepare_cached(put)?.execute(row)?;
            }
            Dispatch::Handed { channel, ids, at, forget } => {
                let mut statement = transaction.prepare_cached(mark)?;
                for id in ids {
                    statement.execute(params![&**channel, &**id, true])?;
                }
                let sent = "INSERT INTO outbox_sent (channel, at) VALUES (?1, ?2)";
                transaction.prepare_cached(sent)?.execute(params![&**channel, at.millis()])?;
                let forgotten = "DELETE FROM outbox_sent WHERE channel = ?1 AND at < ?2";
                transaction.prepare_cached(forgotten)?.execute(params![&**channel, forget.millis()])?;
            }
            Dispatch::Failed { channel, ids } => {
                let mut statement = transaction.prepare_cached(mark)?;
                for id in ids {
                    statement.execute(params![&**channel, &**id, false])?;
                }
            }
            Dispatch::Settled { channel, ids } => {
                for id in ids {
                    remove(&transaction, channel, id)?;
                }
            }
            Dispatch::Told { channel, targets, at } => {
                let put = "INSERT INTO outbox_told (channel, target, at) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET at = excluded.at";
                let mut statement = transaction.prepare_cached(put)?;
                for target in targets {
                    statement.execute(params![&**channel, form_of(target), at.millis()])?;
                }
            }
            Dispatch::Over { channel, targets } => {
                let over = "DELETE FROM outbox_told WHERE channel = ?1 AND target = ?2";
                let mut statement = transaction.prepare_cached(over)?;
                for target in targets {
                    statement.execute(params![&**channel, form_of(target)])?;
                }
            }
        }
    }
    transaction.commit()
}

fn remove(connection: &Connection, channel: &str, id: &str) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("DELETE FROM outbox WHERE channel = ?1 AND id = ?2")?;
    statement.execute(params![channel, id]).map(|_| ())
}

fn encode(alert: &Alert) -> Vec<u8> {
    let mut out = vec![VERSION, place(&KINDS, &alert.kind)];
    put_target(&alert.target, &mut out);
    put_text(alert.title.as_bytes(), &mut out);
    out.extend([place(&CONDITIONS, &alert.from), place(&CONDITIONS, &alert.to)]);
    put_text(alert.word.as_bytes(), &mut out);
    put_text(alert.reason.as_bytes(), &mut out);
    out.extend(u32::try_from(alert.hides).unwrap_or(u32::MAX).to_be_bytes());
    let tags = &alert.tags[..alert.tags.len().min(usize::from(u16::MAX))];
    out.extend((tags.len() as u16).to_be_bytes());
    for tag in tags {
        put_text(tag.as_bytes(), &mut out);
    }
    put_maybe(alert.group.as_ref(), &mut out, |group, out| put_text(group.as_bytes(), out));
    put_time(alert.at, &mut out);
    out
}

fn decode(bytes: &[u8]) -> Option<Alert> {
    let rest = &mut &bytes[..];
    if byte(rest)? != VERSION {
        return None;
    }
    let alert = Alert {
        kind: *KINDS.get(usize::from(byte(rest)?))?,
        target: target(rest)?,
        title: Untrusted::new(text(rest)?),
        from: *CONDITIONS.get(usize::from(byte(rest)?))?,
        to: *CONDITIONS.get(usize::from(byte(rest)?))?,
        word: word(rest)?,
        reason: Untrusted::new(text(rest)?),
        hides: u32::from_be_bytes(array(rest)?) as usize,
        tags: (0..u16::from_be_bytes(array(rest)?)).map(|_| word(rest)).collect::<Option<_>>()?,
        group: maybe(rest, word).ok()?,
        at: time(rest)?,
    };
    rest.is_empty().then_some(alert)
}

fn form_of(target: &Target) -> Vec<u8> {
    let mut form = Vec::new();
    put_target(target, &mut form);
    form
}

pub(super) fn put_target(target: &Target, out: &mut Vec<u8>) {
    let asset = target.asset().as_str().as_bytes();
    match target {
        Target::Host(_) => out.push(0),
        Target::Check(key) => out.extend([1, u8::from(matches!(key.subject, Subject::Job(_)))]),
        Target::Port(..) => out.push(2),
        Target::GonePorts(_) => out.push(3),
        Target::Device(_) => out.push(4),
        Target::Job(_) => out.push(5),
    }
    put_text(asset, out);
    match target {
        Target::Check(key) => put_text(key.name.as_bytes(), out),
        Target::Port(_, key) => put_key(key, out),
        Target::Host(_) | Target::GonePorts(_) | Target::Device(_) | Target::Job(_) => {}
    }
}

pub(super) fn target(rest: &mut &[u8]) -> Option<Target> {
    let asset = |rest: &mut &[u8]| Some(AssetId::new(std::str::from_utf8(text(rest)?).ok()?));
    Some(match byte(rest)? {
        0 => Target::Host(asset(rest)?),
        1 => {
            let subject = match byte(rest)? {
                0 => Subject::Host(asset(rest)?),
                1 => Subject::Job(asset(rest)?),
                _ => return None,
            };
            Target::Check(CheckKey { subject, name: word(rest)? })
        }
        2 => Target::Port(asset(rest)?, key(rest)?),
        3 => Target::GonePorts(asset(rest)?),
        4 => Target::Device(asset(rest)?),
        5 => Target::Job(asset(rest)?),
        _ => return None,
    })
}

pub(super) fn word(rest: &mut &[u8]) -> Option<Arc<str>> {
    std::str::from_utf8(text(rest)?).ok().map(Arc::from)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{PortKey, ToldApart};

    pub fn any_text() -> impl Strategy<Value = Untrusted> {
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Untrusted::new)
    }

    fn any_word() -> impl Strategy<Value = Arc<str>> {
        "\\PC{0,20}".prop_map(Arc::from)
    }

    pub fn any_target() -> impl Strategy<Value = Target> {
        let asset = || "\\PC{1,20}".prop_map(|name| AssetId::new(&name));
        let told = prop_oneof![Just(ToldApart::ByLabel), any::<u32>().prop_map(ToldApart::ByIndex)];
        let key = (any_text(), told).prop_map(|(label, told_apart)| PortKey { label, told_apart });
        let subject = prop_oneof![asset().prop_map(Subject::Host), asset().prop_map(Subject::Job)];
        prop_oneof![
            asset().prop_map(Target::Host),
            (subject, any_word()).prop_map(|(subject, name)| Target::Check(CheckKey { subject, name })),
            (asset(), key).prop_map(|(id, key)| Target::Port(id, key)),
            asset().prop_map(Target::GonePorts),
            asset().prop_map(Target::Device),
            asset().prop_map(Target::Job),
        ]
    }

    /// What is written reads back, and neither what is cut short nor what is longer is taken for it.
    pub fn reads_back_whole_or_not_at_all<T: PartialEq + std::fmt::Debug>(
        one: T,
        encode: impl Fn(&T) -> Vec<u8>,
        decode: impl Fn(&[u8]) -> Option<T>,
        at: prop::sample::Index,
    ) -> Result<(), TestCaseError> {
        let mut bytes = encode(&one);
        prop_assert_eq!(decode(&bytes), Some(one));
        prop_assert_eq!(decode(&bytes[..at.index(bytes.len())]), None);
        bytes.push(0);
        prop_assert_eq!(decode(&bytes), None);
        Ok(())
    }

    prop_compose! {
        fn any_alert()(
            kind in prop::sample::select(&KINDS[..]), target in any_target(),
            from in prop::sample::select(&CONDITIONS[..]), to in prop::sample::select(&CONDITIONS[..]),
            texts in (any_text(), any_text()), word in any_word(), hides in any::<u32>(),
            tags in prop::collection::vec(any_word(), 0..4), group in prop::option::of(any_word()), at in any::<i64>(),
        ) -> Alert {
            let (title, reason) = texts;
            Alert { kind, target, title, from, to, word, reason, hides: hides as usize, tags, group, at: Timestamp(at) }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_and_what_is_cut_short_or_longer_is_refused(
            alert in any_alert(), at in any::<prop::sample::Index>(),
        ) {
            reads_back_whole_or_not_at_all(alert, encode, decode, at)?;
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }
}
