//! One command over a connection that is kept: a channel of its own, a line of input, all of its output or as much as may be, and
//! an end in time. What hangs or floods is ended there and costs its own channel only.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use russh::{ChannelMsg, Sig};
use tokio::time::Instant;

use super::connect::Connection;
use super::error::SshError;

/// What a command says beside its output that is kept.
const ERRORS: usize = 4 * 1024;
/// Arrivals that are told apart.
const ARRIVALS: usize = 64;

/// So long after no channel was to be had the next one is asked for.
const AGAIN: Duration = Duration::from_millis(200);

/// A command is counted as long as it runs.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn begin(commands: &'a AtomicUsize) -> Self {
        commands.fetch_add(1, Ordering::SeqCst);
        Self(commands)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What a command may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub time: Duration,
    /// Bytes of output; who writes more is ended.
    pub output: usize,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with its exit status; `None` where it was ended by a signal.
    Ended(Option<u32>),
    TimedOut,
    Flooded,
    /// The connection went away, and why.
    Lost(String),
}

#[derive(Debug)]
pub struct Ran {
    pub output: Vec<u8>,
    pub errors: Vec<u8>,
    pub end: End,
    /// When the input was sent.
    pub asked: Instant,
    /// How much output there was how long after that; of many, the last one moves on.
    came: Vec<(usize, Duration)>,
}

impl Ran {
    /// How long after the input so many bytes of output had come, or a little longer.
    pub fn came_by(&self, length: usize) -> Option<Duration> {
        self.came.iter().find(|(came, _)| *came >= length).map(|(_, after)| *after)
    }

    fn nothing(end: End) -> Self {
        Self { output: Vec::new(), errors: Vec::new(), end, asked: Instant::now(), came: Vec::new() }
    }
}

impl Connection {
    /// Runs a command with `input` on its standard input. Its own end is no error, whatever it is.
    ///
    /// # Errors
    /// No channel, or the server runs no commands.
    pub async fn once(&self, command: &str, input: Vec<u8>, bounds: Bounds) -> Result<Ran, SshError> {
        let deadline = Instant::now() + bounds.time;
        let _under_way = UnderWay::begin(&self.commands);
        let mut channel = loop {
            let among_others = self.commands.load(Ordering::SeqCst) > 1;
            match tokio::time::timeout_at(deadline, self.channel()).await {
                Ok(Ok(channel)) => break channel,
                // A server that allows few sessions (MaxSessions) has one again when another command is done.
                Ok(Err(_)) if among_others && !self.is_lost() && Instant::now() + AGAIN < deadline => {
                    tokio::time::sleep(AGAIN).await;
                }
                Ok(Err(error)) => return Err(error),
                Err(_) => return Ok(Ran::nothing(End::TimedOut)),
            }
        };
        let failed = |reason: String| SshError::Channel { hop: self.hop.clone(), what: "command", reason };
        let sent = async {
            channel.exec(true, command).await?;
            if !input.is_empty() {
                channel.data_bytes(input).await?;
            }
            channel.eof().await
        };
        let asked = Instant::now();
        if let Err(error) = sent.await {
            return Err(failed(crate::base::text::clean(&error.to_string())));
        }
        let mut ran = Ran { asked, ..Ran::nothing(End::Ended(None)) };
        let mut status = None;
        let mut ended = false;
        ran.end = loop {
            let Ok(message) = tokio::time::timeout_at(deadline, channel.wait()).await else { break End::TimedOut };
            match message {
                Some(ChannelMsg::Data { data }) => {
                    let room = bounds.output.saturating_sub(ran.output.len());
                    ran.output.extend_from_slice(&data[..data.len().min(room)]);
                    ran.came.truncate(ARRIVALS - 1);
                    ran.came.push((ran.output.len(), asked.elapsed()));
                    if data.len() > room {
                        break End::Flooded;
                    }
                }
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    let room = ERRORS.saturating_sub(ran.errors.len());
                    ran.errors.extend_from_slice(&data[..data.len().min(room)]);
                }
                Some(ChannelMsg::Failure) => return Err(failed("the server refuses".to_owned())),
                Some(ChannelMsg::ExitStatus { exit_status }) => (status, ended) = (Some(exit_status), true),
                Some(ChannelMsg::ExitSignal { .. }) => ended = true,
                Some(ChannelMsg::Close) => break End::Ended(status),
                Some(_) => {}
                // The channel ends without a word when the connection does.
                None if ended => break End::Ended(status),
                None => break End::Lost(self.ending().unwrap_or_else(|| format!("{}: connection lost", self.hop))),
            }
        };
        if matches!(ran.end, End::TimedOut | End::Flooded) {
            // What only closing the channel would leave running is ended too, where the server passes signals on.
            let _ = channel.signal(Sig::KILL).await;
            let _ = channel.close().await;
        }
        Ok(ran)
    }
}
