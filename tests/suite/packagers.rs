//! What rpm and pacman list, and what dnf, zypper and pacman know of pending updates: Debian's own rpm, dnf, zypper and pacman over
//! folders of the test, seen as `/etc`, `/var/lib` and `/var/cache`. Nothing there may change by being asked.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use noctty::base::Untrusted;
use noctty::model::Vitals;
use noctty::probe::Probe;

use super::agentless::{bound, forced, links, look, vitals};
use super::compare::packages;
use super::lab::{Lab, Sshd, run};

/// Begins a command on the machine; the folder first.
const MACHINE: &str = r#"lab=$1; shift
mount -t overlay -o "lowerdir=$lab/etc:/etc" none /etc || exit 9
mount --bind "$lab/lib" /var/lib && mount --bind "$lab/cache" /var/cache && mount -t tmpfs none /run || exit 9
for gone in $GONE; do mount --bind /dev/null "$gone" || exit 9; done
exec "$@"
"#;

/// Three packages are installed, and there is a newer one of each: one for security, one for a fault, one for nothing.
const BUILD: &str = r#"set -e
lab=$1
mkdir -p $lab/etc/rpm $lab/etc/yum.repos.d $lab/etc/zypp/repos.d $lab/repo $lab/cache/dnf $lab/cache/zypp
mkdir -p $lab/lib/rpm $lab/lib/dnf $lab/lib/zypp $lab/lib/dpkg
echo "%_dbpath /var/lib/rpm" >$lab/etc/rpm/macros
: >$lab/lib/dpkg/status
for name in alpha beta gamma; do for version in 1 2; do
  printf "Name: $name\nVersion: $version\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n%%description\nx\n%%files\n" >$lab/spec
  rpmbuild --quiet --define "_topdir $lab/built" -bb $lab/spec
