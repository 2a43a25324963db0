//! TLS: which certificate answers for which name, where certificates are kept, and the handshake.

mod certificate;
mod certificates;
mod config;
mod directory;
mod handshake;
mod resolver;
mod table;
mod unknown;

pub use certificate::InvalidCertificate;
/// What an authority speaks that looks for a challenge's answer in the handshake (RFC 8737).
pub(crate) const ACME: &[u8] = b"acme-tls/1";

pub(crate) use certificate::Certificate;
pub(crate) use certificates::{Certificates, named_host};
pub(crate) use config::config;
pub use directory::CertificatesError;
pub(crate) use handshake::{Tls, handshake};
pub use unknown::UnknownHostError;
