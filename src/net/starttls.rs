//! How TLS begins within another protocol: by a command of that protocol, up to the first byte of the handshake. Nobody logs in.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::dialog::{Dialog, DialogError, TalkError};
use super::ldap::{Ldap, LdapError};
use super::mail::{self, Mail};
use crate::base::Untrusted;

/// PostgreSQL's `SSLRequest` (protocol 3.0, message formats): length 8 and the code 1234, 5679.
const POSTGRES_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// Bytes of the first packet of a MySQL server; it has about a hundred.
const LONGEST_GREETING: usize = 1_024;
/// Capabilities of a MySQL client: protocol 4.1, TLS, the log-in of 4.1.
const MYSQL_CAPABILITIES: u32 = 0x0200 | MYSQL_TLS as u32 | 0x8000;
const MYSQL_TLS: u16 = 0x0800;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartTls {
    Mail(Mail),
    Ftp,
    Ldap,
    Postgres,
    Mysql,
}

#[derive(Debug, thiserror::Error)]
pub enum StartTlsError {
    #[error(transparent)]
    Talk(#[from] TalkError),
    #[error(transparent)]
    Ldap(#[from] LdapError),
}

impl StartTls {
    /// Every protocol, by the word that a configuration has for it.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Mail(Mail::Smtp), "smtp"),
        (Self::Mail(Mail::Imap), "imap"),
        (Self::Mail(Mail::Pop3), "pop3"),
        (Self::Ftp, "ftp"),
        (Self::Ldap, "ldap"),
        (Self::Postgres, "postgres"),
        (Self::Mysql, "mysql"),
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Mail(protocol) => protocol.name(),
            Self::Ftp => "FTP",
            Self::Ldap => "LDAP",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
        }
    }

    /// Where it usually listens.
    pub fn port(self) -> u16 {
        match self {
            Self::Mail(protocol) => protocol.ports()[0],
            Self::Ftp => 21,
            Self::Ldap => 389,
            Self::Postgres => 5_432,
            Self::Mysql => 3_306,
        }
    }

    /// Has TLS begin within `left`: the next byte is the handshake's. `own` is our name for EHLO.
    ///
    /// # Errors
    /// Which step it came to.
    pub async fn begin<S>(self, stream: S, own: &str, left: Duration) -> Result<S, StartTlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match self {
            Self::Mail(protocol) => {
                let mut dialog = Dialog::new(stream, left);
                mail::up_to_tls(&mut dialog, protocol, own).await?;
                Ok(dialog.into_stream().map_err(TalkError::from)?)
            }
            Self::Ftp => {
                let mut dialog = Dialog::new(stream, left);
                ftp(&mut dialog).await?;
                Ok(dialog.into_stream().map_err(TalkError::from)?)
            }
            Self::Ldap => Ok(Ldap::new(stream, left).start_tls().await?),
            Self::Postgres => Ok(within(left, "SSLRequest", postgres(stream)).await?),
            Self::Mysql => Ok(within(left, "greeting", mysql(stream)).await?),
        }
    }
}

/// Bounds what reads no lines.
async fn within<S>(
    left: Duration,
    step: &'static str,
    work: impl Future<Output = Result<S, TalkError>>,
) -> Result<S, TalkError> {
    let timed_out = |_| TalkError::At { step, error: DialogError::TimedOut(left) };
    tokio::time::timeout(left, work).await.map_err(timed_out)?
}

/// `AUTH TLS` (RFC 4217 §4).
async fn ftp<S: AsyncRead + AsyncWrite + Unpin>(dialog: &mut Dialog<S>) -> Result<(), TalkError> {
    let at = |step: &'static str| move |error: DialogError| TalkError::At { step, error };
    let (code, answer) = ftp_reply(dialog).await.map_err(at("greeting"))?;
    match code {
        Some(220) => {}
        Some(_) => return Err(TalkError::Refused { step: "it greets with", answer }),
        None => return Err(TalkError::Other { protocol: "FTP", said: answer }),
    }
    dialog.say("AUTH TLS").await.map_err(at("AUTH TLS"))?;
    let (code, answer) = ftp_reply(dialog).await.map_err(at("AUTH TLS"))?;
    if code == Some(234) { Ok(()) } else { Err(TalkError::Refused { step: "AUTH TLS", answer }) }
}

/// `220-one`, anything, `220 last` (RFC 959 §4.2): the code and the first line.
async fn ftp_reply<S>(dialog: &mut Dialog<S>) -> Result<(Option<u16>, Untrusted), DialogError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let first = dialog.line().await?;
    let digits = first.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit)).map(<[u8]>::to_vec);
    if let Some(digits) = digits.as_ref().filter(|_| first.get(3) == Some(&b'-')) {
        let last = [digits, &b" "[..]].concat();
        while !dialog.line().await?.starts_with(&last) {}
    }
    let code = digits.and_then(|digits| std::str::from_utf8(&digits).ok()?.parse().ok());
    Ok((code, Untrusted::new(first)))
}

/// One byte comes back: `S` to go on, `N` where there is no TLS.
async fn postgres<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> Result<S, TalkError> {
    let at = |error: std::io::Error| TalkError::At { step: "SSLRequest", error: ended(error) };
    stream.write_all(&POSTGRES_REQUEST).await.map_err(at)?;
    match stream.read_u8().await.map_err(at)? {
        b'S' => Ok(stream),
        b'N' => Err(TalkError::NotOffered("TLS")),
        other => Err(TalkError::Other { protocol: "PostgreSQL", said: Untrusted::new([other]) }),
    }
}

/// The server's first packet says whether it has TLS; a short packet of ours asks for it.
///
/// ```text
///  length:3 (LE) 00 │ 0a  version… 00  thread:4  salt:8  00  capabilities:2 (LE) …
///  20 00 00 01      │ capabilities:4 (LE)  largest packet:4 (LE)  charset:1  00 x 23
/// ```
async fn mysql<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> Result<S, TalkError> {
    let at = |error: std::io::Error| TalkError::At { step: "greeting", error: ended(error) };
    let mut head = [0u8; 4];
    stream.read_exact(&mut head).await.map_err(at)?;
    let length = usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
    let other = |said: &[u8]| TalkError::Other { protocol: "MySQL", said: Untrusted::new(said) };
    if head[3] != 0 || !(1..=LONGEST_GREETING).contains(&length) {
        return Err(other(&head));
    }
    let mut greeting = vec![0u8; length];
    stream.read_exact(&mut greeting).await.map_err(at)?;
    // An error instead: its number, and why.
    if greeting[0] == 0xff {
        let answer = Untrusted::new(greeting.get(3..).unwrap_or_default());
        return Err(TalkError::Refused { step: "it greets with", answer });
    }
    let end = greeting.iter().position(|byte| *byte == 0).filter(|_| greeting[0] == 10);
    let capabilities = end.and_then(|end| greeting.get(end + 14..end + 16)).ok_or_else(|| other(&greeting))?;
    if u16::from_le_bytes([capabilities[0], capabilities[1]]) & MYSQL_TLS == 0 {
        return Err(TalkError::NotOffered("TLS"));
    }
    let mut request = vec![32, 0, 0, 1];
    request.extend_from_slice(&MYSQL_CAPABILITIES.to_le_bytes());
    request.extend_from_slice(&(1u32 << 24).to_le_bytes());
    request.push(45);
    request.resize(4 + 32, 0);
    stream.write_all(&request).await.map_err(at)?;
    Ok(stream)
}

fn ended(error: std::io::Error) -> DialogError {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset => DialogError::Closed,
        _ => DialogError::Io(error),
    }
}
