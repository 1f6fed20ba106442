//! `snmp`: does the device's agent answer, how long is it up, what does it call itself. Also what all SNMP probes share: the
//! system group, and in `access` the options of a host's `snmp` table.

mod access;
mod user;

use std::sync::Arc;
use std::time::Duration;

pub use self::access::{Access, Identity, NoTarget, OPTIONS};
pub use self::user::UserRef;
use super::{Cx, Kind, Pace, Probe, Running};
use crate::base::options::Reader;
use crate::base::{Untrusted, units};
use crate::model::device::EngineClock;
use crate::model::{Device, Host, Reading, Unit, Wire};
use crate::net::snmp::SnmpError;
use crate::process::secret::Secrets;
use crate::proto::snmp::oid::Index;
use crate::proto::snmp::{Oid, Plan, Sink, Value};

pub static KIND: Kind = Kind {
    name: "snmp",
    help: "the agent's system group: reachability, uptime, name",
    options: OPTIONS,
    pace: Pace {
        interval: Duration::from_secs(60),
        timeout: Duration::from_secs(2),
        retry_interval: Duration::from_secs(5),
        attempts: 2,
        decides_reachability: true,
    },
    bind,
};

/// The scalars that every device is asked for: the system group (RFC 3418), the engine's clock (RFC 3411), the last change of
/// ifTable (RFC 2863) and the machine's uptime (RFC 2790). Those that many agents do not have come last.
pub fn system_scalars() -> Vec<Oid> {
    // sysDescr, sysObjectID, sysUpTime, sysContact, sysName, sysLocation
    let mut scalars: Vec<Oid> = (1..=6).map(|n| Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 1, n, 0])).collect();
    // ifTableLastChange, hrSystemUptime, snmpEngineBoots, snmpEngineTime
    scalars.push(Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 31, 1, 5, 0]));
    scalars.push(Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 25, 1, 1, 0]));
    scalars.extend([2, 3].map(|n| Oid::from_arcs(&[1, 3, 6, 1, 6, 3, 10, 2, 1, n, 0])));
    scalars
}

/// Takes one of [`system_scalars`].
pub fn take_system(device: &mut Device, scalar: usize, value: Value<'_>) {
    let text = || value.octets().map(Untrusted::new).unwrap_or_default();
    let ticks = || value.number().map(|ticks| Duration::from_millis((ticks & 0xffff_ffff) * 10));
    // Both of the engine's are Integer32; what does not fit is no clock.
    let positive = || value.number().and_then(|n| u32::try_from(n).ok()).filter(|n| i32::try_from(*n).is_ok());
    match scalar {
        0 => device.description = text(),
        1 => {
            device.object_id = match value {
                Value::Oid(oid) => Some(oid.to_string()),
                // Some agents send it as text.
                Value::Octets(octets) => dotted(octets),
                _ => None,
            }
        }
        2 => device.uptime = ticks(),
        3 => device.contact = text(),
        4 => device.name = text(),
        5 => device.location = text(),
        6 => device.table_last_change = value.number().and_then(|n| u32::try_from(n).ok()),
        7 => device.host_uptime = ticks(),
        8 => device.engine = positive().map(|boots| EngineClock { boots, time: UNTIL_TOLD }),
        9 => {
            if let Some(engine) = &mut device.engine {
                engine.time = positive().map_or(UNTIL_TOLD, |seconds| Duration::from_secs(u64::from(seconds)));
            }
        }
        _ => {}
    }
}

/// No engine runs for so long.
const UNTIL_TOLD: Duration = Duration::MAX;

/// When all has come: half a clock is none.
pub fn finish_system(device: &mut Device) {
    device.engine = device.engine.filter(|engine| engine.time != UNTIL_TOLD);
}

/// Numbers and dots, NULs and quotes around them left out; and with the names of the first arcs that programs print.
fn dotted(octets: &[u8]) -> Option<String> {
    const NAMES: [(&str, &str); 3] =
        [("SNMPv2-SMI::enterprises.", "1.3.6.1.4.1."), ("enterprises.", "1.3.6.1.4.1."), ("iso.", "1.")];
    let padding = |c: char| c.is_whitespace() || matches!(c, '\0' | '"');
    let text = std::str::from_utf8(octets).ok()?.trim_matches(padding).trim_start_matches('.');
    let named = NAMES.iter().find_map(|(name, arcs)| Some(format!("{arcs}{}", text.strip_prefix(name)?)));
    let text = named.unwrap_or_else(|| text.to_owned());
    let is_number = |arc: &str| arc.bytes().all(|octet| octet.is_ascii_digit()) && arc.parse::<u32>().is_ok();
    let (count, sane) = text.split('.').fold((0, true), |(count, sane), arc| (count + 1, sane && is_number(arc)));
    (count > 2 && sane).then_some(text)
}

#[derive(Debug, Default)]
struct System(Device);

impl Sink for System {
    fn scalar(&mut self, scalar: usize, value: Value<'_>) {
        take_system(&mut self.0, scalar, value);
    }

    fn cell(&mut self, _: usize, _: Index<'_>, _: Value<'_>) -> bool {
        false
    }
}

