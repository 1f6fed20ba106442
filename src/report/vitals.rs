//! How a machine is, as part of `noctty.check/1`. What is not known is `null`.

use serde::Serialize;

use crate::base::{Timestamp, Untrusted};
use crate::model::vitals::Vitals;

#[derive(Debug, Serialize)]
pub struct VitalsRow {
    name: Option<String>,
    system: Option<String>,
    kernel: Option<String>,
    architecture: Option<String>,
    uptime_s: Option<f64>,
    cores: Option<u32>,
    memory_bytes: Option<u64>,
    swap_bytes: Option<u64>,
    silent_mounts: Vec<String>,
    failed_units: Option<Vec<String>>,
    reboot_required: Option<bool>,
    reboot_reason: Option<String>,
    updates: Option<UpdatesRow>,
    packages: Option<PackagesRow>,
    synchronised: Option<bool>,
    users: Option<Vec<String>>,
    disks: Vec<DiskRow>,
    raid: Vec<RedundancyRow>,
    pools: Vec<RedundancyRow>,
    drives: Vec<DriveRow>,
    mounts: Vec<String>,
    routes: Vec<String>,
    missing: Vec<MissingRow>,
}

#[derive(Debug, Serialize)]
struct UpdatesRow {
    by: &'static str,
    all: u32,
    security: Option<u32>,
    refreshed: Option<String>,
}

#[derive(Debug, Serialize)]
struct PackagesRow {
    by: &'static str,
    count: u32,
    digest: String,
}

#[derive(Debug, Serialize)]
struct DiskRow {
    mount: String,
    device: Option<String>,
    size_bytes: u64,
    available_bytes: u64,
    used_percent: f64,
    inodes_percent: Option<f64>,
    read_only: Option<bool>,
}

#[derive(Debug, Serialize)]
struct RedundancyRow {
    name: String,
    state: &'static str,
}

#[derive(Debug, Serialize)]
struct DriveRow {
    device: String,
    healthy: Option<bool>,
}

#[derive(Debug, Serialize)]
struct MissingRow {
    what: &'static str,
    why: String,
}

pub fn row(vitals: &Vitals) -> VitalsRow {
    let text = |text: &Untrusted| (!text.is_empty()).then(|| text.json_text());
    let list = |list: &[Untrusted]| list.iter().map(Untrusted::json_text).collect::<Vec<_>>();
    let redundancy = |name: &Untrusted, state: crate::model::vitals::Redundancy| RedundancyRow {
        name: name.json_text(),
        state: state.as_str(),
    };
    VitalsRow {
        name: text(&vitals.name),
        system: text(&vitals.system),
        kernel: text(&vitals.kernel),
        architecture: text(&vitals.architecture),
        uptime_s: vitals.uptime.map(|up| up.as_secs_f64()),
        cores: vitals.cores,
        memory_bytes: vitals.memory.map(|memory| memory.total),
        swap_bytes: vitals.swap.map(|swap| swap.total),
        silent_mounts: list(&vitals.silent_mounts),
        failed_units: vitals.failed_units.as_deref().map(list),
        reboot_required: vitals.reboot.as_ref().map(|reboot| reboot.required),
        reboot_reason: vitals.reboot.as_ref().and_then(|reboot| text(&reboot.reason)),
        updates: vitals.updates.as_ref().map(|updates| UpdatesRow {
            by: updates.by,
            all: updates.all,
            security: updates.security,
            refreshed: updates.refreshed.map(Timestamp::rfc3339),
        }),
        packages: vitals.packages.as_ref().map(|packages| PackagesRow {
            by: packages.by,
            count: packages.count,
            digest: packages.digest.json_text(),
        }),
        synchronised: vitals.synchronised,
        users: vitals.users.as_deref().map(list),
        disks: vitals.disks.iter().map(disk).collect(),
        raid: vitals.arrays.iter().map(|array| redundancy(&array.name, array.redundancy)).collect(),
        pools: vitals.pools.iter().map(|pool| redundancy(&pool.name, pool.redundancy)).collect(),
        drives: vitals
            .drives
            .iter()
            .map(|drive| DriveRow { device: drive.device.json_text(), healthy: drive.healthy })
            .collect(),
        mounts: list(&vitals.mounts),
        routes: list(&vitals.routes),
        missing: vitals
            .missing
            .iter()
            .map(|missing| MissingRow { what: missing.what, why: missing.why.json_text() })
            .collect(),
    }
}

fn disk(disk: &crate::model::vitals::FileSystem) -> DiskRow {
    DiskRow {
        mount: disk.mount.json_text(),
        device: (!disk.device.is_empty()).then(|| disk.device.json_text()),
        size_bytes: disk.size,
        available_bytes: disk.available,
        used_percent: disk.used_percent,
        inodes_percent: disk.inodes_percent,
        read_only: disk.read_only,
    }
}
