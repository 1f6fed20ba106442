//! The first words with a mail server: SMTP (RFC 5321, STARTTLS by RFC 3207), IMAP (RFC 3501) and POP3 (RFC 1939, CAPA by
//! RFC 2449, STLS by RFC 2595). No log-in, no mail.

pub mod send;

use tokio::io::{AsyncRead, AsyncWrite};

use super::dialog::{Dialog, TalkError};
use crate::base::Untrusted;

/// Bytes of a line that are shown where it is not what was expected.
const MOST_SHOWN: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mail {
    Smtp,
    Imap,
    Pop3,
}

impl Mail {
    pub fn name(self) -> &'static str {
        match self {
            Self::Smtp => "SMTP",
            Self::Imap => "IMAP",
            Self::Pop3 => "POP3",
        }
    }

    /// Without TLS, and with TLS from the first byte on.
    pub fn ports(self) -> [u16; 2] {
        match self {
            Self::Smtp => [25, 465],
            Self::Imap => [143, 993],
            Self::Pop3 => [110, 995],
        }
    }

    /// What asks for the capabilities.
    pub fn question(self) -> &'static str {
        match self {
            Self::Smtp => "EHLO",
            Self::Imap => "CAPABILITY",
            Self::Pop3 => "CAPA",
        }
    }

    /// What has TLS begin; the capability is called the same.
    pub fn starttls(self) -> &'static str {
        match self {
            Self::Smtp | Self::Imap => "STARTTLS",
            Self::Pop3 => "STLS",
        }
    }
}

/// What a server said of itself.
#[derive(Clone, Debug, Default)]
pub struct Greeting {
    pub line: Untrusted,
    /// In upper case: `STARTTLS`, `SIZE 1000`, `IMAP4REV1`.
    pub capabilities: Vec<String>,
}

/// Whether TLS may begin by the protocol's command.
pub fn offers_tls(protocol: Mail, capabilities: &[String]) -> bool {
    capabilities.iter().any(|capability| capability == protocol.starttls())
}

/// Reads the greeting.
///
/// # Errors
/// There is none, it is of another protocol, or it refuses us.
pub async fn greeting<S>(dialog: &mut Dialog<S>, protocol: Mail) -> Result<Untrusted, TalkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    read_greeting(dialog, protocol).await.map_err(|error| error.at("greeting"))
}

async fn read_greeting<S>(dialog: &mut Dialog<S>, protocol: Mail) -> Result<Untrusted, TalkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match protocol {
        Mail::Smtp => {
            let (code, line) = smtp_answer(dialog).await?.first();
            if code != 220 {
                return Err(TalkError::Refused { step: "it greets with", answer: line });
            }
            Ok(line)
        }
        Mail::Imap => {
            let line = dialog.line().await?;
            let answer = Untrusted::bounded(&line, MOST_SHOWN);
            if starts(&line, b"* OK") || starts(&line, b"* PREAUTH") {
                return Ok(Untrusted::new(&line[2..]));
            }
            if starts(&line, b"* BYE") {
                return Err(TalkError::Refused { step: "it greets with", answer });
            }
            Err(TalkError::Other { protocol: protocol.name(), said: answer })
        }
        Mail::Pop3 => {
            let line = dialog.line().await?;
            if starts(&line, b"+OK") {
                return Ok(Untrusted::new(&line));
            }
            let answer = Untrusted::bounded(&line, MOST_SHOWN);
            Err(if starts(&line, b"-ERR") {
                TalkError::Refused { step: "it greets with", answer }
            } else {
                TalkError::Other { protocol: protocol.name(), said: answer }
            })
        }
    }
}

/// Asks what it can do. `own` is our name or address for EHLO.
///
/// # Errors
/// It does not say.
pub async fn capabilities<S>(dialog: &mut Dialog<S>, protocol: Mail, own: &str) -> Result<Vec<String>, TalkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    ask_capabilities(dialog, protocol, own).await.map_err(|error| error.at(protocol.question()))
}

async fn ask_capabilities<S>(dialog: &mut Dialog<S>, protocol: Mail, own: &str) -> Result<Vec<String>, TalkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match protocol {
        Mail::Smtp => {
            dialog.say(&format!("EHLO {own}")).await?;
            let answer = smtp_answer(dialog).await?;
            if answer.code != 250 {
                return Err(TalkError::Refused { step: "EHLO", answer: answer.first().1 });
            }
            let upper =
                |line: &Vec<u8>| String::from_utf8_lossy(line.get(4..).unwrap_or_default()).to_ascii_uppercase();
            Ok(answer.lines.iter().skip(1).map(upper).collect())
        }
        Mail::Imap => {
            let lines = imap_answer(dialog, "a1", "CAPABILITY").await?;
            let told = lines.iter().find(|line| starts(line, b"* CAPABILITY"));
            let words = told.map(|line| String::from_utf8_lossy(line).to_ascii_uppercase()).unwrap_or_default();
            Ok(words.split(' ').skip(2).map(str::to_owned).collect())
        }
        Mail::Pop3 => {
            dialog.say("CAPA").await?;
            // Who does not know the question (RFC 2449 §5) offers nothing.
            if !starts(&dialog.line().await?, b"+OK") {
                return Ok(Vec::new());
            }
            let mut told = Vec::new();
            loop {
                let line = dialog.line().await?;
                if line == b"." {
                    return Ok(told);
                }
                told.push(String::from_utf8_lossy(&line).to_ascii_uppercase());
            }
        }
    }
}

