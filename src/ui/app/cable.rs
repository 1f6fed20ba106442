//! Following a cable: from a host to the switch port it hangs on, from a port to what hangs there.

use super::App;
use crate::base::units;
use crate::bus::MessageWeight;
use crate::model::{AssetId, PortKey};
use crate::state::lookup::{Attachment, Beyond, How, port_called};
use crate::ui::overlays::Overlay;
use crate::ui::panes::Selected;
use crate::ui::port::Seen;

impl App {
    /// To the other end of what is selected.
    pub(super) fn follow(&mut self) {
        self.look_up();
        match self.looked_at() {
            Some(Selected::Port(asset, port)) => self.follow_port(&asset, &port),
            Some(Selected::Host(asset)) => self.follow_host(&asset),
            Some(Selected::Job(asset)) => self.follow_job(&asset),
            Some(Selected::Told(entry)) => self.follow_entry(entry.about.clone()),
            Some(Selected::Entry(row)) => {
                let about = self.incident().and_then(|incident| incident.entries.get(row)?.about.clone());
                self.follow_entry(about.and_then(|about| self.object_named(&about.line())));
            }
            None => self.say(MessageWeight::Note, "select a host or a port: this goes to the other end of its cable"),
        }
    }

    /// To what an entry is about.
    fn follow_entry(&mut self, about: Option<Selected>) {
        match about {
            Some(Selected::Port(asset, port)) => {
                self.leave_place();
                self.close_details();
                self.show_port(&asset, &port);
            }
            Some(Selected::Host(asset) | Selected::Job(asset)) if self.is_there(&asset) => {
                self.leave_place();
                self.reveal(&asset);
            }
            Some(_) => self.say(MessageWeight::Note, "what it is about has left the inventory"),
            None => self.say(MessageWeight::Note, "it is about nothing that is in the inventory"),
        }
    }

    /// To what a backup protects.
    fn follow_job(&mut self, asset: &AssetId) {
        let protects = self.snapshot.job(asset).map(|job| job.job.protects.clone()).unwrap_or_default();
        let there: Vec<AssetId> = protects.into_iter().filter(|id| self.snapshot.host(id).is_some()).collect();
        let Some(first) = there.first() else {
            self.say(MessageWeight::Note, format!("{} protects no host of the inventory", asset.as_str()));
            return;
        };
        self.leave_place();
        self.close_details();
        self.show_host(first);
        if there.len() > 1 {
            let words = format!("{} protects {} and {} more", asset.as_str(), first.as_str(), there.len() - 1);
            self.say(MessageWeight::Note, words);
        }
    }

    fn is_there(&self, asset: &AssetId) -> bool {
        self.snapshot.host(asset).is_some() || self.snapshot.job(asset).is_some()
    }

    fn follow_host(&mut self, asset: &AssetId) {
        let Some(host) = self.snapshot.host(asset).cloned() else { return };
        let found = self.lookup.attachments(&self.snapshot, &host);
        let Some(first) = found.first() else {
            let why = unattached(self, asset);
            self.say(MessageWeight::Note, why);
            return;
        };
        let Some(id) = self.port_key(&first.device, first.port) else { return };
        let words = attached(self, &host.host.name, first, found.len() - 1);
        self.leave_place();
        self.close_details();
        self.show_port(&first.device, &id);
        let weight = if first.shared { MessageWeight::Warning } else { MessageWeight::Note };
        self.say(weight, words);
    }

