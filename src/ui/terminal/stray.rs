//! Standard error while the screen is ours. What a library prints there would garble the picture, so it goes to the
//! log instead; when the terminal is given back, standard error is what it was. Where it does not lead to a terminal it
//! is left alone.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::fd::OwnedFd;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::stdio::{dup2_stderr, stderr};
use rustix::termios::isatty;

/// The longest line that is taken in one piece.
const LINE: u64 = 4096;

/// Standard error as it was; put back when this is dropped.
#[derive(Debug)]
pub struct Diversion {
    before: OwnedFd,
}

impl Diversion {
    /// `None` where there is nothing to divert, or no way to.
    pub fn begin() -> Option<Self> {
        if !isatty(stderr()) {
            return None;
        }
        let before = fcntl_dupfd_cloexec(stderr(), 3).ok()?;
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).ok()?;
        // The reader ends when the last writer is gone: when standard error is put back.
        std::thread::Builder::new().name("stray".to_owned()).spawn(move || log(reader)).ok()?;
        dup2_stderr(&writer).ok()?;
        Some(Self { before })
    }
}

impl Drop for Diversion {
    fn drop(&mut self) {
        // Where even that fails, there is nobody left to tell.
        let _ = dup2_stderr(&self.before);
    }
}

fn log(reader: OwnedFd) {
    let mut reader = BufReader::new(File::from(reader));
    let mut line = Vec::new();
    loop {
        line.clear();
        match std::io::Read::take(&mut reader, LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => tracing::warn!(text = %String::from_utf8_lossy(line.trim_ascii()), "on standard error"),
        }
    }
}
