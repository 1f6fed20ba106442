//! What is installed on two hosts, side by side: two of Debian's own sshd, and behind each a package database of its own that
//! Debian's own dpkg-query reads.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use noctty::base::Clock;
use noctty::model::PackageList;
use noctty::net::Net;
use noctty::probe::{Cx, Probe};

use super::agentless::{bound, links};
use super::console::Launch;
use super::lab::{Lab, Running, Sshd};
use super::peer::until;

/// A machine whose packages are these, and which writes down what it is asked for. `$db` is where the database is.
fn machine(lab: &Lab, name: &str, address: &'static str, packages: &[(&str, &str)]) -> Sshd {
    database(lab, name, packages);
    let folder = lab.path(name);
    let own = format!("#!/bin/sh\nexec /usr/bin/dpkg-query --admindir={}/db \"$@\"\n", folder.display());
    write_program(&folder.join("bin/dpkg-query"), &own);
    let forced = folder.join("forced");
    write_program(
        &forced,
        &format!(
            "#!/bin/sh\nexport PATH={here}/bin:$PATH\nread -r line\necho \"${{line#* }}\" >>{here}/asked\n\
             echo \"$line\" | exec sh -c \"$SSH_ORIGINAL_COMMAND\"\n",
            here = folder.display()
        ),
    );
    let server =
        lab.sshd(&format!("{name}-key"), address, &format!("LogLevel VERBOSE\nForceCommand {}", forced.display()));
    lab.knows(&server, &format!("{name}-key"));
    server
}

fn database(lab: &Lab, name: &str, packages: &[(&str, &str)]) {
    let folder = lab.path(name).join("db");
    fs::create_dir_all(folder.join("info")).expect("made");
    let one = |(name, version): &(&str, &str)| {
        format!(
            "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\
             Maintainer: x <x@example.net>\nDescription: x\n\n"
        )
    };
    fs::write(folder.join("status"), packages.iter().map(one).collect::<Vec<_>>().concat()).expect("written");
}

fn write_program(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    fs::write(file, text).expect("written");
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("made executable");
}

/// How often its list was asked for.
fn lists_asked(lab: &Lab, name: &str) -> usize {
    let asked = fs::read_to_string(lab.path(name).join("asked")).unwrap_or_default();
    asked.lines().filter(|parts| *parts == "list").count()
}

pub async fn packages(probe: &dyn Probe, timeout: Duration) -> Result<PackageList, String> {
    let cx = Cx { net: Net::new(Clock::start()), family: None, timeout };
    probe.packages(&cx).expect("it can be asked").await
}

#[test]
fn a_console_on_a_collector_names_what_differs_and_each_host_is_asked_once_over_its_one_connection() {
    let lab = Lab::new();
    let mut both: Vec<(String, &str)> = (0..30).map(|n| (format!("libtest{n:02}"), "1.0")).collect();
    both.push(("bash".to_owned(), "5.2.15-2"));
    let both = both.iter().map(|(name, version)| (name.as_str(), *version));
    let left: Vec<_> = both.clone().chain([("openssl", "3.0.13-1"), ("nginx", "1.22.1-9")]).collect();
    let many: Vec<String> = (0..40).map(|n| format!("only-here-{n:02}")).collect();
    let right: Vec<_> =
        both.chain([("openssl", "3.0.14-1")]).chain(many.iter().map(|name| (name.as_str(), "1"))).collect();
    let servers = [machine(&lab, "web1", "127.0.93.51", &left), machine(&lab, "web2", "127.0.93.52", &right)];
    lab.config(&format!("{}{}", Lab::host("web1", &servers[0]), Lab::host("web2", &servers[1])));
    let hosts = ["web1", "web2"].map(|name| {
        format!("[[host]]\nname = \"{name}\"\naddress = \"127.0.93.9\"\nchecks = [{{ kind = \"linux\", ignore = [\"*\"] }}]\n")
    });
    fs::write(lab.path("noctty.toml"), hosts.concat()).expect("written");
    let state = lab.path("state");
    let noctty = Command::new(env!("CARGO_BIN_EXE_noctty"))
        .args(["--config".as_ref(), lab.path("noctty.toml").as_os_str(), "--state".as_ref(), state.as_os_str()])
        .arg("collect")
        .env("HOME", lab.home.path())
        .env_remove("SSH_AUTH_SOCK")
        .env_remove("XDG_CONFIG_HOME")
        .stdin(Stdio::null())
        .spawn()
        .expect("it starts");
    let _collector = Running(noctty);
    until("the collector has a door", || state.join("noctty.sock").exists() || state.join("engine.sock").exists());
    let console = Launch::new((110, 60)).arguments(["attach"]).state(&state).home(lab.home.path()).start();
    console.shows("web2");
    console.press("2");
    console.until("both have told how they are", |c| c.text().matches("load ").count() >= 2);
    assert_eq!([lists_asked(&lab, "web1"), lists_asked(&lab, "web2")], [0, 0], "nobody wanted to know");
    console.press("cjc");
    console.shows("1 only on web1, 40 only on web2, 1 in other versions, 31 the same");
    console.shows("only on web1: 1");
    console.says("nginx 1.22.1-9");
    console.shows("dpkg, as of ");
    console.shows("only-here-00");
    console.press("G");
    console.shows("THE SAME");
    console.says("openssl 3.0.13-1 → 3.0.14-1");
    // Seen again at once, nobody is asked again.
    console.press("\x1bcc");
    console.press("kcjc");
    console.shows("1 only on web1, 40 only on web2, 1 in other versions, 31 the same");
    assert_eq!([lists_asked(&lab, "web1"), lists_asked(&lab, "web2")], [1, 1]);
    for name in ["web1", "web2"] {
        let log = fs::read_to_string(lab.path(&format!("{name}-key.log"))).expect("a log");
        assert_eq!(log.matches("Accepted publickey").count(), 1, "{log}");
    }
}

