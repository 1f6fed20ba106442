//! SSH sessions through the whole console: keys on a real pseudo-terminal, Debian's own sshd (or the demo's servers) at
//! the other end, and between them nothing but the program.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use alacritty_terminal::term::TermMode;

use super::console::{Console, Launch};
use super::lab::{Lab, Running, Sshd, run};

/// The two ways out of a pane, and Enter.
const LEAVE: &str = "\x1c";
const LEAVE_TOO: &str = "\x1b[24~";

/// A console on the lab's hosts that polls nothing, with the first of them selected.
fn console(lab: &Lab, size: (u16, u16), hosts: &[&str]) -> Console {
    let mut text = format!("[ssh]\nconfig = \"{}\"\n", lab.path(".ssh/config").display());
    for name in hosts {
        text.push_str(&format!("[[host]]\nname = \"{name}\"\naddress = \"127.0.92.99\"\nchecks = []\n"));
    }
    let file = lab.path("noctty.toml");
    fs::write(&file, text).expect("written");
    let console =
        Launch::new(size).home(lab.home.path()).arguments(["--config".into(), file.display().to_string()]).start();
    console.shows("noctty");
    console.press("2");
    console.until("the host is selected", |c| c.text().contains("[2 Hosts]") && c.text().contains(hosts[0]));
    console
}

/// As [`Lab::config`], with the lab's own known hosts, which the system's ssh uses too.
fn configure(lab: &Lab, text: &str) {
    let known = lab.path(".ssh/known_hosts");
    lab.config(&format!("{text}Host *\n UserKnownHostsFile {}\n", known.display()));
}

fn fingerprint(lab: &Lab, key: &str) -> String {
    let said = run(Command::new("ssh-keygen").arg("-lf").arg(lab.path(key)));
    said.split(' ').nth(1).expect("a fingerprint").to_owned()
}

/// A shell with nothing of the user's own start-up files in it.
const SHELL: &str = "ForceCommand env -u ENV PS1='now: ' sh\nPrintLastLog no";

/// A lab with one server that is known, and a session with it in a pane.
fn in_session(lab: &Lab, server: &Sshd, size: (u16, u16)) -> Console {
    lab.knows(server, "host");
    configure(lab, &Lab::host("web", server));
    let console = console(lab, size, &["web"]);
    console.press("s");
    console.shows("now: ");
    console
}

#[test]
fn a_session_from_the_first_question_to_the_last_key() {
    let lab = Lab::new();
    let server = lab.sshd("host", "127.0.92.1", SHELL);
    configure(&lab, &Lab::host("web", &server));
    let console = console(&lab, (80, 24), &["web"]);
    console.press("s");
    console.shows("Unknown host key of web");
    console.shows(&fingerprint(&lab, "host"));
    // Nothing short of the whole word accepts it.
    console.press("y\r");
    console.press("es\r");
    console.shows("now: ");
    let known = fs::metadata(lab.path(".ssh/known_hosts")).expect("it was kept");
    assert_eq!(known.permissions().mode() & 0o777, 0o600);

    console.press("echo out-$((40+2)); stty size\r");
    console.shows("out-42");
    console.shows("21 80");
    console.press(LEAVE);
    console.shows("Ctrl+\\ again sends it to web");
    console.press("1");
    console.shows("PROBLEMS");
    console.press("6\r");
    console.shows("keys go to the remote side");
    console.resize((100, 30));
    console.press("echo back-$((1+1))\r");
    console.shows("back-2");
    // A new size is believed when it has rested.
    console.insists("stty size\r", "27 100");

    console.press(LEAVE_TOO);
    console.shows("F12 again sends it to web");
    console.press("x");
    console.shows("End the session with web?");
    console.press("n");
    console.until("the question is gone", |c| !c.text().contains("End the session"));
    console.press("x");
    console.shows("End the session with web?");
    console.press("y");
    console.until("the session is closed", |c| c.text().contains("[1 Overview]"));
    console.press("6");
    console.shows("no session is open");
}

/// `cat` in the session, once it has said a word back: keys pressed before would be the shell's.
fn runs_cat(console: &Console, word: &str) {
    console.press(&format!("cat\r{word}\r"));
    console.until("cat says it back", |c| c.text().matches(word).count() == 2);
}

