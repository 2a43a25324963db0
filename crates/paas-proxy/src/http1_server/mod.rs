//! HTTP/1.1 and 1.0 for clients (RFC 9112): one task for each connection, which reads a request, answers it, and reads the next.
//!
//! hyper's server serves everybody; this one serves a proxy. What is between a client's bytes and a target's is one buffer where
//! nothing else is needed, and a connection that waits for its next request keeps none (docs/decisions/0006-front-door-speed.md).

mod answer;
mod body;
mod connection;
mod ending;
mod exchange;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod head;
mod listening;
mod plain;
mod request;
mod sending;
mod stream;

pub(crate) use self::{
    body::Http1Body,
    connection::{Protocol, serve},
    plain::Plain,
    stream::ClientStream,
};
