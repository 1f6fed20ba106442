//! Machines looked at over SSH without an agent: against Debian's own sshd, with Debian's own shell and tools and with
//! BusyBox alone, and against servers that hang, flood, refuse, change their key and go away.

use std::fs;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use noctty::base::Clock;
use noctty::config::document;
use noctty::model::{Facts, Host, Origin, Outcome, Reading, Vitals};
use noctty::net::Net;
use noctty::probe::{self, Cx, Probe};
use noctty::sim::ssh::SshServers;
use noctty::sim::ssh::shell::{Machine, Role};
use noctty::ssh::{Attendant, Bounds, Connection, End, Links, Names, Surroundings, Target};

use super::lab::{DEADLINE, Lab, Sshd, run};
use super::peer::until;

/// So that the log tells who came and who was let in.
const VERBOSE: &str = "LogLevel VERBOSE";

pub fn links(lab: &Lab) -> Arc<Links> {
    let config = Some(lab.path(".ssh/config"));
    Links::new(Surroundings { config, agent: None, ..Surroundings::with_home(lab.home.path()) })
}

/// A check as the configuration would bind it.
pub fn bound(kind: &str, host: &str, options: &str, links: &Arc<Links>) -> Box<dyn Probe> {
    let (table, problems) = document::parse("test", options.to_owned());
    assert!(problems.is_empty(), "{problems:?}");
    let host = Arc::new(Host::new(host, Some("127.0.93.99"), Origin::Config));
    let mut reader = table.reader("check");
    let mut probe = (probe::kind(kind).expect("the kind exists").bind)(&host, &mut reader).expect("the options fit");
    let problems = reader.finish();
    assert!(problems.is_empty(), "{problems:?}");
    probe.join(links);
    probe
}

async fn look_within(probe: &dyn Probe, timeout: Duration) -> Reading {
    let cx = Cx { net: Net::new(Clock::start()), family: None, timeout };
    probe.run(&cx).await
}

pub async fn look(probe: &dyn Probe) -> Reading {
    look_within(probe, Duration::from_secs(60)).await
}

pub fn vitals(reading: &Reading) -> Arc<Vitals> {
    match &reading.facts {
        Facts::Vitals(vitals) => vitals.clone(),
        _ => panic!("no vitals: {}", reading.summary.line()),
    }
}

fn log(lab: &Lab, server: &str) -> String {
    fs::read_to_string(lab.path(&format!("{server}.log"))).expect("a log")
}

fn let_in(lab: &Lab, server: &str) -> usize {
    log(lab, server).matches("Accepted publickey").count()
}

/// A server that is known, and an ssh_config that knows it as `web`.
fn web(lab: &Lab, address: &'static str, more: &str) -> Sshd {
    let server = lab.sshd("host", address, &format!("{VERBOSE}\n{more}"));
    lab.knows(&server, "host");
    lab.config(&Lab::host("web", &server));
    server
}

/// A server whose every command is this script.
pub fn forced(lab: &Lab, address: &'static str, script: &str) -> Sshd {
    let file = lab.path("forced");
    fs::write(&file, format!("#!/bin/sh\nlab={}\n{script}\n", lab.home.path().display())).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("made executable");
    web(lab, address, &format!("ForceCommand {}", file.display()))
}

/// Has apt know of a newer bash, for security, and of newer coreutils.
const OLD: &str = r#"set -e
cd "$lab"
old() {
  mkdir "$1"
  printf "Package: $2\nVersion: 99:1\nArchitecture: %s\nMaintainer: x <x@example.net>\nDescription: x\nFilename: ./x.deb\nSize: 1\nSHA256: %064d\n\n" "$(dpkg --print-architecture)" 0 >"$1/Packages"
  set -- "$1" "$3" $(sha256sum "$1/Packages") $(stat -c %s "$1/Packages")
  printf "Label: $2\nSuite: x\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n $3 $5 Packages\n" >"$1/Release"
  echo "deb [trusted=yes] file:$PWD/$1 ./" >>sources.list
}
old safer bash Debian-Security
old newer coreutils Debian
exec apt-get -qq update
"#;

