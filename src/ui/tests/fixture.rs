//! Snapshots made by hand: an outage, a quiet network, nothing at all, and names that mean harm.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Timestamp, Untrusted};
use crate::model::{
    AssetId, BackupReport, CheckSpec, Condition, Counters, Device, Entry, EntryKind, Flap, Host, IfAdmin, IfOper,
    Incident, IncidentId, IncidentStatus, Job, Notification, NotificationKind, Observation, Origin, Outcome, Port,
    PortTable, Reading, RestorePoint, Subject, Target, TrapStatus, Unit, Urgency, Wire,
};
use crate::state::snapshot::{Behind, ProblemKind, Totals};
use crate::state::{
    Care, CheckView, DeviceView, EngineView, HostView, JobState, JobView, NotificationView, PortState, PortView,
    Problem, Rates, Snapshot, Storage,
};

/// 2026-03-14T14:22:07Z.
pub const NOW: Timestamp = Timestamp(1_773_498_127_000);

pub fn ago(seconds: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(seconds))
}

pub fn host(name: &str, condition: Condition, reason: &str, since: u64) -> HostView {
    let mut host = Host::new(name, Some("192.0.2.7"), Origin::Config);
    host.tags = vec!["core".into(), "ams".into()];
    host.group = Some("servers".into());
    let spec = CheckSpec {
        wire: Wire { protocol: "ICMP echo".into(), destination: "192.0.2.7".into() },
        interval: Duration::from_secs(10),
        retry_interval: Duration::from_secs(2),
        decides_reachability: true,
        ..CheckSpec::sample(Subject::Host(host.id.clone()), "icmp")
    };
    let outcome = match condition {
        Condition::Critical => Outcome::Critical,
        Condition::Warning => Outcome::Warning,
        Condition::Unknown => Outcome::Unknown,
        Condition::Ok | Condition::Pending | Condition::NotProbed | Condition::Unreachable => Outcome::Ok,
    };
    let reading = Reading::new(outcome, reason)
        .metric("load1", 0.7, Unit::Count)
        .metric("memory", 48.0, Unit::Percent)
        .metric("disk:/var", 44.0, Unit::Percent);
    let last = Arc::new(Observation { check: spec.key.clone(), at: ago(3), took: Duration::from_millis(4), reading });
    let check = CheckView {
        spec: Arc::new(spec),
        condition,
        attempt: 0,
        since: ago(since),
        last: Some(last.clone()),
        last_good: Some(ago(3)),
        last_bad: None,
        good_before: None,
        stale: false,
        restored: false,
        eased: false,
        flap: Flap::default(),
        ack: None,
        missing: None,
    };
    HostView {
        host: Arc::new(host),
        condition,
        since: ago(since),
        reason: Untrusted::from(reason),
        checks: vec![check],
        last_seen: Some(ago(3)),
        stale: false,
        behind: None,
        trail: Arc::from([0.2, 0.4, 0.3, 0.9, 1.4, 0.7, 0.6, 0.7]),
        care: Care::default(),
    }
}

