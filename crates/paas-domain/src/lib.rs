//! Names, ids, releases, the deploy state machine and manifest types, without I/O.
