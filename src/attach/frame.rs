//! Messages on a byte stream: a length of four octets, big endian, and so many octets. A length above the receiver's limit
//! ends the connection before anything is set aside for it.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// From an engine: snapshots come in parts of about a megabyte.
pub const FROM_ENGINE: usize = 64 * 1024 * 1024;
/// From a console: one note at most.
pub const FROM_CONSOLE: usize = 256 * 1024;
/// Set aside at once; more comes with the bytes.
const AT_ONCE: usize = 64 * 1024;

/// Reads one message into `into`; false where the stream has ended between two of them.
///
/// # Errors
/// What the system said; a stream that ends within a message, or a message above `limit`.
pub async fn read(from: &mut (impl AsyncRead + Unpin), limit: usize, into: &mut Vec<u8>) -> io::Result<bool> {
    let mut head = [0; 4];
    if from.read(&mut head[..1]).await? == 0 {
        return Ok(false);
    }
    from.read_exact(&mut head[1..]).await?;
    let length = u32::from_be_bytes(head) as usize;
    if length > limit {
        let words = format!("a message of {length} bytes is announced, {limit} are allowed");
        return Err(io::Error::new(io::ErrorKind::InvalidData, words));
    }
    into.clear();
    into.reserve(length.min(AT_ONCE));
    let got = from.take(length as u64).read_to_end(into).await?;
    if got < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(true)
}

/// Room for the length, in front of a message that is about to be made.
pub fn begin(into: &mut Vec<u8>) {
    into.clear();
    into.extend([0; 4]);
}

/// What was put behind [`begin`].
pub fn body(message: &[u8]) -> &[u8] {
    message.get(4..).unwrap_or_default()
}

/// Fills in the length; the bytes can be written then.
pub fn end(message: &mut [u8]) {
    let length = u32::try_from(message.len() - 4).unwrap_or(u32::MAX);
    message[..4].copy_from_slice(&length.to_be_bytes());
}

/// Writes what [`begin`] and [`end`] stand around.
///
/// # Errors
/// What the system said.
pub async fn write(to: &mut (impl AsyncWrite + Unpin), message: &[u8]) -> io::Result<()> {
    to.write_all(message).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_come_as_they_were_sent_and_one_too_long_or_cut_short_is_an_error() {
        let (mut here, mut there) = tokio::io::duplex(16);
        let sender = tokio::spawn(async move {
            for text in [&b"one"[..], b"", &[7; 1000]] {
                let mut message = Vec::new();
                begin(&mut message);
                message.extend(text);
                end(&mut message);
                write(&mut here, &message).await.expect("written");
            }
            here.write_all(&[0, 0, 4, 0, 1]).await.expect("written");
        });
        let mut got = Vec::new();
        for want in [&b"one"[..], b"", &[7; 1000]] {
            assert!(read(&mut there, 1000, &mut got).await.expect("read"));
            assert_eq!(got, want);
        }
        let error = read(&mut there, 1000, &mut got).await.expect_err("1024 bytes");
        assert_eq!(error.to_string(), "a message of 1024 bytes is announced, 1000 are allowed");
        sender.await.expect("it ends");
        let mut cut = &[0, 0, 0, 9, 1, 2][..];
        assert_eq!(read(&mut cut, 1000, &mut got).await.expect_err("cut").kind(), io::ErrorKind::UnexpectedEof);
        assert!(!read(&mut &[][..], 1000, &mut got).await.expect("an end"));
    }
}
