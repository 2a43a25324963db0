//! Everything paas knows, in one SQLite file; the only crate that knows SQL.
