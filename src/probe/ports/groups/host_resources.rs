//! HOST-RESOURCES-MIB (RFC 2790): processors, memory and storage of machines that run a general agent.

use std::time::Duration;

use super::{Fixed, MAX_ROWS, Walk, Weight};
use crate::base::Untrusted;
use crate::model::Equipment;
use crate::model::device::{Pool, Processor};
use crate::model::vitals::WITHOUT_CACHE;
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::oid::Index;
use crate::proto::snmp::{Oid, Value};

/// `hrProcessorLoad`.
const PROCESSOR_LOAD: usize = 0;
/// `hrStorageType`, `hrStorageDescr`, `hrStorageAllocationUnits`, `hrStorageSize`, `hrStorageUsed`.
const STORAGE_TYPE: usize = 1;
const STORAGE_NAME: usize = 2;
const STORAGE_UNIT: usize = 3;
const STORAGE_SIZE: usize = 4;
const STORAGE_USED: usize = 5;

pub static GROUP: Fixed = Fixed {
    name: "host-resources",
    pace: Duration::from_secs(60),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[],
    columns: &[
        &[1, 3, 6, 1, 2, 1, 25, 3, 3, 1, 2],
        &[1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 2],
        &[1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 3],
        &[1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 4],
        &[1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 5],
        &[1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 6],
    ],
    fold,
};

/// net-snmp's `hrDeviceIndex` has the kind of device (3 is a processor) in its high 16 bits, and counts each kind for itself.
const NET_SNMP_PROCESSOR: u32 = 3;

fn of_its_kind(index: u32) -> u32 {
    if index >> 16 == NET_SNMP_PROCESSOR { index & 0xffff } else { index }
}

/// `hrStorageTypes`, by their last arc.
const OTHER: u32 = 1;
const RAM: u32 = 2;
const VIRTUAL_MEMORY: u32 = 3;
const FIXED_DISK: u32 = 4;
const FLASH: u32 = 9;
const NETWORK_DISK: u32 = 10;
/// `hrStorageDescr` of what net-snmp has among the other kinds and counts as used in its `Physical memory`.
const CACHES: [&str; 2] = ["Memory buffers", "Cached memory"];

fn fold(tables: &Tables<'_>, _: &Walk<'_>, equipment: &mut Equipment) {
    equipment.processors = tables
        .column(PROCESSOR_LOAD)
        .filter_map(|(row, load)| {
            let percent = load.number().filter(|percent| *percent <= 100)?;
            let name = row.single().map_or_else(String::new, |index| format!("cpu {}", of_its_kind(index)));
            Some(Processor { name: Untrusted::from(name), percent: percent as f64 })
        })
        .collect();
    // UCD-SNMP's rows stand behind these.
    let [memory, storage] = equipment.ucd_pools;
    let others = (last(&mut equipment.memory, memory), last(&mut equipment.storage, storage));
    equipment.memory.clear();
    equipment.storage.clear();
    let mut idle = None;
    for (row, kind) in tables.column(STORAGE_TYPE) {
        let Some(kind) = storage_type(kind) else { continue };
        let unit = tables.get(STORAGE_UNIT, row).and_then(Value::number).filter(|unit| *unit > 0);
        let bytes = |column| Some(tables.get(column, row).and_then(blocks)?.saturating_mul(unit?));
        let total = bytes(STORAGE_SIZE).filter(|bytes| *bytes > 0);
        // A negative number that does not fit into the whole is none of more than 2^31 blocks.
        let is_negative = matches!(tables.get(STORAGE_USED, row), Some(Value::Integer(..0)));
        let used = bytes(STORAGE_USED).filter(|used| !is_negative || total.is_some_and(|total| *used <= total));
        let name = tables.get(STORAGE_NAME, row).and_then(Value::octets).map(Untrusted::new).unwrap_or_default();
        let pool = Pool { name: named(name, row), used_bytes: used, total_bytes: total };
        if used.is_none() && total.is_none() {
            continue;
        }
        match kind {
            RAM | VIRTUAL_MEMORY => equipment.memory.push(pool),
            FIXED_DISK | FLASH | NETWORK_DISK => equipment.storage.push(pool),
            OTHER if CACHES.iter().any(|name| pool.is_called(name)) => {
                idle = Some(u64::saturating_add(idle.unwrap_or(0), pool.used_bytes.unwrap_or(0)));
            }
            _ => {}
        }
    }
    let told_by_ucd = others.0.iter().any(|pool| pool.is_called(WITHOUT_CACHE));
    equipment.memory.extend(idle.filter(|_| !told_by_ucd).and_then(|idle| without_cache(&equipment.memory, idle)));
    equipment.memory.extend(others.0);
    equipment.storage.extend(others.1);
}

/// What of the physical memory is really taken, where the agent tells what the kernel only keeps in it, as net-snmp does.
fn without_cache(memory: &[Pool], idle: u64) -> Option<Pool> {
    let physical = memory.iter().find(|pool| pool.is_called("Physical memory"))?;
    // A cache that is larger than what is taken is not part of it.
    let used = physical.used_bytes.map(|used| used.checked_sub(idle).unwrap_or(used));
    Some(Pool { name: WITHOUT_CACHE.into(), used_bytes: used, total_bytes: physical.total_bytes })
}

/// Takes the last so many rows.
fn last(rows: &mut Vec<Pool>, count: usize) -> Vec<Pool> {
    rows.split_off(rows.len().saturating_sub(count))
}

/// The last arc of an `hrStorageTypes` identity.
fn storage_type(value: Value<'_>) -> Option<u32> {
    let Value::Oid(oid) = value else { return None };
    oid.below(&Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 25, 2, 1]))?.single()
}

