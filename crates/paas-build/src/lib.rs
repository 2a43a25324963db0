//! A source tree becomes a build plan and a tar stream, testable without an engine.
