//! What the engine hands to the journal and the store by itself: deeds, changed states, what happened. Neither is waited for.

use std::time::Duration;

use super::Engine;
use crate::base::Timestamp;
use crate::model::{AssetId, CheckKey, Remembered, Subject};
use crate::state::TRANSITIONS;

/// Changed states go to the store this often.
const REMEMBER_EVERY: Duration = Duration::from_secs(15);
/// And so soon after one of which people are told, so that a restart does not take it for news.
const REMEMBER_SOON: Duration = Duration::from_secs(1);
/// States that go to the store at once.
const REMEMBER_BATCH: usize = 4_096;
/// Devices whose ports go to the store at once.
const DEVICES_BATCH: usize = 512;

impl Engine {
    pub(super) fn has_to_remember(&self) -> bool {
        let waiting = [self.to_remember.len(), self.assets_to_remember.len(), self.devices_to_remember.len()];
        waiting.iter().any(|count| *count > 0)
    }

    pub(super) fn remember_every(&self) -> Duration {
        if self.remember_soon { REMEMBER_SOON } else { REMEMBER_EVERY }
    }

    /// Hands the journal what nobody waits for, and the store what is to be told; what they do not take now comes soon.
    pub(super) fn write_down(&mut self) {
        let Some(records) = &self.records else {
            self.to_write.clear();
            self.notify.notes();
            return;
        };
        if self.notify.has_notes()
            && let Err(notes) = records.dispatched(self.notify.notes())
        {
            self.notify.keep(notes);
        }
        while let Some(draft) = self.to_write.pop_front() {
            if let Some(draft) = records.write(draft) {
                self.to_write.push_front(draft);
                return;
            }
        }
    }

    /// Hands changed states to the store; what it does not take now comes with the next batch.
    pub(super) fn remember(&mut self, now: Timestamp) {
        self.remembered_at = now;
        self.remember_soon = false;
        let Some(records) = &self.records else {
            self.to_remember.clear();
            self.assets_to_remember.clear();
            self.devices_to_remember.clear();
            return;
        };
        let names = self.net.names.take_found();
        if !names.is_empty()
            && let Err(names) = records.remember_names(names)
        {
            self.net.names.put_found(names);
        }
        while !self.devices_to_remember.is_empty() {
            let ids: Vec<AssetId> = self.devices_to_remember.iter().take(DEVICES_BATCH).cloned().collect();
            let batch = ids.iter().filter_map(|id| self.state.device(id).cloned()).collect();
            if records.remember_devices(batch).is_err() {
                break;
            }
            for id in &ids {
                self.devices_to_remember.remove(id);
            }
        }
        while !self.to_remember.is_empty() {
            let keys: Vec<CheckKey> = self.to_remember.iter().take(REMEMBER_BATCH).cloned().collect();
            let batch: Vec<Remembered> = keys.iter().filter_map(|key| self.state.remembered(key)).collect();
            if records.remember(batch).is_err() {
                return;
            }
            for key in &keys {
                self.to_remember.remove(key);
            }
        }
        // Behind what it was about: who is killed between the two tells it twice, and nothing that is not so.
        while !self.assets_to_remember.is_empty() {
            let subjects: Vec<Subject> = self.assets_to_remember.iter().take(REMEMBER_BATCH).cloned().collect();
            let batch = subjects.iter().filter_map(|subject| self.state.asset(subject)).collect();
            if records.remember_assets(batch).is_err() {
                return;
            }
            for subject in &subjects {
                self.assets_to_remember.remove(subject);
            }
        }
    }

    /// Hands the store what happened; what it does not take now comes soon.
    pub(super) fn log(&mut self, now: Timestamp) {
        self.logged_at = now;
        let Some(records) = &self.records else {
            self.to_log.clear();
            return;
        };
        // A disk that takes nothing costs the oldest of them.
        self.to_log.drain(..self.to_log.len().saturating_sub(TRANSITIONS));
        if !self.to_log.is_empty()
            && let Err(batch) = records.log(std::mem::take(&mut self.to_log))
        {
            self.to_log = batch;
        }
    }
}
