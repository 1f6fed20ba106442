//! Transceivers, put together from the sensors of their port: light in and out, bias current, temperature. Of several lanes
//! the weakest counts.

use std::collections::BTreeMap;

use super::reading::{Kind, Reading};
use crate::base::Untrusted;
use crate::model::device::{Optics, SensorPlace, SensorStatus};

#[derive(Debug, Default)]
pub struct Transceivers {
    of: BTreeMap<u32, Transceiver>,
}

#[derive(Debug, Default)]
struct Transceiver {
    rx_dbm: Option<f64>,
    tx_dbm: Option<f64>,
    temperature_c: Option<f64>,
    bias_ma: Option<f64>,
    /// Sensors of light are there at all: copper has a temperature too.
    is_optical: bool,
    statuses: Vec<SensorStatus>,
}

impl Transceivers {
    pub fn add(&mut self, place: Option<&SensorPlace>, reading: &Reading, status: SensorStatus) {
        let Some((port, place)) = place.and_then(|p| Some((p.port?, p))) else { return };
        let name = place.name.as_bytes().to_ascii_lowercase();
        let says = |words: &[&[u8]]| words.iter().any(|word| name.windows(word.len()).any(|w| w == *word));
        let receives = says(&[b"rx", b"receive", b"input"]);
        let sends = says(&[b"tx", b"transmit", b"output"]);
        let weaker = |known: Option<f64>, new: Option<f64>| match (known, new) {
            (Some(known), Some(new)) => Some(known.min(new)),
            (known, new) => known.or(new),
        };
        let transceiver = self.of.entry(port).or_default();
        match reading.kind {
            Kind::Dbm | Kind::Watts if receives != sends => {
                let light = if reading.kind == Kind::Dbm { reading.value } else { reading.value.and_then(dbm) };
                let slot = if receives { &mut transceiver.rx_dbm } else { &mut transceiver.tx_dbm };
                *slot = weaker(*slot, light);
                transceiver.is_optical = true;
            }
            Kind::Amperes if says(&[b"bias", b"laser"]) => {
                let bias = reading.value.map(|amperes| round(amperes * 1e3, 1e3));
                transceiver.bias_ma = weaker(transceiver.bias_ma, bias);
                transceiver.is_optical = true;
            }
            Kind::Celsius => transceiver.temperature_c = transceiver.temperature_c.or(reading.value),
            // Its supply voltage.
            Kind::Volts => {}
            _ => return,
        }
        transceiver.statuses.push(status);
    }

    pub fn into_optics(self) -> Vec<Optics> {
        let optical = self.of.into_iter().filter(|(_, t)| t.is_optical);
        optical
            .map(|(port, t)| Optics {
                port: Some(port),
                name: Untrusted::default(),
                rx_dbm: t.rx_dbm,
                tx_dbm: t.tx_dbm,
                temperature_c: t.temperature_c,
                bias_ma: t.bias_ma,
                status: worst(&t.statuses),
            })
            .collect()
    }
}

/// Light as decibels over a milliwatt; darkness has no logarithm.
fn dbm(watts: f64) -> Option<f64> {
    (watts > 0.0).then(|| round(10.0 * (watts * 1e3).log10(), 100.0))
}

fn round(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

fn worst(statuses: &[SensorStatus]) -> SensorStatus {
    use SensorStatus as S;
    let order = [S::Critical, S::Warning, S::Ok, S::Unknown, S::Unavailable];
    order.into_iter().find(|status| statuses.contains(status)).unwrap_or(S::Unknown)
}
