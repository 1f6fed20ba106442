//! The `plugin` check with the plugins of monitoring-plugins, and with some that behave as badly as they can.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use noctty::model::{Outcome, Unit};
use noctty::process::warden;

use crate::peer::until;
use crate::probes::{ask, ask_patiently, ask_within, told};
use crate::web::{log, metric};

const PLUGINS: &str = "/usr/lib/nagios/plugins";

#[tokio::test]
async fn the_exit_status_is_the_verdict_and_the_numbers_are_kept() {
    for (status, outcome, word) in [
        (0, Outcome::Ok, "OK"),
        (1, Outcome::Warning, "WARNING"),
        (2, Outcome::Critical, "CRITICAL"),
        (3, Outcome::Unknown, "UNKNOWN"),
    ] {
        let command = format!("command = ['{PLUGINS}/check_dummy', '{status}', 'says so']");
        assert_eq!(told(&ask_patiently("plugin", "127.0.0.1", &command).await), (outcome, format!("{word}: says so")));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
    let port = listener.local_addr().expect("an address").port();
    let command = format!(
        "command = ['{PLUGINS}/check_tcp', '-H', '{{address}}', '-p', '{port}', '-w', '1', '-c', '1.5', '-t', '2']"
    );
    let reading = ask_patiently("plugin", "127.0.0.1", &command).await;
    let (outcome, line) = told(&reading);
    assert!(outcome == Outcome::Ok && line.contains(&format!("on 127.0.0.1 port {port}")), "{line}");
    let time = reading.metrics.iter().find(|m| &*m.name == "time").expect("a time");
    assert!(time.unit == Unit::Seconds && time.value < 1.0, "{time:?}");
    assert!((metric(&reading, "time:warning") - 1.0).abs() < 1e-9, "{reading:?}");
    assert!((metric(&reading, "time:critical") - 1.5).abs() < 1e-9);
    drop(listener);
    let (outcome, line) = told(&ask_patiently("plugin", "127.0.0.1", &command).await);
    assert!(outcome == Outcome::Critical && line.contains("Connection refused"), "{line}");
    let disk = ask_patiently(
        "plugin",
        "127.0.0.1",
        &format!("command = ['{PLUGINS}/check_disk', '-w', '1', '-c', '0', '-p', '/']"),
    )
    .await;
    let root = disk.metrics.iter().find(|m| &*m.name == "/").unwrap_or_else(|| panic!("no / in {disk:?}"));
    assert!(root.unit == Unit::Bytes && root.value > 1e6, "{root:?}");
}

#[tokio::test]
async fn secrets_go_by_environment_and_no_shell_is_between() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    fs::write(&secret, "hunter2\n").expect("written");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("mode");
    let script = folder.path().join("plugin");
    let text = "#!/bin/sh\necho \"$# $1 $PLAIN ${#TOKEN} $(pwd)\"\necho trouble >&2\necho 'second line'\n";
    fs::write(&script, text).expect("written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("mode");
    let options = format!(
        "command = ['{}', '$(id); {{name}}']\nfolder = '/'\nenvironment = {{ PLAIN = 'open', TOKEN = {{ file = '{}' }} }}",
        script.display(),
        secret.display()
    );
    let reading = ask_patiently("plugin", "127.0.0.1", &options).await;
    assert_eq!(told(&reading), (Outcome::Ok, "1 $(id); peer open 7 /".to_owned()));
    assert_eq!(log(&reading), ["second line", "stderr: trouble"]);
    let (outcome, line) = told(&ask_patiently("plugin", "127.0.0.1", "command = ['/nonexistent/check']").await);
    assert_eq!((outcome, line.as_str()), (Outcome::Unknown, "/nonexistent/check is not installed"));
    let (outcome, line) = told(&ask_patiently("plugin", "127.0.0.1", "command = ['sh', '-c', 'kill -9 $$']").await);
    assert_eq!((outcome, line.as_str()), (Outcome::Unknown, "ended by a signal: it prints nothing"));
}

/// Whether a process with this name as its first argument is there.
fn running(name: &str) -> bool {
    let entries = fs::read_dir("/proc").expect("/proc can be listed");
    entries.flatten().any(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first().is_none_or(|byte| *byte == 0))
    })
}