#[test]
fn the_key_that_leaves_is_sent_when_it_is_pressed_once_more_whenever_that_is() {
    let lab = Lab::new();
    let server = lab.sshd("host", "127.0.92.2", SHELL);
    let console = in_session(&lab, &server, (80, 24));
    runs_cat(&console, "first");
    console.press(LEAVE);
    console.shows("again sends it");
    console.press(LEAVE);
    console.shows("Quit");
    console.shows("keys go to the remote side");
    // Another key in between, and it is the console's own again.
    console.press("clear\r");
    console.until("the screen is empty", |c| !c.text().contains("Quit"));
    runs_cat(&console, "second");
    console.press(LEAVE);
    console.shows("again sends it");
    console.press("1");
    console.shows("PROBLEMS");
    console.press("6");
    console.press(LEAVE);
    console.press("\r");
    console.shows("keys go to the remote side");
    console.press("still-here\r");
    console.until("cat has lived on", |c| c.text().matches("still-here").count() == 2);
    assert!(!console.text().contains("Quit"));
}

#[test]
fn a_changed_host_key_is_refused_in_words_that_name_the_place() {
    let lab = Lab::new();
    lab.keygen("old", "");
    let server = lab.sshd("host", "127.0.92.3", "");
    fs::write(lab.path(".ssh/known_hosts"), "# a line before it\n").expect("written");
    lab.knows(&server, "old");
    configure(&lab, &Lab::host("web", &server));
    let console = console(&lab, (80, 24), &["web"]);
    console.press("s");
    console.says("THE HOST KEY HAS CHANGED, not connected");
    console.shows(&format!("{}:2", lab.path(".ssh/known_hosts").display()));
    for key in ["old", "host"] {
        console.shows(&fingerprint(&lab, key));
    }
    console.shows("Enter closes");
    // No key accepts it, and what the system's ssh would do is not offered as a way round.
    assert!(!console.text().contains("system's ssh"), "{}", console.text());
    console.press("yesy!");
    console.says("THE HOST KEY HAS CHANGED");
    console.press("\r");
    console.until("the pane is closed", |c| c.text().contains("[1 Overview]"));
}

#[test]
fn who_is_refused_is_offered_the_systems_ssh_and_the_screen_comes_back_whole() {
    let lab = Lab::new();
    lab.keygen("other", "");
    let server = lab.sshd("host", "127.0.92.4", SHELL);
    lab.authorize("other");
    lab.knows(&server, "host");
    configure(&lab, &Lab::host("web", &server));
    let mut console = console(&lab, (80, 24), &["web"]);
    console.press("s");
    console.says("is not let in. It offers publickey");
    console.shows("! runs the system's ssh");
    // What it could not do before, the system's ssh can: as with a token that only it can use.
    lab.authorize("id");
    console.press("!");
    console.until("the screen has stepped aside", |c| !c.mode().contains(TermMode::ALT_SCREEN));
    console.shows("now: ");
    console.press("stty size; echo system-$((1+1))\r");
    console.shows("24 80");
    console.shows("system-2");
    console.press("exit 0\r");
    console.until("the screen is back", |c| c.mode().contains(TermMode::ALT_SCREEN));
    console.shows("ssh -F");
    console.shows("PROBLEMS");

    // The same by command, and what it leaves behind.
    console.press(":ssh! web\r");
    console.until("the screen has stepped aside", |c| !c.mode().contains(TermMode::ALT_SCREEN));
    console.until("the second shell is there", |c| c.text().matches("now: ").count() == 3);
    console.press("printf '\\033[?1000h\\033[?1006h'; exit 3\r");
    console.shows("ended: exit status: 3");
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    console.is_given_back();
}

#[test]
fn a_jump_host_of_one_hop_carries_a_session() {
    let lab = Lab::new();
    let target = lab.sshd("target", "127.0.92.5", SHELL);
    let jump = lab.sshd("jump", "127.0.92.6", "PermitTTY no\nForceCommand /bin/false");
    lab.knows(&target, "target");
    lab.knows(&jump, "jump");
    let text = format!("{} ProxyJump jump1\n{}", Lab::host("inner", &target), Lab::host("jump1", &jump));
    configure(&lab, &text);
    let console = console(&lab, (120, 40), &["inner"]);
    console.press("s");
    console.shows("connecting to inner");
    console.shows("through jump1");
    console.shows("now: ");
    console.press("echo ${SSH_CONNECTION%% *} $((20+3))\r");
    console.shows("127.0.0.1 23");
    console.press("exit\r");
    console.shows("Enter closes");
}

