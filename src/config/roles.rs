//! `[roles]`: who may do what at an engine that serves a whole machine. Only names stand here; whose names they are is asked
//! of the system when somebody comes.

use crate::base::options::{OptionDoc, Place, Problem, Table};

/// Somebody whom a list names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    User(String),
    Group(String),
}

impl std::fmt::Display for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(name) => f.write_str(name),
            Self::Group(name) => write!(f, "group {name}"),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct RoleOptions {
    /// `None` where everybody who reaches the socket may look.
    pub view: Option<Vec<(Member, Place)>>,
    pub operate: Vec<(Member, Place)>,
    pub admin: Vec<(Member, Place)>,
    /// Accounts that several people use.
    pub shared: Vec<(Member, Place)>,
}

impl RoleOptions {
    pub(super) fn read(table: &Table, problems: &mut Vec<Problem>) -> Self {
        let mut r = table.reader("[roles]");
        let lists = ["view", "operate", "admin", "shared"].map(|key| r.placed_strings(key));
        problems.extend(r.finish());
        let [view, operate, admin, shared] = lists.map(|list| list.map(|names| members(names, problems)));
        let [operate, admin, shared] = [operate, admin, shared].map(Option::unwrap_or_default);
        Self { view, operate, admin, shared }
    }

    /// All who are named, with their places.
    pub fn members(&self) -> impl Iterator<Item = &(Member, Place)> {
        self.view.iter().flatten().chain(&self.operate).chain(&self.admin).chain(&self.shared)
    }
}

fn members(names: Vec<(String, Place)>, problems: &mut Vec<Problem>) -> Vec<(Member, Place)> {
    let mut out = Vec::new();
    for (name, place) in names {
        let member = match name.split_once(':') {
            None => Member::User(name.clone()),
            Some(("group", group)) => Member::Group(group.to_owned()),
            Some(_) => {
                let problem = Problem::error(&place, format!("{name:?} is neither a user nor `group:NAME`"));
                problems.push(problem);
                continue;
            }
        };
        let (Member::User(bare) | Member::Group(bare)) = &member;
        if bare.trim().is_empty() {
            problems.push(Problem::error(&place, format!("{name:?} names nobody")));
            continue;
        }
        out.push((member, place));
    }
    out
}

pub const OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        name: "view",
        form: "list of strings",
        default: "everybody who reaches the socket",
        help: "who may look; with this list nobody else is let in, but for those that the other lists name",
    },
    OptionDoc {
        name: "operate",
        form: "list of strings",
        default: "",
        help: "who may also look at once, watch, write notes, open incidents, take problems on and order maintenance",
    },
    OptionDoc {
        name: "admin",
        form: "list of strings",
        default: "root and the service's own user, always",
        help: "who may also stop polling and have polled what was not",
    },
    OptionDoc {
        name: "shared",
        form: "list of strings",
        default: "",
        help: "accounts that several people use: each console of theirs is asked once who sits there",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::document;

    fn read(text: &str) -> (RoleOptions, String) {
        let (root, mut problems) = document::parse("n.toml", text.to_owned());
        let mut reader = root.reader("the configuration");
        let roles = reader.table("roles").map(|table| RoleOptions::read(table, &mut problems)).unwrap_or_default();
        (roles, problems.iter().map(Problem::brief).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn users_and_groups_are_told_apart_and_an_absent_list_is_no_empty_one() {
        let (roles, problems) =
            read("[roles]\noperate = [\"group:noc\"]\nadmin = [\"anna\", \"uid 4242\"]\nshared = [\"noc\"]\n");
        assert_eq!(problems, "");
        assert!(roles.view.is_none());
        let names: Vec<String> = roles.members().map(|(member, _)| member.to_string()).collect();
        assert_eq!(names, ["group noc", "anna", "uid 4242", "noc"]);
        assert!(read("[roles]\nview = []\n").0.view.is_some_and(|list| list.is_empty()));
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let (roles, problems) =
            read("[roles]\nview = [\"role:x\", \"group:\", \"bob\"]\noperat = []\nadmin = \"anna\"\n");
        for want in [
            "n.toml:2:9: \"role:x\" is neither a user nor `group:NAME`",
            "n.toml:2:19: \"group:\" names nobody",
            "n.toml:3:1: unknown key `operat` in [roles]; did you mean `operate`?",
            "n.toml:4:9: ",
        ] {
            assert!(problems.contains(want), "{want} is missing in\n{problems}");
        }
        assert_eq!(roles.view.map(|list| list.len()), Some(1), "what is right holds");
    }
}
