use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;

fn surroundings(home: &Path) -> Surroundings {
    Surroundings {
        config: None,
        home: home.to_path_buf(),
        user: "local".into(),
        uid: 1000,
        machine: "console.example.net".into(),
        agent: Some("/run/agent".into()),
    }
}

fn parsed(text: &str) -> (tempfile::TempDir, SshConfig) {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".ssh")).unwrap();
    fs::write(home.path().join("config"), text).unwrap();
    let config = SshConfig::from_file(&home.path().join("config"), surroundings(home.path()));
    (home, config)
}

#[test]
fn the_first_value_wins_and_identity_files_add_up() {
    let (home, config) = parsed(
        "Host web*\n User first\n IdentityFile ~/a\nHost web1\n User second\n Port 2222\n IdentityFile ~/b\n\
         Host *\n Port 22\n IdentityFile ~/a\n",
    );
    let web1 = config.resolve("web1");
    assert_eq!((web1.user.as_str(), web1.port), ("first", 2222));
    assert_eq!(web1.identity_files, [home.path().join("a"), home.path().join("b")]);
    assert_eq!(config.resolve("me@web1").user, "me");
}

#[test]
fn tokens_and_home_are_expanded() {
    let (home, config) = parsed(
        "Host sw-*\n HostName %h.mgmt\n IdentityFile ~/.ssh/%r@%n:%p\n CertificateFile %d/%u-%i-%L\n User ops\n\
         UserKnownHostsFile %d/kh-%h none\n Port 830\n IdentityAgent %d/agent\n",
    );
    let sw = config.resolve("sw-1");
    assert_eq!(sw.host_name, "sw-1.mgmt");
    assert_eq!(sw.identity_files, [home.path().join(".ssh/ops@sw-1:830")]);
    assert_eq!(sw.certificate_files, [home.path().join("local-1000-console")]);
    assert_eq!(sw.user_known_hosts, [home.path().join("kh-sw-1.mgmt")]);
    assert_eq!(sw.agent, AgentSocket::Path(home.path().join("agent")));
}

#[test]
fn a_proxy_command_is_kept_as_text_and_the_first_proxy_wins() {
    let (_home, config) = parsed(
        "Host a\n ProxyCommand nc -X 5 \"%h\" %p\n ProxyJump j\nHost b\n ProxyJump u@j1:22,j2\n ProxyCommand x\n\
         Host c\n ProxyJump none\nHost d\n ProxyJump -oEvil\nHost *\n ProxyJump last\n",
    );
    assert_eq!(config.resolve("a").proxy, Proxy::Command("nc -X 5 \"%h\" %p".into()));
    assert_eq!(config.resolve("b").proxy, Proxy::Jump(vec!["u@j1:22".into(), "j2".into()]));
    assert_eq!(config.resolve("b").behind(), Some("j2"));
    assert_eq!(config.resolve("c").proxy, Proxy::Direct);
    let d = config.resolve("d");
    assert_eq!(d.proxy, Proxy::Jump(vec!["last".into()]));
    assert!(d.problems[0].contains("config:10: proxyjump -oEvil is no list"), "{:?}", d.problems);
}

#[test]
fn match_blocks_apply_by_host_user_and_final_pass_and_never_run_anything() {
    let witness = tempfile::tempdir().unwrap().path().join("ran");
    let (_home, config) = parsed(&format!(
        "Match exec \"touch {}\"\n Port 1\nMatch !exec \"false\"\n Port 1\nMatch originalhost db user ops\n Port 2\n\
         Match host *.example.net final\n HashKnownHosts yes\nHost db\n HostName db.example.net\n",
        witness.display()
    ));
    assert_eq!(config.resolve("db").port, 22);
    assert_eq!(config.resolve("ops@db").port, 2);
    assert!(config.resolve("db").hash_known_hosts, "the final pass sees the host name");
    assert!(!witness.exists());
    assert!(config.remarks[0].message.contains("Match exec"), "{:?}", config.remarks);
}

#[test]
fn included_files_are_read_in_order_and_a_cycle_ends() {
    let (home, _) = parsed("");
    let ssh = home.path().join(".ssh");
    fs::create_dir(ssh.join("conf.d")).unwrap();
    fs::write(ssh.join("conf.d/20"), "Host two\n Port 20\n").unwrap();
    fs::write(ssh.join("conf.d/10"), "Host one\n Port 10\nHost two\n Port 11\n").unwrap();
    fs::write(ssh.join("inner"), "Host *\n User leaked\n").unwrap();
    fs::write(
        ssh.join("config"),
        "Include conf.d/*\nInclude missing\nInclude config\nHost three\n Include inner\nHost *\n Port 1\n",
    )
    .unwrap();
    let config = SshConfig::load(surroundings(home.path()));
    assert_eq!(config.resolve("two").port, 11);
    assert_eq!(config.resolve("three").user, "leaked");
    assert_eq!(config.resolve("one").user, "local", "an Include in a block that does not apply says nothing");
    assert_eq!(config.remarks.len(), 1, "{:?}", config.remarks);
    let names: Vec<_> = config.hosts().iter().map(|h| (h.alias.clone(), h.line)).collect();
    assert_eq!(names, [("one".into(), 1), ("two".into(), 3), ("three".into(), 4)]);
    assert_eq!(config.hosts()[0].file.as_ref(), ssh.join("conf.d/10"));
}

#[test]
fn only_plain_names_are_hosts() {
    let (_home, config) = parsed("Host a *.b c? d\nHost !x *\nHost -oEvil $(id) e\nHost a f\n");
    let names: Vec<_> = config.hosts().into_iter().map(|h| h.alias).collect();
    assert_eq!(names, ["a", "d", "e", "f"]);
}

#[test]
fn defaults_are_those_of_openssh() {
    let (home, config) = parsed("# nothing\n");
    let host = config.resolve("h");
    assert_eq!((host.port, host.user.as_str(), host.host_name.as_str()), (22, "local", "h"));
    assert_eq!(host.identity_files[0], home.path().join(".ssh/id_rsa"));
    assert!(!host.identities_named);
    assert_eq!(host.agent, AgentSocket::Path("/run/agent".into()));
    assert_eq!(host.strict_host_keys, StrictHostKeys::Ask);
    assert_eq!(host.user_known_hosts[0], home.path().join(".ssh/known_hosts"));
    assert_eq!((host.alive_interval, host.alive_count_max, host.connect_timeout), (Duration::ZERO, 3, None));
}

#[test]
fn odd_and_hostile_files_are_remarks_not_failures() {
    let (home, config) = parsed(
        "Host \"open\nPort\nHost a\n Port 0\n StrictHostKeyChecking maybe\n ConnectTimeout 1m30s\n\u{1b}]0;x\u{7} y\n",
    );
    assert_eq!(config.remarks.len(), 2, "{:?}", config.remarks);
    let a = config.resolve("a");
    assert_eq!((a.port, a.problems.len()), (22, 2));
    assert_eq!(a.connect_timeout, Some(Duration::from_secs(90)));

    let big = home.path().join("big");
    fs::write(&big, "#".repeat(2 << 20)).unwrap();
    let config = SshConfig::from_file(&big, surroundings(home.path()));
    assert!(config.remarks[0].to_string().contains("larger than 1 MiB"));
    let config = SshConfig::from_file(&PathBuf::from("/dev/zero"), surroundings(home.path()));
    assert!(config.remarks[0].to_string().contains("not a regular file"));
}
