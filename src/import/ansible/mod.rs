//! Ansible inventories: INI, YAML, and the JSON of `ansible-inventory --list`. Of the variables only those that say
//! where a host is and how it is reached are kept; templates, vaults and everything else are left alone. A dynamic
//! inventory is a program and is never run.

mod groups;
mod ini;
mod yaml;

use groups::{Inventory, Variable};

use super::{Format, Found, Input, Reach, Record};
use crate::base::options::{Place, Problem};

pub static FORMAT: Format =
    Format { name: "ansible", help: "an inventory as INI or YAML, or what `ansible-inventory --list` prints", read };

fn read(input: &Input) -> Result<Found, Vec<Problem>> {
    let text = &input.source.text;
    if text.starts_with("#!") {
        return Err(vec![
            Problem::error(&input.line(1), "this is a program, and an import runs none")
                .hint("import what it tells: ansible-inventory -i FILE --list > inventory.json"),
        ]);
    }
    if text.starts_with("$ANSIBLE_VAULT") {
        return Err(vec![Problem::error(&input.line(1), "this is an encrypted vault")]);
    }
    let inventory = if is_yaml(input) { yaml::read(input)? } else { ini::read(input)? };
    let mut found = found(&inventory, input);
    if let Some(folder) = input.path.as_ref().and_then(|p| p.parent()) {
        for name in ["group_vars", "host_vars"] {
            if folder.join(name).is_dir() {
                found.remark(
                    None,
                    format!("{name} beside the inventory is not read; import what `ansible-inventory --list` prints to have it applied"),
                );
            }
        }
    }
    Ok(found)
}

/// By the ending of the name; without one by the first line that says something.
fn is_yaml(input: &Input) -> bool {
    let ending = input.path.as_ref().and_then(|p| p.extension()).map(|e| e.to_string_lossy().to_ascii_lowercase());
    match ending.as_deref() {
        Some("yml" | "yaml" | "json") => return true,
        Some("ini" | "cfg") => return false,
        _ => {}
    }
    let first = input.source.text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with(['#', ';']));
    first.is_some_and(|line| {
        let key = line.strip_suffix(':').or_else(|| line.split_once(": ").map(|(key, _)| key));
        line.starts_with("---") || line.starts_with('{') || key.is_some_and(|key| !key.contains([' ', '=', '[']))
    })
}

fn found(inventory: &Inventory, input: &Input) -> Found {
    let mut found = Found::default();
    for remark in &inventory.remarks {
        found.remark(None, remark);
    }
    let groups = inventory.resolved_groups();
    for host in &inventory.hosts {
        let place = host.line.map(|line| input.line(line));
        let vars = groups.variables(host);
        let mut record = Record::named(&host.name);
        record.place.clone_from(&place);
        if vars.text(Variable::Connection) == Some("local") {
            found.remark(place.as_ref(), format!("{}: left out, it is the machine that ansible runs on", host.name));
            continue;
        }
        if let Some(address) = vars.text(Variable::Host) {
            if address.contains("{{") {
                found.remark(place.as_ref(), format!("{}: left out, its address is a template", host.name));
                continue;
            }
            if address != host.name {
                record.address = Some(address.to_owned());
            }
        }
        let port = port(vars.text(Variable::Port), host.port, &host.name, place.as_ref(), &mut found);
        record.reach = reach(vars.text(Variable::Connection), port, vars.text(Variable::SshArguments));
        record.group = groups.nearest(host).map(str::to_owned);
        record.tags = groups.all(host).into_iter().map(str::to_owned).collect();
        found.records.push(record);
    }
    found
}

fn port(told: Option<&str>, written: Option<u16>, name: &str, place: Option<&Place>, found: &mut Found) -> Option<u16> {
    let Some(told) = told else { return written };
    match told.parse() {
        Ok(port) if port > 0 => Some(port),
        _ => {
            found.remark(place, format!("{name}: its port is no number from 1 to 65535"));
            written
        }
    }
}

