use crate::{
    host::Host,
    tls::{Certificate, Certificates},
};

/// By which way a client came in.
#[derive(Debug)]
pub(crate) enum Door {
    Http,
    Https(Admission),
}

impl Door {
    pub(crate) fn is_http(&self) -> bool {
        matches!(self, Self::Http)
    }
}

/// The name by which a client was admitted to an encrypted connection, and the certificate it was shown.
#[derive(Debug)]
pub(crate) struct Admission {
    name: Option<String>,
    certificate: Option<Certificate>,
}

impl Admission {
    /// `name` is what the client sent as SNI.
    pub(crate) fn new(name: Option<&Host<'_>>, certificates: &Certificates) -> Self {
        let certificate = name.and_then(|name| certificates.table().find(name).cloned());
        Self { name: name.map(|name| name.as_str().to_owned()), certificate }
    }

    /// Whether a request for the host may come over this connection. Else one app could be visited under the name of another
    /// (RFC 9110, 7.4). A name is always admitted to itself, even if it has no certificate; clients that send no name can mean
    /// an address at most. Other hosts are admitted that the certificate speaks for, if we would show them the same one: browsers
    /// use one connection for them all (RFC 9113, 9.1.1).
    pub(crate) fn includes(&self, host: &Host<'_>, certificates: &Certificates) -> bool {
        let Some(name) = &self.name else { return host.is_address() };
        name == host.as_str()
            || self.certificate.as_ref().is_some_and(|shown| {
                let table = certificates.table();
                // The one shown may have been renewed since, for both.
                let now = || table.find(&Host::parse(name).ok()?);
                shown.speaks_for(host)
                    && table.find(host).is_some_and(|of_host| {
                        of_host.has_leaf_of(shown) || now().is_some_and(|now| of_host.has_leaf_of(now))
                    })
            })
    }
}
