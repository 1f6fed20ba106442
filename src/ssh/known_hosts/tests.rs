use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::*;

const A: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
const B: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

fn key(blob: &str) -> PublicKey {
    parse_public_key_base64(blob).unwrap()
}

fn known(text: &str) -> (tempfile::TempDir, KnownHosts) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    fs::write(&file, text.replace("{A}", A).replace("{B}", B)).unwrap();
    let known = KnownHosts::read(&[file]).unwrap();
    (folder, known)
}

#[test]
fn a_known_a_changed_and_an_unknown_key_are_told_apart() {
    let (folder, known) = known("# c\nweb1,10.0.0.1 ssh-ed25519 {A} comment here\n");
    assert_eq!(known.check("web1", 22, &key(A)), Verdict::Known);
    assert_eq!(known.check("WEB1", 22, &key(A)), Verdict::Known);
    assert_eq!(known.check("web2", 22, &key(A)), Verdict::Unknown);
    let Verdict::Changed(old) = known.check("10.0.0.1", 22, &key(B)) else { panic!("not changed") };
    assert_eq!((old[0].line, old[0].file.as_ref()), (2, folder.path().join("known_hosts").as_path()));
    assert_eq!(old[0].fingerprint, fingerprint(&key(A)));
}

#[test]
fn odd_spacing_unknown_algorithms_and_several_keys_do_no_harm() {
    let (_folder, known) = known(
        "web1  ssh-frob AAAAfrob\nweb1\tssh-ed25519\t{B}\n@odd web1 ssh-ed25519 {A}\n  web1   ssh-ed25519   {A}   \nbroken\nweb1 ssh-ed25519 !!!\n",
    );
    assert_eq!(known.check("web1", 22, &key(A)), Verdict::Known);
    assert_eq!(known.check("web1", 22, &key(B)), Verdict::Known);
}

#[test]
fn a_revoked_key_is_refused_even_where_a_plain_line_believes_it() {
    let (_folder, known) = known("@revoked * ssh-ed25519 {A}\nweb1 ssh-ed25519 {A}\n");
    assert!(matches!(known.check("web1", 22, &key(A)), Verdict::Revoked(r) if r.line == 1));
    assert!(matches!(known.check("web1", 2222, &key(A)), Verdict::Revoked(_)));
}

#[test]
fn an_authority_is_no_key_of_the_host_itself() {
    let (_folder, known) = known("@cert-authority *.example.net ssh-ed25519 {A}\n");
    assert_eq!(known.check("web1.example.net", 22, &key(A)), Verdict::Unknown);
    assert!(known.has_authority("web1.example.net", 22) && !known.has_authority("web1", 22));
}

#[test]
fn ports_wildcards_and_negation() {
    let (_folder, known) = known("[web1]:2222 ssh-ed25519 {A}\n*.lab,!bad.lab ssh-ed25519 {B}\n");
    assert_eq!(known.check("web1", 2222, &key(A)), Verdict::Known);
    assert_eq!(known.check("web1", 22, &key(A)), Verdict::Unknown);
    assert_eq!(known.check("good.lab", 22, &key(B)), Verdict::Known);
    assert_eq!(known.check("good.lab", 2222, &key(B)), Verdict::Known, "known without its port");
    assert_eq!(known.check("good.lab", 2222, &key(A)), Verdict::Unknown);
    assert_eq!(known.check("bad.lab", 22, &key(B)), Verdict::Unknown);
}

#[test]
fn an_appended_key_is_known_private_and_on_a_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new/known_hosts");
    append(&file, "web1", 2222, &key(A), false).unwrap();
    append(&file, "web2", 22, &key(B), true).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("[web1]:2222 ssh-ed25519 ") && !text.contains("web2"), "{text}");
    fs::write(&file, text.trim_end()).unwrap();
    append(&file, "web3", 22, &key(A), false).unwrap();
    let known = KnownHosts::read(&[file]).unwrap();
    for (host, port, blob) in [("web1", 2222, A), ("web2", 22, B), ("web3", 22, A)] {
        assert_eq!(known.check(host, port, &key(blob)), Verdict::Known, "{host}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_and_a_missing_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    assert!(KnownHosts::read(&[folder.path().join("missing")]).is_ok());
    let error = KnownHosts::read(&[folder.path().to_path_buf()]).unwrap_err().to_string();
    assert!(error.contains("it is a folder"), "{error}");
}

/// `ssh-keygen -F` is the oracle: the same lines must be found for the same names.
#[test]
fn the_same_lines_are_found_as_by_ssh_keygen() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    let text = "web1,10.0.0.1 ssh-ed25519 {A}\n[web1]:2222 ssh-ed25519 {B}\n*.lab,!bad.lab ssh-ed25519 {A}\n\
        @revoked web? ssh-ed25519 {B}\n@cert-authority * ssh-ed25519 {A}\nUPPER ssh-ed25519 {B}\n# note\n\n\
        web1\tssh-ed25519\t{B}\nfe80::1 ssh-ed25519 {A}\n";
    fs::write(&file, text.replace("{A}", A).replace("{B}", B)).unwrap();
    for hashed in ["h1", "h2"] {
        append(&file, hashed, 2200, &key(A), true).unwrap();
        append(&file, hashed, 22, &key(B), true).unwrap();
    }
    let known = KnownHosts::read(std::slice::from_ref(&file)).unwrap();
    let names = [
        "web1",
        "web2",
        "10.0.0.1",
        "[web1]:2222",
        "a.lab",
        "bad.lab",
        "upper",
        "UPPER",
        "h1",
        "[h1]:2200",
        "[h2]:2200",
        "[h2]:22",
        "fe80::1",
        "nothing",
    ];
    for name in names {
        let output = Command::new("ssh-keygen").arg("-F").arg(name).arg("-f").arg(&file).output().unwrap();
        let theirs: Vec<usize> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|l| l.strip_prefix("# Host ")?.split("found: line ").nth(1)?.split(' ').next()?.parse().ok())
            .collect();
        assert_eq!(known.lines_naming(name), theirs, "{name}");
    }
}
