//! One question to one name server, without cache, search list or hosts file.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hickory_resolver::Resolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RecordType};

/// The answers of a server, as text in the form of zone files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub records: Vec<String>,
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
    let (mut question, record_type) = parse_question(name, kind)?;
    question.set_fqdn(true);
    let connection = |mut config: ConnectionConfig| {
        config.port = server.port();
        config
    };
    let connections = vec![connection(ConnectionConfig::udp()), connection(ConnectionConfig::tcp())];
    let config =
        ResolverConfig::from_parts(None, Vec::new(), vec![NameServerConfig::new(server.ip(), true, connections)]);
    let mut options = ResolverOpts::default();
    options.timeout = timeout;
    options.attempts = 1;
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.edns0 = true;
    let failed = |reason: String| QueryError::Failed { server, reason };
    let resolver = Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .build()
        .map_err(|e| failed(e.to_string()))?;
    let begun = Instant::now();
    let asked = tokio::time::timeout(timeout, resolver.lookup(question, record_type)).await;
    match asked {
        Err(_) | Ok(Err(NetError::Timeout)) => Err(QueryError::TimedOut { server, within: timeout }),
        Ok(Ok(lookup)) => {
            let records = lookup.answers().iter().map(|record| record.data.to_string()).collect();
            Ok(Answer { records, took: begun.elapsed() })
        }
        Ok(Err(NetError::Dns(DnsError::ResponseCode(code)))) => {
            Err(QueryError::Code { server, name: name.to_owned(), code: code_word(code) })
        }
        Ok(Err(NetError::Dns(DnsError::NoRecordsFound(no)))) if no.response_code == ResponseCode::NoError => {
            Err(QueryError::NoRecords { server, name: name.to_owned(), kind: record_type.to_string() })
        }
        Ok(Err(NetError::Dns(DnsError::NoRecordsFound(no)))) => {
            Err(QueryError::Code { server, name: name.to_owned(), code: code_word(no.response_code) })
        }
        Ok(Err(error)) => Err(failed(error.to_string())),
    }
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
