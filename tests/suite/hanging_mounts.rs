//! A mount whose server never answers, as a dead NFS server or a FUSE program that hangs makes it: mounted with `/dev/fuse` in a
//! mount namespace of its own, where whoever asks waits. Some can be ended while they wait, and some the kernel holds.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use noctty::base::Clock;
use noctty::model::{Outcome, Reading};
use noctty::net::Net;
use noctty::probe::{Cx, Probe};
use rustix::process::getuid;

use super::agentless::{bound, forced, links, vitals};
use super::lab::{Lab, Running, run};
use super::peer::until;

/// Mounts at its first argument. `mute` reads no request: who asks can be ended. `deaf` begins as a FUSE program does, then takes
/// requests and answers none: who asks is held until it is gone.
const SERVER: &str = r#"
import ctypes, os, struct, sys, time
place, mode = sys.argv[1:]
if not os.path.exists("/dev/fuse"):
    os.mknod("/dev/fuse", 0o20600, os.makedev(10, 229))
fuse = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={fuse},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
if libc.mount(b"dead", os.fsencode(place), b"fuse.dead", 6, options.encode()) != 0:
    raise OSError(ctypes.get_errno(), "mount")
print("mounted", flush=True)
if mode == "deaf":
    unique = struct.unpack_from("<IIQ", os.read(fuse, 1 << 17))[2]
    answer = struct.pack("<IIIIHHII", 7, 31, 0, 0, 12, 9, 4096, 1).ljust(64, b"\0")
    os.write(fuse, struct.pack("<IiQ", 16 + len(answer), 0, unique) + answer)
    while True:
        os.read(fuse, 1 << 17)
while True:
    time.sleep(60)
"#;

/// A namespace with such a mount in it; the mount answers with an error once this is gone.
struct Hanging {
    place: PathBuf,
    server: Running,
}

impl Hanging {
    fn mount(lab: &Lab, mode: &str) -> Self {
        // A blank and a digit: `/proc/mounts` writes them as `\0402`.
        let place = lab.path("dead 2");
        fs::create_dir_all(&place).expect("made");
        let flags = if getuid().is_root() { "-m" } else { "-Urm" };
        let mut child = Command::new("unshare")
            .args([flags, "python3", "-c", SERVER])
            .arg(&place)
            .arg(mode)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare of util-linux runs");
        let mut said = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut said).expect("read");
        assert_eq!(said, "mounted\n", "FUSE is to be had");
        Self { place, server: Running(child) }
    }

    /// What enters the namespace.
    fn enter(&self) -> Vec<String> {
        let mut words = vec!["nsenter", "--mount", "--target"].into_iter().map(str::to_owned).collect::<Vec<_>>();
        words.push(self.server.0.id().to_string());
        if !getuid().is_root() {
            words.extend(["--user", "--preserve-credentials"].map(str::to_owned));
        }
        words
    }

    /// Processes that ask for it.
    fn waiting(&self) -> Vec<String> {
        let entries = fs::read_dir("/proc").expect("/proc").flatten();
        let asks = |pid: &String| {
            let line = fs::read(Path::new("/proc").join(pid).join("cmdline")).unwrap_or_default();
            line.starts_with(b"stat\0")
                && line.split(|b| *b == 0).any(|word| word == self.place.as_os_str().as_encoded_bytes())
        };
        let pids = entries.filter_map(|entry| entry.file_name().into_string().ok());
        pids.filter(|name| name.bytes().all(|b| b.is_ascii_digit())).filter(asks).collect()
    }

    fn words(&self) -> String {
        format!("{} gives no answer", self.place.display())
    }
}

async fn look(probe: &dyn Probe) -> Reading {
    let cx = Cx { net: Net::new(Clock::start()), family: None, timeout: Duration::from_secs(40) };
    probe.run(&cx).await
}

/// Everything that a look tells was told, and that the mount hangs.
fn told(reading: &Reading, hanging: &Hanging) {
    let line = reading.summary.line();
    assert_eq!(reading.outcome, Outcome::Critical, "{line}");
    assert!(line.contains(&hanging.words()) && !line.contains("in time") && !line.contains("left out"), "{line}");
    let vitals = vitals(reading);
    assert!(vitals.memory.is_some() && vitals.load.is_some() && vitals.clock.is_some(), "{vitals:?}");
    assert!(vitals.mounts.iter().any(|mount| mount.line().contains("dead 2 fuse.dead")), "{:?}", vitals.mounts);
}