#[tokio::test]
async fn a_debian_machine_tells_everything_over_one_connection() {
    let lab = Lab::new();
    run(Command::new("sh").args(["-c", OLD]).env("lab", lab.home.path()).env("APT_CONFIG", lab.path("apt.conf")));
    let _server = web(&lab, "127.0.93.1", "");
    let probe = bound("linux", "web", "", &links(&lab));
    let first = look(&*probe).await;
    let told = vitals(&first);
    assert_eq!(told.kernel.line(), run(Command::new("uname").arg("-r")).trim());
    assert_eq!(told.name.line(), run(Command::new("uname").arg("-n")).trim());
    assert!(told.system.line().contains("Debian"), "{:?}", told.system);
    assert!(told.load.is_some() && told.cores.is_some() && told.memory.is_some() && told.uptime.is_some(), "{told:?}");
    assert_eq!(told.cpu, None, "a share of the time needs two looks");
    let installed = run(Command::new("dpkg-query").args(["-W", "-f", "${Status}\n"]));
    let installed = installed.lines().filter(|line| line.ends_with(" installed")).count();
    assert_eq!(told.packages.as_ref().map(|p| (p.by, p.count as usize)), Some(("dpkg", installed)));
    let updates = told.updates.as_ref().map(|updates| (updates.by, updates.all, updates.security));
    assert_eq!(updates, Some(("apt", 2, Some(1))), "{:?}", told.missing);
    let clock = told.clock.expect("a clock");
    assert!(clock.certain() < 1.0, "it is the same machine: {clock:?}");
    let root = told.disks.iter().find(|disk| disk.mount.line() == "/").expect("a root");
    let df = run(Command::new("df").args(["-Pk", "/"]));
    assert!(df.contains(&format!(" {} ", root.size / 1024)), "{df}");

    for _ in 0..4 {
        let again = look(&*probe).await;
        let told = vitals(&again);
        assert!(told.inventoried.is_some() && told.packages.is_some(), "what is asked for seldom is kept");
        assert_ne!(again.outcome, Outcome::Unknown);
    }
    assert_eq!(let_in(&lab, "host"), 1, "{}", log(&lab, "host"));
    assert_eq!(log(&lab, "host").matches("Starting session: command").count(), 5);
}

#[tokio::test]
async fn a_machine_with_nothing_but_busybox_tells_what_it_can() {
    let lab = Lab::new();
    let root = lab.path("root");
    for folder in ["bin", "proc", "etc", "run", "dev"] {
        fs::create_dir_all(root.join(folder)).expect("made");
    }
    fs::copy("/usr/bin/busybox", root.join("bin/busybox")).expect("busybox-static is installed");
    for applet in run(Command::new("busybox").arg("--list")).lines() {
        if applet != "busybox" {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(applet)).expect("linked");
        }
    }
    fs::write(root.join("etc/os-release"), "NAME=x\nPRETTY_NAME=\"Alpine Linux v3.19\"\n").expect("written");
    fs::write(root.join("dev/null"), "").expect("written");
    let user = if rustix::process::geteuid().is_root() { "" } else { "--map-root-user" };
    let inside = r#"mount --bind "$0" "$0" && mount --rbind /proc "$0/proc" && exec /usr/sbin/chroot "$0" /bin/sh -c "$SSH_ORIGINAL_COMMAND""#;
    let _server = forced(
        &lab,
        "127.0.93.2",
        &format!("PATH=/bin\nexec /usr/bin/unshare {user} --mount /bin/sh -c '{inside}' $lab/root"),
    );
    let probe = bound("linux", "web", "", &links(&lab));
    look(&*probe).await;
    let reading = look(&*probe).await;
    let told = vitals(&reading);
    assert_eq!(told.system.line(), "Alpine Linux v3.19");
    assert!(told.load.is_some() && told.memory.is_some() && told.uptime.is_some(), "{reading:?}");
    assert_eq!(told.disks.iter().map(|disk| disk.mount.line()).collect::<Vec<_>>(), ["/"], "{told:?}");
    assert_eq!((&told.failed_units, &told.packages, &told.updates), (&None, &None, &None));
    assert!(told.missing.iter().any(|missing| missing.what == "units"));
    assert!(told.clock.is_some_and(|clock| clock.uncertainty >= 0.5), "its date has no fractions: {:?}", told.clock);
    assert_ne!(reading.outcome, Outcome::Unknown, "{}", reading.summary.line());
    assert_eq!(let_in(&lab, "host"), 1);
}