pub fn device(name: &str, ports: &[(String, PortState, Condition)]) -> DeviceView {
    let host = Arc::new(Host::new(name, Some("192.0.2.2"), Origin::Config));
    let rows = ports.iter().enumerate().map(|(i, (label, state, _))| Port {
        index: 10_101 + i as u32,
        name: Untrusted::from(label.as_str()),
        description: Untrusted::from(label.as_str()),
        alias: Untrusted::from(if i % 7 == 0 { "uplink to core" } else { "" }),
        if_type: Some(6),
        admin: Some(if *state == PortState::AdminDown { IfAdmin::Down } else { IfAdmin::Up }),
        oper: Some(if *state == PortState::Up { IfOper::Up } else { IfOper::Down }),
        speed_bps: Some(1_000_000_000),
        mtu: Some(1500),
        mac: Some([0, 1, 2, 3, 4, i as u8]),
        duplex: None,
        last_change: Some(ago(86_400 * 3)),
        as_started: false,
        counters: Counters::of_octets(Some(9_000_000), None, false),
    });
    let table = PortTable {
        collected_at: ago(40),
        device: Device { name: Untrusted::from(name), ..Device::default() },
        ports: rows.collect(),
        packets: Vec::new(),
        complete: true,
        warnings: Vec::new(),
        equipment: Arc::default(),
    };
    let views: Vec<PortView> = ports
        .iter()
        .enumerate()
        .map(|(row, (_, state, condition))| PortView {
            reason: (*state == PortState::ErrDisabled).then(|| "bpduguard".into()),
            condition: *condition,
            changed: condition.is_problem().then(|| ago(240)),
            rates: Rates::of_bits(3.1e6, 88e3),
            seen_up: true,
            ..PortView::new(row, *state, ago(86_400))
        })
        .collect();
    DeviceView {
        findings: Arc::default(),
        up: views.iter().filter(|p| p.state == PortState::Up).count(),
        condition: views.iter().map(|p| p.condition).max().unwrap_or(Condition::Ok),
        host,
        table: Arc::new(table),
        ports: views,
        stale: false,
        rebooted: false,
        events: Arc::default(),
        absent: Arc::default(),
        missing: None,
        counted_from: None,
    }
}

fn switch(name: &str, bad: Option<(usize, PortState, Condition)>) -> DeviceView {
    let ports = (0..52).map(|i| {
        let label = if i < 48 { format!("Gi1/0/{}", i + 1) } else { format!("Te1/1/{}", i - 47) };
        match bad {
            Some((row, state, condition)) if row == i => (label, state, condition),
            _ if i % 11 == 5 => (label, PortState::NoLink, Condition::Ok),
            _ if i % 13 == 8 => (label, PortState::AdminDown, Condition::Ok),
            _ => (label, PortState::Up, Condition::Ok),
        }
    });
    device(name, &ports.collect::<Vec<_>>())
}

pub fn job(name: &str, state: JobState, condition: Condition, newest_hours: u64, reason: &str) -> JobView {
    let job = Job {
        id: AssetId::new(name),
        name: name.into(),
        kind: "restic".into(),
        repository: "/srv/restic".into(),
        protects: vec![AssetId::new("db01")],
        schedule: None,
        grace: None,
        rpo: Some(Duration::from_secs(26 * 3600)),
        rto: None,
        origin: Origin::Config,
        not_probed: None,
        runbook: None,
    };
    let newest = ago(newest_hours * 3600);
    let point = RestorePoint {
        id: Untrusted::from("4f2a9c01"),
        at: newest,
        host: Untrusted::from("db01"),
        paths: vec![Untrusted::from("/var/lib/postgres")],
        tags: Vec::new(),
        bytes: Some(12 << 30),
    };
    JobView {
        job: Arc::new(job),
        state,
        condition,
        since: ago(5 * 3600),
        reason: Untrusted::from(reason),
        findings: vec![Untrusted::from(reason)],
        report: Some(Arc::new(BackupReport {
            collected_at: ago(300),
            points: vec![point],
            total_points: 31,
            locks: Vec::new(),
            tool_version: None,
            damage: Vec::new(),
            warnings: Vec::new(),
        })),
        newest: Some(newest),
        next_expected: None,
        last_expected: None,
        check: None,
        stale: false,
        review_at: None,
        care: Care::default(),
    }
}

fn entry(number: u64, seconds_ago: u64, kind: EntryKind, author: &str, text: &str, about: Option<&str>) -> Arc<Entry> {
    Arc::new(Entry {
        id: format!("01ARZ3NDEKTSV4RRFFQ69G5F{number:02}").into(),
        incident: IncidentId(7),
        writer: "01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
        sequence: number,
        at: ago(seconds_ago),
        kind,
        author: Untrusted::from(author),
        text: Untrusted::from(text),
        about: about.map(Untrusted::from),
    })
}

