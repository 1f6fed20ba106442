//! What the Linux kernel says of itself in `/proc`: load, processor time, memory, swap, pressure, uptime (proc(5)). Pure: text
//! in, numbers out. Shares and rates need two looks; of one alone, and over a restart, there are none.

use std::time::Duration;

use super::sections::{count, lines, number, words};
use crate::model::vitals::{Amount, CpuTime, Pressure};

/// A page, where the kernel counts in them; all common kernels of servers have this size.
const PAGE: f64 = 4096.0;

/// What only counts up, and needs another look to mean something.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counters {
    /// user, nice, system, idle, iowait, irq, softirq, steal: hundredths of a second of all processors.
    pub cpu: Option<[u64; 8]>,
    /// Pages that came back from swap.
    pub swapped_in: Option<u64>,
    pub oom_kills: Option<u64>,
    /// Seconds since the start of the kernel.
    pub uptime: Option<f64>,
}

impl Counters {
    /// Seconds between two looks by the machine's own clock; `None` where it was started anew.
    fn seconds_since(&self, before: &Self) -> Option<f64> {
        let seconds = self.uptime? - before.uptime?;
        (seconds > 0.5).then_some(seconds)
    }

    pub fn cpu_since(&self, before: &Self) -> Option<CpuTime> {
        self.seconds_since(before)?;
        let (now, then) = (self.cpu?, before.cpu?);
        let mut spent = [0.0; 8];
        for ((spent, now), then) in spent.iter_mut().zip(now).zip(then) {
            // iowait may go back a little (proc(5)); that is no time.
            *spent = now.saturating_sub(then) as f64;
        }
        let all: f64 = spent.iter().sum();
        let share = |ticks: f64| 100.0 * ticks / all;
        (all > 0.0).then(|| CpuTime {
            busy: share(all - spent[3] - spent[4]),
            iowait: share(spent[4]),
            steal: share(spent[7]),
        })
    }

    /// Bytes a second.
    pub fn swap_in_since(&self, before: &Self) -> Option<f64> {
        let seconds = self.seconds_since(before)?;
        Some(self.swapped_in?.checked_sub(before.swapped_in?)? as f64 * PAGE / seconds)
    }

    pub fn oom_kills_since(&self, before: &Self) -> Option<u64> {
        self.seconds_since(before)?;
        self.oom_kills?.checked_sub(before.oom_kills?)
    }
}

pub fn load(text: &[u8]) -> Option<[f64; 3]> {
    let mut numbers = words(text).map(|word| number(word).filter(|load| (0.0..1e6).contains(load)));
    Some([numbers.next()??, numbers.next()??, numbers.next()??])
}

/// The line of all processors of `/proc/stat`.
pub fn cpu(text: &[u8]) -> Option<[u64; 8]> {
    let line = lines(text).find_map(|line| line.strip_prefix(b"cpu "))?;
    let mut out = [0; 8];
    let mut found = 0;
    for (slot, word) in out.iter_mut().zip(words(line)) {
        // A sum of two of them must not overflow.
        *slot = count(word).filter(|ticks| *ticks < 1 << 56)?;
        found += 1;
    }
    // Kernels before 2.6.11 count no steal.
    (found >= 7).then_some(out)
}

/// Processors: a number alone on a line, or as many lines `cpuN` as there are.
pub fn cores(text: &[u8]) -> Option<u32> {
    let counted = lines(text).find_map(count);
    let listed = || lines(text).filter(|l| l.starts_with(b"cpu") && l.get(3).is_some_and(u8::is_ascii_digit)).count();
    let cores = counted.or_else(|| u64::try_from(listed()).ok())?;
    u32::try_from(cores).ok().filter(|n| (1..=65_536).contains(n))
}

/// Memory without what the kernel only caches, and swap (`/proc/meminfo`). Kernels before 3.14 do not say what is
/// available: then there is no number.
pub fn memory(text: &[u8]) -> (Option<Amount>, Option<Amount>) {
    let bytes = |name: &[u8]| {
        let line = lines(text).find_map(|line| line.strip_prefix(name))?;
        count(words(line).next()?)?.checked_mul(1024)
    };
    let amount = |total: Option<u64>, free: Option<u64>| {
        let (total, free) = (total?, free?);
        Some(Amount { total, used: total.checked_sub(free)? })
    };
    let memory = amount(bytes(b"MemTotal:"), bytes(b"MemAvailable:")).filter(|memory| memory.total > 0);
    (memory, amount(bytes(b"SwapTotal:"), bytes(b"SwapFree:")))
}

