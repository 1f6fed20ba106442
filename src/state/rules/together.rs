//! What fell silent together at one site, and whether a UPS there was on battery then: a remark beside each of them, for whoever looks
//! for the one cause. It hides nothing. What a UPS feeds is what lives on, and hosts that fall at the same time may have causes of
//! their own: who took them for consequences would hide real faults.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Timestamp, units};
use crate::model::device::PowerSource;
use crate::state::view::{DeviceView, HostView};

/// From one silence to the other.
const TOGETHER: Duration = Duration::from_secs(90);
/// Fewer others than this are a coincidence, where the power is well.
const MANY: usize = 2;

/// A UPS that is on battery, or was when it was last heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Power {
    pub ups: Arc<str>,
    pub since: Timestamp,
    pub is_old: bool,
}

/// What befell a host's site when the host fell silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    pub site: Arc<str>,
    pub others: usize,
    pub power: Option<Power>,
}

impl Company {
    /// `4 others at fra1 fell within 90 s · ups1 there on battery since 02:13Z`.
    pub fn words(&self) -> String {
        let others = (self.others > 0)
            .then(|| format!("{} at {} fell within 90 s", units::counted(self.others, "other"), self.site));
        let power = self.power.as_ref().map(|power| {
            let place = if self.others > 0 { "there" } else { "at the same site" };
            let old = if power.is_old { ", last heard so" } else { "" };
            format!("{} {place} on battery since {}Z{old}", power.ups, &power.since.utc_time_of_day()[..5])
        });
        others.into_iter().chain(power).collect::<Vec<_>>().join(" · ")
    }
}

#[derive(Debug, Default)]
struct Site {
    /// When hosts fell silent that are still, in order.
    falls: Vec<Timestamp>,
    power: Vec<Power>,
}

/// The falls of all sites.
#[derive(Debug, Default)]
pub struct Falls<'a>(HashMap<&'a Arc<str>, Site>);

impl<'a> Falls<'a> {
    pub fn of(
        hosts: impl IntoIterator<Item = &'a Arc<HostView>>,
        devices: impl IntoIterator<Item = &'a Arc<DeviceView>>,
    ) -> Self {
        let mut sites: HashMap<&Arc<str>, Site> = HashMap::new();
        for host in hosts {
            if let Some(site) = host.host.site.as_ref().filter(|_| is_down(host)) {
                let site = sites.entry(site).or_default();
                site.falls.extend(Some(host.since).filter(|_| falls(host)));
            }
        }
        if sites.is_empty() {
            return Self::default();
        }
        for device in devices {
            let Some(site) = device.host.site.as_ref().and_then(|site| sites.get_mut(site)) else { continue };
            site.power.extend(on_battery(device));
        }
        for site in sites.values_mut() {
            site.falls.sort_unstable();
            site.power.sort_unstable_by_key(|power| power.since);
        }
        Self(sites)
    }

    /// What a host that is down fell silent with; nothing where that says nothing.
    pub fn company(&self, host: &HostView) -> Option<Company> {
        let name = host.host.site.as_ref().filter(|_| is_down(host))?;
        let site = self.0.get(name)?;
        let (from, until) = (host.since.minus(TOGETHER), host.since.plus(TOGETHER));
        let begin = site.falls.partition_point(|at| *at < from);
        let end = site.falls.partition_point(|at| *at <= until);
        let others = (end - begin).saturating_sub(usize::from(falls(host)));
        // Its own battery is its own business, and one that came later is no cause.
        let mut power = site.power.iter().filter(|power| *power.ups != *host.host.name && power.since <= until);
        let power = power.next().cloned();
        (others >= MANY || power.is_some()).then(|| Company { site: name.clone(), others, power })
    }
}

/// It is down by itself and unexpectedly, which is known.
fn is_down(host: &HostView) -> bool {
    host.is_down() && !host.stale && host.care.maintenance.is_none()
}

/// It was up before. One cycle alone knows no before: there nothing fell, and the power may be out all the same.
fn falls(host: &HostView) -> bool {
    is_down(host) && host.last_seen.is_some()
}

fn on_battery(device: &DeviceView) -> Option<Power> {
    let ups = device.table.equipment.ups.as_ref().filter(|ups| ups.source == Some(PowerSource::Battery))?;
    let found = device.findings.iter().find(|finding| &*finding.what == "UPS source").map(|finding| finding.since);
    let walked = device.table.collected_at;
    // The device knows better since when than whoever asks it now and then.
    let since = ups.on_battery_for.map_or(found.unwrap_or(walked), |lasts| walked.minus(lasts));
    Some(Power { ups: device.host.name.clone(), since, is_old: device.stale })
}
