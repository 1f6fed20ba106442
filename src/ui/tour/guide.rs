//! Where somebody is in the tour: which step, since when, and what it was like when the step began.

use std::time::Duration;

use super::scene::{Begun, Scene, answers, host_of, is_apt};
use super::steps::{END, STEPS, Step};
use crate::base::Timestamp;
use crate::model::AssetId;
use crate::ui::app::App;

/// How long the first step waits for what it talks about before the tour moves on: the network has to start, and its faults
/// have to be found.
const STARTS: Duration = Duration::from_secs(60);
/// The same for every other step.
const MOVES_ON: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub struct Guide {
    /// Behind the last step: the farewell.
    at: usize,
    begun: Begun,
    /// It was not done yet at some moment since it began: only what is done now counts.
    armed: bool,
    /// What the step talks about is not there, since then.
    missing: Option<Timestamp>,
    host: Option<AssetId>,
    /// Of the step before.
    outcome: Option<String>,
}

impl Guide {
    /// From a step on; from the first where there is no such step.
    pub fn from(at: usize, app: &App, now: Timestamp) -> Self {
        let at = if at < STEPS.len() { at } else { 0 };
        let mut guide = Self { at, begun: Begun::default(), armed: false, missing: None, host: None, outcome: None };
        guide.begin(at, app, now, None);
        guide
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn step(&self) -> Option<&'static Step> {
        STEPS.get(self.at)
    }

    pub fn scene<'a>(&'a self, app: &'a App) -> Scene<'a> {
        Scene { app, begun: &self.begun, host: self.host.as_ref() }
    }

    /// What became of the step before.
    pub fn outcome(&self) -> Option<&str> {
        self.outcome.as_deref()
    }

    /// The words of the step as they stand in the table.
    pub fn words(&self) -> &'static str {
        match self.step() {
            Some(step) if self.missing.is_some() => step.missing,
            Some(step) => step.text,
            None => END,
        }
    }

    /// The step asks for what is so already.
    pub fn is_so_already(&self) -> bool {
        self.step().is_some() && !self.armed
    }

    /// When the tour moves on by itself.
    pub fn due(&self) -> Option<Timestamp> {
        self.missing.map(|since| since.plus(if self.at == 0 { STARTS } else { MOVES_ON }))
    }

    /// Looks at the console after anything that may have changed it.
    pub fn look(&mut self, app: &App, now: Timestamp) {
        if self.host.as_ref().is_none_or(|host| !answers(app, host)) {
            self.host = host_of(app);
        }
        let Some(step) = self.step() else { return };
        let scene = self.scene(app);
        let (done, possible) = ((step.done)(&scene), (step.possible)(&scene));
        if done && self.armed {
            self.begin(self.at + 1, app, now, Some(format!("done: {}", step.learnt)));
            return;
        }
        self.armed |= !done;
        self.missing = (!possible).then(|| self.missing.unwrap_or(now));
        if self.due().is_some_and(|due| due <= now) {
            self.begin(self.at + 1, app, now, Some(format!("step {} left out", self.at + 1)));
        }
    }

    pub fn skip(&mut self, app: &App, now: Timestamp) {
        if self.at < STEPS.len() {
            self.begin(self.at + 1, app, now, None);
        }
    }

    pub fn back(&mut self, app: &App, now: Timestamp) {
        self.begin(self.at.saturating_sub(1), app, now, None);
    }

    fn begin(&mut self, at: usize, app: &App, now: Timestamp, outcome: Option<String>) {
        self.at = at;
        self.begun = Begun::of(app);
        self.armed = false;
        self.missing = None;
        self.outcome = outcome;
        // Whoever answered first need not be the best to talk about.
        if self.host.as_ref().is_none_or(|host| !is_apt(app, host)) {
            self.host = host_of(app);
        }
        if let Some(step) = self.step() {
            let scene = self.scene(app);
            let (done, possible) = ((step.done)(&scene), (step.possible)(&scene));
            self.armed = !done;
            self.missing = (!possible).then_some(now);
        }
    }
}
