//! Targets that speak HTTP/2 without encryption: few connections, shared by all requests.

mod connections;
mod exchange;
mod request;

pub(crate) use connections::{Connections, Stream};
pub(crate) use exchange::exchange;