fn named(name: Untrusted, row: Index<'_>) -> Untrusted {
    if !name.is_empty() {
        return name;
    }
    let index = row.single().map(|index| format!(" {index}")).unwrap_or_default();
    Untrusted::from(format!("storage{index}"))
}

/// Blocks are counted in an Integer32; more than 2^31 of them come as a negative number, which is the same 32 bits.
fn blocks(value: Value<'_>) -> Option<u64> {
    match value {
        Value::Integer(number) => i32::try_from(number).ok().map(|n| u64::from(n.cast_unsigned())),
        other => other.number(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;

    #[test]
    fn processors_memory_and_disks_are_told_apart() {
        let disk = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 25, 2, 1, 4]);
        let ram = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 25, 2, 1, 2]);
        let equipment = Fed::default()
            .cell(PROCESSOR_LOAD, &[196_608], Value::Integer(12))
            .cell(PROCESSOR_LOAD, &[196_609], Value::Integer(101))
            .cell(STORAGE_TYPE, &[1], Value::Oid(ram.as_raw()))
            .cell(STORAGE_NAME, &[1], Value::Octets(b"Physical memory"))
            .cell(STORAGE_UNIT, &[1], Value::Integer(1024))
            .cell(STORAGE_SIZE, &[1], Value::Integer(4_000_000))
            .cell(STORAGE_USED, &[1], Value::Integer(1_000_000))
            .cell(STORAGE_TYPE, &[31], Value::Oid(disk.as_raw()))
            .cell(STORAGE_NAME, &[31], Value::Octets(b"/"))
            .cell(STORAGE_UNIT, &[31], Value::Integer(4096))
            .cell(STORAGE_SIZE, &[31], Value::Integer(i64::from(i32::MIN)))
            .fold(&GROUP);
        assert_eq!(equipment.processors, [Processor { name: "cpu 0".into(), percent: 12.0 }]);
        assert_eq!(
            equipment.memory,
            [Pool {
                name: "Physical memory".into(),
                used_bytes: Some(1_024_000_000),
                total_bytes: Some(4_096_000_000)
            }]
        );
        assert_eq!(
            equipment.storage,
            [Pool { name: "/".into(), used_bytes: None, total_bytes: Some((1 << 31) * 4096) }]
        );
    }

    #[test]
    fn numbers_that_cannot_be_are_not_taken_for_sizes() {
        let disk = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 25, 2, 1, FIXED_DISK]);
        let row = |fed: Fed, index: u32, name: &'static [u8], unit: i64, size: i64, used: i64| {
            fed.cell(STORAGE_TYPE, &[index], Value::Oid(disk.as_raw()))
                .cell(STORAGE_NAME, &[index], Value::Octets(name))
                .cell(STORAGE_UNIT, &[index], Value::Integer(unit))
                .cell(STORAGE_SIZE, &[index], Value::Integer(size))
                .cell(STORAGE_USED, &[index], Value::Integer(used))
        };
        let fed = row(Fed::default(), 1, b"/large", 4096, -1_294_967_296, -1_794_967_296);
        let fed = row(fed, 2, b"/no-unit", 0, 1000, 900);
        let fed = row(fed, 3, b"/negative-unit", -4096, 1000, 900);
        let fed = row(fed, 4, b"/negative-use", 4096, 1000, -5);
        let fed = row(fed, 5, b"/empty", 4096, 0, 0);
        let fed = row(fed, 6, b"", 4096, 1000, 999);
        let fed = row(fed, 8, b"/same", 1, 10, 1);
        let fed = row(fed, 9, b"/same", 1, 10, 9);
        let told: Vec<_> = fed
            .fold(&GROUP)
            .storage
            .into_iter()
            .map(|pool| (pool.name.line(), pool.used_bytes, pool.total_bytes))
            .collect();
        let wanted = [
            ("/large", Some(2_500_000_000 * 4096), Some(3_000_000_000 * 4096)),
            ("/negative-use", None, Some(4_096_000)),
            ("/empty", Some(0), None),
            ("storage 6", Some(999 * 4096), Some(4_096_000)),
            ("/same", Some(1), Some(10)),
            ("/same", Some(9), Some(10)),
        ];
        let wanted: Vec<_> = wanted.into_iter().map(|(name, used, total)| (name.to_owned(), used, total)).collect();
        assert_eq!(told, wanted);
    }

    #[test]
    fn what_the_kernel_only_caches_is_not_taken() {
        let kind = |arc| Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 25, 2, 1, arc]);
        let (ram, other) = (kind(RAM), kind(OTHER));
        let row = |fed: Fed, index: u32, kind: &Oid, name: &'static [u8], size: i64, used: i64| {
            fed.cell(STORAGE_TYPE, &[index], Value::Oid(kind.as_raw()))
                .cell(STORAGE_NAME, &[index], Value::Octets(name))
                .cell(STORAGE_UNIT, &[index], Value::Integer(1024))
                .cell(STORAGE_SIZE, &[index], Value::Integer(size))
                .cell(STORAGE_USED, &[index], Value::Integer(used))
        };
        let fed = row(Fed::default(), 1, &ram, b"Physical memory", 4_000, 3_900);
        let fed = row(fed, 6, &other, b"Memory buffers", 4_000, 400);
        let fed = row(fed, 7, &other, b"Cached memory", 2_000, 2_000);
        let memory = fed.fold(&GROUP).memory;
        let used = |name: &str| memory.iter().find(|pool| pool.name == name.into()).and_then(|pool| pool.used_bytes);
        assert_eq!((used("Physical memory"), used(WITHOUT_CACHE)), (Some(3_900 << 10), Some(1_500 << 10)));
        assert_eq!(memory.len(), 2);
    }
}
