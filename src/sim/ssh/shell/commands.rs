//! The handful of commands of a simulated machine: one row in a table each. What they print is made of the
//! machine's facts and of the time; nothing is kept, and nothing can be broken.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Machine, Role, Window};
use crate::base::Timestamp;
use crate::sim::snmp::mix;

/// What a command may know.
pub struct Cx<'a> {
    pub machine: &'a Machine,
    pub wall: Timestamp,
    pub uptime: Duration,
    pub window: Option<Window>,
    /// Of the command before.
    pub status: u32,
}

/// What a command did.
#[derive(Debug, Default)]
pub struct Done {
    pub output: String,
    pub errors: String,
    pub status: u32,
    /// The shell ends.
    pub ends: bool,
}

struct Command {
    name: &'static str,
    help: &'static str,
    run: fn(&[&str], &Cx<'_>) -> Done,
}

const SERVER: &[Command] = &[
    Command { name: "help", help: "this list", run: help },
    Command { name: "hostname", help: "the name of this machine", run: hostname },
    Command { name: "uptime", help: "how long it has been up, and its load", run: uptime },
    Command { name: "date", help: "the time, in UTC", run: date },
    Command { name: "whoami", help: "who is logged in", run: whoami },
    Command { name: "uname", help: "what it is; -a says more", run: uname },
    Command { name: "ls", help: "the files", run: ls },
    Command { name: "cat", help: "a file: motd, hostname, hosts", run: cat },
    Command { name: "ps", help: "what runs", run: ps },
    Command { name: "echo", help: "its words; $? is the last status", run: echo },
    Command { name: "stty", help: "size: rows and columns of your terminal", run: stty },
    Command { name: "clear", help: "an empty screen", run: clear },
    Command { name: "exit", help: "leave, with a status if you like", run: exit },
];

const SWITCH: &[Command] = &[
    Command { name: "help", help: "this list", run: help },
    Command { name: "show", help: "version, clock", run: show },
    Command { name: "hostname", help: "the name of this switch", run: hostname },
    Command { name: "uptime", help: "how long it has been up", run: uptime },
    Command { name: "clear", help: "an empty screen", run: clear },
    Command { name: "exit", help: "leave", run: exit },
];

pub fn run(name: &str, arguments: &[&str], cx: &Cx<'_>) -> Done {
    let name = match name {
        "?" => "help",
        "logout" | "quit" => "exit",
        other => other,
    };
    match table(cx.machine).iter().find(|command| command.name == name) {
        Some(command) => (command.run)(arguments, cx),
        None => {
            failed(127, &format!("{name}: not a command here; this machine is simulated, help lists what there is"))
        }
    }
}

/// The greeting.
pub fn motd(machine: &Machine) -> String {
    format!(
        "{} is simulated by noctty demo: the connection is real, the machine is not.\nhelp lists the commands, exit \
         leaves.\n\n",
        machine.name
    )
}

fn table(machine: &Machine) -> &'static [Command] {
    match machine.role {
        Role::Server => SERVER,
        Role::Switch { .. } => SWITCH,
    }
}

fn said(output: impl Into<String>) -> Done {
    Done { output: output.into(), ..Done::default() }
}

fn failed(status: u32, words: &str) -> Done {
    Done { errors: format!("{words}\n"), status, ..Done::default() }
}

fn help(_: &[&str], cx: &Cx<'_>) -> Done {
    let mut out = String::new();
    for command in table(cx.machine) {
        let _ = writeln!(out, "  {:<10}{}", command.name, command.help);
    }
    said(out)
}

fn hostname(_: &[&str], cx: &Cx<'_>) -> Done {
    said(format!("{}\n", cx.machine.name))
}

fn whoami(_: &[&str], _: &Cx<'_>) -> Done {
    said(format!("{}\n", crate::sim::ssh::USER))
}

fn uptime(_: &[&str], cx: &Cx<'_>) -> Done {
    let minutes = cx.uptime.as_secs() / 60;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let time = cx.wall.utc_time_of_day();
    let up = format!(" {time} up {days} days, {hours:2}:{minutes:02}");
    match cx.machine.role {
        Role::Switch { .. } => said(format!("{up}\n")),
        Role::Server => {
            let load = |part: u64| mix(cx.machine.seed ^ part ^ (cx.uptime.as_secs() / 60)) % 120;
            let (one, five, fifteen) = (load(1), load(2), load(3));
            said(format!(
                "{up},  1 user,  load average: {}.{:02}, {}.{:02}, {}.{:02}\n",
                one / 100,
                one % 100,
                five / 100,
                five % 100,
                fifteen / 100,
                fifteen % 100
            ))
        }
    }
}

