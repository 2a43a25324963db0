//! The clients, the same for every server.

mod handshakes;
mod requests;

pub(crate) use handshakes::{Handshakes, Kind, Version};
pub(crate) use requests::{Ask, Wrk, http1, http2};
