mod devices;

use super::set::Text;
use super::table::Reading;
use super::*;
use crate::base::options::Problem;

fn own(files: &[(&str, &str)]) -> (Profiles, String) {
    let texts = files.iter().map(|(name, text)| Text {
        name: (*name).to_owned(),
        shown: format!("profiles/{name}.toml"),
        text: (*text).to_owned(),
    });
    let (profiles, problems) = Profiles::compile(texts.collect());
    (profiles, problems.iter().map(Problem::render).collect())
}

fn chosen(profiles: &Profiles, object_id: &str, description: &str) -> Option<String> {
    profiles.choose(Some(object_id), description.as_bytes(), |_| false).map(|p| p.name.to_string())
}

#[test]
fn every_shipped_profile_is_sound_and_no_two_are_for_the_same_devices() {
    let (profiles, problems) = Profiles::compile(Vec::new());
    let words: String = problems.iter().map(Problem::render).collect();
    assert!(problems.is_empty(), "{words}");
    assert_eq!(profiles.all().len(), shipped::FILES.len());
    // Their patterns are not compiled when they are read.
    for (name, text) in shipped::FILES {
        let read = read::read(name, name, (*text).to_owned(), read::Author::User);
        let words: String = read.err().unwrap_or_default().iter().map(Problem::render).collect();
        assert!(words.is_empty(), "{words}");
    }
}

#[test]
fn no_column_is_walked_by_two_tables_of_a_shipped_profile() {
    for profile in Profiles::shipped().all() {
        let mut seen: Vec<(String, &str)> = Vec::new();
        for table in &profile.tables {
            for oid in table.scalars.iter().chain(&table.columns) {
                let oid = oid.to_string();
                let other = seen.iter().find(|(known, _)| *known == oid).map(|(_, table)| *table);
                assert_eq!(other, None, "{}: {oid} in {other:?} and {}", profile.name, table.name);
                seen.push((oid, &table.name));
            }
        }
    }
}

#[test]
fn every_shipped_profile_that_is_chosen_says_whose_it_is() {
    let profiles = Profiles::shipped();
    for profile in profiles.all() {
        let is_chosen = profiles.chooses(profile);
        let is_generic = profile.name.starts_with("generic/");
        assert!(!is_chosen || is_generic || (profile.vendor.is_some() && profile.os.is_some()), "{}", profile.name);
    }
}

#[test]
fn the_longest_prefix_on_the_border_of_an_arc_wins() {
    let (profiles, problems) = own(&[
        ("a", "vendor = \"A\"\n[[match]]\nobject_id = \"1.3.6.1.4.1.99991\"\n"),
        ("b", "vendor = \"B\"\n[[match]]\nobject_id = [\"1.3.6.1.4.1.99991.1\", \"1.3.6.1.4.1.99992\"]\n"),
        ("c", "vendor = \"C\"\n[[match]]\nobject_id = \"1.3.6.1.4.1.99991\"\ndescription = 'special'\n"),
    ]);
    assert_eq!(problems, "");
    let chosen = |id: &str, description: &str| chosen(&profiles, id, description);
    assert_eq!(chosen("1.3.6.1.4.1.99991.1.7", "special").as_deref(), Some("b"));
    assert_eq!(chosen("1.3.6.1.4.1.99991.10", "special one").as_deref(), Some("c"));
    assert_eq!(chosen("1.3.6.1.4.1.99991.10", "plain").as_deref(), Some("a"));
    assert_eq!(chosen("1.3.6.1.4.1.99992", "").as_deref(), Some("b"));
    assert_eq!(chosen("1.3.6.1.4.1.999911", "").as_deref(), Some("generic/any"));
    assert_eq!(chosen("0.0", ""), None);
}

#[test]
fn a_scalar_that_only_some_devices_have_decides() {
    let (profiles, problems) = own(&[
        ("nas", "[[match]]\nobject_id = \"1.3.6.1.4.1.99993\"\npresent = \"1.3.6.1.4.1.6574.1.5.1.0\"\n"),
        ("box", "[[match]]\nobject_id = \"1.3.6.1.4.1.99993\"\n"),
    ]);
    assert_eq!(problems, "");
    let questions = profiles.questions(Some("1.3.6.1.4.1.99993.1"), b"");
    let asked: Vec<String> = questions.iter().map(ToString::to_string).collect();
    assert_eq!(asked, ["1.3.6.1.4.1.6574.1.5.1.0"]);
    let choose = |has: bool| profiles.choose(Some("1.3.6.1.4.1.99993.1"), b"", |_| has).map(|p| p.name.to_string());
    assert_eq!((choose(true).as_deref(), choose(false).as_deref()), (Some("nas"), Some("box")));
}