#[tokio::test]
async fn whatever_shell_a_log_in_has_the_script_runs() {
    let lab = Lab::new();
    let _server = forced(&lab, "127.0.93.16", "eval \"exec $(cat $lab/shell) -c \\\"\\$SSH_ORIGINAL_COMMAND\\\"\"");
    for shell in ["bash", "rbash", "dash", "zsh", "fish", "tcsh", "bsd-csh", "mksh", "busybox ash"] {
        fs::write(lab.path("shell"), shell).expect("written");
        let probe = bound("linux", "web", "", &links(&lab));
        let reading = look(&*probe).await;
        assert_ne!(reading.outcome, Outcome::Unknown, "{shell}: {}", reading.summary.line());
        let told = vitals(&reading);
        assert!(told.clock.is_some() && told.load.is_some() && told.packages.is_some(), "{shell}: {told:?}");
        assert_eq!(told.updates.as_ref().map(|updates| updates.by), Some("apt"), "{shell}: {told:?}");
        assert!(!told.disks.is_empty() && told.memory.is_some(), "{shell}: {told:?}");
    }
}

#[tokio::test]
async fn what_a_log_in_says_before_costs_nothing_and_what_it_says_instead_is_told() {
    let lab = Lab::new();
    let _server = forced(
        &lab,
        "127.0.93.17",
        "export LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8\n. $lab/before\nexec sh -c \"$SSH_ORIGINAL_COMMAND\"",
    );
    let probe = bound("linux", "web", "", &links(&lab));
    // Slowly, and without an end of line. Our clocks are the same one, however long that takes.
    fs::write(lab.path("before"), "printf 'Welcome to '\nsleep 2\nprintf 'the lab'").expect("written");
    let reading = look(&*probe).await;
    let told = vitals(&reading);
    let clock = told.clock.expect("a clock");
    assert!(clock.uncertainty >= 1.0 && clock.certain() < 1.0, "{clock:?}");
    assert!(told.load.is_some() && told.memory.is_some(), "{told:?}");
    fs::write(lab.path("before"), "echo 'This account is currently not available.'; exit 1").expect("written");
    let wanted = "no shell that runs a script (exit status 1: This account is currently not available.)";
    assert_eq!(look(&*probe).await.summary.line(), wanted);
    assert_eq!(let_in(&lab, "host"), 1);
}

#[tokio::test]
async fn a_server_that_gives_one_session_or_none_and_one_that_hangs_up_between_looks() {
    let lab = Lab::new();
    let one = web(&lab, "127.0.93.18", "MaxSessions 1");
    let probe = bound("linux", "web", "", &links(&lab));
    for looks in 1..=2 {
        assert!(vitals(&look(&*probe).await).memory.is_some());
        until("it has given the session back", || log(&lab, "host").matches("Close session").count() == looks);
    }
    assert_eq!(let_in(&lab, "host"), 1);
    drop(one);
    let none = web(&lab, "127.0.93.19", "MaxSessions 0");
    let probe = bound("linux", "web", "", &links(&lab));
    let reading = look(&*probe).await;
    let words = format!("web:{}: no session channel: the server opens none (ConnectFailed); ", none.port);
    assert_eq!(reading.outcome, Outcome::Critical);
    assert!(
        reading.summary.line().starts_with(&words) && reading.summary.line().contains("MaxSessions"),
        "{reading:?}"
    );
    drop(none);
    let _leaving = web(&lab, "127.0.93.20", "UnusedConnectionTimeout 1");
    let probe = bound("linux", "web", "", &links(&lab));
    assert!(vitals(&look(&*probe).await).memory.is_some());
    until("it has hung up", || log(&lab, "host").contains("terminating inactive connection"));
    let reading = look(&*probe).await;
    assert!(
        reading.outcome == Outcome::Unknown && reading.summary.line().contains("the next log-in is in"),
        "{}",
        reading.summary.line()
    );
    probe.told();
    assert!(vitals(&look(&*probe).await).memory.is_some());
}