#[tokio::test]
async fn a_mount_that_hangs_is_named_the_rest_is_told_and_nobody_piles_up_there() {
    for (mode, kept) in [("mute", 0), ("deaf", 1)] {
        let lab = Lab::new();
        let hanging = Hanging::mount(&lab, mode);
        let script = format!("exec {} sh -c \"$SSH_ORIGINAL_COMMAND\"", hanging.enter().join(" "));
        let _server = forced(&lab, "127.0.93.61", &script);
        let probe = bound("linux", "web", "", &links(&lab));
        let mut before = None;
        for _ in 0..3 {
            let reading = look(&*probe).await;
            told(&reading, &hanging);
            assert!(vitals(&reading).disks.iter().any(|disk| disk.mount.line() == "/"), "{mode}");
            until("nobody waits there but who cannot be ended", || hanging.waiting().len() <= kept);
            let waiting = hanging.waiting();
            assert_eq!(waiting.len(), kept, "{mode}: {waiting:?}");
            assert!(
                before.replace(waiting.clone()).is_none_or(|before| before == waiting),
                "{mode}: it is the same one"
            );
        }
        let Hanging { place, mut server } = hanging;
        // The namespace stays as long as somebody is in it.
        let inside = Hanging { place, server: Running(inside(&server)) };
        server.0.kill().expect("ended");
        server.0.wait().expect("ended");
        until("who was held is let go", || inside.waiting().is_empty());
    }
}

/// Somebody in a namespace.
fn inside(server: &Running) -> std::process::Child {
    let target = server.0.id().to_string();
    let mut command = Command::new("nsenter");
    command.args(["--mount", "--target", &target]);
    if !getuid().is_root() {
        command.args(["--user", "--preserve-credentials"]);
    }
    command.args(["sleep", "600"]).spawn().expect("nsenter of util-linux runs")
}

#[tokio::test]
async fn the_df_of_busybox_which_looks_at_every_mount_is_not_run_while_one_hangs() {
    let lab = Lab::new();
    let tools = lab.path("tools");
    fs::create_dir(&tools).expect("made");
    for applet in run(Command::new("busybox").arg("--list")).lines() {
        symlink("/usr/bin/busybox", tools.join(applet)).expect("linked");
    }
    let hanging = Hanging::mount(&lab, "deaf");
    let enter = hanging.enter().join(" ");
    let script = format!("export PATH={}\nexec /usr/bin/{enter} sh -c \"$SSH_ORIGINAL_COMMAND\"", tools.display());
    let _server = forced(&lab, "127.0.93.62", &script);
    let probe = bound("linux", "web", "", &links(&lab));
    for _ in 0..2 {
        let reading = look(&*probe).await;
        told(&reading, &hanging);
        let vitals = vitals(&reading);
        let why = vitals.missing.iter().find(|missing| missing.what == "file systems").expect("it is said");
        assert!(why.why.line().contains("would hang"), "{why:?}");
        assert_eq!(hanging.waiting().len(), 1);
    }
}

#[test]
fn this_machine_names_the_mount_that_hangs_and_nobody_piles_up_there_from_run_to_run() {
    for (mode, kept) in [("mute", 0), ("deaf", 1)] {
        let lab = Lab::new();
        let file = lab.path("noctty.toml");
        fs::write(
            &file,
            "[[host]]\nname = \"here\"\nchecks = [{ kind = \"local\", timeout = \"15s\", attempts = 1 }]\n",
        )
        .expect("written");
        let hanging = Hanging::mount(&lab, mode);
        for _ in 0..2 {
            let enter = hanging.enter();
            let output = Command::new(&enter[0])
                .args(&enter[1..])
                .args([env!("CARGO_BIN_EXE_noctty"), "check", "--json", "--config"])
                .arg(&file)
                .env("HOME", lab.home.path())
                .stdin(Stdio::null())
                .output()
                .expect("nsenter of util-linux runs");
            let said = String::from_utf8(output.stdout).expect("text");
            let json: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
            let check = &json["hosts"][0]["checks"][0];
            assert_eq!(check["vitals"]["silent_mounts"][0], hanging.place.to_str().expect("text"), "{check}");
            assert!(check["summary"].as_str().is_some_and(|words| words.contains(&hanging.words())), "{check}");
            assert!(
                check["vitals"]["memory_bytes"].is_u64() && check["vitals"]["disks"][0]["mount"].is_string(),
                "{check}"
            );
            until("nobody waits there but who cannot be ended", || hanging.waiting().len() <= kept);
        }
        assert_eq!(hanging.waiting().len(), kept, "{mode}");
    }
}
