//! `smtp`, `imap` and `pop3`: does a mail server greet, what can it do, and does TLS begin where it should. No log-in, no mail.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::protection::{self, How, Protection};
use super::tls::mail_name;
use super::{Bind, Cx, Kind, Pace, Probe, Running, with_passed_over};
use crate::base::options::{OptionDoc, Problem, Reader};
use crate::base::{Untrusted, units};
use crate::model::{Host, Reading, Unit, Wire};
use crate::net::dialog::{Dialog, TalkError};
use crate::net::mail::{self, Greeting, Mail};
use crate::net::tcp::{self, Connected};
use crate::net::tls;

pub static SMTP: Kind = Kind {
    name: "smtp",
    help: "a mail server's greeting and what it can do (EHLO), STARTTLS; no mail is sent",
    options: &[
        OptionDoc { name: "port", form: "integer", default: "25", help: "the port; 465 with `tls`" },
        OptionDoc { name: "helo", form: "string", default: "our address", help: "what we say that we are called" },
        protection::STARTTLS,
        protection::TLS,
        protection::NAME,
        tls::CA,
        tls::VERIFY,
    ],
    pace: PACE,
    bind: bind_smtp as Bind,
};

pub static IMAP: Kind = Kind {
    name: "imap",
    help: "an IMAP server's greeting and what it can do (CAPABILITY), STARTTLS; no log-in",
    options: &[
        OptionDoc { name: "port", form: "integer", default: "143", help: "the port; 993 with `tls`" },
        protection::STARTTLS,
        protection::TLS,
        protection::NAME,
        tls::CA,
        tls::VERIFY,
    ],
    pace: PACE,
    bind: bind_imap as Bind,
};

pub static POP3: Kind = Kind {
    name: "pop3",
    help: "a POP3 server's greeting and what it can do (CAPA), STLS; no log-in",
    options: &[
        OptionDoc { name: "port", form: "integer", default: "110", help: "the port; 995 with `tls`" },
        protection::STARTTLS,
        protection::TLS,
        protection::NAME,
        tls::CA,
        tls::VERIFY,
    ],
    pace: PACE,
    bind: bind_pop3 as Bind,
};

const PACE: Pace = Pace {
    interval: Duration::from_secs(60),
    timeout: Duration::from_secs(10),
    retry_interval: Duration::from_secs(15),
    attempts: 3,
    decides_reachability: false,
};

#[derive(Debug)]
struct MailCheck {
    protocol: Mail,
    address: Arc<str>,
    port: u16,
    helo: Option<String>,
    protection: Protection,
}

fn bind_smtp(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let helo = options.string("helo");
    if let Some(helo) = &helo
        && (helo.is_empty() || !helo.bytes().all(|b| b.is_ascii_graphic()))
    {
        let place = options.place().clone();
        options.problem(Problem::error(&place, "`helo` must be a name or an address in brackets"));
        return None;
    }
    bind(Mail::Smtp, helo, host, options)
}

fn bind_imap(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    bind(Mail::Imap, None, host, options)
}

fn bind_pop3(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    bind(Mail::Pop3, None, host, options)
}

fn bind(protocol: Mail, helo: Option<String>, host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let port = options.integer("port", 1..=65_535).and_then(|p| u16::try_from(p).ok());
    let address = host.address.clone()?;
    let protection = Protection::read(&address, options)?;
    let [plain, whole] = protocol.ports();
    let port = port.unwrap_or(if protection.how == How::Whole { whole } else { plain });
    Some(Box::new(MailCheck { protocol, address, port, helo, protection }))
}

impl Probe for MailCheck {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        let commands = format!("{} {}", self.protocol.name(), self.protocol.question());
        let protocol = match self.protection.how {
            How::None => commands,
            How::StartTls => format!("{commands}, {}", self.protocol.starttls()),
            How::Whole => format!("{commands} over TLS"),
        };
        let destination = format!("{}:{}", self.address, self.port);
        Wire { protocol: protocol.into(), destination: destination.into() }
    }

    fn numbers(&self) -> Option<Vec<String>> {
        Some(self.protection.numbers(&["rtt", "greeting"]))
    }

    fn instance(&self) -> String {
        let [usual, _] = self.protocol.ports();
        if self.port == usual { String::new() } else { self.port.to_string() }
    }
}

/// What a whole conversation told.
struct Spoken {
    greeting: Greeting,
    /// How long the greeting took.
    greeted: Duration,
    /// Of the certificate, where there was TLS.
    days_left: Option<f64>,
}

impl MailCheck {
    async fn ask(&self, cx: &Cx) -> Reading {
        let addresses = match cx.addresses(&self.address, cx.timeout).await {
            Ok(addresses) => addresses,
            Err(error) => return Reading::unknown(error.to_string()),
        };
        let begun = Instant::now();
        match tcp::connect_any(&addresses, self.port, cx.timeout).await {
            Ok(Connected { stream, took, passed_over }) => {
                with_passed_over(self.talk(stream, took, begun, cx).await, &passed_over)
            }
            Err(error) => Reading::critical(error.to_string()),
        }
    }

