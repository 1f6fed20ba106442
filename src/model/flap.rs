//! Flapping as plain data: what is kept of a check's last results, and the parameters of the published formulas. The
//! function over them is in `state::rules::flap`.

use super::observation::Outcome;

/// The last recorded results, as changes from one to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flap {
    /// One bit a recorded result: whether it differed from the one before. The newest is the lowest bit.
    pub changes: u32,
    /// The last one that was recorded.
    pub last: Option<Outcome>,
    /// What the formula made of them, rounded, in percent.
    pub percent: u8,
    pub flapping: bool,
}

/// Which results count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlapRecords {
    /// Every one.
    All,
    /// Those that are believed, and those that end a problem which was not.
    HardAndSoftRecoveries,
}

/// How the upper threshold is crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlapBegins {
    AtHigh,
    AboveHigh,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlapFormula {
    /// Changes that are looked at; at most 32.
    pub window: u32,
    pub records: FlapRecords,
    /// The weight of the oldest change and of the newest, in equal steps.
    pub oldest: f64,
    pub newest: f64,
    /// Percent at or below which flapping ends, and from which on it begins.
    pub low: f64,
    pub high: f64,
    pub begins: FlapBegins,
}

impl FlapFormula {
    /// Nagios Core 4: 21 states, hard ones and soft recoveries; thresholds of its sample configuration.
    pub const NAGIOS: Self = Self {
        window: 20,
        records: FlapRecords::HardAndSoftRecoveries,
        oldest: 0.75,
        newest: 1.25,
        low: 5.0,
        high: 20.0,
        begins: FlapBegins::AtHigh,
    };

    /// Icinga 2: the last 20 results, soft ones too.
    pub const ICINGA: Self = Self {
        window: 20,
        records: FlapRecords::All,
        oldest: 0.8,
        newest: 1.18,
        low: 25.0,
        high: 30.0,
        begins: FlapBegins::AboveHigh,
    };
}
