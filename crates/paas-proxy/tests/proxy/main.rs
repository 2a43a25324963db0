//! The proxy on real sockets, with real clients and backends.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub)]

mod access_log;
mod auth;
mod balance;
mod body_limit;
mod buffering;
mod canary;
mod certificates;
mod challenges;
mod commands;
mod compression;
mod drain;
mod forwarding;
mod framing;
mod h2c;
mod hand_over;
mod hand_over_end;
mod hold;
mod hosts;
mod http1;
mod http2;
mod http2_floods;
mod http3;
mod https;
mod keep_alive;
mod limits;
mod metrics;
mod own_pages;
mod pages;
mod paths;
mod pool;
mod redirects;
mod restart;
mod server_timing;
mod shutdown;
mod smuggling;
mod sticky;
mod streaming;
mod support;
mod swap;
mod tls;
mod trusted;
mod uploads;
mod websocket;
mod websocket_http2;
