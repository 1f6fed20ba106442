//! From the JSON that the script of a Windows machine prints to its vitals. The script is fixed ([`SCRIPT`]) and reads only. Pure.

use std::time::Duration;

use data_encoding::BASE64;
use serde::Deserialize;

use crate::base::{Timestamp, Untrusted};
use crate::model::Vitals;
use crate::model::vitals::{Amount, ClockOffset, CpuTime, Drive, FileSystem, Missing, Reboot};

/// What runs on the machine, exactly.
pub const SCRIPT: &str = include_str!("windows.ps1");
const NAME: usize = 512;
const MOST: usize = 256;
/// Braces at which the answer may begin.
const MOST_STARTS: usize = 64;

/// What the script prints. PowerShell writes `null` for what it could not get, and some numbers as text.
#[derive(Debug, Deserialize)]
struct Answer {
    noctty: u32,
    time: Option<i64>,
    name: Option<String>,
    system: Option<String>,
    version: Option<String>,
    architecture: Option<String>,
    uptime: Option<Number>,
    cores: Option<Number>,
    cpu: Option<Number>,
    memory_kb: Option<Number>,
    memory_free_kb: Option<Number>,
    page_mb: Option<Number>,
    page_used_mb: Option<Number>,
    disks: Option<List<Disk>>,
    services: Option<List<String>>,
    drives: Option<List<Health>>,
    reboot: Option<bool>,
}

/// What PowerShell makes of a list: the list, its only element by itself, or (5.1, of arrays that carry properties) an object
/// with the list in it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum List<T> {
    All(Vec<Option<T>>),
    Wrapped { value: Vec<Option<T>> },
    Only(T),
}

impl<T> List<T> {
    fn iter(&self) -> impl Iterator<Item = &T> {
        let (all, only) = match self {
            Self::All(all) | Self::Wrapped { value: all } => (all.as_slice(), None),
            Self::Only(only) => (&[][..], Some(only)),
        };
        all.iter().flatten().chain(only).take(MOST)
    }
}

#[derive(Debug, Deserialize)]
struct Disk {
    name: Option<String>,
    size: Option<Number>,
    free: Option<Number>,
}

#[derive(Debug, Deserialize)]
struct Health {
    name: Option<String>,
    health: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(f64),
    Text(String),
}

impl Number {
    fn value(&self) -> Option<f64> {
        let value = match self {
            Self::Plain(value) => *value,
            Self::Text(text) => text.trim().parse().ok()?,
        };
        (0.0..1e18).contains(&value).then_some(value)
    }

    fn count(number: Option<&Self>) -> Option<u64> {
        number?.value().map(|value| value as u64)
    }
}

/// The command line that runs the script: one word of base64, which every shell of Windows passes on as it is.
pub fn command() -> String {
    let lines = SCRIPT.lines().filter(|line| !line.starts_with('#'));
    let text = lines.collect::<Vec<_>>().join("\n");
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    format!("powershell -NoProfile -NonInteractive -EncodedCommand {}", BASE64.encode(&utf16))
}

/// Reads the answer; `None` where it is none. `sent` and `heard`: the machine read its clock between the two.
pub fn read(output: &[u8], sent: Timestamp, heard: Timestamp) -> Option<Vitals> {
    let answer = answer(output)?;
    let text = |text: &Option<String>| Untrusted::bounded(text.as_deref().unwrap_or_default().as_bytes(), NAME);
    let count = |number: &Option<Number>| Number::count(number.as_ref());
    let amount = |total: Option<u64>, used: Option<u64>, unit: u64| {
        let (total, used) = (total?.checked_mul(unit)?, used?.checked_mul(unit)?);
        (used <= total).then_some(Amount { total, used })
    };
    let (memory, free) = (count(&answer.memory_kb), count(&answer.memory_free_kb));
    let used = memory.zip(free).and_then(|(total, free)| total.checked_sub(free));
    let denied = |what: &'static str, is_missing: bool| {
        is_missing.then(|| Missing { what, why: "the machine does not tell this log-in".into() })
    };
    let missing = [denied("units", answer.services.is_none()), denied("memory", used.is_none())];
    Some(Vitals {
        missing: missing.into_iter().flatten().collect(),
        name: text(&answer.name),
        system: text(&answer.system),
        kernel: text(&answer.version),
        architecture: text(&answer.architecture),
        uptime: count(&answer.uptime).map(Duration::from_secs),
        cores: count(&answer.cores).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0),
        cpu: answer.cpu.as_ref().and_then(Number::value).filter(|busy| *busy <= 100.0).map(|busy| CpuTime {
            busy,
            iowait: 0.0,
            steal: 0.0,
        }),
        memory: amount(memory, used, 1024).filter(|memory| memory.total > 0),
        swap: amount(count(&answer.page_mb), count(&answer.page_used_mb), 1024 * 1024),
        disks: answer.disks.iter().flat_map(List::iter).filter_map(disk).collect(),
        failed_units: answer
            .services
            .map(|names| names.iter().map(|name| Untrusted::bounded(name.as_bytes(), NAME)).collect()),
        reboot: answer.reboot.map(|required| Reboot {
            required,
            reason: if required { "Windows asks for it".into() } else { Untrusted::default() },
        }),
        drives: answer.drives.iter().flat_map(List::iter).filter_map(drive).collect(),
        clock: answer.time.map(|told| offset(told, sent, heard)),
        ..Vitals::default()
    })
}

