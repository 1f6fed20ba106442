//! What devices told by themselves, tasks that ended in a fault, and what was found otherwise than before, for the log of the
//! next run: a row each, the newest of each kind kept.
//!
//! ```text
//! told   1 | at i64 | host | kind u8, of 5 also its name | interface: 0 or 1,u32 | detail | version u8 | count u32
//!          | port: 0 or 1,text
//! fault  1 | at i64 | words                                                        (texts as those of ports)
//! change 1 | at i64 | target as in the outbox | words
//! ```
//!
//! What cannot be read is counted, never guessed.

use std::sync::Arc;

use rusqlite::{Connection, Transaction, params};

use super::form::{array, byte, place, time};
use super::outbox::{put_target, target};
use super::ports::{maybe, put_maybe, put_text, put_time, text};
use crate::base::Untrusted;
use crate::model::{AssetId, Change, Fault, Notification, NotificationKind, NotificationView};

/// The table.
pub(super) const STEP: &str = "CREATE TABLE told (
                id INTEGER PRIMARY KEY NOT NULL, -- in the order of their coming
                kind INTEGER NOT NULL, -- 1 told by a device, 2 a fault, 3 a change that is no condition
                form BLOB NOT NULL
              ) STRICT";

const TOLD: Kind = Kind { number: 1, kept: 1_000 };
const FAULT: Kind = Kind { number: 2, kept: 100 };
const CHANGE: Kind = Kind { number: 3, kept: 1_000 };

const VERSION: u8 = 1;
/// Those of SNMP.
const VERSIONS: [&str; 3] = ["v1", "v2c", "v3"];

struct Kind {
    number: i64,
    /// Rows that are kept.
    kept: i64,
}

/// The newest of what devices told.
pub(super) fn notifications(connection: &Connection) -> rusqlite::Result<(Vec<Arc<NotificationView>>, usize)> {
    read(connection, &TOLD, decode)
}

/// The newest faults.
pub(super) fn faults(connection: &Connection) -> rusqlite::Result<(Vec<Arc<Fault>>, usize)> {
    read(connection, &FAULT, decode_fault)
}

/// The newest of what was found otherwise than before.
pub(super) fn changes(connection: &Connection) -> rusqlite::Result<(Vec<Arc<Change>>, usize)> {
    read(connection, &CHANGE, decode_change)
}

/// Those that can be read, newest first, and how many cannot.
fn read<T>(
    connection: &Connection,
    kind: &Kind,
    decode: fn(&[u8]) -> Option<T>,
) -> rusqlite::Result<(Vec<Arc<T>>, usize)> {
    let (mut found, mut unreadable) = (Vec::new(), 0);
    let mut statement = connection.prepare("SELECT form FROM told WHERE kind = ?1 ORDER BY id DESC LIMIT ?2")?;
    let mut rows = statement.query([kind.number, kind.kept])?;
    while let Some(row) = rows.next()? {
        match row.get_ref(0)?.as_blob().ok().and_then(decode) {
            Some(one) => found.push(Arc::new(one)),
            None => unreadable += 1,
        }
    }
    Ok((found, unreadable))
}

pub(super) fn put(transaction: &Transaction<'_>, one: &NotificationView) -> rusqlite::Result<()> {
    insert(transaction, &TOLD, &encode(one))
}

pub(super) fn put_fault(transaction: &Transaction<'_>, one: &Fault) -> rusqlite::Result<()> {
    let mut form = vec![VERSION];
    put_time(one.at, &mut form);
    put_text(one.words.as_bytes(), &mut form);
    insert(transaction, &FAULT, &form)
}

pub(super) fn put_change(transaction: &Transaction<'_>, one: &Change) -> rusqlite::Result<()> {
    insert(transaction, &CHANGE, &encode_change(one))
}

fn insert(transaction: &Transaction<'_>, kind: &Kind, form: &[u8]) -> rusqlite::Result<()> {
    let put = "INSERT INTO told (kind, form) VALUES (?1, ?2)";
    transaction.prepare_cached(put)?.execute(params![kind.number, form])?;
    Ok(())
}

