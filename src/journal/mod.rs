//! Incident entries: append-only, one hash chain per writer, on disk (fsync) before they are acknowledged.
