//! Lets the operator in at one hop: agent, key files, keyboard-interactive, password, in this order and only as
//! far as the server offers them. A passphrase is asked for only when the server would take that key.

mod interactive;
mod keys;

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use russh::client::{AuthResult, Handle};
use russh::{MethodKind, MethodSet};

use super::attendant::Attendant;
use super::config::HostSettings;
use super::error::SshError;
use super::guard::{Ending, Guard};

/// For each answer of the server; questions to the operator do not count.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// What is known while somebody is being let in.
pub(super) struct Attempt<'a> {
    handle: Handle<Guard>,
    settings: &'a HostSettings,
    hop: &'a str,
    ending: &'a Ending,
    attendant: &'a Attendant,
    /// What the server would take now.
    offered: MethodSet,
    /// What it ever offered, in its own words.
    ever_offered: BTreeSet<&'static str>,
    /// What was tried and how it ended, in words.
    tried: Vec<String>,
    /// Something here needs the system's ssh.
    beyond_us: Option<&'static str>,
    cancelled: bool,
}

/// How one try ended.
enum Verdict {
    In,
    /// Not by this; or by this and something more.
    NotYet {
        partial: bool,
    },
}

pub(super) async fn authenticate(
    handle: Handle<Guard>,
    settings: &HostSettings,
    hop: &str,
    ending: &Ending,
    attendant: &Attendant,
) -> Result<Handle<Guard>, SshError> {
    let mut attempt = Attempt {
        handle,
        settings,
        hop,
        ending,
        attendant,
        offered: MethodSet::empty(),
        ever_offered: BTreeSet::new(),
        tried: Vec::new(),
        beyond_us: settings.needs_system_ssh,
        cancelled: false,
    };
    if attempt.run().await? { Ok(attempt.handle) } else { Err(attempt.refusal()) }
}

impl Attempt<'_> {
    async fn run(&mut self) -> Result<bool, SshError> {
        let user = self.settings.user.clone();
        let first = self.attendant.within(ANSWER_LIMIT, self.handle.authenticate_none(user)).await;
        if matches!(self.judge("none", first)?, Verdict::In) {
            return Ok(true);
        }
        // A server may ask for several in turn; each partial success is a new round.
        for _round in 0..4 {
            let before = self.offered.clone();
            let mut partial = false;
            if self.offers(MethodKind::PublicKey) {
                match self.by_keys().await? {
                    Verdict::In => return Ok(true),
                    Verdict::NotYet { partial: p } => partial |= p,
                }
            }
            if !partial && self.offers(MethodKind::KeyboardInteractive) {
                match self.by_questions().await? {
                    Verdict::In => return Ok(true),
                    Verdict::NotYet { partial: p } => partial |= p,
                }
            }
            if !partial && self.offers(MethodKind::Password) {
                match self.by_password().await? {
                    Verdict::In => return Ok(true),
                    Verdict::NotYet { partial: p } => partial |= p,
                }
            }
            if self.cancelled || !partial || (self.offered == before && self.offered.is_empty()) {
                break;
            }
        }
        Ok(false)
    }

    fn offers(&self, method: MethodKind) -> bool {
        !self.cancelled && self.offered.contains(&method)
    }

    /// Keeps what the server says it would take.
    fn judge<E: std::fmt::Display>(
        &mut self,
        what: &'static str,
        answer: Option<Result<AuthResult, E>>,
    ) -> Result<Verdict, SshError> {
        match answer {
            Some(Ok(AuthResult::Success)) => Ok(Verdict::In),
            Some(Ok(AuthResult::Failure { remaining_methods, partial_success })) => {
                self.heard(remaining_methods)?;
                Ok(Verdict::NotYet { partial: partial_success })
            }
            Some(Err(error)) => {
                self.tried.push(format!("{what}: {}", crate::base::text::clean(&error.to_string())));
                self.still_there()?;
                Ok(Verdict::NotYet { partial: false })
            }
            None => Err(SshError::TimedOut { hop: self.hop.to_owned(), step: "authentication", limit: ANSWER_LIMIT }),
        }
    }

    fn heard(&mut self, methods: MethodSet) -> Result<(), SshError> {
        self.ever_offered.extend(methods.iter().map(|m| method_name(*m)));
        self.offered = methods;
        self.still_there()
    }

    /// A server that has had enough closes the line; then no further try can be answered.
    fn still_there(&self) -> Result<(), SshError> {
        if self.handle.is_closed() { Err(self.refusal()) } else { Ok(()) }
    }

    fn refusal(&self) -> SshError {
        let list = |items: &mut dyn Iterator<Item = &str>| items.collect::<Vec<_>>().join(", ");
        let offered = list(&mut self.ever_offered.iter().copied());
        let offered = if offered.is_empty() { "nothing".to_owned() } else { offered };
        let tried = list(&mut self.tried.iter().map(String::as_str));
        let tried = if tried.is_empty() { "nothing fitted".to_owned() } else { tried };
        if self.cancelled {
            return SshError::Cancelled { hop: self.hop.to_owned(), tried };
        }
        let user = crate::base::text::clean(&self.settings.user);
        let closed = self.ending.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let closed = closed.map(|words| format!("; {words}")).unwrap_or_default();
        let beyond = self
            .beyond_us
            .or_else(|| self.ever_offered.contains("gssapi-with-mic").then_some("Kerberos (gssapi-with-mic)"))
            .or_else(|| self.ever_offered.contains("hostbased").then_some("hostbased"));
        let hint = beyond.map(|what| format!("; {what} needs the system's ssh: :ssh!")).unwrap_or_default();
        let asked = if self.attendant.is_headless() { "; nobody is there to be asked for a password" } else { "" };
        let reason = format!("{user} is not let in. It offers {offered}; tried: {tried}{asked}{closed}{hint}");
        SshError::Refused { hop: self.hop.to_owned(), reason }
    }
}

fn method_name(method: MethodKind) -> &'static str {
    match method {
        MethodKind::None => "none",
        MethodKind::Password => "password",
        MethodKind::PublicKey => "publickey",
        MethodKind::HostBased => "hostbased",
        MethodKind::KeyboardInteractive => "keyboard-interactive",
        MethodKind::GssapiWithMic => "gssapi-with-mic",
    }
}