#[tokio::test]
async fn of_several_hops_the_one_that_fails_is_named() {
    let lab = Lab::new();
    let jump = lab.sshd("jump", "127.0.93.21", VERBOSE);
    let inner = lab.sshd("host", "127.0.93.22", VERBOSE);
    lab.knows(&jump, "jump");
    let ways = |jump: &Sshd, inner: &Sshd| {
        format!("{}{} ProxyJump jump1\n", Lab::host("jump1", jump), Lab::host("web", inner))
    };
    let said = async |lab: &Lab| {
        let reading = look(&*bound("linux", "web", "", &links(lab))).await;
        (reading.outcome, reading.summary.line())
    };
    lab.config(&ways(&jump, &inner));
    let (outcome, line) = said(&lab).await;
    let by_hand = format!("`noctty ssh web:{port}` or `ssh -p {port} web`", port = inner.port);
    let (named, told) = (line.starts_with(&format!("web:{}: the host key ", inner.port)), line.contains(&by_hand));
    assert!(outcome == Outcome::Unknown && named && told, "{line}");
    lab.knows(&inner, "host");
    let (outcome, line) = said(&lab).await;
    assert!(outcome != Outcome::Unknown, "{line}");
    let (to, from) = (format!("{}:{}", inner.address, inner.port), format!("{}:{}", jump.address, jump.port));
    drop(inner.process);
    let (outcome, line) = said(&lab).await;
    let words = format!("web:{}: jump1:{} does not open a connection to {to}: ", inner.port, jump.port);
    assert!(outcome == Outcome::Critical && line.starts_with(&words), "{line}");
    println!("{line}");
    drop(jump.process);
    let (outcome, line) = said(&lab).await;
    let words = format!("jump1:{}: cannot connect to {from}: ", jump.port);
    assert!(line.starts_with(&words), "{outcome:?} {line}");
    println!("{outcome:?} {line}");
}

#[test]
fn thousands_of_mounts_hide_no_file_system_and_what_is_beyond_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/probe/vitals/linux.sh");
    let mounts = folder.path().join("mounts");
    let script =
        fs::read_to_string(script).expect("it is there").replace("/proc/mounts", &mounts.display().to_string());
    let again = folder.path().join("again and 2");
    fs::create_dir(&again).expect("made");
    let again = again.display().to_string().replace(' ', "\\040");
    // One file system in thousands of places, as machines full of containers have it, then others.
    let many = format!("/dev/one {again} ext4 rw 0 0\n").repeat(3_000);
    let disks = |others: usize| {
        let others: Vec<String> = (0..others).map(|n| format!("/dev/d{n} /gone/{n} xfs rw 0 0\n")).collect();
        fs::write(&mounts, format!("{many}/dev/root / ext4 rw 0 0\n{}", others.concat())).expect("written");
        let mut child =
            Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sh");
        child.stdin.take().expect("piped").write_all(b"MARK disks\n").expect("written");
        String::from_utf8(child.wait_with_output().expect("it ends").stdout).expect("text")
    };
    let told = disks(20);
    let (listed, counted) = told.split_once("MARK df\n").expect("both sections");
    assert_eq!((listed.matches("local ext4 ").count(), listed.contains("beyond")), (256, false), "{told}");
    let rows = counted.split("MARK inodes").next().expect("the first part");
    // Here all of them are on the root: 32 places of the first one, and the root itself.
    assert_eq!(rows.lines().filter(|line| line.ends_with(" /")).count(), 33, "{told}");
    assert!(told.ends_with("MARK end\n"), "{told}");
    // The same, and 31 others.
    assert!(disks(40).contains("\nbeyond 9\n"));
}

