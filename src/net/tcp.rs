//! TCP connects with a deadline, their failures told apart.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::race::{self, First, NoAnswer, PassedOver};

/// How long an address of a name may take before the next one is tried beside it (RFC 8305, 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Why a connect failed, in the words an operator needs.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("connection to {0} refused")]
    Refused(SocketAddr),
    #[error("no answer from {0} within {secs:.1} s", secs = .1.as_secs_f32())]
    TimedOut(SocketAddr, Duration),
    #[error("{} is unreachable: {}", .0, unreachable(.1))]
    Unreachable(SocketAddr, std::io::Error),
    #[error("connection to {0} is reset as soon as it is made")]
    Reset(SocketAddr),
    #[error("cannot connect to {0}: {1}")]
    Other(SocketAddr, std::io::Error),
    /// What came of each address of a name.
    #[error("{}", race::words(.0))]
    Each(Vec<ConnectError>),
}

impl ConnectError {
    /// Of several, where none connected.
    fn of(mut failed: Vec<Self>) -> Self {
        if failed.len() > 1 { Self::Each(failed) } else { failed.pop().unwrap_or(Self::Each(Vec::new())) }
    }

    /// Where it was tried to connect to.
    pub fn address(&self) -> String {
        match self {
            Self::Refused(to)
            | Self::TimedOut(to, _)
            | Self::Unreachable(to, _)
            | Self::Reset(to)
            | Self::Other(to, _) => to.to_string(),
            Self::Each(all) => all.iter().map(Self::address).collect::<Vec<_>>().join(" and "),
        }
    }

    /// What came of it, without the address where it is one.
    pub fn reason(&self) -> String {
        match self {
            Self::Refused(_) => "connection refused".to_owned(),
            Self::TimedOut(_, after) => format!("no answer within {:.0} s", after.as_secs_f32()),
            Self::Unreachable(_, error) => unreachable(error),
            Self::Reset(_) => "the connection is reset as soon as it is made".to_owned(),
            Self::Other(_, error) => error.to_string(),
            Self::Each(all) => race::words(all),
        }
    }
}

impl NoAnswer for ConnectError {
    fn is_no_route(&self) -> bool {
        matches!(self, Self::Unreachable(_, why) if is_no_route(why))
    }
}

/// This machine knows no way there.
pub fn is_no_route(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NetworkUnreachable
}

/// Why nothing gets there, in the words of an operator.
pub fn unreachable(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NetworkUnreachable => "this machine has no route to it".to_owned(),
        std::io::ErrorKind::HostUnreachable => "nobody has this address, or a router says so".to_owned(),
        _ => error.to_string(),
    }
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
            std::io::ErrorKind::ConnectionReset => ConnectError::Reset(to),
            std::io::ErrorKind::TimedOut => ConnectError::TimedOut(to, begun.elapsed()),
            std::io::ErrorKind::HostUnreachable | std::io::ErrorKind::NetworkUnreachable => {
                ConnectError::Unreachable(to, error)
            }
            _ => ConnectError::Other(to, error),
        }),
    }
}

/// A connection to one of several addresses.
#[derive(Debug)]
pub struct Connected {
    pub stream: TcpStream,
    /// How long it took from the moment in which this address was tried.
    pub took: Duration,
    /// Addresses that were tried before and did not answer, or not by then.
    pub passed_over: Vec<PassedOver<ConnectError>>,
}

/// Connects to the address that answers first, as [`race::first`]: one that is dead costs a quarter of a second.
///
/// # Errors
/// None of them connected: what came of each.
pub async fn connect_any(addresses: &[IpAddr], port: u16, timeout: Duration) -> Result<Connected, ConnectError> {
    let connected = race::first(addresses, ATTEMPT_DELAY, timeout, |address, left| connect(address, port, left)).await;
    let First { answer: (stream, took), passed_over, .. } = connected.map_err(ConnectError::of)?;
    Ok(Connected { stream, took, passed_over })
}

/// What the other side said.
#[derive(Debug, Default)]
pub struct Heard {
    pub bytes: Vec<u8>,
    /// Why nothing more can come, where that is so.
    pub ended: Option<&'static str>,
}

/// Hears what the other side says until that is `enough`, it ends, or time is over; with a `pause`, also when nothing more
/// came for so long after something did. What is not enough is the business of the caller, who bounds it too.
pub async fn hear(
    stream: &mut TcpStream,
    timeout: Duration,
    pause: Option<Duration>,
    enough: impl Fn(&[u8]) -> bool,
) -> Heard {
    let until = Instant::now() + timeout;
    let mut heard = Heard::default();
    let mut chunk = [0u8; 1_024];
    while heard.ended.is_none() && !enough(&heard.bytes) {
        let left = until.saturating_duration_since(Instant::now());
        let wait = pause.filter(|_| !heard.bytes.is_empty()).map_or(left, |pause| pause.min(left));
        match tokio::time::timeout(wait, stream.read(&mut chunk)).await {
            Ok(Ok(length @ 1..)) => heard.bytes.extend_from_slice(&chunk[..length]),
            Ok(Ok(_)) => heard.ended = Some("it ended the connection"),
            Ok(Err(_)) => heard.ended = Some("it reset the connection"),
            Err(_) => break,
        }
    }
    heard
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_address_that_answers_is_taken_and_the_others_are_named() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let (alive, dead) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 3]));
        let second = Duration::from_secs(1);
        let connected = connect_any(&[dead, alive], port, second).await.expect("one lives");
        assert_eq!(connected.stream.peer_addr().expect("connected").ip(), alive);
        let passed: Vec<String> = connected.passed_over.iter().map(ToString::to_string).collect();
        let words =
            format!("connection to 127.0.0.3:{port} refused; the name has another address, which answers: {alive}");
        assert_eq!(passed, [words]);
        let connected = connect_any(&[alive, dead], port, second).await.expect("one lives");
        assert!(connected.passed_over.is_empty(), "nobody else is asked");
        let error = connect_any(&[dead, IpAddr::from([127, 0, 0, 4])], port, second).await.expect_err("none lives");
        let words = format!("connection to 127.0.0.3:{port} refused; connection to 127.0.0.4:{port} refused");
        assert_eq!((error.to_string(), error.address()), (words, format!("127.0.0.3:{port} and 127.0.0.4:{port}")));
    }

    #[test]
    fn why_nothing_gets_there_is_said_without_the_numbers_of_the_system() {
        let told = |error: rustix::io::Errno| {
            ConnectError::Unreachable(SocketAddr::from(([192, 0, 2, 1], 22)), error.into()).to_string()
        };
        let words = told(rustix::io::Errno::NETUNREACH);
        assert_eq!(words, "192.0.2.1:22 is unreachable: this machine has no route to it");
        let words = told(rustix::io::Errno::HOSTUNREACH);
        assert_eq!(words, "192.0.2.1:22 is unreachable: nobody has this address, or a router says so");
    }
}
