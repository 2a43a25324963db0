//! The data plane: listeners, routing, draining; commanded by plain serialisable values.
//!
//! [`run`] is the process `paas proxy`: it reads its routing table from disk, takes the listening sockets, carries requests
//! and obeys the commands that arrive on its admin socket. [`ProxyClient`] sends those commands.
//!
//! One request: `accept` → `tls` (for HTTPS) → `connection` (HTTP/1.1 or HTTP/2) → `service` (checks, routing) → `forward`
//! (a target, a connection to it, retries) → `body` or `upgrade` (streams until the last byte, counted as in flight).

#![forbid(unsafe_code)]

mod accept;
mod admin;
mod api;
mod balance;
mod body;
mod challenge;
mod client;
mod config;
mod connection;
mod door;
mod durable_file;
mod error;
mod extended_connect;
mod failure;
mod forward;
mod forwarded;
mod h2c;
mod headers;
mod host;
mod http3;
mod io;
mod key_pem;
mod listener;
mod page;
mod pool;
mod redirect;
mod refusal;
mod registry;
mod request_check;
mod router;
mod run;
mod service;
mod shared;
mod spec_check;
mod state_file;
mod target;
mod tls;
mod upgrade;
mod upstream;
mod workers;

pub use api::{
    CertificateOutcome, CertificateSpec, CertificateStatus, ChallengeProof, ChallengeSpec, DeleteOutcome,
    DrainOutcome, HttpsPolicy, ProxyStatus, PutOutcome, ServiceSpec, ServiceState, ServiceStatus,
    TargetProtocol, TargetSpec, TargetState, TargetStatus,
};
pub use client::{ProxyClient, ProxyClientError};
pub use config::{AdminSocket, Limits, ProxyConfig};
pub use error::ProxyError;
pub use key_pem::KeyPem;
pub use refusal::{Refusal, RefusalKind};
pub use run::{Ready, run};
pub use state_file::LoadError;
pub use tls::{CertificatesError, InvalidCertificate, UnknownHostError};
