//! Holding the picture still: the panes and details keep the snapshot and the time of the key, and are marked as long as they
//! do. Header, banner, the incident's line, notices, questions and sessions stay of now: what must not be missed comes through.
//! What is done is done to the world as it is.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use crate::base::Timestamp;
use crate::state::Snapshot;
use crate::ui::action::Action;
use crate::ui::panes::ScreenId;
use crate::ui::run::Screen as _;

#[derive(Debug)]
pub struct Frozen {
    /// The time that the picture is of.
    pub since: Timestamp,
    /// What would be shown.
    newest: Arc<Snapshot>,
}

impl Frozen {
    /// When the mark says another second.
    pub fn next_second(&self, now: Timestamp) -> Timestamp {
        let passed = u64::from(now.since(self.since).subsec_millis());
        now.plus(Duration::from_millis(1_000 - passed))
    }

    /// What is old and what is not.
    pub fn words(&self, app: &App) -> String {
        let key = app.key_of(Action::Freeze);
        if app.screen == ScreenId::Sessions {
            return format!("the shells go on, the lists stand still: {key} lets them go on");
        }
        let (then, now) = (&app.snapshot.totals, &self.newest.totals);
        let mut since = Vec::new();
        for (word, then, now) in [("critical", then.critical, now.critical), ("warning", then.warning, now.warning)] {
            if then != now {
                since.push(format!("{word} {then}, now {now}"));
            }
        }
        let since = if since.is_empty() { String::new() } else { format!("; {}", since.join("; ")) };
        format!("everything below stands still ({key} goes on){since}")
    }
}

impl App {
    /// The newest snapshot, shown or not.
    pub fn live(&self) -> &Arc<Snapshot> {
        self.frozen.as_ref().map_or(&self.snapshot, |frozen| &frozen.newest)
    }

    pub(super) fn toggle_freeze(&mut self) {
        match self.frozen.take() {
            Some(frozen) => self.snapshot(frozen.newest),
            None => self.frozen = Some(Frozen { since: self.now, newest: self.snapshot.clone() }),
        }
        // There is a line more or less above them.
        self.resize_sessions();
    }

    /// Keeps a snapshot while the picture is held still; else it comes back.
    pub(super) fn keep_for_thaw(&mut self, snapshot: Arc<Snapshot>) -> Option<Arc<Snapshot>> {
        let Some(frozen) = &mut self.frozen else { return Some(snapshot) };
        frozen.newest = snapshot;
        self.update_sessions();
        self.settle();
        None
    }
}
