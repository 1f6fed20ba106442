//! `store.db`: the last known state of every check, so that the first frame has something to show. Losing the
//! newest of it to a power cut costs nothing but one poll, so it is synced lightly. One process writes; another
//! one on the same directory reads, and takes over when the first is gone.

use std::fs::{File, OpenOptions};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, params};
use rustix::fs::{FlockOperation, flock};

use super::assets;
use super::database::{self, Durability, OpenError, Schema};
use super::form::{self, Names};
use super::outbox::{self, Dispatch, Outbox};
use super::ports;
use super::{told, transitions};
use crate::base::Timestamp;
use crate::model::{AssetId, CheckKey, Log, Logged, Remembered, RememberedAsset, RememberedDevice, Subject};

const SCHEMA: Schema = Schema {
    file: "store.db",
    durability: Durability::Crash,
    steps: &[
        "CREATE TABLE remembered (
                subject INTEGER NOT NULL, -- 0 host, 1 backup job
                asset TEXT NOT NULL,
                check_name TEXT NOT NULL,
                form BLOB NOT NULL,
                PRIMARY KEY (subject, asset, check_name)
              ) STRICT, WITHOUT ROWID",
        "CREATE TABLE ports (
                asset TEXT PRIMARY KEY NOT NULL,
                form BLOB NOT NULL
              ) STRICT",
        outbox::STEP,
        "CREATE TABLE names (
                name TEXT PRIMARY KEY NOT NULL,
                address TEXT NOT NULL
              ) STRICT",
        "CREATE TABLE assets (
                subject INTEGER NOT NULL, -- 0 host, 1 backup job
                asset TEXT NOT NULL,
                form BLOB NOT NULL,
                PRIMARY KEY (subject, asset)
              ) STRICT, WITHOUT ROWID",
        transitions::STEP,
        outbox::TOLD_STEP,
        told::STEP,
    ],
};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("another noctty keeps the last known states in {0}; this one reads them only")]
    Owned(String),
}

/// What was read, and how much of it could not be.
#[derive(Debug, Default)]
pub struct Loaded {
    pub remembered: Vec<Remembered>,
    pub unreadable: usize,
}

#[derive(Debug)]
pub struct Store {
    connection: Connection,
    directory: PathBuf,
    /// Held by the one process that writes; the kernel lets go of it when that process ends, however it ends.
    lock: Option<File>,
}

