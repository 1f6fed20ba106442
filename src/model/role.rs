//! What a console may have its engine do. On one's own machine everything; on a shared engine what the configuration says
//! of its user.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    #[default]
    View,
    /// Look at once, watch, write notes, open incidents, take problems on, order maintenance, have stopped polling go on.
    Operate,
    /// Stop polling, and have it poll what it did not.
    Admin,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::View, Self::Operate, Self::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }

    /// Whether who has this role may do what takes that one. `holders` say who may, where roles are by lists.
    ///
    /// # Errors
    /// In words, for whoever asked.
    pub fn permits(self, needed: Self, holders: Option<&Holders>) -> Result<(), String> {
        if self >= needed {
            return Ok(());
        }
        let why = format!("your role here is {}: that needs {}", self.as_str(), needed.as_str());
        Err(match holders {
            None => why,
            Some(holders) => format!("{why} ({}); [roles] in the engine's configuration gives it", holders.of(needed)),
        })
    }
}

/// Who has a role or a greater one, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    pub operate: String,
    pub admin: String,
}

impl Holders {
    /// Looking is refused to nobody who was let in.
    pub fn of(&self, role: Role) -> &str {
        match role {
            Role::View | Role::Operate => &self.operate,
            Role::Admin => &self.admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_is_told_what_it_takes_who_has_it_and_where_it_is_given() {
        assert_eq!(Role::View.permits(Role::View, None), Ok(()));
        assert_eq!(Role::Admin.permits(Role::Operate, None), Ok(()));
        let why = "your role here is view: that needs operate";
        assert_eq!(Role::View.permits(Role::Operate, None), Err(why.to_owned()));
        let holders = Holders { operate: "root, group noc".into(), admin: "root, anna".into() };
        let told = |needed| Role::View.permits(needed, Some(&holders)).expect_err("it may not");
        assert_eq!(
            told(Role::Operate),
            format!("{why} (root, group noc); [roles] in the engine's configuration gives it")
        );
        assert!(told(Role::Admin).contains("needs admin (root, anna);"));
    }
}
