//! `[[ui.layout]]`, and the shipped layouts, which have the same form as `[[layout]]`: where the panes of a screen stand. What the
//! names mean is the screen's business; here they are read, with where they stand.

use super::views::{Word, word};
use crate::base::document;
use crate::base::options::{Node, OptionDoc, Problem, Reader, Table, Value};

/// The layouts that noctty comes with.
pub const SHIPPED: &str = include_str!("../../config/layouts.toml");

/// Rows of panes, and panes beside or below each other in a row, at most.
const MOST: usize = 12;

/// How high a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Height {
    /// What its panes need.
    Fit,
    Lines(u16),
    /// Percent of the screen between header and footer.
    Share(u16),
    /// What the others leave.
    Rest,
}

/// The detail of what is selected, at the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Percent of the width; 0 is nothing.
    pub share: u16,
    /// Columns that the terminal has at least.
    pub from: u16,
}

#[derive(Clone, Debug)]
pub struct RowOptions {
    /// Beside each other, each of one pane or of several one above the other.
    pub columns: Vec<Vec<Word>>,
    /// One share for each column.
    pub widths: Vec<u16>,
    pub height: Height,
    /// Of [`Height::Fit`]: lines at least, and percent at most of what the rows above have left.
    pub least: u16,
    pub most: u16,
}

#[derive(Clone, Debug)]
pub struct LayoutOptions {
    pub name: Word,
    pub screen: Option<Word>,
    /// Columns and lines that the panes need; with fewer they stand one above the other.
    pub from: (u16, u16),
    pub detail: Detail,
    pub rows: Vec<RowOptions>,
}

impl LayoutOptions {
    pub(super) fn read(table: &Table, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let mut r = table.reader("a layout");
        let name = word(&mut r, table, "name");
        if name.is_none() && table.find("name").is_none() {
            r.problem(Problem::error(r.place(), "a layout needs a `name`"));
        }
        let screen = word(&mut r, table, "screen");
        let from = size(&mut r).unwrap_or((100, 18));
        let share = r.node("detail").and_then(|node| detail(node, &mut r));
        let columns = r.integer("detail_from", 0..=1000).and_then(|n| u16::try_from(n).ok());
        let detail = Detail { share: share.unwrap_or(40), from: columns.unwrap_or(180) };
        let tables = r.tables("row");
        if tables.is_empty() || tables.len() > MOST {
            let problem = Problem::error(r.place(), format!("a layout has 1 to {MOST} rows"));
            r.problem(problem.hint("row = [{ panes = [\"problems\"], height = \"fit\" }, { panes = [\"hosts\"] }]"));
        }
        problems.extend(r.finish());
        let rows: Vec<RowOptions> = tables.into_iter().filter_map(|table| row(table, problems)).collect();
        // Half of it would be another layout.
        (problems.len() == before).then_some(Self { name: name?, screen, from, detail, rows })
    }
}

/// `from = "100x18"`.
fn size(r: &mut Reader<'_>) -> Option<(u16, u16)> {
    let place = r.node("from")?.place.clone();
    let text = r.string("from")?;
    let sides = text.split_once('x').and_then(|(w, h)| Some((w.trim().parse().ok()?, h.trim().parse().ok()?)));
    if sides.is_none() {
        r.problem(Problem::error(&place, format!("\"{text}\" is no size")).hint("columns x lines: \"100x18\""));
    }
    sides
}

fn percent(text: &str) -> Option<u16> {
    text.strip_suffix('%')?.trim().parse().ok().filter(|share| (1..=100).contains(share))
}

fn detail(node: &Node, r: &mut Reader<'_>) -> Option<u16> {
    let share = match &node.value {
        Value::String(word) if word == "off" => Some(0),
        Value::String(word) => percent(word).filter(|share| (20..=70).contains(share)),
        _ => None,
    };
    if share.is_none() {
        let problem = Problem::error(&node.place, "this is no width for the detail");
        r.problem(problem.hint("\"off\", or \"20%\" to \"70%\" of the screen"));
    }
    share
}

