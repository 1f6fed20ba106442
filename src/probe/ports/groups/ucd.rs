//! UCD-SNMP-MIB: load averages, memory without what the kernel only caches, and the disks that the agent was told to watch.

use std::time::Duration;

use super::{Fixed, MAX_ROWS, Walk, Weight, values};
use crate::base::Untrusted;
use crate::model::Equipment;
use crate::model::device::Pool;
use crate::model::vitals::WITHOUT_CACHE;
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::oid::Index;

/// `memTotalSwap`, `memAvailSwap`, `memTotalReal`, `memAvailReal`, `memBuffer`, `memCached`; kilobytes.
const SWAP: usize = 0;
const SWAP_FREE: usize = 1;
const REAL: usize = 2;
const REAL_FREE: usize = 3;
const BUFFERS: usize = 4;
const CACHED: usize = 5;
/// The same in 64 bits, as newer agents have them: `memTotalSwapX` and so on.
const WIDE: usize = 6;
/// `laLoad`, `laLoadInt`, indexed by 1, 2, 3 for the averages of 1, 5 and 15 minutes.
const LOAD: usize = 0;
const LOAD_INT: usize = 1;
/// `dskPath`, `dskTotal`, `dskUsed`, and the low and high halves of both; kilobytes.
const DISK_PATH: usize = 2;
const DISK_TOTAL: usize = 3;
const DISK_USED: usize = 4;
const DISK_TOTAL_LOW: usize = 5;
const DISK_TOTAL_HIGH: usize = 6;
const DISK_USED_LOW: usize = 7;
const DISK_USED_HIGH: usize = 8;

