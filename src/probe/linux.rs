//! `linux`: how a Linux machine is, by one fixed script of reading commands over one SSH connection that is kept. No agent, no
//! file on the machine, nothing that needs root; BusyBox is enough. What hangs is left out for a while and said, so that
//! looks never pile up on a machine that is in trouble.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::machine::{self, Memory, Way};
use super::vitals::judge;
use super::vitals::kernel::Counters;
use super::vitals::limits::{self, Limits};
use super::vitals::linux::{self, Look, Part, SCRIPT};
use super::vitals::packages;
use super::vitals::sections::Sections;
use super::{Cx, Kind, Listing, Pace, Probe, Running};
use crate::base::options::{self, OptionDoc, Reader};
use crate::base::{Timestamp, Untrusted, units};
use crate::model::vitals::Missing;
use crate::model::{Host, PackageList, Reading, Vitals, Wire};
use crate::ssh::{End, Links, Ran};

/// So long a part that hung is left out.
const LEFT_OUT: Duration = Duration::from_secs(600);

const OPTIONS: [OptionDoc; limits::OPTIONS.len() + 2] =
    options::joined(&[&[machine::TARGET, machine::INVENTORY_EVERY], &limits::OPTIONS]);

pub static KIND: Kind = Kind {
    name: "linux",
    help: "a Linux machine over SSH, without an agent: load, memory, pressure, disks, units, RAID, updates, clock",
    options: &OPTIONS,
    pace: Pace {
        interval: Duration::from_secs(60),
        timeout: Duration::from_secs(20),
        retry_interval: Duration::from_secs(15),
        attempts: 2,
        decides_reachability: false,
    },
    bind,
};

#[derive(Debug)]
struct Linux {
    way: Way,
    limits: Limits,
    inventory_every: Duration,
    memory: Memory<Counters>,
    /// Parts that hung, and until when they are left out.
    left_out: Mutex<BTreeMap<Part, Timestamp>>,
    /// The same of the list of packages, which is no part of a look.
    list_left_out: Mutex<Option<Timestamp>>,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let limits = Limits::read(options);
    let inventory_every = options.duration("inventory_every").unwrap_or(Duration::from_secs(3600));
    let way = Way::read(host, options)?;
    Some(Box::new(Linux {
        way,
        limits,
        inventory_every,
        memory: Memory::default(),
        left_out: Mutex::default(),
        list_left_out: Mutex::default(),
    }))
}

impl Probe for Linux {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        self.way.wire("one connection kept, a script that reads")
    }

    fn told(&self) {
        self.way.told();
        lock(&self.left_out).clear();
        *lock(&self.list_left_out) = None;
    }

    fn packages<'a>(&'a self, cx: &'a Cx) -> Option<Listing<'a>> {
        Some(Box::pin(self.list(cx)))
    }

    fn join(&mut self, links: &Arc<Links>) {
        self.way.join(links);
    }

    fn numbers(&self) -> Option<Vec<String>> {
        Some(judge::numbers())
    }
}

