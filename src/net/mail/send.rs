//! Handing one message to a mail server (RFC 5321, AUTH PLAIN by RFC 4954 and 4616).

use data_encoding::BASE64;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{MailError, smtp_answer};
use crate::base::Secret;
use crate::net::dialog::Dialog;

/// Who logs in.
#[derive(Debug)]
pub struct Login<'a> {
    pub user: &'a str,
    pub password: &'a Secret<String>,
}

/// Logs in.
///
/// # Errors
/// It is refused; the answer never has the password.
pub async fn log_in<S>(dialog: &mut Dialog<S>, login: &Login<'_>) -> Result<(), MailError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let words = Secret::new(format!("\0{}\0{}", login.user, login.password.expose()));
    let line = Secret::new(format!("AUTH PLAIN {}", BASE64.encode(words.expose().as_bytes())));
    dialog.say(line.expose()).await?;
    expect(dialog, "AUTH", 235).await
}

/// Hands a message over: `message` has its header and its lines end in LF or CRLF.
///
/// # Errors
/// Sender, a recipient or the message is refused. What was accepted before is taken back by the end of the connection.
pub async fn send<S>(dialog: &mut Dialog<S>, from: &str, to: &[String], message: &str) -> Result<(), MailError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    dialog.say(&format!("MAIL FROM:<{from}>")).await?;
    expect(dialog, "MAIL FROM", 250).await?;
    for recipient in to {
        dialog.say(&format!("RCPT TO:<{recipient}>")).await?;
        expect(dialog, "RCPT TO", 250).await?;
    }
    dialog.say("DATA").await?;
    expect(dialog, "DATA", 354).await?;
    for line in message.lines() {
        // A line that is a point alone would end the message.
        let point = if line.starts_with('.') { "." } else { "" };
        dialog.say(&format!("{point}{line}")).await?;
    }
    dialog.say(".").await?;
    expect(dialog, "the message", 250).await
}

/// 251 is a 250 that knows more (RFC 5321 §4.2.3).
async fn expect<S>(dialog: &mut Dialog<S>, step: &'static str, wanted: u16) -> Result<(), MailError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (code, line) = smtp_answer(dialog).await?.first();
    let fits = code == wanted || (wanted == 250 && code == 251);
    if fits { Ok(()) } else { Err(MailError::Refused { step, answer: line }) }
}
