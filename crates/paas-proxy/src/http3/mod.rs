//! HTTP/3 (RFC 9114) over QUIC: the same requests, answered the same way.
//!
//! The library decodes frames but keeps no measure: [`meter`] gives it no more bytes than it needs for the next frame.

mod accept;
mod body;
mod connection;
mod endpoint;
mod exchange;
mod meter;

pub(crate) use accept::serve;
pub(crate) use body::{Http3Body, Http3BodyError};
pub(crate) use endpoint::{settings, sockets};
