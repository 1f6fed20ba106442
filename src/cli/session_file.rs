//! `session.toml` in the state directory: what the console goes on with. It is read leniently, for it is nobody's
//! configuration: what is not understood is left out, and a file that is none is put aside and said.

use std::path::Path;

use toml::{Table, Value};

use super::state_dir;
use crate::ui::remembered::Remembered;

const FILE: &str = "session.toml";
/// Longer than any that was written.
const LARGEST: u64 = 256 * 1024;

/// What the last console here left; a warning where that cannot be read.
pub fn read(directory: &Path) -> (Option<Remembered>, Option<String>) {
    let path = directory.join(FILE);
    if !std::fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() <= LARGEST) {
        return (None, None);
    }
    let table = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    match table.and_then(|text| text.parse::<Table>().map_err(|error| error.message().to_owned())) {
        Ok(table) => (Some(remembered(&table)), None),
        Err(why) => {
            let aside = directory.join("session.toml.broken");
            let kept = std::fs::rename(&path, &aside).map_or(path, |()| aside);
            (None, Some(format!("the last session is not restored: {}: {why}", super::shown(&kept))))
        }
    }
}

/// Leaves it for the next console.
pub fn write(directory: &Path, remembered: &Remembered) {
    let Remembered {
        screen,
        zoom,
        problems_only,
        filter,
        hosts_by,
        problems_by,
        backups_by,
        incident_by,
        log_by,
        devices_by,
        ports_by,
        hidden,
        group_by,
        layout,
        opened,
        pane,
        selected,
        device,
        history,
        filters,
    } = remembered;
    let text = |words: &String| Value::String(words.clone());
    let list = |words: &Vec<String>| Value::Array(words.iter().map(text).collect());
    let table: Table = [
        ("screen", text(screen)),
        ("zoom", Value::Boolean(*zoom)),
        ("problems_only", Value::Boolean(*problems_only)),
        ("filter", text(filter)),
        ("hosts_by", text(hosts_by)),
        ("problems_by", text(problems_by)),
        ("backups_by", text(backups_by)),
        ("incident_by", text(incident_by)),
        ("log_by", text(log_by)),
        ("devices_by", text(devices_by)),
        ("ports_by", text(ports_by)),
        ("hidden", list(hidden)),
        ("group_by", text(group_by)),
        ("layout", text(layout)),
        ("opened", list(opened)),
        ("pane", text(pane)),
        ("selected", text(selected)),
        ("device", text(device)),
        ("history", list(history)),
        ("filters", list(filters)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    let said = format!("# What the last console here looked at. May be deleted.\n{table}");
    if let Err(error) = state_dir::replace(&directory.join(FILE), said.as_bytes()) {
        tracing::debug!(%error, "the session is not kept");
    }
}

fn remembered(table: &Table) -> Remembered {
    let text = |key: &str| table.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let flag = |key: &str| table.get(key).and_then(Value::as_bool).unwrap_or(false);
    let list = |key: &str| -> Vec<String> {
        let values = table.get(key).and_then(Value::as_array);
        values.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    Remembered {
        screen: text("screen"),
        zoom: flag("zoom"),
        problems_only: flag("problems_only"),
        filter: text("filter"),
        hosts_by: text("hosts_by"),
        problems_by: text("problems_by"),
        backups_by: text("backups_by"),
        incident_by: text("incident_by"),
        log_by: text("log_by"),
        devices_by: text("devices_by"),
        ports_by: text("ports_by"),
        hidden: list("hidden"),
        group_by: text("group_by"),
        layout: text("layout"),
        opened: list("opened"),
        pane: text("pane"),
        selected: text("selected"),
        device: text("device"),
        history: list("history"),
        filters: list("filters"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_another_version_wrote_is_read_as_far_as_it_is_known() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(read(folder.path()), (None, None));
        let kept = Remembered {
            screen: "ports".into(),
            zoom: true,
            filter: "a\"b\n[x] \u{1b}".into(),
            hosts_by: "-rtt".into(),
            hidden: vec!["vlan".into()],
            history: vec!["q!".into()],
            log_by: "-time".into(),
            devices_by: "-up".into(),
            incident_by: "kind".into(),
            filters: vec!["tag:core".into()],
            ..Remembered::default()
        };
        write(folder.path(), &kept);
        let path = folder.path().join(FILE);
        let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!((read(folder.path()), mode & 0o777), ((Some(kept), None), 0o600));
        std::fs::write(&path, "screen = 3\nzoom = true\nfuture = { a = 1 }\nhistory = [1, \"x\"]\n").expect("written");
        let found = read(folder.path()).0.expect("a session");
        assert_eq!(found, Remembered { zoom: true, history: vec!["x".into()], ..Remembered::default() });
    }

    #[test]
    fn a_broken_file_is_put_aside_and_said() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FILE), "screen = \"po").expect("written");
        let (found, said) = read(folder.path());
        assert_eq!(found, None);
        assert!(said.is_some_and(|said| said.contains("session.toml.broken")));
        assert_eq!(std::fs::read(folder.path().join("session.toml.broken")).expect("kept"), b"screen = \"po");
        assert_eq!(read(folder.path()), (None, None), "once");
    }
}
