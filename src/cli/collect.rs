//! `noctty collect`: the console's engine without a screen. It schedules, supervises, reduces, publishes snapshots and
//! keeps last known states exactly as the console does, and consoles attach to it. With `--once` or `--cycles` it ends
//! by itself, nobody attaches, and `--stats` says what that cost.

mod roles;
mod system;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, bail, eyre};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::keeper::{named, process_words, serve_own};
use super::{Globals, service, state_dir};
use crate::attach::{self, Seat, Taken};
use crate::base::{Clock, text};
use crate::bus;
use crate::engine::Plan;
use crate::engine::records::Records;
use crate::engine::run::{Company, Ran, Setup, run_in_company};
use crate::engine::schedule::Schedule;
use crate::engine::supervise::panic_words;
use crate::model::Policy;
use crate::net::Net;
use crate::net::snmp::Drops;
use crate::report::json;
use crate::ssh::Surroundings;
use crate::state::{Mode, Snapshot, Storage};

#[derive(Debug, clap::Args)]
pub struct CollectArgs {
    /// Every check once, then end
    #[arg(long, conflicts_with = "cycles")]
    once: bool,
    /// Every check N times, one cycle after the other, then end; what is never asked faster than its interval sits
    /// out a cycle that comes too soon
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    cycles: Option<u32>,
    /// From the beginning of one cycle to that of the next, at least
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = super::ports::duration, requires = "cycles")]
    every: Duration,
    /// Serve every user of this machine who may reach the socket; see docs/attach.md. The state is kept in
    /// /var/lib/noctty and the configuration is /etc/noctty/noctty.toml, unless --state and --config say otherwise
    #[arg(long, conflicts_with_all = ["once", "cycles"])]
    system: bool,
    /// Where the socket of --system is; default: RUNTIME_DIRECTORY, else /run/noctty
    #[arg(long, value_name = "DIR", requires = "system")]
    run_dir: Option<PathBuf>,
    /// Who may reach the socket of --system
    #[arg(long, value_name = "GROUP", default_value = "noctty", requires = "system")]
    group: String,
    /// At the end, print what was polled and what it cost (noctty.collect/1)
    #[arg(long, value_name = "FORM", value_enum)]
    stats: Option<Form>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Form {
    Json,
}

