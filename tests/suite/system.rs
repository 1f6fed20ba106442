//! `noctty collect --system`: one engine for several users of a machine. Nobody but root can become another user, so elsewhere
//! only what it refuses is tested.

use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use noctty::attach::{Link, LinkError};
use noctty::base::Clock;
use noctty::bus::Notice;
use noctty::model::Role;

use super::console::{Launch, PATIENCE};
use super::lab::Running;
use super::visitors::claim_by;

const NOCTTY: &str = env!("CARGO_BIN_EXE_noctty");
/// In every Debian; nobody is in it.
const GROUP: &str = "users";
const GROUP_ID: u32 = 100;
const CONFIGURATION: &str = "[[host]]\nname = \"core\"\nchecks = []\n\
                             [roles]\noperate = [\"uid 4242\"]\nadmin = [\"group:games\"]\n";

struct Place {
    folder: tempfile::TempDir,
    told: UnixDatagram,
}

impl Place {
    /// Others come as far as the socket's folder.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).expect("changed");
        std::fs::write(folder.path().join("noctty.toml"), CONFIGURATION).expect("written");
        let told = UnixDatagram::bind(folder.path().join("notify")).expect("a socket");
        told.set_read_timeout(Some(PATIENCE)).expect("set");
        Self { folder, told }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// With the command line of a unit, in this place.
    fn collector(&self, words: &[&str], state: &str, group: &str) -> Command {
        let mut command = Command::new(NOCTTY);
        command.args(words).arg("--config").arg(self.at("noctty.toml")).arg("--state").arg(self.at(state));
        command.arg("--run-dir").arg(self.at("run")).args(["--group", group]);
        command.env("NOTIFY_SOCKET", self.at("notify")).env("HOME", self.folder.path());
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn serve(&self, words: &[&str]) -> Running {
        let running = Running(self.collector(words, "state", GROUP).spawn().expect("it starts"));
        let mut bytes = [0; 200];
        let length = self.told.recv(&mut bytes).expect("it says something in time");
        assert!(bytes[..length].starts_with(b"READY=1\n"));
        running
    }

    fn refused(&self, state: &str, group: &str) -> String {
        let mut child = self.collector(&["collect", "--system"], state, group).spawn().expect("it starts");
        let mut words = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut words).expect("read");
        assert_eq!(child.wait().expect("it ends").code(), Some(3), "{words}");
        words
    }

