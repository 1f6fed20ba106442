//! A check that could not be read as it is written. It is not asked with what is usual in place of what is wrong: that would be
//! another check. It stands in its host's list, asks nothing, and says why.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{CheckEntry, HostEntry};
use crate::engine::plan::{Bound, Runner};
use crate::model::{CheckKey, CheckSpec, Reading, Subject, Wire};
use crate::probe::{Cx, Probe, Running};

/// It costs nothing, and what it says changes with the configuration only.
const EVERY: Duration = Duration::from_secs(300);

#[derive(Debug)]
struct Unread {
    why: Arc<str>,
}

impl Probe for Unread {
    fn run<'a>(&'a self, _: &'a Cx) -> Running<'a> {
        Box::pin(std::future::ready(Reading::unknown(format!("not asked: {}", self.why))))
    }

    fn wire(&self) -> Wire {
        wire()
    }

    fn speaks_for_host(&self) -> bool {
        false
    }
}

const NOTHING: &str = "nothing: it could not be read";

fn wire() -> Wire {
    Wire { protocol: NOTHING.into(), destination: Arc::default() }
}

/// What stands in the place of `check`. `read` is what could be made of it, for its name; `others` have theirs already.
pub fn bound(entry: &HostEntry, check: &CheckEntry, read: Option<&Bound>, why: &Arc<str>, others: &[Bound]) -> Bound {
    let kind: Arc<str> = check.kind.as_str().into();
    let name = read.map_or_else(|| kind.clone(), |read| read.spec.key.name.clone());
    let name = if others.iter().any(|other| other.spec.key.name == name) {
        let (line, column) = check.place.line_and_column();
        format!("{kind}:line {line}:{column}").into()
    } else {
        name
    };
    let spec = CheckSpec {
        key: CheckKey { subject: Subject::Host(entry.host.id.clone()), name },
        kind,
        interval: EVERY,
        timeout: Duration::from_secs(1),
        retry_interval: EVERY,
        attempts: 1,
        decides_reachability: false,
        fixed_pace: true,
        eases: false,
        volatile: false,
        runbook: None,
        speaks_for_host: false,
        waits_for: None,
        wire: wire(),
    };
    let run = Runner::Probe(Arc::new(Unread { why: why.clone() }), None);
    Bound { spec: Arc::new(spec), run, thresholds: Arc::from([]), flapping: None }
}

/// Whether a check asks nothing for that reason.
pub fn is(bound: &Bound) -> bool {
    &*bound.spec.wire.protocol == NOTHING
}

/// Why the first of a host's checks is not even known by its kind.
pub fn first(entry: &HostEntry) -> Option<Arc<str>> {
    entry.checks.iter().flatten().find_map(|check| check.unread.clone())
}

#[cfg(test)]
mod tests {
    use super::super::bind_what_can_be;
    use super::*;
    use crate::base::Clock;
    use crate::config::salvage;
    use crate::model::Outcome;
    use crate::net::Net;

    /// Each check with what it says, where it is one that asks nothing; and why the host is not watched.
    async fn told(checks: &str) -> (Vec<(String, Option<String>)>, Option<String>) {
        let text = format!("[[host]]\nname = \"a\"\naddress = \"192.0.2.1\"\nchecks = [\n{checks}\n]\n");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("noctty.toml");
        std::fs::write(&file, text).expect("written");
        let (plan, _) = bind_what_can_be(&salvage::read(&file).0, None);
        let clock = Clock::start();
        let mut out = Vec::new();
        for check in &plan.checks {
            let says = if is(check) {
                let reading = check.run.run(&Net::new(clock), clock, Duration::from_secs(1)).await;
                assert_eq!(reading.outcome, Outcome::Unknown);
                assert!(!check.spec.decides_reachability && !check.spec.speaks_for_host);
                Some(reading.summary.line())
            } else {
                None
            };
            out.push((check.spec.key.name.to_string(), says));
        }
        (out, plan.inventory.hosts[0].not_probed.as_deref().map(str::to_owned))
    }

    #[tokio::test]
    async fn a_check_with_a_wrong_option_is_not_asked_with_what_is_usual_instead() {
        for (wrong, name, want) in [
            ("{ kind = \"ssh\", port = 99999 }", "ssh", "`port` is 99999, outside 1 to 65535"),
            ("{ kind = \"dns\", name = \"lab.test\", transport = \"tpc\" }", "dns:lab.test", "knows no \"tpc\""),
            ("{ kind = \"tcp\", port = 25, family = \"ip6\" }", "tcp:25", "knows no \"ip6\""),
            ("{ kind = \"tcp\", prot = 25 }", "tcp", "needs a port"),
            ("{ kind = \"tcp\", port = 25, interval = \"5x\" }", "tcp:25", "\"5x\" is not a duration"),
            (
                "{ kind = \"tcp\", port = 25, thresholds = { tiem = { warn = 1 } } }",
                "tcp:25",
                "no number called `tiem`",
            ),
            ("{ kind = \"tcp\", port = 25, flapping = \"x\" }", "tcp:25", "\"x\""),
            ("\"imcp\"", "imcp", "did you mean \"icmp\"?"),
            ("{ port = 80 }", "check", "a check table needs `kind`"),
            ("5", "check", "a check is a name or a table"),
        ] {
            let (checks, host) = told(&format!("\"icmp\",\n{wrong}")).await;
            let says = checks.iter().find(|(found, _)| found == name).and_then(|(_, says)| says.clone());
            let says = says.unwrap_or_else(|| panic!("{wrong}: {checks:?}"));
            assert!(says.starts_with("not asked: noctty.toml:6:") && says.contains(want), "{wrong}: {says}");
            assert_eq!((checks[0].clone(), checks.len(), host), (("icmp".to_owned(), None), 2, None), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_host_whose_every_check_is_wrong_is_not_watched_for_that_reason() {
        for wrong in ["{ kind = \"icmp\", size = -1 },\n\"imcp\"", "{ port = 80 }"] {
            let (checks, host) = told(wrong).await;
            assert!(checks.is_empty(), "{checks:?}");
            assert!(host.is_some_and(|why| why.starts_with("noctty.toml:5:")));
        }
    }

    #[test]
    fn what_is_tagged_core_is_asked_as_fast_where_one_of_its_checks_could_not_be_read() {
        let interval = |checks: &str| {
            let text =
                format!("[[host]]\nname = \"a\"\naddress = \"192.0.2.1\"\ntags = [\"core\"]\nchecks = [{checks}]\n");
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("noctty.toml");
            std::fs::write(&file, text).expect("written");
            let (plan, problems) = bind_what_can_be(&salvage::read(&file).0, None);
            let slow = problems.iter().filter(|problem| problem.short().contains("may be down for")).count();
            let tcp = plan.checks.iter().find(|check| &*check.spec.kind == "tcp" && !is(check)).expect("it is asked");
            (tcp.spec.interval, slow)
        };
        let quick = interval("{ kind = \"tcp\", port = 22 }");
        assert!(quick.0 <= Duration::from_secs(10), "{quick:?}");
        assert_eq!(interval("{ kind = \"tcp\", port = 22 }, { kind = \"icmp\", size = -1 }"), quick);
    }

    #[tokio::test]
    async fn two_that_are_wrong_are_told_apart_by_their_place() {
        let (checks, _) = told("\"icmp\",\n{ kind = \"ssh\" },\n{ kind = \"ssh\", port = -1 }").await;
        let names: Vec<&str> = checks.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["icmp", "ssh", "ssh:line 7:1"]);
    }
}
