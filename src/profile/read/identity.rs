//! `[identity]`: where model, version and serial number are found, best first.

use super::Author;
use super::cells::{Draft, parse_oid};
use crate::base::options::{Node, Problem, Table as Toml, Value};
use crate::profile::{EntityField, Source};

const FIELDS: &[(&str, EntityField)] =
    &[("model", EntityField::Model), ("version", EntityField::Version), ("serial", EntityField::Serial)];

/// Model, version, serial number.
pub fn read(table: &Toml, author: Author, problems: &mut Vec<Problem>) -> [Option<Vec<Source>>; 3] {
    let mut r = table.reader("[identity]");
    let found = ["model", "version", "serial"].map(|key| match r.node(key) {
        None => None,
        Some(Node { value: Value::Array(items), .. }) => {
            Some(items.iter().filter_map(|node| source(node, author, problems)).collect())
        }
        Some(node) => Some(source(node, author, problems).into_iter().collect()),
    });
    problems.extend(r.finish());
    found
}

fn source(node: &Node, author: Author, problems: &mut Vec<Problem>) -> Option<Source> {
    let Value::Table(table) = &node.value else {
        problems.push(
            Problem::error(&node.place, "a source is a table").hint(
                "{ description = 'pattern' }, { oid = \"….0\" }, { entity = \"model\" } or { object_id = { … } }",
            ),
        );
        return None;
    };
    let mut draft = Draft { author, scalars: Vec::new(), columns: Vec::new(), problems };
    let mut r = table.reader("a source");
    let description = draft.pattern(&mut r, "description");
    let oid = r.string("oid").and_then(|text| {
        let place = r.node("oid").map_or_else(|| node.place.clone(), |n| n.place.clone());
        let parsed = parse_oid(&text);
        if parsed.is_none() {
            draft.problem(&place, format!("\"{text}\" is no object identifier"));
        }
        parsed.map(|oid| (oid, text.ends_with(".0")))
    });
    let row = r.string("row").map(Box::from);
    let pattern = draft.pattern(&mut r, "pattern");
    let words = texts(&mut draft, r.table("words"));
    let entity = draft.one_of(&mut r, "entity", FIELDS);
    let object_id = r.table("object_id").map(|table| texts(&mut draft, Some(table)));
    problems.extend(r.finish());
    match (description, oid, entity, object_id) {
        (Some(pattern), None, None, None) => Some(Source::Description(pattern)),
        (None, Some((oid, scalar)), None, None) => Some(Source::Oid { oid, scalar, row, pattern, words }),
        (None, None, Some(field), None) => Some(Source::Entity(field, pattern)),
        (None, None, None, Some(names)) => Some(Source::ObjectId(names)),
        _ => {
            problems.push(Problem::error(
                &node.place,
                "a source needs exactly one of `description`, `oid`, `entity`, `object_id`",
            ));
            None
        }
    }
}

/// `{ "516" = "text" }`.
fn texts(draft: &mut Draft<'_>, table: Option<&Toml>) -> Vec<(Box<str>, Box<str>)> {
    let Some(table) = table else { return Vec::new() };
    let mut out = Vec::new();
    for (key, node) in &table.entries {
        match &node.value {
            Value::String(text) => out.push((key.name.as_str().into(), text.as_str().into())),
            other => draft.problem(&node.place, format!("a text is a string, not {}", other.kind())),
        }
    }
    out
}