#[tokio::test]
async fn the_servers_of_the_demo_know_the_script() {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), Clock::start());
    let servers = SshServers::prepare(folder.path(), clock).expect("the folder is ours");
    let here = Ipv4Addr::LOCALHOST;
    let machine = Machine { name: "db01".into(), address: here, role: Role::Server, booted: clock.now(), seed: 1 };
    servers.start(machine, here).await.expect("a port");
    let config = Some(servers.write_files().expect("written"));
    let links = Links::new(Surroundings { config, agent: None, ..Surroundings::with_home(folder.path()) });
    let told = vitals(&look(&*bound("linux", "db01", "", &links)).await);
    assert!(told.memory.is_some() && told.packages.is_some() && !told.disks.is_empty(), "{told:?}");
}

/// What a server does with a look: `hang` in the file systems, `silent`, `flood`, or as it should.
const MOODS: &str = r#"mood=$(cat $lab/mood)
wait_for() { while [ "$(cat $lab/mood)" = "$1" ]; do sleep 0.05; done; }
case $mood in
  hang) read -r mark parts; echo "$parts" >>$lab/parts; printf "%s time\n%s\n%s loadavg\n0.5 0.5 0.5\n%s df\n" $mark $(date +%s) $mark $mark; wait_for hang ;;
  silent) wait_for silent ;;
  flood) read -r mark parts; echo "$mark time"; exec yes ;;
  late) read -r mark parts; yes | head -c 30000; exit 0 ;;
  *) read -r line; echo "${line#* }" >>$lab/parts; echo "$line" | sh -c "$SSH_ORIGINAL_COMMAND" ;;
esac"#;

fn mood(lab: &Lab, mood: &str) {
    fs::write(lab.path("mood.new"), mood).expect("written");
    fs::rename(lab.path("mood.new"), lab.path("mood")).expect("in one step");
}

#[tokio::test]
async fn what_hangs_is_given_up_left_out_for_a_while_and_costs_nothing_else() {
    let lab = Lab::new();
    mood(&lab, "hang");
    let _server = forced(&lab, "127.0.93.3", MOODS);
    let probe = bound("linux", "web", "", &links(&lab));
    let hung = look_within(&*probe, Duration::from_secs(4)).await;
    assert_eq!(hung.outcome, Outcome::Warning, "{}", hung.summary.line());
    assert!(hung.summary.line().starts_with("file systems: no answer in time · load 0.50"), "{}", hung.summary.line());
    mood(&lab, "well");
    let next = look(&*probe).await;
    assert!(next.summary.line().contains("file systems: left out, they hung before"), "{}", next.summary.line());
    assert!(vitals(&next).disks.is_empty(), "nothing old stands in its place");
    assert!(vitals(&next).memory.is_some());
    probe.told();
    let well = look(&*probe).await;
    assert!(!vitals(&well).disks.is_empty());
    let parts = fs::read_to_string(lab.path("parts")).expect("asked");
    assert_eq!(parts.lines().collect::<Vec<_>>(), ["fast state disks slow", "fast state slow", "fast state disks"]);
    assert_eq!(let_in(&lab, "host"), 1, "a command that hangs does not cost the connection");
}

#[tokio::test]
async fn a_flood_is_cut_off_and_the_next_look_works_on_the_same_connection() {
    let lab = Lab::new();
    let _server = forced(&lab, "127.0.93.4", MOODS);
    let probe = bound("linux", "web", "", &links(&lab));
    mood(&lab, "flood");
    let flooded = look(&*probe).await;
    assert_eq!(flooded.outcome, Outcome::Warning, "{}", flooded.summary.line());
    assert!(flooded.summary.line().contains("an answer without an end"), "{}", flooded.summary.line());
    mood(&lab, "late");
    let nothing = look(&*probe).await;
    assert_eq!(nothing.outcome, Outcome::Unknown);
    assert!(nothing.summary.line().contains("no shell that runs a script"), "{}", nothing.summary.line());
    mood(&lab, "silent");
    let silent = look_within(&*probe, Duration::from_secs(2)).await;
    assert_eq!(
        (silent.outcome, silent.summary.line().as_str()),
        (Outcome::Critical, "logged in, but no answer in time")
    );
    mood(&lab, "well");
    assert!(vitals(&look(&*probe).await).memory.is_some());
    assert_eq!(let_in(&lab, "host"), 1);
}