fn date(_: &[&str], cx: &Cx<'_>) -> Done {
    said(format!("{}\n", cx.wall.rfc3339()))
}

fn uname(arguments: &[&str], cx: &Cx<'_>) -> Done {
    match arguments {
        [] => said("Simulated\n"),
        ["-n"] => hostname(arguments, cx),
        _ => said(format!("Simulated {} noctty-demo {}\n", cx.machine.name, env!("CARGO_PKG_VERSION"))),
    }
}

/// Name and text of every file.
fn files(machine: &Machine) -> [(&'static str, String); 3] {
    [
        ("hostname", format!("{}\n", machine.name)),
        ("hosts", format!("127.0.0.1 localhost\n{} {}\n", machine.address, machine.name)),
        ("motd", motd(machine).trim_end().to_owned() + "\n"),
    ]
}

fn ls(_: &[&str], cx: &Cx<'_>) -> Done {
    said(files(cx.machine).map(|(name, _)| name).join("  ") + "\n")
}

fn cat(arguments: &[&str], cx: &Cx<'_>) -> Done {
    let mut done = Done::default();
    for wanted in arguments {
        let name = wanted.strip_prefix("/etc/").unwrap_or(wanted);
        if let Some((_, text)) = files(cx.machine).into_iter().find(|(file, _)| *file == name) {
            done.output.push_str(&text);
        } else {
            let _ = writeln!(done.errors, "cat: {wanted}: no such file; ls lists what there is");
            done.status = 1;
        }
    }
    if arguments.is_empty() { failed(1, "cat: which file? ls lists what there is") } else { done }
}

fn ps(_: &[&str], cx: &Cx<'_>) -> Done {
    /// What runs on a machine, by how its name begins.
    const SERVICES: [(&str, &[&str]); 8] = [
        ("db", &["postgres: writer", "postgres: checkpointer", "pgbouncer"]),
        ("web", &["nginx: master", "nginx: worker", "php-fpm"]),
        ("app", &["java -jar app.jar", "redis-server"]),
        ("mail", &["postfix: master", "dovecot"]),
        ("file", &["smbd", "nfsd"]),
        ("mon", &["prometheus", "grafana"]),
        ("ldap", &["slapd"]),
        ("build", &["runner", "dockerd"]),
    ];
    let name = &cx.machine.name;
    let own = SERVICES.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or(&["named"][..], |(_, list)| list);
    let mut out = String::from("  PID COMMAND\n    1 init\n");
    let mut pid = 300 + mix(cx.machine.seed) % 200;
    for (at, command) in ["sshd", "cron"].iter().chain(own).enumerate() {
        pid += 1 + mix(cx.machine.seed ^ at as u64) % 90;
        let _ = writeln!(out, "{pid:>5} {command}");
    }
    let _ = writeln!(out, "{:>5} ps", pid + 1000 + cx.uptime.as_secs() % 20_000);
    said(out)
}

fn echo(arguments: &[&str], cx: &Cx<'_>) -> Done {
    said(arguments.join(" ").replace("$?", &cx.status.to_string()) + "\n")
}

fn stty(arguments: &[&str], cx: &Cx<'_>) -> Done {
    match (arguments, cx.window) {
        (["size"], Some(window)) => said(format!("{} {}\n", window.rows, window.columns)),
        (["size"], None) => failed(1, "stty: there is no terminal"),
        _ => failed(1, "stty: only `stty size` is known here"),
    }
}

fn clear(_: &[&str], cx: &Cx<'_>) -> Done {
    said(if cx.window.is_some() { "\x1b[H\x1b[2J" } else { "" })
}

fn exit(arguments: &[&str], cx: &Cx<'_>) -> Done {
    let status = arguments.first().map_or(Some(cx.status), |word| word.parse::<u8>().ok().map(u32::from));
    match status {
        Some(status) => Done { status, ends: true, ..Done::default() },
        None => failed(2, "exit: a status is a number from 0 to 255"),
    }
}

fn show(arguments: &[&str], cx: &Cx<'_>) -> Done {
    let Role::Switch { ports } = cx.machine.role else { return Done::default() };
    match arguments {
        ["version"] => said(format!(
            "Simulated switch, {ports} ports, noctty demo {}\n{} has been up for {} days\n",
            env!("CARGO_PKG_VERSION"),
            cx.machine.name,
            cx.uptime.as_secs() / 86_400
        )),
        ["clock"] => date(arguments, cx),
        _ => failed(1, "show: version or clock; the ports are asked by SNMP"),
    }
}
