//! The reading of `ssh_config` held against OpenSSH's own: `ssh -G` must say the same of every host.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use noctty::ssh::config::{Proxy, StrictHostKeys};
use noctty::ssh::{HostSettings, SshConfig, Surroundings};

const CONFIGS: &[&str] = &[
    "Host web*\n User first\nHost web1\n User second\n Port 2222\nHost *\n Port 99\n HostName %h.example.net\n",
    "Host * !web1\n Port 1\nHost web? db-*\n Port 2\nHost WEB1\n Port 3\n",
    "Match host web1\n Port 4\nMatch originalhost WEB1 user root,ops\n User matched\nMatch user !root,*\n Port 5\nHost web1\n Port 6\n",
    "Host web1\n HostName real.example.net\nMatch host real.*\n Port 7\nMatch host web1\n Port 8\n",
    "Match final host web1\n Port 9\nMatch !final\n User early\nMatch canonical\n Port 10\nHost *\n ConnectTimeout 1m5s\n",
    "Match all\n Port 11\nHost web1\n Port 12\n",
    "port=13\nHost web1\n  user = \"with quotes\" # comment\nHost db-1\n\tUser\ttabs\nHost *\n HostKeyAlias same\n",
    "Host web1\n ProxyJump jump1\n ProxyCommand nc %h\nHost db-1\n ProxyCommand nc -x a:1 %h %p\n ProxyJump j\nHost db-2\n ProxyJump none\nHost *\n ProxyJump u@j1:22,j2\n",
    "Host web1\n StrictHostKeyChecking yes\n HashKnownHosts yes\nHost db-1\n StrictHostKeyChecking accept-new\nHost db-2\n StrictHostKeyChecking off\n IdentitiesOnly yes\n",
    "IdentityFile /k/one\nHost web1\n IdentityFile /k/two\n IdentityFile /k/one\nMatch final\n IdentityFile /k/three\n CertificateFile /k/c\n",
    "UserKnownHostsFile /k/a /k/b\nGlobalKnownHostsFile /k/g\nServerAliveInterval 15\nServerAliveCountMax 2\nConnectTimeout none\n",
    "Host web1\n Include INC/one\n Port 20\nInclude INC/*.conf INC/missing\nHost *\n Port 21\n",
    "Include \"INC/10.conf\"\nMatch originalhost db-*\n Include INC/one\nHost *\n User last\n",
];

const NAMES: &[&str] = &["web1", "WEB1", "webX", "db-1", "db-2", "other.example.net", "ops@web1"];

#[test]
fn every_host_resolves_as_ssh_itself_resolves_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let included = folder.path().join("inc");
    fs::create_dir(&included).expect("made");
    fs::write(included.join("one"), "User from-one\nHost db-1\n Port 30\nHost *\n HashKnownHosts yes\n")
        .expect("written");
    fs::write(included.join("10.conf"), "Host web1\n User ten\n").expect("written");
    fs::write(included.join("20.conf"), "Host *\n User twenty\n ServerAliveInterval 2m\n").expect("written");
    let mut differences = Vec::new();
    for (number, text) in CONFIGS.iter().enumerate() {
        let file = folder.path().join("config");
        fs::write(&file, text.replace("INC", &included.to_string_lossy())).expect("written");
        let config = SshConfig::from_file(&file, local_user());
        for name in NAMES {
            let theirs = openssh(&file, name);
            let ours = as_openssh_prints(&config.resolve(name));
            for (key, our_values) in &ours {
                let their_values = theirs.get(*key).cloned().unwrap_or_default();
                if *our_values != their_values {
                    differences
                        .push(format!("config {number}, {name}: {key} is {their_values:?}, here {our_values:?}"));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn local_user() -> Surroundings {
    let user = Command::new("id").arg("-un").output().expect("id runs").stdout;
    Surroundings {
        user: String::from_utf8(user).expect("a name").trim().to_owned(),
        ..Surroundings::from_environment()
    }
}

fn openssh(file: &Path, name: &str) -> BTreeMap<String, Vec<String>> {
    let output = Command::new("ssh").arg("-G").arg("-F").arg(file).arg(name).output().expect("ssh runs");
    assert!(output.status.success(), "ssh -G: {}", String::from_utf8_lossy(&output.stderr));
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        out.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    out
}

fn as_openssh_prints(ours: &HostSettings) -> BTreeMap<&'static str, Vec<String>> {
    let yes_no = |flag: bool| vec![if flag { "yes" } else { "no" }.to_owned()];
    let paths = |list: &[std::path::PathBuf]| -> Vec<String> { list.iter().map(|p| p.display().to_string()).collect() };
    let strict = match ours.strict_host_keys {
        StrictHostKeys::Yes => "true",
        StrictHostKeys::Ask => "ask",
        StrictHostKeys::AcceptNew => "accept-new or false",
    };
    let mut out = BTreeMap::from([
        ("hostname", vec![ours.host_name.clone()]),
        ("user", vec![ours.user.clone()]),
        ("port", vec![ours.port.to_string()]),
        ("identitiesonly", yes_no(ours.identities_only)),
        ("hashknownhosts", yes_no(ours.hash_known_hosts)),
        ("serveraliveinterval", vec![ours.alive_interval.as_secs().to_string()]),
        ("serveralivecountmax", vec![ours.alive_count_max.to_string()]),
        ("connecttimeout", vec![ours.connect_timeout.map_or("none".to_owned(), |t| t.as_secs().to_string())]),
        ("hostkeyalias", ours.host_key_alias.iter().cloned().collect()),
        ("certificatefile", paths(&ours.certificate_files)),
    ]);
    if ours.strict_host_keys != StrictHostKeys::AcceptNew {
        out.insert("stricthostkeychecking", vec![strict.to_owned()]);
    }
    if ours.identities_named {
        out.insert("identityfile", paths(&ours.identity_files));
    }
    if ours.user_known_hosts.iter().all(|p| p.starts_with("/k")) {
        out.insert("userknownhostsfile", vec![paths(&ours.user_known_hosts).join(" ")]);
        out.insert("globalknownhostsfile", vec![paths(&ours.global_known_hosts).join(" ")]);
    }
    match &ours.proxy {
        Proxy::Direct => {
            out.insert("proxyjump", Vec::new());
            out.insert("proxycommand", Vec::new());
        }
        Proxy::Jump(hops) => {
            out.insert("proxyjump", vec![hops.join(",")]);
        }
        Proxy::Command(command) => {
            out.insert("proxycommand", vec![command.clone()]);
        }
    }
    out
}