#[tokio::test]
async fn one_that_ignores_its_end_forks_and_floods_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = format!("noctty-bad-plugin-{}", std::process::id());
    let script = folder.path().join("plugin");
    // A child in its group, one in a session of its own; both hold the pipe and ignore being asked to end.
    let text = format!(
        "#!/bin/bash\ntrap '' TERM PIPE HUP\n(trap '' TERM; exec -a {name} sleep 300) &\n\
         setsid bash -c \"trap '' TERM; exec -a {name} sleep 300\" &\ntouch {here}/started\n\
         much=$(printf '%65536s' flood)\nwhile :; do [ \"$1\" = flood ] && echo \"$much\"; done\n",
        here = folder.path().display()
    );
    fs::write(&script, text).expect("written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("mode");
    for (mode, wanted) in
        [("flood", "printed more than 256 KiB and was stopped"), ("hang", "did not end within 2s and was stopped")]
    {
        let begun = Instant::now();
        let options = format!("command = ['{}', '{mode}']", script.display());
        let (outcome, line) = told(&ask("plugin", "127.0.0.1", &options).await);
        assert!(outcome == Outcome::Unknown && line.ends_with(wanted), "{mode}: {line}");
        assert!(begun.elapsed().as_secs() < 4, "{mode} took {:?}", begun.elapsed());
        assert!(folder.path().join("started").exists(), "{mode}: it did not come so far");
        until("nothing of it is left", || !running(&name));
    }
}

const NOCTTY: &str = env!("CARGO_BIN_EXE_noctty");

/// What a plugin does to be rid of whoever started it, as lines of a shell script: it keeps running under `name`, in a session of its own with an
/// environment that was cleared, and as a grandchild whose parent has ended; each holds none of its outputs.
fn escapes(name: &str) -> String {
    let away =
        format!("/bin/bash -c \"trap '' TERM HUP; exec -a {name} /usr/bin/sleep 600\" </dev/null >/dev/null 2>&1");
    format!("env -i /usr/bin/setsid {away} &\n( ( env -i /usr/bin/setsid {away} & ) & )\n( exec {away} & )\n")
}

fn script(folder: &Path, text: &str) -> PathBuf {
    let script = folder.join("plugin");
    fs::write(&script, text).expect("written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("mode");
    script
}

/// How many processes have this name as their first argument.
fn count(name: &str) -> usize {
    let entries = fs::read_dir("/proc").expect("/proc can be listed");
    let is_it = |entry: &fs::DirEntry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first().is_none_or(|byte| *byte == 0))
    };
    entries.flatten().filter(is_it).count()
}

/// A process of the same name that no plugin has started.
struct Stranger(Child);

impl Stranger {
    fn start(name: &str) -> Self {
        let run = format!("exec -a {name} sleep 600");
        let child = Command::new("/bin/bash").args(["-c", &run]).stdin(Stdio::null()).spawn().expect("bash runs");
        until("the stranger is there", || count(name) == 1);
        Self(child)
    }

