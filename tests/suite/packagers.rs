//! What dnf and zypper know of pending updates, asked on a machine whose packages are rpm's: Debian's own dnf, zypper and
//! rpm over folders of the test, seen as `/etc`, `/var/lib` and `/var/cache`. Nothing there may change by being asked.

use std::fs;
use std::process::Command;

use noctty::model::Vitals;

use super::agentless::{bound, forced, links, look, vitals};
use super::lab::{Lab, run};

/// Begins a command on the machine; the folder first.
const MACHINE: &str = r#"lab=$1; shift
mount -t overlay -o "lowerdir=$lab/etc:/etc" none /etc || exit 9
mount --bind "$lab/lib" /var/lib && mount --bind "$lab/cache" /var/cache || exit 9
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

/// Every file of the machine that its packagers keep, with its size and when it was last changed.
fn kept(lab: &Lab) -> String {
    let find =
        run(Command::new("find").arg(lab.path("lib")).arg(lab.path("cache")).args(["-printf", "%p %s %T@ %C@\n"]));
    let mut lines: Vec<&str> = find.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn build(lab: &Lab) {
    run(Command::new("chmod").arg("755").arg(lab.home.path()));
    fs::write(lab.path("machine"), MACHINE).expect("written");
    run(Command::new("sh").args(["-c", BUILD, "build"]).arg(lab.home.path()));
}

/// What a machine tells on which these programs are not, seen by root or by nobody.
async fn told(lab: &Lab, address: &'static str, user: &str, gone: &str) -> Vitals {
    let as_user = if user == "root" { "" } else { "chroot --userspec=65534:65534 --groups= /" };
    let script = format!(
        "export GONE='{gone}'\nexec unshare --mount sh $lab/machine $lab {as_user} sh -c \"$SSH_ORIGINAL_COMMAND\""
    );
    let server = forced(lab, address, &script);
    let probe = bound("linux", "web", "", &links(lab));
    let before = kept(lab);
    let reading = look(&*probe).await;
    assert_eq!(kept(lab), before, "{user} changed something");
    drop(server);
    vitals(&reading).as_ref().clone()
}

#[tokio::test]
async fn dnf_and_zypper_tell_security_updates_and_are_not_touched_by_being_asked() {
    assert!(rustix::process::geteuid().is_root(), "a machine of its own takes root");
    let lab = Lab::new();
    build(&lab);
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
    build(&lab);
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
