//! What tests of certificates stand on.
//!
//! - [`Pebble`]: a real ACME server, the Debian package `pebble`, with a certificate that [`TestRoot`] signed.
//! - [`Shim`]: stands in front of it, breaks what it is told to break, counts what is asked, and adds renewal information (RFC 9773).
//! - [`TestDns`]: a DNS server that says what a test wants.
//! - [`Responder`]: a [`Solver`](paas_acme::Solver) that answers challenges over HTTP and TLS.
//!
//! Each test gets a loopback address of its own ([`own_address`]), so ports are fixed and nothing collides. Everything ends with its value.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::missing_panics_doc,
    reason = "helpers of tests are tests too: they fail by panicking"
)]

mod address;
mod dns;
mod pebble;
mod responder;
mod root;
mod shim;

pub use address::own_address;
pub use dns::TestDns;
pub use pebble::{Pebble, PebbleOptions};
pub use responder::Responder;
pub use root::TestRoot;
pub use shim::{Fault, Shim, Step};
