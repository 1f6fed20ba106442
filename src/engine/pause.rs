//! Whether polling is stopped. The journal says it, and so it lasts over a restart; what was ordered here holds at once, and
//! holds on where the disk cannot take it. Nothing is asked before the journal was read.

use std::sync::Arc;

use crate::model::Pause;

#[derive(Debug, Default)]
pub(super) struct Halt {
    /// What the journal says.
    saved: Option<Arc<Pause>>,
    /// What was ordered here and the journal does not say yet.
    ordered: Option<Ordered>,
    /// The journal was not read yet.
    awaited: bool,
}

#[derive(Debug)]
enum Ordered {
    Pause(Arc<Pause>),
    Resume,
}

impl Halt {
    /// Of an engine that has a journal, or none.
    pub fn new(has_journal: bool) -> Self {
        Self { awaited: has_journal, ..Self::default() }
    }

    /// Nothing may be asked yet.
    pub fn is_awaited(&self) -> bool {
        self.awaited
    }

    /// What stands.
    pub fn pause(&self) -> Option<&Arc<Pause>> {
        match &self.ordered {
            Some(Ordered::Pause(pause)) => Some(pause),
            Some(Ordered::Resume) => None,
            None => self.saved.as_ref(),
        }
    }

    /// It stands, and is on disk.
    pub fn is_saved(&self) -> bool {
        self.ordered.is_none() && self.saved.is_some()
    }

    /// The journal has one, whatever was ordered since.
    pub fn is_on_disk(&self) -> bool {
        self.saved.is_some()
    }

    pub fn order(&mut self, pause: Option<Pause>) {
        self.ordered = Some(pause.map_or(Ordered::Resume, |pause| Ordered::Pause(Arc::new(pause))));
    }

    /// What the journal says holds.
    pub fn forget_order(&mut self) {
        self.ordered = None;
    }

    /// What cannot be read says nothing.
    pub fn wait_no_more(&mut self) {
        self.awaited = false;
    }

    /// What the journal says now. Where that is news, it is newer than what was ordered here.
    pub fn read(&mut self, saved: Option<Arc<Pause>>) {
        let id = |pause: &Option<Arc<Pause>>| pause.as_ref().map(|pause| pause.id.clone());
        if id(&saved) != id(&self.saved) {
            self.ordered = None;
        }
        self.saved = saved;
        self.awaited = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Timestamp, Untrusted};

    fn pause(id: &str) -> Pause {
        Pause { id: id.into(), by: "ops1".into(), since: Timestamp(0), note: Untrusted::default() }
    }

    #[test]
    fn what_is_ordered_holds_until_the_journal_says_something_new() {
        let mut halt = Halt::new(true);
        assert!(halt.is_awaited());
        halt.read(None);
        assert!(!halt.is_awaited() && halt.pause().is_none());
        halt.order(Some(pause("")));
        // Something else was written meanwhile: the order is on its way.
        halt.read(None);
        assert!(halt.pause().is_some() && !halt.is_saved());
        halt.read(Some(Arc::new(pause("01A"))));
        assert!(halt.is_saved());
        halt.order(None);
        halt.read(Some(Arc::new(pause("01A"))));
        assert!(halt.pause().is_none(), "the disk takes nothing: what was ordered holds");
        // Somebody else paused it again since.
        halt.read(Some(Arc::new(pause("01B"))));
        assert_eq!(halt.pause().map(|pause| pause.id.to_string()).as_deref(), Some("01B"));
        halt.read(None);
        assert!(halt.pause().is_none());
    }
}
