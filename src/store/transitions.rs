//! Changes of conditions, for the log of the next run: a row each, the newest of them kept.
//!
//! ```text
//! 1 | at i64 | target | name | from u8 | to u8 | down u8 | reason          (target and texts as in the outbox)
//! ```
//!
//! What cannot be read is counted, never guessed.

use std::sync::Arc;

use rusqlite::{Connection, Transaction, params};

use super::form::{CONDITIONS, byte, place, time};
use super::outbox::{put_target, target};
use super::ports::{put_text, put_time, text};
use crate::base::Untrusted;
use crate::model::Transition;

/// The table.
pub(super) const STEP: &str = "CREATE TABLE transitions (
                id INTEGER PRIMARY KEY NOT NULL, -- in the order of their coming
                form BLOB NOT NULL
              ) STRICT";

const VERSION: u8 = 1;

/// Rows that are kept; what is shown is fewer.
const KEPT: i64 = 5_000;

/// The newest `most`, and how many of them could not be read.
pub(super) fn read(connection: &Connection, most: usize) -> rusqlite::Result<(Vec<Arc<Transition>>, usize)> {
    let (mut found, mut unreadable) = (Vec::new(), 0);
    let mut statement = connection.prepare("SELECT form FROM transitions ORDER BY id DESC LIMIT ?1")?;
    let mut rows = statement.query([i64::try_from(most).unwrap_or(i64::MAX)])?;
    while let Some(row) = rows.next()? {
        match row.get_ref(0)?.as_blob().ok().and_then(decode) {
            Some(one) => found.push(Arc::new(one)),
            None => unreadable += 1,
        }
    }
    Ok((found, unreadable))
}

pub(super) fn put(transaction: &Transaction<'_>, one: &Transition) -> rusqlite::Result<()> {
    let put = "INSERT INTO transitions (form) VALUES (?1)";
    transaction.prepare_cached(put)?.execute(params![encode(one)])?;
    Ok(())
}

/// All but the newest.
pub(super) fn forget(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let forget = "DELETE FROM transitions WHERE id <= (SELECT max(id) FROM transitions) - ?1";
    transaction.prepare_cached(forget)?.execute([KEPT])?;
    Ok(())
}

fn encode(one: &Transition) -> Vec<u8> {
    let mut out = vec![VERSION];
    put_time(one.at, &mut out);
    put_target(&one.target, &mut out);
    put_text(one.name.as_bytes(), &mut out);
    out.extend([place(&CONDITIONS, &one.from), place(&CONDITIONS, &one.to), u8::from(one.down)]);
    put_text(one.reason.as_bytes(), &mut out);
    out
}

fn decode(bytes: &[u8]) -> Option<Transition> {
    let rest = &mut &bytes[..];
    if byte(rest)? != VERSION {
        return None;
    }
    let one = Transition {
        at: time(rest)?,
        target: target(rest)?,
        name: Untrusted::new(text(rest)?),
        from: *CONDITIONS.get(usize::from(byte(rest)?))?,
        to: *CONDITIONS.get(usize::from(byte(rest)?))?,
        down: match byte(rest)? {
            0 => false,
            1 => true,
            _ => return None,
        },
        reason: Untrusted::new(text(rest)?),
    };
    rest.is_empty().then_some(one)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::outbox::tests::{any_target, any_text, reads_back_whole_or_not_at_all};
    use super::*;
    use crate::base::Timestamp;

    prop_compose! {
        fn any_transition()(
            at in any::<i64>(), target in any_target(), name in any_text(), reason in any_text(), down in any::<bool>(),
            from in prop::sample::select(&CONDITIONS[..]), to in prop::sample::select(&CONDITIONS[..]),
        ) -> Transition {
            Transition { at: Timestamp(at), target, name, from, to, down, reason }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_and_what_is_cut_short_or_longer_is_refused(
            one in any_transition(), at in any::<prop::sample::Index>(),
        ) {
            reads_back_whole_or_not_at_all(one, encode, decode, at)?;
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }
}
