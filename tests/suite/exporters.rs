//! The `prometheus` check against a real node_exporter, and against what nginx serves in its place.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use noctty::model::Outcome;

use crate::peer::{Peer, free_port};
use crate::probes::{ask_patiently as ask, told};
use crate::web::{log, metric, nginx};

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

#[tokio::test]
async fn a_node_exporter_tells_what_this_machine_tells() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port(LOOPBACK.into());
    let listen = format!("--web.listen-address=127.0.0.1:{port}");
    let program = Path::new("/usr/bin/prometheus-node-exporter");
    let _exporter = Peer::start(folder.path(), program, &[&listen]).accepts((LOOPBACK, port).into());
    let url = format!("url = 'http://127.0.0.1:{port}/metrics'");
    let lenient = "disk_warning = 100\ndisk_critical = 100\ninode_critical = 100\nmemory_warning = 100\nmemory_critical = 100\nload_warning = 1000\nload_critical = 1000";
    let reading = ask("prometheus", "127.0.0.1", &format!("{url}\n{lenient}")).await;
    let (_, line) = told(&reading);
    assert!(line.contains("load ") && line.contains(" cores · memory ") && line.contains(" · up "), "{line}");
    assert!(metric(&reading, "samples") > 300.0 && log(&reading).is_empty(), "{reading:?}");
    let number = |path: &str, word: usize| {
        let text = fs::read_to_string(path).expect("/proc can be read");
        text.split_ascii_whitespace().nth(word).expect("a word").parse::<f64>().expect("a number")
    };
    assert!((metric(&reading, "uptime") - number("/proc/uptime", 0)).abs() < 30.0, "{reading:?}");
    assert!((metric(&reading, "load1") - number("/proc/loadavg", 0)).abs() < 2.0, "{reading:?}");
    let (all, available) = (number("/proc/meminfo", 1), number("/proc/meminfo", 7));
    assert!((metric(&reading, "memory") - 100.0 * (all - available) / all).abs() < 10.0, "{reading:?}");

    let ours = "expect = [\
        { metric = 'node_exporter_build_info', warning = 2 },\
        { metric = 'node_cpu_seconds_total', labels = { mode = 'idle' }, sum = true, name = 'idle', below_critical = 0 },\
    ]\nmachine = false";
    let (outcome, line) = told(&ask("prometheus", "127.0.0.1", &format!("{url}\n{ours}")).await);
    assert!(outcome == Outcome::Ok && line.starts_with("node_exporter_build_info 1 · idle "), "{line}");
}

#[tokio::test]
async fn what_is_expected_of_series_is_judged() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port(LOOPBACK.into());
    let page = "# TYPE queue gauge\nqueue{name=\"mail\"} 7\nqueue{name=\"sms\\u001b[31m\"} 40\nqueue{name=\"\\\"fax\\\"\"} NaN\n\
                up 1\n<broken>\nnode_load1 30\nnode_load15 20\nnode_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 1\nnode_cpu_seconds_total{cpu=\"1\",mode=\"idle\"} 1\n\
                node_memory_MemTotal_bytes 1000\nnode_memory_MemAvailable_bytes 30\n\
                node_filesystem_size_bytes{mountpoint=\"/\",fstype=\"ext4\"} 1000\nnode_filesystem_free_bytes{mountpoint=\"/\",fstype=\"ext4\"} 80\n\
                node_filesystem_avail_bytes{mountpoint=\"/\",fstype=\"ext4\"} 30\n\
                node_filesystem_size_bytes{mountpoint=\"/run\",fstype=\"tmpfs\"} 10\nnode_filesystem_free_bytes{mountpoint=\"/run\",fstype=\"tmpfs\"} 0\n\
                node_filesystem_files{mountpoint=\"/var\",fstype=\"xfs\"} 100\nnode_filesystem_files_free{mountpoint=\"/var\",fstype=\"xfs\"} 9\n\
                node_systemd_unit_state{name=\"cron.service\",state=\"failed\"} 1\nnode_systemd_unit_state{name=\"ssh.service\",state=\"failed\"} 0\n";
    fs::write(folder.path().join("metrics"), page).expect("written");
    fs::write(folder.path().join("page.html"), "<html><body>Login</body></html>").expect("written");
    fs::write(folder.path().join("empty"), "").expect("written");
    let _nginx = nginx(folder.path(), &format!("server {{ listen 127.0.0.1:{port}; }}"), port);
    let scrape = async |path: &str, options: &str| {
        ask("prometheus", "127.0.0.1", &format!("url = 'http://127.0.0.1:{port}{path}'\n{options}")).await
    };
    let judged = async |options: &str| told(&scrape("/metrics", &format!("machine = false\n{options}")).await);

    let machine = scrape("/metrics", "").await;
    let words = "load 20.0 over 15 minutes on 2 cores · memory 97 % · / 97 % full · /var 91 % of inodes used · failed units: cron.service";
    assert_eq!(told(&machine), (Outcome::Critical, words.to_owned()));
    assert!((metric(&machine, "disk:/") - 96.84).abs() < 0.01 && (metric(&machine, "inodes:/var") - 91.0).abs() < 0.01);
    assert!(machine.metrics.iter().all(|m| &*m.name != "disk:/run"), "{machine:?}");
    assert_eq!(log(&machine), ["1 line not read, the first is line 6"]);
    assert_eq!(judged("").await, (Outcome::Ok, "19 samples".to_owned()));

    let mail = "metric = 'queue', labels = { name = 'mail' }, name = 'mail queue'";
    for (limits, outcome, words) in [
        ("warning = 8", Outcome::Ok, "mail queue 7"),
        ("warning = 7", Outcome::Warning, "mail queue is 7, limit 7"),
        ("warning = 5, critical = 6.5", Outcome::Critical, "mail queue is 7, limit 6.50"),
        ("below_warning = 7", Outcome::Warning, "mail queue is 7, least 7"),
        ("below_critical = 10", Outcome::Critical, "mail queue is 7, least 10"),
    ] {
        assert_eq!(judged(&format!("expect = [{{ {mail}, {limits} }}]")).await, (outcome, words.to_owned()));
    }
    let (outcome, line) = judged("expect = [{ metric = 'queue', warning = 30 }]").await;
    let words = r#"queue{name=sms\u001b[31m} is 40, limit 30 · queue{name="fax"} is NaN, not a number"#;
    assert_eq!((outcome, line.as_str()), (Outcome::Warning, words));
    let none = "expect = [{ metric = 'queue', labels = { name = 'post' }, warning = 30 }, { metric = 'up', below_critical = 0 }]";
    assert_eq!(judged(none).await, (Outcome::Critical, "queue: no such series".to_owned()));

    let (outcome, line) = told(&scrape("/page.html", "").await);
    let words = "no metrics in the answer: <html><body>Login</body></html>";
    assert_eq!((outcome, line.as_str()), (Outcome::Critical, words));
    assert_eq!(told(&scrape("/empty", "").await).1, "no metrics in the answer: it is empty");
    let (outcome, line) = told(&scrape("/gone", "").await);
    assert!(outcome == Outcome::Critical && line.starts_with("HTTP 404 in "), "{line}");
}