#[derive(Debug, Serialize)]
struct Stats {
    schema: &'static str,
    collected_at: String,
    complete: bool,
    targets: usize,
    checks: usize,
    runs: u64,
    failures: u64,
    late: u64,
    cycle_seconds: Vec<f64>,
    devices: usize,
    ports: usize,
    requests: u64,
    varbinds: u64,
    lost: u64,
    drops: u64,
    drops_by_reason: DropsRow,
    snapshots: u64,
    wall_s: f64,
    cpu_user_s: f64,
    cpu_system_s: f64,
    startup_wall_s: f64,
    startup_cpu_s: f64,
    peak_memory_bytes: Option<u64>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct DropsRow {
    malformed: u64,
    unknown_id: u64,
    other_address: u64,
    other_version: u64,
    other_community: u64,
    not_a_response: u64,
    other_user: u64,
    other_level: u64,
    forged: u64,
    stale: u64,
    undecryptable: u64,
}

pub fn run(args: &CollectArgs, globals: &Globals) -> Result<ExitCode> {
    let begun = Instant::now();
    if globals.passive {
        bail!("--passive sends nothing: there is nothing to collect (noctty plan says what would be polled)");
    }
    let endless = !args.once && args.cycles.is_none();
    let globals = &if args.system { system::globals(globals) } else { globals.clone() };
    let office =
        if args.system { Some(system::Office::open(args.run_dir.as_deref(), &args.group, globals)?) } else { None };
    let seat = if endless { seat(globals)? } else { None };
    if office.is_some() && seat.is_none() {
        bail!("--system serves what it keeps: that needs a state folder");
    }
    let clock = super::begin(globals);
    let plan = super::load_plan(globals)?;
    let schedule = match (args.once, args.cycles) {
        (true, _) => Schedule::in_rounds(1, Duration::ZERO),
        (false, Some(cycles)) => Schedule::in_rounds(cycles, args.every),
        (false, None) => Schedule::default(),
    };
    let plan = if endless { super::with_inferred_parents(plan) } else { plan };
    let net = Net::new(clock);
    let started = Cost::now(begun);
    let runtime = super::runtime()?;
    let done = runtime.block_on(collect(plan.clone(), schedule, net.clone(), clock, globals, seat, office));
    let ended = Cost::now(begun);
    runtime.shutdown_background();
    let (ran, snapshot) = done?;
    if let Some(Form::Json) = args.stats {
        let mut stats = stats(&plan, &ran, &snapshot, &net, clock);
        stats.complete = endless || ran.complete;
        stats.startup_wall_s = started.wall;
        stats.startup_cpu_s = started.user + started.system;
        stats.wall_s = ended.wall - started.wall;
        stats.cpu_user_s = ended.user - started.user;
        stats.cpu_system_s = ended.system - started.system;
        super::print(&json::pretty(&stats))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The right to poll for the state directory; an error where somebody else has it. Nothing where it cannot be had at all:
/// then nobody attaches, and that is said.
fn seat(globals: &Globals) -> Result<Option<Seat>> {
    let Some(directory) = state_dir::choose(globals.state.as_deref()) else { return Ok(None) };
    let taken = state_dir::prepare(&directory).and_then(|()| Seat::take(&directory).map_err(|error| error.to_string()));
    match taken {
        Ok(Taken::Ours(seat)) => Ok(Some(seat)),
        Ok(Taken::Theirs(process)) => {
            let who = process_words(process);
            bail!("{who} polls for {} already: noctty attaches to it", super::shown(&directory))
        }
        Err(why) => {
            super::complain(&format!("nobody can attach: {why}"));
            Ok(None)
        }
    }
}

/// The engine, until its rounds are over or somebody ends it; what it did, and the last snapshot.
async fn collect(
    plan: Plan,
    schedule: Schedule,
    net: Arc<Net>,
    clock: Clock,
    globals: &Globals,
    seat: Option<Seat>,
    office: Option<system::Office>,
) -> Result<(Ran, Arc<Snapshot>)> {
    let (screen_end, end) = bus::pair(Arc::new(Snapshot { at: clock.now(), ..Snapshot::default() }));
    let (plan_tx, plans) = mpsc::channel(1);
    let (event_tx, events) = mpsc::channel(256);
    let stop = CancellationToken::new();
    let records = Records::start(state_dir::choose(globals.state.as_deref()), clock, event_tx.clone());
    let (door, visitors) = bus::visitors();
    let serving = match &seat {
        Some(seat) => {
            let served =
                serve_own(seat.listen()?, end.snapshots.subscribe(), door.clone(), clock, super::config_file(globals));
            Some(tokio::spawn(served))
        }
        None => None,
    };
    let for_all = match &office {
        Some(office) => {
            let configuration = super::config_file(globals).map(|path| named(&path));
            let doors = office.doors(door, end.snapshots.subscribe(), clock, configuration);
            Some(tokio::spawn(attach::serve(office.listen()?, doors)))
        }
        None => None,
    };
    if serving.is_some() {
        service::tell("READY=1\nSTATUS=polling; consoles may attach");
    }
    let setup = Setup {
        clock,
        net,
        mode: Mode::Polling,
        policy: Policy::default(),
        end,
        plans,
        events,
        event_sender: event_tx,
        discover_all: None,
        records: Some(records),
        machine: Some("/".into()),
        ssh: Surroundings::from_environment(),
        schedule,
        stop: stop.clone(),
    };
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let ender = tokio::spawn(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
        stop.cancel();
    });
    // The channel is empty and its other end is in the setup.
    plan_tx.send(plan).await?;
    let renewal = office.as_ref().map(|office| office.renewal(globals));
    let renewing = if seat.is_some() { Some(tokio::spawn(renew(plan_tx, renewal, globals.clone()))) } else { None };
    let company = Company { visitors: Some(visitors), ..Company::default() };
    let engine = tokio::spawn(run_in_company(setup, company));
    // Whoever started it starts it anew: it does not live on without its engine, which has written down what it had to.
    let ran = engine.await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => {
            service::tell("STOPPING=1\nSTATUS=ended by an internal error; the log has the place");
            eyre!("internal error of the engine: {}", panic_words(panic.as_ref()))
        }
        Err(error) => eyre!("the engine ended: {error}"),
    })?;
    ender.abort();
    if let Some(renewing) = renewing {
        renewing.abort();
    }
    if let Some(serving) = serving {
        service::tell("STOPPING=1");
        serving.abort();
    }
    if let Some(serving) = for_all {
        serving.abort();
    }
    // Whoever takes over finds everything on disk.
    drop((seat, office));
    let snapshot = screen_end.snapshots.borrow().clone();
    Ok((ran, snapshot))
}

/// Reads the configuration anew with each SIGHUP. One with errors changes nothing; they are said.
async fn renew(plans: mpsc::Sender<Plan>, renewal: Option<system::Renewal>, globals: Globals) {
    let renewal = renewal.map(Arc::new);
    let Ok(mut hangups) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) else { return };
    while hangups.recv().await.is_some() {
        let (renewal, globals) = (renewal.clone(), globals.clone());
        let read = move || {
            let plan = super::load_plan(&globals)?;
            renewal.map_or(Ok(()), |renewal| renewal.run())?;
            Ok::<_, color_eyre::Report>(super::with_inferred_parents(plan))
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(plan)) => {
                if plans.send(plan).await.is_err() {
                    return;
                }
                service::tell("STATUS=polling by the configuration as it was read anew; consoles may attach");
                tracing::info!("the configuration was read anew");
            }
            Ok(Err(error)) => super::complain(&format!("the configuration stays as it was: {error}")),
            Err(error) => tracing::error!(%error, "the configuration could not be read anew"),
        }
    }
}

