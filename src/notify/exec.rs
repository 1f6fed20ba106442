//! `exec`: a program of the operator's. No shell: its arguments are as written, the message is in its environment.

use std::time::Duration;

use super::{Batch, Cx, Deliver, Delivering, How, Kind, json, subject, text};
use crate::base::Untrusted;
use crate::base::options::{OptionDoc, Problem, Reader};
use crate::process::{self, Program};

pub static KIND: Kind = Kind {
    name: "exec",
    help: "a program, without a shell; NOCTTY_SUBJECT, NOCTTY_TEXT and NOCTTY_JSON (noctty.notification/1) are in its environment. An exit status other than 0 is a failure",
    options: &[
        OptionDoc {
            name: "argv",
            form: "array of strings",
            default: "",
            help: "the program and its arguments; required",
        },
        OptionDoc {
            name: "timeout",
            form: "duration",
            default: "30s",
            help: "then it is ended with all that it started",
        },
    ],
    bind,
};

#[derive(Debug)]
struct Exec {
    argv: Vec<String>,
    timeout: Duration,
}

fn bind(options: &mut Reader<'_>) -> Option<How> {
    let argv = options.argv("argv").unwrap_or_default();
    let timeout = options.duration("timeout").unwrap_or(Duration::from_secs(30));
    if argv.first().is_none_or(String::is_empty) {
        let place = options.node("argv").map_or_else(|| options.place().clone(), |node| node.place.clone());
        let problem = Problem::error(&place, "an exec channel needs a program");
        options.problem(problem.hint("argv = [\"/usr/local/bin/page\", \"--team\", \"noc\"]"));
        return None;
    }
    Some(How::By(std::sync::Arc::new(Exec { argv, timeout })))
}

impl Deliver for Exec {
    fn deliver<'a>(&'a self, _: &'a Cx, batch: &'a Batch) -> Delivering<'a> {
        Box::pin(async move {
            let mut program = Program::new(self.argv.iter().cloned())
                .leaves_nothing()
                .env("NOCTTY_SUBJECT", &subject(batch))
                .env("NOCTTY_TEXT", &text(batch))
                .env("NOCTTY_JSON", &json(batch))
                .timeout(self.timeout);
            program.output_limit = 64 * 1024;
            let output = process::run(&program).await.map_err(|error| error.to_string())?;
            if output.status.success() {
                return Ok(());
            }
            let said = Untrusted::new(output.stderr).lines().into_iter().rfind(|line| !line.trim().is_empty());
            let said = said.map(|line| format!(": {line}")).unwrap_or_default();
            Err(format!("{} ended with {}{said}", self.argv[0], output.status))
        })
    }
}