/// All but the newest of each kind.
pub(super) fn forget(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let forget = "DELETE FROM told WHERE kind = ?1 AND id <=
                    (SELECT id FROM told WHERE kind = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";
    let mut forget = transaction.prepare_cached(forget)?;
    for kind in [TOLD, FAULT, CHANGE] {
        forget.execute([kind.number, kind.kept])?;
    }
    Ok(())
}

fn encode(one: &NotificationView) -> Vec<u8> {
    let NotificationView { told, port } = one;
    let mut out = vec![VERSION];
    put_time(told.at, &mut out);
    put_text(told.host.as_str().as_bytes(), &mut out);
    match &told.kind {
        NotificationKind::ColdStart => out.push(0),
        NotificationKind::WarmStart => out.push(1),
        NotificationKind::LinkDown => out.push(2),
        NotificationKind::LinkUp => out.push(3),
        NotificationKind::AuthenticationFailure => out.push(4),
        NotificationKind::Other(oid) => {
            out.push(5);
            put_text(oid.as_bytes(), &mut out);
        }
    }
    put_maybe(told.if_index, &mut out, |index, out| out.extend(index.to_be_bytes()));
    put_text(told.detail.as_bytes(), &mut out);
    out.push(place(&VERSIONS, &told.version));
    out.extend(told.count.to_be_bytes());
    put_maybe(port.as_ref(), &mut out, |port, out| put_text(port.as_bytes(), out));
    out
}

fn decode(bytes: &[u8]) -> Option<NotificationView> {
    let rest = &mut &bytes[..];
    if byte(rest)? != VERSION {
        return None;
    }
    let at = time(rest)?;
    let host = AssetId::new(std::str::from_utf8(text(rest)?).ok()?);
    let kind = match byte(rest)? {
        0 => NotificationKind::ColdStart,
        1 => NotificationKind::WarmStart,
        2 => NotificationKind::LinkDown,
        3 => NotificationKind::LinkUp,
        4 => NotificationKind::AuthenticationFailure,
        5 => NotificationKind::Other(std::str::from_utf8(text(rest)?).ok()?.into()),
        _ => return None,
    };
    let if_index = maybe(rest, |rest| Some(u32::from_be_bytes(array(rest)?))).ok()?;
    let detail = Untrusted::new(text(rest)?);
    let version = VERSIONS.get(usize::from(byte(rest)?))?;
    let count = u32::from_be_bytes(array(rest)?);
    let port = maybe(rest, |rest| Some(Untrusted::new(text(rest)?))).ok()?;
    let told = Notification { at, host, kind, if_index, detail, version, count };
    rest.is_empty().then_some(NotificationView { told, port })
}

fn decode_fault(bytes: &[u8]) -> Option<Fault> {
    let rest = &mut &bytes[..];
    if byte(rest)? != VERSION {
        return None;
    }
    let fault = Fault { at: time(rest)?, words: std::str::from_utf8(text(rest)?).ok()?.into() };
    rest.is_empty().then_some(fault)
}

fn encode_change(one: &Change) -> Vec<u8> {
    let mut out = vec![VERSION];
    put_time(one.at, &mut out);
    put_target(&one.target, &mut out);
    put_text(one.words.as_bytes(), &mut out);
    out
}

fn decode_change(bytes: &[u8]) -> Option<Change> {
    let rest = &mut &bytes[..];
    if byte(rest)? != VERSION {
        return None;
    }
    let change = Change { at: time(rest)?, target: target(rest)?, words: Untrusted::new(text(rest)?) };
    rest.is_empty().then_some(change)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::outbox::tests::{any_target, any_text, reads_back_whole_or_not_at_all};
    use super::*;
    use crate::base::Timestamp;

    prop_compose! {
        fn any_told()(
            at in any::<i64>(), host in "[a-z]{1,9}", which in 0..6_u8, oid in "[0-9.]{1,30}", count in any::<u32>(),
            if_index in any::<Option<u32>>(), detail in any_text(), version in prop::sample::select(&VERSIONS[..]),
            port in prop::option::of(any_text()),
        ) -> NotificationView {
            let kind = match which {
                0 => NotificationKind::ColdStart,
                1 => NotificationKind::WarmStart,
                2 => NotificationKind::LinkDown,
                3 => NotificationKind::LinkUp,
                4 => NotificationKind::AuthenticationFailure,
                _ => NotificationKind::Other(oid.into()),
            };
            let (at, host) = (Timestamp(at), AssetId::new(host));
            NotificationView { told: Notification { at, host, kind, if_index, detail, version, count }, port }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_and_what_is_cut_short_or_longer_is_refused(
            one in any_told(), at in any::<prop::sample::Index>(),
        ) {
            reads_back_whole_or_not_at_all(one, encode, decode, at)?;
        }

        #[test]
        fn a_change_reads_back_and_what_is_cut_short_or_longer_is_refused(
            at in any::<i64>(), target in any_target(), words in any_text(), cut in any::<prop::sample::Index>(),
        ) {
            let one = Change { at: Timestamp(at), target, words };
            reads_back_whole_or_not_at_all(one, encode_change, decode_change, cut)?;
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (decode(&bytes), decode_fault(&bytes), decode_change(&bytes));
        }
    }
}
