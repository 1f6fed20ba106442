//! Descriptors of files and sockets: a system allows a program few unless it asks for more.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Asks for so many, as far as the system's hard limit goes; what it does not give shows where they are opened.
pub fn allow_descriptors(wanted: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        let current = limit.maximum.map_or(wanted, |most| wanted.min(most));
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum: limit.maximum });
    }
}
