//! One question to one name server, without cache, search list or hosts file. The names that a resolver library
//! would answer by itself (`localhost`, the reverse of 127/8: RFC 6761) are asked like any other: what is
//! wanted here is the server's own answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::race::NoAnswer;
use super::tcp;
use crate::base::Untrusted;

/// Bytes of an answer over UDP that we say we take, which fit any path.
const PAYLOAD: u16 = 1232;
/// The option of an extended error (RFC 8914).
const EXTENDED_ERROR: u16 = 15;

/// How a question travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// UDP, and TCP where the answer is truncated.
    #[default]
    Udp,
    Tcp,
}

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
    #[error("{server} answers {code} for {name}{}", because(.why.as_ref()))]
    Code { server: SocketAddr, name: String, code: Code, why: Option<Untrusted> },
    #[error("{server} has no {kind} record for {name}{}", aliased(.alias.as_deref()))]
    NoRecords { server: SocketAddr, name: String, kind: String, alias: Option<String> },
    /// Neither an answer nor a denial: other servers are named (RFC 1034 §4.3.1).
    #[error("{server} does not serve {name}: it refers to {}", Untrusted::from(.to.as_str()).line())]
    Referral { server: SocketAddr, name: String, to: String },
    #[error("no answer from {server}{} within {:.1} s{}", over(*.transport), .within.as_secs_f32(), instead(*.odd))]
    TimedOut { server: SocketAddr, transport: Transport, within: Duration, odd: Option<Odd> },
    #[error("{server}: {reason}")]
    Failed { server: SocketAddr, reason: String },
    #[error("{server}: {}", tcp::unreachable(.source))]
    NoRoute { server: SocketAddr, source: std::io::Error },
}

impl QueryError {
    /// Whether the server said it, which is an answer too.
    fn is_answer(&self) -> bool {
        match self {
            Self::Code { .. } | Self::NoRecords { .. } | Self::Referral { .. } => true,
            Self::BadName(_)
            | Self::BadType(_)
            | Self::TimedOut { .. }
            | Self::Failed { .. }
            | Self::NoRoute { .. } => false,
        }
    }
}

impl NoAnswer for QueryError {
    fn is_no_route(&self) -> bool {
        matches!(self, Self::NoRoute { .. })
    }
}

/// Why a packet of the server is no answer to the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Odd {
    #[error("it cannot be read")]
    Damaged,
    #[error("it is a question")]
    Question,
    #[error("its number is another")]
    OtherNumber,
    #[error("it is about another name or type")]
    OtherQuestion,
}

/// What came in place of an answer.
fn instead(odd: Option<Odd>) -> String {
    odd.map(|odd| format!("; what came is none: {odd}")).unwrap_or_default()
}

/// An error of a server, by its number (RFC 6895 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(ResponseCode);

impl Code {
    pub fn is_absent(self) -> bool {
        self.0 == ResponseCode::NXDomain
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            ResponseCode::NoError => "NOERROR",
            ResponseCode::FormErr => "FORMERR",
            ResponseCode::ServFail => "SERVFAIL",
            ResponseCode::NXDomain => "NXDOMAIN",
            ResponseCode::NotImp => "NOTIMP",
            ResponseCode::Refused => "REFUSED",
            ResponseCode::NotAuth => "NOTAUTH",
            ResponseCode::NotZone => "NOTZONE",
            other => return write!(f, "the error {}", u16::from(other)),
        })
    }
}

fn because(why: Option<&Untrusted>) -> String {
    why.map(|why| format!(" ({})", why.line())).unwrap_or_default()
}

fn aliased(alias: Option<&str>) -> String {
    alias.map(|alias| format!(", an alias of {}", Untrusted::from(alias).line())).unwrap_or_default()
}

fn over(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "",
        Transport::Tcp => " over TCP",
    }
}

/// The name under which an address has its PTR record (RFC 1035 §3.5, RFC 3596 §2.5).
pub fn reverse_name(address: IpAddr) -> String {
    Name::from(address).to_ascii().trim_end_matches('.').to_owned()
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
    let unknown = || QueryError::BadType(kind.to_owned());
    let kind: RecordType = kind.to_ascii_uppercase().parse().map_err(|_| unknown())?;
    // Transfers and what belongs to a message are no records.
    let is_record = !matches!(kind, RecordType::AXFR | RecordType::IXFR | RecordType::TSIG | RecordType::SIG);
    if is_record { Ok((parsed, kind)) } else { Err(unknown()) }
}