/// A claim as the journal has it.
pub fn deed(about: &str) -> Arc<Entry> {
    let mut deed = (*entry(6, 0, EntryKind::Claimed, "ops1", "{}", Some(about))).clone();
    deed.incident = IncidentId::NONE;
    Arc::new(deed)
}

fn incident() -> Arc<Incident> {
    Arc::new(Incident {
        id: IncidentId(7),
        title: Untrusted::from("Ams core down"),
        urgency: Urgency::Sev2,
        status: IncidentStatus::Open,
        opened_at: ago(1231),
        closed_at: None,
        entries: vec![
            entry(1, 1231, EntryKind::Opened, "ops1", "Ams core down", None),
            entry(2, 1145, EntryKind::Note, "ops1", "console shows no power on PSU A", Some("core-sw1")),
            entry(3, 987, EntryKind::Hypothesis, "ops2", "UPS B fault?", None),
            entry(4, 612, EntryKind::Decision, "ops1", "move uplinks to core-sw2", None),
            entry(5, 240, EntryKind::Action, "ops3", "re-cabling, due 14:30", None),
        ],
        damage: Vec::new(),
    })
}

fn problem(kind: ProblemKind, asset: &str, title: &str, condition: Condition, word: &str, why: &str) -> Problem {
    Problem {
        kind,
        asset: AssetId::new(asset),
        target: Target::Host(AssetId::new(asset)),
        port: (kind == ProblemKind::Port).then_some(48),
        title: Untrusted::from(title),
        condition,
        stale: false,
        word: word.into(),
        reason: Untrusted::from(why),
        since: ago(1231),
        hides: 0,
        behind: None,
        care: Care::default(),
        rank: "".into(),
    }
}

/// A core switch is down, a backup is late, a port is disabled, a host is stale, an incident is open.
pub fn outage() -> Arc<Snapshot> {
    let mut stale = host("mon3", Condition::Ok, "load 0.2, memory 31 %", 90_000);
    stale.stale = true;
    stale.checks[0].stale = true;
    let mut behind = host("acc-17", Condition::Unreachable, "behind core-sw1", 1231);
    behind.behind = Some("core-sw1".into());
    let mut waiting = host("jump-target", Condition::NotProbed, "behind jump1, not probed", 10);
    waiting.checks.clear();
    let mut hosts = vec![
        host("db01", Condition::Ok, "load 0.7, memory 48 %, /var 44 %", 90_000),
        host("db02", Condition::Ok, "load 0.9, memory 52 %, / 41 %", 90_000),
        host("core-sw1", Condition::Critical, "no answer to ICMP, SNMP, SSH", 1231),
        behind,
        host("web2", Condition::Warning, "/var 91 %, certificate 12 d", 7300),
        stale,
        waiting,
    ];
    hosts.extend((1..20).map(|n| host(&format!("app{n:02}"), Condition::Ok, "load 0.1, memory 12 %", 90_000)));
    let mut core =
        problem(ProblemKind::Host, "core-sw1", "core-sw1", Condition::Critical, "DOWN", "no answer to ICMP, SNMP, SSH");
    core.hides = 34;
    let problems = vec![
        core,
        problem(
            ProblemKind::Backup,
            "db01 nightly",
            "db01 nightly",
            Condition::Critical,
            "RPO BREACH",
            "newest restore point 31 h old, target 26 h, missed 02:00",
        ),
        problem(
            ProblemKind::Port,
            "dist-sw4",
            "dist-sw4 Te1/1/1",
            Condition::Warning,
            "up",
            "1G of 10G since last flap",
        ),
        problem(ProblemKind::Host, "web2", "web2", Condition::Warning, "WARNING", "/var 91 %, certificate 12 d"),
    ];
    let hidden = |n| {
        let name = format!("acc-{n:02}");
        let kind = ProblemKind::Host;
        let hidden = problem(kind, &name, &name, Condition::Unreachable, "UNREACHABLE", "behind core-sw1");
        Problem { behind: Some(Behind { target: problems[0].target.clone(), inferred: false }), ..hidden }
    };
    Arc::new(Snapshot {
        revision: 5,
        at: NOW,
        consequences: (1..35).map(hidden).collect(),
        totals: Totals {
            hosts: hosts.len(),
            hosts_ok: 21,
            hosts_stale: 1,
            hosts_not_probed: 1,
            critical: 2,
            warning: 2,
            unreachable: 34,
            devices: 2,
            ports: 104,
            ports_up: 87,
            jobs: 3,
            jobs_ok: 1,
            ..Totals::default()
        },
        hosts: hosts.into_iter().map(Arc::new).collect(),
        devices: vec![
            Arc::new(switch("dist-sw4", Some((48, PortState::Up, Condition::Warning)))),
            Arc::new(switch("acc-17", Some((20, PortState::ErrDisabled, Condition::Critical)))),
        ],
        jobs: vec![
            Arc::new(job("files", JobState::Ok, Condition::Ok, 14, "newest restore point 14 h old")),
            Arc::new(job(
                "db01 nightly",
                JobState::Breach,
                Condition::Critical,
                31,
                "newest restore point 31 h old, target 26 h",
            )),
            Arc::new(job("mail weekly", JobState::Locked, Condition::Warning, 20, "locked by mail01 since 9 h")),
        ],
        problems: problems.into(),
        incidents: Arc::from([incident()]),
        sessions: Arc::from([]),
        engine: EngineView { storage: Storage::Ready, ..EngineView::default() },
        remarks: Arc::from([Arc::from("units unavailable: no systemctl")]),
        ..Snapshot::default()
    })
}

