//! TLS inside another protocol: from the first byte on, by the protocol's own command, or not at all; and the one place where a
//! check goes on only with a server that is believed.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::Cx;
use crate::base::options::{OptionDoc, Problem, Reader};
use crate::model::{Outcome, Reading};
use crate::net::tls::{self, Offer, TlsStream, Trust};

pub const STARTTLS: OptionDoc = OptionDoc {
    name: "starttls",
    form: "boolean",
    default: "false",
    help: "TLS must be offered and begin, with a certificate that is believed",
};
pub const TLS: OptionDoc =
    OptionDoc { name: "tls", form: "boolean", default: "false", help: "TLS from the first byte on" };
/// What a server is called, for every probe that checks a certificate.
pub const NAME: OptionDoc = OptionDoc {
    name: "name",
    form: "string",
    default: "the host's address",
    help: "what the certificate must be for; it is sent as SNI too",
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    None,
    StartTls,
    Whole,
}

#[derive(Debug)]
pub struct Protection {
    pub how: How,
    name: String,
    trust: Trust,
}

impl Protection {
    /// Reads `starttls`, `tls`, `name`, `ca` and `verify`.
    pub fn read(address: &Arc<str>, options: &mut Reader<'_>) -> Option<Self> {
        let (starttls, tls) = (options.bool("starttls").unwrap_or(false), options.bool("tls").unwrap_or(false));
        let name = tls::read_name(options).unwrap_or_else(|| address.to_string());
        let trust = Trust::read(options);
        let how = match (starttls, tls) {
            (false, false) => How::None,
            (true, false) => How::StartTls,
            (false, true) => How::Whole,
            (true, true) => {
                let place = options.place().clone();
                let problem = Problem::error(&place, "`starttls` and `tls` exclude each other");
                options.problem(
                    problem.hint("`tls` where TLS begins with the first byte, `starttls` where it is asked for"),
                );
                return None;
            }
        };
        Some(Self { how, name, trust })
    }

    /// The names of a check's numbers, with that of the certificate where there is one.
    pub fn numbers(&self, own: &[&str]) -> Vec<String> {
        let mut all = super::named(own);
        if self.how != How::None {
            all.push("days_left".to_owned());
        }
        all
    }

    /// TLS with a server that is believed, and how many days its certificate has left; otherwise what there is to say of it.
    pub async fn begin<S>(&self, stream: S, cx: &Cx, left: Duration) -> Result<(TlsStream<S>, Option<f64>), Reading>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let shaken = cx.net.tls.connect(stream, &self.name, Offer::Nothing, None, left).await;
        let (stream, presented) = shaken.map_err(|e| Reading::critical(e.to_string()))?;
        let now = cx.net.clock.wall();
        let believed = cx.net.tls.believe(&presented, &self.name, &self.trust, now).await;
        believed.map_err(|error| {
            let outcome = if error.is_ours() { Outcome::Unknown } else { Outcome::Critical };
            Reading::new(outcome, error.to_string())
        })?;
        Ok((stream, presented.days_left(now)))
    }
}
