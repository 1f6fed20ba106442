//! File systems by `df`, what is mounted, software RAID, ZFS pools, and what drives say of themselves. Pure.

use super::sections::{after_words, count, lines, number, words};
use crate::base::Untrusted;
use crate::model::vitals::{Drive, FileSystem, RaidArray, Redundancy, StoragePool};

/// More of one kind are not kept.
const MOST: usize = 256;
/// A name longer than this is none.
const NAME: usize = 512;

/// `df -Pk` and `df -Pi`, the same mounts in both; a device that is mounted twice counts once. `mounts` tells which are read-only.
pub fn file_systems(space: &[u8], inodes: &[u8], mounts: &[u8]) -> Vec<FileSystem> {
    let mut out: Vec<FileSystem> = Vec::new();
    let inodes: Vec<(Vec<&[u8]>, &[u8])> = rows(inodes).collect();
    for (columns, mount) in rows(space).take(MOST) {
        let [device, size, used, available, _] = columns[..] else { continue };
        let kilobytes = |word: &[u8]| count(word)?.checked_mul(1024);
        let (Some(size), Some(used), Some(available)) = (kilobytes(size), kilobytes(used), kilobytes(available)) else {
            continue;
        };
        if size == 0 || out.iter().any(|known| known.device.as_bytes() == device && known.size == size) {
            continue;
        }
        let Some(used_percent) = percent(used, available) else { continue };
        let counted = inodes.iter().find(|(columns, at)| *at == mount && columns[0] == device);
        out.push(FileSystem {
            mount: Untrusted::bounded(mount, NAME),
            device: Untrusted::bounded(device, NAME),
            size,
            available,
            used_percent,
            inodes_percent: counted.and_then(|(columns, _)| percent(count(columns[2])?, count(columns[3])?)),
            read_only: read_only(mounts, mount),
        });
    }
    out
}

/// As `df` counts it: what root keeps for itself is neither used nor free.
pub fn percent(used: u64, available: u64) -> Option<f64> {
    let all = used as f64 + available as f64;
    (all > 0.0).then(|| 100.0 * used as f64 / all)
}

/// The columns of a table of `df` and the mount behind them, which may have blanks.
fn rows(table: &[u8]) -> impl Iterator<Item = (Vec<&[u8]>, &[u8])> {
    lines(table).filter_map(|line| after_words(line, 5)).filter(|(columns, _)| count(columns[1]).is_some())
}

fn read_only(mounts: &[u8], wanted: &[u8]) -> Option<bool> {
    lines(mounts).find_map(|line| {
        let mut words = words(line);
        let (_, _, mount, options) = (words.next()?, words.next()?, words.next()?, words.next()?);
        (unescape(mount) == wanted).then(|| options.split(|b| *b == b',').any(|option| option == b"ro"))
    })
}