#[derive(Debug)]
struct SystemProbe {
    host: Arc<Host>,
    access: Access,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    Some(Box::new(SystemProbe { host: host.clone(), access: Access::read(host, options)? }))
}

impl Probe for SystemProbe {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        self.access.wire("GET")
    }

    fn told(&self) {
        self.access.told();
    }

    fn budget(&self, _: Duration) -> Duration {
        self.access.patience()
    }

    fn share(&mut self, secrets: &Arc<Secrets>) {
        self.access.secrets = secrets.clone();
    }
}

impl SystemProbe {
    /// How long it is up, after its name where that is not what it is called here anyway.
    fn words(&self, device: &Device) -> String {
        let name = device.name.json_text();
        let short = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let other = !name.is_empty() && short(&name) != short(&self.host.name);
        let uptime = device.up().map(|uptime| format!("up {}", units::age(uptime)));
        match (other.then_some(name), uptime) {
            (Some(name), Some(uptime)) => format!("{name} · {uptime}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => "answers".to_owned(),
        }
    }

    async fn ask(&self, cx: &Cx) -> Reading {
        let (target, told) = match self.access.target(cx).await {
            Ok(found) => found,
            Err(NoTarget::Ours(why)) => return Reading::unknown(why),
            Err(NoTarget::Theirs(error)) => return self.failed(&error),
        };
        let plan = Plan { scalars: system_scalars(), ..Plan::default() };
        match cx.net.snmp.ask(&target, plan, System::default()).await {
            Ok(answers) => {
                let device = &answers.sink.0;
                // An agent that answers and tells nothing is there, and somebody has to look at its access rules.
                let mut reading = match answers.incomplete.first() {
                    Some(reason) if device.uptime.is_none() => Reading::warning(reason.clone()),
                    _ => Reading::ok(self.words(device)),
                };
                if let Some(rtt) = answers.round_trip {
                    reading = reading.metric("rtt", rtt.as_secs_f64(), Unit::Seconds);
                }
                if let Some(uptime) = device.up() {
                    reading = reading.metric("uptime", uptime.as_secs_f64(), Unit::Seconds);
                }
                for reason in answers.incomplete {
                    reading = reading.log(reason);
                }
                told.on(reading)
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&self, error: &SnmpError) -> Reading {
        self.access.doubt(error);
        // An agent that refuses is there.
        let refused = matches!(error, SnmpError::Refused { .. });
        if refused { Reading::unknown(error.to_string()) } else { Reading::critical(error.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_id_as_text_is_read_and_nonsense_is_not() {
        let mut device = Device::default();
        take_system(&mut device, 1, Value::Octets(b".1.3.6.1.4.1.9.1.1208"));
        assert_eq!(device.object_id.as_deref(), Some("1.3.6.1.4.1.9.1.1208"));
        for text in [&b"iso.3.6.1.4.1.9.1.1208\0"[..], b"enterprises.9.1.1208", b"\"SNMPv2-SMI::enterprises.9.1.1208\""]
        {
            take_system(&mut device, 1, Value::Octets(text));
            assert_eq!(device.object_id.as_deref(), Some("1.3.6.1.4.1.9.1.1208"), "{text:?}");
        }
        for nonsense in [&b"1.+3.6"[..], b"1.3", b"1..3.6", b"iso.", b"1.3.4294967296"] {
            take_system(&mut device, 1, Value::Octets(nonsense));
            assert_eq!(device.object_id, None, "{nonsense:?}");
        }
        take_system(&mut device, 1, Value::Octets(b"cisco"));
        assert_eq!(device.object_id, None);
    }

    #[test]
    fn the_engines_clock_needs_both_halves_and_garbage_is_none() {
        let clock = |boots: Value<'_>, time: Option<Value<'_>>| {
            let mut device = Device::default();
            take_system(&mut device, 8, boots);
            if let Some(time) = time {
                take_system(&mut device, 9, time);
            }
            finish_system(&mut device);
            device.engine.map(|e| (e.boots, e.time.as_secs()))
        };
        assert_eq!(clock(Value::Integer(7), None), None);
        assert_eq!(clock(Value::Integer(7), Some(Value::Integer(3600))), Some((7, 3600)));
        assert_eq!(clock(Value::Integer(7), Some(Value::Integer(-3600))), None);
        assert_eq!(clock(Value::Integer(-1), Some(Value::Integer(3600))), None);
        assert_eq!(clock(Value::Integer(7), Some(Value::Gauge32(u32::MAX))), None);
        assert_eq!(clock(Value::Null, Some(Value::Integer(3600))), None);
        assert_eq!(clock(Value::Octets(b"7"), Some(Value::Integer(3600))), None);
    }

    #[test]
    fn every_scalar_has_its_place() {
        let scalars = system_scalars();
        let at = |n: usize| scalars[n].to_string();
        assert_eq!(at(2), "1.3.6.1.2.1.1.3.0");
        assert_eq!(at(6), "1.3.6.1.2.1.31.1.5.0");
        assert_eq!(at(7), "1.3.6.1.2.1.25.1.1.0");
        assert_eq!(at(9), "1.3.6.1.6.3.10.2.1.3.0");
    }
}
