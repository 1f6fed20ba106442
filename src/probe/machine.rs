//! What `linux` and `windows` have in common: a host's one SSH connection, and what is remembered from one look to the next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Cx;
use super::vitals::judge;
use super::vitals::limits::{Levels, Limits};
use crate::base::options::{OptionDoc, Problem, Reader};
use crate::base::{Timestamp, Untrusted};
use crate::model::{Host, Outcome, Reading, Vitals, Wire};
use crate::ssh::{Bounds, Link, LinkError, Links, Obstacle, Ran, Surroundings, Target};

/// A script that writes more is ended.
const OUTPUT: usize = 512 * 1024;

pub const TARGET: OptionDoc = OptionDoc {
    name: "target",
    form: "string",
    default: "the host's `ssh`, name or address",
    help: "`[user@]host[:port]` or a name of ssh_config",
};
pub const INVENTORY_EVERY: OptionDoc = OptionDoc {
    name: "inventory_every",
    form: "duration",
    default: "1h",
    help: "how often packages, updates, routes and drives are asked for",
};

/// The way to a machine.
#[derive(Debug)]
pub struct Way {
    target: Arc<str>,
    /// What ssh_config may know it by.
    named: Option<Arc<str>>,
    link: Link,
}

impl Way {
    pub fn read(host: &Host, options: &mut Reader<'_>) -> Option<Self> {
        options.elsewhere(
            &["user", "username", "port", "host", "address", "identity", "identity_file", "key", "jump", "proxy_jump"],
            "target = \"user@host:port\"; keys and jump hosts stand in ssh_config (IdentityFile, ProxyJump)",
        );
        options.elsewhere(
            &["password"],
            "nobody is asked and none is kept: put a key into the agent, or name it in ssh_config (IdentityFile)",
        );
        let own = options.string("target").map(Arc::from);
        let target: Arc<str> = own
            .clone()
            .or_else(|| host.ssh_alias.clone())
            .or_else(|| host.address.clone())
            .unwrap_or(host.name.clone());
        let named = (own.is_none() && host.ssh_alias.is_none()).then(|| host.name.clone());
        if Target::parse(&target).is_none() {
            let place = options.place().clone();
            options.problem(Problem::error(&place, format!("\"{target}\" is no [user@]host[:port]")));
            return None;
        }
        // Until somebody says where else: the ssh_config of this user.
        let links = Links::new(Surroundings::from_environment());
        let link = links.link(&target, named.as_deref());
        Some(Self { target, named, link })
    }

    /// The connections of the whole console: each host has one.
    pub fn join(&mut self, links: &Arc<Links>) {
        self.link = links.link(&self.target, self.named.as_deref());
    }

    pub fn told(&self) {
        self.link.told();
    }

    pub fn wire(&self, what: &str) -> Wire {
        Wire { protocol: format!("SSH, {what}").into(), destination: self.target.clone() }
    }

    /// Runs the script, in three quarters of the time, so that a line that is dead is told from a script that hangs.
    pub async fn ask(&self, command: &str, input: String, cx: &Cx) -> Result<Ran, LinkError> {
        self.ask_for(OUTPUT, command, input, cx).await
    }

    /// The same, for an answer of at most so many bytes.
    pub async fn ask_for(&self, output: usize, command: &str, input: String, cx: &Cx) -> Result<Ran, LinkError> {
        let bounds = Bounds { time: cx.timeout * 3 / 4, output };
        self.link.once(command, input.into_bytes(), bounds, &cx.net.names).await
    }
}

/// The verdict on a host that could not be asked. That it does not answer is critical; that it does not let us in, or that nobody
/// knows where it is, says nothing of how it is.
pub fn not_asked(error: LinkError) -> Reading {
    match error.obstacle {
        Obstacle::Unreachable | Obstacle::NoSession => Reading::critical(error.words),
        // Whoever is in between may be no friend.
        Obstacle::HostKey if error.words.contains("HAS CHANGED") || error.words.contains("REVOKED") => {
            Reading::critical(error.words)
        }
        Obstacle::NoName | Obstacle::Pace | Obstacle::HostKey | Obstacle::Human => Reading::unknown(error.words),
    }
}

/// What came in place of an answer: the first line of the standard error, else of the output.
pub fn complaint(ran: &Ran) -> String {
    let written = [&ran.errors, &ran.output].map(|bytes| bytes.trim_ascii());
    let text = written.into_iter().find(|bytes| !bytes.is_empty()).unwrap_or_default();
    let text = Untrusted::bounded(text, 2_000);
    let line = text.lines().into_iter().find_map(|line| in_words(&line)).unwrap_or_default();
    if line.is_empty() { line } else { format!(": {}", line.chars().take(300).collect::<String>()) }
}

/// A line as it is; of what PowerShell writes in place of words (`#< CLIXML`, then all objects in one line), the first error.
fn in_words(line: &str) -> Option<String> {
    if line.starts_with("#< CLIXML") || line.trim().is_empty() {
        return None;
    }
    if !line.starts_with("<Objs ") {
        return Some(line.to_owned());
    }
    let (_, error) = line.split_once("<S S=\"Error\">")?;
    let words = error.split("_x000D_").next()?.split("</S>").next()?;
    Some(words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

/// What is kept from look to look.
#[derive(Debug, Default)]
pub struct Memory<T> {
    inner: Mutex<Remembered<T>>,
}

#[derive(Debug, Default)]
pub struct Remembered<T> {
    pub counters: Option<T>,
    pub last: Option<Arc<Vitals>>,
    pub levels: Levels,
}

impl<T> Memory<T> {
    pub fn lock(&self) -> MutexGuard<'_, Remembered<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Remembered<T> {
    /// Whether what is asked for seldom is due.
    pub fn inventory_is_due(&self, now: Timestamp, every: Duration) -> bool {
        let last = self.last.as_ref().and_then(|vitals| vitals.inventoried);
        last.is_none_or(|at| now.since(at) >= every)
    }

    /// Judges a look and keeps it. `remarks` are findings about the look itself; they come first.
    pub fn conclude(&mut self, vitals: Vitals, limits: &Limits, remarks: &[String]) -> Reading {
        let (mut reading, levels) = judge::with_facts(vitals, limits, &self.levels);
        self.levels = levels;
        if let crate::model::Facts::Vitals(vitals) = &reading.facts {
            self.last = Some(vitals.clone());
        }
        if !remarks.is_empty() {
            let mut words = remarks.to_vec();
            if reading.outcome == Outcome::Critical {
                words.insert(0, reading.summary.line());
            } else {
                reading.outcome = Outcome::Warning;
                words.push(reading.summary.line());
            }
            words.retain(|words| !words.is_empty());
            reading.summary = Untrusted::from(words.join(" · "));
        }
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_powershell_says_as_objects_is_told_in_words() {
        let error = "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\"><Obj S=\"progress\" RefId=\"0\">\
                     </Obj><S S=\"Error\">The term &lt;x&gt; is not recognized._x000D__x000A_</S><S S=\"Error\">At line:1_x000D__x000A_</S></Objs>";
        assert_eq!(in_words(error).as_deref(), Some("The term <x> is not recognized."));
        let progress = "<Objs Version=\"1.1.0.1\"><Obj S=\"progress\" RefId=\"0\"></Obj></Objs>";
        for nothing in ["#< CLIXML", "", "  ", progress] {
            assert_eq!(in_words(nothing), None);
        }
        assert_eq!(in_words("sh: not found").as_deref(), Some("sh: not found"));
    }
}
