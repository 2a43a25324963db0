use std::sync::Arc;

use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{ACME, Certificates};
use crate::{challenge::Challenges, host::Host};

/// Chooses the certificate by the name the client sends (RFC 6066, 3). Asked for every handshake, resumed ones too.
#[derive(Debug)]
pub(super) struct Resolver {
    pub(super) certificates: Arc<Certificates>,
    pub(super) challenges: Arc<Challenges>,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().and_then(|name| Host::parse(name).ok());
        match asked(&hello) {
            Asked::Http => {
                let table = self.certificates.table();
                let found = name.and_then(|name| table.find(&name));
                Some(Arc::clone(found.unwrap_or(self.certificates.unknown()).served()))
            }
            Asked::Challenge => self.challenges.certificate(&name?),
            Asked::Both => None,
        }
    }
}

/// What a client wants to speak.
enum Asked {
    Http,
    /// `acme-tls/1` and nothing else, as an authority does (RFC 8737, 3).
    Challenge,
    /// Nobody does that with good intent.
    Both,
}

fn asked(hello: &ClientHello<'_>) -> Asked {
    let Some(mut protocols) = hello.alpn() else { return Asked::Http };
    match (protocols.next() == Some(ACME), protocols.any(|protocol| protocol == ACME)) {
        (false, false) => Asked::Http,
        _ if hello.alpn().is_some_and(|protocols| protocols.count() == 1) => Asked::Challenge,
        _ => Asked::Both,
    }
}