/// Asks once. Where the server fails, it is asked a second time for the reason.
///
/// # Errors
/// What the server said instead of an answer, or that it said nothing.
pub async fn query(
    server: SocketAddr,
    name: &str,
    kind: &str,
    transport: Transport,
    timeout: Duration,
) -> Result<Answer, QueryError> {
    let (mut owner, record_type) = parse_question(name, kind)?;
    owner.set_fqdn(true);
    let mut question = Message::query();
    question.metadata.id = u16::from_be_bytes(random());
    question.metadata.recursion_desired = true;
    // Says that we understand the bit, and so have it told (RFC 6840 §5.7).
    question.metadata.authentic_data = true;
    question.add_query(Query::query(owner, record_type));
    let begun = Instant::now();
    let reply = exchange(server, &question, transport, timeout).await?;
    let took = begun.elapsed();
    match reply.metadata.response_code {
        ResponseCode::NoError => {}
        code => {
            let left = timeout.saturating_sub(took);
            let why = if code == ResponseCode::ServFail { why(server, question, transport, left).await } else { None };
            return Err(QueryError::Code { server, name: name.to_owned(), code: Code(code), why });
        }
    }
    let wanted = |found: RecordType| found == record_type || record_type == RecordType::ANY;
    let records: Vec<String> =
        reply.answers.iter().filter(|r| wanted(r.record_type())).map(|r| r.data.to_string()).collect();
    if records.is_empty() {
        return Err(nothing(&reply, server, name, record_type));
    }
    let serial = reply.answers.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    });
    let (authoritative, authentic) = (reply.metadata.authoritative, reply.metadata.authentic_data);
    Ok(Answer { records, authoritative, authentic, serial, took })
}

/// As [`query`], with what the server itself says apart from silence.
///
/// # Errors
/// The server says nothing.
pub async fn ask(
    server: SocketAddr,
    name: &str,
    kind: &str,
    transport: Transport,
    timeout: Duration,
) -> Result<Result<Answer, QueryError>, QueryError> {
    match query(server, name, kind, transport, timeout).await {
        Err(error) if !error.is_answer() => Err(error),
        answer => Ok(answer),
    }
}

/// An answer without the records that were asked for: who else is to be asked, or that there are none.
fn nothing(reply: &Message, server: SocketAddr, name: &str, kind: RecordType) -> QueryError {
    let name = name.to_owned();
    let others = reply.authorities.iter().filter_map(|record| match &record.data {
        RData::NS(other) => Some(other.0.to_string().trim_end_matches('.').to_owned()),
        _ => None,
    });
    let others: Vec<String> = others.take(3).collect();
    if reply.answers.is_empty() && !reply.metadata.authoritative && !others.is_empty() {
        return QueryError::Referral { server, name, to: others.join(", ") };
    }
    let alias = reply.answers.iter().rev().find_map(|record| match &record.data {
        RData::CNAME(alias) => Some(alias.0.to_string().trim_end_matches('.').to_owned()),
        _ => None,
    });
    QueryError::NoRecords { server, name, kind: kind.to_string(), alias }
}

/// Why a server fails, where it says so in an extended error (RFC 8914): that is asked for apart, so that servers that know
/// nothing of it are asked as ever.
async fn why(server: SocketAddr, mut question: Message, transport: Transport, left: Duration) -> Option<Untrusted> {
    let mut edns = Edns::new();
    edns.set_max_payload(PAYLOAD);
    question.edns = Some(edns);
    question.metadata.id = u16::from_be_bytes(random());
    let reply = exchange(server, &question, transport, left).await.ok()?;
    let Some(EdnsOption::Unknown(_, bytes)) = reply.edns.as_ref()?.option(EdnsCode::from(EXTENDED_ERROR)) else {
        return None;
    };
    let (code, text) = bytes.split_first_chunk::<2>()?;
    let code = extended_error(u16::from_be_bytes(*code));
    let text = text.trim_ascii();
    let colon = if text.is_empty() { "" } else { ": " };
    Some(Untrusted::bounded(&[code.as_bytes(), colon.as_bytes(), text].concat(), 160))
}

/// RFC 8914 §5.2, in short.
fn extended_error(code: u16) -> String {
    let words = match code {
        0 => "other error",
        1 => "DNSKEY of an unsupported algorithm",
        2 => "DS of an unsupported digest",
        3 => "stale answer",
        5 => "DNSSEC indeterminate",
        6 => "DNSSEC bogus",
        7 => "signature expired",
        8 => "signature not yet valid",
        9 => "DNSKEY missing",
        10 => "signatures missing",
        11 => "no zone key bit",
        12 => "NSEC missing",
        13 => "cached error",
        14 => "not ready",
        15 => "blocked",
        18 => "prohibited",
        20 => "not authoritative",
        22 => "no reachable authority",
        23 => "network error",
        24 => "invalid data",
        _ => return format!("extended error {code}"),
    };
    words.to_owned()
}

