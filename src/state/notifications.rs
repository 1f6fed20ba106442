//! The last things that devices told by themselves. A fixed number is kept, so that months of them cost what a day does.

use std::collections::VecDeque;
use std::sync::Arc;

use super::view::{DeviceView, NotificationView};
use crate::model::Notification;

/// Lines kept.
const MOST: usize = 500;

#[derive(Debug, Default)]
pub(super) struct Notifications {
    /// Newest first.
    kept: VecDeque<Arc<NotificationView>>,
    /// The same as it was last published.
    published: Arc<[Arc<NotificationView>]>,
    changed: bool,
}

impl Notifications {
    /// Takes one in; `device` is its host as it was last walked.
    pub(super) fn take(&mut self, told: Notification, device: Option<&DeviceView>) {
        let port = told.if_index.and_then(|index| {
            let ports = &device?.table.ports;
            ports.iter().find(|port| port.index == index).map(|port| port.label().clone())
        });
        self.kept.push_front(Arc::new(NotificationView { told, port }));
        self.kept.truncate(MOST);
        self.changed = true;
    }

    /// From now on a snapshot has them all.
    pub(super) fn publish(&mut self) {
        if std::mem::take(&mut self.changed) {
            self.published = self.kept.iter().cloned().collect();
        }
    }

    /// Newest first, shared with the snapshot before where nothing was added.
    pub(super) fn published(&self) -> Arc<[Arc<NotificationView>]> {
        self.published.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Timestamp, Untrusted};
    use crate::model::{AssetId, NotificationKind};

    fn one(at: i64) -> Notification {
        Notification {
            at: Timestamp(at),
            host: AssetId::new("sw1"),
            kind: NotificationKind::ColdStart,
            if_index: None,
            detail: Untrusted::default(),
            version: "v2c",
            count: 1,
        }
    }

    #[test]
    fn the_newest_are_kept_and_shared_until_another_comes() {
        let mut notifications = Notifications::default();
        for at in 0..2_000 {
            notifications.take(one(at), None);
        }
        notifications.publish();
        let first = notifications.published();
        assert_eq!((first.len(), first[0].told.at), (MOST, Timestamp(1_999)));
        notifications.publish();
        assert!(Arc::ptr_eq(&first, &notifications.published()));
        notifications.take(one(5_000), None);
        notifications.publish();
        assert_eq!(notifications.published()[0].told.at, Timestamp(5_000));
    }
}
