//! A second process that gives the terminal back when this one cannot: killed, aborted, out of memory. It is this
//! program again (`noctty guard-terminal`), waits at a pipe and does nothing; when the pipe ends while the terminal
//! is taken, it puts back what was found. It sits in a session of its own, so that no key and no hang-up ends it first.
//!
//! ```text
//! console ── "taken MODES" · "released" ──► guard ── end of file while taken ──► terminal
//! ```

use std::fs::File;
use std::io::{BufRead as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, getpgrp, setpgid, setsid};
use rustix::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios, tcgetattr,
    tcsetattr, ttyname,
};

use super::tty;

/// The subcommand that the program runs [`keep`] for.
pub const SUBCOMMAND: &str = "guard-terminal";

static POST: Mutex<Post> = Mutex::new(Post { program: None, pipe: None, told: None });

#[derive(Debug)]
struct Post {
    program: Option<PathBuf>,
    pipe: Option<ChildStdin>,
    /// The last line that the guard has to know.
    told: Option<String>,
}

impl Post {
    fn tell(&mut self, line: String) {
        if let Some(pipe) = &mut self.pipe {
            // A guard that has been killed is no reason to stop.
            let _ = pipe.write_all(line.as_bytes());
        }
        self.told = Some(line);
    }
}

/// Has the terminal guarded from now on, by this program.
pub fn station(program: PathBuf) {
    POST.lock().unwrap_or_else(PoisonError::into_inner).program = Some(program);
}

/// The terminal has been taken; `before` is what is to be put back.
pub(super) fn taken(tty: &File, before: &Termios) {
    let mut post = POST.lock().unwrap_or_else(PoisonError::into_inner);
    post.tell(Modes::of(before).line());
    if post.pipe.is_none()
        && let Some(program) = post.program.take()
        && let Ok(tty) = tty.try_clone()
    {
        drop(post);
        // Nothing on the way to the first frame waits for it. Whoever gives the terminal back meanwhile does wait, so that there
        // is no moment at which the guard lives and cannot be told.
        let start = move || {
            let mut post = POST.lock().unwrap_or_else(PoisonError::into_inner);
            let told = post.told.clone().unwrap_or_default();
            match start(program, &told, tty) {
                Ok(pipe) => post.pipe = Some(pipe),
                Err(error) => tracing::warn!(%error, "the terminal is not guarded"),
            }
        };
        if let Err(error) = std::thread::Builder::new().name("guard".to_owned()).spawn(start) {
            tracing::warn!(%error, "the terminal is not guarded");
        }
    }
}

/// It has been given back.
pub(super) fn released() {
    POST.lock().unwrap_or_else(PoisonError::into_inner).tell("released\n".to_owned());
}

fn start(program: PathBuf, told: &str, tty: File) -> std::io::Result<ChildStdin> {
    let name = ttyname(&tty, Vec::new()).ok().and_then(|name| name.into_string().ok());
    let mut command = Command::new(program);
    let group = getpgrp().as_raw_nonzero().to_string();
    command
        .args([SUBCOMMAND, told.trim_end(), &group])
        .args(name)
        .stdin(Stdio::piped())
        .stdout(tty)
        .stderr(Stdio::null());
    // Where the console leads the session, its end hangs up on its whole group.
    command.process_group(0);
    command.spawn()?.stdin.ok_or_else(|| std::io::Error::other("no pipe"))
}

/// The guard's whole life: standard input is the pipe, standard output the terminal, `name` its name; `told` is the first
/// line, `group` the console's process group.
///
/// # Errors
/// There is no standard output.
pub fn keep(told: &str, group: i32, name: Option<&str>) -> std::io::Result<()> {
    // A session of its own is not for the leader of a group, so it goes back to the console's for a moment. Where that is
    // gone already, there is nothing left to be hidden from.
    if let Some(group) = Pid::from_raw(group) {
        let _ = setpgid(None, Some(group));
        let _ = setsid();
    }
    let tty = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    let mut taken = Modes::read(told);
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        taken = Modes::read(&line);
    }
    if let Some(before) = taken
        && !before.put_back(&tty)
        // Where the console led the session, its end has hung up on everybody who had the terminal open.
        && let Some(name) = name
        && let Ok(tty) = tty::open(name)
    {
        before.put_back(&tty);
    }
    Ok(())
}

/// What raw mode changes of a terminal's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Modes {
    input: u32,
    output: u32,
    control: u32,
    local: u32,
    least: u32,
    wait: u32,
}

impl Modes {
    fn of(termios: &Termios) -> Self {
        Self {
            input: termios.input_modes.bits(),
            output: termios.output_modes.bits(),
            control: termios.control_modes.bits(),
            local: termios.local_modes.bits(),
            least: termios.special_codes[SpecialCodeIndex::VMIN].into(),
            wait: termios.special_codes[SpecialCodeIndex::VTIME].into(),
        }
    }

    fn line(self) -> String {
        let Self { input, output, control, local, least, wait } = self;
        format!("taken {input} {output} {control} {local} {least} {wait}\n")
    }

    fn read(line: &str) -> Option<Self> {
        let mut numbers = line.strip_prefix("taken ")?.split(' ').map(|n| n.parse::<u32>().ok());
        let mut next = || numbers.next().flatten();
        Some(Self { input: next()?, output: next()?, control: next()?, local: next()?, least: next()?, wait: next()? })
    }

    /// False where the terminal is hung up.
    fn put_back(self, tty: &File) -> bool {
        let now = tcgetattr(tty);
        let written = tty::write_leave(tty);
        let Ok(mut termios) = now else { return false };
        // A shell that was faster has set it as it wants it: only raw mode leaves no key for signals.
        if termios.local_modes.contains(LocalModes::ISIG) {
            return written;
        }
        termios.input_modes = InputModes::from_bits_retain(self.input);
        termios.output_modes = OutputModes::from_bits_retain(self.output);
        termios.control_modes = ControlModes::from_bits_retain(self.control);
        termios.local_modes = LocalModes::from_bits_retain(self.local);
        termios.special_codes[SpecialCodeIndex::VMIN] = self.least as u8;
        termios.special_codes[SpecialCodeIndex::VTIME] = self.wait as u8;
        tcsetattr(tty, OptionalActions::Now, &termios).is_ok() && written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_guard_is_told_is_what_it_reads() {
        let modes = Modes { input: 0o2402, output: 5, control: 0o277, local: 0o105_073, least: 1, wait: 0 };
        assert_eq!(Modes::read(modes.line().trim_end()), Some(modes));
        for line in ["released", "", "taken 1 2 3", "taken 1 2 3 4 5 x"] {
            assert_eq!(Modes::read(line), None, "{line}");
        }
    }
}
