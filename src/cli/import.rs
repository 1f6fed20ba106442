//! `noctty import`: what people have, as a configuration. The same input gives the same output; into an existing
//! configuration only new hosts go, at its end, and nothing that stands there is touched.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::builder::{PossibleValue, PossibleValuesParser};
use color_eyre::eyre::{Result, WrapErr as _, bail, eyre};

use super::shown;
use crate::base::options::{Problem, Source};
use crate::base::{text, units};
use crate::config::load;
use crate::engine::bind;
use crate::import::merge::{Settled, settle};
use crate::import::{FORMATS, Input, format, read_file, read_text, render};

/// Remarks beyond these are only counted.
const MOST_REMARKS: usize = 50;

#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// What the file is
    #[arg(value_parser = formats())]
    format: String,
    /// The file; `-` is standard input
    file: PathBuf,
    /// Write a new configuration instead of printing it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Let --output overwrite
    #[arg(long, requires = "output")]
    force: bool,
    /// Add the hosts that this configuration does not have to its end
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    into: Option<PathBuf>,
    /// csv: which column is what (name, address, group, tags, parents, port)
    #[arg(long, value_name = "FIELD=HEADER", value_parser = column)]
    column: Vec<(String, String)>,
}

fn formats() -> PossibleValuesParser {
    PossibleValuesParser::new(FORMATS.iter().map(|f| PossibleValue::new(f.name).help(f.help)))
}

fn column(text: &str) -> Result<(String, String), String> {
    let (field, header) = text.split_once('=').ok_or("write FIELD=HEADER, for instance name=Device")?;
    Ok((field.to_owned(), header.to_owned()))
}

pub fn run(args: &ImportArgs) -> Result<ExitCode> {
    let format = format(&args.format).ok_or_else(|| eyre!("there is no format {}", args.format))?;
    if !args.column.is_empty() && format.name != "csv" {
        bail!("--column is for csv");
    }
    let input = read_input(args)?;
    let found = (format.read)(&input).map_err(|problems| eyre!("nothing was imported\n{}", all(&problems)))?;
    if found.records.is_empty() {
        tell(&found.remarks);
        bail!("{} has no host to import", input.source.name);
    }
    if let Some(path) = &args.into {
        let before = std::fs::read_to_string(path).wrap_err_with(|| format!("cannot read {}", shown(path)))?;
        let config = load::parse(&shown(path), before.clone())
            .map_err(|problems| eyre!("{} has errors; nothing was changed\n{problems}", shown(path)))?;
        let settled = settle(found, Some(&config));
        return add(path, &before, &settled, &input);
    }
    let settled = settle(found, None);
    tell(&settled.remarks);
    let heading = format!("# Made by `noctty import {}` from {}.\n", format.name, text::clean(&input.source.name));
    let out = heading + &render::toml(&settled.new);
    check("the imported configuration", &out)?;
    match &args.output {
        None => super::print(&out)?,
        Some(path) => {
            write_new(path, &out, args.force)?;
            super::print(&format!("wrote {} with {}\n", shown(path), units::counted(settled.new.len(), "host")))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read_input(args: &ImportArgs) -> Result<Input> {
    let stdin = args.file.as_os_str() == "-";
    let name = if stdin { "standard input".to_owned() } else { shown(&args.file) };
    let read = if stdin { read_text(std::io::stdin().lock()) } else { read_file(&args.file) };
    let text = read.map_err(|why| eyre!("cannot read {name}: {why}"))?;
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    Ok(Input {
        path: (!stdin).then(|| args.file.clone()),
        source: Arc::new(Source { name, text }),
        home,
        columns: args.column.clone(),
    })
}

/// Adds new hosts to the end of a configuration, in one step, so that a crash leaves the old or the new one.
fn add(path: &Path, before: &str, settled: &Settled, input: &Input) -> Result<ExitCode> {
    tell(&settled.remarks);
    let known = settled.known;
    if settled.new.is_empty() {
        super::print(&format!("{}: nothing new, {} there already\n", shown(path), units::counted(known, "host")))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut after = before.to_owned();
    if !after.is_empty() && !after.ends_with('\n') {
        after.push('\n');
    }
    after.push_str(&format!("\n# From {}.\n", text::clean(&input.source.name)));
    after.push_str(&render::toml(&settled.new));
    check("the extended configuration", &after)?;
    // Through a link, so that it stays one.
    let target = path.canonicalize().wrap_err_with(|| format!("cannot find {}", shown(path)))?;
    replace(&target, &after).wrap_err_with(|| format!("cannot write {}", shown(path)))?;
    super::print(&format!(
        "{}: {} added, {known} there already\n",
        shown(path),
        units::counted(settled.new.len(), "host")
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// What is written must be valid: it is read and bound before it is.
fn check(what: &str, out: &str) -> Result<()> {
    let config = load::parse(what, out.to_owned()).map_err(|p| eyre!("nothing was written\n{p}"))?;
    match bind::bind(&config) {
        Ok(_) => Ok(()),
        Err(problems) => bail!("nothing was written\n{}", all(&problems)),
    }
}

fn write_new(path: &Path, out: &str, force: bool) -> Result<()> {
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match opened {
        Ok(mut file) => {
            file.write_all(out.as_bytes())?;
            Ok(file.sync_all()?)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && force => {
            let target = path.canonicalize().wrap_err_with(|| format!("cannot find {}", shown(path)))?;
            replace(&target, out).wrap_err_with(|| format!("cannot write {}", shown(path)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("{} is there already; --force overwrites it, --into {} adds what is new", shown(path), shown(path))
        }
        Err(error) => Err(error).wrap_err_with(|| format!("cannot write {}", shown(path))),
    }
}

/// A new file beside the old one, with its permissions, put in its place.
fn replace(path: &Path, out: &str) -> Result<()> {
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    let name = path.file_name().ok_or_else(|| eyre!("it is no file"))?.to_string_lossy().into_owned();
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
        file.write_all(out.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    let written = write();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    Ok(written?)
}

fn tell(remarks: &[Problem]) {
    for remark in remarks.iter().take(MOST_REMARKS) {
        super::complain(remark.render().trim_end());
    }
    if remarks.len() > MOST_REMARKS {
        super::complain(&format!("{} more remarks", remarks.len() - MOST_REMARKS));
    }
}

fn all(problems: &[Problem]) -> String {
    problems.iter().map(Problem::render).collect::<String>().trim_end().to_owned()
}