    /// `noctty attach --stdio` as another user, who has no engine of its own.
    fn visitor(&self, program: &Path, user: u32, groups: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new("setpriv");
        command.arg(format!("--reuid={user}")).args(groups).arg(program).args(["attach", "--stdio"]);
        command.env("HOME", self.folder.path()).env("RUNTIME_DIRECTORY", self.at("run"));
        command.env_remove("XDG_STATE_HOME").kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    async fn attach(&self, program: &Path, user: u32, groups: &[&str], said: &str) -> Result<Link, LinkError> {
        let mut child = self.visitor(program, user, groups).spawn().expect("setpriv runs");
        let stream = tokio::io::join(child.stdout.take().expect("piped"), child.stdin.take().expect("piped"));
        // It ends with its input.
        tokio::spawn(async move { child.wait().await });
        Link::open(stream, Clock::start(), said).await
    }
}

/// Nobody else may become other users.
fn needs_root() {
    assert!(rustix::process::geteuid().is_root(), "this test acts as several users: it runs as root only");
}

#[tokio::test]
async fn each_user_of_the_machine_has_its_role_and_its_own_name_by_the_kernels_word() {
    needs_root();
    let place = Place::new();
    let _service = place.serve(&["collect", "--system"]);
    for (path, mode) in [(place.at("run"), 0o750), (place.at("run/noctty.sock"), 0o660)] {
        let found = std::fs::metadata(&path).expect("it is there");
        assert_eq!((found.mode() & 0o777, found.gid()), (mode, GROUP_ID), "{}", path.display());
    }
    let program = place.at("noctty");
    std::fs::copy(NOCTTY, &program).expect("a copy that others may run");
    let member = ["--regid=100", "--clear-groups"];

    let anna = place.attach(&program, 4242, &member, "anna").await.expect("let in");
    assert_eq!(anna.welcome.role, Role::Operate);
    let saved = claim_by(anna).await;
    let Notice::Saved { entry, .. } = &saved else { panic!("{saved:?}") };
    assert_eq!(entry.author.line(), "anna (uid 4242)");

    let vera = place.attach(&program, 4243, &member, "root").await.expect("let in");
    assert_eq!(vera.welcome.role, Role::View, "what it calls itself is nothing");
    let refused = claim_by(vera).await;
    let Notice::NotSaved { reason, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!(
        &**reason,
        "your role here is view: that needs operate (root, uid 4242, group games); [roles] in the engine's configuration gives it"
    );

    let gus = place.attach(&program, 4244, &["--regid=60", "--groups=100"], "gus").await.expect("let in");
    assert_eq!(gus.welcome.role, Role::Admin, "by its group");
    let root = place.attach(&program, 0, &["--regid=0", "--clear-groups"], "root").await.expect("let in");
    assert_eq!(root.welcome.role, Role::Admin);

    let outside = place.visitor(&program, 4242, &["--regid=65534", "--clear-groups"]).output().await.expect("it runs");
    let words = String::from_utf8_lossy(&outside.stderr);
    assert!(words.contains("you may not attach to the engine of this machine: "), "{words}");
    assert!(words.contains("is open to the group users only") && words.contains("--groups users"), "{words}");
}

#[test]
fn who_is_not_in_the_group_polls_alone_and_is_told_how_to_get_in() {
    needs_root();
    let place = Place::new();
    let _service = place.serve(&["collect", "--system"]);
    let program = place.at("noctty");
    std::fs::copy(NOCTTY, &program).expect("a copy that others may run");
    let home = place.at("home");
    std::fs::create_dir(&home).expect("made");
    std::os::unix::fs::chown(&home, Some(4242), Some(65_534)).expect("given");
    let run = format!("RUNTIME_DIRECTORY={}", place.at("run").display());
    let home = format!("HOME={}", home.display());
    let outside = ["setpriv", "--reuid=4242", "--regid=65534", "--clear-groups", "env", &run, &home, "USER=vera"];
    // What stands behind it is the program's own place, where others may not run it.
    let copy = format!("exec '{}' \"$@\"", program.display());
    let launch = Launch::new((200, 30)).arguments([""; 0]).wrapped(outside).then(["sh", "-c", &copy]);
    let mut console = launch.without_state().start();
    console.shows("PROBLEMS");
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    console.shows("this console polls by itself");
    console.shows("is open to the group users only");
}

/// `su --command` begins a session that has no terminal, on the terminal of whoever called it.
#[test]
fn on_a_terminal_of_another_user_and_session_it_says_what_gives_one_of_its_own() {
    needs_root();
    let place = Place::new();
    let program = place.at("noctty");
    std::fs::copy(NOCTTY, &program).expect("a copy that others may run");
    let outside = ["setsid", "--wait", "setpriv", "--reuid=4242", "--regid=65534", "--clear-groups"];
    let copy = format!("exec '{}' \"$@\"", program.display());
    let mut console = Launch::new((200, 30)).wrapped(outside).then(["sh", "-c", &copy]).without_state().start();
    assert_eq!(console.ends().exit_code(), 3);
    console.shows("is of another user and another session, as it is under su --command");
}

#[tokio::test]
async fn with_a_list_of_viewers_nobody_else_is_let_in() {
    needs_root();
    let place = Place::new();
    let closed = CONFIGURATION.replace("[roles]\n", "[roles]\nview = []\n");
    std::fs::write(place.at("noctty.toml"), closed).expect("written");
    let _service = place.serve(&["collect", "--system"]);
    let program = place.at("noctty");
    std::fs::copy(NOCTTY, &program).expect("a copy that others may run");
    let refused =
        place.attach(&program, 4243, &["--regid=100", "--clear-groups"], "vera").await.expect_err("not let in");
    let words = refused.to_string();
    assert!(words.contains("you are uid 4243") && words.contains("(root, uid 4242, group games)"), "{words}");
}

#[tokio::test]
async fn the_lists_and_the_hosts_are_read_anew_with_a_signal_and_an_error_changes_nothing() {
    needs_root();
    let place = Place::new();
    let mut service = place.serve(&["collect", "--system"]);
    let program = place.at("noctty");
    std::fs::copy(NOCTTY, &program).expect("a copy that others may run");
    let role = async || {
        let link = place.attach(&program, 4243, &["--regid=100", "--clear-groups"], "vera").await.expect("let in");
        link.welcome.role
    };
    assert_eq!(role().await, Role::View);
    let pid = i32::try_from(service.0.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
    let anew = |text: &str| {
        std::fs::write(place.at("noctty.toml"), text).expect("written");
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("it is told");
    };
    let more = CONFIGURATION.replace("\"uid 4242\"", "\"uid 4242\", \"uid 4243\"");
    anew(&more);
    let mut bytes = [0; 200];
    let length = place.told.recv(&mut bytes).expect("it says so in time");
    assert!(String::from_utf8_lossy(&bytes[..length]).contains("read anew"));
    assert_eq!(role().await, Role::Operate);
    let words = service.0.stderr.as_mut().expect("piped");
    anew("[roles]\noperate = 3\n");
    let said = std::io::BufRead::lines(std::io::BufReader::new(words)).map_while(Result::ok);
    assert!(said.into_iter().any(|line| line.contains("the configuration stays as it was")));
    assert_eq!(role().await, Role::Operate);
}

#[test]
fn without_a_configuration_of_ones_own_a_console_attaches_to_the_engine_of_the_machine_and_says_so() {
    needs_root();
    let place = Place::new();
    let service = place.serve(&["collect", "--system"]);
    let folder = format!("RUNTIME_DIRECTORY={}", place.at("run").display());
    let mut console = Launch::new((160, 30)).arguments([""; 0]).wrapped(["env", &folder]).without_state().start();
    console.shows(&format!("attached to pid {}", service.0.id()));
    console.says("no configuration of your own: attached to the engine of this machine");
    console.shows("core");
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
}

#[test]
fn who_sits_at_a_shared_account_is_asked_once_and_the_account_stays_in_sight() {
    needs_root();
    let place = Place::new();
    let shared = CONFIGURATION.replace("[roles]\n", "[roles]\nshared = [\"root\"]\n");
    std::fs::write(place.at("noctty.toml"), shared).expect("written");
    let _service = place.serve(&["collect", "--system"]);
    let socket = place.at("run/noctty.sock").display().to_string();
    let start = |author: &str| {
        let names = ["env", "-u", "SUDO_USER", "-u", "NOCTTY_AUTHOR", "USER=root", author];
        Launch::new((160, 30)).arguments(["attach", "--socket", &socket]).wrapped(names).start()
    };
    let mut console = start("LANG=C.UTF-8");
    console.shows("root is an account of several people. Who are you?");
    console.press("anna\r");
    console.shows("as anna (root)");
    console.press("I");
    console.shows("Open an incident");
    console.paste("core down");
    console.press("\r");
    console.says("saved in INC-1");
    console.shows("anna (root)");
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    // Whoever has said it already is not asked.
    let mut console = start("NOCTTY_AUTHOR=bert");
    console.shows("as bert (root)");
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
}

#[test]
fn what_is_missing_or_wrong_in_the_place_is_said_with_what_makes_it_right() {
    let place = Place::new();
    let words = place.refused("state", "no-such-group");
    assert!(words.contains("there is no group no-such-group") && words.contains("groupadd --system"), "{words}");
    std::fs::create_dir(place.at("run")).expect("made");
    let with = |mode: u32| {
        std::fs::set_permissions(place.at("run"), std::fs::Permissions::from_mode(mode)).expect("changed");
        place.refused("state", GROUP)
    };
    let words = with(0o777);
    assert!(words.contains("may be written by others (mode 0777)") && words.contains("chmod 0750"), "{words}");
    let words = with(0o700);
    assert!(words.contains("group users cannot enter") && words.contains("chgrp users"), "{words}");
    std::fs::remove_dir(place.at("run")).expect("it is empty");
    std::fs::write(place.at("run"), "").expect("written");
    let words = place.refused("state", GROUP);
    assert!(words.contains("is no folder"), "{words}");
    std::fs::remove_file(place.at("noctty.toml")).expect("it was there");
    let words = place.refused("state", GROUP);
    assert!(words.contains("noctty.toml"), "{words}");
}

#[test]
fn a_second_engine_for_the_machine_is_refused_whether_it_has_the_same_state_or_not() {
    needs_root();
    let place = Place::new();
    let service = place.serve(&["collect", "--system"]);
    for state in ["state", "another"] {
        let words = place.refused(state, GROUP);
        assert!(words.contains(&format!("pid {}, serves", service.0.id())), "{words}");
    }
}

/// The command line in the unit of `docs/attach.md` is one that serves; its folders are those of the defaults.
#[test]
fn the_unit_in_the_documents_starts_what_it_says() {
    let text = include_str!("../../docs/attach.md");
    let line = |name: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_else(|| panic!("{name} is missing"))
    };
    for (name, value) in [
        ("Type", "notify"),
        ("RuntimeDirectory", "noctty"),
        ("RuntimeDirectoryMode", "0750"),
        ("StateDirectory", "noctty"),
    ] {
        assert_eq!(line(name), value);
    }
    let words: Vec<&str> = line("ExecStart").split_whitespace().collect();
    let Some(words) = words.strip_prefix(&["/usr/bin/noctty"]) else { panic!("{words:?}") };
    assert_eq!(words, ["collect", "--system"]);
    needs_root();
    drop(Place::new().serve(words));
}

/// At each key that writes or asks, before any form opens.
#[test]
fn who_may_only_look_is_refused_at_the_key_with_who_may_and_where_that_is_given() {
    needs_root();
    let place = Place::new();
    let dead = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    let port = dead.local_addr().expect("it has one").port();
    drop(dead);
    let check = format!("{{ kind = \"tcp\", port = {port}, interval = \"2s\", timeout = \"1s\" }}");
    let watched = format!("address = \"127.0.0.1\"\nchecks = [{check}]");
    std::fs::write(place.at("noctty.toml"), CONFIGURATION.replace("checks = []", &watched)).expect("written");
    let _service = place.serve(&["collect", "--system"]);
    let program = place.at("noctty");
    std::fs::copy(NOCTTY, &program).expect("a copy that others may run");
    let home = place.at("home");
    std::fs::create_dir(&home).expect("made");
    std::os::unix::fs::chown(&home, Some(4243), Some(GROUP_ID)).expect("given");
    let home = format!("HOME={}", home.display());
    let group = format!("--regid={GROUP_ID}");
    let socket = place.at("run/noctty.sock").display().to_string();
    let vera = ["setpriv", "--reuid=4243", &group, "--clear-groups", "env", "-u", "SUDO_USER", &home, "USER=vera"];
    let copy = format!("exec '{}' \"$@\"", program.display());
    let launch = Launch::new((160, 40)).arguments(["attach", "--socket", &socket]).wrapped(vera);
    let mut console = launch.then(["sh", "-c", &copy]).without_state().start();
    console.shows("(you may view)");
    console.shows("no incident is open");
    assert!(!console.text().contains("opens one"), "no key is offered that is refused:\n{}", console.text());
    console.shows("1 unknown");
    let operate = "needs operate (root, uid 4242, group games)";
    let admin = "needs admin (root, group games)";
    for (keys, needs) in [
        ("a", operate),
        (":ack\r", operate),
        ("m", operate),
        ("n", operate),
        (":note on it\r", operate),
        ("I", operate),
        (":open core down\r", operate),
        (":close\r", operate),
        ("R", operate),
        ("p", operate),
        (":pause new firewall\r", admin),
        (":look 127.0.0.2\r", admin),
    ] {
        // Something else is said in between.
        console.press(":nonsense\r");
        console.says("nonsense");
        console.until("that is what is said", |c| !c.text().contains("your role here is"));
        console.press(keys);
        console.says(&format!("your role here is view: that {needs}; [roles] in the engine's configuration gives it"));
        assert!(!console.text().contains('╭'), "{keys:?} opens a form:\n{}", console.text());
    }
    // Looking is not refused.
    console.press("\r");
    console.shows("╭");
    console.press("\x1b:q!\r");
    assert_eq!(console.ends().exit_code(), 0);
}
