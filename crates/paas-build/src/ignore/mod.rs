//! `.dockerignore`, read as BuildKit reads it.

mod pattern;
mod rules;

pub(crate) use rules::Matches;
pub use rules::{IgnoreError, IgnoreRules};