/// Whether the script ran and was told nothing that it asked for.
pub fn is_nothing(vitals: &Vitals) -> bool {
    let Vitals { memory, cores, cpu, disks, failed_units, .. } = vitals;
    memory.is_none() && cores.is_none() && cpu.is_none() && disks.is_empty() && failed_units.is_none()
}

/// The answer among whatever a shell says before it. What is no UTF-8 there, of a system whose code page is another, is told by
/// its place only.
fn answer(output: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(output);
    let starts = text.match_indices('{').map(|(at, _)| at).take(MOST_STARTS);
    let mut answers = starts.filter_map(|at| {
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Answer>();
        values.next()?.ok()
    });
    answers.find(|answer| answer.noctty == 1)
}

fn disk(disk: &Disk) -> Option<FileSystem> {
    let (size, free) = (Number::count(disk.size.as_ref())?, Number::count(disk.free.as_ref())?);
    let used = size.checked_sub(free)?;
    // Volumes without a letter are called by their folder: `C:\\Data\\`.
    let mount = Untrusted::bounded(disk.name.as_deref()?.trim_end_matches('\\').as_bytes(), NAME);
    (size > 0).then(|| FileSystem {
        mount,
        device: Untrusted::default(),
        size,
        available: free,
        used_percent: 100.0 * used as f64 / size as f64,
        inodes_percent: None,
        read_only: None,
    })
}

fn drive(drive: &Health) -> Option<Drive> {
    // Where there is no such command, one stands there that is nothing.
    let name = drive.name.as_deref().filter(|name| !name.is_empty())?;
    let healthy = match drive.health.as_deref() {
        Some("Healthy" | "0") => Some(true),
        Some("Warning" | "1" | "Unhealthy" | "2") => Some(false),
        Some(_) | None => None,
    };
    Some(Drive { device: Untrusted::bounded(name.as_bytes(), NAME), healthy })
}