/// What a device told by itself, five minutes ago.
pub fn told(host: &str, kind: NotificationKind, count: u32, detail: &str) -> NotificationView {
    let told = Notification {
        at: NOW.minus(Duration::from_secs(300)),
        host: AssetId::new(host),
        kind,
        if_index: Some(3),
        detail: Untrusted::from(detail),
        version: "v2c",
        count,
    };
    NotificationView { told, port: Some(Untrusted::from("Gi1/0/3")) }
}

/// A network that has nothing in it.
pub fn nothing() -> Arc<Snapshot> {
    Arc::new(Snapshot {
        at: NOW,
        engine: EngineView { has_inventory: true, ..EngineView::default() },
        ..Snapshot::default()
    })
}

/// Everything is fine, and little is watched.
pub fn quiet() -> Arc<Snapshot> {
    let hosts: Vec<Arc<HostView>> = ["this machine", "gateway", "resolver 192.0.2.53"]
        .iter()
        .map(|name| Arc::new(host(name, Condition::Ok, "load 0.1, memory 12 %", 90_000)))
        .collect();
    Arc::new(Snapshot {
        revision: 3,
        at: NOW,
        totals: Totals { hosts: 3, hosts_ok: 3, ..Totals::default() },
        hosts,
        engine: EngineView { storage: Storage::Ready, has_inventory: true, ..EngineView::default() },
        ..Snapshot::default()
    })
}

/// What a terminal would obey.
pub const EVIL: &str = "a\x1b]0;own\x07\x1b[2J\u{202e}\u{200b}\r\n\t\u{9b}31m日本語e\u{301}\u{301}";

