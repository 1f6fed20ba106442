//! Who polls for a state directory: whoever holds the lock on `engine.lock` there. The kernel lets go of it when that
//! process ends, however it ends, so of several that wait exactly one takes over. Its door is the socket `engine.sock`
//! beside it; a socket without a holder of the lock is a leftover.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use tokio::net::{UnixListener, UnixStream};

use crate::base::text;

const LOCK: &str = "engine.lock";
const SOCKET: &str = "engine.sock";
/// The longest path that an address of a socket holds, with its zero.
const LONGEST: usize = 107;

#[derive(Debug, thiserror::Error)]
#[error("cannot use {path}: {error}")]
pub struct SeatError {
    path: String,
    #[source]
    error: std::io::Error,
}

impl SeatError {
    fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = text::clean(&path.display().to_string());
        move |error| Self { path, error }
    }
}

/// The right to poll for a directory, as long as it is held.
#[derive(Debug)]
pub struct Seat {
    _lock: File,
    socket: PathBuf,
}

/// Whether there was room.
#[derive(Debug)]
pub enum Taken {
    Ours(Seat),
    /// By that process, where it has said so.
    Theirs(Option<u32>),
}

/// The socket of a state directory.
pub fn socket_in(directory: &Path) -> PathBuf {
    directory.join(SOCKET)
}

/// The socket in the folder of an engine that serves the whole machine.
pub fn system_socket_in(folder: &Path) -> PathBuf {
    folder.join("noctty.sock")
}

/// The process that polls for a directory at this moment; `None` where none answers there, or it has not said who it is.
/// Takes nothing from whoever is about to sit down.
pub fn holder(directory: &Path) -> Option<u32> {
    connect(&socket_in(directory)).ok()?;
    said(directory)
}

/// The process that took the seat of a directory last, as far as this user may read it.
pub fn said(directory: &Path) -> Option<u32> {
    let mut said = String::new();
    File::open(directory.join(LOCK)).ok()?.take(20).read_to_string(&mut said).ok()?;
    said.trim().parse().ok()
}

impl Seat {
    /// Takes the seat where it is free. The directory has to be there.
    ///
    /// # Errors
    /// What the system said: then nobody can hold it.
    pub fn take(directory: &Path) -> Result<Taken, SeatError> {
        let path = directory.join(LOCK);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)
            .map_err(SeatError::at(&path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut said = String::new();
                // Only a help for whoever reads the message.
                let _ = file.take(20).read_to_string(&mut said);
                return Ok(Taken::Theirs(said.trim().parse().ok()));
            }
            Err(error) => return Err(SeatError::at(&path)(error.into())),
        }
        let words = format!("{}\n", std::process::id());
        let written = file.rewind().and_then(|()| file.set_len(0)).and_then(|()| file.write_all(words.as_bytes()));
        // A full disk does not hinder polling; then the number is not there to be read.
        let _ = written;
        Ok(Taken::Ours(Self { _lock: file, socket: socket_in(directory) }))
    }

    /// Opens the door: for this user only.
    ///
    /// # Errors
    /// What the system said.
    pub fn listen(&self) -> Result<UnixListener, SeatError> {
        listen(&self.socket, 0o600)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // While the lock is still held: whoever takes it next makes a new one.
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Listens at a path; what is left of an earlier socket there goes.
///
/// # Errors
/// What the system said.
pub fn listen(path: &Path, mode: u32) -> Result<UnixListener, SeatError> {
    let failed = SeatError::at(path);
    let made = || {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = nearby(path, |path| UnixListener::bind(path))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        Ok(listener)
    };
    made().map_err(failed)
}

/// Connects to a path.
///
/// # Errors
/// What the system said.
pub fn connect(path: &Path) -> std::io::Result<std::os::unix::net::UnixStream> {
    nearby(path, |path| std::os::unix::net::UnixStream::connect(path))
}

/// The same for a runtime.
///
/// # Errors
/// What the system said.
pub fn dial(path: &Path) -> std::io::Result<UnixStream> {
    let stream = connect(path)?;
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

/// Does it with a path short enough for a socket: by way of its open folder where it is too long itself.
fn nearby<T>(path: &Path, deed: impl FnOnce(&Path) -> std::io::Result<T>) -> std::io::Result<T> {
    if path.as_os_str().len() <= LONGEST {
        return deed(path);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return deed(path) };
    let folder = File::open(folder)?;
    deed(&Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_has_the_seat_and_whoever_comes_next_is_told_who_and_takes_it_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("d".repeat(120));
        std::fs::create_dir(&deep).expect("a folder with a long name");
        for directory in [folder.path(), &deep] {
            let Ok(Taken::Ours(seat)) = Seat::take(directory) else { panic!("it is free") };
            let listener = seat.listen().expect("a socket");
            let mode = std::fs::metadata(socket_in(directory)).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let Ok(Taken::Theirs(who)) = Seat::take(directory) else { panic!("it is taken") };
            assert_eq!(who, Some(std::process::id()));
            assert_eq!(holder(directory), who);
            let (accepted, dialled) = (listener.accept(), dial(&socket_in(directory)));
            let accepted = accepted.await;
            assert!(accepted.is_ok() && dialled.is_ok());
            // A leftover is replaced.
            drop(seat);
            assert!(!socket_in(directory).exists());
            assert_eq!(holder(directory), None, "what is left of it is nobody");
            std::fs::write(socket_in(directory), "").expect("a leftover");
            let Ok(Taken::Ours(seat)) = Seat::take(directory) else { panic!("it is free again") };
            assert!(seat.listen().is_ok());
        }
    }
}
