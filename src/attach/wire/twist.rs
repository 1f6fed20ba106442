//! An engine that means harm, for tests: while [`by`] runs, every text that is put on the wire is another. The same text always
//! becomes the same, so that what names something names it still; a field that is added tomorrow is twisted too.

use std::borrow::Cow;
use std::cell::RefCell;

use super::fnv;

thread_local! {
    static PIECES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Runs it with pieces that are put into every text.
pub fn by<T>(pieces: &[String], run: impl FnOnce() -> T) -> T {
    PIECES.set(pieces.to_vec());
    let out = run();
    PIECES.set(Vec::new());
    out
}

/// The text with a piece before it, behind it, in its midst or in its stead.
pub fn text(bytes: &[u8]) -> Cow<'_, [u8]> {
    PIECES.with_borrow(|pieces| {
        if pieces.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let hash = usize::try_from(fnv(bytes) >> 8).unwrap_or(usize::MAX);
        let piece = pieces[hash % pieces.len()].as_bytes();
        let half = (0..=bytes.len() / 2).rev().find(|at| std::str::from_utf8(&bytes[..*at]).is_ok()).unwrap_or(0);
        Cow::Owned(match hash / pieces.len() % 8 {
            0 => bytes.to_vec(),
            1..=3 => [piece, bytes].concat(),
            4 | 5 => [&bytes[..half], piece, &bytes[half..]].concat(),
            6 => [bytes, piece].concat(),
            _ => [piece, piece, bytes].concat(),
        })
    })
}
