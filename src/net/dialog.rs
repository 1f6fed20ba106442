//! Lines there and back with a deadline, for protocols that people can read. A line, and the number of lines, are bounded
//! whatever the other side sends.

use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::base::Untrusted;

/// Bytes of a line that are kept. Longer ones exist (IMAP's capabilities), but none needs more to be understood.
const LONGEST_LINE: usize = 2_048;
/// Lines of one whole conversation.
const MOST_LINES: usize = 500;
/// Bytes of one line that are read at all.
const LARGEST_LINE: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum DialogError {
    #[error("no answer within {:.1} s", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("the server ended the connection")]
    Closed,
    #[error("the server sends without end")]
    Flood,
    #[error("the server sends more than it was asked for before TLS begins")]
    Injected,
    #[error("{0}")]
    Io(std::io::Error),
}

/// Where the conversation of a protocol ended.
#[derive(Debug, thiserror::Error)]
pub enum TalkError {
    #[error(transparent)]
    Dialog(#[from] DialogError),
    #[error("{step}: {error}")]
    At { step: &'static str, error: DialogError },
    /// What it said is shown through an encoder.
    #[error("{step}: {}", .answer.line())]
    Refused { step: &'static str, answer: Untrusted },
    #[error("no {protocol}: {}", .said.line())]
    Other { protocol: &'static str, said: Untrusted },
    #[error("it does not offer {0}")]
    NotOffered(&'static str),
}

impl TalkError {
    /// Says which step the conversation ended at.
    pub(super) fn at(self, step: &'static str) -> Self {
        match self {
            Self::Dialog(error) => Self::At { step, error },
            other => other,
        }
    }
}

#[derive(Debug)]
pub struct Dialog<S> {
    stream: S,
    buffer: Vec<u8>,
    lines: usize,
    limit: Duration,
    deadline: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Dialog<S> {
    /// The whole conversation ends within `limit`.
    pub fn new(stream: S, limit: Duration) -> Self {
        Self { stream, buffer: Vec::new(), lines: 0, limit, deadline: Instant::now() + limit }
    }

    /// The next line without its end.
    ///
    /// # Errors
    /// None came, or too much.
    pub async fn line(&mut self) -> Result<Vec<u8>, DialogError> {
        let until = self.deadline.into();
        match tokio::time::timeout_at(until, self.read_line()).await {
            Err(_) => Err(DialogError::TimedOut(self.limit)),
            Ok(line) => line,
        }
    }

    async fn read_line(&mut self) -> Result<Vec<u8>, DialogError> {
        self.lines += 1;
        if self.lines > MOST_LINES {
            return Err(DialogError::Flood);
        }
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                line.truncate(LONGEST_LINE);
                return Ok(line);
            }
            if self.buffer.len() > LARGEST_LINE {
                return Err(DialogError::Flood);
            }
            let mut chunk = [0u8; 1_024];
            match self.stream.read(&mut chunk).await {
                Ok(0) => return Err(DialogError::Closed),
                Ok(length) => self.buffer.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Err(DialogError::Closed),
                Err(error) => return Err(DialogError::Io(error)),
            }
        }
    }

    /// Sends a line.
    ///
    /// # Errors
    /// It cannot be sent in time.
    pub async fn say(&mut self, line: &str) -> Result<(), DialogError> {
        let bytes = format!("{line}\r\n");
        let sending = async {
            self.stream.write_all(bytes.as_bytes()).await?;
            self.stream.flush().await
        };
        match tokio::time::timeout_at(self.deadline.into(), sending).await {
            Err(_) => Err(DialogError::TimedOut(self.limit)),
            Ok(Err(error)) => Err(DialogError::Io(error)),
            Ok(Ok(())) => Ok(()),
        }
    }

    /// The time that is left.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The stream for TLS. What came too early would be taken for something that came under its protection.
    ///
    /// # Errors
    /// Something came too early.
    pub fn into_stream(self) -> Result<S, DialogError> {
        if self.buffer.is_empty() { Ok(self.stream) } else { Err(DialogError::Injected) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn lines_come_one_by_one_however_they_arrive() {
        let (near, mut far) = tokio::io::duplex(64);
        tokio::spawn(async move {
            for part in ["on", "e\r\ntwo\nthr", "ee\r", "\n"] {
                far.write_all(part.as_bytes()).await.expect("sent");
            }
        });
        let mut dialog = Dialog::new(near, SECOND);
        for wanted in ["one", "two", "three"] {
            assert_eq!(dialog.line().await.expect("a line"), wanted.as_bytes());
        }
        assert!(matches!(dialog.line().await, Err(DialogError::Closed)));
    }

    #[tokio::test]
    async fn floods_silence_and_early_bytes_are_errors() {
        for endless in [&b"x"[..], b"x\n"] {
            let (near, mut far) = tokio::io::duplex(4_096);
            tokio::spawn(async move { while far.write_all(endless).await.is_ok() {} });
            let mut dialog = Dialog::new(near, Duration::from_secs(30));
            let error = loop {
                match dialog.line().await {
                    Ok(_) => {}
                    Err(error) => break error,
                }
            };
            assert!(matches!(error, DialogError::Flood), "{error}");
        }
        let (near, mut far) = tokio::io::duplex(64);
        far.write_all(b"220 go\r\n250 injected\r\n").await.expect("sent");
        let mut dialog = Dialog::new(near, Duration::from_millis(50));
        dialog.line().await.expect("a line");
        assert!(matches!(dialog.into_stream(), Err(DialogError::Injected)));
        let (near, _far) = tokio::io::duplex(64);
        assert!(matches!(Dialog::new(near, Duration::from_millis(20)).line().await, Err(DialogError::TimedOut(_))));
    }
}
