//! One sensor's value: type, scale, precision and whether it works at all.

use super::{PRECISION, SCALE, STATUS, TYPE, UNITS, VALUE, values};
use crate::model::device::SensorClass;
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::oid::Index;

/// `EntitySensorDataType`, and what Cisco's has beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Volts,
    Amperes,
    Watts,
    Hertz,
    Celsius,
    Humidity,
    Rpm,
    CubicMetres,
    Truth,
    Dbm,
    Percent,
    Other,
}

impl Kind {
    fn of(number: Option<u64>, units: &[u8]) -> Self {
        match number {
            Some(3 | 4) => Self::Volts,
            Some(5) => Self::Amperes,
            Some(6) => Self::Watts,
            Some(7) => Self::Hertz,
            Some(8) => Self::Celsius,
            Some(9) => Self::Humidity,
            Some(10) => Self::Rpm,
            Some(11) => Self::CubicMetres,
            Some(12) => Self::Truth,
            Some(14) => Self::Dbm,
            // What the types do not have stands in the units.
            _ if units.eq_ignore_ascii_case(b"dbm") => Self::Dbm,
            _ if units == b"%" || units.eq_ignore_ascii_case(b"percent") => Self::Percent,
            _ => Self::Other,
        }
    }

    pub fn class(self) -> SensorClass {
        match self {
            Self::Volts => SensorClass::Voltage,
            Self::Amperes => SensorClass::Current,
            Self::Watts => SensorClass::Power,
            Self::Celsius => SensorClass::Temperature,
            Self::Humidity => SensorClass::Humidity,
            Self::Rpm => SensorClass::Fan,
            Self::Truth => SensorClass::State,
            Self::Hertz | Self::CubicMetres | Self::Dbm | Self::Percent | Self::Other => SensorClass::Other,
        }
    }

    /// Where the class has no unit of its own.
    pub fn unit(self) -> Option<&'static str> {
        match self {
            Self::Hertz => Some("hertz"),
            Self::CubicMetres => Some("cubic metres per minute"),
            Self::Dbm => Some("dbm"),
            Self::Percent => Some("percent"),
            Self::Volts
            | Self::Amperes
            | Self::Watts
            | Self::Celsius
            | Self::Humidity
            | Self::Rpm
            | Self::Truth
            | Self::Other => None,
        }
    }

    /// What a sensor of this kind can say. Beyond are placeholders, such as -127 degrees.
    fn is_plausible(self, value: f64) -> bool {
        match self {
            Self::Celsius => (-70.0..=400.0).contains(&value),
            Self::Humidity => (0.0..=100.0).contains(&value),
            Self::Rpm | Self::Hertz | Self::CubicMetres | Self::Watts => value >= 0.0,
            Self::Dbm => (-100.0..=100.0).contains(&value),
            Self::Volts | Self::Amperes | Self::Truth | Self::Percent | Self::Other => true,
        }
    }
}

/// What a row says.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    pub kind: Kind,
    pub value: Option<f64>,
    /// `ok`, or `unavailable` and `nonoperational`.
    pub works: Option<bool>,
    exponent: Option<i32>,
}

impl Reading {
    pub fn of(tables: &Tables<'_>, first: usize, row: Index<'_>) -> Self {
        let number = |column: usize| tables.get(first + column, row).and_then(values::signed);
        let kind_number = number(TYPE).and_then(|n| u64::try_from(n).ok());
        let is_standard = first == super::STANDARD;
        let units = tables.get(UNITS, row).filter(|_| is_standard).and_then(values::octets).unwrap_or_default();
        let works = match number(STATUS) {
            Some(1) => Some(true),
            Some(2 | 3) => Some(false),
            _ => None,
        };
        let kind = Kind::of(kind_number, units.trim_ascii());
        let mut reading = Self { kind, value: None, works, exponent: exponent(number(SCALE), number(PRECISION)) };
        // The ends of the range stand for what lies beyond.
        let raw = number(VALUE).filter(|raw| raw.abs() < 1_000_000_000 && works != Some(false));
        reading.value = raw.and_then(|raw| reading.scaled(raw)).filter(|value| kind.is_plausible(*value));
        reading
    }

    /// A number of this sensor's scale and precision.
    pub fn scaled(&self, raw: i64) -> Option<f64> {
        let exponent = self.exponent?;
        let raw = raw as f64;
        // Dividing by a power of ten is exact where multiplying by its inverse is not.
        Some(if exponent < 0 { raw / 10f64.powi(-exponent) } else { raw * 10f64.powi(exponent) })
    }
}

/// The power of ten: scale counts in thousands, from yocto(1) over units(9) to yotta(17); precision is digits behind
/// the point.
fn exponent(scale: Option<i64>, precision: Option<i64>) -> Option<i32> {
    let scale = scale.unwrap_or(9);
    let precision = precision.unwrap_or(0);
    if !(1..=17).contains(&scale) || !(-8..=9).contains(&precision) {
        return None;
    }
    i32::try_from((scale - 9) * 3 - precision).ok()
}