impl Store {
    /// Opens it, and becomes the one who writes if nobody is.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let connection = SCHEMA.open(directory)?;
        let mut store = Self { connection, directory: directory.to_owned(), lock: None };
        store.take_over()?;
        Ok(store)
    }

    /// Whether this process is the one that writes.
    pub fn is_owner(&self) -> bool {
        self.lock.is_some()
    }

    /// All last known states.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn load(&self) -> Result<Loaded, StoreError> {
        self.read().map_err(|e| database::classify(&SCHEMA.path(&self.directory), &e).into())
    }

    /// Stores the states in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Owned`] while another process writes; then try again later.
    pub fn save(&mut self, batch: &[Remembered]) -> Result<(), StoreError> {
        if self.lock.is_none() && !self.take_over()? {
            return Err(StoreError::Owned(crate::base::text::clean(&self.directory.display().to_string())));
        }
        self.write(batch).map_err(|e| database::classify(&SCHEMA.path(&self.directory), &e).into())
    }

    /// What is known of the ports of every device, and how many of them could not be read.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn load_devices(&self) -> Result<(Vec<RememberedDevice>, usize), StoreError> {
        self.read_devices().map_err(|e| database::classify(&SCHEMA.path(&self.directory), &e).into())
    }

    /// Stores what is known of the ports of some devices in one transaction.
    ///
    /// # Errors
    /// As [`Store::save`].
    pub fn save_devices(&mut self, batch: &[RememberedDevice]) -> Result<(), StoreError> {
        if self.lock.is_none() && !self.take_over()? {
            return Err(StoreError::Owned(crate::base::text::clean(&self.directory.display().to_string())));
        }
        self.write_devices(batch).map_err(|e| database::classify(&SCHEMA.path(&self.directory), &e).into())
    }

    /// What people were told of hosts and jobs, and how many of these could not be read.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn load_assets(&self) -> Result<(Vec<RememberedAsset>, usize), StoreError> {
        let read = || -> rusqlite::Result<(Vec<RememberedAsset>, usize)> {
            let (mut assets, mut unreadable) = (Vec::new(), 0);
            let mut statement = self.connection.prepare("SELECT subject, asset, form FROM assets")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (kind, id, bytes) = (row.get_ref(0)?, row.get_ref(1)?, row.get_ref(2)?);
                let subject =
                    kind.as_i64().ok().zip(id.as_str().ok()).and_then(|(kind, id)| subject(kind, AssetId::new(id)));
                let decoded =
                    subject.zip(bytes.as_blob().ok()).and_then(|(subject, bytes)| assets::decode(subject, bytes));
                match decoded {
                    Some(one) => assets.push(one),
                    None => unreadable += 1,
                }
            }
            Ok((assets, unreadable))
        };
        read().map_err(|e| database::classify(&SCHEMA.path(&self.directory), &e).into())
    }

    /// Stores what people were told of hosts and jobs in one transaction.
    ///
    /// # Errors
    /// As [`Store::save`].
    pub fn save_assets(&mut self, batch: &[RememberedAsset]) -> Result<(), StoreError> {
        if self.lock.is_none() && !self.take_over()? {
            return Err(StoreError::Owned(crate::base::text::clean(&self.directory.display().to_string())));
        }
        let mut write = || -> rusqlite::Result<()> {
            let transaction = self.connection.transaction()?;
            let put = "INSERT INTO assets (subject, asset, form) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET form = excluded.form";
            let mut bytes = Vec::new();
            for one in batch {
                bytes.clear();
                assets::encode(one, &mut bytes);
                let id = one.subject.id().as_str();
                transaction.prepare_cached(put)?.execute(params![number(&one.subject), id, bytes])?;
            }
            transaction.commit()
        };
        write().map_err(|e| database::classify(&SCHEMA.path(&self.directory), &e).into())
    }

    /// The last known addresses of names, from a store that may be another process's; none where there is no store yet.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn addresses(directory: &Path) -> Result<Vec<(Arc<str>, IpAddr)>, StoreError> {
        let Some(connection) = SCHEMA.open_existing(directory)? else { return Ok(Vec::new()) };
        Self { connection, directory: directory.to_owned(), lock: None }.load_names()
    }

    /// The last known addresses of names.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn load_names(&self) -> Result<Vec<(Arc<str>, IpAddr)>, StoreError> {
        let read = || -> rusqlite::Result<Vec<(Arc<str>, IpAddr)>> {
            let mut statement = self.connection.prepare("SELECT name, address FROM names")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
            // What is no address any more is looked up anew.
            let parsed = |row: rusqlite::Result<(Arc<str>, String)>| match row {
                Ok((name, address)) => Some(Ok((name, address.parse().ok()?))),
                Err(error) => Some(Err(error)),
            };
            rows.filter_map(parsed).collect()
        };
        read().map_err(|e| database::classify(&SCHEMA.path(&self.directory), &e).into())
    }

    /// Stores addresses of names in one transaction.
    ///
    /// # Errors
    /// As [`Store::save`].
    pub fn save_names(&mut self, names: &[(Arc<str>, IpAddr)]) -> Result<(), StoreError> {
        if self.lock.is_none() && !self.take_over()? {
            return Err(StoreError::Owned(crate::base::text::clean(&self.directory.display().to_string())));
        }
        let mut write = || -> rusqlite::Result<()> {
            let transaction = self.connection.transaction()?;
            for (name, address) in names {
                let put = "INSERT INTO names (name, address) VALUES (?1, ?2)
                     ON CONFLICT DO UPDATE SET address = excluded.address";
                transaction.prepare_cached(put)?.execute(params![&**name, address.to_string()])?;
            }
            transaction.commit()
        };
        write().map_err(|e| database::classify(&SCHEMA.path(&self.directory), &e).into())
    }

    /// What happened, at most so many changes of conditions, and how much of it could not be read.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn load_log(&self, most: usize) -> Result<(Log, usize), StoreError> {
        let read = || {
            let (transitions, first) = transitions::read(&self.connection, most)?;
            let (notifications, second) = told::notifications(&self.connection)?;
            let (faults, third) = told::faults(&self.connection)?;
            let (changes, fourth) = told::changes(&self.connection)?;
            Ok((Log { transitions, changes, notifications, faults }, first + second + third + fourth))
        };
        read().map_err(|e: rusqlite::Error| database::classify(&SCHEMA.path(&self.directory), &e).into())
    }

    /// Stores what happened, in one transaction.
    ///
    /// # Errors
    /// As [`Store::save`].
    pub fn save_log(&mut self, batch: &[Logged]) -> Result<(), StoreError> {
        if self.lock.is_none() && !self.take_over()? {
            return Err(StoreError::Owned(crate::base::text::clean(&self.directory.display().to_string())));
        }
        let mut write = || {
            let transaction = self.connection.transaction()?;
            for one in batch {
                match one {
                    Logged::Changed(one) => transitions::put(&transaction, one)?,
                    Logged::Compared(one) => told::put_change(&transaction, one)?,
                    Logged::Told(one) => told::put(&transaction, one)?,
                    Logged::Failed(one) => told::put_fault(&transaction, one)?,
                }
            }
            transitions::forget(&transaction)?;
            told::forget(&transaction)?;
            transaction.commit()
        };
        write().map_err(|e| database::classify(&SCHEMA.path(&self.directory), &e).into())
    }

    /// What an earlier run left untold, without what is older than a week by the wall clock; nothing while another process writes.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn load_outbox(&self, now: Timestamp) -> Result<Outbox, StoreError> {
        if self.lock.is_none() {
            return Ok(Outbox::default());
        }
        let read = outbox::read(&self.connection)
            .and_then(|mut outbox| outbox::tidy(&self.connection, &mut outbox, now).map(|()| outbox));
        read.map_err(|e| database::classify(&SCHEMA.path(&self.directory), &e).into())
    }

    /// Writes down what happened to what is to be told; it is on disk when this returns.
    ///
    /// # Errors
    /// As [`Store::save`].
    pub fn save_outbox(&mut self, dispatches: &[Dispatch]) -> Result<(), StoreError> {
        if self.lock.is_none() && !self.take_over()? {
            return Err(StoreError::Owned(crate::base::text::clean(&self.directory.display().to_string())));
        }
        outbox::write(&mut self.connection, dispatches)
            .map_err(|e| database::classify(&SCHEMA.path(&self.directory), &e).into())
    }

    fn read_devices(&self) -> rusqlite::Result<(Vec<RememberedDevice>, usize)> {
        let (mut devices, mut unreadable) = (Vec::new(), 0);
        let mut statement = self.connection.prepare("SELECT asset, form FROM ports")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (asset, bytes) = (row.get_ref(0)?, row.get_ref(1)?);
            let decoded = asset.as_str().ok().zip(bytes.as_blob().ok());
            match decoded.and_then(|(asset, bytes)| ports::decode(AssetId::new(asset), bytes)) {
                Some(device) => devices.push(device),
                None => unreadable += 1,
            }
        }
        Ok((devices, unreadable))
    }

    fn write_devices(&mut self, batch: &[RememberedDevice]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO ports (asset, form) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET form = excluded.form",
            )?;
            let mut bytes = Vec::new();
            for device in batch {
                bytes.clear();
                ports::encode(device, &mut bytes);
                statement.execute(params![device.host.as_str(), bytes])?;
            }
        }
        transaction.commit()
    }

    /// True if this process writes from now on.
    fn take_over(&mut self) -> Result<bool, StoreError> {
        let path = self.directory.join("store.lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)
            .map_err(|e| database::from_io(&path, &e))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            self.lock = Some(file);
        }
        Ok(self.lock.is_some())
    }

    fn read(&self) -> rusqlite::Result<Loaded> {
        let mut loaded = Loaded::default();
        let mut names = Names::new();
        let mut statement = self.connection.prepare("SELECT subject, asset, check_name, form FROM remembered")?;
        let mut rows = statement.query([])?;
        // Rows come in the order of their key: the checks of one asset share its name.
        let mut asset = AssetId::new("");
        while let Some(row) = rows.next()? {
            let parts = (row.get_ref(0)?, row.get_ref(1)?, row.get_ref(2)?, row.get_ref(3)?);
            let (Ok(subject), Ok(id), Ok(name), Ok(bytes)) =
                (parts.0.as_i64(), parts.1.as_str(), parts.2.as_str(), parts.3.as_blob())
            else {
                loaded.unreadable += 1;
                continue;
            };
            if asset.as_str() != id {
                asset = AssetId::new(id);
            }
            let Some(subject) = self::subject(subject, asset.clone()) else {
                loaded.unreadable += 1;
                continue;
            };
            let key = CheckKey { subject, name: name_of(name, &mut names) };
            match form::decode(key, bytes, &mut names) {
                Some(one) => loaded.remembered.push(one),
                None => loaded.unreadable += 1,
            }
        }
        Ok(loaded)
    }

    fn write(&mut self, batch: &[Remembered]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO remembered (subject, asset, check_name, form) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET form = excluded.form",
            )?;
            let mut bytes = Vec::new();
            for one in batch {
                bytes.clear();
                form::encode(one, &mut bytes);
                let subject = number(&one.check.subject);
                statement.execute(params![subject, one.check.subject.id().as_str(), &*one.check.name, bytes])?;
            }
        }
        transaction.commit()
    }
}

