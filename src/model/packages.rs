//! What is installed on machines by name, and how two of them differ in it.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Timestamp, Untrusted};

/// Differences that are named; how many there are is told of all.
const NAMED: usize = 4_000;

/// What a machine's packager has installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageList {
    /// `dpkg`, `rpm`, `apk`, `pacman`.
    pub by: &'static str,
    /// Each name with its versions: of kernels there are several at once.
    pub versions: BTreeMap<Untrusted, BTreeSet<Untrusted>>,
}

/// The packages of two machines side by side, as they were when the two were asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageComparison {
    /// What came of asking each, in the order in which they were named.
    pub answers: [PackageAnswer; 2],
    /// `None` where one of them told nothing, or they have different packagers.
    pub differences: Option<PackageDifferences>,
}

/// What came of asking a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageAnswer {
    /// So many packages.
    Told { at: Timestamp, by: &'static str, count: u32 },
    /// Nothing, and why.
    Not { why: Untrusted },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageDifferences {
    /// Names that only the first has, and only the second.
    pub only: [u32; 2],
    /// Names that both have in other versions.
    pub differing: u32,
    pub same: u32,
    /// By name; not all of them where there are thousands.
    pub named: Vec<PackageDifference>,
}

/// A name with its version here and there: empty where it is not installed, several with commas between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageDifference {
    pub name: Untrusted,
    pub versions: [Untrusted; 2],
}

impl PackageList {
    /// Packages: one in two versions is two.
    pub fn count(&self) -> u32 {
        self.versions.values().map(|versions| versions.len() as u32).sum()
    }
}

impl PackageComparison {
    /// Two machines as they told, each with the time when it did, or why it did not.
    pub fn of(told: [Result<(Timestamp, &PackageList), &str>; 2]) -> Self {
        let differences = match told {
            [Ok((_, left)), Ok((_, right))] if left.by == right.by => Some(PackageDifferences::of(left, right)),
            _ => None,
        };
        let answers = told.map(|told| match told {
            Ok((at, list)) => PackageAnswer::Told { at, by: list.by, count: list.count() },
            Err(why) => PackageAnswer::Not { why: Untrusted::from(why) },
        });
        Self { answers, differences }
    }
}

impl PackageDifferences {
    fn of(left: &PackageList, right: &PackageList) -> Self {
        let mut out = Self::default();
        let names: BTreeSet<&Untrusted> = left.versions.keys().chain(right.versions.keys()).collect();
        for name in names {
            let pair = [left, right].map(|list| list.versions.get(name));
            let count = match pair {
                [Some(here), Some(there)] if here == there => &mut out.same,
                [Some(_), None] => &mut out.only[0],
                [None, _] => &mut out.only[1],
                [Some(_), Some(_)] => &mut out.differing,
            };
            *count += 1;
            let differs = pair[0] != pair[1];
            if differs && out.named.len() < NAMED {
                out.named.push(PackageDifference { name: name.clone(), versions: pair.map(joined) });
            }
        }
        out
    }

    /// Differences that are not named.
    pub fn beyond(&self) -> u32 {
        let all: u32 = self.only.iter().sum::<u32>() + self.differing;
        all.saturating_sub(self.named.len() as u32)
    }
}

fn joined(versions: Option<&BTreeSet<Untrusted>>) -> Untrusted {
    let mut versions = versions.into_iter().flatten();
    match (versions.next(), versions.next()) {
        (None, _) => Untrusted::default(),
        (Some(one), None) => one.clone(),
        (Some(one), Some(two)) => {
            let all: Vec<&[u8]> = [one, two].into_iter().chain(versions).map(Untrusted::as_bytes).collect();
            Untrusted::new(all.join(&b", "[..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn list(by: &'static str, packages: &[(&str, &str)]) -> PackageList {
        let mut out = PackageList { by, ..PackageList::default() };
        for (name, version) in packages {
            out.versions.entry((*name).into()).or_default().insert((*version).into());
        }
        out
    }

    fn differences(left: &PackageList, right: &PackageList) -> PackageDifferences {
        let told = [Ok((T0, left)), Ok((T0, right))];
        PackageComparison::of(told).differences.expect("they can be compared")
    }

    fn lines(differences: &PackageDifferences) -> Vec<String> {
        let line = |one: &PackageDifference| {
            let [left, right] = one.versions.each_ref().map(Untrusted::line);
            format!("{} {left} → {right}", one.name.line())
        };
        differences.named.iter().map(line).collect()
    }

    #[test]
    fn what_one_has_and_the_other_has_not_or_in_another_version_is_told_by_name() {
        let left =
            list("dpkg", &[("bash", "5.2"), ("linux", "6.1"), ("linux", "6.5"), ("nginx", "1.22"), ("vim", "9")]);
        let right = list("dpkg", &[("bash", "5.2"), ("linux", "6.5"), ("vim", "9.1"), ("apache2", "2.4")]);
        let found = differences(&left, &right);
        assert_eq!(lines(&found), ["apache2  → 2.4", "linux 6.1, 6.5 → 6.5", "nginx 1.22 → ", "vim 9 → 9.1"]);
        assert_eq!((found.only, found.differing, found.same, found.beyond()), ([1, 1], 2, 1, 0));
        assert_eq!(differences(&left, &left), PackageDifferences { same: 4, ..PackageDifferences::default() });
        assert_eq!(left.count(), 5);
    }

    #[test]
    fn who_does_not_answer_or_has_another_packager_is_not_compared() {
        let (left, right) = (list("dpkg", &[("bash", "5.2")]), list("rpm", &[("bash", "5.2")]));
        let told = PackageComparison::of([Ok((T0, &left)), Ok((T0, &right))]);
        assert_eq!(told.differences, None);
        assert_eq!(told.answers[1], PackageAnswer::Told { at: T0, by: "rpm", count: 1 });
        let told = PackageComparison::of([Err("no session"), Ok((T0, &right))]);
        assert_eq!((told.differences, &told.answers[0]), (None, &PackageAnswer::Not { why: "no session".into() }));
    }

    #[test]
    fn thousands_of_differences_are_counted_and_named_as_far_as_there_is_room() {
        let many: Vec<(String, String)> = (0..NAMED + 7).map(|n| (format!("p{n:05}"), "1".to_owned())).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect();
        let found = differences(&list("apk", &many), &list("apk", &[("zlib", "1")]));
        assert_eq!((found.only, found.named.len(), found.beyond()), ([NAMED as u32 + 7, 1], NAMED, 8));
    }
}
