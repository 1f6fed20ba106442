//! Tells when somebody has written an entry, this process or another: then `journal.log` has a line more. Nothing is asked
//! meanwhile, so an idle console sleeps. The kernel tells of what happens on this machine only; on a network file system
//! another one's entries are found by looking.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::pipe::{PipeFlags, pipe_with};

use super::log;

/// A log that comes, goes or is replaced.
const FOLDER: WatchFlags =
    WatchFlags::CREATE.union(WatchFlags::MOVED_TO).union(WatchFlags::ONLYDIR).union(WatchFlags::DELETE_SELF);

/// It is told for as long as this is kept.
#[derive(Debug)]
pub struct Watch {
    /// Closed, it wakes the thread for the last time.
    stop: Option<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It waits for nothing else.
            let _ = thread.join();
        }
    }
}

/// Calls `tell` on a thread of its own after each write to the log of a journal; several that lie close together may
/// be one. `tell` says whether anybody still listens.
///
/// # Errors
/// What the system said: there are no watches left, or the directory is not there.
pub fn watch(directory: &Path, tell: impl FnMut() -> bool + Send + 'static) -> io::Result<Watch> {
    let notices = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    inotify::add_watch(&notices, directory, FOLDER)?;
    let (stopped, stop) = pipe_with(PipeFlags::CLOEXEC)?;
    let log = log::path(directory);
    // Before anybody reads what is there: what comes after that is told.
    follow(&notices, &log)?;
    let thread = std::thread::Builder::new().name("journal-watch".to_owned()).spawn(move || {
        if let Err(error) = listen(&notices, &stopped, &log, tell) {
            tracing::warn!(%error, "whether the journal is written to is not told any more");
        }
    })?;
    Ok(Watch { stop: Some(stop), thread: Some(thread) })
}

/// Watched again, a file has one watch as before; one that is not there yet is told by its folder.
fn follow(notices: &OwnedFd, log: &Path) -> io::Result<()> {
    match inotify::add_watch(notices, log, WatchFlags::MODIFY) {
        Ok(_) | Err(rustix::io::Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn listen(notices: &OwnedFd, stopped: &OwnedFd, log: &Path, mut tell: impl FnMut() -> bool) -> io::Result<()> {
    let name = log.file_name().unwrap_or_default();
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut written = false;
    loop {
        // A log that has come or was replaced is followed before it is told of: whoever reads it then misses nothing.
        follow(notices, log)?;
        if std::mem::take(&mut written) && !tell() {
            return Ok(());
        }
        let mut waits = [PollFd::new(notices, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        match poll(&mut waits, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        if !waits[1].revents().is_empty() {
            return Ok(());
        }
        let mut reader = inotify::Reader::new(notices, &mut buffer);
        loop {
            match reader.next() {
                // Without a name it is of the log itself, or of what was missed.
                Ok(event) => {
                    let of_log = event.file_name().is_none_or(|file| file.to_bytes() == name.as_encoded_bytes());
                    written |= of_log && !event.events().contains(ReadFlags::IGNORED);
                }
                Err(rustix::io::Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn what_is_written_to_the_log_is_told_also_where_it_comes_late_or_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = log::path(folder.path());
        let (told, heard) = channel();
        let watch = watch(folder.path(), move || told.send(()).is_ok()).expect("a watch");
        let write = || {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&log).expect("the log");
            file.write_all(b"{}\n").expect("written");
            heard.recv_timeout(PATIENCE).expect("it is told");
        };
        write();
        while heard.try_recv().is_ok() {}
        write();
        std::fs::rename(&log, folder.path().join("old.log")).expect("moved aside");
        while heard.try_recv().is_ok() {}
        write();
        drop(watch);
        // The other end is gone with the thread.
        while heard.recv_timeout(PATIENCE).is_ok() {}
        assert_eq!(heard.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected));
    }

    #[test]
    fn other_files_beside_it_are_no_news() {
        let folder = tempfile::tempdir().expect("a folder");
        let (told, heard) = channel();
        let _watch = watch(folder.path(), move || told.send(()).is_ok()).expect("a watch");
        std::fs::write(folder.path().join("store.db"), "x").expect("written");
        std::fs::write(log::path(folder.path()), "x").expect("written");
        heard.recv_timeout(PATIENCE).expect("the log is told");
        assert!(watch(&folder.path().join("nowhere"), || true).is_err());
    }
}
