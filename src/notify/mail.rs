//! `mail`: a mail server of the operator's takes the message on (SMTP). Credentials are only sent over TLS.

use std::sync::Arc;
use std::time::Instant;

use data_encoding::BASE64;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Batch, Cx, Deliver, Delivering, How, Kind, subject, text};
use crate::base::options::{OptionDoc, Problem, Reader, SecretRef};
use crate::base::{Secret, Timestamp};
use crate::net::dialog::{Dialog, TalkError};
use crate::net::mail::send::{self, Login};
use crate::net::mail::{self, Mail as Protocol};
use crate::net::tcp;
use crate::net::tls::{self, Offer, TlsStream, Trust};
use crate::process::secret;

pub static KIND: Kind = Kind {
    name: "mail",
    help: "an e-mail, handed to a mail server (SMTP)",
    options: &[
        OptionDoc { name: "server", form: "string", default: "", help: "the mail server's name or address; required" },
        OptionDoc {
            name: "port",
            form: "integer",
            default: "587",
            help: "465 with `security = \"tls\"`, 25 with \"none\"",
        },
        OptionDoc {
            name: "security",
            form: "string",
            default: "starttls",
            help: "`starttls`, `tls` (from the first byte) or `none`",
        },
        OptionDoc { name: "user", form: "string", default: "", help: "logs in, over TLS only" },
        OptionDoc { name: "password", form: "secret", default: "", help: "its password" },
        OptionDoc { name: "from", form: "string", default: "", help: "the sender's address; required" },
        OptionDoc { name: "to", form: "array of strings", default: "", help: "the recipients' addresses; required" },
        tls::CA,
        tls::VERIFY,
    ],
    bind,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    StartTls,
    Tls,
    None,
}

#[derive(Debug)]
struct Mail {
    server: Arc<str>,
    port: u16,
    security: Security,
    login: Option<(String, SecretRef)>,
    from: String,
    to: Vec<String>,
    trust: Trust,
}

fn bind(options: &mut Reader<'_>) -> Option<How> {
    let server = options.required_string("server");
    let security = read_security(options);
    let port = options.integer("port", 1..=65_535).and_then(|port| u16::try_from(port).ok());
    let user = options.string("user");
    let password = options.secret("password");
    let from = options.required_string("from");
    let to = options.strings("to").unwrap_or_default();
    let trust = Trust::read(options);
    let place = |options: &mut Reader<'_>, key: &'static str| {
        options.node(key).map_or_else(|| options.place().clone(), |node| node.place.clone())
    };
    if to.is_empty() {
        let at = place(options, "to");
        options.problem(Problem::error(&at, "a mail channel needs recipients").hint("to = [\"noc@example.net\"]"));
    }
    let mut addresses = from.iter().map(|a| ("from", a)).chain(to.iter().map(|a| ("to", a)));
    if let Some((key, address)) = addresses.find(|(_, address)| !is_address(address)) {
        let at = place(options, key);
        let shown = crate::base::text::clean(address);
        options.problem(Problem::error(&at, format!("\"{shown}\" is no mail address")));
        return None;
    }
    let security = security?;
    let login = match (user, password) {
        (Some(_), Some(_)) if security == Security::None => {
            let at = place(options, "password");
            options.problem(Problem::error(&at, "a password is not sent without TLS").hint("security = \"starttls\""));
            return None;
        }
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        _ => {
            let at = options.place().clone();
            options.problem(Problem::error(&at, "`user` and `password` go together"));
            return None;
        }
    };
    let usual = match security {
        Security::StartTls => 587,
        Security::Tls => 465,
        Security::None => 25,
    };
    let (server, from): (Arc<str>, String) = (server?.into(), from?);
    if to.is_empty() {
        return None;
    }
    Some(How::By(Arc::new(Mail { server, port: port.unwrap_or(usual), security, login, from, to, trust })))
}

fn read_security(options: &mut Reader<'_>) -> Option<Security> {
    let Some(node) = options.node("security") else { return Some(Security::StartTls) };
    let place = node.place.clone();
    let word = options.string("security")?;
    match &*word {
        "starttls" => Some(Security::StartTls),
        "tls" => Some(Security::Tls),
        "none" => Some(Security::None),
        _ => {
            let problem = Problem::error(&place, format!("\"{word}\" is no way to protect mail"));
            options.problem(problem.hint("\"starttls\", \"tls\" or \"none\""));
            None
        }
    }
}

/// Enough of RFC 5321 §4.1.2 that nothing of it can be another command: an `@` with something on both sides, no blank, no
/// bracket, no control character.
fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    let plain = text.bytes().all(|b| b.is_ascii_graphic() && !b"<>(),;:\\\"".contains(&b));
    plain && text.len() <= 254 && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

impl Deliver for Mail {
    fn deliver<'a>(&'a self, cx: &'a Cx, batch: &'a Batch) -> Delivering<'a> {
        Box::pin(self.hand_over(cx, batch))
    }
}