#[tokio::test]
async fn a_lost_connection_is_said_and_made_anew_no_faster_than_log_ins_may_come() {
    let lab = Lab::new();
    let server = web(&lab, "127.0.93.5", "");
    let probe = bound("linux", "web", "", &links(&lab));
    assert!(vitals(&look(&*probe).await).memory.is_some());
    let killed = kill_sessions(&server);
    assert!(killed > 0, "no session was found");
    let lost = look(&*probe).await;
    assert_eq!(lost.outcome, Outcome::Unknown, "nothing is known of it");
    let words = lost.summary.line();
    assert!(words.contains("the next log-in is in"), "{words}");
    assert_eq!(let_in(&lab, "host"), 1, "the last log-in was a moment ago");
    probe.told();
    assert!(vitals(&look(&*probe).await).memory.is_some());
    assert_eq!(let_in(&lab, "host"), 2);
}

/// Ends the processes that serve connections, not the one that listens.
fn kill_sessions(server: &Sshd) -> usize {
    let listener = server.process.0.id();
    let mut killed = 0;
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        if parent == Some(listener) {
            let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
            killed += usize::from(rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok());
        }
    }
    killed
}

#[tokio::test]
async fn checks_of_one_host_wait_for_each_other_where_the_server_allows_one_session() {
    let lab = Lab::new();
    let _server = web(&lab, "127.0.93.41", "MaxSessions 1");
    let links = links(&lab);
    let checks = [0; 3].map(|_| bound("linux", "web", "", &links));
    for reading in all_at_once(&checks).await {
        assert!(vitals(&reading).memory.is_some(), "{}", reading.summary.line());
    }
    assert_eq!(let_in(&lab, "host"), 1);
}

/// All at once.
async fn all_at_once(checks: &[Box<dyn Probe>; 3]) -> [Reading; 3] {
    let [a, b, c] = checks;
    tokio::join!(look(&**a), look(&**b), look(&**c)).into()
}

#[tokio::test]
async fn a_host_key_that_changes_is_critical_and_nobody_logs_in() {
    let lab = Lab::new();
    lab.keygen("old", "");
    let server = lab.sshd("host", "127.0.93.6", VERBOSE);
    lab.knows(&server, "old");
    lab.config(&Lab::host("web", &server));
    let probe = bound("linux", "web", "", &links(&lab));
    let reading = look(&*probe).await;
    assert_eq!(reading.outcome, Outcome::Critical);
    assert!(reading.summary.line().contains("THE HOST KEY HAS CHANGED"), "{}", reading.summary.line());
    let again = look(&*probe).await;
    assert!(again.summary.line().contains("tried again in"), "{}", again.summary.line());
    assert_eq!((let_in(&lab, "host"), came(&lab)), (0, 1));
}

/// Connections that reached the key exchange; the lab itself connects once to see that the server is there.
fn came(lab: &Lab) -> usize {
    log(lab, "host").matches("Connection from").count().saturating_sub(1)
}

#[tokio::test]
async fn an_unknown_host_key_needs_a_human_and_what_to_do_is_said() {
    let lab = Lab::new();
    let server = lab.sshd("host", "127.0.93.7", VERBOSE);
    lab.config(&Lab::host("web", &server));
    let probe = bound("linux", "web", "", &links(&lab));
    let reading = look(&*probe).await;
    assert_eq!(reading.outcome, Outcome::Unknown);
    assert!(reading.summary.line().contains("noctty ssh web"), "{}", reading.summary.line());
    lab.knows(&server, "host");
    probe.told();
    assert!(vitals(&look(&*probe).await).memory.is_some(), "known hosts are read anew");
}

#[tokio::test]
async fn who_is_not_let_in_stops_asking_until_told() {
    let lab = Lab::new();
    let _server = web(&lab, "127.0.93.8", "");
    lab.keygen("other", "");
    lab.authorize("other");
    let probe = bound("linux", "web", "", &links(&lab));
    let refused = look(&*probe).await;
    assert_eq!(refused.outcome, Outcome::Unknown);
    assert!(refused.summary.line().contains("is not let in"), "{}", refused.summary.line());
    for _ in 0..3 {
        let again = look(&*probe).await;
        assert!(again.summary.line().contains("; tried again in"), "{}", again.summary.line());
    }
    assert_eq!(came(&lab), 1, "{}", log(&lab, "host"));
    probe.told();
    look(&*probe).await;
    assert_eq!(came(&lab), 2);
    fs::write(lab.path("authorized_keys"), fs::read(lab.path("id.pub")).expect("read")).expect("written");
    probe.told();
    assert!(vitals(&look(&*probe).await).memory.is_some());
}

