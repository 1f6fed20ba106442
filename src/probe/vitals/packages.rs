//! The list of what is installed, as the packagers print it. Pure.
//!
//! ```text
//! dpkg    install ok installed libc6 amd64 2.36-9+deb12u4
//! rpm     bash x86_64 5.1.8-9.el9
//! apk     musl-1.2.4-r2
//! pacman  bash 5.2.026-2
//! ```

use std::collections::HashMap;

use super::sections::{lines, words};
use crate::base::Untrusted;
use crate::model::PackageList;

/// No list is longer: 30,000 packages fit.
pub const LONGEST: usize = 2 * 1024 * 1024;
/// A longer name or version is cut.
const NAME: usize = 256;
/// What packagers write for packages that fit every machine.
const EVERYWHERE: [&[u8]; 3] = [b"all", b"noarch", b"(none)"];

/// One line of a list.
#[derive(Clone, Copy)]
struct Row<'a> {
    name: &'a [u8],
    /// Where the list tells it.
    architecture: Option<&'a [u8]>,
    version: &'a [u8],
}

/// The packager that a section of the script begins with.
pub fn packager(line: &[u8]) -> Option<&'static str> {
    ["dpkg", "rpm", "apk", "pacman"].into_iter().find(|by| by.as_bytes() == line)
}

/// What is installed. What is there for another architecture than most is has that behind its name, as `dpkg` and `rpm` write it.
///
/// # Errors
/// In words: nothing there lists packages, or it lists none.
pub fn list(section: &[u8]) -> Result<PackageList, &'static str> {
    let mut rows = lines(section);
    let by = rows.next().and_then(packager).ok_or("it has none of dpkg, rpm, apk and pacman")?;
    let rows: Vec<Row<'_>> = rows.filter_map(|line| row(by, line)).collect();
    if rows.is_empty() {
        return Err("its packager lists nothing");
    }
    let own = own_architecture(&rows);
    let mut out = PackageList { by, ..PackageList::default() };
    for row in rows {
        let foreign = row.architecture.filter(|one| Some(*one) != own && !EVERYWHERE.contains(one));
        let between: &[u8] = if by == "dpkg" { b":" } else { b"." };
        let name = match foreign {
            Some(architecture) => [row.name, between, architecture].concat(),
            None => row.name.to_vec(),
        };
        let version = Untrusted::bounded(row.version, NAME);
        out.versions.entry(Untrusted::bounded(&name, NAME)).or_default().insert(version);
    }
    Ok(out)
}

/// Said of a list that was cut off.
pub fn too_long() -> String {
    format!("its list of packages is longer than {} KiB", LONGEST / 1024)
}

fn row<'a>(by: &str, line: &'a [u8]) -> Option<Row<'a>> {
    if by == "apk" {
        let (name, version) = apk(line)?;
        return Some(Row { name, architecture: None, version });
    }
    let columns: Vec<&[u8]> = words(line).collect();
    match (by, &columns[..]) {
        ("dpkg", [.., name, architecture, version]) | ("rpm", [name, architecture, version]) => {
            Some(Row { name, architecture: Some(architecture), version })
        }
        ("pacman", [name, version]) => Some(Row { name, architecture: None, version }),
        _ => None,
    }
}

/// `NAME-VERSION-rRELEASE`: names have dashes too, versions have none.
fn apk(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut dashes = line.iter().enumerate().rev().filter(|(_, byte)| **byte == b'-').map(|(at, _)| at);
    let at = dashes.nth(1).filter(|at| *at > 0)?;
    Some((&line[..at], &line[at + 1..]))
}

/// The architecture of the machine itself: most of its packages have it.
fn own_architecture<'a>(rows: &[Row<'a>]) -> Option<&'a [u8]> {
    let mut counts: HashMap<&[u8], usize> = HashMap::new();
    for architecture in rows.iter().filter_map(|row| row.architecture).filter(|one| !EVERYWHERE.contains(one)) {
        *counts.entry(architecture).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(name, count)| (*count, *name)).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(section: &str) -> Vec<String> {
        let list = list(section.as_bytes()).expect("a list");
        let line = |(name, versions): (&Untrusted, &std::collections::BTreeSet<Untrusted>)| {
            let versions: Vec<String> = versions.iter().map(Untrusted::line).collect();
            format!("{} {}", name.line(), versions.join(" "))
        };
        list.versions.iter().map(line).collect()
    }

    #[test]
    fn each_packager_is_read_in_its_own_form() {
        let dpkg = "dpkg\ninstall ok installed libc6 amd64 2.36-9\ninstall ok installed libc6 i386 2.36-9\n\
                    hold ok installed bash amd64 5.2-1\ninstall ok installed tzdata all 2024a\n";
        assert_eq!(told(dpkg), ["bash 5.2-1", "libc6 2.36-9", "libc6:i386 2.36-9", "tzdata 2024a"]);
        let rpm = "rpm\nkernel x86_64 5.14.0-2\nkernel x86_64 5.14.0-1\nglibc i686 2.34\nsetup noarch 2.13\n\
                   gpg-pubkey (none) 1d997668-61bae63b\n";
        assert_eq!(
            told(rpm),
            ["glibc.i686 2.34", "gpg-pubkey 1d997668-61bae63b", "kernel 5.14.0-1 5.14.0-2", "setup 2.13"]
        );
        assert_eq!(told("apk\nca-certificates-bundle-20240226-r0\nmusl-1.2.4_git-r2\n").len(), 2);
        assert_eq!(told("apk\nca-certificates-bundle-20240226-r0\n"), ["ca-certificates-bundle 20240226-r0"]);
        assert_eq!(told("pacman\nbash 5.2.026-2\n"), ["bash 5.2.026-2"]);
    }

    #[test]
    fn a_machine_without_a_packager_and_one_that_lists_nothing_say_so() {
        assert_eq!(list(b""), Err("it has none of dpkg, rpm, apk and pacman"));
        assert_eq!(list(b"opkg\nbusybox - 1.36\n"), Err("it has none of dpkg, rpm, apk and pacman"));
        assert_eq!(list(b"rpm\n\n"), Err("its packager lists nothing"));
        assert_eq!(list(b"apk\n-1-r2\nmusl\n"), Err("its packager lists nothing"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(by in "dpkg|rpm|apk|pacman", rest in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = list(&[by.as_bytes(), b"\n", &rest[..]].concat());
        }
    }
}
