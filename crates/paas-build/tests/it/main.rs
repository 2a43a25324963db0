//! From repositories made for the purpose to the tar an engine would get, without an engine.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod common;
mod dockerignore;
mod hostile;
mod plan;
mod stream;
