//! Handing one message to a mail server (RFC 5321, AUTH PLAIN by RFC 4954 and 4616).

use data_encoding::BASE64;
use tokio::io::{AsyncRead, AsyncWrite};

use super::smtp_answer;
use crate::base::Secret;
use crate::net::dialog::{Dialog, TalkError};

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
pub async fn log_in<S>(dialog: &mut Dialog<S>, login: &Login<'_>) -> Result<(), TalkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let words = Secret::new(format!("\0{}\0{}", login.user, login.password.expose()));
    let line = Secret::new(format!("AUTH PLAIN {}", BASE64.encode(words.expose().as_bytes())));
    ask(dialog, "AUTH", line.expose(), 235).await
}

/// Hands a message over: `message` has its header and its lines end in LF or CRLF.
///
/// # Errors
/// Sender, a recipient or the message is refused. What was accepted before is taken back by the end of the connection.
pub async fn send<S>(dialog: &mut Dialog<S>, from: &str, to: &[String], message: &str) -> Result<(), TalkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    ask(dialog, "MAIL FROM", &format!("MAIL FROM:<{from}>"), 250).await?;
    for recipient in to {
        ask(dialog, "RCPT TO", &format!("RCPT TO:<{recipient}>"), 250).await?;
    }
    ask(dialog, "DATA", "DATA", 354).await?;
    for line in message.lines() {
        // A line that is a point alone would end the message.
        let point = if line.starts_with('.') { "." } else { "" };
        let said = dialog.say(&format!("{point}{line}")).await;
        said.map_err(|error| TalkError::from(error).at("the message"))?;
    }
    ask(dialog, "the message", ".", 250).await
}

/// 251 is a 250 that knows more (RFC 5321 §4.2.3).
async fn ask<S>(dialog: &mut Dialog<S>, step: &'static str, line: &str, wanted: u16) -> Result<(), TalkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let said = async {
        dialog.say(line).await?;
        smtp_answer(dialog).await
    };
    let (code, line) = said.await.map_err(|error| error.at(step))?.first();
    let fits = code == wanted || (wanted == 250 && code == 251);
    if fits { Ok(()) } else { Err(TalkError::Refused { step, answer: line }) }
}
