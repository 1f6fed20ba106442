//! How a storm becomes a few lines: the first of a kind from a host is told at once, and its repetitions as one with their
//! number. What is remembered is bounded, and so is what is told in a second. Pure; time is an argument.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::{AssetId, Notification, NotificationKind};

/// Repetitions are told together after this long.
const TOGETHER: Duration = Duration::from_secs(10);
/// Different things that are remembered at a time.
const MOST_KEYS: usize = 8192;
/// Told in one second at most, over all hosts.
const PER_SECOND: u32 = 100;

/// Two that differ in nothing of this are the same again.
type Key = (AssetId, NotificationKind, Option<u32>);

#[derive(Debug, Default)]
pub struct Quietening {
    seen: HashMap<Key, Seen>,
    /// The second that is being counted, and how much was told in it.
    second: u64,
    told: u32,
}

#[derive(Debug)]
struct Seen {
    since: Duration,
    /// The last repetition, with the number of them.
    again: Option<Notification>,
}

/// What to do with one.
#[derive(Debug, PartialEq)]
pub enum Quietened {
    Tell(Notification),
    /// It comes with others of its kind from [`Quietening::due`].
    Later,
    /// Too many different things at a time.
    Never,
}

impl Quietening {
    pub fn take(&mut self, now: Duration, notification: Notification) -> Quietened {
        let key = (notification.host.clone(), notification.kind.clone(), notification.if_index);
        if let Some(seen) = self.seen.get_mut(&key) {
            let before = seen.again.as_ref().map_or(0, |again| again.count);
            seen.again = Some(Notification { count: before.saturating_add(notification.count), ..notification });
            return Quietened::Later;
        }
        if self.seen.len() >= MOST_KEYS {
            return Quietened::Never;
        }
        if self.may_tell(now) {
            self.seen.insert(key, Seen { since: now, again: None });
            Quietened::Tell(notification)
        } else {
            self.seen.insert(key, Seen { since: now, again: Some(notification) });
            Quietened::Later
        }
    }

    /// Repetitions whose time has come, oldest first; asked for about once a second.
    pub fn due(&mut self, now: Duration) -> Vec<Notification> {
        let mut due: Vec<(Duration, Key)> = self
            .seen
            .iter()
            .filter(|(_, seen)| now.saturating_sub(seen.since) >= TOGETHER)
            .map(|(key, seen)| (seen.since, key.clone()))
            .collect();
        due.sort();
        let mut out = Vec::new();
        for (_, key) in due {
            let Some(seen) = self.seen.get_mut(&key) else { continue };
            if seen.again.is_none() {
                self.seen.remove(&key);
                continue;
            }
            if !self.may_tell(now) {
                break;
            }
            // While it goes on it stays quiet.
            if let Some(seen) = self.seen.get_mut(&key) {
                out.extend(seen.again.take());
                seen.since = now;
            }
        }
        out
    }

    fn may_tell(&mut self, now: Duration) -> bool {
        if self.second != now.as_secs() {
            (self.second, self.told) = (now.as_secs(), 0);
        }
        self.told += 1;
        self.told <= PER_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Timestamp, Untrusted};

    fn one(host: usize, kind: NotificationKind, at: i64) -> Notification {
        Notification {
            at: Timestamp(at),
            host: AssetId::new(format!("sw{host}")),
            kind,
            if_index: Some(7),
            detail: Untrusted::default(),
            version: "v2c",
            count: 1,
        }
    }

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn ten_thousand_of_a_kind_are_two_lines() {
        let mut quieten = Quietening::default();
        assert!(matches!(quieten.take(ms(0), one(1, NotificationKind::LinkDown, 0)), Quietened::Tell(_)));
        for n in 1..10_000 {
            assert_eq!(quieten.take(ms(n / 10), one(1, NotificationKind::LinkDown, n.cast_signed())), Quietened::Later);
        }
        assert!(quieten.due(ms(9_999)).is_empty());
        let again = quieten.due(ms(10_000));
        assert_eq!(again.iter().map(|n| (n.count, n.at)).collect::<Vec<_>>(), [(9_999, Timestamp(9_999))]);
        // When it is over, the next is news again.
        assert!(quieten.due(ms(20_000)).is_empty());
        assert!(matches!(quieten.take(ms(20_001), one(1, NotificationKind::LinkDown, 0)), Quietened::Tell(_)));
    }

    #[test]
    fn up_and_down_and_other_interfaces_are_different_things() {
        let mut quieten = Quietening::default();
        assert!(matches!(quieten.take(ms(0), one(1, NotificationKind::LinkDown, 0)), Quietened::Tell(_)));
        assert!(matches!(quieten.take(ms(1), one(1, NotificationKind::LinkUp, 0)), Quietened::Tell(_)));
        let other = Notification { if_index: Some(8), ..one(1, NotificationKind::LinkUp, 0) };
        assert!(matches!(quieten.take(ms(2), other), Quietened::Tell(_)));
    }

    #[test]
    fn a_storm_of_different_things_is_told_at_a_bounded_pace_and_kept_in_bounded_memory() {
        let mut quieten = Quietening::default();
        let mut told = 0;
        let mut never = 0;
        for n in 0..20_000 {
            match quieten.take(ms(5), one(n, NotificationKind::LinkDown, 0)) {
                Quietened::Tell(_) => told += 1,
                Quietened::Later => {}
                Quietened::Never => never += 1,
            }
        }
        assert_eq!((told, never, quieten.seen.len()), (100, 20_000 - MOST_KEYS, MOST_KEYS));
        let mut later = 0;
        for second in 10..200 {
            let due = quieten.due(ms(second * 1000)).len();
            assert!(due <= 100);
            later += due;
        }
        assert_eq!(later, MOST_KEYS - 100, "each is told, late");
        assert!(quieten.seen.is_empty());
    }
}
