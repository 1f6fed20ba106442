//! Shells and commands over a connection: bytes out in chunks, keys and sizes in, until the remote side ends.
//! A reader that is slow slows the remote side (its window fills), not this process.

use std::time::Duration;

use russh::ChannelMsg;
use tokio::sync::mpsc;

use super::connect::Connection;
use super::error::SshError;

/// No chunk of output is larger.
pub const CHUNK: usize = 16 * 1024;
const REPLY_LIMIT: Duration = Duration::from_secs(15);

/// What goes to the remote side.
#[derive(Debug)]
pub enum ShellInput {
    Bytes(Vec<u8>),
    Resize {
        columns: u16,
        rows: u16,
    },
    /// Nothing more will come; the remote side may go on.
    End,
    /// The session is to end now.
    Leave,
}

#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

/// What the remote side is told of the terminal; `name` is a terminfo name.
#[derive(Clone, Copy, Debug)]
pub struct Terminal<'a> {
    pub name: &'a str,
    pub size: Size,
}

/// Where output goes. Without `errors`, standard error joins the output.
#[derive(Debug)]
pub struct Outlets {
    pub output: mpsc::Sender<Vec<u8>>,
    pub errors: Option<mpsc::Sender<Vec<u8>>>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// As the remote side said it; `None` after a signal or a lost connection.
    pub exit_status: Option<u32>,
    /// In words.
    pub reason: String,
    /// The remote side ended it; false where the connection was lost.
    pub orderly: bool,
}

impl Connection {
    /// The user's shell, on a terminal where one is given; runs until it ends or `input` is closed.
    ///
    /// # Errors
    /// Where the remote side gives no channel, no terminal or no shell.
    pub async fn shell<I>(
        &self,
        terminal: Option<Terminal<'_>>,
        outlets: Outlets,
        input: mpsc::Receiver<I>,
    ) -> Result<Ended, SshError>
    where
        I: Into<ShellInput>,
    {
        let mut channel = self.channel().await?;
        let mut waiting = Vec::new();
        if let Some(Terminal { name, size }) = terminal {
            let (columns, rows) = (u32::from(size.columns), u32::from(size.rows));
            let asked = channel.request_pty(true, name, columns, rows, 0, 0, &[]).await;
            waiting = self.granted(&mut channel, "terminal", asked).await?;
        }
        let asked = channel.request_shell(true).await;
        waiting.extend(self.granted(&mut channel, "shell", asked).await?);
        self.pump(channel, waiting, outlets, input).await
    }

    /// A command without a terminal; the remote side's shell reads it.
    ///
    /// # Errors
    /// Where the remote side gives no channel or does not run commands.
    pub async fn exec<I>(&self, command: &str, outlets: Outlets, input: mpsc::Receiver<I>) -> Result<Ended, SshError>
    where
        I: Into<ShellInput>,
    {
        let mut channel = self.channel().await?;
        let asked = channel.exec(true, command).await;
        let waiting = self.granted(&mut channel, "command", asked).await?;
        self.pump(channel, waiting, outlets, input).await
    }

    /// Waits for the answer to a request; output that comes before it is kept.
    async fn granted(
        &self,
        channel: &mut russh::Channel<russh::client::Msg>,
        what: &'static str,
        asked: Result<(), russh::Error>,
    ) -> Result<Vec<ChannelMsg>, SshError> {
        let failed = |reason: &str| SshError::Channel { hop: self.hop.clone(), what, reason: reason.to_owned() };
        if let Err(error) = asked {
            return Err(failed(&crate::base::text::clean(&error.to_string())));
        }
        let mut early = Vec::new();
        let answer = tokio::time::timeout(REPLY_LIMIT, async {
            while let Some(message) = channel.wait().await {
                match message {
                    ChannelMsg::Success => return Some(true),
                    ChannelMsg::Failure => return Some(false),
                    other => early.push(other),
                }
                if early.len() > 64 {
                    break;
                }
            }
            None
        });
        match answer.await {
            Ok(Some(true)) => Ok(early),
            Ok(Some(false)) => Err(failed("the server refuses")),
            Ok(None) => Err(failed(&self.ending().unwrap_or_else(|| "the channel was closed".to_owned()))),
            Err(_) => Err(failed("no answer")),
        }
    }

    async fn pump<I: Into<ShellInput>>(
        &self,
        channel: russh::Channel<russh::client::Msg>,
        waiting: Vec<ChannelMsg>,
        outlets: Outlets,
        mut input: mpsc::Receiver<I>,
    ) -> Result<Ended, SshError> {
        let (mut reads, writes) = channel.split();
        let mut seen = Seen::default();
        let reading = async {
            for message in waiting {
                seen.take(message, &outlets).await;
            }
            while !seen.closed {
                let Some(message) = reads.wait().await else { break };
                seen.take(message, &outlets).await;
            }
        };
        let writing = async {
            while let Some(item) = input.recv().await {
                let sent = match item.into() {
                    ShellInput::Bytes(bytes) => writes.data_bytes(bytes).await,
                    ShellInput::Resize { columns, rows } => {
                        writes.window_change(u32::from(columns), u32::from(rows), 0, 0).await
                    }
                    ShellInput::Leave => break,
                    ShellInput::End => {
                        let ended = writes.eof().await;
                        // What comes after the end cannot be sent; the remote side ends the channel.
                        std::future::pending::<()>().await;
                        ended
                    }
                };
                if sent.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let left = tokio::select! {
            biased;
            () = reading => false,
            () = writing => true,
        };
        if left {
            // Nobody listens any more: say so to the remote side and go.
            let _ = writes.close().await;
            return Ok(Ended { exit_status: None, reason: "closed here".to_owned(), orderly: true });
        }
        Ok(seen.ended(self))
    }
}

/// What the remote side has said of the end.
#[derive(Debug, Default)]
struct Seen {
    exit_status: Option<u32>,
    signal: Option<String>,
    closed: bool,
}

impl Seen {
    async fn take(&mut self, message: ChannelMsg, outlets: &Outlets) {
        match message {
            ChannelMsg::Data { data } => deliver(&outlets.output, &data).await,
            ChannelMsg::ExtendedData { data, .. } => {
                deliver(outlets.errors.as_ref().unwrap_or(&outlets.output), &data).await;
            }
            ChannelMsg::ExitStatus { exit_status } => self.exit_status = Some(exit_status),
            ChannelMsg::ExitSignal { signal_name, .. } => self.signal = Some(format!("{signal_name:?}")),
            ChannelMsg::Close => self.closed = true,
            _ => {}
        }
    }

    fn ended(self, connection: &Connection) -> Ended {
        let orderly = self.closed || self.exit_status.is_some();
        let reason = match (self.exit_status, self.signal) {
            (Some(0), _) => "ended".to_owned(),
            (Some(status), _) => format!("ended with exit status {status}"),
            (None, Some(signal)) => format!("ended by signal {}", crate::base::text::clean(&signal)),
            (None, None) if self.closed => "the remote side closed the session".to_owned(),
            (None, None) => connection.ending().unwrap_or_else(|| format!("{}: connection lost", connection.hop)),
        };
        Ended { exit_status: self.exit_status, reason, orderly }
    }
}

async fn deliver(to: &mpsc::Sender<Vec<u8>>, bytes: &[u8]) {
    for chunk in bytes.chunks(CHUNK) {
        if to.send(chunk.to_vec()).await.is_err() {
            return;
        }
    }
}
