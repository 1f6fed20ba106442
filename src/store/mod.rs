//! What survives a restart besides the journal: last known states. `store` owns the versioned encoding.
