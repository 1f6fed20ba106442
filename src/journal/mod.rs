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

pub use append::{Draft, Journal};
pub use error::JournalError;
pub use read::{Contents, read};
pub use record::{TEXT_LIMIT, TITLE_LIMIT};

/// Who writes, where nobody says otherwise: the name that the environment gives the user, else the user's number.
pub fn author() -> crate::base::Untrusted {
    ["NOCTTY_AUTHOR", "SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
        .into()
}

#[cfg(test)]
mod tests;