/// Has it begin TLS: the next byte is the handshake's.
///
/// # Errors
/// It refuses.
pub async fn start_tls<S>(dialog: &mut Dialog<S>, protocol: Mail) -> Result<(), TalkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    ask_for_tls(dialog, protocol).await.map_err(|error| error.at(protocol.starttls()))
}

async fn ask_for_tls<S>(dialog: &mut Dialog<S>, protocol: Mail) -> Result<(), TalkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match protocol {
        Mail::Smtp => {
            dialog.say("STARTTLS").await?;
            let (code, line) = smtp_answer(dialog).await?.first();
            if code == 220 { Ok(()) } else { Err(TalkError::Refused { step: "STARTTLS", answer: line }) }
        }
        Mail::Imap => imap_answer(dialog, "a2", "STARTTLS").await.map(|_| ()),
        Mail::Pop3 => {
            dialog.say("STLS").await?;
            let line = dialog.line().await?;
            let answer = Untrusted::bounded(&line, MOST_SHOWN);
            if starts(&line, b"+OK") { Ok(()) } else { Err(TalkError::Refused { step: "STLS", answer }) }
        }
    }
}

/// Takes leave, and does not wait for the answer.
pub async fn leave<S>(dialog: &mut Dialog<S>, protocol: Mail)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let words = match protocol {
        Mail::Smtp | Mail::Pop3 => "QUIT",
        Mail::Imap => "a3 LOGOUT",
    };
    // Gone already is as good.
    if dialog.say(words).await.is_ok() {
        let _ = dialog.line().await;
    }
}

/// All of it up to the first byte of TLS.
///
/// # Errors
/// It does not come so far.
pub async fn up_to_tls<S>(dialog: &mut Dialog<S>, protocol: Mail, own: &str) -> Result<(), TalkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    greeting(dialog, protocol).await?;
    if !offers_tls(protocol, &capabilities(dialog, protocol, own).await?) {
        leave(dialog, protocol).await;
        return Err(TalkError::NotOffered(protocol.starttls()));
    }
    start_tls(dialog, protocol).await
}

struct Answer {
    code: u16,
    lines: Vec<Vec<u8>>,
}

impl Answer {
    /// The code of the last line, which is the one that counts, with the first line that has it.
    fn first(&self) -> (u16, Untrusted) {
        let code = self.code.to_string();
        let line = self.lines.iter().find(|line| line.starts_with(code.as_bytes()));
        (self.code, line.map(|line| Untrusted::bounded(line, MOST_SHOWN)).unwrap_or_default())
    }
}

/// `250-one`, `250-two`, `250 last` (RFC 5321 §4.2.1).
async fn smtp_answer<S>(dialog: &mut Dialog<S>) -> Result<Answer, TalkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut lines: Vec<Vec<u8>> = Vec::new();
    loop {
        let line = dialog.line().await?;
        let digits = line.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| digits.parse::<u16>().ok()).filter(|code| (200..600).contains(code));
        let (Some(code), b' ' | b'-') = (code, line.get(3).copied().unwrap_or(b' ')) else {
            return Err(TalkError::Other { protocol: Mail::Smtp.name(), said: Untrusted::bounded(&line, MOST_SHOWN) });
        };
        let last = line.get(3) != Some(&b'-');
        lines.push(line);
        if last {
            return Ok(Answer { code, lines });
        }
    }
}

/// Untagged lines, and then the tagged one with its `OK`.
async fn imap_answer<S>(dialog: &mut Dialog<S>, tag: &str, command: &'static str) -> Result<Vec<Vec<u8>>, TalkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    dialog.say(&format!("{tag} {command}")).await?;
    let mut lines = Vec::new();
    loop {
        let line = dialog.line().await?;
        if let Some(rest) = line.strip_prefix(tag.as_bytes()).and_then(|rest| rest.strip_prefix(b" ")) {
            if starts(rest, b"OK") {
                return Ok(lines);
            }
            return Err(TalkError::Refused { step: command, answer: Untrusted::new(rest) });
        }
        lines.push(line);
    }
}

fn starts(line: &[u8], with: &[u8]) -> bool {
    line.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with))
}
