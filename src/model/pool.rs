//! Pools of memory and storage, as agents tell of them, and from where on they are too full.

use super::port_rules::Pattern;
use crate::base::Untrusted;

/// A pool of memory or storage.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    pub name: Untrusted,
    pub used_bytes: Option<u64>,
    pub total_bytes: Option<u64>,
}

impl Pool {
    /// Names of pools are those of programs: without regard to case.
    pub fn is_called(&self, name: &str) -> bool {
        self.name.as_bytes().eq_ignore_ascii_case(name.as_bytes())
    }
}

/// From where on a pool is a warning and critical, in percent: the same as of a machine that is looked at in any other way.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolLimits {
    pub memory: [f64; 2],
    pub disk: [f64; 2],
    /// Pools that are never a problem, by name.
    pub ignore: Vec<Pattern>,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self { memory: [90.0, 95.0], disk: [80.0, 90.0], ignore: Vec::new() }
    }
}