    async fn talk(&self, stream: TcpStream, connected: Duration, begun: Instant, cx: &Cx) -> Reading {
        let own = self.helo.clone().unwrap_or_else(|| mail_name(&stream));
        let left = cx.timeout.saturating_sub(begun.elapsed());
        let spoken = match self.protection.how {
            How::Whole => self.protect(stream, &own, cx, left).await,
            How::None => {
                let mut dialog = Dialog::new(stream, left);
                self.speak(&mut dialog, &own).await
            }
            How::StartTls => {
                let mut dialog = Dialog::new(stream, left);
                match self.begin_tls(&mut dialog, &own).await {
                    Err(why) => Err(why),
                    Ok((greeted, line)) => match dialog.into_stream() {
                        Err(error) => Err(Reading::critical(error.to_string())),
                        Ok(stream) => {
                            let left = cx.timeout.saturating_sub(begun.elapsed());
                            self.continue_in_tls(stream, &own, line, greeted, cx, left).await
                        }
                    },
                }
            }
        };
        match spoken {
            Err(reading) => reading,
            Ok(Spoken { greeting, greeted, days_left }) => {
                let took = connected + greeted;
                let command = self.protocol.starttls();
                let tls = match self.protection.how {
                    How::None if mail::offers_tls(self.protocol, &greeting.capabilities) => {
                        format!(" · {command} offered")
                    }
                    How::None => format!(" · no {command}"),
                    How::StartTls => format!(" · {command} good"),
                    How::Whole => " · TLS good".to_owned(),
                };
                let reading = Reading::ok(format!("{} · {}{tls}", greeting.line.line(), units::round_trip(took)))
                    .log(Untrusted::from(greeting.capabilities.join(", ")))
                    .metric("rtt", connected.as_secs_f64(), Unit::Seconds)
                    .metric("greeting", greeted.as_secs_f64(), Unit::Seconds);
                match days_left {
                    Some(days) => reading.metric("days_left", days, Unit::Count),
                    None => reading,
                }
            }
        }
    }

    /// Greeting, capabilities, leave.
    async fn speak<S>(&self, dialog: &mut Dialog<S>, own: &str) -> Result<Spoken, Reading>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let begun = Instant::now();
        let line = mail::greeting(dialog, self.protocol).await.map_err(|e| critical(&e))?;
        let greeted = begun.elapsed();
        let capabilities = mail::capabilities(dialog, self.protocol, own).await.map_err(|e| critical(&e))?;
        mail::leave(dialog, self.protocol).await;
        Ok(Spoken { greeting: Greeting { line, capabilities }, greeted, days_left: None })
    }

    async fn begin_tls<S>(&self, dialog: &mut Dialog<S>, own: &str) -> Result<(Duration, Untrusted), Reading>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let begun = Instant::now();
        let line = mail::greeting(dialog, self.protocol).await.map_err(|e| critical(&e))?;
        let greeted = begun.elapsed();
        let capabilities = mail::capabilities(dialog, self.protocol, own).await.map_err(|e| critical(&e))?;
        if !mail::offers_tls(self.protocol, &capabilities) {
            mail::leave(dialog, self.protocol).await;
            return Err(critical(&TalkError::NotOffered(self.protocol.starttls())).log(line));
        }
        mail::start_tls(dialog, self.protocol).await.map_err(|e| critical(&e))?;
        Ok((greeted, line))
    }

    async fn continue_in_tls<S>(
        &self,
        stream: S,
        own: &str,
        line: Untrusted,
        greeted: Duration,
        cx: &Cx,
        left: Duration,
    ) -> Result<Spoken, Reading>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let begun = Instant::now();
        let (stream, days_left) = self.protection.begin(stream, cx, left).await?;
        let mut dialog = Dialog::new(stream, left.saturating_sub(begun.elapsed()));
        // What was said before TLS could have been anybody's: it is asked again.
        let capabilities = mail::capabilities(&mut dialog, self.protocol, own).await.map_err(|e| critical(&e))?;
        mail::leave(&mut dialog, self.protocol).await;
        Ok(Spoken { greeting: Greeting { line, capabilities }, greeted, days_left })
    }

    async fn protect<S>(&self, stream: S, own: &str, cx: &Cx, left: Duration) -> Result<Spoken, Reading>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let begun = Instant::now();
        let (stream, days_left) = self.protection.begin(stream, cx, left).await?;
        let mut dialog = Dialog::new(stream, left.saturating_sub(begun.elapsed()));
        Ok(Spoken { days_left, ..self.speak(&mut dialog, own).await? })
    }
}

fn critical(error: &TalkError) -> Reading {
    Reading::critical(error.to_string())
}
