//! The program: everything is in the library's `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Started once for every run of a plugin: before anything else, which would only cost time.
    if let Some(status) = noctty::process::warden::enter() {
        return status;
    }
    noctty::process::warden::use_program("/proc/self/exe");
    noctty::cli::main()
}