#[test]
fn a_profile_is_laid_over_what_it_extends() {
    let (profiles, problems) = own(&[
        (
            "base",
            "vendor = \"V\"\nos = \"one\"\n[identity]\nmodel = { description = 'a' }\nserial = { description = 'b' }\n[[table]]\nname = \"fans\"\n[[table.sensor]]\nclass = \"fan\"\nname = \"fan\"\nvalue = \"1.3.6.1.4.1.99994.1.0\"\n[[table]]\nname = \"cpu\"\n[[table.processor]]\npercent = \"1.3.6.1.4.1.99994.2.0\"\n[quirks]\nmax_repetitions = 10\n",
        ),
        (
            "leaf",
            "os = \"two\"\nextends = [\"base\"]\nwithout = [\"cpu\", \"host-resources\"]\n[identity]\nmodel = []\n[[table]]\nname = \"fans\"\npace = \"90s\"\n[[table.sensor]]\nclass = \"fan\"\nname = \"fan\"\nvalue = \"1.3.6.1.4.1.99994.3.0\"\n[quirks]\ngetbulk = false\nbridge = \"per-vlan\"\n",
        ),
    ]);
    assert_eq!(problems, "");
    let leaf = profiles.get("leaf").expect("sound");
    assert_eq!((leaf.vendor.as_deref(), leaf.os.as_deref()), (Some("V"), Some("two")));
    assert_eq!((leaf.identity.model.len(), leaf.identity.serial.len()), (0, 1));
    let tables: Vec<(&str, u64)> = leaf.tables.iter().map(|t| (&*t.name, t.pace.as_secs())).collect();
    assert_eq!(tables, [("leaf:fans", 90)]);
    assert_eq!(leaf.without.iter().map(|n| &**n).collect::<Vec<_>>(), ["host-resources"]);
    assert_eq!((leaf.quirks.max_repetitions, leaf.quirks.getbulk), (Some(10), Some(false)));
    assert_eq!((leaf.quirks.bridge, profiles.get("base").and_then(|p| p.quirks.bridge)), (Some(Bridge::PerVlan), None));
}

#[test]
fn a_file_of_a_shipped_name_replaces_it_and_may_extend_it() {
    let (profiles, problems) =
        own(&[("cisco/ios", "extends = [\"cisco/ios\"]\nos = \"ours\"\n[[match]]\nobject_id = \"1.3.6.1.4.1.9.1\"\n")]);
    assert_eq!(problems, "");
    let ios = profiles.get("cisco/ios").expect("sound");
    assert_eq!(ios.os.as_deref(), Some("ours"));
    assert!(ios.tables.iter().any(|t| &*t.name == "cisco/common:memory pools"));
    let found = profiles.choose(Some("1.3.6.1.4.1.9.1.516"), b"Cisco IOS Software", |_| false);
    assert_eq!(found.and_then(|p| p.os.as_deref()), Some("ours"));
}

#[test]
fn a_circle_and_a_missing_profile_are_refused_and_the_rest_holds() {
    let (profiles, problems) = own(&[
        ("a", "extends = [\"b\"]\n"),
        ("b", "extends = [\"c\"]\n"),
        ("c", "extends = [\"a\"]\n"),
        ("d", "extends = [\"cisco/comon\"]\n"),
        ("e", "vendor = \"E\"\n"),
    ]);
    assert!(problems.contains("profiles/c.toml:1:12: error: profiles extend in a circle: a → b → c → a"), "{problems}");
    assert!(problems.contains("there is no profile \"cisco/comon\""), "{problems}");
    assert!(problems.contains("did you mean \"cisco/common\"?"), "{problems}");
    for name in ["a", "b", "c", "d"] {
        assert!(profiles.get(name).is_none(), "{name}");
    }
    assert!(profiles.get("e").is_some() && profiles.get("cisco/ios").is_some());
}

#[test]
fn a_broken_file_leaves_the_shipped_one_of_its_name_in_force() {
    let (profiles, problems) = own(&[("cisco/ios", "os = 5\n")]);
    assert!(problems.contains("profiles/cisco/ios.toml:1:6: error: a profile `os` must be a string"), "{problems}");
    assert_eq!(profiles.get("cisco/ios").and_then(|p| p.os.as_deref()), Some("ios"));
}

