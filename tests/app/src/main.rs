//! A web app for the tests.
fn main() {}
