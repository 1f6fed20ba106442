//! Opening the SQLite files of the state directory: private from the first byte, versioned by `user_version`,
//! a newer version refused untouched, an older one copied beside before it is migrated in one transaction.
//!
//! A database file is never opened by any other means than SQLite: closing such a descriptor would drop the
//! POSIX locks that this process holds on it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::base::text::clean;

/// How long one process waits for another's transaction.
const BUSY: Duration = Duration::from_secs(5);

/// One database: its file name, how hard it is synced, and the steps that make it.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    pub file: &'static str,
    pub durability: Durability,
    /// The step at index `n` makes version `n + 1` of version `n`. The last is what this program knows.
    pub steps: &'static [&'static str],
}

/// What a commit promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// A commit that returned survives a power cut.
    PowerCut,
    /// It survives the end of the process; a power cut may take the last ones, and nothing else.
    Crash,
}

/// Why a database cannot be used. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "written by a newer noctty: {path} has version {found}, this one knows {known}; use the newer one, or --state with another directory"
    )]
    Newer { path: String, found: u32, known: u32 },
    #[error("the disk is full ({path}); free some space")]
    Full { path: String },
    #[error("{path} cannot be written ({reason}); use --state with a directory that can")]
    ReadOnly { path: String, reason: String },
    #[error("{path} is damaged ({reason}); keep it, and move it aside")]
    Damaged { path: String, reason: String },
    #[error("{path} is in use by another process for longer than {} s", BUSY.as_secs())]
    Busy { path: String },
    #[error("{path}: {reason}")]
    Failed { path: String, reason: String },
}

impl Schema {
    pub fn path(&self, directory: &Path) -> PathBuf {
        directory.join(self.file)
    }

    fn version(&self) -> u32 {
        u32::try_from(self.steps.len()).unwrap_or(u32::MAX)
    }

    /// Opens for reading and writing, and makes or migrates what is missing.
    ///
    /// # Errors
    /// See [`OpenError`]; a database of a newer version is left as it was.
    pub fn open(&self, directory: &Path) -> Result<Connection, OpenError> {
        let path = self.path(directory);
        prepare_directory(directory).map_err(|e| from_io(&path, &e))?;
        create_private(&path).map_err(|e| from_io(&path, &e))?;
        let mut connection = connect(&path)?;
        self.settle(&mut connection, &path).map_err(|e| e.sorted(&path))?;
        Ok(connection)
    }

    /// Opens what is there for reading; `None` where whoever made the file was cut off before there was anything in it.
    /// Where even reading needs a file that cannot be made (a read-only or full disk), the main file is read alone if no
    /// write-ahead log holds more than it does.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_existing(&self, directory: &Path) -> Result<Option<Connection>, OpenError> {
        let connection = self.open_readable(&self.path(directory))?;
        Ok(if has_begun(&connection) { Some(connection) } else { None })
    }

    fn open_readable(&self, path: &Path) -> Result<Connection, OpenError> {
        let first = connect(path).and_then(|c| self.readable(c, path));
        let Err(OpenError::Full { .. } | OpenError::ReadOnly { .. } | OpenError::Failed { .. }) = first else {
            return first;
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = |uri: &str, more| Connection::open_with_flags(uri, flags | more).map_err(|e| classify(path, &e));
        let plain = path.to_str().and_then(|p| open(p, OpenFlags::empty()).ok());
        if let Some(connection) = plain.and_then(|c| self.readable(c, path).ok()) {
            return Ok(connection);
        }
        let log = std::fs::metadata(beside(path, "-wal")).map_or(0, |m| m.len());
        if log > 0 {
            return first;
        }
        let uri = format!("file:{}?immutable=1", percent_encoded(path));
        open(&uri, OpenFlags::SQLITE_OPEN_URI).and_then(|c| self.readable(c, path))
    }

    /// Refuses what is newer, and finds out whether the file can be read at all.
    fn readable(&self, connection: Connection, path: &Path) -> Result<Connection, OpenError> {
        let found = patient(|| user_version(&connection)).map_err(|e| classify(path, &e))?;
        if found > self.version() {
            return Err(OpenError::Newer { path: shown(path), found, known: self.version() });
        }
        Ok(connection)
    }

    fn settle(&self, connection: &mut Connection, path: &Path) -> Result<(), Unsorted> {
        let found = patient(|| user_version(connection))?;
        if found > self.version() {
            return Err(OpenError::Newer { path: shown(path), found, known: self.version() }.into());
        }
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        // A write-ahead log needs memory that is shared by all who use the file; network file systems have none.
        let network = on_network(path);
        let mode = if network { "DELETE" } else { "WAL" };
        patient(|| connection.pragma_update_and_check(None, "journal_mode", mode, |_| Ok(())))?;
        let sync = match (self.durability, network) {
            (Durability::PowerCut, true) => "EXTRA",
            (Durability::PowerCut, false) | (Durability::Crash, true) => "FULL",
            (Durability::Crash, false) => "NORMAL",
        };
        connection.pragma_update(None, "synchronous", sync)?;
        if found < self.version() {
            self.migrate(connection, path, found)?;
        }
        Ok(())
    }

    fn migrate(&self, connection: &mut Connection, path: &Path, from: u32) -> Result<(), Unsorted> {
        if from > 0 {
            let copy = unused_copy(path, from).map_err(|e| from_io(path, &e))?;
            connection.backup("main", &copy, None::<fn(rusqlite::backup::Progress)>)?;
            File::open(&copy).and_then(|f| f.sync_all()).map_err(|e| from_io(&copy, &e))?;
            sync_directory(path.parent().unwrap_or(Path::new("."))).map_err(|e| from_io(&copy, &e))?;
        }
        if from == 0 && self.durability == Durability::PowerCut {
            // Before the version: whoever finds one may rely on the file's name too, made by whomever.
            sync_names(path.parent().unwrap_or(Path::new("."))).map_err(|e| from_io(path, &e))?;
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have been faster.
        let found = user_version(&transaction)?;
        for step in self.steps.iter().skip(found as usize) {
            transaction.execute_batch(step)?;
        }
        if found < self.version() {
            transaction.pragma_update(None, "user_version", self.version())?;
        }
        transaction.commit()?;
        Ok(())
    }
}

fn connect(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| classify(path, &e))?;
    let prepare = || -> rusqlite::Result<()> {
        connection.busy_timeout(BUSY)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        // Until the version is known to be ours, closing must not write.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(())
    };
    prepare().map_err(|e| classify(path, &e))?;
    Ok(connection)
}

