//! Runs one check: bounded in time, its panics caught. Whatever happens, exactly one observation comes out.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc;

use super::plan::Runner;
use crate::base::Clock;
use crate::model::{CheckSpec, Observation, PackageList, Reading};
use crate::net::Net;
use crate::state::Event;

/// From one panic of a thread to its next beginning, at first and at most.
pub const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// What is added to a check's own timeout before it is given up from outside.
const GRACE: Duration = Duration::from_secs(1);

/// One run. `Err` carries the words of a panic beside the observation that reports it.
pub async fn run(spec: &CheckSpec, runner: &Runner, net: &Arc<Net>, clock: Clock) -> (Observation, Option<Arc<str>>) {
    let begun = clock.now();
    let asked = AssertUnwindSafe(tokio::time::timeout(spec.timeout + GRACE, runner.run(net, clock, spec.timeout)));
    let (reading, fault) = match asked.catch_unwind().await {
        Ok(Ok(reading)) => (reading, None),
        Ok(Err(_)) => {
            let secs = spec.timeout.as_secs_f32();
            (Reading::critical(format!("no result within {secs:.1} s")), None)
        }
        Err(panic) => {
            let words = panic_words(panic.as_ref());
            let fault =
                format!("internal error in the check {} of {}: {words}", spec.key.name, spec.key.subject.id().as_str());
            (Reading::unknown(format!("internal error: {words}")), Some(Arc::from(fault)))
        }
    };
    let at = clock.now();
    (Observation { check: spec.key.clone(), at, took: at.since(begun), reading }, fault)
}

/// What is installed on a host, by the first of its checks that tells; each with the time that it has.
///
/// # Errors
/// In words: none tells, or why the one that does had no answer.
pub async fn packages(checks: &[(Runner, Duration)], net: &Arc<Net>) -> Result<PackageList, String> {
    for (runner, timeout) in checks {
        let asked = AssertUnwindSafe(tokio::time::timeout(*timeout + GRACE, runner.packages(net, *timeout)));
        match asked.catch_unwind().await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(told))) => return told,
            Ok(Err(_)) => return Err(format!("no answer within {:.0} s", timeout.as_secs_f32())),
            Err(panic) => {
                let words = panic_words(panic.as_ref());
                tracing::error!(%words, "a task panicked");
                return Err(format!("internal error: {words}"));
            }
        }
    }
    Err("no check of kind linux or local looks at it".to_owned())
}

/// Has a thread of the engine go on after a panic, which is told: without it the engine would live on half. What panics again
/// and again does so ever more seldom.
pub fn endure(name: &str, events: &mpsc::Sender<Event>, mut pause: Duration, mut work: impl FnMut()) {
    while let Err(panic) = std::panic::catch_unwind(AssertUnwindSafe(&mut work)) {
        let words = panic_words(panic.as_ref());
        let fault = format!("internal error in the thread of the {name}, which begins anew: {words}");
        tracing::error!(%fault, "a thread panicked");
        if events.blocking_send(Event::Fault(fault.into())).is_err() {
            return;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The message of a panic, bounded.
pub fn panic_words(panic: &(dyn std::any::Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a message".to_owned());
    words.chars().take(200).collect()
}

/// The message of a panic, for a hook.
pub fn panic_words_of(info: &std::panic::PanicHookInfo<'_>) -> String {
    let words = info.payload_as_str().unwrap_or("panic without a message");
    words.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AssetId, Outcome, Subject, Wire};
    use crate::probe::{Cx, Probe, Running};

    #[derive(Debug)]
    enum Odd {
        Panics,
        Hangs,
    }

    impl Probe for Odd {
        fn run<'a>(&'a self, _: &'a Cx) -> Running<'a> {
            Box::pin(async {
                match self {
                    Self::Panics => panic!("table out of range"),
                    Self::Hangs => std::future::pending().await,
                }
            })
        }

        fn wire(&self) -> Wire {
            Wire { protocol: "none".into(), destination: "".into() }
        }
    }

    fn spec() -> CheckSpec {
        CheckSpec { attempts: 1, ..CheckSpec::sample(Subject::Host(AssetId::new("a")), "odd") }
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_becomes_an_observation_and_a_fault() {
        let clock = Clock::start();
        let (observation, fault) =
            run(&spec(), &Runner::Probe(Arc::new(Odd::Panics), None), &Net::new(clock), clock).await;
        assert_eq!(observation.reading.outcome, Outcome::Unknown);
        assert_eq!(observation.reading.summary.line(), "internal error: table out of range");
        assert!(fault.is_some_and(|f| f.contains("the check odd of a")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_hangs_is_given_up() {
        let clock = Clock::start();
        let (observation, fault) =
            run(&spec(), &Runner::Probe(Arc::new(Odd::Hangs), None), &Net::new(clock), clock).await;
        assert_eq!(observation.reading.summary.line(), "no result within 2.0 s");
        assert!(fault.is_none());
    }
}