fn row(table: &Table, problems: &mut Vec<Problem>) -> Option<RowOptions> {
    let before = problems.len();
    let mut r = table.reader("a row of a layout");
    let columns = match r.node("panes").map(|node| (node, &node.value)) {
        Some((node, Value::Array(items))) => {
            let columns: Vec<Vec<Word>> = items.iter().map(|item| column(item, &mut r)).collect();
            let count = columns.iter().map(Vec::len).sum::<usize>();
            if columns.iter().any(Vec::is_empty) || count == 0 || count > MOST {
                r.problem(Problem::error(&node.place, format!("a row has 1 to {MOST} panes, and no empty column")));
            }
            columns
        }
        found => {
            let place = found.map_or_else(|| r.place().clone(), |(node, _)| node.place.clone());
            r.problem(Problem::error(&place, "a row needs its `panes`").hint("panes = [\"hosts\", \"devices\"]"));
            Vec::new()
        }
    };
    let widths = widths(&mut r, columns.len());
    let height = r.node("height").map_or(Some(Height::Rest), |node| height(node, &mut r));
    let least = r.integer("least", 2..=200).and_then(|n| u16::try_from(n).ok()).unwrap_or(4);
    let most = r.node("most").map_or(Some(40), |node| {
        let share = if let Value::String(word) = &node.value { percent(word) } else { None };
        if share.is_none() {
            r.problem(Problem::error(&node.place, "`most` is a share").hint("\"40%\" of what the rows above leave"));
        }
        share
    });
    problems.extend(r.finish());
    let (height, most) = (height?, most?);
    (problems.len() == before).then_some(RowOptions { columns, widths, height, least, most })
}

/// A pane's name, or several that stand one above the other.
fn column(item: &Node, r: &mut Reader<'_>) -> Vec<Word> {
    let items = match &item.value {
        Value::Array(items) => items.as_slice(),
        _ => std::slice::from_ref(item),
    };
    let mut out = Vec::new();
    for one in items {
        match &one.value {
            Value::String(name) => out.push((name.clone(), one.place.clone())),
            other => {
                let problem = Problem::error(&one.place, format!("a pane is named by a string, not {}", other.kind()));
                r.problem(
                    problem.hint("[\"problems\", [\"hosts\", \"backups\"]] has two columns, the second of two panes"),
                );
            }
        }
    }
    out
}

fn widths(r: &mut Reader<'_>, columns: usize) -> Vec<u16> {
    let Some(node) = r.node("widths") else { return vec![1; columns] };
    let share = |node: &Node| match &node.value {
        Value::Integer(share) => u16::try_from(*share).ok().filter(|share| (1..=100).contains(share)),
        _ => None,
    };
    let shares: Option<Vec<u16>> = match &node.value {
        Value::Array(items) if items.len() == columns => items.iter().map(share).collect(),
        _ => None,
    };
    if shares.is_none() {
        let words = format!("`widths` is one integer from 1 to 100 for each column of the row, which has {columns}");
        r.problem(Problem::error(&node.place, words).hint("widths = [2, 3] gives the second half as much again"));
    }
    shares.unwrap_or_else(|| vec![1; columns])
}

fn height(node: &Node, r: &mut Reader<'_>) -> Option<Height> {
    let height = match &node.value {
        Value::Integer(lines) => {
            u16::try_from(*lines).ok().filter(|lines| (3..=500).contains(lines)).map(Height::Lines)
        }
        Value::String(word) if word == "fit" => Some(Height::Fit),
        Value::String(word) if word == "rest" => Some(Height::Rest),
        Value::String(word) => percent(word).map(Height::Share),
        _ => None,
    };
    if height.is_none() {
        let problem = Problem::error(&node.place, "this is no height of a row");
        r.problem(problem.hint("\"fit\", \"rest\", a share such as \"30%\", or lines from 3"));
    }
    height
}

/// The layouts of a file of their own.
pub fn read_file(name: &str, text: String) -> (Vec<LayoutOptions>, Vec<Problem>) {
    let (root, mut problems) = document::parse(name, text);
    let mut r = root.reader("the file of layouts");
    let tables = r.tables("layout");
    problems.extend(r.finish());
    let layouts = tables.into_iter().filter_map(|table| LayoutOptions::read(table, &mut problems)).collect();
    (layouts, problems)
}

pub const OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        name: "name",
        form: "string",
        default: "",
        help: "what it is called, in one word; required. Several screens may have one name; `standard` stands for the shipped one",
    },
    OptionDoc {
        name: "screen",
        form: "string",
        default: "overview",
        help: "the screen that it is for: `overview`, `hosts`, `ports`, `backups`, `incident` or `log`. Screens that a layout says nothing of are as shipped",
    },
    OptionDoc {
        name: "from",
        form: "string",
        default: "100x18",
        help: "columns and lines between header and footer that it needs; with fewer the panes stand one above the other",
    },
    OptionDoc {
        name: "detail",
        form: "string",
        default: "40%",
        help: "how much of the width the detail of the selected row has, 20% to 70%, 120 columns at the most, or `off`",
    },
    OptionDoc {
        name: "detail_from",
        form: "integer",
        default: "180",
        help: "columns from which on the detail is shown at the right",
    },
    OptionDoc { name: "row", form: "list of tables", default: "", help: "the rows, from above; required" },
];

