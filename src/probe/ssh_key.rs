//! `ssh-key`: is the host key the one that is known. A changed key is critical, with both fingerprints, and stays so until
//! somebody has corrected what is known. No log-in is tried.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Cx, Kind, Pace, Probe, Running, with_passed_over};
use crate::base::options::{OptionDoc, Problem, Reader};
use crate::model::{Host, Reading, Unit, Wire};
use crate::net::tcp::{self, Connected};
use crate::ssh::host_key::{self, HostKey, Recollection};
use crate::ssh::known_hosts::Verdict;

pub static KIND: Kind = Kind {
    name: "ssh-key",
    help: "the SSH host key against known_hosts, and against the first one seen; no log-in",
    options: &[
        OptionDoc { name: "port", form: "integer", default: "22", help: "the port" },
        OptionDoc {
            name: "fingerprints",
            form: "array",
            default: "",
            help: "the keys that are good, as `ssh-keygen -l` prints them (`SHA256:…`); then no file is read",
        },
        OptionDoc {
            name: "known_hosts",
            form: "array",
            default: "the user's and the system's",
            help: "files of known hosts, relative to this one",
        },
        OptionDoc {
            name: "remember",
            form: "string",
            default: "",
            help: "a file of known hosts, relative to this one, to which a key that is in none is added when it is first seen",
        },
    ],
    pace: Pace {
        interval: Duration::from_secs(900),
        timeout: Duration::from_secs(10),
        retry_interval: Duration::from_secs(60),
        attempts: 2,
        decides_reachability: false,
    },
    bind,
};

#[derive(Debug)]
struct SshKey {
    address: Arc<str>,
    /// Under which the key may be recorded.
    names: Vec<Arc<str>>,
    port: u16,
    fingerprints: Vec<String>,
    files: Vec<PathBuf>,
    remember: Option<PathBuf>,
    /// The key that was seen first, where no file knows any.
    first: Mutex<Option<HostKey>>,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let port = options.integer("port", 1..=65_535).and_then(|p| u16::try_from(p).ok()).unwrap_or(22);
    let mut fingerprints = Vec::new();
    for (text, place) in options.placed_strings("fingerprints").unwrap_or_default() {
        if text.strip_prefix("SHA256:").is_none_or(|hash| hash.trim_end_matches('=').len() != 43) {
            let problem = Problem::error(&place, format!("\"{text}\" is no fingerprint"));
            options.problem(problem.hint("SHA256: and 43 characters, as `ssh-keygen -lf` prints them"));
        }
        fingerprints.push(text.trim_end_matches('=').to_owned());
    }
    let files = options.paths("known_hosts");
    let remember = options.path("remember");
    let mut files: Vec<PathBuf> = files.unwrap_or_else(host_key::usual_files);
    files.extend(remember.clone());
    let address = host.address.clone()?;
    let mut names = vec![address.clone()];
    names.extend(host.ssh_alias.clone());
    names.push(host.name.clone());
    Some(Box::new(SshKey { address, names, port, fingerprints, files, remember, first: Mutex::default() }))
}

impl Probe for SshKey {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        Wire {
            protocol: "SSH handshake up to the host key".into(),
            destination: format!("{}:{}", self.address, self.port).into(),
        }
    }

    fn numbers(&self) -> Option<Vec<String>> {
        Some(super::named(&["rtt"]))
    }

    fn instance(&self) -> String {
        if self.port == 22 { String::new() } else { self.port.to_string() }
    }
}

impl SshKey {
    async fn ask(&self, cx: &Cx) -> Reading {
        let recollection = match self.recall().await {
            Ok(recollection) => recollection,
            Err(why) => return Reading::unknown(why),
        };
        let addresses = match cx.addresses(&self.address, cx.timeout).await {
            Ok(addresses) => addresses,
            Err(error) => return Reading::unknown(error.to_string()),
        };
        let Connected { stream, took, passed_over } = match tcp::connect_any(&addresses, self.port, cx.timeout).await {
            Ok(connected) => connected,
            Err(error) => return Reading::critical(error.to_string()),
        };
        let key = match host_key::read(stream, &recollection, cx.timeout.saturating_sub(took)).await {
            Ok(key) => key,
            Err(why) => return Reading::critical(why),
        };
        let reading = self.judge(&key, &recollection).await.metric("rtt", took.as_secs_f64(), Unit::Seconds);
        with_passed_over(reading, &passed_over)
    }

    async fn recall(&self) -> Result<Recollection, String> {
        let (names, port) = (self.names.clone(), self.port);
        let files = if self.fingerprints.is_empty() { self.files.clone() } else { Vec::new() };
        let reading = tokio::task::spawn_blocking(move || {
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            Recollection::read(&files, &names, port)
        });
        reading.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())
    }

    async fn judge(&self, key: &HostKey, recollection: &Recollection) -> Reading {
        let shown = format!("{} {}", key.algorithm(), key.fingerprint());
        let changed = |known: String| {
            Reading::critical(format!("HOST KEY CHANGED: now {shown}, known {known}")).log(
                "somebody may be in between, or the host was reinstalled: ask its owner, then correct what is known",
            )
        };
        if !self.fingerprints.is_empty() {
            return if self.fingerprints.contains(&key.fingerprint()) {
                Reading::ok(format!("{shown}, as configured"))
            } else {
                changed(self.fingerprints.join(", "))
            };
        }
        match recollection.judge(key) {
            Verdict::Known => Reading::ok(format!("{shown}, known")),
            Verdict::Revoked(recorded) => Reading::critical(format!(
                "HOST KEY REVOKED: {shown} is marked @revoked in {}:{}",
                recorded.file.display(),
                recorded.line
            )),
            Verdict::Changed(recorded) => {
                let places = recorded
                    .iter()
                    .take(4)
                    .map(|old| format!("{} {} ({}:{})", old.algorithm, old.fingerprint, old.file.display(), old.line));
                changed(places.collect::<Vec<_>>().join(", "))
            }
            Verdict::Unknown => self.compare_with_first(key, &shown, recollection).await.unwrap_or_else(changed),
        }
    }

    /// For a key that no file knows; `Err` with the first one where this is another.
    async fn compare_with_first(
        &self,
        key: &HostKey,
        shown: &str,
        recollection: &Recollection,
    ) -> Result<Reading, String> {
        {
            let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
            match &*first {
                Some(first) if first != key => {
                    return Err(format!("{} {} (first seen)", first.algorithm(), first.fingerprint()));
                }
                Some(_) => return Ok(Reading::ok(format!("{shown}, as first seen; in no known_hosts"))),
                None => *first = Some(key.clone()),
            }
        }
        let Some(file) = &self.remember else {
            return Ok(Reading::ok(format!("{shown}, first seen; in no known_hosts")));
        };
        let (recollection, file, key) = (recollection.clone(), file.clone(), key.clone());
        let writing = tokio::task::spawn_blocking(move || recollection.remember(&file, &key).map(|()| file));
        Ok(match writing.await {
            Ok(Ok(file)) => Reading::ok(format!("{shown}, first seen, remembered in {}", file.display())),
            Ok(Err(error)) => Reading::warning(format!("{shown}, first seen; {error}")),
            Err(error) => Reading::warning(format!("{shown}, first seen; {error}")),
        })
    }
}