/// PowerShell takes its seconds to start and reads the clock some time on the way.
fn offset(told: i64, sent: Timestamp, heard: Timestamp) -> ClockOffset {
    let (sent, heard) = (sent.millis() as f64, heard.millis() as f64);
    let between = (heard - sent).max(0.0);
    ClockOffset { seconds: (told as f64 - sent - between / 2.0) / 1000.0, uncertainty: (between / 2.0 + 1.0) / 1000.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Outcome;
    use crate::probe::vitals::judge;
    use crate::probe::vitals::limits::{Levels, Limits};

    /// In the form of Windows PowerShell 5.1; the values are made up.
    const SERVER: &str = r#"{"reboot":true,"drives":[{"health":"Healthy","name":"Virtual Disk"},{"health":"Unhealthy","name":"Disk 2"}],"page_used_mb":100,"page_mb":2432,"services":["MapsBroker","Spooler"],"uptime":864000,"cores":4,"memory_kb":8388148,"memory_free_kb":5242592,"version":"10.0.20348","name":"FILE01","system":"Microsoft Windows Server 2022 Standard","architecture":"64-bit","cpu":7,"noctty":1,"time":1700000000500,"disks":[{"name":"C:","size":136365211648,"free":27173042330},{"name":"D:","size":1099511627776,"free":21990232556}]}"#;
    /// As a locked-down account gets it: most objects are denied, and what is left comes as null, text or empty.
    const DENIED: &str = r#"
        {"noctty":1,"time":1700000000500,"name":null,"system":null,"version":null,"architecture":null,"uptime":null,"cores":null,
         "cpu":"7","memory_kb":null,"memory_free_kb":"5","page_mb":null,"page_used_mb":null,"disks":[null],"services":null,
         "drives":[{"name":null,"health":""}],"reboot":false}
    "#;

    fn at(millis: i64) -> Timestamp {
        Timestamp(millis)
    }

    #[test]
    fn a_server_is_read_and_judged_as_any_other_machine() {
        let vitals = read(SERVER.as_bytes(), at(1_700_000_000_000), at(1_700_000_001_000)).expect("an answer");
        assert_eq!((vitals.name.line().as_str(), vitals.kernel.line().as_str()), ("FILE01", "10.0.20348"));
        assert_eq!(vitals.uptime, Some(Duration::from_secs(864_000)));
        assert_eq!(vitals.memory.and_then(Amount::percent).map(f64::round), Some(38.0));
        assert_eq!(vitals.clock.map(ClockOffset::certain), Some(0.0));
        let (reading, _) = judge::judge(&vitals, &Limits::default(), &Levels::default());
        assert_eq!(reading.outcome, Outcome::Critical);
        assert_eq!(
            reading.summary.line(),
            "SMART: Disk 2 failing · D: 98 % full · C: 80 % full · 2 units failed: MapsBroker, Spooler · reboot required"
        );
    }

    #[test]
    fn what_is_denied_is_not_known_and_not_guessed() {
        let vitals = read(DENIED.as_bytes(), at(0), at(0)).expect("an answer");
        assert_eq!((vitals.memory, vitals.cores, &vitals.failed_units), (None, None, &None));
        assert_eq!((vitals.uptime, vitals.drives.len()), (None, 0), "nobody knows since when it is up");
        assert_eq!(vitals.cpu.map(|cpu| cpu.busy), Some(7.0));
        assert!(vitals.disks.is_empty() && vitals.reboot.as_ref().is_some_and(|reboot| !reboot.required));
        assert_eq!(vitals.missing.iter().map(|missing| missing.what).collect::<Vec<_>>(), ["units", "memory"]);
        assert!(!is_nothing(&vitals));
        let nothing = read(DENIED.replace("\"7\"", "null").as_bytes(), at(0), at(0)).expect("an answer");
        assert!(is_nothing(&nothing), "{nothing:?}");
    }

    #[test]
    fn what_stands_before_the_answer_is_passed_over_and_what_is_none_is_none() {
        let noisy = format!("Microsoft Windows [Version 10.0]\r\n{SERVER}\r\n");
        assert!(read(noisy.as_bytes(), at(0), at(0)).is_some());
        let noise = br"'powershell' is not recognized as an internal or external command";
        for none in [&noise[..], b"{}", b"{\"noctty\":2}", b"", b"{\"noctty\":1"] {
            assert_eq!(read(none, at(0), at(0)), None);
        }
    }

    #[test]
    fn a_list_of_one_or_none_is_a_list_in_whatever_form_it_comes() {
        let with = |more: &str| {
            let text = format!("{{\"noctty\":1,{more}}}");
            read(text.as_bytes(), at(0), at(0)).expect("an answer")
        };
        let units = |more: &str| {
            let units = with(more).failed_units;
            units.map(|units| units.iter().map(Untrusted::line).collect::<Vec<_>>())
        };
        let one = Some(vec!["Spooler".to_owned()]);
        assert_eq!(units(r#""services":["Spooler"]"#), one);
        assert_eq!(units(r#""services":"Spooler""#), one);
        assert_eq!(units(r#""services":{"value":["Spooler"],"Count":1}"#), one);
        assert_eq!(units(r#""services":[]"#), Some(Vec::new()));
        assert_eq!(units(r#""services":[null]"#), Some(Vec::new()));
        assert_eq!((units(r#""services":null"#), units("\"cpu\":1")), (None, None));
        let disk = r#"{"name":"C:\\Data\\","size":1000,"free":100}"#;
        for disks in [disk.to_owned(), format!("[{disk}]"), format!("{{\"value\":[{disk}],\"Count\":1}}")] {
            let vitals = with(&format!("\"disks\":{disks}"));
            let told: Vec<_> = vitals.disks.iter().map(|disk| (disk.mount.line(), disk.size)).collect();
            assert_eq!(told, [("C:\\Data".to_owned(), 1000)]);
        }
    }

    #[test]
    fn an_answer_is_found_behind_braces_and_in_another_code_page() {
        let behind = format!("{{{{ welcome }} to {{\"noctty\":2}} {SERVER}");
        assert!(read(behind.as_bytes(), at(0), at(0)).is_some());
        // "Système" in the code page 850, and as the script writes it.
        let old = b"{\"noctty\":1,\"system\":\"Syst\x8ame\",\"cores\":4}";
        let vitals = read(old, at(0), at(0)).expect("an answer");
        assert_eq!((vitals.cores, vitals.system.line().as_str()), (Some(4), "Syst\u{fffd}me"));
        let ascii = br#"{"noctty":1,"system":"Syst\u00e8me \ud83d\ude00"}"#;
        let vitals = read(ascii, at(0), at(0)).expect("an answer");
        assert_eq!(vitals.system.as_bytes(), "Syst\u{e8}me \u{1f600}".as_bytes());
    }

    /// By the pages of Microsoft on each class; the script asks for nothing else.
    #[test]
    fn what_is_read_of_a_class_is_one_of_its_properties() {
        let classes: [(&str, &str, &[&str]); 8] = [
            (
                "$o",
                "Win32_OperatingSystem",
                &[
                    "Caption",
                    "Version",
                    "OSArchitecture",
                    "LastBootUpTime",
                    "TotalVisibleMemorySize",
                    "FreePhysicalMemory",
                ],
            ),
            ("$c", "Win32_ComputerSystem", &["Name", "NumberOfLogicalProcessors"]),
            ("$p", "Win32_PerfFormattedData_PerfOS_Processor", &["PercentProcessorTime"]),
            ("$g", "Win32_PageFileUsage", &["AllocatedBaseSize", "CurrentUsage"]),
            ("$d", "Win32_LogicalDisk", &["DeviceID", "Size", "FreeSpace"]),
            ("$v", "Win32_Volume", &["Name", "Capacity", "FreeSpace"]),
            ("$s", "Win32_Service", &["Name"]),
            ("$h", "Get-PhysicalDisk", &["FriendlyName", "HealthStatus"]),
        ];
        for (variable, class, properties) in classes {
            assert!(SCRIPT.lines().any(|line| line.starts_with(variable) && line.contains(class)), "{class}");
            let (of_it, into_pipe) = (format!("{variable}."), format!("({variable} | "));
            let own = SCRIPT.match_indices(&of_it).map(|(at, _)| &SCRIPT[at + 3..]);
            let piped = SCRIPT.match_indices(&into_pipe).flat_map(|(at, _)| {
                let end = SCRIPT[at..].find('\n').map_or(SCRIPT.len(), |end| at + end);
                let part = &SCRIPT[at..end];
                part.match_indices("$_.").map(|(at, _)| &part[at + 3..]).collect::<Vec<_>>()
            });
            for name in own.chain(piped).map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next()) {
                assert!(name.is_some_and(|name| properties.contains(&name)), "{class} has no {name:?}");
            }
        }
    }

    /// A command line of Windows ends at 8,191 characters.
    #[test]
    fn the_command_fits_a_command_line() {
        let command = command();
        assert!(command.len() < 8_000, "{}", command.len());
        assert!(command.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -+/=".contains(&byte)));
    }

    proptest! {
        #[test]
        fn a_damaged_answer_is_read_without_a_panic(
            at_bytes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        ) {
            let mut output = SERVER.as_bytes().to_vec();
            for (index, byte) in at_bytes {
                let place = index.index(output.len());
                output[place] = byte;
            }
            if let Some(vitals) = read(&output, at(0), at(i64::MAX)) {
                let (reading, _) = judge::judge(&vitals, &Limits::default(), &Levels::default());
                prop_assert!(reading.metrics.iter().all(|m| m.value.is_finite()), "{reading:?}");
            }
        }
    }
}
