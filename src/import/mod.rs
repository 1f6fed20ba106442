//! What people have, turned into a configuration: one file per format.
