//! TCP connects with a deadline, their failures told apart.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Why a connect failed, in the words an operator needs.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("connection to {0} refused")]
    Refused(SocketAddr),
    #[error("no answer from {0} within {secs:.1} s", secs = .1.as_secs_f32())]
    TimedOut(SocketAddr, Duration),
    #[error("{0} is unreachable: {1}")]
    Unreachable(SocketAddr, std::io::Error),
    #[error("cannot connect to {0}: {1}")]
    Other(SocketAddr, std::io::Error),
}

/// Connects, and tells how long it took.
///
/// # Errors
/// Refused, timed out, unreachable, or what the system said.
pub async fn connect(address: IpAddr, port: u16, timeout: Duration) -> Result<(TcpStream, Duration), ConnectError> {
    let to = SocketAddr::new(address, port);
    let begun = Instant::now();
    match tokio::time::timeout(timeout, TcpStream::connect(to)).await {
        Err(_) => Err(ConnectError::TimedOut(to, timeout)),
        Ok(Ok(stream)) => Ok((stream, begun.elapsed())),
        Ok(Err(error)) => Err(match error.kind() {
            std::io::ErrorKind::ConnectionRefused => ConnectError::Refused(to),
            std::io::ErrorKind::TimedOut => ConnectError::TimedOut(to, begun.elapsed()),
            std::io::ErrorKind::HostUnreachable | std::io::ErrorKind::NetworkUnreachable => {
                ConnectError::Unreachable(to, error)
            }
            _ => ConnectError::Other(to, error),
        }),
    }
}

/// Reads up to the first line that `wanted` accepts, at most `lines` lines of 255 bytes each.
pub async fn read_line(
    stream: &mut TcpStream,
    timeout: Duration,
    lines: usize,
    wanted: impl Fn(&[u8]) -> bool,
) -> Option<Vec<u8>> {
    let reading = async {
        let mut line: Vec<u8> = Vec::new();
        let mut seen = 0;
        let mut chunk = [0u8; 512];
        loop {
            let length = stream.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
            for byte in &chunk[..length] {
                if *byte != b'\n' {
                    if line.len() < 255 {
                        line.push(*byte);
                    }
                    continue;
                }
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                if wanted(&line) {
                    return Some(line);
                }
                seen += 1;
                if seen >= lines {
                    return None;
                }
                line.clear();
            }
        }
    };
    tokio::time::timeout(timeout, reading).await.ok().flatten()
}

/// Says that nothing more comes and takes what is still on the way, so that the other side sees an orderly end and
/// no reset. Waits for its end only briefly.
pub async fn close(mut stream: TcpStream) {
    let parting = async {
        let mut chunk = [0u8; 512];
        let mut left = 16 * 1024_usize;
        if stream.shutdown().await.is_ok() {
            while let Ok(length @ 1..) = stream.read(&mut chunk).await {
                left = left.saturating_sub(length);
                if left == 0 {
                    break;
                }
            }
        }
    };
    // Too slow or too talkative: then it is cut off after all.
    let _ = tokio::time::timeout(Duration::from_millis(250), parting).await;
}
