//! The form of how a machine is. A field that is added to the vitals is added here, or this does not compile.

use super::wire::{Malformed, Reader, Wall, Wire, wire};
use crate::model::Vitals;
use crate::model::vitals::{
    Amount, ClockOffset, CpuTime, Drive, FileSystem, Missing, Packages, Pressure, RaidArray, Reboot, Redundancy,
    StoragePool, Updates,
};

wire! {
    record Vitals {
        name, system, kernel, architecture, uptime, cores, load, cpu, memory, swap, swap_in, oom_kills, pressure, disks,
        silent_mounts,
        failed_units, reboot, updates, arrays, pools, drives, clock, synchronised, users, packages, mounts, routes,
        inventoried, missing,
    }
    record CpuTime { busy, iowait, steal }
    record Amount { total, used }
    record Pressure { what, some, full }
    record FileSystem { mount, device, size, available, used_percent, inodes_percent, read_only }
    record Reboot { required, reason }
    choice Redundancy { Whole, Rebuilding, Degraded, Lost }
    record RaidArray { name, level, redundancy, members, progress }
    record StoragePool { name, health, redundancy, size, used_percent }
    record Drive { device, healthy }
    record ClockOffset { seconds, uncertainty }
    record Packages { by, count, digest }
    record Missing { what, why }
}

/// When the lists were fetched is by the machine's own clock.
impl Wire for Updates {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        let Self { by, all, security, refreshed } = self;
        by.put(None, out);
        all.put(None, out);
        security.put(None, out);
        refreshed.map(Wall).put(None, out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            by: Wire::take(None, from)?,
            all: Wire::take(None, from)?,
            security: Wire::take(None, from)?,
            refreshed: <Option<Wall> as Wire>::take(None, from)?.map(|at| at.0),
        })
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}