/// How a subject is told from another of the same name.
fn number(subject: &Subject) -> i64 {
    match subject {
        Subject::Host(_) => 0,
        Subject::Job(_) => 1,
    }
}

fn subject(number: i64, asset: AssetId) -> Option<Subject> {
    match number {
        0 => Some(Subject::Host(asset)),
        1 => Some(Subject::Job(asset)),
        _ => None,
    }
}

fn name_of(name: &str, names: &mut Names) -> Arc<str> {
    if let Some(known) = names.get(name.as_bytes()) {
        return known.clone();
    }
    let shared: Arc<str> = Arc::from(name);
    names.insert(Box::from(name.as_bytes()), shared.clone());
    shared
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Untold;
    use super::*;
    use crate::model::{
        Alert, AlertKind, Change, Condition, Fault, Flap, Notification, NotificationKind, NotificationView,
        Observation, Reading, Target, Told, Transition, Unit,
    };

    fn one(host: &str, name: &str, millis: i64) -> Remembered {
        let check = CheckKey { subject: Subject::Host(AssetId::new(host)), name: Arc::from(name) };
        let reading = Reading::ok("2 ms").metric("rtt", 0.002, Unit::Seconds);
        Remembered {
            check: check.clone(),
            condition: Condition::Ok,
            since: Timestamp(1),
            last_good: Some(Timestamp(millis)),
            observation: Observation { check, at: Timestamp(millis), took: Duration::from_millis(2), reading },
            flap: Flap::default(),
        }
    }

    #[test]
    fn the_newest_state_of_each_check_comes_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut store = Store::open(dir.path()).expect("opens");
        store.save(&[one("a", "icmp", 5), one("a", "ssh", 5), one("b", "icmp", 5)]).expect("saved");
        store.save(&[one("a", "icmp", 9)]).expect("saved");
        drop(store);
        let loaded = Store::open(dir.path()).expect("opens").load().expect("loads");
        assert_eq!(loaded.unreadable, 0);
        assert_eq!(loaded.remembered, vec![one("a", "icmp", 9), one("a", "ssh", 5), one("b", "icmp", 5)]);
    }

    #[test]
    fn what_is_known_of_ports_comes_back_and_a_damaged_device_is_counted() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut store = Store::open(dir.path()).expect("opens");
        let device = |host: &str, millis| RememberedDevice {
            host: AssetId::new(host),
            at: Timestamp(millis),
            uptime: None,
            engine: None,
            name: "".into(),
            chassis: [None; 2],
            ports: Vec::new(),
            events: Vec::new(),
        };
        store.save_devices(&[device("sw1", 5), device("sw2", 5)]).expect("saved");
        store.save_devices(&[device("sw1", 9)]).expect("saved");
        drop(store);
        let store = Store::open(dir.path()).expect("opens");
        assert_eq!(store.load_devices().expect("loads"), (vec![device("sw1", 9), device("sw2", 5)], 0));
        store.connection.execute("UPDATE ports SET form = x'01' WHERE asset = 'sw1'", []).expect("damaged");
        assert_eq!(store.load_devices().expect("loads"), (vec![device("sw2", 5)], 1));
    }

    #[test]
    fn what_people_were_told_comes_back_and_what_is_damaged_is_counted() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut store = Store::open(dir.path()).expect("opens");
        let of = |subject: fn(AssetId) -> Subject, condition| RememberedAsset {
            subject: subject(AssetId::new("db01")),
            told: Told { condition: Some(condition), untold: true, ..Told::default() },
            parts: None,
            neighbor: Some("sw1".into()),
            machines: Vec::new(),
        };
        let (host, job) = (of(Subject::Host, Condition::Critical), of(Subject::Job, Condition::Warning));
        store.save_assets(&[of(Subject::Host, Condition::Ok), job.clone()]).expect("saved");
        store.save_assets(std::slice::from_ref(&host)).expect("saved");
        drop(store);
        let store = Store::open(dir.path()).expect("opens");
        assert_eq!(store.load_assets().expect("loads"), (vec![host, job.clone()], 0));
        store.connection.execute("UPDATE assets SET form = x'09' WHERE subject = 0", []).expect("damaged");
        assert_eq!(store.load_assets().expect("loads"), (vec![job], 1));
    }

    fn untold(id: &str, at: Timestamp) -> Untold {
        let alert = Alert {
            kind: AlertKind::Problem,
            target: Target::Host(AssetId::new("a")),
            title: "a".into(),
            from: Condition::Ok,
            to: Condition::Critical,
            word: "DOWN".into(),
            reason: "no answer".into(),
            hides: 0,
            tags: Vec::new(),
            group: None,
            at,
        };
        Untold { channel: "ops".into(), id: id.into(), handed: false, alert }
    }

    #[test]
    fn what_was_not_told_comes_back_until_it_is_settled_and_not_after_a_week() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut store = Store::open(dir.path()).expect("opens");
        let now = Timestamp::from_secs(1_800_000_000);
        let old = now.minus(Duration::from_secs(8 * 86_400));
        let waits = [("1", now), ("2", now), ("3", now), ("4", old)].map(|(id, at)| Dispatch::Waits(untold(id, at)));
        store.save_outbox(&waits).expect("saved");
        let (channel, ids) = (|| Arc::from("ops"), |ids: &[&str]| ids.iter().map(|id| Arc::from(*id)).collect());
        let handed = |all: &[&str], at, forget| Dispatch::Handed { channel: channel(), ids: ids(all), at, forget };
        store.save_outbox(&[handed(&["1"], old, old), handed(&["1", "2", "3"], now, now)]).expect("saved");
        let failed = Dispatch::Failed { channel: channel(), ids: ids(&["2"]) };
        store.save_outbox(&[failed, Dispatch::Settled { channel: channel(), ids: ids(&["1"]) }]).expect("saved");
        let other = Store::open(dir.path()).expect("opens");
        assert_eq!(other.load_outbox(now).expect("loads"), Outbox::default(), "it is another process's");
        drop((store, other));
        let store = Store::open(dir.path()).expect("opens");
        let handed = |handed, one| Untold { handed, ..one };
        let left = store.load_outbox(now).expect("loads");
        assert_eq!(left.untold, [handed(false, untold("2", now)), handed(true, untold("3", now))]);
        assert_eq!((left.sent, left.unreadable), (vec![(channel(), now)], 0));
        store.connection.execute("UPDATE outbox SET form = x'07' WHERE id = '2'", []).expect("damaged");
        let left = store.load_outbox(now).expect("loads");
        assert_eq!((left.untold.len(), left.unreadable), (1, 1));
    }

    #[test]
    fn the_newest_address_of_each_name_comes_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut store = Store::open(dir.path()).expect("opens");
        let name = |name: &str, last: u8| (Arc::from(name), IpAddr::from([192, 0, 2, last]));
        store.save_names(&[name("db01", 1), name("web1", 2)]).expect("saved");
        store.save_names(&[name("db01", 3)]).expect("saved");
        drop(store);
        let store = Store::open(dir.path()).expect("opens");
        assert_eq!(store.load_names().expect("loads"), [name("db01", 3), name("web1", 2)]);
        store.connection.execute("UPDATE names SET address = 'x' WHERE name = 'db01'", []).expect("damaged");
        assert_eq!(store.load_names().expect("loads"), [name("web1", 2)]);
    }

    #[test]
    fn the_newest_changes_of_conditions_come_back_and_the_rest_is_forgotten() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut store = Store::open(dir.path()).expect("opens");
        let change = |n: i64| {
            let (target, name) = (Target::Host(AssetId::new("a")), "a".into());
            let (from, to) = (Condition::Ok, Condition::Critical);
            Arc::new(Transition { at: Timestamp(n), target, name, from, to, down: true, reason: "no answer".into() })
        };
        let all: Vec<_> = (0..6_000).map(change).collect();
        let log = |part: &[Arc<Transition>]| part.iter().cloned().map(Logged::Changed).collect::<Vec<_>>();
        store.save_log(&log(&all[..5_500])).expect("saved");
        store.save_log(&log(&all[5_500..])).expect("saved");
        drop(store);
        let store = Store::open(dir.path()).expect("opens");
        let load = |store: &Store, most| {
            let (log, unreadable) = store.load_log(most).expect("loads");
            (log.transitions, unreadable)
        };
        assert_eq!(load(&store, 2), (vec![change(5_999), change(5_998)], 0));
        assert_eq!(load(&store, 10_000).0.len(), 5_000);
        store.connection.execute("UPDATE transitions SET form = x'01' WHERE id > 5999", []).expect("damaged");
        assert_eq!(load(&store, 2), (vec![change(5_998)], 1));
    }

    #[test]
    fn what_devices_told_and_faults_come_back_and_a_storm_of_the_one_leaves_the_other() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut store = Store::open(dir.path()).expect("opens");
        let told = |n: i64| {
            let (at, host, kind) = (Timestamp(n), AssetId::new("sw1"), NotificationKind::LinkDown);
            let detail = "\u{1b}[31mred".into();
            let told = Notification { at, host, kind, if_index: Some(7), detail, version: "v2c", count: 1 };
            Arc::new(NotificationView { told, port: Some("Gi0/7".into()) })
        };
        let fault = |n: i64| Arc::new(Fault { at: Timestamp(n), words: format!("task {n} panicked").into() });
        let mut all: Vec<Logged> = (0..150).map(|n| Logged::Failed(fault(n))).collect();
        all.extend((0..3_000).map(|n| Logged::Told(told(n))));
        store.save_log(&all).expect("saved");
        drop(store);
        let store = Store::open(dir.path()).expect("opens");
        let (log, unreadable) = store.load_log(10).expect("loads");
        assert_eq!((log.notifications.len(), log.faults.len(), unreadable), (1_000, 100, 0));
        assert_eq!((&log.notifications[0], &log.faults[0]), (&told(2_999), &fault(149)));
        let rows = |sql: &str| store.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a count");
        assert_eq!(rows("SELECT count(*) FROM told"), 1_100, "the rest is forgotten");
    }

    #[test]
    fn what_was_found_otherwise_comes_back_with_its_time_and_a_damaged_row_costs_no_other() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut store = Store::open(dir.path()).expect("opens");
        let change = |n: i64| {
            let target = Target::Host(AssetId::new("db01"));
            Arc::new(Change { at: Timestamp(n), target, words: "\u{1b}[31mkernel: a → b".into() })
        };
        let all: Vec<Logged> = (0..2_500).map(|n| Logged::Compared(change(n))).collect();
        store.save_log(&all).expect("saved");
        drop(store);
        let store = Store::open(dir.path()).expect("opens");
        let load = || store.load_log(10).map(|(log, unreadable)| (log.changes, unreadable)).expect("loads");
        assert_eq!((load().0.len(), load().1, &load().0[0]), (1_000, 0, &change(2_499)));
        for (place, form) in [(1, "x''"), (2, "x'01ff'"), (3, "zeroblob(70000)")] {
            let harm = format!("UPDATE told SET form = {form} WHERE id = (SELECT max(id) - {place} FROM told)");
            store.connection.execute(&harm, []).expect("damaged");
        }
        assert_eq!((load().0.len(), load().1, &load().0[0]), (997, 3, &change(2_499)));
    }

    #[test]
    fn a_second_process_reads_only_and_takes_over_when_the_first_is_gone() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut first = Store::open(dir.path()).expect("opens");
        first.save(&[one("a", "icmp", 5)]).expect("saved");
        let mut second = Store::open(dir.path()).expect("opens too");
        assert!(first.is_owner() && !second.is_owner());
        assert!(matches!(second.save(&[one("a", "icmp", 6)]), Err(StoreError::Owned(_))));
        assert_eq!(second.load().expect("loads").remembered.len(), 1);
        drop(first);
        second.save(&[one("a", "icmp", 7)]).expect("now it writes");
        assert!(second.is_owner());
    }

    #[test]
    fn a_row_that_cannot_be_read_is_counted_and_the_rest_is_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut store = Store::open(dir.path()).expect("opens");
        store.save(&[one("a", "icmp", 5), one("b", "icmp", 5)]).expect("saved");
        store.connection.execute("UPDATE remembered SET form = x'09' WHERE asset = 'a'", []).expect("damaged");
        let loaded = store.load().expect("loads");
        assert_eq!((loaded.remembered.len(), loaded.unreadable), (1, 1));
    }
}