done; done
cp $lab/built/RPMS/noarch/*-2-1* $lab/repo
advisory() {
  echo "<update type=\"$1\" status=\"final\" version=\"1\"><id>$2</id><title>x</title><issued date=\"2026-01-01 00:00:00\"/>"
  echo "<description>x</description><pkglist><collection short=\"x\"><name>x</name>"
  echo "<package name=\"$2\" version=\"2\" release=\"1\" epoch=\"0\" arch=\"noarch\" src=\"x\"><filename>x</filename></package>"
  echo "</collection></pkglist></update>"
}
{ echo "<updates>"; advisory security alpha; advisory bugfix beta; echo "</updates>"; } >$lab/updateinfo.xml
createrepo_c -q $lab/repo
modifyrepo_c --mdtype=updateinfo $lab/updateinfo.xml $lab/repo/repodata
repo="[lab]\nname=lab\nenabled=1\ngpgcheck=0\n"
printf "${repo}baseurl=file://$lab/repo\n" >$lab/etc/yum.repos.d/lab.repo
printf "${repo}baseurl=dir:$lab/repo\nautorefresh=0\ntype=rpm-md\n" >$lab/etc/zypp/repos.d/lab.repo
GONE= unshare --mount sh $lab/machine $lab sh -c "rpm -i --nodeps $lab/built/RPMS/noarch/*-1-1* && dnf -q --releasever=1 makecache && zypper -q --non-interactive refresh"
"#;

/// A library of which two versions are installed, as of a kernel, and which is there for another architecture too.
const LIBRARIES: &str = r#"set -e
lab=$1
for one in "delta 1 x86_64" "delta 2 x86_64" "epsilon 3 x86_64" "epsilon 3 i686"; do
  set -- $one
  printf "Name: $1\nVersion: $2\nRelease: 1\nEpoch: 4\nSummary: x\nLicense: x\n%%description\nx\n%%files\n" >$lab/spec
  rpmbuild --quiet --target $3 --define "_topdir $lab/built" -bb $lab/spec
done
GONE= unshare --mount sh $lab/machine $lab sh -c "rpm -i --nodeps --ignorearch $lab/built/RPMS/*/delta* $lab/built/RPMS/*/epsilon*"
"#;

/// Three packages of pacman's are installed, and there is a newer one of two.
const BUILD_PACMAN: &str = r#"set -e
lab=$1
mkdir -p $lab/etc $lab/repo $lab/cache/pacman/pkg $lab/lib/pacman $lab/lib/dpkg
: >$lab/lib/dpkg/status
printf "[options]\nArchitecture = auto\nSigLevel = Never\nLocalFileSigLevel = Never\nLogFile = $lab/log\n[lab]\nServer = file://$lab/repo\n" >$lab/etc/pacman.conf
for one in alpha-1.0-1 beta-lib-2:1.0-1 gamma-1.0-1 alpha-1.1-1 beta-lib-2:1.0-2; do
  release=${one##*-} rest=${one%-*}
  printf "pkgname = ${rest%-*}\npkgver = ${rest##*-}-$release\npkgdesc = x\narch = any\nsize = 0\nbuilddate = 1\n" >$lab/.PKGINFO
  (cd $lab && bsdtar -cf repo/$one-any.pkg.tar .PKGINFO)
done
repo-add -q $lab/repo/lab.db.tar.gz $lab/repo/alpha-1.1* $lab/repo/beta-lib-2:1.0-2* >/dev/null
GONE= unshare --mount sh $lab/machine $lab sh -c "pacman -U --noconfirm $lab/repo/*1.0-1* && pacman -Sy" >/dev/null
"#;

/// Every file of the machine that its packagers keep, with its size and when it was last changed.
fn kept(lab: &Lab) -> String {
    let find =
        run(Command::new("find").arg(lab.path("lib")).arg(lab.path("cache")).args(["-printf", "%p %s %T@ %C@\n"]));
    let mut lines: Vec<&str> = find.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn build(lab: &Lab, how: &str) {
    run(Command::new("chmod").arg("755").arg(lab.home.path()));
    fs::write(lab.path("machine"), MACHINE).expect("written");
    run(Command::new("sh").args(["-c", how, "build"]).arg(lab.home.path()));
}

/// A machine on which these programs are not, as root or nobody sees it.
fn machine(lab: &Lab, address: &'static str, user: &str, gone: &str) -> (Sshd, Box<dyn Probe>) {
    let as_user = if user == "root" { "" } else { "chroot --userspec=65534:65534 --groups= /" };
    let script = format!(
        "export GONE='{gone}'\nexec unshare --mount sh $lab/machine $lab {as_user} sh -c \"$SSH_ORIGINAL_COMMAND\""
    );
    let server = forced(lab, address, &script);
    (server, bound("linux", "web", "", &links(lab)))
}

/// What such a machine tells.
async fn told(lab: &Lab, address: &'static str, user: &str, gone: &str) -> Vitals {
    let (_server, probe) = machine(lab, address, user, gone);
    let before = kept(lab);
    let reading = look(&*probe).await;
    assert_eq!(kept(lab), before, "{user} changed something");
    vitals(&reading).as_ref().clone()
}

/// Which packager lists its packages, and what it lists.
async fn listed(lab: &Lab, address: &'static str, user: &str, gone: &str) -> (&'static str, Vec<String>) {
    let (_server, probe) = machine(lab, address, user, gone);
    let before = kept(lab);
    let list = packages(&*probe, Duration::from_secs(60)).await.expect("a list");
    assert_eq!(kept(lab), before, "{user} changed something");
    let line = |(name, versions): (&Untrusted, &BTreeSet<Untrusted>)| {
        format!("{} {}", name.line(), versions.iter().map(Untrusted::line).collect::<Vec<_>>().join(" "))
    };
    (list.by, list.versions.iter().map(line).collect())
}

#[tokio::test]
async fn dnf_and_zypper_tell_security_updates_and_are_not_touched_by_being_asked() {
    assert!(rustix::process::geteuid().is_root(), "a machine of its own takes root");
    let lab = Lab::new();
    build(&lab, BUILD);
    for (user, gone, by, address) in [
        ("root", "", "dnf", "127.0.93.31"),
        ("nobody", "", "dnf", "127.0.93.32"),
        ("root", "/usr/bin/dnf", "zypper", "127.0.93.33"),
        ("nobody", "/usr/bin/dnf", "zypper", "127.0.93.34"),
    ] {
        let told = told(&lab, address, user, gone).await;
        let updates = told.updates.as_ref().unwrap_or_else(|| panic!("{by} as {user}: {:?}", told.missing));
        assert_eq!((updates.by, updates.all, updates.security), (by, 3, Some(1)), "as {user}");
        assert!(updates.refreshed.is_some(), "{by} as {user}");
        assert_eq!(told.packages.as_ref().map(|packages| (packages.by, packages.count)), Some(("rpm", 3)));
        assert!(told.missing.iter().all(|missing| missing.what != "updates"), "{:?}", told.missing);
    }
}

#[tokio::test]
async fn a_packager_that_cannot_tell_says_why_and_no_update_is_made_of_it() {
    assert!(rustix::process::geteuid().is_root(), "a machine of its own takes root");
    let lab = Lab::new();
    build(&lab, BUILD);
    let why = |told: &Vitals| {
        let missing = told.missing.iter().find(|missing| missing.what == "updates");
        (
            told.updates.as_ref().map(|updates| updates.all),
            missing.map(|missing| missing.why.line()).unwrap_or_default(),
        )
    };
    // No mounts of its own: it is not run.
    let (known, said) = why(&told(&lab, "127.0.93.35", "nobody", "/usr/bin/unshare").await);
    assert!(known.is_none() && said.contains("asked only in mounts of its own"), "{known:?} {said}");
    // One repository was never fetched: the others count.
    fs::write(
        lab.path("etc/yum.repos.d/epel.repo"),
        "[epel]\nname=epel\nbaseurl=http://127.0.93.39/\nskip_if_unavailable=1\n",
    )
    .expect("written");
    let (known, said) = why(&told(&lab, "127.0.93.36", "nobody", "").await);
    assert_eq!(
        (known, said.as_str()),
        (Some(3), "without epel: dnf has no good cache of it; `dnf makecache` fetches it")
    );
    // None was.
    fs::remove_dir_all(lab.path("cache/dnf")).expect("removed");
    fs::create_dir(lab.path("cache/dnf")).expect("made");
    let (known, said) = why(&told(&lab, "127.0.93.37", "nobody", "").await);
    assert_eq!((known, said.as_str()), (None, "the cache of dnf is empty; `dnf makecache` fills it"));
    // zypper's lists are there, but not in the form that it reads.
    fs::remove_dir_all(lab.path("cache/zypp/solv/lab")).expect("removed");
    let (known, said) = why(&told(&lab, "127.0.93.38", "nobody", "/usr/bin/dnf").await);
    assert_eq!(
        (known, said.as_str()),
        (None, "without lab: zypper has no good cache of it; `zypper refresh` fetches it")
    );
}

#[tokio::test]
async fn rpm_lists_every_version_and_names_the_architecture_that_is_not_the_machines() {
    assert!(rustix::process::geteuid().is_root(), "a machine of its own takes root");
    let lab = Lab::new();
    build(&lab, BUILD);
    build(&lab, LIBRARIES);
    let all = ["alpha 1-1", "beta 1-1", "delta 1-1 2-1", "epsilon 3-1", "epsilon.i686 3-1", "gamma 1-1"];
    for (user, address) in [("root", "127.0.93.41"), ("nobody", "127.0.93.42")] {
        assert_eq!(listed(&lab, address, user, "").await, ("rpm", all.map(str::to_owned).to_vec()), "as {user}");
    }
}

#[tokio::test]
async fn pacman_lists_its_packages_and_tells_what_is_old() {
    assert!(rustix::process::geteuid().is_root(), "a machine of its own takes root");
    let lab = Lab::new();
    build(&lab, BUILD_PACMAN);
    let others = "/usr/bin/dnf /usr/bin/zypper";
    let all = ["alpha 1.0-1", "beta-lib 2:1.0-1", "gamma 1.0-1"].map(str::to_owned).to_vec();
    for (user, first, second) in [("root", "127.0.93.43", "127.0.93.44"), ("nobody", "127.0.93.45", "127.0.93.46")] {
        assert_eq!(listed(&lab, first, user, others).await, ("pacman", all.clone()), "as {user}");
        let told = told(&lab, second, user, others).await;
        let updates = told.updates.as_ref().unwrap_or_else(|| panic!("as {user}: {:?}", told.missing));
        assert_eq!((updates.by, updates.all, updates.security), ("pacman", 2, None), "as {user}");
        assert!(updates.refreshed.is_some(), "as {user}");
        assert_eq!(told.packages.as_ref().map(|packages| (packages.by, packages.count)), Some(("pacman", 3)));
    }
    // Lists that were never fetched are no word that all is new.
    fs::remove_dir_all(lab.path("lib/pacman/sync")).expect("removed");
    let told = told(&lab, "127.0.93.47", "nobody", others).await;
    let why: Vec<String> = told.missing.iter().filter(|one| one.what == "updates").map(|one| one.why.line()).collect();
    assert_eq!(
        (told.updates, why.join(" ").as_str()),
        (None, "pacman has no lists to compare with; `pacman -Sy` fetches them")
    );
}
