//! `noctty plan`: what would be polled, how, and how often. Resolves no name and opens no socket.

use std::fmt::Write as _;
use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde::Serialize;

use super::Globals;
use crate::base::{text, units};
use crate::engine::Plan;
use crate::model::EASES_AFTER;
use crate::report::json;

#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    target: String,
    origin: &'static str,
    check: String,
    protocol: String,
    destination: String,
    interval_s: f64,
    /// Once it was good for long.
    eased_interval_s: Option<f64>,
    never_faster: bool,
    waits_for: Option<String>,
}

#[derive(Debug, Serialize)]
struct Unwatched {
    target: String,
    origin: &'static str,
    why: String,
}

#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    checks: Vec<Row>,
    not_probed: Vec<Unwatched>,
    /// Where it waits to be told something: traps and informs.
    listens: Vec<String>,
    remarks: Vec<String>,
}

pub fn run(args: &PlanArgs, globals: &Globals) -> Result<ExitCode> {
    let plan = super::load_plan(globals)?;
    let document = document(&plan);
    let mut out = if args.json { json::pretty(&document) } else { table(&document) };
    if globals.passive && !args.json {
        out.push_str("--passive: none of it is sent\n");
    }
    super::print(&out)?;
    Ok(ExitCode::SUCCESS)
}

fn document(plan: &Plan) -> Document {
    let origin = |id: &crate::model::AssetId| {
        let host = plan.inventory.host(id).map(|h| (h.name.to_string(), h.origin.label()));
        host.or_else(|| plan.inventory.job(id).map(|j| (j.name.to_string(), j.origin.label()))).unwrap_or_default()
    };
    let checks = plan
        .checks
        .iter()
        .map(|bound| {
            let spec = &bound.spec;
            let (target, origin) = origin(spec.key.subject.id());
            Row {
                target,
                origin,
                check: spec.key.name.to_string(),
                protocol: spec.wire.protocol.to_string(),
                destination: spec.wire.destination.to_string(),
                interval_s: spec.interval.as_secs_f64(),
                eased_interval_s: spec.eases.then(|| spec.pace(true).as_secs_f64()),
                never_faster: spec.fixed_pace,
                waits_for: spec.waits_for.as_deref().map(str::to_owned),
            }
        })
        .collect();
    let hosts =
        plan.inventory.hosts.iter().filter_map(|h| Some((h.name.to_string(), h.origin.label(), h.not_probed.clone()?)));
    let jobs =
        plan.inventory.jobs.iter().filter_map(|j| Some((j.name.to_string(), j.origin.label(), j.not_probed.clone()?)));
    Document {
        schema: "noctty.plan/1",
        checks,
        not_probed: hosts
            .chain(jobs)
            .map(|(target, origin, why)| Unwatched { target, origin, why: why.to_string() })
            .collect(),
        listens: plan.traps.iter().flat_map(|t| t.listen.iter()).map(|a| format!("SNMP traps on {a}")).collect(),
        remarks: plan.inventory.remarks.iter().map(ToString::to_string).collect(),
    }
}

fn table(document: &Document) -> String {
    let mut rows: Vec<[String; 5]> = Vec::new();
    rows.push(["TARGET", "PROTOCOL", "DESTINATION", "EVERY", "FROM"].map(str::to_owned));
    for row in &document.checks {
        let mut every = units::config_duration(std::time::Duration::from_secs_f64(row.interval_s));
        if let Some(eased) = row.eased_interval_s {
            let [eased, after] = [std::time::Duration::from_secs_f64(eased), EASES_AFTER].map(units::config_duration);
            every.push_str(&format!(", {eased} when good for {after}"));
        }
        if row.never_faster {
            every.push_str(", never faster");
        }
        if let Some(waits) = &row.waits_for {
            every.push_str(&format!(", waits for a word: {waits}"));
        }
        rows.push([row.target.clone(), row.protocol.clone(), row.destination.clone(), every, row.origin.to_owned()]);
    }
    for row in &document.not_probed {
        rows.push([row.target.clone(), "–".to_owned(), row.why.clone(), "never".to_owned(), row.origin.to_owned()]);
    }
    let rows: Vec<[String; 5]> = rows.into_iter().map(|row| row.map(|cell| text::clean(&cell))).collect();
    let mut widths = [0; 5];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(text::width(cell));
        }
    }
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            let _ = write!(line, "{cell}{:pad$}  ", "", pad = width - text::width(cell));
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    for listens in &document.listens {
        let _ = writeln!(out, "listens for {listens}; sends acknowledgements of informs only");
    }
    for remark in &document.remarks {
        let _ = writeln!(out, "{}", text::clean(remark));
    }
    out
}
