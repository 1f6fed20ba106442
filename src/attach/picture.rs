//! The last picture: what was known when a console was last there, kept as bytes, so that the next one has something to
//! show before it has read its configuration and its store. A cache and nothing else: one of another version or another
//! configuration, or a damaged one, is no picture.
//!
//! ```text
//! "noctty-picture\0" | version u16 | shape u64 | sum u64      (big endian; the sum is that of what follows)
//! wall clock i64 | steady clock i64                            of the writer, milliseconds
//! parts u8 | configuration, its length u32 and its bytes       no bytes where there is none
//! parts: snapshots, each as the difference to the one before
//! ```

use super::delta::{self, Telling};
use super::hello::{SHAPE, VERSION};
use super::wire::{Names, Reader};
use crate::base::Clock;
use crate::model::Policy;
use crate::state::{EngineView, Snapshot};

const MAGIC: &[u8; 15] = b"noctty-picture\0";
/// The ports of what does not fit in so many of so many bytes come with the first walk.
const MOST_PARTS: u8 = 16;
const PART: usize = 2 * delta::MOST_ROOM;

/// The picture as bytes, for whoever reads the same configuration.
pub fn put(snapshot: &Snapshot, clock: Clock, configuration: &str) -> Vec<u8> {
    let (mut parts, mut count, mut telling) = (Vec::new(), 0, Telling::default());
    loop {
        let whole = telling.put(snapshot, PART, &mut parts);
        count += 1;
        if whole || count == MOST_PARTS {
            break;
        }
    }
    let mut body = Vec::with_capacity(64 + configuration.len() + parts.len());
    body.extend(clock.wall().0.to_be_bytes());
    body.extend(clock.now().0.to_be_bytes());
    body.push(count);
    body.extend((configuration.len() as u32).to_be_bytes());
    body.extend(configuration.as_bytes());
    body.append(&mut parts);
    let mut out = head(&body);
    out.append(&mut body);
    out
}

/// What was known, with its age, in this process's own time; `None` where these bytes are no picture of that
/// configuration by this version.
pub fn take(bytes: &[u8], clock: Clock, configuration: &str) -> Option<Snapshot> {
    let body = bytes.get(MAGIC.len() + 18..)?;
    if !bytes.starts_with(&head(body)) {
        return None;
    }
    let (wall, rest) = body.split_first_chunk()?;
    let (steady, rest) = rest.split_first_chunk()?;
    let (&parts, rest) = rest.split_first()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (theirs, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    if theirs != configuration.as_bytes() {
        return None;
    }
    // A steady time of one process means nothing to another; the wall's clock is what both have.
    let was_ahead = i64::from_be_bytes(*steady).saturating_sub(i64::from_be_bytes(*wall));
    let shift = clock.now().0.saturating_sub(clock.wall().0).saturating_sub(was_ahead);
    let mut names = Names::default();
    let mut reader = Reader::new(rest, shift, &mut names);
    let mut has = Snapshot::default();
    for _ in 0..parts.min(MOST_PARTS) {
        has = delta::take(&has, &mut reader).ok()?;
    }
    reader.finished().ok()?;
    // The engine that knew it is gone: nothing of that is so now.
    let engine = EngineView { discovering: true, ..EngineView::default() };
    let recalled = Snapshot { revision: 0, engine, ..has }.recalled();
    Some(recalled.grown_old(&Policy::default(), clock.now()))
}

fn head(body: &[u8]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend(VERSION.to_be_bytes());
    out.extend(SHAPE.to_be_bytes());
    out.extend(sum(body).to_be_bytes());
    out
}

/// Tells damage, eight bytes at a time: megabytes of it are on the way to the first frame.
fn sum(bytes: &[u8]) -> u64 {
    let (whole, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = whole.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    words.fold(bytes.len() as u64, |sum, word| (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attach::tests::filled;
    use crate::base::Timestamp;

    #[test]
    fn a_picture_comes_back_with_its_age_and_is_good_for_its_own_configuration_only() {
        let clock = Clock::start();
        let shown = filled();
        let bytes = put(&shown, clock, "/etc/noctty.toml");
        let again = take(&bytes, clock, "/etc/noctty.toml").expect("a picture");
        assert_eq!(again.hosts.len(), shown.hosts.len());
        assert_eq!(again.devices.len(), shown.devices.len());
        assert!(
            !again.hosts.is_empty()
                && again
                    .hosts
                    .iter()
                    .flat_map(|host| &host.checks)
                    .all(|check| { check.restored == check.last.is_some() })
        );
        assert!(again.engine.discovering && again.engine.faults.is_empty());
        let lasts = |of: &Snapshot| -> Vec<_> {
            of.hosts.iter().flat_map(|h| &h.checks).filter_map(|c| c.last.as_ref().map(|last| last.at)).collect()
        };
        let close = |(a, b): (&Timestamp, &Timestamp)| a.0.abs_diff(b.0) < 1_000;
        assert!(!lasts(&shown).is_empty() && lasts(&again).iter().zip(&lasts(&shown)).all(close));
        assert!(take(&bytes, clock, "/etc/other.toml").is_none());
        assert!(take(&bytes, clock, "").is_none());
    }

    #[test]
    fn what_is_damaged_is_no_picture() {
        let clock = Clock::start();
        let bytes = put(&filled(), clock, "");
        assert!(take(&bytes, clock, "").is_some());
        for length in [0, 3, 33, bytes.len() - 1] {
            assert!(take(&bytes[..length], clock, "").is_none(), "{length} bytes");
        }
        for at in (0..bytes.len()).step_by(97) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            assert!(take(&damaged, clock, "").is_none(), "byte {at}");
        }
    }
}