#[tokio::test]
async fn a_packager_that_hangs_floods_or_is_not_there_is_said_and_nothing_piles_up() {
    let lab = Lab::new();
    let server = machine(&lab, "web", "127.0.93.53", &[("bash", "5.2")]);
    lab.config(&Lab::host("web", &server));
    let probe = bound("linux", "web", "", &links(&lab));
    let minute = Duration::from_secs(60);
    let list = packages(&*probe, minute).await.expect("a list");
    assert_eq!((list.by, list.count()), ("dpkg", 1));
    let program = lab.path("web/bin/dpkg-query");
    let own = fs::read_to_string(&program).expect("read");
    write_program(&program, &format!("#!/bin/sh\necho $$ >>{}\nexec sleep 600\n", lab.path("started").display()));
    let said = packages(&*probe, Duration::from_secs(4)).await.expect_err("it hangs");
    assert_eq!(said, "its packager gives no answer within 3 s");
    let said = packages(&*probe, minute).await.expect_err("it hung a moment ago");
    assert!(said.starts_with("its packager hung; it is asked again after "), "{said}");
    assert_eq!(lists_asked(&lab, "web"), 2);
    let started = fs::read_to_string(lab.path("started")).expect("it was started");
    assert_eq!(started.lines().count(), 1);
    // As root the server passes no signal on: the test ends what it has started.
    let _ = Command::new("kill").args(started.lines()).status();
    write_program(&program, "#!/bin/sh\nexec yes install ok installed bash amd64 5\n");
    probe.told();
    let said = packages(&*probe, minute).await.expect_err("it floods");
    assert_eq!(said, "its list of packages is longer than 2048 KiB");
    write_program(&program, "#!/bin/sh\nexit 1\n");
    assert_eq!(packages(&*probe, minute).await, Err("its packager lists nothing".to_owned()));
    write_program(&program, &own);
    database(&lab, "web", &[("bash", "5.2"), ("tcsh", "6")]);
    assert_eq!(packages(&*probe, minute).await.map(|list| list.count()), Ok(2));
    let log = fs::read_to_string(lab.path("web-key.log")).expect("a log");
    assert_eq!(log.matches("Accepted publickey").count(), 1, "{log}");
}

#[tokio::test]
async fn a_host_that_cannot_be_asked_says_why_and_this_machine_is_asked_without_ssh() {
    let lab = Lab::new();
    let server = machine(&lab, "web", "127.0.93.54", &[("bash", "5.2")]);
    lab.config(&Lab::host("web", &server));
    let probe = bound("linux", "web", "", &links(&lab));
    let address = server.address;
    drop(server);
    let said = packages(&*probe, Duration::from_secs(20)).await.expect_err("nobody is there");
    assert!(said.contains(&format!("cannot connect to {address}")), "{said}");
    let local = bound_here();
    let list = packages(&*local, Duration::from_secs(60)).await.expect("a list");
    let installed = super::lab::run(Command::new("dpkg-query").args(["-W", "-f", "${Status}\n"]));
    let installed = installed.lines().filter(|line| line.ends_with(" installed")).count();
    assert_eq!((list.by, list.count() as usize), ("dpkg", installed));
}

fn bound_here() -> Box<dyn Probe> {
    let lab = Lab::new();
    bound("local", "here", "", &links(&lab))
}