/// The script as one word of whatever shell reads it. A C shell takes no word of several lines: they are ended by another
/// character on the way; and a restricted one has no `exec`.
fn command() -> String {
    format!(r#"sh -c 'eval "$(printf %s "$1" | tr "\001" "\n")"' sh '{}'"#, SCRIPT.replace('\n', "\x01"))
}

/// A mark that nobody can know.
pub fn mark() -> String {
    let mut bytes = [0u8; 16];
    // Without random bytes marks are alike from run to run; what a machine prints is then believed a little too much.
    let _ = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    format!("{:032x}", u128::from_ne_bytes(bytes))
}

impl Linux {
    async fn ask(&self, cx: &Cx) -> Reading {
        let now = cx.net.clock.now();
        let parts = self.wanted(now);
        let mark = mark();
        let words: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
        let ran = match self.way.ask(&command(), format!("{mark} {}\n", words.join(" ")), cx).await {
            Ok(ran) => ran,
            Err(error) => return machine::not_asked(error),
        };
        let sections = Sections::split(&ran.output, &mark);
        let Some(last) = sections.last() else { return nothing_said(&ran) };
        let trouble = self.trouble(&ran, &sections, &last, now);
        let mut memory = self.memory.lock();
        let Look { mut vitals, counters } = linux::read(&sections, memory.counters.as_ref());
        let wall = cx.net.clock.wall();
        let sent = wall.minus(ran.asked.elapsed());
        // What a log-in script writes before, however slowly, is no part of it.
        let heard = sections.first().and_then(|length| ran.came_by(length));
        vitals.clock = heard.and_then(|after| linux::clock(&sections, sent, sent.plus(after)));
        if counters.uptime.is_some() {
            memory.counters = Some(counters);
        }
        if parts.contains(&Part::Slow) && sections.is_complete() {
            vitals.inventoried = Some(now);
        } else if let Some(last) = memory.last.clone() {
            linux::keep_seldom(&mut vitals, &last);
        }
        let remarks = self.remarks(&mut vitals, &parts, trouble);
        memory.conclude(vitals, &self.limits, &remarks)
    }

    /// Asks for the list of packages. One that hung is not asked for again soon, so that nothing piles up there.
    async fn list(&self, cx: &Cx) -> Result<PackageList, String> {
        let now = cx.net.clock.now();
        if let Some(until) = lock(&self.list_left_out).filter(|until| *until > now) {
            let left = units::left(until.since(now));
            return Err(format!("its packager hung; it is asked again after {left}, or when you say so (R)"));
        }
        let mark = mark();
        let input = format!("{mark} {}\n", Part::List.as_str());
        let ran = self.way.ask_for(packages::LONGEST, &command(), input, cx).await.map_err(|error| error.words)?;
        let sections = Sections::split_within(&ran.output, &mark, packages::LONGEST);
        match (sections.of("list"), &ran.end) {
            (Some(list), End::Ended(_)) if sections.is_complete() => packages::list(list).map_err(str::to_owned),
            (Some(_), End::TimedOut) => {
                *lock(&self.list_left_out) = Some(now.plus(LEFT_OUT));
                Err(format!("its packager gives no answer within {:.0} s", (cx.timeout * 3 / 4).as_secs_f32()))
            }
            (Some(_), End::Flooded) => Err(packages::too_long()),
            (Some(_), End::Ended(_) | End::Lost(_)) => Err("its list of packages breaks off".to_owned()),
            (None, _) => Err(nothing_said(&ran).summary.line()),
        }
    }

    /// The parts to ask for now: what hung not long ago is left out.
    fn wanted(&self, now: Timestamp) -> Vec<Part> {
        let mut left_out = lock(&self.left_out);
        left_out.retain(|_, until| *until > now);
        let inventory = self.memory.lock().inventory_is_due(now, self.inventory_every);
        let is_due = |part: &Part| *part != Part::Slow || inventory;
        Part::ALL.into_iter().filter(is_due).filter(|part| !left_out.contains_key(part)).collect()
    }

    /// What kept the script from its end, if anything did; `last` is the section that it came to.
    fn trouble(&self, ran: &Ran, sections: &Sections<'_>, last: &str, now: Timestamp) -> Option<String> {
        if sections.is_complete() {
            return None;
        }
        let stuck = Part::of_section(last).unwrap_or(Part::Fast);
        if ran.end == End::TimedOut && stuck != Part::Fast {
            lock(&self.left_out).insert(stuck, now.plus(LEFT_OUT));
        }
        let why = match ran.end {
            End::TimedOut => "no answer in time",
            End::Flooded => "an answer without an end",
            End::Ended(_) | End::Lost(_) => "the answer breaks off",
        };
        Some(format!("{}: {why}", stuck.words()))
    }

    /// What is wrong with the look itself. What was left out is missing, and nothing is said in its place.
    fn remarks(&self, vitals: &mut Vitals, parts: &[Part], trouble: Option<String>) -> Vec<String> {
        let mut out: Vec<String> = trouble.into_iter().collect();
        let left_out = lock(&self.left_out);
        for part in left_out.keys().filter(|part| !parts.contains(part)) {
            out.push(format!("{}: left out, they hung before", part.words()));
            let why = Untrusted::from("they hung before and are left out for ten minutes, or until you say so (R)");
            vitals.missing.push(Missing { what: part.words(), why });
        }
        out
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn nothing_said(ran: &Ran) -> Reading {
    let said = machine::complaint(ran);
    match &ran.end {
        End::TimedOut => Reading::critical(format!("logged in, but no answer in time{said}")),
        End::Flooded => Reading::unknown("what it writes has no end and is not what was asked for"),
        End::Ended(status) => {
            let status = status.map_or_else(|| "ended by a signal".to_owned(), |s| format!("exit status {s}"));
            Reading::unknown(format!("no shell that runs a script ({status}{said})"))
        }
        End::Lost(words) => Reading::critical(words.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_has_a_mark_of_its_own() {
        let (one, other) = (mark(), mark());
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
    }

    #[test]
    fn the_command_is_one_word_of_a_shell() {
        let command = command();
        assert!(command.starts_with("sh -c 'eval ") && command.ends_with('\''));
        assert_eq!(command.matches('\'').count(), 4);
        // What a C shell reads in spite of the quotes.
        assert!(!command.contains(['\n', '!']));
    }
}
