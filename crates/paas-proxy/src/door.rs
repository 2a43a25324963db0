use crate::host::{Host, HostPattern};

/// By which way a client came in.
#[derive(Debug)]
pub(crate) enum Door {
    Http,
    Https(Admission),
}

/// The name by which a client was admitted to an encrypted connection, and which hosts its certificate speaks for.
#[derive(Debug)]
pub(crate) struct Admission {
    name: Option<String>,
    certificate: Option<HostPattern>,
}

impl Admission {
    /// `name` is what the client sent as SNI, `certificate` the host whose certificate that chose.
    pub(crate) fn new(name: Option<&Host<'_>>, certificate: Option<HostPattern>) -> Self {
        Self { name: name.map(|name| name.as_str().to_owned()), certificate }
    }

    /// Whether a request for the host may come over this connection. Else one app could be visited under the name of another
    /// (RFC 9110, 7.4). A name is always admitted to itself, even if it has no certificate; clients that send no name can mean
    /// an address at most.
    pub(crate) fn includes(&self, host: &Host<'_>) -> bool {
        let Some(name) = &self.name else { return host.is_address() };
        name == host.as_str()
            || match &self.certificate {
                Some(HostPattern::Wildcard(parent)) => host.parent() == Some(parent),
                Some(HostPattern::Exact(_)) | None => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn includes(name: &str, certificate: &str, host: &str) -> bool {
        let (name, certificate) = (Host::parse(name).ok(), HostPattern::parse(certificate).ok());
        Admission::new(name.as_ref(), certificate).includes(&Host::parse(host).unwrap())
    }

    #[test]
    fn a_connection_is_for_the_hosts_of_its_certificate() {
        assert!(includes("a.test", "a.test", "A.test:443"));
        assert!(includes("x.b.test", "*.b.test", "x.b.test"));
        assert!(includes("x.b.test", "*.b.test", "y.b.test"));
        assert!(!includes("x.b.test", "x.b.test", "y.b.test"));
        assert!(!includes("x.b.test", "*.b.test", "b.test"));
        assert!(!includes("x.b.test", "*.b.test", "a.y.b.test"));
        assert!(!includes("a.test", "a.test", "c.test"));
    }

    #[test]
    fn without_a_certificate_only_the_name_itself_is_meant() {
        assert!(includes("c.test", "", "c.test") && !includes("c.test", "", "a.test"));
        assert!(includes("", "", "127.0.0.1") && includes("", "", "[::1]"));
        assert!(!includes("", "", "a.test"));
    }
}
