//! The incident journal: entries are appended and never changed. [`Journal::append`] returns only when the entry
//! would survive a power cut; several processes may append to one directory at once. Reading verifies every
//! checksum and every chain, and says in words what is wrong; it invents, deletes and repairs nothing.
//!
//! ```text
//! append ─► journal.db (SQLite, synced at commit) ─► journal.log (one JSON line, synced) ─► "saved"
//! read   ◄─ journal.db; where it is damaged, what journal.log has intact
//! ```

mod append;
mod deed;
mod error;
mod fold;
mod log;
mod read;
mod record;
mod schema;
mod watch;

pub use append::{Draft, Journal};
pub use error::JournalError;
pub use read::{Contents, read};
pub use record::{TEXT_LIMIT, TITLE_LIMIT};
pub use watch::{Watch, watch};

/// Who writes, where nobody says otherwise: the name that the environment gives the user, else the account's, else its number.
pub fn author() -> crate::base::Untrusted {
    ["NOCTTY_AUTHOR", "SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
        .unwrap_or_else(account)
        .into()
}

/// Of this process, as the system's user database has it.
fn account() -> String {
    let user = nix::unistd::Uid::current();
    let known = nix::unistd::User::from_uid(user).ok().flatten();
    known.map_or_else(|| format!("uid {user}"), |known| known.name)
}

#[cfg(test)]
mod tests;