pub static GROUP: Fixed = Fixed {
    name: "ucd",
    pace: Duration::from_secs(60),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[
        &[1, 3, 6, 1, 4, 1, 2021, 4, 3, 0],
        &[1, 3, 6, 1, 4, 1, 2021, 4, 4, 0],
        &[1, 3, 6, 1, 4, 1, 2021, 4, 5, 0],
        &[1, 3, 6, 1, 4, 1, 2021, 4, 6, 0],
        &[1, 3, 6, 1, 4, 1, 2021, 4, 14, 0],
        &[1, 3, 6, 1, 4, 1, 2021, 4, 15, 0],
        &[1, 3, 6, 1, 4, 1, 2021, 4, 18, 0],
        &[1, 3, 6, 1, 4, 1, 2021, 4, 19, 0],
        &[1, 3, 6, 1, 4, 1, 2021, 4, 20, 0],
        &[1, 3, 6, 1, 4, 1, 2021, 4, 21, 0],
        &[1, 3, 6, 1, 4, 1, 2021, 4, 25, 0],
        &[1, 3, 6, 1, 4, 1, 2021, 4, 26, 0],
    ],
    columns: &[
        &[1, 3, 6, 1, 4, 1, 2021, 10, 1, 3],
        &[1, 3, 6, 1, 4, 1, 2021, 10, 1, 5],
        &[1, 3, 6, 1, 4, 1, 2021, 9, 1, 2],
        &[1, 3, 6, 1, 4, 1, 2021, 9, 1, 6],
        &[1, 3, 6, 1, 4, 1, 2021, 9, 1, 8],
        &[1, 3, 6, 1, 4, 1, 2021, 9, 1, 11],
        &[1, 3, 6, 1, 4, 1, 2021, 9, 1, 12],
        &[1, 3, 6, 1, 4, 1, 2021, 9, 1, 15],
        &[1, 3, 6, 1, 4, 1, 2021, 9, 1, 16],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, _: &Walk<'_>, equipment: &mut Equipment) {
    equipment.load = load(tables);
    let [memory, storage] = equipment.ucd_pools;
    equipment.memory.truncate(equipment.memory.len().saturating_sub(memory));
    equipment.storage.truncate(equipment.storage.len().saturating_sub(storage));
    let memory = pools(tables);
    // As reckoned from HOST-RESOURCES' rows.
    if memory.iter().any(|pool| pool.is_called(WITHOUT_CACHE)) {
        equipment.memory.retain(|pool| !pool.is_called(WITHOUT_CACHE));
    }
    // HOST-RESOURCES has told most disks already.
    let is_new = |disk: &Pool| equipment.storage.iter().all(|known| known.name != disk.name);
    let disks: Vec<Pool> = tables.column(DISK_PATH).filter_map(|(row, _)| disk(tables, row)).filter(is_new).collect();
    equipment.ucd_pools = [memory.len(), disks.len()];
    equipment.memory.extend(memory);
    equipment.storage.extend(disks);
}

fn load(tables: &Tables<'_>) -> Option<[f64; 3]> {
    let mut load = [None; 3];
    for row in tables.rows_of(&[LOAD, LOAD_INT]) {
        let place = row.single().and_then(|n| usize::try_from(n).ok()?.checked_sub(1));
        let Some(slot) = place.and_then(|at| load.get_mut(at)) else { continue };
        let text = tables
            .get(LOAD, row)
            .and_then(values::octets)
            .and_then(|o| std::str::from_utf8(o).ok()?.trim().parse().ok());
        let hundredths = || tables.get(LOAD_INT, row).and_then(values::number).map(|n| n as f64 / 100.0);
        *slot = text.or_else(hundredths).filter(|load: &f64| (0.0..1e6).contains(load));
    }
    let [Some(one), Some(five), Some(fifteen)] = load else { return None };
    Some([one, five, fifteen])
}

/// Real memory without buffers and cache, and swap.
fn pools(tables: &Tables<'_>) -> Vec<Pool> {
    let kilobytes = |scalar: usize| {
        let wide = tables.scalar(WIDE + scalar).and_then(values::number);
        wide.or_else(|| tables.scalar(scalar).and_then(values::number))
    };
    let pool = |name: &str, total: Option<u64>, used: Option<u64>| {
        let bytes = |kilobytes: u64| kilobytes.saturating_mul(1024);
        let total = total.filter(|total| *total > 0)?;
        Some(Pool { name: name.into(), used_bytes: used.map(bytes), total_bytes: Some(bytes(total)) })
    };
    let real = kilobytes(REAL);
    let taken = real.zip(kilobytes(REAL_FREE)).and_then(|(total, free)| total.checked_sub(free));
    // A cache that is larger than what is taken is not part of it.
    let idle = kilobytes(BUFFERS).unwrap_or(0).saturating_add(kilobytes(CACHED).unwrap_or(0));
    let used = taken.map(|taken| taken.checked_sub(idle).unwrap_or(taken));
    let swap = kilobytes(SWAP);
    let swapped = swap.zip(kilobytes(SWAP_FREE)).and_then(|(total, free)| total.checked_sub(free));
    let real = pool(WITHOUT_CACHE, real, used);
    real.into_iter().chain(pool("swap", swap, swapped)).collect()
}

fn disk(tables: &Tables<'_>, row: Index<'_>) -> Option<Pool> {
    let number = |column| tables.get(column, row).and_then(values::number);
    let kilobytes = |low, high, narrow: usize| match (number(low), number(high)) {
        (Some(low), Some(high)) => Some((high << 32) | (low & 0xffff_ffff)),
        // The largest number stands for all that are larger.
        _ => number(narrow).filter(|kb| *kb < 0x7fff_ffff),
    };
    let bytes = |kilobytes: u64| kilobytes.saturating_mul(1024);
    let name: Untrusted = values::text(tables.get(DISK_PATH, row));
    let total = kilobytes(DISK_TOTAL_LOW, DISK_TOTAL_HIGH, DISK_TOTAL).filter(|kb| *kb > 0).map(bytes);
    let used = kilobytes(DISK_USED_LOW, DISK_USED_HIGH, DISK_USED).map(bytes);
    (!name.is_empty() && total.is_some()).then_some(Pool { name, used_bytes: used, total_bytes: total })
}

#[cfg(test)]
mod tests {
    use super::super::host_resources;
    use super::super::testing::Fed;
    use super::*;
    use crate::proto::snmp::Value;

    fn pool(name: &str, used: Option<u64>, total: u64) -> Pool {
        Pool { name: name.into(), used_bytes: used.map(|kb| kb * 1024), total_bytes: Some(total * 1024) }
    }

    fn fed() -> Fed {
        Fed::default()
            .scalar(SWAP, Value::Integer(0))
            .scalar(REAL, Value::Integer(1_000))
            .scalar(REAL_FREE, Value::Integer(100))
            .scalar(BUFFERS, Value::Integer(200))
            .scalar(CACHED, Value::Integer(300))
            .cell(LOAD, &[1], Value::Octets(b"0.15"))
            .cell(LOAD_INT, &[1], Value::Integer(14))
            .cell(LOAD_INT, &[2], Value::Integer(16))
            .cell(LOAD, &[3], Value::Octets(b"12.07"))
            .cell(DISK_PATH, &[1], Value::Octets(b"/"))
            .cell(DISK_TOTAL_LOW, &[1], Value::Gauge32(5))
            .cell(DISK_TOTAL_HIGH, &[1], Value::Gauge32(1))
            .cell(DISK_USED, &[1], Value::Integer(9))
            .cell(DISK_PATH, &[2], Value::Octets(b"/srv"))
            .cell(DISK_TOTAL, &[2], Value::Integer(i64::from(i32::MAX)))
    }

    #[test]
    fn load_memory_and_disks_are_told() {
        let equipment = fed().fold(&GROUP);
        assert_eq!(equipment.load, Some([0.15, 0.16, 12.07]));
        assert_eq!(equipment.memory, [pool("real memory without buffers and cache", Some(400), 1_000)]);
        assert_eq!(equipment.storage, [pool("/", Some(9), (1 << 32) + 5)]);
    }

    #[test]
    fn its_rows_and_those_of_host_resources_replace_only_themselves() {
        let known = pool("/", Some(1), 2);
        let before = fed().before(|e| e.storage.push(known.clone())).fold(&GROUP);
        assert_eq!((before.memory.len(), &before.storage[..]), (1, &[known.clone()][..]));
        let again = fed().before(|e| *e = before).fold(&GROUP);
        assert_eq!((again.memory.len(), again.storage.len()), (1, 1));
        let after = Fed::default().before(|e| *e = again).fold(&host_resources::GROUP);
        assert_eq!((after.memory.len(), after.storage.len()), (1, 0));
        assert_eq!(Fed::default().before(|e| *e = after).fold(&GROUP).memory, []);
    }
}
