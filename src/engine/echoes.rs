//! Checks that are one ICMP echo: started by the thousand without a task, a timer or a wake-up for each. The ICMP thread
//! gathers their answers, and the loop takes them up together. Whatever happens to one, exactly one observation comes out.

use std::sync::Arc;

use super::plan::Runner;
use super::schedule::Turn;
use crate::base::Timestamp;
use crate::model::{CheckSpec, Observation};
use crate::net::Net;
use crate::net::icmp::{Answer, Answers, EchoError, Slip};
use crate::probe;

/// Echoes that are out, each in a place of its own; its number is the tag of the answer.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    out: Vec<Option<Out>>,
    free: Vec<u32>,
    answers: Arc<Answers>,
    /// What was taken last, for its room.
    taken: Vec<(u32, Answer)>,
}

#[derive(Debug)]
struct Out {
    turn: Turn,
    spec: Arc<CheckSpec>,
    begun: Timestamp,
}

impl Echoes {
    /// Starts a run that is one echo. False for any other, and where it has to wait: then a task runs it.
    pub fn start(&mut self, turn: Turn, spec: &Arc<CheckSpec>, runner: &Runner, net: &Net, now: Timestamp) -> bool {
        let Runner::Probe(probe, _) = runner else { return false };
        let Some(echo) = probe.echo() else { return false };
        let Self { out, free, answers, .. } = self;
        net.pinger.send(echo.address, echo.size, spec.timeout, || {
            let known = Some(Out { turn, spec: spec.clone(), begun: now });
            let tag = if let Some(tag) = free.pop() {
                out[tag as usize] = known;
                tag
            } else {
                out.push(known);
                (out.len() - 1) as u32
            };
            Slip::new(tag, answers)
        })
    }

    /// Where answers are waited for.
    pub fn answers(&self) -> Arc<Answers> {
        self.answers.clone()
    }

    /// What has come.
    pub fn take(&mut self, now: Timestamp, mut each: impl FnMut(Turn, Observation)) {
        let mut taken = std::mem::take(&mut self.taken);
        self.answers.take(&mut taken);
        for (tag, answer) in taken.drain(..) {
            let Some(Out { turn, spec, begun }) = self.out.get_mut(tag as usize).and_then(Option::take) else {
                continue;
            };
            self.free.push(tag);
            let took = match &answer {
                Ok(round_trip) => *round_trip,
                Err(EchoError::TimedOut(waited)) => *waited,
                Err(_) => now.since(begun),
            };
            let reading = probe::icmp::reading(answer);
            each(turn, Observation { check: spec.key.clone(), at: now, took, reading });
        }
        self.taken = taken;
    }
}
