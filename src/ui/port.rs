//! One port as the screen sees it: its row of the table, what was judged of it, and what the slower tables say, side by
//! side.

use std::borrow::Cow;

use crate::base::{Timestamp, Untrusted};
use crate::model::device::Optics;
use crate::model::{IfOper, Port, PortEvent, PortFacts, PortKey};
use crate::state::{DeviceView, Gap, PortView};

/// Everything that is known of one port.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub device: &'a DeviceView,
    pub view: &'a PortView,
    pub port: &'a Port,
    pub facts: Option<&'a PortFacts>,
}

impl<'a> Seen<'a> {
    pub fn at(device: &'a DeviceView, row: usize) -> Option<Self> {
        let view = device.ports.get(row)?;
        let port = device.table.ports.get(view.row)?;
        Some(Self { device, view, port, facts: device.table.facts(port) })
    }

    /// All ports of a device, in the order of the device.
    pub fn all(device: &'a DeviceView) -> impl Iterator<Item = Self> {
        (0..device.ports.len()).filter_map(|row| Self::at(device, row))
    }

    pub fn row(&self) -> usize {
        self.view.row
    }

    pub fn key(&self) -> PortKey {
        PortKey { label: self.port.label().clone(), told_apart: self.view.told_apart }
    }

    pub fn label(&self) -> Cow<'a, str> {
        shown(self.port.label())
    }

    /// Whether anything can go through at the moment; true where that is not known.
    pub fn may_carry(&self) -> bool {
        self.port.oper.is_none_or(|oper| oper == IfOper::Up)
    }

    pub fn in_bps(&self) -> Option<f64> {
        self.view.rates.in_bps()
    }

    pub fn out_bps(&self) -> Option<f64> {
        self.view.rates.out_bps()
    }

    /// In and out together, per second; `None` where neither is known.
    pub fn errors(&self) -> Option<f64> {
        sum(self.view.rates.in_errors(), self.view.rates.out_errors())
    }

    pub fn discards(&self) -> Option<f64> {
        sum(self.view.rates.in_discards(), self.view.rates.out_discards())
    }

    /// In and out as percent of the speed; `None` where rate or speed are not known.
    pub fn utilisation(&self) -> (Option<f64>, Option<f64>) {
        let (received, sent) = self.view.rates.utilisation(self.port.speed_bps);
        (received.map(|share| share * 100.0), sent.map(|share| share * 100.0))
    }

    /// Since when it has no link; else when its state was seen to change, else when the device says that it did.
    pub fn changed(&self) -> Option<Timestamp> {
        self.idle_since().or(self.view.changed).or(self.port.last_change)
    }

    /// Why there are no rates.
    pub fn gap(&self) -> Option<Gap> {
        self.view.gap
    }

    /// Since when it has no link, at least; `None` where it has one, or is no port that could be free.
    pub fn idle_since(&self) -> Option<Timestamp> {
        self.device.idle_since(self.row())
    }

    /// What was seen to happen to it, newest first.
    pub fn events(&self) -> impl Iterator<Item = &'a PortEvent> + use<'a> {
        let key = self.key();
        self.device.events.iter().filter(move |event| event.port.as_ref() == Some(&key))
    }

    pub fn optics(&self) -> Option<&'a Optics> {
        self.device.table.equipment.optics.iter().find(|o| o.port == Some(self.port.index))
    }

    /// Whether there is a socket on the front for it: Ethernet and its older names (IANAifType-MIB); unknown counts.
    pub fn is_physical(&self) -> bool {
        let connector = self.facts.and_then(|f| f.connector) != Some(false);
        connector && matches!(self.port.if_type, None | Some(6 | 7 | 62 | 69 | 117))
    }
}

fn sum(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0.0) + b.unwrap_or(0.0)),
    }
}

/// Foreign text in one safe line; nothing is copied where it is plain.
pub fn shown(text: &Untrusted) -> Cow<'_, str> {
    match std::str::from_utf8(text.as_bytes()) {
        Ok(plain) if !text.is_cut() && plain.bytes().all(|b| (0x20..0x7f).contains(&b)) => Cow::Borrowed(plain),
        _ => Cow::Owned(text.line()),
    }
}