#[test]
fn what_a_remote_program_does_to_its_terminal_stays_in_its_pane() {
    let lab = Lab::new();
    let server = lab.sshd("host", "127.0.92.7", SHELL);
    let mut console = in_session(&lab, &server, (80, 24));
    let before = console.mode();
    let hostile = "\\033[?1000h\\033[?1002h\\033[?1003h\\033[?1006h\\033[?1004h\\033[?1007h\\033[?1h\\033=\\033[?7l\
                   \\033[4h\\033[20h\\033[?6h\\033[>1u\\033[3;20r\\033]0;owned\\007\\033]2;owned\\033\\\\\\033]52;c;aGk=\\007\
                   \\033]52;c;?\\007\\033]4;1;?\\007\\033]10;?\\007\\033[22t\\033[21t\\033[c\\033[>c\\033[5n\\033P$qm\\033\\\\\
                   \\033P+q544e\\033\\\\\\033[?2004h\\033[?25l\\033]8;;http://x\\033\\\\link\\033]8;;\\033\\\\";
    console.press(&format!("printf '{hostile}'; cat -v; printf '\\033c'\r"));
    console.until("the program asked for brackets and hides the cursor", |c| {
        c.text().contains("link") && !c.mode().contains(TermMode::SHOW_CURSOR)
    });
    assert_eq!(console.mode(), before - TermMode::SHOW_CURSOR, "modes of the operator's terminal");
    assert_eq!(console.deeds(), Vec::<String>::new());
    // Two lines at once are not asked about, because the program takes them as a paste; the bracket cannot be closed
    // from within.
    console.press("\x1b[200~one\rtwo\x1b[201~\r");
    console.shows("^[[200~one");
    console.shows("two^[[201~");
    // What a wheel or a click would send, had anybody asked our terminal for it, is no key.
    console.press("\x1b[<64;10;10M\x1b[<0;3;3M\x1b[<0;3;3m");
    console.press("typed\r");
    console.until("only the keys came through", |c| c.text().matches("typed").count() == 2);
    assert!(!console.text().contains("64;10"), "{}", console.text());

    console.press(LEAVE);
    console.shows("again sends it");
    // In the session the mouse is the terminal's own, and here the console's.
    let with_mouse = (before - TermMode::SHOW_CURSOR) | TermMode::MOUSE_REPORT_CLICK | TermMode::SGR_MOUSE;
    assert_eq!(console.mode(), with_mouse);
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    console.is_given_back();
    assert_eq!(console.deeds(), Vec::<String>::new());
}

#[test]
fn floods_and_strings_without_end_leave_the_console_usable() {
    let lab = Lab::new();
    let server = lab.sshd("host", "127.0.92.8", SHELL);
    let console = in_session(&lab, &server, (80, 24));
    for flood in [
        // Text, an endless title, an endless image, clears, fills, questions, repeats, marks.
        "yes",
        "printf '\\033]0;'; yes",
        "printf '\\033Pq'; yes",
        "yes \"$(printf '\\033c')\"",
        "yes \"$(printf '\\033#8')\"",
        "yes \"$(printf '\\033[c\\033[6n\\033P$qm\\033\\\\')\"",
        "yes \"$(printf 'x\\033[65535b')\"",
        "yes \"$(printf 'e\\314\\201\\314\\201\\314\\201')\" | tr -d '\\n'",
        "yes \"$(printf '\\033[?2026h')\"",
        "head -c 100000000 /dev/urandom",
    ] {
        console.press(&format!("{flood}\r"));
        console.press(LEAVE);
        console.shows("again sends it");
        console.press("1");
        console.shows("PROBLEMS");
        console.press("6\r");
        console.shows("keys go to the remote side");
        // The string ends and the terminal is reset. Answers to questions of the flood may still be typed in between, as
        // by any terminal: then once more.
        console.insists("\x03\x15printf '\\033\\\\\\033c'; echo done-$((1+1))\r", "done-2");
        console.insists("\x03\x15clear\r", "now: ");
    }
}

