//! The small parts of a table: identifiers, cells, numbers, words, names, conditions. An identifier that ends in `.0` is a
//! scalar, any other a column; each stands in the table's lists once, however often it is named.

use super::Author;
use crate::base::options::{Node, Place, Problem, Reader, Table as Toml, Value, Worse, nearest};
use crate::profile::pattern::Pattern;
use crate::profile::table::{
    At, By, Cell, Convert, Limit, LimitCells, Name, Number, Only, Piece, PortBy, Rows, Said, Words,
};
use crate::proto::snmp::Oid;

/// A table while it is read.
#[derive(Debug)]
pub struct Draft<'p> {
    pub author: Author,
    pub scalars: Vec<Oid>,
    pub columns: Vec<Oid>,
    pub problems: &'p mut Vec<Problem>,
}

/// Dotted numbers, as an identifier.
pub fn parse_oid(text: &str) -> Option<Oid> {
    let arcs: Option<Vec<u32>> = text.split('.').map(|arc| arc.parse().ok()).collect();
    let arcs = arcs.filter(|arcs| (3..=100).contains(&arcs.len()))?;
    let sane = arcs[0] <= 2 && (arcs[0] == 2 || arcs[1] < 40);
    // Only digits: `+1` is a number for Rust.
    let digits = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (sane && digits).then(|| Oid::from_arcs(&arcs))
}

