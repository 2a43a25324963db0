//! The data plane: listeners, routing, draining; commanded by plain serialisable values.
//!
//! [`run`] is the process `paas proxy`: it reads its routing table from disk, takes the listening sockets, carries requests
//! and obeys the commands that arrive on its admin socket. [`ProxyClient`] sends those commands.
//!
//! One request: `accept` → `tls` (for HTTPS) → `connection` (which protocol) → `http1_server` or hyper (its header) → `service` (checks) → `gate`
//! (may it pass, and to which service) → `forward` (a target, a connection to it, retries) → `body` or `upgrade` (streams until the last byte,
//! counted as in flight). A plain request goes from `http1_server` to `forward` at once.

#![forbid(unsafe_code)]

mod accept;
mod access_log;
mod admin;
mod api;
mod balance;
mod body;
mod body_pace;
mod buffering;
mod canary;
mod challenge;
mod client;
mod client_body;
mod clients;
mod compression;
mod config;
mod connect_error;
mod connection;
mod context;
mod cookie;
mod date;
mod descriptors;
mod door;
mod durable_file;
mod error;
mod extended_connect;
mod failure;
mod forward;
mod forwarded;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod gate;
mod h2c;
mod handover;
mod headers;
mod hold;
mod host;
mod http1;
mod http1_server;
mod http3;
mod io;
mod keep_alive;
mod key_pem;
mod listener;
mod metrics;
mod multiplexed;
mod networks;
mod outbound;
mod outgoing;
mod pace;
mod page;
mod policy_check;
mod pool;
mod processor;
mod progress;
mod record;
mod records;
mod refusal;
mod registry;
mod request_body;
mod request_check;
mod rest;
mod route_check;
mod router;
mod run;
mod server_timing;
mod service;
mod shared;
mod site;
mod spec_check;
mod state_file;
mod sticky;
mod stop;
mod tag;
mod target;
mod target_body;
mod tls;
mod tunnel;
mod turn;
mod upgrade;
mod visit;
mod worker_turn;
mod workers;

pub use api::{
    AccessLog, CandidateSpec, CertificateEnd, CertificateOutcome, CertificateSpec, CertificateStatus,
    ChallengeProof, ChallengeSpec, DURATION_BOUNDS, DeleteOutcome, DrainOutcome, HandOverOutcome, HoldPolicy,
    HostRedirect, HttpsPolicy, ListenerMetrics, ListenerProtocol, PasswordHash, PathRoute, ProxyMetrics,
    ProxyStatus, PutOutcome, RequestMetrics, RequestPolicy, ServiceSpec, ServiceState, ServiceStatus,
    TargetProtocol, TargetSpec, TargetState, TargetStatus, UpstreamMetrics,
};
pub use client::{ProxyClient, ProxyClientError};
pub use config::{AdminSocket, HandOver, Limits, ProxyConfig};
pub use error::ProxyError;
pub use handover::{HandOverError, Successor};
pub use key_pem::KeyPem;
pub use refusal::{Refusal, RefusalKind};
pub use run::{Ready, run};
pub use state_file::LoadError;
pub use tls::{CertificatesError, InvalidCertificate, UnknownHostError};
