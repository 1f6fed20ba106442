//! The engine's part of watching: one device's ports, and hosts. It begins and ends it, says so, and sets the schedule's pace.

use super::Engine;
use crate::base::{Timestamp, units};
use crate::bus::{Asker, MessageWeight};
use crate::engine::asker::say;
use crate::engine::watch::Watch;
use crate::engine::{host_watch, watch};
use crate::model::{AssetId, Facts, Observation, Subject};
use crate::state::{Event, Mode};

impl Engine {
    /// Begins or ends the watch.
    pub(super) fn watch(&mut self, asset: Option<AssetId>, end: &Asker) {
        let now = self.clock.now();
        let Some(asset) = asset else {
            // What somebody else watches goes on.
            if self.watcher == end.id {
                self.end_watch(now);
            }
            return;
        };
        if self.mode != Mode::Polling {
            say(end, MessageWeight::Warning, "polling is off: nothing is watched");
            return;
        }
        let mut checks = self.state.specs().iter().filter(|s| &*s.kind == "ports" && *s.key.subject.id() == asset);
        let Some(spec) = checks.next().cloned() else {
            say(end, MessageWeight::Warning, &format!("{}: its ports are not polled", asset.as_str()));
            return;
        };
        if spec.fixed_pace {
            say(end, MessageWeight::Warning, &format!("{} keeps its own pace and is not asked faster", asset.as_str()));
            return;
        }
        let took = self.state.check(&spec.key).and_then(|c| c.last.as_ref()).map(|last| last.took);
        self.watching = Some(Watch::new(asset, now, took));
        self.watcher = end.id;
        self.pace(now);
    }

    /// Takes in what a check found, where it is the watched one.
    pub(super) fn watched(&mut self, observation: &Observation) {
        let Some(watch) = &mut self.watching else { return };
        let is_it = matches!(&observation.check.subject, Subject::Host(id) if *id == watch.asset);
        let walks = matches!(observation.reading.facts, Facts::Ports(_)) || &*observation.check.name == "ports";
        if is_it && walks {
            watch.walked(observation.took, &observation.reading.facts);
            let now = self.clock.now();
            self.pace(now);
        }
    }

    /// Ends the watch when its time is over, or polling is off.
    pub(super) fn end_watch_in_time(&mut self, end: &Asker, now: Timestamp) {
        let Some(watch) = &self.watching else { return };
        let name = watch.asset.as_str();
        if now >= watch.until {
            let words = format!("{name} was watched for {}; :watch watches on", units::config_duration(watch::LONGEST));
            say(end, MessageWeight::Note, &words);
        } else if self.mode == Mode::Polling {
            return;
        }
        self.end_watch(now);
    }

    fn end_watch(&mut self, now: Timestamp) {
        if self.watching.take().is_some() {
            self.schedule.watch(None, now);
            self.take(Event::Watching(None));
        }
    }

    fn pace(&mut self, now: Timestamp) {
        let Some(watch) = &self.watching else { return };
        let (asset, every, view) = (watch.asset.clone(), watch.every(), watch.view());
        self.schedule.watch(Some((asset, every)), now);
        self.take(Event::Watching(Some(view)));
    }

    /// Begins or ends the watch of a host.
    pub(super) fn watch_host(&mut self, asset: &AssetId, watch: bool, end: &Asker) {
        if !watch {
            self.hosts_watched.end(asset);
            self.pace_hosts();
            return;
        }
        if self.mode != Mode::Polling {
            say(end, MessageWeight::Warning, "polling is off: nothing is watched");
            return;
        }
        match self.hosts_watched.begin(asset, self.state.specs(), self.clock.now()) {
            Ok(watch) => {
                let (name, check, longest) =
                    (watch.asset.as_str(), &watch.check, units::config_duration(host_watch::LONGEST));
                let words = format!("{name}: {check} is asked each second for {longest}; :watch ends it");
                say(end, MessageWeight::Note, &words);
                self.pace_hosts();
            }
            Err(why) => say(end, MessageWeight::Warning, &why),
        }
    }

    /// Ends what is over, or everything where polling is off.
    pub(super) fn end_host_watches_in_time(&mut self, end: &Asker, now: Timestamp) {
        if self.hosts_watched.is_empty() {
            return;
        }
        if self.mode != Mode::Polling {
            self.hosts_watched.clear();
            self.pace_hosts();
            return;
        }
        let over = self.hosts_watched.end_due(now);
        for asset in &over {
            let words = format!(
                "{} was watched for {}; :watch watches on",
                asset.as_str(),
                units::config_duration(host_watch::LONGEST)
            );
            say(end, MessageWeight::Note, &words);
        }
        if !over.is_empty() {
            self.pace_hosts();
        }
    }

    /// After a new plan.
    pub(super) fn renew_host_watches(&mut self) {
        if !self.hosts_watched.is_empty() {
            self.hosts_watched.renew(self.state.specs());
            self.pace_hosts();
        }
    }

    fn pace_hosts(&mut self) {
        self.schedule.watch_checks(self.hosts_watched.keys().collect(), self.clock.now());
        self.take(Event::WatchingHosts(self.hosts_watched.shown()));
    }
}