/// A counter of `/proc/vmstat`.
pub fn vmstat(text: &[u8], name: &str) -> Option<u64> {
    lines(text).find_map(|line| {
        let mut words = words(line);
        (words.next()? == name.as_bytes()).then(|| words.next().and_then(count))?
    })
}

/// `memory some avg10=0.00 avg60=0.13 avg300=0.05 total=123`, a line each of `some` and `full`; absent where the kernel does
/// not account for it.
pub fn pressure(text: &[u8]) -> Vec<Pressure> {
    let share = |what: &str, kind: &[u8]| {
        lines(text).find_map(|line| {
            let mut words = words(line);
            let is_it = words.next()? == what.as_bytes() && words.next()? == kind;
            let value = words.find_map(|word| word.strip_prefix(b"avg60="))?;
            number(value).filter(|share| is_it && (0.0..=100.0).contains(share))
        })
    };
    let of = |what: &'static str| Some(Pressure { what, some: share(what, b"some")?, full: share(what, b"full") });
    ["cpu", "memory", "io"].into_iter().filter_map(of).collect()
}

/// Seconds since the start.
pub fn uptime(text: &[u8]) -> Option<f64> {
    number(words(text).next()?).filter(|seconds| (0.0..1e10).contains(seconds))
}

pub fn as_duration(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_told_between_two_looks() {
        let at = |cpu: &str, uptime: f64| Counters {
            cpu: super::cpu(cpu.as_bytes()),
            uptime: Some(uptime),
            ..Counters::default()
        };
        let before = at("cpu  100 0 100 1000 50 0 0 0 0 0\ncpu0 1\n", 10.0);
        let after = at("cpu  150 0 110 1020 60 0 0 10 7 7\n2\n", 11.0);
        let share = after.cpu_since(&before).expect("two looks");
        assert_eq!((share.busy, share.iowait, share.steal), (70.0, 10.0, 10.0));
        assert_eq!(before.cpu_since(&after), None, "the machine was started anew");
        assert_eq!(after.cpu_since(&after), None, "no time passed");
    }

    #[test]
    fn swap_that_comes_back_is_a_rate() {
        let at = |pages, uptime| Counters { swapped_in: Some(pages), uptime: Some(uptime), ..Counters::default() };
        assert_eq!(at(512, 20.0).swap_in_since(&at(0, 10.0)), Some(512.0 * 4096.0 / 10.0));
        assert_eq!(at(1, 20.0).swap_in_since(&at(5, 10.0)), None, "a counter that falls says nothing");
    }

    #[test]
    fn processors_are_counted_either_way() {
        assert_eq!(cores(b"cpu  1 2 3\n64\n"), Some(64));
        assert_eq!(cores(b"cpu  1 2 3\ncpu0 1\ncpu1 1\nintr 5\n"), Some(2));
        assert_eq!(cores(b"cpu  1 2 3\n0\n"), None);
    }

    #[test]
    fn memory_counts_no_caches_and_is_not_guessed() {
        let text = b"MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 520 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n";
        let (amount, swap) = memory(text);
        assert_eq!(amount.and_then(Amount::percent), Some(48.0));
        assert_eq!(swap.map(|s| (s.total, s.percent())), Some((0, None)));
        assert_eq!(memory(b"MemTotal: 1000 kB\nMemFree: 500 kB\n"), (None, None));
        assert_eq!(memory(b"MemTotal: 5 kB\nMemAvailable: 9 kB\n").0, None, "more is available than there is");
    }

    #[test]
    fn pressure_is_the_last_minute_of_what_tasks_waited_for() {
        let text = b"cpu some avg10=1 avg60=2.50 avg300=0 total=9\nmemory some avg10=0 avg60=0.10 avg300=0 total=1\n\
            memory full avg10=0 avg60=0.05 avg300=0 total=1\nio some avg10=x avg60=inf total=2\n";
        let told = pressure(text);
        assert_eq!(told.len(), 2);
        assert_eq!((told[0].what, told[0].some, told[0].full), ("cpu", 2.5, None));
        assert_eq!((told[1].what, told[1].full), ("memory", Some(0.05)));
    }

    #[test]
    fn nonsense_is_no_number() {
        assert_eq!(load(b"0.1 NaN 0.3 1/2 3"), None);
        assert_eq!(load(b"0.1 0.2"), None);
        assert_eq!(uptime(b"-5 1"), None);
        assert_eq!(cpu(b"cpu  1 2 3\n"), None);
        assert_eq!(cpu(b"cpu  1 2 3 18446744073709551615 5 6 7 8\n"), None);
    }
}
