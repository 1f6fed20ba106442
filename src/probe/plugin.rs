//! `plugin`: any monitoring plugin (the plugin API of Nagios): its exit status is the verdict, its first line the summary,
//! what stands behind the bar the numbers. It is started without a shell, in a process group of its own, with a
//! cleared environment, and ends with its whole group when its time is up or it prints too much.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Cx, Kind, Pace, Probe, Running};
use crate::base::options::{OptionDoc, Place, Problem, Reader, SecretRef, Value, nearest, program};
use crate::base::{Secret, Untrusted};
use crate::model::{Host, Outcome, Reading, Unit, Wire};
use crate::process::{self, Program, secret};
use crate::proto::plugin_output::{self, Measure, Number};

/// Bytes that a plugin may print; one that prints more is stopped.
const MOST_OUTPUT: usize = 256 * 1024;
/// What it takes to end a plugin that does not want to; part of the check's time.
const ENDING: Duration = Duration::from_secs(1);

pub static KIND: Kind = Kind {
    name: "plugin",
    help: "a monitoring plugin (Nagios API): exit status, text and numbers; argv only, no shell",
    options: &[
        OptionDoc {
            name: "command",
            form: "array",
            default: "",
            help: "program and arguments; `{address}` and `{name}` in an argument are the host's; required",
        },
        OptionDoc {
            name: "environment",
            form: "table",
            default: "",
            help: "variables for it: text, or a secret (`{ file = \"…\" }`); passwords belong here, since arguments are seen by everybody",
        },
        OptionDoc { name: "folder", form: "string", default: "", help: "where it runs; relative to this file" },
    ],
    pace: Pace {
        interval: Duration::from_secs(60),
        timeout: Duration::from_secs(30),
        retry_interval: Duration::from_secs(15),
        attempts: 3,
        decides_reachability: false,
    },
    bind,
};

#[derive(Debug)]
struct Plugin {
    argv: Vec<String>,
    environment: Vec<(String, SecretRef)>,
    folder: Option<PathBuf>,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let command = options.placed_strings("command");
    let environment = read_environment(options);
    let folder = options.path("folder");
    let place = options.place().clone();
    let Some(command) = command.filter(|command| command.first().is_some_and(|(program, _)| !program.is_empty()))
    else {
        let problem = Problem::error(&place, "a plugin check needs a `command`");
        options.problem(
            problem.hint("command = [\"/usr/lib/nagios/plugins/check_load\", \"-w\", \"5,4,3\", \"-c\", \"10,8,6\"]"),
        );
        return None;
    };
    let address = host.address.as_deref().unwrap_or(&host.name);
    let mut argv = Vec::with_capacity(command.len());
    let program_place = command.first().map(|(_, place)| place.clone());
    for (at, (argument, place)) in command.into_iter().enumerate() {
        // An option in the guise of an address would be taken for one.
        if argument == "{address}" && address.starts_with('-') || argument == "{name}" && host.name.starts_with('-') {
            options.problem(Problem::error(&place, format!("{argument} begins with a dash")));
            return None;
        }
        check_placeholders(&argument, &place, options);
        let argument = if at == 0 { program(&place, &argument) } else { argument };
        argv.push(argument.replace("{address}", address).replace("{name}", &host.name));
    }
    // What the machine does not have today may be installed tomorrow.
    if let Err(error) = process::executable(&argv[0]) {
        let place = program_place.unwrap_or(place);
        let hint = "install it, or correct the first element of `command`; until then the check is unknown";
        options.problem(Problem::warning(&place, format!("{}: {error}", options.what())).hint(hint));
    }
    Some(Box::new(Plugin { argv, environment, folder }))
}

/// What an argument may have of the host.
const PLACEHOLDERS: [&str; 2] = ["address", "name"];

/// A word in braces that is none of the placeholders: one that comes near is a slip; another may be meant for the plugin, and
/// is given to it as it is.
fn check_placeholders(argument: &str, place: &Place, options: &mut Reader<'_>) {
    for after in argument.split('{').skip(1) {
        let Some((word, _)) = after.split_once('}') else { continue };
        let is_word = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        if !is_word || PLACEHOLDERS.contains(&word) {
            continue;
        }
        let words = format!("{}: `{{{word}}}` is no placeholder", options.what());
        let known = PLACEHOLDERS.map(|word| format!("{{{word}}}")).join(", ");
        options.problem(match nearest(&word.to_lowercase(), PLACEHOLDERS) {
            Some(near) => Problem::error(place, words).hint(format!("did you mean `{{{near}}}`? known: {known}")),
            None => Problem::warning(place, words).hint(format!("the plugin gets it as it stands; known: {known}")),
        });
    }
}

/// Variables as text, or as secrets.
fn read_environment(options: &mut Reader<'_>) -> Vec<(String, SecretRef)> {
    let Some(table) = options.table("environment") else { return Vec::new() };
    let mut out = Vec::new();
    for (key, node) in &table.entries {
        let reference = match &node.value {
            Value::String(text) => Some(SecretRef::Literal(Secret::new(text.clone()))),
            _ => options.secret_in(&key.name, node),
        };
        out.extend(reference.map(|reference| (key.name.clone(), reference)));
    }
    out
}

