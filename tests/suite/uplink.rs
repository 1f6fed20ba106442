//! The console loses its own way out: it says so, and why, and blames nobody else. In network namespaces joined by a cable,
//! with the program itself on a pseudo-terminal.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::getuid;
use tempfile::TempDir;

use super::console::{Console, Launch, READY};

const BLIND: &str = "CAN'T SEE";

/// The near end, a cable to the far one with six hosts, and whoever does what is written to `orders` until nobody writes any
/// more. There is no resolver. What `more.sh` starts at the far end, and names in `more`, ends with it.
const LAB: &str = r#"
PATH=$PATH:/usr/sbin:/sbin
lab=$1; shift
mount -t sysfs none /sys
: > $lab/resolv.conf
mount --bind $lab/resolv.conf "$(readlink -f /etc/resolv.conf)"
ip link set lo up
unshare --net -- sleep 600 &
far=$!
tries=0
while [ "$(readlink /proc/$far/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do
    tries=$((tries + 1)); [ $tries -lt 500 ]; sleep 0.02
done
there() { nsenter --target $far --net -- "$@"; }
ip link add near type veth peer name far
ip link set far netns $far
ip addr add 10.9.0.1/24 dev near; ip link set near up
# Who is silent is found to be within seconds.
for name in base_reachable_time_ms retrans_time_ms; do echo 500 > /proc/sys/net/ipv4/neigh/near/$name; done
echo 1 > /proc/sys/net/ipv4/neigh/near/delay_first_probe_time
there ip addr add 10.9.0.2/24 dev far; there ip link set far up
for n in 1 2 3 4 5 6; do there ip addr add 10.8.0.$n/32 dev far; done
ip route add default via 10.9.0.2
more=
if [ -f $lab/more.sh ]; then . $lab/more.sh; fi
(
    while read -r order; do $order; done < $lab/orders
    kill $far $more
) > $lab/log 2>&1 &
exec "$@"
"#;

pub struct Lab {
    folder: TempDir,
    orders: fs::File,
}

impl Lab {
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        fs::write(folder.path().join("lab.sh"), LAB).expect("written");
        fs::create_dir_all(folder.path().join("home/.ssh")).expect("made");
        // Beyond the gateway, and beyond that.
        let ssh = "Host outer\n HostName 10.8.0.1\nHost inner\n HostName 10.8.0.2\n ProxyJump outer\n";
        fs::write(folder.path().join("home/.ssh/config"), ssh).expect("written");
        let orders = folder.path().join("orders");
        assert!(Command::new("mkfifo").arg(&orders).status().expect("it runs").success());
        // For both: opening it waits for nobody.
        let orders = fs::File::options().read(true).write(true).open(&orders).expect("it opens");
        Self { folder, orders }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn does(&self, order: &str) {
        (&self.orders).write_all(format!("{order}\n").as_bytes()).expect("it is read");
    }

    pub fn console(&self, arguments: &[String]) -> Console {
        let flags = if getuid().is_root() { "-nm" } else { "-Urnm" };
        let script = self.path("lab.sh").display().to_string();
        let wrapper = ["unshare", flags, "/bin/sh", "-e", &script, &self.folder.path().display().to_string()];
        let home = self.path("home");
        let console = Launch::new((150, 40)).home(&home).arguments(arguments).wrapped(wrapper).start();
        console.shows(READY);
        console
    }
}

/// A channel that writes down what people are told.
fn page(folder: &Path) -> String {
    let (program, told) = (folder.join("page"), folder.join("told"));
    fs::write(&program, format!("#!/bin/sh\necho \"$NOCTTY_SUBJECT\" >> '{}'\n", told.display())).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("mode");
    format!("[[notify]]\nkind = \"exec\"\nargv = [\"{}\"]\nwait = \"0s\"\n", program.display())
}

pub fn leave(mut console: Console) {
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
}

/// It is no problem any more, only a change that was.
fn sees_again(console: &Console) {
    console.until("it sees again", |c| !c.text().lines().any(|line| line.contains(BLIND) && !line.contains('→')));
}

#[test]
fn a_console_that_loses_its_default_route_says_so_and_announces_nothing() {
    let lab = Lab::new();
    let mut text = page(lab.folder.path());
    for n in 1..=6 {
        text.push_str(&format!("[[host]]\nname = \"h{n}\"\naddress = \"10.8.0.{n}\"\nchecks = [\"icmp\"]\n"));
    }
    fs::write(lab.path("noctty.toml"), text).expect("written");
    let console = lab.console(&["--config".to_owned(), lab.path("noctty.toml").display().to_string()]);
    console.until("all answered", |c| (1..=6).all(|n| c.text().contains(&format!("● h{n} "))));
    lab.does("ip route del default");
    console.shows(BLIND);
    console.shows("no default route · 6 of 6 targets that answered are silent");
    lab.does("ip route add default via 10.9.0.2");
    sees_again(&console);
    lab.does("ip link set near down");
    console.shows("no default route · 6 of 6 targets that answered are silent");
    lab.does("ip link set near up");
    lab.does("ip route add default via 10.9.0.2");
    sees_again(&console);
    leave(console);
    assert_eq!(fs::read_to_string(lab.path("told")).unwrap_or_default(), "", "nobody was told of anything");
}

#[test]
fn of_two_hosts_behind_a_gateway_that_is_gone_nobody_is_told() {
    let lab = Lab::new();
    let mut text = page(lab.folder.path());
    for n in 1..=2 {
        // The gateway is known to be silent before they are down.
        let check = "{ kind = \"icmp\", interval = \"1s\", attempts = 20 }";
        text.push_str(&format!("[[host]]\nname = \"h{n}\"\naddress = \"10.8.0.{n}\"\nchecks = [{check}]\n"));
    }
    fs::write(lab.path("noctty.toml"), text).expect("written");
    let console = lab.console(&["--config".to_owned(), lab.path("noctty.toml").display().to_string()]);
    console.until("all answered", |c| (1..=2).all(|n| c.text().contains(&format!("● h{n} "))));
    lab.does("there ip addr del 10.9.0.2/24 dev far");
    console.shows(BLIND);
    console.shows("gateway 10.9.0.2 on near does not answer ARP");
    lab.does("there ip addr add 10.9.0.2/24 dev far");
    sees_again(&console);
    leave(console);
    assert_eq!(fs::read_to_string(lab.path("told")).unwrap_or_default(), "", "nobody was told of anything");
}

#[test]
fn without_a_configuration_what_hangs_on_what_is_seen_and_a_cable_that_is_pulled_is_named() {
    let lab = Lab::new();
    let console = lab.console(&[]);
    console.until("the gateway is up", |c| c.text().contains("● gateway 10.9.0.2"));
    for (host, above) in [
        ("outer", "hangs on gateway 10.9.0.2 (inferred from the routing table)"),
        ("inner", "hangs on outer (inferred from ProxyJump)"),
    ] {
        console.press(&format!(":host {host}\r"));
        console.says(above);
        console.press("\x1b");
        console.until("the box is closed", |c| !c.text().contains('╭'));
    }
    console.press("1");
    lab.does("there ip link set far down");
    console.shows(BLIND);
    console.shows("near has no carrier");
    lab.does("there ip link set far up");
    sees_again(&console);
    leave(console);
}
