//! Schedule, supervise, run effects, publish, sessions.
