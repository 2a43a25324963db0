use std::{collections::BTreeMap, net::SocketAddr};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The upper bounds of [`RequestMetrics::durations`], in seconds; beyond the last there is one more bucket.
pub const DURATION_BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What the proxy has counted since it started. Names of services, listeners and certificates are all that tells counts apart: nothing
/// a visitor sends becomes a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct ProxyMetrics {
    /// When this process started.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// The number of the table in force.
    pub generation: u64,
    /// The services of the table, by name.
    pub services: BTreeMap<String, RequestMetrics>,
    /// Requests that lead to no service: unknown hosts, requests that cannot be read, challenges.
    pub unknown: RequestMetrics,
    /// Where clients come in.
    pub listeners: Vec<ListenerMetrics>,
    /// TLS and QUIC handshakes that failed.
    pub handshakes_failed: u64,
    /// Connections to targets.
    pub upstream: UpstreamMetrics,
    /// The certificates in force, by host.
    pub certificates: Vec<CertificateEnd>,
    /// Lines of access logs that were not written: the disk was full or too slow.
    pub access_log_dropped: u64,
}

/// The requests of one service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", default)]
pub struct RequestMetrics {
    /// Requests that have ended, by the first digit of their status: 1xx, 2xx, 3xx, 4xx, 5xx. WebSockets count as 1xx, at their end; a
    /// request whose client went away before the answer counts as 4xx (499).
    pub ended: [u64; 5],
    /// The same without tunnels, by how long they took to the last byte; not cumulative. See [`DURATION_BOUNDS`].
    pub durations: [u64; 12],
    /// The sum of these durations, in microseconds.
    pub duration_sum_us: u64,
    /// Requests and tunnels under way.
    pub in_flight: u64,
    /// Bytes of bodies from clients.
    pub bytes_in: u64,
    /// Bytes of bodies to clients.
    pub bytes_out: u64,
}

/// One listening socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct ListenerMetrics {
    /// Its address.
    pub address: SocketAddr,
    /// What is spoken there.
    pub protocol: ListenerProtocol,
    /// Connections open now.
    pub open: u64,
    /// Connections that were accepted.
    pub accepted: u64,
    /// Connections that were not served: the process had no more room, descriptors or memory.
    pub refused: u64,
}

/// What clients speak at a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListenerProtocol {
    /// HTTP without encryption.
    Http,
    /// HTTP/1.1 and HTTP/2 over TLS.
    Https,
    /// HTTP/3 over QUIC.
    Http3,
}

/// Connections to targets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", default)]
pub struct UpstreamMetrics {
    /// Times that a target could not be connected to, or took a request up from nobody; another was asked then.
    pub unreachable: u64,
    /// Connections of HTTP/1.1 that were tried to be opened.
    pub connects: u64,
    /// Requests sent again, because a kept connection turned out to be closed.
    pub retries: u64,
}

/// Until when a certificate is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct CertificateEnd {
    /// The host it was put for.
    pub host: String,
    /// Its end.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
}
