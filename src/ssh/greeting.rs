//! What a server says before SSH begins (RFC 4253 §4.2): its version line, or why it gives none. OpenSSH says there that it has too
//! many connections, or that we are not welcome for a while.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::base::Untrusted;

/// Lines of a greeting that may come before the version line (the RFC sets no bound), and bytes of one that are kept.
const MOST_LINES: usize = 20;
pub const LONGEST_LINE: usize = 255;
/// Bytes that are kept of what a connection begins with.
const OVERHEARD: usize = 2 * LONGEST_LINE;

/// The first whole line that is one, without its end.
pub fn version_line(heard: &[u8]) -> Option<&[u8]> {
    let whole = heard.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    whole.take(MOST_LINES).map(<[u8]>::trim_ascii_end).find(|line| line.starts_with(b"SSH-"))
}

/// No version line will come any more.
pub fn is_flood(heard: &[u8]) -> bool {
    heard.len() > MOST_LINES * LONGEST_LINE || heard.split_inclusive(|byte| *byte == b'\n').count() > MOST_LINES
}

/// `it says …`: the first line, where none is the version; clean.
pub fn said_instead(heard: &[u8]) -> Option<String> {
    if version_line(heard).is_some() {
        return None;
    }
    let line = heard.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty())?;
    Some(format!("it says {}", Untrusted::bounded(line, LONGEST_LINE).line()))
}

/// What a connection began with.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    /// `why`, and what the server said in place of its version.
    pub(super) fn explain(&self, why: &str) -> String {
        let said = said_instead(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        said.map_or_else(|| why.to_owned(), |said| format!("{why}; {said}"))
    }

    fn keep(&self, bytes: &[u8]) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = OVERHEARD - heard.len();
        heard.extend(&bytes[..bytes.len().min(left)]);
    }
}

/// A stream that keeps its beginning.
pub(super) struct Overheard<S> {
    stream: S,
    heard: Heard,
}

impl<S> Overheard<S> {
    pub(super) fn new(stream: S, heard: Heard) -> Self {
        Self { stream, heard }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Overheard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.heard.keep(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Overheard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_place_of_a_version_is_shown_and_nothing_beside_one() {
        assert_eq!(
            said_instead(b"\r\nNot allowed at this time\r\n").as_deref(),
            Some("it says Not allowed at this time")
        );
        assert_eq!(said_instead(b"\x1b[31mno").as_deref(), Some(r"it says \x1b[31mno"));
        assert_eq!(said_instead(b"welcome\r\nSSH-2.0-x\r\n"), None);
        assert_eq!(said_instead(b"\r\n"), None);
    }

    #[test]
    fn only_the_beginning_is_kept() {
        let heard = Heard::default();
        for _ in 0..10 {
            heard.keep(&[b'a'; 200]);
        }
        assert_eq!(heard.0.lock().expect("no panic").len(), OVERHEARD);
    }
}
