use std::sync::Arc;

use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::Certificates;
use crate::host::Host;

/// Chooses the certificate by the name the client sends (RFC 6066, 3). Asked for every handshake, resumed ones too.
#[derive(Debug)]
pub(super) struct Resolver(pub(super) Arc<Certificates>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().and_then(|name| Host::parse(name).ok());
        let table = self.0.table();
        let found = name.and_then(|name| table.find(&name));
        Some(Arc::clone(found.unwrap_or(self.0.unknown()).served()))
    }
}
