//! `ssh_config(5)`: the plain names of `Host` lines, with what applies to each. A host behind a jump is taken over
//! without checks, since its address means nothing from here.

use std::collections::HashMap;

use super::{Format, Found, Input, Reach, Record, remark};
use crate::base::options::Problem;
use crate::ssh::config::{Proxy, SshConfig, Surroundings};

/// What applies to a host is found by going through the whole file, so these are few.
const MOST_HOSTS: usize = 5_000;

pub static FORMAT: Format =
    Format { name: "ssh-config", help: "the hosts of an OpenSSH client configuration, includes followed", read };

fn read(input: &Input) -> Result<Found, Vec<Problem>> {
    let Some(path) = &input.path else {
        return Err(vec![Problem::unplaced("an ssh_config is read from a file, since it may include others")]);
    };
    let config = SshConfig::from_file(path, Surroundings::with_home(&input.home));
    let remarks = config.remarks.iter().map(|why| remark(None, why.to_string())).collect();
    let mut found = Found { records: Vec::new(), remarks };
    let named = config.hosts();
    if named.len() > MOST_HOSTS {
        return Err(vec![Problem::unplaced(format!("it has more than {MOST_HOSTS} hosts"))]);
    }
    let mut seen: HashMap<(String, u16), String> = HashMap::new();
    for named in named {
        let name = named.alias;
        let place = (*named.file == **path).then(|| input.line(named.line));
        let settings = config.resolve(&name);
        for why in &settings.problems {
            found.remark(None, why);
        }
        if settings.user == "git" {
            found.remark(place.as_ref(), format!("{name}: left out, it logs in as git (a code host)"));
            continue;
        }
        let mut record = Record::named(&name);
        match &settings.proxy {
            Proxy::Jump(_) => {
                let jump = hop_name(settings.behind().unwrap_or_default());
                record.reach = Reach::Nothing { why: format!("behind {jump}, not probed") };
                record.parents = vec![jump.to_owned()];
            }
            Proxy::Command(_) => record.reach = Reach::Nothing { why: "behind a ProxyCommand, not probed".to_owned() },
            Proxy::Direct => {
                record.reach = Reach::Ssh { port: settings.port };
                let key = (settings.host_name.to_ascii_lowercase(), settings.port);
                if let Some(first) = seen.get(&key) {
                    let why = format!("{name}: left out, it is the same machine as {first}");
                    found.remark(place.as_ref(), why);
                    continue;
                }
                seen.insert(key, name.clone());
            }
        }
        if settings.host_name != name {
            record.address = Some(settings.host_name);
            record.ssh = Some(name);
        }
        record.place = place;
        found.records.push(record);
    }
    Ok(found)
}

/// The host of `user@host:port` or `user@[2001:db8::1]:22`.
fn hop_name(hop: &str) -> &str {
    let host = hop.rsplit_once('@').map_or(hop, |(_, host)| host);
    match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or(host),
        None => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::testing;

    fn import(text: &str) -> Found {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config");
        std::fs::write(&path, text).expect("written");
        let input = Input { path: Some(path), ..testing::input(text) };
        read(&input).expect("an ssh_config is never wrong as a whole")
    }

    #[test]
    fn names_addresses_ports_and_jumps_are_taken_over() {
        let found = import(
            "Host jump1 web-*\n HostName jump1.example.net\n Port 2201\nHost db1\n HostName 10.0.0.1\n ProxyJump ops@jump1:2201\nHost plain\n",
        );
        let names: Vec<&str> = found.records.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["jump1", "db1", "plain"]);
        assert_eq!(found.records[0].address.as_deref(), Some("jump1.example.net"));
        assert_eq!(found.records[0].reach, Reach::Ssh { port: 2201 });
        assert_eq!(found.records[1].parents, ["jump1"]);
        assert_eq!(found.records[1].reach, Reach::Nothing { why: "behind jump1, not probed".to_owned() });
        assert_eq!((&found.records[2].address, &found.records[2].ssh), (&None, &None));
    }

    #[test]
    fn a_machine_with_two_names_is_one_host_and_code_hosts_are_none() {
        let found = import("Host a a.example.net\n HostName 10.0.0.1\nHost forge\n User git\n");
        assert_eq!(found.records.len(), 1);
        let words = testing::words(&found.remarks);
        assert!(words.contains("a.example.net: left out, it is the same machine as a"), "{words}");
        assert!(words.contains("forge: left out"), "{words}");
    }

    #[test]
    fn a_hop_is_named_without_user_and_port() {
        for (hop, want) in
            [("jump1", "jump1"), ("ops@jump1:2201", "jump1"), ("b@[2001:db8::1]:22", "2001:db8::1"), ("::1", "::1")]
        {
            assert_eq!(hop_name(hop), want, "{hop}");
        }
    }
}