pub const ROW_OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        name: "panes",
        form: "list",
        default: "",
        help: "the panes beside each other: `problems`, `hosts`, `devices`, `ports`, `backups`, `incident`, `log`; a list in the list is a column of several. Each once on a screen; `ports` are those of the device that is selected in `devices`; required",
    },
    OptionDoc {
        name: "widths",
        form: "list of integers",
        default: "all the same",
        help: "the shares of the columns, one each",
    },
    OptionDoc {
        name: "height",
        form: "string or integer",
        default: "rest",
        help: "`fit`: what the panes need; `rest`: what the others leave, evenly (what it cannot use goes to a last row that is `fit`); a share such as `30%`; or lines",
    },
    OptionDoc { name: "least", form: "integer", default: "4", help: "lines that `fit` takes at least" },
    OptionDoc {
        name: "most",
        form: "string",
        default: "40%",
        help: "what `fit` takes at most of what the rows above have left",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<LayoutOptions>, String) {
        let (layouts, problems) = read_file("l.toml", text.to_owned());
        (layouts, problems.iter().map(Problem::brief).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn rows_columns_and_heights_are_read() {
        let (layouts, problems) = read(
            "[[layout]]\nname = \"net\"\nscreen = \"ports\"\nfrom = \"80x20\"\ndetail = \"off\"\ndetail_from = 140\nrow = [\n\
             { panes = [\"problems\"], height = \"fit\", least = 5, most = \"30%\" },\n\
             { panes = [\"devices\", [\"hosts\", \"log\"]], widths = [2, 3] },\n\
             { panes = [\"ports\"], height = 12 },\n{ panes = [\"backups\"], height = \"25%\" },\n]\n",
        );
        assert_eq!(problems, "");
        let layout = &layouts[0];
        assert_eq!((layout.from, layout.detail), ((80, 20), Detail { share: 0, from: 140 }));
        let heights: Vec<Height> = layout.rows.iter().map(|row| row.height).collect();
        assert_eq!(heights, [Height::Fit, Height::Rest, Height::Lines(12), Height::Share(25)]);
        assert_eq!((layout.rows[0].least, layout.rows[0].most), (5, 30));
        let columns: Vec<Vec<&str>> =
            layout.rows[1].columns.iter().map(|c| c.iter().map(|w| w.0.as_str()).collect()).collect();
        assert_eq!(columns, [vec!["devices"], vec!["hosts", "log"]]);
        assert_eq!(layout.rows[1].widths, [2, 3]);
    }

    #[test]
    fn what_is_wrong_has_its_place_and_the_layout_is_left_out() {
        for (text, want) in [
            ("name = \"a\"\nrow = []", "l.toml:1:1: a layout has 1 to 12 rows"),
            ("row = [{ panes = [\"log\"] }]", "a layout needs a `name`"),
            ("name = \"a\"\nfrom = \"wide\"\nrow = [{ panes = [\"log\"] }]", "l.toml:3:8: \"wide\" is no size"),
            (
                "name = \"a\"\ndetail = \"90%\"\nrow = [{ panes = [\"log\"] }]",
                "l.toml:3:10: this is no width for the detail",
            ),
            ("name = \"a\"\nrow = [{ panes = [] }]", "l.toml:3:18: a row has 1 to 12 panes"),
            ("name = \"a\"\nrow = [{ panes = [\"log\", []] }]", "a row has 1 to 12 panes, and no empty column"),
            ("name = \"a\"\nrow = [{ panes = \"log\" }]", "l.toml:3:18: a row needs its `panes`"),
            ("name = \"a\"\nrow = [{ panes = [3] }]", "l.toml:3:19: a pane is named by a string, not an integer"),
            ("name = \"a\"\nrow = [{ panes = [\"log\"], widths = [1, 2] }]", "which has 1"),
            ("name = \"a\"\nrow = [{ panes = [\"log\"], height = 2 }]", "this is no height of a row"),
            ("name = \"a\"\nrow = [{ panes = [\"log\"], height = \"0%\" }]", "this is no height of a row"),
            ("name = \"a\"\nrow = [{ panes = [\"log\"], most = 40 }]", "`most` is a share"),
            ("name = \"a\"\nrow = [{ panes = [\"log\"], hight = 4 }]", "unknown key `hight`"),
        ] {
            let (layouts, problems) = read(&format!("[[layout]]\n{text}\n"));
            assert!(problems.contains(want) && layouts.is_empty(), "{text}: {problems}");
        }
    }
}
