//! Documents that are made from the code are what the code makes now. With `NOCTTY_UPDATE_DOCS=1` they are written
//! instead of compared.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_configuration_reference_is_current() {
    compare("docs/config-reference.md", &printed(&["config", "reference"]));
}

/// What is run on other people's machines stands in the documentation, word for word.
#[test]
fn the_scripts_of_agentless_checks_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/agentless.md")).expect("the page can be read");
    let mut made = String::new();
    let mut inside = None;
    for line in page.lines() {
        let script = match line {
            "```sh" => Some("linux.sh"),
            "```powershell" => Some("windows.ps1"),
            _ => None,
        };
        if line == "```" {
            inside = None;
        }
        if inside.is_none() {
            made.push_str(line);
            made.push('\n');
        }
        if let Some(script) = script {
            inside = Some(script);
            made.push_str(
                &fs::read_to_string(root.join("src/probe/vitals").join(script)).expect("the script can be read"),
            );
        }
    }
    assert!(made.contains("exec </dev/null") && made.contains("Get-CimInstance"), "both scripts are in it");
    compare("docs/agentless.md", &made);
}

/// Every profile that lies in `config/profiles` is compiled in.
#[test]
fn the_list_of_shipped_profiles_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/profiles");
    let mut names = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the profiles can be listed") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).expect("below the root").with_extension("");
                names.push(name.to_str().expect("UTF-8").to_owned());
            }
        }
    }
    names.sort();
    let mut made = String::from(
        "//! The shipped profiles' texts. Made by the test `documents` from what lies in `config/profiles`.\n\n\
         /// Name and text, by name.\npub const FILES: &[(&str, &str)] = &[\n",
    );
    for name in names {
        made.push_str(&format!("    (\"{name}\", include_str!(\"../../config/profiles/{name}.toml\")),\n"));
    }
    made.push_str("];\n");
    compare("src/profile/shipped.rs", &made);
}

/// What the program prints, with nobody's home and configuration around it.
fn printed(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_noctty"))
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the program writes UTF-8")
}

fn compare(path: &str, made: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("NOCTTY_UPDATE_DOCS").is_some() {
        fs::write(&file, made).unwrap_or_else(|e| panic!("{path}: {e}"));
    }
    let kept = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{path}: {e}"));
    let differs = made.lines().zip(kept.lines()).position(|(a, b)| a != b);
    let first = differs.unwrap_or_else(|| made.lines().count().min(kept.lines().count()));
    assert!(
        kept == made,
        "{path} is not what the code makes now; first difference in line {}:\n  made {:?}\n  kept {:?}\n\
         bring it up to date: NOCTTY_UPDATE_DOCS=1 cargo nextest run -E 'test(documents::)'",
        first + 1,
        made.lines().nth(first),
        kept.lines().nth(first)
    );
}