    fn follow_port(&mut self, asset: &AssetId, port: &PortKey) {
        let Some(index) = self.index_of(asset, port) else { return };
        let beyond = self.lookup.beyond(asset, index);
        match beyond.as_slice() {
            [] => {
                let (forwarding, _) = self.lookup.walked_at(asset);
                let heard = match forwarding {
                    Some(at) => format!("nobody was heard {} ago", units::age(self.snapshot.at.since(at))),
                    None => "its forwarding table is not known".to_owned(),
                };
                self.say(MessageWeight::Note, format!("no neighbor told of itself, and {heard}"));
            }
            [only] if only.host.is_some() => self.go_beyond(only),
            several => {
                let mut told = several.iter().filter(|b| b.protocol.is_some());
                match told.next().cloned() {
                    // One switch at the other end, of several cables maybe: the stations are beyond it.
                    Some(first) if first.host.is_some() && told.all(|b| b.host == first.host) => self.go_beyond(&first),
                    _ => self.overlays.push(Overlay::beyond(asset.clone(), port.clone())),
                }
            }
        }
    }

    /// To what is at the other end: its port where it is a walked device, else itself.
    pub(in crate::ui) fn go_beyond(&mut self, beyond: &Beyond) {
        let Some(host) = beyond.host.clone() else {
            self.say(MessageWeight::Note, format!("{} is not in the inventory", beyond.name.line()));
            return;
        };
        let far = self.snapshot.device(&host).and_then(|device| {
            let row = port_called(device, &beyond.port).or_else(|| port_called(device, &beyond.port_description))?;
            Some(Seen::at(device, row)?.key())
        });
        self.leave_place();
        self.close_details();
        match far {
            Some(port) => self.show_port(&host, &port),
            None if self.snapshot.device(&host).is_some() => self.show_device(&host),
            None => self.show_host(&host),
        }
    }

    fn close_details(&mut self) {
        self.overlays.retain(|overlay| !matches!(overlay, Overlay::Detail { .. } | Overlay::Beyond(_)));
    }

    fn port_key(&self, asset: &AssetId, index: u32) -> Option<PortKey> {
        let device = self.snapshot.device(asset)?;
        let row = device.table.ports.binary_search_by_key(&index, |p| p.index).ok()?;
        device.key(row)
    }

    pub(in crate::ui) fn index_of(&self, asset: &AssetId, port: &PortKey) -> Option<u32> {
        let device = self.snapshot.device(asset)?;
        Some(device.table.ports.get(device.row(port)?)?.index)
    }

    /// What the device calls a port; its ifIndex where it lists it no more.
    pub(in crate::ui) fn port_name(&self, asset: &AssetId, index: u32) -> String {
        let label = self.port_key(asset, index).map(|id| id.label).unwrap_or_default();
        if label.is_empty() { format!("ifIndex {index}") } else { label.line() }
    }
}

/// Where a host hangs, in a line.
fn attached(app: &App, name: &str, on: &Attachment, others: usize) -> String {
    let place = format!("{} {}", on.device.as_str(), app.port_name(&on.device, on.port));
    let how = match on.how {
        How::Neighbor(protocol) => format!("as {} says", protocol.as_str().to_uppercase()),
        How::Forwarding => "its address is heard there".to_owned(),
    };
    let age = on.at.map(|at| format!(", {} ago", units::age(app.snapshot.at.since(at)))).unwrap_or_default();
    let also = if others == 0 { String::new() } else { format!("; also heard on {others} others") };
    if on.shared {
        return format!("{name} is somewhere beyond {place}{age}: what hangs there is not walked{also}");
    }
    format!("{name} hangs on {place}: {how}{age}{also}")
}

/// Why nothing is known of where a host hangs.
pub(in crate::ui) fn unattached(app: &App, asset: &AssetId) -> String {
    let name = asset.as_str();
    let address = app.snapshot.host(asset).and_then(|h| h.host.address.clone());
    let (_, arp) = app.lookup.walked_at(asset);
    let Some(address) = address.filter(|a| a.parse::<std::net::IpAddr>().is_ok()) else {
        return format!("{name} is configured by name: only an address can be looked up in ARP tables");
    };
    match arp {
        None => format!(
            "no ARP table was walked yet (the first come within five minutes), and no neighbor calls itself {name}"
        ),
        Some(at) => {
            let age = units::age(app.snapshot.at.since(at));
            format!("no ARP table has {address} ({age} old), and no neighbor calls itself {name}")
        }
    }
}
