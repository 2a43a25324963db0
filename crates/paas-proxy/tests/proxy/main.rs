//! The proxy on real sockets, with real clients and backends.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub)]

mod certificates;
mod challenges;
mod commands;
mod drain;
mod forwarding;
mod framing;
mod h2c;
mod http2;
mod http3;
mod https;
mod limits;
mod pages;
mod pool;
mod restart;
mod shutdown;
mod streaming;
mod support;
mod swap;
mod tls;
mod websocket;
mod websocket_http2;