/// The same in every place that holds foreign text.
pub fn hostile() -> Arc<Snapshot> {
    let mut snapshot = (*outage()).clone();
    for view in &mut snapshot.hosts {
        let view = Arc::make_mut(view);
        view.reason = Untrusted::from(EVIL);
        view.behind = view.behind.as_ref().map(|_| EVIL.into());
        view.trail = Arc::from([f32::NAN, f32::INFINITY, -1.0, 0.0]);
        let host = Arc::make_mut(&mut view.host);
        host.name = format!("{EVIL}{}", host.name).into();
        host.tags = vec![EVIL.into()];
        host.group = Some(EVIL.into());
        host.site = Some(format!("{EVIL}{}", host.name.len() % 3).into());
        host.address = Some(EVIL.into());
    }
    // One that was looked at from within, beside another to be compared with.
    for at in [0, 1] {
        let id = snapshot.hosts[at].host.id.clone();
        let mut looked_into = machine_like(|vitals| {
            for text in [&mut vitals.name, &mut vitals.system, &mut vitals.kernel, &mut vitals.architecture] {
                *text = format!("{EVIL}{at}").into();
            }
            vitals.mounts = vec![EVIL.into()];
            vitals.failed_units = Some(vec![EVIL.into()]);
            vitals.users = Some(vec![EVIL.into()]);
            for disk in &mut vitals.disks {
                disk.mount = EVIL.into();
            }
        });
        Arc::make_mut(&mut looked_into.host).id = id;
        Arc::make_mut(&mut looked_into.host).name = format!("{EVIL}{at}").into();
        snapshot.hosts[at] = Arc::new(looked_into);
    }
    for view in &mut snapshot.devices {
        let view = Arc::make_mut(view);
        let table = Arc::make_mut(&mut view.table);
        table.device.description = Untrusted::from(EVIL);
        table.warnings = vec![EVIL.to_owned()];
        for port in &mut table.ports {
            port.name = Untrusted::from(EVIL);
            port.alias = Untrusted::from(EVIL);
        }
        for port in &mut view.ports {
            port.rates = Rates::of_bits(f64::NAN, f64::INFINITY);
            port.reason = Some(EVIL.into());
        }
    }
    for view in &mut snapshot.jobs {
        let view = Arc::make_mut(view);
        view.reason = Untrusted::from(EVIL);
        view.findings = vec![Untrusted::from(EVIL)];
        Arc::make_mut(&mut view.job).name = EVIL.into();
    }
    let mut problems = snapshot.problems.to_vec();
    for problem in &mut problems {
        problem.title = Untrusted::from(EVIL);
        problem.reason = Untrusted::from(EVIL);
    }
    // A problem whose port is gone from its device's table.
    problems[2].port = Some(9_999);
    snapshot.problems = problems.into();
    let mut incident = (*snapshot.incidents[0]).clone();
    incident.title = Untrusted::from(EVIL);
    for entry in &mut incident.entries {
        let entry = Arc::make_mut(entry);
        entry.text = Untrusted::from(EVIL);
        entry.author = Untrusted::from(EVIL);
    }
    snapshot.incidents = Arc::from([Arc::new(incident)]);
    let mut notification = told("core-sw1", NotificationKind::Other(EVIL.into()), 1, EVIL);
    notification.port = Some(Untrusted::from(EVIL));
    snapshot.notifications = Arc::from([Arc::new(notification)]);
    snapshot.engine.traps = Some(Arc::new(TrapStatus {
        problem: Some(EVIL.into()),
        last_refusal: Some(EVIL.into()),
        listening: vec![EVIL.into()],
        ..TrapStatus::default()
    }));
    snapshot.remarks = Arc::from([Arc::from(EVIL)]);
    snapshot.engine.faults = vec![EVIL.into()];
    snapshot.engine.storage = Storage::NotSaved { reason: EVIL.into() };
    Arc::new(snapshot)
}

/// A Linux machine that was looked at a moment ago, with something of everything.
pub fn machine() -> HostView {
    machine_like(|_| {})
}

