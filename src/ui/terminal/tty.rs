//! The terminal itself: opened on its own (so that non-blocking mode stays ours), put into raw mode, and put back
//! whatever happens: quit, panic, a signal, a stop; what it cannot answer itself, [`guard`] does. Reads end with an error when it hangs up; nothing here spins.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Mutex, PoisonError};

use rustix::fs::OFlags;
use rustix::process::getpgrp;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr};
use tokio::net::unix::pipe;

use super::guard;
use super::stray::Diversion;

/// Alternate screen, no cursor, bracketed paste, no wrapping at the right edge, and no reordering of lines in which there is text
/// that runs from right to left (BDSM, ECMA-48 7.2.1: explicit): columns would change places.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?7l\x1b[8l\x1b[2J";
/// What a program that had the terminal meanwhile may have left behind and would spoil the picture or the keys:
/// margins, origin and insert mode, letters for lines, mouse and focus reports, application keys.
const TIDY: &[u8] =
    b"\x1b[r\x1b[?6l\x1b[4l\x1b(B\x0f\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?1l\x1b>";
/// All of it back; the end of a synchronised update first, should one be open.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[m\x1b[?1000l\x1b[?1006l\x1b[?2004l\x1b[8h\x1b[?7h\x1b[?25h\x1b[?1049l";

/// Presses, releases and the wheel are reported, in decimal digits (xterm: modes 1000 and 1006), or not.
pub const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
pub const MOUSE_OFF: &[u8] = b"\x1b[?1000l\x1b[?1006l";

/// What has to be put back, for whoever comes first: a guard, a panic, a signal.
static TAKEN: Mutex<Option<Taken>> = Mutex::new(None);

#[derive(Debug)]
struct Taken {
    file: File,
    before: Termios,
    /// Standard error, while it may not reach the screen.
    stray: Option<Diversion>,
}

/// The terminal while it is ours. Dropping it gives it back.
#[derive(Debug)]
pub struct Tty {
    file: File,
    reader: pipe::Receiver,
    writer: pipe::Sender,
}

impl Tty {
    /// Opens the controlling terminal and takes it over.
    ///
    /// # Errors
    /// There is none, or it cannot be set to raw mode.
    pub fn open() -> io::Result<Self> {
        let path = [rustix::stdio::stdout(), rustix::stdio::stdin()]
            .into_iter()
            .find_map(|fd| rustix::termios::ttyname(fd, Vec::new()).ok())
            .and_then(|name| name.into_string().ok())
            .unwrap_or_else(|| "/dev/tty".to_owned());
        // The name cannot be opened after `su` to another user; the controlling terminal still can.
        let file = open(&path).or_else(|_| open("/dev/tty")).map_err(|error| elsewhere(&path, error))?;
        tcgetattr(&file)?;
        // The runtime's pipes serve any descriptor that can be polled.
        let reader = pipe::Receiver::from_file_unchecked(file.try_clone()?)?;
        let writer = pipe::Sender::from_file_unchecked(file.try_clone()?)?;
        let tty = Self { file, reader, writer };
        tty.take()?;
        Ok(tty)
    }

    /// Raw mode and the alternate screen.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn take(&self) -> io::Result<()> {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        // Where it was not given back (stopped by SIGSTOP), what was found first is what is to be restored.
        let (before, stray) = match taken.take() {
            Some(earlier) => (earlier.before, earlier.stray),
            None => (tcgetattr(&self.file)?, None),
        };
        let mut raw = before.clone();
        raw.make_raw();
        *taken = Some(Taken { file: self.file.try_clone()?, before, stray: stray.or_else(Diversion::begin) });
        tcsetattr(&self.file, OptionalActions::Now, &raw)?;
        if let Some(taken) = &*taken {
            guard::taken(&self.file, &taken.before);
        }
        drop(taken);
        // At this point the terminal's buffer is empty, or the pacer's first chunk will clear the screen anyway.
        let _ = (&self.file).write(ENTER);
        Ok(())
    }

    /// Takes it again after others have used it.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn take_again(&self) -> io::Result<()> {
        self.take()?;
        // As in `take`: what it does not take now, a first picture will overwrite.
        let _ = (&self.file).write(TIDY);
        Ok(())
    }

    /// Gives the terminal back for a while.
    pub fn release(&self) {
        restore();
    }

    /// Whether the terminal is this job's at the moment; also where it does not say.
    pub fn is_in_foreground(&self) -> bool {
        tcgetpgrp(&self.file).map_or(true, |group| group == getpgrp())
    }

    /// Columns and rows; (0, 0) where the terminal does not know.
    pub fn size(&self) -> (u16, u16) {
        tcgetwinsize(&self.file).map_or((0, 0), |size| (size.ws_col, size.ws_row))
    }

    /// Reads what is there. An error, or 0 bytes, means that the terminal is gone.
    ///
    /// # Errors
    /// The terminal is gone.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.reader.readable().await?;
            match self.reader.try_read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                other => return other,
            }
        }
    }

    /// Writes what the terminal takes now; 0 where it takes nothing.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.writer.try_write(bytes) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
            other => other,
        }
    }

    /// Writes at once a few bytes that need no order with others; without the runtime, which knows nothing of the terminal yet
    /// when it has just been opened.
    ///
    /// # Errors
    /// It takes nothing now, or is gone.
    pub fn write_directly(&self, bytes: &[u8]) -> io::Result<usize> {
        (&self.file).write(bytes)
    }

    /// Waits until it takes something again.
    ///
    /// # Errors
    /// The terminal is gone.
    pub async fn writable(&self) -> io::Result<()> {
        self.writer.writable().await
    }
}

/// Opens a terminal on its own, so that waiting for it stays ours to decide.
pub(super) fn open(path: &str) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let flags = i32::try_from(flags).unwrap_or(0);
    OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)
}

/// A terminal that stands on our descriptors, but neither may be opened by its name nor is ours to control.
fn elsewhere(path: &str, error: io::Error) -> io::Error {
    if path == "/dev/tty" {
        return error;
    }
    io::Error::other(format!(
        "{path} is of another user and another session, as it is under su --command; su --pty --command, or sudo, gives a \
         terminal of one's own"
    ))
}

impl Drop for Tty {
    fn drop(&mut self) {
        restore();
    }
}

/// Puts the terminal back as it was found. May be called from anywhere, any number of times.
pub fn restore() {
    let Some(taken) = TAKEN.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    write_leave(&taken.file);
    let _ = tcsetattr(&taken.file, OptionalActions::Now, &taken.before);
    guard::released();
    // From here on what is said is read again.
    drop(taken.stray);
}

/// Puts back the modes of the emulator. A terminal that is stopped or gone must not hold up the end: what it does not
/// take now is given up after a while; false then.
pub(super) fn write_leave(mut file: &File) -> bool {
    let mut rest = LEAVE;
    for _ in 0..50 {
        match file.write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            Err(_) => return false,
        }
        if rest.is_empty() {
            return true;
        }
    }
    false
}

/// Whether the terminal is ours at the moment.
pub fn is_taken() -> bool {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}
