//! What is said of SNMPv3 users in a configuration.

use super::bind;
use crate::base::options::Problem;
use crate::config::load;

/// All that is said about a host with this `snmp` table, and whether it is accepted.
fn said(table: &str) -> (bool, String) {
    let text = format!("[[host]]\nname = \"sw\"\naddress = \"192.0.2.1\"\nsnmp = {table}\n");
    let config = load::parse("noctty.toml", text).expect("the file itself is fine");
    let (good, problems) = match bind(&config) {
        Ok((_, warnings)) => (true, warnings),
        Err(problems) => (false, problems),
    };
    (good, problems.iter().map(Problem::render).collect())
}

const AUTH: &str = "auth = { protocol = \"SHA-256\", password = { file = \"/a\" } }";

#[test]
fn all_levels_are_accepted_without_a_word() {
    for table in [
        "{ version = \"3\", user = \"ops\" }".to_owned(),
        format!("{{ version = \"3\", user = \"ops\", {AUTH}, context = \"vlan-10\" }}"),
        format!(
            "{{ version = \"3\", user = \"ops\", {AUTH}, priv = {{ protocol = \"aes-256-c\", password = {{ env = \"P\" }} }}, engine_id = \"80001f8804aabbcc\" }}"
        ),
    ] {
        assert_eq!(said(&table), (true, String::new()), "{table}");
    }
}

#[test]
fn what_is_wrong_is_located_with_a_hint() {
    for (table, wants) in [
        ("{ version = \"3\" }".to_owned(), &["has no `user`"][..]),
        (
            "{ version = \"3\", user = \"u\", auth = { protocol = \"SHA-265\", password = { file = \"/a\" } } }"
                .to_owned(),
            &["noctty.toml:4:57: error: unknown auth protocol \"SHA-265\"", "did you mean \"SHA-256\"?"],
        ),
        (
            format!(
                "{{ version = \"3\", user = \"u\", {AUTH}, priv = {{ protocol = \"3DES\", password = {{ file = \"/p\" }} }} }}"
            ),
            &["unknown priv protocol \"3DES\"", "did you mean \"DES\"?"],
        ),
        ("{ version = \"3\", user = \"u\", auth = { protocol = \"SHA\" } }".to_owned(), &["has no `password`"]),
        (
            "{ version = \"3\", user = \"u\", priv = { protocol = \"DES\", password = { file = \"/p\" } } }".to_owned(),
            &["`priv` without `auth`"],
        ),
        (
            "{ version = \"3\", user = \"u\", auth = { protocol = \"SHA\", password = \"c4nary\" } }".to_owned(),
            &["fewer than 8 octets"],
        ),
        ("{ version = \"3\", user = \"u\", community = { env = \"C\" } }".to_owned(), &["`community` has no effect"]),
        ("{ community = { env = \"C\" }, user = \"u\" }".to_owned(), &["`user` has no effect", "version = \"3\""]),
        ("{ version = \"3\", user = \"u\", engine_id = \"8000\" }".to_owned(), &["\"8000\" is no engine id"]),
        ("{ version = \"3\", user = \"\" }".to_owned(), &["1 to 32 octets"]),
        ("{ version = \"4\", community = { env = \"C\" } }".to_owned(), &["version \"4\" is not spoken"]),
    ] {
        let (good, text) = said(&table);
        assert!(!good, "{table}");
        for want in wants {
            assert!(text.contains(want), "{want} is missing in\n{text}");
        }
        assert!(!text.contains("c4nary"), "{text}");
    }
}

#[test]
fn weak_choices_are_warned_about_and_work() {
    let table = "{ version = \"3\", user = \"u\", auth = { protocol = \"MD5\", password = { file = \"/a\" } }, priv = { protocol = \"DES\", password = { file = \"/a\" } } }";
    let (good, text) = said(table);
    assert!(good, "{text}");
    for want in ["MD5 is weak", "DES can be read", "share one password"] {
        assert_eq!(text.matches(want).count(), 1, "{want}:\n{text}");
    }
}