/// Octal escapes of `/proc/mounts`: `\040` for a blank.
pub fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..3).and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| u8::from_str_radix(d, 8).ok());
        if let (b'\\', Some(byte)) = (first, code) {
            out.push(byte);
            rest = &tail[3..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

/// `local ext4 / rw,relatime` as a line to be shown and compared: mount, type, options.
pub fn mounts(section: &[u8]) -> Vec<Untrusted> {
    let mut out: Vec<Vec<u8>> = lines(section)
        .take(MOST)
        .filter_map(|line| {
            let mut words = words(line);
            let (_, kind, mount, options) = (words.next()?, words.next()?, words.next()?, words.next()?);
            Some([&unescape(mount)[..], b" ", kind, b" ", options].concat())
        })
        .collect();
    out.sort();
    out.dedup();
    out.iter().map(|line| Untrusted::bounded(line, NAME)).collect()
}

/// Mounts that gave no answer in time: `silent /mnt/nas`.
pub fn silent(section: &[u8]) -> Vec<Untrusted> {
    let mounts = lines(section).filter_map(|line| line.strip_prefix(b"silent "));
    mounts.take(MOST).map(|mount| Untrusted::bounded(&unescape(mount), NAME)).collect()
}

/// How many local file systems the script has left out: `beyond 12`.
pub fn beyond(section: &[u8]) -> Option<u64> {
    lines(section).find_map(|line| count(line.strip_prefix(b"beyond ")?))
}

/// File systems that the kernel has made read-only because of an error: nobody mounts one so that is told to become so
/// (`errors=remount-ro`, ext4(5)), and newer kernels name it. Lines as [`mounts`] makes them.
pub fn failed(mounts: &[Untrusted]) -> Vec<Untrusted> {
    let is_failed = |line: &&Untrusted| {
        let options = line.as_bytes().rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        let has = |wanted: &[u8]| options.split(|byte| *byte == b',').any(|option| option == wanted);
        has(b"emergency_ro") || (has(b"ro") && has(b"errors=remount-ro"))
    };
    let mount = |line: &Untrusted| {
        let mut columns = line.as_bytes().rsplitn(3, |byte| *byte == b' ');
        Untrusted::bounded(columns.nth(2).unwrap_or_default(), NAME)
    };
    mounts.iter().filter(is_failed).map(mount).collect()
}

/// `/proc/mdstat`:
///
/// ```text
/// md0 : active raid1 sdb1[1] sda1[0](F)
///       1046528 blocks super 1.2 [2/1] [_U]
///       [==>..................]  recovery = 12.6% (37043392/292945152) finish=127.5min
/// ```
pub fn arrays(text: &[u8]) -> Vec<RaidArray> {
    let mut out: Vec<RaidArray> = Vec::new();
    for line in lines(text) {
        let mut parts = words(line);
        let Some(first) = parts.next() else { continue };
        if parts.next() == Some(b":") && first.starts_with(b"md") {
            if out.len() == MOST {
                break;
            }
            let active = parts.next() == Some(b"active");
            let level = parts.find(|word| !word.starts_with(b"(")).filter(|word| !word.contains(&b'['));
            out.push(RaidArray {
                name: Untrusted::bounded(first, NAME),
                level: Untrusted::bounded(level.unwrap_or_default(), NAME),
                redundancy: if active { Redundancy::Whole } else { Redundancy::Lost },
                members: None,
                progress: None,
            });
            continue;
        }
        let Some(array) = out.last_mut() else { continue };
        if array.members.is_none()
            && let Some((wanted, working)) = words(line).find_map(members)
        {
            array.members = Some((working, wanted));
            if working < wanted && array.redundancy == Redundancy::Whole {
                array.redundancy = if working == 0 { Redundancy::Lost } else { Redundancy::Degraded };
            }
        }
        let rebuilds = words(line).any(|word| word == b"recovery" || word == b"resync" || word == b"reshape");
        if rebuilds && let Some(done) = words(line).find_map(|word| number(word.strip_suffix(b"%")?)) {
            array.progress = Some(done.clamp(0.0, 100.0));
            // A resync after an unclean stop misses nothing.
            if array.redundancy == Redundancy::Degraded {
                array.redundancy = Redundancy::Rebuilding;
            }
        }
    }
    out
}

/// `[3/2]`: how many there should be, and how many work.
fn members(word: &[u8]) -> Option<(u32, u32)> {
    let inner = word.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let slash = inner.iter().position(|b| *b == b'/')?;
    let side = |digits: &[u8]| u32::try_from(count(digits)?).ok();
    Some((side(&inner[..slash])?, side(&inner[slash + 1..])?))
}

/// `zpool list -H -p -o name,size,capacity,health`.
pub fn pools(text: &[u8]) -> Vec<StoragePool> {
    let rows = lines(text).filter_map(|line| {
        let columns: Vec<&[u8]> = words(line).collect();
        let [name, size, capacity, health] = columns[..] else { return None };
        let redundancy = match health {
            b"ONLINE" => Redundancy::Whole,
            b"DEGRADED" => Redundancy::Degraded,
            _ => Redundancy::Lost,
        };
        Some(StoragePool {
            name: Untrusted::bounded(name, NAME),
            health: Untrusted::bounded(health, NAME),
            redundancy,
            size: count(size),
            used_percent: number(capacity.strip_suffix(b"%").unwrap_or(capacity)).filter(|p| (0.0..=100.0).contains(p)),
        })
    });
    rows.take(MOST).collect()
}

/// `smartctl -H` of one drive after the other, each behind a line `device /dev/…`. Both forms of the verdict are read: ATA and
/// NVMe say PASSED, SCSI says OK.
pub fn drives(text: &[u8]) -> Vec<Drive> {
    let mut out: Vec<Drive> = Vec::new();
    for line in lines(text) {
        if let Some(device) = line.strip_prefix(b"device ") {
            if out.len() == MOST {
                break;
            }
            out.push(Drive { device: Untrusted::bounded(device, NAME), healthy: None });
            continue;
        }
        let Some(drive) = out.last_mut() else { continue };
        let verdict = [&b"SMART overall-health self-assessment test result:"[..], b"SMART Health Status:"]
            .iter()
            .find_map(|prefix| line.strip_prefix(*prefix));
        if let Some(verdict) = verdict {
            drive.healthy = Some(matches!(verdict.trim_ascii(), b"PASSED" | b"OK"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &[u8] = b"local ext4 / rw,relatime\nlocal xfs /mnt/My\\040Disk ro,noatime\nremote nfs4 /home rw\n";

    #[test]
    fn mounts_without_an_answer_are_named() {
        let told = silent(b"silent /mnt/My\\0402\nold /a\n\nsilent /home\n");
        assert_eq!(told.iter().map(Untrusted::line).collect::<Vec<_>>(), ["/mnt/My 2", "/home"]);
        assert!(silent(b"\n").is_empty());
    }

    #[test]
    fn what_is_beyond_the_mounts_that_are_looked_at_is_no_mount() {
        let section = b"local ext4 / rw\nlocal xfs /beyond rw\nbeyond 12\n";
        assert_eq!((beyond(section), mounts(section).len()), (Some(12), 2));
        assert_eq!(beyond(b"local ext4 / rw\n"), None);
    }

    #[test]
    fn both_tables_of_df_are_joined_by_device_and_mount() {
        let space = b"Filesystem           1024-blocks    Used Available Capacity Mounted on\n\
            /dev/vda                 1000       800       100      89% /\n\
            /dev/vda                 1000       800       100      89% /srv/again\n\
            /dev/sdb                 2000       500      1500      25% /mnt/My Disk\n\
            tmpfs                       0         0         0       -  /empty\n";
        let inodes = b"Filesystem              Inodes      Used Available Capacity Mounted on\n\
            /dev/vda              100    95     5  95% /\n/dev/sdb  0 0 0 - /mnt/My Disk\n";
        let disks = file_systems(space, inodes, MOUNTS);
        let told: Vec<_> = disks.iter().map(|d| (d.mount.line(), d.used_percent.round(), d.inodes_percent)).collect();
        assert_eq!(told, [("/".into(), 89.0, Some(95.0)), ("/mnt/My Disk".into(), 25.0, None)]);
        assert_eq!((disks[0].read_only, disks[1].read_only), (Some(false), Some(true)));
        assert_eq!((disks[0].size, disks[0].available), (1000 * 1024, 100 * 1024));
    }

    #[test]
    fn what_is_mounted_is_a_sorted_list() {
        let list: Vec<String> = mounts(MOUNTS).iter().map(Untrusted::line).collect();
        assert_eq!(list, ["/ ext4 rw,relatime", "/home nfs4 rw", "/mnt/My Disk xfs ro,noatime"]);
    }

    #[test]
    fn arrays_are_whole_degraded_rebuilding_or_lost() {
        let text = b"Personalities : [raid1] [raid6]\n\
            md0 : active raid1 sdb1[1] sda1[0]\n      1046528 blocks super 1.2 [2/2] [UU]\n      bitmap: 0/1 pages [0KB], 65536KB chunk\n\n\
            md1 : active (auto-read-only) raid1 sdb2[1] sda2[0](F)\n      100 blocks [2/1] [_U]\n\n\
            md2 : active raid6 sdc[2] sdb[1]\n      100 blocks level 6, 64k chunk [4/3] [UUU_]\n      [==>....]  recovery = 12.6% (37043392/292945152) finish=127.5min speed=33440K/sec\n\n\
            md3 : inactive sdd1[0](S)\n      100 blocks\n\n\
            md4 : active raid1 sde[1] sdf[0]\n      100 blocks [2/2] [UU]\n      [>....]  resync =  1.0% (1/2)\nunused devices: <none>\n";
        let arrays = arrays(text);
        let told: Vec<_> = arrays.iter().map(|a| (a.name.line(), a.level.line(), a.redundancy, a.members)).collect();
        assert_eq!(
            told,
            [
                ("md0".into(), "raid1".into(), Redundancy::Whole, Some((2, 2))),
                ("md1".into(), "raid1".into(), Redundancy::Degraded, Some((1, 2))),
                ("md2".into(), "raid6".into(), Redundancy::Rebuilding, Some((3, 4))),
                ("md3".into(), String::new(), Redundancy::Lost, None),
                ("md4".into(), "raid1".into(), Redundancy::Whole, Some((2, 2))),
            ]
        );
        assert_eq!((arrays[2].progress, arrays[4].progress), (Some(12.6), Some(1.0)));
    }

    #[test]
    fn a_file_system_that_an_error_made_read_only_is_told_from_one_that_is_mounted_so() {
        let section = b"local ext4 / rw,relatime,errors=remount-ro\nlocal ext4 /var/My\\040Disk ro,relatime,errors=remount-ro\n\
            local ext4 /new ro,relatime,emergency_ro\nlocal vfat /boot/efi ro,errors=continue\nlocal xfs /ro ro,relatime\n";
        let failed: Vec<String> = failed(&mounts(section)).iter().map(Untrusted::line).collect();
        assert_eq!(failed, ["/new", "/var/My Disk"]);
    }

    #[test]
    fn pools_and_drives_say_how_they_are() {
        let pools =
            pools(b"tank\t1000000\t81\tONLINE\nold\t5\t7%\tDEGRADED\ngone\t-\t-\tSUSPENDED\nbroken line\ntold\n");
        let told: Vec<_> = pools.iter().map(|p| (p.name.line(), p.redundancy, p.used_percent)).collect();
        assert_eq!(
            told,
            [
                ("tank".into(), Redundancy::Whole, Some(81.0)),
                ("old".into(), Redundancy::Degraded, Some(7.0)),
                ("gone".into(), Redundancy::Lost, None)
            ]
        );
        let drives = drives(
            b"device /dev/sda\nsmartctl 7.3\nSMART overall-health self-assessment test result: PASSED\n\
              device /dev/sdb\nSMART overall-health self-assessment test result: FAILED!\n\
              device /dev/sdc\nSMART Health Status: OK\ndevice /dev/sdd\nDevice is in STANDBY mode, exit(2)\n",
        );
        let told: Vec<_> = drives.iter().map(|d| d.healthy).collect();
        assert_eq!(told, [Some(true), Some(false), Some(true), None]);
    }
}
