//! Child programs: argv only, no shell, no terminal, own process group, cleared environment, time and
//! output caps; the whole group is ended when time is up. And the one place where a reference to a
//! secret becomes the secret.

pub mod secret;
