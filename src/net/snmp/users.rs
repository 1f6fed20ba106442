//! Users of SNMPv3 by their logins. Hashing a password costs about a millisecond, so it is done once for each login and on
//! a thread of its own; whoever has the same login gets the same user, and so shares what is known of it at an agent.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::base::Secret;
use crate::proto::snmp::usm::{AuthProtocol, PrivProtocol, User, UserError};

/// Logins that are kept; more than that, and those that nobody uses go.
const MOST_LOGINS: usize = 16_384;

/// A user's name and passwords as they were fetched.
#[derive(Clone, Debug)]
pub struct Login {
    pub name: Arc<str>,
    pub auth: Option<(AuthProtocol, Secret<String>)>,
    pub privacy: Option<(PrivProtocol, Secret<String>)>,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum LoginError {
    #[error("SNMPv3 user {}: {why}", crate::base::text::clean(name))]
    Forbidden { name: Arc<str>, why: UserError },
    #[error("internal error while a password was hashed")]
    Hashing,
}

/// The hash of a login, under a key of this process, to the logins that have it.
#[derive(Debug, Default)]
pub(super) struct Users {
    hasher: RandomState,
    known: Mutex<HashMap<u64, Vec<Arc<Entry>>>>,
}

#[derive(Debug)]
struct Entry {
    login: Login,
    user: OnceCell<Arc<User>>,
}

impl Login {
    fn is(&self, other: &Self) -> bool {
        self.name == other.name
            && same(self.auth.as_ref(), other.auth.as_ref())
            && same(self.privacy.as_ref(), other.privacy.as_ref())
    }

    fn user(&self) -> Result<Arc<User>, LoginError> {
        let auth = self.auth.as_ref().map(|(protocol, password)| (*protocol, password.expose().as_bytes()));
        let privacy = self.privacy.as_ref().map(|(protocol, password)| (*protocol, password.expose().as_bytes()));
        let user = User::new(self.name.as_bytes(), auth, privacy);
        user.map(Arc::new).map_err(|why| LoginError::Forbidden { name: self.name.clone(), why })
    }
}

fn same<P: PartialEq>(one: Option<&(P, Secret<String>)>, other: Option<&(P, Secret<String>)>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some((a, x)), Some((b, y))) => a == b && x.expose() == y.expose(),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

impl Users {
    pub(super) async fn get(&self, login: Login) -> Result<Arc<User>, LoginError> {
        let entry = self.entry(login);
        let make = || async {
            let entry = entry.clone();
            // Hashed apart, so that the tasks that poll go on meanwhile.
            tokio::task::spawn_blocking(move || entry.login.user()).await.map_err(|_| LoginError::Hashing)?
        };
        entry.user.get_or_try_init(make).await.cloned()
    }

    fn entry(&self, login: Login) -> Arc<Entry> {
        let secrets = (
            login.auth.as_ref().map(|(protocol, password)| (protocol, password.expose())),
            login.privacy.as_ref().map(|(protocol, password)| (protocol, password.expose())),
        );
        let hash = self.hasher.hash_one((&login.name, secrets));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_LOGINS {
            known.retain(|_, entries| {
                entries.retain(|e| Arc::strong_count(e) > 1 || e.user.get().is_some_and(|u| Arc::strong_count(u) > 1));
                !entries.is_empty()
            });
        }
        let entries = known.entry(hash).or_default();
        if let Some(entry) = entries.iter().find(|entry| entry.login.is(&login)) {
            return entry.clone();
        }
        let entry = Arc::new(Entry { login, user: OnceCell::new() });
        entries.push(entry.clone());
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(name: &str, password: &str) -> Login {
        Login { name: name.into(), auth: Some((AuthProtocol::Sha256, Secret::new(password.to_owned()))), privacy: None }
    }

    #[tokio::test]
    async fn one_login_is_one_user_and_another_password_is_another() {
        let users = Users::default();
        let one = users.get(login("ops", "maplesyrup")).await.expect("valid");
        assert!(Arc::ptr_eq(&one, &users.get(login("ops", "maplesyrup")).await.expect("valid")));
        assert!(!Arc::ptr_eq(&one, &users.get(login("ops", "maplesugar")).await.expect("valid")));
        assert!(!Arc::ptr_eq(&one, &users.get(login("noc", "maplesyrup")).await.expect("valid")));
    }

    #[tokio::test]
    async fn a_short_password_is_said_without_being_shown() {
        let error = Users::default().get(login("ops", "c4nary")).await.expect_err("too short").to_string();
        assert_eq!(error, "SNMPv3 user ops: the authentication password has fewer than 8 octets, which SNMPv3 forbids");
    }
}
