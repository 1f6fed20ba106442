//! A conversation with one LDAP server over a stream that is there already. Messages are bounded; so is how long it takes.

use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::base::{Secret, Untrusted};
use crate::proto::ldap::{self, Filter, Message, Outcome, Scope};

#[derive(Debug, thiserror::Error)]
pub enum LdapError {
    #[error("{what}: no answer within {:.1} s", .within.as_secs_f32())]
    TimedOut { what: &'static str, within: Duration },
    #[error("{0}: the server ended the connection")]
    Closed(&'static str),
    #[error("{what}: {error}")]
    Io { what: &'static str, error: std::io::Error },
    #[error("what answers there does not speak LDAP: {0}")]
    NoLdap(String),
    /// The code and what the server says to it.
    #[error("{what}: {}", said(.outcome))]
    Refused { what: &'static str, outcome: Outcome },
    #[error("the server sends more than it was asked for before TLS begins")]
    Injected,
    /// An answer with a message number that is none of ours.
    #[error("{what}: the answer is to message {found}, and ours is {asked}")]
    Foreign { what: &'static str, asked: i32, found: i32 },
}

fn said(outcome: &Outcome) -> String {
    let message = Untrusted::new(&outcome.message).line();
    let colon = if message.is_empty() { "" } else { ": " };
    let place = outcome.referral.as_ref().map(|place| format!(" to {}", Untrusted::new(place).line()));
    format!("{} ({}){}{colon}{message}", outcome.name(), outcome.code, place.unwrap_or_default())
}

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub entries: usize,
    /// Places elsewhere that the server names in place of entries; they are not asked.
    pub references: usize,
    /// Why there are more than were counted, where there are.
    pub more: Option<More>,
}

/// Whose limit it is that ends the counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    Ours,
    /// The server gives no more (sizeLimitExceeded below our limit).
    Theirs,
}

#[derive(Debug)]
pub struct Ldap<S> {
    stream: S,
    buffer: Vec<u8>,
    last_id: i32,
    limit: Duration,
    deadline: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Ldap<S> {
    /// All of it ends within `limit`.
    pub fn new(stream: S, limit: Duration) -> Self {
        Self { stream, buffer: Vec::new(), last_id: 0, limit, deadline: Instant::now() + limit }
    }

    /// Has TLS begin: the next byte is the handshake's.
    ///
    /// # Errors
    /// It refuses.
    pub async fn start_tls(mut self) -> Result<S, LdapError> {
        let id = self.send("StartTLS", ldap::start_tls).await?;
        match self.answer("StartTLS", id).await? {
            Message::Extended(outcome) if outcome.is_success() => {}
            Message::Extended(outcome) => return Err(LdapError::Refused { what: "StartTLS", outcome }),
            other => return Err(unexpected(&other)),
        }
        if self.buffer.is_empty() { Ok(self.stream) } else { Err(LdapError::Injected) }
    }

    /// Logs in; without a name as nobody.
    ///
    /// # Errors
    /// It refuses.
    pub async fn bind(&mut self, name: &str, password: &Secret<String>) -> Result<(), LdapError> {
        let id = self.send("bind", |id| ldap::bind(id, name, password.expose())).await?;
        match self.answer("bind", id).await? {
            Message::Bound(outcome) if outcome.is_success() => Ok(()),
            Message::Bound(outcome) => Err(LdapError::Refused { what: "bind", outcome }),
            other => Err(unexpected(&other)),
        }
    }

    /// Counts entries, up to `most`.
    ///
    /// # Errors
    /// It refuses.
    pub async fn count(&mut self, base: &str, scope: Scope, filter: &Filter, most: u16) -> Result<Found, LdapError> {
        match self.search(base, scope, filter, most, most).await {
            // Some do not search at all for who wants more than they would give (OpenLDAP's `size.hard`): then as many as they like.
            Err(LdapError::Refused { outcome, .. }) if outcome.code == ldap::ADMIN_LIMIT_EXCEEDED => {
                self.search(base, scope, filter, 0, most).await
            }
            other => other,
        }
    }

    /// `asked` is the limit that the server is told, 0 for its own.
    async fn search(
        &mut self,
        base: &str,
        scope: Scope,
        filter: &Filter,
        asked: u16,
        most: u16,
    ) -> Result<Found, LdapError> {
        let left = self.deadline.saturating_duration_since(Instant::now()).as_secs();
        let seconds = u16::try_from(left).unwrap_or(u16::MAX).max(1);
        let id = self.send("search", |id| ldap::search(id, base, scope, filter, asked, seconds)).await?;
        let mut found = Found { entries: 0, references: 0, more: None };
        loop {
            match self.answer("search", id).await? {
                Message::Entry => found.entries += 1,
                Message::Reference => found.references += 1,
                Message::Done(outcome) if outcome.is_success() => return Ok(found),
                Message::Done(outcome) if outcome.code == ldap::SIZE_LIMIT_EXCEEDED => {
                    let more = if found.entries < usize::from(most) { More::Theirs } else { More::Ours };
                    return Ok(Found { more: Some(more), ..found });
                }
                Message::Done(outcome) => return Err(LdapError::Refused { what: "search", outcome }),
                other => return Err(unexpected(&other)),
            }
            if found.entries > usize::from(most) {
                return Ok(Found { more: Some(More::Ours), ..found });
            }
        }
    }

    /// Takes leave.
    pub async fn leave(mut self) {
        // Gone already is as good.
        if self.send("unbind", ldap::unbind).await.is_ok() {
            let _ = tokio::time::timeout(Duration::from_millis(250), self.stream.shutdown()).await;
        }
    }

    async fn send(&mut self, what: &'static str, message: impl FnOnce(i32) -> Vec<u8>) -> Result<i32, LdapError> {
        self.last_id += 1;
        let bytes = Secret::new(message(self.last_id));
        let sending = async {
            self.stream.write_all(bytes.expose()).await?;
            self.stream.flush().await
        };
        match tokio::time::timeout_at(self.deadline.into(), sending).await {
            Err(_) => Err(LdapError::TimedOut { what, within: self.limit }),
            Ok(Err(error)) => Err(LdapError::Io { what, error }),
            Ok(Ok(())) => Ok(self.last_id),
        }
    }

    /// The next message that belongs to this question.
    async fn answer(&mut self, what: &'static str, id: i32) -> Result<Message, LdapError> {
        loop {
            let next = ldap::next(&self.buffer).map_err(|error| LdapError::NoLdap(error.to_string()))?;
            if let Some((found, message, taken)) = next {
                self.buffer.drain(..taken);
                match message {
                    Message::Farewell(outcome) => {
                        return Err(LdapError::Refused { what: "the server leaves", outcome });
                    }
                    Message::Notice => continue,
                    message if found == id => return Ok(message),
                    // Only one question is ever open.
                    _ => return Err(LdapError::Foreign { what, asked: id, found }),
                }
            }
            let mut chunk = [0u8; 4_096];
            match tokio::time::timeout_at(self.deadline.into(), self.stream.read(&mut chunk)).await {
                Err(_) => return Err(LdapError::TimedOut { what, within: self.limit }),
                Ok(Ok(0)) => return Err(LdapError::Closed(what)),
                Ok(Ok(length)) => self.buffer.extend_from_slice(&chunk[..length]),
                Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                    return Err(LdapError::Closed(what));
                }
                Ok(Err(error)) => return Err(LdapError::Io { what, error }),
            }
        }
    }
}

fn unexpected(message: &Message) -> LdapError {
    let what = match message {
        Message::Bound(_) => "an answer to a bind",
        Message::Entry | Message::Reference | Message::Done(_) => "an answer to a search",
        Message::Extended(_) | Message::Farewell(_) | Message::Notice => "an extended answer",
    };
    LdapError::NoLdap(format!("{what} that was not asked for"))
}
