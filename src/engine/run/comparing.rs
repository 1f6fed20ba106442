//! The engine's part of comparing packages: it asks the hosts, and hears them.

use std::time::Duration;

use super::Engine;
use crate::bus::{Asker, Ticket};
use crate::engine::packages::{self, Came, PATIENCE};
use crate::engine::plan::Runner;
use crate::engine::supervise;
use crate::model::AssetId;
use crate::state::Mode;

impl Engine {
    /// Compares what is installed on two hosts, for whoever asks.
    pub(super) fn compare_packages(&mut self, ticket: Ticket, pair: [AssetId; 2], end: &Asker) {
        let refusal = if self.mode == Mode::Polling {
            self.packages.is_full().then_some("others are being asked: try again in a moment")
        } else {
            Some("polling is off: nothing is asked")
        };
        if let Some(why) = refusal {
            packages::refuse(end, ticket, why);
            return;
        }
        for asset in self.packages.want(end, ticket, pair, self.clock.now()) {
            self.ask_packages(asset);
        }
    }

    /// Whichever of its checks can tell is asked.
    fn ask_packages(&mut self, asset: AssetId) {
        let own = self.plan.checks.iter().filter(|bound| bound.spec.key.subject.id() == &asset);
        let may = own.filter(|bound| bound.spec.waits_for.is_none());
        let checks: Vec<(Runner, Duration)> =
            may.map(|bound| (bound.run.clone(), bound.spec.timeout.max(PATIENCE))).collect();
        let (net, came) = (self.net.clone(), self.packages.way_back());
        self.tasks.spawn(async move {
            let told = supervise::packages(&checks, &net).await;
            // A closed channel means that the engine has ended.
            let _ = came.send((asset, told)).await;
        });
    }

    pub(super) fn packages_came(&mut self, came: Came) {
        self.packages.came(came, self.clock.now());
    }
}
