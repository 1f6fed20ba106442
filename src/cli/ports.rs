//! `noctty ports`: one walk of one device, from the inventory or by address.

mod identity;

use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{Result, bail, eyre};

use self::identity::IdentityArgs;
use super::Globals;
use crate::base::{Clock, units};
use crate::config::HostEntry;
use crate::model::{Host, Origin, PortTable};
use crate::net::Net;
use crate::probe::ports::Depth;
use crate::probe::snmp::Access;
use crate::probe::{Cx, ports};
use crate::profile::Profiles;
use crate::report::ports as report;
use crate::state::rules::ports::judge;

/// As long as a walk of a large device may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The exit status where nothing is known.
const UNKNOWN: u8 = 3;

#[derive(Debug, clap::Args)]
pub struct PortsArgs {
    /// A host of the configuration, or an address with or without port (10.0.0.2, 10.0.0.2:1161, or an IPv6 address in brackets)
    #[arg(value_name = "TARGET")]
    target: String,
    /// One JSON object (noctty.ports/1) instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    identity: IdentityArgs,
    /// The longest wait of one try, such as 2s or 500ms
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,
    /// Further tries after the first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10))]
    retries: Option<u32>,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    units::parse_duration(text)
        .filter(|d| *d >= Duration::from_millis(10))
        .ok_or_else(|| "write a number and a unit: 500ms, 2s".to_owned())
}

pub fn run(args: &PortsArgs, globals: &Globals) -> Result<ExitCode> {
    if globals.passive {
        bail!("--passive: nothing is asked");
    }
    let clock = super::begin(globals);
    let (host, mut access) = access(args, globals)?;
    if let Some(timeout) = args.timeout {
        access.timeout = timeout;
    }
    if let Some(retries) = args.retries {
        access.retries = retries;
    }
    let profiles = profiles(globals);
    let runtime = super::runtime()?;
    let walked = runtime.block_on(async {
        let cx = Cx { net: Net::new(clock), family: None, timeout: PATIENCE };
        let (target, _) = access.target(&cx).await?;
        let (table, _) =
            ports::walk_with(&cx, &target, access.max_repetitions, &profiles, None, Depth::Everything).await?;
        Ok::<_, color_eyre::Report>(table)
    });
    runtime.shutdown_background();
    let (table, has_answered) = match walked {
        Ok(table) => (table, true),
        Err(why) if args.json => (nothing(&clock, &why), false),
        Err(why) => return Err(why),
    };
    let view = judge(None, &table, &host);
    let out = if args.json {
        report::json(&view, &args.target, |t| clock.as_wall(t))
    } else {
        report::table(&view, &args.target)
    };
    super::print(&out)?;
    Ok(ExitCode::from(if has_answered { report::exit_status(&view) } else { UNKNOWN }))
}

/// The table of a device that told nothing: programs get one object always. People are told as well.
fn nothing(clock: &Clock, why: &color_eyre::Report) -> Arc<PortTable> {
    super::complain(&format!("{why:#}"));
    let warnings = vec![format!("{why:#}")];
    Arc::new(PortTable { collected_at: clock.now(), complete: false, warnings, ..PortTable::default() })
}

/// The profiles in force; what is wrong with the user's goes to standard error.
fn profiles(globals: &Globals) -> Arc<Profiles> {
    let folder = super::config_file(globals).and_then(|file| file.parent().map(Path::to_path_buf));
    let (own, problems) = super::profiles::own(folder.as_deref());
    for problem in problems {
        super::complain(problem.render().trim_end());
    }
    own.unwrap_or_else(Profiles::shipped)
}

/// Whom to ask and how: what the configuration says of that host, and what the command line overrules.
fn access(args: &PortsArgs, globals: &Globals) -> Result<(Arc<Host>, Access)> {
    let given = args.identity.given()?;
    let known = match super::load_config(globals) {
        Ok(Some((_, config))) => config.hosts.into_iter().find(|h| names(h, &args.target)),
        Ok(None) => None,
        Err(problems) => bail!("the configuration has errors\n{problems}"),
    };
    if let Some(entry) = &known
        && let Some(table) = &entry.snmp
    {
        let what = format!("the snmp table of {}", entry.host.name);
        let mut reader = table.reader(&what);
        if let Some(mut access) = Access::read(&entry.host, &mut reader) {
            access.identity = match given {
                Some(given) => given,
                None => args.identity.applied_to(access.identity)?,
            };
            return Ok((entry.host.clone(), access));
        }
        let problems: String = reader.finish().iter().map(crate::base::options::Problem::render).collect();
        bail!("the configuration has errors\n{}", problems.trim_end());
    }
    let (name, address, port) = if let Some(entry) = &known {
        let host = &entry.host;
        (&*host.name, host.address.as_deref().unwrap_or(&host.name).to_owned(), 161)
    } else {
        let (address, port) = split(&args.target)?;
        (&*args.target, address, port)
    };
    let identity = match given {
        Some(given) => given,
        None => identity::from_environment(name, args.identity.version())?,
    };
    let host = known
        .as_ref()
        .map_or_else(|| Arc::new(Host::new(&args.target, Some(&address), Origin::OneOff)), |entry| entry.host.clone());
    let access = Access::new(&address, port, identity);
    Ok((host, access))
}

fn names(entry: &HostEntry, target: &str) -> bool {
    *entry.host.name == *target || entry.host.id.as_str() == target
}

/// `address`, `address:port`, `[v6]:port`.
fn split(target: &str) -> Result<(String, u16)> {
    if target.parse::<IpAddr>().is_ok() {
        return Ok((target.to_owned(), 161));
    }
    let (address, port) = match target.rsplit_once(':') {
        None => return Ok((target.to_owned(), 161)),
        Some((address, port)) => (address, port),
    };
    let port: u16 = port.parse().ok().filter(|p| *p > 0).ok_or_else(|| eyre!("\"{target}\": \"{port}\" is no port"))?;
    let address = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
    if address.is_empty() {
        bail!("\"{target}\" has no address");
    }
    Ok((address.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_with_and_without_ports() {
        let split = |t| split(t).expect("valid");
        assert_eq!(split("10.0.0.2"), ("10.0.0.2".to_owned(), 161));
        assert_eq!(split("10.0.0.2:1161"), ("10.0.0.2".to_owned(), 1161));
        assert_eq!(split("fe80::1"), ("fe80::1".to_owned(), 161));
        assert_eq!(split("[fe80::1]:1161"), ("fe80::1".to_owned(), 1161));
        assert_eq!(split("core-sw1"), ("core-sw1".to_owned(), 161));
        assert!(super::split("core-sw1:snmp").is_err());
        assert!(super::split(":161").is_err());
    }
}