impl Probe for Plugin {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        // Arguments may hold what is not for everybody; whoever wrote them can look them up.
        Wire { protocol: "whatever the plugin sends".into(), destination: self.argv[0].as_str().into() }
    }

    /// Nobody knows whom it asks.
    fn speaks_for_host(&self) -> bool {
        false
    }

    /// The program's name.
    fn instance(&self) -> String {
        self.argv[0].rsplit('/').next().unwrap_or_default().to_owned()
    }
}

impl Plugin {
    async fn ask(&self, cx: &Cx) -> Reading {
        let mut program = Program::new(self.argv.iter().cloned()).leaves_nothing();
        for (name, reference) in &self.environment {
            match secret::fetch(reference).await {
                Ok(value) => program = program.secret_env(name, value),
                Err(error) => return Reading::unknown(format!("the variable {name}: {error}")),
            }
        }
        if let Some(folder) = &self.folder {
            program = program.folder(folder.clone());
        }
        program = program.timeout(cx.timeout.saturating_sub(ENDING).max(cx.timeout / 2));
        program.said = Some(cx.timeout);
        program.output_limit = MOST_OUTPUT;
        program.stop_at_limit = true;
        match process::run(&program).await {
            Ok(output) => judge(output.status.code(), &output.stdout, &output.stderr),
            // None of it says anything of what the plugin looks at.
            Err(error) => Reading::unknown(error.to_string()),
        }
    }
}

fn judge(status: Option<i32>, stdout: &[u8], stderr: &[u8]) -> Reading {
    let output = plugin_output::parse(stdout);
    let outcome = match status {
        Some(0) => Outcome::Ok,
        Some(1) => Outcome::Warning,
        Some(2) => Outcome::Critical,
        Some(_) | None => Outcome::Unknown,
    };
    let text = Untrusted::new(&output.text);
    let complaint = stderr.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty());
    // A plugin that says nothing has at least ended somehow.
    let said = match (text.is_empty(), complaint) {
        (false, _) => text.line(),
        (true, Some(complaint)) => Untrusted::new(complaint).line(),
        (true, None) => "it prints nothing".to_owned(),
    };
    let summary = match status {
        Some(0..=3) => said,
        Some(code) => format!("exit status {code}: {said}"),
        None => format!("ended by a signal: {said}"),
    };
    let mut reading = Reading::new(outcome, summary);
    for line in &output.more {
        reading = reading.log(Untrusted::new(line));
    }
    for line in stderr.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).take(20) {
        reading = reading.log(Untrusted::new([b"stderr: ", line].concat()));
    }
    if output.malformed > 0 {
        reading = reading.log(format!("{} numbers cannot be read", output.malformed));
    }
    output.numbers.iter().fold(reading, with_number)
}

/// The number, and its limits under its name: `time`, `time:warning`.
fn with_number(reading: Reading, number: &Number) -> Reading {
    let unit = match number.measure {
        Measure::Plain | Measure::Counter => Unit::Count,
        Measure::Percent => Unit::Percent,
        Measure::Seconds => Unit::Seconds,
        Measure::Bytes => Unit::Bytes,
    };
    let label = Untrusted::bounded(number.label.as_bytes(), 100).line();
    let limits =
        [("warning", number.warning), ("critical", number.critical), ("min", number.least), ("max", number.most)];
    let reading = reading.metric(&label, number.value, unit);
    limits.iter().fold(reading, |reading, (name, limit)| match limit {
        Some(limit) => reading.metric(&format!("{label}:{name}"), *limit, unit),
        None => reading,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_text_make_the_verdict() {
        for (status, outcome) in [
            (Some(0), Outcome::Ok),
            (Some(1), Outcome::Warning),
            (Some(2), Outcome::Critical),
            (Some(3), Outcome::Unknown),
        ] {
            let reading = judge(status, b"SAYS \x1b[1mso | a=1", b"");
            assert_eq!((reading.outcome, reading.summary.line()), (outcome, r"SAYS \x1b[1mso".to_owned()));
        }
        let odd = judge(Some(127), b"", b"\nnot found\n");
        assert_eq!((odd.outcome, odd.summary.line()), (Outcome::Unknown, "exit status 127: not found".to_owned()));
        let killed = judge(None, b"", b"");
        let words = "ended by a signal: it prints nothing".to_owned();
        assert_eq!((killed.outcome, killed.summary.line()), (Outcome::Unknown, words));
    }

    #[test]
    fn numbers_come_with_their_limits() {
        let reading = judge(Some(0), b"OK|time=12ms;500;1000;0\nmore", b"");
        let names: Vec<(&str, f64)> = reading.metrics.iter().map(|m| (&*m.name, m.value)).collect();
        assert_eq!(names, [("time", 0.012), ("time:warning", 0.5), ("time:critical", 1.0), ("time:min", 0.0)]);
        assert_eq!(reading.log.len(), 1);
    }
}
