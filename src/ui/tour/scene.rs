//! What a step looks at: the console as it is, and what it was when the step began.

use std::collections::HashSet;

use super::steps::is_note;
use crate::model::{AssetId, Condition, PortKey, Target};
use crate::state::Problem;
use crate::state::lookup::Lookup;
use crate::state::snapshot::ProblemKind;
use crate::ui::app::App;
use crate::ui::overlays::Overlay;
use crate::ui::panes::Selected;

/// What was there when a step began.
#[derive(Debug, Default)]
pub struct Begun {
    pub claimed: HashSet<Target>,
    pub port: Option<(AssetId, PortKey)>,
    pub sessions: usize,
    pub notes: usize,
}

/// The console as a step sees it.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    pub app: &'a App,
    pub begun: &'a Begun,
    /// The host that the tour talks about.
    pub host: Option<&'a AssetId>,
}

impl Begun {
    pub fn of(app: &App) -> Self {
        let begun = Self::default();
        let scene = Scene { app, begun: &begun, host: None };
        let (port, notes) = (scene.port(), scene.notes());
        Self { claimed: app.snapshot.acks.keys().cloned().collect(), port, sessions: app.sessions.len(), notes }
    }
}

impl<'a> Scene<'a> {
    /// The first problem that hides others.
    pub fn cause(&self) -> Option<&'a Problem> {
        self.app.snapshot.problems.iter().find(|problem| problem.kind == ProblemKind::Host && problem.hides > 0)
    }

    pub fn top(&self) -> Option<&'a Overlay> {
        self.app.overlays.last()
    }

    /// Whether everything about it is shown.
    pub fn opened(&self, what: &Selected) -> bool {
        matches!(self.top(), Some(Overlay::Detail { selected, .. }) if selected == what)
    }

    pub fn port(&self) -> Option<(AssetId, PortKey)> {
        Some((self.app.device()?.host.id.clone(), self.app.selected_port()?.key()))
    }

    pub fn notes(&self) -> usize {
        let incidents = self.app.live().incidents.iter();
        incidents.flat_map(|incident| &incident.entries).filter(|entry| is_note(entry.kind)).count()
    }

    /// Whether any switch has said where the host hangs. What was found for the detail is known already.
    pub fn host_hangs(&self) -> bool {
        let Some(host) = self.host else { return false };
        match &self.app.hangs {
            Some((asset, _, ports)) if asset == host && !ports.is_empty() => true,
            _ => self.app.snapshot.host(host).is_some_and(|view| {
                let mut lookup = Lookup::default();
                lookup.refresh(&self.app.snapshot);
                !lookup.attachments(&self.app.snapshot, view).is_empty()
            }),
        }
    }
}

/// A host to talk about; else any that answers.
pub fn host_of(app: &App) -> Option<AssetId> {
    let ids = || app.snapshot.hosts.iter().map(|view| &view.host.id);
    ids().find(|id| is_apt(app, id)).or_else(|| ids().find(|id| answers(app, id))).cloned()
}

/// A switch that answers and hangs on another: it can be asked each second, it has a shell, and its neighbor says at once
/// where its cable goes, which for a server may take minutes.
pub fn is_apt(app: &App, host: &AssetId) -> bool {
    let hangs = || app.snapshot.host(host).is_some_and(|view| !view.host.parents.is_empty());
    let whole = app.snapshot.device(host).is_some_and(|device| device.condition == Condition::Ok);
    whole && answers(app, host) && hangs()
}

/// Whether it still answers.
pub fn answers(app: &App, host: &AssetId) -> bool {
    app.snapshot.host(host).is_some_and(|view| view.condition == Condition::Ok)
}