fn stats(plan: &Plan, ran: &Ran, snapshot: &Snapshot, net: &Net, clock: Clock) -> Stats {
    let counts = net.snmp.counts();
    let drops = counts.drops().into_iter().fold(Drops::default(), Drops::plus);
    let targets: std::collections::HashSet<&str> =
        plan.checks.iter().map(|bound| bound.spec.key.subject.id().as_str()).collect();
    Stats {
        schema: "noctty.collect/1",
        collected_at: clock.wall().rfc3339(),
        complete: false,
        targets: targets.len(),
        checks: plan.checks.len(),
        runs: ran.runs,
        failures: ran.failures,
        late: ran.late,
        cycle_seconds: ran.rounds.iter().map(Duration::as_secs_f64).collect(),
        devices: snapshot.totals.devices,
        ports: snapshot.totals.ports,
        requests: counts.requests(),
        varbinds: counts.varbinds(),
        lost: counts.lost(),
        drops: drops.total(),
        drops_by_reason: DropsRow {
            malformed: drops.malformed,
            unknown_id: drops.unknown_id,
            other_address: drops.other_address,
            other_version: drops.other_version,
            other_community: drops.other_community,
            not_a_response: drops.not_a_response,
            other_user: drops.other_user,
            other_level: drops.other_level,
            forged: drops.forged,
            stale: drops.stale,
            undecryptable: drops.undecryptable,
        },
        snapshots: ran.snapshots,
        wall_s: 0.0,
        cpu_user_s: 0.0,
        cpu_system_s: 0.0,
        startup_wall_s: 0.0,
        startup_cpu_s: 0.0,
        peak_memory_bytes: peak_memory(),
        warnings: warnings(plan, snapshot),
    }
}

/// What was not asked or not kept, in words.
fn warnings(plan: &Plan, snapshot: &Snapshot) -> Vec<String> {
    let mut out: Vec<String> = plan.not_read().collect();
    let stretched = snapshot.hosts.iter().flat_map(|host| host.checks.iter().map(move |check| (host, check)));
    out.extend(stretched.filter_map(|(host, check)| {
        Some(format!("{}: {} is {}", text::clean(host.host.id.as_str()), check.spec.key.name, check.stretched()?))
    }));
    if let Storage::NotSaved { reason } = &snapshot.engine.storage {
        out.push(format!("nothing is kept: {reason}"));
    }
    out.extend(snapshot.engine.faults.iter().map(ToString::to_string));
    out
}

/// What the process has used so far, child programs apart; seconds.
struct Cost {
    wall: f64,
    user: f64,
    system: f64,
}

impl Cost {
    fn now(begun: Instant) -> Self {
        let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
        // It only fails for a wrong argument.
        let used = getrusage(UsageWho::RUSAGE_SELF).ok();
        Self {
            wall: begun.elapsed().as_secs_f64(),
            user: used.map_or(0.0, |u| seconds(u.user_time())),
            system: used.map_or(0.0, |u| seconds(u.system_time())),
        }
    }
}

/// The most memory that was resident at once. `ru_maxrss` would count what the process was before it became noctty.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::keeper::tests::{Odd, odd};
    use crate::store::Store;

    #[tokio::test]
    async fn an_engine_that_breaks_ends_it_with_the_reason_and_what_was_seen_and_written_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let globals = Globals { state: Some(folder.path().to_owned()), ..Globals::default() };
        let clock = Clock::start();
        let probe = Arc::<Odd>::default();
        let seat = seat(&globals).expect("nobody else polls");
        let collecting = collect(odd(&probe), Schedule::default(), Net::new(clock), clock, &globals, seat, None);
        let socket = attach::socket_in(folder.path());
        let visiting = async {
            let link = attach::Link::dial(&socket, |_| true, clock, "anna").await.expect("let in");
            let (orders, outgoing) = mpsc::channel(4);
            let (sender, mut news) = mpsc::channel(16);
            let running = tokio::spawn(link.run(outgoing, sender));
            let (ticket, title, urgency) = (bus::Ticket(1), "core down".to_owned(), crate::model::Urgency::Sev1);
            orders.send(attach::Order::OpenIncident { ticket, title, urgency }).await.expect("it runs");
            while let Some(one) = news.recv().await {
                if matches!(one, attach::News::Notice(bus::Notice::Saved { .. })) {
                    probe.break_once();
                }
            }
            running.await.expect("no panic")
        };
        let visiting = async {
            while attach::connect(&socket).is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            visiting.await
        };
        let (ended, _) = tokio::join!(collecting, visiting);
        let error = ended.expect_err("it broke");
        assert_eq!(error.to_string(), "internal error of the engine: a list that is too short");
        // The service manager begins it anew after that.
        let status = crate::cli::finish(Err(error));
        assert_eq!(format!("{status:?}"), format!("{:?}", ExitCode::from(3)));
        let kept = crate::journal::read(folder.path()).expect("it reads");
        assert!(kept.all_damage().is_empty());
        assert_eq!(kept.incidents[0].title.line(), "core down");
        let store = Store::open(folder.path()).expect("it opens, so nobody holds it any more");
        drop(store);
        assert!(matches!(Seat::take(folder.path()), Ok(Taken::Ours(_))), "whoever comes next may poll");
    }
}
