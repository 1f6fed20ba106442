//! Watching a host: it is asked each second, wherever one looks meanwhile. Watching a port: its device is asked as fast as it
//! counts anew, while somebody looks at it. The engine paces both and ends them by itself; here they are asked for, said, and
//! that of a port is ended when nobody looks any more.

use std::time::Duration;

use super::app::App;
use super::panes::{PaneKind, Selected};
use crate::base::units;
use crate::bus::{Command, MessageWeight};
use crate::model::AssetId;
use crate::state::rules::refresh::Pace;
use crate::state::{DeviceView, HostView};
use crate::ui::action::Action;

impl App {
    /// Begins to watch what is selected, or ends it: a host as such, but among devices and their ports the device.
    pub(super) fn toggle_watch(&mut self) {
        let among_devices = matches!(self.focus, PaneKind::Devices | PaneKind::Ports);
        match self.looked_at() {
            Some(Selected::Host(asset)) if !among_devices => self.toggle_host_watch(asset),
            looked_at => self.toggle_device_watch(looked_at.and_then(Selected::asset)),
        }
    }

    fn toggle_host_watch(&mut self, asset: AssetId) {
        if self.snapshot.host(&asset).is_none() {
            self.say(MessageWeight::Note, "select a host: it is then asked each second");
            return;
        }
        let watch = self.snapshot.watch_of(&asset).is_none();
        let name = asset.as_str().to_owned();
        if self.send(Command::WatchHost { asset, watch }) && !watch {
            self.say(MessageWeight::Note, format!("{name} is watched no more"));
        }
    }

    fn toggle_device_watch(&mut self, asset: Option<AssetId>) {
        let Some(asset) = asset.filter(|id| self.snapshot.device(id).is_some()) else {
            let words = format!("select a port or a host: {} watches it", self.key_of(Action::Watch));
            self.say(MessageWeight::Note, words);
            return;
        };
        if self.watched() == Some(&asset) {
            self.watching = None;
            self.send(Command::Watch(None));
        } else if self.send(Command::Watch(Some(asset.clone()))) {
            self.watching = Some(asset);
        }
    }

    /// The device that is watched, as far as the engine has said.
    fn watched(&self) -> Option<&AssetId> {
        self.snapshot.engine.watch.as_ref().map(|watch| &watch.asset)
    }

    /// Ends the watch when its device is no longer looked at.
    pub(super) fn end_watch_when_left(&mut self) {
        let Some(asset) = &self.watching else { return };
        let looks = self.shows(PaneKind::Ports) && self.device().is_some_and(|d| d.host.id == *asset);
        if !looks && self.looked_at().and_then(Selected::asset).as_ref() != Some(asset) {
            self.watching = None;
            self.send(Command::Watch(None));
        }
    }
}

/// What there is to say of the watch of a device.
pub fn words(app: &App, device: &DeviceView) -> Option<String> {
    let watch = app.snapshot.engine.watch.as_ref().filter(|w| w.asset == device.host.id)?;
    let refresh = match watch.refresh {
        Pace::AsAsked => "its agent counts as fast as it is asked".to_owned(),
        Pace::Every(refresh) => format!("its agent counts every {}", seconds(refresh)),
        Pace::Measuring => "measuring how often its agent counts".to_owned(),
    };
    let left = units::config_duration(units::age_bucket(watch.until.since(app.snapshot.at)));
    Some(format!("WATCHED every {}, {refresh}, {left} left", seconds(watch.every)))
}

/// What there is to say of the watch of a host.
pub fn host_words(app: &App, host: &HostView) -> Option<String> {
    let watch = app.snapshot.watch_of(&host.host.id)?;
    let left = units::config_duration(units::age_bucket(watch.until.since(app.snapshot.at)));
    let keys = app.keymap.keys_of("watch");
    let key = keys.first().map(|key| format!("; {key} ends it")).unwrap_or_default();
    Some(format!("watched each {} s by {}, {left} left{key}", watch.every.as_secs(), watch.check))
}

/// Seconds with one decimal where they are not whole.
fn seconds(duration: Duration) -> String {
    let tenths = duration.as_millis().div_ceil(100);
    if tenths.is_multiple_of(10) { format!("{}s", tenths / 10) } else { format!("{}.{}s", tenths / 10, tenths % 10) }
}