/// The demo without its console; its configuration.
fn headless_demo(home: &Path) -> (Running, String) {
    let child = Command::new(env!("CARGO_BIN_EXE_noctty"))
        .args(["demo", "--headless", "--hosts", "3", "--switches", "0"])
        .env("HOME", home)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the demo starts");
    let mut running = Running(child);
    let out = running.0.stdout.take().expect("piped");
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).expect("it says where its configuration is");
    (running, line.trim().to_owned())
}

#[test]
fn the_demo_lets_its_own_key_in_and_nothing_of_the_users_is_touched() {
    let home = tempfile::tempdir().expect("a folder");
    let arguments = ["demo", "--hosts", "3", "--switches", "3", "--ports", "4"];
    let mut console = Launch::new((80, 24)).home(home.path()).arguments(arguments).start();
    console.shows("PROBLEMS");
    console.press("2");
    console.shows("db01");
    console.press("/db01\rs");
    console.shows("db01 is simulated by noctty demo");
    console.press("hostnaem\x7f\x7fme\r");
    console.shows("ops@db01:~$ hostname");
    console.press("stty size\r");
    console.shows("21 80");
    console.resize((100, 30));
    console.insists("stty size\r", "27 100");
    console.press("frobnicate\r");
    console.shows("frobnicate: not a command here");
    console.press("exit 5\r");
    console.shows("Enter closes");
    console.shows("ended with exit status 5");
    console.press("\r");
    console.until("the pane is closed", |c| c.text().contains("[1 Overview]"));
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
    console.is_given_back();
    assert!(!home.path().join(".ssh").exists(), "the user's own folder is left alone");
}

#[test]
fn the_demos_servers_serve_other_clients_and_refuse_other_keys() {
    let lab = Lab::new();
    let (_demo, file) = headless_demo(lab.home.path());
    let noctty = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_noctty"));
        command.args(["--config", &file, "ssh"]).args(arguments).env("HOME", lab.home.path()).stdin(Stdio::null());
        let output = command.output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    assert_eq!(noctty(&["db01", "--", "hostname"]), (Some(0), "db01\n".to_owned()));
    let (status, words) = noctty(&["db01", "--", "frobnicate"]);
    assert!(status == Some(127) && words.contains("simulated"), "{words}");

    // OpenSSH's own client, with the same file.
    let folder = Path::new(&file).parent().expect("a folder").join("ssh");
    let config = folder.join("config");
    let ssh = |arguments: &[&str]| {
        let output = Command::new("ssh").arg("-F").arg(&config).args(arguments).stdin(Stdio::null()).output();
        let output = output.expect("ssh is installed");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    assert_eq!(ssh(&["web01", "cat", "hostname"]), (Some(0), "web01\n".to_owned()));
    let (status, words) = ssh(&["root@web01", "hostname"]);
    assert!(status == Some(255) && words.contains("Permission denied (publickey)"), "{words}");
    let key = folder.join("id_ed25519");
    fs::rename(&key, folder.join("kept")).expect("moved");
    fs::copy(lab.path("id"), &key).expect("another key");
    let (status, words) = ssh(&["web01", "hostname"]);
    assert!(status == Some(255) && words.contains("Permission denied (publickey)"), "{words}");
    fs::rename(folder.join("kept"), &key).expect("moved back");
    // Each host has a key of its own, and another host's is not believed.
    let known = folder.join("known_hosts");
    let (first, second) = (keys_of(&known, "db01"), keys_of(&known, "web01"));
    assert_ne!(first, second);
    fs::write(&known, format!("web01 {first}\n")).expect("written");
    let (status, words) = noctty(&["web01", "--", "hostname"]);
    assert!(status == Some(255) && words.contains("THE HOST KEY HAS CHANGED"), "{words}");
    // Nobody else may read what lets in.
    for name in ["config", "id_ed25519", "known_hosts"] {
        let about = fs::metadata(folder.join(name)).expect("it is there");
        assert_eq!(about.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

fn keys_of(known: &Path, name: &str) -> String {
    let text = fs::read_to_string(known).expect("read");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.expect("a line of its own").to_owned()
}
