//! Secrets that many checks use: a file is read and a command run once for all of them, not once a run. An old secret is
//! fetched again after a while, and soon after it did not open what it should. What could not be fetched is tried again
//! by the next who asks; all who waited for it share the reason.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{SecretError, fetch};
use crate::base::Secret;
use crate::base::options::SecretRef;

/// How long a secret is used that nobody doubts.
const FRESH: Duration = Duration::from_secs(300);
/// And one that did not open something: dead devices doubt theirs for ever.
const DOUBTED: Duration = Duration::from_secs(30);

type Fetched = Result<Secret<String>, Arc<SecretError>>;

#[derive(Debug, Default)]
pub struct Secrets {
    known: Mutex<HashMap<Place, Arc<Slot>>>,
}

/// Where a secret lies, if fetching it costs anything.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Place {
    File(PathBuf),
    Command(Vec<String>),
}

#[derive(Debug, Default)]
struct Slot {
    now: Mutex<Option<Last>>,
    /// Held by who fetches it.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Last {
    at: Instant,
    fetched: Fetched,
    doubted: bool,
}

impl Secrets {
    /// [`fetch`], unless it was fetched lately.
    ///
    /// # Errors
    /// As there.
    pub async fn fetch(&self, reference: &SecretRef) -> Fetched {
        let Some(slot) = self.slot(reference) else { return fetch(reference).await.map_err(Arc::new) };
        if let Some(secret) = slot.secret() {
            return Ok(secret);
        }
        let begun = Instant::now();
        let turn = slot.turn.lock().await;
        if let Some(fetched) = slot.fetched_since(begun) {
            return fetched;
        }
        let fetched = fetch(reference).await.map_err(Arc::new);
        *slot.lock() = Some(Last { at: Instant::now(), fetched: fetched.clone(), doubted: false });
        drop(turn);
        fetched
    }

    /// It did not open what it should: perhaps there is a new one.
    pub fn doubt(&self, reference: &SecretRef) {
        if let Some(slot) = self.slot(reference)
            && let Some(last) = slot.lock().as_mut()
        {
            last.doubted = true;
        }
    }

    fn slot(&self, reference: &SecretRef) -> Option<Arc<Slot>> {
        let place = match reference {
            SecretRef::File(path) => Place::File(path.clone()),
            SecretRef::Command(argv) => Place::Command(argv.clone()),
            SecretRef::Env(_) | SecretRef::Literal(_) => return None,
        };
        Some(self.known.lock().unwrap_or_else(PoisonError::into_inner).entry(place).or_default().clone())
    }
}

impl Slot {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Last>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The secret, while it may be used.
    fn secret(&self) -> Option<Secret<String>> {
        let now = self.lock();
        let last = now.as_ref()?;
        let longest = if last.doubted { DOUBTED } else { FRESH };
        if last.at.elapsed() < longest { last.fetched.as_ref().ok().cloned() } else { None }
    }

    /// What somebody else fetched while we waited for our turn.
    fn fetched_since(&self, begun: Instant) -> Option<Fetched> {
        self.lock().as_ref().filter(|last| last.at >= begun).map(|last| last.fetched.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::*;

    fn write(path: &Path, secret: &str) {
        std::fs::write(path, secret).expect("written");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("mode");
    }

    /// A command that counts its runs in a file and prints a secret or fails.
    fn counting(folder: &Path, ends: &str) -> SecretRef {
        let words = format!("echo run >> {}/runs; {ends}", folder.display());
        SecretRef::Command(["sh", "-c", &words].map(str::to_owned).to_vec())
    }

    fn runs(folder: &Path) -> usize {
        std::fs::read_to_string(folder.join("runs")).expect("it ran").lines().count()
    }

    #[tokio::test]
    async fn a_thousand_who_ask_at_once_run_a_command_once_and_share_its_failure() {
        for (ends, good) in [("echo s3cret", true), ("exit 1", false)] {
            let folder = tempfile::tempdir().expect("a folder");
            let (secrets, reference) = (Arc::new(Secrets::default()), counting(folder.path(), ends));
            let all = (0..1_000).map(|_| {
                let (secrets, reference) = (secrets.clone(), reference.clone());
                tokio::spawn(async move { secrets.fetch(&reference).await.is_ok() })
            });
            for one in all.collect::<Vec<_>>() {
                assert_eq!(one.await.expect("no panic"), good);
            }
            assert_eq!(runs(folder.path()), 1);
            // The next who comes tries again what failed.
            assert_eq!(secrets.fetch(&reference).await.is_ok(), good);
            assert_eq!(runs(folder.path()), if good { 1 } else { 2 });
        }
    }

    #[tokio::test]
    async fn a_new_secret_is_seen_after_a_while_and_sooner_where_the_old_one_is_doubted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("community");
        let (secrets, reference) = (Secrets::default(), SecretRef::File(path.clone()));
        let fetched = async || secrets.fetch(&reference).await.expect("it is there").expose().clone();
        write(&path, "first");
        assert_eq!(fetched().await, "first");
        tokio::time::pause();
        write(&path, "second");
        tokio::time::advance(FRESH.saturating_sub(Duration::from_secs(1))).await;
        assert_eq!(fetched().await, "first");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(fetched().await, "second");
        write(&path, "third");
        secrets.doubt(&reference);
        assert_eq!(fetched().await, "second", "not at once: many may doubt it");
        tokio::time::advance(DOUBTED).await;
        assert_eq!(fetched().await, "third");
        tokio::time::advance(DOUBTED).await;
        assert_eq!(fetched().await, "third");
    }
}
