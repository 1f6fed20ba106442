//! The simulated network behind `noctty demo` and the tests: real protocols on loopback.