/// An error on its way to becoming an [`OpenError`].
enum Unsorted {
    Sql(rusqlite::Error),
    Open(OpenError),
}

impl Unsorted {
    fn sorted(self, path: &Path) -> OpenError {
        match self {
            Self::Sql(error) => classify(path, &error),
            Self::Open(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Unsorted {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<OpenError> for Unsorted {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

/// What a failed statement on `path` means.
pub fn classify(path: &Path, error: &rusqlite::Error) -> OpenError {
    let shown = shown(path);
    let reason = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => OpenError::Full { path: shown },
        // SQLite reports a full disk as an input/output error where it maps or truncates.
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) if is_full(path) => OpenError::Full { path: shown },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            OpenError::ReadOnly { path: shown, reason }
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => OpenError::Damaged { path: shown, reason },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Busy { path: shown },
        _ => OpenError::Failed { path: shown, reason },
    }
}

/// What a failed system call on `path` means.
pub fn from_io(path: &Path, error: &std::io::Error) -> OpenError {
    let path = shown(path);
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => OpenError::Full { path },
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            OpenError::ReadOnly { path, reason: error.to_string() }
        }
        _ => OpenError::Failed { path, reason: error.to_string() },
    }
}

/// Makes the directory, for its owner only, and takes away what others could do with it.
///
/// # Errors
/// What the system said.
pub fn prepare_directory(directory: &Path) -> std::io::Result<()> {
    if !directory.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mode = std::fs::metadata(directory)?.permissions().mode();
    if mode & 0o077 != 0 {
        std::fs::set_permissions(directory, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Makes an empty file for its owner only; false where something is there already, which is not opened.
///
/// # Errors
/// What the system said.
pub fn create_private(path: &Path) -> std::io::Result<bool> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => {
            file.sync_all()?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes the names in a directory durable, and its own name and those of all above it: any of them may be new.
///
/// # Errors
/// What the system said of the directory itself. One above it that cannot be read was not made by us.
pub fn sync_names(directory: &Path) -> std::io::Result<()> {
    sync_directory(directory)?;
    for above in directory.canonicalize()?.ancestors().skip(1) {
        let _ = sync_directory(above);
    }
    Ok(())
}

/// Makes the names in a directory durable.
///
/// # Errors
/// What the system said.
pub fn sync_directory(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Whether there is anything in it: a version, or a table.
fn has_begun(connection: &Connection) -> bool {
    let empty = || -> rusqlite::Result<bool> {
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
        Ok(user_version(connection)? == 0 && tables == 0)
    };
    // What cannot be read is not nothing.
    !empty().unwrap_or(false)
}

fn user_version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Tries again while another process is in the way: changing the journal mode does not wait by itself.
fn patient<T>(mut work: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let deadline = Instant::now() + BUSY;
    loop {
        match work() {
            Err(error)
                if matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
                    && Instant::now() < deadline =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

/// An empty private file for the copy: `journal.db.v1`, else `journal.db.v1.2` and so on.
fn unused_copy(path: &Path, version: u32) -> std::io::Result<PathBuf> {
    for number in 1..1000 {
        let suffix = if number == 1 { format!(".v{version}") } else { format!(".v{version}.{number}") };
        let copy = beside(path, &suffix);
        if create_private(&copy)? {
            return Ok(copy);
        }
    }
    Err(std::io::Error::new(ErrorKind::AlreadyExists, "a thousand copies are there already"))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn is_full(path: &Path) -> bool {
    path.parent().and_then(|d| rustix::fs::statvfs(d).ok()).is_some_and(|s| s.f_bavail == 0)
}

/// NFS, SMB and 9P by the magic numbers of statfs(2).
fn on_network(path: &Path) -> bool {
    const NETWORK: [u64; 4] = [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997];
    path.parent()
        .and_then(|d| rustix::fs::statfs(d).ok())
        .is_some_and(|s| u64::try_from(s.f_type).is_ok_and(|kind| NETWORK.contains(&kind)))
}

fn percent_encoded(path: &Path) -> String {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt as _;
    let mut out = String::new();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.') {
            out.push(char::from(*byte));
        } else {
            let _ = write!(out, "%{byte:02x}");
        }
    }
    out
}

fn shown(path: &Path) -> String {
    clean(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Schema =
        Schema { file: "t.db", durability: Durability::PowerCut, steps: &["CREATE TABLE a (x INTEGER) STRICT"] };
    const TWO: Schema =
        Schema { steps: &["CREATE TABLE a (x INTEGER) STRICT", "CREATE TABLE b (y INTEGER) STRICT"], ..ONE };
    const BROKEN: Schema =
        Schema { steps: &["CREATE TABLE a (x INTEGER) STRICT", "CREATE TABLE b (y INTEGER) STRICT; nonsense"], ..ONE };

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn files_are_private_and_fully_synced() {
        let root = tempfile::tempdir().expect("a directory");
        let dir = root.path().join("a/state");
        let connection = ONE.open(&dir).expect("opens");
        connection.execute("INSERT INTO a VALUES (1)", []).expect("a row");
        assert_eq!(mode(&dir), 0o700);
        for file in ["t.db", "t.db-wal", "t.db-shm"] {
            assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
        }
        let sync: i64 = connection.pragma_query_value(None, "synchronous", |r| r.get(0)).expect("a number");
        assert_eq!(sync, 2, "FULL");
    }

    #[test]
    fn a_newer_version_is_refused_and_left_as_it_was() {
        let dir = tempfile::tempdir().expect("a directory");
        drop(TWO.open(dir.path()).expect("opens"));
        let before = std::fs::read(dir.path().join("t.db")).expect("bytes");
        assert!(matches!(ONE.open(dir.path()), Err(OpenError::Newer { found: 2, known: 1, .. })));
        assert!(matches!(ONE.open_existing(dir.path()), Err(OpenError::Newer { .. })));
        assert_eq!(std::fs::read(dir.path().join("t.db")).expect("bytes"), before);
    }

    #[test]
    fn an_older_version_is_copied_before_it_is_migrated() {
        let dir = tempfile::tempdir().expect("a directory");
        ONE.open(dir.path()).expect("opens").execute("INSERT INTO a VALUES (7)", []).expect("a row");
        let migrated = TWO.open(dir.path()).expect("migrates");
        assert_eq!(migrated.query_row("SELECT x FROM a", [], |r| r.get::<_, i64>(0)), Ok(7));
        assert_eq!(user_version(&migrated), Ok(2));
        let copy = dir.path().join("t.db.v1");
        assert_eq!(mode(&copy), 0o600);
        let old = Connection::open(&copy).expect("the copy opens");
        assert_eq!(user_version(&old), Ok(1));
        assert_eq!(old.query_row("SELECT x FROM a", [], |r| r.get::<_, i64>(0)), Ok(7));
    }

    #[test]
    fn a_migration_that_fails_leaves_the_old_version() {
        let dir = tempfile::tempdir().expect("a directory");
        drop(ONE.open(dir.path()).expect("opens"));
        assert!(BROKEN.open(dir.path()).is_err());
        let still = ONE.open(dir.path()).expect("the old program still opens it");
        assert_eq!(user_version(&still), Ok(1));
        assert!(TWO.open(dir.path()).is_ok(), "and a program that is right migrates it");
        assert!(dir.path().join("t.db.v1.2").exists(), "with a copy of its own");
    }

    #[test]
    fn what_is_no_database_is_called_damaged() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("t.db"), vec![b'x'; 8192]).expect("written");
        assert!(matches!(ONE.open(dir.path()), Err(OpenError::Damaged { .. })));
        assert_eq!(std::fs::read(dir.path().join("t.db")).expect("still there"), vec![b'x'; 8192]);
    }
}
