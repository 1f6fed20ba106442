//! The `[traps]` table: where to listen, and whom to believe.

use std::net::SocketAddr;

use crate::base::options::{Node, OptionDoc, Problem, Reader, SecretRef, Table, Value};
use crate::probe::snmp::UserRef;
use crate::proto::snmp::Oid;

/// The options of `[traps]`.
pub const TRAP_OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        name: "listen",
        form: "string or array",
        default: "",
        help: "addresses with port, such as \"0.0.0.0:162\"; without it nothing listens",
    },
    OptionDoc {
        name: "community",
        form: "secret",
        default: "",
        help: "versions 1 and 2c: the one that is taken; without it they are refused",
    },
    OptionDoc {
        name: "notifications",
        form: "array of strings",
        default: "",
        help: "object identifiers, with all that is below them, that are events too",
    },
];

/// The options of each `[[traps.user]]`.
pub const TRAP_USER_OPTIONS: &[OptionDoc] = &[
    OptionDoc { name: "name", form: "string", default: "", help: "version 3: who is believed" },
    OptionDoc { name: "auth", form: "table", default: "", help: "as in a host's `snmp` table" },
    OptionDoc { name: "priv", form: "table", default: "", help: "as in a host's `snmp` table" },
];

/// A bound `[traps]` table.
#[derive(Clone, Debug)]
pub struct TrapSettings {
    pub listen: Vec<SocketAddr>,
    pub community: Option<SecretRef>,
    pub users: Vec<UserRef>,
    /// Beside the standard ones.
    pub kinds: Vec<Oid>,
}

impl TrapSettings {
    /// Reads the table; `None` where something is wrong, which `problems` then says.
    pub fn read(table: &Table, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let mut reader = table.reader("[traps]");
        let listen = if let Some(node) = reader.node("listen") {
            read_listen(node, &mut reader)
        } else {
            let problem = Problem::error(reader.place(), "[traps] has no `listen`");
            reader.problem(problem.hint("add `listen = \"0.0.0.0:162\"`, or remove the table"));
            Vec::new()
        };
        if let (true, Some(node)) = (listen.is_empty(), reader.node("listen"))
            && matches!(&node.value, Value::Array(items) if items.is_empty())
        {
            reader.problem(Problem::error(&node.place, "`listen` is empty"));
        }
        let community = reader.secret("community");
        let kinds = reader.placed_strings("notifications").unwrap_or_default();
        let kinds: Vec<Option<Oid>> = kinds
            .into_iter()
            .map(|(text, place)| {
                let oid = Oid::parse(&text);
                if oid.is_none() {
                    let problem = Problem::error(&place, format!("\"{text}\" is no object identifier"));
                    reader.problem(problem.hint("numbers and dots, such as \"1.3.6.1.4.1.9.9.43.2\""));
                }
                oid
            })
            .collect();
        let users = reader.tables("user");
        if users.is_empty() && reader.node("community").is_none() {
            let problem = Problem::error(reader.place(), "[traps] believes nobody");
            reader.problem(problem.hint("add `community = { file = \"…\" }`, or a `[[traps.user]]` for version 3"));
        }
        problems.extend(reader.finish());
        let mut read = Vec::new();
        for user in users {
            let mut reader = user.reader("[[traps.user]]");
            let one = UserRef::read_login("[[traps.user]]", "name", &mut reader);
            if let Some(one) = &one
                && read.iter().any(|other: &UserRef| other.name == one.name)
            {
                let place = user.find("name").map_or(&user.place, |node| &node.place);
                reader.problem(Problem::error(place, format!("the user \"{}\" is there twice", one.name)));
            }
            problems.extend(reader.finish());
            read.extend(one);
        }
        let wrong = problems[before..].iter().any(|p| p.weight == crate::base::options::Weight::Error);
        let kinds: Option<Vec<Oid>> = kinds.into_iter().collect();
        if wrong { None } else { Some(Self { listen, community, users: read, kinds: kinds? }) }
    }
}

fn read_listen(node: &Node, reader: &mut Reader<'_>) -> Vec<SocketAddr> {
    let nodes: Vec<&Node> = match &node.value {
        Value::Array(items) => items.iter().collect(),
        _ => vec![node],
    };
    let mut out = Vec::new();
    for node in nodes {
        let Value::String(text) = &node.value else {
            let problem = format!("`listen` must be an address with port, not {}", node.value.kind());
            reader.problem(Problem::error(&node.place, problem));
            continue;
        };
        if let Ok(address) = text.parse() {
            out.push(address);
        } else {
            let problem = Problem::error(&node.place, format!("`listen` \"{text}\" is no address with port"));
            reader.problem(problem.hint("such as \"0.0.0.0:162\" or \"[::]:162\""));
        }
    }
    out
}