    fn lives(&mut self) -> bool {
        self.0.try_wait().expect("it can be asked").is_none()
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        // Where it has ended already, the test has failed for that.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn what_escapes_ends_with_the_plugin_however_it_ends_and_nothing_else_does() {
    warden::use_program(NOCTTY);
    let folder = tempfile::tempdir().expect("a folder");
    let name = format!("noctty-escaped-{}", std::process::id());
    let mut stranger = Stranger::start(&name);
    let here = folder.path().display();
    let started = format!("until [ \"$(pgrep -fc '^{name}')\" -ge 4 ]; do sleep 0.05; done; touch {here}/started\n");
    let much = "much=$(printf '%65536s' flood)\n";
    let bad = "trap '' TERM PIPE HUP\n";
    for (end, wanted, word) in [
        ("echo fine; exit 0\n", Outcome::Ok, "fine"),
        ("exec >&- 2>&-; exit 2\n", Outcome::Critical, "nothing"),
        ("while :; do sleep 600 & sleep 0.1; done\n", Outcome::Unknown, "did not end within 6s and was stopped"),
        ("while :; do echo \"$much\"; done\n", Outcome::Unknown, "printed more than 256 KiB and was stopped"),
        ("kill -SEGV $$\n", Outcome::Unknown, "ended by a signal"),
    ] {
        let plugin = script(folder.path(), &format!("#!/bin/bash\n{bad}{much}{}{started}{end}", escapes(&name)));
        let options = format!("command = ['{}']", plugin.display());
        let (outcome, line) = told(&ask_within(Duration::from_secs(6), "plugin", "127.0.0.1", &options).await);
        assert!(outcome == wanted && line.contains(word), "{end}: {outcome:?} {line}");
        assert!(fs::remove_file(folder.path().join("started")).is_ok(), "{end}: it did not come so far");
        // Nothing runs on when the result is there: nobody has to wait for it.
        assert_eq!(count(&name), 1, "{end}");
        assert!(stranger.lives(), "{end}: a process that the plugin did not start was ended");
    }
}

/// The parent of a process, and that one's parent.
fn above(pid: u32) -> [u32; 2] {
    let parent = |pid: u32| -> u32 {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
        let mut fields = stat.rsplit(") ").next().expect("fields").split_whitespace();
        fields.nth(1).and_then(|field| field.parse().ok()).expect("a parent")
    };
    let first = parent(pid);
    [first, parent(first)]
}

#[tokio::test]
async fn who_kills_the_warden_or_its_deputy_kills_the_plugin_with_all_that_escaped() {
    warden::use_program(NOCTTY);
    let folder = tempfile::tempdir().expect("a folder");
    let name = format!("noctty-unwatched-{}", std::process::id());
    let here = folder.path().display();
    for (ends, grabs) in [("echo \"$much\"", ""), ("sleep 600 & sleep 0.1", "exec >/dev/null 2>&1\n")] {
        for (at, victim) in ["the deputy", "the warden"].into_iter().enumerate() {
            let text = format!(
                "#!/bin/bash\ntrap '' TERM PIPE HUP\nmuch=$(printf '%1024s' flood)\n{grabs}{}echo $$ > {here}/pid.new\n\
                 mv {here}/pid.new {here}/pid\nwhile :; do {ends}; sleep 0.05; done\n",
                escapes(&name)
            );
            let plugin = script(folder.path(), &text);
            let pid = folder.path().join("pid");
            let watched = name.clone();
            let killer = std::thread::spawn(move || {
                until("the plugin and all that escapes it run", || pid.exists() && count(&watched) == 3);
                let plugin: u32 = fs::read_to_string(&pid).expect("its id").trim().parse().expect("a number");
                fs::remove_file(&pid).expect("removed");
                let victim = i32::try_from(above(plugin)[at]).ok().and_then(rustix::process::Pid::from_raw);
                rustix::process::kill_process(victim.expect("an id"), rustix::process::Signal::KILL).expect("killed");
                plugin
            });
            let options = format!("command = ['{}']", plugin.display());
            let (outcome, line) = told(&ask_within(Duration::from_secs(30), "plugin", "127.0.0.1", &options).await);
            assert_eq!(outcome, Outcome::Unknown, "{victim}: {line}");
            let plugin = killer.join().expect("it was killed");
            assert_eq!(count(&name), 0, "{victim}, {ends}: something goes on");
            assert!(!Path::new(&format!("/proc/{plugin}")).exists(), "{victim}, {ends}: the plugin goes on");
        }
    }
}

#[tokio::test]
async fn a_plugin_whose_interpreter_is_missing_says_so() {
    warden::use_program(NOCTTY);
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = script(folder.path(), "#!/nonexistent/python\n");
    let options = format!("command = ['{}']", plugin.display());
    let (outcome, line) = told(&ask("plugin", "127.0.0.1", &options).await);
    let wanted = "the interpreter that its first line names is not there";
    assert!(outcome == Outcome::Unknown && line.ends_with(wanted), "{line}");
}

#[test]
fn when_noctty_is_killed_its_plugins_end_with_all_that_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = format!("noctty-orphan-{}", std::process::id());
    let text = format!(
        "#!/bin/bash\ntrap '' TERM PIPE HUP\n{}while :; do exec -a {name} /usr/bin/sleep 600; done\n",
        escapes(&name)
    );
    let plugin = script(folder.path(), &text);
    let config = format!(
        "[[host]]\nname = \"h\"\naddress = \"127.0.0.1\"\nchecks = [{{ kind = \"plugin\", command = [\"{}\"], timeout = \"60s\" }}]\n",
        plugin.display()
    );
    fs::write(folder.path().join("noctty.toml"), config).expect("written");
    let mut noctty = Command::new(NOCTTY)
        .args(["--config".as_ref(), folder.path().join("noctty.toml").as_os_str(), "check".as_ref()])
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("noctty runs");
    until("the plugin and all that escapes it run", || count(&name) == 4);
    noctty.kill().expect("killed");
    noctty.wait().expect("it ended");
    until("nothing of it is left", || count(&name) == 0);
}
