//! `[[ui.view]]`, and the file of a console's own views, which has the same form as `[[view]]`: a place on the screen under a name.
//! What the words mean is the screen's business; here they are read, with where they stand.

use crate::base::document;
use crate::base::options::{OptionDoc, Place, Problem, Reader, Table};

/// A word and where it stands.
pub type Word = (String, Place);

#[derive(Clone, Debug)]
pub struct ViewOptions {
    pub name: Word,
    pub screen: Option<Word>,
    pub filter: Option<Word>,
    pub problems_only: bool,
    pub sort: Option<Word>,
    pub sort_devices: Option<Word>,
    pub group: Option<Word>,
    pub layout: Option<Word>,
    pub hide: Vec<Word>,
}

impl ViewOptions {
    pub(super) fn read(table: &Table, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut r = table.reader("a view");
        let name = word(&mut r, table, "name");
        if name.is_none() && table.find("name").is_none() {
            r.problem(Problem::error(r.place(), "a view needs a `name`"));
        }
        let screen = word(&mut r, table, "screen");
        let filter = word(&mut r, table, "filter");
        let problems_only = r.bool("problems_only").unwrap_or(false);
        let (sort, sort_devices) = (word(&mut r, table, "sort"), word(&mut r, table, "sort_devices"));
        let group = word(&mut r, table, "group");
        let layout = word(&mut r, table, "layout");
        let hide = r.placed_strings("hide").unwrap_or_default();
        problems.extend(r.finish());
        Some(Self { name: name?, screen, filter, problems_only, sort, sort_devices, group, layout, hide })
    }
}

pub(super) fn word(r: &mut Reader<'_>, table: &Table, key: &'static str) -> Option<Word> {
    Some((r.string(key)?, table.find(key)?.place.clone()))
}

/// The views of a file of their own.
pub fn read_file(name: &str, text: String) -> (Vec<ViewOptions>, Vec<Problem>) {
    let (root, mut problems) = document::parse(name, text);
    let mut r = root.reader("the file of views");
    let tables = r.tables("view");
    problems.extend(r.finish());
    let views = tables.into_iter().filter_map(|table| ViewOptions::read(table, &mut problems)).collect();
    (views, problems)
}

pub const OPTIONS: &[OptionDoc] = &[
    OptionDoc { name: "name", form: "string", default: "", help: "what it is called, in one word; required" },
    OptionDoc {
        name: "screen",
        form: "string",
        default: "overview",
        help: "`overview`, `hosts`, `ports`, `backups`, `incident` or `log`",
    },
    OptionDoc { name: "filter", form: "string", default: "", help: "what would be typed after `/`" },
    OptionDoc { name: "problems_only", form: "boolean", default: "false", help: "only what has a problem" },
    OptionDoc {
        name: "sort",
        form: "string",
        default: "as shipped",
        help: "what the list is sorted by, `-` before it for the other way round. Overview: `severity`, `name`, `age`; hosts: also `rtt`, `loss`, `load`, `owner`, `site`, `parent`, `group`, `from`; backups: also `newest`, `rpo`, `used`, `next`, `size`, `points`, `kind`; ports: a column",
    },
    OptionDoc {
        name: "sort_devices",
        form: "string",
        default: "as shipped",
        help: "what the list of devices is sorted by: `severity`, `name`, `findings`, `up`, `in`, `out`, `age`, `site`, `group`",
    },
    OptionDoc { name: "group", form: "string", default: "none", help: "hosts by `site`, by `group`, or `none`" },
    OptionDoc { name: "layout", form: "string", default: "as it is", help: "where the panes stand: a layout's name" },
    OptionDoc {
        name: "hide",
        form: "list of strings",
        default: "",
        help: "columns of the port table that are left out",
    },
];