fn reach(connection: Option<&str>, port: Option<u16>, arguments: Option<&str>) -> Reach {
    let connection = connection.unwrap_or("ssh");
    let connection = connection.rsplit('.').next().unwrap_or(connection);
    match connection {
        "winrm" | "psrp" => Reach::Tcp { port: port.unwrap_or(5986) },
        "netconf" => Reach::Tcp { port: port.unwrap_or(830) },
        "httpapi" => Reach::Tcp { port: port.unwrap_or(443) },
        "ssh" | "smart" | "paramiko" | "paramiko_ssh" | "libssh" | "network_cli" => {
            let arguments = arguments.unwrap_or_default();
            let lower = arguments.to_ascii_lowercase();
            let jumps = arguments.split_whitespace().any(|word| word.starts_with("-J"));
            if jumps || lower.contains("proxyjump") || lower.contains("proxycommand") {
                Reach::Nothing { why: "behind a jump host, not probed".to_owned() }
            } else {
                Reach::Ssh { port: port.unwrap_or(22) }
            }
        }
        _ => Reach::Echo,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::testing::{input, words};

    const INI: &str = "\
# all hosts
mail.example.com
localhost ansible_connection=local

[web]
web[01:03].example.com ansible_port=2222
tpl ansible_host={{ lookup }}

[db]
db-[a:b] ansible_host=10.0.0.5 ansible_password='hunter2'
win1 ansible_connection=winrm

[prod:children]
web
db

[web:vars]
ansible_ssh_common_args='-o ProxyJump=jump1'
ansible_port = 22
";

    #[test]
    fn ini_hosts_ranges_groups_and_variables_are_read() {
        let found = read(&input(INI)).expect("readable");
        let names: Vec<&str> = found.records.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(
            names,
            ["mail.example.com", "web01.example.com", "web02.example.com", "web03.example.com", "db-a", "db-b", "win1"]
        );
        let web = &found.records[1];
        assert_eq!(
            (web.group.as_deref(), web.tags.as_slice()),
            (Some("web"), &["prod".to_owned(), "web".to_owned()][..])
        );
        assert!(matches!(web.reach, Reach::Nothing { .. }));
        assert_eq!(found.records[4].address.as_deref(), Some("10.0.0.5"));
        assert_eq!(found.records[6].reach, Reach::Tcp { port: 5986 });
        assert!(!format!("{found:?}").contains("hunter2\")"), "a password was kept");
        let words = words(&found.remarks);
        assert!(words.contains("localhost: left out") && words.contains("tpl: left out"), "{words}");
    }

    #[test]
    fn yaml_says_the_same() {
        let text = "\
all:
  vars: &common
    ansible_port: 2022
  children:
    prod:
      children:
        web:
          hosts:
            web[1:2]:
              ansible_host: 10.0.0.1
            secret:
              ansible_host: !vault |
                $ANSIBLE_VAULT;1.1
        db:
          hosts:
            db1:
          vars:
            <<: *common
";
        let found = read(&input(text)).expect("readable");
        let hosts: Vec<(&str, Option<&str>, &Reach)> =
            found.records.iter().map(|r| (r.name.as_str(), r.group.as_deref(), &r.reach)).collect();
        let ssh = &Reach::Ssh { port: 2022 };
        assert_eq!(
            hosts,
            [
                ("web1", Some("web"), ssh),
                ("web2", Some("web"), ssh),
                ("secret", Some("web"), ssh),
                ("db1", Some("db"), ssh)
            ]
        );
        assert_eq!(found.records[2].address, None);
    }

    #[test]
    fn the_list_of_ansible_inventory_is_read() {
        let text = r#"{"_meta": {"hostvars": {"a": {"ansible_host": "10.0.0.1", "ansible_password": "x"}}},
 "all": {"children": ["ungrouped", "sw"]}, "sw": {"hosts": ["a", "b"]}}"#;
        let found = read(&input(text)).expect("readable");
        assert_eq!(found.records.len(), 2);
        assert_eq!(
            (found.records[0].address.as_deref(), found.records[0].group.as_deref()),
            (Some("10.0.0.1"), Some("sw"))
        );
    }

    #[test]
    fn a_dynamic_inventory_is_not_run() {
        let problems = words(&read(&input("#!/bin/sh\ntouch /tmp/x\n")).expect_err("a program"));
        assert!(problems.contains("an import runs none"), "{problems}");
    }

    #[test]
    fn a_host_variable_outranks_its_groups_and_a_child_its_parent() {
        let text = "[a]\nx ansible_port=3\ny\n[b]\nz\n[top:children]\na\nb\n[top:vars]\nansible_port=1\n[a:vars]\nansible_port=2\n";
        let found = read(&input(text)).expect("readable");
        let reach: Vec<&Reach> = found.records.iter().map(|r| &r.reach).collect();
        assert_eq!(reach, [&Reach::Ssh { port: 3 }, &Reach::Ssh { port: 2 }, &Reach::Ssh { port: 1 }]);
    }

    #[test]
    fn hostile_inventories_end_in_an_error() {
        let deep = format!("all: {}", "{a: ".repeat(5000));
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nall: {hosts: *c}\n";
        let ring = "all: &a\n  children:\n    x: *a\n";
        let huge = "[g]\nh[0:99999999999]\n";
        for text in [deep.as_str(), "all: [", "[g]\nh[5:1]\n", huge, "[x:what]\n", "[a\n", "all: 5\n"] {
            let problems = read(&input(text)).expect_err(&text[..text.len().min(40)]);
            assert!(!problems.is_empty());
        }
        let bomb = read(&input(bomb)).expect("lists in lists are no hosts");
        assert_eq!(bomb.records.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["x"]);
        assert!(read(&input(ring)).expect("a ring is cut").records.is_empty());
        let circle = read(&input("[a:children]\nb\n[b:children]\na\n[b]\nh\n")).expect("a circle is cut");
        assert_eq!(circle.records.len(), 1);
        assert!(words(&circle.remarks).contains("circle"), "{:?}", circle.remarks);
    }
}
