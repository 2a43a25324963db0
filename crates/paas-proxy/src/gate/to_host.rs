use bytes::Bytes;
use http::{HeaderValue, Response, request::Parts};

use super::{
    redirected,
    to_https::{came_by_https, https_port},
};
use crate::{
    body::ResponseBody,
    forwarded::{Scheme, Source},
    host::Host,
    shared::Shared,
    site::Redirect,
    tls::Certificate,
};

/// The answer to a request whose host leads to another host: path and query byte for byte, the scheme kept. A visitor over HTTP who
/// would be sent to HTTPS next goes there at once. `None` when there is nowhere to go: to the same place again, or for `*`.
pub(super) fn to_host(
    shared: &Shared,
    redirect: &Redirect,
    source: &Source,
    (host, authority): (&Host<'_>, &HeaderValue),
    parts: &Parts,
) -> Option<Response<ResponseBody>> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if !path.starts_with('/') || redirect.to == host.as_str() {
        return None;
    }
    let (scheme, port) = if source.scheme == Scheme::Https || came_by_https(parts) {
        (Scheme::Https, typed_port(authority))
    } else if let Some(port) =
        https_port(shared, &redirect.service).filter(|_| has_https(shared, redirect, host))
    {
        (Scheme::Https, Some(port))
    } else {
        (Scheme::Http, typed_port(authority))
    };
    let (name, to) = (scheme.as_str(), bracketed(&redirect.to));
    let location = match port.filter(|port| *port != scheme.port()) {
        Some(port) => format!("{name}://{to}:{port}{path}"),
        None => format!("{name}://{to}{path}"),
    };
    redirected(redirect.status, Bytes::from(location))
}

/// The port under which the visitor reaches us: he wrote it beside the host.
fn typed_port(authority: &HeaderValue) -> Option<u16> {
    authority.to_str().ok()?.rsplit_once(':')?.1.parse().ok()
}

/// Whether browsers take the certificate of the place the visitor is sent to. Of a place elsewhere we know nothing; he is sent
/// on encrypted if he would have been here.
fn has_https(shared: &Shared, redirect: &Redirect, host: &Host<'_>) -> bool {
    let Ok(to) = Host::parse(&redirect.to) else { return false };
    let certificates = shared.certificates.table();
    let elsewhere = || shared.registry.current().find(&to, "/").is_none();
    match certificates.find(&to) {
        Some(certificate) => certificate.is_accepted(),
        None => elsewhere() && certificates.find(host).is_some_and(Certificate::is_accepted),
    }
}

/// As a URL has it (RFC 3986, 3.2.2).
fn bracketed(host: &str) -> std::borrow::Cow<'_, str> {
    if host.contains(':') { format!("[{host}]").into() } else { host.into() }
}
