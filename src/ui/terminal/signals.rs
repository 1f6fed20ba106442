//! The signals that a full-screen program must answer itself. All are caught from the moment the terminal is
//! opened, so none can end the process while the terminal is not as it was found.

use std::io;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// SIGWINCH.
    Resize,
    /// SIGTSTP.
    Stop,
    /// SIGCONT: somebody else may have used the terminal meanwhile.
    GoOn,
    /// SIGINT or SIGQUIT: meant for what runs in the foreground. With their number.
    Interrupt(i32),
    /// SIGTERM, SIGHUP or SIGABRT, with their number.
    End(i32),
}

#[derive(Debug)]
pub struct Signals {
    resize: Signal,
    stop: Signal,
    go_on: Signal,
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
    hangup: Signal,
    abort: Signal,
}

impl Signals {
    /// # Errors
    /// The handlers cannot be set.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            resize: signal(SignalKind::window_change())?,
            stop: signal(SignalKind::from_raw(Number::TSTP.as_raw()))?,
            go_on: signal(SignalKind::from_raw(Number::CONT.as_raw()))?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            // Sent by somebody; an abort from within leaves no time, and is for the guard.
            abort: signal(SignalKind::from_raw(Number::ABORT.as_raw()))?,
        })
    }

    /// The next one; those that end the process come first.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Asked::End(Number::TERM.as_raw()),
            _ = self.hangup.recv() => Asked::End(Number::HUP.as_raw()),
            _ = self.abort.recv() => Asked::End(Number::ABORT.as_raw()),
            _ = self.interrupt.recv() => Asked::Interrupt(Number::INT.as_raw()),
            _ = self.quit.recv() => Asked::Interrupt(Number::QUIT.as_raw()),
            _ = self.stop.recv() => Asked::Stop,
            _ = self.go_on.recv() => Asked::GoOn,
            _ = self.resize.recv() => Asked::Resize,
        }
    }
}