/// The same with something changed.
pub fn machine_like(change: impl FnOnce(&mut crate::model::Vitals)) -> HostView {
    use crate::model::vitals::{
        Amount, ClockOffset, CpuTime, Drive, FileSystem, Missing, Packages, Pressure, RaidArray, Reboot, Redundancy,
        StoragePool, Updates, Vitals,
    };
    let disk = |mount: &str, gigabytes: u64, used_percent: f64, inodes_percent| FileSystem {
        mount: mount.into(),
        device: "/dev/vda".into(),
        size: gigabytes << 30,
        available: (gigabytes << 30) / 100 * (100 - used_percent as u64),
        used_percent,
        inodes_percent,
        read_only: Some(mount == "/mnt/archive"),
    };
    let mut vitals = Vitals {
        name: "web01".into(),
        system: "Debian GNU/Linux 12 (bookworm)".into(),
        kernel: "6.1.0-18-amd64".into(),
        architecture: "x86_64".into(),
        uptime: Some(Duration::from_secs(86_400 * 41)),
        cores: Some(4),
        load: Some([0.71, 0.50, 4.20]),
        cpu: Some(CpuTime { busy: 12.0, iowait: 3.0, steal: 1.0 }),
        memory: Some(Amount { total: 8 << 30, used: 4 << 30 }),
        swap: Some(Amount { total: 2 << 30, used: 1 << 30 }),
        swap_in: Some(2_000.0),
        oom_kills: Some(0),
        pressure: vec![
            Pressure { what: "cpu", some: 2.5, full: None },
            Pressure { what: "io", some: 14.0, full: Some(6.0) },
        ],
        disks: vec![
            disk("/", 40, 44.0, Some(9.0)),
            disk("/var", 80, 97.0, Some(96.0)),
            disk("/mnt/archive", 4000, 12.0, None),
        ],
        failed_units: Some(vec!["nginx.service".into(), "evil\x1b[31m.service".into()]),
        reboot: Some(Reboot { required: true, reason: "kernel 6.1.0-21-amd64 is installed".into() }),
        updates: Some(Updates { by: "apt", all: 14, security: Some(3), refreshed: Some(ago(7_200)) }),
        arrays: vec![RaidArray {
            name: "md0".into(),
            level: "raid1".into(),
            redundancy: Redundancy::Degraded,
            members: Some((1, 2)),
            progress: None,
        }],
        pools: vec![StoragePool {
            name: "tank".into(),
            health: "ONLINE".into(),
            redundancy: Redundancy::Whole,
            size: Some(1 << 40),
            used_percent: Some(61.0),
        }],
        drives: vec![Drive { device: "/dev/sda".into(), healthy: Some(true) }],
        clock: Some(ClockOffset { seconds: -0.012, uncertainty: 0.003 }),
        synchronised: Some(true),
        users: Some(vec!["root     pts/0        Mar 14 13:50".into()]),
        packages: Some(Packages { by: "dpkg", count: 772, digest: "01ba4719c80b6fe911b091a7c05124b6".into() }),
        mounts: vec!["/ ext4 rw".into(), "/var ext4 rw,noatime".into()],
        missing: vec![Missing { what: "SMART", why: "smartctl needs root".into() }],
        ..Vitals::default()
    };
    change(&mut vitals);
    let mut view = host("web01", Condition::Critical, "/var 97 % full · RAID md0 degraded (1 of 2)", 300);
    // It answers.
    view.checks.extend(host("web01", Condition::Ok, "0.4ms", 300).checks);
    let check = &mut view.checks[0];
    let mut spec = (*check.spec).clone();
    spec.key.name = "linux".into();
    spec.kind = "linux".into();
    spec.decides_reachability = false;
    spec.wire = Wire { protocol: "SSH, one connection kept, a script that reads".into(), destination: "web01".into() };
    check.spec = Arc::new(spec);
    let mut last = check.last.as_deref().expect("it has a result").clone();
    last.reading = last.reading.facts(crate::model::Facts::Vitals(Arc::new(vitals)));
    check.last = Some(Arc::new(last));
    view
}
