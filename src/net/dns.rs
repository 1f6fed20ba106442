//! One question to one name server, without cache, search list or hosts file. The names that a resolver library
//! would answer by itself (`localhost`, the reverse of 127/8: RFC 6761) are asked like any other: what is
//! wanted here is the server's own answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::tcp;

/// The answers of a server, as text in the form of zone files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub records: Vec<String>,
    /// The server answers for the zone itself (AA).
    pub authoritative: bool,
    /// The server has validated the answer (AD, RFC 4035 §3.2.3).
    pub authentic: bool,
    /// Of the first SOA record among the answers.
    pub serial: Option<u32>,
    pub took: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error("\"{0}\" is no domain name")]
    BadName(String),
    #[error("unknown record type \"{0}\"")]
    BadType(String),
    /// The server answered, with an error (RFC 1035 §4.1.1).
    #[error("{server} answers {code} for {name}")]
    Code { server: SocketAddr, name: String, code: &'static str },
    #[error("{server} has no {kind} record for {name}")]
    NoRecords { server: SocketAddr, name: String, kind: String },
    #[error("no answer from {server} within {:.1} s", .within.as_secs_f32())]
    TimedOut { server: SocketAddr, within: Duration },
    #[error("{server}: {reason}")]
    Failed { server: SocketAddr, reason: String },
}

/// Checks a name and a record type before anything is asked.
///
/// # Errors
/// Which of the two is no such thing.
pub fn check_question(name: &str, kind: &str) -> Result<(), QueryError> {
    parse_question(name, kind).map(|_| ())
}

fn parse_question(name: &str, kind: &str) -> Result<(Name, RecordType), QueryError> {
    let parsed = Name::from_utf8(name).map_err(|_| QueryError::BadName(name.to_owned()))?;
    let kind = kind.to_ascii_uppercase().parse().map_err(|_| QueryError::BadType(kind.to_owned()))?;
    Ok((parsed, kind))
}

/// Asks once over UDP, over TCP where the answer is truncated.
///
/// # Errors
/// What the server said instead of an answer, or that it said nothing.
pub async fn query(server: SocketAddr, name: &str, kind: &str, timeout: Duration) -> Result<Answer, QueryError> {
    let (mut owner, record_type) = parse_question(name, kind)?;
    owner.set_fqdn(true);
    let mut question = Message::query();
    question.metadata.id = u16::from_be_bytes(random());
    question.metadata.recursion_desired = true;
    // Says that we understand the bit, and so have it told (RFC 6840 §5.7).
    question.metadata.authentic_data = true;
    question.add_query(Query::query(owner, record_type));
    let begun = Instant::now();
    let asked = tokio::time::timeout(timeout, exchange(server, &question, timeout));
    let reply = match asked.await {
        Err(_) => return Err(QueryError::TimedOut { server, within: timeout }),
        Ok(reply) => reply?,
    };
    let took = begun.elapsed();
    match reply.metadata.response_code {
        ResponseCode::NoError => {}
        code => return Err(QueryError::Code { server, name: name.to_owned(), code: code_word(code) }),
    }
    let wanted = |found: RecordType| found == record_type || record_type == RecordType::ANY;
    let records: Vec<String> =
        reply.answers.iter().filter(|r| wanted(r.record_type())).map(|r| r.data.to_string()).collect();
    if records.is_empty() {
        return Err(QueryError::NoRecords { server, name: name.to_owned(), kind: record_type.to_string() });
    }
    let serial = reply.answers.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    });
    let (authoritative, authentic) = (reply.metadata.authoritative, reply.metadata.authentic_data);
    Ok(Answer { records, authoritative, authentic, serial, took })
}

async fn exchange(server: SocketAddr, question: &Message, timeout: Duration) -> Result<Message, QueryError> {
    let failed = |reason: String| QueryError::Failed { server, reason };
    let packet = question.to_vec().map_err(|e| failed(e.to_string()))?;
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let io = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::ConnectionRefused => failed("nothing listens on this port".to_owned()),
        _ => failed(error.to_string()),
    };
    let socket = UdpSocket::bind((any, 0)).await.map_err(io)?;
    // Connected: the kernel drops what comes from anybody else, and tells of a closed port.
    socket.connect(server).await.map_err(io)?;
    socket.send(&packet).await.map_err(io)?;
    let mut buffer = [0u8; 4096];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(io)?;
        match reply_to(question, &buffer[..length]) {
            Some(reply) if reply.metadata.truncation => break,
            Some(reply) => return Ok(reply),
            // Not about this question: the right answer may still come.
            None => {}
        }
    }
    let (mut stream, _) = tcp::connect(server.ip(), server.port(), timeout).await.map_err(|e| failed(e.to_string()))?;
    let framed = [&u16::try_from(packet.len()).unwrap_or(u16::MAX).to_be_bytes(), &packet[..]].concat();
    stream.write_all(&framed).await.map_err(io)?;
    let length = stream.read_u16().await.map_err(io)?;
    let mut reply = vec![0; usize::from(length)];
    stream.read_exact(&mut reply).await.map_err(io)?;
    reply_to(question, &reply).ok_or_else(|| failed("the answer over TCP is not to this question".to_owned()))
}

/// A well-formed answer with our number and our question; nothing else counts.
fn reply_to(question: &Message, packet: &[u8]) -> Option<Message> {
    let reply = Message::from_vec(packet).ok()?;
    let ours = reply.metadata.id == question.metadata.id && reply.metadata.message_type == MessageType::Response;
    // A server that understands nothing of it (FORMERR) may leave the question out (RFC 1035 §4.1.1).
    let same = reply.queries == question.queries
        || (reply.queries.is_empty() && reply.metadata.response_code != ResponseCode::NoError);
    (ours && same).then_some(reply)
}

fn random() -> [u8; 2] {
    let mut bytes = [0u8; 2];
    // The kernel's generator does not fail after boot; the connected socket's port guards the answer as well.
    let _ = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    bytes
}

/// The mnemonic of RFC 6895 §2.3.
fn code_word(code: ResponseCode) -> &'static str {
    match code {
        ResponseCode::NoError => "NOERROR",
        ResponseCode::FormErr => "FORMERR",
        ResponseCode::ServFail => "SERVFAIL",
        ResponseCode::NXDomain => "NXDOMAIN",
        ResponseCode::NotImp => "NOTIMP",
        ResponseCode::Refused => "REFUSED",
        ResponseCode::NotAuth => "NOTAUTH",
        _ => "an unusual code",
    }
}