#[tokio::test]
async fn a_host_that_is_not_there_is_critical() {
    let lab = Lab::new();
    let server = web(&lab, "127.0.93.9", "");
    drop(server);
    let probe = bound("linux", "web", "", &links(&lab));
    let reading = look(&*probe).await;
    assert_eq!(reading.outcome, Outcome::Critical);
    assert!(reading.summary.line().contains("cannot connect to 127.0.93.9"), "{}", reading.summary.line());
}

#[tokio::test]
async fn machines_behind_one_jump_host_share_one_connection_to_it() {
    let lab = Lab::new();
    let jump = lab.sshd("jump", "127.0.93.10", VERBOSE);
    let inner = lab.sshd("host", "127.0.93.11", VERBOSE);
    let other = lab.sshd("other", "127.0.93.12", VERBOSE);
    lab.knows(&jump, "jump");
    lab.knows(&inner, "host");
    lab.knows(&other, "other");
    lab.config(&format!(
        "{}{} ProxyJump jump1\n{} ProxyJump jump1\n",
        Lab::host("jump1", &jump),
        Lab::host("web", &inner),
        Lab::host("db", &other)
    ));
    let links = links(&lab);
    let probes = [bound("linux", "web", "", &links), bound("linux", "db", "", &links)];
    for _ in 0..2 {
        let (web, db) = tokio::join!(look(&*probes[0]), look(&*probes[1]));
        assert!(vitals(&web).memory.is_some() && vitals(&db).memory.is_some());
    }
    assert_eq!(["jump", "host", "other"].map(|server| let_in(&lab, server)), [1, 1, 1]);
}

#[tokio::test]
async fn a_command_beyond_its_time_costs_its_own_channel_and_ends_with_it() {
    let lab = Lab::new();
    let server = web(&lab, "127.0.93.13", "");
    let config = lab.config(&Lab::host("web", &server));
    let target = Target::parse("web").expect("a target");
    let connection =
        Connection::open(&config, &target, &Names::default(), &Attendant::headless()).await.expect("connected");
    let bounds = Bounds { time: Duration::from_secs(2), output: 100_000 };
    let ran =
        connection.once("echo $$; while sleep 0.1; do echo more; done", Vec::new(), bounds).await.expect("it runs");
    assert_eq!(ran.end, End::TimedOut);
    let output = String::from_utf8(ran.output).expect("text");
    let pid = output.lines().next().expect("a pid").to_owned();
    let gone = || fs::read(Path::new("/proc").join(&pid).join("cmdline")).unwrap_or_default().is_empty();
    let ended = async {
        while !gone() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, ended).await.expect("the command is ended");
    let ran = connection.once("cat; exit 7", b"in".to_vec(), bounds).await.expect("the next one runs");
    assert_eq!((ran.end, ran.output.as_slice()), (End::Ended(Some(7)), &b"in"[..]));
    let bounds = Bounds { output: 10, ..bounds };
    let ran = connection.once("yes", Vec::new(), bounds).await.expect("it runs");
    assert_eq!((ran.end, ran.output.len()), (End::Flooded, 10));
}

/// There is no Windows here: what a server is given is looked at, and what it would say is played back.
/// By a grammar of PowerShell that nobody here wrote.
const PARSE: &str = "
import sys, tree_sitter, tree_sitter_powershell
tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language())).parse(sys.stdin.buffer.read())
wrong = lambda node: [node] * (node.is_error or node.is_missing) + [one for child in node.children for one in wrong(child)]
print([(node.start_point, node.text) for node in wrong(tree.root_node)])
";