#[test]
fn two_profiles_for_the_same_devices_are_told() {
    let text = "[[match]]\nobject_id = \"1.3.6.1.4.1.99995\"\ndescription = 'x'\n";
    let (_, problems) = own(&[("a", text), ("b", text)]);
    assert!(
        problems.contains("profiles/b.toml:1:1: error: the profiles a and b are for the same devices"),
        "{problems}"
    );
}

#[test]
fn every_problem_of_a_file_is_reported_at_once_with_its_place() {
    let text = r#"vendor = "X"
oss = "x"

[[match]]
object_id = "1.3.6.1.4.1"

[[match]]
present = "1.3.6.1.4.1.5"

[identity]
model = { description = 'a(b', oid = "1.3.6.1.1.0" }
serial = { entity = "seriall" }

[[table]]
name = "t"
pace = "often"

[[table.sensor]]
class = "temprature"
value = "1.3.6.x"
status = { oid = "1.3.6.1.1.1", ok = [1], critical = [1], bad = [2] }

[[table.memory]]
name = "m"
used = "1.3.6.1.1.2"

[[table.optics]]
rx_dbm = { oid = "1.3.6.1.1.3", convert = "db" }
port = "index.0"

[[table]]
name = "t"

[quirks]
max_repetitions = 500
skip = ["ifTable"]
bridge = "each"
"#;
    let (_, problems) = own(&[("x", text)]);
    for want in [
        "error: there is no way \"each\" to show a bridge",
        "known: plain, per-vlan",
        "x.toml:2:1: error: unknown key `oss` in a profile",
        "did you mean `os`?",
        "x.toml:8:11: error: \"1.3.6.1.4.1.5\" is no scalar",
        "x.toml:11:25: error: the pattern cannot be used: unclosed group",
        "x.toml:12:21: error: unknown entity \"seriall\"",
        "x.toml:16:8: error: a table `pace`: \"often\" is not a duration",
        "did you mean \"temperature\"?",
        "x.toml:20:9: error: \"1.3.6.x\" is no object identifier",
        "`status` gives one value two meanings",
        "unknown key `bad` in status",
        "a sensor needs `name`",
        "a memory pool needs two of",
        "unknown conversion \"db\"",
        "\"index.0\" names no arc",
        "the table has no readings",
        "two tables have the name \"t\"",
        "max_repetitions` is 500, outside 1 to 50",
        "\"ifTable\" cannot be skipped",
    ] {
        assert!(problems.contains(want), "{want} is missing in\n{problems}");
    }
}

#[test]
fn an_identifier_is_asked_for_once_however_often_it_is_named() {
    let text = "[[table]]\nname = \"t\"\n[[table.sensor]]\nclass = \"fan\"\nname = \"1.3.6.1.9.1.1\"\nvalue = [\"1.3.6.1.9.1.2\", \"1.3.6.1.9.1.3\"]\n[[table.processor]]\nname = \"1.3.6.1.9.1.1\"\npercent = \"1.3.6.1.9.1.3\"\nonly = { oid = \"1.3.6.1.9.1.2\", not = [0] }\n[[table.memory]]\nname = \"of {1.3.6.1.9.1.1}\"\nused = \"1.3.6.1.9.5.0\"\ntotal = { oid = \"1.3.6.1.9.1.4\", by = \"index.1-2\" }\nfree = \"1.3.6.1.9.1.2\"\n";
    let (profiles, problems) = own(&[("x", text)]);
    assert_eq!(problems, "");
    let table = &profiles.get("x").expect("sound").tables[0];
    assert_eq!((table.columns.len(), table.scalars.len()), (4, 1));
    let Reading::Sensor(sensor) = &table.readings[0] else { panic!("{:?}", table.readings[0]) };
    assert_eq!(sensor.rows.leads.len(), 2);
}

#[test]
fn a_group_that_does_not_exist_cannot_be_left_out() {
    let (profiles, _) = own(&[("x", "without = [\"host-resorces\"]\n")]);
    let problems: String = profiles.unknown_groups(&["host-resources"]).iter().map(Problem::render).collect();
    assert!(
        problems.contains("profiles/x.toml:1:12: error: there is no group of tables \"host-resorces\""),
        "{problems}"
    );
    assert!(problems.contains("did you mean \"host-resources\"?"), "{problems}");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\[\\[?(match|table|table\\.sensor|identity|quirks)\\]\\]?\n|[a-z_]+ = (\"[ -~]{0,12}\"|[0-9.-]+|\\[.{0,6}\\]|\\{.{0,12}\\})\n|.{0,8}\n){0,12}") {
        for problem in read::read("x", "x.toml", text, read::Author::User).err().unwrap_or_default() {
            problem.render();
        }
    }
}
