//! Watching a port: its device is asked as fast as it counts anew, while somebody looks at it. The engine paces it and ends it
//! by itself; here it is asked for, said, and ended when nobody looks any more.

use std::time::Duration;

use super::app::App;
use super::panes::ScreenId;
use crate::base::units;
use crate::bus::{Command, MessageWeight};
use crate::model::AssetId;
use crate::state::DeviceView;
use crate::state::rules::refresh::Pace;

impl App {
    /// Begins to watch the selected port's device, or ends it.
    pub(super) fn toggle_watch(&mut self) {
        let asset = self.looked_at().and_then(super::panes::Selected::asset);
        let Some(asset) = asset.filter(|id| self.snapshot.device(id).is_some()) else {
            self.say(MessageWeight::Note, "select a port: its device is then asked as fast as it counts");
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
        let looks = self.screen == ScreenId::Ports && self.device().is_some_and(|d| d.host.id == *asset);
        if !looks && self.looked_at().and_then(super::panes::Selected::asset).as_ref() != Some(asset) {
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

/// Seconds with one decimal where they are not whole.
fn seconds(duration: Duration) -> String {
    let tenths = duration.as_millis().div_ceil(100);
    if tenths.is_multiple_of(10) { format!("{}s", tenths / 10) } else { format!("{}.{}s", tenths / 10, tenths % 10) }
}
