use std::sync::Arc;

use rustls::{
    ServerConfig, SupportedCipherSuite,
    crypto::{
        CryptoProvider,
        ring::{self, cipher_suite as suite},
    },
    server::ServerSessionMemoryCache,
};

use super::{ACME, Certificates, resolver::Resolver};
use crate::challenge::Challenges;

/// Sessions of TLS 1.2 clients that know no tickets. All others keep their session themselves.
const SESSIONS: usize = 1024;

/// The library's, AES-128 first: the others are slower, and none is known to be broken sooner.
const SUITES: [SupportedCipherSuite; 9] = [
    suite::TLS13_AES_128_GCM_SHA256,
    suite::TLS13_CHACHA20_POLY1305_SHA256,
    suite::TLS13_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];

/// The settings of every handshake: TLS 1.2 and 1.3, HTTP/2 before HTTP/1.1, tickets under keys that change every six hours,
/// and no early data, which could be played to us twice (RFC 8446, 8).
pub(crate) fn config(
    certificates: Arc<Certificates>,
    challenges: Arc<Challenges>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = CryptoProvider { cipher_suites: SUITES.to_vec(), ..ring::default_provider() };
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Resolver { certificates, challenges }));
    // Ours begins with what is cheapest for both.
    config.ignore_client_order = true;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), ACME.to_vec()];
    config.ticketer = ring::Ticketer::new()?;
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}
