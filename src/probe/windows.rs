//! `windows`: how a Windows machine is, by one fixed PowerShell script over one SSH connection that is kept (OpenSSH is a
//! feature of Windows Server 2019 and later). It reads only, and one JSON object comes back.

use std::sync::Arc;

use super::machine::{self, Memory, Way};
use super::vitals::judge;
use super::vitals::limits::{self, Limits};
use super::vitals::windows;
use super::{Cx, Kind, Pace, Probe, Running};
use crate::base::options::{self, OptionDoc, Reader};
use crate::model::{Host, Reading, Wire};
use crate::ssh::{End, Links};

const OPTIONS: [OptionDoc; limits::OPTIONS.len() + 1] = options::joined(&[&[machine::TARGET], &limits::OPTIONS]);

pub static KIND: Kind = Kind {
    name: "windows",
    help: "a Windows machine by PowerShell over SSH, without an agent: CPU, memory, disks, services, clock",
    options: &OPTIONS,
    pace: Pace {
        interval: std::time::Duration::from_secs(120),
        timeout: std::time::Duration::from_secs(40),
        retry_interval: std::time::Duration::from_secs(30),
        attempts: 2,
        decides_reachability: false,
    },
    bind,
};

#[derive(Debug)]
struct Windows {
    way: Way,
    limits: Limits,
    memory: Memory<()>,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let limits = Limits::read(options);
    let way = Way::read(host, options)?;
    Some(Box::new(Windows { way, limits, memory: Memory::default() }))
}

impl Probe for Windows {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        self.way.wire("one connection kept, a PowerShell script that reads")
    }

    fn told(&self) {
        self.way.told();
    }

    fn join(&mut self, links: &Arc<Links>) {
        self.way.join(links);
    }

    fn numbers(&self) -> Option<Vec<String>> {
        Some(judge::numbers())
    }
}

impl Windows {
    async fn ask(&self, cx: &Cx) -> Reading {
        let ran = match self.way.ask(&windows::command(), String::new(), cx).await {
            Ok(ran) => ran,
            Err(error) => return machine::not_asked(error),
        };
        let said = machine::complaint(&ran);
        match ran.end {
            End::TimedOut => return Reading::critical(format!("logged in, but no answer in time{said}")),
            End::Flooded => return Reading::unknown("what it writes has no end and is not what was asked for"),
            End::Lost(words) => return Reading::critical(words),
            End::Ended(_) => {}
        }
        let sent = cx.net.clock.wall().minus(ran.asked.elapsed());
        // All of it comes at once, at the end.
        let heard = sent.plus(ran.came_by(ran.output.len()).unwrap_or_default());
        match windows::read(&ran.output, sent, heard) {
            Some(vitals) if windows::is_nothing(&vitals) => Reading::unknown(
                "PowerShell ran, and WMI tells it nothing: may this log-in ask it (root\\cimv2), and does Winmgmt run?",
            ),
            Some(vitals) => self.memory.lock().conclude(vitals, &self.limits, &[]),
            None => Reading::unknown(format!("no PowerShell that runs a script{said}")),
        }
    }
}
