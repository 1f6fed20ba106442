//! Whom the lists of `[roles]` give what, by the names that the system has for them.

use crate::base::text;
use crate::config::RoleOptions;
use crate::config::roles::Member;
use crate::model::{Holders, Role};

/// Somebody as the system knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// `uid 4242` where it has no name.
    pub name: String,
    /// By name.
    pub groups: Vec<String>,
}

impl Account {
    fn is(&self, member: &Member) -> bool {
        match member {
            Member::User(name) => *name == self.name,
            Member::Group(name) => self.groups.contains(name),
        }
    }
}

/// Who may do what at an engine of several users.
#[derive(Debug)]
pub struct Roles(pub RoleOptions);

impl Roles {
    /// The most that any list gives; nothing where it is not let in.
    pub fn of(&self, account: &Account) -> Option<Role> {
        let named = |list: &[(Member, _)]| list.iter().any(|(member, _)| account.is(member));
        let Self(RoleOptions { view, operate, admin, shared: _ }) = self;
        if named(admin) {
            Some(Role::Admin)
        } else if named(operate) {
            Some(Role::Operate)
        } else {
            view.as_ref().is_none_or(|view| named(view)).then_some(Role::View)
        }
    }

    /// Several people use that account.
    pub fn is_shared(&self, account: &Account) -> bool {
        self.0.shared.iter().any(|(member, _)| account.is(member))
    }

    /// Who may what, for those who may not.
    pub fn all_holders(&self) -> Holders {
        Holders { operate: self.holders(Role::Operate), admin: self.holders(Role::Admin) }
    }

    /// Who has that role or a greater one, in words.
    pub fn holders(&self, role: Role) -> String {
        let Self(RoleOptions { view, operate, admin, shared: _ }) = self;
        let view = view.iter().flatten().filter(|_| role <= Role::View);
        let operate = operate.iter().filter(|_| role <= Role::Operate);
        let named = view.chain(operate).chain(admin).map(|(member, _)| text::clean(&member.to_string()));
        std::iter::once("root".to_owned()).chain(named).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    #[test]
    fn the_greatest_role_counts_and_whoever_is_not_named_may_look_unless_those_are_named_too() {
        let roles = |text: &str| Roles(load::parse("n.toml", text.to_owned()).expect("it is right").roles);
        let account = |name: &str, groups: &[&str]| Account {
            name: name.into(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        };
        let open = roles("[roles]\noperate = [\"group:noc\"]\nadmin = [\"anna\", \"uid 4242\"]\n");
        assert!(!open.is_shared(&account("noc", &[])));
        let shared = roles("[roles]\nshared = [\"noc\", \"group:desk\"]\n");
        assert!(shared.is_shared(&account("noc", &[])) && shared.is_shared(&account("d1", &["desk"])));
        assert_eq!(shared.of(&account("noc", &[])), Some(Role::View), "that is no role");
        assert_eq!(open.of(&account("anna", &["noc"])), Some(Role::Admin));
        assert_eq!(open.of(&account("bob", &["users", "noc"])), Some(Role::Operate));
        assert_eq!(open.of(&account("uid 4242", &[])), Some(Role::Admin));
        assert_eq!(open.of(&account("noc", &["anna"])), Some(Role::View), "a user is no group, a group no user");
        assert_eq!(open.holders(Role::Operate), "root, group noc, anna, uid 4242");
        assert_eq!(open.holders(Role::Admin), "root, anna, uid 4242");
        let closed = roles("[roles]\nview = [\"group:desk\"]\nadmin = [\"anna\"]\n");
        assert_eq!(closed.of(&account("vera", &["desk"])), Some(Role::View));
        assert_eq!(closed.of(&account("anna", &[])), Some(Role::Admin));
        assert_eq!(closed.of(&account("bob", &[])), None);
    }
}