impl Mail {
    async fn hand_over(&self, cx: &Cx, batch: &Batch) -> Result<(), String> {
        let begun = Instant::now();
        let left = || cx.timeout.saturating_sub(begun.elapsed());
        let found = cx.net.names.addresses(&self.server, None, cx.timeout).await;
        let addresses = found.map_err(|error| error.to_string())?;
        let connected = tcp::connect_any(&addresses, self.port, left()).await;
        let stream = connected.map_err(|error| error.to_string())?.stream;
        let own = own_name(&self.from);
        let message = message(&self.from, &self.to, batch, cx.net.clock.wall());
        match self.security {
            Security::None => {
                let mut dialog = Dialog::new(stream, left());
                greet(&mut dialog, own).await?;
                self.send(&mut dialog, &message).await
            }
            Security::Tls => {
                let mut dialog = self.protected(stream, cx, left()).await?;
                greet(&mut dialog, own).await?;
                self.send(&mut dialog, &message).await
            }
            Security::StartTls => {
                let mut dialog = Dialog::new(stream, left());
                mail::up_to_tls(&mut dialog, Protocol::Smtp, own).await.map_err(|error| said(&error))?;
                let stream = dialog.into_stream().map_err(|error| error.to_string())?;
                let mut dialog = self.protected(stream, cx, left()).await?;
                // What was said before TLS could have been anybody's: it is asked again.
                mail::capabilities(&mut dialog, Protocol::Smtp, own).await.map_err(|error| said(&error))?;
                self.send(&mut dialog, &message).await
            }
        }
    }

    async fn protected<S>(&self, stream: S, cx: &Cx, left: std::time::Duration) -> Result<Dialog<TlsStream<S>>, String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let begun = Instant::now();
        let (stream, presented) = cx
            .net
            .tls
            .connect(stream, &self.server, Offer::Nothing, None, left)
            .await
            .map_err(|error| error.to_string())?;
        let now = cx.net.clock.wall();
        cx.net.tls.believe(&presented, &self.server, &self.trust, now).await.map_err(|error| error.to_string())?;
        Ok(Dialog::new(stream, left.saturating_sub(begun.elapsed())))
    }

    async fn send<S>(&self, dialog: &mut Dialog<S>, message: &str) -> Result<(), String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if let Some((user, password)) = &self.login {
            let password: Secret<String> =
                secret::fetch(password).await.map_err(|error| format!("the password: {error}"))?;
            send::log_in(dialog, &Login { user, password: &password }).await.map_err(|error| said(&error))?;
        }
        send::send(dialog, &self.from, &self.to, message).await.map_err(|error| said(&error))?;
        mail::leave(dialog, Protocol::Smtp).await;
        Ok(())
    }
}

async fn greet<S>(dialog: &mut Dialog<S>, own: &str) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    mail::greeting(dialog, Protocol::Smtp).await.map_err(|error| said(&error))?;
    mail::capabilities(dialog, Protocol::Smtp, own).await.map_err(|error| said(&error))?;
    Ok(())
}

fn said(error: &TalkError) -> String {
    error.to_string()
}

/// What we say that we are called: the sender's domain.
fn own_name(from: &str) -> &str {
    from.rsplit_once('@').map_or("localhost", |(_, domain)| domain)
}

/// A message of RFC 5322 with an encoded subject (RFC 2047) and a body in UTF-8 (RFC 2045): nothing in the texts can end a
/// header or the message.
fn message(from: &str, to: &[String], batch: &Batch, now: Timestamp) -> String {
    // 45 octets make 60 letters; an encoded word has at most 75 in all. Cut between characters.
    let mut words = vec![String::new()];
    for character in format!("[noctty] {}", subject(batch)).chars() {
        if words.last().is_some_and(|word| word.len() + character.len_utf8() > 42) {
            words.push(String::new());
        }
        words.last_mut().expect("there is one").push(character);
    }
    let encoded: Vec<String> =
        words.iter().map(|word| format!("=?UTF-8?B?{}?=", BASE64.encode(word.as_bytes()))).collect();
    let body = BASE64.encode(text(batch).as_bytes());
    let body: Vec<&str> =
        body.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!(
        "Date: {}\r\nFrom: noctty <{from}>\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}@{}>\r\nAuto-Submitted: auto-generated\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        date(now),
        to.iter().map(|address| format!("<{address}>")).collect::<Vec<_>>().join(", "),
        encoded.join("\r\n "),
        ulid::Ulid::new(),
        own_name(from),
        body.join("\r\n"),
    )
}

/// RFC 5322 §3.3.
fn date(now: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(now.millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_cannot_carry_commands() {
        for good in ["noc@example.net", "a.b+c@sub.example.net", "x@y"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "noc", "@example.net", "noc@", "a b@c", "a@b>\r\nRCPT TO:<x@y", "a@b>", "ü@b"] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn a_message_is_ascii_with_short_lines_whatever_the_devices_are_called() {
        let mut alert =
            super::super::tests::alert("core\r\nBcc: evil@example.net\u{202e}", crate::model::Condition::Critical);
        alert.reason = "ü".repeat(5_000).as_str().into();
        let change = crate::notify::Change { id: "1".into(), alert };
        let batch = Batch { changes: vec![change; 3], ..Batch::default() };
        let message = message("noctty@example.net", &["noc@example.net".to_owned()], &batch, Timestamp(0));
        assert!(message.is_ascii());
        assert!(message.lines().all(|line| line.len() <= 90), "{message}");
        assert!(message.starts_with("Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"), "{message}");
        let (head, _) = message.split_once("\r\n\r\n").expect("a head");
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    }
}
