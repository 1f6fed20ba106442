//! Echo for thousands of targets on one socket per address family: an unprivileged datagram socket where the
//! system allows it, else a raw one, else a clear word that neither is permitted and what would permit it.
//! Both are opened on first use, each by a thread of its own that then owns it (`driver`).

mod answers;
mod driver;
mod filter;
mod waiting;

use std::io;
use std::net::{IpAddr, UdpSocket};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt as nix_sockopt};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with, sockopt};
use tokio::sync::oneshot;

use self::answers::To;
pub use self::answers::{Answer, Answers, Slip};
use self::driver::{Driver, Job};
use super::line::{Line, line};
use crate::proto::icmp::{Family, Refusal};

/// What is asked of the kernel for bursts of replies; a smaller buffer is no failure.
const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;

/// What one echo came to.
#[derive(Debug, thiserror::Error)]
pub enum EchoError {
    #[error("no answer within {:.1} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// A router, or the host itself, says that the echo cannot arrive.
    #[error("{refusal}, says {by}")]
    Refused { refusal: Refusal, by: IpAddr },
    /// Neither kind of socket may be opened; the text says what would permit one.
    #[error("{0}")]
    NotPermitted(Arc<str>),
    #[error("cannot send to {address}: {source}")]
    Send { address: IpAddr, source: io::Error },
    #[error("internal error in the ICMP thread")]
    Gone,
}

/// Both families' sockets, opened on first use.
#[derive(Debug, Default)]
pub struct Pinger {
    v4: OnceLock<Result<Line<Job>, Arc<str>>>,
    v6: OnceLock<Result<Line<Job>, Arc<str>>>,
}

impl Pinger {
    /// Sends one echo of `size` bytes and waits for its reply: the round trip.
    ///
    /// # Errors
    /// No answer in time, a router's word that none can come, no permission for ICMP, or the system refuses to send
    /// (no route).
    pub async fn echo(&self, address: IpAddr, size: usize, timeout: Duration) -> Result<Duration, EchoError> {
        let line = self.line(Family::of(address)).map_err(EchoError::NotPermitted)?;
        let (done, answer) = oneshot::channel();
        let job = Job { address, size, timeout, done: To::One(done) };
        line.start(job).await.map_err(|_| EchoError::Gone)?;
        answer.await.unwrap_or(Err(EchoError::Gone))
    }

    /// As [`Pinger::echo`] for thousands at once: nobody waits, the answer is gathered where the slip says. False
    /// where none will come that way, because echoes are not permitted or too many wait to be sent: then
    /// [`Pinger::echo`] tells.
    pub fn send(&self, address: IpAddr, size: usize, timeout: Duration, slip: impl FnOnce() -> Slip) -> bool {
        let Ok(line) = self.line(Family::of(address)) else { return false };
        let Some(place) = line.place() else { return false };
        place.start(Job { address, size, timeout, done: To::Many(slip()) });
        true
    }

    /// Why IPv4 echo is not possible, with the line that would make it so; `None` where it is. Opens the socket.
    pub fn not_permitted(&self) -> Option<Arc<str>> {
        self.line(Family::V4).err()
    }

    fn line(&self, family: Family) -> Result<&Line<Job>, Arc<str>> {
        let cell = if family == Family::V4 { &self.v4 } else { &self.v6 };
        cell.get_or_init(|| open(family)).as_ref().map_err(Clone::clone)
    }
}

fn open(family: Family) -> Result<Line<Job>, Arc<str>> {
    let (domain, protocol) = match family {
        Family::V4 => (AddressFamily::INET, ipproto::ICMP),
        Family::V6 => (AddressFamily::INET6, ipproto::ICMPV6),
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (fd, raw) = match socket_with(domain, SocketType::DGRAM, flags, Some(protocol)) {
        Ok(fd) => (fd, false),
        Err(_) => match socket_with(domain, SocketType::RAW, flags, Some(protocol)) {
            Ok(fd) => (fd, true),
            Err(Errno::AFNOSUPPORT) => return Err(Arc::from("IPv6 is not available on this machine")),
            Err(error) => return Err(Arc::from(how_to_permit(error))),
        },
    };
    if sockopt::set_socket_recv_buffer_size_force(&fd, RECEIVE_BUFFER).is_err() {
        let _ = sockopt::set_socket_recv_buffer_size(&fd, RECEIVE_BUFFER);
    }
    // Without stamps a round trip counts until it is read.
    let _ = setsockopt(&fd, nix_sockopt::ReceiveTimestampns, &true);
    // A raw socket gets error messages as packets; a datagram socket has a queue for them. Without it an
    // unreachable target is one that does not answer in time: later, not wrong.
    if !raw {
        let _ = match family {
            Family::V4 => setsockopt(&fd, nix_sockopt::Ipv4RecvErr, &true),
            Family::V6 => setsockopt(&fd, nix_sockopt::Ipv6RecvErr, &true),
        };
    }
    let failed = |error: io::Error| Arc::from(format!("ICMP: {error}"));
    let (line, jobs) = line().map_err(failed)?;
    let driver = Driver::new(UdpSocket::from(fd), family, raw, jobs);
    std::thread::Builder::new().name("icmp".to_owned()).spawn(move || driver.live()).map_err(failed)?;
    Ok(line)
}

fn how_to_permit(error: Errno) -> String {
    let program = std::env::current_exe().map_or_else(|_| "noctty".to_owned(), |path| path.display().to_string());
    format!(
        "ICMP is not permitted ({error}); as root: sysctl -w net.ipv4.ping_group_range=\"0 2147483647\", \
         or setcap cap_net_raw+ep {program}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_says_what_would_give_it() {
        let why = how_to_permit(Errno::ACCESS);
        assert!(why.contains("sysctl -w net.ipv4.ping_group_range=\"0 2147483647\""), "{why}");
        assert!(why.contains("setcap cap_net_raw+ep /"), "{why}");
    }

    #[test]
    fn the_answer_about_permission_does_not_change() {
        let pinger = Pinger::default();
        assert_eq!(pinger.not_permitted(), pinger.not_permitted());
    }
}
