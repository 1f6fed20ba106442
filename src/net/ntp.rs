//! One question to one NTP server over a socket of its own, with the times of its two ends taken by our clock.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use tokio::net::UdpSocket;

use super::race::NoAnswer;
use super::tcp::{is_no_route, unreachable};
use crate::proto::ntp::{self, Answer, Comparison, NtpError, NtpTime};

#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("no answer from {server} within {:.1} s{}", .within.as_secs_f32(), instead(*.odd))]
    TimedOut { server: SocketAddr, within: Duration, odd: Option<NtpError> },
    #[error("{server}: nothing listens on this port")]
    Refused { server: SocketAddr },
    #[error("{server}: {}", unreachable(.source))]
    Io { server: SocketAddr, source: std::io::Error },
}

impl NoAnswer for AskError {
    fn is_no_route(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_no_route(source))
    }
}

/// What came in place of an answer.
fn instead(odd: Option<NtpError>) -> String {
    odd.map(|odd| format!("; what came is none: {odd}")).unwrap_or_default()
}

/// Asks once. Packets that are no answer to this question are passed over.
///
/// # Errors
/// None came.
pub async fn ask(server: SocketAddr, timeout: Duration) -> Result<(Answer, Comparison), AskError> {
    let mut odd = None;
    match tokio::time::timeout(timeout, exchange(server, &mut odd)).await {
        Err(_) => Err(AskError::TimedOut { server, within: timeout, odd }),
        Ok(Err(source)) if source.kind() == std::io::ErrorKind::ConnectionRefused => Err(AskError::Refused { server }),
        Ok(Err(source)) => Err(AskError::Io { server, source }),
        Ok(Ok(found)) => Ok(found),
    }
}

async fn exchange(server: SocketAddr, odd: &mut Option<NtpError>) -> std::io::Result<(Answer, Comparison)> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    // Connected: the kernel drops what comes from anybody else, and tells of a closed port.
    socket.connect(server).await?;
    let mut cookie = [0u8; 8];
    // The kernel's generator does not fail after boot; the connected socket's port guards the answer as well.
    let _ = rustix::rand::getrandom(&mut cookie, rustix::rand::GetRandomFlags::empty());
    let cookie = u64::from_be_bytes(cookie);
    let (sent, begun) = (SystemTime::now(), Instant::now());
    socket.send(&ntp::question(cookie)).await?;
    let mut buffer = [0u8; 512];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let took = begun.elapsed();
        let answer = match ntp::answer(&buffer[..length], cookie) {
            Ok(answer) => answer,
            Err(error) => {
                *odd = Some(error);
                continue;
            }
        };
        let sent = sent.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let comparison = answer.compare(NtpTime::from_unix(sent), NtpTime::from_unix(sent + took));
        return Ok((answer, comparison));
    }
}