async fn exchange(
    server: SocketAddr,
    question: &Message,
    transport: Transport,
    timeout: Duration,
) -> Result<Message, QueryError> {
    let begun = Instant::now();
    let left = || timeout.saturating_sub(begun.elapsed());
    let timed_out = |transport, odd| QueryError::TimedOut { server, transport, within: timeout, odd };
    if transport == Transport::Udp {
        let mut odd = None;
        let asked = tokio::time::timeout(left(), over_udp(server, question, &mut odd)).await;
        let reply = asked.map_err(|_| timed_out(Transport::Udp, odd))??;
        if !reply.metadata.truncation {
            return Ok(reply);
        }
    }
    let asked = tokio::time::timeout(left(), over_tcp(server, question, left())).await;
    let reply = asked.map_err(|_| timed_out(Transport::Tcp, None))?;
    reply.map_err(|error| match error {
        QueryError::Failed { server, reason } if transport == Transport::Udp => {
            let reason = format!("the answer is truncated, and over TCP: {reason}");
            QueryError::Failed { server, reason }
        }
        other => other,
    })
}

async fn over_udp(server: SocketAddr, question: &Message, odd: &mut Option<Odd>) -> Result<Message, QueryError> {
    let failed = |reason: String| QueryError::Failed { server, reason };
    let packet = question.to_vec().map_err(|e| failed(e.to_string()))?;
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let io = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::ConnectionRefused => failed("nothing listens on this port".to_owned()),
        _ if tcp::is_no_route(&error) => QueryError::NoRoute { server, source: error },
        _ => failed(tcp::unreachable(&error)),
    };
    let socket = UdpSocket::bind((any, 0)).await.map_err(io)?;
    // Connected: the kernel drops what comes from anybody else, and tells of a closed port.
    socket.connect(server).await.map_err(io)?;
    socket.send(&packet).await.map_err(io)?;
    let mut buffer = [0u8; 4096];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(io)?;
        // What is not about this question may be followed by what is.
        match reply_to(question, &buffer[..length]) {
            Ok(reply) => return Ok(reply),
            Err(why) => *odd = Some(why),
        }
    }
}

async fn over_tcp(server: SocketAddr, question: &Message, timeout: Duration) -> Result<Message, QueryError> {
    let failed = |reason: String| QueryError::Failed { server, reason };
    let packet = question.to_vec().map_err(|e| failed(e.to_string()))?;
    let io = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset => {
            failed("the server ended the connection".to_owned())
        }
        _ => failed(error.to_string()),
    };
    let connected = tcp::connect(server.ip(), server.port(), timeout).await;
    let (mut stream, _) = connected.map_err(|error| match error {
        tcp::ConnectError::Unreachable(_, source) if tcp::is_no_route(&source) => {
            QueryError::NoRoute { server, source }
        }
        other => failed(other.to_string()),
    })?;
    let framed = [&u16::try_from(packet.len()).unwrap_or(u16::MAX).to_be_bytes(), &packet[..]].concat();
    stream.write_all(&framed).await.map_err(io)?;
    let length = stream.read_u16().await.map_err(io)?;
    let mut reply = vec![0; usize::from(length)];
    stream.read_exact(&mut reply).await.map_err(io)?;
    reply_to(question, &reply).map_err(|odd| failed(format!("what came over TCP is no answer: {odd}")))
}

/// A well-formed answer with our number and our question; nothing else counts.
fn reply_to(question: &Message, packet: &[u8]) -> Result<Message, Odd> {
    let reply = Message::from_vec(packet).map_err(|_| Odd::Damaged)?;
    // A server that understands nothing of it (FORMERR) may leave the question out (RFC 1035 §4.1.1).
    let same = reply.queries == question.queries
        || (reply.queries.is_empty() && reply.metadata.response_code != ResponseCode::NoError);
    if reply.metadata.id != question.metadata.id {
        Err(Odd::OtherNumber)
    } else if reply.metadata.message_type != MessageType::Response {
        Err(Odd::Question)
    } else if same {
        Ok(reply)
    } else {
        Err(Odd::OtherQuestion)
    }
}

fn random() -> [u8; 2] {
    let mut bytes = [0u8; 2];
    // The kernel's generator does not fail after boot; the connected socket's port guards the answer as well.
    let _ = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    bytes
}