impl Draft<'_> {
    pub fn problem(&mut self, place: &Place, message: impl Into<String>) {
        self.problems.push(Problem::error(place, message));
    }

    /// The place of an identifier in the table's lists, made where there is none yet.
    pub fn at(&mut self, text: &str, place: &Place) -> Option<At> {
        // One instance of a column stands in brackets: it is asked alone, as a scalar is.
        let instance = text.strip_suffix(']').and_then(|text| text.split_once('['));
        let whole = instance.map(|(column, instance)| format!("{column}.{instance}"));
        let Some(oid) = parse_oid(whole.as_deref().unwrap_or(text)) else {
            self.problems.push(Problem::error(place, format!("\"{text}\" is no object identifier")).hint(
                "write numbers and dots; a scalar ends in .0, a column has no index, one instance is 1.3.6…5[40.6]",
            ));
            return None;
        };
        let (list, is_scalar) = if text.ends_with(".0") || whole.is_some() {
            (&mut self.scalars, true)
        } else {
            (&mut self.columns, false)
        };
        let number = list.iter().position(|known| *known == oid).unwrap_or_else(|| {
            list.push(oid);
            list.len() - 1
        });
        Some(if is_scalar { At::Scalar(number) } else { At::Column(number) })
    }

    /// A pattern under a key.
    pub fn pattern(&mut self, r: &mut Reader<'_>, key: &'static str) -> Option<Pattern> {
        let text = r.string(key)?;
        let place = r.node(key).map_or_else(|| r.place().clone(), |n| n.place.clone());
        self.compile(&text, &place)
    }

    pub fn compile(&mut self, text: &str, place: &Place) -> Option<Pattern> {
        if self.author == Author::Us {
            return Some(Pattern::sound(text));
        }
        match Pattern::new(text) {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                self.problem(place, format!("the pattern cannot be used: {why}"));
                None
            }
        }
    }

    /// `"oid"`, or a table with `oid` and `by` whose other keys `more` reads.
    fn reference<T>(
        &mut self,
        node: &Node,
        what: &str,
        more: impl FnOnce(&mut Self, &mut Reader<'_>) -> T,
    ) -> Option<(Cell, Option<T>)> {
        match &node.value {
            Value::String(text) => Some((Cell { at: self.at(text, &node.place)?, by: By::Same }, None)),
            Value::Table(table) => {
                let mut r = table.reader(what);
                let text = r.required_string("oid");
                let by = self.by(&mut r);
                let rest = more(self, &mut r);
                let place = r.node("oid").map_or_else(|| node.place.clone(), |n| n.place.clone());
                self.problems.extend(r.finish());
                Some((Cell { at: self.at(&text?, &place)?, by: by? }, Some(rest)))
            }
            other => {
                self.problem(
                    &node.place,
                    format!("{what} must be an object identifier or a table with `oid`, not {}", other.kind()),
                );
                None
            }
        }
    }

    /// `by = "index.2"`, `"index.2-5"`, `"index.2+7"` or an identifier; `None` where it is wrong.
    fn by(&mut self, r: &mut Reader<'_>) -> Option<By> {
        let Some(node) = r.node("by") else { return Some(By::Same) };
        let text = r.string("by")?;
        self.row(&text, node)
    }

    fn row(&mut self, text: &str, node: &Node) -> Option<By> {
        let Some(arcs) = text.strip_prefix("index.") else {
            return self.at(text, &node.place).map(By::Value);
        };
        let (arcs, more) = arcs.split_once('+').map_or((arcs, None), |(arcs, more)| (arcs, Some(more.parse::<u32>())));
        let (first, last) = arcs.split_once('-').unwrap_or((arcs, arcs));
        match (first.parse::<usize>(), last.parse::<usize>(), more) {
            (Ok(first), Ok(last), None) if (1..=last).contains(&first) => Some(By::Arcs(first - 1, last)),
            (Ok(first), Ok(last), Some(Ok(arc))) if (1..=last).contains(&first) => {
                Some(By::ArcsThen(first - 1, last, arc))
            }
            _ => {
                self.problem(&node.place, format!("\"{text}\" names no arcs; the first one is index.1"));
                None
            }
        }
    }

    pub fn cell(&mut self, node: &Node, what: &str) -> Option<Cell> {
        self.reference(node, what, |_, _| ()).map(|(cell, _)| cell)
    }

    pub fn cell_under(&mut self, r: &mut Reader<'_>, key: &'static str) -> Option<Cell> {
        let node = r.node(key)?;
        self.cell(node, key)
    }

    /// One number, or several of which the first that gives something counts.
    pub fn number(&mut self, r: &mut Reader<'_>, key: &'static str) -> Option<Number> {
        let node = r.node(key)?;
        self.numbers_of(node, key)
    }

    fn numbers_of(&mut self, node: &Node, what: &str) -> Option<Number> {
        let Value::Array(items) = &node.value else { return self.number_of(node, what) };
        let all: Vec<Number> = items.iter().filter_map(|item| self.number_of(item, what)).collect();
        all.into_iter().rev().reduce(|rest, number| Number { or: Some(Box::new(rest)), ..number })
    }

    fn number_of(&mut self, node: &Node, what: &str) -> Option<Number> {
        let (cell, rest) = self.reference(node, what, |draft, r| {
            let scale = r.float("scale").unwrap_or(1.0);
            let offset = r.float("offset").unwrap_or(0.0);
            let ignore = draft.numbers(r, "ignore");
            let pattern = draft.pattern(r, "pattern");
            let beside = (draft.cell_under(r, "decimals"), draft.cell_under(r, "of"));
            let convert = match r.string("convert").as_deref() {
                None => Convert::Linear,
                Some("mw-to-dbm") => Convert::MilliwattsToDbm,
                Some("uw-or-dbm") => Convert::MicrowattsOrDbm,
                Some(other) => {
                    let place = r.node("convert").map_or_else(|| r.place().clone(), |n| n.place.clone());
                    draft.problems.push(
                        Problem::error(&place, format!("unknown conversion \"{other}\""))
                            .hint("known: mw-to-dbm, uw-or-dbm"),
                    );
                    Convert::Linear
                }
            };
            (scale, offset, ignore, (pattern, beside), convert)
        })?;
        let (scale, offset, ignore, (pattern, (decimals, of)), convert) =
            rest.unwrap_or((1.0, 0.0, Vec::new(), (None, (None, None)), Convert::Linear));
        Some(Number { cell, scale, offset, convert, ignore, pattern, decimals, of, or: None })
    }

    fn numbers(&mut self, r: &mut Reader<'_>, key: &'static str) -> Vec<f64> {
        let Some(node) = r.node(key) else { return Vec::new() };
        let Value::Array(items) = &node.value else {
            self.problem(&node.place, format!("`{key}` must be an array of numbers, not {}", node.value.kind()));
            return Vec::new();
        };
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            match item.value {
                Value::Integer(number) => out.push(number as f64),
                Value::Float(number) => out.push(number),
                _ => self.problem(&item.place, format!("`{key}` must be an array of numbers")),
            }
        }
        out
    }

    /// Integers, texts and booleans (which SNMP has as 1 and 2, so they are refused).
    pub fn said(&mut self, node: &Node) -> Vec<Said> {
        let Value::Array(items) = &node.value else {
            self.problem(&node.place, format!("this must be an array of values, not {}", node.value.kind()));
            return Vec::new();
        };
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            match &item.value {
                Value::Integer(number) => out.push(Said::Number(*number)),
                Value::String(text) => out.push(Said::Text(text.trim().into())),
                other => self.problem(&item.place, format!("a value is an integer or a string, not {}", other.kind())),
            }
        }
        out
    }

    /// `{ oid = "…", WORD = [values], …, otherwise = "WORD" }`.
    pub fn words<T: Clone>(
        &mut self,
        r: &mut Reader<'_>,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<Words<T>> {
        let node = r.node(key)?;
        let (cell, rest) = self.reference(node, key, |draft, r| {
            let mut rows = Vec::new();
            for (word, meaning) in words {
                if let Some(node) = r.node(word) {
                    rows.extend(draft.said(node).into_iter().map(|said| (said, meaning.clone())));
                }
            }
            let otherwise = r.string("otherwise").and_then(|said| {
                let found = words.iter().find(|(word, _)| *word == said).map(|(_, meaning)| meaning.clone());
                if found.is_none() {
                    let place = r.node("otherwise").map_or_else(|| r.place().clone(), |n| n.place.clone());
                    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                    draft.problems.push(
                        Problem::error(&place, format!("unknown word \"{said}\""))
                            .hint(format!("known: {}", known.join(", "))),
                    );
                }
                found
            });
            (rows, otherwise)
        })?;
        let Some((rows, otherwise)) = rest else {
            self.problem(&node.place, format!("`{key}` needs the values' meanings: {{ oid = \"…\", … = [1, 2] }}"));
            return None;
        };
        for (i, (said, _)) in rows.iter().enumerate() {
            if rows[..i].iter().any(|(before, _)| before == said) {
                self.problem(&node.place, format!("`{key}` gives one value two meanings"));
                break;
            }
        }
        Some(Words { cell, rows, otherwise })
    }

    /// `"oid"`, or `{ oid = "…", words = { "1" = "primary" } }`: the device's own words, or these.
    pub fn free_words(&mut self, r: &mut Reader<'_>, key: &'static str) -> Option<Words<Box<str>>> {
        let node = r.node(key)?;
        let (cell, rest) = self.reference(node, key, |draft, r| {
            let Some(table) = r.table("words") else { return Vec::new() };
            let mut rows = Vec::new();
            for (said, meaning) in &table.entries {
                match &meaning.value {
                    Value::String(text) => rows.push((said_key(&said.name), Box::from(text.as_str()))),
                    other => draft.problem(&meaning.place, format!("a word is a string, not {}", other.kind())),
                }
            }
            rows
        })?;
        Some(Words { cell, rows: rest.unwrap_or_default(), otherwise: None })
    }

    /// What names a row: `names` by index, then `name`.
    fn names(&mut self, r: &mut Reader<'_>) -> Vec<Name> {
        let mut out = Vec::new();
        if let Some(table) = r.table("names") {
            let mut rows = Vec::new();
            for (index, name) in &table.entries {
                match &name.value {
                    Value::String(text) => rows.push((index.name.as_str().into(), text.as_str().into())),
                    other => self.problem(&name.place, format!("a name is a string, not {}", other.kind())),
                }
            }
            out.push(Name::ByIndex(rows));
        }
        match r.node("name") {
            Some(Node { value: Value::Array(items), .. }) => {
                for item in items {
                    out.extend(self.name(item));
                }
            }
            Some(node) => out.extend(self.name(node)),
            None => {}
        }
        out
    }

    fn name(&mut self, node: &Node) -> Option<Name> {
        match &node.value {
            Value::Table(table) if table.find("entity").is_some() => {
                let mut r = table.reader("a name");
                let text = r.string("entity");
                self.problems.extend(r.finish());
                self.row(&text?, node).map(Name::Entity)
            }
            Value::String(text)
                if !text.contains('{') && text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('.') =>
            {
                self.cell(node, "name").map(Name::Cell)
            }
            Value::String(text) => Some(Name::Template(self.template(text, &node.place))),
            _ => self.cell(node, "name").map(Name::Cell),
        }
    }

    fn template(&mut self, text: &str, place: &Place) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            let Some((inside, behind)) = after.split_once('}') else {
                self.problem(place, "a `{` without its `}`");
                return pieces;
            };
            rest = behind;
            let arc = inside.strip_prefix("index.").and_then(|n| n.parse::<usize>().ok()).filter(|n| *n > 0);
            pieces.extend(match (inside, arc) {
                ("index", _) => Some(Piece::Index),
                ("index.text", _) => Some(Piece::IndexText),
                (_, Some(arc)) => Some(Piece::Arc(arc - 1)),
                _ => self.at(inside, place).map(|at| Piece::Cell(Cell { at, by: By::Same })),
            });
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        pieces
    }

    /// What every reading of rows has; the columns among `cells` that have the rows themselves lead.
    pub fn rows(&mut self, r: &mut Reader<'_>, what: &str, cells: &[Cell]) -> Rows {
        let names = self.names(r);
        let replaces = r.bool("replaces").unwrap_or(false);
        let only = match r.node("only") {
            None => Vec::new(),
            Some(Node { value: Value::Array(items), .. }) => items.iter().filter_map(|node| self.only(node)).collect(),
            Some(node) => self.only(node).into_iter().collect(),
        };
        let leads: Vec<usize> = cells
            .iter()
            .filter_map(|cell| match cell {
                Cell { at: At::Column(column), by: By::Same } => Some(*column),
                _ => None,
            })
            .collect();
        let any_column = cells.iter().any(|cell| matches!(cell.at, At::Column(_)));
        if leads.is_empty() && any_column {
            self.problem(r.place(), format!("{what} has no column of its own whose rows could be gone through"));
        }
        Rows { leads, names, only, replaces }
    }

    /// `{ oid = "…", is = [1] }` and its like, or `{ index = 'pattern' }`.
    fn only(&mut self, node: &Node) -> Option<Only> {
        if let Value::Table(table) = &node.value
            && table.find("index").is_some()
        {
            let mut r = table.reader("only");
            let pattern = self.pattern(&mut r, "index");
            self.problems.extend(r.finish());
            return Some(Only { cell: None, values: Vec::new(), pattern: Some(pattern?), wanted: true });
        }
        let (cell, rest) = self.reference(node, "only", |draft, r| {
            let is = r.node("is").map(|node| draft.said(node));
            let not = r.node("not").map(|node| draft.said(node));
            (is, not, draft.pattern(r, "matches"), draft.pattern(r, "unlike"))
        })?;
        let cell = Some(cell);
        match rest {
            Some((Some(values), None, None, None)) => Some(Only { cell, values, pattern: None, wanted: true }),
            Some((None, Some(values), None, None)) => Some(Only { cell, values, pattern: None, wanted: false }),
            Some((None, None, Some(pattern), None)) => {
                Some(Only { cell, values: Vec::new(), pattern: Some(pattern), wanted: true })
            }
            Some((None, None, None, Some(pattern))) => {
                Some(Only { cell, values: Vec::new(), pattern: Some(pattern), wanted: false })
            }
            _ => {
                let words = "`only` needs one of `is`, `not`, `matches`, `unlike`: { oid = \"…\", is = [1] }";
                self.problem(&node.place, words);
                None
            }
        }
    }

    pub fn limits(&mut self, r: &mut Reader<'_>) -> LimitCells {
        let Some(table) = r.table("limits") else { return LimitCells::default() };
        let mut r = table.reader("limits");
        let limits = LimitCells {
            low_critical: self.limit(&mut r, "low_critical"),
            low_warning: self.limit(&mut r, "low_warning"),
            high_warning: self.limit(&mut r, "high_warning"),
            high_critical: self.limit(&mut r, "high_critical"),
        };
        let fixed = |limit: &Option<Limit>| match limit {
            Some(Limit::Fixed(number)) => Some(*number),
            Some(Limit::Read(_)) | None => None,
        };
        let (low, high) = ([&limits.low_warning, &limits.low_critical], [&limits.high_warning, &limits.high_critical]);
        r.hold_apart(Worse::Lower, ["low_warning", "low_critical"], low.map(fixed), None);
        r.hold_apart(Worse::Higher, ["high_warning", "high_critical"], high.map(fixed), None);
        self.problems.extend(r.finish());
        limits
    }

    fn limit(&mut self, r: &mut Reader<'_>, key: &'static str) -> Option<Limit> {
        let node = r.node(key)?;
        match node.value {
            Value::Integer(number) => Some(Limit::Fixed(number as f64)),
            Value::Float(number) if number.is_finite() => Some(Limit::Fixed(number)),
            _ => self.numbers_of(node, key).map(Limit::Read),
        }
    }

    /// `port = "index.1"`, `{ oid = "…" }` with the ifIndex, `{ name = "oid" }`, `{ bridge = "index.1" }`,
    /// `{ entity = "index.1" }`.
    pub fn port(&mut self, r: &mut Reader<'_>) -> Option<PortBy> {
        let node = r.node("port")?;
        match &node.value {
            Value::String(text) if text.starts_with("index.") => self.arc(text, &node.place).map(PortBy::Arc),
            Value::String(_) => self.cell(node, "port").map(PortBy::Value),
            Value::Table(table) => self.port_table(table),
            other => {
                self.problem(&node.place, format!("`port` must be \"index.1\" or a table, not {}", other.kind()));
                None
            }
        }
    }

    fn port_table(&mut self, table: &Toml) -> Option<PortBy> {
        let mut r = table.reader("port");
        let value = self.cell_under(&mut r, "oid");
        let name = self.cell_under(&mut r, "name");
        let (bridge, entity) = (r.string("bridge"), r.string("entity"));
        self.problems.extend(r.finish());
        match (value, name, bridge, entity) {
            (Some(cell), None, None, None) => Some(PortBy::Value(cell)),
            (None, Some(cell), None, None) => Some(PortBy::Name(cell)),
            (None, None, Some(arc), None) => self.arc(&arc, &table.place).map(PortBy::BridgeArc),
            (None, None, None, Some(arc)) => self.arc(&arc, &table.place).map(PortBy::EntityArc),
            _ => {
                self.problem(&table.place, "`port` needs exactly one of `oid`, `name`, `bridge`, `entity`");
                None
            }
        }
    }

    /// `index.N`, from 1, as a number from 0.
    pub fn arc(&mut self, text: &str, place: &Place) -> Option<usize> {
        let arc = text.strip_prefix("index.").and_then(|n| n.parse::<usize>().ok()).and_then(|n| n.checked_sub(1));
        if arc.is_none() {
            self.problem(place, format!("\"{text}\" names no arc; the first one is index.1"));
        }
        arc
    }

    /// One of a closed list, under a key.
    pub fn one_of<T: Copy>(&mut self, r: &mut Reader<'_>, key: &'static str, known: &[(&'static str, T)]) -> Option<T> {
        let said = r.string(key)?;
        let found = known.iter().find(|(word, _)| *word == said).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let place = r.node(key).map_or_else(|| r.place().clone(), |n| n.place.clone());
            let problem = Problem::error(&place, format!("unknown {key} \"{said}\""));
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            self.problems.push(match nearest(&said, words.iter().copied()) {
                Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
                None => problem.hint(format!("known: {}", words.join(", "))),
            });
        }
        found
    }
}

/// A key of a TOML table as a value: keys are always texts there.
fn said_key(text: &str) -> Said {
    text.parse().map_or_else(|_| Said::Text(text.trim().into()), Said::Number)
}