#[test]
fn what_windows_is_given_is_powershell() {
    let parsed = |script: &str| {
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/grammar/bin/python");
        let mut child = Command::new(python)
            .args(["-c", PARSE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/setup has installed it");
        child.stdin.take().expect("piped").write_all(script.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("it ends");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/probe/vitals/windows.ps1");
    let script = fs::read_to_string(file).expect("it is there");
    assert_eq!(parsed(&script), "[]");
    assert_ne!(parsed(&script.replacen("@{", "@(", 1)), "[]", "it would find a slip");
    assert!(script.is_ascii());
}

#[tokio::test]
async fn a_windows_machine_is_asked_by_one_powershell_line() {
    let lab = Lab::new();
    fs::write(
        lab.path("answer"),
        r#"{"noctty":1,"time":1,"name":"FILE01","system":"Windows Server 2022","version":"10.0.20348","architecture":"64-bit","uptime":5,"cores":2,"cpu":3,"memory_kb":1000,"memory_free_kb":500,"page_mb":null,"page_used_mb":null,"disks":[{"name":"C:","size":1000,"free":20}],"services":["Spooler"],"drives":[],"reboot":false}"#,
    )
    .expect("written");
    let _server = forced(&lab, "127.0.93.14", "echo \"$SSH_ORIGINAL_COMMAND\" >$lab/asked\ncat $lab/answer");
    let probe = bound("windows", "web", "", &links(&lab));
    let reading = look(&*probe).await;
    assert_eq!(reading.outcome, Outcome::Critical);
    assert!(reading.summary.line().contains("C: 98 % full"), "{}", reading.summary.line());
    assert_eq!(vitals(&reading).name.line(), "FILE01");
    let asked = fs::read_to_string(lab.path("asked")).expect("asked");
    assert!(asked.starts_with("powershell -NoProfile -NonInteractive -EncodedCommand "), "{asked}");
    // One service alone, and words in an old code page: what is not understood costs nothing else.
    let alone = b"{\"noctty\":1,\"system\":\"Syst\x8ame\",\"services\":\"Spooler\",\"disks\":{\"name\":\"D:\",\"size\":10,\"free\":9}}";
    fs::write(lab.path("answer"), alone).expect("written");
    let reading = look(&*probe).await;
    assert!(reading.summary.line().contains("Spooler"), "{}", reading.summary.line());
    assert_eq!(vitals(&reading).disks.len(), 1);
    fs::write(lab.path("answer"), "'powershell' is not recognized\n").expect("written");
    assert_eq!(look(&*probe).await.outcome, Outcome::Unknown);
    assert_eq!(let_in(&lab, "host"), 1);
}

#[test]
fn noctty_check_looks_and_without_a_configuration_nobody_is_logged_in() {
    let lab = Lab::new();
    let _server = web(&lab, "127.0.93.15", "");
    let file = lab.path("noctty.toml");
    fs::write(
        &file,
        "[[host]]\nname = \"web\"\naddress = \"127.0.93.15\"\nchecks = [{ kind = \"linux\", ignore = [\"*\"] }]\n",
    )
    .expect("written");
    let noctty = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_noctty"));
        command.args(arguments).env("HOME", lab.home.path()).env_remove("SSH_AUTH_SOCK").env_remove("XDG_CONFIG_HOME");
        let output = command.output().expect("it runs");
        String::from_utf8(output.stdout).expect("text")
    };
    let plan = noctty(&["--config", file.to_str().expect("a path"), "plan"]);
    assert!(plan.contains("SSH, one connection kept"), "{plan}");
    assert_eq!(came(&lab), 0, "a plan sends nothing");
    let checked = noctty(&["--config", file.to_str().expect("a path"), "check", "--json"]);
    let checked: serde_json::Value = serde_json::from_str(&checked).expect("json");
    let check = &checked["hosts"][0]["checks"][0];
    assert_eq!(check["kind"], "linux");
    assert!(check["metrics"].as_array().is_some_and(|m| m.iter().any(|m| m["name"] == "memory")), "{check}");
    assert_eq!(let_in(&lab, "host"), 1);
    let plan = noctty(&["plan"]);
    assert!(plan.contains("web") && !plan.contains("one connection kept"), "{plan}");
}
