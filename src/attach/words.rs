//! The words that the model holds by reference to the program, which no engine elsewhere can send by reference.

/// Every word that a type of the model holds by reference to the program.
pub const KNOWN: &[&str] = &[
    "v1",
    "v2c",
    "v3",
    "percent",
    "dbm",
    "hertz",
    "volt-amperes",
    "kilowatt-hours",
    "seconds",
    "minutes",
    "count",
    "bytes",
    "cfm",
    "cpu",
    "memory",
    "io",
    "apt",
    "apk",
    "dpkg",
    "rpm",
    "pacman",
    "units",
    "updates",
    "SMART",
];
