//! The `paas` binary.
fn main() {}
